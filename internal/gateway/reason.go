package gateway

// Reason says why a request is not well; [Passed] says that it is. Its word is stable:
// it stands in metrics, rows, the report and problem documents.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	Passed        Reason = iota
	NoRoute              // no route has this host and path
	BadRequest           // the request can be read in two ways, or its path is not plain
	NoToken              // nobody has proven who asks
	TooManyTokens        // several credentials, which readers take one or the other of
	TooLong              // a token longer than any of Entra ID
	Malformed            // not a compact JWS over JSON that all readers read alike
	Encrypted            // five parts: nobody but its audience reads it
	BadHeader            // it brings its own key, demands an extension, or is another kind of token
	BadAlgorithm         // none, a shared key, or not the one of its key
	UnknownKey           // signed by a key that the authority does not have
	KeysAway             // the authority's keys cannot be read now, and this one is not known
	BadSignature
	BadClaim      // a claim that decides is absent or of a wrong form
	BadIssuer     // not issued by an accepted authority
	ForeignTenant // issued for a tenant that is not accepted here
	WrongAudience // meant for another
	Expired
	NotYetValid
	Revoked            // the user, the session, the app or the token was revoked here
	Blocked            // so was this one, and no later sign-in or token helps
	SessionOver        // a browser's session: idle too long, or at its end
	AppNotAllowed      // app-only where no app may, or not one of those that may
	SingleFactor       // amr without mfa
	ThirdPartyMFA      // MFA by a provider that yields no claim
	VersionHides       // a v2 token without amr: it says nothing
	ContextMissing     // acrs without the value that the rule asks for
	TooOld             // the MFA is older than the rule allows
	AgeUnknown         // the rule has an age and the token does not tell it
	ClientNotAllowed   // a user through an app that the route does not name
	RoleMissing        // none of the roles or groups
	RolesElsewhere     // too many groups for the token: it does not say whether one is among them
	CustomerNotAllowed // AOBO for a customer that is not allowed here
	TrailFull          // nothing can be written down, and the rule refuses then
	TooMany            // too many refused tokens from this address
	reasons            // how many there are
)

// Kind is what is answered for a reason.
type Kind uint8

// The kinds of answers.
const (
	Serve     Kind = iota // it goes to the upstream
	Sign                  // 401 invalid_token: get a token, or sign in
	Challenge             // 401 insufficient_claims: get a better one, or step up; 403 for who cannot
	Forbid                // 403: nothing that the caller does by itself helps
	NotFound              // 404
	Bad                   // 400
	Later                 // 503 with Retry-After
	Slower                // 429
)

type word struct {
	word  string
	kind  Kind
	title string // a sentence without its full stop
	fix   string // what to do next
}

// words has every reason; a test holds it to be whole.
var words = [reasons]word{
	Passed:        {"passed", Serve, "it is well", ""},
	NoRoute:       {"no-route", NotFound, "nothing is served by this name and path", "look at the address; partnerguard gateway check lists the routes"},
	BadRequest:    {"bad-request", Bad, "the request can be read in two ways", "send a plain path, one Host, and one length"},
	NoToken:       {"no-token", Sign, "nobody has proven who asks", "sign in, or send Authorization: Bearer with an access token"},
	TooManyTokens: {"too-many-tokens", Bad, "there are several credentials", "send one Authorization header"},
	TooLong:       {"too-long", Sign, "the token is longer than any of Entra ID", "have the registration emit assigned groups alone"},
	Malformed:     {"malformed", Sign, "what was sent is not a token that can be read", "send the access token as Entra ID gave it"},
	Encrypted:     {"encrypted", Sign, "the token is encrypted", "switch token encryption off for this API's registration"},
	BadHeader:     {"bad-header", Sign, "the token's header brings a key or demands an extension", "send the access token as Entra ID gave it"},
	BadAlgorithm:  {"bad-algorithm", Sign, "the token's signature is of a kind that is not taken", "get a token from Entra ID"},
	UnknownKey:    {"unknown-key", Sign, "the token is signed by a key that the authority does not have", "get a new token"},
	KeysAway:      {"keys-unreachable", Later, "the authority's keys cannot be read now", "try again later"},
	BadSignature:  {"bad-signature", Sign, "the token's signature is not the authority's", "get a new token"},
	BadClaim:      {"bad-claim", Sign, "a claim of the token that decides is absent or of a wrong form", "get a new token"},
	BadIssuer:     {"wrong-issuer", Sign, "the token was issued by another than is accepted here", "get a token from the partner's own Entra ID"},
	ForeignTenant: {"foreign-tenant", Forbid, "the token is of a tenant that is not accepted here", "sign in with an account of the partner's tenant"},
	WrongAudience: {"wrong-audience", Sign, "the token is meant for another API", "ask for a token of this API's scope"},
	Expired:       {"expired", Sign, "the token has expired", "get a new token"},
	NotYetValid:   {"not-yet-valid", Sign, "the token is not valid yet", "look at the clocks"},
	Revoked:       {"revoked", Challenge, "the access was revoked", "sign in again"},
	Blocked:       {"blocked", Forbid, "the access was blocked here", "ask whoever looks after this; partnerguard gateway revocations has why"},
	SessionOver:   {"session-over", Sign, "the session has ended", "sign in again"},
	AppNotAllowed: {"app-not-allowed", Forbid, "this app may not call without a user", "call with a user's token, or have the app named in the route's apps"},
	SingleFactor:  {"single-factor", Challenge, "the sign-in was without MFA", "sign in again with MFA"},
	ThirdPartyMFA: {"third-party-mfa", Challenge, "another provider's MFA yielded no MFA claim",
		"use External MFA or federation that yields the claim; custom controls never do"},
	VersionHides: {"version-hides", Challenge, "a version 2 token without amr says nothing about MFA",
		"add the optional claim amr to the API's registration, or have it take version 1 tokens"},
	ContextMissing: {"context-missing", Challenge, "the token does not satisfy the authentication context that is asked for", "step up"},
	TooOld:         {"too-old", Challenge, "the MFA is older than is allowed here", "sign in again"},
	AgeUnknown: {"age-unknown", Challenge, "the token does not say when its user signed in",
		"add the optional claim auth_time to the API's registration"},
	ClientNotAllowed: {"client-not-allowed", Forbid, "users may not come through this app here",
		"use an app that the route's clients name, or have this one named there"},
	RoleMissing:        {"role-missing", Forbid, "none of the roles or groups that may is held", "ask whoever gives them"},
	RolesElsewhere:     {"roles-elsewhere", Forbid, "the account is in more groups than a token names", "have the registration emit assigned groups alone"},
	CustomerNotAllowed: {"customer-not-allowed", Forbid, "acting for this customer is not allowed here", "have the customer named in the route's customers"},
	TrailFull:          {"trail-full", Later, "nothing can be written down, and this route refuses then", "make room on the gateway's disk"},
	TooMany:            {"too-many", Slower, "too many bad tokens came from this address", "wait a minute"},
}

// String is the reason's stable word.
func (r Reason) String() string { return r.at().word }

// Title says it in a sentence, without a full stop.
func (r Reason) Title() string { return r.at().title }

// Fix says what to do next; "" for [Passed].
func (r Reason) Fix() string { return r.at().fix }

// Kind says what is answered.
func (r Reason) Kind() Kind { return r.at().kind }

// at fails closed: what is no reason is a bad request.
func (r Reason) at() *word {
	if r >= reasons {
		return &words[BadRequest]
	}
	return &words[r]
}

// Reasons lists all but [Passed], in the order in which they are looked for.
func Reasons() []Reason {
	out := make([]Reason, 0, reasons-1)
	for r := NoRoute; r < reasons; r++ {
		out = append(out, r)
	}
	return out
}

// ReasonOf finds a reason by its word.
func ReasonOf(s string) (Reason, bool) {
	for r := range words {
		if words[r].word == s {
			return Reason(r), true
		}
	}
	return BadRequest, false
}
