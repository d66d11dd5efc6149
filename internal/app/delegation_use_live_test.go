//go:build !judge

package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/snapshot"
)

// TestUseIsKept: what the partner did in a customer's tenant is kept when the customer's
// archive is judged, once, with the time of which the log was read whole.
func TestUseIsKept(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	const customer, who = "99999999-aaaa-4bbb-8ccc-000000000001", "1111aaaa-0000-4000-8000-00000000000a"
	now := w.s.Now().UTC()
	audit := func(id, act string, ago time.Duration) record {
		return record{"id": id, "activityDateTime": now.Add(-ago).Format(time.RFC3339), "category": "UserManagement", "activityDisplayName": act,
			"result":          "success",
			"initiatedBy":     record{"user": record{"userPrincipalName": technicianOf(who)}},
			"targetResources": []record{{"id": "2222bbbb-0000-4000-8000-00000000000b", "type": "User"}}}
	}
	collect := func(resource, context string, from time.Time, list ...record) {
		out, err := w.s.Archive.Begin(customer)
		if err != nil {
			t.Fatal(err)
		}
		run := archive.Run{ID: archive.NewRun(now), Tenant: customer, Resource: resource, Way: "whole", Began: now, Ended: now, Whole: true, Pages: 1}
		if !from.IsZero() {
			run.Way, run.From, run.To = "sliced", from, now
		}
		body := mustJSON(json.Marshal(record{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#" + context, "value": list}))
		if err := out.Add(archive.Page{Tenant: customer, Resource: resource, Run: run.ID, Request: "GET /v1.0/" + context, Status: 200,
			From: run.From, To: run.To,
			At: now, Body: body}); err != nil {
			t.Fatal(err)
		}
		if err := out.End(run); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Commit(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	day := 24 * time.Hour
	collect("directoryAudits", "auditLogs/directoryAudits", now.Add(-20*day), audit("a", "Delete user", 2*day), audit("b", "Delete user", 3*day))
	collect("roleAssignments", "roleManagement/directory/roleAssignments", time.Time{}, []record{}...)
	for range 2 { // judged again, nothing is counted twice
		if err := w.s.KeepDays(t.Context(), customer); err != nil {
			t.Fatal(err)
		}
		p, _, err := snapshot.Get[use.Part](t.Context(), w.s.Snapshot, customer, use.PartName)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Acts) != 1 || p.Acts[0].Actor != who || p.Acts[0].Count != 2 || p.Acts[0].Act.Activity != "Delete user" {
			t.Fatalf("%+v", p.Acts)
		}
		if a := p.Acts[0].Act; a.Target != role.TargetOrdinary {
			t.Errorf("the target is %q: who holds which role was read", a.Target)
		}
		if l := p.Within(now, 90, now).Log(evidence.DirectoryAudit); l.Complete != 20 || !l.Live || strings.Contains(l.Why, "not read") {
			t.Errorf("%+v", l)
		}
	}
	w.recommendKept(customer, who, now)
}

// recommendKept recommends from what is kept, as the partner's own lists say who is in which
// group.
func (w *watched) recommendKept(customer, who string, now time.Time) {
	w.Helper()
	const partner, group = "99999999-aaaa-4bbb-8ccc-000000000099", "bbbbbbbb-0000-4000-8000-000000000001"
	if err := w.s.Collect.Known(w.Context(), []collect.Tenant{{ID: partner, Domain: "partner.example", Partner: true}, {ID: customer}}, true); err != nil {
		w.Fatal(err)
	}
	granted := []string{entra.RoleGlobalAdministrator, entra.RoleUserAdministrator}
	inv := &delegation.Inventory{AsOf: now, Tenant: partner, AdminAgents: []string{}, People: map[string]*delegation.Person{},
		Groups: map[string]*delegation.Group{group: {ID: group, Name: "Staff", Known: true, Whole: true, Pim: delegation.Yes,
			Members: []delegation.Member{{Person: who}}}},
		Customers: []delegation.Customer{{Tenant: customer, Name: "Fabrikam", DAP: delegation.No, Relationships: []delegation.Relationship{{ID: "r",
			Active:    true,
			Activated: now.AddDate(-1, 0, 0), Read: delegation.Yes, Roles: granted,
			Assignments: []delegation.Assignment{{ID: "a", Group: group, Active: true, Roles: granted}}}}}}}
	if err := w.s.Snapshot.Put(w.Context(), partner, now, "", map[string]any{delegation.PartName: inv}); err != nil {
		w.Fatal(err)
	}
	in, _, err := w.s.RecommendFrom(w.Context(), app.RecommendQuestion{Customer: "fabrikam"})
	if err != nil {
		w.Fatal(err)
	}
	res := recommend.Run(in)
	if len(res.Items) != 1 || !slices.Equal(res.Items[0].Recommended, []string{entra.RoleUserAdministrator}) || res.Items[0].Complete == 0 ||
		res.Items[0].Dropped[0].Sure != recommend.NoEvidence {
		w.Errorf("%+v", res.Items)
	}
	// What is pinned stays; a pin of a customer that is not there any more is no obstacle.
	for _, p := range []move.Pin{{Role: entra.RoleGlobalAdministrator, Group: group, Reason: "break glass"},
		{Role: entra.RoleUserAdministrator, Customer: "99999999-aaaa-4bbb-8ccc-0000000000ff", Reason: "was a customer"}} {
		if _, err := w.s.Mover.Pin(w.Context(), p); err != nil {
			w.Fatal(err)
		}
	}
	if in, _, err = w.s.RecommendFrom(w.Context(), app.RecommendQuestion{}); err != nil {
		w.Fatal(err)
	}
	if it := recommend.Run(in).Items[0]; !slices.Equal(it.Pinned, []string{entra.RoleGlobalAdministrator}) || len(it.Dropped) > 1 {
		w.Errorf("with pins: %+v", it)
	}
}
