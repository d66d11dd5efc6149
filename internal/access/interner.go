package access

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// interner numbers equal rows of words alike and keeps one copy of each, in
// blocks that never move: a large tenant has as many rows as accounts.
type interner struct {
	seed  maphash.Seed
	key   []byte
	rows  [][]uint64 // by number
	tags  []uint32   // by number: a part of the hash
	table []int32    // open addressing by hash: the number plus one, 0 is free
	free  []uint64   // what is left of the last block
	block int        // its words
	most  int        // rows expected at most; 0 not known
}

// Words of the first block and of the largest block.
const (
	firstBlock = 256
	mostBlock  = 128 << 10
	// startsLarge is from how many rows on the expectation is believed.
	startsLarge = 4096
)

// newInterner makes one; most is how many rows are expected at most, and no promise.
func newInterner(most int) *interner {
	return &interner{seed: maphash.MakeSeed(), table: make([]int32, 64), most: most}
}

// hashOf is what [interner.addHashed] finds a row by; key is a buffer.
func hashOf(seed maphash.Seed, words []uint64, key []byte) (h uint64, again []byte) {
	key = key[:0]
	for _, w := range words {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	return maphash.Bytes(seed, key), key
}

// add gives the number of a row.
func (x *interner) add(words []uint64) (n int32, isNew bool) {
	var h uint64
	h, x.key = hashOf(x.seed, words, x.key)
	return x.addHashed(words, h)
}

// addHashed is add with the hash at hand.
func (x *interner) addHashed(words []uint64, h uint64) (n int32, isNew bool) {
	if 4*len(x.rows) >= 3*len(x.table) {
		x.grow()
	}
	at, n := x.place(words, uint32(h))
	if n >= 0 {
		return n, false
	}
	n = int32(len(x.rows))
	x.table[at] = n + 1
	if n >= startsLarge && len(x.rows) == cap(x.rows) && x.most > len(x.rows) { // once, not by halves
		x.rows, x.tags = slices.Grow(x.rows, x.most-len(x.rows)), slices.Grow(x.tags, x.most-len(x.tags))
	}
	x.rows, x.tags = append(x.rows, x.keep(words)), append(x.tags, uint32(h))
	return n, true
}

// find gives the number of a row, or -1.
func (x *interner) find(words []uint64) int32 {
	var h uint64
	h, x.key = hashOf(x.seed, words, x.key)
	_, n := x.place(words, uint32(h))
	return n
}

// place gives where a row stands in the table, and its number, or where it would
// stand, and -1.
func (x *interner) place(words []uint64, tag uint32) (at uint32, n int32) {
	last := uint32(len(x.table) - 1)
	for at = tag & last; x.table[at] != 0; at = (at + 1) & last {
		n = x.table[at] - 1
		if x.tags[n] == tag && slices.Equal(x.rows[n], words) {
			return at, n
		}
	}
	return at, -1
}

func (x *interner) grow() {
	x.table = make([]int32, 2*len(x.table))
	last := uint32(len(x.table) - 1)
	for n, tag := range x.tags {
		at := tag & last
		for x.table[at] != 0 {
			at = (at + 1) & last
		}
		x.table[at] = int32(n) + 1
	}
}

// keep copies a row into the blocks.
func (x *interner) keep(words []uint64) []uint64 {
	if len(words) > len(x.free) {
		x.block = min(max(2*x.block, firstBlock), mostBlock)
		x.free = make([]uint64, max(x.block, len(words)))
	}
	row := x.free[:len(words):len(words)]
	x.free = x.free[len(words):]
	copy(row, words)
	return row
}
