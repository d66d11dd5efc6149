package fold

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
	"partnerguard/internal/signin/signintest"
)

// checkPipeline reads records as JSON lines with the fast decoder on several
// cores and compares with the slow decoder and the reference fold.
func checkPipeline(t *testing.T, records [][]byte) {
	t.Helper()
	var text bytes.Buffer
	var in []taken
	line := 0
	for _, raw := range records {
		var one bytes.Buffer
		if json.Compact(&one, raw) != nil {
			continue
		}
		line++
		one.WriteByte('\n')
		text.Write(one.Bytes())
		var e signin.Event
		if shape, err := read.DecodeEvent(one.Bytes(), &e); err == nil && shape != read.ShapeNone {
			in = append(in, taken{e, signin.SourceRef{Source: evidence.Source{Path: "in", Line: line}}})
		}
	}
	opt := Options{CSV: true}
	wantJSON, wantCSV := reference(t, opt, in)
	opt.Scratch, opt.Budget = dirScratch{t.TempDir()}, 1
	for _, workers := range []int{1, 3} {
		f := New(opt)
		rows, err := read.ReadLines(t.Context(), bytes.NewReader(text.Bytes()), read.Lines{Path: "in", Workers: workers}, f)
		if err != nil || rows != len(in) {
			t.Fatalf("%d rows, want %d; %v", rows, len(in), err)
		}
		var csv bytes.Buffer
		s, err := f.Finish(t.Context(), &csv)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustJSON(t, s); got != wantJSON || csv.String() != wantCSV {
			t.Fatalf("differs from the reference (-want +got):\n%s\n%s", cmp.Diff(wantJSON, got), cmp.Diff(wantCSV, csv.String()))
		}
	}
}

func TestPipelineOnSharedData(t *testing.T) {
	t.Parallel()
	var records [][]byte
	for _, list := range signintest.SharedRecords(t) {
		records = append(records, list...)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	records = append(records, records[:len(records)/3]...) // copies
	checkPipeline(t, records)
}

func TestPipelineOnRandomRecords(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	var records [][]byte
	for i := range 1500 {
		if i > 10 && r.IntN(10) == 0 {
			records = append(records, records[r.IntN(i)])
			continue
		}
		records = append(records, signintest.RandomRecord(r))
	}
	checkPipeline(t, records)
}

// Logs are of a few makes, over and over: records like those before with other letters and digits.
func TestPipelineOnRecordsAlike(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 2))
	var records [][]byte
	for range 12 {
		sample := signintest.RandomRecord(r)
		for range 150 {
			raw := bytes.Clone(sample)
			for range 1 + r.IntN(4) {
				i := r.IntN(len(raw))
				if c := raw[i]; 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
					raw[i] = "tfnulse0195"[r.IntN(11)]
				}
			}
			records = append(records, raw)
		}
	}
	r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	checkPipeline(t, records)
}
