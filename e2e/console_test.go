//go:build browser

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/screen/screentest"
)

// axeVersion is what finds faults for people who do not see or use no mouse.
const axeVersion = "4.14.1"

// axe is the text of axe-core, from npm, kept in the user's cache.
func axe(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "partnerguard-e2e", "axe-core-"+axeVersion)
	file := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, "axe-core@"+axeVersion)
		if said, err := cmd.CombinedOutput(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("NO AXE-CORE: %v: %s", err, said)
			}
			t.Skipf("SKIPPED, NO AXE-CORE: npm: %v", err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// audit says that axe-core finds nothing that is serious or worse.
func audit(t *testing.T, p *tab, axe string) {
	t.Helper()
	if out := faults(t, p, axe); out != "" {
		t.Errorf("axe-core: %s", out)
	}
}

// faults lists what axe-core finds that is serious or worse.
func faults(t *testing.T, p *tab, axe string) string {
	t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](axe+";true")); err != nil {
		t.Fatal(err)
	}
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + " (" + v.impact + "): " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")).join("\n"))`, func(p *runtime.EvaluateParams) {
		yes := true
		p.AwaitPromise = &yes
	}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A fault that is made on purpose is found.
func TestAuditSees(t *testing.T) {
	server, root, script := screentest.Of(screentest.Story(8)...).Serve(t), browser(t), axe(t)
	p := open(t, root, server+"/people", 1440, "light")
	eval[bool](t, p, `document.querySelector("main").append(document.createElement("input"), document.createElement("img")); return true`)
	if out := faults(t, p, script); !strings.Contains(out, "label") || !strings.Contains(out, "image-alt") {
		t.Errorf("axe-core sees nothing: %q", out)
	}
}

// alone says that a page asked for nothing but what its own server has, and that nothing
// was refused by its policy.
func alone(t *testing.T, p *tab, server string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.requests {
		if !strings.HasPrefix(u, server+"/") && u != "about:blank" && !strings.HasPrefix(u, "data:image/svg+xml;base64,") { // of the browser's own date field
			t.Errorf("the page asked for %q", u)
		}
	}
	for _, e := range p.errors {
		t.Errorf("the page said: %s", e)
	}
}

// stories are the pages of the story, by what they show.
var stories = map[string]string{
	"components": "/status", "people": "/people?row=id-0", "signins": "/signins?row=id-3", "customers": "/customers?proof=met&q=example",
	"nothing": "/connections", "missing": "/collection", "nomatch": "/people?q=nobodyatall", "last": "/people?page=99&size=20",
}

// Every component in every state, with hostile texts, at three widths in light and dark.
func TestConsoleStory(t *testing.T) {
	h := screentest.Of(screentest.Story(60)...)
	h.Needs, h.Said = map[string]int{"connections": 3}, "It was asked for."
	server, root, script := h.Serve(t), browser(t), axe(t)
	for name, at := range stories {
		for _, width := range []int64{1440, 900, 390, 360} {
			for _, scheme := range []string{"light", "dark"} {
				if testing.Short() && width != 360 {
					continue
				}
				t.Run(fmt.Sprintf("%s %d %s", name, width, scheme), func(t *testing.T) {
					p := open(t, root, server+at, width, scheme)
					for _, s := range eval[[]string](t, p, overflowIn) {
						t.Errorf("sideways overflow: %s", s)
					}
					if width != 900 {
						audit(t, p, script)
					}
					shoot(t, p, fmt.Sprintf("story-%s-%d-%s", name, width, scheme))
					alone(t, p, server)
				})
			}
		}
	}
}

// overflowIn is overflow, but for what scrolls or is cut within itself.
const overflowIn = `
const w = document.documentElement.clientWidth, out = [];
if (document.documentElement.scrollWidth > w) out.push("page is " + document.documentElement.scrollWidth + " wide in " + w);
for (const e of document.querySelectorAll("main *")) {
  if (!e.checkVisibility()) continue; // what is folded has a place, and is not seen
  if (e.closest(".scroll, .xscroll, pre, .vh, .skip, thead, defs, svg, .cut, .tabs")) continue;
  const r = e.getBoundingClientRect();
  if (r.width > 1 && (r.right > w + 1 || r.left < -1)) out.push(e.tagName + "." + e.className + " " + Math.round(r.left) + ".." + Math.round(r.right) + ": " + e.textContent.slice(0, 60));
}
return out.slice(0, 10);`

// The keyboard alone reaches everything, in order and with a focus that is seen.
func TestConsoleKeyboard(t *testing.T) {
	server, root := screentest.Of(screentest.Story(8)...).Serve(t), browser(t)
	p := open(t, root, server+"/people", 1440, "light")
	want := eval[int](t, p, `return [...document.querySelectorAll("a[href], button, input:not([type=hidden])")].filter(e => e.checkVisibility()).length`)
	got, last := 0, -1
	for range want {
		at := tabbed(t, p)
		if at.Tag == "BODY" {
			break
		}
		got++
		if at.Index <= last {
			t.Errorf("out of order: %s %q", at.Tag, at.Text)
		}
		if last = at.Index; at.Outline == "none" {
			t.Errorf("no visible focus: %s %q", at.Tag, at.Text)
		}
	}
	if got != want || want < 40 {
		t.Errorf("Tab reached %d of %d", got, want)
	}
}

type focused struct {
	Tag, Text, Outline string
	Index              int
}

func tabbed(t *testing.T, p *tab) focused {
	t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	return eval[focused](t, p, `const e = document.activeElement;
		return {Tag: e.tagName, Text: (e.getAttribute("aria-label") || e.textContent).trim().slice(0, 40), Outline: getComputedStyle(e).outlineStyle,
			Index: [...document.querySelectorAll("*")].indexOf(e)};`)
}

// What the script adds, and that all of it is there without one.
func TestConsoleScript(t *testing.T) {
	server, root := screentest.Of(screentest.Story(60)...).Serve(t), browser(t)
	p := open(t, root, server+"/people", 1440, "light")
	until := func(what, script string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !eval[bool](t, p, "return Boolean("+script+")"); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: never", what)
			}
		}
	}
	press := func(keys string) {
		t.Helper()
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent(keys)); err != nil {
			t.Fatal(err)
		}
	}
	press("j")
	press("j")
	until("j walks rows", `document.activeElement.closest("tbody")?.matches("tbody:nth-of-type(1), tbody:nth-of-type(2)")`)
	eval[bool](t, p, `document.querySelectorAll("a.exp")[2].click(); return true`)
	until("a row opens in place", `document.querySelectorAll("tr.more").length === 1 && location.search.includes("row=")`)
	eval[bool](t, p, `const f = document.querySelector("form.tools input[type=search]"); f.focus(); f.value = "hugo"; f.dispatchEvent(new Event("input", {bubbles: true})); return true`)
	until("the list narrows while one types", `document.querySelector("#count").textContent.includes(" of 60") && location.search.includes("q=hugo")`)
	if !eval[bool](t, p, `return document.activeElement.type === "search"`) {
		t.Error("the field lost the focus")
	}
	alone(t, p, server)
}

// Printed, a page is light, and without what only a screen has.
func TestConsolePrinted(t *testing.T) {
	server, root := screentest.Of(screentest.Story(60)...).Serve(t), browser(t)
	paper(t, root, "console-people", server+"/people?row=id-0")
}
