package arm

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// fill puts the lab's things into an operation's address.
func fill(path string) string {
	return strings.NewReplacer("{subscription}", subID, "{group}", "rg1", "{namespace}", "Microsoft.Storage", "{type}", "storageAccounts", "{name}", "st",
		"{location}", "westeurope", "{operation}", fresh, "{account}", "a").Replace(path)
}

const fresh = "60000000-0000-4000-8000-0000000000aa"

func (l *lab) whole() (out string) {
	l.w.Read(func(s *world.State) {
		b, err := json.Marshal(s)
		if err != nil {
			l.t.Fatal(err)
		}
		out = string(b)
	})
	return out
}

// Every operation says its source, and refuses in order whatever it does not
// understand or may not do: nothing changes.
func TestSweep(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	before := l.whole()
	owner, foreign := l.token("owner", customerID, nil), l.token("owner", "d0000000-0000-4000-8000-00000000000d", nil)
	graph := l.token("owner", customerID, func(c *bearer.Claims) { c.Audience = "https://graph.microsoft.com" })
	nobody := l.token("nothing", customerID, nil)
	all := Operations()
	if len(all) < 80 {
		t.Fatalf("only %d operations", len(all))
	}
	for _, o := range all {
		if o.Source.Text == "" {
			t.Errorf("%s %s says no source", o.Method, o.Path)
		}
		path := fill(o.Path)
		body := ""
		if o.Method != http.MethodGet {
			body = `{"colour":"red"}`
		}
		for name, c := range map[string]struct {
			token, method, query, body string
			statuses                   []int
		}{
			"no token":         {"", o.Method, "?" + v, body, []int{401}},
			"a token of Graph": {graph, o.Method, "?" + v, body, []int{401}},
			"a foreign tenant": {foreign, o.Method, "?" + v, body, []int{401}},
			"an odd option":    {owner, o.Method, "?" + v + "&colour=red", body, []int{400}},
			"no version":       {owner, o.Method, "", body, []int{400}},
			"an odd method":    {owner, "PROPFIND", "?" + v, body, []int{405}},
		} {
			if a := l.do(c.token, c.method, path+c.query, c.body); !reflect.DeepEqual([]int{a.Code}, c.statuses) || a.code() == "" {
				t.Errorf("%s, %s %s: %d %s", name, c.method, path, a.Code, a.Body)
			}
		}
		if strings.Contains(o.Path, "{subscription}") {
			if a := l.do(nobody, o.Method, path+"?"+v, body); a.Code != 403 && a.Code != 404 {
				t.Errorf("without rights, %s %s: %d", o.Method, path, a.Code)
			}
		}
		if body != "" {
			a := l.do(owner, o.Method, path+"?"+v, body)
			if a.Code >= 500 || a.Code < 400 || a.code() == "" {
				t.Errorf("an odd member, %s %s: %d %s", o.Method, path, a.Code, a.Body)
			}
		}
	}
	if l.whole() != before {
		t.Error("a refused request changed the world")
	}
}
