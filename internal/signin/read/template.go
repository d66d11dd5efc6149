package read

import (
	"bytes"
	"unsafe"

	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// A template is what the walk over one record did, written down so that it can
// be done again, without branches, on a record of the same structure: the same
// kinds of token in the same order. Exporters write a handful of structures.
//
// That the structure is valid JSON need not be checked again; that the keys
// are the same and that numbers and literals are well-formed is. Whatever
// differs sends the record back to the walk.
type template struct {
	kinds   []byte
	scalars []uint32 // tokens that are numbers or literals
	keys    []keyOp  // those of 17 to 32 bytes
	short   []shortKeyOp
	rare    []rareKeyOp
	texts   []textOp
	others  []otherOp

	steps, requirements, policies int
	listsInside                   [3]bool // the three lists belong to the inner event
	top, in                       part
	hasResultType, hasProperties  bool

	make *makeOf // what its records have in common; nil before the second
}

// A key, from its opening quote to its colon, is compared as words of eight
// bytes, which overlap where they must. Of 8 to 16 bytes it is shortKeyOp, the
// first and the last word; up to 32 keyOp, with the words behind the first and
// before the last; any other is rareKeyOp. colon is the distance from the quote
// to the colon.
type keyOp struct {
	token, colon                 uint32
	first, second, third, fourth uint64
}

type shortKeyOp struct {
	token, colon uint32
	first, last  uint64
}

type rareKeyOp struct {
	token  uint32
	quoted string
}

// textOp: the string at token k goes there.
type textOp struct {
	token uint32
	to    target
}

// otherOp is one of the rarer steps.
type otherOp struct {
	kind  otherKindOp
	token uint32
	to    target
}

type otherKindOp uint8

const (
	opNull     otherKindOp = iota // the literal must be null
	opTri                         // a Tri from a literal
	opCode                        // an outcome
	opListText                    // one more text of the list under way
	opListNull                    // a null among them
	opListEnd                     // the list goes there
)

// target is a place in memory that outlasts a record.
type target struct {
	base   targetBase
	offset uint32
}

type targetBase uint8

const (
	inEvent targetBase = iota
	inDecoder
	inSteps
	inRequirements
	inPolicies
	baseCount = iota
)

const (
	maxTemplates     = 128
	maxTemplateKinds = 2048
)

// templates is what a Decoder knows of structures.
type templates struct {
	list []*template

	learning bool
	now      template      // being written
	keys     []rareKeyOp   // all of its keys
	event    *signin.Event // of the record being learnt
	owner    *Decoder      // ours: keeps it off the stack, where it could move while places are taken
}

// find returns the template of this structure, or nil. Those used last come
// first, so that the few structures of an export are found at once.
func (t *templates) find(kinds []byte) *template {
	for i, m := range t.list {
		if len(m.kinds) != len(kinds) || !bytes.Equal(m.kinds, kinds) {
			continue
		}
		if i > 0 {
			t.list[i], t.list[i/2] = t.list[i/2], m
		}
		return m
	}
	return nil
}

// begin starts to write down a walk if there is room for another template.
func (d *Decoder) begin(e *signin.Event) {
	t := &d.templates
	t.owner = d
	t.learning = len(t.list) < maxTemplates && d.x.Len() <= maxTemplateKinds
	if t.learning {
		n := &t.now
		*n = template{texts: n.texts[:0], others: n.others[:0]}
		t.keys = t.keys[:0]
		t.event = e
	}
}

// keep stores the walk that has just succeeded, and returns the template or nil.
func (d *Decoder) keep() *template {
	t := &d.templates
	if !t.learning {
		return nil
	}
	t.learning = false
	n := &t.now
	m := &template{
		kinds: bytes.Clone(d.x.Kinds), texts: append([]textOp(nil), n.texts...), others: append([]otherOp(nil), n.others...),
		steps: len(d.steps), requirements: len(d.requirements), policies: len(d.policies), listsInside: n.listsInside,
		top: part{seen: d.top.seen}, in: part{seen: d.in.seen},
		hasResultType: d.env.hasResultType, hasProperties: d.env.hasProperties,
	}
	for k, c := range d.x.Kinds {
		if c == '0' {
			m.scalars = append(m.scalars, uint32(k))
		}
	}
	for _, key := range t.keys {
		size := len(key.quoted)
		p, colon := unsafe.Pointer(unsafe.StringData(key.quoted)), uint32(size-1)
		switch {
		case 8 <= size && size <= 16:
			m.short = append(m.short, shortKeyOp{key.token, colon, texts.Word(p, 0), texts.Word(p, size-8)})
		case 16 < size && size <= 32:
			m.keys = append(m.keys, keyOp{key.token, colon, texts.Word(p, 0), texts.Word(p, 8), texts.Word(p, size-16), texts.Word(p, size-8)})
		default:
			m.rare = append(m.rare, key)
		}
	}
	t.list = append(t.list, m)
	return m
}

// target finds where p lies; what lies nowhere known stops the learning.
func (d *Decoder) target(p unsafe.Pointer) target {
	a := uintptr(p)
	within := func(base unsafe.Pointer, size uintptr) bool { return a >= uintptr(base) && a-uintptr(base) < size }
	at := func(b targetBase, base unsafe.Pointer) target { return target{b, uint32(a - uintptr(base))} }
	switch {
	case within(unsafe.Pointer(d.templates.event), unsafe.Sizeof(signin.Event{})):
		return at(inEvent, unsafe.Pointer(d.templates.event))
	case within(unsafe.Pointer(d), unsafe.Sizeof(*d)):
		return at(inDecoder, unsafe.Pointer(d))
	case len(d.steps) > 0 && within(unsafe.Pointer(&d.steps[0]), uintptr(len(d.steps))*unsafe.Sizeof(signin.Step{})):
		return at(inSteps, unsafe.Pointer(&d.steps[0]))
	case len(d.requirements) > 0 && within(unsafe.Pointer(&d.requirements[0]), uintptr(len(d.requirements))*unsafe.Sizeof(signin.RequirementPolicy{})):
		return at(inRequirements, unsafe.Pointer(&d.requirements[0]))
	case len(d.policies) > 0 && within(unsafe.Pointer(&d.policies[0]), uintptr(len(d.policies))*unsafe.Sizeof(signin.AppliedPolicy{})):
		return at(inPolicies, unsafe.Pointer(&d.policies[0]))
	}
	d.templates.learning = false
	return target{}
}

// noteKey notes a key. Only keys without blanks around them are looked for
// again.
func (d *Decoder) noteKey(e *keyEntry, k int) {
	if t := &d.templates; t.learning {
		if int(d.x.Pos[k+1]-d.x.Pos[k]) != len(e.quoted)-1 {
			t.learning = false
			return
		}
		t.keys = append(t.keys, rareKeyOp{uint32(k), e.quoted})
	}
}

func (d *Decoder) noteText(k int, to *string, null bool) {
	if null {
		d.noteOther(opNull, k, nil)
		return
	}
	if t := &d.templates; t.learning {
		t.now.texts = append(t.now.texts, textOp{uint32(k), d.target(unsafe.Pointer(to))})
	}
}

func (d *Decoder) noteOther(kind otherKindOp, k int, to unsafe.Pointer) {
	if t := &d.templates; t.learning {
		op := otherOp{kind: kind, token: uint32(k)}
		if to != nil {
			op.to = d.target(to)
		}
		t.now.others = append(t.now.others, op)
	}
}

// replay does on the record scanned what t says. False means that the record
// is different after all; the walk must then start afresh.
func (d *Decoder) replay(t *template, e *signin.Event) bool {
	x := &d.x
	if !x.Scalars(t.scalars) || !t.sameKeys(x) {
		return false
	}
	d.env.hasResultType, d.env.hasProperties = t.hasResultType, t.hasProperties
	d.steps, d.requirements, d.policies = zeroed(d.steps, t.steps), zeroed(d.requirements, t.requirements), zeroed(d.policies, t.policies)
	base := d.bases(e)
	for i := range t.texts {
		op := &t.texts[i]
		s, plain := x.Content(int(op.token))
		if !plain {
			var ok bool
			if s, ok = d.oddText(s); !ok {
				return false
			}
		}
		*(*string)(unsafe.Add(base[op.to.base], op.to.offset)) = s
	}
	start := 0
	for i := range t.others {
		op := &t.others[i]
		k, p := int(op.token), unsafe.Add(base[op.to.base], op.to.offset)
		switch op.kind {
		case opNull, opListNull:
			if x.At(k) != 'n' {
				return false
			}
		case opTri:
			if _, ok := d.readTri((*signin.Tri)(p), k); !ok {
				return false
			}
		case opCode:
			o, _, ok := d.readCode(k)
			if !ok {
				return false
			}
			*(*outcome)(p) = o
		case opListText:
			s, ok := d.readText(k)
			if !ok {
				return false
			}
			if s != "" {
				d.texts = append(d.texts, s)
			}
		case opListEnd:
			if end := len(d.texts); end > start {
				*(*[]string)(p) = d.texts[start:end:end]
				start = end
			}
		}
	}
	d.top.seen, d.in.seen = t.top.seen, t.in.seen
	d.give(t, e)
	// A place that is more than a name is for the slow decoder.
	return !oddPlace(d.top.place) && !oddPlace(d.in.place)
}

// bases are where targets lie now.
func (d *Decoder) bases(e *signin.Event) [baseCount]unsafe.Pointer {
	return [baseCount]unsafe.Pointer{
		inEvent: unsafe.Pointer(e), inDecoder: unsafe.Pointer(d), inSteps: unsafe.Pointer(unsafe.SliceData(d.steps)),
		inRequirements: unsafe.Pointer(unsafe.SliceData(d.requirements)), inPolicies: unsafe.Pointer(unsafe.SliceData(d.policies)),
	}
}

// give hands the lists to the event that they belong to.
func (d *Decoder) give(t *template, e *signin.Event) {
	owner := func(list int) *signin.Event {
		if t.listsInside[list] {
			return &d.inner
		}
		return e
	}
	if t.steps > 0 {
		owner(0).Steps = d.steps
	}
	if t.requirements > 0 {
		owner(1).RequirementPolicies = d.requirements
	}
	if t.policies > 0 {
		owner(2).Policies = d.policies
	}
}

// sameKeys reports that the record scanned, which has t's structure, has its
// keys. All words compared lie between a quote and its colon.
func (t *template) sameKeys(x *jsonscan.Index) bool {
	text, pos := x.Base()
	for i := range t.short {
		op := &t.short[i]
		from, colon := tokenPlace(pos, op.token), tokenPlace(pos, op.token+1)
		if colon-from != op.colon {
			return false
		}
		at := unsafe.Add(text, from)
		if (texts.Word(at, 0)^op.first)|(texts.Word(unsafe.Add(at, op.colon), -7)^op.last) != 0 {
			return false
		}
	}
	for i := range t.keys {
		op := &t.keys[i]
		from, colon := tokenPlace(pos, op.token), tokenPlace(pos, op.token+1)
		if colon-from != op.colon {
			return false
		}
		at := unsafe.Add(text, from)
		end := unsafe.Add(at, op.colon)
		if (texts.Word(at, 0)^op.first)|(texts.Word(at, 8)^op.second)|(texts.Word(end, -15)^op.third)|(texts.Word(end, -7)^op.fourth) != 0 {
			return false
		}
	}
	for i := range t.rare {
		op := &t.rare[i]
		from, colon := tokenPlace(pos, op.token), tokenPlace(pos, op.token+1)
		if int(colon-from) != len(op.quoted)-1 || !sameKey(op.quoted, unsafe.String((*byte)(unsafe.Add(text, from)), len(op.quoted))) {
			return false
		}
	}
	return true
}

// tokenPlace is the place of a token, of [jsonscan.Index.Base].
func tokenPlace(pos unsafe.Pointer, k uint32) uint32 { return *(*uint32)(unsafe.Add(pos, k*4)) }

// zeroed returns n zero elements in the memory of list where there is room.
func zeroed[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n, 2*n)
	}
	list = list[:n]
	clear(list)
	return list
}
