package db

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Holder is the process that works a database in a file: the one whose jobs it
// runs.
type Holder struct {
	What  string    `json:"what"` // "serve", "worker"
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// String says it in a line; what comes from the file is quoted.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another partnerguard, which does not say who it is"
	}
	return fmt.Sprintf("partnerguard %.40q, process %d on %.80q, since %s", h.What, h.PID, h.Host, h.Since.UTC().Format(time.DateTime)+" UTC")
}

// errHeld says that a lock is another's.
var errHeld = errors.New("held")

// maxHolder bounds what is read of a lock file.
const maxHolder = 4 << 10

// Hold takes the place of the one process that works the database at where, until
// release or its end, however that comes: the lock is the system's and ends with it,
// so a file that a crash left is taken over. PostgreSQL takes any number, and
// nothing is held there. Kind problem.Conflict, with who it is, where another holds
// it.
//
// It is taken before the database is opened, so that nobody puts another one into
// its place between the two.
func Hold(where, what string, now time.Time) (release func() error, err error) {
	if strings.Contains(where, "://") {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(filepath.Dir(where), 0o700); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder of the database %s cannot be made%s", where, problem.Reason(err))
	}
	path := lockPath(where)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be opened%s", path, problem.Reason(err)).
			WithHint("it says which process works the database, and must be yours")
	}
	// Whoever asks who holds it has it for a moment.
	for end := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = lockFile(f, true); !errors.Is(err, errHeld) || time.Now().After(end) {
			break
		}
	}
	if errors.Is(err, errHeld) {
		by := readHolder(f)
		_ = f.Close()
		return nil, problem.Wrap(err, problem.Conflict, "the database %s is worked by %s", where, by).
			WithHint("one process works a database in a file: stop that one; or keep the data in PostgreSQL (the setting database), which any number share")
	}
	if err != nil {
		_ = f.Close()
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be locked%s", path, problem.Reason(err)).
			WithHint("its file system must know locks; --data names another folder")
	}
	host, _ := os.Hostname()
	raw, err := json.Marshal(Holder{What: what, PID: os.Getpid(), Host: cmp.Or(host, "?"), Since: now.UTC().Truncate(time.Second)})
	if err == nil {
		err = errors.Join(f.Truncate(0), writeAt(f, append(raw, '\n')))
	}
	if err != nil {
		_ = f.Close()
		return nil, problem.Wrap(err, problem.Limit, "%s cannot be written%s", path, problem.Reason(err))
	}
	// The file stays: one that is removed could be locked by two under one name.
	return func() error { return errors.Join(f.Truncate(0), f.Close()) }, nil
}

func writeAt(f *os.File, b []byte) error {
	_, err := f.WriteAt(b, 0)
	return err
}

// HeldBy says which process works the database at where; nil is none. Of PostgreSQL
// it knows nothing.
func HeldBy(where string) (*Holder, error) {
	if strings.Contains(where, "://") {
		return nil, nil
	}
	f, err := os.Open(lockPath(where))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", lockPath(where), problem.Reason(err))
	}
	defer f.Close() // and with it the lock
	err = lockFile(f, false)
	if errors.Is(err, errHeld) {
		h := readHolder(f)
		return &h, nil
	}
	return nil, err
}

// readHolder reads who it is; what cannot be read is nobody known.
func readHolder(f *os.File) (h Holder) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil || json.Unmarshal(b, &h) != nil || h.PID < 0 {
		return Holder{}
	}
	return h
}

// lockPath is beside the file itself, by whatever link it was named.
func lockPath(where string) string {
	if abs, err := filepath.Abs(where); err == nil {
		where = abs
	}
	if real, err := filepath.EvalSymlinks(where); err == nil {
		where = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(where)); err == nil {
		where = filepath.Join(dir, filepath.Base(where))
	}
	return where + ".lock"
}
