package console_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/console"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/entra"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
)

type claims map[string]any

func with(base, changes claims) claims {
	out := maps.Clone(base)
	for k, v := range changes {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

var signers = sync.OnceValues(func() (a, b *rsa.PrivateKey) {
	for _, k := range []**rsa.PrivateKey{&a, &b} {
		var err error
		if *k, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return a, b
})

func sign(t testing.TB, key *rsa.PrivateKey, kid string, c claims) secret.Text {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sig.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(text)
}

// authority answers with tokens of a test's making.
type authority struct {
	testing.TB
	asked  msapi.AuthorizeRequest
	id     func(nonce string) secret.Text
	access secret.Text
	fails  error
	codes  map[string]bool
}

func (a *authority) AuthorizeURL(r msapi.AuthorizeRequest) (string, error) {
	a.asked = r
	return "https://login.microsoftonline.com/" + r.Tenant + "/authorize", nil
}

func (a *authority) Discover(context.Context, msapi.Cloud, string) (msapi.Discovery, error) {
	return msapi.Discovery{Tenant: tenantID}, nil
}

func (a *authority) Redeem(_ context.Context, r msapi.RedeemRequest) (*msapi.Grant, error) {
	if r.Tenant != tenantID || r.Verifier.IsZero() || r.Resource == "" || r.Redirect != home+"/signin/callback" {
		a.Errorf("redeemed at %s for %s to %s", r.Tenant, r.Resource, r.Redirect)
	}
	if a.fails != nil {
		return nil, a.fails
	}
	if a.codes[r.Code.Reveal()] {
		return nil, &msapi.TokenError{Status: 400, Code: 54005, Err: "invalid_grant"}
	}
	if a.codes == nil {
		a.codes = map[string]bool{}
	}
	a.codes[r.Code.Reveal()] = true
	return &msapi.Grant{Access: a.access, ID: a.id(a.asked.Nonce.Reveal())}, nil
}

func (a *authority) Keys(context.Context, msapi.Cloud, string, string) (jose.JSONWebKeySet, error) {
	k, _ := signers()
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}}}, nil
}

// forge is a rig at an authority of a test's making. Good is an id token as it should be.
func forge(t testing.TB) (*rig, *authority, claims) {
	t.Helper()
	a := &authority{TB: t}
	r := newRig(t, dbtest.SQLite(t), func(d *console.Deps) {
		d.Entra, d.Cloud = a, msapi.Commercial()
		d.SignIn = func(context.Context, string) (console.SignIn, error) {
			return console.SignIn{App: msapi.App{ClientID: labtest.PanelApp, Credential: msapi.NewPublic()}, Tenant: tenantID, Name: "contoso.com"}, nil
		}
	})
	good := claims{"aud": labtest.PanelApp, "iss": "https://sts.windows.net/" + tenantID + "/", "tid": tenantID, "oid": ada,
		"upn": "ada@contoso.com", "ver": "1.0",
		"iat": r.at.Unix(), "nbf": r.at.Unix(), "exp": r.at.Add(time.Hour).Unix(), "amr": []string{"pwd", "mfa"}, "auth_time": r.at.Unix(),
		"wids": []string{entra.RoleSecurityReader}}
	return r, a, good
}

// come begins a sign-in and brings an answer with a code of its own.
func (b *browser) come(a *authority, code string, more ...string) {
	b.Helper()
	b.post("/signin/entra", url.Values{"to": {"/posture/see"}})
	b.answer(a, code, more...)
}

func (b *browser) answer(a *authority, code string, more ...string) {
	b.Helper()
	q := url.Values{"state": {a.asked.State.Reveal()}, "code": {code}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
		if more[i+1] == "" {
			q.Del(more[i])
		}
	}
	b.get("/signin/callback?" + q.Encode())
}

// Tokens that are not what they should be: each is refused for its own reason, and nobody
// is in.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, stranger := signers()
	none := func(c claims) secret.Text {
		b, _ := json.Marshal(c)
		return secret.New(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + base64.RawURLEncoding.EncodeToString(b) + ".")
	}
	guest := "https://sts.windows.net/" + someone + "/"
	for name, c := range map[string]struct {
		id    claims
		twist func(nonce string) secret.Text
		words string // "" is let in
	}{
		"as it should be": {},
		"v2 with amr": {id: claims{"iss": "https://login.microsoftonline.com/" + tenantID + "/v2.0", "ver": "2.0", "upn": nil,
			"preferred_username": "a@b.c"}},
		"its own idp":         {id: claims{"idp": "https://sts.windows.net/" + tenantID + "/"}},
		"another app's":       {id: claims{"aud": "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, words: "the id token is not taken: bad audience"},
		"two audiences":       {id: claims{"aud": []string{labtest.PanelApp, "x"}}, words: "the id token is not taken"},
		"another nonce":       {id: claims{"nonce": "x"}, words: "the id token is not taken: bad nonce"},
		"no nonce":            {id: claims{"nonce": nil}, words: "the id token is not taken"},
		"expired":             {id: claims{"exp": monday.Add(-10 * time.Minute).Unix(), "iat": monday.Add(-time.Hour).Unix(), "nbf": nil}, words: "expired"},
		"not yet valid":       {id: claims{"nbf": monday.Add(time.Hour).Unix()}, words: "not yet valid"},
		"a foreign tenant":    {id: claims{"tid": someone, "iss": guest}, words: "is of another tenant than the one that is connected"},
		"of another's issuer": {id: claims{"iss": guest}, words: "the id token is not taken"},
		"an issuer like it":   {id: claims{"iss": "https://sts.windows.net.evil.example/" + tenantID + "/"}, words: "the id token is not taken"},
		"a guest":             {id: claims{"idp": guest}, words: "is a guest: it signed in elsewhere"},
		"no account":          {id: claims{"oid": nil}, words: "it names no account"},
		"no role": {id: claims{"wids": []string{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}},
			words: "ada@contoso.com proved MFA, and has no role here"},
		"roles as a text": {id: claims{"wids": entra.RoleGlobalAdministrator}, words: "it cannot be read"},
		"unsigned":        {twist: func(n string) secret.Text { return none(with(good, claims{"nonce": n})) }, words: "the id token is not taken"},
		"a stranger's key": {twist: func(n string) secret.Text { return sign(t, stranger, "k1", with(good, claims{"nonce": n})) },
			words: "bad signature"},
		"no token":   {twist: func(string) secret.Text { return secret.Text{} }, words: "none came"},
		"a long one": {twist: func(string) secret.Text { return secret.New(strings.Repeat("a", 1<<20)) }, words: "too long"},
	} {
		a.id = c.twist
		if c.twist == nil {
			a.id = func(n string) secret.Text { return sign(t, key, "k1", with(with(good, claims{"nonce": n}), c.id)) }
		}
		b := r.browser()
		b.come(a, strings.ReplaceAll(name, " ", "-"))
		if c.words == "" {
			b.leads("/posture/see")
			b.get("/posture/see")
			b.is(200, "Reader")
			continue
		}
		if b.last.Code < 400 || b.jar["pg"] != "" || !says(b, c.words) {
			t.Errorf("%s: %d %s", name, b.last.Code, text(b.last.Body.String()))
		}
		if b.get("/posture/see"); b.last.Code != 303 {
			t.Errorf("%s: is in", name)
		}
	}
	if all := strings.Join(r.said(), ", "); !strings.Contains(all, "refused guest") || !strings.Contains(all, "refused tenant") ||
		!strings.Contains(all, "refused no role") || !strings.Contains(all, "refused token") {
		t.Error(all)
	}
}

// Directory roles of an access token count when it is of the same sign-in, and of nobody
// else's.
func TestForgedDirectoryRoles(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, _ := signers()
	a.id = func(n string) secret.Text { return sign(t, key, "k1", with(good, claims{"nonce": n, "wids": nil})) }
	access := claims{"aud": "https://graph.microsoft.com", "iss": good["iss"], "tid": tenantID, "oid": ada, "ver": "1.0", "appid": labtest.PanelApp,
		"appidacr": "1",
		"scp":      "User.Read", "wids": []string{entra.RoleGlobalAdministrator}}
	for name, c := range map[string]struct {
		change claims
		in     bool
	}{
		"the same":        {nil, true},
		"no roles":        {claims{"wids": nil}, false},
		"another account": {claims{"oid": bo}, false},
		"another app":     {claims{"appid": someone}, false},
		"another tenant":  {claims{"tid": someone, "iss": "https://sts.windows.net/" + someone + "/"}, false},
		"an app alone":    {claims{"scp": nil, "idtyp": "app"}, false},
		"no ids":          {claims{"wids": []string{"Global Administrator", "*"}}, false},
	} {
		a.access, a.codes = sign(t, key, "k1", with(access, c.change)), nil
		b := r.browser()
		b.come(a, "c")
		if in := b.last.Code == 303; in != c.in {
			t.Errorf("%s: %d %s", name, b.last.Code, text(b.last.Body.String()))
		}
	}
	for _, opaque := range []string{"", "x", "a.b.c", strings.Repeat("a", 1<<20)} {
		a.access, a.codes = secret.New(opaque), nil
		b := r.browser()
		if b.come(a, "c"); b.last.Code != 403 {
			t.Errorf("an access token that cannot be read: %d", b.last.Code)
		}
	}
}

// Answers that are not those to what this browser asked.
func TestForgedAnswers(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, _ := signers()
	a.id = func(n string) secret.Text { return sign(t, key, "k1", with(good, claims{"nonce": n})) }
	b := r.browser()
	b.post("/signin/entra", url.Values{})
	if a.asked.Challenge == "" || a.asked.Nonce.IsZero() || a.asked.Tenant != tenantID || a.asked.Mode != "query" || a.asked.MaxAge != 8*time.Hour ||
		strings.Contains(b.last.Header().Get("Location"), "{") {
		t.Errorf("asked for %+v", a.asked)
	}
	flow := b.jar["pg-in"]
	if flow == "" || strings.Contains(flow, a.asked.State.Reveal()) {
		t.Error("the state is not sealed")
	}
	stranger := r.browser()
	stranger.answer(a, "c1") // a login that somebody slips to another browser
	stranger.is(400, "belongs to no sign-in that this browser began")
	b.answer(a, "c1", "state", strings.Repeat("0", 64))
	b.is(400, "belongs to another sign-in")
	b.answer(a, "c1", "iss", "https://sts.windows.net/"+someone+"/")
	b.is(400, "another authority or tenant answered")
	b.answer(a, "c1")
	b.is(400, "belongs to no sign-in that this browser began") // its one answer came

	b.come(a, "c2")
	b.leads("/posture/see")
	session := b.jar["pg"]
	b.jar["pg-in"] = flow
	b.answer(a, "c2")
	b.is(400)
	if b.jar["pg"] != session {
		t.Error("an answer that is not taken takes the session")
	}
	// The same flow, state and code once more, by a copy of the cookie.
	c := r.browser()
	c.post("/signin/entra", url.Values{})
	kept := c.jar["pg-in"]
	c.answer(a, "c3")
	c.leads("/")
	c.jar["pg-in"] = kept
	c.answer(a, "c4")
	c.is(400, "the answer to this sign-in came before")
	r.start() // another process takes it, and the code is spent at Entra ID
	c.jar["pg-in"] = kept
	c.answer(a, "c3")
	c.is(400, "the sign-in was not completed")

	for name, jump := range map[string]time.Duration{"late": 10 * time.Minute, "clock set back": -2 * time.Minute} {
		b := r.browser()
		b.post("/signin/entra", url.Values{})
		r.at = r.at.Add(jump)
		if b.answer(a, "c9"); b.last.Code != 400 || !says(b, "more than ten minutes") {
			t.Errorf("%s: %d %s", name, b.last.Code, text(b.last.Body.String()))
		}
		r.at = monday
	}
	for _, q := range []string{"", "state=a", "code=b", "state=a&code=b&code=c", "state=%00&code=b", "state=a&error=%0d%0a", strings.Repeat("a=b&", 30000)} {
		if b.get("/signin/callback?" + q); b.last.Code != 400 {
			t.Errorf("%.40q: %d", q, b.last.Code)
		}
	}
	b.host = "evil.example"
	b.come(a, "c5")
	b.is(421)
	b.host = "localhost:8443"
	for err, status := range map[error]int{&msapi.TokenError{Status: 400, Code: 50105, Err: "access_denied"}: 400, errors.New("no way"): 503} {
		a.fails = err
		if b.come(a, "c6"); b.last.Code != status || strings.Contains(b.last.Body.String(), "no way") {
			t.Errorf("%v: %d %s", err, b.last.Code, text(b.last.Body.String()))
		}
	}
	b.come(a, "", "code", "", "error", "access_denied")
	b.is(403, "was given up, or the consent declined")
	b.come(a, "", "code", "", "error", "access_denied", "error_description", "AADSTS50105: <script>alert(1)</script>")
	b.is(403, "AADSTS50105")
	if strings.Contains(b.last.Body.String(), "alert(1)") {
		t.Error("what another says is in the page")
	}
}

// Without the claim: a step-up, once, with words, and then the cause.
func TestStepUp(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, _ := signers()
	amr, at := []string{"pwd"}, r.at
	a.id = func(n string) secret.Text {
		return sign(t, key, "k1", with(good, claims{"nonce": n, "amr": amr, "auth_time": at.Unix()}))
	}
	b := r.browser()
	b.come(a, "1")
	b.leads("/signin/step-up")
	if b.jar["pg"] != "" {
		t.Fatal("somebody without MFA is in")
	}
	b.get("/signin/step-up")
	b.is(200, "You signed in as ada@contoso.com, and the sign-in does not prove MFA", "amr holds pwd and no mfa", "Sign in with MFA")
	if !strings.Contains(b.last.Body.String(), `value="/posture/see"`) || !strings.Contains(b.last.Header().Get("Content-Security-Policy"),
		"form-action 'self' https://login.microsoftonline.com") {
		t.Error(b.last.Header(), b.last.Body)
	}
	b.post("/signin/step-up", url.Values{"to": {"/posture/see"}})
	b.is(303)
	if a.asked.Prompt != "login" || a.asked.AMR != "mfa" || a.asked.LoginHint != "ada@contoso.com" || a.asked.MaxAge != 5*time.Minute ||
		!strings.Contains(a.asked.Claims, `"amr":{"essential":true,"values":["mfa"]}`) || !json.Valid([]byte(a.asked.Claims)) {
		t.Errorf("asked for %+v", a.asked)
	}
	b.answer(a, "2") // without again: the end, not another round
	b.is(403, "MFA was demanded of ada@contoso.com, and the sign-in came back without it", "a Conditional Access policy that requires MFA")
	b.get("/signin/step-up")
	b.leads("/signin")

	b.come(a, "3")
	amr, at = []string{"pwd", "mfa"}, r.at.Add(-time.Hour)
	b.post("/signin/step-up", url.Values{"to": {"/posture/see"}})
	b.answer(a, "4") // prompt=login was taken out of the address
	b.is(403, "an older one, although a new one was demanded")

	at = r.at
	b.come(a, "5")
	b.leads("/posture/see")
	if got := strings.Join(r.said(), ", "); got != "refused no mfa, refused no mfa, refused no mfa, refused no mfa, entered" {
		t.Error(got)
	}
}

// To change something the proof of MFA must be new; the person comes back, and nothing
// that was sent is done by itself.
func TestOldProof(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, _ := signers()
	at, who := r.at.Add(-7*time.Hour-30*time.Minute), ada
	a.id = func(n string) secret.Text {
		c := claims{"nonce": n, "auth_time": at.Unix(), "oid": who, "wids": []string{entra.RoleGlobalAdministrator}}
		if at.IsZero() {
			c["auth_time"] = nil
		}
		for k, v := range map[string]time.Time{"iat": r.at, "nbf": r.at, "exp": r.at.Add(time.Hour)} {
			c[k] = v.Unix()
		}
		return sign(t, key, "k1", with(good, c))
	}
	b := r.browser()
	b.come(a, "1")
	b.post("/operation/do", url.Values{})
	b.is(200, "Administrator")
	r.at = r.at.Add(30 * time.Minute)
	b.post("/operation/do", url.Values{})
	b.leads("/signin/step-up?to=%2Foperation&why=old")
	b.get("/operation/see") // to see, it will do
	b.is(200)
	b.get("/signin/step-up?to=%2Foperation&why=old")
	b.is(200, "Your proof of MFA is older than 8 hours", "Nothing that you sent was done")
	before := b.jar["pg"]
	b.post("/signin/step-up", url.Values{"to": {"/operation"}})
	at = r.at
	b.answer(a, "2")
	b.leads("/operation")
	if b.jar["pg"] == before {
		t.Error("the session is the same")
	}
	b.post("/operation/do", url.Values{})
	b.is(200)
	b.jar2(func(jar map[string]string) { jar["pg"] = before; b.get("/"); b.is(303) })
	if got := r.said(); got[len(got)-1] != "stepped-up" {
		t.Error(got)
	}
	// Without auth_time nobody knows how old it is.
	at = time.Time{}
	c := r.browser()
	c.come(a, "3")
	c.post("/operation/do", url.Values{})
	c.is(303)
	c.do("POST", "/operation/do", url.Values{}, "Accept", "application/json")
	c.is(401)
}
