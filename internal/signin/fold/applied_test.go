package fold

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

const policyA, policyB, policyC = "0a0a0a0a-d223-5c13-8934-e935a19927c8", "0B0B0B0B-d223-5c13-8934-e935a19927c8", "0c0c0c0c-d223-5c13-8934-e935a19927c8"

// TestAppliedPolicies: the summary names the policies that the log applied in
// this tenant and that were still there at its end, however rows are split.
func TestAppliedPolicies(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 8, 0, 0, 0, time.UTC) }
	ev := func(n int, policies ...signin.AppliedPolicy) signin.Event {
		return signin.Event{ID: fmt.Sprint(n), Created: day(n), UserID: "u", HasStatus: true, Policies: policies}
	}
	a, b := signin.AppliedPolicy{ID: policyA, DisplayName: "A", Result: "success"}, signin.AppliedPolicy{ID: policyB, DisplayName: "B",
		Result: "reportOnlyFailure"}
	abroad := ev(4, signin.AppliedPolicy{ID: policyC, DisplayName: "theirs", Result: "success"})
	abroad.CrossTenantAccessType, abroad.HomeTenantID, abroad.ResourceTenantID = "b2bCollaboration", "we", "they"
	workload := ev(4, signin.AppliedPolicy{ID: policyC, DisplayName: "workloads", Result: "failure"})
	workload.UserID, workload.ServicePrincipalID = "", "sp"
	for name, c := range map[string]struct {
		rows []signin.Event
		want []string
	}{
		"applied, enforced or report-only": {[]signin.Event{ev(1, a, b)}, []string{"A 1", "B 1"}},
		"not applied, disabled, no policy": {[]signin.Event{ev(1, signin.AppliedPolicy{ID: policyA, Result: "notApplied"},
			signin.AppliedPolicy{ID: policyB, Result: "notEnabled"}, signin.AppliedPolicy{ID: "SecurityDefaults", Result: "success"})}, nil},
		"of another tenant, of workloads":   {[]signin.Event{abroad, workload}, nil},
		"applied, then listed as unapplied": {[]signin.Event{ev(1, a), ev(2, signin.AppliedPolicy{ID: policyA, Result: "notApplied"})}, []string{"A 2"}},
		"gone from a newer full list":       {[]signin.Event{ev(1, a, b), ev(2, b, signin.AppliedPolicy{ID: policyC, Result: "notApplied"})}, []string{"B 2"}},
		"not among the applied ones alone":  {[]signin.Event{ev(1, a), ev(2, b)}, []string{"A 1", "B 2"}},
		"the same id in two spellings": {[]signin.Event{ev(1, b),
			ev(2, signin.AppliedPolicy{ID: "0b0b0b0b-d223-5c13-8934-e935a19927c8", DisplayName: "B", Result: "failure"})}, []string{"B 2"}},
	} {
		for split := range 3 {
			root := New(Options{})
			folds := []*Fold{root, root.Fork(), New(Options{})}
			for i := range c.rows {
				at := i
				if split == 1 { // the newest first
					at = len(c.rows) - 1 - i
				}
				folds[(i*split)%3].Add(&c.rows[at], signin.SourceRef{Seq: 1, Source: evidence.Source{Path: "log", Line: at + 1}})
			}
			root.Merge(folds[2])
			root.Merge(folds[1])
			s, err := root.Finish(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range s.Applied {
				got = append(got, fmt.Sprint(p.Name, " ", p.Last.Day()))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s, split %d:\n%s", name, split, d)
			}
		}
	}
}

// TestAppliedPoliciesAreBounded: a hostile log cannot make the list grow.
func TestAppliedPoliciesAreBounded(t *testing.T) {
	t.Parallel()
	f := New(Options{})
	for n := range 3 * maxApplied {
		e := signin.Event{ID: fmt.Sprint(n), Created: time.Unix(int64(n), 0), UserID: "u", HasStatus: true,
			Policies: []signin.AppliedPolicy{{ID: fmt.Sprintf("%08x-0000-0000-0000-000000000000", n), Result: "success"}}}
		f.Add(&e, signin.SourceRef{})
	}
	s, err := f.Finish(t.Context(), nil)
	if err != nil || len(s.Applied) != maxApplied {
		t.Fatal(len(s.Applied), err)
	}
}
