package anchor_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// copyOf is a house with the rows that another one has now.
func copyOf(h *house) *house {
	h.Helper()
	to := dbtest.SQLite(h.T)
	ctx := h.Context()
	tables, err := h.db.Tables(ctx)
	if err != nil {
		h.Fatal(err)
	}
	for _, x := range tables {
		if !strings.HasPrefix(x.Name, "trail_") {
			continue
		}
		err := to.InTx(ctx, func(ctx context.Context) error {
			f, err := to.Fill(ctx, x)
			if err != nil {
				return err
			}
			defer f.Close()
			return h.db.Rows(ctx, x, func(row []any) error { return f.Put(ctx, row) })
		})
		if err != nil {
			h.Fatal(err)
		}
	}
	out := &house{T: h.T, db: to, safe: h.safe, signer: h.signer}
	out.open()
	return out
}

func (h *house) beyond(a ...trail.Anchor) []trail.Beyond {
	h.Helper()
	b, err := h.tr.Beyond(h.Context(), []note.Verifier{h.signer.Verifier()}, a)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

// TestBeyond: of a copy the anchors say how much was recorded since, and that what
// it has is the beginning of what they hold; or that it is not.
func TestBeyond(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := build(t, d)
		path := filepath.Join(t.TempDir(), "c")
		file := anchor.NewFile(path, 0)
		_, seen := watch(h)
		h.send(file, seen)
		size := h.verify(file).Head.Seq
		h.record(3)
		old := copyOf(h)
		b := old.beyond(file, seen)
		for _, x := range b {
			if x.Misfit != "" || x.Unsaid != "" || x.Fits != size || x.Size != size {
				t.Errorf("nothing was witnessed since: %+v", x)
			}
		}
		h.record(4)
		h.send(file, seen)
		h.record(4)
		h.send(file, seen)
		now := h.verify(file).Head.Seq
		for _, x := range old.beyond(file, seen) {
			if x.Misfit != "" || x.Fits != size || x.Size != now {
				t.Errorf("of %d now: %+v", now, x)
			}
		}
		// It is no license: a misfit stays one when the trail is taken as it is.
		if r := old.verify(file); r.Err() == nil || !strings.Contains(r.Err().Error(), "cut off") {
			t.Errorf("%+v", r.Anchors)
		}
		other := copyOf(h)
		other.rewrite(int(size)-2, 6)
		if x := other.beyond(file)[0]; !strings.Contains(x.Misfit, "does not fit") {
			t.Errorf("rewritten: %+v", x)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(raw), "partnerguard/trail/", "partnerguard/trail/0", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if x := old.beyond(file)[0]; x.Misfit == "" {
			t.Errorf("another's: %+v", x)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if x := old.beyond(file)[0]; x.Misfit != "" || x.Unsaid == "" || x.Size != 0 {
			t.Errorf("gone: %+v", x)
		}
	})
}
