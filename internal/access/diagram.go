package access

import (
	"encoding/binary"
	"slices"

	"partnerguard/internal/entra"
)

// A diagram answers, for one question, which sign-ins no protecting policy
// takes. It is a decision diagram over the dimensions in their order: at each
// node the policies still matching are a mask, and a class of the next
// dimension keeps those whose clause it meets. Classes that lead to the same
// node are one branch, so equal situations are looked at once, however many
// accounts or classes there are.
//
// Two leaves: covered (some policy takes every sign-in below) and open (none
// does).
type diagram struct {
	e       *Engine
	q       *compiledQuestion
	sure    bool    // count only sure matches as protection; else possible ones too
	ways    [][]way // by level
	nodes   []node
	byKey   *interner        // level, client and mask
	nodeOf  []int32          // by number of byKey
	buf     []uint64         // a key
	shape   []byte           // a key of byShape
	levels  []building       // by level
	byShape map[string]int32 // level and branches -> node
	free    []mask           // by level: policies with no clause from that level on
	steps   int              // ways followed so far
	before  bool             // as it was before Microsoft's change of baseline scopes
	over    bool             // a bound was met; what lies beyond counts as open and undecided
}

// way is a set of classes of one dimension that no protecting policy tells
// apart.
type way struct {
	keep      mask // the policies left in force
	classes   []uint64
	by        client // on the client dimension
	noEAS     bool   // on the resource dimension: not reached by Exchange ActiveSync
	modern    bool   // on the resource dimension: only clients that ask for scopes reach it
	hasDevice bool   // on a device dimension: not shown by a legacy client
}

// client is what the client chosen means for the other dimensions: Exchange
// ActiveSync reaches Exchange alone, and other legacy clients show no state of
// a device and are no approved app (Microsoft, "Conditions: client apps").
type client uint8

const (
	byModern client = iota
	byEAS
	byLegacy
)

// node is a branching on one dimension. Leaves are the ids below.
type node struct {
	level    int
	branches []branch
}

// branch is a set of classes with what lies below them.
type branch struct {
	classes []uint64
	to      int32
}

const (
	leafCovered int32 = -1
	leafOpen    int32 = -2
)

// maxNodes and maxSteps bound the memory and the work for one question; past
// them the answer says so.
const (
	maxNodes = 200_000
	maxSteps = 10_000_000
)

func newDiagram(e *Engine, q *compiledQuestion, sure bool) *diagram {
	d := &diagram{e: e, q: q, sure: sure, byKey: newInterner(0), byShape: map[string]int32{}}
	d.prepare()
	return d
}

// prepare brings the dimensions to ways.
func (d *diagram) prepare() {
	e, q := d.e, d.q
	d.free = make([]mask, len(e.dims)+1)
	d.free[len(e.dims)] = e.full()
	for l := len(e.dims) - 1; l >= 0; l-- {
		m := append(mask(nil), d.free[l+1]...)
		for _, c := range q.classes[l] {
			if d.skips(&e.dims[l], c) {
				continue
			}
			keep := d.clause(l, c)
			for w := range m {
				m[w] &= keep[w]
			}
		}
		d.free[l] = m
	}
	d.levels = make([]building, len(e.dims))
	for l := range d.levels {
		d.levels[l].next = e.mask()
	}
	d.ways = make([][]way, len(e.dims))
	for l := range e.dims {
		d.ways[l] = d.waysOf(l)
	}
}

// waysOf groups the classes of a dimension that the question asks about.
// Exchange ActiveSync and Exchange stay apart, because the one reaches only the
// other.
func (d *diagram) waysOf(l int) (out []way) {
	ways := newInterner(0)
	dim := &d.e.dims[l]
	words := (len(dim.labels) + 63) / 64
	for _, c := range d.q.classes[l] {
		if d.skips(dim, c) {
			continue
		}
		w := way{keep: d.e.mask()}
		for i, m := range d.clause(l, c) {
			w.keep[i] = m & d.q.protects[i]
		}
		apart := client(0)
		switch {
		case dimID(l) == dimClient:
			switch c {
			case clientEAS:
				w.by = byEAS
			case clientOther:
				w.by = byLegacy
			}
			apart = w.by
		case dimID(l) == dimResource:
			if w.noEAS = c != d.e.apps[entra.AppExchange]; !w.noEAS {
				apart = 1
			}
			if w.modern = c == d.e.basic; w.modern {
				apart = 2
			}
		case l >= int(dimCompliant):
			if x := d.e.axisOf(l); c != 0 && (x == nil || !x.opaque) {
				w.hasDevice = true
				apart = 1
			}
		}
		n, isNew := ways.add(d.key(0, w.keep, apart))
		if isNew {
			w.classes = make([]uint64, words)
			out = append(out, w)
		}
		out[n].classes[c/64] |= 1 << (c % 64)
	}
	return out
}

// skips reports a class that is not looked at: see [dim.vague].
func (d *diagram) skips(of *dim, c int) bool {
	has := func(list []bool) bool { return list != nil && list[c] }
	return has(of.blur) || d.sure && has(of.vague) || !d.sure && has(of.phantom)
}

// clause is the set of policies that class c of dimension l leaves in force.
func (d *diagram) clause(l, c int) mask {
	dim := &d.e.dims[l]
	m := dim.could[c]
	if d.sure {
		m = dim.sure[c]
	}
	if d.before && dimID(l) == dimResource && c == d.e.basic {
		m = d.e.basicBefore
	}
	if dim.guard != nil && d.q.guarded {
		out := d.e.mask()
		for w := range out {
			out[w] = m[w] & dim.guard[c][w]
		}
		return out
	}
	return m
}

// roots gives the nodes for a cohort that are not covered: one for each way in
// which what is not known of it may be, in a proof; in the search for certain
// gaps the one in which every possible policy takes it.
func (d *diagram) roots(co *cohort) (out []int32) {
	put := func(m mask) {
		if n := d.build(0, m, 0); n != leafCovered && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	u := d.e.set(co.set)
	start := d.e.mask()
	switch {
	case !d.sure && co.perhaps: // nothing is certain of accounts that may not be asked about
	case !d.sure:
		for w := range start {
			start[w] = u.could[w] & d.q.protects[w]
		}
		put(start)
	case len(co.worlds) > 0:
		for _, m := range co.worlds {
			put(m)
		}
	default:
		for w := range start {
			start[w] = u.sure[w] & d.q.protects[w] &^ d.q.perhaps[w]
		}
		put(start)
	}
	return out
}

// build gives the node for the policies in m from level l on. by says what of
// the client chosen narrows the levels below.
func (d *diagram) build(l int, m mask, by client) int32 {
	if m.empty() {
		return leafOpen
	}
	if m.meets(d.free[l]) {
		return leafCovered
	}
	if l == len(d.e.dims) {
		return leafCovered // a policy that survived every clause takes it
	}
	if n := d.byKey.find(d.key(l, m, by)); n >= 0 {
		return d.nodeOf[n]
	}
	if d.steps += len(d.ways[l]); len(d.nodes) >= maxNodes || len(d.nodeOf) >= 2*maxNodes || d.steps > maxSteps {
		d.over = true
		return leafOpen
	}
	at := &d.levels[l] // one build of a level is under way at a time
	at.groups = at.groups[:0]
	next := at.next
	for i := range d.ways[l] {
		way := &d.ways[l][i]
		if by == byEAS && way.noEAS || by == byLegacy && (way.hasDevice || way.modern) {
			continue
		}
		for w := range next {
			next[w] = m[w] & way.keep[w]
		}
		below := by
		if dimID(l) == dimClient {
			below = way.by
		}
		at.put(d.build(l+1, next, below), way.classes)
	}
	id := d.node(l, at.groups, by)
	if _, isNew := d.byKey.add(d.key(l, m, by)); isNew {
		d.nodeOf = append(d.nodeOf, id)
	}
	return id
}

// node gives the node that branches so, or what it comes to without one.
func (d *diagram) node(l int, groups []branch, by client) int32 {
	switch {
	case len(groups) == 0:
		return leafCovered // nothing is asked about here
	case len(groups) == 1 && (groups[0].to == leafCovered || !(dimID(l) == dimResource && by == byEAS)):
		return groups[0].to // the dimension makes no difference
	}
	words := 0
	d.shape = binary.AppendVarint(d.shape[:0], int64(l))
	for _, g := range groups {
		d.shape = binary.AppendVarint(d.shape, int64(g.to))
		for _, w := range g.classes {
			d.shape = binary.AppendUvarint(d.shape, w)
		}
		words += len(g.classes)
	}
	if same, ok := d.byShape[string(d.shape)]; ok {
		return same
	}
	n, classes := node{level: l, branches: make([]branch, 0, len(groups))}, make([]uint64, 0, words)
	for _, g := range groups {
		from := len(classes)
		classes = append(classes, g.classes...)
		n.branches = append(n.branches, branch{classes[from:len(classes):len(classes)], g.to})
	}
	id := int32(len(d.nodes))
	d.nodes = append(d.nodes, n)
	d.byShape[string(d.shape)] = id
	return id
}

// building is what the build of a level writes into, one node after the other.
type building struct {
	next   mask
	groups []branch
}

// put adds classes that lead to a node to those that do already.
func (b *building) put(to int32, classes []uint64) {
	for i := range b.groups {
		if b.groups[i].to == to {
			for w, bits := range classes {
				b.groups[i].classes[w] |= bits
			}
			return
		}
	}
	n := len(b.groups)
	b.groups = slices.Grow(b.groups, 1)[:n+1]
	b.groups[n] = branch{append(b.groups[n].classes[:0], classes...), to}
}

// key is what a node is found by, until the next call.
func (d *diagram) key(l int, m mask, by client) []uint64 {
	d.buf = append(append(d.buf[:0], uint64(l)<<8|uint64(by)), m...)
	return d.buf
}

// box is a set of sign-ins: a set of classes for each dimension; nil means any
// class the question asks about.
type box [][]uint64

// boxes lists the open boxes below a node, at most most of them.
func (d *diagram) boxes(root int32, most int) (out []box, cut bool) {
	path := make(box, len(d.e.dims))
	var walk func(n int32)
	walk = func(n int32) {
		if cut || n == leafCovered {
			return
		}
		if n == leafOpen {
			if len(out) == most {
				cut = true
				return
			}
			out = append(out, append(box(nil), path...))
			return
		}
		nd := &d.nodes[n]
		for _, b := range nd.branches {
			if b.to == leafCovered {
				continue
			}
			path[nd.level] = b.classes
			walk(b.to)
			path[nd.level] = nil
		}
	}
	walk(root)
	return out, cut
}

func hasClass(set []uint64, c int) bool { return set == nil || set[c/64]>>(c%64)&1 != 0 }
