package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"partnerguard/internal/problem"
)

// Restored is what a restore did.
type Restored struct {
	Here     int      `json:"here"`               // segments that were whole already
	Restored []string `json:"restored"`           // those that were put back
	Missing  []string `json:"missing,omitempty"`  // that the copy does not have either
	Damaged  []string `json:"damaged,omitempty"`  // whose copy has other bytes than were recorded
	Examined int      `json:"examined,omitempty"` // segments in all
}

// Err is of kind problem.Unmet where something is still missing.
func (r *Restored) Err() error {
	if n := len(r.Missing) + len(r.Damaged); n > 0 {
		return problem.New(problem.Unmet, "%d of %d segments are still missing: the copy does not have them as they were recorded", n, r.Examined).
			WithHint("restore from another copy too; partnerguard archive verify names them")
	}
	return nil
}

// Restore puts objects that are missing or changed back from a copy, a folder or an
// address. Each is held to its row before it is written, and nothing that is whole is
// touched.
func (a *Archive) Restore(ctx context.Context, from string, o Verifying) (*Restored, error) {
	c, err := openCopy(ctx, from)
	if err != nil {
		return nil, err
	}
	defer c.bucket.Close()
	p, err := a.at(ctx)
	if err != nil {
		return nil, err
	}
	t, err := a.Total(ctx)
	if err != nil {
		return nil, err
	}
	r := &Restored{Restored: []string{}}
	var done int64
	for s, err := range a.Segments(ctx, Query{}) {
		if err != nil {
			return r, err
		}
		if !s.Removed.IsZero() {
			continue
		}
		r.Examined++
		if err := a.restore(ctx, p, c, &s, r); err != nil {
			return r, err
		}
		if done += s.Size; o.Progress != nil {
			o.Progress(done, max(done, t.Size))
		}
	}
	return r, nil
}

func (a *Archive) restore(ctx context.Context, p, from *place, s *Segment, r *Restored) error {
	has, err := p.same(ctx, s, io.Discard)
	if err != nil {
		return err
	}
	if has == whole {
		r.Here++
		return nil
	}
	var body spool
	defer body.close()
	switch has, err := from.same(ctx, s, &body); {
	case err != nil:
		return err
	case has == absent:
		r.Missing = append(r.Missing, s.Name)
		return nil
	case has == other:
		r.Damaged = append(r.Damaged, s.Name)
		return nil
	}
	if err := p.remove(ctx, s.Object); err != nil {
		return err
	}
	if err := p.put(ctx, s.Object, body.reader(s.Size)); err != nil {
		return err
	}
	r.Restored = append(r.Restored, s.Name)
	return nil
}

// state is how an object compares with its row.
type state int

const (
	absent state = iota
	other
	whole
)

// same reads an object into w and compares it with its row.
func (p *place) same(ctx context.Context, s *Segment, w io.Writer) (state, error) {
	size, err := p.size(ctx, s.Object)
	switch {
	case missing(err):
		return absent, nil
	case err != nil:
		return absent, err
	case size != s.Size:
		return other, nil
	}
	rc, err := p.bucket.NewReader(ctx, s.Object, nil)
	if err != nil {
		return absent, p.failed(err, "read from")
	}
	defer rc.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, w), io.LimitReader(rc, s.Size+1))
	if err != nil {
		if _, ours := err.(*problem.Error); ours { //nolint:errorlint // of the spool
			return other, err
		}
		return other, p.failed(err, "read from")
	}
	want, err := hex.DecodeString(s.SHA256)
	if err != nil || n != s.Size || !bytes.Equal(want, sum.Sum(nil)) {
		return other, nil //nolint:nilerr // a row that is no hash fits nothing
	}
	return whole, nil
}
