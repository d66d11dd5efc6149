package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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
			At       time.Time
			Anchor   string
			Note     string
			Stamp    []byte
			Cosigned string
		}
		if err := decode(line, &x); err != nil || len(x.Stamp) > 64<<10 || x.Anchor == "" && (x.Stamp != nil || x.Cosigned != "") {
			return fmt.Errorf("line %d of it is no checkpoint", n)
		}
		if own {
			return fmt.Errorf("line %d of it is behind the pack's own", n)
		}
		own = x.Anchor == ""
		signed, err := parseNote([]byte(x.Note))
		if err != nil || !signed.by(c.key) {
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
	if err != nil {
		c.fault("checkpoint", "trail/checkpoints.jsonl", "%s", err)
		return nil
	}
	if !own {
		c.fault("checkpoint", "trail/checkpoints.jsonl", "the pack's own checkpoint, the last, is missing")
		return nil
	}
	return last
}

// witnessed checks what an anchor gave back for a checkpoint.
func (c *checker) witnessed(n int, signed, cosigned string, stamp []byte) error {
	if stamp != nil {
		_, trusted, err := stamped(stamp, []byte(signed), c.trust.Roots)
		if err != nil {
			return fmt.Errorf("the stamp of line %d does not count: %w", n, err)
		}
		if trusted {
			c.Witnessed++
		} else {
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
		for _, s := range all.sigs {
			if s.name != w.name || s.hash != w.hash {
				continue
			}
			if !all.by(w) {
				return fmt.Errorf("the cosignature of line %d is not by %s, or was changed", n, w.name)
			}
			c.Witnessed++
			return nil
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
