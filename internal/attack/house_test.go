package attack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/config"
	"partnerguard/internal/db"
	"partnerguard/internal/labtest"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/secret"
)

const (
	panelApp = labtest.PanelApp
	northApp = "9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6"
	graph    = "https://graph.microsoft.com"
)

// cloud is the partner cloud that all installations of a test share.
type cloud struct {
	rig     *labtest.Lab
	s       *partnercloud.Server
	thief   *thief
	secrets map[string]string // client secret: whose; does not change
	signing sync.Mutex        // one sign-in at a time
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	rig := labtest.Start(t)
	return &cloud{rig: rig, s: rig.Server, thief: newThief(t), secrets: map[string]string{
		rig.Secret(panelApp).Reveal(): "the secret of " + panelApp, rig.Secret(northApp).Reveal(): "the secret of " + northApp,
	}}
}

// lab is the cloud, for what this house's test asks of it.
func (h *house) lab() *labtest.Lab { return h.rig.In(h.TB) }

// house is one installation: a folder, and for PostgreSQL a URL.
type house struct {
	testing.TB
	*cloud
	dir    string
	url    string
	net    *wire
	more   map[string]string // settings of the environment
	serves bool              // a day has serve's jobs in it too

	// What the life of an installation is looked at by.
	first, second string // ids of the connections
	link, used    secret.Text
	invited       string // id of the invitation that waits
	waits         string // id of the approval that waits
	fabrikam      string
	callers       map[string]*x509.Certificate
	policy        []byte
}

// at is the same installation in another place.
func (h *house) at(t testing.TB, dir, url string) *house {
	out := *h
	out.TB, out.dir, out.url = t, dir, url
	// Each place sees its own traffic, and shares what is known of tokens.
	out.net = newWire(h.cloud)
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	maps.Copy(out.net.families, h.net.families)
	return &out
}

func (h *house) data() string { return filepath.Join(h.dir, "data") }
func (h *house) file() string { return filepath.Join(h.data(), "partnerguard.db") }

func (h *house) options() app.Options {
	h.Helper()
	conf := filepath.Join(h.dir, "partnerguard.yaml")
	if err := os.WriteFile(conf, []byte("anchors: [{file: "+filepath.Join(h.dir, "anchor", "checkpoints")+", every: 1m}]\n"), 0o600); err != nil {
		h.Fatal(err)
	}
	env := map[string]string{"HOME": h.dir, "PARTNERGUARD_PUBLIC_URL": "https://guard.example"}
	if h.url != "" {
		env["PARTNERGUARD_DATABASE"] = h.url
	}
	for k, v := range h.more {
		env[k] = v
	}
	getenv := func(name string) string { return env[name] }
	c, err := config.Load(config.Source{File: conf, Flags: map[string]string{"data": h.data(), "master-key": "file:" + filepath.Join(h.dir, "key"),
		"cloud": "public"}, Getenv: getenv})
	if err != nil {
		h.Fatal(err)
	}
	dial := func(o msapi.Options) *msapi.Client {
		return msapi.New(msapi.Options{Transport: h.net, Now: o.Now, Tries: 1, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	}
	return app.Options{Config: c, Actor: "local:owner", Now: h.s.World.Clock.Now, Getenv: getenv, Dial: dial}
}

// open opens the installation with the partner cloud under Microsoft's names.
func (h *house) open() (*app.Installation, error) {
	return app.Open(h.Context(), h.options())
}

func (h *house) must() *app.Installation {
	h.Helper()
	s, err := h.open()
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// build makes an installation with something in every table.
func build(t testing.TB, c *cloud, dir, url string) *house {
	t.Helper()
	h := &house{TB: t, cloud: c, dir: dir, url: url, callers: map[string]*x509.Certificate{}}
	h.net = newWire(c)
	h.ok(os.MkdirAll(filepath.Join(dir, "anchor"), 0o700))
	s := h.must()
	defer func() { h.ok(s.Close()) }()
	h.apps(s)
	h.first = h.connect(s, "contoso", panelApp, "sam-agent@contoso.com")
	h.second = h.connect(s, "northwind", northApp, "ravi.menon@contoso.com")
	for _, id := range []string{h.first, h.second} {
		held, err := s.SAM.Store.Token(t.Context(), id)
		h.ok(err)
		h.net.families[held.Current.Reveal()] = id
	}
	ctx := t.Context()
	h.fabrikam = h.lab().Customer("fabrikam.example")
	h.invitations(s)
	told, err := notify.NewTold(s.DB).Once(ctx, "warned:"+h.first, s.Now())
	if err != nil || !told {
		h.Fatal("it was told already", err)
	}
	h.ok(consent.NewIntents(s.DB, s.Vault).Begin(ctx, consent.Intent{Connection: h.first, Customer: h.fabrikam, App: panelApp,
		Grants: []msapi.ConsentGrant{{Resource: "00000003-0000-0000-c000-000000000000", Scopes: []string{"User.Read.All"}}}, Since: s.Now()}))
	h.fill(s)
	h.ask(s)
	r, err := s.SAM.Renewer()
	h.ok(err)
	for _, id := range []string{h.first, h.second} { // a generation kept beside the newest, and a forecast
		res, err := r.Once(ctx, id)
		if h.ok(err); res.Outcome != "renewed" {
			t.Fatalf("%+v", res)
		}
	}
	if _, err := s.Keeper.Send(ctx, true); err != nil {
		t.Fatal(err)
	}
	h.net.seen() // what led here does not count
	return h
}

// apps registers one app by its secret and one by a certificate.
func (h *house) apps(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	h.lab().Register(s.SAM)
	made, err := s.SAM.MakeCertificate(ctx, sam.NewCertificate{ClientID: northApp, Tenant: "northwind-panels.example", Name: "northwind"})
	h.ok(err)
	block, _ := pem.Decode([]byte(made.Certificate))
	h.ok(h.s.World.Do(func(st *world.State) error {
		t, a := st.App(northApp)
		t.Apps.Change(a.ID, func(a *world.Application) {
			now := h.s.World.Clock.Now()
			a.Keys = append(a.Keys, world.KeyCredential{KeyID: fmt.Sprintf("0000000%d-0000-4000-8000-000000000000", len(a.Keys)), Type: "AsymmetricX509Cert",
				Usage: "Verify", Start: now.Add(-time.Hour), End: now.Add(300 * 24 * time.Hour), DER: block.Bytes})
		})
		st.Dirty()
		return nil
	}))
	// One more that waits.
	_, err = s.SAM.MakeCertificate(ctx, sam.NewCertificate{ClientID: panelApp, Tenant: "contoso.com", Name: "panel"})
	h.ok(err)
}

// connect walks a consent through the browser and gives the connection's id.
func (h *house) connect(s *app.Installation, name, client, upn string) string {
	h.Helper()
	h.signing.Lock()
	defer h.signing.Unlock()
	return h.consent(s, name, client, upn, "do", "consent", "accept", "1")
}

// consent walks a consent of the partner's own and gives the connection's id.
func (h *house) consent(s *app.Installation, name, client, upn string, press ...string) string {
	h.Helper()
	a, err := s.SAM.Store.App(h.Context(), client)
	h.ok(err)
	c, err := s.SAM.Capture()
	h.ok(err)
	return h.lab().Connect(c, capture.Request{Name: name, Cloud: s.Cloud, App: a, Actor: "local:owner"}, upn, press...).ID
}

// invitations makes one that waits and one that was used.
func (h *house) invitations(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	for _, link := range []*secret.Text{&h.link, &h.used} {
		i, where, err := s.SAM.Invite(ctx, onboard.Invitation{Tenant: "contoso.com", ClientID: northApp, Name: "invited"}, 24*time.Hour)
		h.ok(err)
		*link = secret.New(where[strings.LastIndex(where, "/")+1:])
		if link == &h.link {
			h.invited = i.ID
			continue
		}
		h.ok(s.DB.InTx(ctx, func(ctx context.Context) error { return s.SAM.Invited().Use(ctx, i.ID, h.first) }))
	}
}

// fill puts something into tables that nothing of this test uses otherwise: the
// queue's, tiles of the trail, found automation, what an anchor gave back.
func (h *house) fill(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	var wg sync.WaitGroup
	for range 300 {
		wg.Go(func() {
			_ = s.Trail.Record(ctx, audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "unknown", Reason: "no caller"})
		})
	}
	wg.Wait()
	h.collected(s)
	for _, text := range []string{
		`INSERT INTO automation_items (id, body, owner, state, note, story, moved_at, quiet_to, updated, version)
			VALUES ('a-1', '{"account":"svc"}', '', 'found', '', '', 0, 0, 1, 1)`,
		`INSERT INTO collect_gaps (tenant, resource, item, from_at, to_at, since_at, closed_at, lost, reason, why, can, needs, request, run, tried_at)
			VALUES ('11111111-2222-3333-4444-555555555555', 'users', '', 0, 0, 1, 0, 0, 'permission', 'it was refused', '', 'User.Read.All', '', 'r1', 1)`,
		"INSERT INTO trail_proofs (anchor, size, at, note, proof) VALUES ('witness:https://none.example', 1, 1, 'note', CAST('0' AS blob))",
	} {
		if h.url != "" {
			text = strings.Replace(text, "AS blob", "AS bytea", 1)
		}
		_, err := s.DB.ExecContext(ctx, text)
		h.ok(err)
	}
	h.posture(s)
	h.packed(s)
	h.consoled(s)
	h.bridged(s)
	h.delegated(s)
	h.budgeted(s)
	h.gated(s)
	h.warned(s)
	h.contained(s)
	h.factored(s)
	h.alerted(s)
	h.external(s)
	s.Config.Collect.Connection = h.first
	h.ok(s.CollectNow(ctx, "partner", collect.Ask{Now: true, Only: []string{"organization", "perUserMfa", "customers"}},
		func(_ collect.Round, err error) { h.ok(err) }))
	if _, err := s.Serve(ctx, app.ServeOptions{}); err != nil {
		h.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var n int
		h.ok(s.DB.QueryRowContext(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n))
		var again int
		h.ok(s.DB.QueryRowContext(ctx, "SELECT count(*) FROM posture_rejudged").Scan(&again))
		if n >= 3 && again > 0 {
			return
		}
		if time.Now().After(end) {
			h.Fatal("the queue does nothing")
		}
	}
}

// external has a tenant served by our provider of External MFA, with its keys.
func (h *house) external(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	h.ok(s.External.Prepare(ctx, "local:owner"))
	_, err := s.External.Serve(ctx, provider.Tenant{ID: "11111111-2222-3333-4444-555555555555", Name: "Contoso",
		App: "11111111-2222-3333-4444-666666666666", Client: "desk"}, "local:owner")
	h.ok(err)
	for _, text := range []string{"INSERT INTO mfa_hints (id, until) VALUES ('x', $1)",
		"INSERT INTO mfa_counts (day, what, tenant, n, last) VALUES ('2026-11-30', 'asked', '', 1, $1)"} {
		_, err := s.DB.ExecContext(ctx, text, db.Micros(s.Now().Add(time.Hour))) // the job forgets what is over
		h.ok(err)
	}
}

// collected keeps a page in the archive, and the row of a write that did not end.
func (h *house) collected(s *app.Installation) {
	h.Helper()
	w, err := s.Archive.Begin("11111111-2222-3333-4444-555555555555")
	h.ok(err)
	h.ok(w.Add(archive.Page{
		Tenant: "11111111-2222-3333-4444-555555555555", Resource: "users", Run: "r1", Request: "GET /v1.0/users",
		Status: 200, At: time.Now(), Body: []byte(`{"value":[]}`),
	}))
	_, err = w.Commit(h.Context(), nil)
	h.ok(err)
	_, err = s.DB.ExecContext(h.Context(), "INSERT INTO archive_pending (name, object, at, size, sha256) VALUES ('x', 'segments/x', $1, 1, 'x')",
		db.Micros(s.Now()))
	h.ok(err)
}

// caller makes a client's certificate and gives its pin.
func (h *house) caller(name string) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.ok(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().
		Add(48 * time.Hour), DNSNames: []string{"guard.example"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	h.ok(err)
	h.callers[name], err = x509.ParseCertificate(der)
	h.ok(err)
	return h.subject(name)
}

// subject is what a caller proves itself by.
func (h *house) subject(name string) string {
	sum := sha256.Sum256(h.callers[name].RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}

// ask writes a policy, lets each caller ask once, and approves what one of two
// that need it asked.
func (h *house) ask(s *app.Installation) {
	h.Helper()
	approval := "\n        approval: {by: [\"local:ada\"], for: 4h}"
	text := "version: 1\ncallers:"
	for _, c := range [][2]string{{"billing", ""}, {"ops", approval}, {"waits", approval}} {
		text += fmt.Sprintf("\n  - name: %s\n    certificate: {spki: %q}\n    default: %s\n    grants:\n"+
			"      - connection: %s\n        tenants: [%s]\n        resources: [graph]%s",
			c[0], h.caller(c[0]), h.fabrikam, h.first, h.fabrikam, c[1])
	}
	text += fmt.Sprintf("\n  - name: stranger\n    certificate: {spki: %q}\n    grants:\n"+
		"      - connection: %s\n        tenants: [partner]\n        resources: [arm]\n", h.caller("stranger"), h.second)
	h.policy = []byte(text)
	door := h.door(s)
	for name, status := range map[string]int{"billing": 200, "ops": 403, "waits": 403, "stranger": 403} {
		if got := door(name); got.status != status {
			h.Fatalf("%s: %d %s", name, got.status, got.body)
		}
	}
	b, err := s.SAM.Broker()
	h.ok(err)
	p, err := broker.ParsePolicy("policy", h.policy)
	h.ok(err)
	h.ok(b.SetPolicy(p))
	list, err := b.Approvals(h.Context())
	h.ok(err)
	for _, a := range list {
		if a.Caller == "ops" {
			_, err = b.Approve(h.Context(), a.ID, "local:ada")
			h.ok(err)
		} else {
			h.waits = a.ID
		}
	}
	if got := door("ops"); got.status != 200 {
		h.Fatalf("ops: %d %s", got.status, got.body)
	}
}

// copyTo copies a closed installation's folder.
func copyTo(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		where := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(where, 0o700)
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(where, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		if cerr := out.Close(); err == nil {
			err = cerr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
