package print

import (
	"io"
	"strings"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// UTF8 says whether the locale of an environment writes UTF-8: the first of
// LC_ALL, LC_CTYPE and LANG that is set decides, as POSIX has it. Where none is
// set, which is so in containers, on Windows and in timers, UTF-8 is taken for
// granted; "C", "POSIX" and a name without a charset were asked for and mean ASCII.
//
// Source: POSIX.1-2024, Base Definitions, section 8.2.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			_, charset, _ := strings.Cut(v, ".")
			charset, _, _ = strings.Cut(charset, "@")
			charset = strings.ToLower(charset)
			return charset == "utf-8" || charset == "utf8"
		}
	}
	return true
}

// glyphs are the characters of our own that text for people is made of, and what
// stands for them in ASCII. One for one, so that columns stay columns.
var glyphs = map[rune]rune{
	'✓': '+', '✗': 'x', '≈': '~', '–': '-', '—': '-', '·': '-', '•': '*', '→': '>', '←': '<', '…': '~', '─': '-', '│': '|', '×': 'x', '≥': '>', '≤': '<',
	'█': '#', '▇': '%', '▆': '%', '▅': '+', '▄': '+', '▃': '=', '▂': '-', '▁': '_', '▏': '|', '‘': '\'', '’': '\'', '“': '"', '”': '"', '\u00a0': ' ', '−': '-',
}

// ASCII is w with our own glyphs written in ASCII, for a locale that has none of
// them. Names of people and things stay as they are: they are data. Close it to
// write what is held back; w stays open.
func ASCII(w io.Writer) io.WriteCloser {
	return transform.NewWriter(w, runes.Map(func(r rune) rune {
		if a, ok := glyphs[r]; ok {
			return a
		}
		return r
	}))
}
