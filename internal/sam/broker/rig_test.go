package broker_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault/vaulttest"
)

const (
	home     = "aaaaaaaa-0000-4000-8000-000000000000"
	adatum   = "aaaaaaaa-0000-4000-8000-00000000000a"
	tailspin = "aaaaaaaa-0000-4000-8000-00000000000b"
	appID    = "cccccccc-0000-4000-8000-000000000001"
	graph    = "https://graph.microsoft.com"
	arm      = "https://management.azure.com"
)

// monday is a working morning.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// back is the store, the authority and the resolver behind an exchange.
type back struct {
	mu    sync.Mutex
	now   func() time.Time
	life  time.Duration
	scope string
	fail  error
	delay time.Duration
	asked int
	c     sam.Connection
}

func (s *back) Find(_ context.Context, name string) (sam.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != s.c.Name && name != s.c.ID {
		return sam.Connection{}, problem.New(problem.NotFound, "no connection is called %s", name)
	}
	return s.c, nil
}
func (s *back) Token(context.Context, string) (sam.Held, error) {
	return sam.Held{Current: secret.New("refresh-mark")}, nil
}
func (s *back) App(_ context.Context, id string) (msapi.App, error) {
	return msapi.App{ClientID: id, Credential: msapi.NewPublic()}, nil
}

func (s *back) Resolve(_ context.Context, c sam.Connection, customer string) (string, error) {
	switch customer {
	case "adatum.example", adatum:
		return adatum, nil
	case "tailspin.example", tailspin:
		return tailspin, nil
	}
	return "", problem.New(problem.NotFound, "%q is not a customer of %s", customer, c.Name)
}

func (s *back) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	s.mu.Lock()
	s.asked++
	n, delay, fail := s.asked, s.delay, s.fail
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fail != nil {
		return nil, fail
	}
	body, _ := json.Marshal(map[string]any{"tid": r.Tenant, "scp": s.scope, "n": n})
	at := s.now()
	return &msapi.Grant{Access: secret.New("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(body) + ".c2lnbmF0dXJl"), At: at,
		Expires: at.Add(s.life)}, nil
}

type rig struct {
	t       testing.TB
	b       *broker.Broker
	s       *back
	book    *audittest.Recorder
	mu      sync.Mutex
	at      time.Time
	machine time.Time
	marks   broker.Marks
}

func (r *rig) now() time.Time        { r.mu.Lock(); defer r.mu.Unlock(); return r.at }
func (r *rig) jump(d time.Duration)  { r.mu.Lock(); defer r.mu.Unlock(); r.at = r.at.Add(d) }
func (r *rig) machineNow() time.Time { return r.machine }
func (r *rig) mono() time.Duration   { return r.now().Sub(monday) + 1000*time.Hour }

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{t: t, at: monday, machine: monday, book: &audittest.Recorder{}}
	r.s = &back{now: r.now, life: time.Hour, scope: "User.Read Directory.Read.All", c: sam.Connection{
		ID: "c-1", Name: "contoso", Tenant: home, ClientID: appID, State: sam.Active, Cloud: msapi.Commercial(), Generation: 1,
	}}
	if d != nil {
		r.marks = vaulttest.Open(t, d)
	}
	var err error
	r.b, err = broker.New(broker.Deps{Exchange: r.exchange(), Trail: r.book, DB: d, Marks: r.marks, Now: r.now, Machine: r.machineNow})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) exchange() *exchange.Exchange {
	r.t.Helper()
	x, err := exchange.New(exchange.Deps{Connections: r.s, Authority: r.s, Resolver: r.s, Now: r.now, Mono: r.mono})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(x.Close)
	return x
}

func (r *rig) policy(text string) {
	r.t.Helper()
	p, err := broker.ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.b.SetPolicy(p); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) local(o broker.LocalOptions) *broker.Local {
	r.t.Helper()
	if o.User == "" {
		o.User = "local:alex"
	}
	if o.Connection == "" {
		o.Connection = "contoso"
	}
	if o.Customers == nil {
		o.Customers = []string{"adatum.example"}
	}
	if o.Resources == nil {
		o.Resources = []string{"graph"}
	}
	l, err := r.b.Local(context.Background(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = l.Close() })
	return l
}

// told are the endpoint and the header of a child's environment.
func told(l *broker.Local) (endpoint, header string) {
	for _, v := range l.Env(nil) {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "IDENTITY_ENDPOINT":
			endpoint = value
		case "IDENTITY_HEADER":
			header = value
		}
	}
	return endpoint, header
}

type reply struct {
	status int
	head   http.Header
	raw    string
	m      map[string]any
}

func (r *reply) String() string { return fmt.Sprintf("%d %s", r.status, r.raw) }

func do(t testing.TB, c *http.Client, req *http.Request) *reply {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &reply{status: res.StatusCode, head: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.m)
	return a
}

func get(t testing.TB, c *http.Client, where string, header ...string) *reply {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, where, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Add(header[i], header[i+1])
	}
	return do(t, c, req)
}
