package posture

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// jobKind is the job that judges moments of one tenant again.
const jobKind = "rejudge"

// Limits of a judging again.
const (
	maxMoments = 2_000_000 // tenants times moments
	rejudgeTry = 3         // after which a job is dead, and shown so
)

// RejudgeOf says what is to be judged again.
type RejudgeOf struct {
	Since, Until time.Time     // moments from the day of Since to Until; zero Until is now
	Tenants      []string      // none: all of which anything is kept
	Step         time.Duration // 0: the setting
	Span         time.Duration // of the log before each moment; 0: the setting
	Book         string        // the rule book of now
	Program      string
	Actor        string
}

// Rejudge is a judging again.
type Rejudge struct {
	ID      string        `json:"id"`
	Began   time.Time     `json:"began"`
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until"`
	Step    time.Duration `json:"-"`
	Span    time.Duration `json:"-"`
	Tenants []string      `json:"tenants"`
	Total   int           `json:"total"` // moments of all tenants
	Done    int           `json:"done"`
	Failed  int           `json:"failed"` // of Done
	Book    string        `json:"ruleBook"`
	Program string        `json:"program"`
	Actor   string        `json:"actor"`
}

// chunk is how many moments of a tenant are one job: a job of its own for each would
// spend its time in the queue.
const chunk = 31

// stint is how long a job works before it goes back into the queue with what is left:
// well below the time after which a job is ended.
const stint = 2 * time.Minute

// share names one job; its arguments are unique while it waits or runs: the moments
// first to first+chunk of a tenant.
type share struct {
	Run    string `json:"run"`
	Tenant string `json:"tenant"`
	First  int    `json:"first"`
}

// moments are the ends of the days, or steps, from since to until; the last is until.
func moments(since, until time.Time, step time.Duration) (out []time.Time) {
	for at := since.UTC().Truncate(step).Add(step); at.Before(until); at = at.Add(step) {
		out = append(out, at)
	}
	return append(out, until.UTC().Truncate(time.Second))
}

// Begin begins a judging again: its moments become jobs, unique and resumable, which
// any worker of this database does. A job is up to 31 moments of one tenant. Kind Usage
// for what cannot be, Limit for too many moments.
func (s *Store) Begin(ctx context.Context, q *jobs.Queue, o RejudgeOf) (Rejudge, error) {
	r, err := s.plan(ctx, o)
	if err != nil {
		return r, err
	}
	// The run's row and trail entry first: a job finds its run. Then jobs in transactions
	// of hundreds; who dies between leaves a run that Resume completes.
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.insertRejudge(ctx, &r); err != nil {
			return err
		}
		if s.d.Record == nil {
			return nil
		}
		return s.d.Record.Record(ctx, audit.Event{At: s.now(), Action: audit.RejudgeBegun, Outcome: audit.Done, Actor: o.Actor, Object: r.ID,
			Details: map[string]string{"since": r.Since.Format(time.RFC3339), "moments": fmt.Sprint(r.Total), "ruleBook": r.Book}})
	})
	if err != nil {
		return r, fmt.Errorf("begin to judge again: %w", err)
	}
	return r, s.Resume(ctx, q, &r)
}

func (s *Store) plan(ctx context.Context, o RejudgeOf) (Rejudge, error) {
	now := s.now()
	r := Rejudge{ID: token.ID("r"), Began: now, Since: o.Since.UTC(), Until: o.Until.UTC(), Step: cmp.Or(o.Step, s.d.Config.Day, DefaultStep),
		Span: cmp.Or(o.Span, s.d.Config.Span, DefaultSpan), Tenants: slices.Clone(o.Tenants), Book: o.Book, Program: o.Program, Actor: o.Actor}
	if o.Until.IsZero() || o.Until.After(now) {
		r.Until = now
	}
	if r.Tenants == nil {
		var err error
		if r.Tenants, err = s.tenants(ctx); err != nil {
			return r, err
		}
	}
	switch {
	case len(r.Tenants) == 0:
		return r, problem.New(problem.NotFound,
			"nothing was judged yet, so there is nothing to judge again").WithHint("partnerguard collect --now reads and judges")
	case r.Step < time.Minute || r.Span < r.Step/2:
		return r, problem.New(problem.Usage, "a step of %s over %s of the log cannot be", r.Step, r.Span)
	case !r.Since.Before(r.Until):
		return r, problem.New(problem.Usage, "--since %s is not before %s", r.Since.Format(time.DateOnly), r.Until.Format(time.DateOnly))
	case r.Until.Sub(r.Since)/r.Step > maxMoments:
		return r, problem.New(problem.Limit, "there are more than %d moments", maxMoments).WithHint("--since a later day, or a longer step")
	}
	r.Total = len(moments(r.Since, r.Until, r.Step)) * len(r.Tenants)
	if r.Total > maxMoments {
		return r, problem.New(problem.Limit, "%d tenants have %d moments together, and at most %d are judged again at once", len(r.Tenants), r.Total,
			maxMoments).
			WithHint("--tenant names some of them, or --since a later day")
	}
	return r, nil
}

// Resume adds the jobs of what a run still lacks. Jobs that are there stay alone.
func (s *Store) Resume(ctx context.Context, q *jobs.Queue, r *Rejudge) error {
	// What could not be judged is tried again.
	if err := s.forgetFailed(ctx, r.ID); err != nil {
		return err
	}
	done, err := s.rejudged(ctx, r.ID)
	if err != nil {
		return err
	}
	had := map[string]map[int64]bool{}
	for i := range done {
		if had[done[i].tenant] == nil {
			had[done[i].tenant] = map[int64]bool{}
		}
		had[done[i].tenant][done[i].asOf.Unix()] = true
	}
	var args []any
	all := moments(r.Since, r.Until, r.Step)
	// The newest over all tenants first, which people ask about.
	for first := (len(all) - 1) / chunk * chunk; first >= 0; first -= chunk {
		for _, t := range r.Tenants {
			if slices.ContainsFunc(all[first:min(first+chunk, len(all))], func(at time.Time) bool { return !had[t][at.Unix()] }) {
				args = append(args, share{r.ID, t, first})
			}
		}
	}
	_, err = q.AddAll(ctx, jobKind, args, jobs.Add{Unique: true, Tries: s.tries, Bulk: true})
	return err
}

// work judges the moments of a share that are not judged yet, the newest first, and
// keeps what comes beside what was kept: whoever dies in the middle loses one moment.
// What fails for the last time is kept as failed, so that it is seen.
func (s *Store) work(ctx context.Context, sh share, last bool) error {
	r, err := s.rejudge(ctx, sh.Run)
	if errors.Is(err, problem.NotFound) {
		return jobs.Never(err)
	}
	if err != nil {
		return err
	}
	if s.d.Judge == nil {
		return jobs.Never(problem.New(problem.Internal, "there is no archive to judge again from"))
	}
	all := moments(r.Since, r.Until, r.Step)
	if sh.First < 0 || sh.First >= len(all) {
		return jobs.Never(problem.New(problem.Internal, "the run %s has no moment %d", sh.Run, sh.First))
	}
	had, err := s.momentsDone(ctx, sh.Run, sh.Tenant)
	if err != nil {
		return err
	}
	begun := time.Now() // monotonic
	var failed error
	for _, at := range slices.Backward(all[sh.First:min(sh.First+chunk, len(all))]) {
		if had[at.Unix()] {
			continue
		}
		if time.Since(begun) > stint && failed == nil {
			return jobs.Later(0)
		}
		err := s.again(ctx, &r, sh.Tenant, at)
		if err != nil && last && ctx.Err() == nil {
			row := rejudgedRow{run: sh.Run, tenant: sh.Tenant, asOf: at, judged: s.now(), err: problemText(err), body: "[]"}
			err = errors.Join(err, s.insertRejudged(ctx, &row))
		}
		if failed = errors.Join(failed, err); ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

// again judges a tenant as of a moment, and keeps it. Doing it twice keeps the first.
func (s *Store) again(ctx context.Context, r *Rejudge, tenant string, at time.Time) error {
	st, err := s.d.Judge(ctx, tenant, at, r.Span)
	done := rejudgedRow{run: r.ID, tenant: tenant, asOf: at, judged: s.now(), body: "[]"}
	switch {
	case errors.Is(err, problem.NotFound): // the archive has nothing of that time: an answer
		done.err = problemText(err)
	case err != nil:
		return err
	default:
		done.book, done.program = st.Book, st.Program
		if done.body, err = verdictsOf(st); err != nil {
			return err
		}
	}
	return s.insertRejudged(ctx, &done)
}

// problemText is an error as it is kept: in one line, bounded.
func problemText(err error) string { return print.Clean(err.Error(), 500) }

// verdict is what is kept of a requirement that was judged again.
type verdict struct {
	ID       string `json:"id"`
	Verdict  string `json:"verdict"`
	Reason   string `json:"reason"`
	Affected int    `json:"affected,omitempty"`
	Total    int    `json:"total,omitempty"`
}

func verdictsOf(st *State) (string, error) {
	out := make([]verdict, len(st.Requirements))
	for i := range st.Requirements {
		r := &st.Requirements[i]
		out[i] = verdict{r.ID, r.Verdict, r.Reason, r.Affected, r.Total}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Difference is a stretch of days on which a requirement is judged otherwise now than
// it was then.
type Difference struct {
	Tenant      string    `json:"tenant"`
	Requirement string    `json:"requirement"`
	Was         string    `json:"was"`
	Is          string    `json:"is"`
	From        time.Time `json:"from"` // first moment judged otherwise
	To          time.Time `json:"to"`   // last
	Moments     int       `json:"moments"`
	Reason      string    `json:"reason"` // of the first, by the rules of now
	Book        string    `json:"ruleBookThen"`
	// By says what differs: rules (another rule book), program (another version of it), or
	// evidence: the rules were the same, so rows came late or another span was looked at.
	By string `json:"by"`
}

// Outcome is what a judging again shows so far.
type Outcome struct {
	Rejudge
	Differences []Difference `json:"differences"`
	Compared    int          `json:"compared"` // moments that were judged then, too
	Alike       int          `json:"alike"`    // of them, without any difference
	Errors      []string     `json:"errors"`   // of moments that could not be judged, each once
	Waiting     int          `json:"waiting"`  // moments not judged yet
}

// Rejudges lists what was judged again, newest first.
func (s *Store) Rejudges(ctx context.Context) ([]Rejudge, error) {
	list, err := s.rejudges(ctx)
	for i := range list {
		if err == nil {
			list[i].Done, list[i].Failed, err = s.countRejudged(ctx, list[i].ID)
		}
	}
	return list, err
}

// Outcome compares what a run judged with what was judged then; "" is the newest run.
func (s *Store) Outcome(ctx context.Context, run string) (*Outcome, error) {
	if run == "" {
		list, err := s.rejudges(ctx)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, problem.New(problem.NotFound, "nothing was judged again yet").WithHint("partnerguard rejudge --since 2026-01-01")
		}
		run = list[0].ID
	}
	r, err := s.rejudge(ctx, run)
	if err != nil {
		return nil, err
	}
	rows, err := s.rejudged(ctx, run)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Rejudge: r, Differences: []Difference{}, Errors: []string{}}
	open := map[string]*Difference{}
	then := &old{store: s}
	for i := range rows {
		x := &rows[i]
		out.Done++
		if x.err != "" {
			out.Failed++
			if text := x.tenant + ": " + x.err; len(out.Errors) < 20 && !slices.Contains(out.Errors, text) {
				out.Errors = append(out.Errors, text)
			}
			continue
		}
		if err := out.compare(ctx, then, x, open); err != nil {
			return nil, err
		}
	}
	out.Waiting = max(out.Total-out.Done, 0)
	for _, d := range open {
		out.Differences = append(out.Differences, *d)
	}
	slices.SortFunc(out.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Requirement, b.Requirement), a.From.Compare(b.From))
	})
	return out, nil
}

// old gives what was judged then; rows come by tenant and time, so one round is kept.
type old struct {
	store    *Store
	tenant   string
	round    int64
	mark     Mark
	verdicts map[string]string
}

func (o *old) at(ctx context.Context, tenant string, at time.Time) error {
	m, err := o.store.roundAt(ctx, tenant, at)
	if err != nil || tenant == o.tenant && m.Round == o.round {
		return err
	}
	o.tenant, o.round, o.mark, o.verdicts = tenant, m.Round, m, map[string]string{}
	if m.Round == 0 {
		return nil
	}
	st, err := o.store.state(ctx, tenant, m)
	if err != nil {
		return err
	}
	for i := range st.Requirements {
		o.verdicts[st.Requirements[i].ID] = st.Requirements[i].Verdict
	}
	return nil
}

// compare adds one moment to the differences; stretches of equal difference are one.
func (out *Outcome) compare(ctx context.Context, then *old, x *rejudgedRow, open map[string]*Difference) error {
	var list []verdict
	if err := json.Unmarshal([]byte(x.body), &list); err != nil {
		return problem.Wrap(err, problem.BadInput, "what was judged again of %s is damaged", x.tenant)
	}
	if err := then.at(ctx, x.tenant, x.asOf); err != nil {
		return err
	}
	if then.round == 0 {
		return nil
	}
	out.Compared++
	alike := true
	for i := range list {
		v := &list[i]
		was, had := then.verdicts[v.ID]
		if !had {
			was = "not in the rule book"
		}
		key := x.tenant + "\x00" + v.ID
		d := open[key]
		if was == v.Verdict {
			if d != nil {
				out.Differences = append(out.Differences, *d)
				delete(open, key)
			}
			continue
		}
		alike = false
		if d != nil && (d.Was != was || d.Is != v.Verdict) {
			out.Differences = append(out.Differences, *d)
			d = nil
		}
		if d == nil {
			d = &Difference{Tenant: x.tenant, Requirement: v.ID, Was: was, Is: v.Verdict, From: x.asOf, Reason: v.Reason, Book: then.mark.Book,
				By: "evidence"}
			switch {
			case then.mark.Book != x.book:
				d.By = "rules"
			case then.mark.Program != x.program:
				d.By = "program"
			}
			open[key] = d
		}
		d.To = x.asOf
		d.Moments++
	}
	if alike {
		out.Alike++
	}
	return nil
}

// ResumeRun is [Store.Resume] by id.
func (s *Store) ResumeRun(ctx context.Context, q *jobs.Queue, id string) error {
	r, err := s.rejudge(ctx, id)
	if err != nil {
		return err
	}
	return s.Resume(ctx, q, &r)
}

// Await waits until all moments of a run are judged and their jobs are over, or no job
// is left that could.
func (s *Store) Await(ctx context.Context, q *jobs.Queue, id string, progress func(done, total int64)) error {
	r, err := s.rejudge(ctx, id)
	if err != nil {
		return err
	}
	const settle = 25 // looks at jobs of other runs, once this one is done
	for rest := settle; ; {
		// Jobs first: what they do then is counted after.
		waiting, err := q.Waiting(ctx, jobKind)
		if err != nil {
			return err
		}
		done, _, err := s.countRejudged(ctx, id)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(int64(done), int64(r.Total))
		}
		switch {
		case done >= r.Total && (waiting == 0 || rest == 0):
			return nil
		case done >= r.Total:
			rest--
		case waiting == 0:
			return problem.New(problem.Unavailable, "%d of %d moments could not be judged again", r.Total-done, r.Total).
				WithHint("the log says why; partnerguard rejudge --run %s tries them again", id)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
