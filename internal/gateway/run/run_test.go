package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/gateway"
)

var start = time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)

const tenant = "9a8b7c6d-0000-4000-8000-000000000001"

// rig is a gateway over a file, that answers each connection with its generation.
type rig struct {
	testing.TB
	*Gateway
	path    string
	clock   atomic.Int64
	trail   *audittest.Recorder
	refuses atomic.Pointer[error]
	late    atomic.Pointer[error] // who refuses when others have taken it
	taken   atomic.Uint64
	served  sync.Map // local address: true while it is served
}

func file(routes string, listen ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\nlisten:\n")
	for _, l := range listen {
		b.WriteString("  - at: " + l + "\n")
	}
	fmt.Fprintf(&b, "authorities: [{cloud: public}]\ntenants: [%s]\nroutes:\n%s", tenant, routes)
	return b.String()
}

func route(name, mode string) string {
	return fmt.Sprintf("  - {name: %s, host: %s.example, upstream: \"http://127.0.0.1:9\", callers: [api], audiences: [\"api://x\"], mode: %s}\n",
		name, name, mode)
}

func newRig(t testing.TB, text string) *rig {
	t.Helper()
	r := &rig{TB: t, path: filepath.Join(t.TempDir(), "gateway.yaml"), trail: &audittest.Recorder{}}
	r.clock.Store(start.UnixMicro())
	r.write(text)
	var err error
	r.Gateway, err = New(Deps{
		Read: func(context.Context) (*gateway.File, error) {
			return gateway.ReadFile(r.path, gateway.Names{Now: r.now()})
		},
		Prepare: func(_ context.Context, t, before *gateway.Table) error {
			if before != nil && t.Leeway != before.Leeway {
				return errors.New("leeway stays")
			}
			if p := r.refuses.Load(); p != nil {
				return *p
			}
			return nil
		},
		Take: []func(*gateway.Table) error{func(t *gateway.Table) error { r.taken.Store(t.Generation); return nil }, func(*gateway.Table) error {
			if p := r.late.Load(); p != nil {
				return *p
			}
			return nil
		}},
		Serve: func(ctx context.Context, l net.Listener) error {
			r.served.Store(l.Addr().String(), true)
			defer r.served.Delete(l.Addr().String())
			go func() { <-ctx.Done(); _ = l.Close() }()
			for {
				c, err := l.Accept()
				if err != nil {
					return err
				}
				fmt.Fprintf(c, "%d", r.taken.Load())
				_ = c.Close()
			}
		},
		Record: r.trail, Actor: "local:test", Now: r.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop(context.Background()) })
	return r
}

func (r *rig) now() time.Time { return time.UnixMicro(r.clock.Load()).UTC() }

func (r *rig) write(text string) {
	r.Helper()
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) begin() []Where {
	r.Helper()
	where, err := r.Start(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return where
}

func (r *rig) ask(addr string) string {
	r.Helper()
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "away"
	}
	defer c.Close()
	b := make([]byte, 10)
	n, _ := c.Read(b)
	return string(b[:n])
}

func (r *rig) actions() string { return strings.Join(r.trail.Actions(), " ") }

// free gives an address that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A changed file is taken over: listeners that both have stay, the others come and go.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	a, b := free(t), free(t)
	r := newRig(t, file(route("one", "report"), a))
	if where := r.begin(); len(where) != 1 || where[0].Addr.String() != a || where[0].What != "requests" {
		t.Fatalf("%+v", where)
	}
	if _, err := r.Start(t.Context()); err == nil {
		t.Error("it was started twice")
	}
	if got := r.ask(a); got != "1" {
		t.Errorf("%q", got)
	}
	r.write(file(route("one", "report")+route("two", "off"), a, b))
	if err := r.again(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(a) + r.ask(b); got != "22" {
		t.Errorf("%q", got)
	}
	r.write(file(route("two", "report"), b))
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(a) + r.ask(b); got != "away3" {
		t.Errorf("%q", got)
	}
	if err := r.Stop(t.Context()); err != nil || r.ask(b) != "away" || r.Status().Running {
		t.Error("it goes on", err)
	}
	if got := r.actions(); got != "gateway.loaded gateway.started gateway.loaded gateway.loaded gateway.stopped" {
		t.Error(got)
	}
	if e := r.trail.Of(audit.GatewayLoaded)[1]; e.Details["modes"] != "one report, two off" || e.Object == "" {
		t.Errorf("%+v", e)
	}
}

// What is wrong with a changed file is said once, and the old one stays.
func TestKept(t *testing.T) {
	t.Parallel()
	a, taken := free(t), free(t)
	good := file(route("one", "report"), a)
	r := newRig(t, good)
	r.begin()
	other, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	no := errors.New("the verifier says no")
	for i, x := range []struct {
		text, why string
		refuses   *error
	}{
		{"version: 1\nlisten: [\n", "gateway.yaml:2: ", nil}, {file(route("one", "report")+"  - {nothing: 1}\n", a), "gateway.yaml:8: ", nil},
		{file(route("one", "off"), a, taken), "cannot be listened on", nil}, {file(route("one", "off"), a), "says no", &no},
		{strings.Replace(good, "version: 1\n", "version: 1\nleeway: 1m\n", 1), "leeway", nil},
		{strings.Replace(good, "version: 1\n", "version: 1\nforward: {at: "+taken+"}\n", 1), "forward cannot be served here", nil},
	} {
		r.write(x.text)
		r.refuses.Store(x.refuses)
		for range 3 {
			_ = r.again(t.Context(), false)
		}
		s := r.Status()
		if !strings.Contains(s.Kept.Why, x.why) || s.Kept.Since.IsZero() || r.ask(a) != "1" {
			t.Errorf("%d: %+v", i, s)
		}
		if n := len(r.trail.Of(audit.GatewayKept)); n != i+1 {
			t.Errorf("%d: it was told %d times", i, n)
		}
	}
	r.refuses.Store(nil)
	r.late.Store(&no)
	r.write(file(route("one", "off"), a, free(t)))
	if err := r.Reload(t.Context()); !errors.Is(err, no) || r.ask(a) != "1" {
		t.Errorf("what one refuses others serve by: %v %s", err, r.ask(a))
	}
	r.late.Store(nil)
	r.write(good)
	if err := r.again(t.Context(), false); err != nil || !r.Status().Kept.Since.IsZero() {
		t.Errorf("%v %+v", err, r.Status())
	}
	if got := len(r.trail.Of(audit.GatewayLoaded)); got != 1 {
		t.Errorf("the same file was taken over again: %d", got)
	}
}

// Nothing is served by a file that is broken from the start.
func TestBrokenFromTheStart(t *testing.T) {
	t.Parallel()
	a := free(t)
	r := newRig(t, file(route("one", "report"), a))
	no := errors.New("the verifier says no")
	r.refuses.Store(&no)
	if _, err := r.Start(t.Context()); err == nil || r.ask(a) != "away" || r.Status().Running {
		t.Error(err)
	}
	r.refuses.Store(nil)
	r.begin()
	if r.ask(a) != "1" {
		t.Error("it cannot be started again")
	}
}

// A mode that turns by its date is recorded, once.
func TestTurn(t *testing.T) {
	t.Parallel()
	r := newRig(t, file(strings.Replace(route("one", "report"), "mode: report", "mode: report, next: [{mode: ramp 20%, from: 2026-12-07}]", 1), free(t)))
	r.begin()
	if lines := Banner(r.Table(), r.now()); len(lines) != 1 || lines[0] != "one: one.example/, report; ramp 20% from 2026-12-07 00:00 UTC" {
		t.Errorf("%q", lines)
	}
	r.Turn(t.Context())
	r.clock.Store(time.Date(2026, 12, 7, 0, 0, 1, 0, time.UTC).UnixMicro())
	r.trail.Fail(errors.New("away"))
	r.Turn(t.Context())
	r.trail.Fail(nil)
	for range 3 {
		r.Turn(t.Context())
	}
	list := r.trail.Of(audit.GatewayTurned)
	if len(list) != 1 || list[0].Object != "one" || list[0].Details["mode"] != "ramp 20%" || list[0].Details["was"] != "report" {
		t.Errorf("%+v", list)
	}
}
