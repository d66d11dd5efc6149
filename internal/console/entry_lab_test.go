package console_test

import (
	"net/url"
	"strings"
	"testing"

	"partnerguard/internal/claim"
	"partnerguard/internal/console"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
)

// Somebody with MFA comes in by the real pages, and is where they wanted to be.
func TestEntry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.get("/posture/see?sort=-age")
	b.leads("/signin?to=%2Fposture%2Fsee%3Fsort%3D-age")
	b.get(b.last.Header().Get("Location"))
	b.is(200, "Sign in", "Continue with Entra ID", "contoso.com")
	answer := b.walk(l, labtest.Admin, "/posture/see?sort=-age")
	b.get(answer)
	b.leads("/posture/see?sort=-age")
	b.get("/posture/see?sort=-age")
	b.is(200, "entra:ravi.menon@contoso.com Administrator")
	list, err := l.Sessions(t.Context())
	l.must(err)
	if s := list[0]; s.Proof == "" || s.Proven.IsZero() || l.Now().Sub(s.Proven).Abs() > 5*60e9 || s.Tenant != l.Info.Tenant.ID {
		t.Errorf("%+v", s)
	}
	b.get("/signin")
	b.leads("/")
	if got := strings.Join(l.said(), ", "); got != "entered" {
		t.Error(got)
	}
	b.get(answer) // once more, from the browser's history
	b.is(400)
	b.get("/posture/see")
	b.is(200)
	b.post("/signout", url.Values{})
	b.leads("/signin?why=left")
	b.get("/signin?why=left")
	b.is(200, "You are signed out here")
	b.get("/posture/see")
	b.leads("/signin?to=%2Fposture%2Fsee")
}

// By another name of this machine the sign-in begins where its cookie will be.
func TestEntryByAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.host = "127.0.0.1:8443"
	b.get("/signin")
	if policy := b.last.Header().Get("Content-Security-Policy"); !strings.Contains(policy, " "+home+";") {
		t.Errorf("a browser would not follow the form: %s", policy)
	}
	b.post("/signin/entra", url.Values{"to": {"/people"}})
	b.leads(home + "/signin?to=%2Fpeople")
}

// Whom no policy asks for MFA comes without the claim, is sent to step up, and comes in
// with it: all at the real pages.
func TestStepUpInLab(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Edit(func(_ *world.State, te *world.Tenant) { te.Policies = world.Table[world.Document, *world.Document]{} })
	b := l.browser()
	b.get(b.walk(l, labtest.Admin, "/posture/see"))
	b.leads("/signin/step-up")
	if b.jar["pg"] != "" {
		t.Fatal("without MFA somebody is in")
	}
	b.get("/signin/step-up")
	b.is(200, "the sign-in does not prove MFA", "ravi.menon@contoso.com")
	b.post("/signin/step-up", url.Values{"to": {"/posture/see"}})
	b.get(b.answered(l, labtest.Admin))
	b.leads("/posture/see")
	b.get("/posture/see")
	b.is(200, "Administrator")
	if got := strings.Join(l.said(), ", "); got != "refused no mfa, entered" {
		t.Error(got)
	}
}

// Who has MFA and no role is refused, and let in by the command that the page names.
func TestNoRoleInLab(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b := l.browser()
	b.get(b.walk(l, labtest.SAMAgent, "/"))
	b.is(403, "sam-agent@contoso.com proved MFA, and has no role here", "partnerguard console roles add --user ", "--name sam-agent@contoso.com")
	var id string
	l.Server.World.Read(func(s *world.State) { id = s.PartnerTenant().UserByName(labtest.SAMAgent).ID })
	if !strings.Contains(b.last.Body.String(), id) {
		t.Error("the object id is not said")
	}
	fabrikam := l.Customer("fabrikam.example")
	_, err := l.Give(t.Context(), console.Grant{Tenant: l.Info.Tenant.ID, Kind: console.KindUser, Subject: id, Name: "The agent", Role: console.RoleEngineer,
		Customers: []string{fabrikam}}, "local:owner")
	l.must(err)
	b.get(b.walk(l, labtest.SAMAgent, "/"))
	b.leads("/")
	b.get("/")
	b.is(200, "Engineer")
	list, err := l.Sessions(t.Context())
	l.must(err)
	if len(list) != 1 || len(list[0].Customers) != 1 || list[0].Customers[0] != strings.ToLower(fabrikam) {
		t.Errorf("%+v", list)
	}
}

// The app of the console may ask for groups by its registration.
func TestGroupsInLab(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var group string
	l.Edit(func(s *world.State, te *world.Tenant) {
		_, a := s.App(labtest.PanelApp)
		te.Apps.Change(a.ID, func(a *world.Application) { a.More = map[string]any{"groupMembershipClaims": "SecurityGroup"} })
		for g := range te.Groups.All() {
			if g.Name == "GDAP Azure" {
				group = g.ID
			}
		}
	})
	_, err := l.Give(t.Context(), console.Grant{Tenant: l.Info.Tenant.ID, Kind: console.KindGroup, Subject: group, Name: "Azure", Role: console.RoleOnCall},
		"local:owner")
	l.must(err)
	b := l.browser()
	b.get(b.walk(l, labtest.SAMAgent, "/"))
	b.leads("/")
	b.get("/")
	b.is(200, "On call")
}

// What the console takes for proof is what the claim engine says of the same token.
func TestSameProof(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g := l.Grant(labtest.PanelApp, labtest.Admin, func(r *msapi.AuthorizeRequest) {
		r.Redirect, r.Resource = home+"/signin/callback", l.Cloud.GraphResource
	})
	if v := claim.Inspect(g.ID).MFA(claim.Options{Now: l.Now(), Issuers: l.Cloud.Issuers}); v.Answer != claim.Proven {
		t.Errorf("%+v", v)
	}
}
