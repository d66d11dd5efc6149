package world

import (
	"encoding/json"
	"time"
)

// Stamp is a moment that writes itself as Graph does: RFC 3339 UTC, up to seven
// fractional digits; the zero moment is null.
type Stamp struct{ time.Time }

// MarshalJSON writes the moment.
func (s Stamp) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 32)
	b = append(b, '"')
	b = s.Truncate(100*time.Nanosecond).UTC().AppendFormat(b, "2006-01-02T15:04:05.9999999Z")
	return append(b, '"'), nil
}

// SignIn is a row of the sign-in log with the names of Graph's beta signIn
// (contracts.md section 3.1). Rows are immutable.
type SignIn struct {
	ID                   string   `json:"id"`
	CreatedDateTime      Stamp    `json:"createdDateTime"`
	UserDisplayName      string   `json:"userDisplayName"`
	UserPrincipalName    string   `json:"userPrincipalName"`
	UserID               string   `json:"userId"`
	AppID                string   `json:"appId"`
	AppDisplayName       string   `json:"appDisplayName"`
	IPAddress            string   `json:"ipAddress"`
	ClientAppUsed        string   `json:"clientAppUsed"`
	UserAgent            string   `json:"userAgent"`
	CorrelationID        string   `json:"correlationId"`
	ConditionalAccess    string   `json:"conditionalAccessStatus"`
	OriginalRequestID    string   `json:"originalRequestId"`
	IsInteractive        bool     `json:"isInteractive"`
	TokenIssuerName      string   `json:"tokenIssuerName"`
	TokenIssuerType      string   `json:"tokenIssuerType"`
	Requirement          string   `json:"authenticationRequirement"`
	Protocol             string   `json:"authenticationProtocol"`
	IncomingTokenType    string   `json:"incomingTokenType"`
	TransferMethod       string   `json:"originalTransferMethod"`
	CredentialType       string   `json:"clientCredentialType"`
	CredentialKeyID      string   `json:"servicePrincipalCredentialKeyId"`
	CredentialThumbprint string   `json:"servicePrincipalCredentialThumbprint"`
	FederatedID          string   `json:"federatedCredentialId"`
	CrossTenant          string   `json:"crossTenantAccessType"`
	HomeTenantID         string   `json:"homeTenantId"`
	HomeTenantName       string   `json:"homeTenantName"`
	ResourceTenantID     string   `json:"resourceTenantId"`
	ResourceOwnerTenant  string   `json:"resourceOwnerTenantId"`
	AppOwnerTenant       string   `json:"appOwnerTenantId"`
	ResourceDisplayName  string   `json:"resourceDisplayName"`
	ResourceID           string   `json:"resourceId"`
	ResourceSP           string   `json:"resourceServicePrincipalId"`
	ServicePrincipalID   string   `json:"servicePrincipalId"`
	ServicePrincipalName string   `json:"servicePrincipalName"`
	RiskDetail           string   `json:"riskDetail"`
	RiskAggregated       string   `json:"riskLevelAggregated"`
	RiskDuring           string   `json:"riskLevelDuringSignIn"`
	RiskState            string   `json:"riskState"`
	RiskEvents           []string `json:"riskEventTypes_v2"`
	SessionID            string   `json:"sessionId"`
	UniqueToken          string   `json:"uniqueTokenIdentifier"`
	UserType             string   `json:"userType"` // member, guest
	SignInIdentifier     string   `json:"signInIdentifier"`
	IdentifierType       *string  `json:"signInIdentifierType"`
	EventTypes           []string `json:"signInEventTypes"`
	Audiences            []string `json:"conditionalAccessAudiences,omitempty"` // what policies looked at, where it is not the resource
	ProcessingTime       int      `json:"processingTimeInMilliseconds"`

	Status       Status            `json:"status"`
	Device       Device            `json:"deviceDetail"`
	Place        Place             `json:"location"`
	Applied      []AppliedPolicy   `json:"appliedConditionalAccessPolicies"`
	Steps        []Step            `json:"authenticationDetails"`
	Processing   []KeyValue        `json:"authenticationProcessingDetails"`
	Requirements []Requirement     `json:"authenticationRequirementPolicies"`
	Contexts     []json.RawMessage `json:"authenticationContextClassReferences"`
	Lifetimes    []Lifetime        `json:"sessionLifetimePolicies"`

	Seq int64 `json:"-"` // the log's running number, for following it
}

// Status is a sign-in's outcome.
type Status struct {
	ErrorCode         int    `json:"errorCode"`
	FailureReason     string `json:"failureReason"`
	AdditionalDetails string `json:"additionalDetails"`
}

// Device is deviceDetail.
type Device struct {
	DeviceID        string `json:"deviceId"`
	DisplayName     string `json:"displayName"`
	OperatingSystem string `json:"operatingSystem"`
	Browser         string `json:"browser"`
	IsCompliant     bool   `json:"isCompliant"`
	IsManaged       bool   `json:"isManaged"`
	TrustType       string `json:"trustType"`
}

// Place is location.
type Place struct {
	City        string      `json:"city"`
	State       string      `json:"state"`
	Country     string      `json:"countryOrRegion"`
	Coordinates Coordinates `json:"geoCoordinates"`
}

// Coordinates are geoCoordinates.
type Coordinates struct {
	Altitude  *float64 `json:"altitude"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
}

// AppliedPolicy is one appliedConditionalAccessPolicies element.
type AppliedPolicy struct {
	ID              string   `json:"id"`
	DisplayName     string   `json:"displayName"`
	GrantControls   []string `json:"enforcedGrantControls"`
	SessionControls []string `json:"enforcedSessionControls"`
	Result          string   `json:"result"`
}

// Step is one authenticationDetails element.
type Step struct {
	At          Stamp   `json:"authenticationStepDateTime"`
	Method      string  `json:"authenticationMethod"`
	Detail      *string `json:"authenticationMethodDetail"`
	Succeeded   bool    `json:"succeeded"`
	Result      string  `json:"authenticationStepResultDetail"`
	Requirement string  `json:"authenticationStepRequirement"`
}

// KeyValue is a key with a value.
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Requirement is one authenticationRequirementPolicies element: who asked.
type Requirement struct {
	Provider string `json:"requirementProvider"`
	Detail   string `json:"detail"`
}

// Lifetime is one sessionLifetimePolicies element.
type Lifetime struct {
	Requirement string `json:"expirationRequirement"`
	Detail      string `json:"detail"`
}

// DirectoryAudit is a row of the directory audit log (contracts.md section 3.10).
type DirectoryAudit struct {
	ID           string        `json:"id"`
	At           Stamp         `json:"activityDateTime"`
	Activity     string        `json:"activityDisplayName"`
	Category     string        `json:"category"`
	Operation    string        `json:"operationType"`
	Result       string        `json:"result"`
	ResultReason string        `json:"resultReason"`
	Service      string        `json:"loggedByService"`
	Correlation  string        `json:"correlationId"`
	By           Initiator     `json:"initiatedBy"`
	Targets      []AuditTarget `json:"targetResources"`
	Details      []KeyValue    `json:"additionalDetails"`
}

// Initiator is who did it: a user or an app.
type Initiator struct {
	User *AuditUser `json:"user"`
	App  *AuditApp  `json:"app"`
}

// AuditUser is the user who did it.
type AuditUser struct {
	ID   string  `json:"id"`
	Name *string `json:"displayName"`
	UPN  string  `json:"userPrincipalName"`
	IP   *string `json:"ipAddress"`
}

// AuditApp is the app that did it.
type AuditApp struct {
	AppID string  `json:"appId"`
	Name  string  `json:"displayName"`
	SP    *string `json:"servicePrincipalId"`
}

// AuditTarget is what was changed.
type AuditTarget struct {
	ID       string     `json:"id"`
	Name     *string    `json:"displayName"`
	Type     string     `json:"type"`
	UPN      *string    `json:"userPrincipalName"`
	Modified []Modified `json:"modifiedProperties"`
}

// Modified is one changed property, as JSON texts.
type Modified struct {
	Name string `json:"displayName"`
	Old  string `json:"oldValue"`
	New  string `json:"newValue"`
}

// AuditRecord is a Partner Center audit record (contracts.md section 2.6).
type AuditRecord struct {
	ID           string
	At           time.Time
	Customer     string // tenant id
	CustomerName string
	UPN          string
	AppID        string
	ResourceType string
	Old, New     string // JSON texts
	Operation    string
	Correlation  string
	Status       string // succeeded, failed, progress, decline
	Data         []KeyValue
	Quiet        bool // no audit record: a webhook follows from it, and nothing lists it
}

// PartnerRequest is one request to Partner Center, portal or API, as the MFA
// adoption reports count it (contracts.md section 2.4).
type PartnerRequest struct {
	ID          string
	Correlation string
	Operation   string // "Get /v{version}/customers"
	At          time.Time
	IP          string
	UserID      string
	TenantID    string
	UPN         string
	AppID       string
	AppName     string
	Portal      bool
	AppOnly     bool // never counted
	MFA         bool
}
