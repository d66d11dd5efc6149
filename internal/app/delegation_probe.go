//go:build !judge

package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/delegation/probe"
	"partnerguard/internal/problem"
)

// ProbeAsk is what is probed.
type ProbeAsk struct {
	// Customer is a tenant id or a domain; "" every customer that a relationship is with, or
	// that the plan names.
	Customer string
	Plan     *move.Plan    // what should be; nil: what Microsoft says that there is
	Patience time.Duration // how long to wait for what takes its time
	// Sleep waits; nil is the machine's clock.
	Sleep func(context.Context, time.Duration) error
}

// Probed are the results of one customer.
type Probed struct {
	Customer string         `json:"customerTenantId"`
	Name     string         `json:"name,omitempty"`
	Outcome  probe.Outcome  `json:"outcome"`
	Words    string         `json:"words"`
	Results  []probe.Result `json:"results"`
}

// ProbeDelegation asks whether the access to customers that should exist exists, and the
// access that should not does not. It only reads, by the connection of the settings.
// each is told of every customer as it is done.
func (i *Installation) ProbeDelegation(ctx context.Context, a ProbeAsk, each func(Probed)) error {
	c, err := i.probeClient(ctx)
	if err != nil {
		return err
	}
	list, err := i.expectations(ctx, c, a)
	if err != nil {
		return err
	}
	sleep := a.Sleep
	if sleep == nil {
		sleep = pause
	}
	for k := range list {
		e := &list[k]
		if a.Patience > 0 {
			e.Since = i.Now()
		}
		out, err := probe.Patient(ctx, c, *e, probe.Patience{Until: i.Now().Add(a.Patience), Now: i.Now, Sleep: sleep})
		if err != nil {
			return err
		}
		p := Probed{Customer: e.Customer, Name: e.Name, Results: out}
		p.Outcome, p.Words = probe.Judge(out)
		each(p)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// expectations are what should be so, a customer each.
func (i *Installation) expectations(ctx context.Context, c *probing, a ProbeAsk) ([]probe.Expectation, error) {
	only, err := c.tenantOf(ctx, a.Customer)
	if err != nil {
		return nil, err
	}
	if a.Plan != nil {
		return c.planned(ctx, a.Plan, only)
	}
	rels, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	byCustomer := map[string]*probe.Expectation{}
	for k := range rels {
		r := &rels[k]
		if r.customer == "" || !givesAccess(r.Status) || only != "" && r.customer != only {
			continue
		}
		e := byCustomer[r.customer]
		if e == nil {
			e = &probe.Expectation{Customer: r.customer, Name: r.name, Whole: true}
			byCustomer[r.customer] = e
		}
		list, err := c.Assignments(ctx, r.id)
		if err != nil { // asked again as a probe of its own, which says so
			e.Whole = false
			e.Active = append(e.Active, probe.Access{Relationship: r.id})
			continue
		}
		for j := range list {
			if list[j].Status == "active" || list[j].Status == "pending" || list[j].Status == "error" {
				e.Active = append(e.Active, probe.Access{Relationship: r.id, Group: list[j].Group, Roles: list[j].Roles})
			}
		}
		if len(list) == 0 {
			e.Active = append(e.Active, probe.Access{Relationship: r.id})
		}
	}
	if only != "" && byCustomer[only] == nil {
		return nil, problem.New(problem.NotFound, "no active relationship is with the customer %s", only).
			WithHint("partnerguard delegation list shows what there is")
	}
	out := []probe.Expectation{}
	for _, id := range slices.Sorted(maps.Keys(byCustomer)) {
		e := byCustomer[id]
		// With DAP nothing is access that should not exist: it gives everything.
		if is, err := c.DAP(ctx, id); err != nil || is != delegation.No {
			e.Whole = false
		}
		out = append(out, *e)
	}
	return out, nil
}

// planned are the customers of a plan as they should be when it is done.
func (c *probing) planned(ctx context.Context, p *move.Plan, only string) ([]probe.Expectation, error) {
	rels, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	out := []probe.Expectation{}
	for k := range p.Customers {
		w := &p.Customers[k]
		tenant := strings.ToLower(w.Tenant)
		if only != "" && tenant != only {
			continue
		}
		e := probe.Expectation{Customer: tenant, Name: w.Name, NoDAP: w.DAP == move.DAPRemove}
		id := ""
		if r := w.Relationship; r != nil {
			if id = r.ID; id == "" { // made by name: the name is its own
				id = "not made yet: " + r.Name
				for j := range rels {
					if strings.EqualFold(rels[j].name50, r.Name) {
						id = rels[j].id
					}
				}
			}
		}
		for _, g := range w.Groups {
			e.Active = append(e.Active, probe.Access{Relationship: id, Group: strings.ToLower(g.ID), Roles: g.Roles})
		}
		for _, f := range w.End {
			e.Gone = append(e.Gone, probe.Access{Relationship: f.ID})
		}
		for _, g := range w.Goes {
			e.NoRole = append(e.NoRole, probe.Lost{Group: strings.ToLower(g.Group), Role: g.Role})
		}
		out = append(out, e)
	}
	if only != "" && len(out) == 0 {
		return nil, problem.New(problem.NotFound, "the plan does not name the customer %s", only)
	}
	return out, nil
}

// Prober is what moves probe with; it makes its connection when it is first asked.
func (i *Installation) Prober() move.Prober { return lateProber{i} }

// lateProber waits for what takes its time from when it was first to be so, whichever process
// asks; it has failed when it had that time.
type lateProber struct{ i *Installation }

// Probe is a move's question: does the access exist, and the old one not?
func (l lateProber) Probe(ctx context.Context, ask move.ProbeAsk) (move.ProbeAnswer, error) {
	c, err := l.i.probeClient(ctx)
	if err != nil {
		return move.ProbeAnswer{}, err
	}
	since := ask.Since
	if since.IsZero() {
		since = l.i.Now()
	}
	e := probe.Expectation{Customer: strings.ToLower(ask.Tenant), Since: since}
	for _, g := range ask.Groups {
		e.Active = append(e.Active, probe.Access{Relationship: ask.Relationship, Group: strings.ToLower(g.ID), Roles: g.Roles})
	}
	for _, g := range ask.Gone {
		e.NoRole = append(e.NoRole, probe.Lost{Group: strings.ToLower(g.Group), Role: g.Role})
	}
	o, words := probe.Judge(probe.Probe(ctx, c, e, l.i.Now()))
	pass, known := map[probe.Outcome]move.Passed{probe.Pass: move.Pass, probe.Fail: move.Fail}[o]
	if !known {
		pass = move.Unknown
	}
	return move.ProbeAnswer{Pass: pass, Words: words}, ctx.Err()
}
