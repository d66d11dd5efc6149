package front

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/token"
)

// maxHead bounds a message's head (ours).
const maxHead = 256 << 10

// take reads a message, holds its writer to whom the device may write as, and writes it
// on as it is sent: every line ended by CRLF, with the trace that RFC 5321 asks for, and
// the Message-ID and Date that RFC 6409 has a submission server add. It gives the
// Message-ID.
func take(w io.Writer, r io.Reader, name string, now time.Time, may func(address string) bool) (id string, err error) {
	in := bufio.NewReaderSize(&lines{r: r}, 64<<10)
	head, err := readHead(in)
	if err != nil {
		return "", err
	}
	h, err := mail.ReadMessage(strings.NewReader(head + "\r\n"))
	if err != nil {
		return "", errHead
	}
	if err := writer(h.Header, may); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Received: by %s (Partnerguard mail bridge) with ESMTPA id %s;\r\n\t%s\r\n", name, token.ID("r"), now.UTC().Format(time.RFC1123Z))
	id = strings.TrimSpace(h.Header.Get("Message-Id"))
	if len(h.Header["Message-Id"]) == 0 {
		id = "<" + token.ID("m") + "@" + name + ">"
		fmt.Fprintf(&b, "Message-ID: %s\r\n", id)
	}
	if len(h.Header["Date"]) == 0 {
		fmt.Fprintf(&b, "Date: %s\r\n", now.UTC().Format(time.RFC1123Z))
	}
	if !bridge.IsMessageID(id) { // it stays in the message, and names it nowhere else
		id = ""
	}
	b.WriteString(head + "\r\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return "", err
	}
	_, err = io.CopyBuffer(w, struct{ io.Reader }{in}, make([]byte, 64<<10))
	return id, err
}

// writer holds From and Sender to the device's addresses. One From, of one address: two
// would be read in two ways.
func writer(h mail.Header, may func(string) bool) error {
	if len(h["From"]) != 1 || len(h["Sender"]) > 1 {
		return errHead
	}
	for name := range h { // "From :" is a From to some (RFC 5322 section 4.5)
		if strings.ContainsAny(name, " \t") {
			return errHead
		}
	}
	for _, name := range []string{"From", "Sender"} {
		if len(h[name]) == 0 {
			continue
		}
		list, err := h.AddressList(name)
		if err != nil || len(list) != 1 {
			return errHead
		}
		if !may(list[0].Address) {
			return errSender
		}
	}
	return nil
}

// readHead reads the head of a message, without the line that ends it.
func readHead(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) || b.Len()+len(line) > maxHead {
			return "", errHead
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if text := bytes.TrimRight(line, "\r\n"); len(text) == 0 {
			return b.String(), nil
		}
		b.Write(line)
		if err != nil { // a head alone, its last line without an end
			b.WriteString("\r\n")
			return b.String(), nil
		}
	}
}

// lines makes CRLF of every end of a line: CRLF, and LF and CR that stand alone, which
// old devices send, and by which a message would be two for who reads it otherwise. NUL
// has no place in mail.
type lines struct {
	r    io.Reader
	buf  [32 << 10]byte
	rest []byte // of buf
	cr   bool   // the last byte was a CR, which is written as CRLF
	lf   bool   // a CR was written, and its LF is not yet
	err  error
}

func (l *lines) Read(out []byte) (n int, err error) {
	for n < len(out) {
		if l.lf {
			out[n], l.lf = '\n', false
			n++
			continue
		}
		if len(l.rest) == 0 {
			if n > 0 {
				return n, nil
			}
			if l.err != nil {
				return 0, l.err
			}
			k, err := l.r.Read(l.buf[:])
			l.rest, l.err = l.buf[:k], err
			if k == 0 && err == nil {
				return 0, nil
			}
			continue
		}
		if k := plain(l.rest[:min(len(l.rest), len(out)-n, 1<<10)]); k > 0 { // most of a message
			copy(out[n:], l.rest[:k])
			n, l.rest, l.cr = n+k, l.rest[k:], false
			continue
		}
		c := l.rest[0]
		l.rest = l.rest[1:]
		switch {
		case c == 0:
			l.rest, l.err = nil, errHead
			return n, l.err
		case c == '\n' && l.cr:
		default:
			out[n], l.lf = '\r', true
			n++
		}
		l.cr = c == '\r'
	}
	return n, nil
}

// plain is how many bytes from the start are neither an end of a line nor NUL.
func plain(b []byte) int {
	for _, c := range []byte{'\n', '\r', 0} { // each is looked for as far as the one before
		if i := bytes.IndexByte(b, c); i >= 0 {
			b = b[:i]
		}
	}
	return len(b)
}
