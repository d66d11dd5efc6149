package fold

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"partnerguard/internal/signin"
)

// marks is one bit for each row, kept by page.
type marks struct {
	st   *store
	bits [][]uint64 // by page; nil where no bit is set
}

func (m *marks) set(ref rowRef) {
	if m.bits == nil {
		m.bits = make([][]uint64, len(m.st.pages))
	}
	p := ref.page()
	if m.bits[p] == nil {
		m.bits[p] = make([]uint64, m.st.pages[p].rows/64+1)
	}
	m.bits[p][ref.ordinal()/64] |= 1 << (ref.ordinal() % 64)
}

func (m *marks) has(page, ordinal int) bool {
	return m.bits != nil && m.bits[page] != nil && m.bits[page][ordinal/64]>>(ordinal%64)&1 != 0
}

// finish works in three passes: the index finds superseded copies, the
// sessions find completed prompts, and then all rows are read once, in input
// order, to be counted and written.
func (f *Fold) finish(ctx context.Context, csv io.Writer) (signin.Summary, error) {
	if err := f.st.failure(); err != nil {
		return signin.Summary{}, err
	}
	f.st.rankSources()
	superseded := marks{st: f.st}
	duplicates, err := f.deduplicate(ctx, &superseded)
	if err != nil {
		return signin.Summary{}, err
	}
	if err := f.linkLate(ctx); err != nil {
		return signin.Summary{}, err
	}
	joined, orphans, err := f.joinSteps(ctx, &superseded)
	if err != nil {
		return signin.Summary{}, err
	}
	completed := marks{st: f.st}
	if err := f.correlate(ctx, &superseded, &completed); err != nil {
		return signin.Summary{}, err
	}
	p := pass{fold: f, superseded: &superseded, completed: &completed, joined: joined}
	if csv != nil && f.opt.CSV {
		p.out = csv
	}
	total, err := p.run(ctx)
	if err != nil {
		return signin.Summary{}, err
	}
	total.sum.Duplicates = duplicates
	total.sum.OutOfRange += f.outRange
	total.sum.Applied = f.applied.result()
	total.sum.Clocks = f.clockNotes()
	total.sum.Newest = f.newest.byPath(f.st)
	if f.opt.Since.IsZero() && f.opt.Until.IsZero() {
		total.sum.OrphanSteps = orphans
	}
	return total.result(), nil
}

// deduplicate reads the index in order of id and marks all copies but the
// best. It needs the memory of two rows, however many copies there are.
func (f *Fold) deduplicate(ctx context.Context, superseded *marks) (n int64, err error) {
	m := newMerger(f.st, f.entryBlocks, 4<<20, compareEntry)
	var best, next row
	var bestBuf, nextBuf []byte
	prev, ok := m.pop()
	loaded := false // best holds prev's row
	for i := 0; ok; i++ {
		if i&0xffff == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		var e entry
		if e, ok = m.pop(); !ok {
			break
		}
		if e.hi != prev.hi || e.lo != prev.lo {
			prev, loaded = e, false
			continue
		}
		if !loaded {
			if bestBuf, err = f.st.load(prev.ref, &best, bestBuf); err != nil {
				return 0, err
			}
			loaded = true
		}
		if nextBuf, err = f.st.load(e.ref, &next, nextBuf); err != nil {
			return 0, err
		}
		n++
		d := cmp.Or(next.compareCopies(&best), f.st.compare(&best, &next), next.compareDevices(&best))
		if d > 0 {
			superseded.set(prev.ref)
			prev = e
			best, next = next, best
			bestBuf, nextBuf = nextBuf, bestBuf
		} else {
			superseded.set(e.ref)
		}
	}
	return n, m.err
}

// window is how long after a prompt a success still belongs to it.
const window = 15 * 60 * 1e9

// correlate marks the prompts that a success of the same user with the same
// correlation id followed within the window. Successes of sessions without a
// prompt, nearly all, are sieved out before anything is sorted.
func (f *Fold) correlate(ctx context.Context, superseded, completed *marks) error {
	if len(f.promptBlocks) == 0 || len(f.successBlocks) == 0 {
		return nil
	}
	const sieveBits = 23
	sieve := make([]uint64, 1<<sieveBits/64)
	sorter := linkSorter{st: f.st}
	var buf []byte
	each := func(blocks []int, visit func(link)) error {
		for _, id := range blocks {
			if err := ctx.Err(); err != nil {
				return err
			}
			b, scratch, err := f.st.read(id, 0, int(f.st.pages[id].size), buf)
			if err != nil {
				return err
			}
			buf = scratch
			for len(b) > 0 {
				visit(*linkAt(b))
				b = b[linkBytes:]
			}
		}
		return nil
	}
	err := each(f.promptBlocks, func(l link) {
		if !superseded.has(l.ref.page(), l.ref.ordinal()) {
			h := l.hi >> (64 - sieveBits)
			sieve[h/64] |= 1 << (h % 64)
			sorter.add(l)
		}
	})
	if err != nil {
		return err
	}
	err = each(f.successBlocks, func(l link) {
		h := l.hi >> (64 - sieveBits)
		if sieve[h/64]>>(h%64)&1 != 0 && !superseded.has(l.ref.page(), l.ref.ordinal()) {
			sorter.add(l)
		}
	})
	if err != nil {
		return err
	}
	sorter.seal()
	if err := f.st.failure(); err != nil {
		return err
	}
	// A session's rows come newest first, so the success last seen is the
	// nearest one after the prompt.
	m := newMerger(f.st, sorter.blocks, 4<<20, compareLink)
	var success link
	for {
		l, ok := m.pop()
		if !ok {
			return m.err
		}
		if l.when&1 != 0 {
			success = l
		} else if l.hi == success.hi && l.lo == success.lo && success.when != 0 && success.when>>1-l.when>>1 <= window {
			completed.set(l.ref)
		}
	}
}

// linkSorter collects links into sorted blocks.
type linkSorter struct {
	st     *store
	links  []link
	blocks []int
}

func (s *linkSorter) add(l link) {
	s.links = append(room(s.links, 4*blockLinks), l)
	if len(s.links) >= 4*blockLinks {
		s.seal()
	}
}

func (s *linkSorter) seal() {
	if len(s.links) == 0 {
		return
	}
	slices.SortFunc(s.links, compareLink)
	id := s.st.reserve()
	s.st.seal(id, linksAsBytes(s.links), 0)
	s.blocks = append(s.blocks, id)
	s.links = s.links[:0]
}

// pass reads all rows once.
type pass struct {
	fold                  *Fold
	superseded, completed *marks
	joined                *joinedRows // nil without steps
	out                   io.Writer   // nil without CSV
}

// run counts the rows and writes the CSV. Runs of rows that follow one another
// are shared out over all cores; where runs overlap, which happens when folds
// that read the same stretch of input were merged, they are merged by place.
func (p *pass) run(ctx context.Context) (*aggregate, error) {
	st, runs := p.fold.st, p.fold.runs
	slices.SortFunc(runs, func(a, b run) int {
		return cmp.Or(cmp.Compare(st.rank[a.source], st.rank[b.source]), cmp.Compare(a.fromLine, b.fromLine),
			cmp.Compare(a.fromIndex, b.fromIndex), cmp.Compare(a.page, b.page), cmp.Compare(a.offset, b.offset))
	})
	if p.out != nil {
		if _, err := p.out.Write(AppendCSVHeader(nil)); err != nil {
			return nil, err
		}
	}
	var parts [][]run // each to be worked on alone, in order
	for start := 0; start < len(runs); {
		end, bytes := start+1, runs[start].end-runs[start].offset
		until := runs[start]
		for end < len(runs) {
			next := &runs[end]
			apart := st.rank[next.source] > st.rank[until.source] ||
				cmp.Or(cmp.Compare(next.fromLine, until.untilLine), cmp.Compare(next.fromIndex, until.untilIndex)) > 0
			if apart && bytes > 256<<10 {
				break
			}
			bytes += next.end - next.offset
			if st.rank[next.source] > st.rank[until.source] || cmp.Or(cmp.Compare(next.untilLine, until.untilLine),
				cmp.Compare(next.untilIndex, until.untilIndex)) > 0 {
				until = *next
			}
			end++
		}
		parts = append(parts, runs[start:end])
		start = end
	}
	return p.parallel(ctx, parts)
}

// parallel works on parts on all cores and writes their CSV in order. No more
// than a few parts' text waits in memory.
func (p *pass) parallel(ctx context.Context, parts [][]run) (*aggregate, error) {
	workers := max(1, min(runtime.GOMAXPROCS(0), len(parts)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type text struct {
		b   []byte
		err error
	}
	texts := make([]chan text, len(parts))
	for i := range texts {
		texts[i] = make(chan text, 1)
	}
	tokens := make(chan struct{}, 2*workers)
	spare := make(chan []byte, 2*workers)
	aggregates := make([]*aggregate, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		aggregates[w] = newAggregate(p.fold.opt, p.fold.st)
		reader := rowReader{pass: p, agg: aggregates[w]}
		if p.fold.opt.Visit != nil {
			reader.visitor = p.fold.opt.Visit()
		}
		wg.Go(func() {
			for {
				select {
				case tokens <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1) - 1)
				if i >= len(parts) {
					return
				}
				var b []byte
				select {
				case b = <-spare:
				default:
				}
				b, err := reader.part(parts[i], b[:0])
				texts[i] <- text{b, err}
			}
		})
	}
	var err error
	for i := range texts {
		var t text
		select {
		case t = <-texts[i]:
		case <-ctx.Done():
			t.err = ctx.Err()
		}
		if err = t.err; err == nil && p.out != nil {
			_, err = p.out.Write(t.b)
		}
		if err != nil {
			cancel()
			break
		}
		select {
		case spare <- t.b:
		default:
		}
		<-tokens
	}
	cancel()
	wg.Wait()
	if err != nil {
		return nil, err
	}
	total := aggregates[0]
	for _, a := range aggregates[1:] {
		total.merge(a)
	}
	return total, nil
}
