package segment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Source is where an object lies: Range gives n bytes from off.
type Source interface {
	Range(ctx context.Context, off, n int64) (io.ReadCloser, error)
}

// Reader reads a segment whose manifest was read. Safe for concurrent use.
type Reader struct {
	Manifest
	Size int64

	src    Source
	leaf   []tlog.Hash
	before []int // of each frame, the entries before it
	loose  []Loose
}

// scratch is what decompressing takes. It goes from reader to reader: a view reads
// many segments one after the other.
type scratch struct {
	zstd    *zstd.Decoder
	in, raw []byte
}

var scratches = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*MaxBody))
	if err != nil {
		panic(err) // of wrong options
	}
	return &scratch{zstd: d}
}}

// mostScratch is how much is kept from one reading to the next.
const mostScratch = 16 << 20

func (s *scratch) done() {
	if cap(s.raw) > mostScratch || cap(s.in) > mostScratch {
		s.in, s.raw = nil, nil
	}
	scratches.Put(s)
}

// tailRead is how much of an object's end is asked for at once.
const tailRead = 64 << 10

// NewReader reads the manifest of an object of size bytes. Its pages are held to
// root when root is not "".
func NewReader(ctx context.Context, src Source, size int64, root string) (*Reader, error) {
	if size < tailSize || size > MaxBytes {
		return nil, bad("it has %d bytes, which no segment has", size)
	}
	end, err := slurp(ctx, src, max(0, size-tailRead), min(size, tailRead), nil)
	if err != nil {
		return nil, err
	}
	at, n, err := parseTail(end[len(end)-tailSize:], size)
	if err != nil {
		return nil, err
	}
	if n > maxManifest {
		return nil, bad("its manifest has %d bytes, more than any has", n)
	}
	r := &Reader{Size: size, src: src}
	sc := scratches.Get().(*scratch)
	defer sc.done()
	packed := end[:len(end)-tailSize]
	if int64(len(packed)) >= n {
		packed = packed[int64(len(packed))-n:]
	} else if packed, err = slurp(ctx, src, at, n, nil); err != nil {
		return nil, err
	}
	m, err := sc.zstd.DecodeAll(packed, nil)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "its manifest cannot be decompressed")
	}
	if err := decode(bytes.TrimSuffix(m, []byte{'\n'}), &r.Manifest); err != nil {
		return nil, err
	}
	if err := r.check(at); err != nil {
		return nil, err
	}
	if r.leaf, err = r.leaves(); err != nil {
		return nil, err
	}
	if root != "" && root != r.Root {
		return nil, bad("its root is not the recorded one")
	}
	n = 0
	for _, f := range r.Frames {
		r.before = append(r.before, int(n))
		n += int64(f.Entries)
	}
	if n != int64(len(r.leaf)) {
		return nil, bad("its manifest has %d entries and %d leaves", n, len(r.leaf))
	}
	return r, nil
}

// slurp reads a range whole.
func slurp(ctx context.Context, src Source, off, n int64, into []byte) ([]byte, error) {
	rc, err := src.Range(ctx, off, n)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	return fill(rc, n, into)
}

// fill reads n bytes, taking memory as they come.
func fill(r io.Reader, n int64, into []byte) ([]byte, error) {
	into = into[:0]
	if int64(cap(into)) >= n {
		into = into[:n]
		_, err := io.ReadFull(r, into)
		return into, short(err)
	}
	b := bytes.NewBuffer(into)
	got, err := io.CopyN(b, r, n)
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	return b.Bytes(), short(err)
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad("it is shorter than it says")
	}
	return err
}

// Entry is a page, or the end of a run. What it points to is the reader's again
// when the function that got it returns.
type Entry struct {
	Index int64 // among all entries of the segment
	Page  *Page
	Run   *Run
	Line  []byte // whose hash is the leaf
	// Packed is the body of a large page as it is kept, which [Said.Unpack] takes. nil: it
	// shares a frame with others.
	Packed []byte
	said   Said
}

// All reads every entry in order.
func (r *Reader) All(ctx context.Context, each func(*Entry) error) error {
	return r.Some(ctx, 0, len(r.Frames)-1, each)
}

// Some reads the entries of the frames first to last, all of them. The compressed
// bytes of a frame are held to the root, and each line to its leaf, before each sees
// it; that a small body has the sum which its line gives is for [Entry.Check].
func (r *Reader) Some(ctx context.Context, first, last int, each func(*Entry) error) error {
	if first < 0 || last >= len(r.Frames) {
		return bad("it has no frames %d to %d", first, last)
	}
	if first > last {
		return nil
	}
	if r.loose != nil {
		return r.someLoose(ctx, first, last, each)
	}
	from, to := r.Frames[first].At, r.Frames[last].At+r.Frames[last].Size
	rc, err := r.src.Range(ctx, from, to-from)
	if err != nil {
		return err
	}
	defer rc.Close()
	// A frame is decompressed while the one before it is read.
	ctx, stop := context.WithCancel(ctx)
	opened := make(chan opened)
	go func() {
		defer close(opened)
		r.open(ctx, rc, first, last, opened)
	}()
	defer func() {
		stop()
		for o := range opened { // so that nobody reads any more
			o.sc.done()
		}
	}()
	for o := range opened {
		err := o.err
		if err == nil {
			err = r.frame(&o, each)
		}
		if o.sc.done(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// opened is a frame that was decompressed.
type opened struct {
	i   int
	sc  *scratch
	l   large
	err error // the last one has it
}

// open decompresses frames, one after the other.
func (r *Reader) open(ctx context.Context, in io.Reader, first, last int, to chan<- opened) {
	for i := first; i <= last; i++ {
		o := opened{i: i, sc: scratches.Get().(*scratch)}
		if o.sc.in, o.err = fill(in, r.Frames[i].Size, o.sc.in); o.err == nil {
			o.l, o.err = r.Frames[i].hold(i, o.sc)
		}
		select {
		case to <- o:
		case <-ctx.Done():
			o.sc.done()
			return
		}
		if o.err != nil {
			return
		}
	}
}

func (r *Reader) frame(o *opened, each func(*Entry) error) error {
	i, sc := o.i, o.sc
	f := &r.Frames[i]
	rest := sc.raw
	for k := range f.Entries {
		index := r.before[i] + k
		e, after, err := parse(rest, r.leaf[index])
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "entry %d, in frame %d at byte %d: %s", index, i, f.At, err)
		}
		e.Index = int64(index)
		if e.said.Packed > 0 && !o.l.is(e, len(after), len(sc.raw)) {
			return bad("the page of entry %d, in frame %d at byte %d, is not that of its line", index, i, f.At)
		}
		if tenant := e.tenant(); tenant != r.Tenant {
			return bad("entry %d is of the tenant %s, and the segment of %s", index, tenant, r.Tenant)
		}
		if err := each(e); err != nil {
			return err
		}
		rest = after
	}
	if len(rest) > 0 {
		return bad("frame %d at byte %d has %d bytes that are no entry's", i, f.At, len(rest))
	}
	return nil
}

// large is the page that ends a frame and is compressed by itself.
type large struct {
	packed []byte
	sum    string
	at     int // where it begins in what comes out of the frame
}

// is says that an entry, behind which so many bytes of all are left, is of it.
func (l *large) is(e *Entry, left, all int) bool {
	e.Packed = l.packed
	return left == 0 && e.said.Packed == int64(len(l.packed)) && e.said.SHA256 == l.sum && all-1-len(e.Page.Body) == l.at
}

// hold decompresses a frame that hashes to what it should.
func (f *Frame) hold(i int, sc *scratch) (l large, err error) {
	held := sc.in
	if f.Body > 0 {
		at := len(sc.in) - len(lineEnd)
		l.packed = sc.in[at-int(f.Body) : at]
		sum := sha256.Sum256(l.packed)
		l.sum = hex.EncodeToString(sum[:])
		held = sc.in[:at-int(f.Body)]
		if string(sc.in[at:]) != lineEnd {
			return l, bad("frame %d at byte %d was changed at its end", i, f.At)
		}
		h := sha256.New()
		h.Write(held)
		h.Write(sum[:])
		if hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return l, bad("frame %d at byte %d was changed: its SHA-256 is another", i, f.At)
		}
	} else if sum := sha256.Sum256(held); hex.EncodeToString(sum[:]) != f.SHA256 {
		return l, bad("frame %d at byte %d was changed: its SHA-256 is another", i, f.At)
	}
	sc.raw = slices.Grow(sc.raw[:0], int(f.Raw)) // which check bounds
	if sc.raw, err = sc.zstd.DecodeAll(held, sc.raw); err == nil && f.Body > 0 {
		l.at = len(sc.raw)
		sc.raw, err = sc.zstd.DecodeAll(l.packed, sc.raw)
		sc.raw = append(sc.raw, '\n')
	}
	if err != nil {
		return l, problem.Wrap(err, problem.BadInput, "frame %d at byte %d cannot be decompressed", i, f.At)
	}
	if int64(len(sc.raw)) != f.Raw {
		return l, bad("frame %d at byte %d has %d bytes, not %d", i, f.At, len(sc.raw), f.Raw)
	}
	return l, nil
}

func (e *Entry) tenant() string {
	if e.Page != nil {
		return e.Page.Tenant
	}
	return e.Run.Tenant
}

// parse reads one entry and gives what is after it.
func parse(b []byte, leaf tlog.Hash) (*Entry, []byte, error) {
	line, _, ok := bytes.Cut(b[:min(len(b), maxLine+1)], []byte{'\n'})
	if !ok {
		return nil, nil, bad("it has no line")
	}
	rest := b[len(line)+1:]
	if Leaf(line) != leaf {
		return nil, nil, bad("it was changed: its hash is another than the root holds")
	}
	e, err := ParseLine(line)
	if err != nil || e.Page == nil {
		return e, rest, err
	}
	size := e.said.Bytes
	if size+1 > int64(len(rest)) || rest[size] != '\n' {
		return nil, nil, bad("its page ends elsewhere than it says")
	}
	e.Page.Body = rest[:size:size]
	return e, rest[size+1:], nil
}

// Check holds the body of a page to the sum that its line gives. A large one was
// held to it before.
func (e *Entry) Check() error {
	if e.Page == nil || e.said.Packed > 0 {
		return nil
	}
	if got := sha256.Sum256(e.Page.Body); hex.EncodeToString(got[:]) != e.said.SHA256 {
		return bad("the page of entry %d is not that of its line: its SHA-256 is another", e.Index)
	}
	return nil
}

// Said is what the line of a page says of its body.
type Said struct {
	Bytes  int64
	Packed int64  // of a large one, how many bytes are kept of it; else 0
	SHA256 string // of the body, or of what is kept of it; hex
}

// Said is what the line of a page says of its body.
func (e *Entry) Said() Said { return e.said }

// ParseLine reads the line of an entry, whose page has no body then.
func ParseLine(line []byte) (*Entry, error) {
	var x entry
	if err := decode(line, &x); err != nil {
		return nil, err
	}
	e := &Entry{Run: x.Run, Line: line}
	if (x.Page == nil) == (x.Run == nil) {
		return nil, bad("it is neither a page nor the end of a run")
	}
	if x.Run != nil {
		return e, x.Run.Check()
	}
	if x.Page.Bytes < 0 || x.Page.Bytes > MaxBody || x.Page.Packed < 0 || x.Page.Packed > 2*MaxBody {
		return nil, bad("its page has %d bytes, which none has", x.Page.Bytes)
	}
	e.Page, e.said = &x.Page.Page, Said{x.Page.Bytes, x.Page.Packed, x.Page.SHA256}
	return e, e.Page.Check()
}

// Unpack gives the body of a large page from what is kept of it.
func (s Said) Unpack(packed []byte) ([]byte, error) {
	sum := sha256.Sum256(packed)
	if s.Packed == 0 || int64(len(packed)) != s.Packed || hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, bad("what is kept of its page is not that of its line")
	}
	sc := scratches.Get().(*scratch)
	defer sc.done()
	body, err := sc.zstd.DecodeAll(packed, nil)
	if err != nil || int64(len(body)) != s.Bytes {
		return nil, problem.Wrap(err, problem.BadInput, "its page cannot be decompressed")
	}
	return body, nil
}

// Tree is the tree under the root.
func (r *Reader) Tree() *Tree {
	t := &Tree{}
	for _, h := range r.leaf {
		t.Add(h)
	}
	last, err := framesLeaf(r.Frames)
	if err != nil {
		panic(err) // it was encoded before
	}
	t.Add(last)
	return t
}
