package posture_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
)

// judging counts what was asked of it, and judges by newer rules: bo's exclusion is
// not met since the third day also where it was thought met.
type judging struct {
	mu    sync.Mutex // guards seen
	seen  map[string]int
	fails func(tenant string, at time.Time, n int) error
}

func (j *judging) judge(_ context.Context, who string, at time.Time, span time.Duration) (*posture.State, error) {
	key := who + at.Format("0102T15")
	j.mu.Lock()
	j.seen[key]++
	n := j.seen[key]
	j.mu.Unlock()
	if span != 48*time.Hour {
		return nil, fmt.Errorf("a span of %s", span)
	}
	if j.fails != nil {
		if err := j.fails(who, at, n); err != nil {
			return nil, err
		}
	}
	st := good(0)
	st.Tenant, st.AsOf, st.Book = who, at, "2027-01-01"
	if !at.Before(monday.AddDate(0, 0, 3)) {
		st = excluded(0)
		st.Tenant, st.AsOf, st.Book = who, at, "2027-01-01"
	}
	return st, nil
}

func queue(t *testing.T, d *db.DB, s *posture.Store) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), d, jobs.Options{Workers: 2, Poll: 20 * time.Millisecond, BulkOnly: true})
	if err == nil && s != nil {
		if err = s.Jobs(q); err == nil {
			err = q.Start(t.Context())
		}
		t.Cleanup(func() { _ = q.Stop(context.Background()) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestRejudge: every day of every tenant is judged once, by two processes together;
// what comes stands beside what was judged then, which stays; what differs is told
// as stretches of days, and whether rules or evidence did it.
func TestRejudge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		j := &judging{seen: map[string]int{}}
		r.deps.Judge = j.judge
		var err error
		r.Store, err = posture.New(r.deps)
		r.must(err)
		other := good(0)
		other.Tenant, other.Book = "another", "2027-01-01"
		r.keep(good(0))
		r.keep(other)
		r.at = monday.AddDate(0, 0, 6)
		adder := queue(t, d, nil)
		run, err := r.Begin(t.Context(), adder, posture.RejudgeOf{Since: monday.AddDate(0, 0, 1), Step: 24 * time.Hour, Span: 48 * time.Hour,
			Book: "2027-01-01", Actor: "local:ada"})
		r.must(err)
		if run.Total != 12 {
			t.Fatalf("%+v", run)
		}
		r.must(r.Resume(t.Context(), adder, &run)) // twice adds nothing twice
		if n, err := adder.Waiting(t.Context(), ""); err != nil || n != 2 {
			t.Fatalf("%d wait, %v", n, err)
		}
		q := queue(t, d, r.Store)
		queue(t, d, r.Store)
		r.must(r.Await(t.Context(), q, run.ID, nil))
		for key, n := range j.seen {
			if n != 1 {
				t.Errorf("%s was judged %d times", key, n)
			}
		}
		out, err := r.Outcome(t.Context(), "")
		r.must(err)
		if out.Done != 12 || out.Waiting != 0 || out.Failed != 0 || out.Compared != 12 || len(j.seen) != 12 || len(out.Differences) != 2 {
			t.Fatalf("%+v", out)
		}
		for i, by := range []string{"rules", "evidence"} {
			x := out.Differences[i]
			if x.Requirement != "mfa-every-user" || x.Was != posture.Met || x.Is != posture.NotMet || x.Moments != 4 || x.By != by && x.Tenant == tenant ||
				!x.From.Equal(monday.AddDate(0, 0, 4).Truncate(24*time.Hour)) {
				t.Errorf("%d: %+v", i, x)
			}
		}
		if st, _, err := r.At(t.Context(), tenant, r.at); err != nil || st.Requirements[0].Verdict != posture.Met {
			t.Errorf("what was kept is another: %v", err)
		}
		if list, err := r.Rejudges(t.Context()); err != nil || len(list) != 1 || list[0].Done != 12 || list[0].Actor != "local:ada" {
			t.Errorf("%+v %v", list, err)
		}
	})
}

// TestRejudgeFails: what fails once is tried again; what fails for good is seen, with
// why, and can be tried again; where the archive has nothing that is an answer.
func TestRejudgeFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	broken := true
	var mu sync.Mutex // guards broken
	j := &judging{seen: map[string]int{}, fails: func(_ string, at time.Time, n int) error {
		mu.Lock()
		defer mu.Unlock()
		switch at.Day() {
		case 4:
			return problem.New(problem.NotFound, "the archive has nothing of then")
		case 5:
			if n == 1 {
				return errors.New("the store is slow")
			}
		case 6:
			if broken {
				return errors.New("a damaged segment")
			}
		}
		return nil
	}}
	r.deps.Judge = j.judge
	var err error
	r.Store, err = posture.New(r.deps)
	r.must(err)
	r.Tries(2)
	r.keep(good(0))
	r.at = monday.AddDate(0, 0, 4)
	q := queue(t, r.d, r.Store)
	run, err := r.Begin(t.Context(), q, posture.RejudgeOf{Since: monday, Step: 24 * time.Hour, Span: 48 * time.Hour})
	r.must(err)
	r.must(r.Await(t.Context(), q, run.ID, nil))
	out, err := r.Outcome(t.Context(), run.ID)
	r.must(err)
	if out.Done != 5 || out.Failed != 3 || !strings.Contains(out.Errors[0], "nothing of then") || !strings.Contains(out.Errors[1], "a damaged segment") {
		t.Errorf("%+v", out)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	r.must(r.ResumeRun(t.Context(), q, run.ID))
	r.must(r.Await(t.Context(), q, run.ID, nil))
	if out, err = r.Outcome(t.Context(), run.ID); err != nil || out.Done != 5 || out.Waiting != 0 || out.Failed != 1 {
		t.Errorf("%+v %v", out, err)
	}
	if n := j.seen[tenant+"1103T00"]; n != 1 {
		t.Errorf("what was judged already was judged %d times", n)
	}
	for name, o := range map[string]posture.RejudgeOf{"the future": {Since: r.at.AddDate(0, 0, 1)}, "too much": {Since: monday.AddDate(-9, 0, 0),
		Step: time.Minute},
		"a second": {Since: monday, Step: time.Second}} {
		if _, err := r.Begin(t.Context(), q, o); err == nil {
			t.Errorf("%s is begun", name)
		}
	}
}
