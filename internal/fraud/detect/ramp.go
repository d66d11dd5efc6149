package detect

import (
	"cmp"
	"math"
	"slices"
)

// What a size must show to be one that was never here, and grows.
const (
	rampKnown = 10   // days that must be known before its first
	rampLeast = 6    // days for which it is used
	rampMost  = 60   // days after which it is no news any more
	rampLook  = 28   // days of which the pairs are compared
	rampPairs = 0.85 // of pairs of days, how many must grow
)

// group is the use of one size, or of one kind of computing without sizes, in all regions.
type group struct {
	size   word
	fam    family
	of     []int // series
	began  int   // the first bucket with use
	region []word
}

// groups are a view's use of what computes, by size.
func (u *usage) groups() []group {
	v := u.v
	if u.sizes != nil {
		return u.sizes
	}
	u.sizes = []group{}
	for i, x := range v.of {
		if !x.fam.computes() {
			continue
		}
		began := slices.IndexFunc(v.usd[i], func(usd float32) bool { return usd > 0 })
		if began < 0 {
			continue
		}
		at := slices.IndexFunc(u.sizes, func(g group) bool { return g.size == x.size && (x.size != 0 || g.fam == x.fam) })
		if at < 0 {
			u.sizes = append(u.sizes, group{size: x.size, fam: x.fam, began: began})
			at = len(u.sizes) - 1
		}
		g := &u.sizes[at]
		g.of, g.began = append(g.of, i), min(g.began, began)
		if !slices.Contains(g.region, x.region) {
			g.region = append(g.region, x.region)
		}
	}
	slices.SortFunc(u.sizes, func(a, b group) int {
		return cmp.Or(cmp.Compare(u.p.texts[a.size], u.p.texts[b.size]), cmp.Compare(a.fam, b.fam))
	})
	return u.sizes
}

// ramp weighs a size that was never used before, and grows for days or weeks: it is judged by
// itself, as it may be little beside what a large subscription costs.
func (u *usage) ramp(g *useSign, k int) {
	best := useSign{}
	for i := range u.groups() {
		x := &u.sizes[i]
		if x.began < rampKnown || k-x.began+1 < rampLeast || k-x.began >= rampMost {
			continue
		}
		one := useSign{at: g.at, sub: g.sub}
		if u.ramps(&one, x, k); one.score > best.score {
			best = one
		}
	}
	if best.score > g.score {
		*g = best
	}
}

func (u *usage) ramps(g *useSign, x *group, k int) {
	v := u.v
	vals := make([]float64, 0, rampMost)
	for d := x.began; d <= k; d++ {
		if v.total[d] <= 0 {
			continue // nothing is known of that day
		}
		sum := 0.0
		for _, i := range x.of {
			sum += float64(v.usd[i][d])
		}
		vals = append(vals, sum)
	}
	n := len(vals)
	if n < rampLeast {
		return
	}
	now, then := (vals[n-1]+vals[n-2]+vals[n-3])/3, (vals[0]+vals[1]+vals[2])/3
	g.excess, g.slow, g.size = now, true, x.size
	if now < 3*leastExcess || now < 1.5*then || !rising(vals[max(0, n-rampLook):]) {
		return
	}
	grew := now / max(then, 1)
	z := parseSize(u.p.texts[x.size])
	worth := u.worth(now, z.cores >= manyCores || z.gpus > 0)
	g.add(sigSlow, min(3, 1.7*math.Log2(grew))*worth, "%s, never used before, grew %s in %d days, to %s a day",
		first(z.name, "computing of this kind"), times(grew), k-x.began+1, money(now))
	known := trust(float64(x.began))
	g.add(sigNewMeters, 1.2*known*worth, "what grew are sizes and regions that were not used before")
	switch {
	case z.gpus > 0:
		g.add(sigUseGPU, 1.2*known, "machines with GPUs, of which none was used before")
	case z.cores >= 16:
		g.add(sigUseCores, grade(float64(z.cores), [2]float64{16, 0.4}, [2]float64{manyCores, 0.8})*known,
			"machines of %d cores, of a size never used before", z.cores)
	}
	before, _ := u.level(v.total, x.began-14, x.began)
	after, _ := u.level(v.total, k-2, k+1)
	if rest := after - now; rest < max(1.15*before, before+0.4*now) {
		g.add(sigLone, 1.5*known*worth, "nothing else grew")
	} else if rest > before*(1+0.5*(grew-1)) {
		g.add(sigLone, -2, "all else grew with it")
	}
	g.add(sigPersists, min(1, float64(n-3)/14), "it is used for %d days", n)
	g.add(sigAbsolute, grade(now, [2]float64{100, 0.5}, [2]float64{300, 1}), "that is %s a day above the usual", money(now))
	g.began = v.ends(x.began) - v.width()
}

// worth is how much growth counts by what it costs: ordinary machines for little money are
// seldom an abuse.
func (u *usage) worth(usd float64, large bool) float64 {
	if large {
		return 1
	}
	return min(1, 0.2+0.8*usd/250)
}

// rising reports that of nearly all pairs of days the later has more.
func rising(vals []float64) bool {
	more, all := 0, 0
	for i := range vals {
		for j := range i {
			all++
			if vals[i] > vals[j] {
				more++
			}
		}
	}
	return float64(more) >= rampPairs*float64(all)
}
