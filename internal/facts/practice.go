package facts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Beside is what best practices alone are decided by.
type Beside struct {
	Consent      *ConsentPolicy         // what accounts may do by themselves
	Workflow     *ConsentWorkflow       // whom they may ask
	Risky        map[string]*RiskyUser  // by id
	Scores       []SecureScore          // Microsoft Secure Score, by day
	AppUse       map[string]*AppUse     // by app id
	RolePolicies map[string]*RolePolicy // by role definition, lower case
	AuditConfigs []AuditConfig          // Exchange's
	CostAlerts   map[string]*AzureThing // by id
	LogAlerts    map[string]*AzureThing // activity log alerts, by id
	Assigned     map[string]*AzureThing // assignments of Azure's policies, by id
	disputed     map[evidence.Kind]bool // two copies differ
}

// ConsentPolicy is authorizationPolicy, as far as it says who may consent to apps.
type ConsentPolicy struct {
	Default struct {
		// Grants is nil where it was not exported; an empty list lets nobody consent.
		Grants *lenient.Strings `json:"permissionGrantPoliciesAssigned"`
	} `json:"defaultUserRolePermissions"`
	Older  *lenient.Strings `json:"permissionGrantPolicyIdsAssignedToDefaultUserRole"` // its name in beta
	Invite lenient.String   `json:"allowInvitesFrom"`
	Source evidence.Source  `json:"-"`
}

// Grants are the policies by which accounts may consent; known is false where the export
// does not say.
func (p *ConsentPolicy) Grants() (ids []string, known bool) {
	for _, list := range []*lenient.Strings{p.Default.Grants, p.Older} {
		if list != nil {
			return *list, true
		}
	}
	return nil, false
}

// ConsentWorkflow is adminConsentRequestPolicy.
type ConsentWorkflow struct {
	Enabled   lenient.Bool                  `json:"isEnabled"`
	Reviewers lenient.List[json.RawMessage] `json:"reviewers"`
	Source    evidence.Source               `json:"-"`
}

// RiskyUser is an account that Microsoft holds, or held, for compromised.
type RiskyUser struct {
	ID      string          `json:"id"`
	Name    string          `json:"userPrincipalName"`
	State   lenient.String  `json:"riskState"` // atRisk, confirmedCompromised, remediated, dismissed, confirmedSafe, none
	Level   lenient.String  `json:"riskLevel"`
	Updated lenient.Time    `json:"riskLastUpdatedDateTime"`
	Deleted lenient.Bool    `json:"isDeleted"`
	Source  evidence.Source `json:"-"`
}

// SecureScore is Microsoft's score of a tenant's settings on one day.
type SecureScore struct {
	ID       string          `json:"id"`
	Tenant   string          `json:"azureTenantId"`
	Created  lenient.Time    `json:"createdDateTime"`
	Current  *float64        `json:"currentScore"`
	Max      *float64        `json:"maxScore"`
	Controls []ScoreControl  `json:"controlScores"`
	Source   evidence.Source `json:"-"`
}

// ScoreControl is one control of a score.
type ScoreControl struct {
	Category lenient.String `json:"controlCategory"` // Identity, Data, Device, Apps, Infrastructure
	Score    float64        `json:"score"`
}

// Identity is what the controls of identity sum up to; false where there are none.
func (s *SecureScore) Identity() (sum float64, known bool) {
	for i := range s.Controls {
		if strings.EqualFold(string(s.Controls[i].Category), "Identity") {
			sum, known = sum+s.Controls[i].Score, true
		}
	}
	return sum, known
}

// AppUse is servicePrincipalSignInActivity: when an app was last used, in any of the four
// ways.
type AppUse struct {
	AppID  string          `json:"appId"`
	Last   lastUse         `json:"lastSignInActivity"`
	Source evidence.Source `json:"-"`
}

type lastUse struct {
	At lenient.Time `json:"lastSignInDateTime"`
}

// RolePolicy is roleManagementPolicyAssignment with the policy's rules: how a role, or
// the membership of a group, is activated.
type RolePolicy struct {
	ID     string         `json:"id"`
	Scope  lenient.String `json:"scopeId"`
	Type   lenient.String `json:"scopeType"` // DirectoryRole, Directory, Group
	Role   lenient.String `json:"roleDefinitionId"`
	Policy *struct {
		Rules lenient.List[RoleRule] `json:"rules"`
	} `json:"policy"`
	Source evidence.Source `json:"-"`
}

// RoleRule is one rule of such a policy; the one of approval is read.
type RoleRule struct {
	ID      string `json:"id"` // Approval_EndUser_Assignment
	Setting *struct {
		Required lenient.Bool `json:"isApprovalRequired"`
	} `json:"setting"`
}

// Approval says whether whoever activates needs another person's approval.
func (p *RolePolicy) Approval() lenient.Bool {
	if p.Policy == nil {
		return lenient.Bool{}
	}
	for _, r := range p.Policy.Rules.Items {
		if strings.EqualFold(r.ID, "Approval_EndUser_Assignment") && r.Setting != nil {
			return r.Setting.Required
		}
	}
	return lenient.Bool{}
}

// AuditConfig is Exchange's AdminAuditLogConfig.
type AuditConfig struct {
	Ingestion lenient.Bool    `json:"UnifiedAuditLogIngestionEnabled"`
	Source    evidence.Source `json:"-"`
}

// AzureThing is what a subscription has of rules and alerts.
type AzureThing struct {
	ID         string          `json:"id"`
	Kind       lenient.String  `json:"kind"` // of a scheduled action: InsightAlert, Email
	Properties thingProperties `json:"properties"`
	Source     evidence.Source `json:"-"`
}

type thingProperties struct {
	Status     lenient.String  `json:"status"`  // of a scheduled action: Enabled, Disabled, Expired
	Enabled    lenient.Bool    `json:"enabled"` // of an activity log alert
	Definition lenient.String  `json:"policyDefinitionId"`
	Enforce    lenient.String  `json:"enforcementMode"` // Default, DoNotEnforce
	Scope      lenient.String  `json:"scope"`
	Scopes     lenient.Strings `json:"scopes"`
}

// Subscription is the subscription that the thing stands in, lower case; "" none.
func (t *AzureThing) Subscription() string {
	rest, is := strings.CutPrefix(strings.ToLower(t.ID), "/subscriptions/")
	if !is {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// takeBeside keeps what best practices alone are decided by. A record that does not fit
// makes its list one that is not whole.
func (f *Facts) takeBeside(kind evidence.Kind, raw []byte, src evidence.Source) error {
	b := &f.Beside
	var err error
	switch kind {
	case evidence.AuthorizationPolicy:
		err = take(raw, func(p *ConsentPolicy) { p.Source = src; one(b, kind, &b.Consent, p, sameConsent) })
	case evidence.AdminConsentPolicy:
		err = take(raw, func(p *ConsentWorkflow) {
			p.Source = src
			one(b, kind, &b.Workflow, p, func(x, y *ConsentWorkflow) bool { return x.Enabled == y.Enabled })
		})
	case evidence.RiskyUser:
		err = take(raw, func(u *RiskyUser) { u.Source = src; f.kept(u.ID != "", kind, src); b.addRisky(u) })
	case evidence.SecureScore:
		err = take(raw, func(s *SecureScore) {
			s.Source = src
			f.kept(s.Created.Set && s.Current != nil, kind, src)
			b.Scores = append(b.Scores, *s)
		})
	case evidence.AppActivity:
		err = take(raw, func(a *AppUse) { a.Source = src; f.kept(a.AppID != "", kind, src); b.addUse(a) })
	case evidence.RolePolicy:
		err = take(raw, func(p *RolePolicy) {
			p.Source = src
			f.kept(p.Role != "" && p.Approval().Set, kind, src)
			put(&b.RolePolicies, strings.ToLower(string(p.Scope)+"|"+string(p.Role)), p)
		})
	case evidence.AuditConfig:
		err = take(raw, func(c *AuditConfig) { c.Source = src; b.AuditConfigs = append(b.AuditConfigs, *c) })
	default:
		into := map[evidence.Kind]*map[string]*AzureThing{evidence.CostAlert: &b.CostAlerts, evidence.ActivityAlert: &b.LogAlerts,
			evidence.AzurePolicy: &b.Assigned}[kind]
		err = take(raw, func(t *AzureThing) {
			t.Source = src
			f.kept(t.ID != "", kind, src)
			put(into, strings.ToLower(t.ID), t)
		})
	}
	f.kept(err == nil, kind, src)
	return err
}

// Disputed says that two copies of the one object of the kind say different things.
func (f *Facts) Disputed(kind evidence.Kind) bool { return f.Beside.disputed[kind] }

func one[T any](b *Beside, kind evidence.Kind, to **T, v *T, same func(x, y *T) bool) {
	if *to == nil {
		*to = v
		return
	}
	if !same(*to, v) {
		put(&b.disputed, kind, true)
	}
}

func put[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = v
}

func sameConsent(x, y *ConsentPolicy) bool {
	a, known := x.Grants()
	b, also := y.Grants()
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return known == also && slices.Equal(a, b)
}

// addRisky keeps the newest word of each account.
func (b *Beside) addRisky(u *RiskyUser) {
	key := strings.ToLower(u.ID)
	if old := b.Risky[key]; key != "" && (old == nil || !old.Updated.After(u.Updated.Time)) {
		put(&b.Risky, key, u)
	}
}

func (b *Beside) addUse(u *AppUse) {
	key := strings.ToLower(u.AppID)
	if old := b.AppUse[key]; key != "" && (old == nil || !old.Last.At.After(u.Last.At.Time)) {
		put(&b.AppUse, key, u)
	}
}

// LastUse is when the app was last used; zero where no use is known.
func (b *Beside) LastUse(app string) time.Time {
	if u := b.AppUse[strings.ToLower(app)]; u != nil {
		return u.Last.At.Time
	}
	return time.Time{}
}
