//go:build browser

package portal

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"partnerguard/internal/partnercloud/world"
)

// TestOfferInABrowser follows the partner's link, whose id no server sees, looks at
// the offer on a phone and a desk, light and dark, and accepts it by the keyboard.
// With SHOTS it leaves pictures there.
func TestOfferInABrowser(t *testing.T) {
	l := offers(t)
	b := l.admin("agent")
	l.get(b, offersAt+openID)
	u, _ := url.Parse(l.srv.URL)
	ctx := chromium(t)
	for _, c := range b.Jar.Cookies(u) {
		if _, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: l.srv.URL}); err != nil {
			t.Fatal(err)
		}
	}
	link := l.srv.URL + "/AdminPortal/Home#/partners/invitation/granularAdminRelationships/" + openID
	for name, at := range map[string]string{"offer": link, "link": l.srv.URL + "/AdminPortal/Home", "reseller": l.srv.URL + resellerAt + partnerID} {
		for _, scheme := range []string{"light", "dark"} {
			for _, w := range []int64{390, 1440} {
				e1 := screen(ctx, w, scheme)
				e2 := chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(at))
				e3 := chromedp.Do(ctx, chromedp.WaitVisible("form.answer, form.search, .kv"))
				wide, e4 := chromedp.Run(ctx, chromedp.Evaluate[float64]("document.documentElement.scrollWidth"))
				if err := errors.Join(e1, e2, e3, e4); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if name == "offer" {
					if err := chromedp.Do(ctx, chromedp.WaitVisible("form.answer")); err != nil {
						t.Fatal(err)
					}
				}
				if int64(wide) > w {
					t.Errorf("%s at %d is %v wide", name, w, wide)
				}
				if dir := os.Getenv("SHOTS"); dir != "" {
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
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(link), chromedp.WaitVisible("form.answer")); err != nil {
		t.Fatal(err)
	}
	// To the first button by Tab, and Enter.
	for range 12 {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		on, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.value ?? ""`))
		if err != nil {
			t.Fatal(err)
		}
		if on == "accept" {
			break
		}
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent("form.answer")); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	if err != nil || !strings.Contains(text, "becoming active") {
		t.Fatalf("%v %.200s", err, text)
	}
	l.w.Read(func(s *world.State) {
		if r := s.PartnerTenant().Relationships.Get(openID); r.Customer != customerID {
			t.Errorf("%+v", r)
		}
	})
}
