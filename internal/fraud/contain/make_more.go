//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/pattern"
	"partnerguard/internal/print"
)

// maxQuotas bounds the quotas that a plan lowers.
const maxQuotas = 60

// quotas lowers what is free in regions where something is stopped, so that nothing is made
// there anew. Azure counts deallocated machines too: it cannot go below what is used.
func (m *maker) quotas(ctx context.Context) error {
	var places []string
	for i := range m.found.things {
		t := &m.found.things[i]
		stopped := slices.ContainsFunc(m.p.Steps, func(s Step) bool { return s.Kind.resource() && s.Target == t.id })
		if place := strings.ToLower(t.place); stopped && placeName(place) && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	s := &scanner{c: m.c, sub: "/subscriptions/" + m.p.Subscription}
	if err := s.readQuotas(ctx, places); err != nil {
		return err
	}
	m.found.told = append(m.found.told, s.out.told...)
	n := 0
	for _, q := range s.out.quotas {
		if q.used == 0 || q.limit <= q.used || !quotaName.MatchString(q.name) || !strings.Contains(strings.ToLower(q.name), "core") &&
			!strings.HasSuffix(strings.ToLower(q.name), "family") {
			continue
		}
		if n++; n > maxQuotas {
			m.told("more than " + strconv.Itoa(maxQuotas) + " quotas could be lowered: the others are not in this plan")
			break
		}
		target := "/subscriptions/" + m.p.Subscription + "/providers/Microsoft.Compute/locations/" + q.place + "/providers/Microsoft.Quota/quotas/" + q.name
		if _, err := m.c.ARM.Get(ctx, at(target, versionQuota)); err != nil { // its API does not let itself be used here
			m.told("the quota " + q.name + " in " + q.place + " cannot be read by the API of quotas: lower it in the portal")
			continue
		}
		before, _ := json.Marshal(map[string]int64{"limit": q.limit})
		if err := m.add(ctx, Step{Kind: LowerQuota, Target: target, Name: q.name + " in " + q.place, Limit: q.used, Before: string(before),
			Why: "nothing new of it can be made there while it is as high as what is used",
			Stops: q.name + " in " + q.place + ": from " + strconv.FormatInt(q.limit, 10) + " to " + strconv.FormatInt(q.used, 10) +
				"; nobody makes more there"}); err != nil {
			return err
		}
	}
	return nil
}

var quotaName = pattern.Later(`^[A-Za-z0-9_-]{1,100}$`)

// placeName holds a region's name to plain letters.
func placeName(s string) bool {
	return s != "" && len(s) <= 80 && !strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
}

func (m *maker) budget(ctx context.Context) error {
	if m.ask.Budget <= 0 {
		return nil
	}
	now, err := m.c.Center.SpendingBudget(ctx, m.p.Customer)
	if err != nil {
		m.told("the spending budget cannot be read, so that none is set: " + err.Error())
		return nil
	}
	before, _ := json.Marshal(formerBudget{now})
	was := "none"
	if now != nil {
		was = strconv.FormatFloat(*now, 'f', -1, 64)
	}
	return m.add(ctx, Step{Kind: SetBudget, Target: m.p.Customer, Name: m.p.Name, Limit: m.ask.Budget, Before: string(before), Why: "asked for with --budget",
		Stops: "nothing: Microsoft's budget tells, and stops nothing; it was " + was})
}

// end adds what was asked for that cannot, or can hardly, be taken back.
func (m *maker) end(ctx context.Context) error {
	if !m.ask.Cancel && !m.ask.Suspend {
		return nil
	}
	plans, err := m.c.Center.AzurePlans(ctx, m.p.Customer)
	if err != nil {
		m.told("the customer's Azure plan cannot be read, so that nothing of it is ended: " + err.Error())
		return nil
	}
	for _, p := range plans {
		list, err := m.c.Center.Entitlements(ctx, m.p.Customer, p.ID)
		if err != nil {
			m.told("the subscriptions of the plan " + print.Clean(p.Name, print.MaxName) + " cannot be read: " + err.Error())
			continue
		}
		i := slices.IndexFunc(list, func(e msapi.Entitlement) bool { return e.Subscription == m.p.Subscription })
		if i < 0 {
			continue
		}
		e := list[i]
		if m.ask.Cancel && strings.EqualFold(e.Status, "active") {
			if err := m.add(ctx, Step{Kind: Cancel, Target: e.ID, Key: p.ID, Name: print.Clean(e.Name, print.MaxName), Why: "asked for with --allow-cancel",
				Stops: "EVERYTHING in the subscription " + print.Clean(e.Name, print.MaxName) + ", for good: " + print.Plural(int64(len(m.found.all)),
					"resources")}); err != nil {
				return err
			}
		}
		if m.ask.Suspend && strings.EqualFold(p.Status, "active") {
			return m.add(ctx, Step{Kind: Suspend, Target: p.ID, Name: print.Clean(p.Name, print.MaxName), Why: "asked for with --allow-suspend",
				Stops: "EVERYTHING in all " + print.Plural(int64(len(list)), "subscriptions") + " of the plan, until it is made active again"})
		}
		return nil
	}
	m.told("the subscription is under no Azure plan of this customer that could be read: nothing of it is ended")
	return nil
}

// tell says what people should know besides.
func (m *maker) tell() {
	for _, t := range m.found.told {
		m.told(t)
	}
	if n := len(m.found.disks); n > 0 {
		m.told(print.Plural(int64(n), "new disks") + " belong to no machine and go on costing: " + strings.Join(m.found.disks[:min(n, 8)], ", "))
	}
	if slices.ContainsFunc(m.p.Steps, func(s Step) bool { return s.Kind == StopMachine || s.Kind == StopSet }) {
		m.told("the disks of what is deallocated go on costing until somebody deletes them")
	}
	if slices.ContainsFunc(m.p.Steps, func(s Step) bool { return s.Have != Yes }) {
		m.told("for some steps we lack the right, or it is not sure that we have it: see have and call of each")
	}
	if m.ask.OnlyEnd {
		m.told("what runs was not read")
	}
}
