package automation

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
)

// Limits of what is kept of one item.
const (
	maxDays     = 400
	maxAddrs    = 9
	maxPrograms = 4
	maxExamples = 3
	maxText     = 256
	// DefaultLimit is how many items are kept apart.
	DefaultLimit = 5000
)

// Fold collects what could be automation while the log is counted. Give its
// Visitor to the fold of sign-ins; ask [Items] once that has finished. The
// answer does not depend on how the rows were shared out.
type Fold struct {
	directory *directory.Directory
	limit     int
	mu        sync.Mutex // guards visitors
	visitors  []*collector
}

// NewFold makes a fold that knows the accounts of d, which must not change any
// more. limit bounds the items kept apart, zero means [DefaultLimit]; each takes
// about 2 KB for every goroutine that reads.
func NewFold(d *directory.Directory, limit int) *Fold {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Fold{directory: d, limit: limit}
}

// Visitor makes a visitor for one goroutine of the fold. Safe for concurrent
// use.
func (f *Fold) Visitor() signin.Visitor {
	c := &collector{d: f.directory, limit: f.limit, traces: map[key]*trace{}, classes: map[string]directory.Class{}, days: map[int32]*day{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitors = append(f.visitors, c)
	return c
}

// key tells items apart. Its order is that in which they are kept.
type key struct {
	rank    int // of the protocol
	account string
	app     string // app id, else "name:" and the name, in lower case
	client  string // for legacy, in lower case
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.account, b.account), cmp.Compare(a.app, b.app), cmp.Compare(a.client, b.client))
}

// trace is what is kept of the rows of one key. Adding two traces is
// commutative and associative: sums, unions, and the first few of an order.
type trace struct {
	rows, success, challenged, proven, unasked, stopped, failed int64
	interactive, nonInteractive, clocked                        int64

	first, last time.Time
	name        newest // user principal name
	appName     newest
	client      newest

	slots    [144]uint32 // rows by ten minutes of the day, UTC
	minutes  [12]uint32  // rows by five minutes of the hour
	hours    uint32      // bit per hour of the day
	days     []int32     // newest maxDays days with rows, ascending
	addrs    []string    // the first maxAddrs in order
	programs []string    // the first maxPrograms in order
	examples []Example   // newest first
}

// newest is the text of the newest row that has one.
type newest struct {
	at   time.Time
	text string
}

func (n *newest) see(at time.Time, s string) {
	if s != "" && (n.text == "" || at.After(n.at) || at.Equal(n.at) && s > n.text) {
		n.at, n.text = at, clip(s)
	}
}

// clip copies a text that aliases the fold's memory.
func clip(s string) string { return strings.Clone(valid(s)) }

func valid(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "\ufffd") }

// folded is how texts of keys compare. It folds what [clip] keeps, so that the
// id of a key is that of the item made of it.
func folded(s string) string { return strings.ToLower(valid(s)) }

// day says what kinds of row the log has of a UTC day.
type day struct {
	first, last    time.Time
	nonInteractive bool
	blind          bool // a row that cannot show the protocol
}

// collector is one visitor.
type collector struct {
	d       *directory.Directory
	limit   int
	traces  map[key]*trace
	cut     *key  // keys from here on are counted only
	beyond  int64 // their rows
	classes map[string]directory.Class
	days    map[int32]*day
	inter   bool // an interactive row was seen
}

// See implements [signin.Visitor].
func (c *collector) See(s *signin.Sighting) {
	if y := s.At.UTC().Year(); y < 1970 || y > 9999 { // no clock of a log, and JSON could not write it
		lost := *s
		lost.At = time.Time{}
		s = &lost
	}
	c.cover(s)
	p, ok := c.protocol(s)
	if !ok {
		return
	}
	k := key{rank: slices.Index(protocols, p), account: folded(cmp.Or(s.UserID, s.UserPrincipalName)), app: folded(s.AppID)}
	if k.app == "" && s.AppDisplayName != "" {
		k.app = "name:" + folded(s.AppDisplayName)
	}
	if p == Legacy {
		k.client = folded(s.ClientAppUsed)
	}
	if c.cut != nil && compareKeys(k, *c.cut) >= 0 {
		c.beyond++
		return
	}
	t := c.traces[k]
	if t == nil {
		t = &trace{}
		k.account, k.app, k.client = strings.Clone(k.account), strings.Clone(k.app), strings.Clone(k.client)
		c.traces[k] = t
	}
	t.see(s)
	if len(c.traces) > 2*c.limit {
		c.trim()
	}
}

// cover notes what the log shows of a day.
func (c *collector) cover(s *signin.Sighting) {
	c.inter = c.inter || s.Interactive == signin.Yes
	if s.At.IsZero() {
		return
	}
	n := dayOf(s.At)
	d := c.days[n]
	if d == nil {
		if len(c.days) >= fold.DefaultMaxDays {
			return
		}
		d = &day{first: s.At, last: s.At}
		c.days[n] = d
	}
	d.merge(&day{s.At, s.At, s.Interactive == signin.No, s.Reason == signin.ReasonNoMFAFields})
}

func (d *day) merge(o *day) {
	if o.first.Before(d.first) {
		d.first = o.first
	}
	if o.last.After(d.last) {
		d.last = o.last
	}
	d.nonInteractive = d.nonInteractive || o.nonInteractive
	d.blind = d.blind || o.blind
}

func dayOf(t time.Time) int32 {
	sec := t.Unix()
	n := sec / 86400
	if sec%86400 < 0 {
		n--
	}
	return int32(n)
}

// protocol picks the rows that could be automation and names how they sign in.
func (c *collector) protocol(s *signin.Sighting) (Protocol, bool) {
	switch {
	case s.UserID == "" && s.UserPrincipalName == "":
		return "", false
	case s.ROPC:
		return ROPC, true
	case s.Legacy:
		return Legacy, true
	case s.DeviceCode:
		return DeviceCode, true
	case isTool(s.AppID, s.AppDisplayName):
		return Tool, true
	case isProgram(s.Program):
		return Program, true
	case !s.Success || s.Verdict != signin.NotChallenged && s.Verdict != signin.Unknown:
		return "", false
	}
	switch class := c.class(s); {
	case class == directory.ClassService:
		return Other, true
	case s.Verdict == signin.NotChallenged && s.Interactive == signin.No && !onPhone(s.Platform):
		return Other, true
	}
	return "", false
}

// class is remembered, since rows of one account follow one another.
func (c *collector) class(s *signin.Sighting) directory.Class {
	by := s.UserID
	if by == "" {
		by = s.UserPrincipalName
	}
	if class, ok := c.classes[by]; ok {
		return class
	}
	class := classify(c.d, directory.Key(s.UserID, s.UserPrincipalName), s.UserPrincipalName, "")
	if len(c.classes) < 100_000 {
		c.classes[strings.Clone(by)] = class
	}
	return class
}

// classify says what kind of account it is; what the log alone knows of it
// helps where the directory was not exported.
func classify(d *directory.Directory, account, upn, display string) directory.Class {
	u := d.Users[account]
	if u == nil {
		u = d.Users[d.KeyByUPN(upn)]
	}
	var known directory.User
	if u != nil {
		known = *u
	}
	known.UserPrincipalName = cmp.Or(known.UserPrincipalName, upn)
	known.DisplayName = cmp.Or(known.DisplayName, display)
	// A disabled account that signed in is still somebody's script.
	known.AccountEnabled.Set, known.AccountEnabled.Value = true, true
	return directory.Classify(&known, directory.Signs{})
}

func (t *trace) see(s *signin.Sighting) {
	t.rows++
	if s.Verdict == signin.Interrupted && !stoppedAt(s.Reason) {
		return // half of a sign-in whose other half is a row of its own
	}
	use := false // it got in, or would have but for MFA
	switch {
	case s.Verdict.Success() && s.Success:
		t.success++
		use = true
		switch {
		case s.Verdict == signin.Challenged:
			t.challenged++
			t.proven++
		case s.Verdict.Proven():
			t.proven++
		case s.Verdict == signin.NotChallenged:
			t.unasked++
		}
	case s.Verdict == signin.Interrupted:
		t.stopped++
		use = true
	default:
		t.failed++
	}
	t.name.see(s.At, s.UserPrincipalName)
	t.appName.see(s.At, s.AppDisplayName)
	t.client.see(s.At, s.ClientAppUsed)
	if !use {
		return // guesses at a password say nothing about a program of ours
	}
	switch s.Interactive {
	case signin.Yes:
		t.interactive++
	case signin.No:
		t.nonInteractive++
	}
	t.addrs = keepFirst(t.addrs, s.IPAddress, maxAddrs)
	t.programs = keepFirst(t.programs, s.Program, maxPrograms)
	e := Example{ID: s.ID, At: s.At, IP: s.IPAddress, Country: s.Country, Program: s.Program, Outcome: s.Verdict.String(), Source: s.Source}
	if len(t.examples) < maxExamples || compareExamples(e, t.examples[len(t.examples)-1]) < 0 {
		e.ID, e.IP, e.Country, e.Program, e.Source.Path, e.Source.Part = clip(e.ID), clip(e.IP), clip(e.Country), clip(e.Program),
			strings.Clone(e.Source.Path), strings.Clone(e.Source.Part)
		t.examples = keepExamples(append(t.examples, e))
	}
	if s.At.IsZero() {
		return
	}
	t.clocked++
	if t.first.IsZero() || s.At.Before(t.first) {
		t.first = s.At
	}
	if s.At.After(t.last) {
		t.last = s.At
	}
	at := s.At.UTC()
	t.slots[(at.Hour()*60+at.Minute())/10]++
	t.minutes[at.Minute()/5]++
	t.hours |= 1 << at.Hour()
	t.days = keepDays(t.days, dayOf(at))
}

// stoppedAt reports that MFA was asked for and did not come, so that a program
// that cannot answer would look like this.
func stoppedAt(r signin.Reason) bool {
	switch r {
	case signin.ReasonPrompt, signin.ReasonPromptAbandoned, signin.ReasonEnrolment, signin.ReasonEnrolmentAbandoned:
		return true
	}
	return false
}

// add takes over another trace of the same key.
func (t *trace) add(o *trace) {
	t.rows += o.rows
	t.success += o.success
	t.challenged += o.challenged
	t.proven += o.proven
	t.unasked += o.unasked
	t.stopped += o.stopped
	t.failed += o.failed
	t.interactive += o.interactive
	t.nonInteractive += o.nonInteractive
	t.clocked += o.clocked
	if t.first.IsZero() || !o.first.IsZero() && o.first.Before(t.first) {
		t.first = o.first
	}
	if o.last.After(t.last) {
		t.last = o.last
	}
	t.name.see(o.name.at, o.name.text)
	t.appName.see(o.appName.at, o.appName.text)
	t.client.see(o.client.at, o.client.text)
	for i, n := range o.slots {
		t.slots[i] += n
	}
	for i, n := range o.minutes {
		t.minutes[i] += n
	}
	t.hours |= o.hours
	t.days = keepDays(t.days, o.days...)
	for _, a := range o.addrs {
		t.addrs = keepFirst(t.addrs, a, maxAddrs)
	}
	for _, p := range o.programs {
		t.programs = keepFirst(t.programs, p, maxPrograms)
	}
	t.examples = keepExamples(append(t.examples, o.examples...))
}

// keepFirst adds s to a sorted set of the first n texts.
func keepFirst(list []string, s string, n int) []string {
	if s == "" {
		return list
	}
	i, found := slices.BinarySearch(list, s)
	if found || i == n {
		return list
	}
	list = slices.Insert(list, i, clip(s))
	return list[:min(len(list), n)]
}

// keepDays adds days to a sorted set of the newest maxDays.
func keepDays(list []int32, days ...int32) []int32 {
	for _, d := range days {
		i, found := slices.BinarySearch(list, d)
		if !found {
			list = slices.Insert(list, i, d)
		}
	}
	return list[max(0, len(list)-maxDays):]
}

func compareExamples(a, b Example) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID), cmp.Compare(a.Source.String(), b.Source.String()),
		cmp.Compare(a.IP, b.IP), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Outcome, b.Outcome))
}

func keepExamples(list []Example) []Example {
	slices.SortFunc(list, compareExamples)
	return list[:min(len(list), maxExamples)]
}

// trim keeps the first limit keys. What goes can never come back: its key is
// behind the cut for good. So what stays was never cut, and its counts are
// whole.
func (c *collector) trim() {
	if len(c.traces) <= c.limit {
		return
	}
	keys := make([]key, 0, len(c.traces))
	for k := range c.traces {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys[c.limit:] {
		c.beyond += c.traces[k].rows
		delete(c.traces, k)
	}
	c.cut = &keys[c.limit]
}

// joined merges what all visitors saw.
func (f *Fold) joined() *collector {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := &collector{limit: f.limit, traces: map[key]*trace{}, days: map[int32]*day{}}
	for _, c := range f.visitors {
		all.beyond += c.beyond
		all.inter = all.inter || c.inter
		for k, t := range c.traces {
			if o := all.traces[k]; o != nil {
				o.add(t)
				continue
			}
			fresh := &trace{}
			fresh.add(t)
			all.traces[k] = fresh
		}
		for n, d := range c.days {
			if o := all.days[n]; o != nil {
				o.merge(d)
			} else {
				cp := *d
				all.days[n] = &cp
			}
		}
	}
	// What one visitor cut and another kept goes here too: the first one has
	// limit keys before it.
	all.trim()
	return all
}
