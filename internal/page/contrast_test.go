package page

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// token is one colour of tokens.css, light and dark.
var token = regexp.MustCompile(`--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`)

// luminance follows WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
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

// Text stands out from whatever it stands on, marks and borders of controls
// from their ground, in light and dark (WCAG 2.2: 1.4.3, 1.4.11).
func TestContrast(t *testing.T) {
	t.Parallel()
	colours := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(tokensCSS, -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	for _, c := range []struct {
		least  float64
		fronts []string
		backs  []string
	}{
		{4.5, []string{"text", "text-2", "text-3", "accent"}, []string{"ground", "surface", "sunken", "hover"}},
		{4.5, []string{"text", "text-2", "accent"}, []string{"accent-bg", "met-bg", "not-bg", "unk-bg", "att-bg", "na-bg", "rail"}},
		{4.5, []string{"met", "not", "unk", "att", "na"}, []string{"ground", "surface", "hover"}},
		{4.5, []string{"met"}, []string{"met-bg"}}, {4.5, []string{"not"}, []string{"not-bg"}}, {4.5, []string{"unk"}, []string{"unk-bg"}},
		{4.5, []string{"att"}, []string{"att-bg"}}, {4.5, []string{"na"}, []string{"na-bg"}},
		{4.5, []string{"on-inverse"}, []string{"inverse"}},
		{3, []string{"control-line", "focus", "accent-solid", "met-solid", "not-solid", "unk-solid", "att-solid", "na-solid", "c-asked", "c-claim", "c-open"}, []string{"surface"}},
	} {
		for _, f := range c.fronts {
			for _, b := range c.backs {
				front, ok := colours[f]
				back, found := colours[b]
				if !ok || !found {
					t.Fatalf("no colour %s or %s", f, b)
				}
				for i, scheme := range []string{"light", "dark"} {
					x, y := luminance(t, front[i]), luminance(t, back[i])
					if ratio := (max(x, y) + .05) / (min(x, y) + .05); ratio < c.least {
						t.Errorf("%s on %s, %s: %.2f, want %v", f, b, scheme, ratio, c.least)
					}
				}
			}
		}
	}
}
