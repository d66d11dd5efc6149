//go:build browser

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

// wait runs a script that promises something.
func wait[T any](t *testing.T, p *tab, script string) (out T) {
	t.Helper()
	said, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`Promise.resolve(`+script+`).then(x => JSON.stringify(x))`, func(p *runtime.EvaluateParams) {
		yes := true
		p.AwaitPromise = &yes
	}))
	if err == nil {
		err = json.Unmarshal([]byte(said), &out)
	}
	if err != nil {
		t.Fatalf("%v: %.200s", err, script)
	}
	return out
}

// listed are the rows of a page as its JSON has them.
func listed(t *testing.T, p *tab, page string) (rows []map[string]any) {
	t.Helper()
	got := ask(t, p, http.MethodGet, "/api/v1/"+page, "")
	var body struct{ Data []map[string]any }
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil || got.Status != http.StatusOK {
		t.Fatalf("%s: %d %v %.300s", page, got.Status, err, got.Body)
	}
	return body.Data
}

// shown are the addresses at which a page is looked at: each page of the console is named
// here, or found with something in it.
func (h *house) shown(t *testing.T, p *tab) map[string][]string {
	t.Helper()
	first := func(page, selector string) string {
		visit(t, p, page)
		return eval[string](t, p, `const e = document.querySelector(`+quote(selector)+`); return e ? e.getAttribute("href") : ""`)
	}
	out := map[string][]string{
		"status": {"/status", "/status?row=mfa-every-user"}, "people": {"/people", first("/people?proof=open", "a.exp")},
		"coverage":        {"/coverage", first("/coverage", `a.cell.h, a.cell[href*="cell="]`)},
		"coverage.decide": {"/coverage/decide", "/coverage/decide?account=grace.adeyemi@contoso.com"}, "coverage.rehearse": {"/coverage/rehearse"},
		"signins": {"/signins", first("/signins", `#rows th a[href*="row="]`)}, "customers": {"/customers"},
		"customers.one": {first("/customers", `a[href*="/customers/one"]`)}, "connections": {"/connections"},
		"delegation": {"/delegation", first("/delegation", `a.exp, a[href*="row="]`)}, "delegation.paths": {"/delegation/paths",
			first("/delegation", `a[href*="/delegation/paths?tenant"]`), "/delegation/paths?role=any"},
		"practices": {"/practices"}, "practices.one": {"/practices/one?id=P15", "/practices/one?id=P22"},
		"remedy": {"/remedy"}, "remedy.plan": {first("/remedy", `a[href*="/remedy/plan?run"]`),
			first("/remedy?state=watching", `a[href*="/remedy/plan?run"]`)}, "packs": {"/packs", first("/packs", "a.exp")}, "packs.make.form": {"/packs/make"},
		"spend":           {"/spend", first("/spend", `a.exp, a[href*="row="]`)},
		"connections.one": {first("/connections", `a[href*="/connections/one"]`)}, "automation": {"/automation", first("/automation",
			`a.exp, a[href*="row="]`)},
		"collection": {"/collection"}, "collection.jobs": {"/collection/jobs"}, "collection.gaps": {"/collection/gaps"},
		"collection.tenants": {"/collection/tenants"}, "exceptions": {"/exceptions"}, "alerts": {"/alerts", first("/alerts", `a[href*="row="]`)},
		"alerts.channels": {"/alerts/channels"}, "alerts.told": {"/alerts/told"}, "alerts.deadlines": {"/alerts/deadlines"},
		"trail": {"/trail", first("/trail", `a.exp, a[href*="row="]`)}, "sessions": {"/sessions"}, "roles": {"/roles"}, "tokens": {"/tokens"},
		"exceptions.ask.form": {"/exceptions/ask"}, "exceptions.attest.form": {"/exceptions/attest"}, "roles.give.form": {"/roles/give"},
		"tokens.make.form": {"/tokens/make"}, "search": {"/search?q=grace"}, "tenants": {"/tenants"}, "factors": {"/factors"},
		"factors.invite.form": {"/factors/invite"}, "mail-devices": {"/mail-devices"}, "mail-devices.make.form": {"/mail-devices/make"},
		"none": {"/people?q=nobodyatall", "/nowhere"}, "fraud": {"/fraud"}, "gateway": {"/gateway"},
		"gateway.caller": {"/gateway/caller?caller=nobody"}, "gateway.revoke.form": {"/gateway/revoke"}, "fraud.case": {first("/fraud",
			`a[href*="/fraud/case"]`)},
	}
	out["signins.row"] = []string{first("/signins?row="+h.rowKey(t, p), `a[href*="/signins/row"]`)}
	if rows := listed(t, p, "alerts"); len(rows) > 0 {
		out["alerts.snooze.form"] = []string{fmt.Sprintf("/alerts/snooze?alert=%v", rows[0]["id"])}
	}
	return out
}

// rowKey is the key of a sign-in that has an archived row.
func (h *house) rowKey(t *testing.T, p *tab) string {
	t.Helper()
	rows := listed(t, p, "signins?size=1")
	if len(rows) == 0 {
		t.Fatal("there are no sign-ins")
	}
	id, _ := rows[0]["id"].(string)
	return id
}

// every says that each page that is mounted is among those that are looked at.
func (h *house) every(t *testing.T, shown map[string][]string) {
	t.Helper()
	for _, r := range h.kernel.Routes() {
		name, ok := strings.CutPrefix(r.Name, "page.")
		if !ok || !strings.HasPrefix(r.Pattern, "GET ") || strings.HasSuffix(name, ".form") || strings.ContainsAny(r.Pattern, ".") ||
			strings.HasSuffix(name, ".proof") || strings.HasSuffix(name, ".picture") || strings.HasSuffix(name, ".file") || strings.HasSuffix(name, ".report") {
			continue
		}
		if len(shown[name]) == 0 {
			t.Errorf("nobody looks at the page %s (%s)", name, r.Pattern)
		}
	}
	for name, list := range shown {
		if i := slices.Index(list, ""); i >= 0 {
			t.Errorf("%s: no address %d was found", name, i)
		}
	}
}

// shape brings a page to a width and a theme.
func shape(t *testing.T, p *tab, width int64, scheme string) {
	t.Helper()
	_, e1 := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900,
		DeviceScaleFactor: 1, Mobile: width < 500})
	_, e2 := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	if err := errors.Join(e1, e2); err != nil {
		t.Fatal(err)
	}
}

// keep leaves a picture of the page where SHOTS names a folder.
func keep(t *testing.T, p *tab, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// everyForm looks at all pages at three widths, in light and dark.
func (h *house) everyForm(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/status", 1440, "light")
	shown, script := h.shown(t, p), axe(t)
	h.every(t, shown)
	for name, list := range shown {
		for i, at := range list {
			if at == "" {
				continue
			}
			if !strings.HasPrefix(at, "/") {
				at = "/" + at
			}
			t.Run(name+" "+strconv.Itoa(i), func(t *testing.T) { h.forms(t, who, fmt.Sprintf("%s-%d", name, i), at, script) })
		}
	}
}

func (h *house) forms(t *testing.T, who context.Context, name, at, script string) {
	p := open(t, who, h.public+at, 1440, "light")
	for _, width := range []int64{1440, 390, 360} {
		for _, scheme := range []string{"light", "dark"} {
			shape(t, p, width, scheme)
			for _, s := range eval[[]string](t, p, overflowIn) {
				t.Errorf("%s, %d wide, %s: sideways overflow: %s", at, width, scheme, s)
			}
			if scheme == "light" { // unfolded, it fits as well
				for _, s := range eval[[]string](t, p, `const all = [...document.querySelectorAll("main details:not([open])")];
					all.forEach(d => d.open = true); const out = (() => {`+overflowIn+`})(); all.forEach(d => d.open = false); return out`) {
					t.Errorf("%s, %d wide, unfolded: sideways overflow: %s", at, width, s)
				}
			}
			if out := faults(t, p, script); out != "" {
				t.Errorf("%s, %d wide, %s: axe-core: %s", at, width, scheme, out)
			}
			keep(t, p, fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	if name != "none-1" { // the browser says of what is not there that it is not
		alone(t, p, h.public)
	}
}

// keyboard says that the way in is a skip link, then the rail, and that rows are reached,
// each with a focus that is seen.
func (h *house) keyboard(t *testing.T, who context.Context) {
	for _, page := range []string{"/status", "/people", "/coverage", "/signins", "/customers", "/alerts", "/trail"} {
		p := open(t, who, h.public+page, 1440, "light")
		var ways []string
		last := -1
		for n := range 140 {
			at := tabbed(t, p)
			if n == 0 && !strings.Contains(strings.ToLower(at.Text), "skip") {
				t.Errorf("%s: the first stop is %q", page, at.Text)
			}
			if at.Outline == "none" {
				t.Errorf("%s: no visible focus: %s %q", page, at.Tag, at.Text)
			}
			if at.Index < last && at.Tag != "BODY" {
				t.Errorf("%s: out of order: %s %q", page, at.Tag, at.Text)
			}
			last = at.Index
			where := eval[string](t, p, `const e = document.activeElement;
				return e.closest("nav.side a[aria-current]") ? "rail" : e.closest("tbody") ? "row" : ""`)
			if where != "" && !slices.Contains(ways, where) {
				ways = append(ways, where)
			}
			if where == "row" || at.Tag == "BODY" {
				break
			}
		}
		if !slices.Equal(ways, []string{"rail", "row"}) {
			t.Errorf("%s: the keyboard came by %v", page, ways)
		}
	}
}
