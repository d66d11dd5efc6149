package fraud

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// waited is an alert that was detected so long before noon, and resolved after so long; 0
// waits.
func waited(id string, before, took time.Duration) Alert {
	a := Alert{ID: id, GraphID: id, Status: Active, Detected: noon.Add(-before)}
	if took > 0 {
		a.Status, a.ResolvedAt = Resolved, a.Detected.Add(took)
		a.Answered = a.ResolvedAt
	}
	return a
}

func TestAverage(t *testing.T) {
	t.Parallel()
	test := waited("t", time.Hour, 0)
	test.Test = true
	blind := waited("b", time.Hour, time.Minute)
	blind.ResolvedAt, blind.Answered = time.Time{}, time.Time{}
	undated := Alert{ID: "u", Status: Active}
	seen := waited("i", 10*time.Hour, 0)
	seen.Status, seen.Answered = Investigating, seen.Detected.Add(time.Hour)
	for name, c := range map[string]struct {
		list []Alert
		want Average
	}{
		"none":              {nil, Average{}},
		"answered":          {[]Alert{waited("a", 50*time.Hour, 10*time.Hour)}, Average{Mean: 10 * time.Hour, Count: 1}},
		"open runs on":      {[]Alert{waited("a", 50*time.Hour, 10*time.Hour), waited("b", 30*time.Hour, 0)}, Average{Mean: 20 * time.Hour, Count: 2, Open: 1}},
		"older falls out":   {[]Alert{waited("a", Window, time.Hour)}, Average{}},
		"last second":       {[]Alert{waited("a", Window-time.Second, time.Hour)}, Average{Mean: time.Hour, Count: 1}},
		"old and open":      {[]Alert{waited("a", 2*Window, 0)}, Average{Mean: 2 * Window, Count: 1, Open: 1}},
		"tests":             {[]Alert{test}, Average{}},
		"clock not shown":   {[]Alert{blind}, Average{Blind: 1}},
		"not dated":         {[]Alert{undated}, Average{Blind: 1}},
		"not detected yet":  {[]Alert{waited("a", -time.Hour, 0)}, Average{}},
		"reacted, not over": {[]Alert{seen}, Average{Mean: 10 * time.Hour, Count: 1, Open: 1}},
	} {
		if got := AverageOf(c.list, noon, ByResolution); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := AverageOf([]Alert{seen}, noon, ByReaction); got.Mean != time.Hour || got.Open != 0 {
		t.Errorf("by reaction: %+v", got)
	}
}

// TestForecast: words of the documentation: two wait, and have to be answered before a time.
func TestForecast(t *testing.T) {
	t.Parallel()
	list := []Alert{waited("done", 100*time.Hour, 32*time.Hour), waited("a", 14*time.Hour, 0), waited("b", 12*time.Hour, 0)}
	f := ForecastOf(list, noon, ByResolution)
	// 32 + 14 + 12 = 58 of 72 hours: 14 are left, and two use them up.
	if want := noon.Add(7 * time.Hour); !f.Until.Equal(want) || !slices.Equal(f.Answer, []string{"a", "b"}) || f.Over {
		t.Errorf("%+v, want %s", f, want)
	}
	f = ForecastOf([]Alert{waited("a", 20*time.Hour, 0), waited("done", 50*time.Hour, 40*time.Hour)}, noon, ByResolution)
	if !f.Over || !f.Back.Equal(noon.Add(Window-50*time.Hour)) || len(f.Answer) != 1 {
		t.Errorf("over: %+v", f)
	}
	// One that is older than the window weighs all; answered it weighs nothing.
	f = ForecastOf([]Alert{waited("old", 2*Window, 0), waited("a", time.Hour, 0), waited("quick", 3*time.Hour, time.Minute)}, noon, ByResolution)
	if !f.Over || !f.Back.Equal(noon) || !slices.Equal(f.Answer, []string{"old"}) || !f.Stays {
		t.Errorf("old: %+v", f)
	}
	if f = ForecastOf([]Alert{waited("done", 50*time.Hour, time.Hour)}, noon, ByResolution); f.Over || !f.Until.IsZero() || len(f.Answer) != 0 {
		t.Errorf("nothing waits: %+v", f)
	}
}

// slow is the average's distance from the duty at a moment, as the definition says it: the
// alerts of which answered holds were answered at then.
func slow(list []Alert, at time.Time, answered map[string]bool, then time.Time) time.Duration {
	var sum time.Duration
	n := 0
	for _, a := range list {
		end := a.ResolvedAt
		if end.IsZero() && answered[a.ID] {
			end = then
		}
		switch {
		case end.IsZero():
			sum += at.Sub(a.Detected)
		case !at.Before(a.Detected.Add(Window)):
			continue
		default:
			sum += end.Sub(a.Detected)
		}
		n++
	}
	return sum - Duty*time.Duration(n)
}

// TestForecastBrute holds the forecast to minutes counted one by one and all subsets.
func TestForecastBrute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []Alert
		for i := range rapid.IntRange(1, 7).Draw(t, "n") {
			before := time.Duration(rapid.OneOf(rapid.IntRange(0, 60*48), rapid.IntRange(60*24*28, 60*24*31)).Draw(t, "before")) * time.Minute
			took := time.Duration(rapid.SampledFrom([]int{0, 0, 1, 60, 600, 1440, 2000, 4000}).Draw(t, "took")) * time.Minute
			list = append(list, waited(fmt.Sprint(i), before, min(took, before)))
		}
		f := ForecastOf(list, noon, ByResolution)
		var open []string
		for _, a := range list {
			if a.ResolvedAt.IsZero() {
				open = append(open, a.ID)
			}
		}
		is := func(set uint) map[string]bool {
			m := map[string]bool{}
			for i, id := range open {
				m[id] = set&(1<<i) != 0
			}
			return m
		}
		if slow(list, noon, nil, noon) > 0 {
			all := is(1<<len(open) - 1)
			if !f.Over || f.Back.IsZero() || slow(list, f.Back, all, noon) > 0 {
				t.Fatalf("over: %+v", f)
			}
			if before := f.Back.Add(-time.Second); !before.Before(noon) && slow(list, before, all, noon) <= 0 {
				t.Fatalf("it is back before %s", f.Back)
			}
			fewestOf(t, list, open, is, noon, &f)
			return
		}
		until := noon
		for len(open) > 0 && slow(list, until.Add(time.Minute), nil, noon) <= 0 {
			until = until.Add(time.Minute)
		}
		switch {
		case f.Over:
			t.Fatal("it is not over")
		case len(open) == 0:
			if len(f.Answer) > 0 {
				t.Fatalf("nothing waits: %+v", f)
			}
			return
		case f.Until.Before(until) || !f.Until.Before(until.Add(time.Minute)):
			t.Fatalf("until %s, counted %s", f.Until, until)
		}
		fewestOf(t, list, open, is, f.Until, &f)
	})
}

// fewestOf tries all subsets of what waits, answered at a moment.
func fewestOf(t *rapid.T, list []Alert, open []string, is func(uint) map[string]bool, then time.Time, f *Forecast) {
	fewest := -1
	for set := range uint(1) << len(open) {
		holds := true
		for at := then; holds && !at.After(then.Add(Duty)); at = at.Add(time.Minute) {
			holds = slow(list, at, is(set), then) <= 0
		}
		if n := bits.OnesCount(set); holds && (fewest < 0 || n < fewest) {
			fewest = n
		}
	}
	if fewest < 0 && (f.Stays || len(f.Answer) != len(open)) || fewest >= 0 && (len(f.Answer) != fewest || !f.Stays) {
		t.Fatalf("%d have to be answered, %+v", fewest, f)
	}
}
