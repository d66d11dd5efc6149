package view

import (
	"strings"

	"partnerguard/internal/evidence"
)

// form is how an export has a list.
type form uint8

const (
	pages   form = iota // the elements of all pages as one list
	single              // one object
	lines               // JSON lines: a log
	inside              // a list whose items have the answers of a loop as a member
	instead             // a list whose items are the answers of a loop
	states              // the answers of a loop, each with the id it is of
	answers             // the answers of a loop, pages as they are
)

// kept is the form of a resource: the file it goes to, and how.
type kept struct {
	file string
	form form
	into string // of inside: the member
}

// formOf finds the form of a resource by the requests that exports are made by.
// What none of them reads is a list of its own.
func formOf(resource string, sliced bool) kept {
	base, _, _ := strings.Cut(resource, ".")
	k := kept{file: resource, form: pages}
	if sliced {
		k.form = lines
	}
	for _, r := range evidence.Requests() {
		name := strings.TrimSuffix(r.File, ".json")
		if !strings.EqualFold(name, base) {
			continue
		}
		k.file = name + strings.TrimPrefix(resource, base)
		switch {
		case sliced:
		case r.Each == nil && r.One:
			k.form = single
		case r.Each == nil:
		case r.Each.Into != "":
			k.form, k.into = inside, r.Each.Into
		case r.Kind == evidence.PerUserMFA:
			k.form = states
		case r.Kind == evidence.Customer:
			k.form = instead
		default:
			k.form = answers
		}
		break
	}
	return k
}
