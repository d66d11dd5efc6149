package assess

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// Delegation is what is known of delegated rights beside the partner's own lists. How it is
// found is not decided here.
type Delegation struct {
	Unlisted []Evidence      // customers with an active relationship that Partner Center's list does not have: nothing says DAP of them
	Rests    map[string]Rest // whether DAP rests, by the customer's tenant, lower case
	Unused   []Evidence      // access assignments with roles that nobody used, by evidence
	Items    int             // access assignments that were looked at
}

// Rest says whether nobody of the partner was seen at a customer for 90 days.
type Rest struct {
	Known, Rests bool
	Settle       string // the request that settles it; "" it is known
}

func (a *assessor) noDAP() ruling {
	var with []Evidence
	known := 0
	for _, c := range sorted(a.Customers) {
		if !c.AllowDelegatedAccess.Set {
			continue
		}
		known++
		if c.AllowDelegatedAccess.Value {
			with = append(with, Evidence{Subject: c.Name(), Detail: "allowDelegatedAccess is true: delegated admin privileges are in place", RecordID: c.ID,
				Source: c.Source})
		}
	}
	var unlisted []Evidence
	if a.o.Delegation != nil {
		unlisted = a.o.Delegation.Unlisted
	}
	switch {
	case len(with) > 0:
		return ruling{verdict: NotMet, affected: len(with), total: len(a.Customers), evidence: with,
			reason: fmt.Sprintf("%s DAP", count(len(with), "customer still grants", "customers still grant")),
			action: "set up GDAP, then remove DAP with AllowDelegatedAccess=false; never with relationshipToPartner=none, which suspends the customer's " +
				"subscriptions"}
	case known > 0 && known == len(a.Customers) && len(unlisted) > 0:
		return ruling{verdict: Unknown, total: known + len(unlisted), evidence: unlisted,
			reason: fmt.Sprintf("%s an active relationship and not in Partner Center's list of customers, so nothing says whether DAP is in place",
				count(len(unlisted), "customer has", "customers have")),
			action: "export GET /v1/customers, every page, and each customer by id (GET /v1/customers/{id})"}
	case known > 0 && known == len(a.Customers):
		return ruling{verdict: Met, total: known, relies: []evidence.Kind{evidence.Customer},
			reason: fmt.Sprintf("none of %s grants DAP", count(known, "customer", "customers"))}
	case len(a.Customers) > 0:
		return ruling{verdict: Unknown, total: len(a.Customers), reason: "for some customers the export does not say whether DAP is in place",
			action: "export each customer by id (GET /v1/customers/{id}); the list does not carry allowDelegatedAccess"}
	}
	return ruling{verdict: Unknown, reason: "no customers are in the export", action: "export GET /v1/customers/{id} for each customer"}
}

func (a *assessor) inactiveDAP() ruling {
	dap := a.noDAP()
	switch dap.verdict {
	case Met:
		return ruling{verdict: Met, total: dap.total, relies: dap.relies, reason: "no customer grants DAP, so none can be inactive"}
	case NotMet:
		return a.resting(dap)
	}
	return dap
}

// resting judges whether DAP that is in place is used, by the logs of the customers where they were read.
func (a *assessor) resting(dap ruling) ruling {
	var idle, open []Evidence
	settle := ""
	for _, e := range dap.evidence {
		rest := Rest{}
		if d := a.o.Delegation; d != nil {
			rest = d.Rests[a.tenantOf(e.RecordID)]
		}
		switch {
		case rest.Known && rest.Rests:
			e.Detail = "delegated admin privileges are in place, and nobody of the partner was seen there for 90 days"
			idle = append(idle, e)
		case !rest.Known:
			open = append(open, e)
			settle = nonEmpty(settle, rest.Settle)
		}
	}
	switch {
	case len(idle) > 0:
		return ruling{verdict: NotMet, affected: len(idle), total: dap.affected, evidence: idle, relies: []evidence.Kind{evidence.Customer},
			reason: fmt.Sprintf("%s DAP that nobody used for 90 days", count(len(idle), "customer grants", "customers grant")),
			action: "remove DAP with AllowDelegatedAccess=false; never with relationshipToPartner=none, which suspends the customer's subscriptions"}
	case len(open) == 0:
		return ruling{verdict: Met, total: dap.affected, relies: []evidence.Kind{evidence.Customer},
			reason: fmt.Sprintf("somebody of the partner was seen within 90 days at all of %s with DAP", count(dap.affected, "customer", "customers"))}
	}
	return ruling{verdict: Unknown, total: dap.affected, evidence: open,
		reason: fmt.Sprintf("%s DAP, and when it was last used is in no API", count(len(open), "customer grants", "customers grant")),
		action: "look at Administrative relationships in Partner Center, and remove DAP where GDAP has replaced it" +
			map[bool]string{true: "; the customers' logs of 90 days settle it: " + settle}[settle != ""]}
}

// tenantOf is the tenant of a customer's record, in lower case.
func (a *assessor) tenantOf(record string) string {
	for _, c := range a.Customers {
		if c.ID == record {
			return strings.ToLower(nonEmpty(c.CompanyProfile.TenantID, c.ID))
		}
	}
	return strings.ToLower(record)
}

// roadsToGlobal are the roles that are Global Administrator or lead there.
var roadsToGlobal = map[string]string{
	entra.RoleGlobalAdministrator:                   "Global Administrator",
	entra.RolePrivilegedRoleAdministrator:           "Privileged Role Administrator",
	entra.RolePrivilegedAuthenticationAdministrator: "Privileged Authentication Administrator",
}

func (a *assessor) gdapLeastPrivilege() ruling {
	var broad, lost []Evidence
	active := 0
	for _, r := range sorted(a.Relationships) {
		if !r.Active(a.ages.At(evidence.Relationship, a.o.AsOf)) { // what ends later may have been extended
			continue
		}
		active++
		var names []string
		for _, id := range r.AccessDetails.Roles() {
			if n := roadsToGlobal[id]; n != "" {
				names = append(names, n)
			}
		}
		if len(names) == 0 {
			if rolesLost(r) {
				lost = append(lost, Evidence{Subject: r.CustomerName() + " (" + r.DisplayName + ")", Detail: "its roles were lost by the export",
					RecordID: r.ID, Observed: ref(r.Activated.Time), Source: r.Source})
			}
			continue
		}
		slices.Sort(names)
		detail := "carries " + strings.Join(slices.Compact(names), ", ")
		if slices.Contains(names, "Global Administrator") {
			detail += " and can therefore never extend itself"
		}
		if strings.HasPrefix(r.DisplayName, "MLT_") {
			detail += "; made by Microsoft's transition"
		}
		broad = append(broad, Evidence{Subject: r.CustomerName() + " (" + r.DisplayName + ")", Detail: detail, RecordID: r.ID,
			Observed: ref(r.Activated.Time), Source: r.Source})
	}
	switch {
	case len(broad) > 0:
		return ruling{verdict: NotMet, affected: len(broad), total: active, evidence: broad,
			reason: fmt.Sprintf("%s a road to Global Administrator", count(len(broad), "active relationship carries", "active relationships carry")),
			action: "replace each with a relationship of only the roles the work needs"}
	case len(lost) > 0:
		return ruling{verdict: Unknown, total: active, evidence: lost, action: evidence.RequestFor(evidence.Relationship),
			reason: fmt.Sprintf("the roles of %s were lost by the export, which holds type names or nothing where roles should be",
				count(len(lost), "active relationship", "active relationships"))}
	case active > 0 && a.o.Delegation != nil && len(a.o.Delegation.Unused) > 0:
		d := a.o.Delegation
		return ruling{verdict: NotMet, affected: len(d.Unused), total: d.Items, evidence: d.Unused, relies: []evidence.Kind{evidence.Relationship},
			reason: fmt.Sprintf("%s roles that nobody used for 90 days, by the customers' logs",
				count(len(d.Unused), "access assignment gives", "access assignments give")),
			action: "plan the smaller sets: partnerguard delegation recommend"}
	case active > 0:
		return ruling{verdict: Met, total: active, relies: []evidence.Kind{evidence.Relationship},
			reason: fmt.Sprintf("none of %s carries a road to Global Administrator; whether each role is needed is not judged",
				count(active, "active relationship", "active relationships"))}
	case a.Whole(evidence.Relationship):
		return ruling{verdict: NotApplicable, relies: []evidence.Kind{evidence.Relationship}, reason: "no delegated admin relationship is active"}
	}
	return ruling{verdict: Unknown, total: active, reason: "the delegated admin relationships are not in the export, or not all of them",
		action: "export " + evidence.RequestFor(evidence.Relationship)}
}

// rolesLost reports a relationship of which no role can be read, or not every
// one: no relationship is without roles.
func rolesLost(r *partner.Relationship) bool {
	roles := r.AccessDetails.Roles()
	return len(roles) == 0 || slices.Contains(roles, "") || r.AccessDetails.UnifiedRoles.Dropped > 0
}
