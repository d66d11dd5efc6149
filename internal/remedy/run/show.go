//go:build !judge

package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/vault"
)

// Status is how an applied plan stands.
type Status struct {
	Run
	Steps []Progress   `json:"steps"`
	Next  string       `json:"next"` // what happens next and when, one sentence
	File  *remedy.Plan `json:"-"`    // nil where it cannot be believed
	// Seconds are the consequences that one person accepted and another has to.
	Seconds []Yes `json:"waitsForSecondPerson,omitempty"`
	// Left are the objects that were not taken back, of a run that was.
	Left []Leftover `json:"notTakenBack,omitempty"`
}

// Status gives the plans that were applied, the newest last; run "" is all of them, and the
// beginning of an id is enough.
func (c *Runner) Status(ctx context.Context, run string) ([]Status, error) {
	list, err := c.runs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Status{}
	for i := range list {
		if !strings.HasPrefix(list[i].ID, run) {
			continue
		}
		s := Status{Run: list[i]}
		if s.Steps, err = c.steps(ctx, s.ID); err != nil {
			return nil, err
		}
		if s.Approved, err = c.approval(ctx, s.ID); err != nil {
			return nil, err
		}
		c.refuse(ctx, &s)
		if !s.State.Over() && s.State != Undoing {
			s.Seconds = c.waiting(&s.Run)
		}
		s.Left = leftovers(&s.Run, s.Steps)
		s.Next = cmp.Or(s.refusedWords(), c.answered(&s.Run), s.happens())
		out = append(out, s)
	}
	if run != "" && len(out) == 0 {
		return nil, problem.New(problem.NotFound, "no plan was applied as %.40q", run).WithHint("partnerguard remedy status lists those that were")
	}
	return out, nil
}

// refuse says of what is shown whether it would be believed.
func (c *Runner) refuse(ctx context.Context, s *Status) {
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
	}
	if c.d.Marks == nil {
		return
	}
	p, err := c.plan(ctx, &s.Run)
	if err != nil && s.Refused == "" {
		s.Refused = err.Error()
	}
	s.File = p
}

// refusedWords says that nothing is done with a run that something else wrote.
func (s *Status) refusedWords() string {
	if s.Refused == "" {
		return ""
	}
	return "nothing: " + s.Refused
}

// happens says what happens next and when.
func (s *Status) happens() string {
	switch {
	case s.State == Waiting:
		return "a second person reads the plan and approves it: partnerguard remedy approve " + s.ID
	case s.State == Ended:
		return "nothing is left to do; partnerguard remedy drift says whether it stays so, partnerguard remedy rollback " + s.ID + " takes it back"
	case len(s.Left) > 0:
		return leftWords(s.Left) + "; " + s.Left[0].Settle
	case s.State == Undone:
		return "nothing is left to do; applying the plan again begins anew"
	case len(s.Seconds) > 0:
		y := &s.Seconds[0]
		return "a second person says yes to what " + y.By + " accepted: partnerguard remedy approve " + s.ID + " --accept " + y.Finding +
			"; then the plan is applied again"
	case s.State == Undoing:
		return s.goesBack()
	case s.Why != "":
		if exposed, _ := s.Exposed(); exposed != "" && s.State == Stopped {
			return "the tenant is open: " + exposed + "; apply the plan again at once, or partnerguard remedy rollback " + s.ID + "; it stopped: " + s.Why
		}
		if s.State == Watching && !s.next.IsZero() {
			return s.Why + "; looked at again " + moment(s.next)
		}
		return s.Why
	case s.State == Running:
		return "the steps of stage " + string(s.Stage) + " go on by themselves under partnerguard serve, or here with apply --wait"
	}
	return string(s.State)
}

// goesBack says who takes the rest back, and how it is done at once.
func (s *Status) goesBack() string {
	left, all := 0, 0
	for i := range s.Steps {
		switch s.Steps[i].State {
		case Undoes:
			left++
			all++
		case Reverted, NotTaken, Stays:
			all++
		}
	}
	words := fmt.Sprintf("%d of %s %s to be taken back", left, plural(all, "step", "steps"), isAre(left))
	if left == 0 {
		words = "all is taken back, and the proof over what is there now is left"
	}
	words += ": partnerguard serve goes on with it by itself, or here: partnerguard remedy rollback " + s.ID + " --wait 10m"
	if s.Why != "" && !strings.HasPrefix(s.Why, takenBack) {
		words += "; it waits: " + s.Why
	}
	return words
}

// Find gives one run by its id or the beginning of one. Kind problem.Usage where several
// begin so.
func (c *Runner) Find(ctx context.Context, run string) (Run, error) {
	list, err := c.runs(ctx)
	var found []Run
	for i := range list {
		if strings.HasPrefix(list[i].ID, run) {
			found = append(found, list[i])
		}
	}
	switch {
	case err != nil:
		return Run{}, err
	case len(found) == 0:
		return Run{}, problem.New(problem.NotFound, "no plan was applied as %.40q", run).WithHint("partnerguard remedy status lists those that were")
	case len(found) > 1:
		return Run{}, problem.New(problem.Usage, "%d runs begin with %.40q", len(found), run).
			WithHint("give more of the id; partnerguard remedy status lists them")
	}
	return found[0], nil
}

// refuses says why a row that is shown is not done, "" where it is, or the vault is not open.
func (c *Runner) refuses(ctx context.Context, b *vault.Book, mark []byte, values []any) string {
	if c.d.Marks == nil {
		return ""
	}
	if err := c.d.Marks.Fits(ctx, b, mark, values...); err != nil {
		return err.Error()
	}
	return ""
}

// History gives what was asked of Microsoft for a run, in order.
func (c *Runner) History(ctx context.Context, run string) ([]Act, error) { return c.acts(ctx, run) }

// Instructions gives the text by which a run is taken back by hand, without this program.
func (c *Runner) Instructions(ctx context.Context, run string) (string, error) {
	r, err := c.trusted(ctx, run)
	if err != nil {
		return "", err
	}
	list, err := c.trustedSteps(ctx, &r)
	if err != nil {
		return "", err
	}
	p, err := c.plan(ctx, &r)
	if err != nil {
		return "", err
	}
	return Instructions(p, &r, list), nil
}

// Now does in this process what can be done now, until all of it waits for something, and with
// a time to wait until then at most. tell is told after each turn; nil nobody is.
func (c *Runner) Now(ctx context.Context, run string, wait time.Duration, sleep func(context.Context, time.Duration) error) error {
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
	sweepJob = "remedy-sweep"
	runJob   = "remedy-run"
	driftJob = "remedy-drift"
)

// How often runs are looked for that are due, and objects that plans left are read again.
const (
	sweepEvery = 15 * time.Second
	driftEvery = 24 * time.Hour
)

// runArgs names the run that a job is to do.
type runArgs struct {
	Run string `json:"run"`
}

// Jobs has runs done as they are due, and drift looked for daily.
func (c *Runner) Jobs(q *jobs.Queue) error {
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
	q.Handle(driftJob, func(ctx context.Context, _ jobs.Job) error {
		if c.d.Marks == nil {
			return nil
		}
		_, err := c.Drift(ctx, "")
		return err
	})
	q.Every(sweepEvery, sweepJob, nil)
	q.Every(driftEvery, driftJob, nil)
	return nil
}

// Metrics are the runs by state.
func (c *Runner) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_remedy_runs", "Runs of plans, by state.", "state", func(ctx context.Context) (map[string]float64, error) {
		counts, err := c.counts(ctx)
		n := map[string]float64{}
		for _, s := range States() {
			n[string(s)] = float64(counts[s])
		}
		return n, err
	})
}

// Tells says that an action is one of those that [Deps.Last] looks for, and WordAbout what it
// is about.
func Tells(a audit.Action, details map[string]string) bool {
	switch a {
	case audit.RemedyApplied, audit.RemedyStopped, audit.RemedyUndone, audit.RemedyEnded:
		return true
	case audit.RemedyApproved:
		return details["finding"] == ""
	}
	return false
}

// WordAbout says what an action is about, as [Word] takes it.
func WordAbout(a audit.Action) string {
	if a == audit.RemedyApproved {
		return "approval"
	}
	return ""
}
