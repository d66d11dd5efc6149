package report

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/pattern"
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

// named reports that people are told: to this reader, and by names that the rule of the
// redaction has had its say over.
func (in *Input) named() bool { return in.Reader.named() && (len(in.Redacted) == 0 || in.Cut) }

// told says, in sentences, what is left out for the reader, and by the redaction.
func (in *Input) told() []string {
	out := in.Reader.Told()
	if in.Reader.named() && !in.named() {
		out = append(out, "Something is redacted, and this report was not judged from the redacted evidence: no person is named in it.")
	}
	if len(in.Recounted) > 0 {
		out = append(out, "Unknown before the redaction and after it, and counted as what is left says; before it these were: "+
			strings.Join(in.Recounted, ", ")+".")
	}
	return out
}

// whole reports a reader who is told what is recommended too.
func (r Reader) whole() bool { return r != Microsoft }

// mailForm is a user principal name or an address of mail, in a sentence.
var mailForm = pattern.Later(`[^\s<>"'(),;:\[\]]+@[^\s<>"'(),;:\[\]]*[^\s<>"'(),;:\[\].]`)

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
	if in.named() {
		return &out
	}
	if len(in.Redacted) > 0 {
		r.Partner.DisplayName, r.SignIns.Apps, out.Title = "", nil, ""
	}
	hide := maskOf(in)
	r.Accounts, r.Causes, r.Disagreements = []assess.Account{}, []assess.Cause{}, []assess.Evidence{}
	r.Requirements = slices.Clone(r.Requirements)
	for i := range r.Requirements {
		q := &r.Requirements[i]
		q.More += len(q.Evidence)
		q.Evidence, q.Action, q.Reason = []assess.Evidence{}, "", hide(q.Reason)
		if q.AttestedBy = instead(q.AttestedBy); q.Verdict == assess.Attested {
			q.Reason = "a person vouches for it"
			if q.AttestedUntil != "" {
				q.Reason += ", until " + q.AttestedUntil
			}
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
	out.Lacking = slices.Clone(in.Lacking)
	for i := range out.Lacking {
		out.Lacking[i].Notes, out.Lacking[i].Cuts = nil, hideCuts(out.Lacking[i].Cuts, hide)
	}
	out.Practices = practicesUnnamed(in.Practices)
	return &out
}

// practicesUnnamed keeps what each practice came to, and counts.
func practicesUnnamed(raw json.RawMessage) json.RawMessage {
	var r struct {
		Schema    string `json:"schema"`
		Practices []struct {
			ID       string         `json:"id"`
			Title    string         `json:"title"`
			Area     string         `json:"area"`
			Mode     string         `json:"mode"`
			Verdict  assess.Verdict `json:"verdict"`
			Affected int            `json:"affected"`
			Total    int            `json:"total"`
			Unit     string         `json:"unit"`
		} `json:"practices"`
	}
	if json.Unmarshal(raw, &r) != nil {
		return nil
	}
	out, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	return out
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

// maskOf takes people out of sentences: the names of accounts as they are known, of those who
// vouch for something, and whatever looks like an address of mail.
func maskOf(in *Input) func(string) string {
	var pairs []string
	add := func(as string, names ...string) {
		for _, name := range names {
			if len(name) > 3 && name != untold {
				pairs = append(pairs, name, as)
			}
		}
	}
	for i := range in.Report.Attestations {
		add(untold, in.Report.Attestations[i].Who, in.Report.Attestations[i].ApprovedBy)
	}
	for i := range in.Statements {
		add(untold, in.Statements[i].Who, in.Statements[i].ApprovedBy)
	}
	for i := range in.Report.Accounts {
		add("an account", in.Report.Accounts[i].UserPrincipalName, in.Report.Accounts[i].DisplayName)
	}
	for i := range in.Report.Requirements {
		add(untold, in.Report.Requirements[i].AttestedBy)
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

// redactedName stands for a person where names are redacted.
const redactedName = "redacted"

// HideNames takes people out of what stands beside the pages, where the pack's rule redacts
// names: pages have pseudonyms there, what people vouch for has none.
func (in *Input) HideNames() {
	hide := func(s string) string { return mailForm.ReplaceAllString(s, redactedName) }
	name := func(s string) string {
		if s == "" {
			return ""
		}
		return redactedName
	}
	in.Statements = slices.Clone(in.Statements)
	for i := range in.Statements {
		s := &in.Statements[i]
		s.Account, s.Who, s.ApprovedBy = name(s.Account), name(s.Who), name(s.ApprovedBy)
		s.What, s.Reason, s.Control = hide(s.What), name(s.Reason), name(s.Control) // of a sentence nobody can say that it names none
	}
	in.Exceptions = slices.Clone(in.Exceptions)
	for i := range in.Exceptions {
		x := &in.Exceptions[i]
		x.Accounts = each(x.Accounts, name)
		x.Owner, x.AddedBy, x.ApprovedBy = name(x.Owner), name(x.AddedBy), name(x.ApprovedBy)
		x.Reason, x.Control = name(x.Reason), name(x.Control)
	}
	in.Gaps = slices.Clone(in.Gaps)
	for i := range in.Gaps {
		in.Gaps[i].Why = hide(in.Gaps[i].Why)
	}
	in.Title = ""
}
