package detect

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"partnerguard/internal/problem"
)

// magic begins a part that is kept; its last byte is the version of the form.
const magic = "pgdetect\x02"

// writer appends what is kept.
type writer struct{ b []byte }

func (w *writer) uint(n uint64)   { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int64)     { w.b = binary.AppendVarint(w.b, n) }
func (w *writer) word(t word)     { w.uint(uint64(t)) }
func (w *writer) fixed(n uint64)  { w.b = binary.LittleEndian.AppendUint64(w.b, n) }
func (w *writer) text(s string)   { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) float(f float64) { w.fixed(math.Float64bits(f)) }

func (w *writer) bits(s *bitset) {
	w.int(int64(s.from))
	w.uint(uint64(len(s.words)))
	for _, x := range s.words {
		w.fixed(x)
	}
}

// MarshalBinary is the part to be kept. Equal parts give equal bytes, if their records came in
// the same order.
func (p *Part) MarshalBinary() ([]byte, error) {
	w := &writer{b: make([]byte, 0, p.weight())}
	w.b = append(w.b, magic...)
	w.text(p.Tenant)
	for _, s := range []string{p.who.Name, p.who.Domain, p.who.Country} {
		w.text(s)
	}
	w.int(unix(p.who.Since))
	for _, n := range []int64{p.dropped, p.events, p.lines} {
		w.int(n)
	}
	w.uint(uint64(len(p.texts)))
	for _, s := range p.texts {
		w.text(s)
	}
	w.uint(uint64(len(p.subs)))
	for _, t := range slices.Sorted(maps.Keys(p.subs)) {
		w.sub(p.subs[t])
	}
	w.uint(uint64(len(p.callers)))
	for _, t := range slices.Sorted(maps.Keys(p.callers)) {
		c := p.callers[t]
		w.word(t)
		w.bits(&c.hours)
		w.int(c.first)
		w.flag(c.app)
		w.uint(uint64(len(c.nets)))
		for _, n := range slices.Sorted(maps.Keys(c.nets)) {
			w.word(n)
			w.int(c.nets[n])
		}
	}
	w.uint(uint64(len(p.alias)))
	for _, t := range slices.Sorted(maps.Keys(p.alias)) {
		w.word(t)
		w.word(p.alias[t])
	}
	w.uint(uint64(len(p.acts)))
	for i := range p.acts {
		w.act(&p.acts[i])
	}
	return w.b, nil
}

// weight is about how many bytes a part is kept in.
func (p *Part) weight() (n int) {
	for _, s := range p.subs {
		for _, x := range s.series {
			n += 64 + 4*len(x.q)
		}
	}
	return n + 60*len(p.acts) + 40*len(p.texts) + 1024
}

func (w *writer) flag(b bool) {
	if b {
		w.b = append(w.b, 1)
		return
	}
	w.b = append(w.b, 0)
}

func (w *writer) sub(s *sub) {
	w.word(s.id)
	for _, n := range []int64{s.firstEvent, s.firstUsage, s.lastUsage} {
		w.int(n)
	}
	w.uint(uint64(len(s.regions)))
	for _, t := range slices.Sorted(maps.Keys(s.regions)) {
		w.word(t)
		w.bits(s.regions[t])
	}
	w.uint(uint64(len(s.series)))
	for _, x := range s.series {
		w.fixed(x.key)
		for _, t := range []word{x.meter, x.region, x.size} {
			w.word(t)
		}
		w.b = append(w.b, byte(x.fam))
		w.flag(x.hourly)
		w.float(x.price)
		w.int(x.priced)
		w.int(int64(x.start))
		w.uint(uint64(len(x.q)))
		for _, q := range x.q {
			w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(q))
		}
	}
	w.uint(uint64(len(s.late)))
	for _, l := range s.late {
		w.uint(uint64(l.series))
		w.int(int64(l.bucket))
		w.int(l.known)
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(l.q))
	}
}

func (w *writer) act(a *act) {
	w.fixed(a.key)
	for _, n := range []int64{a.at, a.told, a.sized, a.failed, a.ok, int64(a.count)} {
		w.int(n)
	}
	w.b = append(w.b, byte(a.kind), byte(a.role), byte(a.code))
	for _, t := range []word{a.sub, a.caller, a.net, a.country, a.region, a.size, a.resource, a.app} {
		w.word(t)
	}
	w.uint(uint64(len(a.targets)))
	for _, t := range a.targets {
		w.word(t)
	}
}

// reader reads what was kept; the first fault stays.
type reader struct {
	b   []byte
	bad bool
	n   uint64 // texts there are
}

func (r *reader) uint() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) int() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// many is a count of things that take at least so many bytes each.
func (r *reader) many(each int) int {
	n := r.uint()
	if n > uint64(len(r.b)/each) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) fixed() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) text() string { return string(r.take(r.uint())) }

func (r *reader) word() word {
	n := r.uint()
	if n >= r.n {
		r.bad, r.b = true, nil
		return 0
	}
	return word(n)
}

func (r *reader) bits(s *bitset) {
	from := r.int()
	n := r.many(8)
	if n > maxSpan || from < math.MinInt32 || from > math.MaxInt32 {
		r.bad, r.b = true, nil
		return
	}
	s.from = int32(from)
	s.words = make([]uint64, n)
	for i := range s.words {
		s.words[i] = r.fixed()
	}
}

// UnmarshalBinary reads what MarshalBinary wrote; for anything else, or another version's, it is
// an error of kind problem.BadInput: read the records again.
func (p *Part) UnmarshalBinary(b []byte) error {
	fault := problem.New(problem.BadInput, "what was kept of the detector cannot be read").WithHint("it is of another version: read the records again")
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return fault
	}
	r := &reader{b: b[len(magic):]}
	*p = *NewPart(r.text())
	p.who.Name, p.who.Domain, p.who.Country = r.text(), r.text(), r.text()
	if at := r.int(); at != 0 {
		p.who.Since = time.Unix(at, 0).UTC()
	}
	p.dropped, p.events, p.lines = r.int(), r.int(), r.int()
	r.n = uint64(r.many(1))
	p.texts = make([]string, r.n)
	for i := range p.texts {
		p.texts[i] = r.text()
		p.index[p.texts[i]] = word(i)
	}
	if r.bad || len(p.texts) == 0 || p.texts[0] != "" {
		return fault
	}
	for range r.many(4) {
		if s := r.sub(); !r.bad {
			p.subs[s.id] = s
		}
	}
	for range r.many(4) {
		t, c := r.word(), &caller{nets: map[word]int64{}}
		r.bits(&c.hours)
		c.first, c.app = r.int(), r.byte() == 1
		for range r.many(2) {
			n := r.word()
			c.nets[n] = r.int()
		}
		p.callers[t] = c
	}
	for range r.many(2) {
		t := r.word()
		p.alias[t] = r.word()
	}
	n := r.many(16)
	p.acts = make([]act, 0, n)
	for range n {
		a := r.act()
		p.actAt[a.key] = int32(len(p.acts))
		p.acts = append(p.acts, a)
	}
	if r.bad || len(r.b) > 0 {
		return fault
	}
	for i := range p.acts {
		if p.subs[p.acts[i].sub] == nil {
			return fault
		}
	}
	return nil
}

func (r *reader) sub() *sub {
	s := &sub{id: r.word(), at: map[uint64]int32{}, regions: map[word]*bitset{}}
	s.firstEvent, s.firstUsage, s.lastUsage = r.int(), r.int(), r.int()
	for range r.many(3) {
		t, b := r.word(), new(bitset)
		r.bits(b)
		s.regions[t] = b
	}
	n := r.many(16)
	s.series = make([]*series, 0, n)
	for range n {
		x := &series{key: r.fixed(), meter: r.word(), region: r.word(), size: r.word(), fam: family(r.byte()), hourly: r.byte() == 1}
		x.price, x.priced = math.Float64frombits(r.fixed()), r.int()
		start := r.int()
		k := r.many(4)
		if k > maxBuckets || start < 0 || start > 1<<24 || math.IsNaN(x.price) || math.IsInf(x.price, 0) {
			r.bad, r.b = true, nil
			return s
		}
		x.start = int32(start)
		x.q = make([]float32, k)
		raw := r.take(4 * uint64(k))
		for i := range len(raw) / 4 {
			x.q[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		s.at[x.key] = int32(len(s.series))
		s.series = append(s.series, x)
	}
	for range r.many(7) {
		l := lateLine{series: int32(r.uint()), bucket: int32(r.int()), known: r.int()}
		if b := r.take(4); b != nil {
			l.q = math.Float32frombits(binary.LittleEndian.Uint32(b))
		}
		if l.series < 0 || int(l.series) >= len(s.series) {
			r.bad, r.b = true, nil
			return s
		}
		s.late = append(s.late, l)
	}
	return s
}

func (r *reader) act() act {
	a := act{key: r.fixed(), at: r.int(), told: r.int(), sized: r.int(), failed: r.int(), ok: r.int(), count: int32(min(max(r.int(), 0), 1_000_000))}
	a.kind, a.role, a.code = actKind(r.byte()), role(r.byte()), failure(r.byte())
	a.sub, a.caller, a.net, a.country, a.region = r.word(), r.word(), r.word(), r.word(), r.word()
	a.size, a.resource, a.app = r.word(), r.word(), r.word()
	for range min(r.many(1), 8) {
		a.targets = append(a.targets, r.word())
	}
	return a
}
