package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/problem"
)

const (
	partner  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customer = "9a8b7c6d-0000-4000-8000-000000000002"
)

var monday = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func names() Names {
	return Names{Now: monday, Tenant: partner, Connected: &Authority{Issuers: []string{"https://login.example/" + TenantID + "/v2.0"}}}
}

func TestReadsAFile(t *testing.T) {
	t.Parallel()
	f, err := ReadFile("testdata/gateway.yaml", names())
	if err != nil {
		t.Fatal(err, problem.HintOf(err))
	}
	table := f.Compile(7)
	if table.Generation != 7 || f.Compile(8).Generation != 8 || len(table.Digest) != 64 || table.Leeway != 90*time.Second || !table.Assertion ||
		table.KeysKept != DefaultKeysKept || table.Admin != "127.0.0.1:8482" || len(table.Trusted) != 1 || len(table.Forward.Peers) != 2 {
		t.Errorf("%+v", table)
	}
	if l := table.Listen[1]; l.Certificate != "testdata/c.pem" || l.Key != "/etc/k.pem" {
		t.Errorf("%+v", l)
	}
	if a := table.Authorities; len(a) != 3 || a[0].Cloud != "connected" || a[1].Cloud != "usgov" || len(a[1].Issuers) != 2 ||
		a[2].Keys != "testdata/jwks.json" {
		t.Errorf("%+v", a)
	}
	if s := table.SignIn; s.App != "3d5e7a90-0000-4000-8000-00000000000a" || s.Secret != "gateway-signin" || s.SecretFile != "" {
		t.Errorf("%+v", s)
	}
	panel := &Route{
		Name: "panel", Hosts: []string{"panel.contoso.example"}, Path: "/", Upstream: "http://127.0.0.1:9000",
		To:      Upstream{URLs: []string{"http://127.0.0.1:9000"}},
		Tenants: []string{partner}, Audiences: []string{"api://panel", "3d5e7a90-0000-4000-8000-00000000000b"}, Bearer: true, Browser: true,
		MFA: true, Context: "c1", MaxAge: 12 * time.Hour,
		Phases: []Phase{{Mode: Report}, {Mode: Ramp, Share: 20, From: time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)},
			{Mode: Enforce, From: time.Date(2027, 1, 11, 6, 0, 0, 0, time.UTC)}},
		Exceptions: []Exception{
			{Name: "old robot", App: "3d5e7a90-0000-4000-8000-00000000000c", Owner: "Ada", Why: "the vendor has no user flow",
				Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Reasons: []Reason{AppNotAllowed}},
			{Name: "ada", Account: "ada@contoso.example", Owner: "Bob", Why: "her phone is lost", Until: time.Date(2026, 12, 3, 12, 0, 0, 0, time.UTC)}},
		Leeway: 90 * time.Second, Limits: DefaultLimits, Plain: true,
	}
	api := &Route{
		Name: "api", Hosts: []string{"api.contoso.example", "*.apps.contoso.example"}, Path: "/v1", Upstream: "https://10.0.0.7:8443",
		To: Upstream{URLs: []string{"https://10.0.0.7:8443", "https://10.0.0.8:8443"}, CA: "testdata/ca.pem", ServerName: "api.internal", Health: "/healthz",
			HTTP2: true},
		Tenants: []string{"9a8b7c6d-0000-4000-8000-000000000001"}, Audiences: []string{"api://panel"}, Bearer: true, AnyApp: true,
		Clients: []string{"3d5e7a90-0000-4000-8000-00000000000d"}, Roles: []string{"Tool.Admin", "62e90394-69f5-4237-9190-012177145e10"},
		Groups: []string{"3d5e7a90-0000-4000-8000-00000000000e"}, Customers: []string{customer}, Phases: []Phase{{Mode: Off}}, FullTrail: true,
		DropAuthorization: true, EncodedSlash: true, Preflight: true, Leeway: 90 * time.Second,
		Limits: Limits{Body: 1 << 30, Header: 64 << 10, Timeout: 2 * time.Minute, Idle: time.Hour, Parallel: 20},
	}
	everywhere := &Route{Name: "everywhere", Path: "/", Tenants: []string{partner}, Audiences: []string{"api://panel"}, Bearer: true, MFA: true,
		Apps: []string{"3d5e7a90-0000-4000-8000-00000000000c"}, AllCustomers: true, Phases: []Phase{{Mode: Enforce}}, Leeway: 90 * time.Second,
		Limits: DefaultLimits}
	if d := cmp.Diff([]*Route{panel, api, everywhere}, table.Routes); d != "" {
		t.Error(d)
	}
}

// small is a file that is right, into which faults are put.
const small = `version: 1
listen: [{at: 127.0.0.1:8480}]
authorities: [{cloud: public}]
tenants: [connected]
routes:
  - name: a
    upstream: http://127.0.0.1:9000
    audiences: ["api://a"]
    mode: report
`

// TestRefuses says what is refused, on which line, and that something is to be done.
func TestRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Read([]byte(small), names()); err != nil {
		t.Fatal(err)
	}
	for _, c := range refusals {
		raw := small + c.more
		if c.old != "" {
			if raw = strings.Replace(small, c.old, c.new, 1) + c.more; !strings.Contains(small, c.old) {
				t.Fatalf("%q is not in the file", c.old)
			}
		}
		_, err := Read([]byte(raw), names())
		want := fmt.Sprintf("gateway.yaml:%d: ", c.line)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), c.says) || problem.HintOf(err) == "" ||
			!errors.Is(err, problem.BadInput) {
			t.Errorf("%q\nis said: %v (hint: %s)\nwant %s… %s", c.new+c.more, err, problem.HintOf(err), want, c.says)
		}
	}
}

type refusal struct {
	old, new, more string
	line           int
	says           string
}

const aRoute = "    mode: report\n"

// put gives a refusal of members of the route.
func put(more, says string) refusal { return refusal{more: "    " + more + "\n", line: 10, says: says} }

var refusals = []refusal{
	{"version: 1", "version: 2", "", 1, "must be 1"},
	{"version: 1", "version: one", "", 1, ""},
	{"version: 1", "version: 1\nversion: 1", "", 2, "already defined"},
	{"listen:", "listens:", "", 2, "unknown field"},
	{"listen: [{at: 127.0.0.1:8480}]\n", "", "", 1, "no address to listen on"},
	{"127.0.0.1:8480", "8480", "", 2, "no host:port"},
	{"127.0.0.1:8480", "127.0.0.1:99999", "", 2, "no host:port"},
	{"127.0.0.1:8480", "0.0.0.0:8480", "", 2, "not this machine alone"},
	{"127.0.0.1:8480", "127.0.0.1:8480, tls: {certificate: c.pem}", "", 2, "certificate and its key"},
	{"127.0.0.1:8480", "127.0.0.1:8480, plain: true, tls: {certificate: c, key: k}", "", 2, "TLS and is plain"},
	{"[{at: 127.0.0.1:8480}]", "[{at: 127.0.0.1:8480}, {at: 127.0.0.1:8480}]", "", 2, "twice"},
	{"cloud: public", "cloud: germany", "", 3, "no cloud"},
	{"cloud: public", "cloud: public, issuers: [https://a/]", "", 3, "either a cloud"},
	{"{cloud: public}", "{cloud: public}, {cloud: public}", "", 3, "twice"},
	{"{cloud: public}", "{keys: k.json}", "", 3, "whose keys"},
	{"{cloud: public}", "{keys: k.json, issuers: [nobody]}", "", 3, "no issuer"},
	{"{cloud: public}", "", "", 3, "none"},
	{"[connected]", "[contoso]", "", 4, "no tenant's id"},
	{"[connected]", "[connected, " + partner + "]", "", 4, "twice"},
	{"tenants: [connected]", "tenants: []", "", 6, "nobody could come"},
	{"tenants: [connected]", "tenants: &x [connected]", "", 4, "anchors"},
	{"tenants:", "leeway: 11m\ntenants:", "", 4, "0s to 10m0s"}, {"tenants:", "leeway: -1s\ntenants:", "", 4, "it is -1s"},
	{"tenants:", "keysKept: 30d\ntenants:", "", 4, "it is 30d"}, {"tenants:", "leeway: soon\ntenants:", "", 4, "no duration"},
	{"tenants:", "trusted: [0.0.0.0/0]\ntenants:", "", 4, "everybody"}, {"tenants:", "trusted: [10.0.0.1/8]\ntenants:", "", 4, "no network"},
	{"tenants:", "admin: 0.0.0.0:80\ntenants:", "", 4, "this machine alone"},
	{"tenants:", "signIn: {app: x, secret: a}\ntenants:", "", 4, "no app id"},
	{"tenants:", "signIn: {app: " + partner + ", secret: \"A real secret~1\"}\ntenants:", "", 4, "no name of a secret"},
	{"tenants:", "signIn: {app: " + partner + ", secret: a, life: 1h, idle: 2h}\ntenants:", "", 4, "1m0s to 1h0m0s"},
	{"tenants:", "forward: {at: 127.0.0.1:8480}\ntenants:", "", 4, "twice"},
	{"name: a", "name: A b", "", 6, "no name"}, {"name: a", "nam: a", "", 6, "unknown field"},
	{"http://127.0.0.1:9000", "ftp://127.0.0.1", "", 7, "no address of an upstream"},
	{"http://127.0.0.1:9000", "http://u:p@127.0.0.1", "", 7, "no address of an upstream"},
	{"http://127.0.0.1:9000", "http://127.0.0.1/x", "", 7, "no address of an upstream"},
	{"http://127.0.0.1:9000", "{url: http://127.0.0.1, ca: c.pem}", "", 7, "are for TLS"},
	{"http://127.0.0.1:9000", "{url: http://127.0.0.1, urls: [http://127.0.0.2]}", "", 7, "both url and urls"},
	{"http://127.0.0.1:9000", "{url: http://127.0.0.1, health: healthz}", "", 7, "no path"},
	{"http://127.0.0.1:9000", "{url: http://127.0.0.1, timeout: 1s}", "", 7, "unknown field"},
	{"http://127.0.0.1:9000", "[http://127.0.0.1]", "", 7, "an address such as"},
	{"    upstream: http://127.0.0.1:9000\n", "", "", 6, "it has none"},
	{`["api://a"]`, `[]`, "", 8, "any API at all"}, {`["api://a"]`, `["*"]`, "", 8, "no audience"}, {`["api://a"]`, `[a, a]`, "", 8, "twice"},
	{aRoute, "", "", 6, "no mode"}, {aRoute, "    mode: on\n", "", 9, "no mode"}, {aRoute, "    mode: ramp 100%\n", "", 9, "no mode"},
	{aRoute, "    mode: ramp 0%\n", "", 9, "no mode"},
	put("host: panel.example:443", "no host"), put("host: \"*.example\"", "no host"), put("host: bücher.example", "no host"),
	{more: "    host: a.example\n    hosts: [b.example]\n", line: 11, says: "both host"}, put("hosts: [a.example, A.example]", "twice"),
	put("path: api", "no path"), put("path: /api/", "no path"), put("path: /a/../b", "no path"), put("path: /a%20b", "no path"), put("path: //", "no path"),
	put("path: /.partnerguard/x", "own pages"), put("path: /"+strings.Repeat("a/", 20)+"a", "no path"),
	put("callers: [people]", "no kind of caller"), put("callers: []", "there is none"), put("callers: [api, browser]", "no signIn"),
	put("mfa: no", "not what may stand here"), put("mfa: []", "something else stands here"), put("mfa: {claim: false}", "neither"),
	put("mfa: {context: C1}", "none"), put("mfa: {maxAge: 10s}", "it is 10s"), put("mfa: {maxage: 12h}", "unknown field"),
	put("apps: all", "nothing that may stand here"), put("apps: [x]", "no id"), put("apps: {a: b}", "a word or a list"), put("customers: any", "nothing that"),
	put("clients: ["+partner+", "+strings.ToUpper(partner)+"]", "twice"), put("roles: [\"a\\tb\"]", "no role"), put("groups: [admins]", "no id"),
	put("trail: best", "no trail"), put("authorization: hide", "neither"),
	put("limits: {body: 10}", "10"), put("limits: {body: 0MB}", "0MB"), put("limits: {header: 1KB}", "1KB"), put("limits: {timeout: 2h}", "it is 2h"),
	put("limits: {retries: 9}", "it is 9"), put("limits: {parallel: -1}", "it is -1"), put("limits: {speed: 1}", "unknown field"),
	put("next: [{mode: enforce, from: tomorrow}]", "no moment"), put("next: [{mode: off, from: 2026-12-07}]", "not harder"),
	put("next: [{mode: report, from: 2026-12-07}]", "not harder"),
	put("next: [{mode: ramp 20%, from: 2026-12-07}, {mode: ramp 10%, from: 2026-12-08}]", "not harder"),
	put("next: [{mode: ramp 20%, from: 2026-12-07}, {mode: enforce, from: 2026-12-07}]", "not after"),
	put("exceptions: [{name: x, account: a@b, owner: o, why: w}]", "has an end"),
	put("exceptions: [{name: x, account: a@b, owner: o, why: w, until: 2029-01-01}]", "too far"),
	put("exceptions: [{name: x, account: a@b, owner: o, why: w, until: soon}]", "no moment"),
	put("exceptions: [{name: x, account: a@b, why: w, until: 2026-12-31}]", "an owner"),
	put("exceptions: [{name: x, owner: o, why: w, until: 2026-12-31}]", "one account or one app"),
	put("exceptions: [{name: x, account: ada, owner: o, why: w, until: 2026-12-31}]", "no account"),
	put("exceptions: [{name: x, app: a@b, owner: o, why: w, until: 2026-12-31}]", "no app id"),
	put("exceptions: [{name: x, account: a@b, owner: o, why: w, until: 2026-12-31, reasons: [expired]}]", "nothing that can be excused"),
	put("exceptions: [{name: x, account: a@b, owner: o, why: w, until: 2026-12-31}, {name: x, account: c@d, owner: o, why: w, until: 2026-12-31}]", "twice"),
	{more: "  - {name: a, host: b.example, upstream: \"http://127.0.0.1\", audiences: [a], mode: off}\n", line: 10, says: "name of the route on line 6"},
	{more: "  - {name: b, upstream: \"http://127.0.0.1\", audiences: [a], mode: off}\n", line: 10, says: "on line 6 are the same host and path"},
	{more: "---\nversion: 1\n", line: 11, says: "another YAML document"},
	{more: "    x: [[[[[[[[[[[[[[[[[[[[[[[[", line: 10, says: "too deep"},
}

func TestRefusesRoutesThatDifferByCaseAlone(t *testing.T) {
	t.Parallel()
	raw := strings.Replace(small, "name: a\n", "name: a\n    path: /API\n", 1) +
		"  - {name: b, path: /api, upstream: \"http://127.0.0.1\", audiences: [a], mode: off}\n"
	if _, err := Read([]byte(raw), names()); err == nil || !strings.Contains(err.Error(), "the same host and path") {
		t.Error(err)
	}
}

func TestConnectedNeedsAnInstallation(t *testing.T) {
	t.Parallel()
	n := names()
	n.Tenant, n.Connected = "", nil
	if _, err := Read([]byte(small), n); err == nil || !strings.Contains(err.Error(), ":4: tenants[0]: no installation") {
		t.Error(err)
	}
	if _, err := Read([]byte(strings.Replace(small, "public", "connected", 1)), n); err == nil || !strings.Contains(err.Error(),
		":3: authorities[0].cloud: no installation") {
		t.Error(err)
	}
}

// TestLimitsOfTheFile reads the largest that is taken in bounded time, and nothing more.
func TestLimitsOfTheFile(t *testing.T) {
	t.Parallel()
	many := func(n int) []byte {
		var b strings.Builder
		b.WriteString(strings.Split(small, "routes:")[0] + "routes:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {name: r%d, path: /r%d, upstream: \"http://127.0.0.1:9000\", audiences: [a], mode: report}\n", i, i)
		}
		return []byte(b.String())
	}
	begin := time.Now()
	f, err := Read(many(MaxRoutes), names())
	if err != nil || len(f.Compile(1).Routes) != MaxRoutes {
		t.Fatal(err)
	}
	t.Logf("%d routes in %s", MaxRoutes, time.Since(begin))
	if _, err := Read(many(MaxRoutes+1), names()); err == nil || !strings.Contains(err.Error(), "at most 1000") {
		t.Error(err)
	}
	if _, err := Read([]byte(small+strings.Repeat("#", MaxFile)), names()); !errors.Is(err, problem.Limit) {
		t.Error(err)
	}
	if _, err := Read([]byte("version: \xff"), names()); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	whole, err := os.ReadFile("testdata/gateway.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(small))
	for _, c := range refusals {
		f.Add([]byte(strings.Replace(small, c.old, c.new, 1) + c.more))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Read(raw, names())
		if err != nil {
			if problem.HintOf(err) == "" && !strings.Contains(err.Error(), "not readable as YAML") {
				t.Errorf("no hint: %v", err)
			}
			return
		}
		for _, r := range file.Compile(1).Routes {
			if len(r.Tenants) == 0 || r.Bearer && len(r.Audiences) == 0 || len(r.Phases) == 0 || !r.Phases[0].From.IsZero() || !r.Bearer && !r.Browser {
				t.Errorf("a route anybody could come by: %+v", r)
			}
		}
	})
}

// What people stumble over first comes with what to do.
func TestHints(t *testing.T) {
	for text, want := range map[string]string{
		" \n": "docs/gateway-config.md", "version: 1\nlisten:\n\t- {at: x}\n": "by spaces", "version: 1\ntenants: x\n": "[one, two]",
	} {
		if _, err := Read([]byte(text), Names{Now: time.Now()}); !strings.Contains(problem.HintOf(err), want) {
			t.Errorf("%q: %v (%s)", text, err, problem.HintOf(err))
		}
	}
	_, err := ReadFile(filepath.Join(t.TempDir(), "none.yaml"), Names{Now: time.Now()})
	if !errors.Is(err, problem.NotFound) || !strings.Contains(problem.HintOf(err), "to begin with") {
		t.Errorf("%v (%s)", err, problem.HintOf(err))
	}
}

// TestManual holds the manual's example to the reader, and the tables to the form.
func TestManual(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/gateway-config.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	_, rest, _ := strings.Cut(text, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	f, err := Read([]byte(example), names())
	if err != nil || len(f.Compile(1).Routes) != 1 {
		t.Fatalf("the manual's example: %v (%s)", err, problem.HintOf(err))
	}
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	exceptions, _, _ := strings.Cut(rest, "```")
	whole := small + "    " + strings.ReplaceAll(strings.TrimSpace(exceptions), "\n", "\n    ") + "\n"
	if _, err := Read([]byte(whole), names()); err != nil {
		t.Errorf("the manual's exceptions: %v (%s)\n%s", err, problem.HintOf(err), whole)
	}
	for _, of := range []any{form{}, routeForm{}, exceptionForm{}, limitsForm{}, mfaForm{}, upstreamForm{}, signInForm{}} {
		for i := range reflect.TypeOf(of).NumField() {
			if name := reflect.TypeOf(of).Field(i).Tag.Get("yaml"); name != "" && !strings.Contains(text, name) {
				t.Errorf("the manual does not say %s", name)
			}
		}
	}
	for r := AppNotAllowed; r <= AgeUnknown; r++ {
		if !strings.Contains(text, "`"+r.String()+"`") {
			t.Errorf("the manual does not say that %s can be excused", r)
		}
	}
}
