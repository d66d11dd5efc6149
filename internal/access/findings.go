package access

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Bounds on what is looked at once a question is known to have gaps: boxes of
// one diagram root, boxes of a whole answer, and accounts of one box whose
// clauses are told apart.
const (
	maxBoxes    = 200
	maxAllBoxes = 20_000
	maxReasons  = 8
)

// findings are the open sign-ins of a question, found but not yet phrased:
// phrasing names policies and clauses and is done for what is shown alone.
type findings struct {
	e        *Engine
	c        *compiledQuestion
	accounts int        // with an open sign-in
	sketches []*sketch  // in the order they are shown
	first    []firstGap // by account: its first sketch and cohort; sketch -1 is none
	cut      bool       // the bounds on boxes were met
	mu       sync.Mutex
}

// firstGap finds the gap of an account that is shown first.
type firstGap struct{ sketch, cohort int32 }

// sketch is one box with the cohorts that are open there.
type sketch struct {
	box        box
	narrow     int // dimensions on which it is not "any"
	cohorts    []*cohort
	count      int // accounts
	breakGlass bool
	text       string // breaks ties

	gaps  []Gap           // once phrased
	gapOf map[*cohort]int // cohort -> index in gaps
}

// search finds the open boxes of all cohorts. Cohorts that come to the same
// node of the diagram share its boxes; equal boxes of different nodes are one.
// Where the diagram met its bound, only boxes whose witness holds are kept.
func (e *Engine) search(c *compiledQuestion, d *diagram, cohorts []cohort) *findings {
	f := &findings{e: e, c: c}
	type rootOf struct {
		root       int32
		breakGlass bool
	}
	byRoot := map[rootOf][]*cohort{}
	var roots []rootOf
	for n := range cohorts {
		co := &cohorts[n]
		for _, root := range d.roots(co) {
			r := rootOf{root, e.allBreakGlass(co)}
			if byRoot[r] == nil {
				roots = append(roots, r)
			}
			byRoot[r] = append(byRoot[r], co)
		}
	}
	slices.SortStableFunc(roots, func(a, b rootOf) int { return cmp.Compare(subjectsOf(byRoot[b]), subjectsOf(byRoot[a])) })
	byBox := map[string]*sketch{}
	total := 0
	for _, r := range roots {
		boxes, cut := d.boxes(r.root, min(maxBoxes, max(1, maxAllBoxes-total)))
		f.cut = f.cut || cut
		total += len(boxes)
		for _, b := range e.joinEAS(c, boxes) {
			open := byRoot[r]
			if d.over && !d.sure {
				open = slices.DeleteFunc(slices.Clone(open), func(co *cohort) bool {
					return !e.witness(c, e.witnessPoint(c, b, int(co.subjects[0]))).Confirmed
				})
				if len(open) == 0 {
					continue
				}
			}
			key := b.key(r.breakGlass)
			s := byBox[key]
			if s == nil {
				s = &sketch{box: b, breakGlass: r.breakGlass, narrow: e.narrows(c, b), text: key}
				byBox[key] = s
				f.sketches = append(f.sketches, s)
			}
			s.cohorts = append(s.cohorts, open...)
		}
	}
	stamp := make([]int32, e.subjectCount())
	for n, s := range f.sketches {
		for _, co := range s.cohorts {
			for _, i := range co.subjects {
				if a := e.account(int(i)); stamp[a] != int32(n+1) {
					stamp[a] = int32(n + 1)
					s.count++
				}
			}
		}
	}
	slices.SortStableFunc(f.sketches, func(a, b *sketch) int {
		return cmp.Or(compareBools(a.breakGlass, b.breakGlass), cmp.Compare(a.narrow, b.narrow), cmp.Compare(b.count, a.count), cmp.Compare(a.text, b.text))
	})
	f.first = make([]firstGap, e.subjectCount())
	for i := range f.first {
		f.first[i].sketch = -1
	}
	for n, s := range f.sketches {
		for k, co := range s.cohorts {
			for _, i := range co.subjects {
				if a := e.account(int(i)); f.first[a].sketch < 0 {
					f.first[a] = firstGap{int32(n), int32(k)}
					f.accounts++
				}
			}
		}
	}
	return f
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func subjectsOf(cohorts []*cohort) (n int) {
	for _, co := range cohorts {
		n += len(co.subjects)
	}
	return n
}

func (e *Engine) allBreakGlass(co *cohort) bool {
	for _, i := range co.subjects {
		if !e.subject(int(i)).BreakGlass {
			return false
		}
	}
	return true
}

// list phrases the gaps to show, and counts the others.
func (f *findings) list() (out []Gap, more int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, s := range f.sketches {
		if n < maxGaps {
			f.phrase(s)
			out = append(out, s.gaps...)
		} else {
			more++
		}
	}
	out = rank(out)
	if len(out) > maxGaps {
		more += len(out) - maxGaps
		out = out[:maxGaps]
	}
	if out == nil {
		out = []Gap{}
	}
	return out, more
}

func (f *findings) gapOf(account int) *Gap {
	if account < 0 || account >= len(f.first) || f.first[account].sketch < 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.first[account]
	s := f.sketches[at.sketch]
	f.phrase(s)
	return &s.gaps[s.gapOf[s.cohorts[at.cohort]]]
}

// phrase writes the gaps of a sketch: one for each set of clauses that opens
// it, told apart for its largest cohorts.
func (f *findings) phrase(s *sketch) {
	if s.gaps != nil {
		return
	}
	e, c := f.e, f.c
	order := slices.Clone(s.cohorts)
	slices.SortStableFunc(order, func(a, b *cohort) int { return cmp.Compare(len(b.subjects), len(a.subjects)) })
	s.gapOf = make(map[*cohort]int, len(order))
	members := [][]int32{}
	byWhy := map[string]int{}
	mixed := false
	for n, co := range order {
		at := 0
		if n < maxReasons {
			why := e.why(c, s.box, int(co.subjects[0]))
			key := fmt.Sprint(why)
			var ok bool
			if at, ok = byWhy[key]; !ok {
				at = len(s.gaps)
				byWhy[key] = at
				s.gaps = append(s.gaps, Gap{What: e.narrow(c, s.box), Why: why, Witness: e.witness(c, e.witnessPoint(c, s.box, int(co.subjects[0])))})
				members = append(members, nil)
			}
		} else {
			mixed = true
		}
		s.gapOf[co] = at
		members[at] = append(members[at], co.subjects...)
	}
	for i := range s.gaps {
		g := &s.gaps[i]
		g.Who = e.who(members[i])
		g.Who.lead(g.Witness.Account)
		if mixed && i == 0 && g.Why[0].Policy != "" {
			g.Why = append(g.Why, Why{Clause: "the clauses are those of the largest group of these accounts; others are let through by similar ones"})
		}
		g.Why = append(g.Why, e.unused(c, s.box, members[i], mostWhys-len(g.Why))...)
		g.Text = e.gapText(c, g)
	}
}

// narrow lists the dimensions on which a box is less than the question asks.
func (e *Engine) narrow(c *compiledQuestion, b box) []Narrow {
	out := []Narrow{}
	for l, set := range b {
		if set == nil || covers(set, c.classes[l]) {
			continue
		}
		n := Narrow{Dimension: e.dims[l].name}
		for _, k := range c.classes[l] {
			if v := e.dims[l].labels[k]; hasClass(set, k) && !slices.Contains(n.Values, v) {
				n.Values = append(n.Values, v)
			}
		}
		out = append(out, n)
	}
	return out
}

// narrows counts what narrow lists.
func (e *Engine) narrows(c *compiledQuestion, b box) (n int) {
	for l, set := range b {
		if set != nil && !covers(set, c.classes[l]) {
			n++
		}
	}
	return n
}

// key is the same for equal boxes.
func (b box) key(breakGlass bool) string {
	k := []byte{0}
	if breakGlass {
		k[0] = 1
	}
	for _, set := range b {
		k = binary.AppendUvarint(k, uint64(len(set)))
		for _, w := range set {
			k = binary.LittleEndian.AppendUint64(k, w)
		}
	}
	return string(k)
}

// strangers are the accounts a question names and the export does not hold.
func (e *Engine) strangers(c *compiledQuestion) []string {
	want := map[string]string{}
	for _, u := range c.Users {
		want[strings.ToLower(u)] = u
	}
	for i := 0; len(want) > 0 && i < e.subjectCount(); i++ {
		s := e.subject(i)
		delete(want, strings.ToLower(s.ID))
		delete(want, strings.ToLower(s.Name))
	}
	out := make([]string, 0, len(want))
	for u := range maps.Values(want) {
		out = append(out, "the account "+u)
	}
	slices.Sort(out)
	return out
}
