package gate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// BannerHeader and Banner mark every reply, so that no client and no person
// can take one for production's.
const (
	BannerHeader = "X-Partner-Cloud"
	Banner       = "local; not Microsoft"
)

// Deps is everything a Gate needs. All of it is optional.
type Deps struct {
	Now  func() time.Time // the partner cloud's clock; nil means time.Now
	Log  *slog.Logger     // one line a request; nil discards
	Keep int              // how many requests are remembered; 0 means 2,000
}

// Gate records requests and does harm. Safe for concurrent use.
type Gate struct {
	now  func() time.Time
	log  *slog.Logger
	keep int

	mu        sync.Mutex // guards everything below
	faults    []*Fault
	lastFault int
	turn      int // of the 5xx statuses
	pages     pages
	ring      []Seen // oldest at start once full
	start     int
	lastSeen  uint64
	followers map[*follower]struct{}
}

// New makes a Gate without faults.
func New(d Deps) *Gate {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Keep <= 0 {
		d.Keep = 2000
	}
	return &Gate{now: d.Now, log: d.Log, keep: d.Keep, followers: map[*follower]struct{}{}}
}

// verdict is what the faults decided about one request.
type verdict struct {
	answer *Fault        // at most one fault answers
	status int           // of ServerErrors
	page   *page         // of RepeatPage
	slow   time.Duration // the sum
	skew   time.Duration // the sum
	fate   Kind          // NeverEnds or EndsBadly: the last that struck
	names  []string
	hold   bool // keep this page for RepeatPage
}

// judge asks the faults in order. Slow and skew add up; of those that answer the
// first that strikes answers.
func (g *Gate) judge(service string, r *http.Request) (v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		if !f.covers(service, r) {
			continue
		}
		if !f.Kind.beside() && v.answer != nil {
			continue
		}
		switch f.Kind {
		case RepeatPage:
			v.hold = r.Method == http.MethodGet
			if v.page = g.pages.before(service, r); v.page == nil {
				continue
			}
		case ChangedPage:
			if !g.pages.readAgain(service, r) {
				continue
			}
		case TooWide:
			if f.Delay >= asked(r, g.now()) {
				continue
			}
		}
		if !f.strike() {
			v.page = nil
			continue
		}
		v.names = append(v.names, f.applied())
		hit := *f
		switch f.Kind {
		case Slow:
			v.slow += f.Delay
			continue
		case Skew:
			v.skew += f.Delay
			continue
		case NeverEnds, EndsBadly:
			v.fate = f.Kind
			continue
		case RepeatPage:
			g.pages.drop(service, r)
		case ServerErrors:
			statuses := []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
			if v.status = f.Status; v.status == 0 {
				v.status = statuses[g.turn%len(statuses)]
				g.turn++
			}
		}
		v.answer = &hit
	}
	return v
}

// Wrap puts the gate before a service. Several may share one gate; each is
// named by one of Services.
func (g *Gate) Wrap(service string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() // durations are the machine's, whatever the cloud's clock does
		v := g.judge(service, r)
		seen := Seen{
			Time: g.now().UTC(), Service: service, Method: clip(r.Method, 20), Host: clip(r.Host, 255), Path: clip(r.URL.Path, maxPath),
			Query:     Redact(r.URL.RawQuery),
			RequestID: newID(), ClientRequestID: clientRequestID(r), Faults: v.names,
		}
		notes := &notes{requestID: seen.RequestID, skew: v.skew, fate: v.fate}
		r = r.WithContext(context.WithValue(r.Context(), notesKey{}, notes))
		head := w.Header()
		head.Set(BannerHeader, Banner)
		head.Set("Date", g.now().Add(v.skew).UTC().Format(http.TimeFormat))
		rec := &recorder{w: w}
		aborted := false
		func() {
			defer func() {
				if p := recover(); p != nil {
					aborted = true
					if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
						return
					}
					g.log.Error("handler panicked", "service", service, "path", seen.Path, "request_id", seen.RequestID, "panic", panicText(p), "stack",
						string(debug.Stack()))
					if !rec.wrote {
						aborted = false
						g.refuse(rec, r, service, http.StatusInternalServerError, 0)
					}
				}
			}()
			g.serve(rec, r, service, h, &v)
		}()
		seen.Status, seen.Bytes = rec.status, rec.bytes
		if seen.Status == 0 && !aborted {
			seen.Status = http.StatusOK // net/http's own default
		}
		seen.Aborted = aborted
		seen.Millis = float64(time.Since(began).Microseconds()) / 1000
		seen.RequestID = requestID(w.Header(), seen.RequestID)
		notes.into(&seen)
		g.remember(seen)
		g.log.Info("request", "service", service, "method", seen.Method, "path", seen.Path, "status", seen.Status, "ms", seen.Millis, "request_id",
			seen.RequestID, "faults", seen.Faults)
		if aborted {
			panic(http.ErrAbortHandler) // the server cuts the connection and logs nothing
		}
	})
}

// serve does what the faults decided, or lets the service answer.
func (g *Gate) serve(w *recorder, r *http.Request, service string, h http.Handler, v *verdict) {
	if v.slow > 0 {
		t := time.NewTimer(v.slow)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // the client gave up
		}
	}
	kind := Kind("")
	if v.answer != nil {
		kind = v.answer.Kind
	}
	switch kind {
	case Throttle, ThrottleBare:
		g.refuse(w, r, service, http.StatusTooManyRequests, v.answer.RetryAfter)
	case ServerErrors:
		g.refuse(w, r, service, v.status, 0)
	case Error500:
		g.refuse(w, r, service, http.StatusInternalServerError, 0)
	case Error503:
		g.refuse(w, r, service, http.StatusServiceUnavailable, v.answer.RetryAfter)
	case ExpiredToken:
		g.refuse(w, r, service, http.StatusUnauthorized, 0)
	case ChangedPage:
		g.refuse(w, r, service, http.StatusBadRequest, 0)
	case TooWide:
		g.refuse(w, r, service, http.StatusGatewayTimeout, 0)
	case RepeatPage:
		v.page.send(w)
	case Cut:
		panic(http.ErrAbortHandler)
	case Lost:
		sink := &buffer{header: w.Header().Clone(), limit: -1}
		h.ServeHTTP(sink, r)
		w.status = sink.code() // what the client would have been told
		panic(http.ErrAbortHandler)
	case Half:
		held := &buffer{header: w.Header(), limit: maxHalf}
		h.ServeHTTP(held, r)
		half(w, held)
	default:
		if !v.hold {
			h.ServeHTTP(w, r)
			return
		}
		held := &buffer{header: w.Header(), limit: maxPage, through: w}
		h.ServeHTTP(held, r)
		held.finish()
		if p, whole := held.page(r); whole {
			g.mu.Lock()
			g.pages.put(service, r, p)
			g.mu.Unlock()
		}
	}
}

// half sends the headers and half of the body, then cuts.
func half(w *recorder, held *buffer) {
	body := held.body
	if len(body) < 2 {
		panic(http.ErrAbortHandler) // there is no half of it
	}
	// The length promised is the whole one: a client must be able to see that
	// something is missing.
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Length", itoa(held.size))
	w.WriteHeader(held.code())
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w.w).Flush()
	panic(http.ErrAbortHandler)
}

// newID is a random GUID in the usual spelling (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// panicText describes a panic by what cannot hold a secret.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}
