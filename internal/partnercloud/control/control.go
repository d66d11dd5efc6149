package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
)

// Clock is the clock of the partner cloud. It only ever goes forward.
type Clock interface {
	Now() time.Time
	Jump(time.Duration) (time.Time, error)
	Set(time.Time) error
	Freeze() time.Time
	Thaw() time.Time
	Frozen() bool
}

// SignInLog is the log of sign-ins as one growing list.
type SignInLog interface {
	// SignIns gives at most limit rows after a position, oldest first, and the
	// position after them. Position 0 is the beginning; -n means the newest n.
	SignIns(ctx context.Context, after int64, limit int) (rows []json.RawMessage, next int64, err error)
	// Wait returns when there is a row after a position, or with ctx's error.
	Wait(ctx context.Context, after int64) error
}

// Gate is what is asked of the gate.
type Gate interface {
	Inject(gate.Fault) (gate.Fault, error)
	Clear(id string) int
	Faults() []gate.Fault
	Seen(gate.Filter) []gate.Seen
	Follow(context.Context) <-chan gate.Seen
}

// Deps is everything a control API needs. A nil optional part answers 404.
type Deps struct {
	Secret   string                             // required
	Clock    Clock                              // required
	Gate     Gate                               // required
	Log      SignInLog                          // optional
	Info     func() any                         // optional: what /v1/info says
	CA       func() []byte                      // optional: the CA's certificate, PEM, no key
	Rollover func() error                       // optional: new signing keys
	Enforce  func(json.RawMessage) (any, error) // optional: reads (nil) or changes the enforcement settings
	Logger   *slog.Logger                       // nil discards
	// Graph calls Graph as a tenant's administrator. Optional.
	Graph func(context.Context, GraphCall) (GraphAnswer, error)
	// Stories lists (nil) the stories that the clock plays, or begins one. Optional.
	Stories func(*StoryAsk) ([]Story, error)
	// Live lets people live through a span of time. Optional.
	Live func(from, to time.Time) (int, error)
	// Trouble makes Partner Center's webhooks go wrong. Optional.
	Trouble func(Trouble) error
	// Alerts lets Microsoft send or change alerts about Azure fraud. Optional.
	Alerts func(AlertAsk) (AlertAnswer, error)
}

const (
	maxBody = 64 << 10
	maxRows = 1000
)

type api struct {
	d    Deps
	want [32]byte
}

// New makes the handler. It panics without a secret, a clock or a gate: that
// is a mistake of the program, and an API without a secret must never serve.
func New(d Deps) http.Handler {
	if d.Secret == "" || d.Clock == nil || d.Gate == nil {
		panic("control: Secret, Clock and Gate are required")
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	a := &api{d: d, want: sha256.Sum256([]byte(d.Secret))}
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /v1/info":           a.info,
		"GET /v1/ca.pem":         a.ca,
		"GET /v1/clock":          a.clock,
		"POST /v1/clock":         a.moveClock,
		"GET /v1/faults":         a.faults,
		"POST /v1/faults":        a.inject,
		"DELETE /v1/faults":      a.clear,
		"DELETE /v1/faults/{id}": a.clear,
		"GET /v1/requests":       a.requests,
		"GET /v1/log/signins":    a.signIns,
		"POST /v1/keys/rollover": a.rollover,
		"GET /v1/enforcement":    a.enforcement,
		"POST /v1/enforcement":   a.enforcement,
		"POST /v1/graph":         a.graph,
		"GET /v1/stories":        a.stories,
		"POST /v1/stories":       a.stories,
		"POST /v1/alerts":        a.alerts,
		"POST /v1/webhooks":      a.webhooks,
	} {
		mux.Handle(pattern, a.adapt(f))
	}
	mux.Handle("/", a.adapt(func(_ http.ResponseWriter, r *http.Request) error {
		return problem.New(problem.NotFound, "the control API has no %s %.80q", r.Method, r.URL.Path)
	}))
	return a.guard(mux)
}

// guard lets in who is on this machine, means this machine, and knows the
// secret.
func (a *api) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(gate.BannerHeader, gate.Banner)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		if !loopbackPeer(r.RemoteAddr) || !loopbackHost(r.Host) {
			tell(w, http.StatusForbidden, "forbidden", "the control API answers this machine only, under a loopback address", "")
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(got[:], a.want[:]) != 1 || !strings.EqualFold(scheme, "Bearer") {
			h.Set("WWW-Authenticate", `Bearer realm="Partner cloud control"`)
			tell(w, http.StatusUnauthorized, "unauthorized", "the control API needs its secret", "it is in the control file of the running partner cloud")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func loopbackPeer(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// loopbackHost says whether a Host header names loopback literally.
func loopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// adapt renders errors, in one place.
func (a *api) adapt(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		status, kind, message := http.StatusInternalServerError, problem.Internal, "the partner cloud made a mistake"
		p, ours := errors.AsType[*problem.Error](err)
		if ours {
			kind, message = p.Kind, err.Error()
		}
		switch {
		case errors.As(err, new(*http.MaxBytesError)):
			status, kind, message = http.StatusRequestEntityTooLarge, problem.Limit, "the body is over "+strconv.Itoa(maxBody)+" bytes"
		case kind == problem.Usage || kind == problem.BadInput:
			status = http.StatusBadRequest
		case kind == problem.NotFound:
			status = http.StatusNotFound
		case kind == problem.Limit:
			status = http.StatusConflict
		default:
			a.d.Logger.Error("control request", "path", r.URL.Path, "error", err)
		}
		tell(w, status, string(kind), message, problem.HintOf(err))
	})
}

func tell(w http.ResponseWriter, status int, kind, message, hint string) {
	var f failure
	f.Error.Kind, f.Error.Message, f.Error.Hint = kind, message, hint
	_ = write(w, status, f)
}

func write(w http.ResponseWriter, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return problem.Wrap(err, problem.Internal, "the answer cannot be written as JSON")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left is no error of ours
	return nil
}

// read decodes one JSON value of a request, strictly.
func read(r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem.New(problem.BadInput, "the body is not declared as JSON").WithHint("send Content-Type: application/json")
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return err
		}
		return problem.Wrap(err, problem.BadInput, "the body cannot be understood: %.120s", clean(err.Error()))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.BadInput, "the body holds more than one value")
	}
	return nil
}

// clean makes a decoder's words, which quote the input, printable.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f {
			return '?'
		}
		return c
	}, s)
}

func (a *api) info(w http.ResponseWriter, _ *http.Request) error {
	if a.d.Info == nil {
		return problem.New(problem.NotFound, "this partner cloud says nothing about itself")
	}
	return write(w, http.StatusOK, a.d.Info())
}

func (a *api) ca(w http.ResponseWriter, _ *http.Request) error {
	if a.d.CA == nil {
		return problem.New(problem.NotFound, "this partner cloud has no certificate authority")
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(a.d.CA())
	return nil
}

func (a *api) clock(w http.ResponseWriter, _ *http.Request) error {
	return write(w, http.StatusOK, ClockState{a.d.Clock.Now().UTC(), a.d.Clock.Frozen()})
}

func (a *api) moveClock(w http.ResponseWriter, r *http.Request) error {
	var c clockChange
	if err := read(r, &c); err != nil {
		return err
	}
	n := 0
	for _, set := range []bool{c.Jump != "", c.Set != nil, c.Freeze != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return problem.New(problem.Usage, "a change of the clock is one of jump, set and freeze").
			WithHint(`{"jump":"95d"}, {"set":"2026-12-01T00:00:00Z"}, {"freeze":true}`)
	}
	if c.People && (c.Freeze != nil || a.d.Live == nil) {
		return problem.New(problem.Usage, "people live through a jump of the clock, where there is generated history").
			WithHint(`{"jump":"8d","people":true}`)
	}
	from := a.d.Clock.Now()
	switch {
	case c.Jump != "":
		d, err := ParseDuration(c.Jump)
		if err != nil {
			return err
		}
		if _, err := a.d.Clock.Jump(d); err != nil {
			return err
		}
	case c.Set != nil:
		if err := a.d.Clock.Set(*c.Set); err != nil {
			return err
		}
	case *c.Freeze:
		a.d.Clock.Freeze()
	default:
		a.d.Clock.Thaw()
	}
	if c.People {
		if _, err := a.d.Live(from, a.d.Clock.Now()); err != nil {
			return err
		}
	}
	return a.clock(w, r)
}

func (a *api) faults(w http.ResponseWriter, _ *http.Request) error {
	list := faultList{Faults: []Fault{}}
	for _, f := range a.d.Gate.Faults() {
		list.Faults = append(list.Faults, fromGate(f))
	}
	return write(w, http.StatusOK, list)
}

func (a *api) inject(w http.ResponseWriter, r *http.Request) error {
	var f Fault
	if err := read(r, &f); err != nil {
		return err
	}
	g, err := f.Gate()
	if err != nil {
		return err
	}
	if g, err = a.d.Gate.Inject(g); err != nil {
		return err
	}
	return write(w, http.StatusCreated, fromGate(g))
}

func (a *api) clear(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if id == "" {
		id = r.URL.Query().Get("id")
	}
	n := a.d.Gate.Clear(id)
	if n == 0 && id != "" {
		return problem.New(problem.NotFound, "no fault has the id %.40q", id).WithHint("list them first")
	}
	return write(w, http.StatusOK, cleared{n})
}

func (a *api) rollover(w http.ResponseWriter, _ *http.Request) error {
	if a.d.Rollover == nil {
		return problem.New(problem.NotFound, "this partner cloud has no signing keys to roll over")
	}
	if err := a.d.Rollover(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) graph(w http.ResponseWriter, r *http.Request) error {
	if a.d.Graph == nil {
		return problem.New(problem.NotFound, "this partner cloud has no administrator")
	}
	var c GraphCall
	if err := read(r, &c); err != nil {
		return err
	}
	answer, err := a.d.Graph(r.Context(), c)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, answer)
}

func (a *api) enforcement(w http.ResponseWriter, r *http.Request) error {
	if a.d.Enforce == nil {
		return problem.New(problem.NotFound, "this partner cloud enforces nothing that could be changed")
	}
	var raw json.RawMessage
	if r.Method == http.MethodPost {
		if err := read(r, &raw); err != nil {
			return err
		}
	}
	v, err := a.d.Enforce(raw)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, v)
}
