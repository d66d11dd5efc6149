package suite

import (
	"context"

	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
)

// ConsentRequest is one run over the customers' consents.
type ConsentRequest struct {
	Connection sam.Connection
	Features   []capture.Feature
	Only       []string // customers by tenant id or domain; none: all
	Apply      bool
	Trim       bool
	Progress   func(done, known int, whole bool)
}

// Wanted is what a run wants of a connection's app at each customer, and why.
func (s *Suite) Wanted(r ConsentRequest) []consent.Wanted {
	return consent.WantedFor(s.cloudOf(r.Connection), r.Features)
}

// Consent plans or applies the consent of a connection's app at the partner's
// customers, and gives each as it is done.
func (s *Suite) Consent(ctx context.Context, r ConsentRequest, yield func(consent.Row) error) (consent.Summary, error) {
	x, err := s.Exchange()
	if err != nil {
		return consent.Summary{}, err
	}
	center, err := s.PartnerCenter(r.Connection)
	if err != nil {
		return consent.Summary{}, err
	}
	svc, err := consent.New(consent.Deps{Access: x, Intents: consent.NewIntents(s.d.DB, s.d.Vault), Record: s.d.Trail, Now: s.d.Now, Log: s.d.Log})
	if err != nil {
		return consent.Summary{}, err
	}
	name := ""
	if reg, err := s.Store.Registration(ctx, r.Connection.ClientID); err == nil {
		name = reg.Name
	}
	wanted := s.Wanted(r)
	if len(wanted) == 0 {
		return consent.Summary{}, problem.New(problem.Usage, "these features need nothing at a customer").WithHint("e.g. --feature sign-ins,policies,azure")
	}
	o := consent.Options{Connection: r.Connection, Center: center, Wanted: wanted, Name: name, Only: r.Only, Apply: r.Apply, Trim: r.Trim, Actor: s.d.Actor,
		Progress: r.Progress}
	return svc.Run(ctx, o, yield)
}
