//go:build !judge

package collect

import (
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/screen"
)

// The ledger's picture, in CSS pixels.
const (
	laneHigh  = 26
	laneLabel = 190 // left of the lanes, wide
	maxLanes  = 10
)

// ledger draws the last 14 days of each log that has a gap in them: healed is outlined,
// open and lost are filled, and words say each.
func ledger(lines []gapLine, now time.Time) screen.Block {
	var lanes []string
	for i := range lines {
		g := &lines[i]
		if g.Interval() && g.To.After(now.Add(-gapsFor)) && !slices.Contains(lanes, g.Resource) {
			lanes = append(lanes, g.Resource)
		}
	}
	slices.Sort(lanes)
	lanes = lanes[:min(len(lanes), maxLanes)]
	return screen.Func(func(b *screen.Builder) {
		if len(lanes) == 0 {
			return
		}
		b.Class("div", "pad")
		b.Class("figure", "plot")
		drawLedger(b, "wid", lanes, lines, now, 560, laneLabel)
		drawLedger(b, "nar", lanes, lines, now, 318, 0)
		b.End("figure")
		b.End("div")
	})
}

func drawLedger(b *screen.Builder, class string, lanes []string, lines []gapLine, now time.Time, width, left int) {
	from := now.Add(-gapsFor)
	per, top := laneHigh, 4
	if left == 0 {
		per, top = laneHigh+16, 18
	}
	high := per*len(lanes) + 20
	x := func(t time.Time) float64 {
		f := float64(t.Sub(from)) / float64(gapsFor)
		return float64(left) + max(0, min(1, f))*float64(width-left)
	}
	b.Open("svg", screen.A("class", class), screen.A("viewBox", fmt.Sprintf("0 0 %d %d", width, high)), screen.A("role", "img"),
		screen.A("aria-label", fmt.Sprintf("Gaps of %d logs in 14 days; the list below says each", len(lanes))))
	for i, lane := range lanes {
		y := i*per + top
		ty := y + 12
		if left == 0 {
			ty = y - 5
		}
		b.Elem("text", lane, screen.A("x", "0"), screen.A("y", fmt.Sprint(ty)))
		b.Void("rect", screen.A("class", "f-3 lane"), screen.A("x", fmt.Sprint(left)), screen.A("y", fmt.Sprint(y)), screen.A("width", fmt.Sprint(width-left)),
			screen.A("height", "16"), screen.A("rx", "3"))
		for k := range lines {
			g := &lines[k]
			if g.Resource != lane || !g.Interval() || g.To.Before(from) {
				continue
			}
			a := x(g.From)
			w := max(3, x(g.To)-a)
			class := map[string]string{"lost": "f-not", "healed": "healed"}[g.State]
			if class == "" {
				class = "f-unk"
			}
			at := []screen.Attr{screen.A("x", screen.Num(a)), screen.A("y", fmt.Sprint(y)), screen.A("width", screen.Num(w)), screen.A("height", "16")}
			b.Open("rect", append([]screen.Attr{screen.A("class", class)}, at...)...)
			b.Elem("title", g.State+", "+g.span())
			b.End("rect")
			if g.State == "lost" {
				b.Void("rect", append([]screen.Attr{screen.A("fill", "url(#p-hatch)")}, at...)...)
			}
		}
	}
	for _, days := range []int{14, 7, 0} {
		at := now.AddDate(0, 0, -days)
		anchor, word := "middle", at.UTC().Format("2 Jan")
		switch days {
		case 14:
			anchor = "start"
		case 0:
			anchor, word = "end", "now"
		}
		b.Elem("text", word, screen.A("class", "lo"), screen.A("x", screen.Num(x(at))), screen.A("y", fmt.Sprint(high-4)), screen.A("text-anchor", anchor))
	}
	b.End("svg")
}
