package claim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Of the provider reference: the two samples have exp one second before iat.
const (
	hintTenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	hintUser   = "5a000000-0000-4000-8000-0000000000b1"
	hintApp    = "5a000000-0000-4000-8000-0000000000ea"
	hintClient = "desk-client"
	hintIssuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
)

func certificate(key, by crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)},
		key.Public(), by)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// hintKeys has rsa with its certificate, rsa2 with that of rsa, bare without,
// and an elliptic key with its own.
var hintKeys = sync.OnceValue(func() jose.JSONWebKeySet {
	k := keys().private
	own := certificate(k["rsa"], k["rsa"])
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k["rsa"].Public(), KeyID: "rsa", Use: "sig", Certificates: []*x509.Certificate{own}}, // no alg, as Microsoft's often have none
		{Key: k["rsa2"].Public(), KeyID: "rsa2", Certificates: []*x509.Certificate{own}},
		{Key: k["stranger"].Public(), KeyID: "stranger"},
		{Key: k["p256"].Public(), KeyID: "p256", Certificates: []*x509.Certificate{certificate(k["p256"], k["p256"])}},
	}}
})

// once is the memory of one process.
type once struct {
	mu   sync.Mutex
	seen map[string]time.Time
	err  error
}

func (o *once) First(key string, until time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return false, o.err
	}
	_, there := o.seen[key]
	if o.seen == nil {
		o.seen = map[string]time.Time{}
	}
	o.seen[key] = until
	return !there, nil
}

func hintExpect() claim.HintExpect {
	return claim.HintExpect{
		Now: now, Leeway: 2 * time.Minute, AppID: hintApp, ClientID: hintClient, Issuers: []string{hintIssuer},
		Tenant: func(t string) bool { return t == hintTenant }, Nonce: secret.New("n-1"), Used: &once{},
	}
}

// hint builds one; change may spoil its claims.
func hint(t testing.TB, key, alg string, change func(c map[string]any)) string {
	t.Helper()
	iat := now.Unix() - 3
	c := map[string]any{
		"iss": strings.Replace(hintIssuer, "{tenantid}", hintTenant, 1), "aud": hintApp, "iat": iat, "nbf": iat, "exp": iat - 1, "tid": hintTenant,
		"oid": hintUser,
		"sub": "pairwise", "preferred_username": "ben@contoso.com", "name": "Ben", "ver": "2.0",
	}
	if change != nil {
		change(c)
	}
	h, _ := json.Marshal(map[string]any{"alg": alg, "typ": "JWT", "kid": key})
	p, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	input := b64(h) + "." + b64(p)
	return input + "." + b64(sign(t, key, alg, input))
}

func TestHint(t *testing.T) {
	t.Parallel()
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	drop := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	at := func(seconds int64) func(map[string]any) {
		return func(c map[string]any) {
			c["iat"], c["nbf"], c["exp"] = now.Unix()+seconds, now.Unix()+seconds, now.Unix()+seconds-1
		}
	}
	for _, c := range []struct {
		name     string
		key, alg string
		change   func(map[string]any)
		expect   func(*claim.HintExpect)
		flaw     claim.Flaw // "" when it is taken
	}{
		{name: "as Entra ID issues it"},
		{name: "exp long ago", change: set("exp", 1000)},
		{name: "exp a short time after issue", change: set("exp", now.Unix()+60)},
		{name: "without nbf", change: drop("nbf")},
		{name: "nearly too old", change: at(-419)},
		{name: "too old", change: at(-421), flaw: claim.Expired},
		{name: "too old, whatever exp says", change: func(c map[string]any) { at(-421)(c); c["exp"] = now.Unix() + 9999 }, flaw: claim.Expired},
		{name: "the clock behind", change: at(119)},
		{name: "from the future", change: at(121), flaw: claim.NotYetValid},
		{name: "from the future, without nbf", change: func(c map[string]any) { at(121)(c); delete(c, "nbf") }, flaw: claim.NotYetValid},
		{name: "nbf in the future", change: set("nbf", now.Unix()+121), flaw: claim.NotYetValid},
		{name: "without leeway", change: at(1), expect: func(e *claim.HintExpect) { e.Leeway = 0 }, flaw: claim.NotYetValid},
		{name: "no exp", change: drop("exp"), flaw: claim.BadClaim},
		{name: "exp as text", change: set("exp", "1"), flaw: claim.BadClaim},
		{name: "exp beyond any calendar", change: set("exp", json.Number("1e300")), flaw: claim.BadClaim},
		{name: "no iat", change: drop("iat"), flaw: claim.BadClaim},
		{name: "iat as text", change: set("iat", "1790000000"), flaw: claim.BadClaim},
		{name: "iat null", change: set("iat", nil), flaw: claim.BadClaim},
		{name: "nbf as list", change: set("nbf", []int{1}), flaw: claim.BadClaim},
		{name: "no iss", change: drop("iss"), flaw: claim.BadIssuer},
		{name: "another issuer", change: set("iss", "https://evil.example/"+hintTenant+"/v2.0"), flaw: claim.BadIssuer},
		{name: "the issuer of v1 tokens", change: set("iss", "https://sts.windows.net/"+hintTenant+"/"), flaw: claim.BadIssuer},
		{name: "another tenant's issuer", change: set("iss", strings.Replace(hintIssuer, "{tenantid}", hintUser, 1)), flaw: claim.BadIssuer},
		{name: "a tenant that is not ours", change: func(c map[string]any) {
			c["tid"] = hintUser
			c["iss"] = strings.Replace(hintIssuer, "{tenantid}", hintUser, 1)
		}, flaw: claim.BadIssuer},
		{name: "no tid", change: drop("tid"), flaw: claim.BadClaim},
		{name: "tid no id", change: func(c map[string]any) {
			c["tid"] = "common"
			c["iss"] = strings.Replace(hintIssuer, "{tenantid}", "common", 1)
		}, flaw: claim.BadClaim},
		{name: "no oid", change: drop("oid"), flaw: claim.BadClaim},
		{name: "oid no id", change: set("oid", "ben"), flaw: claim.BadClaim},
		{name: "oid as number", change: set("oid", 7), flaw: claim.BadClaim},
		{name: "no sub", change: drop("sub"), flaw: claim.BadClaim},
		{name: "sub empty", change: set("sub", ""), flaw: claim.BadClaim},
		{name: "no aud", change: drop("aud"), flaw: claim.BadClaim},
		{name: "another audience", change: set("aud", hintUser), flaw: claim.BadAudience},
		{name: "two audiences", change: set("aud", []string{hintApp, "x"}), flaw: claim.BadAudience},
		{name: "for the client id", change: set("aud", hintClient), flaw: claim.BadSetUp},
		{name: "for a client id that nobody named", change: set("aud", ""), expect: func(e *claim.HintExpect) { e.ClientID = "" }, flaw: claim.BadAudience},
		{name: "a guest", change: set("preferred_username", "ada@elsewhere.example")},
		{name: "no key of its name", key: "p384", alg: "ES384", flaw: claim.BadAlgorithm},
		{name: "elliptic", key: "p256", alg: "ES256", flaw: claim.BadAlgorithm},
		{name: "PS256", alg: "PS256", flaw: claim.BadAlgorithm},
		{name: "a key without certificate", key: "stranger", flaw: claim.NoKey},
		{name: "a key with another's certificate", key: "rsa2", flaw: claim.NoKey},
		{name: "leeway too wide", expect: func(e *claim.HintExpect) { e.Leeway = time.Hour }, flaw: claim.BadExpectancy},
		{name: "nothing remembers", expect: func(e *claim.HintExpect) { e.Used = nil }, flaw: claim.BadExpectancy},
		{name: "no list of tenants", expect: func(e *claim.HintExpect) { e.Tenant = nil }, flaw: claim.BadExpectancy},
		{name: "no app id", expect: func(e *claim.HintExpect) { e.AppID = "" }, flaw: claim.BadExpectancy},
	} {
		key, alg := c.key, c.alg
		if key == "" {
			key = "rsa"
		}
		if alg == "" {
			alg = "RS256"
		}
		e := hintExpect()
		if c.expect != nil {
			c.expect(&e)
		}
		tok, err := claim.VerifyHint(secret.New(hint(t, key, alg, c.change)), hintKeys(), e)
		switch {
		case c.flaw == "" && err != nil:
			t.Errorf("%s: refused: %v", c.name, err)
		case c.flaw == "" && (tok.Tenant != hintTenant || tok.ObjectID != hintUser || tok.Subject != "pairwise"):
			t.Errorf("%s: %+v", c.name, tok)
		case c.flaw != "" && (!errors.Is(err, c.flaw) || tok.Tenant != ""):
			t.Errorf("%s: %v, want %v", c.name, err, c.flaw)
		}
	}
}

// What is taken for a hint is a hint only: nobody else takes an expired token.
func TestHintIsNoToken(t *testing.T) {
	t.Parallel()
	_, err := claim.Verify(secret.New(hint(t, "rsa", "RS256", nil)), hintKeys(), claim.Expect{
		Now: now, Leeway: 2 * time.Minute, Audiences: []string{hintApp}, IssuerRule: claim.TenantIssuer(hintIssuer),
	})
	if !errors.Is(err, claim.BadClaim) {
		t.Fatalf("%v", err)
	}
}

func TestHintOnce(t *testing.T) {
	t.Parallel()
	e := hintExpect()
	take := func(change func(map[string]any)) error {
		_, err := claim.VerifyHint(secret.New(hint(t, "rsa", "RS256", change)), hintKeys(), e)
		return err
	}
	other := func(c map[string]any) { c["sub"] = "other" }
	if err := take(func(c map[string]any) { c["aud"] = "x" }); !errors.Is(err, claim.BadAudience) {
		t.Fatal(err)
	}
	if err := take(nil); err != nil { // one that was refused has used nothing up
		t.Fatal(err)
	}
	for _, change := range []func(map[string]any){nil, other} {
		if err := take(change); !errors.Is(err, claim.Replayed) {
			t.Errorf("the nonce was taken twice: %v", err)
		}
	}
	for key, until := range e.Used.(*once).seen {
		if len(key) != 64 || strings.Contains(key, "n-1") || until.Before(now.Add(claim.HintWindow)) {
			t.Errorf("remembered %q until %v", key, until)
		}
	}
	// Without a nonce it is the hint that counts.
	e.Nonce = secret.Text{}
	for want, change := range map[string]func(map[string]any){"first": nil, "another": other} {
		if err := take(change); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if err := take(change); !errors.Is(err, claim.Replayed) {
			t.Errorf("%s twice: %v", want, err)
		}
	}
	e.Used = &once{err: problem.New(problem.Limit, "the store is away")}
	if err := take(nil); !errors.Is(err, problem.Limit) {
		t.Errorf("a store that fails: %v", err)
	}
}

func TestExternalRequest(t *testing.T) {
	t.Parallel()
	const back = "https://login.microsoftonline.com/common/federation/externalauthprovider"
	good := func(pairs ...string) url.Values {
		v := url.Values{"scope": {"openid"}, "response_type": {"Id_token"}, "response_mode": {"form_post"}, "client_id": {hintClient}, "redirect_uri": {back},
			"nonce": {"n"}, "state": {"s"}, "id_token_hint": {"a.b.c"}, "later": {"x"}}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	r, err := claim.ReadExternalRequest(good(), []string{back})
	if err != nil || r.ClientID != hintClient || r.Answer("id_token", "t").Encode() != "id_token=t&state=s" {
		t.Fatal(r, err)
	}
	without := good()
	without.Del("state")
	without.Del("nonce")
	if r, err = claim.ReadExternalRequest(without, []string{back}); err != nil || r.Answer("error", "access_denied").Has("state") || !r.Nonce.IsZero() {
		t.Errorf("a state that was not passed: %v %v", r.Answer(), err)
	}
	empty, err := claim.ReadExternalRequest(good("state", ""), []string{back})
	if err != nil || !empty.Answer().Has("state") {
		t.Errorf("an empty state is one: %v %v", empty.Answer(), err)
	}
	twice := good()
	twice.Add("nonce", "m")
	for name, form := range map[string]url.Values{
		"elsewhere": good("redirect_uri", back+"/x"), "no redirect": good("redirect_uri", ""), "code": good("response_type", "code"),
		"both":  good("response_type", "code id_token"),
		"query": good("response_mode", "query"), "no openid": good("scope", "profile"), "no client": good("client_id", ""),
		"no hint": good("id_token_hint", ""),
		"twice":   twice, "long": good("state", strings.Repeat("s", 9<<10)), "long hint": good("id_token_hint", strings.Repeat("s", claim.MaxSize+1)),
		"nothing": {},
	} {
		if _, err := claim.ReadExternalRequest(form, []string{back}); !errors.Is(err, problem.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzHint: whatever comes, only what was signed as a hint is taken.
func FuzzHint(f *testing.F) {
	good := hint(f, "rsa", "RS256", nil)
	f.Add(good)
	f.Add(hint(f, "rsa2", "RS256", nil))
	f.Add(hint(f, "rsa", "RS256", func(c map[string]any) { c["exp"] = "x" }))
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := claim.VerifyHint(secret.New(s), hintKeys(), hintExpect())
		if err == nil && s != good || err != nil && tok.Tenant != "" {
			t.Fatalf("%q: %+v %v", s, tok, err)
		}
	})
}
