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

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
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
	for name, c := range map[string]azcore.TokenCredential{"ManagedIdentityCredential": own, "DefaultAzureCredential": chain,
		"the customer as its identity": named} {
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

// lab is the whole thing over the partner cloud: vault, store, trail, client,
// exchange, broker.
type lab struct {
	*labtest.Lab
	conn  sam.Connection
	trail *trail.Trail
	store *sam.Store
	x     *exchange.Exchange
	b     *broker.Broker
}

// customers resolves by what the partner cloud's description says.
type customers struct{ *labtest.Lab }

func (c customers) Resolve(_ context.Context, _ sam.Connection, name string) (id string, err error) {
	c.Server.World.Read(func(s *world.State) {
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
	d := dbtest.SQLite(t)
	l := &lab{Lab: labtest.Start(t)}
	var v *vault.Vault
	l.trail, v = l.Keep(d)
	l.store = sam.NewStore(d, v, l.Now, l.Cloud)
	l.Register(l.store)
	l.connect()
	var err error
	if l.x, err = exchange.New(exchange.Deps{Connections: l.store, Authority: l.Client(), Resolver: customers{l.Lab}, Now: l.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.x.Close)
	if l.b, err = broker.New(broker.Deps{Exchange: l.x, Trail: l.trail, DB: d, Marks: v, Now: l.Now}); err != nil {
		t.Fatal(err)
	}
	return l
}

// connect keeps a new consent with MFA.
func (l *lab) connect() {
	l.Helper()
	c := l.Captured(labtest.SAMAgent, l.Grant(labtest.PanelApp, labtest.SAMAgent))
	c.Name = "contoso"
	var err error
	if l.conn, err = l.store.Keep(l.Context(), c); err != nil {
		l.Fatal(err)
	}
}

// run starts a child under the broker and gives its words.
func (l *lab) run(c *exec.Cmd, more ...string) string {
	l.Helper()
	tailspin, err := l.x.Tenant(l.Context(), &l.conn, "tailspin.example")
	if err != nil {
		l.Fatal(err)
	}
	e, err := l.b.Local(l.Context(), broker.LocalOptions{User: "local:test", Command: filepath.Base(c.Path), Connection: "contoso",
		Customers: []string{"tailspin.example"}, Resources: []string{"graph"}})
	if err != nil {
		l.Fatal(err)
	}
	defer e.Close()
	ca := l.Info.CAFile
	c.Env = append(e.Env(append(os.Environ(), "AZURE_CLIENT_SECRET=leads-elsewhere", "HTTP_PROXY=http://127.0.0.1:9", "http_proxy=http://127.0.0.1:9")),
		"GRAPH="+l.Info.Graph, "WANT_TENANT="+tailspin, "SSL_CERT_FILE="+ca, "NODE_EXTRA_CA_CERTS="+ca)
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
	for _, c := range []struct{ customer, resource string }{{"", "partner-center"}, {"partner", "graph"}, {"tailspin.example", "graph"},
		{"tailspin.example", "arm"}} {
		tok, err := ask(c.customer, c.resource)
		if err != nil {
			t.Errorf("%s at %q: %v", c.resource, c.customer, err)
			continue
		}
		seen := claim.Inspect(tok.Access)
		if !slices.Contains(seen.Audience, tok.Resource) || !strings.EqualFold(seen.Tenant, tok.Tenant) || seen.App != labtest.PanelApp ||
			len(tok.Scopes) == 0 || tok.Expires.Before(l.Now()) {
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
	l.Edit(func(s *world.State, home *world.Tenant) {
		s.EndSessions(home.ID, home.UserByName(labtest.SAMAgent).ID, "revoked")
	})
	var refused *msapi.TokenError
	if _, err := ask("adatum.example", "graph"); !errors.As(err, &refused) || refused.Transient || refused.Code == 0 {
		t.Fatalf("after the sessions were revoked: %v", err)
	}
	l.connect()
	l.x.Forget(l.conn.ID)
	if _, err := ask("adatum.example", "graph"); err != nil {
		t.Errorf("after it was healed: %v", err)
	}
}
