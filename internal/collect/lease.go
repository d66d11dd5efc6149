//go:build !judge

package collect

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// silence is how long a lease's beats must stand still, by the monotonic clock of
// whoever waits, before it is taken for dead; a beat is much more often.
const (
	silence = 45 * time.Second
	beating = 5 * time.Second
)

// leases hands out who reads a tenant. No clock of the machine is asked, and none of
// the database's: what counts is that the number in the row stands still while this
// process's own monotonic clock runs. That a lease was lost shows at the next commit,
// which asks for it in its transaction: two that believe to hold it cannot both commit.
type leases struct {
	s     *Store
	owner string
	quiet time.Duration
	mono  func() time.Duration

	mu   sync.Mutex
	seen map[string]sighting // of others' leases, by tenant
	ours map[string]bool     // tenants that are read by this process now
}

type sighting struct {
	lease
	at time.Duration
}

// held is a lease that this process has.
type held struct {
	l      *leases
	tenant string
	turn   int64
	stop   context.CancelFunc
	ended  sync.WaitGroup
}

// ownerPrefix names this machine and its view of processes: two containers on one
// machine have different ones. It is "" where that cannot be told.
func ownerPrefix() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + space + "/"
}

func newLeases(s *Store) *leases {
	began := time.Now()
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return &leases{s: s, owner: fmt.Sprintf("%s%d/%s", ownerPrefix(), os.Getpid(), hex.EncodeToString(b)), quiet: silence,
		mono: func() time.Duration { return time.Since(began) }, seen: map[string]sighting{},
		ours: map[string]bool{}}
}

// dead reports that the owner was a process of this machine that is no more.
func dead(owner string) bool {
	here := ownerPrefix()
	rest, is := strings.CutPrefix(owner, here)
	if here == "" || !is {
		return false
	}
	word, _, _ := strings.Cut(rest, "/")
	pid, err := strconv.Atoi(word)
	if err != nil || pid <= 0 || pid == os.Getpid() {
		return false
	}
	if _, err := os.Stat("/proc/1"); err != nil {
		return false // others' processes are hidden here
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	// Killed, and nobody has asked how it ended yet (proc(5): the state follows the
	// name, which may hold anything).
	if _, state, ok := strings.Cut(string(stat[max(bytes.LastIndexByte(stat, ')'), 0):]), " "); ok {
		return strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
	}
	return false
}

// take takes the lease of a tenant, or says that somebody else has it.
func (l *leases) take(ctx context.Context, tenant string) (h *held, ok bool, err error) {
	if !l.here(tenant) {
		return nil, false, nil
	}
	defer func() {
		if !ok {
			l.gone(tenant)
		}
	}()
	old, err := l.s.leaseOf(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	if old.owner != "" && old.owner != l.owner && !dead(old.owner) && !l.still(tenant, old) {
		return nil, false, nil
	}
	won, err := l.s.takeLease(ctx, tenant, l.owner, old)
	if err != nil || !won {
		return nil, false, err
	}
	l.mu.Lock()
	delete(l.seen, tenant)
	l.mu.Unlock()
	beats, stop := context.WithCancel(context.WithoutCancel(ctx))
	h = &held{l: l, tenant: tenant, turn: old.turn + 1, stop: stop}
	h.ended.Go(func() { h.beat(beats) })
	return h, true, nil
}

// here says that this process begins with a tenant; false where it is at it already.
// A lease of its own that it could not give up stands in nobody's way.
func (l *leases) here(tenant string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ours[tenant] {
		return false
	}
	l.ours[tenant] = true
	return true
}

func (l *leases) gone(tenant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ours, tenant)
}

// still reports that a lease did not change for long enough.
func (l *leases) still(tenant string, now lease) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, known := l.seen[tenant]
	if !known || was.lease != now {
		if len(l.seen) > 10_000 { // of tenants long gone
			clear(l.seen)
		}
		l.seen[tenant] = sighting{now, l.mono()}
		return false
	}
	return l.mono()-was.at >= l.quiet
}

// beat says again and again that the lease is in use.
func (h *held) beat(ctx context.Context) {
	t := time.NewTicker(beating)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_, _ = h.l.s.beat(ctx, h.tenant, h.l.owner, h.turn) // the next commit finds out
		}
	}
}

// sure is for within a transaction: it fails where the lease was lost.
func (h *held) sure(ctx context.Context) error {
	ours, err := h.l.s.beat(ctx, h.tenant, h.l.owner, h.turn)
	if err == nil && !ours {
		err = errLost
	}
	return err
}

// end gives it up.
func (h *held) end(ctx context.Context) {
	h.stop()
	h.ended.Wait()
	defer h.l.gone(h.tenant)
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	_ = h.l.s.endLease(ctx, h.tenant, h.l.owner, h.turn) // whoever waits finds it still
}
