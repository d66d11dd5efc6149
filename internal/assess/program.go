package assess

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
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
			with = append(with, Evidence{Subject: c.Name(), Detail: "allowDelegatedAccess is true: delegated admin privileges are in place", RecordID: c.ID,
				Source: c.Source})
		}
	}
	switch {
	case len(with) > 0:
		return ruling{verdict: NotMet, affected: len(with), total: len(a.Customers), evidence: with,
			reason: fmt.Sprintf("%s DAP", count(len(with), "customer still grants", "customers still grant")),
			action: "set up GDAP, then remove DAP with AllowDelegatedAccess=false; never with relationshipToPartner=none, which suspends the customer's " +
				"subscriptions"}
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
		return ruling{verdict: Unknown, total: dap.affected, evidence: dap.evidence,
			reason: fmt.Sprintf("%s DAP, and when it was last used is in no API", count(dap.affected, "customer grants", "customers grant")),
			action: "look at Administrative relationships in Partner Center, and remove DAP where GDAP has replaced it"}
	}
	return dap
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

func (a *assessor) premiumP2() ruling {
	if a.extent(evidence.SubscribedSku) == evidence.Absent {
		return ruling{verdict: Unknown, reason: "the tenant's licences are not in the export", action: "export " + evidence.RequestFor(evidence.SubscribedSku)}
	}
	var ev []Evidence
	for _, s := range sorted(a.Directory.SKUs) {
		for _, p := range s.ServicePlans.Items {
			if strings.EqualFold(p.Name, "AAD_PREMIUM_P2") {
				ev = append(ev, Evidence{Subject: s.SKUPartNumber, Detail: fmt.Sprintf("carries AAD_PREMIUM_P2, %d units", s.PrepaidUnits.Enabled.Value),
					RecordID: s.SKUID, Source: s.Source})
			}
		}
	}
	if !a.Directory.HasServicePlan("AAD_PREMIUM_P2") {
		return ruling{verdict: NotMet, affected: 1, total: 1, evidence: ev, relies: []evidence.Kind{evidence.SubscribedSku},
			reason: "no licence in force carries Entra ID P2", action: "partners are offered Entra ID P2 for their admin agents; assign it"}
	}
	return ruling{verdict: Unknown, evidence: ev, reason: "the tenant has Entra ID P2, but whether every admin agent is assigned it is not in the export"}
}

func (a *assessor) rolesOnRequest() ruling {
	if a.Seen[evidence.RoleAssignment]+a.Seen[evidence.ScubaPrivilegedRole]+a.Seen[evidence.DirectoryRole] == 0 {
		return ruling{verdict: Unknown, reason: "role assignments are not in the export", action: "export " + evidence.RequestFor(evidence.RoleAssignment) +
			", and " + evidence.RequestFor(evidence.RoleEligibility)}
	}
	classes := map[string]string{}
	for i := range a.accounts {
		classes[strings.ToLower(a.accounts[i].ID)] = a.accounts[i].Class
	}
	holders := map[string]bool{}
	var ev, groups, unnamed []Evidence
	for _, as := range sorted(a.Directory.Assignments) {
		id := strings.ToLower(as.PrincipalID)
		if as.Eligible || strings.EqualFold(string(as.AssignmentType), "Activated") || as.EndDateTime.Set || classes[id] == string(directory.ClassBreakGlass) {
			continue
		}
		if g := a.Directory.Groups[id]; g != nil {
			if role := a.Directory.Role(as.RoleDefinitionID); role.Privileged && (!g.Members.Set || len(g.Members.Items) > 0) {
				groups = append(groups, Evidence{Subject: nonEmpty(g.DisplayName, g.ID), Detail: "this group holds " + role.Name + " permanently",
					RecordID: as.ID, Source: as.Source})
			}
			continue
		}
		if a.Directory.ServicePrincipals[id] != nil {
			continue
		}
		if a.account(id) == nil {
			if a.Directory.Role(as.RoleDefinitionID).Privileged {
				unnamed = append(unnamed, Evidence{Subject: id,
					Detail: "holds a privileged role permanently and is in no exported list of users, groups or service principals", RecordID: as.ID,
					Source: as.Source})
			}
			continue
		}
		if name, ok := a.privileged(id, as.RoleDefinitionID); ok {
			holders[id] = true
			ev = append(ev, Evidence{Subject: a.nameOf(id), Detail: "holds " + name + " permanently", RecordID: as.ID, Source: as.Source})
		} else if a.Directory.RoleDefinitions[strings.ToLower(as.RoleDefinitionID)] == nil {
			unnamed = append(unnamed, Evidence{Subject: a.nameOf(id), Detail: "holds the role " + as.RoleDefinitionID +
				" permanently; whether it is privileged is not in the export", RecordID: as.ID, Source: as.Source})
		}
	}
	admins := len(a.admins())
	switch {
	case len(holders) > 0:
		return ruling{verdict: NotMet, affected: len(holders), total: admins, evidence: ev,
			reason: fmt.Sprintf("%s a privileged role permanently", count(len(holders), "account other than break-glass holds",
				"accounts other than break-glass hold")),
			action: "make the assignments eligible in Privileged Identity Management (Entra ID P2)"}
	case len(groups) > 0:
		return ruling{verdict: Unknown, total: admins, evidence: groups, action: evidence.RequestFor(evidence.GroupEligibility),
			reason: fmt.Sprintf("%s a privileged role permanently; whether their members are in them for good is in PIM for groups",
				count(len(groups), "group holds", "groups hold"))}
	case len(unnamed) > 0:
		return ruling{verdict: Unknown, total: admins, evidence: unnamed, action: evidence.RequestFor(evidence.RoleDefinition) + ", and " +
			evidence.RequestFor(evidence.User),
			reason: fmt.Sprintf("%s permanently, and the export does not show whether the role is privileged or the holder an account",
				count(len(unnamed), "role is held", "roles are held"))}
	case a.Seen[evidence.RoleEligibility] > 0:
		return ruling{verdict: Met, total: admins, relies: []evidence.Kind{evidence.RoleAssignment, evidence.RoleEligibility},
			reason: "privileged roles are held by eligibility or for a limited time; only break-glass accounts hold one permanently"}
	}
	return ruling{verdict: Unknown, reason: "no permanent privileged role was found, but eligibility is not in the export, or not all assignments are",
		action: "export " + evidence.RequestFor(evidence.RoleEligibility) + " (Entra ID P2)"}
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
