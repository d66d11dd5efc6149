//go:build !judge

package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/mfa/register"
	"partnerguard/internal/mfa/selftest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
)

// external makes our provider of External MFA, which answers where the vault is open.
func (i *Installation) external() (*provider.Provider, error) {
	d := provider.Deps{DB: i.DB, Entra: i.API, Cloud: i.Cloud, Public: i.externalAddress(), Config: &i.Config.External, Now: i.Now, Log: i.Log,
		Last: i.lastOfFactors}
	if i.Vault != nil {
		d.Vault = i.Vault
	}
	u, err := url.Parse(i.Cloud.Authority)
	if err == nil && i.Lab() && u.Scheme == "https" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		d.Plain = "http://" + u.Host // its pages are there too, by the port of those with TLS
	}
	if !i.look {
		d.Record = i.Trail
	}
	return provider.New(d)
}

// externalAddress is how browsers reach our provider: the public address, or in a
// laboratory this very machine.
func (i *Installation) externalAddress() string {
	if i.Config.Web.PublicURL != "" || !i.Lab() {
		return i.Config.Web.PublicURL
	}
	return i.pagesAt()
}

// ExternalAsk is what a plan of our MFA provider begins with. The zero value is the
// partner's own tenant, an app of its own, and everybody.
type ExternalAsk struct {
	Connection string // its name or id; "" is the only one
	Tenant     string // a customer, by id or domain; "" is the partner's own
	Name       string // of the method; "" is Partnerguard
	Groups     []string
	Users      []string
	Multi      bool // an app that other tenants can consent to
	Disabled   bool
}

// externalClient is our provider's name for Entra ID in the answers' audience.
const externalClient = "partnerguard"

// ExternalPlan makes the plan that registers our MFA provider with a tenant. Kind
// problem.Unmet where there is no public address.
func (i *Installation) ExternalPlan(ctx context.Context, a ExternalAsk) (p register.Plan, err error) {
	if i.External.Issuer() == "" {
		return p, problem.New(problem.Unmet, "this installation has no public address, by which Entra ID sends people here").
			WithHint("set publicURL to the https address of this server")
	}
	c, tenant, err := i.externalTenant(ctx, a.Connection, a.Tenant)
	if err != nil {
		return p, err
	}
	name := a.Name
	if name == "" {
		name = "Partnerguard"
	}
	p = register.Plan{Version: 1, Cloud: i.Cloud.Name, Tenant: tenant, App: register.App{Name: name + " MFA", MultiTenant: a.Multi,
		Redirect: i.External.Authorization()}, Method: register.Method{Name: name, ClientID: externalClient, Discovery: i.External.Discovery(),
		Groups: a.Groups, Enabled: !a.Disabled}, Users: a.Users}
	if len(p.Method.Groups) == 0 {
		p.Method.Groups = []string{register.AllUsers}
	}
	own, err := i.External.Served(ctx, c.Tenant)
	if tenant != c.Tenant {
		if err != nil {
			return p, problem.New(problem.Unmet, "the partner's own tenant has no app yet, to which a customer could consent").
				WithHint("first: partnerguard mfa register-with-entra --plan --multi-tenant")
		}
		p.App.ID, p.App.Home, p.App.MultiTenant = own.App, c.Tenant, true
		if d, err := i.API.Discover(ctx, i.Cloud, a.Tenant); err == nil && d.Tenant != a.Tenant {
			p.Name = a.Tenant // the domain that was asked for
		}
	} else if err == nil {
		p.App.ID, p.Name = own.App, own.Name
	}
	if p.Name == "" {
		p.Name = i.tenantName(ctx, tenant)
	}
	return p, p.Check()
}

// tenantName is what a tenant is called, where it was collected: people are told at the
// challenge whose sign-in they answer.
func (i *Installation) tenantName(ctx context.Context, id string) string {
	list, err := i.tenants(ctx)
	if err != nil {
		return ""
	}
	for _, t := range list {
		if strings.EqualFold(t.ID, id) {
			return cmp.Or(t.Name, t.Domain)
		}
	}
	return ""
}

// externalTenant finds the connection that registers, and the id of the tenant.
func (i *Installation) externalTenant(ctx context.Context, connection, tenant string) (c sam.Connection, id string, err error) {
	c, err = i.SAM.Connection(ctx, connection)
	if err != nil || tenant == "" || tenant == c.Tenant {
		return c, c.Tenant, err
	}
	x, err := i.SAM.Exchange()
	if err != nil {
		return c, "", err
	}
	id, err = x.Tenant(ctx, &c, tenant)
	return c, id, err
}

// externalGraph is Graph in the tenant of a plan, by a connection's token.
func (i *Installation) externalGraph(ctx context.Context, connection string, p register.Plan) (*msapi.Graph, error) {
	if p.Cloud != i.Cloud.Name {
		return nil, problem.New(problem.Usage, "the plan is for the cloud %s, and this installation works in %s", p.Cloud, i.Cloud.Name).
			WithHint("one app a cloud: name the cloud with --cloud")
	}
	c, _, err := i.externalTenant(ctx, connection, "")
	if err != nil {
		return nil, err
	}
	if p.Tenant == c.Tenant {
		return i.SAM.Graph(c)
	}
	return i.API.Graph(i.Cloud, p.Tenant, func(ctx context.Context) (secret.Text, error) {
		x, err := i.SAM.Exchange()
		if err != nil {
			return secret.Text{}, err
		}
		t, err := x.Token(ctx, exchange.Request{Connection: c.ID, Customer: p.Tenant, Resource: i.Cloud.GraphResource, Caller: "partnerguard"})
		return t.Access, err
	})
}

// ExternalLook says what a plan lacks in its tenant. It changes nothing.
func (i *Installation) ExternalLook(ctx context.Context, connection string, p register.Plan) (register.Found, []register.Step, error) {
	g, err := i.externalGraph(ctx, connection, p)
	if err != nil {
		return register.Found{}, nil, err
	}
	f, steps, err := register.Look(ctx, g, p, i.Cloud.Authority)
	return f, steps, externalRight(err)
}

// ExternalApply does what a plan lacks. The tenant is served from then on.
func (i *Installation) ExternalApply(ctx context.Context, connection string, p register.Plan) (register.Found, []register.Step, error) {
	g, err := i.externalGraph(ctx, connection, p)
	if err != nil {
		return register.Found{}, nil, err
	}
	if err := i.External.Prepare(ctx, i.Actor); err != nil {
		return register.Found{}, nil, err
	}
	f, steps, err := register.Apply(ctx, g, p, i.Cloud.Authority, register.Hooks{
		Keep: func(ctx context.Context, f register.Found) error {
			was, err := i.External.Served(ctx, p.Tenant)
			if err == nil && was.App == f.AppID && was.Client == p.Method.ClientID && was.Configuration == f.Configuration && was.Name == p.Name {
				return nil
			}
			_, err = i.External.Serve(ctx, provider.Tenant{ID: p.Tenant, Name: p.Name, App: f.AppID, Client: p.Method.ClientID,
				Configuration: f.Configuration}, i.Actor)
			return err
		},
		Done: func(ctx context.Context, s register.Step) error {
			return i.Trail.Record(ctx, audit.Event{Action: audit.MFARegistered, Outcome: audit.Done, Actor: i.Actor, Object: s.What + " " + s.Name,
				Tenant: p.Tenant, Details: map[string]string{"act": string(s.Act)}})
		},
		Wait: func(ctx context.Context, d time.Duration) error {
			if i.Lab() {
				return ctx.Err() // it knows at once
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		},
	})
	return f, steps, externalRight(err)
}

// externalRight says which permissions registering needs, where Graph refuses.
func externalRight(err error) error {
	if e, ok := errors.AsType[*msapi.APIError](err); ok && (e.Status == 401 || e.Status == 403) {
		return problem.Wrap(err, problem.Forbidden, "Microsoft Graph does not let the connection register an MFA provider").
			WithHint("connect once more with --feature external-mfa, as an account with the roles Application Administrator and " +
				"Authentication Policy Administrator, and keep that connection for this alone")
	}
	return err
}

// ExternalSelftest plays Entra ID's side against the provider that runs at the address
// of this installation, or at another discovery address.
func (i *Installation) ExternalSelftest(ctx context.Context, discovery, connection string) ([]selftest.Check, error) {
	o := selftest.Options{Discovery: discovery, Return: i.External.Return(), Authority: i.Cloud.Authority, Leeway: i.Config.External.Leeway, Now: i.Now,
		Client: externalClient, Clock: func(ctx context.Context) (time.Time, error) { return i.API.Clock(ctx, i.Cloud) }}
	if o.Discovery == "" {
		o.Discovery = i.External.Discovery()
	}
	list, err := i.External.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for k := range list {
		if t := &list[k]; t.Ended.IsZero() && t.Cloud == i.Cloud.Name {
			o.Tenant, o.AppID, o.Client = t.ID, t.App, t.Client
			o.Look = i.externalRegistered(connection, *t)
			break
		}
	}
	return selftest.Run(ctx, o)
}

// externalRegistered reads what stands in a tenant that is served.
func (i *Installation) externalRegistered(connection string, t provider.Tenant) func(context.Context) (selftest.Registered, error) {
	return func(ctx context.Context) (r selftest.Registered, err error) {
		p := register.Plan{Cloud: t.Cloud, Tenant: t.ID, App: register.App{ID: t.App}}
		g, err := i.externalGraph(ctx, connection, p)
		if err != nil {
			return r, err
		}
		s, err := register.Standing(ctx, g, t.App)
		return selftest.Registered{Redirects: s.Redirects, Principal: s.Principal, State: s.State, Discovery: s.Discovery}, err
	}
}

// ExternalHint explains a hint, by Entra ID's keys or those of a file. Where the keys
// cannot be read, its signature is not known, and it is not taken.
func (i *Installation) ExternalHint(ctx context.Context, raw secret.Text, keysFile string) (e provider.Explained, err error) {
	var keys jose.JSONWebKeySet
	if keysFile != "" {
		b, err := problem.ReadFile("the keys", keysFile, claim.MaxKeySet)
		if err != nil {
			return e, err
		}
		if keys, err = i.External.KeysOf(b); err != nil {
			return e, err
		}
	} else if keys, err = i.External.EntraSet(ctx, raw); err != nil {
		i.Log.WarnContext(ctx, "Entra ID's keys are not read", "err", err)
	}
	t, err := i.External.Served(ctx, claim.Inspect(raw).Tenant)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return e, err
	}
	return i.External.Explain(raw, keys, t), nil
}
