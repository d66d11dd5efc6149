package access

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// State is a policy's state, kept as written.
type State string

// The known states; anything else is unknown and not enforced.
const (
	Enabled    State = "enabled"
	Disabled   State = "disabled"
	ReportOnly State = "enabledForReportingButNotEnforced"
)

// Policy is a Conditional Access policy (contracts.md section 3.6).
type Policy struct {
	ID              string           `json:"id"`
	DisplayName     string           `json:"displayName"`
	State           State            `json:"state"`
	CreatedDateTime lenient.Time     `json:"createdDateTime"`
	Modified        lenient.Time     `json:"modifiedDateTime"`
	Conditions      Conditions       `json:"conditions"`
	GrantControls   *GrantControls   `json:"grantControls"`
	SessionControls *SessionControls `json:"sessionControls"`
	Source          evidence.Source  `json:"-"`

	// Unsupported names what this policy says and the engine does not know:
	// conditions, controls or values. Such a policy is never counted as
	// protection, and every answer names it.
	Unsupported []string `json:"-"`

	// Planned says that the policy is from a configuration: it is to be, and
	// whether it is was not read. It is then unsupported as a setting of today;
	// see [Policy.Proposed].
	Planned bool `json:"-"`
}

// planned is why a planned policy is not counted.
const planned = "a configuration says what is to be, not what is in force (terraform show -json prints the state)"

// Proposed is the policy as a proposal: that it is only planned counts for
// nothing then.
func (p *Policy) Proposed() *Policy {
	out := *p
	out.Unsupported = slices.DeleteFunc(slices.Clone(p.Unsupported), func(s string) bool { return s == planned })
	return &out
}

// Conditions are the clauses that select sign-ins. All of them must hold.
type Conditions struct {
	Users            Users                           `json:"users"`
	Applications     Applications                    `json:"applications"`
	ClientAppTypes   lenient.Strings                 `json:"clientAppTypes"`
	Platforms        lenient.List[PlatformCondition] `json:"platforms"`
	Locations        lenient.List[LocationCondition] `json:"locations"` // one element, or none: some tools write [] for null
	Devices          lenient.List[DeviceCondition]   `json:"devices"`
	SignInRiskLevels lenient.Strings                 `json:"signInRiskLevels"`
	UserRiskLevels   lenient.Strings                 `json:"userRiskLevels"`
	InsiderRisk      lenient.Strings                 `json:"insiderRiskLevels"`
	Flows            lenient.List[FlowCondition]     `json:"authenticationFlows"`

	// Workload is set when the policy selects service principals or agents
	// instead of users; it then never applies to a user.
	Workload bool `json:"-"`
}

// Users selects accounts by id, group, role template or external type. The
// words All, None and GuestsOrExternalUsers may stand among the user ids.
type Users struct {
	IncludeUsers     lenient.Strings         `json:"includeUsers"`
	ExcludeUsers     lenient.Strings         `json:"excludeUsers"`
	IncludeGroups    lenient.Strings         `json:"includeGroups"`
	ExcludeGroups    lenient.Strings         `json:"excludeGroups"`
	IncludeRoles     lenient.Strings         `json:"includeRoles"`
	ExcludeRoles     lenient.Strings         `json:"excludeRoles"`
	IncludeExternals lenient.List[Externals] `json:"includeGuestsOrExternalUsers"`
	ExcludeExternals lenient.List[Externals] `json:"excludeGuestsOrExternalUsers"`
}

// Externals selects guests and external users by type and home tenant.
type Externals struct {
	Types   lenient.Strings  `json:"guestOrExternalUserTypes"` // comma-joined flags
	Tenants *ExternalTenants `json:"externalTenants"`
}

// ExternalTenants are the home tenants of external users that a clause selects.
type ExternalTenants struct {
	Kind    lenient.String  `json:"membershipKind"` // all, enumerated
	Members lenient.Strings `json:"members"`
	// MembersLost says that the list is enumerated and nothing stands in it,
	// which no policy says: the Graph PowerShell SDK drops the members.
	MembersLost bool `json:"-"`
}

// Applications selects what is signed in to. A policy selects apps, user
// actions or authentication contexts.
type Applications struct {
	IncludeApplications lenient.Strings `json:"includeApplications"`
	ExcludeApplications lenient.Strings `json:"excludeApplications"`
	UserActions         lenient.Strings `json:"includeUserActions"`
	Contexts            lenient.Strings `json:"includeAuthenticationContextClassReferences"`
}

// PlatformCondition selects by device platform.
type PlatformCondition struct {
	Include lenient.Strings `json:"includePlatforms"`
	Exclude lenient.Strings `json:"excludePlatforms"`
}

// LocationCondition selects by named location.
type LocationCondition struct {
	IncludeLocations lenient.Strings `json:"includeLocations"`
	ExcludeLocations lenient.Strings `json:"excludeLocations"`
}

// DeviceCondition selects by a device filter.
type DeviceCondition struct {
	Filter *struct {
		Mode lenient.String `json:"mode"` // include, exclude
		Rule string         `json:"rule"`
	} `json:"deviceFilter"`
}

// FlowCondition selects by authentication flow.
type FlowCondition struct {
	TransferMethods lenient.Strings `json:"transferMethods"`
}

// GrantControls say what a policy demands.
type GrantControls struct {
	Operator        lenient.String  `json:"operator"`
	OperatorMS      lenient.String  `json:"_operator,omitempty"` // how the AzureAD module spells it
	BuiltInControls lenient.Strings `json:"builtInControls"`
	CustomFactors   lenient.Strings `json:"customAuthenticationFactors"`
	TermsOfUse      lenient.Strings `json:"termsOfUse"`
	Strength        *Strength       `json:"authenticationStrength"`
}

// SessionControls say how long and how a session lives.
type SessionControls struct {
	SignInFrequency *SignInFrequency `json:"signInFrequency"`
	// TokenProtection binds refresh tokens to a device.
	TokenProtection *struct {
		IsEnabled lenient.Bool `json:"isEnabled"`
	} `json:"secureSignInSession"`
}

// SignInFrequency forces a fresh sign-in.
type SignInFrequency struct {
	IsEnabled          lenient.Bool   `json:"isEnabled"`
	Value              lenient.Int    `json:"value"`
	Type               lenient.String `json:"type"`
	AuthenticationType lenient.String `json:"authenticationType"`
	Interval           lenient.String `json:"frequencyInterval"`
}

// Strength is an authentication strength policy.
type Strength struct {
	ID                    string                       `json:"id"`
	DisplayName           string                       `json:"displayName"`
	RequirementsSatisfied lenient.String               `json:"requirementsSatisfied"`
	AllowedCombinations   lenient.List[lenient.String] `json:"allowedCombinations"`
	Modified              lenient.Time                 `json:"modifiedDateTime"`
	Source                evidence.Source              `json:"-"`
	// Unclear says why its combinations are not known; "" they are.
	Unclear string `json:"-"`
}

// SecurityDefaults is identitySecurityDefaultsEnforcementPolicy.
type SecurityDefaults struct {
	ID        string          `json:"id"`
	IsEnabled lenient.Bool    `json:"isEnabled"`
	Source    evidence.Source `json:"-"`
}

// NamedLocation is an IP or country location.
type NamedLocation struct {
	ID             string                `json:"id"`
	DisplayName    string                `json:"displayName"`
	IsTrusted      lenient.Bool          `json:"isTrusted"`
	Ranges         lenient.List[IPRange] `json:"ipRanges"`
	Countries      lenient.Strings       `json:"countriesAndRegions"`
	UnknownCountry lenient.Bool          `json:"includeUnknownCountriesAndRegions"`
	LookupMethod   lenient.String        `json:"countryLookupMethod"` // clientIpAddress, authenticatorAppGps
	NetworkType    lenient.String        `json:"compliantNetworkType"`
	Type           string                `json:"@odata.type"`
	Modified       lenient.Time          `json:"modifiedDateTime"`
	Source         evidence.Source       `json:"-"`
	// Unclear says why its extent is not known; "" it is.
	Unclear string `json:"-"`
}

// IPRange is one CIDR block.
type IPRange struct {
	CIDR string `json:"cidrAddress"`
}

// MethodsPolicy is authenticationMethodsPolicy.
type MethodsPolicy struct {
	ID             string               `json:"id"`
	Configurations lenient.List[Method] `json:"authenticationMethodConfigurations"`
	MigrationState lenient.String       `json:"policyMigrationState"` // preMigration, migrationInProgress, migrationComplete
	Source         evidence.Source      `json:"-"`
}

// Method is one authenticationMethodConfiguration.
type Method struct {
	Type  string         `json:"@odata.type"`
	ID    string         `json:"id"`
	State lenient.String `json:"state"`
}

// Enforced reports a policy that acts on sign-ins: report-only and unknown
// states do not.
func (p *Policy) Enforced() bool { return strings.EqualFold(string(p.State), string(Enabled)) }

// ReportOnly reports a policy that only writes what it would have done.
func (p *Policy) ReportOnly() bool { return strings.EqualFold(string(p.State), string(ReportOnly)) }

// MayBeEnforced reports a policy that is on, or whose state is not one of the
// three that are known.
func (p *Policy) MayBeEnforced() bool {
	return !p.ReportOnly() && !strings.EqualFold(string(p.State), string(Disabled))
}

// On reports security defaults that are known to be on.
func (s *SecurityDefaults) On() bool { return s != nil && s.IsEnabled.True() }

// plainPolicy has Policy's fields without its UnmarshalJSON.
type plainPolicy Policy

// UnmarshalJSON reads a policy in any key case and names what it does not
// know. A field of a wrong type is named too and does not cost the rest. What
// an export cut off is no error: it stands in Unsupported.
func (p *Policy) UnmarshalJSON(b []byte) error {
	var plain plainPolicy
	err := json.Unmarshal(b, &plain)
	*p = Policy(plain)
	if g := p.GrantControls; g != nil && g.Operator == "" {
		g.Operator = g.OperatorMS
	}
	for _, list := range [][]Externals{p.Conditions.Users.IncludeExternals.Items, p.Conditions.Users.ExcludeExternals.Items} {
		for _, e := range list {
			if t := e.Tenants; t != nil {
				t.MembersLost = strings.EqualFold(string(t.Kind), "enumerated") && len(t.Members) == 0
			}
		}
	}
	p.findUnsupported(b)
	if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); wrong && p.cut() {
		return nil
	}
	return err
}

// cut reports that some of the policy was cut off by an export.
func (p *Policy) cut() bool {
	return slices.ContainsFunc(p.Unsupported, func(s string) bool { return strings.HasSuffix(s, cutOff) })
}
