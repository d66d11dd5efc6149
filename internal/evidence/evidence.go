package evidence

import (
	"fmt"
	"slices"
)

// Kind names what a record is, in Microsoft's own terms. The values are part
// of the report's JSON schema.
type Kind string

// The kinds Partnerguard recognises (contracts.md sections 2 and 3).
const (
	SignIn                  Kind = "signIn"
	User                    Kind = "user"
	RegistrationDetails     Kind = "userRegistrationDetails"
	SecurityDefaults        Kind = "identitySecurityDefaultsEnforcementPolicy"
	ConditionalAccessPolicy Kind = "conditionalAccessPolicy"
	NamedLocation           Kind = "namedLocation"
	AuthenticationStrength  Kind = "authenticationStrengthPolicy"
	AuthenticationMethods   Kind = "authenticationMethodsPolicy"
	RoleDefinition          Kind = "roleDefinition"
	RoleAssignment          Kind = "roleAssignment"  // also active schedule instances
	RoleEligibility         Kind = "roleEligibility" // schedules and schedule instances
	DirectoryRole           Kind = "directoryRole"   // legacy: activated roles, with members when expanded
	Group                   Kind = "group"           // with members when expanded
	Application             Kind = "application"
	ServicePrincipal        Kind = "servicePrincipal"
	OAuth2PermissionGrant   Kind = "oAuth2PermissionGrant"
	AppRoleAssignment       Kind = "appRoleAssignment"
	SubscribedSku           Kind = "subscribedSku"
	Organization            Kind = "organization"
	Relationship            Kind = "delegatedAdminRelationship"
	AccessAssignment        Kind = "delegatedAdminAccessAssignment"
	Customer                Kind = "customer" // Partner Center customer, with allowDelegatedAccess
	FraudEvent              Kind = "fraudEvent"
	SecurityAlert           Kind = "partnerSecurityAlert"
	MFAAdoption             Kind = "applicationMfaAdoptionStatus"
	NonCompliantPrincipal   Kind = "nonMfaCompliantPartnerPrincipal"
	PartnerRequest          Kind = "partnerRequest"
	SecurityScore           Kind = "partnerSecurityScore"
	SecurityRequirement     Kind = "partnerSecurityRequirement"
	CustomerInsight         Kind = "customerInsight"
	CustomerUsage           Kind = "customerUsageRecord" // what a customer's Azure costs, beside its spending budget
	PrivilegedUser          Kind = "privilegedUser"      // ScubaGear: {id, DisplayName, roles[]}
	ScubaPrivilegedRole     Kind = "privilegedRole"      // ScubaGear: {RoleTemplateId, DisplayName, Assignments[]}
	CredentialRegistration  Kind = "credentialUserRegistrationDetails"
	GroupEligibility        Kind = "privilegedAccessGroupEligibility" // PIM for groups: who may activate membership or ownership
	GroupAssignment         Kind = "privilegedAccessGroupAssignment"  // PIM for groups: active memberships
	UnifiedAuditSignIn      Kind = "unifiedAuditSignIn"               // UserLoggedIn of the unified audit log: weak evidence of a sign-in
	AuthenticationDetail    Kind = "signInAuthenticationDetail"       // the portal's AuthDetails file: one step of a sign-in of another file
	Vouched                 Kind = "attestation"                      // what somebody vouches for, or leaves out: no record of Microsoft's
	PerUserMFA              Kind = "perUserMfaState"                  // per-user MFA states of another list: id or name, and state

	// Kinds that are collected from live tenants, known, and judged by no rule yet.
	DirectoryAudit       Kind = "directoryAudit"
	RiskyUser            Kind = "riskyUser"
	RiskDetection        Kind = "riskDetection"
	RelationshipRequest  Kind = "delegatedAdminRelationshipRequest"
	RelationshipAction   Kind = "delegatedAdminRelationshipOperation"
	DelegatedCustomer    Kind = "delegatedAdminCustomer"
	Contract             Kind = "contract"
	SecureScore          Kind = "secureScore" // Microsoft Secure Score, not the partner's
	AuthorizationPolicy  Kind = "authorizationPolicy"
	AdminConsentPolicy   Kind = "adminConsentRequestPolicy"
	CrossTenantAccess    Kind = "crossTenantAccessPolicy"
	AzureSubscription    Kind = "azureSubscription"
	AzureRoleAssignment  Kind = "azureRoleAssignment"
	AzureActivity        Kind = "azureActivity"
	AzureResource        Kind = "azureResource"
	PartnerAuditRecord   Kind = "partnerCenterAuditRecord"
	CustomerSubscription Kind = "customerSubscription"
	AzureUsage           Kind = "azureUsageDetail"
	AzureBudget          Kind = "azureBudget"

	// Kinds that best practices alone are decided by.
	AppActivity   Kind = "servicePrincipalSignInActivity" // when an app was last used
	RolePolicy    Kind = "roleManagementPolicyAssignment" // how a role is activated: with approval, for how long
	AuditConfig   Kind = "adminAuditLogConfig"            // Exchange: whether the unified audit log takes anything
	CostAlert     Kind = "azureScheduledAction"           // Cost Management: reports and anomaly alerts
	ActivityAlert Kind = "azureActivityLogAlert"
	AzurePolicy   Kind = "azurePolicyAssignment"
)

// Unjudged are the kinds that are read and kept, and that no rule is decided by.
func Unjudged() []Kind {
	return []Kind{DirectoryAudit, RiskyUser, RiskDetection, RelationshipRequest, RelationshipAction, DelegatedCustomer, Contract, SecureScore,
		AuthorizationPolicy, AdminConsentPolicy, CrossTenantAccess, AzureSubscription, AzureRoleAssignment, AzureActivity, AzureResource,
		PartnerAuditRecord, CustomerSubscription, AzureUsage, AzureBudget, AppActivity, RolePolicy, AuditConfig, CostAlert, ActivityAlert, AzurePolicy}
}

// Source says where a record was read, so that every number can be opened.
// The zero value of a field means "not known".
type Source struct {
	Path  string `json:"path"`            // as the user named it; "-" is standard input; "sample:" the embedded partner
	Line  int    `json:"line,omitempty"`  // 1-based, for line-wise shapes
	Index int    `json:"index,omitempty"` // 1-based position in a collection
	Part  string `json:"part,omitempty"`  // the member inside a composite export, e.g. conditional_access_policies
}

// String is the short form shown to people: path:line, path[index] or path.
func (s Source) String() string {
	p := s.Path
	if s.Part != "" {
		p += "#" + s.Part
	}
	switch {
	case s.Line > 0:
		return fmt.Sprintf("%s:%d", p, s.Line)
	case s.Index > 0:
		return fmt.Sprintf("%s[%d]", p, s.Index)
	}
	return p
}

// Status says what became of an input.
type Status string

// The statuses. Only Read keeps a report complete.
const (
	Read          Status = "read"           // every record was understood
	Partial       Status = "partial"        // some of it could not be read: the report is incomplete
	Unreadable    Status = "unreadable"     // nothing could be read though it should have been: the report is incomplete
	NotRecognised Status = "not_recognised" // well-formed, but nothing Partnerguard judges; does not make a report incomplete
)

// Note is one thing to say about an input: what, where, and what was expected.
type Note struct {
	Source  Source `json:"source"`
	Offset  int64  `json:"offset,omitempty"` // bytes into the decoded text, when known
	Message string `json:"message"`
}

// MaxNotes bounds the notes kept for one input; the rest are only counted.
const MaxNotes = 20

// Input is the account given of one file or stream.
type Input struct {
	Path        string       `json:"path"`
	Bytes       int64        `json:"bytes"`                 // as stored, before decompression
	Format      string       `json:"format,omitempty"`      // e.g. "json", "jsonl", "csv", "graph page"
	Encoding    string       `json:"encoding,omitempty"`    // "utf-8", "utf-8 bom", "utf-16le", "utf-16be"
	Compression string       `json:"compression,omitempty"` // "gzip", "zstd"
	SHA256      string       `json:"sha256,omitempty"`      // of the file as stored, in lower-case hexadecimal, where it was asked for
	Status      Status       `json:"status"`
	Kinds       map[Kind]int `json:"kinds,omitempty"`    // records per kind
	NextLink    bool         `json:"nextLink,omitempty"` // the last page read points to a next page that is not here
	Cuts        []Cut        `json:"cuts,omitempty"`     // lists in it that are not whole; at most MaxCuts
	Refused     string       `json:"refused,omitempty"`  // an error answer stands in it: the service's code and what that means
	Notes       []Note       `json:"notes,omitempty"`    // at most MaxNotes
	NoteCount   int          `json:"noteCount,omitempty"`
	Times       Times        `json:"times,omitzero"` // when it was made, as far as it can be told

	// Sets are the collections of relationships that pages in it belong to, as
	// id/accessassignments, and whether their ends were read.
	Sets map[string]bool `json:"-"`
}

// Ends says of a collection whether it was read to its end.
func (in *Input) Ends(set string, whole bool) {
	if in.Sets == nil {
		in.Sets = map[string]bool{}
	}
	in.Sets[set] = whole
}

// Count adds n records of kind k.
func (in *Input) Count(k Kind, n int) {
	if in.Kinds == nil {
		in.Kinds = make(map[Kind]int)
	}
	in.Kinds[k] += n
}

// Records is how many records are here that something may be decided by.
func (in *Input) Records() (n int) {
	for k, count := range in.Kinds {
		if !slices.Contains(Unjudged(), k) {
			n += count
		}
	}
	return n
}

// Add keeps a note, or only counts it past MaxNotes.
func (in *Input) Add(n Note) {
	in.NoteCount++
	if len(in.Notes) < MaxNotes {
		in.Notes = append(in.Notes, n)
	}
}
