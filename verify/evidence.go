package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// segmentLine says by which hashes entries are in their segment.
type segmentLine struct {
	Segment      string
	Seq, Entries int64
	Root         string
	Hashes       []hash
}

// indexLine is an entry of a segment.
type indexLine struct {
	Segment, Line, SHA256 string
	Index, Bytes          int64
	Cut                   json.RawMessage
}

// archived is what the line of an entry says.
type archived struct {
	Page *struct {
		Tenant, Run, SHA256   string
		Number                int
		At                    time.Time
		Bytes, Packed, Status int64
	}
	Run *struct {
		ID, Tenant string
		Whole      bool
		Pages      int
	}
}

// reading is what there is of a reading of a list.
type reading struct {
	numbers []int
	ended   bool
	pages   int
}

// evidence checks that each page is under the root of its segment, and that root in the
// trail.
type evidence struct {
	*checker
	rule   *rule
	counts Counts
	runs   map[string]*reading
	names  []string // entries of the file that are left
	list   []segmentLine
	set    []int64
	leaves []hash
}

func (c *checker) evidence() {
	const index, segments = "evidence/index.jsonl", "evidence/segments.jsonl"
	_, has := c.a.by[index]
	if c.m.Evidence == "none" {
		if has {
			c.fault("structure", index, "it is in the file, and the pack says that it has no evidence")
		}
		if first := c.a.files[0].name; pageForm.MatchString(first) { // no index lists it, so nothing else would say so
			c.fault("structure", first, "it is in the file, and the pack says that it has no evidence")
		}
		return
	}
	e := &evidence{checker: c, rule: ruleOf(c.m), runs: map[string]*reading{}}
	for _, f := range c.a.files {
		e.names = append(e.names, f.name)
	}
	seen := map[string]bool{}
	err := c.lines(segments, 8<<20, func(n int, line []byte) error {
		var s segmentLine
		if decode(line, &s) != nil || s.Entries < 1 || s.Entries > 1<<17+1 || seen[s.Segment] || seen[strconv.FormatInt(s.Seq, 10)] {
			return fmt.Errorf("line %d of it is none, or is there twice", n)
		}
		seen[s.Segment], seen[strconv.FormatInt(s.Seq, 10)] = true, true
		e.list = append(e.list, s)
		return nil
	})
	if err != nil {
		c.fault("evidence", segments, "%s", err)
		return
	}
	c.Segments = len(e.list)
	if err := c.lines(index, 4<<20, e.add); err != nil {
		c.fault("evidence", index, "%s", err)
		return
	}
	e.end()
}

func (e *evidence) add(n int, line []byte) error {
	var x indexLine
	if decode(line, &x) != nil || x.Index < 0 || x.Index > 1<<17 || (x.Line == "") == (x.Cut == nil) || (e.rule != nil) != (x.Cut != nil) ||
		x.Line != "" && x.SHA256 != "" {
		return fmt.Errorf("line %d of it is none", n)
	}
	for len(e.list) > 0 && e.list[0].Segment != x.Segment && len(e.set) > 0 {
		e.close()
	}
	if len(e.list) == 0 || e.list[0].Segment != x.Segment {
		return fmt.Errorf("an entry of %s is in it, and the segments have it elsewhere, or not", x.Segment)
	}
	if k := len(e.set); k > 0 && x.Index <= e.set[k-1] {
		return fmt.Errorf("entry %d of %s: they are in another order, or one is there twice", x.Index, x.Segment)
	}
	text, first := []byte(x.Line), (*record)(nil)
	if x.Cut != nil {
		var err error
		if first, err = parseRecord(x.Cut); err != nil {
			return fmt.Errorf("entry %d of %s: %w", x.Index, x.Segment, err)
		}
		if err := e.rule.check(first, true, &e.counts); err != nil {
			e.fault("redaction", "evidence/index.jsonl", "entry %d of %s: %s", x.Index, x.Segment, err)
		}
		text = first.flat()
	}
	var said archived
	if json.Unmarshal(text, &said) != nil || (said.Page == nil) == (said.Run == nil) || first != nil && (said.Page == nil) != (x.SHA256 == "") {
		return fmt.Errorf("entry %d of %s is neither a page nor the end of a reading", x.Index, x.Segment)
	}
	e.set = append(e.set, x.Index)
	h := leafHash(text)
	if said.Run != nil {
		if first != nil {
			h = over(rootOf([]hash{over(first.root)}))
		}
		e.leaves = append(e.leaves, h)
		r := e.reading(said.Run.ID)
		r.ended, r.pages = said.Run.Whole, said.Run.Pages
		return e.of(said.Run.Tenant, &x)
	}
	p := said.Page
	r := e.reading(p.Run)
	r.numbers = append(r.numbers, p.Number)
	if p.At.After(e.m.AsOf) {
		e.fault("evidence", "evidence/index.jsonl", "entry %d of %s was answered after the moment that is judged", x.Index, x.Segment)
	}
	name := "evidence/" + x.Segment + "/" + strconv.FormatInt(x.Index, 10) + map[bool]string{true: ".cut", false: ".page"}[first != nil]
	if len(e.names) == 0 || e.names[0] != name {
		return fmt.Errorf("%s is not the next page of the file: it is missing, or stands elsewhere", name)
	}
	e.names = e.names[1:]
	e.Pages++
	e.PageBytes += e.a.files[e.a.by[name]].size
	if first == nil {
		e.page(name, &said)
	} else {
		var err error
		if h, err = e.cut(name, &x, first); err != nil {
			e.fault("redaction", name, "%s", err)
		}
	}
	e.leaves = append(e.leaves, h)
	return e.of(p.Tenant, &x)
}

func (e *evidence) reading(id string) *reading {
	if e.runs[id] == nil {
		e.runs[id] = &reading{}
	}
	return e.runs[id]
}

func (e *evidence) of(tenant string, x *indexLine) error {
	if tenant != e.m.Tenant {
		return fmt.Errorf("entry %d of %s is of another tenant than the pack", x.Index, x.Segment)
	}
	return nil
}

// page holds a page to its line: what is kept of it is hashed, a large one as the zstd
// frame that it is.
func (e *evidence) page(name string, said *archived) {
	want := said.Page.Bytes
	if said.Page.Packed > 0 {
		want = said.Page.Packed
		e.Frames++
	}
	sum, size, err := e.sumOf(name)
	if size != want || sum != said.Page.SHA256 {
		e.fault("evidence", name, "it is not the page of its line: it was changed, or is of another")
	} else if err != nil {
		e.fault("structure", name, "%s", err)
	}
}

// cut holds the records of a page to its sum and to the rule, and gives the page's leaf.
func (e *evidence) cut(name string, x *indexLine, first *record) (hash, error) {
	sum, size, err := e.sumOf(name)
	if size != x.Bytes || sum != x.SHA256 {
		e.fault("sum", name, "it is not the one that the index lists: it was changed")
	} else if err != nil {
		e.fault("structure", name, "%s", err)
	}
	roots := []hash{over(first.root)}
	err = e.lines(name, maxRecord, func(n int, line []byte) error {
		r, err := parseRecord(line)
		if err != nil {
			return err
		}
		if err := e.rule.check(r, false, &e.counts); err != nil {
			e.fault("redaction", name, "record %d: %s", n, err)
		}
		roots = append(roots, over(r.root))
		return nil
	})
	return over(rootOf(roots)), err
}

// close folds the entries of a segment to the root that the trail has.
func (e *evidence) close() {
	const name = "evidence/segments.jsonl"
	s := &e.list[0]
	at, known := e.kept[s.Seq]
	switch {
	case !known:
		e.fault("trail", name, "entry %d of the trail, which is to have the root of %s, is not in the pack, or is of something else", s.Seq, s.Segment)
	case !at.of(s, e.m.Tenant):
		e.fault("evidence", name, "entry %d of the trail says something else of %s", s.Seq, s.Segment)
	default:
		root, err := fold(s.Entries, e.set, e.leaves, s.Hashes)
		if err != nil || hex.EncodeToString(root[:]) != s.Root {
			e.fault("evidence", name, "the entries of %s are not under the root that the trail has: one was changed, taken away or added", s.Segment)
		}
	}
	e.list, e.set, e.leaves = e.list[1:], nil, nil
}

// end tells of what is left over, and of readings that are not as whole as they say.
func (e *evidence) end() {
	if len(e.set) > 0 {
		e.close()
	}
	for _, s := range e.list {
		e.fault("evidence", "evidence/segments.jsonl", "%s is in it, and the index has no entry of it", s.Segment)
	}
	if len(e.names) > 0 && pageForm.MatchString(e.names[0]) {
		e.fault("structure", e.names[0], "it is in the file, and the index does not list it")
	}
	if e.m.Pages.Count != e.Pages || e.m.Pages.Bytes != e.PageBytes {
		e.fault("structure", "pack.json", "it says that there are %d pages of %d bytes, and there are %d of %d",
			e.m.Pages.Count, e.m.Pages.Bytes, e.Pages, e.PageBytes)
	}
	if e.rule != nil && e.counts != *e.m.Leaves {
		e.fault("redaction", "pack.json", "it says %+v, and there is %+v: the redaction was widened or narrowed", *e.m.Leaves, e.counts)
	}
	for id, r := range e.runs {
		if e.m.Evidence != "all" || !r.ended || slices.Contains(e.m.Lacking, id) {
			continue
		}
		slices.Sort(r.numbers)
		if n := len(slices.Compact(r.numbers)); n < r.pages {
			e.fault("evidence", "evidence/index.jsonl", "the reading %s has %d pages, and %d of them are here", id, r.pages, n)
		}
	}
}
