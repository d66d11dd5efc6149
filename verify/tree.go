package main

import (
	"crypto/sha256"
	"errors"
	"math/bits"
)

// hash is one of a Merkle tree (RFC 6962 section 2.1).
type hash [sha256.Size]byte

func leafHash(data []byte) hash { return sha256.Sum256(append([]byte{0}, data...)) }

func nodeHash(l, r hash) hash {
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// rootOf is the root of a tree of leaves.
func rootOf(leaves []hash) hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := split(int64(len(leaves)))
	return nodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// split is the largest power of two less than n > 1.
func split(n int64) int64 { return 1 << (bits.Len64(uint64(n-1)) - 1) }

// fold gives the root that a proof of some leaves leads to. A proof is, from left to
// right, the hash of each widest range without any of them, as the recursion meets it.
func fold(size int64, set []int64, leaves, proof []hash) (hash, error) {
	last := int64(-1)
	for _, n := range set {
		if n <= last || n >= size {
			return hash{}, errors.New("it is of entries that the tree does not have, or has some twice or out of order")
		}
		last = n
	}
	if size < 1 || size > 1<<40 || len(set) == 0 || len(set) != len(leaves) {
		return hash{}, errors.New("it is of no entries")
	}
	short := false
	var walk func(lo, hi int64) hash
	walk = func(lo, hi int64) (h hash) {
		if len(set) == 0 || set[0] >= hi {
			if len(proof) == 0 {
				short = true
				return h
			}
			h, proof = proof[0], proof[1:]
			return h
		}
		if hi-lo == 1 {
			h, set, leaves = leaves[0], set[1:], leaves[1:]
			return h
		}
		mid := lo + split(hi-lo)
		left := walk(lo, mid)
		return nodeHash(left, walk(mid, hi))
	}
	root := walk(0, size)
	if short || len(proof) > 0 {
		return root, errors.New("it has too few hashes or too many")
	}
	return root, nil
}

// consistent checks (RFC 9162 section 2.1.4.2) that the tree of m leaves and the root a
// is the beginning of that of n > m leaves and the root b.
func consistent(m, n int64, a, b hash, proof []hash) bool {
	if m < 1 || m >= n || len(proof) == 0 && m&(m-1) != 0 {
		return false
	}
	if m&(m-1) == 0 {
		proof = append([]hash{a}, proof...)
	}
	fn, sn := m-1, n-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	if len(proof) == 0 {
		return false
	}
	fr, sr := proof[0], proof[0]
	for _, c := range proof[1:] {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			fr, sr = nodeHash(c, fr), nodeHash(c, sr)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			sr = nodeHash(sr, c)
		}
		fn, sn = fn>>1, sn>>1
	}
	return fr == a && sr == b && sn == 0
}
