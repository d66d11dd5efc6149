package graph

import (
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const scorePath = "security/partner/securityScore"

// insightPage is the server's page of customer insights.
const insightPage = 100

// scoreRow is the score as a whole.
type scoreRow struct {
	score, max int
	at         time.Time
}

func newScoreShape() *shape {
	type root = scoreRow
	return newShape("partner.security.partnerSecurityScore", func(any) string { return "" },
		f("id", func(root) any { return "partnerSecurityScore" }),
		f("currentScore", func(x root) any { return x.score }),
		f("maxScore", func(x root) any { return x.max }),
		f("updatedDateTime", func(x root) any { return x.at }),
		f("lastRefreshDateTime", func(x root) any { return x.at }),
	)
}

func getScore(c *call) (*reply, error) {
	list, at, _, err := c.requirements()
	if err != nil {
		return nil, err
	}
	x := scoreRow{at: at, max: len(list) * world.ScorePoints}
	for _, r := range list {
		x.score += r.score
	}
	return c.one(nil, scorePath+"!", c.g.sh.score, x)
}

// newRequirementShape shows the requirements of one moment.
func newRequirementShape(at time.Time) *shape {
	sh := newShape("partner.security.securityRequirement", func(x any) string { return x.(requirement).id },
		f("id", func(x requirement) any { return x.id }),
		f("requirementType", func(x requirement) any { return x.kind }),
		f("complianceStatus", func(x requirement) any { return compliance(x.met) }),
		f("score", func(x requirement) any { return x.score }),
		f("maxScore", func(requirement) any { return world.ScorePoints }),
		f("state", func(requirement) any { return "active" }),
		f("actionUrl", func(x requirement) any { return "https://" + entra.PartnerHost + "/dashboard/v2/securityworkspace" }),
		f("helpUrl", func(requirement) any {
			return "https://learn.microsoft.com/partner-center/security/partner-security-requirements"
		}),
		f("updatedDateTime", func(requirement) any { return at }),
	)
	sh.kind = func(x any) string { return x.(requirement).typ }
	return sh
}

// requirement adds what rows of its type have besides.
func (c *call) requirement(sh *shape, r requirement) *entity {
	e := c.entity(sh, r)
	if c.selection() == nil {
		e.extra = r.more
	}
	return e
}

func listRequirements(c *call) (*reply, error) {
	list, at, _, err := c.requirements()
	if err != nil {
		return nil, err
	}
	sh := newRequirementShape(at)
	all := []*entity{}
	for _, r := range list {
		all = append(all, c.requirement(sh, r))
	}
	return c.list(nil, scorePath+"/requirements", sh, slice(all, func(x any) string { e := x.(*entity); return e.key(e.row) }))
}

func getRequirement(c *call) (*reply, error) {
	list, at, _, err := c.requirements()
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if strings.EqualFold(r.id, c.params[0]) {
			sh := newRequirementShape(at)
			return c.one(nil, scorePath+"/requirements", sh, c.requirement(sh, r))
		}
	}
	return nil, notFound(c.params[0])
}

func newHistoryShape() *shape {
	return newShape("partner.security.securityScoreHistory", func(x any) string { return scoreID(x.(world.Score)) },
		f("id", func(x world.Score) any { return scoreID(x) }),
		f("createdDateTime", func(x world.Score) any { return x.At }),
		f("score", func(x world.Score) any { return x.Score }),
		f("compliantRequirementsCount", func(x world.Score) any { return x.Compliant }),
		f("totalRequirementsCount", func(x world.Score) any { return x.Total }),
	)
}

func listHistory(c *call) (*reply, error) {
	list, at, past, err := c.requirements()
	if err != nil {
		return nil, err
	}
	today := world.Score{At: at.Truncate(24 * time.Hour), Total: len(list)}
	for _, r := range list {
		today.Score += float64(r.score)
		count(r.met, &today.Compliant)
	}
	all := []world.Score{}
	for _, h := range past {
		if h.At.Before(today.At) {
			all = append(all, h)
		}
	}
	all = append(all, today)
	return c.list(nil, scorePath+"/history", c.g.sh.history, slice(all, c.g.sh.history.key))
}

// insightRow is what the score knows of a customer.
type insightRow struct {
	tenant string
	in     *insight
}

func newInsightShape() *shape {
	type row = insightRow
	return newShape("partner.security.customerInsight", func(x any) string { return x.(row).tenant },
		f("tenantId", func(x row) any { return x.tenant }),
		f("mfa", func(x row) any {
			return object{
				{"compliantAdminsCount", x.in.adminsMet}, {"compliantNonAdminsCount", x.in.usersMet - x.in.adminsMet},
				{"legacyPerUserMfaStatus", status(x.in.legacy)},
				{"mfaConditionalAccessPolicyStatus", status(x.in.ca)}, {"securityDefaultsStatus", status(x.in.defaults)}, {"totalUsersCount", x.in.users},
			}
		}),
	)
}

func listInsights(c *call) (*reply, error) {
	if err := c.g.sh.insight.checkNames(c, c.q); err != nil {
		return nil, err
	}
	if c.q.Has("$top") || c.q.Has("$skip") || c.q.Filter != nil || len(c.q.OrderBy) > 0 {
		return nil, refuse(400, "BadRequest", "The query options $top, $skip, $filter and $orderby are not supported here.")
	}
	pos, err := c.resume()
	if err != nil {
		return nil, err
	}
	var ids []string
	var next *position
	c.g.world.Read(func(s *world.State) {
		for i, x := range s.Tenant(c.caller.Tenant).Customers.Since(pos.After, pos.At) {
			if x.Relationship == "none" || s.Tenant(x.TenantID) == nil {
				continue
			}
			if len(ids) == insightPage {
				next = &pos
				break
			}
			ids = append(ids, x.TenantID)
			pos = position{After: x.TenantID, At: i}
		}
	})
	page := []*entity{}
	for i, in := range c.insights(ids) {
		page = append(page, c.entity(c.g.sh.insight, insightRow{ids[i], in}))
	}
	return c.page(scorePath+"/customerInsights", page, next, -1, nil), nil
}

func getInsight(c *call) (*reply, error) {
	known := false
	c.g.world.Read(func(s *world.State) {
		x := s.Tenant(c.caller.Tenant).Customers.Get(c.params[0])
		known = x != nil && x.Relationship != "none" && s.Tenant(x.TenantID) != nil
	})
	if !known {
		return nil, notFound(c.params[0])
	}
	row := insightRow{strings.ToLower(c.params[0]), c.insights([]string{c.params[0]})[0]}
	return c.one(nil, scorePath+"/customerInsights", c.g.sh.insight, row)
}

func scoreID(x world.Score) string {
	h := world.HashSecret("score/" + x.At.UTC().Format("2006-01-02"))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}
