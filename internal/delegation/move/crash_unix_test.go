//go:build unix && !judge

package move

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

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

const crashEnv = "PARTNERGUARD_TEST_MOVE"

// crash is what the child is told: where everything is, and at which point it dies.
type crash struct {
	Where, Key, CA, Partner, Plan, At string
	Graph, Center                     string // tokens of the partner cloud
	Now                               time.Time
	Cloud                             msapi.Cloud
}

// stated probes by what the cloud says of the new relationship.
type stated struct{ c Cloud }

func (s stated) Probe(ctx context.Context, ask ProbeAsk) (ProbeAnswer, error) {
	list, err := s.c.Assignments(ctx, ask.Relationship)
	if err != nil {
		return ProbeAnswer{}, err
	}
	for _, g := range ask.Groups {
		if a := ofGroup(list, g.ID); a == nil || a.Status != assignActive || !same(a.Roles, g.Roles) {
			return ProbeAnswer{Unknown, "not yet"}, nil
		}
	}
	return ProbeAnswer{Pass, "it is there"}, nil
}

// TestKilled kills the process with SIGKILL before each change is asked for, after it is
// answered and after the answer is kept, in each state, and wants the next one to go on.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "partnerguard.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		// A state with one change does it once: whoever died with the answer in hand does not ask again.
		for what, points := range map[string][]string{"asking": {"asked: ", "answered: "}, "keeping": {"kept: "}} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				killing(t, where(t), points)
			})
		}
	}
}

func killing(t *testing.T, where string, points []string) {
	lab := labtest.Start(t)
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
	m, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Now: lab.Now, Actor: "local:test"})
	if err != nil {
		t.Fatal(err)
	}
	run, old := killable(t, lab, m)
	refresh := lab.Grant(labtest.PanelApp, labtest.SAMAgent).Refresh
	token := func(resource string) string {
		g, err := lab.API.Refresh(t.Context(), msapi.RefreshRequest{Cloud: lab.Cloud, App: lab.App(labtest.PanelApp), Tenant: lab.Info.Tenant.ID,
			Refresh: refresh, Scope: resource + "/.default"})
		if err != nil {
			t.Fatal(err)
		}
		return g.Access.Reveal()
	}
	at := func() Move {
		x, err := m.move(t.Context(), run.ID, run.Plan.Customers[0].Tenant)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, s := range []State{Creating, Locking, Assigning, Easing, Ending, Removing} {
		for _, point := range points {
			died := false
			for range 30 {
				c := crash{where, key, lab.Info.CAFile, lab.Info.Tenant.ID, run.ID, point + string(s), token(lab.Cloud.GraphResource),
					token(lab.Cloud.PartnerCenterResource), lab.Now(), lab.Cloud}
				died = child(t, c)
				approve(lab)
				lab.Jump(leaseFor + time.Second)
				if died || at().State.Ended() {
					break
				}
			}
			if x := at(); !died {
				t.Errorf("nobody died at %s%s; it is %s: %s", point, s, x.State, x.Why)
			}
		}
	}
	for range 30 {
		if at().State.Ended() {
			break
		}
		child(t, crash{where, key, lab.Info.CAFile, lab.Info.Tenant.ID, run.ID, "", token(lab.Cloud.GraphResource), token(lab.Cloud.PartnerCenterResource),
			lab.Now(), lab.Cloud})
		lab.Jump(leaseFor + time.Second)
	}
	x := at()
	if x.State != Done {
		t.Fatalf("%s: %s", x.State, x.Why)
	}
	lab.Server.World.Read(func(st *world.State) {
		made := 0
		for r := range st.PartnerTenant().Relationships.All() {
			if strings.HasPrefix(r.Name, "PG-") {
				made++
			}
			if r.ID == old && r.StatusAt(lab.Now()) != "terminated" {
				t.Errorf("the old relationship is %s", r.StatusAt(lab.Now()))
			}
		}
		if made != 1 || st.PartnerTenant().CustomerOf("fabrikam.example").DAP {
			t.Errorf("%d relationships were made", made)
		}
	})
}

// killable applies a plan that replaces Fabrikam's relationship and takes DAP away.
func killable(t *testing.T, lab *labtest.Lab, m *Mover) (Run, string) {
	t.Helper()
	inv := &delegation.Inventory{AsOf: lab.Now(), Tenant: lab.Info.Tenant.ID}
	old, group := "", ""
	lab.Server.World.Read(func(s *world.State) {
		w := s.PartnerTenant().CustomerOf("fabrikam.example")
		c := delegation.Customer{Tenant: w.TenantID, Name: w.Name, Domain: w.Domain, DAP: delegation.Yes}
		for r := range s.PartnerTenant().Relationships.All() {
			if r.Customer != w.TenantID || r.StatusAt(lab.Now()) != "active" {
				continue
			}
			x := delegation.Relationship{ID: r.ID, Name: r.Name, Status: "active", Active: true, Roles: r.Roles, End: r.EndAt(lab.Now()), Read: delegation.Yes}
			for _, a := range r.Assignments {
				x.Assignments = append(x.Assignments, delegation.Assignment{ID: a.ID, Group: a.Group, Status: "active", Active: true, Roles: a.Roles})
				group = a.Group
			}
			old = r.ID
			c.Relationships = append(c.Relationships, x)
		}
		inv.Customers = append(inv.Customers, c)
	})
	p, err := Make(&Ask{Cloud: "public", Now: lab.Now(), Seed: "crash", Inventory: inv, Tight: true, Stages: []int{100},
		Template: &Template{Version: 1, Name: "desk", Groups: []TemplateGroup{{ID: group, Roles: []string{readers}}}}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := m.Apply(t.Context(), p, 0, inv)
	if err != nil {
		t.Fatal(err)
	}
	return run, old
}

func approve(lab *labtest.Lab) {
	lab.Edit(func(s *world.State, t *world.Tenant) {
		for r := range t.Relationships.All() {
			if r.StatusAt(lab.Now()) == "approvalPending" && strings.HasPrefix(r.Name, "PG-") {
				next := *r
				next.Answer(s.Tenant(r.Customer), true, 730*24*time.Hour, lab.Now())
				t.Relationships.Put(&next)
			}
		}
	})
}

// child runs this test program as a process that does the move, and says whether it died.
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
	g, err := api.Graph(c.Cloud, c.Partner, msapi.Fixed(secret.New(c.Graph)))
	must(err)
	p, err := api.PartnerCenter(c.Cloud, c.Partner, msapi.Fixed(secret.New(c.Center)))
	must(err)
	began := time.Now()
	m, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Actor: "local:test", Probe: stated{Live(g, p)},
		Now:   func() time.Time { return c.Now.Add(time.Since(began)) },
		Cloud: func(context.Context, string) (Cloud, error) { return Live(g, p), nil },
		at: func(_ context.Context, point string) {
			if point == c.At {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}})
	must(err)
	must(m.Now(t.Context(), c.Plan, true, nil))
}
