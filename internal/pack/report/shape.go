package report

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/vouch"
)

// untold stands for what a reader is not told.
const untold = "not told to this reader"

// Told says, in sentences, what a pack for a reader leaves out; none for an auditor.
func (r Reader) Told() []string {
	switch r {
	case Insurer, Customer:
		out := []string{
			"No person is named: accounts are counted and not listed, and of attestations and exceptions it is told what they cover, not who gave them.",
			"What decided a verdict is counted and not listed, and what to do about it is left to the partner.",
		}
		if r == Customer {
			out = append(out, "No other customer of the partner is named.")
		}
		return out
	case Microsoft:
		return []string{
			"The requirements of the partner programme are told, with all that decided them; what is only recommended is left out.",
		}
	}
	return nil
}

// named reports a reader who is told who.
func (r Reader) named() bool { return r != Insurer && r != Customer }

// whole reports a reader who is told what is recommended too.
func (r Reader) whole() bool { return r != Microsoft }

// mailForm is a user principal name or an address of mail, in a sentence.
var mailForm = regexp.MustCompile(`[^\s<>"'(),;:\[\]]+@[^\s<>"'(),;:\[\]]*[^\s<>"'(),;:\[\].]`)

// shaped is an input as its reader is told it. The input stays as it is.
func shaped(in *Input) *Input {
	out := *in
	r := *in.Report
	r.From = nil
	out.Report = &r
	if !in.Reader.whole() {
		out.Practices = json.RawMessage(nil)
		r.Requirements = slices.DeleteFunc(slices.Clone(r.Requirements), func(q assess.Requirement) bool { return q.Level != string(partner.Mandatory) })
	}
	if in.Reader.named() {
		return &out
	}
	hide := maskOf(&r)
	r.Accounts, r.Causes, r.Disagreements = []assess.Account{}, []assess.Cause{}, []assess.Evidence{}
	r.Requirements = slices.Clone(r.Requirements)
	for i := range r.Requirements {
		q := &r.Requirements[i]
		q.More += len(q.Evidence)
		q.Evidence, q.Action, q.Reason = []assess.Evidence{}, "", hide(q.Reason)
		if q.AttestedBy != "" {
			q.AttestedBy = untold
		}
	}
	r.Incomplete = each(r.Incomplete, hide)
	r.Attestations = slices.Clone(r.Attestations)
	for i := range r.Attestations {
		v := &r.Attestations[i]
		v.Account, v.Who, v.ApprovedBy = instead(v.Account), untold, instead(v.ApprovedBy)
		v.What, v.Reason, v.CompensatingControl, v.Text = hide(v.What), hide(v.Reason), hide(v.CompensatingControl), ""
	}
	r.Dates = slices.Clone(r.Dates)
	for i := range r.Dates {
		d := &r.Dates[i]
		d.More, d.Names, d.Text = d.More+len(d.Names), nil, hide(d.Text)
	}
	r.Inputs = slices.Clone(r.Inputs)
	for i := range r.Inputs {
		r.Inputs[i].Notes, r.Inputs[i].Cuts = nil, hideCuts(r.Inputs[i].Cuts, hide)
	}
	out.Statements, out.Exceptions = hideStatements(in.Statements, hide), hideExceptions(in.Exceptions, hide)
	out.Gaps = slices.Clone(in.Gaps)
	for i := range out.Gaps {
		out.Gaps[i].Of, out.Gaps[i].Why = instead(out.Gaps[i].Of), hide(out.Gaps[i].Why)
	}
	return &out
}

func instead(s string) string {
	if s == "" {
		return ""
	}
	return untold
}

func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// maskOf takes people out of sentences: the names of accounts as they are known, and
// whatever looks like an address of mail.
func maskOf(r *assess.Report) func(string) string {
	var pairs []string
	for i := range r.Accounts {
		a := &r.Accounts[i]
		for _, name := range []string{a.UserPrincipalName, a.DisplayName} {
			if len(name) > 3 {
				pairs = append(pairs, name, "an account")
			}
		}
	}
	names := strings.NewReplacer(pairs...)
	return func(s string) string { return mailForm.ReplaceAllString(names.Replace(s), "an account") }
}

func hideCuts(list []evidence.Cut, hide func(string) string) []evidence.Cut {
	out := slices.Clone(list)
	for i := range out {
		out[i].Why = hide(out[i].Why)
	}
	return out
}

// hideStatements keeps what a statement is judged by: what it covers and how long.
func hideStatements(list []vouch.Statement, hide func(string) string) []vouch.Statement {
	out := slices.Clone(list)
	for i := range out {
		s := &out[i]
		s.Account, s.Who, s.ApprovedBy = instead(s.Account), untold, instead(s.ApprovedBy)
		s.What, s.Reason, s.Control = hide(s.What), hide(s.Reason), hide(s.Control)
	}
	return out
}

func hideExceptions(list []Exception, hide func(string) string) []Exception {
	out := slices.Clone(list)
	for i := range out {
		x := &out[i]
		x.Accounts = each(x.Accounts, instead)
		x.Owner, x.AddedBy, x.ApprovedBy = untold, untold, instead(x.ApprovedBy)
		x.Reason, x.Control = hide(x.Reason), hide(x.Control)
	}
	return out
}
