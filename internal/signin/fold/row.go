package fold

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unsafe"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// The texts a row keeps, in the order of their weight when two copies of one
// event are compared. Those from colResource on are only kept for the CSV, those from
// colPlatform on only for visitors, and those never weigh.
const (
	colID = iota
	colUserID
	colUPN
	colDisplayName
	colUserType
	colAppID
	colAppName
	colServicePrincipalID
	colServicePrincipalName
	colClient
	colCountry
	colIP
	colResource
	colFailureReason
	colMFAMethod
	colMFADetail
	colMFAResult
	colPolicies
	colConditionalAccess
	colCreatedRaw // only when the clock is unreadable
	colPlatform
	colRisk
	colAgent
	colTarget   // the resource's name
	colProtocol // authenticationProtocol
	colApplied  // conditionalAccessStatus
	textCount

	summaryTexts = colResource
	csvTexts     = colPlatform
)

const (
	flagLegacy = 1 << iota
	flagAOBO
	flagDeviceCode
	flagROPC
	flagCSPAdmin
	flagMFAFields
	flagHasStatus
	flagSuccess // the row says success, whatever it proves
	flagCreated
	flagObserved
	flagInteractive
	flagNonInteractive
	flagMFARequired
	flagSingleFactor
	flagCSV   // wanted in the CSV
	flagVisit // shown to visitors

	flagLate // the clock is read at the end, from colCreatedRaw
	flagJoin // steps of another file may decide the row; with it comes what remains of the event
	flagStep // no sign-in but one step of one

	// What remains of an event that steps may decide: the low four bits of it behind
	// the flags, the rest at the top.
	remainsShift = 19
	remainsLow   = 15
	resultShift  = 32 - 3
)

// row is what is kept of one event: the facts the summary needs and the cells
// of the CSV. After decoding, the texts alias the page they were read from.
type row struct {
	flags    uint32
	verdict  signin.Verdict
	reason   signin.Reason
	device   device
	created  clock
	observed clock
	steps    uint32
	source   uint32 // index into the store's sources
	line     uint32
	index    uint32
	text     [textCount]string

	who, what, how, seen uint32 // numbers of its tuples in words, once decoded
	words                *words
	altered              bool // texts are no longer those of its tuples
}

// device holds two Tris.
type device uint8

func deviceOf(e *signin.Event) device {
	hybrid := signin.No
	switch {
	case e.DeviceTrustType == "":
		hybrid = signin.Unset
	case texts.ContainsFold(e.DeviceTrustType, "hybrid"), strings.EqualFold(e.DeviceTrustType, "ServerAD"):
		hybrid = signin.Yes
	}
	return device(e.DeviceCompliant) | device(hybrid)<<2
}

func (d device) compliant() signin.Tri { return signin.Tri(d & 3) }
func (d device) hybrid() signin.Tri    { return signin.Tri(d >> 2 & 3) }

// clock is a time that sorts and compares as a pair.
type clock struct {
	sec  int64
	nsec int32
}

// noClock stands for an absent clock and sorts before every other.
var noClock = clock{sec: math.MinInt64}

func clockOf(t time.Time) clock { return clock{t.Unix(), int32(t.Nanosecond())} }

func (c clock) time() time.Time { return time.Unix(c.sec, int64(c.nsec)).UTC() }

func (c clock) compare(d clock) int {
	switch {
	case c.sec != d.sec && c.sec < d.sec, c.sec == d.sec && c.nsec < d.nsec:
		return -1
	case c == d:
		return 0
	}
	return 1
}

// fill takes from e what a row keeps. The texts alias e. policies is scratch
// memory and comes back grown.
func (r *row) fill(e *signin.Event, j *signin.Judgement, csv, visit bool, policies []byte) []byte {
	*r = row{
		verdict: j.Verdict, reason: j.Reason, steps: uint32(min(len(e.Steps), math.MaxInt32)),
		created: noClock, observed: noClock,
	}
	set := func(on bool, flag uint32) {
		if on {
			r.flags |= flag
		}
	}
	set(j.Legacy, flagLegacy)
	set(j.AOBO, flagAOBO)
	set(j.DeviceCode, flagDeviceCode)
	set(j.ROPC, flagROPC)
	set(j.CSPAdmin, flagCSPAdmin)
	set(e.HasMFAFields, flagMFAFields)
	set(e.HasStatus, flagHasStatus)
	set(e.HasStatus && e.ErrorCode == 0, flagSuccess)
	set(e.Interactive == signin.Yes, flagInteractive)
	set(e.Interactive == signin.No, flagNonInteractive)
	set(e.NeedsMFA(), flagMFARequired)
	set(e.NeedsOneFactor(), flagSingleFactor)
	set(csv, flagCSV)
	set(visit, flagVisit)
	switch {
	case e.Clock == signin.ClockAmbiguous:
		r.flags |= flagLate
	case !e.Created.IsZero():
		r.flags |= flagCreated
		r.created = clockOf(e.Created)
	}
	if e.AwaitsSteps() {
		r.fillJoin(e)
	}
	if !e.Observed.IsZero() {
		r.flags |= flagObserved
		r.observed = clockOf(e.Observed)
	}
	t := &r.text
	t[colID], t[colUserID], t[colUPN] = e.ID, e.UserID, e.UserPrincipalName
	t[colDisplayName], t[colUserType] = e.UserDisplayName, e.UserType
	t[colAppID], t[colAppName] = e.AppID, e.AppDisplayName
	t[colServicePrincipalID], t[colServicePrincipalName] = e.ServicePrincipalID, e.ServicePrincipalName
	t[colClient], t[colIP], t[colCountry] = e.ClientAppUsed, e.IPAddress, e.Country
	if visit {
		r.device = deviceOf(e)
		t[colPlatform], t[colRisk], t[colAgent] = e.OperatingSystem, e.RiskLevelDuringSignIn, programOf(e.UserAgent)
		t[colTarget], t[colProtocol], t[colApplied] = texts.Either(e.ResourceDisplayName, e.ResourceID), e.AuthenticationProtocol, e.ConditionalAccessStatus
	}
	if r.flags&flagLate != 0 {
		t[colCreatedRaw] = e.CreatedRaw
	}
	if !csv {
		return policies
	}
	t[colResource], t[colFailureReason] = e.ResourceDisplayName, e.FailureReason
	t[colMFAMethod], t[colMFADetail], t[colMFAResult] = e.MFAColumns()
	t[colConditionalAccess] = e.ConditionalAccessStatus
	if e.Created.IsZero() {
		t[colCreatedRaw] = e.CreatedRaw
	}
	policies = appendPolicies(policies[:0], e.Policies)
	if len(policies) > 0 {
		t[colPolicies] = unsafe.String(&policies[0], len(policies))
	}
	return policies
}

// appendPolicies writes "name: result; ..." for the policies that applied.
func appendPolicies(b []byte, policies []signin.AppliedPolicy) []byte {
	for i := range policies {
		p := &policies[i]
		if !texts.EqualFold(p.Result, "success") && !texts.EqualFold(p.Result, "failure") && !texts.HasPrefixFold(p.Result, "reportOnly") {
			continue
		}
		if len(b) > 0 {
			b = append(b, "; "...)
		}
		b = append(b, texts.Either(p.DisplayName, p.ID)...)
		b = append(b, ": "...)
		b = append(b, p.Result...)
	}
	return b
}

// The kinds of tuples that a row names, and the columns of each.
const (
	kindWho = iota
	kindWhat
	kindHow
	kindSeen
	kinds
)

// columns are the first of a tuple and the one behind its last.
var columns = [kinds][2]int{
	kindWho:  {colUserID, colUserType + 1},
	kindWhat: {colAppID, colCountry + 1},
	kindHow:  {colResource, colConditionalAccess + 1},
	kindSeen: {colPlatform, colApplied + 1},
}

// The places of a row's facts in its encoding: a length word, the facts, the tuples
// that every row names. Behind them come those that only some rows have.
const (
	atFlags      = 4
	atVerdict    = 8
	atReason     = 9
	atDevice     = 10
	atSteps      = 12
	atCreated    = 16
	atSource     = 28
	atLine       = 32
	atIndex      = 36
	atWho        = 40
	atWhat       = 44
	encodedFixed = 48
)

// encode appends the row, with its tuples in g. decode is its inverse.
func (r *row) encode(b []byte, g *glossary) []byte {
	start := len(b)
	le := binary.LittleEndian
	b = append(b, make([]byte, encodedFixed)...)
	h := b[start : start+encodedFixed]
	le.PutUint32(h[atFlags:], r.flags)
	h[atVerdict], h[atReason], h[atDevice] = byte(r.verdict), byte(r.reason), byte(r.device)
	le.PutUint32(h[atSteps:], r.steps)
	le.PutUint64(h[atCreated:], uint64(r.created.sec))
	le.PutUint32(h[atCreated+8:], uint32(r.created.nsec))
	le.PutUint32(h[atSource:], r.source)
	le.PutUint32(h[atLine:], r.line)
	le.PutUint32(h[atIndex:], r.index)
	le.PutUint32(h[atWho:], r.number(g, kindWho))
	le.PutUint32(h[atWhat:], r.number(g, kindWhat))
	if r.flags&flagObserved != 0 {
		b = le.AppendUint64(b, uint64(r.observed.sec))
		b = le.AppendUint32(b, uint32(r.observed.nsec))
	}
	if r.flags&flagCSV != 0 {
		b = le.AppendUint32(b, r.number(g, kindHow))
	}
	if r.flags&flagVisit != 0 {
		b = le.AppendUint32(b, r.number(g, kindSeen))
	}
	b = appendText(appendText(b, r.text[colID]), r.text[colIP])
	if r.flags&(flagCSV|flagLate) != 0 {
		b = appendText(b, r.text[colCreatedRaw])
	}
	le.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// tuple is where a row keeps the texts of a tuple.
func (r *row) tuple(kind int) []string { return r.text[columns[kind][0]:columns[kind][1]] }

// number is the row's tuple of a kind.
func (r *row) number(g *glossary, kind int) uint32 { return g.number(byte(kind), r.tuple(kind)) }

// decode reads the row at the head of b, whose tuples are in w, and returns its size. The
// texts alias b and w; b must have come from encode.
func (r *row) decode(b []byte, w *words) int {
	size := r.decodeFacts(b)
	r.words, r.altered = w, false
	w.fill(r.who, r.tuple(kindWho))
	w.fill(r.what, r.tuple(kindWhat))
	w.fill(r.how, r.tuple(kindHow))
	w.fill(r.seen, r.tuple(kindSeen))
	return size
}

// decodeFacts reads the row at the head of b but for its tuples.
func (r *row) decodeFacts(b []byte) (size int) {
	le := binary.LittleEndian
	h := b[:encodedFixed]
	size = int(le.Uint32(h))
	r.flags = le.Uint32(h[atFlags:])
	r.verdict, r.reason, r.device = signin.Verdict(h[atVerdict]), signin.Reason(h[atReason]), device(h[atDevice])
	r.steps = le.Uint32(h[atSteps:])
	r.created = clock{int64(le.Uint64(h[atCreated:])), int32(le.Uint32(h[atCreated+8:]))}
	r.source, r.line, r.index = le.Uint32(h[atSource:]), le.Uint32(h[atLine:]), le.Uint32(h[atIndex:])
	r.who, r.what = le.Uint32(h[atWho:]), le.Uint32(h[atWhat:])
	b = b[encodedFixed:]
	r.observed = noClock
	if r.flags&flagObserved != 0 {
		r.observed = clock{int64(le.Uint64(b)), int32(le.Uint32(b[8:]))}
		b = b[12:]
	}
	r.how, r.seen = 0, 0
	if r.flags&flagCSV != 0 {
		r.how, b = le.Uint32(b), b[4:]
	}
	if r.flags&flagVisit != 0 {
		r.seen, b = le.Uint32(b), b[4:]
	}
	r.text[colID], b = takeText(b)
	r.text[colIP], b = takeText(b)
	r.text[colCreatedRaw] = ""
	if r.flags&(flagCSV|flagLate) != 0 {
		r.text[colCreatedRaw], _ = takeText(b)
	}
	return size
}

// compareCopies says which of two copies of one event is the better evidence:
// positive when r is. It is a total order over everything kept for the summary
// and the CSV except the source, so the choice does not depend on how the input
// was split, nor on what visitors see.
func (r *row) compareCopies(o *row) int {
	if d := r.observed.compare(o.observed); d != 0 {
		return d
	}
	if d := r.created.compare(o.created); d != 0 {
		return d
	}
	if r.steps != o.steps {
		return sign(r.steps > o.steps)
	}
	if d := r.flags ^ o.flags; d&flagMFAFields != 0 {
		return sign(r.flags&flagMFAFields != 0)
	}
	if r.verdict != o.verdict {
		return sign(r.verdict > o.verdict)
	}
	if r.reason != o.reason {
		return sign(r.reason > o.reason)
	}
	if r.flags != o.flags {
		return sign(r.flags > o.flags)
	}
	return compareTexts(r.text[:csvTexts], o.text[:csvTexts])
}

// compareDevices chooses between copies that are equal in all else, even in
// place.
func (r *row) compareDevices(o *row) int {
	return cmp.Or(cmp.Compare(r.device, o.device), compareTexts(r.text[csvTexts:], o.text[csvTexts:]))
}

func compareTexts(a, b []string) int {
	for i := range a {
		if d := strings.Compare(a[i], b[i]); d != 0 {
			return d
		}
	}
	return 0
}

func sign(positive bool) int {
	if positive {
		return 1
	}
	return -1
}

// accountKey names the account a row belongs to: the user id in lower case,
// or where there is none the user principal name in lower case.
func (r *row) accountKey() string {
	if id := r.text[colUserID]; id != "" && id != entra.NilID {
		return texts.Lower(id)
	}
	return texts.Lower(r.text[colUPN])
}

// programOf gives the user agent of a program. Browsers and the apps that show
// pages in one begin with "Mozilla/" and give nothing; PowerShell does too, and
// its own part is what is given.
func programOf(agent string) string {
	if len(agent) >= 8 && texts.EqualFold(agent[:8], "Mozilla/") {
		i := strings.Index(agent, "WindowsPowerShell/")
		if i < 0 {
			i = strings.Index(agent, "PowerShell/")
		}
		if i < 0 {
			return ""
		}
		agent = agent[i:]
	}
	if len(agent) > longestProgram {
		agent = agent[:longestProgram]
	}
	return agent
}

// longestProgram bounds what is kept of a user agent.
const longestProgram = 80
