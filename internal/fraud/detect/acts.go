package detect

import (
	"fmt"
	"slices"
	"time"
)

// sum is what somebody made in a subscription in the last days, added up.
type sum struct {
	count       int // machines
	most        int // in an hour
	cores, gpus int
	largest     int // cores of one machine
	spread      int // most regions within six hours
	perDay      float64
	regions     map[word]bool
	kinds       map[actKind]bool
	sizes       map[word]int
	resources   []string
	first, last int64
}

// lines gathers evidence of one moment.
type lines struct {
	at   int64
	list []Evidence
}

func (l *lines) add(sig Signal, source string, at int64, w float64, format string, args ...any) {
	if w = round(w); w != 0 {
		l.list = append(l.list, Evidence{Signal: string(sig), Text: fmt.Sprintf(format, args...), At: moment(at), Weight: w, Source: source})
	}
}

func (l *lines) has(sig Signal) bool {
	return slices.ContainsFunc(l.list, func(e Evidence) bool { return e.Signal == string(sig) })
}

func (l *lines) score() (s float64) {
	for _, e := range l.list {
		s += e.Weight
	}
	return round(s)
}

// acted judges what a caller did in a subscription, as of a moment.
func (w *walk) acted(a *act, at int64) {
	st := w.state(a.sub)
	who := w.id(a.caller)
	made := w.added(st, who, at)
	l := &lines{at: at}
	odd := w.who4(l, a, who, at)
	for i := len(st.built) - 1; i >= 0 && st.built[i].at == at; i-- {
		if b := &st.built[i]; &w.p.acts[b.act] == a {
			b.odd = odd
		}
	}
	if made.count > 0 {
		w.what(l, st, made, odd, at)
	}
	w.around(l, st, who, made, at)
	score := l.score()
	if score > st.lastAct || at > st.actAt+7*daySeconds {
		st.lastAct, st.actAt = score, at
	}
	if made.count == 0 && score < w.o.Score+2 && !(l.has(sigQuota) && score >= w.o.Score+0.2) {
		return // what nobody made anything by is a finding only when it is plain
	}
	if score >= w.o.Score {
		w.raise(raising{sub: a.sub, at: at, score: score, evidence: l.list, made: made, who: who, kind: kindOf(l.list, made)})
	}
}

// added adds up what somebody made lately.
func (w *walk) added(st *state, who word, at int64) *sum {
	m := &sum{regions: map[word]bool{}, kinds: map[actKind]bool{}, sizes: map[word]int{}}
	hour, six := map[int64]int{}, map[int64]map[word]bool{}
	for i := len(st.made) - 1; i >= 0; i-- {
		x := &st.made[i]
		a := &w.p.acts[x.act]
		if x.covered || x.began < at-keepMade || w.id(a.caller) != who {
			continue
		}
		m.count += x.count
		hour[x.began/3600] += x.count
		m.most = max(m.most, hour[x.began/3600], hour[x.began/3600]+hour[x.began/3600+1]*int(60-(x.began%3600)/60)/60)
		m.first, m.last = earliest(m.first, x.began), max(m.last, x.at)
		m.kinds[a.kind] = true
		if a.told != 0 && a.told <= at && a.region != 0 {
			m.regions[a.region] = true
			b := x.began / (6 * 3600)
			for _, k := range []int64{b, b + 1} {
				if six[k] == nil {
					six[k] = map[word]bool{}
				}
				six[k][a.region] = true
			}
		}
		if a.sized != 0 && a.sized <= at && a.size != 0 {
			z := parseSize(w.p.texts[a.size])
			m.cores += z.cores * x.count
			m.gpus += z.gpus * x.count
			m.largest = max(m.largest, z.cores)
			m.perDay += z.hour * 24 * float64(x.count)
			m.sizes[a.size] += x.count
		}
		if len(m.resources) < 50 && a.resource != 0 {
			m.resources = append(m.resources, w.p.texts[a.resource])
		}
	}
	for _, r := range six {
		m.spread = max(m.spread, len(r))
	}
	return m
}

// past is the most that a subscription saw on days before what counts together now.
func (st *state) past(at int64) (most, spread int, perDay float64) {
	for day, k := range st.peaks {
		if day < (at-keepMade)/daySeconds {
			most, spread, perDay = max(most, k.most), max(spread, len(k.regions)), max(perDay, k.day)
		}
	}
	return most, spread, perDay
}

// what weighs what was made.
func (w *walk) what(l *lines, st *state, m *sum, odd float64, at int64) {
	history := w.historyOf(st.id, at)
	known := trust(history)
	most, spread, day := st.past(at)
	if m.most >= 6 && m.most > 2*most {
		wt := grade(float64(m.most), [2]float64{6, 0.6}, [2]float64{10, 1.2}, [2]float64{30, 1.7}, [2]float64{100, 2.2})
		if l.has(sigCaller) && m.most >= 10 {
			wt += 0.6
		}
		l.add(sigRate, "activity", m.last, wt, "%d machines were made within an hour, where the most was %d", m.most, most)
	}
	wide := 1.0
	if m.gpus == 0 && m.largest < 16 && m.perDay > 0 && m.perDay < 200 && odd < 0.5 && l.has(sigFamiliar) {
		wide = 0.5 // a service that is put near its users, by who is known for it
	}
	fresh := w.freshRegions(st.id, m.regions, at)
	if n := len(fresh); n > 0 {
		l.add(sigRegion, "activity", m.last, wide*known*grade(float64(n), byRegions...), "%s in %s, where nothing ran in %s", w.what4(m), list(fresh, 6),
			span(int(history)))
	}
	if m.spread >= 3 && m.spread > spread {
		l.add(sigSpread, "activity", m.last, wide*grade(float64(m.spread), [2]float64{3, 1}, [2]float64{5, 2}),
			"machines were made in %d regions within six hours", m.spread)
	}
	if m.gpus > 0 && !w.hadGPU(st, at) {
		l.add(sigGPU, "activity", m.last, 0.5+known, "%d GPUs, of which there were none here", m.gpus)
	} else if m.largest >= manyCores && m.gpus == 0 && m.largest > w.largest(st, at) {
		l.add(sigCores, "activity", m.last, 0.8*known, "machines of %d cores, larger than any here", m.largest)
	}
	for k := range m.kinds {
		if first := st.kinds[k]; first >= at-keepMade && k != actMachine {
			l.add(sigType, "activity", first, known, "%s, which were never here", kindWords[k])
			break
		}
	}
	usual, ok := w.usual(st.id, at)
	switch base := max(usual, day, 5); {
	case ok || day > 0:
		l.add(sigMass, "activity", m.last, grade(m.perDay/base, byMass...), "it costs about %s a day, where %s is usual", money(m.perDay), money(usual))
	case m.perDay >= 500:
		l.add(sigMass, "activity", m.last, grade(m.perDay, [2]float64{500, 0.7}, [2]float64{2000, 1.5}),
			"it costs about %s a day, and no use is known to compare it with",
			money(m.perDay))
	}
	l.add(sigMoney, "activity", m.last, grade(m.perDay, [2]float64{2000, 0.7}, [2]float64{10000, 1.4}, [2]float64{50_000, 2}),
		"that is %s a day at list price", money(m.perDay))
}

// freshRegions are those in which nothing ran in the 90 days before.
func (w *walk) freshRegions(sub word, regions map[word]bool, at int64) (out []string) {
	s := w.p.subs[sub]
	to := (at - keepMade) / daySeconds
	for r := range regions {
		if b := s.regions[r]; b != nil && b.any(to-historyDays, to) {
			continue
		}
		if !s.usedIn(r, to-historyDays, to) {
			out = append(out, w.p.texts[r])
		}
	}
	slices.Sort(out)
	return out
}

// usedIn reports computing in a region on days [from, to).
func (s *sub) usedIn(region word, from, to int64) bool {
	for _, x := range s.series {
		if x.region != region || !x.fam.computes() {
			continue
		}
		per := daySeconds / x.width()
		lo, hi := max(0, from*per-int64(x.start)), min(int64(len(x.q)), to*per-int64(x.start))
		for k := lo; k < hi; k++ {
			if x.q[k] > 0 {
				return true
			}
		}
	}
	return false
}

// hadGPU reports GPUs before what counts together now.
func (w *walk) hadGPU(st *state, at int64) bool {
	for z, first := range st.sizes {
		if first < at-keepMade && parseSize(w.p.texts[z]).gpus > 0 {
			return true
		}
	}
	return w.anySeries(st.id, at, func(x *series) bool { return x.fam == famGPU })
}

// largest is the largest machine before what counts together now.
func (w *walk) largest(st *state, at int64) (cores int) {
	for z, first := range st.sizes {
		if first < at-keepMade {
			cores = max(cores, parseSize(w.p.texts[z]).cores)
		}
	}
	w.anySeries(st.id, at, func(x *series) bool {
		cores = max(cores, parseSize(w.p.texts[x.size]).cores)
		return false
	})
	return cores
}

// anySeries reports a series that was used before what counts together now.
func (w *walk) anySeries(sub word, at int64, is func(*series) bool) bool {
	for _, x := range w.p.subs[sub].series {
		if int64(x.start)*x.width() < at-keepMade-daySeconds && len(x.q) > 0 && is(x) {
			return true
		}
	}
	return false
}

// around weighs what happened around it: refusals, quotas, guards that were taken away.
func (w *walk) around(l *lines, st *state, who word, m *sum, at int64) {
	regions, n, last := map[word]bool{}, 0, int64(0)
	for i := len(st.refused) - 1; i >= 0 && st.refused[i].at >= at-daySeconds; i-- {
		if r := st.refused[i]; w.id(r.who) == who {
			n++
			regions[r.region] = true
			last = max(last, r.at)
		}
	}
	if n > 0 {
		wt := grade(float64(len(regions)), [2]float64{1, 0.4}, [2]float64{2, 1.2}, [2]float64{3, 2}) + grade(float64(n), [2]float64{10, 0.5})
		l.add(sigRefused, "activity", last, wt, "%d requests were refused for want of quota or of the size, in %d regions", n, len(regions))
	}
	n, last, regions = 0, 0, map[word]bool{}
	for _, i := range w.raised[st.id] {
		if a := &w.p.acts[i]; a.at <= at && a.at >= at-7*daySeconds && w.id(a.caller) == who && !w.o.covers(w.p, a) {
			n++
			last = max(last, a.at)
			if a.told != 0 && a.told <= at {
				regions[a.region] = true
			}
		}
	}
	if n > 0 {
		l.add(sigQuota, "activity", last, 0.8+grade(float64(max(len(regions), n)), [2]float64{2, 0.5}, [2]float64{3, 1}, [2]float64{5, 1.6}),
			"quotas were to be raised %d times in the week before", n)
	}
	n, last = 0, 0
	for _, i := range w.blinded[st.id] {
		if a := &w.p.acts[i]; a.at <= at && a.at >= at-keepMade && w.id(a.caller) == who {
			n++
			last = max(last, a.at)
		}
	}
	if n > 0 {
		l.add(sigBlinding, "activity", last, grade(float64(n), [2]float64{1, 0.8}, [2]float64{3, 1.5}),
			"%d locks, alerts, diagnostics or policies were taken away", n)
	}
}

// what4 says in words what was made.
func (w *walk) what4(m *sum) string {
	size, n := word(0), 0
	for z, k := range m.sizes {
		if k > n || k == n && w.p.texts[z] < w.p.texts[size] {
			size, n = z, k
		}
	}
	if size == 0 {
		return fmt.Sprintf("%d machines", m.count)
	}
	what := fmt.Sprintf("%d %s machines", n, parseSize(w.p.texts[size]).name)
	if m.count > n {
		what = fmt.Sprintf("%d machines, %d of them %s,", m.count, n, parseSize(w.p.texts[size]).name)
	}
	if took := time.Duration(m.last-m.first) * time.Second; m.count > 1 && took < 24*time.Hour {
		what += " within " + lasted(took)
	}
	return what
}

func lasted(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "two minutes"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	}
	return fmt.Sprintf("%d hours", int(d.Hours()))
}

// kindWords say what acts make.
var kindWords = map[actKind]string{actScaleSet: "scale sets", actContainer: "container instances", actBatch: "pools of Batch",
	actLearning: "computers of machine learning", actCluster: "clusters", actAI: "models"}

// kindOf says what a finding is, by what weighs most.
func kindOf(list []Evidence, m *sum) Kind {
	best, most := "", 0.0
	for _, e := range list {
		if e.Weight > most {
			best, most = e.Signal, e.Weight
		}
	}
	switch {
	case m == nil:
		return KindUse
	case m.gpus > 0:
		return KindGPU
	case m.kinds[actBatch] || m.kinds[actLearning] || m.kinds[actContainer] || m.kinds[actCluster] || m.kinds[actAI]:
		return KindServices
	case best == string(sigQuota) || best == string(sigRefused):
		return KindQuota
	case m.count == 0:
		return KindIdentity
	}
	return KindMachines
}
