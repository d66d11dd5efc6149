package dbtest

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Wire is a way to an empty PostgreSQL database that can be cut and mended: for its
// clients what a restart of the server is.
type Wire struct {
	URL string

	t      testing.TB
	socket string // the server's
	at     string
	mu     sync.Mutex
	l      net.Listener
	open   []net.Conn
}

// NewWire makes a database and the way to it.
func NewWire(t testing.TB) *Wire {
	t.Helper()
	u, err := url.Parse(PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	if !filepath.IsAbs(dir) {
		t.Skip("NOT TESTED: the PostgreSQL server is not reached by a socket")
	}
	w := &Wire{t: t, socket: filepath.Join(dir, ".s.PGSQL.5432"), at: "127.0.0.1:0"}
	w.Mend()
	t.Cleanup(w.Cut)
	u.RawQuery, u.Host = "sslmode=disable", w.at
	w.URL = u.String()
	return w
}

// Mend lets clients through, at the same address as before.
func (w *Wire) Mend() {
	l, err := net.Listen("tcp", w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.l, w.at = l, l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.lead(c)
		}
	}()
}

// lead connects a client with the server.
func (w *Wire) lead(c net.Conn) {
	s, err := net.Dial("unix", w.socket)
	if err != nil {
		_ = c.Close()
		return
	}
	w.mu.Lock()
	w.open = append(w.open, c, s)
	w.mu.Unlock()
	for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
		}()
	}
}

// Cut ends every connection and lets none through.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.l.Close()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}
