package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// The text of a key file: comments, then one line with a word that says what it
// is, the key in base64url, and the first bytes of a checksum in hex, which
// tells a mistyped or cut key from a wrong one.
const (
	keyWord    = "partnerguard-vault-key-v1"
	maxKeyFile = 4 << 10
)

// fileKey is a master key that is read from a file when it is first needed.
type fileKey struct {
	path    string
	says    string
	strict  bool // only its owner may read it
	missing string

	once sync.Mutex // guards key
	key  *local
}

// NewKeyFile is the master key in the file at path, made by [MakeKeyFile]. It is
// read when it is first needed, and refused when others may read it.
func NewKeyFile(path string) Master {
	return &fileKey{path: path, says: "key file " + path, strict: true,
		missing: "without the setting masterKey it is looked for beside the configuration, which --config names: say where it is with " +
			"--master-key file:PATH, or bring it back; for a vault that does not exist yet partnerguard vault key --out FILE makes one"}
}

// NewCredential is the master key in the systemd credential of that name, in
// dir, which systemd names in CREDENTIALS_DIRECTORY. The credential has the text
// of a key file.
func NewCredential(dir, name string) (Master, error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00") {
		return nil, problem.New(problem.Usage, "%q is not the name of a systemd credential", name).
			WithHint("it is the name before the colon in LoadCredential=NAME:PATH")
	}
	if dir == "" {
		return nil, problem.New(problem.Usage, "there are no systemd credentials here: CREDENTIALS_DIRECTORY is not set").
			WithHint("start partnerguard from a unit with LoadCredentialEncrypted=%s:/etc/credstore.encrypted/%s", name, name)
	}
	return &fileKey{path: filepath.Join(dir, name), says: "systemd credential " + name,
		missing: "the unit needs LoadCredential= or LoadCredentialEncrypted= with this name"}, nil
}

// MakeKeyFile makes a random master key in a new file, for its owner alone, and
// gives its id. A file that is there is never touched.
func MakeKeyFile(path string) (id string, err error) {
	key := token.Bytes(32)
	defer clear(key)
	l, err := newLocal(kindKey, key)
	if err != nil {
		return "", err
	}
	defer clear(l.kek)
	text := formatKey(key, l.id)
	defer clear(text)
	// Written whole under another name first: whoever starts at the same moment
	// sees no key file or all of it.
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // 0600
	if err != nil {
		return "", problem.Wrap(err, problem.BadInput, "the key file %s cannot be made", path).WithHint("its folder must exist and be yours")
	}
	temp := f.Name()
	defer os.Remove(temp)
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(temp, path) // which never overwrites
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return "", problem.Wrap(err, problem.Usage, "%s exists, and a key file is never overwritten", path).WithHint("name another file")
	case err != nil:
		return "", problem.Wrap(err, problem.Limit, "the key file %s cannot be written", path).
			WithHint("its folder must be on a file system with hard links; or make it elsewhere with partnerguard vault key, and copy it")
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", problem.Wrap(err, problem.Limit, "the key file %s cannot be written", path)
	}
	return l.id, nil
}

func formatKey(key []byte, id string) []byte {
	var b bytes.Buffer
	b.WriteString("# Partnerguard: the master key of a vault, " + id +
		"\n# Whoever has it can open the vault; without it nobody can. Keep a copy apart from the database.\n")
	b.WriteString(keyWord + " " + base64.RawURLEncoding.EncodeToString(key) + " " + checksum(key) + "\n")
	return b.Bytes()
}

func checksum(key []byte) string {
	sum := sha256.Sum256(append([]byte("partnerguard vault key checksum 1 "), key...))
	return hex.EncodeToString(sum[:4])
}

// parseKey reads the text of a key file. Errors never quote it.
func parseKey(text []byte) ([]byte, error) {
	bad := func(why string) error {
		return problem.New(problem.BadInput, "it is not a key file: %s", why).WithHint("a key file has a line that begins with %s", keyWord)
	}
	if len(text) > maxKeyFile {
		return nil, bad("it is too long")
	}
	var key []byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		words := bytes.Fields(line)
		switch {
		case key != nil:
			return nil, bad("it has more than one line that is no comment")
		case len(words) != 3 || string(words[0]) != keyWord:
			return nil, bad("its line does not read " + keyWord + " KEY CHECKSUM")
		}
		key = make([]byte, base64.RawURLEncoding.DecodedLen(len(words[1])))
		n, err := base64.RawURLEncoding.Strict().Decode(key, words[1])
		if err != nil || n != 32 {
			return nil, bad("its key is not 32 bytes in base64url")
		}
		if subtle.ConstantTimeCompare([]byte(checksum(key)), words[2]) != 1 {
			return nil, bad("its checksum does not fit: the key was mistyped or cut")
		}
	}
	if key == nil {
		return nil, bad("it has no key")
	}
	return key, nil
}

func (f *fileKey) Describe() string { return f.says }

// open reads the key once.
func (f *fileKey) open() (*local, error) {
	f.once.Lock()
	defer f.once.Unlock()
	if f.key != nil {
		return f.key, nil
	}
	text, err := readSecretFile(f.path, f.says, f.missing, f.strict)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	key, err := parseKey(text)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the %s cannot be used: %s", f.says, err).WithHint("%s", problem.HintOf(err))
	}
	defer clear(key)
	f.key, err = newLocal(kindKey, key)
	return f.key, err
}

func (f *fileKey) Wrap(_ context.Context, vault string, key []byte) (Slot, error) {
	l, err := f.open()
	if err != nil {
		return Slot{}, err
	}
	return l.wrap(kindKey, "{}", vault, key)
}

func (f *fileKey) Unwrap(_ context.Context, vault string, s Slot) ([]byte, error) {
	l, err := f.open()
	if err != nil {
		return nil, err
	}
	if s.Kind != kindKey || !l.is(s.ID) {
		return nil, wrongMaster(s, l.id, f)
	}
	return l.unwrap(vault, s)
}

func (f *fileKey) Stale(Slot) bool { return false }

// readSecretFile reads a small file that holds a secret. Strict refuses one that
// others than its owner may touch.
func readSecretFile(path, says, missing string, strict bool) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Wrap(err, problem.NotFound, "the %s does not exist", says).WithHint("%s", missing)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the %s cannot be opened", says).WithHint("it must be readable by the user who runs partnerguard")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return nil, problem.Wrap(err, problem.BadInput, "the %s is not a file", says)
	}
	if strict && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, problem.New(problem.BadInput, "the %s may be read or changed by others (mode %04o)", says, info.Mode().Perm()).
			WithHint("chmod 600 %s; and if others were on this machine, change the master key", path)
	}
	text := make([]byte, 0, maxKeyFile+1)
	for len(text) < cap(text) {
		n, err := file.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			clear(text)
			return nil, problem.Wrap(err, problem.BadInput, "the %s cannot be read", says)
		}
	}
	clear(text)
	return nil, problem.New(problem.BadInput, "the %s is longer than %d bytes: it is something else", says, maxKeyFile)
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // there a folder cannot be synced
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
