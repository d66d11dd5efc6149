package keyvault

import (
	"net/http"
	"sync"
	"time"
)

// The published limit: 4,000 transactions of RSA 2,048-bit software keys a vault
// in ten seconds.
const (
	limitCalls  = 4000
	limitWindow = 10 * time.Second
)

// limit counts calls in windows of the world's clock.
type limit struct {
	mu    sync.Mutex // guards the fields below
	start time.Time
	calls int
}

func (k *call) throttle() *fault {
	l := &k.v.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := k.now.Sub(l.start); d < 0 || d >= limitWindow { // the clock may jump either way
		l.start, l.calls = k.now, 0
	}
	if l.calls++; l.calls <= limitCalls || k.v.unthrottled {
		return nil
	}
	return refuse(http.StatusTooManyRequests, "Throttled",
		"Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached").With("Retry-After", "10")
}
