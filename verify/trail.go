package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// entry is what is read of an entry of the trail.
type entry struct {
	Seq                             int64
	Action, Outcome, Object, Tenant string
	Details                         map[string]string
}

// trail checks that the entries of the trail are under the last checkpoint, and each
// checkpoint is the beginning of the next.
func (c *checker) trail() {
	last := c.checkpoints()
	c.consistency()
	set, leaves := c.entries()
	var p struct {
		Size   int64
		Hashes []hash
	}
	err := c.decode("trail/proof.json", 64<<20, &p)
	switch {
	case err != nil:
		c.fault("trail", "trail/proof.json", "it is missing, or cannot be read")
		return
	case last == nil:
		return // said
	case p.Size != last.size:
		c.fault("trail", "trail/proof.json", "it is of a trail of %d entries, and the last checkpoint is of %d: it is an older one, or another",
			p.Size, last.size)
		return
	}
	root, err := fold(p.Size, set, leaves, p.Hashes)
	if err != nil || root != last.root {
		c.fault("trail", "trail/entries.jsonl", "its entries are not those of the trail of %d that was signed: one was changed, taken away or added", p.Size)
	}
}

func (c *checker) entries() (set []int64, leaves []hash) {
	c.kept = map[int64]entry{}
	err := c.lines("trail/entries.jsonl", 300<<10, func(n int, line []byte) error {
		var e entry
		if json.Unmarshal(line, &e) != nil || e.Seq < 1 || n > 1<<24 {
			return fmt.Errorf("line %d of it is no entry of a trail", n)
		}
		if len(set) > 0 && e.Seq-1 <= set[len(set)-1] {
			return fmt.Errorf("line %d of it is entry %d: they are in another order, or one is there twice", n, e.Seq)
		}
		set, leaves = append(set, e.Seq-1), append(leaves, leafHash(line))
		action := "archive.kept"
		if len(c.m.Redaction) > 0 {
			action = "pack.leaved"
		}
		if e.Action == action && e.Outcome == "done" {
			c.kept[e.Seq] = e
		}
		return nil
	})
	if err != nil {
		c.fault("trail", "trail/entries.jsonl", "%s", err)
	}
	c.Trail = len(set)
	return set, leaves
}

// of says that an entry of the trail is of a segment.
func (e *entry) of(s *segmentLine, tenant string) bool {
	n, err := strconv.ParseInt(e.Details["entries"], 10, 64)
	return err == nil && n == s.Entries && e.Object == s.Segment && e.Tenant == tenant && e.Details["root"] == s.Root
}

// checkpoints checks each, and gives the last, which is the pack's own.
func (c *checker) checkpoints() (last *checkpoint) {
	if c.key == nil {
		return nil
	}
	own := false
	err := c.lines("trail/checkpoints.jsonl", 1<<20, func(n int, line []byte) error {
		var x struct {
			At                     time.Time
			Anchor, Note, Cosigned string
			Stamp                  []byte
		}
		if err := decode(line, &x); err != nil || len(x.Stamp) > 64<<10 || x.Anchor == "" && (x.Stamp != nil || x.Cosigned != "") {
			return fmt.Errorf("line %d of it is no checkpoint", n)
		}
		if own {
			return fmt.Errorf("line %d of it is behind the pack's own", n)
		}
		own = x.Anchor == ""
		signed, err := c.signed([]byte(x.Note))
		if err != nil {
			return fmt.Errorf("the checkpoint of line %d is not signed by %s: it was changed, or is of another trail", n, c.key.name)
		}
		at, err := parseCheckpoint(signed.text)
		if err != nil || at.origin != c.m.Trail || last != nil && (at.size < last.size || at.size == last.size && at.root != last.root) {
			return fmt.Errorf("the checkpoint of line %d is of another trail, or not in order", n)
		}
		if last == nil || last.size != at.size {
			c.sizes, c.roots = append(c.sizes, at.size), append(c.roots, at.root)
		}
		last = &at
		c.Checkpoints++
		return c.witnessed(n, x.Note, x.Cosigned, x.Stamp)
	})
	if err == nil && !own {
		err = errors.New("the pack's own checkpoint, the last, is missing")
	}
	if err != nil {
		c.fault("checkpoint", "trail/checkpoints.jsonl", "%s", err)
		return nil
	}
	return last
}

// signed reads a note that the pack's key signed alone.
func (c *checker) signed(raw []byte) (*note, error) {
	n, err := parseNote(raw)
	if err != nil {
		return nil, err
	}
	if ok, _ := n.by(c.key); !ok || len(n.sigs) != 1 {
		return nil, errors.New("it is not signed by " + c.key.name)
	}
	return n, nil
}

// witnessed checks what an anchor gave back for a checkpoint.
func (c *checker) witnessed(n int, signed, cosigned string, stamp []byte) error {
	if stamp != nil {
		_, trusted, err := stamped(stamp, []byte(signed), c.trust.Roots)
		switch {
		case err != nil:
			return fmt.Errorf("the stamp of line %d does not count: %w", n, err)
		case trusted:
			c.Witnessed++
		default:
			c.Unchecked++
		}
	}
	if cosigned == "" {
		return nil
	}
	all, err := parseNote([]byte(signed + cosigned))
	if err != nil {
		return fmt.Errorf("the cosignature of line %d is none, or was changed", n)
	}
	for _, w := range c.trust.Witnesses {
		if ok, tried := all.by(w); ok {
			c.Witnessed++
			return nil
		} else if tried {
			return fmt.Errorf("the cosignature of line %d is not by %s, or was changed", n, w.name)
		}
	}
	c.Unchecked++
	return nil
}

func (c *checker) consistency() {
	const name = "trail/consistency.json"
	var all struct {
		Steps []struct {
			From, To int64
			Hashes   []hash
		}
	}
	err := c.decode(name, 16<<20, &all)
	if err == nil && len(all.Steps) != max(0, len(c.sizes)-1) {
		err = errors.New("it does not have a proof for each two checkpoints: one was taken away or added")
	}
	if err != nil {
		c.fault("consistency", name, "%s", err)
		return
	}
	for i, s := range all.Steps {
		if s.From != c.sizes[i] || s.To != c.sizes[i+1] {
			c.fault("consistency", name, "proof %d is not from the checkpoint of %d entries to that of %d", i+1, c.sizes[i], c.sizes[i+1])
			return
		}
		if !consistent(s.From, s.To, c.roots[i], c.roots[i+1], s.Hashes) {
			c.fault("consistency", name, "the trail of %d entries is not the beginning of that of %d: it was written anew between", s.From, s.To)
		}
	}
}

// The kinds of keys of C2SP signed-note that packs have.
const (
	algEd25519  = 1 // of a trail
	algCosigner = 4 // of a witness (C2SP tlog-cosignature)
)

// key verifies signatures of a note.
type key struct {
	name string
	hash uint32
	alg  byte
	pub  ed25519.PublicKey
}

// parseKey reads a verifier's key: name+hash+base64(kind, key).
func parseKey(s string, alg byte) (*key, error) {
	parts := strings.SplitN(s, "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsAny(parts[0], " \t\n") {
		return nil, errors.New("it is none: NAME+HASH+KEY")
	}
	hash, err := hex.DecodeString(parts[1])
	raw, err2 := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || err2 != nil || len(hash) != 4 || len(raw) != 1+ed25519.PublicKeySize || raw[0] != alg && (alg != algCosigner || raw[0] != algEd25519) {
		return nil, errors.New("it is none of the kind that is used here")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if !bytes.Equal(sum[:4], hash) {
		return nil, errors.New("its hash is not its own: it was mistyped")
	}
	raw[0] = alg // a witness may publish a key of the other kind: it cosigns with this one
	sum = sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	return &key{parts[0], binary.BigEndian.Uint32(sum[:]), alg, raw[1:]}, nil
}

const maxNote = 16 << 10

// note is a signed text.
type note struct {
	text string
	sigs []signature
}

type signature struct {
	name string
	hash uint32
	sig  []byte
}

// parseNote takes a signed note apart: a text, an empty line, and lines with signatures,
// each written the one way that base64 has.
func parseNote(raw []byte) (*note, error) {
	at := bytes.LastIndex(raw, []byte("\n\n"))
	if at < 0 || len(raw) > 4*maxNote {
		return nil, errors.New("it is no signed note")
	}
	n := &note{text: string(raw[:at+1])}
	for line := range strings.Lines(string(raw[at+2:])) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		b, ok := unbase64(fields[len(fields)-1])
		if len(fields) != 3 || fields[0] != "\u2014" || !strings.HasSuffix(line, "\n") || !ok || len(b) < 5 {
			return nil, errors.New("a line of its signatures is none")
		}
		n.sigs = append(n.sigs, signature{fields[1], binary.BigEndian.Uint32(b), b[4:]})
	}
	return n, nil
}

// by says that a key signed the note. A signature that claims to be the key's and is not
// its own counts as none; tried says that there is one that does.
func (n *note) by(k *key) (ok, tried bool) {
	for _, s := range n.sigs {
		if s.name != k.name || s.hash != k.hash {
			continue
		}
		msg, sig := n.text, s.sig
		if k.alg == algCosigner {
			if len(sig) != 8+ed25519.SignatureSize {
				return false, true
			}
			msg = fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), n.text)
			sig = sig[8:]
		}
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(k.pub, []byte(msg), sig), true
	}
	return false, false
}

// checkpoint is where a trail stood (C2SP tlog-checkpoint).
type checkpoint struct {
	origin string
	size   int64
	root   hash
}

func parseCheckpoint(text string) (c checkpoint, err error) {
	lines := append(strings.Split(text, "\n"), "", "") // so that there are three
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, ok := parseHash(lines[2])
	if len(lines) != 6 || lines[0] == "" || lines[3] != "" || err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] || !ok {
		return c, errors.New("it is no checkpoint")
	}
	return checkpoint{lines[0], size, root}, nil
}

// UnmarshalJSON reads a hash in base64.
func (h *hash) UnmarshalJSON(raw []byte) error {
	of, ok := parseHash(strings.Trim(string(raw), `"`))
	if *h = of; !ok || raw[0] != '"' {
		return errors.New("it is no hash")
	}
	return nil
}

// parseHash reads a hash in base64, written the one way.
func parseHash(s string) (h hash, ok bool) {
	b, ok := unbase64(s)
	if ok = ok && len(b) == len(h); ok {
		h = hash(b)
	}
	return h, ok
}

// unbase64 reads base64, written the one way.
func unbase64(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil && base64.StdEncoding.EncodeToString(b) == s
}

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
	last, fits := int64(-1), size >= 1 && size <= 1<<40 && len(set) > 0 && len(set) == len(leaves)
	for _, n := range set {
		last, fits = n, fits && n > last && n < size
	}
	if !fits {
		return hash{}, errors.New("it is of no entries, or of some that the tree does not have, or twice or out of order")
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

// consistent checks (RFC 9162 section 2.1.4) that the tree of m leaves and the root a is
// the beginning of that of n > m leaves and the root b.
func consistent(m, n int64, a, b hash, proof []hash) bool {
	next := func() (h hash) {
		if len(proof) > 0 {
			h, proof = proof[0], proof[1:]
		} else {
			n = 0 // too few
		}
		return h
	}
	// As SUBPROOF makes them: both roots, of what is left of each tree.
	var walk func(m, n int64, whole bool) (x, y hash)
	walk = func(m, n int64, whole bool) (x, y hash) {
		switch {
		case m == n && whole:
			return a, a
		case m == n:
			h := next()
			return h, h
		case m <= split(n):
			x, y = walk(m, split(n), whole)
			return x, nodeHash(y, next())
		}
		k := split(n)
		x, y = walk(m-k, n-k, false)
		l := next()
		return nodeHash(l, x), nodeHash(l, y)
	}
	if m < 1 || m >= n {
		return false
	}
	x, y := walk(m, n, true)
	return n > 0 && len(proof) == 0 && x == a && y == b
}
