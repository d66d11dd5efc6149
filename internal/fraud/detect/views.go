package detect

import (
	"cmp"
	"slices"
)

// views are a subscription's use by the day, or by the hour, in about US dollars: added up over
// its meters, at the price that each had first.
type views struct {
	hourly  bool
	start   int32 // the first bucket
	n       int
	total   []float64
	compute []float64
	gpu     []float64
	of      []*series
	usd     [][]float32 // by series, from start on
	late    []lateLine  // of these series, by when they are known; bucket is of this view
}

// newViews adds up; daily views take hourly series, too. Buckets that end after asOf are not there.
func (p *Part) newViews(s *sub, hourly bool, o *Options, asOf int64) *views {
	v := &views{hourly: hourly}
	width := int64(daySeconds)
	if hourly {
		width = 3600
	}
	last := int32(asOf/width) - 1 // the last bucket that has ended
	end := v.start - 1
	for _, x := range s.series {
		if hourly && !x.hourly || len(x.q) == 0 {
			continue
		}
		from := int32(int64(x.start) * x.width() / width)
		to := int32((int64(x.start) + int64(len(x.q)) - 1) * x.width() / width)
		if len(v.of) == 0 {
			v.start, end = from, to
		}
		v.start, end = min(v.start, from), max(end, to)
		v.of = append(v.of, x)
	}
	end = min(end, last)
	if len(v.of) == 0 || end < v.start {
		return nil
	}
	v.start = max(v.start, end-int32(maxBuckets*3600/width)+1) // what is older says nothing of now
	v.n = int(end-v.start) + 1
	v.total, v.compute, v.gpu = make([]float64, v.n), make([]float64, v.n), make([]float64, v.n)
	v.usd = make([][]float32, len(v.of))
	flat := make([]float32, v.n*len(v.of))
	for i, x := range v.of {
		row := flat[i*v.n : (i+1)*v.n : (i+1)*v.n]
		v.usd[i] = row
		price := float32(x.price)
		shift := int64(1)
		if !hourly && x.hourly {
			shift = 24
		}
		for k, q := range x.q {
			if at := (int64(x.start)+int64(k))/shift - int64(v.start); at >= 0 && at < int64(v.n) {
				row[at] += q * price
			}
		}
		p.cover(s, x, o, row, v)
		v.sum(x, row)
	}
	v.takeLate(s, asOf)
	return v
}

func (v *views) sum(x *series, row []float32) {
	computes, gpu := x.fam.computes(), x.fam == famGPU
	for k, usd := range row {
		v.total[k] += float64(usd)
		if computes {
			v.compute[k] += float64(usd)
		}
		if gpu {
			v.gpu[k] += float64(usd)
		}
	}
}

// takeLate lines up what was rated late, in the order in which it could be known.
func (v *views) takeLate(s *sub, asOf int64) {
	for _, l := range s.late {
		x := s.series[l.series]
		i := int32(slices.Index(v.of, x))
		if i < 0 || l.known > asOf {
			continue
		}
		b := l.bucket
		if !v.hourly && x.hourly {
			b /= 24
		}
		if b -= v.start; int(b) < v.n && b >= 0 {
			v.late = append(v.late, lateLine{i, b, l.known, l.q * float32(x.price)})
		}
	}
	slices.SortStableFunc(v.late, func(a, b lateLine) int { return cmp.Compare(a.known, b.known) })
}

// apply adds what was known late, up to a moment, and gives the buckets it belongs to.
func (v *views) apply(until int64) (changed []int) {
	n := 0
	for _, l := range v.late {
		if l.known > until {
			break
		}
		n++
		x, k := v.of[l.series], int(l.bucket)
		v.usd[l.series][k] += l.q
		v.total[k] += float64(l.q)
		if x.fam.computes() {
			v.compute[k] += float64(l.q)
		}
		if x.fam == famGPU {
			v.gpu[k] += float64(l.q)
		}
		if !slices.Contains(changed, k) && len(changed) < 100 {
			changed = append(changed, k)
		}
	}
	v.late = v.late[n:]
	return changed
}

func (v *views) width() int64 {
	if v.hourly {
		return 3600
	}
	return daySeconds
}

// ends is when a bucket is over.
func (v *views) ends(k int) int64 { return (int64(v.start) + int64(k) + 1) * v.width() }

// perDay is how many buckets a day has.
func (v *views) perDay() int {
	if v.hourly {
		return 24
	}
	return 1
}

// block is how many hours of an hourly view are looked at together.
const block = 6

// sumAt is what was used in the block that ends with bucket k, as of a day; ok is false where
// nothing at all is known of it.
func (v *views) sumAt(of []float64, k int) float64 {
	if !v.hourly {
		return of[k]
	}
	sum := 0.0
	for i := max(0, k-block+1); i <= k; i++ {
		sum += of[i]
	}
	return sum * 24 / block
}

// seriesAt is sumAt of one series.
func (v *views) seriesAt(i, k int) float64 {
	if !v.hourly {
		return float64(v.usd[i][k])
	}
	sum := float32(0)
	for b := max(0, k-block+1); b <= k; b++ {
		sum += v.usd[i][b]
	}
	return float64(sum) * 24 / block
}

// starts is when the use of a series began, of what has been used since bucket k-4 days.
func (v *views) starts(i, k int) int64 {
	for b := max(0, k-5*v.perDay()); b <= k; b++ {
		if v.usd[i][b] > 0 {
			return v.ends(b) - v.width()
		}
	}
	return 0
}

// anyBetween reports use of a series in buckets [from, to).
func (v *views) anyBetween(i, from, to int) bool {
	for k := max(0, from); k < min(to, v.n); k++ {
		if v.usd[i][k] > 0 {
			return true
		}
	}
	return false
}
