package trail

import (
	"context"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Proof shows that one entry is in the trail of a signed checkpoint, to whoever has
// the key and nothing else (RFC 6962 section 2.1.1).
type Proof struct {
	Entry      string `json:"entry"`      // its canonical bytes
	Hashes     []Hash `json:"hashes"`     // from its leaf up to the root
	Checkpoint string `json:"checkpoint"` // the signed note
}

// maxProof bounds the hashes of a proof: a tree of 2^63 entries needs no more.
const maxProof = 64

// Sign signs where the trail stands, and gives the checkpoint with its note.
func (t *Trail) Sign(ctx context.Context, s *Signer) (Checkpoint, []byte, error) {
	c, _, raw, err := t.sign(ctx, s)
	return c, raw, err
}

// ProveEntry proves entry seq under a signed checkpoint of this trail, which must
// have been made when it was in. The stored hashes are checked on the way.
func (t *Trail) ProveEntry(ctx context.Context, seq int64, signed []byte) (Proof, error) {
	c, err := PeekNote(signed)
	if err != nil {
		return Proof{}, err
	}
	now, id, err := t.head(ctx)
	if err != nil {
		return Proof{}, err
	}
	switch {
	case c.Origin != origin(id):
		return Proof{}, problem.New(problem.Conflict, "the checkpoint is of another trail, %.80q", c.Origin)
	case c.Size > now.size:
		return Proof{}, problem.New(problem.Conflict, "the checkpoint is of %d entries, and the trail has %d: its end was cut off", c.Size, now.size)
	case seq < 1 || seq > c.Size:
		return Proof{}, problem.New(problem.NotFound, "entry %d is not among the %d of the checkpoint", seq, c.Size)
	}
	root, err := t.rootAt(ctx, now, c.Size)
	if err != nil {
		return Proof{}, err
	}
	if root != c.Root {
		return Proof{}, problem.New(problem.Conflict, "the checkpoint of %d entries does not fit the trail: these were changed or written anew", c.Size)
	}
	canonical, err := t.canonical(ctx, seq)
	if err != nil {
		return Proof{}, err
	}
	p, err := tlog.ProveRecord(c.Size, seq-1, t.reader(ctx, now))
	if err != nil {
		return Proof{}, torn(err)
	}
	out := Proof{Entry: string(canonical), Hashes: make([]Hash, len(p)), Checkpoint: string(signed)}
	for i, h := range p {
		out.Hashes[i] = Hash(h)
	}
	if _, _, err := out.Verify(); err != nil {
		return Proof{}, torn(err)
	}
	return out, nil
}

// canonical reads the bytes of one entry.
func (t *Trail) canonical(ctx context.Context, seq int64) ([]byte, error) {
	list, err := t.pages(ctx, 1, "first <= $1 AND last >= $1 ORDER BY first", seq)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, line := range list[i].lines() {
			if _, canonical, ok := split(line); ok {
				if n, numbered := number(canonical); numbered && n == seq {
					return canonical, nil
				}
			}
		}
	}
	return nil, problem.New(problem.Conflict, "entry %d of the audit trail is missing", seq).WithHint("partnerguard trail verify names what else is")
}

// Verify checks the proof, and the checkpoint's signature by each verifier. It
// gives the entry, and the checkpoint that it is under. Without a verifier nothing
// says whose trail it is.
func (p *Proof) Verify(by ...note.Verifier) (Entry, Checkpoint, error) {
	c, err := OpenNote([]byte(p.Checkpoint), by...)
	if len(by) == 0 {
		c, err = PeekNote([]byte(p.Checkpoint))
	}
	if err != nil {
		return Entry{}, c, err
	}
	if len(p.Hashes) > maxProof || len(p.Entry) > maxLine {
		return Entry{}, c, problem.New(problem.BadInput, "it is no proof: it is longer than any")
	}
	n, ok := number([]byte(p.Entry))
	if !ok || n > c.Size {
		return Entry{}, c, problem.New(problem.BadInput, "it is no proof: its entry has no number, or one behind the checkpoint")
	}
	leaf := tlog.RecordHash([]byte(p.Entry))
	hashes := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		hashes[i] = tlog.Hash(h)
	}
	if err := tlog.CheckRecord(hashes, c.Size, tlog.Hash(c.Root), n-1, leaf); err != nil {
		return Entry{}, c, problem.Wrap(err, problem.Unmet,
			"entry %d is not in the trail of the checkpoint: the entry, the proof or the checkpoint was changed", n)
	}
	e, err := read(Hash(leaf), []byte(p.Entry))
	if err != nil {
		return Entry{}, c, problem.New(problem.BadInput, "it is no proof: its entry cannot be read")
	}
	return e, c, nil
}

// Entry reads one entry; problem.Conflict where it is missing. That it holds is what
// [Trail.Verify] says.
func (t *Trail) Entry(ctx context.Context, seq int64) (Entry, error) {
	canonical, err := t.canonical(ctx, seq)
	if err != nil {
		return Entry{}, err
	}
	e, err := read(Hash(tlog.RecordHash(canonical)), canonical)
	if err != nil {
		return e, problem.Wrap(err, problem.Conflict, "entry %d of the audit trail cannot be read", seq)
	}
	return e, nil
}

// Each calls do with every entry of an action, as [Query] has it, the oldest first.
// An entry that cannot be read is left out: [Trail.Verify] names it.
func (t *Trail) Each(ctx context.Context, action string, do func(*Entry) error) error {
	q := Query{Action: action}
	needles := q.needles()
	for cursor := int64(0); ; {
		list, err := t.pages(ctx, verifyPages, "first > $1 ORDER BY first", cursor)
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
				if err != nil || !q.match(&e) {
					continue
				}
				if err := do(&e); err != nil {
					return err
				}
			}
		}
		if len(list) < verifyPages {
			return nil
		}
	}
}
