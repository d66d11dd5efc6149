package gate_test

import (
	"strings"
	"testing"

	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

const (
	everybody = `"includeUsers":["All"]`
	fromHQ    = `"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`
	onlySync  = `"includeUsers":["All"],"excludeRoles":["d29b2b05-8046-44ba-8758-1e26182fcf32"]`
	gentle    = `"includeUsers":["All"],"excludeUsers":["e0000000-0000-4000-8000-000000000005"],"excludeRoles":["d29b2b05-8046-44ba-8758-1e26182fcf32"]`
)

// lockOuts are plans that would lock somebody out, open something or be refused, each with
// the finding that must refuse it.
func lockOuts(t testing.TB) map[string]struct {
	steps []remedy.Step
	kind  remedy.FindingKind
	text  string
} {
	type row = struct {
		steps []remedy.Step
		kind  remedy.FindingKind
		text  string
	}
	add := func(users, more, grant string) []remedy.Step {
		return []remedy.Step{create(t, policy("", "New", "enabled", users, more, grant))}
	}
	mine := policy(mfaAll, "MFA for all", "enabled", today, "", `"mfa"`)
	place := func(trusted string) string {
		return `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"HQ","isTrusted":` + trusted + `,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"203.0.113.0/24"}]}`
	}
	roleOf := func(who string) string {
		return `{"principalId":"` + who + `","roleDefinitionId":"` + ga + `","directoryScopeId":"/"}`
	}
	unrole := func(id, who string) remedy.Step { return step(t, remedy.Delete, remedy.Role, id, roleOf(who), "") }
	unmember := func(who string) remedy.Step {
		return step(t, remedy.Delete, remedy.Member, bgGroup+"/"+who, `{"group":"`+bgGroup+`","member":"`+who+`"}`, "")
	}
	to := func(after string) []remedy.Step {
		return []remedy.Step{step(t, remedy.Update, remedy.Policy, mfaAll, mine, after)}
	}
	method := func(id, state string) string {
		return `{"@odata.type":"#microsoft.graph.` + id + `AuthenticationMethodConfiguration","state":"` + state + `","includeTargets":[{"id":"all_users","targetType":"group"}]}`
	}
	off := func(id, kind string) remedy.Step {
		return step(t, remedy.Update, remedy.Method, id, method(kind, "enabled"), method(kind, "disabled"))
	}
	return map[string]row{
		"block all users":              {add(everybody, "", `"block"`), remedy.LocksOut, "nobody is proved to get in"},
		"a compliant device for all":   {add(everybody, "", `"compliantDevice"`), remedy.LocksOut, "2 have to be"},
		"a device or app for admins":   {add(`"includeRoles":["`+ga+`"]`, "", `"compliantDevice","domainJoinedDevice"`), remedy.LocksOut, "nobody"},
		"MFA and a compliant device":   {add(everybody, "", `{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`), remedy.LocksOut, "nobody"},
		"block everywhere but the HQ":  {add(everybody, fromHQ, `"block"`), remedy.LocksOut, "nobody"},
		"block all platforms but iOS":  {add(everybody, `"platforms":{"includePlatforms":["all"],"excludePlatforms":["windowsPhone"]}`, `"block"`), remedy.LocksOut, "nobody"},
		"block browsers":               {add(everybody, `"clientAppTypes":["browser"]`, `"block"`), remedy.LocksOut, "nobody"},
		"block the admin portals":      {add(everybody, `"applications":{"includeApplications":["MicrosoftAdminPortals"]}`, `"block"`), remedy.LocksOut, "nobody"},
		"block at any risk":            {add(everybody, `"signInRiskLevels":["low","medium","high"]`, `"block"`), remedy.LocksOut, "sign-in risk"},
		"block users at high risk":     {add(everybody, `"userRiskLevels":["high"]`, `"block"`), remedy.LocksOut, "user risk"},
		"a strength that no admin has": {add(everybody, "", `{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000003"}}`), remedy.LocksOut, "takes none of its methods"},
		"a custom control for all":     {add(everybody, "", `{"operator":"AND","customAuthenticationFactors":["DuoMfa"]}`), remedy.LocksOut, "nobody"},
		"block who applies it":         {add(`"includeUsers":["`+ada+`"]`, "", `"block"`), remedy.LocksOut, "shut itself out"},
		"a device of who applies it":   {add(`"includeUsers":["`+ada+`"]`, "", `"compliantDevice"`), remedy.LocksOut, "shut itself out"},
		"a filter that nobody knows":   {add(everybody, `"devices":{"deviceFilter":{"mode":"exclude","rule":"device.extensionAttribute1 -eq \"PAW\""}}`, `"block"`), remedy.LocksOut, "nobody"},
		"MFA for synchronisation":      {add(everybody, "", `"mfa"`), remedy.Breaks, "synchronises the directory"},
		"block legacy with a scanner":  {add(onlySync, `"clientAppTypes":["exchangeActiveSync","other"]`, `"block"`), remedy.Breaks, "Authenticated SMTP"},
		"all roles but one removed":    {[]remedy.Step{unrole(roleBg1, bg1), unrole(roleBg2, bg2)}, remedy.LocksOut, "only ada"},
		"the last roles removed": {[]remedy.Step{unrole(roleBg1, bg1), unrole(roleBg2, bg2), unrole("adaRoleAssignment", ada)},
			remedy.LocksOut, "no longer is Global Administrator"},
		"one's own role removed": {[]remedy.Step{unrole("adaRoleAssignment", ada)}, remedy.LocksOut, "shut itself out"},
		"security keys and app off": {[]remedy.Step{off("Fido2", "fido2"), off("MicrosoftAuthenticator", "microsoftAuthenticator")},
			remedy.LocksOut, "shut itself out"},
		"break-glass members taken out":   {append(add(`"includeUsers":["All"],"excludeGroups":["`+bgGroup+`"]`, "", `"block"`), unmember(bg1), unmember(bg2)), remedy.LocksOut, "nobody"},
		"security defaults over policies": {[]remedy.Step{step(t, remedy.Update, remedy.Defaults, "", `{"isEnabled":false}`, `{"isEnabled":true}`)}, remedy.Conflicts, "while a policy is on"},
		"the one policy deleted":          {[]remedy.Step{step(t, remedy.Delete, remedy.Policy, mfaAll, mine, "")}, remedy.Opens, "MFA for all"},
		"the one policy report-only":      {to(strings.Replace(mine, `"enabled"`, `"enabledForReportingButNotEnforced"`, 1)), remedy.Opens, "MFA for all"},
		"an exclusion added":              {to(strings.Replace(mine, `"excludeUsers":[`, `"excludeUsers":["`+guid('e', 2)+`",`, 1)), remedy.Opens, "m2@contoso.example"},
		"a trusted place left out":        {to(strings.Replace(mine, `"clientAppTypes"`, `"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]},"clientAppTypes"`, 1)), remedy.Opens, "203.0.113.0"},
		"MFA or a device":                 {to(strings.Replace(mine, `["mfa"]`, `["mfa","compliantDevice"]`, 1)), remedy.Opens, "MFA for all"},
		"a used place deleted":            {append(add(everybody, `"locations":{"includeLocations":["`+hq+`"]}`, `"mfa"`), step(t, remedy.Delete, remedy.Location, hq, place("true"), "")), remedy.Conflicts, "while a policy names it"},
		"a trusted place deleted": {[]remedy.Step{step(t, remedy.Delete, remedy.Location, hq, place("true"), "")},
			remedy.Conflicts, "while it is trusted"},
		"a policy that asks for nothing": {[]remedy.Step{create(t, strings.Replace(policy("", "New", "enabled", everybody, "", `"mfa"`), `{"operator":"OR","builtInControls":["mfa"]}`, "null", 1))}, remedy.Conflicts, "neither grants"},
		"a condition of the future":      {add(everybody, `"quantumRiskLevels":["high"]`, `"mfa"`), remedy.Conflicts, "not understood"},
		"a policy that is gone":          {[]remedy.Step{step(t, remedy.Update, remedy.Policy, devices, policy(devices, "Gone", "disabled", everybody, "", `"mfa"`), policy(devices, "Gone", "enabled", everybody, "", `"mfa"`))}, remedy.Conflicts, "not there any more"},
	}
}

// TestRefused: each plan is refused, for the reason that makes it one.
func TestRefused(t *testing.T) {
	for name, c := range lockOuts(t) {
		t.Run(name, func(t *testing.T) {
			g, err := gate.Look(input(plan(c.steps...)))
			if err != nil {
				t.Fatal(err)
			}
			if g.Passed {
				t.Error("the gate passes")
			}
			found := false
			for i := range g.Findings {
				f := &g.Findings[i]
				found = found || f.Refuses() && f.Kind == c.kind && strings.Contains(f.Text, c.text)
			}
			if !found {
				t.Errorf("no %s with %q among:\n%s", c.kind, c.text, said(g))
			}
		})
	}
}

func said(g *remedy.Gate) string {
	var b strings.Builder
	for i := range g.Findings {
		f := &g.Findings[i]
		b.WriteString(f.ID + " " + string(f.Kind) + " " + f.Text + "\n")
	}
	for _, w := range g.Ways {
		b.WriteString("way " + w.Account + " " + w.How + "\n")
	}
	return b.String()
}

// TestPerUserBeforePolicy: per-user MFA that goes before a policy covers the account opens it.
func TestPerUserBeforePolicy(t *testing.T) {
	in := input(plan(step(t, remedy.Update, remedy.PerUserMFA, ben, `{"perUserMfaState":"enforced"}`, `{"perUserMfaState":"disabled"}`)))
	in.Tenant.Policies = nil
	g, err := gate.Look(in)
	if err != nil {
		t.Fatal(err)
	}
	if g.Passed || !strings.Contains(said(g), "opens ben@contoso.example") {
		t.Errorf("the gate passes or does not say who:\n%s", said(g))
	}
	in = input(in.Plan) // with the policy it changes nothing but legacy clients, which it blocks too
	if g, err = gate.Look(in); err != nil || !g.Passed {
		t.Errorf("under a policy it is refused (%v):\n%s", err, said(g))
	}
}

// TestLicence: without P1 no acceptance helps.
func TestLicence(t *testing.T) {
	in := input(plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`))))
	in.Licences = gate.Licences{Known: true}
	g, _ := gate.Look(in)
	if g.Passed || !strings.Contains(said(g), "licence the tenant has no Entra ID P1") {
		t.Errorf("it passes without a licence:\n%s", said(g))
	}
}

// TestGood: plans that harm nobody pass.
func TestGood(t *testing.T) {
	for name, steps := range map[string][]remedy.Step{
		"MFA beside":       {create(t, policy("", "New", "enabled", gentle, "", `"mfa"`))},
		"risk with MFA":    {create(t, policy("", "New", "enabled", gentle, `"signInRiskLevels":["high"]`, `"mfa"`))},
		"a report":         {create(t, policy("", "New", "enabledForReportingButNotEnforced", everybody, "", `"block"`))},
		"a role of one":    {step(t, remedy.Delete, remedy.Role, roleBg1, `{"principalId":"`+bg1+`","roleDefinitionId":"`+ga+`","directoryScopeId":"/"}`, "")},
		"keys for admins":  {create(t, policy("", "New", "enabled", `"includeRoles":["`+ga+`"],"excludeUsers":["`+ada+`"]`, "", `{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`))},
		"a guests' policy": {create(t, policy("", "New", "enabled", `"includeUsers":["GuestsOrExternalUsers"]`, "", `"block"`))},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := gate.Look(input(plan(steps...)))
			if err != nil || !g.Passed {
				t.Errorf("it is refused (%v):\n%s", err, said(g))
			}
			if len(g.Ways) < 2 || g.Actor == nil && name != "a report" {
				t.Errorf("ways %v, actor %v", g.Ways, g.Actor)
			}
		})
	}
}
