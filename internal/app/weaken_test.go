package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/sample"
)

// speaksAgainst are the kinds whose records can only speak against a partner.
// Nobody can tell a log without a row from a log where the row was taken out, so
// a whole file of them may be absent; half of one may not decide.
var speaksAgainst = []evidence.Kind{
	evidence.SignIn, evidence.NonCompliantPrincipal, evidence.PartnerRequest, evidence.MFAAdoption,
	evidence.SecurityAlert, evidence.FraudEvent, evidence.SecurityRequirement, evidence.CustomerInsight,
}

// TestLessIsNeverMet: of every folder of the shared situations and of the
// sample, take a file away, cut a list to its first page, or break a file off in
// the middle: no requirement is met then that was not met before.
func TestLessIsNeverMet(t *testing.T) {
	t.Parallel()
	folders := map[string]fs.FS{"sample": sample.FS()}
	for _, kind := range []string{"truth", "field"} {
		dir := filepath.Join("..", "..", "..", "shared", kind)
		inputs, err := filepath.Glob(filepath.Join(dir, "*", "input"))
		if err != nil || len(inputs) == 0 {
			if os.Getenv("CI") != "" {
				t.Fatalf("the shared situations are missing: %s", dir)
			}
			t.Skipf("SKIPPED, NOTHING WAS TESTED: the shared situations are missing: %s", dir)
		}
		for i, in := range inputs {
			if testing.Short() && i%8 != 0 {
				continue
			}
			folders[filepath.Join(kind, filepath.Base(filepath.Dir(in)))] = os.DirFS(in)
		}
	}
	for name, folder := range folders {
		t.Run(name, func(t *testing.T) { t.Parallel(); weaken(t, folder) })
	}
}

// weaken tries every way to take something from one folder.
func weaken(t *testing.T, folder fs.FS) {
	files := map[string][]byte{}
	if err := fs.WalkDir(folder, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[p], err = fs.ReadFile(folder, p)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	whole := judge(t, files)
	for _, name := range sortedNames(files) {
		if older(files, name) || disputed[name] {
			continue
		}
		if !slices.ContainsFunc(kindsOf(whole, name), func(k evidence.Kind) bool { return slices.Contains(speaksAgainst, k) }) && whole.Complete {
			less(t, whole, with(files, name, nil), name+" taken away")
		}
		if page := firstPage(files[name]); page != nil {
			less(t, whole, with(files, name, page), "the first page of "+name)
		}
		// Halves of the small folders show what halves do.
		if half := files[name][:len(files[name])/2]; len(half) > 0 && len(files) < 20 && strings.HasSuffix(name, ".json") {
			less(t, whole, with(files, name, half), "the first half of "+name)
		}
	}
}

// disputed are files that hold the other copy of a thing of which the folder has
// two that differ: without it nothing contradicts the one that is left.
var disputed = map[string]bool{"authenticationStrengthPolicies.json": true, "a.json": true, "b.json": true}

// older reports that there is an export of another day of the same list: without
// the newer one, what it says is the newest that is known.
func older(files map[string][]byte, name string) bool {
	for other := range files {
		if other != name && filepath.Base(other) == filepath.Base(name) {
			return true
		}
	}
	return false
}

func less(t *testing.T, whole *assess.Report, files map[string][]byte, what string) {
	t.Helper()
	part := judge(t, files)
	for i, q := range part.Requirements {
		if was := whole.Requirements[i]; q.Verdict == assess.Met && was.Verdict != assess.Met && was.Verdict != assess.NotApplicable {
			t.Errorf("%s: %s turns from %s (%s) to met (%s)", what, q.ID, was.Verdict, was.Reason, q.Reason)
		}
	}
}

func judge(t *testing.T, files map[string][]byte) *assess.Report {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := app.Assess(t.Context(), app.Reading{From: []string{dir}}, app.Question{Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Inputs {
		rel, err := filepath.Rel(dir, r.Inputs[i].Path)
		if err != nil {
			t.Fatal(err)
		}
		r.Inputs[i].Path = filepath.ToSlash(rel)
	}
	return r
}

func kindsOf(r *assess.Report, name string) (kinds []evidence.Kind) {
	for i := range r.Inputs {
		if r.Inputs[i].Path == name {
			for k := range r.Inputs[i].Kinds {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds
}

func with(files map[string][]byte, name string, text []byte) map[string][]byte {
	out := map[string][]byte{}
	for n, b := range files {
		out[n] = b
	}
	if out[name] = text; text == nil {
		delete(out, name)
	}
	return out
}

func sortedNames(files map[string][]byte) (names []string) {
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// firstPage cuts a list to its first half, as a page that names a next one; nil
// where there is nothing to cut.
func firstPage(text []byte) []byte {
	var list []json.RawMessage
	var page map[string]json.RawMessage
	if json.Unmarshal(text, &list) == nil {
		page = map[string]json.RawMessage{}
	} else if json.Unmarshal(text, &page) != nil || json.Unmarshal(page["value"], &list) != nil {
		return nil
	}
	if len(list) == 0 {
		return nil
	}
	cut, err := json.Marshal(list[:len(list)/2])
	if err != nil {
		return nil
	}
	page["value"] = cut
	page["@odata.nextLink"] = json.RawMessage(`"https://graph.microsoft.com/v1.0/more?$skiptoken=x"`)
	out, err := json.Marshal(page)
	if err != nil {
		return nil
	}
	return out
}

// TestWeakenWeakens: the ways to take something away do.
func TestWeakenWeakens(t *testing.T) {
	t.Parallel()
	if got := string(firstPage([]byte(`{"@odata.context":"c","value":[1,2,3]}`))); !strings.Contains(got, `"value":[1]`) ||
		!strings.Contains(got, "nextLink") || !strings.Contains(got, `"c"`) {
		t.Error(got)
	}
	if got := fmt.Sprint(firstPage([]byte(`{"id":"x"}`)), firstPage([]byte(`[]`)), firstPage(nil)); got != "[] [] []" {
		t.Error(got)
	}
	files := map[string][]byte{"a": []byte("x"), "b": []byte("y")}
	if got := with(files, "a", nil); len(got) != 1 || !bytes.Equal(got["b"], files["b"]) || len(files) != 2 {
		t.Error(got)
	}
}
