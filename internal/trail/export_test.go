package trail_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

func TestExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr := open(t, d)
		record(t, tr, 1, 30)
		for _, after := range []int64{0, 1, 17, 29, 30} {
			var b bytes.Buffer
			head, err := tr.Export(t.Context(), &b, after)
			if err != nil || head.Seq != 30 {
				t.Fatalf("after %d: %v %v", after, head, err)
			}
			r, err := trail.VerifyExport(bytes.NewReader(b.Bytes()), &head.Hash)
			if err != nil || r.Bad != nil || r.Entries != 30-after || r.Head != head {
				t.Errorf("after %d: %+v %v", after, r, err)
			}
		}
		for _, after := range []int64{-1, 31} {
			if _, err := tr.Export(t.Context(), &bytes.Buffer{}, after); !errors.Is(err, problem.Usage) {
				t.Errorf("after %d: %v", after, err)
			}
		}
		exec(t, d, "UPDATE trail_pages SET entries = replace(entries, '\"n\":\"20\"', '\"n\":\"21\"')")
		if _, err := tr.Export(t.Context(), &bytes.Buffer{}, 0); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "entry 20") {
			t.Errorf("export of a changed trail: %v", err)
		}
	})
}

// The recipe of the package comment, by other means than ours.
func TestExportByHand(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr := open(t, d)
	record(t, tr, 1, 3)
	var b bytes.Buffer
	if _, err := tr.Export(t.Context(), &b, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	var leaves [][32]byte
	for _, line := range lines[1:4] {
		var l struct {
			Hash  string
			Entry json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(append([]byte{0}, l.Entry...))
		if hex.EncodeToString(sum[:]) != l.Hash {
			t.Fatalf("%s", line)
		}
		leaves = append(leaves, sum)
	}
	node := func(a, b [32]byte) [32]byte { return sha256.Sum256(slices.Concat([]byte{1}, a[:], b[:])) }
	root := node(node(leaves[0], leaves[1]), leaves[2])
	if want := fmt.Sprintf(`{"size":3,"root":"%x"}`, root); lines[4] != want {
		t.Errorf("the end is %s, want %s", lines[4], want)
	}
}

func TestExportTampered(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr := open(t, d)
	record(t, tr, 1, 4)
	var b bytes.Buffer
	head, err := tr.Export(t.Context(), &b, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.SplitAfter(b.String(), "\n")
	for name, c := range map[string]struct {
		text  string
		at    int64
		error bool
	}{
		"edited":            {strings.Replace(b.String(), `"n":"2"`, `"n":"3"`, 1), 2, false},
		"line removed":      {whole[0] + whole[1] + whole[3] + whole[4], 2, false},
		"lines swapped":     {whole[0] + whole[2] + whole[1] + whole[3] + whole[4], 1, false},
		"cut at the end":    {strings.Join(whole[:4], ""), 4, false},
		"no end":            {strings.Join(whole[:5], ""), 5, false},
		"cut within a line": {b.String()[:b.Len()-9], 5, false},
		"more after it":     {b.String() + whole[4], 5, false},
		"another root":      {strings.Replace(b.String(), `"root":"`, `"root":"0`, 1), 1, false},
		"other line":        {whole[0] + "{}\n", 1, false},
		"first line gone":   {strings.Join(whole[1:], ""), 0, true},
		"empty":             {"", 0, true},
		"endless line":      {whole[0] + strings.Repeat("x", 1<<20), 0, true},
		"other beginning":   {strings.Replace(b.String(), `"after":0`, `"after":1`, 1), 0, true},
	} {
		r, err := trail.VerifyExport(strings.NewReader(c.text), &head.Hash)
		if c.error {
			if !errors.Is(err, problem.BadInput) {
				t.Errorf("%s: %+v %v", name, r.Bad, err)
			}
			continue
		}
		if err != nil || r.Bad == nil || r.Bad.Seq != c.at {
			t.Errorf("%s: %+v %v, want entry %d", name, r.Bad, err, c.at)
		}
	}
}

func FuzzVerifyExport(f *testing.F) {
	d := dbtest.SQLite(f)
	tr, err := trail.Open(context.Background(), d, trail.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for n := range 3 {
		if err := tr.Record(context.Background(), event(n)); err != nil {
			f.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tr.Export(context.Background(), &b, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"form":"partnerguard-trail-1","anchor":"","after":0,"hash":""}`))
	f.Add([]byte("\n\n"))
	whole := b.Bytes()
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := trail.VerifyExport(bytes.NewReader(raw), nil)
		if err == nil && r.Bad == nil && r.Entries == 3 && bytes.HasPrefix(raw, whole[:80]) &&
			!bytes.Equal(bytes.TrimSpace(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))), bytes.TrimSpace(whole)) {
			// Same beginning, three entries that hold, other bytes: only the
			// first line may differ.
			_, a, _ := bytes.Cut(raw, []byte("\n"))
			_, b, _ := bytes.Cut(whole, []byte("\n"))
			if !bytes.Equal(bytes.TrimSpace(bytes.ReplaceAll(a, []byte("\r\n"), []byte("\n"))), bytes.TrimSpace(b)) {
				t.Errorf("other entries hold: %q", raw)
			}
		}
	})
}
