package front

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"partnerguard/internal/problem"
)

// handshake is how long a TLS handshake may take.
const handshake = 10 * time.Second

// accept takes connections of one listener until ctx ends or the listener is closed.
func (f *Front) accept(ctx context.Context, l net.Listener) error {
	pause := 5 * time.Millisecond
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 5 * time.Millisecond
		case ctx.Err() != nil || f.draining.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return problem.Wrap(err, problem.Internal, "the listener on %s was closed", l.Addr())
		default: // no descriptors left, or a connection that was gone at once
			f.deps.Log.WarnContext(ctx, "a connection could not be taken", slog.String("at", l.Addr().String()), slog.Any("error", err))
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
			pause = min(2*pause, time.Second)
			continue
		}
		if !f.room() {
			f.stats.crowded.Add(1)
			_ = c.Close()
			continue
		}
		f.lean.Add(1)
		go f.take(ctx, c)
	}
}

// room counts one connection more, or says that there are too many. Whoever has said
// nothing for longest is not looked for: anyone idle makes room, at the server too.
func (f *Front) room() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count >= f.deps.Limits.Conns && !f.oust() {
		return false
	}
	f.count++
	return true
}

// oust closes a connection that is idle; its loop ends, and counts it out. Callers hold mu.
func (f *Front) oust() bool {
	for c := range f.open {
		if c.state.Load() == stateIdle {
			_ = c.net.Close()
			return true
		}
	}
	for c := range f.idle {
		delete(f.idle, c)
		go c.Close() // it takes mu, and TLS says goodbye first
		return true
	}
	return false
}

func (f *Front) gone() {
	f.mu.Lock()
	f.count--
	f.mu.Unlock()
}

// take serves one connection to its end, or to where it is handed over.
func (f *Front) take(ctx context.Context, n net.Conn) {
	defer f.lean.Done()
	c := &conn{front: f, net: n, remote: addrOf(n)}
	if t, ok := n.(*tls.Conn); ok {
		limit, stop := context.WithTimeout(context.WithoutCancel(ctx), handshake)
		err := t.HandshakeContext(limit)
		stop()
		if err != nil {
			f.stats.handshakes.Add(1)
			_ = n.Close()
			f.gone()
			return
		}
		c.secure = true
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			f.stats.http2.Add(1)
			f.give(n) // the server wants the *tls.Conn itself
			return
		}
	}
	f.mu.Lock()
	f.open[c] = struct{}{}
	f.mu.Unlock()
	next := c.serve()
	f.mu.Lock()
	delete(f.open, c)
	f.mu.Unlock()
	if next == nil {
		_ = n.Close()
		f.gone()
		return
	}
	f.give(next)
}

func (f *Front) give(n net.Conn) {
	if !f.handed.put(n) {
		_ = n.Close()
		f.gone()
	}
}

func addrOf(n net.Conn) netip.Addr {
	if t, ok := n.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
