package verify

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// authority is one of a turn's. Its ring outlives the turn.
type authority struct {
	issuers []issuer
	*ring
}

// ring is an authority's keys. Who looks for a key that is there takes no lock.
type ring struct {
	name  string
	from  gateway.Authority
	v     *Verifier
	keys  atomic.Pointer[map[string]*key] // nil for a kid that several keys have
	until atomic.Int64                    // when the keys are too old to be used
	due   atomic.Int64                    // when they ought to be read again

	mu      sync.Mutex    // guards the rest
	flying  chan struct{} // closed when the reading under way has ended; nil without one
	unknown map[string]int64
	budget  int   // readings for unknown keys that may still be had
	filled  int64 // when budget was filled
	state   State
	why     string // of the last reading that failed
	read    time.Time
	tried   time.Time
	dropped int64
	missed  int64
}

// State is how it stands with an authority's keys.
type State string

// The states. All but KeysGood and KeysUnread are to be alarmed of.
const (
	KeysUnread  State = "unread"  // nobody asked yet
	KeysGood    State = "good"    // read, and usable
	KeysAway    State = "away"    // could not be read the last time; those known go on for a while
	KeysEmptied State = "emptied" // the authority published none; those known go on for a while
)

// How unknown keys are asked for: the authority is asked once for each, but not more
// often than the budget has it, whoever makes up names.
const (
	askEvery   = 20 // seconds, after the first askBurst
	askBurst   = 3
	askAgain   = 60   // seconds until the same key is asked for again
	maxUnknown = 1024 // keys that are known to be unknown
	readWithin = 10 * time.Second
	retry      = 30 // seconds after a reading that failed
)

// usable says whether what this key verified may be believed.
func (k *key) usable(now int64) bool {
	return !k.gone.Load() && now < k.ring.until.Load()
}

// key gives the key of that name. It asks the authority for one that is not known, and
// waits for it a bounded time.
func (r *ring) key(kid []byte, now int64) (*key, gateway.Reason) {
	if k, reason, ok := r.known(kid, now); ok {
		return k, reason
	}
	wait, reason := r.ask(string(kid), now)
	if wait == nil {
		return nil, reason
	}
	timer := time.NewTimer(r.v.d.Limits.KeysWait)
	defer timer.Stop()
	select {
	case <-wait:
	case <-timer.C:
		return nil, gateway.KeysAway
	}
	if k, reason, ok := r.known(kid, now); ok {
		return k, reason
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != KeysGood {
		return nil, gateway.KeysAway
	}
	r.missed++
	if r.unknown == nil || len(r.unknown) >= maxUnknown {
		r.unknown = map[string]int64{}
	}
	r.unknown[string(kid)] = now + askAgain
	return nil, gateway.UnknownKey
}

// known looks among the keys that may be used now.
func (r *ring) known(kid []byte, now int64) (*key, gateway.Reason, bool) {
	keys := r.keys.Load()
	if keys == nil || now >= r.until.Load() {
		return nil, gateway.KeysAway, false
	}
	k, ok := (*keys)[string(kid)]
	if ok && k == nil {
		return nil, gateway.UnknownKey, true // the authority has several of its name
	}
	if ok && r.isDue(now) {
		r.refresh(now)
	}
	return k, gateway.Passed, ok
}

// ask begins a reading for a key, or joins the one under way; nil where there is none,
// with the reason.
func (r *ring) ask(kid string, now int64) (<-chan struct{}, gateway.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reason := gateway.UnknownKey
	if r.state != KeysGood {
		reason = gateway.KeysAway
	}
	if until := r.unknown[kid]; now < until && until-now <= askAgain {
		return nil, reason
	}
	if r.flying != nil {
		return r.flying, reason
	}
	if since := now - r.filled; since >= askEvery || since < 0 {
		r.budget = int(min(askBurst, int64(r.budget)+max(1, since/askEvery)))
		r.filled = now
	}
	if r.budget == 0 {
		return nil, reason
	}
	r.budget--
	return r.start(kid), reason
}

// isDue says whether the keys ought to be read again: their time has come, or the clock was
// set back since they were read, and it would come late.
func (r *ring) isDue(now int64) bool {
	due := r.due.Load()
	return due <= now || due-now > int64(r.v.d.Limits.Every/time.Second)+retry
}

// refresh reads the keys in the background where that is due.
func (r *ring) refresh(now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flying == nil && r.isDue(now) {
		r.start("")
	}
}

// start reads in the background; r.mu is held. Nobody who waits can end it.
func (r *ring) start(kid string) chan struct{} {
	done := make(chan struct{})
	r.flying = done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), readWithin)
		defer cancel()
		set, err := r.v.d.Keys.Keys(ctx, r.from, kid)
		r.take(set, err)
		close(done)
	}()
	return done
}

// take takes over what was read.
func (r *ring) take(set jose.JSONWebKeySet, err error) {
	next := map[string]*key{}
	for i := range set.Keys {
		k := pin(&set.Keys[i], r)
		if k == nil {
			continue
		}
		if _, twice := next[k.id]; twice {
			next[k.id] = nil
			continue
		}
		next[k.id] = k
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, was := r.v.d.Now(), r.state
	r.flying, r.tried = nil, now
	switch {
	case err == nil && len(next) > 0:
		r.swap(next)
		r.state, r.why, r.read, r.unknown = KeysGood, "", now, nil
		r.until.Store(now.Add(time.Duration(r.v.kept.Load())).Unix())
		r.due.Store(now.Add(r.v.d.Limits.Every).Unix())
		if was != KeysGood {
			r.v.d.Log.Info("the authority's keys were read", "authority", r.name, "keys", len(next))
		}
		return
	case err == nil, errors.Is(err, problem.BadInput):
		r.state, r.why = KeysEmptied, "the authority published no key that can be used"
	default:
		r.state, r.why = KeysAway, "the authority's keys could not be read"
	}
	r.due.Store(now.Unix() + retry)
	if was != r.state {
		r.v.d.Log.Error(r.why+"; those known are used until they are too old", "authority", r.name, "error", err)
	}
}

// swap takes the new keys: one that is not among them any more is gone at once, with
// everything that it verified. r.mu is held.
func (r *ring) swap(next map[string]*key) {
	if old := r.keys.Load(); old != nil {
		for id, k := range *old {
			if k == nil {
				continue
			}
			if n := next[id]; n != nil && n.same(k) {
				next[id] = k // what it verified stays
				continue
			}
			k.gone.Store(true)
			r.dropped++
			r.v.d.Log.Info("the authority took a key away", "authority", r.name, "key", id)
		}
	}
	r.keys.Store(&next)
}
