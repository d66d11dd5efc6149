package pack

import (
	"bufio"
	"context"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// trail writes the trail's part: entries, how they are proved, and the checkpoints.
func (k *making) trail(ctx context.Context, bind func(size int64, root string)) error {
	c, signed, err := k.Trail.Sign(ctx, k.signer)
	if err != nil {
		return err
	}
	if bind != nil {
		bind(c.Size, hex.EncodeToString(c.Root[:]))
	}
	places, err := k.entries(ctx, c.Size)
	if err != nil {
		return err
	}
	from, err := k.Trail.Hashes(ctx)
	if err != nil {
		return err
	}
	proof := form.Proof{Size: c.Size, Hashes: []string{}}
	if len(places) > 0 {
		hashes, err := leaf.Prove(c.Size, places, from)
		if err != nil {
			return problem.Wrap(err, problem.Conflict, "the entries of the trail cannot be proved").
				WithHint("partnerguard trail verify names what does not hold")
		}
		proof.Hashes = form.EncodeHashes(hashes)
	}
	raw, err := form.Encode(proof)
	if err != nil {
		return err
	}
	if err := k.text(form.ProofName, "trail", raw); err != nil {
		return err
	}
	return k.checkpoints(ctx, c, signed)
}

// entries writes those that the evidence needs and, where nothing is left out, those of
// the period about the tenant; it gives their places in the tree. With a redaction the
// others are not in it: they have names and addresses, and cannot be cut.
func (k *making) entries(ctx context.Context, size int64) (places []int64, err error) {
	slices.Sort(k.seqs)
	need := slices.Compact(k.seqs)
	out, err := newSpool(k.dir)
	if err != nil {
		return nil, err
	}
	defer out.close()
	put := func(seq int64, line []byte) error {
		places = append(places, seq-1)
		return writeLine(out.w, line)
	}
	before := func(seq int64) error { // those needed with a smaller number
		for len(need) > 0 && need[0] < seq {
			line, err := k.Trail.Line(ctx, need[0])
			if err != nil {
				return err
			}
			if err := put(need[0], line); err != nil {
				return err
			}
			need = need[1:]
		}
		return nil
	}
	if k.m.Rule() == nil {
		q := trail.Query{From: k.m.From, To: k.m.To, Tenant: k.m.Tenant}
		err := k.Trail.Lines(ctx, q, func(e *trail.Entry, line []byte) error {
			if e.Seq > size {
				return nil
			}
			if err := before(e.Seq); err != nil {
				return err
			}
			if len(need) > 0 && need[0] == e.Seq {
				need = need[1:]
			}
			return put(e.Seq, line)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := before(size + 1); err != nil {
		return nil, err
	}
	return places, k.add(form.EntriesName, "trail", out.to)
}

func writeLine(w *bufio.Writer, line []byte) error {
	if _, err := w.Write(line); err != nil {
		return err
	}
	return w.WriteByte('\n')
}

// checkpoints writes the signed notes, one a day and anchor from before the period on
// where an anchor gave something back for it, and the pack's own last; and that each is
// the beginning of the next.
func (k *making) checkpoints(ctx context.Context, own trail.Checkpoint, signed []byte) error {
	all, err := k.Trail.Witnessed(ctx)
	if err != nil {
		return err
	}
	var lines []byte
	sizes := []int64{}
	put := func(x form.Checkpoint, size int64) error {
		raw, err := form.Line(x)
		if n := len(sizes); n == 0 || sizes[n-1] != size {
			sizes = append(sizes, size)
		}
		lines = append(lines, raw...)
		return err
	}
	for _, w := range oneADay(all, k.m.From, own.Size) {
		x := form.Checkpoint{At: w.At.UTC(), Anchor: w.Anchor, Note: string(w.Note)}
		if strings.HasPrefix(w.Anchor, "timestamp:") {
			x.Stamp = w.Proof
		} else {
			x.Cosigned = string(w.Proof)
		}
		if _, err := trail.OpenNote(w.Note, k.signer.Verifier()); err != nil {
			return problem.Wrap(err, problem.Conflict, "a checkpoint that %s gave something back for is not this trail's", w.Anchor).
				WithHint("partnerguard trail verify says what does not fit")
		}
		if err := put(x, w.Size); err != nil {
			return err
		}
	}
	if err := put(form.Checkpoint{At: k.m.Made, Note: string(signed)}, own.Size); err != nil {
		return err
	}
	c := form.Consistency{Steps: []form.Step{}}
	for i := 1; i < len(sizes); i++ {
		hashes, err := k.Trail.Consistent(ctx, sizes[i-1], sizes[i])
		if err != nil {
			return err
		}
		step := form.Step{From: sizes[i-1], To: sizes[i], Hashes: []string{}}
		for _, h := range hashes {
			step.Hashes = append(step.Hashes, form.EncodeHashes([]leaf.Hash{leaf.Hash(h)})...)
		}
		c.Steps = append(c.Steps, step)
	}
	raw, err := form.Encode(c)
	if err != nil {
		return err
	}
	if err := k.text(form.CheckpointsName, "trail", lines); err != nil {
		return err
	}
	return k.add(form.ConsistencyName, "trail", func(w io.Writer) error { _, err := w.Write(raw); return err })
}

// oneADay takes of each anchor the last before the period and the first of each day
// since, sorted by size; of those up to size.
func oneADay(all []trail.Witnessed, from time.Time, size int64) (out []trail.Witnessed) {
	before := map[string]trail.Witnessed{}
	seen := map[string]bool{}
	for _, w := range all {
		if w.Size < 1 || w.Size > size {
			continue
		}
		if w.At.Before(from) {
			if b, ok := before[w.Anchor]; !ok || w.Size > b.Size {
				before[w.Anchor] = w
			}
			continue
		}
		if day := w.Anchor + "\n" + w.At.UTC().Format(time.DateOnly); !seen[day] {
			seen[day] = true
			out = append(out, w)
		}
	}
	for _, w := range before {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b trail.Witnessed) int {
		if a.Size != b.Size {
			return int(min(max(a.Size-b.Size, -1), 1))
		}
		return strings.Compare(a.Anchor, b.Anchor)
	})
	return out
}
