package graph

import (
	"bytes"
	"encoding/json"
	"slices"

	"partnerguard/internal/partnercloud/world"
)

// signInV1 is a row as v1.0 shows it: without every field that proves MFA
// (contracts.md section 3.1).
type signInV1 struct {
	ID                string                `json:"id"`
	CreatedDateTime   world.Stamp           `json:"createdDateTime"`
	UserDisplayName   string                `json:"userDisplayName"`
	UserPrincipalName string                `json:"userPrincipalName"`
	UserID            string                `json:"userId"`
	AppID             string                `json:"appId"`
	AppDisplayName    string                `json:"appDisplayName"`
	IPAddress         string                `json:"ipAddress"`
	ClientAppUsed     string                `json:"clientAppUsed"`
	UserAgent         string                `json:"userAgent"`
	CorrelationID     string                `json:"correlationId"`
	ConditionalAccess string                `json:"conditionalAccessStatus"`
	IsInteractive     bool                  `json:"isInteractive"`
	RiskDetail        string                `json:"riskDetail"`
	RiskAggregated    string                `json:"riskLevelAggregated"`
	RiskDuring        string                `json:"riskLevelDuringSignIn"`
	RiskState         string                `json:"riskState"`
	RiskTypes         []string              `json:"riskEventTypes"`
	RiskEvents        []string              `json:"riskEventTypes_v2"`
	ResourceName      string                `json:"resourceDisplayName"`
	ResourceID        string                `json:"resourceId"`
	ResourceTenantID  string                `json:"resourceTenantId"`
	HomeTenantID      string                `json:"homeTenantId"`
	ServicePrincipal  string                `json:"servicePrincipalId"`
	ServiceName       string                `json:"servicePrincipalName"`
	AppDevice         *struct{}             `json:"authenticationAppDeviceDetails"`
	Status            *world.Status         `json:"status"`
	Device            *world.Device         `json:"deviceDetail"`
	Place             *world.Place          `json:"location"`
	Applied           []world.AppliedPolicy `json:"appliedConditionalAccessPolicies"`
}

// signInBeta is a row as beta shows it: the log's own form, with what this cloud
// has no facts for, and collections that are never null.
type signInBeta struct {
	*world.SignIn
	Applied      []world.AppliedPolicy `json:"appliedConditionalAccessPolicies"`
	Requirements []world.Requirement   `json:"authenticationRequirementPolicies"`
	Contexts     []json.RawMessage     `json:"authenticationContextClassReferences"`
	Steps        []world.Step          `json:"authenticationDetails"`
	Processing   []world.KeyValue      `json:"authenticationProcessingDetails"`
	Lifetimes    []world.Lifetime      `json:"sessionLifetimePolicies"`
	RiskEvents   []string              `json:"riskEventTypes_v2"`
	EventTypes   []string              `json:"signInEventTypes"`
	Protocol     string                `json:"authenticationProtocol"`
	Incoming     string                `json:"incomingTokenType"`
	Cross        string                `json:"crossTenantAccessType"`

	AppDevice   *struct{}   `json:"authenticationAppDeviceDetails"`
	AppPolicies []struct{}  `json:"authenticationAppPolicyEvaluationDetails"`
	Methods     []string    `json:"authenticationMethodsUsed"`
	Listeners   []struct{}  `json:"appliedEventListeners"`
	Autonomous  *int        `json:"autonomousSystemNumber"`
	AzureID     *string     `json:"azureResourceId"`
	Audiences   []string    `json:"conditionalAccessAudiences"`
	Flagged     bool        `json:"flaggedForReview"`
	SecureIP    *string     `json:"globalSecureAccessIpAddress"`
	ResourceIP  *string     `json:"ipAddressFromResourceProvider"`
	Restricted  *bool       `json:"isTenantRestricted"`
	Through     *bool       `json:"isThroughGlobalSecureAccess"`
	Managed     *struct{}   `json:"managedServiceIdentity"`
	MFADetail   *mfaDetail  `json:"mfaDetail"`
	Networks    []network   `json:"networkLocationDetails"`
	PrivateLink *struct{}   `json:"privateLinkDetails"`
	TokenStatus string      `json:"signInTokenProtectionStatus"`
	Protection  *protection `json:"tokenProtectionStatusDetails"`
}

type mfaDetail struct {
	Method string  `json:"authMethod"`
	Detail *string `json:"authDetail"`
}

type network struct {
	Type  string   `json:"networkType"`
	Names []string `json:"networkNames"`
}

type protection struct {
	Status string `json:"signInSessionStatus"`
	Code   *int   `json:"signInSessionStatusCode"`
}

// newer are the members of enumerations that came after unknownFutureValue and
// that rows of this cloud may hold; they are shown only to clients that ask.
func newer(member string) bool {
	switch member {
	case "reportOnlySuccess", "reportOnlyFailure", "reportOnlyNotApplied", "reportOnlyInterrupted", // appliedConditionalAccessPolicyResult
		"refreshToken", "remoteDesktopToken", // incomingTokenType
		"authenticationTransfer", "nativeAuth", "clientCredentials", "onBehalfOf", "refreshTokenGrant", "authorizationCodeWithPkce",
		"authorizationCodeWithoutPkce",
		"scopeBasedAuthRequirementPolicy", "authenticationStrengths", // requirementProvider
		"passthrough", // signInAccessType
		"adminConfirmedServicePrincipalCompromised", "adminDismissedAllRiskForServicePrincipal", "m365DAdminDismissedDetection",
		"userChangedPasswordOnPremises", "adminDismissedRiskForSignIn", "adminConfirmedAccountSafe", "microsoftRevokedSessions": // riskDetail
		return true
	}
	return false
}

const futureValue = "unknownFutureValue"

// evolve hides a newer member from clients that did not ask for it.
func (c *call) evolve(v string) string {
	if !c.unknown && newer(v) {
		return futureValue
	}
	return v
}

// signInRow is one row being shown: its policies may be hidden from the caller.
type signInRow struct {
	c    *call
	row  *world.SignIn
	hide bool
}

// applied are the policies that the caller may see.
func (r signInRow) applied() []world.AppliedPolicy {
	if r.hide || r.row.Applied == nil {
		return []world.AppliedPolicy{}
	}
	if r.c.unknown || !slices.ContainsFunc(r.row.Applied, func(p world.AppliedPolicy) bool { return newer(p.Result) }) {
		return r.row.Applied
	}
	out := slices.Clone(r.row.Applied)
	for i := range out {
		out[i].Result = r.c.evolve(out[i].Result)
	}
	return out
}

func (r signInRow) requirements() []world.Requirement {
	if r.row.Requirements == nil {
		return []world.Requirement{}
	}
	if r.c.unknown || !slices.ContainsFunc(r.row.Requirements, func(p world.Requirement) bool { return newer(p.Provider) }) {
		return r.row.Requirements
	}
	out := slices.Clone(r.row.Requirements)
	for i := range out {
		out[i].Provider = r.c.evolve(out[i].Provider)
	}
	return out
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// form holds one row in each version's form; a page's rows take turns in it.
type form struct {
	v1         signInV1
	beta       signInBeta
	protection protection
	audience   [1]string
}

// audiences are the apps that policies looked at.
func (f *form) audiences(x *world.SignIn) []string {
	if x.Audiences != nil {
		return x.Audiences
	}
	if x.ResourceID == "" {
		return []string{}
	}
	f.audience[0] = x.ResourceID
	return f.audience[:]
}

// shown is the row in the version's form, ready to encode.
func (r signInRow) shown(f *form) any {
	x := r.row
	if !r.c.beta {
		f.v1 = signInV1{
			ID: x.ID, CreatedDateTime: x.CreatedDateTime, UserDisplayName: x.UserDisplayName, UserPrincipalName: x.UserPrincipalName, UserID: x.UserID,
			AppID: x.AppID, AppDisplayName: x.AppDisplayName, IPAddress: x.IPAddress, ClientAppUsed: x.ClientAppUsed, UserAgent: x.UserAgent,
			CorrelationID: x.CorrelationID, ConditionalAccess: x.ConditionalAccess, IsInteractive: x.IsInteractive,
			RiskDetail: r.c.evolve(x.RiskDetail), RiskAggregated: x.RiskAggregated, RiskDuring: x.RiskDuring, RiskState: x.RiskState,
			RiskTypes: []string{}, RiskEvents: orEmpty(x.RiskEvents), ResourceName: x.ResourceDisplayName, ResourceID: x.ResourceID,
			ResourceTenantID: x.ResourceTenantID, HomeTenantID: x.HomeTenantID, ServicePrincipal: x.ServicePrincipalID, ServiceName: x.ServicePrincipalName,
			Status: &x.Status, Device: &x.Device, Place: &x.Place, Applied: r.applied(),
		}
		return &f.v1
	}
	f.protection.Status = "none"
	f.beta = signInBeta{
		SignIn: x, Applied: r.applied(), Requirements: r.requirements(), Contexts: orEmpty(x.Contexts), Steps: orEmpty(x.Steps),
		Processing: orEmpty(x.Processing), Lifetimes: orEmpty(x.Lifetimes), RiskEvents: orEmpty(x.RiskEvents), EventTypes: orEmpty(x.EventTypes),
		Protocol: r.c.evolve(x.Protocol), Incoming: r.c.evolve(x.IncomingTokenType), Cross: r.c.evolve(x.CrossTenant),
		AppPolicies: []struct{}{}, Methods: []string{}, Listeners: []struct{}{}, Audiences: f.audiences(x), Networks: []network{},
		TokenStatus: "none", Protection: &f.protection,
	}
	return &f.beta
}

// appendJSON writes the whole row.
func (r signInRow) appendJSON(b []byte) []byte {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	var f form
	if err := e.Encode(r.shown(&f)); err != nil {
		return append(b, "null"...)
	}
	return w.Bytes()[:w.Len()-1]
}

// Field gives what filters read without encoding the row; the rest comes from
// its encoded form.
func (r signInRow) Field(name string) (any, bool) {
	if known, _ := knownProperty("signIn", name, r.c.beta); !known {
		return nil, false
	}
	x := r.row
	switch name {
	case "id":
		return x.ID, true
	case "createdDateTime":
		return x.CreatedDateTime.Time, true
	case "userId":
		return x.UserID, true
	case "userPrincipalName":
		return x.UserPrincipalName, true
	case "userDisplayName":
		return x.UserDisplayName, true
	case "appId":
		return x.AppID, true
	case "appDisplayName":
		return x.AppDisplayName, true
	case "ipAddress":
		return x.IPAddress, true
	case "clientAppUsed":
		return x.ClientAppUsed, true
	case "conditionalAccessStatus":
		return x.ConditionalAccess, true
	case "authenticationRequirement":
		return x.Requirement, true
	case "crossTenantAccessType":
		return x.CrossTenant, true
	case "correlationId":
		return x.CorrelationID, true
	case "resourceId":
		return x.ResourceID, true
	case "resourceDisplayName":
		return x.ResourceDisplayName, true
	case "riskState":
		return x.RiskState, true
	case "riskLevelDuringSignIn":
		return x.RiskDuring, true
	case "isInteractive":
		return x.IsInteractive, true
	case "signInEventTypes":
		return x.EventTypes, true
	case "authenticationProtocol":
		return x.Protocol, true
	case "homeTenantId":
		return x.HomeTenantID, true
	case "resourceTenantId":
		return x.ResourceTenantID, true
	case "servicePrincipalId":
		return x.ServicePrincipalID, true
	case "userType":
		return x.UserType, true
	case "status":
		return object{{"errorCode", x.Status.ErrorCode}, {"failureReason", x.Status.FailureReason}, {"additionalDetails", x.Status.AdditionalDetails}}, true
	case "location":
		return object{{"city", x.Place.City}, {"state", x.Place.State}, {"countryOrRegion", x.Place.Country}}, true
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(r.appendJSON(nil), &all) != nil {
		return nil, true
	}
	return all[name], true
}
