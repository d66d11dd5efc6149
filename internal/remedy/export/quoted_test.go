package export

import "testing"

// TestQuoted: a text ends where it should, in PowerShell, which takes typographic quotes
// for quotes, and in Bicep.
func TestQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"plain":      {"'plain'", "'plain'"},
		"it's":       {"'it''s'", `'it\'s'`},
		"‘a’ ‚b‛":    {"'‘‘a’’ ‚‚b‛‛'", "'‘a’ ‚b‛'"},
		"${x} $(y)":  {"'${x} $(y)'", `'\${x} $(y)'`},
		"a\\b\nc\td": {"'a\\b\nc\td'", `'a\\b\nc\td'`},
	} {
		if got := quoted(in); got != want[0] {
			t.Errorf("PowerShell: %q is %s", in, got)
		}
		if got := bicepText(in); got != want[1] {
			t.Errorf("Bicep: %q is %s", in, got)
		}
	}
}
