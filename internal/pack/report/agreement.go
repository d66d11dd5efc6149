package report

import (
	"time"

	"partnerguard/internal/partner"
)

// agreementChange is the rule book's dated change by which a new edition comes into force.
const agreementChange = "partner-agreement"

// AgreementOn is the edition of Microsoft's partner agreement that is in force on a day, as
// far as it is known: editions have no number, so it is told by the day of their revision.
// Source: contracts-2026-11 section 1.1.
func AgreementOn(at time.Time) Agreement {
	for _, c := range partner.Changes() {
		if c.ID != agreementChange {
			continue
		}
		day := c.Date.String()
		if at.Before(c.Date.Time) {
			return Agreement{Edition: "Microsoft Partner Agreement and CSP Program Guide before the revision of " + day, Source: c.Source}
		}
		return Agreement{Edition: "Microsoft Partner Agreement and CSP Program Guide as revised, in force since " + day +
			" (in France from acceptance, at the latest 2027-02-28)", Since: day, Source: c.Source}
	}
	return Agreement{Edition: "not known", Source: "the rule book"}
}
