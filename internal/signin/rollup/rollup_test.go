package rollup

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"partnerguard/internal/signin"
)

// rows draws sightings with keys and times that meet often.
func rows(r *rand.Rand, n int) []signin.Sighting {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	out := make([]signin.Sighting, n)
	for i := range out {
		out[i] = signin.Sighting{ID: fmt.Sprint("id", r.IntN(n+1)), UserID: pick("", "U1", "u1", "u2"), UserPrincipalName: pick("", "Ada@x.example",
			"ada@x.example", "bo@x.example"),
			AppID: pick("", "APP", "app", "b"), AppDisplayName: pick("", "Portal", "Mail"), Resource: pick("",
				"Graph"), ClientAppUsed: pick("Browser", "IMAP4"),
			Protocol: pick("", "none"), PolicyState: pick("success", "notApplied"), Verdict: signin.Verdicts()[r.IntN(5)], DeviceCode: r.IntN(9) == 0,
			At: time.Date(2026, 3, 1+r.IntN(3), 0, 0, r.IntN(3), r.IntN(2), time.UTC)}
		if r.IntN(10) == 0 {
			out[i].At = time.Time{}
		}
		out[i].Source.Line = r.IntN(4)
	}
	return out
}

func where(s *signin.Sighting) Pointer {
	return Pointer{fmt.Sprint("seg", s.Source.Line/2), s.Source.Line}
}

// joined folds rows split over some visitors of some folds, written and read back, and
// merged in any order.
func joined(t *testing.T, r *rand.Rand, list []signin.Sighting, limit int) map[string][]byte {
	t.Helper()
	list = append([]signin.Sighting{}, list...)
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	folds := 1 + r.IntN(4)
	var days []*Day
	for f := range folds {
		fold := &Fold{Where: where, limit: limit}
		var v []signin.Visitor
		for range 1 + r.IntN(3) {
			v = append(v, fold.Visitor())
		}
		for i := range list {
			if i%folds == f {
				lent := list[i]
				v[r.IntN(len(v))].See(&lent)
			}
		}
		for _, d := range fold.Days() {
			if r.IntN(2) == 0 {
				back, err := Decode(d.Encode())
				if err != nil {
					t.Fatal(err)
				}
				d = back
			}
			days = append(days, d)
		}
	}
	r.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
	all := map[string]*Day{}
	for _, d := range days {
		if o := all[d.Date]; o != nil {
			d = merge(o, d, limit)
		}
		all[d.Date] = d
	}
	out := map[string][]byte{}
	for date, d := range all {
		out[date] = d.Encode()
	}
	return out
}

// TestMergesInAnyOrder: however rows are split and parts merged, the bytes are equal,
// and no row is lost or doubled; also past the limit.
func TestMergesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := rows(r, r.IntN(200))
		limit := MaxEntries
		if seed%3 == 0 {
			limit = 1 + r.IntN(5)
		}
		want := joined(t, r, list, limit)
		total := int64(0)
		for date, b := range want {
			d, err := Decode(b)
			if err != nil || d.Date != date {
				t.Fatal(date, d, err)
			}
			if len(d.Entries) > limit {
				t.Fatalf("%d entries", len(d.Entries))
			}
			total += d.Rows()
		}
		if total != int64(len(list)) {
			t.Fatalf("seed %d: %d rows of %d", seed, total, len(list))
		}
		for range 4 {
			got := joined(t, r, list, limit)
			if len(got) != len(want) {
				t.Fatalf("seed %d: %d days, want %d", seed, len(got), len(want))
			}
			for date := range want {
				if !bytes.Equal(got[date], want[date]) {
					a, _ := Decode(want[date])
					b, _ := Decode(got[date])
					t.Fatalf("seed %d, %s:\n%+v\n%+v", seed, date, a, b)
				}
			}
		}
	}
}

// What is counted is what was seen.
func TestCounts(t *testing.T) {
	t.Parallel()
	f := &Fold{Where: where}
	v := f.Visitor()
	at := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	for i := range 3 {
		s := signin.Sighting{ID: fmt.Sprint(i), UserID: "U1", UserPrincipalName: fmt.Sprint("n", i), AppID: "A", Verdict: signin.NotChallenged,
			At: at.Add(time.Duration(i-1) * time.Second)}
		s.Source.Line = i
		v.See(&s)
	}
	days := f.Days()
	if len(days) != 2 || days[0].Date != "2026-03-01" || days[1].Date != "2026-03-02" {
		t.Fatalf("%+v", days)
	}
	e := days[0].Entries[0]
	if e.Rows != 2 || e.First.ID != "0" || e.Last.ID != "1" || e.Name != "n1" || e.User != "u1" || e.Last.In != (Pointer{"seg0", 1}) ||
		days[0].Of(signin.NotChallenged) != 2 || days[0].Of(signin.Challenged) != 0 {
		t.Errorf("%+v", e)
	}
}

// FuzzDecode: no bytes make it fall over; what is read is written again as it was.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	fold := &Fold{Where: where}
	v := fold.Visitor()
	for _, s := range rows(r, 40) {
		v.See(&s)
	}
	for _, d := range fold.Days() {
		f.Add(d.Encode())
	}
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\x00\x00\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(d.Encode(), b) {
			t.Error("read and written otherwise")
		}
		if m := Merge(d, &Day{}); !bytes.Equal(m.Encode(), b) {
			t.Error("merged with nothing it is another")
		}
	})
}

func BenchmarkSee(b *testing.B) {
	list := rows(rand.New(rand.NewPCG(1, 1)), 1000)
	v := (&Fold{}).Visitor()
	b.ReportAllocs()
	for i := range b.N {
		v.See(&list[i%len(list)])
	}
}
