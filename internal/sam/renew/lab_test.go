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

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
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
	samAgent = labtest.SAMAgent
	nomfa    = labtest.NoMFA
	panelApp = labtest.PanelApp
	graphApp = "00000003-0000-0000-c000-000000000000"
	day      = 24 * time.Hour
)

// lab is a partner cloud whose clock stands still until a test moves it, so
// that moments can be exact, with a store and renewer over it.
type lab struct {
	*labtest.Lab
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	api   *msapi.Client
	count *counting
	trail *audittest.Recorder
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

func frozen(t testing.TB) *labtest.Lab {
	t.Helper()
	rig := labtest.Start(t)
	rig.Server.World.Clock.Freeze()
	return rig
}

func newLab(t testing.TB, d *db.DB, change ...func(*renew.Deps)) *lab {
	t.Helper()
	return labOver(t, frozen(t), d, change...)
}

func labOver(t testing.TB, rig *labtest.Lab, d *db.DB, change ...func(*renew.Deps)) *lab {
	t.Helper()
	l := bareLab(t, rig, d)
	l.keyFile = filepath.Join(t.TempDir(), "key")
	l.vault = vaulttest.At(t, d, l.keyFile)
	l.store = sam.NewStore(d, l.vault, l.now, l.cloud)
	deps := renew.Deps{Store: l.store, Authority: l.api, Record: l.trail, Settings: l.facts, Now: l.now, Pace: 10_000,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for _, f := range change {
		f(&deps)
	}
	var err error
	if l.r, err = renew.New(deps); err != nil {
		t.Fatal(err)
	}
	return l
}

// bareLab is a lab without store and renewer.
func bareLab(t testing.TB, rig *labtest.Lab, d *db.DB) *lab {
	l := &lab{Lab: rig.In(t), s: rig.Server, i: rig.Info, cloud: rig.Cloud, trail: book(d), d: d}
	l.facts = &facts{l: l}
	l.count = &counting{RoundTripper: l.s.Transport()}
	l.api = l.Client(func(o *msapi.Options) {
		o.Transport, o.Now, o.Tries, o.Wait = l.count, l.now, 1, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	l.API = l.api // what consents are redeemed by is counted, and by our clock
	return l
}

// now is our clock: the cloud's, and off by skew.
func (l *lab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Now().Add(l.skew)
}

func (l *lab) off(d time.Duration) { l.mu.Lock(); defer l.mu.Unlock(); l.skew = d }

// book remembers events, wants each in the caller's transaction, and writes a row
// of the settings there: those count what was committed.
func book(d *db.DB) *audittest.Recorder {
	return &audittest.Recorder{Each: func(ctx context.Context, e audit.Event) error {
		if d.Tx(ctx) == nil {
			return errors.New("an event outside the transaction")
		}
		_, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2)", "event-"+token.ID("e"), string(e.Action))
		return err
	}}
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
			out.Credentials = append(out.Credentials, renew.Credential{ID: k.KeyID, Kind: msapi.Certificate, Thumbprint: hex.EncodeToString(sum[:]),
				NotAfter: k.End})
		}
	})
	out.CredentialsRead, out.IP, out.Country = true, f.from, f.country
	return out, nil
}

// consent walks an account's consent and gives what capture would.
func (l *lab) consent(upn string, mfa bool) sam.Captured {
	l.Helper()
	c := l.Captured(upn, l.Grant(panelApp, upn, func(r *msapi.AuthorizeRequest) {
		r.Resource, r.Scope = "", l.cloud.PartnerCenterResource+"/user_impersonation openid profile offline_access"
		r.Prompt, r.MaxAge, r.Claims = "", 0, `{"id_token":{"auth_time":{"essential":true}}}`
		if !mfa {
			r.AMR = ""
		}
	}))
	if c.AuthTime.IsZero() {
		l.Fatal("no auth_time")
	}
	return c
}

// connect registers the app and keeps the SAM account's consent.
func (l *lab) connect() sam.Connection {
	l.Helper()
	l.Register(l.store)
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

func (l *lab) agent(f func(*world.User)) {
	l.Helper()
	l.Edit(func(_ *world.State, t *world.Tenant) { t.Users.Change(t.UserByName(samAgent).ID, f) })
}

// policy adds a Conditional Access policy, last changed now.
func (l *lab) policy(id, text string) {
	l.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		l.Fatal(err, text)
	}
	m["id"], m["modifiedDateTime"] = id, l.Now().Format(time.RFC3339Nano)
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
	l.Edit(func(_ *world.State, t *world.Tenant) {
		t.Policies.Put(&world.Document{ID: id, Raw: raw, Created: l.Now()})
	})
}

// bare takes the scenario's own policies away: what is tested stands alone.
func (l *lab) bare() {
	l.Edit(func(_ *world.State, t *world.Tenant) {
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
	_, err = l.api.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: app, Tenant: l.i.Tenant.ID, Refresh: h.Current,
		Scope: resource + "/.default"})
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
