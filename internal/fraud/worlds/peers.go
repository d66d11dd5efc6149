package worlds

import (
	"math"
	"slices"
	"strings"
)

// made are the operations that Microsoft's guidance and others' alert rules count.
var made = []string{"Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachineScaleSets/write", "Microsoft.Batch/batchAccounts/pools/write",
	"Microsoft.MachineLearningServices/workspaces/computes/write", "Microsoft.ContainerInstance/containerGroups/write"}

// Series is what simple detectors look at: of one subscription what a day cost, in euros by the
// list's price, and how much was made in an hour.
type Series struct {
	Subscription string
	First        int // day on which it begins
	Cost         []float64
	Rated        []bool // there was use on the day
	Made         []int
	median       []float64 // of the 28 days before each day
}

// SeriesOf reduces a world.
func SeriesOf(w *World) []*Series {
	by := map[string]*Series{}
	var all []*Series
	for _, s := range w.subscriptions() {
		x := &Series{Subscription: s.ID, First: max(0, s.From/24), Cost: make([]float64, w.Days), Rated: make([]bool, w.Days), Made: make([]int, w.hours())}
		by[s.ID], all = x, append(all, x)
	}
	for l := range w.Lines {
		x := by[l.Subscription()]
		x.Cost[l.from/24] += float64(l.qty*l.meter.price/million) / million
		x.Rated[l.from/24] = true
	}
	for _, a := range w.acts {
		if !a.sub.blind && slices.ContainsFunc(made, func(op string) bool { return strings.EqualFold(op, a.op) }) {
			by[a.sub.ID].Made[w.hourOf(a.at)]++
		}
	}
	for _, x := range all {
		for day := range w.Days {
			x.median = append(x.median, median(x.Cost[min(day, max(x.First, day-28)):day]))
		}
	}
	return all
}

// Thresholds is a peer: so many creations an hour, or a day that costs so many times the median
// of the 28 days before it and so many euros more.
type Thresholds struct {
	Made  int
	Times float64
	Euros float64
}

// Advised is what Microsoft's guidance and the usual budget alert say.
var Advised = Thresholds{Made: 10, Times: 2}

// Look is what the peer finds.
func (p Thresholds) Look(w *World, all []*Series) (out []Found) {
	for _, s := range all {
		for h, n := range s.Made {
			if n >= p.Made {
				out = append(out, Found{s.Subscription, w.hour(h + 1)})
			}
		}
		for day := s.First + 7; day < w.Days; day++ {
			if !s.Rated[day] {
				continue
			}
			m := s.median[day]
			if s.Cost[day] > p.Times*m && s.Cost[day] > m+p.Euros {
				out = append(out, Found{s.Subscription, w.hour(24 * (day + 1))})
			}
		}
	}
	return out
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	if len(of) == 0 {
		return 0
	}
	return of[len(of)/2]
}

// EWMA is a peer: a moving mean and variance of both series, and an alarm so many deviations
// above; what is less than some euros or creations more is not told.
type EWMA struct {
	Alpha, Deviations float64
	Euros             float64
	Made              int
}

// Look is what the peer finds.
func (p EWMA) Look(w *World, all []*Series) (out []Found) {
	for _, s := range all {
		out = append(out, p.alarms(s, w, s.Cost[s.First:], s.Rated[s.First:], 7, 24, p.Euros)...)
		counts := make([]float64, 0, len(s.Made))
		for _, n := range s.Made[24*s.First:] {
			counts = append(counts, float64(n))
		}
		out = append(out, p.alarms(s, w, counts, nil, 7*24, 1, float64(p.Made))...)
	}
	return out
}

func (p EWMA) alarms(s *Series, w *World, of []float64, there []bool, warm, step int, least float64) (out []Found) {
	mean, variance, n := 0.0, 0.0, 0
	for i, x := range of {
		if there != nil && !there[i] {
			continue
		}
		off := x - mean
		if n > warm && off > p.Deviations*math.Sqrt(variance) && off >= least {
			out = append(out, Found{s.Subscription, w.hour(24*s.First + (i+1)*step)})
		}
		if n == 0 {
			mean = x
		} else {
			mean += p.Alpha * off
			variance = (1 - p.Alpha) * (variance + p.Alpha*off*off)
		}
		n++
	}
	return out
}
