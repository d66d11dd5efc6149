package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/labtest"
	"partnerguard/internal/notify"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/posture"
)

// TestAlertsOfACause: an administrator leaves a group out of the policy that asks for MFA.
// What turned by it is one alert that names the policy, who edited it and whom it opened;
// an exception leaves its account out of it, and the verdict stays; when the policy is put
// back the alert is over.
func TestAlertsOfACause(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 3 })
	tenant, id := w.lab.Info.Tenant.ID, w.policy("CA002 - All users - Require MFA")
	users := func(excluded string) string {
		return `{"conditions":{"users":{"includeUsers":["All"],"excludeUsers":[],"excludeGroups":[` + excluded + `]}}}`
	}
	open := func() (list []alert.Alert) {
		t.Helper()
		if err := w.s.Alerts.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := w.s.Alerts.List(t.Context(), alert.Listing{})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	round := func() {
		t.Helper()
		w.collect(w.lab.Now().AddDate(0, 0, -31))
		if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	caused := func(list []alert.Alert) []alert.Alert {
		return slices.DeleteFunc(list, func(a alert.Alert) bool { return a.Kind != alert.Caused || !strings.Contains(a.Title, "CA002") })
	}
	w.lab.Graph(http.MethodPatch, read0+"/"+id, users(""))
	round()
	first := open()
	if i := slices.IndexFunc(first, func(a alert.Alert) bool { return strings.HasPrefix(a.Title, "Requirements fall short since") }); i < 0 ||
		first[i].Severity != notify.Warning {
		t.Errorf("%+v", first)
	}
	if len(caused(first)) != 0 {
		t.Errorf("a cause before anything changed: %+v", first)
	}
	var group string
	w.lab.Server.World.Read(func(s *world.State) {
		for g := range s.PartnerTenant().Groups.All() {
			if g.Name == "CA-Exclude-Scripts" {
				group = g.ID
			}
		}
	})
	w.as(labtest.Admin, mayWrite, http.MethodPatch, read0+"/"+id, users(`"`+group+`"`))
	w.lab.Jump(2 * time.Hour)
	round()
	got := caused(open())
	if len(got) != 1 {
		t.Fatalf("%d alerts of one edit: %+v", len(got), got)
	}
	a := got[0]
	// A guest who signed in on one of the days before, which the dice of the date decide, is known too.
	said := fmt.Sprintf("%d accounts opened, %d not known any more", len(a.Subjects), 41-len(a.Subjects))
	if a.Severity != notify.Urgent || a.Unit != "accounts" || a.Count != len(a.Subjects) || a.Of <= a.Count || a.Count < 4 || a.Count > 5 ||
		!strings.Contains(a.Title, said) || !slices.Contains(a.Subjects, labtest.NoMFA) ||
		!strings.Contains(a.Cause, labtest.Admin) || !strings.Contains(a.Cause, "CA-Exclude-Scripts") || !strings.HasPrefix(a.Command,
		"partnerguard changes --since ") {
		t.Errorf("%+v", a)
	}
	for _, known := range []string{"emergency@contoso.onmicrosoft.com", "scanner@contoso.com", "svc-billing@contoso.com"} {
		if !slices.Contains(a.Subjects, known) {
			t.Errorf("%s is not among %v", known, a.Subjects)
		}
	}
	if again := caused(open()); len(again) != 1 || again[0].ID != a.ID {
		t.Errorf("another look makes another alert: %+v", again)
	}
	for _, account := range a.Subjects {
		x, err := w.s.Posture.AddException(t.Context(), posture.Exception{Requirement: "mfa-every-user", Accounts: []string{account}, Owner: "Cleo",
			Reason:  "scanner",
			Control: "one address", Expires: w.s.Now().AddDate(0, 2, 0)}, "local:ada")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Posture.Approve(t.Context(), x.ID, "local:ravi"); err != nil {
			t.Fatal(err)
		}
	}
	if left := caused(open()); len(left) != 1 || left[0].Count == a.Count && left[0].Unit == a.Unit && left[0].Excepted == "" {
		t.Errorf("the exceptions silence nothing: %+v", left)
	}
	w.as(labtest.Admin, mayWrite, http.MethodPatch, read0+"/"+id, users(""))
	w.lab.Jump(2 * time.Hour)
	round()
	if left := caused(open()); slices.ContainsFunc(left, func(x alert.Alert) bool { return x.ID == a.ID }) {
		t.Errorf("put back, and still open: %+v", left)
	}
	dates, missing := w.s.Alerts.Deadlines(t.Context())
	if len(missing) > 0 || !slices.ContainsFunc(dates, func(d alert.Deadline) bool { return d.Kind == alert.DueException }) ||
		!slices.ContainsFunc(dates, func(d alert.Deadline) bool { return d.Kind == alert.DueChange }) {
		t.Error(dates, missing)
	}
}
