package partnercloud

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/center"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/story"
	"partnerguard/internal/partnercloud/world"
)

// hooked registers a receiver for events.
func (l *lab) hooked(events string) *hook {
	l.Helper()
	partner := l.i.Tenant.ID
	token := l.good(partner, l.consent(samAgent, "amr_values", "mfa").text("refresh_token"), centerAPI+"/.default")
	h := receive(l.TB.(*testing.T))
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/webhooks/v1/registration", token, `{"WebhookUrl":"`+h.URL+`/in","WebhookEvents":[`+events+
		`]}`); a.status != http.StatusOK {
		l.Fatalf("webhook: %d %s", a.status, a.raw)
	}
	return h
}

// Webhooks that come twice and out of order are those that were sent, each signed.
func TestWalkWebhookTrouble(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	h := l.hooked(`"azure-fraud-event-detected"`)
	if err := l.s.askTrouble(control.Trouble{Twice: true, Shuffle: true}); err != nil {
		t.Fatal(err)
	}
	ids, err := l.s.askAlerts(control.AlertAsk{Do: "raise", Count: 3, Customer: "fabrikam.example", Severity: "high"})
	if err != nil || len(ids.IDs) != 3 {
		t.Fatal(ids, err)
	}
	for range 6 {
		h.next(l, "azure-fraud-event-detected")
	}
	for _, bad := range []control.Trouble{{Late: "5h"}, {Late: "soon"}} {
		if l.s.askTrouble(bad) == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if err := l.s.center.SetTrouble(center.Trouble{}); err != nil {
		t.Fatal(err)
	}
}

// A customer who costs more than the spending budget is told of once a month.
func TestWalkSpendingBudget(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	h := l.hooked(`"usagerecords-thresholdExceeded"`)
	tailspin := l.customer("tailspin.example")
	set := func(amount float64) {
		l.s.World.Read(func(s *world.State) {
			for _, c := range s.PartnerTenant().Customers.List() {
				s.PartnerTenant().Customers.Change(c.TenantID, func(c *world.Customer) {
					if c.Budget = nil; c.TenantID == tailspin {
						c.Budget = &amount
					}
				})
			}
			s.Dirty()
		})
	}
	now := l.s.World.Clock.Now()
	set(1e9)
	l.jump(time.Date(now.Year(), now.Month()+1, 5, 12, 0, 0, 0, time.UTC).Sub(now))
	set(10)
	l.jump(24 * time.Hour)
	l.s.World.Read(func(s *world.State) { s.Dirty() })
	m := h.next(l, "usagerecords-thresholdExceeded")
	if m["ResourceName"] != "usagerecords" || m["AuditUri"] != nil {
		t.Errorf("%v", m)
	}
	l.jump(24 * time.Hour)
	l.s.World.Read(func(s *world.State) { s.Dirty() })
	select {
	case d := <-h.got:
		t.Errorf("told once more: %s", d.body)
	case <-time.After(300 * time.Millisecond):
	}
	token := l.good(l.i.Tenant.ID, l.consent(samAgent, "amr_values", "mfa").text("refresh_token"), centerAPI+"/.default")
	raw, err := json.Marshal(l.get(l.i.PartnerCenter+"/v1/auditrecords?size=200", token).m)
	if err != nil || len(raw) == 0 {
		t.Fatal(err)
	}
	for _, r := range l.get(l.i.PartnerCenter+"/v1/auditrecords?size=200", token).rows() {
		if r["operationType"] == "usagerecords_threshold_exceeded" {
			t.Errorf("an audit record of it: %v", r)
		}
	}
}

// Alerts in every state that a client must be ready for.
func TestWalkAlertStates(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	do := func(a story.AlertAsk) (ids []string, err error) {
		err = l.s.World.Do(func(s *world.State) error { ids, err = story.Alerts(s, a); return err })
		return ids, err
	}
	alert := func(id string) (out world.Alert) {
		l.s.World.Read(func(s *world.State) { out = *s.PartnerTenant().Alerts.Get(id) })
		return out
	}
	ids, err := do(story.AlertAsk{Do: "raise", Customer: "fabrikam.example", Type: "Something_New", Test: true, Late: 26 * time.Hour})
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	a := alert(ids[0])
	if late := l.s.World.Clock.Now().Sub(a.Detected); !a.Test || a.Type != "Something_New" || late < 25*time.Hour || late > 27*time.Hour {
		t.Errorf("%+v", a)
	}
	if _, err := do(story.AlertAsk{Do: "reopen", ID: ids[0]}); err == nil {
		t.Error("an open alert was opened again")
	}
	graph := l.good(l.i.Tenant.ID, l.consent(samAgent, "amr_values", "mfa").text("refresh_token"), graphAPI+"/.default")
	at := l.i.Graph + "/beta/security/partner/securityAlerts/" + ids[0]
	for body, status := range map[string]int{`{"status":"resolved"}`: 400, `{"status":"active","resolvedReason":"fraud"}`: 400,
		`{"status":"resolved","resolvedReason":"mistake"}`: 400, `{"resolvedReason":"fraud"}`: 400} {
		if a := l.call(http.MethodPatch, at, graph, body); a.status != status {
			t.Errorf("%s: %d", body, a.status)
		}
	}
	if a := l.call(http.MethodPatch, at, graph, `{"status":"resolved","resolvedReason":"legitimate"}`); a.status != http.StatusOK {
		t.Fatalf("resolved: %d %s", a.status, a.raw)
	}
	if _, err := do(story.AlertAsk{Do: "reopen", ID: ids[0]}); err != nil {
		t.Fatal(err)
	}
	if _, err := do(story.AlertAsk{Do: "change", ID: ids[0]}); err != nil {
		t.Fatal(err)
	}
	if a := alert(ids[0]); a.Status != "active" || a.Reason != "" || a.Severity != "high" || a.Hits != 2 || len(a.Activity) != 2 {
		t.Errorf("%+v", a)
	}
	storm, err := do(story.AlertAsk{Do: "raise", Count: 1000})
	if err != nil || len(storm) != 1000 {
		t.Fatal(len(storm), err)
	}
	for name, a := range map[string]story.AlertAsk{"nothing": {}, "too many": {Do: "raise", Count: 6_000}, "nobody": {Do: "raise", Customer: "nobody.example"},
		"no severity": {Do: "raise", Severity: "huge"}, "no such alert": {Do: "change", ID: "x"}, "an id of a new one": {Do: "raise", ID: "x"}} {
		if _, err := do(a); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
