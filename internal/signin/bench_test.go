package signin

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// benchInput is a file of JSON lines named by the environment, or the shared
// records repeated.
func benchInput(b *testing.B) []byte {
	if path := os.Getenv("PARTNERGUARD_BENCH_LINES"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	var text []byte
	for _, raw := range sharedRecords(b)["sekoia-azure-ad"] {
		text = append(append(text, raw...), '\n')
	}
	return bytes.Repeat(text, 500)
}

func BenchmarkDecode(b *testing.B) {
	text := benchInput(b)
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	b.SetBytes(int64(len(text)))
	var d Decoder
	var e Event
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

func BenchmarkReadLines(b *testing.B) {
	text := benchInput(b)
	for name, opt := range map[string]Options{"summary": {}, "csv": {CSV: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				f := New(opt)
				if _, err := ReadLines(b.Context(), bytes.NewReader(text), Lines{}, f); err != nil {
					b.Fatal(err)
				}
				if _, err := f.Finish(b.Context(), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecognise(b *testing.B) {
	line, _, _ := bytes.Cut(benchInput(b), []byte("\n"))
	for b.Loop() {
		if !Recognise(line) {
			b.Fatal("not recognised")
		}
	}
}
