package sam_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
	"partnerguard/internal/vault/vaulttest"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func store(t testing.TB, d *db.DB) (*sam.Store, *clock) {
	t.Helper()
	c := &clock{at: start}
	return sam.NewStore(d, vaulttest.Open(t, d), c.Now), c
}

func captured(n int) sam.Captured {
	return sam.Captured{
		Model: sam.CSP, Cloud: msapi.Commercial(), Tenant: "11111111-1111-4111-8111-111111111111", Domain: "contoso.com",
		ClientID: "22222222-2222-4222-8222-222222222222", Account: fmt.Sprintf("sam-%d@contoso.com", n),
		ObjectID: fmt.Sprintf("33333333-0000-4000-8000-%012d", n),
		Scopes:   map[string][]string{"https://api.partnercenter.microsoft.com": {"user_impersonation"}},
		Proof:    claim.Verdict{Answer: claim.Proven, Reason: "amr has mfa"},
		AuthTime: start.Add(-time.Minute), At: start, Refresh: secret.New(fmt.Sprintf("first-token-of-%d", n)),
	}
}

func keep(t *testing.T, s *sam.Store, c sam.Captured) sam.Connection {
	t.Helper()
	out, err := s.Keep(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sealedRows(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.QueryRow("SELECT count(*) FROM vault_rows").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func held(t *testing.T, s *sam.Store, id string) (current, previous string, generation int64) {
	t.Helper()
	h, err := s.Token(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return h.Current.Reveal(), h.Previous.Reveal(), h.Generation
}

func TestKeepFindRemove(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		ctx := t.Context()
		a := keep(t, s, captured(1))
		want := sam.Connection{ID: a.ID, Name: "contoso.com", Model: sam.CSP, Cloud: msapi.Commercial(), Tenant: a.Tenant, Domain: "contoso.com",
			ClientID: a.ClientID,
			Account:  "sam-1@contoso.com", ObjectID: a.ObjectID, State: sam.Active, Scopes: captured(1).Scopes, Proof: captured(1).
					Proof, AuthTime: start.Add(-time.Minute),
			ConsentedAt: start, ObtainedAt: start, Generation: 1, RenewAfter: start.Add(sam.RenewEvery)}
		for _, name := range []string{a.ID, "contoso.com", "CONTOSO.com", " contoso.com "} {
			got, err := s.Find(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
		b := keep(t, s, captured(2))
		if b.Name != "contoso.com-2" || b.ID == a.ID {
			t.Errorf("second: %s %s", b.ID, b.Name)
		}
		c := captured(3)
		c.Name = "Contoso.COM"
		if _, err := s.Keep(ctx, c); !errors.Is(err, problem.Usage) {
			t.Errorf("a taken name: %v", err)
		}
		if n := sealedRows(t, d); n != 2 {
			t.Errorf("%d sealed rows: a refused consent left one", n)
		}
		if _, err := s.Find(ctx, "fabrikam"); !errors.Is(err, problem.NotFound) || !strings.Contains(problem.HintOf(err), "contoso.com-2") {
			t.Errorf("%v (%s)", err, problem.HintOf(err))
		}
		list, err := s.List(ctx)
		if err != nil || len(list) != 2 || list[0].ID != a.ID {
			t.Errorf("%v %v", list, err)
		}
		if _, err := s.Remove(ctx, "contoso.com"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(ctx, a.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("after removal: %v", err)
		}
		if n := sealedRows(t, d); n != 1 {
			t.Errorf("%d sealed rows: removal left one", n)
		}
		if _, err := s.Remove(ctx, "contoso.com"); !errors.Is(err, problem.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}

// The same account's consent heals: id and name stay, what was wrong is gone.
// Connections of earlier releases name the public cloud by an older word.
func TestOlderCloudWord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		c := captured(1)
		c.Cloud.Name = "commercial"
		got, err := s.Find(t.Context(), keep(t, s, c).ID)
		if err != nil || got.Cloud.Name != "public" {
			t.Errorf("%q %v", got.Cloud.Name, err)
		}
	})
}

func TestKeepHeals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		first := captured(1)
		first.Name = "main"
		a := keep(t, s, first)
		if _, err := s.Failed(t.Context(), a.ID, sam.Failure{From: 1, State: sam.Rejected, Trouble: sam.Trouble{At: start, Code: 50173},
			Next: start}); err != nil {
			t.Fatal(err)
		}
		clock.jump(time.Hour)
		again := captured(1)
		again.Account, again.ClientID, again.Refresh, again.At = "renamed@contoso.com", strings.ToUpper(again.ClientID), secret.New("second-token"), clock.Now()
		b := keep(t, s, again)
		if b.ID != a.ID || b.Name != "main" || b.State != sam.Active || b.Trouble != nil || b.Generation != 2 || b.Account != "renamed@contoso.com" {
			t.Errorf("%+v", b)
		}
		if cur, prev, gen := held(t, s, a.ID); cur != "second-token" || prev != "" || gen != 2 {
			t.Errorf("%q %q %d", cur, prev, gen)
		}
		if n := sealedRows(t, d); n != 1 {
			t.Errorf("%d sealed rows", n)
		}
		// A renewal that was under way from before does not overwrite it.
		if _, err := s.Renewed(t.Context(), a.ID, sam.Renewal{From: 1, Used: 1, Refresh: secret.New("late"), At: clock.Now()}); !errors.Is(err, sam.ErrMoved) {
			t.Errorf("a late renewal: %v", err)
		}
		if cur, _, _ := held(t, s, a.ID); cur != "second-token" {
			t.Errorf("a late renewal left %q", cur)
		}
	})
}

func TestKeepRefuses(t *testing.T) {
	t.Parallel()
	s, _ := store(t, dbtest.SQLite(t))
	for name, spoil := range map[string]func(*sam.Captured){
		"no token":        func(c *sam.Captured) { c.Refresh = secret.Text{} },
		"long token":      func(c *sam.Captured) { c.Refresh = secret.New(strings.Repeat("x", 65<<10)) },
		"no tenant":       func(c *sam.Captured) { c.Tenant = "" },
		"no account":      func(c *sam.Captured) { c.Account = "" },
		"no client":       func(c *sam.Captured) { c.ClientID = "" },
		"name like an id": func(c *sam.Captured) { c.Name = "c-1" },
		"name like a flag": func(c *sam.Captured) {
			c.Name = "--all"
		},
		"name with a line break": func(c *sam.Captured) { c.Name = "a\nb" },
		"long name":              func(c *sam.Captured) { c.Name = strings.Repeat("n", 101) },
	} {
		c := captured(1)
		spoil(&c)
		if _, err := s.Keep(t.Context(), c); err == nil {
			t.Errorf("%s was kept", name)
		} else if strings.Contains(err.Error(), "xxxxx") {
			t.Errorf("%s: %v shows the token", name, err)
		}
	}
}

// TestGenerations walks the tokens: current and previous, whichever was used.
func TestGenerations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		id := keep(t, s, captured(1)).ID
		renew := func(from, used int64, text string) error {
			_, err := s.Renewed(t.Context(), id, sam.Renewal{From: from, Used: used, Refresh: secret.New(text), At: clock.Now(), Next: clock.Now().
				Add(time.Hour)})
			return err
		}
		check := func(step, wantCur, wantPrev string, wantGen int64, rows int) {
			t.Helper()
			cur, prev, gen := held(t, s, id)
			if cur != wantCur || prev != wantPrev || gen != wantGen {
				t.Errorf("%s: %q %q %d", step, cur, prev, gen)
			}
			if n := sealedRows(t, d); n != rows {
				t.Errorf("%s: %d sealed rows, want %d", step, n, rows)
			}
		}
		if err := renew(1, 1, "two"); err != nil {
			t.Fatal(err)
		}
		check("the used one stays as previous", "two", "first-token-of-1", 2, 2)
		if err := renew(2, 2, "three"); err != nil {
			t.Fatal(err)
		}
		check("the newest was used: the first goes", "three", "two", 3, 2)
		if err := renew(3, 2, "four"); err != nil {
			t.Fatal(err)
		}
		check("the previous was used: the newest, which was refused, goes", "four", "two", 4, 2)
		if err := renew(4, 4, ""); err != nil {
			t.Fatal(err)
		}
		check("no new one came", "four", "", 5, 1)
		if err := renew(5, 4, "x"); err == nil {
			t.Error("a generation that is not kept was taken")
		}
		if err := renew(4, 4, "x"); !errors.Is(err, sam.ErrMoved) {
			t.Errorf("an old fence: %v", err)
		}
		check("after refusals", "four", "", 5, 1)
		c, err := s.Find(t.Context(), id)
		if err != nil || !c.RenewAfter.Equal(clock.Now().Add(time.Hour)) || !c.ObtainedAt.Equal(clock.Now()) {
			t.Errorf("%+v %v", c, err)
		}
	})
}

// A damaged row costs its own connection, and only when no other generation opens.
func TestDamage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		ctx := t.Context()
		a, b := keep(t, s, captured(1)).ID, keep(t, s, captured(2)).ID
		if _, err := s.Renewed(ctx, a, sam.Renewal{From: 1, Used: 1, Refresh: secret.New("two"), At: clock.Now()}); err != nil {
			t.Fatal(err)
		}
		spoil := func(name string) {
			res, err := d.Exec("UPDATE vault_rows SET sealed = $1 WHERE owner = $2 AND name = $3", []byte("nonsense"), a, name)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := res.RowsAffected(); n != 1 {
				t.Fatalf("%d rows spoiled", n)
			}
		}
		spoil("2")
		h, err := s.Token(ctx, a)
		if err != nil || h.Current.Reveal() != "first-token-of-1" || h.Of != 1 || h.Generation != 2 {
			t.Fatalf("the previous one still opens: %+v %v", h, err)
		}
		spoil("1")
		if _, err := s.Token(ctx, a); !errors.Is(err, vault.ErrDamaged) || !strings.Contains(err.Error(), "contoso.com") {
			t.Errorf("%v", err)
		}
		if c, err := s.Find(ctx, a); err != nil || c.State != sam.Damaged || c.Trouble == nil || c.Trouble.Fix == "" {
			t.Errorf("%+v %v", c, err)
		}
		if cur, _, _ := held(t, s, b); cur != "first-token-of-2" {
			t.Errorf("the other one: %q", cur)
		}
		if keep(t, s, captured(1)).State != sam.Active {
			t.Error("a new consent does not heal it")
		}
		held(t, s, a)
		// A record that cannot be read costs its own connection too.
		if _, err := d.Exec("UPDATE connections SET body = '{' WHERE id = $1", a); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(ctx)
		if err != nil || len(list) != 2 || list[0].State != sam.Damaged || list[1].State != sam.Active {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := s.Remove(ctx, a); err != nil {
			t.Error(err)
		}
	})
}

// A backup of the vault is older than the connection: its token is taken up,
// since Entra ID leaves tokens valid when it gives new ones.
func TestRestoredVault(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		ctx := t.Context()
		a, b := keep(t, s, captured(1)).ID, keep(t, s, captured(2)).ID
		renew := func(from, used int64, text string) {
			t.Helper()
			if _, err := s.Renewed(ctx, a, sam.Renewal{From: from, Used: used, Refresh: secret.New(text), At: clock.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		renew(1, 1, "two")
		type sealed struct {
			name string
			box  []byte
		}
		var backup []sealed
		rows, err := d.Query("SELECT name, sealed FROM vault_rows WHERE owner = $1", a)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var x sealed
			if err := rows.Scan(&x.name, &x.box); err != nil {
				t.Fatal(err)
			}
			backup = append(backup, x)
		}
		if err := rows.Close(); err != nil || len(backup) != 2 {
			t.Fatal(len(backup), err)
		}
		for g := int64(2); g < 6; g++ {
			renew(g, g, "later")
		}
		empty := func() {
			t.Helper()
			if _, err := d.Exec("DELETE FROM vault_rows WHERE owner = $1", a); err != nil {
				t.Fatal(err)
			}
		}
		restore := func() {
			t.Helper()
			empty()
			for _, x := range backup {
				if _, err := d.Exec("INSERT INTO vault_rows (purpose, owner, name, sealed, changed) VALUES ($1, $2, $3, $4, 0)", sam.PurposeRefresh, a,
					x.name, x.box); err != nil {
					t.Fatal(err)
				}
			}
		}
		empty()
		if _, err := s.Token(ctx, a); !errors.Is(err, vault.ErrDamaged) {
			t.Fatalf("nothing is there: %v", err)
		}
		restore()
		if _, err := s.Token(ctx, a); !errors.Is(err, sam.ErrRolledBack) {
			t.Fatalf("an older token was used without a word: %v", err)
		}
		if _, err := s.Accept(ctx, a); err != nil {
			t.Fatal(err)
		}
		h, err := s.Token(ctx, a)
		if err != nil || h.Current.Reveal() != "two" || h.Of != 7 || h.Generation != 7 || !h.Previous.IsZero() {
			t.Fatalf("%+v %v", h, err)
		}
		renew(7, 7, "seven")
		if cur, prev, _ := held(t, s, a); cur != "seven" || prev != "two" {
			t.Errorf("%q, before it %q", cur, prev)
		}
		if c, err := s.Find(ctx, a); err != nil || c.State != sam.Active {
			t.Errorf("%v %v", c.State, err)
		}
		var n int
		if err := d.QueryRow("SELECT count(*) FROM vault_rows WHERE owner = $1", a).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d sealed tokens: %v", n, err)
		}
		if cur, _, _ := held(t, s, b); cur != "first-token-of-2" {
			t.Errorf("the other one: %q", cur)
		}
	})
}
