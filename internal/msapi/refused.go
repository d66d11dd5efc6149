package msapi

import (
	"cmp"
	"net/http"
	"strings"

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
func (r *Refused) Error() string { return r.public().Public }

// Unwrap gives the problem with its kind and hint, and the API's own error.
func (r *Refused) Unwrap() []error {
	if r.Err == nil {
		return []error{r.public()}
	}
	return []error{r.public(), r.Err}
}

func (r *Refused) public() *problem.Error {
	words := map[Reason][2]string{
		ReasonLicence:    {"the tenant has no " + r.Needs, "it stays unknown without that licence; nothing else has to be done"},
		ReasonPermission: {"the app may not read it: " + r.Needs + " is missing", "give the app that permission and consent to it"},
		ReasonRole:       {"the account may not read it: the role " + r.Needs + " is missing", "give the account that role"},
		ReasonMFA:        {"the token does not carry the MFA claim", "sign in again with MFA: run partnerguard connect"},
		ReasonConsent:    {"the app is not consented to in that tenant", "consent to it: run partnerguard sam consent"},
		ReasonAbsent:     {"it is not there", "nothing to do, if nobody expects it"},
		ReasonGone:       {"it is not there any more", "nothing to do"},
	}[r.Reason]
	if r.Code != "" {
		words[0] += " (" + r.Code + ")"
	}
	service := "the service"
	if r.Err != nil {
		service = r.Err.Service
	}
	kind := problem.BadInput
	if r.Reason == ReasonAbsent || r.Reason == ReasonGone {
		kind = problem.NotFound
	}
	return problem.New(kind, "%s: %s", service, words[0]).WithHint("%s", words[1])
}

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

// because says what the codes of refusals mean, in lower case. (contracts.md
// sections 2.2, 3.0, 3.1 and 7.3; Microsoft Graph's and Partner Center's error pages)
var because = map[string]Reason{
	"authentication_requestfromnonpremiumtenantorb2ctenant": ReasonLicence,
	"aadpremiumlicenserequired":                             ReasonLicence,
	"authentication_requestfromunsupporteduserrole":         ReasonRole,
	"authentication_msgraphpermissionmissing":               ReasonPermission,
	"authorization_requestdenied":                           ReasonPermission,
	"authorization_identitynotfound":                        ReasonConsent,
	"authorizationfailed":                                   ReasonRole, // ARM
	"subscriptionnotfound":                                  ReasonAbsent,
	"request_resourcenotfound":                              ReasonAbsent,
	"resourcenotfound":                                      ReasonAbsent,
	"itemnotfound":                                          ReasonAbsent,
	"900421":                                                ReasonMFA,
	"900308":                                                ReasonRole,
	"900329":                                                ReasonPermission,
	"900159":                                                ReasonAbsent,
	"20002":                                                 ReasonAbsent,
	"60002":                                                 ReasonAbsent,
	"60003":                                                 ReasonAbsent,
}

// refusal says whether an answer is a fact, and which. Nil: it is none.
func refusal(r *evidence.Resource, e *APIError) error {
	out := &Refused{Code: e.Code, Err: e, Reason: because[strings.ToLower(e.Code)]}
	switch {
	case e.WithoutMFA():
		out.Reason = ReasonMFA
	case e.Status == http.StatusNotFound:
		out.Reason = cmp.Or(out.Reason, ReasonAbsent)
	case e.Status == http.StatusGone:
		out.Reason = ReasonGone
	case e.Status != http.StatusForbidden && (e.Status != http.StatusBadRequest || out.Reason != ReasonLicence):
		return nil
	}
	switch out.Reason = cmp.Or(out.Reason, ReasonPermission); out.Reason {
	case ReasonLicence:
		out.Needs = map[evidence.Licence]string{evidence.P2: "Entra ID P2"}[r.Licence]
		out.Needs = cmp.Or(out.Needs, "Entra ID P1")
	case ReasonPermission:
		out.Needs = strings.Join(r.Permissions, ", ")
		if len(r.Roles) > 0 { // Graph says the same of both
			out.Needs = strings.TrimPrefix(out.Needs+" or the role "+r.Roles[0], " or the role ")
		}
	case ReasonRole:
		out.Needs = strings.Join(r.Roles, " or ")
	}
	return out
}
