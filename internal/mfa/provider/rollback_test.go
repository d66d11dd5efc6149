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
	"partnerguard/internal/mfa/provider"
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
