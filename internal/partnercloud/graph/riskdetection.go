package graph

import (
	"cmp"
	"slices"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// Risk detections of Identity Protection: what made a user or a sign-in risky, as far
// as this cloud knows it. Generated history holds none.

const detectionsPath = "identityProtection/riskDetections"

// detection is one of them. row is the sign-in it was seen in, nil when it is about
// the account.
type detection struct {
	id   string
	at   time.Time
	user *world.User
	row  *world.SignIn
}

// event is what was detected: of accounts made risky by the scenario it is taken to be
// a password that is known elsewhere.
func (d *detection) event() string {
	switch {
	case d.row != nil:
		return "unfamiliarFeatures"
	case d.user.RiskDetail == "adminConfirmedUserCompromised":
		return "adminConfirmedUserCompromised"
	}
	return "leakedCredentials"
}

func (d *detection) level() string {
	if d.row != nil {
		return d.row.RiskDuring
	}
	return riskOf(d.user)
}

func newDetectionShape() *shape {
	type r = *detection
	of := func(d r, with func(*world.SignIn) any) any {
		if d.row == nil {
			return nil
		}
		return with(d.row)
	}
	return newShape("riskDetection", func(x any) string { return x.(r).id },
		f("id", func(x r) any { return x.id }),
		f("requestId", func(x r) any { return of(x, func(s *world.SignIn) any { return s.ID }) }),
		f("correlationId", func(x r) any { return of(x, func(s *world.SignIn) any { return s.CorrelationID }) }),
		f("riskEventType", func(x r) any { return x.event() }),
		f("riskType", func(x r) any { return x.event() }),
		f("riskState", func(x r) any { return cmp.Or(x.user.RiskState, "atRisk") }),
		f("riskLevel", func(x r) any { return x.level() }),
		f("riskDetail", func(x r) any { return cmp.Or(x.user.RiskDetail, "none") }),
		f("source", func(r) any { return "IdentityProtection" }),
		f("detectionTimingType", func(x r) any {
			if x.row != nil {
				return "realtime"
			}
			return "offline"
		}),
		f("activity", func(x r) any {
			if x.row != nil {
				return "signin"
			}
			return "user"
		}),
		f("tokenIssuerType", func(r) any { return "AzureAD" }),
		f("ipAddress", func(x r) any { return of(x, func(s *world.SignIn) any { return s.IPAddress }) }),
		f("activityDateTime", func(x r) any { return x.at }),
		f("detectedDateTime", func(x r) any { return x.at }),
		f("lastUpdatedDateTime", func(x r) any { return later(x.user.RiskAt, x.at) }),
		f("userId", func(x r) any { return x.user.ID }),
		f("userDisplayName", func(x r) any { return x.user.Name }),
		f("userPrincipalName", func(x r) any { return x.user.UPN }),
		f("additionalInfo", func(r) any { return "[]" }),
		f("location", func(x r) any { return of(x, func(s *world.SignIn) any { return s.Place }) }),
		f("mitreTechniqueId", func(r) any { return nil }),
	)
}

// detections lists what was detected, newest first.
func (c *call) detections(t *world.Tenant) []*detection {
	var out []*detection
	for u := range t.Users.All() {
		if isRisky(u) {
			out = append(out, &detection{id: world.HashSecret("risk/" + u.ID + "/" + u.RiskAt.String()), at: later(u.RiskAt, u.Created), user: u})
		}
	}
	for _, row := range t.SignIns {
		if !slices.Contains(words("low medium high"), row.RiskDuring) || c.young(row) {
			continue
		}
		if u := t.Users.Get(row.UserID); u != nil {
			out = append(out, &detection{id: world.HashSecret("risk/" + row.ID), at: row.CreatedDateTime.Time, user: u, row: row})
		}
	}
	slices.SortStableFunc(out, func(a, b *detection) int { return b.at.Compare(a.at) })
	return out
}

func riskDetections(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.detection
	return c.show(t, detectionsPath, sh, slice(c.detections(t), sh.key))
}
