package access

import (
	"encoding/binary"
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
	byKey   map[string]int32 // level and mask -> node
	byShape map[string]int32 // level and branches -> node
	free    []mask           // by level: policies with no clause from that level on
	steps   int              // ways followed so far
	over    bool             // a bound was met; what lies beyond counts as open and undecided
}

// way is a set of classes of one dimension that no protecting policy tells
// apart.
type way struct {
	keep    mask // the policies left in force
	classes []uint64
	eas     bool // on the client dimension: Exchange ActiveSync
	noEAS   bool // on the resource dimension: not reached by Exchange ActiveSync
}

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
	d := &diagram{e: e, q: q, sure: sure, byKey: map[string]int32{}, byShape: map[string]int32{}}
	d.free = make([]mask, len(e.dims)+1)
	d.free[len(e.dims)] = e.full()
	for l := len(e.dims) - 1; l >= 0; l-- {
		m := append(mask(nil), d.free[l+1]...)
		for _, c := range q.classes[l] {
			keep := d.clause(l, c)
			for w := range m {
				m[w] &= keep[w]
			}
		}
		d.free[l] = m
	}
	d.ways = make([][]way, len(e.dims))
	for l := range e.dims {
		d.ways[l] = d.waysOf(l)
	}
	return d
}

// waysOf groups the classes of a dimension that the question asks about.
// Exchange ActiveSync and Exchange stay apart, because the one reaches only the
// other.
func (d *diagram) waysOf(l int) (out []way) {
	by := map[string]int{}
	words := (len(d.e.dims[l].labels) + 63) / 64
	for _, c := range d.q.classes[l] {
		w := way{keep: d.e.mask()}
		for i, m := range d.clause(l, c) {
			w.keep[i] = m & d.q.protects[i]
		}
		w.eas = dimID(l) == dimClient && c == clientEAS
		w.noEAS = dimID(l) == dimResource && c != d.e.apps[exchangeOnline]
		key := d.key(0, w.keep, w.eas || dimID(l) == dimResource && !w.noEAS)
		n, ok := by[key]
		if !ok {
			n = len(out)
			by[key] = n
			w.classes = make([]uint64, words)
			out = append(out, w)
		}
		out[n].classes[c/64] |= 1 << (c % 64)
	}
	return out
}

// clause is the set of policies that class c of dimension l leaves in force.
func (d *diagram) clause(l, c int) mask {
	dim := &d.e.dims[l]
	m := dim.could[c]
	if d.sure {
		m = dim.sure[c]
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

// root gives the node for a cohort.
func (d *diagram) root(co *cohort) int32 {
	u := &d.e.sets[co.set]
	start := d.e.mask()
	for w := range start {
		if d.sure {
			start[w] = u.sure[w] & d.q.protects[w] &^ d.q.perhaps[w]
		} else {
			start[w] = u.could[w] & d.q.protects[w]
		}
	}
	return d.build(0, start, false)
}

// build gives the node for the policies in m from level l on. eas says that
// the client chosen is Exchange ActiveSync.
func (d *diagram) build(l int, m mask, eas bool) int32 {
	if m.empty() {
		return leafOpen
	}
	if m.meets(d.free[l]) {
		return leafCovered
	}
	if l == len(d.e.dims) {
		return leafCovered // a policy that survived every clause takes it
	}
	key := d.key(l, m, eas)
	if n, ok := d.byKey[key]; ok {
		return n
	}
	if d.steps += len(d.ways[l]); len(d.nodes) >= maxNodes || len(d.byKey) >= 2*maxNodes || d.steps > maxSteps {
		d.over = true
		return leafOpen
	}
	type group struct {
		to      int32
		classes []uint64
	}
	var groups []group
	put := func(to int32, classes []uint64) {
		for i := range groups {
			if groups[i].to == to {
				for w, bits := range classes {
					groups[i].classes[w] |= bits
				}
				return
			}
		}
		groups = append(groups, group{to, append([]uint64(nil), classes...)})
	}
	next := d.e.mask()
	for i := range d.ways[l] {
		way := &d.ways[l][i]
		if eas && way.noEAS {
			continue
		}
		for w := range next {
			next[w] = m[w] & way.keep[w]
		}
		put(d.build(l+1, next, way.eas), way.classes)
	}
	var id int32
	switch {
	case len(groups) == 0:
		id = leafCovered // nothing is asked about here
	case len(groups) == 1 && !(dimID(l) == dimResource && eas):
		id = groups[0].to // the dimension makes no difference
	default:
		n := node{level: l}
		shape := binary.AppendVarint(nil, int64(l))
		for _, g := range groups {
			n.branches = append(n.branches, branch{g.classes, g.to})
			shape = binary.AppendVarint(shape, int64(g.to))
			for _, w := range g.classes {
				shape = binary.AppendUvarint(shape, w)
			}
		}
		if same, ok := d.byShape[string(shape)]; ok {
			id = same
		} else {
			id = int32(len(d.nodes))
			d.nodes = append(d.nodes, n)
			d.byShape[string(shape)] = id
		}
	}
	d.byKey[key] = id
	return id
}

func (d *diagram) key(l int, m mask, eas bool) string {
	b := make([]byte, 0, 2+8*len(m))
	b = append(b, byte(l))
	if eas {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	for _, w := range m {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return string(b)
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
