package pack_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/packtest"
	"partnerguard/internal/partnercloud/stamp"
)

// kinds are the kinds of packs.
var kinds = map[string]func(*pack.Options){
	"all":      func(*pack.Options) {},
	"deciding": func(o *pack.Options) { o.Evidence = "deciding" },
	"none":     func(o *pack.Options) { o.Evidence = "none" },
	"redacted": func(o *pack.Options) { o.Redact = []string{"names", "addresses"} },
}

// made makes a pack of a kind, and gives its bytes and its key.
func made(t testing.TB, change func(*pack.Options)) (raw []byte, key string) {
	t.Helper()
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	return madeOf(t, h, change), h.Signer.Key()
}

func madeOf(t testing.TB, h *packtest.House, change func(*pack.Options)) []byte {
	t.Helper()
	o := h.October(filepath.Join(t.TempDir(), "pack.zip"))
	change(&o)
	if _, err := h.Store.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func verifier(t testing.TB, key string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// innerOf is the inner hash of a text.
func innerOf(salt, text string) string {
	raw, _ := base64.StdEncoding.DecodeString(salt)
	sum := sha256.Sum256(append(raw, `"`+text+`"`...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func witness(t testing.TB, key string) note.Verifier {
	t.Helper()
	v, err := formats.NewVerifierForCosignatureV1(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// build makes a house whose authority is of this machine.
func build(t testing.TB, d *db.DB) *packtest.House {
	t.Helper()
	return packtest.Build(t, d, func(now func() time.Time) (packtest.Authority, error) { return stamp.New(stamp.Options{Now: now}) })
}
