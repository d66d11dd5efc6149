package broker

import (
	"context"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
)

// asked notes which customers were looked up.
type asked struct {
	Exchange
	names []string
}

func (a *asked) Connection(context.Context, string) (*sam.Connection, error) {
	return &sam.Connection{ID: "c"}, nil
}

func (a *asked) Tenant(_ context.Context, _ *sam.Connection, name string) (string, error) {
	a.names = append(a.names, name)
	return "id-of-" + name, nil
}

func (a *asked) Token(context.Context, exchange.Request) (exchange.Token, error) {
	return exchange.Token{}, nil
}

// TestNoLookUpWithoutGrant: no answer maps a customer's domain to its tenant for
// a caller to whom nothing is granted there.
func TestNoLookUpWithoutGrant(t *testing.T) {
	t.Parallel()
	x := &asked{}
	b := &Broker{d: Deps{Exchange: x, Now: time.Now}}
	c := &Caller{Name: "n", grants: []Grant{{Connection: "c", Tenants: []string{"partner", "own.example"}, Resources: []string{"graph"}}}}
	d := b.decide(t.Context(), c, Ask{Customer: "victim.example", Resource: "graph"})
	if d.Allowed || d.Tenant != "" || strings.Contains(d.Words, "id-of") || strings.Contains(strings.Join(x.names, " "), "victim") {
		t.Errorf("%+v, looked up %v", d, x.names)
	}
}
