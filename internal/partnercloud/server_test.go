package partnercloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// client trusts the CA and nothing else; through is an optional proxy.
func client(t *testing.T, s *Server, through string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(s.Info().CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	if through != "" {
		u, err := url.Parse(through)
		if err != nil {
			t.Fatal(err)
		}
		tr.Proxy = http.ProxyURL(u)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

func read(t *testing.T, res *http.Response, err error) (int, map[string]any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("X-Partner-Cloud") == "" {
		t.Errorf("%s does not say that it is local", res.Request.URL)
	}
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	return res.StatusCode, m
}

// appToken asks for an app-only token with the sample collector.
func appToken(t *testing.T, s *Server, c *http.Client, login, scope string) string {
	t.Helper()
	for _, a := range s.Info().Apps {
		if !strings.Contains(strings.ToLower(a.Name), "collector") {
			continue
		}
		res, err := c.PostForm(login+"/"+s.Info().Tenant.ID+"/oauth2/v2.0/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}, "scope": {scope}})
		code, m := read(t, res, err)
		token, _ := m["access_token"].(string)
		if code != http.StatusOK || token == "" {
			t.Fatalf("token: %d %v", code, m["error_description"])
		}
		return token
	}
	t.Fatal("there is no sample collector")
	return ""
}

func ask(t *testing.T, c *http.Client, where, token string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, where, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := c.Do(req)
	return read(t, res, err)
}

// Each way in leads to the same world.
func TestWaysIn(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	i := s.Info()
	plain := func(u string) string { return strings.Replace(u, "https://", "http://", 1) }
	for name, way := range map[string]struct {
		c            *http.Client
		login, graph string
	}{
		"TLS":               {client(t, s, ""), i.Login, i.Graph},
		"plain HTTP":        {client(t, s, ""), plain(i.Login), plain(i.Graph)},
		"production names":  {client(t, s, i.Proxy), "https://login.microsoftonline.com", "https://graph.microsoft.com"},
		"without a network": {&http.Client{Transport: s.Transport()}, "https://login.microsoftonline.com", i.Graph},
		"an older name":     {client(t, s, i.Proxy), "https://login.windows.net", "https://graph.microsoft.com"},
	} {
		token := appToken(t, s, way.c, way.login, "https://graph.microsoft.com/.default")
		code, m := ask(t, way.c, way.graph+"/v1.0/users?$top=3", token)
		if list, _ := m["value"].([]any); code != http.StatusOK || len(list) != 3 {
			t.Errorf("%s: %d %v", name, code, m)
		}
		if code, _ := ask(t, way.c, way.graph+"/v1.0/users", "x"+token); code != http.StatusUnauthorized {
			t.Errorf("%s: a broken token got %d", name, code)
		}
	}
	old := appToken(t, s, client(t, s, i.Proxy), "https://login.microsoftonline.com", "https://graph.windows.net/.default")
	if code, m := ask(t, client(t, s, i.Proxy), "https://graph.windows.net/contoso.com/users?api-version=1.6", old); code != http.StatusForbidden {
		t.Errorf("Azure AD Graph is gone: %d %v", code, m)
	}
	seen := s.Gate.Seen(gate.Filter{})
	if len(seen) == 0 {
		t.Error("nothing was seen")
	}
	raw, _ := json.Marshal(seen)
	for _, a := range i.Apps {
		if a.ClientSecret != "" && strings.Contains(string(raw), a.ClientSecret) {
			t.Error("a client secret is among the requests seen")
		}
	}
}

func TestTheWorldOutsideIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	if res, err := client(t, s, s.Info().Proxy).Get("https://example.com/"); err == nil {
		_ = res.Body.Close()
		t.Error("example.com was reached through the proxy")
	}
	if res, err := (&http.Client{Transport: s.Transport()}).Get("https://example.com/"); err == nil {
		_ = res.Body.Close()
		t.Error("example.com was reached from inside")
	}
	u, _ := url.Parse(s.Info().Proxy)
	u.User = url.UserPassword("cloud", "guess")
	if res, err := client(t, s, u.String()).Get("https://graph.microsoft.com/v1.0/me"); err == nil {
		_ = res.Body.Close()
		t.Error("the proxy took a wrong password")
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: s.CA.Pool(), ServerName: "graph.microsoft.com"}}
	c, err := d.DialContext(t.Context(), "tcp", s.Info().SNI)
	if err != nil {
		t.Fatalf("by server name: %v", err)
	}
	_ = c.Close()
	d.Config.ServerName = "example.com"
	if c, err := d.DialContext(t.Context(), "tcp", s.Info().SNI); err == nil {
		_ = c.Close()
		t.Error("a server name that is not ours got a certificate")
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // others make folders in the common one; not parallel
	for _, host := range []string{"0.0.0.0", "::", "192.0.2.1", "example.com", "10.0.0.1"} {
		if s, err := Start(t.Context(), Options{Listen: host}); err == nil {
			_ = s.Close(context.Background())
			t.Errorf("it listens on %s", host)
		} else if !strings.Contains(err.Error(), host) {
			t.Errorf("%s: %v", host, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := dirs(t)
	if _, err := Start(t.Context(), Options{Port: l.Addr().(*net.TCPAddr).Port}); err == nil || !strings.Contains(err.Error(), "port") {
		t.Errorf("a port that is taken: %v", err)
	}
	if after := dirs(t); after > before {
		t.Errorf("a start that failed left %d directories behind", after-before)
	}
}

func dirs(t *testing.T) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(os.TempDir(), "partner-cloud-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// The world, its keys, its clock and its refusals survive a restart.
func TestStateSurvives(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	first := start(t, Options{State: dir})
	if _, err := Start(t.Context(), Options{State: dir}); err == nil {
		t.Error("two clouds share a state directory")
	}
	token := appToken(t, first, client(t, first, ""), first.Info().Login, "https://graph.microsoft.com/.default")
	if _, err := first.World.Clock.Jump(20 * time.Minute); err != nil {
		t.Fatal(err)
	}
	var id string
	first.World.Read(func(s *world.State) {
		p := s.PartnerTenant()
		for u := range p.Users.All() {
			id = u.ID
			break
		}
		p.Users.Change(id, func(u *world.User) { u.Title = "Changed here" })
		s.Touch(p)
		s.Tenant(first.Info().Customers[0].ID).Name = "Renamed"
		s.Dirty()
	})
	at := first.World.Clock.Now()
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{State: dir, Seed: 9}); err == nil || !strings.Contains(err.Error(), "holds a world already") {
		t.Errorf("another seed over an old world: %v", err)
	}
	again := start(t, Options{State: dir})
	if now := again.World.Clock.Now(); now.Before(at) || now.After(at.Add(5*time.Minute)) {
		t.Errorf("the clock was at %s and is at %s", at, now)
	}
	again.World.Read(func(s *world.State) {
		if u := s.PartnerTenant().Users.Get(id); u == nil || u.Title != "Changed here" {
			t.Errorf("the change is lost: %+v", u)
		}
		if c := s.Tenant(first.Info().Customers[0].ID); c == nil || c.Name != "Renamed" {
			t.Error("the customer's change is lost")
		}
		if c := s.Tenant(first.Info().Customers[len(first.Info().Customers)-1].ID); c == nil {
			t.Error("a customer that nobody had asked for is lost")
		}
	})
	if code, m := ask(t, client(t, again, ""), again.Info().Graph+"/v1.0/users?$top=1", token); code != http.StatusOK {
		t.Errorf("a token of before the restart: %d %v", code, m)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(path, ".pem") {
			t.Errorf("%s can be read by others: %s", path, info.Mode())
		}
		text, _ := os.ReadFile(path)
		for _, p := range first.Info().People {
			if p.Password != "" && strings.Contains(string(text), p.Password) || p.TOTP != "" && strings.Contains(string(text), p.TOTP) {
				t.Errorf("%s holds the password or secret of %s", path, p.UPN)
			}
		}
		if strings.Contains(string(text), token) {
			t.Errorf("%s holds a token", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, stateFile), []byte(`{"version":1,`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{State: dir}); err == nil || !strings.Contains(err.Error(), "state") {
		t.Errorf("half a state file: %v", err)
	}
}

// A connection that says nothing, or nonsense, harms nobody.
func TestSplitHostile(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	u, _ := url.Parse(s.Info().Graph)
	for _, first := range []string{"", "\x16", "\x16\x03\x01", "\x00\x00", "GET", strings.Repeat("A", 200_000)} {
		c, err := net.Dial("tcp", "127.0.0.1:"+u.Port())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, first)
		defer c.Close()
	}
	res, err := client(t, s, "").Get(s.Info().Graph + "/v1.0/me")
	if code, _ := read(t, res, err); code != http.StatusUnauthorized {
		t.Errorf("after nonsense: %d", code)
	}
}

// A name that was made to lead here gets nothing: not a page, not a link.
func TestForeignNamesGetNothing(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	c := client(t, s, "")
	for _, service := range []string{s.Info().Login, s.Info().Graph, s.Info().PartnerCenter, s.Info().ARM, s.Info().Portal} {
		for host, want := range map[string]bool{"evil.example": false, "evil.example:443": false, "localhost.evil.example": false,
			"127.0.0.1.evil.example": false, "192.0.2.1": false, "": true, "LOCALHOST": true, "127.0.0.1:9": true, "[::1]": true, "graph.microsoft.com": true} {
			req, err := http.NewRequest(http.MethodGet, service+"/common/v2.0/.well-known/openid-configuration", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if answered := res.StatusCode != http.StatusMisdirectedRequest; answered != want || !want && strings.Contains(string(body), "evil") {
				t.Errorf("%s under %q: %d %.100s", service, host, res.StatusCode, body)
			}
		}
	}
}
