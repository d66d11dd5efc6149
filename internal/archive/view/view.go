package view

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/archive/segment"
)

// Stored is a segment as a view is made of it.
type Stored struct {
	Name  string
	Seq   int64 // its place among all segments
	Parts []segment.Part
	Gone  bool // policy removed its object
	// Open gives a reader of its own each time.
	Open func(context.Context) (*segment.Reader, error)
}

// Options say what is shown.
type Options struct {
	Tenant string
	AsOf   time.Time // what was answered later is left out; zero: nothing is
	Since  time.Time // of logs, what was answered earlier is left out; zero: nothing is
	// Apart says that the same evidence shows the same files wherever it lies, in an archive
	// or in a pack: its place among all segments is left out.
	Apart bool
}

// List is what the view has of one resource.
type List struct {
	Resource string    `json:"resource"`
	File     string    `json:"file"` // the first of a log's
	Run      string    `json:"run"`  // the reading that is shown; of a log, the newest
	At       time.Time `json:"at"`   // when it was answered
	Whole    bool      `json:"whole"`
	Why      string    `json:"why,omitempty"`
	Refused  string    `json:"refused,omitempty"` // why the newest reading was refused
	Pages    int       `json:"pages"`
	Bytes    int64     `json:"bytes"` // of the pages
}

// View is a moment of the archive as files. Safe for concurrent use; its files are
// each for one goroutine. It implements fs.FS, fs.ReadDirFS and fs.StatFS.
type View struct {
	Tenant   string
	Position string          // names what it was made of: the last segment's place
	Lists    []List          // by resource
	Segments map[string]bool // by name, those that its files are made of
	// Runs are the readings that say what is in it: a view of these alone, up to the same
	// moment, has the same files.
	Runs map[string]bool

	ctx    context.Context
	files  []file // sorted by name
	traced traces
}

// file is a file that is made when it is read.
type file struct {
	name  string
	at    time.Time
	bytes int64 // about
	make  func(context.Context, *sink) error
	runs  []string // that it is made of
}

// Manifest is the file that says when the others were answered. An export of the
// archive has it, and intake heeds it.
const Manifest = "archive-view.json"

// At is when a file was answered; zero for one that is not there.
func (v *View) At(name string) time.Time {
	if f := v.find(name); f != nil {
		return f.at
	}
	return time.Time{}
}

// About is how large a file will be, about.
func (v *View) About(name string) int64 {
	if f := v.find(name); f != nil {
		return f.bytes
	}
	return 0
}

// RunsOf are the readings that a file is made of; nil for one that is of none.
func (v *View) RunsOf(name string) []string {
	if f := v.find(name); f != nil {
		return f.runs
	}
	return nil
}

// Names are the files, sorted.
func (v *View) Names() (out []string) {
	for i := range v.files {
		out = append(out, v.files[i].name)
	}
	return out
}

func (v *View) find(name string) *file {
	i, ok := slices.BinarySearchFunc(v.files, name, func(f file, name string) int { return strings.Compare(f.name, name) })
	if !ok {
		return nil
	}
	return &v.files[i]
}

// Tell adds a file with a text that is no page of the archive's, before anything of the
// view is read.
func (v *View) Tell(name string, text []byte) {
	v.files = append(v.files, file{name: name, at: v.At(Manifest), bytes: int64(len(text)),
		make: func(_ context.Context, s *sink) error { s.put(text); return s.over }})
	slices.SortFunc(v.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
}

// New makes a view of segments, in the order of their places. Its files are read
// with ctx.
func New(ctx context.Context, o Options, stored iter.Seq2[Stored, error]) (*View, error) {
	v := &View{Tenant: o.Tenant, ctx: ctx, Segments: map[string]bool{}, Runs: map[string]bool{}}
	b := builder{o: o, runs: map[string]*run{}, resources: map[string][]*run{}}
	var seq int64
	for s, err := range stored {
		if err != nil {
			return nil, err
		}
		seq = max(seq, s.Seq)
		b.take(s)
	}
	v.Position = strconv.FormatInt(seq, 10)
	names := make([]string, 0, len(b.resources))
	for name := range b.resources {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := b.resource(ctx, v, name); err != nil {
			return nil, err
		}
	}
	v.settle(o)
	return v, nil
}

// settle sorts the files and writes the manifest.
func (v *View) settle(o Options) {
	type dated struct {
		At time.Time `json:"at"`
	}
	m := struct {
		View     string           `json:"archiveView"`
		Tenant   string           `json:"tenant"`
		AsOf     time.Time        `json:"asOf,omitzero"`
		Position string           `json:"position"`
		Files    map[string]dated `json:"files"`
		Lists    []List           `json:"lists"`
	}{"partnerguard", o.Tenant, o.AsOf, v.Position, map[string]dated{}, v.Lists}
	if o.Apart {
		m.Position = "0"
	}
	var newest time.Time
	for _, f := range v.files {
		m.Files[f.name] = dated{f.at}
		if f.at.After(newest) {
			newest = f.at
		}
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		panic(err) // it is of texts, times and numbers
	}
	v.files = append(v.files, file{name: Manifest, at: newest, bytes: int64(len(text)),
		make: func(_ context.Context, s *sink) error { s.put(text, []byte{'\n'}); return nil }})
	slices.SortFunc(v.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
}

// Open implements fs.FS.
func (v *View) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if f := v.find(name); f != nil {
		return newStream(v.ctx, f), nil
	}
	entries, err := v.ReadDir(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &folder{info{name: name, dir: true}, entries}, nil
}

// Stat implements fs.StatFS: it makes no file.
func (v *View) Stat(name string) (fs.FileInfo, error) {
	if f := v.find(name); f != nil {
		return info{name: name, at: f.at}, nil
	}
	if _, err := v.ReadDir(name); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info{name: name, dir: true}, nil
}

// ReadDir implements fs.ReadDirFS.
func (v *View) ReadDir(name string) ([]fs.DirEntry, error) {
	prefix := name + "/"
	if name == "." {
		prefix = ""
	}
	var out []fs.DirEntry
	for i := range v.files {
		rest, ok := strings.CutPrefix(v.files[i].name, prefix)
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		e := info{name: prefix + first, dir: deeper}
		if !deeper {
			e.at = v.files[i].at
		}
		if n := len(out); n == 0 || out[n-1].Name() != first {
			out = append(out, fs.FileInfoToDirEntry(e))
		}
	}
	if len(out) == 0 && name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return out, nil
}

// info is a file or a folder. How large a file is is known once it was made.
type info struct {
	name string
	at   time.Time
	dir  bool
}

func (i info) Name() string       { return path.Base(i.name) }
func (i info) Size() int64        { return 0 }
func (i info) ModTime() time.Time { return i.at }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o500
	}
	return 0o400
}

// folder is an open folder.
type folder struct {
	info
	rest []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		out := f.rest
		f.rest = nil
		return out, nil
	}
	if len(f.rest) == 0 {
		return nil, io.EOF
	}
	out := f.rest[:min(n, len(f.rest))]
	f.rest = f.rest[len(out):]
	return out, nil
}

// later compares runs by when they ended, then by name.
func later(a, b *run) int {
	return cmp.Or(a.ended().Compare(b.ended()), strings.Compare(a.id, b.id))
}
