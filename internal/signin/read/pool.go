package read

import (
	"runtime"
	"sync"

	"partnerguard/internal/evidence"
	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin"
)

// Batch is a stretch of one input that a [Pool] reads: objects of a list, whole lines,
// or rows of a table.
type Batch struct {
	// Text is what is read. Its capacity has [jsonscan.Slack] bytes more, which do
	// not matter.
	Text []byte
	// Cuts holds where each object begins in Text and where it ends, in turn. Each is
	// one valid JSON object. Nil means that Text is lines.
	Cuts []uint32

	// Table makes Text rows: their cells end to end, each of them Table's columns wide.
	// Ends holds where each cell ends, and At the line of each row.
	Table *Table
	Ends  []uint32
	At    []int

	Source evidence.Source // of the first object, whose index counts up, or the first line
	Seq    int             // orders the input among others
	Hinted bool            // the objects' surroundings say that they are sign-ins
	Offset int64           // of lines: where Text begins in the stream

	// What came of it, once it is done.
	Rows   int             // taken as sign-ins
	Left   []int           // of objects and rows: those that only the slow way can tell
	Notes  []evidence.Note // of lines
	Others []OtherLine     // of lines: JSON, but no sign-ins

	done chan struct{}
}

// OtherLine is a line that is no sign-in.
type OtherLine struct {
	Line []byte
	At   int // its number
}

// Pool reads batches on several cores and adds their sign-ins to forks of one
// folder. One goroutine hands batches in.
type Pool[F Folder[F]] struct {
	parent  F
	sure    func(raw []byte, hinted bool) bool
	batches chan *Batch
	workers []poolWorker[F]
	wg      sync.WaitGroup
}

// NewPool makes a pool of workers, zero meaning one for each core. sure says of an
// object that decodes as a sign-in that it is one for anybody who looks at its
// members and their kinds, whatever their values are but for the names of types
// ([TypeWord]); it is called from several goroutines. [Pool.Close] must be called.
func NewPool[F Folder[F]](parent F, workers int, sure func(raw []byte, hinted bool) bool) *Pool[F] {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &Pool[F]{parent: parent, sure: sure, batches: make(chan *Batch, workers), workers: make([]poolWorker[F], workers)}
	for i := range p.workers {
		w := &p.workers[i]
		w.lineWorker.parent, w.known = parent, NewKnown(sure)
		p.wg.Go(func() {
			for b := range p.batches {
				w.read(b)
				b.done <- struct{}{}
			}
		})
	}
	return p
}

// Workers is how many batches are read at once.
func (p *Pool[F]) Workers() int { return len(p.workers) }

// Begin hands a batch in, which is the pool's until [Batch.Wait].
func (p *Pool[F]) Begin(b *Batch) {
	if b.done == nil {
		b.done = make(chan struct{}, 1)
	}
	b.Rows, b.Left, b.Notes, b.Others = 0, b.Left[:0], b.Notes[:0], b.Others[:0]
	p.batches <- b
}

// Wait waits until a batch that was handed in is done.
func (b *Batch) Wait() { <-b.done }

// Close ends the pool, once every batch is done, and merges what it read.
func (p *Pool[F]) Close() {
	close(p.batches)
	p.wg.Wait()
	for i := range p.workers {
		if w := &p.workers[i]; w.begun {
			p.parent.Merge(w.fold)
		}
	}
}

// poolWorker reads batches.
type poolWorker[F Folder[F]] struct {
	lineWorker[F]
	known *Known
	rows  rowDecoder
}

func (w *poolWorker[F]) read(b *Batch) {
	if !w.begun {
		w.fold, w.begun = w.parent.Fork(), true
	}
	switch {
	case b.Table != nil:
		w.readRows(b)
		return
	case b.Cuts == nil:
		w.readLines(b)
		return
	}
	w.fold.Break()
	src := signin.SourceRef{Seq: b.Seq, Source: b.Source}
	for i := 0; i < len(b.Cuts); i += 2 {
		if w.known.Take(b.Text[b.Cuts[i]:b.Cuts[i+1]], b.Hinted) {
			w.fold.Add(&w.known.event, src)
			b.Rows++
		} else {
			b.Left = append(b.Left, i/2)
		}
		src.Index++
	}
}

// readRows reads a batch of rows.
func (w *poolWorker[F]) readRows(b *Batch) {
	w.fold.Break()
	d := &w.rows
	d.Decoder = &w.dec
	src := signin.SourceRef{Seq: b.Seq, Source: b.Source}
	row, wide := tableRow{text: b.Text}, b.Table.width
	for i := range b.At {
		row.ends = b.Ends[i*wide : (i+1)*wide]
		if shape, ok := d.row(b.Table, &row, &w.event); ok && shape != ShapeNone {
			src.Line = b.At[i]
			w.fold.Add(&w.event, src)
			b.Rows++
		} else {
			b.Left = append(b.Left, i)
		}
		row.from = row.ends[wide-1]
	}
}

// readLines reads a batch of lines as [ReadLines] does.
func (w *poolWorker[F]) readLines(b *Batch) {
	w.lines = &Lines{Path: b.Source.Path, Seq: b.Seq, Other: dropped}
	res := w.work(&chunk{line: b.Source.Line, offset: b.Offset, data: b.Text})
	b.Rows, b.Notes = res.rows, append(b.Notes, res.notes...)
	for _, o := range res.others {
		b.Others = append(b.Others, OtherLine{o.line, o.at})
	}
}

// dropped makes a worker keep the lines that are no sign-ins.
func dropped([]byte, evidence.Source) error { return nil }

// Known tells sign-ins by those it has met: of objects with the same keys and the
// same kinds of values, one is looked at as closely as anything is. It serves one
// goroutine.
type Known struct {
	sure  func(raw []byte, hinted bool) bool
	dec   Decoder
	event signin.Event
	likes map[likeKey]*likeness
	last  likeKey
	like  *likeness
}

// NewKnown makes one that has met none; sure is that of [NewPool].
func NewKnown(sure func(raw []byte, hinted bool) bool) *Known {
	return &Known{sure: sure, likes: map[likeKey]*likeness{}}
}

// Take reports that raw is a sign-in for certain. False leaves it to the slow way.
func (n *Known) Take(raw []byte, hinted bool) bool {
	shape, ok := n.dec.fast(raw, &n.event)
	switch {
	case !ok, shape == ShapeNone, n.event.Detail:
		return false
	case n.dec.same == nil:
		return n.sure(raw, hinted)
	}
	if key := (likeKey{n.dec.same, hinted}); n.last != key || n.like == nil {
		like := n.likes[key]
		if like == nil {
			if n.dec.by != nil && !n.dec.x.Scan(raw) { // its tokens were not listed yet
				return n.sure(raw, hinted)
			}
			like = newLikeness(&n.dec.x, n.sure(raw, hinted))
			n.likes[key] = like
		}
		n.last, n.like = key, like
	}
	if !n.like.sure {
		return false
	}
	if k := n.dec.by; k != nil {
		return k.tells(n.dec.makes.spans, raw) || n.sure(raw, hinted)
	}
	return n.like.telling(&n.dec.x) || n.sure(raw, hinted)
}

// likeKey is what makes one object like another: every key and the kind of every
// value.
type likeKey struct {
	t      *template
	hinted bool
}

// likeness is what objects that are like each other have in common.
type likeness struct {
	sure  bool
	texts []uint32 // tokens of the values that are texts, of the object itself
}

func newLikeness(x *jsonscan.Index, sure bool) *likeness {
	return &likeness{sure: sure, texts: topTexts(x)}
}

// topTexts lists the tokens of the values that are texts, of the object itself.
func topTexts(x *jsonscan.Index) (list []uint32) {
	depth := 0
	for k, c := range x.Kinds {
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			if depth == 1 && x.Kinds[k-1] == ':' {
				list = append(list, uint32(k))
			}
		}
	}
	return list
}

// telling reports for certain that more than a quarter of the object's texts are
// something else than the names of types.
func (l *likeness) telling(x *jsonscan.Index) bool {
	need := len(l.texts)/4 + 1
	for _, k := range l.texts {
		if s, _ := x.Content(int(k)); !TypeWord(s) {
			if need--; need == 0 {
				return true
			}
		}
	}
	return false
}

// TypeWord reports a text that may be the name of a type as documentation prints it
// in the place of a value.
func TypeWord(s string) bool {
	if len(s) < 4 || len(s) > 24 {
		return false
	}
	switch s[0] {
	case 'S', 'I', 'B', 'G', 'D', 'C', 'E', 's', 'b', 'i', 'n':
		return true
	}
	return false
}
