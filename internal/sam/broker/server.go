package broker

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/caller"
	"partnerguard/internal/problem"
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

// Handler answers at [Path] for callers that prove themselves: by a client
// certificate, or by a workload's OIDC token in the Authorization header, or in
// X-IDENTITY-HEADER, where an unmodified SDK puts IDENTITY_HEADER. A caller by
// certificate must send X-IDENTITY-HEADER too, with any value: whoever can only
// make it fetch an address, gets nothing. It answers over TLS only.
//
// An OIDC token can be used again until it ends: issuers make them short.
func (b *Broker) Handler(o ServerOptions) http.Handler {
	prover := caller.New(caller.Deps{Authorities: o.ClientCAs, HTTP: o.HTTP, Now: b.d.Machine})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, resource, err := b.serve(r, prover, &o)
		if err != nil {
			refusal(w, asRefusal(err))
			return
		}
		b.answer(w, &h, resource)
	})
}

func (b *Broker) serve(r *http.Request, prover *caller.Prover, o *ServerOptions) (h Handout, resource string, err error) {
	if r.TLS == nil {
		return h, "", &Refusal{Status: http.StatusForbidden, Words: "tokens are handed out over TLS only"}
	}
	if bad := screen(r); bad != nil {
		return h, "", b.stranger(r.Context(), bad)
	}
	if !named(o.Certificate, r.Host) {
		return h, "", b.stranger(r.Context(), &Refusal{Status: http.StatusMisdirectedRequest, Words: "this server has another name"})
	}
	p := b.policy.Load()
	who, err := prover.Prove(r, p.who)
	if err != nil {
		return h, "", b.stranger(r.Context(), unproven(err))
	}
	c := p.proven(who)
	ask, err := readAsk(r, func(id string) bool { return b.clientOf(r.Context(), c, id) })
	if err != nil {
		return h, "", b.refuse(r.Context(), c, ask, &Decision{}, usage(err), audit.Refused)
	}
	h, err = b.Token(r.Context(), c, ask)
	return h, ask.Resource, err
}

// proven is the caller of a proof that came of these very rules.
func (p *Policy) proven(who caller.Proof) *Caller {
	i := slices.IndexFunc(p.Callers, func(r CallerRule) bool { return r.Name == who.Name })
	c := p.Callers[i].caller(who.Actor, who.Subject)
	return &c
}

// unproven is the refusal of who has not proven who it is.
func unproven(err error) *Refusal {
	r := &Refusal{Status: http.StatusUnauthorized, Words: public(err), Fix: problem.HintOf(err), cause: err}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind == problem.Unavailable {
		r.Status, r.RetryAfter = http.StatusServiceUnavailable, e.After
	}
	return r
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
