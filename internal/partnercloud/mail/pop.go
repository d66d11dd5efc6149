package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// popServer speaks POP3 (RFC 1939) as far as a client needs to read. There is no
// well-kept server for it in Go.
type popServer struct {
	m *Mail

	mu        sync.Mutex // guards what follows
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]struct{}
}

// maxPOP is how many connections there may be at a time.
const maxPOP = 100

func (p *popServer) serve(l net.Listener) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		_ = l.Close()
		return net.ErrClosed
	}
	p.listeners = append(p.listeners, l)
	p.mu.Unlock()
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		if p.keep(c) {
			go func() {
				defer p.drop(c)
				p.talk(c)
			}()
		}
	}
}

func (p *popServer) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.conns) >= maxPOP {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *popServer) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *popServer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var all []error
	for _, l := range p.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	for c := range p.conns {
		_ = c.Close()
	}
	return errors.Join(all...)
}

// popSession is one connection.
type popSession struct {
	m    *Mail
	in   *bufio.Reader
	out  *bufio.Writer
	list [][]byte // nil until somebody is in
	who  *account
}

func (p *popServer) talk(c net.Conn) {
	s := &popSession{m: p.m, in: bufio.NewReaderSize(c, maxLine), out: bufio.NewWriter(c)}
	s.say("+OK The partner cloud's POP3 service is ready.")
	for {
		_ = c.SetDeadline(time.Now().Add(idle))
		if s.out.Flush() != nil {
			return
		}
		line, err := s.line()
		if err != nil {
			return
		}
		if !s.command(line) {
			_ = s.out.Flush()
			return
		}
	}
}

// line reads one line; a longer one than is ever right ends the connection.
func (s *popSession) line() (string, error) {
	b, err := s.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (s *popSession) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\r\n", args...) }

// What Exchange Online says.
const (
	popRefused = "-ERR Authentication failure: unknown user name or bad password."
	popBasic   = "-ERR Logon failure: unknown user name or bad password."
)

// command answers one line; false ends the connection.
func (s *popSession) command(line string) bool {
	word, rest, _ := strings.Cut(line, " ")
	switch word = strings.ToUpper(word); word {
	case "QUIT":
		s.say("+OK")
		return false
	case "CAPA":
		s.many("+OK", "TOP", "UIDL", "SASL "+mechanism)
	case "NOOP":
		s.say("+OK")
	case "USER", "PASS", "APOP":
		s.say(popBasic)
	case "AUTH":
		return s.auth(rest)
	case "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET":
		if s.who == nil {
			s.say("-ERR Command is not valid in this state.")
			return true
		}
		s.read(word, strings.Fields(rest))
	default:
		s.say("-ERR Protocol error. Unknown command.")
	}
	return true
}

func (s *popSession) many(head string, lines ...string) {
	s.say("%s", head)
	for _, l := range lines {
		s.say("%s", l)
	}
	s.say(".")
}

// auth takes the token, in the command or on a line of its own (RFC 5034).
func (s *popSession) auth(rest string) bool {
	mech, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	switch {
	case mech == "":
		s.many("+OK", mechanism)
		return true
	case !strings.EqualFold(mech, mechanism):
		s.say(popBasic)
		return true
	case s.who != nil:
		s.say("-ERR Command is not valid in this state.")
		return true
	}
	if text == "" {
		s.say("+ ")
		if s.out.Flush() != nil {
			return false
		}
		var err error
		if text, err = s.line(); err != nil {
			return false
		}
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	user, token, bad := parseXOAUTH2(raw)
	if err == nil && bad == nil {
		s.who, err = s.m.authenticate(user, token, "POP.AccessAsUser.All", "POP.AccessAsApp")
	}
	if err != nil || bad != nil {
		s.who = nil
		s.say(popRefused)
		return true
	}
	s.m.mu.Lock()
	s.list = append([][]byte{}, s.m.box(s.who).messages...)
	s.m.mu.Unlock()
	s.say("+OK User successfully authenticated.")
	return true
}

// read answers what is asked about messages.
func (s *popSession) read(word string, args []string) {
	switch word {
	case "RSET":
		s.say("+OK")
		return
	case "DELE":
		s.say("-ERR DELE is not part of the partner cloud.")
		return
	case "STAT":
		size := 0
		for _, m := range s.list {
			size += len(m)
		}
		s.say("+OK %d %d", len(s.list), size)
		return
	}
	if len(args) == 0 && (word == "LIST" || word == "UIDL") {
		var lines []string
		for i := range s.list {
			lines = append(lines, s.entry(word, i))
		}
		s.many("+OK", lines...)
		return
	}
	i, ok := s.number(args)
	if !ok {
		s.say("-ERR The specified message is out of range.")
		return
	}
	switch word {
	case "LIST", "UIDL":
		s.say("+OK %s", s.entry(word, i))
	case "RETR":
		s.say("+OK")
		s.dotted(s.list[i], -1)
	case "TOP":
		n := -1
		if len(args) == 2 {
			if v, err := strconv.Atoi(args[1]); err == nil {
				n = v
			}
		}
		if n < 0 {
			s.say("-ERR Protocol error.")
			return
		}
		s.say("+OK")
		s.dotted(s.list[i], n)
	}
}

func (s *popSession) entry(word string, i int) string {
	if word == "UIDL" {
		return fmt.Sprintf("%d %d", i+1, i+1) // messages are never removed
	}
	return fmt.Sprintf("%d %d", i+1, len(s.list[i]))
}

func (s *popSession) number(args []string) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(args[0])
	return n - 1, err == nil && n >= 1 && n <= len(s.list)
}

// dotted writes a message with its dots doubled: whole, or its head and so many
// lines.
func (s *popSession) dotted(raw []byte, lines int) {
	in := bufio.NewReader(bytes.NewReader(raw))
	head := true
	for {
		b, err := in.ReadBytes('\n')
		b = bytes.TrimRight(b, "\r\n")
		if err != nil && len(b) == 0 {
			break
		}
		if !head && lines >= 0 {
			if lines == 0 {
				break
			}
			lines--
		}
		if len(b) == 0 {
			head = false
		}
		if bytes.HasPrefix(b, []byte(".")) {
			_, _ = io.WriteString(s.out, ".")
		}
		_, _ = s.out.Write(b)
		_, _ = io.WriteString(s.out, "\r\n")
		if err != nil {
			break
		}
	}
	s.say(".")
}
