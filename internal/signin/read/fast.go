package read

import (
	"strings"
	"unsafe"

	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// Decoder reads sign-ins fast and agrees with [DecodeEvent] on every input:
// what is out of the ordinary it leaves to it. The zero value is ready; one
// Decoder serves one goroutine.
type Decoder struct {
	x     jsonscan.Index
	arena []byte // texts that were unescaped

	steps        []signin.Step
	requirements []signin.RequirementPolicy
	policies     []signin.AppliedPolicy
	texts        []string

	scratch   signin.Event // for Recognise
	inner     signin.Event
	env       envelope
	top, in   part
	templates templates
	makes     makes
	same      *template // that the last record was read by; nil when it was walked
	by        *makeOf   // that it was stamped by, or nil

	event, status, location, device, mfa, step, requirement, policy *keyTable
}

// envelope is what the top level says besides an event's own fields.
type envelope struct {
	time, resultDescription, callerIP, identity string
	resultType                                  outcome
	hasResultType, hasProperties                bool
}

// part is what one level of an event says that only assembling can use.
type part struct {
	seen   uint64 // by field
	place  string // location written as text
	status outcome
}

func (d *Decoder) init() {
	d.event = newKeyTable(eventKeys, eventFolded)
	d.status, d.location, d.mfa = newKeyTable(statusKeys, statusFolded), newKeyTable(locationKeys, locationFolded), newKeyTable(mfaKeys, mfaFolded)
	d.device = newKeyTable(deviceKeys, deviceFolded)
	d.step, d.policy = newKeyTable(stepKeys, stepFolded), newKeyTable(policyKeys, policyFolded)
	d.requirement = newKeyTable(requirementKeys, requirementFolded)
}

// Decode reads one object into e. Strings and lists in e may alias raw or the
// decoder's own memory and are valid until the next call.
func (d *Decoder) Decode(raw []byte, e *signin.Event) (Shape, error) {
	if shape, ok := d.fast(raw, e); ok {
		return shape, nil
	}
	return DecodeEvent(raw, e)
}

// fast reads what is ordinary; false leaves the record to DecodeEvent.
func (d *Decoder) fast(raw []byte, e *signin.Event) (Shape, bool) {
	if end, shape, ok := d.stamped(raw, e); ok && end == len(raw) {
		return shape, true
	}
	if !d.x.Scan(raw) {
		return ShapeNone, false
	}
	return d.scanned(e)
}

// line is fast on the first line of text; end is where its line feed stands,
// or len(text). For speed text's capacity should have [jsonscan.Slack] more.
func (d *Decoder) line(text []byte, e *signin.Event) (end int, shape Shape, ok bool) {
	if end, shape, ok = d.stamped(text, e); ok && (end == len(text) || text[end] == '\n') {
		return end, shape, true
	}
	if end, ok = d.x.ScanLine(text); ok {
		shape, ok = d.scanned(e)
	}
	return end, shape, ok
}

// scanned reads the record whose tokens are known.
func (d *Decoder) scanned(e *signin.Event) (Shape, bool) {
	if d.event == nil {
		d.init()
	}
	t := d.templates.find(d.x.Kinds)
	d.reset(e)
	d.same, d.by = nil, nil
	if t != nil && d.replay(t, e) {
		d.same = t
		shape := d.assemble(e)
		d.learn(t)
		return shape, true
	}
	if t != nil {
		d.reset(e)
		d.templates.learning = false
	} else {
		d.begin(e)
	}
	k, ok := d.object(0, e, &d.top, &d.in)
	if !ok || k != d.x.Len() {
		return ShapeNone, false
	}
	d.keep()
	return d.assemble(e), true
}

// reset forgets the record before.
func (d *Decoder) reset(e *signin.Event) {
	*e = signin.Event{}
	if d.env.hasProperties { // else it is as it was
		d.inner = signin.Event{}
	}
	d.env, d.top, d.in = envelope{}, part{}, part{}
	d.arena, d.steps, d.requirements = d.arena[:0], d.steps[:0], d.requirements[:0]
	d.policies, d.texts = d.policies[:0], d.texts[:0]
}

// assemble puts together what the levels of the record said.
func (d *Decoder) assemble(e *signin.Event) Shape {
	top, in := &d.top, &d.in
	f := facts{resultType: d.env.resultType, status: top.status}
	switch {
	case d.env.hasProperties:
		f.shape, f.status = ShapeDiagnostic, in.status
		d.inner.Category = texts.Either(e.Category, d.inner.Category)
		d.inner.CorrelationID = texts.Either(d.inner.CorrelationID, e.CorrelationID)
		*e = d.inner
		e.Country = texts.Either(e.Country, lastPart(in.place))
		top.seen = in.seen
	case d.env.hasResultType:
		f.shape = ShapeLogAnalytics
	case top.seen>>fieldCategory&1 != 0:
		f.shape = ShapeDiagnostic
	default:
		f.shape = ShapeGraph
	}
	e.Country = texts.Either(e.Country, lastPart(top.place))
	e.IPAddress = texts.Either(e.IPAddress, d.env.callerIP)
	e.FailureReason = texts.Either(e.FailureReason, d.env.resultDescription)
	if e.UserDisplayName == "" && e.ServicePrincipalID == "" {
		e.UserDisplayName = d.env.identity
	}
	if strings.HasPrefix(e.ResourceID, "/") {
		e.ResourceID = ""
	}
	e.HasMFAFields = top.seen&(1<<fieldRequirement|1<<fieldSteps|1<<fieldMFADetail) != 0
	if d.env.time != "" {
		e.Observed, _ = parseClock(d.env.time)
	}
	e.CreatedRaw = texts.Either(e.CreatedRaw, d.env.time)
	if e.Created, f.clock = utcClock(e.CreatedRaw); !f.clock {
		f.clock = readCreated(e.CreatedRaw, f.shape == ShapeDiagnostic, e)
	}
	f.settle(e)
	spellOut(e)
	shape := f.classify(e)
	if shape == ShapeNone {
		*e = signin.Event{}
	}
	return shape
}

// object reads the event object at token k into e. in is where the facts of a
// properties object go; nil inside one.
func (d *Decoder) object(k int, e *signin.Event, p, in *part) (next int, ok bool) {
	x := &d.x
	k++
	if x.At(k) == '}' {
		return k + 1, true
	}
	last := &d.event.root
	for {
		entry, ok := d.key(d.event, last, k)
		if !ok {
			return 0, false
		}
		last = entry
		k += 2
		switch f := entry.field; {
		case f == fieldSkip:
			if x.At(k) == '"' {
				k++
			} else if k, ok = x.Skip(k); !ok {
				return 0, false
			}
		case f == fieldOdd || p.seen>>f&1 != 0:
			return 0, false
		case f >= firstText:
			p.seen |= 1 << f
			if k, ok = d.textInto((*string)(unsafe.Add(unsafe.Pointer(e), textOffset[f])), k); !ok {
				return 0, false
			}
		default:
			p.seen |= 1 << f
			if k, ok = d.value(f, k, e, p, in); !ok {
				return 0, false
			}
		}
		switch x.At(k) {
		case ',':
			k++
		case '}':
			return k + 1, true
		default:
			return 0, false
		}
	}
}

// value reads a field that is no plain text.
func (d *Decoder) value(f field, k int, e *signin.Event, p, in *part) (next int, ok bool) {
	c := d.x.At(k)
	switch f {
	case fieldLocation:
		if c == '"' {
			k, ok = d.textInto(&p.place, k)
			return k, ok && !oddPlace(p.place)
		}
		return d.fields(d.location, k, func(_ field, k int) (int, bool) {
			return d.textInto(&e.Country, k)
		})
	case fieldDevice:
		return d.fields(d.device, k, func(f field, k int) (int, bool) {
			switch f {
			case 2:
				return d.textInto(&e.OperatingSystem, k)
			case 3:
				return d.triInto(&e.DeviceCompliant, k)
			}
			return d.textInto(&e.DeviceTrustType, k)
		})
	case fieldStatus:
		return d.fields(d.status, k, func(f field, k int) (next int, ok bool) {
			switch f {
			case 2:
				return d.codeInto(&p.status, k)
			case 3:
				return d.textInto(&e.FailureReason, k)
			}
			return d.textInto(&e.AdditionalDetails, k)
		})
	case fieldMFADetail:
		return d.fields(d.mfa, k, func(f field, k int) (int, bool) {
			if f == 2 {
				return d.textInto(&e.MFAAuthMethod, k)
			}
			return d.textInto(&e.MFAAuthDetail, k)
		})
	case fieldInteractive:
		return d.triInto(&e.Interactive, k)
	case fieldEventTypes:
		return d.textsInto(&e.EventTypes, k)
	case fieldSteps:
		return d.readSteps(k, e)
	case fieldRequirementPolicies:
		return d.readRequirements(k, e)
	case fieldPolicies, fieldPolicies2:
		if p.seen>>fieldPolicies&1 != 0 && p.seen>>fieldPolicies2&1 != 0 {
			return 0, false
		}
		return d.readPolicies(k, e)
	}
	if in == nil { // an envelope within an envelope
		return 0, false
	}
	v := &d.env
	switch f {
	case fieldTime:
		return d.textInto(&v.time, k)
	case fieldResultDescription:
		return d.textInto(&v.resultDescription, k)
	case fieldCallerIP:
		return d.textInto(&v.callerIP, k)
	case fieldIdentity:
		return d.textInto(&v.identity, k)
	case fieldResultType:
		v.hasResultType = true
		return d.codeInto(&v.resultType, k)
	case fieldProperties:
		if c != '{' || d.x.At(k+1) == '}' {
			return 0, false
		}
		v.hasProperties = true
		return d.object(k, &d.inner, in, nil)
	}
	return 0, false
}
