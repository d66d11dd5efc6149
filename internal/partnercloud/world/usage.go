package world

import (
	"math"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Usage gives what an Azure subscription used in each day from one moment to before
// another, oldest first, up to the present. The generated days come as the scenario
// made them. The days before and after them repeat the week at that end, so that
// what used much at last goes on using much; while the subscription is off it uses
// nothing. since is when there was anything to use.
func (s *State) Usage(tenant, subscription string, since, from, to time.Time) []AzureUsage {
	var made *AzureSubscription
	if t := s.tenants[strings.ToLower(tenant)]; t != nil {
		made = t.Azure.Get(subscription)
	}
	var seeded []AzureUsage
	switch {
	case made != nil && len(made.Usage) > 0:
		seeded = made.Usage
	case s.Metered != nil:
		seeded = s.Metered(tenant, subscription)
	}
	if len(seeded) == 0 {
		return nil
	}
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
	now := s.Clock.Now()
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
		if made != nil {
			share *= made.On(d, now)
		}
		for _, u := range byDay[like] {
			u.Day, u.Quantity, u.Cost = d, round4(u.Quantity*share), math.Round(u.Cost*share*100)/100
			if u.Quantity != 0 || u.Cost != 0 {
				out = append(out, u)
			}
		}
	}
	return out
}

func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// mod is the remainder that is never negative.
func mod(a time.Duration, n int64) int64 { return ((int64(a) % n) + n) % n }
