package center

import (
	"math"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// TestUsageAgrees: a plan's use is the same by day, by meter, by resource and in all,
// and what the invoice will say of it.
func TestUsageAgrees(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		metered(s)
		s.Tenant(dapID).Azure.Change(azureID, func(a *world.AzureSubscription) {
			a.Resources = []world.AzureResource{{Group: "rg", Type: "Microsoft.Compute/virtualMachines", Name: "vm-01"},
				{Group: "rg", Type: "Microsoft.Compute/virtualMachines", Name: "vm-02", Size: "Standard_NC24ads_A100_v4"},
				{Group: "rg", Type: "Microsoft.Compute/disks", Name: "vm-01_OsDisk"}}
		})
	})
	plan := "/v1/customers/" + dapID + "/subscriptions/" + planID
	want := 44.0 // 22 days of November at 2.00
	for path, members := range map[string]string{"/meterusagerecords": "totalCost", "/resourceusagerecords": "totalCost", "/usagerecords/daily": "totalCost",
		"/usagerecords/resources": "totalCost"} {
		a := l.as("agent", "GET", plan+path, "")
		if got := sum(a.items(), members); a.Code != 200 || got != want {
			t.Errorf("%s: %d %v %s", path, a.Code, got, a.Body)
		}
	}
	if a := l.as("agent", "GET", plan+"/resourceusagerecords", ""); len(a.items()) != 3 ||
		a.items()[1]["totalCost"].(float64) < a.items()[0]["totalCost"].(float64) {
		t.Errorf("by resource: %s", a.Body)
	}
	for path, member := range map[string]string{plan + "/usagesummary": "totalCost", "/v1/customers/" + dapID + "/usagesummary": "totalCost",
		"/v1/customers/" + dapID + "/subscriptions/usagerecords": "items.0.totalCost", "/v1/customers/usagerecords": "items.0.totalCost"} {
		if a := l.as("agent", "GET", path, ""); a.at(member) != want {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
	if a := l.as("agent", "GET", "/v1/usagesummary", ""); a.m["totalCost"] != 39.6 || a.m["customersWithUsageBasedSubscription"] != 1.0 {
		t.Errorf("the partner's, in EUR: %s", a.Body)
	}
	costs := "/v1/customers/" + dapID + "/servicecosts/current"
	azure := 0.0
	for _, r := range l.as("agent", "GET", costs+"/lineitems", "").items() {
		if r["productName"] == "Microsoft Azure plan" {
			azure += r["pretaxTotal"].(float64)
		}
	}
	if azure != 39.6 {
		t.Errorf("service costs: %v", azure)
	}
	if a, b := l.as("agent", "GET", costs, ""), l.as("agent", "GET", costs+"/lineitems", ""); a.m["pretaxTotal"] != sum(b.items(), "pretaxTotal") {
		t.Errorf("%s\n%s", a.Body, b.Body)
	}
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/servicecosts/never", ""); a.code() != "900126" {
		t.Errorf("%s", a.Body)
	}
}

func TestUtilizations(t *testing.T) {
	t.Parallel()
	l := newLab(t, metered)
	path := "/v1/customers/" + dapID + "/subscriptions/" + planID + "/utilizations/azure?start_time=2026-11-10T00:00:00Z&end_time=2026-11-13T00:00:00%2B00:00"
	for q, want := range map[string]int{"": 3, "&granularity=daily": 3, "&granularity=hourly": 72, "&granularity=Hourly&size=50": 50} {
		a := l.as("app", "GET", path+q, "")
		if len(a.items()) != want {
			t.Errorf("%s: %d %.200s", q, a.Code, a.Body)
		}
		if want == 72 && math.Abs(sum(a.items(), "quantity")-72) > .01 {
			t.Errorf("hours: %v", sum(a.items(), "quantity"))
		}
		if want == 50 {
			token := a.at("links.next.headers.0.value").(string)
			if b := l.as("app", "GET", path+q+"&seekOperation=Next", "", "MS-ContinuationToken", token); len(b.items()) != 22 || b.at("links.next") != nil {
				t.Errorf("the rest: %d", len(b.items()))
			}
		}
	}
	if a := l.as("app", "GET", path+"&show_details=False", ""); a.items()[0]["instanceData"] != nil {
		t.Errorf("details: %s", a.Body)
	}
	base := "/v1/customers/" + dapID + "/subscriptions/" + planID + "/utilizations/azure"
	for q, code := range map[string]string{"": "800002", "?start_time=2026-11-10T00:00:00Z&end_time=2026-11-09T00:00:00Z": "800002",
		"?start_time=2020-11-10T00:00:00Z&end_time=2026-11-09T00:00:00Z": "800002", "?start_time=x&end_time=2026-11-09T00:00:00Z": "800002",
		"?start_time=2026-11-10T00:00:00Z&end_time=2026-11-12T00:00:00Z&granularity=yearly": "900126"} {
		if a := l.as("app", "GET", base+q, ""); a.code() != code {
			t.Errorf("%s: %d %s", q, a.Code, a.Body)
		}
	}
}

func TestRateCards(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, card := range []string{"azure", "azure-shared"} {
		eur, sek := l.as("app", "GET", "/v1/ratecards/"+card, ""), l.as("app", "GET", "/v1/ratecards/"+card+"?currency=SEK&region=SE", "")
		if eur.m["currency"] != "EUR" || sek.at("meters.0.rates.0") != .416 {
			t.Errorf("%s: %s", card, sek.Body)
		}
	}
	for _, q := range []string{"?currency=XXX", "?region=ZZ"} {
		if a := l.as("app", "GET", "/v1/ratecards/azure"+q, ""); a.code() != "400056" {
			t.Errorf("%s: %s", q, a.Body)
		}
	}
}

// TestUsageMoves: the use of the month moves with the clock.
func TestUsageMoves(t *testing.T) {
	t.Parallel()
	l := newLab(t, metered)
	cost := func() float64 {
		return l.as("app", "GET", "/v1/customers/"+dapID+"/usagesummary", "").m["totalCost"].(float64)
	}
	before := cost()
	l.jump(48 * time.Hour)
	if got := cost(); got <= before || got > before+6 {
		t.Errorf("%v, two days later %v", before, got)
	}
	l.jump(8 * 24 * time.Hour)
	if got := cost(); got >= before {
		t.Errorf("a new month begins with %v", got)
	}
}
