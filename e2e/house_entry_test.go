//go:build browser

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/labtest"
	"partnerguard/internal/screen"
)

const securityReader = "freja.holm@contoso.com"

// A link lets one browser in, once; somebody without MFA is sent to step up and, without a
// method, is let in by nobody; out is out, everywhere where that was asked for.
func (h *house) entry(t *testing.T) {
	link, err := h.in.Console.Link(t.Context(), "local:once", h.public)
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, h.stranger(t), link, 1280, "light")
	enter(t, p, "", "")
	if at := path(t, p); strings.HasPrefix(at, "/signin") {
		t.Errorf("the link leads to %s", at)
	}
	again := open(t, h.stranger(t), link, 1280, "light")
	says(t, again, "Not signed in", "it was used", "partnerguard console link")

	no := open(t, h.stranger(t), h.public+"/status", 1280, "light")
	enter(t, no, "", "")
	if at := answerPages(t, no, h.lab.Person(labtest.NoMFA), func(string) {}); at != "form: Prove MFA" {
		t.Fatalf("without MFA it ends at %q: %s", at, text(t, no))
	}
	says(t, no, "does not prove MFA")
	if visit(t, no, h.public+"/status"); path(t, no) != "/signin" {
		t.Errorf("without MFA somebody is at %s", path(t, no))
	}

	follow(t, p, `const e = document.querySelector("form[action='/signout'] button"); e?.click(); return e`)
	says(t, p, "You are signed out here")
	if visit(t, p, h.public+"/people"); path(t, p) != "/signin" {
		t.Errorf("who signed out is at %s", path(t, p))
	}
	one, two := h.person(t, labtest.Admin, "/sessions"), h.person(t, labtest.Admin, "/people")
	press(t, one, "Sign out everywhere")
	for _, x := range []*tab{one, two} {
		if visit(t, x, h.public+"/status"); path(t, x) != "/signin" {
			t.Errorf("who signed out everywhere is at %s", path(t, x))
		}
	}
}

// A Security Reader sees, finds nothing to press, and is refused by the server whatever
// their browser sends.
func (h *house) reader(t *testing.T) {
	p := h.person(t, securityReader, "/status")
	says(t, p, "Status", "mandatory hold", "Reader")
	for _, page := range []string{"/status", "/people?proof=open", "/coverage", "/connections", "/collection", "/exceptions", "/alerts", "/customers"} {
		visit(t, p, h.public+page)
		if got := eval[[]string](t, p, `return [...document.querySelectorAll("main form[method=post] button")].map(e => e.innerText)`); len(got) > 0 {
			t.Errorf("%s has %q for a reader", page, got)
		}
	}
	tokenOf := `return document.querySelector("input[name=form]").value`
	own := eval[string](t, p, tokenOf)
	other := eval[string](t, open(t, h.operator(t), h.public+"/status", 1280, "light"), tokenOf)
	if own == "" || own == other {
		t.Fatal("two sessions have one form token")
	}
	tried := 0
	for _, r := range h.kernel.Routes() {
		where, isPost := strings.CutPrefix(r.Pattern, "POST /")
		right, _, _ := strings.Cut(r.Access.String(), ":")
		if !isPost || !screen.Right(right).Acts() {
			continue
		}
		for _, token := range []string{own, other, ""} {
			tried++
			if got := ask(t, p, http.MethodPost, "/"+where, form("form", token)); got.Status != http.StatusForbidden {
				t.Errorf("a reader's POST /%s: %d %.200s", where, got.Status, got.Body)
			}
		}
	}
	if tried < 60 {
		t.Errorf("%d forged requests were tried", tried)
	}
	for _, page := range []string{"/trail", "/tokens", "/roles", "/exceptions/ask", "/api/v1/tokens"} {
		if got := ask(t, p, http.MethodGet, page, ""); got.Status != http.StatusForbidden {
			t.Errorf("a reader's %s: %d", page, got.Status)
		}
	}
	// What their own right lets them do, with somebody else's form token, is refused too.
	if got := ask(t, p, http.MethodPost, "/sessions/everywhere", form("form", other)); got.Status != http.StatusForbidden {
		t.Errorf("somebody else's form token counts: %d", got.Status)
	}
}
