//go:build browser

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
)

// cloud starts a partner cloud for one test.
func cloud(t *testing.T) *labtest.Lab {
	t.Helper()
	return labtest.Start(t, func(o *partnercloud.Options) { *o = partnercloud.Options{NoLag: true} })
}

// here names the page the browser is on by what it asks for.
func here(t *testing.T, p *tab) string {
	t.Helper()
	for range 100 {
		text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`(() => {
			const seen = s => [...document.querySelectorAll(s)].some(e => e.offsetParent !== null);
			if (document.readyState !== "complete" || !document.querySelector("h1")) return "";
			if (seen('input[autocomplete~="username"]')) return "account";
			if (seen('input[autocomplete="current-password"]')) return "password";
			if (seen('input[autocomplete="one-time-code"]')) return "code";
			if (seen('form[method=post] button')) return "form: " + document.querySelector("h1").innerText;
			return "page: " + document.querySelector("h1").innerText;
		})()`))
		if err == nil && text != "" {
			return text
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the page does not settle")
	return ""
}

// enter fills the field of a page, if it has one, and presses Enter: the whole
// way works by keyboard.
func enter(t *testing.T, p *tab, selector, value string) {
	t.Helper()
	before := eval[float64](t, p, `return performance.timeOrigin`)
	steps := []chromedp.Action[chromedp.Void]{}
	if selector != "" {
		steps = append(steps, chromedp.Focus(selector), chromedp.SendKeys(selector, value), chromedp.KeyEvent("\r"))
	} else {
		steps = append(steps, chromedp.Focus(`form[method=post] button`), chromedp.KeyEvent("\r"))
	}
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		t.Fatal(err)
	}
	for range 100 { // until another document is there
		now, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`document.readyState === "complete" ? performance.timeOrigin : 0`))
		if err == nil && now > before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fits checks the page the browser is on at every width, light and dark.
func fits(t *testing.T, p *tab, name string) {
	t.Helper()
	for _, width := range []int64{360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			_, e1 := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 760,
				DeviceScaleFactor: 1})
			_, e2 := chromedp.Call(p.ctx, emulation.SetEmulatedMedia,
				emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme},
					{Name: "prefers-reduced-motion", Value: "reduce"}}}) // a colour on its way to another has none of the two's contrast
			if e1 != nil || e2 != nil {
				t.Fatal(e1, e2)
			}
			at := fmt.Sprintf("%s, %d wide, %s", name, width, scheme)
			for _, s := range eval[[]string](t, p, overflow) {
				t.Errorf("%s: sideways overflow: %s", at, s)
			}
			for _, s := range eval[[]string](t, p, contrast) {
				t.Errorf("%s: contrast: %s", at, s)
			}
			if n := eval[int](t, p, `return [...document.querySelectorAll("input:not([type=hidden])")].filter(e => !e.labels || !e.labels.length).length`); n != 0 {
				t.Errorf("%s: %d fields without a label", at, n)
			}
			shoot(t, p, fmt.Sprintf("cloud-%s-%d-%s", name, width, scheme))
		}
	}
}

// A Security Administrator signs in by keyboard and sees the status page; a
// partner-network administrator does not.
func TestStatusPageOfThePartnerCloud(t *testing.T) {
	l := cloud(t)
	for _, c := range []struct {
		local string
		sees  bool
	}{{"elena.petrova", true}, {"brian.walsh", false}} {
		who := l.Person(c.local + "@contoso.com")
		p := open(t, browser(t), l.Info.PortalHTTP+"/requirements", 1280, "light")
		seen := map[string]bool{}
		answerPages(t, p, who, func(at string) {
			if c.sees && !seen[at] {
				fits(t, p, strings.ToLower(strings.NewReplacer(": ", "-", " ", "-", "?", "", "’", "").Replace(at)))
			}
			seen[at] = true
		})
		if !seen["account"] || !seen["password"] || !seen["code"] {
			t.Errorf("%s: the way was %v", who.UPN, seen)
		}
		text := eval[string](t, p, `return document.body.innerText`)
		if sees := strings.Contains(text, "CSV") && strings.Contains(text, "%"); sees != c.sees {
			t.Errorf("%s sees the status page: %v\n%.600s", who.UPN, sees, text)
		}
		if !c.sees && !strings.Contains(text, "Security Reader") {
			t.Errorf("the refusal does not name who may: %.600s", text)
		}
	}
}

// The walks in docs/walk do what they say, as their reader would do it.
func TestControlPanelWalk(t *testing.T) {
	walkScript(t, "control-panel.mjs", `amr is ["pwd"`, `"mfa"`, "isMfaCompliant true", "700082")
}

func TestOrderWalk(t *testing.T) {
	walkScript(t, "order.mjs", "is completed: 5 seats", "is suspended; seats: 0 active, 5 suspended", "is active; seats: 5 active, 0 suspended", "is active",
		"not billed yet: new 5", "the lines add up to")
}

// walkScript runs one of the walks beside a cloud of its own, signs in for it and looks
// for what it should say.
func walkScript(t *testing.T, script string, wants ...string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Node is not installed")
		}
		t.Skip("Node is not installed")
	}
	root := browser(t)
	dir := t.TempDir()
	bin, control := filepath.Join(dir, "partnerguard"), filepath.Join(dir, "control.json")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/partnerguard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := exec.Command(bin, "cloud", "--port", "0", "--quiet", "--control", control)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Signal(os.Interrupt); _ = server.Wait() }()
	for range 200 {
		if _, err := os.Stat(control); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	walk := exec.Command(bin, "cloud", "exec", "--control", control, "--", "node", "../docs/walk/"+script)
	walk.Env = append(os.Environ(), "PARTNERGUARD="+bin)
	out, err := walk.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	walk.Stderr = &errs
	if err := walk.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var where, password, secret string
	for lines.Scan() {
		line := lines.Text()
		said.WriteString(line + "\n")
		if f := strings.Fields(line); len(f) == 1 && strings.HasPrefix(f[0], "http://") {
			where = f[0]
		} else if len(f) == 5 && f[0] == "password" {
			password, secret = f[1], f[4]
			break
		}
	}
	p := open(t, root, where, 1280, "light")
	enter(t, p, `input[autocomplete~="username"]`, "sam-agent@contoso.com")
	enter(t, p, `input[autocomplete="current-password"]`, password)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	enter(t, p, `input[autocomplete="one-time-code"]`, code)
	for range 3 { // stay signed in, consent
		if text := eval[string](t, p, `return document.body.innerText`); strings.Contains(text, "You can close this page") {
			break
		}
		enter(t, p, "", "")
	}
	rest, _ := io.ReadAll(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
	}
	said.Write(rest)
	if err := walk.Wait(); err != nil {
		t.Errorf("the walk: %v\n%s", err, errs.String())
	}
	for _, want := range wants {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the walk never said %q:\n%s", want, said.String())
		}
	}
}
