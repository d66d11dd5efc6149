package fold

import (
	"context"
	"errors"
	"io"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// Options say what a Fold takes and what it may use. The zero value keeps
// everything in memory, takes all clocks and prepares no CSV.
type Options struct {
	// Since and Until bound createdDateTime: Since <= created < Until. A zero
	// bound is open. Rows without a clock that can be read in one way are kept.
	Since, Until time.Time

	// CSV keeps what the rows of the CSV need; without it Finish writes none.
	CSV bool
	// Keep chooses the rows of the CSV; nil means all. It does not change the
	// summary. It is called from several goroutines at once and must not keep e.
	Keep func(e *signin.Event, j signin.Judgement) bool

	// Visit makes visitors that see every surviving row of a user, one for each
	// goroutine of Finish; nil means nobody looks. Finish calls it from its own
	// goroutine. It does not change the summary or the CSV.
	Visit func() signin.Visitor

	// Budget is how many bytes of rows and indexes stay in memory before the
	// rest goes to Scratch; zero means [DefaultBudget].
	Budget int64
	// Scratch makes the file to spill into; nil means memory only.
	Scratch Scratch

	// MaxAccounts, MaxApps and MaxDays bound the lists of the summary; zero means
	// [DefaultMaxAccounts] and so on. What lies beyond is counted under "others".
	MaxAccounts, MaxApps, MaxDays int
}

// The defaults of [Options].
const (
	DefaultBudget      = 8 << 20
	DefaultMaxAccounts = 1_000_000
	DefaultMaxApps     = 65_536
	DefaultMaxDays     = 4_000
)

func (o Options) withDefaults() Options {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&o.MaxAccounts, DefaultMaxAccounts)
	or(&o.MaxApps, DefaultMaxApps)
	or(&o.MaxDays, DefaultMaxDays)
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	return o
}

// Fold adds up sign-ins. Split the input over any number of folds in any way
// and merge them in any order: the summary and the CSV are the same.
//
// A Fold serves one goroutine. [Fold.Fork] makes folds for others, which share
// its budget and scratch file.
type Fold struct {
	opt      Options
	st       *store
	outRange int64
	applied  appliedLog
	newest   newest

	row      row
	policies []byte
	buf      []byte

	page     []byte // rows not yet sealed
	pageID   int    // -1 when no page is open
	pageRows int
	glossary glossary
	runs     []run
	open     bool // the last run may still grow

	lastSource signin.SourceRef
	lastID     uint32
	haveSource bool

	entries   []entry // not yet sealed
	spare     []entry
	prompts   []link
	successes []link
	late      []link  // of rows whose clock is read at the end; when is only the success bit
	steps     []entry // of authentication steps

	entryBlocks, promptBlocks, successBlocks, lateBlocks, stepBlocks []int
}

// run is a stretch of rows within one page that stand in input order.
type run struct {
	page                  int
	offset, end           int32
	first                 int32 // ordinal of the first row in the page
	source                uint32
	fromLine, fromIndex   uint32
	untilLine, untilIndex uint32
}

// New makes an empty fold.
func New(opt Options) *Fold {
	opt = opt.withDefaults()
	f := &Fold{opt: opt, st: newStore(opt.Scratch, opt.Budget), pageID: -1, glossary: glossary{page: -1}}
	f.st.enter()
	return f
}

// Fork makes an empty fold of the same options for another goroutine, in the
// same family: it shares the budget and the scratch file. Merge it back before
// the family is finished; while a fork is filled, no other fold of the family
// may be merged into a stranger or finished.
func (f *Fold) Fork() *Fold {
	f.st.enter()
	return &Fold{opt: f.opt, st: f.st, pageID: -1, glossary: glossary{page: -1}}
}

// Err reports the first failure of the scratch file. Add after it does
// nothing useful; Finish returns it.
func (f *Fold) Err() error {
	if f.st == nil {
		return errOver
	}
	return f.st.failure()
}

// errOver says that a fold was used after its end.
var errOver = errors.New("the fold was finished, merged or discarded before")

// Add takes one event. It keeps nothing of e. src should grow from call to
// call for as long as the input is read in order.
func (f *Fold) Add(e *signin.Event, src signin.SourceRef) {
	if e.Detail {
		f.addStep(e, src)
		return
	}
	if e.Clock != signin.ClockExact {
		f.st.learn(f.source(src), e, src)
	}
	if !e.Created.IsZero() && e.Clock != signin.ClockAmbiguous && !f.opt.takes(e.Created) {
		f.outRange++
		return
	}
	j := signin.Judge(e)
	r := &f.row
	csv := f.opt.CSV && (f.opt.Keep == nil || e.AwaitsSteps() || f.opt.Keep(e, j))
	f.policies = r.fill(e, &j, csv, f.opt.Visit != nil && j.Verdict != signin.NotUser, f.policies)
	r.source = f.source(src)
	r.line, r.index = uint32(src.Line), uint32(src.Index)
	if r.flags&flagCreated != 0 {
		f.newest.see(r.source, r.created)
	}
	ref := f.append(r)
	if len(e.Policies) > 0 && j.Verdict != signin.NotUser && inOwnTenant(e) {
		f.applied.see(e.Policies, r.created, src)
	}

	var x entry
	x.hi, x.lo, f.buf = idKey(e, f.buf)
	x.ref = ref
	f.entries = append(room(f.entries, blockEntries), x)
	if len(f.entries) >= blockEntries {
		f.sealEntries()
	}
	if r.verdict == signin.Interrupted || r.flags&flagSuccess != 0 && r.verdict != signin.NotUser {
		f.link(e, r, ref)
	}
}

func (f *Fold) source(src signin.SourceRef) uint32 {
	if !f.haveSource || src.Path != f.lastSource.Path || src.Part != f.lastSource.Part || src.Seq != f.lastSource.Seq {
		f.lastID = f.st.source(src)
		f.lastSource, f.haveSource = src, true
		f.open = false
	}
	return f.lastID
}

// append puts a row at the end of the open page.
func (f *Fold) append(r *row) rowRef {
	if f.pageID < 0 {
		f.pageID, f.pageRows = f.st.reserve(), 0
		f.open = false
		if f.glossary.page < 0 {
			f.glossary.page = f.st.reserve()
		}
		f.st.names(f.pageID, f.glossary.page)
	}
	offset := len(f.page)
	if cap(f.page)-offset < 512 {
		f.page = room(f.page, pageSize+4096)
	}
	f.page = r.encode(f.page, &f.glossary)
	ref := makeRef(f.pageID, offset, f.pageRows)
	f.pageRows++

	if n := len(f.runs) - 1; f.open && f.runs[n].source == r.source &&
		(f.runs[n].untilLine < r.line || f.runs[n].untilLine == r.line && f.runs[n].untilIndex < r.index) {
		f.runs[n].end, f.runs[n].untilLine, f.runs[n].untilIndex = int32(len(f.page)), r.line, r.index
	} else {
		f.runs = append(f.runs, run{f.pageID, int32(offset), int32(len(f.page)), int32(f.pageRows - 1), r.source, r.line, r.index, r.line, r.index})
		f.open = true
	}
	full := f.glossary.full()
	if full || len(f.page) >= pageSize || f.pageRows == pageRows {
		f.sealPage()
	}
	if full {
		f.sealGlossary()
	}
	return ref
}

// room is list with room for one more, grown fast and never far beyond limit, which
// it is emptied at.
func room[T any](list []T, limit int) []T {
	if len(list) < cap(list) && len(list) < limit || cap(list) >= limit {
		return list
	}
	return append(make([]T, 0, min(limit, max(64, 4*cap(list)))), list...)
}

// Break says that the next event does not follow the last one in its input.
func (f *Fold) Break() { f.open = false }

// link notes a prompt or a success for the correlation of prompts with the
// success they led to.
func (f *Fold) link(e *signin.Event, r *row, ref rowRef) {
	when, ok := sessionClock(r)
	late := r.flags&flagLate != 0
	if !ok && !late || e.CorrelationID == "" || e.CorrelationID == entra.NilID {
		return
	}
	account := r.accountKey()
	if account == "" {
		return
	}
	l := link{when: when << 1, ref: ref}
	l.hi, l.lo = sessionKey(texts.Lower(e.CorrelationID), account)
	if late { // when is told at the end
		l.when = uint64(flagged(r, flagSuccess))
		f.late = append(room(f.late, blockLinks), l)
		if len(f.late) >= blockLinks {
			f.lateBlocks = f.sealLinks(f.late, f.lateBlocks)
			f.late = f.late[:0]
		}
		return
	}
	if r.verdict == signin.Interrupted {
		f.prompts = append(room(f.prompts, blockLinks), l)
		if len(f.prompts) >= blockLinks {
			f.promptBlocks = f.sealLinks(f.prompts, f.promptBlocks)
			f.prompts = f.prompts[:0]
		}
		return
	}
	l.when |= 1
	f.successes = append(room(f.successes, blockLinks), l)
	if len(f.successes) >= blockLinks {
		f.successBlocks = f.sealLinks(f.successes, f.successBlocks)
		f.successes = f.successes[:0]
	}
}

// sessionClock is the row's clock in nanoseconds since 1900, which is what
// correlation works with; clocks past 2190 take no part in it.
func sessionClock(r *row) (uint64, bool) {
	const epoch1900 = -2208988800
	sec := r.created.sec - epoch1900
	if r.flags&flagCreated == 0 || sec < 0 || sec > 290*365*24*3600 {
		return 0, false
	}
	return uint64(sec)*1e9 + uint64(r.created.nsec), true
}

func (f *Fold) sealPage() {
	if f.pageID < 0 {
		return
	}
	f.st.seal(f.pageID, f.page, f.pageRows)
	f.pageID = -1
	if cap(f.page) > 4*pageSize {
		f.page = nil
	}
	f.page = f.page[:0]
	f.open = false
}

// sealGlossary stores the open glossary. The page that names its tuples must be sealed.
func (f *Fold) sealGlossary() {
	if g := &f.glossary; g.page >= 0 {
		f.st.sealGlossary(g.page, g.sealed(), len(g.offsets))
		g.reset()
	}
}

func (f *Fold) sealEntries() {
	if len(f.entries) == 0 {
		return
	}
	if len(f.spare) < len(f.entries) {
		f.spare = make([]entry, cap(f.entries))
	}
	sortEntries(f.entries, f.spare)
	id := f.st.reserve()
	f.st.seal(id, entriesAsBytes(f.entries), 0)
	f.entryBlocks = append(f.entryBlocks, id)
	f.entries = f.entries[:0]
}

func (f *Fold) sealLinks(l []link, blocks []int) []int {
	if len(l) == 0 {
		return blocks
	}
	id := f.st.reserve()
	f.st.seal(id, linksAsBytes(l), 0)
	return append(blocks, id)
}

// seal closes everything open and frees the buffers.
func (f *Fold) seal() {
	f.sealPage()
	f.sealGlossary()
	f.sealEntries()
	f.promptBlocks = f.sealLinks(f.prompts, f.promptBlocks)
	f.successBlocks = f.sealLinks(f.successes, f.successBlocks)
	f.lateBlocks = f.sealLinks(f.late, f.lateBlocks)
	f.sealSteps()
	f.page, f.entries, f.spare, f.prompts, f.successes, f.late, f.steps = nil, nil, nil, nil, nil, nil, nil
	f.glossary = glossary{page: -1}
}

// Merge takes over everything other has seen; other must not be used again.
// Folds of one family share their pages; those of a stranger are copied.
func (f *Fold) Merge(other *Fold) {
	if other == nil || other == f || other.st == nil {
		return
	}
	other.seal()
	f.outRange += other.outRange
	f.applied.merge(&other.applied)
	if other.st != f.st {
		other.moveTo(f.st)
	}
	f.newest.join(other.newest)
	f.runs = append(f.runs, other.runs...)
	f.open = false
	f.entryBlocks = append(f.entryBlocks, other.entryBlocks...)
	f.promptBlocks = append(f.promptBlocks, other.promptBlocks...)
	f.successBlocks = append(f.successBlocks, other.successBlocks...)
	f.lateBlocks = append(f.lateBlocks, other.lateBlocks...)
	f.stepBlocks = append(f.stepBlocks, other.stepBlocks...)
	if err := other.st.leave(); err != nil {
		f.st.fail(err)
	}
	*other = Fold{}
}

// Finish closes the fold and returns what it adds up to. With a writer and
// Options.CSV it also writes the CSV, header first, in input order and without
// superseded copies; an error of the writer is returned as is. The fold must
// not be used again, and its scratch file is closed in any case.
func (f *Fold) Finish(ctx context.Context, csv io.Writer) (signin.Summary, error) {
	if f.st == nil {
		return signin.Summary{}, errOver
	}
	f.seal()
	s, err := f.finish(ctx, csv)
	if cerr := f.st.leave(); err == nil && cerr != nil {
		err = cerr
	}
	*f = Fold{}
	if err != nil {
		return signin.Summary{}, err
	}
	return s, nil
}

// Discard gives memory and scratch file back without finishing, after an error
// or when the result is not wanted. Finish after it fails; a second Discard, or
// one after Finish, does nothing. Forks must have been merged, or be discarded
// too: the file is closed with the last of the family.
func (f *Fold) Discard() {
	if f.st == nil {
		return
	}
	if err := f.st.leave(); err != nil {
		f.st.fail(err) // for the folds of the family that go on
	}
	*f = Fold{}
}
