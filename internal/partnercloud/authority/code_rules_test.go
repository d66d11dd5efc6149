package authority_test

import (
	//nolint:gosec // x5t
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/partnercloud/world"
)

func TestCodeRules(t *testing.T) {
	l := newLab(t)
	code := func(kv ...string) *browser {
		return l.browser().get(l.authorizeURL(partnerID, kv...)).signIn("ada@contoso.com")
	}
	t.Run("used twice ends what it gave", func(t *testing.T) {
		b := code()
		r := b.redeem(partnerID)
		if again := b.redeem(partnerID); again.code() != 54005 {
			t.Fatalf("%+v", again)
		}
		if n := l.refresh(partnerID, r.Refresh); n.code() != 50173 {
			t.Fatalf("the family lives: %+v", n)
		}
	})
	t.Run("ten minutes", func(t *testing.T) {
		b := code()
		l.jump(10 * time.Minute)
		if r := b.redeem(partnerID); r.code() != 70008 {
			t.Fatalf("%+v", r)
		}
	})
	b := code()
	for _, c := range []struct {
		name string
		kv   []string
		code int
	}{
		{"another redirect", []string{"redirect_uri", callback + "/"}, 500112},
		{"no redirect", []string{"redirect_uri", ""}, 500112},
		{"wrong verifier", []string{"code_verifier", strings.Repeat("x", 43)}, 501481},
		{"short verifier", []string{"code_verifier", "x"}, 501481},
		{"no verifier", []string{"code_verifier", ""}, 50148},
		{"another client", []string{"client_id", apiApp}, 700005},
		{"no secret", []string{"client_secret", ""}, 7000218},
		{"wrong secret", []string{"client_secret", "x"}, 7000215},
		{"unknown code", []string{"code", "0.PC.nothing"}, 9002313},
		{"no code", []string{"code", ""}, 900144},
	} {
		if r := b.redeem(partnerID, c.kv...); r.code() != c.code {
			t.Errorf("%s: %d %s", c.name, r.Status, r.Text)
		}
	}
	if r := b.redeem(customerID); r.code() != 700005 {
		t.Errorf("another tenant: %+v", r)
	}
	if r := b.redeem(partnerID); r.Access == "" {
		t.Errorf("wrong tries burned the code: %+v", r)
	}
	t.Run("verifier without challenge", func(t *testing.T) {
		if r := code("code_challenge", "", "code_challenge_method", "").redeem(partnerID); r.code() != 50148 {
			t.Fatalf("%+v", r)
		}
		if r := code("code_challenge", "", "code_challenge_method", "").redeem(partnerID, "code_verifier", ""); r.Access == "" {
			t.Fatalf("a confidential client may go without: %+v", r)
		}
	})
	t.Run("user disabled in between", func(t *testing.T) {
		b := code()
		l.change(adaID, func(u *world.User) { u.Enabled = false })
		if r := b.redeem(partnerID); r.code() != 50057 {
			t.Fatalf("%+v", r)
		}
		l.change(adaID, func(u *world.User) { u.Enabled = true })
	})
}

func TestPageApp(t *testing.T) {
	l := newLab(t)
	kv := []string{"client_id", spaApp, "redirect_uri", "https://spa.example/", "response_mode", "fragment"}
	b := l.browser().get(l.authorizeURL(partnerID, kv...)).signIn("ben@contoso.com")
	redeem := func(header ...string) *reply {
		return l.post("/"+partnerID+"/oauth2/v2.0/token", values("grant_type", "authorization_code", "client_id", spaApp, "redirect_uri",
			"https://spa.example/", "code", b.arrived().Get("code"), "code_verifier", verifier), header...)
	}
	if r := redeem(); r.code() != 9002327 {
		t.Fatalf("%+v", r)
	}
	r := redeem("Origin", "https://spa.example")
	if r.Refresh == "" {
		t.Fatalf("%+v", r)
	}
	refresh := func(rt string) *reply {
		return l.post("/"+partnerID+"/oauth2/v2.0/token", values("grant_type", "refresh_token", "client_id", spaApp, "refresh_token", rt), "Origin",
			"https://spa.example")
	}
	l.jump(23 * time.Hour)
	n := refresh(r.Refresh)
	if n.Refresh == "" {
		t.Fatalf("%+v", n)
	}
	l.jump(time.Hour)
	if x := refresh(n.Refresh); x.code() != 700084 {
		t.Fatalf("the new one outlives the first: %+v", x)
	}
	b = l.browser().get(l.authorizeURL(partnerID, append(kv, "code_challenge", "", "code_challenge_method", "")...)).signIn("ben@contoso.com")
	if r := redeem("Origin", "https://spa.example"); r.code() != 9002325 {
		t.Fatalf("a page without a proof key: %+v", r)
	}
}

func TestRevocation(t *testing.T) {
	native := func(l *lab) string {
		b := l.browser().get(l.authorizeURL(partnerID, "client_id", toolApp, "redirect_uri", "http://localhost:8400")).signIn("ada@contoso.com")
		r := b.redeem(partnerID, "client_id", toolApp, "client_secret", "", "redirect_uri", "http://localhost:8400")
		if r.Refresh == "" {
			t.Fatalf("%+v", r)
		}
		return r.Refresh
	}
	for _, c := range []struct {
		name                 string
		change               func(u *world.User, now time.Time)
		confidential, public int
	}{
		{"nothing", func(*world.User, time.Time) {}, 0, 0},
		{"password expires", func(u *world.User, _ time.Time) { u.PasswordExpired = true }, 0, 0},
		{"own change", func(u *world.User, now time.Time) { u.PasswordChanged = now }, 0, 50173},
		{"self-service reset", func(u *world.User, now time.Time) { u.SessionsValidFrom, u.Revoked = now, "selfService" }, 0, 50173},
		{"reset in the Azure portal", func(u *world.User, now time.Time) { u.SessionsValidFrom, u.Revoked = now, "portalReset" }, 0, 50173},
		{"admin reset", func(u *world.User, now time.Time) { u.SessionsValidFrom, u.Revoked = now, "reset" }, 50173, 50173},
		{"revoke sessions", func(u *world.User, now time.Time) { u.SessionsValidFrom, u.Revoked = now, "revoked" }, 50173, 50173},
		{"disabled", func(u *world.User, _ time.Time) { u.Enabled = false }, 50057, 50057},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			rt, pub := l.sam().Refresh, ""
			l.jump(time.Minute)
			pub = native(l)
			l.jump(time.Minute)
			l.change(adaID, func(u *world.User) { c.change(u, l.w.Clock.Now()) })
			if r := l.refresh(partnerID, rt); r.code() != c.confidential {
				t.Errorf("confidential: %+v", r)
			}
			if r := l.token(partnerID, "grant_type", "refresh_token", "client_id", toolApp, "refresh_token", pub); r.code() != c.public {
				t.Errorf("public: %+v", r)
			}
		})
	}
	t.Run("another client's", func(t *testing.T) {
		l := newLab(t)
		rt := l.sam().Refresh
		if r := l.token(partnerID, "grant_type", "refresh_token", "client_id", toolApp, "refresh_token", rt); r.code() != 700005 || r.Sub != "client_mismatch" {
			t.Fatalf("%+v", r)
		}
		if r := l.token(partnerID, "grant_type", "refresh_token", "client_id", samApp, "refresh_token", rt); r.code() != 7000218 {
			t.Fatalf("%+v", r)
		}
		if r := l.refresh(partnerID, "0.PC.nothing"); r.code() != 9002313 || r.Error != "invalid_grant" {
			t.Fatalf("%+v", r)
		}
		if r := l.refresh(partnerID, rt, "scope", graphURI+"/User.ReadWrite.All"); r.code() != 65001 {
			t.Fatalf("escalation: %+v", r)
		}
		if r := l.refresh(partnerID, rt, "scope", "https://management.azure.com/.default"); r.code() != 650057 {
			t.Fatalf("%+v", r)
		}
		if r := l.refresh(strangerID, rt); r.code() != 50020 {
			t.Fatalf("%+v", r)
		}
	})
}

func policy(grant, session string) string {
	return `{"id":"ca-1","displayName":"CA","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":` + grant + `,"sessionControls":` + session + `}`
}

func (l *lab) policy(raw string) {
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.Policies.Put(&world.Document{ID: "ca-1", Raw: []byte(raw), Created: s.Clock.Now()})
		s.Touch(p)
	})
}

func TestConditionalAccess(t *testing.T) {
	t.Run("MFA at a refresh", func(t *testing.T) {
		l := newLab(t)
		b := l.browser().get(l.authorizeURL(partnerID)).signIn("ada@contoso.com")
		rt := b.redeem(partnerID).Refresh
		l.policy(policy(`{"operator":"OR","builtInControls":["mfa"]}`, "null"))
		r := l.refresh(partnerID, rt)
		if r.code() != 50076 || r.Error != "interaction_required" || !strings.Contains(r.Claims, "ca-1") {
			t.Fatalf("%+v", r)
		}
		// The claims are replayed to authorize, which asks.
		b.get(l.authorizeURL(partnerID, "claims", r.Claims)).wants("Enter code")
		// prompt=none cannot.
		b.get(l.authorizeURL(partnerID, "prompt", "none"))
		if v := b.arrived(); v.Get("error") != "interaction_required" || v.Get("state") != "st" {
			t.Fatal(v)
		}
	})
	t.Run("block", func(t *testing.T) {
		l := newLab(t)
		rt := l.sam().Refresh
		l.policy(policy(`{"operator":"OR","builtInControls":["block"]}`, "null"))
		if r := l.refresh(partnerID, rt); r.code() != 53003 {
			t.Fatalf("%+v", r)
		}
		b := l.browser().get(l.authorizeURL(partnerID)).send("do", "account", "loginfmt", "ada@contoso.com").
			send("do", "password", "passwd", l.passwordOf("ada@contoso.com"))
		b.wants("AADSTS53003").send("do", "back")
		if v := b.arrived(); !strings.Contains(v.Get("error_description"), "AADSTS53003") || v.Get("code") != "" {
			t.Fatal(v)
		}
		if r := l.token(partnerID, "grant_type", "password", "client_id", toolApp, "scope", graphURI+"/.default", "username", "ada@contoso.com", "password",
			l.passwordOf("ada@contoso.com")); r.code() != 53003 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("sign-in frequency", func(t *testing.T) {
		l := newLab(t)
		rt := l.sam().Refresh
		l.policy(policy("null", `{"signInFrequency":{"isEnabled":true,"type":"hours","value":4,"frequencyInterval":"timeBased"}}`))
		if r := l.refresh(partnerID, rt); r.Access == "" {
			t.Fatalf("%+v", r)
		}
		l.jump(4*time.Hour - time.Second)
		if r := l.refresh(partnerID, rt); r.Access == "" {
			t.Fatalf("one second before: %+v", r)
		}
		l.jump(time.Second)
		if r := l.refresh(partnerID, rt); r.code() != 70043 || r.Error != "invalid_grant" {
			t.Fatalf("%+v", r)
		}
		b := l.browser().get(l.authorizeURL(partnerID)).signIn("ada@contoso.com")
		if b.redeem(partnerID).Access == "" {
			t.Fatal("a fresh sign-in must do")
		}
		l.jump(5 * time.Hour)
		b.get(l.authorizeURL(partnerID)).wants("fresh sign-in").signIn("ada@contoso.com")
		b.arrived()
	})
}

func TestPasswordGrant(t *testing.T) {
	l := newLab(t)
	base := []string{"grant_type", "password", "client_id", toolApp, "scope", graphURI + "/.default offline_access", "username", "ada@contoso.com",
		"password", l.passwordOf("ada@contoso.com")}
	with := func(kv ...string) []string { return append(slices.Clone(base), kv...) }
	r := l.token("organizations", base...)
	if c := l.claims(r.Access); c.HasMFA() || !slices.Equal(c.AMR, []string{"pwd"}) || r.Refresh == "" {
		t.Fatalf("%+v", r)
	}
	for _, c := range []struct {
		name string
		kv   []string
		code int
	}{
		{"wrong", with("password", "x"), 50126},
		{"unknown", with("username", "zoe@contoso.com"), 50034},
		{"foreign domain", with("username", "zoe@nowhere.example"), 50034},
		{"confidential without credential", with("client_id", samApp), 7000218},
		{"MFA by claims", with("claims", `{"id_token":{"amr":{"essential":true,"values":["mfa"]}}}`), 50076},
		{"no username", with("username", ""), 900144},
	} {
		if r := l.token(partnerID, c.kv...); r.code() != c.code {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	for range 10 {
		r = l.token(partnerID, with("password", "wrong")...)
	}
	if r.code() != 50053 {
		t.Errorf("%+v", r)
	}
	if r := l.token(partnerID, base...); r.code() != 50053 {
		t.Errorf("locked: %+v", r)
	}
	l.consentCustomer()
	l.jump(time.Hour)
	if r := l.token(customerID, with("client_id", samApp, "client_secret", secretOK)...); r.code() != 50076 {
		t.Errorf("AOBO without MFA: %+v", r)
	}
	rows := l.rows(partnerID)
	if x := rows[0]; x.Protocol != "ropc" {
		t.Errorf("%+v", x)
	}
}

func TestDeviceCode(t *testing.T) {
	l := newLab(t)
	begin := func() *reply {
		return l.post("/organizations/oauth2/v2.0/devicecode", values("client_id", cli, "scope", "https://management.azure.com/.default offline_access openid"))
	}
	poll := func(d *reply) *reply {
		return l.token("organizations", "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", cli, "device_code", d.DeviceCode)
	}
	d := begin()
	if d.Raw["expires_in"] != 900.0 || d.Raw["interval"] != 5.0 || d.UserCode == "" || d.Verification != l.srv.URL+"/devicelogin" {
		t.Fatalf("%+v", d)
	}
	if r := poll(d); r.code() != 70016 || r.Error != "authorization_pending" || r.Status != 400 {
		t.Fatalf("%+v", r)
	}
	if r := poll(d); r.Error != "slow_down" {
		t.Fatalf("%+v", r)
	}
	b := l.browser().get("/devicelogin").wants("Enter code")
	b.postForm("/devicelogin", values("otc", "WRONGCODE"))
	b.wants("did not work")
	b.postForm("/devicelogin", values("otc", strings.ToLower(d.UserCode)))
	b.wants("Microsoft Azure CLI").send("do", "confirm").signIn("ada@contoso.com").wants("You have signed in")
	r := poll(d)
	if c := l.claims(r.Access); c.Audience != "https://management.azure.com" || c.UPN != "ada@contoso.com" || c.AppIDACR != "0" || r.Refresh == "" {
		t.Fatalf("%+v", c)
	}
	if r := poll(d); r.code() != 70018 {
		t.Fatalf("twice: %+v", r)
	}
	rows := l.rows(partnerID)
	if x := rows[len(rows)-1]; x.Protocol != "deviceCode" || x.TransferMethod != "deviceCodeFlow" || x.Status.ErrorCode != 0 {
		t.Fatalf("%+v", x)
	}
	d = begin()
	b.postForm("/devicelogin", values("otc", d.UserCode))
	b.send("do", "refuse").wants("Cancelled")
	if r := poll(d); r.code() != 70020 || r.Error != "authorization_declined" {
		t.Fatalf("%+v", r)
	}
	d = begin()
	l.jump(15 * time.Minute)
	if r := poll(d); r.code() != 70019 || r.Error != "expired_token" {
		t.Fatalf("%+v", r)
	}
	if r := poll(&reply{DeviceCode: "x"}); r.code() != 70018 || r.Error != "bad_verification_code" {
		t.Fatalf("%+v", r)
	}
	if r := l.post("/common/oauth2/v2.0/devicecode", values("client_id", samApp, "scope", "openid")); r.code() != 7000218 {
		t.Fatalf("%+v", r)
	}
}

func TestOnBehalfOf(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa", "scope", "api://"+apiApp+"/access")).signIn("ada@contoso.com")
	up := b.redeem(partnerID).Access
	if c := l.claims(up); c.Version != "2.0" || c.Audience != apiApp || c.AMR != nil || c.AZP != samApp {
		t.Fatalf("%+v", c)
	}
	obo := func(kv ...string) *reply {
		return l.token(partnerID, append([]string{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "requested_token_use", "on_behalf_of",
			"client_id", apiApp, "client_secret", secretOK, "assertion", up, "scope", graphURI + "/.default"}, kv...)...)
	}
	if c := l.claims(obo().Access); !c.HasMFA() || c.AppID != apiApp || c.UPN != "ada@contoso.com" {
		t.Fatalf("the MFA claim is lost: %+v", c)
	}
	app := l.token(partnerID, "grant_type", "client_credentials", "client_id", samApp, "client_secret", secretOK, "scope", "api://"+apiApp+"/.default").Access
	l.jump(30 * time.Second) // the next code
	graph := l.sam().Access
	for _, c := range []struct {
		name string
		kv   []string
		code int
	}{
		{"for another API", []string{"assertion", graph}, 500131},
		{"by another client", []string{"client_id", samApp}, 500131},
		{"app-only", []string{"assertion", app}, 7000114},
		{"nonsense", []string{"assertion", "x"}, 50013},
		{"unsigned", []string{"assertion", unsigned(up)}, 50013},
		{"foreign", []string{"assertion", sign(t, jose.RS256, strangeKey(), map[string]any{"aud": apiApp}, map[string]any{"kid": headOf(up)["kid"]})}, 50013},
		{"no secret", []string{"client_secret", ""}, 7000218},
		{"no use", []string{"requested_token_use", ""}, 900144},
	} {
		if r := obo(c.kv...); r.code() != c.code {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	l.jump(2 * time.Hour)
	if r := obo(); r.code() != 500133 {
		t.Errorf("expired: %+v", r)
	}
}
