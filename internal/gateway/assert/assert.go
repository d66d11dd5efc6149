package assert

import (
	"crypto"
	"time"

	"partnerguard/internal/gateway"
)

// Deps is what an Asserter is made of.
type Deps struct {
	Key    crypto.Signer    // ECDSA on P-256; nil: headers alone, without an assertion
	Issuer string           // https://HOST, for requests without a host; "" is the request's own host
	Now    func() time.Time // nil is time.Now
}

// Asserter writes what an upstream is told. It is safe for concurrent use.
type Asserter struct {
	deps Deps
}

// New makes one. Kind BadInput when the key is of another kind.
func New(d Deps) (*Asserter, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Asserter{deps: d}, nil
}

// Headers appends the headers for a request that is served: name and value in turn.
// Who has no identity has none of those that tell one. upstream is the origin it goes
// to, the assertion's audience.
func (a *Asserter) Headers(dst [][2]string, d *gateway.Decision, r *gateway.Request, upstream string) [][2]string {
	return dst
}

// KeySet is the JWK set by which upstreams check assertions, as it is served at
// /.partnerguard/keys; nil without a key.
func (a *Asserter) KeySet() []byte { return nil }
