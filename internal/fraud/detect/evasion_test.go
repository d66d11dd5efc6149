package detect_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud/detect"
)

// Who acts chooses the correlation id of the rows: a failure of the same name, made before,
// hides no success.
func TestFailureHidesNoSuccess(t *testing.T) {
	honest := quiet(60)
	honest.attack()
	want := report(t, honest, detect.Options{})
	w := quiet(60)
	w.attack()
	for _, e := range w.events {
		op := e["operationName"].(map[string]any)["value"].(string)
		if e["status"].(map[string]any)["value"] != "Succeeded" || !strings.HasSuffix(op, "s/write") {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, e["eventTimestamp"].(string))
		if err != nil {
			t.Fatal(err)
		}
		fake := maps.Clone(e)
		fake["status"] = map[string]any{"value": "Failed"}
		fake["eventTimestamp"] = at.Add(-time.Minute).Format(time.RFC3339Nano)
		w.events = append(w.events, fake)
	}
	got := report(t, w, detect.Options{})
	if len(want.Findings) != 1 || len(got.Findings) != 1 {
		t.Fatalf("%d findings, with failures beside %d", len(want.Findings), len(got.Findings))
	}
	if d := got.Findings[0].Detected.Sub(want.Findings[0].Detected); d < -2*time.Minute || d > 2*time.Minute {
		t.Errorf("detected %s apart", d)
	}
}

// A deployment may name its customer by name or domain; one that names a stranger covers
// nothing, and says so.
func TestDeploymentOfACustomerByName(t *testing.T) {
	w := quiet(60)
	w.attack()
	at := func(customer string) *detect.Report {
		return report(t, w, detect.Options{Windows: []detect.Window{{Customer: customer, From: start, To: start.AddDate(0, 0, 60), Line: 3}}})
	}
	if r := at("FABRIKAM"); len(r.Findings) != 0 || r.Suppressed != 1 || len(r.Lost) != 0 {
		t.Errorf("by name: %d findings, %d suppressed, %v", len(r.Findings), r.Suppressed, r.Lost)
	}
	if r := at("adatum"); len(r.Findings) != 1 || len(r.Lost) != 1 {
		t.Errorf("a stranger: %d findings, %v", len(r.Findings), r.Lost)
	}
}
