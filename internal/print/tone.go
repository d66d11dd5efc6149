package print

import "strings"

// Tone is how a verdict is shown: the CSS class, the one-column mark beside the
// word, so that colour is never the only signal, and the terminal's style.
type Tone struct {
	Class string
	Mark  string
	Style Style
}

// The tones, by the verdict words they are made for.
var (
	Good     = Tone{"met", "✓", Green}
	Bad      = Tone{"not", "✗", Red}
	Doubt    = Tone{"unk", "?", Yellow}
	Vouched  = Tone{"att", "≈", Cyan}
	Muted    = Tone{"na", "–", Dim}
	Cautious = Tone{"unk", "!", Yellow}
)

// ToneOf is the tone of a verdict's word, whoever gives it. A word nobody knows
// is unknown: never better than its evidence.
func ToneOf[T ~string](verdict T) Tone {
	switch verdict {
	case "met", "proved":
		return Good
	case "not_met", "gap":
		return Bad
	case "attested":
		return Vouched
	case "not_applicable":
		return Muted
	}
	return Doubt
}

// VerdictWord is how people read a verdict: "not met". A word nobody knows is
// unknown.
func VerdictWord[T ~string](verdict T) string {
	if ToneOf(verdict) == Doubt {
		return "unknown"
	}
	return strings.ReplaceAll(string(verdict), "_", " ")
}
