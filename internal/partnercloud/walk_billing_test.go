package partnercloud

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// exported fetches the unbilled usage as the partner billing API gives it.
func (l *lab) exported(token, period string) (lines []map[string]any) {
	l.Helper()
	a := l.call(http.MethodPost, l.i.Graph+"/v1.0/reports/partners/billing/usage/unbilled/export", token,
		`{"currencyCode":"EUR","billingPeriod":"`+period+`","attributeSet":"full"}`)
	where := a.header.Get("Location")
	if a.status != http.StatusAccepted || where == "" {
		l.Fatalf("export: %d %s", a.status, a.raw)
	}
	if a := l.get(where, token); a.text("status") != "running" {
		l.Fatalf("at once: %s", a.raw)
	}
	l.jump(time.Minute)
	a = l.get(where, token)
	if a.text("status") != "succeeded" {
		l.Fatalf("operation: %s", a.raw)
	}
	m := l.get(a.text("resourceLocation@odata.navigationLink"), token)
	if m.text("dataFormat") != "compressedJSONLines" {
		l.Fatalf("manifest: %s", m.raw)
	}
	for _, b := range m.m["blobs"].([]any) {
		at := m.text("rootDirectory") + "/" + b.(map[string]any)["name"].(string)
		if a := l.get(at+"?"+strings.Replace(m.text("sasToken"), "sig=", "sig=x", 1), ""); a.status != http.StatusForbidden {
			l.Errorf("a forged signature opens it: %d", a.status)
		}
		res, err := l.c.Get(at + "?" + m.text("sasToken"))
		if err != nil {
			l.Fatal(err)
		}
		zip, err := gzip.NewReader(res.Body)
		if err != nil {
			l.Fatal(err)
		}
		for s := bufio.NewScanner(zip); s.Scan(); {
			var row map[string]any
			if err := json.Unmarshal(s.Bytes(), &row); err != nil {
				l.Fatal(err)
			}
			lines = append(lines, row)
		}
		res.Body.Close()
	}
	return lines
}

// What an attack uses is rated a day later: the export shows it by machine, size and
// region, and never before.
func TestWalkBillingExport(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")
	const scope = "PartnerBilling.Read.All"
	now := l.s.World.Clock.Now()
	l.jump(time.Date(now.Year(), now.Month()+1, 10, 8, 0, 0, 0, time.UTC).Sub(now)) // no end of a month comes between
	token := func() string { return l.asAdmin(partner, admin, graphScope(scope)) }
	st := l.begin(world.StoryMine, tailspin)
	l.jump(3 * time.Hour)
	count := func(lines []map[string]any) (machines int, cost float64) {
		for _, r := range lines {
			if r["EntitlementId"] == st.Subscription && strings.Contains(r["MeterName"].(string), "T4") {
				machines++
				cost += r["PricingPreTaxTotal"].(float64)
			}
		}
		return machines, cost
	}
	lines := l.exported(token(), "current")
	if n, _ := count(lines); n != 0 {
		t.Errorf("%d lines of what ran three hours", n)
	}
	l.jump(26 * time.Hour)
	lines = l.exported(token(), "current")
	n, cost := count(lines)
	if n < 30 || cost < 100 {
		t.Fatalf("%d lines, %v, of %d", n, cost, len(lines))
	}
	for _, r := range lines {
		if r["EntitlementId"] == st.Subscription && r["MeterName"] == "NC64as T4 v3" {
			if r["CustomerId"] != tailspin || r["MeterSubCategory"] != "NCas T4 v3 Series" || r["ConsumedService"] != "Microsoft.Compute" ||
				!strings.Contains(r["AdditionalInfo"].(string), "Standard_NC64as_T4_v3") || r["MeterRegion"] == "" {
				t.Errorf("%v", r)
			}
			break
		}
	}
	if a := l.call(http.MethodPost, l.i.Graph+"/v1.0/reports/partners/billing/usage/unbilled/export", token(),
		`{"currencyCode":"EUR","billingPeriod":"someday"}`); a.status != http.StatusBadRequest {
		t.Errorf("another period: %d", a.status)
	}
	if a := l.call(http.MethodPost, l.i.Graph+"/v1.0/reports/partners/billing/usage/unbilled/export",
		l.asAdmin(partner, admin, graphScope("User.Read.All")), `{"currencyCode":"EUR","billingPeriod":"current"}`); a.status != http.StatusForbidden {
		t.Errorf("without the permission: %d", a.status)
	}
}
