package vouch

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Limits of a file.
const (
	MaxFile       = 256 << 10
	MaxStatements = 500
	maxText       = 1000 // bytes of a text
	maxName       = 200  // bytes of a name or an id
	// MaxDays is the longest life of a statement: whoever vouches looks again at
	// least once a year.
	MaxDays = 366
)

// Kind is what a statement is.
type Kind string

// The kinds.
const (
	Attestation Kind = "attestation" // somebody vouches that a requirement is met
	Exception   Kind = "exception"   // somebody leaves an account or a thing out of it, and answers for that
)

// Statement is one attestation or exception. Dates are calendar days in UTC; the
// last one counts as a whole.
type Statement struct {
	Kind        Kind   `json:"kind" yaml:"-"`
	Requirement string `json:"requirement,omitempty" yaml:"requirement,omitempty"` // an id of the rule book
	Account     string `json:"account,omitempty" yaml:"account,omitempty"`         // id or user principal name
	What        string `json:"what,omitempty" yaml:"what,omitempty"`               // what exactly is vouched for, or left out
	Who         string `json:"who" yaml:"who"`                                     // the person who says so
	Since       string `json:"since" yaml:"since"`                                 // 2006-01-02
	Until       string `json:"until" yaml:"until"`
	Reason      string `json:"reason" yaml:"reason"`
	Control     string `json:"compensatingControl,omitempty" yaml:"compensatingControl,omitempty"` // what stands in its place
	ApprovedBy  string `json:"approvedBy,omitempty" yaml:"approvedBy,omitempty"`

	Source evidence.Source `json:"-" yaml:"-"`
}

// State says whether a statement counts.
type State string

// The states.
const (
	InForce State = "in_force"
	Ended   State = "expired" // it counts no more
	NotYet  State = "not_yet" // it begins later
)

// On says whether the statement counts at a moment, and how many days are left
// until it ends (below zero: since).
func (s *Statement) On(at time.Time) (State, int) {
	since, end := s.Life()
	y, m, d := at.UTC().Date()
	left := int(end.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours()/24) - 1
	switch {
	case !at.Before(end):
		return Ended, left
	case at.Before(since):
		return NotYet, left
	}
	return InForce, left
}

// Life is when the statement begins and the first moment at which it no longer
// counts.
func (s *Statement) Life() (since, end time.Time) {
	since, _ = time.Parse(time.DateOnly, s.Since)
	until, _ := time.Parse(time.DateOnly, s.Until)
	return since, until.AddDate(0, 0, 1)
}

// Check says what is wrong with a statement, as a sentence that begins with the
// key at fault; nil when nothing is.
func (s *Statement) Check() error {
	for _, f := range []struct {
		key, value string
		limit      int
		needed     bool
	}{
		{"requirement", s.Requirement, maxName, s.Kind == Attestation}, {"account", s.Account, maxName, false}, {"what", s.What, maxText, false},
		{"who", s.Who, maxName, true}, {"since", s.Since, maxName, true}, {"until", s.Until, maxName, true}, {"reason", s.Reason, maxText, true},
		{"compensatingControl", s.Control, maxText, false}, {"approvedBy", s.ApprovedBy, maxName, false},
	} {
		switch {
		case f.needed && strings.TrimSpace(f.value) == "":
			return wrong(s.why(f.key))
		case len(f.value) > f.limit:
			return wrong(fmt.Sprintf("%s is longer than %d bytes", f.key, f.limit))
		case strings.ContainsFunc(f.value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) }):
			return wrong(f.key + " holds characters that cannot be seen")
		}
	}
	switch {
	case s.Kind == Attestation && s.Account != "":
		return wrong("account stands in an attestation: what is vouched for one account is an exception, and goes under exceptions")
	case s.Kind == Exception && s.Account == "" && s.What == "":
		return wrong("account or what is missing: an exception says whom or what it leaves out")
	}
	return s.checkLife()
}

// why says what is missing, and for what.
func (s *Statement) why(key string) string {
	switch key {
	case "until":
		return "until is missing: nothing is vouched for without an end"
	case "since":
		return "since is missing: the day from which it counts"
	case "who":
		return "who is missing: a person vouches, by name"
	}
	return key + " is missing"
}

func (s *Statement) checkLife() error {
	since, err := time.Parse(time.DateOnly, s.Since)
	if err != nil {
		return wrong(fmt.Sprintf("since is %.40q, and has to be a day like 2026-11-20", s.Since))
	}
	until, err := time.Parse(time.DateOnly, s.Until)
	switch {
	case err != nil:
		return wrong(fmt.Sprintf("until is %.40q, and has to be a day like 2026-11-20", s.Until))
	case until.Before(since):
		return wrong(fmt.Sprintf("until %s is before since %s", s.Until, s.Since))
	case until.Sub(since) > MaxDays*24*time.Hour:
		return wrong(fmt.Sprintf("until %s is more than a year after since %s: vouch again when the year is over", s.Until, s.Since))
	}
	return nil
}

func wrong(text string) error { return problem.New(problem.BadInput, "%s", text) }

// Same reports two statements that say the same.
func (s *Statement) Same(o *Statement) bool {
	a, b := *s, *o
	a.Source, b.Source = evidence.Source{}, evidence.Source{}
	return a == b
}
