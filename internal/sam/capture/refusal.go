package capture

import (
	"fmt"

	"partnerguard/internal/problem"
)

// Cause is why a consent was not taken, for programs.
type Cause string

// The causes.
const (
	Forged    Cause = "forged"    // no request of ours has that state, or the answer is malformed
	Replayed  Cause = "replayed"  // its request was answered before
	Late      Cause = "late"      // its request is older than ten minutes
	OtherTab  Cause = "other tab" // another browser than the one that began
	Declined  Cause = "declined"  // Entra ID or the person said no
	Authority Cause = "authority" // another authority or tenant answered
	BadToken  Cause = "token"     // the id token is not genuine or not for us
	Tenant    Cause = "tenant"
	App       Cause = "app"
	Account   Cause = "account" // another account than the expected one
	Guest     Cause = "guest"
	NoMFA     Cause = "no mfa"
	NoScope   Cause = "no scope"
	NoToken   Cause = "no refresh token"
)

// Refusal is a consent that was not taken. Nothing of it was kept. It unwraps
// to a problem.Error with the same words.
type Refusal struct {
	Cause Cause
	Words string // one sentence, ours
	Fix   string // what to do next
	Code  int    // AADSTS code, when there was one
}

// Error is the words.
func (r *Refusal) Error() string { return r.Words }

// Unwrap gives the problem with its hint.
func (r *Refusal) Unwrap() error {
	return problem.New(problem.BadInput, "%s", r.Words).WithHint("%s", r.Fix)
}

func refuse(cause Cause, fix, format string, args ...any) *Refusal {
	return &Refusal{Cause: cause, Fix: fix, Words: fmt.Sprintf(format, args...)}
}

const beginAgain = "begin again: run partnerguard connect"
