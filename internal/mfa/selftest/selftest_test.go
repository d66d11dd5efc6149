package selftest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/mfa/selftest"
)

const back = "https://login.microsoftonline.com/common/federation/externalauthprovider"

// fake is a provider that can be spoilt. It answers forms as a careful one does, unless
// it lets strangers in.
type fake struct {
	*httptest.Server
	doc        map[string]any
	keys       []map[string]any
	chunked    bool
	letsIn     bool
	goesAbroad bool
	noState    bool
	away       bool
}

func key() map[string]any {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k)
	if err != nil {
		panic(err)
	}
	sum := sha1.Sum(der)
	raw := base64.RawURLEncoding
	return map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": raw.EncodeToString(sum[:]), "x5t": raw.EncodeToString(sum[:]),
		"x5c": []string{base64.StdEncoding.EncodeToString(der)}, "n": raw.EncodeToString(k.N.Bytes()), "e": "AQAB"}
}

func newFake(t *testing.T) *fake {
	f := &fake{keys: []map[string]any{key(), key()}}
	mux := http.NewServeMux()
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	f.doc = map[string]any{"issuer": f.URL + "/mfa", "authorization_endpoint": f.URL + "/mfa/authorize", "jwks_uri": f.URL + "/mfa/keys",
		"scopes_supported": []string{"openid"}, "response_types_supported": []string{"id_token"}, "response_modes_supported": []string{"form_post"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"grant_types_supported": []string{"implicit"}, "claim_types_supported": []string{"normal"}}
	write := func(w http.ResponseWriter, v any) {
		b, _ := json.Marshal(v)
		if f.chunked {
			_, _ = w.Write(b[:1])
			w.(http.Flusher).Flush()
			b = b[1:]
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		}
		_, _ = w.Write(b)
	}
	mux.HandleFunc("GET /mfa/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { write(w, f.doc) })
	mux.HandleFunc("GET /mfa/keys", func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]any{"keys": f.keys}) })
	mux.HandleFunc("POST /mfa/authorize", f.authorize)
	return f
}

func (f *fake) authorize(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	state, to := r.PostForm.Get("state"), back
	switch {
	case f.away:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case f.letsIn:
		http.Redirect(w, r, "/mfa/challenge", http.StatusSeeOther)
		return
	case f.goesAbroad:
		to = r.PostForm.Get("redirect_uri")
	case len(r.PostForm["redirect_uri"]) != 1 || r.PostForm.Get("redirect_uri") != back || r.PostForm.Get("id_token_hint") == "" ||
		r.PostForm.Get("response_type") != "id_token":
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if f.noState {
		state = ""
	}
	fmt.Fprintf(w, `<form id="post" method="post" action="%s"><input type="hidden" name="error" value="access_denied">`+
		`<input type="hidden" name="state" value="%s"></form>`, html.EscapeString(to), html.EscapeString(state))
}

// TestSelftest: a good provider has nothing bad, and each spoilt one is found, with what
// Entra ID would answer.
func TestSelftest(t *testing.T) {
	t.Parallel()
	registered := selftest.Registered{Principal: true, State: "enabled"}
	for _, c := range []struct {
		name  string
		spoil func(f *fake, o *selftest.Options, r *selftest.Registered)
		check string
		code  int
	}{
		{"good", func(*fake, *selftest.Options, *selftest.Registered) {}, "", 0},
		{"issuer with a slash", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.doc["issuer"] = f.URL + "/mfa/" }, "issuer",
			entra.CodeExternalClaimInvalid},
		{"chunked", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.chunked = true },
			"discovery: Content-Length", entra.CodeExternalUnreachable},
		{"no implicit", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { delete(f.doc, "grant_types_supported") }, "grant_types_supported",
			entra.CodeExternalClaimInvalid},
		{"one key", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.keys = f.keys[:1] }, "keys: a spare one", 0},
		{"no x5c", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { delete(f.keys[1], "x5c") }, "keys: x5c", entra.CodeClientCredentialInvalid},
		{"x5c of another", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.keys[1]["x5c"] = f.keys[0]["x5c"] }, "keys: x5c",
			entra.CodeClientCredentialInvalid},
		{"no x5t", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { delete(f.keys[0], "x5t") }, "keys: x5t", entra.CodeClientCredentialInvalid},
		{"lets strangers in", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.letsIn = true }, "refuses a hint by a stranger's key", 0},
		{"sends abroad", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.goesAbroad = true }, "refuses a foreign redirect_uri", 0},
		{"loses the state", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.noState = true }, "refuses a hint without a signature", 0},
		{"no reply address", func(_ *fake, _ *selftest.Options, r *selftest.Registered) {
			r.Redirects = []string{"https://other.example/"}
		},
			"reply address of the app", entra.CodeExternalClaimInvalid},
		{"no consent", func(_ *fake, _ *selftest.Options, r *selftest.Registered) { r.Principal = false }, "consent", entra.CodeExternalPrincipalMissing},
		{"disabled", func(_ *fake, _ *selftest.Options, r *selftest.Registered) { r.State = "disabled" }, "method", 0},
		{"clock", func(_ *fake, o *selftest.Options, _ *selftest.Registered) {
			o.Clock = func(context.Context) (time.Time, error) { return time.Now().Add(-10 * time.Minute), nil }
		}, "clock", 0},
		{"address with a query", func(_ *fake, o *selftest.Options, _ *selftest.Registered) { o.Discovery += "?x=1" }, "discovery address",
			entra.CodeExternalClaimInvalid},
		{"nobody there", func(f *fake, _ *selftest.Options, _ *selftest.Registered) { f.Close() }, "discovery", entra.CodeExternalUnreachable},
	} {
		f, r := newFake(t), registered
		r.Redirects, r.Discovery = []string{f.URL + "/mfa/authorize"}, f.URL+"/mfa/.well-known/openid-configuration"
		o := selftest.Options{Discovery: f.URL + "/mfa/.well-known/openid-configuration", Return: back, Client: "c", Leeway: time.Minute, Now: time.Now,
			Authority: "https://login.microsoftonline.com", Clock: func(context.Context) (time.Time, error) { return time.Now(), nil }}
		o.Look = func(context.Context) (selftest.Registered, error) { return r, nil }
		c.spoil(f, &o, &r)
		got, err := selftest.Run(t.Context(), o)
		if err != nil {
			t.Fatal(c.name, err)
		}
		i := slices.IndexFunc(got, func(k selftest.Check) bool { return k.Name == c.check && k.Result == selftest.Bad })
		switch {
		case c.check == "" && slices.ContainsFunc(got, func(k selftest.Check) bool { return k.Result == selftest.Bad }):
			t.Errorf("%s: %+v", c.name, got)
		case c.check != "" && (i < 0 || got[i].Code != c.code || got[i].Mend == ""):
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestUnknownIsNotGood: what cannot be told is not told to be well.
func TestUnknownIsNotGood(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.away = true
	o := selftest.Options{Discovery: f.URL + "/mfa/.well-known/openid-configuration", Return: back, Now: time.Now,
		Authority: "https://login.microsoftonline.com",
		Look:      func(context.Context) (selftest.Registered, error) { return selftest.Registered{}, errors.New("no") }}
	got, err := selftest.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"consent", "clock", "reply address of the app", "refuses a hint by a stranger's key", "a sign-in to its end"} {
		if !slices.ContainsFunc(got, func(k selftest.Check) bool { return k.Name == name && k.Result == selftest.Unknown }) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
