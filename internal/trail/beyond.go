package trail

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Beyond is how far an anchor is beyond the end of a trail that comes from a copy.
type Beyond struct {
	Anchor string    `json:"anchor"`
	Fits   int64     `json:"fits"`             // entries of the newest checkpoint that this trail went through
	Size   int64     `json:"size"`             // entries of the newest checkpoint it holds
	At     time.Time `json:"at,omitzero"`      // of that one, where it says
	Misfit string    `json:"misfit,omitempty"` // what is no longer trail, but another one
	Unsaid string    `json:"unsaid,omitempty"` // what could not be compared, and why
}

// Beyond compares a trail that was copied some time ago with the anchors: what they
// hold up to its end must be this trail, and what they hold beyond it was recorded
// since and is not in it. That those two are one trail an anchor cannot show; it was
// given each as the continuation of the one before.
func (t *Trail) Beyond(ctx context.Context, known []note.Verifier, list []Anchor) ([]Beyond, error) {
	marks, read, err := t.marks(ctx, known, list)
	if err != nil {
		return nil, err
	}
	head, err := t.Head(ctx)
	if err != nil {
		return nil, err
	}
	roots := map[int64]Hash{}
	for _, m := range slices.Concat(marks...) {
		if m.Bad == "" && m.Size <= head.Seq {
			roots[m.Size] = Hash{}
		}
	}
	r, roots, err := t.verify(ctx, nil, roots)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, err
	}
	own, err := t.Origin(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Beyond, len(list))
	for i, a := range list {
		slices.SortStableFunc(marks[i], func(a, b Mark) int { return cmp.Compare(a.Size, b.Size) })
		within := slices.DeleteFunc(slices.Clone(marks[i]), func(m Mark) bool { return m.Size > head.Seq && (m.Bad == "" || m.Told) && m.Origin == own })
		c := compare(a.Name(), within, own, roots, &r)
		b := Beyond{Anchor: c.Anchor, Fits: c.Size, Size: c.Size, At: c.At, Misfit: c.Misfit, Unsaid: c.Unsaid}
		for _, m := range marks[i] {
			if (m.Bad == "" || m.Told) && m.Origin == own && m.Size > b.Size {
				b.Size, b.At = m.Size, m.At
			}
		}
		unsaid(read[i], b.Size == 0, &b.Misfit, &b.Unsaid)
		out[i] = b
	}
	return out, nil
}
