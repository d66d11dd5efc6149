package broker

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// ServerOptions are how remote callers prove themselves.
type ServerOptions struct {
	// Certificate is the server's own. A request for another host than it names
	// is refused, and every request without it.
	Certificate *x509.Certificate
	// ClientCAs are the authorities for callers that the policy names by a name
	// in their certificate. Those named by their key need none. Optional.
	ClientCAs *x509.CertPool
	// HTTP fetches the key sets of the policy's issuers; nil is a client with
	// limits of its own.
	HTTP *http.Client
}

// TLSConfig asks callers for a certificate and takes any whose key they hold:
// the handler decides by the policy who it is. Callers with an OIDC token show
// none.
func TLSConfig(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: certificates, MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
		NextProtos: []string{"h2", "http/1.1"},
	}
}

// Handler answers at [Path] for callers that prove themselves: by a client
// certificate, or by a workload's OIDC token in the Authorization header, or in
// X-IDENTITY-HEADER, where an unmodified SDK puts IDENTITY_HEADER. A caller by
// certificate must send X-IDENTITY-HEADER too, with any value: whoever can only
// make it fetch an address, gets nothing. It answers over TLS only.
//
// An OIDC token can be used again until it ends: issuers make them short.
func (b *Broker) Handler(o ServerOptions) http.Handler {
	b.keys.http = o.HTTP
	if b.keys.http == nil {
		b.keys.http = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, resource, err := b.serve(r, &o)
		if err != nil {
			refusal(w, asRefusal(err))
			return
		}
		b.answer(w, &h, resource)
	})
}

func (b *Broker) serve(r *http.Request, o *ServerOptions) (h Handout, resource string, err error) {
	if r.TLS == nil {
		return h, "", &Refusal{Status: http.StatusForbidden, Words: "tokens are handed out over TLS only"}
	}
	if bad := screen(r); bad != nil {
		return h, "", b.stranger(r.Context(), bad)
	}
	if !named(o.Certificate, r.Host) {
		return h, "", b.stranger(r.Context(), &Refusal{Status: http.StatusMisdirectedRequest, Words: "this server has another name"})
	}
	c, err := b.identify(r, o.ClientCAs)
	if err != nil {
		return h, "", b.stranger(r.Context(), asRefusal(err))
	}
	ask, err := readAsk(r, func(id string) bool { return b.clientOf(r.Context(), c, id) })
	if err != nil {
		return h, "", b.refuse(r.Context(), c, ask, &Decision{}, usage(err), audit.Refused)
	}
	h, err = b.Token(r.Context(), c, ask)
	return h, ask.Resource, err
}

// named says whether a Host header is a name, or address, of our certificate.
func named(own *x509.Certificate, host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return own != nil && host != "" && own.VerifyHostname(host) == nil
}

func (b *Broker) stranger(ctx context.Context, r *Refusal) *Refusal {
	b.ledger.refused(ctx, audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "unknown", Reason: r.Words})
	return r
}

// clientOf says whether id is the app of one of the caller's connections,
// which an SDK sends when AZURE_CLIENT_ID is set.
func (b *Broker) clientOf(ctx context.Context, c *Caller, id string) bool {
	for i := range c.grants {
		if conn, err := b.d.Exchange.Connection(ctx, c.grants[i].Connection); err == nil && strings.EqualFold(conn.ClientID, id) {
			return true
		}
	}
	return false
}

func unauthorized(words string) *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Words: words}
}

// identify finds the one caller of the policy that the request proves to be.
func (b *Broker) identify(r *http.Request, authorities *x509.CertPool) (*Caller, error) {
	p := b.policy.Load()
	bearer, isBearer := one(r.Header, "Authorization")
	header, isHeader := one(r.Header, "X-Identity-Header")
	if len(r.Header.Values("Authorization")) > 1 || len(r.Header.Values("X-Identity-Header")) > 1 {
		return nil, unauthorized("a header is given more than once")
	}
	raw := ""
	switch scheme, rest, _ := strings.Cut(bearer, " "); {
	case isBearer && (!strings.EqualFold(scheme, "Bearer") || rest == ""):
		return nil, unauthorized("the Authorization header is not a bearer token")
	case isBearer:
		raw = rest
	case isHeader && strings.Count(header, ".") == 2:
		raw = header
	}
	if raw != "" {
		return b.workload(r.Context(), p, secret.New(raw))
	}
	if len(r.TLS.PeerCertificates) == 0 {
		return nil, unauthorized("neither a client certificate nor a token was shown")
	}
	if !isHeader {
		return nil, unauthorized("the header X-IDENTITY-HEADER is missing")
	}
	return b.certified(p, r.TLS.PeerCertificates, authorities)
}

// certified finds a caller by its certificate. TLS has shown that it holds the
// key.
func (b *Broker) certified(p *Policy, chain []*x509.Certificate, authorities *x509.CertPool) (*Caller, error) {
	leaf, now := chain[0], b.d.Machine()
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, unauthorized("the client certificate is not valid now")
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	pin := "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
	trusted := false
	if authorities != nil {
		between := x509.NewCertPool()
		for _, c := range chain[1:] {
			between.AddCert(c)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: authorities, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		trusted = err == nil
	}
	var found *CallerRule
	for i := range p.Callers {
		c := p.Callers[i].Certificate
		if c == nil {
			continue
		}
		byKey := c.SPKI != "" && subtle.ConstantTimeCompare([]byte(c.SPKI), []byte(pin)) == 1
		byName := c.Name != "" && trusted && names(leaf, c.Name)
		if !byKey && !byName {
			continue
		}
		if found != nil {
			return nil, unauthorized("the certificate is that of more than one caller of the policy")
		}
		found = &p.Callers[i]
	}
	if found == nil {
		return nil, unauthorized("the policy has no caller with this certificate")
	}
	c := found.caller("mtls:"+found.Name, pin)
	return &c, nil
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
func (b *Broker) workload(ctx context.Context, p *Policy, raw secret.Text) (*Caller, error) {
	const refused = "the workload's token is refused: "
	seen := claim.Inspect(raw) // only to choose whose keys to verify with
	for i := range p.Issuers {
		is := &p.Issuers[i]
		if is.Issuer != seen.Issuer {
			continue
		}
		t, err := b.keys.verify(ctx, raw, is, b.d.Machine)
		if err != nil {
			if errors.Is(err, claim.Expired) || errors.Is(err, claim.NotYetValid) || errors.Is(err, problem.BadInput) {
				return nil, unauthorized(refused + public(err))
			}
			return nil, &Refusal{Status: http.StatusServiceUnavailable, Words: refused + public(err), RetryAfter: 10 * time.Second, cause: err}
		}
		more := payload(raw)
		var found *CallerRule
		for k := range p.Callers {
			w := p.Callers[k].Token
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
				return nil, unauthorized("the token is that of more than one caller of the policy: " + found.Name + " and " + p.Callers[k].Name)
			}
			found = &p.Callers[k]
		}
		if found == nil {
			return nil, unauthorized("the policy has no caller with this token's subject and claims")
		}
		c := found.caller("oidc:"+found.Name, t.Subject)
		return &c, nil
	}
	return nil, unauthorized(refused + "the policy does not know its issuer")
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
