package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// outside looks at what no question over sign-ins decides: what apps and people may do
// beside signing in, whose word counts as a second factor, and who is in a group that was
// not read. What widens any of it is an opening; the rest is told in words, so that no
// step passes with nothing said of it.
func (l *look) outside() {
	w := newWorld(l.Tenant, l.moves, l.IDs)
	for i := range l.moves {
		m := &l.moves[i]
		l.ofApps(m)
		switch m.Kind {
		case remedy.Group:
			l.joinable(m)
		case remedy.Member:
			l.memberUnread(w, m)
		case remedy.Method:
			l.external(m)
		case remedy.Grant, remedy.Authorization, remedy.Principal, remedy.ConsentRequests, remedy.AppRole:
			l.beside(m)
		}
		if w.apply(m) != nil {
			return // told by whoever makes the settings
		}
	}
}

// beside looks at a step that changes what apps or people may do.
func (l *look) beside(m *Move) {
	words := make([]string, 0, 4)
	for _, c := range object.Diff(m.Kind, m.Before, m.After, nil) {
		if words = append(words, c.Words); len(words) == 4 {
			break
		}
	}
	name := quoted(m.Name)
	if wider := widened(m); len(wider) > 0 {
		l.add(remedy.Finding{Kind: remedy.Opens, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
			Text:    name + " (" + object.KindWords(m.Kind) + ") allows more than today: " + strings.Join(wider, "; "),
			WaysOut: []string{"leave the step out, or have it allow no more than today"}}, "wider "+string(m.Kind)+" "+strings.Join(wider, "\x00"))
		return
	}
	l.add(remedy.Finding{Kind: remedy.Tells, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
		Text: fmt.Sprintf("who uses what step %d changes is not looked at (%s): %s", m.Of, object.KindWords(m.Kind), strings.Join(words, "; "))},
		fmt.Sprint("beside ", m.Of))
}

// widened says what a step allows that was not allowed before.
func widened(m *Move) (out []string) {
	if m.Do != remedy.Update {
		return nil
	}
	var a, b map[string]any
	if json.Unmarshal(m.Before, &a) != nil || json.Unmarshal(m.After, &b) != nil {
		return nil // told where it is written
	}
	switch m.Kind {
	case remedy.Principal:
		if b["accountEnabled"] == true && a["accountEnabled"] != true {
			out = append(out, "the application is switched on")
		}
	case remedy.Grant:
		had := strings.Fields(wordOf(a["scope"]))
		for _, s := range strings.Fields(wordOf(b["scope"])) {
			if !slices.Contains(had, s) {
				out = append(out, "the application may "+s)
			}
		}
	case remedy.ConsentRequests:
		// Who answers requests grants permissions.
		if was, is := fmt.Sprint(a["reviewers"]), fmt.Sprint(b["reviewers"]); was != is {
			out = append(out, "others answer requests for consent")
		}
	case remedy.Authorization:
		out = authorizes(a, b)
	}
	return out
}

func wordOf(v any) string {
	s, _ := v.(string)
	return s
}

// invites are the words of allowInvitesFrom, the strictest first.
var invites = []string{"none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"}

// guestRoles are what guests may see, the least first.
var guestRoles = []string{entra.RoleRestrictedGuestUser, entra.RoleGuestUser, entra.RoleUser}

// authorizes says what an authorization policy allows more.
func authorizes(a, b map[string]any) (out []string) {
	rank := func(list []string, v any) int {
		if v == nil {
			return len(list) // what is not said is Microsoft's, and may be the widest
		}
		at := slices.IndexFunc(list, func(s string) bool { return strings.EqualFold(s, wordOf(v)) })
		if at < 0 {
			return len(list)
		}
		return at
	}
	for _, x := range []struct {
		name string
		list []string
	}{{"allowInvitesFrom", invites}, {"guestUserRoleId", guestRoles}} {
		if b[x.name] != nil && rank(x.list, b[x.name]) > rank(x.list, a[x.name]) {
			out = append(out, x.name+" becomes "+wordOf(b[x.name]))
		}
	}
	x, y := member(a, "defaultUserRolePermissions"), member(b, "defaultUserRolePermissions")
	for _, pair := range [][2]map[string]any{{a, b}, {x, y}} {
		for _, name := range []string{"allowedToSignUpEmailBasedSubscriptions", "allowEmailVerifiedUsersToJoinOrganization", "allowUserConsentForRiskyApps",
			"allowedToUseSSPR", "allowedToCreateApps", "allowedToCreateSecurityGroups", "allowedToCreateTenants",
			"allowedToReadBitlockerKeysForOwnedDevice", "allowedToReadOtherUsers"} {
			if pair[1][name] == true && pair[0][name] != true {
				out = append(out, name)
			}
		}
	}
	if a["blockMsolPowerShell"] == true && b["blockMsolPowerShell"] != true {
		out = append(out, "blockMsolPowerShell no longer holds")
	}
	had := texts(x["permissionGrantPoliciesAssigned"])
	for _, p := range texts(y["permissionGrantPoliciesAssigned"]) {
		if !slices.Contains(had, p) {
			out = append(out, "users consent by "+p)
		}
	}
	return out
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, x := range list {
		out = append(out, wordOf(x))
	}
	return out
}

// external finds a provider outside whose word is to count as a second factor.
func (l *look) external(m *Move) {
	var a, b struct {
		Type    string `json:"@odata.type"`
		State   string `json:"state"`
		AppID   string `json:"appId"`
		Connect struct {
			Client string `json:"clientId"`
			URL    string `json:"discoveryUrl"`
		} `json:"openIdConnectSetting"`
	}
	if m.Do == remedy.Delete || json.Unmarshal(m.After, &b) != nil || !strings.Contains(strings.ToLower(b.Type), "external") {
		return
	}
	if len(m.Before) > 0 && json.Unmarshal(m.Before, &a) != nil || a.AppID == b.AppID && a.Connect == b.Connect {
		return
	}
	l.add(remedy.Finding{Kind: remedy.Opens, Step: m.Of, Subject: m.Name, SubjectID: m.ID,
		Text:    fmt.Sprintf("whatever %.200q says counts as a second factor: it is a provider that was not one before", b.Connect.URL),
		WaysOut: []string{"see that it is your provider, and that nobody else answers there"}}, "provider "+b.AppID+" "+b.Connect.Client+" "+b.Connect.URL)
}

// memberUnread keeps the gate shut for a group of policies that gets, or loses, something of which it
// was not read who that is: another group, an app, an account.
func (l *look) memberUnread(w *world, m *Move) {
	group, who := w.memberOf(m)
	if who == "" || w.has(who) {
		return
	}
	p := namesGroup(w.t.Policies, w.above(group))
	if p == nil {
		return
	}
	text := fmt.Sprintf("step %d puts %s into a group that the policy %s names, and who that is was not read", m.Of, who, quoted(p.DisplayName))
	if m.Do == remedy.Delete {
		text = fmt.Sprintf("step %d takes %s out of a group that the policy %s names, and who that is was not read", m.Of, who, quoted(p.DisplayName))
	}
	l.add(remedy.Finding{Kind: remedy.Unknown, Step: m.Of, Subject: m.Name, SubjectID: m.ID, Text: text,
		Settles: "GET /v1.0/groups/" + who + "/transitiveMembers", WaysOut: []string{"name the accounts one by one"}}, "unread "+group+"/"+who)
}

// namesGroup is a policy that may be in force and names one of the groups, by including or
// leaving it out.
func namesGroup(list []*access.Policy, groups []string) *access.Policy {
	for _, p := range list {
		if !p.MayBeEnforced() {
			continue
		}
		u := p.Conditions.Users
		for _, id := range slices.Concat(u.IncludeGroups, u.ExcludeGroups) {
			if slices.Contains(groups, strings.ToLower(id)) {
				return p
			}
		}
	}
	return nil
}

// person finds what is open while somebody is waited for: a stage goes on after that alone.
func (l *look) persons() error {
	q, _ := access.FindQuestion(always[0])
	var acted bool
	for i := range l.moves {
		m := &l.moves[i]
		acted = acted || m.Affects()
		if m.Kind != remedy.Person || !acted || i == len(l.moves)-1 {
			continue
		}
		t, err := Over(l.Tenant, l.moves, i, l.IDs)
		if err != nil {
			return err
		}
		list, whole, err := access.Opened(l.first, access.Compile(t), q)
		if err != nil || len(list) == 0 && whole {
			continue
		}
		n := 0
		for k := range list {
			n += list[k].Accounts
		}
		l.add(remedy.Finding{Kind: remedy.Opens, Step: m.Of, Subject: m.Name,
			Text:    fmt.Sprintf("until somebody has done step %d, which may take days, %d accounts are not asked as they are today", m.Of, n),
			WaysOut: []string{"have the person's step done first, or last"}}, fmt.Sprint("waits ", n))
		return nil // one is enough
	}
	return nil
}
