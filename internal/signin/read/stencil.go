package read

import (
	"bytes"
	"math"
	"unsafe"

	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin"
)

// A make is a template with what does not change from record to record: a
// [jsonscan.Stencil] of a sample, and what the sample was read to. A record that
// fits is copied from the sample's event and gets its own values; nobody looks for
// its tokens. What a value may be is learnt from the first records, and from each one
// that did not fit.
type makeOf struct {
	of       *template
	sample   []byte // with slack
	values   []sampleValue
	changes  bool // since the stencil was cut
	seen     int  // records that were compared to the sample
	renewals int

	stencil *jsonscan.Stencil // nil until enough was seen
	read    sampleRead
	texts   []spanText
	others  []spanOther
	alike   []int // pieces in common with the other makes, in their order

	topTexts int      // of the object itself
	telling  int      // those of them that do not vary and are not the names of types
	topSpans []uint32 // those that vary
	next     int      // the make that fitted the last time that this one did not
}

// sampleValue is a value of the sample.
type sampleValue struct {
	token    uint32
	from, to uint32
	text     bool
	varies   bool
	fixed    bool // a record in which it is another is of another make
	even     int  // records in which it was as long as in the sample, less three times the others
}

// sampleRead is what reading the sample left behind; its texts have memory of their own.
type sampleRead struct {
	event, inner signin.Event
	env          envelope
	top, in      part
	steps        []signin.Step
	requirements []signin.RequirementPolicy
	policies     []signin.AppliedPolicy
}

// spanText: the text of a span goes there.
type spanText struct {
	span uint32
	to   target
}

// spanOther is one of the rarer steps; span is negative where the sample's value, in
// value, is every record's.
type spanOther struct {
	kind  otherKindOp
	span  int32
	value string
	text  bool
	to    target
}

const (
	maxMakes       = 32
	maxSample      = 16 << 10
	seenBeforeCut  = 24
	maxRenewals    = 256
	maxMakesTried  = 4
	unfitBeforeOff = 48  // records in a row that fit no make
	offFor         = 512 // records that are then not tried
)

// makes is what a Decoder knows of them.
type makes struct {
	list  []*makeOf // with a stencil, in no order
	last  int       // the one that fitted last
	spans []jsonscan.Span
	unfit int
	off   int
	due   *makeOf // to be cut before the next record
	tried [maxMakes]bool

	eager  bool // for tests: the second record is enough
	fitted int  // records
}

// stamped reads the record that text begins with if it fits a make; end is the place behind it.
// Strings in e may alias text and the make. False says nothing about the record.
func (d *Decoder) stamped(text []byte, e *signin.Event) (end int, shape Shape, ok bool) {
	m := &d.makes
	if m.due != nil {
		d.renew()
	}
	if len(m.list) == 0 {
		return 0, ShapeNone, false
	}
	if m.off > 0 {
		m.off--
		return 0, ShapeNone, false
	}
	n := m.last
	at, end, ok := m.list[n].stencil.Fit(text, m.spans, 0)
	if !ok {
		if n, end, ok = m.another(text, n, at); !ok {
			if m.unfit++; m.unfit >= unfitBeforeOff {
				m.unfit, m.off = 0, offFor
			}
			return 0, ShapeNone, false
		}
		m.last = n
	}
	m.unfit = 0
	if end > jsonscan.MaxText || !d.stamp(m.list[n], text, e) {
		return 0, ShapeNone, false
	}
	m.fitted++
	d.same, d.by = m.list[n].of, m.list[n]
	return end, d.assemble(e), true
}

// another goes on with the makes that begin like the one that did not fit from its
// piece at on: first the one that did the last time.
func (m *makes) another(text []byte, n, at int) (found, end int, ok bool) {
	last := m.list[n]
	if last.next < len(m.list) && last.next != n {
		most := min(last.alike[last.next], at)
		if _, end, ok = m.list[last.next].stencil.Fit(text, m.spans, most); ok {
			return last.next, end, true
		}
		// Spans up to the first piece that was not alike are as they were.
		at = most
	}
	clear(m.tried[:len(m.list)])
	for range maxMakesTried {
		m.tried[n] = true
		next, most := -1, -1
		for o, alike := range m.list[n].alike {
			if alike = min(alike, at); !m.tried[o] && o != last.next && alike > most {
				next, most = o, alike
			}
		}
		if next < 0 {
			break
		}
		n = next
		if at, end, ok = m.list[n].stencil.Fit(text, m.spans, most); ok {
			last.next = n
			return n, end, true
		}
	}
	return 0, 0, false
}

// stamp fills e and the decoder with the make's sample and the record's own values, as
// replay does.
func (d *Decoder) stamp(k *makeOf, text []byte, e *signin.Event) bool {
	s, t := &k.read, k.of
	*e = s.event
	if t.hasProperties || d.env.hasProperties {
		d.inner = s.inner
	}
	d.env, d.top, d.in = s.env, s.top, s.in
	d.arena, d.texts = d.arena[:0], d.texts[:0]
	d.steps = append(d.steps[:0], s.steps...)
	d.requirements = append(d.requirements[:0], s.requirements...)
	d.policies = append(d.policies[:0], s.policies...)
	base := d.bases(e)
	for i := range k.texts {
		op := &k.texts[i]
		span := d.makes.spans[op.span]
		s := span.Of(text)
		if span.Odd() {
			var ok bool
			if s, ok = d.oddText(s); !ok {
				return false
			}
		}
		*(*string)(unsafe.Add(base[op.to.base], op.to.offset)) = s
	}
	if len(k.others) > 0 && !d.stampOthers(k, text, &base) {
		return false
	}
	d.give(t, e)
	return !oddPlace(d.top.place) && !oddPlace(d.in.place)
}

// tells is [likeness.telling] of a record just stamped.
func (k *makeOf) tells(spans []jsonscan.Span, text []byte) bool {
	need := k.topTexts/4 + 1 - k.telling
	for _, i := range k.topSpans {
		if need <= 0 {
			return true
		}
		if !TypeWord(spans[i].Of(text)) {
			need--
		}
	}
	return need <= 0
}

func (d *Decoder) stampOthers(k *makeOf, text []byte, base *[baseCount]unsafe.Pointer) bool {
	start := 0
	for i := range k.others {
		op := &k.others[i]
		p, s, odd := unsafe.Add(base[op.to.base], op.to.offset), op.value, false
		if op.span >= 0 {
			span := d.makes.spans[op.span]
			s, odd = span.Of(text), span.Odd()
		}
		switch op.kind {
		case opTri:
			if !triOf((*signin.Tri)(p), s) {
				return false
			}
		case opCode:
			o, ok := codeOf(s, op.text)
			if !ok {
				return false
			}
			*(*outcome)(p) = o
		case opListText:
			if odd || op.span < 0 {
				var ok bool
				if s, ok = d.oddText(s); !ok {
					return false
				}
			}
			if s != "" {
				d.texts = append(d.texts, s)
			}
		case opListEnd:
			*(*[]string)(p) = nil
			if end := len(d.texts); end > start {
				*(*[]string)(p) = d.texts[start:end:end]
				start = end
			}
		}
	}
	return true
}

// learn compares the record just scanned and read with the sample of its template,
// and cuts the stencil when enough was seen or more turned out to vary.
func (d *Decoder) learn(t *template) {
	k := t.make
	if k == nil {
		t.make = newMake(t, &d.x)
		return
	}
	if k.of == nil || k.renewals >= maxRenewals {
		return // no sample is kept, or too much varies
	}
	x := &d.x
	for i := range k.values {
		v := &k.values[i]
		if v.fixed {
			continue
		}
		from, to := valuePlace(x, int(v.token), v.text)
		if v.even++; to-from != int(v.to-v.from) {
			v.even -= 4
		}
		if v.varies {
			continue
		}
		if string(x.Text[from:to]) != string(k.sample[v.from:v.to]) {
			v.varies, k.changes = true, true
		}
	}
	if k.seen++; k.seen < seenBeforeCut && !d.makes.eager || k.stencil != nil && !k.changes {
		return
	}
	d.makes.due = k
}

// renew cuts the stencil that is due. It must not be called while somebody still uses the
// event before.
func (d *Decoder) renew() {
	k := d.makes.due
	d.makes.due = nil
	if k.renewals++; d.cut(k) {
		d.makes.add(k)
	} else {
		k.renewals = maxRenewals
	}
}

// newMake takes the record scanned as the sample of its template. Without room for
// one the make is empty.
func newMake(t *template, x *jsonscan.Index) *makeOf {
	if len(x.Text) > maxSample || len(x.Text) == 0 {
		return &makeOf{}
	}
	k := &makeOf{of: t}
	last := int(x.Pos[x.Len()-1]) + 1 // without blanks behind it
	k.sample = append(make([]byte, 0, last+jsonscan.Slack), x.Text[:last]...)
	fixed := make(map[uint32]bool)
	for _, op := range t.others {
		if op.kind == opNull || op.kind == opListNull {
			fixed[op.token] = true
		}
	}
	for i, c := range x.Kinds {
		if c != '0' && (c != '"' || x.At(i+1) == ':') {
			continue
		}
		from, to := valuePlace(x, i, c == '"')
		k.values = append(k.values, sampleValue{token: uint32(i), from: uint32(from), to: uint32(to), text: c == '"', fixed: fixed[uint32(i)]})
	}
	return k
}

// valuePlace is where the value at token k stands.
func valuePlace(x *jsonscan.Index, k int, text bool) (from, to int) {
	if text {
		from, to, _ = x.String(k)
		return from, to
	}
	s, _ := x.Scalar(k)
	from = int(x.Pos[k])
	return from, from + len(s)
}

// cut makes the stencil anew, and reads the sample once more for what does not vary.
func (d *Decoder) cut(k *makeOf) bool {
	t := k.of
	var values []jsonscan.Value
	spans := make(map[uint32]int32)
	byToken := make(map[uint32]*sampleValue)
	for i := range k.values {
		v := &k.values[i]
		byToken[v.token] = v
		if v.varies {
			spans[v.token] = int32(len(values))
			values = append(values, jsonscan.Value{From: int(v.from), To: int(v.to), Text: v.text, Even: v.even > 0})
		}
	}
	if !d.readSample(k) {
		return false
	}
	k.texts, k.others, k.changes = k.texts[:0], k.others[:0], false
	k.topTexts, k.telling, k.topSpans = 0, 0, k.topSpans[:0]
	for _, token := range topTexts(&d.x) {
		k.topTexts++
		if i, varies := spans[token]; varies {
			k.topSpans = append(k.topSpans, uint32(i))
		} else if v := byToken[token]; v != nil && !TypeWord(string(k.sample[v.from:v.to])) {
			k.telling++
		}
	}
	for _, op := range t.texts {
		if i, ok := spans[op.token]; ok {
			k.texts = append(k.texts, spanText{uint32(i), op.to})
		}
	}
	lists := false // a text of a list varies: all of them are made anew
	for _, op := range t.others {
		_, varies := spans[op.token]
		lists = lists || varies && op.kind == opListText
	}
	for _, op := range t.others {
		i, varies := spans[op.token]
		list := op.kind == opListText || op.kind == opListEnd
		if op.kind == opNull || op.kind == opListNull || list && !lists || !list && !varies {
			continue
		}
		o := spanOther{kind: op.kind, span: -1, to: op.to}
		if op.kind != opListEnd {
			v := byToken[op.token]
			if v == nil {
				return false
			}
			if o.text = v.text; varies {
				o.span = i
			} else {
				o.value = string(k.sample[v.from:v.to])
			}
		}
		k.others = append(k.others, o)
	}
	k.stencil = jsonscan.Cut(k.sample, values)
	return true
}

// readSample reads the sample by its template and keeps what it left, texts and all.
func (d *Decoder) readSample(k *makeOf) bool {
	r := &k.read
	if !d.x.Scan(k.sample) || !bytes.Equal(d.x.Kinds, k.of.kinds) {
		return false
	}
	d.arena, d.texts = nil, nil // what is written there now stays with the sample
	d.reset(&r.event)
	ok := d.replay(k.of, &r.event)
	r.env, r.top, r.in = d.env, d.top, d.in
	if d.env.hasProperties {
		r.inner = d.inner
	}
	r.steps = append([]signin.Step(nil), d.steps...)
	r.requirements = append([]signin.RequirementPolicy(nil), d.requirements...)
	r.policies = append([]signin.AppliedPolicy(nil), d.policies...)
	d.arena, d.texts = nil, nil
	return ok
}

// add takes a make, new or cut anew, among those that are tried.
func (m *makes) add(k *makeOf) {
	at := -1
	for i, o := range m.list {
		if o == k {
			at = i
		}
	}
	if at < 0 {
		if len(m.list) == maxMakes {
			k.renewals, k.stencil = maxRenewals, nil
			return
		}
		at = len(m.list)
		m.list = append(m.list, k)
	}
	if need := k.stencil.Values(); len(m.spans) < need {
		m.spans = append(m.spans, make([]jsonscan.Span, need-len(m.spans))...)
	}
	for _, o := range m.list {
		o.alike = append(o.alike, make([]int, len(m.list)-len(o.alike))...)
	}
	for i, o := range m.list {
		n := math.MaxInt
		if i != at {
			n = min(k.stencil.Alike(o.stencil), k.stencil.Values(), o.stencil.Values())
		}
		k.alike[i], o.alike[at] = n, n
	}
}
