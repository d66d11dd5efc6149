package anchor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// line is one line of a file of checkpoints, and the message to a syslog server.
type line struct {
	Form  string    `json:"form"`
	At    time.Time `json:"at"`              // when it was sent, as the sender said
	Note  string    `json:"note"`            // the signed checkpoint (C2SP signed-note)
	Token []byte    `json:"token,omitempty"` // a time stamp of it (RFC 3161)
}

const (
	form    = "partnerguard-checkpoint-1"
	maxLine = 64 << 10
	maxFile = 1 << 30
)

func (l line) bytes() ([]byte, error) {
	b, err := json.Marshal(l)
	return append(b, '\n'), err
}

func parseLine(raw []byte) (l line, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil || d.More() || l.Form != form {
		return l, problem.New(problem.BadInput, "it is no line of checkpoints")
	}
	return l, nil
}

// File keeps checkpoints in a file that is only ever appended to. It is worth as
// much as the difference between who may write it and who may write the
// database: put it on another machine's disk, append-only where that can be had.
type File struct {
	path  string
	every time.Duration
}

// NewFile names the file at path, which is made when it is first needed.
func NewFile(path string, every time.Duration) *File { return &File{path, every} }

// Name is file: and the path.
func (f *File) Name() string { return "file:" + f.path }

// Every is how often it gets a checkpoint.
func (f *File) Every() time.Duration { return f.every }

// Send looks whether what the file holds last fits the trail, and appends the
// checkpoint; it is on the disk when nil is returned.
func (f *File) Send(_ context.Context, s *trail.Sending) ([]byte, error) {
	return nil, appendLine(f.path, s, line{Form: form, At: s.At.UTC(), Note: string(s.Note)})
}

// appendLine checks the newest line of a file against the trail, and appends.
func appendLine(path string, s *trail.Sending, l line) error {
	raw, err := l.bytes()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the checkpoint could not be written")
	}
	if i, err := os.Lstat(path); err == nil && i.Mode()&(fs.ModeNamedPipe|fs.ModeDevice|fs.ModeSocket|fs.ModeDir) != 0 {
		return problem.New(problem.BadInput, "the file of checkpoints %s is no file", path)
	}
	out, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the file of checkpoints %s cannot be opened: %s", path, reason(err))
	}
	defer out.Close()
	size, last, err := newest(out)
	if err != nil {
		return err
	}
	switch {
	case size == 0 && s.Known > 0:
		return problem.New(problem.Conflict, "the file of checkpoints %s took one of %d entries and is empty: it was cut or replaced", path, s.Known)
	case size > 0:
		held, err := trail.OpenNote([]byte(last.Note), s.By)
		if held.Origin != s.Origin && held.Origin != "" {
			return s.Fits(held)
		}
		if err != nil {
			return problem.New(problem.Conflict, "the last line of the file of checkpoints %s was changed: %s", path, err)
		}
		if held.Size < s.Known {
			return problem.New(problem.Conflict,
				"the file of checkpoints %s took one of %d entries and ends with one of %d: it was cut or replaced", path, s.Known, held.Size)
		}
		if err := s.Fits(held); err != nil {
			return err
		}
	}
	if _, err = out.Write(raw); err == nil {
		err = out.Sync()
	}
	if err == nil && size == 0 {
		err = syncDir(path)
	}
	if err != nil {
		// Half a line would make every later one unreadable. Where the file may
		// only grow this fails, and verify names the line.
		_ = out.Truncate(size)
		return problem.Wrap(err, problem.BadInput, "the file of checkpoints %s cannot be written: %s", path, reason(err))
	}
	return nil
}

// newest reads the last line of a file of checkpoints.
func newest(f *os.File) (size int64, last line, err error) {
	i, err := f.Stat()
	if err != nil || !i.Mode().IsRegular() {
		return 0, last, problem.New(problem.BadInput, "the file of checkpoints %s is no file", f.Name())
	}
	if size = i.Size(); size == 0 {
		return 0, last, nil
	}
	begin := max(0, size-2*maxLine)
	tail := make([]byte, size-begin)
	if _, err := f.ReadAt(tail, begin); err != nil && !errors.Is(err, io.EOF) {
		return 0, last, problem.Wrap(err, problem.BadInput, "the file of checkpoints %s cannot be read: %s", f.Name(), reason(err))
	}
	whole, ok := bytes.CutSuffix(tail, []byte{'\n'})
	if ok {
		last, err = parseLine(whole[bytes.LastIndexByte(whole, '\n')+1:])
	}
	if !ok || err != nil {
		return 0, last, problem.New(problem.Conflict, "the last line of the file of checkpoints %s is none: it was changed, or half written", f.Name())
	}
	return size, last, nil
}

// Held reads the whole file.
func (f *File) Held(ctx context.Context, known []note.Verifier, _ []trail.Kept, each func(trail.Mark) error) error {
	in, err := openRegular(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	return readLines(ctx, in, func(n int, l line, err error) error {
		if err != nil {
			return each(trail.Mark{Bad: fmt.Sprintf("its line %d cannot be read: it was changed, or half written", n)})
		}
		m := mark([]byte(l.Note), known)
		if m.Bad != "" {
			m.Bad = fmt.Sprintf("its line %d: %s", n, m.Bad)
		}
		return each(m)
	})
}

// mark checks a note's signature by one of the known verifiers.
func mark(raw []byte, known []note.Verifier) trail.Mark {
	c, err := trail.PeekNote(raw)
	if err != nil {
		return trail.Mark{Bad: err.Error()}
	}
	m := trail.Mark{Checkpoint: c, Unsigned: len(known) == 0}
	for _, v := range known {
		if v.Name() != c.Origin {
			continue
		}
		if _, err = trail.OpenNote(raw, v); err == nil {
			return m
		}
		m.Bad = err.Error() + ": it was changed, or signed by another key"
	}
	return m // of another origin, which the trail refuses by itself
}

// Checkpoints reads checkpoints that somebody kept: lines of a file of checkpoints,
// for example out of a syslog server, a note itself, or a saved mail of [Mail].
func Checkpoints(ctx context.Context, r io.Reader, known []note.Verifier, each func(trail.Mark) error) error {
	br := bufio.NewReader(io.LimitReader(r, maxFile))
	first, err := br.Peek(1)
	if err != nil {
		return problem.New(problem.BadInput, "no checkpoint is in it")
	}
	if first[0] != '{' {
		raw, err := io.ReadAll(io.LimitReader(br, maxMail))
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "it cannot be read")
		}
		return saved(raw, known, each)
	}
	return readLines(ctx, br, func(n int, l line, err error) error {
		if err != nil {
			return each(trail.Mark{Bad: fmt.Sprintf("line %d is no checkpoint", n)})
		}
		return each(mark([]byte(l.Note), known))
	})
}

func readLines(ctx context.Context, r io.Reader, each func(n int, l line, err error) error) error {
	s := bufio.NewScanner(io.LimitReader(r, maxFile))
	s.Buffer(make([]byte, 4096), maxLine)
	for n := 1; s.Scan(); n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l, err := parseLine(s.Bytes())
		if err := each(n, l, err); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return each(0, line{}, s.Err())
	}
	if s.Err() != nil {
		return problem.Wrap(s.Err(), problem.BadInput, "the checkpoints cannot be read: %s", reason(s.Err()))
	}
	return nil
}

func openRegular(path string) (*os.File, error) {
	i, err := os.Stat(path)
	if err == nil && !i.Mode().IsRegular() {
		return nil, problem.New(problem.BadInput, "%s is no file", path)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s cannot be read: %s", path, reason(err))
	}
	return f, nil
}

// reason is what may be said of an error of the file system.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return "it failed"
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
