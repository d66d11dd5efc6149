package otp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	sealing "github.com/tink-crypto/tink-go/v2/aead/subtle"

	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// format is the first of its kind. A change of what follows needs another name.
const format = "partnerguard-otp-1"

const maxFile = 4 << 20 // bytes

// header is all of the file that is not sealed. It is bound to what is.
type header struct {
	Format  string `json:"format"`
	ID      string `json:"id"`
	Kind    string `json:"kind"`   // of the key that opens it, as the vault has them
	KeyID   string `json:"keyId"`  // which one
	Params  string `json:"params"` // a passphrase's salt and cost
	Wrapped []byte `json:"wrapped"`
}

type sealedFile struct {
	header
	Sealed []byte `json:"sealed"`
}

func (h *header) slot() vault.Slot {
	return vault.Slot{Kind: h.Kind, ID: h.KeyID, Params: h.Params, Wrapped: h.Wrapped}
}

// seal makes the file of a book.
func seal(h header, key []byte, b *Book) ([]byte, error) {
	plain, err := b.marshal()
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	bound, err := json.Marshal(h)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the file could not be sealed")
	}
	box, err := sealing.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the file could not be sealed")
	}
	f := sealedFile{header: h}
	if f.Sealed, err = box.Encrypt(plain, bound); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the file could not be sealed")
	}
	text, err := json.Marshal(f)
	if err != nil || len(text) > maxFile {
		return nil, problem.Wrap(err, problem.Limit, "the file would be larger than %d MiB", maxFile>>20)
	}
	return append(text, '\n'), nil
}

// parse reads a file's text without opening it. Errors quote nothing of it.
func parse(text []byte) (sealedFile, error) {
	var f sealedFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	if err == nil {
		if _, rest := d.Token(); rest != io.EOF {
			err = errors.New("something follows")
		}
	}
	switch {
	case err != nil, f.Format == "", len(f.Wrapped) == 0, len(f.Sealed) == 0, f.ID == "":
		return f, problem.New(problem.BadInput, "it is no file of one-time passwords, or is cut off").WithHint("bring a copy of it back")
	case f.Format != format:
		return f, problem.New(problem.BadInput, "it is of a form that this version does not know").WithHint("use the version that wrote it, or a newer one")
	}
	// One form alone: a decoder passes over case, spaces and the last bits of base64.
	if one, err := json.Marshal(f); err != nil || !bytes.Equal(one, bytes.TrimSuffix(text, []byte("\n"))) {
		return f, problem.New(problem.BadInput, "it is not written as this program writes it: somebody changed it").WithHint("bring a copy of it back")
	}
	return f, nil
}

// open gives what is sealed.
func (f *sealedFile) open(key []byte) (*Book, error) {
	changed := problem.New(problem.BadInput, "the file does not open with its own key: somebody or something changed it").WithHint("bring a copy of it back")
	bound, err := json.Marshal(f.header)
	if err != nil {
		return nil, changed
	}
	box, err := sealing.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, changed
	}
	plain, err := box.Decrypt(f.Sealed, bound)
	if err != nil {
		return nil, changed
	}
	defer clear(plain)
	return unmarshal(plain)
}

// readFile reads the file at path, which must be its owner's alone.
func readFile(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Wrap(err, problem.NotFound, "there are no one-time passwords at %s", path).WithHint("partnerguard otp add takes the first")
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be looked at%s", path, problem.Reason(err))
	}
	if err := ownAlone(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be opened%s", path, problem.Reason(err))
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || !os.SameFile(now, info) {
		return nil, problem.Wrap(err, problem.Conflict, "%s changed while it was opened", path).WithHint("try again")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", path, problem.Reason(err))
	}
	if len(text) > maxFile {
		return nil, problem.New(problem.Limit, "%s is larger than %d MiB: it is something else", path, maxFile>>20)
	}
	return text, nil
}

// ownAlone refuses a file that is none, that is another's, or that others may touch.
func ownAlone(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return problem.New(problem.BadInput, "%s is no file", path).WithHint("a link is not followed: name the file itself with --file")
	case !ours(info):
		return problem.New(problem.Forbidden, "%s belongs to another user of this machine", path)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return problem.New(problem.Forbidden, "%s may be read or changed by others (mode %04o)", path, info.Mode().Perm()).
			WithHint("chmod 600 %s; and if others were on this machine, change the passphrase: partnerguard otp passphrase", path)
	}
	return nil
}

// writeFile puts text at path whole or not at all, for its owner alone.
func writeFile(path string, text []byte) error {
	bad := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "%s cannot be written%s", path, problem.Reason(err)).WithHint("its folder must be yours; what was there is unchanged")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".otp-*") // 0600
	if err != nil {
		return bad(err)
	}
	temp := f.Name()
	defer os.Remove(temp) // nothing to remove once renamed
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return bad(err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // there a folder cannot be synced
	}
	d, err := os.Open(path)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the folder %s cannot be opened", path)
	}
	return errors.Join(d.Sync(), d.Close())
}

// folder makes the folder of a file, for its owner alone, and refuses one into which
// others may put another file.
func folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return problem.Wrap(err, problem.BadInput, "the folder %s cannot be made%s", path, problem.Reason(err))
	}
	info, err := os.Stat(path)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the folder %s cannot be looked at", path)
	}
	if info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows" {
		return problem.New(problem.Forbidden, "others may write into the folder %s (mode %04o)", path, info.Mode().Perm()).WithHint("chmod 700 %s", path)
	}
	return nil
}

// lockWait is how long a change waits for another one.
const lockWait = 10 * time.Second

// locked runs f while no other process changes the file at path.
func locked(path string, f func() error) error {
	l, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "%s.lock cannot be opened%s", path, problem.Reason(err))
	}
	defer l.Close()
	for until := time.Now().Add(lockWait); ; time.Sleep(20 * time.Millisecond) {
		err := lockFile(l)
		if err == nil {
			return f()
		}
		if !errors.Is(err, errHeld) {
			return problem.Wrap(err, problem.BadInput, "%s.lock cannot be locked", path)
		}
		if time.Now().After(until) {
			return problem.New(problem.Conflict, "another process changes %s", path).WithHint("wait until it has ended, and try again")
		}
	}
}

var errHeld = errors.New("another process has the lock")
