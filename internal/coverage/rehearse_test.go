package coverage_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/coverage"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// TestOneRehearsalAtATime: pages wait for it and say so, the same proposal is rehearsed
// once, and what takes too long is given up.
func TestOneRehearsalAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most, ran atomic.Int32
		in := input(tenant(3))
		h := house(t, stored(t, in), in.Engine, func(ctx context.Context, _ string, p coverage.Propose) (*coverage.Rehearsal, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			ran.Add(1)
			long := 10 * time.Second
			if p.Defaults {
				long = time.Hour
			}
			select {
			case <-time.After(long):
				return &coverage.Rehearsal{Proposal: "a rehearsal", Complete: true, Rows: 7,
					People: []coverage.Affected{{ID: "u1", Account: "user1@contoso.example", Effect: "blocked", Rows: 3, WaysOut: []string{"upgrade it"}}}}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		see := func(query, want string) {
			t.Helper()
			if html := h.HTML(t, "/coverage/rehearse?"+query); !strings.Contains(html, want) {
				t.Errorf("%s: no %q at %s", query, want, time.Now().Format("15:04:05"))
			}
		}
		see("preset=partner-baseline", "Rehearsing.")
		synctest.Wait()
		see("preset=security-defaults", "Waiting.")
		synctest.Wait()
		see("preset=partner-baseline", "Rehearsing.")
		time.Sleep(11 * time.Second)
		see("preset=partner-baseline", "A rehearsal")
		see("preset=security-defaults", "Rehearsing.")
		time.Sleep(61 * time.Second)
		see("preset=security-defaults", "took longer than 1m0s")
		if most.Load() != 1 || ran.Load() != 2 {
			t.Errorf("%d ran at once, %d in all", most.Load(), ran.Load())
		}
	})
}

// TestRehearsalsAreBounded: past a few that wait, no more are taken.
func TestRehearsalsAreBounded(t *testing.T) {
	t.Parallel()
	in := input(tenant(3))
	h := house(t, stored(t, in), in.Engine, func(ctx context.Context, _ string, _ coverage.Propose) (*coverage.Rehearsal, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	refused := 0
	for i := range 20 {
		_, _, err := h.Load(t.Context(), fmt.Sprintf("/coverage/rehearse?change=%08x", i))
		if errors.Is(err, problem.Unavailable) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused < 10 {
		t.Errorf("of 20 rehearsals that do not end %d were refused", refused)
	}
}

// TestFailureSaysNothingOfItself: what went wrong inside is not for the page.
func TestFailureSaysNothingOfItself(t *testing.T) {
	t.Parallel()
	in := input(tenant(3))
	h := house(t, stored(t, in), in.Engine, func(context.Context, string, coverage.Propose) (*coverage.Rehearsal, error) {
		return nil, errors.New("dial tcp 10.0.0.1: secret-thing")
	})
	html := ""
	for range 100 {
		if html = h.HTML(t, "/coverage/rehearse?preset=partner-baseline"); strings.Contains(html, "Not rehearsed.") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(html, "Not rehearsed.") || strings.Contains(html, "secret-thing") {
		t.Errorf("the page says: %s", html)
	}
}

// badPolicies are none that can be rehearsed, with a word of what is said of each.
var badPolicies = map[string]string{
	"":                                "JSON",
	"{":                               "line 1",
	"[1]":                             "no Conditional Access policy",
	"[]":                              "0 policies",
	`"x"`:                             "no Conditional Access policy",
	`{"displayName":"x"}`:             "no state",
	`{"value":[{"displayName":"x"}]}`: "no state",
	`{"state":"enabled","conditions":{"moonPhase":{"full":true}}}`:                                                                                               "moonphase",
	`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"builtInControls":["retinaScan"]}}`:                                     "retinascan",
	`{"state":"enabled","conditions":{"clientApplications":{"includeServicePrincipals":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`: "workload",
	`{"state":"enabled","conditions":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) +
		`}`: "",
	"[" + strings.Repeat(`{"state":"enabled","conditions":{}},`, 30) +
		`{"state":"enabled","conditions":{}}]`: "31 policies",
	strings.Repeat(" ", 40<<10) +
		`{"state":"enabled","conditions":{}}`: "longer",
}

// TestProposalsAreReadStrictly: what is pasted is taken whole or not at all.
func TestProposalsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for body, want := range badPolicies {
		if err := coverage.CheckPolicies(body); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%.60q: %v, and it should say %q", body, err, want)
		}
	}
	good := `{"displayName":"x","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},
		"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	for _, body := range []string{good, "[" + good + "," + good + "]", `{"value":[` + good + `]}`} {
		if err := coverage.CheckPolicies(body); err != nil {
			t.Errorf("%.60q: %v", body, err)
		}
	}
	in := input(tenant(2))
	var got coverage.Propose
	h := house(t, stored(t, in), in.Engine, func(_ context.Context, _ string, p coverage.Propose) (*coverage.Rehearsal, error) {
		got = p
		return &coverage.Rehearsal{}, nil
	})
	s := h.Screens[2]
	a, err := screen.NewAsk(&s, screentest.Viewer(), screentest.Tenants, url.Values{}, screentest.Now)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Acts[0].Handle(t.Context(), a, url.Values{"policies": {good}})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		_, l, err := h.Load(t.Context(), done.Path)
		if err != nil {
			t.Fatal(err)
		}
		if l.View.Refresh == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got.Policies != good {
		t.Errorf("%q was rehearsed", got.Policies)
	}
	if _, _, err := h.Load(t.Context(), "/coverage/rehearse?proposal="+strings.Repeat("0", 32)); !errors.Is(err, problem.NotFound) {
		t.Errorf("a proposal that nobody pasted: %v", err)
	}
	if _, _, err := h.Load(t.Context(), "/coverage/rehearse?change=a&preset=partner-baseline"); !errors.Is(err, problem.Usage) {
		t.Errorf("two proposals at once: %v", err)
	}
}

// FuzzCheckPolicies: whatever is pasted, it is refused with a reason or understood whole.
func FuzzCheckPolicies(f *testing.F) {
	for body := range badPolicies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		err := coverage.CheckPolicies(body)
		var p *problem.Error
		if err != nil && !errors.As(err, &p) {
			t.Errorf("%q: an error without words: %v", body, err)
		}
	})
}
