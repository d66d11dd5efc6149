//go:build browser

package e2e

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/config"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/web"
)

// house is one installation, connected to a partner cloud, collected and judged as
// partnerguard up does it, and served. What each test does to it the next one finds.
type house struct {
	lab    *labtest.Lab
	in     *app.Installation
	kernel *web.Kernel
	public string
	root   context.Context // of the browser
}

func newHouse(t *testing.T) *house {
	t.Helper()
	lab := labtest.Start(t, func(o *partnercloud.Options) { *o = partnercloud.Options{NoLag: true, Unthrottled: true} })
	return houseOf(t, lab, time.Now, func(h *house) { h.judge(t) })
}

// houseOf is an installation beside a cloud, served after what was made ready.
func houseOf(t *testing.T, lab *labtest.Lab, now func() time.Time, ready func(*house)) *house {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{lab: lab, public: "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)}
	dir := t.TempDir()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(lab.Server.CA.PEM())
	c, err := config.Load(config.Source{Flags: map[string]string{"data": dir, "master-key": "file:" + filepath.Join(dir, "key"), "cloud": app.LabName},
		Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c.Web.PublicURL = h.public
	h.in, err = app.Open(t.Context(), app.Options{
		Config: c, Actor: "local:test", Now: now, Getenv: func(string) string { return "" },
		Lab: &app.Lab{Info: &lab.Info, Roots: roots, Clock: func(context.Context) (time.Time, error) { return lab.Now(), nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.in.Close(); err != nil {
			t.Error(err)
		}
	})
	ready(h)
	served, err := h.in.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h.kernel = served.(*web.Kernel)
	serving, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(serving, web.Options{Listener: l, Handler: served}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	h.root = browser(t, lab.Info.SPKI)
	return h
}

// judge connects, reads the partner's own tenant, and judges it.
func (h *house) judge(t *testing.T) {
	t.Helper()
	c, _, err := h.in.ConnectLab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, err := h.in.Collect.Meet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.in.Collect.Round(t.Context(), own.ID, collect.Ask{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.in.KeepRound(t.Context(), c.Tenant); err != nil {
		t.Fatal(err)
	}
}

// stranger is a browser's window that has no cookies yet.
func (h *house) stranger(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(h.root, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// operator is one that came in by a link of the machine.
func (h *house) operator(t *testing.T) context.Context {
	t.Helper()
	link, err := h.in.Console.Link(t.Context(), "local:test", h.public)
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.stranger(t)
	p := open(t, ctx, link, 1280, "light")
	enter(t, p, "", "")
	if at := path(t, p); strings.HasPrefix(at, "/signin") {
		t.Fatalf("the link led to %s", at)
	}
	return ctx
}

// person is one that a person of the cloud signed in at, with password and passcode, and
// their tab at the page that they asked for.
func (h *house) person(t *testing.T, upn, at string) *tab {
	t.Helper()
	p := open(t, h.stranger(t), h.public+at, 1440, "light")
	enter(t, p, "", "")
	answerPages(t, p, h.lab.Person(upn), func(string) {})
	if got := path(t, p); got != at {
		t.Fatalf("%s wanted %s and is at %s: %s", upn, at, got, text(t, p))
	}
	return p
}

// the tab's page.

func text(t *testing.T, p *tab) string { return eval[string](t, p, `return document.body.innerText`) }

// says fails where a page does not say something.
func says(t *testing.T, p *tab, words ...string) {
	t.Helper()
	all := text(t, p)
	for _, w := range words {
		if !strings.Contains(strings.ToLower(all), strings.ToLower(w)) {
			t.Errorf("%s does not say %q:\n%.3000s", eval[string](t, p, `return location.pathname + location.search`), w, all)
		}
	}
}

// visit goes to another page in the same tab.
func visit(t *testing.T, p *tab, where string) {
	t.Helper()
	if strings.HasPrefix(where, "/") {
		where = eval[string](t, p, `return location.origin`) + where
	}
	if err := chromedp.Do(p.ctx, chromedp.Navigate(where), chromedp.WaitReady("main")); err != nil {
		t.Fatalf("open %s: %v", where, err)
	}
}

// follow runs a script that leads to another page, and waits for it.
func follow(t *testing.T, p *tab, script string) {
	t.Helper()
	before := eval[float64](t, p, `return performance.timeOrigin`)
	if !eval[bool](t, p, `return Boolean((() => {`+script+`})())`) {
		t.Fatalf("%s has nothing to press: %s\n%.2000s", path(t, p), script, text(t, p))
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		now, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`document.readyState === "complete" ? performance.timeOrigin : 0`))
		if err == nil && now > before {
			return
		}
	}
	t.Fatalf("%s led nowhere: %s", path(t, p), script)
}

// press follows the first link or button in the page's main part whose words begin so.
func press(t *testing.T, p *tab, words string) {
	t.Helper()
	follow(t, p, `const e = [...document.querySelectorAll("main button"), ...document.querySelectorAll("main a:not(th a)")].find(e => e.checkVisibility() && e.innerText.trim().startsWith(`+quote(words)+`));
		e?.click(); return e`)
}

// to follows the first link that a selector finds.
func to(t *testing.T, p *tab, selector string) {
	t.Helper()
	follow(t, p, `const e = document.querySelector(`+quote(selector)+`);
		e?.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: window})); return e`)
}

// opened visits what a link of a row leads to, which a script would open in place.
func opened(t *testing.T, p *tab, selector string) {
	t.Helper()
	visit(t, p, eval[string](t, p, `return document.querySelector(`+quote(selector)+`).href`))
}

// fill writes into the fields of a form of the page: pairs of name and value.
func fill(t *testing.T, p *tab, pairs ...string) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if !eval[bool](t, p, `const all = [...document.querySelectorAll("main [name=" + CSS.escape(`+quote(pairs[i])+`) + "]:not([type=hidden])")];
			const v = `+quote(pairs[i+1])+`;
			for (const e of all) {
				if (e.type === "checkbox" || e.type === "radio") { if (e.value === v) { e.checked = true; return true; } continue; }
				if (e.tagName === "SELECT") { const o = [...e.options].find(o => o.value === v); if (!o) return false; o.selected = true; return true; }
				e.value = v; return true;
			}
			return false`) {
			t.Fatalf("%s has no field %s for %q: %s", path(t, p), pairs[i], pairs[i+1], eval[string](t, p, `return document.querySelector("main").innerHTML.slice(0, 4000)`))
		}
	}
}

// until waits for a script to be true.
func until(t *testing.T, p *tab, what, script string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !eval[bool](t, p, "return Boolean("+script+")"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: never\n%.2000s", what, text(t, p))
		}
	}
}

// answer is what the server said to something asked by a page's script.
type answer struct {
	Status int
	Body   string
	Type   string
}

// ask has the page itself ask its server.
func ask(t *testing.T, p *tab, method, where, form string) answer {
	t.Helper()
	init := `{redirect: "manual"}`
	if method != http.MethodGet {
		init = `{method: ` + quote(method) + `, redirect: "manual", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: ` + quote(form) + `}`
	}
	return wait[answer](t, p, `fetch(`+quote(where)+`, `+init+`).then(async r => ({Status: r.status, Type: r.headers.get("content-type") || "", Body: await r.text()}))`)
}

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// seq is a number of a JSON answer as an address has it.
func seq(v any) string { b, _ := json.Marshal(v); return string(b) }
