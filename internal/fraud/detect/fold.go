package detect

import (
	"math"
	"net/netip"
	"strings"
	"time"
)

// Moments that a record may be of: what is outside is damaged, not old.
var (
	oldest = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	newest = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func sane(t time.Time) bool { return t.After(oldest) && t.Before(newest) }

// Activity folds a row of this customer's logs. It may come again, and in any order.
func (p *Part) Activity(e *Event) {
	if !sane(e.At) {
		p.dropped++
		return
	}
	s := p.sub(e.Subscription)
	if s == nil {
		return
	}
	p.events++
	at := ceil(e.At)
	if e.Log == ActivityLog || e.Log == "" {
		s.firstEvent = earliest(s.firstEvent, at)
	}
	who := p.word(strings.ToLower(e.Caller))
	if who == 0 {
		who = p.word(strings.ToLower(e.Actor))
	}
	if e.Actor != "" && e.Caller != "" && !strings.EqualFold(e.Actor, e.Caller) {
		p.alias[who] = p.word(strings.ToLower(e.Actor))
	}
	net := p.word(network(e.IP))
	country := p.word(strings.ToUpper(e.Country))
	if who != 0 && !platform(e.Caller) && (e.Log != SignIns || !bad(e.Status)) {
		p.seen(who, at, net, country, !strings.Contains(e.Caller, "@"))
	}
	kind := classify(e)
	region := p.word(e.Region)
	if region != 0 && kind != actOther {
		b := s.regions[region]
		if b == nil {
			b = new(bitset)
			s.regions[region] = b
		}
		b.add(at / daySeconds)
	}
	if kind == actNone {
		return
	}
	a := act{at: at, kind: kind, role: roleOf(e.Role), count: int32(min(max(e.Count, 0), 1_000_000)), sub: s.id, caller: who, net: net, country: country,
		region: region, size: p.word(strings.ToLower(e.Size)), app: p.word(strings.ToLower(e.App))}
	if kind == actOther {
		p.other(a, e)
		return
	}
	a.resource = p.word(strings.ToLower(e.Resource))
	if kind == actRisk {
		a.count = risk(e)
	}
	for _, t := range e.Targets {
		if len(a.targets) < 8 && t != "" {
			a.targets = append(a.targets, p.word(strings.ToLower(t)))
		}
	}
	if a.region != 0 {
		a.told = at
	}
	if a.size != 0 || a.count != 0 {
		a.sized = at
	}
	if bad(e.Status) {
		a.failed, a.code = at, failureOf(e.Code)
	} else if good(e.Status) {
		a.ok = at
	}
	same := e.Act
	if same == "" {
		same = e.At.UTC().Truncate(time.Hour).String() + p.texts[who]
	}
	a.key = hash(same, p.texts[a.resource], strings.ToLower(e.Operation))
	p.add(a)
}

// ceil is a moment in whole seconds, not before it: what is detected by a record is not detected
// before the record.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// other keeps of acts that are no sign by themselves one an hour of each caller and place.
func (p *Part) other(a act, e *Event) {
	if a.caller == 0 || platform(e.Caller) {
		return
	}
	a.region, a.size, a.count, a.app = 0, 0, 0, 0
	hour := time.Unix(a.at/3600*3600, 0).UTC().Format(time.RFC3339)
	a.key = hash("other", hour, p.texts[a.caller], p.texts[a.sub], p.texts[a.net])
	p.add(a)
}

// add joins a row with the act that it is of.
func (p *Part) add(a act) {
	i, ok := p.actAt[a.key]
	if !ok {
		if len(p.acts) >= maxActs {
			p.dropped++
			return
		}
		p.actAt[a.key] = int32(len(p.acts))
		p.acts = append(p.acts, a)
		return
	}
	b := &p.acts[i]
	b.at, b.told, b.sized, b.failed = earliest(b.at, a.at), earliest(b.told, a.told), earliest(b.sized, a.sized), earliest(b.failed, a.failed)
	b.ok = earliest(b.ok, a.ok)
	b.code = max(b.code, a.code)
	b.count, b.role = max(b.count, a.count), max(b.role, a.role)
	for _, f := range []struct{ into, from *word }{{&b.region, &a.region}, {&b.size, &a.size}, {&b.net, &a.net}, {&b.country, &a.country}, {&b.app, &a.app}} {
		if *f.from != 0 && (*f.into == 0 || p.texts[*f.from] < p.texts[*f.into]) {
			*f.into = *f.from
		}
	}
	if len(b.targets) < len(a.targets) {
		b.targets = a.targets
	}
}

// seen remembers that somebody was active, and from where.
func (p *Part) seen(who word, at int64, net, country word, app bool) {
	c := p.caller(who)
	if c == nil {
		p.dropped++
		return
	}
	c.hours.add(at / 3600)
	c.first = earliest(c.first, at)
	c.app = app
	for _, n := range []word{net, country} {
		if n == 0 {
			continue
		}
		if first, ok := c.nets[n]; ok || len(c.nets) < maxNets {
			c.nets[n] = earliest(first, at)
		}
	}
}

// platform reports a caller that is Azure itself.
func platform(caller string) bool {
	return strings.HasPrefix(caller, "Microsoft.") || strings.HasPrefix(caller, "microsoft.") || strings.EqualFold(caller, "azure")
}

// network is the part of an address that a place shares: a /16 of IPv4, a /32 of IPv6.
func network(ip string) string {
	if ip == "" {
		return ""
	}
	a, err := netip.ParseAddr(ip)
	if err != nil {
		ap, err := netip.ParseAddrPort(ip)
		if err != nil {
			return ""
		}
		a = ap.Addr()
	}
	a = a.Unmap()
	bits := 16
	if a.Is6() {
		bits = 32
	}
	n, err := a.Prefix(bits)
	if err != nil || a.IsLoopback() {
		return ""
	}
	return n.String()
}

// Usage folds a line of use of this customer. Lines of one meter, region and time are added up.
func (p *Part) Usage(u *Usage) {
	if !sane(u.From) || math.IsNaN(u.Quantity) || math.IsInf(u.Quantity, 0) || math.IsNaN(u.Cost) || math.IsInf(u.Cost, 0) {
		p.dropped++
		return
	}
	s := p.sub(u.Subscription)
	if s == nil {
		return
	}
	p.lines++
	q, price := u.Quantity, u.Price
	if q == 0 && u.Cost > 0 {
		q = 1
	}
	if q <= 0 || u.Cost < 0 || !usable(u) {
		return // what was given back is no use
	}
	if u.Cost > 0 && price <= 0 {
		price = u.Cost / q
	}
	from := u.From.Unix()
	s.firstUsage, s.lastUsage = earliest(s.firstUsage, from), max(s.lastUsage, from)
	x, at := p.series(s, u)
	bucket := int32(from / x.width())
	if usd := price * rate(u.Currency); usd > 0 && (x.price == 0 || from < x.priced || from == x.priced && usd < x.price) {
		x.price, x.priced = usd, from
	}
	if known := unix(u.Rated); known > u.To.Unix()+3600 {
		if !x.room(bucket, 0) || len(s.late) > 1_000_000 {
			p.dropped++
			return
		}
		s.late = append(s.late, lateLine{at, bucket, known, float32(q)})
		return
	}
	if !x.room(bucket, float32(q)) {
		p.dropped++
	}
}

// series is where a line of use is added to.
func (p *Part) series(s *sub, u *Usage) (*series, int32) {
	hourly := u.To.Sub(u.From) <= time.Hour
	fam, z := familyOf(u)
	by := "d"
	if hourly {
		by = "h"
	}
	meter, region := u.Meter, u.Region
	key := hash(by, meter, region, z.name)
	i, ok := s.at[key]
	if !ok && len(s.series) >= maxSeries {
		meter = "further meters"
		key = hash(by, meter, region, string(rune('0'+fam)))
		i, ok = s.at[key]
	}
	if !ok {
		i = int32(len(s.series))
		s.at[key] = i
		s.series = append(s.series, &series{key: key, meter: p.word(meter), region: p.word(region), size: p.word(z.name), fam: fam, hourly: hourly})
	}
	return s.series[i], i
}

// width is how many seconds a bucket has.
func (x *series) width() int64 {
	if x.hourly {
		return 3600
	}
	return daySeconds
}

// room adds q to a bucket; false: it lies too far from what is there.
func (x *series) room(bucket int32, q float32) bool {
	switch {
	case len(x.q) == 0:
		x.start, x.q = bucket, append(x.q, 0)
	case bucket < x.start:
		more := int(x.start - bucket)
		if more+len(x.q) > maxBuckets {
			return false
		}
		x.q = append(make([]float32, more, more+len(x.q)), x.q...)
		x.start = bucket
	case int(bucket-x.start) >= len(x.q):
		if int(bucket-x.start) >= maxBuckets {
			return false
		}
		for int(bucket-x.start) >= len(x.q) {
			x.q = append(x.q, 0)
		}
	}
	x.q[bucket-x.start] += q
	return true
}

const daySeconds = 86400
