//go:build browser

package authority_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/partnercloud/world"
)

// chromium opens a tab, or skips the test where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing")
		}
		t.Skip("no chromium: the pages were NOT checked in a browser")
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Headless,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

type action = chromedp.Action[chromedp.Void]

// shots takes the page, wide and narrow, light and dark, when PC_SHOTS names a
// directory.
func shots(name string) action {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		dir := os.Getenv("PC_SHOTS")
		if dir == "" {
			return nil
		}
		for _, w := range []int64{1280, 360} {
			for _, scheme := range []string{"light", "dark"} {
				if _, err := chromedp.EmulateViewport(w, 760)(ctx, tab); err != nil {
					return err
				}
				if _, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia,
					emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
					return err
				}
				png, err := chromedp.FullScreenshot(100)(ctx, tab)
				if err != nil {
					return err
				}
				suffix := map[int64]string{1280: "wide", 360: "narrow"}[w]
				if err := os.WriteFile(filepath.Join(dir, name+"-"+suffix+"-"+scheme+".png"), png, 0o600); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func submit(do string) action {
	return chromedp.Click(chromedp.CSS(`button[value="` + do + `"]`))
}

// until waits for a condition of the page, across navigations.
func until(js string) action {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for ctx.Err() == nil {
			if ok, err := chromedp.Evaluate[bool](js)(ctx, tab); err == nil && ok {
				return nil
			}
			time.Sleep(20 * time.Millisecond)
		}
		return ctx.Err()
	})
}

// browse makes the steps of a test.
func browse(t *testing.T, ctx context.Context) func(what string, actions ...action) {
	return func(what string, actions ...action) {
		t.Helper()
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := chromedp.Do(short, actions...); err != nil {
			page, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("%s: %v\n%s", what, err, page)
		}
	}
}

// TestSecurityKey registers a security key on the way in and uses it as second
// factor and in place of the password, in a real browser with a virtual key.
func TestSecurityKey(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow")
	}
	l := newLab(t)
	l.w.Read(func(s *world.State) { // the test's app on an address that exists
		p, app := s.App(samApp)
		c := *app
		c.Web = []string{localhost(l) + "/robots.txt"}
		s.PutApp(p, &c)
	})
	ctx := chromium(t)
	var id webauthn.AuthenticatorID
	to := func(kv ...string) string {
		return localhost(l) + l.authorizeURL(partnerID, append([]string{"redirect_uri", localhost(l) + "/robots.txt", "amr_values", "mfa"}, kv...)...)
	}
	step := browse(t, ctx)
	arrived := func() string {
		t.Helper()
		step("arrive", until(`location.pathname === "/robots.txt"`))
		at, err := chromedp.Run(ctx, chromedp.Location())
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(at, "code=")
		code, _, _ = strings.Cut(code, "&")
		r := l.token(partnerID, "grant_type", "authorization_code", "client_id", samApp, "client_secret", secretOK, "redirect_uri",
			localhost(l)+"/robots.txt", "code", code, "code_verifier", verifier)
		return strings.Join(l.claims(r.Access).AMR, " ")
	}
	step("authenticator", chromedp.Navigate(localhost(l)+"/"), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		id = r.AuthenticatorID
		return err
	}))
	verifies := func(ok bool) action {
		return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: ok})
			return err
		})
	}
	step("account", chromedp.Navigate(to()), shots("account"), chromedp.SendKeys(chromedp.CSS("#name"), "ben@contoso.com"), submit("account"))
	step("password", chromedp.WaitVisible(chromedp.CSS("#passwd")), shots("password"),
		chromedp.SendKeys(chromedp.CSS("#passwd"), l.passwordOf("ben@contoso.com")), submit("password"))
	step("register", chromedp.WaitVisible(chromedp.CSS(`button[value="newkey"]`)), shots("register"), submit("newtotp"),
		chromedp.WaitVisible(chromedp.CSS(".qr")), shots("enroll"), submit("choose"), chromedp.WaitVisible(chromedp.CSS(`button[value="newkey"]`)),
		submit("newkey"))
	step("new key", chromedp.WaitVisible(chromedp.CSS("#go")), shots("newkey"), chromedp.Click(chromedp.CSS("#go")),
		chromedp.WaitVisible(chromedp.CSS(`button[value="leave"]`)), shots("stay"), submit("leave"))
	if got := arrived(); got != "pwd fido mfa ngcmfa" {
		t.Fatalf("amr %q", got)
	}
	// As second factor, after a wrong password.
	step("again", chromedp.Navigate(to("prompt", "login", "login_hint", "ben@contoso.com")), chromedp.SendKeys(chromedp.CSS("#passwd"), "wrong"),
		submit("password"), chromedp.WaitVisible(chromedp.CSS("#error")), shots("error"))
	focused, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.id`))
	if err != nil || focused != "passwd" {
		t.Errorf("focus is on %q", focused)
	}
	step("key", chromedp.SendKeys(chromedp.CSS("#passwd"), l.passwordOf("ben@contoso.com")), submit("password"), chromedp.WaitVisible(chromedp.CSS("#go")),
		shots("key"), chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS(`button[value="leave"]`)), submit("leave"))
	if got := arrived(); got != "pwd fido mfa" {
		t.Fatalf("amr %q", got)
	}
	// In place of the password.
	step("passkey", chromedp.Navigate(to("prompt", "login", "login_hint", "ben@contoso.com")), submit("passkey"), chromedp.WaitVisible(chromedp.CSS("#go")),
		chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS(`button[value="leave"]`)), submit("leave"))
	if got := arrived(); got != "fido mfa" {
		t.Fatalf("amr %q", got)
	}
	rows := l.rows(partnerID)
	if x := rows[len(rows)-1]; x.Status.ErrorCode != 0 || len(x.Steps) != 2 || x.Steps[0].Method != "FIDO2 security key" {
		t.Fatalf("%+v", x.Steps)
	}
	// A key that does not verify its user is not taken.
	step("unverified", verifies(false), chromedp.Navigate(to("prompt", "login", "login_hint", "ben@contoso.com")), submit("passkey"),
		chromedp.WaitVisible(chromedp.CSS("#go")), chromedp.Click(chromedp.CSS("#go")),
		until(`document.getElementById("say").textContent.includes("not used")`), shots("refused"))
	// The strength that a security key meets.
	l.policy(policy(`{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s","allowedCombinations":["fido2"]}}`, "null"))
	step("strength", verifies(true), chromedp.Navigate(to("prompt", "login", "login_hint", "ben@contoso.com")),
		chromedp.SendKeys(chromedp.CSS("#passwd"), l.passwordOf("ben@contoso.com")), submit("password"), chromedp.WaitVisible(chromedp.CSS("#go")),
		chromedp.Click(chromedp.CSS("#go")), chromedp.WaitVisible(chromedp.CSS(`button[value="leave"]`)), submit("leave"))
	if got := arrived(); !slices.Contains(strings.Fields(got), "mfa") {
		t.Fatalf("amr %q", got)
	}
}

// localhost is the test server by the name that a browser trusts with keys.
func localhost(l *lab) string { return strings.Replace(l.srv.URL, "127.0.0.1", "localhost", 1) }

// TestPages looks at the other pages, and at answers that need a script or a
// form of ours to arrive.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow")
	}
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		p, app := s.App(otherApp)
		c := *app
		c.Web = []string{localhost(l) + "/error"}
		s.PutApp(p, &c)
	})
	l.provider()
	ctx := chromium(t)
	step := browse(t, ctx)
	url := localhost(l) + l.authorizeURL(partnerID, "client_id", otherApp, "redirect_uri", localhost(l)+"/error", "scope",
		graphURI+"/User.Read offline_access", "response_mode", "form_post", "amr_values", "mfa")
	step("code", chromedp.Navigate(url), chromedp.SendKeys(chromedp.CSS("#name"), "ada@contoso.com"), submit("account"),
		chromedp.SendKeys(chromedp.CSS("#passwd"), l.passwordOf("ada@contoso.com")), submit("password"),
		chromedp.WaitVisible(chromedp.CSS(`button[value="choose"]`)), shots("totp"), submit("choose"),
		chromedp.WaitVisible(chromedp.CSS(`button[value="external:ext1"]`)), shots("choose"), submit("totp"),
		chromedp.SendKeys(chromedp.CSS("#otc"), l.codeOf("ada@contoso.com")), submit("totp"), chromedp.WaitVisible(chromedp.CSS(`button[value="leave"]`)),
		submit("leave"))
	step("consent", chromedp.WaitVisible(chromedp.CSS(`button[value="accept"]`)), shots("consent"), submit("accept"))
	step("form_post arrives by script", until(`location.pathname === "/error"`))
	step("fault", chromedp.Navigate(localhost(l)+l.authorizeURL(partnerID, "redirect_uri", "https://evil.example")), shots("fault"))
	step("note", chromedp.Navigate(localhost(l)+"/error?code=50076"), shots("note"))
	step("device", chromedp.Navigate(localhost(l)+"/devicelogin?otc=ABCDEFGHJ"), shots("device"))
	d := l.post("/common/oauth2/v2.0/devicecode", values("client_id", cli, "scope", graphURI+"/.default"))
	step("confirm", chromedp.Navigate(localhost(l)+"/devicelogin?otc="+d.UserCode), chromedp.Click(chromedp.CSS("button")),
		chromedp.WaitVisible(chromedp.CSS(`button[value="confirm"]`)), shots("confirm"), submit("confirm"),
		until(`document.body.innerText.includes("You have signed in")`), shots("done"))
	step("admin", chromedp.Navigate(localhost(l)+"/"+partnerID+"/adminconsent?client_id="+samApp+"&redirect_uri="+callback),
		chromedp.WaitVisible(chromedp.CSS(`button[value="accept"]`)), shots("adminconsent"))
	step("out", chromedp.Navigate(localhost(l)+"/common/oauth2/logout"), shots("out"))
}
