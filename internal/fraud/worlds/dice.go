package worlds

import "strconv"

// dice is SplitMix64 (Steele, Lea, Flood 2014): small, and the same for ever. No secret is made.
type dice struct{ s uint64 }

func (d *dice) next() uint64 {
	d.s += 0x9e3779b97f4a7c15
	return mix(d.s)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fork is another stream, so that a change in one part of a world leaves the others as they were.
func (d *dice) fork(label string) *dice {
	h := d.s
	for i := range len(label) {
		h = mix(h ^ uint64(label[i]))
	}
	return &dice{s: h}
}

// n is at least 0 and below n.
func (d *dice) n(n int) int { return int(d.next()>>33) % n }

// span is lo to hi, both included.
func (d *dice) span(lo, hi int) int { return lo + d.n(hi-lo+1) }

// odds is true that many times of a hundred.
func (d *dice) odds(percent int) bool { return d.n(100) < percent }

func pick[T any](d *dice, of []T) T { return of[d.n(len(of))] }

func (d *dice) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[d.n(16)]
	}
	return string(b)
}

func (d *dice) guid() string {
	return d.hex(8) + "-" + d.hex(4) + "-4" + d.hex(3) + "-" + string("89ab"[d.n(4)]) + d.hex(3) + "-" + d.hex(12)
}

// noise is 0 to below n, the same for the same seed and moment.
func noise(seed uint64, at, n int) int {
	return int(mix(seed^mix(uint64(at)))>>33) % n
}

func num(n int) string { return strconv.Itoa(n) }
