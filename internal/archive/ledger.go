package archive

import (
	"context"
	"crypto/sha256"
	"strconv"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

// recorded is a segment as the trail has it.
type recorded struct {
	Segment
	removed int64              // the entry that says that policy removed it; 0: none
	row     *[sha256.Size]byte // what its row says beside; nil: there is none, or no database
}

// Ledger is what the trail says of the archive, by the name of the segment.
type Ledger struct {
	all   map[string]*recorded
	order []string
	twice []string // told of more than once
}

// NewLedger is an empty one, to be told of each entry of a trail.
func NewLedger() *Ledger { return &Ledger{all: map[string]*recorded{}} }

// Add takes note of an entry, if it is of the archive. Entries come in order.
func (l *Ledger) Add(e *trail.Entry) {
	switch e.Action {
	case audit.ArchiveKept:
		if l.all[e.Object] != nil {
			l.twice = append(l.twice, e.Object)
			return
		}
		r := &recorded{Segment: Segment{
			Name: e.Object, Tenant: e.Tenant, Seq: e.Seq, Object: e.Details["object"], SHA256: e.Details["sha256"], Root: e.Details["root"],
		}}
		r.Size, _ = strconv.ParseInt(e.Details["size"], 10, 64) // what is no number fits no object
		r.Entries, _ = strconv.ParseInt(e.Details["entries"], 10, 64)
		r.Pages, _ = strconv.Atoi(e.Details["pages"])
		l.all[e.Object] = r
		l.order = append(l.order, e.Object)
	case audit.ArchiveRemoved:
		if r := l.all[e.Object]; r != nil && r.removed == 0 {
			r.removed, r.Removed, r.Policy = e.Seq, e.At, e.Details["policy"]
		}
	}
}

// ledger reads the trail of the database, the oldest entry first.
func (a *Archive) ledger(ctx context.Context, t *trail.Trail) (*Ledger, error) {
	l := NewLedger()
	err := t.Each(ctx, "archive.*", func(e *trail.Entry) error { l.Add(e); return nil })
	return l, err
}
