package console_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/console"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// own is a rig whose console shows its own pages, beside a customer's.
func own(t testing.TB) (*rig, *authority, claims) {
	t.Helper()
	r, a, good := forge(t)
	r.Show(console.Pages{Screens: r.Screens(), Tenants: func(context.Context) ([]screen.Tenant, error) {
		return []screen.Tenant{{ID: tenantID, Name: "Contoso", Domain: "contoso.com", Partner: true},
			{ID: fabrikam, Name: "Fabrikam", Domain: "fabrikam.example"}}, nil
	}})
	r.kernel = web.NewKernel(web.Deps{})
	r.must(r.Mount(r.kernel))
	return r, a, good
}

func TestOwnPages(t *testing.T) {
	t.Parallel()
	r, a, good := own(t)
	op := r.browser().byLink()
	reader := r.browser()
	r.in(a, good, reader)
	op.get("/sessions")
	op.is(200, "Sessions", "local:owner", "ada@contoso.com", "this one", "Sign out everywhere")
	reader.get("/sessions")
	reader.is(200, "Your own sessions", "ada@contoso.com")
	if says(reader, "local:owner") {
		t.Error("a reader sees who else is in")
	}
	for _, path := range []string{"/roles", "/tokens", "/tokens.csv", "/api/v1/roles"} {
		if reader.get(path); reader.last.Code != 403 {
			t.Errorf("a reader at %s: %d", path, reader.last.Code)
		}
	}
	send := func(b *browser, page, act string, pairs ...string) *browser {
		t.Helper()
		b.get(page)
		v := url.Values{"form": {b.form()}}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		b.post(page+"/"+act, v)
		return b
	}
	list, err := r.Sessions(t.Context())
	r.must(err)
	ids := map[string]string{}
	for _, s := range list {
		ids[s.Actor] = s.ID
	}
	send(reader, "/sessions", "end", "id", ids["local:owner"]).is(404, "not yours to end")
	send(op, "/sessions", "end", "id", ids["entra:ada@contoso.com"]).leads("/sessions")
	reader.get("/sessions")
	reader.leads("/signin?to=%2Fsessions&why=ended")

	send(op, "/roles", "give", "kind", "user", "subject", bo, "name", "Bo", "role", "engineer", "customers", "fabrikam.example\n"+tailspin).leads("/roles")
	op.get("/roles")
	op.is(200, "Bo is engineer from the next sign-in on", "2 customers")
	grants, err := r.Grants(t.Context())
	r.must(err)
	if len(grants) != 1 || strings.Join(grants[0].Customers, " ") != fabrikam+" "+tailspin || grants[0].By != "local:owner" {
		t.Errorf("%+v", grants)
	}
	send(op, "/roles", "give", "kind", "user", "subject", bo, "role", "reader").is(409, "has the role engineer already")
	send(op, "/roles", "give", "kind", "user", "subject", ada, "role", "reader", "customers", "nobody.example").is(400, "no customer that is read here")
	send(op, "/roles", "give", "kind", "user", "subject", ada, "role", "reader", "customers", " ,; ").is(400, "names none") // not everybody's
	send(op, "/roles", "take", "id", grants[0].ID).leads("/roles")
	if grants, _ = r.Grants(t.Context()); len(grants) != 0 {
		t.Error(grants)
	}

	send(op, "/tokens", "make", "name", "billing", "right", "customers.see", "right", "alerts.see", "days", "30").leads("/tokens")
	op.get("/tokens")
	m := regexp.MustCompile(`pg_[A-Za-z0-9_-]{43}`).FindString(op.last.Body.String())
	if m == "" {
		t.Fatal("the token is not shown")
	}
	op.get("/tokens")
	if strings.Contains(op.last.Body.String(), "pg_"+m[3:]) {
		t.Error("it is shown twice")
	}
	op.is(200, "billing", "customers.see", "never used")
	send(op, "/tokens", "make", "name", "x", "right", "console.manage").is(400, "none of what there is")
	tokens, err := r.Tokens(t.Context())
	r.must(err)
	send(op, "/tokens", "remove", "id", tokens[0].ID).leads("/tokens")
	op.do("GET", "/api/v1/sessions", nil, "Authorization", "Bearer "+m, "Accept", "application/json")
	op.is(401)
	if all := strings.Join(r.said(), " "); !strings.Contains(all, "role-given role-taken token-made token-removed") {
		t.Error(all)
	}
	second := r.browser().byLink()
	send(op, "/sessions", "everywhere").leads("/")
	for _, b := range []*browser{op, second} {
		if b.get("/sessions"); b.last.Code != 303 {
			t.Error("signed out everywhere, and still in")
		}
	}
}

// What people and tenants are called becomes nothing but text on the console's pages.
func TestOwnPagesHostile(t *testing.T) {
	t.Parallel()
	r, _, _ := forge(t)
	screentest.HoldLists(t, r.Screens())
}

// The entry's pages are held to what every page is held to.
func TestEntryPagesHold(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	key, _ := signers()
	b := r.browser()
	for _, name := range screentest.Hostile {
		a.codes, a.id = nil, func(n string) secret.Text {
			return sign(t, key, "k1", with(good, claims{"nonce": n, "upn": name, "amr": []string{"pwd"}}))
		}
		b.come(a, "c")
		if b.last.Code == 303 {
			b.get(b.last.Header().Get("Location"))
		}
		screentest.Hold(t, "who is called "+name, b.last.Body.String())
		a.codes, a.id = nil, func(n string) secret.Text {
			return sign(t, key, "k1", with(good, claims{"nonce": n, "upn": name, "wids": nil}))
		}
		b.come(a, "c")
		screentest.Hold(t, "without a role: "+name, b.last.Body.String())
	}
	b.get("/signin?why=idle&to=" + url.QueryEscape("/people?q=<b>"))
	screentest.Hold(t, "sign-in", b.last.Body.String())
}
