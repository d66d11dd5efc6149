package claim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Flaw says why a token was refused; errors.Is finds it in what [Verify]
// returns. It is safe to show.
type Flaw string

// Error makes a Flaw usable as the target of errors.Is.
func (f Flaw) Error() string { return string(f) }

// The flaws, in the order in which they are looked for.
const (
	TooLong       Flaw = "too long"
	Malformed     Flaw = "malformed"      // not a compact JWS over a JSON object, or readers could disagree about it
	BadHeader     Flaw = "bad header"     // it brings its own key, demands an extension, or is another kind of token
	BadAlgorithm  Flaw = "bad algorithm"  // not one of [Algorithms]
	NoKey         Flaw = "no key"         // no kid, none of that kid, several, or one not fit for it; refetch the keys
	BadSignature  Flaw = "bad signature"  // not signed by that key
	BadClaim      Flaw = "bad claim"      // a claim that decides is absent or of a wrong type
	BadIssuer     Flaw = "bad issuer"     // issued by another
	BadAudience   Flaw = "bad audience"   // meant for another, or for several
	Expired       Flaw = "expired"        //
	NotYetValid   Flaw = "not yet valid"  // nbf, or iat in the future
	BadNonce      Flaw = "bad nonce"      // not the answer to our request
	Replayed      Flaw = "replayed"       // a hint that was taken before
	BadSetUp      Flaw = "bad set-up"     // a hint for our client id instead of our app id: the method is set up wrongly
	BadExpectancy Flaw = "bad expectancy" // our own mistake: [Expect] does not say what is expected
)

// Algorithms are the signatures taken: what Entra ID (RS256), its client
// assertions (PS256) and the OIDC issuers of workloads (Kubernetes and clouds:
// also ES256, ES384, ES512) use. Never none, never a shared key.
func Algorithms() []string { return []string{"RS256", "PS256", "ES256", "ES384", "ES512"} }

// MaxLifetime bounds a token's life, from its issue and from now, where
// [Expect.Lifetime] says nothing. Entra ID's longest, for continuous access
// evaluation, have 28 hours. LongestLifetime bounds what Lifetime may say:
// Kubernetes gives a workload a token of whatever life it asks for, and renews it
// daily.
const (
	MaxLifetime     = 48 * time.Hour
	LongestLifetime = 14 * 24 * time.Hour
)

// MaxLeeway bounds [Expect.Leeway].
const MaxLeeway = 10 * time.Minute

// Expect says what a token must be. Now, Audiences and one of Issuer and
// IssuerRule are required: nothing is taken for want of an expectation.
type Expect struct {
	Now    time.Time
	Leeway time.Duration // for clocks that differ: 0 to [MaxLeeway]

	// Audiences are our names. The token must be meant for exactly one
	// audience, and it must be one of these.
	Audiences []string

	// Issuer is compared whole. IssuerRule decides instead where there are many,
	// see [TenantIssuer].
	Issuer     string
	IssuerRule func(Token) bool

	// Nonce of our request; when set the token must carry it.
	Nonce secret.Text

	// Lifetime is the longest life that is taken, up to [LongestLifetime]; 0 is
	// [MaxLifetime].
	Lifetime time.Duration

	// Type is a type of token (typ) that is taken beside JWT and at+jwt: "logout+jwt".
	// "" is none.
	Type string
}

// TenantIssuer takes the issuers of any tenant of Entra ID: each template holds
// {tenantid}, as discovery writes it, which must be the token's own tid.
func TenantIssuer(templates ...string) func(Token) bool {
	return func(t Token) bool {
		return isGUID(t.Tenant) && slices.ContainsFunc(templates, func(tpl string) bool {
			return strings.Contains(tpl, "{tenantid}") && strings.ReplaceAll(tpl, "{tenantid}", t.Tenant) == t.Issuer
		})
	}
}

// Verify takes a token only when it is a compact JWS with one of [Algorithms],
// signed by the one key of its kid among keys, canonical in every byte, and as
// expected. Keys that the token brings or points to are refused, and so are
// critical extensions. exp is required.
//
// The error is a [problem.Error] of kind BadInput with a [Flaw]; it never shows
// the token. On NoKey the caller may fetch the keys again, at most every few
// minutes: keys roll without notice.
func Verify(raw secret.Text, keys jose.JSONWebKeySet, e Expect) (Token, error) {
	t, flaw, why := verify(raw.Reveal(), keys, e)
	if flaw != "" {
		kind := problem.BadInput
		if flaw == BadExpectancy {
			kind = problem.Internal
		}
		return Token{}, problem.Wrap(flaw, kind, "the token is refused: %s", why)
	}
	return t, nil
}

func verify(s string, keys jose.JSONWebKeySet, e Expect) (Token, Flaw, string) {
	if e.Now.IsZero() || len(e.Audiences) == 0 || slices.Contains(e.Audiences, "") || (e.Issuer == "") == (e.IssuerRule == nil) ||
		e.Leeway < 0 || e.Leeway > MaxLeeway || e.Lifetime < 0 || e.Lifetime > LongestLifetime {
		return Token{}, BadExpectancy, "it is not said what is expected of it"
	}
	t, o, flaw, why := signed(s, keys, Algorithms(), nil, e.Type)
	if flaw == "" {
		flaw, why = checkClaims(t, o, e)
	}
	if flaw != "" {
		return Token{}, flaw, why
	}
	return t, "", ""
}

// signed takes a compact JWS apart and checks everything about it but what its
// claims say. suits, when set, has a last word about the key; kind is a further type of
// token.
func signed(s string, keys jose.JSONWebKeySet, algorithms []string, suits func(*jose.JSONWebKey) string,
	kind string) (Token, object, Flaw, string) {
	fail := func(flaw Flaw, why string) (Token, object, Flaw, string) { return Token{}, object{}, flaw, why }
	if len(s) > MaxSize {
		return fail(TooLong, fmt.Sprintf("it is longer than %d KiB", MaxSize>>10))
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return fail(Malformed, "it does not have three parts")
	}
	var text [3][]byte
	for i, p := range parts {
		if p == "" {
			return fail(Malformed, "a part of it is empty")
		}
		b, ok := canonical(p)
		if !ok {
			return fail(Malformed, "a part of it is not base64url in its only form")
		}
		text[i] = b
	}
	h, err := strictObject(text[0])
	if err != nil {
		return fail(Malformed, "its header "+misread(err))
	}
	if flaw, why := checkHeader(h, kind); flaw != "" {
		return fail(flaw, why)
	}
	alg, form := h.text("alg")
	if form != formText || !slices.Contains(algorithms, alg) {
		return fail(BadAlgorithm, "its signature algorithm is not one that is taken")
	}
	key, why := keyOf(h, alg, keys)
	if why == "" && suits != nil {
		why = suits(key)
	}
	if why != "" {
		return fail(NoKey, why)
	}
	sig, err := jose.ParseSignedCompact(s, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return fail(Malformed, "it is not a signed token")
	}
	body, err := sig.Verify(key)
	if err != nil {
		return fail(BadSignature, "its signature is not by the issuer's key")
	}
	if alg == "PS256" && !ownSalt(key.Key, s[:strings.LastIndexByte(s, '.')], text[2]) {
		return fail(BadSignature, "the salt of its signature is not as long as its hash")
	}
	if string(body) != string(text[1]) { // what was verified is what is read
		return fail(Malformed, "it is read in two ways")
	}
	o, err := strictObject(body)
	if err != nil {
		return fail(Malformed, "its payload "+misread(err))
	}
	if name := twoSpellings(o); name != "" {
		return fail(Malformed, "its claims hold "+name+" in two spellings, of which readers take one or the other")
	}
	t := Token{}
	t.read(o)
	return t, o, "", ""
}

// misread says why an object is not one that all readers read alike.
func misread(err error) string {
	switch err { //nolint:errorlint // they are ours and not wrapped
	case errDepth:
		return fmt.Sprintf("is nested more than %d levels deep", MaxDepth)
	case errTwice:
		return "holds a name twice, of which readers take one or the other"
	case errText:
		return "is not Unicode throughout"
	}
	return "is not JSON, or not an object alone"
}

// ownSalt verifies PS256 with the one length of salt that RFC 7518 section 3.5
// allows; the library takes any.
func ownSalt(key any, input string, sig []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(input))
	return ok && rsa.VerifyPSS(k, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// canonical decodes base64url without padding. The decoder itself would skip
// line breaks.
func canonical(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}

// headerNames mean something to one reader or another (RFC 7515, 7516, 7797).
var headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t"}

// checkHeader refuses what would change the meaning of the token.
func checkHeader(h object, kind string) (Flaw, string) {
	for _, name := range []string{"crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c"} {
		if _, there := h.members[name]; there {
			return BadHeader, "its header holds " + name
		}
	}
	for _, exact := range headerNames {
		_, both := h.members[exact]
		for name := range h.members {
			if name != exact && strings.EqualFold(name, exact) && (both || exact != "alg" && exact != "kid") { // without these it is refused anyhow
				return BadHeader, "its header holds " + exact + " in other letters"
			}
		}
	}
	if typ, form := h.text("typ"); form != formAbsent {
		typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
		if form != formText || typ != "jwt" && typ != "at+jwt" && (kind == "" || typ != kind) {
			return BadHeader, "its type is not JWT"
		}
	}
	if _, form := h.text("cty"); form != formAbsent {
		return BadHeader, "it holds another token"
	}
	return "", ""
}

// keyOf finds the one key of the token's kid, fit for its algorithm.
func keyOf(h object, alg string, keys jose.JSONWebKeySet) (*jose.JSONWebKey, string) {
	kid, form := h.text("kid")
	if form != formText || kid == "" {
		return nil, "it does not name its key"
	}
	var found *jose.JSONWebKey
	for i := range keys.Keys {
		k := &keys.Keys[i]
		if k.KeyID != kid {
			continue
		}
		if found != nil {
			return nil, "the issuer has several keys of its name"
		}
		found = k
	}
	switch {
	case found == nil:
		return nil, "the issuer has no key of its name"
	case found.Use != "" && found.Use != "sig", found.Algorithm != "" && found.Algorithm != alg, !fits(found.Key, alg):
		return nil, "the issuer's key of its name is not for such a signature"
	}
	return found, ""
}

// checkClaims holds the claims against what is expected.
func checkClaims(t Token, o object, e Expect) (Flaw, string) {
	if why := identityClaims(o); why != "" {
		return BadClaim, why
	}
	switch {
	case t.Issuer == "":
		return BadClaim, "it does not say who issued it"
	case e.IssuerRule == nil && t.Issuer != e.Issuer, e.IssuerRule != nil && !e.IssuerRule(t):
		return BadIssuer, "it was issued by another than is expected"
	}
	if why := issuerForm(t, o); why != "" {
		return BadClaim, why
	}
	if _, form := o.list("aud"); form != formText && form != formArray {
		return BadClaim, "it does not say whom it is for"
	}
	if len(t.Audience) != 1 || !slices.Contains(e.Audiences, t.Audience[0]) {
		return BadAudience, "it is not for us, or not for us alone"
	}
	var at [3]time.Time
	for i, name := range []string{"exp", "nbf", "iat"} {
		form := o.form(name)
		if form == formAbsent && name != "exp" {
			continue
		}
		when, how := o.moment(name)
		if form != formNumber || how != "" {
			return BadClaim, "its claim " + name + " is not a moment"
		}
		at[i] = when
	}
	exp, nbf, iat := at[0], at[1], at[2]
	longest := e.Lifetime
	if longest == 0 {
		longest = MaxLifetime
	}
	switch {
	case !e.Now.Before(exp.Add(e.Leeway)):
		return Expired, "it has expired"
	case !nbf.IsZero() && e.Now.Before(nbf.Add(-e.Leeway)):
		return NotYetValid, "it is not valid yet"
	case !iat.IsZero() && e.Now.Before(iat.Add(-e.Leeway)):
		return NotYetValid, "it was issued in the future"
	case !nbf.IsZero() && exp.Before(nbf), !iat.IsZero() && exp.Before(iat):
		return BadClaim, "it ends before it begins"
	case exp.Sub(earliest(e.Now, nbf, iat)) > longest+e.Leeway:
		return BadClaim, fmt.Sprintf("it lives longer than %d hours", int(longest.Hours()))
	}
	if !e.Nonce.IsZero() && !e.Nonce.Equal(secret.New(t.Nonce)) {
		return BadNonce, "it is not the answer to this request"
	}
	return "", ""
}
