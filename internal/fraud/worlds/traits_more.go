package worlds

import (
	"fmt"
	"time"
)

func prices(w *World, d *dice, c *Customer, _ *Subscription) {
	from := 24 * d.span(5, w.Days-3)
	by := int64(pick(d, []int{1090, 1150, 1250, 1400, 880}))
	for _, s := range c.Subscriptions {
		s.prices = append(s.prices, pricing{from: from, permille: by})
	}
}

func currency(w *World, d *dice, _ *Customer, _ *Subscription) {
	first := w.style.money[0]
	to := pick(d, []change{{0, "USD", 1170}, {0, "SEK", 11400}, {0, "CHF", 930}, {0, "DKK", 7460}})
	if to.currency == first.currency {
		to = change{0, "NOK", 11800}
	}
	to.from = 24 * d.span(5, w.Days-3)
	w.style.money = append(w.style.money, to)
}

func missing(w *World, d *dice, _ *Customer, _ *Subscription) {
	for range d.span(1, 3) {
		from := d.n(w.Days - 4)
		for day := range d.span(1, 4) {
			w.style.gaps = append(w.style.gaps, from+day)
		}
	}
	w.style.late = true
}

func refunds(w *World, d *dice, _ *Customer, s *Subscription) {
	for range d.span(1, 4) {
		h := 24 * d.n(w.Days)
		n := -d.span(1, 40)
		w.start(&thing{sub: s, group: s.groups[0], name: "srv-01", region: s.home, form: pick(d, servers),
			from: max(h, s.From), until: h + 24, level: always(n)})
	}
}

// newRegion is somebody known who begins in another part of the world, for good reasons.
func newRegion(w *World, d *dice, c *Customer, s *Subscription) {
	to := pick(d, append(append([]string{}, far...), home...))
	h := w.desk(d, c, d.span(4, w.Days-3))
	p := w.session(d, c, w.hands(d, c), h)
	g := p.group(s, "rg-"+to, to)
	for range d.span(1, 7) {
		p.pass(60, 1200).make(&thing{sub: s, group: g, name: "vm-" + d.hex(4), region: to, form: pick(d, append(office, servers...))})
	}
}

// vacation: little runs for some weeks, and then everything again.
func vacation(w *World, d *dice, c *Customer, _ *Subscription) {
	from := 24 * d.span(3, w.Days/2)
	until := from + 24*d.span(7, 21)
	for _, t := range w.things {
		if t.sub.customer != c || t.form.cores == 0 {
			continue
		}
		usual := t.level
		if usual == nil {
			usual = always(1)
		}
		t.level = between(from, until, func(h int) int { return usual(h) / 4 }, usual)
	}
	p := w.session(d, c, c.admins[0], w.workday(until/24)+7)
	for range d.span(3, 9) {
		p.pass(60, 700).verb(w.some(d, c.Subscriptions[0]), "write")
	}
}

// newAdmin is somebody new, who is made Owner and begins to work.
func newAdmin(w *World, d *dice, c *Customer, s *Subscription) {
	who := person(d, c.ID, c.Domain, c.Country, "Jena", c.office)
	h := w.desk(d, c, d.span(3, w.Days-6))
	p := w.session(d, c, c.admins[0], h)
	p.audit("Add user", who, "")
	p.pass(60, 600).audit("Add member to role", who, "Contributor")
	p.pass(60, 600).grant(s, who, pick(d, []string{owner, contributor}))
	w.told(event{at: p.at.Add(time.Hour), customer: c, who: who, ip: who.address(d), activity: "User registered security info", target: who})
	for day := range d.span(1, 6) {
		q := w.session(d, c, who, w.desk(d, c, h/24+day))
		if day == 0 {
			q.at = q.at.Add(time.Duration(d.span(1, 4)) * time.Hour)
			q.at = time.Unix(max(q.at.Unix(), p.at.Add(time.Hour).Unix()), 0).UTC()
		}
		for range d.span(1, 8) {
			q.pass(60, 1500).make(&thing{sub: s, group: s.groups[0], name: "vm-" + d.hex(4), region: s.home, form: pick(d, append(office, servers...))})
		}
	}
}

// pipeline gets a new secret now and then, and deploys much at once after it.
func pipeline(w *World, d *dice, c *Customer, s *Subscription) {
	app := application(d, c.ID, "terraform-"+d.hex(3), pick(d, []string{"NL", "US", "DE"}))
	for day := d.n(10); day < w.Days; day += d.span(14, 40) {
		p := w.session(d, c, c.admins[0], w.desk(d, c, day))
		p.audit("Update application – Certificates and secrets management", app, "new secret")
		q := w.session(d, c, app, w.hourOf(p.at)+1)
		if !w.seen(app) {
			p.pass(60, 100).grant(s, app, contributor)
		}
		for range d.span(3, 20) {
			f := pick(d, append(office, servers...))
			t := q.pass(2, 50).make(&thing{sub: s, group: s.groups[0], name: "tf-" + d.hex(4), region: s.home, form: f})
			end := *q
			end.at = q.at.Add(time.Duration(d.span(3, 30)) * 24 * time.Hour)
			end.remove(t)
		}
	}
}

// seen is whether an actor has created something.
func (w *World) seen(who *actor) bool {
	for _, a := range w.acts {
		if a.who == who {
			return true
		}
	}
	return false
}

// quota is a real request, and what it was for, some days later.
func quota(w *World, d *dice, c *Customer, s *Subscription) {
	f := pick(d, append([]*form{f16s, d16s, f72s, nc16}, servers...))
	h := w.desk(d, c, d.span(3, w.Days-5))
	who := w.hands(d, c)
	w.session(d, c, who, h).raise(s, s.home, f)
	p := w.session(d, c, who, w.desk(d, c, h/24+d.n(4))+1)
	for range d.span(1, 6) {
		p.pass(60, 800).make(&thing{sub: s, group: s.groups[0], name: "calc-" + d.hex(3), region: s.home, form: f})
	}
}

// traveller works by night from abroad.
func traveller(w *World, d *dice, c *Customer, s *Subscription) {
	known := w.hands(d, c)
	where := pick(d, abroad)
	away := *known
	away.country, away.city, away.addresses, away.office = where.code, where.city, []string{ip(d, where.code), ip(d, where.code)}, false
	day := d.span(4, w.Days-6)
	for i := range d.span(2, 6) {
		p := w.session(d, c, &away, 24*(day+i)+pick(d, []int{0, 1, 2, 3, 20, 22}))
		for range d.n(4) {
			p.pass(60, 900).verb(w.some(d, s), "write")
		}
		if d.odds(50) {
			p.pass(60, 900).make(&thing{sub: s, group: s.groups[0], name: "fix-" + d.hex(3), region: s.home, form: pick(d, office)})
		}
	}
}

// reserved makes machines of one series free from a day on: they are paid for elsewhere.
func reserved(w *World, d *dice, _ *Customer, s *Subscription) {
	from := 24 * d.span(5, w.Days-3)
	s.prices = append(s.prices, pricing{from, 0, pick(d, office).meters[0].sub}, pricing{from, 0, "Dsv5 Series"})
	if d.odds(40) { // and it ends again
		s.prices = append(s.prices, pricing{from + 24*d.span(5, 30), 1000, "Dsv5 Series"})
	}
}

// batches is a pool that calculates every Saturday night, and more in one season.
func batches(w *World, d *dice, c *Customer, s *Subscription) {
	f := pick(d, []*form{f16s, d16s, f72s, hb120}).as("Microsoft.Batch/batchAccounts/pools", "Microsoft.Batch")
	n := d.span(3, 20)
	t := &thing{sub: s, group: "rg-batch", name: "pool-weekly", region: s.home, form: f, level: w.saturdays(n)}
	if d.odds(50) {
		w.start(t)
		return
	}
	h := w.desk(d, c, d.span(2, w.Days/2))
	w.declare(d, c, s, h-1, h+24*7, s.home, "new batch account")
	p := w.session(d, c, w.hands(d, c), h)
	p.pass(60, 600).register(s, "Microsoft.Batch")
	p.pass(60, 600).did(act{sub: s, op: "Microsoft.Batch/batchAccounts/write", region: s.home, long: true,
		id: "/subscriptions/" + s.ID + "/resourceGroups/rg-batch/providers/Microsoft.Batch/batchAccounts/weekly"})
	p.pass(60, 600).make(t)
}

// platform is a data platform whose own application makes machines by dozens, each night.
func platform(w *World, d *dice, c *Customer, s *Subscription) {
	app := application(d, c.ID, "AzureDatabricks", "NL")
	g := "databricks-rg-" + d.hex(6)
	n := d.span(4, 24)
	from := 0
	if d.odds(30) {
		from = d.span(5, w.Days/2) // it is new
		p := w.session(d, c, w.hands(d, c), w.desk(d, c, from-1))
		p.did(act{sub: s, op: "Microsoft.Databricks/workspaces/write", region: s.home, long: true,
			id: "/subscriptions/" + s.ID + "/resourceGroups/" + s.groups[1] + "/providers/Microsoft.Databricks/workspaces/dbw"})
		p.pass(20, 40).group(s, g, s.home)
	}
	for day := from; day < w.Days; day++ {
		p := w.session(d, c, app, 24*day+d.span(0, 3))
		var made []*thing
		for range n + d.n(3) {
			made = append(made, p.pass(1, 8).make(&thing{sub: s, group: g, name: d.hex(16), region: s.home, form: pick(d, []*form{d8s, e8s})}))
		}
		p.at = p.at.Add(time.Duration(d.span(1, 4)) * time.Hour)
		for _, t := range made {
			p.pass(1, 5).remove(t)
			t.until = max(t.until, t.from+1)
		}
	}
}

// jobs are container groups, some each night.
func jobs(w *World, d *dice, c *Customer, s *Subscription) {
	app := application(d, c.ID, "logic-app-jobs", "NL")
	n := d.span(2, 14)
	for day := range w.Days {
		p := w.session(d, c, app, 24*day+1)
		for range n {
			t := p.pass(10, 100).make(&thing{sub: s, group: "rg-jobs", name: "job-" + d.hex(5), region: s.home, form: container})
			end := *p
			end.at = p.at.Add(time.Duration(d.span(1, 3)) * time.Hour)
			end.remove(t)
		}
	}
}

// classroom is many small machines for two days.
func classroom(w *World, d *dice, c *Customer, s *Subscription) {
	h := w.desk(d, c, d.span(4, w.Days-4))
	w.declare(d, c, s, h-2, h+72, s.home, "training")
	p := w.session(d, c, w.hands(d, c), h)
	g := p.group(s, "rg-training-"+d.hex(3), s.home)
	last := p.at.Add(time.Duration(d.span(20, 60)) * time.Hour)
	for i := range d.span(10, 35) {
		t := p.pass(3, 40).make(&thing{sub: s, group: g, name: fmt.Sprintf("seat-%02d", i+1), region: s.home, form: pick(d, []*form{b2s, b4ms, d2s})})
		end := *p
		end.at = last.Add(time.Duration(i) * 7 * time.Second)
		end.remove(t)
	}
}

// rollout is a planned doubling, with large machines, by people who are known.
func rollout(w *World, d *dice, c *Customer, s *Subscription) {
	h := w.desk(d, c, d.span(6, w.Days-4))
	to := s.home
	if d.odds(50) {
		to = pick(d, home)
	}
	w.declare(d, c, s, h-2, h+24*5, to, "rollout, approved")
	p := w.session(d, c, w.hands(d, c), h)
	g := p.group(s, "rg-rollout", to)
	for range d.span(3, 12) {
		p.pass(30, 600).make(&thing{sub: s, group: g, name: "node-" + d.hex(3), region: to, form: pick(d, []*form{d16s, e8s, f16s, d8s})})
	}
}
