package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
)

// No more than the limits at a time, callers in rounds, and tenants that hang
// hold up nobody else.
func TestTurns(t *testing.T) {
	t.Parallel()
	run(t, func(d *exchange.Deps) { d.Concurrent, d.PerTenant = 4, 2 }, func(r *rig) {
		var mu sync.Mutex
		now, most, tenantNow, tenantMost := 0, 0, map[string]int{}, 0
		var order []string
		r.a.answer = func(ctx context.Context, _ int, q msapi.RefreshRequest) (*msapi.Grant, error) {
			mu.Lock()
			now++
			tenantNow[q.Tenant]++
			most, tenantMost = max(most, now), max(tenantMost, tenantNow[q.Tenant])
			order = append(order, q.Tenant)
			mu.Unlock()
			wait := time.Second
			if q.Tenant == adatum {
				wait = 30 * time.Second // it hangs
			}
			time.Sleep(wait)
			mu.Lock()
			defer mu.Unlock()
			now--
			tenantNow[q.Tenant]--
			return nil, nil
		}
		var wg sync.WaitGroup
		for n := range 20 { // many different tokens of the tenant that hangs
			wg.Go(func() {
				r.good(exchange.Request{Customer: adatum, Scopes: []string{fmt.Sprintf("S%d", n)}, Caller: "greedy"})
			})
		}
		synctest.Wait()
		for n := range 40 {
			wg.Go(func() { r.good(exchange.Request{Customer: guid(n), Caller: "greedy"}) })
		}
		synctest.Wait()
		began := time.Now()
		var small time.Duration
		wg.Go(func() { r.good(exchange.Request{Customer: tail, Caller: "small"}); small = time.Since(began) })
		wg.Wait()
		if most != 4 || tenantMost != 2 {
			t.Errorf("%d at a time, %d of one tenant", most, tenantMost)
		}
		if small > 3*time.Second {
			t.Errorf("the small caller waited %v behind the greedy one", small)
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	run(t, func(d *exchange.Deps) { d.MaxTokens, d.MaxWaiting = 10, 20 }, func(r *rig) {
		for n := range 11 {
			r.good(exchange.Request{Customer: guid(n)})
		}
		r.good(exchange.Request{Customer: guid(10)})
		r.calls(11, "the newest is kept")
		r.good(exchange.Request{Customer: guid(0)})
		r.calls(12, "the oldest was dropped")
		r.a.answer = func(ctx context.Context, _ int, _ msapi.RefreshRequest) (*msapi.Grant, error) {
			time.Sleep(time.Second)
			return nil, nil
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for n := range 50 {
			wg.Go(func() {
				var b *exchange.Busy
				if _, err := r.ask(exchange.Request{Customer: guid(100 + n)}); errors.As(err, &b) {
					mu.Lock()
					refused++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if refused != 30 {
			t.Errorf("%d refused of 50 with room for 20", refused)
		}
	})
}

type keeper struct{ got []string }

func (k *keeper) Offer(_ context.Context, c string, g int64, rt secret.Text) error {
	k.got = append(k.got, fmt.Sprint(c, g, rt.Reveal()))
	return errors.New("kept nothing")
}

// slow counts how often it is asked, and takes its time.
type slow struct {
	mu sync.Mutex
	n  int
}

func (s *slow) Resolve(_ context.Context, _ sam.Connection, customer string) (string, error) {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
	time.Sleep(time.Second)
	if customer == "adatum.example" {
		return adatum, nil
	}
	return "", problem.New(problem.NotFound, "nobody's")
}

// Ten thousand who name the same customer ask the resolver once; one who is
// nobody's customer is not looked up again and again.
func TestCustomersAreLookedUpOnce(t *testing.T) {
	t.Parallel()
	s := &slow{}
	run(t, func(d *exchange.Deps) { d.Resolver = s }, func(r *rig) {
		var wg sync.WaitGroup
		for n := range 10_000 {
			wg.Go(func() {
				name := []string{"adatum.example", "nobody.example"}[n%2]
				if _, err := r.ask(exchange.Request{Customer: name}); (err == nil) != (n%2 == 0) {
					r.t.Error(name, err)
				}
			})
		}
		wg.Wait()
		if _, err := r.ask(exchange.Request{Customer: "nobody.example"}); !errors.Is(err, problem.NotFound) {
			r.t.Error(err)
		}
		if s.n != 2 || r.s.finds > 3 {
			r.t.Errorf("the resolver was asked %d times, the store %d times", s.n, r.s.finds)
		}
		r.calls(1, "one token")
		time.Sleep(30 * time.Second)
		_, _ = r.ask(exchange.Request{Customer: "nobody.example"})
		if s.n != 3 {
			r.t.Error("a customer that was added is never found")
		}
	})
}

type resolver map[string]string

func (r resolver) Resolve(_ context.Context, _ sam.Connection, customer string) (string, error) {
	if id := r[customer]; id != "" {
		return id, nil
	}
	return "", problem.New(problem.NotFound, "%s is no customer", customer)
}

func TestKeeperAndResolver(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	run(t, func(d *exchange.Deps) {
		d.Keeper, d.Resolver = k, resolver{"adatum.example": strings.ToUpper(adatum), adatum: adatum}
	}, func(r *rig) {
		a, b := r.good(exchange.Request{Customer: "Adatum.example"}), r.good(exchange.Request{Customer: adatum})
		if a.Tenant != adatum || !a.Access.Equal(b.Access) {
			t.Error("by domain and by id are two tokens")
		}
		if _, err := r.ask(exchange.Request{Customer: tail}); !errors.Is(err, problem.NotFound) {
			t.Errorf("no customer: %v", err)
		}
		r.good(exchange.Request{})
		synctest.Wait()
		time.Sleep(time.Hour)
		r.good(exchange.Request{})
		synctest.Wait()
		if diff := cmp.Diff([]string{"c-11rt1", "c-11rt3"}, k.got); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
	})
}

func FuzzResource(f *testing.F) {
	for _, s := range []string{"graph", "https://graph.microsoft.com/.default", "api://x", "https://a b", "", "00000003-0000-0000-c000-000000000000",
		"https://management.core.windows.net//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := exchange.Resource(msapi.Commercial(), s)
		if err != nil {
			return
		}
		if r == "" || len(r) > 300 || strings.ContainsAny(r, " \r\n\"&") {
			t.Errorf("%q became %q", s, r)
		}
		if again, err := exchange.Resource(msapi.Commercial(), r); err != nil || again != r {
			t.Errorf("%q is not stable: %q %v", r, again, err)
		}
	})
}
