package revoke

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

var start = time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)

// rig is a Store over a database with a vault and a trail.
type rig struct {
	*Store
	db  *db.DB
	now time.Time
}

// lastOf is what the trail says last, as the installation gives it.
func lastOf(tr *trail.Trail) func(context.Context) (map[Said]audit.Action, error) {
	return func(ctx context.Context) (map[Said]audit.Action, error) {
		head, err := tr.Head(ctx)
		if err != nil {
			return nil, err
		}
		out := map[Said]audit.Action{}
		err = tr.Held(ctx, 0, head.Seq, Line, func(e trail.Entry) {
			if s, ok := ReadSaid(&e); ok {
				out[s] = e.Action
			}
		})
		return out, err
	}
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{db: d, now: start}
	now := func() time.Time { return r.now }
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Now: now, Record: tr, Actor: "local:test", Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	if r.Store, err = New(Deps{DB: d, Marks: v, Record: tr, Last: lastOf(tr), Now: now}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) look(t testing.TB) {
	t.Helper()
	if err := r.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := r.db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) revoke(t testing.TB, x Revocation) Revocation {
	t.Helper()
	if x.Why == "" {
		x.Why = "laptop was stolen"
	}
	x, err := r.Revoke(t.Context(), x, "local:ada")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func ada(change func(*gateway.Identity)) *gateway.Identity {
	id := &gateway.Identity{Tenant: "t1", ObjectID: "Ada", App: "app1", Session: "s1", ID: "u1", IssuedAt: start.Unix() - 60}
	if change != nil {
		change(id)
	}
	return id
}

// Each kind revokes whom it names, nobody else, and as long as it says.
func TestRevoked(t *testing.T) {
	t.Parallel()
	later := func(id *gateway.Identity) { id.IssuedAt = start.Unix() + 60 }
	for name, x := range map[string]struct {
		r    Revocation
		id   *gateway.Identity
		at   time.Duration
		want bool
	}{
		"a user":                       {Revocation{Kind: User, Value: "ADA"}, ada(nil), 0, true},
		"another user":                 {Revocation{Kind: User, Value: "bob"}, ada(nil), 0, false},
		"a user of the tenant":         {Revocation{Kind: User, Value: "ada", Tenant: "T1"}, ada(nil), 0, true},
		"a user of another tenant":     {Revocation{Kind: User, Value: "ada", Tenant: "t2"}, ada(nil), 0, false},
		"a user acting for a customer": {Revocation{Kind: User, Value: "ada", Tenant: "t0"}, ada(func(id *gateway.Identity) { id.Home = "t0" }), 0, true},
		"an earlier sign-in":           {Revocation{Kind: User, Value: "ada", Before: start}, ada(nil), 0, true},
		"a later sign-in":              {Revocation{Kind: User, Value: "ada", Before: start}, ada(later), 0, false},
		"of the same second": {Revocation{Kind: User, Value: "ada", Before: start},
			ada(func(id *gateway.Identity) { id.IssuedAt = start.Unix() }), 0, true},
		"a later token of an earlier sign-in": {Revocation{Kind: User, Value: "ada", Before: start}, ada(func(id *gateway.Identity) {
			later(id)
			id.AuthTime = start.Unix() - 1
		}), 0, true},
		"a later sign-in, all revoked": {Revocation{Kind: User, Value: "ada"}, ada(later), 0, true},
		"until":                        {Revocation{Kind: User, Value: "ada", Until: start.Add(time.Hour)}, ada(nil), 59 * time.Minute, true},
		"over":                         {Revocation{Kind: User, Value: "ada", Until: start.Add(time.Hour)}, ada(nil), time.Hour, false},
		"a session":                    {Revocation{Kind: Session, Value: "s1"}, ada(nil), 0, true},
		"another session":              {Revocation{Kind: Session, Value: "s2"}, ada(nil), 0, false},
		"a client":                     {Revocation{Kind: App, Value: "APP1"}, ada(nil), 0, true},
		"an app":                       {Revocation{Kind: App, Value: "app1"}, ada(func(id *gateway.Identity) { id.IsApp = true }), 0, true},
		"a token":                      {Revocation{Kind: Token, Value: "u1"}, ada(nil), 0, true},
		"a session's id as a token":    {Revocation{Kind: Token, Value: "s1"}, ada(nil), 0, false},
		"an app is no user": {Revocation{Kind: User, Value: "ada"}, ada(func(id *gateway.Identity) {
			id.IsApp = true
		}), 0, false},
		"nobody": {Revocation{Kind: User, Value: "bob"}, &gateway.Identity{}, 0, false},
	} {
		x.r.Why = "x"
		if err := x.r.settle(start); err != nil {
			t.Fatal(name, err)
		}
		if got := makeSnapshot([]Revocation{x.r}).revoked(x.id, start.Add(x.at)); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Of whom no later sign-in is taken is blocked: only where the user or the app is revoked
// without a moment before it.
func TestBlocked(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for name, x := range map[string]struct {
		r    Revocation
		want gateway.Reason
	}{
		"what was signed in until now": {Revocation{Kind: User, Value: "ada", Before: start}, gateway.Revoked},
		"a user":                       {Revocation{Kind: User, Value: "ada"}, gateway.Blocked},
		"an app":                       {Revocation{Kind: App, Value: "app1", Until: start.Add(time.Hour)}, gateway.Blocked},
		"a session":                    {Revocation{Kind: Session, Value: "s1"}, gateway.Revoked},
		"a token":                      {Revocation{Kind: Token, Value: "u1"}, gateway.Revoked},
		"another tenant's":             {Revocation{Kind: User, Value: "ada", Tenant: "t2"}, gateway.Passed},
	} {
		r.look(t)
		x.r = r.revoke(t, x.r)
		if got := gateway.Out(r, ada(nil), start); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
		if _, err := r.Unrevoke(t.Context(), x.r.ID, "local:ada"); err != nil || gateway.Out(r, ada(nil), start) != gateway.Passed {
			t.Errorf("%s, taken back: %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Revocation{
		"no kind": {Value: "ada", Why: "x"}, "another kind": {Kind: "group", Value: "ada", Why: "x"}, "nobody": {Kind: User, Value: " ", Why: "x"},
		"no reason": {Kind: User, Value: "ada"}, "a long name": {Kind: User, Value: strings.Repeat("a", 200), Why: "x"},
		"over already": {Kind: User, Value: "ada", Why: "x", Until: start}, "before the future": {Kind: User, Value: "ada", Why: "x",
			Before: start.Add(time.Hour)},
		"two lines": {Kind: User, Value: "ada\nbob", Why: "x"}, "two lines of why": {Kind: User, Value: "ada", Why: "x\ny"},
	} {
		if err := r.settle(start); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Before the first look everybody is revoked: nothing is known.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	if !r.Revoked(ada(nil), start) {
		t.Error("somebody came in before it was known who may not")
	}
	if r.look(t); r.Revoked(ada(nil), start) {
		t.Error("nobody is revoked, and somebody is refused")
	}
	r.revoke(t, Revocation{Kind: User, Value: "ada"})
	if !r.Revoked(ada(nil), start) {
		t.Error("a revocation of this process does not hold at once")
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if err := r.Look(gone); err == nil || !r.Revoked(ada(nil), start) {
		t.Error("what was known does not go on", err)
	}
}

// A revocation holds and is taken back, in other processes too.
func TestStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.look(t)
		x := r.revoke(t, Revocation{Kind: User, Value: "Ada", Tenant: "T1", Before: start, Until: start.Add(time.Hour)})
		r.now = r.now.Add(time.Minute)
		list, err := r.List(t.Context())
		if err != nil || len(list) != 1 || list[0].State(r.now) != "active" || list[0].Refused != "" || !list[0].Before.Equal(start) ||
			list[0].Who != "local:ada" {
			t.Fatalf("%+v %v", list, err)
		}
		if _, err := r.Unrevoke(t.Context(), "gr-none", "local:ada"); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		if x, err = r.Unrevoke(t.Context(), x.ID, "local:bob"); err != nil || x.By != "local:bob" || r.Revoked(ada(nil), r.now) {
			t.Errorf("%+v %v", x, err)
		}
		if _, err := r.Unrevoke(t.Context(), x.ID, "local:bob"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
		r.revoke(t, Revocation{Kind: User, Value: "ada"}) // and again
		if !r.Revoked(ada(nil), r.now) {
			t.Error("revoked again, and let in")
		}
	})
}

// Whoever writes into the database lets nobody in, and has nobody refused.
func TestForged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, forge := range map[string]func(r *rig, t *testing.T, id string){
			"taken away": func(r *rig, t *testing.T, _ string) { r.exec(t, "DELETE FROM gateway_revocations") },
			"ended": func(r *rig, t *testing.T, id string) {
				r.exec(t, "UPDATE gateway_revocations SET ended = 5 WHERE id = $1", id)
			},
			"over": func(r *rig, t *testing.T, id string) {
				r.exec(t, "UPDATE gateway_revocations SET until_at = 5 WHERE id = $1", id)
			},
			"of another": func(r *rig, t *testing.T, id string) {
				r.exec(t, "UPDATE gateway_revocations SET value = 'eve' WHERE id = $1", id)
			},
			"renamed": func(r *rig, t *testing.T, id string) {
				r.exec(t, "UPDATE gateway_revocations SET id = 'gr-x' WHERE id = $1", id)
			},
		} {
			r := newRig(t, dbtest.SQLite(t))
			if d.Dialect == db.Postgres {
				r = newRig(t, dbtest.Postgres(t))
			}
			r.look(t)
			x := r.revoke(t, Revocation{Kind: User, Value: "ada"})
			forge(r, t, x.ID)
			r.look(t)
			if !r.Revoked(ada(nil), r.now) {
				t.Errorf("%s: ada is let in", name)
			}
			if r.Revoked(ada(func(id *gateway.Identity) { id.ObjectID = "eve" }), r.now) {
				t.Errorf("%s: eve is refused", name)
			}
			list, err := r.List(t.Context())
			if err != nil || list[0].Refused == "" && list[len(list)-1].Refused == "" {
				t.Errorf("%s: nobody is told: %+v %v", name, list, err)
			}
			if _, err := r.Unrevoke(t.Context(), x.ID, "local:ada"); err != nil || r.Revoked(ada(nil), r.now) {
				t.Errorf("%s: it cannot be taken back: %v", name, err)
			}
		}
	})
}

// A row put back as it was before it was taken back revokes nobody; one of a row that was
// never written neither.
func TestPutBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.look(t)
	x := r.revoke(t, Revocation{Kind: User, Value: "ada"})
	r.exec(t, "CREATE TABLE others AS SELECT * FROM gateway_revocations")
	if _, err := r.Unrevoke(t.Context(), x.ID, "local:ada"); err != nil {
		t.Fatal(err)
	}
	r.exec(t, "DELETE FROM gateway_revocations")
	r.exec(t, "INSERT INTO gateway_revocations SELECT * FROM others")
	r.look(t)
	if r.Revoked(ada(nil), r.now) {
		t.Error("what was taken back revokes again")
	}
	y := r.revoke(t, Revocation{Kind: App, Value: "app9"})
	r.exec(t, "DELETE FROM others")
	r.exec(t, "INSERT INTO others SELECT * FROM gateway_revocations WHERE id = $1", y.ID)
	if _, err := r.Unrevoke(t.Context(), y.ID, "local:ada"); err != nil {
		t.Fatal(err)
	}
	r.exec(t, "INSERT INTO gateway_revocations (id, kind, value, tenant, before_at, until_at, who, why, made, ended, ended_by, mark) "+
		"SELECT 'gr-new', kind, value, tenant, before_at, until_at, who, why, made, ended, ended_by, mark FROM others")
	r.look(t)
	if r.Revoked(ada(func(id *gateway.Identity) { id.App = "app9" }), r.now) {
		t.Error("a row of nobody's revokes")
	}
}
