package fold

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
	"partnerguard/internal/signin/signintest"
)

// TestPool holds a pool that reads objects in batches of any size to a fold of the same
// records: what it leaves is read one by one between the batches.
func TestPool(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var records [][]byte
	for range 3000 {
		records = append(records, signintest.RandomRecord(r))
	}
	direct, pooled := New(Options{CSV: true}), New(Options{CSV: true})
	var dec read.Decoder
	var e signin.Event
	add := func(f *Fold, i int) {
		if shape, err := dec.Decode(records[i], &e); err == nil && shape != read.ShapeNone {
			f.Add(&e, signin.SourceRef{Source: evidence.Source{Path: "in", Index: i + 1}})
		}
	}
	for i := range records {
		add(direct, i)
	}
	p := read.NewPool(pooled, 3, func(raw []byte, _ bool) bool { return len(raw)%7 > 0 })
	rows := 0
	wait := func(b *read.Batch) {
		b.Wait()
		rows += b.Rows
		for _, i := range b.Left {
			add(pooled, b.Source.Index-1+i)
		}
	}
	var begun []*read.Batch
	for i := 0; i < len(records); {
		b := &read.Batch{Source: evidence.Source{Path: "in", Index: i + 1}}
		for range min(1+r.IntN(50), len(records)-i) {
			b.Cuts = append(b.Cuts, uint32(len(b.Text)), uint32(len(b.Text)+len(records[i])))
			b.Text = append(b.Text, records[i]...)
			i++
		}
		p.Begin(b)
		if begun = append(begun, b); len(begun) > 5 {
			wait(begun[0])
			begun = begun[1:]
		}
	}
	for _, b := range begun {
		wait(b)
	}
	p.Close()
	if rows < 100 {
		t.Errorf("only %d records were read in batches", rows)
	}
	var want, got bytes.Buffer
	s1, err1 := direct.Finish(t.Context(), &want)
	s2, err2 := pooled.Finish(t.Context(), &got)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if d := cmp.Diff(mustJSON(t, s1)+want.String(), mustJSON(t, s2)+got.String()); d != "" {
		t.Errorf("the pool differs (-one by one +pool):\n%s", d)
	}
}
