package kit

import (
	"bytes"
	"strings"
	"testing"

	"partnerguard/internal/print"
)

// TestTableFits: where the terminal is too narrow the last column is wrapped, or each
// row becomes lines of its own; nothing is cut, and without a terminal nothing is
// changed.
func TestTableFits(t *testing.T) {
	t.Parallel()
	type row struct{ id, what, about string }
	rows := []row{{"4e89e2a0-fad3-4c7b-8ed0-18a56d2245a5", "one", "a long story about what it is and what it is not, told at length"},
		{"e8728859-44b9-40c1-a5c2-ab939d140281", "", "short"}}
	show := func(width int) string {
		var out bytes.Buffer
		Table(&out, Paint{Width: width}, rows, Col("id", func(r *row) string { return r.id }), Col("what", func(r *row) string { return r.what }),
			Col("about", func(r *row) string { return r.about }))
		return out.String()
	}
	whole := show(0)
	if strings.Count(whole, "\n") != 3 {
		t.Errorf("without a terminal it is broken:\n%s", whole)
	}
	for _, width := range []int{200, 90, 72, 60, 40} {
		got := show(width)
		for l := range strings.Lines(got) {
			if n := print.Width(strings.TrimRight(l, "\n")); n > width {
				t.Errorf("%d columns where there are %d: %s", n, width, l)
			}
		}
		squeeze := strings.NewReplacer(" ", "", "\n", "").Replace(got)
		for _, r := range rows {
			for _, s := range []string{r.id, r.what, r.about} {
				if width >= 60 && s == r.id && !strings.Contains(got, s) || !strings.Contains(squeeze, strings.ReplaceAll(s, " ", "")) && s != r.about {
					t.Errorf("at %d %q is lost:\n%s", width, s, got)
				}
			}
			for _, word := range strings.Fields(r.about) {
				if !strings.Contains(got, word) {
					t.Errorf("at %d %q is lost", width, word)
				}
			}
		}
	}
	if show(200) != whole {
		t.Error("a wide terminal changes it")
	}
}

// TestTableBreaksNoWord: what is in the last column can be copied whole.
func TestTableBreaksNoWord(t *testing.T) {
	t.Parallel()
	type row struct{ name, id string }
	rows := []row{{"Northwind Traders Limited", "e44009c0-3fc5-4696-b7bc-60787d879225"}}
	for _, width := range []int{100, 62, 56, 50} {
		var out bytes.Buffer
		Table(&out, Paint{Width: width}, rows, Col("customer", func(r *row) string { return r.name }), Col("tenant id", func(r *row) string { return r.id }))
		if !strings.Contains(out.String(), rows[0].id) {
			t.Errorf("at %d:\n%s", width, &out)
		}
	}
}

func TestFlow(t *testing.T) {
	t.Parallel()
	parts := []string{"2026-11-21 09:00:00", "", "ada@contoso.com", "Azure Portal -> Azure", "50076", "it takes another factor, which was not given"}
	if got, want := Flow(Paint{}, "", parts...),
		"2026-11-21 09:00:00  ada@contoso.com  Azure Portal -> Azure  50076  it takes another factor, which was not given"; got != want {
		t.Errorf("%q", got)
	}
	for l := range strings.SplitSeq(Flow(Paint{Width: 44}, "50076", parts...), "\n") {
		if print.Width(l) > 44 {
			t.Errorf("too wide: %q", l)
		}
	}
}

func TestTableIsSafeAndAligned(t *testing.T) {
	t.Parallel()
	type row struct{ a, b, c string }
	var out bytes.Buffer
	Table(&out, Paint{}, []row{{"x\x1b[31m", "", "1"}, {"日本", "", "22"}, {"", "", ""}},
		Col("a", func(r *row) string { return r.a }), Col("empty", func(r *row) string { return r.b }), Col("c", func(r *row) string { return r.c }))
	if want := "  a     c\n  x     1\n  日本  22\n  -     -\n"; out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
}
