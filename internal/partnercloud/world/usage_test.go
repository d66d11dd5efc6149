package world

import (
	"testing"
	"time"
)

// TestUsage: generated days as they are, a week repeated at both ends, nothing while
// it was off, and today only as far as it is over.
func TestUsage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	w := New(1, NewClock(func() time.Time { return now }))
	d := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	w.Read(func(s *State) {
		s.Metered = func(_, id string) *AzureSubscription {
			if id != "a" {
				return nil
			}
			var out []AzureUsage
			for i := 3; i <= 16; i++ { // fourteen days, each with a cost of its own
				out = append(out, AzureUsage{Day: d(i), Category: "Virtual Machines", Quantity: 24, Cost: float64(i)})
			}
			return &AzureSubscription{ID: id, Usage: out}
		}
		cost := func(n int) float64 {
			total := 0.0
			for _, u := range s.Usage("t", "a", d(1), d(n), d(n+1)) {
				total += u.Cost
			}
			return total
		}
		for n, want := range map[int]float64{3: 3, 16: 16, 1: 8, 2: 9, 17: 10, 18: 11, 19: 12, 20: 6.5, 21: 0} {
			if got := cost(n); got != want {
				t.Errorf("day %d costs %v, want %v", n, got, want)
			}
		}
		if rows := s.Usage("t", "a", d(10), d(1), d(30)); len(rows) != 11 {
			t.Errorf("%d days since the 10th", len(rows))
		}
		if s.Usage("t", "b", d(1), d(1), d(30)) != nil {
			t.Error("another subscription used something")
		}
		a := &AzureSubscription{ID: "a", State: "Enabled"}
		tenant := &Tenant{ID: "t", Domains: []string{"t.example"}}
		tenant.Azure.Put(a)
		s.Put(tenant)
		tenant.Azure.Change("a", func(a *AzureSubscription) { a.SetState("Disabled", d(17).Add(12*time.Hour)) })
		if cost(17) != 5 || cost(18) != 0 {
			t.Errorf("off: %v and %v", cost(17), cost(18))
		}
		tenant.Azure.Change("a", func(a *AzureSubscription) { a.SetState("Enabled", d(19)) })
		if cost(17) != 5 || cost(18) != 0 || cost(19) != 12 {
			t.Errorf("on again: %v, %v and %v", cost(17), cost(18), cost(19))
		}
		tenant.Azure.Change("a", func(a *AzureSubscription) { a.CancelDue = d(19).Add(6 * time.Hour) })
		if cost(19) != 3 || cost(20) != 0 {
			t.Errorf("cancelled: %v and %v", cost(19), cost(20))
		}
		tenant.Azure.Change("a", func(a *AzureSubscription) { a.SetState("Enabled", d(20)) })
		if cost(19) != 3 || cost(20) != 6.5 {
			t.Errorf("brought back: %v and %v", cost(19), cost(20))
		}

		// A machine with a price is paid for by its hours, and no more by the week before.
		s.Metered = func(string, string) *AzureSubscription {
			return &AzureSubscription{ID: "m", Usage: []AzureUsage{{Day: d(16), Category: "Virtual Machines", Cost: 5}}, Resources: []AzureResource{
				{Group: "g", Type: "Microsoft.Compute/virtualMachines", Name: "vm", Hourly: 2, Runs: []Run{{From: d(17), To: d(18).Add(6 * time.Hour)}}}}}
		}
		total := 0.0
		for _, u := range s.Usage("t", "m", d(16), d(16), d(30)) {
			total += u.Cost
		}
		if want := 5.0 + 24*2 + 6*2; total != want {
			t.Errorf("a machine's hours: %v, want %v", total, want)
		}
	})
}
