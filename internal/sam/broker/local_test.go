package broker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// What SDKs send, and variants that are to be understood.
func TestLocalAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	l := r.local(broker.LocalOptions{Customers: []string{"adatum.example", "partner"}, Resources: []string{"graph", "arm"}, Command: "bill.ps1"})
	endpoint, header := told(l)
	for name, c := range map[string]struct {
		query  string
		head   string
		tenant string
		echo   string
	}{
		"azidentity for Go": {"api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com", "X-IDENTITY-HEADER", adatum, graph},
		"@azure/identity":   {"api-version=2019-08-01&resource=https://graph.microsoft.com/", "X-IDENTITY-HEADER", adatum, graph + "/"},
		"with .default": {"api-version=2019-08-01&resource=https://graph.microsoft.com/.default", "X-IDENTITY-HEADER", adatum,
			graph + "/.default"},
		"the old ARM name": {"api-version=2019-08-01&resource=https://management.core.windows.net/", "X-IDENTITY-HEADER", adatum,
			"https://management.core.windows.net/"},
		"names in another case": {"API-Version=2019-08-01&Resource=https://graph.microsoft.com", "x-identity-header", adatum, graph},
		"the version before":    {"api-version=2017-09-01&resource=https://graph.microsoft.com&clientid=", "Secret", adatum, graph},
		"unknown parameters": {"api-version=2019-08-01&resource=https://graph.microsoft.com&bypass_cache=true&xms_cc=cp1", "X-IDENTITY-HEADER",
			adatum, graph},
		"user-assigned: the app itself": {"api-version=2019-08-01&resource=https://graph.microsoft.com&client_id=" + appID, "X-IDENTITY-HEADER", adatum,
			graph},
		"user-assigned: a customer's id": {"api-version=2019-08-01&resource=https://graph.microsoft.com&client_id=" + adatum, "X-IDENTITY-HEADER", adatum,
			graph},
		"user-assigned: a domain": {"api-version=2019-08-01&resource=https://graph.microsoft.com&object_id=adatum.example", "X-IDENTITY-HEADER",
			adatum, graph},
		"user-assigned: by resource id": {"api-version=2019-08-01&resource=https://graph.microsoft.com&mi_res_id=/customers/adatum.example",
			"X-IDENTITY-HEADER", adatum, graph},
		"user-assigned: the partner": {"api-version=2019-08-01&resource=https://graph.microsoft.com&principal_id=partner", "X-IDENTITY-HEADER", home,
			graph},
		"one identity, said twice": {"api-version=2019-08-01&resource=https://graph.microsoft.com&client_id=" + adatum + "&customer=" +
			strings.ToUpper(adatum), "X-IDENTITY-HEADER", adatum, graph},
		"a token that the resource refused": {"api-version=2019-08-01&resource=https://graph.microsoft.com&token_sha256_to_refresh=" +
			strings.Repeat("a", 64), "X-IDENTITY-HEADER", adatum, graph},
	} {
		a := get(t, http.DefaultClient, endpoint+"?"+c.query, c.head, header)
		if a.status != http.StatusOK {
			t.Errorf("%s: %v", name, a)
			continue
		}
		access, _ := a.m["access_token"].(string)
		on, _ := a.m["expires_on"].(string)
		sec, err := strconv.ParseInt(on, 10, 64)
		if err != nil || !time.Unix(sec, 0).Equal(monday.Add(time.Hour)) || a.m["resource"] != c.echo || a.m["token_type"] != "Bearer" ||
			a.m["client_id"] != appID || a.head.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, a)
		}
		issued := r.book.Of(audit.TokenIssued)
		e := issued[len(issued)-1]
		if e.Tenant != c.tenant || e.Actor != "local:alex" || e.Object != "c-1" || e.Details["fingerprint"] != token.Fingerprint(secret.New(access)) ||
			e.Details["subject"] != "bill.ps1" || e.Details["expires"] == "" {
			t.Errorf("%s: recorded %+v", name, e)
		}
		if strings.Contains(fmt.Sprint(e), access) || strings.Contains(fmt.Sprint(e), header) {
			t.Errorf("%s: the trail holds a secret", name)
		}
	}
}

func TestLocalRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	const good = "?api-version=2019-08-01&resource=https://graph.microsoft.com"
	for name, c := range map[string]struct {
		method string
		path   string
		query  string
		head   []string
		body   string
		status int
	}{
		"no header":               {"GET", broker.Path, good, nil, "", 401},
		"empty header":            {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", ""}, "", 401},
		"wrong header":            {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header[:42] + "!"}, "", 401},
		"header with more":        {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header + "x"}, "", 401},
		"header twice":            {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "X-IDENTITY-HEADER", header}, "", 401},
		"right one after a wrong": {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", "x", "Secret", header}, "", 401},
		"POST":                    {"POST", broker.Path, good, []string{"X-IDENTITY-HEADER", header}, "", 405},
		"a body":                  {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header}, "x", 400},
		"another path":            {"GET", "/metadata/identity/oauth2/token", good, []string{"X-IDENTITY-HEADER", header, "Metadata", "true"}, "", 404},
		"path with a tail":        {"GET", broker.Path + "/", good, []string{"X-IDENTITY-HEADER", header}, "", 404},
		"a stranger's name":       {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "Host", "evil.example:" + u.Port()}, "", 403},
		"loopback, another port":  {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "Host", "127.0.0.1:1"}, "", 403},
		"name without port":       {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "Host", "localhost"}, "", 403},
		"a page's script":         {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "Origin", "https://evil.example"}, "", 403},
		"a browser":               {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "Sec-Fetch-Mode", "no-cors"}, "", 403},
		"a proxy":                 {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "X-Forwarded-For", "10.0.0.1"}, "", 403},
		"no version":              {"GET", broker.Path, "?resource=https://graph.microsoft.com", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"a version to come": {"GET", broker.Path, "?api-version=2031-01-01&resource=https://graph.microsoft.com", []string{"X-IDENTITY-HEADER", header},
			"", 400},
		"no resource":           {"GET", broker.Path, "?api-version=2019-08-01", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"resource twice":        {"GET", broker.Path, good + "&resource=https://management.azure.com", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"resource in two cases": {"GET", broker.Path, good + "&RESOURCE=https://management.azure.com", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"two customers": {"GET", broker.Path, good + "&client_id=" + adatum + "&object_id=" + tailspin, []string{"X-IDENTITY-HEADER", header}, "",
			400},
		"another customer": {"GET", broker.Path, good + "&client_id=" + tailspin, []string{"X-IDENTITY-HEADER", header}, "", 403},
		"nobody's customer": {"GET", broker.Path, good + "&client_id=dddddddd-0000-4000-8000-000000000000", []string{"X-IDENTITY-HEADER", header}, "",
			403},
		"the partner's tenant":   {"GET", broker.Path, good + "&client_id=partner", []string{"X-IDENTITY-HEADER", header}, "", 403},
		"a path in the customer": {"GET", broker.Path, good + "&client_id=" + url.QueryEscape("../"+adatum), []string{"X-IDENTITY-HEADER", header}, "", 403},
		"another resource": {"GET", broker.Path, "?api-version=2019-08-01&resource=https://management.azure.com",
			[]string{"X-IDENTITY-HEADER", header}, "", 403},
		"an unknown resource": {"GET", broker.Path, "?api-version=2019-08-01&resource=javascript:alert(1)", []string{"X-IDENTITY-HEADER", header}, "", 403},
		"semicolons":          {"GET", broker.Path, good + ";resource=x", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"bad escapes":         {"GET", broker.Path, good + "&x=%zz", []string{"X-IDENTITY-HEADER", header}, "", 400},
		"a long query":        {"GET", broker.Path, good + "&x=" + strings.Repeat("a", 5000), []string{"X-IDENTITY-HEADER", header}, "", 400},
		"a huge query":        {"GET", broker.Path, good + "&x=" + strings.Repeat("a", 100_000), []string{"X-IDENTITY-HEADER", header}, "", 431},
		"huge headers":        {"GET", broker.Path, good, []string{"X-IDENTITY-HEADER", header, "X-A", strings.Repeat("a", 100_000)}, "", 431},
	} {
		req, err := http.NewRequest(c.method, "http://"+u.Host+c.path+c.query, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.body == "" {
			req.Body = http.NoBody
		}
		for i := 0; i < len(c.head); i += 2 {
			if c.head[i] == "Host" {
				req.Host = c.head[i+1]
			} else {
				req.Header.Add(c.head[i], c.head[i+1])
			}
		}
		if c.status == 431 { // or cut, when the answer comes before all was sent
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
				if res.StatusCode != 431 {
					t.Errorf("%s: %s", name, res.Status)
				}
			}
			continue
		}
		a := do(t, http.DefaultClient, req)
		if a.status != c.status {
			t.Errorf("%s: %v, want %d", name, a, c.status)
		}
		if strings.Contains(a.raw, header) || strings.Contains(a.raw, "refresh-mark") || a.m["access_token"] != nil {
			t.Errorf("%s: %s", name, a.raw)
		}
		if a.m["statusCode"] != float64(c.status) || a.m["message"] == "" {
			t.Errorf("%s: not the shape of App Service: %s", name, a.raw)
		}
	}
	if r.s.asked != 0 || len(r.book.Of(audit.TokenIssued)) != 0 {
		t.Error("something was handed out or asked for")
	}
	for _, e := range r.book.Of(audit.TokenRefused) {
		if e.Outcome != audit.Refused || e.Reason == "" || strings.Contains(fmt.Sprint(e), header) {
			t.Errorf("%+v", e)
		}
	}
}

// What no client library would send: by hand on the wire.
func TestLocalOnTheWire(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	u, _ := url.Parse(endpoint)
	target := broker.Path + "?api-version=2019-08-01&resource=https://graph.microsoft.com"
	good := "Host: " + u.Host + "\r\nX-IDENTITY-HEADER: " + header + "\r\n"
	for name, text := range map[string]string{
		"absolute form":             "GET http://" + u.Host + target + " HTTP/1.1\r\n" + good + "\r\n",
		"absolute form, elsewhere":  "GET http://evil.example" + target + " HTTP/1.1\r\n" + good + "\r\n",
		"two Hosts":                 "GET " + target + " HTTP/1.1\r\nHost: evil.example\r\n" + good + "\r\n",
		"no Host":                   "GET " + target + " HTTP/1.1\r\nX-IDENTITY-HEADER: " + header + "\r\n\r\n",
		"length and chunks":         "GET " + target + " HTTP/1.1\r\n" + good + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":               "GET " + target + " HTTP/1.1\r\n" + good + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
		"chunks":                    "GET " + target + " HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a folded header":           "GET " + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\nX-IDENTITY-HEADER:\r\n " + header + "x\r\n\r\n",
		"a space before the colon":  "GET " + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\nX-IDENTITY-HEADER : " + header + "\r\n\r\n",
		"CONNECT":                   "CONNECT " + u.Host + " HTTP/1.1\r\n" + good + "\r\n",
		"HTTP/2 by prior knowledge": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"upgrade to HTTP/2 is not taken": "POST " + target + " HTTP/1.1\r\n" + good +
			"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	} {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil && (res.StatusCode < 400 || res.StatusCode >= 500 && res.StatusCode != 505) {
			t.Errorf("%s: %s", name, res.Status)
		}
		_ = c.Close()
	}
	if r.s.asked != 0 {
		t.Error("something was asked for")
	}
}

// A header is worthless once the child's endpoint has ended, and one child's
// opens nothing at another's.
func TestLocalEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	a := r.local(broker.LocalOptions{})
	b, err := r.b.Local(ctx, broker.LocalOptions{User: "local:b", Connection: "contoso", Customers: []string{"partner"}, Resources: []string{"graph"}})
	if err != nil {
		t.Fatal(err)
	}
	at, header := told(a)
	other, theirs := told(b)
	const good = "?api-version=2019-08-01&resource=https://graph.microsoft.com"
	if got := get(t, http.DefaultClient, other+good, "X-IDENTITY-HEADER", header); got.status != 401 {
		t.Errorf("one child's header at another's endpoint: %v", got)
	}
	if got := get(t, http.DefaultClient, at+good, "X-IDENTITY-HEADER", header); got.status != 200 {
		t.Fatal(got)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	stop()
	_ = b.Close()
	for _, e := range []string{at, other} {
		if res, err := http.Get(e + good); err == nil {
			_ = res.Body.Close()
			t.Error("the endpoint answers after its end")
		}
	}
	c := r.local(broker.LocalOptions{})
	next, _ := told(c)
	for _, h := range []string{header, theirs} {
		if got := get(t, http.DefaultClient, next+good, "X-IDENTITY-HEADER", h); got.status != 401 {
			t.Errorf("a header of before: %v", got)
		}
	}
	for name, o := range map[string]broker.LocalOptions{
		"unknown connection": {User: "u", Connection: "x", Customers: []string{"partner"}, Resources: []string{"graph"}},
		"unknown customer":   {User: "u", Connection: "contoso", Customers: []string{"x.example"}, Resources: []string{"graph"}},
		"no resource":        {User: "u", Connection: "contoso", Customers: []string{"partner"}, Resources: []string{"http://x"}},
		"nothing":            {User: "u", Connection: "contoso"},
	} {
		if l, err := r.b.Local(t.Context(), o); err == nil {
			_ = l.Close()
			t.Errorf("%s: a listener", name)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	l := r.local(broker.LocalOptions{})
	got := l.Env([]string{"PATH=/bin", "AZURE_CLIENT_SECRET=mark-1", "azure_client_id=x", "MSI_ENDPOINT=http://old", "IDENTITY_HEADER=old",
		"PARTNERGUARD_MASTER_KEY=mark-2", "PARTNERGUARD_CLOUD_SNI=127.0.0.1:1", "IMDS_ENDPOINT=x", "CREDENTIALS_DIRECTORY=/run/c", "HTTP_PROXY=http://p",
		"no_proxy=.corp", "AZURE_TOKEN_CREDENTIALS=dev", "EMPTY=", "ODD"})
	endpoint, header := told(l)
	want := []string{"PATH=/bin", "PARTNERGUARD_CLOUD_SNI=127.0.0.1:1", "HTTP_PROXY=http://p", "EMPTY=", "ODD", "NO_PROXY=.corp,127.0.0.1,localhost",
		"no_proxy=.corp,127.0.0.1,localhost",
		"IDENTITY_ENDPOINT=" + endpoint, "IDENTITY_HEADER=" + header, "AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(header) != 43 || !strings.HasPrefix(endpoint, "http://127.0.0.1:") {
		t.Errorf("%d characters of header, %s", len(header), endpoint)
	}
	for base, want := range map[string]string{"NO_PROXY=*": "NO_PROXY=*", "": "NO_PROXY=127.0.0.1,localhost"} {
		if got := l.Env([]string{base}); !slices.Contains(got, want) {
			t.Errorf("%q: %q", base, got)
		}
	}
}

// No token leaves when the trail cannot be written.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	where := endpoint + "?api-version=2019-08-01&resource=https://graph.microsoft.com"
	r.book.Fail(errors.New("disk full"))
	a := get(t, http.DefaultClient, where, "X-IDENTITY-HEADER", header)
	if a.status != 503 || a.m["access_token"] != nil || a.head.Get("Retry-After") == "" || strings.Contains(a.raw, "disk") {
		t.Errorf("%v", a)
	}
	r.book.Fail(nil)
	if a := get(t, http.DefaultClient, where, "X-IDENTITY-HEADER", header); a.status != 200 {
		t.Errorf("%v", a)
	}
}

func TestFailuresOfTheExchange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		retry  string
	}{
		"final":       {&msapi.TokenError{Status: 400, Code: 65001, Err: "invalid_grant"}, 400, ""},
		"passing":     {&msapi.TokenError{Status: 503, Transient: true, RetryAfter: 7 * time.Second}, 503, "7"},
		"problem":     {problem.New(problem.BadInput, "words").WithHint("fix"), 400, ""},
		"our mistake": {errors.New("mark-internal"), 500, ""},
	} {
		r := newRig(t, nil)
		r.s.fail = c.err
		endpoint, header := told(r.local(broker.LocalOptions{}))
		a := get(t, http.DefaultClient, endpoint+"?api-version=2019-08-01&resource=https://graph.microsoft.com", "X-IDENTITY-HEADER", header)
		if a.status != c.status || a.head.Get("Retry-After") != c.retry || strings.Contains(a.raw, "mark-internal") {
			t.Errorf("%s: %v %v", name, a, a.head)
		}
		if e := r.book.Of(audit.TokenRefused); len(e) != 1 || e[0].Outcome != audit.Failed || e[0].Tenant != adatum {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Ten thousand at once, each with a request of its own: one question to Entra
// ID, everyone answered, everything recorded.
func TestTenThousandAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.s.delay = 200 * time.Millisecond
	l := r.local(broker.LocalOptions{})
	endpoint, header := told(l)
	u, _ := url.Parse(endpoint)
	n := 10_000
	if testing.Short() {
		n = 2_000
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	status := map[int]int{}
	for range n {
		wg.Go(func() {
			req := httptest.NewRequest(http.MethodGet, broker.Path+"?api-version=2019-08-01&resource=https://graph.microsoft.com", nil)
			req.Host = u.Host
			req.Header.Set("X-IDENTITY-HEADER", header)
			w := httptest.NewRecorder()
			l.ServeHTTP(w, req)
			mu.Lock()
			defer mu.Unlock()
			status[w.Code]++
		})
	}
	wg.Wait()
	if status[200] != n || r.s.asked != 1 || len(r.book.Of(audit.TokenIssued)) != n {
		t.Errorf("%v, asked %d times, %d recorded", status, r.s.asked, len(r.book.Of(audit.TokenIssued)))
	}
}

// More connections than there are places: all are answered, one after another.
func TestMoreConnectionsThanPlaces(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs thousands of sockets")
	}
	r := newRig(t, nil)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 3000}, Timeout: time.Minute}
	defer c.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 3000 {
		wg.Go(func() {
			req, _ := http.NewRequest(http.MethodGet, endpoint+"?api-version=2019-08-01&resource=https://graph.microsoft.com", nil)
			req.Header.Set("X-IDENTITY-HEADER", header)
			res, err := c.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != 200 {
				t.Error(res.Status)
			}
		})
	}
	wg.Wait()
}

// A slow sender is cut off; others are served meanwhile.
func TestSlowSender(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the limit of 5 seconds")
	}
	r := newRig(t, nil)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	u, _ := url.Parse(endpoint)
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	if a := get(t, http.DefaultClient, endpoint+"?api-version=2019-08-01&resource=https://graph.microsoft.com", "X-IDENTITY-HEADER", header); a.status != 200 {
		t.Error(a)
	}
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if b, err := io.ReadAll(c); errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("still open: %q %v", b, err)
	}
}

// The child reads expires_on by the machine's clock, wherever the cloud's is.
func TestExpiresByTheCallersClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.machine = monday.Add(-100 * 24 * time.Hour)
	endpoint, header := told(r.local(broker.LocalOptions{}))
	where := endpoint + "?api-version=2019-08-01&resource=https://graph.microsoft.com"
	if a := get(t, http.DefaultClient, where, "X-IDENTITY-HEADER", header); a.m["expires_on"] != strconv.FormatInt(r.machine.Add(time.Hour).Unix(), 10) {
		t.Errorf("%v", a)
	}
}

// The grants' limits on what is handed out.
func TestLimitsOfAToken(t *testing.T) {
	t.Parallel()
	ask := func(r *rig) (broker.Handout, error) {
		c := r.b.CallerForTest("billing")
		return r.b.Token(t.Context(), c, broker.Ask{Resource: "graph"})
	}
	fresh := func() *rig { r := newRig(t, nil); r.policy(withoutApproval); return r }
	r := fresh()
	h, err := ask(r)
	if err != nil || !h.Until.Equal(monday.Add(10*time.Minute)) || !h.Expires.Equal(monday.Add(time.Hour)) {
		t.Errorf("recheck: %v %v %v", h.Until, h.Expires, err)
	}
	r = fresh()
	r.jump(7*time.Hour + 55*time.Minute) // 18:55 in Berlin
	if h, err := ask(r); err != nil || !h.Until.Equal(r.now().Add(5*time.Minute)) {
		t.Errorf("to the end of the hours: %v %v", h.Until, err)
	}
	r = fresh()
	r.s.life = 90 * time.Minute
	if _, err := ask(r); err != nil {
		t.Error(err)
	}
	r = fresh()
	r.s.life = 90*time.Minute + time.Second
	if _, err := ask(r); err == nil || !strings.Contains(err.Error(), "would live 1h30m1s") {
		t.Errorf("too long a life: %v", err)
	}
	r = fresh()
	r.s.scope = "User.Read Directory.Read.All Directory.ReadWrite.All openid"
	if _, err := ask(r); err == nil || !strings.Contains(err.Error(), "Directory.ReadWrite.All") {
		t.Errorf("more than the policy's scopes: %v", err)
	}
	r = fresh()
	r.s.set(func() { r.s.c.State = "rejected" })
	if _, err := ask(r); err == nil {
		t.Error("a rejected connection")
	}
}

func (s *back) set(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

var _ broker.Exchange = (*exchange.Exchange)(nil)
