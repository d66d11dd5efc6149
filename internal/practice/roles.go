package practice

import (
	"fmt"
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
			Reason: fmt.Sprintf("of %s %d %s not kept apart from daily work", count(n, "administrator's account", "administrators' accounts"),
				len(bad), isAre(len(bad))),
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
