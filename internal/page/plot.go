package page

import (
	"math"
	"partnerguard/internal/print"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// The plots are drawn here and written by chart.tmpl as plain SVG: no script,
// no library, no colour without a pattern, a mark or a word beside it. Every
// plot comes in two widths, because text in a scaled picture is unreadable on
// a phone; the style sheet shows the one that fits its card. Colours are
// classes, so that themes and print have their own.
const (
	wideChart   = 800
	narrowChart = 352
	fontSize    = 11 // px, the style sheet's size for text in plots
)

// Plot is one plot with everything its template and its text alternative say.
type Plot struct {
	ID      string
	Title   string // the figure's heading
	Summary string // one sentence: what a reader would see
	Legend  []Key
	Sizes   []Drawing // wide, narrow; none when there is nothing to draw
	Head    []string  // the data behind it, as a table
	Rows    [][]string
	Nothing string // said instead when there is nothing to draw
}

// Key is one entry of the legend, drawn as HTML so that it wraps.
type Key struct{ Class, Fill, Label string }

// GoodKey is what is well.
func GoodKey(label string) Key { return Key{Class: "f-met", Label: label} }

// BadKey is what falls short.
func BadKey(label string) Key { return Key{Class: "f-not", Fill: "hatch", Label: label} }

// RestKey is the rest of a whole, of which nothing is said.
func RestKey(label string) Key { return Key{Class: "f-nabg", Label: label} }

// DoubtKey is what is not known.
func DoubtKey(label string) Key { return Key{Class: "f-unk", Fill: "dots", Label: label} }

// Series gives a plot its keys, and the table behind it their names after the
// name of what a row is.
func (p *Plot) Series(row string, keys ...Key) {
	p.Legend, p.Head = keys, []string{row}
	for _, k := range keys {
		p.Head = append(p.Head, k.Label)
	}
}

// Drawing is one SVG, in user units that are CSS pixels at full size.
type Drawing struct {
	Class, Label string
	W, H         float64
	Rects        []Rect
	Lines        []Segment
	Texts        []Label
	Marks        []Mark
}

// Rect is a filled box; Fill names a pattern drawn over it, "" for none.
type Rect struct {
	X, Y, W, H  float64
	Class, Fill string
	Tip         string
}

// Segment is a line.
type Segment struct {
	X1, Y1, X2, Y2 float64
	Class          string
}

// Label is one label; Anchor is start, middle or end.
type Label struct {
	X, Y          float64
	Anchor, Class string
	S             string
}

// Mark is a verdict's glyph.
type Mark struct {
	X, Y float64
	Tone print.Tone
}

// Draw draws the plot wide and narrow, each by f, which sets the height.
// Title and Summary come first: they are what is said of a drawing.
func (p *Plot) Draw(f func(d *Drawing, narrow bool)) {
	for _, size := range []struct {
		class string
		w     float64
	}{{"wid", wideChart}, {"nar", narrowChart}} {
		d := Drawing{Class: size.class, W: size.w, Label: p.Title + ". " + p.Summary}
		f(&d, size.w == narrowChart)
		p.Sizes = append(p.Sizes, d)
	}
}

// Nice is a step of 1, 2 or 5 times a power of ten and how many of them reach
// past the highest value: between three and five.
func Nice(highest int64) (step float64, steps int) {
	top := max(float64(highest), 1)
	step = 1
	for {
		for _, m := range []float64{1, 2, 5} {
			if s := step * m; s*5 >= top {
				return s, max(int(math.Ceil(top/s)), 1)
			}
		}
		step *= 10
	}
}

// Compact shows an axis value in few characters.
func Compact(v float64) string {
	for _, u := range []struct {
		size float64
		mark string
	}{{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.size*10 || v >= u.size && math.Mod(v, u.size/10) == 0 {
			return strconv.FormatFloat(math.Round(v/u.size*10)/10, 'f', -1, 64) + " " + u.mark
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// TextWidth estimates, on the safe side, how wide s is in the plot's font.
func TextWidth(s string) float64 {
	w := 0.0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		var columns int
		cluster, rest, columns, state = uniseg.FirstGraphemeClusterInString(rest, state)
		switch c := cluster[0]; {
		case columns >= 2:
			w += 1.1
		case columns == 0:
		case len(cluster) > 1:
			w += 0.75
		case strings.IndexByte("iIjl.,:;'|!()[] ", c) >= 0:
			w += 0.38
		case strings.IndexByte("ftr-", c) >= 0:
			w += 0.46
		case strings.IndexByte("mwMW@%#", c) >= 0:
			w += 1.02
		case c >= '0' && c <= '9', strings.IndexByte("=<>+~^", c) >= 0:
			w += 0.7
		case c >= 'A' && c <= 'Z':
			w += 0.74
		default:
			w += 0.62
		}
	}
	return w * fontSize
}

// FitText cuts s to w pixels.
func FitText(s string, w float64) string {
	if TextWidth(s) <= w {
		return s
	}
	w -= fontSize
	var b strings.Builder
	for rest, state := s, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if w -= TextWidth(cluster); w < 0 {
			break
		}
		b.WriteString(cluster)
	}
	return strings.TrimRight(b.String(), " ") + "…"
}

// Rect adds a filled box.
func (d *Drawing) Rect(x, y, w, h float64, class, fill, tip string) {
	d.Rects = append(d.Rects, Rect{x, y, w, h, class, fill, tip})
}

// Line adds a line.
func (d *Drawing) Line(x1, y1, x2, y2 float64, class string) {
	d.Lines = append(d.Lines, Segment{x1, y1, x2, y2, class})
}

// Mark adds a glyph with its upper left corner at x and y.
func (d *Drawing) Mark(x, y float64, t print.Tone) {
	d.Marks = append(d.Marks, Mark{x, y, t})
}

// Text adds a label, if it says something; anchor is start, middle or end.
func (d *Drawing) Text(x, y float64, anchor, class, s string) {
	if s == "" {
		return
	}
	d.Texts = append(d.Texts, Label{x, y, anchor, class, s})
}

// Bar is one horizontal bar of a plot, with one value for each key of the
// legend; values below nothing count as nothing.
type Bar struct {
	Label  string
	Values []int64
	End    string // behind it; "" is the sum
}

// end is what stands behind the bar.
func (b *Bar) end(sum int64) string {
	if b.End != "" {
		return b.End
	}
	return print.Number(sum)
}

// Bars draws horizontal stacked bars, their sum or other end behind them, and the table of
// the same numbers. room is the width for labels on a wide page. Without any
// value nothing is drawn.
func (p *Plot) Bars(bars []Bar, room float64) {
	var most int64
	sums := make([]int64, len(bars))
	for i, b := range bars {
		row := []string{b.Label}
		for _, v := range b.Values {
			sums[i] += max(v, 0)
			row = append(row, print.Number(v))
		}
		p.Rows = append(p.Rows, row)
		most = max(most, sums[i])
	}
	if most == 0 {
		return
	}
	p.Draw(func(d *Drawing, narrow bool) {
		left, pitch := room, 26.0
		if narrow {
			left, pitch = 0, 40
		}
		tail := 0.0
		for i := range bars {
			tail = max(tail, 8+TextWidth(bars[i].end(sums[i])))
		}
		y := 4.0
		for i, b := range bars {
			barY := y + 4
			if narrow {
				d.Text(0, y+12, "start", "em", FitText(b.Label, d.W))
				barY = y + 17
			} else {
				d.Text(left-8, y+17, "end", "em", FitText(b.Label, left-8))
			}
			x := left
			for k, v := range b.Values {
				if v <= 0 {
					continue
				}
				bw := max(float64(v)/float64(most)*(d.W-left-tail-4), 2)
				bw = min(bw, d.W-tail-x)
				d.Rect(x, barY, bw, 16, p.Legend[k].Class, p.Legend[k].Fill, b.Label+": "+print.Number(v)+" "+strings.ToLower(p.Legend[k].Label))
				x += bw
			}
			d.Text(x+6, barY+12, "start", "", b.end(sums[i]))
			y += pitch
		}
		if !narrow {
			d.Line(left, 4, left, y, "ax")
		}
		d.H = y + 4
	})
}
