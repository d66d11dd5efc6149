package app

import (
	"context"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
)

// Asked is one sign-in as a person names it.
type Asked struct {
	SignIn   access.SignIn // User and Device are filled in
	User     string        // user principal name or id
	Location string        // as [access.Engine.At] takes it; "" is not known
	Device   []string      // "compliant device=true"
}

// Decide reads the settings and decides one sign-in. The note says what the words of
// the location were taken for, and is given with an error too.
func Decide(ctx context.Context, r Reading, q Asked) (a access.Answer, note string, err error) {
	_, e, err := Settings(ctx, r)
	if err != nil {
		return a, "", err
	}
	i, ok := e.Find(q.User)
	if !ok {
		return a, "", problem.New(problem.BadInput, "no account %q is in the input", q.User).WithHint("accounts are found by user principal name or id")
	}
	s := q.SignIn
	s.User, s.Device = i, map[string]bool{}
	if q.Location != "" {
		if note, err = e.At(&s, q.Location); err != nil {
			return a, "", err
		}
	}
	for _, d := range q.Device {
		name, value, found := strings.Cut(d, "=")
		if !found || value != "true" && value != "false" {
			return a, note, problem.New(problem.Usage, "--device is %q", d).
				WithHint("it is a device fact and true or false, e.g. --device 'compliant device=true'")
		}
		s.Device[strings.TrimSpace(name)] = value == "true"
	}
	return e.Decide(s), note, nil
}
