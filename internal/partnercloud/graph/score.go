package graph

import (
	"math"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// insight is what the score knows of one tenant's MFA.
type insight struct {
	version int64
	day     int64

	users, admins        int // enabled accounts
	usersMet, adminsMet  int // whom settings ask for MFA
	usersBare            int // of those, with no method registered
	adminsBare           int
	defaults, ca, legacy bool
}

// scoreCache keeps insights by tenant until the tenant or the day changes.
type scoreCache struct {
	mu   sync.Mutex
	seen map[string]*insight
}

// reading is what an insight is computed from; everything in it is immutable.
type reading struct {
	id       string
	engine   *access.Engine
	admins   map[string]bool
	enabled  map[string]bool
	able     map[string]bool
	fresh    *insight // with version, day and flags filled in
	finished *insight // from the cache
}

// read collects what an insight needs, within the world's lock.
func (c *call) read(s *world.State, t *world.Tenant) *reading {
	day := c.now.Unix() / 86400
	c.g.score.mu.Lock()
	old := c.g.score.seen[t.ID]
	c.g.score.mu.Unlock()
	if old != nil && old.version == t.Version() && old.day == day {
		return &reading{id: t.ID, finished: old}
	}
	r := &reading{id: t.ID, engine: s.Engine(t), admins: adminsOf(t, c.now), enabled: map[string]bool{}, able: map[string]bool{}, fresh: &insight{version: t.Version(), day: day, defaults: t.SecurityDefaults}}
	for _, p := range r.engine.Tenant().Policies {
		r.fresh.ca = r.fresh.ca || p.Enforced() && p.RequiresMFA()
	}
	for u := range t.Users.All() {
		k := strings.ToLower(u.ID)
		r.enabled[k] = u.Enabled
		r.able[k] = len(signon.Possible(t, u)) > 0
		r.fresh.legacy = r.fresh.legacy || u.PerUserMFA == "enabled" || u.PerUserMFA == "enforced"
	}
	return r
}

// finish asks the access engine who must use MFA at an ordinary sign-in. It runs
// outside of the lock. Security defaults count for everybody, as in Microsoft's
// score (K), although they do not ask at every sign-in.
func (c *call) finish(r *reading) *insight {
	if r.finished != nil {
		return r.finished
	}
	in := r.fresh
	covers, err := r.engine.Coverage(access.Question{Name: "score", Require: access.RequireMFA, Ordinary: true})
	for i, u := range r.engine.Tenant().Users {
		if !r.enabled[u.ID] || u.Exempt {
			continue
		}
		met := in.defaults || err == nil && i < len(covers) && covers[i] == access.Covered
		bare := met && !r.able[u.ID]
		in.users++
		count(met, &in.usersMet)
		count(bare, &in.usersBare)
		if r.admins[u.ID] {
			in.admins++
			count(met, &in.adminsMet)
			count(bare, &in.adminsBare)
		}
	}
	c.g.score.mu.Lock()
	if c.g.score.seen == nil {
		c.g.score.seen = map[string]*insight{}
	}
	c.g.score.seen[r.id] = in
	c.g.score.mu.Unlock()
	return in
}

func count(yes bool, n *int) {
	if yes {
		*n++
	}
}

func status(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

// requirement is one row of the score.
type requirement struct {
	typ, id, kind string
	score         int
	met           bool
	more          object
}

// requirements computes the score's requirements from the world.
func (c *call) requirements() ([]requirement, time.Time, []world.Score, error) {
	var own *reading
	var ids []string
	var contact bool
	var hours float64
	var budgets, azure int
	var history []world.Score
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		own = c.read(s, t)
		contact = t.SecurityContact != ""
		hours, _ = t.ResponseHours(c.now)
		history = append(history, t.ScoreHistory...)
		for cust := range t.Customers.All() {
			if cust.Relationship == "none" {
				continue
			}
			ids = append(ids, cust.TenantID)
			for _, sub := range cust.Subscriptions {
				if sub.AzurePlan && sub.Status == "active" {
					azure++
					count(cust.Budget != nil, &budgets)
					break
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, c.now, nil, err
	}
	mine := c.finish(own)
	compliant, total := 0, 0
	for _, in := range c.insights(ids) {
		total++
		count(in.admins == in.adminsMet, &compliant)
	}
	const ns = "partner.security."
	list := []requirement{
		{ns + "adminsMfaEnforcedSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a01", "mfaEnforcedForAdmins", world.ScorePart(mine.adminsMet, mine.admins), mine.adminsMet == mine.admins, object{
			{"legacyPerUserMfaStatus", status(mine.legacy)}, {"mfaConditionalAccessPolicyStatus", status(mine.ca)}, {"securityDefaultsStatus", status(mine.defaults)},
			{"totalAdminsCount", mine.admins}, {"mfaEnabledAdminsCount", mine.adminsMet - mine.adminsBare}, {"adminsRequiredNotUsingMfaCount", mine.adminsBare},
			{"totalUsersCount", mine.users}, {"mfaEnabledUsersCount", mine.usersMet - mine.usersBare}, {"usersRequiredNotUsingMfaCount", mine.usersBare},
		}},
		{ns + "responseTimeSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a02", "securityAlertsPromptlyResolved", world.ScorePart(boolInt(hours <= world.ResponseGoal), 1), hours <= world.ResponseGoal, object{{"averageResponseTimeInHours", math.Round(hours*100) / 100}}},
		{ns + "securityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a03", "securityContactProvided", world.ScorePart(boolInt(contact), 1), contact, nil},
		{ns + "customersMfaEnforcedSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a04", "mfaEnforcedForAdminsOfCustomers", world.ScorePart(compliant, total), compliant == total, object{{"compliantTenantCount", compliant}, {"totalTenantCount", total}}},
		{ns + "customersSpendingBudgetSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a05", "spendingBudgetSetForCustomerAzureSubscriptions", world.ScorePart(budgets, azure), budgets == azure, object{{"customersWithSpendBudgetCount", budgets}, {"totalCustomersCount", azure}}},
	}
	return list, c.now, history, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// insights computes those of several tenants, a few at a time so that nobody
// waits long for the lock.
func (c *call) insights(ids []string) []*insight {
	var out []*insight
	for len(ids) > 0 {
		n := min(len(ids), 20)
		var chunk []*reading
		c.g.world.Read(func(s *world.State) {
			for _, id := range ids[:n] {
				if t := s.Tenant(id); t != nil {
					chunk = append(chunk, c.read(s, t))
				}
			}
		})
		for _, r := range chunk {
			out = append(out, c.finish(r))
		}
		ids = ids[n:]
	}
	return out
}

func compliance(met bool) string {
	if met {
		return "compliant"
	}
	return "noncomplaint" // spelt so in the schema
}

// insightPage is the server's page of customer insights.
const insightPage = 100

func (p *router) scores() {
	const path = "security/partner/securityScore"
	perm := allow("PartnerSecurity.Read.All PartnerSecurity.ReadWrite.All")
	perm.partner = true
	perm.custom = func(c *call, _ *world.State, t *world.Tenant) error {
		if c.caller.AppOnly() || c.hasRole(securityReader, securityAdmin, securityOperator, globalReader) || t.InGroup(c.caller.ObjectID, world.AdminAgents) {
			return nil
		}
		return denied()
	}
	type root struct {
		score, max int
		at         time.Time
	}
	rootShape := newShape("partner.security.partnerSecurityScore", func(any) string { return "" },
		f("id", func(root) any { return "partnerSecurityScore" }),
		f("currentScore", func(x root) any { return x.score }),
		f("maxScore", func(x root) any { return x.max }),
		f("updatedDateTime", func(x root) any { return x.at }),
		f("lastRefreshDateTime", func(x root) any { return x.at }),
	)
	p.add("GET", path, route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		list, at, _, err := c.requirements()
		if err != nil {
			return nil, err
		}
		x := root{at: at, max: len(list) * world.ScorePoints}
		for _, r := range list {
			x.score += r.score
		}
		return c.one(nil, nil, path+"!", rootShape, x)
	}})
	req := newShape("partner.security.securityRequirement", func(x any) string { return x.(requirement).id })
	reqShape := func(at time.Time) *shape {
		sh := newShape("partner.security.securityRequirement", req.key,
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
	wrap := func(c *call, sh *shape, r requirement) *entity {
		e := c.entity(sh, r)
		if c.selection() == nil {
			e.extra = r.more
		}
		return e
	}
	p.add("GET", path+"/requirements", route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		list, at, _, err := c.requirements()
		if err != nil {
			return nil, err
		}
		sh := reqShape(at)
		rows := []*entity{}
		for _, r := range list {
			rows = append(rows, wrap(c, sh, r))
		}
		return c.list(nil, nil, &listing{shape: sh, context: path + "/requirements", since: slice(rows, func(x any) string { e := x.(*entity); return e.key(e.row) }), noTop: true})
	}})
	p.add("GET", path+"/requirements/{}", route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		list, at, _, err := c.requirements()
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if strings.EqualFold(r.id, c.params[0]) {
				sh := reqShape(at)
				return c.one(nil, nil, path+"/requirements", sh, wrap(c, sh, r))
			}
		}
		return nil, notFound(c.params[0])
	}})
	hist := newShape("partner.security.securityScoreHistory", func(x any) string { return scoreID(x.(world.Score)) },
		f("id", func(x world.Score) any { return scoreID(x) }),
		f("createdDateTime", func(x world.Score) any { return x.At }),
		f("score", func(x world.Score) any { return x.Score }),
		f("compliantRequirementsCount", func(x world.Score) any { return x.Compliant }),
		f("totalRequirementsCount", func(x world.Score) any { return x.Total }),
	)
	p.add("GET", path+"/history", route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		list, at, past, err := c.requirements()
		if err != nil {
			return nil, err
		}
		today := world.Score{At: at.Truncate(24 * time.Hour), Total: len(list)}
		for _, r := range list {
			today.Score += float64(r.score)
			count(r.met, &today.Compliant)
		}
		rows := []world.Score{}
		for _, h := range past {
			if h.At.Before(today.At) {
				rows = append(rows, h)
			}
		}
		rows = append(rows, today)
		return c.list(nil, nil, &listing{shape: hist, context: path + "/history", since: slice(rows, hist.key), noTop: true})
	}})
	type row struct {
		tenant string
		in     *insight
	}
	ins := newShape("partner.security.customerInsight", func(x any) string { return x.(row).tenant },
		f("tenantId", func(x row) any { return x.tenant }),
		f("mfa", func(x row) any {
			return object{
				{"compliantAdminsCount", x.in.adminsMet}, {"compliantNonAdminsCount", x.in.usersMet - x.in.adminsMet}, {"legacyPerUserMfaStatus", status(x.in.legacy)},
				{"mfaConditionalAccessPolicyStatus", status(x.in.ca)}, {"securityDefaultsStatus", status(x.in.defaults)}, {"totalUsersCount", x.in.users},
			}
		}),
	)
	p.add("GET", path+"/customerInsights", route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		if err := ins.checkNames(c, c.q); err != nil {
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
			page = append(page, c.entity(ins, row{ids[i], in}))
		}
		return c.page(path+"/customerInsights", page, next, -1, nil), nil
	}})
	p.add("GET", path+"/customerInsights/{}", route{only: "beta", permit: perm, service: unlimited, free: func(c *call) (*reply, error) {
		known := false
		c.g.world.Read(func(s *world.State) {
			x := s.Tenant(c.caller.Tenant).Customers.Get(c.params[0])
			known = x != nil && x.Relationship != "none" && s.Tenant(x.TenantID) != nil
		})
		if !known {
			return nil, notFound(c.params[0])
		}
		return c.one(nil, nil, path+"/customerInsights", ins, row{strings.ToLower(c.params[0]), c.insights([]string{c.params[0]})[0]})
	}})
}

func scoreID(x world.Score) string {
	h := world.HashSecret("score/" + x.At.UTC().Format("2006-01-02"))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}
