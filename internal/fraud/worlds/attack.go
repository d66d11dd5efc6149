package worlds

import (
	"fmt"
	"time"
)

// The kinds of attack, ten worlds each.
var kinds = []struct {
	name string
	make func(w *World, a *attack)
}{
	{"stolen administrator", stolenAdmin},
	{"scale set burst", scaleSets},
	{"batch, learning, containers", otherCompute},
	{"slow miner", slowMiner},
	{"stolen application", stolenApp},
	{"raised quota", raisedQuota},
}

// hidings are how attacks try not to be seen; the first three do not.
var hidings = []string{"", "", "", "used region", "business hours", "known caller", "small steps", "no activity log", "no history", "all of a colleague's ways"}

// attack is one that is being made.
type attack struct {
	d       *dice
	c       *Customer
	s       *Subscription
	truth   *Truth
	kind    int
	hidden  string
	h       int // when it begins to make things
	last    int
	who     *actor
	regions []string
}

// attacked makes attack i of the worlds that have one.
func (w *World) attacked(d *dice, i int) {
	kind, way := i/10, (i+i/10)%10
	w.trait(d.fork("main"), d.n(len(traits)))
	if d.odds(50) {
		w.trait(d.fork("more"), d.n(len(traits)))
	}
	a := &attack{d: d.fork("act"), kind: kind, hidden: hidings[way]}
	a.s = pick(a.d, w.subscriptions())
	if a.hidden == "no history" {
		a.s = w.fresh(a.d)
	}
	a.c = a.s.customer
	w.Trait, w.Hidden = kinds[kind].name, a.hidden
	a.when(w)
	a.where(w)
	a.by(w)
	a.truth = &Truth{Customer: a.c.ID, Subscription: a.s.ID, Kind: w.Trait, Hidden: a.hidden, from: a.h, Logged: a.hidden != "no activity log"}
	kinds[kind].make(w, a)
	a.s.blind = a.hidden == "no activity log"
	a.truth.Running = w.hour(w.hours())
	for _, t := range w.things {
		if t.evil == a.truth && w.hour(t.from).Before(a.truth.Running) {
			a.truth.Running = w.hour(t.from)
		}
	}
	if a.truth.First.IsZero() {
		a.truth.First = a.truth.Running
	}
	if a.truth.Running.Before(a.truth.First) { // the hour in which it began is paid for whole
		a.truth.Running = a.truth.First
	}
	a.truth.Until = w.hour(a.last)
	w.Truth = append(w.Truth, a.truth)
}

// fresh is a subscription that a customer has had for a day or two.
func (w *World) fresh(d *dice) *Subscription {
	c := pick(d, w.Customers)
	s := &Subscription{ID: d.guid(), Name: "Azure plan new", customer: c, home: pick(d, home), groups: []string{"rg-main", "rg-infra"}}
	s.From = 24*d.span(w.Days/2, w.Days-7) + 9
	c.Subscriptions = append(c.Subscriptions, s)
	w.estate(d, s, 5)
	return s
}

// when it begins: at night and on weekends, unless it hides.
func (a *attack) when(w *World) {
	day := a.d.span(max(8, w.Days/3), w.Days-5)
	if a.kind == 3 {
		day = a.d.span(10, max(11, w.Days/2))
	}
	if a.hidden == "no history" {
		day = a.s.From/24 + a.d.span(1, 3)
	}
	a.h = 24*day + pick(a.d, []int{0, 1, 2, 3, 4, 19, 21, 22})
	if a.hidden == "business hours" || a.hidden == "all of a colleague's ways" {
		a.h = w.desk(a.d, a.c, day)
	}
	a.last = min(w.hours(), a.h+24*a.d.span(4, 15))
	if a.kind == 3 {
		a.last = min(w.hours(), a.h+24*a.d.span(20, 60))
	}
}

// where: regions that are not used, unless it hides.
func (a *attack) where(w *World) {
	used := map[string]bool{}
	for _, t := range w.things {
		if t.sub == a.s {
			used[t.region] = true
		}
	}
	if a.hidden == "used region" || a.hidden == "all of a colleague's ways" || a.kind == 3 && a.d.odds(70) {
		a.regions = []string{a.s.home}
		return
	}
	for _, i := range order(a.d, len(far)) {
		if !used[far[i]] && len(a.regions) < 6 {
			a.regions = append(a.regions, far[i])
		}
	}
	a.regions = a.regions[:a.d.span(2, len(a.regions))]
}

// order is 0 to n-1 in another order.
func order(d *dice, n int) []int {
	of := make([]int, n)
	for i := range of {
		j := d.n(i + 1)
		of[i], of[j] = of[j], i
	}
	return of
}

// by whom: an administrator's account from far away, unless it hides.
func (a *attack) by(w *World) {
	victim := pick(a.d, a.c.admins)
	if a.d.odds(25) {
		victim = pick(a.d, w.techs)
	}
	away := *victim
	if a.hidden != "known caller" && a.hidden != "all of a colleague's ways" {
		where := pick(a.d, abroad)
		away.country, away.city, away.office = where.code, where.city, false
		away.addresses = []string{ip(a.d, where.code), ip(a.d, where.code)}
	}
	a.who = &away
}

// begin notes the first malicious act.
func (a *attack) begin(at time.Time) {
	if a.truth.First.IsZero() || at.Before(a.truth.First) {
		a.truth.First = at
	}
}

// enter is the attacker's session: the sign-in itself is not yet an act against Azure.
func (a *attack) enter(w *World, who *actor, h int) *session {
	p := &session{w: w, d: a.d, c: a.c, who: who, ip: who.address(a.d), at: w.at(a.d, h)}
	risk := ""
	if who.country != a.c.Country && a.d.odds(50) {
		risk = pick(a.d, []string{"high", "medium"})
	}
	w.told(event{at: p.at.Add(-time.Duration(a.d.span(30, 900)) * time.Second), customer: a.c, who: who, ip: p.ip, risk: risk})
	if risk != "" && a.d.odds(50) {
		w.told(event{at: p.at.Add(-20 * time.Second), customer: a.c, who: who, ip: p.ip, activity: "User registered security info", target: who})
	}
	return p
}

// evil makes a thing that the customer pays for and has nothing of.
func (a *attack) evil(p *session, t *thing) {
	t.sub, t.evil, t.until = a.s, a.truth, a.last
	a.begin(p.at)
	p.make(t)
}

// spread makes n things over the regions, a batch at a time; small steps take hours.
func (a *attack) spread(p *session, n int, of func(i int) *thing) {
	lo, hi := 10, 150
	if a.hidden == "small steps" {
		lo, hi = 4000, 20000
	}
	for i := range n {
		t := of(i)
		t.region = a.regions[i%len(a.regions)]
		if a.d.odds(12) && i > 0 {
			no := *t
			no.sub = a.s
			p.pass(lo, hi).refused(&no, pick(a.d, []string{"QuotaExceeded", "SkuNotAvailable", "OperationNotAllowed"}))
			continue
		}
		if p.at.After(p.w.hour(a.last - 2)) {
			return
		}
		a.evil(p.pass(lo, hi), t)
	}
}

// name is what the attacker calls things: as they come, or as the others are called.
func (a *attack) name(i int) string {
	switch a.hidden {
	case "":
		return fmt.Sprintf("%s%d", pick(a.d, []string{"vm", "gpu", "x", "test", "a"}), i+1)
	case "known caller", "all of a colleague's ways":
		return fmt.Sprintf("srv-%02d", i+7)
	}
	return fmt.Sprintf("vm-%s", a.d.hex(4))
}

// rights are what a thief does first, when the account alone is not enough or may be lost.
func (a *attack) rights(p *session) *actor {
	if a.hidden == "known caller" || a.hidden == "all of a colleague's ways" {
		return a.who
	}
	a.begin(p.at)
	if a.d.odds(40) {
		p.did(act{sub: a.s, op: "Microsoft.Authorization/elevateAccess/action", id: "/providers/Microsoft.Authorization"})
		p.pass(20, 200)
	}
	second := *a.who
	second.id, second.name = a.d.guid(), "support "+a.d.hex(3)
	second.upn = "support" + a.d.hex(3) + "@" + a.c.Domain
	p.audit("Add user", &second, "")
	p.pass(30, 200).audit("Add member to role", &second, "Owner")
	p.pass(30, 200).grant(a.s, &second, owner)
	p.pass(60, 3000)
	if a.d.odds(50) {
		p.register(a.s, "Microsoft.Compute")
	}
	if a.d.odds(60) {
		p.who = &second
		return &second
	}
	return a.who
}
