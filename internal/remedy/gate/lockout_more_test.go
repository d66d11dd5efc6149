package gate_test

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

// trap is a plan that looks harmless and locks somebody out, or of which it cannot be said.
type trap struct {
	steps  []remedy.Step
	change func(*gate.Input) // what is so in this tenant
	kind   remedy.FindingKind
	text   string
}

// each does something to the accounts of some ids.
func each(in *gate.Input, do func(*access.Subject), ids ...string) {
	for i := range in.Tenant.Users {
		if u := &in.Tenant.Users[i]; slices.Contains(ids, u.ID) {
			do(u)
		}
	}
}

const workload = `"clientApplications":{"includeServicePrincipals":["ServicePrincipalsInMyTenant"]}`

// traps differ in kind: in who holds a role and how, in what names whom, in what is not understood.
func traps(t testing.TB) map[string]trap {
	mild := []remedy.Step{create(t, policy("", "New", "enabled", `"includeUsers":["`+ben+`"]`, "", `"mfa"`))}
	add := func(users, more, grant string) []remedy.Step {
		return []remedy.Step{create(t, policy("", "New", "enabled", users, more, grant))}
	}
	inner, app := guid('b', 7), guid('f', 1)
	forApps := policy("", "Apps", "enabled", `"includeUsers":["None"]`, workload, `"block"`)
	out := map[string]trap{
		"those who hold their role only when they activate it": {mild, func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.Roles, u.Eligible = nil, []string{ga} }, bg1, bg2)
		}, remedy.LocksOut, "2 have to be"},
		"those who hold it by a group that may be joined": {mild, func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.Roles, u.Activate = nil, []string{inner} }, bg1, bg2)
		}, remedy.LocksOut, "2 have to be"},
		"those of whom one copy says that they hold it": {mild, func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.PerhapsRoles, u.Roles = u.Roles, nil }, bg1, bg2)
		}, remedy.LocksOut, "2 have to be"},
		"administrators of a service provider": {mild, func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.External, u.HomeTenant = access.ServiceProvider, guid('9', 1) }, bg1, bg2)
		}, remedy.LocksOut, "directory of others"},
		"administrators who may be guests": {mild, func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.Kinds = []access.External{access.Member, access.CollaborationGuest} }, bg1, bg2)
		}, remedy.LocksOut, "directory of others"},
		"break-glass accounts that are left out by a group above theirs, which they leave": {[]remedy.Step{
			create(t, policy("", "New", "enabled", everybody+`,"excludeGroups":["`+inner+`"]`, "", `"block"`)),
			step(t, remedy.Delete, remedy.Member, bgGroup+"/"+bg1, `{"group":"`+bgGroup+`","member":"`+bg1+`"}`, "")},
			func(in *gate.Input) {
				in.Tenant.KnownGroups[inner] = true
				each(in, func(u *access.Subject) { u.Groups = append(u.Groups, inner) }, bg1, bg2)
			}, remedy.LocksOut, "2 have to be"},
		"people left out by their names": {add(everybody+`,"excludeUsers":["bg1@contoso.example","bg2@contoso.example"]`, "", `"block"`), nil,
			remedy.LocksOut, "nobody"},
		"a group left out by its name": {add(everybody+`,"excludeGroups":["Break-glass"]`, "", `"block"`), nil, remedy.LocksOut, "nobody"},
		"a name that is the id of another": {add(everybody+`,"excludeUsers":["`+guid('e', 9)+`"]`, "", `"block"`), func(in *gate.Input) {
			each(in, func(u *access.Subject) { u.Name = guid('e', 9) }, bg1, bg2)
		}, remedy.LocksOut, "nobody"},
		"a state that nobody knows": {[]remedy.Step{create(t, policy("", "New", "enabledForPilot", everybody, "", `"block"`))}, nil,
			remedy.Conflicts, "enabledForPilot"},
		"a control that nobody knows":   {add(everybody, "", `"quantumMfa"`), nil, remedy.Conflicts, "quantumMfa"},
		"an operator that nobody knows": {add(gentle, "", `{"operator":"XOR","builtInControls":["mfa"]}`), nil, remedy.Conflicts, "operator"},
		"a client that nobody knows":    {add(everybody, `"clientAppTypes":["telepathy"]`, `"block"`), nil, remedy.Conflicts, "telepathy"},
		"a platform that nobody knows": {add(everybody, `"platforms":{"includePlatforms":["all"],"excludePlatforms":["toaster"]}`, `"block"`), nil,
			remedy.Conflicts, "toaster"},
		"a risk that nobody knows": {add(everybody, `"signInRiskLevels":["apocalyptic"]`, `"block"`), nil, remedy.Conflicts, "apocalyptic"},
		"a strength that nobody knows": {add(everybody, "", `{"operator":"OR","authenticationStrength":{"id":"`+guid('9', 3)+`"}}`), nil,
			remedy.LocksOut, ""},
		"a clause in a clause": {add(everybody+`,"excludeMoonPhases":["full"]`, "", `"block"`), nil, remedy.Conflicts, "not understood"},
		"a place whose networks are not": {add(everybody, `"locations":{"includeLocations":["All"],"excludeLocations":["`+guid('c', 8)+`"]}`, `"block"`), nil,
			remedy.LocksOut, "nobody"},
		"all apps, for the app that applies it": {[]remedy.Step{create(t, forApps)}, func(in *gate.Input) { in.Actor = "app:" + app },
			remedy.LocksOut, "the application that applies the plan"},
		"all apps, for a person": {[]remedy.Step{create(t, forApps)}, nil, remedy.Unknown, "which apps sign in"},
		"the app that applies it, switched off": {[]remedy.Step{
			step(t, remedy.Update, remedy.Principal, app, `{"accountEnabled":true}`, `{"accountEnabled":false}`)},
			func(in *gate.Input) { in.Actor = "app:" + app }, remedy.LocksOut, "the application that applies the plan"},
		"a break-glass account that somebody put into a stage's group": {add(
			everybody+`,"excludeUsers":["`+scanner+`"],"excludeRoles":["`+entra.RoleDirectorySync+`"]`, "", `"block"`),
			func(in *gate.Input) {
				in.From, in.Stage, in.IDs = remedy.Pilot, "10%", map[string]string{"pilot": guid('b', 60), "conditional-new": guid('d', 60)}
				in.Tenant.Policies = append(in.Tenant.Policies, parse(policy(guid('d', 60), "New", "enabled",
					`"includeGroups":["`+guid('b', 60)+`"]`, "", `"block"`))...)
				in.Tenant.KnownGroups[guid('b', 60)] = true
				each(in, func(u *access.Subject) { u.Groups = append(u.Groups, guid('b', 60)) }, bg1, bg2)
			}, remedy.LocksOut, "2 have to be"},
	}
	return out
}

// TestTraps: each is refused for its own reason, and no acceptance of anybody opens the gate where it
// locks somebody out.
func TestTraps(t *testing.T) {
	for name, c := range traps(t) {
		t.Run(name, func(t *testing.T) {
			in := input(plan(c.steps...))
			if c.change != nil {
				c.change(&in)
			}
			g := look(t, in)
			found := slices.ContainsFunc(g.Findings, func(f remedy.Finding) bool {
				return f.Refuses() && f.Kind == c.kind && strings.Contains(f.Text, c.text)
			})
			if g.Passed || !found {
				t.Errorf("passed %v, no %s with %q among:\n%s", g.Passed, c.kind, c.text, said(g))
			}
			for i := range g.Findings {
				in.Plan.Accepted = append(in.Plan.Accepted, remedy.Acceptance{Finding: g.Findings[i].ID, By: "Mallory", Why: "all is well",
					Until: now.AddDate(0, 1, 0)})
			}
			if never := c.kind == remedy.LocksOut || c.kind == remedy.Conflicts; never && look(t, in).Passed {
				t.Error("everything accepted, and it passes")
			}
		})
	}
}

// TestOpenGroups: a group into which others decide who comes is refused, whatever names it.
func TestOpenGroups(t *testing.T) {
	for name, c := range map[string]struct{ group, says string }{
		"a team that everybody may join": {`"groupTypes":["Unified"],"visibility":"Public","mailEnabled":true`, "everybody may join"},
		"a rule that puts people in": {`"groupTypes":["DynamicMembership"],"membershipRule":"user.department -eq \"Sales\"",` +
			`"membershipRuleProcessingState":"On","mailEnabled":false`, "a rule"},
	} {
		raw := `{"displayName":"Left out","mailNickname":"left-out","securityEnabled":true,` + c.group + `}`
		made := step(t, remedy.Create, remedy.Group, "", "", raw)
		made.Key = "left-out"
		g := look(t, input(plan(made, create(t, policy("", "New", "enabled", gentle+`,"excludeGroups":["{left-out}"]`, "", `"mfa"`)))))
		if g.Passed || !strings.Contains(said(g), c.says) {
			t.Errorf("%s: passed %v:\n%s", name, g.Passed, said(g))
		}
	}
}
