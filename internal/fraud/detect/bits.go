package detect

import "math/bits"

// bitset is a set of hours or days, counted from the Unix epoch.
type bitset struct {
	from  int32 // in words of 64
	words []uint64
}

// maxSpan is how far apart what a set holds may lie, in words: with hours, 1,000 days.
const maxSpan = 375

// add adds n, unless it lies too far from what is there.
func (b *bitset) add(n int64) {
	w := int32(n >> 6)
	switch {
	case len(b.words) == 0:
		b.from, b.words = w, append(b.words, 0)
	case w < b.from:
		if int(b.from-w)+len(b.words) > maxSpan {
			return
		}
		b.words = append(make([]uint64, b.from-w, int(b.from-w)+len(b.words)), b.words...)
		b.from = w
	case int(w-b.from) >= len(b.words):
		if int(w-b.from) >= maxSpan {
			return
		}
		for int(w-b.from) >= len(b.words) {
			b.words = append(b.words, 0)
		}
	}
	b.words[w-b.from] |= 1 << (n & 63)
}

// any reports something in [from, to).
func (b *bitset) any(from, to int64) bool {
	for i, w := range b.words {
		base := (int64(b.from) + int64(i)) << 6
		if w == 0 || base+64 <= from || base >= to {
			continue
		}
		if w&mask(from-base, to-base) != 0 {
			return true
		}
	}
	return false
}

// count counts what lies before to.
func (b *bitset) count(to int64) (n int) {
	for i, w := range b.words {
		n += bits.OnesCount64(w & mask(0, to-(int64(b.from)+int64(i))<<6))
	}
	return n
}

// mask has the bits of [from, to) within a word.
func mask(from, to int64) uint64 {
	if to <= 0 || from >= 64 {
		return 0
	}
	m := ^uint64(0)
	if to < 64 {
		m = 1<<to - 1
	}
	if from > 0 {
		m &^= 1<<from - 1
	}
	return m
}

// each calls f with everything before to, in order.
func (b *bitset) each(to int64, f func(int64)) {
	for i, w := range b.words {
		base := (int64(b.from) + int64(i)) << 6
		for w != 0 {
			n := base + int64(bits.TrailingZeros64(w))
			if n >= to {
				return
			}
			f(n)
			w &= w - 1
		}
	}
}
