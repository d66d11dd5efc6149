package worlds

import (
	"slices"
	"time"
)

// Line is a line of usage, as a bill has it.
type Line struct {
	thing *thing
	meter meter
	from  int // hours
	hours int
	qty   int64 // millionths of the unit
	unit  int64 // millionths of the currency a unit
	cost  int64 // millionths of the currency
	money string
	rated int // hour in which it is exported
}

// Subscription is whose it is.
func (l *Line) Subscription() string { return l.thing.sub.ID }

// Day is the day it is for, in UTC.
func (l *Line) Day(w *World) time.Time { return w.hour(l.from).Truncate(24 * time.Hour) }

// Cost is in the bill's currency.
func (l *Line) Cost() float64 { return float64(l.cost) / million }

// cost is what a thing used of a meter, in euros, by the list's price.
func (t *thing) cost(m meter, from, until int) Line {
	var n int64
	for h := max(from, t.from); h < min(until, t.until); h++ {
		if t.level == nil {
			n++
			continue
		}
		n += int64(t.level(h))
	}
	qty := n * m.hour
	return Line{thing: t, meter: m, from: from, hours: until - from, qty: qty, unit: m.price, cost: qty * m.price / million}
}

// Lines calls with each line of usage, in the order of the days; late ones come with the day on
// which they were rated, and not at all if the world has ended by then. It ends when yield
// returns false.
func (w *World) Lines(yield func(*Line) bool) {
	step := 24
	if w.style.hourly {
		step = 1
	}
	var late []Line
	for h := 0; h < w.hours(); h += step {
		for i := range late {
			if late[i].rated == h && !yield(&late[i]) {
				return
			}
		}
		lost := slices.Contains(w.style.gaps, h/24)
		for i, t := range w.things {
			for _, m := range t.form.meters {
				l := t.cost(m, h, h+step)
				if l.qty == 0 {
					continue
				}
				w.priced(&l)
				l.rated = h/24*24 + 48
				switch {
				case lost && !w.style.late: // never exported
				case lost || w.style.late && noise(w.Seed, h/24*1000+i, 100) < 2:
					l.rated += 24 * (1 + noise(w.Seed, h/24+i, 3))
					late = append(late, l)
				case !yield(&l):
					return
				}
			}
		}
	}
}

// priced is the price of the day in the currency of the bill.
func (w *World) priced(l *Line) {
	permille := int64(1000)
	for _, p := range l.thing.sub.prices {
		if l.from >= p.from && (p.sizes == "" || p.sizes == l.meter.sub) {
			permille = p.permille
		}
	}
	var now change
	for _, c := range w.style.money {
		if l.from >= c.from {
			now = c
		}
	}
	l.money = now.currency
	l.unit = l.unit * permille / 1000 * now.permille / 1000
	l.cost = l.qty * l.unit / million
}
