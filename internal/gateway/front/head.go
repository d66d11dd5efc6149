package front

import (
	"bytes"

	"partnerguard/internal/gateway/proxy"
)

// maxFields bounds a head's lines; the gate's own bound is not above it.
const maxFields = 256

// field is one header line, as offsets into its head: name, then value without the
// white space around it, then where the line ends, behind its CR LF.
type field struct {
	name, colon, value, stop, end int
	kind                          kind
}

// kind says what a header is to us.
type kind uint8

const (
	plain kind = iota // passed on, when it is not stripped
	ofHop             // of this connection alone: never passed on
)

// head is a request's head that has passed the gate, or an answer's that has passed
// [head.answer]. It points into the connection's buffer and holds until that is used
// again.
type head struct {
	raw                    []byte // to the empty line, which is included
	method, target         []byte
	path, host             []byte // path is target without its query
	auth, cookie           []byte
	query                  []byte // without the question mark
	accept, agent          []byte
	mode, dest, with       []byte // Sec-Fetch-Mode, Sec-Fetch-Dest, X-Requested-With
	fields                 []field
	start                  int   // where the first line ends, of an answer
	length                 int64 // of the body; 0 too where none is told
	status                 int
	told                   bool // a length is told
	doubled                bool // several Authorization
	chunked, close, old    bool // old is HTTP/1.0
	upgrade, expect, other bool // other is what the lean path lacks
	date                   bool
	named                  []byte // Connection's value, where it names more than close and keep-alive
}

// request reads a head that the gate has taken: nothing of its grammar is looked at
// again, but what does not fit is false all the same.
func (h *head) request(raw []byte) bool {
	*h = head{raw: raw, fields: h.fields[:0]}
	end := bytes.IndexByte(raw, '\n')
	if end < 1 {
		return false
	}
	line := raw[:end-1]
	a, z := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if a < 1 || z <= a {
		return false
	}
	h.method, h.target, h.start = line[:a], line[a+1:z], end+1
	h.old = string(line[z+1:]) != "HTTP/1.1"
	h.path = h.target
	if q := bytes.IndexByte(h.target, '?'); q >= 0 {
		h.path, h.query = h.target[:q], h.target[q+1:]
	}
	if !h.lines(end + 1) {
		return false
	}
	for i := range h.fields {
		h.note(&h.fields[i])
	}
	return h.host != nil || h.old
}

// lines splits what follows the first line.
func (h *head) lines(at int) bool {
	raw := h.raw
	for {
		if at+2 == len(raw) {
			return true
		}
		nl := bytes.IndexByte(raw[at:], '\n')
		if nl < 2 || len(h.fields) == maxFields {
			return false
		}
		colon := bytes.IndexByte(raw[at:at+nl], ':')
		if colon < 1 {
			return false
		}
		f := field{name: at, colon: at + colon, value: at + colon + 1, stop: at + nl - 1, end: at + nl + 1}
		for f.value < f.stop && (raw[f.value] == ' ' || raw[f.value] == '\t') {
			f.value++
		}
		for f.stop > f.value && (raw[f.stop-1] == ' ' || raw[f.stop-1] == '\t') {
			f.stop--
		}
		h.fields = append(h.fields, f)
		at = f.end
	}
}

// note takes down what a request's header says to us.
func (h *head) note(f *field) {
	name, value := h.raw[f.name:f.colon], h.raw[f.value:f.stop]
	is := func(want string) bool { return same(name, want) }
	switch len(name) {
	case 2:
		if is("te") {
			f.kind, h.other = ofHop, true
		}
	case 4:
		if is("host") {
			h.host = value
		}
	case 6:
		switch {
		case is("accept"):
			h.other = h.other || h.accept != nil
			h.accept = value
		case is("cookie"):
			h.other = h.other || h.cookie != nil
			h.cookie = value
		case is("expect"):
			h.expect = true
		}
	case 7:
		switch {
		case is("upgrade"):
			f.kind, h.upgrade = ofHop, true
		case is("trailer"):
			f.kind, h.other = ofHop, true
		}
	case 10:
		switch {
		case is("connection"):
			f.kind = ofHop
			h.connection(value)
		case is("keep-alive"):
			f.kind = ofHop
		case is("user-agent"):
			h.other = h.other || h.agent != nil
			h.agent = value
		}
	case 13:
		if is("authorization") {
			h.doubled = h.doubled || h.auth != nil
			h.other = h.other || proxy.OfConnection(text(value))
			h.auth = value
		}
	case 14:
		switch {
		case is("sec-fetch-mode"):
			first(&h.mode, value)
		case is("sec-fetch-dest"):
			first(&h.dest, value)
		case is("content-length"):
			h.length, h.told = number(value)
			h.other = h.other || !h.told
		}
	case 16:
		if is("x-requested-with") {
			first(&h.with, value)
		}
	case 17:
		if is("transfer-encoding") {
			f.kind, h.chunked = ofHop, true
		}
	}
	if begins(name, "proxy-") {
		f.kind = ofHop
	}
}

// first keeps the first of several values, as net/http's Get does.
func first(to *[]byte, value []byte) {
	if *to == nil {
		*to = value
	}
}

// connection reads Connection's value: options of the connection, or names of headers
// that are of this hop alone.
func (h *head) connection(value []byte) {
	for rest, word := value, []byte(nil); len(rest) > 0; {
		word, rest, _ = bytes.Cut(rest, comma)
		word = bytes.TrimSpace(word)
		switch {
		case same(word, "close"):
			h.close = true
		case same(word, "keep-alive"), len(word) == 0:
		default:
			h.other, h.named = true, value
		}
	}
}

var comma = []byte{','}

// same says whether two names are the same but for case; want is lower case, letters
// and hyphens alone.
func same(name []byte, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(want) {
		c := name[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// number reads a length in digits, of 18 at most.
func number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// escaped says whether the path has an escaped slash: whether a route takes one is not
// known here.
func escaped(path []byte) bool {
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return false
		}
		if path = path[i+1:]; len(path) > 1 && path[0] == '2' && path[1]|0x20 == 'f' {
			return true
		}
	}
}

func bodiless(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "DELETE":
		return true
	}
	return false
}

// bare says whether a request asks for nothing that the lean path lacks.
func (h *head) bare(most int) bool {
	if h.length > 0 && bodiless(h.method) { // not every upstream reads such a body
		return false
	}
	if h.old || h.chunked || h.upgrade || h.expect || h.other || h.length > int64(most) || len(h.target) == 0 || h.target[0] != '/' || escaped(h.path) {
		return false
	}
	switch string(h.method) {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return true
	}
	return false
}
