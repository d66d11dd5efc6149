package directory

import (
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// User is microsoft.graph.user, as far as Partnerguard judges it.
type User struct {
	Type                  lenient.String         `json:"@odata.type"` // #microsoft.graph.agentUser tells agents from people
	ID                    string                 `json:"id"`
	UserPrincipalName     string                 `json:"userPrincipalName"`
	DisplayName           string                 `json:"displayName"`
	UserType              lenient.String         `json:"userType"`
	AccountEnabled        lenient.Bool           `json:"accountEnabled"`
	OnPremisesSyncEnabled SaidBool               `json:"onPremisesSyncEnabled"` // null: never synchronised
	CreatedDateTime       lenient.Time           `json:"createdDateTime"`
	ExternalUserState     lenient.String         `json:"externalUserState"`
	CreationType          Optional               `json:"creationType"`     // Invitation: an account of another tenant (contracts.md section 3.7)
	IdentityParentID      lenient.String         `json:"identityParentId"` // the agent identity an agent user belongs to (beta)
	Mailbox               lenient.List[Mailbox]  `json:"mailboxSettings"`  // one element, or none
	AssignedLicenses      lenient.List[struct{}] `json:"assignedLicenses"`
	PerUserMFAState       lenient.String         `json:"perUserMfaState"` // disabled, enabled, enforced; "" when not exported
	Mail                  lenient.String         `json:"mail"`
	SignInActivity        *SignInActivity        `json:"signInActivity"`
	AssignedPlans         lenient.List[Plan]     `json:"assignedPlans"` // only requests that select it get it
	Source                evidence.Source        `json:"-"`
	// Derived is set for accounts that no list of users named: a role's or a
	// group's members show them.
	Derived bool `json:"-"`
}

// Optional is a text that tells "not exported" (not Set) from "none" (null).
type Optional struct {
	Value string
	Set   bool
}

// UnmarshalJSON accepts a text or null; anything else is not Set.
func (o *Optional) UnmarshalJSON(b []byte) error {
	*o = Optional{}
	var s *string
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	o.Set = true
	if s != nil {
		o.Value = *s
	}
	return nil
}

// SaidBool is a truth that tells "not exported" from null.
type SaidBool struct {
	lenient.Bool
	Said bool // something was written, be it null
}

// UnmarshalJSON reads it.
func (b *SaidBool) UnmarshalJSON(raw []byte) error {
	b.Said = true
	return b.Bool.UnmarshalJSON(raw)
}

// Agent reports a user account that belongs to an agent and to no person.
func (u *User) Agent() bool {
	return u.IdentityParentID != "" || strings.EqualFold(strings.TrimPrefix(string(u.Type), "#"), "microsoft.graph.agentUser")
}

// Mailbox is mailboxSettings: what the account's mailbox is for. Only requests
// that select it get it.
type Mailbox struct {
	UserPurpose lenient.String `json:"userPurpose"` // user, linked, shared, room, equipment, others
}

// Purpose is the purpose of the account's mailbox in lower case; "" is not
// known.
func (u *User) Purpose() string {
	for _, m := range u.Mailbox.Items {
		if m.UserPurpose != "" {
			return strings.ToLower(string(m.UserPurpose))
		}
	}
	return ""
}

// Plan is one service that a licence of the account's gives it.
type Plan struct {
	Service lenient.String `json:"service"`          // exchange, SharePoint, MicrosoftCommunicationsOnline ...
	Status  lenient.String `json:"capabilityStatus"` // Enabled, Warning, Suspended, Deleted, LockedOut
}

// Gives says whether a plan of the service is on for the account; known is false where
// the plans were not exported. A plan that is suspended keeps its data, and counts.
func (u *User) Gives(service string) (yes, known bool) {
	for _, p := range u.AssignedPlans.Items {
		if strings.EqualFold(string(p.Service), service) && !strings.EqualFold(string(p.Status), "Deleted") {
			return true, true
		}
	}
	return false, u.AssignedPlans.Set && u.AssignedPlans.Dropped == 0
}

// SignInActivity says when an account was last used.
type SignInActivity struct {
	LastSignIn               lenient.Time `json:"lastSignInDateTime"`
	LastNonInteractiveSignIn lenient.Time `json:"lastNonInteractiveSignInDateTime"`
	LastSuccessfulSignIn     lenient.Time `json:"lastSuccessfulSignInDateTime"`
}

// Last is the latest of them; zero where no sign-in is known.
func (a *SignInActivity) Last() (at time.Time) {
	if a == nil {
		return at
	}
	for _, t := range []lenient.Time{a.LastSignIn, a.LastNonInteractiveSignIn, a.LastSuccessfulSignIn} {
		if t.After(at) {
			at = t.Time
		}
	}
	return at
}

// Registration is userRegistrationDetails: what a user could answer a
// challenge with.
type Registration struct {
	ID                string          `json:"id"` // the user's id
	UserPrincipalName string          `json:"userPrincipalName"`
	UserDisplayName   string          `json:"userDisplayName"`
	UserType          lenient.String  `json:"userType"`
	IsAdmin           lenient.Bool    `json:"isAdmin"`
	IsMFARegistered   lenient.Bool    `json:"isMfaRegistered"`
	IsMFACapable      lenient.Bool    `json:"isMfaCapable"`
	IsSSPREnabled     lenient.Bool    `json:"isSsprEnabled"`
	IsSSPRRegistered  lenient.Bool    `json:"isSsprRegistered"`
	MethodsRegistered lenient.Strings `json:"methodsRegistered"`
	LastUpdated       lenient.Time    `json:"lastUpdatedDateTime"`
	Source            evidence.Source `json:"-"`
}

// RoleDefinition is a directory role. TemplateID is what policies name.
type RoleDefinition struct {
	ID           string          `json:"id"`
	TemplateID   lenient.String  `json:"templateId"`
	DisplayName  string          `json:"displayName"`
	IsBuiltIn    lenient.Bool    `json:"isBuiltIn"`
	IsPrivileged lenient.Bool    `json:"isPrivileged"`
	Source       evidence.Source `json:"-"`
}

// RoleAssignment gives a role to a principal, now or on request.
type RoleAssignment struct {
	ID               string          `json:"id"`
	PrincipalID      string          `json:"principalId"`
	RoleDefinitionID string          `json:"roleDefinitionId"`
	DirectoryScopeID Optional        `json:"directoryScopeId"` // "/" is the whole directory
	AppScopeID       lenient.String  `json:"appScopeId"`
	AssignmentType   lenient.String  `json:"assignmentType"` // Assigned, Activated; "" outside PIM
	MemberType       lenient.String  `json:"memberType"`     // Direct, Group, Inherited
	Status           lenient.String  `json:"status"`         // of a schedule: Provisioned, Revoked ...
	StartDateTime    lenient.Time    `json:"startDateTime"`
	EndDateTime      lenient.Time    `json:"endDateTime"`
	Schedule         *ScheduleInfo   `json:"scheduleInfo"`
	Principal        *Principal      `json:"principal"`      // when expanded
	RoleDefinition   *RoleDefinition `json:"roleDefinition"` // when expanded
	Eligible         bool            `json:"-"`              // from an eligibility schedule: must be activated first
	Source           evidence.Source `json:"-"`
}

// ScheduleInfo is when a schedule holds, as schedules (not their instances)
// write it.
type ScheduleInfo struct {
	StartDateTime lenient.Time `json:"startDateTime"`
	Expiration    *struct {
		Type        lenient.String `json:"type"` // noExpiration, afterDateTime, afterDuration
		EndDateTime lenient.Time   `json:"endDateTime"`
	} `json:"expiration"`
}

// GroupSchedule is an eligible or active membership or ownership under PIM for
// groups (privilegedAccessGroup...ScheduleInstance).
type GroupSchedule struct {
	ID            string          `json:"id"`
	PrincipalID   string          `json:"principalId"`
	GroupID       string          `json:"groupId"`
	AccessID      lenient.String  `json:"accessId"` // member, owner
	Status        lenient.String  `json:"status"`
	StartDateTime lenient.Time    `json:"startDateTime"`
	EndDateTime   lenient.Time    `json:"endDateTime"`
	Schedule      *ScheduleInfo   `json:"scheduleInfo"`
	Eligible      bool            `json:"-"`
	Source        evidence.Source `json:"-"`
}

// Principal is the expanded holder of a role.
type Principal struct {
	Type              string `json:"@odata.type"`
	ID                string `json:"id"`
	AppID             string `json:"appId"`
	UserPrincipalName string `json:"userPrincipalName"`
	DisplayName       string `json:"displayName"`
}

// DirectoryRole is the legacy form: an activated role, with members when
// expanded.
type DirectoryRole struct {
	ID             string             `json:"id"`
	RoleTemplateID string             `json:"roleTemplateId"`
	DisplayName    string             `json:"displayName"`
	Members        lenient.List[User] `json:"members"`
	MembersNext    lenient.String     `json:"members@odata.nextLink"`
	MembersCount   lenient.Int        `json:"members@odata.count"`
	Source         evidence.Source    `json:"-"`
}

// Group is a group, with members when expanded.
type Group struct {
	ID                    string          `json:"id"`
	DisplayName           string          `json:"displayName"`
	IsAssignableToRole    lenient.Bool    `json:"isAssignableToRole"`
	GroupTypes            lenient.Strings `json:"groupTypes"` // DynamicMembership, Unified
	OnPremisesSyncEnabled lenient.Bool    `json:"onPremisesSyncEnabled"`
	Members               Members         `json:"members"`
	MembersNext           lenient.String  `json:"members@odata.nextLink"`
	MembersCount          lenient.Int     `json:"members@odata.count"`
	Transitive            Members         `json:"transitiveMembers"` // nested ones included; adds people, proves nothing whole
	Source                evidence.Source `json:"-"`

	copies []memberCopy // each list of members that was read
}

// Application is an app registration of this tenant.
type Application struct {
	ID                  string                       `json:"id"`
	AppID               string                       `json:"appId"`
	DisplayName         string                       `json:"displayName"`
	SignInAudience      lenient.String               `json:"signInAudience"`
	PasswordCredentials lenient.List[Credential]     `json:"passwordCredentials"`
	KeyCredentials      lenient.List[Credential]     `json:"keyCredentials"`
	Required            lenient.List[ResourceAccess] `json:"requiredResourceAccess"`
	Source              evidence.Source              `json:"-"`
}

// ServicePrincipal is an app present in this tenant.
type ServicePrincipal struct {
	ID                     string                   `json:"id"`
	AppID                  string                   `json:"appId"`
	DisplayName            string                   `json:"displayName"`
	AppOwnerOrganizationID lenient.String           `json:"appOwnerOrganizationId"`
	ServicePrincipalType   lenient.String           `json:"servicePrincipalType"`
	AccountEnabled         lenient.Bool             `json:"accountEnabled"`
	Created                lenient.Time             `json:"createdDateTime"`
	PasswordCredentials    lenient.List[Credential] `json:"passwordCredentials"`
	KeyCredentials         lenient.List[Credential] `json:"keyCredentials"`
	Source                 evidence.Source          `json:"-"`
}

// Credential is a secret or certificate of an app; the value itself is never
// exported and never read.
type Credential struct {
	KeyID         lenient.String `json:"keyId"`
	DisplayName   lenient.String `json:"displayName"`
	StartDateTime lenient.Time   `json:"startDateTime"`
	EndDateTime   lenient.Time   `json:"endDateTime"`
}

// ResourceAccess is one element of requiredResourceAccess.
type ResourceAccess struct {
	ResourceAppID string `json:"resourceAppId"`
	Access        lenient.List[struct {
		ID   string         `json:"id"`
		Type lenient.String `json:"type"`
	}] `json:"resourceAccess"`
}

// PermissionGrant is an oauth2PermissionGrant: delegated scopes granted to a
// client.
type PermissionGrant struct {
	ID          string          `json:"id"`
	ClientID    string          `json:"clientId"` // service principal id
	ConsentType lenient.String  `json:"consentType"`
	PrincipalID lenient.String  `json:"principalId"`
	ResourceID  string          `json:"resourceId"`
	Scope       lenient.String  `json:"scope"`
	Source      evidence.Source `json:"-"`
}

// SKU is a subscribedSku. Detect licences by service plan, not by SKU name
// (contracts.md section 3.9).
type SKU struct {
	ID               string         `json:"id"`
	SKUID            string         `json:"skuId"`
	SKUPartNumber    string         `json:"skuPartNumber"`
	CapabilityStatus lenient.String `json:"capabilityStatus"`
	ConsumedUnits    lenient.Int    `json:"consumedUnits"`
	PrepaidUnits     struct {
		Enabled lenient.Int `json:"enabled"`
		Warning lenient.Int `json:"warning"`
	} `json:"prepaidUnits"`
	ServicePlans lenient.List[ServicePlan] `json:"servicePlans"`
	Source       evidence.Source           `json:"-"`
}

// ServicePlan is one plan inside a SKU.
type ServicePlan struct {
	ID     string         `json:"servicePlanId"`
	Name   string         `json:"servicePlanName"`
	Status lenient.String `json:"provisioningStatus"`
}

// PrivilegedUser is ScubaGear's list of users with privileged roles.
type PrivilegedUser struct {
	ID          string          `json:"id"`
	DisplayName string          `json:"displayName"`
	Roles       lenient.Strings `json:"roles"` // display names
	Source      evidence.Source `json:"-"`
}

// PrivilegedRole is ScubaGear's list of privileged roles with their
// assignments.
type PrivilegedRole struct {
	RoleTemplateID string                       `json:"roleTemplateId"`
	DisplayName    string                       `json:"displayName"`
	Assignments    lenient.List[RoleAssignment] `json:"assignments"`
	Source         evidence.Source              `json:"-"`
}

// Organization is the tenant itself. ScubaGear writes TenantId and DomainName.
type Organization struct {
	ID          string          `json:"id"`
	TenantID    string          `json:"tenantId"`
	DisplayName string          `json:"displayName"`
	Source      evidence.Source `json:"-"`
}
