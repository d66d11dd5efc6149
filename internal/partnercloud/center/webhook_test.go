package center

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// TestWebhook delivers to a server on this machine, signed; the certificate is
// fetched from our own host and checks the raw bytes.
func TestWebhook(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.c.post.delay = time.Millisecond
	var got []Message
	var heads []http.Header
	var bodies [][]byte
	var fails atomic.Int32
	fails.Store(2)
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails.Add(-1) >= 0 {
			w.WriteHeader(503)
			return
		}
		b, _ := io.ReadAll(r.Body)
		var m Message
		_ = json.Unmarshal(b, &m)
		got, heads, bodies = append(got, m), append(heads, r.Header), append(bodies, b)
	}))
	defer sink.Close()
	body := `{"WebhookUrl":"` + sink.URL + `/hook","WebhookEvents":["AZURE-fraud-event-detected","test-created","dap-admin-relationship-terminated"]}`
	if a := l.as("agent", "PUT", "/webhooks/v1/registration", body); a.Code != 404 {
		t.Errorf("PUT before POST: %d", a.Code)
	}
	if a := l.as("agent", "POST", "/webhooks/v1/registration", body); a.Code != 200 || a.m["SubscriberId"] == "" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "POST", "/webhooks/v1/registration", body); a.Code != 409 {
		t.Errorf("twice: %d", a.Code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	wait := func() {
		t.Helper()
		if err := l.c.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var id string
	for i := range 3 {
		a := l.as("agent", "POST", "/webhooks/v1/registration/validationEvents", "")
		if i < 2 && a.Code != 200 || i == 2 && a.Code != 429 {
			t.Errorf("validation event %d: %d", i, a.Code)
		}
		if i == 0 {
			id = a.m["correlationId"].(string)
			wait()
		}
	}
	wait()
	if a := l.as("agent", "GET", "/webhooks/v1/registration/validationEvents/"+id, ""); a.m["status"] != "completed" || len(a.m["results"].([]any)) != 3 ||
		a.m["callbackUrl"] != sink.URL+"/hook" {
		t.Errorf("%s", a.Body)
	}
	// the world's own events, written by another room
	l.w.Read(func(s *world.State) {
		s.RaiseAlert(&world.Alert{ID: "al3", EventID: azureID + "_x", Customer: dapID, Subscription: azureID, Status: "active"})
	})
	l.c.Pump()
	wait()
	if a := l.as("agent", "PATCH", "/v1/customers/"+dapID, `{"allowDelegatedAccess":false}`); a.Code != 200 {
		t.Fatal(a.Body)
	}
	wait()
	var names []string
	for _, m := range got {
		names = append(names, m.Event)
	}
	if !slices.Equal(names, []string{"test-created", "test-created", "azure-fraud-event-detected", "dap-admin-relationship-terminated"}) {
		t.Fatalf("%v", names)
	}
	if !strings.HasSuffix(got[2].ResourceURI, "/v1/fraudEvents?SubscriptionId="+azureID+"&EventStatus=Active") || got[2].AuditURI != nil ||
		got[3].AuditURI == nil {
		t.Errorf("%+v", got[2])
	}
	// verify as a receiver does
	at := heads[2].Get("X-MS-Certificate-Url")
	if !strings.HasPrefix(at, "http://localhost:7443/webhooks/v1/certificates/") || heads[2].Get("X-MS-Signature-Algorithm") != "rsa-sha256" {
		t.Fatalf("%v", heads[2])
	}
	w := httptest.NewRecorder()
	l.c.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
	cert, err := x509.ParseCertificate(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(heads[2].Get("Authorization"), "Signature "))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(bodies[2])
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], sig); err != nil {
		t.Error(err)
	}
	// the other header
	if a := l.as("agent", "PUT", "/webhooks/v1/registration", strings.Replace(body, `{`, `{"SignatureTokenToMsSignatureHeader":true,`, 1)); a.Code != 200 {
		t.Fatalf("%s", a.Body)
	}
	l.jump(time.Minute)
	l.as("agent", "POST", "/webhooks/v1/registration/validationEvents", "")
	wait()
	if h := heads[len(heads)-1]; !strings.HasPrefix(h.Get("x-ms-signature"), "Signature ") || h.Get("Authorization") != "" {
		t.Errorf("%v", h)
	}
}

// TestWebhookGivesUp after ten attempts and leaves no timer.
func TestWebhookGivesUp(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.c.post.delay = time.Microsecond
	var n atomic.Int32
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("a redirect was followed")
		}
		n.Add(1)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(302)
	}))
	defer sink.Close()
	l.c.post.send(&world.Webhook{URL: sink.URL}, Message{Event: "test-created"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.c.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	d := l.c.Deliveries()
	if n.Load() != 10 || len(d) != 1 || d[0].Status != "failed" || len(d[0].Attempts) != 10 || len(l.c.post.timers) != 0 {
		t.Errorf("%d posts, %+v", n.Load(), d)
	}
}

// TestNothingLeaves: registered addresses that are not this machine's are
// recorded as refused and never called.
func TestNothingLeaves(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080/x": true, "https://localhost/x": true, "http://[::1]:9/": true, "http://127.9.9.9/": true, "http://[::ffff:127.0.0.1]/": true,
		"http://169.254.169.254/latest": false, "http://example.com/": false, "http://127.0.0.1.example.com/": false, "http://localhost.example.com/": false,
		"http://2130706433/": false,
		"http://0x7f.1/":     false, "http://0.0.0.0/": false, "http://[::]/": false, "http://10.0.0.1/": false, "file:///etc/passwd": false,
		"http://user@127.0.0.1/": false, "gopher://127.0.0.1/": false,
		"http://[fe80::1%25eth0]/": false, "//127.0.0.1/": false, "": false, "http://127.0.0.1@example.com/": false,
	} {
		if loopback(url) != want {
			t.Errorf("%q: %v, want %v", url, !want, want)
		}
	}
	l := newLab(t, nil)
	called := atomic.Bool{}
	l.c.post.client.Transport = roundTrip(func(*http.Request) (*http.Response, error) { called.Store(true); return nil, io.EOF })
	if a := l.as("agent", "POST", "/webhooks/v1/registration",
		`{"WebhookUrl":"http://169.254.169.254/latest","WebhookEvents":["test-created"]}`); a.Code != 200 {
		t.Fatalf("%s", a.Body)
	}
	a := l.as("agent", "POST", "/webhooks/v1/registration/validationEvents", "")
	a = l.as("agent", "GET", "/webhooks/v1/registration/validationEvents/"+a.m["correlationId"].(string), "")
	if a.m["status"] != "refused" || called.Load() {
		t.Errorf("%s", a.Body)
	}
	for _, bad := range []string{"", "x", "ftp://a/", "http://", "http://u:p@127.0.0.1/", "http://127.0.0.1/#f", "http://" + strings.Repeat("a", 5000)} {
		if a := l.as("agent", "PUT", "/webhooks/v1/registration", `{"WebhookUrl":"`+bad+`","WebhookEvents":["test-created"]}`); a.Code != 400 {
			t.Errorf("%.40q was taken: %d", bad, a.Code)
		}
	}
	// our own transport refuses what a name might lead to
	p := newPost(l.keys, nil, l.c.log, l.c.world.Clock.Now)
	if _, err := p.client.Get("http://192.0.2.1/"); err == nil || !strings.Contains(err.Error(), "this machine alone") {
		t.Errorf("dialled outside: %v", err)
	}
	// attempts carry the cloud's time, also after a jump
	if _, err := l.c.world.Clock.Jump(95 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if d := p.send(&world.Webhook{URL: "http://192.0.2.1/"}, Message{Event: "test-created"}); l.c.world.Clock.Now().Sub(d.Attempts[0].At).Abs() > time.Hour {
		t.Errorf("attempted at %s, the cloud's clock says %s", d.Attempts[0].At, l.c.world.Clock.Now())
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestHostile: nothing here may panic, leak, or be taken.
func TestHostile(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	cases := []struct {
		name, method, path, body string
		status                   int
	}{
		{"an oversized body", "PATCH", "/v1/customers/" + dapID, `{"x":"` + strings.Repeat("a", 2<<20) + `"}`, 413},
		{"a JSON bomb", "PATCH", "/v1/customers/" + dapID, deep, 400},
		{"two objects", "PATCH", "/v1/customers/" + dapID, `{} {}`, 400},
		{"an array", "PATCH", "/v1/customers/" + dapID, `[]`, 400},
		{"no body", "PATCH", "/v1/customers/" + dapID, ``, 400},
		{"null", "POST", "/v1/customers/" + gdapID + "/applicationconsents", `null`, 400},
		{"bad escapes in the path", "GET", "/v1/customers/%2e%2e%2f" + dapID, "", 400},
		{"a long path", "GET", "/v1/" + strings.Repeat("a/", 3000), "", 404},
		{"somebody's subscription through another customer", "GET", "/v1/customers/" + gdapID + "/subscriptions/" + planID, "", 404},
		{"somebody's entitlement through another plan", "GET", "/v1/customers/" + dapID + "/subscriptions/" + planID + "/azureEntitlements/" + licenceID, "",
			404},
		{"somebody's user", "DELETE", "/v1/customers/" + dapID + "/users/" + custUser(gdapID), "", 404},
		{"a partner's user as a customer's", "GET", "/v1/customers/" + dapID + "/users/" + uid("admin"), "", 404},
		{"an infinite number", "PATCH", "/v1/customers/" + dapID + "/usagebudget", `{"amount":1e400}`, 400},
		{"a long filter", "GET", "/v1/customers?filter=" + strings.Repeat("a", 5000), "", 400},
		{"a domain with markup", "POST", "/v1/customers",
			`{"companyProfile":{"domain":"<x>.onmicrosoft.com"},"billingProfile":{"companyName":"x","defaultAddress":{"country":"DE"}}}`, 400},
		{"a taken domain", "POST", "/v1/customers",
			`{"companyProfile":{"domain":"dap.onmicrosoft.com"},"billingProfile":{"companyName":"x","defaultAddress":{"country":"DE"}}}`, 409},
		{"a certificate that is none", "GET", "/webhooks/v1/certificates/../../x", "", 404},
	}
	for _, c := range cases {
		if a := l.as("agent", c.method, c.path, c.body); a.Code != c.status {
			t.Errorf("%s: %d, want %d: %.200s", c.name, a.Code, c.status, a.Body)
		}
	}
	a := l.as("agent", "GET", "/v1/customers", "", "MS-RequestId", "<script>", "MS-CorrelationId", "a\tb\tc\td\te")
	if strings.Contains(a.Header().Get("MS-RequestId"), "<") || strings.Contains(a.Header().Get("MS-CorrelationId"), "\t") {
		t.Error("a hostile id is echoed")
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`{"Field":"CompanyName","Value":"a","Operator":"starts_with"}`)
	f.Add(`{"field":"domain","VALUE":"","operator":"EQUALS"}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, text string) {
		v, bad := parseFilter(text, "CompanyName", "Domain")
		if v != nil && bad != nil || v != nil && v.Field != "CompanyName" && v.Field != "Domain" {
			t.Fatalf("%q: %+v %+v", text, v, bad)
		}
		if v != nil {
			_ = v.matches(text)
			if v.Operator == "equals" && !v.matches(v.Value) {
				t.Fatalf("%q does not equal itself", v.Value)
			}
		}
	})
}

func FuzzContinuation(f *testing.F) {
	p := newPager()
	good := p.seal(place{"t", "q", 7})
	f.Add(good)
	f.Add("")
	f.Add(strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, text string) {
		// the last character may hold bits that no byte uses
		if v, isGood := p.open(text); isGood && v != (place{"t", "q", 7}) {
			t.Fatalf("forged: %q", text)
		}
	})
}

func FuzzRegistration(f *testing.F) {
	f.Add(`{"WebhookUrl":"http://127.0.0.1/","WebhookEvents":["test-created"]}`)
	f.Add(`{"WebhookUrl":"http://[::1%25a]/","WebhookEvents":["TEST-created","test-created"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		k := &call{body: []byte(text)}
		w, bad := k.parseRegistration()
		if (w == nil) == (bad == nil) {
			t.Fatal("neither taken nor refused")
		}
		if w != nil && (len(w.Events) == 0 || len(w.URL) > maxURL) {
			t.Fatalf("%+v", w)
		}
	})
}

func FuzzMatch(f *testing.F) {
	table := makeRoutes()
	f.Add("GET", "/v1/customers/x/users")
	f.Add("PUT", "/%zz")
	f.Fuzz(func(t *testing.T, method, path string) {
		r, params, bad := match(table, method, path)
		if (r == nil) == (bad == nil) || r != nil && len(params) != strings.Count(r.pattern, "{") {
			t.Fatalf("%s %s: %+v %v", method, path, r, params)
		}
	})
}
