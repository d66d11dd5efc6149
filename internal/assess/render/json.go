package render

import (
	"bufio"
	"io"
	"slices"

	"partnerguard/internal/assess"
	"partnerguard/internal/console"
)

// JSON writes the whole report, indented, as docs/report.schema.json describes
// it: every list is a list even when empty, and nothing is cut.
func JSON(w io.Writer, r *assess.Report) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	if err := console.JSON(buf, settle(r)); err != nil {
		return err
	}
	return buf.Flush()
}

func settleEvidence(list []assess.Evidence) []assess.Evidence {
	list = console.List(slices.Clone(list))
	for i := range list {
		list[i].Observed = console.Settled(list[i].Observed)
	}
	return list
}

// settle returns a copy that encodes: no nil lists, no number and no date JSON
// cannot carry. The report itself stays as it is.
func settle(r *assess.Report) *assess.Report {
	c := *r
	c.AsOf = console.SettledTime(c.AsOf)
	c.Incomplete = console.List(c.Incomplete)
	c.Requirements = console.List(slices.Clone(c.Requirements))
	for i := range c.Requirements {
		c.Requirements[i].Evidence = settleEvidence(c.Requirements[i].Evidence)
	}
	c.Disagreements = settleEvidence(c.Disagreements)
	c.Score.Current, c.Score.Max = console.Finite(c.Score.Current), console.Finite(c.Score.Max)
	c.Score.Updated = console.Settled(c.Score.Updated)
	c.Score.Requirements = console.List(slices.Clone(c.Score.Requirements))
	for i := range c.Score.Requirements {
		q := &c.Score.Requirements[i]
		q.Score, q.MaxScore = console.Finite(q.Score), console.Finite(q.MaxScore)
	}
	c.Accounts = console.List(slices.Clone(c.Accounts))
	for i := range c.Accounts {
		a := &c.Accounts[i]
		a.Roles, a.WaysOut, a.LegacyClients = console.List(a.Roles), console.List(a.WaysOut), console.List(a.LegacyClients)
		a.LastSignIn, a.LastNotChallenged = console.Settled(a.LastSignIn), console.Settled(a.LastNotChallenged)
	}
	c.SignIns.First, c.SignIns.Last = console.Settled(c.SignIns.First), console.Settled(c.SignIns.Last)
	c.SignIns.Days, c.SignIns.Apps = console.List(c.SignIns.Days), console.List(c.SignIns.Apps)
	if c.SignIns.Reasons == nil {
		c.SignIns.Reasons = map[string]int64{}
	}
	c.Inputs = console.List(c.Inputs)
	return &c
}
