package render

import (
	"bufio"
	"io"
	"slices"

	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// JSON writes the whole result, indented, as docs/rehearsal.schema.json
// describes it: every list is a list even when empty, and nothing is cut.
func JSON(w io.Writer, r *rehearse.Result) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	if err := print.JSON(buf, settle(r)); err != nil {
		return err
	}
	return buf.Flush()
}

// settle returns a copy that encodes: no nil lists, no date JSON cannot carry.
// The result itself stays as it is.
func settle(r *rehearse.Result) *rehearse.Result {
	c := *r
	c.First, c.Last = print.Settled(r.First), print.Settled(r.Last)
	c.Totals, c.Before, c.After = print.List(r.Totals), print.List(r.Before), print.List(r.After)
	c.Policies, c.Notes, c.Inputs = print.List(r.Policies), print.List(r.Notes), print.List(r.Inputs)
	c.Groups = print.List(slices.Clone(r.Groups))
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Last = print.Settled(g.Last)
		g.Policies, g.WaysOut = print.List(g.Policies), print.List(g.WaysOut)
	}
	return &c
}
