package facts

import (
	"fmt"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// DateLog notes with the inputs the newest sign-in that was counted of each. An
// input whose clocks could only be read with knowledge of all of them is dated by
// the whole log.
func (f *Facts) DateLog(sum *signin.Summary) {
	for i := range f.Inputs {
		in := &f.Inputs[i]
		at := sum.Newest[in.Path]
		if at.IsZero() && in.Kinds[evidence.SignIn]+in.Kinds[evidence.UnifiedAuditSignIn] > 0 {
			at = sum.Last
		}
		in.Times.See(at, true)
	}
}

func clocks(n int64) string {
	if n == 1 {
		return "the clock of 1 sign-in"
	}
	return fmt.Sprintf("the clocks of %d sign-ins", n)
}

// TellLog notes with the inputs what only the whole log could tell of them:
// clocks that nothing decides, and steps whose sign-in was not read.
func (f *Facts) TellLog(sum *signin.Summary) {
	inputs := f.Inputs
	for _, c := range sum.Clocks {
		msg := clocks(c.Rows) + " can be read with the day or the month first, and nothing in the input decides it"
		how := "export with dates as 2026-11-28T14:05:00Z"
		switch {
		case c.LocalTime:
			msg, how = clocks(c.Rows)+": local time of whoever exported", "set the display time to UTC and export again"
		case c.Contrary:
			msg = clocks(c.Rows) + " can be read with the day or the month first, and the input has dates of both orders"
		}
		msg += ": the rows are counted and keep their text; " + how
		for i := range inputs {
			if inputs[i].Path == c.Source.Path {
				inputs[i].Add(evidence.Note{Source: c.Source, Message: msg})
				break
			}
		}
	}
	if sum.OrphanSteps == 0 {
		return
	}
	for i := range inputs {
		if in := &inputs[i]; in.Kinds[evidence.AuthenticationDetail] > 0 {
			src := evidence.Source{Path: in.Path}
			in.Add(evidence.Note{Source: src, Message: fmt.Sprintf("%d sign-ins whose authentication details stand here were not read themselves: "+
				"export the other files of the same download", sum.OrphanSteps)})
			in.Shorten(evidence.Cut{Kind: evidence.SignIn, Why: "lacks sign-ins whose authentication details were read", Source: src})
			return
		}
	}
}
