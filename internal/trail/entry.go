package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
)

// Hash is a hash of the tree: an entry's leaf or the root of all up to an entry.
// Of entries from before the tree it is the value of the hash chain.
type Hash [sha256.Size]byte

// String is the hash in lower case hex, 64 characters.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes it as String does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) (err error) { *h, err = ParseHash(string(b)); return err }

// ParseHash reads what String wrote.
func ParseHash(s string) (h Hash, err error) {
	if len(s) != 2*len(h) {
		return h, problem.New(problem.BadInput, "a hash of the trail has %d hex digits, this has %d characters", 2*len(h), len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return h, problem.New(problem.BadInput, "a hash of the trail is written in hex digits")
	}
	return h, nil
}

// next is the hash chain's value after the entry with these canonical bytes.
func (h Hash) next(canonical []byte) (n Hash) {
	d := sha256.New()
	d.Write(h[:])
	d.Write(canonical)
	d.Sum(n[:0])
	return n
}

// Entry is one recorded event with its place in the trail. Seq counts from 1
// without gaps: entry n is leaf n-1 of the tree.
type Entry struct {
	Seq  int64 `json:"seq"`
	Hash Hash  `json:"hash"`
	audit.Event
}

// Limits of an entry's words, in bytes. What is longer is cut and ends in "…":
// a trail that refuses an event would lose it.
const (
	maxWord    = 512
	maxReason  = 2000
	maxDetails = 24
	// maxLine bounds a canonical entry: every byte of every word escaped as
	// \u00XX would still fit.
	maxLine = 256 << 10
)

// Canonical gives an entry's canonical bytes: one JSON object without spaces,
// with the members seq, at, action, outcome, actor, object, tenant, reason,
// details in this order; object, tenant, reason and details are left out when
// empty. at is UTC with six digits after the point. Strings are UTF-8 (invalid
// bytes become U+FFFD) in which only the quotation mark, the backslash (both
// after a backslash) and the characters below U+0020 and U+007F (as \u00xx, lower
// case) are escaped. details are sorted by the bytes of their names.
func Canonical(seq int64, e audit.Event) []byte {
	b := append(make([]byte, 0, 512), `{"seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	return append(b, tail(e)...)
}

// tail is the canonical bytes after the number.
func tail(e audit.Event) []byte {
	b := append(make([]byte, 0, 480), `,"at":"`...)
	b = e.At.UTC().Truncate(time.Microsecond).AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, '"')
	member := func(name, s string, limit int, always bool) {
		if s != "" || always {
			b = append(append(append(b, ',', '"'), name...), '"', ':')
			b = appendString(b, s, limit)
		}
	}
	member("action", string(e.Action), maxWord, true)
	member("outcome", string(e.Outcome), maxWord, true)
	member("actor", e.Actor, maxWord, true)
	member("object", e.Object, maxWord, false)
	member("tenant", e.Tenant, maxWord, false)
	member("reason", e.Reason, maxReason, false)
	if len(e.Details) > 0 {
		b = append(b, `,"details":{`...)
		var few [8]string // most entries need no more
		names := few[:0]
		for name := range e.Details {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names[:min(len(names), maxDetails)] {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, name, 64), ':')
			b = appendString(b, e.Details[name], maxWord)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// itself says which bytes are written as they are.
var itself = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func appendString(b []byte, s string, limit int) []byte {
	const digits = "0123456789abcdef"
	cut := len(s) > limit
	if cut {
		for s = s[:limit]; len(s) > 0 && !utf8.RuneStart(s[len(s)-1]); {
			s = s[:len(s)-1]
		}
		if len(s) > 0 {
			s = s[:len(s)-1]
		}
	}
	b = append(b, '"')
	for i := 0; i < len(s); {
		run := i // of characters that stand for themselves
		for i < len(s) && itself[s[i]] {
			i++
		}
		if b = append(b, s[run:i]...); i == len(s) {
			break
		}
		c := s[i]
		if c < utf8.RuneSelf {
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b = utf8.AppendRune(b, r) // U+FFFD for what is not UTF-8
		i += n
	}
	if cut {
		b = append(b, "…"...)
	}
	return append(b, '"')
}

// number reads the entry's number from its canonical bytes.
func number(canonical []byte) (int64, bool) {
	rest, ok := bytes.CutPrefix(canonical, []byte(`{"seq":`))
	if !ok {
		return 0, false
	}
	digits, _, ok := bytes.Cut(rest, []byte{','})
	if !ok || len(digits) == 0 || len(digits) > 19 || digits[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, err == nil && n > 0
}

// split takes a line of a page apart.
func split(line []byte) (h Hash, canonical []byte, ok bool) {
	const digits = 2 * len(h)
	if len(line) < digits+2 || line[digits] != ' ' {
		return h, nil, false
	}
	if _, err := hex.Decode(h[:], line[:digits]); err != nil {
		return h, nil, false
	}
	return h, line[digits+1:], true
}

// read decodes canonical bytes.
func read(h Hash, canonical []byte) (Entry, error) {
	e := Entry{}
	if err := json.Unmarshal(canonical, &e); err != nil {
		return e, err
	}
	e.Hash = h
	return e, nil
}
