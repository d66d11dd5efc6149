package mfa

import (
	"context"
	"net/http"
	"time"
)

// Account is whom a factor belongs to. Both are GUIDs in lower case.
type Account struct {
	Tenant string // tid
	Object string // oid
}

// Challenge is a verified request for a second factor.
type Challenge struct {
	ID      string // names it in addresses; given by Begin
	Account Account

	// Shown, and never used to find anybody.
	Name   string // display name
	Login  string // preferred_username
	Where  string // the tenant's name
	Source string // the address the browser came from

	// Accept are the amr values that may answer, the first the most wanted.
	Accept []string

	Correlation string // client-request-id, for support
	Asked       time.Time
	Deadline    time.Time // an answer after it is worth nothing to Entra ID
}

// Outcome is what became of a challenge: either AMR or Error is set.
type Outcome struct {
	AMR string // the one that was shown, of Challenge.Accept

	Error string // as OAuth 2.0 has it: access_denied, temporarily_unavailable
	Why   string // for the error_description: says nothing of secrets
}

// Challenger keeps a challenge until it is answered, binds it to the browser that
// came with it, and sends that browser to the page that asks. payload is the
// protocol's own, given back sealed and unread to the Answerer. Errors are written by
// the caller.
type Challenger interface {
	Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, c Challenge, payload []byte) error
}

// Answerer sends the browser back to Entra ID with what became of a challenge. It is
// called once for a challenge.
type Answerer interface {
	Answer(w http.ResponseWriter, r *http.Request, c Challenge, payload []byte, o Outcome) error
}
