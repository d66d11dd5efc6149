package suite

import (
	"context"
	"errors"
	"slices"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

// Capture takes consents for this installation.
func (s *Suite) Capture() (*capture.Capture, error) {
	return capture.New(capture.Deps{Entra: s.d.API, Keeper: s.Store, Record: s.past, Now: s.d.Now, Log: s.d.Log})
}

// labApp is the sample app of the partner cloud that consents are given to.
const labApp = "Contoso Control Panel"

// Registration finds the app that is meant: the one named, else the only one
// there is, else, in the laboratory, its sample app, which is registered then.
// Kind problem.NotFound when there is none yet.
func (s *Suite) Registration(ctx context.Context, clientID string) (sam.Registration, error) {
	if clientID != "" {
		r, err := s.Store.Registration(ctx, clientID)
		if errors.Is(err, problem.NotFound) && s.d.Local != nil {
			return s.registerLab(ctx, func(id, _ string) bool { return strings.EqualFold(id, clientID) }, err)
		}
		return r, err
	}
	all, err := s.Store.Registrations(ctx)
	if err != nil {
		return sam.Registration{}, err
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) > 1:
		var ids []string
		for _, r := range all {
			ids = append(ids, r.ClientID)
		}
		return sam.Registration{}, problem.New(problem.Usage, "there are %d apps: say which", len(all)).
			WithHint("--client-id, one of %s", strings.Join(ids, ", "))
	case s.d.Local != nil:
		return s.registerLab(ctx, func(_, name string) bool { return name == labApp }, nil)
	}
	return sam.Registration{}, problem.New(problem.NotFound, "no app is registered here yet").WithHint("partnerguard connect shows the steps")
}

func (s *Suite) registerLab(ctx context.Context, is func(id, name string) bool, otherwise error) (sam.Registration, error) {
	for _, a := range s.d.Local.Apps {
		if !is(a.ClientID, a.Name) || a.Secret == "" {
			continue
		}
		r := sam.Registration{ClientID: a.ClientID, Tenant: a.Tenant, Name: a.Name, Kind: msapi.ClientSecret, Created: s.d.Now()}
		return s.AddRegistration(ctx, r, secret.New(a.Secret))
	}
	if otherwise == nil {
		otherwise = problem.New(problem.NotFound, "this partner cloud has no app %q", labApp).WithHint("register one: partnerguard connect app add --help")
	}
	return sam.Registration{}, otherwise
}

// credential makes a change of an app's credential and records it, together.
func (s *Suite) credential(ctx context.Context, action audit.Action, how string, change func(context.Context) (sam.Registration, error)) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		r, err := change(ctx)
		if err != nil {
			return err
		}
		d := map[string]string{"kind": string(r.Kind), "how": how}
		if r.Thumbprint != "" {
			d["thumbprint"] = r.Thumbprint
		}
		return s.d.Trail.Record(ctx, audit.Event{Action: action, Outcome: audit.Done, Actor: s.d.Actor, Object: r.ClientID, Tenant: r.Tenant, Details: d})
	})
}

// AddRegistration keeps an app with its credential.
func (s *Suite) AddRegistration(ctx context.Context, r sam.Registration, material secret.Text) (out sam.Registration, err error) {
	err = s.credential(ctx, audit.CredentialCreated, "given", func(ctx context.Context) (sam.Registration, error) {
		out, err = s.Store.AddRegistration(ctx, r, material)
		return out, err
	})
	return out, err
}

// MakeCertificate makes a certificate for an app.
func (s *Suite) MakeCertificate(ctx context.Context, n sam.NewCertificate) (out sam.Made, err error) {
	err = s.credential(ctx, audit.CredentialCreated, "made", func(ctx context.Context) (sam.Registration, error) {
		out, err = s.Store.MakeCertificate(ctx, n)
		return out.Registration, err
	})
	return out, err
}

// UseCertificate makes the waiting certificate the app's credential.
func (s *Suite) UseCertificate(ctx context.Context, clientID, signed string) (out sam.Registration, err error) {
	err = s.credential(ctx, audit.CredentialCreated, "in use", func(ctx context.Context) (sam.Registration, error) {
		out, err = s.Store.UseCertificate(ctx, clientID, signed)
		return out, err
	})
	return out, err
}

// RemoveRegistration forgets an app.
func (s *Suite) RemoveRegistration(ctx context.Context, clientID string) error {
	return s.credential(ctx, audit.CredentialRemoved, "removed", func(ctx context.Context) (sam.Registration, error) {
		return s.Store.RemoveRegistration(ctx, clientID)
	})
}

// Remove forgets a connection with its tokens.
func (s *Suite) Remove(ctx context.Context, nameOrID string) (c sam.Connection, err error) {
	err = s.Store.InTx(ctx, func(ctx context.Context) error {
		if c, err = s.Store.Remove(ctx, nameOrID); err != nil {
			return err
		}
		return s.past.Record(ctx, audit.Event{Action: audit.ConnectionRemoved, Outcome: audit.Done, Actor: s.d.Actor, Object: c.ID, Tenant: c.Tenant,
			Details: map[string]string{"name": c.Name, "account": c.Account}})
	})
	return c, err
}

// Revoke ends every refresh token and session of a connection's account at Entra
// ID, with the connection's own token.
func (s *Suite) Revoke(ctx context.Context, nameOrID string) (sam.Connection, error) {
	c, err := s.Store.Find(ctx, nameOrID)
	if err != nil {
		return c, err
	}
	g, err := s.Graph(c)
	if err != nil {
		return c, err
	}
	if err := g.RevokeSessions(ctx, c.ObjectID); err != nil {
		return c, problem.Wrap(err, problem.BadInput, "the sessions of %s were not revoked, and nothing was removed", c.Account).
			WithHint("revoke them in the Entra admin center; then remove the connection without --revoke (%s)", problem.HintOf(err))
	}
	return c, s.d.Trail.Record(ctx, audit.Event{Action: audit.ConnectionRevoked, Outcome: audit.Done, Actor: s.d.Actor, Object: c.ID, Tenant: c.Tenant,
		Details: map[string]string{"account": c.Account}})
}

// Connection finds the connection that is meant: the one named, else the only one there is
// besides [sam.RemedyName], which is for changes alone.
func (s *Suite) Connection(ctx context.Context, nameOrID string) (sam.Connection, error) {
	if nameOrID != "" {
		return s.Store.Find(ctx, nameOrID)
	}
	all, err := s.Store.List(ctx)
	if err != nil {
		return sam.Connection{}, err
	}
	if usual := slices.DeleteFunc(slices.Clone(all), func(c sam.Connection) bool { return c.Name == sam.RemedyName }); len(usual) == 1 {
		return usual[0], nil
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return sam.Connection{}, problem.New(problem.NotFound, "there is no connection yet").WithHint("make one: partnerguard connect")
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return sam.Connection{}, problem.New(problem.Usage, "there are %d connections: say which", len(all)).
		WithHint("--connection, one of %s", strings.Join(names, ", "))
}

// Browsable is an address of Entra ID as a person's browser can open it: the
// partner cloud's port speaks plain HTTP as well, and no browser knows its
// certificate.
func (s *Suite) Browsable(address string) string {
	if s.d.Local != nil {
		if rest, is := strings.CutPrefix(address, "https://localhost:"); is {
			return "http://localhost:" + rest
		}
	}
	return address
}
