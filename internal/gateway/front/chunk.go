package front

import "errors"

// errFraming is what a message is cut for: another reader could see its end elsewhere.
var errFraming = errors.New("the message's framing is not plain")

// Bounds of a chunked body beside its data.
const (
	maxExtension = 256     // bytes of one chunk's
	maxTrailer   = 8 << 10 // bytes of all trailers
)

// chunks follows a chunked body byte for byte (RFC 9112 section 7.1), and takes no form
// that a lenient reader could end elsewhere: lines end in CR LF, sizes are hexadecimal
// digits alone, extensions are visible ASCII. It is for answers: those of requests pass
// [proxy.NewConn].
type chunks struct {
	state  chunkState
	left   int64 // of this chunk's data
	digits int
	extra  int // bytes of this chunk's extension, or of the trailers
	line   int // bytes of this trailer line
}

type chunkState uint8

const (
	inSize chunkState = iota
	inExtension
	sizeEnd // behind the CR
	inData
	dataCR
	dataLF
	inTrailer
	trailerEnd
	lastEnd
	chunksDone
)

// next takes bytes from b's start: n of one kind, which are data of the body, or trailer
// lines with their CR LF, or framing when they are neither. It takes one byte at least
// where b has one and the body is not done.
func (c *chunks) next(b []byte) (n int, data, trailer bool, err error) {
	if c.state == inData {
		n = int(min(c.left, int64(len(b))))
		if c.left -= int64(n); c.left == 0 {
			c.state = dataCR
		}
		return n, true, false, nil
	}
	if len(b) == 0 || c.state == chunksDone {
		return 0, false, false, nil
	}
	trailer = c.state == inTrailer && b[0] != '\r' || c.line > 0
	if !c.step(b[0]) {
		return 0, false, false, errFraming
	}
	return 1, false, trailer, nil
}

// step takes one byte of framing.
func (c *chunks) step(b byte) bool {
	switch c.state {
	case inSize:
		if v, ok := digit(b); ok {
			c.left, c.digits = c.left<<4|int64(v), c.digits+1
			return c.digits <= 15
		}
		if c.digits == 0 {
			return false
		}
		return c.sized(b)
	case inExtension:
		if b == '\r' {
			c.state = sizeEnd
			return true
		}
		c.extra++
		return b > 0x20 && b < 0x7f && c.extra <= maxExtension
	case sizeEnd:
		if c.state, c.extra, c.digits = inData, 0, 0; c.left == 0 {
			c.state = inTrailer
		}
		return b == '\n'
	case dataCR:
		c.state = dataLF
		return b == '\r'
	case dataLF:
		c.state = inSize
		return b == '\n'
	}
	return c.tail(b)
}

func (c *chunks) sized(b byte) bool {
	switch b {
	case '\r':
		c.state = sizeEnd
		return true
	case ';':
		c.state, c.extra = inExtension, 0
		return true
	}
	return false
}

// tail takes a byte of the trailer section.
func (c *chunks) tail(b byte) bool {
	switch c.state {
	case inTrailer:
		if b == '\r' {
			c.state = lastEnd
			if c.line > 0 {
				c.state = trailerEnd
			}
			return true
		}
		c.line++
		c.extra++
		// A line that begins with white space is folded into the one before.
		return (b > 0x20 || c.line > 1 && (b == ' ' || b == '\t')) && b != 0x7f && c.extra <= maxTrailer
	case trailerEnd:
		c.state, c.line = inTrailer, 0
		return b == '\n'
	case lastEnd:
		c.state = chunksDone
		return b == '\n'
	}
	return false
}

func digit(b byte) (byte, bool) {
	switch {
	case b-'0' < 10:
		return b - '0', true
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10, true
	}
	return 0, false
}
