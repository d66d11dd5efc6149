package exchange_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
	return &msapi.Grant{Access: secret.New("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(body) + ".c2ln"),
		Refresh: secret.New(fmt.Sprint("rt", n)), At: at, Expires: at.Add(a.life)}
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
	r := &rig{t: t, began: time.Now(), s: &store{c: sam.Connection{ID: "c-1", Name: "contoso", Model: sam.CSP, Tenant: home, ClientID: "app",
		State: sam.Active, Generation: 1, Cloud: msapi.Commercial()}}}
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
