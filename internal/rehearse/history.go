package rehearse

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// History counts surviving sign-ins of equal signature together. A signature is
// everything the engines given to [NewHistory] can tell apart, so that each is
// decided once. The zero value is not usable.
type History struct {
	engines  []*access.Engine
	mu       sync.Mutex // guards visitors
	visitors []*collector
	all      *joined // what the visitors saw together, once asked for
}

// NewHistory makes a history for the engines that will decide it.
func NewHistory(engines ...*access.Engine) *History { return &History{engines: engines} }

// Visitor makes a visitor for one goroutine of the fold. Safe for concurrent
// use.
func (h *History) Visitor() signin.Visitor {
	c := &collector{engines: h.engines, patterns: map[string]*Pattern{}, texts: map[string]string{}, points: map[string]placed{}}
	for _, e := range h.engines {
		c.classes = append(c.classes, make([]int32, e.Dimensions()))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.visitors = append(h.visitors, c)
	return c
}

// Pattern is a set of rows that no engine can tell apart.
type Pattern struct {
	Account string // lower-case user id, else lower-case UPN
	UPN     string
	App     string
	Client  string // clientAppUsed
	AppID   string
	Points  []access.Point // one for each engine, User filled in by Rehearse
	traits  *traits
	who     int // among the names of what was joined

	Legacy, DeviceCode, ROPC bool

	Rows          int64
	Proven        int64 // with MFA
	NotChallenged int64
	First         time.Time
	Last          time.Time
	LastID        string
	LastSource    evidence.Source
	Demanded      int64 // of Proven: the row says that MFA was required, not only done

	// The newest rows that were not challenged, and that MFA was demanded of.
	Open, Asked Newest
}

// Newest is the newest row of a kind; an empty ID means that there is none, or
// that it has none.
type Newest struct {
	At     time.Time
	ID     string
	Source evidence.Source
}

func (n *Newest) see(at time.Time, id string, src evidence.Source) {
	if newer(at, id, n.At, n.ID) {
		n.At, n.ID, n.Source = at, strings.Clone(id), src
	}
}

// collector is one visitor.
type collector struct {
	engines  []*access.Engine
	classes  [][]int32
	patterns map[string]*Pattern
	key      []byte
	scratch  []byte
	texts    map[string]string // texts kept, by themselves
	points   map[string]placed // classes kept, by their bytes

	alike map[alikeKey]*circumstance
	quick map[quickKey]*Pattern
}

// placed are classes with what a row of them looked like.
type placed struct {
	classes []int32
	traits  *traits
}

// traits are a row's facts that its pattern does not keep as text. Those of one
// row stand for all that fell into the same classes.
type traits struct {
	client, platform, country, risk string
	ip                              netip.Addr
	compliant, joined               signin.Tri
}

// locate gives the classes of an app under traits.
func (t *traits) locate(e *access.Engine, app string, classes []int32) {
	e.Locate(&access.SignIn{App: app, Client: t.client, Platform: t.platform, IP: t.ip, Country: t.country, SignInRisk: t.risk}, classes)
	setDevice(e, classes, t.compliant, t.joined)
}

// See implements [signin.Visitor]. Failures and interrupts are not replayed:
// they let nobody in.
func (c *collector) See(s *signin.Sighting) {
	if !s.Success || !s.Verdict.Success() {
		return
	}
	var ip netip.Addr
	if a, err := netip.ParseAddr(s.IPAddress); err == nil {
		ip = a
	}
	if s.Alike.Book == 0 || len(c.engines) > maxQuick {
		c.pattern(s, ip, nil).see(s)
		return
	}
	at := quickKey{alike: c.circumstance(s), who: s.Alike.Who}
	for i, e := range c.engines {
		at.places[i] = e.PlaceClass(ip, s.Country)
	}
	p := c.quick[at]
	if p == nil {
		p = c.pattern(s, ip, at.alike)
		c.quick[at] = p
	}
	p.see(s)
}

// flagsOf are the marks that tell signatures apart.
func flagsOf(s *signin.Sighting) byte {
	flags := byte(s.Compliant) | byte(s.HybridJoined)<<2
	for i, on := range [...]bool{s.DeviceCode, s.ROPC} {
		if on {
			flags |= 1 << (4 + i)
		}
	}
	return flags
}

func traitsOf(s *signin.Sighting, ip netip.Addr) traits {
	return traits{client: clientOf(s), platform: platformOf(s.Platform), country: s.Country, risk: riskOf(s.RiskLevel), ip: ip,
		compliant: s.Compliant, joined: s.HybridJoined}
}

// pattern finds the pattern of a row, or makes it. alike is the row's circumstance where that is known.
func (c *collector) pattern(s *signin.Sighting, ip netip.Addr, alike *circumstance) *Pattern {
	t := traitsOf(s, ip)
	c.key = c.key[:0]
	c.text(s.UserID, s.UserPrincipalName)
	c.text(s.AppID, s.AppDisplayName)
	c.text(s.ClientAppUsed, "")
	c.key = append(c.key, flagsOf(s))
	for i, e := range c.engines {
		if alike != nil {
			copy(c.classes[i], alike.classes[i])
			e.Relocate(ip, s.Country, c.classes[i])
		} else {
			t.locate(e, s.AppID, c.classes[i])
		}
		for _, k := range c.classes[i] {
			c.key = binary.LittleEndian.AppendUint32(c.key, uint32(k))
		}
	}
	p := c.patterns[string(c.key)]
	if p != nil {
		return p
	}
	p = &Pattern{
		Account: strings.ToLower(c.own(nonEmpty(s.UserID, s.UserPrincipalName))), UPN: c.own(s.UserPrincipalName),
		App: c.own(nonEmpty(s.AppDisplayName, s.AppID)), AppID: c.own(s.AppID), Client: c.own(s.ClientAppUsed),
		Legacy: s.Legacy, DeviceCode: s.DeviceCode, ROPC: s.ROPC, Points: make([]access.Point, len(c.engines)),
	}
	for i := range c.engines {
		kept := c.ownClasses(i, c.classes[i], &t)
		p.Points[i].Classes = kept.classes
		if i == 0 {
			p.traits = kept.traits
		}
	}
	c.patterns[string(c.key)] = p
	return p
}

// own keeps one copy of a text that aliases the fold's memory.
func (c *collector) own(s string) string {
	if kept, ok := c.texts[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	c.texts[s] = s
	return s
}

// ownClasses keeps one copy of equal classes: most patterns share theirs.
// Those of different engines mean different things.
func (c *collector) ownClasses(engine int, classes []int32, t *traits) placed {
	c.scratch = append(c.scratch[:0], byte(engine))
	for _, k := range classes {
		c.scratch = binary.LittleEndian.AppendUint32(c.scratch, uint32(k))
	}
	if kept, ok := c.points[string(c.scratch)]; ok {
		return kept
	}
	own := *t
	own.client, own.platform, own.country, own.risk = c.own(t.client), c.own(t.platform), c.own(t.country), c.own(t.risk)
	kept := placed{append([]int32(nil), classes...), &own}
	c.points[string(c.scratch)] = kept
	return kept
}

// text appends a length-prefixed text to the key: the first that is not empty,
// marked which.
func (c *collector) text(a, b string) {
	if a == "" {
		c.key = append(c.key, 1)
		a = b
	} else {
		c.key = append(c.key, 0)
	}
	c.key = binary.AppendUvarint(c.key, uint64(len(a)))
	c.key = append(c.key, a...)
}

func (p *Pattern) see(s *signin.Sighting) {
	p.Rows++
	switch {
	case s.Verdict.Proven():
		p.Proven++
		if s.Reason.Demanded() {
			p.Demanded++
			p.Asked.see(s.At, s.ID, s.Source)
		}
	case s.Verdict == signin.NotChallenged:
		p.NotChallenged++
		p.Open.see(s.At, s.ID, s.Source)
	}
	p.begin(s.At)
	if newer(s.At, s.ID, p.Last, p.LastID) {
		p.Last, p.LastID, p.LastSource = s.At, strings.Clone(s.ID), s.Source
	}
}

// begin keeps the earliest moment; a zero one is none.
func (p *Pattern) begin(at time.Time) {
	if !at.IsZero() && (p.First.IsZero() || at.Before(p.First)) {
		p.First = at
	}
}

// newer orders rows by time, then id, so that the choice does not depend on
// the order of seeing.
func newer(at time.Time, id string, than time.Time, thanID string) bool {
	if !at.Equal(than) {
		return at.After(than)
	}
	return id > thanID || thanID == "" && id == ""
}

// Under is the same history for other engines, whose policies must tell no
// sign-ins apart that those of the first engine h was made for do not: policies
// with clauses taken out or widened, turned on, or added without a clause on
// place, platform, device or risk. Call it once the fold has finished.
func (h *History) Under(engines ...*access.Engine) *History {
	all := h.join()
	n := len(engines)
	// Many patterns: each is copied, in one piece with the others.
	patterns, points := make([]Pattern, len(all.list)), make([]access.Point, n*len(all.list))
	out := &joined{keys: all.keys, list: make([]*Pattern, len(all.list)), names: all.names, whole: all.whole}
	type place struct {
		*traits
		app string
	}
	places := map[place][][]int32{} // most patterns share theirs
	for k, p := range all.list {
		at := place{p.traits, p.AppID}
		classes := places[at]
		if classes == nil {
			classes = make([][]int32, n)
			for i, e := range engines {
				classes[i] = make([]int32, e.Dimensions())
				p.traits.locate(e, p.AppID, classes[i])
			}
			places[at] = classes
		}
		moved := &patterns[k]
		*moved = *p
		moved.Points = points[k*n : (k+1)*n : (k+1)*n]
		for i := range engines {
			moved.Points[i].Classes = classes[i]
		}
		out.list[k] = moved
	}
	return &History{engines: engines, all: out}
}

// Patterns joins what the visitors saw, the first time; the map and what it holds
// are not to be changed. Call it once the fold has finished.
func (h *History) Patterns() map[string]*Pattern {
	all := h.join()
	all.once.Do(func() {
		all.byKey = make(map[string]*Pattern, len(all.list))
		for i, p := range all.list {
			all.byKey[all.keys[i]] = p
		}
	})
	return all.byKey
}

// From is the moment of the first sign-in that has one; zero: none has.
func (h *History) From() (at time.Time) {
	for _, p := range h.join().list {
		if !p.First.IsZero() && (at.IsZero() || p.First.Before(at)) {
			at = p.First
		}
	}
	return at
}

// Unasked lists the patterns with rows that were not asked for MFA.
func (h *History) Unasked() (out []*Pattern) {
	for _, p := range h.Patterns() {
		if p.NotChallenged > 0 {
			out = append(out, p)
		}
	}
	return out
}

// LetIn lists those of some patterns that an engine, which must be as Under wants
// it, surely lets in without MFA.
func LetIn(e *access.Engine, patterns []*Pattern) []*Pattern {
	return filter(e, patterns, func(o access.Outcome) bool { return o == access.MFANotRequired })
}

// StillOpen lists those that such an engine does not surely ask for MFA or refuse:
// what hangs on something unknown is not closed.
func StillOpen(e *access.Engine, patterns []*Pattern) []*Pattern {
	return filter(e, patterns, func(o access.Outcome) bool { return o != access.MFARequired && o != access.Blocked })
}

func filter(e *access.Engine, patterns []*Pattern, keep func(access.Outcome) bool) (out []*Pattern) {
	classes := make([]int32, e.Dimensions())
	for _, p := range patterns {
		p.traits.locate(e, p.AppID, classes)
		if keep(e.Outcome(access.Point{User: p.Subject(e), Classes: classes})) {
			out = append(out, p)
		}
	}
	return out
}

func nonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// SignInOf brings a row to what the engine decides, but for whose it is: the same as a
// rehearsal replays.
func SignInOf(s *signin.Sighting) access.SignIn {
	out := access.SignIn{App: s.AppID, Client: clientOf(s), Platform: platformOf(s.Platform), Country: s.Country, SignInRisk: riskOf(s.RiskLevel)}
	if a, err := netip.ParseAddr(s.IPAddress); err == nil {
		out.IP = a
	}
	for _, d := range []struct {
		axis string
		is   signin.Tri
	}{{access.AxisCompliant, s.Compliant}, {access.AxisJoined, s.HybridJoined}} {
		if d.is != signin.Unset {
			if out.Device == nil {
				out.Device = map[string]bool{}
			}
			out.Device[d.axis] = d.is == signin.Yes
		}
	}
	return out
}

// clientOf brings a row's client to the engine's words. Legacy protocols other
// than Exchange ActiveSync are "other"; what is not known stays unknown.
func clientOf(s *signin.Sighting) string {
	switch {
	case s.DeviceCode:
		return "device-code"
	case s.ClientAppUsed == "Browser":
		return "browser"
	case s.ClientAppUsed == "Mobile Apps and Desktop clients", s.ROPC:
		return "native"
	case strings.EqualFold(s.ClientAppUsed, "Exchange ActiveSync"):
		return "eas"
	case s.Legacy:
		return "other"
	case strings.EqualFold(s.ClientAppUsed, "browser"):
		return "browser"
	case strings.EqualFold(s.ClientAppUsed, "mobile apps and desktop clients"):
		return "native"
	}
	return ""
}

// platformOf brings deviceDetail.operatingSystem to a platform word. Empty is
// what a device without a recognised user agent shows: an unknown platform.
func platformOf(os string) string {
	switch {
	case os == "":
		return ""
	case hasPrefixFold(os, "windows phone"):
		return "windowsPhone"
	case hasPrefixFold(os, "windows"):
		return "windows"
	case hasPrefixFold(os, "ios"), hasPrefixFold(os, "ipados"):
		return "iOS"
	case hasPrefixFold(os, "android"):
		return "android"
	case hasPrefixFold(os, "macos"), hasPrefixFold(os, "mac os"):
		return "macOS"
	case hasPrefixFold(os, "linux"):
		return "linux"
	}
	return "unknown platform"
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// riskOf keeps the levels; hidden means that the licence hides it, which
// policies treat as none.
func riskOf(level string) string {
	switch strings.ToLower(level) {
	case "low", "medium", "high":
		return level
	}
	return ""
}

// setDevice fills in the device axes that a row shows.
func setDevice(e *access.Engine, classes []int32, compliant, joined signin.Tri) {
	if compliant != signin.Unset {
		e.SetAxis(classes, access.AxisCompliant, compliant == signin.Yes)
	}
	if joined != signin.Unset {
		e.SetAxis(classes, access.AxisJoined, joined == signin.Yes)
	}
}
