package msapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

func TestAPIErrors(t *testing.T) {
	t.Parallel()
	challenge := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true}}}`))
	for name, c := range map[string]struct {
		service   string
		res       *sent
		code      string
		transient bool
		noMFA     bool
	}{
		"number":     {center, &sent{status: 401, body: []byte(`{"code":900421,"description":"x"}`)}, "900421", false, true},
		"text":       {center, &sent{status: 401, body: []byte(`{"code":"900421"}`)}, "900421", false, true},
		"old text":   {center, &sent{status: 401, body: []byte(`401 Unauthorized - MFA required`)}, "", false, true},
		"other 401":  {center, &sent{status: 401, body: nil}, "", false, false},
		"421 as 403": {center, &sent{status: 403, body: []byte(`{"code":900421}`)}, "900421", false, false},
		"throttled":  {center, &sent{status: 429, body: []byte(`{"statusCode":429,"message":"Rate limit is exceeded."}`)}, "", true, false},
		"graph": {graph, &sent{status: 403, body: []byte(`{"error":{"code":"Authorization_RequestDenied","message":"no"}}`)},
			"Authorization_RequestDenied", false, false},
		"graph text":     {graph, &sent{status: 403, body: []byte(`{"error":"nope"}`)}, "", false, false},
		"broken code":    {center, &sent{status: 400, body: []byte(`{"code":{"a":1}}`)}, "", false, false},
		"hostile code":   {center, &sent{status: 400, body: []byte(`{"code":"<script>alert(1)</script>"}`)}, "", false, false},
		"page":           {center, &sent{status: 502, body: []byte(`<html>`)}, "", true, false},
		"not a resource": {graph, &sent{status: 404, body: []byte(`{}`)}, "", false, false},
	} {
		if c.res.header == nil {
			c.res.header = http.Header{}
		}
		e := readAPIError(c.service, c.res)
		if e.Code != c.code || e.Transient != c.transient || e.WithoutMFA() != c.noMFA || e.Error() == "" || problem.HintOf(e) == "" {
			t.Errorf("%s: %+v %q", name, e, e.Error())
		}
		if strings.Contains(e.Error(), "script") || strings.Contains(e.Error(), "Rate limit") {
			t.Errorf("%s repeats the answer: %s", name, e)
		}
	}
	h := http.Header{"Www-Authenticate": {`Basic realm="x"`, `Bearer realm="", error="insufficient_claims", claims="` + challenge + `"`}}
	if e := readAPIError(graph, &sent{status: 401, header: h}); e.Claims != `{"access_token":{"nbf":{"essential":true}}}` {
		t.Errorf("challenge %q", e.Claims)
	}
	for _, bad := range []string{`Bearer error="insufficient_claims", claims="%%%"`, `Bearer error="insufficient_claims", claims="bm90IGpzb24="`,
		`Bearer error="invalid_token", claims="` + challenge + `"`} {
		if e := readAPIError(graph, &sent{status: 401, header: http.Header{"Www-Authenticate": {bad}}}); e.Claims != "" {
			t.Errorf("%.40s: challenge %q", bad, e.Claims)
		}
	}
}

// A token is sent nowhere but to the API whose answer had the link.
func TestWithin(t *testing.T) {
	t.Parallel()
	base := "https://api.partnercenter.microsoft.com"
	for link, want := range map[string]string{
		"/customers?size=2&seekOperation=Next":                  base + "/v1/customers?size=2&seekOperation=Next",
		"/v1/customers?size=2":                                  base + "/v1/customers?size=2",
		base + "/v1/customers":                                  base + "/v1/customers",
		"https://evil.example/v1/customers":                     "",
		"//evil.example/v1/customers":                           "",
		"http://api.partnercenter.microsoft.com/v1/customers":   "",
		"https://api.partnercenter.microsoft.com@evil.example/": "",
		"https://u@api.partnercenter.microsoft.com/":            "",
		"https://api.partnercenter.microsoft.com:444/":          "",
		"customers":           "",
		"/../secret":          "",
		"javascript:alert(1)": "",
		"":                    "",
		"/v1/customers#x":     "",
	} {
		if got, _ := within(base, link, "/v1"); got != want {
			t.Errorf("%q: %q, want %q", link, got, want)
		}
	}
}

func TestReadCustomers(t *testing.T) {
	t.Parallel()
	one := `{"id":"` + strings.ToUpper(tenantID) + `","companyProfile":{"tenantId":"` + tenantID +
		`","domain":"a.example","companyName":"A"},"relationshipToPartner":"reseller"}`
	for name, c := range map[string]struct {
		body string
		n    int // -1: unreadable
		next string
	}{
		"paged": {`{"totalCount":9,"items":[` + one +
			`],"links":{"next":{"uri":"/customers?x","headers":[{"key":"MS-ContinuationToken","value":"t"},{"key":"Authorization","value":"evil"}]}}}`, 1, "t"},
		"bare":             {`[` + one + `,` + one + `]`, 2, ""},
		"with a mark":      {"\xef\xbb\xbf[" + one + "]", 1, ""},
		"empty":            {`{"items":[]}`, 0, ""},
		"no profile":       {`[{"id":"` + tenantID + `"}]`, 1, ""},
		"no items":         {`{"totalCount":5}`, -1, ""},
		"null":             {`null`, -1, ""},
		"no id":            {`[{"companyProfile":{"domain":"a"}}]`, -1, ""},
		"an id that isn't": {`[{"id":"../../x"}]`, -1, ""},
		"a text":           {`["a"]`, -1, ""},
		"half":             {`[` + one[:40], -1, ""},
		"split header":     {`{"items":[],"links":{"next":{"uri":"/customers","headers":[{"key":"MS-ContinuationToken","value":"a\r\nX-Evil: 1"}]}}}`, 0, ""},
		"a null next":      {`{"items":[],"links":{"next":null}}`, 0, ""},
	} {
		p, err := readCustomers([]byte(c.body))
		if (err == nil) != (c.n >= 0) || err == nil && (len(p.items) != c.n || p.token != c.next) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	big := "[" + strings.Repeat(`{"id":"`+tenantID+`"},`, maxItems) + `{"id":"` + tenantID + `"}]`
	if _, err := readCustomers([]byte(big)); !errors.Is(err, problem.Limit) {
		t.Errorf("too many: %v", err)
	}
}

func TestCompliance(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]Compliance{"true": Compliant, "True": Compliant, " FALSE ": NotCompliant, "": Unknown, "yes": Unknown,
		"truefalse": Unknown} {
		if got := readCompliance(v); got != want {
			t.Errorf("%q: %s", v, got)
		}
	}
}

func TestAppCredentials(t *testing.T) {
	t.Parallel()
	list, err := AppCredentials([]byte(`{"keyCredentials":[{"keyId":"k","endDateTime":"2027-01-01T00:00:00Z"}],"passwordCredentials":[{"keyId":"p","endDateTime":"later","hint":"abc"},{"endDateTime":null}]}`))
	if err != nil || len(list) != 3 || list[0].Kind != Certificate || list[0].Until.Year() != 2027 || list[1].Kind != ClientSecret || !list[1].Until.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
	for _, bad := range []string{``, `[]`, `{"keyCredentials":5}`} {
		if _, err := AppCredentials([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Graph pages that never end, and ones that lead elsewhere.
func TestGraphPaging(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		next string
		want func(error) bool
	}{
		"the same for ever": {"https://graph.microsoft.com/v1.0/x?$skiptoken=a", func(err error) bool { return errors.Is(err, problem.Limit) }},
		"elsewhere":         {"https://evil.example/v1.0/x", func(err error) bool { var e *APIError; return errors.As(err, &e) }},
	} {
		n := 0
		cl := New(Options{Wait: func(context.Context, time.Duration) error { return nil }, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if n++; r.URL.Host != "graph.microsoft.com" || n > 20 {
				t.Fatalf("%s: request %d to %s", name, n, r.URL.Host)
			}
			b, _ := json.Marshal(map[string]any{"value": []any{map[string]any{"id": n}}, "@odata.nextLink": c.next})
			return answer(200, string(b)), nil
		})})
		g, err := cl.Graph(Commercial(), tenantID, Fixed(secret.New("at")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.All(context.Background(), "/v1.0/x"); !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, s := range []string{goodGrant, `{"error":"invalid_grant","error_codes":[700082],"claims":"{}"}`, `{"items":[{"id":"` + tenantID +
		`"}],"links":{"next":{"uri":"/customers","headers":[{"key":"MS-ContinuationToken","value":"t"}]}}}`,
		`[{"id":"` + tenantID + `"}]`, `{"issuer":"https://sts.windows.net/` + tenantID + `/","jwks_uri":"https://login.microsoftonline.com/k"}`,
		`{"keys":[{"kty":"RSA","kid":"a"}]}`, `{"value":[{}],"@odata.nextLink":"https://graph.microsoft.com/x"}`, `{"code":900421}`} {
		f.Add(400, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, b []byte) {
		if g, ok := readGrant(b); ok && (!isToken(g.Access.Reveal()) || g.life < 0 || g.life > maxLife) {
			t.Errorf("grant %+v", g)
		}
		res := &sent{status: status, body: b, header: http.Header{"Www-Authenticate": {string(b)}}}
		e := readTokenError(res)
		if !e.Transient && !isWord(e.Err) || e.Error() == "" || e.Claims != "" && !json.Valid([]byte(e.Claims)) {
			t.Errorf("token error %+v", e)
		}
		if a := readAPIError(center, res); a.Error() == "" || a.Code != "" && !isWord(a.Code) || a.Claims != "" && !json.Valid([]byte(a.Claims)) {
			t.Errorf("API error %+v", a)
		}
		if p, err := readCustomers(b); err == nil {
			for _, c := range p.items {
				if !isGUID(c.ID) {
					t.Errorf("customer %+v", c)
				}
			}
			if next, ok := within("https://api.partnercenter.microsoft.com", p.next, "/v1"); ok &&
				!strings.HasPrefix(next, "https://api.partnercenter.microsoft.com/") {
				t.Errorf("next %q", next)
			}
		}
		if d, err := readDiscovery(b, Commercial(), tenantID); err == nil && d.Tenant != tenantID {
			t.Errorf("discovery %+v", d)
		}
		_, _, _ = readPage(b)
		_, _ = AppCredentials(b)
	})
}
