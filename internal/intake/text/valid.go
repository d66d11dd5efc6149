package text

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Unquote decodes a valid JSON string.
func Unquote(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var t string
	_ = json.Unmarshal(raw, &t) // raw is valid by construction
	return t
}

// Members calls f with the quoted key and the value of each member of a valid
// JSON object, until f returns false.
func Members(raw []byte, f func(key, val []byte) bool) {
	i := SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return
	}
	i++
	for {
		i = SkipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return
		}
		k := i
		i = skipString(raw, i)
		key := raw[k:i]
		i = SkipSpace(raw, i)
		i = SkipSpace(raw, i+1) // the colon
		v := i
		i = skipValue(raw, i)
		if i > len(raw) || v >= i || !f(key, raw[v:i]) {
			return
		}
		i = SkipSpace(raw, i)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
		i++
	}
}

// Member is the value of the member called name, whatever the case, the last one
// if it is there twice, or nil.
func Member(raw []byte, name string) (v []byte) {
	Members(raw, func(key, val []byte) bool {
		if len(key) == len(name)+2 && strings.EqualFold(string(key[1:len(key)-1]), name) {
			v = val
		}
		return true
	})
	return v
}

// SkipSpace returns the index of the first byte from i on that is not white space.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		for i+8 <= len(b) && allPlain(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
		}
		if i >= len(b) {
			break
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

// skipValue returns the index behind the value of valid JSON that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			i = skipString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// Elements calls f with each element of a valid JSON array.
func Elements(raw []byte, f func(v []byte)) {
	i := SkipSpace(raw, 1)
	for i < len(raw) && raw[i] != ']' {
		v := i
		i = skipValue(raw, i)
		if i <= v {
			return
		}
		f(raw[v:i])
		if i = SkipSpace(raw, i); i < len(raw) && raw[i] == ',' {
			i = SkipSpace(raw, i+1)
		}
	}
}

// AppendQuoted writes s as a JSON text. Invalid UTF-8 becomes U+FFFD.
func AppendQuoted(dst, s []byte) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // the error is about UTF-8
	return dst
}

// Quote is [AppendQuoted] for a text of ours.
func Quote(s string) []byte { return AppendQuoted(nil, []byte(s)) }

// With writes the object raw with one member more in front, unless it has that
// member already.
func With(dst []byte, name string, value, raw []byte) []byte {
	has, some := false, false
	Members(raw, func(k, _ []byte) bool {
		some = true
		has = has || strings.EqualFold(Unquote(k), name)
		return true
	})
	if has {
		return append(dst, raw...)
	}
	dst = append(dst, '{', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	dst = append(dst, value...)
	if some {
		dst = append(dst, ',')
	}
	return append(dst, raw[1:]...)
}

// ObjectInText decodes a JSON text that holds a JSON object, or returns nil.
func ObjectInText(quoted []byte) []byte {
	i := SkipSpace(quoted, 1)
	if i >= len(quoted) || quoted[i] != '{' && quoted[i] != '\\' {
		return nil
	}
	text := []byte(strings.TrimSpace(Unquote(quoted)))
	if len(text) == 0 || text[0] != '{' || !utf8.Valid(text) {
		return nil
	}
	s := InMemory(text)
	if err := s.Value(); err != nil || s.deep {
		return nil
	}
	if end, err := s.AtEnd(); err != nil || !end {
		return nil
	}
	return text
}
