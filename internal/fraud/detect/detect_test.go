package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"partnerguard/internal/fraud/detect"
)

const (
	tenant = "11111111-0000-4000-8000-000000000001"
	subA   = "aaaaaaaa-0000-4000-8000-000000000001"
	subB   = "bbbbbbbb-0000-4000-8000-000000000002"
)

var start = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// world makes records of a small customer: 60 quiet days, a stolen administrator on day 50.
type world struct {
	usage  []map[string]any
	events []map[string]any
}

// noise is a number from 0 to below n that a seed gives.
func noise(seed, n uint64) uint64 { return bits.RotateLeft64((seed+1)*0x9e3779b97f4a7c15, 29) % n }

func (w *world) line(sub string, day int, meter, category, region, size string, quantity, price float64) {
	w.usage = append(w.usage, map[string]any{"CustomerId": strings.ToUpper(tenant), "EntitlementId": sub, "SubscriptionId": sub, "UsageDate": start.AddDate(0, 0, day).Format("2006-01-02"),
		"MeterId": meter, "MeterCategory": category, "MeterName": size, "ResourceLocation": region, "Quantity": quantity, "BillingPreTaxTotal": quantity * price,
		"BillingCurrency": "USD", "ResourceURI": fmt.Sprint("/x/", meter, region), "ChargeType": "New", "AdditionalInfo": fmt.Sprintf(`{"ServiceType":%q}`, size)})
}

func (w *world) act(sub string, at time.Time, op, resource, caller, ip, corr, status string, body map[string]any) {
	props := map[string]any{"statusCode": "Created"}
	if body != nil {
		raw, _ := json.Marshal(body)
		props["requestbody"] = string(raw)
	}
	w.events = append(w.events, map[string]any{"eventTimestamp": at.Format(time.RFC3339Nano), "operationName": map[string]any{"value": op},
		"status": map[string]any{"value": status}, "subscriptionId": sub, "tenantId": tenant, "caller": caller, "correlationId": corr,
		"resourceId": "/subscriptions/" + sub + "/resourceGroups/rg/providers/" + resource, "httpRequest": map[string]any{"clientIpAddress": ip}, "properties": props})
}

// quiet are days of two subscriptions at work.
func quiet(days int) *world {
	w := new(world)
	for d := range days {
		for i, sub := range []string{subA, subB} {
			w.line(sub, d, "m-d4", "Virtual Machines", "westeurope", "Standard_D4s_v5", 96+float64(noise(uint64(d*2+i), 12)), 0.2)
			w.line(sub, d, "m-disk", "Storage", "westeurope", "", 50, 0.1)
		}
		for k := range 3 {
			at := start.AddDate(0, 0, d).Add(time.Duration(8+3*k)*time.Hour + time.Minute)
			w.act(subA, at, "Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachines/web1", "ada@fabrikam.example", "81.2.3.4",
				fmt.Sprint("q", d, "-", k), "Succeeded", map[string]any{"location": "westeurope", "properties": map[string]any{"hardwareProfile": map[string]any{"vmSize": "Standard_D4s_v5"}}})
		}
	}
	return w
}

var stolen = start.AddDate(0, 0, 50).Add(2*time.Hour + 100*time.Millisecond)

// attack has a new Owner make machines with GPUs in five regions, which cost from the next day on.
func (w *world) attack() {
	w.act(subA, stolen, "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/r1", "ada@fabrikam.example", "203.0.113.9", "g1", "Succeeded",
		map[string]any{"properties": map[string]any{"roleDefinitionId": "/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "principalId": "eve@fabrikam.example"}})
	for i, region := range []string{"japaneast", "brazilsouth", "koreacentral", "uksouth", "canadacentral"} {
		for k := range 6 {
			at := stolen.Add(30*time.Minute + time.Duration(i*6+k)*time.Minute)
			for _, status := range []string{"Started", "Accepted", "Succeeded"} { // rows of one act
				w.act(subA, at, "Microsoft.Compute/virtualMachines/write", fmt.Sprint("Microsoft.Compute/virtualMachines/x", i, "-", k), "eve@fabrikam.example",
					"203.0.113.9", fmt.Sprint("x", i, k), status, map[string]any{"location": region, "properties": map[string]any{"hardwareProfile": map[string]any{"vmSize": "Standard_NC64as_T4_v3"}}})
				at = at.Add(time.Second)
			}
		}
		for d := 50; d < 56; d++ {
			w.line(subA, d, "m-nc64", "Virtual Machines", region, "Standard_NC64as_T4_v3", 6*20, 4.4)
		}
	}
}

// files are the world as it is read; order turns the rows around.
func (w *world) files(turned bool) fstest.MapFS {
	lines := func(rows []map[string]any) []byte {
		rows = slices.Clone(rows)
		if turned {
			slices.Reverse(rows)
		}
		var b []byte
		for _, r := range rows {
			raw, _ := json.Marshal(r)
			b = append(append(b, raw...), '\n')
		}
		return b
	}
	return fstest.MapFS{"usage/a.jsonl": {Data: lines(w.usage)}, "activity/a.jsonl": {Data: lines(w.events)},
		"customers.json": {Data: []byte(`[{"id":"` + tenant + `","name":"Fabrikam","subscriptions":["` + subA + `",{"id":"` + strings.ToUpper(subB) + `"}]}]`)}}
}

func read(t testing.TB, fsys fstest.MapFS, o detect.Options) *detect.Reader {
	t.Helper()
	r := &detect.Reader{D: detect.New(o)}
	if err := r.FS(context.Background(), fsys); err != nil {
		t.Fatal(err)
	}
	return r
}

func report(t testing.TB, w *world, o detect.Options) *detect.Report {
	t.Helper()
	return detect.NewReport(read(t, w.files(false), o), time.Time{})
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	r := report(t, quiet(60), detect.Options{})
	if len(r.Findings) != 0 || r.Customers != 1 || r.Subscriptions != 2 || r.Days != 120 || r.Read.Usage != 240 || r.Read.Events != 180 {
		t.Errorf("%d findings, %d customers, %d subscriptions, %d days, %d lines, %d events", len(r.Findings), r.Customers, r.Subscriptions, r.Days,
			r.Read.Usage, r.Read.Events)
	}
	if len(r.Blind) != 1 || r.Blind[0].Subscription != subB || !r.Blind[0].Activity {
		t.Errorf("blind: %+v", r.Blind)
	}
}

// One cause is one finding, within the hour, with what a person can understand.
func TestStolenAdministrator(t *testing.T) {
	t.Parallel()
	w := quiet(56)
	w.attack()
	r := report(t, w, detect.Options{})
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings: %+v", len(r.Findings), r.Findings)
	}
	f := r.Findings[0]
	if f.Customer != tenant || f.Subscription != subA || f.Kind != detect.KindGPU || f.Severity == "" || f.Score < detect.DefaultScore || f.Blind {
		t.Errorf("%+v", f)
	}
	if f.Detected.Before(stolen) || f.Detected.After(stolen.Add(time.Hour)) || f.First.After(f.Detected) || f.First.Before(stolen.Truncate(time.Hour)) {
		t.Errorf("first %s, detected %s, stolen %s", f.First, f.Detected, stolen)
	}
	said := strings.Join(f.Reasons, "\n")
	for _, want := range []string{"eve@fabrikam.example was first seen", "got the right to give rights", "GPUs, of which there were none here", "japaneast"} {
		if !strings.Contains(said, want) {
			t.Errorf("no reason says %q:\n%s", want, said)
		}
	}
	if f.Cost < 3000 || f.CustomerName != "Fabrikam" || !slices.Contains(f.Callers, "eve@fabrikam.example") {
		t.Errorf("cost %v, name %q, callers %v", f.Cost, f.CustomerName, f.Callers)
	}
}

// What is known at the moment of detection is enough: without what came after it is the same.
func TestCausal(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){
		"activity": func(*world) {},
		"use alone": func(w *world) {
			w.events = slices.DeleteFunc(w.events, func(e map[string]any) bool { return e["subscriptionId"] == subA })
		},
	} {
		w := quiet(56)
		w.attack()
		change(w)
		whole := report(t, w, detect.Options{})
		if len(whole.Findings) != 1 {
			t.Fatalf("%s: %d findings", name, len(whole.Findings))
		}
		f := whole.Findings[0]
		cut := new(world)
		for _, e := range w.events {
			if at, _ := time.Parse(time.RFC3339Nano, e["eventTimestamp"].(string)); !at.After(f.Detected) {
				cut.events = append(cut.events, e)
			}
		}
		for _, u := range w.usage {
			if day, _ := time.Parse(time.DateOnly, u["UsageDate"].(string)); !day.AddDate(0, 0, 1).After(f.Detected) {
				cut.usage = append(cut.usage, u)
			}
		}
		for what, r := range map[string]*detect.Report{"cut": report(t, cut, detect.Options{}),
			"as of": detect.NewReport(read(t, w.files(false), detect.Options{}), f.Detected)} {
			if len(r.Findings) != 1 || !r.Findings[0].Detected.Equal(f.Detected) || r.Findings[0].Score != f.Score || !slices.Equal(r.Findings[0].Reasons, f.Reasons) {
				t.Errorf("%s, %s: %+v\nwhole: %+v", name, what, r.Findings, f)
			}
		}
		if r := detect.NewReport(read(t, w.files(false), detect.Options{}), f.Detected.Add(-time.Second)); len(r.Findings) != 0 {
			t.Errorf("%s: found a second before it was: %+v", name, r.Findings)
		}
	}
}

// The order of the rows, and rows that come again, change nothing.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := quiet(56)
	w.attack()
	want, _ := json.Marshal(report(t, w, detect.Options{}).Findings)
	turned, _ := json.Marshal(detect.NewReport(read(t, w.files(true), detect.Options{}), time.Time{}).Findings)
	if string(want) != string(turned) {
		t.Errorf("turned:\n%s\n%s", turned, want)
	}
	twice := w.files(false)
	twice["usage/b.jsonl"], twice["activity/b.jsonl"] = twice["usage/a.jsonl"], twice["activity/a.jsonl"]
	r := read(t, twice, detect.Options{})
	again, _ := json.Marshal(detect.NewReport(r, time.Time{}).Findings)
	if string(want) != string(again) || r.Read.Same != int64(len(w.usage)) {
		t.Errorf("twice, %d of %d the same:\n%s\n%s", r.Read.Same, len(w.usage), again, want)
	}
}

// A part that was kept goes on as one that was not, hour by hour.
func TestContinued(t *testing.T) {
	t.Parallel()
	w := quiet(56)
	w.attack()
	want := report(t, w, detect.Options{}).Findings[0]
	p := detect.NewPart(tenant)
	var found *detect.Finding
	events, lines := w.events, w.usage
	slices.SortStableFunc(events, func(a, b map[string]any) int {
		return strings.Compare(a["eventTimestamp"].(string), b["eventTimestamp"].(string))
	})
	for at := start; at.Before(start.AddDate(0, 0, 56)); at = at.Add(12 * time.Hour) {
		raw, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		p = new(detect.Part)
		if err := p.UnmarshalBinary(raw); err != nil {
			t.Fatal(err)
		}
		until := at.Add(12 * time.Hour)
		for len(events) > 0 && events[0]["eventTimestamp"].(string) < until.Format(time.RFC3339) {
			raw, _ := json.Marshal(events[0])
			e, err := detect.ParseEvent(raw)
			if err != nil {
				t.Fatal(err)
			}
			p.Activity(&e)
			events = events[1:]
		}
		for _, l := range lines {
			if day, _ := time.Parse(time.DateOnly, l["UsageDate"].(string)); day.AddDate(0, 0, 1).Equal(until) {
				raw, _ := json.Marshal(l)
				u, err := detect.ParseUsage(raw)
				if err != nil {
					t.Fatal(err)
				}
				p.Usage(&u)
			}
		}
		if r := detect.Judge(p, detect.Options{}, at, until); len(r.Findings) > 0 && found == nil {
			found = &r.Findings[0]
		}
	}
	if found == nil || !found.Detected.Equal(want.Detected) || found.Score != want.Score {
		t.Errorf("found %+v\nwant %+v", found, want)
	}
}

func TestPartsThatAreNone(t *testing.T) {
	t.Parallel()
	w := quiet(3)
	w.attack()
	raw, err := read(t, w.files(false), detect.Options{}).D.Parts()[0].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) {
		if n > 400 && n%97 != 0 {
			continue
		}
		if err := new(detect.Part).UnmarshalBinary(raw[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a part", n, len(raw))
		}
	}
	if err := new(detect.Part).UnmarshalBinary(append(slices.Clone(raw), 0)); err == nil {
		t.Error("a byte too many is taken")
	}
}

// What was declared is not held against anybody, and nothing else is covered by it.
func TestDeclared(t *testing.T) {
	t.Parallel()
	w := quiet(56)
	w.attack()
	for name, c := range map[string]struct {
		yaml       string
		findings   int
		suppressed int
	}{
		"all of it":        {"- {customer: " + tenant + ", from: 2026-10-20, to: 2026-10-28}", 0, 1},
		"by subscription":  {"deployments:\n  - subscription: " + strings.ToUpper(subA) + "\n    start: 2026-10-20\n    end: 2026-10-28\n    ticket: CHG-1", 0, 1},
		"another one":      {"- {subscription: " + subB + ", from: 2026-10-20, to: 2026-10-28}", 1, 0},
		"another time":     {"- {subscription: " + subA + ", from: 2026-10-01, to: 2026-10-08}", 1, 0},
		"another region":   {"- {subscription: " + subA + ", from: 2026-10-20, to: 2026-10-28, region: westeurope}", 1, 0},
		"another size":     {"- {subscription: " + subA + ", from: 2026-10-20, to: 2026-10-28, skus: [D4s_v5]}", 1, 0},
		"one region of it": {"- {subscription: " + subA + ", from: 2026-10-20, to: 2026-10-28, regions: [Japan East]}", 1, 0},
		"another caller":   {"- {subscription: " + subA + ", from: 2026-10-20, to: 2026-10-28, caller: ada@fabrikam.example}", 1, 0},
	} {
		windows, err := detect.ReadDeployments("d.yaml", []byte(c.yaml))
		if err != nil {
			t.Fatal(name, err)
		}
		r := report(t, w, detect.Options{Windows: windows})
		if len(r.Findings) != c.findings || r.Suppressed != c.suppressed {
			t.Errorf("%s: %d findings, %d suppressed: %+v", name, len(r.Findings), r.Suppressed, r.Findings)
		}
	}
}
