package claim

import (
	"math"
	"time"
)

// Answer is what a token proves about MFA.
type Answer string

// The answers. Unknown is never a pass.
const (
	Proven     Answer = "proven"
	NotProven  Answer = "not proven"
	CannotTell Answer = "cannot tell"
)

// Cause is why the answer is not Proven, for programs.
type Cause string

// The causes.
const (
	NoClaim     Cause = "no claim"     // a v1 user token without amr
	WithoutMFA  Cause = "without mfa"  // amr is there and no element is exactly "mfa"
	WrongIssuer Cause = "wrong issuer" // issued by something other than Entra ID of an expected cloud
	Version2    Cause = "version 2"    // amr is optional in v2 tokens: absence says nothing
	Opaque      Cause = "opaque"       // not a JWT: encrypted, or a reference
	AppOnly     Cause = "app only"     // no user signed in, so there is no MFA to prove
)

// Token is what a token says of itself, leniently read and not verified.
// Absent claims are zero values.
type Token struct {
	Version  string    `json:"version,omitempty"` // "1.0", "2.0"
	Issuer   string    `json:"issuer,omitempty"`
	Audience []string  `json:"audience,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`   // tid
	App      string    `json:"app,omitempty"`      // appid or azp
	AppAuth  string    `json:"appAuth,omitempty"`  // appidacr or azpacr: "0" public, "1" secret, "2" certificate
	Account  string    `json:"account,omitempty"`  // upn, preferred_username or unique_name
	ObjectID string    `json:"objectId,omitempty"` // oid
	Subject  string    `json:"subject,omitempty"`  // sub
	Scopes   []string  `json:"scopes,omitempty"`   // scp
	Roles    []string  `json:"roles,omitempty"`
	Wids     []string  `json:"wids,omitempty"` // template ids of the directory roles of its account in its tenant
	AMR      []string  `json:"amr,omitempty"`
	AMRForm  string    `json:"amrForm,omitempty"` // "array", "string" (shown as what it is), "other", "" when absent
	ACR      string    `json:"acr,omitempty"`
	ACRS     []string  `json:"acrs,omitempty"`
	AuthTime time.Time `json:"authTime,omitzero"`
	IssuedAt time.Time `json:"issuedAt,omitzero"`
	NotAfter time.Time `json:"notAfter,omitzero"` // exp
	Nonce    string    `json:"nonce,omitempty"`
	IsApp    bool      `json:"isApp,omitempty"`  // app-only
	Opaque   bool      `json:"opaque,omitempty"` // nothing could be read
	// Notes say where reading was lenient.
	Notes []string `json:"notes,omitempty"`
}

// Verdict is the one answer for any token.
type Verdict struct {
	Answer Answer   `json:"answer"`
	Cause  Cause    `json:"cause,omitempty"` // "" when proven
	By     []string `json:"by,omitempty"`    // the amr elements beside mfa, or acrs contexts, as found
	Reason string   `json:"reason"`          // one sentence
	Fix    string   `json:"fix,omitempty"`   // what to do next; "" when proven
	// Age is the time since auth_time, or [UnknownAge].
	Age time.Duration `json:"-"`
}

// UnknownAge is the age of a sign-in whose auth_time is missing, in the future
// or not a number. It is longer than any limit, so that a comparison with one
// fails closed.
const UnknownAge = time.Duration(math.MaxInt64)
