package detect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"partnerguard/internal/intake/text"
	"partnerguard/internal/print"
)

// Read says what was read.
type Read struct {
	Files   []File         `json:"files"`
	Usage   int64          `json:"usageLines"`
	Events  int64          `json:"events"`
	Same    int64          `json:"duplicateLines"` // lines of use that came again
	Skipped map[string]int `json:"skipped"`        // records that could not be read, by reason
}

// File is a file that was read, or why not.
type File struct {
	Path    string `json:"path"`
	What    string `json:"what"` // usage, activity, customers
	Records int64  `json:"records"`
	Skipped int64  `json:"skipped,omitempty"`
	Note    string `json:"note,omitempty"`
}

// Limits of what is read.
const (
	maxFiles     = 100_000
	maxDistinct  = 8 << 20 // lines whose like is looked for
	expandRatio  = 200
	expandFloor  = 256 << 20
	maxPageDepth = 6
)

// Reader reads a folder into a detector. It serves one goroutine.
type Reader struct {
	D        *Detector
	Read     Read
	Progress func(done, total int64) // optional: files
	usage    usageReader
	seen     map[uint64]uint8
	inFile   map[uint64]uint8
	plain    []byte
}

// kindOfFile says by a file's path what is in it; "" nothing of ours.
func kindOfFile(name string) string {
	low := strings.ToLower(name)
	base := path.Base(low)
	stem, _, _ := strings.Cut(base, ".")
	switch {
	case !strings.Contains(base, ".json") && !strings.HasSuffix(base, ".gz") && !strings.HasSuffix(base, ".ndjson"):
		return ""
	case stem == "customers":
		return "customers"
	case strings.HasPrefix(stem, "directoryaudit"), strings.HasPrefix(stem, "signin"), strings.HasPrefix(stem, "audit"), strings.HasPrefix(stem, "risk"):
		return "activity"
	case within(low, "usage"), strings.HasPrefix(stem, "usage"), strings.HasPrefix(stem, "dailyrated"):
		return "usage"
	case within(low, "activity"), within(low, "activitylogs"), strings.HasPrefix(stem, "activity"), strings.HasPrefix(stem, "azureactivity"):
		return "activity"
	}
	return ""
}

func within(name, folder string) bool {
	return strings.HasPrefix(name, folder+"/") || strings.Contains(name, "/"+folder+"/")
}

// order is in which order files are read: whose a subscription is comes first.
var order = map[string]int{"customers": 1, "usage": 2, "activity": 3}

// FS reads all files of a folder: usage/*.jsonl[.gz], activity/*.jsonl[.gz], customers.json, and
// the directory's logs where they are beside. What cannot be read is told in Read, never taken
// for nothing; the error is of the context, or of a folder that cannot be walked.
func (r *Reader) FS(ctx context.Context, fsys fs.FS) error {
	type job struct{ name, what string }
	var jobs []job
	more := 0
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		what := kindOfFile(name)
		switch {
		case len(jobs) >= maxFiles:
			more++
		case what == "":
			r.other(name)
		default:
			jobs = append(jobs, job{name, what})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if more > 0 {
		r.Read.Files = append(r.Read.Files, File{Path: ".", Note: strconv.Itoa(more) + " files were not read: there are more than " + strconv.Itoa(maxFiles)})
	}
	sort.SliceStable(jobs, func(i, j int) bool {
		a, b := jobs[i], jobs[j]
		if order[a.what] != order[b.what] {
			return order[a.what] < order[b.what]
		}
		return a.name < b.name
	})
	for i, j := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.file(ctx, fsys, j.name, j.what)
		if r.Progress != nil {
			r.Progress(int64(i+1), int64(len(jobs)))
		}
	}
	return ctx.Err()
}

// maxOther is how many files are named that lie among ours and are not read.
const maxOther = 100

// other names a file that lies among those of use or of logs, and is none that is read: whoever
// exports CSV must not take silence for an answer.
func (r *Reader) other(name string) {
	low := strings.ToLower(name)
	if len(r.Read.Files) >= maxOther || path.Dir(low) == "." || path.Base(low)[0] == '.' {
		return
	}
	if what := kindOfFile(low + ".json"); what != "" && what != "customers" {
		r.Read.Files = append(r.Read.Files, File{Path: print.Clean(name, 200), What: what, Note: "it was not read: its name is not one of JSON or gzip"})
	}
}

// File reads one file of a folder; beside is the name of the folder, which says what is in it
// where the file's own name does not.
func (r *Reader) File(ctx context.Context, fsys fs.FS, name, beside string) error {
	what := kindOfFile(name)
	if what == "" {
		what = kindOfFile(beside + "/" + name)
	}
	if what != "" {
		r.file(ctx, fsys, name, what)
	}
	return ctx.Err()
}

// file reads one file, and accounts for it.
func (r *Reader) file(ctx context.Context, fsys fs.FS, name, what string) {
	f := File{Path: print.Clean(name, 200), What: what}
	defer func() { r.Read.Files = append(r.Read.Files, f) }()
	if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() {
		f.Note = "it is no file" // a pipe or a device, which may never end
		return
	}
	raw, err := fsys.Open(name)
	if err != nil {
		f.Note = "it cannot be opened"
		return
	}
	defer func() { _ = raw.Close() }()
	o, err := text.Open(ctx, raw, text.Limits{Ratio: expandRatio, Floor: expandFloor})
	if err != nil {
		f.Note = "it cannot be read: " + print.Clean(err.Error(), 120)
		return
	}
	defer o.Close()
	switch {
	case o.Binary != "":
		f.Note = "it is no text: " + o.Binary
		return
	case o.Empty:
		f.Note = "it is empty"
		return
	}
	r.inFile = map[uint64]uint8{}
	if err := r.records(ctx, o.UTF8, &f); err != nil && ctx.Err() == nil {
		f.Note = "read until it broke off: " + print.Clean(err.Error(), 120)
	}
	r.inFile = nil
}

// records reads JSON lines, or whatever else of JSON it is.
func (r *Reader) records(ctx context.Context, in *bufio.Reader, f *File) error {
	head, _ := in.Peek(text.SniffLen)
	line, _, whole := bytes.Cut(head, []byte{'\n'})
	line = bytes.TrimSpace(line)
	if len(line) > 0 && line[0] == '{' && (json.Valid(line) || !whole && len(head) == text.SniffLen) && f.What != "customers" && !paged(line) {
		return r.lines(ctx, in, f)
	}
	return r.documents(ctx, text.NewScanner(in, maxRecord), f)
}

// paged reports the beginning of a page of a list.
func paged(line []byte) bool {
	low := bytes.ToLower(line[:min(len(line), 300)])
	return slices.ContainsFunc([]string{`"value":[`, `"value": [`, `"items":[`, `"items": [`, `"records":[`, `"records": [`},
		func(s string) bool { return bytes.Contains(low, []byte(s)) })
}

// lines reads a record a line.
func (r *Reader) lines(ctx context.Context, in *bufio.Reader, f *File) error {
	var long []byte
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		part, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(long) <= maxRecord {
				long = append(long, part...)
			}
			continue
		}
		if len(long) > 0 {
			long = append(long, part[:min(len(part), maxRecord)]...)
			part = long
		}
		if part = bytes.TrimSpace(part); len(part) > 0 && (err == nil || err == io.EOF) {
			r.one(part, f)
		}
		long = long[:0]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// documents reads values behind each other: objects, arrays of them, and pages of lists.
func (r *Reader) documents(ctx context.Context, s *text.Scanner, f *File) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		end, err := s.AtEnd()
		if end || err != nil {
			return err
		}
		if err := r.value(s, f, 0); err != nil {
			s.Drop()
			if se := (*text.SyntaxError)(nil); errors.As(err, &se) && s.NextObject() {
				r.skip(errObject, f)
				continue
			}
			return err
		}
	}
}

// listed are the members that hold a page's records.
var listed = map[string]bool{"value": true, "items": true, "records": true, "data": true, "customers": true, "events": true, "lineitems": true}

// value reads one value of any form.
func (r *Reader) value(s *text.Scanner, f *File, depth int) error {
	c, err := s.Space("a value")
	if err != nil {
		return err
	}
	if c == '[' && depth < maxPageDepth {
		return s.Array(func(byte) error { return r.value(s, f, depth+1) })
	}
	if c != '{' {
		r.skip(errObject, f)
		return s.Value()
	}
	s.Hold()
	page := false
	err = s.Object(func(key string, c byte) (bool, error) {
		if listed[strings.ToLower(key)] && c == '[' {
			page = true
			return false, errPage
		}
		return false, nil
	})
	if page {
		s.Back()
		return s.Object(func(key string, c byte) (bool, error) {
			if listed[strings.ToLower(key)] && c == '[' {
				return true, r.value(s, f, depth+1)
			}
			return false, nil
		})
	}
	if errors.Is(err, text.ErrTooLarge) || err == nil && s.Over() {
		r.skip(errLong, f)
		if err != nil {
			s.Back()
			return s.Value()
		}
		s.Drop()
		return nil
	}
	if err == nil {
		r.plain = append(r.plain[:0], s.Held()...)
		r.one(r.plain, f)
		s.Drop()
	}
	return err
}

var errPage = errors.New("a page")

func (r *Reader) skip(err error, f *File) {
	if r.Read.Skipped == nil {
		r.Read.Skipped = map[string]int{}
	}
	r.Read.Skipped[f.What+": "+err.Error()]++
	f.Skipped++
}

// one takes one record.
func (r *Reader) one(raw []byte, f *File) {
	switch f.What {
	case "usage":
		u, err := r.usage.read(raw)
		if err != nil {
			r.skip(err, f)
			return
		}
		f.Records++
		if r.again(&u, raw) {
			r.Read.Same++
			return
		}
		r.Read.Usage++
		r.D.Usage(&u)
	case "activity":
		e, err := ParseEvent(raw)
		if err != nil {
			r.skip(err, f)
			return
		}
		f.Records++
		r.Read.Events++
		r.D.Activity(&e)
	default:
		c, err := ParseCustomer(raw)
		if err != nil {
			r.skip(err, f)
			return
		}
		f.Records++
		r.D.Customer(c)
	}
}

// again reports a line of use that was exported twice: one that names its resource and is the
// same byte by byte, or one that another file has as often.
func (r *Reader) again(u *Usage, raw []byte) bool {
	h := hash(string(raw))
	if len(r.seen) >= maxDistinct {
		return false
	}
	if r.seen == nil {
		r.seen = map[uint64]uint8{}
	}
	had := r.seen[h]
	if r.usage.row.resource != "" {
		r.seen[h] = 1
		return had > 0
	}
	n := r.inFile[h]
	if n < 255 {
		n++
	}
	r.inFile[h] = n
	r.seen[h] = max(had, n)
	return had >= n
}
