package graph

import (
	"encoding/json"
	"slices"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// The identity part of Microsoft's secure score, of this day: what each control is
// worth and how far the tenant is. The points are ours where Microsoft changes them.

const (
	scoresPath   = "security/secureScores"
	profilesPath = "security/secureScoreControlProfiles"
)

// scoreControl is one control of the score: part is how much of it the tenant has, of
// how many.
type scoreControl struct {
	name, title, threat, remedy string
	max, rank                   int
	part                        func(x *posture) (n, of int)
}

// posture is what the controls look at, read once.
type posture struct {
	t                            *world.Tenant
	admins, ready, users, second int
	globals                      int
	legacy, userRisk, signInRisk bool
}

func share(ok bool) (int, int) { return boolInt(ok), 1 }

func controls() []scoreControl {
	return []scoreControl{
		{"AdminMFAV2", "Ensure multifactor authentication is enabled for all users in administrative roles", "accountBreach",
			"Register a second factor for every administrator.", 10, 1, func(x *posture) (int, int) { return x.ready, x.admins }},
		{"MFARegistrationV2", "Ensure multifactor authentication is enabled for all users", "accountBreach",
			"Register a second factor for every user.", 9, 2, func(x *posture) (int, int) { return x.second, x.users }},
		{"BlockLegacyAuthentication", "Enable Conditional Access policies to block legacy authentication", "passwordCracking",
			"Block legacy clients by a policy, or enable security defaults.", 8, 3, func(x *posture) (int, int) { return share(x.legacy) }},
		{"SigninRiskPolicy", "Enable sign-in risk policies", "accountBreach", "Make a policy with the condition sign-in risk.", 7, 4,
			func(x *posture) (int, int) { return share(x.signInRisk) }},
		{"UserRiskPolicy", "Enable user risk policies", "accountBreach", "Make a policy with the condition user risk.", 7, 5,
			func(x *posture) (int, int) { return share(x.userRisk) }},
		{"IntegratedApps", "Ensure user consent to apps accessing company data on their behalf is not allowed", "dataExfiltration",
			"Assign no consent policy to users in the authorization policy.", 4, 6, func(x *posture) (int, int) { return share(x.t.UserConsent() == "none") }},
		{"OneAdmin", "Designate more than one global admin", "maliciousInsider", "Have two to four Global Administrators.", 1, 7,
			func(x *posture) (int, int) { return share(x.globals > 1) }},
	}
}

func (c *call) posture(t *world.Tenant) *posture {
	x := &posture{t: t, legacy: t.SecurityDefaults}
	admins := adminsOf(t, c.now)
	for u := range t.Users.All() {
		if !u.Enabled || u.Guest {
			continue
		}
		r := c.registered(t, admins, u)
		x.users++
		x.second += boolInt(r.second())
		if r.admin {
			x.admins++
			x.ready += boolInt(r.second())
		}
		x.globals += boolInt(r.admin && slices.Contains(t.RolesOf(u.ID, c.now), entra.RoleGlobalAdministrator))
	}
	for d := range t.Policies.All() {
		m := decodeObject(d.Raw)
		cond := inner(m, "conditions")
		if str(m, "state") != "enabled" {
			continue
		}
		clients := strs(cond, "clientAppTypes")
		blocks := slices.Contains(strs(inner(m, "grantControls"), "builtInControls"), "block")
		everybody := slices.Contains(strs(inner(cond, "users"), "includeUsers"), "All")
		x.legacy = x.legacy || blocks && everybody && slices.Contains(clients, "exchangeActiveSync") && slices.Contains(clients, "other")
		x.userRisk = x.userRisk || len(strs(cond, "userRiskLevels")) > 0
		x.signInRisk = x.signInRisk || len(strs(cond, "signInRiskLevels")) > 0
	}
	return x
}

func vendor() object {
	return object{{"provider", "SecureScore"}, {"providerVersion", nil}, {"subProvider", nil}, {"vendor", "Microsoft"}}
}

// secureScores gives the score of this day: no days before it are kept.
func secureScores(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	x := c.posture(t)
	day := c.now.UTC().Truncate(24 * time.Hour)
	rows, now, most := []object{}, 0.0, 0
	for _, k := range controls() {
		n, of := k.part(x)
		part := 1.0
		if of > 0 {
			part = float64(n) / float64(of)
		}
		score := float64(int(part*float64(k.max)*100)) / 100
		now, most = now+score, most+k.max
		rows = append(rows, object{
			{"controlCategory", "Identity"}, {"controlName", k.name}, {"description", k.title}, {"score", json.Number(jsonText(score))},
		})
	}
	sh := c.g.sh.settings["secureScore"]
	id := t.ID + "_" + day.Format("2006-01-02")
	licensed := 0
	for u := range t.Users.All() {
		licensed += boolInt(len(u.Licences) > 0)
	}
	doc := newDocument(id, json.RawMessage(appendValue(nil, object{
		{"id", id}, {"azureTenantId", t.ID}, {"activeUserCount", x.users}, {"licensedUserCount", licensed}, {"createdDateTime", day},
		{"currentScore", now}, {"maxScore", most}, {"enabledServices", []string{}}, {"averageComparativeScores", []object{}}, {"controlScores", rows},
		{"vendorInformation", vendor()},
	})))
	return c.show(t, scoresPath, sh, slice([]*document{doc}, sh.key))
}

func scoreProfiles(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.settings["secureScoreControlProfile"]
	var out []*document
	for _, k := range controls() {
		out = append(out, newDocument(k.name, json.RawMessage(appendValue(nil, object{
			{"id", k.name}, {"azureTenantId", t.ID}, {"actionType", "Config"}, {"actionUrl", nil}, {"complianceInformation", []object{}},
			{"controlCategory", "Identity"}, {"controlStateUpdates", []object{}}, {"deprecated", false}, {"implementationCost", "low"},
			{"lastModifiedDateTime", nil}, {"maxScore", k.max}, {"rank", k.rank}, {"remediation", k.remedy}, {"remediationImpact", nil},
			{"service", "AzureAD"}, {"threats", []string{k.threat}}, {"tier", "core"}, {"title", k.title}, {"userImpact", "low"},
			{"vendorInformation", vendor()},
		}))))
	}
	return c.show(t, profilesPath, sh, slice(out, sh.key))
}
