package segment

import (
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Tree is the Merkle tree (RFC 6962) over a segment's entries. The zero value is
// empty.
type Tree struct {
	stored []tlog.Hash
	size   int64
}

// ReadHashes gives stored hashes, as tlog asks for them.
func (t *Tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		if n < 0 || n >= int64(len(t.stored)) {
			return nil, fmt.Errorf("no hash %d", n)
		}
		out[i] = t.stored[n]
	}
	return out, nil
}

// Add adds a leaf.
func (t *Tree) Add(leaf tlog.Hash) {
	more, err := tlog.StoredHashesForRecordHash(t.size, leaf, t)
	if err != nil {
		panic(err) // it reads nothing but what was added
	}
	t.stored = append(t.stored, more...)
	t.size++
}

// Size is how many leaves there are.
func (t *Tree) Size() int64 { return t.size }

// Root is the tree's hash in hex.
func (t *Tree) Root() string {
	h, err := tlog.TreeHash(t.size, t)
	if err != nil {
		panic(err) // it reads nothing but what was added
	}
	return hex.EncodeToString(h[:])
}

// Prove gives the hashes that show leaf n under the root.
func (t *Tree) Prove(n int64) (tlog.RecordProof, error) {
	if n < 0 || n >= t.size {
		return nil, problem.New(problem.NotFound, "it has %d entries, and none numbered %d", t.size, n)
	}
	return tlog.ProveRecord(t.size, n, t)
}

// Leaf is the hash of an entry by its line.
func Leaf(line []byte) tlog.Hash { return tlog.RecordHash(line) }
