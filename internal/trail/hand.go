package trail

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"
)

// What is here hands parts of the trail to somebody who checks them elsewhere.

// Hashes reads the tree's stored hashes, each checked against where the trail stands now.
func (t *Trail) Hashes(ctx context.Context) (tlog.HashReader, error) {
	now, _, err := t.head(ctx)
	if err != nil {
		return nil, err
	}
	return t.reader(ctx, now), nil
}

// Consistent proves (RFC 9162 section 2.1.4) that the tree of from entries is the
// beginning of that of to; both must have been.
func (t *Trail) Consistent(ctx context.Context, from, to int64) ([]Hash, error) {
	now, _, err := t.head(ctx)
	if err != nil {
		return nil, err
	}
	p, err := tlog.ProveTree(to, from, t.reader(ctx, now))
	if err != nil {
		return nil, torn(err)
	}
	out := make([]Hash, len(p))
	for i, h := range p {
		out[i] = Hash(h)
	}
	return out, nil
}

// Line gives an entry as its canonical bytes, which its leaf is the hash of.
func (t *Trail) Line(ctx context.Context, seq int64) ([]byte, error) { return t.canonical(ctx, seq) }

// Lines calls each with the canonical bytes of every entry that a query matches, the
// oldest first; Before, After and Limit ask nothing. An entry that cannot be read is left
// out: [Trail.Verify] names it. line is the caller's until each returns.
func (t *Trail) Lines(ctx context.Context, q Query, each func(e *Entry, line []byte) error) error {
	from, to := q.span()
	needles := q.needles()
	for cursor := int64(0); ; {
		list, err := t.pages(ctx, verifyPages, "first > $1 AND latest >= $2 AND earliest < $3 ORDER BY first", cursor, from, to)
		if err != nil {
			return err
		}
		for i := range list {
			cursor = list[i].first
			for _, line := range list[i].lines() {
				if !all(line, needles) {
					continue
				}
				h, canonical, ok := split(line)
				if !ok {
					continue
				}
				e, err := read(h, canonical)
				if at := e.At.UnixMicro(); err != nil || at < from || at >= to || !q.match(&e) {
					continue
				}
				if err := each(&e, canonical); err != nil {
					return err
				}
			}
		}
		if len(list) < verifyPages {
			return nil
		}
	}
}

// Witnessed is a checkpoint with what an anchor gave back for it.
type Witnessed struct {
	Anchor string
	Kept
}

// Witnessed are the checkpoints that anchors gave something back for: cosignatures and
// time stamps, as they are kept here. Nothing of it is checked.
func (t *Trail) Witnessed(ctx context.Context) (out []Witnessed, err error) {
	standings, err := t.Standings(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range standings {
		list, err := t.kept(ctx, s.Anchor)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			out = append(out, Witnessed{s.Anchor, k})
		}
	}
	return out, nil
}
