package page_test

import (
	"strings"
	"testing"

	"partnerguard/internal/page"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/print"
)

func TestDocURL(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{
		"https://learn.microsoft.com/partner-center/security":       true,
		"http://learn.microsoft.com/partner-center":                 false,
		"https://learn.microsoft.com.evil.example/x":                false,
		"https://learn.microsoft.com@evil.example/x":                false,
		"https://learn.microsoft.com:8443/x":                        false,
		"javascript:alert(1)//learn.microsoft.com":                  false,
		"//learn.microsoft.com/x":                                   false,
		"Partner security requirements, 1.2":                        false,
		"https://evil.example/?https://learn.microsoft.com/partner": false,
	} {
		if got := page.DocURL(s) != ""; got != ok {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestAxis(t *testing.T) {
	t.Parallel()
	for highest, want := range map[int64]string{0: "1 x1", 1: "1 x1", 5: "1 x5", 6: "2 x3", 33: "10 x4", 51: "20 x3", 100: "20 x5", 1_234_567: "500 k x3",
		1 << 62: "1 E x5"} {
		step, n := page.Nice(highest)
		if got := page.Compact(step) + " x" + print.Number(int64(n)); got != want {
			t.Errorf("%d: %s, want %s", highest, got, want)
		}
		if step*float64(n) < float64(highest) {
			t.Errorf("%d: the axis ends at %v", highest, step*float64(n))
		}
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	var w print.Letters
	if got := w.Of([]string{"one", "", "two"}) + "; " + w.Of([]string{"two"}); got != "A, B; B" {
		t.Errorf("got %q", got)
	}
	if print.Letter(25) != "Z" || print.Letter(26) != "A1" {
		t.Errorf("%s %s", print.Letter(25), print.Letter(26))
	}
}

func TestAnchor(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for _, want := range []string{"x-mfa-all", "x-mfa-all-2", "x-mfa-all-3"} {
		if got := page.Anchor("x", `"MFA all>`, taken); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestContrast(t *testing.T) {
	t.Parallel()
	pagetest.CheckContrast(t, string(page.NewSheet().CSS))
}

// A page has the glyphs it uses and no others.
func TestSprite(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := page.Write(&b, page.Template(`{{define "page"}}<body>{{template "badge" (said cautious "x")}}</body>{{end}}`, nil), nil); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.Count(s, "<symbol") != 1 || !strings.Contains(s, `<symbol id="v-warn"`) || !strings.HasSuffix(s, "</svg>\n</body>") {
		t.Error(s)
	}
}
