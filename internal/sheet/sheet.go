package sheet

import (
	"unicode"
	"unicode/utf8"
)

// Guard is put before a cell that [Formula] finds.
const Guard = '\''

// Formula reports text that a spreadsheet might take for a formula or a
// command: it begins with a tab or a line break, or the first character that is
// seen is one of = + - @, also in full width (＝＋－＠), in small form (﹦﹢﹣﹫) or
// as the minus sign (−). Blanks and characters that show nothing are passed
// over, because spreadsheets and the people who clean text for them do so too.
// Bytes that are not UTF-8 count as characters that are seen.
func Formula(s string) bool {
	for i, r := range s {
		switch {
		case (r == '\t' || r == '\r' || r == '\n') && i == 0:
			return true
		case sign(r):
			return true
		case !unseen(r):
			return false
		}
	}
	return false
}

func sign(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−':
		return true
	}
	return false
}

func unseen(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f
	}
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x2800, 0x3164, 0xffa0: // joiner and fillers that are letters or symbols by class
		return true
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Zs, unicode.Variation_Selector)
}
