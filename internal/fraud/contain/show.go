//go:build !judge

package contain

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// maxVerified bounds the names that a look afterwards keeps.
const maxVerified = 200

// verify looks at what runs now: of the plan, and new since it was made.
func (t *turn) verify(ctx context.Context) (*Verified, error) {
	p := &t.r.Plan
	v := &Verified{At: t.c.now()}
	if t.cloud == nil {
		var err error
		if t.cloud, err = t.c.d.Cloud(ctx, p.Connection, p.Customer); err != nil {
			return nil, err
		}
	}
	s := &scanner{c: t.cloud, sub: "/subscriptions/" + p.Subscription, since: p.Since, now: v.At}
	if err := s.read(ctx); err != nil {
		if passing(err) || ctx.Err() != nil {
			return nil, err
		}
		if !t.ended() { // a cancelled subscription shows nothing any more
			v.Unread = append(v.Unread, print.Clean(err.Error(), print.MaxSaying))
		}
		return v, nil
	}
	v.Unread = s.out.told
	planned := map[string]StepState{}
	for i := range t.list {
		planned[strings.ToLower(t.list[i].Step.Target)] = t.list[i].State
	}
	for i := range s.out.things {
		x := &s.out.things[i]
		_, known := planned[strings.ToLower(x.id)]
		switch {
		case known:
			v.Running = append(v.Running, x.name)
		case x.created.IsZero() || x.created.After(p.Made):
			v.New = append(v.New, x.name)
		}
	}
	for i := range s.out.roles {
		if r := &s.out.roles[i]; r.created.After(p.Made) && !strings.EqualFold(r.kind, foreignGroup) {
			v.New = append(v.New, azureRole(r.definition)+" of "+r.principal)
		}
	}
	for _, l := range []*[]string{&v.Running, &v.New, &v.Unread} {
		*l = (*l)[:min(len(*l), maxVerified)]
	}
	return v, nil
}

// ended says that the subscription as such was ended by the run.
func (t *turn) ended() bool {
	return slices.ContainsFunc(t.list, func(p Progress) bool { return levers[p.Step.Kind].phase == phaseEnd && p.State == Done })
}

func count(list []Progress) map[StepState]int {
	out := map[StepState]int{}
	for i := range list {
		out[list[i].State]++
	}
	return out
}

// Status is how an applied plan stands.
type Status struct {
	Run
	Counts map[StepState]int `json:"counts"`
	Steps  []Progress        `json:"steps"`
	Left   []string          `json:"left"` // what is not as it was to be, a sentence each, and who can do it
}

// Status gives the plans that were applied, the newest last; run "" is all of them, and the
// beginning of an id is enough.
func (c *Containment) Status(ctx context.Context, run string) ([]Status, error) {
	list, err := c.runs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Status{}
	for i := range list {
		if !strings.HasPrefix(list[i].ID, run) {
			continue
		}
		s := Status{Run: list[i], Left: []string{}}
		if s.Steps, err = c.steps(ctx, s.ID); err != nil {
			return nil, err
		}
		if s.Approved, err = c.approval(ctx, s.ID); err != nil {
			return nil, err
		}
		s.Refused = c.refuses(ctx, runBook, s.mark, s.Run.values())
		if a := s.Approved; a != nil && s.Refused == "" {
			s.Refused = c.refuses(ctx, approvalBook, a.mark, a.values())
		}
		if s.Refused == "" {
			s.Refused = s.approvalWords()
		}
		for k := range s.Steps {
			x := &s.Steps[k]
			x.Refused = c.refuses(ctx, stepBook, x.mark, x.values())
			if words := x.left(); words != "" {
				s.Left = append(s.Left, words)
			}
		}
		s.Counts = count(s.Steps)
		out = append(out, s)
	}
	if run != "" && len(out) == 0 {
		return nil, problem.New(problem.NotFound, "no plan was applied as %.40q", run).WithHint("partnerguard fraud contain status lists those that were")
	}
	return out, nil
}

// left says what of a step is left to do, "" nothing.
func (p *Progress) left() string {
	switch p.State {
	case Done, Found, Undone:
		return ""
	}
	words := levers[p.Step.Kind].words + " " + first(p.Step.Name, p.Step.Target) + ": " + map[StepState]string{Ready: "not begun", Going: "Azure is at it",
		Failed: "failed", Left: "nobody does it", Undoing: "is to be taken back", Stays: "stays as it is", NotTaken: "not taken back"}[p.State]
	return print.Clean(words+after(p.Words), print.MaxSaying)
}

// Find gives one run by its id or the beginning of one. Kind problem.Usage where several
// begin so.
func (c *Containment) Find(ctx context.Context, run string) (Run, error) {
	list, err := c.Status(ctx, run)
	switch {
	case err != nil:
		return Run{}, err
	case len(list) == 0:
		return Run{}, problem.New(problem.NotFound, "no plan was applied").WithHint("partnerguard fraud contain --apply plan.yaml")
	case len(list) > 1:
		return Run{}, problem.New(problem.Usage, "%d plans begin with %.40q", len(list),
			run).WithHint("give more of the id; partnerguard fraud contain status lists them")
	}
	return list[0].Run, nil
}

// refuses says why a row that is shown is not done, "" where it is, or the vault is not open.
func (c *Containment) refuses(ctx context.Context, b *vault.Book, mark []byte, values []any) string {
	if c.d.Marks == nil {
		return ""
	}
	if err := c.d.Marks.Fits(ctx, b, mark, values...); err != nil {
		return err.Error()
	}
	return ""
}

// History gives what was asked of Microsoft for a run, in order.
func (c *Containment) History(ctx context.Context, run string) ([]Act, error) {
	return c.acts(ctx, run)
}

// Tell tells Microsoft what the alert of a run was, by exactly the reason that a person
// chose. It is never told by itself.
func (c *Containment) Tell(ctx context.Context, run string, reason fraud.Reason) (Run, error) {
	if reason != fraud.Fraud && reason != fraud.Legitimate && reason != fraud.Ignore {
		return Run{}, problem.New(problem.Usage, "%.40q is no answer", string(reason)).WithHint("fraud, legitimate or ignore")
	}
	if c.d.Answer == nil {
		return Run{}, problem.New(problem.Unavailable, "nobody answers alerts here").WithHint("partnerguard fraud resolve ALERT --reason %s", reason)
	}
	var r Run
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = c.trusted(ctx, run); err != nil {
			return err
		}
		if r.Answer == string(reason) {
			return nil
		}
		if err := c.d.Answer(ctx, r.Plan.Alert, reason, c.d.Actor); err != nil {
			return err
		}
		r.Answer = string(reason)
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		return c.record(ctx, audit.ContainAnswered, audit.Done, r.ID, r.Plan.Customer, string(reason), map[string]string{"alert": r.Plan.Alert})
	})
	return r, err
}

// Now does in this process what can be done now, until all of it waits for something, and with
// a time to wait until then at most. tell is told of each turn.
func (c *Containment) Now(ctx context.Context, run string, wait time.Duration, sleep func(context.Context, time.Duration) error) error {
	until := c.now().Add(wait)
	for {
		next, err := c.Do(ctx, run)
		now := c.now()
		switch {
		case err != nil:
			return err
		case next.IsZero() || next.After(until):
			return nil
		}
		if err := sleep(ctx, max(next.Sub(now), 10*time.Millisecond)); err != nil {
			return err
		}
	}
}

// The jobs.
const (
	sweepJob = "contain-sweep"
	runJob   = "contain-run"
)

// sweepEvery is how often runs are looked for that are due.
const sweepEvery = 15 * time.Second

// runArgs names the run that a job is to do.
type runArgs struct {
	Run string `json:"run"`
}

// Jobs has runs done as they are due.
func (c *Containment) Jobs(q *jobs.Queue) error {
	q.Handle(runJob, func(ctx context.Context, j jobs.Job) error {
		var a runArgs
		if err := j.Read(&a); err != nil {
			return err
		}
		next, err := c.Do(ctx, a.Run)
		if errors.Is(err, problem.NotFound) || err == nil && next.IsZero() {
			return nil
		}
		if err != nil {
			return err
		}
		if left := next.Sub(c.now()); left < sweepEvery {
			return jobs.Later(max(left, time.Second))
		}
		return nil // the sweep finds it
	})
	q.Handle(sweepJob, func(ctx context.Context, _ jobs.Job) error {
		if c.d.Marks == nil {
			return nil
		}
		list, err := c.due(ctx, c.now(), 200)
		if err != nil {
			return err
		}
		args := make([]any, len(list))
		for i := range list {
			args[i] = runArgs{list[i]}
		}
		_, err = q.AddAll(ctx, runJob, args, jobs.Add{Unique: true})
		return err
	})
	q.Every(sweepEvery, sweepJob, nil)
	return nil
}

// Metrics are the steps by state.
func (c *Containment) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_contain_steps", "Steps of containment, by state.", "state", func(ctx context.Context) (map[string]float64, error) {
		counts, err := c.counts(ctx)
		n := map[string]float64{}
		for _, s := range StepStates() {
			n[string(s)] = float64(counts[s])
		}
		return n, err
	})
}

// Tells says that an action is one of those that [Deps.Last] looks for, and WordAbout what it
// is about.
func Tells(a audit.Action) bool {
	switch a {
	case audit.ContainApplied, audit.ContainRetried, audit.ContainCancelled, audit.ContainRolledBack, audit.ContainOver, audit.ContainApproved,
		audit.ContainRuled:
		return true
	}
	return false
}

// WordAbout says what an action is about, as [Word] takes it.
func WordAbout(a audit.Action) string {
	switch a {
	case audit.ContainApproved:
		return "approval"
	case audit.ContainRuled:
		return "rule"
	}
	return ""
}
