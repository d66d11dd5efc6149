package exchange

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
)

// flight is one request that any number of callers wait for.
type flight struct {
	done   chan struct{}
	cancel context.CancelFunc
	t      Token // valid once done is closed
	err    error
	// waiters is how many wait, guarded by Exchange.mu: when the last one leaves,
	// the request is given up, unless it renews early.
	waiters int
	early   bool
}

func (x *Exchange) token(ctx context.Context, k key, c *sam.Connection, r *Request) (Token, error) {
	x.mu.Lock()
	now, mono := x.d.Now(), x.d.Mono()
	if !r.Fresh {
		if v := x.cache.get(k); v != nil {
			switch left := v.left(now, mono); {
			case v.err != nil:
				if mono-v.at < v.life && v.generation == c.Generation {
					x.mu.Unlock()
					return Token{}, v.err
				}
			case left <= v.reserve():
			case v.is(strings.ToLower(r.Refused)) && mono-v.at >= refusedAge:
			default:
				if v.early(left) && mono >= v.retry && x.flights[k] == nil {
					v.retry = mono + time.Minute // should it fail
					_, _ = x.start(k, c, r.Caller, true)
				}
				t := v.t
				// A clock that was set back must not lengthen its life in others' eyes.
				if end := now.Add(left); end.Before(t.Expires.Add(-time.Second)) {
					t.Expires = end
				}
				x.mu.Unlock()
				return t, nil
			}
		}
	}
	if until, ok := x.paused[k.place]; ok {
		if until > mono {
			x.mu.Unlock()
			return Token{}, busy(until-mono, "Entra ID throttles requests for this tenant")
		}
		delete(x.paused, k.place)
	}
	f := x.flights[k]
	if f == nil || r.Fresh {
		if r.Fresh { // one that is under way may have been asked for before
			k.alone = &flight{}
		}
		var err error
		if f, err = x.start(k, c, r.Caller, false); err != nil {
			x.mu.Unlock()
			return Token{}, err
		}
	}
	f.waiters++
	x.mu.Unlock()
	select {
	case <-f.done:
		return f.t, f.err
	case <-ctx.Done():
		x.mu.Lock()
		defer x.mu.Unlock()
		if f.waiters--; f.waiters == 0 && !f.early {
			f.cancel()
			if x.flights[k] == f { // who comes now begins anew
				delete(x.flights, k)
			}
		}
		return Token{}, ctx.Err()
	}
}

// start begins a request; x.mu is held.
func (x *Exchange) start(k key, c *sam.Connection, caller string, early bool) (*flight, error) {
	if x.waiting >= x.d.MaxWaiting {
		return nil, busy(time.Second, "too many different tokens are being asked for")
	}
	if x.ctx.Err() != nil {
		return nil, problem.New(problem.Internal, "the program is ending")
	}
	t := x.turns[k.connection]
	if t == nil {
		t = newTurns(x.d.Concurrent, x.d.PerTenant)
		x.turns[k.connection] = t
	}
	ctx, cancel := context.WithCancel(x.ctx)
	f := &flight{done: make(chan struct{}), cancel: cancel, early: early}
	x.flights[k] = f
	x.waiting++
	conn := *c
	x.done.Go(func() {
		defer cancel()
		tok, at, err := x.inTurn(ctx, t, k, &conn, caller)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.waiting--
		if x.flights[k] == f {
			delete(x.flights, k)
		}
		x.remember(k, &conn, tok, at, err)
		f.t, f.err = tok, err
		close(f.done)
	})
	return f, nil
}

// inTurn waits for its turn and asks; at is the monotonic time just before.
func (x *Exchange) inTurn(ctx context.Context, t *turns, k key, c *sam.Connection, caller string) (tok Token, at time.Duration, err error) {
	if err := t.take(ctx, caller, k.tenant); err != nil {
		return tok, at, err
	}
	defer t.give(k.tenant)
	// While it waited the tenant may have been throttled, or the connection
	// rejected.
	x.mu.Lock()
	until := x.paused[k.place]
	x.mu.Unlock()
	if at = x.d.Mono(); until > at {
		return tok, at, busy(until-at, "Entra ID throttles requests for this tenant")
	}
	now, err := x.Connection(ctx, c.ID)
	if err != nil {
		return tok, at, err
	}
	if err := usable(now); err != nil {
		return tok, at, err
	}
	*c = *now
	ctx, stop := context.WithTimeout(ctx, x.d.Timeout)
	defer stop()
	tok, err = x.ask(ctx, k, c)
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		err = busy(time.Second, "Entra ID did not answer in time")
	}
	return tok, at, err
}

// remember keeps the outcome; x.mu is held.
func (x *Exchange) remember(k key, c *sam.Connection, t Token, at time.Duration, err error) {
	k.alone = nil
	if err == nil {
		// Met by a challenge, it is the newest and serves everybody.
		k.claims = ""
		life := t.Expires.Sub(t.At)
		if life <= 0 {
			return
		}
		x.cache.put(&kept{k: k, t: t, at: at, life: life, sum: sha256.Sum256([]byte(t.Access.Reveal()))})
		return
	}
	var refused *msapi.TokenError
	if !errors.As(err, &refused) {
		return
	}
	if !refused.Transient {
		// A token that is still good is not lost by a renewal that failed early.
		if v := x.cache.get(k); v != nil && v.err == nil && v.left(x.d.Now(), x.d.Mono()) > v.reserve() {
			return
		}
		x.cache.put(&kept{k: k, err: err, at: x.d.Mono(), life: x.d.NegativeFor, generation: c.Generation})
		return
	}
	if refused.Status != http.StatusTooManyRequests && refused.RetryAfter <= 0 {
		return
	}
	pause := min(max(refused.RetryAfter, 2*time.Second), maxPause)
	mono := x.d.Mono()
	if len(x.paused) >= maxKnown {
		for p, until := range x.paused {
			if until <= mono {
				delete(x.paused, p)
			}
		}
	}
	if len(x.paused) < maxKnown {
		x.paused[k.place] = mono + pause
	}
}
