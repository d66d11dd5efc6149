package odata

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Fielder is an object whose fields can be asked for by name. A field that the
// type does not have gives false; one that is null gives nil and true.
type Fielder interface {
	Field(name string) (any, bool)
}

// Lookup walks a path. Every step through null is null.
func Lookup(v any, path []string) any {
	for _, name := range path {
		switch o := v.(type) {
		case Fielder:
			v, _ = o.Field(name)
		case map[string]any:
			v = member(o, name)
		case json.RawMessage:
			v = decode(o)
			if m, ok := v.(map[string]any); ok {
				v = member(m, name)
			} else {
				v = nil
			}
		default:
			return nil
		}
	}
	return v
}

// member finds a member by name, or by its name without case.
func member(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

func decode(raw json.RawMessage) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// instant is what knows its moment without being a time.Time.
type instant interface{ UTC() time.Time }

// plain brings a value to nil, bool, float64, string, time.Time, or a list.
func plain(v any) any {
	switch x := v.(type) {
	case nil, bool, float64, string, time.Time:
		if t, ok := x.(time.Time); ok && t.IsZero() {
			return nil
		}
		return x
	case int:
		return float64(x)
	case int32:
		return float64(x)
	case int64:
		return float64(x)
	case *string:
		if x == nil {
			return nil
		}
		return *x
	case *bool:
		if x == nil {
			return nil
		}
		return *x
	case json.RawMessage:
		return decode(x)
	case instant:
		t := x.UTC()
		if t.IsZero() {
			return nil
		}
		return t
	}
	return v
}

// elements lists a collection's members, or nil.
func elements(v any) []any {
	switch x := plain(v).(type) {
	case []any:
		return x
	case []string:
		out := make([]any, len(x))
		for i, s := range x {
			out[i] = s
		}
		return out
	case []Fielder:
		out := make([]any, len(x))
		for i, s := range x {
			out[i] = s
		}
		return out
	}
	return nil
}

// Compare orders two values; ok is false when they cannot be compared. Text
// compares without case, as Graph's does.
func Compare(a, b any) (order int, ok bool) {
	a, b = plain(a), plain(b)
	if t, is := a.(time.Time); is {
		if s, is := b.(string); is {
			if p, good := parseTime(s); good {
				return t.Compare(p), true
			}
			return 0, false
		}
	}
	if t, is := b.(time.Time); is {
		if s, is := a.(string); is {
			if p, good := parseTime(s); good {
				return p.Compare(t), true
			}
			return 0, false
		}
	}
	switch x := a.(type) {
	case string:
		y, is := b.(string)
		if !is {
			return 0, false
		}
		if strings.EqualFold(x, y) {
			return 0, true
		}
		return strings.Compare(strings.ToLower(x), strings.ToLower(y)), true
	case float64:
		y, is := b.(float64)
		if !is {
			return 0, false
		}
		switch {
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	case time.Time:
		y, is := b.(time.Time)
		if !is {
			return 0, false
		}
		return x.Compare(y), true
	case bool:
		y, is := b.(bool)
		if !is {
			return 0, false
		}
		switch {
		case x == y:
			return 0, true
		case y:
			return -1, true
		}
		return 1, true
	}
	return 0, false
}

// Less orders for $orderby: null first, then what compares, else as it was.
func Less(a, b any) bool {
	a, b = plain(a), plain(b)
	if a == nil || b == nil {
		return a == nil && b != nil
	}
	n, ok := Compare(a, b)
	return ok && n < 0
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
