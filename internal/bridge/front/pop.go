package front

import (
	"errors"
	"strings"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
)

// pop answers POP3 until the device is in.
func (r *reader) pop() (*bridge.Device, *upstream.Session) {
	if !r.say("+OK %s is ready", r.s.d.Name) {
		return nil, nil
	}
	user := ""
	for range maxCommands {
		line, err := r.line()
		if err != nil {
			return nil, nil
		}
		word, rest, _ := strings.Cut(line, " ")
		d, u, more := r.popCommand(strings.ToUpper(word), rest, &user)
		if u != nil {
			return d, u
		}
		if !more {
			return nil, nil
		}
	}
	r.say("-ERR Too many commands")
	return nil, nil
}

// popCommand answers one command; more is false when the connection is to end.
func (r *reader) popCommand(word, rest string, user *string) (d *bridge.Device, u *upstream.Session, more bool) {
	switch word {
	case "CAPA":
		lines := []string{"+OK", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE"}
		if r.offers() {
			lines = append(lines, "STLS")
		}
		if r.may() {
			lines = append(lines, "USER", "SASL PLAIN LOGIN")
		}
		return nil, nil, r.say("%s", strings.Join(append(lines, "."), "\r\n"))
	case "NOOP":
		return nil, nil, r.say("+OK")
	case "QUIT":
		r.say("+OK")
		return nil, nil, false
	case "STLS":
		if !r.offers() {
			return nil, nil, r.say("-ERR TLS cannot be begun here")
		}
		*user = ""
		return nil, nil, r.say("+OK Begin TLS") && r.startTLS()
	case "USER", "PASS", "AUTH":
		if !r.may() {
			return nil, nil, r.say("-ERR Begin TLS first")
		}
	default:
		return nil, nil, r.say("-ERR Sign in first")
	}
	switch {
	case word == "USER":
		if *user = strings.TrimSpace(rest); *user == "" || len(*user) > maxText {
			*user = ""
			return nil, nil, r.say("-ERR USER takes a user")
		}
		return nil, nil, r.say("+OK")
	case word == "PASS":
		if *user == "" || len(rest) > maxText {
			return nil, nil, r.say("-ERR USER comes first")
		}
		return r.popIn(*user, rest)
	case rest == "":
		return nil, nil, r.say("+OK\r\nPLAIN\r\nLOGIN\r\n.")
	}
	mech, first, _ := strings.Cut(rest, " ")
	name, password, err := r.sasl(mech, first, func(challenge string) bool { return r.say("+ %s", challenge) })
	if errors.Is(err, errResponse) {
		r.fails++
		return nil, nil, r.say("-ERR The device's password is taken by PLAIN or LOGIN") && r.fails < maxFails
	}
	if err != nil {
		return nil, nil, false
	}
	return r.popIn(name, password)
}

func (r *reader) popIn(user, password string) (*bridge.Device, *upstream.Session, bool) {
	d, u, how, more := r.open(bridge.POP3, user, password)
	switch how {
	case refused:
		more = r.say("-ERR [AUTH] The user or the password of the device is wrong, or may not be used from here") && more
	case busy:
		more = r.say("-ERR [SYS/TEMP] The mailbox cannot be opened now") && more
	default:
		more = r.say("+OK Signed in")
	}
	return d, u, more
}
