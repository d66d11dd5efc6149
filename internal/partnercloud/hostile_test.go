package partnercloud

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// A token is for one API and one tenant; another's is worth nothing, and what it
// cannot reach does not show that it exists.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin, fabrikam := l.i.Tenant.ID, l.customer("tailspin.example"), l.customer("fabrikam.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	tokens := map[string]string{
		"graph": l.good(partner, rt, graphAPI+"/.default"), "center": l.good(partner, rt, centerAPI+"/.default"),
		"arm":                 l.good(partner, rt, armAPI+"/.default"),
		"graph of a customer": l.good(tailspin, rt, graphAPI+"/.default"), "arm of a customer": l.good(tailspin, rt, armAPI+"/.default"),
	}
	app := appToken(t, l.s, l.c, l.i.Login, graphAPI+"/.default")
	ask := map[string]string{
		"graph": l.i.Graph + "/v1.0/users?$top=1", "center": l.i.PartnerCenter + "/v1/customers?size=1",
		"arm": l.i.ARM + "/subscriptions?api-version=2022-12-01",
	}
	for name, token := range tokens {
		for api, where := range ask {
			own := strings.HasPrefix(name, api)
			a := l.get(where, token)
			if own && a.status != http.StatusOK || !own && a.status != http.StatusUnauthorized {
				t.Errorf("a token for %s at %s: %d %.200s", name, api, a.status, a.raw)
			}
		}
	}
	if a := l.get(ask["center"], tokens["graph"]); a.fault() != "900420" {
		t.Errorf("Partner Center on a token for Graph: %s", a.raw)
	}

	// A customer's token shows the customer, never the partner or another customer.
	deny := func(what string, a *answer) {
		t.Helper()
		if a.status != http.StatusForbidden && a.status != http.StatusNotFound && a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %.300s", what, a.status, a.raw)
		}
		for _, secret := range []string{"Fabrikam", l.i.Tenant.Name} {
			if strings.Contains(a.raw, secret) {
				t.Errorf("%s tells of %s: %.300s", what, secret, a.raw)
			}
		}
	}
	inside := tokens["graph of a customer"]
	deny("the partner's user", l.get(l.i.Graph+"/v1.0/users/"+samAgent, inside))
	deny("the partner's user by id", l.get(l.i.Graph+"/v1.0/users/"+l.userID(admin), inside))
	deny("another customer's user", l.get(l.i.Graph+"/v1.0/users/admin@fabrikam.example", inside))
	deny("relationships", l.get(l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", inside))
	deny("partner alerts", l.get(l.i.Graph+"/beta/security/partner/securityAlerts", inside))
	deny("another customer as organization", l.get(l.i.Graph+"/v1.0/organization/"+fabrikam, inside))
	var sub string
	l.s.World.Read(func(s *world.State) {
		for a := range s.Tenant(fabrikam).Azure.All() {
			sub = a.ID
		}
	})
	if sub == "" {
		t.Fatal("Fabrikam has no Azure")
	}
	deny("another customer's subscription", l.get(l.i.ARM+"/subscriptions/"+sub+"?api-version=2022-12-01", tokens["arm of a customer"]))
	deny("another customer's machines", l.get(l.i.ARM+"/subscriptions/"+sub+"/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01",
		tokens["arm of a customer"]))
	deny("a customer's subscription with the partner's token", l.get(l.i.ARM+"/subscriptions/"+sub+"?api-version=2022-12-01", tokens["arm"]))
	if a := l.get(l.i.PartnerCenter+"/v1/customers/"+partner+"/users", tokens["center"]); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
		t.Errorf("the partner as its own customer: %d %s", a.status, a.raw)
	}
	// A subscription of one customer under another's path.
	var plan, other string
	l.s.World.Read(func(s *world.State) {
		plan = s.PartnerTenant().Customers.Get(fabrikam).Subscriptions[0].ID
		other = s.PartnerTenant().Customers.Get(tailspin).Subscriptions[0].ID
	})
	for _, id := range []string{plan, world.NewGUID()} {
		if a := l.get(l.i.PartnerCenter+"/v1/customers/"+tailspin+"/subscriptions/"+id, tokens["center"]); a.status != http.StatusNotFound {
			t.Errorf("another customer's subscription: %d %s", a.status, a.raw)
		}
	}
	if a := l.get(l.i.PartnerCenter+"/v1/customers/"+tailspin+"/subscriptions/"+other, tokens["center"]); a.status != http.StatusOK {
		t.Errorf("the own: %d %s", a.status, a.raw)
	}

	// App-only where a user is needed, and the reverse.
	deny("me without a user", l.get(l.i.Graph+"/v1.0/me", app))
	deny("relationships without a user", l.get(l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", app))
	panel := l.token(partner, "grant_type", "client_credentials", "client_id", panelApp, "client_secret", l.secret(panelApp), "scope", centerAPI+"/.default")
	if panel.status != http.StatusOK {
		t.Fatal(panel.raw)
	}
	for _, path := range []string{"/v1/applicationmfaadoptionstatus", "/v1/fraudEvents", "/v1/partnerRequests", "/v1/customers/" + tailspin + "/users"} {
		if a := l.get(l.i.PartnerCenter+path, panel.text("access_token")); a.status != http.StatusForbidden || a.fault() != "900329" {
			t.Errorf("%s without a user: %d %s", path, a.status, a.raw)
		}
	}
	if a := l.token(tailspin, "grant_type", "client_credentials", "client_id", panelApp, "client_secret", l.secret(panelApp), "scope",
		graphAPI+"/.default"); a.status == http.StatusOK {
		if a := l.get(l.i.Graph+"/v1.0/users", a.text("access_token")); a.status != http.StatusForbidden {
			t.Errorf("an app without permissions in the customer's tenant: %d", a.status)
		}
	}
	// A control panel vendor's app is not the partner's.
	vendor := l.token(partner, "grant_type", "refresh_token", "client_id", vendorApp, "client_secret", l.secret(vendorApp), "refresh_token", rt, "scope",
		graphAPI+"/.default")
	if vendor.status == http.StatusOK || vendor.aadsts() == 0 {
		t.Errorf("a refresh token by another client: %d %s", vendor.status, vendor.raw)
	}
	// A next link of one caller is nothing for another tenant's.
	next := l.get(l.i.Graph+"/v1.0/users?$top=2", tokens["graph"]).text("@odata.nextLink")
	if a := l.get(next, inside); a.status != http.StatusBadRequest {
		t.Errorf("another tenant's page: %d %.200s", a.status, a.raw)
	}
}

// Names that a page of the web could point at this machine reach nothing.
func TestHostileHosts(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	for _, host := range []string{"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io"} {
		if a := l.get(l.i.Control+"/v1/info", l.i.ControlSecret, "Host", host); a.status != http.StatusForbidden {
			t.Errorf("control under %s: %d", host, a.status)
		}
	}
	if a := l.get(l.i.Control+"/v1/info", ""); a.status != http.StatusUnauthorized {
		t.Errorf("control without its secret: %d", a.status)
	}
	if a := l.get(l.i.Control+"/v1/info", l.i.ControlSecret, "Origin", "https://evil.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("control lets pages of the web read")
	}
	pages := l.get(l.i.Login+"/", "", "Origin", "https://evil.example")
	if pages.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("sign-in pages let pages of the web read")
	}
}

// The sign-in pages take a form only from the browser and the page it was for.
func TestHostileSignIn(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	partner := l.i.Tenant.ID
	victim := l.browser().open(l.authorize(partner))
	stolen := victim.fields()
	mallory := l.browser()
	for what, v := range map[string]url.Values{
		"another browser": stolen, "no token": values("flow", stolen.Get("flow")), "no flow": values("csrf", stolen.Get("csrf")),
		"both wrong": values("flow", strings.Repeat("a", 52), "csrf", "x"),
	} {
		v = values("flow", v.Get("flow"), "csrf", v.Get("csrf"), "do", "account", "loginfmt", samAgent)
		if mallory.post("/common/signin", v); mallory.has("passwd") || mallory.left != nil {
			t.Errorf("%s: %d", what, mallory.status)
		}
	}
	victim.post("/common/signin", values("flow", stolen.Get("flow"), "csrf", stolen.Get("csrf"), "do", "account", "loginfmt", samAgent), "Sec-Fetch-Site",
		"cross-site", "Origin", "https://evil.example")
	if victim.has("passwd") {
		t.Error("a form from another site was taken")
	}
	if victim.post("/common/signin", values("flow", stolen.Get("flow"), "csrf", strings.Repeat("A", 64<<10), "do", "account", "loginfmt",
		strings.Repeat("x", 400<<10))); victim.status < 400 {
		t.Errorf("a form of half a megabyte: %d", victim.status)
	}
	// The flow is unharmed, and its code goes to nobody but the app.
	victim.open("/common/signin?flow=" + stolen.Get("flow")).signIn(samAgent)
	code := victim.arrived()
	if code.Get("state") != "st-1" || victim.left.Host != "localhost:8400" {
		t.Errorf("it arrived at %v", victim.left)
	}
	for what, pair := range map[string][2]string{
		"the verifier": {"code_verifier", strings.Repeat("b", 43)}, "no verifier": {"code_verifier", ""}, "the redirect": {"redirect_uri", "http://localhost/"},
		"the secret": {"client_secret", "wrong"}, "no secret": {"client_secret", ""},
	} {
		v := values("grant_type", "authorization_code", "client_id", panelApp, "client_secret", l.secret(panelApp), "redirect_uri", callback, "code",
			code.Get("code"), "code_verifier", verifier)
		if v.Set(pair[0], pair[1]); pair[1] == "" {
			v.Del(pair[0])
		}
		if a := l.tokenAt(l.i.Login+"/"+partner+"/oauth2/v2.0/token", v); a.status == http.StatusOK {
			t.Errorf("a code without %s: %s", what, a.raw)
		}
	}
	a := victim.redeem(partner)
	if a.status != http.StatusOK {
		t.Fatalf("the code after the attempts: %s", a.raw)
	}
	if b := victim.redeem(partner); b.aadsts() != 54005 {
		t.Errorf("the code again: %s", b.raw)
	}
	if b := l.refresh(partner, a.text("refresh_token"), centerAPI+"/.default"); b.aadsts() != 50173 {
		t.Errorf("what a code gave that was redeemed twice: %s", b.raw)
	}

	for _, to := range []string{
		"https://evil.example/", "http://localhost.evil.example:8400/callback", "http://localhost:8400/callback/../other",
		"http://localhost:8400/callback?x=1", "http://user@localhost:8400/callback",
		"http://localhost:8400/callback#x", "javascript:alert(1)", "//localhost:8400/callback", "https://panel.contoso.com.evil.example/signin",
		"https://panel.contoso.com/signin/", "HTTPS://panel.contoso.com/signin", "http://localhost\\@evil.example/",
	} {
		b := l.browser().open(l.authorize(partner, "redirect_uri", to))
		if b.left != nil || b.status < 400 || !b.has("AADSTS50011") {
			t.Errorf("redirect to %s: %d, left for %v", to, b.status, b.left)
		}
	}
	// A person who leaves a flow lying cannot use it hours later.
	late := l.browser().open(l.authorize(partner)).enter(samAgent)
	l.jump(2 * time.Hour)
	if late.press("do", "totp", "otc", l.code(samAgent)); late.left != nil || late.status < 400 {
		t.Errorf("a flow of two hours ago: %d %v", late.status, late.left)
	}
}

// Faults are what an ordinary client sees on a bad day, and no more than that:
// the world behind them stays right.
func TestHostileFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner := l.i.Tenant.ID
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	graph, center := l.good(partner, rt, graphAPI+"/.default"), l.good(partner, rt, centerAPI+"/.default")
	inject := func(body string) {
		t.Helper()
		if a := l.call(http.MethodPost, l.i.Control+"/v1/faults", l.i.ControlSecret, body); a.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", body, a.status, a.raw)
		}
	}
	try := func(method, where, token, body string) (*http.Response, []byte, error) {
		req, _ := http.NewRequest(method, where, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		res, err := l.c.Do(req)
		if err != nil {
			return nil, nil, err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return res, b, err
	}
	users := l.i.Graph + "/v1.0/users?$top=2"

	inject(`{"service":"graph","kind":"429","retryAfter":"7s","times":1}`)
	if a := l.get(users, graph); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "7" || a.fault() == "" {
		t.Errorf("429: %d %v %s", a.status, a.header, a.raw)
	}
	inject(`{"service":"center","kind":"429","times":1}`)
	if a := l.get(l.i.PartnerCenter+"/v1/customers?size=1", center); a.status != http.StatusTooManyRequests || a.m["statusCode"] != 429.0 ||
		a.header.Get("Retry-After") == "" {
		t.Errorf("429 of Partner Center: %d %v %s", a.status, a.header, a.raw)
	}
	inject(`{"service":"graph","kind":"expired-token","times":1}`)
	if a := l.get(users, graph); a.status != http.StatusUnauthorized || a.fault() != "InvalidAuthenticationToken" {
		t.Errorf("expired token: %d %s", a.status, a.raw)
	}
	inject(`{"service":"graph","kind":"half","times":1}`)
	if _, b, err := try(http.MethodGet, users, graph, ""); err == nil {
		t.Errorf("half a page came whole: %.100s", b)
	}

	// A reply that is lost: the work was done, and the same MS-RequestId is told so.
	name := `{"displayName":"Lost and found","duration":"P30D","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`
	base := l.i.Graph + "/v1.0/tenantRelationships/delegatedAdminRelationships"
	inject(`{"service":"graph","kind":"lost","method":"POST","times":1}`)
	if _, _, err := try(http.MethodPost, base, graph, name); err == nil {
		t.Error("a lost reply came")
	}
	if a := l.call(http.MethodPost, base, graph, name); a.status != http.StatusConflict {
		t.Errorf("the work behind a lost reply was not done: %d %s", a.status, a.raw)
	}
	inject(`{"service":"graph","kind":"cut","method":"DELETE","times":1}`)
	found := ""
	for _, r := range l.get(base, graph).rows() {
		if r["displayName"] == "Lost and found" {
			found, _ = r["id"].(string)
		}
	}
	if _, _, err := try(http.MethodDelete, base+"/"+found, graph, ""); err == nil {
		t.Error("a cut connection answered")
	}
	if a := l.get(base+"/"+found, graph); a.status != http.StatusOK {
		t.Errorf("a request that was cut was done: %d", a.status)
	}

	// A page repeated, and a next link that has changed: a client that follows
	// links sees what is wrong by the ids.
	inject(`{"service":"graph","kind":"repeat-page","times":1}`)
	first := l.get(users, graph)
	again := l.get(first.text("@odata.nextLink"), graph)
	if len(again.rows()) == 0 || again.rows()[0]["id"] != first.rows()[0]["id"] {
		t.Errorf("the page was not repeated: %.200s", again.raw)
	}
	second := l.get(first.text("@odata.nextLink"), graph)
	if second.status != http.StatusOK || second.rows()[0]["id"] == first.rows()[0]["id"] {
		t.Errorf("the page after it: %d %.200s", second.status, second.raw)
	}
	// A token endpoint that loses its reply costs nobody a sign-in: the token before lives.
	inject(`{"service":"login","kind":"lost","method":"POST","path":"/` + partner + `/oauth2/v2.0/token","times":1}`)
	v := values("grant_type", "refresh_token", "client_id", panelApp, "client_secret", l.secret(panelApp), "refresh_token", rt, "scope", centerAPI+"/.default")
	if res, err := l.c.PostForm(l.i.Login+"/"+partner+"/oauth2/v2.0/token", v); err == nil {
		_ = res.Body.Close()
		t.Error("a lost token came")
	}
	if a := l.refresh(partner, rt, centerAPI+"/.default"); a.status != http.StatusOK {
		t.Errorf("after a lost token: %s", a.raw)
	}
}

// Many at once: no deadlock, no wrong answer, and no token twice.
func TestHostileParallel(t *testing.T) {
	if testing.Short() {
		t.Skip("the rooms have race tests of their own")
	}
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	var wait sync.WaitGroup
	var seen sync.Map
	var bad atomic.Int64
	one := func(i int) {
		tenant, scope := partner, centerAPI+"/.default"
		if i%3 == 1 {
			tenant, scope = tailspin, graphAPI+"/.default"
		}
		if i%10 == 9 {
			b := l.browser().open(l.authorize(partner)).signIn(nomfa)
			if b.left == nil || b.redeem(partner).status != http.StatusOK {
				bad.Add(1)
			}
			return
		}
		a := l.refresh(tenant, rt, scope)
		next := a.text("refresh_token")
		if a.status != http.StatusOK || next == "" {
			bad.Add(1)
			return
		}
		if _, twice := seen.LoadOrStore(next, true); twice {
			bad.Add(1)
		}
	}
	slots := make(chan struct{}, 64)
	for i := range 1000 {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer wait.Done()
			defer func() { <-slots }()
			one(i)
		}()
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("a thousand requests do not end")
	}
	if bad.Load() != 0 {
		t.Errorf("%d of 1000 went wrong", bad.Load())
	}
}
