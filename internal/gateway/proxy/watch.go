package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
)

// Why an exchange ends before it is done.
var (
	errBodyLong = errors.New("the body is longer than the route allows")
	errParallel = errors.New("as many requests as the route allows are at its upstream")
	errDown     = errors.New("no upstream of the route is healthy")
	errTimeout  = errors.New("the upstream did not answer in the route's time")
	errIdle     = errors.New("nothing was said for as long as the route allows")
	errOver     = errors.New("whose stream it is may not have it any more")
)

// watch ends an exchange that takes too long: until the upstream's head is there, since the
// last byte that was sent to it; then, since the last byte either way. It looks again at
// whose stream it is.
type watch struct {
	x      *exchange
	cancel context.CancelCauseFunc
	client *http.ResponseController

	stream atomic.Bool // the upstream has answered
	timer  *time.Timer
	again  *time.Timer
	last   gateway.Decision // how the stream was judged last; of look
	over   bool             // it was judged since its token ended

	mu   sync.Mutex // guards done, and that nothing is cut behind it
	done bool
}

func newWatch(x *exchange, cancel context.CancelCauseFunc, client *http.ResponseController) *watch {
	w := &watch{x: x, cancel: cancel, client: client}
	w.timer = time.AfterFunc(time.Hour, w.late)
	return w
}

// touch says that a byte moved.
func (w *watch) touch() {
	limit := w.x.decision.Route.Limits.Timeout
	if w.stream.Load() {
		limit = w.x.decision.Route.Limits.Idle
	}
	if limit > 0 {
		w.timer.Reset(limit)
	} else {
		w.timer.Stop()
	}
}

// answered says that the upstream's head is there.
func (w *watch) answered() {
	w.stream.Store(true)
	w.touch()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done && w.again == nil {
		w.last = w.x.decision
		w.again = time.AfterFunc(w.x.proxy.deps.Again, w.look)
	}
}

// end says that the exchange is over: nothing is cut any more, since the connection may
// serve another request.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.timer.Stop()
	if w.again != nil {
		w.again.Stop()
	}
	w.cancel(nil)
}

func (w *watch) late() {
	if w.stream.Load() {
		w.cut(errIdle)
	} else {
		w.cut(errTimeout)
	}
}

// cut ends the exchange, also where it waits for the client.
func (w *watch) cut(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return
	}
	w.cancel(why)
	past, stream := time.Unix(1, 0), w.stream.Load()
	if stream || w.x.body != nil { // net/http takes it for the client's end: the connection is none any more
		_ = w.client.SetReadDeadline(past)
	}
	if stream {
		w.x.proxy.stats.cut.WithLabelValues(cutWord(why)).Inc()
		_ = w.client.SetWriteDeadline(past)
	}
}

// look asks the judge once more when the token has ended, with the route's leeway, somebody
// was revoked, or the rule has turned: where it refuses now, the stream ends.
func (w *watch) look() {
	x, d := w.x, &w.last
	now, over := x.proxy.deps.Now(), false
	if id := d.Told(); id != nil {
		revoked := x.proxy.deps.Revocations
		over = id.NotAfter > 0 && now.Add(-d.Route.Leeway).Unix() > id.NotAfter || revoked != nil && revoked.Revoked(id, now)
	}
	if over && !w.over || d.Turned(now) || !x.proxy.has(d.Route) {
		r := x.request
		r.Now = now
		next := x.proxy.deps.Judge.Judge(&r)
		if next.Refused || next.Route == nil {
			w.cut(errOver)
			return
		}
		w.last, w.over = next, over // it is written down once
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.again.Reset(x.proxy.deps.Again)
	}
}

// body is a request's, bounded. It keeps what went wrong in reading it: the transport's
// error does not tell it from the upstream's.
type body struct {
	from  io.ReadCloser
	watch *watch
	most  int64 // 0: any
	seen  int64
	err   atomic.Pointer[error]
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.seen += int64(n)
	if b.most > 0 && b.seen > b.most {
		n, err = 0, errBodyLong
	}
	if err != nil && err != io.EOF {
		b.err.CompareAndSwap(nil, &err)
	}
	if !b.watch.stream.Load() || n > 0 {
		b.watch.touch()
	}
	return n, err
}

func (b *body) Close() error { return b.from.Close() }

// failure is what went wrong in reading it; nil for nothing.
func (b *body) failure() error {
	if b == nil {
		return nil
	}
	if err := b.err.Load(); err != nil {
		return *err
	}
	return nil
}

// watchBody has w see each byte of an answer; of an upgraded connection, both ways.
func watchBody(from io.ReadCloser, w *watch) io.ReadCloser {
	if both, ok := from.(io.ReadWriteCloser); ok {
		return &watchedConn{watched{both, w}, both}
	}
	return &watched{from, w}
}

type watched struct {
	io.ReadCloser
	watch *watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.touch()
	}
	return n, err
}

type watchedConn struct {
	watched
	to io.Writer
}

func (b *watchedConn) Write(p []byte) (int, error) {
	b.watch.touch()
	return b.to.Write(p)
}

// CloseWrite passes the end of one direction on.
func (b *watchedConn) CloseWrite() error {
	if c, ok := b.to.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}
