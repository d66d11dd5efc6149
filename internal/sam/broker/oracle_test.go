package broker

import (
	"context"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
)

// asked notes which customers were looked up.
type asked struct {
	Exchange
	names []string
}

func (a *asked) Connection(context.Context, string) (*sam.Connection, error) {
	return &sam.Connection{ID: "c", Cloud: msapi.Commercial()}, nil
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

// TestNoLookUpForNothing: nor does a caller who may name any customer have one
// looked up when the answer is no anyway.
func TestNoLookUpForNothing(t *testing.T) {
	t.Parallel()
	night := &Hours{From: "01:00", To: "02:00"}
	if err := night.prepare("UTC"); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, v := range map[string]struct {
		grant Grant
		ask   Ask
	}{
		"another resource": {Grant{Resources: []string{"arm"}}, Ask{Resource: "graph"}},
		"no resource":      {Grant{Resources: []string{"arm"}}, Ask{Resource: "http://x"}},
		"another hour":     {Grant{Resources: []string{"graph"}, Hours: night}, Ask{Resource: "graph"}},
		"nothing granted":  {Grant{Tenants: []string{"partner"}, Resources: []string{"graph"}}, Ask{Resource: "graph"}},
	} {
		x := &asked{}
		b := &Broker{d: Deps{Exchange: x, Now: func() time.Time { return noon }}}
		v.grant.Connection, v.ask.Customer = "c", "victim.example"
		if v.grant.Tenants == nil {
			v.grant.Tenants = []string{"own.example", AllCustomers}
		}
		d := b.decide(t.Context(), &Caller{Name: "n", grants: []Grant{v.grant}}, v.ask)
		if d.Allowed || d.Tenant != "" || len(x.names) > 0 {
			t.Errorf("%s: %+v, looked up %v", name, d, x.names)
		}
	}
}
