package render

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/print"
)

// style is the look of a picture that stands alone, in the tones of our pages; it follows the
// reader's light or dark.
const style = `<style>
svg{--bg:#fff;--box:#f6f7f9;--edge:#c3c8d1;--text:#16181d;--soft:#5b6270;--lead:#b3261e;--leadbg:#fdeceb;font:11px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--bg:#14161a;--box:#1e2127;--edge:#4a505c;--text:#eceef2;--soft:#a4abb8;--lead:#ff8a80;--leadbg:#3a1e1d}}
.bg{fill:var(--bg)}.b{fill:var(--box);stroke:var(--edge)}.b.l{fill:var(--leadbg);stroke:var(--lead)}.b.p{stroke-dasharray:2 3}
.e{fill:none;stroke:var(--edge);stroke-width:1.25}.e.l{stroke:var(--lead)}.e.g{stroke-dasharray:6 4}.e.p{stroke-dasharray:1.5 3.5}
text{fill:var(--text)}.s{fill:var(--soft);font-size:9.5px}.h{fill:var(--soft);font-weight:600}
</style>`

// maxSays bounds a text that is shown to who points at a box.
const maxSays = 600

// SVG writes the picture as a file that stands alone. Nothing in it runs, and nothing is
// fetched.
func (p *Picture) SVG(w io.Writer) error {
	b := bufio.NewWriter(w)
	const pad, legend = 14.0, 26.0
	wide, high := max(p.Width, 420)+2*pad, p.Height+legend+2*pad
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="t">`,
		Num(wide), Num(high), Num(wide), Num(high))
	fmt.Fprintf(b, "\n<title id=\"t\">%s</title>\n%s\n<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n<g transform=\"translate(%s %s)\">\n",
		xml(print.Clean(p.Says, maxSays)), style, Num(pad), Num(pad))
	for _, h := range p.Heads {
		fmt.Fprintf(b, "<text class=\"h\" x=\"%s\" y=\"12\">%s</text>\n", Num(h.X), xml(h.Text))
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		fmt.Fprintf(b, "<path class=\"%s\" d=\"%s\"/>\n", Classes("e", e.Leads, e.Eligible, e.Perhaps), p.Curve(e))
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		fmt.Fprintf(b, "<g><title>%s</title><rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"5\"/>", xml(print.Clean(n.Title, maxSays)),
			Classes("b", n.Leads, false, n.Perhaps), Num(n.X), Num(n.Y), Num(boxWide), Num(boxHigh))
		label, sub := n.Lines()
		y := n.Y + 21
		if sub != "" {
			y = n.Y + 15
		}
		fmt.Fprintf(b, "<text x=\"%s\" y=\"%s\">%s</text>", Num(n.X+8), Num(y), xml(label))
		if sub != "" {
			fmt.Fprintf(b, "<text class=\"s\" x=\"%s\" y=\"%s\">%s</text>", Num(n.X+8), Num(n.Y+27), xml(sub))
		}
		fmt.Fprint(b, "</g>\n")
	}
	x := 0.0
	for _, k := range Keys {
		y := p.Height + legend - 8
		fmt.Fprintf(b, "<path class=\"%s\" d=\"M%s %sh26\"/><text class=\"s\" x=\"%s\" y=\"%s\">%s</text>\n",
			Classes("e", k.Leads, k.Eligible, k.Perhaps), Num(x), Num(y), Num(x+32), Num(y+3.5), xml(k.Text))
		x += 46 + 5.2*float64(len(k.Text))
	}
	fmt.Fprint(b, "</g>\n</svg>\n")
	return b.Flush()
}

// Key says what a line means.
type Key struct {
	Text                     string
	Leads, Eligible, Perhaps bool
}

// Keys are the lines there are.
var Keys = []Key{{Text: "a way"}, {Text: "to Global Administrator", Leads: true}, {Text: "after an activation", Eligible: true},
	{Text: "perhaps", Perhaps: true}}

// Lines are what a box says: its label, and what stands below it; both bounded.
func (n *Node) Lines() (label, sub string) {
	return clip(n.Label, maxLabel), clip(n.Sub, maxLabel+3)
}

func clip(s string, signs int) string {
	r := []rune(print.Clean(s, 4*signs))
	if len(r) > signs {
		return string(r[:signs-1]) + "…"
	}
	return string(r)
}

// Size is the size of a box.
func Size() (wide, high float64) { return boxWide, boxHigh }

// Curve is the path of an edge.
func (p *Picture) Curve(e *Edge) string {
	a, z := &p.Nodes[e.From], &p.Nodes[e.To]
	x, y, u, v := a.X+boxWide, a.Y+boxHigh/2, z.X, z.Y+boxHigh/2
	mid := (x + u) / 2
	return "M" + Num(x) + " " + Num(y) + "C" + Num(mid) + " " + Num(y) + " " + Num(mid) + " " + Num(v) + " " + Num(u) + " " + Num(v)
}

// Num is a number with a tenth at most.
func Num(f float64) string { return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") }

// Classes are the classes of a box or an edge: l leads to Global Administrator, g is opened by an
// activation, p is not sure.
func Classes(base string, leads, eligible, perhaps bool) string {
	if leads {
		base += " l"
	}
	switch {
	case perhaps:
		base += " p"
	case eligible:
		base += " g"
	}
	return base
}

// xml escapes a text, without what no XML may hold.
func xml(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return html.EscapeString(s)
}
