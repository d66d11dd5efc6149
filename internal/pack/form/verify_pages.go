package form

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"sync"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
)

// evidence checks that each page is that of its segment, and each segment that of the
// trail.
func (c *checker) evidence(ctx context.Context) error {
	if c.m.Evidence == None {
		if c.Size(IndexName) >= 0 || c.Size(SegmentsName) >= 0 {
			c.fault(Structure, IndexName, "it is in the file, and the pack says that it has no evidence")
		}
		if names := c.Names(); len(names) > 0 && isPage(names[0]) { // no index lists it, so nothing else would say so
			c.fault(Structure, names[0], "it is in the file, and the pack says that it has no evidence")
		}
		return nil
	}
	e := &evidence{checker: c, rule: c.m.Rule(), runs: map[string]*reading{}, jobs: make(chan job, 64)}
	if c.Size(IndexName) < 0 || c.Size(SegmentsName) < 0 {
		c.fault(Structure, IndexName, "it or %s is missing", SegmentsName)
		return nil
	}
	workers := sync.WaitGroup{}
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() { e.work(ctx) })
	}
	err := e.all(ctx)
	close(e.jobs)
	workers.Wait()
	if err != nil {
		return err
	}
	e.whole()
	return ctx.Err()
}

// evidence is the checking of the pages.
type evidence struct {
	*checker
	rule *leaf.Rule
	jobs chan job
	runs map[string]*reading

	mu     sync.Mutex // guards what Verified collects, and counts
	counts leaf.Counts
}

// reading is what there is of a run.
type reading struct {
	numbers []int
	end     *segment.Run
	where   string
}

// job is a page to be held to its line.
type job struct {
	name  string
	said  segment.Said
	bytes int64  // of a cut file
	sum   string // of a cut file
	// found takes the page's root, of a cut one.
	found *leaf.Hash
	first *leaf.Record // the line, cut
	done  *sync.WaitGroup
}

func (e *evidence) tell(c Check, where string, format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault(c, where, format, args...)
}

// all goes through the segments and the index side by side.
func (e *evidence) all(ctx context.Context) error {
	var list []placed
	seen, seqs := map[string]bool{}, map[int64]bool{}
	err := e.lines(SegmentsName, maxSegmentLine, func(n int, line []byte) error {
		var s Segment
		if err := decode(line, &s); err != nil || !segment.IsName(s.Segment) || s.Entries < 1 || s.Entries > segment.MaxEntries+1 {
			return broken("line %d of it is none", n)
		}
		if seen[s.Segment] || seqs[s.Seq] {
			return broken("line %d of it is of a segment, or an entry of the trail, that is there twice", n)
		}
		hashes, ok := decodeHashes(s.Hashes)
		if !ok {
			return broken("the hashes of %s cannot be read", s.Segment)
		}
		seen[s.Segment], seqs[s.Seq], s.Hashes = true, true, nil
		list = append(list, placed{s, hashes})
		return nil
	})
	if err != nil {
		e.tell(Page, SegmentsName, "%s", words(err))
		return nil //nolint:nilerr // said
	}
	e.Segments = len(list)
	g := gathered{e: e, list: list, names: e.Names()}
	if err := e.EachIndex(func(x *Index) error { return g.add(ctx, x) }); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.tell(Page, IndexName, "%s", words(err))
		return nil
	}
	g.end()
	return nil
}

// placed is a segment with its hashes, which take less memory than their text.
type placed struct {
	said   Segment
	hashes []leaf.Hash
}

// gathered is the segment whose entries are read.
type gathered struct {
	e      *evidence
	list   []placed // those that are left
	names  []string // entries of the file that are left
	set    []int64
	leaves []*leaf.Hash
	wait   *sync.WaitGroup
}

func (g *gathered) add(ctx context.Context, x *Index) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for len(g.list) > 0 && g.list[0].said.Segment != x.Segment {
		if len(g.set) == 0 {
			return broken("an entry of %s is in it, and the segments have it elsewhere, or not", x.Segment)
		}
		g.close()
	}
	if len(g.list) == 0 {
		return broken("an entry of %s is in it, and the segments have it elsewhere, or not", x.Segment)
	}
	if n := len(g.set); n > 0 && x.Index <= g.set[n-1] {
		return broken("entry %d of %s is behind entry %d: they are in another order, or one is there twice", x.Index, x.Segment, g.set[n-1])
	}
	if (g.e.rule != nil) != (x.Cut != nil) {
		return broken("entry %d of %s is not kept as the redaction says", x.Index, x.Segment)
	}
	entry, cut, err := x.Entry()
	if err != nil {
		return broken("entry %d of %s: %s", x.Index, x.Segment, words(err))
	}
	return g.take(x, entry, cut)
}

func (g *gathered) take(x *Index, entry *segment.Entry, cut *leaf.Record) error {
	if g.wait == nil {
		g.wait = &sync.WaitGroup{}
	}
	h := new(leaf.Hash)
	g.set, g.leaves = append(g.set, x.Index), append(g.leaves, h)
	e := g.e
	if cut != nil {
		e.mu.Lock()
		if err := e.rule.Check(cut, true, &e.counts); err != nil {
			e.add(Redaction, IndexName, problem.New(problem.Unmet, "entry %d of %s: %s", x.Index, x.Segment, words(err)))
		}
		e.mu.Unlock()
	}
	if entry.Run != nil {
		e.run(entry.Run.ID, x.Segment).end = entry.Run
		if *h = segment.Leaf([]byte(x.Line)); cut != nil {
			var t leaf.Stack
			t.Add(leaf.Over(cut.Root))
			*h = leaf.Over(t.Root())
		}
		return e.of(entry.Run.Tenant, x)
	}
	p := entry.Page
	e.run(p.Run, x.Segment).numbers = append(e.run(p.Run, x.Segment).numbers, p.Number)
	if p.At.After(e.m.AsOf) {
		e.tell(Page, IndexName, "entry %d of %s was answered after the moment that is judged", x.Index, x.Segment)
	}
	name := PageName(x.Segment, x.Index, cut != nil)
	if len(g.names) == 0 || g.names[0] != name {
		return broken("%s is not the next page of the file: it is missing, or stands elsewhere", name)
	}
	g.names = g.names[1:]
	e.Verified.Pages++
	e.PageBytes += e.Size(name)
	*h = segment.Leaf([]byte(x.Line))
	j := job{name: name, said: entry.Said(), done: g.wait}
	if cut != nil {
		j.found, j.first, j.bytes, j.sum = h, cut, x.Bytes, x.SHA256
	}
	g.wait.Add(1)
	e.jobs <- j
	return e.of(p.Tenant, x)
}

func (e *evidence) run(id, where string) *reading {
	if e.runs[id] == nil {
		e.runs[id] = &reading{where: where}
	}
	return e.runs[id]
}

func (e *evidence) of(tenant string, x *Index) error {
	if tenant != e.m.Tenant {
		return broken("entry %d of %s is of the tenant %s, and the pack of %s", x.Index, x.Segment, tenant, e.m.Tenant)
	}
	return nil
}

// close folds the entries of a segment to its root.
func (g *gathered) close() {
	e, s, hashes := g.e, g.list[0].said, g.list[0].hashes
	if g.wait != nil {
		g.wait.Wait()
	}
	at, known := e.kept[s.Seq]
	switch {
	case !known:
		e.tell(Trail, SegmentsName, "entry %d of the trail, which is to have the root of %s, is not in the pack, or is of something else", s.Seq, s.Segment)
	case at.segment != s.Segment || at.tenant != e.m.Tenant || at.root != s.Root || at.entries != s.Entries:
		e.tell(Page, SegmentsName, "entry %d of the trail says something else of %s", s.Seq, s.Segment)
	default:
		root, err := leaf.Fold(s.Entries, g.set, func(i int) leaf.Hash { return *g.leaves[i] }, hashes)
		if err != nil || hex.EncodeToString(root[:]) != s.Root {
			e.tell(Page, SegmentsName, "the entries of %s are not under the root that the trail has: one was changed, taken away or added", s.Segment)
		}
	}
	g.list, g.set, g.leaves, g.wait = g.list[1:], g.set[:0], g.leaves[:0], nil
}

// end closes the last one, and tells of what is left.
func (g *gathered) end() {
	if len(g.set) > 0 {
		g.close()
	}
	for _, s := range g.list {
		g.e.tell(Page, SegmentsName, "%s is in it, and the index has no entry of it", s.said.Segment)
	}
	if len(g.names) > 0 && isPage(g.names[0]) {
		g.e.tell(Structure, g.names[0], "it is in the file, and the index does not list it")
	}
	if m := g.e.m.Pages; m.Count != g.e.Verified.Pages || m.Bytes != g.e.PageBytes {
		g.e.tell(Structure, ManifestName, "it says that there are %d pages of %d bytes, and there are %d of %d", m.Count, m.Bytes,
			g.e.Verified.Pages, g.e.PageBytes)
	}
}

// whole holds readings that say that they are whole to what there is of them.
func (e *evidence) whole() {
	if e.rule != nil && e.counts != *e.m.Leaves {
		e.fault(Redaction, ManifestName, "it says %+v, and there is %+v: the redaction was widened or narrowed", *e.m.Leaves, e.counts)
	}
	if e.m.Evidence != All {
		return
	}
	for id, r := range e.runs {
		if r.end == nil || !r.end.Whole || slices.Contains(e.m.Lacking, id) {
			continue
		}
		slices.Sort(r.numbers)
		if n := len(slices.Compact(r.numbers)); n < r.end.Pages {
			e.fault(Page, IndexName, "the reading %s in %s has %d pages, and %d of them are here", id, r.where, r.end.Pages, n)
		}
	}
}

// work holds pages to their lines.
func (e *evidence) work(ctx context.Context) {
	buf := make([]byte, 1<<18)
	for j := range e.jobs {
		if ctx.Err() == nil {
			if j.first != nil {
				e.cut(&j)
			} else {
				e.page(&j, buf)
			}
		}
		j.done.Done()
	}
}

// page holds a page to its line: its length, and the sum of what is kept of it.
func (e *evidence) page(j *job, buf []byte) {
	in, err := e.Open(j.name)
	if err != nil {
		e.tell(Structure, j.name, "%s", words(err))
		return
	}
	want := j.said.Bytes
	if j.said.Packed > 0 {
		want = j.said.Packed
	}
	sum, crc := sha256.New(), uint32(0)
	for {
		n, err := in.Read(buf)
		crc = crc32.Update(crc, crc32.IEEETable, buf[:n])
		sum.Write(buf[:n])
		if err == io.EOF { //nolint:errorlint // as io.Reader gives it
			break
		}
		if err != nil {
			e.tell(Structure, j.name, "it cannot be read")
			return
		}
	}
	switch {
	case in.Size() != want || hex.EncodeToString(sum.Sum(nil)) != j.said.SHA256:
		e.tell(Page, j.name, "it is not the page of its line: it was changed, or is of another")
	case crc != e.items[e.by[j.name]].crc:
		e.tell(Structure, j.name, "its CRC-32 is another than its header says")
	}
	e.mu.Lock()
	e.progress(in.Size())
	e.mu.Unlock()
}

// cut holds the records of a page to its sum and to the rule, and finds its root.
func (e *evidence) cut(j *job) {
	in, err := e.Open(j.name)
	if err != nil {
		e.tell(Structure, j.name, "%s", words(err))
		return
	}
	sum, crc := sha256.New(), crc32.NewIEEE()
	var t leaf.Stack
	t.Add(leaf.Over(j.first.Root))
	var counts leaf.Counts
	err = eachLine(io.TeeReader(in, io.MultiWriter(sum, crc)), j.name, leaf.MaxLine, func(n int, line []byte) error {
		r, err := leaf.Parse(line)
		if err != nil {
			return broken("record %d of it is none", n)
		}
		if err := e.rule.Check(r, false, &counts); err != nil {
			e.tell(Redaction, j.name, "record %d: %s", n, words(err))
		}
		t.Add(leaf.Over(r.Root))
		return nil
	})
	if err != nil {
		e.tell(Redaction, j.name, "%s", words(err))
		_, err = io.Copy(io.MultiWriter(sum, crc), in)
	}
	switch {
	case err != nil || crc.Sum32() != e.items[e.by[j.name]].crc:
		e.tell(Structure, j.name, "it cannot be read, or its CRC-32 is another than its header says")
	case in.Size() != j.bytes || hex.EncodeToString(sum.Sum(nil)) != j.sum:
		e.tell(Sum, j.name, "it is not the one that the index lists: it was changed")
	}
	*j.found = leaf.Over(t.Root())
	e.mu.Lock()
	e.counts.Shown += counts.Shown
	e.counts.ByMember += counts.ByMember
	e.counts.ByLook += counts.ByLook
	e.counts.Withheld += counts.Withheld
	e.progress(j.bytes)
	e.mu.Unlock()
}
