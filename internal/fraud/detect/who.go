package detect

import (
	"math"
	"slices"
	"strings"

	"partnerguard/internal/print"
)

// Times within which what was given counts.
const (
	grantCounts  = 3 * daySeconds
	secretCounts = 7 * daySeconds
)

// who4 weighs who acts; it gives what is odd about it.
func (w *walk) who4(l *lines, a *act, who word, at int64) float64 {
	name := print.Clean(w.p.texts[a.caller], print.MaxName)
	c := w.p.callers[a.caller]
	known := trust(float64(at-keepMade-w.began)/daySeconds + 2)
	odd := 0.0
	first := c != nil && c.first >= at-keepMade
	if first {
		wt := 1.5 * known
		if n := w.newcomers(at); n >= 4 {
			wt /= 2
		}
		l.add(sigCaller, "activity", c.first, wt, "%s was first seen %s", name, ago(at-c.first))
	}
	odd += w.place(l, a, c, at, known, first)
	odd += w.gifts(l, a, who, at, name)
	for _, i := range w.elevate {
		if e := &w.p.acts[i]; e.at <= at && e.at >= at-grantCounts {
			l.add(sigElevate, "activity", e.at, 1.5, "%s took all subscriptions as Global Administrator", print.Clean(w.p.texts[e.caller], print.MaxName))
			odd++
			break
		}
	}
	x := w.actor(who)
	if x.tainted > 0 && w.list[x.tainted-1].Subscription != w.p.texts[a.sub] {
		l.add(sigTaint, "activity", at, 3.5, "%s is the caller of the finding at subscription %s", name, w.list[x.tainted-1].Subscription)
		odd += 2
	}
	w.familiar(l, a, c, at, name, odd)
	return odd
}

// familiar weighs that somebody has long been at work here.
func (w *walk) familiar(l *lines, a *act, c *caller, at int64, name string, odd float64) {
	if c == nil {
		return
	}
	days, last := 0, int64(-1)
	c.hours.each((at-keepMade)/3600, func(h int64) {
		if d := h / 24; d != last {
			days, last = days+1, d
		}
	})
	if days < 3 {
		return
	}
	wt := -min(2, 0.6+0.14*float64(days-3))
	if odd > 0.5 {
		wt *= 0.4
	}
	l.add(sigFamiliar, "activity", c.first, wt, "%s has been at work here on %d days", name, days)
}

// place weighs from where and when somebody acts; it gives what is odd about it.
func (w *walk) place(l *lines, a *act, c *caller, at int64, known float64, first bool) (odd float64) {
	if c == nil {
		return 0
	}
	days, nets := 0, 0
	last := int64(-1)
	hours := [24]int{}
	c.hours.each((at-keepMade)/3600, func(h int64) {
		if d := h / 24; d != last {
			days, last = days+1, d
		}
		hours[h%24]++
	})
	for n, at0 := range c.nets {
		if at0 < at-keepMade && strings.Contains(w.p.texts[n], "/") {
			nets++
		}
	}
	name := print.Clean(w.p.texts[a.caller], print.MaxName)
	switch {
	case a.net == 0:
	case first:
		if w.netIsNew(a.net, at) {
			l.add(sigNetwork, "activity", at, 0.7*known, "%s came from %s, a network that nobody here came from before", name, w.p.texts[a.net])
		}
	case c.nets[a.net] >= at-keepMade && days >= 3:
		novelty := (float64(max(nets-1, 0)) + 0.3) / (float64(days) + 1)
		wt := min(1.5, max(0, -0.5*math.Log(novelty)))
		if !w.netIsNew(a.net, at) {
			wt /= 3
		}
		l.add(sigNetwork, "activity", c.nets[a.net], wt, "%s came from the network %s for the first time in %d days", name, w.p.texts[a.net], days)
		odd += wt
	}
	odd += w.abroad(l, c, at, name, first, known)
	if h, ok := w.unusualHour(c, hours, at); ok {
		l.add(sigHour, "activity", at, 0.7, "at %02d o'clock UTC, an hour at which %s is not at work", h, name)
		odd += 0.4
	}
	return odd
}

// abroad weighs a country from which somebody came for the first time lately, be it an act or a
// sign-in that shows it.
func (w *walk) abroad(l *lines, c *caller, at int64, name string, first bool, known float64) float64 {
	country, when, before := word(0), int64(0), 0
	for n, t := range c.nets {
		switch {
		case strings.Contains(w.p.texts[n], "/"):
		case t < at-keepMade:
			before++
		case t <= at && (t > when || t == when && w.p.texts[n] < w.p.texts[country]):
			country, when = n, t
		}
	}
	wt := 2.2
	switch {
	case country == 0:
		return 0
	case first:
		if !w.netIsNew(country, at) {
			return 0
		}
		wt = known
	case before == 0:
		return 0 // where it came from before is not known
	case before > 3:
		wt = 0.8
	}
	l.add(sigCountry, "signIns", when, wt, "%s came from %s for the first time", name, print.Clean(w.p.texts[country], 40))
	return wt
}

// unusualHour reports an hour at which somebody is not at work; of who is new or seldom here, at
// which nobody of the customer's is.
func (w *walk) unusualHour(c *caller, hours [24]int, at int64) (int64, bool) {
	total := 0
	for _, n := range hours {
		total += n
	}
	if total < 30 && !c.app {
		hours = w.people(at)
		total = 0
		for _, n := range hours {
			total += n
		}
	}
	h := (at / 3600) % 24
	near := hours[h] + hours[(h+1)%24] + hours[(h+23)%24]
	return h, total >= 30 && near*40 < total
}

// people are the hours at which the customer's people were active, up to three days before.
func (w *walk) people(at int64) [24]int {
	day := at / daySeconds
	if w.workDay == day {
		return w.work
	}
	w.workDay, w.work = day, [24]int{}
	for _, c := range w.p.callers {
		if !c.app {
			c.hours.each((day*daySeconds-keepMade)/3600, func(h int64) { w.work[h%24]++ })
		}
	}
	return w.work
}

// netIsNew reports a network that nobody of the customer used before.
func (w *walk) netIsNew(net word, at int64) bool {
	for _, c := range w.p.callers {
		if first, ok := c.nets[net]; ok && first < at-keepMade {
			return false
		}
	}
	return true
}

// newcomers are how many callers were first seen in the four weeks before.
func (w *walk) newcomers(at int64) (n int) {
	for _, c := range w.p.callers {
		if c.first < at-keepMade && c.first > at-keepMade-bandDays*daySeconds && c.first > w.began+7*daySeconds {
			n++
		}
	}
	return n
}

// gifts weighs what somebody was given lately: rights, credentials, proofs, risky sign-ins.
func (w *walk) gifts(l *lines, a *act, who word, at int64, name string) (odd float64) {
	best := map[Signal]float64{}
	c := w.p.callers[a.caller]
	for i, t := range []word{who, a.caller, a.app} {
		if t == 0 || i > 0 && t == who || i == 2 && c != nil && !c.app {
			continue // what an app was given is no matter of who uses it
		}
		for _, g := range w.given[t] {
			x := &w.p.acts[g.act]
			if g.at > at || g.at < at-secretCounts || x.kind == actMFA && c != nil && c.first >= at-secretCounts {
				continue // who is new registers proofs
			}
			odd = max(odd, w.gift(l, x, name, at, best))
		}
	}
	return odd
}

// gift weighs one thing that was given; best is what its kind weighed already.
func (w *walk) gift(l *lines, g *act, name string, at int64, best map[Signal]float64) (odd float64) {
	sig, wt, what := Signal(""), 0.0, ""
	source := "directory"
	lately := g.at >= at-grantCounts
	switch {
	case g.kind == actGrant && lately && (g.role == roleOwner || g.role == roleWrite):
		sig, wt, what, source = sigGrant, 1.2, "the right to give rights", "activity"
		if g.role == roleWrite {
			wt, what = 0.8, "the right to make things"
		}
	case g.kind == actDirectory && lately:
		sig, wt, what = sigGrant, 0.8, "a role of the directory"
	case g.kind == actCredential || g.kind == actConsent:
		sig, wt, what = sigCredential, 1.4, "a new credential or consent"
	case g.kind == actMFA && lately:
		sig, wt, what = sigMFA, 1.2, "other proofs of identity"
	case g.kind == actRisk && lately:
		sig, wt, source = sigRisk, float64(g.count), "signIns"
	}
	if wt <= best[sig] || sig == "" {
		return 0
	}
	l.list = slices.DeleteFunc(l.list, func(e Evidence) bool { return e.Signal == string(sig) && best[sig] > 0 })
	best[sig] = wt
	if sig == sigRisk {
		l.add(sig, source, g.at, wt, "Microsoft held a sign-in of %s for risky %s", name, ago(at-g.at))
		return 1
	}
	giver := print.Clean(w.p.texts[g.caller], print.MaxName)
	l.add(sig, source, g.at, wt, "%s got %s %s, from %s", name, what, ago(at-g.at), first(giver, "somebody not named"))
	if g.caller == 0 || best[sigGiver] > 0 || strings.EqualFold(giver, name) {
		return 0.3
	}
	own := &lines{}
	c := w.p.callers[g.caller]
	new := c != nil && c.first >= g.at-keepMade
	unusual := w.place(own, g, c, g.at, 1, new)
	if new {
		unusual++
	}
	if unusual >= 0.6 {
		best[sigGiver] = min(1.2, unusual)
		l.add(sigGiver, source, g.at, best[sigGiver], "%s gave it from an unusual place or at an unusual hour", giver)
		return 1
	}
	return 0.3
}

// strange reports that a caller's other acts are worth a look.
func (w *walk) strange(a *act, at int64) bool {
	c := w.p.callers[a.caller]
	if c == nil {
		return false
	}
	if c.first >= at-keepMade || a.net != 0 && c.nets[a.net] >= at-keepMade || a.country != 0 && c.nets[a.country] >= at-keepMade {
		return true
	}
	return len(w.given[w.id(a.caller)]) > 0 || w.actor(w.id(a.caller)).tainted > 0
}

func ago(sec int64) string {
	switch {
	case sec < 2*3600:
		return "less than two hours before"
	case sec < 2*daySeconds:
		return print.Number(sec/3600) + " hours before"
	}
	return print.Number(sec/daySeconds) + " days before"
}
