package selftest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/token"
)

// keySet looks at the keys that are published.
func (r *run) keySet(ctx context.Context) bool {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if !r.get(ctx, "keys", r.doc.Keys, &set) {
		return false
	}
	r.keys = set.Keys
	code := entra.CodeClientCredentialInvalid
	r.hold("keys: a spare one", len(set.Keys) >= 2, 0, "one key alone is published: when it is lost, Entra ID needs up to a day for another",
		"partnerguard serve publishes a spare key by itself")
	missing := map[string]bool{}
	sound, own := len(set.Keys) > 0, true
	for _, k := range set.Keys {
		for _, m := range []string{"kty", "use", "kid", "n", "e", "alg", "x5t"} {
			if s, ok := k[m].(string); !ok || s == "" {
				missing[m] = true
			}
		}
		n, _ := k["n"].(string)
		b, err := base64.RawURLEncoding.DecodeString(n)
		sound = sound && err == nil && len(b) >= 256 && k["kty"] == "RSA" && k["use"] == "sig" && k["alg"] == "RS256"
		own = own && certified(k, b)
	}
	for _, m := range []string{"kty", "use", "kid", "n", "e", "alg", "x5t"} {
		if missing[m] {
			r.tell("keys: "+m, Bad, code, "a key is published without it", "this is not the key set of Partnerguard")
		}
	}
	r.hold("keys: RSA of 2,048 bits for RS256", sound && len(missing) == 0, code,
		"a key is another, or lacks a member", "this is not the key set of Partnerguard")
	return r.hold("keys: x5c", own, code, "a key is published without its own certificate", "this is not the key set of Partnerguard")
}

// certified says that a key's certificate is its own.
func certified(k map[string]any, modulus []byte) bool {
	chain, _ := k["x5c"].([]any)
	if len(chain) == 0 {
		return false
	}
	text, _ := chain[0].(string)
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	public, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && string(public.N.Bytes()) == string(modulus)
}

// door sends requests that a provider must refuse, and looks at how it does.
func (r *run) door(ctx context.Context) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		r.tell("requests", Unknown, 0, "no key could be made", "")
		return
	}
	good := func() url.Values {
		return url.Values{"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "client_id": {r.o.Client},
			"redirect_uri": {r.o.Return}, "nonce": {token.Nonce().Reveal()}, "state": {token.State().Reveal()}, "client-request-id": {token.GUID()},
			"claims":        {`{"id_token":{"acr":{"essential":true,"values":["possessionorinherence"]},"amr":{"essential":true,"values":["fido","otp"]}}}`},
			"id_token_hint": {r.hint(key, "RS256", "selftest")}}
	}
	const harm = "anybody could be let in: stop the provider, and tell its makers"
	for _, c := range []struct {
		name string
		page bool // nobody may be sent anywhere
		do   func(url.Values)
	}{
		{"a hint by a stranger's key", false, func(url.Values) {}},
		{"a hint without a signature", false, func(v url.Values) { v.Set("id_token_hint", r.hint(nil, "none", "selftest")) }},
		{"a hint by our own published key's name", false, func(v url.Values) { v.Set("id_token_hint", r.hint(key, "RS256", r.kid())) }},
		{"a foreign redirect_uri", true, func(v url.Values) {
			v.Set("redirect_uri", "https://selftest.invalid/common/federation/externalauthprovider")
		}},
		{"two redirect_uri", true, func(v url.Values) { v.Add("redirect_uri", "https://selftest.invalid/") }},
		{"no hint", true, func(v url.Values) { v.Del("id_token_hint") }},
		{"response_type code", true, func(v url.Values) { v.Set("response_type", "code") }},
	} {
		form := good()
		c.do(form)
		status, to, back, err := r.post(ctx, form)
		switch {
		case err != nil:
			r.tell("refuses "+c.name, Unknown, entra.CodeExternalUnreachable, "the authorization_endpoint cannot be reached: "+reach(err),
				"look at the proxy's rules for POST")
		case c.page:
			r.hold("refuses "+c.name, status >= 400 && status < 500 && to == "", 0, "it is not refused with a page", harm)
		case status == http.StatusServiceUnavailable || back.Get("error") == "temporarily_unavailable":
			r.tell("refuses "+c.name, Unknown, 0, "the provider cannot answer now: it cannot read Entra ID's keys, or what it keeps",
				"partnerguard mfa status shows which; look into the log")
		default:
			r.hold("refuses "+c.name, status == http.StatusOK && to == r.o.Return && back.Get("error") != "" && back.Get("id_token") == "" &&
				back.Get("state") == form.Get("state"), 0, "it is not sent back with an error and the state", harm)
		}
	}
}

func (r *run) kid() string {
	if len(r.keys) == 0 {
		return "selftest"
	}
	s, _ := r.keys[0]["kid"].(string)
	return s
}

// hint makes a hint that looks like Entra ID's; without a key it has no signature.
func (r *run) hint(key *rsa.PrivateKey, alg, kid string) string {
	now := r.o.Now().Unix()
	part := func(v map[string]any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	in := part(map[string]any{"alg": alg, "typ": "JWT", "kid": kid}) + "." + part(map[string]any{"iss": r.o.Authority + "/" + r.o.Tenant + "/v2.0",
		"aud": r.o.AppID, "iat": now, "nbf": now, "exp": now - 1, "tid": r.o.Tenant, "oid": token.GUID(), "sub": "selftest",
		"preferred_username": "selftest@selftest.invalid", "ver": "2.0"})
	if key == nil {
		return in + "."
	}
	sum := sha256.Sum256([]byte(in))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return in + "."
	}
	return in + "." + base64.RawURLEncoding.EncodeToString(sig)
}

var (
	formTo = regexp.MustCompile(`<form [^>]*action="([^"]*)"`)
	field  = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)
)

// post sends a form as a browser on Entra ID's page does, and reads the form that comes
// back.
func (r *run) post(ctx context.Context, form url.Values) (status int, to string, back url.Values, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.doc.Authorization, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", nil, err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Accept", "text/html")
	q.Header.Set("Origin", r.o.Authority)
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := r.http.Do(q)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return 0, "", nil, err
	}
	back = url.Values{}
	for _, m := range field.FindAllStringSubmatch(string(body), -1) {
		back.Set(m[1], html.UnescapeString(m[2]))
	}
	if m := formTo.FindStringSubmatch(string(body)); m != nil {
		to = html.UnescapeString(m[1])
	}
	return resp.StatusCode, to, back, nil
}
