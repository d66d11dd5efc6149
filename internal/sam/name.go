package sam

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/problem"
)

// maxName bounds a connection's name, in bytes.
const maxName = 100

// RemedyName is what the connection is called that changes settings by plans. An account
// of its own consents to it: where no connection is named it is never the one meant.
const RemedyName = "remedy"

// idPrefix begins every connection's id, and so no name: what a person writes is
// one or the other.
const idPrefix = "c-"

// IsID says whether what names a connection is an id. No name looks like one.
func IsID(nameOrID string) bool { return strings.HasPrefix(lower(nameOrID), idPrefix) }

func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unseen) || IsID(name) || strings.HasPrefix(name, "-") {
		return problem.New(problem.Usage, "%.40q cannot be a connection's name", name).
			WithHint("1 to %d printable characters, not starting with - or %s", maxName, idPrefix)
	}
	return nil
}

// unseen finds what makes two names look alike, or a line of a list look like
// another.
func unseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// nameFor is what a consent's connection is called: the Name that was chosen for
// it; else the one it has; else the first of those suggested that is free. So
// nobody's consent takes a name away, or renames anything unasked.
//
// A Name that is taken may be so by the very same account, kept a moment ago by
// another process: sure says that we looked twice.
func (s *Store) nameFor(ctx context.Context, c *Captured, r *row, sure bool) (string, error) {
	name := cmp.Or(c.Name, r.Name)
	if name == "" {
		return s.freeName(ctx, cmp.Or(c.Suggested, c.Domain, c.Tenant), r.ID)
	}
	taken, err := s.nameTaken(ctx, name, r.ID)
	switch {
	case err != nil || !taken:
		return name, err
	case !sure:
		return "", errRace
	}
	return "", nameTaken(name)
}

func nameTaken(name string) error {
	return problem.New(problem.Usage, "another connection is called %q", name).WithHint("choose another name, or remove that connection first")
}

// MayName says, before anybody signs in, whether a consent to an app in a tenant
// can have this name: a connection of another app or tenant must not have it.
// Kind problem.Usage when it cannot.
func (s *Store) MayName(ctx context.Context, name, tenant, clientID string) error {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return err
	}
	var n int
	err := s.d.QueryRowContext(ctx, countNamedElsewhere, lower(name), lower(tenant), lower(clientID)).Scan(&n)
	if err != nil {
		return wrap(err, "look for a name")
	}
	if n > 0 {
		return nameTaken(name)
	}
	return nil
}

func (s *Store) nameTaken(ctx context.Context, name, self string) (bool, error) {
	var n int
	err := s.d.QueryRowContext(ctx, countNamed, lower(name), self).Scan(&n)
	return n > 0, err
}

// freeName is base, or base with the first number that is free.
func (s *Store) freeName(ctx context.Context, base, self string) (string, error) {
	base = strings.Map(func(r rune) rune {
		if unseen(r) {
			return '-'
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(base), "-"))
	if most := maxName - len("partner--9999"); len(base) > most {
		base = strings.ToValidUTF8(base[:most], "")
	}
	if base = strings.TrimLeft(base, "- "); base == "" || IsID(base) {
		base = "partner-" + base
	}
	for n := 1; n < 10_000; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if taken, err := s.nameTaken(ctx, name, self); err != nil || !taken {
			return name, err
		}
	}
	return "", problem.New(problem.Limit, "no free name like %q was found", base)
}
