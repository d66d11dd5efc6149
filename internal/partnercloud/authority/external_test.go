package authority_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

const providerApp = "5a000000-0000-4000-8000-0000000000ea"

// provider is an External MFA provider on loopback.
type provider struct {
	srv  *httptest.Server
	hit  int
	bare bool // publishes its key without x5c
}

func certificateOf(k *rsa.PrivateKey) *x509.Certificate {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

func (l *lab) provider() *provider {
	p := &provider{}
	p.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hit++
		var doc any
		switch r.URL.Path {
		case "/t/.well-known/openid-configuration":
			doc = map[string]any{
				"issuer": p.srv.URL + "/t", "authorization_endpoint": p.srv.URL + "/auth", "jwks_uri": p.srv.URL + "/keys",
				"scopes_supported":         []string{"openid"},
				"response_types_supported": []string{"id_token"}, "response_modes_supported": []string{"form_post"},
				"subject_types_supported":               []string{"public"},
				"id_token_signing_alg_values_supported": []string{"RS256"}, "grant_types_supported": []string{"implicit"},
				"claim_types_supported": []string{"normal"},
			}
		case "/keys":
			k := jose.JSONWebKey{Key: &strangeKey().PublicKey, KeyID: "p1", Use: "sig", Algorithm: "RS256"}
			if !p.bare {
				k.Certificates = []*x509.Certificate{certificateOf(strangeKey())}
				sum := sha1.Sum(k.Certificates[0].Raw)
				k.CertificateThumbprintSHA1 = sum[:]
			}
			doc = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k}}
		}
		_ = json.NewEncoder(w).Encode(doc)
	}))
	l.t.Cleanup(p.srv.Close)
	raw, _ := json.Marshal(map[string]any{
		"@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration", "id": "ext1", "displayName": "Desk MFA", "state": "enabled",
		"appId":                providerApp,
		"openIdConnectSetting": map[string]any{"clientId": "client-1", "discoveryUrl": p.srv.URL + "/t/.well-known/openid-configuration"},
		"includeTargets":       []any{map[string]any{"id": "all_users", "targetType": "group"}}, "excludeTargets": []any{},
	})
	l.w.Read(func(s *world.State) {
		t := s.PartnerTenant()
		t.MethodConfigs.Put(&world.Document{ID: "ext1", Raw: raw})
		t.SPs.Put(&world.ServicePrincipal{ID: "sp-ext", AppID: providerApp, Name: "Desk MFA", Enabled: true})
		s.Touch(t)
	})
	return p
}

var anyHidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// sent reads the form that posts itself.
func (b *browser) sent() url.Values {
	v := url.Values{}
	for _, m := range anyHidden.FindAllStringSubmatch(b.page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

func (b *browser) toProvider(p *provider) url.Values {
	b.t.Helper()
	b.get(b.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ben@contoso.com").
		send("do", "password", "passwd", b.passwordOf("ben@contoso.com"))
	b.wants("Desk MFA").send("do", "external:ext1").wants(`action="` + p.srv.URL + `/auth"`)
	return b.sent()
}

// idToken answers a request; change may spoil it.
func (b *browser) idToken(p *provider, req url.Values, change func(c map[string]any)) string {
	hint := map[string]any{}
	_ = json.Unmarshal(payloadOf(req.Get("id_token_hint")), &hint)
	now := b.w.Clock.Now().Unix()
	c := map[string]any{"iss": p.srv.URL + "/t", "aud": req.Get("client_id"), "sub": hint["sub"], "nonce": req.Get("nonce"), "iat": now, "exp": now + 300,
		"acr": "possessionorinherence", "amr": []string{"hwk"}}
	if change != nil {
		change(c)
	}
	return sign(b.t, jose.RS256, strangeKey(), c, map[string]any{"kid": "p1"})
}

// hintClaims are what the hint says, read as a provider would: bearer.Parse
// refuses what has expired.
func hintClaims(t *testing.T, req url.Values) (c bearer.Claims) {
	t.Helper()
	if err := json.Unmarshal(payloadOf(req.Get("id_token_hint")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func payloadOf(jwt string) []byte {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil
	}
	b, _ := decode64(parts[1])
	return b
}

func TestExternalMFA(t *testing.T) {
	l := newLab(t)
	p := l.provider()
	b := l.browser()
	req := b.toProvider(p)
	if req.Get("redirect_uri") != l.srv.URL+"/common/federation/externalauthprovider" || req.Get("response_mode") != "form_post" ||
		req.Get("response_type") != "id_token" || req.Get("scope") != "openid" || !strings.Contains(req.Get("claims"), `"possessionorinherence"`) {
		t.Fatalf("%v", req)
	}
	// It comes expired: a provider that holds exp against its clock takes none.
	var at struct{ Exp, Iat, Nbf int64 }
	if err := json.Unmarshal(payloadOf(req.Get("id_token_hint")), &at); err != nil || at.Iat != l.w.Clock.Now().Unix() || at.Exp != at.Iat-1 ||
		at.Nbf != at.Iat {
		t.Errorf("exp, iat and nbf of the hint: %+v %v", at, err)
	}
	hint := hintClaims(t, req)
	if hint.Audience != providerApp || hint.TenantID != partnerID || hint.ObjectID != benID || hint.Issuer != l.srv.URL+"/"+partnerID+"/v2.0" {
		t.Fatalf("%+v", hint)
	}
	if !strings.Contains(b.header.Get("Content-Security-Policy"), "form-action 'self' "+p.srv.URL+";") {
		t.Error(b.header.Get("Content-Security-Policy"))
	}
	b.postForm("/common/federation/externalauthprovider", values("state", req.Get("state"), "id_token", b.idToken(p, req, nil)))
	b.wants("Stay signed in?").send("do", "leave")
	c := l.claims(b.redeem(partnerID).Access)
	if !slices.Equal(c.AMR, []string{"pwd", "mfa"}) {
		t.Fatalf("%v", c.AMR)
	}
	rows := l.rows(partnerID)
	last := rows[len(rows)-1]
	if !slices.Contains(codes(rows), 50158) || last.Status.AdditionalDetails != "MFA requirement satisfied by claim provided by external provider" ||
		last.Steps[1].Method != "Desk MFA" {
		t.Fatalf("%v %+v", codes(rows), last)
	}
	l.w.Read(func(s *world.State) {
		if m := s.PartnerTenant().Users.Get(benID).Method(world.MethodExternal); m == nil || m.Configuration != "ext1" {
			t.Error("not registered on the way in")
		}
	})
	t.Run("never satisfies a strength", func(t *testing.T) {
		l.policy(policy(`{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s","allowedCombinations":["fido2","password,softwareOath"]}}`,
			"null"))
		b.get(l.authorizeURL(partnerID)).wants("More information required")
		b.get(l.authorizeURL(partnerID, "prompt", "none"))
		if b.arrived().Get("error") != "interaction_required" {
			t.Fatal(b.left)
		}
	})
}

func TestExternalRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c map[string]any)
		token  func(b *browser, p *provider, req url.Values) string
		form   []string
		wait   time.Duration
		says   string
	}{
		{name: "two methods", change: func(c map[string]any) { c["amr"] = []string{"hwk", "otp"} }, says: "AADSTS5001256"},
		{name: "sub", change: func(c map[string]any) { c["sub"] = "x" }, says: "AADSTS5001256"},
		{name: "nonce", change: func(c map[string]any) { c["nonce"] = "x" }, says: "AADSTS5001256"},
		{name: "late", wait: 5 * time.Minute, change: func(c map[string]any) {}, says: "AADSTS5001256"},
		{name: "unsigned", token: func(b *browser, p *provider, req url.Values) string { return unsigned(b.idToken(p, req, nil)) }, says: "AADSTS5001256"},
		{name: "foreign key", token: func(b *browser, p *provider, req url.Values) string {
			return sign(b.t, jose.RS256, clientKey(), json.RawMessage(payloadOf(b.idToken(p, req, nil))), map[string]any{"kid": "p1"})
		}, says: "AADSTS70002: Error validating credentials. AADSTS50012: "},
		{name: "unknown kid", token: func(b *browser, p *provider, req url.Values) string {
			return sign(b.t, jose.RS256, strangeKey(), json.RawMessage(payloadOf(b.idToken(p, req, nil))), map[string]any{"kid": "p2"})
		}, says: "KeyID: &#39;p2&#39;"},
		{name: "the hint itself", token: func(_ *browser, _ *provider, req url.Values) string { return req.Get("id_token_hint") }, says: "AADSTS70002"},
		{name: "declined", form: []string{"error", "access_denied"}, says: "access_denied"},
		{name: "another state", form: []string{"state", "x"}, says: "AADSTS90051"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			p := l.provider()
			b := l.browser()
			req := b.toProvider(p)
			l.jump(c.wait)
			token := b.idToken(p, req, c.change)
			if c.token != nil {
				token = c.token(b, p, req)
			}
			v := values(append([]string{"state", req.Get("state"), "id_token", token}, c.form...)...)
			b.postForm("/common/federation/externalauthprovider", v)
			b.wants(c.says)
			if c.says == "AADSTS90051" {
				id, _, _ := strings.Cut(req.Get("state"), ".")
				b.postForm("/common/federation/externalauthprovider", values("state", id+".guessed", "id_token", token))
				b.wants("AADSTS90051").get(b.authorizeURL(partnerID, "prompt", "none"))
				if b.arrived().Get("error") != "login_required" {
					t.Fatal(b.left)
				}
				return
			}
			// One answer: the good one is too late now.
			b.postForm("/common/federation/externalauthprovider", values("state", req.Get("state"), "id_token", b.idToken(p, req, nil)))
			b.wants("AADSTS90051")
		})
	}
	t.Run("a key without x5c", func(t *testing.T) {
		l := newLab(t)
		p := l.provider()
		p.bare = true
		b := l.browser()
		req := b.toProvider(p)
		b.postForm("/common/federation/externalauthprovider", values("state", req.Get("state"), "id_token", b.idToken(p, req, nil)))
		b.wants("AADSTS5001256")
	})
	t.Run("another browser", func(t *testing.T) {
		l := newLab(t)
		p := l.provider()
		b, thief := l.browser(), l.browser()
		req := b.toProvider(p)
		thief.postForm("/common/federation/externalauthprovider", values("state", req.Get("state"), "id_token", b.idToken(p, req, nil)))
		thief.wants("AADSTS90051")
	})
	t.Run("no service principal", func(t *testing.T) {
		l := newLab(t)
		l.provider()
		l.w.Read(func(s *world.State) { s.PartnerTenant().SPs.Delete("sp-ext") })
		b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ben@contoso.com").
			send("do", "password", "passwd", l.passwordOf("ben@contoso.com"))
		b.send("do", "external:ext1").wants("AADSTS900491")
	})
	t.Run("provider away", func(t *testing.T) {
		l := newLab(t)
		l.provider().srv.Close()
		b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ben@contoso.com").
			send("do", "password", "passwd", l.passwordOf("ben@contoso.com"))
		b.send("do", "external:ext1").wants("AADSTS50161")
	})
}
