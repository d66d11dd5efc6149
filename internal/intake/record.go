package intake

import (
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// one gives one whole object to recognition and counts it if nothing takes it.
func (f *file) one(raw []byte, p place) error {
	if err := f.sync(); err != nil {
		return err
	}
	f.recall()
	taken, reason, err := f.try(raw, p)
	if err != nil || taken {
		return err
	}
	if reason == "" {
		reason = describe(raw) + ": no record known here"
	}
	f.other(reason, p)
	return nil
}

// envelopes are the members that log shippers and test harnesses put around a
// record, in the order they are tried.
var envelopes = []string{
	"event", "original", "_source", "log", "message", "_raw", "input", "result", "body", "record", "data",
}

// try reads an object as whatever it turns out to be. Not taken, it comes back
// with the reason when that is known.
func (f *file) try(raw []byte, p place) (taken bool, reason string, err error) {
	if f.seen++; f.seen&255 == 0 {
		if err := f.ctx.Err(); err != nil {
			return false, "", err
		}
	}
	if bagged(raw) {
		var x plainer
		raw = x.object(nil, raw)
	}
	kind, reason := f.recognise(raw, &p)
	t, o := theTable, &f.facts
	switch reason {
	case dscResource:
		return f.dscRecord(raw, p)
	case terraformState:
		return f.terraform(raw, p)
	case azureHound:
		return f.azureHound(raw, p)
	case viewMoments:
		f.datesOthers(o.get(t.keys["files"]))
		f.taken++
		return true, "", nil
	case viewGaps:
		f.lacks(o.get(t.keys["archivegaps"]))
		f.taken++
		return true, "", nil
	case exportMoment:
		f.stated(o.text(t.keys["exportedat"]))
		f.taken++
		return true, "", nil
	}
	// Where the keys alone say that it is a record, it is one.
	if context := o.text(t.context); p.level <= flat && o.isPage(t) && (context != "" || reason == "" && (kind == "" || p.hint != "")) {
		p.level++
		return true, "", f.container(text.InMemory(raw), p, context)
	}
	if isLog(kind) {
		anew, err := f.emitLog(kind, raw, p)
		if err != nil || !anew {
			return err == nil, "", err
		}
		if kind, reason = f.again(raw, &p); isLog(kind) {
			kind = ""
		}
	}
	if kind != "" {
		return true, "", f.record(kind, raw, p)
	}
	if reason == "" && o.names == 0 && len(o.values) == 0 {
		reason = "an empty object"
	}
	if reason != "" {
		return false, reason, f.unjudged(reason, raw, p)
	}
	if p.level < flat {
		if taken, reason, err = f.unwrap(raw, p); err != nil || taken {
			return taken, "", err
		}
	}
	if p.whole && reason == "" {
		taken, err = f.composite(raw, p)
	}
	return taken, reason, err
}

// isPage reports an object with a member that holds what a service answers, or
// that only ScubaGear writes.
func (o *facts) isPage(t *table) bool {
	return slices.ContainsFunc(o.values, func(v knownValue) bool {
		list, object := v.raw[0] == '[', v.raw[0] == '{'
		return list && t.pages.has(v.id) || object && (v.id == t.value || v.id == t.hits) || (list || object) && t.scuba.has(v.id)
	})
}

// record hands on a record whose kind and members are those of f.facts.
func (f *file) record(kind evidence.Kind, raw []byte, p place) error {
	t, o := theTable, &f.facts
	inner := o.get(t.locations)
	f.ofPage(kind, o, p)
	if kind == evidence.PerUserMFA && !o.known.has(t.keys["id"]) {
		if id := userOfContext(o.text(t.context)); id != "" { // GET /users/{id}/authentication/requirements
			raw = text.With(nil, "id", text.Quote(id), raw)
		}
	}
	if kind == evidence.AccessAssignment {
		context := o.text(t.context)
		if strings.HasSuffix(strings.ToLower(context), "/$entity") {
			f.in.Shorten(evidence.Cut{Kind: kind, Why: "holds single access assignments, not all of a relationship", Source: f.at(p)})
		}
		raw = withRelationship(raw, context, p)
	}
	if err := f.emit(kind, raw, p); err != nil || kind != evidence.ConditionalAccessPolicy || len(inner) < 3 || inner[0] != '[' {
		return err
	}
	// Tools that back up policies put the places they name inside.
	p.part, p.level, p.whole, p.hint = "namedLocations", flat, false, evidence.NamedLocation
	return f.list(text.InMemory(inner), p)
}

// unwrap tries what stands in the envelopes of raw, whose members are in
// f.facts. reason is that of the first one that is known.
func (f *file) unwrap(raw []byte, p place) (taken bool, reason string, err error) {
	t, o := theTable, &f.facts
	p.level++
	for _, id := range t.envelopes {
		inner := o.get(id)
		if len(inner) < 2 {
			continue
		}
		var object []byte
		switch inner[0] {
		case '{':
			object = inner
		case '"':
			object = text.ObjectInText(inner)
		}
		if object == nil {
			continue
		}
		taken, why, err := f.try(object, p)
		if err != nil || taken {
			return taken, "", err
		}
		if reason == "" {
			reason = why
		}
		o.read(t, raw) // the inner one used the same scratch
	}
	return false, reason, nil
}

// composite tries raw as an object whose members are the lists and records of
// an unknown tool.
func (f *file) composite(raw []byte, p place) (taken bool, err error) {
	before, format := f.tally(), f.in.Format
	p.whole, p.level = false, flat
	if f.objects == 1 {
		p.line = 0 // the index tells more
	}
	if err := f.container(text.InMemory(raw), p, ""); err != nil {
		return false, err
	}
	f.in.Format = format
	if f.taken == before.taken {
		f.restore(before)
		return false, nil
	}
	if f.objects == 1 {
		f.format("composite json")
	}
	return true, nil
}
