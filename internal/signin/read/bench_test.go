package read

import (
	"bytes"
	"testing"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/signintest"
)

func BenchmarkDecode(b *testing.B) {
	text := signintest.BenchInput(b)
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	b.SetBytes(int64(len(text)))
	var d Decoder
	var e signin.Event
	slow := 0
	for b.Loop() {
		slow = 0
		for _, l := range lines {
			if _, ok := d.fast(l, &e); !ok {
				slow++
			}
		}
	}
	b.ReportMetric(float64(slow)/float64(len(lines)), "slow/record")
}

func BenchmarkRecognise(b *testing.B) {
	line, _, _ := bytes.Cut(signintest.BenchInput(b), []byte("\n"))
	for b.Loop() {
		if !Recognise(line) {
			b.Fatal("not recognised")
		}
	}
}
