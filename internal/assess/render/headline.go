package render

import (
	"io"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// headlineCauses is how many causes the headline shows.
const headlineCauses = 3

// Headline writes what a report says in short: whom it judges and when, whether
// the mandatory requirements hold, the verdict of each, and what to do first. Text
// says why.
func Headline(w io.Writer, r *assess.Report, o TextOptions) error {
	p := &screen{Screen: print.NewScreen(w, o)}
	p.head(r)
	must, _, _ := groups(r.Requirements)
	if len(must) > 0 {
		p.Section("Mandatory", count(must).String())
	}
	for i := range must {
		q := &must[i]
		n := fallShort(q)
		if n == "—" {
			n = ""
		}
		sizes := []int{verdictColumn, max(p.Width()-verdictColumn-30, 20), 26}
		p.Put(sizes, 1, verdictCell(q.Verdict), print.Lines(print.Clean(q.Title, print.MaxSaying), sizes[1], print.Plain), print.Lines(n, sizes[2], print.Dim))
	}
	now, _, _ := first(r.Causes)
	if len(now) > 0 {
		p.Section("Fix first", "causes, not symptoms")
	}
	for _, c := range now[:min(len(now), headlineCauses)] {
		c := *c
		c.People, c.Changes = nil, nil // the whole report has them
		p.cause(&c, nil)
	}
	p.More("  ", len(now)-headlineCauses, " in the report")
	return p.Flush()
}
