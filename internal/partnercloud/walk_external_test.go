package partnercloud

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// provider is an External MFA provider on loopback.
type provider struct {
	*httptest.Server
	key    *rsa.PrivateKey
	config string // id of the configuration in Graph
	app    string
}

func (p *provider) sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, payload any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(payload)
	sig, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := sig.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *provider) certificate(t testing.TB) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &p.key.PublicKey, p.key)
	if err != nil {
		t.Error(err)
		return nil
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Error(err)
	}
	return c
}

var providerKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// provide starts a provider and sets it up in the partner tenant through Graph,
// as its administrators do (contracts.md section 6.4).
func (l *lab) provide(t *testing.T) *provider {
	t.Helper()
	p := &provider{key: providerKey()}
	mux := http.NewServeMux()
	mux.HandleFunc("/desk/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL + "/desk", "authorization_endpoint": p.URL + "/authorize", "jwks_uri": p.URL + "/keys", "scopes_supported": []string{"openid"},
			"response_types_supported": []string{"id_token"}, "response_modes_supported": []string{"form_post"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"}, "grant_types_supported": []string{"implicit"},
			"claim_types_supported": []string{"normal"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		c := p.certificate(t)
		sum := sha1.Sum(c.Raw)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "k1", Use: "sig", Algorithm: "RS256",
			Certificates: []*x509.Certificate{c}, CertificateThumbprintSHA1: sum[:]}}})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	root := l.asAdmin(l.i.Tenant.ID, admin, graphScope("Application.ReadWrite.All Policy.ReadWrite.AuthenticationMethod "+
		"Policy.ReadWrite.ConditionalAccess Policy.Read.All Application.Read.All"))
	a := l.call(http.MethodPost, l.i.Graph+"/v1.0/applications", root,
		`{"displayName":"Desk MFA","signInAudience":"AzureADMultipleOrgs","web":{"redirectUris":["`+p.URL+`/authorize"]}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("app: %d %s", a.status, a.raw)
	}
	p.app = a.text("appId")
	config := `{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","displayName":"Desk MFA","appId":"` + p.app + `","state":"enabled",
		"openIdConnectSetting":{"clientId":"desk-client","discoveryUrl":"` + p.URL +
		`/desk/.well-known/openid-configuration"},"includeTargets":[{"id":"all_users","targetType":"group"}]}`
	methods := l.i.Graph + "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
	// Before the consent it can be saved, and not enabled.
	if a = l.call(http.MethodPost, methods, root, config); a.status != http.StatusBadRequest || !strings.Contains(a.raw, "no consent") {
		t.Fatalf("enabled before the consent: %d %s", a.status, a.raw)
	}
	if a = l.call(http.MethodPost, methods, root, strings.Replace(config, "enabled", "disabled", 1)); a.status != http.StatusCreated {
		t.Fatalf("configuration: %d %s", a.status, a.raw)
	}
	p.config = a.text("id")
	enable := func() *answer {
		return l.call(http.MethodPatch, methods+"/"+p.config, root,
			`{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","state":"enabled"}`)
	}
	if a = enable(); a.status != http.StatusBadRequest {
		t.Fatalf("enabled before the consent: %d %s", a.status, a.raw)
	}
	consent := func() string {
		a := l.call(http.MethodPost, l.i.Graph+"/v1.0/servicePrincipals", root, `{"appId":"`+p.app+`"}`)
		if a.status != http.StatusCreated {
			t.Fatalf("service principal: %d %s", a.status, a.raw)
		}
		return a.text("id")
	}
	sp := consent()
	if a = enable(); a.status != http.StatusNoContent {
		t.Fatalf("enable: %d %s", a.status, a.raw)
	}
	// Where the consent is taken back, the method is offered and fails.
	if a = l.call(http.MethodDelete, l.i.Graph+"/v1.0/servicePrincipals/"+sp, root, ""); a.status != http.StatusNoContent {
		t.Fatalf("service principal: %d %s", a.status, a.raw)
	}
	l.browser().open(l.authorize(l.i.Tenant.ID, "amr_values", "mfa")).enter(nomfa).want("Desk MFA").press("do", "external:"+p.config).want("AADSTS900491")
	consent()
	return p
}

// to goes as far as the provider's own page and gives the request it got.
func (b *browser) to(p *provider) url.Values {
	b.Helper()
	b.open(b.authorize(b.i.Tenant.ID, "amr_values", "mfa")).enter(nomfa).press("do", "external:"+p.config)
	b.want(`action="` + p.URL + `/authorize"`)
	return b.fields()
}

// claims are what a good answer to a request says.
func (p *provider) claims(b *browser, req url.Values) map[string]any {
	b.Helper()
	now := b.s.World.Clock.Now().Unix()
	return map[string]any{
		"iss": p.URL + "/desk", "aud": req.Get("client_id"), "sub": claimsOf(b, req.Get("id_token_hint"))["sub"], "nonce": req.Get("nonce"), "iat": now,
		"exp": now + 300,
		"acr": "possessionorinherence", "amr": []string{"hwk"},
	}
}

const externalReturn = "/common/federation/externalauthprovider"

func TestWalkExternalMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	p := l.provide(t)
	partner := l.i.Tenant.ID
	b := l.browser()
	req := b.to(p)
	hint := claimsOf(t, req.Get("id_token_hint"))
	if hint["aud"] != p.app || hint["tid"] != partner || hint["oid"] != l.userID(nomfa) || hint["preferred_username"] != nomfa ||
		req.Get("client_id") != "desk-client" || req.Get("redirect_uri") != l.i.Login+externalReturn {
		t.Fatalf("request %v, hint %v", req, hint)
	}
	for name, spoil := range map[string]func(c map[string]any){
		"iss": func(c map[string]any) { c["iss"] = p.URL + "/desk/" }, "aud": func(c map[string]any) { c["aud"] = p.app },
		"sub":   func(c map[string]any) { c["sub"] = l.userID(nomfa) },
		"nonce": func(c map[string]any) { delete(c, "nonce") }, "expired": func(c map[string]any) { c["exp"] = l.s.World.Clock.Now().Unix() - 600 },
		"iat ahead": func(c map[string]any) { c["iat"] = l.s.World.Clock.Now().Unix() + 3600 }, "acr": func(c map[string]any) { c["acr"] = "knowledge" },
		"no acr":  func(c map[string]any) { delete(c, "acr") },
		"two amr": func(c map[string]any) { c["amr"] = []string{"hwk", "otp"} }, "amr as text": func(c map[string]any) { c["amr"] = "hwk" },
		"no amr":      func(c map[string]any) { c["amr"] = []string{} },
		"amr unknown": func(c map[string]any) { c["amr"] = []string{"mfa"} }, "amr a password": func(c map[string]any) { c["amr"] = []string{"pwd"} },
		"late": func(c map[string]any) { l.jump(5 * time.Minute) },
	} {
		b := l.browser()
		req := b.to(p)
		c := p.claims(b, req)
		spoil(c)
		b.post(externalReturn, values("state", req.Get("state"), "id_token", p.sign(t, jose.RS256, p.key, "k1", c)))
		if !b.has("AADSTS5001256") {
			t.Errorf("%s was taken: %d %v", name, b.status, b.left)
		}
	}
	for name, token := range map[string]func(b *browser, req url.Values) string{
		"another kid": func(b *browser, req url.Values) string {
			return p.sign(t, jose.RS256, p.key, "k2", p.claims(b, req))
		},
		"another algorithm": func(b *browser, req url.Values) string {
			return p.sign(t, jose.PS256, p.key, "k1", p.claims(b, req))
		},
		"the public key as a secret": func(b *browser, req url.Values) string {
			return p.sign(t, jose.HS256, p.key.N.Bytes(), "k1", p.claims(b, req))
		},
		"an answer to another flow": func(b *browser, _ url.Values) string {
			return p.sign(t, jose.RS256, p.key, "k1", p.claims(b, req))
		},
		"nothing": func(*browser, url.Values) string { return "" },
	} {
		b := l.browser()
		mine := b.to(p)
		b.post(externalReturn, values("state", mine.Get("state"), "id_token", token(b, mine)))
		if want := map[string]string{"another kid": "AADSTS50012: "}[name]; !b.has(cmp.Or(want, "AADSTS5001256")) {
			t.Errorf("%s was taken: %d %v", name, b.status, b.left)
		}
	}
	if n := l.logged(partner, nomfa, 5001256); n == 0 {
		t.Error("no row says that the provider's token was invalid")
	}

	// The flow from the beginning is still good: others came to nothing.
	b = l.browser()
	req = b.to(p)
	b.post(externalReturn, values("state", req.Get("state"), "id_token", p.sign(t, jose.RS256, p.key, "k1", p.claims(b, req))))
	if b.has("Stay signed in?") {
		b.press("do", "leave")
	}
	a := b.redeem(partner)
	if !slices.Contains(words(claimsOf(t, a.text("access_token"))["amr"]), "mfa") {
		t.Fatalf("amr after the provider: %s", a.raw)
	}
	if a := l.get(l.i.PartnerCenter+"/v1/customers?size=1", a.text("access_token"), "ValidateMfa", "true"); a.status != http.StatusOK ||
		a.header.Get("isMfaCompliant") != "true" {
		t.Errorf("Partner Center: %d %v", a.status, a.header)
	}
	if r := l.newest(partner, nomfa); r.Status.ErrorCode != 0 || !strings.Contains(r.Status.AdditionalDetails, "external provider") {
		t.Errorf("row: %+v", r.Status)
	}

	// A strength asks for more than any provider's word: also of the token that it gave.
	root := l.asAdmin(partner, admin, graphScope("Policy.ReadWrite.ConditionalAccess Policy.Read.All Application.Read.All"))
	strength := `{"displayName":"Strength","state":"enabled","conditions":{"clientAppTypes":["all"],"users":{"includeUsers":["` + l.userID(nomfa) +
		`"]},"applications":{"includeApplications":["All"]}},
		"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000002"}}}`
	if a := l.call(http.MethodPost, l.i.Graph+"/v1.0/identity/conditionalAccess/policies", root, strength); a.status != http.StatusCreated {
		t.Fatalf("strength: %d %s", a.status, a.raw)
	}
	if a := l.refresh(partner, a.text("refresh_token"), centerAPI+"/.default"); a.status == http.StatusOK || a.aadsts() != 50076 && a.aadsts() != 50079 {
		t.Errorf("a strength by a provider's word: %s", a.raw)
	}
	if b.open(l.authorize(partner)); b.left != nil {
		t.Errorf("a strength by a session with a provider's word: %v", b.left)
	}
}

// taken remembers the hints of one provider.
type taken map[string]bool

func (k taken) First(key string, _ time.Time) (bool, error) {
	before := k[key]
	k[key] = true
	return !before, nil
}

// What a provider has to check of the request is checked by the product's own
// strict reader, with the keys that the cloud publishes.
func TestWalkExternalHint(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	p := l.provide(t)
	b := l.browser()
	form := b.to(p)
	req, err := claim.ReadExternalRequest(form, []string{l.i.Login + externalReturn})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if a := l.get(l.i.Login+"/common/discovery/v2.0/keys", ""); json.Unmarshal([]byte(a.raw), &set) != nil {
		t.Fatalf("keys: %d %s", a.status, a.raw)
	}
	expect := claim.HintExpect{
		Now: l.s.World.Clock.Now(), Leeway: time.Minute, AppID: p.app, ClientID: req.ClientID, Issuers: []string{l.i.Login + "/{tenantid}/v2.0"},
		Tenant: func(id string) bool { return id == l.i.Tenant.ID }, Nonce: req.Nonce, Used: taken{},
	}
	hint, err := claim.VerifyHint(req.Hint, set, expect)
	if err != nil || hint.ObjectID != l.userID(nomfa) || !hint.NotAfter.Before(hint.IssuedAt) {
		t.Fatalf("%+v %v", hint, err)
	}
	if _, err := claim.VerifyHint(req.Hint, set, expect); !errors.Is(err, claim.Replayed) {
		t.Errorf("twice: %v", err)
	}
	if _, err := claim.Verify(req.Hint, set, claim.Expect{Now: expect.Now, Leeway: time.Minute, Audiences: []string{p.app},
		IssuerRule: claim.TenantIssuer(expect.Issuers...)}); err == nil {
		t.Error("a hint was taken for a token")
	}
	late := expect
	late.Now, late.Nonce = expect.Now.Add(claim.HintWindow+2*time.Minute), secret.New("another")
	if _, err := claim.VerifyHint(req.Hint, set, late); !errors.Is(err, claim.Expired) {
		t.Errorf("late: %v", err)
	}
	b.post(externalReturn, req.Answer("id_token", p.sign(t, jose.RS256, p.key, "k1", p.claims(b, form))))
	if b.has("AADSTS") {
		t.Errorf("the answer was not taken: %d %v", b.status, b.left)
	}
}

// The world goes on where it stopped: in the middle of the model's walk.
func TestWalkRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLab(t, Options{State: dir})
	partner, adatum := l.i.Tenant.ID, l.customer("adatum.example")
	b := l.browser().open(l.authorize(partner, "amr_values", "mfa")).signIn(samAgent)
	rt := b.redeem(partner).text("refresh_token")
	center := l.good(partner, rt, centerAPI+"/.default")
	if a := l.call(http.MethodDelete, l.i.PartnerCenter+"/v1/customers/"+adatum+"/applicationconsents/"+panelApp, center, ""); a.status != http.StatusOK {
		t.Fatal(a.raw)
	}
	graph := l.good(partner, rt, graphAPI+"/.default")
	rel := l.call(http.MethodPost, l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", graph,
		`{"displayName":"Kept","duration":"P30D","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`)
	if rel.status != http.StatusCreated {
		t.Fatal(rel.raw)
	}
	rows, login := len(l.signIns(partner)), l.i.Login
	if err := l.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	next := newLab(t, Options{State: dir})
	// The same cookies at the new port.
	was, is := mustURL(login), mustURL(next.i.Login)
	again := next.browser()
	var kept []*http.Cookie
	for _, c := range b.web.Jar.Cookies(was) {
		kept = append(kept, &http.Cookie{Name: c.Name, Value: c.Value, Path: "/", Secure: true})
	}
	again.web.Jar.SetCookies(is, kept)
	if again.open(next.authorize(partner)); again.left == nil {
		t.Errorf("the browser is signed out: %d %v", again.status, again.at)
	}
	if n := len(next.signIns(partner)); n != rows+1 {
		t.Errorf("%d rows of the log were %d", n, rows)
	}
	if a := next.refresh(partner, rt, centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("refresh after the restart: %s", a.raw)
	}
	if a := next.refresh(adatum, rt, graphAPI+"/.default"); a.aadsts() != 65001 && a.aadsts() != 90099 {
		t.Errorf("the consent that was withdrawn: %s", a.raw)
	}
	if a := next.refresh(next.customer("tailspin.example"), rt, graphAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("a consent that was kept: %s", a.raw)
	}
	if a := next.get(next.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships/"+rel.text("id"), graph); a.status != http.StatusOK ||
		a.text("displayName") != "Kept" {
		t.Errorf("the relationship: %d %s", a.status, a.raw)
	}
	seen := false
	for _, r := range next.get(next.i.PartnerCenter+"/v1/auditrecords?size=50", center).rows() {
		seen = seen || r["operationType"] == "unregister_application" && r["customerId"] == adatum
	}
	if !seen {
		t.Error("the audit record is lost")
	}
	next.jump(91 * 24 * time.Hour)
	if a := next.refresh(partner, rt, centerAPI+"/.default"); a.aadsts() != 700082 {
		t.Errorf("91 days later: %s", a.raw)
	}
}
