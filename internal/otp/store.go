package otp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Store is one person's file. Several processes may use it at once.
type Store struct {
	path string
	key  vault.Master
}

// NewStore is the file at path, which need not be there yet, opened by key.
func NewStore(path string, key vault.Master) *Store { return &Store{path, key} }

// Folder is where files of one-time passwords are, below the user's data folder.
func Folder(getenv func(string) string) string {
	base := getenv("XDG_DATA_HOME")
	if base == "" {
		home := getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "partnerguard", "otp")
}

// OwnFile is the file of the user of the operating system.
func OwnFile(getenv func(string) string) string { return filepath.Join(Folder(getenv), "own.otp") }

// PersonFile is the file of a person of a shared floor in a folder. Kind
// problem.Usage for what cannot be a person's name: it never leads out of the folder.
func PersonFile(folder, person string) (string, error) {
	if !PersonName(person) {
		return "", problem.New(problem.Usage, "%s is no name of a person here", quote(person)).WithHint("1 to 32 of a-z, 0-9, dot and hyphen, a letter first")
	}
	return filepath.Join(folder, person+".otp"), nil
}

// PersonName says whether a text may name a person's file.
func PersonName(s string) bool {
	if s == "" || len(s) > 32 || s[0] < 'a' || s[0] > 'z' || strings.Contains(s, "..") {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// Path is where the file is.
func (s *Store) Path() string { return s.path }

// There says that the file exists.
func (s *Store) There() bool {
	_, err := os.Lstat(s.path)
	return err == nil
}

// Open opens the file to look. Kind problem.NotFound where there is none,
// problem.Unauthenticated where the key is not its.
func (s *Store) Open(ctx context.Context) (*Book, error) {
	_, b, key, err := s.open(ctx)
	clear(key)
	return b, err
}

func (s *Store) open(ctx context.Context) (f sealedFile, b *Book, key []byte, err error) {
	if f, err = s.read(); err != nil {
		return f, nil, nil, err
	}
	if key, err = s.key.Unwrap(ctx, vaultOf(&f.header), f.slot()); err != nil {
		return f, nil, nil, s.refused(err)
	}
	b, err = f.open(key)
	return f, b, key, s.at(err)
}

func (s *Store) read() (sealedFile, error) {
	text, err := readFile(s.path)
	if err != nil {
		return sealedFile{}, err
	}
	f, err := parse(text)
	return f, s.at(err)
}

// at says of which file an error is.
func (s *Store) at(err error) error {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return problem.Wrap(p.Cause(), p.Kind, "%s: %s", s.path, p.Public).WithHint("%s", p.Hint)
	}
	return err
}

// vaultOf is what binds a wrapped key to its file.
func vaultOf(h *header) string { return format + " " + h.ID }

// refused says in the words of here what the vault's master keys say of vaults.
func (s *Store) refused(err error) error {
	switch {
	case errors.Is(err, vault.ErrWrongMaster):
		if w, ok := errors.AsType[*vault.WrongMaster](err); ok && strings.HasPrefix(w.Want, "passphrase:") == strings.HasPrefix(w.Given, "passphrase:") {
			return problem.Wrap(err, problem.Unauthenticated, "this %s does not open %s", kindOf(w.Want), s.path).
				WithHint("nobody can open the file without the right one; the issuers of the seeds can give new ones")
		} else if ok {
			return problem.Wrap(err, problem.Unauthenticated, "%s opens with a %s, and something else was given", s.path, kindOf(w.Want)).
				WithHint("--key says what opens it")
		}
		return problem.Wrap(err, problem.Unauthenticated, "this does not open %s", s.path)
	case errors.Is(err, vault.ErrDamaged):
		return problem.Wrap(err, problem.BadInput, "%s: somebody or something changed the file", s.path).WithHint("bring a copy of it back")
	}
	return err
}

func kindOf(id string) string {
	if strings.HasPrefix(id, "passphrase:") {
		return "passphrase"
	}
	return "key"
}

// Change opens the file, has change change it, and writes it whole or not at all. With
// make, a file that is not there is made. An error of change leaves all as it was.
func (s *Store) Change(ctx context.Context, make bool, change func(*Book) error) error {
	if make {
		if err := folder(filepath.Dir(s.path)); err != nil {
			return err
		}
	} else if !s.There() {
		_, err := s.read()
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	return locked(s.path, func() error {
		f, b, key, err := s.open(ctx)
		if make && errors.Is(err, problem.NotFound) && !s.There() {
			b, key = &Book{}, token.Bytes(32)
			f.header, err = newHeader(ctx, s.key, key)
		}
		defer clear(key)
		if err != nil {
			return err
		}
		if err := change(b); err != nil {
			return err
		}
		text, err := seal(f.header, key, b)
		if err != nil {
			return err
		}
		return writeFile(s.path, text)
	})
}

// ready has the key asked for while no lock is held: a person may take long. The
// master key remembers it.
func (s *Store) ready(ctx context.Context) error {
	if !s.There() {
		return nil
	}
	_, err := s.Open(ctx)
	return err
}

func newHeader(ctx context.Context, m vault.Master, key []byte) (header, error) {
	h := header{Format: format, ID: token.ID("of")}
	slot, err := m.Wrap(ctx, vaultOf(&h), key)
	h.Kind, h.KeyID, h.Params, h.Wrapped = slot.Kind, slot.ID, slot.Params, slot.Wrapped
	return h, err
}

// ChangeKey has another key open the file from now on. The seeds are sealed anew with
// another random key; copies of the old file still open with the old one.
func (s *Store) ChangeKey(ctx context.Context, to vault.Master) error {
	if _, err := s.read(); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	fresh := token.Bytes(32)
	defer clear(fresh)
	h, err := newHeader(ctx, to, fresh)
	if err != nil {
		return err
	}
	return locked(s.path, func() error {
		_, b, key, err := s.open(ctx)
		clear(key)
		if err != nil {
			return err
		}
		text, err := seal(h, fresh, b)
		if err != nil {
			return err
		}
		if err := writeFile(s.path, text); err != nil {
			return err
		}
		s.key = to
		return nil
	})
}

// quote shows a word of a person's without harm.
func quote(s string) string {
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return fmt.Sprintf("%q", s)
}

func shownWhole(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
