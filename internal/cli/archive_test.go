package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"partnerguard/internal/app"
	"partnerguard/internal/archive/archivetest"
	"partnerguard/internal/config"
	"partnerguard/internal/sample"
)

// collected makes the script command "collected DIR": an installation in whose
// archive the sample partner was collected, at the sample's moment. The variable USERS
// names the segment with its users.
func collected(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 1 {
			ts.Fatalf("usage: collected DIR")
		}
		c, err := config.Load(config.Source{Flags: map[string]string{"data": ts.MkAbs(args[0]), "cloud": "public"}, Getenv: func(string) string { return "" }})
		ts.Check(err)
		now := func() time.Time { return sample.AsOf }
		i, err := app.OpenData(t.Context(), app.Options{Config: c, Actor: "test", Now: now, Getenv: func(string) string { return "" }})
		ts.Check(err)
		s := archivetest.Source{Files: sample.FS(), Tenant: "c1d2e3f4-0000-4000-8000-000000000001", At: sample.AsOf.Add(-time.Minute), Per: 40}
		for _, k := range s.Fill(t, i.Archive) {
			if k.Runs[0].Resource == "users" {
				ts.Setenv("USERS", k.Name)
			}
		}
		ts.Check(i.Close())
	}
}

// flip makes the script command "flip DIR": a bit of the first object below DIR is
// changed.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: flip DIR")
	}
	var first string
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".pgseg") && first == "" {
			first = path
		}
		return err
	}))
	b, err := os.ReadFile(first)
	ts.Check(err)
	b[len(b)/3] ^= 4
	ts.Check(os.WriteFile(first, b, 0o600))
}
