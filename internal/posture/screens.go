package posture

import (
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// Screens are the feature's pages.
func (s *Store) Screens() []screen.Screen {
	return []screen.Screen{s.statusScreen(), s.exceptionsScreen()}
}

func verdictSaid(v string) *page.Said {
	x := page.SaidOf(v)
	return &x
}

// verdictOrder is the order of verdicts, the worst first.
var verdictOrder = []string{NotMet, Unknown, Attested, Met, NotApplicable}

// opens is what a requirement counts: the page that lists it.
func opens(id, tenant string) string {
	to := map[string][]string{
		"mfa-every-user":                          {"/people", "verdict", NotMet},
		"mfa-every-sign-in":                       {"/signins", "verdict", "not_challenged"},
		"mfa-admin-roles":                         {"/people", "class", "admin", "class", "break-glass", "verdict", NotMet},
		"legacy-authentication":                   {"/people", "legacy", "yes"},
		"modern-authentication-clients":           {"/people", "legacy", "yes"},
		"app-passwords":                           {"/people", "legacy", "yes"},
		"security-defaults-or-conditional-access": {"/people", "ordinary", "open"},
		"risk-based-access":                       {"/coverage"},
		"third-party-mfa-claim":                   {"/signins"},
		"third-party-mfa-exception":               {"/coverage"},
		"privileged-identity-management":          {"/people", "class", "admin"},
		"entra-id-p2-admin-agents":                {"/people", "class", "admin"},
	}[id]
	switch id {
	case "automation-without-user-credentials":
		return "/automation?sure=certain&sure=likely"
	case "secure-application-model":
		return "/automation"
	case "no-dap", "inactive-dap":
		return "/customers?dap=yes"
	case "gdap-least-privilege":
		return "/customers?power=global&power=road"
	case "customer-admin-mfa", "customer-spending-budget":
		return "/customers"
	case "security-alerts-answered", "azure-fraud-watch":
		return "/fraud"
	case "sign-in-log-access":
		return "/collection?q=signIns"
	}
	if to == nil {
		return ""
	}
	return screen.With(to[0], append(to[1:len(to):len(to)], "tenant", tenant)...)
}

// ruleText is what a requirement asks for, with where that is written.
func ruleText(id string) (text, source string) {
	if r, ok := partner.Find(id); ok {
		return r.Text, page.DocURL(r.Source)
	}
	return "", ""
}

// bindingWords say how a rule stands.
var bindingWords = map[string]string{
	"not_yet": "not announced yet", "announced": "announced, not binding yet", "contract": "binding by contract",
	"enforced": "binding, and enforced by Microsoft", "advised": "recommended, not binding", "exempt": "does not bind this partner",
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// stepsOf are the bars of verdicts by day: tall is not met, half unknown, low met or
// attested; hatched where nothing was judged.
func stepsOf(days []string) []screen.Step {
	out := make([]screen.Step, len(days))
	for i, v := range days {
		switch v {
		case "":
			out[i] = screen.Step{Void: true, High: 1}
		case NotMet:
			out[i] = screen.Step{High: 1, Tone: print.Bad}
		case Unknown:
			out[i] = screen.Step{High: 0.6, Tone: print.Doubt}
		case Attested:
			out[i] = screen.Step{High: 0.25, Tone: print.Vouched}
		case Met:
			out[i] = screen.Step{High: 0.25, Tone: print.Good}
		default:
			out[i] = screen.Step{High: 0.1, Tone: print.Muted}
		}
	}
	return out
}

// spokenDays say the bars in words: what it was from which day on.
func spokenDays(title string, days []string, first time.Time) string {
	var parts []string
	for i, v := range days {
		if i > 0 && days[i-1] == v {
			continue
		}
		word := "not judged"
		if v != "" {
			word = print.VerdictWord(v)
		}
		parts = append(parts, word+" from "+first.AddDate(0, 0, i).Format("2 Jan"))
	}
	return title + ": " + strings.Join(parts, ", ")
}
