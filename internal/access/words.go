package access

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// gapText puts a gap in one line. Where the gap is all that the question asks
// about, the question's own words stand for it.
func (e *Engine) gapText(c *compiledQuestion, g *Gap) string {
	var b strings.Builder
	switch {
	case g.Who.Count == 1:
		b.WriteString(g.Who.Names[0])
	case g.Who.Count <= 3:
		b.WriteString(join(g.Who.Names))
	default:
		fmt.Fprintf(&b, "%d accounts", g.Who.Count)
	}
	if g.Who.BreakGlass {
		b.WriteString(" (break-glass)")
	}
	if len(g.What) == 0 {
		of := func(asked bool, l dimID, any string) string {
			if !asked {
				return any
			}
			var labels []string
			for _, k := range c.classes[l] {
				if v := e.dims[l].labels[k]; !slices.Contains(labels, v) {
					labels = append(labels, v)
				}
			}
			return enumerate(labels)
		}
		client := of(len(c.Clients) > 0, dimClient, "any client")
		if len(c.Clients) == 1 && strings.EqualFold(c.Clients[0], "modern") {
			client = "any modern client"
		}
		where := of(len(c.Locations) > 0, dimLocation, "anywhere")
		if c.Ordinary && len(c.Locations) == 0 {
			where = "from any place the tenant does not name"
		}
		b.WriteString(": " + of(len(c.Apps) > 0, dimResource, "any app") + ", " + client + ", " + where)
		return b.String()
	}
	b.WriteString(": ")
	for i, n := range g.What {
		if i > 0 {
			b.WriteString(", ")
		}
		text := enumerate(n.Values)
		switch n.Dimension {
		case "client":
			switch {
			case slices.Equal(n.Values, clientLabels[:clientEAS]):
				text = "any modern client"
			case slices.Equal(n.Values, clientLabels[clientEAS:]):
				text = "any legacy client"
			}
			text = "by " + text
		case "platform", "location":
			text = "from " + text
		case "sign-in risk", "user risk", "insider risk":
			text = "at " + n.Dimension + " " + text
		case "app":
			text = "to " + text
		default:
			text = "from " + text
		}
		b.WriteString(text)
	}
	return b.String()
}

// grantText names the controls of a grant as they are joined, so that a weak
// combination is seen: "MFA or a compliant device".
func grantText(p *Policy, d *demand) string {
	g := p.GrantControls
	if g == nil || !d.or[altAnything] {
		return d.text()
	}
	var parts []string
	known := *d
	known.or[altAnything] = false
	if known.mfa || known.hasAlternative() {
		parts = append(parts, known.text())
	}
	for _, f := range g.CustomFactors {
		parts = append(parts, "the custom control "+f)
	}
	if len(g.TermsOfUse) > 0 {
		parts = append(parts, "terms of use")
	}
	for _, control := range g.BuiltInControls {
		switch strings.ToLower(control) {
		case "mfa", "block", "compliantdevice", "domainjoineddevice", "approvedapplication", "compliantapplication":
		case "passwordchange":
			parts = append(parts, "a change of password")
		default:
			parts = append(parts, "the control "+control)
		}
	}
	if g.Strength != nil && !d.mfa {
		parts = append(parts, "an authentication strength that is no MFA")
	}
	if len(parts) == 0 {
		return d.text()
	}
	return strings.Join(parts, " or ")
}

func enumerate(v []string) string {
	if len(v) > 4 {
		return fmt.Sprintf("%s or %d others", strings.Join(v[:3], ", "), len(v)-3)
	}
	return strings.Join(v, " or ")
}

// gapReason says in one sentence who is open.
func (e *Engine) gapReason(c *compiledQuestion, p *Proof, cohorts []cohort) string {
	open := c.opens()
	if kinds := e.standIns(cohorts); kinds != "" {
		return "no account asked about is in the export; " + kinds + " could " + open
	}
	bg := true
	for i := range p.Gaps {
		bg = bg && p.Gaps[i].Who.BreakGlass
	}
	s := fmt.Sprintf("%d of %d accounts can %s", p.Open, p.Accounts, open)
	if p.Accounts == 1 {
		s = "the account can " + open
	}
	if bg {
		s += "; all of them are break-glass accounts, which may use another method but not none"
	}
	return s
}

// opens says what somebody can do where the answer is no.
func (q *Question) opens() string {
	if s := openWords[q.Name]; s != "" {
		return s
	}
	switch q.Require {
	case RequirePhishing:
		return "sign in without phishing-resistant MFA"
	case RequireBlock:
		return "sign in without being blocked"
	}
	return "sign in without MFA"
}

// openWords are the words of questions whose protection says too little.
var openWords = map[string]string{
	"mfa-every-user":                   "sign in without MFA even in the ordinary way",
	"mfa-admin-roles":                  "use a directory role without MFA",
	"legacy-blocked":                   "still use legacy authentication",
	"phishing-resistant-admins":        "use a directory role without phishing-resistant MFA",
	"register-security-info-protected": "register a method without MFA",
}

func (e *Engine) provedReason(cohorts []cohort) string {
	accounts, seen := 0, make([]bool, e.subjectCount())
	for _, co := range cohorts {
		for _, i := range co.subjects {
			if a := e.account(int(i)); !seen[a] {
				seen[a] = true
				accounts++
			}
		}
	}
	switch kinds := e.standIns(cohorts); {
	case kinds != "":
		return "every sign-in of " + kinds + " is covered by an enforced policy; no account asked about is in the export"
	case accounts == 1:
		return "every sign-in of the one account asked about is covered by an enforced policy"
	}
	return fmt.Sprintf("every sign-in of all %d accounts asked about is covered by an enforced policy", accounts)
}

// standIns names the subjects asked about when all of them only stand for
// accounts that are not in the export; else it is "".
func (e *Engine) standIns(cohorts []cohort) string {
	var names []string
	for _, co := range cohorts {
		for _, i := range co.subjects {
			if a := e.account(int(i)); a < len(e.tenant.Users) {
				return ""
			}
			names = append(names, e.subject(int(i)).label())
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	return join(names)
}

// policyUses says how each policy counts.
func (e *Engine) policyUses(c *compiledQuestion) []PolicyUse {
	out := []PolicyUse{}
	for i, p := range e.policies {
		if e.origin[i] != i {
			continue
		}
		u := PolicyUse{ID: p.ID, Policy: p.DisplayName, State: p.State}
		d := &e.demands[i]
		switch {
		case p.Conditions.Workload:
			u.Why = "selects workloads, not users"
		case e.unsupported.has(i):
			u.Why = "not counted as protection, because it uses what is not known here: " + p.misread()
		case p.ReportOnly():
			u.Why = "report-only: it writes what it would do"
		case !p.Enforced():
			u.Why = "not enabled"
		case e.anyCopy(c.protects, i) && d.hasAlternative() && !d.block:
			u.Counts, u.Why = true, "counts where "+d.text()+" comes down to MFA"
		case e.anyCopy(c.protects, i):
			u.Counts, u.Why = true, "asks for "+d.text()
		default:
			u.Why = "asks for " + grantText(p, d) + ", which is not what is asked here"
		}
		out = append(out, u)
	}
	return out
}

// facts adds what a reader should know beside the verdict.
func (e *Engine) facts(c *compiledQuestion) []string {
	out := []string{}
	if d := e.tenant.Defaults; d != nil && d.IsEnabled.True() {
		out = append(out, "security defaults are on: by Microsoft's word they meet the MFA requirement, but they challenge only administrators and "+
			"Azure management at every sign-in")
	}
	names := map[string]int{}
	for _, p := range e.tenant.Policies {
		if p.ID != "" {
			names[strings.ToLower(p.ID)]++
		}
	}
	for _, p := range e.tenant.Policies {
		if names[strings.ToLower(p.ID)] > 1 {
			out = append(out, "some policy ids occur more than once; each copy is judged by itself")
			break
		}
	}
	return out
}
