package provider_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Who stole a key and writes into the database does not have it published again: rows of
// before it was withdrawn fit their marks, and the trail says that it ended.
func TestStolenKeyPutBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		do := func(q string) {
			t.Helper()
			_, err := d.ExecContext(t.Context(), q)
			r.ok(err)
		}
		stolen := r.states()[provider.Signing][0]
		do("CREATE TABLE before AS SELECT * FROM mfa_keys")
		r.now = r.now.Add(48 * time.Hour)
		_, _, err := r.p.Emergency(t.Context(), "local:a")
		r.ok(err)
		do("DELETE FROM mfa_keys")
		do("INSERT INTO mfa_keys SELECT * FROM before")
		if _, err := r.p.Keys(t.Context()); !errors.Is(err, vault.ErrForged) {
			t.Errorf("the key %s is back: %v", stolen, err)
		}
		w := httptest.NewRecorder()
		r.k.ServeHTTP(w, httptest.NewRequest(http.MethodGet, provider.KeysPath, nil))
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), stolen) {
			t.Errorf("it is published: %d", w.Code)
		}
	})
}

// A tenant that is served no more is not served again by the row of before.
func TestEndedTenantPutBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		_, err := d.ExecContext(t.Context(), "CREATE TABLE before AS SELECT * FROM mfa_tenants")
		r.ok(err)
		r.ok(r.p.End(t.Context(), tenant, "local:a"))
		for _, q := range []string{"DELETE FROM mfa_tenants", "INSERT INTO mfa_tenants SELECT * FROM before"} {
			_, err := d.ExecContext(t.Context(), q)
			r.ok(err)
		}
		if w := r.send(r.request()); w.Code == http.StatusSeeOther {
			t.Error("its people are asked")
		}
		if _, err := r.p.Served(t.Context(), tenant); !errors.Is(err, vault.ErrForged) {
			t.Error(err)
		}
		// By us it is.
		_, err = r.p.Serve(t.Context(), provider.Tenant{ID: tenant, Name: "Contoso", App: appID, Client: client}, "local:owner")
		r.ok(err)
		if w := r.send(r.request()); w.Code != http.StatusSeeOther {
			t.Error(w.Code, r.said())
		}
	})
}

// A person compares the address of the page with their own: a proxy's is told as one,
// and what a stranger writes into a header is not shown.
func TestSourceBehindProxy(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for head, want := range map[string]string{"": "192.0.2.1", "X-Forwarded-For": "192.0.2.1 (a proxy)"} {
		s := r.request()
		s.form.Set("id_token_hint", s.hint())
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, provider.AuthorizePath, strings.NewReader(s.form.Encode()))
		q.Header.Set("Content-Type", s.kind)
		if head != "" {
			q.Header.Set(head, "203.0.113.9")
		}
		w := httptest.NewRecorder()
		if r.k.ServeHTTP(w, q); w.Code != http.StatusSeeOther {
			t.Fatal(w.Code, r.said())
		}
		if got := r.asker.got[len(r.asker.got)-1].Source; got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

// An answer goes to Entra ID's own address alone, whatever a challenge has kept, and a
// tenant of another cloud is not served here.
func TestNoOtherPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.send(r.request())
	kept := strings.Replace(string(r.asker.kept[0]), redirect, "https://login.microsoftonline.com.evil.example/", 1)
	w := httptest.NewRecorder()
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mfa/challenge/c-1", nil)
	if err := r.p.Answer(w, q, r.asker.got[0], []byte(kept), mfa.Outcome{AMR: "otp"}); err == nil {
		t.Errorf("it goes elsewhere: %s", w.Body)
	}
	other := msapi.Commercial()
	other.Name = "another"
	p, err := provider.New(provider.Deps{DB: r.db, Record: r.trail, Vault: r.vault, Entra: r.ring, Cloud: other, Public: public, Challenger: r.asker,
		Config: &r.config, Now: func() time.Time { return r.now }})
	r.ok(err)
	if _, err := p.Served(t.Context(), tenant); !errors.Is(err, problem.NotFound) {
		t.Errorf("another cloud's tenant: %v", err)
	}
}
