package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// The kinds of findings.
const (
	Changed     = "changed"     // an object has other bytes than were recorded
	Missing     = "missing"     // an object is not there
	Added       = "added"       // an object that nothing recorded
	Row         = "row"         // the database says something else than the trail
	Interrupted = "interrupted" // what a write left that did not end: no fault
	Leftover    = "leftover"    // the object of a segment that policy removed: no fault, it goes with the next cleaning
	Unread      = "unread"      // an object could not be read: not known
)

// Finding is one thing that verifying found.
type Finding struct {
	Kind    string `json:"kind"`
	Segment string `json:"segment,omitempty"`
	Tenant  string `json:"tenant,omitempty"`
	Object  string `json:"object,omitempty"` // its key in the archive's place
	Words   string `json:"words"`
}

// fault reports a finding that says that the archive does not hold.
func (f *Finding) fault() bool { return f.Kind != Interrupted && f.Kind != Leftover }

// Report is what verifying found.
type Report struct {
	Place    string        `json:"place"`
	Segments int           `json:"segments"` // that hold
	Removed  int           `json:"removed"`  // by policy, as the trail says
	Pages    int64         `json:"pages"`
	Bytes    int64         `json:"bytes"` // of objects that were read
	Findings []Finding     `json:"findings,omitempty"`
	More     int           `json:"more,omitempty"` // findings that are not listed
	Faults   int           `json:"faults"`
	Trail    *trail.Report `json:"trail,omitempty"`
	// Rows says that the database was compared too.
	Rows bool `json:"rows"`
}

const maxFindings = 1000

func (r *Report) find(f Finding) {
	if f.fault() {
		r.Faults++
	}
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}

// Err is nil where the archive and the trail hold, else of kind problem.Unmet.
func (r *Report) Err() error {
	if r.Trail != nil {
		if err := r.Trail.Err(); err != nil {
			return err
		}
	}
	if r.Faults == 0 {
		return nil
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.fault() {
			return problem.New(problem.Unmet, "the archive does not hold: %s", f.Words).
				WithHint("keep it and the trail as they are; partnerguard archive restore FROM puts back what a copy has")
		}
	}
	return problem.New(problem.Unmet, "the archive does not hold")
}

// Verifying says how an archive is verified.
type Verifying struct {
	Progress func(done, total int64) // optional: bytes of objects
}

// Verify compares every object with its row and its entry in the trail t, which is
// the archive's own; the caller verifies the trail.
func (a *Archive) Verify(ctx context.Context, t *trail.Trail, o Verifying) (*Report, error) {
	l, err := a.ledger(ctx, t)
	if err != nil {
		return nil, err
	}
	r := &Report{Rows: true}
	// Rows after the trail: a segment that is kept meanwhile is in neither, or is one
	// of the trail that was read too early, which its row says.
	if err := a.rows(ctx, l, r, t); err != nil {
		return nil, err
	}
	left, err := a.pending(ctx, a.Now().AddDate(100, 0, 0))
	if err != nil {
		return nil, err
	}
	pending := map[string]bool{}
	for _, p := range left {
		pending[p.Object] = true
		r.find(Finding{Interrupted, p.Name, "", p.Object, fmt.Sprintf("the writing of the segment %s began at %s and did not end: "+
			"it is under way, or was interrupted", p.Name, p.At.Format("2006-01-02 15:04:05"))})
	}
	p, err := a.at(ctx)
	if err != nil {
		return nil, err
	}
	return r, p.verify(ctx, l, pending, r, o, func(f Finding) (Finding, bool) { return a.again(ctx, t, f) })
}

// again looks once more at an object that did not fit: others keep and remove
// segments while this goes on.
func (a *Archive) again(ctx context.Context, t *trail.Trail, f Finding) (Finding, bool) {
	name := strings.TrimSuffix(path.Base(f.Object), ending)
	s, err := a.Segment(ctx, name)
	if err == nil && s.Object == f.Object {
		if f.Kind == Missing {
			return f, s.Removed.IsZero()
		}
		e, err := t.Entry(ctx, s.Seq)
		return f, err != nil || e.Object != name
	}
	left, err := a.pending(ctx, a.Now().AddDate(100, 0, 0))
	if err != nil || f.Kind == Missing {
		return f, true
	}
	for _, p := range left {
		if p.Object == f.Object {
			f.Kind, f.Segment, f.Words = Interrupted, p.Name, "the segment "+p.Name+" is being written"
		}
	}
	return f, true
}

// VerifyCopy compares a copy of an archive, at an address or in a folder, with what a
// trail says: without a database.
func VerifyCopy(ctx context.Context, at string, l *Ledger, o Verifying) (*Report, error) {
	p, err := openCopy(ctx, at)
	if err != nil {
		return nil, err
	}
	defer p.bucket.Close()
	r := &Report{}
	return r, p.verify(ctx, l, nil, r, o, func(f Finding) (Finding, bool) { return f, true })
}

// openCopy opens a place that is there already.
func openCopy(ctx context.Context, at string) (*place, error) {
	if strings.Contains(at, "://") {
		return openPlace(ctx, at, "")
	}
	if !isDir(at) {
		return nil, problem.New(problem.NotFound, "there is no folder %q", at).WithHint("name the folder that holds segments/, or an address")
	}
	return folder(at)
}

// rows compares the rows with the trail.
func (a *Archive) rows(ctx context.Context, l *Ledger, r *Report, t *trail.Trail) error {
	seen := map[string]bool{}
	var late []Segment
	for s, err := range a.Segments(ctx, Query{}) {
		if err != nil {
			return err
		}
		seen[s.Name] = true
		if l.all[s.Name] == nil {
			late = append(late, s)
			continue
		}
		r.row(l.all[s.Name], &s)
	}
	for _, s := range late { // kept since the trail was read, or by nobody
		e, err := t.Entry(ctx, s.Seq)
		if err == nil && e.Object == s.Name {
			l.Add(&e)
		}
		if rec := l.all[s.Name]; rec != nil {
			r.row(rec, &s)
		} else {
			r.find(Finding{Row, s.Name, s.Tenant, s.Object, "the database has a row of the segment " + s.Name + ", which the trail does not know"})
		}
	}
	for _, name := range l.order {
		if !seen[name] {
			rec := l.all[name]
			words := fmt.Sprintf("the database has no row of the segment %s, which entry %d of the trail kept", name, rec.Seq)
			r.find(Finding{Row, name, rec.Tenant, rec.Object, words})
		}
	}
	for _, name := range l.twice {
		r.find(Finding{Row, name, "", "", "the trail kept the segment " + name + " twice"})
	}
	return nil
}

// row compares one row with its entry.
func (r *Report) row(rec *recorded, s *Segment) {
	what := ""
	switch {
	case s.Seq != rec.Seq:
		what = "its place in the trail"
	case s.Tenant != rec.Tenant:
		what = "its tenant"
	case s.Object != rec.Object:
		what = "where its object lies"
	case s.SHA256 != rec.SHA256 || s.Root != rec.Root:
		what = "its hashes"
	case s.Size != rec.Size || s.Entries != rec.Entries || s.Pages != rec.Pages:
		what = "its size"
	case s.Removed.IsZero() != (rec.removed == 0) || s.Policy != rec.Policy:
		what = "whether policy removed it, or which"
	default:
		says := s.says()
		rec.row = &says
		return
	}
	r.find(Finding{Row, s.Name, s.Tenant, s.Object, fmt.Sprintf("the row of the segment %s says something else than entry %d of the trail: %s",
		s.Name, rec.Seq, what)})
}

// verify goes through the objects, and then through what should be among them.
func (p *place) verify(ctx context.Context, l *Ledger, pending map[string]bool, r *Report, o Verifying, again func(Finding) (Finding, bool)) error {
	r.Place = p.label
	byObject := make(map[string]*recorded, len(l.all))
	var total, done int64
	for _, rec := range l.all {
		byObject[rec.Object] = rec
		if rec.removed == 0 {
			total += rec.Size
		}
	}
	there := map[string]bool{}
	p.unlisted(r)
	list := p.bucket.List(&blob.ListOptions{})
	for {
		obj, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p.failed(err, "listed")
		}
		rec := byObject[obj.Key]
		switch {
		case rec == nil && pending[obj.Key]:
		case rec == nil && half(obj.Key):
			r.find(Finding{Interrupted, "", "", obj.Key, "the file " + obj.Key + " was being written and is not whole: it goes with the next cleaning"})
		case rec == nil:
			f, is := again(Finding{Added, "", "", obj.Key, "the object " + obj.Key + " was recorded by nobody: it was added, or the trail is older than it"})
			if is {
				r.find(f)
			}
		case rec.removed != 0:
			r.find(Finding{Leftover, rec.Name, rec.Tenant, obj.Key, "the object of the segment " + rec.Name + ", which policy removed, is still there"})
			there[obj.Key] = true
		default:
			there[obj.Key] = true
			if err := p.object(ctx, l, rec, obj.Size, r); err != nil {
				return err
			}
			if done += rec.Size; o.Progress != nil {
				o.Progress(done, total)
			}
		}
	}
	for _, name := range l.order {
		rec := l.all[name]
		switch {
		case rec.removed != 0:
			r.Removed++
		case !there[rec.Object]:
			words := fmt.Sprintf("the object of the segment %s is missing: %s, kept by entry %d of the trail", name, rec.Object, rec.Seq)
			f, is := again(Finding{Missing, name, rec.Tenant, rec.Object, words})
			if is {
				r.find(f)
			}
		}
	}
	return nil
}

// unlisted finds the files of a folder that it does not list as objects: those in which
// other programs keep what belongs to one. This one writes none.
func (p *place) unlisted(r *Report) {
	if p.dir == "" {
		return
	}
	_ = filepath.WalkDir(p.dir, func(at string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(at, ".attrs") {
			name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(at, p.dir), string(filepath.Separator)))
			r.find(Finding{Added, "", "", name, "the file " + name + " was recorded by nobody: it was added"})
		}
		return nil //nolint:nilerr // what cannot be listed is said by the list of objects
	})
}

// object reads one object whole and compares it.
func (p *place) object(ctx context.Context, l *Ledger, rec *recorded, size int64, r *Report) error {
	found := func(kind, words string) {
		r.find(Finding{kind, rec.Name, rec.Tenant, rec.Object, "the object of the segment " + rec.Name + " " + words})
	}
	rc, err := p.bucket.NewReader(ctx, rec.Object, nil)
	var n int64
	sum := sha256.New()
	if err == nil {
		n, err = io.Copy(sum, rc)
		_ = rc.Close() // read only
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		found(Unread, "could not be read: whether it was changed is not known")
		return nil
	}
	r.Bytes += n
	if hex.EncodeToString(sum.Sum(nil)) == rec.SHA256 && n == rec.Size {
		if rec.row != nil && !p.says(ctx, rec, size) {
			r.find(Finding{Row, rec.Name, rec.Tenant, rec.Object, "the row of the segment " + rec.Name +
				" says something else than its object: which readings it has a part of, or of when"})
			return nil
		}
		r.Segments++
		r.Pages += int64(rec.Pages)
		return nil
	}
	for _, other := range l.all {
		if other.SHA256 == hex.EncodeToString(sum.Sum(nil)) {
			found(Changed, "was put in its place: it is that of "+other.Name)
			return nil
		}
	}
	found(Changed, p.where(ctx, rec, size))
	return nil
}

// says is what the row of a segment says that its entry in the trail does not: a hash
// of what readings, and of when, are found by.
func (s *Segment) says() [sha256.Size]byte {
	b, err := json.Marshal([]any{s.Pages, s.Bytes, s.First.UnixMicro(), s.Last.UnixMicro(), s.Runs})
	if err != nil {
		return [sha256.Size]byte{} // fits nothing
	}
	return sha256.Sum256(b)
}

// says holds the row of a segment to the manifest of its object, which is whole.
func (p *place) says(ctx context.Context, rec *recorded, size int64) bool {
	rd, err := segment.NewReader(ctx, object{p, rec.Object}, size, rec.Root)
	if err != nil {
		return false
	}
	m := &rd.Manifest
	want := Segment{Pages: m.Pages, Bytes: m.Bytes, First: micro(m.First.UnixMicro()), Last: micro(m.Last.UnixMicro()), Runs: m.Parts}
	return m.Name == rec.Name && m.Tenant == rec.Tenant && want.says() == *rec.row
}

// where finds out what of an object was changed.
func (p *place) where(ctx context.Context, rec *recorded, size int64) string {
	if size != rec.Size {
		return fmt.Sprintf("was changed: it has %d bytes, and %d were recorded", size, rec.Size)
	}
	rd, err := segment.NewReader(ctx, object{p, rec.Object}, size, rec.Root)
	if err != nil {
		return "was changed at its end, where it says what is where: " + words(err)
	}
	last := -1
	for i := range rd.Frames {
		err := rd.Some(ctx, i, i, func(e *segment.Entry) error { last = int(e.Index); return nil })
		if err != nil {
			f := rd.Frames[i]
			return fmt.Sprintf("was changed between bytes %d and %d: entries 0 to %d hold, and %s", f.At, f.At+f.Size-1, last, words(err))
		}
	}
	if len(rd.Frames) > 0 {
		return fmt.Sprintf("was changed outside of its pages, all of which hold: before byte %d, or behind byte %d", rd.Frames[0].At,
			rd.Frames[len(rd.Frames)-1].At+rd.Frames[len(rd.Frames)-1].Size-1)
	}
	return "was changed"
}

func words(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return "it cannot be read"
}
