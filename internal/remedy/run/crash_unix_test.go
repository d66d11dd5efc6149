//go:build unix && !judge

package run

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/vault"
)

const crashEnv = "PARTNERGUARD_TEST_REMEDY"

// crash is what the child is told: where everything is, and at which point it dies.
type crash struct {
	Where, Key, Control, Secret, Run, At, Tenant string
	Now                                          time.Time
	Users                                        []access.Subject
}

// TestKilled kills the process with SIGKILL before each kind of change is sent, after it is
// answered and after the answer is kept, there and back, and wants the next one to go on: no
// object twice, none left behind.
func TestKilled(t *testing.T) {
	t.Parallel()
	points := []string{"create conditional-access-policy", "create group", "create group-member", "update conditional-access-policy", "delete group"}
	for _, x := range []struct {
		name  string
		where func(*testing.T) string
		kinds []string
	}{
		{"sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "partnerguard.db") }, []string{"asked: ", "answered: ", "kept: "}},
		{"postgres", func(t *testing.T) string { return dbtest.PostgresURL(t) }, []string{"answered: "}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), x.where(t))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			r := newRig(t, d)
			was := r.settings()
			deps := r.deps("local:ada")
			deps.Last = nil // each process has a trail of its own here
			r.Runner, err = New(deps)
			r.ok(err)
			run := r.approved(r.plan(func(p *remedy.Plan) { p.Stages = []remedy.Stage{remedy.Pilot, remedy.All} }, r.newPolicy("MFA")), "")
			c := crash{Where: d.Where(), Key: r.key, Control: r.lab.Info.Control, Secret: r.lab.Info.ControlSecret, Run: run.ID,
				Tenant: strings.ToLower(r.lab.Info.Tenant.ID), Users: r.users}
			r.killing(c, points, x.kinds, Ended)
			r.once("MFA")
			_, err = r.Rollback(t.Context(), run.ID, "the test is over")
			r.ok(err)
			r.killing(c, []string{"update conditional-access-policy", "create conditional-access-policy", "create group"}, x.kinds, Undone)
			r.same(was)
		})
	}
}

// killing has the run done by processes that die at each point once, until it stands so.
func (r *rig) killing(c crash, points, kinds []string, want State) {
	r.Helper()
	died := 0
	for _, p := range points {
		for _, k := range kinds {
			c.At = k + p
			for range 60 {
				r.lab.Jump(leaseFor + time.Second)
				c.Now = r.lab.Now()
				if child(r.TB.(*testing.T), c) {
					died++
					break
				}
				if r.status(c.Run).State == want {
					break
				}
			}
		}
	}
	c.At = ""
	for range 60 {
		if r.status(c.Run).State == want {
			break
		}
		r.lab.Jump(leaseFor + time.Second)
		c.Now = r.lab.Now()
		child(r.TB.(*testing.T), c)
	}
	if s := r.status(c.Run); s.State != want || died == 0 {
		r.Fatalf("%d died: %s", died, s.tell())
	}
}

// child runs this test program as a process that does the run, and says whether it died.
func child(t *testing.T, c crash) bool {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
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
	defer d.Close()
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(c.Key), vault.Options{Books: Books()})
	must(err)
	began := time.Now()
	m, err := New(Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Actor: "local:ada", Now: func() time.Time { return c.Now.Add(time.Since(began)) },
		Cloud: func(context.Context, string, []string) (*Cloud, error) {
			return &Cloud{Graph: &wire{c: control.Dial(c.Control, c.Secret)}, Tenant: c.Tenant}, nil
		},
		Gate: func(_ context.Context, a Ask) (*remedy.Gate, error) {
			return &remedy.Gate{Stage: a.To, Passed: true}, nil
		},
		Expand: func(_ context.Context, a Ask) ([]gate.Move, error) {
			return gate.Expand(a.Plan, a.From, a.To, &access.Tenant{Users: c.Users})
		},
		Observed: func(_ context.Context, _, _ string, _ []string, since time.Time) ([]remedy.Effect, remedy.Log, error) {
			return nil, remedy.Log{From: since, To: c.Now.AddDate(1, 0, 0), SignIns: 1000}, nil
		},
		at: func(_ context.Context, point string) {
			if point == c.At {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}})
	must(err)
	for range 40 { // a child does several turns, as serve does
		next, err := m.Do(t.Context(), c.Run)
		must(err)
		if next.IsZero() || next.After(c.Now.Add(time.Since(began)).Add(2*time.Second)) {
			return
		}
		time.Sleep(time.Until(began.Add(next.Sub(c.Now))))
	}
}
