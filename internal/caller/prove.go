package caller

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Deps is everything a Prover needs; all of it is optional.
type Deps struct {
	// Authorities are those for callers that the rules name by a name in their
	// certificate. Those named by their key need none.
	Authorities *x509.CertPool
	// HTTP fetches the key sets of issuers; nil is a client with limits of its own.
	HTTP *http.Client
	// Now is the callers' time, by which certificates and tokens end; nil is
	// time.Now.
	Now func() time.Time
}

// Prover proves who asks. Safe for concurrent use.
type Prover struct {
	d    Deps
	keys keyring
}

// New makes a prover, which keeps the keys of issuers as long as it lives.
func New(d Deps) *Prover {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.HTTP == nil {
		d.HTTP = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Prover{d: d, keys: keyring{http: d.HTTP}}
}

// Proof is who asks.
type Proof struct {
	Name    string // of the rule
	Actor   string // for the audit trail: "mtls:NAME", "oidc:NAME"
	Subject string // what proved it: the certificate's key, the token's subject
}

// TLSConfig asks callers for a certificate and takes any whose key they hold:
// [Prover.Prove] decides by the rules who it is. Callers with an OIDC token show
// none.
func TLSConfig(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: certificates, MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"},
	}
}

// One gives the only value of a header; ok is false when it is absent, empty or
// given more than once.
func One(h http.Header, name string) (string, bool) {
	v := h.Values(name)
	if len(v) != 1 || v[0] == "" {
		return "", false
	}
	return v[0], true
}

func unproven(words string) error { return problem.New(problem.Unauthenticated, "%s", words) }

// Prove finds the one caller of the rules that the request, which came over TLS,
// proves to be: by a workload's OIDC token in the Authorization header, or in
// X-IDENTITY-HEADER, where an unmodified SDK puts IDENTITY_HEADER; else by a
// client certificate. A caller by certificate must send X-IDENTITY-HEADER too,
// with any value: whoever can only make it fetch an address, proves nothing.
//
// An OIDC token can be used again until it ends: issuers make them short.
//
// Errors are of kind problem.Unauthenticated, or problem.Unavailable where an
// issuer's keys cannot be had. Their words hold nothing that the caller wrote.
func (p *Prover) Prove(r *http.Request, rules *Rules) (Proof, error) {
	bearer, isBearer := One(r.Header, "Authorization")
	header, isHeader := One(r.Header, "X-Identity-Header")
	if len(r.Header.Values("Authorization")) > 1 || len(r.Header.Values("X-Identity-Header")) > 1 {
		return Proof{}, unproven("a header is given more than once")
	}
	raw := ""
	switch scheme, rest, _ := strings.Cut(bearer, " "); {
	case isBearer && (!strings.EqualFold(scheme, "Bearer") || rest == ""):
		return Proof{}, unproven("the Authorization header is not a bearer token")
	case isBearer:
		raw = rest
	case isHeader && strings.Count(header, ".") == 2:
		raw = header
	}
	if raw != "" {
		return p.workload(r.Context(), rules, secret.New(raw))
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return Proof{}, unproven("neither a client certificate nor a token was shown")
	}
	if !isHeader {
		return Proof{}, unproven("the header X-IDENTITY-HEADER is missing")
	}
	return p.certified(rules, r.TLS.PeerCertificates)
}

// certified finds a caller by its certificate. TLS has shown that it holds the
// key.
func (p *Prover) certified(rules *Rules, chain []*x509.Certificate) (Proof, error) {
	leaf, now := chain[0], p.d.Now()
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return Proof{}, unproven("the client certificate is not valid now")
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	pin := "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
	trusted := false
	if p.d.Authorities != nil {
		between := x509.NewCertPool()
		for _, c := range chain[1:] {
			between.AddCert(c)
		}
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: p.d.Authorities, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		trusted = err == nil
	}
	var found *Rule
	for _, rule := range rules.Callers {
		c := rule.Certificate
		if c == nil {
			continue
		}
		byKey := c.SPKI != "" && subtle.ConstantTimeCompare([]byte(c.SPKI), []byte(pin)) == 1
		byName := c.Name != "" && trusted && names(leaf, c.Name)
		if !byKey && !byName {
			continue
		}
		if found != nil {
			return Proof{}, unproven("the certificate is that of more than one caller of the policy")
		}
		found = rule
	}
	if found == nil {
		return Proof{}, unproven("the policy has no caller with this certificate")
	}
	return Proof{found.Name, "mtls:" + found.Name, pin}, nil
}

// names says whether the certificate bears exactly this name. Wildcards in it
// name nobody.
func names(c *x509.Certificate, want string) bool {
	kind, v, _ := strings.Cut(want, ":")
	switch kind {
	case "dns":
		for _, n := range c.DNSNames {
			if strings.EqualFold(n, v) && !strings.Contains(n, "*") {
				return true
			}
		}
	case "uri":
		for _, u := range c.URIs {
			if u.String() == v {
				return true
			}
		}
	case "email":
		for _, m := range c.EmailAddresses {
			if strings.EqualFold(m, v) {
				return true
			}
		}
	case "ip":
		want, err := netip.ParseAddr(v)
		for _, ip := range c.IPAddresses {
			if have, ok := netip.AddrFromSlice(ip); ok && err == nil && have.Unmap() == want.Unmap() {
				return true
			}
		}
	}
	return false
}

// workload finds a caller by its OIDC token.
func (p *Prover) workload(ctx context.Context, rules *Rules, raw secret.Text) (Proof, error) {
	const refused = "the workload's token is refused: "
	seen := claim.Inspect(raw) // only to choose whose keys to verify with
	for i := range rules.Issuers {
		is := &rules.Issuers[i]
		if is.Issuer != seen.Issuer {
			continue
		}
		t, err := p.keys.verify(ctx, raw, is, p.d.Now)
		if err != nil {
			if errors.Is(err, claim.Expired) || errors.Is(err, claim.NotYetValid) || errors.Is(err, problem.BadInput) {
				return Proof{}, unproven(refused + public(err))
			}
			return Proof{}, problem.Wrap(err, problem.Unavailable, "%s", refused+public(err)).WithAfter(10 * time.Second)
		}
		more := payload(raw)
		var found *Rule
		for _, rule := range rules.Callers {
			w := rule.Token
			if w == nil || w.Issuer != is.Name || !matches(w.Subject, t.Subject) {
				continue
			}
			all := true
			for name, want := range w.Claims {
				have, ok := more[name].(string)
				all = all && ok && matches(want, have)
			}
			if !all {
				continue
			}
			if found != nil {
				return Proof{}, unproven("the token is that of more than one caller of the policy: " + found.Name + " and " + rule.Name)
			}
			found = rule
		}
		if found == nil {
			return Proof{}, unproven("the policy has no caller with this token's subject and claims")
		}
		return Proof{found.Name, "oidc:" + found.Name, t.Subject}, nil
	}
	return Proof{}, unproven(refused + "the policy does not know its issuer")
}

// matches compares whole, or by the beginning when the pattern ends in "*".
func matches(pattern, have string) bool {
	if head, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(have, head)
	}
	return have != "" && pattern == have
}

// payload are the claims of a token that was verified, which is canonical and
// has no name twice.
func payload(raw secret.Text) map[string]any {
	parts := strings.Split(raw.Reveal(), ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}

// public is what may be said of an error.
func public(err error) string {
	if e, ok := errors.AsType[*problem.Error](err); ok {
		return e.Public
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "the caller left"
	}
	return "an error inside"
}
