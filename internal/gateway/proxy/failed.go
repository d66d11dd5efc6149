package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
)

// trouble is what is said where a request could not be passed on though it might. Its
// words stand beside those of [gateway.Reason] in problem documents, and are stable.
type trouble struct{ word, title, fix string }

var troubles = map[int]trouble{
	http.StatusRequestEntityTooLarge: {"body-too-long", "the body is longer than is taken here", "send less, or have the route's limits.body raised"},
	http.StatusRequestHeaderFieldsTooLarge: {"head-too-long", "the headers are longer than are taken here",
		"send less, or have the route's limits.header raised"},
	http.StatusBadGateway: {"upstream-failed", "what is behind the gateway did not answer",
		"try again; the gateway's metrics tell which upstreams are healthy"},
	http.StatusServiceUnavailable: {"upstream-unavailable", "what is behind the gateway is down or has enough to do", "try again in a moment"},
	http.StatusGatewayTimeout: {"upstream-slow", "what is behind the gateway did not answer in time",
		"try again, or have the route's limits.timeout raised"},
}

// Failed is the answer where a request that may pass could not: status is 413, 431, 502,
// 503 or 504. The error is for a log, and not in the answer.
func Failed(d *gateway.Decision, r *gateway.Request, status int, _ error) answer.Answer {
	t, ok := troubles[status]
	if !ok {
		status, t = http.StatusBadGateway, troubles[http.StatusBadGateway]
	}
	a := answer.Answer{Status: status, Header: [][2]string{
		{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"},
	}}
	if status == http.StatusServiceUnavailable {
		a.Header = append(a.Header, [2]string{"Retry-After", "5"})
	}
	a.Header = append(a.Header, answer.Announce(*d)...)
	if r.Method != http.MethodHead {
		a.Body, _ = json.Marshal(answer.Problem{Title: t.title, Status: status, Reason: t.word, Fix: t.fix, Request: r.ID}) // texts and a number alone
	}
	return a
}

// failure is what failures have in common that are logged as one.
type failure struct {
	route  string
	status int
}

// loud says which failures are logged: anybody can make many where a route asks for
// nothing, or its upstream is dead. Each kind is told once in ten seconds, with how many
// were not.
type loud struct {
	mu   sync.Mutex // guards last
	last map[failure]*told
}

type told struct {
	at   time.Time
	more int64
}

const loudEvery = 10 * time.Second

func (l *loud) due(f failure, now time.Time) (more int64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.last[f]
	switch {
	case t == nil:
		if len(l.last) > 10_000 { // of routes that files of before had
			clear(l.last)
		}
		if l.last == nil {
			l.last = map[failure]*told{}
		}
		l.last[f] = &told{at: now}
		return 0, true
	case now.Sub(t.at) < loudEvery:
		t.more++
		return 0, false
	}
	more, t.at, t.more = t.more, now, 0
	return more, true
}

func (x *exchange) fail(w http.ResponseWriter, status int, err error) {
	x.proxy.stats.failed(x.decision.Route.Name, status)
	if more, due := x.proxy.loud.due(failure{x.decision.Route.Name, status}, time.Now()); due {
		x.proxy.deps.Log.Warn("a request could not be passed on", slog.String("route", x.decision.Route.Name), slog.String("request", x.request.ID),
			slog.Int("status", status), slog.Int64("more", more), slog.Any("error", err))
	}
	Failed(&x.decision, &x.request, status, err).Write(w)
}

// failed answers where the upstream, or the client's body, failed before an answer.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	cause, sent := context.Cause(r.Context()), x.body.failure()
	late, timed := errors.AsType[net.Error](err)
	switch {
	case errors.Is(sent, errBodyLong):
		ends(w, r)
		x.fail(w, http.StatusRequestEntityTooLarge, sent)
	case errors.Is(cause, errTimeout):
		if x.body != nil {
			ends(w, r)
		}
		x.fail(w, http.StatusGatewayTimeout, errTimeout)
	case unplain(sent):
		x.refuse(w, r, errChunk)
	case x.client.Err() != nil || sent != nil: // nobody reads an answer
		panic(http.ErrAbortHandler)
	case errors.Is(err, errDown):
		x.fail(w, http.StatusServiceUnavailable, err)
	case timed && late.Timeout():
		x.fail(w, http.StatusGatewayTimeout, err)
	default:
		x.fail(w, http.StatusBadGateway, err)
	}
}

// unplain says that a body ended because its chunks or trailers are not plain, and not
// because the client went away.
func unplain(err error) bool {
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	_, gone := errors.AsType[net.Error](err)
	return !gone
}
