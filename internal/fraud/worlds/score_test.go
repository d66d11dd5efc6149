package worlds

import (
	"testing"
	"time"
)

func TestScore(t *testing.T) {
	t.Parallel()
	w := New(Normals)
	a := w.Truth[0]
	other := New(0)
	for name, c := range map[string]struct {
		found            []Found
		seen, falseCount int
	}{
		"nothing":               {nil, 0, 0},
		"at once":               {[]Found{{a.Subscription, a.First}}, 1, 0},
		"twice is once":         {[]Found{{a.Subscription, a.First}, {a.Subscription, a.First.Add(time.Hour)}}, 1, 0},
		"before it began":       {[]Found{{a.Subscription, a.First.Add(-time.Second)}}, 0, 1},
		"when it was long over": {[]Found{{a.Subscription, a.Until.Add(rated + time.Second)}}, 0, 1},
		"elsewhere":             {[]Found{{other.Customers[0].Subscriptions[0].ID, a.First}}, 0, 1},
		"nowhere":               {[]Found{{"", a.First}}, 0, 1},
		"a week is one cause":   {[]Found{{"x", w.Start}, {"x", w.Start.Add(quiet)}, {"x", w.Start.Add(3 * quiet)}}, 0, 2},
	} {
		var s Score
		s.Judge(w, c.found)
		if s.Seen != c.seen || s.False != c.falseCount || s.Attacks != 1 || s.Days != w.SubscriptionDays() {
			t.Errorf("%s: %+v", name, s)
		}
		if lost := s.Lost[0] / s.Whole[0]; (c.seen == 0) != (lost > 0.99) {
			t.Errorf("%s: %.2f of the money is lost", name, lost)
		}
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	w := &World{Days: 30, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	s := &Series{Subscription: "s", Cost: make([]float64, 30), Rated: make([]bool, 30), Made: make([]int, 30*24)}
	for day := range s.Cost {
		s.Cost[day], s.Rated[day] = 100+float64(day%3), true
		s.median = append(s.median, 101)
	}
	s.Cost[20], s.Made[500] = 250, 12
	for name, p := range map[string]interface {
		Look(*World, []*Series) []Found
	}{"thresholds": Advised, "EWMA": EWMA{0.1, 6, 50, 10}} {
		days := map[time.Time]bool{}
		for _, f := range p.Look(w, []*Series{s}) {
			days[f.Detected] = true
		}
		if len(days) != 2 || !days[w.hour(21*24)] || !days[w.hour(501)] {
			t.Errorf("%s: %v", name, days)
		}
	}
}
