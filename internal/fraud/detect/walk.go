package detect

import (
	"math"
	"slices"
	"time"
)

// walk goes through a customer's time, and knows at each moment what was known then.
type walk struct {
	p     *Part
	o     *Options
	use   []useSign
	subs  map[word]*state
	who   map[word]*actor
	given map[word][]gift // to whom rights, credentials and proofs were given
	open  map[word]int    // the finding of a subscription that is not over
	list  []Finding
	began int64 // the first record of the customer

	workDay int64
	work    [24]int // hours of the customer's people, as of workDay

	raised  map[word][]int32 // acts of quotas, by subscription
	blinded map[word][]int32 // acts that took guards away
	elevate []int32
}

// state is a subscription as it is known at a moment.
type state struct {
	id      word
	made    []made         // what was made in the last days, oldest first
	known   map[word]word  // resources, and the size they had
	counts  map[word]int32 // of scale sets
	sizes   map[word]int64 // sizes, and when each was first made
	kinds   map[actKind]int64
	peaks   map[int64]*peak // by day
	refused []refusal
	built   []built
	lastAct float64 // the highest score of acts, and when
	actAt   int64
	median  float64 // of a day's cost, as of medianAt
	medAt   int64
}

// built is what somebody made, in dollars a day: it explains use for weeks.
type built struct {
	at    int64
	who   word
	usd   float64
	act   int32
	size  word
	odd   float64 // of who made it, from where and when
	large bool    // machines of many cores, or with GPUs
}

// builtBack is how long what was made explains that use grew.
const builtBack = 35 * daySeconds

// made is what one act made.
type made struct {
	act     int32
	at      int64 // as it is known
	began   int64
	count   int
	had     int32 // of a scale set, before
	covered bool
}

// refusal is an act that failed for want of room.
type refusal struct {
	at     int64
	who    word
	region word
}

// peak is the most that a day saw, to know what is usual.
type peak struct {
	hour    map[int64]int
	most    int
	regions map[word]bool
	day     float64 // dollars a day of what was made
}

// actor is somebody as known at a moment.
type actor struct {
	tainted int // 1 + the index of its finding
}

// gift is something given to somebody.
type gift struct {
	at  int64
	act int32
}

func newWalk(p *Part, o *Options) *walk {
	w := &walk{p: p, o: o, subs: map[word]*state{}, who: map[word]*actor{}, given: map[word][]gift{}, open: map[word]int{},
		raised: map[word][]int32{}, blinded: map[word][]int32{}}
	for _, s := range p.subs {
		w.began = earliest(w.began, earliest(s.firstEvent, s.firstUsage))
	}
	for _, c := range p.callers {
		w.began = earliest(w.began, c.first)
	}
	return w
}

func (w *walk) state(sub word) *state {
	s := w.subs[sub]
	if s == nil {
		s = &state{id: sub, known: map[word]word{}, counts: map[word]int32{}, sizes: map[word]int64{}, kinds: map[actKind]int64{}, peaks: map[int64]*peak{}}
		w.subs[sub] = s
	}
	return s
}

func (w *walk) actor(who word) *actor {
	a := w.who[who]
	if a == nil {
		a = new(actor)
		w.who[who] = a
	}
	return a
}

// step takes in what became known, and judges what it changes.
func (w *walk) step(s step) {
	if s.kind == stepUse {
		w.used(&w.use[s.i])
		return
	}
	a := &w.p.acts[s.i]
	st := w.state(a.sub)
	switch s.kind {
	case stepAct:
		w.note(s.i, a)
	case stepFailed:
		if a.ok != 0 && a.ok <= s.at {
			return
		}
		if a.kind.makes() && a.code == failQuota {
			st.refused = append(st.refused, refusal{s.at, a.caller, a.region})
		}
		st.made = slices.DeleteFunc(st.made, func(m made) bool { return m.act == s.i })
	}
	if a.kind.makes() && s.kind != stepFailed && (a.failed == 0 || a.failed > s.at || a.ok != 0 && a.ok <= s.at) {
		w.make(s, a, st)
	}
	if a.sub == 0 || a.caller == 0 {
		return
	}
	if a.kind != actOther || w.strange(a, s.at) {
		w.acted(a, s.at)
	}
}

// note remembers an act that gives, raises or takes away.
func (w *walk) note(i int32, a *act) {
	switch a.kind {
	case actGrant, actCredential, actConsent, actMFA, actDirectory:
		for _, t := range a.targets {
			w.given[t] = append(w.given[t], gift{a.at, i})
		}
		if a.kind == actMFA && len(a.targets) == 0 {
			w.given[w.id(a.caller)] = append(w.given[w.id(a.caller)], gift{a.at, i})
		}
	case actRisk:
		w.given[w.id(a.caller)] = append(w.given[w.id(a.caller)], gift{a.at, i})
	case actQuota:
		w.raised[a.sub] = append(w.raised[a.sub], i)
	case actBlinding:
		w.blinded[a.sub] = append(w.blinded[a.sub], i)
	case actElevate:
		w.elevate = append(w.elevate, i)
	}
}

// id is who a caller is: its object id, where one is known.
func (w *walk) id(caller word) word {
	if t := w.p.alias[caller]; t != 0 {
		return t
	}
	return caller
}

// make takes in what an act makes: the first time it is seen, or when it grows or is of another size.
func (w *walk) make(s step, a *act, st *state) {
	size, region, count := word(0), word(0), int32(0)
	if a.sized != 0 && a.sized <= s.at {
		size, count = a.size, a.count
	}
	if a.told != 0 && a.told <= s.at {
		region = a.region
	}
	at := slices.IndexFunc(st.made, func(m made) bool { return m.act == s.i })
	if at < 0 {
		old, seen := st.known[a.resource]
		if a.resource != 0 && seen && (size == 0 || old == size || old == 0) && (count == 0 || count <= st.counts[a.resource]) {
			st.known[a.resource] = max(old, size)
			return // it was there, and is no larger
		}
		more := max(1, int(count-st.counts[a.resource]))
		st.made = append(st.made, made{act: s.i, at: s.at, began: a.at, count: more, had: st.counts[a.resource], covered: w.o.covers(w.p, a)})
		at = len(st.made) - 1
	}
	m := &st.made[at]
	m.at = s.at
	if count > 0 {
		m.count = max(1, int(count-m.had))
		st.counts[a.resource] = max(st.counts[a.resource], count)
	}
	if size != 0 || st.known[a.resource] == 0 {
		st.known[a.resource] = size
	}
	if _, ok := st.sizes[size]; !ok && size != 0 {
		st.sizes[size] = s.at
	}
	if _, ok := st.kinds[a.kind]; !ok {
		st.kinds[a.kind] = s.at
	}
	day := s.at / daySeconds
	k := st.peaks[day]
	if k == nil {
		k = &peak{hour: map[int64]int{}, regions: map[word]bool{}}
		st.peaks[day] = k
	}
	if s.kind == stepAct || m.count > 1 {
		k.hour[s.at/3600] += m.count
		k.most = max(k.most, k.hour[s.at/3600])
	}
	if region != 0 {
		k.regions[region] = true
	}
	usd := parseSize(w.p.texts[size]).hour * 24 * float64(m.count)
	k.day += usd
	if s.kind == stepAct || size != 0 {
		z := parseSize(w.p.texts[size])
		st.built = append(st.built, built{at: s.at, who: a.caller, usd: max(usd, coreHour*24), act: s.i, size: size,
			large: z.gpus > 0 || z.cores >= manyCores})
	}
	w.prune(st, s.at)
}

// keepMade is how long what was made counts together.
const keepMade = 72 * 3600

func (w *walk) prune(st *state, at int64) {
	n := 0
	for n < len(st.made) && st.made[n].began < at-keepMade {
		n++
	}
	if n > 0 {
		st.made = append(st.made[:0], st.made[n:]...)
	}
	if n := len(st.built); n > 20_000 {
		st.built = append(st.built[:0], st.built[n/2:]...)
	}
	if n := len(st.refused); n > 5000 {
		st.refused = append(st.refused[:0], st.refused[n-2500:]...)
	}
	if n := len(st.made); n > 4000 {
		st.made = append(st.made[:0], st.made[n-3000:]...)
	}
}

// historyOf is for how many days a subscription was known before what counts together now.
func (w *walk) historyOf(sub word, at int64) float64 {
	s := w.p.subs[sub]
	if s == nil {
		return 0
	}
	from := earliest(s.firstEvent, s.firstUsage)
	if from == 0 {
		return 0
	}
	return math.Max(0, float64(at-keepMade-from)/daySeconds+2)
}

// usual is a subscription's median cost a day in the 28 days before, and whether any is known.
func (w *walk) usual(sub word, at int64) (float64, bool) {
	s, st := w.p.subs[sub], w.state(sub)
	if s == nil || s.firstUsage == 0 || s.firstUsage > at-3*daySeconds {
		return 0, false
	}
	day := at / daySeconds
	if st.medAt == day {
		return st.median, st.median > 0
	}
	days := make([]float64, bandDays)
	for _, x := range s.series {
		width := x.width()
		for k, q := range x.q {
			d := day - 1 - (int64(x.start)+int64(k))*width/daySeconds
			if d >= 1 && d <= bandDays {
				days[d-1] += float64(q) * x.price
			}
		}
	}
	days = slices.DeleteFunc(days, func(x float64) bool { return x <= 0 })
	st.median, st.medAt = 0, day
	if len(days) > 0 {
		st.median = middle(days)
	}
	return st.median, len(days) > 0
}

func moment(at int64) time.Time { return time.Unix(at, 0).UTC() }
