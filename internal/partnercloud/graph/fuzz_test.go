package graph

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// Whatever stands in a batch, the answer is JSON, holds each id once, and
// nothing panics.
func FuzzBatch(f *testing.F) {
	f.Add(`{"requests":[{"id":"1","method":"GET","url":"/me"}]}`)
	f.Add(`{"requests":[{"id":"1","method":"POST","url":"/$batch","body":{"requests":[]}},{"id":"2","method":"GET","url":"/users?$filter=a eq 'b'","dependsOn":["1"]}]}`)
	f.Add(`{"requests":[{"id":"1","method":"PATCH","url":"/users/x","headers":{"Content-Type":"application/json"},"body":"e30="}]}`)
	f.Add(`{"requests":[{"id":"a","method":"GET","url":"//x/../users('a')/memberOf/$count"}]}`)
	f.Add(`{"requests":[{"id":"a","method":"GET","url":"/users%zz"}]}`)
	f.Add(`{"requests":[{"id":"0","method":"GET","url":"$count"}]}`)
	l := newLab(f)
	tok := l.admin()
	f.Fuzz(func(t *testing.T, body string) {
		a := l.do("POST", "/v1.0/$batch", tok, body)
		if a.code != 200 {
			if body != "" && a.errorCode() == "" {
				t.Fatalf("%d without an error: %s", a.code, a.raw)
			}
			return
		}
		var in struct {
			Requests []struct {
				ID string `json:"id"`
			} `json:"requests"`
		}
		if json.Unmarshal([]byte(body), &in) != nil {
			t.Fatal("a batch that is no JSON was answered")
		}
		seen := map[string]bool{}
		for _, r := range objs(a.body, "responses") {
			if seen[str(r, "id")] {
				t.Fatal("an id is answered twice")
			}
			seen[str(r, "id")] = true
			if n, _ := r["status"].(float64); n < 200 || n == 500 {
				t.Fatalf("status %v: %v", n, r)
			}
		}
		if len(seen) != len(in.Requests) {
			t.Fatalf("%d answers for %d requests", len(seen), len(in.Requests))
		}
	})
}

// No skip token but our own is taken.
func FuzzSkipToken(f *testing.F) {
	l := newLab(f)
	tok := l.admin()
	own := str(l.get("/v1.0/users?$top=2", tok).body, "@odata.nextLink")
	own = own[strings.Index(own, "$skiptoken=")+len("$skiptoken="):]
	f.Add(own)
	f.Add("")
	f.Add(own[:10] + "A" + own[11:])
	f.Add(strings.Repeat("A", 5000))
	f.Fuzz(func(t *testing.T, token string) {
		a := l.get("/v1.0/users?$top=2&$skiptoken="+url.QueryEscape(token), tok)
		if want := token == own; (a.code == 200) != want || !want && a.code != 400 {
			t.Fatalf("token %q: %d", token, a.code)
		}
	})
}
