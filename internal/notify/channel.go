package notify

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/problem"
)

// Channel is a way to tell people something. Safe for concurrent use.
type Channel interface {
	Name() string // as the settings call it
	Kind() string // mail, webhook, teams, slack, syslog
	// Where is to what it goes, without what of it is secret.
	Where() string
	// Send hands over a message once. The error is a *Failure, or of our own.
	Send(ctx context.Context, m *Message) (Answer, error)
}

// Answer is what a receiver said.
type Answer struct {
	Status string // its number, such as "250" or "202"; "sent" where it says nothing
}

// Failure is that a message was not taken.
type Failure struct {
	Status string        // the number of the answer; "" where there was none
	Last   bool          // the same message would not be taken another time either
	After  time.Duration // when the receiver wants it again; 0 does not say
	err    error         // words that may be shown, with a hint of what to mend
}

func (f *Failure) Error() string { return f.err.Error() }

// Unwrap is the error in words.
func (f *Failure) Unwrap() error { return f.err }

// fail is a failure in words, with what mends it.
func fail(status, hint, format string, args ...any) *Failure {
	return &Failure{Status: status, err: problem.New(problem.BadInput, format, args...).WithHint("%s", hint)}
}

// failure is any error as one.
func failure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{err: err}
}
