package segment

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/problem"
)

// frameRaw is how much is compressed together: small answers are thousands, and
// alike.
const frameRaw = 128 << 10

// entry is a line before a page, or of a run's end.
type entry struct {
	Page *pageLine `json:"page,omitempty"`
	Run  *Run      `json:"run,omitempty"`
}

type pageLine struct {
	Page
	Bytes  int64  `json:"bytes"`
	Packed int64  `json:"packed,omitempty"` // bytes of a large body as it is kept, compressed by itself
	SHA256 string `json:"sha256"`           // of the body, of a large one as it is kept
}

// Writer writes a segment. For one goroutine.
type Writer struct {
	w       io.Writer
	zstd    *zstd.Encoder
	sum     hash.Hash
	at      int64 // bytes written
	raw     []byte
	entries int // in raw
	out     []byte
	packed  []byte // a large page, compressed
	m       Manifest
	tree    Tree
	leaves  []byte
	parts   map[string]int
	err     error // the first; nothing is written after it
}

// encoder compresses for all writers: its tables are larger than most segments.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false)) // the frames have hashes
	if err != nil {
		panic(err) // of wrong options
	}
	return enc
})

// NewWriter begins a segment on w.
func NewWriter(w io.Writer, name, tenant string, made time.Time) (*Writer, error) {
	if !IsName(name) {
		return nil, problem.New(problem.BadInput, "%.80q is no segment's name", name)
	}
	if !IsTenant(tenant) {
		return nil, problem.New(problem.BadInput, "%.80q is no tenant's id", tenant)
	}
	enc := encoder()
	s := &Writer{w: w, zstd: enc, sum: sha256.New(), parts: map[string]int{}}
	s.m = Manifest{Format: Format, Name: name, Tenant: tenant, Frames: []Frame{}, Parts: []Part{}}
	head, err := encode(Header{Format, name, tenant, made.UTC()})
	if err != nil {
		return nil, err
	}
	s.write(skip([]byte(headMagic)))
	s.write(enc.EncodeAll(append(head, '\n'), nil))
	return s, s.err
}

func (s *Writer) write(b []byte) {
	if s.err != nil {
		return
	}
	if _, s.err = s.w.Write(b); s.err == nil {
		s.sum.Write(b)
		s.at += int64(len(b))
	}
}

// Size is how many bytes were written and wait to be.
func (s *Writer) Size() int64 { return s.at + int64(len(s.raw)) }

// Pages is how many pages were added.
func (s *Writer) Pages() int { return s.m.Pages }

// Empty says that nothing was added.
func (s *Writer) Empty() bool { return s.tree.Size() == 0 }

// Page adds a page. What is refused leaves the segment as it was; what could not
// be written ends it.
func (s *Writer) Page(p *Page) error {
	if s.err != nil {
		return s.err
	}
	if err := p.Check(); err != nil {
		return err
	}
	line := pageLine{Page: *p, Bytes: int64(len(p.Body))}
	kept := p.Body
	if len(p.Body) >= frameRaw {
		// What is kept of a large page is hashed, not what it came of: hashing costs a
		// third of compressing, and the one gives the other.
		s.packed = s.zstd.EncodeAll(p.Body, s.packed[:0])
		kept, line.Packed = s.packed, int64(len(s.packed))
	}
	sum := sha256.Sum256(kept)
	line.SHA256 = hex.EncodeToString(sum[:])
	line.From, line.To, line.At = p.From.UTC(), p.To.UTC(), p.At.UTC()
	i, err := s.entry(entry{Page: &line}, p.Body, p.Tenant, p.Run, p.Resource)
	if err != nil {
		return err
	}
	part := &s.m.Parts[i]
	if part.Pages == 0 {
		part.Number = p.Number
	}
	part.Pages++
	part.Bytes += line.Bytes
	s.m.Pages++
	s.m.Bytes += line.Bytes
	widen(&part.First, &part.Last, line.At)
	widen(&s.m.First, &s.m.Last, line.At)
	if len(p.Body) >= frameRaw {
		return s.flushLarge(len(p.Body), sum)
	}
	return s.flush(frameRaw)
}

func widen(first, last *time.Time, at time.Time) {
	if first.IsZero() || at.Before(*first) {
		*first = at
	}
	if at.After(*last) {
		*last = at
	}
}

// Run adds the end of a run.
func (s *Writer) Run(r *Run) error {
	if s.err != nil {
		return s.err
	}
	if err := r.Check(); err != nil {
		return err
	}
	run := *r
	run.From, run.To, run.Began, run.Ended = r.From.UTC(), r.To.UTC(), r.Began.UTC(), r.Ended.UTC()
	i, err := s.entry(entry{Run: &run}, nil, r.Tenant, r.ID, r.Resource)
	if err != nil {
		return err
	}
	s.m.Parts[i].End = &run
	widen(&s.m.First, &s.m.Last, run.Ended)
	return s.flush(frameRaw)
}

// entry adds a line and what follows it, and gives the index of its part.
func (s *Writer) entry(e entry, body []byte, tenant, run, resource string) (int, error) {
	i, known := s.parts[run]
	switch {
	case tenant != s.m.Tenant:
		return 0, problem.New(problem.Internal, "a page of the tenant %s does not go into a segment of %s", tenant, s.m.Tenant)
	case s.tree.Size() == MaxEntries || s.at > MaxBytes-2*MaxBody:
		return 0, problem.New(problem.Limit, "the segment takes no more: commit it first")
	case known && s.m.Parts[i].Resource != resource:
		return 0, problem.New(problem.Internal, "the run %s is one of %s, not of %s", run, s.m.Parts[i].Resource, resource)
	case known && s.m.Parts[i].End != nil:
		return 0, problem.New(problem.Internal, "the run %s has ended", run)
	}
	line, err := encode(e)
	if err != nil {
		return 0, problem.Wrap(err, problem.BadInput, "what is said of a page of %s cannot be written", resource)
	}
	if len(line) > maxLine {
		return 0, problem.New(problem.Limit, "what is said of a page of %s is too long", resource)
	}
	leaf := Leaf(line)
	s.tree.Add(leaf)
	s.leaves = append(s.leaves, leaf[:]...)
	s.raw = append(append(s.raw, line...), '\n')
	if e.Page != nil && len(body) < frameRaw {
		s.raw = append(append(s.raw, body...), '\n')
	}
	s.entries++
	now := len(s.m.Frames)
	if !known {
		i = len(s.m.Parts)
		s.parts[run] = i
		s.m.Parts = append(s.m.Parts, Part{Run: run, Resource: resource, Frames: [2]int{now, now}})
	}
	s.m.Parts[i].Frames[1] = now
	return i, nil
}

// flush writes the frame when it has so many bytes.
func (s *Writer) flush(least int) error {
	if len(s.raw) < least || len(s.raw) == 0 {
		return s.err
	}
	s.out = s.zstd.EncodeAll(s.raw, s.out[:0])
	s.frame(Frame{At: s.at, Size: int64(len(s.out)), Raw: int64(len(s.raw))}, s.out)
	s.write(s.out)
	return s.err
}

// flushLarge writes the frame that a large page ends, whose body is packed: it is no
// part of raw, so that it is never copied.
func (s *Writer) flushLarge(body int, sum [sha256.Size]byte) error {
	s.out = s.zstd.EncodeAll(s.raw, s.out[:0])
	size := len(s.out) + len(s.packed) + len(lineEnd)
	s.frame(Frame{At: s.at, Size: int64(size), Raw: int64(len(s.raw) + body + 1), Body: int64(len(s.packed))}, append(s.out, sum[:]...))
	s.write(s.out)
	s.write(s.packed)
	s.write([]byte(lineEnd))
	return s.err
}

// frame notes a frame that is to be written, and what stands for it under the root.
func (s *Writer) frame(f Frame, held []byte) {
	sum := sha256.Sum256(held)
	f.Entries, f.SHA256 = s.entries, hex.EncodeToString(sum[:])
	s.m.Frames = append(s.m.Frames, f)
	s.raw, s.entries = s.raw[:0], 0
}

// Done is what a written segment is known by.
type Done struct {
	Manifest
	Size   int64  // bytes of the object
	SHA256 string // of the object, hex
}

// Close writes the rest.
func (s *Writer) Close() (Done, error) {
	if err := s.flush(0); err != nil {
		return Done{}, err
	}
	last, err := framesLeaf(s.m.Frames)
	if err != nil {
		return Done{}, err
	}
	s.tree.Add(last)
	s.leaves = append(s.leaves, last[:]...)
	s.m.Root = s.tree.Root()
	s.m.Leaves = base64.StdEncoding.EncodeToString(s.leaves)
	m, err := encode(s.m)
	if err != nil {
		return Done{}, err
	}
	at := s.at
	s.write(s.zstd.EncodeAll(append(m, '\n'), nil))
	s.write(tail(at, s.at-at))
	d := Done{Manifest: s.m, Size: s.at, SHA256: hex.EncodeToString(s.sum.Sum(nil))}
	d.Parts, d.Frames = slices.Clone(s.m.Parts), slices.Clone(s.m.Frames)
	if s.err == nil && s.at > MaxBytes {
		s.err = problem.New(problem.Limit, "the segment is larger than %d bytes", int64(MaxBytes))
	}
	return d, s.err
}
