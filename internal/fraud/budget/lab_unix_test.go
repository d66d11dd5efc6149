//go:build unix && !judge

package budget

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
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// labbed is the partner cloud with Fabrikam, its subscription, and tokens for both interfaces.
type labbed struct {
	*labtest.Lab
	customer, sub string
	refresh       secret.Text
}

func newLab(t *testing.T) *labbed {
	t.Helper()
	l := &labbed{Lab: labtest.Start(t)}
	l.customer = l.Customer("fabrikam.example")
	l.Edit(func(s *world.State, p *world.Tenant) {
		p.Customers.Change(l.customer, func(c *world.Customer) { c.Budget = nil })
		for a := range s.Tenant(l.customer).Azure.All() {
			l.sub = a.ID
		}
	})
	l.refresh = l.Grant(labtest.PanelApp, labtest.SAMAgent).Refresh
	return l
}

// token is one for a resource, in the partner's tenant or the customer's.
func (l *labbed) token(tenant, resource string) string {
	l.Helper()
	g, err := l.API.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.Cloud, App: l.App(labtest.PanelApp), Tenant: tenant, Refresh: l.refresh,
		Scope: resource + "/.default"})
	if err != nil {
		l.Fatal(err)
	}
	return g.Access.Reveal()
}

// cloud is the way to it with tokens of now.
func cloudOf(api *msapi.Client, c msapi.Cloud, partner, center, azure string) (Cloud, error) {
	p, err := api.PartnerCenter(c, partner, msapi.Fixed(secret.New(center)))
	if err != nil {
		return nil, err
	}
	return Live(p, func(customer string) (*msapi.Consumption, error) {
		return api.Consumption(c, customer, msapi.Fixed(secret.New(azure)))
	}), nil
}

// has is what the cloud has of budgets.
func (l *labbed) has() (center *float64, azure int) {
	l.Server.World.Read(func(s *world.State) {
		center = s.PartnerTenant().Customers.Get(l.customer).Budget
		azure = len(s.Tenant(l.customer).Azure.Get(l.sub).Budgets)
	})
	return center, azure
}

func (l *labbed) plan() Plan {
	return Plan{Version: 1, Cloud: "public", Tenant: l.Info.Tenant.ID, Made: l.Now(), Facts: l.Now(), Customers: []Customer{{Tenant: l.customer,
		Name: "Fabrikam", Currency: "EUR", Why: "said", Center: &CenterWish{Amount: 750.5, Was: WasNone},
		Azure: []*AzureWish{{Subscription: l.sub, Amount: 750.5, Roles: []string{"Owner"}, Emails: []string{"finops@contoso.example"}, Was: WasNone}}}}}
}

// TestLive sets and takes back at the partner cloud, by what it serves.
func TestLive(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := newRig(t, dbtest.SQLite(t), newFake())
	c, err := cloudOf(l.API, l.Cloud, l.Info.Tenant.ID, l.token(l.Info.Tenant.ID, l.Cloud.PartnerCenterResource), l.token(l.customer, l.Cloud.ARMResource))
	r.ok(err)
	r.Budgets.d.Cloud = func(context.Context, string) (Cloud, error) { return c, nil }
	s := r.apply(l.plan())
	if v, n := l.has(); s.Counts[Done] != 2 || v == nil || *v != 750.5 || n != 1 {
		for _, x := range s.Items {
			t.Errorf("%s is %s: %s", x.What, x.State, x.Why)
		}
		t.Fatalf("%v %v %d", s.Counts, v, n)
	}
	r.ok(r.Rollback(t.Context(), s.ID, ""))
	s = r.drive(s.ID)
	if v, n := l.has(); s.Counts[Restored] != 2 || v != nil || n != 0 {
		t.Errorf("%v %v %d", s.Counts, v, n)
	}
}

const crashEnv = "PARTNERGUARD_TEST_BUDGET"

// crash is what the child is told: where everything is, and at which point it dies.
type crash struct {
	Where, Key, CA, Partner, Plan, At string
	Center, Azure                     string // tokens of the partner cloud
	Now                               time.Time
	Cloud                             msapi.Cloud
}

// TestKilled kills the process with SIGKILL before each change is asked for, after it is
// answered and after the answer is kept, setting and putting back, and wants the next one to go on.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "partnerguard.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); killing(t, where(t)) })
	}
}

func killing(t *testing.T, where string) {
	l := newLab(t)
	d, err := db.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	key := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(key), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Now: l.Now, Actor: "local:test"})
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.Apply(t.Context(), l.plan())
	if err != nil {
		t.Fatal(err)
	}
	c := crash{where, key, l.Info.CAFile, l.Info.Tenant.ID, run.ID, "", l.token(l.Info.Tenant.ID, l.Cloud.PartnerCenterResource),
		l.token(l.customer, l.Cloud.ARMResource), l.Now(), l.Cloud}
	died := 0
	die := func(points ...string) {
		for _, p := range points {
			c.At = p
			if child(t, c) {
				died++
			}
			c.Now = c.Now.Add(leaseFor + time.Second)
		}
		c.At = ""
		for range 3 {
			child(t, c)
			c.Now = c.Now.Add(leaseFor + time.Second)
		}
	}
	die("lease taken", "asked: waiting", "answered: waiting", "kept: waiting")
	list, err := b.Status(t.Context(), run.ID)
	if v, n := l.has(); err != nil || died < 3 || list[0].Counts[Done] != 2 || v == nil || *v != 750.5 || n != 1 {
		t.Fatalf("%v; %d died; %v %v %d", err, died, list[0].Counts, v, n)
	}
	if err := b.Rollback(t.Context(), run.ID, ""); err != nil {
		t.Fatal(err)
	}
	died = 0
	die("asked: restoring", "answered: restoring", "kept: restoring")
	list, err = b.Status(t.Context(), run.ID)
	if v, n := l.has(); err != nil || died < 2 || list[0].Counts[Restored] != 2 || v != nil || n != 0 {
		t.Fatalf("%v; %d died; %v %v %d", err, died, list[0].Counts, v, n)
	}
}

// child runs this test program as a process that does the plan, and says whether it died.
func child(t *testing.T, c crash) bool {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
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
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(json.Unmarshal([]byte(raw), &c))
	d, err := db.Open(t.Context(), c.Where)
	must(err)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(c.Key), vault.Options{Books: Books()})
	must(err)
	pem, err := os.ReadFile(c.CA)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	api := msapi.New(msapi.Options{Tries: 1, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}})
	cloud, err := cloudOf(api, c.Cloud, c.Partner, c.Center, c.Azure)
	must(err)
	began := time.Now()
	b, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Actor: "local:test", Now: func() time.Time { return c.Now.Add(time.Since(began)) },
		Cloud: func(context.Context, string) (Cloud, error) { return cloud, nil },
		at: func(_ context.Context, point string) {
			if point == c.At {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}})
	must(err)
	must(b.Now(t.Context(), c.Plan, nil))
}
