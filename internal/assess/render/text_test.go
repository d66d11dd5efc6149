package render

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page/pagetest"
)

func shown(t *testing.T, r *assess.Report, o TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextKeepsItsWidth(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		for _, w := range []int{1, 40, 41, 60, 79, 80, 100, 119, 120, 132, 200, 333} {
			out := shown(t, r, TextOptions{Width: w})
			pagetest.CheckScreen(t, kind, out, w)
		}
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// Colour adds nothing but colour, and every line ends without one.
func TestTextColour(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		for _, w := range []int{80, 140} {
			plain, coloured := shown(t, r, TextOptions{Width: w}), shown(t, r, TextOptions{Width: w, Color: true})
			if sgr.ReplaceAllString(coloured, "") != plain {
				t.Errorf("%s at %d: colour changes the text", kind, w)
			}
			for l := range strings.Lines(coloured) {
				if codes := sgr.FindAllString(l, -1); len(codes) > 0 && codes[len(codes)-1] != "\x1b[0m" {
					t.Errorf("%s: colour leaks out of %q", kind, l)
				}
			}
		}
	}
	if !strings.Contains(shown(t, rendertest.Typical(), TextOptions{Color: true}), "\x1b[1;31m✗ not met") {
		t.Error("what is not met is not red")
	}
}

func TestTextSaysWhatMatters(t *testing.T) {
	t.Parallel()
	out := shown(t, rendertest.Typical(), TextOptions{Width: 90})
	pagetest.Has(t, out,
		"Contoso Cloud Partners", "direct-bill partner", "As of 2026-11-20 06:00 UTC", "sample partner",
		"✗ 5 of 8 mandatory requirements are not met, and 1 cannot be judged",
		"INCOMPLETE", "exports/groups.json: the last page",
		"Mandatory", "5 not met", "✗ not met", "Every account signs in", "7 of 41 accounts", "mfa-every-user", "frontdesk@contoso.com: succeeded without MFA",
		"2026-11-18 07:42 UTC", "and 4 more", "→ Require",
		"? unknown", "≈ attested", "✓ met", "Recommended", "2 of 12 customers",
		"– Not applicable (2): sovereign-cloud, cpv-consent",
		"Accounts that do not meet", "7 of 32", "frontdesk@contoso.com", "way out: A, B", "A Put a one-time code generator",
		"1 further account could not be judged", "Sign-ins", "128 not challenged",
		"Microsoft's score", "61.5 of 80 points", "admin roles only", "preview",
		"Inputs", "only partly read", "points to a next page", "could not be read", "AadPremiumLicenseRequired")
	if strings.Contains(out, "Remove DAP where a granular relationship is active; this keeps the reseller relationship. Remove") {
		t.Error("an action is said twice")
	}
}

func TestTextOfTheOtherReports(t *testing.T) {
	t.Parallel()
	pagetest.Has(t, shown(t, rendertest.Perfect(), TextOptions{}), "✓ All 8 mandatory requirements are met.", "The report is complete",
		"Accounts that do not meet none", "All were read to their end")
	pagetest.Has(t, shown(t, rendertest.Empty(), TextOptions{}), "? No mandatory requirement can be judged from what was read.", "INCOMPLETE",
		"Microsoft's score not among the inputs")
	pagetest.Has(t, shown(t, rendertest.Bare(), TextOptions{}), "Unnamed partner", "No mandatory requirement could be judged")
	pagetest.Has(t, shown(t, rendertest.Huge(3000), TextOptions{}), "and 638 more in the JSON and the accounts CSV", "more in the JSON")
}

// The wide table lines up: what begins in a column begins there on every row.
func TestTextColumns(t *testing.T) {
	t.Parallel()
	out := shown(t, rendertest.Typical(), TextOptions{Width: 140})
	var heads []int
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "Verdict ") {
			heads = append(heads, strings.Index(l, "Requirement"), strings.Index(l, "Fall short"), strings.Index(l, "Why"))
		}
	}
	if len(heads) != 6 || !slices.Equal(heads[:3], heads[3:]) {
		t.Fatalf("columns of the two tables begin at %v", heads)
	}
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "✗ not met  ") {
			if runes := []rune(l); runes[heads[0]-1] != ' ' || runes[heads[0]] == ' ' || runes[heads[2]] == ' ' {
				t.Errorf("out of line: %s", l)
			}
		}
	}
}
