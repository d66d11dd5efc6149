package assert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// block gives the first block of a language in the page for upstreams.
func block(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/gateway-upstream.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the page has no %s", language)
	}
	return code
}

const goMain = `package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

%s
func main() {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(os.Args[1]), &keys); err != nil {
		panic(err)
	}
	for _, token := range os.Args[2:] {
		claims, err := Caller(&http.Request{Header: http.Header{"X-Partnerguard-Assertion": {token}}}, keys, "https://panel.contoso.example",
			"http://127.0.0.1:9000")
		if err != nil {
			claims = map[string]any{}
		}
		fmt.Println(claims["oid"], err == nil)
	}
}
`

const nodeMain = `%s
const [set, ...tokens] = process.argv.slice(2)
for (const token of tokens) {
  try {
    console.log(caller(token, JSON.parse(set).keys, 'https://panel.contoso.example', 'http://127.0.0.1:9000').oid, true)
  } catch (e) {
    console.log('<nil>', false)
  }
}
`

// What the page has upstreams write takes what is ours, and refuses what is forged, for
// another, of another key, or over.
func TestDocsCode(t *testing.T) {
	t.Parallel()
	a, other := newLive(t), newLive(t)
	d, r := served(user())
	d.Identity.NotAfter, d.Identity.AuthTime = 0, 0
	tell := func(by *Asserter, upstream string) string {
		return list(by.Headers(nil, d, r, upstream))[HeaderAssertion]
	}
	well := tell(a, origin)
	parts := strings.Split(well, ".")
	old := newDesk(t) // of another time, signed by a's key
	old.deps.Key, old.head = a.deps.Key, a.head
	tokens := []string{
		well, tell(other, origin), tell(a, "http://127.0.0.1:9001"), tell(old.Asserter, origin), parts[0] + "." + parts[1] + "." + strings.Split(tell(other,
			origin), ".")[2],
		encode([]byte(`{"alg":"none","typ":"`+Type+`"}`)) + "." + parts[1] + ".", "", "x.y.z",
	}
	want := "oid-1 true\n" + strings.Repeat("<nil> false\n", len(tokens)-1)
	folder := t.TempDir()
	for language, c := range map[string]struct {
		main string
		run  []string
	}{"go": {goMain, []string{"go", "run"}}, "js": {nodeMain, []string{"node"}}} {
		if _, err := exec.LookPath(c.run[0]); err != nil {
			t.Logf("there is no %s here", c.run[0])
			continue
		}
		path := filepath.Join(folder, "check."+strings.Replace(language, "js", "mjs", 1))
		if err := os.WriteFile(path, fmt.Appendf(nil, c.main, block(t, language)), 0o600); err != nil {
			t.Fatal(err)
		}
		args := append(append(append([]string(nil), c.run[1:]...), path, string(a.KeySet())), tokens...)
		out, err := exec.CommandContext(t.Context(), c.run[0], args...).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", language, err, out, want)
		}
	}
}

func newLive(t *testing.T) *Asserter {
	t.Helper()
	a, err := New(Deps{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
