package signin

import "partnerguard/internal/entra"

// bucket sorts the sign-in error codes (contracts.md section 3.2).
type bucket uint8

const (
	otherFailure bucket = iota
	mfaPrompt
	enrolmentPrompt
	otherPrompt
	mfaFailure
	externalFailure
	policyBlock
	defaultsBlock
	credentialFailure
	tokenFailure
	consentFailure
)

// bucketOf is a switch, not a map, because it stands on the fold's hot path.
func bucketOf(code int32) bucket {
	switch code {
	case entra.CodeStrongAuthRequired, entra.CodeMFARequired, entra.CodeMFAExpired, entra.CodeExternalChallenge:
		return mfaPrompt
	case entra.CodeMustEnroll, entra.CodeMustEnrollNow:
		return enrolmentPrompt
	case entra.CodeDeviceAuthRequired, entra.CodeStaySignedIn, entra.CodeSelectAccount, entra.CodeAccountSelection,
		entra.CodeNobodySignedIn, entra.CodePasswordReset, entra.CodeBrokerMissing, entra.CodeDeviceNotJoined,
		entra.CodeSessionMismatch, entra.CodeIntegratedAuthNeeded: // beyond the first two: (K)
		return otherPrompt
	case entra.CodeMFAFailed:
		return mfaFailure
	case entra.CodeExternalClaimsMissing, entra.CodeExternalClaimInvalid, entra.CodeExternalUnreachable,
		entra.CodeExternalUnmapped, entra.CodeExternalNotAllowed, entra.CodeExternalTokenInvalid,
		entra.CodeExternalPrincipalMissing:
		return externalFailure
	case entra.CodeDeviceNotCompliant, entra.CodeDeviceNotDomainJoined, entra.CodeAppNotApproved, entra.CodeBlockedByPolicy,
		entra.CodeEnrollmentBlocked, entra.CodeUserRiskBlocked, entra.CodeBlockedBySecurityPolicy, entra.CodeDelegatedAdminBlocked:
		return policyBlock
	case entra.CodeBlockedByDefaults:
		return defaultsBlock
	case entra.CodeLocked, entra.CodePasswordExpired, entra.CodePasswordExpiredOnPremises, entra.CodeUserDisabled,
		entra.CodeWrongPassword:
		return credentialFailure
	case entra.CodeRevoked, entra.CodeFrequencyExpired, entra.CodeRefreshInactive, entra.CodeGrantExpired:
		return tokenFailure
	case entra.CodeNoConsent, entra.CodeConsentDeclined, entra.CodeResourceNotListed, entra.CodeServiceNeverUsed,
		entra.CodeResourceNotRequested, entra.CodeAccountNotInTenant, entra.CodeAdminConsentRequired,
		entra.CodeNotAuthorizedForPartner, entra.CodeNotAssigned, entra.CodeUserNotInTenant, entra.CodePassthroughRefused:
		return consentFailure
	}
	return otherFailure
}

// Prompt reports a code that stops a sign-in at a prompt (MFA, enrolment, device): the row is no
// end of it, be it answered or not.
func Prompt(code int32) bool {
	switch bucketOf(code) {
	case mfaPrompt, enrolmentPrompt, otherPrompt:
		return true
	}
	return false
}
