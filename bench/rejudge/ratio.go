package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
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
	took := map[string][]time.Duration{}
	for range rounds + 1 { // the first warms up
		for _, way := range []struct {
			name string
			do   func() (int64, error)
		}{
			{"memory", func() (int64, error) { return foldBare(ctx, bytes.NewReader(lines)) }},
			{"archive", func() (int64, error) { return h.foldArchive(ctx, asOf) }},
			{"judged", func() (int64, error) {
				j, _, err := h.JudgeTenant(ctx, tenantID(0), asOf, 48*time.Hour, nil)
				if err != nil || j.Facts.SignIns == nil {
					return 0, err
				}
				return j.Facts.SignIns.Rows, nil
			}},
		} {
			begun := time.Now()
			n, err := way.do()
			if err == nil && n != int64(z.rows) {
				err = fmt.Errorf("%s counts %d rows of %d", way.name, n, z.rows)
			}
			if err != nil {
				return err
			}
			took[way.name] = append(took[way.name], time.Since(begun))
		}
	}
	mb := float64(len(lines)) / 1e6
	per := func(name string) float64 { return mb / median(took[name][1:]).Seconds() }
	fmt.Printf("rejudge: %d rows, %.0f MB of rows: bare fold of the archive %.0f MB/s, judged again %.0f MB/s: %.0f %% (want 80 %%)\n", z.rows, mb, per("archive"),
		per("judged"), 100*per("judged")/per("archive"))
	fmt.Printf("rejudge: the same rows as JSON lines in memory, without an archive: %.0f MB/s, of which judging again is %.0f %%\n", per("memory"),
		100*per("judged")/per("memory"))
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

// foldArchive folds the sign-ins out of the archive, held to its roots, and judges
// nothing.
func (h *house) foldArchive(ctx context.Context, asOf time.Time) (int64, error) {
	v, err := h.Archive.View(ctx, archive.ViewOf{Tenant: tenantID(0), AsOf: asOf})
	if err != nil {
		return 0, err
	}
	var readers []io.Reader
	for _, name := range v.Names() {
		if strings.HasPrefix(path.Base(name), "signIns") {
			f, err := v.Open(name)
			if err != nil {
				return 0, err
			}
			defer func() { _ = f.Close() }()
			readers = append(readers, f)
		}
	}
	return foldBare(ctx, io.MultiReader(readers...))
}

// foldBare folds lines, and counts the rows. Past its budget the fold writes to a file,
// as it does in a judgement.
func foldBare(ctx context.Context, lines io.Reader) (int64, error) {
	f := fold.New(fold.Options{Scratch: scratch{}})
	none := func([]byte, evidence.Source) error { return nil }
	if _, err := read.ReadLines(ctx, lines, read.Lines{Path: "x", Other: none, Note: func(evidence.Note) {}}, f); err != nil {
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

// scratch makes temporary files without a name.
type scratch struct{}

func (scratch) Create() (fold.File, error) {
	f, err := os.CreateTemp("", "partnerguard-rejudge-*")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}
