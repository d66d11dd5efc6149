package graph

import (
	"math"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/access"
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
	r := &reading{
		id: t.ID, engine: s.Engine(t), admins: adminsOf(t, c.now), enabled: map[string]bool{}, able: map[string]bool{},
		fresh: &insight{version: t.Version(), day: day, defaults: t.SecurityDefaults},
	}
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
		{ns + "adminsMfaEnforcedSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a01", "mfaEnforcedForAdmins",
			world.ScorePart(mine.adminsMet, mine.admins), mine.adminsMet == mine.admins, object{
				{"legacyPerUserMfaStatus", status(mine.legacy)}, {"mfaConditionalAccessPolicyStatus", status(mine.ca)},
				{"securityDefaultsStatus", status(mine.defaults)},
				{"totalAdminsCount", mine.admins}, {"mfaEnabledAdminsCount", mine.adminsMet - mine.adminsBare},
				{"adminsRequiredNotUsingMfaCount", mine.adminsBare},
				{"totalUsersCount", mine.users}, {"mfaEnabledUsersCount", mine.usersMet - mine.usersBare}, {"usersRequiredNotUsingMfaCount", mine.usersBare},
			}},
		{
			ns + "responseTimeSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a02", "securityAlertsPromptlyResolved",
			world.ScorePart(boolInt(hours <= world.ResponseGoal), 1), hours <= world.ResponseGoal,
			object{{"averageResponseTimeInHours", math.Round(hours*100) / 100}},
		},
		{ns + "securityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a03", "securityContactProvided", world.ScorePart(boolInt(contact), 1), contact, nil},
		{
			ns + "customersMfaEnforcedSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a04", "mfaEnforcedForAdminsOfCustomers",
			world.ScorePart(compliant, total), compliant == total, object{{"compliantTenantCount", compliant}, {"totalTenantCount", total}},
		},
		{
			ns + "customersSpendingBudgetSecurityRequirement", "c5a32ae5-0f0c-4d5f-9d1c-5d2a1c3f0a05", "spendingBudgetSetForCustomerAzureSubscriptions",
			world.ScorePart(budgets, azure), budgets == azure, object{{"customersWithSpendBudgetCount", budgets}, {"totalCustomersCount", azure}},
		},
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
