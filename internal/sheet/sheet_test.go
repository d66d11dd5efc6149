package sheet_test

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"partnerguard/internal/sheet"
)

func TestFormula(t *testing.T) {
	t.Parallel()
	signs := []string{"=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "−"}
	before := []string{"", " ", "   ", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\u202e", "\u2066", "\u00ad", "\u180e", "\u2028", "\x00", "\x1b",
		"\u0085", "\u115f", "\u3164", "\u2800", "\ufe0f", " \u200b\u00a0"}
	for _, b := range before {
		for _, s := range signs {
			if !sheet.Formula(b + s + "1") {
				t.Errorf("%q is taken for text", b+s+"1")
			}
			if sheet.Formula(b + "a" + s) {
				t.Errorf("%q is taken for a formula", b+"a"+s)
			}
		}
	}
	for _, s := range []string{"\tx", "\rx", "\nx", "\t", "\r\n"} {
		if !sheet.Formula(s) {
			t.Errorf("%q is taken for text", s)
		}
	}
	for _, s := range []string{"", " ", "plain", "'=1", "1-2", "ada@contoso.com", "ü=", "\xff=1", "日本", " x", "#1", "(=1)", "\"=1"} {
		if sheet.Formula(s) {
			t.Errorf("%q is taken for a formula", s)
		}
	}
}

// FuzzFormula: what becomes a formula when it is trimmed or brought to its
// plain form is found beforehand.
func FuzzFormula(f *testing.F) {
	for _, s := range []string{"", "=1", "\ufeff＝1", " ﹫x", "\t", "a=", "\xff+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seen := strings.TrimSpace(s)
		plain := norm.NFKC.String(seen)
		for _, form := range []string{seen, plain} {
			if form == "" || !strings.ContainsRune("=+-@", []rune(form)[0]) {
				continue
			}
			if seen != form && !strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", []rune(seen)[0]) {
				continue // superscripts and such, which no spreadsheet runs
			}
			if !sheet.Formula(s) {
				t.Fatalf("%q is taken for text", s)
			}
		}
	})
}
