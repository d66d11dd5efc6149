package msapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// APIError is an API's refusal, or that there was no answer. It unwraps to a
// problem.Error with words and next step.
type APIError struct {
	Service    string // "Partner Center", "Microsoft Graph"
	Status     int    // of HTTP; 0 when there was no answer
	Code       string // the API's own code, a number or a word; "" when none came
	Transient  bool   // the same request may work later by itself
	RetryAfter time.Duration
	Claims     string // JSON of a claims challenge (contracts.md section 4.5); "" when none
	RequestID  string // what Microsoft's support asks for

	long  bool   // the answer is longer than we read
	slow  bool   // no answer came in time
	way   string // what went wrong on the way, when there was no answer
	about about
}

// about is what we read out of an error's prose, where nothing else tells.
type about struct {
	exists   bool   // a consent that is there already
	absent   bool   // a resource whose service principal is missing
	resource string // its app id, when the text names it
	mfa      bool
}

// Error is one sentence for anyone, without a word of the answer's own.
func (e *APIError) Error() string { return e.public().Public }

// Unwrap gives the problem with its kind and hint.
func (e *APIError) Unwrap() error { return e.public() }

// WithoutMFA says that the token was refused for lacking the MFA claim
// (contracts.md section 1.3): final, never to be sent again.
func (e *APIError) WithoutMFA() bool {
	return e.Status == http.StatusUnauthorized && (e.Code == "900421" || e.Code == "" && e.about.mfa)
}

// late says that the service needed too long for what it was asked.
func (e *APIError) late() bool {
	return e.slow || e.Status == http.StatusRequestTimeout || e.Status == http.StatusGatewayTimeout
}

// words explains Partner Center's codes (contracts.md section 2.2).
var centerWords = map[string][2]string{
	"800001": {"the access token is missing", "this is likely a mistake of this program: report it"},
	"900420": {"the access token is for another service", "this is likely a mistake of this program: report it"},
	"900421": {"the token does not carry the MFA claim", "sign in again with MFA: run partnerguard connect"},
	"900308": {"the account lacks the role for it",
		"the account needs AdminAgents and a security group that holds, by GDAP on that customer, Application Administrator, Cloud Application " +
			"Administrator or Global Administrator"},
	"900309": {"Conditional Access blocked the token", "find the policy in the sign-in log and let this account and app through with MFA"},
	"900329": {"an app alone may not do this", "use a connection of an account: partnerguard connect"},
	"90000":  {"Partner Center could not get a token of its own", "look at the customer's Conditional Access policies, then try again"},
	"900159": {"there is no commerce relationship with that customer", "check the customer"},
	"20002":  {"there is no commerce relationship with that customer", "check the customer"},
	"900124": {"the Microsoft Partner Agreement is not accepted", "accept it in Partner Center"},
	"13605":  {"the Microsoft Customer Agreement is not confirmed", "confirm it in Partner Center for that customer"},
	"900416": {"the customer's account is locked", "look at the customer in Partner Center"},
	"800075": {"the customer's account is not approved", "look at the customer in Partner Center"},
	"60003":  {"the tenant is not known", "check the customer's tenant id"},
	"800002": {"an id is malformed", "check the ids"},
	"900118": {"the customer is not valid", "check the customer's tenant id"},
}

func (e *APIError) public() *problem.Error {
	kind := problem.BadInput
	var words, fix string
	switch {
	case e.Transient:
		kind, fix = problem.Limit, "nothing to do: try again later"
		switch {
		case e.way != "":
			words, fix = "could not be asked: "+e.way, "check the network and try again"
		case e.Status == http.StatusTooManyRequests:
			words = "is throttling us"
		default:
			words = fmt.Sprintf("has a passing error (HTTP %d)", e.Status)
		}
		return problem.New(kind, "%s %s", e.Service, words).WithHint("%s", fix)
	case e.way != "":
		words, fix = e.way, "try again; report it if it stays"
	case centerWords[e.Code] != [2]string{} && e.Service == center:
		words, fix = centerWords[e.Code][0], centerWords[e.Code][1]
	case e.WithoutMFA():
		words, fix = centerWords["900421"][0], centerWords["900421"][1]
	case e.Code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant":
		words, fix = "the tenant has no Entra ID P1 or P2 licence for this", "this is itself a finding: P1 is what sign-in logs and Conditional Access need"
	case e.Claims != "":
		words, fix = "a claims challenge must be met by signing in again", "run partnerguard connect"
	case e.Status == http.StatusUnauthorized:
		words, fix = "the access token was not accepted", "try again; if it stays, run partnerguard connect"
	case e.Status == http.StatusForbidden:
		words, fix = "permission is missing", "compare the app's permissions and the account's roles with the app manifest"
	case e.Status == http.StatusNotFound:
		kind, words, fix = problem.NotFound, "it is not there", "check the ids"
	default:
		words, fix = "the request was not accepted", "report it with the request id"
	}
	if e.Code != "" {
		words += " (" + e.Code + ")"
	} else if e.Status != 0 {
		words += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	return problem.New(kind, "%s: %s", e.Service, words).WithHint("%s", fix)
}

// Names of services in errors.
const (
	center = "Partner Center"
	graph  = "Microsoft Graph"
	arm    = "Azure Resource Manager"
)

var anyGUID = pattern.Later(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)

// maxProse bounds the text of an error that is looked at.
const maxProse = 4 << 10

// readAPIError reads a refusal in any of the shapes of contracts.md sections 2.2
// and 3.0: Partner Center's, its gateway's, Graph's, or no body at all.
func readAPIError(service string, res *sent) *APIError {
	e := &APIError{Service: service, Status: res.status, RetryAfter: res.after}
	var in struct {
		Code        code            `json:"code"`
		Description string          `json:"description"`
		Message     string          `json:"message"`
		Error       json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(res.body, &in) // no body, or a page, is an answer too
	e.Code = string(in.Code)
	prose := in.Description + " " + in.Message
	var inner struct {
		Code    code   `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(in.Error, &inner) == nil {
		if inner.Code != "" {
			e.Code = string(inner.Code)
		}
		prose += " " + inner.Message
	}
	for _, name := range []string{"MS-RequestId", "request-id"} {
		if v := res.header.Get(name); isGUID(v) {
			e.RequestID = v
		}
	}
	e.Claims = challengeOf(res.header)
	e.about = readProse(prose, res)
	switch res.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		e.Transient = true
	}
	return e
}

// readProse looks for the few things that only the text tells (contracts.md
// sections 1.3 and 2.5). Nothing of it is repeated.
func readProse(prose string, res *sent) (a about) {
	if len(prose) > maxProse {
		prose = prose[:maxProse]
	}
	text := strings.ToLower(prose)
	a.exists = strings.Contains(text, "permission entry already exists") || res.status == http.StatusConflict && strings.Contains(text, "already exist")
	a.absent = strings.Contains(text, "service principal") && (strings.Contains(text, "does not have") || strings.Contains(text, "lacks") ||
		strings.Contains(text, "not found") || strings.Contains(text, "does not exist") || strings.Contains(text, "missing"))
	if a.absent {
		// The resource's id is named after the tenant's.
		if ids := anyGUID.FindAllString(prose, 8); len(ids) > 0 {
			a.resource = strings.ToLower(ids[len(ids)-1])
		}
	}
	a.mfa = res.status == http.StatusUnauthorized && (strings.Contains(text, "mfa required") || strings.Contains(text, "multifactor authentication claim") ||
		bytes.Contains(bytes.ToLower(res.body[:min(len(res.body), maxProse)]), []byte("mfa required")))
	return a
}

// code is an error's code, a number or a text (contracts.md section 10, trap 4).
type code string

// UnmarshalJSON never fails: an unreadable code is no code.
func (c *code) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	if isWord(text) && text != "null" {
		*c = code(text)
	}
	return nil
}

var claimsParam = pattern.Later(`(?i)\bclaims\s*=\s*"([A-Za-z0-9+/_=-]+)"`)

// challengeOf reads the claims challenge of any WWW-Authenticate header.
func challengeOf(h http.Header) string {
	for i, v := range h.Values("WWW-Authenticate") {
		if i == 8 || len(v) > 16<<10 || !strings.Contains(strings.ToLower(v), "insufficient_claims") {
			continue
		}
		m := claimsParam.FindStringSubmatch(v)
		if m == nil {
			continue
		}
		text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(m[1]), "=")
		b, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		if c := claimsText(b); c != "" {
			return c
		}
	}
	return ""
}
