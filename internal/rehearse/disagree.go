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

// Disagreements lists, per account, app and client, the rows that were not
// challenged although today's settings ask for MFA or block. e must be the
// first engine the history was made for.
func Disagreements(h *History, e *access.Engine) (out []Disagreement) {
	in := Input{Today: e, Then: e, History: h}
	patterns := h.Patterns()
	seen := map[string]bool{}
	for _, key := range sortedKeys(patterns) {
		p := patterns[key]
		if p.NotChallenged == 0 {
			continue
		}
		o := in.outcome(e, 0, p)
		if o != access.MFARequired && o != access.Blocked {
			continue
		}
		if at := p.Account + "\x00" + p.App + "\x00" + p.Client; seen[at] {
			continue
		} else {
			seen[at] = true
		}
		says := "asks this sign-in for MFA"
		if o == access.Blocked {
			says = "blocks this sign-in"
		}
		point := p.Points[0]
		point.User = in.subject(e, p)
		by := e.Protecting(point)
		out = append(out, Disagreement{
			Account: nonEmpty(p.UPN, p.Account), At: p.OpenAt, RecordID: p.OpenID, Source: p.OpenSource,
			Text: fmt.Sprintf("the settings say: %s %s; the log says: it succeeded at %s by %s without MFA (%d rows)", strings.Join(by, " and "), says, nonEmpty(p.App, "an app"), nonEmpty(p.Client, "an unnamed client"), p.NotChallenged),
		})
	}
	return out
}
