package vault

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/secret"
)

// life is everything that changes a vault, step by step. It says what it has
// put as soon as that must survive.
func life(ctx context.Context, d *db.DB, v *Vault, next Master, said func(string)) error {
	put := func(owner string) error {
		err := v.Put(ctx, refresh(owner), secret.New("secret of "+owner))
		if err == nil {
			said("has " + owner)
		}
		return err
	}
	reseal := func() error {
		for {
			if p, err := v.Reseal(ctx, 2); err != nil || p.Done {
				return err
			}
		}
	}
	steps := []func() error{
		func() error { return put("a") },
		func() error { return put("b") },
		func() error { return put("c") },
		func() error { return v.Rotate(ctx) },
		func() error { return put("d") },
		reseal,
		func() error { return v.ChangeMaster(ctx, next) },
		func() error { return v.Rotate(ctx) },
		func() error { return put("b") },
		reseal,
		func() error {
			var b bytes.Buffer
			if _, err := v.Backup(ctx, &b, nil); err != nil {
				return err
			}
			again := newVault(d, next, Options{})
			again.spy = v.spy
			_, err := again.restore(ctx, bytes.NewReader(b.Bytes()), true)
			return err
		},
		func() error { return put("e") },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	said("end")
	return nil
}

// lives checks that a vault opens under one of the two keys, holds what it said
// it has, and can go on.
func lives(t *testing.T, d *db.DB, keyA, keyB string, said []string) {
	t.Helper()
	v, err := Open(t.Context(), d, NewKeyFile(keyA), Options{})
	if errors.Is(err, ErrWrongMaster) {
		v, err = Open(t.Context(), d, NewKeyFile(keyB), Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range said {
		if owner, ok := strings.CutPrefix(line, "has "); ok {
			want(t, v, refresh(owner), "secret of "+owner)
		}
	}
	if c, err := v.Check(t.Context(), nil); err != nil || c.Bad != 0 {
		t.Fatalf("%+v %v", c, err)
	}
	resealAll(t, v, 10)
	if err := v.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, p := resealAll(t, v, 10); !p.Retired {
		t.Fatalf("%+v", p)
	}
}

// child lives a life in a process of its own and kills itself before the
// statement that it was told.
func child() {
	ctx := context.Background()
	at, _ := strconv.Atoi(os.Getenv("VAULT_TEST_CHILD"))
	d, err := db.Open(ctx, os.Getenv("VAULT_TEST_DB"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	me, _ := os.FindProcess(os.Getpid())
	var n int
	v := newVault(d, NewKeyFile(os.Getenv("VAULT_TEST_A")), Options{})
	v.spy = func(q querier) querier {
		return hook{q, func(string) error {
			if n++; n == at {
				_ = me.Kill()
				select {}
			}
			return nil
		}}
	}
	if err = v.create(ctx); err == nil {
		_, err = v.load(ctx, v.q())
	}
	if err == nil {
		err = life(ctx, d, v, NewKeyFile(os.Getenv("VAULT_TEST_B")), func(s string) { fmt.Println(s) })
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// A process that is killed before any of its statements leaves a vault that
// opens, with all that was put.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts some eighty processes; the table of failing statements runs")
	}
	for name, where := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "x.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newKey(t), newKey(t)
			step := 1
			if name == "postgres" { // each point takes a database of its own
				step = 3
			}
			for at := 1; ; at += step {
				url := where(t)
				c := exec.Command(os.Args[0])
				c.Env = append(os.Environ(), fmt.Sprint("VAULT_TEST_CHILD=", at), "VAULT_TEST_DB="+url, "VAULT_TEST_A="+a, "VAULT_TEST_B="+b)
				var out bytes.Buffer
				c.Stdout, c.Stderr = &out, &out
				err := c.Run()
				var said []string
				for s := bufio.NewScanner(&out); s.Scan(); {
					said = append(said, s.Text())
				}
				if err == nil {
					if at < 40 {
						t.Errorf("only %d statements: the points are not where they should be", at)
					}
					return // it came to its end
				}
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != -1 {
					t.Fatalf("at %d: %v %q", at, err, said)
				}
				d, err := db.Open(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				lives(t, d, a, b, said)
				_ = d.Close()
				if t.Failed() {
					t.Fatalf("killed before statement %d, after %q", at, said)
				}
			}
		})
	}
}

var errCut = errors.New("the connection is gone")

// The same with statements that fail, and with commits whose answer is lost.
func TestFailingAnywhere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a, b := newKey(t), newKey(t)
		for at := 1; ; at++ {
			for _, text := range []string{`DELETE FROM vault_rows`, `DELETE FROM vault_keyset`} {
				if _, err := d.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			v, err := Open(t.Context(), d, NewKeyFile(a), Options{})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			v.spy = func(q querier) querier {
				return hook{q, func(string) error {
					if n++; n == at {
						return errCut
					}
					return nil
				}}
			}
			var said []string
			err = life(t.Context(), d, v, NewKeyFile(b), func(s string) { said = append(said, s) })
			v.spy = nil
			lives(t, d, a, b, said)
			if _, cerr := v.Check(t.Context(), nil); cerr != nil && !errors.Is(cerr, ErrWrongMaster) {
				t.Errorf("the one whose statement failed does not go on: %v", cerr)
			}
			if t.Failed() {
				t.Fatalf("statement %d failed, after %q: %v", at, said, err)
			}
			if err == nil && n < at {
				if at < 40 {
					t.Errorf("only %d statements", at)
				}
				return
			}
		}
	})
}

// A commit that was done and whose answer was lost: the vault goes on.
func TestLostAnswerToACommit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		put(t, b.Vault, refresh("a"), "a")
		other := reopen(t, d, NewKeyFile(b.key), nil)
		if err := other.Rotate(t.Context()); err != nil { // as if b had sent it and not heard
			t.Fatal(err)
		}
		put(t, b.Vault, refresh("b"), "b")
		want(t, other, refresh("b"), "b")
		k, err := b.load(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		var sealed []byte
		if err := d.QueryRowContext(t.Context(), `SELECT sealed FROM vault_rows WHERE owner = 'b'`).Scan(&sealed); err != nil ||
			!bytes.HasPrefix(sealed, prefix(k.primary)) {
			t.Errorf("sealed under an old key: %v", err)
		}
	})
}
