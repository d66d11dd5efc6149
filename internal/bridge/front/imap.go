package front

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
)

// command is one command of IMAP before the sign-in.
type command struct {
	tag, name string
	args      []string
}

// Faults of a command: errSyntax is answered, anything else ends the connection.
var errSyntax = errors.New("front: the command is not as RFC 3501 has it")

// Bounds of a command (ours): what a sign-in may take.
const (
	maxArgs    = 8
	maxTag     = 64
	maxAllText = 8 << 10
)

// readCommand reads one command with its literals (RFC 3501 section 9; RFC 7888).
// proceed asks the device for a literal that waits to be asked for.
func readCommand(in *bufio.Reader, proceed func() error) (c command, err error) {
	all := 0
	line := func() (string, error) {
		b, err := in.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if all += len(b); all > maxAllText {
			return "", bufio.ErrBufferFull
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
	}
	rest, err := line()
	if err != nil {
		return c, err
	}
	c.tag, rest, _ = strings.Cut(rest, " ")
	if !isTag(c.tag) {
		return command{tag: "*"}, errSyntax
	}
	name, rest, _ := strings.Cut(rest, " ")
	if !isAtom(name) {
		return c, errSyntax
	}
	c.name = strings.ToUpper(name)
	bad := error(nil)
	for rest != "" {
		word, after, n, wait, fault := nextWord(rest)
		if fault != nil || len(c.args) >= maxArgs {
			return c, errSyntax
		}
		if n < 0 {
			c.args = append(c.args, word)
			rest = strings.TrimPrefix(after, " ")
			if after != "" && rest == after {
				return c, errSyntax
			}
			continue
		}
		if n > maxText { // one that waits is not asked for; one that does not would have to be read
			if wait {
				return c, errSyntax
			}
			return c, bufio.ErrBufferFull
		}
		if wait {
			if err := proceed(); err != nil {
				return c, err
			}
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(in, raw); err != nil {
			return c, err
		}
		all += n
		if strings.ContainsRune(string(raw), 0) {
			bad = errSyntax
		}
		c.args = append(c.args, string(raw))
		if rest, err = line(); err != nil {
			return c, err
		}
		if after, ok := strings.CutPrefix(rest, " "); ok {
			rest = after
		} else if rest != "" {
			return c, errSyntax
		}
	}
	return c, bad
}

// nextWord takes an atom, a quoted text, or the head of a literal: then n is its length
// and wait says that it is to be asked for; else n is -1.
func nextWord(s string) (word, rest string, n int, wait bool, err error) {
	switch s[0] {
	case '"':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"':
				return b.String(), s[i+1:], -1, false, nil
			case c == '\\':
				if i++; i >= len(s) || s[i] != '"' && s[i] != '\\' {
					return "", "", -1, false, errSyntax
				}
				b.WriteByte(s[i])
			case c == 0 || c == '\r':
				return "", "", -1, false, errSyntax
			default:
				b.WriteByte(c)
			}
		}
		return "", "", -1, false, errSyntax
	case '{':
		inner, ok := strings.CutSuffix(s[1:], "}")
		if !ok {
			return "", "", -1, false, errSyntax
		}
		digits, plus := strings.CutSuffix(inner, "+")
		v, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || digits[0] == '+' {
			return "", "", -1, false, errSyntax
		}
		return "", "", int(v), !plus, nil
	}
	word, rest, found := strings.Cut(s, " ")
	if found {
		rest = " " + rest
	}
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == '{' }) {
		return "", "", -1, false, errSyntax
	}
	return word, rest, -1, false, nil
}

func isTag(s string) bool { return len(s) <= maxTag && isAtom(s) && !strings.Contains(s, "+") }

func isAtom(s string) bool {
	return s != "" && len(s) <= maxTag && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){}%*"\]`, r) })
}

// imap answers IMAP until the device is in.
func (r *reader) imap() (*bridge.Device, *upstream.Session) {
	if !r.say("* OK [CAPABILITY %s] %s is ready", r.caps(), r.s.d.Name) {
		return nil, nil
	}
	for range maxCommands {
		c, err := readCommand(r.in, func() error {
			if !r.say("+ OK") {
				return io.ErrClosedPipe
			}
			return nil
		})
		if err != nil && !errors.Is(err, errSyntax) {
			r.say("* BYE")
			return nil, nil
		}
		if err != nil {
			if !r.say("%s BAD It is not understood", c.tag) {
				return nil, nil
			}
			continue
		}
		d, u, more := r.imapCommand(c)
		if u != nil {
			return d, u
		}
		if !more {
			return nil, nil
		}
	}
	r.say("* BYE Too many commands")
	return nil, nil
}

// caps are the capabilities before the sign-in.
func (r *reader) caps() string {
	out := "IMAP4rev1 LITERAL+ SASL-IR ID"
	if r.offers() {
		out += " STARTTLS"
	}
	if r.may() {
		return out + " AUTH=PLAIN AUTH=LOGIN"
	}
	return out + " LOGINDISABLED"
}

// imapCommand answers one command; more is false when the connection is to end.
func (r *reader) imapCommand(c command) (d *bridge.Device, u *upstream.Session, more bool) {
	switch c.name {
	case "CAPABILITY":
		return nil, nil, r.say("* CAPABILITY %s\r\n%s OK", r.caps(), c.tag)
	case "NOOP":
		return nil, nil, r.say("%s OK", c.tag)
	case "ID":
		return nil, nil, r.say("* ID NIL\r\n%s OK", c.tag)
	case "LOGOUT":
		r.say("* BYE\r\n%s OK", c.tag)
		return nil, nil, false
	case "STARTTLS":
		if !r.offers() || len(c.args) > 0 {
			return nil, nil, r.say("%s BAD TLS cannot be begun here", c.tag)
		}
		return nil, nil, r.say("%s OK Begin TLS", c.tag) && r.startTLS()
	case "LOGIN":
		if len(c.args) != 2 {
			return nil, nil, r.say("%s BAD LOGIN takes a user and a password", c.tag)
		}
		if !r.may() {
			return nil, nil, r.say("%s NO [PRIVACYREQUIRED] Begin TLS first", c.tag)
		}
		return r.imapIn(c.tag, c.args[0], c.args[1])
	case "AUTHENTICATE":
		if len(c.args) < 1 || len(c.args) > 2 {
			return nil, nil, r.say("%s BAD AUTHENTICATE takes a mechanism", c.tag)
		}
		if !r.may() {
			return nil, nil, r.say("%s NO [PRIVACYREQUIRED] Begin TLS first", c.tag)
		}
		first := ""
		if len(c.args) == 2 {
			first = c.args[1]
		}
		user, password, err := r.sasl(c.args[0], first, func(challenge string) bool { return r.say("+ %s", challenge) })
		if errors.Is(err, errResponse) {
			r.fails++
			return nil, nil, r.say("%s NO The device's password is taken by PLAIN or LOGIN", c.tag) && r.fails < maxFails
		}
		if err != nil {
			return nil, nil, false
		}
		return r.imapIn(c.tag, user, password)
	}
	return nil, nil, r.say("%s BAD Sign in first", c.tag)
}

func (r *reader) imapIn(tag, user, password string) (*bridge.Device, *upstream.Session, bool) {
	d, u, how, more := r.open(bridge.IMAP, user, password)
	switch {
	case how == refused:
		more = r.say("%s NO [AUTHENTICATIONFAILED] The user or the password of the device is wrong, or may not be used from here", tag) && more
	case how == busy:
		more = r.say("%s NO [UNAVAILABLE] The mailbox cannot be opened now", tag) && more
	case u.Caps != "":
		more = r.say("%s OK [CAPABILITY %s] Signed in", tag, u.Caps)
	default:
		more = r.say("%s OK Signed in", tag)
	}
	if u == nil && !more {
		r.say("* BYE")
	}
	return d, u, more
}
