package rehearse

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// Disagreement is a place where settings and log say different things. Either
// the settings changed since, or the log or the export is not what it seems:
// it is a finding, and never settled silently.
type Disagreement struct {
	Account  string
	Text     string // both sides, in words
	At       time.Time
	RecordID string
	Source   evidence.Source
}

// Disagreements lists, once for each account, app and client, the sign-ins that
// today's settings ask for MFA or block although the log shows a success
// without, and, when reverse is set, those that MFA was demanded of although no
// setting asks for it. reverse makes sense only where e knows all settings, and
// not under security defaults, which challenge when Microsoft sees a need. e
// must be the first engine the history was made for.
func Disagreements(h *History, e *access.Engine, reverse bool) (out []Disagreement) {
	x := newReplay(&Input{Today: e, Then: e, History: h}, h.join())
	patterns := h.Patterns()
	seen := map[string]bool{}
	for _, key := range sortedKeys(patterns) {
		p := patterns[key]
		var d Disagreement
		var row Newest
		switch o := x.outcome(0, p); {
		case p.NotChallenged > 0 && (o == access.MFARequired || o == access.Blocked):
			says := "asks this sign-in for MFA"
			if o == access.Blocked {
				says = "blocks this sign-in"
			}
			_, point := x.at(0, p)
			row = p.Open
			d.Text = fmt.Sprintf("the settings say: %s %s; the log says: it succeeded at %s by %s without MFA (%s)",
				nonEmpty(strings.Join(e.Protecting(point), " and "), "a policy"), says, nonEmpty(p.App, "an app"), nonEmpty(p.Client, "an unnamed client"),
				countRows(p.NotChallenged))
		case reverse && p.Demanded > 0 && o == access.MFANotRequired:
			row = p.Asked
			d.Text = fmt.Sprintf("the settings say: nothing asks this sign-in for MFA; the log says: MFA was demanded at %s by %s (%s)",
				nonEmpty(p.App, "an app"), nonEmpty(p.Client, "an unnamed client"), countRows(p.Demanded))
		default:
			continue
		}
		d.Account, d.At, d.RecordID, d.Source = nonEmpty(p.UPN, p.Account), row.At, row.ID, row.Source
		kind, _, _ := strings.Cut(d.Text, ";")
		if at := p.Account + "\x00" + p.App + "\x00" + p.Client + "\x00" + kind; !seen[at] {
			seen[at] = true
			out = append(out, d)
		}
	}
	return out
}

func countRows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}
