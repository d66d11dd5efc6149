package world

import (
	"sync"
	"time"

	"partnerguard/internal/problem"
)

// Clock is the one clock of the partner cloud. It runs with the machine's, from
// an offset that only grows, or stands still. Safe for concurrent use.
type Clock struct {
	real func() time.Time

	mu     sync.Mutex // guards the fields below
	offset time.Duration
	frozen time.Time // zero: running
	hooks  []func()
}

// NewClock makes a clock that reads real, or time.Now when nil.
func NewClock(real func() time.Time) *Clock {
	if real == nil {
		real = time.Now
	}
	return &Clock{real: real}
}

// Now is the present moment in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Real is the machine's moment, which no jump moves: what a phone beside it shows.
func (c *Clock) Real() time.Time { return c.real().UTC() }

func (c *Clock) now() time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return c.real().Add(c.offset).UTC()
}

// maxJump bounds one jump: far beyond every lifetime the cloud knows.
const maxJump = 20 * 365 * 24 * time.Hour

// Jump moves the clock forward. Backwards is refused: logs and tokens of the
// future would have no meaning. (A skewed clock is a fault, not a jump.)
func (c *Clock) Jump(d time.Duration) (time.Time, error) {
	if d < 0 || d > maxJump {
		return c.Now(), problem.New(problem.Usage, "the clock cannot jump by %s", d).WithHint("jump forward, by 20 years at most: +95d, +36h")
	}
	c.mu.Lock()
	if c.frozen.IsZero() {
		c.offset += d
	} else {
		c.frozen = c.frozen.Add(d)
	}
	now, hooks := c.now(), c.hooks
	c.mu.Unlock()
	for _, f := range hooks {
		f()
	}
	return now, nil
}

// Set moves the clock to a moment that is not in its past.
func (c *Clock) Set(t time.Time) error {
	_, err := c.Jump(t.Sub(c.Now()))
	return err
}

// Freeze stops the clock where it is.
func (c *Clock) Freeze() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = c.now()
	return c.frozen
}

// Thaw lets it run on from where it stands.
func (c *Clock) Thaw() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		c.offset, c.frozen = c.frozen.Sub(c.real()), time.Time{}
	}
	return c.now()
}

// Frozen reports whether it stands still.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.frozen.IsZero()
}

// Restore puts a saved clock back: it goes on from the saved moment when that
// lies ahead of the machine's clock.
func (c *Clock) Restore(offset time.Duration, frozen time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen = offset, frozen
}

// Saved is what Restore takes.
func (c *Clock) Saved() (offset time.Duration, frozen time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.frozen
}

// OnJump registers what must happen when the clock jumped; f runs without locks.
func (c *Clock) OnJump(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hooks = append(c.hooks, f)
}
