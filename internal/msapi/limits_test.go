package msapi_test

import (
	"container/heap"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
)

var manyCustomers = flag.Int("customers", 50, "of the partner whose tenants are read in TestPublishedLimits")

// turns is a clock that does not run: when everybody waits, it goes to the first
// moment that somebody waits for.
type turns struct {
	mu    sync.Mutex
	now   time.Duration
	busy  int // who works
	beds  sleepers
	began time.Time
}

type sleeper struct {
	until time.Duration
	wake  chan struct{}
}

type sleepers []sleeper

func (s sleepers) Len() int           { return len(s) }
func (s sleepers) Less(i, j int) bool { return s[i].until < s[j].until }
func (s sleepers) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sleepers) Push(v any)        { *s = append(*s, v.(sleeper)) }
func (s *sleepers) Pop() any {
	v := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return v
}

func (c *turns) mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *turns) wall() time.Time { return c.began.Add(c.mono()) }

// work runs f as one who works, beside others.
func (c *turns) work(wg *sync.WaitGroup, f func()) {
	c.mu.Lock()
	c.busy++
	c.mu.Unlock()
	wg.Go(func() {
		defer c.rest()
		f()
	})
}

func (c *turns) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.next()
}

// next moves the clock on when nobody works. mu is held.
func (c *turns) next() {
	for c.busy == 0 && len(c.beds) > 0 {
		c.now = max(c.now, c.beds[0].until)
		for len(c.beds) > 0 && c.beds[0].until <= c.now {
			close(heap.Pop(&c.beds).(sleeper).wake)
			c.busy++
		}
	}
}

func (c *turns) wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	if d <= 0 || c.busy == 0 { // nobody has begun
		c.mu.Unlock()
		return ctx.Err()
	}
	s := sleeper{c.now + d, make(chan struct{})}
	heap.Push(&c.beds, s)
	c.busy--
	c.next()
	c.mu.Unlock()
	<-s.wake
	return ctx.Err()
}

// counter stands before the partner cloud, and counts what comes to each limit
// of a tenant's, and what comes before a throttle has ended.
type counter struct {
	inner http.RoundTripper
	clock *turns

	mu     sync.Mutex
	sent   map[string]int           // by tenant and limit
	until  map[string]time.Duration // closed by a 429
	early  int
	halted int
}

type limitKey struct{}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	key, _ := r.Context().Value(limitKey{}).(string)
	if key == "" {
		return c.inner.RoundTrip(r)
	}
	c.mu.Lock()
	c.sent[key]++
	if c.clock.mono() < c.until[key] {
		c.early++
	}
	c.mu.Unlock()
	res, err := c.inner.RoundTrip(r)
	if err == nil && res.StatusCode == http.StatusTooManyRequests {
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		c.mu.Lock()
		c.halted++
		c.until[key] = c.clock.mono() + max(time.Duration(after)*time.Second, time.Second)
		c.mu.Unlock()
	}
	return res, err
}

// least is the time that the published limits make of what was sent.
func (c *counter) least() (out time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for key, n := range c.sent {
		total += n
		var d time.Duration
		switch {
		case strings.HasSuffix(key, evidence.BucketReports):
			d = time.Duration((n-1)/5) * 10 * time.Second
		case strings.HasSuffix(key, evidence.BucketPolicy):
			d = time.Duration(n-1) * time.Second
		}
		out = max(out, d)
	}
	return max(out, time.Duration(total)*time.Second/2000)
}

// limitsLab is a partner cloud with its limits, on a clock that does not run.
func limitsLab(t *testing.T, customers int) (*lab, *turns, *counter) {
	t.Helper()
	clock := &turns{began: time.Now()}
	l := labOf(labtest.Start(t, func(o *partnercloud.Options) {
		o.Unthrottled, o.Customers, o.Now = false, customers, clock.wall
	}))
	count := &counter{inner: l.s.Transport(), clock: clock, sent: map[string]int{}, until: map[string]time.Duration{}}
	l.c = l.Client(func(o *msapi.Options) { o.Transport, o.Wait, o.Mono = count, clock.wait, clock.mono })
	return l, clock, count
}

// readAll reads the resources of some buckets in all customers, each bucket of
// each tenant beside the others.
func (l *lab) readAll(t *testing.T, clock *turns, days int) (answers int) {
	t.Helper()
	grant := l.consent(samAgent)
	var tenants []string
	l.s.World.Read(func(s *world.State) {
		for c := range s.PartnerTenant().Customers.All() {
			tenants = append(tenants, c.TenantID)
		}
	})
	now := l.s.World.Clock.Now().Truncate(time.Second)
	span := msapi.Span{From: now.AddDate(0, 0, -days), To: now}
	var mu sync.Mutex
	var wg sync.WaitGroup
	clock.work(&wg, func() { // nobody's time passes before all have begun
		for _, tenant := range tenants {
			bearer := sync.OnceValues(func() (secret.Text, error) {
				g, err := l.API.Refresh(t.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: l.app(), Tenant: tenant, Refresh: grant.Refresh,
					Scope: l.cloud.GraphResource + "/.default"})
				if err != nil {
					return secret.Text{}, err
				}
				return g.Access, nil
			})
			target := msapi.Target{Cloud: l.cloud, Tenant: tenant, Bearer: func(string) msapi.Bearer {
				return func(context.Context) (secret.Text, error) { return bearer() }
			}}
			for _, bucket := range []string{evidence.BucketReports, evidence.BucketPolicy, evidence.BucketDirectory} {
				clock.work(&wg, func() {
					ctx := context.WithValue(t.Context(), limitKey{}, tenant+" "+bucket)
					for _, r := range evidence.Resources() {
						if r.Bucket != bucket || r.Service != evidence.Graph || !r.Scope.Covers(false) || r.Only == evidence.Named {
							continue
						}
						for _, err := range l.c.Walk(ctx, target, r, span, msapi.Resume{}) {
							if no := (*msapi.Refused)(nil); err != nil && !errors.As(err, &no) {
								var e *msapi.APIError
								if !errors.As(err, &e) || e.Status != 0 {
									continue // no consent, or no relationship: not what is measured
								}
								t.Errorf("%s: %v", r.Name, err)
							}
							mu.Lock()
							answers++
							mu.Unlock()
						}
					}
				})
			}
		}
	})
	wg.Wait()
	return answers
}

// Within the limits that Microsoft publishes a collection of all customers takes
// hardly longer than they make it, is never throttled, and needs little memory.
func TestPublishedLimits(t *testing.T) {
	n := *manyCustomers
	l, clock, count := limitsLab(t, n)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, machine := clock.mono(), time.Now()
	answers := l.readAll(t, clock, 12)
	took := clock.mono() - began
	runtime.ReadMemStats(&after)
	least := count.least()
	ratio := float64(least) / float64(took)
	heap := (int64(after.HeapInuse) - int64(before.HeapInuse)) >> 20
	line := fmt.Sprintf("%d customers: %d answers in %s, which the limits make %s at least: %.1f %% of what they allow; %d throttled, %d too early; "+
		"%d MB of heap beside the partner cloud's %d; %s by the machine's clock",
		n, answers, took.Round(time.Second), least, ratio*100, count.halted, count.early, heap, before.HeapInuse>>20,
		time.Since(machine).Round(time.Second/10))
	t.Log(line)
	if answers < 20*n || ratio < 0.9 || count.halted > 0 || count.early > 0 {
		t.Error(line)
	}
	if n >= 1000 && heap > 300 {
		t.Error("it needs more than 300 MB")
	}
}

// A storm of throttles is waited out: nothing is sent before its time.
func TestThrottleStorm(t *testing.T) {
	l, clock, count := limitsLab(t, 8)
	for _, f := range []gate.Fault{
		{Service: gate.Graph, Kind: gate.Throttle, Share: 0.2, RetryAfter: 17 * time.Second},
		{Service: gate.Graph, Kind: gate.ThrottleBare, Share: 0.1},
	} {
		if _, err := l.s.Gate.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	if answers := l.readAll(t, clock, 3); answers < 100 || count.halted < 20 || count.early > 0 {
		t.Errorf("%d answers, %d throttled, %d sent before their time", answers, count.halted, count.early)
	}
}
