package detect

import (
	"math"
	"slices"
)

// Days of what is compared for growth in small steps.
const (
	slowRecent = 3  // days whose median is now
	slowGap    = 14 // days between now and then at least
	slowBase   = 28 // days whose median was then
	slowNeed   = 12 // days that must be known of then
)

// slow weighs growth in small steps: each day is within the band of the days before, and after
// weeks it is a multiple.
func (u *usage) slow(g *useSign, k, days int) {
	v := u.v
	if v.hourly || days < slowGap+slowNeed {
		return
	}
	then, n := u.level(v.compute, k-slowGap-slowBase, k-slowGap)
	now, _ := u.level(v.compute, k-slowRecent+1, k+1)
	all, _ := u.level(v.total, k-slowGap-slowBase, k-slowGap)
	g.excess = now - then
	if n < slowNeed || g.excess < 1.5*leastExcess || now < 1.4*then || g.excess < 0.25*all {
		return
	}
	if u.largestRise(k) > 0.45*g.excess {
		return // it came at once, which is a jump
	}
	g.slow = true
	worth := u.worth(g.excess, u.large(k))
	grew := now / max(then, 0.1*all, 1)
	g.add(sigSlow, min(4, 1.7*math.Log2(max(1, grew)))*worth, "computing grew %s in small steps, from %s to %s a day", times(now/max(then, 1)),
		money(then), money(now))
	restThen := all - then
	restNow, _ := u.rest(k-slowRecent+1, k+1)
	if restThen >= 1 {
		switch other := math.Log(max(restNow, 0.01) / restThen); {
		case other > 0.5*math.Log(max(grew, 1.01)):
			g.add(sigLone, -2, "all else grew with it")
		case other < 0.2*math.Log(max(grew, 1.01)) && other < 0.25:
			g.add(sigLone, 1.5*worth, "nothing else grew")
		}
	}
	u.fresh(g, k, worth)
	if before, _ := u.level(v.compute, k-9, k-6); now < 1.05*before {
		g.add(sigStopped, -1.5, "it grows no more")
	}
	earlier, n := u.level(v.compute, k-slowGap-2*slowBase, k-slowGap-slowBase)
	if n >= slowNeed && then > 1.25*earlier {
		g.add(sigOrganic, -1.5, "it grew %s in the four weeks before that, too", times(then/max(earlier, 1)))
	}
	g.add(sigAbsolute, grade(g.excess, [2]float64{100, 0.5}, [2]float64{300, 1}), "that is %s a day above the usual", money(g.excess))
}

// fresh weighs how much of the growth is of what was not here; worth is how much growth counts.
func (u *usage) fresh(g *useSign, k int, worth float64) {
	v := u.v
	then := k - slowGap - 7
	share, cores, gpu := 0.0, 0, false
	regions, new := map[word]bool{}, map[word]bool{}
	for i, x := range v.of {
		if !x.fam.computes() {
			continue
		}
		if v.anyBetween(i, 0, then) {
			regions[x.region] = true
			continue
		}
		if y := float64(v.usd[i][k]); y > 0 {
			share += y
			new[x.region] = true
			cores = max(cores, parseSize(u.p.texts[x.size]).cores)
			gpu = gpu || x.fam == famGPU
		}
	}
	if share < 0.6*g.excess {
		return
	}
	g.add(sigNewMeters, 1.2*worth, "what grew are sizes and regions that were not used before")
	for r := range new {
		if r != 0 && !regions[r] {
			g.regions = append(g.regions, u.p.texts[r])
		}
	}
	slices.Sort(g.regions)
	if len(g.regions) > 0 {
		g.add(sigUseRegion, grade(float64(len(g.regions)), byRegions...), "computing in %s, where none was used before", list(g.regions, 6))
	}
	switch {
	case gpu:
		g.add(sigUseGPU, 1.2, "machines with GPUs, of which none was used before")
	case cores >= 16:
		g.add(sigUseCores, 0.6, "machines of %d cores, of which none was used before", cores)
	}
}

// large reports that machines of many cores or with GPUs are used, which were not used before.
func (u *usage) large(k int) bool {
	then := k - slowGap - 7
	return slices.ContainsFunc(u.groups(), func(x group) bool {
		z := parseSize(u.p.texts[x.size])
		return x.began > then && x.began <= k && (z.cores >= manyCores || z.gpus > 0)
	})
}

// largestRise is how much of the growth came from a day to the next, as it stayed.
func (u *usage) largestRise(k int) (most float64) {
	for d := max(1, k-slowGap-slowBase/2); d+1 <= k; d++ {
		before, _ := u.level(u.v.compute, d-2, d)
		after, _ := u.level(u.v.compute, d, d+2)
		most = max(most, after-before)
	}
	return most
}

// level is the median of the known days of [from, to), and how many there are.
func (u *usage) level(of []float64, from, to int) (float64, int) {
	vals := u.vals[:0]
	for k := max(0, from); k < to; k++ {
		if u.v.total[k] > 0 {
			vals = append(vals, of[k])
		}
	}
	u.vals = vals
	if len(vals) == 0 {
		return 0, 0
	}
	return middle(vals), len(vals)
}

// rest is level of what is no computing.
func (u *usage) rest(from, to int) (float64, int) {
	vals := u.vals[:0]
	for k := max(0, from); k < to; k++ {
		if u.v.total[k] > 0 {
			vals = append(vals, u.v.total[k]-u.v.compute[k])
		}
	}
	u.vals = vals
	if len(vals) == 0 {
		return 0, 0
	}
	return middle(vals), len(vals)
}
