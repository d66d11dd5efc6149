package authority_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/entra"
)

// document reads a public JSON document.
func (l *lab) document(path string) (m map[string]any, status int) {
	l.t.Helper()
	resp, err := http.Get(l.srv.URL + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(&m)
	return m, resp.StatusCode
}

// Clients look for a token's key by kid, by x5t, or by either: Entra ID's are the
// same, in the header and in the key set.
func TestKidIsThumbprint(t *testing.T) {
	l := newLab(t)
	r := l.sam()
	for _, token := range []string{r.Access, r.ID} {
		if h := headOf(token); h["kid"] == "" || h["kid"] != h["x5t"] {
			t.Errorf("header: %v", h)
		}
	}
	for path, issuer := range map[string]any{
		"/common/discovery/v2.0/keys": l.srv.URL + "/{tenantid}/v2.0", "/contoso.com/discovery/v2.0/keys": l.srv.URL + "/" + partnerID + "/v2.0",
		"/common/discovery/keys": nil,
	} {
		m, _ := l.document(path)
		for _, k := range m["keys"].([]any) {
			k := k.(map[string]any)
			if k["kid"] != headOf(r.Access)["kid"] || k["kid"] != k["x5t"] || k["issuer"] != issuer || len(k["x5c"].([]any)) != 1 || k["alg"] != nil {
				t.Errorf("%s: %v", path, k)
			}
		}
	}
}

func TestDiscoveryAsEntra(t *testing.T) {
	l := newLab(t)
	for _, path := range []string{"/common/v2.0", "/organizations/v2.0", "/contoso.com/v2.0", "/" + customerID + "/v2.0", "/common", "/contoso.com"} {
		m, _ := l.document(path + "/.well-known/openid-configuration")
		if m["userinfo_endpoint"] != "https://graph.microsoft.com/oidc/userinfo" || m["end_session_endpoint"] == nil ||
			!slices.Contains(m["response_types_supported"].([]any), any("code id_token")) {
			t.Errorf("%s: %v", path, m)
		}
	}
	for _, path := range []string{"/contoso.com/B2C_1_signin/v2.0/.well-known/openid-configuration", "/tfp/contoso.com/B2C_1_signin/v2.0/.well-known/" +
		"openid-configuration", "/contoso.com/v2.0/.well-known/openid-configuration?p=B2C_1_signin"} {
		if m, status := l.document(path); status != 404 || m != nil {
			t.Errorf("%s: %d %v", path, status, m)
		}
	}
}

// A v1 token is for the resource as it was asked for, to the letter.
func TestAudienceEcho(t *testing.T) {
	l := newLab(t)
	app := []string{"grant_type", "client_credentials", "client_id", samApp, "client_secret", secretOK}
	for scope, aud := range map[string]string{
		graphURI + "/.default": graphURI, graphURI + "//.default": graphURI + "/", entra.AppGraph + "/.default": entra.AppGraph,
	} {
		if r := l.token(partnerID, append(app, "scope", scope)...); r.Access == "" || l.claims(r.Access).Audience != aud {
			t.Errorf("%s: %+v", scope, r)
		}
	}
	for _, resource := range []string{graphURI, graphURI + "/", entra.AppGraph, center} {
		r := l.post("/"+partnerID+"/oauth2/token", values(append(app, "resource", resource)...))
		if r.Access == "" || l.claims(r.Access).Audience != resource || r.Raw["resource"] != resource {
			t.Errorf("%s: %+v", resource, r)
		}
	}
	// A user's, with scopes that name no resource, and again by refresh token.
	r := l.sam("scope", "openid profile offline_access User.Read")
	for range 2 {
		c := l.claims(r.Access)
		if c.Audience != entra.AppGraph || !c.HasScope("User.Read") || !c.HasScope("openid") || !c.HasScope("profile") ||
			c.HasScope("email") || c.HasScope("offline_access") {
			t.Fatalf("%+v", c)
		}
		r = l.token(partnerID, "grant_type", "refresh_token", "client_id", samApp, "client_secret", secretOK, "refresh_token", r.Refresh)
	}
}

// The proof key may be sent plainly, as Entra ID takes it; a code still needs it.
func TestPlainProofKey(t *testing.T) {
	l := newLab(t)
	for _, method := range []string{"plain", ""} {
		b := l.browser().get(l.authorizeURL(partnerID, "code_challenge", verifier, "code_challenge_method", method)).signIn("ada@contoso.com")
		if r := b.redeem(partnerID, "code_verifier", challenge()); r.code() != 501481 {
			t.Errorf("%q: a wrong verifier: %+v", method, r)
		}
		if r := b.redeem(partnerID); r.Access == "" {
			t.Errorf("%q: %+v", method, r)
		}
	}
	kv := []string{"client_id", toolApp, "redirect_uri", "http://localhost:8400", "code_challenge", "", "code_challenge_method", ""}
	b := l.browser().get(l.authorizeURL(partnerID, kv...)).signIn("ada@contoso.com")
	if r := b.redeem(partnerID, "client_id", toolApp, "client_secret", "", "redirect_uri", "http://localhost:8400", "code_verifier", ""); r.Access == "" {
		t.Errorf("a native client without a proof key: %+v", r)
	}
}

// What web frameworks send: code and ID token by form_post.
func TestHybrid(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID, "response_type", "code id_token", "response_mode", "form_post", "scope",
		"openid profile email offline_access", "nonce", "n-1", "state", "st")).signIn("ada@contoso.com")
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(b.page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	id := l.claims(v.Get("id_token"))
	if id.Nonce != "n-1" || id.Audience != samApp || id.CHash == "" || v.Get("state") != "st" || v.Get("session_state") == "" {
		t.Fatalf("%+v %v", id, v)
	}
	r := l.token(partnerID, "grant_type", "authorization_code", "client_id", samApp, "client_secret", secretOK, "code", v.Get("code"), "redirect_uri", callback,
		"code_verifier", verifier)
	again := l.claims(r.ID)
	if again.Subject != id.Subject || again.Issuer != id.Issuer || again.Nonce != "n-1" {
		t.Fatalf("%+v", again)
	}
	c := l.claims(r.Access)
	if c.ForClient == nil || c.ForClient.Subject != id.Subject || c.Audience != entra.AppGraph || !c.HasScope("openid") || !c.HasScope("email") {
		t.Fatalf("%+v", c)
	}
	alone := l.browser().get(l.authorizeURL(partnerID, "response_type", "id_token", "response_mode", "fragment", "scope", "openid", "nonce", "n-2")).
		signIn("ada@contoso.com").arrived()
	if l.claims(alone.Get("id_token")).Nonce != "n-2" || alone.Has("code") {
		t.Fatal(alone)
	}
}

// A refusal names Basic only to a client that used it: others take such a header
// for a challenge, and do not read the body.
func TestBasicChallenge(t *testing.T) {
	l := newLab(t)
	for basic, want := range map[string]string{"": "", "Basic " + base64.StdEncoding.EncodeToString([]byte(samApp+":wrong")): "Basic"} {
		v := values("grant_type", "client_credentials", "scope", graphURI+"/.default")
		if basic == "" {
			v.Set("client_id", samApp)
			v.Set("client_secret", "wrong")
		}
		req, _ := http.NewRequest(http.MethodPost, l.srv.URL+"/"+partnerID+"/oauth2/v2.0/token", strings.NewReader(v.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if basic != "" {
			req.Header.Set("Authorization", basic)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %d %q", basic, resp.StatusCode, got)
		}
	}
}
