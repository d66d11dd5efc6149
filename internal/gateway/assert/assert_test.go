package assert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

var start = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

const origin = "http://127.0.0.1:9000"

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type desk struct {
	*Asserter
	now time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{now: start}
	var err error
	if d.Asserter, err = New(Deps{Key: newKey(t), Now: func() time.Time { return d.now }}); err != nil {
		t.Fatal(err)
	}
	return d
}

func user() *gateway.Identity {
	return &gateway.Identity{Way: gateway.ByBearer, Tenant: "tenant-1", ObjectID: "oid-1", Account: "zoë@contoso.example", App: "app-1", Proven: true,
		AMR:   []string{"pwd", "mfa"},
		Roles: []string{"reader", "a,b%"}, Groups: []string{"g1", "g2"}, AuthTime: start.Unix() - 60, NotAfter: start.Unix() + 3600, Session: "sid-1",
		ID: "uti-1", KeyID: "kid-1"}
}

func served(id *gateway.Identity) (*gateway.Decision, *gateway.Request) {
	return &gateway.Decision{Route: &gateway.Route{Name: "panel", Tenants: []string{"tenant-1"}}, Identity: id},
		&gateway.Request{Host: "Panel.contoso.example", TLS: true, ID: "request-1", Remote: netip.MustParseAddr("::ffff:192.0.2.7")}
}

func list(h [][2]string) map[string]string {
	out := map[string]string{}
	for _, kv := range h {
		out[kv[0]] = kv[1]
	}
	return out
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	d, r := served(user())
	got := list(newDesk(t).Headers(nil, d, r, origin))
	if got[HeaderAssertion] == "" {
		t.Error("there is no assertion")
	}
	delete(got, HeaderAssertion)
	want := map[string]string{
		HeaderRoute: "panel", HeaderRequest: "request-1", "X-Request-Id": "request-1", "X-Forwarded-Host": "Panel.contoso.example",
		"X-Forwarded-Proto": "https",
		"X-Forwarded-For":   "192.0.2.7", HeaderUser: "zo%C3%AB@contoso.example", HeaderObjectID: "oid-1", HeaderTenant: "tenant-1", HeaderApp: "app-1",
		HeaderMFA:      "true",
		HeaderAuthTime: "1796115540", HeaderRoles: "reader,a%2Cb%25", HeaderGroups: "g1,g2",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestHeadersOfOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gateway.Identity)
		header string
		want   string
	}{
		"one factor":            {func(i *gateway.Identity) { i.Proven, i.Lacks = false, gateway.SingleFactor }, HeaderMFA, "false"},
		"third party":           {func(i *gateway.Identity) { i.Proven, i.Lacks = false, gateway.ThirdPartyMFA }, HeaderMFA, "false"},
		"version hides":         {func(i *gateway.Identity) { i.Proven, i.Lacks = false, gateway.VersionHides }, HeaderMFA, "unknown"},
		"app":                   {func(i *gateway.Identity) { i.Proven, i.IsApp = false, true }, HeaderMFA, "false"},
		"app has no account":    {func(i *gateway.Identity) { i.IsApp = true }, HeaderUser, ""},
		"AOBO":                  {func(i *gateway.Identity) { i.Tenant, i.Home = "customer-1", "tenant-1" }, HeaderCustomer, "customer-1"},
		"AOBO home":             {func(i *gateway.Identity) { i.Tenant, i.Home = "customer-1", "tenant-1" }, HeaderHome, "tenant-1"},
		"guest is no customer":  {func(i *gateway.Identity) { i.Home = "tenant-2" }, HeaderCustomer, ""},
		"groups elsewhere":      {func(i *gateway.Identity) { i.Groups, i.GroupsElsewhere = nil, true }, HeaderElsewhere, "true"},
		"groups too long":       {func(i *gateway.Identity) { i.Groups = []string{strings.Repeat("g", maxList)} }, HeaderElsewhere, "true"},
		"groups too long, none": {func(i *gateway.Identity) { i.Groups = []string{strings.Repeat("g", maxList)} }, HeaderGroups, ""},
		"no age":                {func(i *gateway.Identity) { i.AuthTime = 0 }, HeaderAuthTime, ""},
		"injected": {func(i *gateway.Identity) { i.Account = "a\r\nX-Partnerguard-Mfa: true\x00\x7f b" }, HeaderUser,
			"a%0D%0AX-Partnerguard-Mfa:%20true%00%7F%20b"},
	} {
		id := user()
		c.change(id)
		d, r := served(id)
		if got := list(newDesk(t).Headers(nil, d, r, origin))[c.header]; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Who is not proven is told by nothing.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	for _, reason := range append(gateway.Reasons(), gateway.Passed) {
		d, r := served(user())
		d.Reason = reason
		if reason == gateway.Passed {
			d.Identity = nil
		}
		told := d.Told() != nil
		for name := range list(newDesk(t).Headers(nil, d, r, origin)) {
			if strings.HasPrefix(name, "X-Partnerguard-") && name != HeaderRoute && name != HeaderRequest && !told {
				t.Errorf("%s: %s is set", reason, name)
			}
		}
		if told && reason < gateway.AppNotAllowed {
			t.Errorf("%s tells an identity", reason)
		}
	}
}

func check(t *testing.T, set []byte, token, aud string, now time.Time) (map[string]any, error) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, err
	}
	if parsed.Headers[0].ExtraHeaders[jose.HeaderType] != Type {
		t.Errorf("typ is %v", parsed.Headers[0].ExtraHeaders[jose.HeaderType])
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(set, &keys); err != nil {
		t.Fatal(err)
	}
	var std jwt.Claims
	all := map[string]any{}
	if err := parsed.Claims(&keys, &std, &all); err != nil {
		return nil, err
	}
	return all, std.ValidateWithLeeway(jwt.Expected{Issuer: "https://panel.contoso.example", AnyAudience: jwt.Audience{aud}, Time: now}, 0)
}

// A library that knows nothing of us takes it, and nothing that is not ours.
func TestAssertionByLibrary(t *testing.T) {
	t.Parallel()
	a, other := newDesk(t), newDesk(t)
	d, r := served(user())
	token := list(a.Headers(nil, d, r, origin))[HeaderAssertion]
	got, err := check(t, a.KeySet(), token, origin, start)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]any{"sub": "oid-1", "upn": "zoë@contoso.example", "mfa": "true", "route": "panel", "tid": "tenant-1", "azp": "app-1",
		"app_only": false} {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	forged := strings.Split(list(other.Headers(nil, d, r, origin))[HeaderAssertion], ".")
	ours := strings.Split(token, ".")
	for name, c := range map[string]struct {
		token, aud string
		at         time.Duration
	}{
		"expired":           {token, origin, life + time.Second},
		"early":             {token, origin, -time.Minute},
		"other upstream":    {token, "http://127.0.0.1:9001", 0},
		"other key":         {strings.Join(forged, "."), origin, 0},
		"other signature":   {ours[0] + "." + ours[1] + "." + forged[2], origin, 0},
		"other payload":     {ours[0] + "." + encode([]byte(`{"sub":"x"}`)) + "." + ours[2], origin, 0},
		"unsigned":          {encode([]byte(`{"alg":"none"}`)) + "." + ours[1] + ".", origin, 0},
		"another algorithm": {encode([]byte(`{"alg":"HS256","typ":"`+Type+`"}`)) + "." + ours[1] + "." + ours[2], origin, 0},
	} {
		if _, err := check(t, a.KeySet(), c.token, c.aud, start.Add(c.at)); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestAssertionsAreToldAgain(t *testing.T) {
	t.Parallel()
	a := newDesk(t)
	d, r := served(user())
	next := func() string { return list(a.Headers(nil, d, r, origin))[HeaderAssertion] }
	first := next()
	a.now = start.Add(reuse - time.Second)
	if next() != first {
		t.Error("it is signed again within a minute")
	}
	a.now = start.Add(reuse)
	second := next()
	if second == first {
		t.Error("an old one is told")
	}
	a.now = start.Add(-time.Second)
	if next() == second {
		t.Error("one of the future is told when the clock was set back")
	}
	a.now = start
	for name, change := range map[string]func(){
		"host": func() { r.Host = "b.example" }, "identity": func() { c := *d.Identity; d.Identity = &c }, "route": func() { c := *d.Route; d.Route = &c },
		"TLS": func() { r.TLS = false },
	} {
		before := next()
		if before != next() {
			t.Errorf("%s: it is signed twice", name)
		}
		if change(); next() == before {
			t.Errorf("%s: one for another is told", name)
		}
	}
	before := next()
	if list(a.Headers(nil, d, r, "http://127.0.0.1:9001"))[HeaderAssertion] == before {
		t.Error("one for another upstream is told")
	}
}

// It is not good for longer than the token it was made of.
func TestAssertionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	a := newDesk(t)
	id := user()
	id.NotAfter = start.Unix() + 30
	d, r := served(id)
	token := list(a.Headers(nil, d, r, origin))[HeaderAssertion]
	if claims, err := check(t, a.KeySet(), token, origin, start); err != nil || claims["exp"] != float64(start.Unix()+30) {
		t.Errorf("%v: %v", err, claims)
	}
	a.now = start.Add(31 * time.Second) // within the leeway
	again := list(a.Headers(nil, d, r, origin))[HeaderAssertion]
	if _, err := check(t, a.KeySet(), again, origin, a.now); err != nil || again == token {
		t.Errorf("it is told again, or is no good: %v", err)
	}
}

func TestCacheIsBoundedAndSafe(t *testing.T) {
	t.Parallel()
	a := newDesk(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				id := user()
				d, r := served(id)
				for range 3 {
					if claims, err := check(t, a.KeySet(), list(a.Headers(nil, d, r, origin))[HeaderAssertion], origin, start); err != nil ||
						claims["oid"] != "oid-1" {
						t.Error(err, claims)
					}
				}
			}
		})
	}
	wg.Wait()
	if len(a.cache.slots) != slots {
		t.Error("it grows")
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	bare, err := New(Deps{})
	if err != nil || bare.KeySet() != nil {
		t.Fatal(err)
	}
	d, r := served(user())
	if got := list(bare.Headers(nil, d, r, origin)); got[HeaderAssertion] != "" || got[HeaderUser] == "" {
		t.Errorf("without a key: %v", got)
	}
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for _, err := range []error{second(New(Deps{Key: rsaKey})), second(New(Deps{Key: p384}))} {
		if !errors.Is(err, problem.BadInput) {
			t.Errorf("another kind of key: %v", err)
		}
	}
	if set := string(newDesk(t).KeySet()); strings.Contains(set, `"d":`) || !strings.Contains(set, `"kid":"`) || !strings.Contains(set, `"alg":"ES256"`) {
		t.Errorf("the set is %s", set)
	}
}

func second(_ *Asserter, err error) error { return err }

func BenchmarkHeaders(b *testing.B) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a, err := New(Deps{Key: k, Now: func() time.Time { return start }})
	if err != nil {
		b.Fatal(err)
	}
	d, r := served(user())
	dst := make([][2]string, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		dst = a.Headers(dst[:0], d, r, origin)
	}
}

// Both forms say the same, and nothing in a line ends it.
func TestLinesAreHeaders(t *testing.T) {
	t.Parallel()
	a := newDesk(t)
	for name, change := range map[string]func(*gateway.Decision, *gateway.Request){
		"somebody":    func(*gateway.Decision, *gateway.Request) {},
		"nobody":      func(d *gateway.Decision, _ *gateway.Request) { d.Identity, d.Reason = nil, gateway.NoToken },
		"no route":    func(d *gateway.Decision, _ *gateway.Request) { d.Route = nil },
		"no address":  func(_ *gateway.Decision, r *gateway.Request) { r.Remote, r.TLS = netip.Addr{}, false },
		"IPv6":        func(_ *gateway.Decision, r *gateway.Request) { r.Remote = netip.MustParseAddr("fe80::1%eth0") },
		"a line more": func(_ *gateway.Decision, r *gateway.Request) { r.Host = "a\r\nX-Partnerguard-Mfa: true\x00" },
	} {
		d, r := served(user())
		change(d, r)
		var want []byte
		for range 2 {
			want = want[:0]
			for _, kv := range a.Headers(nil, d, r, origin) {
				want = append(want, kv[0]+": "+strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(kv[1])+"\r\n"...)
			}
			if got := a.Lines([]byte("before\r\n"), d, r, origin); string(got) != "before\r\n"+string(want) {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// A signature of another form than DER's two numbers is told to nobody, nor is one that failed.
func TestSignerThatFails(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	for _, der := range []string{"", "x", "\x30\x06\x02\x01\x01\x02\x01\x00", "\x30\x06\x02\x01\x01\x02\x01\x01\x00",
		"\x30\x26\x02\x21\x01" + strings.Repeat("\x00", 32) + "\x02\x01\x01"} {
		a, err := New(Deps{Key: oddKey{k, der}})
		if err != nil {
			t.Fatal(err)
		}
		d, r := served(user())
		if got := list(a.Headers(nil, d, r, origin)); got[HeaderAssertion] != "" || got[HeaderUser] == "" {
			t.Errorf("%q: %v", der, got)
		}
	}
}

type oddKey struct {
	*ecdsa.PrivateKey
	der string
}

func (k oddKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	if k.der == "" {
		return nil, errors.New("no")
	}
	return []byte(k.der), nil
}

func BenchmarkSign(b *testing.B) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a, err := New(Deps{Key: k, Now: func() time.Time { return start }})
	if err != nil {
		b.Fatal(err)
	}
	d, r := served(user())
	f := factsOf(key{id: d.Identity, route: d.Route, upstream: origin, host: r.Host}, "https://panel.contoso.example", start)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.sign(&f); err != nil {
			b.Fatal(err)
		}
	}
}
