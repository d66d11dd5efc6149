package problem

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure it is; callers branch on it with [errors.Is].
type Kind string

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// The kinds. Each has one exit code (see [ExitCode]), and one status of HTTP,
// which web knows.
const (
	// Usage: the words of a command are wrong; the user can mend them.
	Usage Kind = "usage"
	// BadInput: a file or stream is not what it should be.
	BadInput Kind = "bad input"
	// NotFound: what was named is absent.
	NotFound Kind = "not found"
	// Limit: a size or time limit of ours was met.
	Limit Kind = "limit"
	// Unauthenticated: nobody has proven who asks.
	Unauthenticated Kind = "unauthenticated"
	// Forbidden: who asks is known, or need not be, and may not.
	Forbidden Kind = "forbidden"
	// Conflict: what is there contradicts what is asked, or what was known of it.
	Conflict Kind = "conflict"
	// Unavailable: what is needed does not answer now; later it may.
	Unavailable Kind = "unavailable"
	// TooMany: asked too often, or by too many at once; later it may do.
	TooMany Kind = "too many"
	// Unmet: the work was done, and what was judged is not met or unknown. What
	// could not be done is none of it.
	Unmet Kind = "requirement unmet"
	// Internal: our own mistake.
	Internal Kind = "internal"
)

// Error is a failure with a sentence for the person who sees it.
type Error struct {
	Kind   Kind
	Public string // what went wrong and where, lower case, no full stop
	Hint   string // what to do next; optional
	// After is when asking again may help; 0 says nothing.
	After time.Duration
	cause error // logged, never shown
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

// WithAfter returns a copy of e that says when asking again may help.
func (e *Error) WithAfter(d time.Duration) *Error {
	c := *e
	c.After = d
	return &c
}

// Cause is what e hides, for a log and nobody else; nil without one.
func (e *Error) Cause() error { return e.cause }

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
// 2 usage, 3 judged, and what was judged is not met or unknown.
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
