package entra

import "sync"

// AADSTS is one error code of Entra ID: how it is said, and what it means to us.
// The parts are apart on purpose. Answer and Log are what Microsoft's side says,
// and the partner cloud says them; Meaning is our reading, and the client's.
type AADSTS struct {
	Code   int
	Source Source
	// Answer is how an endpoint refuses with it; without Word when the partner
	// cloud never does.
	Answer Answer
	// Log is the failureReason of a sign-in log's row, in our words where
	// Microsoft's are not published; "" where the partner cloud logs none.
	Log string
	// Meaning is what it tells a partner's administrator; zero where we do not say.
	Meaning Meaning
}

// Answer is a refusal (contracts.md section 4.2).
type Answer struct {
	Word   string // the error member
	Sub    string // suberror; "" for none
	Status int    // of a JSON answer; 0 means 400
	Text   string // without the AADSTS prefix, with verbs for a request's particulars
}

// Meaning says what a code means and what to do; words and steps are ours.
type Meaning struct {
	Words  string // one sentence, no full stop
	Fix    string // the next step
	Bucket Bucket
	Final  bool // the same request will not work by itself later
}

// Bucket is what a code is about. A refresh token is dead for good only in
// [BucketToken]; in [BucketMFA], [BucketEnrolment], [BucketPolicy] and
// [BucketAccount] it may work again when the setting or the account is as it was.
type Bucket = string

// The buckets.
const (
	BucketTransient  Bucket = "transient"  // Entra ID's own trouble
	BucketClock      Bucket = "clock"      // our clock, or theirs
	BucketToken      Bucket = "token"      // the refresh token or code is dead: sign in again
	BucketMFA        Bucket = "mfa"        // a person must answer an MFA prompt: sign in again
	BucketEnrolment  Bucket = "enrolment"  // the account must register a method
	BucketPolicy     Bucket = "policy"     // Conditional Access, security defaults or risk blocks it
	BucketAccount    Bucket = "account"    // the account cannot sign in at all
	BucketAccess     Bucket = "access"     // the account has no way into that tenant
	BucketConsent    Bucket = "consent"    // the app is not consented to there
	BucketCredential Bucket = "credential" // the app's certificate or secret
	BucketApp        Bucket = "app"        // the app's registration
	BucketTenant     Bucket = "tenant"     // the tenant's name, or the tenant itself
	BucketRequest    Bucket = "request"    // what was asked cannot be
	BucketUnknown    Bucket = "unknown"
)

// Codes are all rows, by number of digits, then by number. The slice is shared
// and must not be changed.
func Codes() []AADSTS { return codes() }

// FindCode finds the row of a code.
func FindCode(code int) (AADSTS, bool) {
	row, ok := codesByNumber()[code]
	if !ok {
		return AADSTS{}, false
	}
	return *row, true
}

// ExplainWord says what the error member of a refusal means where no code is
// known. ok is false for a word that is not known either.
func ExplainWord(word string) (m Meaning, ok bool) {
	m, ok = words[word]
	return m, ok
}

// Where the codes are from. The public list is Microsoft's page "Microsoft Entra
// authentication and authorization error codes"; its wording was not read again (K).
const (
	signInCodes Source = "contracts.md section 3.2"
	tokenCodes  Source = "contracts.md section 4.2"
	seenCodes   Source = "as clients' public issue threads quote it"
	publicCodes Source = "Microsoft Entra authentication and authorization error codes (K)"
)

var codes = sync.OnceValue(func() []AADSTS { return append(shortCodes(), longCodes()...) })

var codesByNumber = sync.OnceValue(func() map[int]*AADSTS {
	m := make(map[int]*AADSTS, len(codes()))
	for i := range codes() {
		m[codes()[i].Code] = &codes()[i]
	}
	return m
})

// Words of the error member (RFC 6749, OpenID Connect, contracts.md section 4.2).
const (
	invalidRequest = "invalid_request"
	invalidGrant   = "invalid_grant"
	invalidClient  = "invalid_client"
	unauthorized   = "unauthorized_client"
	interaction    = "interaction_required"
	invalidScope   = "invalid_scope"
	invalidTarget  = "invalid_resource"
)

// Steps that several codes have.
const (
	again      = "sign in again with MFA: run partnerguard connect"
	atCustomer = "consent for that customer: partnerguard customers consent --plan, then --apply"
	atHome     = "an administrator of the partner tenant opens the admin-consent link that partnerguard connect prints"
	redeploy   = "put a valid certificate on the app registration and tell partnerguard of it"
	roleThere  = "add the account to a security group that holds a GDAP role for that customer, and to AdminAgents"
	ourMistake = "this is likely a mistake of this program: report it with the correlation id"
)

func final(bucket Bucket, words, fix string) Meaning { return Meaning{words, fix, bucket, true} }

func passing(words, fix string) Meaning { return Meaning{words, fix, BucketTransient, false} }

var words = map[string]Meaning{
	"invalid_grant":        final(BucketToken, "Entra ID does not take this refresh token or code any more", again),
	"interaction_required": final(BucketMFA, "a person must sign in interactively", again),
	"login_required":       final(BucketMFA, "a person must sign in interactively", again),
	"consent_required":     final(BucketConsent, "the app is not consented to for what was asked", atHome),
	"invalid_client":       final(BucketCredential, "Entra ID does not accept the app's credential", redeploy),
	"unauthorized_client": final(BucketApp, "the app may not ask in this way",
		"check the app registration: audience, redirect URIs, and that it was not deleted"),
	"invalid_resource": final(BucketConsent, "the resource is not known in that tenant",
		"the service was never used there: use it once, or leave it out"),
	"invalid_scope":          final(BucketRequest, "a permission that was asked for does not exist", "compare the permissions with the app manifest"),
	"invalid_request":        final(BucketRequest, "the request is not as Entra ID wants it", ourMistake),
	"access_denied":          final(BucketAccess, "access was denied", "ask the tenant's administrator"),
	"unsupported_grant_type": final(BucketRequest, "the kind of request is not supported", ourMistake),
}
