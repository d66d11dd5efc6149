package render

import (
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// CSV writes one row a requirement, in the report's order (RFC 4180, UTF-8,
// CRLF). A cell that a spreadsheet might take for a formula gets a leading
// apostrophe.
func CSV(w io.Writer, r *assess.Report) error {
	out := print.NewSheet(w, "id", "title", "level", "binding", "verdict", "reason", "affected", "total", "unit", "action", "evidence", "more_evidence",
		"source", "evidence_newest", "evidence_oldest", "age_days", "age", "attested_by", "attested_until", "fix_first")
	for i := range r.Requirements {
		q := &r.Requirements[i]
		said := make([]string, len(q.Evidence))
		for j := range q.Evidence {
			said[j] = evidenceLine(&q.Evidence[j])
		}
		out.Row(q.ID, q.Title, q.Level, q.Binding, string(q.Verdict), q.Reason,
			strconv.Itoa(q.Affected), strconv.Itoa(q.Total), q.Unit, q.Action,
			strings.Join(said, " | "), strconv.Itoa(q.More), q.Source,
			print.Stamp(q.Age.Newest), print.Stamp(q.Age.Oldest), strconv.Itoa(q.Age.Days), q.Age.Text, q.AttestedBy, q.AttestedUntil,
			strings.Join(causesOf(r, q.ID), " | "))
	}
	return out.Close()
}

// AccountsCSV writes one row an account, the ones that need work first, all of
// them: what the other formats cut is here.
func AccountsCSV(w io.Writer, r *assess.Report) error {
	out := print.NewSheet(w, "user_principal_name", "display_name", "id", "class", "in_scope", "admin", "roles", "strongest_factor",
		"mfa", "reason", "ways_out", "challenged", "satisfied_by_claim", "satisfied_by_provider", "not_challenged", "unknown",
		"last_sign_in", "last_not_challenged", "legacy_clients", "exception")
	order, _ := accountOrder(r.Accounts)
	for _, i := range order {
		a := &r.Accounts[i]
		t := &a.SignIns
		out.Row(a.UserPrincipalName, a.DisplayName, a.ID, a.Class, strconv.FormatBool(a.InScope), strconv.FormatBool(a.Admin),
			strings.Join(a.Roles, " | "), a.StrongestFactor, string(a.MFA), a.Reason, strings.Join(print.WayTexts(a.WaysOut), " | "),
			decimal(t.Challenged), decimal(t.SatisfiedByClaim), decimal(t.SatisfiedByProvider), decimal(t.NotChallenged), decimal(t.Unknown),
			print.Stamp(a.LastSignIn), print.Stamp(a.LastNotChallenged), strings.Join(a.LegacyClients, " | "), a.Exception)
	}
	return out.Close()
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// evidenceLine is one piece of evidence on one line.
func evidenceLine(e *assess.Evidence) string {
	s := e.Subject
	if e.Detail != "" {
		if s != "" {
			s += ": "
		}
		s += e.Detail
	}
	var where []string
	if t := print.Settled(e.Observed); t != nil {
		where = append(where, print.When(*t))
	}
	if e.Source.Path != "" {
		where = append(where, e.Source.String())
	}
	if len(where) > 0 {
		s += " (" + strings.Join(where, ", ") + ")"
	}
	return s
}
