package broker

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/caller"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// LocalOptions say what a child may have: exactly this.
type LocalOptions struct {
	User       string // whose command it is: "local:USER" in the audit trail; required
	Command    string // its name without arguments, which may hold secrets; optional
	Connection string // name or id; required
	// Customers by domain or tenant id; "partner" is the partner's own tenant.
	// The first is meant when the child names none. Required.
	Customers []string
	Resources []string // required
	Scopes    []string // see Grant; optional
	// AnyUser takes connections of every user of this machine who knows the
	// secret. Otherwise, where the system tells (Linux), a connection must come
	// from a process of our own user.
	AnyUser bool
	// ChildUser is the number of the user that the child runs as, where it is not
	// our own: its processes are answered, and ours are not.
	ChildUser *int
}

// Local is a private endpoint for one child process.
type Local struct {
	b      *Broker
	caller Caller
	client atomic.Pointer[string] // the connection's client id
	port   string
	header secret.Text
	server *http.Server
	stop   func() bool
	peers  *peers
	open   atomic.Int64 // connections
	done   chan struct{}
}

// maxLocal bounds the connections of a local endpoint; whoever comes then
// waits until one is free.
const maxLocal = 2048

// Local starts a loopback listener on a free port that answers as the managed
// identity endpoint of App Service does, for whoever shows its header: 256
// random bits that only the child's environment holds. It lives until Close or
// until ctx ends, and must end with the direct child: what the child left
// running gets nothing any more, and the header is worthless from then on.
//
// It answers GET at one path, under the names of loopback only; it refuses
// browsers, proxies and bodies. The policy is built in: exactly the customers
// and resources of the options.
func (b *Broker) Local(ctx context.Context, o LocalOptions) (*Local, error) {
	if o.User == "" || o.Connection == "" || len(o.Customers) == 0 || len(o.Resources) == 0 {
		return nil, problem.New(problem.Internal, "a local endpoint needs a user, a connection, customers and resources")
	}
	conn, err := b.d.Exchange.Connection(ctx, o.Connection)
	if err != nil {
		return nil, err
	}
	// Words that a person mistyped are told now, not to the child later.
	for _, c := range o.Customers {
		if _, err := b.d.Exchange.Tenant(ctx, conn, c); err != nil {
			return nil, err
		}
	}
	for _, r := range o.Resources {
		if _, err := exchange.Resource(conn.Cloud, r); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no port of this machine can be listened on")
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return nil, err
	}
	l := &Local{
		b: b, port: port, header: token.Text(), done: make(chan struct{}),
		caller: Caller{local: true, Name: o.User, Actor: o.User, Subject: o.Command, Default: o.Customers[0], grants: []Grant{{
			Connection: conn.ID, Tenants: o.Customers, Resources: o.Resources, Scopes: o.Scopes,
		}}},
	}
	l.client.Store(&conn.ClientID)
	if !o.AnyUser {
		l.peers = newPeers(ln.Addr())
		if o.ChildUser != nil {
			l.peers.user = *o.ChildUser
		}
	}
	l.server = &http.Server{Handler: l, ErrorLog: slog.NewLogLogger(b.d.Log.Handler(), slog.LevelDebug)}
	HardenServer(l.server)
	l.server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, peerKey{}, l.peers.came(c.RemoteAddr()))
	}
	l.server.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			l.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			l.open.Add(-1)
		}
	}
	go func() {
		defer close(l.done)
		_ = l.server.Serve(&bounded{Listener: ln, room: make(chan struct{}, maxLocal), ended: make(chan struct{})})
	}()
	l.stop = context.AfterFunc(ctx, func() { _ = l.server.Close() })
	return l, nil
}

// Endpoint is the address for IDENTITY_ENDPOINT.
func (l *Local) Endpoint() string { return "http://127.0.0.1:" + l.port + Path }

// Close ends the endpoint at once; requests under way are cut.
func (l *Local) Close() error {
	l.stop()
	err := l.server.Close()
	<-l.done
	return err
}

// ServeHTTP answers one request.
func (l *Local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.open.Load() > maxLocal/2 {
		w.Header().Set("Connection", "close") // crowded: nobody keeps a place he does not use
	}
	if h, resource, err := l.serve(r); err != nil {
		refusal(w, asRefusal(err))
	} else {
		l.b.answer(w, &h, resource)
	}
}

func (l *Local) serve(r *http.Request) (h Handout, resource string, err error) {
	if bad := screen(r); bad != nil {
		return h, "", l.stranger(r.Context(), bad)
	}
	if !loopbackHost(r.Host, l.port) {
		return h, "", l.stranger(r.Context(), &Refusal{Status: http.StatusForbidden, Words: "this endpoint has another name"})
	}
	header, ok := caller.One(r.Header, "X-Identity-Header")
	if old, is := caller.One(r.Header, "Secret"); !ok && is && len(r.Header.Values("X-Identity-Header")) == 0 { // api-version 2017-09-01
		header, ok = old, true
	}
	// The length is no secret: every header has it.
	if !ok || subtle.ConstantTimeCompare([]byte(header), []byte(l.header.Reveal())) != 1 {
		return h, "", l.stranger(r.Context(), &Refusal{Status: http.StatusUnauthorized, Words: "the identity header is absent or wrong"})
	}
	if p, ok := r.Context().Value(peerKey{}).(*peer); ok && p != nil && !p.own() {
		return h, "", l.stranger(r.Context(), &Refusal{Status: http.StatusForbidden, Words: "the connection comes from another user's process"})
	}
	ask, err := readAsk(r, func(id string) bool { return strings.EqualFold(id, *l.client.Load()) })
	if err != nil {
		return h, "", l.b.refuse(r.Context(), &l.caller, ask, &Decision{}, usage(err), audit.Refused)
	}
	h, err = l.b.Token(r.Context(), &l.caller, ask)
	return h, ask.Resource, err
}

// stranger records the refusal of somebody who is not the child. It says
// nothing that the stranger wrote.
func (l *Local) stranger(ctx context.Context, r *Refusal) *Refusal {
	l.b.ledger.refused(ctx, audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "local:unknown", Reason: r.Words,
		Details: map[string]string{"endpoint": "of " + l.caller.Name}})
	return r
}

// bounded accepts no more connections than there is room for.
type bounded struct {
	net.Listener
	room  chan struct{}
	ended chan struct{}
	once  atomic.Bool
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.room <- struct{}{}:
	case <-b.ended:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.room
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		// Out of files: wait a little, as net/http does for temporary errors.
		time.Sleep(5 * time.Millisecond)
		return nil, err
	}
	return &placed{Conn: c, leave: func() { <-b.room }}, nil
}

func (b *bounded) Close() error {
	if b.once.CompareAndSwap(false, true) {
		close(b.ended)
	}
	return b.Listener.Close()
}

type placed struct {
	net.Conn
	leave func()
	gone  atomic.Bool
}

func (p *placed) Close() error {
	if p.gone.CompareAndSwap(false, true) {
		defer p.leave()
	}
	return p.Conn.Close()
}

// ReadFrom keeps the connection's own way of sending.
func (p *placed) ReadFrom(r io.Reader) (int64, error) { return io.Copy(p.Conn, r) }
