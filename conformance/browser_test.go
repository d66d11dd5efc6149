package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// shared is one Chromium for the whole run; each check has a profile of its own
// in it.
var shared struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// startBrowser starts Chromium. By names the production host names lead to the
// cloud's listener by server name; all others lead nowhere, either way.
func startBrowser(path string) {
	rules := ""
	if cloud.way == byNames {
		for _, h := range []string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "partner.microsoft.com", "graph.microsoft.com"} {
			rules += "MAP " + h + ":443 " + cloud.SNI + ", "
		}
	}
	rules += "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
	dir, err := os.MkdirTemp("", "conformance-browser-")
	if err != nil {
		shared.err = err
		return
	}
	ctx, stopAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Headless,
		chromedp.Flag("host-resolver-rules", rules), chromedp.Flag("ignore-certificate-errors-spki-list", cloud.SPKI), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true))
	ctx, stop := chromedp.NewContext(ctx)
	shared.ctx = ctx
	shared.stop = func() { stop(); stopAlloc(); _ = os.RemoveAll(dir) }
	shared.err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

func closeBrowser() {
	if shared.stop != nil {
		shared.stop()
	}
}

// browser is a fresh profile of Chromium, and what waits for it.
type browser struct {
	t   *testing.T
	tab context.Context

	// wait is for what waits until the browser has done its part: it ends when
	// the browser gave up.
	wait   context.Context
	giveUp context.CancelCauseFunc

	factor string // "totp", or "key"
	codes  int    // of TOTP given
}

// chromium opens a fresh profile.
func chromium(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "Chromium")
	}
	if _, err := exec.LookPath("oathtool"); err != nil {
		missing(t, "oathtool")
	}
	shared.once.Do(func() { startBrowser(path) })
	if shared.err != nil {
		t.Fatalf("start %s: %v", path, shared.err)
	}
	tab, stop := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, factor: "totp"}
	var end context.CancelFunc
	b.tab, end = context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(end)
	wait, endWait := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(endWait)
	b.wait, b.giveUp = context.WithCancelCause(wait)
	return b
}

// later drives the browser while the test goes on; what it does ends with the
// test at the latest.
func (b *browser) later(f func(b *browser) error) {
	done := make(chan struct{})
	own := *b
	var stop context.CancelFunc
	own.tab, stop = context.WithCancel(b.tab)
	go func() {
		defer close(done)
		if err := f(&own); err != nil && own.tab.Err() == nil {
			b.t.Errorf("browser: %v", err)
			b.giveUp(err)
		}
	}()
	b.t.Cleanup(func() { stop(); <-done })
}

// arrives is the end of a sign-in whose redirect a library's own server takes.
// That server closes at once, so an error page is as good.
func arrives(until string) func(sight) bool {
	return func(s sight) bool {
		return strings.HasPrefix(s.URL, until) || strings.HasPrefix(s.URL, "chrome-error:")
	}
}

// open is what a library calls to open the browser: the person signs in there.
func (b *browser) open(p person) func(string) error {
	return func(where string) error {
		u, err := url.Parse(where)
		if err != nil {
			return err
		}
		back := u.Query().Get("redirect_uri")
		if back == "" {
			return fmt.Errorf("no redirect_uri in %s", where)
		}
		b.later(func(b *browser) error {
			_, err := b.signIn(where, p, arrives(back))
			return err
		})
		return nil
	}
}

// sight is what the page shows. Kind follows from what the fields are for, as a
// password manager would see it.
type sight struct {
	URL, Kind, Text, Error string
	Choices                []string
}

const look = `(() => {
	const s = {url: location.href, kind: "note", text: document.body ? document.body.innerText.slice(0, 1500) : "", error: "", choices: []};
	const seen = e => e.offsetParent !== null && !e.disabled;
	const has = q => [...document.querySelectorAll(q)].some(seen);
	s.choices = [...document.querySelectorAll("ul.ways button")].map(b => b.value);
	const e = document.querySelector("#error");
	if (e) s.error = e.innerText;
	if (window.answered || document.readyState !== "complete") s.kind = "wait";
	else if (has(".error.stop")) s.kind = "fault";
	else if (has('input[autocomplete~="username"]')) s.kind = "user";
	else if (has('input[autocomplete="current-password"]')) s.kind = "password";
	else if (document.querySelector("#secret")) s.kind = "enroll";
	else if (has('input[autocomplete="one-time-code"]')) s.kind = "code";
	else if (document.querySelector("form#key")) s.kind = has("#go") ? "key" : "wait";
	else if (s.choices.length) s.kind = "choose";
	else if (has('button[value="accept"]')) s.kind = "consent";
	else if (has('button[value="leave"]')) s.kind = "stay";
	else if (has('button[value="confirm"]')) s.kind = "confirm";
	else if (has("form#post button")) s.kind = "wait";
	else if (has('input#otc')) s.kind = "device";
	return JSON.stringify(s);
})()`

// press answers the page: a value into a field, and the button.
func (b *browser) press(field, value, button string) error {
	quoted := func(s string) string { q, _ := json.Marshal(s); return string(q) }
	js := `(() => { window.answered = true; let b = null;`
	if field != "" {
		js += `const f = document.querySelector(` + quoted(field) + `); f.value = ` + quoted(value) + `; b = f.form.querySelector("button");`
	}
	if button != "" {
		js += `b = document.querySelector(` + quoted(button) + `);`
	}
	return chromedp.Do(b.tab, chromedp.Evaluate[chromedp.Void](js+`b.click(); })()`))
}

// signIn opens a URL and answers page after page as the person until done.
func (b *browser) signIn(start string, p person, done func(sight) bool) (sight, error) {
	if err := chromedp.Do(b.tab, chromedp.Navigate(start)); err != nil && !strings.Contains(err.Error(), "net::ERR_") {
		return sight{}, fmt.Errorf("open: %w", err)
	}
	return b.walk(p, done)
}

func (b *browser) walk(p person, done func(sight) bool) (s sight, err error) {
	for quiet := 0; quiet < 200; { // 10 s without anything new
		select {
		case <-b.tab.Done():
			return s, b.tab.Err()
		case <-time.After(50 * time.Millisecond):
		}
		text, err := chromedp.Run(b.tab, chromedp.Evaluate[string](look))
		if err != nil || json.Unmarshal([]byte(text), &s) != nil {
			quiet++ // between two pages
			continue
		}
		switch {
		case s.Kind == "wait" && !strings.HasPrefix(s.URL, "chrome-error:"):
			quiet++
			continue
		case done(s):
			return s, nil
		case strings.HasPrefix(s.URL, "chrome-error:"):
			return s, errors.New("the browser ended on an error page: nothing listens where it was sent")
		}
		quiet = 0
		if err := b.answer(p, s); err != nil {
			if b.tab.Err() == nil && strings.Contains(err.Error(), "navigat") {
				continue // the page was leaving already
			}
			return s, err
		}
	}
	return s, fmt.Errorf("the sign-in did not end; last page %s:\n%s", s.URL, s.Text)
}

// answer does on one page what the person would.
func (b *browser) answer(p person, s sight) error {
	stuck := func(why string) error { return fmt.Errorf("%s: %s\n%s", why, s.URL, s.Text) }
	switch s.Kind {
	case "user":
		return b.press(`input[autocomplete~="username"]`, p.upn, "")
	case "password":
		if s.Error != "" {
			return stuck("the password was refused")
		}
		return b.press(`input[autocomplete="current-password"]`, p.password, "")
	case "code":
		if b.factor != "totp" {
			return b.press("", "", `button[value="choose"]`)
		}
		if b.codes++; b.codes > 2 || s.Error != "" {
			return stuck("the code was refused")
		}
		return b.press(`input[autocomplete="one-time-code"]`, code(b.t, p), "")
	case "key":
		if b.factor != "key" {
			return b.press("", "", `button[value="choose"]`)
		}
		return b.press("", "", "#go")
	case "enroll":
		return b.press("", "", `button[value="choose"]`)
	case "choose":
		for _, v := range s.Choices {
			if v == b.factor || v == "new"+b.factor && b.factor == "key" {
				return b.press("", "", `ul.ways button[value="`+v+`"]`)
			}
		}
		return stuck("no way to prove it")
	case "consent":
		return b.press("", "", `button[value="accept"]`)
	case "stay":
		return b.press("", "", `button[value="leave"]`)
	case "confirm":
		return b.press("", "", `button[value="confirm"]`)
	case "fault":
		return stuck("refused")
	}
	return stuck("a page nobody knows")
}

// enterCode types a device code into the verification page and signs in, while
// the test goes on.
func (b *browser) enterCode(where, user string, p person) {
	b.later(func(b *browser) error {
		_, err := b.enterCodeUntil(where, user, p, func(s sight) bool { return s.Kind == "note" && strings.Contains(s.Text, "You are signed in") })
		return err
	})
}

func (b *browser) enterCodeUntil(where, user string, p person, done func(sight) bool) (sight, error) {
	s, err := b.signIn(where, p, func(s sight) bool { return s.Kind == "device" })
	if err == nil {
		err = b.press("input#otc", user, "")
	}
	if err != nil {
		return s, err
	}
	return b.walk(p, done)
}

// addKey gives the tab a security key that verifies its user.
func (b *browser) addKey() {
	b.t.Helper()
	_, err := chromedp.Call(b.tab, webauthn.Enable, webauthn.EnableParams{})
	if err == nil {
		_, err = chromedp.Call(b.tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.factor = "key"
}

// query reads one parameter of a URL, from the query or the fragment.
func query(t *testing.T, raw, name string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if v := u.Query().Get(name); v != "" {
		return v
	}
	f, _ := url.ParseQuery(u.Fragment)
	return f.Get(name)
}
