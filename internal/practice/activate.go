package practice

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// onRequest asks beyond the requirement whether activation takes another person, and
// whether groups that reach customers are joined for good.
func (j *judge) onRequest() ruling {
	eligible := map[string]string{}
	for _, a := range sorted(j.Directory.Assignments) {
		if role := j.Directory.Role(a.RoleDefinitionID); a.Eligible && role.Privileged {
			eligible[strings.ToLower(a.RoleDefinitionID)] = role.Name
		}
	}
	var without, open []assess.Evidence
	for _, id := range sorted(keysOf(eligible)) {
		e := assess.Evidence{Subject: eligible[id], RecordID: id, Detail: "its setting was not read"}
		p := j.Beside.RolePolicies["/|"+id]
		if p != nil {
			e.Source, e.Detail = p.Source, "it is activated without anybody's approval"
		}
		switch {
		case p == nil || !p.Approval().Set:
			open = append(open, e)
		case p.Approval().False():
			without = append(without, e)
		}
	}
	standing, unread := j.forGood()
	bad := append(without, standing...)
	n := len(eligible) + len(j.reachGroups())
	switch {
	case len(bad) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: n, Evidence: bad,
			Reason: fmt.Sprintf("%s without another person's approval or held for good", count(len(bad), "role or group is activated",
				"roles or groups are activated")),
			Action: "ask for approval in the role's setting (Privileged Identity Management), and make memberships eligible"}
	case len(open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: open, Action: evidence.ReadingOf(evidence.RolePolicy),
			Reason: fmt.Sprintf("of %s it is not known whether activation takes another person's approval", count(len(open), "role", "roles"))}
	case len(unread) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: unread, Action: strings.ReplaceAll(evidence.ReadingOf(evidence.GroupEligibility), "{id}",
			unread[0].RecordID),
			Reason: fmt.Sprintf("of %s that reach customers it is not known who is in it for good", count(len(unread), "group", "groups"))}
	case j.Extent(evidence.AccessAssignment) == evidence.Absent:
		return ruling{Verdict: assess.Unknown, Total: n,
			Reason: "which groups reach customers is not in the export", Action: evidence.ReadingOf(evidence.AccessAssignment)}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.RoleEligibility, evidence.RolePolicy, evidence.AccessAssignment},
		Reason: "privileged roles and groups that reach customers are activated when needed, with another person's approval"}
}

// forGood are groups that reach customers with members who need no activation.
func (j *judge) forGood() (standing, unread []assess.Evidence) {
	activated := map[string]bool{}
	for _, s := range j.Directory.GroupSchedules {
		if !s.Eligible && s.EndDateTime.Set {
			activated[strings.ToLower(s.GroupID+"|"+s.PrincipalID)] = true
		}
	}
	groups := j.reachGroups()
	for _, id := range sorted(keysOf(groups)) {
		g := j.Directory.Groups[id]
		e := assess.Evidence{Subject: groups[id], RecordID: id}
		if g == nil || j.standing.OpenGroups[id] != "" || !g.Members.Set {
			e.Detail = "its members are not in the export, or not all of them"
			unread = append(unread, e)
			continue
		}
		e.Source = g.Source
		n := 0
		for _, m := range g.Members.Items {
			if !activated[strings.ToLower(id+"|"+m.ID)] {
				n++
			}
		}
		switch {
		case n == 0:
		case j.Extent(evidence.GroupAssignment) != evidence.Entire:
			e.Detail = "whether its members activated that is in PIM for groups"
			unread = append(unread, e)
		default:
			e.Detail = count(n, "member is in it for good", "members are in it for good")
			standing = append(standing, e)
		}
	}
	return standing, unread
}

// recovery shows whether Global Administrators registered a phone or an address; that
// these, or those of their profiles, are right is a person's word.
func (j *judge) recovery() ruling {
	var bad, ok []assess.Evidence
	for _, key := range sorted(keysOf(j.standing.Roles)) {
		if !slices.ContainsFunc(j.standing.Roles[key], func(h directory.HeldRole) bool { return h.TemplateID == entra.RoleGlobalAdministrator }) {
			continue
		}
		r := j.Directory.Registrations[key]
		e := assess.Evidence{Subject: j.nameOf(key), RecordID: key, Source: j.sourceOf(key)}
		switch {
		case r == nil:
			ok = append(ok, e)
		case slices.ContainsFunc(r.MethodsRegistered, reachable):
			e.Detail = "registered a phone or an address"
			ok = append(ok, e)
		default:
			e.Detail = "registered neither a phone nor an address"
			bad = append(bad, e)
		}
	}
	n := len(bad) + len(ok)
	switch {
	case n == 0:
		return ruling{Verdict: assess.Unknown,
			Reason: "who is a Global Administrator is not in the export", Action: evidence.ReadingOf(evidence.RoleAssignment)}
	case len(bad) > 0: // its profile may have what its methods lack
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: append(bad, ok...), Action: attestCommand("P30"),
			Reason: fmt.Sprintf("%s of %d registered neither a phone nor an address; that each can be reached is a person's word",
				count(len(bad), "Global Administrator", "Global Administrators"), n)}
	}
	return ruling{Verdict: assess.Unknown, Total: n, Evidence: ok, Action: attestCommand("P30"),
		Reason: "that phone and address of each Global Administrator are known and right is a person's word"}
}

// reachable reports a registered method by which a person is reached.
func reachable(method string) bool {
	m := strings.ToLower(method)
	return m == "email" || strings.HasSuffix(m, "phone")
}
