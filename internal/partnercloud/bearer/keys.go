package bearer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is defined as SHA-1
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/problem"
)

// key is one signing key with its certificate.
type key struct {
	id   string // kid, and x5t: Entra ID's are the same, and clients look for either
	priv *rsa.PrivateKey
	cert *x509.Certificate
}

// Keys are the cloud's signing keys: the newest signs, the others are still
// published until they are withdrawn. Safe for concurrent use.
type Keys struct {
	now func() time.Time

	mu   sync.RWMutex // guards keys, newest first
	keys []*key
}

// NewKeys makes a key set with one fresh key.
func NewKeys(now func() time.Time) (*Keys, error) {
	k := &Keys{now: now}
	return k, k.Rollover()
}

// keep is how many keys stay published.
const keep = 3

// Rollover makes a new signing key at once, without notice, as production may.
// The two before it stay published.
func (k *Keys) Rollover() error {
	priv, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return problem.Wrap(err, problem.Limit, "no signing key could be made")
	}
	one, err := certify(priv, k.now())
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append([]*key{one}, k.keys...)
	if len(k.keys) > keep {
		k.keys = k.keys[:keep]
	}
	return nil
}

// Withdraw stops publishing all but the newest key: tokens of the others die.
func (k *Keys) Withdraw() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = k.keys[:1:1]
}

func certify(priv *rsa.PrivateKey, now time.Time) (*key, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no certificate could be made")
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Partner cloud token signing (local, not Microsoft)", Organization: []string{"Partner cloud"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(30, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &priv.PublicKey, priv)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no certificate could be made")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no certificate could be made")
	}
	return &key{id: thumbprint(cert), priv: priv, cert: cert}, nil
}

// thumbprint is a certificate's x5t (RFC 7517 section 4.8).
func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw) //nolint:gosec // x5t is defined as SHA-1
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k *Keys) newest() *key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys[0]
}

func (k *Keys) find(id string) *key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, one := range k.keys {
		if one.id == id {
			return one
		}
	}
	return nil
}

// JWKS is the published key set with kid, x5t and x5c (contracts.md 4.6).
func (k *Keys) JWKS() jose.JSONWebKeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var set jose.JSONWebKeySet
	for _, one := range k.keys {
		sum := sha1.Sum(one.cert.Raw) //nolint:gosec // x5t is defined as SHA-1
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: &one.priv.PublicKey, KeyID: one.id, Use: "sig", Algorithm: "RS256",
			Certificates: []*x509.Certificate{one.cert}, CertificateThumbprintSHA1: sum[:],
		})
	}
	return set
}

// Certificate is the newest key's certificate: webhooks are signed with it too.
func (k *Keys) Certificate() *x509.Certificate { return k.newest().cert }

// Signer is the newest private key, for what else the cloud must sign.
func (k *Keys) Signer() *rsa.PrivateKey { return k.newest().priv }

// Export writes the private keys as PEM, newest first, for a state directory.
func (k *Keys) Export() ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var out []byte
	for _, one := range k.keys {
		der, err := x509.MarshalPKCS8PrivateKey(one.priv)
		if err != nil {
			return nil, problem.Wrap(err, problem.Limit, "a signing key could not be written")
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.cert.Raw})...)
	}
	return out, nil
}

// ImportKeys reads what Export wrote.
func ImportKeys(now func() time.Time, text []byte) (*Keys, error) {
	bad := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the signing keys of the state directory cannot be read").WithHint("start with an empty --state directory")
	}
	k := &Keys{now: now}
	for len(k.keys) < keep {
		var block, cert *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		cert, text = pem.Decode(text)
		if cert == nil {
			return nil, bad(nil)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, bad(err)
		}
		priv, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, bad(nil)
		}
		c, err := x509.ParseCertificate(cert.Bytes)
		if err != nil {
			return nil, bad(err)
		}
		k.keys = append(k.keys, &key{id: thumbprint(c), priv: priv, cert: c})
	}
	if len(k.keys) == 0 {
		return nil, bad(nil)
	}
	return k, nil
}
