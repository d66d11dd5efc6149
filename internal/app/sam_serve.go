package app

import (
	"context"
	"crypto/x509"
	"net/http"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
)

// ServeOptions are how a server treats its callers.
type ServeOptions struct {
	Policy    *broker.Policy // nil: nobody gets a token
	ClientCAs *x509.CertPool // of callers' certificates; optional
}

// Serve starts what runs by itself, the renewals and forecasts, and gives the
// handler of everything that is answered. Close ends all of it.
func (s *SAM) Serve(ctx context.Context, o ServeOptions) (http.Handler, error) {
	r, err := s.Renewer()
	if err != nil {
		return nil, err
	}
	q, err := jobs.Open(ctx, s.DB, jobs.Options{Log: s.Log})
	if err != nil {
		return nil, err
	}
	r.Register(q)
	b, err := s.Broker()
	if err != nil {
		return nil, err
	}
	if o.Policy != nil {
		if err := b.SetPolicy(o.Policy); err != nil {
			return nil, err
		}
	}
	if s.lab != nil {
		follow, stop := context.WithCancel(ctx)
		go s.clock.keepFollowing(follow, s.lab)
		s.close = append(s.close, func() error { stop(); return nil })
	}
	if err := q.Start(ctx); err != nil {
		return nil, err
	}
	s.close = append(s.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		return q.Stop(ending)
	})
	mux := http.NewServeMux()
	mux.Handle(broker.Path, b.Handler(broker.ServerOptions{ClientCAs: o.ClientCAs}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), 5*time.Second)
		defer stop()
		if err := s.DB.PingContext(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	if err := s.onboarding(mux); err != nil {
		return nil, err
	}
	return mux, nil
}

// onboarding adds the pages by which invited partners consent, where there is
// an address they can be reached at.
func (s *SAM) onboarding(mux *http.ServeMux) error {
	if s.Config.PublicURL == "" {
		return nil
	}
	h, err := onboard.NewHandler(onboard.Deps{
		Store: onboard.NewStore(s.DB, s.Now), Apps: s.Store, Cloud: s.Cloud, Public: s.Config.PublicURL, Now: s.Now, Log: s.Log, Browsable: s.Browsable,
		Capture: func(keep sam.Also[sam.Connection]) (*capture.Capture, error) {
			return capture.New(capture.Deps{Entra: s.API, Keeper: keepWith{s.Store, keep}, Record: s.Trail, Now: s.Now, Log: s.Log})
		},
	})
	if err != nil {
		return err
	}
	mux.Handle(onboard.Prefix, h)
	return nil
}

// keepWith keeps a consent and does something more in the same transaction.
type keepWith struct {
	store *sam.Store
	more  sam.Also[sam.Connection]
}

func (k keepWith) Keep(ctx context.Context, c sam.Captured, also ...sam.Also[sam.Connection]) (sam.Connection, error) {
	return k.store.Keep(ctx, c, append(also, k.more)...)
}

// Invite makes an invitation for a partner tenant, id or domain, and gives the
// address to send.
func (s *SAM) Invite(ctx context.Context, i onboard.Invitation, life time.Duration) (onboard.Invitation, string, error) {
	if s.Config.PublicURL == "" {
		return i, "", problem.New(problem.Usage, "nobody can be invited: how this server is reached from outside is not set").
			WithHint("set publicURL (or PARTNERGUARD_PUBLIC_URL), e.g. https://guard.contoso.example, here and for serve")
	}
	d, err := s.API.Discover(ctx, s.Cloud, i.Tenant)
	if err != nil {
		return i, "", err
	}
	i.Tenant, i.MadeBy = d.Tenant, s.Actor
	i, link, err := onboard.NewStore(s.DB, s.Now).Make(ctx, i, life)
	if err != nil {
		return i, "", err
	}
	if err := s.Trail.Record(ctx, nil, audit.Event{Action: audit.InvitationMade, Outcome: audit.Done, Actor: s.Actor, Object: i.ID, Tenant: i.Tenant, Details: map[string]string{"clientId": i.ClientID}}); err != nil {
		return i, "", err
	}
	return i, s.Config.PublicURL + onboard.Prefix + link.Reveal(), nil
}

// Invitations lists the invitations, newest first.
func (s *SAM) Invitations(ctx context.Context) ([]onboard.Invitation, error) {
	return onboard.NewStore(s.DB, s.Now).List(ctx)
}

// Withdraw deletes an invitation that waits.
func (s *SAM) Withdraw(ctx context.Context, id string) error {
	if err := onboard.NewStore(s.DB, s.Now).Withdraw(ctx, id); err != nil {
		return err
	}
	return s.Trail.Record(ctx, nil, audit.Event{Action: audit.InvitationWithdrawn, Outcome: audit.Done, Actor: s.Actor, Object: id})
}
