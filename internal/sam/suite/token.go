package suite

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
)

// Exchange makes what turns refresh tokens into access tokens. It ends with
// the installation. Refresh tokens that come back are not kept: what a customer's
// exchange brings proves nothing about MFA, and the kept one stays valid. Renewal
// brings new ones.
func (s *Suite) Exchange() (*exchange.Exchange, error) {
	if s.exchange != nil {
		return s.exchange, nil
	}
	x, err := exchange.New(exchange.Deps{Connections: standing{s.Store}, Authority: s, Resolver: resolver{s}, Log: s.d.Log, Now: s.d.Now})
	if err != nil {
		return nil, err
	}
	s.exchange = x
	s.close = append(s.close, func() error { x.Close(); return nil })
	return x, nil
}

// standing is the store for handing out: a connection that is held back is found by
// nobody, so that its tokens in memory are of no use either.
type standing struct{ *sam.Store }

func (s standing) Find(ctx context.Context, nameOrID string) (sam.Connection, error) {
	c, err := s.Store.Find(ctx, nameOrID)
	if err == nil {
		err = s.Standing(ctx, c)
	}
	if err != nil {
		return sam.Connection{}, err
	}
	return c, nil
}

// Broker makes what hands access tokens to callers.
func (s *Suite) Broker() (*broker.Broker, error) {
	x, err := s.Exchange()
	if err != nil {
		return nil, err
	}
	b, err := broker.New(broker.Deps{Exchange: x, Trail: s.past, DB: s.d.DB, Marks: s.d.Vault, Past: s.past, Log: s.d.Log, Now: s.d.Now})
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, func() error {
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		return b.Close(ctx)
	})
	return b, nil
}

// Refresh asks Entra ID with a refresh token, at the addresses of this
// installation's cloud: no other is asked, whatever a connection says.
func (s *Suite) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	if r.Cloud.Name != s.d.Cloud.Name {
		return nil, problem.New(problem.Usage, "a connection to %.40s stands among those of %s", r.Cloud.Name, s.d.Cloud.Name).
			WithHint("name its cloud with --cloud")
	}
	r.Cloud = s.d.Cloud
	return s.d.API.Refresh(ctx, r)
}

// cloudOf is where a connection's cloud answers.
func (s *Suite) cloudOf(c sam.Connection) msapi.Cloud {
	if s.d.Cloud.Name == c.Cloud.Name {
		return s.d.Cloud
	}
	return c.Cloud // by name, out of the table of the program
}

// bearer gives tokens of a connection for one of Microsoft's interfaces.
func (s *Suite) bearer(c sam.Connection, tenant, resource string) msapi.Bearer {
	return func(ctx context.Context) (secret.Text, error) {
		x, err := s.Exchange()
		if err != nil {
			return secret.Text{}, err
		}
		t, err := x.Token(ctx, exchange.Request{Connection: c.ID, Customer: tenant, Resource: resource, Caller: "partnerguard"})
		return t.Access, err
	}
}

// PartnerCenter is Partner Center as a connection sees it.
func (s *Suite) PartnerCenter(c sam.Connection) (*msapi.PartnerCenter, error) {
	cloud := s.cloudOf(c)
	return s.d.API.PartnerCenter(cloud, c.Tenant, s.bearer(c, "partner", cloud.PartnerCenterResource))
}

// Graph is Graph in the partner tenant as a connection sees it.
func (s *Suite) Graph(c sam.Connection) (*msapi.Graph, error) {
	cloud := s.cloudOf(c)
	return s.d.API.Graph(cloud, c.Tenant, s.bearer(c, "partner", cloud.GraphResource))
}

// resolver knows a partner's customers, by what Partner Center says.
type resolver struct{ s *Suite }

// Resolve gives a customer's tenant id. A domain is looked up where Entra ID
// publishes whose it is; that the tenant is a customer is what Partner Center
// says. The exchange remembers the answer for a while.
func (r resolver) Resolve(ctx context.Context, c sam.Connection, customer string) (string, error) {
	d, err := r.s.d.API.Discover(ctx, r.s.cloudOf(c), customer)
	if errors.Is(err, problem.NotFound) {
		return "", notACustomer(c, customer)
	}
	if err != nil {
		return "", err
	}
	p, err := r.s.PartnerCenter(c)
	if err != nil {
		return "", err
	}
	if _, err := p.Customer(ctx, d.Tenant); errors.Is(err, problem.NotFound) {
		return "", notACustomer(c, customer)
	} else if err != nil {
		return "", err
	}
	return d.Tenant, nil
}

func notACustomer(c sam.Connection, customer string) error {
	return problem.New(problem.NotFound, "%.100q is no customer of the partner of connection %s", customer, c.Name).
		WithHint("name a customer by domain or tenant id, or partner for the partner's own tenant")
}
