package problem

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure it is; callers branch on it with [errors.Is].
type Kind string

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds. Each has one exit code (see [ExitCode]).
const (
	// Usage: the words of a command are wrong; the user can mend them.
	Usage Kind = "usage"
	// BadInput: a file or stream is not what it should be.
	BadInput Kind = "bad input"
	// NotFound: what was named is absent.
	NotFound Kind = "not found"
	// Limit: a size or time limit of ours was met.
	Limit Kind = "limit"
	// Unmet: the work was done and a mandatory requirement is not met or unknown.
	Unmet Kind = "requirement unmet"
	// Internal: our own mistake.
	Internal Kind = "internal"
)

// Error is a failure with a sentence for the person who sees it.
type Error struct {
	Kind   Kind
	Public string // what went wrong and where, lower case, no full stop
	Hint   string // what to do next; optional
	cause  error  // logged, never shown
}

// New makes an Error without a hidden cause.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error that hides cause behind a public sentence. A nil cause
// is allowed.
func Wrap(cause error, kind Kind, format string, args ...any) *Error {
	e := New(kind, format, args...)
	e.cause = cause
	return e
}

// WithHint returns a copy of e that suggests what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Error is the public sentence; the cause stays hidden.
func (e *Error) Error() string { return e.Public }

// Unwrap gives the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind} // a nil entry here would be invalid
	}
	return []error{e.Kind, e.cause}
}

// HintOf finds the hint of the outermost Error in err's tree, or "".
func HintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	return ""
}

// ExitCode is the process exit code for err: 0 all well, 1 could not do it,
// 2 usage, 3 done and a mandatory requirement is not met or unknown
// (blueprint, section 7).
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, Usage):
		return 2
	case errors.Is(err, Unmet):
		return 3
	default:
		return 1
	}
}
