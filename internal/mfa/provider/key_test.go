package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// states are our keys by state, newest first.
func (r *rig) states() map[provider.KeyState][]string {
	r.Helper()
	list, err := r.p.Keys(r.Context())
	r.ok(err)
	out := map[provider.KeyState][]string{}
	for i := range list {
		out[list[i].State] = append(out[list[i].State], list[i].ID)
	}
	return out
}

// published are the kids of the key set, each with all that Entra ID wants.
func (r *rig) published() map[string]bool {
	r.Helper()
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, httptest.NewRequest("GET", "/mfa/keys", nil))
	if w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) || w.Header().Get("Content-Encoding") != "" {
		r.Errorf("the length of the keys: %v", w.Header())
	}
	var set struct{ Keys []map[string]any }
	r.ok(json.Unmarshal(w.Body.Bytes(), &set))
	out := map[string]bool{}
	for _, k := range set.Keys {
		for _, m := range []string{"kty", "use", "kid", "n", "e", "alg", "x5t"} {
			if s, ok := k[m].(string); !ok || s == "" {
				r.Errorf("a key without %s: %v", m, k)
			}
		}
		chain, _ := k["x5c"].([]any)
		if len(chain) != 1 || k["d"] != nil || k["p"] != nil {
			r.Errorf("%v", k)
		}
		der, err := base64.StdEncoding.DecodeString(chain[0].(string))
		if err != nil || len(der) < 500 {
			r.Errorf("x5c: %v", err)
		}
		id, _ := k["kid"].(string)
		out[id] = true
	}
	return out
}

// signer is the kid of the key that an answer is signed with now.
func (r *rig) signer() string {
	r.Helper()
	if w := r.send(r.request()); w.Code != 303 {
		r.Fatal(w.Code, r.said())
	}
	_, form := r.answer(mfa.Outcome{AMR: "otp"})
	head, _, _ := strings.Cut(form.Get("id_token"), ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	r.ok(err)
	var h struct{ Kid, Typ, Alg string }
	r.ok(json.Unmarshal(b, &h))
	if h.Typ != "JWT" || h.Alg != "RS256" {
		r.Errorf("%s", b)
	}
	return h.Kid
}

// work lets the jobs do once what is due.
func (r *rig) work() {
	r.Helper()
	r.ok(r.p.Upkeep(r.Context()))
}

// TestRoll: the next key is published two days before it signs, and the old one for two
// days after, by itself.
func TestRoll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		first := r.states()
		if len(first[provider.Signing]) != 1 || len(first[provider.Spare]) != 1 || len(r.published()) != 2 {
			t.Fatal(first)
		}
		one, spare := first[provider.Signing][0], first[provider.Spare][0]
		r.work()
		if s := r.states(); len(s[provider.Next]) != 0 || s[provider.Spare][0] != spare {
			t.Errorf("at once: %v", s)
		}
		r.now = r.now.Add(4321 * time.Hour)
		r.work()
		next := r.states()[provider.Next]
		if len(next) != 1 || !r.published()[next[0]] || r.signer() != one {
			t.Fatalf("half a year later: %v", r.states())
		}
		if _, err := r.p.Roll(t.Context(), "local:a"); !errors.Is(err, problem.Conflict) {
			t.Errorf("a second next: %v", err)
		}
		if _, err := r.p.Turn(t.Context(), "local:a"); !errors.Is(err, problem.Unmet) {
			t.Errorf("at once: %v", err)
		}
		r.now = r.now.Add(47 * time.Hour)
		if r.work(); r.signer() != one {
			t.Error("it signs too early")
		}
		r.now = r.now.Add(2 * time.Hour)
		if r.work(); r.signer() != next[0] || !r.published()[one] {
			t.Errorf("two days later: %v", r.states())
		}
		r.now = r.now.Add(49 * time.Hour)
		if r.work(); r.published()[one] || len(r.states()[provider.Withdrawn]) != 1 {
			t.Errorf("four days later: %v", r.states())
		}
		if _, err := r.vault.Get(t.Context(), vault.Ref{Purpose: "mfa-key", Owner: one}); !errors.Is(err, problem.NotFound) {
			t.Errorf("what signed is still there: %v", err)
		}
		if got := strings.Join(r.trail.Actions(), " "); !strings.Contains(got, string(audit.MFAKeySwitched)) ||
			!strings.Contains(got, string(audit.MFAKeyWithdrawn)) {
			t.Error(got)
		}
	})
}

// TestEmergency: the spare key, which Entra ID knows, signs at once, and the stolen one
// is not published any more. Another process follows.
func TestEmergency(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	was := r.states()
	r.signer() // it is in memory
	other := r.open()
	r.now = r.now.Add(48 * time.Hour)
	k, early, err := other.Emergency(t.Context(), "local:a")
	if err != nil || early || k.ID != was[provider.Spare][0] {
		t.Fatal(k, early, err)
	}
	if r.signer() != k.ID || r.published()[was[provider.Signing][0]] || len(r.states()[provider.Spare]) != 1 {
		t.Errorf("%v", r.states())
	}
	if _, early, err := r.p.Emergency(t.Context(), "local:a"); err != nil || !early {
		t.Errorf("twice in a day: %v %v", early, err)
	}
}

// TestPrepareAtOnce: two processes that start make one key that signs.
func TestPrepareAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		_, err := d.ExecContext(t.Context(), "DELETE FROM mfa_keys")
		r.ok(err)
		done := make(chan error)
		for range 4 {
			go func() { done <- r.p.Prepare(t.Context(), "system:mfa") }()
		}
		for range 4 {
			r.ok(<-done)
		}
		if s := r.states(); len(s[provider.Signing]) != 1 || len(s[provider.Spare]) != 1 {
			t.Errorf("%v", s)
		}
	})
}

// TestDiscovery is what Entra ID reads.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	q := httptest.NewRequest("GET", provider.DiscoveryPath, nil)
	q.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, q)
	var m map[string]any
	r.ok(json.Unmarshal(w.Body.Bytes(), &m))
	if w.Code != 200 || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) || m["issuer"] != public+"/mfa" ||
		m["authorization_endpoint"] != public+"/mfa/authorize" || m["jwks_uri"] != public+"/mfa/keys" {
		t.Errorf("%d %v %v", w.Code, w.Header(), m)
	}
	for public, want := range map[string]string{"https://a.example:443": "https://a.example/mfa",
		"https://a.example:8443": "https://a.example:8443/mfa", "": ""} {
		p, err := provider.New(provider.Deps{DB: r.db, Config: &r.config, Now: func() time.Time { return r.now }, Public: public})
		if err != nil || p.Issuer() != want {
			t.Errorf("%q: %q %v", public, p.Issuer(), err)
		}
	}
}

// TestCounts: what happened is counted by day and reason, and forgotten.
func TestCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.signer()
	for range 60 {
		s := r.request()
		s.form.Set("client_id", "other")
		r.send(s)
	}
	r.work()
	st, err := r.p.Status(t.Context(), 7)
	r.ok(err)
	n := map[string]int64{}
	for _, c := range st.Counts {
		n[c.What] += c.N
	}
	if n["asked"] != 1 || n["answered"] != 1 || n["refused: bad client"] != 60 || len(st.Keys) != 2 || st.Entra.Keys != 3 {
		t.Errorf("%v %+v", n, st)
	}
	r.now = r.now.AddDate(0, 0, 100)
	r.work()
	if st, err = r.p.Status(t.Context(), 200); err != nil || len(st.Counts) != 0 {
		t.Errorf("%v %v", st.Counts, err)
	}
}

// TestConsented: after a consent an administrator ends at a page that says so, and
// nothing of the address is in it.
func TestConsented(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for query, want := range map[string]string{"": "Nothing to do here", "?admin_consent=True&tenant=" + tenant: "Thank you",
		"?error=access_denied&error_description=%3Cb%3Emarked": "was not given"} {
		w := httptest.NewRecorder()
		r.k.ServeHTTP(w, httptest.NewRequest("GET", "/mfa/authorize"+query, nil))
		if b := w.Body.String(); w.Code != 200 || !strings.Contains(b, want) || strings.Contains(b, "marked") || strings.Contains(b, "<form") {
			t.Errorf("%q: %d %s", query, w.Code, b[max(0, strings.Index(b, "<main>")):])
		}
	}
}
