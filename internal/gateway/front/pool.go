package front

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	dialWithin = 5 * time.Second
	idleAtMost = 4 * time.Second // in the pool: less than the five after which common servers close
)

// Lines are the connections to plain upstreams (HTTP/1.1 without TLS), the idle ones of
// each. They outlive a new file: an upstream that stays keeps its connections. They are
// safe for concurrent use.
type Lines struct {
	most int
	of   sync.Map // host -> *pool
}

// NewLines makes lines that keep most idle connections to each upstream; 0 is 256.
func NewLines(most int) *Lines {
	if most <= 0 {
		most = 256
	}
	return &Lines{most: most}
}

type pool struct {
	address string
	most    int

	mu    sync.Mutex
	idle  []*upstream // the newest last
	swept time.Time
}

// upstream is one connection to one. One goroutine has it at a time.
type upstream struct {
	net   net.Conn
	pool  *pool
	probe probe
	buf   []byte // buf[r:w] is read and not used
	r, w  int

	since  time.Time // in the pool
	limit  time.Time // the read deadline that is set
	reused bool
}

// address is host:port of a plain upstream, or "".
func address(a string) string {
	if strings.ContainsAny(a, "/?#@") || a == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(a); err != nil {
		a = net.JoinHostPort(strings.Trim(a, "[]"), "80")
	}
	return a
}

// plain is the pool of a host, perhaps with a port.
func (l *Lines) plain(host string) *pool {
	if at, ok := l.of.Load(host); ok {
		return at.(*pool)
	}
	at, _ := l.of.LoadOrStore(host, &pool{address: address(host), most: l.most})
	return at.(*pool)
}

// Close closes what is idle.
func (l *Lines) Close() {
	l.of.Range(func(_, at any) bool {
		at.(*pool).sweep(time.Time{})
		return true
	})
}

// get gives an idle connection that still stands, or nil.
func (p *pool) get(now time.Time) *upstream {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		u := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		// What has come without being asked for would be taken for the next answer.
		if now.Sub(u.since) < idleAtMost && u.probe.quiet() {
			u.reused = true
			return u
		}
		_ = u.net.Close()
	}
}

// dial makes a new connection.
func (p *pool) dial() (*upstream, error) {
	if p.address == "" {
		return nil, errors.New("not a plain upstream")
	}
	c, err := net.DialTimeout("tcp", p.address, dialWithin)
	if err != nil {
		return nil, err
	}
	u := &upstream{net: c, pool: p, buf: make([]byte, 8<<10)}
	u.probe.of(c)
	return u, nil
}

// put keeps a connection whose answer was read to its end, with nothing behind it.
func (p *pool) put(u *upstream, now time.Time) {
	u.since = now
	p.mu.Lock()
	full := len(p.idle) >= p.most
	if !full {
		p.idle = append(p.idle, u)
	}
	stale := now.Sub(p.swept) > idleAtMost
	if stale {
		p.swept = now
	}
	p.mu.Unlock()
	if full {
		_ = u.net.Close()
	}
	if stale {
		p.sweep(now)
	}
}

// sweep closes what was idle for too long before now, or all for the zero time. The
// oldest stand first: connections are taken from the end.
func (p *pool) sweep(now time.Time) {
	p.mu.Lock()
	n := 0
	for n < len(p.idle) && (now.IsZero() || now.Sub(p.idle[n].since) > idleAtMost) {
		n++
	}
	old := append([]*upstream(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	p.mu.Unlock()
	for _, u := range old {
		_ = u.net.Close()
	}
}

// within has reads fail when nothing comes for d. The deadline is set anew when less
// than d is left of it, and then with a little over: it is not worth its price for each
// request.
func (u *upstream) within(d time.Duration, now time.Time) {
	if u.limit.Sub(now) < d {
		u.limit = now.Add(d + d/16 + time.Second/4)
		_ = u.net.SetReadDeadline(u.limit)
	}
}

// fill reads once, behind what is there.
func (u *upstream) fill() (int, error) {
	if u.r == u.w {
		u.r, u.w = 0, 0
	} else if u.w == len(u.buf) && u.r > 0 {
		u.w = copy(u.buf, u.buf[u.r:u.w])
		u.r = 0
	}
	if u.w == len(u.buf) {
		u.buf = append(make([]byte, 0, 2*len(u.buf)), u.buf...)
		u.buf = u.buf[:cap(u.buf)]
	}
	n, err := u.net.Read(u.buf[u.w:])
	u.w += n
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// exchange sends a request, whole as out is, and reads the answer's head within limit, or
// however long it takes where that is 0. Interim answers go to early. An error that is [errStale] came before a byte of an answer did.
func (u *upstream) exchange(out []byte, h *head, limit time.Duration, now time.Time, early func(*head) error) error {
	if limit > 0 {
		if u.limit.Sub(now) < limit {
			_ = u.net.SetWriteDeadline(now.Add(2 * limit))
		}
		u.within(limit, now)
	} else if !u.limit.IsZero() {
		u.limit = time.Time{}
		_ = u.net.SetDeadline(u.limit)
	}
	if _, err := u.net.Write(out); err != nil {
		if timeout(err) {
			return err
		}
		return errStale
	}
	for seen, late := 0, false; ; {
		end := headEnd(u.buf[u.r:u.w], seen)
		if end == 0 && u.w-u.r <= maxAnswer {
			seen = u.w - u.r
			if _, err := u.fill(); err != nil {
				if timeout(err) || u.w > u.r || late {
					return err
				}
				return errStale
			}
			continue
		}
		switch {
		case end == 0 || !h.response(u.buf[u.r:u.r+end]) || h.status == http.StatusSwitchingProtocols:
			return errAnswer // the last: nobody asked for it
		case h.status >= 200:
			u.r += end
			return nil
		}
		if err := early(h); err != nil {
			return err
		}
		u.r += end
		seen, late = 0, true
	}
}

// shut closes the connection, where there is one.
func (u *upstream) shut() error {
	if u == nil {
		return nil
	}
	return u.net.Close()
}
