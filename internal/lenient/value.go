package lenient

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Time is a clock value in any form [ParseTime] reads. Set is false when the
// value was absent, null, empty or unreadable; Raw keeps what was written.
type Time struct {
	time.Time
	Set bool
	Raw string
}

// UnmarshalJSON accepts a string, a number (Unix milliseconds) or null.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	switch {
	case len(b) == 0 || b[0] == 'n' || b[0] == '{' || b[0] == '[' || b[0] == 't' || b[0] == 'f':
		return nil
	case b[0] == '"':
		if err := json.Unmarshal(b, &t.Raw); err != nil {
			return err
		}
		t.Time, t.Set = ParseTime(t.Raw)
	default:
		t.Raw = string(b)
		if ms, err := strconv.ParseInt(t.Raw, 10, 64); err == nil {
			t.Time, t.Set = inRange(time.UnixMilli(ms))
		}
	}
	return nil
}

// MarshalJSON writes RFC 3339 UTC, or null when not Set.
func (t Time) MarshalJSON() ([]byte, error) {
	if !t.Set {
		return []byte("null"), nil
	}
	return json.Marshal(t.Time)
}

// Bool is true, false or unknown. Text forms of any case are accepted.
type Bool struct {
	Value bool
	Set   bool
}

// UnmarshalJSON accepts true, false, "true", "TRUE", "1", "Yes" and their
// opposites; anything else is unknown.
func (v *Bool) UnmarshalJSON(b []byte) error {
	*v = Bool{}
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "1":
		*v = Bool{Value: true, Set: true}
	case "false", "no", "0":
		*v = Bool{Set: true}
	}
	return nil
}

// MarshalJSON writes the boolean, or null when unknown.
func (v Bool) MarshalJSON() ([]byte, error) {
	if !v.Set {
		return []byte("null"), nil
	}
	return strconv.AppendBool(nil, v.Value), nil
}

// True reports a known true.
func (v Bool) True() bool { return v.Set && v.Value }

// False reports a known false.
func (v Bool) False() bool { return v.Set && !v.Value }

// Int is a whole number that may be written as text or as a decimal.
type Int struct {
	Value int64
	Set   bool
}

// UnmarshalJSON accepts 12, 12.0 and "12"; anything else is unknown.
func (v *Int) UnmarshalJSON(b []byte) error {
	*v = Int{}
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*v = Int{Value: n, Set: true}
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f < 1<<53 && f > -(1<<53) {
		*v = Int{Value: int64(f), Set: true}
	}
	return nil
}

// MarshalJSON writes the number, or null when unknown.
func (v Int) MarshalJSON() ([]byte, error) {
	if !v.Set {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, v.Value, 10), nil
}

// String is a text that may be written as a number or boolean. Null, objects
// and arrays read as "".
type String string

// UnmarshalJSON accepts a string, a number or a boolean.
func (v *String) UnmarshalJSON(b []byte) error {
	*v = ""
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case 'n', '{', '[':
		return nil
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*v = String(s)
	default:
		*v = String(b)
	}
	return nil
}

// Strings is a list of texts: an array, one comma-joined string, an array
// written as text, or null.
type Strings []string

// UnmarshalJSON accepts all four forms. Elements that are not texts, numbers
// or booleans are dropped.
func (v *Strings) UnmarshalJSON(b []byte) error {
	*v = nil
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case '[':
		var many []String
		if err := json.Unmarshal(b, &many); err != nil {
			return err
		}
		for _, s := range many {
			if s != "" {
				*v = append(*v, string(s))
			}
		}
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if t := strings.TrimSpace(s); strings.HasPrefix(t, "[") && json.Valid([]byte(t)) {
			return v.UnmarshalJSON([]byte(t))
		}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*v = append(*v, part)
			}
		}
	}
	return nil
}

// List is a JSON array of T that may also arrive as one bare object, as an
// array written inside a string, or as null. Elements of a wrong type are
// dropped and counted.
type List[T any] struct {
	Items   []T
	Dropped int  // elements that did not fit T
	Set     bool // an array, object or readable string was present, even if empty
}

// UnmarshalJSON accepts the forms named above.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	*l = List[T]{}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case '[':
		var raw []json.RawMessage
		if err := json.Unmarshal(b, &raw); err != nil {
			return err
		}
		l.Set = true
		for _, r := range raw {
			var one T
			if string(r) == "null" || json.Unmarshal(r, &one) != nil {
				l.Dropped++
				continue
			}
			l.Items = append(l.Items, one)
		}
	case '{':
		var one T
		l.Set = true
		if json.Unmarshal(b, &one) != nil {
			l.Dropped++
			return nil
		}
		l.Items = []T{one}
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		s = strings.TrimSpace(s)
		if (strings.HasPrefix(s, "[") || strings.HasPrefix(s, "{")) && json.Valid([]byte(s)) {
			return l.UnmarshalJSON([]byte(s))
		}
	}
	return nil
}

// MarshalJSON writes the items as an array.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l.Items == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.Items)
}
