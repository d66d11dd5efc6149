package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// job is one input to read, or to account for without opening it.
type job struct {
	path  string // as the user named it
	named bool   // by the user, not found in a folder
	size  int64
	mtime time.Time // when it was written; zero where that is not known
	root  string    // the folder that was named, in which it lies
	ends  bool      // it can be read to its end, though its size is not known
	open  func() (io.ReadCloser, error)
	note  string          // why it is not opened
	as    evidence.Status // with note: what becomes of it
}

// Read reads every input named by paths, in order: files, folders (in sorted
// order, to any depth) and "-" for Options.Stdin. It returns one Input for each
// file, whatever became of it, and for a zip archive one for each file in it,
// called archive!file, behind one of its own when not all of it could be read.
//
// The error is about the paths (problem.NotFound, problem.Usage), the context,
// or the sink; what is wrong with a file is a note of its Input. With an error
// the inputs read so far are returned too, but the sink has not seen everything.
func Read(ctx context.Context, o Options, paths []string, sink Sink) ([]evidence.Input, error) {
	w := walk{ctx: ctx, seen: map[string]string{}, apart: o.Apart}
	for _, p := range paths {
		if err := w.named(o, p); err != nil {
			return nil, err
		}
	}
	return run(ctx, o, w.jobs, sink)
}

// ReadFS reads every regular file of fsys, in sorted order. Paths are shown
// with prefix in front.
func ReadFS(ctx context.Context, o Options, fsys fs.FS, prefix string, sink Sink) ([]evidence.Input, error) {
	jobs, err := mounted(fsys, prefix)
	if err != nil {
		return nil, err
	}
	return run(ctx, o, jobs, sink)
}

// mounted lists the files of fsys.
func mounted(fsys fs.FS, prefix string) (jobs []job, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			jobs = append(jobs, job{path: prefix + name, note: "this folder cannot be read", as: evidence.Unreadable})
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		j := job{path: prefix + name, named: true, ends: true, open: func() (io.ReadCloser, error) { return fsys.Open(name) }}
		j.root = prefix
		if info, err := d.Info(); err == nil {
			j.size, j.mtime = info.Size(), info.ModTime()
		}
		jobs = append(jobs, j)
		return nil
	})
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder %q cannot be read", path.Clean(prefix))
	}
	return jobs, nil
}

// run reads the jobs one after the other.
func run(ctx context.Context, o Options, jobs []job, sink Sink) ([]evidence.Input, error) {
	o = o.withDefaults()
	var total, done int64
	for _, j := range jobs {
		total += j.size
	}
	inputs := make([]evidence.Input, 0, len(jobs))
	pages := newPaging()
	said := &dates{now: o.Now}
	defer func() { pages.settle(inputs); said.settle(inputs) }()
	queue := newAhead(sink)
	account := func(f *file, sum string) {
		for _, a := range f.accounts() {
			pages.where[a.number] = len(inputs)
			a.Input.SHA256 = sum
			inputs = append(inputs, a.Input)
		}
	}
	for _, j := range jobs {
		if err := ctx.Err(); err != nil {
			_ = queue.sync()
			return inputs, err
		}
		in := evidence.Input{Path: j.path, Times: o.times(&j)}
		src := evidence.Source{Path: j.path}
		if j.note != "" {
			if err := queue.sync(); err != nil {
				return inputs, err
			}
			in.Bytes, in.Status = j.size, j.as
			in.Add(evidence.Note{Source: src, Message: j.note})
			inputs = append(inputs, in)
			continue
		}
		rc, err := j.open()
		if err != nil {
			if stop := cmp.Or(queue.sync(), ctx.Err()); stop != nil {
				return inputs, stop
			}
			in.Status = evidence.Unreadable
			in.Add(evidence.Note{Source: src, Message: "this file cannot be opened: " + osReason(err)})
			inputs = append(inputs, in)
			continue
		}
		f := &file{ctx: ctx, o: o, sink: sink, in: &in, named: j.named, pages: pages, dates: said, number: pages.input(), ahead: queue}
		if at, ok := rc.(io.ReaderAt); ok && j.size > 0 {
			f.at0, f.size = at, j.size
		}
		c := &meter{r: rc, ends: j.ends, progress: o.Progress, done: done, total: total}
		if o.Hash {
			c.sum = sha256.New()
		}
		f.meter = c
		err = f.read(c)
		sum := c.hash(f.at0, j.size)
		_ = rc.Close() // read only
		in.Bytes = max(c.n, j.size)
		done += in.Bytes
		if f.waiting && err == nil {
			err = queue.push(step{f: f, end: func() error {
				err := f.finish(nil)
				account(f, sum)
				return err
			}})
		} else {
			account(f, sum)
			queue.ended(f)
		}
		if err != nil {
			_ = queue.sync()
			return inputs, err
		}
		if ctx.Err() != nil { // what is read no further is no end of the file
			_ = queue.sync()
			return inputs, ctx.Err()
		}
	}
	err := queue.sync()
	return inputs, err
}

// meter counts the bytes as stored and tells the progress.
type meter struct {
	r           io.Reader
	mu          sync.Mutex // guards n, and is held while progress is told
	n           int64
	progress    func(done, total int64)
	done, total int64
	sum         hash.Hash // nil: not asked for
	ends, ended bool
}

// hash is the SHA-256 of all that is stored: of what was read and of the rest. at
// is where it can be read anew, in any order; "" it could not be read to its end.
func (m *meter) hash(at io.ReaderAt, size int64) string {
	if m.sum == nil || size == 0 && !m.ended && !m.ends { // a pipe that was left need never end
		return ""
	}
	rest := m.r
	if at != nil && m.n != size { // members were read where they lie
		m.sum.Reset()
		rest = io.NewSectionReader(at, 0, size)
	}
	n, err := io.Copy(m.sum, rest)
	if err != nil {
		return ""
	}
	if rest == m.r {
		m.n += n
	}
	return hex.EncodeToString(m.sum.Sum(nil))
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.ended = m.ended || errors.Is(err, io.EOF)
	if m.sum != nil {
		m.sum.Write(p[:n])
	}
	m.count(n)
	return n, err
}

// count adds bytes that were read, by anybody.
func (m *meter) count(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n += int64(n)
	if m.progress != nil && n > 0 {
		m.progress(m.done+m.n, max(m.total, m.done+m.n))
	}
}

// pipeWait is how long a named pipe may be without a writer.
const pipeWait = 30 * time.Second

var errNoWriter = errors.New("nobody writes into it")

// openSpecial opens what is no file, such as a named pipe, whose opening waits
// for somebody at the other end.
func openSpecial(ctx context.Context, p string) (io.ReadCloser, error) {
	return openWithin(ctx, p, pipeWait)
}

func openWithin(ctx context.Context, p string, wait time.Duration) (io.ReadCloser, error) {
	type opened struct {
		f   *os.File
		err error
	}
	ch := make(chan opened, 1)
	late := make(chan struct{})
	go func() {
		f, err := os.Open(p)
		select {
		case <-late: // nobody wants it any more
			if err == nil {
				_ = f.Close()
			}
		default:
			ch <- opened{f, err}
		}
	}()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case o := <-ch:
		if o.err != nil {
			return nil, o.err
		}
		return struct {
			io.Reader
			io.Closer
		}{Bound(ctx, o.f), o.f}, nil
	case <-ctx.Done():
		close(late)
		return nil, ctx.Err()
	case <-t.C:
		close(late)
		return nil, &fs.PathError{Op: "open", Path: p, Err: errNoWriter}
	}
}

// osReason says why the system refused, without paths of the machine.
func osReason(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return "it is gone"
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return "the system refused"
}

// walk gathers the jobs.
type walk struct {
	ctx  context.Context // of the reading: pipes end with it
	jobs []job
	seen map[string]string // resolved path -> the name it was first met under
	root *os.Root          // of the folder that is walked: links do not lead out of it
	top  string            // its path

	apart func(path string) bool // of folders that are left out; may be nil
}

// named adds what the user named.
func (w *walk) named(o Options, p string) error {
	if p == "-" {
		if o.Stdin == nil {
			return problem.New(problem.Usage, "standard input was named but there is none")
		}
		w.jobs = append(w.jobs, job{path: "-", named: true, open: func() (io.ReadCloser, error) { return io.NopCloser(Bound(w.ctx, o.Stdin)), nil }})
		return nil
	}
	if fsys, ok := o.Mounts[p]; ok {
		if _, again := w.seen[p]; again {
			return nil
		}
		w.seen[p] = p
		prefix := p
		if !strings.HasSuffix(p, ":") && !strings.HasSuffix(p, "/") {
			prefix += "/"
		}
		jobs, err := mounted(fsys, prefix)
		w.jobs = append(w.jobs, jobs...)
		return err
	}
	info, err := os.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem.Wrap(err, problem.NotFound, "there is no file or folder %q", p).
			WithHint("check the spelling; name files, folders, or - for standard input")
	case err != nil:
		return problem.Wrap(err, problem.BadInput, "%q cannot be opened: %s", p, osReason(err)).
			WithHint("check who may read it")
	}
	w.add(p, info, true)
	return nil
}

// add adds a file or a folder; info has followed links.
func (w *walk) add(p string, info fs.FileInfo, named bool) {
	mode := info.Mode()
	if !mode.IsRegular() && !mode.IsDir() {
		if named {
			w.jobs = append(w.jobs, job{path: p, named: true, open: func() (io.ReadCloser, error) { return openSpecial(w.ctx, p) }})
		} else {
			w.jobs = append(w.jobs, job{path: p, note: special(mode) + ": not opened unless it is named itself", as: evidence.NotRecognised})
		}
		return
	}
	resolved, err := filepath.EvalSymlinks(p)
	if err == nil {
		resolved, err = filepath.Abs(resolved)
	}
	if err != nil {
		resolved = p
	}
	if first, ok := w.seen[resolved]; ok {
		what := "this file was"
		if mode.IsDir() {
			what = "this folder was"
		}
		w.jobs = append(w.jobs, job{path: p, note: what + " met already as " + first + " and is read once", as: evidence.NotRecognised})
		return
	}
	w.seen[resolved] = p
	if mode.IsRegular() {
		w.jobs = append(w.jobs, job{path: p, named: named, size: info.Size(), mtime: info.ModTime(), root: w.top, open: w.opener(p)})
		return
	}
	w.folder(p, resolved, named)
}

// plain adds a regular file of a folder that is walked, which is no link, so that its
// path follows from the folder's.
func (w *walk) plain(p, resolved string, info fs.FileInfo) {
	rel, err := filepath.Rel(w.top, p)
	if err != nil || w.seen[resolved] != "" {
		w.add(p, info, false)
		return
	}
	w.seen[resolved] = p
	top := w.top
	w.jobs = append(w.jobs, job{path: p, size: info.Size(), mtime: info.ModTime(), root: top, open: func() (io.ReadCloser, error) {
		return os.OpenInRoot(top, rel)
	}})
}

// opener opens a file by its path, or within the folder that is walked: also when
// a link was put in its place since.
func (w *walk) opener(p string) func() (io.ReadCloser, error) {
	top := w.top
	if w.root == nil {
		return func() (io.ReadCloser, error) { return os.Open(p) }
	}
	rel, err := w.within(p)
	return func() (io.ReadCloser, error) {
		if err != nil {
			return nil, err
		}
		return os.OpenInRoot(top, rel)
	}
}

// within gives the path below the folder that is walked. Links with a whole path
// that lead back into it count as leading into it.
func (w *walk) within(p string) (string, error) {
	rel, err := filepath.Rel(w.top, p)
	if err != nil {
		return "", err
	}
	if _, err = w.root.Stat(rel); err == nil {
		return rel, nil
	}
	top, terr := filepath.EvalSymlinks(w.top)
	real, perr := filepath.EvalSymlinks(p)
	if terr != nil || perr != nil {
		return "", err
	}
	if top, terr = filepath.Abs(top); terr != nil {
		return "", err
	}
	if real, perr = filepath.Abs(real); perr != nil {
		return "", err
	}
	if inner, ierr := filepath.Rel(top, real); ierr == nil && filepath.IsLocal(inner) {
		return inner, nil
	}
	return "", err
}

// folder adds what is in a folder, whose path without links is resolved.
func (w *walk) folder(p, resolved string, named bool) {
	if w.root == nil {
		root, err := os.OpenRoot(p)
		if err != nil {
			w.jobs = append(w.jobs, job{path: p, note: "this folder cannot be listed: " + osReason(err), as: evidence.Unreadable})
			return
		}
		w.root, w.top = root, p
		defer func() {
			_ = root.Close()
			w.root, w.top = nil, ""
		}()
	}
	entries, err := os.ReadDir(p)
	for _, e := range entries { // those that could be listed, also with an error
		child := filepath.Join(p, e.Name())
		if e.IsDir() && e.Name() == ".git" {
			w.jobs = append(w.jobs, job{path: child, note: "the inner files of a git repository: not read unless named", as: evidence.NotRecognised})
			continue
		}
		if e.Type().IsRegular() {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				w.plain(child, filepath.Join(resolved, e.Name()), info)
				continue
			}
		}
		info, err := w.stat(child)
		if err != nil {
			note := "this file cannot be read: " + osReason(err)
			if e.Type()&fs.ModeSymlink != 0 {
				note = "this link leads nowhere that can be read: " + osReason(err)
				if _, there := os.Stat(child); there == nil {
					note = "this link leads out of the folder and is not followed: name what it leads to, if it is meant"
				}
			}
			w.jobs = append(w.jobs, job{path: child, note: note, as: evidence.Unreadable})
			continue
		}
		if !info.IsDir() || w.apart == nil || !w.apart(child) {
			w.add(child, info, false)
		}
	}
	if err != nil {
		w.jobs = append(w.jobs, job{path: p, note: "this folder cannot be listed: " + osReason(err), as: evidence.Unreadable})
	} else if named && len(entries) == 0 {
		w.jobs = append(w.jobs, job{path: p, note: "this folder is empty", as: evidence.NotRecognised})
	}
}

// stat follows links within the folder that is walked, and no others.
func (w *walk) stat(p string) (fs.FileInfo, error) {
	rel, err := w.within(p)
	if err != nil {
		return nil, err
	}
	return w.root.Stat(rel)
}

func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
