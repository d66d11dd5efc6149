package app_test

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/notify"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/snapshot"
)

// TestDelegationAlerts: what a judgement of the partner found of delegated rights is told: many
// people who left are one alert, each new right is its own, what is not sure and what a
// requirement tells is none; and it is over when the next judgement does not find it.
func TestDelegationAlerts(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 2 })
	tenant := strings.ToLower(w.lab.Info.Tenant.ID)
	look := func(list ...watch.Finding) map[string]alert.Alert {
		t.Helper()
		if err := w.s.Snapshot.Put(t.Context(), tenant, w.s.Now(), "", map[string]any{watch.KeptName: watch.Keep(list)}); err != nil {
			t.Fatal(err)
		}
		if err := w.s.Alerts.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := w.s.Alerts.List(t.Context(), alert.Listing{})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]alert.Alert{}
		for _, a := range all {
			if a.Kind == alert.Delegation && a.Open() {
				out[a.Key] = a
			}
		}
		return out
	}
	left := func(who string) watch.Finding {
		return watch.Finding{ID: "left/" + who, Kind: watch.Left, Severity: watch.Warning, Sure: true, Person: who, What: who + " is disabled", Where: "Tier 1"}
	}
	owner := watch.Finding{ID: "azure-owner/c/1", Kind: watch.Azure, Severity: watch.Urgent, Sure: true, Customer: "c", CustomerName: "Fabrikam",
		What: "A new right of Owner reaches the partner", Where: "/subscriptions/1 of Fabrikam", Since: w.s.Now()}
	unsure := watch.Finding{ID: "inactive-dap/unknown", Kind: watch.Inactive, Severity: watch.Notice}
	road := watch.Finding{ID: "road/r", Kind: watch.Road, Severity: watch.Notice, Sure: true}
	got := look(left("ann"), owner, left("bob"), unsure, road)
	if len(got) != 2 {
		t.Errorf("%d alerts: %+v", len(got), got)
	}
	if a := got["delegation:left"]; a.Count != 2 || len(a.Subjects) != 2 || a.Severity != notify.Warning || !strings.Contains(a.Subjects[1], "bob") {
		t.Errorf("people who left: %+v", a)
	}
	if a := got["delegation:azure-owner/c/1"]; a.Severity != notify.Urgent || a.Tenant != "c" || !strings.Contains(a.Cause, "Fabrikam") {
		t.Errorf("a new right: %+v", a)
	}
	if got := look(left("bob")); len(got) != 1 || got["delegation:left"].Count != 1 {
		t.Errorf("one of them came out: %+v", got)
	}
	if got := look(); len(got) != 0 {
		t.Errorf("nothing is found any more: %+v", got)
	}
}

// TestWatchIsKept: a round keeps what is to be looked at, and says what was not read.
func TestWatchIsKept(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 2 })
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.lab.Now().AddDate(0, 0, -31))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	kept, _, err := snapshot.Get[watch.Kept](t.Context(), w.s.Snapshot, strings.ToLower(tenant), watch.KeptName)
	if err != nil || !slices.ContainsFunc(kept.Findings, func(x watch.Finding) bool { return x.ID == "unread/delegatedAdminRelationships" && x.Ask != "" }) {
		t.Errorf("the relationships were not read, and nothing says so: %+v, %v", kept, err)
	}
}

// TestWatchOfSample: all that is to be looked at of the sample, with its ends.
func TestWatchOfSample(t *testing.T) {
	t.Parallel()
	r, err := app.DelegationWatch(t.Context(), app.Reading{}, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []watch.Kind{watch.Ending, watch.DAP, watch.Inactive, watch.Global, watch.Transition, watch.Road} {
		if !slices.ContainsFunc(r.Findings, func(x watch.Finding) bool { return x.Kind == kind }) {
			t.Errorf("none of %s: %+v", kind, r.Findings)
		}
	}
	if !r.Sample || r.Active == 0 || r.Days != watch.Stages[0] {
		t.Errorf("%+v", r)
	}
}
