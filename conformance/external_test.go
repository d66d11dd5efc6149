package conformance

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// browsing is a person at a browser without script, in plain HTTP.
type browsing struct {
	*http.Client
	t    *testing.T
	at   *url.URL
	page string
}

func browse(t *testing.T) *browsing {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browsing{Client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, t: t}
}

func (b *browsing) open(where string) { b.t.Helper(); b.took(b.Get(where)) }

func (b *browsing) took(r *http.Response, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Body.Close()
	page, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.page = r.Request.URL, string(page)
}

var (
	oneForm  = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*>.*?</form>`)
	toAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	hiddens  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// fields are the hidden ones of the first form that has a word in it.
func (b *browsing) fields(word string) (to string, out url.Values) {
	b.t.Helper()
	for _, f := range oneForm.FindAllString(b.page, -1) {
		if !strings.Contains(f, word) {
			continue
		}
		out = url.Values{}
		for _, m := range hiddens.FindAllStringSubmatch(f, -1) {
			out.Set(m[1], html.UnescapeString(m[2]))
		}
		if m := toAction.FindStringSubmatch(f); m != nil {
			to = html.UnescapeString(m[1])
		}
		where, err := b.at.Parse(to)
		if err != nil {
			b.t.Fatal(err)
		}
		return where.String(), out
	}
	b.t.Fatalf("%s has no form with %q: %.1500s", b.at.Path, word, b.page[max(0, strings.Index(b.page, "<main")):])
	return "", nil
}

// send fills in that form, and sends it.
func (b *browsing) send(word string, pairs ...string) {
	b.t.Helper()
	to, form := b.fields(word)
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	b.took(b.PostForm(to, form))
}

// TestExternalMFA has the product, as a process of its own, be the second factor of a
// person of the cloud: registered by its commands, and read by go-oidc as Entra ID's
// side reads it.
func TestExternalMFA(t *testing.T) {
	const client, what = "go-oidc", "our MFA provider's discovery, keys and id_token, in a sign-in by the cloud that ends with the MFA claim"
	if cloud.way != byEndpoints {
		note(client, what, apart) // the provider's own address is no name of Microsoft's
		return
	}
	shows(t, client, what)
	p, admin, g := newcomer(t), someone(t, "ravi.menon"), installation(t)
	issuer := g.provider(t, admin, p)
	op, err := oidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	key := g.enrol(t, p)

	a, back := program(t, "command line"), listen(t)
	b := browse(t)
	b.open(authorizeURL(cloud.Tenant.ID, a.id, back, userRead+" openid", url.Values{"amr_values": {"mfa"}}))
	b.send("loginfmt", "do", "account", "loginfmt", p.upn)
	b.send("passwd", "do", "password", "passwd", p.password)
	way := regexp.MustCompile(`value="(external:[^"]+)"`).FindStringSubmatch(b.page)
	if way == nil {
		t.Fatalf("the method is not offered: %.1500s", b.page[max(0, strings.Index(b.page, "<main")):])
	}
	b.send("external:", "do", html.UnescapeString(way[1]))
	_, asked := b.fields("id_token_hint")
	b.send("id_token_hint")
	b.send(`name="code"`, "code", code(t, person{upn: p.upn + " ours", totp: key}))
	_, answer := b.fields("id_token")
	token, err := op.Verifier(&oidc.Config{ClientID: asked.Get("client_id"), Now: func() time.Time { return clock(t) }}).
		Verify(context.WithoutCancel(t.Context()), answer.Get("id_token"))
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		AMR []string `json:"amr"`
		ACR string   `json:"acr"`
	}
	if err := token.Claims(&said); err != nil || token.Nonce != asked.Get("nonce") || len(said.AMR) != 1 || said.AMR[0] != "otp" || said.ACR == "" {
		t.Errorf("claims: %v %+v", err, said)
	}
	b.send("id_token")
	if strings.Contains(b.page, `value="leave"`) {
		b.send("leave", "do", "leave")
	}
	got := redeem(t, cloud.Tenant.ID, b.at.String(), back, userRead+" openid", app{id: a.id})
	access, _ := got["access_token"].(string)
	if access == "" {
		t.Fatalf("%v", got["error_description"])
	}
	if amr, _ := claims(t, access)["amr"].([]any); !slices.Contains(amr, any("mfa")) {
		t.Errorf("amr %v", amr)
	}
}

// newcomer is a person of the tenant without any method.
func newcomer(t *testing.T) person {
	t.Helper()
	p := person{upn: "external.mfa@" + cloud.Tenant.Domain, password: "Kestrel-91-Quarry"}
	asAdmin(t, "POST", "/v1.0/users", map[string]any{"accountEnabled": true, "displayName": "External Mfa", "mailNickname": "external.mfa",
		"userPrincipalName": p.upn, "passwordProfile": map[string]any{"password": p.password, "forceChangePasswordNextSignIn": false}}, nil)
	return p
}

// needs is a delegated permission in an app's registration.
func needs(api, permission string) map[string]any {
	return map[string]any{"resourceAppId": api, "resourceAccess": []any{map[string]any{"id": permission, "type": "Scope"}}}
}

// provider connects, registers by plan and apply for a group of one person, serves, and
// gives the issuer.
func (g *guarded) provider(t *testing.T, admin, p person) string {
	t.Helper()
	const graphAPI, centerAPI = "00000003-0000-0000-c000-000000000000", "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	var user, group, made, sp struct{ ID, AppID string }
	var secret struct{ SecretText string }
	asAdmin(t, "GET", "/v1.0/users/"+p.upn+"?$select=id", nil, &user)
	asAdmin(t, "POST", "/v1.0/groups", map[string]any{"displayName": "External MFA conformance", "mailEnabled": false, "mailNickname": "eamconf",
		"securityEnabled": true, "members@odata.bind": []string{cloud.Graph + "/v1.0/directoryObjects/" + user.ID}}, &group)
	asAdmin(t, "POST", "/v1.0/applications", map[string]any{"displayName": "Registrar",
		"web":                    map[string]any{"redirectUris": []string{"http://localhost"}},
		"requiredResourceAccess": []any{needs(graphAPI, "e1fe6dd8-ba31-4d61-89e7-88639da4683d"), needs(centerAPI, "1cebfa2a-fb4d-419e-b5f9-839b4383e05a")}}, &made)
	asAdmin(t, "POST", "/v1.0/applications/"+made.ID+"/addPassword", map[string]any{}, &secret)
	asAdmin(t, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": made.AppID}, &sp)
	for api, scopes := range map[string]string{centerAPI: "user_impersonation", graphAPI: "openid profile email offline_access User.Read " +
		"Application.ReadWrite.All Policy.ReadWrite.AuthenticationMethod UserAuthMethod-External.ReadWrite.All"} {
		var on struct{ ID string }
		asAdmin(t, "GET", "/v1.0/servicePrincipals(appId='"+api+"')?$select=id", nil, &on)
		asAdmin(t, "POST", "/v1.0/oauth2PermissionGrants", map[string]any{"clientId": sp.ID, "resourceId": on.ID, "consentType": "AllPrincipals",
			"scope": scopes}, nil)
	}
	if _, code := g.run(secret.SecretText+"\n", "connect", "app", "secret", "--client-id", made.AppID, "--tenant", cloud.Tenant.ID, "--from", "-"); code != 0 {
		t.Fatal("the app's secret was not taken")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	public, conf := "http://localhost:"+port, filepath.Join(g.dir, "partnerguard.yaml")
	if err := os.WriteFile(conf, []byte("publicURL: "+public+"\nlisten: 127.0.0.1:"+port+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := g.connect(admin, "connect", "--name", "registrar", "--feature", "external-mfa", "--client-id", made.AppID); code != 0 {
		t.Fatalf("connect: %d %s", code, out)
	}
	plan := filepath.Join(g.dir, "plan.yaml")
	if err := os.WriteFile(plan, []byte(g.must("mfa", "register-with-entra", "--plan", "--name", "Conformance desk", "--group", group.ID, "--config", conf)),
		0o600); err != nil {
		t.Fatal(err)
	}
	g.must("mfa", "register-with-entra", "--apply", plan, "--config", conf)
	serve := g.command("mfa", "serve", "--config", conf)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Signal(os.Interrupt); _ = serve.Wait() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r, err := http.Get(public + "/mfa/.well-known/openid-configuration")
		if err == nil {
			_ = r.Body.Close()
			return public + "/mfa"
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// enrol sets up an authenticator app for the invited person, and gives its key.
func (g *guarded) enrol(t *testing.T, p person) string {
	t.Helper()
	var user struct{ ID string }
	asAdmin(t, "GET", "/v1.0/users/"+p.upn+"?$select=id", nil, &user)
	conf := filepath.Join(g.dir, "partnerguard.yaml")
	var invited struct{ Link string }
	if err := json.Unmarshal([]byte(g.must("mfa", "invite", p.upn, "--tenant-id", cloud.Tenant.ID, "--object", user.ID, "--config", conf, "--output", "json")),
		&invited); err != nil {
		t.Fatal(err)
	}
	b := browse(t)
	b.open(invited.Link)
	b.send("This is me")
	b.open(strings.TrimSuffix(b.at.String(), "/") + "?add=app")
	shown := regexp.MustCompile(`class="secret"><code>([A-Z2-7 ]+)<`).FindStringSubmatch(b.page)
	if shown == nil {
		t.Fatalf("no key: %.800s", b.page[max(0, strings.Index(b.page, "<main")):])
	}
	key := strings.ReplaceAll(shown[1], " ", "")
	b.send(`name="code"`, "code", code(t, person{upn: p.upn + " ours", totp: key}), "label", "oathtool")
	if !strings.Contains(b.page, "is set up") {
		t.Fatalf("not set up: %.800s", b.page[max(0, strings.Index(b.page, "<main")):])
	}
	return key
}
