package center

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// hostile are bodies that nobody should send.
var hostile = []string{"", "null", "[]", "{", `"x"`, "0", `{"a":{"b":{"c":[[[[]]]]}}}`, `{"lineItems":null}`, `{"lineItems":[null]}`, `{"lineItems":{}}`,
	`{"lineItems":[{"quantity":-9223372036854775808,"catalogItemId":"::"}]}`, `{"lineItems":[{"offerId":"` + basicOffer + `","quantity":2147483648}]}`,
	`{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1,"addonItems":[{"catalogItemId":"` + archiveOffer +
		`","quantity":1,"addonItems":[{"catalogItemId":"` + archiveOffer + `","quantity":1}]}]}]}`,
	`{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1,"customTermEndDate":"9999-12-31","renewsTo":[{}]}]}`,
	`{"devices":[null],"batchId":"b"}`, `[null]`, `[{}]`, `{"devices":[{"policies":[{}]}]}`, `{"quantity":1e308}`, "\xff\xfe",
	`{"id":"` + strings.Repeat("x", 5000) + `"}`,
	`{"state":"active","passwordProfile":{}}`, `{"licensesToAssign":[{}],"licensesToRemove":[""]}`, `{"inventoryContext":null,"targetItems":[{}]}`,
	`{"dateAgreed":"0000-00-00","primaryContact":{}}`, `{"defaultAddress":null,"address":null,"attributes":null}`, `{"scheduledNextTermInstructions":[]}`,
	`{"organization":{"id":null},"newNote":{}}`, `{"status":"cancelled","lineItems":[{"lineItemNumber":-1}]}`}

// writes are the operations that read a body, with ids that exist.
var writes = sync.OnceValue(func() [][2]string {
	var out [][2]string
	fill := strings.NewReplacer("{customer}", dapID, "{subscription}", soldID, "{user}", custUser(dapID), "{order}", "aabbccddeeff", "{request}", "en-US",
		"{entitlement}", entID, "{batch}", "b", "{policy}", dapID, "{cart}", dapID, "{role}", dapID, "{application}", appID)
	for _, r := range makeRoutes() {
		if r.method != http.MethodGet && r.missing == "" && !strings.HasPrefix(r.pattern, "/webhooks") {
			out = append(out, [2]string{r.method, fill.Replace(r.pattern)})
		}
	}
	return out
})

// orderly says that an answer to anything is an answer in the API's shape.
func orderly(t *testing.T, l *lab, method, path, body string) {
	t.Helper()
	a := l.as("admin", method, path, body)
	if a.Code >= 500 {
		t.Errorf("%s %s %.200q: %d %s", method, path, body, a.Code, a.Body)
	}
	if b := a.Body.Bytes(); len(b) > 0 && !json.Valid(b) {
		t.Errorf("%s %s %.200q: no JSON: %.200s", method, path, body, b)
	}
}

func busy(s *world.State) { agreed(s); sell(s); metered(s) }

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	l := newLab(t, busy)
	for _, w := range writes() {
		for _, body := range hostile {
			orderly(t, l, w[0], w[1], body)
		}
	}
	for _, q := range []string{"/v1/invoices?size=99999999999999999999", "/v1/invoices?offset=-1", "/v1/invoices/%00", "/v1/invoices/x/lineitems/%2e%2e/x",
		"/v1/products/" + strings.Repeat("x", 1500) + "?country=US", "/v1/offers/%ff?country=US", "/v1/domains/..", "/v1/customers/" + dapID + "/orders/%20",
		"/v1/customers/" + dapID + "/orders/aabbccddeeff/lineitems/999999999999999999999/activationlinks", "/v1/countryvalidationrules/%F0%9F%98%80",
		"/v1/customers/" + dapID + "/subscriptions/" + planID + "/utilizations/azure?start_time=9999-12-31&end_time=9999-12-31T23:59:59Z",
		"/v1/customers/" + dapID + "/users?filter=" + strings.Repeat("%7B", 600)} {
		orderly(t, l, "GET", q, "")
	}
}

func FuzzBody(f *testing.F) {
	for i, body := range hostile {
		f.Add(i, body)
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		if len(body) > 1<<16 {
			return // the limit of a body has a test of its own
		}
		l := newLab(t, busy)
		w := writes()[uint(n)%uint(len(writes()))]
		orderly(t, l, w[0], w[1], body)
	})
}
