package partnercloud

import (
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"partnerguard/internal/problem"
)

// maxPorts is how many ports in a row a cloud takes: five services, control,
// proxy, and the listener by server name.
const maxPorts = 8

// listenAll opens n ports on a host: in a row from port, or any when it is 0.
func listenAll(host string, port, n int) (list []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range list {
				_ = l.Close()
			}
		}
	}()
	for i := range n {
		at := 0
		if port != 0 {
			at = port + i
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(at)))
		if err != nil {
			return list, problem.Wrap(err, problem.Limit, "port %d of %s cannot be opened", at, host).
				WithHint("is a partner cloud running already? otherwise choose other ports: --port 8441, or --port 0 for any")
		}
		list = append(list, l)
	}
	return list, nil
}

// checkHost refuses to listen beyond loopback unless forced.
func checkHost(host string, force bool) error {
	if force {
		return nil
	}
	ips := []net.IP{net.ParseIP(host)}
	if ips[0] == nil {
		if host == "localhost" {
			return nil
		}
		return problem.New(problem.Usage, "%q is not a loopback address", host).WithHint("use 127.0.0.1, ::1 or localhost")
	}
	if !ips[0].IsLoopback() {
		return problem.New(problem.Usage, "the partner cloud does not listen on %s: whoever reaches it can sign in as anybody", host).
			WithHint("use 127.0.0.1; --force-listen allows it on a network that is yours alone")
	}
	return nil
}

// firstByte is how long a connection may stay silent before it is dropped.
const firstByte = 30 * time.Second

// split serves TLS and plain HTTP on one port: the first byte of a connection
// decides. It ends when the listener is closed.
func split(l net.Listener, config *tls.Config) (secure, plain net.Listener) {
	done := make(chan struct{})
	s, p := &channel{addr: l.Addr(), conns: make(chan net.Conn), done: done}, &channel{addr: l.Addr(), conns: make(chan net.Conn), done: done}
	var once sync.Once
	s.close = func() error { once.Do(func() { close(done) }); return l.Close() }
	p.close = s.close
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				_ = s.close()
				return
			}
			go func() {
				_ = c.SetReadDeadline(time.Now().Add(firstByte))
				var b [1]byte
				if _, err := io.ReadFull(c, b[:]); err != nil {
					_ = c.Close()
					return
				}
				_ = c.SetReadDeadline(time.Time{})
				to := p
				var conn net.Conn = &peeked{Conn: c, first: b[0]}
				if b[0] == 0x16 { // TLS handshake record
					to, conn = s, tls.Server(conn, config)
				}
				select {
				case to.conns <- conn:
				case <-done:
					_ = c.Close()
				}
			}()
		}
	}()
	return s, p
}

// peeked is a connection whose first byte was read already.
type peeked struct {
	net.Conn
	first byte
	given bool
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.given || len(b) == 0 {
		return p.Conn.Read(b)
	}
	p.given = true
	b[0] = p.first
	return 1, nil
}

// channel is a listener fed by somebody else.
type channel struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	close func() error
}

func (c *channel) Accept() (net.Conn, error) {
	select {
	case conn := <-c.conns:
		return conn, nil
	case <-c.done:
		return nil, net.ErrClosed
	}
}

func (c *channel) Close() error   { return c.close() }
func (c *channel) Addr() net.Addr { return c.addr }
