package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

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

// dapGroups are the groups that work at every customer who grants DAP, by name.
var dapGroups = []string{"adminagents", "helpdeskagents"}

const dapUnknown = "whether a customer still grants DAP, by which the agents' groups work there, is not in the export"

// workGroups are the partner's groups that work at customers: those of access assignments,
// and the agents' groups where a customer grants DAP. Whether one does is known only by the
// whole list of customers.
func (j *judge) workGroups() (out map[string]string, known bool) {
	out, known = j.reachGroups(), j.Whole(evidence.Customer)
	for _, c := range j.Customers {
		if !c.AllowDelegatedAccess.True() {
			known = known && c.AllowDelegatedAccess.Set
			continue
		}
		for id, g := range j.Directory.Groups {
			if slices.Contains(dapGroups, strings.ToLower(g.DisplayName)) {
				out[id] = g.DisplayName
			}
		}
	}
	return out, known
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
