package worlds

import (
	"fmt"
	"time"

	"partnerguard/internal/entra"
)

// stolenAdmin: a new Owner, and graphics machines in several regions.
func stolenAdmin(w *World, a *attack) {
	p := a.enter(w, a.who, a.h)
	a.rights(p)
	g := p.pass(20, 200).group(a.s, "rg-"+a.d.hex(4), a.regions[0])
	f := pick(a.d, graphics)
	a.spread(p, a.d.span(6, 24), func(i int) *thing { return &thing{group: g, name: a.name(i), form: f} })
}

// scaleSets: few sets, each of many machines with many cores.
func scaleSets(w *World, a *attack) {
	p := a.enter(w, a.who, a.h)
	if a.d.odds(40) {
		a.rights(p)
	}
	g, f := a.s.groups[0], pick(a.d, many)
	a.spread(p, a.d.span(1, 4), func(i int) *thing {
		n := a.d.span(10, 60)
		if a.hidden == "small steps" {
			return &thing{group: g, name: "vmss-" + a.d.hex(3), form: f.set(), level: a.stairs(p.at, w, 2, n)}
		}
		return &thing{group: g, name: "vmss-" + a.d.hex(3), form: f.set(), level: always(n)}
	})
	if a.hidden == "small steps" { // each step of the sets is an act, too
		for _, t := range w.things {
			if t.evil == a.truth {
				a.climb(w, p, t)
			}
		}
	}
}

// stairs rises from lo to hi over the days of the attack.
func (a *attack) stairs(from time.Time, w *World, lo, hi int) func(int) int {
	h0 := w.hourOf(from)
	var at, level []int
	for i, n := 0, lo; n < hi && h0 < a.last; i++ {
		at, level = append(at, h0), append(level, n)
		h0 += a.d.span(6, 16)
		n += a.d.span(1, 3)
	}
	if len(at) == 0 {
		return always(lo)
	}
	at[0] = 0
	return steps(at, level)
}

func (a *attack) climb(w *World, p *session, t *thing) {
	for h := t.from + 1; h < t.until; h++ {
		if t.level(h) != t.level(h-1) {
			q := *p
			q.at = w.at(a.d, h)
			body := fmt.Sprintf(`{"location":"%s","sku":{"name":"%s","tier":"Standard","capacity":%d}}`, t.region, t.form.size, t.level(h))
			q.did(act{sub: t.sub, op: t.form.kind + "/write", id: t.id(), region: t.region, long: true, body: body})
		}
	}
}

// otherCompute: where people look less.
func otherCompute(w *World, a *attack) {
	p := a.enter(w, a.who, a.h)
	if a.d.odds(40) {
		a.rights(p)
	}
	g := p.pass(20, 300).group(a.s, "rg-"+a.d.hex(4), a.regions[0])
	parent := ""
	under := func(provider, kind, name string) {
		parent = name
		p.register(a.s, provider)
		p.pass(30, 300).did(act{sub: a.s, op: kind + "/write", region: a.regions[0], long: true,
			id: fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", a.s.ID, g, kind, name)})
		a.begin(p.at)
		p.pass(30, 300)
	}
	switch a.d.n(3) {
	case 0:
		under("Microsoft.Batch", "Microsoft.Batch/batchAccounts", "batch"+a.d.hex(4))
		f := pick(a.d, append(append([]*form{}, many...), graphics...)).as("Microsoft.Batch/batchAccounts/pools", "Microsoft.Batch")
		a.spread(p, a.d.span(2, 6), func(i int) *thing {
			return &thing{group: g, parent: parent, name: fmt.Sprintf("pool%d", i), form: f, level: always(a.d.span(4, 20))}
		})
	case 1:
		under("Microsoft.MachineLearningServices", "Microsoft.MachineLearningServices/workspaces", "ml"+a.d.hex(4))
		f := pick(a.d, graphics).as("Microsoft.MachineLearningServices/workspaces/computes", "Microsoft.MachineLearningServices")
		a.spread(p, a.d.span(2, 9), func(i int) *thing {
			return &thing{group: g, parent: parent, name: fmt.Sprintf("cpu-%d", i), form: f, level: always(a.d.span(2, 8))}
		})
	default:
		p.register(a.s, "Microsoft.ContainerInstance")
		a.begin(p.at)
		a.spread(p, a.d.span(30, 120), func(i int) *thing {
			return &thing{group: g, name: "c" + a.d.hex(5), form: container, level: always(a.d.span(1, 4))}
		})
	}
}

// slowMiner: a machine every few days, called as the others are; the log seldom tells.
func slowMiner(w *World, a *attack) {
	if a.d.odds(60) {
		a.truth.Logged = false
	}
	if a.hidden == "no activity log" {
		a.truth.Logged = false
	}
	f := pick(a.d, []*form{f8s, f16s, d16s, f16s})
	p := a.enter(w, a.who, a.h)
	if !a.truth.Logged { // from within a machine that is there: a set or a pool that grew
		a.begin(w.hour(a.h))
	}
	for i := 0; ; i++ {
		h := a.h + i*24*2 + a.d.n(30)
		if h >= a.last-24 || i > 24 {
			break
		}
		t := &thing{sub: a.s, group: a.s.groups[0], name: a.name(i), region: pick(a.d, a.regions), form: f, evil: a.truth, from: h, until: a.last}
		if !a.truth.Logged {
			w.start(t)
			continue
		}
		p.at = w.at(a.d, h)
		a.evil(p, t)
	}
}

// stolenApp: a new secret for an application, or consent to a new one, and it works from elsewhere.
func stolenApp(w *World, a *attack) {
	p := a.enter(w, a.who, a.h)
	app := application(a.d, a.c.ID, "sync-"+a.d.hex(3), pick(a.d, abroad).code)
	a.begin(p.at)
	switch {
	case a.c.pipe != nil && a.d.odds(60):
		stolen := *a.c.pipe
		if a.hidden != "known caller" && a.hidden != "all of a colleague's ways" {
			where := pick(a.d, abroad)
			stolen.country, stolen.city, stolen.addresses = where.code, where.city, []string{ip(a.d, where.code)}
		}
		app = &stolen
		p.audit("Update application – Certificates and secrets management", app, "new secret")
		p.pass(5, 60).audit("Add service principal credentials", app, "new secret")
	default:
		p.audit("Add application", app, "")
		p.pass(5, 60).audit("Add service principal", app, "")
		p.pass(5, 60).audit("Add service principal credentials", app, "new secret")
		p.pass(5, 60).audit("Consent to application", app, "https://"+entra.ARMHost+"/user_impersonation")
		p.pass(20, 300).grant(a.s, app, pick(a.d, []string{owner, contributor}))
	}
	q := a.enter(w, app, w.hourOf(p.at)+a.d.span(1, 4))
	g := q.group(a.s, "rg-"+a.d.hex(4), a.regions[0])
	f := pick(a.d, append(append([]*form{}, graphics...), many...))
	n := a.d.span(5, 20)
	if a.d.odds(30) {
		f, n = container, a.d.span(30, 90)
	}
	a.spread(q, n, func(i int) *thing { return &thing{group: g, name: a.name(i), form: f} })
}

// raisedQuota: more cores are asked for, and then used at once.
func raisedQuota(w *World, a *attack) {
	p := a.enter(w, a.who, a.h)
	f := pick(a.d, append(append([]*form{}, graphics...), many...))
	a.begin(p.at)
	for _, r := range a.regions {
		p.pass(20, 200).raise(a.s, r, f)
	}
	p.at = p.at.Add(time.Duration(a.d.span(20, 600)) * time.Minute)
	q := a.enter(w, a.who, w.hourOf(p.at)+1)
	g := a.s.groups[0]
	if a.d.odds(50) {
		a.spread(q, a.d.span(8, 30), func(i int) *thing { return &thing{group: g, name: a.name(i), form: f} })
		return
	}
	a.spread(q, a.d.span(2, 4), func(i int) *thing {
		return &thing{group: g, name: "vmss-" + a.d.hex(3), form: f.set(), level: always(a.d.span(8, 30))}
	})
}
