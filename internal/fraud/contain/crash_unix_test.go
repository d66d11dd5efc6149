//go:build unix && !judge

package contain

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
	"slices"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

const crashEnv = "PARTNERGUARD_TEST_CONTAIN"

// crash is what the child is told: where everything is, and at which point it dies.
type crash struct {
	Where, Key, CA, Run, At, Customer   string
	ARM, Graph, Home, Center, User, UPN string // tokens, and who they are of
	App, Partner                        string
	Now                                 time.Time
	Cloud                               msapi.Cloud
}

// TestKilled kills the process with SIGKILL before each kind of change is sent, after it is
// answered and after the answer is kept, and wants the next one to go on.
func TestKilled(t *testing.T) {
	t.Parallel()
	everything := []Kind{RevokeSessions, DisableUser, DisableApp, RemoveCredential, RemoveRole, StopMachine, StopSet, StopPool, StopCompute, StopContainers,
		LowerQuota, SetBudget, Cancel}
	some := []Kind{DisableUser, RemoveRole, StopMachine}
	sqlite := func(t *testing.T) string { return filepath.Join(t.TempDir(), "partnerguard.db") }
	for _, x := range []struct {
		name   string
		where  func(*testing.T) string
		kinds  []Kind
		points []string
	}{
		{"sqlite asking", sqlite, everything, []string{"asked: ", "answered: "}},
		{"sqlite keeping", sqlite, everything, []string{"kept: "}},
		{"postgres asking", func(t *testing.T) string { return dbtest.PostgresURL(t) }, some, []string{"asked: ", "answered: "}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			killing(t, x.where(t), x.kinds, x.points)
		})
	}
}

func killing(t *testing.T, where string, kinds []Kind, points []string) {
	d, err := db.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := newRig(t, d)
	r.attack()
	p, err := r.Plan(t.Context(), Ask{Alert: "fa-test", Budget: 500, Cancel: true})
	r.ok(err)
	run := Run{}
	ask := func(at string) bool {
		r.lab.Jump(leaseFor + time.Second)
		self := r.cloud().Self
		token := func(tenant, resource string) string {
			s, err := r.token(tenant, resource)(t.Context())
			r.ok(err)
			return s.Reveal()
		}
		r.mu.Lock()
		r.tokens = nil
		r.mu.Unlock()
		home, c := r.lab.Info.Tenant.ID, r.lab.Cloud
		return child(t, crash{Where: where, Key: r.key, CA: r.lab.Info.CAFile, Run: run.ID, At: at, Customer: r.customer,
			ARM: token(r.customer, c.ARMResource), Graph: token(r.customer, c.GraphResource), Home: token(home, c.GraphResource),
			Center: token(home, c.PartnerCenterResource), User: self.User, UPN: self.UPN, App: self.App, Partner: home, Now: r.lab.Now(), Cloud: c})
	}
	for _, k := range kinds {
		part := p
		part.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool { return s.Kind != k })
		run, err = r.Apply(t.Context(), part)
		r.ok(err)
		_, err = r.as("local:ben").Approve(t.Context(), run.ID)
		r.ok(err)
		for _, point := range points {
			if !ask(point + string(k)) {
				t.Errorf("nobody died at %s%s: %v", point, k, r.status(run.ID).Counts)
			}
		}
		for range 20 {
			if r.status(run.ID).State == Over {
				break
			}
			ask("")
		}
		s := r.status(run.ID)
		if s.State != Over || s.Counts[Done] != len(part.Steps) {
			t.Fatalf("%s %v %q %s", s.State, s.Counts, s.Left, s.Why)
		}
		acts, err := r.History(t.Context(), run.ID)
		r.ok(err)
		n, did := map[int]int{}, map[int]bool{}
		// Asked for once, and again after each death before the answer was kept: by a step's own, or
		// by that of one beside it.
		most := len(points) + 1
		for _, a := range acts {
			if n[a.Seq]++; n[a.Seq] > most || did[a.Seq] && k != Cancel { // of a cancel nothing shows for ten minutes
				t.Errorf("step %d was asked for %d times: %+v", a.Seq, n[a.Seq], acts)
			}
			did[a.Seq] = did[a.Seq] || a.Result == "done"
		}
		if alone := len(part.Steps) == 1 && k != Cancel; alone && n[acts[0].Seq] > 2 {
			t.Errorf("who died with the answer in hand asked again: %+v", acts)
		}
	}
}

// child runs this test program as a process that does the run, and says whether it died.
func child(t *testing.T, c crash) bool {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), crashEnv+"="+string(raw))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if ctx.Err() != nil || err != nil && !killed {
		t.Fatalf("the child ended otherwise (%v):\n%s", err, out)
	}
	return killed
}

// TestKilledChild is the child.
func TestKilledChild(t *testing.T) {
	raw := os.Getenv(crashEnv)
	if raw == "" {
		t.Skip("it is run by TestKilled")
	}
	var c crash
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := db.Open(t.Context(), c.Where)
	must(err)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(c.Key), vault.Options{Books: Books()})
	must(err)
	pem, err := os.ReadFile(c.CA)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	api := msapi.New(msapi.Options{Tries: 1, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}})
	cloud := &Cloud{Self: Self{Connection: "lab", Tenant: c.Partner, User: c.User, UPN: c.UPN, App: c.App}}
	cloud.ARM, err = api.ARM(c.Cloud, c.Customer, msapi.Fixed(secret.New(c.ARM)))
	must(err)
	cloud.Graph, err = api.Graph(c.Cloud, c.Customer, msapi.Fixed(secret.New(c.Graph)))
	must(err)
	cloud.Home, err = api.Graph(c.Cloud, c.Partner, msapi.Fixed(secret.New(c.Home)))
	must(err)
	cloud.Center, err = api.PartnerCenter(c.Cloud, c.Partner, msapi.Fixed(secret.New(c.Center)))
	must(err)
	began := time.Now()
	m, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Actor: "local:ada", Now: func() time.Time { return c.Now.Add(time.Since(began)) },
		Cloud: func(context.Context, string, string) (*Cloud, error) { return cloud, nil },
		at: func(_ context.Context, point string) {
			if point == c.At {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}})
	must(err)
	_, err = m.Do(t.Context(), c.Run)
	must(err)
}
