package pack_test

import (
	"crypto/x509"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
)

var update = flag.Bool("update", false, "make packs that are not among the fixtures yet; those that are there stay for ever")

// fixture is where the packs of a form are kept, with what they are held to.
func fixture(name string) string { return filepath.Join("testdata", "packs", name) }

// TestFixtures has the packs that earlier versions made verified by both verifiers: they
// must hold for ever. Each has its key, its witness's and its authority's root beside it.
func TestFixtures(t *testing.T) {
	t.Parallel()
	if *update {
		makeFixtures(t)
	}
	list, err := filepath.Glob(fixture("*.zip"))
	if err != nil || len(list) < len(kinds) {
		t.Fatal(list, err)
	}
	for _, path := range list {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			beside := strings.TrimSuffix(path, ".zip")
			key, witnessed, roots := text(t, beside+".key"), text(t, beside+".witness"), x509.NewCertPool()
			if !roots.AppendCertsFromPEM([]byte(text(t, beside+".pem"))) {
				t.Fatal("no root")
			}
			trust := form.Trust{Key: verifier(t, key), Witnesses: []note.Verifier{witness(t, witnessed)}, Roots: roots}
			r, err := pack.VerifyFile(t.Context(), path, trust, packtest.Count, nil)
			if err != nil || len(r.Faults) > 0 || !r.Trusted || r.Cosigned != 4 || r.Unchecked != 0 {
				t.Errorf("%+v %v", r, err)
			}
			if !r.Rejudged && r.Manifest.Unjudged == "" {
				t.Errorf("its verdicts do not come out again: %+v", r)
			}
			faults, out := bySmall(t, path, "--key", key, "--witness", witnessed, "--roots", beside+".pem")
			if len(faults) > 0 || !strings.Contains(out, "THE PACK HOLDS") || !strings.Contains(out, "4 cosignatures and stamps of checkpoints hold; 0 ") ||
				!strings.Contains(out, "by an authority of those that were given") {
				t.Errorf("the small verifier says: %s", out)
			}
		})
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func makeFixtures(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(fixture(""), 0o750); err != nil {
		t.Fatal(err)
	}
	for kind, change := range kinds {
		path := fixture("v1-" + kind + ".zip")
		if _, err := os.Stat(path); err == nil {
			continue
		}
		h := build(t, dbtest.SQLite(t))
		if kind == "redacted" {
			h.Rows = 40
		}
		h.Fill()
		o := h.October(path)
		change(&o)
		if _, err := h.Store.Make(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		for end, what := range map[string]string{".key": h.Signer.Key() + "\n", ".witness": h.Witness + "\n", ".pem": string(h.Roots)} {
			if err := os.WriteFile(strings.TrimSuffix(path, ".zip")+end, []byte(what), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
