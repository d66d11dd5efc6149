package leaf

import (
	"crypto/sha256"
	"errors"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is one of a tree.
type Hash = tlog.Hash

// Stack folds leaves as they come: it holds the roots of perfect subtrees alone. The
// zero value is an empty tree.
type Stack struct {
	size  int64
	nodes []Hash
}

// Add adds the hash of a leaf.
func (s *Stack) Add(h Hash) {
	s.nodes = append(s.nodes, h)
	for n := s.size; n&1 == 1; n >>= 1 {
		k := len(s.nodes)
		s.nodes[k-2] = tlog.NodeHash(s.nodes[k-2], s.nodes[k-1])
		s.nodes = s.nodes[:k-1]
	}
	s.size++
}

// Size is how many were added.
func (s *Stack) Size() int64 { return s.size }

// Root is the tree's hash.
func (s *Stack) Root() Hash {
	if len(s.nodes) == 0 {
		return sha256.Sum256(nil)
	}
	h := s.nodes[len(s.nodes)-1]
	for i := len(s.nodes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(s.nodes[i], h)
	}
	return h
}

// Reset empties it.
func (s *Stack) Reset() { s.size, s.nodes = 0, s.nodes[:0] }

// A proof of a set of leaves is the hashes of the widest ranges that have none of them,
// from left to right, as a recursion over RFC 6962's split of the tree meets them. One
// list so proves any number of leaves.

// below is the largest power of two that is less than n, n > 1.
func below(n int64) int64 { return 1 << (bits.Len64(uint64(n-1)) - 1) }

// within says that a sorted set has one of lo to hi-1 at its front.
func within(set []int64, hi int64) bool { return len(set) > 0 && set[0] < hi }

// Prove gives the hashes that prove a sorted set of leaves, each once, under the root of
// a tree of so many.
func Prove(size int64, set []int64, from tlog.HashReader) ([]Hash, error) {
	if err := fits(size, set); err != nil {
		return nil, err
	}
	// First which stored hashes are needed, so that they are asked for at once.
	var want []int64
	var ends []int // of each range, where its perfect subtrees end in want
	rest := set
	var walk func(lo, hi int64)
	walk = func(lo, hi int64) {
		if !within(rest, hi) {
			for lo < hi { // widest first
				level := bits.Len64(uint64(hi-lo)) - 1
				want = append(want, tlog.StoredHashIndex(level, lo>>level))
				lo += 1 << level
			}
			ends = append(ends, len(want))
			return
		}
		if hi-lo == 1 {
			rest = rest[1:]
			return
		}
		mid := lo + below(hi-lo)
		walk(lo, mid)
		walk(mid, hi)
	}
	walk(0, size)
	got, err := from.ReadHashes(want)
	if err != nil {
		return nil, err
	}
	out := make([]Hash, 0, len(ends))
	begin := 0
	for _, end := range ends {
		h := got[end-1]
		for i := end - 2; i >= begin; i-- {
			h = tlog.NodeHash(got[i], h)
		}
		out, begin = append(out, h), end
	}
	return out, nil
}

var errSet = errors.New("the proof is of entries that the tree does not have, or has some twice or out of order")

func fits(size int64, set []int64) error {
	if size <= 0 || size > 1<<40 || len(set) == 0 {
		return errSet
	}
	last := int64(-1)
	for _, n := range set {
		if n <= last || n >= size {
			return errSet
		}
		last = n
	}
	return nil
}

// Fold gives the root that a proof of a set of leaves leads to. leaf gives the hash of
// the set's i-th.
func Fold(size int64, set []int64, leaf func(i int) Hash, proof []Hash) (Hash, error) {
	if err := fits(size, set); err != nil {
		return Hash{}, err
	}
	rest, i, left := set, 0, proof
	short := false
	var walk func(lo, hi int64) Hash
	walk = func(lo, hi int64) (h Hash) {
		switch {
		case !within(rest, hi):
			if short = short || len(left) == 0; short {
				return h
			}
			h, left = left[0], left[1:]
			return h
		case hi-lo == 1:
			h, i, rest = leaf(i), i+1, rest[1:]
			return h
		}
		mid := lo + below(hi-lo)
		l := walk(lo, mid)
		return tlog.NodeHash(l, walk(mid, hi))
	}
	root := walk(0, size)
	if short || len(left) > 0 {
		return root, errors.New("the proof has too few hashes or too many")
	}
	return root, nil
}
