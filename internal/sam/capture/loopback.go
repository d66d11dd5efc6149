package capture

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// endPath is below what the page at the end of a sign-in is.
const endPath = "/signed-in/"

// pageWait is how long a browser may take to come for its page.
const pageWait = 3 * time.Second

// maxStray is how many answers to nothing a listener bears before it gives up.
const maxStray = 200

// Loopback is a sign-in whose answer comes to this machine (RFC 8252 section
// 7.3): a listener on 127.0.0.1 for one answer.
type Loopback struct {
	Begun

	c      *Capture
	ctx    context.Context // of the whole, so that a browser that leaves does not cut a redemption
	server *http.Server
	out    chan outcome
	once   sync.Once // guards out
	ends   *Ends
	sent   atomic.Bool   // the browser was sent on to the page
	seen   chan struct{} // closed once the page was shown
	see    sync.Once
	mu     sync.Mutex
	stray  int
}

type outcome struct {
	done Done
	err  error
}

// Listen begins a sign-in and listens for its answer: on 127.0.0.1, and on ::1
// where there is one, since a browser may take localhost for either. r.Redirect
// must be a loopback address; without a port any free one is used, which Entra
// ID allows for http://localhost. End it with Wait or Close.
func (c *Capture) Listen(ctx context.Context, r Request) (*Loopback, error) {
	u, err := url.Parse(r.Redirect)
	if err != nil || !isLoopback(u) {
		return nil, problem.New(problem.Usage, "the redirect URI %.100q is not this machine's", r.Redirect).
			WithHint("use http://localhost with the path that the app has registered")
	}
	var listeners []net.Listener
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", portOf(u)))
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "no port of this machine could be opened for the answer").
			WithHint("is another sign-in waiting on port %s?", portOf(u))
	}
	listeners = append(listeners, l)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if second, err := net.Listen("tcp", net.JoinHostPort("::1", port)); err == nil {
		listeners = append(listeners, second)
	}
	closeAll := func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	r.Redirect = u.String()
	b, err := c.Begin(ctx, r)
	if err != nil {
		closeAll()
		return nil, err
	}
	lo := &Loopback{Begun: b, c: c, ctx: context.WithoutCancel(ctx), out: make(chan outcome, 1), ends: NewEnds(nil), seen: make(chan struct{})}
	lo.server = &http.Server{
		Handler: lo, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 5 * time.Minute, IdleTimeout: 5 * time.Second,
		MaxHeaderBytes: 64 << 10, ErrorLog: nil,
	}
	lo.server.SetKeepAlivesEnabled(false)
	for _, l := range listeners {
		go func() { _ = lo.server.Serve(l) }() // ends with the server
	}
	return lo, nil
}

// portOf is a redirect URI's port; "0" is any.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return "0"
}

// ServeHTTP takes the answer. What is not the answer is refused and ends nothing.
func (l *Loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, is := strings.CutPrefix(r.URL.Path, endPath); is && r.Method == http.MethodGet && strings.EqualFold(r.Host, l.Door.Host) {
		if l.ends.Show(w, name) {
			l.see.Do(func() { close(l.seen) })
			return
		}
	}
	cb, err := l.Door.Read(w, r)
	if err != nil {
		status := web.Status(err)
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", map[string]string{"form_post": http.MethodPost}[l.Door.Mode])
			if l.Door.Mode != "form_post" {
				w.Header().Set("Allow", http.MethodGet)
			}
		}
		WritePage(w, status, Done{}, err)
		l.strayed()
		return
	}
	done, err := l.c.Complete(l.ctx, cb)
	if no, ok := errors.AsType[*Refusal](err); ok && (no.Cause == Forged || no.Cause == Replayed) {
		WritePage(w, http.StatusBadRequest, Done{}, err)
		l.strayed()
		return
	}
	l.sent.Store(true)
	l.ends.send(w, r, endPath, pageOf(done, err))
	l.finish(outcome{done, err})
}

func (l *Loopback) strayed() {
	l.mu.Lock()
	l.stray++
	n := l.stray
	l.mu.Unlock()
	if n >= maxStray {
		l.finish(outcome{err: refuse(Forged, beginAgain+"; find out which program on this machine knocks", "too many requests came that were not the answer")})
	}
}

func (l *Loopback) finish(o outcome) { l.once.Do(func() { l.out <- o }) }

// Wait waits for the answer, ten minutes at most, ends the listener and says
// how it went. The errors are those of Complete, and Refusal with cause Late.
func (l *Loopback) Wait(ctx context.Context) (Done, error) {
	defer l.Close()
	t := time.NewTimer(Life)
	defer t.Stop()
	select {
	case o := <-l.out:
		return o.done, o.err
	case <-t.C:
		return Done{}, refuse(Late, beginAgain, "nobody came back from the sign-in within ten minutes")
	case <-ctx.Done():
		return Done{}, ctx.Err()
	}
}

// Close ends the listener: what is being answered is answered first, and a browser
// that was sent on to its page gets it. A sign-in that was not answered can not be
// answered any more.
func (l *Loopback) Close() {
	l.c.Forget(l.Begun)
	if l.sent.Load() {
		select {
		case <-l.seen:
		case <-time.After(pageWait): // what opened the address was no browser
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
}

// Run does all of it: begins, has the address opened, waits. open may be nil or
// fail: show is told the address in any case, for a person to open it by hand.
func (c *Capture) Run(ctx context.Context, r Request, open func(url string) error, show func(url string, opened bool)) (Done, error) {
	l, err := c.Listen(ctx, r)
	if err != nil {
		return Done{}, err
	}
	opened := open != nil && open(l.URL) == nil
	if show != nil {
		show(l.URL, opened)
	}
	return l.Wait(ctx)
}
