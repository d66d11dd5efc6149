package partnercloud

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// li has a passcode app and no role.
const li = "li.chen@contoso.com"

const policyScopes = "Policy.Read.All Policy.ReadWrite.ConditionalAccess Policy.ReadWrite.SecurityDefaults Application.Read.All User.ReadWrite.All " +
	"Directory.AccessAsUser.All User.RevokeSessions.All Directory.Read.All"

// blockFor is a Conditional Access policy that keeps one user out.
func blockFor(user, state string) string {
	return `{"displayName":"Keep out","state":"` + state + `","conditions":{"clientAppTypes":["all"],"users":{"includeUsers":["` + user +
		`"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`
}

// newest is the latest row of a user in a tenant's log.
func (l *lab) newest(tenant, upn string) *world.SignIn {
	l.Helper()
	for _, r := range slices.Backward(l.signIns(tenant)) {
		if strings.EqualFold(r.UserPrincipalName, upn) {
			return r
		}
	}
	l.Fatalf("no row of %s", upn)
	return nil
}

func applied(r *world.SignIn, name string) string {
	for _, p := range r.Applied {
		if p.DisplayName == name {
			return p.Result
		}
	}
	return ""
}

// What Graph writes decides the very next sign-in.
func TestWalkPolicyDecides(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner := l.i.Tenant.ID
	root := l.asAdmin(partner, admin, graphScope(policyScopes))
	policies := l.i.Graph + "/v1.0/identity/conditionalAccess/policies"
	enter := func() *browser {
		return l.browser().open(l.authorize(partner)).signIn(li)
	}
	rt := enter().redeem(partner).text("refresh_token")

	a := l.call(http.MethodPost, policies, root, blockFor(l.userID(li), "enabled"))
	if a.status != http.StatusCreated {
		t.Fatalf("create: %d %s", a.status, a.raw)
	}
	id := a.text("id")
	enter().want("AADSTS53003")
	if r := l.newest(partner, li); r.Status.ErrorCode != 53003 || r.ConditionalAccess != "failure" || applied(r, "Keep out") != "failure" {
		t.Errorf("row: %d %s %s", r.Status.ErrorCode, r.ConditionalAccess, applied(r, "Keep out"))
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 53003 {
		t.Errorf("refresh under a block: %s", a.raw)
	}

	if a := l.call(http.MethodPatch, policies+"/"+id, root, `{"state":"enabledForReportingButNotEnforced"}`); a.status != http.StatusNoContent {
		t.Fatalf("report-only: %d %s", a.status, a.raw)
	}
	if enter().arrived().Get("code") == "" {
		t.Error("report-only keeps out")
	}
	if r := l.newest(partner, li); r.Status.ErrorCode != 0 || applied(r, "Keep out") != "reportOnlyFailure" || r.ConditionalAccess == "failure" {
		t.Errorf("row: %d %s %s", r.Status.ErrorCode, r.ConditionalAccess, applied(r, "Keep out"))
	}
	if a := l.call(http.MethodDelete, policies+"/"+id, root, ""); a.status != http.StatusNoContent {
		t.Fatalf("delete: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("refresh after it is gone: %s", a.raw)
	}
	if r := l.newest(partner, li); applied(r, "Keep out") != "" {
		t.Error("a policy that is gone is in the row")
	}

	// A sign-in frequency ends what is older.
	rt = enter().redeem(partner).text("refresh_token")
	body := strings.Replace(blockFor(l.userID(li), "enabled"), `"grantControls":{"operator":"OR","builtInControls":["block"]}`,
		`"grantControls":null,"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":2,"frequencyInterval":"timeBased","authenticationType":"primaryAndSecondaryAuthentication"}}`, 1)
	if a = l.call(http.MethodPost, policies, root, body); a.status != http.StatusCreated {
		t.Fatalf("frequency: %d %s", a.status, a.raw)
	}
	id = a.text("id")
	l.jump(110 * time.Minute)
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("within the frequency: %s", a.raw)
	}
	l.jump(11 * time.Minute)
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 70043 || a.text("error") != "invalid_grant" {
		t.Errorf("past the frequency: %s", a.raw)
	}
	root = l.asAdmin(partner, admin, graphScope(policyScopes))
	if a := l.call(http.MethodDelete, policies+"/"+id, root, ""); a.status != http.StatusNoContent {
		t.Fatalf("delete: %d %s", a.status, a.raw)
	}

	// Security defaults want Conditional Access out of the way, and the reverse.
	defaults := l.i.Graph + "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
	if a := l.call(http.MethodPatch, defaults, root, `{"isEnabled":true}`); a.status < 400 {
		t.Errorf("defaults beside Conditional Access: %d", a.status)
	}
	for _, p := range l.get(policies, root).rows() {
		if p["state"] == "enabled" {
			if a := l.call(http.MethodPatch, policies+"/"+p["id"].(string), root, `{"state":"disabled"}`); a.status != http.StatusNoContent {
				t.Fatalf("disable %s: %d %s", p["displayName"], a.status, a.raw)
			}
		}
	}
	const lucia = "lucia.moreau@contoso.com" // registered nothing
	b := l.browser().open(l.authorize(partner)).enter(lucia)
	b.want("Stay signed in?")
	if a := l.call(http.MethodPatch, defaults, root, `{"isEnabled":true}`); a.status != http.StatusNoContent {
		t.Fatalf("defaults: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, policies, root, blockFor(l.userID(li), "enabled")); a.status < 400 {
		t.Errorf("Conditional Access beside defaults: %d", a.status)
	}
	l.browser().open(l.authorize(partner)).enter(admin).want(`value="totp"`) // administrators: every time
	l.browser().open(l.authorize(partner)).enter(lucia).want("More information required")
	if r := l.newest(partner, lucia); r.Status.ErrorCode != 50079 && r.Status.ErrorCode != 50072 ||
		!slices.ContainsFunc(r.Requirements, func(q world.Requirement) bool {
			return strings.Contains(strings.ToLower(q.Provider), "securitydefaults")
		}) {
		t.Errorf("row of registration: %d %v", r.Status.ErrorCode, r.Requirements)
	}
	if a := l.token(partner, "grant_type", "password", "client_id", toolApp, "scope", graphScope("User.Read"), "username", "svc-billing@contoso.com",
		"password", l.person("svc-billing@contoso.com").Password); a.status == http.StatusOK {
		t.Error("the password grant of an account without any method passes security defaults")
	}
}

// Whatever ends a sign-in ends it at once, with its own code.
func TestWalkRevocation(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner := l.i.Tenant.ID
	cae := []string{"claims", `{"access_token":{"xms_cc":{"values":["cp1"]}}}`}
	root := l.asAdmin(partner, admin, graphScope(policyScopes))
	users := l.i.Graph + "/v1.0/users/"

	b := l.browser().open(l.authorize(partner)).signIn(samAgent)
	rt := b.redeem(partner).text("refresh_token")
	long := l.token(partner, append([]string{"grant_type", "refresh_token", "client_id", panelApp, "client_secret", l.secret(panelApp), "refresh_token", rt,
		"scope", graphAPI + "/.default"}, cae...)...).text("access_token")
	short := l.good(partner, rt, graphAPI+"/.default")
	if c := claimsOf(t, long); c["exp"].(float64)-c["iat"].(float64) < 20*3600 {
		t.Errorf("lifetime of a token with cp1: %v", c)
	}
	if a := l.get(l.i.Graph+"/v1.0/organization", long); a.status != http.StatusOK {
		t.Fatalf("before: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, users+samAgent+"/revokeSignInSessions", root, ""); a.status != http.StatusOK {
		t.Fatalf("revoke: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 50173 {
		t.Errorf("refresh after revocation: %s", a.raw)
	}
	a := l.get(l.i.Graph+"/v1.0/organization", long)
	if a.status != http.StatusUnauthorized || !strings.Contains(a.header.Get("WWW-Authenticate"), `error="insufficient_claims"`) {
		t.Errorf("CAE token after revocation: %d %v", a.status, a.header["Www-Authenticate"])
	}
	if a := l.get(l.i.Graph+"/v1.0/organization", short); a.status != http.StatusOK {
		t.Errorf("a token of a client without cp1 lives on: %d %s", a.status, a.raw)
	}
	if b.open(l.authorize(partner)); b.left != nil {
		t.Error("the browser's session outlived the revocation")
	}
	// Who signs in again right after is in again: nobody counts seconds.
	if a := l.call(http.MethodPost, users+nomfa+"/revokeSignInSessions", root, ""); a.status != http.StatusOK {
		t.Fatalf("revoke: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, l.consent(nomfa).text("refresh_token"), centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("right after the revocation: %s", a.raw)
	}
	// Also where the clock stands still.
	l.s.World.Clock.Freeze()
	old := l.consent(nomfa).text("refresh_token")
	if a := l.call(http.MethodPost, users+nomfa+"/revokeSignInSessions", root, ""); a.status != http.StatusOK {
		t.Fatalf("revoke: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, old, centerAPI+"/.default"); a.aadsts() != 50173 {
		t.Errorf("revoked with a frozen clock: %s", a.raw)
	}
	if a := l.refresh(partner, l.consent(nomfa).text("refresh_token"), centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("signed in again with a frozen clock: %s", a.raw)
	}
	l.s.World.Clock.Thaw()
	rt = l.consent(samAgent, "amr_values", "mfa").text("refresh_token")

	// An administrator's reset ends a confidential client's token as well.
	if a := l.call(http.MethodPatch, users+samAgent, root,
		`{"passwordProfile":{"password":"Correct-Horse-9","forceChangePasswordNextSignIn":false}}`); a.status != http.StatusNoContent {
		t.Fatalf("reset: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 50173 {
		t.Errorf("refresh after a reset: %s", a.raw)
	}
	// The user's own change does not, contracts.md section 4.3; it ends a public client's.
	rt = l.consent(li).text("refresh_token")
	public := l.tool(partner, li, graphScope("User.Read"))
	l.jump(time.Minute)
	l.s.World.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.Users.Change(l.id(s, li), func(u *world.User) { u.PasswordChanged = s.Clock.Now() })
		s.Touch(p)
	})
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("a confidential client after the user's change: %s", a.raw)
	}
	if a := l.token(partner, "grant_type", "refresh_token", "client_id", toolApp, "refresh_token", public.text("refresh_token"), "scope",
		graphScope("User.Read")); a.aadsts() != 50173 {
		t.Errorf("a public client after the user's change: %s", a.raw)
	}

	// A disabled account: the refresh token, the sign-in, the code on its way.
	b = l.browser().open(l.authorize(partner)).signIn(li)
	if a := l.call(http.MethodPatch, users+li, root, `{"accountEnabled":false}`); a.status != http.StatusNoContent {
		t.Fatalf("disable: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 50057 {
		t.Errorf("refresh of a disabled account: %s", a.raw)
	}
	if a := b.redeem(partner); a.aadsts() != 50057 && a.aadsts() != 50173 {
		t.Errorf("code of a disabled account: %s", a.raw)
	}
	l.browser().open(l.authorize(partner)).enter(li).want("AADSTS50057")
	if a := l.call(http.MethodPatch, users+li, root, `{"accountEnabled":true}`); a.status != http.StatusNoContent {
		t.Fatalf("enable: %d %s", a.status, a.raw)
	}

	// A secret's end, by the clock.
	l.jump(330 * 24 * time.Hour)
	for _, app := range l.i.Apps {
		if strings.Contains(app.Name, "Collector") {
			a := l.token(partner, "grant_type", "client_credentials", "client_id", app.ClientID, "client_secret", app.ClientSecret, "scope",
				graphAPI+"/.default")
			if a.status != http.StatusUnauthorized || a.aadsts() != 7000222 || a.text("error") != "invalid_client" {
				t.Errorf("an expired secret: %d %s", a.status, a.raw)
			}
		}
	}
}

func (l *lab) id(s *world.State, upn string) string { return s.Home(upn).UserByName(upn).ID }
