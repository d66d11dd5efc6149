package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

const childVar = "BROKER_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		if err := child(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ok")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is somebody's program: the unmodified SDK, no word about us.
func child() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	want := os.Getenv("WANT_TENANT")
	own, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return err
	}
	chain, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return err
	}
	named, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(want)})
	if err != nil {
		return err
	}
	for name, c := range map[string]azcore.TokenCredential{"ManagedIdentityCredential": own, "DefaultAzureCredential": chain, "the customer as its identity": named} {
		t, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if left := time.Until(t.ExpiresOn); left < 10*time.Minute || left > 24*time.Hour {
			return fmt.Errorf("%s: expires in %v", name, left)
		}
		if seen := claim.Inspect(secret.New(t.Token)); seen.Tenant != want || !slices.Contains(seen.AMR, "mfa") {
			return fmt.Errorf("%s: a token of tenant %s with amr %v", name, seen.Tenant, seen.AMR)
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("GRAPH")+"/v1.0/users?$top=2", nil)
		req.Header.Set("Authorization", "Bearer "+t.Token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var page struct{ Value []any }
		err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&page)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || len(page.Value) != 2 {
			return fmt.Errorf("%s: %s, %d users, %v", name, res.Status, len(page.Value), err)
		}
	}
	_, err = own.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	if err == nil || !strings.Contains(err.Error(), "is not among") {
		return fmt.Errorf("another resource: %w", err)
	}
	return nil
}

// The app, the account and the customer of the embedded scenario.
const (
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	samAgent = "sam-agent@contoso.com"
	callback = "http://localhost:8400/callback"
)

// lab is the whole thing over the partner cloud: vault, store, trail, client,
// exchange, broker.
type lab struct {
	testing.TB
	s     *partnercloud.Server
	i     partnercloud.Info
	conn  sam.Connection
	trail *trail.Trail
	store *sam.Store
	x     *exchange.Exchange
	b     *broker.Broker
	fresh func() string // a refresh token of a consent with MFA
}

// customers resolves by what the partner cloud's description says.
type customers struct{ s *partnercloud.Server }

func (c customers) Resolve(_ context.Context, _ sam.Connection, name string) (id string, err error) {
	c.s.World.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if x := p.CustomerOf(name); x != nil {
			id = x.TenantID
		}
	})
	if id == "" {
		return "", problem.New(problem.NotFound, "%q is not a customer", name)
	}
	return id, nil
}

func newLab(t testing.TB) *lab {
	t.Helper()
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Unthrottled: true, NoLag: true, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	l := &lab{TB: t, s: s, i: s.Info()}
	cloud := msapi.Commercial()
	cloud.Name, cloud.Authority, cloud.Graph, cloud.PartnerCenter, cloud.ARM = "partner-cloud", l.i.Login, l.i.Graph, l.i.PartnerCenter, l.i.ARM
	now := s.World.Clock.Now
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := dbtest.SQLite(t)
	l.trail, err = trail.Open(t.Context(), d, trail.Options{Now: now})
	must(err)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(keyFile(t)), vault.Options{Now: now})
	must(err)
	l.store = sam.NewStore(d, v, now, cloud)
	api := msapi.New(msapi.Options{Transport: s.Transport(), Now: now})
	t.Cleanup(api.Close)
	var appSecret string
	var who msapitest.Person
	s.World.Read(func(st *world.State) {
		appSecret = st.SeededSecret(panelApp)
		u := st.Home(samAgent).UserByName(samAgent)
		who.UPN = samAgent
		who.Password, _ = st.SeededPassword(u)
		key := st.TOTPSecret(u, u.Method(world.MethodTOTP))
		who.Code = func() string {
			_, _ = s.World.Clock.Jump(31 * time.Second) // no step is taken twice
			code, err := totp.GenerateCode(key, s.World.Clock.Now())
			must(err)
			return code
		}
	})
	_, err = l.store.AddRegistration(t.Context(), sam.Registration{ClientID: panelApp, Tenant: l.i.Tenant.ID, Name: "panel", Kind: msapi.ClientSecret}, secret.New(appSecret))
	must(err)
	app, err := l.store.App(t.Context(), panelApp)
	must(err)
	l.fresh = func() string {
		verifier := token.Verifier()
		where, err := api.AuthorizeURL(msapi.AuthorizeRequest{
			Cloud: cloud, ClientID: panelApp, Tenant: l.i.Tenant.ID, Redirect: callback, Scope: cloud.PartnerCenterResource + "/user_impersonation openid profile offline_access",
			State: token.State(), Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query", AMR: "mfa",
		})
		must(err)
		w := msapitest.NewBrowser(t, s.Transport(), l.i.Login).Open(where).SignIn(who)
		if w.Left == nil {
			t.Fatalf("the browser did not leave: %d", w.Status)
		}
		g, err := api.Redeem(t.Context(), msapi.RedeemRequest{Cloud: cloud, App: app, Tenant: l.i.Tenant.ID, Code: secret.New(w.Left.Query().Get("code")), Verifier: verifier, Redirect: callback, Scope: cloud.PartnerCenterResource + "/user_impersonation offline_access"})
		must(err)
		return g.Refresh.Reveal()
	}
	l.conn, err = l.store.Keep(t.Context(), sam.Captured{Name: "contoso", Model: sam.CSP, Cloud: cloud, Tenant: l.i.Tenant.ID, Domain: "contoso.com", ClientID: panelApp, Account: samAgent, ObjectID: "o", Proof: claim.Verdict{Answer: claim.Proven}, At: now(), Refresh: secret.New(l.fresh())})
	must(err)
	l.x, err = exchange.New(exchange.Deps{Connections: l.store, Authority: api, Resolver: customers{s}, Now: now})
	must(err)
	t.Cleanup(l.x.Close)
	l.b, err = broker.New(broker.Deps{Exchange: l.x, Trail: l.trail, DB: d, Marks: v, Now: now})
	must(err)
	return l
}

func keyFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// run starts a child under the broker and gives its words.
func (l *lab) run(c *exec.Cmd, more ...string) string {
	l.Helper()
	tailspin, err := l.x.Tenant(l.Context(), &l.conn, "tailspin.example")
	if err != nil {
		l.Fatal(err)
	}
	e, err := l.b.Local(l.Context(), broker.LocalOptions{User: "local:test", Command: filepath.Base(c.Path), Connection: "contoso", Customers: []string{"tailspin.example"}, Resources: []string{"graph"}})
	if err != nil {
		l.Fatal(err)
	}
	defer e.Close()
	ca := l.i.CAFile
	c.Env = append(e.Env(append(os.Environ(), "AZURE_CLIENT_SECRET=leads-elsewhere", "HTTP_PROXY=http://127.0.0.1:9", "http_proxy=http://127.0.0.1:9")),
		"GRAPH="+l.i.Graph, "WANT_TENANT="+tailspin, "SSL_CERT_FILE="+ca, "NODE_EXTRA_CA_CERTS="+ca)
	c.Env = append(c.Env, more...)
	out, err := c.CombinedOutput()
	if err != nil {
		l.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// Unmodified azidentity gets tokens through the local endpoint and calls Graph
// of the partner cloud; every one of them is in the trail.
func TestAzidentity(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out := l.run(exec.Command(self), childVar+"=1"); out != "ok\n" {
		t.Fatal(out)
	}
	if err := l.b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for action, least := range map[audit.Action]int{audit.TokenIssued: 2, audit.TokenRefused: 1} {
		f, err := l.trail.Search(t.Context(), trail.Query{Action: string(action), Actor: "local:test"})
		if err != nil || len(f.Entries) < least {
			t.Errorf("%s: %d entries, %v", action, len(f.Entries), err)
		}
	}
	if r, err := l.trail.Verify(t.Context(), nil); err != nil || r.Bad != nil {
		t.Errorf("%+v %v", r, err)
	}
}

// The same with @azure/identity, where the packages of the conformance module
// are installed.
func TestAzureIdentityForNode(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("../../../conformance/node")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("NOT TESTED with Node: it is not installed")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		t.Skip("NOT TESTED with Node: its packages are not installed; make conformance does it")
	}
	l := newLab(t)
	c := exec.Command("node", filepath.Join(dir, "broker.mjs"))
	c.Dir = dir
	if out := l.run(c, "WAY=endpoints", "NODE_OPTIONS=", "NODE_USE_ENV_PROXY="); !strings.HasSuffix(out, "ok\n") {
		t.Fatal(out)
	}
}

// The exchange against the partner cloud's Entra ID: domains, tenants without
// consent, scopes, revocation and its healing.
func TestExchangeAgainstThePartnerCloud(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ctx := t.Context()
	ask := func(customer, resource string, scopes ...string) (exchange.Token, error) {
		return l.x.Token(ctx, exchange.Request{Connection: "contoso", Customer: customer, Resource: resource, Scopes: scopes, Caller: "t"})
	}
	for _, c := range []struct{ customer, resource string }{{"", "partner-center"}, {"partner", "graph"}, {"tailspin.example", "graph"}, {"tailspin.example", "arm"}} {
		tok, err := ask(c.customer, c.resource)
		if err != nil {
			t.Errorf("%s at %q: %v", c.resource, c.customer, err)
			continue
		}
		seen := claim.Inspect(tok.Access)
		if !slices.Contains(seen.Audience, tok.Resource) || !strings.EqualFold(seen.Tenant, tok.Tenant) || seen.App != panelApp || len(tok.Scopes) == 0 || tok.Expires.Before(l.s.World.Clock.Now()) {
			t.Errorf("%s at %q: %+v, scopes %v", c.resource, c.customer, seen, tok.Scopes)
		}
	}
	if tok, err := ask("tailspin.example", "graph", "User.Read"); err != nil || !slices.Contains(tok.Scopes, "User.Read") {
		t.Errorf("named scope: %v %v", tok.Scopes, err)
	}
	if _, err := ask("nobody.example", "graph"); err == nil {
		t.Error("a token for nobody's tenant")
	}
	a, err := l.x.Access(ctx, l.conn.ID, "tailspin.example", "https://graph.microsoft.com")
	if err != nil || len(a) == 0 {
		t.Error(a, err)
	}
	// Revoked: what is asked for now is refused; a new consent heals it.
	if err := l.s.World.Do(func(s *world.State) error {
		home := s.Home(samAgent)
		s.EndSessions(home.ID, home.UserByName(samAgent).ID, "revoked")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var refused *msapi.TokenError
	if _, err := ask("adatum.example", "graph"); !errors.As(err, &refused) || refused.Transient || refused.Code == 0 {
		t.Fatalf("after the sessions were revoked: %v", err)
	}
	_, err = l.store.Keep(ctx, sam.Captured{Name: "contoso", Model: sam.CSP, Cloud: l.conn.Cloud, Tenant: l.i.Tenant.ID, ClientID: panelApp, Account: samAgent, ObjectID: "o", Proof: claim.Verdict{Answer: claim.Proven}, At: l.s.World.Clock.Now(), Refresh: secret.New(l.fresh())})
	if err != nil {
		t.Fatal(err)
	}
	l.x.Forget(l.conn.ID)
	if _, err := ask("adatum.example", "graph"); err != nil {
		t.Errorf("after it was healed: %v", err)
	}
}
