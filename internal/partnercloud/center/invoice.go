package center

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

// An invoice is of one calendar month and comes on the eighth of the next. It is paid
// thirty days later. There are invoices of the three months before the world was
// made.
const (
	monthsBefore = 3
	invoiceDay   = 8
	paidAfter    = 30 * 24 * time.Hour
)

// issued is an invoice that was sent.
type issued struct {
	id    string
	month time.Time
	date  time.Time
	paid  bool
}

// invoices are those sent by now, oldest first.
func (k *call) invoices() []issued {
	var out []issued
	month := market.After(firstOfMonth(k.s.Created), -monthsBefore)
	for n := k.s.Dice("invoices", 900_000); ; n++ {
		date := market.After(month, 1).AddDate(0, 0, invoiceDay-1)
		if date.After(k.now) {
			return out
		}
		out = append(out, issued{fmt.Sprintf("G%09d", n+10_000), month, date, k.now.Sub(date) >= paidAfter})
		month = market.After(month, 1)
	}
}

func (k *call) invoiceIn() (issued, *fault) {
	id := strings.ToLower(k.params["invoice"])
	id = strings.TrimPrefix(strings.TrimPrefix(id, "onetime-"), "recurring-")
	for _, v := range k.invoices() {
		if strings.EqualFold(v.id, id) {
			return v, nil
		}
	}
	return issued{}, deny(entra.CenterNotFound)
}

type invoice struct {
	ID         string           `json:"id"`
	Date       string           `json:"invoiceDate"`
	Start      string           `json:"billingPeriodStartDate"`
	End        string           `json:"billingPeriodEndDate"`
	Total      float64          `json:"totalCharges"`
	Paid       float64          `json:"paidAmount"`
	Currency   string           `json:"currencyCode"`
	Symbol     string           `json:"currencySymbol"`
	PDF        string           `json:"pdfDownloadLink,omitempty"`
	Receipts   []receipt        `json:"taxReceipts,omitempty"`
	Details    []invoiceDetail  `json:"invoiceDetails"`
	Amendments []any            `json:"amendments"`
	Document   string           `json:"documentType"`
	Type       string           `json:"invoiceType"`
	Status     string           `json:"status"`
	Links      map[string]*link `json:"links"`
	Attributes attributes       `json:"attributes"`
}

type receipt struct {
	ID  string `json:"id"`
	PDF string `json:"taxReceiptPdfDownloadLink"`
}

type invoiceDetail struct {
	Type       string           `json:"invoiceLineItemType"`
	Provider   string           `json:"billingProvider"`
	Links      map[string]*link `json:"links"`
	Attributes attributes       `json:"attributes"`
}

func (k *call) invoiceView(v issued, alone bool) invoice {
	money, _ := market.FindCurrency(k.billingCurrency())
	self := "/invoices/OneTime-" + v.id
	total := k.month(v.month).total.Float()
	out := invoice{ID: v.id, Date: stamp(v.date), Start: stamp(v.month), End: stamp(market.After(v.month, 1).Add(-time.Second)), Total: total,
		Currency: money.Code, Symbol: money.Symbol, Details: []invoiceDetail{}, Amendments: []any{}, Document: "invoice", Type: "OneTime", Status: "active",
		Links: map[string]*link{"self": get(self)}, Attributes: object("Invoice")}
	for _, kind := range [][2]string{{"billing_line_items", "BillingLineItems"}, {"usage_line_items", "UsageLineItems"}} {
		out.Details = append(out.Details, invoiceDetail{kind[0], "one_time", map[string]*link{"self": get(self + "/lineitems/OneTime/" + kind[1])},
			object("InvoiceDetail")})
	}
	if v.paid {
		out.Paid = total
		id := k.receiptOf(v)
		out.Receipts = []receipt{{id, "/invoices/" + v.id + "/receipts/" + id + "/documents/statement"}}
	}
	if alone {
		out.PDF = "/invoices/" + v.id + "/documents/statement"
	}
	return out
}

// receiptOf is the id of the receipt of an invoice that was paid.
func (k *call) receiptOf(v issued) string {
	return strconv.Itoa(100_000 + k.s.Dice("receipt/"+v.id, 900_000))
}

func listInvoices(k *call) (reply, *fault) {
	out, f := pageOf(k, k.invoices(), func(v issued) invoice { return k.invoiceView(v, false) }, 200, 500)
	return ok(out), f
}

func getInvoice(k *call, v issued) (reply, *fault) { return ok(k.invoiceView(v, true)), nil }

// balance is what is open, as the summary says it.
func (k *call) balance() map[string]any {
	money, _ := market.FindCurrency(k.billingCurrency())
	var open, last market.Cents
	dates := map[string]string{"firstInvoiceCreationDate": "0001-01-01T00:00:00", "lastPaymentDate": "0001-01-01T00:00:00",
		"latestInvoiceDate": "0001-01-01T00:00:00"}
	for i, v := range k.invoices() {
		if i == 0 {
			dates["firstInvoiceCreationDate"] = stamp(v.date)
		}
		dates["latestInvoiceDate"] = stamp(v.date)
		if total := k.month(v.month).total; v.paid {
			last, dates["lastPaymentDate"] = total, stamp(v.date.Add(paidAfter))
		} else {
			open += total
		}
	}
	out := map[string]any{"balanceAmount": open.Float(), "currencyCode": money.Code, "currencySymbol": money.Symbol, "accountingDate": refreshed(k.now),
		"lastPaymentAmount": last.Float(), "attributes": object("InvoiceSummary")}
	for name, v := range dates {
		out[name] = v
	}
	return out
}

func invoiceSummary(k *call) (reply, *fault) {
	out := k.balance()
	out["details"] = []any{map[string]any{"invoiceType": "OneTime", "summary": k.balance()}}
	out["links"] = selfLink("/invoices/summary")
	return ok(out), nil
}

func invoiceSummaries(k *call) (reply, *fault) {
	one, _ := invoiceSummary(k)
	return ok(linked(k, []any{one.body})), nil
}

// estimateLinks leads to what was not billed yet.
func estimateLinks(k *call) (reply, *fault) {
	if f := k.asksCurrency(true); f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, kind := range [][4]string{{"daily_rated_usage", "Daily rated usage unbilled",
		"This invoice line items includes unbilled consumption based data only.",
		"UsageLineItems"}, {"non_consumption", "Unbilled reconciliation line items", "This includes reconciliation line items for unbilled data only.",
		"BillingLineItems"}} {
		for _, period := range []string{"Current", "Previous"} {
			rows = append(rows, map[string]any{"type": kind[0], "title": kind[1], "description": kind[2], "period": period,
				"link": get("/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=" + kind[3] + "&currencycode=" + k.billingCurrency() +
					"&period=" + strings.ToLower(period) + "&size=2000")})
		}
	}
	return ok(linked(k, rows)), nil
}

// asksCurrency reads currencyCode: all is billed in one.
func (k *call) asksCurrency(needed bool) *fault {
	switch v := k.query("currencyCode"); {
	case v == "" && needed:
		return deny(entra.CenterInvalidInput, "currencyCode is missing.")
	case v != "" && !strings.EqualFold(v, k.billingCurrency()):
		return deny(entra.CenterInvalidInput, "the partner is billed in "+k.billingCurrency()+".")
	}
	return nil
}
