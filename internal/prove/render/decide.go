package render

import (
	"io"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// DecideText writes one decided sign-in for a terminal: the outcome and its
// reason, the policies that applied, those that did not and by which clause,
// report-only ones apart, and the methods that could answer.
func DecideText(w io.Writer, a *access.Answer, o Options) error {
	p := &screen{print.NewScreen(w, o), nil, 0}
	p.Headline(outcome(a.Outcome).Tone, print.Sentence(outcome(a.Outcome).Word))
	p.Para("  ", print.Saying(a.Reason), print.Plain)
	p.Para("  ", strings.TrimSpace(print.Clean(a.Account, print.MaxName)+" "+signIn(&a.SignIn)), print.Dim)
	title := "Policies that apply"
	if slices.ContainsFunc(a.Applied, func(u access.Use) bool { return u.Applies != "yes" }) {
		title += " or may apply"
	}
	p.uses(title, "none", a.Applied)
	p.uses("Report-only: what they would do", "", a.Report)
	p.uses("Policies that do not apply", "none", a.Others)
	p.Section("Registered methods that could answer", "")
	switch {
	case !a.AbleKnown:
		p.Para("  ? ", "The account's methods are not in the export.", print.Yellow)
	case len(a.Able) == 0:
		p.Para("  ✗ ", "None.", print.Red)
	}
	for _, m := range a.Able {
		p.Para("  ✓ ", print.Clean(m, print.MaxName), print.Green)
	}
	var notes []string
	for _, n := range a.Notes {
		notes = append(notes, print.Saying(evidence.Brief(n)))
	}
	p.Known(notes)
	return p.Flush()
}

// uses lists policies with what decided each.
func (p *screen) uses(title, none string, list []access.Use) {
	if len(list) == 0 && none == "" {
		return
	}
	aside := none
	if len(list) > 0 {
		aside = print.Number(int64(len(list)))
	}
	p.Section(title, aside)
	for i := range list {
		u := &list[i]
		lead, st := "  ? ", print.Yellow
		switch u.Applies {
		case "yes":
			lead, st = "  ✓ ", print.Green
		case "no":
			lead, st = "  – ", print.Dim
		}
		name := print.Clean(u.Policy, print.MaxName)
		if name == "" {
			name = print.Clean(u.ID, print.MaxName)
		}
		if d := print.Clean(u.Demands, print.MaxSaying); d != "" {
			name += ": " + d
		}
		p.Para(lead, name, st)
		if c := print.Clean(u.Clause, print.MaxSaying); c != "" {
			p.Para("      ", c, print.Plain)
		}
	}
}

// graphPolicy is one policy in the shape of Microsoft's What If answer
// (contracts.md section 3.7): a policy's fields, whether it applies, and why
// not. The engine's own words stand beside it, as an annotation of ours.
type graphPolicy struct {
	ID              string       `json:"id"`
	DisplayName     string       `json:"displayName"`
	State           access.State `json:"state"`
	PolicyApplies   bool         `json:"policyApplies"`
	AnalysisReasons string       `json:"analysisReasons"`
	Clause          string       `json:"@partnerguard.clause,omitempty"`
	Demands         string       `json:"@partnerguard.demands,omitempty"`
}

// DecideGraph writes one decided sign-in in the shape of Microsoft's What If
// answer: every enabled and report-only policy with policyApplies and
// analysisReasons.
func DecideGraph(w io.Writer, a *access.Answer) error {
	doc := struct {
		Context string        `json:"@odata.context"`
		Value   []graphPolicy `json:"value"`
	}{Context: entra.Graph + "/v1.0/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)", Value: []graphPolicy{}}
	for _, list := range [][]access.Use{a.Applied, a.Report, a.Others} {
		for i := range list {
			u := &list[i]
			doc.Value = append(doc.Value, graphPolicy{ID: u.ID, DisplayName: u.Policy, State: u.State,
				PolicyApplies: u.Applies == "yes", AnalysisReasons: analysis(u), Clause: u.Clause, Demands: u.Demands})
		}
	}
	return print.JSON(w, doc)
}

// analysis is the What If word for the clause that left a policy out.
func analysis(u *access.Use) string {
	switch u.Applies {
	case "yes":
		return "notSet"
	case "no":
	default:
		return "notEnoughInformation"
	}
	c := u.Clause
	switch {
	case strings.Contains(c, "the account"), strings.HasPrefix(c, "excludes guests"), strings.HasPrefix(c, "excludes all users"),
		strings.HasPrefix(c, "excludes the group"), strings.HasPrefix(c, "excludes the role"):
		return "users"
	case strings.Contains(c, "sign-in risk"):
		return "signInRisk"
	case strings.Contains(c, "insider risk"):
		return "insiderRisk"
	case strings.Contains(c, "user risk"):
		return "userRisk"
	case strings.HasPrefix(c, "excludes the location "), strings.HasPrefix(c, "excludes all trusted locations"),
		strings.HasPrefix(c, "excludes the compliant network"),
		strings.HasPrefix(c, "excludes the MFA trusted IPs"), strings.HasSuffix(c, "the location"), strings.HasSuffix(c, "any other location"):
		return "location"
	}
	return reasonOf(c)
}

// reasonOf tells the dimension of a clause by the labels that only it has.
// Apps alone have names that a tenant chose.
func reasonOf(clause string) string {
	_, label, _ := strings.Cut(clause, " take ")
	if l, ok := strings.CutPrefix(clause, "takes only "); ok {
		label = l
	}
	first, _, _ := strings.Cut(label, " or ")
	switch first {
	case "browser", "mobile app or desktop client", "mobile app", "Exchange ActiveSync", "another legacy client":
		return "clientApps"
	case "device code flow", "authentication transfer":
		return "authenticationFlow"
	case "android", "iOS", "windows", "windowsPhone", "macOS", "linux", "unknown platform":
		return "devicePlatform"
	}
	switch {
	case strings.Contains(first, "device"):
		return "devices"
	case strings.HasPrefix(first, "urn:user:"), strings.Contains(first, "security information"):
		return "userActions"
	}
	return "application"
}
