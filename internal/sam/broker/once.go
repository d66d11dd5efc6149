package broker

import (
	"context"

	"partnerguard/internal/problem"
	"partnerguard/internal/sam/exchange"
)

// Once hands one token to the person at this machine, by the same built-in
// policy as [Broker.Local]: exactly the first customer and resource of the
// options. The error may be a *Refusal.
func (b *Broker) Once(ctx context.Context, o LocalOptions) (Handout, error) {
	if o.User == "" || o.Connection == "" || len(o.Customers) == 0 || len(o.Resources) == 0 {
		return Handout{}, problem.New(problem.Internal, "a token needs a user, a connection, a customer and a resource")
	}
	conn, err := b.d.Exchange.Connection(ctx, o.Connection)
	if err != nil {
		return Handout{}, err
	}
	for _, r := range o.Resources {
		if _, err := exchange.Resource(conn.Cloud, r); err != nil {
			return Handout{}, err // words that can be mended, as exec says it
		}
	}
	c := &Caller{local: true, Name: o.User, Actor: o.User, Subject: o.Command, Default: o.Customers[0], grants: []Grant{{
		Connection: conn.ID, Tenants: o.Customers, Resources: o.Resources, Scopes: o.Scopes,
	}}}
	return b.Token(ctx, c, Ask{Customer: o.Customers[0], Resource: o.Resources[0]})
}
