package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

// ratio judges one moment again, and folds the same sign-ins from memory, by turns.
func ratio(ctx context.Context, z size, rounds int) error {
	dir, clean, err := temporary()
	if err != nil {
		return err
	}
	defer clean()
	h, err := open(ctx, dir, "")
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	if _, err := h.fill(ctx, z, 0); err != nil {
		return err
	}
	asOf := first.AddDate(0, 0, z.days).Add(20 * time.Minute)
	lines, err := h.lines(ctx, asOf)
	if err != nil {
		return err
	}
	var bare, again []time.Duration
	for range rounds + 1 {
		begun := time.Now()
		n, err := foldBare(ctx, lines)
		if err != nil {
			return err
		}
		bare = append(bare, time.Since(begun))
		begun = time.Now()
		j, _, err := h.JudgeTenant(ctx, tenantID(0), asOf, 48*time.Hour, nil)
		if err != nil {
			return err
		}
		if j.Facts.SignIns == nil || j.Facts.SignIns.Rows != n || n != int64(z.rows) {
			return fmt.Errorf("the fold counts %d rows of %d, judging again another number", n, z.rows)
		}
		again = append(again, time.Since(begun))
	}
	b, a := median(bare[1:]), median(again[1:]) // the first of each warms up
	mb := float64(len(lines)) / 1e6
	fmt.Printf("rejudge: %d rows, %.0f MB: bare fold %.0f MB/s, judged again %.0f MB/s: %.0f %% (want 80 %%)\n", z.rows, mb, mb/b.Seconds(), mb/a.Seconds(),
		100*b.Seconds()/a.Seconds())
	return nil
}

// lines are the sign-ins as the view shows them.
func (h *house) lines(ctx context.Context, asOf time.Time) ([]byte, error) {
	v, err := h.Archive.View(ctx, archive.ViewOf{Tenant: tenantID(0), AsOf: asOf})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, name := range v.Names() {
		if !strings.HasPrefix(path.Base(name), "signIns") {
			continue
		}
		f, err := v.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(&out, f); err != nil {
			return nil, err
		}
		_ = f.Close()
	}
	return out.Bytes(), nil
}

// foldBare folds lines, and counts the rows.
func foldBare(ctx context.Context, lines []byte) (int64, error) {
	f := fold.New(fold.Options{})
	none := func([]byte, evidence.Source) error { return nil }
	if _, err := read.ReadLines(ctx, bytes.NewReader(lines), read.Lines{Path: "x", Other: none, Note: func(evidence.Note) {}}, f); err != nil {
		return 0, err
	}
	s, err := f.Finish(ctx, io.Discard)
	return s.Rows, err
}

func median(list []time.Duration) time.Duration {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}
