package checkup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
)

// found is the one finding that has words in it.
func found(t *testing.T, r *Result, words string) Finding {
	t.Helper()
	at := slices.IndexFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.Text, words) })
	if at < 0 {
		t.Fatalf("nothing says %q: %+v", words, r.Findings)
	}
	return r.Findings[at]
}

func run(t *testing.T, d Deps) *Result {
	t.Helper()
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Folder == "" {
		d.Folder = t.TempDir()
	}
	r, err := Run(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func noProxy(*http.Request) (*url.URL, error) { return nil, nil }

// The clock is held to what servers say; one that answers nothing of the kind says
// nothing.
func TestClock(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	defer s.Close()
	for off, want := range map[time.Duration]Level{0: Well, 2 * time.Minute: Warning, -2 * time.Minute: Warning, 10 * time.Minute: Bad, -48 * time.Hour: Bad} {
		r := run(t, Deps{Now: func() time.Time { return time.Now().Add(off) }, Endpoints: []Endpoint{{"Entra ID", s.URL}, {"Graph", s.URL}}, proxy: noProxy})
		f := found(t, r, "this machine's clock")
		if f.Level != want || f.About != "clock" || (want != Well) != (f.Fix != "") {
			t.Errorf("%v: %+v", off, f)
		}
		if n := strings.Count(strings.Join(texts(r), "\n"), "this machine's clock"); n != 1 {
			t.Errorf("%v: told %d times", off, n)
		}
		if off != 0 && !strings.Contains(f.Text, map[bool]string{true: "ahead of", false: "behind"}[off > 0]) {
			t.Errorf("%v: %s", off, f.Text)
		}
	}
	r := run(t, Deps{Now: func() time.Time { return time.Now().Add(time.Hour) }, Endpoints: []Endpoint{{"Entra ID", s.URL}}, OwnClock: true, proxy: noProxy})
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.About == "clock" }) {
		t.Error("the time of a cloud with a clock of its own was believed")
	}
}

func texts(r *Result) (list []string) {
	for _, f := range r.Findings {
		list = append(list, f.Text)
	}
	return list
}

// Why an address is not reached is told, once for those with one cause.
func TestUnreached(t *testing.T) {
	t.Parallel()
	odd := httptest.NewTLSServer(http.NotFoundHandler())
	defer odd.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	names := []Endpoint{{"A", "https://a.does-not-exist.invalid"}, {"B", "https://b.does-not-exist.invalid"}}
	r := run(t, Deps{Endpoints: append(names, Endpoint{"C", odd.URL}, Endpoint{"D", gone.URL}), proxy: noProxy})
	if f := found(t, r, "not reached: a.does-not-exist.invalid, b.does-not-exist.invalid"); f.Level != Bad || !strings.Contains(f.Fix, "getent hosts a.") {
		t.Errorf("%+v", f)
	}
	if f := found(t, r, "an authority that this machine does not trust"); !strings.Contains(f.Fix, "update-ca-certificates") {
		t.Errorf("%+v", f)
	}
	found(t, r, "the connection is refused")
	if err := r.Err(); r.Bad != 3 || err == nil {
		t.Errorf("%d bad, %v", r.Bad, err)
	}
	dead := &url.URL{Scheme: "http", Host: strings.TrimPrefix(gone.URL, "http://"), User: url.UserPassword("me", "geheim")}
	r = run(t, Deps{Endpoints: names[:1], proxy: func(*http.Request) (*url.URL, error) { return dead, nil }})
	if f := found(t, r, "through the proxy "+dead.Host); strings.Contains(f.Text+f.Fix, "geheim") {
		t.Errorf("%+v", f)
	}
	if r := run(t, Deps{Endpoints: names, Offline: true}); r.Bad != 0 {
		t.Errorf("offline: %v", texts(r))
	}
}

// Rights, disk, certificate, backup.
func TestMachine(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	put := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, nil, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open, policy, fine := put("my key", 0o644), put("policy", 0o666), put("fine", 0o600)
	r := run(t, Deps{Now: func() time.Time { return now }, Files: []File{{Path: open, What: "the master key", Secret: true}, {Path: policy, What: "the policy"},
		{Path: fine, What: "the database", Secret: true},
		{Path: filepath.Join(dir, "gone"), What: "the key", Must: true}, {Path: filepath.Join(dir, "may be gone")}}})
	if f := found(t, r, "the master key "+open+" is open to others (0644)"); f.Fix != `chmod 600 "`+open+`"` || f.Level != Bad {
		t.Errorf("%+v", f)
	}
	if f := found(t, r, "can be written by others"); f.Fix != "chmod go-w "+policy {
		t.Errorf("%+v", f)
	}
	found(t, r, "the key "+filepath.Join(dir, "gone")+" is not there")
	if r.Bad != 3 || r.Findings[0].Level != Bad {
		t.Errorf("%+v", r.Findings)
	}
	r = run(t, Deps{Files: []File{{Path: fine, Secret: true}}})
	found(t, r, "nobody but their owner")

	for left, want := range map[time.Duration]Level{-time.Hour: Bad, 3 * 24 * time.Hour: Bad, 20 * 24 * time.Hour: Warning, 200 * 24 * time.Hour: Well} {
		cert, key := certificate(t, dir, now.Add(-365*24*time.Hour), now.Add(left))
		if f := found(t, run(t, Deps{Now: func() time.Time { return now }, Cert: cert, Key: key}), "the server's certificate"); f.Level != want {
			t.Errorf("%v: %+v", left, f)
		}
	}
	if f := found(t, run(t, Deps{Cert: fine, Key: open}), "cannot be used"); f.Level != Bad {
		t.Errorf("%+v", f)
	}

	d := dbtest.SQLite(t)
	for age, want := range map[time.Duration]Level{time.Hour: Well, 3 * 24 * time.Hour: Warning, 30 * 24 * time.Hour: Bad, -48 * time.Hour: Warning} {
		backed := func(context.Context) (time.Time, error) { return now.Add(-age), nil }
		if f := found(t, run(t, Deps{Now: func() time.Time { return now }, DB: d, Backed: backed}), "the last backup"); f.Level != want {
			t.Errorf("%v: %+v", age, f)
		}
	}
	never := func(context.Context) (time.Time, error) { return time.Time{}, nil }
	if f := found(t, run(t, Deps{DB: d, Backed: never}), "nothing was ever backed up"); f.Level != Warning || f.Fix == "" {
		t.Errorf("%+v", f)
	}
	r = run(t, Deps{More: []Check{{"archive", func(context.Context) ([]Finding, error) { return nil, errors.New("the store does not answer") }}}})
	if f := found(t, r, "the store does not answer"); f.Level != Unknown || f.About != "archive" || r.Unknown != 1 {
		t.Errorf("%+v", f)
	}
}

// certificate makes one of a time, with its key.
func certificate(t *testing.T, dir string, from, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// The database and its queue, of both kinds.
func TestDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		here := Deps{DB: d, Database: d.Where()}
		found(t, run(t, here), "0 jobs wait; nobody works the queue")
		if f := found(t, run(t, here), ", schema "); f.Level != Well {
			t.Errorf("%+v", f)
		}
		q, err := jobs.Open(t.Context(), d, jobs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"collect", "renew"} {
			if _, err := q.Add(t.Context(), kind, nil, jobs.Add{}); err != nil {
				t.Fatal(err)
			}
		}
		if f := found(t, run(t, here), "2 jobs wait, and nobody works"); f.Level != Warning || f.Fix != "partnerguard serve" {
			t.Errorf("%+v", f)
		}
		if f := found(t, run(t, Deps{DB: d, Database: d.Where(), Now: func() time.Time { return time.Now().Add(time.Hour) }}), ", schema "); f.Level != Well {
			t.Errorf("%+v", f)
		}
		ago := map[db.Dialect]string{db.SQLite: "datetime('now', '-2 hours')", db.Postgres: "now() - interval '2 hours'"}[d.Dialect]
		if _, err := d.Exec("UPDATE river_job SET scheduled_at = " + ago + " WHERE kind = 'collect'"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec("UPDATE river_job SET state = 'discarded', finalized_at = CURRENT_TIMESTAMP WHERE kind = 'renew'"); err != nil {
			t.Fatal(err)
		}
		r := run(t, here)
		if f := found(t, r, "jobs failed for the last time: 1 renew"); f.Level != Bad || !strings.Contains(f.Fix, "db jobs --revive") {
			t.Errorf("%+v", f)
		}
		if f := found(t, r, "the oldest job that could run, collect, waits since 2h0m0s, and nobody works"); f.Level != Bad {
			t.Errorf("%+v", f)
		}
		if _, err := d.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)", true); err != nil {
			t.Fatal(err)
		}
		if f := found(t, run(t, here), "has schema 99999"); f.Level != Bad {
			t.Errorf("%+v", f)
		}
	})
}
