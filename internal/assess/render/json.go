package render

import (
	"io"
	"slices"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// JSON writes the whole report, indented, as docs/report.schema.json describes
// it: every list is a list even when empty, and nothing is cut.
func JSON(w io.Writer, r *assess.Report) error {
	return print.JSON(w, settle(r))
}

func settleEvidence(list []assess.Evidence) []assess.Evidence {
	list = print.List(slices.Clone(list))
	for i := range list {
		list[i].Observed = print.Settled(list[i].Observed)
	}
	return list
}

// settle returns a copy that encodes: no nil lists, no number and no date JSON
// cannot carry. The report itself stays as it is.
func settle(r *assess.Report) *assess.Report {
	c := *r
	c.AsOf = print.SettledTime(c.AsOf)
	c.Incomplete = print.List(c.Incomplete)
	c.Requirements = print.List(slices.Clone(c.Requirements))
	for i := range c.Requirements {
		c.Requirements[i].Evidence = settleEvidence(c.Requirements[i].Evidence)
		age := &c.Requirements[i].Age
		age.Newest, age.Oldest = print.Settled(age.Newest), print.Settled(age.Oldest)
	}
	c.Causes = print.List(slices.Clone(c.Causes))
	for i := range c.Causes {
		u := &c.Causes[i]
		u.Requirements, u.Changes, u.Needs, u.Effects = print.List(u.Requirements), print.List(u.Changes), print.List(u.Needs), print.List(u.Effects)
		u.Evidence, u.Due = settleEvidence(u.Evidence), print.Settled(u.Due)
		u.People = print.List(slices.Clone(u.People))
		for k := range u.People {
			u.People[k].WaysOut = print.List(u.People[k].WaysOut)
		}
		if u.Proof != nil {
			proof := *u.Proof
			proof.Gaps = print.List(proof.Gaps)
			u.Proof = &proof
		}
	}
	c.Disagreements = settleEvidence(c.Disagreements)
	c.Score.Current, c.Score.Max = print.Finite(c.Score.Current), print.Finite(c.Score.Max)
	c.Score.Updated = print.Settled(c.Score.Updated)
	c.Score.Requirements = print.List(slices.Clone(c.Score.Requirements))
	for i := range c.Score.Requirements {
		q := &c.Score.Requirements[i]
		q.Score, q.MaxScore = print.Finite(q.Score), print.Finite(q.MaxScore)
	}
	c.Accounts = print.List(slices.Clone(c.Accounts))
	for i := range c.Accounts {
		a := &c.Accounts[i]
		a.Roles, a.WaysOut, a.LegacyClients = print.List(a.Roles), print.List(a.WaysOut), print.List(a.LegacyClients)
		a.LastSignIn, a.LastNotChallenged = print.Settled(a.LastSignIn), print.Settled(a.LastNotChallenged)
	}
	c.SignIns.First, c.SignIns.Last = print.Settled(c.SignIns.First), print.Settled(c.SignIns.Last)
	c.SignIns.Days, c.SignIns.Apps = print.List(c.SignIns.Days), print.List(c.SignIns.Apps)
	if c.SignIns.Reasons == nil {
		c.SignIns.Reasons = map[string]int64{}
	}
	c.Attestations = print.List(c.Attestations)
	c.Dates = print.List(slices.Clone(c.Dates))
	for i := range c.Dates {
		c.Dates[i].Names = print.List(c.Dates[i].Names)
	}
	c.Age.Newest, c.Age.Oldest = print.Settled(c.Age.Newest), print.Settled(c.Age.Oldest)
	c.Age.Banner = print.List(c.Age.Banner)
	c.Inputs = print.List(slices.Clone(c.Inputs))
	for i := range c.Inputs {
		t := &c.Inputs[i].Times
		t.Stated, t.Newest, t.Written, t.At = print.Settled(t.Stated), print.Settled(t.Newest), print.Settled(t.Written), print.Settled(t.At)
	}
	return &c
}
