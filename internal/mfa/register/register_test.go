package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/mfa/register"
	"partnerguard/internal/problem"
)

const (
	tenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	home   = "11111111-0f6a-4f2f-9a41-3f1d6f0c9e21"
	app    = "5a000000-0000-4000-8000-0000000000ea"
	login  = "https://login.microsoftonline.com"
	kind   = "#microsoft.graph.externalAuthenticationMethodConfiguration"
)

func plan() register.Plan {
	return register.Plan{Version: 1, Cloud: "public", Tenant: tenant, Name: "Contoso",
		App: register.App{Name: "Desk MFA", Redirect: "https://guard.example/mfa/authorize"},
		Method: register.Method{Name: "Desk", ClientID: "partnerguard", Discovery: "https://guard.example/mfa/.well-known/openid-configuration",
			Groups: []string{register.AllUsers}, Enabled: true}, Users: []string{"ada@contoso.com"}}
}

// graph is a tenant that fails where it is told to.
type graph struct {
	rows  map[string][]map[string]any // by collection
	sent  []string
	fails map[string]error // by "METHOD path"
	soon  int              // how often a service principal is not known yet
}

func newGraph() *graph {
	return &graph{rows: map[string][]map[string]any{}, fails: map[string]error{}}
}

func (g *graph) All(_ context.Context, path string) (out []json.RawMessage, err error) {
	where, query, _ := strings.Cut(path, "?")
	q, _ := url.ParseQuery(query)
	for _, r := range g.rows[where] {
		if f := q.Get("$filter"); f != "" {
			name, want, _ := strings.Cut(f, " eq ")
			if r[name] != strings.Trim(want, "'") {
				continue
			}
		}
		b, _ := json.Marshal(r)
		out = append(out, b)
	}
	return out, g.fails["GET "+where]
}

func (g *graph) Change(_ context.Context, method, path string, body any) (json.RawMessage, error) {
	if err := g.fails[method+" "+path]; err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, "/servicePrincipals") && g.soon > 0 {
		g.soon--
		return nil, problem.New(problem.BadInput, "not known yet")
	}
	g.sent = append(g.sent, method+" "+path)
	b, _ := json.Marshal(body)
	m := map[string]any{}
	_ = json.Unmarshal(b, &m)
	if method == "PATCH" {
		at := strings.LastIndexByte(path, '/')
		for _, r := range g.rows[path[:at]] {
			if r["id"] == path[at+1:] {
				for k, v := range m {
					r[k] = v
				}
			}
		}
		return nil, nil
	}
	m["id"] = "id-" + path[strings.LastIndexByte(path, '/')+1:]
	if strings.HasSuffix(path, "/applications") {
		m["appId"] = app
	}
	g.rows[path] = append(g.rows[path], m)
	out, err := json.Marshal(m)
	return out, err
}

type kept struct {
	found []register.Found
	steps []string
	fails error
}

func (k *kept) hooks() register.Hooks {
	return register.Hooks{
		Keep: func(_ context.Context, f register.Found) error { k.found = append(k.found, f); return k.fails },
		Done: func(_ context.Context, s register.Step) error { k.steps = append(k.steps, s.What); return nil },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func acts(steps []register.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.What+" "+string(s.Act))
	}
	return strings.Join(out, ", ")
}

// TestApply: all is made once, the tenant is served before the method is enabled, and a
// second time nothing is left to do.
func TestApply(t *testing.T) {
	t.Parallel()
	g, k := newGraph(), &kept{}
	g.soon = 2
	_, steps, err := register.Apply(t.Context(), g, plan(), login, k.hooks())
	if err != nil || acts(steps) != "app keep, consent keep, method keep, state keep, user keep" {
		t.Fatal(acts(steps), err)
	}
	if got := strings.Join(k.steps, " "); got != "app consent method state user" || len(k.found) != 1 || k.found[0].AppID != app {
		t.Errorf("%s %+v", got, k.found)
	}
	if g.rows["/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"][0]["state"] != "enabled" {
		t.Error(g.rows)
	}
	n := len(g.sent)
	if _, _, err := register.Apply(t.Context(), g, plan(), login, k.hooks()); err != nil || len(g.sent) != n {
		t.Errorf("again: %v %v", g.sent[n:], err)
	}
	p := plan()
	p.Method.Groups, p.Method.Enabled, p.App.MultiTenant = []string{home}, false, true
	f, steps, err := register.Look(t.Context(), g, p, login)
	if err != nil || acts(steps) != "app change, consent keep, method change, state change, user keep" || steps[2].Changes[0].Was != register.AllUsers {
		t.Errorf("%s %+v %v", acts(steps), f, err)
	}
	if len(g.sent) != n {
		t.Error("looking changes something")
	}
}

// TestHalf: where a step fails it says what was done, and the next time goes on there.
func TestHalf(t *testing.T) {
	t.Parallel()
	const methods = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
	for fails, want := range map[string]string{
		"POST /v1.0/applications":      "nothing was changed; not done: app Desk MFA, consent",
		"POST /v1.0/servicePrincipals": "done before it: app Desk MFA; not done: consent Desk MFA, method",
		"POST " + methods:              "done before it: app Desk MFA, consent Desk MFA; not done: method Desk, state",
		"PATCH " + methods + "/id-authenticationMethodConfigurations": "method Desk; not done: state Desk, user",
	} {
		g, k := newGraph(), &kept{}
		g.fails[fails] = problem.New(problem.Forbidden, "not allowed")
		_, _, err := register.Apply(t.Context(), g, plan(), login, k.hooks())
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", fails, err)
		}
		if len(g.rows[methods]) > 0 && g.rows[methods][0]["state"] != "disabled" {
			t.Errorf("%s: enabled", fails)
		}
		g.fails = map[string]error{}
		if _, steps, err := register.Apply(t.Context(), g, plan(), login, k.hooks()); err != nil || !strings.HasSuffix(acts(steps), "state keep, user keep") {
			t.Errorf("%s, again: %s %v", fails, acts(steps), err)
		}
		if len(g.rows["/v1.0/applications"]) != 1 {
			t.Errorf("%s: %d apps", fails, len(g.rows["/v1.0/applications"]))
		}
	}
	g, k := newGraph(), &kept{fails: problem.New(problem.Unavailable, "the database is away")}
	if _, _, err := register.Apply(t.Context(), g, plan(), login, k.hooks()); err == nil || slices.ContainsFunc(g.sent, func(s string) bool {
		return strings.HasPrefix(s, "PATCH")
	}) {
		t.Errorf("enabled though the tenant is not served: %v %v", g.sent, err)
	}
}

// TestCustomer: in another tenant the consent is a person's, and nothing is enabled
// before.
func TestCustomer(t *testing.T) {
	t.Parallel()
	g, k := newGraph(), &kept{}
	p := plan()
	p.App.ID, p.App.Home, p.App.MultiTenant = app, home, true
	f, steps, err := register.Apply(t.Context(), g, p, login, k.hooks())
	if err != nil || acts(steps) != "app keep, consent by hand, method keep, state wait, user keep" ||
		steps[1].Link != login+"/"+tenant+"/adminconsent?client_id="+app || f.State != "disabled" {
		t.Fatalf("%s %+v %v", acts(steps), steps, err)
	}
	g.rows["/v1.0/servicePrincipals"] = []map[string]any{{"id": "sp", "appId": app}}
	if f, steps, err = register.Apply(t.Context(), g, p, login, k.hooks()); err != nil || f.State != "enabled" {
		t.Errorf("%s %v", acts(steps), err)
	}
}

// TestOthers: nothing of another's is changed.
func TestOthers(t *testing.T) {
	t.Parallel()
	g := newGraph()
	g.rows["/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"] = []map[string]any{{"@odata.type": kind, "id": "x",
		"displayName": "DESK", "appId": home}}
	if _, _, err := register.Look(t.Context(), g, plan(), login); !errors.Is(err, problem.Conflict) {
		t.Errorf("a method of that name: %v", err)
	}
	g = newGraph()
	g.rows["/v1.0/applications"] = []map[string]any{{"id": "1", "appId": app, "displayName": "Desk MFA"}, {"id": "2", "appId": home, "displayName": "Desk MFA"}}
	if _, _, err := register.Look(t.Context(), g, plan(), login); !errors.Is(err, problem.Conflict) {
		t.Errorf("two apps of that name: %v", err)
	}
	g.rows["/v1.0/applications"] = g.rows["/v1.0/applications"][:1]
	if _, _, err := register.Look(t.Context(), g, plan(), login); !errors.Is(err, problem.Conflict) {
		t.Errorf("another's app of that name: %v", err)
	}
	p := plan()
	p.App.ID = tenant
	if _, _, err := register.Look(t.Context(), g, p, login); !errors.Is(err, problem.NotFound) {
		t.Errorf("an app that is not there: %v", err)
	}
}

// TestRead: a plan is what it writes, and hostile ones are refused.
func TestRead(t *testing.T) {
	t.Parallel()
	b, err := plan().YAML()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	if p, err := register.Read("p", b); err != nil || p.Method.Name != "Desk" || len(p.Users) != 1 {
		t.Fatal(p, err)
	}
	for name, text := range map[string]string{
		"unknown key": good + "more: 1\n", "twice": good + "tenant: " + home + "\n", "anchor": strings.Replace(good, "name: Contoso", "name: &a Contoso", 1),
		"no version": strings.Replace(good, "version: 1", "version: 2", 1), "http": strings.Replace(good, "https://guard", "http://guard", 1),
		":443":      strings.ReplaceAll(good, "guard.example/", "guard.example:443/"),
		"capitals":  strings.Replace(good, tenant, strings.ToUpper(tenant), 1),
		"a group":   strings.Replace(good, "all_users", "Everybody", 1),
		"a user":    strings.Replace(good, "ada@contoso.com", "ada/../../me", 1),
		"hides":     strings.Replace(good, "name: Desk", "name: \"De\\u202Esk\"", 1),
		"no suffix": strings.Replace(good, "openid-configuration", "openid", 1),
		"deep":      good + "x: " + strings.Repeat("[", 5000), "long": good + strings.Repeat("# \n", 100_000), "bytes": good + "\xff",
		"empty": "", "a list": "- 1\n",
	} {
		if p, err := register.Read("p", []byte(text)); err == nil {
			t.Errorf("%s is taken: %+v", name, p)
		} else if _, ok := errors.AsType[*problem.Error](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	b, _ := plan().YAML()
	f.Add(b)
	f.Add([]byte("version: 1\ntenant: {"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := register.Read("p", raw)
		if err != nil {
			return
		}
		again, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := register.Read("p", again); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
	})
}
