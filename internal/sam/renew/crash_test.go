//go:build unix

package renew_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// The crash points: every step of a renewal at which a process may die, in
// order. Committed says that the next generation must be there afterwards.
var crashPoints = []struct {
	name      string
	committed bool
}{
	{"lease taken", false},
	{"token opened", false},
	{"before the request", false},
	{"answered, the answer not received", false},
	{"answer read", false},
	{"in the transaction, before sealing", false},
	{"sealed", false},
	{"old generation deleted", false},
	{"before the audit event", false},
	{"after the audit event, before the commit", false},
	{"committed", true},
	{"never", true}, // the child of the table is able to renew at all
}

// crash is what the child is told.
type crash struct {
	Where, Key, CA, Connection, At string
	Cloud                          msapi.Cloud
}

const crashEnv = "PARTNERGUARD_TEST_CRASH"

// TestCrashTable kills a renewing process with SIGKILL at each point, on both
// databases, and wants the next one to find a token that works.
func TestCrashTable(t *testing.T) {
	t.Parallel()
	rig := labtest.Start(t)
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "partnerguard.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		for _, p := range crashPoints {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				c := crash{Where: where(t), CA: rig.Info.CAFile, Cloud: rig.Cloud, At: p.name}
				d, err := db.Open(t.Context(), c.Where)
				if err != nil {
					t.Fatal(err)
				}
				l := labOver(t, rig, d)
				l.bare()
				con := l.connect()
				if res := l.once(con.ID); res.Outcome != renew.Renewed { // there is a previous one now
					t.Fatalf("%+v", res)
				}
				c.Connection, c.Key = con.ID, l.keyFile
				before := events(t, d)
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}

				child(t, c, p.name == "never")

				if d, err = db.Open(t.Context(), c.Where); err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				after := reopen(t, l, d, c.Key)
				found := after.find(con.ID)
				want := int64(2)
				if p.committed {
					want = 3
				}
				if found.Generation != want || found.State != sam.Active || events(t, d)-before != int(want)-2 {
					t.Fatalf("generation %d (want %d), %s, %d events more", found.Generation, want, found.State, events(t, d)-before)
				}
				after.off(3 * time.Minute) // the dead one's lease has run out
				for range 2 {
					res := after.once(con.ID)
					if res.Outcome != renew.Renewed || res.Note != "" {
						t.Fatalf("afterwards: %+v %+v", res, res.Connection.Trouble)
					}
				}
				var rows int
				if err := d.QueryRow("SELECT count(*) FROM vault_rows WHERE owner = $1", con.ID).Scan(&rows); err != nil || rows != 2 {
					t.Errorf("%d sealed tokens (%v)", rows, err)
				}
			})
		}
	}
}

// reopen is a lab over a database that another process wrote.
func reopen(t *testing.T, l *lab, d *db.DB, key string) *lab {
	t.Helper()
	out := bareLab(t, l.Lab, d)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(key), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out.store = sam.NewStore(d, v, out.now, l.cloud)
	if out.r, err = renew.New(renew.Deps{Store: out.store, Authority: out.api, Record: out.trail, Now: out.now}); err != nil {
		t.Fatal(err)
	}
	return out
}

// child runs this test program as a process that renews and dies.
func child(t *testing.T, c crash, lives bool) {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCrashChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), crashEnv+"="+string(raw))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if ctx.Err() != nil || killed == lives || lives && err != nil {
		t.Fatalf("the child ended otherwise (%v):\n%s", err, out)
	}
}

// TestCrashChild is the child.
func TestCrashChild(t *testing.T) {
	raw := os.Getenv(crashEnv)
	if raw == "" {
		t.Skip("it is run by TestCrashTable")
	}
	var c crash
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		t.Fatal(err)
	}
	die := func(at string) {
		if at == c.At {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	d, err := db.Open(t.Context(), c.Where)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(c.Key), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	api := msapi.New(msapi.Options{Tries: 1, Transport: &dyingTransport{die,
		&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}})
	r, err := renew.New(renew.Deps{
		Store: sam.NewStore(d, &dyingVault{v, die}, nil, c.Cloud), Authority: &dyingAuthority{api, die}, Record: dyingTrail{d, die},
		Settings: dyingSettings{die},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := r.Once(t.Context(), c.Connection); err != nil || res.Outcome != renew.Renewed {
		t.Fatalf("%+v %+v %v", res, res.Connection.Trouble, err)
	}
}

type dyingVault struct {
	*vault.Vault
	die func(string)
}

func (v *dyingVault) Get(ctx context.Context, r vault.Ref) (secret.Text, error) {
	if r.Purpose == sam.PurposeRefresh {
		v.die("lease taken")
	}
	text, err := v.Vault.Get(ctx, r)
	if r.Purpose == sam.PurposeRefresh {
		v.die("token opened")
	}
	return text, err
}

func (v *dyingVault) Put(ctx context.Context, r vault.Ref, s secret.Text) error {
	v.die("in the transaction, before sealing")
	err := v.Vault.Put(ctx, r, s)
	v.die("sealed")
	return err
}

func (v *dyingVault) Delete(ctx context.Context, r vault.Ref) error {
	err := v.Vault.Delete(ctx, r)
	v.die("old generation deleted")
	return err
}

type dyingTransport struct {
	die func(string)
	to  http.RoundTripper
}

func (d *dyingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	d.die("before the request")
	res, err := d.to.RoundTrip(r)
	if strings.HasSuffix(r.URL.Path, "/token") {
		d.die("answered, the answer not received")
	}
	return res, err
}

type dyingAuthority struct {
	msapi.Authority
	die func(string)
}

func (a *dyingAuthority) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	g, err := a.Authority.Refresh(ctx, r)
	a.die("answer read")
	return g, err
}

type dyingTrail struct {
	d   *db.DB
	die func(string)
}

func (d dyingTrail) Record(ctx context.Context, e audit.Event) error {
	d.die("before the audit event")
	err := book(d.d).Record(ctx, e)
	d.die("after the audit event, before the commit")
	return err
}

type dyingSettings struct{ die func(string) }

func (d dyingSettings) Settings(context.Context, sam.Connection) (renew.Settings, error) {
	d.die("committed")
	return renew.Settings{}, errors.New("not read")
}
