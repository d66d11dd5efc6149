package renew_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
	"partnerguard/internal/vault/vaulttest"
)

const (
	samAgent = "sam-agent@contoso.com"
	nomfa    = "nomfa@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	callback = "http://localhost:8400/callback"
	graphApp = "00000003-0000-0000-c000-000000000000"
	day      = 24 * time.Hour
)

// lab is a partner cloud whose clock stands still until a test moves it, so
// that moments can be exact, with a store and renewer over it.
type lab struct {
	testing.TB
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	api   *msapi.Client
	count *counting
	trail *trail
	facts *facts
	d     *db.DB
	vault *vault.Vault
	store *sam.Store
	r     *renew.Renewer
	// keyFile is the vault's master key.
	keyFile string
	// skew is how far our clock is off the cloud's.
	mu    sync.Mutex
	skew  time.Duration
	other secret.Text // an access token of another account
}

func cloudOf(i partnercloud.Info) msapi.Cloud {
	c := msapi.Commercial()
	c.Name, c.Authority, c.Graph, c.PartnerCenter, c.ARM = "partner-cloud", i.Login, i.Graph, i.PartnerCenter, i.ARM
	return c
}

func startCloud(t testing.TB) *partnercloud.Server {
	t.Helper()
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Unthrottled: true, NoLag: true, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	s.World.Clock.Freeze()
	return s
}

func newLab(t testing.TB, d *db.DB, change ...func(*renew.Deps)) *lab {
	t.Helper()
	return labOver(t, startCloud(t), d, change...)
}

func labOver(t testing.TB, s *partnercloud.Server, d *db.DB, change ...func(*renew.Deps)) *lab {
	t.Helper()
	l := &lab{TB: t, s: s, i: s.Info(), cloud: cloudOf(s.Info()), trail: &trail{d: d}, d: d}
	l.facts = &facts{l: l}
	l.count = &counting{RoundTripper: s.Transport()}
	l.api = msapi.New(msapi.Options{Transport: l.count, Now: l.now, Tries: 1, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	l.keyFile = filepath.Join(t.TempDir(), "key")
	l.vault = vaulttest.At(t, d, l.keyFile)
	l.store = sam.NewStore(d, l.vault, l.now, l.cloud)
	deps := renew.Deps{Store: l.store, Authority: l.api, Record: l.trail, Settings: l.facts, Now: l.now, Pace: 10_000, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for _, f := range change {
		f(&deps)
	}
	var err error
	if l.r, err = renew.New(deps); err != nil {
		t.Fatal(err)
	}
	return l
}

// now is our clock: the cloud's, and off by skew.
func (l *lab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.World.Clock.Now().Add(l.skew)
}

func (l *lab) off(d time.Duration) { l.mu.Lock(); defer l.mu.Unlock(); l.skew = d }

func (l *lab) jump(d time.Duration) {
	l.Helper()
	if _, err := l.s.World.Clock.Jump(d); err != nil {
		l.Fatal(err)
	}
}

// trail keeps events as the audit trail does: in the caller's transaction.
type trail struct {
	d      *db.DB
	mu     sync.Mutex
	events []audit.Event
}

func (t *trail) Record(ctx context.Context, e audit.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
	if t.d.Tx(ctx) == nil {
		return errors.New("an event outside the transaction")
	}
	// A row of the settings counts what was committed.
	_, err := t.d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2)", "event-"+token.ID("e"), string(e.Action))
	return err
}

func (t *trail) actions() (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.events {
		out = append(out, string(e.Action))
	}
	return out
}

func events(t testing.TB, d *db.DB) (n int) {
	t.Helper()
	if err := d.QueryRow("SELECT count(*) FROM settings WHERE name LIKE 'event-%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// facts reads the settings from the cloud's world, as its administrators see
// them through Graph.
type facts struct {
	l       *lab
	mu      sync.Mutex
	fails   error
	from    netip.Addr
	country string
}

func (f *facts) Settings(_ context.Context, c sam.Connection) (out renew.Settings, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return out, f.fails
	}
	f.l.s.World.Read(func(s *world.State) {
		out.Tenant = s.Settings(s.PartnerTenant())
		_, app := s.App(c.ClientID)
		if app == nil {
			return
		}
		for _, p := range app.Passwords {
			out.Credentials = append(out.Credentials, renew.Credential{ID: p.KeyID, Kind: msapi.ClientSecret, NotBefore: p.Start, NotAfter: p.End})
		}
		for _, k := range app.Keys {
			sum := sha256.Sum256(k.DER)
			out.Credentials = append(out.Credentials, renew.Credential{ID: k.KeyID, Kind: msapi.Certificate, Thumbprint: hex.EncodeToString(sum[:]), NotAfter: k.End})
		}
	})
	out.CredentialsRead, out.IP, out.Country = true, f.from, f.country
	return out, nil
}

func (l *lab) secretOf(app string) (text string) {
	l.s.World.Read(func(s *world.State) { text = s.SeededSecret(app) })
	return text
}

// register makes the control panel's app known with its secret.
func (l *lab) register() {
	l.Helper()
	if _, err := l.store.AddRegistration(l.Context(), sam.Registration{ClientID: panelApp, Tenant: l.i.Tenant.ID, Name: "panel", Kind: msapi.ClientSecret}, secret.New(l.secretOf(panelApp))); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) person(upn string) msapitest.Person {
	l.Helper()
	p := msapitest.Person{UPN: upn}
	l.s.World.Read(func(s *world.State) {
		u := s.Home(upn).UserByName(upn)
		p.Password, _ = s.SeededPassword(u)
		if m := u.Method(world.MethodTOTP); m != nil {
			key := s.TOTPSecret(u, m)
			p.Code = func() string {
				l.jump(31 * time.Second) // no step is taken twice
				code, err := totp.GenerateCode(key, l.s.World.Clock.Now())
				if err != nil {
					l.Fatal(err)
				}
				return code
			}
		}
	})
	return p
}

// consent walks an account's consent and gives what capture would.
func (l *lab) consent(upn string, mfa bool) sam.Captured {
	l.Helper()
	app, err := l.store.App(l.Context(), panelApp)
	if err != nil {
		l.Fatal(err)
	}
	scope := l.cloud.PartnerCenterResource + "/user_impersonation openid profile offline_access"
	verifier := token.Verifier()
	r := msapi.AuthorizeRequest{
		Cloud: l.cloud, ClientID: panelApp, Tenant: l.i.Tenant.ID, Redirect: callback, Scope: scope, State: token.State(), Nonce: token.Nonce(),
		Challenge: token.Challenge(verifier), Mode: "query", Claims: `{"id_token":{"auth_time":{"essential":true}}}`,
	}
	if mfa {
		r.AMR = "mfa"
	}
	where, err := l.api.AuthorizeURL(r)
	if err != nil {
		l.Fatal(err)
	}
	b := msapitest.NewBrowser(l, l.s.Transport(), l.i.Login).Open(where).SignIn(l.person(upn))
	if b.Left == nil {
		l.Fatalf("the browser stayed: %d", b.Status)
	}
	g, err := l.api.Redeem(l.Context(), msapi.RedeemRequest{Cloud: l.cloud, App: app, Tenant: l.i.Tenant.ID, Code: secret.New(b.Left.Query().Get("code")), Verifier: verifier, Redirect: callback, Scope: scope})
	if err != nil {
		l.Fatal(err)
	}
	t, id := claim.Inspect(g.Access), claim.Inspect(g.ID)
	if id.AuthTime.IsZero() {
		l.Fatal("no auth_time")
	}
	return sam.Captured{
		Model: sam.CSP, Cloud: l.cloud, Tenant: l.i.Tenant.ID, Domain: l.i.Tenant.Domain, ClientID: panelApp, Account: upn, ObjectID: t.ObjectID,
		Scopes: map[string][]string{l.cloud.PartnerCenterResource: {"user_impersonation"}}, Proof: t.MFA(claim.Options{}), AuthTime: id.AuthTime, At: g.At, Refresh: g.Refresh,
	}
}

// connect registers the app and keeps the SAM account's consent.
func (l *lab) connect() sam.Connection {
	l.Helper()
	l.register()
	return l.keep(l.consent(samAgent, true))
}

func (l *lab) keep(c sam.Captured) sam.Connection {
	l.Helper()
	out, err := l.store.Keep(l.Context(), c)
	if err != nil {
		l.Fatal(err)
	}
	return out
}

func (l *lab) once(id string) renew.Result {
	l.Helper()
	res, err := l.r.Once(l.Context(), id)
	if err != nil {
		l.Fatal(err)
	}
	return res
}

func (l *lab) find(id string) sam.Connection {
	l.Helper()
	c, err := l.store.Find(l.Context(), id)
	if err != nil {
		l.Fatal(err)
	}
	return c
}

// change edits the partner tenant.
func (l *lab) change(f func(s *world.State, t *world.Tenant)) {
	l.Helper()
	if err := l.s.World.Do(func(s *world.State) error {
		t := s.PartnerTenant()
		f(s, t)
		s.Touch(t)
		s.Dirty()
		return nil
	}); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) agent(f func(*world.User)) {
	l.Helper()
	l.change(func(_ *world.State, t *world.Tenant) { t.Users.Change(t.UserByName(samAgent).ID, f) })
}

// policy adds a Conditional Access policy, last changed now.
func (l *lab) policy(id, text string) {
	l.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		l.Fatal(err, text)
	}
	m["id"], m["modifiedDateTime"] = id, l.s.World.Clock.Now().Format(time.RFC3339Nano)
	if m["displayName"] == nil {
		m["displayName"] = "Policy " + id
	}
	if m["state"] == nil {
		m["state"] = "enabled"
	}
	raw, err := json.Marshal(m)
	if err != nil {
		l.Fatal(err)
	}
	l.change(func(_ *world.State, t *world.Tenant) {
		t.Policies.Put(&world.Document{ID: id, Raw: raw, Created: l.s.World.Clock.Now()})
	})
}

// bare takes the scenario's own policies away: what is tested stands alone.
func (l *lab) bare() {
	l.change(func(_ *world.State, t *world.Tenant) {
		for _, p := range t.Policies.List() {
			t.Policies.Delete(p.ID)
		}
		t.SecurityDefaults = false
	})
}

// try asks Entra ID directly with a copy of the newest token, for a resource,
// and gives the AADSTS code: 0 is a token.
func (l *lab) try(id, resource string) int {
	l.Helper()
	h, err := l.store.Token(l.Context(), id)
	if err != nil {
		l.Fatal(err)
	}
	app, err := l.store.App(l.Context(), panelApp)
	if err != nil {
		l.Fatal(err)
	}
	_, err = l.api.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: app, Tenant: l.i.Tenant.ID, Refresh: h.Current, Scope: resource + "/.default"})
	if te, ok := errors.AsType[*msapi.TokenError](err); ok {
		if te.Code == 0 {
			l.Fatalf("refused without a code: %v %d", te, te.Status)
		}
		return te.Code
	} else if err != nil {
		l.Fatal(err)
	}
	return 0
}

// counting counts requests to the token endpoint.
type counting struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		c.n.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

func (l *lab) asked() int { return int(l.count.n.Load()) }
