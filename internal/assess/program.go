package assess

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

func (a *assessor) noDAP() ruling {
	var with []Evidence
	known := 0
	for _, c := range sorted(a.Customers) {
		if !c.AllowDelegatedAccess.Set {
			continue
		}
		known++
		if c.AllowDelegatedAccess.Value {
			with = append(with, Evidence{Subject: c.Name(), Detail: "allowDelegatedAccess is true: delegated admin privileges are in place", RecordID: c.ID, Source: c.Source})
		}
	}
	switch {
	case len(with) > 0:
		return ruling{verdict: NotMet, affected: len(with), total: len(a.Customers), evidence: with,
			reason: fmt.Sprintf("%s DAP", count(len(with), "customer still grants", "customers still grant")),
			action: "set up GDAP, then remove DAP with AllowDelegatedAccess=false; never with relationshipToPartner=none, which suspends the customer's subscriptions"}
	case known > 0 && known == len(a.Customers) && a.Whole(evidence.Customer):
		return ruling{verdict: Met, total: known, reason: fmt.Sprintf("none of %s grants DAP", count(known, "customer", "customers"))}
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
		return ruling{verdict: Met, total: dap.total, reason: "no customer grants DAP, so none can be inactive"}
	case NotMet:
		return ruling{verdict: Unknown, total: dap.affected, evidence: dap.evidence,
			reason: fmt.Sprintf("%s DAP, and when it was last used is in no API", count(dap.affected, "customer grants", "customers grant")),
			action: "look at Administrative relationships in Partner Center, and remove DAP where GDAP has replaced it"}
	}
	return dap
}

// roadsToGlobal are the roles that are Global Administrator or lead there.
var roadsToGlobal = map[string]string{
	directory.GlobalAdministrator:                   "Global Administrator",
	directory.PrivilegedRoleAdministrator:           "Privileged Role Administrator",
	directory.PrivilegedAuthenticationAdministrator: "Privileged Authentication Administrator",
}

func (a *assessor) gdapLeastPrivilege() ruling {
	var broad []Evidence
	active := 0
	for _, r := range sorted(a.Relationships) {
		if !r.Active(a.o.AsOf) {
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
		broad = append(broad, Evidence{Subject: r.CustomerName() + " (" + r.DisplayName + ")", Detail: detail, RecordID: r.ID, Observed: ref(r.Activated.Time), Source: r.Source})
	}
	switch {
	case len(broad) > 0:
		return ruling{verdict: NotMet, affected: len(broad), total: active, evidence: broad,
			reason: fmt.Sprintf("%s a road to Global Administrator", count(len(broad), "active relationship carries", "active relationships carry")),
			action: "replace each with a relationship of only the roles the work needs"}
	case a.Whole(evidence.Relationship) && active > 0:
		return ruling{verdict: Met, total: active, reason: fmt.Sprintf("none of %s carries a road to Global Administrator; whether each role is needed is not judged", count(active, "active relationship", "active relationships"))}
	case a.Whole(evidence.Relationship):
		return ruling{verdict: NotApplicable, reason: "no delegated admin relationship is active"}
	}
	return ruling{verdict: Unknown, total: active, reason: "the delegated admin relationships are not in the export, or not all of them",
		action: "export /tenantRelationships/delegatedAdminRelationships (DelegatedAdminRelationship.Read.All)"}
}

// answerWithin is how long an alert may wait (contracts.md section 1.5).
const answerWithin = 24 * time.Hour

// alertWindow is the span Microsoft averages over.
const alertWindow = 30 * 24 * time.Hour

// alertFacts weighs the alerts known on AsOf.
func (a *assessor) alertFacts() (overdue []Evidence, inWindow int, total time.Duration, unclear int) {
	for _, al := range sorted(a.Alerts) {
		if al.Test || !al.Detected.Set || al.Detected.After(a.o.AsOf) {
			continue
		}
		answered := al.Answered.Set && !al.Answered.After(a.o.AsOf)
		age := a.o.AsOf.Sub(al.Detected.Time)
		name := al.Name
		if name == "" {
			name = al.Type
		}
		if !answered && (al.Status == "active" || al.Status == "" || al.Answered.Set) && age > answerWithin {
			overdue = append(overdue, Evidence{Subject: name, Detail: fmt.Sprintf("%s, unanswered for %s%s", statusWord(al.Status), hours(age), forCustomer(al.Customer)), RecordID: al.ID, Observed: ref(al.Detected.Time), Source: al.Source})
		}
		if age > alertWindow {
			continue
		}
		inWindow++
		switch {
		case answered:
			total += max(al.Answered.Sub(al.Detected.Time), 0)
		case al.Status == "active" || al.Status == "":
			total += age
		default:
			unclear++ // answered, but when is not shown
		}
	}
	return overdue, inWindow, total, unclear
}

func statusWord(s string) string {
	if s == "" {
		return "status not shown"
	}
	return s
}

func forCustomer(c string) string {
	if c == "" {
		return ""
	}
	return ", customer " + c
}

func hours(d time.Duration) string {
	if h := int(d.Hours()); h < 72 {
		return count(h, "hour", "hours")
	}
	return count(int(d.Hours()/24), "day", "days")
}

func (a *assessor) alertsRead() bool {
	return a.Seen[evidence.SecurityAlert]+a.Seen[evidence.FraudEvent] > 0
}

func (a *assessor) alertsAnswered() ruling {
	overdue, n, total, unclear := a.alertFacts()
	const act = "answer each alert in Partner Center (investigating or resolved) within 24 hours"
	if n > unclear {
		mean := total / time.Duration(n-unclear)
		if mean > answerWithin {
			return ruling{verdict: NotMet, affected: len(overdue), total: n, evidence: overdue, action: act,
				reason: fmt.Sprintf("alerts of the last 30 days waited %s for an answer on average", hours(mean))}
		}
		if unclear == 0 {
			// The measure is the average: one late answer does not break it, but is
			// named, and is what azure-fraud-watch goes by.
			out := ruling{verdict: Met, total: n, evidence: overdue, reason: fmt.Sprintf("%s of the last 30 days, answered after %s on average", count(n, "alert", "alerts"), hours(mean))}
			if len(overdue) > 0 {
				out.reason += fmt.Sprintf("; %s still unanswered after 24 hours", count(len(overdue), "alert is", "alerts are"))
			}
			return out
		}
	}
	if r := a.Requirements["securityalertspromptlyresolved"]; r != nil {
		return a.fromScore(r, "alerts", act)
	}
	switch {
	case len(overdue) > 0:
		return ruling{verdict: NotMet, affected: len(overdue), total: len(a.Alerts), evidence: overdue, action: act,
			reason: fmt.Sprintf("%s unanswered", count(len(overdue), "older alert is still", "older alerts are still"))}
	case unclear > 0:
		return ruling{verdict: Unknown, total: n, reason: "alerts were answered, but the export does not show when", action: "export /security/partner/securityAlerts with activityLogs"}
	case a.alertsRead():
		return ruling{verdict: Met, reason: "alerts were exported and none was raised in the last 30 days"}
	}
	return ruling{verdict: Unknown, reason: "no alerts and no security score are in the export", action: "export /beta/security/partner/securityAlerts (PartnerSecurity.Read.All)"}
}

func (a *assessor) fraudWatch() ruling {
	overdue, n, _, _ := a.alertFacts()
	switch {
	case len(overdue) > 0:
		return ruling{verdict: NotMet, affected: len(overdue), total: len(a.Alerts), evidence: overdue,
			reason: fmt.Sprintf("%s for more than 24 hours", count(len(overdue), "fraud event or alert has been left unanswered", "fraud events or alerts have been left unanswered")),
			action: "investigate at once: stop the resources, cancel the subscription if it is abused, then record the answer; recording alone stops nothing"}
	case a.alertsRead():
		return ruling{verdict: Met, total: n, reason: "fraud events or alerts are read, and none is left unanswered"}
	}
	return ruling{verdict: Unknown, reason: "neither fraud events nor partner security alerts are in the export",
		action: "export GET /v1/fraudEvents or /beta/security/partner/securityAlerts"}
}

// fromScore takes Microsoft's own finding where the rule is Microsoft's item
// and nothing else decides it.
func (a *assessor) fromScore(r *partner.ScoreRequirement, what, action string) ruling {
	ok, known := r.Compliant()
	ev := []Evidence{{Subject: "partner security score", Detail: fmt.Sprintf("%s: complianceStatus %s%s", r.Type, r.ComplianceStatus, scoreDetail(r)), RecordID: r.ID, Observed: ref(r.Updated.Time), Source: r.Source}}
	total, good := scoreCounts(r)
	out := ruling{evidence: ev, total: total, affected: max(total-good, 0)}
	switch {
	case !known:
		out.verdict, out.reason, out.affected = Unknown, fmt.Sprintf("Microsoft's score gives no known status for %s (%q)", what, string(r.ComplianceStatus)), 0
	case strings.EqualFold(string(r.State), "preview"):
		out.verdict, out.reason, out.affected = Unknown, "Microsoft's score shows this item as a preview that is not counted yet", 0
	case ok:
		out.verdict, out.reason, out.affected = Met, "Microsoft's score records it as compliant"+scoreDetail(r), 0
	default:
		out.verdict, out.reason, out.action = NotMet, "Microsoft's score records it as not compliant"+scoreDetail(r), action
		out.affected = max(out.affected, 1)
	}
	return out
}

// scoreCounts gives total and compliant of the derived requirement types.
func scoreCounts(r *partner.ScoreRequirement) (total, good int) {
	switch {
	case r.TotalTenants.Set:
		return int(r.TotalTenants.Value), int(r.CompliantTenants.Value)
	case r.TotalCustomers.Set:
		return int(r.TotalCustomers.Value), int(r.CustomersBudgeted.Value)
	}
	return 0, 0
}

func scoreDetail(r *partner.ScoreRequirement) string {
	switch {
	case r.TotalTenants.Set:
		return fmt.Sprintf(" (%d of %d tenants)", r.CompliantTenants.Value, r.TotalTenants.Value)
	case r.TotalCustomers.Set:
		return fmt.Sprintf(" (%d of %d customers)", r.CustomersBudgeted.Value, r.TotalCustomers.Value)
	case r.AverageResponseHours != nil:
		return fmt.Sprintf(" (%.1f hours on average)", *r.AverageResponseHours)
	case r.TotalAdmins.Set:
		return fmt.Sprintf(" (%d of %d administrators not using MFA)", r.AdminsWithoutMFA.Value, r.TotalAdmins.Value)
	}
	return ""
}

func (a *assessor) scoreOnly(kind, what, action string) ruling {
	if r := a.Requirements[strings.ToLower(kind)]; r != nil {
		return a.fromScore(r, what, action)
	}
	return ruling{verdict: Unknown, reason: "Microsoft's security requirements are not in the export, and nothing else shows it",
		action: "export /beta/security/partner/securityScore/requirements (PartnerSecurity.Read.All)"}
}

func (a *assessor) securityContact() ruling {
	return a.scoreOnly("securityContactProvided", "the security contact", "enter a security contact in Partner Center: Settings, Account settings, Security contact")
}

func (a *assessor) customerAdminMFA() ruling {
	return a.scoreOnly("mfaEnforcedForAdminsOfCustomers", "customers' administrators", "help each customer to turn on security defaults or Conditional Access for its administrators")
}

func (a *assessor) spendingBudget() ruling {
	return a.scoreOnly("spendingBudgetSetForCustomerAzureSubscriptions", "spending budgets", "set a spending budget for every customer with Azure")
}

// scoreView shows Microsoft's view as exported, apart from the contract.
func (a *assessor) scoreView() ScoreView {
	v := ScoreView{Requirements: []ScoreRequirement{}}
	if s := a.Score; s != nil {
		v.Available, v.Current, v.Max, v.Updated = true, s.Current, s.Max, ref(s.Updated.Time)
	}
	for _, r := range sorted(a.Requirements) {
		verdict := Unknown
		if ok, known := r.Compliant(); known && ok {
			verdict = Met
		} else if known {
			verdict = NotMet
		}
		v.Available = true
		v.Requirements = append(v.Requirements, ScoreRequirement{Type: string(r.Type), Verdict: verdict, Score: r.Score, MaxScore: r.MaxScore, State: string(r.State), Detail: strings.Trim(scoreDetail(r), " ()")})
	}
	return v
}

func (a *assessor) premiumP2() ruling {
	if !a.Whole(evidence.SubscribedSku) {
		return ruling{verdict: Unknown, reason: "the tenant's licences are not in the export", action: "export /subscribedSkus (LicenseAssignment.Read.All)"}
	}
	var ev []Evidence
	for _, s := range sorted(a.Directory.SKUs) {
		for _, p := range s.ServicePlans.Items {
			if strings.EqualFold(p.Name, "AAD_PREMIUM_P2") {
				ev = append(ev, Evidence{Subject: s.SKUPartNumber, Detail: fmt.Sprintf("carries AAD_PREMIUM_P2, %d units", s.PrepaidUnits.Enabled.Value), RecordID: s.SKUID, Source: s.Source})
			}
		}
	}
	if !a.Directory.HasServicePlan("AAD_PREMIUM_P2") {
		return ruling{verdict: NotMet, affected: 1, total: 1, evidence: ev, reason: "no licence in force carries Entra ID P2", action: "partners are offered Entra ID P2 for their admin agents; assign it"}
	}
	return ruling{verdict: Unknown, evidence: ev, reason: "the tenant has Entra ID P2, but whether every admin agent is assigned it is not in the export"}
}

func (a *assessor) rolesOnRequest() ruling {
	if a.Seen[evidence.RoleAssignment]+a.Seen[evidence.ScubaPrivilegedRole]+a.Seen[evidence.DirectoryRole] == 0 {
		return ruling{verdict: Unknown, reason: "role assignments are not in the export", action: "export /roleManagement/directory/roleAssignments and roleEligibilitySchedules"}
	}
	classes := map[string]string{}
	for i := range a.accounts {
		classes[strings.ToLower(a.accounts[i].ID)] = a.accounts[i].Class
	}
	holders := map[string]bool{}
	var ev []Evidence
	for _, as := range sorted(a.Directory.Assignments) {
		id := strings.ToLower(as.PrincipalID)
		if as.Eligible || strings.EqualFold(string(as.AssignmentType), "Activated") || as.EndDateTime.Set || classes[id] == string(directory.ClassBreakGlass) {
			continue
		}
		if a.Directory.Groups[id] != nil || a.Directory.ServicePrincipals[id] != nil {
			continue // through a group: counted with its members only when PIM for groups is readable
		}
		if name, ok := a.privileged(id, as.RoleDefinitionID); ok {
			holders[id] = true
			ev = append(ev, Evidence{Subject: a.nameOf(id), Detail: "holds " + name + " permanently", RecordID: as.ID, Source: as.Source})
		}
	}
	if len(holders) > 0 {
		return ruling{verdict: NotMet, affected: len(holders), total: len(a.admins()), evidence: ev,
			reason: fmt.Sprintf("%s a privileged role permanently", count(len(holders), "account other than break-glass holds", "accounts other than break-glass hold")),
			action: "make the assignments eligible in Privileged Identity Management (Entra ID P2)"}
	}
	if a.Seen[evidence.RoleEligibility] > 0 && a.Whole(evidence.RoleAssignment) {
		return ruling{verdict: Met, total: len(a.admins()), reason: "privileged roles are held by eligibility or for a limited time; only break-glass accounts hold one permanently"}
	}
	return ruling{verdict: Unknown, reason: "no permanent privileged role was found, but eligibility is not in the export, or not all assignments are",
		action: "export /roleManagement/directory/roleEligibilitySchedules (Entra ID P2)"}
}

// privileged reports whether the assignment of a definition to a principal is
// of a privileged role, and its name.
func (a *assessor) privileged(principal, definition string) (string, bool) {
	for _, h := range a.roles[principal] {
		if h.Privileged && (strings.EqualFold(h.TemplateID, definition) || a.sameRole(h.TemplateID, definition)) {
			return h.Name, true
		}
	}
	return "", false
}

func (a *assessor) sameRole(template, definition string) bool {
	r := a.Directory.RoleDefinitions[strings.ToLower(definition)]
	return r != nil && strings.EqualFold(string(r.TemplateID), template)
}
