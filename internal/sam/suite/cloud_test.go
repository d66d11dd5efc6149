package suite_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/secret"
)

// customers is how many the partner has in the cloud's world.
func (r *rig) customers() (n int) {
	r.Server.World.Read(func(s *world.State) {
		for range s.PartnerTenant().Customers.All() {
			n++
		}
	})
	return n
}

// TestCustomers: who they are, whose tokens there are, and who is none.
func TestCustomers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	if names, err := r.CustomerDomains(ctx); !errors.Is(err, problem.NotFound) || !slices.Equal(names, []string{"partner"}) {
		t.Errorf("without a connection: %v %v", names, err)
	}
	c := r.connect()
	names, err := r.CustomerDomains(ctx)
	if err != nil || names[0] != "partner" || !slices.Contains(names, "fabrikam.example") || len(names) != r.customers()+1 {
		t.Errorf("%v %v", names, err)
	}
	x, err := r.Exchange()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.Exchange(); err != nil || again != x {
		t.Error("a second exchange forgets what the first one has")
	}
	for name, want := range map[string]string{
		"partner": r.Info.Tenant.ID, "fabrikam.example": r.Customer("fabrikam.example"),
		r.Customer("tailspin.example"): r.Customer("tailspin.example"),
		"nobody.example":               "", "northwind-panels.example": "", // a tenant, and no customer
	} {
		got, err := x.Tenant(ctx, &c, name)
		if want == "" && (!errors.Is(err, problem.NotFound) || !strings.Contains(err.Error(), "is no customer of the partner of connection contoso")) ||
			want != "" && (err != nil || got != want) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if tok, err := x.Token(ctx, exchange.Request{
		Connection: c.ID, Customer: "fabrikam.example", Resource: "graph", Caller: "t",
	}); err != nil || tok.Access.IsZero() {
		t.Error(err)
	}
	// A connection to another cloud asks nobody.
	other := r.Cloud
	other.Name = "usgov"
	if _, err := r.Refresh(ctx, msapi.RefreshRequest{Cloud: other, Refresh: secret.New("x")}); !errors.Is(err, problem.Usage) ||
		!strings.Contains(err.Error(), "usgov") {
		t.Errorf("another cloud: %v", err)
	}
}

// TestConsent: a plan looks and changes nothing; applied to one customer it does
// what it said, for that one.
func TestConsent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.connect()
	run := func(change func(*suite.ConsentRequest)) (map[string]consent.Row, consent.Summary, error) {
		q := suite.ConsentRequest{Connection: c, Features: []capture.Feature{capture.Accounts, capture.Policies, capture.Azure}}
		change(&q)
		rows := map[string]consent.Row{}
		sum, err := r.Consent(t.Context(), q, func(x consent.Row) error { rows[x.Customer.Domain] = x; return nil })
		return rows, sum, err
	}
	_, _, err := run(func(q *suite.ConsentRequest) { q.Features = nil })
	if !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" {
		t.Errorf("nothing is wanted: %v", err)
	}
	plan, sum, err := run(func(*suite.ConsentRequest) {})
	if err != nil || sum.Customers != r.customers() || len(plan) != sum.Customers || sum.Actions[consent.Grant]+sum.Actions[consent.Replace] == 0 {
		t.Fatalf("%+v %v", sum, err)
	}
	const name = "coho.example"
	if plan[name].Action != consent.Grant || plan[name].Result != consent.Planned {
		t.Fatalf("%+v", plan[name])
	}
	only := func(q *suite.ConsentRequest) { q.Only = []string{name} }
	again, sum, err := run(only)
	if err != nil || len(again) != 1 || sum.Customers != 1 || again[name].Action != plan[name].Action {
		t.Fatalf("a plan changed something: %+v, before %+v, %v", again[name], plan[name], err)
	}
	if said := r.said("consent.*"); len(said) != 0 {
		t.Errorf("a plan is in the trail: %+v", said)
	}
	done, _, err := run(func(q *suite.ConsentRequest) { only(q); q.Apply = true })
	if err != nil || done[name].Result != consent.Applied {
		t.Fatalf("%+v %v", done[name], err)
	}
	if said := r.said("consent.*"); len(said) == 0 || said[0].Actor != "local:test" {
		t.Errorf("the trail: %+v", said)
	}
	after, sum, err := run(func(*suite.ConsentRequest) {})
	if err != nil || after[name].Action != consent.None {
		t.Errorf("afterwards: %+v %v", after[name], err)
	}
	for domain, x := range after {
		if domain != name && x.Action != plan[domain].Action {
			t.Errorf("%s: %s, and was %s", domain, x.Action, plan[domain].Action)
		}
	}
}

// TestRevoke: at Entra ID, with the connection's own token; what cannot be
// revoked leaves everything as it was.
func TestRevoke(t *testing.T) {
	t.Parallel()
	r := newRig(t, labtest.MayRevoke(t))
	ctx := t.Context()
	c := r.connect()
	if err := r.try(c); err != nil {
		t.Fatal(err)
	}
	r.Jump(2 * time.Second) // tokens of the same second outlive it
	got, err := r.Revoke(ctx, c.Name)
	if err != nil || got.ID != c.ID {
		t.Fatal(got.ID, err)
	}
	if err := r.try(c); err == nil || !strings.Contains(err.Error(), "50173") {
		t.Errorf("Entra ID still takes a copy of the token: %v", err)
	}
	if said := r.said(audit.ConnectionRevoked); len(said) != 1 || said[0].Object != c.ID || said[0].Details["account"] != labtest.SAMAgent ||
		said[0].Actor != "local:test" {
		t.Errorf("the trail: %+v", said)
	}
	if _, err := r.Revoke(ctx, "nobody"); !errors.Is(err, problem.NotFound) {
		t.Errorf("none: %v", err)
	}
	if gone, err := r.Remove(ctx, c.Name); err != nil || gone.ID != c.ID || len(r.said(audit.ConnectionRemoved)) != 1 {
		t.Errorf("removed: %v", err)
	}
	if _, err := r.Remove(ctx, c.Name); !errors.Is(err, problem.NotFound) || len(r.said(audit.ConnectionRemoved)) != 1 {
		t.Errorf("removed twice: %v", err)
	}
}

func TestRevokeRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t) // its app may not
	c := r.connect()
	_, err := r.Revoke(t.Context(), c.ID)
	if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "nothing was removed") ||
		!strings.Contains(problem.HintOf(err), "without --revoke") {
		t.Errorf("%v (%s)", err, problem.HintOf(err))
	}
	if said := r.said(audit.ConnectionRevoked); len(said) != 0 {
		t.Errorf("the trail: %+v", said)
	}
	if found, err := r.Store.Find(t.Context(), c.ID); err != nil || found.State != sam.Active {
		t.Errorf("%v %v", found.State, err)
	}
	if err := r.try(c); err != nil {
		t.Errorf("the token is gone all the same: %v", err)
	}
}
