package kit

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Differs names the first member, by name, that a client sent of a resource otherwise
// than it is shown; "" when there is none. sent is the read-only part of the body,
// shown the resource as it is read now; nil: it is being made, and has nothing yet.
// Members that are left out or empty say nothing. Taken and dropped, a difference would
// look done.
func Differs(sent, shown any) string { return differs("", plain(sent), plain(shown)) }

// plain is a value as JSON has it.
func plain(v any) (out any) {
	b, err := json.Marshal(v)
	if err != nil || json.Unmarshal(b, &out) != nil {
		panic("kit: a resource has no JSON") // of members that came as JSON, or are sent as such
	}
	return out
}

// deepest is how many levels of a resource are looked at: none has as many.
const deepest = 16

// differs names the first member, by name, that was sent otherwise than it is shown.
func differs(name string, sent, shown any) string {
	if silent(sent, shown) {
		return ""
	}
	switch sent := sent.(type) {
	case map[string]any:
		is, _ := shown.(map[string]any)
		if strings.Count(name, ".") > deepest {
			return name
		}
		for _, n := range slices.Sorted(maps.Keys(sent)) {
			if strings.EqualFold(n, "links") || strings.EqualFold(n, "attributes") { // of the answer, not of the resource
				continue
			}
			if wrong := differs(strings.TrimPrefix(name+"."+n, "."), sent[n], valueOf(is, n)); wrong != "" {
				return wrong
			}
		}
		return ""
	case []any:
		is, _ := shown.([]any)
		if len(sent) != len(is) {
			return name
		}
		for i := range sent {
			if wrong := differs(name, sent[i], is[i]); wrong != "" {
				return wrong
			}
		}
		return ""
	case string:
		if is, ok := shown.(string); ok && sameText(sent, is) {
			return ""
		}
	default:
		if reflect.DeepEqual(sent, shown) {
			return ""
		}
	}
	return name
}

// silent reports a value that asks for nothing: what SDKs write for a member that was
// never set.
func silent(sent, shown any) bool {
	switch v := sent.(type) {
	case nil:
		return true
	case string:
		return v == "" || strings.EqualFold(v, "none") || strings.EqualFold(v, "unknown") || strings.HasPrefix(v, "0001-01-01")
	case bool:
		return !v && shown == nil
	case float64:
		return v == 0 && shown == nil
	case []any:
		return len(v) == 0
	}
	return false
}

func valueOf(of map[string]any, name string) any {
	if v, there := of[name]; there {
		return v
	}
	for n, v := range of {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}

// sameText compares texts without case, names of enumerations in both spellings, and
// moments in all of theirs, to the millisecond, as clients write them.
func sameText(a, b string) bool {
	flat := func(v string) string { return strings.ReplaceAll(v, "_", "") }
	if strings.EqualFold(flat(a), flat(b)) {
		return true
	}
	x, bad := Moment(a)
	y, worse := Moment(b)
	return bad == nil && worse == nil && x.Truncate(time.Millisecond).Equal(y.Truncate(time.Millisecond))
}

// Moment reads a date or a moment, with or without a zone; without one it is UTC.
func Moment(text string) (t time.Time, err error) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err = time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}
