//go:build browser

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render"
	"partnerguard/internal/assess/render/rendertest"
)

func write(t *testing.T, r *assess.Report) string {
	t.Helper()
	return save(t, func(w io.Writer) error { return render.HTML(w, r) })
}

func TestReportInTheBrowser(t *testing.T) {
	root := browser(t)
	for name, r := range map[string]*assess.Report{
		"typical": rendertest.Typical(), "huge": rendertest.Huge(100_000), "empty": rendertest.Empty(),
		"bare": rendertest.Bare(), "perfect": rendertest.Perfect(), "hostile": rendertest.Hostile(),
	} {
		look(t, root, name, write(t, r))
	}
}

func TestReportByKeyboard(t *testing.T) {
	tabThrough(t, browser(t), write(t, rendertest.Typical()), 15)
}

func TestReportOnPaper(t *testing.T) {
	root := browser(t)
	for name, r := range map[string]*assess.Report{"typical": rendertest.Typical(), "empty": rendertest.Empty(), "huge": rendertest.Huge(100_000)} {
		t.Run(name, func(t *testing.T) { paper(t, root, name, write(t, r)) })
	}
}

// The policy in the page is what stops a script, not only our escaping: one
// that gets into the page by hand does not run and loads nothing.
func TestReportPolicyHolds(t *testing.T) {
	var asked []string
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.Path)
		mu.Unlock()
		if r.URL.Path == "/report.html" {
			var page strings.Builder
			if err := render.HTML(&page, rendertest.Typical()); err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			body := strings.Replace(page.String(), "<main",
				`<script>document.title="owned"</script><script src="/x.js"></script><img src="/x.png" onerror="document.title='owned'"><style>body{display:none}</style><link rel="stylesheet" href="/x.css"><iframe src="/x.html"></iframe><p id="probe" style="display:none">x</p><main`, 1)
			_, _ = w.Write([]byte(body))
		}
	}))
	defer srv.Close()
	p := open(t, browser(t), srv.URL+"/report.html", 1280, "light")
	got := eval[struct {
		Title, Body, Probe string
	}](t, p, `return {Title: document.title, Body: getComputedStyle(document.body).display, Probe: getComputedStyle(document.getElementById("probe")).display}`)
	if got.Title == "owned" || got.Body == "none" || got.Probe == "none" {
		t.Errorf("the policy let something through: %+v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, path := range asked {
		if path != "/report.html" && path != "/favicon.ico" {
			t.Errorf("the page loaded %s", path)
		}
	}
}

// Filters and orders of accounts work without a script, by label and by arrow
// keys, and a phone gets one column.
func TestReportFilters(t *testing.T) {
	root := browser(t)
	const shown = `[...document.querySelectorAll(".acc tbody tr")].filter(e => getComputedStyle(e).display !== "none")`
	file := write(t, rendertest.Typical())
	p := open(t, root, file, 1280, "light")
	count := func() int { return eval[int](t, p, "return "+shown+".length") }
	todo := count()
	if todo == 0 {
		t.Fatal("no account is shown")
	}
	eval[bool](t, p, `document.querySelector(".chips fieldset:first-of-type input:checked").focus(); return true`)
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(kb.ArrowRight)); err != nil {
		t.Fatal(err)
	}
	if n := count(); n >= todo {
		t.Errorf("the arrow key left %d of %d accounts", n, todo)
	}
	if s := eval[string](t, p, `return getComputedStyle(document.activeElement.nextElementSibling).outlineStyle`); s == "none" {
		t.Error("the filter does not show that it has the focus")
	}
	all := eval[int](t, p, `[...document.querySelectorAll(".chips fieldset:first-of-type label")].at(-1).click(); return `+shown+`.length`)
	if every := eval[int](t, p, `return document.querySelectorAll(".acc tbody tr").length`); all != every || all <= todo {
		t.Errorf("%d of %d accounts are shown, and %d before", all, every, todo)
	}
	const order = `return ` + shown + `.sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map(e => e.querySelector("th").innerText).join("|")`
	before := eval[string](t, p, order)
	if after := eval[string](t, p, `[...document.querySelectorAll(".chips fieldset:last-of-type label")][1].click(); `+order); after == before {
		t.Error("the order by name is the order before")
	}
	phone := open(t, root, file, 360, "light")
	if n := eval[int](t, phone, `return Math.max(...`+shown+`.map(e => getComputedStyle(e).gridTemplateColumns.split(" ").length))`); n != 1 {
		t.Errorf("a phone gets %d columns", n)
	}
}
