package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const words = "correct horse battery staple"

// answers gives one answer after the other, and counts.
type answers struct {
	list    []string
	asked   int
	confirm []bool
}

func (a *answers) prompt(_ context.Context, _ string, confirm bool) (secret.Text, error) {
	a.confirm = append(a.confirm, confirm)
	if a.asked++; a.asked > len(a.list) {
		return secret.Text{}, errors.New("asked too often")
	}
	return secret.New(a.list[a.asked-1]), nil
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	ctx := t.Context()
	make := &answers{list: []string{words + " é"}}
	v := reopen(t, d, NewPassphrase(make.prompt), nil)
	if diff := cmp.Diff([]bool{true}, make.confirm); diff != "" {
		t.Errorf("a new passphrase is asked for twice:\n%s", diff)
	}
	put(t, v, refresh("a"), "a")
	s, err := readKeyset(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	var c cost
	if err := json.Unmarshal([]byte(s.Slot.Params), &c); err != nil || c.Algorithm != "argon2id" || c.Version != 19 || c.Memory < 64<<10 || c.Time < 3 ||
		len(c.Salt) < 16 {
		t.Errorf("%s: less than the second recommended option of RFC 9106 (%v)", s.Slot.Params, err)
	}
	// Wrong twice, then right, with another composition of the last letter.
	open := &answers{list: []string{"wrong passphrase", "wrong again!!!!", words + " e\u0301"}}
	want(t, reopen(t, d, NewPassphrase(open.prompt), nil), refresh("a"), "a")
	if diff := cmp.Diff([]bool{false, false, false}, open.confirm); diff != "" {
		t.Error(diff)
	}
	never := &answers{list: []string{"wrong one aaaaaa", "wrong one aaaaab", "wrong one aaaaac", words + " é"}}
	_, err = Open(ctx, d, NewPassphrase(never.prompt), Options{})
	if w, ok := errors.AsType[*WrongMaster](err); !ok || w.Want != s.Slot.ID || w.Given == w.Want || never.asked != 3 ||
		strings.Contains(err.Error(), "wrong one") {
		t.Errorf("%v, asked %d times", err, never.asked)
	}
	// Rotating keeps salt and id.
	if err := v.Rotate(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err := readKeyset(ctx, d); err != nil || again.Slot.ID != s.Slot.ID || again.Slot.Params != s.Slot.Params {
		t.Errorf("%+v %v", again.Slot, err)
	}
	// From a file, with the line's end.
	file := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(file, []byte(words+" é\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, reopen(t, d, NewPassphraseFile(file), nil), refresh("a"), "a")
}

// An older cost is told as stale, opens, and rotating renews it.
func TestPassphraseCostIsRenewed(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	ctx := t.Context()
	v := reopen(t, d, NewPassphrase((&answers{list: []string{words}}).prompt), nil)
	put(t, v, refresh("a"), "a")
	if st, err := v.Status(ctx); err != nil || st.Stale {
		t.Errorf("%+v %v", st, err)
	}
	before, _ := readKeyset(ctx, d)
	m := NewPassphrase((&answers{list: []string{words}}).prompt).(*passphrase)
	m.cost = func() cost { c := newCost(); c.Time++; return c }
	v = reopen(t, d, m, nil)
	if st, err := v.Status(ctx); err != nil || !st.Stale {
		t.Errorf("%+v %v", st, err)
	}
	if err := v.Rotate(ctx); err != nil {
		t.Fatal(err)
	}
	after, _ := readKeyset(ctx, d)
	c, err := parseCost(after.Slot.Params)
	if err != nil || c.Time != argonTime+1 || after.Slot.ID == before.Slot.ID {
		t.Errorf("%s %v", after.Slot.Params, err)
	}
	want(t, reopen(t, d, NewPassphrase((&answers{list: []string{words}}).prompt), nil), refresh("a"), "a")
}

func TestPassphrasesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		words string
		kind  problem.Kind
	}{
		"short": {"fourteen chars", problem.BadInput}, "empty": {"\n", problem.BadInput}, "two lines": {words + "\n" + words, problem.BadInput},
		"zero byte": {words + "\x00", problem.BadInput}, "not text": {words + "\xff", problem.BadInput}, "enormous": {strings.Repeat("x", maxPassphrase+1),
			problem.Limit},
	} {
		d := dbtest.SQLite(t)
		_, err := Open(t.Context(), d, NewPassphrase((&answers{list: []string{tt.words}}).prompt), Options{})
		if !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v", name, err)
		}
		if st, _ := Peek(t.Context(), d); st.Exists {
			t.Errorf("%s: a vault was made", name)
		}
	}
}

// A changed cost neither weakens the key nor eats the machine.
func TestHostileCost(t *testing.T) {
	t.Parallel()
	salt := base64.StdEncoding.EncodeToString(make([]byte, 16))
	good := `{"algorithm":"argon2id","version":19,"memoryKiB":65536,"time":3,"threads":4,"salt":"` + salt + `"}`
	if _, err := parseCost(good); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ old, new string }{
		{"argon2id", "argon2i"}, {":19", ":16"}, {"65536", "65535"}, {"65536", "4294967295"}, {"65536", "-1"}, {`"time":3`, `"time":2`},
		{`"time":3`, `"time":65`},
		{`"threads":4`, `"threads":0`}, {`"threads":4`, `"threads":255`}, {salt, "AAAA"}, {salt, base64.StdEncoding.EncodeToString(make([]byte, 65))},
		{"{", "["}, {"}", `,"x":1}`}, {"}", "}{}"}, {good, ""}, {good, strings.Repeat(" ", maxParams) + good},
	} {
		if _, err := parseCost(strings.Replace(good, r.old, r.new, 1)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s -> %s: %v", r.old, r.new, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := newKey(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "\n"+keyWord+" ") || !strings.HasPrefix(string(text), "# Partnerguard") {
		t.Errorf("%v", err)
	}
	if _, err := MakeKeyFile(path); !errors.Is(err, problem.Usage) {
		t.Errorf("made over another: %v", err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(text, again) {
		t.Error("a key file was overwritten")
	}
	d := dbtest.SQLite(t)
	v := reopen(t, d, NewKeyFile(path), nil)
	st, err := v.Status(t.Context())
	if err != nil || !strings.Contains(string(text), st.Master) {
		t.Errorf("the file does not name its id %s (%v)", st.Master, err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), d, NewKeyFile(path), Options{}); !errors.Is(err, problem.BadInput) ||
			!strings.Contains(problem.HintOf(err), "chmod 600") {
			t.Errorf("%o: %v", mode, err)
		}
	}
	if _, err := Open(t.Context(), d, NewKeyFile(path+"x"), Options{}); !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := Open(t.Context(), d, NewKeyFile(t.TempDir()), Options{}); !errors.Is(err, problem.BadInput) {
		t.Errorf("a folder: %v", err)
	}
	// The same key as a systemd credential opens the same vault.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vault"), text, 0o440); err != nil {
		t.Fatal(err)
	}
	m, err := ParseMaster("systemd:vault", Env{LookupEnv: func(string) (string, bool) { return dir, true }})
	if err != nil {
		t.Fatal(err)
	}
	reopen(t, d, m, nil)
}

func TestKeyFileText(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	line := keyWord + " " + base64.RawURLEncoding.EncodeToString(key) + " " + checksum(key)
	for name, text := range map[string]string{
		"as made": string(formatKey(key, "key:x")), "no comment": line, "DOS lines": "\r\n# c\r\n" + line + "\r\n", "indented": "  " + line + "  ",
	} {
		if got, err := parseKey([]byte(text)); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))
	for name, text := range map[string]string{
		"empty": "", "comments only": "# x\n", "twice": line + "\n" + line, "another word": strings.Replace(line, "v1", "v2", 1),
		"no checksum":         line[:len(line)-9],
		"checksum of another": keyWord + " " + other + " " + checksum(key), "cut": line[:40], "short key": keyWord + " AAAA " + checksum([]byte{0, 0, 0}),
		"padding": strings.Replace(line, " "+checksum(key), "= "+checksum(key), 1), "raw bytes": string(key),
		"private key": "-----BEGIN PRIVATE KEY-----\nx\n", "long": strings.Repeat("#\n", maxKeyFile),
	} {
		_, err := parseKey([]byte(text))
		if !errors.Is(err, problem.BadInput) || strings.Contains(fmt.Sprint(err, problem.HintOf(err)), "BwcHBw") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzKeyFile(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 32)
	f.Add(formatKey(key, "key:x"))
	f.Add([]byte("# only\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseKey(text)
		if err == nil && (len(got) != 32 || !bytes.Contains(text, []byte(checksum(got)))) {
			t.Error("a key that is not in the file")
		}
	})
}

func FuzzCost(f *testing.F) {
	f.Add(newCost().text())
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCost(text); err == nil && (c.Memory > maxArgonMemory || c.Memory < argonMemory || c.Time > maxArgonTime || len(c.Salt) < argonSalt) {
			t.Errorf("%+v", c)
		}
	})
}

func TestParseMaster(t *testing.T) {
	t.Parallel()
	e := Env{Prompt: (&answers{}).prompt, LookupEnv: func(n string) (string, bool) { return "/run/cred", n == "CREDENTIALS_DIRECTORY" }}
	for spec, says := range map[string]string{
		"file:/a/b": "key file /a/b", "file:C:\\x": "key file C:\\x", "passphrase": "a passphrase", "passphrase-file:/dev/fd/3": "passphrase file /dev/fd/3",
		"systemd:vault.key": "systemd credential vault.key",
	} {
		if m, err := ParseMaster(spec, e); err != nil || m.Describe() != says {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, spec := range []string{"", "file:", "file", "hunter2hunter2", "passphrase:hunter2hunter2", "systemd:", "systemd:../x", "systemd:a/b", "systemd:.x",
		"azurekeyvault:",
		"azurekeyvault:http://n.vault.azure.net/keys/k", "azurekeyvault:https://n.vault.azure.net.evil.example/keys/k",
		"azurekeyvault:https://evil.example/keys/k", "azurekeyvault:https://u:p@n.vault.azure.net/keys/k",
		"azurekeyvault:https://n.vault.azure.net/secrets/k", "azurekeyvault:https://n.vault.azure.net/keys/",
		"azurekeyvault:https://n.vault.azure.net/keys/k/v/w", "azurekeyvault:https://n.vault.azure.net:444/keys/k",
		"azurekeyvault:https://a.b.vault.azure.net/keys/k", "azurekeyvault:https://.vault.azure.net/keys/k",
		"azurekeyvault:https://n.vault.azure.net/keys/k?x=1", "azurekeyvault:https://n.vault.azure.net/keys/k"} {
		_, err := ParseMaster(spec, e)
		if !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" || strings.Contains(err.Error()+problem.HintOf(err), "hunter2") {
			t.Errorf("%q: %v (%s)", spec, err, problem.HintOf(err))
		}
	}
	for _, spec := range []string{"passphrase", "systemd:x"} {
		if _, err := ParseMaster(spec, Env{LookupEnv: func(string) (string, bool) { return "", false }}); !errors.Is(err, problem.Usage) {
			t.Errorf("%s without what it needs: %v", spec, err)
		}
	}
}

// Another kind of master than the vault's says both.
func TestAnotherKindOfMaster(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	asked := &answers{}
	_, err := Open(t.Context(), d, NewPassphrase(asked.prompt), Options{})
	if w, ok := errors.AsType[*WrongMaster](err); !ok || w.Given != "a passphrase" || !strings.HasPrefix(w.Want, "key:") || asked.asked != 0 {
		t.Errorf("%v, asked %d times", err, asked.asked)
	}
	_ = b
}

// Marked secrets and keys are in no byte of what was written.
func TestNothingIsWrittenInTheClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := db.Open(t.Context(), filepath.Join(dir, "partnerguard.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx := t.Context()
	key := newKey(t)
	var log bytes.Buffer
	rec := &audittest.Recorder{}
	v, err := Open(ctx, d, NewKeyFile(key), Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Record: rec})
	if err != nil {
		t.Fatal(err)
	}
	const mark = "0.AXoA-MARKED-"
	var said []string
	var note func(err error)
	note = func(err error) { // and its causes, which a log sees
		if err == nil {
			return
		}
		said = append(said, fmt.Sprintf("%v %+v %#v", err, err, err), problem.HintOf(err))
		switch e := err.(type) {
		case interface{ Unwrap() []error }:
			for _, c := range e.Unwrap() {
				note(c)
			}
		case interface{ Unwrap() error }:
			note(e.Unwrap())
		}
	}
	for i := range 50 {
		put(t, v, refresh(fmt.Sprint(i)), mark+strings.Repeat(fmt.Sprint(i), 700))
	}
	spoil(t, d, `UPDATE vault_rows SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE owner = '3'`)
	for range 2 {
		_, err = v.Get(ctx, refresh("3"))
		note(err)
	}
	if err := v.Rotate(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := v.BackupFile(ctx, filepath.Join(dir, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	resealAll(t, v, 10)
	pass := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(pass, []byte(words+" MARKED"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := v.ChangeMaster(ctx, NewPassphraseFile(pass)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(ctx, d, NewKeyFile(key), Options{})
	note(err)
	note(v.Put(ctx, refresh("long"), secret.New(mark+strings.Repeat("x", MaxSecret))))
	c, err := v.Check(ctx, nil)
	note(err)
	if err := v.Delete(ctx, refresh("4")); err != nil {
		t.Fatal(err)
	}
	keyText, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := parseKey(keyText)
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string][]byte{"a secret": []byte("MARKED"), "the passphrase": []byte("horse battery"), "the master key": raw,
		"the master key's text": []byte(base64.RawURLEncoding.EncodeToString(raw))}
	// The keyset's key as Tink has it in memory must not be there either.
	for n, e := range []string{base64.StdEncoding.EncodeToString([]byte("MARKED")), fmt.Sprintf("%x", "MARKED")} {
		marks[fmt.Sprint("an encoding ", n)] = []byte(e)
	}
	look := func(where string, text []byte) {
		for name, mark := range marks {
			if bytes.Contains(text, mark) {
				t.Errorf("%s has %s in the clear", where, name)
			}
		}
	}
	files := 0
	err = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		files++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others", path)
		}
		text, err := os.ReadFile(path)
		look(path, text)
		return err
	})
	if err != nil || files < 3 { // database, journal, backup
		t.Errorf("%d files, %v", files, err)
	}
	look("the log", log.Bytes())
	if log.Len() == 0 {
		t.Error("nothing was logged: the search is empty")
	}
	look("errors", []byte(strings.Join(said, "\n")))
	events, _ := json.Marshal(rec.Events())
	look("the trail", events)
	found, _ := json.Marshal(c)
	look("the check", found)
}
