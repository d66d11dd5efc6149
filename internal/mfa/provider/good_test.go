package provider_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/secret"
)

// TestGood sends requests that look odd and are right; each is answered, and the answer
// holds to the contract.
func TestGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for _, g := range []struct {
		name  string
		spoil func(*rig, *sent)
		acr   string
	}{
		{"as the contract prints it", func(*rig, *sent) {}, "possessionorinherence"},
		{"response_type Id_token", field("response_type", "Id_token"), "possessionorinherence"},
		{"without nonce", gone("nonce"), "possessionorinherence"},
		{"without state", gone("state"), "possessionorinherence"},
		{"with an empty state", field("state", ""), "possessionorinherence"},
		{"with fields that nobody knows, twice", func(_ *rig, s *sent) { s.form["x-new"] = []string{"1", "2"}; s.form.Set("login_hint", "a") },
			"possessionorinherence"},
		{"a guest", func(_ *rig, s *sent) { s.body["preferred_username"] = "grace@fabrikam.example"; delete(s.body, "name") }, "possessionorinherence"},
		{"with optional claims", func(_ *rig, s *sent) {
			s.body["upn"], s.body["given_name"], s.body["email"] = "ada@contoso.com", "Ada", "ada@x.example"
		},
			"possessionorinherence"},
		{"aud a list of one", body("aud", []string{appID}), "possessionorinherence"},
		{"exp a short time after", at(0, 0, 5*time.Minute), "possessionorinherence"},
		{"four minutes old", at(-4*time.Minute, -4*time.Minute, -5*time.Minute), "possessionorinherence"},
		{"of a clock half a minute ahead", at(30*time.Second, 30*time.Second, 29*time.Second), "possessionorinherence"},
		{"without nbf", without("nbf"), "possessionorinherence"},
		{"without typ", headless("typ"), "possessionorinherence"},
		{"tid and oid in capitals", func(_ *rig, s *sent) {
			s.body["tid"], s.body["oid"] = strings.ToUpper(tenant), strings.ToUpper(person)
			s.body["iss"] = "https://login.microsoftonline.com/" + strings.ToUpper(tenant) + "/v2.0"
		}, "possessionorinherence"},
		{"a name in Persian", body("name", "می\u200cخواهم"), "possessionorinherence"},
		{"acr possession", asks(`"possession"`, `"otp"`), "possession"},
		{"acr knowledgeorpossession", asks(`"knowledgeorpossession"`, `"otp"`), "knowledgeorpossession"},
		{"acr of all three", asks(`"knowledgeorpossessionorinherence"`, `"otp"`), "knowledgeorpossessionorinherence"},
		{"two acr, of which one is for us", asks(`"inherence","possessionorinherence"`, `"otp"`), "possessionorinherence"},
		{"more in the claims field", field("claims", `{"userinfo":{},"id_token":{"acr":{"essential":true,"values":["possession"],"new":1},`+
			`"amr":{"values":["otp"]},"auth_time":null}}`), "possession"},
		{"no amr asked for", field("claims", `{"id_token":{"acr":{"value":"possession"}}}`), "possession"},
	} {
		s := r.request()
		g.spoil(r, s)
		n := len(r.asker.got)
		w := r.send(s)
		if w.Code != 303 || len(r.asker.got) != n+1 || w.Header().Get("Cross-Origin-Opener-Policy") != "unsafe-none" {
			t.Errorf("%s: %d %v", g.name, w.Code, r.said())
			continue
		}
		c := r.asker.got[n]
		if c.Account != (mfa.Account{Tenant: tenant, Object: person}) || c.Where != "Contoso" || c.Deadline.Sub(r.now) > 5*time.Minute+time.Minute {
			t.Errorf("%s: %+v", g.name, c)
		}
		to, form := r.answer(mfa.Outcome{AMR: "otp"})
		r.holds(g.name, s, to, form, "otp", g.acr)
	}
	if len(r.trail.Of(audit.MFAAsked)) != len(r.trail.Of(audit.MFAAnswered)) {
		t.Errorf("the trail: %v", r.trail.Actions())
	}
}

// holds an answer to the contract (contracts.md section 6.3), by the keys that are
// published.
func (r *rig) holds(name string, s *sent, to string, form url.Values, amr, acr string) {
	r.Helper()
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, httptest.NewRequest("GET", "/mfa/keys", nil))
	var set jose.JSONWebKeySet
	r.ok(json.Unmarshal(w.Body.Bytes(), &set))
	sig, err := jose.ParseSignedCompact(form.Get("id_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || to != redirect || len(set.Key(sig.Signatures[0].Protected.KeyID)) != 1 {
		r.Errorf("%s: %s gets %v: %v", name, to, form, err)
		return
	}
	payload, err := sig.Verify(set.Key(sig.Signatures[0].Protected.KeyID)[0].Key)
	r.ok(err)
	var c struct {
		Issuer   string   `json:"iss"`
		Audience string   `json:"aud"`
		Subject  string   `json:"sub"`
		Nonce    *string  `json:"nonce"`
		Issued   int64    `json:"iat"`
		Expires  int64    `json:"exp"`
		ACR      string   `json:"acr"`
		AMR      []string `json:"amr"`
	}
	r.ok(json.Unmarshal(payload, &c))
	if c.Issuer != public+"/mfa" || c.Audience != client || c.Subject != "pairwise" || c.ACR != acr || len(c.AMR) != 1 || c.AMR[0] != amr ||
		c.Issued != r.now.Unix() || c.Expires <= c.Issued || c.Expires > c.Issued+300 {
		r.Errorf("%s: %s", name, payload)
	}
	if s.form.Has("nonce") != (c.Nonce != nil) || c.Nonce != nil && *c.Nonce != s.form.Get("nonce") {
		r.Errorf("%s: the nonce: %s", name, payload)
	}
	if s.form.Has("state") != form.Has("state") || s.form.Get("state") != form.Get("state") {
		r.Errorf("%s: the state: %v", name, form)
	}
}

// TestOnce: of eight who bring one hint to two processes, one is asked.
func TestOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		s := r.request()
		s.form.Set("id_token_hint", s.hint())
		again := r.request() // another hint with the nonce of the first
		again.form.Set("nonce", s.form.Get("nonce"))
		again.form.Set("id_token_hint", again.hint())
		var wg sync.WaitGroup
		var mu sync.Mutex
		denied := 0
		for i := range 8 {
			wg.Go(func() {
				w := r.send([]*sent{s, again}[i%2])
				if _, form := posted(w.Body.String()); form.Get("error") == provider.AccessDenied {
					mu.Lock()
					defer mu.Unlock()
					denied++
				}
			})
		}
		wg.Wait()
		if len(r.asker.got) != 1 || denied != 7 {
			t.Errorf("%d were asked, %d denied", len(r.asker.got), denied)
		}
		if r.now = r.now.Add(3 * time.Minute); r.send(s).Code != 200 || len(r.asker.got) != 1 {
			t.Error("it is taken later")
		}
	})
}

// TestAnswers: what is not the factor that was asked for, too late, or given up.
func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for _, c := range []struct {
		name string
		o    mfa.Outcome
		wait time.Duration
		want string
	}{
		{"given up", mfa.Outcome{Error: provider.AccessDenied, Why: "the person gave up"}, 0, provider.AccessDenied},
		{"cannot now", mfa.Outcome{Error: provider.Unavailable}, 0, provider.Unavailable},
		{"another error", mfa.Outcome{Error: "server_error"}, 0, provider.AccessDenied},
		{"a factor nobody asked for", mfa.Outcome{AMR: "fido"}, 0, provider.AccessDenied},
		{"a factor that is none", mfa.Outcome{AMR: "pwd"}, 0, provider.AccessDenied},
		{"nothing", mfa.Outcome{}, 0, provider.AccessDenied},
		{"late", mfa.Outcome{AMR: "otp"}, 5 * time.Minute, provider.AccessDenied},
	} {
		s := r.request()
		asks(`"possession"`, `"otp"`)(r, s)
		if w := r.send(s); w.Code != 303 {
			t.Fatal(c.name, w.Code, r.said())
		}
		r.now = r.now.Add(c.wait)
		if to, form := r.answer(c.o); to != redirect || form.Get("error") != c.want || form.Has("id_token") || form.Get("state") != "state<1>" {
			t.Errorf("%s: %s %v", c.name, to, form)
		}
	}
}

// TestKeysUnreachable: known keys go on, unknown ones are refused, and neither for ever.
func TestKeysUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	set := r.ring.set
	r.ring.be(jose.JSONWebKeySet{}, errNoWay)
	away := func(s *sent) string {
		_, form := posted(r.send(s).Body.String())
		return form.Get("error")
	}
	if got := away(r.request()); got != provider.Unavailable || r.said()["reason"] != "keys unreachable" {
		t.Errorf("never read: %q %v", got, r.said())
	}
	r.ring.be(set, nil)
	if got := away(r.request()); got != "" {
		t.Errorf("read: %q", got)
	}
	asked := r.ring.asked
	if away(r.request()); r.ring.asked != asked {
		t.Error("fresh keys are read again")
	}
	r.ring.be(jose.JSONWebKeySet{}, errNoWay)
	r.now = r.now.Add(30 * time.Hour)
	if got := away(r.request()); got != "" {
		t.Errorf("a known key does not go on: %q %v", got, r.said())
	}
	s := r.request()
	s.head["kid"] = "new"
	if got := away(s); got != provider.Unavailable {
		t.Errorf("an unknown key: %q", got)
	}
	r.now = r.now.Add(8 * 24 * time.Hour)
	if got := away(r.request()); got != provider.Unavailable {
		t.Errorf("nine days later: %q", got)
	}
}

// TestFailsClosed: without the trail, the pages or the database nobody is let through.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.trail.Fail(errNoWay)
	if _, form := posted(r.send(r.request()).Body.String()); form.Get("error") != provider.Unavailable || len(r.asker.got) > 0 {
		t.Errorf("without the trail: %v", form)
	}
	r.trail.Fail(nil)
	r.asker.fails = errNoWay
	if _, form := posted(r.send(r.request()).Body.String()); form.Get("error") != provider.Unavailable {
		t.Errorf("without pages: %v", form)
	}
	r.asker.fails = nil
	r.send(r.request())
	r.trail.Fail(errNoWay)
	if _, form := r.answer(mfa.Outcome{AMR: "otp"}); form.Get("error") != provider.Unavailable || form.Has("id_token") {
		t.Errorf("an answer without the trail: %v", form)
	}
	r.trail.Fail(nil)
	for _, change := range []string{"UPDATE mfa_tenants SET app = '" + elsewhat + "'", "UPDATE mfa_keys SET version = version + 1"} {
		_, err := r.db.ExecContext(context.Background(), change)
		r.ok(err)
		n := len(r.asker.got)
		_, form := posted(r.send(r.request()).Body.String())
		if strings.Contains(change, "tenants") {
			if form.Get("error") != provider.Unavailable || len(r.asker.got) != n {
				t.Errorf("%s: %v", change, form)
			}
		} else if _, form := r.answer(mfa.Outcome{AMR: "otp"}); form.Has("id_token") {
			t.Errorf("%s: signed", change)
		}
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, form := posted(r.send(r.request()).Body.String()); form.Get("error") != provider.Unavailable {
		t.Errorf("without the database: %v", form)
	}
}

// TestEnd: nobody of a tenant is asked any more once it is ended, and again when it is
// served anew.
func TestEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.ok(r.p.End(t.Context(), tenant, "local:a"))
		if _, form := posted(r.send(r.request()).Body.String()); form.Get("error") != provider.AccessDenied || r.said()["reason"] != "tenant not served" {
			t.Errorf("ended: %v", r.said())
		}
		if _, err := r.p.Serve(t.Context(), provider.Tenant{ID: strings.ToUpper(tenant), Name: "Contoso", App: appID, Client: client}, "local:a"); err != nil {
			t.Fatal(err)
		}
		if w := r.send(r.request()); w.Code != 303 {
			t.Errorf("again: %v", r.said())
		}
		for _, bad := range []provider.Tenant{{ID: "contoso.com", App: appID, Client: client}, {ID: tenant, App: "x", Client: client},
			{ID: tenant, App: appID}} {
			if _, err := r.p.Serve(t.Context(), bad, "local:a"); err == nil {
				t.Errorf("%+v is served", bad)
			}
		}
	})
}

// TestExplain: a hint is explained and stays good; what spoils it is named.
func TestExplain(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	served, err := r.p.Served(t.Context(), tenant)
	r.ok(err)
	for name, c := range map[string]struct {
		spoil func(*rig, *sent)
		part  string // that is bad
	}{
		"good": {func(*rig, *sent) {}, ""}, "aud": {body("aud", elsewhat), "aud"}, "iss": {body("iss", "https://sts.windows.net/"), "iss"},
		"tid": {body("tid", elsewhat), "tid"}, "kid": {head("kid", "x"), "kid"}, "iat": {at(-time.Hour, 0, 0), "iat"}, "sub": {without("sub"), "sub"},
		"oid": {body("oid", "x"), "oid"}, "exp": {without("exp"), "exp"},
	} {
		s := r.request()
		c.spoil(r, s)
		e := r.p.Explain(secret.New(s.hint()), r.ring.set, served)
		var bad []string
		for _, p := range e.Claims {
			if p.Judge != "good" {
				bad = append(bad, p.Name)
			}
		}
		if e.Taken != (c.part == "") || c.part != "" && !slices.Contains(bad, c.part) || c.part == "" && len(bad) > 0 {
			t.Errorf("%s: %+v", name, e)
		}
		b, err := json.Marshal(e)
		r.ok(err)
		if strings.Contains(string(b), "eyJ") {
			t.Errorf("%s: the hint is printed", name)
		}
	}
	s := r.request()
	if e := r.p.Explain(secret.New(s.hint()), jose.JSONWebKeySet{}, served); e.Taken || e.Claims[0].Judge != "unknown" {
		t.Errorf("without keys: %+v", e)
	}
}
