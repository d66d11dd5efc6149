package worlds

import (
	"slices"
	"time"
)

// How many there are: 0 to Normals-1 are normal, the Attacks after them are not.
const (
	Normals = 200
	Attacks = 60
)

const firstSeed = 20260105

// World is one partner's customers over some weeks.
type World struct {
	N         int
	Seed      uint64
	Trait     string // what a normal world is about; the kind of attack of another
	Hidden    string // how the attack hides; "" it does not
	Start     time.Time
	Days      int
	Customers []*Customer
	Truth     []*Truth // what was attacked; empty in a normal world

	things []*thing
	acts   []*act
	events []*event // of directories and sign-ins
	wins   []window // what was declared

	partner string // tenant
	techs   []*actor
	style   style
}

// Customer is one tenant.
type Customer struct {
	ID, Name, Domain, Country string
	Since                     int // hours after the start of the world; below 0: before it
	Subscriptions             []*Subscription

	plan   string // of Azure
	office string // address that its people share
	admins []*actor
	pipe   *actor // its pipeline
	zone   int    // hours before UTC
}

// Subscription is one of Azure.
type Subscription struct {
	ID, Name string
	From     int // hours after the start of the world
	customer *Customer
	home     string // region
	blind    bool   // its Activity Log was not kept
	groups   []string
	prices   []pricing
}

// pricing changes what is paid from an hour on.
type pricing struct {
	from     int
	permille int64
	sizes    string // the meter's subcategory; "" all
}

// Truth is one attack.
type Truth struct {
	Customer, Subscription string
	Kind, Hidden           string
	First                  time.Time // the first malicious act, of whichever kind
	Running                time.Time // what it made first runs
	Until                  time.Time
	Logged                 bool // the Activity Log tells of it
	from                   int
	hours                  map[int]int64 // millionths of a euro spent in each hour
}

// Lost is the money, in euros, that the attack cost from its start until a moment.
func (t *Truth) Lost(w *World, until time.Time) float64 {
	var sum int64
	for h, m := range t.hours {
		if !w.hour(h).After(until) {
			sum += m
		}
	}
	return float64(sum) / million
}

// thing is something that runs, and is paid for.
type thing struct {
	sub         *Subscription
	group, name string
	parent      string // what it stands below; "" "main"
	region      string
	form        *form
	from, until int             // hours
	level       func(h int) int // how many run, or how much it holds
	evil        *Truth
}

func (w *World) hour(h int) time.Time { return w.Start.Add(time.Duration(h) * time.Hour) }

func (w *World) hours() int { return 24 * w.Days }

// at is a moment of a day of the world in UTC, with minutes and seconds by the dice.
func (w *World) at(d *dice, h int) time.Time {
	return w.hour(h).Add(time.Duration(d.n(3600))*time.Second + time.Duration(d.n(10_000_000))*100)
}

// weekday of an hour.
func (w *World) weekday(h int) time.Weekday { return w.hour(h).Weekday() }

func (w *World) weekend(h int) bool {
	day := w.weekday(h)
	return day == time.Saturday || day == time.Sunday
}

// working is whether people are at work in an hour.
func (w *World) working(c *Customer, h int) bool {
	local := h%24 + c.zone
	return !w.weekend(h) && local >= 8 && local < 18
}

// workday is the first hour of a working day, at or after a day.
func (w *World) workday(day int) int {
	for w.weekend(24 * day) {
		day++
	}
	return 24 * day
}

// desk is an hour at which somebody works, on a working day at or after a day.
func (w *World) desk(d *dice, c *Customer, day int) int {
	return w.workday(day) + 8 - c.zone + d.n(9)
}

// Test is whether the world belongs to the half that nobody may tune on.
func (w *World) Test() bool { return w.Seed%2 == 1 }

// Normal is whether nothing bad happens in it.
func (w *World) Normal() bool { return len(w.Truth) == 0 }

// SubscriptionDays is what false findings are counted over.
func (w *World) SubscriptionDays() int {
	days := 0
	for _, c := range w.Customers {
		for _, s := range c.Subscriptions {
			days += w.Days - max(0, s.From)/24
		}
	}
	return days
}

// New is world n, from 0 to below Normals+Attacks; it panics on another.
func New(n int) *World {
	if n < 0 || n >= Normals+Attacks {
		panic("worlds: there is no world " + num(n))
	}
	w := &World{N: n, Seed: firstSeed + uint64(n)}
	d := &dice{s: mix(w.Seed)}
	w.Start = time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, d.n(210))
	w.Days = d.span(30, 120)
	w.people(d.fork("people"))
	w.estates(d.fork("estates"))
	w.style = styleOf(d.fork("style"), w)
	if n < Normals {
		w.normal(d.fork("normal"), n/2%len(traits))
	} else {
		w.attacked(d.fork("attack"), n-Normals)
	}
	w.daily(d.fork("daily"))
	w.settle()
	return w
}

// settle puts everything in order of time.
func (w *World) settle() {
	slices.SortStableFunc(w.acts, func(a, b *act) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(w.events, func(a, b *event) int { return a.at.Compare(b.at) })
	for _, t := range w.Truth {
		t.hours = map[int]int64{}
	}
	for _, t := range w.things {
		if t.evil == nil {
			continue
		}
		for h := max(0, t.from); h < min(t.until, w.hours()); h++ {
			for _, m := range t.form.meters {
				t.evil.hours[h] += t.cost(m, h, h+1).cost
			}
		}
	}
}

// subscriptions are all of them.
func (w *World) subscriptions() (all []*Subscription) {
	for _, c := range w.Customers {
		all = append(all, c.Subscriptions...)
	}
	return all
}
