package fold

import (
	"context"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// TestNewest: each input is dated by its own newest row, however the rows were
// shared out, and rows outside the range date nothing.
func TestNewest(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 11, d, 10, 0, 0, 0, time.UTC) }
	add := func(f *Fold, path, id string, at time.Time) {
		f.Add(&signin.Event{ID: id, Created: at, UserID: "u"}, signin.SourceRef{Seq: len(path), Source: evidence.Source{Path: path, Line: 1}})
	}
	for name, other := range map[string]func(*Fold) *Fold{
		"of the family": func(f *Fold) *Fold { return f.Fork() },
		"a stranger":    func(*Fold) *Fold { return New(Options{Until: day(25)}) },
	} {
		f := New(Options{Until: day(25)})
		g := other(f)
		add(g, "bb", "1", day(3)) // in the stranger's order another source comes first
		add(g, "a", "2", day(9))
		add(f, "a", "3", day(7))
		add(f, "bb", "4", day(5))
		add(f, "a", "5", day(28))
		f.Merge(g)
		s, err := f.Finish(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Newest["a"].Equal(day(9)) || !s.Newest["bb"].Equal(day(5)) || len(s.Newest) != 2 {
			t.Errorf("%s: %v", name, s.Newest)
		}
	}
}
