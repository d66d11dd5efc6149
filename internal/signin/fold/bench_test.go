package fold

import (
	"bytes"
	"io"
	"testing"

	"partnerguard/internal/signin/read"
	"partnerguard/internal/signin/signintest"
)

func BenchmarkReadLines(b *testing.B) {
	text := signintest.BenchInput(b)
	for name, opt := range map[string]Options{"summary": {}, "csv": {CSV: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				f := New(opt)
				if _, err := read.ReadLines(b.Context(), bytes.NewReader(text), read.Lines{}, f); err != nil {
					b.Fatal(err)
				}
				if _, err := f.Finish(b.Context(), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
