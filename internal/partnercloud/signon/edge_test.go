package signon

import (
	"slices"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const everyone = `"state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]`

func frequency(v string) string {
	return everybody + `,"sessionControls":{"signInFrequency":{"isEnabled":true,` + v + `}}`
}

func TestJudgeEdges(t *testing.T) {
	t.Parallel()
	type change = func(s *world.State, p, c *world.Tenant, u *world.User)
	with := func(list ...string) change {
		return func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			for i, raw := range list {
				policy(p, "ca"+string(rune('1'+i)), raw)
			}
		}
	}
	done := func(a *Attempt) {
		a.MFA, a.AMR, a.Combos, a.MFATime = true, []string{"pwd", "mfa"}, []string{"password,softwareOath"}, start
	}
	nothing := func(_ *world.State, p, _ *world.Tenant, u *world.User) { p.SecurityDefaults, u.Methods = true, nil }
	const blocked = `,"grantControls":{"operator":"OR","builtInControls":["block"]}`
	for _, c := range []struct {
		name    string
		world   change
		attempt func(*Attempt)
		outcome Outcome
		code    int
	}{
		{"an expired password", func(_ *world.State, _, _ *world.Tenant, u *world.User) { u.PasswordExpired = true }, nil, Block, 50055},
		{"what is not understood is held to apply", with(everyone + `,"devices":{"deviceFilter":{"mode":"include","rule":"device.model -eq \"X\""}}}` +
			blocked), nil, Block, 53003},
		{"AND asks for both, MFA first", with(everybody + `,"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`),
			func(a *Attempt) { a.Compliant = true }, NeedMFA, 50076},
		{"AND with MFA and no device", with(everybody + `,"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`), done, Block, 53000},
		{"a strength that nobody knows", with(everybody +
			`,"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"11111111-1111-4111-8111-111111111111"}}`), done, Block,
			53003},
		{"a block outranks an earlier wish for MFA", with(everybody+wantMFA, everybody+blocked), nil, Block, 53003},
		{"defaults: who registered nothing registers, however lately he was in", nothing, nil, Register, 50079},
		{"defaults: a token that lives on does not ask for it", nothing, func(a *Attempt) { a.Interactive, a.IncomingTokenType = false, "refreshToken" },
			Allow, 0},
		{"defaults: a guest registers at home", func(s *world.State, p, c *world.Tenant, u *world.User) { nothing(s, p, c, u); u.Guest = true },
			func(a *Attempt) { a.Home = &world.Tenant{ID: "elsewhere"} }, Allow, 0},
		{"defaults: no word for a refresh after a long time", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			p.SecurityDefaults, u.LastSuccess = true, time.Time{}
		}, func(a *Attempt) { a.Interactive = false }, Allow, 0},
		{"who has an external method alone is asked, not registered", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			u.Methods = []world.Method{{Type: world.MethodExternal}}
			policy(p, "ca", everybody+wantMFA)
		}, nil, NeedMFA, 50076},
		{"every time: what was proved in this sign-in will do", with(frequency(`"frequencyInterval":"everyTime"`)),
			func(a *Attempt) { done(a); a.Fresh, a.AuthTime = true, start.Add(-6*time.Minute) }, Allow, 0},
		{"every time: what was proved before will not", with(frequency(`"frequencyInterval":"everyTime"`)),
			func(a *Attempt) { done(a); a.AuthTime = start.Add(-6 * time.Minute) }, Again, 50078},
		{"the shortest frequency counts, whichever comes first", with(frequency(`"type":"hours","value":1,"frequencyInterval":"timeBased"`),
			frequency(`"type":"hours","value":8,"frequencyInterval":"timeBased"`)), func(a *Attempt) { a.AuthTime = start.Add(-2 * time.Hour) }, Again, 50078},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, a := lab(c.world)
			if c.attempt != nil {
				c.attempt(a)
			}
			w.Read(func(s *world.State) {
				if r := Judge(s, a); r.Outcome != c.outcome || r.Code != c.code {
					t.Errorf("%s %d (%s), want %s %d", r.Outcome, r.Code, r.Reason, c.outcome, c.code)
				}
			})
		})
	}
}

// While AOBO enforcement rises, its share of those without MFA is asked, and
// everybody who has it is told by whom.
func TestAOBOShare(t *testing.T) {
	t.Parallel()
	w, a := lab(func(s *world.State, _, _ *world.Tenant, _ *world.User) {
		s.Enforcement = world.Enforcement{AOBO: world.Activation{Ramp: start.Add(-time.Hour), FirstShare: .3}}
	})
	w.Read(func(s *world.State) {
		a.Tenant, a.AOBO = s.Tenant("fabrikam.example"), true
		asked := 0
		for range 20 {
			if Judge(s, a).Outcome == NeedMFA {
				asked++
			}
		}
		if asked != 6 {
			t.Errorf("%d of 20 asked, want 6", asked)
		}
		a.MFA = true
		for range 5 {
			if r := Judge(s, a); r.Outcome != Allow || len(r.Requirements) != 1 {
				t.Errorf("with MFA: %s %v", r.Outcome, r.Requirements)
			}
		}
	})
}

// What a report-only policy would have done, and what a policy wants besides.
func TestReportOnlyAndPasswordChange(t *testing.T) {
	t.Parallel()
	report := func(grant string) string {
		return `"state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["` + grant + `"]}`
	}
	for grant, want := range map[string]string{"block": "reportOnlyFailure", "compliantDevice": "reportOnlyFailure", "mfa": "reportOnlyInterrupted"} {
		w, a := lab(func(_ *world.State, p, _ *world.Tenant, _ *world.User) { policy(p, "ca", report(grant)) })
		w.Read(func(s *world.State) {
			r := Judge(s, a)
			if r.Outcome != Allow || len(r.Applied) != 1 || r.Applied[0].Result != want {
				t.Errorf("%s: %s %+v, want %s", grant, r.Outcome, r.Applied, want)
			}
		})
	}
	w, a := lab(func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
		policy(p, "ca", everybody+`,"grantControls":{"operator":"AND","builtInControls":["mfa","passwordChange"]}`)
	})
	w.Read(func(s *world.State) {
		if r := Judge(s, a); !r.PasswordChange || r.Outcome != NeedMFA {
			t.Errorf("password change: %v %s", r.PasswordChange, r.Outcome)
		}
	})
}

// A row says who came from where, and hides risk from those who do not pay for it.
func TestRowOfOthers(t *testing.T) {
	t.Parallel()
	w, a := lab(func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
		p.SKUs = []world.SKU{{Status: "Enabled", Enabled: 9, Plans: []world.Plan{{Name: world.PlanP1}}}}
	})
	w.Read(func(s *world.State) {
		a.SignInRisk = "high"
		r := Judge(s, a)
		if row := Row(s, a, &r, -1); row.RiskDuring != "hidden" || row.RiskAggregated != "hidden" {
			t.Errorf("risk with P1: %s %s", row.RiskDuring, row.RiskAggregated)
		}
		a.Home = s.Tenant("fabrikam.example")
		if row := Row(s, a, &r, -1); row.CrossTenant != "b2bCollaboration" || row.UserType != "guest" {
			t.Errorf("somebody from elsewhere: %s %s", row.CrossTenant, row.UserType)
		}
		a.Home = a.Tenant
		if row := Row(s, a, &r, -1); row.CrossTenant != "none" || row.UserType != "member" || slices.Contains(row.EventTypes, "nonInteractiveUser") {
			t.Errorf("a member: %s %s %v", row.CrossTenant, row.UserType, row.EventTypes)
		}
	})
}
