package assess_test

import (
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// TestDelegation: what the customers' logs say decides what the partner's lists leave open, and
// makes nothing that they say better.
func TestDelegation(t *testing.T) {
	t.Parallel()
	const (
		dap  = `{"id":"C1","companyProfile":{"companyName":"Fabrikam"},"allowDelegatedAccess":true}`
		dap2 = `{"id":"c2","companyProfile":{"companyName":"Wingtip"},"allowDelegatedAccess":true}`
		none = `{"id":"c1","companyProfile":{"companyName":"Fabrikam"},"allowDelegatedAccess":false}`
		rel  = `{"id":"g","displayName":"Desk","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`
		wide = `{"id":"g","displayName":"Desk","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}]}}`
	)
	rests, used := assess.Rest{Known: true, Rests: true}, assess.Rest{Known: true}
	open := assess.Rest{Settle: "GET /auditLogs/signIns"}
	one := []assess.Evidence{{Subject: "the group Tier 1 at Fabrikam", Detail: "Nobody used"}}
	for _, x := range []struct {
		name, rule string
		kind       evidence.Kind
		records    []string
		in         *assess.Delegation
		want       assess.Verdict
		says       string
	}{
		{"nobody looked", "inactive-dap", evidence.Customer, []string{dap}, nil, assess.Unknown, "in no API"},
		{"it rests", "inactive-dap", evidence.Customer, []string{dap}, &assess.Delegation{Rests: map[string]assess.Rest{"c1": rests}}, assess.NotMet, "nobody used"},
		{"it is used", "inactive-dap", evidence.Customer, []string{dap}, &assess.Delegation{Rests: map[string]assess.Rest{"c1": used}}, assess.Met, "was seen"},
		{"the logs have holes", "inactive-dap", evidence.Customer, []string{dap}, &assess.Delegation{Rests: map[string]assess.Rest{"c1": open}}, assess.Unknown, "in no API"},
		{
			"one is used, of one it is not known", "inactive-dap", evidence.Customer, []string{dap, dap2},
			&assess.Delegation{Rests: map[string]assess.Rest{"c1": used}}, assess.Unknown, "1 customer grants",
		},
		{
			"one rests, of one it is not known", "inactive-dap", evidence.Customer, []string{dap, dap2},
			&assess.Delegation{Rests: map[string]assess.Rest{"c2": rests}}, assess.NotMet, "1 customer grants",
		},
		{"no DAP", "inactive-dap", evidence.Customer, []string{none}, &assess.Delegation{}, assess.Met, "no customer grants DAP"},
		{"no DAP", "no-dap", evidence.Customer, []string{none}, &assess.Delegation{}, assess.Met, "none of 1 customer"},
		{"one is not listed", "no-dap", evidence.Customer, []string{none}, &assess.Delegation{Unlisted: one}, assess.Unknown, "not in Partner Center's list"},
		{"one is not listed, one has DAP", "no-dap", evidence.Customer, []string{dap}, &assess.Delegation{Unlisted: one}, assess.NotMet, "still grants DAP"},
		{"least", "gdap-least-privilege", evidence.Relationship, []string{rel}, &assess.Delegation{Items: 1}, assess.Met, "road to Global Administrator"},
		{"unused", "gdap-least-privilege", evidence.Relationship, []string{rel}, &assess.Delegation{Items: 1, Unused: one}, assess.NotMet, "nobody used"},
		{"wide", "gdap-least-privilege", evidence.Relationship, []string{wide}, &assess.Delegation{Items: 1, Unused: one}, assess.NotMet, "road to Global"},
	} {
		q := find(t, newTenant(t).add(x.kind, x.records...).report(assess.Options{Delegation: x.in}), x.rule)
		if q.Verdict != x.want || !strings.Contains(q.Reason, x.says) || q.Verdict != assess.Met && q.Action == "" {
			t.Errorf("%s: %s is %s: %s (%s)", x.name, x.rule, q.Verdict, q.Reason, q.Action)
		}
	}
}
