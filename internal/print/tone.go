package print

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
	Bad      = Tone{"notmet", "✗", Red}
	Doubt    = Tone{"unknown", "?", Yellow}
	Vouched  = Tone{"attested", "≈", Cyan}
	Muted    = Tone{"na", "–", Dim}
	Cautious = Tone{"unknown", "!", Yellow}
)
