//go:build !judge

package eyes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud/detect"
)

const (
	tenant = "99999999-aaaa-4bbb-8ccc-000000000001"
	sub    = "11111111-aaaa-4bbb-8ccc-000000000002"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// act is a row of the Activity Log, as Azure gives it.
func act(at time.Time, caller, ip, kind, name, body string) []byte {
	id := fmt.Sprintf("/subscriptions/%s/resourceGroups/rg/providers/%s/%s", sub, kind, name)
	row, err := json.Marshal(map[string]any{"eventTimestamp": at.Format(time.RFC3339), "operationName": map[string]string{"value": kind + "/write"},
		"status": map[string]string{"value": "Started"}, "caller": caller, "resourceId": id, "subscriptionId": sub, "correlationId": name,
		"httpRequest": map[string]string{"clientIpAddress": ip}, "properties": map[string]string{"requestbody": body}})
	if err != nil {
		panic(err)
	}
	return row
}

// use is a row of usage details of a day.
func use(day time.Time, size string, hours, cost float64) []byte {
	row, err := json.Marshal(map[string]any{"id": fmt.Sprint("/usageDetails/", size, day.Unix()), "kind": "modern", "properties": map[string]any{
		"date": day.Format("2006-01-02T15:04:05.0000000Z"), "subscriptionGuid": sub, "meterId": size, "meterCategory": "Virtual Machines", "meterName": size,
		"resourceLocation": "westeurope", "consumedService": "Microsoft.Compute", "quantity": hours, "costInBillingCurrency": cost,
		"billingCurrencyCode": "EUR", "additionalInfo": `{"ServiceType":"` + size + `"}`}})
	if err != nil {
		panic(err)
	}
	return row
}

// quietMonth is a month in which nothing happens, up to a day.
func quietMonth(f *Fold, days int) {
	for day := range days {
		at := start.AddDate(0, 0, day)
		_ = f.Take(evidence.AzureActivity, act(at.Add(9*time.Hour), "anna@c.example", "84.1.2.3", "Microsoft.Resources/tags", fmt.Sprint("t", day), "{}"))
		_ = f.Take(evidence.AzureUsage, use(at, "Standard_D2s_v5", 48, 5))
	}
}

// burst is what a thief makes in an hour.
func burst(f *Fold, at time.Time) {
	for i := range 30 {
		body := fmt.Sprintf(`{"location":"%s","properties":{"hardwareProfile":{"vmSize":"Standard_NC64as_T4_v3"}}}`, []string{"japaneast", "brazilsouth", "westus3"}[i%3])
		_ = f.Take(evidence.AzureActivity, act(at.Add(time.Duration(i)*time.Minute), "thief@c.example", "203.0.113.7", "Microsoft.Compute/virtualMachines",
			fmt.Sprint("gpu", i), body))
	}
}

// TestRounds: what was folded is continued, by rows that come again and by new ones; a finding
// keeps its name and its moment.
func TestRounds(t *testing.T) {
	t.Parallel()
	first := New(tenant, nil)
	quietMonth(first, 30)
	asOf := start.AddDate(0, 0, 30)
	seen := first.Look(detect.Customer{Name: "Fabrikam"}, detect.Options{}, nil, asOf)
	if len(seen.Found) != 0 || seen.Events != 30 || len(seen.Subs) != 1 {
		t.Fatalf("%+v", seen)
	}
	state := kept(t, first)

	attack := asOf.Add(2 * time.Hour)
	second := New(tenant, state)
	quietMonth(second, 30) // the archive gives the month again
	burst(second, attack)
	seen = second.Look(detect.Customer{Name: "Fabrikam"}, detect.Options{}, seen, attack.Add(time.Hour))
	if len(seen.Found) != 1 || seen.Found[0].Subscription != sub || seen.Found[0].Customer != tenant || !seen.Found[0].Open(attack) {
		t.Fatalf("%+v", seen.Found)
	}
	was := seen.Found[0]
	if was.Detected.Before(attack) || was.Detected.After(attack.Add(30*time.Minute)) {
		t.Errorf("detected at %s", was.Detected)
	}

	third := New(tenant, kept(t, second))
	quietMonth(third, 33)
	burst(third, attack)
	burst(third, attack.Add(20*time.Hour))
	again := third.Look(detect.Customer{}, detect.Options{}, seen, attack.Add(26*time.Hour))
	if len(again.Found) != 1 || again.Found[0].Key != was.Key || !again.Found[0].Detected.Equal(was.Detected) {
		t.Errorf("%+v\nwas %+v", again.Found, was)
	}
	planned := detect.Options{Windows: []detect.Window{{Subscriptions: []string{sub}, From: attack.Add(-time.Hour), To: attack.Add(72 * time.Hour)}}}
	if s := New(tenant, kept(t, third)).Look(detect.Customer{}, planned, again, attack.Add(27*time.Hour)); len(s.Found) != 0 || s.Suppressed != 1 {
		t.Errorf("planned: %+v", s)
	}
	if was.Open(attack.Add(20 * 24 * time.Hour)) {
		t.Error("it is open for ever")
	}
}

func kept(t *testing.T, f *Fold) *State {
	t.Helper()
	s, err := f.State()
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

// TestUse: use is folded once, however often it is read, and not before its day is over.
func TestUse(t *testing.T) {
	t.Parallel()
	f := New(tenant, nil)
	asOf := start.AddDate(0, 0, 10).Add(14 * time.Hour)
	quietMonth(f, 11)
	if s := f.Look(detect.Customer{}, detect.Options{}, nil, asOf); s.Lines != 10 {
		t.Errorf("%d lines: the day that is not over counts", s.Lines)
	}
	f = New(tenant, kept(t, f))
	quietMonth(f, 12)
	if s := f.Look(detect.Customer{}, detect.Options{}, nil, asOf.AddDate(0, 0, 1)); s.Lines != 11 {
		t.Errorf("%d lines: what comes again counts again", s.Lines)
	}
}

// TestHostile: what cannot be read is counted, and what was kept by others begins anew.
func TestHostile(t *testing.T) {
	t.Parallel()
	f := New(tenant, &State{Fold: []byte("not a part")})
	for _, raw := range []string{"", "[]", "{", `{"properties":[]}`, `{"properties":{"date":"x"}}`, `{"id":1,"properties":{}}`} {
		if err := f.Take(evidence.AzureUsage, []byte(raw)); err == nil {
			t.Errorf("%q is use", raw)
		}
	}
	if s := f.Look(detect.Customer{}, detect.Options{}, nil, start); s.Unread != 6 || len(s.Found) != 0 {
		t.Errorf("%+v", s)
	}
	other := detect.NewPart("another")
	body, err := other.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if g := New(tenant, &State{Fold: body}); g.part.Tenant != tenant {
		t.Error("another customer's is taken for this one's")
	}
}

func TestToAzure(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{`{"appId":"` + entra.AppAzurePortal + `"}`: true, `{"resourceId":"` + entra.AppARM + `"}`: true,
		`{"riskLevelDuringSignIn":"high"}`: true, `{"appDisplayName":"Outlook","riskLevelDuringSignIn":"none"}`: false} {
		if toAzure([]byte(raw)) != want {
			t.Errorf("%s: %v", raw, !want)
		}
	}
}

// TestWindows: the file is read anew, and a missing one is said.
func TestWindows(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "deployments.yaml")
	c := &Config{Deployments: name}
	if _, err := c.Windows(); err == nil {
		t.Error("a file that is not there is read")
	}
	text := "- subscription: " + sub + "\n  from: 2026-03-02\n  to: 2026-03-04\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err := c.Windows(); err != nil || len(w) != 1 {
		t.Errorf("%v %v", w, err)
	}
	if w, err := (*Config)(nil).Windows(); err != nil || w != nil {
		t.Errorf("%v %v", w, err)
	}
}

func FuzzTake(f *testing.F) {
	f.Add("azureActivity", string(act(start, "a@b", "1.2.3.4", "Microsoft.Compute/virtualMachines", "vm", `{"location":"x"}`)))
	f.Add("azureUsageDetail", string(use(start, "Standard_D2s_v5", 1, 1)))
	f.Fuzz(func(t *testing.T, kind, raw string) {
		x := New(tenant, nil)
		_ = x.Take(evidence.Kind(kind), []byte(raw))
		x.Look(detect.Customer{}, detect.Options{}, nil, start.AddDate(0, 1, 0))
		if _, err := x.State(); err != nil {
			t.Fatal(err)
		}
	})
}
