//go:build !judge

package contain

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

func sqlite(t *testing.T) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "partnerguard.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func respond(q *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: q}
}

// times counts how often something was asked for.
type times struct {
	mu sync.Mutex
	n  map[string]int
}

func (x *times) next(q *http.Request) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.n == nil {
		x.n = map[string]int{}
	}
	x.n[q.Method+q.URL.Path]++
	return x.n[q.Method+q.URL.Path]
}

// unlucky says of every third number or so that it is one: without a period, in which a step that
// reads something three times in a look would fall every time.
func unlucky(n int) bool { return n == 1 || uint32(n)*2_654_435_761>>16%3 == 0 }

func writes(q *http.Request) bool {
	return q.Method != http.MethodGet && !strings.HasSuffix(q.URL.Path, "/token")
}

// started is an attack with its plan applied and approved; keep says which steps.
func started(t *testing.T, r *rig, keep func(*Step) bool) (Run, Plan) {
	t.Helper()
	r.attack()
	p, err := r.Plan(t.Context(), Ask{Alert: "fa-test", Budget: 500})
	r.ok(err)
	if keep != nil {
		p.Steps = slices.DeleteFunc(p.Steps, func(s Step) bool { return !keep(&s) })
	}
	run, err := r.Apply(t.Context(), p)
	r.ok(err)
	run, err = r.as("local:ben").Approve(t.Context(), run.ID)
	r.ok(err)
	return run, p
}

// TestFaults: whatever goes wrong on the way, a run ends as planned, or says exactly what is left.
func TestFaults(t *testing.T) {
	t.Parallel()
	passing := map[string]func(*faults, *times){
		"every first answer is lost": func(f *faults, n *times) { f.after = func(q *http.Request) bool { return writes(q) && n.next(q) == 1 } },
		"throttled": func(f *faults, n *times) {
			f.before = func(q *http.Request) *http.Response {
				if !writes(q) || n.next(q) > 2 {
					return nil
				}
				return respond(q, 429, `{"error":{"code":"TooManyRequests","message":"x"}}`, "Retry-After", "30")
			}
		},
		"unavailable": func(f *faults, n *times) {
			f.before = func(q *http.Request) *http.Response {
				if !writes(q) || n.next(q) > 3 {
					return nil
				}
				return respond(q, 503, `{}`)
			}
		},
		"conflicts": func(f *faults, n *times) {
			f.before = func(q *http.Request) *http.Response {
				if !writes(q) || n.next(q) > 2 {
					return nil
				}
				return respond(q, 409, `{"error":{"code":"AnotherOperationInProgress","message":"x"}}`)
			}
		},
		"operations without an end": func(f *faults, _ *times) {
			f.before = func(q *http.Request) *http.Response {
				if writes(q) || !strings.Contains(strings.ToLower(q.URL.Path), "/operations/") {
					return nil
				}
				return respond(q, 200, `{"status":"InProgress"}`, "Retry-After", "30")
			}
		},
		"operations are forgotten": func(f *faults, _ *times) {
			f.before = func(q *http.Request) *http.Response {
				if writes(q) || !strings.Contains(strings.ToLower(q.URL.Path), "/operations/") {
					return nil
				}
				return respond(q, 404, `{"error":{"code":"NotFound"}}`)
			}
		},
		"reads fail now and then": func(f *faults, n *times) {
			f.before = func(q *http.Request) *http.Response {
				if writes(q) || !unlucky(n.next(q)) || strings.Contains(q.URL.Path, "openid") {
					return nil
				}
				return respond(q, 500, `not json`)
			}
		},
	}
	for name, set := range passing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sqlite(t))
			run, p := started(t, r, nil)
			r.wire.mu.Lock()
			set(r.wire, &times{})
			r.wire.mu.Unlock()
			s := r.drive(r.Containment, run.ID, 400)
			if s.State != Over || s.Counts[Done] != len(p.Steps) {
				t.Fatalf("%s %v %q %s", s.State, s.Counts, s.Left, s.Why)
			}
		})
	}
}

// TestLeft: what is refused for good fails by itself, the rest is done, and what is left is
// told with whom to call.
func TestLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, p := started(t, r, nil)
	r.wire.mu.Lock()
	r.wire.before = func(q *http.Request) *http.Response {
		switch {
		case writes(q) && strings.Contains(q.URL.Path, "/virtualMachines/"):
			return respond(q, 403, `{"error":{"code":"AuthorizationFailed","message":"x"}}`)
		case writes(q) && strings.Contains(q.URL.Path, "/containerGroups/"):
			return respond(q, 409, `{"error":{"code":"ScopeLocked","message":"x"}}`)
		}
		return nil
	}
	r.wire.mu.Unlock()
	s := r.drive(r.Containment, run.ID, 200)
	if s.State != Over || s.Counts[Failed] != 3 || s.Counts[Done] != len(p.Steps)-3 || len(s.Left) != 3 {
		t.Fatalf("%s %v %q", s.State, s.Counts, s.Left)
	}
	for _, want := range []string{"Tove Tailspin", "a lock of the customer's forbids it", "Microsoft.Compute/virtualMachines/deallocate/action"} {
		if !strings.Contains(strings.Join(s.Left, "\n"), want) {
			t.Errorf("nobody says %q: %q", want, s.Left)
		}
	}
	if v := s.Verified; v == nil || len(v.Running) != 3 {
		t.Errorf("%+v", v)
	}
	r.wire.mu.Lock()
	r.wire.before = nil
	r.wire.mu.Unlock()
	_, err := r.Apply(t.Context(), p) // the same again has what failed tried again
	r.ok(err)
	if s = r.drive(r.Containment, run.ID, 100); s.State != Over || s.Counts[Done] != len(p.Steps) || len(s.Left) != 0 {
		t.Errorf("%s %v %q", s.State, s.Counts, s.Left)
	}
}

// TestDirectoryDown: machines stop though the directory does not answer, and new machines are
// told.
func TestDirectoryDown(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, _ := started(t, r, nil)
	graph := strings.TrimPrefix(r.lab.Cloud.Graph, "https://")
	r.wire.mu.Lock()
	r.wire.before = func(q *http.Request) *http.Response {
		if q.URL.Host == graph {
			return respond(q, 503, `{}`)
		}
		return nil
	}
	r.wire.mu.Unlock()
	s := r.drive(r.Containment, run.ID, 25)
	if s.State != Running || s.Counts[Ready] == 0 {
		t.Fatalf("%s %v", s.State, s.Counts)
	}
	for _, x := range s.Steps {
		if x.Step.Kind.resource() && x.State != Done {
			t.Errorf("%s %s is %s: %s", x.Step.Kind, x.Step.Name, x.State, x.Words)
		}
	}
	r.wire.mu.Lock()
	r.wire.before = nil
	r.wire.mu.Unlock()
	c := r.cloud()
	_, err := c.ARM.Do(t.Context(), http.MethodPut, at("/subscriptions/"+r.sub+"/resourceGroups/rg-batch-0/providers/Microsoft.Compute/virtualMachines/late",
		versionCompute), jsonText(`{"location":"eastus","properties":{"hardwareProfile":{"vmSize":"Standard_F4s_v2"},"osProfile":{"computerName":"x"}}}`))
	r.ok(err)
	if s = r.drive(r.Containment, run.ID, 100); s.State != Over || s.Verified == nil || !slices.Equal(s.Verified.New, []string{"late"}) {
		t.Errorf("%s %+v", s.State, s.Verified)
	}
}

// TestGuards: nobody is locked out who must not be, whoever approved it.
func TestGuards(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	c := r.cloud()
	people := func(tenant, id string, kind Kind) Step {
		return Step{Kind: kind, Target: id, Tenant: tenant, Name: "x"}
	}
	home := r.lab.Info.Tenant.ID
	panel := ""
	r.lab.Server.World.Read(func(s *world.State) { panel = s.Tenant(r.customer).SP(c.Self.App).ID })
	boss := people(r.customer, r.boss, DisableUser)
	for name, x := range map[string]struct {
		s    Step
		want string
	}{
		"the last administrator": {boss, "the last Global Administrator"},
		"ourselves":              {people(home, c.Self.User, DisableUser), "it would lock itself out"},
		"our sessions":           {people(home, c.Self.User, RevokeSessions), "it would lock itself out"},
		"our app":                {people(r.customer, panel, DisableApp), "this program acts with"},
		"our app's credential": {Step{Kind: RemoveCredential, Target: "servicePrincipals/" + panel, Tenant: r.customer, Key: panel},
			"this program acts with"},
	} {
		if err := c.guard(t.Context(), []Step{x.s}, &x.s); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), x.want) ||
			problem.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Our way in, and the last Owner.
	roles, err := readRoles(t.Context(), c, "/subscriptions/"+r.sub)
	r.ok(err)
	for _, x := range roles {
		s := Step{Kind: RemoveRole, Target: x.id, Tenant: r.customer}
		if x.kind == foreignGroup {
			if err := c.guard(t.Context(), []Step{s}, &s); err == nil || !strings.Contains(err.Error(), "the partner's own way") {
				t.Errorf("%v", err)
			}
		}
	}
	// The actor of the attack is the last administrator: sessions go, the account stays, and it is told.
	r.scene.Actors = []Actor{{ID: r.boss, Words: "it made machines"}, {Tenant: home, ID: c.Self.User, Words: "it came from us"}}
	p, err := r.Plan(t.Context(), Ask{Alert: "fa-test"})
	r.ok(err)
	told := strings.Join(p.Told, "\n")
	if !strings.Contains(told, "the last Global Administrator") || !strings.Contains(told, "--connection NAME") {
		t.Errorf("%s", told)
	}
	for _, s := range p.Steps {
		if s.Kind == DisableUser && s.Target == r.boss || s.Target == c.Self.User {
			t.Errorf("%s of %s is planned", s.Kind, s.Target)
		}
	}
	if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind == RevokeSessions && s.Target == r.boss }) {
		t.Error("its sessions stay")
	}
}

// TestGuardOfThisMoment: an administrator who became the last one since the plan is not
// disabled, though two people said so.
func TestGuardOfThisMoment(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, p := started(t, r, func(s *Step) bool { return s.Kind == DisableUser })
	r.ok(r.lab.Server.World.Do(func(s *world.State) error {
		c := s.Tenant(r.customer)
		for a := range c.Held.All() {
			if a.Principal == r.boss {
				n := *a
				n.Principal = p.Steps[0].Target
				c.Held.Put(&n)
			}
		}
		s.Touch(c)
		s.Dirty()
		return nil
	}))
	s := r.drive(r.Containment, run.ID, 20)
	if s.Counts[Failed] != 1 || !strings.Contains(s.Left[0], "the last Global Administrator") {
		t.Errorf("%v %q", s.Counts, s.Left)
	}
}

// TestRule: what a rule approves in its hours needs nobody; the rest waits; out of them
// nothing is done.
func TestRule(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	r.attack()
	r.config = Config{Rule: []string{string(StopMachine), string(StopSet)}, Hours: "Sun-Sat 00:00-24:00"}
	p, err := r.Plan(t.Context(), Ask{Alert: "fa-test"})
	r.ok(err)
	run, err := r.Apply(t.Context(), p)
	r.ok(err)
	s := r.drive(r.Containment, run.ID, 40)
	for _, x := range s.Steps {
		if ruled := x.Step.Kind == StopMachine || x.Step.Kind == StopSet; ruled != (x.State == Done) || ruled != x.ByRule {
			t.Errorf("%s is %s: %s", x.Step.Kind, x.State, x.Words)
		}
	}
	if s.State != Waiting || s.Rule == "" || len(r.trail.Of(audit.ContainRuled)) != 1 {
		t.Errorf("%s %q", s.State, s.Rule)
	}
	_, err = r.Cancel(t.Context(), run.ID, "enough")
	r.ok(err)
	if s = r.status(run.ID); s.State != Stopped || s.Counts[Left]+s.Counts[Done] != len(p.Steps) {
		t.Errorf("%s %v", s.State, s.Counts)
	}
	now := time.Date(2026, 11, 30, 19, 0, 0, 0, time.UTC) // a Monday
	x := &Plan{Steps: []Step{{ID: "a", Kind: StopMachine, PerHour: 5}, {ID: "b", Kind: StopMachine, PerHour: 50}, {ID: "c", Kind: StopMachine},
		{ID: "d", Kind: RevokeSessions}}}
	r.config = Config{Rule: []string{string(StopMachine), string(RevokeSessions)}, Hours: "Mon-Fri 18:00-08:00", Money: "10"}
	if got, _ := r.rule(x, now); len(got) != 1 || !got["a"] {
		t.Errorf("%v", got)
	}
	if got, _ := r.rule(x, now.Add(-2*time.Hour)); len(got) != 0 {
		t.Errorf("in the day: %v", got)
	}
}

// TestForged: rows that something else wrote, or put back, have nothing done.
func TestForged(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]string{
		"a step's target":     "UPDATE contain_steps SET step = replace(step, 'vmss-7f31', 'web-01')",
		"the run's state":     "UPDATE contain_runs SET state = 'running'",
		"an approval":         "INSERT INTO contain_approvals (run, hash, actor, approved, mark) SELECT id, 'x', 'local:eve', 1, x'00' FROM contain_runs",
		"a rule's yes":        `UPDATE contain_steps SET body = '{"byRule":true,"since":"2026-01-01T00:00:00Z"}' WHERE seq = 1`,
		"a step is taken out": "DELETE FROM contain_steps WHERE seq = 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sqlite(t))
			r.attack()
			r.config = Config{Rule: ruleKinds(), Hours: "Sun-Sat 00:00-24:00"}
			p, err := r.Plan(t.Context(), Ask{Alert: "fa-test"})
			r.ok(err)
			run, err := r.Apply(t.Context(), p)
			r.ok(err)
			_, err = r.db.ExecContext(t.Context(), forge)
			r.ok(err)
			if _, err = r.Do(t.Context(), run.ID); err == nil || len(r.wireWrites()) > 0 {
				t.Errorf("%v %q", err, r.wireWrites())
			}
		})
	}
}

// TestCancelledStays: an older row of a run that was cancelled has nothing begun.
func TestCancelledStays(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run, _ := started(t, r, func(s *Step) bool { return s.Kind == StopMachine })
	for _, table := range []string{"contain_runs", "contain_steps"} {
		_, err := r.db.ExecContext(t.Context(), "CREATE TABLE old_"+table+" AS SELECT * FROM "+table)
		r.ok(err)
	}
	_, err := r.Cancel(t.Context(), run.ID, "it is legitimate")
	r.ok(err)
	for _, table := range []string{"contain_runs", "contain_steps"} {
		_, err = r.db.ExecContext(t.Context(), "DELETE FROM "+table)
		r.ok(err)
		_, err = r.db.ExecContext(t.Context(), "INSERT INTO "+table+" SELECT * FROM old_"+table)
		r.ok(err)
	}
	if _, err := r.Do(t.Context(), run.ID); !errors.Is(err, problem.Conflict) || len(r.wireWrites()) > 0 {
		t.Errorf("%v %q", err, r.wireWrites())
	}
}
