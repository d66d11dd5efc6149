//go:build browser

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts one Chromium for the whole test; tabs are cheap after that. Certificates
// of the authorities whose keys are named (SPKI) are good there.
func browser(t *testing.T, trust ...string) context.Context {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("NO BROWSER at %s: set CHROMIUM or install chromium", path)
		}
		t.Skipf("SKIPPED, NO BROWSER at %s: nothing about the look of the report was checked", path)
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Headless, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	if len(trust) > 0 {
		opts = append(opts, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(trust, ",")))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// tab opens a page of its own and listens to everything it asks for and says.
type tab struct {
	ctx      context.Context
	mu       sync.Mutex
	requests []string
	errors   []string
}

func open(t *testing.T, parent context.Context, target string, width int64, scheme string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &tab{ctx: ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := ev.(type) {
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, e.Request.URL)
		case *runtime.EventConsoleAPICalled:
			p.errors = append(p.errors, fmt.Sprintf("console %s", e.Type))
		case *runtime.EventExceptionThrown:
			p.errors = append(p.errors, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			p.errors = append(p.errors, e.Entry.Text)
		case *cdppage.EventJavascriptDialogOpening:
			p.errors = append(p.errors, "dialog: "+e.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_, e1 := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, e2 := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	_, e3 := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 500})
	_, e4 := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err := errors.Join(e1, e2, e3, e4); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(target), chromedp.WaitReady("main")); err != nil {
		t.Fatalf("open %s: %v", target, err)
	}
	return p
}

// eval runs a check in the page. The page's own policy forbids its scripts;
// the debugger's are not the page's.
func eval[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	var out T
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("JSON.stringify((() => {"+script+"})())"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %.80s", err, text)
	}
	return out
}

// quiet says that the page asked for nothing but itself and logged nothing.
func quiet(t *testing.T, p *tab, own string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.requests {
		if u != own && u != "about:blank" {
			t.Errorf("the page asked for %q", u)
		}
	}
	for _, e := range p.errors {
		t.Errorf("the page said: %s", e)
	}
}

// save writes a page to a file and gives its address.
func save(t *testing.T, page func(io.Writer) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := page(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath()
}

// shoot keeps a picture of the whole page when E2E_SHOTS names a folder.
func shoot(t *testing.T, p *tab, name string) {
	t.Helper()
	dir := os.Getenv("E2E_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// overflow lists what sticks out of the page sideways.
const overflow = `
const w = document.documentElement.clientWidth, out = [];
if (document.documentElement.scrollWidth > w) out.push("page is " + document.documentElement.scrollWidth + " wide in " + w);
for (const e of document.querySelectorAll("body *")) {
  if (e.closest(".scroll, .toc li, .rr > *, .vh, .skip, thead, defs, svg")) continue; // .toc scrolls; .rr is cut with an ellipsis
  const r = e.getBoundingClientRect();
  if (r.width > 1 && (r.right > w + 1 || r.left < -1)) out.push(e.tagName + "." + e.className + " " + Math.round(r.left) + ".." + Math.round(r.right) + ": " + e.textContent.slice(0, 60));
}
return out.slice(0, 10);`

// labels lists SVG texts that leave their picture, sit on each other, or are
// too small to read.
const labels = `
const out = [];
for (const svg of document.querySelectorAll("figure.plot > svg")) {
  if (getComputedStyle(svg).display === "none") continue;
  const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim());
  const rects = texts.map(t => t.getBoundingClientRect());
  const scale = box.width / svg.viewBox.baseVal.width;
  if (scale * 12 < 9) out.push("text of " + (scale * 12).toFixed(1) + " px");
  rects.forEach((r, i) => {
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
      out.push("outside: " + texts[i].textContent);
    for (let j = 0; j < i; j++) {
      const s = rects[j];
      if (r.left < s.right - 0.5 && s.left < r.right - 0.5 && r.top < s.bottom - 2 && s.top < r.bottom - 2)
        out.push("overlap: " + texts[j].textContent + " / " + texts[i].textContent);
    }
  });
  for (const b of svg.querySelectorAll("rect:not(pattern rect)")) {
    const r = b.getBoundingClientRect();
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1) out.push("a box outside");
    texts.forEach((t, i) => { const s = rects[i];
      if (r.width > 0 && r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 3 && s.top < r.bottom - 3) out.push("a box on text: " + t.textContent); });
  }
  if (!svg.getAttribute("aria-label")) out.push("no text alternative");
}
return [...new Set(out)].slice(0, 12);`

// contrast lists texts below WCAG AA against the background behind them.
const contrast = `
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = c => { canvas.clearRect(0,0,1,1); canvas.fillStyle = c; canvas.fillRect(0,0,1,1); const d = canvas.getImageData(0,0,1,1).data; return [d[0],d[1],d[2],d[3]/255]; };
const lum = c => { const f = v => { v /= 255; return v <= .03928 ? v/12.92 : ((v+.055)/1.055)**2.4; }; return .2126*f(c[0]) + .7152*f(c[1]) + .0722*f(c[2]); };
const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > .99) return c; } return rgba("Canvas"); };
const out = new Set();
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest("title, style, defs, .vh")) continue;
  const s = getComputedStyle(e), fg = rgba(e instanceof SVGElement ? s.fill : s.color), bg = behind(e);
  const a = lum(fg), b = lum(bg), ratio = (Math.max(a,b)+.05)/(Math.min(a,b)+.05);
  if (ratio < 4.5) out.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(2) + ": " + e.textContent.trim().slice(0, 30));
}
return [...out].slice(0, 10);`

// look checks one page at every width, in light and dark: nothing sticks out,
// plots are legible, texts have contrast, nothing acts, nothing is loaded.
func look(t *testing.T, root context.Context, name, file string) {
	t.Helper()
	for _, width := range []int64{360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("%s %d %s", name, width, scheme), func(t *testing.T) {
				p := open(t, root, file, width, scheme)
				for _, s := range eval[[]string](t, p, overflow) {
					t.Errorf("sideways overflow: %s", s)
				}
				for _, s := range eval[[]string](t, p, labels) {
					t.Errorf("plot: %s", s)
				}
				for _, s := range eval[[]string](t, p, contrast) {
					t.Errorf("contrast: %s", s)
				}
				shoot(t, p, fmt.Sprintf("%s-%d-%s", name, width, scheme))
				// Everything unfolded must fit as well.
				for _, s := range eval[[]string](t, p, "document.querySelectorAll('details').forEach(d => d.open = true);"+overflow) {
					t.Errorf("sideways overflow, unfolded: %s", s)
				}
				if strings.HasSuffix(name, "typical") && scheme == "light" {
					shoot(t, p, fmt.Sprintf("%s-%d-unfolded", name, width))
				}
				if n := eval[int](t, p, "return document.scripts.length + "+
					"document.querySelectorAll('img,link,iframe,object,embed,[onerror],[onload],[onclick],[style]').length"); n != 0 {
					t.Errorf("%d elements that could act", n)
				}
				quiet(t, p, file)
			})
		}
	}
}

// tabThrough says that every link and every fold is reached by the Tab key, in
// reading order, and shows that it has the focus, and that Enter opens a fold.
// There are at least least of them.
func tabThrough(t *testing.T, root context.Context, file string, least int) {
	t.Helper()
	p := open(t, root, file, 1280, "light")
	want := eval[int](t, p, `return [...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter(e =>
		!(e.tagName === "SUMMARY" ? e.parentElement.parentElement : e.parentElement).closest("details:not([open])")).length`)
	var got int
	var last float64 = -1
	var faults []string
	for range want {
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent("\t")); err != nil {
			t.Fatal(err)
		}
		at := eval[struct {
			Tag, Text, Outline string
			Index              float64
		}](t, p, `const e = document.activeElement, s = getComputedStyle(e);
			return {Tag: e.tagName, Text: e.textContent.trim().slice(0, 40), Outline: s.outlineStyle, Index: [...document.querySelectorAll("*")].indexOf(e)};`)
		if at.Tag == "BODY" {
			break
		}
		got++
		if at.Index <= last {
			faults = append(faults, "out of order: "+at.Text)
		}
		last = at.Index
		if at.Outline == "none" {
			faults = append(faults, "no visible focus: "+at.Text)
		}
	}
	for _, f := range faults {
		t.Error(f)
	}
	if got != want || want < least {
		t.Errorf("Tab reached %d of %d links and folds", got, want)
	}
	// The skip link leads into the page, and Enter opens a fold.
	opened := eval[bool](t, p, `document.querySelector("details.folded > summary").focus(); return true`)
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	opened = opened && eval[bool](t, p, `return document.querySelector("details.folded").open`)
	if !opened {
		t.Error("Enter does not open a fold")
	}
}

// paper prints a page.
func paper(t *testing.T, root context.Context, name, file string) {
	t.Helper()
	p := open(t, root, file, 1280, "dark")
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(func(o *cdppage.PrintToPDFParams) {
		o.PaperWidth, o.PaperHeight = chromedp.PaperA4.Width, chromedp.PaperA4.Height
	}))
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF-") || len(pdf) < 10_000 {
		t.Fatalf("print: %v, %d bytes", err, len(pdf))
	}
	if dir := os.Getenv("E2E_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
