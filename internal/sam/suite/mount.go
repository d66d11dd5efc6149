package suite

import (
	"context"
	"crypto/x509"

	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/web"
)

// Callers are how a server treats those who ask for tokens.
type Callers struct {
	Policy    *broker.Policy // nil: nobody gets a token
	ClientCAs *x509.CertPool // of callers' certificates; optional
	// Certificate is the server's own; without it, tokens are handed to nobody.
	Certificate *x509.Certificate
}

// Admit says who may have tokens, before Mount. Without it nobody has any.
func (s *Suite) Admit(o Callers) { s.callers = o }

// Mount adds the endpoint that hands out tokens and, where the installation can
// be reached from outside, the pages by which invited partners consent.
func (s *Suite) Mount(mux web.Mux) error {
	o := s.callers
	b, err := s.Broker()
	if err != nil {
		return err
	}
	if o.Policy != nil {
		if err := b.SetPolicy(o.Policy); err != nil {
			return err
		}
	}
	b.Server(broker.ServerOptions{ClientCAs: o.ClientCAs, Certificate: o.Certificate}).Mount(mux)
	if s.d.Public == "" {
		return nil
	}
	h, err := onboard.NewHandler(onboard.Deps{
		Store: s.Invited(), Apps: s.Store, Cloud: s.d.Cloud, Public: s.d.Public, Now: s.d.Now, Log: s.d.Log, Browsable: s.Browsable,
		TenantOf: func(ctx context.Context, domain string) (string, error) {
			d, err := s.d.API.Discover(ctx, s.d.Cloud, domain)
			return d.Tenant, err
		},
		Capture: func(kept func(context.Context, sam.Connection) error) (*capture.Capture, error) {
			return capture.New(capture.Deps{Entra: s.d.API, Keeper: s.Store, Kept: kept, Record: s.past, Now: s.d.Now, Log: s.d.Log})
		},
	})
	if err != nil {
		return err
	}
	h.Mount(mux)
	return nil
}
