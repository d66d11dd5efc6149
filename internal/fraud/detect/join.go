package detect

import "slices"

// join takes in another part, whose records turned out to be of this customer.
func (p *Part) join(o *Part) {
	move := make([]word, len(o.texts))
	for i, s := range o.texts {
		move[i] = p.word(s)
	}
	p.events, p.lines, p.dropped = p.events+o.events, p.lines+o.lines, p.dropped+o.dropped
	for t, s := range o.subs {
		p.joinSub(s, o.texts[t], move)
	}
	for t, c := range o.callers {
		mine := p.caller(move[t])
		if mine == nil {
			continue
		}
		c.hours.each(1<<40, mine.hours.add)
		mine.first, mine.app = earliest(mine.first, c.first), mine.app || c.app
		for n, at := range c.nets {
			if len(mine.nets) < maxNets {
				mine.nets[move[n]] = earliest(mine.nets[move[n]], at)
			}
		}
	}
	for a, b := range o.alias {
		p.alias[move[a]] = move[b]
	}
	for _, a := range o.acts {
		a.sub, a.caller, a.net, a.country, a.region = move[a.sub], move[a.caller], move[a.net], move[a.country], move[a.region]
		a.size, a.resource, a.app = move[a.size], move[a.resource], move[a.app]
		a.targets = slices.Clone(a.targets)
		for i, t := range a.targets {
			a.targets[i] = move[t]
		}
		p.add(a)
	}
}

func (p *Part) joinSub(s *sub, id string, move []word) {
	mine := p.sub(id)
	if mine == nil {
		return
	}
	mine.firstEvent, mine.firstUsage = earliest(mine.firstEvent, s.firstEvent), earliest(mine.firstUsage, s.firstUsage)
	mine.lastUsage = max(mine.lastUsage, s.lastUsage)
	for r, b := range s.regions {
		if mine.regions[move[r]] == nil {
			mine.regions[move[r]] = new(bitset)
		}
		b.each(1<<40, mine.regions[move[r]].add)
	}
	at := make([]int32, len(s.series))
	for i, x := range s.series {
		k, ok := mine.at[x.key]
		if !ok {
			k = int32(len(mine.series))
			mine.at[x.key] = k
			mine.series = append(mine.series, &series{key: x.key, meter: move[x.meter], region: move[x.region], size: move[x.size], fam: x.fam, hourly: x.hourly,
				price: x.price, priced: x.priced})
		}
		at[i] = k
		y := mine.series[k]
		for b, q := range x.q {
			if q != 0 {
				y.room(x.start+int32(b), q)
			}
		}
		if y.price == 0 || x.price != 0 && x.priced < y.priced {
			y.price, y.priced = x.price, x.priced
		}
	}
	for _, l := range s.late {
		l.series = at[l.series]
		mine.late = append(mine.late, l)
	}
}
