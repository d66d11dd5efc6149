package read

import (
	"strings"

	"partnerguard/internal/signin"
)

// Shape says which export an event came from.
type Shape uint8

// The shapes. ShapeNone means that the object is not a sign-in event; the
// Event is then empty.
const (
	ShapeNone         Shape = iota
	ShapeGraph              // Microsoft Graph signIn, v1.0 or beta
	ShapeDiagnostic         // Azure Monitor diagnostic record: an envelope with properties
	ShapeLogAnalytics       // row of a Log Analytics table
	ShapePortal             // row of the portal's CSV download
	ShapeElastic            // document of Elastic's azure.signinlogs data set
	ShapeHunting            // row of Defender's EntraIdSignInEvents or AADSignInEventsBeta
	ShapeAudit              // UserLoggedIn or UserLoginFailed of the unified audit log
	ShapeDetail             // row of the portal's authentication details: a step, no sign-in
)

// facts is what the envelope around an event says; it fills gaps and decides
// whether the object is a sign-in at all.
type facts struct {
	shape      Shape
	otherKind  bool // carries a key that only another kind of record has
	clock      bool // a clock was readable
	byTable    bool // the category is only the name of a table
	resultType outcome
	status     outcome // status.errorCode, or status written as a text or number
	signInCode outcome // "Sign-in error code" of the portal
}

// outcome is a result read from one value: a code, a word, or nothing.
type outcome struct {
	code    int32
	hasCode bool
	word    int8 // 0 none, 1 success, -1 failure
}

// wordOutcome reads the words exports use where a code is meant.
func wordOutcome(s string) int8 {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "success", "succeeded":
		return 1
	case "failure", "failed", "interrupted", "error", "timeout":
		return -1
	}
	return 0
}

// settle writes the outcome into e. A code outranks a word; a word of failure
// outranks a code of success, because a failed row with code 0 proves nothing.
func (f *facts) settle(e *signin.Event) {
	bad, good := false, false
	for _, o := range [...]outcome{f.status, f.resultType, f.signInCode} {
		if o.hasCode && !e.HasStatus {
			e.HasStatus, e.ErrorCode = true, o.code
		}
		bad = bad || o.word < 0
		good = good || o.word > 0
	}
	switch {
	case bad && (!e.HasStatus || e.ErrorCode == 0):
		e.HasStatus, e.ErrorCode = true, -1
	case good && !e.HasStatus:
		e.HasStatus, e.ErrorCode = true, 0
	}
}

// classify decides whether e, read from an object with facts f, is a sign-in.
// A category settles it; without one the object must have a clock and at least
// two of the things only a sign-in has together.
func (f *facts) classify(e *signin.Event) Shape {
	if e.Category != "" {
		// Queries over a table keep its name in rows that are no events.
		if signInCategory(e.Category) && (f.clock || !f.byTable) {
			return f.shape
		}
		return ShapeNone
	}
	if f.otherKind {
		return ShapeNone
	}
	signs := 0
	for _, seen := range [...]bool{
		e.AppID != "" || e.AppDisplayName != "",
		e.UserPrincipalName != "" || e.UserID != "" || e.ServicePrincipalID != "",
		e.ClientAppUsed != "", e.IPAddress != "", e.ConditionalAccessStatus != "",
		e.CorrelationID != "", e.HasStatus,
	} {
		if seen {
			signs++
		}
	}
	// An unreadable clock must not hide an event that is plainly one.
	if f.clock && signs >= 2 || e.CreatedRaw != "" && e.HasStatus && signs >= 4 {
		return f.shape
	}
	return ShapeNone
}

// signInCategory recognises the diagnostic categories of sign-ins. Log
// Analytics table names were mapped to them before.
func signInCategory(c string) bool {
	for _, known := range signInCategories {
		if strings.EqualFold(c, known) {
			return true
		}
	}
	return false
}

var signInCategories = [...]string{
	"SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs",
	"ManagedIdentitySignInLogs", "ADFSSignInLogs",
}

// tableCategory maps a Log Analytics table name (column Type) to the
// diagnostic category it is filled from; other names come back as they are.
func tableCategory(table string) string {
	name := table
	if len(name) > 3 && strings.EqualFold(name[:3], "AAD") {
		name = name[3:]
	}
	for _, known := range signInCategories {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return table
}

// lastPart is the country of a place written as text: "Seattle, Washington,
// US" or just "US".
func lastPart(place string) string {
	return strings.TrimSpace(place[strings.LastIndexByte(place, ',')+1:])
}
