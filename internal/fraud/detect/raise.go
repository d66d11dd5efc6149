package detect

import (
	"cmp"
	"slices"
	"time"

	"partnerguard/internal/print"
)

// raising is a moment at which a subscription's score reached the threshold.
type raising struct {
	sub      word
	at       int64
	score    float64
	evidence []Evidence
	made     *sum // nil: use alone
	who      word // 0: use alone
	kind     Kind
	excess   float64
	began    int64 // of use alone: when what is new in it began; 0: nothing is
	regions  []string
}

// raise makes a finding of it, or adds it to the one that is open.
func (w *walk) raise(r raising) {
	at := moment(r.at)
	if i, ok := w.open[r.sub]; ok && w.list[i].same(w, &r, at) {
		f := &w.list[i]
		f.Updates++
		f.LastSeen = at
		f.PerDay = max(f.PerDay, round(r.perDay()))
		f.fill(w, &r)
		w.taint(r.who, i)
		return
	}
	f := Finding{Customer: w.p.Tenant, CustomerName: print.Clean(w.p.who.Name, print.MaxName), Subscription: w.p.texts[r.sub], Detected: at,
		LastSeen: at, Kind: r.kind, Score: r.score,
		Severity: Medium, Evidence: r.evidence, Currency: "USD", PerDay: round(r.perDay())}
	if r.score >= w.o.Score+2 {
		f.Severity = High
	}
	s := w.p.subs[r.sub]
	f.Blind = s.firstEvent == 0 || s.firstEvent > r.at
	slices.SortStableFunc(f.Evidence, func(a, b Evidence) int { return cmp.Compare(b.Weight, a.Weight) })
	f.First = at
	for _, e := range f.Evidence {
		if e.Weight < 0 {
			f.Reasons = append(f.Reasons, "against it: "+e.Text)
			continue
		}
		f.Reasons = append(f.Reasons, e.Text)
		f.First = earlier(f.First, e.At)
	}
	if r.made != nil && r.made.first > 0 {
		f.First = earlier(f.First, moment(r.made.first))
	}
	if f.Blind {
		f.Reasons = append(f.Reasons, "no Activity Log of this subscription was read: who did it is not known")
	}
	f.fill(w, &r)
	w.open[r.sub] = len(w.list)
	w.list = append(w.list, f)
	w.taint(r.who, len(w.list)-1)
	w.link(len(w.list) - 1)
}

// same reports that what is raised is of the finding's cause: it comes soon after it, and another
// caller comes very soon. What was made a day after a finding that use alone gave cannot be what
// was used then.
func (f *Finding) same(w *walk, r *raising, at time.Time) bool {
	since := at.Sub(f.LastSeen)
	if len(f.Callers) == 0 && r.made != nil && r.made.count > 0 && moment(r.made.first).Sub(f.Detected) > 24*time.Hour {
		return false
	}
	if r.made == nil && f.weak(w) && r.began > 0 && moment(r.began).Sub(f.Detected) > 24*time.Hour && r.excess > 1.5*f.PerDay {
		return false
	}
	if r.who != 0 && len(f.Callers) > 0 && !slices.Contains(f.Callers, w.caller(r.who)) {
		return since < 24*time.Hour
	}
	return since < apart
}

// weak reports a finding that says little: what comes later must not be taken for the same.
func (f *Finding) weak(w *walk) bool { return f.Score < w.o.Score+2 }

func (r *raising) perDay() float64 {
	if r.made != nil && r.made.perDay > 0 {
		return r.made.perDay
	}
	return r.excess
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// fill adds whom and what a finding is about.
func (f *Finding) fill(w *walk, r *raising) {
	if r.who != 0 {
		f.Callers = once(f.Callers, w.caller(r.who))
	}
	if r.made != nil {
		for _, x := range r.made.resources {
			f.Resources = once(f.Resources, x)
		}
		for x := range r.made.regions {
			f.Regions = once(f.Regions, w.p.texts[x])
		}
	}
	for _, x := range r.regions {
		f.Regions = once(f.Regions, x)
	}
	slices.Sort(f.Regions)
	slices.Sort(f.Resources)
}

// caller is what a caller is called: its user principal name, where one is known.
func (w *walk) caller(who word) string {
	name := w.p.texts[who]
	for upn, id := range w.p.alias {
		if s := w.p.texts[upn]; id == who && s != "" && (name == w.p.texts[who] || s < name) {
			name = s
		}
	}
	return name
}

// maxNamed is how many of each a finding names.
const maxNamed = 50

func once(list []string, s string) []string {
	if s = print.Clean(s, 2*print.MaxName); s == "" || len(list) >= maxNamed || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// taint remembers who is the caller of a finding.
func (w *walk) taint(who word, i int) {
	if who == 0 {
		return
	}
	if a := w.actor(who); a.tainted == 0 {
		a.tainted = i + 1
	}
}

// link joins findings of one caller.
func (w *walk) link(i int) {
	f := &w.list[i]
	for j := range w.list[:i] {
		g := &w.list[j]
		if g.Subscription != f.Subscription && f.Detected.Sub(g.LastSeen) < apart && slices.ContainsFunc(f.Callers,
			func(c string) bool { return slices.Contains(g.Callers, c) }) {
			f.Linked, g.Linked = once(f.Linked, g.Subscription), once(g.Linked, f.Subscription)
		}
	}
}

// used judges what use shows, beside what is known of who made it.
func (w *walk) used(u *useSign) {
	l := &lines{at: u.at, list: slices.Clone(u.evidence)}
	st := w.state(u.sub)
	if st.actAt > u.at-7*daySeconds && st.lastAct >= keptScore {
		l.add(sigAct, "activity", st.actAt, min(1.6, 0.4*(st.lastAct-0.5)), "acts that were unusual came before it")
	}
	w.explained(l, st, u)
	score := l.score()
	kind := KindUse
	if u.slow {
		kind = KindSlowGrowth
	}
	r := raising{sub: u.sub, at: u.at, score: score, evidence: l.list, kind: kind, excess: u.excess, began: u.began, regions: u.regions}
	if i, ok := w.open[u.sub]; ok && u.score >= w.o.Score/2 && (score < w.o.Score || w.list[i].same(w, &r, moment(u.at))) &&
		moment(u.at).Sub(w.list[i].LastSeen) < apart {
		f := &w.list[i] // the cost of what was found
		f.LastSeen = moment(u.at)
		f.Updates++
		return
	}
	if score < w.o.Score {
		return
	}
	w.raise(r)
	f := &w.list[w.open[u.sub]]
	f.First = earlier(f.First, moment(u.first))
}

// explained weighs that somebody made what costs in the open: somebody familiar, as always; or,
// where it grows in small steps and is of ordinary machines, somebody about whom nothing is odd.
func (w *walk) explained(l *lines, st *state, u *useSign) {
	back := int64(5 * daySeconds)
	if u.slow {
		back = builtBack
	}
	perDay, large := map[word]float64{}, map[word]bool{}
	for _, b := range st.built {
		if b.at <= u.at && b.at >= u.at-back && b.odd < oddBuilt && w.sameSize(b.size, u.size) {
			perDay[b.who] += b.usd
			large[b.who] = large[b.who] || b.large
		}
	}
	name, days, share := "", 0, 0.0
	for who, usd := range perDay {
		c := w.p.callers[who]
		if c == nil || w.actor(w.id(who)).tainted != 0 {
			continue
		}
		n, part := c.days((u.at-keepMade)/3600), usd/max(u.excess, 1)
		if n < 5 && (!u.slow || large[who]) {
			continue
		}
		if part > share || part == share && w.p.texts[who] < name {
			name, days, share = w.p.texts[who], n, part
		}
	}
	wt := -min(2.5, 1+1.5*share)
	switch {
	case share < 0.3:
		return
	case days < 5:
		wt /= 2
	}
	l.add(sigKnownWork, "activity", u.at, wt, "%s, at work here on %d days, made machines that explain it", print.Clean(name, print.MaxName), days)
}

// sameSize reports sizes that may be the same: 0 is not known.
func (w *walk) sameSize(a, b word) bool {
	return a == 0 || b == 0 || a == b || parseSize(w.p.texts[a]).name == parseSize(w.p.texts[b]).name
}

// oddBuilt is how odd an act may be to explain what costs.
const oddBuilt = 0.7

// days counts the days on which somebody was active before an hour.
func (c *caller) days(hour int64) (n int) {
	last := int64(-1)
	c.hours.each(hour, func(h int64) {
		if d := h / 24; d != last {
			n, last = n+1, d
		}
	})
	return n
}

// over is what a subscription cost above its usual since a finding's begin, as far as it is known.
func (p *Part) over(f *Finding, asOf int64) (sum float64) {
	s := p.subs[p.index[f.Subscription]]
	from, to := f.First.Unix()/daySeconds, asOf/daySeconds
	days := make([]float64, min(max(0, to-from), maxBuckets/24)+bandDays)
	for _, x := range s.series {
		for k, q := range x.q {
			d := (int64(x.start)+int64(k))*x.width()/daySeconds - from + bandDays
			if d >= 0 && d < int64(len(days)) {
				days[d] += float64(q) * x.price
			}
		}
	}
	before := slices.DeleteFunc(slices.Clone(days[:bandDays]), func(usd float64) bool { return usd <= 0 })
	usual := 0.0
	if len(before) > 0 {
		usual = middle(before)
	}
	for _, usd := range days[bandDays:] {
		sum += max(0, usd-usual)
	}
	return sum
}

// done are the findings that were detected, or added to, from since on.
func (w *walk) done(since, asOf time.Time) []Finding {
	out := slices.DeleteFunc(w.list, func(f Finding) bool { return f.LastSeen.Before(since) })
	for i := range out {
		f := &out[i]
		f.Cost = round(w.p.over(f, ceil(asOf)))
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.Subscription, b.Subscription))
	})
	return out
}
