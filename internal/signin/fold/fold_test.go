package fold

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partnerguard/internal/signin"
)

// dirScratch makes scratch files in a test's folder.
type dirScratch struct{ dir string }

func (d dirScratch) Create() (File, error) { return os.CreateTemp(d.dir, "spool") }

// scatter folds the input split and merged as the random source says.
func scatter(t testing.TB, r *rand.Rand, opt Options, in []taken) (jsonText, csvText string) {
	t.Helper()
	root := New(opt)
	folds := []*Fold{root}
	for range r.IntN(5) {
		if r.IntN(2) == 0 {
			folds = append(folds, root.Fork())
		} else {
			folds = append(folds, New(opt))
		}
	}
	order := r.Perm(len(in))
	if r.IntN(2) == 0 {
		for i := range order {
			order[i] = i
		}
	}
	for _, i := range order {
		e := in[i].e
		folds[r.IntN(len(folds))].Add(&e, in[i].src)
	}
	// Merge in any order, also strangers among themselves; the root stays.
	for len(folds) > 1 {
		i := 1 + r.IntN(len(folds)-1)
		j := r.IntN(len(folds))
		if i == j {
			j = 0
		}
		folds[j].Merge(folds[i])
		folds = append(folds[:i], folds[i+1:]...)
	}
	var csv bytes.Buffer
	s, err := folds[0].Finish(t.Context(), &csv)
	if err != nil {
		t.Fatal(err)
	}
	return mustJSON(t, s), csv.String()
}

// Any split and any merge order, with and without spilling, gives what the
// slow reference gives, byte for byte.
func TestFoldEqualsReference(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := randomInput(r, r.IntN(120))
		opt := Options{CSV: r.IntN(4) > 0}
		if r.IntN(2) == 0 {
			opt.Scratch, opt.Budget = dirScratch{dir}, 1
		}
		if r.IntN(3) == 0 {
			opt.Since, opt.Until = time.Date(2024, 2, 28, 0, 20, 0, 0, time.UTC), time.Date(2024, 3, 1, 0, 5, 0, 0, time.UTC)
		}
		if r.IntN(3) == 0 {
			opt.MaxAccounts, opt.MaxApps, opt.MaxDays = 1+r.IntN(3), 1+r.IntN(2), 1+r.IntN(2)
		}
		if r.IntN(3) == 0 {
			opt.Keep = func(_ *signin.Event, j signin.Judgement) bool {
				return j.Verdict == signin.NotChallenged || j.Verdict == signin.Interrupted
			}
		}
		wantJSON, wantCSV := reference(t, opt, in)
		for range 3 {
			gotJSON, gotCSV := scatter(t, r, opt, in)
			if d := cmp.Diff(wantJSON, gotJSON); d != "" {
				t.Fatalf("seed %d: summary differs (-want +got):\n%s", seed, d)
			}
			if d := cmp.Diff(wantCSV, gotCSV); d != "" {
				t.Fatalf("seed %d: CSV differs (-want +got):\n%s", seed, d)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) == 0 {
		t.Fatalf("nothing was spilled: %v", err)
	}
}

func TestFoldRapid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), rapid.Uint64().Draw(rt, "seed2")))
		in := randomInput(r, rapid.IntRange(0, 60).Draw(rt, "rows"))
		wantJSON, wantCSV := reference(t, Options{CSV: true}, in)
		gotJSON, gotCSV := scatter(t, r, Options{CSV: true}, in)
		if wantJSON != gotJSON || wantCSV != gotCSV {
			rt.Fatalf("differs from the reference:\n%s\n%s", cmp.Diff(wantJSON, gotJSON), cmp.Diff(wantCSV, gotCSV))
		}
	})
}

// A success belongs to a prompt up to fifteen minutes after it and not a tick
// later.
func TestPromptWindow(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		gap  time.Duration
		want signin.Reason
	}{
		"same instant": {0, signin.ReasonPromptCompleted},
		"before":       {-1, signin.ReasonPromptAbandoned},
		"at the end":   {15 * time.Minute, signin.ReasonPromptCompleted},
		"too late":     {15*time.Minute + 1, signin.ReasonPromptAbandoned},
	} {
		f := New(Options{})
		for i, e := range []signin.Event{
			{ID: "p", HasStatus: true, ErrorCode: 50074, Created: at},
			{ID: "s", HasStatus: true, Created: at.Add(c.gap)},
		} {
			e.UserID, e.CorrelationID = "u", "c"
			src := signin.SourceRef{}
			src.Line = i
			f.Add(&e, src)
		}
		s, err := f.Finish(t.Context(), nil)
		if err != nil || s.Reasons[c.want] != 1 {
			t.Errorf("%s: %v, %v", name, s.Reasons, err)
		}
	}
}

type brokenScratch struct{}

func (brokenScratch) Create() (File, error) { return nil, errors.New("no space") }

func TestScratchFailureIsReported(t *testing.T) {
	t.Parallel()
	f := New(Options{Scratch: brokenScratch{}, Budget: 1})
	f.Add(&signin.Event{ID: "x"}, signin.SourceRef{})
	if _, err := f.Finish(t.Context(), nil); err == nil || err.Error() != "no space" {
		t.Fatalf("got %v", err)
	}
}

func TestFinishStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := New(Options{})
	f.Add(&signin.Event{ID: "x"}, signin.SourceRef{})
	if _, err := f.Finish(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
