package msapi

import (
	"net/http"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Reason is why a resource cannot be read.
type Reason string

// The reasons.
const (
	ReasonLicence    Reason = "licence"    // the tenant has no licence for it
	ReasonPermission Reason = "permission" // the app has no permission for it
	ReasonRole       Reason = "role"       // the account has no role for it
	ReasonMFA        Reason = "mfa"        // the token does not carry the MFA claim
	ReasonConsent    Reason = "consent"    // the app is not consented to in that tenant
	ReasonAbsent     Reason = "absent"     // there is no such thing in the tenant
	ReasonGone       Reason = "gone"       // it was there
)

// Refused says that a resource cannot be read, as a fact: asking again does not
// help before somebody changes something.
type Refused struct {
	Reason Reason
	Code   string // the service's own
	Needs  string // the permission, role or licence that is missing; "" where it is not known
	Err    *APIError
}

// Error is one sentence for anyone.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap gives the API's error.
func (r *Refused) Unwrap() error { return r.Err }

// Poisoned is a page that was lost because it cannot be read: too long, no JSON,
// or not of the shape that it should have. Position goes on behind it; "" where
// nothing behind it can be had.
type Poisoned struct {
	Of       string
	Request  string
	Why      string
	Span     Span // sliced: what is not read
	Position string
}

// Error says what was lost.
func (p *Poisoned) Error() string { return "an answer could not be read: " + p.Why }

// Unwrap gives the problem with its kind.
func (p *Poisoned) Unwrap() error {
	return problem.New(problem.BadInput, "%s", p.Error()).WithHint("ask Microsoft's support, by the request: %.200s", p.Request)
}

// refusal says whether an answer is a fact, and which. Nil: it is none.
func refusal(r *evidence.Resource, e *APIError) error {
	out := &Refused{Code: e.Code, Err: e}
	switch {
	case e.WithoutMFA():
		out.Reason = ReasonMFA
	case e.Status == http.StatusForbidden:
		out.Reason = ReasonPermission
	case e.Status == http.StatusNotFound:
		out.Reason = ReasonAbsent
	case e.Status == http.StatusGone:
		out.Reason = ReasonGone
	default:
		return nil
	}
	return out
}
