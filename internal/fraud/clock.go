package fraud

import (
	"cmp"
	"slices"
	"time"
)

// What is asked of a partner (contracts.md section 7.4).
const (
	Goal   = time.Hour           // guidance: react within
	Duty   = 24 * time.Hour      // mandatory: answered within, on average
	Window = 30 * 24 * time.Hour // what the average is over
)

// Measure is when an alert stops waiting.
type Measure string

// The measures. Microsoft publishes neither formula nor example: its requirement speaks of
// alerts that are resolved, and that is what is counted first; the other is shown beside it.
const (
	ByResolution Measure = "resolved" // until it is resolved
	ByReaction   Measure = "reacted"  // until it first leaves active
)

// Average is the average of 30 days: of the alerts detected in them, and of every one that
// still waits, however old it is; those run on. Test alerts are left out.
type Average struct {
	Mean  time.Duration `json:"mean"`  // 0 of none
	Count int           `json:"count"` // alerts in it
	Open  int           `json:"open"`  // of these, those that wait
	Blind int           `json:"blind"` // alerts that should be in it, and whose clock is not known
}

// wait is one alert in the average, in seconds of Unix time.
type wait struct {
	id       string
	from, to int64 // to 0: it waits
}

const (
	duty   = int64(Duty / time.Second)
	window = int64(Window / time.Second)
)

// waits are the alerts of the average at a moment, oldest first.
func waits(list []Alert, now time.Time, m Measure) (out []wait, blind int) {
	at := now.Unix()
	for i := range list {
		a := &list[i]
		end, open := a.ResolvedAt, a.Open()
		if m == ByReaction {
			end, open = a.Answered, a.Untouched()
		}
		switch {
		case a.Test || a.Detected.Unix() > at && !a.Detected.IsZero():
		case a.Detected.IsZero() && open:
			blind++
		case a.Detected.IsZero():
		case open:
			out = append(out, wait{id: a.ID, from: a.Detected.Unix()})
		case at >= a.Detected.Unix()+window:
		case end.IsZero():
			blind++
		default:
			out = append(out, wait{a.ID, a.Detected.Unix(), max(end.Unix(), a.Detected.Unix())})
		}
	}
	slices.SortFunc(out, func(a, b wait) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.id, b.id)) })
	return out, blind
}

// over is by how many seconds the waits together are beyond the duty at a moment; n counts.
func over(list []wait, at int64) (sum int64, n, open int) {
	for _, w := range list {
		switch {
		case w.to == 0:
			sum += at - w.from
			open++
		case at >= w.from+window:
			continue
		default:
			sum += w.to - w.from
		}
		n++
	}
	return sum - duty*int64(n), n, open
}

// AverageOf is the average at a moment.
func AverageOf(list []Alert, now time.Time, m Measure) Average {
	ws, blind := waits(list, now, m)
	sum, n, open := over(ws, now.Unix())
	out := Average{Count: n, Open: open, Blind: blind}
	if n > 0 {
		out.Mean = time.Duration((sum + duty*int64(n)) / int64(n) * int64(time.Second))
	}
	return out
}

// Forecast is what the average comes to.
type Forecast struct {
	Average
	Over   bool      `json:"over"`            // it is above 24 hours now
	Until  time.Time `json:"until,omitzero"`  // the last second at which it is not, when nobody answers anything; zero: it stays under
	Answer []string  `json:"answer"`          // the fewest to answer by then, or now where it is over, for a day more under it; all, where nothing less does
	Stays  bool      `json:"stays,omitempty"` // answering them keeps it under for that day
	Back   time.Time `json:"back,omitzero"`   // where it is over: when it is under again if every alert is answered now
}

// ForecastOf says until when alerts have to be answered to keep the average under 24 hours,
// and which. Seconds are exact; up to twelve that wait, the fewest are found, of more the
// oldest are taken first.
func ForecastOf(list []Alert, now time.Time, m Measure) Forecast {
	ws, blind := waits(list, now, m)
	at := now.Unix()
	f := Forecast{Average: AverageOf(list, now, m), Answer: []string{}}
	f.Blind = blind
	var open []int
	for i, w := range ws {
		if w.to == 0 {
			open = append(open, i)
		}
	}
	if sum, _, _ := over(ws, at); sum > 0 {
		f.Over = true
		pick, stays := fewest(ws, open, at)
		f.Answer, f.Stays = names(ws, pick), stays
		f.Back = time.Unix(under(answered(ws, open, at), at), 0).UTC()
		return f
	}
	until, crosses := crossing(ws, at, at+2*window)
	if !crosses {
		return f
	}
	f.Until = time.Unix(until, 0).UTC()
	pick, stays := fewest(ws, open, until)
	f.Answer, f.Stays = names(ws, pick), stays
	return f
}

// crossing is the last second, from at on, before the average is above the duty; false where
// it is not before end. ws is ordered by when it was detected, and so by when it falls out.
func crossing(ws []wait, at, end int64) (int64, bool) {
	sum, _, open := over(ws, at)
	for i := 0; ; {
		for i < len(ws) && (ws[i].to == 0 || ws[i].from+window <= at) {
			i++
		}
		stop := end
		if i < len(ws) {
			stop = min(end, ws[i].from+window)
		}
		if sum > 0 {
			return at - 1, true
		}
		if open > 0 {
			if last := at + (-sum)/int64(open); last < stop-1 {
				return last, true
			}
		}
		if stop == end {
			return 0, false
		}
		sum, at = sum+int64(open)*(stop-at), stop
		for ; i < len(ws) && (ws[i].to == 0 || ws[i].from+window <= at); i++ {
			if ws[i].to != 0 {
				sum += duty - (ws[i].to - ws[i].from)
			}
		}
	}
}

// under is the first second, from at on, at which the average is not above the duty, where
// nothing waits.
func under(ws []wait, at int64) int64 {
	sum, _, _ := over(ws, at)
	for i, start := 0, at; sum > 0 && i < len(ws); {
		stop := ws[i].from + window
		if stop <= start {
			i++
			continue
		}
		for ; i < len(ws) && ws[i].from+window == stop; i++ {
			sum += duty - (ws[i].to - ws[i].from)
		}
		at = stop
	}
	return at
}

// answered are the waits after some were answered at a moment.
func answered(ws []wait, which []int, at int64) []wait {
	out := slices.Clone(ws)
	for _, i := range which {
		out[i].to = at
	}
	return out
}

// fewest are the fewest of open that, answered at a moment, keep the average under for a day
// from then; all of them, and false, where nothing does.
func fewest(ws []wait, open []int, at int64) ([]int, bool) {
	const exact, small = 12, 2000
	holds := func(pick []int) bool {
		_, crosses := crossing(answered(ws, pick, at), at, at+duty+1)
		return !crosses
	}
	if len(open) > exact || len(ws) > small {
		lo, hi := 0, len(open) // the oldest first
		for lo < hi {
			if mid := (lo + hi) / 2; holds(open[:mid]) {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		return open[:lo], holds(open[:lo])
	}
	var best []int
	found := false
	for set := range 1 << len(open) {
		var pick []int
		for i, n := range open {
			if set&(1<<i) != 0 {
				pick = append(pick, n)
			}
		}
		if found && len(pick) >= len(best) || !holds(pick) {
			continue
		}
		best, found = pick, true
	}
	if !found {
		return open, false
	}
	return best, true
}

func names(ws []wait, which []int) []string {
	out := []string{}
	for _, i := range which {
		out = append(out, ws[i].id)
	}
	return out
}
