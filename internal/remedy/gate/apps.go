package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/remedy"
)

// anyApp stands for all of a tenant's applications in a policy for workload identities.
const anyApp = "ServicePrincipalsInMyTenant"

// actingApp is the application that applies the plan, by its id; "" it is a person.
func (l *look) actingApp() string {
	id, _ := strings.CutPrefix(l.Actor, "app:")
	if id == l.Actor {
		return ""
	}
	return strings.ToLower(id)
}

// ofApps looks at what stops applications: no question over people's sign-ins, and no log of
// theirs, says whom.
func (l *look) ofApps(m *Move) {
	switch m.Kind {
	case remedy.Policy:
		l.workload(m)
	case remedy.Principal, remedy.Credential, remedy.AppRole:
		if id := l.actingApp(); id != "" && stops(m, id) {
			l.appOut(m, m.Text)
		}
	}
}

// workload looks at a policy in force for applications instead of people.
func (l *look) workload(m *Move) {
	var p struct {
		Conditions struct {
			Apps *struct {
				Include []string `json:"includeServicePrincipals"`
				Exclude []string `json:"excludeServicePrincipals"`
			} `json:"clientApplications"`
		} `json:"conditions"`
	}
	if m.Do == remedy.Delete || !inForce(m.After) || string(m.Before) == string(m.After) || json.Unmarshal(m.After, &p) != nil || p.Conditions.Apps == nil {
		return
	}
	names := func(list []string, id string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, id) })
	}
	in, out := p.Conditions.Apps.Include, p.Conditions.Apps.Exclude
	if id := l.actingApp(); id != "" && !names(out, id) && (names(in, anyApp) || names(in, id)) {
		l.appOut(m, quoted(m.Name)+" is for it")
	}
	l.add(remedy.Finding{Kind: remedy.Unknown, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
		Text:    fmt.Sprintf("which apps sign in by themselves was not replayed: whom %s stops is not known", quoted(m.Name)),
		Settles: "GET /beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'servicePrincipal')",
		WaysOut: []string{"let it report first, and read what it says of each app"}}, "apps "+m.Key)
}

// stops reports a move that takes from an application what it signs in by, or its permission.
func stops(m *Move, id string) bool {
	switch m.Kind {
	case remedy.Principal:
		var is struct {
			On *bool `json:"accountEnabled"`
		}
		return strings.EqualFold(m.ID, id) && (m.Do == remedy.Delete || json.Unmarshal(m.After, &is) == nil && is.On != nil && !*is.On)
	case remedy.Credential:
		of, _, _ := strings.Cut(m.ID, "/")
		return m.Do == remedy.Delete && strings.EqualFold(of, id)
	}
	return m.Do == remedy.Delete && strings.EqualFold(text(m.Before, "principalId"), id)
}

func (l *look) appOut(m *Move, why string) {
	l.add(remedy.Finding{Kind: remedy.LocksOut, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
		Text:    "the application that applies the plan would shut itself out: " + why,
		WaysOut: []string{"apply the plan by an account, or by another application", "or leave this application out of the step"}}, "app "+m.ID+m.Key)
}

// joinable keeps the gate shut for a group into which others decide who comes: whoever is in it
// is taken, or left out, by the policies that name it.
func (l *look) joinable(m *Move) {
	var g struct {
		Types      []string `json:"groupTypes"`
		Rule       string   `json:"membershipRule"`
		Visibility string   `json:"visibility"`
	}
	if m.Do == remedy.Delete || json.Unmarshal(m.After, &g) != nil {
		return
	}
	why := ""
	switch has := func(s string) bool {
		return slices.ContainsFunc(g.Types, func(t string) bool { return strings.EqualFold(t, s) })
	}; {
	case has("DynamicMembership") || g.Rule != "":
		why = "a rule over what others may write of an account puts people in"
	case strings.EqualFold(g.Visibility, "Public"), has("Unified") && g.Visibility == "": // Microsoft makes it public then
		why = "everybody may join it"
	case has("Unified"):
		why = "its owners and members say who comes in"
	default:
		return
	}
	l.add(remedy.Finding{Kind: remedy.Opens, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
		Text:    "who is in the group " + quoted(m.Name) + " others decide: " + why,
		WaysOut: []string{"make a security group whose members are named, for policies alone"}}, "joinable "+why)
}
