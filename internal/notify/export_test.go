package notify

import (
	"context"
	"net/netip"
	"time"
)

// Wait has an outbox wait otherwise after failures.
func (o *Outbox) Wait(list ...time.Duration) { o.waits = list }

// Channel is a channel by its name.
func (o *Outbox) Channel(name string) (Channel, error) { return o.channel(name) }

// Sweep is what the repeated job does.
func (o *Outbox) Sweep(ctx context.Context) error { return o.sweep(ctx) }

// Public says that an address is one of the internet.
func Public(a netip.Addr) bool { return public(a) }

// Deliver is what a delivery's job does.
func (o *Outbox) Deliver(ctx context.Context, message, channel string) (time.Duration, error) {
	return o.deliver(ctx, message, channel)
}
