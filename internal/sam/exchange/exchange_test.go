package exchange_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

const (
	home    = "aaaaaaaa-0000-4000-8000-000000000000"
	adatum  = "aaaaaaaa-0000-4000-8000-00000000000a"
	tail    = "aaaaaaaa-0000-4000-8000-00000000000b"
	graph   = "https://graph.microsoft.com"
	minutes = time.Minute
)

func guid(n int) string { return fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", n) }

// store is a store of one connection.
type store struct {
	mu    sync.Mutex
	c     sam.Connection
	finds int
}

func (s *store) Find(_ context.Context, name string) (sam.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finds++
	if name != s.c.Name && name != s.c.ID {
		return sam.Connection{}, problem.New(problem.NotFound, "no connection %s", name)
	}
	return s.c, nil
}

func (s *store) Token(context.Context, string) (sam.Held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sam.Held{Current: secret.New("rt"), Generation: s.c.Generation}, nil
}
func (s *store) App(_ context.Context, id string) (msapi.App, error) {
	return msapi.App{ClientID: id, Credential: msapi.NewPublic()}, nil
}
func (s *store) set(f func(*sam.Connection)) { s.mu.Lock(); defer s.mu.Unlock(); f(&s.c) }

// authority answers as told, and writes down what it was asked.
type authority struct {
	mu     sync.Mutex
	asked  []msapi.RefreshRequest
	now    func() time.Time
	life   time.Duration
	answer func(ctx context.Context, n int, r msapi.RefreshRequest) (*msapi.Grant, error)
}

func (a *authority) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	n := len(a.asked)
	a.mu.Unlock()
	if a.answer != nil {
		if g, err := a.answer(ctx, n, r); g != nil || err != nil {
			return g, err
		}
	}
	return a.grant(n, r.Tenant), nil
}

func (a *authority) grant(n int, tenant string) *msapi.Grant {
	body, _ := json.Marshal(map[string]any{"tid": tenant, "scp": "User.Read Directory.Read.All", "n": n})
	at := a.now()
	return &msapi.Grant{Access: secret.New("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(body) + ".c2ln"), Refresh: secret.New(fmt.Sprint("rt", n)), At: at, Expires: at.Add(a.life)}
}

func (a *authority) count() int { a.mu.Lock(); defer a.mu.Unlock(); return len(a.asked) }

// rig is an exchange over fakes. Its wall clock may be set; its monotonic
// clock is that of the bubble.
type rig struct {
	t     *testing.T
	x     *exchange.Exchange
	s     *store
	a     *authority
	shift time.Duration // of the wall clock
	began time.Time
}

func newRig(t *testing.T, more func(*exchange.Deps)) *rig {
	r := &rig{t: t, began: time.Now(), s: &store{c: sam.Connection{ID: "c-1", Name: "contoso", Model: sam.CSP, Tenant: home, ClientID: "app", State: sam.Active, Generation: 1, Cloud: msapi.Commercial()}}}
	r.a = &authority{now: r.now, life: 60 * minutes}
	d := exchange.Deps{Connections: r.s, Authority: r.a, Now: r.now, Mono: func() time.Duration { return time.Since(r.began) }}
	if more != nil {
		more(&d)
	}
	x, err := exchange.New(d)
	if err != nil {
		t.Fatal(err)
	}
	r.x = x
	return r
}

func (r *rig) now() time.Time { return time.Now().Add(r.shift).Round(0) }

func (r *rig) ask(q exchange.Request) (exchange.Token, error) {
	q.Connection = "contoso"
	if q.Resource == "" {
		q.Resource = "graph"
	}
	return r.x.Token(r.t.Context(), q)
}

func (r *rig) good(q exchange.Request) exchange.Token {
	r.t.Helper()
	t, err := r.ask(q)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

// calls fails unless the authority was asked n times in all.
func (r *rig) calls(n int, when string) {
	r.t.Helper()
	if got := r.a.count(); got != n {
		r.t.Fatalf("%s: %d requests, want %d", when, got, n)
	}
}

func run(t *testing.T, more func(*exchange.Deps), test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, more)
		defer r.x.Close()
		test(r)
	})
}

func TestAsksForEachTenantResourceAndScope(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		for range 2 {
			for _, q := range []exchange.Request{
				{}, {Customer: adatum}, {Customer: adatum, Resource: "arm"}, {Customer: adatum, Scopes: []string{"User.Read", "Group.Read.All"}}, {Resource: "partner-center"},
				{Resource: "https://Graph.Microsoft.com/.default"}, {Customer: strings.ToUpper(adatum)}, {Customer: adatum, Scopes: []string{"Group.Read.All", "User.Read", "User.Read"}},
			} {
				r.good(q)
			}
		}
		r.calls(5, "five different tokens")
		var got []string
		for _, q := range r.a.asked {
			got = append(got, q.Tenant[len(q.Tenant)-1:]+" "+q.Scope)
		}
		want := []string{
			"0 https://graph.microsoft.com/.default offline_access", "a https://graph.microsoft.com/.default offline_access", "a https://management.azure.com/.default offline_access",
			"a https://graph.microsoft.com/Group.Read.All https://graph.microsoft.com/User.Read offline_access", "0 https://api.partnercenter.microsoft.com/.default offline_access",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		tok := r.good(exchange.Request{Customer: adatum})
		if tok.Tenant != adatum || tok.Resource != graph || !slices.Equal(tok.Scopes, []string{"Directory.Read.All", "User.Read"}) || tok.ClientID != "app" || tok.Connection != "c-1" {
			t.Errorf("%+v", tok)
		}
	})
}

func TestRefusesBeforeAsking(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		for name, c := range map[string]struct {
			q    exchange.Request
			kind problem.Kind
		}{
			"no resource":                  {exchange.Request{Resource: " "}, problem.Usage},
			"resource with a space":        {exchange.Request{Resource: "https://graph.microsoft.com x"}, problem.Usage},
			"resource over http":           {exchange.Request{Resource: "http://graph.microsoft.com"}, problem.Usage},
			"resource with a query":        {exchange.Request{Resource: "https://a.example?x"}, problem.Usage},
			"endless resource":             {exchange.Request{Resource: "https://" + strings.Repeat("a", 400)}, problem.Usage},
			"scope with another resource":  {exchange.Request{Scopes: []string{"https://x/y"}}, problem.Usage},
			"two scopes in one":            {exchange.Request{Scopes: []string{"A B"}}, problem.Usage},
			"a domain without a resolver":  {exchange.Request{Customer: "adatum.example"}, problem.Usage},
			"endless customer":             {exchange.Request{Customer: strings.Repeat("a", 300)}, problem.Usage},
			"Partner Center at a customer": {exchange.Request{Customer: adatum, Resource: "partner-center"}, problem.Usage},
			"endless challenge":            {exchange.Request{Claims: strings.Repeat("a", 9000)}, problem.Limit},
		} {
			if _, err := r.ask(c.q); !errors.Is(err, c.kind) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.x.Token(r.t.Context(), exchange.Request{Connection: "other", Resource: "graph"}); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		r.calls(0, "nothing of this")
	})
}

func TestConnectionThatDoesNotWork(t *testing.T) {
	t.Parallel()
	for _, state := range []sam.State{sam.Rejected, sam.Damaged, "new state", ""} {
		run(t, nil, func(r *rig) {
			r.good(exchange.Request{})
			r.s.set(func(c *sam.Connection) {
				c.State, c.Trouble = state, &sam.Trouble{Words: "it was revoked", Fix: "heal it"}
			})
			time.Sleep(5 * time.Second) // so long a record is trusted
			if _, err := r.ask(exchange.Request{}); !errors.Is(err, problem.BadInput) || problem.HintOf(err) != "heal it" || !strings.Contains(err.Error(), "it was revoked") {
				t.Errorf("%q: %v, hint %q", state, err, problem.HintOf(err))
			}
			r.s.set(func(c *sam.Connection) { c.State = sam.Active })
			r.x.Forget("c-1")
			r.good(exchange.Request{})
			r.calls(2, "healed, and forgotten")
		})
	}
}

// The life of a token, at one tick before, at and after each edge; an hour's
// token is handed out until 5 minutes before its end and renewed early in its
// last fifth when it is asked for.
func TestLife(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.good(exchange.Request{})
		time.Sleep(48 * minutes)
		r.good(exchange.Request{})
		synctest.Wait()
		r.calls(1, "a fifth is left")
		time.Sleep(time.Nanosecond)
		old := r.good(exchange.Request{})
		synctest.Wait()
		r.calls(2, "less than a fifth is left")
		if next := r.good(exchange.Request{}); next.Access.Equal(old.Access) {
			t.Error("the renewed token is not handed out")
		}
		// One nobody asks for meanwhile is not renewed.
		time.Sleep(55*minutes - time.Nanosecond)
		r.calls(2, "nobody asked")
		r.a.answer = func(context.Context, int, msapi.RefreshRequest) (*msapi.Grant, error) {
			return nil, &msapi.TokenError{Status: 503, Err: "server_error", Transient: true}
		}
		r.good(exchange.Request{}) // the last moment; renewing fails and costs nothing
		synctest.Wait()
		r.calls(3, "renewed early in vain")
		r.good(exchange.Request{})
		synctest.Wait()
		r.calls(3, "and not tried again at once")
		time.Sleep(time.Nanosecond)
		if _, err := r.ask(exchange.Request{}); err == nil {
			t.Error("a token within 5 minutes of its end was handed out")
		}
		r.calls(4, "asked for, with nothing in hand")
	})
}

// Neither direction of a jump makes a token live longer than its life.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jump  time.Duration
		wait  time.Duration
		calls int
	}{
		"back a day, then half an hour": {-24 * time.Hour, 30 * minutes, 1},
		"back a day, then an hour":      {-24 * time.Hour, 60 * minutes, 2},
		"on an hour":                    {time.Hour, 0, 2},
		"on ten minutes":                {10 * minutes, 0, 1},
		"back within the life":          {-30 * minutes, 56 * minutes, 2},
	} {
		run(t, nil, func(r *rig) {
			r.good(exchange.Request{})
			r.shift += c.jump
			time.Sleep(c.wait)
			tok := r.good(exchange.Request{})
			r.calls(c.calls, name)
			if left := tok.Expires.Sub(r.now()); left > time.Hour || left <= 0 {
				t.Errorf("%s: %v left", name, left)
			}
		})
	}
}

func TestManyShareOneRequest(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.a.answer = func(ctx context.Context, _ int, _ msapi.RefreshRequest) (*msapi.Grant, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		}
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { r.good(exchange.Request{}) })
		}
		wg.Wait()
		r.calls(1, "a thousand at once")
		// One who leaves does not take the others' request along.
		ctx, stop := context.WithCancel(r.t.Context())
		wg.Go(func() {
			if _, err := r.x.Token(ctx, exchange.Request{Connection: "contoso", Resource: "arm"}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() { r.good(exchange.Request{Resource: "arm"}) })
		synctest.Wait()
		stop()
		wg.Wait()
		r.calls(2, "one left")
		// When all have left it is given up.
		ctx, stop = context.WithCancel(r.t.Context())
		ended := make(chan struct{})
		r.a.answer = func(ctx context.Context, _ int, _ msapi.RefreshRequest) (*msapi.Grant, error) {
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		}
		wg.Go(func() { _, _ = r.x.Token(ctx, exchange.Request{Connection: "contoso", Resource: "partner-center"}) })
		synctest.Wait()
		stop()
		wg.Wait()
		<-ended
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	final := &msapi.TokenError{Status: 400, Code: 65001, Err: "invalid_grant"}
	run(t, nil, func(r *rig) {
		fail := error(final)
		r.a.answer = func(_ context.Context, _ int, q msapi.RefreshRequest) (*msapi.Grant, error) {
			if q.Tenant == adatum {
				return nil, fail
			}
			return nil, nil
		}
		refused := func(n int, when string) {
			t.Helper()
			if _, err := r.ask(exchange.Request{Customer: adatum}); err == nil {
				t.Errorf("%s: a token", when)
			}
			r.calls(n, when)
		}
		refused(1, "refused")
		time.Sleep(30*time.Second - 1)
		refused(1, "a moment ago")
		time.Sleep(time.Nanosecond)
		refused(2, "remembered long enough")
		r.s.set(func(c *sam.Connection) { c.Generation++ })
		time.Sleep(5 * time.Second)
		refused(3, "after the connection was healed")
		if _, err := r.ask(exchange.Request{Customer: adatum, Fresh: true}); !errors.Is(err, final) {
			t.Error(err)
		}
		r.calls(4, "fresh is never from memory")
		fail = &msapi.TokenError{Status: 503, Transient: true}
		time.Sleep(minutes)
		refused(5, "passing")
		refused(6, "passing, and not remembered")
		// Throttled: this tenant waits, others do not.
		fail = &msapi.TokenError{Status: 429, Transient: true, RetryAfter: 20 * time.Second}
		refused(7, "throttled")
		var b *exchange.Busy
		if _, err := r.ask(exchange.Request{Customer: adatum, Resource: "arm"}); !errors.As(err, &b) || b.After != 20*time.Second || !errors.Is(err, problem.Limit) {
			t.Errorf("while throttled: %v", err)
		}
		r.calls(7, "while throttled")
		r.good(exchange.Request{Customer: tail})
		fail = nil
		time.Sleep(20 * time.Second)
		r.good(exchange.Request{Customer: adatum})
		r.calls(9, "afterwards")
	})
}

// A challenge goes through every time, is met for everybody, and its refusal
// takes nothing from the others.
func TestClaimsChallenge(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		old := r.good(exchange.Request{})
		r.a.answer = func(_ context.Context, _ int, q msapi.RefreshRequest) (*msapi.Grant, error) {
			if q.Claims == "{no}" {
				return nil, &msapi.TokenError{Status: 400, Code: 50076, Claims: "{}"}
			}
			return nil, nil
		}
		if _, err := r.ask(exchange.Request{Claims: "{no}"}); err == nil {
			t.Error("a token")
		}
		if tok := r.good(exchange.Request{}); !tok.Access.Equal(old.Access) {
			t.Error("somebody else's refused challenge took the token away")
		}
		met := r.good(exchange.Request{Claims: "{yes}"})
		if met.Access.Equal(old.Access) {
			t.Error("a challenge was answered from memory")
		}
		if r.a.asked[2].Claims != "{yes}" {
			t.Errorf("claims %q", r.a.asked[2].Claims)
		}
		if tok := r.good(exchange.Request{}); !tok.Access.Equal(met.Access) {
			t.Error("the token before the challenge is still handed out")
		}
		r.good(exchange.Request{Claims: "{yes}"})
		r.calls(4, "each challenge asks")
	})
}

func TestRefusedToken(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		old := r.good(exchange.Request{})
		sum := sha256.Sum256([]byte(old.Access.Reveal()))
		name := strings.ToUpper(hex.EncodeToString(sum[:]))
		r.good(exchange.Request{Refused: name})
		r.calls(1, "it is too young to be refused already")
		time.Sleep(5 * time.Second)
		r.good(exchange.Request{Refused: strings.Repeat("0", 64)})
		r.calls(1, "another one was refused")
		r.good(exchange.Request{Refused: name})
		r.good(exchange.Request{Refused: name})
		r.calls(2, "refused, and replaced")
	})
}

// A request that was under way when a fresh token was wanted is not shared.
func TestFresh(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.a.answer = func(context.Context, int, msapi.RefreshRequest) (*msapi.Grant, error) {
			time.Sleep(time.Second)
			return nil, nil
		}
		var first, fresh exchange.Token
		var wg sync.WaitGroup
		wg.Go(func() { first = r.good(exchange.Request{}) })
		synctest.Wait()
		wg.Go(func() { fresh = r.good(exchange.Request{Fresh: true}) })
		wg.Wait()
		if r.calls(2, "both"); first.Access.Equal(fresh.Access) {
			t.Error("the fresh token is the older request's")
		}
		if scopes, err := r.x.FreshAccess(r.t.Context(), "contoso", adatum, "graph"); err != nil || len(scopes) != 2 {
			t.Error(scopes, err)
		}
		if scopes, err := r.x.Access(r.t.Context(), "contoso", adatum, "graph"); err != nil || len(scopes) != 2 {
			t.Error(scopes, err)
		}
		r.calls(3, "access from memory")
	})
}

func TestTokenOfAnotherTenant(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		r.a.answer = func(_ context.Context, n int, _ msapi.RefreshRequest) (*msapi.Grant, error) {
			return r.a.grant(n, tail), nil
		}
		if tok, err := r.ask(exchange.Request{Customer: adatum}); err == nil {
			t.Errorf("handed out for %s", tok.Tenant)
		}
	})
}

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
	for _, s := range []string{"graph", "https://graph.microsoft.com/.default", "api://x", "https://a b", "", "00000003-0000-0000-c000-000000000000", "https://management.core.windows.net//"} {
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
