package graph

import (
	"net/http"

	"partnerguard/internal/partnercloud/world"
)

const riskyPath = "identityProtection/riskyUsers"

func riskOf(u *world.User) string {
	if u.Risk == "" {
		return "none"
	}
	return u.Risk
}

func isRisky(u *world.User) bool {
	return riskOf(u) != "none" || u.RiskState != "" && u.RiskState != "none"
}

// newRiskyShape shows riskyUsers of Identity Protection (contracts.md section
// 3.10) to a caller.
func newRiskyShape(c *call) *shape {
	type u = *world.User
	return newShape("riskyUser", func(x any) string { return x.(u).ID },
		f("id", func(x u) any { return x.ID }),
		f("isDeleted", func(u) any { return false }),
		f("isProcessing", func(u) any { return false }),
		f("riskDetail", func(x u) any {
			if x.RiskDetail == "" {
				return "none"
			}
			return c.evolve(x.RiskDetail)
		}),
		f("riskLastUpdatedDateTime", func(x u) any { return later(x.RiskAt, x.Created) }),
		f("riskLevel", func(x u) any { return riskOf(x) }),
		f("riskState", func(x u) any {
			switch {
			case x.RiskState != "":
				return x.RiskState
			case riskOf(x) != "none":
				return "atRisk"
			}
			return "none"
		}),
		f("userDisplayName", func(x u) any { return x.Name }),
		f("userPrincipalName", func(x u) any { return x.UPN }),
	)
}

func needP2Risk(_ *call, _ *world.State, t *world.Tenant) error {
	if !t.HasPlan(world.PlanP2) {
		return refuse(http.StatusForbidden, "AadPremiumLicenseRequired",
			"Your tenant is not licensed for this feature: Identity Protection needs Microsoft Entra ID P2.")
	}
	return nil
}

func riskyUsers(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, riskyPath, newRiskyShape(c), rowsWhere(&t.Users, isRisky))
}

// verdict is what an administrator says of a user's risk.
type verdict struct{ level, state, detail, activity string }

func (c *call) verdict() verdict {
	switch c.route.last() {
	case "dismiss":
		return verdict{"none", "dismissed", "adminDismissedAllRiskForUser", "DismissUser"}
	case "confirmCompromised":
		return verdict{"high", "confirmedCompromised", "adminConfirmedUserCompromised", "ConfirmAccountCompromised"}
	}
	return verdict{"none", "confirmedSafe", "adminConfirmedAccountSafe", "ConfirmAccountSafe"}
}

// judgeRisk answers dismiss, confirmCompromised and confirmSafe.
func judgeRisk(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := (fields{"userIds": list(text()).need().upTo(60)}).check("", c.in); err != nil {
		return nil, err
	}
	ids := strs(c.in, "userIds")
	if len(ids) == 0 {
		return nil, badRequest("The body must name userIds.")
	}
	for _, id := range ids {
		if t.Users.Get(id) == nil {
			return nil, notFound(id)
		}
	}
	act := c.verdict()
	for _, id := range ids {
		x := t.Users.Get(id)
		ch := change{activity: act.activity, category: "Other", service: "Identity Protection", target: userTarget(x)}
		ch.changed("RiskState", x.RiskState, act.state)
		ch.changed("RiskLevel", x.Risk, act.level)
		n := s.Change()
		t.Users.Change(id, func(x *world.User) {
			x.Risk, x.RiskState, x.RiskDetail, x.RiskAt, x.Changed = act.level, act.state, act.detail, c.now, n
		})
		c.audit(s, t, ch)
	}
	s.Touch(t)
	return noContent()
}
