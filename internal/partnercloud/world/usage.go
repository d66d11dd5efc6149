package world

import (
	"math"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Usage gives what an Azure subscription used in each day from one moment to before
// another, oldest first, up to the present. The generated days come as the scenario
// made them. The days before and after them repeat the week at that end; machines
// with a price of their own use it as long as they run. While the subscription is off
// it uses nothing. since is when there was anything to use.
func (s *State) Usage(tenant, subscription string, since, from, to time.Time) []AzureUsage {
	return s.usage(s.meteredOf(tenant, subscription), since, from, to, s.Clock.Now())
}

// meteredOf is a subscription as far as usage follows from it; nil for none.
func (s *State) meteredOf(tenant, subscription string) *AzureSubscription {
	var made *AzureSubscription
	if t := s.tenants[strings.ToLower(tenant)]; t != nil {
		made = t.Azure.Get(subscription)
	}
	if (made == nil || len(made.Usage) == 0) && s.Metered != nil {
		if seeded := s.Metered(tenant, subscription); seeded != nil && made != nil {
			own := *made
			own.Usage = seeded.Usage
			made = &own
		} else if seeded != nil {
			made = seeded
		}
	}
	return made
}

// usage is what a subscription used up to a moment.
func (s *State) usage(made *AzureSubscription, since, from, to, now time.Time) []AzureUsage {
	if made == nil {
		return nil
	}
	seeded := made.Usage
	if len(seeded) == 0 {
		return made.metered(from, to, now)
	}
	// What was made later has a price of its own, and says nothing of what was there.
	priced := slices.ContainsFunc(made.Resources, func(r AzureResource) bool { return r.Hourly != 0 && !r.Created.After(s.Created) })
	byDay := map[time.Time][]AzureUsage{}
	first, last := seeded[0].Day.Truncate(day), seeded[0].Day.Truncate(day)
	for _, u := range seeded {
		d := u.Day.UTC().Truncate(day)
		byDay[d] = append(byDay[d], u)
		if d.Before(first) {
			first = d
		}
		if d.After(last) {
			last = d
		}
	}
	var out []AzureUsage
	for d := from.UTC().Truncate(day); d.Before(to) && !d.After(now); d = d.Add(day) {
		if d.Before(since.UTC().Truncate(day)) {
			continue
		}
		like, share := d, 1.0
		switch {
		case d.Before(first):
			like = first.Add(time.Duration(mod(d.Sub(first)/day, 7)) * day)
		case d.After(last):
			like = last.Add(-time.Duration(mod(-d.Sub(last)/day, 7)) * day)
			share = math.Min(1, float64(now.Sub(d))/float64(day)) // today is not over
		}
		share *= made.On(d, now)
		for _, u := range byDay[like] {
			if d.After(last) && priced && u.Category == machineHours {
				continue // what runs is counted
			}
			u.Day, u.Quantity, u.Cost = d, round4(u.Quantity*share), math.Round(u.Cost*share*100)/100
			if u.Quantity != 0 || u.Cost != 0 {
				out = append(out, u)
			}
		}
	}
	out = append(out, made.metered(from, to, now)...)
	slices.SortStableFunc(out, func(a, b AzureUsage) int { return a.Day.Compare(b.Day) })
	return out
}

// UsageOf gives the usage of an Azure subscription of a tenant since its plan was
// bought.
func (s *State) UsageOf(tenant, subscription string, from, to time.Time) []AzureUsage {
	return s.Usage(tenant, subscription, s.boughtSince(tenant, subscription, from), from, to)
}

// UsageByResource is UsageOf as it was known at a moment, every row of a resource: what
// is known for a subscription alone is shared out equally among the machines of that day.
func (s *State) UsageByResource(tenant, subscription string, from, to, now time.Time) []AzureUsage {
	made := s.meteredOf(tenant, subscription)
	if made == nil {
		return nil
	}
	var out []AzureUsage
	own := map[string]bool{} // machines that have rows of the past of their own
	for _, u := range made.Usage {
		own[u.Resource] = true
	}
	for _, u := range s.usage(made, s.boughtSince(tenant, subscription, from), from, to, now) {
		if u.Resource != "" {
			out = append(out, u)
			continue
		}
		var machines []*AzureResource
		for i := range made.Resources {
			r := &made.Resources[i]
			if strings.EqualFold(r.Type, machineKind) && r.Created.Before(u.Day.AddDate(0, 0, 1)) && !own[r.Path()] && !r.Created.After(s.Created) {
				machines = append(machines, r)
			}
		}
		if len(machines) == 0 || u.Category != machineHours {
			out = append(out, u)
			continue
		}
		n := float64(len(machines))
		for _, r := range machines {
			one := u
			one.Quantity, one.Cost, one.Location, one.Meter, one.Resource = u.Quantity/n, u.Cost/n, r.Location, r.Size, r.Path()
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(x, y AzureUsage) int { return x.Day.Compare(y.Day) })
	return out
}

const machineKind = "Microsoft.Compute/virtualMachines"

// boughtSince is when the plan of a subscription was bought; the other moment when that
// is not known.
func (s *State) boughtSince(tenant, subscription string, other time.Time) time.Time {
	since := other
	if p := s.PartnerTenant(); p != nil {
		if c := p.Customers.Get(tenant); c != nil {
			for i := range c.Subscriptions {
				for _, e := range c.Subscriptions[i].Entitlements {
					if strings.EqualFold(e.SubscriptionID, subscription) {
						since = c.Subscriptions[i].Created
					}
				}
			}
		}
	}
	return since
}

// machineHours is the category of what running machines cost.
const machineHours = "Virtual Machines"

// meterCategory is the category that a running resource is paid in: nodes of Batch and
// of Machine Learning are virtual machines.
func meterCategory(kind string) string {
	if strings.EqualFold(kind, "Microsoft.ContainerInstance/containerGroups") {
		return "Container Instances"
	}
	return machineHours
}

// metered is what machines with a price of their own have used, a day and machine a
// row.
func (a *AzureSubscription) metered(from, to, now time.Time) []AzureUsage {
	var out []AzureUsage
	for i := range a.Resources {
		r := &a.Resources[i]
		for d := from.UTC().Truncate(day); d.Before(to) && !d.After(now); d = d.Add(day) {
			hours := 0.0
			for _, run := range r.Runs {
				hours += a.hoursOn(run, d, now) * float64(max(1, run.Count))
			}
			if hours > 0 {
				out = append(out, AzureUsage{Day: d, Category: meterCategory(r.Type), Quantity: round4(hours), Unit: "1 Hour",
					Cost: math.Round(hours*r.Hourly*100) / 100, Resource: r.Path(), Location: r.Location, Meter: r.Size})
			}
		}
	}
	return out
}

// hoursOn are the hours of a day that fall into a run, but for those in which the
// subscription was off.
func (a *AzureSubscription) hoursOn(run Run, d, now time.Time) float64 {
	begin, end := latest(run.From, d), earliest(d.Add(day), now)
	if !run.To.IsZero() {
		end = earliest(end, run.To)
	}
	left := end.Sub(begin)
	if left <= 0 {
		return 0
	}
	off := a.Off
	if n := len(off); !a.CancelDue.IsZero() && (n == 0 || !off[n-1].Until.IsZero()) {
		off = append(slices.Clip(off), Span{From: a.CancelDue})
	}
	for _, o := range off {
		until := end
		if !o.Until.IsZero() {
			until = earliest(end, o.Until)
		}
		if lost := until.Sub(latest(begin, o.From)); lost > 0 {
			left -= lost
		}
	}
	return math.Max(0, left.Hours())
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// mod is the remainder that is never negative.
func mod(a time.Duration, n int64) int64 { return ((int64(a) % n) + n) % n }
