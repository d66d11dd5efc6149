package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// statuses is the one table of what a kind of problem is in HTTP.
var statuses = map[problem.Kind]int{
	problem.Usage:           http.StatusBadRequest,
	problem.BadInput:        http.StatusBadRequest,
	problem.Unauthenticated: http.StatusUnauthorized,
	problem.Forbidden:       http.StatusForbidden,
	problem.NotFound:        http.StatusNotFound,
	problem.Conflict:        http.StatusConflict,
	problem.Limit:           http.StatusRequestEntityTooLarge,
	problem.Unmet:           http.StatusUnprocessableEntity,
	problem.TooMany:         http.StatusTooManyRequests,
	problem.Internal:        http.StatusInternalServerError,
	problem.Unavailable:     http.StatusServiceUnavailable,
}

// Status is the status of an error, by the kind of its outermost problem.Error:
//
//	Usage, BadInput     400    what came is wrong
//	Unauthenticated     401    with WWW-Authenticate: Bearer where the handler set none
//	Forbidden           403
//	NotFound            404
//	Conflict            409
//	Limit               413    what came is more than is taken; for "not now" there is TooMany
//	Unmet               422    understood, done, and not as it has to be
//	TooMany             429
//	Internal            500    our own mistake: its words are not shown
//	Unavailable         503
//
// A body past its limit is 413 whoever met it, a context that ended is 503, one
// of [WithStatus] is what it says, and any other error is 500.
func Status(err error) int {
	if own, ok := errors.AsType[*stated](err); ok {
		return own.status
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if p, ok := errors.AsType[*problem.Error](err); ok {
		if s := statuses[p.Kind]; s != 0 {
			return s
		}
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

type stated struct {
	error
	status int
}

func (s *stated) Unwrap() error { return s.error }

// WithStatus gives err a status of its own, for what the table has none: another
// host's name (421), protocols that say which. Whose words may be shown does not
// change.
func WithStatus(status int, err error) error {
	if err == nil || status < 400 || status > 599 {
		return fmt.Errorf("web: %d is no status of an error", status)
	}
	return &stated{err, status}
}

type elsewhere struct {
	error
	to string
}

func (e *elsewhere) Unwrap() error { return e.error }

// Elsewhere is err for a program, and for a person's browser, on a route with pages, the
// way to to (303): a path of this server, where the error can be mended, such as by
// signing in. The caller makes sure that it is one.
func Elsewhere(to string, err error) error {
	if err == nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return fmt.Errorf("web: %q leads nowhere here", to)
	}
	return &elsewhere{err, to}
}

// shown are the words and the hint that may be told of an error.
func shown(status int, err error) (words, hint string) {
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Kind != problem.Internal && statuses[p.Kind] != 0 {
		return p.Public, p.Hint
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return "what was sent is more than is taken here", ""
	case status == http.StatusServiceUnavailable && errors.Is(err, context.DeadlineExceeded):
		return "it took too long", "try again later"
	case status < 500:
		return "it was refused", ""
	}
	return "something went wrong here; it was logged", ""
}

// after is when asking again may help.
func after(err error) time.Duration {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.After
	}
	return 0
}
