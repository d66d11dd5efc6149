//go:build browser

package e2e

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/labtest"
)

// posture goes the main way of Status, People, Coverage, Sign-ins and Alerts.
func (h *house) posture(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/status", 1440, "light")
	eval[bool](t, p, `document.querySelector("#r-mfa-every-user a.exp, tbody a.exp[href*='mfa-every-user']").click(); return true`)
	until(t, p, "a requirement opens in place", `document.querySelector("tr.more") && location.search.includes("row=mfa-every-user")`)
	says(t, p, "What decided it", "Where Microsoft writes it")
	press(t, p, "Open what it counts")
	if at := path(t, p); at != "/people" {
		t.Errorf("the requirement counts at %s", at)
	}
	visit(t, p, h.public+"/status?level=mandatory&verdict=not_met")
	if n, all := len(listed(t, p, "status?level=mandatory&verdict=not_met")), len(listed(t, p, "status")); n == 0 || n >= all {
		t.Errorf("the filter leaves %d of %d requirements", n, all)
	}
	h.people(t, p)
	h.coverage(t, p)
	h.signins(t, p)
	h.alerts(t, p)
	alone(t, p, h.public)
}

func (h *house) people(t *testing.T, p *tab) {
	visit(t, p, h.public+"/people")
	eval[bool](t, p, `const f = document.querySelector("form.tools input[type=search]"); f.focus(); f.value = "grace";
		f.dispatchEvent(new Event("input", {bubbles: true})); return true`)
	until(t, p, "People narrows", `document.querySelector("#count").textContent.includes(" of ") && location.search.includes("q=grace")`)
	eval[bool](t, p, `document.querySelector("a.exp").click(); return true`)
	until(t, p, "an account opens", `document.querySelector("tr.more") && location.search.includes("row=")`)
	visit(t, p, h.public+"/people?proof=open")
	rows := listed(t, p, "people?proof=open&size=1000")
	href := eval[string](t, p, `return document.querySelector("a[href*='/people.csv']").getAttribute("href")`)
	got := ask(t, p, http.MethodGet, href, "")
	lines, err := csv.NewReader(strings.NewReader(got.Body)).ReadAll()
	if err != nil || len(lines) != len(rows)+1 || len(rows) == 0 || !strings.HasPrefix(got.Type, "text/csv") {
		t.Errorf("the CSV (%s) has %d lines of %d rows: %v", got.Type, len(lines), len(rows), err)
	}
}

func (h *house) coverage(t *testing.T, p *tab) {
	visit(t, p, h.public+"/coverage")
	to(t, p, `a.cell.g[href*="cell="], a.cell.h[href*="cell="]`)
	says(t, p, "open")
	press(t, p, "Decide")
	if at := path(t, p); at != "/coverage/decide" {
		t.Fatalf("the witness is decided at %s", at)
	}
	before := eval[string](t, p, `return document.querySelector("main .banner b, main .wit header")?.innerText || ""`)
	says(t, p, "MFA is not required", "Step by step")
	fill(t, p, "account", "ravi.menon@contoso.com", "where", "198.51.100.7")
	press(t, p, "Decide")
	says(t, p, "ravi.menon@contoso.com", "Step by step")
	if !strings.Contains(eval[string](t, p, `return location.search`), "ravi.menon") {
		t.Errorf("the decision was not asked anew after %q", before)
	}
	visit(t, p, h.public+"/coverage/rehearse")
	follow(t, p, `const e = [...document.querySelectorAll('main a.pl[href*="change="]')].find(e => e.innerText.includes("excluded location")); e?.click(); return e`)
	where := eval[string](t, p, `return location.href`)
	for end := time.Now().Add(40 * time.Second); eval[bool](t, p, `return Boolean(document.querySelector("main progress"))`); visit(t, p, where) {
		if time.Now().After(end) {
			t.Fatalf("the rehearsal does not end: %s", text(t, p))
		}
		time.Sleep(500 * time.Millisecond)
	}
	if n := len(listed(t, p, strings.TrimPrefix(where, h.public+"/"))); n == 0 {
		t.Errorf("the rehearsal touches nobody: %.1500s", text(t, p))
	}
}

func (h *house) signins(t *testing.T, p *tab) {
	visit(t, p, h.public+"/signins")
	all := eval[int](t, p, `return document.querySelectorAll("#rows tbody").length`)
	to(t, p, `figure.plot > svg a[href*="hour="]`)
	if n := eval[int](t, p, `return document.querySelectorAll("#rows tbody").length`); n == 0 || n >= all {
		t.Errorf("an hour has %d rows of %d", n, all)
	}
	visit(t, p, h.public+"/signins")
	to(t, p, `#rows th a[href*="row="]`)
	says(t, p, "Raw row")
	to(t, p, `a[href*="/signins/row"]`)
	says(t, p, "verified just now", "Checkpoint", "userPrincipalName")
	href := eval[string](t, p, `return document.querySelector("a[download='signin.proof']").getAttribute("href")`)
	if got := ask(t, p, http.MethodGet, href, ""); got.Status != http.StatusOK || len(got.Body) < 200 {
		t.Errorf("the proof: %d %.200s", got.Status, got.Body)
	}
}

func (h *house) alerts(t *testing.T, p *tab) {
	rows := listed(t, p, "alerts")
	if len(rows) < 2 {
		t.Fatalf("there are %d alerts", len(rows))
	}
	row := h.public + "/alerts?row=" + rows[0]["id"].(string)
	visit(t, p, row)
	press(t, p, "Acknowledge")
	says(t, p, "acknowledged")
	visit(t, p, h.public+"/alerts/snooze?alert="+rows[1]["id"].(string))
	fill(t, p, "for", "24h", "why", "it is being seen to")
	press(t, p, "Snooze")
	says(t, p, "it is being seen to", "silent")
	if n := len(listed(t, p, "alerts?standing=silent")); n != 1 {
		t.Errorf("%d alerts are silent", n)
	}
}

// reach goes the main way of Customers and Connections.
func (h *house) reach(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/customers", 1440, "light")
	to(t, p, `a[href*="/customers/one"]`)
	says(t, p, "Relationships")
	visit(t, p, h.public+"/connections")
	opened(t, p, "main a.exp")
	to(t, p, `main a[href*="/connections/one"]`)
	says(t, p, labtest.SAMAgent)
	visit(t, p, h.public+"/connections/heal?connection="+listed(t, p, "connections")[0]["id"].(string))
	press(t, p, "Sign in anew")
	if at := here(t, p); at != "account" && at != "password" && at != "form: Connect" && !strings.HasPrefix(at, "form: ") {
		t.Errorf("heal leads to %q: %.500s", at, text(t, p))
	}
}

// evidence goes the main way of Collection, Exceptions, Trail and what manages the console.
func (h *house) evidence(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/collection", 1440, "light")
	press(t, p, "Read now")
	says(t, p, "A worker reads")
	h.revive(t, p)
	h.exceptions(t, p)
	visit(t, p, h.public+"/trail?row="+seq(listed(t, p, "trail?q=exception")[0]["seq"]))
	says(t, p, "What was recorded", "That it is in the tree", "exception.")
	h.tokens(t, p)
	visit(t, p, h.public+"/roles/give")
	fill(t, p, "kind", "user", "subject", "00000000-0000-4000-8000-00000000000a", "name", "Somebody", "role", "auditor")
	press(t, p, "Give a role")
	says(t, p, "Somebody is")
	visit(t, p, h.public+"/roles?row="+listed(t, p, "roles")[0]["id"].(string))
	press(t, p, "Take it away")
	if n := len(listed(t, p, "roles")); n != 0 {
		t.Errorf("%d roles are left", n)
	}
	visit(t, p, h.public+"/sessions")
	says(t, p, "this one")
}

func (h *house) revive(t *testing.T, p *tab) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) { // a job that is done, brought to where one ends that never will be
		r, err := h.in.DB.ExecContext(t.Context(),
			`UPDATE river_job SET state = 'discarded' WHERE id = (SELECT max(id) FROM river_job WHERE state = 'completed')`)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := r.RowsAffected(); n == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no job was done")
		}
	}
	visit(t, p, h.public+"/collection/jobs")
	dead := listed(t, p, "collection/jobs")
	if len(dead) != 1 {
		t.Fatalf("%d dead jobs", len(dead))
	}
	opened(t, p, "main a.exp")
	press(t, p, "Revive")
	if n := len(listed(t, p, "collection/jobs")); n != 0 {
		t.Errorf("%d dead jobs are left: %.600s", n, text(t, p))
	}
}

func (h *house) exceptions(t *testing.T, p *tab) {
	visit(t, p, h.public+"/exceptions/ask")
	fill(t, p, "requirement", "mfa-every-user", "owner", "Ravi", "reason", "A scanner on the second floor", "control", "It reaches one mailbox",
		"until", h.lab.Now().AddDate(0, 1, 0).Format(time.DateOnly))
	press(t, p, "Ask for it")
	says(t, p, "It is asked for", "waits for approval")
	row := eval[string](t, p, `return location.pathname + location.search`)
	second := h.person(t, labtest.Admin, "/exceptions")
	visit(t, second, h.public+row)
	press(t, second, "Approve")
	says(t, second, "It is in force until")
	visit(t, p, h.public+row)
	says(t, p, "in force", labtest.Admin)
	press(t, p, "End it")
	says(t, p, "It is ended")
}

// tokens makes one, uses it as a program does, and takes it away.
func (h *house) tokens(t *testing.T, p *tab) {
	visit(t, p, h.public+"/tokens/make")
	fill(t, p, "name", "billing", "right", "posture.see", "days", "30")
	press(t, p, "Make a token")
	_, rest, ok := strings.Cut(text(t, p), "shown once: ")
	if !ok {
		t.Fatalf("no token is shown: %.600s", text(t, p))
	}
	secret := strings.Fields(rest)[0]
	curl := func(page string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", "-s", "-w", " %{http_code}", "-H", "Authorization: Bearer "+secret, h.public+"/api/v1/"+page).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out[bytes.LastIndexByte(out, ' ')+1:])
	}
	if a, b := curl("status"), curl("people"); a != "200" || b != "403" {
		t.Errorf("the token's status is %s, and beyond its scope %s", a, b)
	}
	visit(t, p, h.public+"/tokens?row="+listed(t, p, "tokens")[0]["id"].(string))
	if strings.Contains(text(t, p), secret) {
		t.Error("the token is shown again")
	}
	press(t, p, "Remove it")
	if a := curl("status"); a != "401" {
		t.Errorf("the removed token's status is %s", a)
	}
}

// shell is what stands around each page: the search, the theme, the choice of a tenant.
func (h *house) shell(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/status", 1440, "light")
	key := func(keys string, opts ...chromedp.KeyOption) {
		t.Helper()
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent(keys, opts...)); err != nil {
			t.Fatal(err)
		}
	}
	key("/")
	until(t, p, "/ opens the search", `document.querySelector("dialog.palette[open]")`)
	key("grace")
	until(t, p, "the search finds", `[...document.querySelectorAll("dialog.palette .find-list a")].some(a => a.href.includes("/people?"))`)
	key("\u001b") // takes back what was written, as in any search field
	key("\u001b")
	until(t, p, "Escape closes the search", `!document.querySelector("dialog.palette[open]")`)
	eval[bool](t, p, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})); return true`)
	until(t, p, "Ctrl-K opens the search", `document.querySelector("dialog.palette[open]")`)
	visit(t, p, h.public+"/search?q=customers")
	to(t, p, `main .find-list a[href^="/customers"]`)
	for _, want := range []string{"light", "dark", ""} {
		follow(t, p, `const e = document.querySelector("nav.side form[action='/theme'] button"); e?.click(); return e`)
		if got := eval[string](t, p, `return document.documentElement.dataset.theme || ""`); got != want {
			t.Errorf("the theme is %q, not %q", got, want)
		}
	}
	visit(t, p, h.public+"/coverage")
	eval[bool](t, p, `document.querySelector("button.tenant[popovertarget=tenants]").click(); return true`)
	until(t, p, "the tenants open", `document.querySelector("#tenants").matches(":popover-open")`)
	to(t, p, `#tenants a[href*="tenant="]:not([aria-current])`)
	if at := path(t, p); at != "/coverage" {
		t.Errorf("another tenant's page is %s", at)
	}
	visit(t, p, h.public+"/tenants?q=fabrikam")
	says(t, p, "Fabrikam")
}

// noScript goes what is only read of all that without a script.
func (h *house) noScript(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/status", 1440, "light")
	off, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	if _ = off; err != nil {
		t.Fatal(err)
	}
	opens := func(page, selector, want string) {
		t.Helper()
		visit(t, p, h.public+page)
		to(t, p, selector)
		says(t, p, want)
	}
	opens("/status", `a.exp[href*="mfa-every-user"]`, "What decided it")
	opens("/people?q=grace", "a.exp", "grace")
	opens("/coverage", `a.cell.h, a.cell.g`, "decide")
	opens("/signins", `figure.plot > svg a[href*="hour="]`, "sign-in")
	opens("/customers", `a[href*="/customers/one"]`, "Relationships")
	opens("/alerts", `#rows a[href*="row="]`, "Acknowledge")
	opens("/trail", "a.exp", "That it is in the tree")
	opens("/search?q=grace", `main .find-list a[href*="/people"]`, "grace")
	opens("/collection", "a.exp", "Collection")
	visit(t, p, h.public+"/people")
	fill(t, p, "q", "grace")
	follow(t, p, `const f = document.querySelector("form.tools"); f.submit(); return f`)
	if !strings.Contains(eval[string](t, p, `return location.search`), "q=grace") {
		t.Error("the search needs a script")
	}
}
