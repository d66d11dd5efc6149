package read

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// MaxLine is the longest line read; a longer one is skipped and noted.
const MaxLine = 16 << 20

const (
	chunkSize  = 256 << 10 // read at once; with its rows it stays in a core's cache
	aheadSize  = 1 << 20   // read at once ahead: fewer of those who judge are woken
	chunkSlack = 128       // readable bytes past the end, for the scanner
	chunkNotes = 32        // malformed lines of a chunk told one by one
)

// Lines says how to read one stream of JSON lines.
type Lines struct {
	Path string // named in sources
	Seq  int    // orders this input among others, see [SourceRef]

	// Other takes the lines that are JSON but no sign-in; nil drops them. Note
	// takes what is wrong with a line; nil drops it. Both are called from the
	// goroutine that called ReadLines, in input order; line is valid only during
	// the call. An error of Other ends the reading.
	Other func(line []byte, src evidence.Source) error
	Note  func(evidence.Note)

	// Head comes before the reader's own bytes and is read where it lies. It may be a mapped
	// file: where that cannot be read any more, ReadLines returns [ErrGone].
	Head []byte
	// Release, when set, is told which parts of Head were read; from several goroutines.
	Release func(part []byte)

	// Decoded says that the stream is made while it is read, as by a decompressor: somebody
	// then reads ahead all the time, so that it never waits for judging. Otherwise
	// whoever judges a chunk reads it, and it stays in the cache of one core.
	Decoded bool

	Workers int // zero means one for each core
}

// Stream is a reader that says more of itself: ReadLines takes it for what [Lines] has.
type Stream interface {
	io.Reader
	Decoded() bool
	Head() (head []byte, release func(part []byte))
}

// Folder adds up events. It serves one goroutine; forks of it serve others and
// are merged back.
type Folder[F any] interface {
	Fork() F
	Merge(F)
	// Add takes one event and keeps nothing of it. src grows from call to call
	// until Break.
	Add(e *signin.Event, src signin.SourceRef)
	Break()
	// Err is what makes it useless to go on.
	Err() error
}

// ReadLines reads a stream of JSON lines to its end and adds its sign-ins to
// f. It works on all cores, holds a few chunks in memory, and returns how many
// lines it took as sign-ins. A malformed line is noted and the rest still
// read. Lines may end in LF or CRLF; blank ones are ignored.
//
// An error of r is returned as is; what was read before it stays in f. f must
// not be used by others meanwhile.
func ReadLines[F Folder[F]](ctx context.Context, r io.Reader, l Lines, f F) (rows int, err error) {
	if s, ok := r.(Stream); ok {
		l.Decoded = l.Decoded || s.Decoded()
		if head, release := s.Head(); len(head) > 0 {
			l.Head, l.Release = head, release
		}
	}
	if len(l.Head) > 0 {
		l.Decoded = false // who reads ahead does not expect faults
	}
	workers := l.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &pipe{in: lineReader{r: r, line: 1, size: chunkSize, head: l.Head}, waiting: make(map[int]chunkResult), told: make(chan chunkResult, workers),
		ahead: make(chan struct{}, 4*workers)}
	judges := make([]lineWorker[F], workers)
	var wg sync.WaitGroup
	if l.Decoded {
		p.in.size = aheadSize
		p.readAhead(ctx, workers+2)
	}
	for i := range judges {
		w := &judges[i]
		w.lines, w.parent = &l, f
		wg.Go(func() { w.run(ctx, p, cancel) })
	}
	go func() {
		wg.Wait()
		close(p.told)
	}()
	for res := range p.told {
		if err == nil {
			if err = l.report(&res); err != nil {
				cancel()
			}
		}
	}
	for i := range judges {
		if judges[i].begun {
			f.Merge(judges[i].fold)
		}
	}
	switch {
	case err != nil:
	case f.Err() != nil:
		err = f.Err()
	case p.gone != nil:
		err = p.gone
	case p.in.err != nil:
		err = p.in.err
	default:
		err = context.Cause(ctx)
	}
	return p.rows, err
}

func (l *Lines) report(res *chunkResult) error {
	if l.Note != nil {
		for _, n := range res.notes {
			l.Note(n)
		}
	}
	if l.Other != nil {
		for _, o := range res.others {
			if err := l.Other(o.line, evidence.Source{Path: l.Path, Line: o.at}); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk is a stretch of whole lines.
type chunk struct {
	seq    int
	line   int   // number of its first line
	offset int64 // of its first byte
	data   []byte
	buf    []byte // data's memory, with slack behind it, unless it is in place

	inPlace bool

	tooLong []place2 // lines before data that were skipped
}

// place2 is a line by number and byte.
type place2 struct {
	line   int
	offset int64
}

// lineReader cuts a stream into chunks. It serves one goroutine.
type lineReader struct {
	r     io.Reader
	size  int    // of a chunk, as a rule
	head  []byte // still to be read, where it lies
	seq   int
	line  int
	at    int64  // offset of carry's first byte
	carry []byte // the beginning of a line
	eof   bool
	err   error // other than io.EOF
}

// next fills c with the next chunk; false at the end of the stream.
func (in *lineReader) next(c *chunk) bool {
	c.tooLong = c.tooLong[:0]
	if c.inPlace = in.inPlace(c); c.inPlace {
		return true
	}
	if len(c.buf) < in.size || len(c.buf) > 2*in.size {
		c.buf = make([]byte, in.size+chunkSlack)
	}
	n := in.takeCarry(c)
	searched := 0
	for {
		end := -1
		if !in.eof && in.err == nil {
			n += in.read(c.buf[n : len(c.buf)-chunkSlack])
		}
		if in.eof {
			end = n // the last line needs no line feed
		} else if i := bytes.LastIndexByte(c.buf[searched:n], '\n'); i >= 0 {
			end = searched + i + 1
		}
		switch {
		case in.err != nil && end < 0:
			return false // what remains is half a line
		case end == 0:
			return len(c.tooLong) > 0 && in.give(c, 0, 0)
		case end > 0:
			return in.give(c, end, n)
		case n > MaxLine:
			c.tooLong = append(c.tooLong, place2{in.line, in.at})
			n = in.skipLine(c, n)
			searched = 0
		default:
			searched = n
			if n == len(c.buf)-chunkSlack {
				bigger := make([]byte, min(4*len(c.buf), MaxLine+2*in.size)+chunkSlack)
				copy(bigger, c.buf[:n])
				c.buf = bigger
			}
		}
	}
}

// inPlace gives the next chunk of the head. What is left of it when a chunk cannot be
// had any more, because the end is near or a line is long, is copied like all else.
func (in *lineReader) inPlace(c *chunk) bool {
	if len(in.head) == 0 {
		return false
	}
	if len(in.head) > chunkSize+chunkSlack {
		if i := bytes.LastIndexByte(in.head[:chunkSize], '\n'); i >= 0 {
			c.seq, c.line, c.offset, c.data = in.seq, in.line, in.at, in.head[:i+1:i+1+chunkSlack]
			in.head = in.head[i+1:]
			in.advance(c)
			return true
		}
	}
	in.r = io.MultiReader(bytes.NewReader(in.head), in.r)
	in.head = nil
	return false
}

func (in *lineReader) advance(c *chunk) {
	in.seq++
	in.line += bytes.Count(c.data, newline)
	in.at += int64(len(c.data))
}

func (in *lineReader) takeCarry(c *chunk) int {
	if need := len(in.carry) + chunkSlack + 1; need > len(c.buf) {
		c.buf = make([]byte, need+in.size)
	}
	n := copy(c.buf, in.carry)
	in.carry = in.carry[:0]
	return n
}

// read fills b as far as the stream allows.
func (in *lineReader) read(b []byte) (n int) {
	empty := 0
	for n < len(b) {
		m, err := in.r.Read(b[n:])
		n += m
		switch {
		case errors.Is(err, io.EOF):
			in.eof = true
			return n
		case err != nil:
			in.err = err
			return n
		case m == 0:
			if empty++; empty > 100 {
				in.err = io.ErrNoProgress
				return n
			}
		}
	}
	return n
}

// give hands out buf[:end] and keeps buf[end:n] for the next chunk.
func (in *lineReader) give(c *chunk, end, n int) bool {
	in.carry = append(in.carry[:0], c.buf[end:n]...)
	c.seq, c.line, c.offset, c.data = in.seq, in.line, in.at, c.buf[:end]
	in.advance(c)
	return true
}

// skipLine drops the line that fills buf[:n] up to its line feed and returns
// how much of the next line was read.
func (in *lineReader) skipLine(c *chunk, n int) int {
	for {
		if i := bytes.IndexByte(c.buf[:n], '\n'); i >= 0 {
			in.at += int64(i) + 1
			in.line++
			return copy(c.buf, c.buf[i+1:n])
		}
		in.at += int64(n)
		if in.eof || in.err != nil {
			return 0
		}
		n = in.read(c.buf[:len(c.buf)-chunkSlack])
	}
}

var newline = []byte{'\n'}

const tooLong = "line longer than 16 MiB skipped; one sign-in event expected"

// chunkResult is what one chunk gave.
type chunkResult struct {
	seq    int
	rows   int
	notes  []evidence.Note
	others []otherLine
}

type otherLine struct {
	line []byte // a copy
	at   int
}

// lineWorker reads the events of chunks.
type lineWorker[F Folder[F]] struct {
	lines  *Lines
	parent F
	fold   F // made when there is a first chunk
	begun  bool
	dec    Decoder
	event  signin.Event
}

func (w *lineWorker[F]) work(c *chunk) chunkResult {
	if !w.begun {
		w.fold, w.begun = w.parent.Fork(), true
	}
	w.fold.Break()
	res := chunkResult{seq: c.seq}
	malformed := 0
	note := func(line int, offset int64, message string) {
		res.notes = append(res.notes, evidence.Note{
			Source: evidence.Source{Path: w.lines.Path, Line: line}, Offset: offset, Message: message,
		})
	}
	for _, p := range c.tooLong {
		note(p.line, p.offset, tooLong)
	}
	src := signin.SourceRef{Seq: w.lines.Seq, Source: evidence.Source{Path: w.lines.Path, Line: c.line}}
	for next := 0; next < len(c.data); src.Line++ {
		start := next
		end, shape, ok := w.dec.line(c.data[start:], &w.event)
		next = start + end + 1
		for end > 0 && blank(c.data[start+end-1]) {
			end--
		}
		line := c.data[start : start+end]
		if len(line) == 0 {
			continue
		}
		if len(line) > MaxLine {
			note(src.Line, c.offset+int64(start), tooLong)
			continue
		}
		var err error
		if !ok {
			shape, err = DecodeEvent(line, &w.event)
		}
		if err != nil && bytes.IndexByte(line, 0) >= 0 {
			note(src.Line, c.offset+int64(start+bytes.IndexByte(line, 0)), "NUL bytes in the line; UTF-8 text expected")
			if line = bytes.Trim(line, "\x00 \t\r"); len(line) == 0 {
				continue
			}
			shape, err = w.dec.Decode(line, &w.event)
		}
		switch {
		case err != nil:
			if malformed++; malformed <= chunkNotes {
				note(src.Line, c.offset+int64(start), "not one JSON object: "+err.Error()+"; one sign-in event per line expected")
			}
		case shape == ShapeNone:
			if w.lines.Other != nil {
				res.others = append(res.others, otherLine{bytes.Clone(line), src.Line})
			}
		case shape == ShapeDetail:
			w.fold.Add(&w.event, src)
		default:
			w.fold.Add(&w.event, src)
			res.rows++
		}
	}
	if malformed > chunkNotes {
		note(src.Line-1, c.offset, fmt.Sprintf("%d more malformed lines up to this one", malformed-chunkNotes))
	}
	return res
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
