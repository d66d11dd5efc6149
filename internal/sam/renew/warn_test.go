package renew

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// A connection that dies soon is told of at 14, 7 and 1 days, once each.
func TestWarnings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		var log bytes.Buffer
		clock := func() time.Time { return now }
		key := filepath.Join(t.TempDir(), "key")
		if _, err := vault.MakeKeyFile(key); err != nil {
			t.Fatal(err)
		}
		tr, err := trail.Open(ctx, d, trail.Options{Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		v, err := vault.Open(ctx, d, vault.NewKeyFile(key), vault.Options{Now: clock, Record: tr, Actor: "local:test",
			Books: []*vault.Book{sam.Connections, sam.Registrations}})
		if err != nil {
			t.Fatal(err)
		}
		store := sam.NewStore(d, v, clock)
		r := &Renewer{d: Deps{Store: store, Record: tr, Told: notify.NewTold(d), Now: clock, Log: slog.New(slog.NewTextHandler(&log, nil))}}
		c, err := store.Keep(ctx, sam.Captured{
			Name: "contoso", Model: sam.CSP, Cloud: msapi.Commercial(), Tenant: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21",
			ClientID: "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10",
			Account:  "a@contoso.com", ObjectID: "af54d406-3c95-42a5-b5bc-64ce59fef5bb", Proof: claim.Verdict{Answer: claim.Proven}, At: now,
			Refresh: secret.New("mark-refresh-token"),
		})
		if err != nil {
			t.Fatal(err)
		}
		end := now.Add(30 * 24 * time.Hour)
		if _, err := store.SetForecast(ctx, c.ID, c.Generation, sam.Forecast{At: end, Cause: "certificate", Words: "the app's certificate expires",
			Computed: now}); err != nil {
			t.Fatal(err)
		}
		told := func() int {
			t.Helper()
			for range 2 {
				if err := r.Warn(ctx); err != nil {
					t.Fatal(err)
				}
			}
			found, err := tr.Search(ctx, trail.Query{Action: string(audit.ConnectionDying), Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			return len(found.Entries)
		}
		for _, c := range []struct{ days, want int }{{30, 0}, {15, 0}, {13, 1}, {10, 1}, {6, 2}, {1, 3}} {
			now = end.Add(-time.Duration(c.days) * 24 * time.Hour)
			if got := told(); got != c.want {
				t.Errorf("%d days before: told %d times, want %d", c.days, got, c.want)
			}
		}
		if text := log.String(); strings.Count(text, "dies soon") != 3 || !strings.Contains(text, "certificate expires") || strings.Contains(text, "mark-") {
			t.Errorf("log: %s", text)
		}
	})
}
