package bearer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// maxToken bounds what is parsed.
const maxToken = 32 << 10

// Issuers (contracts.md section 4.4). V1 tokens have the same issuer wherever
// they were asked for; V2 tokens name the authority that was asked.
func IssuerV1(tenant string) string { return "https://" + entra.STSHost + "/" + tenant + "/" }

// IssuerV2 is the issuer of v2 tokens of the production authority.
func IssuerV2(tenant string) string { return entra.Login + "/" + tenant + "/v2.0" }

// Sign makes a compact RS256 JWT with the newest key.
func (k *Keys) Sign(c *Claims) (string, error) {
	payload, err := c.encode()
	if err != nil {
		return "", err
	}
	return k.SignRaw(payload, "JWT")
}

// SignRaw signs any payload: the id_token_hint of External MFA.
func (k *Keys) SignRaw(payload []byte, typ string) (string, error) {
	one := k.newest()
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", one.id).WithHeader("x5t", one.id)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: one.priv}, opts)
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Fault is why a token was refused. Text is safe to show.
type Fault struct {
	Code string // Missing, Malformed, Signature, Expired, NotYet, Audience, Issuer, Revoked, Disabled
	Text string
}

func (f *Fault) Error() string { return f.Text }

// Parse checks signature, algorithm, times and issuer of one of our own tokens.
// The audience is the caller's to check.
func (k *Keys) Parse(token string) (*Claims, *Fault) {
	if len(token) > maxToken {
		return nil, &Fault{"Malformed", "the token is too long"}
	}
	sig, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(sig.Signatures) != 1 {
		return nil, &Fault{"Malformed", "CompactToken parsing failed"}
	}
	head := sig.Signatures[0].Protected
	one := k.find(head.KeyID)
	if one == nil {
		return nil, &Fault{"Signature", "Signing key is invalid: no key of the partner cloud has this kid"}
	}
	payload, err := sig.Verify(&one.priv.PublicKey)
	if err != nil {
		return nil, &Fault{"Signature", "the signature does not fit"}
	}
	c := new(Claims)
	if err := json.Unmarshal(payload, c); err != nil || c.MarkText != Mark {
		return nil, &Fault{"Malformed", "the claims cannot be read"}
	}
	now := k.now().Unix()
	switch {
	case now >= c.Expires:
		return nil, &Fault{"Expired", "Lifetime validation failed, the token is expired."}
	case now < c.NotBefore-300:
		return nil, &Fault{"NotYet", "Lifetime validation failed, the token is not yet valid."}
	}
	return c, nil
}

// Caller is an authenticated caller of an API with the rights of this moment.
type Caller struct {
	*Claims
	// Tenant is the id of the tenant the token is for.
	Tenant string
	// Partner says that the user's home is the partner tenant, not this one.
	AOBO bool
}

// API checks the Authorization header for one of the cloud's APIs.
type API struct {
	Keys     *Keys
	World    *world.World
	Resource string // app id of the resource
}

// Authenticate reads the bearer token of a request: signature, lifetime,
// audience, and that user, app and session still live (continuous access
// evaluation for clients that can answer it; contracts.md section 4.5).
func (a *API) Authenticate(r *http.Request) (*Caller, *Fault) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, &Fault{"Missing", "Access token is empty."}
	}
	return a.Check(strings.TrimSpace(token))
}

// Check is [API.Authenticate] of a token that came in another way than HTTP.
func (a *API) Check(token string) (*Caller, *Fault) {
	c, fault := a.Keys.Parse(token)
	if fault != nil {
		return nil, fault
	}
	res := world.FindResource(a.Resource)
	if res == nil || !(c.Audience == res.AppID || slices.ContainsFunc(res.URIs, func(u string) bool {
		return strings.TrimSuffix(u, "/") == strings.TrimSuffix(c.Audience, "/")
	})) {
		return nil, &Fault{"Audience", "Access token validation failure. Invalid audience."}
	}
	call := &Caller{Claims: c, Tenant: c.TenantID, AOBO: c.HomeTenant != "" && c.HomeTenant != c.TenantID}
	a.World.Read(func(s *world.State) { fault = alive(s, c) })
	if fault != nil {
		return nil, fault
	}
	return call, nil
}

// alive refuses early what a CAE client would be refused, and for everybody a
// tenant that is gone.
func alive(s *world.State, c *Claims) *Fault {
	t := s.Tenant(c.TenantID)
	if t == nil {
		return &Fault{"Issuer", "the tenant of the token does not exist here"}
	}
	if c.AppOnly() || !c.CAE() {
		return nil
	}
	home := t
	if c.HomeTenant != "" {
		if home = s.Tenant(c.HomeTenant); home == nil {
			return &Fault{"Issuer", "the home tenant of the token does not exist here"}
		}
	}
	u := home.Users.Get(c.ObjectID)
	switch {
	case u == nil:
		return &Fault{"Disabled", "the user does not exist any more"}
	case !u.Enabled:
		return &Fault{"Disabled", "the user account is disabled"}
	case !u.SessionsValidFrom.IsZero() && !c.issued().After(u.SessionsValidFrom):
		return &Fault{"Revoked", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: " +
			"TokenIssuedBeforeRevocationTimestamp"}
	}
	return nil
}

// issued is the moment of issue, the whole second where nothing more is told.
func (c *Claims) issued() time.Time {
	if c.Issued != 0 {
		return time.Unix(0, c.Issued)
	}
	return time.Unix(c.IssuedAt, 0)
}

// Challenge is the value of WWW-Authenticate for a claims challenge: claims is
// the JSON to be replayed to the authority (contracts.md section 4.5).
func Challenge(authorize, claims string) string {
	return `Bearer realm="", authorization_uri="` + authorize + `", error="insufficient_claims", claims="` +
		base64.StdEncoding.EncodeToString([]byte(claims)) + `"`
}

// RevokedClaims is the claims request that a revocation's challenge carries.
func RevokedClaims(notBefore int64) string {
	b, _ := json.Marshal(map[string]any{"access_token": map[string]any{"nbf": map[string]any{"essential": true, "value": jsonNumberText(notBefore)}}})
	return string(b)
}

func jsonNumberText(n int64) string { b, _ := json.Marshal(n); return string(b) }

// Pairwise is the sub claim of a user (home tenant and object id there) towards an
// app: the same for the same three, and telling nothing of them.
func Pairwise(home, user, app string) string {
	sum := sha256.Sum256([]byte("sub\x00" + strings.ToLower(strings.Join([]string{home, user, app}, "\x00"))))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
