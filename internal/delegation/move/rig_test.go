//go:build !judge

package move

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/vault"
)

// prober passes when the access is there in the fake, and what should be gone is.
type prober struct {
	f    *fake
	fail map[string]string // customers whose probe fails, and why
}

func (p *prober) Probe(_ context.Context, ask ProbeAsk) (ProbeAnswer, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if why := p.fail[ask.Tenant]; why != "" {
		return ProbeAnswer{Fail, why}, nil
	}
	has := map[string][]string{}
	for id := range p.f.rel {
		if r := p.f.at(id); r.Customer == ask.Tenant && r.Status == statusActive {
			for _, a := range r.as {
				if a.Status == assignActive {
					has[a.Group] = append(has[a.Group], a.Roles...)
				}
			}
		}
	}
	for _, g := range ask.Groups {
		if less := beyond(g.Roles, has[g.ID]); len(less) > 0 {
			return ProbeAnswer{Fail, "missing: " + named(less)}, nil
		}
	}
	for _, x := range ask.Gone {
		if slices.Contains(has[x.Group], x.Role) {
			return ProbeAnswer{Fail, "still there: " + roleName(x.Role)}, nil
		}
	}
	return ProbeAnswer{Pass, "all of it is as it should be"}, nil
}

// rig is a mover over a database and the fake.
type rig struct {
	testing.TB
	*Mover
	f     *fake
	p     *prober
	v     *vault.Vault
	trail *audittest.Recorder
	told  []Invitation
}

func newRig(t testing.TB, d *db.DB, f *fake) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	return rigOf(t, d, f, v)
}

// rigOf is a rig whose vault is open already.
func rigOf(t testing.TB, d *db.DB, f *fake, v *vault.Vault) *rig {
	r := &rig{TB: t, f: f, v: v, p: &prober{f, map[string]string{}}, trail: &audittest.Recorder{}}
	r.Mover = r.another(d, f, nil)
	return r
}

// another is a process of its own over the same database.
func (r *rig) another(d *db.DB, c Cloud, at func(context.Context, string)) *Mover {
	r.Helper()
	m, err := New(Deps{DB: d, Marks: r.v, Record: r.trail, Probe: r.p, Actor: "local:test", Now: r.f.clock, at: at,
		Cloud: func(context.Context, string) (Cloud, error) { return c, nil },
		Tell:  func(_ context.Context, _ string, i Invitation) error { r.told = append(r.told, i); return nil }})
	if err != nil {
		r.Fatal(err)
	}
	return m
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// least recommends roles for each active assignment: those of keep that it has.
func least(inv *delegation.Inventory, sure recommend.Sure, keep ...string) *recommend.Result {
	out := &recommend.Result{}
	for _, c := range inv.Customers {
		for _, x := range c.Relationships {
			for _, a := range x.Assignments {
				it := recommend.Item{Customer: c.Tenant, Relationship: x.ID, Group: a.Group, Granted: a.Roles, Judged: true}
				for _, role := range a.Roles {
					if slices.Contains(keep, role) {
						it.Recommended = append(it.Recommended, role)
					} else {
						it.Dropped = append(it.Dropped, recommend.Dropped{Role: role, Sure: sure, Why: "not used"})
					}
				}
				out.Items = append(out.Items, it)
			}
		}
	}
	return out
}

func (r *rig) plan(inv *delegation.Inventory, res *recommend.Result, change ...func(*Ask)) Plan {
	r.Helper()
	a := &Ask{Cloud: "public", Now: inv.AsOf, Seed: "seed", Inventory: inv, Result: res}
	for _, f := range change {
		f(a)
	}
	p, err := Make(a)
	r.ok(err)
	return p
}

// drive lets time pass until a plan is over, or for so many looks.
func (r *rig) drive(m *Mover, plan string, looks int) Status {
	r.Helper()
	for range looks {
		r.ok(m.Now(r.Context(), plan, false, nil))
		s := r.status(plan)
		if s.State != Running && s.Counts[Cancelling]+s.Counts[Restoring]+s.Counts[Retracting] == 0 {
			return s
		}
		var next time.Time
		for _, x := range s.Moves {
			if !x.Next.IsZero() && (next.IsZero() || x.Next.Before(next)) {
				next = x.Next
			}
		}
		if next.IsZero() {
			return s
		}
		r.f.jump(max(next.Sub(r.f.clock()), time.Second))
	}
	return r.status(plan)
}

func (r *rig) status(plan string) Status {
	r.Helper()
	list, err := r.Status(r.Context(), plan)
	r.ok(err)
	return list[0]
}
