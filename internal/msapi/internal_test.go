package msapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const tenantID = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"

// roundTrip is a transport of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ProtoMajor: 1, ProtoMinor: 1}
}

const goodGrant = `{"token_type":"Bearer","expires_in":3599,"access_token":"at","refresh_token":"rt2","scope":"a b"}`

func refreshWith(c *Client) (*Grant, error) {
	return c.Refresh(context.Background(), RefreshRequest{Cloud: Commercial(), App: App{"app", NewPublic()}, Tenant: tenantID, Refresh: secret.New("mark-rt"),
		Scope: "s"})
}

func TestReadGrant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		life time.Duration // -1: not read
	}{
		"v2": {goodGrant, 3599 * time.Second},
		"v1": {`{"token_type":"bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"1","access_token":"at","resource":"r"}`,
			3599 * time.Second},
		"decimal":        {`{"token_type":"Bearer","expires_in":3599.0,"access_token":"at"}`, 3599 * time.Second},
		"no life":        {`{"token_type":"Bearer","access_token":"at"}`, 0},
		"endless":        {`{"token_type":"Bearer","expires_in":9007199254740991,"access_token":"at"}`, maxLife},
		"huge":           {`{"token_type":"Bearer","expires_in":1e300,"access_token":"at"}`, -1},
		"negative":       {`{"token_type":"Bearer","expires_in":-5,"access_token":"at"}`, -1},
		"NaN":            {`{"token_type":"Bearer","expires_in":"NaN","access_token":"at"}`, -1},
		"another type":   {`{"token_type":"pop","expires_in":1,"access_token":"at"}`, -1},
		"no token":       {`{"token_type":"Bearer","expires_in":1}`, -1},
		"a broken token": {`{"token_type":"Bearer","expires_in":1,"access_token":"a\r\nX: y"}`, -1},
		"a broken rt":    {`{"token_type":"Bearer","expires_in":1,"access_token":"a","refresh_token":"a b"}`, -1},
		"a long token":   {`{"token_type":"Bearer","expires_in":1,"access_token":"` + strings.Repeat("a", maxTokenText+1) + `"}`, -1},
		"a list":         {`[]`, -1},
		"half":           {goodGrant[:60], -1},
		"a page":         {`<html>`, -1},
		"empty":          {``, -1},
		"wrong types":    {`{"token_type":1,"access_token":{}}`, -1},
	} {
		g, ok := readGrant([]byte(c.body))
		if ok != (c.life >= 0) || ok && g.life != c.life {
			t.Errorf("%s: read %v, %+v", name, ok, g)
		}
	}
}

// A rejection is only what Entra ID itself says in its own shape.
func TestReadTokenError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		code      int
		word      string
		transient bool
	}{
		"dead":                {400, `{"error":"invalid_grant","error_codes":[700082],"correlation_id":"` + tenantID + `"}`, 700082, "invalid_grant", false},
		"code as text":        {400, `{"error":"invalid_grant","error_codes":["50173"]}`, 50173, "invalid_grant", false},
		"the first counts":    {400, `{"error":"invalid_grant","error_codes":[50076,50173]}`, 50076, "invalid_grant", false},
		"unknown code":        {400, `{"error":"invalid_grant","error_codes":[123456]}`, 123456, "invalid_grant", false},
		"no code":             {400, `{"error":"interaction_required"}`, 0, "interaction_required", false},
		"bad client":          {401, `{"error":"invalid_client","error_codes":[7000215]}`, 7000215, "invalid_client", false},
		"passing by code":     {400, `{"error":"invalid_request","error_codes":[90033]}`, 90033, "invalid_request", true},
		"loop":                {400, `{"error":"invalid_grant","error_codes":[50196]}`, 50196, "invalid_grant", true},
		"clock":               {401, `{"error":"invalid_client","error_codes":[700024]}`, 700024, "invalid_client", true},
		"passing by word":     {400, `{"error":"temporarily_unavailable"}`, 0, "temporarily_unavailable", true},
		"503":                 {503, `{"error":"temporarily_unavailable","error_codes":[90033]}`, 90033, "temporarily_unavailable", true},
		"500 with a dead one": {500, `{"error":"invalid_grant","error_codes":[700082]}`, 700082, "invalid_grant", true},
		"429":                 {429, `{"statusCode":429,"message":"slow down"}`, 0, "unreadable answer", true},
		"a proxy's page":      {403, `<html>blocked</html>`, 0, "unreadable answer", true},
		"a proxy's 407":       {407, ``, 0, "unreadable answer", true},
		"another's JSON":      {400, `{"message":"invalid_grant"}`, 0, "unreadable answer", true},
		"a broken word":       {400, `{"error":"invalid grant<script>","error_codes":[700082]}`, 0, "unreadable answer", true},
		"a redirect":          {302, ``, 0, "unreadable answer", true},
		"a huge code":         {400, `{"error":"invalid_grant","error_codes":[99999999999]}`, 0, "invalid_grant", false},
	} {
		e := readTokenError(&sent{status: c.status, body: []byte(c.body)})
		if e.Code != c.code || e.Err != c.word || e.Transient != c.transient || e.Error() == "" || e.Fix() == "" {
			t.Errorf("%s: %+v %q", name, e, e.Error())
		}
		if strings.Contains(e.Error(), "script") || strings.Contains(e.Error(), "slow down") {
			t.Errorf("%s: it repeats the answer: %s", name, e)
		}
		if k := errors.Is(e, problem.Limit); k != e.Transient {
			t.Errorf("%s: kind does not say whether it passes", name)
		}
	}
	e := readTokenError(&sent{status: 400, body: []byte(`{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{\"capolids\":{\"essential\":true}}}"}`)})
	if !strings.Contains(e.Claims, "capolids") {
		t.Errorf("claims %q", e.Claims)
	}
	for _, bad := range []string{`"claims":"not json"`, `"claims":[1]`, `"claims":null`, `"claims":"` + strings.Repeat("a", maxClaims+1) + `"`} {
		if e := readTokenError(&sent{status: 400, body: []byte(`{"error":"interaction_required",` + bad + `}`)}); e.Claims != "" {
			t.Errorf("%.30s: claims %q", bad, e.Claims)
		}
	}
}

// Every code of the contracts is explained, and what passes is told from what
// does not.
func TestExplain(t *testing.T) {
	t.Parallel()
	contracts := []int{
		50074, 50076, 50078, 50079, 50072, 50158, 50159, 50161, 50166, 50170, 50172, 5001256, 900491, 500121, 53000, 53001, 53002, 53003, 53004, 53011,
		530032, 530034, 530035,
		50053, 50055, 50144, 50057, 50126, 50097, 50105, 50140, 50173, 50020, 50177, 65001, 65004, 65005, 650052, 650057, 70043, 700082, 70008, 90072, 90094,
		90099,
		70000, 70002, 700084, 70016, 70018, 70019, 54005, 50147, 50148, 7000215, 7000222, 7000218, 700027, 700016, 7000229, 500011, 50194, 90002, 900023,
		5000224, 9002313, 50012,
	}
	for _, code := range contracts {
		if x := Explain(code); !x.Known || x.Words == "" || x.Fix == "" || x.Bucket == "" {
			t.Errorf("%d: %+v", code, x)
		}
	}
	for _, code := range Codes() {
		x := Explain(code)
		if strings.HasSuffix(x.Words, ".") || strings.HasSuffix(x.Fix, ".") || !x.Known || x.Final == (x.Bucket == entra.BucketTransient ||
			x.Bucket == entra.BucketClock) {
			t.Errorf("%d: %+v", code, x)
		}
	}
	if x := Explain(424242); x.Known || !x.Final || !strings.Contains(x.Words, "does not know") {
		t.Errorf("unknown: %+v", x)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := "Sun, 22 Nov 2026 04:00:00 GMT"
	for name, c := range map[string]struct {
		header []string
		want   time.Duration
	}{
		"none":             {nil, 0},
		"seconds":          {[]string{"Retry-After", "7"}, 7 * time.Second},
		"spaces":           {[]string{"Retry-After", " 7 "}, 7 * time.Second},
		"a moment":         {[]string{"Retry-After", "Sun, 22 Nov 2026 04:00:30 GMT", "Date", date}, 30 * time.Second},
		"a past moment":    {[]string{"Retry-After", "Sun, 22 Nov 2026 03:00:30 GMT", "Date", date}, 0},
		"without a date":   {[]string{"Retry-After", "Sun, 22 Nov 2026 04:00:30 GMT"}, 0},
		"milliseconds":     {[]string{"Retry-After", "7", "Retry-After-Ms", "1500"}, 1500 * time.Millisecond},
		"zero":             {[]string{"Retry-After", "0"}, 0},
		"negative":         {[]string{"Retry-After", "-7"}, 0},
		"for ever":         {[]string{"Retry-After", "1e300"}, 24 * time.Hour},
		"for ever by date": {[]string{"Retry-After", "Fri, 22 Nov 2126 04:00:30 GMT", "Date", date}, 24 * time.Hour},
		"words":            {[]string{"Retry-After", "soon"}, 0},
		"NaN":              {[]string{"Retry-After", "NaN"}, 0},
		"infinity":         {[]string{"Retry-After", "+Inf"}, 24 * time.Hour},
	} {
		if got := retryAfter(answer(429, "", c.header...)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// The pipeline in a bubble of time: what is sent again, after how long.
func TestResend(t *testing.T) {
	t.Parallel()
	cut := errors.New("connection reset by mark-rt")
	for name, c := range map[string]struct {
		replies []any // *http.Response makers or errors, the last for ever
		tries   int
		least   time.Duration
		most    time.Duration
		good    bool
	}{
		"at once": {[]any{func() *http.Response { return answer(200, goodGrant) }}, 1, 0, 0, true},
		"throttled": {[]any{func() *http.Response { return answer(429, "{}", "Retry-After", "9") }, func() *http.Response {
			return answer(200, goodGrant)
		}}, 2, 9 * time.Second, 10 * time.Second, true},
		"throttled bare": {[]any{func() *http.Response { return answer(429, "") }, func() *http.Response { return answer(200, goodGrant) }}, 2,
			500 * time.Millisecond, 700 * time.Millisecond, true},
		"cut, 503, good": {[]any{cut, func() *http.Response { return answer(503, "", "Retry-After", "3") }, func() *http.Response {
			return answer(200, goodGrant)
		}}, 3, 3500 * time.Millisecond, 3700 * time.Millisecond, true},
		"cut for ever":         {[]any{cut}, 4, 3500 * time.Millisecond, 4500 * time.Millisecond, false},
		"throttled too long":   {[]any{func() *http.Response { return answer(429, "", "Retry-After", "3600") }}, 1, 0, 0, false},
		"rejected":             {[]any{func() *http.Response { return answer(400, `{"error":"invalid_grant","error_codes":[50173]}`) }}, 1, 0, 0, false},
		"not implemented":      {[]any{func() *http.Response { return answer(501, "") }}, 1, 0, 0, false},
		"redirected elsewhere": {[]any{func() *http.Response { return answer(307, "", "Location", "https://evil.example/") }}, 1, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, hosts := 0, map[string]bool{}
				ids := map[string]bool{}
				cl := New(Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					hosts[r.URL.Host] = true
					ids[r.Header.Get("client-request-id")] = true
					if b, _ := io.ReadAll(r.Body); !bytes.Contains(b, []byte("refresh_token=mark-rt")) {
						t.Errorf("try %d has the body %q", n+1, b)
					}
					reply := c.replies[min(n, len(c.replies)-1)]
					n++
					if err, ok := reply.(error); ok {
						return nil, err
					}
					return reply.(func() *http.Response)(), nil
				})})
				began := time.Now()
				g, err := refreshWith(cl)
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("took %s", took)
				}
				if n != c.tries || (err == nil) != c.good || len(hosts) != 1 || len(ids) != 1 {
					t.Errorf("%d tries, %v, hosts %v, ids %d", n, err, hosts, len(ids))
				}
				if err == nil && (g.Refresh.Reveal() != "rt2" || !g.Expires.Equal(g.At.Add(3599*time.Second))) {
					t.Errorf("grant %+v", g)
				}
				if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "mark-rt") {
					t.Errorf("the error tells the secret: %v", err)
				}
			})
		})
	}
}

// take takes a turn and says how long to wait for it.
func (b *budgets) take(key string, p pace) time.Duration {
	moment, now := b.reserve(key, p, 1)
	return moment - now
}

// A throttled tenant waits; another one does not; the pace recovers.
func TestBudgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudgets(nil)
		p := pace{10, time.Second}
		for range 10 {
			if d := b.take("a", p); d != 0 {
				t.Fatalf("within the burst: %s", d)
			}
		}
		if d := b.take("a", p); d < time.Second || d > 1100*time.Millisecond {
			t.Errorf("after the burst: %s", d)
		}
		b.slower("a", p, 30*time.Second)
		if d := b.take("a", p); d < 29*time.Second || d > 31*time.Second {
			t.Errorf("throttled: %s", d)
		}
		if d := b.take("b", p); d != 0 {
			t.Errorf("another tenant waits %s", d)
		}
		time.Sleep(31 * time.Second)
		if d := b.take("a", p); d != 0 {
			t.Errorf("after the pause: %s", d)
		}
		for range 20 {
			b.slower("a", p, 0)
		}
		if l := b.list["a"].share; l != slowest {
			t.Errorf("the slowest pace is %v", l)
		}
		for range 40 {
			b.faster("a")
		}
		if l := b.list["a"].share; l != 1 {
			t.Errorf("recovered to %v", l)
		}
		for i := range maxBuckets + 10 {
			b.take(fmt.Sprint("x", i), p)
		}
		if len(b.list) > maxBuckets {
			t.Errorf("%d buckets", len(b.list))
		}
	})
}

// Too long an answer is an error, never half an answer; and never read whole.
func TestBoundedAnswers(t *testing.T) {
	t.Parallel()
	var read atomic.Int64
	cl := New(Options{MaxBody: 1 << 10, Wait: func(context.Context, time.Duration) error { return nil },
		Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			res := answer(200, "")
			res.Body = io.NopCloser(&endless{&read})
			return res, nil
		})})
	var e *TokenError
	if _, err := refreshWith(cl); !errors.As(err, &e) || !e.Transient {
		t.Errorf("%v", err)
	}
	if n := read.Load(); n > 1<<12 {
		t.Errorf("%d bytes were read", n)
	}
	// Exactly the limit is fine.
	l := &limited{r: io.NopCloser(strings.NewReader("12345")), left: 5}
	if b, err := io.ReadAll(l); string(b) != "12345" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	l = &limited{r: io.NopCloser(strings.NewReader("123456")), left: 5}
	if _, err := io.ReadAll(l); !errors.Is(err, problem.Limit) {
		t.Errorf("one more: %v", err)
	}
}

type endless struct{ n *atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.n.Add(int64(len(p)))
	return len(p), nil
}

// No request goes over plain http to another machine.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	cl := New(Options{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, io.EOF
	})})
	c := Commercial()
	c.Authority = "http://login.example"
	if _, err := cl.Refresh(context.Background(), RefreshRequest{Cloud: c, App: App{"app", NewPublic()}, Tenant: tenantID,
		Refresh: secret.New("x")}); !errors.Is(err, problem.Usage) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "login.example", "https://u:p@login.example", "https://login.example/x", "https://login.example?x",
		"ftp://login.example", "https://", "http://169.254.169.254"} {
		c.Authority = bad
		if c.Check() == nil {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{"https://login.example", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost:80"} {
		c.Authority = good
		if err := c.Check(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "..", "a/b", "a?b", "a#b", "-a", "a-", "a b", "%2e%2e", strings.Repeat("a", 300)} {
		if checkTenant(bad) == nil {
			t.Errorf("tenant %q passes", bad)
		}
	}
}

func TestReadDiscovery(t *testing.T) {
	t.Parallel()
	c := Commercial()
	other := "11111111-2222-3333-4444-555555555555"
	doc := func(issuer, jwks string) string {
		return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, jwks)
	}
	keys := c.Authority + "/x/discovery/v2.0/keys"
	for name, d := range map[string]struct {
		body, tenant string
		good         bool
	}{
		"its own":         {doc(c.Authority+"/"+tenantID+"/v2.0", keys), tenantID, true},
		"by domain":       {doc(c.Authority+"/"+tenantID+"/v2.0", keys), "contoso.com", true},
		"v1":              {doc("https://sts.windows.net/"+tenantID+"/", keys), tenantID, true},
		"common":          {doc(c.Authority+"/{tenantid}/v2.0", keys), "common", true},
		"a template":      {doc(c.Authority+"/{tenantid}/v2.0", keys), tenantID, false},
		"another tenant":  {doc(c.Authority+"/"+other+"/v2.0", keys), tenantID, false},
		"another cloud":   {doc("https://login.microsoftonline.us/"+tenantID+"/v2.0", keys), tenantID, false},
		"a longer host":   {doc("https://login.microsoftonline.com.evil.example/"+tenantID+"/v2.0", keys), tenantID, false},
		"a longer issuer": {doc(c.Authority+"/"+tenantID+"/v2.0/x", keys), tenantID, false},
		"keys elsewhere":  {doc(c.Authority+"/"+tenantID+"/v2.0", "https://evil.example/keys"), tenantID, false},
		"keys by http":    {doc(c.Authority+"/"+tenantID+"/v2.0", "http://login.microsoftonline.com/keys"), tenantID, false},
		"keys at a user":  {doc(c.Authority+"/"+tenantID+"/v2.0", "https://login.microsoftonline.com@evil.example/keys"), tenantID, false},
		"no keys":         {doc(c.Authority+"/"+tenantID+"/v2.0", ""), tenantID, false},
		"no issuer":       {doc("", keys), tenantID, false},
		"not JSON":        {"<html>", tenantID, false},
		"null":            {"null", tenantID, false},
	} {
		if _, err := readDiscovery([]byte(d.body), c, d.tenant); (err == nil) != d.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys are fetched once for all who ask, kept, and asked for again for an
// unknown kid, at most every five minutes.
func TestKeys(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	fetched, kids := 0, []string{"one"}
	c := Commercial()
	cl := New(Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "openid-configuration") {
			return answer(200, `{"issuer":"`+c.Authority+"/"+tenantID+`/v2.0","jwks_uri":"`+c.Authority+`/keys"}`), nil
		}
		fetched++
		var list []string
		for _, k := range kids {
			list = append(list, `{"kty":"EC","use":"sig","kid":"`+k+
				`","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`)
		}
		list = append(list, `{"kty":"oct","kid":"shared","k":"AAAA"}`, `{"kty":"EC","kid":"broken"}`, `5`)
		return answer(200, `{"keys":[`+strings.Join(list, ",")+`]}`), nil
	})})
	ask := func(kid string) int {
		t.Helper()
		set, err := cl.Keys(context.Background(), c, tenantID, kid)
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Key("shared"))+len(set.Key("broken")) > 0 {
			t.Error("a key that is none of ours to use was taken")
		}
		return len(set.Key(kid))
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { ask("one") })
	}
	wg.Wait()
	if fetched != 1 {
		t.Errorf("fetched %d times for 20 at once", fetched)
	}
	step := func(d time.Duration, roll ...string) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		if roll != nil {
			kids = roll
		}
	}
	step(time.Minute, "two")
	for range 5 {
		if ask("two") != 0 {
			t.Error("the new key came too soon")
		}
	}
	if fetched != 1 {
		t.Errorf("an unknown kid made us ask %d times within five minutes", fetched)
	}
	step(4 * time.Minute)
	if ask("two") != 1 || fetched != 2 {
		t.Errorf("after five minutes: %d fetches", fetched)
	}
	step(23*time.Hour + 59*time.Minute)
	if ask("two"); fetched != 2 {
		t.Error("a known key was asked for again within a day")
	}
	step(time.Minute)
	if ask("two"); fetched != 3 {
		t.Error("keys were kept for more than a day")
	}
	step(-48 * time.Hour)
	if ask("two"); fetched != 4 {
		t.Error("keys from the future were kept")
	}
}
