package signins

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/signin"
)

// Builder sees the rows of a judging pass. The zero value with Until set is ready.
type Builder struct {
	Until time.Time // judged as of
	// Where is where in the archive a row is; nil knows of none. Safe for concurrent use.
	Where func(*signin.Sighting) (segment string, entry int64, ok bool)

	mu       sync.Mutex // guards visitors
	visitors []*collector
}

// Visitor makes a visitor for one goroutine. Safe for concurrent use.
func (b *Builder) Visitor() signin.Visitor {
	c := &collector{b: b, hours: map[int64]*Count{}}
	for i := range c.facets {
		c.facets[i] = map[string]*Value{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.visitors = append(b.visitors, c)
	return c
}

// Input is what a part says beside the rows.
type Input struct {
	From, To time.Time
	Allows   time.Duration // how old the log may be
	Unread   string        // why there is no log
	Gaps     []Span
	Marks    []Mark
	// Settle says what the settings ask of a row, and where it is to them; nil: they are
	// not known.
	Settle func(*Row)
}

// Build joins what the visitors saw. Call it once the pass has finished.
func (b *Builder) Build(in Input) Part {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := Part{From: in.From, To: in.To, Allows: in.Allows, Unread: in.Unread, Gaps: in.Gaps, Marks: in.Marks, Hours: []Hour{}, Facets: []Facet{}, Rows: []Row{},
		Settled: in.Settle != nil}
	if p.Gaps == nil {
		p.Gaps = []Span{}
	}
	if p.Marks == nil {
		p.Marks = []Mark{}
	}
	hours := map[int64]*Count{}
	var facets [facetCount]map[string]*Value
	var over [facetCount]int
	var piles [3]pile
	for i := range facets {
		facets[i] = map[string]*Value{}
	}
	for _, c := range b.visitors {
		p.Strange += c.strange
		for h, n := range c.hours {
			if hours[h] == nil {
				hours[h] = &Count{}
			}
			hours[h].add(n)
		}
		for i := range c.facets {
			over[i] += c.over[i]
			for k, v := range c.facets[i] {
				o := facets[i][k]
				if o == nil {
					o = &Value{Value: k, Word: v.Word}
					facets[i][k] = o
				}
				o.Rows += v.Rows
				o.Open += v.Open
				o.Word = max(o.Word, v.Word) // equal input gives equal words
			}
		}
		for i := range c.piles {
			piles[i].of += c.piles[i].of
			for _, r := range c.piles[i].rows {
				piles[i].put(r, limits[i])
			}
		}
		p.Total.add(&c.total)
		if !c.first.IsZero() && (p.First.IsZero() || c.first.Before(p.First)) {
			p.First = c.first
		}
		if c.last.After(p.Last) {
			p.Last = c.last
		}
	}
	for h, n := range hours {
		p.Hours = append(p.Hours, Hour{At: time.Unix(h*3600, 0).UTC(), Count: *n})
	}
	slices.SortFunc(p.Hours, func(a, b Hour) int { return a.At.Compare(b.At) })
	for i := range facets {
		p.Facets = append(p.Facets, facetOf(facetNames[i], facets[i], over[i]))
	}
	for i, k := range []*Kept{&p.Against, &p.Unknown, &p.Rest} {
		*k = Kept{len(piles[i].rows), piles[i].of}
		slices.SortFunc(piles[i].rows, func(a, b *Row) int { return b.compare(a) })
		for _, r := range piles[i].rows {
			if in.Settle != nil {
				in.Settle(r)
			}
			p.Rows = append(p.Rows, *r)
		}
	}
	slices.SortFunc(p.Rows, worstFirst) // as the page has them: it need not sort them again
	return p
}

// worstFirst orders rows as the list does where nothing else is asked for.
func worstFirst(a, b Row) int {
	return cmp.Or(verdictRank(a.Verdict)-verdictRank(b.Verdict), b.At.Compare(a.At), strings.Compare(a.Key(), b.Key()))
}

func facetOf(name string, all map[string]*Value, over int) Facet {
	f := Facet{Name: name, Values: []Value{}}
	for _, v := range all {
		f.Values = append(f.Values, *v)
	}
	slices.SortFunc(f.Values, func(a, b Value) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value, b.Value))
	})
	if n := len(f.Values) - maxValues; n > 0 {
		f.Values, f.More = f.Values[:maxValues], n
	}
	f.More += over
	return f
}

// The facets, by the names of the list's filters.
const (
	facetVerdict = iota
	facetApp
	facetClient
	facetProtocol
	facetAccount
	facetCountry
	facetPolicy
	facetCount
)

var facetNames = [facetCount]string{"verdict", "app", "client", "protocol", "account", "country", "policy"}

// limits are of the three piles: against, unknown, rest.
var limits = [3]int{MaxAgainst, MaxUnknown, MaxRest}

// collector is one visitor.
type collector struct {
	b           *Builder
	total       Count
	hours       map[int64]*Count
	facets      [facetCount]map[string]*Value
	over        [facetCount]int
	piles       [3]pile
	strange     int64
	first, last time.Time
}

// See implements [signin.Visitor].
func (c *collector) See(s *signin.Sighting) {
	if s.Verdict == signin.NotUser {
		return
	}
	c.total.see(s)
	if h, ok := c.hour(s.At); ok {
		n := c.hours[h]
		if n == nil {
			n = &Count{}
			c.hours[h] = n
		}
		n.see(s)
		if c.first.IsZero() || s.At.Before(c.first) {
			c.first = s.At
		}
		if s.At.After(c.last) {
			c.last = s.At
		}
	} else {
		c.strange++
	}
	open := s.Verdict == signin.NotChallenged
	c.count(facetVerdict, s.Verdict.String(), "", open)
	c.count(facetApp, cmp.Or(s.AppID, s.AppDisplayName), s.AppDisplayName, open)
	c.count(facetClient, s.ClientAppUsed, "", open)
	c.count(facetProtocol, protocolOf(s), "", open)
	c.count(facetAccount, cmp.Or(s.UserID, s.UserPrincipalName), s.UserPrincipalName, open)
	c.count(facetCountry, s.Country, "", open)
	c.count(facetPolicy, s.PolicyState, "", open)
	which := 2
	switch {
	case open:
		which = 0
	case s.Verdict == signin.Unknown:
		which = 1
	}
	p := &c.piles[which]
	if p.of++; p.wants(s, limits[which]) {
		p.put(c.row(s), limits[which])
	}
}

// hour is the hour of a moment, where it is one that is counted.
func (c *collector) hour(at time.Time) (int64, bool) {
	d := c.b.Until.Sub(at)
	return floorHour(at.Unix()), !at.IsZero() && d > -24*time.Hour && d < maxDays*24*time.Hour
}

func floorHour(sec int64) int64 {
	h := sec / 3600
	if sec%3600 < 0 {
		h--
	}
	return h
}

func (c *collector) count(facet int, key, word string, open bool) {
	if key == "" {
		return
	}
	m := c.facets[facet]
	v := m[key]
	if v == nil {
		low := strings.ToLower(cut(key))
		if facet == facetVerdict || facet == facetClient || facet == facetProtocol || facet == facetPolicy {
			low = cut(key)
		}
		if v = m[low]; v == nil {
			if len(m) >= maxKeys {
				c.over[facet]++
				return
			}
			v = &Value{}
			m[low] = v
		}
	}
	v.Rows++
	if open {
		v.Open++
	}
	if word > v.Word { // whoever sees it first, the word is the same
		v.Word = cut(word)
	}
}

// cut is a copy of a text that is only lent, bounded.
func cut(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.Clone(s)
}

func protocolOf(s *signin.Sighting) string {
	switch {
	case s.DeviceCode:
		return "deviceCode"
	case s.ROPC:
		return "ropc"
	}
	return s.Protocol
}

func (c *collector) row(s *signin.Sighting) *Row {
	r := RowOf(s)
	if c.b.Where != nil {
		if segment, entry, ok := c.b.Where(s); ok {
			r.Segment, r.Entry = segment, entry
		}
	}
	return &r
}

// RowOf copies what is shown of a row that is only lent.
func RowOf(s *signin.Sighting) Row {
	return Row{
		ID: cut(s.ID), At: s.At.UTC(), UserID: cut(s.UserID), User: cut(s.UserPrincipalName), AppID: cut(s.AppID), App: cut(s.AppDisplayName),
		Resource: cut(s.Resource), Client: cut(s.ClientAppUsed), Protocol: cut(protocolOf(s)), IP: cut(s.IPAddress), Country: cut(s.Country),
		Platform: cut(s.Platform), Risk: cut(s.RiskLevel), Policy: cut(s.PolicyState), Verdict: s.Verdict.String(), Reason: s.Reason.String(),
		Said: s.Reason.Text(), Legacy: s.Legacy, DeviceCode: s.DeviceCode, ROPC: s.ROPC, AOBO: s.AOBO, Success: s.Success, Compliant: s.Compliant,
		Joined: s.HybridJoined, Entry: -1,
	}
}

// compare orders rows by time, id and account: a total order of what differs, so that the
// choice does not depend on who saw what.
func (r *Row) compare(o *Row) int {
	return cmp.Or(r.At.Compare(o.At), strings.Compare(r.ID, o.ID), strings.Compare(r.UserID, o.UserID), strings.Compare(r.AppID, o.AppID),
		strings.Compare(r.Segment, o.Segment), cmp.Compare(r.Entry, o.Entry))
}

// pile keeps the newest rows: the oldest of them is on top of the heap.
type pile struct {
	rows []*Row
	of   int64
}

func (p *pile) Len() int           { return len(p.rows) }
func (p *pile) Less(i, j int) bool { return p.rows[i].compare(p.rows[j]) < 0 }
func (p *pile) Swap(i, j int)      { p.rows[i], p.rows[j] = p.rows[j], p.rows[i] }

// Push implements heap.Interface.
func (p *pile) Push(x any) { p.rows = append(p.rows, x.(*Row)) }

// Pop implements heap.Interface.
func (p *pile) Pop() any {
	x := p.rows[len(p.rows)-1]
	p.rows = p.rows[:len(p.rows)-1]
	return x
}

// wants says whether a row could be among the newest, before it is copied.
func (p *pile) wants(s *signin.Sighting, limit int) bool {
	return len(p.rows) < limit || !s.At.Before(p.rows[0].At)
}

func (p *pile) put(r *Row, limit int) {
	heap.Push(p, r)
	if len(p.rows) > limit {
		heap.Pop(p)
	}
}
