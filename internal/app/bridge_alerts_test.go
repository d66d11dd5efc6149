package app_test

import (
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/bridge"
)

// The bridge tells of guessing, of lost and bounced mail, and of devices that end soon;
// and a day later no more.
func TestBridgeAlerts(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	for name, days := range map[string]int{"Soon": 3, "Later": 90} {
		if _, _, err := w.s.Bridge.Create(t.Context(), bridge.Device{Name: name, Mailbox: "a@contoso.example", Protocols: []string{bridge.SMTP},
			Ends: w.s.Now().Add(time.Duration(days) * 24 * time.Hour)}, "local:test"); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []audit.Event{
		{Action: audit.BridgeSlowed, Outcome: audit.Refused, Details: map[string]string{"address": "192.0.2.9"}},
		{Action: audit.BridgeSlowed, Outcome: audit.Refused, Details: map[string]string{"address": "192.0.2.9"}},
		{Action: audit.BridgeLost, Outcome: audit.Failed, Details: map[string]string{"mailbox": "a@contoso.example"}},
		{Action: audit.BridgeBounced, Outcome: audit.Failed, Details: map[string]string{"mailbox": "b@contoso.example"}},
		{Action: audit.BridgeBounced, Outcome: audit.Failed, At: w.s.Now().Add(-25 * time.Hour), Details: map[string]string{"mailbox": "old@contoso.example"}},
	} {
		if e.Actor = "system:bridge"; e.At.IsZero() {
			e.At = w.s.Now()
		}
		if err := w.s.Trail.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.s.Alerts.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := w.s.Alerts.List(t.Context(), alert.Listing{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]alert.Alert{}
	for _, a := range list {
		if a.Kind == alert.Bridge {
			got[a.Key] = a
		}
	}
	for key, who := range map[string]string{"bridge:guessing": "192.0.2.9", "bridge:lost": "a@contoso.example", "bridge:bounced": "b@contoso.example",
		"bridge:ends": "Soon"} {
		if a := got[key]; a.Count != 1 || len(a.Subjects) != 1 || a.Subjects[0] != who {
			t.Errorf("%s: %+v", key, a)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d alerts: %+v", len(got), got)
	}
}
