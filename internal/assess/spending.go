package assess

import (
	"cmp"
	"fmt"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// spendingBudget goes by Partner Center's list of customers' Azure usage, which has each with
// its budget, and beside it by what Microsoft's score counts. The score expects a budget for
// all customers by its documentation, the list has those with Azure: where the two differ
// both are shown. Without the list the score alone decides.
func (a *assessor) spendingBudget() ruling {
	score := a.Requirements[strings.ToLower("spendingBudgetSetForCustomerAzureSubscriptions")]
	var bare, blind []Evidence
	for _, u := range sorted(a.Usage) {
		e := Evidence{Subject: nonEmpty(string(u.Name), u.Tenant()), RecordID: u.Tenant(), Observed: ref(u.Modified.Time), Source: u.Source}
		switch yes, known := u.Budgeted(); {
		case !known:
			e.Detail = "whether it has a spending budget is not in the record"
			blind = append(blind, e)
		case !yes:
			e.Detail = "it has no spending budget, and cost " + amountText(u) + " this month"
			bare = append(bare, e)
		}
	}
	for _, id := range sortedKeys(a.Bought) {
		s := a.Bought[id]
		if t := s.Customer(); t != "" && s.Azure() && a.Usage[t] == nil && len(a.Usage) > 0 {
			blind = append(blind, Evidence{Subject: t, RecordID: t, Source: s.Source, Detail: "it has bought Azure, and is not in the list of usage"})
		}
	}
	n := len(a.Usage)
	listed := a.extent(evidence.CustomerUsage) != evidence.Absent
	list := []evidence.Kind{evidence.CustomerUsage}
	const act = "set a spending budget for every customer with Azure: partnerguard budgets plan"
	switch {
	case len(bare) > 0:
		return a.besideScore(ruling{verdict: NotMet, affected: len(bare), total: n, evidence: bare, action: act,
			reason: fmt.Sprintf("%s of %d with Azure have no spending budget", count(len(bare), "customer", "customers"), n)}, score)
	case len(blind) > 0:
		return ruling{verdict: Unknown, total: n, evidence: blind, action: evidence.RequestFor(evidence.CustomerUsage),
			reason: fmt.Sprintf("of %s it is not known whether there is a spending budget", count(len(blind), "customer with Azure", "customers with Azure"))}
	case n > 0:
		return a.besideScore(ruling{verdict: Met, total: n, relies: list,
			reason: fmt.Sprintf("every customer with Azure has a spending budget (%d of %d)", n, n)}, score)
	case score != nil || !listed:
		return a.scoreOnly("spendingBudgetSetForCustomerAzureSubscriptions", "spending budgets", act)
	}
	return ruling{verdict: NotApplicable, relies: list, reason: "no customer has Azure that is paid by use"}
}

// amountText is what a customer's Azure cost, in words.
func amountText(u *partner.Usage) string {
	if !u.Total.Said || u.Total.None {
		return "what is not known"
	}
	return strings.TrimSpace(fmt.Sprintf("%.2f %s", u.Total.Value, cmp.Or(string(u.Currency), "")))
}
