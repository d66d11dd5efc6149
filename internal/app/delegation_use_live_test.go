package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
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
		return record{"id": id, "activityDateTime": now.Add(-ago).Format(time.RFC3339), "category": "UserManagement", "activityDisplayName": act, "result": "success",
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
		if err := out.Add(archive.Page{Tenant: customer, Resource: resource, Run: run.ID, Request: "GET /v1.0/" + context, Status: 200, From: run.From, To: run.To,
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
}
