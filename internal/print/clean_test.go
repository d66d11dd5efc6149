package print_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/print"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "Contoso, Ltd.", "Contoso, Ltd."},
		{"spaces", "  a \t b\r\nc  ", "a b c"},
		{"colour", "\x1b[31mred\x1b[0m", "red"},
		{"title and link", "\x1b]0;pwned\x07a\x1b]8;;https://x\x1b\\b\x1b]8;;\x1b\\c", "abc"},
		{"C1 controls", "a\u009b31mb\u009dtitle\u009cc", "abc"},
		{"escape that never ends", "\x1b]8;;rest stays", "8;;rest stays"},
		{"escape alone", "a\x1b", "a"},
		{"charset switch", "\x1b(0lqk", "lqk"},
		{"bidi", "admin\u202egpj.exe\u2069", "admingpj.exe"},
		{"zero width", "a\u200bb\ufeffc\u00add", "abcd"},
		{"joiners stay", "👩\u200d👧 नि\u200dक", "👩\u200d👧 नि\u200dक"},
		{"tags go", "a\U000e0041b", "ab"},
		{"broken UTF-8", "a\xff\xc3(b", "a\ufffd\ufffd(b"},
		{"noncharacter", "a\ufffeb", "a\ufffdb"},
		{"NUL, bell, delete", "a\x00\x07\x7fb", "ab"},
		{"line separators", "a\u2028b\u2029c\u0085d", "a b c d"},
		{"arabic and han", "نور حداد 陳麗", "نور حداد 陳麗"},
	} {
		if got := print.Clean(tc.in, 100); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	if got := print.Clean(strings.Repeat("x", 300), 10); got != "xxxxxxxxxx…" {
		t.Errorf("cut to %q", got)
	}
	if got := print.Clean("e"+strings.Repeat("\u0301", 500), 100); utf8.RuneCountInString(got) != 1+3 {
		t.Errorf("a stack of %d marks stays", utf8.RuneCountInString(got))
	}
}

func FuzzClean(f *testing.F) {
	for _, m := range pagetest.Marks {
		f.Add(m[:min(len(m), 2000)])
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := print.Clean(s, 80)
		pagetest.MustBePlain(t, "clean", got)
		if utf8.RuneCountInString(got) > 82 || strings.ContainsAny(got, "\n\t") || strings.Contains(got, "  ") {
			t.Errorf("%q", got)
		}
		if again := print.Clean(got, 80); len(got) < 80 && again != got {
			t.Errorf("cleaning twice: %q, then %q", got, again)
		}
		for _, w := range []int{8, 20, 79} {
			for _, l := range print.Wrap(got, w) {
				if print.Width(l) > w {
					t.Errorf("wrapped to %d, a line of %d: %q", w, print.Width(l), l)
				}
			}
			if l := print.Fit(got, w); print.Width(l) > w {
				t.Errorf("fit to %d gives %d: %q", w, print.Width(l), l)
			}
		}
		if strings.ReplaceAll(strings.Join(print.Wrap(got, 20), ""), " ", "") != strings.ReplaceAll(got, " ", "") {
			t.Error("wrapping lost something")
		}
		pagetest.CheckSheet(t, "cell", sheet(t, s, "x"))
	})
}
