package read

import (
	"strings"
	"unsafe"

	"partnerguard/internal/signin"
)

// field names what a key means to the fast decoder.
type field uint8

const (
	fieldSkip field = iota // means nothing to us
	fieldOdd               // means something, but only the slow decoder can tell

	// Texts kept as they are; textOffset says where.
	fieldID
	fieldCorrelationID
	fieldCreated
	fieldUserID
	fieldUPN
	fieldDisplayName
	fieldUserType
	fieldAppID
	fieldAppName
	fieldResourceID
	fieldResourceName
	fieldResourceTenant
	fieldHomeTenant
	fieldIP
	fieldClient
	fieldAgent
	fieldProtocol
	fieldTransfer
	fieldIncoming
	fieldCrossTenant
	fieldIssuer
	fieldSPID
	fieldSPName
	fieldCAStatus
	fieldRisk
	fieldCategory
	fieldRequirement
	lastText = fieldRequirement

	// Values of other forms.
	fieldLocation = iota - 1
	fieldEventTypes
	fieldInteractive
	fieldStatus
	fieldMFADetail
	fieldSteps
	fieldRequirementPolicies
	fieldPolicies
	fieldPolicies2 // the diagnostic spelling
	fieldDevice

	// Of the envelope only.
	fieldTime
	fieldResultType
	fieldResultDescription
	fieldCallerIP
	fieldIdentity
	fieldProperties
)

// textOffset is where the text of a field stands in an Event.
var textOffset = func() (o [lastText + 1]uintptr) {
	var e signin.Event
	for f, p := range map[field]*string{
		fieldID: &e.ID, fieldCorrelationID: &e.CorrelationID, fieldCreated: &e.CreatedRaw, fieldUserID: &e.UserID,
		fieldUPN: &e.UserPrincipalName, fieldDisplayName: &e.UserDisplayName, fieldUserType: &e.UserType, fieldAppID: &e.AppID,
		fieldAppName: &e.AppDisplayName, fieldResourceID: &e.ResourceID, fieldResourceName: &e.ResourceDisplayName,
		fieldResourceTenant: &e.ResourceTenantID, fieldHomeTenant: &e.HomeTenantID, fieldIP: &e.IPAddress,
		fieldClient: &e.ClientAppUsed, fieldAgent: &e.UserAgent, fieldProtocol: &e.AuthenticationProtocol, fieldTransfer: &e.OriginalTransferMethod,
		fieldIncoming: &e.IncomingTokenType, fieldCrossTenant: &e.CrossTenantAccessType, fieldIssuer: &e.TokenIssuerType,
		fieldSPID: &e.ServicePrincipalID, fieldSPName: &e.ServicePrincipalName, fieldCAStatus: &e.ConditionalAccessStatus,
		fieldRisk: &e.RiskLevelDuringSignIn, fieldCategory: &e.Category, fieldRequirement: &e.AuthenticationRequirement,
	} {
		o[f] = uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(&e))
	}
	return o
}()

// The spellings the fast decoder reads, by kind of object. A key that matches
// one of them only after folding, or an alias of another shape, is odd.
var (
	eventKeys = map[string]field{
		"id": fieldID, "correlationId": fieldCorrelationID, "createdDateTime": fieldCreated, "userId": fieldUserID,
		"userPrincipalName": fieldUPN, "userDisplayName": fieldDisplayName, "userType": fieldUserType, "appId": fieldAppID,
		"appDisplayName": fieldAppName, "resourceId": fieldResourceID, "resourceDisplayName": fieldResourceName,
		"resourceTenantId": fieldResourceTenant, "homeTenantId": fieldHomeTenant, "ipAddress": fieldIP,
		"clientAppUsed": fieldClient, "userAgent": fieldAgent, "authenticationProtocol": fieldProtocol, "originalTransferMethod": fieldTransfer,
		"incomingTokenType": fieldIncoming, "crossTenantAccessType": fieldCrossTenant, "tokenIssuerType": fieldIssuer,
		"servicePrincipalId": fieldSPID, "servicePrincipalName": fieldSPName, "conditionalAccessStatus": fieldCAStatus,
		"riskLevelDuringSignIn": fieldRisk, "category": fieldCategory, "authenticationRequirement": fieldRequirement,
		"location": fieldLocation, "signInEventTypes": fieldEventTypes, "isInteractive": fieldInteractive,
		"status": fieldStatus, "mfaDetail": fieldMFADetail, "authenticationDetails": fieldSteps,
		"authenticationRequirementPolicies": fieldRequirementPolicies,
		"appliedConditionalAccessPolicies":  fieldPolicies, "conditionalAccessPolicies": fieldPolicies2,
		"deviceDetail": fieldDevice,
		"time":         fieldTime, "resultType": fieldResultType, "resultDescription": fieldResultDescription,
		"callerIpAddress": fieldCallerIP, "identity": fieldIdentity, "properties": fieldProperties,
	}
	statusKeys   = map[string]field{"errorCode": 2, "failureReason": 3, "additionalDetails": 4}
	locationKeys = map[string]field{"countryOrRegion": 2}
	deviceKeys   = map[string]field{"operatingSystem": 2, "isCompliant": 3, "trustType": 4}
	mfaKeys      = map[string]field{"authMethod": 2, "authDetail": 3}
	stepKeys     = map[string]field{
		"authenticationMethod": 2, "authenticationMethodDetail": 3, "succeeded": 4,
		"authenticationStepResultDetail": 5, "authenticationStepRequirement": 6,
	}
	requirementKeys = map[string]field{"requirementProvider": 2, "detail": 3}
	policyKeys      = map[string]field{"id": 2, "displayName": 3, "result": 4, "enforcedGrantControls": 5}
)

// otherEventKeys are the folded keys that [DecodeEvent] also reads, from other
// shapes or to tell other kinds of record.
var otherEventKeys = []string{
	"activitydatetime", "activitydisplayname", "riskeventtype", "detecteddatetime",
	"date (utc)", "request id", "timegenerated", "type", "correlation id", "user id", "username", "user type", "user",
	"application id", "application", "resourceidentity", "resource id", "resource", "resource tenant id", "home tenant id",
	"ip address", "locationdetails", "service principal id", "service principal name", "client app", "user agent", "authentication protocol",
	"original transfer method", "incoming token type", "cross tenant access type", "token issuer type", "conditional access",
	"sign-in error code", "failure reason", "multifactor authentication result", "additionaldetails",
	"authentication requirement", "multifactor authentication auth method", "multifactor authentication auth detail",
	"operating system", "compliant", "join type",
	"errorcode", "country", "countryorregion", "azure", "authentication method", "operation", "operations", "auditdata", "accountupn", "accountobjectid",
}

// keyTable tells what the keys of one kind of object mean. It remembers keys
// it has seen and which key came after which, since exporters write the same
// keys in the same order.
type keyTable struct {
	exact  map[string]field
	folded map[string]bool
	known  map[string]*keyEntry
	root   keyEntry // what comes first
}

type keyEntry struct {
	key    string
	quoted string // with its quotes and the colon, as exporters write it
	field  field
	next   *keyEntry // the key that followed last time
}

// maxKnownKeys bounds what a keyTable remembers of keys nobody has heard of.
const maxKnownKeys = 4096

func newKeyTable(exact map[string]field, folded map[string]bool) *keyTable {
	return &keyTable{exact: exact, folded: folded, known: make(map[string]*keyEntry)}
}

// foldedKeys is what keys are compared with once folded.
func foldedKeys(exact map[string]field, more ...string) map[string]bool {
	folded := make(map[string]bool, len(exact)+len(more))
	for k := range exact {
		folded[foldKey(k)] = true
	}
	for _, k := range more {
		folded[k] = true
	}
	return folded
}

// Never written after they are made.
var (
	eventFolded       = foldedKeys(eventKeys, otherEventKeys...)
	statusFolded      = foldedKeys(statusKeys)
	locationFolded    = foldedKeys(locationKeys)
	deviceFolded      = foldedKeys(deviceKeys)
	mfaFolded         = foldedKeys(mfaKeys)
	stepFolded        = foldedKeys(stepKeys)
	requirementFolded = foldedKeys(requirementKeys)
	policyFolded      = foldedKeys(policyKeys)
)

// lookup finds what key, as written, means. prev is the entry of the key
// before it, or the table's root.
func (t *keyTable) lookup(prev *keyEntry, key string) *keyEntry {
	e := t.known[key]
	if e == nil {
		e = &keyEntry{field: t.classify(key)}
		if len(t.known) >= maxKnownKeys {
			return e
		}
		e.key = strings.Clone(key)
		e.quoted = `"` + e.key + `":`
		t.known[e.key] = e
	}
	prev.next = e
	return e
}

func (t *keyTable) classify(key string) field {
	for i := 0; i < len(key); i++ {
		if key[i] >= 0x80 || key[i] == '\\' { // may fold or unescape into anything
			return fieldOdd
		}
	}
	if f, ok := t.exact[key]; ok {
		return f
	}
	k := foldKey(key)
	if strings.HasPrefix(k, elasticPrefix) {
		return fieldOdd
	}
	for _, o := range flattenedKeys {
		if flattenedName(k, o) != "" {
			return fieldOdd
		}
	}
	for _, s := range suffixes {
		if base, ok := strings.CutSuffix(k, s); ok && t.folded[base] {
			return fieldOdd
		}
	}
	return fieldSkip
}
