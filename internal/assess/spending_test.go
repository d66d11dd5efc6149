package assess_test

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// TestSpendingBudget: the list of usage decides, Microsoft's count stands beside it, and what
// was not read is not known.
func TestSpendingBudget(t *testing.T) {
	t.Parallel()
	const budgeted, bare, silent = `{"resourceId":"0a1b2c3d-0000-4000-8000-000000000001","resourceName":"Fabrikam","budget":{"amount":500},"totalCost":10,"currencyCode":"EUR"}`,
		`{"resourceId":"0a1b2c3d-0000-4000-8000-000000000002","resourceName":"Tailspin","budget":{"amount":null},"totalCost":1200.5,"currencyCode":"EUR"}`,
		`{"resourceId":"0a1b2c3d-0000-4000-8000-000000000003","resourceName":"Adatum","budget":{},"totalCost":7,"currencyCode":"EUR"}`
	const no = `{"id":"x","requirementType":"spendingBudgetSetForCustomerAzureSubscriptions","complianceStatus":"noncomplaint",` +
		`"updatedDateTime":"2026-11-19T00:00:00Z","customersWithSpendBudgetCount":1,"totalCustomersCount":5}`
	const bought = `{"id":"s","offerId":"DZH318Z0BPS6:0001","status":"active","billingType":"usage",` +
		`"links":{"self":{"uri":"/customers/0a1b2c3d-0000-4000-8000-000000000009/subscriptions/s"}}}`
	for name, c := range map[string]struct {
		usage    []string
		more     evidence.Kind
		record   string
		verdict  assess.Verdict
		says     string
		disagree string
	}{
		"all have one":                 {[]string{budgeted}, "", "", assess.Met, "(1 of 1)", ""},
		"one has none":                 {[]string{budgeted, bare}, "", "", assess.NotMet, "1 customer of 2 with Azure have no", "Microsoft's score says"},
		"a budget of nothing":          {[]string{strings.Replace(bare, "null", "0", 1)}, "", "", assess.NotMet, "1 customer of 1", "Microsoft's score says"},
		"one does not say":             {[]string{budgeted, silent}, "", "", assess.Unknown, "it is not known", ""},
		"no number":                    {[]string{strings.Replace(bare, "null", `"viel"`, 1)}, "", "", assess.Unknown, "it is not known", ""},
		"one that bought is not there": {[]string{budgeted}, evidence.CustomerSubscription, bought, assess.Unknown, "it is not known", ""},
		"a record of nobody":           {[]string{budgeted, `{"resourceName":"x","budget":{"amount":5},"totalCost":1}`}, "", "", assess.Unknown, "", ""},
		"Microsoft counts others": {[]string{budgeted}, evidence.SecurityRequirement, no, assess.Unknown,
			"not compliant (1 of 5 customers)", "the export says: every customer"},
		"not read": {nil, "", "", assess.Met, "Microsoft's score", ""},
	} {
		x := metTenant(t)
		if c.usage != nil {
			x.add(evidence.CustomerUsage, c.usage...)
		}
		if c.more != "" {
			x.add(c.more, c.record)
		}
		r := x.report(assess.Options{})
		q := find(t, r, "customer-spending-budget")
		if q.Verdict != c.verdict || !strings.Contains(q.Reason, c.says) || q.Verdict != assess.Met && q.Action == "" {
			t.Errorf("%s: %s: %s (%s)", name, q.Verdict, q.Reason, q.Action)
		}
		if c.disagree != "" && !slices.ContainsFunc(r.Disagreements, func(e assess.Evidence) bool { return strings.Contains(e.Detail, c.disagree) }) {
			t.Errorf("%s: both sides are not shown: %+v", name, r.Disagreements)
		}
	}
}
