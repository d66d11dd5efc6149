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

// UnmarshalJSON accepts a string, a number (Unix milliseconds), null, or the
// object that PowerShell makes of a clock.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	switch {
	case len(b) > 0 && b[0] == '{':
		return t.object(b)
	case len(b) == 0 || b[0] == 'n' || b[0] == '[' || b[0] == 't' || b[0] == 'f':
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

// object reads what Windows PowerShell's ConvertTo-Json writes: a DateTime that
// came with a display hint, or a DateTimeOffset member by member.
func (t *Time) object(b []byte) error {
	var o struct {
		Value, UtcDateTime json.RawMessage
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	for _, inner := range []json.RawMessage{o.UtcDateTime, o.Value} {
		if len(inner) > 0 && inner[0] == '"' {
			return t.UnmarshalJSON(inner)
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

// bare is a text without its quotes, or any other value as it is written.
func bare(b []byte) (s string, err error) {
	if len(b) == 0 || b[0] != '"' {
		return string(b), nil
	}
	err = json.Unmarshal(b, &s)
	return s, err
}

// Bool is true, false or unknown. Text forms of any case are accepted.
type Bool struct {
	Value bool
	Set   bool
}

// UnmarshalJSON accepts true, false, 1, 0 and the texts of [ParseBool]; anything
// else is unknown.
func (v *Bool) UnmarshalJSON(b []byte) error {
	*v = Bool{}
	s, err := bare(b)
	if err == nil {
		*v = ParseBool(s)
	}
	return err
}

// ParseBool reads the words for true and false, and for yes and no, of the
// languages that [Dates] knows, as spreadsheets write them back; anything else
// is unknown.
func ParseBool(s string) Bool {
	value, known := truths[strings.ToLower(strings.TrimSpace(s))]
	return Bool{Value: value, Set: known}
}

// truths holds the words in lower case. A word that is true in one language and
// false in another is not here.
var truths = func() map[string]bool {
	out := make(map[string]bool)
	for w := range strings.FieldsSeq(`true yes 1 $true wahr ja vrai oui waar verdadero sí si vero sì tosi kyllä pravda ano igaz igen
		verdadeiro sim prawda tak sand sandt sann sant 真 はい 是 참 예`) {
		out[w] = true
	}
	for w := range strings.FieldsSeq(`false no 0 $false falsch nein faux non onwaar nee falso epätosi ei nepravda ne hamis nem
		não nao fałsz nie falsk falskt usann nej nei 偽 いいえ 否 假 거짓 아니요`) {
		out[w] = false
	}
	return out
}()

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
	s, err := bare(b)
	if err != nil {
		return err
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
	if len(b) == 0 || b[0] == 'n' || b[0] == '{' || b[0] == '[' {
		return nil
	}
	s, err := bare(b)
	*v = String(s)
	return err
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
