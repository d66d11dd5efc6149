package detect

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// useSign is what a moment's use shows of a subscription, before it is known who made it.
type useSign struct {
	at       int64 // when the bucket was over, or its line known
	sub      word
	evidence []Evidence
	score    float64
	excess   float64 // dollars a day above the usual
	slow     bool
	regions  []string
	first    int64
	size     word  // that grew; 0: it is of several, or not known
	began    int64 // when what is new in it began; 0: nothing is
}

// Limits of what use is looked at.
const (
	leastExcess = 10.0 // dollars a day above the usual: less is no abuse worth a person's look
	keptScore   = 2.0  // signs below are not worth remembering
	historyDays = 90
	bandDays    = 28
)

// useSigns looks through a subscription's use, from since on.
func (p *Part) useSigns(s *sub, o *Options, since, asOf int64) (out []useSign) {
	for _, hourly := range []bool{true, false} {
		if len(o.Windows) == 0 && len(s.late) == 0 && s.nothingNew(hourly, since, asOf) {
			continue
		}
		v := p.newViews(s, hourly, o, asOf)
		if v == nil {
			continue
		}
		u := &usage{p: p, s: s, v: v}
		for k := range v.n {
			at := v.ends(k)
			late := v.apply(at)
			if len(late) > 0 {
				u.sizes = nil
			}
			for _, c := range late {
				if c < k && at >= since {
					out = u.look(out, c, at)
				}
			}
			if at >= since {
				out = u.look(out, k, at)
			}
		}
		for len(v.late) > 0 {
			at := v.late[0].known
			u.sizes = nil
			for _, c := range v.apply(at) {
				if at >= since {
					out = u.look(out, c, at)
				}
			}
		}
	}
	return out
}

// mostNew is how many hours are looked at before all that is known is added up.
const mostNew = 48

// nothingNew says quickly that what came since is within what was seen on the days before, so
// that one new hour needs no look at all of them.
func (s *sub) nothingNew(hourly bool, since, asOf int64) bool {
	if !hourly {
		return since/daySeconds == asOf/daySeconds && since > 0
	}
	from, to := since/3600, asOf/3600
	if since <= 0 || to-from > mostNew {
		return false
	}
	for h := from; h < to; h++ {
		x, seen := s.hours(h), 0
		for d := int64(1); d <= bandDays && seen < 2; d++ {
			if x <= 1.3*s.hours(h-24*d) {
				seen++
			}
		}
		if seen < 2 && x >= leastExcess {
			return false
		}
	}
	return true
}

// hours is what was used by the hour in the block that ends with an hour, for a day.
func (s *sub) hours(h int64) (sum float64) {
	for _, x := range s.series {
		if !x.hourly {
			continue
		}
		for k := max(0, h-block+1-int64(x.start)); k < min(int64(len(x.q)), h+1-int64(x.start)); k++ {
			sum += float64(x.q[k]) * x.price
		}
	}
	return sum * 24 / block
}

// usage looks at one subscription's use.
type usage struct {
	p    *Part
	s    *sub
	v    *views
	vals []float64 // scratch

	sizes []group // of v; nil: not yet known
}

// look judges one bucket.
func (u *usage) look(out []useSign, k int, at int64) []useSign {
	v := u.v
	x := v.sumAt(v.total, k)
	if x < leastExcess {
		return out
	}
	days := k / v.perDay()
	sign := useSign{at: at, sub: u.s.id}
	if u.quiet(k, x, days) {
		if v.hourly {
			return out
		}
		u.slow(&sign, k, days)
		u.ramp(&sign, k)
	} else {
		u.jump(&sign, k, x, days)
		if !v.hourly && sign.score < DefaultScore {
			slow := useSign{at: at, sub: u.s.id}
			u.slow(&slow, k, days)
			u.ramp(&slow, k)
			if slow.score > sign.score {
				sign = slow
			}
		}
	}
	if sign.score < keptScore {
		return out
	}
	sign.first = at - v.width()
	return append(out, sign)
}

// quiet says quickly that a bucket is within what was seen on the days before.
func (u *usage) quiet(k int, x float64, days int) bool {
	step := u.v.perDay()
	seen := 0
	for d := 1; d <= min(days, bandDays); d++ {
		if x <= 1.3*u.v.sumAt(u.v.total, k-d*step) {
			if seen++; seen == 2 {
				return true
			}
		}
	}
	return false
}

// band is what is usual for a bucket: the median of 28 days and what is still usual.
func (u *usage) band(of []float64, k, days int) (median, top float64, n int) {
	step, vals := u.v.perDay(), u.vals[:0]
	weekday, first, second := 0.0, 0.0, 0.0
	for d := 1; d <= min(days, historyDays); d++ {
		y := u.v.sumAt(of, k-d*step)
		if y <= 0 && u.v.sumAt(u.v.total, k-d*step) <= 0 {
			continue // nothing is known of that day
		}
		if d <= bandDays {
			vals = append(vals, y)
			if d%7 == 0 {
				weekday = max(weekday, y)
			}
		}
		if y > first {
			first, second = y, first
		} else if y > second {
			second = y
		}
	}
	u.vals = vals
	if len(vals) == 0 {
		return 0, 0, 0
	}
	median = middle(vals)
	for i := range vals {
		vals[i] = math.Abs(vals[i] - median)
	}
	spread := 1.4826 * middle(vals)
	if d := min(days, historyDays); d < 7 { // too little is known to trust one large day
		second = first
	}
	return median, max(1.3*median, median+4*spread, 1.15*second, 1.1*weekday), len(vals)
}

// middle is the median; it sorts.
func middle(vals []float64) float64 {
	slices.Sort(vals)
	n := len(vals)
	if n%2 == 1 {
		return vals[n/2]
	}
	return (vals[n/2-1] + vals[n/2]) / 2
}

func (g *useSign) add(sig Signal, w float64, format string, args ...any) {
	if w = round(w); w == 0 {
		return
	}
	g.score += w
	g.evidence = append(g.evidence, Evidence{Signal: string(sig), Text: fmt.Sprintf(format, args...), At: time.Unix(g.at, 0).UTC(), Weight: w,
		Source: "usage"})
}

// jump weighs a bucket that is over the usual band.
func (u *usage) jump(g *useSign, k int, x float64, days int) {
	median, top, n := u.band(u.v.total, k, days)
	g.excess = x - median
	if g.excess < leastExcess {
		return
	}
	known := trust(float64(days)) * min(1, float64(n)/10)
	if ratio := x / max(top, leastExcess); ratio > 1.2 && known > 0 {
		g.add(sigJump, known*min(4.8, 1.6*math.Log(ratio)+0.4), "cost ran at %s a day, where %s is usual and up to %s was seen", money(x),
			money(median), money(top))
	}
	g.add(sigAbsolute, grade(g.excess, [2]float64{300, 0.5}, [2]float64{1000, 1}, [2]float64{5000, 2}), "that is %s a day above the usual", money(g.excess))
	u.composition(g, k, days, known)
	u.beside(g, k, days, known)
}

// composition weighs what the use is of: GPUs, regions, large machines, kinds of computing.
func (u *usage) composition(g *useSign, k, days int, known float64) {
	v, step := u.v, u.v.perDay()
	least := max(5, 0.1*g.excess)
	old := k - 4*step // what began since is new
	regions, sizes, fresh := map[word]bool{}, map[word]map[word]bool{}, map[word]float64{}
	before := map[family]bool{}
	largest, cores, gpu, services := 0, 0, 0.0, 0.0
	for i, x := range v.of {
		if !x.fam.computes() {
			continue
		}
		z := parseSize(u.p.texts[x.size])
		now := v.seriesAt(i, k)
		if v.anyBetween(i, old-historyDays*step, old) {
			regions[x.region], before[x.fam] = true, true
			largest = max(largest, z.cores)
			continue
		}
		if now <= 0 {
			continue
		}
		fresh[x.region] += now
		if at := v.starts(i, k); now >= 0.3*g.excess && (g.began == 0 || at > g.began) {
			g.began = at
		}
		if sizes[x.size] == nil {
			sizes[x.size] = map[word]bool{}
		}
		sizes[x.size][x.region] = true
		switch x.fam {
		case famGPU:
			gpu += now
		case famServices, famAI:
			services += now
		}
		if now >= least {
			cores = max(cores, z.cores)
		}
	}
	if gpu >= least {
		w := 0.5
		if !before[famGPU] {
			w += known
		}
		g.add(sigUseGPU, w, "machines with GPUs for %s a day, of which none was used before", money(gpu))
	} else if cores >= manyCores && cores > largest {
		g.add(sigUseCores, 0.8*known, "machines of %d cores, where the largest had %d", cores, largest)
	}
	if services >= least && !before[famServices] && !before[famAI] {
		g.add(sigUseType, 0.8*known, "containers, batches, machine learning or models for %s a day, of which none was used before", money(services))
	}
	for r, usd := range fresh {
		if r != 0 && !regions[r] && usd >= max(3, 0.02*g.excess) {
			g.regions = append(g.regions, u.p.texts[r])
		}
	}
	slices.Sort(g.regions)
	if n := len(g.regions); n > 0 {
		g.add(sigUseRegion, known*grade(float64(n), byRegions...), "computing in %s, where none was used in %s", list(g.regions, 6), span(days))
	}
	for z, in := range sizes {
		if len(in) >= 3 {
			g.add(sigUseSpread, grade(float64(len(in)), [2]float64{3, 1}, [2]float64{5, 1.5}), "%s started in %d regions at once",
				first(u.p.texts[z], "the same size"), len(in))
			break
		}
	}
}

// beside weighs what else grows, and whether it stays.
func (u *usage) beside(g *useSign, k, days int, known float64) {
	v, step := u.v, u.v.perDay()
	usual, _, _ := u.band(v.compute, k, days)
	now := v.sumAt(v.compute, k)
	rest := v.sumAt(v.total, k) - now
	median, _, _ := u.band(v.total, k, days)
	before := max(0, median-usual)
	grew := now / max(usual, 1)
	switch {
	case grew < 1.2: // it is no computing
		return
	case before >= 1 && rest/before >= 1+0.6*(grew-1):
		g.add(sigLone, -1.2*known, "all else grew with it")
	case before >= 1 && rest/before < 1.15 && grew > 2:
		g.add(sigLone, 0.8*known, "computing grew %s, and nothing else did", times(grew))
	}
	stays := 0
	for d := 1; d <= 3 && d <= days; d++ {
		if v.sumAt(v.total, k-d*step) >= 0.7*v.sumAt(v.total, k) {
			stays++
		}
	}
	if stays > 0 {
		g.add(sigPersists, known*min(1, 0.5*float64(stays)), "it has stayed for %d days", stays+1)
	}
}
