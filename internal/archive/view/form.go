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
	loop bool   // the list alone is not what is asked for, but what its items answer
}

// formOf finds the form of a resource by the request that exports are made by. What
// none of them reads is a list of its own.
func formOf(resource string, sliced bool) kept {
	k := kept{file: resource, form: pages}
	r, ok := evidence.ResourceNamed(resource)
	if ok {
		// Of resources that are read apart and kept in one file the name tells which.
		name := strings.TrimSuffix(r.File, ".json")
		if _, part, apart := strings.Cut(resource, "."); apart {
			name += "." + part
		}
		k.file, k.loop = name, r.Each != nil
	}
	switch {
	case sliced:
		k.form = lines
	case !ok:
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
	return k
}
