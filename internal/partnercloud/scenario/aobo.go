package scenario

import (
	"strings"
	"time"

	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// call is one visit of a partner's user in a customer's tenant.
type call struct {
	agent    *actor
	customer string
	visit    visit
	fresh    bool
}

// agentCalls is a partner's user with the customers that delegated rights let
// in, each from a moment on.
type agentCalls struct {
	agent *actor
	lists []*customerList
}

// customerList are the customers that one group of the partner may work for.
type customerList struct {
	ids   []string
	since []time.Time
}

// findAgents works out who of the partner may work where. Lists are shared by
// everybody in a group.
func (h *history) findAgents() {
	if h.calls != nil {
		return
	}
	p := h.place(h.past.partnerID)
	byGroup := map[string]*customerList{}
	add := func(group, customer string, since time.Time) {
		k := strings.ToLower(group)
		if byGroup[k] == nil {
			byGroup[k] = &customerList{}
		}
		l := byGroup[k]
		l.ids, l.since = append(l.ids, customer), append(l.since, since)
	}
	for r := range p.tenant.Relationships.All() {
		if r.Status != "active" {
			continue
		}
		for _, a := range r.Assignments {
			add(a.Group, r.Customer, a.Created)
		}
	}
	for c := range p.tenant.Customers.All() {
		if !c.DAP {
			continue
		}
		for _, name := range []string{world.AdminAgents, world.HelpdeskAgents} {
			if g := p.tenant.GroupByName(name); g != nil {
				add(g.ID, c.TenantID, c.Since)
			}
		}
	}
	h.calls = []agentCalls{}
	for i := range p.actors {
		a := &p.actors[i]
		if a.habit != nil && a.habit.Kind != "" && a.habit.Kind != "person" || a.user.Guest {
			continue
		}
		c := agentCalls{agent: a}
		for _, g := range p.tenant.GroupsOf(a.user.ID) {
			if l := byGroup[strings.ToLower(g)]; l != nil {
				c.lists = append(c.lists, l)
			}
		}
		if len(c.lists) > 0 {
			h.calls = append(h.calls, c)
		}
	}
}

// rounds plans a day's work in customers' tenants.
func (h *history) rounds(day time.Time) []call {
	if plan, ok := h.plans.get(day.Unix()); ok {
		return plan
	}
	h.findAgents()
	var plan []call
	targets := func() []target {
		_, admin := targets()
		return admin[:2]
	}()
	for i := range h.calls {
		c := &h.calls[i]
		var work *visit
		for _, v := range c.agent.plan(day) {
			if v.kind == "" && work == nil {
				work = &v
			}
		}
		if work == nil {
			continue
		}
		d := diceOf(c.agent.seed, uint64(day.Unix()/86400)^0xa0b0)
		for range d.IntN(4) {
			l := c.lists[d.IntN(len(c.lists))]
			n := d.IntN(len(l.ids))
			v := *work
			v.at, v.to, v.id = v.at.Add(time.Duration(3+d.IntN(240))*time.Minute), targets[d.IntN(2)], d.Uint64()
			v.claim, v.wrong, v.unfamiliar = d.Float64() < .7, false, false
			if l.since[n].Before(day) {
				plan = append(plan, call{c.agent, l.ids[n], v, !v.claim})
			}
		}
	}
	h.plans.put(day.Unix(), plan, 1, keepPlans)
	return plan
}

// aobo adds the work on behalf of customers: to the log of the customer's
// tenant, and to that of the partner, whose users they are.
func (h *history) aobo(w *writer, day time.Time) {
	t := w.p.tenant
	if t.Kind != world.CustomerTenant && t.ID != h.past.partnerID {
		return
	}
	plan := h.rounds(day)
	for i := range plan {
		c := &plan[i]
		if t.Kind == world.CustomerTenant && c.customer != t.ID {
			continue
		}
		k := h.place(c.customer)
		if k == nil {
			continue
		}
		w.call(k.tenant, c)
	}
}

// call signs a partner's user in to a customer's tenant.
func (w *writer) call(customer *world.Tenant, c *call) {
	partner := w.h.past.state.PartnerTenant()
	v := c.visit
	into := &writer{h: w.h, p: &place{tenant: customer}}
	first := into.attempt(customer, partner, c.agent, &v)
	first.AOBO = true
	first.Steps = []world.Step{passwordStep(v.at, c.agent.user, true)}
	r := into.judge(v.at, &first, v.id)
	switch {
	case r.Outcome == signon.NeedMFA:
		into.second(&first, c.agent, &v, &r)
	default:
		into.write(v.at, &first, &r, -1, v.id, 0)
	}
	if w.p.tenant.Kind == world.CustomerTenant { // the customer sees a technician
		for _, row := range into.rows {
			signon.Technician(row, partner, customer)
		}
	}
	w.rows = append(w.rows, into.rows...)
}
