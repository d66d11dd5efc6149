package authority_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// registration changes how an app is registered.
func (l *lab) registration(appID string, f func(a *world.Application)) {
	l.w.Read(func(s *world.State) {
		t, a := s.App(appID)
		next := *a
		f(&next)
		s.PutApp(t, &next)
	})
}

func claimsOf(kind string, names ...string) map[string]any {
	var list []any
	for _, n := range names {
		list = append(list, map[string]any{"name": n})
	}
	return map[string]any{"optionalClaims": map[string]any{kind: list}}
}

func TestTokensCarryWhatTheRegistrationAsksFor(t *testing.T) {
	l := newLab(t)
	l.change(adaID, func(u *world.User) { u.Mail, u.Given, u.Surname, u.Location = "ada@contoso.com", "Ada", "Ampere", "DE" })
	r := l.sam()
	if k := l.claims(r.ID); k.Account != nil || k.Family != "" || k.Groups != nil || k.UPN != "" {
		t.Fatalf("nobody asked for these: %+v", k)
	}
	l.registration(samApp, func(a *world.Application) {
		a.More = claimsOf("idToken", "acct", "family_name", "upn", "verified_primary_email", "ctry", "auth_time", "no_such_claim")
		a.More["groupMembershipClaims"] = "SecurityGroup"
	})
	l.jump(time.Minute)
	id := l.claims(l.sam().ID)
	if id.Account == nil || *id.Account != 0 || id.Family != "Ampere" || id.UPN != "ada@contoso.com" || len(id.Verify) != 1 || id.Country != "DE" ||
		id.AuthTime == 0 {
		t.Errorf("%+v", id)
	}
	if !slices.Equal(id.Groups, []string{"90000000-0000-4000-8000-000000000001"}) {
		t.Errorf("groups %v", id.Groups)
	}
	// An API asks in its own registration, for tokens that are for it.
	api := func() *reply { return l.refresh(partnerID, r.Refresh, "scope", "api://"+apiApp+"/.default") }
	if k := l.claims(api().Access); k.UPN != "" || k.Groups != nil {
		t.Errorf("%+v", k)
	}
	l.registration(apiApp, func(a *world.Application) {
		a.More = claimsOf("accessToken", "upn")
		a.More["groupMembershipClaims"] = "ApplicationGroup"
	})
	if k := l.claims(api().Access); k.UPN != "ada@contoso.com" || len(k.Groups) != 0 {
		t.Errorf("%+v", k)
	}
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.AppRoles.Put(&world.AppRoleAssignment{ID: "x", Principal: "90000000-0000-4000-8000-000000000001", Resource: p.SP(apiApp).ID})
	})
	if k := l.claims(api().Access); len(k.Groups) != 1 {
		t.Errorf("groups assigned to the app: %v", k.Groups)
	}
	// Too many for a token: it says where they are.
	l.w.Read(func(s *world.State) {
		for i := range 201 {
			s.PartnerTenant().Groups.Put(&world.Group{ID: fmt.Sprintf("91000000-0000-4000-8000-%012d", i), Name: "many", Members: []string{adaID}})
		}
		s.Touch(s.PartnerTenant())
	})
	l.jump(time.Minute)
	if k := l.claims(l.sam().ID); k.Groups != nil || k.Where["groups"] == "" || k.Places[k.Where["groups"]].Endpoint == "" {
		t.Errorf("%+v", k)
	}
}

func TestPreAuthorizedClientsNeedNoConsent(t *testing.T) {
	l := newLab(t)
	l.registration(apiApp, func(a *world.Application) { a.Audience = "AzureADMultipleOrgs" })
	r := l.sam()
	drop := func(s *world.State) {
		p := s.PartnerTenant()
		p.Grants.Delete(samApp + apiApp)
		s.Touch(p)
	}
	l.w.Read(drop)
	ask := func() *reply { return l.refresh(partnerID, r.Refresh, "scope", "api://"+apiApp+"/access") }
	if got := ask(); got.Access != "" {
		t.Fatal("a token without consent")
	}
	l.registration(apiApp, func(a *world.Application) {
		a.More = map[string]any{"api": map[string]any{"preAuthorizedApplications": []any{
			map[string]any{"appId": samApp, "delegatedPermissionIds": []any{"1"}},
		}}}
	})
	if got := ask(); got.Access == "" || l.claims(got.Access).Scope != "access" {
		t.Errorf("%+v", got)
	}
	l.registration(apiApp, func(a *world.Application) {
		a.Scopes = []world.Scope{{ID: "1", Value: "access", Text: &world.ScopeText{Disabled: true}}}
	})
	if got := ask(); got.Access != "" {
		t.Error("a token for a disabled scope")
	}
}

func TestUsersConsentAsTheAuthorizationPolicySays(t *testing.T) {
	for name, c := range map[string]struct {
		assigned string
		wants    string
	}{
		"untouched":   {`{}`, "Permissions requested"},
		"nothing":     {`{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":[]}}`, "AADSTS90094"},
		"recommended": {`{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":["ManagePermissionGrantsForSelf.microsoft-user-default-recommended"]}}`, "Permissions requested"},
		"low":         {`{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":["ManagePermissionGrantsForSelf.microsoft-user-default-low"]}}`, "Permissions requested"},
	} {
		l := newLab(t)
		l.w.Read(func(s *world.State) {
			p := s.PartnerTenant()
			p.Settings.Put(&world.Document{ID: "authorizationPolicy", Raw: []byte(c.assigned)})
			s.Touch(p)
		})
		b := l.browser().get(l.authorizeURL(partnerID, "client_id", otherApp)).signIn("ben@contoso.com")
		if !strings.Contains(b.page, c.wants) {
			t.Errorf("%s: no %q in\n%.1500s", name, c.wants, b.page)
		}
	}
}
