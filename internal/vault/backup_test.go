package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		const n = 130
		for i := range n {
			put(t, b.Vault, refresh(fmt.Sprint(i)), fmt.Sprint("marked ", i))
		}
		if err := b.Rotate(ctx); err != nil { // in the middle of a rotation
			t.Fatal(err)
		}
		if _, err := b.Reseal(ctx, 20); err != nil {
			t.Fatal(err)
		}
		x := sealedAt(t, d, refresh("7"))
		x[len(x)-1] ^= 1
		spoil(t, d, `UPDATE vault_rows SET sealed = $1 WHERE owner = '7'`, x)
		path := filepath.Join(t.TempDir(), "b")
		var told int64
		for range 2 { // the second replaces the first
			got, err := b.BackupFile(ctx, path, func(done, of int64) { told = done })
			if err != nil || got.Rows != n || got.Damaged != 1 || told != n {
				t.Fatalf("%+v %v", got, err)
			}
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
			t.Errorf("%d files left", len(names))
		}
		if len(b.book.Of(audit.VaultBackedUp)) != 2 {
			t.Error("not recorded")
		}

		// Into another, empty database of the other or the same kind.
		for name, to := range map[string]*db.DB{"sqlite": dbtest.SQLite(t), "postgres": dbtest.Postgres(t)} {
			fresh := &audittest.Recorder{}
			got, err := RestoreFile(ctx, to, path, NewKeyFile(b.key), Options{Record: fresh}, false)
			if err != nil || got.Rows != n || got.Damaged != 1 || got.Removed != 0 || len(fresh.Of(audit.VaultRestored)) != 1 {
				t.Fatalf("%s: %+v %v", name, got, err)
			}
			v := reopen(t, to, NewKeyFile(b.key), nil)
			for i := range n {
				if i != 7 {
					want(t, v, refresh(fmt.Sprint(i)), fmt.Sprint("marked ", i))
				}
			}
			c, err := v.Check(ctx, nil)
			if err != nil || c.Rows != n || c.Bad != 1 || c.Damaged[0].Ref != refresh("7") {
				t.Errorf("%s: %+v %v", name, c, err)
			}
		}

		// Back into itself, while it is open: only when asked to replace.
		put(t, b.Vault, refresh("later"), "later")
		before := dump(t, d)
		if _, err := RestoreFile(ctx, d, path, NewKeyFile(b.key), Options{}, false); !errors.Is(err, problem.Usage) {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Error(diff)
		}
		resealAll(t, b.Vault, 1000)
		if err := b.Delete(ctx, refresh("7")); err != nil {
			t.Fatal(err)
		}
		resealAll(t, b.Vault, 1000) // the keys of the backup are gone here
		got, err := RestoreFile(ctx, d, path, NewKeyFile(b.key), Options{}, true)
		if err != nil || got.Removed != n {
			t.Fatalf("%+v %v", got, err)
		}
		want(t, b.Vault, refresh("8"), "marked 8") // the open vault notices
		put(t, b.Vault, refresh("8"), "newer")
		want(t, reopen(t, d, NewKeyFile(b.key), nil), refresh("8"), "newer")
		if _, err := b.Get(ctx, refresh("later")); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
	})
}

func TestBackupDoesNotOverwriteOtherFiles(t *testing.T) {
	t.Parallel()
	b := lend(t, dbtest.SQLite(t))
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("something else entirely"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.BackupFile(t.Context(), path, nil); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "something else entirely" {
		t.Error("it was overwritten")
	}
	if _, err := b.BackupFile(t.Context(), filepath.Join(t.TempDir(), "no", "such", "b"), nil); err == nil || problem.HintOf(err) == "" {
		t.Error(err)
	}
}

// Every change of a backup is found, and changes nothing.
func TestTamperedBackup(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	ctx := t.Context()
	for _, o := range []string{"a", "b", "c"} {
		put(t, b.Vault, refresh(o), o)
	}
	var whole bytes.Buffer
	if _, err := b.Backup(ctx, &whole, nil); err != nil {
		t.Fatal(err)
	}
	good := whole.Bytes()
	to := dbtest.SQLite(t)
	keeper := lend(t, to)
	put(t, keeper.Vault, refresh("mine"), "mine")
	before := dump(t, to)
	restore := func(text []byte) error {
		_, err := Restore(ctx, to, bytes.NewReader(text), NewKeyFile(b.key), Options{}, true)
		return err
	}
	for i := range good { // each byte in turn
		bad := bytes.Clone(good)
		bad[i] ^= 0x20
		if err := restore(bad); err == nil {
			t.Fatalf("byte %d of %d changed, and it restored", i, len(good))
		}
	}
	for _, n := range []int{0, 1, len(backupLine), len(good) / 2, len(good) - 1} {
		if err := restore(good[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	rows := bytes.Split(good[len(backupLine):], []byte("refresh-token"))
	swapped := bytes.Join([][]byte{good[:len(backupLine)], rows[0], []byte("refresh-token"), rows[2], []byte("refresh-token"), rows[1],
		[]byte("refresh-token"), rows[3]}, nil)
	for name, text := range map[string][]byte{
		"a byte more": append(bytes.Clone(good), 0), "twice": append(bytes.Clone(good), good...), "rows in another order": swapped,
		"not a backup": []byte("SQLite format 3\x00 and so on and on"),
		"newer":        []byte("partnerguard vault backup 2\n"),
	} {
		if err := restore(text); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Restore(ctx, to, bytes.NewReader(good), NewKeyFile(keeper.key), Options{}, true)
	if !errors.Is(err, ErrWrongMaster) {
		t.Errorf("wrong key: %v", err)
	}
	if diff := cmp.Diff(before, dump(t, to)); diff != "" {
		t.Errorf("a refused backup changed the vault:\n%s", diff)
	}
	if err := restore(good); err != nil {
		t.Fatal(err)
	}
	want(t, reopen(t, to, NewKeyFile(b.key), nil), refresh("b"), "b")
}

// changing gives other bytes when it is read the second time.
type changing struct {
	*bytes.Reader
	second []byte
	seeks  int
}

func (c *changing) Seek(int64, int) (int64, error) {
	c.seeks++
	c.Reader = bytes.NewReader(c.second)
	return 0, nil
}

func TestBackupThatChangesUnderTheReader(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "a")
	var one, two bytes.Buffer
	if _, err := b.Backup(t.Context(), &one, nil); err != nil {
		t.Fatal(err)
	}
	put(t, b.Vault, refresh("a"), "b")
	if _, err := b.Backup(t.Context(), &two, nil); err != nil {
		t.Fatal(err)
	}
	before := dump(t, d)
	_, err := Restore(t.Context(), d, &changing{Reader: bytes.NewReader(one.Bytes()), second: two.Bytes()}, NewKeyFile(b.key), Options{}, true)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "while it was read") {
		t.Error(err)
	}
	if diff := cmp.Diff(before, dump(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		for i := range 150 {
			put(t, b.Vault, refresh(fmt.Sprintf("%03d", i)), "s")
		}
		spoil(t, d, `UPDATE vault_rows SET sealed = $1 WHERE owner IN ('010', '149')`, []byte("nonsense"))
		var last, of int64
		c, err := b.Check(t.Context(), func(done, n int64) { last, of = done, n })
		want := Check{Rows: 150, Bad: 2, Damaged: []Trouble{{refresh("010"), "it is cut short"}, {refresh("149"), "it is cut short"}}}
		if diff := cmp.Diff(want, c); err != nil || diff != "" || last != 150 || of != 150 {
			t.Errorf("%v %d/%d\n%s", err, last, of, diff)
		}
		if n := len(b.book.Of(audit.VaultDamaged)); n != 2 {
			t.Errorf("%d recorded", n)
		}
		st, err := Peek(t.Context(), d)
		if err != nil || !st.Exists || !strings.HasPrefix(st.Master, "key:") || len(st.Secrets) != 1 || st.Secrets[0] != (Count{"refresh-token", 150}) {
			t.Errorf("%+v %v", st, err)
		}
	})
}

func FuzzBackup(f *testing.F) {
	d := dbtest.SQLite(f)
	b := lend(f, d)
	put(f, b.Vault, refresh("a"), "a")
	var whole bytes.Buffer
	if _, err := b.Backup(f.Context(), &whole, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte(backupLine))
	f.Add([]byte(backupLine + "K\x00\x00\x00\x02{}R\xff\xff\xff\xff"))
	m := NewKeyFile(b.key)
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := verify(t.Context(), bytes.NewReader(text), m); err == nil && !bytes.Equal(text, whole.Bytes()) {
			t.Error("a backup that nobody made was taken")
		}
		_, _, _, _ = readBackup(bytes.NewReader(text), func(header) error { return nil }, func(r row) error {
			if again, ok := decodeRow(encodeRow(r)); !ok || again.Ref != r.Ref || !bytes.Equal(again.sealed, r.sealed) || again.changed != r.changed {
				t.Error("a row does not come back as it was written")
			}
			return nil
		})
	})
}

func FuzzOpenRow(f *testing.F) {
	b := lend(f, dbtest.SQLite(f))
	k := b.cached()
	r := refresh("a")
	sealed, err := k.seal(r, []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:overhead])
	f.Add(prefix(k.primary))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := k.open(r, text); err == nil && !bytes.Equal(text, sealed) {
			t.Error("a row that nobody sealed opened")
		}
	})
}
