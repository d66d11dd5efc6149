package render

import (
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
	"partnerguard/internal/prove"
)

// CSV writes one row a gap, possible ones too, in the report's order (RFC 4180,
// UTF-8, CRLF). A question without a gap has one row.
func CSV(w io.Writer, r *prove.Report) error {
	out := print.NewSheet(w, "question", "title", "verdict", "reason", "gap", "accounts", "names", "break_glass", "what", "why",
		"witness_account", "witness_sign_in", "witness_outcome", "command")
	for _, p := range r.Proofs {
		head := []string{p.Question, p.Title, verdictWord(p.Verdict), p.Reason}
		if len(p.Gaps)+len(p.Possible) == 0 {
			out.Row(append(head, "", "", "", "", "", "", "", "", "", "")...)
		}
		for i := range p.Gaps {
			out.Row(append(head[:4:4], gapCells(p, &p.Gaps[i], "open", r.From)...)...)
		}
		for i := range p.Possible {
			out.Row(append(head[:4:4], gapCells(p, &p.Possible[i], "possible", r.From)...)...)
		}
	}
	return out.Close()
}

func gapCells(p *access.Proof, g *access.Gap, kind string, from []string) []string {
	var clauses []string
	for i := range g.Why {
		clauses = append(clauses, why(&g.Why[i]))
	}
	parts := []string{"any app, any client, anywhere"}
	if len(g.What) > 0 {
		parts = nil
		for i := range g.What {
			parts = append(parts, g.What[i].Dimension+": "+strings.Join(g.What[i].Values, " or "))
		}
	}
	return []string{kind, strconv.Itoa(g.Who.Count), strings.Join(g.Who.Names, " | "), strconv.FormatBool(g.Who.BreakGlass),
		strings.Join(parts, "; "), strings.Join(clauses, " | "),
		g.Witness.Account, signIn(&g.Witness.SignIn), g.Witness.Outcome.String(), strings.Join(command(p, g, from), " ")}
}
