package proxy

import (
	"bytes"
	"encoding/binary"
)

// Limits of a request's head.
const (
	MaxHead   = 64 << 10 // bytes, with the empty line
	maxFields = 128
	maxMethod = 24
	maxField  = 128 // bytes of a name
	maxDigits = 18  // of Content-Length
)

// HeadError says what in a head two servers could read in two ways. It has nothing of
// the head itself. It is compared by identity.
type HeadError struct{ what string }

// Error is what is wrong.
func (e *HeadError) Error() string { return e.what }

// The errors of heads and of chunked bodies. [ErrHeadLong] is answered by 431, all others by
// 400, and the connection ends.
var (
	ErrHeadLong = &HeadError{"the head is too long, or has too many fields"}

	errEnd        = &HeadError{"the head does not end in one empty line"}
	errLine       = &HeadError{"a line does not end in CR LF, or has a control in it"}
	errMethod     = &HeadError{"the method is not one that is passed on"}
	errTarget     = &HeadError{"the target is not a plain path"}
	errVersion    = &HeadError{"the version is not HTTP/1.0 or HTTP/1.1"}
	errName       = &HeadError{"a field's name is not a token directly before its colon"}
	errFold       = &HeadError{"a field is folded over lines"}
	errUnderscore = &HeadError{"a field's name is one that matters but for an underscore"}
	errHost       = &HeadError{"there is not one plain Host, the one of the target"}
	errLength     = &HeadError{"the length is not told once, in digits"}
	errCoding     = &HeadError{"the transfer coding is not chunked alone, in HTTP/1.1"}
	errBoth       = &HeadError{"there are a length and a transfer coding"}
	errConnection = &HeadError{"Connection names what is not of a connection, or contradicts itself"}
	errUpgrade    = &HeadError{"Upgrade is there twice, or with a body"}
	errExpect     = &HeadError{"Expect is not 100-continue, once"}
	errChunk      = &HeadError{"a chunk is not digits, CR LF, data, CR LF"}
	errTrailer    = &HeadError{"a trailer is not plain"}
)

// Chunked is [Head.Length] of a body whose length is told chunk by chunk.
const Chunked = -1

// Head is what the connection has to know of a request's head. Its slices are of the bytes that
// were read.
type Head struct {
	Method []byte
	Target []byte // as it was sent
	Path   []byte // of Target, with the query: the same unless Absolute
	Host   []byte
	Length int64 // of the body; 0 is none, Chunked

	Old       bool // HTTP/1.0
	Absolute  bool // the target has scheme and host; the host is the one of Host
	Upgrade   bool // there is an Upgrade
	WebSocket bool // and it is websocket, the only one that is passed on
	Expect    bool // 100-continue
	Trailer   bool // trailers are announced, or taken
	Close     bool // the connection ends after it
}

// CheckHead says whether one HTTP/1 request head, from its first byte to its empty line,
// is such that every server reads it alike: method, target, host, fields, and where the
// body ends. It takes neither what RFC 9112 forbids nor what it leaves to the reader. A
// target with %2F passes: whether a route takes it is asked when the route is known. The
// error is a *[HeadError].
func CheckHead(head []byte) error {
	var h Head
	if err := h.Parse(head); err != nil {
		return err
	}
	return nil
}

// Parse is [CheckHead], and tells what it saw.
func (h *Head) Parse(head []byte) *HeadError {
	*h = Head{}
	if len(head) > MaxHead {
		return ErrHeadLong
	}
	line, rest, err := cutLine(head)
	if err == nil {
		err = h.start(line)
	}
	if err != nil {
		return err
	}
	var f fields
	for n := 0; ; n++ {
		if line, rest, err = cutLine(rest); err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if n == maxFields {
			return ErrHeadLong
		}
		name, value, err := cutField(line)
		if err == nil {
			err = f.add(h, name, value)
		}
		if err != nil {
			return err
		}
	}
	if len(rest) > 0 {
		return errEnd
	}
	return f.end(h)
}

// cutLine takes a line up to CR LF; no other control but a tab is in it.
func cutLine(b []byte) (line, rest []byte, err *HeadError) {
	for i := 0; i < len(b); i++ {
		for i+8 <= len(b) && noControl(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
		}
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case table[c]&inValue != 0:
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
			return b[:i], b[i+2:], nil
		default:
			return nil, nil, errLine
		}
	}
	return nil, nil, errEnd
}

// noControl looks at eight bytes at once: none is below a space, and none is DEL.
func noControl(x uint64) bool {
	const ones, highs = ^uint64(0) / 255, ^uint64(0) / 255 * 128
	del := x ^ ones*0x7f
	return ((x-ones*' ')&^x|(del-ones)&^del)&highs == 0
}

// start reads the request line: one space between its three parts.
func (h *Head) start(line []byte) *HeadError {
	i := bytes.IndexByte(line, ' ')
	if i < 1 || i > maxMethod {
		return errMethod
	}
	h.Method, line = line[:i], line[i+1:]
	for _, c := range h.Method {
		if table[c]&inMethod == 0 {
			return errMethod
		}
	}
	switch string(h.Method) {
	case "CONNECT", "TRACE", "TRACK", "PRI": // tunnels, echoes of what we add, another protocol
		return errMethod
	}
	if i = bytes.IndexByte(line, ' '); i < 0 {
		return errVersion
	}
	h.Target, line = line[:i], line[i+1:]
	switch string(line) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.Old, h.Close = true, true
	default:
		return errVersion
	}
	h.Path = h.Target
	if h.Path = relative(h.Target); len(h.Path) != len(h.Target) {
		h.Absolute = true
	}
	if !checkTarget(h.Path, true) {
		return errTarget
	}
	return nil
}

// relative cuts scheme and host of an absolute target; what it leaves of a target of
// neither form does not pass as a path.
func relative(target []byte) []byte {
	for _, scheme := range [...]string{"http://", "https://"} {
		if n := len(scheme); len(target) > n && string(target[:n]) == scheme {
			if i := bytes.IndexByte(target[n:], '/'); i >= 0 {
				return target[n+i:]
			}
		}
	}
	return target
}

// cutField takes a field's name and its value without the space around it.
func cutField(line []byte) (name, value []byte, err *HeadError) {
	if line[0] == ' ' || line[0] == '\t' {
		return nil, nil, errFold
	}
	i := 0
	for i < len(line) && table[line[i]]&inToken != 0 {
		i++
	}
	if i == 0 || i > maxField || i == len(line) || line[i] != ':' {
		return nil, nil, errName
	}
	return line[:i], trim(line[i+1:]), nil
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
