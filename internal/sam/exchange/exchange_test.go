package exchange_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
)

func TestAsksForEachTenantResourceAndScope(t *testing.T) {
	t.Parallel()
	run(t, nil, func(r *rig) {
		for range 2 {
			for _, q := range []exchange.Request{
				{}, {Customer: adatum}, {Customer: adatum, Resource: "arm"}, {Customer: adatum, Scopes: []string{"User.Read", "Group.Read.All"}},
				{Resource: "partner-center"},
				{Resource: "https://Graph.Microsoft.com/.default"}, {Customer: strings.ToUpper(adatum)},
				{Customer: adatum, Scopes: []string{"Group.Read.All", "User.Read", "User.Read"}},
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
			"0 https://graph.microsoft.com/.default offline_access", "a https://graph.microsoft.com/.default offline_access",
			"a https://management.azure.com/.default offline_access",
			"a https://graph.microsoft.com/Group.Read.All https://graph.microsoft.com/User.Read offline_access",
			"0 https://api.partnercenter.microsoft.com/.default offline_access",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		tok := r.good(exchange.Request{Customer: adatum})
		if tok.Tenant != adatum || tok.Resource != graph || !slices.Equal(tok.Scopes, []string{"Directory.Read.All", "User.Read"}) || tok.ClientID != "app" ||
			tok.Connection != "c-1" {
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
			if _, err := r.ask(exchange.Request{}); !errors.Is(err, problem.BadInput) || problem.HintOf(err) != "heal it" ||
				!strings.Contains(err.Error(), "it was revoked") {
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
		if _, err := r.ask(exchange.Request{Customer: adatum, Resource: "arm"}); !errors.As(err, &b) || b.After != 20*time.Second ||
			!errors.Is(err, problem.Limit) {
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
