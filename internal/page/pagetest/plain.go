package pagetest

import (
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/print"
)

// MustBePlain fails when s has anything a terminal would act on.
func MustBePlain(t testing.TB, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s: not UTF-8", what)
	}
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d') {
			t.Errorf("%s: has %U", what, r)
			return
		}
	}
}

// Has says that the words stand in out in this order, wrapped or not.
func Has(t testing.TB, out string, words ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(out), " ")
	at := 0
	for _, w := range words {
		i := strings.Index(flat[at:], w)
		if i < 0 {
			t.Errorf("%q is missing or out of order", w)
			continue
		}
		at += i + len(w)
	}
}

// CheckScreen says that no line of a printed answer is wider than w or ends in
// spaces, and that nothing in it acts.
func CheckScreen(t testing.TB, kind, out string, w int) {
	t.Helper()
	MustBePlain(t, kind, out)
	for l := range strings.Lines(out) {
		l = strings.TrimSuffix(l, "\n")
		if print.Width(l) > max(w, 40) {
			t.Errorf("%s at %d: a line of %d: %s", kind, w, print.Width(l), l)
		}
		if l != strings.TrimRight(l, " ") {
			t.Errorf("%s at %d: spaces at the end of %q", kind, w, l)
		}
	}
}

// Sheet reads CSV back and says that every row has as many cells as the first
// and that lines end as RFC 4180 wants.
func Sheet(t testing.TB, s string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(s, "\n") != strings.Count(s, "\r\n") || !strings.HasSuffix(s, "\r\n") {
		t.Error("lines do not end in CRLF")
	}
	return rows
}

// CheckSheet says that no cell of a sheet could become a formula.
func CheckSheet(t testing.TB, kind, s string) {
	t.Helper()
	for y, row := range Sheet(t, s) {
		for x, c := range row {
			MustBePlain(t, kind, c)
			if strings.Contains(c, "\n") || len([]rune(c)) > print.MaxCell+2 {
				t.Errorf("%s: cell %d,%d is %d long", kind, y, x, len(c))
			}
			if c := strings.TrimSpace(c); c != "" && strings.ContainsRune("=+-@＝＋－＠−﹢﹣﹦﹫", []rune(c)[0]) {
				t.Errorf("%s: cell %d,%d is a formula: %.60q", kind, y, x, c)
			}
		}
	}
}

// BrokenWriter fails after N bytes.
type BrokenWriter struct{ N int }

// Write fails when no bytes are left.
func (w *BrokenWriter) Write(p []byte) (int, error) {
	if w.N -= len(p); w.N < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}
