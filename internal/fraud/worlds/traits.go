package worlds

import (
	"fmt"
	"time"
)

// trait is something that a normal world has which may look bad.
type trait struct {
	name string
	make func(w *World, d *dice, c *Customer, s *Subscription)
}

// traits are in the order of the worlds that have them first.
var traits = []trait{
	{"growth", growth}, {"month ends", monthEnds}, {"migration", migration}, {"autoscale", autoscale}, {"new customer", newCustomer},
	{"machine learning", learning}, {"first graphics machines", firstGraphics}, {"disaster test", disaster}, {"test churn", churn},
	{"price change", prices}, {"currency change", currency}, {"missing days", missing}, {"refunds", refunds}, {"new region", newRegion},
	{"vacation", vacation}, {"new administrator", newAdmin}, {"pipeline", pipeline}, {"quota request", quota}, {"traveller", traveller},
	{"reserved instances", reserved}, {"seasonal batch", batches}, {"data platform", platform}, {"container jobs", jobs}, {"classroom", classroom},
	{"big rollout", rollout},
}

// normal gives a world its main trait, and others by chance.
func (w *World) normal(d *dice, main int) {
	w.Trait = traits[main].name
	w.trait(d.fork("main"), main)
	for i := range d.n(3) {
		w.trait(d.fork(num(i)), d.n(len(traits)))
	}
}

func (w *World) trait(d *dice, n int) {
	s := pick(d, w.subscriptions())
	traits[n].make(w, d, s.customer, s)
}

func growth(w *World, d *dice, c *Customer, s *Subscription) {
	t := w.start(&thing{sub: s, group: s.groups[0], name: "vmss-api", region: s.home, form: pick(d, servers).set()})
	t.level = growing(d.span(3, 8), d.span(8, 35))
	w.start(&thing{sub: s, group: s.groups[0], name: "pip-api", region: s.home, form: egress, level: growing(d.span(20, 200), d.span(8, 30))})
	for day := d.n(10); day < w.Days; day += d.span(4, 12) {
		p := w.session(d, c, w.hands(d, c), w.desk(d, c, day))
		p.make(&thing{sub: s, group: s.groups[0], name: "app-" + d.hex(4), region: s.home, form: pick(d, office)})
	}
}

func monthEnds(w *World, d *dice, c *Customer, s *Subscription) {
	most := d.span(6, 30)
	t := w.start(&thing{sub: s, group: s.groups[1], name: "vmss-closing", region: s.home, form: pick(d, servers).set(), level: w.monthEnd(1, most)})
	scaler := application(d, c.ID, "Microsoft.Insights/autoscaleSettings", "NL")
	for h := 24; h < w.hours(); h++ {
		if t.level(h) != t.level(h-1) {
			w.scaled(d, t, scaler, h)
		}
	}
}

// scaled is what the log says when autoscaling sets a number of machines.
func (w *World) scaled(d *dice, t *thing, scaler *actor, h int) {
	verb := "Scaleup/Action"
	if t.level(h) < t.level(h-1) {
		verb = "Scaledown/Action"
	}
	at := w.at(d, h)
	w.did(d, act{at: at, sub: t.sub, who: scaler, category: "Autoscale", op: "Microsoft.Insights/AutoscaleSettings/" + verb, region: t.region,
		id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/microsoft.insights/autoscalesettings/as-%s", t.sub.ID, t.group, t.name)})
	w.did(d, act{at: at.Add(9 * time.Second), sub: t.sub, who: scaler, op: t.form.kind + "/write", id: t.id(), region: t.region, long: true,
		body: fmt.Sprintf(`{"location":"%s","sku":{"name":"%s","tier":"Standard","capacity":%d}}`, t.region, t.form.size, t.level(h))})
}

// window declares work in deployments.yaml, sometimes.
func (w *World) declare(d *dice, c *Customer, s *Subscription, from, until int, regions, note string) {
	if d.odds(40) {
		w.wins = append(w.wins, window{c.ID, s.ID, w.hour(from), w.hour(until), regions, note})
	}
}

func migration(w *World, d *dice, c *Customer, s *Subscription) {
	to, day := pick(d, home), d.span(5, w.Days-8)
	who := w.hands(d, c)
	first := w.desk(d, c, day)
	w.declare(d, c, s, first-2, first+24*10, to, "migration to "+to)
	left := d.span(12, 45)
	for left > 0 && day < w.Days {
		p := w.session(d, c, who, w.desk(d, c, day))
		g := "rg-" + to
		if left > 10 {
			p.group(s, g, to)
		}
		for range min(left, d.span(4, 16)) {
			f := pick(d, append(office, servers...))
			t := &thing{sub: s, group: g, name: "mig-" + d.hex(4), region: to, form: f}
			if d.odds(6) {
				p.pass(20, 200).refused(t, "QuotaExceeded")
				continue
			}
			p.pass(40, 400).make(t)
			w.start(&thing{sub: s, group: g, name: t.name + "_OsDisk", region: to, form: disk, from: t.from})
			left--
		}
		day = w.workday(day+1) / 24
	}
}

func autoscale(w *World, d *dice, c *Customer, s *Subscription) {
	low := d.span(2, 6)
	t := w.start(&thing{sub: s, group: s.groups[0], name: "vmss-front", region: s.home, form: pick(d, servers).set()})
	t.level = w.curve(d.next(), low, low+d.span(10, 50))
	if d.odds(50) { // a campaign, announced to nobody here
		from := 24 * d.span(8, w.Days-4)
		t.level = between(from, from+24*d.span(1, 3), w.curve(d.next(), low*3, low*3+80), t.level)
	}
	scaler := application(d, c.ID, "Microsoft.Insights/autoscaleSettings", "NL")
	for h := 24; h < w.hours(); h++ {
		if t.level(h) != t.level(h-1) && d.odds(25) {
			w.scaled(d, t, scaler, h)
		}
	}
}

func newCustomer(w *World, d *dice, _ *Customer, _ *Subscription) {
	place := pick(d, countries)
	day := w.workday(d.span(3, w.Days-6)) / 24
	c := &Customer{ID: d.guid(), Name: pick(d, sources) + " " + pick(d, trades) + " AG", Domain: "neu" + d.hex(3) + ".example", Country: place.code,
		Since: 24*day + 6, plan: d.guid(), zone: 1, office: ip(d, place.code)}
	for range d.span(1, 3) {
		c.admins = append(c.admins, person(d, c.ID, c.Domain, place.code, place.city, c.office))
	}
	s := &Subscription{ID: d.guid(), Name: "Azure plan 1", customer: c, home: pick(d, home), From: 24*day + 8, groups: []string{"rg-start", "rg-net"}}
	c.Subscriptions = []*Subscription{s}
	w.Customers = append(w.Customers, c)
	w.start(&thing{sub: s, group: "rg-net", name: "vpn-gw", region: s.home, form: gateway, from: s.From + 2})
	p := w.session(d, c, pick(d, w.techs), s.From)
	p.grant(s, c.admins[0], owner)
	p.pass(60, 600).register(s, "Microsoft.Compute")
	p.pass(60, 600).group(s, "rg-start", s.home)
	for range d.span(4, 25) {
		p.pass(60, 900).make(&thing{sub: s, group: "rg-start", name: "vm-" + d.hex(3), region: s.home, form: pick(d, append(office, servers...))})
	}
	if d.odds(40) { // and what they had elsewhere comes over in the week after
		p = w.session(d, c, c.admins[0], w.desk(d, c, day+3))
		for range d.span(4, 16) {
			p.pass(60, 600).make(&thing{sub: s, group: "rg-start", name: "lift-" + d.hex(3), region: s.home, form: pick(d, servers)})
		}
	}
}

// learning is a team that has trained on graphics machines all along.
func learning(w *World, d *dice, c *Customer, s *Subscription) {
	f, who := pick(d, graphics), person(d, c.ID, c.Domain, c.Country, "Ulm", c.office)
	kind := f.as("Microsoft.MachineLearningServices/workspaces/computes", "Microsoft.MachineLearningServices")
	if d.odds(50) {
		kind = f
	}
	for day := -d.n(20); day < w.Days; day += d.span(4, 14) {
		h := 24*max(0, day) + 8 + d.n(10)
		p := w.session(d, c, who, h)
		last := h + d.span(6, 90)
		for range d.span(1, 4) {
			t := &thing{sub: s, group: "rg-ml", name: "train-" + d.hex(3), region: s.home, form: kind}
			if kind != f {
				t.group, t.level = "rg-ml", always(d.span(1, 4))
			}
			p.pass(30, 600).make(t)
			end := *p
			end.at = w.at(d, min(last, w.hours()+1))
			end.remove(t)
		}
	}
}

// firstGraphics is a team that begins to: nobody had such machines here before.
func firstGraphics(w *World, d *dice, c *Customer, s *Subscription) {
	who := pick(d, c.admins)
	day := d.span(w.Days/3, w.Days-4)
	h := w.desk(d, c, day)
	w.declare(d, c, s, h-3, h+24*14, s.home, "trial of a model")
	p := w.session(d, c, who, h)
	p.pass(60, 600).group(s, "rg-ai", s.home)
	f := pick(d, []*form{nc4, nc16, nc24a, nv36, nc6v3})
	if d.odds(40) {
		p.pass(30, 300).refused(&thing{sub: s, group: "rg-ai", name: "gpu-1", region: s.home, form: f}, "QuotaExceeded")
		p.pass(60, 900).raise(s, s.home, f)
		p.at = p.at.Add(time.Duration(d.span(2, 30)) * time.Hour)
	}
	for i := range d.span(1, 3) {
		t := p.pass(60, 900).make(&thing{sub: s, group: "rg-ai", name: fmt.Sprintf("gpu-%d", i+2), region: s.home, form: f})
		t.level = w.atWork(c, 1)
		if d.odds(30) {
			t.level = nil
		}
	}
}

// raise asks for more cores.
func (s *session) raise(sub *Subscription, region string, f *form) {
	switch s.d.n(3) {
	case 0:
		s.did(act{sub: sub, op: "Microsoft.Quota/quotas/write", region: region, long: true, body: fmt.Sprintf(`{"properties":{"limit":{"value":%d}}}`, f.cores*8),
			id: fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Compute/locations/%s/providers/Microsoft.Quota/quotas/%s", sub.ID, region, f.family())})
	case 1:
		s.did(act{sub: sub, op: "Microsoft.Capacity/resourceProviders/locations/serviceLimits/write", region: region, long: true,
			id: fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Capacity/resourceProviders/Microsoft.Compute/locations/%s/serviceLimits/%s",
				sub.ID, region, f.family())})
	default:
		s.did(act{sub: sub, op: "Microsoft.Support/supportTickets/write", long: true,
			id: "/subscriptions/" + sub.ID + "/providers/Microsoft.Support/supportTickets/quota-" + s.d.hex(6)})
	}
}

// family is the quota that a machine counts in.
func (f *form) family() string { return f.size + "Family" }

func disaster(w *World, d *dice, c *Customer, s *Subscription) {
	to := pick(d, home)
	for day := d.span(4, 20); day < w.Days-1; day += 60 {
		for w.weekday(24*day) != time.Saturday {
			day++
		}
		h := 24*day + 6 + d.n(4)
		w.declare(d, c, s, h-1, h+12, to, "test of the disaster plan")
		p := w.session(d, c, w.hands(d, c), h)
		p.pass(5, 60).group(s, "rg-dr-"+num(day), to)
		var made []*thing
		for range d.span(5, 25) {
			t := &thing{sub: s, group: "rg-dr-" + num(day), name: "dr-" + d.hex(3), region: to, form: pick(d, append(office, servers...))}
			made = append(made, p.pass(5, 90).make(t))
		}
		p.at = p.at.Add(time.Duration(d.span(3, 8)) * time.Hour)
		for _, t := range made {
			p.pass(5, 60).remove(t)
		}
	}
}

// churn is a pipeline that makes machines for each test and takes them away, many an hour.
func churn(w *World, d *dice, c *Customer, s *Subscription) {
	if c.pipe == nil {
		c.pipe = application(d, c.ID, "github-deploy", "NL")
	}
	most := d.span(4, 24)
	for day := range w.Days {
		for range d.span(1, 4) {
			if w.weekend(24*day) && !d.odds(15) {
				continue
			}
			p := w.session(d, c, c.pipe, 24*day+d.span(6, 20))
			for range d.span(1, most) {
				t := p.pass(2, 60).make(&thing{sub: s, group: "rg-ci", name: "ci-" + d.hex(6), region: s.home, form: pick(d, []*form{d2s, d4s, f4s, f8s})})
				end := *p
				end.at = p.at.Add(time.Duration(d.span(15, 150)) * time.Minute)
				end.remove(t)
				t.until = max(t.until, t.from+1)
			}
		}
	}
}
