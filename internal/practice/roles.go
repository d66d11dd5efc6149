package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// Our own measures (docs/practices.md).
const (
	idleAfter  = 90 * 24 * time.Hour
	fewestGA   = 2
	mostGA     = 4
	exchange   = "exchange" // the service of assignedPlans that gives a mailbox
	breakGlass = string(directory.ClassBreakGlass)
)

// agentGroups are Partner Center's groups, as they are called in the partner's tenant.
var agentGroups = []string{"adminagents", "helpdeskagents", "salesagents"}

// rolesLack says why who holds which role is not known whole; nil where it is.
func (j *judge) rolesLack() *ruling {
	var open []string
	for _, id := range sorted(keysOf(j.tenant.OpenRoles)) {
		open = append(open, j.tenant.OpenRoles[id])
	}
	for _, id := range sorted(keysOf(j.tenant.OpenEligible)) {
		open = append(open, j.tenant.OpenEligible[id])
	}
	switch {
	case j.tenant.RolesLack != "":
		return &ruling{Verdict: assess.Unknown, Reason: "who holds a directory role is not in the export, or not all of it", Action: j.tenant.RolesLack}
	case j.tenant.EligibleLack != "":
		return &ruling{Verdict: assess.Unknown, Reason: "who may activate a directory role is not in the export, or not all of it",
			Action: j.tenant.EligibleLack}
	case len(open) > 0:
		return &ruling{Verdict: assess.Unknown, Reason: "it is not known " + cutRequest(open[0]), Action: firstRequest(open)}
	}
	return nil
}

// cutRequest is a thing that is missing, without its request.
func cutRequest(ask string) string {
	thing, _ := evidence.SplitAsk(ask)
	return thing
}

func keysOf[V any](m map[string]V) map[string]string {
	out := make(map[string]string, len(m))
	for k := range m {
		out[k] = k
	}
	return out
}

// admins are the accounts in scope that hold or may activate a directory role; a ruling
// where nobody can be named.
func (j *judge) admins() ([]assess.Account, *ruling) {
	var out []assess.Account
	for i := range j.report.Accounts {
		if a := &j.report.Accounts[i]; a.Admin && a.InScope {
			out = append(out, *a)
		}
	}
	if lack := j.rolesLack(); lack != nil && len(out) == 0 {
		return nil, lack
	}
	if len(out) == 0 {
		return nil, &ruling{Verdict: assess.Unknown, Reason: "role assignments were read, but none of them leads to an account in scope",
			Action: evidence.ReadingOf(evidence.User)}
	}
	return out, nil
}

// whole turns a good ruling about administrators to unknown where more may hold a role.
func (j *judge) whole(ru ruling) ruling {
	if lack := j.rolesLack(); lack != nil && ru.Verdict == assess.Met {
		lack.Reason = ru.Reason + ", but " + lack.Reason
		lack.Total = ru.Total
		return *lack
	}
	return ru
}

// usersPlans is the request that says who has a mailbox and who is synchronised.
const usersPlans = "GET /users?$select=id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,assignedPlans&$top=500, every page (User.Read.All)"

// usersActivity is the request that says when accounts were last used.
const usersActivity = "GET /users?$select=id,userPrincipalName,accountEnabled,userType,signInActivity&$top=500, every page " +
	"(User.Read.All, AuditLog.Read.All; Entra ID P1)"

// separateAdmins asks whether administrators' accounts are of the cloud alone and have no
// mailbox. Whether the person has another account for daily work is in no list.
func (j *judge) separateAdmins() ruling {
	admins, lack := j.admins()
	if lack != nil {
		return *lack
	}
	bad, open := mixed(admins, j.Directory)
	n := len(admins)
	switch {
	case len(bad) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: n, Evidence: bad,
			Reason: fmt.Sprintf("of %s %d %s not kept apart from daily work", count(n, "administrator's account", "administrators' accounts"), len(bad), isAre(len(bad))),
			Action: "make each a cloud-only account without a mailbox, and move the role to it"}
	case len(open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: open, Action: usersPlans,
			Reason: fmt.Sprintf("of %s it is not known whether it has a mailbox or is synchronised", count(len(open), "administrator's account",
				"administrators' accounts"))}
	}
	return j.whole(ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.User},
		Reason: fmt.Sprintf("all %d administrators' accounts are of the cloud alone and have no mailbox", n)})
}

// mixed are administrators' accounts that are synchronised or have a mailbox, and those of
// which that is not known.
func mixed(admins []assess.Account, d *directory.Directory) (bad, open []assess.Evidence) {
	for i := range admins {
		a := &admins[i]
		e := assess.Evidence{Subject: nonEmpty(a.UserPrincipalName, a.DisplayName, a.ID), RecordID: a.ID}
		u := d.Users[strings.ToLower(a.ID)]
		if u == nil {
			e.Detail = "the account is not among the users that were read"
			open = append(open, e)
			continue
		}
		e.Source = u.Source
		mail, known := u.Gives(exchange)
		purpose := u.Purpose()
		var why []string
		if u.OnPremisesSyncEnabled.True() {
			why = append(why, "is synchronised from the directory on premises")
		}
		if mail || purpose == "user" || purpose == "shared" || purpose == "linked" {
			why = append(why, "has a mailbox")
		}
		switch {
		case len(why) > 0:
			e.Detail = "holds a role and " + strings.Join(why, " and ")
			bad = append(bad, e)
		case !known || !u.OnPremisesSyncEnabled.Said:
			e.Detail = "its plans or its synchronisation are not in the export"
			open = append(open, e)
		}
	}
	return bad, open
}

// fewGlobals counts who holds or may activate Global Administrator.
func (j *judge) fewGlobals() ruling {
	var ev []assess.Evidence
	perhaps := 0
	for _, key := range sorted(keysOf(j.standing.Roles)) {
		for _, h := range j.standing.Roles[key] {
			if h.TemplateID != entra.RoleGlobalAdministrator || h.Sure == 0 {
				continue
			}
			if h.Sure == directory.Perhaps {
				perhaps++
				break
			}
			e := assess.Evidence{Subject: j.nameOf(key), RecordID: key, Detail: "holds Global Administrator", Source: j.sourceOf(key)}
			if h.Eligible {
				e.Detail = "may activate Global Administrator"
			}
			if h.Via != "" {
				e.Detail += " through the group " + h.Via
			}
			ev = append(ev, e)
			break
		}
	}
	for _, a := range sorted(j.Directory.Assignments) {
		sp := j.Directory.ServicePrincipals[strings.ToLower(a.PrincipalID)]
		if sp != nil && j.Directory.Role(a.RoleDefinitionID).TemplateID == entra.RoleGlobalAdministrator {
			ev = append(ev, assess.Evidence{Subject: nonEmpty(sp.DisplayName, sp.ID), RecordID: a.ID,
				Detail: "is an app that holds Global Administrator", Source: a.Source})
		}
	}
	n := len(ev)
	lack := j.rolesLack()
	switch {
	case n > mostGA:
		return ruling{Verdict: assess.NotMet, Affected: n - mostGA, Total: n, Evidence: ev,
			Reason: fmt.Sprintf("%d hold or may activate Global Administrator; 2 to 4 are advised", n),
			Action: "take the role from those who do not need it"}
	case lack != nil:
		lack.Total, lack.Evidence = n, ev
		return *lack
	case perhaps > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: ev, Action: evidence.ReadingOf(evidence.RoleAssignment),
			Reason: fmt.Sprintf("of %s it is not known whether the role is held", count(perhaps, "account", "accounts"))}
	case n < fewestGA:
		return ruling{Verdict: assess.NotMet, Affected: fewestGA - n, Total: n, Evidence: ev, Relies: []evidence.Kind{evidence.User},
			Reason: fmt.Sprintf("only %s Global Administrator: if it is lost, nobody gets in", count(n, "account holds", "accounts hold")),
			Action: "make a second account with the role, for emergencies, with its own security key"}
	}
	return ruling{Verdict: assess.Met, Total: n, Evidence: ev, Relies: []evidence.Kind{evidence.User},
		Reason: fmt.Sprintf("%d hold or may activate Global Administrator", n)}
}

func (j *judge) nameOf(key string) string {
	if u := j.Directory.Users[key]; u != nil {
		return nonEmpty(u.UserPrincipalName, u.DisplayName, key)
	}
	if r := j.Directory.Registrations[key]; r != nil {
		return nonEmpty(r.UserPrincipalName, key)
	}
	return key
}

// powerful are the accounts that hold roles, are agents or are in a group that reaches
// customers, each with what it holds.
func (j *judge) powerful() (out map[string]string, lack *ruling) {
	out = map[string]string{}
	for key := range j.standing.Roles {
		if len(j.standing.Roles[key]) > 0 {
			out[key] = "holds " + j.standing.Roles[key][0].Name
		}
	}
	groups := j.reachGroups()
	for id, g := range j.Directory.Groups {
		if slices.Contains(agentGroups, strings.ToLower(g.DisplayName)) {
			groups[id] = g.DisplayName
		}
	}
	for key, in := range j.standing.Groups {
		for _, id := range in {
			if name := groups[id]; name != "" && out[key] == "" {
				out[key] = "is in " + name
			}
		}
	}
	if lack = j.rolesLack(); lack != nil {
		return out, lack
	}
	for _, id := range sorted(keysOf(groups)) {
		if j.Directory.Groups[id] == nil || j.standing.OpenGroups[id] != "" {
			return out, &ruling{Verdict: assess.Unknown, Reason: "not every member of the group " + groups[id] + " is in the export",
				Action: membersOf(id)}
		}
	}
	if !j.Whole(evidence.Group) {
		lack = &ruling{Verdict: assess.Unknown, Reason: "the groups of the partner's agents are not in the export, or not all of them",
			Action: evidence.ReadingOf(evidence.Group)}
	}
	return out, lack
}

// membersOf is the request that reads all of a group's members.
func membersOf(group string) string {
	return fmt.Sprintf("GET /groups/%s/transitiveMembers, every page (GroupMember.Read.All)", group)
}

// reachGroups are the partner's groups that access assignments name.
func (j *judge) reachGroups() map[string]string {
	out := map[string]string{}
	for _, a := range j.Assignments {
		if id := strings.ToLower(a.AccessContainer.ID); id != "" && !strings.EqualFold(string(a.Status), "deleted") {
			out[id] = "a group that reaches customers"
			if g := j.Directory.Groups[id]; g != nil && g.DisplayName != "" {
				out[id] = g.DisplayName
			}
		}
	}
	return out
}

// lastUse is when an account was last seen, by its own record and by the log; since says
// how far the log goes back where it shows nothing.
func (j *judge) lastUse(key string) (at time.Time, known bool) {
	u := j.Directory.Users[key]
	if u != nil && u.SignInActivity != nil {
		at, known = u.SignInActivity.Last(), true
	}
	if j.SignIns != nil {
		for i := range j.SignIns.Accounts {
			s := &j.SignIns.Accounts[i]
			if s.Key == key || u != nil && strings.EqualFold(s.UserPrincipalName, u.UserPrincipalName) && u.UserPrincipalName != "" {
				if s.LastSignIn.After(at) {
					at, known = s.LastSignIn, true
				}
			}
		}
	}
	return at, known
}

// leavers asks whether a disabled account still holds power, and whether one that does has
// not been used for 90 days.
func (j *judge) leavers() ruling {
	power, lack := j.powerful()
	classes := map[string]string{}
	for i := range j.report.Accounts {
		classes[strings.ToLower(j.report.Accounts[i].ID)] = j.report.Accounts[i].Class
	}
	bad, open := j.idle(power, classes)
	n := len(power)
	switch {
	case len(bad) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: n, Evidence: bad,
			Reason: fmt.Sprintf("%s of %d that reach far %s out of use and not taken back", count(len(bad), "account", "accounts"), n, isAre(len(bad))),
			Action: "take the roles and memberships from each, and delete the account"}
	case lack != nil:
		lack.Total = n
		return *lack
	case n == 0:
		return ruling{Verdict: assess.Unknown,
			Reason: "nobody was read who holds a role or is in an agents' group", Action: evidence.ReadingOf(evidence.RoleAssignment)}
	case len(open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: open, Action: usersActivity,
			Reason: fmt.Sprintf("of %s it is not known when it was last used", count(len(open), "account", "accounts"))}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.User, evidence.Group},
		Reason: fmt.Sprintf("all %d accounts that hold roles or reach customers are enabled and were used within 90 days", n)}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// idle tells of the accounts those that are disabled or were not used for 90 days.
func (j *judge) idle(power, classes map[string]string) (bad, open []assess.Evidence) {
	for _, key := range sorted(keysOf(power)) {
		e := assess.Evidence{Subject: j.nameOf(key), RecordID: key, Source: j.sourceOf(key)}
		u := j.Directory.Users[key]
		at, known := j.lastUse(key)
		if !at.IsZero() {
			e.Observed = &at
		}
		switch {
		case u != nil && u.AccountEnabled.False():
			e.Detail = "is disabled and " + power[key]
			bad = append(bad, e)
		case u == nil || !u.AccountEnabled.Set:
			e.Detail = power[key] + "; whether the account is enabled is not in the export"
			open = append(open, e)
		case classes[key] == breakGlass || classes[key] == string(directory.ClassDirectorySync): // the first sleeps by design
		case known && at.IsZero():
			e.Detail = power[key] + " and was never used"
			bad = append(bad, e)
		case known && j.o.AsOf.Sub(at) > idleAfter:
			e.Detail = power[key] + " and was last used on " + at.Format(time.DateOnly)
			bad = append(bad, e)
		case !known:
			e.Detail = power[key] + "; when it was last used is not in the export"
			open = append(open, e)
		}
	}
	return bad, open
}

// agents asks whether somebody in the agents' groups is disabled or idle: then nobody
// reviewed them. That somebody did is a person's word.
func (j *judge) agents() ruling {
	groups := map[string]string{}
	for id, g := range j.Directory.Groups {
		if slices.Contains(agentGroups, strings.ToLower(g.DisplayName)) {
			groups[id] = g.DisplayName
		}
	}
	if len(groups) == 0 {
		return ruling{Verdict: assess.Unknown, Reason: "the groups AdminAgents, HelpdeskAgents and SalesAgents are not in the export",
			Action: evidence.ReadingOf(evidence.Group)}
	}
	power := map[string]string{}
	for key, in := range j.standing.Groups {
		for _, id := range in {
			if groups[id] != "" {
				power[key] = "is in " + groups[id]
			}
		}
	}
	classes := map[string]string{}
	for i := range j.report.Accounts {
		classes[strings.ToLower(j.report.Accounts[i].ID)] = j.report.Accounts[i].Class
	}
	bad, _ := j.idle(power, classes)
	open := ""
	for _, id := range sorted(keysOf(groups)) {
		if j.standing.OpenGroups[id] != "" || !j.Directory.Groups[id].Members.Set {
			open = nonEmpty(open, id)
		}
	}
	if open != "" && len(bad) == 0 {
		return ruling{Verdict: assess.Unknown, Total: len(power), Reason: "not every member of the group " + groups[open] + " is in the export",
			Action: membersOf(open)}
	}
	if len(bad) > 0 {
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: len(power), Evidence: bad,
			Reason: fmt.Sprintf("%s of %d in the agents' groups out of use", count(len(bad), "account is", "accounts are"), len(power)),
			Action: "take them out of the groups, then attest the review"}
	}
	return ruling{Verdict: assess.Unknown, Total: len(power), Action: attestCommand("P14"),
		Reason: fmt.Sprintf("%s in the agents' groups; that somebody looked at each is a person's word", count(len(power), "account is", "accounts are"))}
}

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
