package pagetest

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// token is one colour of a style sheet, light and dark.
var token = regexp.MustCompile(`--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)`)

// luminance follows WCAG 2.2.
func luminance(t testing.TB, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= .03928 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*linear(n>>16) + .7152*linear(n>>8) + .0722*linear(n)
}

// CheckContrast says that the tokens of a style sheet stand out: text from
// whatever it stands on, marks and the borders of controls from their ground,
// in light and dark (WCAG 2.2: 1.4.3, 1.4.11). Of a token given twice the last
// counts, as in a browser.
func CheckContrast(t testing.TB, css string) {
	t.Helper()
	colours := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(css, -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	check := func(least float64, front, back string) {
		f, ok := colours[front]
		b, found := colours[back]
		if !ok || !found {
			t.Fatalf("no colour %s or %s", front, back)
		}
		for i, scheme := range []string{"light", "dark"} {
			x, y := luminance(t, f[i]), luminance(t, b[i])
			if ratio := (max(x, y) + .05) / (min(x, y) + .05); ratio < least {
				t.Errorf("%s on %s, %s: %.2f, want %v", front, back, scheme, ratio, least)
			}
		}
	}
	const text, mark = 4.5, 3
	verdicts := []string{"met", "not", "unk", "att", "na"}
	for _, back := range []string{"ground", "surface", "sunken", "hover"} {
		for _, front := range append([]string{"text", "text-2", "text-3", "accent"}, verdicts...) {
			check(text, front, back)
		}
	}
	for _, v := range append([]string{"accent"}, verdicts...) {
		check(text, v, v+"-bg")
		check(text, "text", v+"-bg")
		check(text, "text-2", v+"-bg")
		check(mark, v+"-solid", "surface")
	}
	for _, m := range []string{"control-line", "focus", "c-asked", "c-claim", "c-open"} {
		check(mark, m, "surface")
	}
	check(text, "on-inverse", "inverse")
	if _, ok := colours["stripe"]; ok {
		check(text, "text", "stripe")
	}
}
