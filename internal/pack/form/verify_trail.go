package form

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/audit"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// kept is what an entry of the trail says of a segment.
type kept struct {
	segment, tenant, root string
	entries               int64
}

const (
	maxProof  = 64 << 20
	maxSteps  = 16 << 20
	maxLine   = 300 << 10 // of an entry of the trail
	maxMark   = 1 << 20   // of a checkpoint with what an anchor gave back
	mostTrail = 1 << 24   // entries of the trail
)

// trail checks the entries of the trail, and that they are under the checkpoints.
func (c *checker) trail(ctx context.Context) error {
	last := c.checkpoints()
	seqs, leaves := c.entries()
	if err := ctx.Err(); err != nil {
		return err
	}
	c.consistency()
	raw := c.need(ProofName, maxProof)
	if raw == nil || last == nil {
		return nil
	}
	var p Proof
	hashes, ok := []leaf.Hash(nil), false
	if err := decode(raw, &p); err == nil {
		hashes, ok = decodeHashes(p.Hashes)
	}
	switch {
	case !ok:
		c.fault(Trail, ProofName, "it cannot be read")
		return nil
	case p.Size != last.Size:
		c.fault(Trail, ProofName, "it is of a trail of %d entries, and the last checkpoint is of %d: it is an older one, or another", p.Size, last.Size)
		return nil
	}
	root, err := leaf.Fold(p.Size, seqs, func(i int) leaf.Hash { return leaves[i] }, hashes)
	if err != nil || root != leaf.Hash(last.Root) {
		c.fault(Trail, EntriesName, "its entries are not those of the trail of %d that was signed: one was changed, taken away or added", p.Size)
	}
	return nil
}

// entries reads the entries of the trail.
func (c *checker) entries() (places []int64, leaves []leaf.Hash) {
	c.kept = map[int64]kept{}
	if c.Size(EntriesName) < 0 {
		c.fault(Structure, EntriesName, "it is missing")
		return nil, nil
	}
	err := c.lines(EntriesName, maxLine, func(n int, line []byte) error {
		var e trail.Entry
		if err := json.Unmarshal(line, &e); err != nil || e.Seq < 1 || len(places) >= mostTrail {
			return broken("line %d of it is no entry of a trail", n)
		}
		if k := len(places); k > 0 && e.Seq <= places[k-1]+1 {
			return broken("line %d of it is entry %d, behind entry %d: they are in another order, or one is there twice", n, e.Seq, places[k-1]+1)
		}
		places, leaves = append(places, e.Seq-1), append(leaves, tlog.RecordHash(line))
		want := audit.ArchiveKept
		if c.m.Rule() != nil {
			want = audit.PackLeaved
		}
		if e.Action == want && e.Outcome == audit.Done {
			count, _ := strconv.ParseInt(e.Details["entries"], 10, 64)
			c.kept[e.Seq] = kept{e.Object, e.Tenant, e.Details["root"], count}
		}
		return nil
	})
	if err != nil {
		c.add(Trail, EntriesName, err)
	}
	c.Trail = len(places)
	return places, leaves
}

// checkpoints checks each, and gives the last.
func (c *checker) checkpoints() (last *trail.Checkpoint) {
	if c.Size(CheckpointsName) < 0 {
		c.fault(Structure, CheckpointsName, "it is missing")
		return nil
	}
	if c.key == nil {
		return nil
	}
	own := false
	err := c.lines(CheckpointsName, maxMark, func(n int, line []byte) error {
		var x Checkpoint
		if err := decode(line, &x); err != nil || len(x.Stamp) > maxStamp || x.Anchor == "" && (x.Stamp != nil || x.Cosigned != "") {
			return broken("line %d of it is no checkpoint", n)
		}
		if own {
			return broken("line %d of it is behind the pack's own", n)
		}
		own = x.Anchor == ""
		at, err := trail.OpenNote([]byte(x.Note), c.key)
		if err != nil {
			return broken("the checkpoint of line %d is not signed by %s: it was changed, or is of another trail", n, c.key.Name())
		}
		if at.Origin != c.m.Trail || last != nil && (at.Size < last.Size || at.Size == last.Size && at.Root != last.Root) {
			return broken("the checkpoint of line %d is of another trail, or not in order", n)
		}
		if last == nil || last.Size != at.Size {
			c.sizes = append(c.sizes, at.Size)
			c.roots = append(c.roots, leaf.Hash(at.Root))
		}
		last = &at
		c.Checkpoints++
		return c.witnessed(n, &x)
	})
	if err != nil {
		c.add(Checkpoints, CheckpointsName, err)
		return nil
	}
	if !own {
		c.fault(Checkpoints, CheckpointsName, "the pack's own checkpoint, the last, is missing")
		return nil
	}
	return last
}

// witnessed checks what an anchor gave back.
func (c *checker) witnessed(n int, x *Checkpoint) error {
	if x.Stamp != nil {
		_, trusted, err := stamped(x.Stamp, []byte(x.Note), c.trust)
		switch {
		case err != nil:
			return broken("the stamp of line %d does not count: %s", n, err)
		case trusted:
			c.Cosigned++
		default:
			c.Unchecked++
		}
	}
	if x.Cosigned != "" {
		opened, err := note.Open([]byte(x.Note+x.Cosigned), note.VerifierList(append(slices.Clone(c.trust.Witnesses), c.key)...))
		if err != nil {
			return broken("the cosignature of line %d is none, or was changed", n)
		}
		if len(opened.Sigs) < 2 {
			c.Unchecked++
			return nil
		}
		c.Cosigned++
	}
	return nil
}

// consistency checks that each checkpoint is the beginning of the next.
func (c *checker) consistency() {
	if c.Size(ConsistencyName) < 0 {
		c.fault(Consistent, ConsistencyName, "it is missing")
		return
	}
	raw := c.need(ConsistencyName, maxSteps)
	if raw == nil {
		return
	}
	var all Consistency
	if err := decode(raw, &all); err != nil {
		c.fault(Consistent, ConsistencyName, "it cannot be read")
		return
	}
	if len(all.Steps) != max(0, len(c.sizes)-1) {
		c.fault(Consistent, ConsistencyName, "it has %d proofs for %d checkpoints of different sizes: one was taken away or added",
			len(all.Steps), len(c.sizes))
		return
	}
	for i, s := range all.Steps {
		hashes, ok := decodeHashes(s.Hashes)
		if !ok || s.From != c.sizes[i] || s.To != c.sizes[i+1] || s.From < 1 {
			c.fault(Consistent, ConsistencyName, "proof %d is not from the checkpoint of %d entries to that of %d", i+1, c.sizes[i], c.sizes[i+1])
			return
		}
		proof := make(tlog.TreeProof, len(hashes))
		copy(proof, hashes)
		if err := tlog.CheckTree(proof, s.To, c.roots[i+1], s.From, c.roots[i]); err != nil {
			c.fault(Consistent, ConsistencyName, "the trail of %d entries is not the beginning of that of %d: it was written anew between", s.From, s.To)
		}
	}
}

// stamp checks the pack's own.
func (c *checker) stamp(context.Context) error {
	if c.Size(StampName) < 0 {
		return nil
	}
	raw, err := c.Read(StampName, maxStamp)
	if err != nil {
		c.add(Structure, StampName, err)
		return nil
	}
	signed, err := c.Read(NoteName, maxNote)
	if err != nil {
		return nil //nolint:nilerr // said
	}
	at, trusted, err := stamped(raw, signed, c.trust)
	if err != nil {
		c.fault(Stamp, StampName, "it does not count: %s", err)
		return nil
	}
	if at.Before(c.m.Made.Add(-time.Hour)) {
		c.fault(Stamp, StampName, "it is of %s, before the pack was made", moment(at))
	}
	c.Stamped, c.Trusted = at, trusted
	return nil
}

// stamped checks a token in full where there are roots; else what it says of itself.
func stamped(raw, data []byte, t Trust) (at time.Time, trusted bool, err error) {
	if t.Roots != nil {
		at, err = anchor.Stamped(raw, data, t.Roots, nil)
		return at, true, err
	}
	at, err = anchor.Imprinted(raw, data)
	return at, false, err
}
