package center

import (
	"math"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// metered gives the Azure subscription of the customer by DAP a use of 2.00 a day.
func metered(s *world.State) {
	s.Metered = func(_, id string) *world.AzureSubscription {
		if id != azureID {
			return nil
		}
		var out []world.AzureUsage
		for d := 14; d >= 0; d-- {
			out = append(out, world.AzureUsage{Day: start.Truncate(24*time.Hour).AddDate(0, 0, -d), Category: "Virtual Machines", Quantity: 24, Unit: "1 Hour",
				Cost: 2})
		}
		return &world.AzureSubscription{ID: id, Usage: out}
	}
	s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) {
		c.Subscriptions = append([]world.Subscription(nil), c.Subscriptions...)
		c.Subscriptions[0].Created, c.Subscriptions[1].Created = start.AddDate(-1, 0, 0), start.AddDate(-1, 0, 0)
	})
}

func sum(rows []map[string]any, member string) float64 {
	total := 0.0
	for _, r := range rows {
		total += r[member].(float64)
	}
	return math.Round(total*100) / 100
}

// TestInvoices: what an invoice says in all is what its lines say, and its use by day.
func TestInvoices(t *testing.T) {
	t.Parallel()
	l := newLab(t, metered)
	a := l.as("app", "GET", "/v1/invoices?size=200&offset=0", "")
	if len(a.items()) != 3 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	for i, v := range a.items() {
		id := v["id"].(string)
		one := l.as("agent", "GET", "/v1/invoices/OneTime-"+id, "")
		if one.m["totalCharges"] != v["totalCharges"] || v["totalCharges"].(float64) <= 0 || one.m["currencyCode"] != "EUR" ||
			one.m["invoiceType"] != "OneTime" {
			t.Errorf("%s: %s", id, one.Body)
		}
		lines := l.as("app", "GET", "/v1/invoices/"+id+"/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&size=2000", "").items()
		if got := sum(lines, "totalForCustomer"); got != v["totalCharges"] {
			t.Errorf("%s: the lines say %v, the invoice %v", id, got, v["totalCharges"])
		}
		days := l.as("app", "GET", "/v1/invoices/"+id+"/lineitems/OneTime/UsageLineItems", "").items()
		azure := 0.0
		for _, r := range lines {
			if r["invoiceNumber"] != id {
				t.Errorf("a line of another invoice: %v", r["invoiceNumber"])
			}
			if r["meterDescription"] != "" {
				azure += r["totalForCustomer"].(float64)
			}
		}
		if got := sum(days, "billingPreTaxTotal"); got != math.Round(azure*100)/100 || len(days) < 28 {
			t.Errorf("%s: %d days say %v, the lines %v", id, len(days), got, azure)
		}
		if paid := i < 2; (v["paidAmount"] == v["totalCharges"]) != paid || (v["taxReceipts"] != nil) != paid {
			t.Errorf("%s: paid %v", id, v["paidAmount"])
		}
	}
	s := l.as("agent", "GET", "/v1/invoices/summary", "")
	if s.m["balanceAmount"] != a.items()[2]["totalCharges"] || s.m["lastPaymentAmount"] != a.items()[1]["totalCharges"] {
		t.Errorf("summary: %s", s.Body)
	}
	if got := l.as("agent", "GET", "/v1/invoices/summaries", ""); got.at("items.0.balanceAmount") != s.m["balanceAmount"] {
		t.Errorf("summaries: %s", got.Body)
	}
	if got := l.as("agent", "GET", "/v1/invoices/estimates/links?currencycode=eur", ""); len(got.items()) != 4 {
		t.Errorf("estimates: %s", got.Body)
	}
	doc := l.as("agent", "GET", a.items()[0]["taxReceipts"].([]any)[0].(map[string]any)["taxReceiptPdfDownloadLink"].(string), "")
	if doc.Code != 404 { // links leave the version out
		t.Errorf("without a version: %d", doc.Code)
	}
	for _, path := range []string{"/v1/invoices/" + a.items()[0]["id"].(string) + "/documents/statement",
		"/v1" + a.items()[0]["taxReceipts"].([]any)[0].(map[string]any)["taxReceiptPdfDownloadLink"].(string)} {
		doc := l.as("agent", "GET", path, "")
		if b := doc.Body.String(); doc.Code != 200 || doc.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(b, "%PDF-1.4") ||
			!strings.Contains(b, market.Invented) || !strings.HasSuffix(b, "%%EOF\n") {
			t.Errorf("%s: %d %v", path, doc.Code, doc.Header())
		}
	}
	for path, code := range map[string]string{"/v1/invoices/none": "1000",
		"/v1/invoices/" + a.items()[2]["id"].(string) + "/receipts/1/documents/statement":                                        "1000",
		"/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=USD&period=current":  "400056",
		"/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=EUR&period=sometime": "900126",
		"/v1/invoices/unbilled/lineitems?provider=x&invoicelineitemtype=billinglineitems&currencycode=EUR&period=current":        "900126",
		"/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=x&currencycode=EUR&period=current":                 "900126"} {
		if got := l.as("agent", "GET", path, ""); got.code() != code {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	if got := l.as("sales", "GET", "/v1/invoices", ""); got.code() != "900308" {
		t.Errorf("a sales agent: %d", got.Code)
	}
}

// TestLinesInPages: all pages together are all lines, each once.
func TestLinesInPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, metered)
	id := l.as("app", "GET", "/v1/invoices", "").items()[0]["id"].(string)
	path := "/v1/invoices/" + id + "/lineitems?provider=onetime&invoiceLineItemType=UsageLineItems"
	all := l.as("app", "GET", path, "")
	n, token, days := len(all.items()), "", map[string]bool{}
	for range 100 {
		a := l.as("app", "GET", path+"&size=7", "")
		if token != "" {
			a = l.as("app", "GET", path+"&size=7&seekOperation=Next", "", "MS-ContinuationToken", token)
		}
		for _, r := range a.items() {
			days[r["usageDate"].(string)] = true
		}
		if token, _ = a.at("links.next.headers.0.value").(string); token == "" {
			break
		}
	}
	if len(days) != n || n < 28 {
		t.Errorf("%d of %d days", len(days), n)
	}
	first := l.as("app", "GET", path+"&size=7", "")
	next := first.at("links.next.headers.0.value").(string)
	other := "/v1/invoices/" + id + "/lineitems/OneTime/BillingLineItems?seekOperation=Next"
	if got := l.as("app", "GET", other, "", "MS-ContinuationToken", next); got.Code != 400 {
		t.Errorf("a token of another question: %d", got.Code)
	}
	if got := l.as("app", "GET", path+"&size=5&offset=28", ""); len(got.items()) != n-28 {
		t.Errorf("an offset: %d of %d", len(got.items()), n)
	}
}

// TestOrderIsBilled: what is bought is among the unbilled lines at once, and on the
// next invoice with the same money.
func TestOrderIsBilled(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) { metered(s); agreed(s) })
	a := l.as("agent", "POST", "/v1/customers/"+gdapID+"/orders", `{"billingCycle":"monthly","lineItems":[{"offerId":"`+basicOffer+
		`","quantity":10,"termDuration":"P1Y"}]}`)
	order, sub := a.m["id"].(string), a.at("lineItems.0.subscriptionId").(string)
	const unbilled = "/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=EUR&period="
	find := func(path string) (out []map[string]any) {
		for _, r := range l.as("app", "GET", path, "").items() {
			if r["subscriptionId"] == sub {
				out = append(out, r)
			}
		}
		return out
	}
	l.jump(time.Hour)
	rows := find(unbilled + "current")
	if len(rows) != 1 || rows[0]["totalForCustomer"] != 45.0 || rows[0]["orderId"] != order || rows[0]["chargeType"] != "new" || rows[0]["unitPrice"] != 4.5 {
		t.Fatalf("unbilled: %v", rows)
	}
	l.jump(48 * time.Hour)
	l.edit("agent", "PATCH", "/v1/customers/"+gdapID+"/subscriptions/"+sub, map[string]any{"status": "deleted"})
	l.jump(time.Hour)
	if rows = find(unbilled + "current"); len(rows) != 2 || rows[1]["chargeType"] != "cancelImmediate" || rows[1]["totalForCustomer"] != -42.0 {
		t.Fatalf("cancelled: %v", rows)
	}
	l.jump(10 * 24 * time.Hour) // into December, before the invoice
	if got := find(unbilled + "previous"); len(got) != 2 {
		t.Errorf("previous: %v", got)
	}
	if got := find(unbilled + "current"); len(got) != 0 {
		t.Errorf("a cancelled subscription goes on costing: %v", got)
	}
	l.jump(7 * 24 * time.Hour)
	list := l.as("app", "GET", "/v1/invoices", "").items()
	if len(list) != 4 {
		t.Fatalf("%d invoices", len(list))
	}
	if got := find("/v1/invoices/" + list[3]["id"].(string) + "/lineitems/OneTime/BillingLineItems"); sum(got, "totalForCustomer") != 3 {
		t.Errorf("on the invoice: %v", got)
	}
	if got := find(unbilled + "previous"); len(got) != 0 {
		t.Errorf("billed and unbilled: %v", got)
	}
}

// TestSuspensionStopsUsage: an Azure plan that is suspended uses nothing; licences that
// are go on being billed.
func TestSuspensionStopsUsage(t *testing.T) {
	t.Parallel()
	l := newLab(t, metered)
	const days = "/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=usagelineitems&currencycode=EUR&period=current"
	count := func() int { return len(l.as("app", "GET", days, "").items()) }
	l.jump(72 * time.Hour)
	before := count()
	if before != 25 {
		t.Fatalf("%d days of November", before)
	}
	l.edit("agent", "PATCH", "/v1/customers/"+dapID+"/subscriptions/"+planID, map[string]any{"status": "suspended"})
	l.jump(72 * time.Hour)
	if got := count(); got != before {
		t.Errorf("%d days after three suspended ones, %d before", got, before)
	}
	l.edit("agent", "PATCH", "/v1/customers/"+dapID+"/subscriptions/"+planID, map[string]any{"status": "active"})
	l.jump(24 * time.Hour)
	if got := count(); got != before+2 {
		t.Errorf("%d days after it was brought back", got)
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	lines := []string{`a (b) \c`, "Zoë 佐藤"}
	for range 130 {
		lines = append(lines, "x")
	}
	b := string(pdf(lines))
	for _, want := range []string{`(a \(b\) \\c) Tj`, `(Zo\353 ??) Tj`, "/Count 3 ", "startxref\n"} {
		if !strings.Contains(b, want) {
			t.Errorf("no %q", want)
		}
	}
	// Every object stands where the table says.
	table := b[strings.LastIndex(b, "xref\n0 "):]
	for i, row := range strings.Split(table, "\n")[3:] {
		if !strings.HasSuffix(row, " 00000 n ") {
			break
		}
		at := 0
		for _, c := range row[:10] {
			at = at*10 + int(c-'0')
		}
		if !strings.HasPrefix(b[at:], string(rune('0'+i+1))+" 0 obj") && i < 9 {
			t.Errorf("object %d is not at %d", i+1, at)
		}
	}
	if len(pdf(nil)) == 0 {
		t.Error("an empty document")
	}
}
