package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/archive/archivetest"
	"partnerguard/internal/assess"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sample"
	"partnerguard/internal/trail"
)

const contoso = "c1d2e3f4-0000-4000-8000-000000000001"

// collected is the sample partner, archived page by page.
func collected(t *testing.T, s archivetest.Source) *archive.Archive {
	t.Helper()
	d := dbtest.SQLite(t)
	tr, err := trail.Open(t.Context(), d, trail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(archive.Deps{DB: d, Trail: tr, Dir: filepath.Join(t.TempDir(), "archive"), Now: func() time.Time { return s.At }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	s.Files, s.Tenant = sample.FS(), contoso
	s.Fill(t, a)
	return a
}

// fromArchive is a reading of it.
func fromArchive(a *archive.Archive) app.Reading {
	return app.Reading{From: []string{"archive:" + contoso}, Archive: func(ctx context.Context, of app.Archived) (fs.FS, error) {
		return a.View(ctx, archive.ViewOf{Tenant: of.Tenant, AsOf: of.AsOf, Since: of.Since})
	}}
}

func judged(t *testing.T, r app.Reading) *assess.Report {
	t.Helper()
	report, err := app.Assess(t.Context(), r, app.Question{AsOf: sample.AsOf, Now: sample.AsOf.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range report.Inputs {
		for _, n := range in.Notes {
			t.Logf("%s: %s", in.Path, n.Message)
		}
	}
	return report
}

// verdicts are what a report says of each requirement, without where it was read.
func verdicts(r *assess.Report) (out []string) {
	for i := range r.Requirements {
		q := &r.Requirements[i]
		out = append(out, strings.Join([]string{q.ID, string(q.Verdict), q.Reason, fmt.Sprint(q.Affected, "/", q.Total)}, " | "))
	}
	return out
}

// The archive of pages is judged as the exports are that they were made of.
func TestArchiveIsJudgedAsExports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, sample.FS()); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"SigninLogs-log-analytics-2026-10-14-to-2026-10-21.csv", "signIns-v1.0.json"} {
		if err := os.Remove(filepath.Join(dir, "signins", other)); err != nil {
			t.Fatal(err)
		}
	}
	want := verdicts(judged(t, app.Reading{From: []string{dir}}))
	for name, s := range map[string]archivetest.Source{"small pages": {Per: 3}, "pretty": {Per: 50, Pretty: true}, "one page": {Per: 100000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.At = sample.AsOf.Add(-time.Minute)
			got := verdicts(judged(t, fromArchive(collected(t, s))))
			if len(got) != len(want) {
				t.Fatal(len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("\n got %s\nwant %s", got[i], want[i])
				}
			}
		})
	}
}

// A folder that was exported from the archive is read as the archive is, to the
// byte of the report, but for the files' hashes.
func TestExportOfArchiveIsTheSame(t *testing.T) {
	t.Parallel()
	a := collected(t, archivetest.Source{Per: 20, At: sample.AsOf.Add(-48 * time.Hour)})
	v, err := a.View(t.Context(), archive.ViewOf{Tenant: contoso})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := v.Export(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	text := func(r *assess.Report, prefix string) string {
		b, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		// Of what is read from the archive the segments are hashed, not the files.
		return sums.ReplaceAllString(strings.ReplaceAll(string(b), prefix, "IN/"), "")
	}
	live := text(judged(t, fromArchive(a)), "archive:"+contoso+"/")
	folder := text(judged(t, app.Reading{From: []string{dir}}), dir+"/")
	live, folder = strings.ReplaceAll(live, `"archive:`+contoso+`"`, `"IN"`), strings.ReplaceAll(folder, `"`+dir+`"`, `"IN"`)
	if live != folder {
		t.Errorf("they differ:\n%s", firstDifference(live, folder))
	}
}

var sums = regexp.MustCompile(`\n *"sha256": "[0-9a-f]{64}",`)

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return strings.Join(x[max(0, i-5):min(len(x), i+5)], "\n") + "\n-----\n" + strings.Join(y[max(0, i-5):min(len(y), i+5)], "\n")
		}
	}
	return "one is longer"
}
