package portal

import "strconv"

// plot is a bar for each day: with MFA below, without above.
type plot struct {
	ID, Title, Summary string
	Bars               []bar
	Lines              []line
	Empty              bool
}

type bar struct {
	X, W, YesY, YesH, NoY, NoH float64
	Label                      string
	Tip                        string
	Middle                     float64
}

type line struct {
	Y, Text float64
	Label   string
}

// The drawing, in user units that are pixels at full size: narrow enough for a
// phone, so that text is not scaled away.
const (
	plotLeft, plotTop, plotHeight, plotWidth = 34.0, 12.0, 120.0, 290.0
)

// draw makes a plot of counts; f gives those with MFA and all.
func draw(title string, list []day, f func(day) (int, int)) plot {
	p := plot{Title: title}
	most, yes, all := 0, 0, 0
	for _, d := range list {
		y, n := f(d)
		most, yes, all = max(most, n), yes+y, all+n
	}
	if p.Empty = all == 0; p.Empty {
		p.Summary = "There were no such requests in these 7 days."
		return p
	}
	p.Summary = share(yes, all) + " of " + number(all) + " requests carried MFA."
	step := 1
	for m := 1; step*4 < most; m *= 10 {
		for _, k := range []int{1, 2, 5} {
			if step = m * k; step*4 >= most {
				break
			}
		}
	}
	top := (most + step - 1) / step * step
	at := func(n int) float64 { return plotTop + plotHeight*(1-float64(n)/float64(top)) }
	for n := 0; n <= top; n += step {
		p.Lines = append(p.Lines, line{at(n), at(n) + 4, number(n)})
	}
	w := plotWidth / float64(len(list))
	label := "2 Jan" // the month once, where it begins
	for i, d := range list {
		y, n := f(d)
		b := bar{X: plotLeft + float64(i)*w + w*.15, W: w * .7, Label: d.Date.Format(label), Middle: plotLeft + (float64(i)+.5)*w,
			YesY: at(y), YesH: at(0) - at(y), NoY: at(n), NoH: at(y) - at(n), Tip: d.Date.Format("2 January") + ": " + strconv.Itoa(y) + " with MFA, " + strconv.Itoa(n-y) + " without"}
		p.Bars = append(p.Bars, b)
		if label = "2"; i+1 < len(list) && list[i+1].Date.Day() == 1 {
			label = "2 Jan"
		}
	}
	return p
}
