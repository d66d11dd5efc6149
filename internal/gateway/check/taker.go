package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/problem"
)

// saidToken stands for claims that were given instead of a token.
const saidToken = "said"

// taker verifies tokens as the gateway does. Where there are no keys it takes a token
// that is well formed as it says it, by signing what it says anew with a key that exists
// in this process alone: so the same reading decides.
type taker struct {
	real, said *verify.Verifier
	keyless    bool
	key        *ecdsa.PrivateKey

	claims  json.RawMessage // instead of a token
	checked bool            // the last token's signature was
}

const ownKid = "partnerguard-check"

func newTaker(d Deps, now func() time.Time) (*taker, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "no key could be made")
	}
	t := &taker{keyless: d.Keys == nil, key: key}
	var source verify.Source = nowhere{}
	if d.Keys != nil {
		source = d.Keys
	}
	limits := verify.Limits{Forgive: math.MaxInt32, KeysWait: 15 * time.Second} // nobody attacks here
	t.real = verify.New(verify.Deps{Keys: source, Leeway: d.Table.Leeway, Now: now, Limits: limits})
	t.said = verify.New(verify.Deps{Keys: ownKey{key}, Leeway: d.Table.Leeway, Now: now, Limits: limits})
	if err := t.real.Turn(1, d.Table.Authorities); err != nil {
		return nil, err
	}
	return t, t.said.Turn(1, d.Table.Authorities)
}

func (t *taker) begin(a *Asked) { t.claims, t.checked = a.Claims, false }

// Verify implements [gateway.Verifier].
func (t *taker) Verify(token string, from netip.Addr, now time.Time) (*gateway.Identity, gateway.Reason) {
	if len(t.claims) > 0 {
		return t.said.Verify(t.sign(base64.RawURLEncoding.EncodeToString(t.claims)), from, now)
	}
	id, reason := t.real.Verify(token, from, now)
	if reason != gateway.KeysAway || !t.keyless {
		t.checked = id != nil
		return id, reason
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 { // it was read already
		return nil, gateway.Malformed
	}
	return t.said.Verify(t.sign(parts[1]), from, now)
}

// sign signs a payload with the process's own key.
func (t *taker) sign(payload string) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT","kid":"` + ownKid + `"}`))
	input := head + "." + payload
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, t.key, sum[:])
	if err != nil {
		return input + "."
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// nowhere has no keys.
type nowhere struct{}

func (nowhere) Keys(context.Context, gateway.Authority, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{}, problem.New(problem.Unavailable, "no keys are read")
}

// ownKey has the process's own, for whichever authority.
type ownKey struct{ key *ecdsa.PrivateKey }

func (o ownKey) Keys(context.Context, gateway.Authority, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &o.key.PublicKey, KeyID: ownKid, Algorithm: "ES256", Use: "sig"}}}, nil
}
