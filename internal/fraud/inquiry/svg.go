//go:build !judge

package inquiry

import (
	"bufio"
	"fmt"
	"html"
	"html/template"
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/print"
)

// svgStyle brings the colours of our pages to a picture that stands alone; it follows the
// reader's light or dark.
const svgStyle = `<style>
svg{--bg:#fff;--text:#14181f;--soft:#5f6978;--line:#c9d0d9;--grid:#e3e7ec;--not:#d63a2f;--na:#858e9b;--our:#1f86a8;font:11px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--bg:#14171c;--text:#eceff3;--soft:#949daa;--line:#3a414d;--grid:#252a33;--not:#ee6055;--na:#6b7482;--our:#3b9cbd}}
.bg{fill:var(--bg)}.ax{stroke:var(--line)}.gl{stroke:var(--grid)}text{fill:var(--text)}.lo{fill:var(--soft)}.em{font-weight:600}
.f-not{fill:var(--not)}.f-na{fill:var(--na)}.f-3{fill:var(--our)}.ring{stroke:var(--bg);stroke-width:1.5}.l-not{stroke:var(--not)}
.l-3{stroke:var(--our)}.dash{stroke-dasharray:3 3}.t-not{fill:var(--not)}.halo{fill:none;stroke:var(--not);stroke-width:1.5}
</style>`

// Num is a number with a tenth at most.
func Num(f float64) string { return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") }

// SVG writes the picture as a file that stands alone. Nothing in it runs, and nothing is
// fetched.
func (p *Picture) SVG(out io.Writer) error {
	w := bufio.NewWriter(out)
	const pad = 14.0
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="t">`, Num(p.W+2*pad),
		Num(p.H+2*pad), Num(p.W+2*pad), Num(p.H+2*pad))
	fmt.Fprintf(w, "\n<title id=\"t\">%s</title>\n%s\n<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n<g transform=\"translate(%s %s)\">\n", xml(p.Says), svgStyle,
		Num(pad), Num(pad))
	p.inside(w)
	fmt.Fprint(w, "</g>\n</svg>\n")
	return w.Flush()
}

// inline is the picture for a page of ours that has the rules of [reportRules]; every text in
// it is escaped.
func (p *Picture) inline(class string) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="%s" viewBox="0 0 %s %s" role="img" aria-label="%s">`, class, Num(p.W), Num(p.H), xml(p.Says))
	p.inside(&b)
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // texts are escaped above and below
}

// inside writes what is drawn.
func (p *Picture) inside(w io.Writer) {
	bottom := p.H - 22
	for _, t := range p.Ticks {
		class := "gl"
		if t.Day {
			class = "ax"
		}
		upright(w, class, t.X, headHigh-6, bottom)
		fmt.Fprintf(w, "<text class=\"lo\" x=\"%s\" y=\"%s\" text-anchor=\"middle\">%s</text>\n", Num(t.X), Num(p.H-6), xml(t.Text))
	}
	for _, l := range p.Lanes {
		fmt.Fprintf(w, "<text class=\"em\" x=\"%s\" y=\"%s\">%s</text><path class=\"ax\" d=\"M%s %sH%s\"/>\n", Num(l.X), Num(l.Y), xml(l.Name), Num(p.laneLeft()),
			Num(l.Base), Num(p.W-4))
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		line, text, x, anchor := "l-not dash", "t-not", l.X+4, "start"
		if l.Done {
			line, text = "l-3 dash", "em"
		}
		if l.End {
			x, anchor = l.X-4, "end"
		}
		upright(w, line, l.X, l.Y-8, bottom)
		fmt.Fprintf(w, "<text class=\"%s\" x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>\n", text, Num(x), Num(l.Y), anchor, xml(l.Text))
	}
	for i := range p.Spots {
		s := &p.Spots[i]
		fmt.Fprintf(w, "<g><title>%s</title>", xml(s.Title))
		if s.Weight == Cause {
			fmt.Fprintf(w, "<circle class=\"halo\" cx=\"%s\" cy=\"%s\" r=\"%s\"/>", Num(s.X), Num(s.Y), Num(s.R+3.5))
		}
		fmt.Fprintf(w, "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"%s\"/></g>\n", s.Class(), Num(s.X), Num(s.Y), Num(s.R))
	}
}

// upright is a line from top to bottom.
func upright(w io.Writer, class string, x, from, to float64) {
	fmt.Fprintf(w, "<path class=\"%s\" d=\"M%s %sV%s\"/>\n", class, Num(x), Num(from), Num(to))
}

// laneLeft is where lanes begin.
func (p *Picture) laneLeft() float64 {
	if p.W == narrow {
		return 8
	}
	return 118
}

// LaneLeft is where lanes begin, and Top where their lines do.
func (p *Picture) LaneLeft() float64 { return p.laneLeft() }

// Top is where the lines of the axis begin.
func (p *Picture) Top() float64 { return headHigh - 6 }

// xml escapes a text, without what no XML may hold.
func xml(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(print.Clean(s, 800), "\uFFFD"))
	return html.EscapeString(s)
}
