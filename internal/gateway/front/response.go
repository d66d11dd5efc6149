package front

import (
	"bytes"
	"net/http"

	"partnerguard/internal/gateway/assert"
)

// maxAnswer bounds the head of an upstream's answer.
const maxAnswer = 256 << 10

// response reads an answer's head, and takes none whose end or whose body's end two
// readers could see in two places (RFC 9112 section 6.3): a length told twice, or beside
// a transfer coding, a coding other than chunked, folded lines, bare line feeds.
func (h *head) response(raw []byte) bool {
	*h = head{raw: raw, fields: h.fields[:0]}
	end := bytes.IndexByte(raw, '\n')
	if end < 13 || !h.statusLine(raw[:end-1]) || raw[end-1] != '\r' {
		return false
	}
	h.start = end + 1
	if !h.lines(h.start) {
		return false
	}
	for i := range h.fields {
		f := &h.fields[i]
		if raw[f.end-2] != '\r' || !name(raw[f.name:f.colon]) || !value(raw[f.value:f.stop]) || !h.answered(f) {
			return false
		}
	}
	return !(h.chunked && (h.told || h.old))
}

func (h *head) statusLine(line []byte) bool {
	switch string(line[:9]) {
	case "HTTP/1.1 ":
	case "HTTP/1.0 ":
		h.old = true
	default:
		return false
	}
	code, ok := number(line[9:12])
	h.status = int(code)
	return ok && code >= 100 && code < 600 && (len(line) == 12 || line[12] == ' ') && value(line[12:])
}

// answered takes down what an answer's header says to us; false is what can be read in
// two ways.
func (h *head) answered(f *field) bool {
	name, value := h.raw[f.name:f.colon], h.raw[f.value:f.stop]
	is := func(want string) bool { return same(name, want) }
	switch len(name) {
	case 2:
		if is("te") {
			f.kind = ofHop
		}
	case 4:
		if is("date") {
			h.date = true
		}
	case 7:
		if is("upgrade") {
			f.kind = ofHop
		}
	case 10:
		switch {
		case is("connection"):
			f.kind = ofHop
			h.connection(value)
		case is("keep-alive"):
			f.kind = ofHop
		}
		if is("set-cookie") && assert.SetsOwn(text(value)) {
			f.kind = ofHop
		}
	case 14:
		if is("content-length") {
			if h.told {
				return false
			}
			h.length, h.told = number(value)
			return h.told
		}
	case 17:
		if is("transfer-encoding") {
			if h.chunked || !same(value, "chunked") {
				return false
			}
			f.kind, h.chunked = ofHop, true
		}
	}
	if begins(name, "proxy-") || begins(name, "partnerguard-") || begins(name, "x-partnerguard-") {
		f.kind = ofHop
	}
	return true
}

func begins(name []byte, with string) bool {
	return len(name) >= len(with) && same(name[:len(with)], with)
}

// connected says whether Connection named this header as one of its hop alone.
func (h *head) connected(name []byte) bool {
	for rest, word := h.named, []byte(nil); len(rest) > 0; {
		word, rest, _ = bytes.Cut(rest, comma)
		if bytes.EqualFold(bytes.TrimSpace(word), name) {
			return true
		}
	}
	return false
}

// without says whether an answer of this status and to this request has no body.
func without(method []byte, status int) bool {
	return string(method) == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified || status < 200
}

func name(b []byte) bool {
	for _, c := range b {
		if !token[c] {
			return false
		}
	}
	return len(b) > 0
}

func value(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// token has the bytes of a header's name (RFC 9110 section 5.6.2).
var token = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(c)) >= 0
	}
	return t
}()
