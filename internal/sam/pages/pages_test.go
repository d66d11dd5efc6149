package pages_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/pages"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

const (
	partner = "11111111-1111-4111-8111-111111111111"
	other   = "22222222-2222-4222-8222-222222222222"
)

var now = screentest.Now

// book records what was asked of it.
type book struct {
	rows []renew.StatusRow
	done []string
}

func (b *book) pages() *pages.Pages {
	did := func(what string) func(context.Context, string, string) (sam.Connection, error) {
		return func(_ context.Context, actor, id string) (sam.Connection, error) {
			b.done = append(b.done, what+" "+id+" by "+actor)
			return sam.Connection{}, nil
		}
	}
	return &pages.Pages{
		Rows: func(context.Context) ([]renew.StatusRow, error) { return b.rows, nil },
		Apps: func(context.Context) ([]sam.Registration, error) {
			return []sam.Registration{{ClientID: "app-1", Name: "Contoso Billing Sync", Kind: "certificate", NotAfter: now.AddDate(0, 3, 0)}}, nil
		},
		Renew: func(ctx context.Context, actor, id string) (bool, error) {
			_, err := did("renew")(ctx, actor, id)
			return true, err
		},
		Heal:   func(context.Context, string, string) (string, error) { return "/connect/abc", nil },
		Accept: did("accept"),
		Remove: func(ctx context.Context, actor, id string, revoke bool) (sam.Connection, error) {
			if revoke {
				return did("revoke")(ctx, actor, id)
			}
			return did("remove")(ctx, actor, id)
		},
	}
}

func connection(id, name, tenant string, h renew.Health, ends time.Time, because string, unknown ...string) renew.StatusRow {
	return renew.StatusRow{Health: h, At: ends, Because: because, Unknown: unknown, Fix: "leave the account out of the policy",
		Connection: sam.Connection{ID: id, Name: name, Tenant: tenant, Account: "sam@" + name, ClientID: "app-1", Proof: claim.Verdict{Answer: claim.Proven},
			ConsentedAt: now.AddDate(0, 0, -40), ObtainedAt: now.AddDate(0, 0, -12), RenewAfter: now.AddDate(0, 0, 12),
			Scopes:   map[string][]string{"https://graph.microsoft.com": {"Directory.Read.All"}},
			Forecast: &sam.Forecast{Computed: now.Add(-11 * time.Minute)}}}
}

func all() *book {
	dead := connection("c-1", "contoso-reports", partner, renew.Dead, now.AddDate(0, 0, -6), "sessions were revoked")
	dead.Code = 50173
	unproven := connection("c-6", "litware.example", other, renew.Healthy, now.AddDate(0, 0, 88), "a refresh token dies when it is not used for 90 days")
	unproven.Connection.Proof = claim.Verdict{Answer: claim.NotProven, Reason: "amr has pwd alone"}
	return &book{rows: []renew.StatusRow{
		connection("c-0", "forged.example", partner, renew.Stopped, time.Time{}, "its row was written by something else"),
		dead,
		connection("c-2", "contoso-billing", partner, renew.Dying, now.AddDate(0, 0, 4), "CA012 asks to sign in again every 30 days"),
		connection("c-3", "wingtip-onboard", partner, renew.Unsure, now.AddDate(0, 0, 50), "a refresh token dies when it is not used for 90 days",
			"the groups of the account"),
		connection("c-4", "contoso.example", partner, renew.Healthy, now.AddDate(0, 0, 31), "the app's certificate expires"),
		connection("c-5", "endless.example", partner, renew.Healthy, time.Time{}, ""),
		unproven,
	}}
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := all()
	h := screentest.Of(b.pages().Screens()...)
	html := h.HTML(t, "/connections?row=c-2")
	for _, want := range []string{"CA012 asks to sign in again every 30 days", "AADSTS50173", "in 4 d", "could end sooner: the groups of the account",
		"not proven",
		"partnerguard connect --name contoso-billing", "Sign in anew", "died 14 Nov", "nothing known ends it"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := h.Screens[0].Needs(t.Context(), screentest.Viewer()); n != 3 {
		t.Errorf("%d need a person", n)
	}
	one := h.HTML(t, "/connections/one?connection=c-0")
	for _, want := range []string{"Accept it", "End it", "Reading stops", "type it as it stands above"} {
		if !strings.Contains(one, want) {
			t.Errorf("its page does not say %q", want)
		}
	}
	h.Viewer = screentest.Viewer()
	h.Viewer.Rights = []screen.Right{screen.SeeOperation}
	for _, address := range []string{"/connections?row=c-2", "/connections/one?connection=c-0"} {
		if html := h.HTML(t, address); strings.Contains(html, "<form class=\"act\"") || strings.Contains(html, "Sign in anew</button>") ||
			strings.Contains(html, "Renew now</button>") {
			t.Errorf("%s offers an act to who may not", address)
		}
	}
}

func act(t *testing.T, p *pages.Pages, name string) screen.Act {
	t.Helper()
	for _, s := range p.Screens() {
		for _, a := range s.Acts {
			if a.Name == name {
				return a
			}
		}
	}
	t.Fatal(name)
	return screen.Act{}
}

// What takes something away wants the connection's name typed, and what a person may not
// see they cannot touch.
func TestActs(t *testing.T) {
	t.Parallel()
	b := all()
	p := b.pages()
	who := screentest.Viewer()
	do := func(name string, v *screen.Viewer, form url.Values) (screen.Done, error) {
		a := act(t, p, name)
		checked, err := a.Check(form)
		if err != nil {
			return screen.Done{}, err
		}
		return a.Handle(t.Context(), &screen.Ask{Viewer: v, Now: now}, checked)
	}
	limited := screentest.Viewer()
	limited.Customers = []string{other}
	for _, name := range []string{"renew", "heal", "accept", "end"} {
		form := url.Values{"connection": {"c-2"}}
		if name == "accept" || name == "end" {
			form.Set("name", "contoso-billing")
		}
		if _, err := do(name, limited, form); !errors.Is(err, problem.NotFound) {
			t.Errorf("%s by who does not see it: %v", name, err)
		}
	}
	for _, name := range []string{"accept", "end"} {
		for _, word := range []string{"", "contoso", "Contoso-Billing"} {
			if _, err := do(name, who, url.Values{"connection": {"c-2"}, "name": {word}}); !errors.Is(err, problem.Usage) {
				t.Errorf("%s with %q typed: %v", name, word, err)
			}
		}
	}
	program := screentest.Viewer()
	program.Session = ""
	if _, err := do("heal", program, url.Values{"connection": {"c-2"}}); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a program was given a sign-in: %v", err)
	}
	if len(b.done) != 0 {
		t.Fatalf("done: %q", b.done)
	}
	for _, c := range []struct {
		name string
		form url.Values
		want string
	}{
		{"renew", url.Values{"connection": {"c-2"}}, "renew c-2 by local:ada"},
		{"accept", url.Values{"connection": {"c-0"}, "name": {"forged.example"}}, "accept c-0 by local:ada"},
		{"end", url.Values{"connection": {"c-2"}, "name": {"contoso-billing"}}, "remove c-2 by local:ada"},
		{"end", url.Values{"connection": {"c-2"}, "name": {"contoso-billing"}, "revoke": {"on"}}, "revoke c-2 by local:ada"},
	} {
		if _, err := do(c.name, who, c.form); err != nil || b.done[len(b.done)-1] != c.want {
			t.Errorf("%s: %v %q", c.name, err, b.done)
		}
	}
	if done, err := do("heal", who, url.Values{"connection": {"c-2"}}); err != nil || done.Path != "/connect/abc" {
		t.Errorf("%+v %v", done, err)
	}
	p.Heal = nil
	if _, err := do("heal", who, url.Values{"connection": {"c-2"}}); !errors.Is(err, problem.Usage) || !strings.Contains(problem.HintOf(err),
		"partnerguard connect") {
		t.Errorf("where nobody comes from outside: %v", err)
	}
}

func TestLimitedAndHostile(t *testing.T) {
	t.Parallel()
	b := all()
	bad := `<img src=x onerror=alert(1)>` + "\u202e"
	b.rows = append(b.rows, connection("c-9", bad, other, renew.Unsure, time.Time{}, bad, bad))
	h := screentest.Of(b.pages().Screens()...)
	for _, address := range []string{"/connections?row=c-9", "/connections/one?connection=c-9"} {
		if html := h.HTML(t, address); strings.Contains(html, "<img") || strings.Contains(html, "\u202e") {
			t.Errorf("%s holds the name as markup", address)
		}
	}
	h.Viewer = screentest.Viewer()
	h.Viewer.Customers = []string{other}
	html := h.HTML(t, "/connections")
	if strings.Contains(html, "contoso-billing") || strings.Contains(html, "CA012") || strings.Contains(html, "AADSTS50173") || !strings.Contains(html,
		"2 connections") {
		t.Error("who is limited sees others' connections")
	}
	if _, _, err := h.Load(t.Context(), "/connections/one?connection=c-2"); !errors.Is(err, problem.NotFound) {
		t.Errorf("another's page: %v", err)
	}
	if hits := h.Screens[0].Find(t.Context(), h.Viewer, "contoso", 9); len(hits) != 0 {
		t.Errorf("the palette tells who is limited of %v", hits)
	}
	if hits := h.Screens[0].Find(t.Context(), h.Viewer, "litware", 9); len(hits) != 1 {
		t.Errorf("the palette does not find its own: %v", hits)
	}
	h.Viewer.Customers = []string{}
	if html := h.HTML(t, "/connections"); !strings.Contains(html, "No connection yet") {
		t.Error("who sees nothing")
	}
}

// TestShots takes pictures, where SHOTS names a folder.
func TestShots(t *testing.T) {
	t.Parallel()
	h := screentest.Of(all().pages().Screens()...)
	h.Shoot(t, "connections", "/connections?row=c-2")
	h.Shoot(t, "connection", "/connections/one?connection=c-0")
}
