package rollup

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/signin"
)

// MaxEntries bounds the entries of a day.
const MaxEntries = 50_000

// maxText bounds each text of a key, in bytes.
const maxText = 256

// Key tells entries apart. Texts are at most 256 bytes; ids are in lower case.
type Key struct {
	User     string // user id, else user principal name, in lower case
	App      string // app id, else "name:" and the name, in lower case
	Resource string
	Client   string // clientAppUsed
	Protocol string // authenticationProtocol, or deviceCode or ropc where the row says so otherwise
	Verdict  signin.Verdict
	Policy   string // conditionalAccessStatus
}

// Pointer is where a row is in the archive; zero is not known.
type Pointer struct {
	Segment string
	Entry   int // among the entries of the segment, from 1
}

// Seen is one row of an entry.
type Seen struct {
	At time.Time // zero where the clock is unreadable
	ID string
	In Pointer
}

// Entry is what is counted together.
type Entry struct {
	Key
	Name    string // user principal name of the newest row that has one
	AppName string
	Rows    int64
	First   Seen // the oldest row
	Last    Seen // the newest
	named   Seen // the row that Name is of
	apped   Seen
}

// Day is one UTC day, "" where the clocks are unreadable. Entries are by key.
type Day struct {
	Date    string
	Entries []Entry
	Beyond  int64 // rows of entries past the limit
}

// compare orders keys.
func (k *Key) compare(o *Key) int {
	return cmp.Or(strings.Compare(k.User, o.User), strings.Compare(k.App, o.App), strings.Compare(k.Resource, o.Resource), strings.Compare(k.Client,
		o.Client),
		strings.Compare(k.Protocol, o.Protocol), cmp.Compare(k.Verdict, o.Verdict), strings.Compare(k.Policy, o.Policy))
}

// compare orders rows by time, id and place: a total order, so that the choice does
// not depend on the order of seeing.
func (s *Seen) compare(o *Seen) int {
	return cmp.Or(s.At.Compare(o.At), strings.Compare(s.ID, o.ID), strings.Compare(s.In.Segment, o.In.Segment), cmp.Compare(s.In.Entry, o.In.Entry))
}

// add merges o, which has the same key.
func (e *Entry) add(o *Entry) {
	e.Rows += o.Rows
	if o.First.compare(&e.First) < 0 {
		e.First = o.First
	}
	if o.Last.compare(&e.Last) > 0 {
		e.Last = o.Last
	}
	e.Name, e.named = newest(e.Name, e.named, o.Name, o.named)
	e.AppName, e.apped = newest(e.AppName, e.apped, o.AppName, o.apped)
}

// newest chooses the text of the newer row; one that is empty is none.
func newest(a string, at Seen, b string, bt Seen) (string, Seen) {
	switch {
	case b == "":
		return a, at
	case a == "", cmp.Or(bt.compare(&at), strings.Compare(b, a)) > 0:
		return b, bt
	}
	return a, at
}

// Rows are all rows of a day, also those beyond.
func (d *Day) Rows() (n int64) {
	for i := range d.Entries {
		n += d.Entries[i].Rows
	}
	return n + d.Beyond
}

// Of counts the rows of a verdict among the entries.
func (d *Day) Of(v signin.Verdict) (n int64) {
	for i := range d.Entries {
		if d.Entries[i].Verdict == v {
			n += d.Entries[i].Rows
		}
	}
	return n
}

// Merge is two parts of one day together; neither is changed. Rows must be in one of
// them alone. Date is a's, or b's where a has none.
func Merge(a, b *Day) *Day { return merge(a, b, MaxEntries) }

func merge(a, b *Day, limit int) *Day {
	out := &Day{Date: cmp.Or(a.Date, b.Date), Beyond: a.Beyond + b.Beyond, Entries: make([]Entry, 0, max(len(a.Entries), len(b.Entries)))}
	i, k := 0, 0
	for i < len(a.Entries) || k < len(b.Entries) {
		var e Entry
		switch {
		case k == len(b.Entries), i < len(a.Entries) && a.Entries[i].compare(&b.Entries[k].Key) < 0:
			e = a.Entries[i]
			i++
		case i == len(a.Entries), a.Entries[i].compare(&b.Entries[k].Key) > 0:
			e = b.Entries[k]
			k++
		default:
			e = a.Entries[i]
			e.add(&b.Entries[k])
			i++
			k++
		}
		if len(out.Entries) < limit {
			out.Entries = append(out.Entries, e)
		} else {
			out.Beyond += e.Rows
		}
	}
	return out
}

// Fold makes visitors of the fold and joins what they saw. Where is asked where a row
// is in the archive; nil knows of none, and it must be safe for concurrent use.
type Fold struct {
	Where func(*signin.Sighting) Pointer
	limit int

	mu       sync.Mutex // guards visitors
	visitors []*collector
}

// Visitor makes a visitor for one goroutine. Safe for concurrent use.
func (f *Fold) Visitor() signin.Visitor {
	c := &collector{where: f.Where, days: map[int64]map[Key]*Entry{}, texts: map[string]string{}, lowered: map[string]string{}, limit: cmp.Or(f.limit,
		MaxEntries),
		cut: map[int64]*Key{}, beyond: map[int64]int64{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitors = append(f.visitors, c)
	return c
}

// Days are what all visitors saw, by date. Call it once the fold has finished.
func (f *Fold) Days() []*Day {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]*Day{}
	for _, c := range f.visitors {
		for n := range c.days {
			d := c.day(n)
			if o := all[d.Date]; o != nil {
				d = merge(o, d, c.limit)
			}
			all[d.Date] = d
		}
	}
	out := make([]*Day, 0, len(all))
	for _, d := range all {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Day) int { return strings.Compare(a.Date, b.Date) })
	return out
}

// collector is one visitor.
type collector struct {
	where   func(*signin.Sighting) Pointer
	days    map[int64]map[Key]*Entry
	cut     map[int64]*Key // keys above it are beyond the limit
	beyond  map[int64]int64
	texts   map[string]string // texts kept, by themselves
	lowered map[string]string // the same in lower case
	limit   int
}

// noDay is the day of rows without a clock.
const noDay = -1 << 62

// See implements [signin.Visitor].
func (c *collector) See(s *signin.Sighting) {
	day := int64(noDay)
	if !s.At.IsZero() {
		day = floorDay(s.At.Unix())
	}
	k := Key{User: c.lower(s.UserID), App: c.lower(s.AppID), Resource: c.own(s.Resource), Client: c.own(s.ClientAppUsed), Protocol: c.own(s.Protocol),
		Verdict: s.Verdict, Policy: c.own(s.PolicyState)}
	if k.User == "" {
		k.User = c.lower(s.UserPrincipalName)
	}
	if k.App == "" && s.AppDisplayName != "" {
		k.App = c.lower("name:" + s.AppDisplayName)
	}
	switch {
	case s.DeviceCode:
		k.Protocol = "deviceCode"
	case s.ROPC:
		k.Protocol = "ropc"
	}
	m := c.days[day]
	if m == nil {
		m = map[Key]*Entry{}
		c.days[day] = m
	}
	e := m[k]
	if e == nil {
		if cut := c.cut[day]; cut != nil && k.compare(cut) >= 0 {
			c.beyond[day]++
			return
		}
		e = &Entry{Key: k}
		m[k] = e
		defer c.trim(day)
	}
	c.count(e, s)
}

// count adds a row. A row is only copied where it is the first or the last.
func (c *collector) count(e *Entry, s *signin.Sighting) {
	e.Rows++
	row := Seen{At: s.At, ID: s.ID}
	if c.where != nil {
		row.In = c.where(s)
	}
	fresh := e.Rows == 1
	if fresh || row.compare(&e.First) < 0 {
		e.First = c.kept(row)
	}
	if fresh || row.compare(&e.Last) > 0 {
		e.Last = c.kept(row)
	}
	if name := s.UserPrincipalName; name != "" && (e.Name == "" || cmp.Or(row.compare(&e.named), strings.Compare(bounded(name), e.Name)) > 0) {
		e.Name, e.named = c.own(name), c.kept(row)
	}
	if name := s.AppDisplayName; name != "" && (e.AppName == "" || cmp.Or(row.compare(&e.apped), strings.Compare(bounded(name), e.AppName)) > 0) {
		e.AppName, e.apped = c.own(name), c.kept(row)
	}
}

func (c *collector) kept(s Seen) Seen {
	s.ID = strings.Clone(s.ID)
	return s
}

// trim drops the greatest keys of a day once there are twice as many as are kept:
// no part of the rest can bring them back.
func (c *collector) trim(day int64) {
	m := c.days[day]
	if len(m) < 2*c.limit {
		return
	}
	keys := make([]Key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.compare(&b) })
	for _, k := range keys[c.limit:] {
		c.beyond[day] += m[k].Rows
		delete(m, k)
	}
	cut := keys[c.limit]
	c.cut[day] = &cut
}

// day is what was seen of one day.
func (c *collector) day(n int64) *Day {
	d := &Day{Beyond: c.beyond[n]}
	if n != noDay {
		d.Date = time.Unix(n*secondsOfDay, 0).UTC().Format(time.DateOnly)
	}
	all := make([]Entry, 0, len(c.days[n]))
	for _, e := range c.days[n] {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return a.compare(&b.Key) })
	for i := range all[min(len(all), c.limit):] {
		d.Beyond += all[c.limit+i].Rows
	}
	d.Entries = all[:min(len(all), c.limit)]
	return d
}

const secondsOfDay = 24 * 60 * 60

func floorDay(sec int64) int64 {
	d := sec / secondsOfDay
	if sec%secondsOfDay < 0 {
		d--
	}
	return d
}

func bounded(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return s
}

// own keeps one copy of a text that is only lent.
func (c *collector) own(s string) string {
	if s == "" {
		return ""
	}
	s = bounded(s)
	if kept, ok := c.texts[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	c.texts[s] = s
	return s
}

func (c *collector) lower(s string) string {
	if s == "" {
		return ""
	}
	s = bounded(s)
	if kept, ok := c.lowered[s]; ok {
		return kept
	}
	own := strings.Clone(s)
	low := bounded(strings.ToLower(own))
	c.lowered[own] = low
	return low
}
