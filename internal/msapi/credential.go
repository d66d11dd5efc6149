package msapi

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// assertionType is the client_assertion_type of RFC 7523 section 2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// NewPublic is no credential: a public client.
func NewPublic() Credential { return public{} }

type public struct{}

func (public) Kind() CredentialKind { return Public }
func (public) Expires() time.Time   { return time.Time{} }
func (public) Apply(context.Context, url.Values, string, string, time.Time) error {
	return nil
}

// NewSecret is a client secret, which expires at notAfter; the zero time means
// that nobody told us. Kind problem.Usage for an empty one.
func NewSecret(text secret.Text, notAfter time.Time) (Credential, error) {
	if text.IsZero() {
		return nil, problem.New(problem.Usage, "the client secret is empty")
	}
	return clientSecret{text, notAfter}, nil
}

type clientSecret struct {
	text  secret.Text
	until time.Time
}

func (s clientSecret) Kind() CredentialKind { return ClientSecret }
func (s clientSecret) Expires() time.Time   { return s.until }
func (s clientSecret) Apply(_ context.Context, form url.Values, _, _ string, _ time.Time) error {
	form.Set("client_secret", s.text.Reveal())
	return nil
}

// maxFederated bounds a federated token file.
const maxFederated = 64 << 10

// NewFederatedFile is another issuer's token in a file, which somebody else
// renews: it is read for each request (contracts.md section 4.2).
func NewFederatedFile(path string) (Credential, error) {
	if path == "" {
		return nil, problem.New(problem.Usage, "the path of the federated token is empty")
	}
	return federated{path}, nil
}

type federated struct{ path string }

func (f federated) Kind() CredentialKind { return Federated }
func (f federated) Expires() time.Time   { return time.Time{} }
func (f federated) Apply(_ context.Context, form url.Values, _, _ string, _ time.Time) error {
	text, err := f.read()
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", text)
	return nil
}

func (f federated) read() (string, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return "", problem.Wrap(err, problem.NotFound, "the federated token %s cannot be read", f.path).
			WithHint("is the workload identity mounted, and readable by this user?")
	}
	defer file.Close()
	if st, err := file.Stat(); err != nil || !st.Mode().IsRegular() {
		return "", problem.New(problem.BadInput, "the federated token %s is not a file", f.path)
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFederated+1))
	if err != nil {
		return "", problem.Wrap(err, problem.BadInput, "the federated token %s cannot be read", f.path)
	}
	if len(b) > maxFederated {
		return "", problem.New(problem.Limit, "the federated token %s is longer than %d bytes", f.path, maxFederated)
	}
	text := strings.TrimSpace(string(b))
	if !isToken(text) || strings.Count(text, ".") != 2 {
		return "", problem.New(problem.BadInput, "the federated token %s holds no signed token", f.path).WithHint("it must hold one JWT and nothing else")
	}
	return text, nil
}

// CertificateOptions changes how assertions are signed.
type CertificateOptions struct {
	RS256 bool // instead of PS256: for keys that cannot do PSS
	// Chain sends the certificate itself too (x5c), for apps that trust by
	// subject and issuer.
	Chain bool
}

// Life of an assertion (contracts.md section 4.2: at most 10 minutes), and how
// long it is used again: the same one may come again while it lives, another
// one with the same jti may not, and signing anew for each of thousands of
// requests costs.
const (
	assertionLife  = 10 * time.Minute
	assertionReuse = 5 * time.Minute
	maxAssertions  = 1024
)

// NewCertificate is a certificate with its private key, which may be anywhere
// that signs. The key must be RSA, of 2048 bits at least, and the certificate's
// own. Kind problem.Usage or problem.BadInput when not.
func NewCertificate(cert *x509.Certificate, key crypto.Signer, o CertificateOptions) (Credential, error) {
	if cert == nil || key == nil {
		return nil, problem.New(problem.Usage, "a certificate credential needs the certificate and its key")
	}
	pub, ok := key.Public().(*rsa.PublicKey)
	if !ok || pub.N.BitLen() < 2048 {
		return nil, problem.New(problem.BadInput, "the key is not RSA of 2048 bits or more").WithHint("Entra ID takes RSA keys only")
	}
	if own, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !own.Equal(pub) {
		return nil, problem.New(problem.BadInput, "the key is not the certificate's")
	}
	return &certificate{cert: cert, key: key, o: o, made: map[string]assertion{}}, nil
}

type certificate struct {
	cert *x509.Certificate
	key  crypto.Signer
	o    CertificateOptions

	mu   sync.Mutex // guards made
	made map[string]assertion
}

type assertion struct {
	text secret.Text
	at   time.Time
}

func (c *certificate) Kind() CredentialKind { return Certificate }
func (c *certificate) Expires() time.Time   { return c.cert.NotAfter }

// Apply signs an assertion for the endpoint, or uses the newest again while it
// is young: not when the clock went backwards over it.
func (c *certificate) Apply(_ context.Context, form url.Values, endpoint, clientID string, now time.Time) error {
	text, err := c.assertion(endpoint, clientID, now)
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", text.Reveal())
	return nil
}

func (c *certificate) assertion(endpoint, clientID string, now time.Time) (secret.Text, error) {
	key := clientID + "\x00" + endpoint
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.made[key]; ok && !now.Before(a.at) && now.Sub(a.at) < assertionReuse {
		return a.text, nil
	}
	text, err := c.sign(endpoint, clientID, now)
	if err != nil {
		return secret.Text{}, err
	}
	if len(c.made) >= maxAssertions {
		clear(c.made)
	}
	a := assertion{secret.New(text), now}
	c.made[key] = a
	return a.text, nil
}

func (c *certificate) sign(endpoint, clientID string, now time.Time) (string, error) {
	sum := sha256.Sum256(c.cert.Raw)
	head := map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	var how crypto.SignerOpts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	if c.o.RS256 {
		head["alg"], how = "RS256", crypto.SHA256
	}
	if c.o.Chain {
		head["x5c"] = []string{base64.StdEncoding.EncodeToString(c.cert.Raw)}
	}
	body := map[string]any{
		"aud": endpoint, "iss": clientID, "sub": clientID, "jti": token.GUID(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	var parts [2]string
	for i, v := range []any{head, body} {
		b, err := json.Marshal(v)
		if err != nil {
			return "", problem.Wrap(err, problem.Internal, "the client assertion could not be written")
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(b)
	}
	text := parts[0] + "." + parts[1]
	digest := sha256.Sum256([]byte(text))
	sig, err := c.key.Sign(rand.Reader, digest[:], how)
	if err != nil {
		return "", problem.Wrap(err, problem.BadInput, "the certificate's key does not sign").WithHint("is the key store reachable?")
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}
