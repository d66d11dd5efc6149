package render

import (
	"bufio"
	"io"
	"slices"

	"partnerguard/internal/console"
	"partnerguard/internal/rehearse"
)

// JSON writes the whole result, indented, as docs/rehearsal.schema.json
// describes it: every list is a list even when empty, and nothing is cut.
func JSON(w io.Writer, r *rehearse.Result) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	if err := console.JSON(buf, settle(r)); err != nil {
		return err
	}
	return buf.Flush()
}

// settle returns a copy that encodes: no nil lists, no date JSON cannot carry.
// The result itself stays as it is.
func settle(r *rehearse.Result) *rehearse.Result {
	c := *r
	c.First, c.Last = console.Settled(r.First), console.Settled(r.Last)
	c.Totals, c.Before, c.After = console.List(r.Totals), console.List(r.Before), console.List(r.After)
	c.Policies, c.Notes, c.Inputs = console.List(r.Policies), console.List(r.Notes), console.List(r.Inputs)
	c.Groups = console.List(slices.Clone(r.Groups))
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Last = console.Settled(g.Last)
		g.Policies, g.WaysOut = console.List(g.Policies), console.List(g.WaysOut)
	}
	return &c
}
