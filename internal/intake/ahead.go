package intake

import (
	"bytes"
	"io"
	"sync"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin/read"
)

// Ahead is a sink that reads sign-ins on several cores while intake goes on: the
// lists of sign-ins, and the lines of files that are not large. Its other methods
// are called as ever, in the order of the inputs; what stands among sign-ins and is
// none comes through them.
type Ahead interface {
	Sink

	// Workers is how many batches are read at once; zero means that the sink takes
	// none now.
	Workers() int
	// Begin hands in a batch of sign-ins, which is the sink's until Wait returns.
	Begin(b *read.Batch)
	// Wait waits for a batch and returns what makes it useless to go on. Batches are
	// waited for in the order they were handed in.
	Wait(b *read.Batch) error
	// Ended says that nothing more of the input comes.
	Ended(path string)
}

// ahead is what was handed to the sink and not yet accounted for, in the order of
// the inputs. Whoever is about to tell a sink, or an input, of anything else has
// all of it accounted for first ([file.sync]), so that the order stays that of a
// reading without it.
type ahead struct {
	sink   Ahead
	known  *read.Known
	cutter text.Cutter
	limit  int // steps that may wait
	queue  []step
	free   []*batch
	busy   bool
	err    error // what ended the reading

	account func(*step) error // a field, because the rules' tables lead here
}

// step is a batch, or the end of an input.
type step struct {
	f       *file
	b       *batch
	p       place // of the batch's list
	page    *page
	objects int
	lines   *lineNotes
	table   *csvTable
	end     func() error
}

// batch is a batch with the memory it lies in.
type batch struct {
	read.Batch
	objects text.Objects
	lines   []byte
	cells   []byte
	ends    []uint32
	at      []int
}

// newAhead makes a queue for a sink that reads ahead, or nil.
func newAhead(sink Sink) *ahead {
	s, ok := sink.(Ahead)
	if !ok {
		return nil
	}
	n := s.Workers()
	if n == 0 {
		return nil
	}
	return &ahead{sink: s, known: read.NewKnown(Sure), limit: 2*n + 2, account: (*step).account}
}

// get gives a batch to fill.
func (a *ahead) get() *batch {
	if n := len(a.free); n > 0 {
		b := a.free[n-1]
		a.free = a.free[:n-1]
		return b
	}
	return new(batch)
}

// put keeps a batch for later, but for one that an outsize record made large.
func (a *ahead) put(b *batch) {
	if cap(b.cells) <= 4*text.MaxStretch {
		a.free = append(a.free, b)
	}
}

// push adds a step, and accounts for the oldest where too much waits.
func (a *ahead) push(s step) error {
	a.queue = append(a.queue, s)
	waiting := 0
	for i := range a.queue {
		if a.queue[i].b != nil {
			waiting++
		}
	}
	for waiting >= a.limit || len(a.queue) > 64*a.limit {
		if a.queue[0].b != nil {
			waiting--
		}
		a.one()
	}
	return a.err
}

// sync accounts for all that waits.
func (a *ahead) sync() error {
	if a == nil {
		return nil
	}
	for !a.busy && len(a.queue) > 0 {
		a.one()
	}
	return a.err
}

// one accounts for the oldest step.
func (a *ahead) one() {
	s := a.queue[0]
	a.queue[0] = step{}
	if a.queue = a.queue[1:]; len(a.queue) == 0 {
		a.queue = nil
	}
	a.busy = true
	defer func() { a.busy = false }()
	var err error
	switch {
	case s.b == nil:
		if a.err == nil {
			err = s.end()
		}
		a.sink.Ended(s.f.in.Path)
	default:
		if err = a.sink.Wait(&s.b.Batch); err != nil {
			err = sinkError{err}
		} else if a.err == nil {
			err = a.account(&s)
		}
		a.put(s.b)
	}
	if a.err == nil {
		a.err = err
	}
}

// ended tells the sink that an input is finished.
func (a *ahead) ended(f *file) {
	if a != nil {
		a.sink.Ended(f.in.Path)
	}
}

// sync has everything accounted for that was handed in before what comes now.
func (f *file) sync() error {
	if f.rows != nil && !f.ahead.busy {
		_ = f.rows.flush() // the error stays with the queue
	}
	return f.ahead.sync()
}

// account tells the input what became of a batch.
func (s *step) account() error {
	f, b := s.f, s.b
	if b.Rows > 0 {
		f.taken += b.Rows
		f.in.Count(evidence.SignIn, b.Rows)
	}
	if s.lines != nil {
		return s.lines.tell(b)
	}
	f.seen += b.Rows
	if s.table != nil {
		return s.table.left(b)
	}
	// What is left is read as it would have been in its turn.
	page, objects, listed, hasID := f.page, f.objects, f.listed, f.hasID
	f.page, f.objects = s.page, s.objects
	defer func() { f.page, f.objects, f.listed, f.hasID = page, objects, listed, hasID }()
	before := -1
	for _, i := range b.Left {
		if i > before+1 {
			f.before = append(f.before[:0], b.objects.At(i-1)...)
		}
		before = i
		p := s.p
		p.index += i
		if err := f.one(b.objects.At(i), p); err != nil {
			return err
		}
	}
	if last := b.objects.Len() - 1; before < last {
		f.before = append(f.before[:0], b.objects.At(last)...)
	}
	f.unlike = f.unlike || b.Rows == 0
	return nil
}

// recall makes the sign-in that was read ahead last the one that others are like.
func (f *file) recall() {
	if len(f.before) > 0 {
		f.facts.read(theTable, f.before)
		f.lastSignIn.set(evidence.SignIn, theTable, &f.facts)
		f.before = f.before[:0]
	}
}

// readAhead hands the objects that stand behind each other in the list the scanner is
// in to the sink, as far as they are like sign-ins, and returns how many those are.
// The scanner stands on the first one, whose place is p.
func (f *file) readAhead(s *text.Scanner, p place) (n int, err error) {
	hinted := p.hint == evidence.SignIn
	if !f.likely {
		f.room = leastRoom
	}
	for {
		if err := f.ctx.Err(); err != nil {
			return n, err
		}
		b := f.ahead.get()
		if b.objects.Cuts = b.objects.Cuts[:0]; n == 0 || !f.unlike {
			s.Objects(&b.objects, &f.ahead.cutter, f.room)
		}
		got := b.objects.Len()
		if n == 0 && (got == 0 || !f.likely && !f.ahead.known.Take(b.objects.At(0), hinted)) {
			f.room = leastRoom
			s.Unread(&b.objects)
			f.ahead.put(b)
			return 0, nil
		}
		if got == 0 { // behind the comma stands one that only the slow way can tell
			if f.room *= 4; f.room > text.MaxStretch { // it may be large, or odd
				f.room = leastRoom
			}
			f.ahead.put(b)
			n++
			if err := f.element(s, '{', p); err != nil {
				return n, err
			}
			p.index++
			if more, err := s.NextElement(); err != nil || !more {
				return n, err
			}
			continue
		}
		f.likely = true
		f.ofSignIn(p)
		b.Table = nil
		b.Text, b.Cuts, b.Source, b.Hinted = b.objects.Text, b.objects.Cuts, f.at(p), hinted
		f.ahead.sink.Begin(&b.Batch)
		if err := f.ahead.push(step{f: f, b: b, p: p, page: f.page, objects: f.objects}); err != nil {
			return n, err
		}
		n += got
		p.index += got
		used := int(b.objects.Cuts[2*got-1])
		if used < f.room/2 {
			f.room = max(f.room/2, leastRoom)
		} else {
			f.room = min(16*f.room, text.MaxStretch)
		}
		more, err := s.NextElement()
		if err != nil || !more {
			return n, err
		}
	}
}

// leastRoom is how much of a list is looked at where it may hold no sign-ins.
const leastRoom = 16 << 10

// mayReadAhead reports that the list the scanner is in, whose elements have the place p, may
// be read ahead.
func (f *file) mayReadAhead(s *text.Scanner, p place) bool {
	return f.ahead != nil && !f.ahead.busy && !f.unlike && !f.exact && p.reason == "" && (p.hint == "" || p.hint == evidence.SignIn) && s.Streams()
}

// ofSignIn notes a sign-in for the page it stands in, as [file.ofPage] does.
func (f *file) ofSignIn(p place) {
	if p.set != "" && !f.paged[evidence.SignIn] {
		if f.paged == nil {
			f.paged = map[evidence.Kind]bool{}
		}
		f.paged[evidence.SignIn] = true
	}
	if f.page != nil && f.pages != nil && f.page.kind == "" {
		f.page.kind = evidence.SignIn
	}
}

// Sure says of an object that can be read as a sign-in of Graph's or of Azure Monitor's
// that it is told to be one by its members and their kinds, not by their values, but
// for the names of types. hinted says that its surroundings call it a sign-in. Safe
// for concurrent use.
func Sure(raw []byte, hinted bool) bool {
	f := sures.Get().(*file)
	defer sures.Put(f)
	if bagged(raw) {
		return false
	}
	var p place
	if hinted {
		p.hint = evidence.SignIn
	}
	kind, reason := f.recognise(raw, &p)
	t, o := theTable, &f.facts
	if kind != evidence.SignIn || reason != "" || o.isPage(t) || o.known.has(t.odataType) || o.known.has(t.context) || o.known.has(t.typ) {
		return false
	}
	if status := o.get(t.keys["status"]); len(status) > 0 && status[0] == '"' {
		return false
	}
	return hinted || o.known.touches(&t.who) && o.known.touches(&t.when) && o.known.touches(&t.outcome) && o.known.touches(&t.with)
}

var sures = sync.Pool{New: func() any { return &file{exact: true} }}

// lineNotes is where the lines of a stream stand in the input.
type lineNotes struct {
	f      *file
	shift  int
	offset int64
}

// other reads a line that is no sign-in.
func (l *lineNotes) other(line []byte, src evidence.Source) error {
	if src.Line > 0 {
		src.Line += l.shift
	}
	return l.f.strayLine(line, src.Line)
}

// note keeps what is wrong with a line.
func (l *lineNotes) note(n evidence.Note) {
	if n.Source.Line > 0 {
		n.Source.Line += l.shift
	}
	if n.Offset > 0 {
		n.Offset += l.offset
	}
	l.f.broken, l.f.torn = true, true
	l.f.in.Add(n)
}

// tell tells what a batch of lines came to.
func (l *lineNotes) tell(b *batch) error {
	for _, n := range b.Notes {
		l.note(n)
	}
	for _, o := range b.Others {
		if err := l.other(o.Line, evidence.Source{Path: l.f.in.Path, Line: o.At}); err != nil {
			return err
		}
	}
	return nil
}

// signInsAhead reports that the text the scanner stands at the beginning of is lines,
// the first of which is known to be a sign-in.
func (f *file) signInsAhead(s *text.Scanner) bool {
	if f.ahead == nil || f.objects != 1 || f.in.Format != "" {
		return false
	}
	line := s.ThisLine()
	if len(line) == 0 || len(line) > f.o.MaxRecord || !f.ahead.known.Take(line, false) {
		return false
	}
	f.before = append(f.before[:0], line...)
	return true
}

// linesAhead hands the lines of a stream to the sink until it ends, or much of it was
// read, and returns what is left; nil is nothing. The lines so far are counted in l.
func (f *file) linesAhead(r io.Reader, l *lineNotes) (rest io.Reader, err error) {
	var carry []byte
	line, offset := 1, int64(0)
	for n := 0; n < maxLinesAhead; n++ {
		b := f.ahead.get()
		if b.lines == nil {
			b.lines = make([]byte, text.MaxStretch+jsonscan.Slack)
		}
		room := b.lines[:text.MaxStretch]
		have := copy(room, carry)
		m, end := io.ReadFull(r, room[have:])
		have += m
		last := end == io.EOF || end == io.ErrUnexpectedEOF
		cut := have
		if !last {
			cut = bytes.LastIndexByte(room[:have], '\n') + 1
		}
		if end != nil && !last || cut == 0 && have > 0 {
			l.shift, l.offset = l.shift+line-1, l.offset+offset
			rest = bytes.NewReader(bytes.Clone(room[:have]))
			if f.ahead.put(b); end != nil {
				return io.MultiReader(rest, failing{end}), nil
			}
			return io.MultiReader(rest, r), nil
		}
		if cut > 0 {
			carry = append(carry[:0], room[cut:have]...)
			b.Table = nil
			b.Text, b.Cuts, b.Source, b.Offset = room[:cut], nil, evidence.Source{Path: f.in.Path, Line: line}, offset
			line += bytes.Count(b.Text, newline)
			offset += int64(cut)
			f.ahead.sink.Begin(&b.Batch)
			at := *l
			err = f.ahead.push(step{f: f, b: b, lines: &at})
		} else {
			f.ahead.put(b)
		}
		if err != nil || last {
			return nil, err
		}
	}
	l.shift, l.offset = l.shift+line-1, l.offset+offset
	return io.MultiReader(bytes.NewReader(carry), r), nil
}

// maxLinesAhead is how many batches of lines are handed in before a stream counts as
// large.
const maxLinesAhead = 32

var newline = []byte{'\n'}

// failing is a stream that ends with an error.
type failing struct{ err error }

func (r failing) Read([]byte) (int, error) { return 0, r.err }
