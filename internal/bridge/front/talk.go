package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
)

// Bounds of a connection that is not in (ours).
const (
	maxCommands = 60
	maxText     = 1024 // bytes of a user or a password
)

// reader is one connection of a device that reads, until it is in.
type reader struct {
	s      *Server
	how    *bridge.Listen
	own    *conn
	c      net.Conn // own, or TLS over it
	in     *bufio.Reader
	secure bool
	fails  int
}

// talk answers one connection, to its end.
func (s *Server) talk(c net.Conn, how *bridge.Listen) {
	defer c.Close()
	own := connOf(c)
	if own == nil {
		return
	}
	if t, ok := c.(*tls.Conn); ok {
		if err := t.Handshake(); err != nil {
			return
		}
	}
	r := &reader{s: s, how: how, own: own, c: c, in: bufio.NewReaderSize(c, maxLine), secure: how.TLS == bridge.Implicit}
	var d *bridge.Device
	var u *upstream.Session
	if how.Protocol == bridge.POP3 {
		d, u = r.pop()
	} else {
		d, u = r.imap()
	}
	if u == nil {
		return
	}
	defer u.Conn.Close()
	defer s.d.Doors.Live(d.ID, func() { _ = own.Close(); _ = u.Conn.Close() })()
	// It may have been revoked while its mailbox was being opened.
	if s.d.Doors.Still(context.Background(), d.ID) != nil {
		return
	}
	own.within(s.d.Limits.Idle, 0)
	relay(r.c, r.in, u)
}

// relay passes bytes both ways until either side ends.
func relay(c net.Conn, in *bufio.Reader, u *upstream.Session) {
	var group sync.WaitGroup
	group.Go(func() {
		_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{u.In}, make([]byte, 32<<10))
		_ = c.Close()
	})
	_, _ = io.CopyBuffer(struct{ io.Writer }{u.Conn}, struct{ io.Reader }{in}, make([]byte, 32<<10))
	_ = u.Conn.Close()
	group.Wait()
}

// may says whether a password may be sent: not before TLS.
func (r *reader) may() bool { return r.secure || r.how.TLS == bridge.NoTLS }

// offers says whether TLS can be begun.
func (r *reader) offers() bool { return !r.secure && r.how.TLS == bridge.StartTLS }

// say writes lines; false where nobody reads them.
func (r *reader) say(format string, args ...any) bool {
	_, err := fmt.Fprintf(r.c, format+"\r\n", args...)
	return err == nil
}

// line reads one line, without its end. A longer one than is ever right ends the
// connection.
func (r *reader) line() (string, error) {
	b, err := r.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return string(bytes.TrimRight(b, "\r\n")), nil
}

// startTLS begins TLS, after its answer was sent. Whatever was sent before the
// handshake is thrown away with the connection: no device does that.
func (r *reader) startTLS() bool {
	if r.in.Buffered() > 0 {
		return false
	}
	t := tls.Server(r.own, r.s.d.TLS)
	if err := t.Handshake(); err != nil {
		return false
	}
	r.c, r.in, r.secure = t, bufio.NewReaderSize(t, maxLine), true
	return true
}

// open lets a device in and opens its mailbox. more is false when the connection is to
// end.
func (r *reader) open(protocol, user, password string) (d *bridge.Device, u *upstream.Session, how verdict, more bool) {
	ctx, stop := context.WithTimeout(context.Background(), 90*time.Second)
	defer stop()
	got, how := r.s.enter(ctx, r.own.from, protocol, user, password)
	if how != in {
		r.fails++
		return nil, nil, how, r.fails < maxFails
	}
	u, err := r.s.d.Mailboxes.Open(ctx, protocol, got.Mailbox)
	if err != nil {
		r.s.d.Log.Warn("a mailbox cannot be opened", "mailbox", got.Mailbox, "device", got.ID, "protocol", protocol, "err", err)
		r.fails++
		return nil, nil, busy, r.fails < maxFails
	}
	return &got, u, in, true
}

var errResponse = errors.New("front: the response is not of its mechanism's form")

// readPlain reads the response of PLAIN (RFC 4616).
func readPlain(response string) (user, password string, err error) {
	raw, err := base64.StdEncoding.DecodeString(response)
	if err != nil || len(raw) > 3*maxText {
		return "", "", errResponse
	}
	parts := strings.Split(string(raw), "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[0] != "" && parts[0] != parts[1] || len(parts[1]) > maxText || len(parts[2]) > maxText {
		return "", "", errResponse
	}
	return parts[1], parts[2], nil
}

// sasl takes PLAIN or LOGIN: first is what came with the command, "" nothing; ask writes
// a challenge in base64.
func (r *reader) sasl(mech, first string, ask func(challenge string) bool) (user, password string, err error) {
	answer := func(challenge string) (string, error) {
		if !ask(challenge) {
			return "", io.ErrClosedPipe
		}
		line, err := r.line()
		if err == nil && line == "*" {
			return "", errResponse
		}
		return line, err
	}
	switch strings.ToUpper(mech) {
	case "PLAIN":
		if first == "" {
			if first, err = answer(""); err != nil {
				return "", "", err
			}
		}
		return readPlain(first)
	case "LOGIN":
		var got [2]string
		for i, challenge := range []string{"VXNlcm5hbWU6", "UGFzc3dvcmQ6"} { // Username:, Password:
			text := first
			if i > 0 || first == "" {
				if text, err = answer(challenge); err != nil {
					return "", "", err
				}
			}
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(raw) > maxText || bytes.IndexByte(raw, 0) >= 0 {
				return "", "", errResponse
			}
			got[i] = string(raw)
		}
		return got[0], got[1], nil
	}
	return "", "", errResponse
}
