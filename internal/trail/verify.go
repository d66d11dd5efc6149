package trail

import (
	"context"
	"fmt"
	"math"

	"partnerguard/internal/problem"
)

// Report is what verifying found.
type Report struct {
	Entries int64 `json:"entries"` // that hold, from the first one on
	After   int64 `json:"after"`   // the number before the first one: 0 for a whole trail
	Head    Head  `json:"head"`    // the last entry that holds: write it down elsewhere
	Bad     *Bad  `json:"bad,omitempty"`
}

// Bad is the first place where the chain does not hold.
type Bad struct {
	Seq   int64  `json:"seq"` // of the entry; or of the first missing one
	Words string `json:"words"`
}

func bad(seq int64, format string, args ...any) *Bad {
	return &Bad{seq, fmt.Sprintf(format, args...)}
}

// Err is nil when the chain holds, else a problem.Unmet that names the place.
func (r *Report) Err() error {
	if r.Bad == nil {
		return nil
	}
	return problem.New(problem.Unmet, "the audit trail does not hold at entry %d: %s", r.Bad.Seq, r.Bad.Words).
		WithHint("keep the database as it is, and compare with an export or a head written down before")
}

// link checks entries one by one. It is the one place that knows what a good
// chain is, for the database and for exports.
type link struct {
	at     Head
	entry  Entry // the newest, decoded
	wanted *Hash // a head written down elsewhere, until it was met
}

// add checks the next line, already taken apart.
func (l *link) add(h Hash, canonical []byte) *Bad {
	want := l.at.Seq + 1
	n, ok := number(canonical)
	switch {
	case !ok:
		return bad(want, "it cannot be read")
	case n > want:
		return bad(want, "it is missing: entry %d stands in its place", n)
	case n < want:
		return bad(want, "entry %d stands in its place", n)
	}
	if l.at.Hash.next(canonical) != h {
		return bad(want, "its hash does not follow from the entry before it: one of the two was changed")
	}
	e, err := read(h, canonical)
	if err != nil {
		return bad(want, "it cannot be read")
	}
	l.at, l.entry = Head{n, h}, e
	l.meet(h)
	return nil
}

func (l *link) meet(h Hash) {
	if l.wanted != nil && *l.wanted == h {
		l.wanted = nil
	}
}

// end says what a head that never came means.
func (l *link) end() *Bad {
	if l.wanted == nil {
		return nil
	}
	return bad(l.at.Seq+1, "the head %.16s… that was written down is not in this trail: it was cut off before that entry, or written anew", l.wanted.String())
}

// verifyPages is how many pages are held at a time.
const verifyPages = 16

// Verify checks the whole chain in the order of its entries, with bounded
// memory: each entry's number and hash, each page's own words about itself, and
// the head row. wanted, when given, is the hash of a head written down
// elsewhere, which must be among the entries. It may run while others record.
// The error is about reading; what does not hold is in the report.
func (t *Trail) Verify(ctx context.Context, wanted *Hash) (Report, error) {
	stand, anchor, err := t.head(ctx)
	if err != nil {
		return Report{}, err
	}
	l := link{at: Head{0, anchor}, wanted: wanted}
	l.meet(anchor)
	broken := func(b *Bad) (Report, error) { return Report{Entries: l.at.Seq, Head: l.at, Bad: b}, nil }
	if stand.Seq == 0 && stand.Hash != anchor {
		return broken(bad(1, "the head row does not begin at the trail's anchor"))
	}
	// By the pages' own numbers, from the smallest there can be: a page that
	// claims a number before its turn was inserted.
	for cursor := int64(math.MinInt64); ; {
		list, err := t.pages(ctx, verifyPages, "first > $1 ORDER BY first", cursor)
		if err != nil {
			return Report{}, err
		}
		for i := range list {
			p := &list[i]
			cursor = p.first
			if p.first < l.at.Seq+1 {
				return broken(bad(max(p.first, 1), "a page that begins with it was inserted"))
			}
			if p.first != l.at.Seq+1 {
				return broken(bad(l.at.Seq+1, "it is missing: the next page begins with entry %d", p.first))
			}
			var earliest, latest int64
			for k, line := range p.lines() {
				h, canonical, ok := split(line)
				if !ok {
					return broken(bad(l.at.Seq+1, "it cannot be read"))
				}
				if b := l.add(h, canonical); b != nil {
					return broken(b)
				}
				at := l.entry.At.UnixMicro()
				if k == 0 {
					earliest, latest = at, at
				}
				earliest, latest = min(earliest, at), max(latest, at)
				if l.at.Seq == stand.Seq && l.at.Hash != stand.Hash {
					return broken(bad(stand.Seq, "its hash is not what the head row says: it, or the head row, was changed"))
				}
			}
			if p.last != l.at.Seq || p.earliest != earliest || p.latest != latest {
				return broken(bad(p.first, "the page that begins with it says something else of itself than it holds"))
			}
		}
		if len(list) == 0 {
			break
		}
	}
	if l.at.Seq < stand.Seq {
		return broken(bad(l.at.Seq+1, "it is missing, and all up to entry %d of the head row: the end was cut off", stand.Seq))
	}
	if l.at.Seq > stand.Seq {
		// Others recorded meanwhile; the head row must have gone along.
		now, _, err := t.head(ctx)
		if err != nil {
			return Report{}, err
		}
		if now.Seq < l.at.Seq {
			return broken(bad(now.Seq+1, "it stands after the head row's last entry"))
		}
	}
	if b := l.end(); b != nil {
		return broken(b)
	}
	return Report{Entries: l.at.Seq, Head: l.at}, nil
}
