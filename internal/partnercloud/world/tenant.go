package world

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"partnerguard/internal/partner"
)

// Kind is what a tenant is in this world.
type Kind string

// The kinds.
const (
	PartnerTenant  Kind = "partner"
	CustomerTenant Kind = "customer"
	PanelTenant    Kind = "panel"    // a control panel vendor's
	ProviderTenant Kind = "provider" // an External MFA provider's
)

// Service plan names that features hang on (contracts.md section 3.9).
const (
	PlanP1 = "AAD_PREMIUM"
	PlanP2 = "AAD_PREMIUM_P2"
)

// Tenant is one Entra tenant.
type Tenant struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Domains []string      `json:"domains"` // lower case; the first is the default
	Kind    Kind          `json:"kind"`
	Cloud   partner.Cloud `json:"cloud"`
	Created time.Time     `json:"created"`
	Country string        `json:"country"` // ISO code
	SKUs    []SKU         `json:"skus"`
	About   string        `json:"about,omitempty"`

	Users    Table[User, *User]                     `json:"users"`
	Groups   Table[Group, *Group]                   `json:"groups"`
	Held     Table[RoleAssignment, *RoleAssignment] `json:"held"`     // active directory roles
	Eligible Table[RoleAssignment, *RoleAssignment] `json:"eligible"` // roles that PIM may activate
	// Memberships of groups by Privileged Identity Management; see JoinFor.
	GroupEligible Table[RoleAssignment, *RoleAssignment] `json:"groupEligible,omitzero"`
	GroupHeld     Table[RoleAssignment, *RoleAssignment] `json:"groupHeld,omitzero"`

	Apps     Table[Application, *Application]             `json:"apps"`
	SPs      Table[ServicePrincipal, *ServicePrincipal]   `json:"servicePrincipals"`
	Grants   Table[Grant, *Grant]                         `json:"grants"`
	AppRoles Table[AppRoleAssignment, *AppRoleAssignment] `json:"appRoles"`
	RoleAsks Table[Document, *Document]                   `json:"roleRequests"` // PIM requests as answered
	Units    Table[Unit, *Unit]                           `json:"units,omitzero"`
	Scoped   Table[RoleAssignment, *RoleAssignment]       `json:"scoped,omitzero"`  // roles over a unit: none of them counts for the tenant
	Deleted  Table[Deleted, *Deleted]                     `json:"deleted,omitzero"` // what can be restored
	// CustomRoles are role definitions of the tenant's own. They give no right here.
	CustomRoles Table[CustomRole, *CustomRole] `json:"customRoles,omitzero"`
	// GroupSettings are settings for groups and names, see [GroupSetting].
	GroupSettings Table[GroupSetting, *GroupSetting] `json:"groupSettings,omitzero"`
	// ActiveRoles are template ids of roles that were activated while nobody held them.
	ActiveRoles []string `json:"activeRoles,omitempty"`

	SecurityDefaults bool                           `json:"securityDefaults"`
	Policies         Table[Document, *Document]     `json:"policies"`             // Conditional Access
	Locations        Table[Document, *Document]     `json:"locations"`            // named locations
	Strengths        Table[Document, *Document]     `json:"strengths"`            // authentication strengths
	MethodsPolicy    Document                       `json:"methods"`              // authenticationMethodsPolicy without its configurations
	OathDevices      Table[OathDevice, *OathDevice] `json:"oathDevices,omitzero"` // hardware OATH tokens
	MethodConfigs    Table[Document, *Document]     `json:"methodConfigs"`        // authenticationMethodConfigurations by id

	DeletedPolicies  Table[Document, *Document] `json:"deletedPolicies,omitzero"`
	DeletedLocations Table[Document, *Document] `json:"deletedLocations,omitzero"`
	// Settings are the tenant's other policies as far as they were changed: those
	// that there is one of by their name, the others by id.
	Settings Table[Document, *Document] `json:"settings,omitzero"`

	// AcceptsHomeMFA says that cross-tenant access settings trust MFA done in the
	// home tenant of a guest.
	AcceptsHomeMFA bool `json:"acceptsHomeMfa"`
	// BaselineScopes is the Conditional Access setting of that name, "" (enabled) or
	// BaselineOff. Graph has no property for it (contracts-2026-11.md section 1.3).
	BaselineScopes string `json:"baselineScopes,omitempty"`
	// RiskyUsers is read from Users; these are the dismissals and confirmations.
	Azure Table[AzureSubscription, *AzureSubscription] `json:"azure"`
	// AzureRoot are role assignments at the root of Azure, above every subscription:
	// AzureEvents is the activity log of the tenant itself, above its subscriptions.
	AzureEvents []json.RawMessage `json:"azureEvents,omitempty"`
	// a Global Administrator who elevated himself has one.
	AzureRoot []AzureRole `json:"azureRoot,omitempty"`

	// Of a partner tenant only.
	Customers     Table[Customer, *Customer]         `json:"customers,omitzero"`
	Relationships Table[Relationship, *Relationship] `json:"relationships,omitzero"`
	Alerts        Table[Alert, *Alert]               `json:"alerts,omitzero"`
	ScoreHistory  []Score                            `json:"scoreHistory,omitempty"`
	// Org holds what of Microsoft Graph's organization resource was written here, by
	// its names.
	Org map[string]json.RawMessage `json:"org,omitempty"`
	// SecurityContact is the address on file for security matters, or "".
	SecurityContact string `json:"securityContact,omitempty"`
	// Indirect resellers of an indirect provider.
	Resellers   []Reseller   `json:"resellers,omitempty"`
	Webhook     *Webhook     `json:"webhook,omitempty"`
	Account     *Account     `json:"account,omitempty"`
	PartnerKind partner.Kind `json:"partnerKind,omitempty"`
	// Sandbox marks an integration sandbox of a partner: Partner Center enforces
	// MFA there always, and has no spending budgets.
	Sandbox bool `json:"sandbox,omitempty"`

	// The live part of the logs, oldest first: what happened since the world was
	// made. Generated history lies before it (see State.History).
	SignIns   []*SignIn         `json:"signIns,omitempty"`
	Audits    []*DirectoryAudit `json:"audits,omitempty"`
	Records   []*AuditRecord    `json:"records,omitempty"`   // Partner Center's audit records
	Requests  []*PartnerRequest `json:"requests,omitempty"`  // Partner Center's requests, for MFA adoption
	Deletions []Deletion        `json:"deletions,omitempty"` // for delta queries

	version int64 // grows with every change that decides sign-ins
	engine  *engineCache
	upns    map[string]string // lower UPN and alias to id; nil: to be made
	rules   map[string]*Rule  // of dynamic groups by text
}

// BaselineOff is a tenant that holds to the rule for baseline scopes as it was before
// June 2026.
const BaselineOff = "disabled"

// Key is the tenant id.
func (t *Tenant) Key() string { return t.ID }

// Domain is the default domain.
func (t *Tenant) Domain() string {
	if len(t.Domains) == 0 {
		return t.ID
	}
	return t.Domains[0]
}

// HasPlan reports a service plan in force by name: detect by plan, not by SKU.
func (t *Tenant) HasPlan(plan string) bool {
	for i := range t.SKUs {
		k := &t.SKUs[i]
		if k.Enabled <= 0 || k.Status != "Enabled" && k.Status != "Warning" {
			continue
		}
		for _, p := range k.Plans {
			if p.Name == plan {
				return true
			}
		}
	}
	return false
}

// Premium reports a licence for sign-in logs and Conditional Access: P1 or P2.
func (t *Tenant) Premium() bool { return t.HasPlan(PlanP1) || t.HasPlan(PlanP2) }

// SKU is a subscribedSku (contracts.md section 3.9).
type SKU struct {
	ID       string `json:"id"`
	Part     string `json:"part"`
	Status   string `json:"status"`
	Enabled  int    `json:"enabled"`
	Consumed int    `json:"consumed"`
	Plans    []Plan `json:"plans"`
	// Suspended are the seats whose subscription is suspended: they are not among
	// those enabled.
	Suspended int `json:"suspended,omitempty"`
}

// Plan is one service plan of a SKU.
type Plan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// User is an account. UPN domains are verified domains of the tenant.
type User struct {
	ID         string    `json:"id"`
	UPN        string    `json:"upn"`
	Name       string    `json:"name"`
	Given      string    `json:"given,omitempty"`
	Surname    string    `json:"surname,omitempty"`
	Mail       string    `json:"mail,omitempty"`
	Title      string    `json:"title,omitempty"`
	Department string    `json:"department,omitempty"`
	Location   string    `json:"location,omitempty"` // usageLocation
	Guest      bool      `json:"guest,omitempty"`
	HomeTenant string    `json:"homeTenant,omitempty"` // of a guest
	HomeUser   string    `json:"homeUser,omitempty"`   // the guest's object id at home, "" unknown
	Enabled    bool      `json:"enabled"`
	Synced     bool      `json:"synced,omitempty"`
	Created    time.Time `json:"created"`
	Licences   []string  `json:"licences,omitempty"` // SKU ids
	About      string    `json:"about,omitempty"`    // what the scenario says of this person

	Password        Password  `json:"password,omitzero"`
	PasswordChanged time.Time `json:"passwordChanged,omitzero"`
	PasswordExpired bool      `json:"passwordExpired,omitempty"`
	Methods         []Method  `json:"methods,omitempty"`
	PerUserMFA      string    `json:"perUserMfa,omitempty"`   // disabled, enabled, enforced; "" is disabled
	AppPasswords    []string  `json:"appPasswords,omitempty"` // hashes

	Risk       string    `json:"risk,omitempty"` // none, low, medium, high
	RiskState  string    `json:"riskState,omitempty"`
	RiskDetail string    `json:"riskDetail,omitempty"`
	RiskAt     time.Time `json:"riskAt,omitzero"`

	// SessionsValidFrom revokes: nothing issued before it lives on.
	SessionsValidFrom time.Time `json:"sessionsValidFrom,omitzero"`
	Revoked           string    `json:"revoked,omitempty"` // why: "revoked", "reset"

	LastInteractive    time.Time `json:"lastInteractive,omitzero"`
	LastNonInteractive time.Time `json:"lastNonInteractive,omitzero"`
	LastSuccess        time.Time `json:"lastSuccess,omitzero"`

	Changed int64 `json:"changed,omitempty"` // the state's change number, for delta

	Profile *Profile `json:"profile,omitempty"` // nil: as for most, nothing more is known
}

// Profile is what of an account decides no sign-in. It is immutable: replace it
// with [Profile.With].
type Profile struct {
	Nickname string `json:"nickname,omitempty"` // mailNickname, where it is not the name before the @
	Manager  string `json:"manager,omitempty"`  // object id of a user
	// Invited says of a guest that the invitation was not accepted yet.
	Invited bool `json:"invited,omitempty"`
	// Disabled are the service plans switched off, by SKU id.
	Disabled map[string][]string `json:"disabled,omitempty"`
	// Props are properties of Microsoft Graph's user resource, by its names, as they
	// were written.
	Props map[string]json.RawMessage `json:"props,omitempty"`
}

// With gives a changed copy; p may be nil.
func (p *Profile) With(f func(*Profile)) *Profile {
	var c Profile
	if p != nil {
		c = *p
	}
	c.Props, c.Disabled = maps.Clone(c.Props), maps.Clone(c.Disabled)
	f(&c)
	return &c
}

// More is the profile, empty where there is none.
func (u *User) More() Profile {
	if u.Profile == nil {
		return Profile{}
	}
	return *u.Profile
}

// Key is the object id.
func (u *User) Key() string { return u.ID }

// Method types, as userRegistrationDetails names them (contracts.md 3.3).
const (
	MethodTOTP     = "softwareOneTimePasscode"
	MethodHardware = "hardwareOneTimePasscode"
	MethodFIDO2    = "fido2SecurityKey"
	MethodPush     = "microsoftAuthenticatorPush"
	MethodPhone    = "mobilePhone"
	MethodHello    = "windowsHelloForBusiness"
	MethodExternal = "externalAuthMethod"
	MethodPass     = "temporaryAccessPass"
	MethodAltPhone = "alternateMobilePhone"
	MethodOffice   = "officePhone"
	MethodEmail    = "email" // for password reset alone
)

// Method is a registered authentication method.
type Method struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created"`
	// Secret is a TOTP secret in base32 that was registered here; "" for the
	// reproducible one of a seeded account.
	Secret   string `json:"secret,omitempty"`
	Interval int    `json:"interval,omitempty"` // of a hardware token: seconds of a step
	Hash     string `json:"hash,omitempty"`     // of a hardware token: hmacsha1, hmacsha256
	LastStep int64  `json:"lastStep,omitempty"` // the newest TOTP step accepted: none is taken twice
	LastReal int64  `json:"lastReal,omitempty"` // the same by the machine's clock, for phones that know no jump
	// Credential is a WebAuthn credential as the authority keeps it.
	Credential []byte `json:"credential,omitempty"`
	Phone      string `json:"phone,omitempty"`
	SMS        bool   `json:"sms,omitempty"`   // the number is a sign-in name
	Email      string `json:"email,omitempty"` // of an email method
	// Pass is a Temporary Access Pass; nil for the other methods, and for passes of
	// old that nobody knows.
	Pass *TemporaryPass `json:"pass,omitempty"`
	// Configuration is the External MFA configuration of an external method.
	Configuration string `json:"configuration,omitempty"`
}

// Method finds a registered method by type, or nil.
func (u *User) Method(typ string) *Method {
	for i := range u.Methods {
		if u.Methods[i].Type == typ {
			return &u.Methods[i]
		}
	}
	return nil
}

// Registered lists the types registered, each once.
func (u *User) Registered() []string {
	var out []string
	for i := range u.Methods {
		dup := false
		for _, o := range out {
			dup = dup || o == u.Methods[i].Type
		}
		if !dup {
			out = append(out, u.Methods[i].Type)
		}
	}
	return out
}

// Group is a security or Microsoft 365 group, with direct members of any kind by
// object id.
type Group struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Description    string    `json:"description,omitempty"`
	RoleAssignable bool      `json:"roleAssignable,omitempty"`
	Members        []string  `json:"members"` // object ids of users, groups, service principals
	Owners         []string  `json:"owners,omitempty"`
	Created        time.Time `json:"created"`
	Changed        int64     `json:"changed,omitempty"`

	Nickname   string `json:"nickname,omitempty"`
	Unified    bool   `json:"unified,omitempty"`    // a Microsoft 365 group
	Secure     bool   `json:"secure,omitempty"`     // of a Microsoft 365 group: securityEnabled; others always are
	Mail       string `json:"mail,omitempty"`       // of a Microsoft 365 group
	Visibility string `json:"visibility,omitempty"` // Private, Public, HiddenMembership; "": not said
	// Rule makes a dynamic group: its members follow from it, see [ParseRule].
	Rule   string `json:"rule,omitempty"`
	Paused bool   `json:"paused,omitempty"` // the rule is not looked at
	// Renewed is when a Microsoft 365 group's life was prolonged by hand.
	Renewed time.Time `json:"renewed,omitzero"`
	// Props are other properties of Microsoft Graph's group resource, as written.
	Props map[string]json.RawMessage `json:"props,omitempty"`
	// Late and Was say which members readers still see, see [Late]; nil: these.
	Late *Late    `json:"late,omitempty"`
	Was  []string `json:"was,omitempty"`
}

// Unit is an administrative unit, with members by object id. Roles over it stand
// in Tenant.Scoped, with the scope [UnitScope].
type Unit struct {
	ID      string                     `json:"id"`
	Name    string                     `json:"name"`
	Members []string                   `json:"members,omitempty"`
	Created time.Time                  `json:"created"`
	Props   map[string]json.RawMessage `json:"props,omitempty"` // as written, by Graph's names
}

// Key is the object id.
func (u *Unit) Key() string { return u.ID }

// UnitScope is the scope of a role that holds in a unit only.
func UnitScope(id string) string { return "/administrativeUnits/" + id }

// Key is the object id.
func (g *Group) Key() string { return g.ID }

// The groups that Partner Center's roles are (contracts.md sections 2.3, 8.3).
const (
	AdminAgents    = "AdminAgents"
	HelpdeskAgents = "HelpdeskAgents"
	SalesAgents    = "SalesAgents"
)

// RoleAssignment gives a directory role, now or on request.
type RoleAssignment struct {
	ID        string    `json:"id"`
	Principal string    `json:"principal"` // object id of a user, group or service principal
	Role      string    `json:"role"`      // role template id
	Scope     string    `json:"scope"`     // "/" or an administrative unit
	Start     time.Time `json:"start"`
	End       time.Time `json:"end,omitzero"`
	Activated bool      `json:"activated,omitempty"` // by PIM, from an eligibility
	Created   time.Time `json:"created"`
}

// Key is the assignment id.
func (a *RoleAssignment) Key() string { return a.ID }

// In reports an assignment in force.
func (a *RoleAssignment) In(now time.Time) bool {
	return !now.Before(a.Start) && (a.End.IsZero() || now.Before(a.End))
}

// GroupSetting is a set of values by a template of Microsoft's. They decide nothing
// here.
type GroupSetting struct {
	ID       string            `json:"id"`
	Template string            `json:"template"`
	Values   map[string]string `json:"values"`
}

// Key is the setting's id.
func (g *GroupSetting) Key() string { return g.ID }

// CustomRole is a role definition made by the tenant.
type CustomRole struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Disabled    bool      `json:"disabled,omitempty"`
	Version     string    `json:"version,omitempty"`
	Actions     []string  `json:"actions"` // allowedResourceActions
	Created     time.Time `json:"created"`
}

// Key is the definition's id.
func (r *CustomRole) Key() string { return r.ID }

// Deletion remembers a deleted object for delta queries.
type Deletion struct {
	Kind    string `json:"kind"` // user, group, application, servicePrincipal
	ID      string `json:"id"`
	Changed int64  `json:"changed"`
	Gone    bool   `json:"gone,omitempty"` // cannot be restored
}

// Reseller is an indirect reseller of this provider.
type Reseller struct {
	TenantID string `json:"tenantId"`
	Name     string `json:"name"`
	MPN      string `json:"mpn"`
	Country  string `json:"country"`
}

// Webhook is a registration for Partner Center events (contracts.md section 2.7).
type Webhook struct {
	Subscriber string   `json:"subscriber"`
	URL        string   `json:"url"`
	Events     []string `json:"events"`
	MSHeader   bool     `json:"msHeader"` // signature in x-ms-signature instead of Authorization
}

// UserByName finds an account by object id, user principal name or mail.
func (t *Tenant) UserByName(name string) *User {
	if u := t.Users.Get(name); u != nil {
		return u
	}
	if t.upns == nil {
		t.upns = make(map[string]string, t.Users.Len())
		for u := range t.Users.All() {
			if u.Mail != "" {
				t.upns[strings.ToLower(u.Mail)] = u.ID
			}
		}
		for u := range t.Users.All() {
			t.upns[strings.ToLower(u.UPN)] = u.ID
		}
	}
	return t.Users.Get(t.upns[strings.ToLower(name)])
}

// GroupByName finds a group by id or display name.
func (t *Tenant) GroupByName(name string) *Group {
	if g := t.Groups.Get(name); g != nil {
		return g
	}
	for g := range t.Groups.All() {
		if strings.EqualFold(g.Name, name) {
			return g
		}
	}
	return nil
}

// SP finds the service principal of an app in this tenant, or nil.
func (t *Tenant) SP(appID string) *ServicePrincipal {
	for p := range t.SPs.All() {
		if strings.EqualFold(p.AppID, appID) {
			return p
		}
	}
	return nil
}
