package assess

import (
	"fmt"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

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
