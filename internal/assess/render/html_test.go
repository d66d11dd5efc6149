package render

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page"
	"partnerguard/internal/page/pagetest"
)

func TestHTMLHoldsNothingThatActs(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		pagetest.CheckPage(t, kind, write(t, HTML, r))
	}
	page := write(t, HTML, rendertest.Typical())
	if n := strings.Count(page, `<figure class="plot `); n != 2 {
		t.Errorf("%d plots, want 2", n)
	}
	if n := strings.Count(page, "The numbers behind this plot"); n != 2 {
		t.Errorf("%d tables behind the plots, want 2", n)
	}
}

func TestHTMLSaysWhatMatters(t *testing.T) {
	t.Parallel()
	page := write(t, HTML, rendertest.Typical())
	pagetest.Has(t, page, `<html lang="en"`, "Skip to the requirements", "Contoso Cloud Partners", "As of", "2026-11-20 06:00 UTC", "sample partner",
		"5 of 8 mandatory requirements are not met", "Incomplete",
		"Mandatory requirements met", "Accounts without MFA", "Sign-ins without MFA",
		"Fix first", "Answer the alert: Virtual machines are mining", "Due 2026-11-19 15:00 UTC", "Remove the excluded location Headquarters",
		"First do number",
		"32 today, 5 with this alone", "closes the gaps 1, 2", "Would be asked, and cannot answer", "Who cannot answer yet", "TOTP on a secured desktop",
		"partnerguard rehearse --change 0a1b2c3d", "<b>27</b> accounts", "Break-glass accounts, apart", "Then what is recommended: 1",
		"Mandatory requirements", "Every account signs in", "7 of 41 accounts", "4 of 7 are shown", "mfa-every-user",
		"Recommended requirements", "Not applicable: 2",
		"7 of 32 accounts do not meet", "In line or out of scope <span>24", "frontdesk@<wbr>contoso.", "Sign-ins", "Successful sign-ins over time",
		"Contoso Billing Sync", "Microsoft's score", "61.5 of 80 points", "admin roles only", "Inputs", "How to read this")
	if !strings.Contains(page, "light-dark(") || !strings.Contains(page, "@media print") {
		t.Error("no dark or no print style")
	}
}

func TestHTMLStaysSmall(t *testing.T) {
	t.Parallel()
	page := write(t, HTML, rendertest.Huge(100_000))
	if len(page) > 1<<20 {
		t.Errorf("a page of %d bytes", len(page))
	}
	pagetest.Has(t, page, "more of these are in the JSON and the accounts CSV")
	if n := strings.Count(page, `<span class="v bare not">`); n < 250 || n > 350 {
		t.Errorf("%d accounts that do not meet on the page", n)
	}
}

func days(from string, n, step int) []assess.Day {
	d, err := time.Parse(time.DateOnly, from)
	if err != nil {
		panic(err)
	}
	var out []assess.Day
	for i := range n {
		out = append(out, assess.Day{Date: d.AddDate(0, 0, i*step).Format(time.DateOnly), Tally: assess.Tally{NotChallenged: 1, Challenged: 2,
			SatisfiedByProvider: 3}})
	}
	return out
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		days        []assess.Day
		unit        string
		n, gaps, no int
	}{
		{"one day", days("2026-11-01", 1, 1), "day", 1, 0, 0},
		{"thirty days", days("2026-10-21", 30, 1), "day", 30, 0, 0},
		{"every third day", days("2026-10-01", 10, 3), "day", 28, 18, 0},
		{"ninety-two days", days("2026-08-01", 92, 1), "day", 92, 0, 0},
		{"ninety-three days", days("2026-08-01", 93, 1), "week", 14, 0, 0},
		{"four years", days("2022-11-21", 1460, 1), "month", 49, 0, 0},
		{"a century and the next", days("1970-01-01", 2, 40000), "decade", 11, 9, 0},
		{"all of time", []assess.Day{{Date: "0001-01-01"}, {Date: "9999-12-31"}}, "century", 100, 98, 0},
		{"unreadable", append(days("2026-11-01", 2, 1), assess.Day{Date: "<b>"}), "day", 2, 0, 1},
		{"only unreadable", []assess.Day{{Date: "x"}}, "day", 0, 0, 1},
	} {
		list, u, odd := buckets(tc.days)
		gaps := 0
		for _, b := range list {
			if !b.any {
				gaps++
			}
		}
		if u.word != tc.unit || len(list) != tc.n || gaps != tc.gaps || odd != tc.no {
			t.Errorf("%s: %d of %s, %d gaps, %d left out; want %d of %s, %d, %d", tc.name, len(list), u.word, gaps, odd, tc.n, tc.unit, tc.gaps, tc.no)
		}
		if len(list) > 101 {
			t.Errorf("%s: %d buckets", tc.name, len(list))
		}
	}
	list, _, _ := buckets(days("2026-08-01", 93, 1))
	var sum [4]int64
	for _, b := range list {
		for i, n := range b.n {
			sum[i] += n
		}
	}
	if sum != [4]int64{93, 0, 3 * 93, 2 * 93} {
		t.Errorf("the weeks add up to %v", sum)
	}
}

// Bars stand inside their plot, never below a pixel, never on each other.
func TestDrawingsStayInside(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		for _, p := range []*page.Plot{timePlot(&r.SignIns), factorPlot(r.Accounts)} {
			for _, d := range p.Sizes {
				for _, b := range d.Rects {
					if b.X < 0 || b.Y < 0 || b.W < 0 || b.H < 0 || b.X+b.W > d.W+.01 || b.Y+b.H > d.H+.01 {
						t.Errorf("%s, %s: a bar at %+v in %vx%v", kind, d.Label, b, d.W, d.H)
					}
				}
				for _, s := range d.Texts {
					if s.X < 0 || s.X > d.W || s.Y < 0 || s.Y > d.H {
						t.Errorf("%s, %s: text at %+v", kind, d.Label, s)
					}
				}
			}
		}
	}
}

// The tile of sign-ins counts what the requirement counts: directory
// synchronisation is not asked for MFA.
func TestTileLeavesOutSynchronisation(t *testing.T) {
	t.Parallel()
	r := &assess.Report{Accounts: []assess.Account{
		{ID: "1", UserPrincipalName: "ada@contoso.com", Class: "member", MFA: assess.NotMet, SignIns: assess.Tally{NotChallenged: 3, Challenged: 4}},
		{ID: "2", UserPrincipalName: "sync@contoso.com", Class: "directory_sync", MFA: assess.NotApplicable, SignIns: assess.Tally{NotChallenged: 30}},
	}}
	r.SignIns.Rows, r.SignIns.Total = 37, assess.Tally{NotChallenged: 33, Challenged: 4}
	page := write(t, HTML, r)
	if want := `<span class="tile-n">3 <small>of 7</small>`; !strings.Contains(page, want) {
		_, after, _ := strings.Cut(page, "Sign-ins without MFA")
		t.Errorf("not %s: %.200s", want, after)
	}
}
