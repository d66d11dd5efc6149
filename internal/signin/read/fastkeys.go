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

	// Values of other forms.
	fieldLocation
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

	// Texts kept as they are: the first two of them, and the others behind.
	fieldCategory
	fieldRequirement
	firstText = fieldCategory
)

// eventKeys are the spellings of an event's keys, and textOffset is where the text
// of a field stands in an Event.
var eventKeys, textOffset = func() (keys map[string]field, offset [1 << 8]uintptr) {
	keys = map[string]field{
		"location": fieldLocation, "signInEventTypes": fieldEventTypes, "isInteractive": fieldInteractive,
		"status": fieldStatus, "mfaDetail": fieldMFADetail, "authenticationDetails": fieldSteps,
		"authenticationRequirementPolicies": fieldRequirementPolicies,
		"appliedConditionalAccessPolicies":  fieldPolicies, "conditionalAccessPolicies": fieldPolicies2,
		"deviceDetail": fieldDevice,
		"time":         fieldTime, "resultType": fieldResultType, "resultDescription": fieldResultDescription,
		"callerIpAddress": fieldCallerIP, "identity": fieldIdentity, "properties": fieldProperties,
	}
	var e signin.Event
	for i, text := range []struct {
		key string
		in  *string
	}{
		{"category", &e.Category}, {"authenticationRequirement", &e.AuthenticationRequirement}, {"id", &e.ID},
		{"correlationId", &e.CorrelationID}, {"createdDateTime", &e.CreatedRaw}, {"userId", &e.UserID},
		{"userPrincipalName", &e.UserPrincipalName}, {"userDisplayName", &e.UserDisplayName}, {"userType", &e.UserType},
		{"appId", &e.AppID}, {"appDisplayName", &e.AppDisplayName}, {"resourceId", &e.ResourceID},
		{"resourceDisplayName", &e.ResourceDisplayName}, {"resourceTenantId", &e.ResourceTenantID}, {"homeTenantId", &e.HomeTenantID},
		{"ipAddress", &e.IPAddress}, {"clientAppUsed", &e.ClientAppUsed}, {"userAgent", &e.UserAgent},
		{"authenticationProtocol", &e.AuthenticationProtocol}, {"originalTransferMethod", &e.OriginalTransferMethod},
		{"incomingTokenType", &e.IncomingTokenType}, {"crossTenantAccessType", &e.CrossTenantAccessType},
		{"tokenIssuerType", &e.TokenIssuerType}, {"servicePrincipalId", &e.ServicePrincipalID},
		{"servicePrincipalName", &e.ServicePrincipalName}, {"conditionalAccessStatus", &e.ConditionalAccessStatus},
		{"riskLevelDuringSignIn", &e.RiskLevelDuringSignIn},
	} {
		f := firstText + field(i)
		keys[text.key] = f
		offset[f] = uintptr(unsafe.Pointer(text.in)) - uintptr(unsafe.Pointer(&e))
	}
	return keys, offset
}()

// The spellings the fast decoder reads, by kind of object. A key that matches
// one of them only after folding, or an alias of another shape, is odd.
var (
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
