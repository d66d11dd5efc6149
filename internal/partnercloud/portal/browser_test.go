//go:build browser

package portal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// chromium is a fresh browser with an empty page.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is missing")
		}
		t.Skip("SKIPPED, NOTHING WAS TESTED: chromium is missing")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Headless)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// screen sets the width and the colours of the page.
func screen(ctx context.Context, width int64, scheme string) error {
	_, e1 := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
	_, e2 := chromedp.Call(ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	return errors.Join(e1, e2)
}

// TestPagesFit looks at every page in a browser, on a phone and a desk, light
// and dark: nothing is wider than the screen. With SHOTS it leaves pictures there.
func TestPagesFit(t *testing.T) {
	dir := os.Getenv("SHOTS")
	l := newLab(t, func(s *world.State, p *world.Tenant) {
		s.Enforcement = world.History()
		for i := range 7 {
			for j := range 40 + 13*i {
				s.LogRequest(p, &world.PartnerRequest{At: start.AddDate(0, 0, i-6).Add(-time.Hour), Portal: j%3 == 0, MFA: j%5 != 0})
			}
		}
		p.SecurityContact = "x"
		for i := range 5 {
			p.ScoreHistory = append(p.ScoreHistory, world.Score{At: start.AddDate(0, 0, -i), Score: float64(50 + i)})
		}
		p.Policies.Put(&world.Document{ID: "ca", Raw: []byte(`{"id":"ca","displayName":"Admins","state":"enabled","conditions":{"users":{"includeRoles":["` +
			entra.RoleGlobalAdministrator + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)})
		p.Groups.Put(&world.Group{ID: "g", Name: world.AdminAgents, Members: []string{uid("global")}})
		p.Customers.Change(customerID, func(c *world.Customer) {
			c.Subscriptions = []world.Subscription{{Name: "Azure plan", Quantity: 1, Status: "active", AzurePlan: true}}
		})
		p.Users.Change(uid("global"), func(u *world.User) { u.Name = "Mia Global" })
	})
	b := l.signedIn("global")
	l.tenant = customerID
	l.get(b, "/customers/"+customerID+"/open")
	u, _ := url.Parse(l.srv.URL)
	ctx := chromium(t)
	for _, c := range b.Jar.Cookies(u) {
		if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: l.srv.URL}); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range map[string]string{"home": "/", "status": "/requirements", "score": "/score", "customers": "/customers",
		"customer": "/customers/" + customerID, "missing": "/x"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, w := range []int64{360, 1280} {
				e1 := screen(ctx, w, scheme)
				e3 := chromedp.Do(ctx, chromedp.Navigate(l.srv.URL+path), chromedp.WaitReady("main"))
				wide, e4 := chromedp.Run(ctx, chromedp.Evaluate[float64]("document.documentElement.scrollWidth"))
				if err := errors.Join(e1, e3, e4); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if int64(wide) > w {
					t.Errorf("%s at %d is %v wide", name, w, wide)
				}
				if dir != "" {
					buf, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
					if err == nil {
						err = os.WriteFile(fmt.Sprintf("%s/%s-%s-%d.png", dir, name, scheme, w), buf, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
