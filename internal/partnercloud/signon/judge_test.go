package signon

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	globalAdmin = entra.RoleGlobalAdministrator
	resource    = entra.AppGraph
)

// lab is a partner with P2 and one customer, and a user with a TOTP app.
func lab(change func(s *world.State, p, c *world.Tenant, u *world.User)) (*world.World, *Attempt) {
	w := world.New(1, world.NewClock(func() time.Time { return start }))
	a := &Attempt{}
	w.Read(func(s *world.State) {
		p := &world.Tenant{ID: "aaaaaaaa-0000-4000-8000-000000000001", Name: "Contoso", Domains: []string{"contoso.com"}, Kind: world.PartnerTenant,
			SKUs: []world.SKU{{Status: "Enabled", Enabled: 9, Plans: []world.Plan{{Name: world.PlanP1}, {Name: world.PlanP2}}}}}
		c := &world.Tenant{ID: "aaaaaaaa-0000-4000-8000-000000000002", Name: "Fabrikam", Domains: []string{"fabrikam.example"}, Kind: world.CustomerTenant}
		u := &world.User{ID: "aaaaaaaa-0000-4000-8000-00000000000a", UPN: "mia@contoso.com", Name: "Mia", Enabled: true, Created: start,
			LastSuccess: start.Add(-time.Hour),
			Methods:     []world.Method{{ID: "m", Type: world.MethodTOTP}}}
		s.Partner = p.ID
		*a = Attempt{Tenant: p, Home: p, User: u, AppID: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", AppName: "CLI", Resource: resource,
			ResourceName: "Microsoft Graph",
			Client:       Browser, Platform: "windows", IP: netip.MustParseAddr("203.0.113.7"), Place: world.Place{Country: "IE"}, Interactive: true,
			AMR: []string{"pwd"}, AuthTime: start}
		if change != nil {
			change(s, p, c, u)
		}
		p.Users.Put(u)
		s.Put(p)
		s.Put(c)
	})
	return w, a
}

func policy(t *world.Tenant, id, raw string) {
	raw = `{"id":"` + id + `","displayName":"` + id + `",` + raw + `}`
	t.Policies.Put(&world.Document{ID: id, Raw: []byte(raw)})
}

const (
	everybody = `"state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]}`
	wantMFA   = `,"grantControls":{"operator":"OR","builtInControls":["mfa"]}`
)

func TestJudge(t *testing.T) {
	t.Parallel()
	mfa := func(a *Attempt) {
		a.MFA, a.Fresh, a.AMR, a.Combos, a.MFATime = true, true, []string{"pwd", "mfa"}, []string{"password,softwareOath"}, start
	}
	type change = func(s *world.State, p, c *world.Tenant, u *world.User)
	cases := []struct {
		name     string
		world    change
		attempt  func(a *Attempt)
		outcome  Outcome
		code     int
		provider string
		ca       string
	}{
		{"nothing asks", nil, nil, Allow, 0, "", "notApplied"},
		{"a disabled account", func(_ *world.State, _, _ *world.Tenant, u *world.User) { u.Enabled = false }, nil, Block, 50057, "", "notApplied"},
		{"the request asks", nil, func(a *Attempt) { a.AskMFA = true }, NeedMFA, 50076, "request", "notApplied"},
		{"the request asks and has it", nil, func(a *Attempt) { a.AskMFA = true; mfa(a) }, Allow, 0, "request", "notApplied"},
		{"a policy asks", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { policy(p, "ca", everybody+wantMFA) }, nil, NeedMFA, 50076,
			"multiConditionalAccess", "failure"},
		{"a policy asks and it was done", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { policy(p, "ca", everybody+wantMFA) }, mfa, Allow, 0,
			"multiConditionalAccess", "success"},
		{"nothing is registered", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			u.Methods = nil
			policy(p, "ca", everybody+wantMFA)
		}, nil, Register, 50079, "multiConditionalAccess", "failure"},
		{"report-only asks nobody", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", strings.Replace(everybody, `"enabled"`, `"enabledForReportingButNotEnforced"`, 1)+wantMFA)
		}, nil, Allow, 0, "", "notApplied"},
		{"a block", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":["block"]}`)
		}, mfa, Block, 53003, "", "failure"},
		{"a compliant device is asked for", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":["compliantDevice"]}`)
		}, mfa, Block, 53000, "", "failure"},
		{"a compliant device is there", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":["compliantDevice"]}`)
		}, func(a *Attempt) { a.Compliant = true }, Allow, 0, "", "success"},
		{"MFA or a compliant device: the device is the way around", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`)
		}, func(a *Attempt) { a.Compliant = true }, Allow, 0, "", "success"},
		{"MFA or a compliant device, and neither", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`)
		}, nil, NeedMFA, 50076, "multiConditionalAccess", "failure"},
		{"MFA and a compliant device: MFA alone does not do", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`)
		}, mfa, Block, 53000, "multiConditionalAccess", "failure"},
		{"a custom control never holds", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":[],"customAuthenticationFactors":["x"]}`)
		}, mfa, Block, 50158, "", "failure"},
		{"a strength that TOTP does not meet", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			u.Methods = append(u.Methods, world.Method{Type: world.MethodFIDO2})
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"x","allowedCombinations":["fido2","windowsHelloForBusiness"]}}`)
		}, mfa, NeedMFA, 50076, "multiConditionalAccess", "failure"},
		{"a strength that nothing registered meets", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"x","allowedCombinations":["fido2"]}}`)
		}, mfa, Register, 50079, "multiConditionalAccess", "failure"},
		{"an external provider satisfies MFA", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { policy(p, "ca", everybody+wantMFA) },
			func(a *Attempt) { mfa(a); a.Combos, a.External = nil, true }, Allow, 0, "multiConditionalAccess", "success"},
		{"an external provider never satisfies a strength", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"x","allowedCombinations":["password,softwareOath"]}}`)
		}, func(a *Attempt) { mfa(a); a.Combos, a.External = nil, true }, NeedMFA, 50076, "multiConditionalAccess", "failure"},
		{"a strength in any order of its parts", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"x","allowedCombinations":["softwareOath, password"]}}`)
		}, mfa, Allow, 0, "multiConditionalAccess", "success"},
		{"security defaults ask an administrator each time", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			p.SecurityDefaults = true
			p.Held.Put(&world.RoleAssignment{ID: "h", Principal: u.ID, Role: globalAdmin, Scope: "/", Start: start})
		}, nil, NeedMFA, 50076, "securityDefaults", "notApplied"},
		{"a role that has ended asks nothing", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			p.SecurityDefaults = true
			p.Held.Put(&world.RoleAssignment{ID: "h", Principal: u.ID, Role: globalAdmin, Scope: "/", Start: start.Add(-time.Hour), End: start})
		}, nil, Allow, 0, "", "notApplied"},
		{"security defaults leave others alone who were here lately", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { p.SecurityDefaults = true },
			nil, Allow, 0, "", "notApplied"},
		{"security defaults ask others when necessary", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			p.SecurityDefaults, u.LastSuccess = true, start.Add(-31*24*time.Hour)
		}, nil, NeedMFA, 50076, "securityDefaults", "notApplied"},
		{"security defaults ask everybody at Azure management", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { p.SecurityDefaults = true },
			func(a *Attempt) { a.Resource = entra.AppARM }, NeedMFA, 50076, "securityDefaults", "notApplied"},
		{"security defaults block old protocols", func(_ *world.State, p, _ *world.Tenant, _ *world.User) { p.SecurityDefaults = true },
			func(a *Attempt) { a.Client = Legacy }, Block, 530035, "", "notApplied"},
		{"security defaults block the device code flow in a new tenant", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			p.SecurityDefaults, p.Created = true, deviceCodeEnds
		},
			func(a *Attempt) { a.Client = DeviceCode }, Block, 530035, "", "notApplied"},
		{"security defaults let it be in an older tenant", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			p.SecurityDefaults, p.Created = true, deviceCodeEnds.Add(-time.Second)
		}, func(a *Attempt) { a.Client = DeviceCode }, Allow, 0, "", "notApplied"},
		{"the synchronisation account is never asked", func(_ *world.State, p, _ *world.Tenant, u *world.User) {
			p.SecurityDefaults, u.LastSuccess = true, time.Time{}
			p.Held.Put(&world.RoleAssignment{ID: "h", Principal: u.ID, Role: "d29b2b05-8046-44ba-8758-1e26182fcf32", Scope: "/", Start: start})
		}, nil, Allow, 0, "", "notApplied"},
		{"per-user MFA", func(_ *world.State, _, _ *world.Tenant, u *world.User) { u.PerUserMFA = "enforced" }, nil, NeedMFA, 50076, "user", "notApplied"},
		{"a sign-in frequency that has passed", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"days","value":7,"frequencyInterval":"timeBased"}}`)
		}, func(a *Attempt) { a.AuthTime = start.Add(-7 * 24 * time.Hour) }, Again, 50078, "", "success"},
		{"a sign-in frequency kills a refresh token", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":8,"frequencyInterval":"timeBased"}}`)
		}, func(a *Attempt) { a.AuthTime, a.Interactive = start.Add(-9*time.Hour), false }, Again, 70043, "", "success"},
		{"a sign-in frequency that has not", func(_ *world.State, p, _ *world.Tenant, _ *world.User) {
			policy(p, "ca", everybody+`,"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"days","value":7,"frequencyInterval":"timeBased"}}`)
		}, func(a *Attempt) { a.AuthTime = start.Add(-7*24*time.Hour + time.Second) }, Allow, 0, "", "success"},
		{"AOBO asks every partner user", nil, func(a *Attempt) { a.AOBO = true }, NeedMFA, 50076, "enforcedForCspAdmins", "notApplied"},
		{"AOBO with MFA", nil, func(a *Attempt) { a.AOBO = true; mfa(a) }, Allow, 0, "enforcedForCspAdmins", "notApplied"},
		{"AOBO before there was enforcement", func(s *world.State, _, _ *world.Tenant, _ *world.User) { s.Enforcement = world.Enforcement{} },
			func(a *Attempt) { a.AOBO = true }, Allow, 0, "", "notApplied"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, a := lab(c.world)
			if c.attempt != nil {
				c.attempt(a)
			}
			w.Read(func(s *world.State) {
				if a.AOBO {
					a.Tenant = s.Tenant("fabrikam.example")
				}
				r := Judge(s, a)
				if r.Outcome != c.outcome || r.Code != c.code || r.CAStatus != c.ca {
					t.Errorf("%s %d %s (%s), want %s %d %s", r.Outcome, r.Code, r.CAStatus, r.Reason, c.outcome, c.code, c.ca)
				}
				has := slices.ContainsFunc(r.Requirements, func(q world.Requirement) bool { return q.Provider == c.provider })
				if c.provider != "" && !has || c.provider == "" && len(r.Requirements) > 0 {
					t.Errorf("asked by %v, want %q", r.Requirements, c.provider)
				}
				if c.code != 0 && r.Reason == "Other." {
					t.Errorf("code %d has no words", c.code)
				}
				row := Row(s, a, &r, -1)
				if want := map[bool]string{true: "multiFactorAuthentication",
					false: "singleFactorAuthentication"}[c.provider != ""]; row.Requirement != want || row.Status.ErrorCode != c.code {
					t.Errorf("row: %s %d, want %s %d", row.Requirement, row.Status.ErrorCode, want, c.code)
				}
				if want := map[bool]string{true: "serviceProvider", false: "none"}[a.AOBO]; row.CrossTenant != want {
					t.Errorf("row: crossTenantAccessType %s, want %s", row.CrossTenant, want)
				}
			})
		})
	}
}

// A customer's own policies reach partner users as service providers only.
func TestCustomerPoliciesReachServiceProviders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, users string
		want        Outcome
	}{
		{"all users", `"includeUsers":["All"]`, Block},
		{"service providers by type", `"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"@odata.type":"#microsoft.graph.conditionalAccessAllExternalTenants","membershipKind":"all"}}`, Block},
		{"guests only", `"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"b2bCollaborationGuest","externalTenants":{"membershipKind":"all"}}`,
			Allow},
		{"service providers left out", `"includeUsers":["All"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"all"}}`, Allow},
	} {
		w, a := lab(func(_ *world.State, _, customer *world.Tenant, _ *world.User) {
			policy(customer, "ca", `"state":"enabled","conditions":{"users":{`+c.users+
				`},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}`)
		})
		w.Read(func(s *world.State) {
			a.Tenant, a.AOBO = s.Tenant("fabrikam.example"), true
			a.MFA, a.AMR = true, []string{"pwd", "mfa"}
			if r := Judge(s, a); r.Outcome != c.want {
				t.Errorf("%s: %s %d, want %s", c.name, r.Outcome, r.Code, c.want)
			}
		})
	}
}
