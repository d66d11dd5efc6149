package print

import (
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"ada@contoso.com": "ada@contoso.com", "any other app": "'any other app'", "it's": `'it'\''s'`,
		"$(rm -rf)": "'$(rm -rf)'", "": "''", "`x`": "'`x`'", "a;b": "'a;b'"} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	words := []string{"partnerguard", "decide", "--user a@b", "--app 'any other app'", "--client other"}
	for _, w := range []int{1, 20, 40, 200} {
		lines := FoldCommand(words, w)
		joined := strings.ReplaceAll(strings.Join(lines, "\n"), " \\\n  ", " ")
		if joined != strings.Join(words, " ") {
			t.Errorf("at %d: %q", w, joined)
		}
	}
}
