package partner_test

import (
	"encoding/json"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

func decode[T any](t *testing.T, s string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNoncomplaint(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]bool{
		"compliant": {true, true}, "Compliant": {true, true}, "noncomplaint": {false, true}, "nonCompliant": {false, true},
		"NonComplaint": {false, true}, "": {false, false}, "unknownFutureValue": {false, false},
	} {
		r := decode[partner.ScoreRequirement](t, `{"complianceStatus":"`+s+`","score":20.5,"maxScore":20}`)
		if ok, known := r.Compliant(); ok != want[0] || known != want[1] {
			t.Errorf("%q: compliant %v known %v", s, ok, known)
		}
	}
}

func TestFraudEventTraps(t *testing.T) {
	t.Parallel()
	f := decode[partner.FraudEvent](t, `{"eventId":"s_e","eventTime":"2021-12-08T00:25:45.69","eventStatus":"Resolved","IsTest":"true",
		"activityLogs":"[{\"statusFrom\":\"Active\",\"statusTo\":\"Investigating\",\"updatedBy\":\"a\",\"dateTime\":\"2021-12-08T01:25:45.69\"},{\"statusFrom\":\"Investigating\",\"statusTo\":\"Resolved\",\"dateTime\":\"2021-12-09T00:00:00\"}]",
		"resolvedOn":"9999-12-31T23:59:59.9970000","hitCount":"10"}`)
	al := f.Alert(evidence.Source{Path: "x"})
	if !al.Test || al.Status != "resolved" || !al.Answered.Set || al.Answered.Sub(al.Detected.Time) != time.Hour {
		t.Errorf("alert = %+v", al)
	}
	open := decode[partner.FraudEvent](t, `{"eventId":"s","eventStatus":"Active","eventTime":"2021-12-08T00:25:45.69","resolvedOn":"9999-12-31T23:59:59.9970000"}`).Alert(evidence.Source{})
	if open.Answered.Set {
		t.Error("an open event has an answer")
	}
	graph := decode[partner.SecurityAlert](t, `{"id":"a","status":"investigating","isTest":false,"detectedDateTime":"2026-01-01T00:00:00Z","activityLogs":[{"statusFrom":"active","statusTo":"investigating","updatedDateTime":"2026-01-01T02:00:00Z"}]}`).Alert(evidence.Source{})
	if graph.Test || !graph.Answered.Set || graph.Answered.Hour() != 2 {
		t.Errorf("alert = %+v", graph)
	}
}

func TestRelationshipActive(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string]bool{
		`{"status":"active","endDateTime":"2027-01-01T00:00:00Z"}`:   true,
		`{"status":"active","endDateTime":"2026-11-21T00:00:00Z"}`:   false,
		`{"status":"expiring","endDateTime":"2026-12-01T00:00:00Z"}`: true,
		`{"status":"terminated"}`:                                    false,
		`{"status":"approvalPending"}`:                               false,
		`{"status":"somethingNew"}`:                                  true,
	} {
		r := decode[partner.Relationship](t, s)
		if got := r.Active(now); got != want {
			t.Errorf("%s: active %v", s, got)
		}
	}
}

func TestPrincipalClockHasTwoNames(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`{"lastNonMfaCompliantRequestDateTime":"2020-04-21T22:09:53.051"}`,
		`{"LastNonMfaCompliantLoginDateTime":"2020-04-21T22:09:53.051"}`} {
		p := decode[partner.NonCompliantPrincipal](t, s)
		if at := p.Last(); !at.Set || at.Hour() != 22 {
			t.Errorf("%s: %+v", s, at)
		}
	}
}
