package renew

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerguard/internal/msapi"
)

// pace holds all renewals of a process together to a number of requests a
// second: for a control panel vendor thousands of tenants are asked with one
// app. A 429 makes it slower and pauses everybody, success faster again. It
// measures by the machine's monotonic clock: this is pace, not time.
type pace struct {
	base  float64
	lim   *rate.Limiter
	sleep func(context.Context, time.Duration) error

	mu    sync.Mutex // guards the fields below
	until time.Time
}

func newPace(perSecond float64, wait func(context.Context, time.Duration) error) *pace {
	if wait == nil {
		wait = sleep
	}
	return &pace{base: perSecond, sleep: wait, lim: rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/5)))}
}

// wait waits for a turn, and out of a pause.
func (p *pace) wait(ctx context.Context) error {
	if err := p.lim.Wait(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	d := time.Until(p.until)
	p.mu.Unlock()
	if d <= 0 {
		return nil
	}
	return p.sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// The default pace, and the bounds of its reactions. Microsoft publishes no
// limit for token requests; nine tenths of the 50 a second for one application
// id that it names for application consents (contracts.md section 2.5).
const (
	defaultPace = 45

	slowest  = 20 // the base by at least so much
	maxPause = time.Minute
)

// saw learns from an answer.
func (p *pace) saw(err error) {
	now := float64(p.lim.Limit())
	te, ok := errors.AsType[*msapi.TokenError](err)
	switch {
	case ok && te.Status == http.StatusTooManyRequests:
		p.lim.SetLimit(rate.Limit(max(now*0.7, p.base/slowest)))
		p.mu.Lock()
		if until := time.Now().Add(min(max(te.RetryAfter, time.Second), maxPause)); until.After(p.until) {
			p.until = until
		}
		p.mu.Unlock()
	case !ok && now < p.base:
		p.lim.SetLimit(rate.Limit(min(now*1.02, p.base)))
	}
}
