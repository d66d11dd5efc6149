package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// rig is a database with a vault and a trail.
type rig struct {
	d   *db.DB
	v   *vault.Vault
	t   *trail.Trail
	key vault.Master
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	r := &rig{d: d, key: vault.NewKeyFile(path)}
	var err error
	if r.t, err = trail.Open(t.Context(), d, trail.Options{}); err != nil {
		t.Fatal(err)
	}
	if r.v, err = vault.Open(t.Context(), d, r.key, vault.Options{Record: r.t}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) source() Source {
	return Source{DB: r.d, Vault: r.v, Files: map[string][]byte{"settings": []byte("data: /x\n")}, Describe: func(ctx context.Context, m *Manifest) error {
		h, err := r.t.Head(ctx)
		m.Trail = Trail{Entries: h.Seq, Root: h.Hash.String()}
		m.Files = []File{{"settings", "/etc/x"}}
		return err
	}}
}

// act makes an entry of the trail with a sealed secret, together.
func (r *rig) act(ctx context.Context, n int) error {
	return r.d.InTx(ctx, func(ctx context.Context) error {
		if err := r.v.Put(ctx, vault.Ref{Purpose: "test", Owner: fmt.Sprint(n)}, secret.New(fmt.Sprint("secret ", n))); err != nil {
			return err
		}
		return r.t.Record(ctx, audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "local:test", Object: fmt.Sprint(n)})
	})
}

// rows are all rows of the tables that are copied, as text.
func rows(t testing.TB, d *db.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := tables(t.Context(), d, schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tables {
		err := d.Rows(t.Context(), x, func(v []any) error {
			out[x.Name] = append(out[x.Name], fmt.Sprintf("%q", v))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// load reads a backup into an empty database.
func load(ctx context.Context, file string, m vault.Master, to *db.DB) (Backup, error) {
	f, err := Open(file)
	if err != nil {
		return Backup{}, err
	}
	defer f.Close()
	var b Backup
	err = to.InTx(ctx, func(ctx context.Context) (err error) {
		l := &Loader{DB: to}
		b, err = Read(ctx, f, m, l.Sink(ctx))
		return errors.Join(err, l.Close())
	})
	return b, err
}

// TestAcross: each database's backup goes into each, row for row, whatever the
// tables are: there is something in every one.
func TestAcross(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, ctx := newRig(t, d), t.Context()
		for i := range 30 {
			if err := r.act(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		fillAll(t, d)
		if _, err := d.Exec("CREATE TABLE others (at timestamp)"); err != nil { // is left alone
			t.Fatal(err)
		}
		want := rows(t, d)
		file := filepath.Join(t.TempDir(), "b")
		for range 2 { // the second replaces the first
			b, err := WriteFile(ctx, file, r.key, r.source())
			if err != nil || b.Trail.Entries != 31 || len(b.Sums) != len(want)+3 { // two empty tables and a file
				t.Fatalf("%d %d %d %v", b.Trail.Entries, len(b.Sums), len(want), err)
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(raw)
			if b.SHA256 != hex.EncodeToString(sum[:]) || b.Bytes != int64(len(raw)) {
				t.Error("its hash is another")
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Error(info, err)
			}
			for _, word := range []string{"token.issued", "local:test", "data: /x"} {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%q is in the clear", word)
				}
			}
		}
		for name, to := range map[string]*db.DB{"sqlite": dbtest.SQLite(t), "postgres": dbtest.Postgres(t)} {
			if _, err := load(ctx, file, r.key, to); err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(want, rows(t, to)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			tr, err := trail.Open(ctx, to, trail.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if rep, err := tr.Verify(ctx, nil); err != nil || rep.Err() != nil || rep.Entries != 31 {
				t.Errorf("%s: %+v %v", name, rep, err)
			}
			v, err := vault.Open(ctx, to, r.key, vault.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s, err := v.Get(ctx, vault.Ref{Purpose: "test", Owner: "7"}); err != nil || s.Reveal() != "secret 7" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// stateOf are words that a table takes as a state.
var stateOf = map[string]string{"exceptions": "proposed", "alerts": "open", "notify_deliveries": "waiting", "mfa_keys": "signing",
	"delegation_runs": "running", "delegation_moves": "waiting", "fraud_answers": "sent", "contain_runs": "waiting", "contain_steps": "ready",
	"budget_runs": "running", "budget_items": "waiting", "remedy_runs": "running", "remedy_steps": "ready"}

// fillAll puts a row into each table that has none.
func fillAll(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := t.Context()
	tables, err := d.Tables(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tables {
		if n, err := d.Count(ctx, x); err != nil || n > 0 || x.Name == "others" || x.Name == "trail_chain" || x.Name == "trail_tiles" {
			continue // of these only true ones go
		}
		row := make([]any, len(x.Columns))
		for i, c := range x.Columns {
			switch {
			case c.Kind == db.Text && c.Name == "state":
				row[i] = "found" // what is checked, of some tables
				if word := stateOf[x.Name]; word != "" {
					row[i] = word
				}
			case c.Name == "outcome":
				row[i] = "sent"
			case c.Kind == db.Text:
				row[i] = "ä\"\n\u2028 " + c.Name
			case c.Kind == db.Integer:
				row[i] = int64(1)
			default:
				row[i] = []byte{0, 255, 10}
			}
		}
		err := d.InTx(ctx, func(ctx context.Context) error {
			f, err := d.Fill(ctx, x)
			if err != nil {
				return err
			}
			return errors.Join(f.Put(ctx, row), f.Close())
		})
		if err != nil {
			t.Fatal(x.Name, err)
		}
	}
}

// TestBesideWriters: a backup that is taken while others write is of one moment:
// its trail holds, and every entry has the secret it was written with.
func TestBesideWriters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, ctx := newRig(t, d), t.Context()
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		wrote := 0
		for w := range 3 {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					if err := r.act(ctx, w*1_000_000+i); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					wrote++
					mu.Unlock()
				}
			})
		}
		count := func() int { mu.Lock(); defer mu.Unlock(); return wrote }
		for range 5 {
			from := count()
			for count() < from+20 {
				time.Sleep(time.Millisecond)
			}
			before := count()
			file := filepath.Join(t.TempDir(), "b")
			src := r.source()
			describe := src.Describe
			src.Describe = func(ctx context.Context, m *Manifest) error { // the snapshot stands, and they write on
				err := describe(ctx, m)
				for now := count(); count() < now+10; {
					time.Sleep(time.Millisecond)
				}
				return err
			}
			b, err := WriteFile(ctx, file, r.key, src)
			if err != nil {
				t.Fatal(err)
			}
			after := count()
			to := dbtest.SQLite(t)
			if _, err := load(ctx, file, r.key, to); err != nil {
				t.Fatal(err)
			}
			tr, err := trail.Open(ctx, to, trail.Options{})
			if err != nil {
				t.Fatal(err)
			}
			rep, err := tr.Verify(ctx, nil)
			if err != nil || rep.Err() != nil || rep.Head.Seq != b.Trail.Entries || rep.Head.Hash.String() != b.Trail.Root {
				t.Errorf("%+v %v", rep, err)
			}
			secrets, err := to.Count(ctx, db.Table{Name: "vault_rows", Columns: []db.Column{{Name: "purpose", Kind: db.Text}}})
			if err != nil || secrets != b.Trail.Entries-1 || secrets < int64(before) || secrets > int64(after)-10 {
				t.Errorf("%d secrets, %d entries, between %d and %d: %v", secrets, b.Trail.Entries, before, after, err)
			}
		}
		close(stop)
		wg.Wait()
	})
}

// TestNothingHalf: what goes wrong midway leaves no file, and what was there stays.
func TestNothingHalf(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, dbtest.SQLite(t)), t.Context()
	for i := range 10 {
		if err := r.act(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "b")
	if _, err := WriteFile(ctx, file, r.key, r.source()); err != nil {
		t.Fatal(err)
	}
	was, _ := os.ReadFile(file)
	same := func(name string) {
		t.Helper()
		list, _ := os.ReadDir(dir)
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(was, now) || len(list) != 1 {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
	left, live := filepath.Join(dir, unfinished+"left"), filepath.Join(dir, unfinished+"live")
	for _, path := range []string{left, live} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hours := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, hours, hours); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFile(ctx, file, r.key, r.source()); err != nil {
		t.Fatal(err)
	}
	was, _ = os.ReadFile(file)
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed one left stays")
	}
	if err := os.Remove(live); err != nil {
		t.Error("one that another writes just now is gone")
	}
	interrupted, cancel := context.WithCancel(ctx)
	src := r.source()
	describe := src.Describe
	src.Describe = func(ctx context.Context, m *Manifest) error { cancel(); return describe(ctx, m) }
	if _, err := WriteFile(interrupted, file, r.key, src); err == nil {
		t.Error("it was interrupted")
	}
	same("interrupted")
	src.Describe = func(context.Context, *Manifest) error { return errors.New("no") }
	if _, err := WriteFile(ctx, file, r.key, src); !errors.Is(err, problem.BadInput) {
		t.Error(err)
	}
	same("the database fails")
	other := filepath.Join(t.TempDir(), "other")
	if _, err := vault.MakeKeyFile(other); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFile(ctx, file, vault.NewKeyFile(other), r.source()); !errors.Is(err, vault.ErrWrongMaster) {
		t.Errorf("one that this key does not open: %v", err)
	}
	same("it does not open")
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("something else entirely"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFile(ctx, precious, r.key, r.source()); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
	if _, err := WriteFile(ctx, filepath.Join(dir, "no", "b"), r.key, r.source()); err == nil || problem.HintOf(err) == "" {
		t.Error(err)
	}
}
