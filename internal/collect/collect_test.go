package collect_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// A round reads what is due, and nothing else; what was never read is a gap until it
// was.
func TestRound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.wantGaps(partnerID, "users never", "log never", "customers never")
		got := r.round(collect.Ask{})
		if got.Pages != 5+72+1 || got.Segments == 0 || outcome(got, "log").Outcome != collect.Read {
			t.Errorf("got %+v", got)
		}
		r.wantGaps("", "users never") // of the customer that the list named
		r.clock.jump(30 * time.Minute)
		if got := r.round(collect.Ask{}); got.Pages != 0 || len(got.Results) != 0 {
			t.Errorf("nothing was due: %+v", got)
		}
		r.clock.jump(40 * time.Minute)
		got = r.round(collect.Ask{})
		if len(got.Results) != 1 || outcome(got, "log").Pages != 4 { // an hour and ten minutes, and the overlap
			t.Errorf("the log was due: %+v", got)
		}
		if got, err := r.Round(t.Context(), customerID, collect.Ask{}); err != nil || got.Pages != 5 {
			t.Errorf("%+v %v", got, err)
		}
		r.wantGaps("")
		pages, runs := r.kept()
		if of(pages, "users 0 ") != 2 || len(runs) != 5 || slices.ContainsFunc(runs, func(x archive.Run) bool { return !x.Whole || x.Ended.IsZero() }) {
			t.Errorf("%d pages, runs %+v", len(pages), runs)
		}
		r.clock.jump(5 * time.Hour) // nobody read on
		r.wantGaps(partnerID, "log late 02T10:10-02T15:10")
	})
}

// What is refused is a fact with its reason, asked again at a slower pace, and closed
// when it is granted.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.service.fault = func(resource, _ string) error {
		if resource == "log" {
			return &msapi.Refused{Reason: msapi.ReasonLicence, Code: "Authentication_RequestFromNonPremiumTenantOrB2CTenant", Needs: "Entra ID P1",
				Err: &msapi.APIError{Service: "Microsoft Graph", Status: 403}}
		}
		return nil
	}
	got := r.round(collect.Ask{})
	if x := outcome(got, "log"); x.Outcome != collect.Refused || x.Needs != "Entra ID P1" || got.Failed() != 0 {
		t.Errorf("got %+v", x)
	}
	list, err := r.Gaps(t.Context(), partnerID, time.Time{})
	if err != nil || len(list) != 1 || list[0].Reason != evidence.GapLicence ||
		list[0].Needs != "Entra ID P1" || !slices.Equal(list[0].Nearest, []string{"users"}) ||
		list[0].Request != "GET /log (AuditLog.Read.All)" {
		t.Errorf("%+v %v", list, err)
	}
	_, runs := r.kept()
	if !slices.ContainsFunc(runs, func(x archive.Run) bool { return x.Resource == "log" && x.Refused == "licence" && !x.Whole }) {
		t.Errorf("the refusal was not kept: %+v", runs)
	}
	r.clock.jump(90 * time.Minute)
	if got := r.round(collect.Ask{}); len(got.Results) != 0 {
		t.Errorf("it was asked again at once: %+v", got)
	}
	r.service.fault = nil
	r.clock.jump(6 * time.Hour)
	if got := r.round(collect.Ask{}); outcome(got, "log").Outcome != collect.Read {
		t.Errorf("%+v", got)
	}
	r.wantGaps(partnerID)
	was, err := r.Gaps(t.Context(), partnerID, began.Add(time.Hour))
	if err != nil || len(was) != 1 { // as of then it was one
		t.Errorf("%+v %v", was, err)
	}
}

// An answer that nothing can be read from costs that answer, and is named.
func TestPoisoned(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	bad := true
	hour := began.Add(-10 * time.Hour).Format(time.RFC3339)
	r.service.fault = func(resource, what string) error {
		if bad && (resource == "users" && what == "2" || resource == "log" && what == hour) {
			return &msapi.Poisoned{Why: "it is no JSON"}
		}
		return nil
	}
	got := r.round(collect.Ask{})
	if outcome(got, "users").Outcome != collect.Flawed || outcome(got, "users").Pages != 4 || outcome(got, "log").Outcome != collect.Flawed {
		t.Errorf("%+v", got)
	}
	r.wantGaps(partnerID, "users poisoned", "log poisoned 01T23:00-02T00:00")
	_, runs := r.kept()
	for _, run := range runs {
		if run.Resource != "customers" && (run.Whole || run.Why == "") {
			t.Errorf("not whole: %+v", run)
		}
	}
	r.clock.jump(7 * time.Hour) // it stays bad, and stays the same gap
	r.round(collect.Ask{})
	r.wantGaps(partnerID, "users poisoned", "log poisoned 01T23:00-02T00:00")
	list, _ := r.Gaps(t.Context(), partnerID, time.Time{})
	if len(list) != 2 || !list[1].Since.Equal(began) {
		t.Errorf("since when: %+v", list)
	}
	bad = false
	r.clock.jump(7 * time.Hour)
	r.round(collect.Ask{})
	r.wantGaps(partnerID)
}

// A log that keeps failing at one place is read on behind it; in the end the gap is
// what really cannot be had, and what Microsoft keeps no longer is lost.
func TestStuckLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	bad := began.Add(-20 * time.Hour)
	failing := true
	r.service.fault = func(resource, what string) error {
		at, _ := time.Parse(time.RFC3339, what)
		if failing && resource == "log" && at.Before(bad.Add(time.Hour)) && at.Add(time.Hour).After(bad) {
			return &msapi.APIError{Service: "Microsoft Graph", Status: 504, Transient: true}
		}
		return nil
	}
	for range 30 {
		r.round(collect.Ask{Now: true})
		r.clock.jump(5 * time.Minute)
	}
	r.clock.jump(time.Second) // an uneven moment
	r.round(collect.Ask{Now: true})
	list, err := r.Gaps(t.Context(), partnerID, time.Time{})
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, g := range list {
		if g.Resource != "log" || g.Reason != evidence.GapFailed || g.From.Before(bad.Add(-time.Hour)) || g.To.After(bad.Add(3*time.Hour)) || g.Lost {
			t.Errorf("more is missing than cannot be had: %s to %s %+v", g.From, g.To, g)
		}
	}
	r.clock.jump(72 * time.Hour) // longer than Microsoft keeps it
	r.round(collect.Ask{Now: true})
	r.round(collect.Ask{Now: true})
	for _, g := range r.gaps(partnerID) {
		if !strings.Contains(g, " lost") {
			t.Errorf("not lost: %s", g)
		}
	}
	if len(r.gaps(partnerID)) < 2 {
		t.Errorf("both what failed and what nobody read is lost: %q", r.gaps(partnerID))
	}
}

// A clock that jumps makes no slice that is none, no wait for years, and nothing that
// counts as read though nobody read it.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]time.Duration{"ahead a day": 24 * time.Hour, "ahead for decades": 73 * 365 * 24 * time.Hour, "back": -48 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dbtest.SQLite(t))
			r.round(collect.Ask{})
			r.clock.jump(d)
			r.round(collect.Ask{})
			r.clock.jump(-d + time.Hour + 6*time.Minute)
			r.service.asked = nil
			got := r.round(collect.Ask{})
			if outcome(got, "log").Outcome != collect.Read {
				t.Fatalf("%+v", got)
			}
			if last := r.clock.now().Add(-time.Hour).Truncate(time.Hour); !slices.ContainsFunc(r.service.asked, func(s string) bool {
				at, _ := time.Parse(time.RFC3339, strings.TrimPrefix(s, "log "))
				return !at.Before(last.Add(-time.Hour))
			}) {
				t.Errorf("the last hour was not asked for: %q", r.service.asked)
			}
			r.wantGaps(partnerID)
			_, runs := r.kept()
			for _, run := range runs {
				if run.To.Before(run.From) {
					t.Errorf("a slice that is none: %+v", run)
				}
			}
			r.clock.jump(7 * time.Hour)
			if got := r.round(collect.Ask{}); outcome(got, "users").Outcome != collect.Read {
				t.Errorf("the users were not due: %+v", got)
			}
		})
	}
}

// Where the clock is known to be wrong, no log is read by it, and lists are.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.open(func(d *collect.Deps) {
		d.Right = func(context.Context) error { return problem.New(problem.Unavailable, "the clock is 3 h ahead") }
	})
	got := r.round(collect.Ask{})
	if outcome(got, "log").Outcome != collect.Failed || outcome(got, "users").Outcome != collect.Read || outcome(got, "log").Words != "the clock is 3 h ahead" {
		t.Errorf("%+v", got)
	}
	r.wantGaps(partnerID, "log never")
}

// Two do not read the same tenant: the second is told, and takes over when the first
// is silent for long enough by its own count. The first then commits nothing more.
func TestLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		first := newRig(t, d)
		second := newRig(t, d)
		inside, goOn := make(chan bool), make(chan bool)
		var once bool
		first.service.fault = func(string, string) error {
			if !once {
				once = true
				close(inside)
				<-goOn
			}
			return nil
		}
		ended := make(chan error, 1)
		go func() {
			_, err := first.Round(t.Context(), partnerID, collect.Ask{})
			ended <- err
		}()
		<-inside
		if _, err := second.Round(t.Context(), partnerID, collect.Ask{}); !errors.Is(err, collect.ErrBusy) {
			t.Errorf("got %v", err)
		}
		collect.Silence(second.Collector, 0) // as if its beats had stood still for long
		if got := second.round(collect.Ask{}); got.Pages != 78 {
			t.Errorf("%+v", got)
		}
		close(goOn)
		if err := <-ended; !errors.Is(err, problem.Conflict) {
			t.Errorf("the first committed: %v", err)
		}
		pages, _ := second.kept()
		if len(pages) != 78 {
			t.Errorf("%d pages", len(pages))
		}
	})
}
