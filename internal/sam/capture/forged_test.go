package capture_test

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

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

const (
	home  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	other = "11111111-2222-3333-4444-555555555555"
	oid   = "0a0a0a0a-1111-2222-3333-444444444444"
)

type claims map[string]any

func with(base claims, changes claims) claims {
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

var signers = sync.OnceValues(func() (*rsa.PrivateKey, *rsa.PrivateKey) {
	a, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	b, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
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

// entra answers with tokens of a test's making.
type entra struct {
	msapi.Client
	t       *testing.T
	asked   msapi.AuthorizeRequest
	id      func(nonce string) secret.Text
	access  secret.Text
	refresh string
	keysErr error
	renewed string // what a refresh gives; "" is no consent there
}

func (e *entra) AuthorizeURL(r msapi.AuthorizeRequest) (string, error) {
	e.asked = r
	return "https://login.microsoftonline.com/" + r.Tenant, nil
}

func (e *entra) Discover(_ context.Context, _ msapi.Cloud, tenant string) (msapi.Discovery, error) {
	return msapi.Discovery{Tenant: home}, nil
}

func (e *entra) Redeem(_ context.Context, r msapi.RedeemRequest) (*msapi.Grant, error) {
	if r.Tenant != home || r.Verifier.IsZero() || r.Resource == "" {
		e.t.Errorf("redeemed at %s", r.Tenant)
	}
	return &msapi.Grant{Access: e.access, Refresh: secret.New(e.refresh), ID: e.id(e.asked.Nonce.Reveal())}, nil
}

func (e *entra) Refresh(context.Context, msapi.RefreshRequest) (*msapi.Grant, error) {
	if e.renewed != "" {
		return &msapi.Grant{Access: secret.New("opaque"), Refresh: secret.New(e.renewed), Scope: []string{"https://graph.microsoft.com/User.Read", "openid"}},
			nil
	}
	return nil, &msapi.TokenError{Status: 400, Code: 65001, Err: "invalid_grant"}
}

func (e *entra) Keys(context.Context, msapi.Cloud, string, string) (jose.JSONWebKeySet, error) {
	k, _ := signers()
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}}}, e.keysErr
}

// plain is a request that anything may be asked with.
func plain() capture.Request {
	cred, _ := msapi.NewSecret(secret.New("x"), time.Time{})
	return capture.Request{Model: sam.CSP, Cloud: msapi.Commercial(), App: msapi.App{ClientID: panelApp, Credential: cred}, Tenant: home, Redirect: redirect}
}

// Tokens that are not what they should be: each is refused for its own reason,
// and nothing is kept.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	key, stranger := signers()
	good := claims{
		"aud": panelApp, "iss": "https://sts.windows.net/" + home + "/", "tid": home, "oid": oid, "upn": "a@contoso.com", "ver": "1.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(), "amr": []string{"pwd", "mfa"},
	}
	goodAccess := claims{
		"aud": "https://api.partnercenter.microsoft.com", "iss": "https://sts.windows.net/" + home + "/", "tid": home, "oid": oid, "upn": "a@contoso.com",
		"ver":   "1.0",
		"appid": panelApp, "appidacr": "2", "scp": "user_impersonation", "amr": []string{"pwd", "mfa"}, "acr": "1", "iat": now.Unix(), "nbf": now.Unix(),
		"exp": now.Add(time.Hour).Unix(),
	}
	none := func(c claims) secret.Text {
		b, _ := json.Marshal(c)
		return secret.New(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + base64.RawURLEncoding.EncodeToString(b) + ".")
	}
	for name, c := range map[string]struct {
		id      claims
		access  claims
		twist   func(nonce string) secret.Text
		noRT    bool
		opaque  bool
		account string
		want    capture.Cause
	}{
		"as it should be": {},
		"v2": {id: claims{"iss": "https://login.microsoftonline.com/" + home + "/v2.0", "ver": "2.0", "upn": nil,
			"preferred_username": "a@contoso.com"}},
		"the expected one":   {account: "A@contoso.com"},
		"by object id":       {account: strings.ToUpper(oid)},
		"its own idp":        {id: claims{"idp": "https://sts.windows.net/" + home + "/"}},
		"another nonce":      {id: claims{"nonce": "another"}, want: capture.BadToken},
		"no nonce":           {id: claims{"nonce": "-"}, want: capture.BadToken},
		"another app's":      {id: claims{"aud": toolApp}, want: capture.BadToken},
		"two audiences":      {id: claims{"aud": []string{panelApp, toolApp}}, want: capture.BadToken},
		"expired":            {id: claims{"exp": now.Add(-6 * time.Minute).Unix()}, want: capture.BadToken},
		"not yet":            {id: claims{"nbf": now.Add(6 * time.Minute).Unix()}, want: capture.BadToken},
		"another issuer":     {id: claims{"iss": "https://sts.windows.net.evil.example/" + home + "/"}, want: capture.BadToken},
		"issuer of another":  {id: claims{"iss": "https://sts.windows.net/" + other + "/"}, want: capture.BadToken},
		"another cloud":      {id: claims{"iss": "https://login.microsoftonline.us/" + home + "/v2.0"}, want: capture.BadToken},
		"another tenant":     {id: claims{"iss": "https://sts.windows.net/" + other + "/", "tid": other}, want: capture.Tenant},
		"a guest":            {id: claims{"idp": "https://sts.windows.net/" + other + "/"}, want: capture.Guest},
		"a personal account": {id: claims{"idp": "live.com"}, want: capture.Guest},
		"no account":         {id: claims{"oid": nil}, want: capture.BadToken},
		"another account":    {account: "b@contoso.com", want: capture.Account},
		"no id token":        {twist: func(string) secret.Text { return secret.Text{} }, want: capture.BadToken},
		"a stranger's key":   {twist: func(n string) secret.Text { return sign(t, stranger, "k1", with(good, claims{"nonce": n})) }, want: capture.BadToken},
		"an unknown kid":     {twist: func(n string) secret.Text { return sign(t, key, "k2", with(good, claims{"nonce": n})) }, want: capture.BadToken},
		"unsigned":           {twist: func(n string) secret.Text { return none(with(good, claims{"nonce": n})) }, want: capture.BadToken},
		"rubbish":            {twist: func(string) secret.Text { return secret.New("rubbish") }, want: capture.BadToken},

		"no amr":                  {access: claims{"amr": nil}, want: capture.NoMFA},
		"without mfa":             {access: claims{"amr": []string{"pwd"}}, want: capture.NoMFA},
		"ngcmfa is not mfa":       {access: claims{"amr": []string{"pwd", "ngcmfa"}}, want: capture.NoMFA},
		"amr as text":             {access: claims{"amr": "mfa"}, want: capture.NoMFA},
		"mfa in the id only":      {access: claims{"amr": []string{"pwd"}}, id: claims{"amr": []string{"pwd", "mfa"}}, want: capture.NoMFA},
		"opaque":                  {opaque: true, want: capture.NoMFA},
		"for Graph":               {access: claims{"aud": "https://graph.microsoft.com"}, want: capture.BadToken},
		"of another tenant":       {access: claims{"tid": other}, want: capture.Tenant},
		"given to another app":    {access: claims{"appid": toolApp}, want: capture.App},
		"of another account":      {access: claims{"oid": other}, want: capture.Account},
		"of no account":           {access: claims{"scp": nil, "roles": []string{"user_impersonation"}, "idtyp": "app", "upn": nil}, want: capture.Account},
		"without the permission":  {access: claims{"scp": "openid"}, want: capture.NoScope},
		"access of a stranger":    {access: claims{"iss": "https://evil.example/" + home + "/"}, want: capture.NoMFA},
		"without a refresh token": {noRT: true, want: capture.NoToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &entra{t: t, refresh: "rt", access: sign(t, key, "k1", with(goodAccess, c.access))}
			if c.noRT {
				e.refresh = ""
			}
			if name == "v2" {
				e.renewed = "rt2"
			}
			if c.opaque {
				e.access = secret.New("opaque-token")
			}
			e.id = func(nonce string) secret.Text {
				if c.twist != nil {
					return c.twist(nonce)
				}
				m := with(with(good, claims{"nonce": nonce}), c.id)
				if m["nonce"] == "-" {
					delete(m, "nonce")
				}
				return sign(t, key, "k1", m)
			}
			s, tr := &shelf{}, &audittest.Recorder{}
			cap, err := capture.New(capture.Deps{Entra: e, Keeper: s, Record: tr, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			r := plain()
			r.Account = c.account
			b, err := cap.Begin(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = cap.Complete(t.Context(), capture.Callback{State: b.State, Code: secret.New("code")})
			if got := cause(err); got != c.want || (c.want == "") != (err == nil) {
				t.Fatalf("%q: %v", got, err)
			}
			if kept := s.all(); len(kept) == 1 && kept[0].Refresh.Reveal() != max("rt", e.renewed) {
				t.Error("the token that was kept is not the newest")
			}
			if n := len(s.all()); (n == 1) != (c.want == "") || n > 1 {
				t.Errorf("%d kept", n)
			}
			if len(tr.Events()) != 1 {
				t.Errorf("the trail: %v", told(tr))
			}
			if err != nil {
				for _, mark := range []string{e.access.Reveal(), b.State.Reveal()} {
					if strings.Contains(err.Error(), mark) {
						t.Errorf("the words repeat %q: %v", mark, err)
					}
				}
			}
		})
	}
}

// A server whose keys cannot be had is trouble on the way, not a refusal.
func TestKeysUnreachable(t *testing.T) {
	t.Parallel()
	e := &entra{t: t, refresh: "rt", keysErr: errors.New("no keys"), id: func(string) secret.Text { return secret.New("a.b.c") }, access: secret.New("x")}
	s := &shelf{}
	cap, err := capture.New(capture.Deps{Entra: e, Keeper: s})
	if err != nil {
		t.Fatal(err)
	}
	b, err := cap.Begin(t.Context(), plain())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cap.Complete(t.Context(), capture.Callback{State: b.State, Code: secret.New("code")}); err == nil || cause(err) != "" || len(s.all()) != 0 {
		t.Errorf("%v", err)
	}
}

// What a request must have before a browser is sent anywhere.
func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	e := &entra{t: t}
	cap, err := capture.New(capture.Deps{Entra: e, Keeper: &shelf{}})
	if err != nil {
		t.Fatal(err)
	}
	good := plain()
	for name, f := range map[string]func(*capture.Request){
		"no tenant":       func(r *capture.Request) { r.Tenant = "" },
		"any tenant":      func(r *capture.Request) { r.Tenant = "common" },
		"no app":          func(r *capture.Request) { r.App = msapi.App{} },
		"a public app":    func(r *capture.Request) { r.App.Credential = msapi.NewPublic() },
		"http elsewhere":  func(r *capture.Request) { r.Redirect = "http://panel.example/callback" },
		"script":          func(r *capture.Request) { r.Redirect = "javascript:alert(1)" },
		"with a query":    func(r *capture.Request) { r.Redirect = "https://panel.example/callback?x=1" },
		"fragment mode":   func(r *capture.Request) { r.Mode = "fragment" },
		"no model":        func(r *capture.Request) { r.Model = "" },
		"a broken cloud":  func(r *capture.Request) { r.Cloud.Authority = "http://login.example" },
		"no centre there": func(r *capture.Request) { r.Cloud.PartnerCenterResource = "" },
	} {
		r := good
		f(&r)
		if _, err := cap.Begin(t.Context(), r); err == nil {
			t.Errorf("%s: it began", name)
		}
	}
	if _, err := cap.Listen(t.Context(), func() capture.Request { r := good; r.Redirect = "https://panel.example/callback"; return r }()); err == nil {
		t.Error("a listener for another machine")
	}
	// Too many invitations of one tenant keep no other out.
	n := 0
	for range 200 {
		if _, err := cap.Begin(t.Context(), good); err == nil {
			n++
		}
	}
	if n != 50 {
		t.Errorf("%d of one tenant wait", n)
	}
	if e.asked.AMR != "mfa" || e.asked.Prompt != "login" || e.asked.Resource == "" || e.asked.Challenge == "" || e.asked.Nonce.IsZero() {
		t.Errorf("asked for %+v", e.asked)
	}
}

// A clock that jumps gives no state a second life.
func TestLateByAnyClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jump time.Duration
		want capture.Cause
	}{
		"just in time":         {capture.Life - time.Second, capture.BadToken},
		"too late":             {capture.Life, capture.Late},
		"a clock set back":     {-2 * time.Minute, capture.Late},
		"a clock a second off": {-time.Second, capture.BadToken},
	} {
		now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
		e := &entra{t: t, id: func(string) secret.Text { return secret.Text{} }}
		cap, _ := capture.New(capture.Deps{Entra: e, Keeper: &shelf{}, Now: func() time.Time { return now }})
		b, err := cap.Begin(t.Context(), plain())
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(c.jump)
		if _, err := cap.Complete(t.Context(), capture.Callback{State: b.State, Code: secret.New("code")}); cause(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Answers to nothing fill no trail: one entry a minute, with how many they were.
func TestStrayAnswersInTheTrail(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	tr := &audittest.Recorder{}
	cap, _ := capture.New(capture.Deps{Entra: &entra{t: t}, Keeper: &shelf{}, Record: tr, Now: func() time.Time { return now }})
	for range 500 {
		if _, err := cap.Complete(t.Context(), capture.Callback{State: secret.New("x"), Code: secret.New("code")}); cause(err) != capture.Forged {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	_, _ = cap.Complete(t.Context(), capture.Callback{State: secret.New("x"), Code: secret.New("code")})
	if events := tr.Events(); len(events) != 2 || events[1].Details["times"] != "500" {
		t.Errorf("%d entries: %+v", len(events), events)
	}
}

func FuzzParseCallback(f *testing.F) {
	for _, s := range []string{"state=a&code=b", "state=a&error=access_denied&error_description=AADSTS65004%3A+x", "state=a&state=b&code=c",
		"code=%00&state=%zz", "iss=https%3A%2F%2Fx&state=a&code=b", "state=a;code=b", strings.Repeat("a=b&", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cb, err := capture.ParseCallback(text)
		if err != nil {
			if cause(err) != capture.Forged {
				t.Errorf("refused as %v", err)
			}
			return
		}
		v, perr := url.ParseQuery(text)
		if perr != nil || cb.State.Reveal() != v.Get("state") || cb.State.IsZero() || cb.Code.IsZero() == (cb.Err == "") || len(v["code"]) > 1 ||
			len(v["state"]) > 1 || cb.AADSTS < 0 {
			t.Errorf("%q was taken", text)
		}
		if strings.ContainsAny(cb.State.Reveal()+cb.Code.Reveal()+cb.Err+cb.Issuer, "\r\n\x00 ") {
			t.Errorf("%q gave control characters", text)
		}
	})
}
