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

// who4 weighs who acts.
func (w *walk) who4(l *lines, a *act, who word, at int64) {
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
	if a.app != 0 && a.app != who {
		odd += w.gifts(l, a, a.app, at, name)
	}
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
	if t := a.country; t != 0 && c.nets[t] >= at-keepMade && (days >= 3 || first) {
		wt := 1.8
		if first {
			wt = 1 * known
		}
		l.add(sigCountry, "activity", c.nets[t], wt, "%s acted from %s for the first time", name, print.Clean(w.p.texts[t], 40))
		odd += wt
	}
	total := 0
	for _, n := range hours {
		total += n
	}
	h := (at / 3600) % 24
	if near := hours[h] + hours[(h+1)%24] + hours[(h+23)%24]; total >= 30 && near*50 < total {
		l.add(sigHour, "activity", at, 0.7, "at %02d o'clock UTC, an hour at which %s is not at work", h, name)
		odd += 0.4
	}
	return odd
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
	for _, t := range []word{who, a.caller} {
		for _, g := range w.given[t] {
			if g.at > at || g.at < at-secretCounts {
				continue
			}
			odd = max(odd, w.gift(l, &w.p.acts[g.act], name, at, best))
		}
		if who == a.caller {
			break
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
	if g.caller == 0 || best[sigGiver] > 0 {
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
