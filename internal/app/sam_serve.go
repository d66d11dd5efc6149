package app

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// ServeOptions are how a server treats its callers.
type ServeOptions struct {
	Policy    *broker.Policy // nil: nobody gets a token
	ClientCAs *x509.CertPool // of callers' certificates; optional
	// Certificate is the server's own; without it, tokens are handed to nobody.
	Certificate *x509.Certificate
}

// Serve starts what runs by itself, the renewals and forecasts, and gives the
// handler of everything that is answered. Close ends all of it.
func (s *SAM) Serve(ctx context.Context, o ServeOptions) (http.Handler, error) {
	r, err := s.Renewer()
	if err != nil {
		return nil, err
	}
	q, err := jobs.Open(ctx, s.DB, jobs.Options{Log: slog.New(calm{s.Log.Handler()})})
	if err != nil {
		return nil, err
	}
	r.Register(q)
	q.Handle(jobWarn, func(ctx context.Context, _ jobs.Job) error { return s.warn(ctx) })
	q.Every(time.Hour, jobWarn, nil)
	if err := s.anchorRegularly(ctx, q); err != nil {
		return nil, err
	}
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
	reg := web.NewRegistry()
	k := web.NewKernel(web.Deps{Log: s.Log, Metrics: reg})
	k.Handle(web.Metrics(reg))
	k.Handle(web.Health(web.Check{Name: "the database", Look: s.DB.PingContext}))
	b.Server(broker.ServerOptions{ClientCAs: o.ClientCAs, Certificate: o.Certificate}).Mount(k)
	if err := s.onboarding(k); err != nil {
		return nil, err
	}
	return k, nil
}

// calm leaves out what a queue says of itself every minute.
type calm struct{ slog.Handler }

// Enabled is from warnings on.
func (c calm) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && c.Handler.Enabled(ctx, l)
}

// WithAttrs keeps it calm.
func (c calm) WithAttrs(a []slog.Attr) slog.Handler { return calm{c.Handler.WithAttrs(a)} }

// WithGroup keeps it calm.
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name)} }

// onboarding adds the pages by which invited partners consent, where there is
// an address they can be reached at.
func (s *SAM) onboarding(m web.Mux) error {
	if s.Config.PublicURL == "" {
		return nil
	}
	h, err := onboard.NewHandler(onboard.Deps{
		Store: s.Invited(), Apps: s.Store, Cloud: s.Cloud, Public: s.Config.PublicURL, Now: s.Now, Log: s.Log, Browsable: s.Browsable,
		Capture: func(kept func(context.Context, sam.Connection) error) (*capture.Capture, error) {
			return capture.New(capture.Deps{Entra: s.API, Keeper: s.Store, Kept: kept, Record: s.words, Now: s.Now, Log: s.Log})
		},
	})
	if err != nil {
		return err
	}
	h.Mount(m)
	return nil
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
	var link secret.Text
	var made onboard.Invitation
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		if made, link, err = s.Invited().Make(ctx, i, life); err != nil {
			return err
		}
		return s.words.Record(ctx, audit.Event{Action: audit.InvitationMade, Outcome: audit.Done, Actor: s.Actor, Object: made.ID, Tenant: made.Tenant,
			Details: map[string]string{"clientId": made.ClientID}})
	})
	if err != nil {
		return i, "", err
	}
	i = made
	return i, s.Config.PublicURL + onboard.Prefix + link.Reveal(), nil
}

// Invited is the store of the invitations, which the audit trail remembers.
func (s *SAM) Invited() *onboard.Store {
	st := onboard.NewStore(s.DB, s.Vault, s.Now)
	if s.past != nil {
		st.Remember(s.past)
	}
	return st
}

// Invitations lists the invitations, newest first.
func (s *SAM) Invitations(ctx context.Context) ([]onboard.Invitation, error) {
	return s.Invited().List(ctx)
}

// Withdraw deletes an invitation that waits.
func (s *SAM) Withdraw(ctx context.Context, id string) error {
	return s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.Invited().Withdraw(ctx, id); err != nil {
			return err
		}
		return s.words.Record(ctx, audit.Event{Action: audit.InvitationWithdrawn, Outcome: audit.Done, Actor: s.Actor, Object: id})
	})
}

const jobWarn = "warn-dying"

// told is how long it is remembered that a warning was given: longer than any
// refresh token lives idle.
const told = 100 * 24 * time.Hour

// warn writes each connection that dies within 14, 7 or 1 days into the log and
// the audit trail, once for each of these.
func (s *SAM) warn(ctx context.Context) error {
	list, err := s.Store.List(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	once := notify.NewTold(s.DB)
	if err := once.Forget(ctx, now.Add(-told)); err != nil {
		return err
	}
	for _, w := range renew.Warnings(now, list) {
		fresh := false
		err := s.DB.InTx(ctx, func(ctx context.Context) error {
			var err error
			if fresh, err = once.Once(ctx, "warned:"+w.Key, now); err != nil || !fresh {
				return err
			}
			return s.Trail.Record(ctx, audit.Event{
				Action: audit.ConnectionDying, Outcome: audit.Done, Actor: "system:renewal", Object: w.Connection.ID, Tenant: w.Connection.Tenant,
				Reason: w.Words, Details: map[string]string{"at": w.At.UTC().Format(time.RFC3339), "days": strconv.Itoa(w.Days), "name": w.Connection.Name},
			})
		})
		if err != nil {
			return err
		}
		if fresh {
			s.Log.WarnContext(ctx, "a connection dies soon", "connection", w.Connection.Name, "at", w.At.UTC(), "because", w.Words, "do", w.Fix, "heal", s.Heal(w.Connection))
		}
	}
	return nil
}
