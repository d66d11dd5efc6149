package kit

import (
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	var b Buckets
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	r := Rate{Burst: 2, PerSecond: 1}
	for i, want := range []float64{1, 0} {
		if left, _, ok := b.Take("a", r, now); !ok || left != want {
			t.Errorf("token %d: %v left, %v", i, left, ok)
		}
	}
	for range 3 { // without debt a refusal costs nothing
		if _, wait, ok := b.Take("a", r, now); ok || wait != time.Second {
			t.Errorf("an empty bucket: wait %s, %v", wait, ok)
		}
	}
	if _, _, ok := b.Take("b", r, now); !ok {
		t.Error("another key has a bucket of its own")
	}
	if left, _, ok := b.Take("a", r, now.Add(time.Hour)); !ok || left != 1 {
		t.Errorf("an hour later: %v left, %v", left, ok)
	}
	r.Debt = 2
	b.Take("c", r, now)
	b.Take("c", r, now)
	for _, want := range []time.Duration{2 * time.Second, 3 * time.Second, 3 * time.Second} {
		if _, wait, ok := b.Take("c", r, now); ok || wait != want {
			t.Errorf("in debt: wait %s, want %s, %v", wait, want, ok)
		}
	}
}
