package render

import (
	"io"
	"slices"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
	"partnerguard/internal/prove"
)

// single is the JSON of a report on one question: the proof's own object with
// what was read for it.
type single struct {
	Schema  string `json:"schema"`
	Partner string `json:"partner"`
	*access.Proof
	Complete   bool             `json:"complete"`
	Incomplete []string         `json:"incomplete"`
	Age        []string         `json:"age"`
	Inputs     []evidence.Input `json:"inputs"`
	Sample     bool             `json:"sample"`
}

// JSON writes the whole report, indented, as docs/proof.schema.json describes
// it: one question as the proof's own object, several as a list of proofs.
// Every list is a list even when empty.
func JSON(w io.Writer, r *prove.Report) error {
	c := *r
	c.Incomplete, c.Inputs, c.Age = print.List(c.Incomplete), print.List(c.Inputs), print.List(c.Age)
	c.Proofs = make([]*access.Proof, 0, len(r.Proofs))
	for _, p := range r.Proofs {
		c.Proofs = append(c.Proofs, settle(p))
	}
	var doc any = &c
	if len(c.Proofs) == 1 {
		doc = &single{Schema: c.Schema, Partner: c.Partner, Proof: c.Proofs[0], Complete: c.Complete, Incomplete: c.Incomplete, Age: c.Age, Inputs: c.Inputs,
			Sample: c.Sample}
	}
	return print.JSON(w, doc)
}

// settle returns a copy without nil lists. The proof itself stays as it is.
func settle(p *access.Proof) *access.Proof {
	c := *p
	c.Gaps, c.Possible = settleGaps(p.Gaps), settleGaps(p.Possible)
	c.Policies, c.Missing, c.Facts = print.List(p.Policies), print.List(p.Missing), print.List(p.Facts)
	return &c
}

func settleGaps(list []access.Gap) []access.Gap {
	list = print.List(slices.Clone(list))
	for i := range list {
		g := &list[i]
		g.Who.Names, g.Why = print.List(g.Who.Names), print.List(g.Why)
		g.What = print.List(slices.Clone(g.What))
		for k := range g.What {
			g.What[k].Values = print.List(g.What[k].Values)
		}
	}
	return list
}
