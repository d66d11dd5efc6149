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
	"partnerguard/internal/web"
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

// Server answers callers of other machines, which prove themselves (see
// [caller.Prover.Prove]). It answers over TLS only.
type Server struct {
	b      *Broker
	o      ServerOptions
	prover *caller.Prover
}

// Server makes the server of this broker.
func (b *Broker) Server(o ServerOptions) *Server {
	return &Server{b, o, caller.New(caller.Deps{Authorities: o.ClientCAs, HTTP: o.HTTP, Now: b.d.Machine})}
}

// Mount answers at [Path], whatever the method is: errors have the form of App
// Service, and every refusal is recorded.
func (s *Server) Mount(m web.Mux) {
	m.Handle(web.Route{
		Name: "broker.token", Pattern: Path, Access: web.Own("callers prove themselves by a client certificate or a workload's token, over TLS"),
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			h, resource, err := s.serve(r)
			if err != nil {
				no := asRefusal(err)
				return web.WithStatus(no.Status, no)
			}
			s.b.answer(w, &h, resource)
			return nil
		},
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			no, ok := errors.AsType[*Refusal](err)
			if !ok { // the kernel's
				no = &Refusal{Status: status, Words: public(err)}
			}
			refusal(w, no)
		},
	})
}

func (s *Server) serve(r *http.Request) (h Handout, resource string, err error) {
	b := s.b
	if r.TLS == nil {
		return h, "", &Refusal{Status: http.StatusForbidden, Words: "tokens are handed out over TLS only"}
	}
	if bad := screen(r); bad != nil {
		return h, "", b.stranger(r.Context(), bad)
	}
	if !named(s.o.Certificate, r.Host) {
		return h, "", b.stranger(r.Context(), &Refusal{Status: http.StatusMisdirectedRequest, Words: "this server has another name"})
	}
	p := b.policy.Load()
	who, err := s.prover.Prove(r, p.who)
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

// unproven is the refusal of who has not proven who it is. When to come back is
// told by the kernel, which finds it in the cause.
func unproven(err error) *Refusal {
	return &Refusal{Status: web.Status(err), Words: public(err), Fix: problem.HintOf(err), cause: err}
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
