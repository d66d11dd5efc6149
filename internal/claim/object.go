package claim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The forms a claim comes in; the first three are also Token.AMRForm.
const (
	formAbsent = ""
	formArray  = "array"
	formText   = "string"
	formNumber = "number"
	formOther  = "other"
)

// object is one JSON object with its members unread. Names are compared
// exactly: encoding/json alone would take "AMR" for "amr".
type object struct {
	members map[string]json.RawMessage // without those that are there twice
	twice   []string                   // sorted
}

var (
	errDepth = errors.New("nested too deep")
	errShape = errors.New("not a JSON object")
	errTwice = errors.New("a name is there twice")
	errText  = errors.New("not UTF-8")
)

// readObject reads one object and nothing behind it.
func readObject(b []byte) (object, error) {
	if err := checkDepth(b); err != nil {
		return object{}, err
	}
	if !json.Valid(b) {
		return object{}, errShape
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return object{}, errShape
	}
	o := object{members: map[string]json.RawMessage{}}
	twice := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var v json.RawMessage
		if err != nil || !ok || d.Decode(&v) != nil {
			return object{}, errShape
		}
		if _, again := o.members[name]; again {
			twice[name] = true
			continue
		}
		o.members[name] = v
	}
	for name := range twice {
		delete(o.members, name)
		o.twice = append(o.twice, name)
	}
	slices.Sort(o.twice)
	return o, nil
}

// checkDepth counts brackets outside strings, before anything recurses.
func checkDepth(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return errDepth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// strictObject reads one object in which no name is there twice at any level,
// and whose text is Unicode throughout: parsers that differ on either would
// see different claims.
func strictObject(b []byte) (object, error) {
	if !utf8.Valid(b) || loneSurrogate(b) {
		return object{}, errText
	}
	o, err := readObject(b)
	if err != nil {
		return object{}, err
	}
	if len(o.twice) > 0 {
		return object{}, errTwice
	}
	// Deeper levels.
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	type level struct {
		names map[string]bool // nil in an array
		name  bool            // a name comes next
	}
	var open []level
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return object{}, errShape
		}
		top := len(open) - 1
		if name, ok := t.(string); ok && top >= 0 && open[top].name {
			if open[top].names[name] {
				return object{}, errTwice
			}
			open[top].names[name] = true
			open[top].name = false
			continue
		}
		switch t {
		case json.Delim('{'):
			open = append(open, level{map[string]bool{}, true})
			continue
		case json.Delim('['):
			open = append(open, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
			top--
		}
		if top >= 0 && open[top].names != nil {
			open[top].name = true // a value ended
		}
	}
}

// loneSurrogate finds a \u escape that is half a character.
func loneSurrogate(b []byte) bool {
	unit := func(i int) (uint64, bool) {
		if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 32)
		return n, err == nil
	}
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		n, ok := unit(i)
		switch {
		case !ok:
			i++
		case n >= 0xdc00 && n <= 0xdfff:
			return true
		case n >= 0xd800 && n <= 0xdbff:
			if low, ok := unit(i + 6); !ok || low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 11
		default:
			i += 5
		}
	}
	return false
}

func (o object) isTwice(name string) bool { return slices.Contains(o.twice, name) }

// text gives a text, or the digits of a number; null counts as absent.
func (o object) text(name string) (string, string) {
	v, there := o.members[name]
	if !there || string(v) == "null" {
		return "", formAbsent
	}
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s, formText
	}
	var n json.Number
	if json.Unmarshal(v, &n) == nil {
		return n.String(), formNumber
	}
	return "", formOther
}

// list gives the texts of a list, or one text as a list of one. An array with
// anything else among its elements is of the other form; its texts are given.
func (o object) list(name string) (list []string, form string) {
	v, there := o.members[name]
	if !there || string(v) == "null" {
		return nil, formAbsent
	}
	if s, form := o.text(name); form == formText {
		return []string{s}, formText
	}
	var all []json.RawMessage
	if json.Unmarshal(v, &all) != nil {
		return nil, formOther
	}
	form = formArray
	list = []string{}
	for _, e := range all {
		var s *string
		if json.Unmarshal(e, &s) != nil || s == nil {
			form = formOther
			continue
		}
		list = append(list, *s)
	}
	return list, form
}

// lastMoment is the end of year 9999, which time and JSON can still write.
const lastMoment = 253402300799

// moment gives a NumericDate (RFC 7519 section 2). how is "" when it is right
// or absent; else it says what is off. A text of digits or of a date is still
// read, anything else gives no time.
func (o object) moment(name string) (at time.Time, how string) {
	s, form := o.text(name)
	switch form {
	case formAbsent:
		return time.Time{}, ""
	case formOther:
		return time.Time{}, "is not a number"
	case formText:
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil && at.Unix() >= 0 && at.Unix() <= lastMoment {
			return at.UTC(), "is a date in words, not a number"
		}
		if at, ok := numericDate(s); ok {
			return at, "is a text, not a number"
		}
		return time.Time{}, "is not a time"
	}
	at, ok := numericDate(s)
	if !ok {
		return time.Time{}, "is beyond any calendar"
	}
	return at, ""
}

// numericDate reads seconds since 1970, with or without a fraction or an
// exponent.
func numericDate(s string) (time.Time, bool) {
	if len(s) == 0 || len(s) > 40 {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n < 0 || n > lastMoment {
			return time.Time{}, false
		}
		return time.Unix(n, 0).UTC(), true
	}
	f, _, err := big.ParseFloat(s, 10, 128, big.ToZero)
	if err != nil || f.Sign() < 0 || f.Cmp(big.NewFloat(lastMoment)) > 0 {
		return time.Time{}, false
	}
	sec, _ := f.Int64()
	frac, _ := f.Sub(f, new(big.Float).SetInt64(sec)).Float64()
	return time.Unix(sec, int64(frac*1e9)).UTC(), true
}

// form says what a member is.
func (o object) form(name string) string {
	_, form := o.text(name)
	return form
}
