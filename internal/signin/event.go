package signin

import "time"

// Tri is a boolean that may be unknown.
type Tri uint8

// The values of Tri.
const (
	Unset Tri = iota
	No
	Yes
)

// Event is one sign-in, freed from the shape it came in. Field names are
// Microsoft's (contracts.md section 3.1). Absent, null and empty text read
// alike, as "".
//
// Strings may alias the buffer they were decoded from and are valid only until
// the decoder is called again; whoever keeps an Event must copy its texts.
type Event struct {
	ID            string
	CorrelationID string
	Created       time.Time // createdDateTime in UTC; zero when unreadable
	CreatedRaw    string    // createdDateTime as written
	Clock         ClockForm // how sure Created is
	Observed      time.Time // when the exporter wrote the row (diagnostic "time", TimeGenerated); zero when absent

	UserID            string
	UserPrincipalName string
	UserDisplayName   string
	UserType          string // member, guest

	AppID               string
	AppDisplayName      string
	ResourceID          string
	ResourceDisplayName string
	ResourceTenantID    string
	HomeTenantID        string

	IPAddress string
	Country   string // location.countryOrRegion

	OperatingSystem string // deviceDetail.operatingSystem
	DeviceCompliant Tri    // deviceDetail.isCompliant
	DeviceTrustType string // deviceDetail.trustType

	ClientAppUsed           string
	UserAgent               string
	AuthenticationProtocol  string
	OriginalTransferMethod  string
	IncomingTokenType       string
	CrossTenantAccessType   string
	TokenIssuerType         string
	ServicePrincipalID      string
	ServicePrincipalName    string
	ConditionalAccessStatus string
	RiskLevelDuringSignIn   string

	Category    string   // diagnostic category, e.g. NonInteractiveUserSignInLogs; "" for Graph rows
	EventTypes  []string // signInEventTypes
	Interactive Tri      // isInteractive

	// HasStatus says that the row carries an outcome at all. Without it the
	// sign-in neither succeeded nor failed as far as we know.
	HasStatus         bool
	ErrorCode         int32
	FailureReason     string
	AdditionalDetails string // status.additionalDetails

	AuthenticationRequirement string
	// HasMFAFields says that the row's shape can prove MFA at all: it carried the
	// key authenticationRequirement, authenticationDetails or mfaDetail, whatever
	// its value. The v1.0 resource has none of them.
	HasMFAFields        bool
	MFAAuthMethod       string // mfaDetail.authMethod
	MFAAuthDetail       string // mfaDetail.authDetail
	Steps               []Step
	RequirementPolicies []RequirementPolicy
	Policies            []AppliedPolicy

	// Audit says that the row is of the unified audit log: who signed in from
	// where, and nothing of MFA.
	Audit bool
	// Joinable says that the authentication steps of the row may stand in another
	// file of the same download.
	Joinable bool
	// Detail says that this is no sign-in but one step of the sign-in ID.
	Detail bool
}

// Step is one element of authenticationDetails.
type Step struct {
	Method       string // authenticationMethod
	MethodDetail string // authenticationMethodDetail
	Succeeded    Tri
	ResultDetail string // authenticationStepResultDetail
	Requirement  string // authenticationStepRequirement
}

// RequirementPolicy is one element of authenticationRequirementPolicies.
type RequirementPolicy struct {
	Provider string // requirementProvider, e.g. enforcedForCspAdmins
	Detail   string
}

// AppliedPolicy is one element of appliedConditionalAccessPolicies.
type AppliedPolicy struct {
	ID            string
	DisplayName   string
	Result        string
	GrantControls []string // enforcedGrantControls
}

// ClockForm says how sure createdDateTime is.
type ClockForm uint8

// The forms of clocks.
const (
	// ClockExact: one reading, in UTC.
	ClockExact ClockForm = iota
	// ClockLocal: written as people write clocks, but in one reading only. Others
	// of the same input can be read by it.
	ClockLocal
	// ClockAmbiguous: day and month could be exchanged. Created is the likelier
	// reading; only the whole input can tell.
	ClockAmbiguous
	// ClockZoneUnknown: in the local time of whoever exported. Created is zero.
	ClockZoneUnknown
)
