package conformance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const centerDefault = "https://api.partnercenter.microsoft.com/.default"

var sam struct{ refresh string }

// samToken consents with MFA as the Secure Application Model wants it and gives
// the refresh token, which the control panel keeps.
func samToken(t *testing.T) string {
	t.Helper()
	if sam.refresh != "" {
		return sam.refresh
	}
	const scope = centerScope + " offline_access openid profile"
	a, p, b, back := program(t, "control panel"), someone(t, "sam-agent"), chromium(t), listen(t)
	s, err := b.signIn(authorizeURL(cloud.Tenant.ID, a.id, back, scope, url.Values{"amr_values": {"mfa"}}), p, func(s sight) bool {
		return strings.HasPrefix(s.URL, back)
	})
	if err != nil {
		t.Fatal(err)
	}
	first := redeem(t, cloud.Tenant.ID, s.URL, back, scope, a)
	token, ok := first["access_token"].(string)
	if !ok {
		t.Fatalf("%v", first["error_description"])
	}
	if m := claims(t, token); !withMFA(m, p) || m["tid"] != cloud.Tenant.ID || m["appid"] != a.id {
		t.Fatalf("claims %v", m)
	}
	sam.refresh, _ = first["refresh_token"].(string)
	return sam.refresh
}

func exchange(t *testing.T, a app, tenant, refresh, scope string) map[string]any {
	t.Helper()
	return post(t, authority(tenant)+"/oauth2/v2.0/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {a.id}, "client_secret": {a.secret},
		"refresh_token": {refresh}, "scope": {scope}})
}

// What a control panel does all day.
func TestCurlSecureApplicationModel(t *testing.T) {
	a := program(t, "control panel")
	refresh := samToken(t)
	t.Run("compliant", func(t *testing.T) {
		shows(t, "curl", "Partner Center customers with ValidateMfa: isMfaCompliant true; app-only not said")
		own := exchange(t, a, cloud.Tenant.ID, refresh, centerDefault)
		token, _ := own["access_token"].(string)
		if token == "" {
			t.Fatalf("%v", own["error_description"])
		}
		head, body := curl(t, "-H", "Authorization: Bearer "+token, "-H", "ValidateMfa: true", cloud.PartnerCenter+"/v1/customers?size=3")
		if !strings.Contains(head, "ismfacompliant: true") || !strings.Contains(body, `"totalCount"`) {
			t.Errorf("app and user:\n%s\n%.300s", head, body)
		}
		app := post(t, authority(cloud.Tenant.ID)+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {a.id},
			"client_secret": {a.secret}, "scope": {centerDefault}})
		if token, _ = app["access_token"].(string); token == "" {
			t.Fatalf("%v", app["error_description"])
		}
		head, body = curl(t, "-H", "Authorization: Bearer "+token, "-H", "ValidateMfa: true", cloud.PartnerCenter+"/v1/customers?size=3")
		if !strings.Contains(head, " 200") || strings.Contains(head, "ismfacompliant") {
			t.Errorf("app only:\n%s\n%.300s", head, body)
		}
	})
	t.Run("exchange", func(t *testing.T) {
		shows(t, "curl", "a customer's users from Graph by the exchanged token; without consent there AADSTS90099")
		got := exchange(t, a, customer(t, "Fabrikam"), refresh, graphDefault)
		token, _ := got["access_token"].(string)
		if token == "" {
			t.Fatalf("%v", got["error_description"])
		}
		head, body := curl(t, "-H", "Authorization: Bearer "+token, cloud.Graph+"/v1.0/users?$top=2&$select=userPrincipalName")
		if !strings.Contains(head, " 200") || !strings.Contains(body, "fabrikam.example") {
			t.Errorf("%s\n%.300s", head, body)
		}
		got = exchange(t, a, customer(t, "Woodgrove"), refresh, graphDefault)
		if codes, _ := json.Marshal(got["error_codes"]); string(codes) != "[90099]" {
			t.Errorf("without consent: %v", got)
		}
	})
}

// An agent without MFA is refused by Partner Center once that is enforced.
func TestCurlWithoutMFA(t *testing.T) {
	shows(t, "curl", "Partner Center without MFA: 401 and 900421; before enforcement isMfaCompliant false")
	p := someone(t, "nomfa")
	got := post(t, authority(cloud.Tenant.ID)+"/oauth2/v2.0/token", url.Values{"grant_type": {"password"}, "client_id": {program(t, "command line").id},
		"username": {p.upn}, "password": {p.password}, "scope": {centerScope}})
	token, _ := got["access_token"].(string)
	if token == "" {
		t.Fatalf("%v", got["error_description"])
	}
	ask := func() (head, body string) {
		return curl(t, "-H", "Authorization: Bearer "+token, "-H", "ValidateMfa: true", cloud.PartnerCenter+"/v1/customers?size=3")
	}
	t.Cleanup(func() { cli(t, "enforcement", "api=history") })
	cli(t, "enforcement", "api=on")
	if head, body := ask(); !strings.Contains(head, " 401") || !strings.Contains(body, "900421") {
		t.Errorf("enforced:\n%s\n%.300s", head, body)
	}
	cli(t, "enforcement", "api=off")
	if head, body := ask(); !strings.Contains(head, " 200") || !strings.Contains(head, "ismfacompliant: false") {
		t.Errorf("before enforcement:\n%s\n%.300s", head, body)
	}
}

type jwk struct {
	Kid, N, E, Kty, Use string
	X5C                 []string
}

// keySet reads discovery and the keys it leads to.
func keySet(t *testing.T) map[string]jwk {
	t.Helper()
	_, body := curl(t, authority(cloud.Tenant.ID)+"/v2.0/.well-known/openid-configuration")
	var d struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
		Token  string `json:"token_endpoint"`
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(d.Issuer, "/"+cloud.Tenant.ID+"/v2.0") || !strings.HasPrefix(d.JWKS, cloud.Login+"/") || d.Token != authority(cloud.Tenant.ID)+
		"/oauth2/v2.0/token" {
		t.Fatalf("discovery %+v", d)
	}
	_, body = curl(t, d.JWKS)
	var set struct{ Keys []jwk }
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	out := map[string]jwk{}
	for _, k := range set.Keys {
		out[k.Kid] = k
	}
	return out
}

// verify checks a token against a key of the set, as an API would.
func verify(t *testing.T, token string, keys map[string]jwk) {
	t.Helper()
	head := part(t, token, 0)
	kid, _ := head["kid"].(string)
	k, ok := keys[kid]
	if !ok || head["alg"] != "RS256" || k.Kty != "RSA" {
		t.Fatalf("header %v is of none of %d keys", head, len(keys))
	}
	n, err := base64.RawURLEncoding.DecodeString(k.N)
	if err != nil {
		t.Fatal(err)
	}
	e, err := base64.RawURLEncoding.DecodeString(k.E)
	if err != nil {
		t.Fatal(err)
	}
	pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	i := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(token[:i]))
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig); err != nil {
		t.Error(err)
	}
	if len(k.X5C) == 0 {
		t.Fatal("no x5c")
	}
	der, err := base64.StdEncoding.DecodeString(k.X5C[0])
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if !pub.Equal(cert.PublicKey) {
		t.Error("the certificate in x5c is of another key")
	}
}

func TestCurlDiscovery(t *testing.T) {
	shows(t, "curl", "discovery and key set: kid found, x5c of the same key, a token's signature holds")
	verify(t, get(t, collector(t), graphDefault).Token, keySet(t))
}

// A partner user without MFA who turns to a customer is asked for it, and the
// customer's log says who asked. The customer's own policies leave partners out.
func TestPartnerWithoutMFA(t *testing.T) {
	shows(t, "Chromium", "a partner user without MFA is asked for it at AOBO; the log row says enforcedForCspAdmins")
	b, p, back, tenant := chromium(t), someone(t, "nomfa"), listen(t), customer(t, "Woodgrove")
	s, err := b.signIn(authorizeURL(tenant, program(t, "control panel").id, back, graphDefault, nil), p, func(s sight) bool {
		return s.Kind == "choose" || s.Kind == "enroll" || s.Kind == "fault" || strings.HasPrefix(s.URL, back)
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != "choose" && s.Kind != "enroll" {
		t.Fatalf("not asked: %s\n%s", s.URL, s.Text)
	}
	type signIn struct {
		UserPrincipalName, CrossTenantAccessType, ResourceTenantID, AuthenticationRequirement string
		AuthenticationRequirementPolicies                                                     []struct{ RequirementProvider string }
		Status                                                                                struct{ ErrorCode int }
	}
	said := false
	for _, r := range logged[signIn](t, "signins") {
		if strings.EqualFold(r.UserPrincipalName, p.upn) && r.ResourceTenantID == tenant {
			for _, q := range r.AuthenticationRequirementPolicies {
				said = said || q.RequirementProvider == "enforcedForCspAdmins" && r.CrossTenantAccessType == "serviceProvider" && r.Status.ErrorCode != 0
			}
		}
	}
	if !said {
		t.Error("no row of the log says why")
	}
}

// The proxy refuses the world outside, whoever asks.
func TestNothingElseIsReached(t *testing.T) {
	const what = "any other host is refused"
	if cloud.way != byNames {
		for _, c := range []string{"net/http (Go)", "curl", "fetch (Node)"} {
			note(c, what, apart)
		}
		t.Skip("only the proxy refuses")
	}
	t.Run("go", func(t *testing.T) {
		shows(t, "net/http (Go)", what)
		if res, err := http.Get("https://example.com/"); err == nil {
			res.Body.Close()
			t.Errorf("example.com answered %s", res.Status)
		}
	})
	t.Run("curl", func(t *testing.T) {
		shows(t, "curl", what)
		if head, _, err := tryCurl(t, "https://example.com/"); err == nil {
			t.Errorf("example.com answered %s", head)
		}
	})
	t.Run("node", func(t *testing.T) {
		shows(t, "fetch (Node)", what)
		if out := node(t, "outside.mjs", nil, nil); !strings.Contains(out, "ECONNREFUSED") {
			t.Errorf("fetch: %s", out)
		}
	})
}
