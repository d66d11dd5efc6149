package detect

import (
	"slices"
	"strings"
	"time"
)

// Limits of a part: what is beyond them is counted, not kept.
const (
	maxText    = 300     // bytes of a word that is kept
	maxTexts   = 400_000 // texts of a customer
	maxActs    = 300_000
	maxSubs    = 20_000
	maxSeries  = 2_000 // of a subscription; further meters are folded by family and region
	maxCallers = 20_000
	maxNets    = 300 // networks of a caller
	maxBuckets = 24 * 420
)

// word is the number of a word in a part's table; 0 is "".
type word uint32

// Part is what was folded of one customer: what live judging keeps and continues. Records may
// come in any order. It serves one goroutine.
type Part struct {
	Tenant  string
	who     Customer
	texts   []string
	index   map[string]word
	subs    map[word]*sub
	callers map[word]*caller
	alias   map[word]word // a user principal name's object id
	acts    []act
	actAt   map[uint64]int32 // where the act with a hash is in acts
	dropped int64            // records beyond the limits
	events  int64
	lines   int64
}

// sub is what was seen of a subscription; the one with the number 0 is the customer's directory.
type sub struct {
	id         word
	series     []*series
	at         map[uint64]int32 // series by the hash of their key
	late       []lateLine
	regions    map[word]*bitset // days with acts in a region
	firstEvent int64            // Unix seconds; 0 none
	firstUsage int64
	lastUsage  int64
}

// caller is what was seen of somebody who acts.
type caller struct {
	hours bitset         // in which it did something
	first int64          // Unix seconds
	nets  map[word]int64 // networks and countries, and when each was first used
	app   bool           // it is no person
}

// act is one act: rows of it are merged.
type act struct {
	key      uint64
	at       int64 // its first row, Unix seconds
	told     int64 // the first row that says where; 0: none does
	sized    int64 // the first row that says how large or how many; 0: none does
	failed   int64 // the first row that says that it failed; 0: none does
	ok       int64 // the first row that says that it succeeded; 0: none does
	kind     actKind
	role     role
	code     failure
	count    int32 // machines; 0 not said
	sub      word
	caller   word
	net      word
	country  word
	region   word
	size     word
	resource word
	targets  []word
	app      word
}

// lateLine is use that was rated long after it was.
type lateLine struct {
	series int32
	bucket int32
	known  int64
	q      float32
}

// series is how much of a meter was used in a region, by the hour or the day.
type series struct {
	key    uint64
	meter  word
	region word
	size   word
	fam    family
	hourly bool
	price  float64 // about US dollars a unit, as it was first
	priced int64   // when that was
	start  int32   // the first bucket: hours or days of the Unix epoch
	q      []float32
}

// NewPart makes a part of a customer that nothing is known of yet.
func NewPart(tenant string) *Part {
	return &Part{Tenant: tenant, who: Customer{Tenant: tenant}, texts: []string{""}, index: map[string]word{"": 0}, subs: map[word]*sub{},
		callers: map[word]*caller{}, alias: map[word]word{}, actAt: map[uint64]int32{}}
}

// Customer tells who the customer is.
func (p *Part) Customer(c Customer) {
	c.Tenant = p.Tenant
	if c.Name == "" {
		c.Name = p.who.Name
	}
	if c.Since.IsZero() {
		c.Since = p.who.Since
	}
	c.Subscriptions = nil
	p.who = c
}

// Counted says how many rows and lines were folded, and how many were beyond a limit.
func (p *Part) Counted() (events, lines, dropped int64) { return p.events, p.lines, p.dropped }

// Subscriptions are those that something was seen of, sorted.
func (p *Part) Subscriptions() (out []string) {
	for t := range p.subs {
		if t != 0 {
			out = append(out, p.texts[t])
		}
	}
	slices.Sort(out)
	return out
}

// word gives a word its number.
func (p *Part) word(s string) word {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if t, ok := p.index[s]; ok {
		return t
	}
	if len(p.texts) >= maxTexts {
		p.dropped++
		return 0
	}
	t := word(len(p.texts))
	s = strings.Clone(s)
	p.texts = append(p.texts, s)
	p.index[s] = t
	return t
}

func (p *Part) sub(id string) *sub {
	t := p.word(id)
	if s := p.subs[t]; s != nil {
		return s
	}
	if len(p.subs) >= maxSubs {
		p.dropped++
		return nil
	}
	s := &sub{id: t, at: map[uint64]int32{}, regions: map[word]*bitset{}}
	p.subs[t] = s
	return s
}

func (p *Part) caller(t word) *caller {
	c := p.callers[t]
	if c == nil && len(p.callers) < maxCallers {
		c = &caller{nets: map[word]int64{}}
		p.callers[t] = c
	}
	return c
}

// hash is FNV-1a over texts: it is kept, so it is the same everywhere.
func hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range parts {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

// earliest is the smaller of two times of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
