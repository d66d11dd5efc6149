package signon

import (
	"net/netip"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/partnercloud/world"
)

// Client kinds, as the access engine names them.
const (
	Browser    = "browser"
	Native     = "native"
	DeviceCode = "device-code"
	EAS        = "eas"
	Legacy     = "other"
)

// Attempt is one sign-in of a user, at the moment a decision is needed: after
// the factors given so far.
type Attempt struct {
	Tenant *world.Tenant // the tenant the token is asked for
	Home   *world.Tenant // the user's home; the same for members
	User   *world.User
	AOBO   bool // a partner's user in a customer's tenant

	AppID, AppName    string // the client
	AppOwner          string // tenant id of the client's owner
	Resource          string // app id of the resource, or a user action's urn
	ResourceName      string
	Baseline          bool   // baseline scopes of Graph alone are asked for
	SignInOnly        bool   // of them those of OpenID Connect alone, by a client with a credential
	Client            string // kind of client, see the constants
	ClientAppUsed     string // as logged; "" follows from Client
	Protocol          string // authenticationProtocol as logged: oAuth2, ropc, deviceCode …
	TransferMethod    string // originalTransferMethod: deviceCodeFlow, "" is none
	IncomingTokenType string // none, refreshToken, primaryRefreshToken
	Interactive       bool
	Correlation       string
	Request           string // originalRequestId
	IP                netip.Addr
	Place             world.Place
	UserAgent         string
	OS, BrowserName   string // deviceDetail
	Platform          string // engine's word: windows, macOS, linux, iOS, android; "" unknown platform
	Compliant, Joined bool
	DeviceID          string
	SignInRisk        string // none, low, medium, high

	// What was proved, in this sign-in or in the session or refresh token behind
	// it. AMR as in the claim; Combos are strength combinations.
	AMR      []string
	Combos   []string
	MFA      bool
	AuthTime time.Time // of the first factor; zero: none yet
	MFATime  time.Time
	// Fresh says that the MFA was done in this very sign-in, External that an
	// external provider did it.
	Fresh    bool
	External bool

	// AskMFA says that the request itself asks for MFA: amr_values=mfa, a claims
	// request, or an authentication context.
	AskMFA bool
	// Controls are the session controls of policies that such a context brings in.
	Controls []*access.SessionControls
	// Steps are the authentication steps taken in this sign-in.
	Steps []world.Step
	SID   string
}

// Outcome is what must happen next.
type Outcome string

// The outcomes.
const (
	Allow    Outcome = "allow"
	Block    Outcome = "block"    // refused: Code says why
	NeedMFA  Outcome = "mfa"      // a second factor must be given
	Register Outcome = "register" // MFA is needed and nothing that could answer is registered
	Again    Outcome = "again"    // a fresh sign-in is due: sign-in frequency
)

// Ruling is the decision on an attempt.
type Ruling struct {
	Outcome Outcome
	// Code is the AADSTS code when the attempt ends here: 0 for Allow.
	Code   int
	Reason string // failureReason as logged
	// Audience is the app that policies looked at: the resource, or that of baseline
	// scopes; "" where none was asked.
	Audience string
	// Detail is additionalDetails as logged: how MFA was satisfied.
	Detail string

	MFARequired  bool                // by anybody
	Requirements []world.Requirement // who asked for MFA
	Applied      []world.AppliedPolicy
	CAStatus     string // success, failure, notApplied
	// Strengths that must be met, each a list of allowed combinations; empty when
	// any MFA will do.
	Strengths [][]string
	Contexts  []string // authentication contexts satisfied: acrs

	// Frequency is the shortest sign-in frequency that applies; zero: none.
	// EveryTime asks at each sign-in.
	Frequency  time.Duration
	EveryTime  bool
	Persistent string // persistentBrowser: always, never, ""
	Lifetimes  []world.Lifetime
	// PasswordChange says that a policy wants a new password.
	PasswordChange bool
}
