package otp_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

var now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

// store is one opened by a key file, which costs nothing to open.
func store(t testing.TB) *otp.Store {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		t.Fatal(err)
	}
	return otp.NewStore(filepath.Join(dir, "otp", "own.otp"), vault.NewKeyFile(key))
}

func entry(issuer, account string) factor.Entry {
	return factor.Entry{Issuer: issuer, Account: account, Seed: factor.NewSeed()}
}

func add(t testing.TB, s *otp.Store, e factor.Entry) otp.Entry {
	t.Helper()
	var got otp.Entry
	err := s.Change(t.Context(), true, func(b *otp.Book) (err error) { got, err = b.Add(e, "", now); return err })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := store(t)
	if _, err := s.Open(t.Context()); !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
		t.Fatal(err)
	}
	e := entry("Contoso", "ada@contoso.example")
	add(t, s, e)
	b, err := s.Open(t.Context())
	if err != nil || len(b.Entries) != 1 || !b.Entries[0].Same(e) || b.Entries[0].Name != "Contoso: ada@contoso.example" {
		t.Fatalf("%+v, %v", b, err)
	}
	raw, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{e.Seed.Secret.Reveal(), "ada", "Contoso"} {
		if bytes.Contains(raw, []byte(word)) {
			t.Errorf("the file shows %q", word)
		}
	}
	if info, err := os.Stat(s.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(s.Path())); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	boom := errors.New("boom")
	if err := s.Change(t.Context(), false, func(b *otp.Book) error { b.Entries = nil; return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	if again, err := os.ReadFile(s.Path()); err != nil || !bytes.Equal(again, raw) {
		t.Error("a change that failed changed the file")
	}
}

func TestBook(t *testing.T) {
	t.Parallel()
	var b otp.Book
	one := entry("Contoso", "ada")
	for name, row := range map[string]struct {
		e    factor.Entry
		name string
		kind problem.Kind
	}{
		"the same seed":   {one, "other", problem.Conflict},
		"the same name":   {entry("", ""), "contoso: ADA", problem.Conflict},
		"no name":         {entry("", ""), "", problem.BadInput},
		"a hidden letter": {entry("", ""), "a\u202eb", problem.BadInput},
		"a long name":     {entry("", ""), strings.Repeat("a", 121), problem.BadInput},
		"a counter":       {factor.Entry{Issuer: "x", Counted: true, Seed: factor.NewSeed()}, "", problem.BadInput},
		"no seed":         {factor.Entry{Issuer: "x"}, "", problem.BadInput},
	} {
		if len(b.Entries) == 0 {
			if _, err := b.Add(one, "", now); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Add(row.e, row.name, now); !errors.Is(err, row.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Add(entry("Fabrikam", "ada"), "", now); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]string{"CONTOSO: ada": "Contoso: ada", "fab": "Fabrikam: ada", b.Entries[0].ID: "Contoso: ada"} {
		if e, err := b.Find(word); err != nil || e.Name != want {
			t.Errorf("%q: %q, %v", word, e.Name, err)
		}
	}
	for word, kind := range map[string]problem.Kind{"ada": problem.Usage, "x": problem.NotFound, "": problem.NotFound} {
		if _, err := b.Find(word); !errors.Is(err, kind) {
			t.Errorf("%q: %v", word, err)
		}
	}
	if e, err := b.Remove("fab"); err != nil || e.Name != "Fabrikam: ada" || len(b.Entries) != 1 {
		t.Error(e.Name, err)
	}
}

// TestOwnAlone: a file or folder that others may touch, a link and another thing than
// a file are refused.
func TestOwnAlone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"read by the group":    func(p string) error { return os.Chmod(p, 0o640) },
		"read by all":          func(p string) error { return os.Chmod(p, 0o604) },
		"written by the group": func(p string) error { return os.Chmod(p, 0o620) },
		"a link": func(p string) error {
			return errors.Join(os.Rename(p, p+".real"), os.Symlink(p+".real", p))
		},
		"a folder": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
	} {
		s := store(t)
		add(t, s, entry("Contoso", "ada"))
		if err := spoil(s.Path()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Open(t.Context())
		if !errors.Is(err, problem.Forbidden) && !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Change(t.Context(), true, func(*otp.Book) error { return nil }); err == nil {
			t.Errorf("%s: it is changed", name)
		}
	}
	s := store(t)
	add(t, s, entry("Contoso", "ada"))
	if err := os.Chmod(filepath.Dir(s.Path()), 0o770); err != nil {
		t.Fatal(err)
	}
	if err := s.Change(t.Context(), true, func(*otp.Book) error { return nil }); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a folder that the group writes: %v", err)
	}
}

// TestEveryByteCounts changes each byte of the file in turn: none of them opens, and
// none of the refusals is a panic or a mistake of ours.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	s := store(t)
	add(t, s, entry("Contoso", "ada"))
	good, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(good) - 1 { // the last is the end of the line
		changed := bytes.Clone(good)
		changed[i] ^= 1
		if err := os.WriteFile(s.Path(), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context()); err == nil || errors.Is(err, problem.Internal) {
			t.Errorf("byte %d (%q for %q): %v", i, changed[i], good[i], err)
		}
	}
	for _, n := range []int{0, 1, len(good) / 2, len(good) - 2} {
		if err := os.WriteFile(s.Path(), good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context()); !errors.Is(err, problem.BadInput) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

func prompt(words ...string) (vault.Master, *int) {
	n := 0
	return vault.NewPassphrase(func(context.Context, string, bool) (secret.Text, error) {
		n++
		return secret.New(words[min(n, len(words))-1]), nil
	}), &n
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "own.otp")
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	short, _ := prompt("short")
	err := otp.NewStore(path, short).Change(t.Context(), true, func(*otp.Book) error { return nil })
	if !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" {
		t.Errorf("a short one: %v", err)
	}
	first, asked := prompt("correct horse battery staple")
	s := otp.NewStore(path, first)
	e := entry("Contoso", "ada")
	add(t, s, e)
	wrong, _ := prompt("another horse battery staple")
	_, err = otp.NewStore(path, wrong).Open(t.Context())
	if !errors.Is(err, problem.Unauthenticated) || strings.Contains(err.Error(), "vault") || strings.Contains(problem.HintOf(err), "vault") {
		t.Errorf("a wrong one: %v (%s)", err, problem.HintOf(err))
	}
	second, _ := prompt("entirely different words here")
	if err := s.ChangeKey(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if *asked != 1 {
		t.Errorf("asked %d times", *asked)
	}
	if b, err := s.Open(t.Context()); err != nil || len(b.Entries) != 1 || !b.Entries[0].Same(e) {
		t.Errorf("%+v, %v", b, err)
	}
	again, _ := prompt("correct horse battery staple")
	if _, err := otp.NewStore(path, again).Open(t.Context()); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("the old one: %v", err)
	}
	key := filepath.Join(dir, "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		t.Fatal(err)
	}
	if _, err := otp.NewStore(path, vault.NewKeyFile(key)).Open(t.Context()); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("a key file instead: %v", err)
	}
}

// TestAtOnce: eight that add at the same time all find their place.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	s := store(t)
	add(t, s, entry("first", "x"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := s.Change(t.Context(), true, func(b *otp.Book) error {
				_, err := b.Add(entry(fmt.Sprint("issuer ", i), "x"), "", now)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, err := s.Open(t.Context()); err != nil || len(b.Entries) != 9 {
		t.Errorf("%v, %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(s.Path()), ".otp-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestOathtool holds codes to another implementation's.
func TestOathtool(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("oathtool")
	if err != nil {
		t.Skip("oathtool is not installed")
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890123456789012"))
	for _, a := range []factor.Algorithm{factor.SHA1, factor.SHA256, factor.SHA512} {
		for _, digits := range []int{6, 7, 8} {
			for _, period := range []int{30, 60} {
				e := otp.Entry{Entry: factor.Entry{Seed: factor.Seed{Secret: secret.New(key), Algorithm: a, Digits: digits, Period: period}}}
				var b otp.Book
				got, err := b.Code(e, now.Add(17*time.Second))
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), tool, "--totp="+string(a), "--base32", fmt.Sprint("--digits=", digits),
					fmt.Sprintf("--time-step-size=%ds", period), "--window=1", "--now=2026-11-30 09:00:17 UTC", key).Output()
				if err != nil {
					t.Fatal(err)
				}
				if want := strings.Fields(string(out)); got.Code.Reveal() != want[0] || got.Next.Reveal() != want[1] {
					t.Errorf("%s, %d digits, %d s: %s %s, oathtool has %v", a, digits, period, got.Code.Reveal(), got.Next.Reveal(), want)
				}
				if want := time.Duration(period-17) * time.Second; got.Left != want {
					t.Errorf("left %s", got.Left)
				}
			}
		}
	}
}

func TestPersonName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"ada": true, "ada.lovelace-2": true, "": false, "Ada": false, "../x": false, "a/b": false, "a..b": false,
		".ada": false, "1a": false, strings.Repeat("a", 33): false, "ada\x00": false, "ädä": false} {
		if otp.PersonName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
		if _, err := otp.PersonFile("/f", name); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	s := store(f)
	add(f, s, entry("Contoso", "ada"))
	text, err := os.ReadFile(s.Path())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":"partnerguard-otp-1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if otp.Parse(text) == nil {
			t.Fatalf("%q opens with a key of zeros", text)
		}
	})
}

func FuzzBook(f *testing.F) {
	f.Add([]byte(`{"entries":[{"id":"otp-x","name":"n","added":"2026-01-01T00:00:00Z","secret":"JBSWY3DPEHPK3PXP","algorithm":"SHA1","digits":6,"period":30}],"offsetMs":5}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := otp.Unmarshal(plain)
		if err != nil {
			return
		}
		for _, e := range b.Entries {
			if _, err := b.Code(e, now); err != nil {
				t.Fatal(err)
			}
		}
	})
}
