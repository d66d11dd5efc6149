package msapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

func said(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

type answers func(r *http.Request) *http.Response

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

const aTenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"

// walkOver walks over what f answers, with what the caller gets as text.
func walkOver(t testing.TB, r evidence.Resource, s msapi.Span, w msapi.Resume, f answers) (said []string) {
	c := msapi.New(msapi.Options{Transport: f, MaxPage: 1 << 16, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	target := msapi.Target{Cloud: msapi.Commercial(), Tenant: aTenant, Bearer: func(string) msapi.Bearer { return msapi.Fixed(secret.New("a.token.x")) }}
	for a, err := range c.Walk(t.Context(), target, r, s, w) {
		var lost *msapi.Poisoned
		switch {
		case errors.As(err, &lost):
			said = append(said, "lost "+lost.Of+": "+lost.Why)
			if len(lost.Position) > 8<<10 {
				t.Errorf("a position of %d bytes", len(lost.Position))
			}
		case err != nil:
			said = append(said, "ended: "+err.Error())
		default:
			said = append(said, fmt.Sprintf("%d %s", a.Status, strings.TrimSpace(a.Of)))
			if len(a.Position) > 8<<10 || len(a.Body) > 1<<16 {
				t.Errorf("a position of %d bytes, a body of %d", len(a.Position), len(a.Body))
			}
		}
		if len(said) > 200 {
			t.Fatal("it does not end")
		}
	}
	return said
}

// What is sent to hurt costs one page and is named, or ends the walk and says why.
func TestWalkOverHostileAnswers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)
	next := `"@odata.nextLink":"https://graph.microsoft.com/v1.0/users/delta?$skiptoken=2"`
	for name, c := range map[string]struct {
		first, second string
		want          string
	}{
		"good":                 {`{"value":[{"id":"1"}],` + next + `}`, `{"value":[]}`, "200 |200 "},
		"a link elsewhere":     {`{"value":[],"@odata.nextLink":"https://evil.example/v1.0/users?x"}`, "", "ended: a link of users leads away from graph.microsoft.com: nothing was sent there"},
		"a link by name":       {`{"value":[],"@odata.nextLink":"https://graph.microsoft.com@evil.example/v1.0/users"}`, "", "ended: a link of users leads away"},
		"a link to plain http": {`{"value":[],"@odata.nextLink":"http://graph.microsoft.com/v1.0/users"}`, "", "ended: a link of users leads away"},
		"a link that climbs":   {`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/../x"}`, "", "ended: a link of users leads away"},
		"a link without end":   {`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/` + strings.Repeat("x", 9<<10) + `"}`, "", "ended: a link of users leads away"},
		"a long link":          {`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/` + strings.Repeat("x", 8150) + `"}`, `{"value":[]}`, "200 |200 "},
		"a circle":             {`{"value":[],` + next + `}`, `{"value":[],` + strings.Replace(next, "=2", "=1", 1) + `}`, "200 |200 |200 |ended: users of Microsoft Graph does not go on"},
		"nested too deep":      {`{"value":[` + deep + `],` + next + `}`, `{"value":[]}`, "lost : it is nested too deep|200 "},
		"deeper than Go reads": {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "", "lost : it is no JSON"},
		"too long":             {`{"value":["` + strings.Repeat("x", 1<<17) + `"]}`, "", "lost : it is longer than this program reads"},
		"no JSON":              {"<html>Sign in to the network</html>", "", "lost : it is no JSON"},
		"half":                 {`{"value":[{"id":"1"}`, "", "lost : it is no JSON"},
		"no list":              {`{"values":[]}`, "", "lost : it is no list"},
		"a list of texts":      {`{"value":["a"],` + next + `}`, `{"value":[]}`, "lost : it holds something that is no object|200 "},
		"too many":             {`{"value":[` + strings.Repeat("{},", 10_001) + `{}],` + next + `}`, `{"value":[]}`, "lost : it holds more than 10,000 objects|200 "},
	} {
		got := walkOver(t, resource(t, "users"), msapi.Span{}, msapi.Resume{}, func(r *http.Request) *http.Response {
			if strings.Contains(r.URL.RawQuery, "skiptoken=2") || strings.HasPrefix(r.URL.Path, "/xx") {
				return said(r, 200, c.second)
			}
			return said(r, 200, c.first)
		})
		if !strings.HasPrefix(strings.Join(got, "|"), c.want) || strings.Count(strings.Join(got, "|"), "|") != strings.Count(c.want, "|") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Items whose ids are no ids, or whose list cannot be read, are lost alone; parts
// of a batch that failed are asked for by themselves.
func TestWalkOverHostileItems(t *testing.T) {
	t.Parallel()
	var batches, alone int
	got := walkOver(t, resource(t, "groups"), msapi.Span{}, msapi.Resume{}, func(r *http.Request) *http.Response {
		switch {
		case r.URL.Path == "/v1.0/groups":
			return said(r, 200, `{"value":[{"id":"a"},{"id":"../b"},{"id":"c"},{"id":"d"},{"id":"e"},{"id":"f"},{"id":7},{}]}`)
		case strings.HasSuffix(r.URL.Path, "/$batch"):
			batches++
			return said(r, 200, `{"responses":[{"id":"5","status":429,"headers":{"Retry-After":"3"},"body":{}},{"id":"1","status":200,"body":{"value":[{"id":"1"}]}},
				{"id":"2","status":404,"body":{"error":{"code":"Request_ResourceNotFound"}}},{"id":"3","status":200,"body":{"valu":[]}},
				{"id":"99","status":200,"body":{}},{"id":"x","status":200,"body":{}}]}`)
		}
		alone++
		if strings.Contains(r.URL.Path, "/d/") {
			return said(r, 200, `{"error"`)
		}
		return said(r, 200, `{"value":[]}`)
	})
	want := "200 |lost ../b: its id cannot stand in an address|200 a|404 c|lost d: it is no JSON|200 e|200 f"
	if strings.Join(got, "|") != want || batches != 1 || alone != 3+2 {
		t.Errorf("%q, %d batches, %d alone", got, batches, alone)
	}
	got = walkOver(t, resource(t, "groups"), msapi.Span{}, msapi.Resume{Items: []string{"a", "c"}, Position: `{"i":true}`}, func(r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/$batch") {
			return said(r, 403, `{"error":{"code":"Authorization_RequestDenied"}}`)
		}
		return said(r, 403, `{"error":{"code":"Authorization_RequestDenied"}}`)
	})
	if len(got) != 2 || got[0] != "403 a" || !strings.Contains(got[1], "GroupMember.Read.All") {
		t.Errorf("no right to members: %q", got)
	}
}

// A slice that cannot be read is named with its interval, and the others are read.
func TestWalkOverPoisonedSlice(t *testing.T) {
	t.Parallel()
	r := resource(t, "directoryAudits")
	from := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	got := walkOver(t, r, msapi.Span{From: from, To: from.AddDate(0, 0, 3)}, msapi.Resume{}, func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.RawQuery, "ge%202026-11-21") {
			return said(r, 200, `[`)
		}
		return said(r, 200, `{"value":[]}`)
	})
	if strings.Join(got, "|") != "200 |lost : it is no JSON|200 " {
		t.Errorf("%q", got)
	}
}

// A log without an end in time, and what is not read live, are mistakes of ours.
func TestWalkUsage(t *testing.T) {
	t.Parallel()
	never := func(r *http.Request) *http.Response { t.Error("asked"); return said(r, 500, "") }
	for _, r := range []evidence.Resource{resource(t, "directoryAudits"), {Name: "x", Request: evidence.Request{Service: evidence.ExchangeOnline}}} {
		c := msapi.New(msapi.Options{Transport: answers(never)})
		target := msapi.Target{Cloud: msapi.Commercial(), Tenant: aTenant, Bearer: func(string) msapi.Bearer { return msapi.Fixed(secret.New("a.token.x")) }}
		for _, err := range c.Walk(t.Context(), target, r, msapi.Span{}, msapi.Resume{}) {
			if !errors.Is(err, problem.Usage) {
				t.Errorf("%s: %v", r.Name, err)
			}
		}
	}
}

// Whatever is answered, and whatever position is handed in, a walk ends, asks the
// host alone, and keeps its bounds.
func FuzzWalk(f *testing.F) {
	f.Add("users", []byte(`{"value":[{"id":"1"}],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users/delta?$skiptoken=2"}`), "")
	f.Add("groups", []byte(`{"value":[{"id":"a"},{"id":"b"}]}`), `{"i":true,"o":"a"}`)
	f.Add("customers", []byte(`{"items":[{"id":"x"}],"links":{"next":{"uri":"/customers?seekOperation=Next","headers":[{"key":"MS-ContinuationToken","value":"t"}]}}}`), "")
	f.Add("directoryAudits", []byte(`{"value":[]}`), `{"f":1,"w":60}`)
	f.Add("azureActivity", []byte(`{"value":[{"subscriptionId":"s"}],"nextLink":"https://evil.example"}`), `{"n":"/x","z":false}`)
	f.Add("groups", []byte(`{"responses":[{"id":"0","status":200,"body":{"value":[]}}]}`), `{"i":true}`)
	from := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, name string, body []byte, position string) {
		r, ok := evidence.ResourceNamed(name)
		if !ok || len(body) > 1<<12 {
			return
		}
		n := 0
		never := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		c := msapi.New(msapi.Options{Tries: 1, Wait: never, Transport: answers(func(q *http.Request) *http.Response {
			if h := q.URL.Host; h != "graph.microsoft.com" && h != "api.partnercenter.microsoft.com" && h != "management.azure.com" {
				t.Fatalf("%s was asked", h)
			}
			n++
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: q}
		})})
		target := msapi.Target{Cloud: msapi.Commercial(), Tenant: aTenant, Bearer: func(string) msapi.Bearer { return msapi.Fixed(secret.New("a.token.x")) }}
		resume := msapi.Resume{Position: position, Items: []string{"a", "b"}}
		for a, err := range c.Walk(t.Context(), target, r, msapi.Span{From: from, To: from.Add(time.Hour)}, resume) {
			if err == nil && (len(a.Position) > 8<<10 || !strings.HasPrefix(a.Request, "GET /")) {
				t.Fatalf("%+v", a)
			}
			if n > 500 {
				t.Fatal("it does not end")
			}
		}
	})
}

// A page of a slice that is lost says of which interval it was, also where the walk
// knows how to go on behind it.
func TestWalkOverHostilePagesOfALog(t *testing.T) {
	t.Parallel()
	r := resource(t, "signIns.interactiveUser")
	to := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	s := msapi.Span{From: to.Add(-time.Hour), To: to}
	c := msapi.New(msapi.Options{Transport: answers(func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.RawQuery, "skiptoken") {
			return said(r, 200, `{"value":[]}`)
		}
		return said(r, 200, `{"value":["a"],"@odata.nextLink":"https://graph.microsoft.com/beta/auditLogs/signIns?$skiptoken=2"}`)
	})})
	target := msapi.Target{Cloud: msapi.Commercial(), Tenant: aTenant, Bearer: func(string) msapi.Bearer { return msapi.Fixed(secret.New("a.token.x")) }}
	lost := 0
	for _, err := range c.Walk(t.Context(), target, r, s, msapi.Resume{}) {
		p, is := errors.AsType[*msapi.Poisoned](err)
		if !is {
			continue
		}
		if lost++; p.Span.To.IsZero() || p.Span.From.Before(s.From) || p.Span.To.After(s.To) {
			t.Errorf("of %v", p.Span)
		}
	}
	if lost == 0 {
		t.Error("nothing was lost")
	}
}
