package proxy

import "bytes"

// fields is what the fields of one head say of the connection.
type fields struct {
	host, length, coding, upgrade, expect bool
	keep                                  bool
}

// add reads one field. It knows those that say where a message ends, what becomes of the
// connection, and which host is meant.
func (f *fields) add(h *Head, name, value []byte) *HeadError {
	switch len(name) {
	case 2:
		h.Trailer = h.Trailer || is(name, "te")
	case 4:
		if is(name, "host") {
			return f.takeHost(h, value)
		}
	case 6:
		if is(name, "expect") {
			return f.takeExpect(h, value)
		}
	case 7:
		h.Trailer = h.Trailer || is(name, "trailer")
		if is(name, "upgrade") {
			if f.upgrade {
				return errUpgrade
			}
			f.upgrade, h.Upgrade, h.WebSocket = true, true, is(value, "websocket")
		}
	case 10:
		if is(name, "connection") {
			return f.takeConnection(h, value)
		}
	case 14:
		if is(name, "content-length") {
			return f.takeLength(h, value)
		}
	case 17:
		if is(name, "transfer-encoding") {
			return f.takeCoding(h, value)
		}
	}
	if bytes.IndexByte(name, '_') >= 0 && matters(name) {
		return errUnderscore
	}
	return nil
}

// end is what the fields say together.
func (f *fields) end(h *Head) *HeadError {
	switch {
	case !f.host:
		return errHost
	case f.coding && f.length:
		return errBoth
	case f.coding && h.Old:
		return errCoding
	case f.upgrade && h.Length != 0:
		return errUpgrade
	case f.keep && h.Close && !h.Old:
		return errConnection
	}
	return nil
}

func (f *fields) takeHost(h *Head, value []byte) *HeadError {
	if f.host || !CheckHost(value) {
		return errHost
	}
	f.host, h.Host = true, value
	if h.Absolute {
		target := h.Target[:len(h.Target)-len(h.Path)]
		if !bytes.EqualFold(target[bytes.IndexByte(target, '/')+2:], value) {
			return errHost
		}
	}
	return nil
}

func (f *fields) takeLength(h *Head, value []byte) *HeadError {
	if f.length || len(value) == 0 || len(value) > maxDigits || value[0] == '0' && len(value) > 1 {
		return errLength
	}
	f.length = true
	for _, c := range value {
		if c < '0' || c > '9' {
			return errLength
		}
		h.Length = h.Length*10 + int64(c-'0')
	}
	return nil
}

func (f *fields) takeCoding(h *Head, value []byte) *HeadError {
	if f.coding || !is(value, "chunked") {
		return errCoding
	}
	f.coding, h.Length = true, Chunked
	return nil
}

func (f *fields) takeExpect(h *Head, value []byte) *HeadError {
	if f.expect || !is(value, "100-continue") {
		return errExpect
	}
	f.expect, h.Expect = true, true
	return nil
}

// takeConnection takes the options that are of a connection. Any other names a field
// that we were to drop: somebody's way to have the upstream miss it.
func (f *fields) takeConnection(h *Head, value []byte) *HeadError {
	for len(value) > 0 {
		option := value
		if i := bytes.IndexByte(value, ','); i >= 0 {
			option, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		switch option = trim(option); {
		case is(option, "close"):
			h.Close = true
		case is(option, "keep-alive"):
			f.keep = true
		case len(option) == 0, is(option, "upgrade"), is(option, "te"), is(option, "http2-settings"), is(option, "trailer"), is(option, "trailers"):
		default:
			return errConnection
		}
	}
	return nil
}

// matters says whether a name with an underscore is that of a field we or an upstream
// act on: servers that hand fields on as variables read both alike.
func matters(name []byte) bool {
	for _, other := range [...]string{
		"content-length", "transfer-encoding", "content-type", "content-encoding", "x-http-method-override", "x-http-method", "x-method-override",
	} {
		if alike(name, other) {
			return true
		}
	}
	return false
}

// framing says whether a name is of a field that no trailer may have (RFC 9110 section
// 6.5.1), because it says where a message ends or whom it is for.
func framing(name []byte) bool {
	for _, other := range [...]string{"content-length", "transfer-encoding", "host", "connection", "trailer", "te", "upgrade", "authorization", "cookie",
		"expect"} {
		if alike(name, other) {
			return true
		}
	}
	return false
}

// is says whether b is s, which is lower case, in any case.
func is(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range len(s) {
		if lower(b[i]) != s[i] {
			return false
		}
	}
	return true
}

// alike is is, with underscores for hyphens.
func alike(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range len(s) {
		if c := lower(b[i]); c != s[i] && (c != '_' || s[i] != '-') {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
