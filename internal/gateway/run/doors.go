package run

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/problem"
)

// door is what is listened on. Doors that are alike stay, whatever their certificate is.
type door struct {
	what, at string
	tls      bool
}

const (
	forRequests = "requests"
	forProxies  = "forward"
	forAdmin    = "admin"
)

// open is a door that is open.
type open struct {
	listener net.Listener
	pair     atomic.Pointer[front.Certificate] // with TLS: the one of now
	files    [2]string                         // of pair
	unwatch  func()                            // ends the look at them
	close    func()
}

// inner is what is served on: with TLS, by the certificate of now.
func (o *open) inner() net.Listener {
	if o.pair.Load() == nil {
		return o.listener
	}
	c := o.pair.Load().Config()
	c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return o.pair.Load().Config().GetCertificate(h)
	}
	return tls.NewListener(o.listener, c)
}

// fresh is what a table needs that is not there yet.
type fresh struct {
	doors map[door]*open
	pairs map[door]*front.Certificate // of doors that stay
}

func (f *fresh) drop() {
	for _, o := range f.doors {
		_ = o.listener.Close()
	}
}

// wanted are the doors of a table, with the files of their certificates.
func (g *Gateway) wanted(t *gateway.Table) (map[door][2]string, error) {
	out := map[door][2]string{}
	for _, l := range t.Listen {
		out[door{forRequests, l.At, l.Certificate != ""}] = [2]string{l.Certificate, l.Key}
	}
	if t.Forward != nil {
		if g.d.Forward == nil {
			return nil, problem.New(problem.Unavailable, "forward cannot be served here").WithHint("leave it out of the file")
		}
		out[door{what: forProxies, at: t.Forward.At}] = [2]string{}
	}
	if t.Admin != "" && g.d.Admin != nil {
		out[door{what: forAdmin, at: t.Admin}] = [2]string{}
	}
	return out, nil
}

// listen opens the doors that a table has and that are not open yet, and reads the
// certificates that are new. Nothing is open that was not before where it fails.
func (g *Gateway) listen(t *gateway.Table) (f *fresh, err error) {
	f = &fresh{map[door]*open{}, map[door]*front.Certificate{}}
	defer func() {
		if err != nil {
			f.drop()
		}
	}()
	list, err := g.wanted(t)
	if err != nil {
		return f, err
	}
	g.mu.Lock()
	have := maps.Clone(g.doors)
	g.mu.Unlock()
	for d, files := range list {
		var pair *front.Certificate
		if o := have[d]; d.tls && (o == nil || o.files != files) {
			if pair, err = front.LoadCertificate(files[0], files[1], g.d.Log); err != nil {
				return f, err
			}
		}
		if have[d] != nil {
			if pair != nil {
				f.pairs[d] = pair
			}
			continue
		}
		o := &open{files: files}
		if o.listener, err = net.Listen("tcp", d.at); err != nil {
			return f, problem.Wrap(err, problem.Limit, "%s cannot be listened on", d.at).
				WithHint("is something else there? An address changes from plain to TLS, or to another use, when the gateway starts again")
		}
		o.pair.Store(pair)
		f.doors[d] = o
	}
	return f, nil
}

// turnDoors serves the new doors, and closes those that the table has no more. Requests
// under way on those go on.
func (g *Gateway) turnDoors(t *gateway.Table, f *fresh) {
	list, _ := g.wanted(t) // it was made before, without an error
	g.mu.Lock()
	defer g.mu.Unlock()
	for d, o := range g.doors {
		if _, stays := list[d]; !stays {
			o.close()
			delete(g.doors, d)
		}
	}
	for d, pair := range f.pairs {
		o := g.doors[d]
		o.unwatch()
		o.pair.Store(pair)
		o.files = list[d]
		g.watchPair(o)
	}
	for d, o := range f.doors {
		g.doors[d] = o
		g.serve(d, o)
	}
}

// serve answers at a door. Callers hold mu.
func (g *Gateway) serve(d door, o *open) {
	ctx, stop := context.WithCancel(g.ctx)
	g.watchPair(o)
	o.close = func() { o.unwatch(); stop(); _ = o.listener.Close() }
	serve := map[string]func(context.Context, net.Listener) error{forRequests: g.d.Serve, forProxies: g.d.Forward, forAdmin: g.d.Admin}[d.what]
	g.working.Go(func() {
		if err := serve(ctx, o.inner()); err != nil && ctx.Err() == nil {
			g.d.Log.ErrorContext(ctx, "the gateway does not listen any more", "at", d.at, "err", err)
		}
	})
}

// watchPair has a door's certificate read again when its files change. Callers hold mu.
func (g *Gateway) watchPair(o *open) {
	o.unwatch = func() {}
	if pair := o.pair.Load(); pair != nil {
		ctx, stop := context.WithCancel(g.ctx)
		o.unwatch = stop
		g.working.Go(func() { pair.Watch(ctx) })
	}
}

// where are the addresses that are listened on.
func (g *Gateway) where() (out []Where) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for d, o := range g.doors {
		out = append(out, Where{Addr: o.listener.Addr(), What: d.what, TLS: d.tls})
	}
	slices.SortFunc(out, func(a, b Where) int {
		if a.What != b.What {
			return -strings.Compare(a.What, b.What)
		}
		return strings.Compare(a.Addr.String(), b.Addr.String())
	})
	return out
}
