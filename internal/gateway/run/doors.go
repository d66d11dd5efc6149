package run

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/problem"
)

// door is what is listened on, as the file has it: doors that are alike stay.
type door struct {
	what, at, certificate, key string
}

const (
	forRequests = "requests"
	forProxies  = "forward"
	forAdmin    = "admin"
)

// open is a door that is open.
type open struct {
	listener net.Listener // of the plain address, so that it can be told
	inner    net.Listener // what is served
	tls      bool
	watch    func(context.Context)
	close    func()
}

// wanted are the doors of a table.
func (g *Gateway) wanted(t *gateway.Table) (out []door, err error) {
	for _, l := range t.Listen {
		out = append(out, door{forRequests, l.At, l.Certificate, l.Key})
	}
	if t.Forward != nil {
		if g.d.Forward == nil {
			return nil, problem.New(problem.Unavailable, "forward cannot be served here").WithHint("leave it out of the file")
		}
		out = append(out, door{what: forProxies, at: t.Forward.At})
	}
	if t.Admin != "" && g.d.Admin != nil {
		out = append(out, door{what: forAdmin, at: t.Admin})
	}
	return out, nil
}

// listen opens the doors that a table has and that are not open yet. Nothing is open that
// was not before where it fails.
func (g *Gateway) listen(t *gateway.Table) (fresh map[door]*open, err error) {
	fresh = map[door]*open{}
	defer func() {
		if err != nil {
			for _, o := range fresh {
				_ = o.listener.Close()
			}
		}
	}()
	list, err := g.wanted(t)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		g.mu.Lock()
		is := g.doors[d] != nil
		g.mu.Unlock()
		if is {
			continue
		}
		o := &open{}
		var conf *tls.Config
		if d.certificate != "" {
			c, err := front.LoadCertificate(d.certificate, d.key, g.d.Log)
			if err != nil {
				return fresh, err
			}
			conf, o.tls, o.watch = c.Config(), true, c.Watch
		}
		if o.listener, err = g.bind(d); err != nil {
			return fresh, err
		}
		if o.inner = o.listener; conf != nil {
			o.inner = tls.NewListener(o.listener, conf)
		}
		fresh[d] = o
	}
	return fresh, nil
}

// bind listens on a door's address. One that is taken by a door of ours which the new file
// has otherwise, such as with another certificate, is given up for it first.
func (g *Gateway) bind(d door) (net.Listener, error) {
	l, err := net.Listen("tcp", d.at)
	if err == nil {
		return l, nil
	}
	g.mu.Lock()
	var of *open
	for have, o := range g.doors {
		if have.at == d.at {
			of = o
			delete(g.doors, have)
		}
	}
	g.mu.Unlock()
	if of != nil {
		of.close()
		if l, err = net.Listen("tcp", d.at); err == nil {
			return l, nil
		}
	}
	return nil, problem.Wrap(err, problem.Limit, "%s cannot be listened on", d.at).WithHint("is something else there? the file names another address")
}

// turnDoors serves the new doors, and closes those that the table has no more. Requests
// under way on those go on.
func (g *Gateway) turnDoors(t *gateway.Table, fresh map[door]*open) {
	list, _ := g.wanted(t)
	g.mu.Lock()
	defer g.mu.Unlock()
	for d, o := range g.doors {
		if !slices.Contains(list, d) {
			o.close()
			delete(g.doors, d)
		}
	}
	for d, o := range fresh {
		g.doors[d] = o
		g.serve(d, o)
	}
}

// serve answers at a door. Callers hold mu.
func (g *Gateway) serve(d door, o *open) {
	ctx, stop := context.WithCancel(g.ctx)
	o.close = func() { stop(); _ = o.listener.Close() }
	serve := map[string]func(context.Context, net.Listener) error{forRequests: g.d.Serve, forProxies: g.d.Forward, forAdmin: g.d.Admin}[d.what]
	g.working.Go(func() {
		if err := serve(ctx, o.inner); err != nil && ctx.Err() == nil {
			g.d.Log.ErrorContext(ctx, "the gateway does not listen any more", "at", d.at, "err", err)
		}
	})
	if o.watch != nil {
		g.working.Go(func() { o.watch(ctx) })
	}
}

// where are the addresses that are listened on.
func (g *Gateway) where() (out []Where) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for d, o := range g.doors {
		out = append(out, Where{Addr: o.listener.Addr(), What: d.what, TLS: o.tls})
	}
	slices.SortFunc(out, func(a, b Where) int {
		if a.What != b.What {
			return -strings.Compare(a.What, b.What)
		}
		return strings.Compare(a.Addr.String(), b.Addr.String())
	})
	return out
}
