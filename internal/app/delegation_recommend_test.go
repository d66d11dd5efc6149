package app_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
)

func (w *useWorld) recommend(t *testing.T) *recommend.Result {
	t.Helper()
	out, err := app.DelegationRecommend(t.Context(), app.Reading{From: []string{w.dir}}, app.RecommendQuestion{Now: w.to.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPlantedUse: of worlds with planted use the recommendation is what was planted.
func TestPlantedUse(t *testing.T) {
	t.Parallel()
	seeds := uint64(45)
	items, judged := 0, 0
	for seed := range seeds {
		w := newWorld(t, seed)
		res := w.recommend(t)
		if !res.Window.To.Equal(w.to) || len(res.Items) != len(w.want) || res.Summary.Refused != 0 {
			t.Fatalf("seed %d: window %+v, %d items of %d, %d refused", seed, res.Window, len(res.Items), len(w.want), res.Summary.Refused)
		}
		for _, it := range res.Items {
			key := it.Relationship + " " + it.Group
			want := w.want[key]
			if items++; it.Judged {
				judged++
			}
			if !slices.Equal(it.Recommended, want) || it.Judged == w.free[key] {
				t.Errorf("seed %d: %s: recommended %s, planted %s, granted %s, judged %v %s", seed, key, namesOf(res, it.Recommended), namesOf(res, want),
					namesOf(res, it.Granted), it.Judged, it.Why)
			}
			for _, d := range it.Dropped {
				if want := traces[d.Role]; want != "" && d.Sure != want {
					t.Errorf("seed %d: %s goes by %s: %s", seed, res.Names[d.Role], d.Sure, d.Why)
				}
			}
			if it.Judged && it.Complete != 90 {
				t.Errorf("seed %d: %s: %d complete days: %s", seed, key, it.Complete, it.LogWhy)
			}
		}
	}
	if judged < items/2 || items < 100 {
		t.Errorf("%d items, %d judged: too few to tell", items, judged)
	}
}

// traces are roles that leave a trace of all they are for in the directory's audit log, and
// roles that do not.
var traces = map[string]recommend.Sure{
	"e8611ab8-c189-46e8-94e1-60213ab1f814": recommend.ByEvidence, // Privileged Role Administrator
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13": recommend.ByEvidence, // Privileged Authentication Administrator
	"9360feb5-f418-4baa-8175-e2a00bac4301": recommend.ByEvidence, // Directory Writers
	"62e90394-69f5-4237-9190-012177145e10": recommend.NoEvidence, // Global Administrator
	"88d8e3e3-8f55-4a1e-953a-9b9898b8876b": recommend.NoEvidence, // Directory Readers
	"f2ef992c-3afb-46b9-b7cf-a126ee74c451": recommend.NoEvidence, // Global Reader
	"29232cdf-9323-42fd-ade2-1d097af3e4de": recommend.NoEvidence, // Exchange Administrator
}

func namesOf(res *recommend.Result, ids []string) (out []string) {
	for _, id := range ids {
		out = append(out, fmt.Sprintf("%s (%.8s)", res.Names[id], id))
	}
	return out
}

// TestTakenAway: whatever file is taken away, no role that was needed goes, and nothing that
// was without evidence becomes evident.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	taken := 0
	for seed := range uint64(2) {
		w := newWorld(t, 1000+seed)
		whole := w.recommend(t)
		var files []string
		if err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			other := filepath.Join(t.TempDir(), "x")
			if err := os.Rename(f, other); err != nil {
				t.Fatal(err)
			}
			taken++
			less, err := app.DelegationRecommend(t.Context(), app.Reading{From: []string{w.dir}}, app.RecommendQuestion{Now: w.to.AddDate(0, 0, 1), AsOf: w.to})
			if err != nil {
				t.Fatalf("seed %d without %s: %v", seed, f, err)
			}
			if err := os.Rename(other, f); err != nil {
				t.Fatal(err)
			}
			better(t, fmt.Sprintf("seed %d without %s", seed, strings.TrimPrefix(f, w.dir)), w, whole, less)
		}
	}
	if taken < 20 {
		t.Errorf("%d files were taken away", taken)
	}
}

// better fails where what was read of less says more: a role goes by evidence that did not go
// so, though nothing that is recommended does what it was used for.
func better(t *testing.T, what string, w *useWorld, whole, less *recommend.Result) {
	t.Helper()
	sure := map[string]recommend.Sure{}
	for _, it := range whole.Items {
		for _, d := range it.Dropped {
			sure[it.Relationship+" "+it.Group+" "+d.Role] = d.Sure
		}
	}
	catalog := role.Load()
	for _, it := range less.Items {
		key := it.Relationship + " " + it.Group
		if w.want[key] == nil {
			t.Errorf("%s: a new item %s", what, key)
		}
		for _, d := range it.Dropped {
			if d.Sure == recommend.ByEvidence && sure[key+" "+d.Role] == recommend.NoEvidence {
				t.Errorf("%s: %s of %s goes by evidence, and did not", what, d.Role, key)
			}
			if d.Sure != recommend.ByEvidence || !slices.Contains(w.want[key], d.Role) {
				continue
			}
			for _, a := range w.done[key] {
				if !slices.ContainsFunc(it.Recommended, func(r string) bool { return catalog.Can(r, a) }) {
					t.Errorf("%s: %s of %s goes by evidence, and nothing that stays can %s", what, d.Role, key, a.Activity)
				}
			}
		}
	}
}
