package fold

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzFold: however rows are drawn, split and merged, the fold gives what the
// reference gives.
func FuzzFold(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(20), false)
	f.Add(uint64(3), uint64(4), uint8(90), true)
	f.Fuzz(func(t *testing.T, a, b uint64, n uint8, spill bool) {
		r := rand.New(rand.NewPCG(a, b))
		in := randomInput(r, int(n))
		opt := Options{CSV: a%3 > 0}
		if spill {
			opt.Scratch, opt.Budget = dirScratch{t.TempDir()}, int64(b%4096)+1
		}
		if b%5 == 0 {
			opt.MaxAccounts, opt.MaxApps, opt.MaxDays = 2, 1, 1
		}
		wantJSON, wantCSV := reference(t, opt, in)
		gotJSON, gotCSV := scatter(t, r, opt, in)
		if wantJSON != gotJSON || wantCSV != gotCSV {
			t.Fatalf("differs from the reference:\n%s\n%s", cmp.Diff(wantJSON, gotJSON), cmp.Diff(wantCSV, gotCSV))
		}
	})
}
