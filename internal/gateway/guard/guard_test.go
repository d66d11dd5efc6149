package guard

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/gateway"
)

const (
	partner = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	another = "9a8b7c6d-0000-4000-8000-000000000003"
	robotID = "3d5e7a90-0000-4000-8000-00000000000c"
	adaID   = "3d5e7a90-0000-4000-8000-0000000000aa"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// people are what the verifier of these tests takes, by their token.
var people = map[string]*gateway.Identity{
	"good":    {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", ObjectID: adaID, App: robotID, Proven: true},
	"weak":    {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", ObjectID: adaID, App: robotID, Lacks: gateway.SingleFactor},
	"excused": {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", ObjectID: another, App: robotID, Lacks: gateway.SingleFactor},
	"foreign": {Way: gateway.ByBearer, Tenant: another, Audience: "api://a", ObjectID: adaID, Proven: true},
	"robot":   {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", App: robotID, IsApp: true},
	"old":     {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", ObjectID: adaID, Proven: true},
	"gone":    {Way: gateway.ByBearer, Tenant: partner, Audience: "api://a", ObjectID: adaID, Proven: true, Session: "gone"},
}

type world struct {
	full bool
	mu   sync.Mutex
	book []gateway.Decision
}

func (w *world) Verify(token string, _ netip.Addr, _ time.Time) (*gateway.Identity, gateway.Reason) {
	switch id := people[token]; {
	case token == "old":
		return id, gateway.Expired
	case token == "nobody":
		return nil, gateway.Passed // a verifier that is wrong
	case id == nil:
		return nil, gateway.Malformed
	default:
		return id, gateway.Passed
	}
}

func (w *world) Open(_, cookie string, _ time.Time) (*gateway.Identity, gateway.Reason) {
	name, ok := strings.CutPrefix(cookie, "pg=")
	id := people[name]
	if !ok || id == nil {
		return nil, gateway.NoToken
	}
	s := *id
	s.Way, s.Audience = gateway.BySession, "the sign-in's app"
	return &s, gateway.Passed
}

func (w *world) Revoked(id *gateway.Identity, _ time.Time) bool { return id.Session == "gone" }

func (w *world) Note(d *gateway.Decision, _ *gateway.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.book = append(w.book, *d)
}

func (w *world) Full() bool { return w.full }

func read(tb testing.TB, routes string) *gateway.Table {
	tb.Helper()
	f, err := gateway.Read([]byte(`version: 1
listen: [{at: 127.0.0.1:8480}]
authorities: [{cloud: public}]
tenants: [`+partner+`]
signIn: {app: `+robotID+`, secret: s}
routes:
`+routes), gateway.Names{Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	return f.Compile(1)
}

// modes is a host for each mode, each with an exception.
func modes(tb testing.TB) *gateway.Table {
	var b strings.Builder
	for _, m := range []string{"off", "report", "ramp 99%", "enforce"} {
		fmt.Fprintf(&b, `  - name: %[1]s
    host: %[1]s.example
    upstream: http://127.0.0.1:9000
    audiences: ["api://a"]
    callers: [api, browser]
    mode: %[2]s
    trail: %[3]s
    exceptions: [{name: e, account: %[4]s, owner: o, why: w, until: 2026-12-31}]
`, strings.Fields(m)[0], m, "full", another)
	}
	return read(tb, b.String())
}

func request(host, token string) *gateway.Request {
	r := &gateway.Request{Method: "GET", Host: host, Path: "/x", Remote: netip.MustParseAddr("192.0.2.7"), Now: now}
	if token != "" {
		r.Authorization = "Bearer " + token
	}
	return r
}

func guardOf(tb testing.TB, w *world) *Guard {
	tb.Helper()
	g, err := New(Deps{Verifier: w, Sessions: w, Revocations: w, Book: w})
	if err != nil {
		tb.Fatal(err)
	}
	g.Take(modes(tb))
	return g
}

func TestJudge(t *testing.T) {
	t.Parallel()
	w := &world{}
	g := guardOf(t, w)
	none := func(*gateway.Request) {}
	for _, c := range []struct {
		host, token string
		change      func(*gateway.Request)
		want        gateway.Reason
		refused     string // in which modes: r(eport), m (ramp), e(nforce)
		told        bool   // the upstream is told who it is
	}{
		{"", "good", none, gateway.Passed, "", true},
		{"", "", none, gateway.NoToken, "me", false},
		{"", "weak", none, gateway.SingleFactor, "me", true},
		{"", "foreign", none, gateway.ForeignTenant, "me", false},
		{"", "robot", none, gateway.AppNotAllowed, "me", true},
		{"", "old", none, gateway.Expired, "me", false},
		{"", "gone", none, gateway.Revoked, "me", false},
		{"", "nobody", none, gateway.NoToken, "me", false},
		{"", "junk", none, gateway.Malformed, "me", false},
		{"", "excused", none, gateway.SingleFactor, "", true},
		{"", "good", func(r *gateway.Request) { r.Doubled = true }, gateway.TooManyTokens, "rme", false},
		{"", "", func(r *gateway.Request) { r.Cookie = "pg=good" }, gateway.Passed, "", true},
		{"", "", func(r *gateway.Request) { r.Cookie = "pg=weak" }, gateway.SingleFactor, "me", true},
		{"", "", func(r *gateway.Request) { r.Cookie, r.Authorization = "pg=good", "Basic YTpi" }, gateway.Passed, "", true},
		{"", "junk", func(r *gateway.Request) { r.Cookie = "pg=good" }, gateway.Malformed, "me", false}, // a session never mends a token
		{"", "", func(r *gateway.Request) { r.Authorization = "Basic YTpi" }, gateway.NoToken, "me", false},
		{"", "", func(r *gateway.Request) { r.Authorization = "bEaReR good" }, gateway.Passed, "", true},
		{"", "", func(r *gateway.Request) { r.Authorization = "Bearer\tgood" }, gateway.Malformed, "me", false},
		{"", "", func(r *gateway.Request) { r.Authorization = "Bearer  good" }, gateway.Malformed, "me", false},
		{"", "", func(r *gateway.Request) { r.Authorization, r.Cookie = "Bearer", "pg=good" }, gateway.Malformed, "me", false},
		{"", "", func(r *gateway.Request) { r.Authorization = "Bearergood" }, gateway.NoToken, "me", false},
	} {
		for mode, letter := range map[string]string{"off": "o", "report": "r", "ramp": "m", "enforce": "e"} {
			r := request(mode+".example", c.token)
			c.change(r)
			d := g.Judge(r)
			want, told, refused := c.want, c.told, strings.Contains(c.refused, letter)
			if mode == "off" {
				want, told, refused = gateway.Passed, false, false
			}
			if mode == "ramp" && refused && want != gateway.TooManyTokens {
				refused = Share("ramp", d.Identity, r.Remote) < 99
			}
			if d.Reason != want || d.Refused != refused || (d.Told() != nil) != told || d.Route == nil || d.Phase.Mode.String() != mode ||
				(d.Excused != nil) != (c.token == "excused" && mode != "off") {
				t.Errorf("%s %q %q %q: %s refused %v told %v excused %v, want %s %v %v", mode, c.token, r.Authorization, r.Cookie,
					d.Reason, d.Refused, d.Told() != nil, d.Excused, want, refused, told)
			}
		}
	}
	w.book = nil
	if d := g.Judge(request("other.example", "good")); d.Reason != gateway.NoRoute || !d.Refused || d.Route != nil {
		t.Errorf("%+v", d)
	}
	if d := g.Judge(&gateway.Request{Host: "off.example", Path: "x", Now: now}); d.Reason != gateway.BadRequest || !d.Refused {
		t.Errorf("%+v", d)
	}
	if len(w.book) != 2 || w.book[0].Reason != gateway.NoRoute || w.book[1].Reason != gateway.BadRequest {
		t.Errorf("%+v", w.book)
	}
}

func TestCallersOfARoute(t *testing.T) {
	t.Parallel()
	w := &world{}
	g := guardOf(t, w)
	g.Take(read(t, `  - {name: api, host: api.example, upstream: "http://127.0.0.1", audiences: ["api://a"], mode: enforce}
  - {name: web, host: web.example, upstream: "http://127.0.0.1", callers: [browser], mode: enforce}
`))
	withCookie := func(host, token string) *gateway.Request {
		r := request(host, token)
		r.Cookie = "pg=good"
		return r
	}
	for _, c := range []struct {
		r    *gateway.Request
		want gateway.Reason
	}{
		{request("api.example", "good"), gateway.Passed}, {withCookie("api.example", ""), gateway.NoToken}, {withCookie("web.example", ""), gateway.Passed},
		{request("web.example", "good"), gateway.NoToken}, {withCookie("web.example", "good"), gateway.NoToken},
	} {
		if d := g.Judge(c.r); d.Reason != c.want {
			t.Errorf("%s %q %q: %s, want %s", c.r.Host, c.r.Authorization, c.r.Cookie, d.Reason, c.want)
		}
	}
	bare, err := New(Deps{Verifier: w})
	if err != nil {
		t.Fatal(err)
	}
	if d := bare.Judge(request("api.example", "good")); d.Reason != gateway.NoRoute || !d.Refused {
		t.Errorf("before any table: %+v", d)
	}
	bare.Take(g.Table())
	if d := bare.Judge(withCookie("web.example", "")); d.Reason != gateway.NoToken || !d.Refused {
		t.Errorf("without sessions: %+v", d)
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("a guard without a verifier")
	}
}

// TestFullTrail: a route that wants everything written down refuses when it cannot be.
func TestFullTrail(t *testing.T) {
	t.Parallel()
	w := &world{full: true}
	g := guardOf(t, w)
	for _, token := range []string{"good", "excused"} {
		if d := g.Judge(request("enforce.example", token)); d.Reason != gateway.TrailFull || !d.Refused || d.Excused != nil {
			t.Errorf("%+v", d)
		}
		if d := g.Judge(request("report.example", token)); d.Reason != gateway.TrailFull || d.Refused || d.Told() == nil {
			t.Errorf("%+v", d)
		}
	}
	if d := g.Judge(request("enforce.example", "weak")); d.Reason != gateway.SingleFactor {
		t.Errorf("%s", d.Reason)
	}
	table := modes(t)
	for _, r := range table.Routes {
		r.FullTrail = false
	}
	g.Take(table)
	if d := g.Judge(request("enforce.example", "good")); d.Reason != gateway.Passed || d.Refused {
		t.Errorf("%+v", d)
	}
}

// TestPhases: the same request before and after its route's date.
func TestPhases(t *testing.T) {
	t.Parallel()
	g := guardOf(t, &world{})
	g.Take(read(t, `  - {name: a, upstream: "http://127.0.0.1", audiences: ["api://a"], mode: report, next: [{mode: enforce, from: 2026-12-07}]}
`))
	r := request("a.example", "weak")
	if d := g.Judge(r); d.Refused || d.Reason != gateway.SingleFactor || d.Next == nil || d.Next.Mode != gateway.Enforce {
		t.Errorf("%+v", d)
	}
	r.Now = time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)
	if d := g.Judge(r); !d.Refused || d.Next != nil {
		t.Errorf("%+v", d)
	}
	r.Now = r.Now.Add(-time.Nanosecond)
	if d := g.Judge(r); d.Refused {
		t.Errorf("%+v", d)
	}
}

// TestShare: the same callers always, more with each percent, and as many as it says.
func TestShare(t *testing.T) {
	t.Parallel()
	const callers = 10_000
	var users, addresses, apps [100]int
	for i := range callers {
		id := &gateway.Identity{Tenant: partner, ObjectID: fmt.Sprintf("user-%d", i)}
		s := Share("panel", id, netip.Addr{})
		if s < 0 || s > 99 || s != Share("panel", &gateway.Identity{Tenant: partner, ObjectID: id.ObjectID, App: robotID}, netip.MustParseAddr("192.0.2.1")) {
			t.Fatalf("%d, and not always", s)
		}
		users[s]++
		addresses[Share("panel", nil, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))]++
		apps[Share("panel", &gateway.Identity{IsApp: true, App: fmt.Sprintf("app-%d", i)}, netip.Addr{})]++
	}
	for name, of := range map[string][100]int{"users": users, "addresses": addresses, "apps": apps} {
		refused := 0
		for n := 1; n < 100; n++ { // a ramp of n refuses those below n
			refused += of[n-1]
			if share := 100 * float64(refused) / callers; share < float64(n)-2 || share > float64(n)+2 {
				t.Errorf("%s: a ramp of %d%% refuses %.1f%%", name, n, share)
			}
		}
	}
	six := func(s string) int { return Share("panel", nil, netip.MustParseAddr(s)) }
	if six("2001:db8::1") != six("2001:db8::ffff:2") || six("::ffff:10.0.0.1") != six("10.0.0.1") {
		t.Error("an address has several shares")
	}
	differ := 0
	for i := range 100 {
		id := &gateway.Identity{Tenant: partner, ObjectID: fmt.Sprint(i)}
		if Share("panel", id, netip.Addr{}) != Share("api", id, netip.Addr{}) {
			differ++
		}
	}
	if differ < 80 {
		t.Error("the same people are first on every route")
	}
}

// TestRampRefusesItsShare goes through the guard.
func TestRampRefusesItsShare(t *testing.T) {
	t.Parallel()
	g := guardOf(t, &world{})
	refused := map[int]map[string]bool{}
	for _, n := range []int{5, 20, 80} {
		g.Take(read(t, fmt.Sprintf("  - {name: a, upstream: \"http://127.0.0.1\", audiences: [\"api://a\"], mode: ramp %d%%}\n", n)))
		refused[n] = map[string]bool{}
		for i := range 2000 {
			r := request("a.example", "")
			r.Remote = netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)})
			if g.Judge(r).Refused {
				refused[n][r.Remote.String()] = true
			}
		}
		if share := len(refused[n]) * 100 / 2000; share < n-3 || share > n+3 {
			t.Errorf("a ramp of %d%% refuses %d%%", n, share)
		}
	}
	for _, pair := range [][2]int{{5, 20}, {20, 80}} {
		for who := range refused[pair[0]] {
			if !refused[pair[1]][who] {
				t.Errorf("%s is refused at %d%% and not at %d%%", who, pair[0], pair[1])
			}
		}
	}
}

// TestTakeUnderLoad changes the table while requests are decided: each is decided by
// one of both, whole.
func TestTakeUnderLoad(t *testing.T) {
	t.Parallel()
	w := &world{}
	g, err := New(Deps{Verifier: w, Sessions: w, Revocations: w})
	if err != nil {
		t.Fatal(err)
	}
	strict := read(t, "  - {name: strict, upstream: \"http://127.0.0.1\", audiences: [\"api://a\"], mode: enforce}\n")
	loose := read(t, "  - {name: loose, upstream: \"http://127.0.0.1\", audiences: [\"api://a\"], mode: report}\n")
	g.Take(strict)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				d := g.Judge(request("a.example", "weak"))
				if d.Route == nil || d.Refused != (d.Route.Name == "strict") || d.Reason != gateway.SingleFactor {
					t.Errorf("%+v", d)
					return
				}
			}
		})
	}
	for i := range 2000 {
		g.Take([]*gateway.Table{strict, loose}[i%2])
	}
	close(stop)
	wg.Wait()
}

type silent struct{}

func (silent) Note(*gateway.Decision, *gateway.Request) {}
func (silent) Full() bool                               { return false }

func TestJudgeAllocatesNothing(t *testing.T) {
	w := &world{}
	g, err := New(Deps{Verifier: w, Sessions: w, Revocations: w, Book: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	g.Take(modes(t))
	for _, token := range []string{"good", "weak", "excused", ""} {
		r := request("ramp.example", token)
		if n := testing.AllocsPerRun(200, func() { g.Judge(r) }); n >= 1 {
			t.Errorf("%q: %v allocations", token, n)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	w := &world{}
	g, err := New(Deps{Verifier: w, Sessions: w, Revocations: w, Book: silent{}})
	if err != nil {
		b.Fatal(err)
	}
	g.Take(modes(b))
	for _, token := range []string{"good", "weak"} {
		r := request("enforce.example:8480", token)
		b.Run(token, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.Judge(r)
			}
		})
	}
}

// rememberer tells who was asked.
type rememberer struct {
	gateway.Verifier
	asked *gateway.Memory
}

func (v *rememberer) Remember(m *gateway.Memory, token string, from netip.Addr, now time.Time) (*gateway.Identity, gateway.Reason) {
	v.asked = m
	return v.Verify(token, from, now)
}

type refuser struct{}

func (refuser) Verify(string, netip.Addr, time.Time) (*gateway.Identity, gateway.Reason) {
	return nil, gateway.Malformed
}

// A connection's memory is the verifier's to use, and changes no decision.
func TestMemoryIsHandedOn(t *testing.T) {
	t.Parallel()
	f, err := gateway.Read([]byte("version: 1\nlisten: [{at: \"127.0.0.1:1\"}]\nauthorities: [{cloud: public}]\n"+
		"tenants: [7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21]\nroutes:\n"+
		"  - {name: a, upstream: \"http://127.0.0.1:9\", audiences: [x], mode: enforce}\n"), gateway.Names{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	v := &rememberer{Verifier: refuser{}}
	g, err := New(Deps{Verifier: v})
	if err != nil {
		t.Fatal(err)
	}
	g.Take(f.Compile(1))
	for _, m := range []*gateway.Memory{nil, {}} {
		d := g.Judge(&gateway.Request{Method: "GET", Host: "a", Path: "/", Authorization: "Bearer x", Now: time.Now(), Memory: m})
		if !d.Refused || d.Reason != gateway.Malformed || v.asked != m {
			t.Errorf("with %v: %+v, asked %v", m, d, v.asked)
		}
	}
}
