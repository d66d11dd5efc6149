package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
)

// ordersAPI is an API of the partner's own in the default scenario.
const ordersAPI = "b3e7a1d5-64c2-4f08-9d3b-0e5a7c91f2d8"

// gated is a gateway of an installation, in front of a tool.
type gated struct {
	*watched
	tool          *httptest.Server
	file          string
	at, asked     string // where requests and other proxies' questions go
	withMFA, less string // tokens
}

// newGated starts one; version is that of the tool's tokens.
func newGated(t *testing.T, version int, rule string) *gated {
	t.Helper()
	g := &gated{watched: newWatched(t), file: filepath.Join(t.TempDir(), "gateway.yaml")}
	g.s.LabInfo().Roots = g.lab.Server.CA.Pool()
	g.reopen()
	g.lab.Edit(func(s *world.State, te *world.Tenant) {
		_, a := s.App(ordersAPI)
		next := *a
		next.TokenV2 = version == 2
		next.More = map[string]any{
			"optionalClaims": map[string]any{"accessToken": []any{map[string]any{"name": "auth_time"}, map[string]any{"name": "amr"}}},
			"api": map[string]any{"preAuthorizedApplications": []any{map[string]any{"appId": labtest.PanelApp,
				"delegatedPermissionIds": []any{a.Scopes[0].ID}}}},
		}
		s.PutApp(te, &next)
		te.Policies = world.Table[world.Document, *world.Document]{} // nobody asks for MFA
	})
	token := func(amr string) string {
		return g.lab.Grant(labtest.PanelApp, labtest.Admin, func(r *msapi.AuthorizeRequest) {
			r.Resource, r.Scope, r.AMR = "", "api://"+ordersAPI+"/.default openid", amr
		}).Access.Reveal()
	}
	g.withMFA, g.less = token("mfa"), token("")
	g.tool = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(r.Header) }))
	t.Cleanup(g.tool.Close)
	g.write(rule)
	where, err := g.s.StartGateway(t.Context(), app.GatewayRun{File: g.file})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range where {
		switch w.What {
		case "requests":
			g.at = "http://" + w.Addr.String()
		case "forward":
			g.asked = "http://" + w.Addr.String()
		}
	}
	return g
}

func (g *gated) write(rule string) {
	g.Helper()
	text := fmt.Sprintf(`version: 1
listen: [{at: "127.0.0.1:0"}]
forward: {at: "127.0.0.2:0", peers: [127.0.0.0/8]}
authorities: [{cloud: connected}]
tenants: [%s]
identity: {assertion: true}
routes:
  - {name: tool, host: tool.example, upstream: %q, callers: [api], audiences: ["api://%s", %s], %s}
`, g.lab.Info.Tenant.ID, g.tool.URL, ordersAPI, ordersAPI, rule)
	if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
		g.Fatal(err)
	}
}

// ask asks the tool, or by other proxies' door whether one may.
func (g *gated) ask(where, token string, head ...string) (*http.Response, string) {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), http.MethodGet, where, http.NoBody)
	if err != nil {
		g.Fatal(err)
	}
	r.Host = "tool.example"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.Fatal(err)
	}
	return res, string(body)
}

// The gateway of an installation, put together: report, enforce by a changed file, tokens of
// both versions, what the tool is told, other proxies, a broken file, a revocation, the report.
func TestGateway(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprintf("tokens of version %d", version), func(t *testing.T) {
			t.Parallel()
			g := newGated(t, version, "mfa: {maxAge: 1h}, mode: report")
			res, told := g.ask(g.at+"/x", g.less, "X-Partnerguard-User", "root")
			if res.StatusCode != http.StatusOK || res.Header.Get("Partnerguard-Would-Refuse") != "single-factor" ||
				!strings.Contains(told, labtest.Admin) || strings.Contains(told, "root") || !strings.Contains(told, `"X-Partnerguard-Mfa":["false"]`) {
				t.Fatalf("%d %v\n%s", res.StatusCode, res.Header, told)
			}
			g.write("mfa: {maxAge: 1h}, mode: enforce")
			if err := g.s.ReloadGateway(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.enforced()
			g.brokenFile()
			g.revoked()
			g.reported()
		})
	}
}

func (g *gated) enforced() {
	g.Helper()
	res, _ := g.ask(g.at+"/x", g.less)
	if res.StatusCode != http.StatusUnauthorized || !strings.Contains(res.Header.Get("WWW-Authenticate"), `error="insufficient_claims"`) {
		g.Errorf("a single factor got %d %v", res.StatusCode, res.Header)
	}
	if res, _ = g.ask(g.at+"/x", ""); res.StatusCode != http.StatusUnauthorized {
		g.Errorf("nobody got %d", res.StatusCode)
	}
	res, told := g.ask(g.at+"/x", g.withMFA)
	if res.StatusCode != http.StatusOK || !strings.Contains(told, `"X-Partnerguard-Mfa":["true"]`) || !strings.Contains(told, "X-Partnerguard-Assertion") {
		g.Fatalf("MFA got %d %v\n%s", res.StatusCode, res.Header, told)
	}
	original := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "tool.example", "X-Forwarded-Uri", "/x"}
	if res, _ = g.ask(g.asked+"/auth", g.withMFA, original...); res.StatusCode/100 != 2 || res.Header.Get("X-Partnerguard-User") != labtest.Admin {
		g.Errorf("another proxy got %d %v", res.StatusCode, res.Header)
	}
	if res, _ = g.ask(g.asked+"/auth", g.less, original...); res.StatusCode != http.StatusUnauthorized || res.Header.Get("X-Partnerguard-User") != "" {
		g.Errorf("another proxy got %d %v for a single factor", res.StatusCode, res.Header)
	}
}

func (g *gated) brokenFile() {
	g.Helper()
	good, err := os.ReadFile(g.file)
	if err != nil {
		g.Fatal(err)
	}
	g.write("mode: whatever")
	if err := g.s.ReloadGateway(g.Context()); err == nil || !strings.Contains(err.Error(), "whatever") {
		g.Errorf("a broken file: %v", err)
	}
	if res, _ := g.ask(g.at+"/x", g.less); res.StatusCode != http.StatusUnauthorized {
		g.Errorf("after a broken file a single factor got %d", res.StatusCode)
	}
	if err := os.WriteFile(g.file, good, 0o600); err != nil {
		g.Fatal(err)
	}
}

func (g *gated) revoked() {
	g.Helper()
	_, told := g.ask(g.at+"/x", g.withMFA)
	var head http.Header
	if err := json.Unmarshal([]byte(told), &head); err != nil {
		g.Fatal(err)
	}
	if _, err := g.s.Gateway.Revoke.Revoke(g.Context(), revoke.Revocation{Kind: revoke.User, Value: head.Get("X-Partnerguard-Object-Id"),
		Tenant: g.lab.Info.Tenant.ID, Before: g.s.Now().Add(time.Second), Why: "laptop was stolen"}, "test"); err != nil {
		g.Fatal(err)
	}
	if res, _ := g.ask(g.at+"/x", g.withMFA); res.StatusCode != http.StatusUnauthorized {
		g.Errorf("somebody revoked got %d", res.StatusCode)
	}
}

func (g *gated) reported() {
	g.Helper()
	if err := g.s.Gateway.Book.Flush(g.Context()); err != nil {
		g.Fatal(err)
	}
	now := g.s.Now()
	r, err := g.s.Gateway.Book.Report(g.Context(), ledger.Filter{Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}, nil)
	if err != nil {
		g.Fatal(err)
	}
	text, _ := json.Marshal(r)
	for _, want := range []string{"single-factor", "no-token", "revoked", labtest.Admin} {
		if !strings.Contains(string(text), want) {
			g.Errorf("the report does not tell of %q: %s", want, text)
		}
	}
	if strings.Contains(string(text), g.less[:40]) {
		g.Error("the report has a token")
	}
}
