//go:build !judge

package contain

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/fraud"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// mayAll starts the cloud with a connection that may stop everything at Tailspin.
func mayAll(t testing.TB) func(*partnercloud.Options) {
	t.Helper()
	text := string(scenario.Default())
	change := func(was, is string, n int) {
		if !strings.Contains(text, was) {
			t.Fatalf("the scenario has no %q", was)
		}
		text = strings.Replace(text, was, is, n)
	}
	change("IdentityRiskyUser.Read.All, ", "IdentityRiskyUser.Read.All, User.ReadWrite.All, ", 1)
	change("    title: Service account\n    roles: [Global Reader]\n", "    title: Service account\n    roles: [Global Administrator]\n", 1)
	i := strings.Index(text, "name: Tailspin Toys")
	head := text[:i]
	text = text[i:]
	change("Helpdesk Administrator, Security Administrator,", "Helpdesk Administrator, User Administrator, Privileged Authentication Administrator, Security Administrator,", 1)
	change("GDAP Azure: [Directory Readers]", "GDAP Azure: [Directory Readers, User Administrator, Privileged Authentication Administrator, Cloud Application Administrator]", 1)
	text = head + text
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *partnercloud.Options) { o.Scenario = path }
}

// rig is containment over a database and the partner cloud.
type rig struct {
	testing.TB
	*Containment
	lab                        *labtest.Lab
	db                         *db.DB
	v                          *vault.Vault
	trail                      *audittest.Recorder
	refresh                    secret.Text
	key                        string
	customer, sub, admin, boss string
	alert                      fraud.Alert
	scene                      Scene
	wire                       *faults
	answers                    []string
	config                     Config

	mu     sync.Mutex
	tokens map[string]secret.Text
	until  time.Time
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, key: path, lab: labtest.Start(t, mayAll(t)), db: d, v: v, trail: &audittest.Recorder{}}
	r.wire = &faults{next: r.lab.Server.Transport()}
	r.refresh = r.lab.Grant(labtest.PanelApp, labtest.SAMAgent).Refresh
	r.lab.Server.World.Read(func(s *world.State) {
		c := s.Tenant("tailspin.example")
		r.customer = c.ID
		for a := range c.Azure.All() {
			r.sub = a.ID
		}
		for u := range c.Users.All() {
			if slices.Contains(c.RolesOf(u.ID, r.lab.Now()), "62e90394-69f5-4237-9190-012177145e10") {
				r.boss = u.ID
			}
		}
	})
	r.alert = fraud.Alert{ID: "fa-test", Customer: r.customer, CustomerName: "Tailspin Toys", Subscription: r.sub, Detected: r.lab.Now().Add(-time.Hour)}
	r.Containment = r.as("local:ada")
	return r
}

// as is a process of its own, of a person.
func (r *rig) as(actor string) *Containment {
	r.Helper()
	c, err := New(Deps{DB: r.db, Marks: r.v, Record: r.trail, Name: "partner-cloud", Actor: actor, Now: r.lab.Now, Config: &r.config, Last: r.last,
		Alert: func(context.Context, string) (fraud.Alert, error) { return r.alert, nil },
		Scene: func(context.Context, string) (Scene, error) { return r.scene, nil },
		Answer: func(_ context.Context, id string, reason fraud.Reason, actor string) error {
			r.answers = append(r.answers, id+" "+string(reason)+" "+actor)
			return nil
		},
		Cloud: func(context.Context, string, string) (*Cloud, error) { return r.cloud(), nil }})
	r.ok(err)
	return c
}

// last is what the trail says last.
func (r *rig) last(context.Context) (Word, error) {
	return func(run, about string) (out audit.Action) {
		for _, e := range r.trail.Events() {
			if e.Object == run && WordAbout(e.Action) == about && Tells(e.Action) {
				out = e.Action
			}
		}
		return out
	}, nil
}

func (r *rig) token(tenant, resource string) msapi.Bearer {
	return func(ctx context.Context) (secret.Text, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.tokens == nil || !r.lab.Now().Before(r.until) {
			r.tokens, r.until = map[string]secret.Text{}, r.lab.Now().Add(30*time.Minute)
		}
		if t, ok := r.tokens[tenant+resource]; ok {
			return t, nil
		}
		g, err := r.lab.API.Refresh(ctx, msapi.RefreshRequest{Cloud: r.lab.Cloud, App: r.lab.App(labtest.PanelApp), Tenant: tenant, Refresh: r.refresh,
			Scope: resource + "/.default"})
		if err != nil {
			return secret.Text{}, err
		}
		r.tokens[tenant+resource] = g.Access
		return g.Access, nil
	}
}

func (r *rig) cloud() *Cloud {
	r.Helper()
	api := r.lab.Client(func(o *msapi.Options) {
		o.Tries, o.Transport = 1, r.wire
		o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	home := r.lab.Info.Tenant.ID
	c := r.lab.Cloud
	a, err := api.ARM(c, r.customer, r.token(r.customer, c.ARMResource))
	r.ok(err)
	g, err := api.Graph(c, r.customer, r.token(r.customer, c.GraphResource))
	r.ok(err)
	h, err := api.Graph(c, home, r.token(home, c.GraphResource))
	r.ok(err)
	p, err := api.PartnerCenter(c, home, r.token(home, c.PartnerCenterResource))
	r.ok(err)
	self := Self{Connection: "lab", Tenant: home, UPN: labtest.SAMAgent, App: labtest.PanelApp}
	r.lab.Server.World.Read(func(s *world.State) { self.User = s.PartnerTenant().UserByName(labtest.SAMAgent).ID })
	return &Cloud{ARM: a, Graph: g, Home: h, Center: p, Self: self, Contact: "Tove Tailspin, it@tailspin.example"}
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// faults is a wire on which requests go wrong.
type faults struct {
	next http.RoundTripper
	mu   sync.Mutex
	// before answers instead of the cloud; nil lets it through. after says that the answer is lost.
	before func(*http.Request) *http.Response
	after  func(*http.Request) bool
	writes []string
}

func (f *faults) RoundTrip(q *http.Request) (*http.Response, error) {
	f.mu.Lock()
	before, after := f.before, f.after
	if q.Method != http.MethodGet {
		f.writes = append(f.writes, q.Method+" "+q.URL.Path)
	}
	f.mu.Unlock()
	if before != nil {
		if res := before(q); res != nil {
			return res, nil
		}
	}
	res, err := f.next.RoundTrip(q)
	if err == nil && after != nil && after(q) {
		_ = res.Body.Close()
		return nil, os.ErrDeadlineExceeded
	}
	return res, err
}

// attack makes one thing of each kind that an attack leaves.
func (r *rig) attack() {
	r.Helper()
	c, ctx := r.cloud(), r.Context()
	group := "/subscriptions/" + r.sub + "/resourceGroups/rg-batch-0"
	put := func(path, version, body string) {
		r.Helper()
		if _, err := c.ARM.Do(ctx, http.MethodPut, at(group+"/providers/"+path, version), jsonText(body)); err != nil {
			r.Fatalf("%s: %v", path, err)
		}
		r.lab.Jump(time.Minute)
	}
	for _, provider := range []string{"Microsoft.Batch", "Microsoft.MachineLearningServices", "Microsoft.ContainerInstance", "Microsoft.Quota"} {
		if _, err := c.ARM.Do(ctx, http.MethodPost, at("/subscriptions/"+r.sub+"/providers/"+provider+"/register", versionResources), nil); err != nil {
			r.Fatalf("%s: %v", provider, err)
		}
	}
	r.lab.Jump(time.Minute)
	put("Microsoft.Compute/virtualMachineScaleSets/miners", versionCompute,
		`{"location":"eastus","sku":{"name":"Standard_F8s_v2","capacity":3},"properties":{"upgradePolicy":{"mode":"Manual"}}}`)
	put("Microsoft.Batch/batchAccounts/b1", versionBatch, `{"location":"eastus","properties":{}}`)
	put("Microsoft.Batch/batchAccounts/b1/pools/p1", versionBatch,
		`{"properties":{"vmSize":"Standard_F4s_v2","scaleSettings":{"fixedScale":{"targetDedicatedNodes":4,"targetLowPriorityNodes":1}}}}`)
	put("Microsoft.MachineLearningServices/workspaces/w1", versionLearning, `{"location":"eastus2","properties":{}}`)
	put("Microsoft.MachineLearningServices/workspaces/w1/computes/c1", versionLearning,
		`{"location":"eastus2","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Standard_NC6s_v3","scaleSettings":{"minNodeCount":1,"maxNodeCount":2}}}}`)
	put("Microsoft.MachineLearningServices/workspaces/w1/computes/i1", versionLearning,
		`{"location":"eastus2","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"Standard_DS3_v2"}}}`)
	put("Microsoft.ContainerInstance/containerGroups/g1", versionContainers, `{"location":"eastus","properties":{"osType":"Linux","containers":[{"name":"x",`+
		`"properties":{"image":"x/miner","resources":{"requests":{"cpu":4,"memoryInGB":8}}}}]}}`)
	r.ok(r.lab.Server.World.Do(func(s *world.State) error {
		t := s.Tenant(r.customer)
		admin := ""
		for u := range t.Users.All() {
			if u.Enabled && u.ID != r.boss && !u.Guest && admin == "" {
				admin = u.ID
			}
		}
		r.admin = admin
		t.Azure.Change(r.sub, func(a *world.AzureSubscription) {
			a.Roles = append(slices.Clone(a.Roles), world.AzureRole{ID: "0aaaaaaa-0000-4000-8000-000000000001", Role: "Owner", Principal: admin,
				PrincipalType: "User", Scope: "/subscriptions/" + r.sub, Created: r.lab.Now(), By: admin})
		})
		app := &world.ServicePrincipal{ID: "0ccccccc-0000-4000-8000-000000000001", AppID: "0ccccccc-0000-4000-8000-000000000002", Name: "backup agent",
			Owner: r.customer, Type: "Application", Enabled: true, Created: r.lab.Now().AddDate(-1, 0, 0), Passwords: []world.PasswordCredential{
				{KeyID: "0bbbbbbb-0000-4000-8000-000000000001", Name: "x", Start: r.lab.Now(), End: r.lab.Now().AddDate(1, 0, 0), Hash: "x"}}}
		t.SPs.Put(app)
		r.scene.Actors = []Actor{{ID: app.ID, Words: "it made machines"}}
		s.Touch(t)
		s.Dirty()
		return nil
	}))
	r.lab.Jump(time.Minute)
	r.wire.writes = nil
}

type jsonText string

// MarshalJSON is the text itself.
func (j jsonText) MarshalJSON() ([]byte, error) { return []byte(j), nil }

// drive lets time pass until a run ended, or for so many looks.
func (r *rig) drive(c *Containment, run string, looks int) Status {
	r.Helper()
	for range looks {
		next, err := c.Do(r.Context(), run)
		r.ok(err)
		if next.IsZero() {
			break
		}
		r.lab.Jump(max(next.Sub(r.lab.Now()), time.Second))
	}
	return r.status(run)
}

func (r *rig) status(run string) Status {
	r.Helper()
	list, err := r.Status(r.Context(), run)
	r.ok(err)
	return list[0]
}
