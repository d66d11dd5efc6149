package mail

import (
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
)

// mechanism is the one way in.
const mechanism = "XOAUTH2"

// errForm says that a response is not one of XOAUTH2.
var errForm = errors.New("mail: the response is not of the form of XOAUTH2")

// parseXOAUTH2 reads user=…^Aauth=Bearer …^A^A, with ^A the character 1.
func parseXOAUTH2(response []byte) (user, token string, err error) {
	text := string(response)
	if len(text) > maxLine {
		return "", "", errForm
	}
	rest, ok := strings.CutSuffix(text, "\x01\x01")
	user, auth, two := strings.Cut(rest, "\x01")
	user, named := strings.CutPrefix(user, "user=")
	scheme, token, spaced := strings.Cut(auth, " ")
	if !ok || !two || !named || !spaced || !strings.EqualFold(scheme, "auth=Bearer") || token == "" || user == "" || len(user) > 320 ||
		strings.ContainsAny(token, "\x01 \r\n") || strings.ContainsAny(user, "\r\n\x00") {
		return "", "", errForm
	}
	return user, token, nil
}

// xoauth2 is one authentication. As Exchange Online, it refuses at once, without the
// error document that other services send first.
type xoauth2 struct {
	in func(user, token string) error
}

var _ sasl.Server = (*xoauth2)(nil)

// Next takes the response; nil asks for it.
func (x *xoauth2) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte{}, false, nil
	}
	user, token, err := parseXOAUTH2(response)
	if err != nil {
		return nil, false, x.in("", "")
	}
	if err := x.in(user, token); err != nil {
		return nil, false, err
	}
	return nil, true, nil
}
