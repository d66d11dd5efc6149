package claim

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// HintWindow is how long after its issue a hint is taken. Entra ID itself
// abandons the sign-in five minutes after it sent the browser on.
const HintWindow = 5 * time.Minute

// Once remembers which hints were taken. Safe for concurrent use.
type Once interface {
	// First reports whether key comes for the first time, and remembers it at
	// least until the moment given, for every process that takes hints: asking
	// and remembering are one step. The key is a digest and no secret. An error
	// refuses the hint.
	First(key string, until time.Time) (bool, error)
}

// HintExpect says what an id_token_hint must be. All but ClientID and Leeway
// are required.
type HintExpect struct {
	Now    time.Time
	Leeway time.Duration // for clocks that differ, both ways: 0 to [MaxLeeway]

	AppID    string // app id of the provider in Entra ID: the audience
	ClientID string // client id of the method's configuration, where it is another

	Issuers []string          // templates that hold {tenantid}, as discovery writes them
	Tenant  func(string) bool // whether we serve the tenant, by its id

	// Nonce is the one of the request, a field beside the hint. Entra ID sends
	// it, though the contract says "if passed": without one the hint itself is
	// what is taken once.
	Nonce secret.Text
	Used  Once
}

// VerifyHint takes the id_token_hint with which Entra ID sends a person to a
// provider of External MFA. It is [Verify] with four differences:
//
//   - exp has to be there and is not held against the clock, nor against iat: the
//     hint is issued in the expired state, exp one second before iat. Nowhere
//     else is such a token taken.
//   - It is fresh by iat (and nbf, when there): at most [HintWindow] old.
//   - It is taken once, by the nonce of its request.
//   - Its key carries its certificate (x5c), and the algorithm is RS256.
//
// iss, aud, tid, oid and sub are required; iss is the one of tid. The account is
// tid and oid together: names are no identifiers, and a guest's tid is the
// resource tenant's. (contracts.md section 6.2, contracts-2026-11.md section 0)
//
// Errors are those of [Verify]. When Used fails the error is of its kind.
func VerifyHint(raw secret.Text, keys jose.JSONWebKeySet, e HintExpect) (Token, error) {
	if e.Now.IsZero() || e.AppID == "" || e.Tenant == nil || e.Used == nil || len(e.Issuers) == 0 || e.Leeway < 0 || e.Leeway > MaxLeeway {
		return Token{}, problem.Wrap(BadExpectancy, problem.Internal, "the hint is refused: it is not said what is expected of it")
	}
	text := raw.Reveal()
	t, o, flaw, why := signed(text, keys, []string{"RS256"}, certified, "")
	var issued time.Time
	if flaw == "" {
		issued, flaw, why = checkHint(t, o, &e)
	}
	if flaw != "" {
		return Token{}, problem.Wrap(flaw, problem.BadInput, "the hint is refused: %s", why)
	}
	first, err := e.Used.First(hintKey(text, &t, e.Nonce), issued.Add(HintWindow+e.Leeway))
	switch {
	case err != nil:
		return Token{}, fmt.Errorf("the hint is refused: whether it was taken before cannot be seen: %w", err)
	case !first:
		return Token{}, problem.Wrap(Replayed, problem.BadInput, "the hint is refused: it was taken before")
	}
	return t, nil
}

// certified says what is wrong with the certificate of a key, or "".
func certified(k *jose.JSONWebKey) string {
	if len(k.Certificates) == 0 {
		return "the issuer's key of its name has no certificate (x5c)"
	}
	own, ok := k.Certificates[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !own.Equal(k.Key) {
		return "the certificate of the issuer's key is another key's"
	}
	return ""
}

// checkHint holds the claims against what is expected, and gives the moment of
// issue.
func checkHint(t Token, o object, e *HintExpect) (time.Time, Flaw, string) {
	none := time.Time{}
	if why := identityClaims(o); why != "" {
		return none, BadClaim, why
	}
	switch {
	case !isGUID(t.Tenant):
		return none, BadClaim, "it does not say whose tenant it is about"
	case !isGUID(t.ObjectID):
		return none, BadClaim, "it does not say whom it is about"
	case t.Subject == "":
		return none, BadClaim, "it has no subject to answer with"
	case !TenantIssuer(e.Issuers...)(t):
		return none, BadIssuer, "it was issued by another than is expected, or for another tenant"
	case !e.Tenant(t.Tenant):
		return none, BadIssuer, "it is about a tenant that is not served"
	}
	if why := issuerForm(t, o); why != "" {
		return none, BadClaim, why
	}
	if _, form := o.list("aud"); form != formText && form != formArray {
		return none, BadClaim, "it does not say whom it is for"
	}
	switch {
	case len(t.Audience) != 1:
		return none, BadAudience, "it is not for us alone"
	case t.Audience[0] == e.AppID:
	case e.ClientID != "" && t.Audience[0] == e.ClientID:
		return none, BadSetUp, "it is for the client id and not for the app id: the method's configuration in Entra ID has the two mixed up"
	default:
		return none, BadAudience, "it is not for us"
	}
	var at [3]time.Time
	for i, name := range []string{"exp", "iat", "nbf"} {
		form := o.form(name)
		if form == formAbsent && name == "nbf" {
			continue
		}
		when, how := o.moment(name)
		if form != formNumber || how != "" {
			return none, BadClaim, "its claim " + name + " is not a moment"
		}
		at[i] = when
	}
	issued, begins := at[1], at[2]
	switch {
	case e.Now.Sub(issued) > HintWindow+e.Leeway:
		return none, Expired, fmt.Sprintf("it was issued more than %d minutes ago", int(HintWindow.Minutes()))
	case issued.Sub(e.Now) > e.Leeway:
		return none, NotYetValid, "it was issued in the future"
	case begins.Sub(e.Now) > e.Leeway:
		return none, NotYetValid, "it is not valid yet"
	}
	return issued, "", ""
}

// hintKey is what is taken once: the nonce within its tenant, else the hint.
func hintKey(text string, t *Token, nonce secret.Text) string {
	parts := []string{"hint", text}
	if !nonce.IsZero() {
		parts = []string{"nonce", strings.ToLower(t.Tenant), nonce.Reveal()}
	}
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:])
}
