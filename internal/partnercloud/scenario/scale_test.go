package scenario

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// peak is the most memory this process has held, as the kernel counts it.
func peak() string {
	b, _ := os.ReadFile("/proc/self/status")
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, "VmHWM:") {
			return strings.TrimSpace(strings.TrimPrefix(l, "VmHWM:"))
		}
	}
	return "not known"
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc >> 20)
}

// BenchmarkDefault builds the default world with its engine, from the text.
func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		sc, err := Parse(Default())
		if err != nil {
			b.Fatal(err)
		}
		w, err := Build(sc, Options{Clock: still()})
		if err != nil {
			b.Fatal(err)
		}
		w.Read(func(s *world.State) { s.Engine(s.PartnerTenant()) })
	}
}

// BenchmarkHistoryDay makes a day of the default partner's log.
func BenchmarkHistoryDay(b *testing.B) {
	w := build(b, Options{Users: 500})
	rows := 0
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		h := s.History.(*history)
		for b.Loop() {
			h.days = lru[dayKey, []*world.SignIn]{}
			rows += len(h.SignIns(s, p, start.AddDate(0, 0, -3)))
		}
	})
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

// TestScale says how long 500 customers with a month of sign-ins take: build,
// every tenant, every day. It asserts no times.
func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	began := time.Now()
	w := build(t, Options{Customers: 500, Days: 30})
	built := time.Since(began)
	rows, users, kept := 0, 0, int64(0)
	w.Read(func(s *world.State) {
		ids := []string{s.Partner}
		for c := range s.PartnerTenant().Customers.All() {
			ids = append(ids, c.TenantID)
		}
		for _, id := range ids {
			k := s.Tenant(id)
			users += k.Users.Len()
			s.Engine(k)
			for range s.Newest(k, s.History.First(), s.Created) {
				rows++
			}
		}
	})
	took := time.Since(began)
	p := peak()
	kept = heap()
	t.Logf("500 customers, %d users, %d rows in 30 days: built in %v, all in %v, %v a row; peak %s, kept %d MB", users, rows, built, took,
		took/time.Duration(max(rows, 1)), p, kept)
	if users < 5000 || rows < 100_000 {
		t.Errorf("%d users, %d rows", users, rows)
	}
	runtime.KeepAlive(w)
}

// TestLargest builds the largest world: 2,000 customers, 100,000 users of the
// partner.
func TestLargest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	began := time.Now()
	w := build(t, Options{Customers: maxCustomers, Users: maxUsers, Days: 30})
	built := time.Since(began)
	size := heap()
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if p.Users.Len() != maxUsers || p.Customers.Len() != maxCustomers {
			t.Errorf("%d users, %d customers", p.Users.Len(), p.Customers.Len())
		}
		names := map[string]bool{}
		for u := range p.Users.All() {
			if names[strings.ToLower(u.UPN)] {
				t.Fatalf("%s twice", u.UPN)
			}
			names[strings.ToLower(u.UPN)] = true
		}
		began = time.Now()
		s.Engine(p)
		compiled := time.Since(began)
		began = time.Now()
		day := s.History.SignIns(s, p, start.AddDate(0, 0, -3))
		first := time.Since(began)
		began = time.Now()
		day2 := s.History.SignIns(s, p, start.AddDate(0, 0, -4))
		t.Logf("built in %v (%d MB), compiled in %v, first day %d rows in %v, second day %d rows in %v, %d MB, peak %s", built, size, compiled, len(day),
			first, len(day2), time.Since(began), heap(), peak())
	})
	runtime.KeepAlive(w)
}

// TestSameSeed builds the same world twice, and another from another seed.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		var out []byte
		build(t, Options{Seed: seed, Customers: 80, Users: 300}).Read(func(s *world.State) {
			for c := range s.PartnerTenant().Customers.All() {
				k, _ := json.Marshal(s.Tenant(c.TenantID))
				out = append(out, k...)
			}
			k, _ := json.Marshal(s.PartnerTenant())
			out = append(out, k...)
		})
		return string(out)
	}
	if first := text(5); first != text(5) {
		t.Error("the same seed makes two worlds")
	}
	if text(5) == text(6) {
		t.Error("two seeds make the same world")
	}
}
