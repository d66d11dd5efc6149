package print_test

import (
	"bytes"
	"testing"

	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/print"
)

// sheet writes one row.
func sheet(t *testing.T, cells ...string) string {
	t.Helper()
	var b bytes.Buffer
	s := print.NewSheet(&b, make([]string, len(cells))...)
	s.Row(cells...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":               "plain",
		"=1+1":                "'=1+1",
		"+353 1 234":          "'+353 1 234",
		"-1":                  "'-1",
		"@SUM(A1)":            "'@SUM(A1)",
		"\tx":                 "'x",
		"\rx":                 "'x",
		"  =x":                "'=x",
		"\u3000=x":            "'=x",
		"＝x":                  "'＝x",
		"\u200b\u202e=x":      "'=x",
		"\x1b[31m=x":          "'=x",
		"﹢1":                  "'﹢1",
		"\u3164=1":            "'\u3164=1",
		"a=b":                 "a=b",
		"":                    "",
		"svc-billing@contoso": "svc-billing@contoso",
	} {
		if got := pagetest.Sheet(t, sheet(t, in, "x"))[1][0]; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
