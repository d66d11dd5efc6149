package intake

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
)

// PowerShell writes the objects of its modules as JSON in a form of its own:
// members in PascalCase, what was not asked for as null or as an object of
// nulls, the rest in a bag, spans of time and clocks as objects of numbers, and
// below its depth the names of types instead of values. This file brings such
// an object to the form that the service itself answers in; names are compared
// without case everywhere, so they stay as they are.

// plainer rewrites one record.
type plainer struct {
	prune bool            // objects in which nothing is set become null
	types bool            // names of types become null, and are listed in lost
	keep  map[string]bool // members, in lower case, that are never pruned
	lost  []string        // top-level members that hold the name of a type, in lower case
	depth int
}

// plainDepth is how deep a record is rewritten; what lies deeper is copied. It
// bounds the work, which is the record's size times its depth.
const plainDepth = 32

// maxLost bounds what is listed.
const maxLost = 32

// member is one member of an object: its quoted key and its value.
type member struct{ key, val []byte }

func (m *member) low() string { return strings.ToLower(strings.TrimSpace(text.Unquote(m.key))) }

// isBag reports the members into which PowerShell's modules put what their
// types do not have.
func isBag(low string) bool { return low == "additionalproperties" || low == "extensiondata" }

// unbag returns the members of an object with those of its bag among them. A
// member of the object itself goes before one of the bag, unless it is null.
func unbag(raw []byte) []member {
	var out []member
	var bags [][]byte
	text.Members(raw, func(k, v []byte) bool {
		m := member{k, v}
		if low := m.low(); isBag(low) && (v[0] == '{' || v[0] == 'n' || v[0] == '"' && (len(v) == 2 || lenient.TypeName(text.Unquote(v)))) {
			if v[0] == '{' {
				bags = append(bags, v)
			}
			return true
		}
		out = append(out, m)
		return true
	})
	if len(bags) == 0 {
		return out
	}
	at := make(map[string]int, len(out))
	for i := range out {
		at[out[i].low()] = i
	}
	for _, bag := range bags {
		text.Members(bag, func(k, v []byte) bool {
			m := member{k, v}
			switch i, here := at[m.low()]; {
			case !here:
				at[m.low()] = len(out)
				out = append(out, m)
			case out[i].val[0] == 'n':
				out[i].val = v
			}
			return true
		})
	}
	return out
}

// object writes the object raw in its plain form.
func (x *plainer) object(dst, raw []byte) []byte {
	return x.members(dst, unbag(raw), true)
}

func (x *plainer) members(dst []byte, ms []member, top bool) []byte {
	dst = append(dst, '{')
	for i := range ms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, ms[i].key...)
		dst = append(dst, ':')
		low := ms[i].low()
		if x.prune && !x.keep[low] && blankObject(ms[i].val) {
			dst = append(dst, "null"...)
			continue
		}
		lost := len(x.lost)
		dst = x.value(dst, ms[i].val)
		if len(x.lost) > lost {
			if x.lost = x.lost[:lost]; lost < maxLost {
				name := low
				if !top {
					name = "" // named by the member above
				}
				x.lost = append(x.lost, name)
			}
		}
	}
	return append(dst, '}')
}

// value writes any value in its plain form.
func (x *plainer) value(dst, raw []byte) []byte {
	if x.depth >= plainDepth {
		return append(dst, raw...)
	}
	x.depth++
	defer func() { x.depth-- }()
	switch raw[0] {
	case '{':
		ms := unbag(raw)
		if span, ok := timeSpan(ms); ok {
			return append(append(append(dst, '"'), span...), '"')
		}
		if list := wrapped(ms); list != nil {
			return x.value(dst, list)
		}
		return x.members(dst, ms, false)
	case '[':
		dst = append(dst, '[')
		n := 0
		text.Elements(raw, func(v []byte) {
			if n > 0 {
				dst = append(dst, ',')
			}
			n++
			dst = x.value(dst, v)
		})
		return append(dst, ']')
	case '"':
		if x.types && len(raw) > 5 && lenient.TypeName(text.Unquote(raw)) {
			if len(x.lost) < maxLost {
				x.lost = append(x.lost, "")
			}
			return append(dst, "null"...)
		}
	}
	return append(dst, raw...)
}

// blankObject reports an object that has members and says nothing with any of
// them, as typed modules write what is not set. A false or a zero says something.
func blankObject(raw []byte) bool {
	return raw[0] == '{' && blank(raw, 0)
}

func blank(raw []byte, depth int) bool {
	switch raw[0] {
	case 'n':
		return true
	case '"':
		return len(raw) == 2
	case '[':
		return text.SkipSpace(raw, 1) == len(raw)-1
	case '{':
		if depth > 16 {
			return false
		}
		some, all := false, true
		text.Members(raw, func(k, v []byte) bool {
			some = true
			all = blank(v, depth+1)
			return all
		})
		return all && (some || depth > 0)
	}
	return false
}

// spanParts are the members of a System.TimeSpan.
var spanParts = map[string]bool{
	"ticks": true, "days": true, "hours": true, "minutes": true, "seconds": true, "milliseconds": true, "microseconds": true, "nanoseconds": true,
	"totaldays": true, "totalhours": true, "totalminutes": true, "totalseconds": true, "totalmilliseconds": true, "totalmicroseconds": true,
	"totalnanoseconds": true,
}

// timeSpan reads a System.TimeSpan that was written member by member and gives
// it as an ISO 8601 duration.
func timeSpan(ms []member) (string, bool) {
	seconds, some := 0.0, false
	var total, ticks, parts float64
	var hasTotal, hasTicks bool
	for i := range ms {
		low := ms[i].low()
		if !spanParts[low] {
			return "", false
		}
		n, err := strconv.ParseFloat(string(ms[i].val), 64)
		if err != nil {
			return "", false
		}
		some = true
		switch low {
		case "ticks":
			ticks, hasTicks = n/1e7, true
		case "totalseconds":
			total, hasTotal = n, true
		case "days":
			parts += n * 86400
		case "hours":
			parts += n * 3600
		case "minutes":
			parts += n * 60
		case "seconds":
			parts += n
		case "totaldays":
			seconds = n * 86400
		}
	}
	switch {
	case hasTicks:
		seconds = ticks
	case hasTotal:
		seconds = total
	case parts != 0:
		seconds = parts
	}
	return isoDuration(seconds), some
}

// isoDuration writes whole days as days, as Microsoft Graph does.
func isoDuration(seconds float64) string {
	switch s := int64(seconds); {
	case s == 0:
		return "PT0S"
	case s%86400 == 0:
		return fmt.Sprintf("P%dD", s/86400)
	default:
		return fmt.Sprintf("PT%dS", s)
	}
}

// wrapped returns the list of the object {"value": […], "Count": n} that
// Windows PowerShell makes of some lists, or nil.
func wrapped(ms []member) []byte {
	if len(ms) != 2 {
		return nil
	}
	var list []byte
	count := false
	for i := range ms {
		switch low := ms[i].low(); {
		case low == "value" && ms[i].val[0] == '[':
			list = ms[i].val
		case low == "count":
			count = true
		}
	}
	if !count {
		return nil
	}
	return list
}

// bagged reports that somewhere in raw a bag holds something. It may be wrong
// for a text that looks like one, which costs a rewriting that changes nothing.
func bagged(raw []byte) bool {
	for {
		i := bytes.Index(raw, []byte("dditionalProperties\""))
		if i < 0 {
			return false
		}
		raw = raw[i+len("dditionalProperties\""):]
		at := text.SkipSpace(raw, 0)
		if at >= len(raw) || raw[at] != ':' {
			continue
		}
		at = text.SkipSpace(raw, at+1)
		if at < len(raw) && raw[at] == '{' {
			if at = text.SkipSpace(raw, at+1); at < len(raw) && raw[at] != '}' {
				return true
			}
		}
	}
}
