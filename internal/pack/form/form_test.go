package form_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"partnerguard/internal/pack/form"
)

// FuzzOpen reads what comes from anywhere: what is opened is written the same way again.
func FuzzOpen(f *testing.F) {
	list, _ := filepath.Glob("../testdata/packs/v1-none.zip")
	for _, path := range list {
		raw, _ := os.ReadFile(path)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := form.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if _, err := r.Verify(t.Context(), form.Trust{}); err != nil {
			t.Fatalf("%v", err)
		}
		out, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		w := form.NewWriter(out)
		for _, n := range r.Names() {
			in, err := r.Open(n)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Read(n, form.MaxEntry); err != nil {
				return // its CRC is wrong, which is told
			}
			if err := w.Put(n, content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(out.Name())
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("it is another file when it is written again (%v)", err)
		}
	})
}
