package signin

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin/texts"
)

// Judge says what one row proves about MFA. It looks at nothing but the row,
// so interrupt reasons are provisional: the fold completes them with
// [Reason.Resolved]. Judge allocates nothing and is safe for concurrent use.
//
// Sources: contracts.md 1.2, 3.1, 3.2, 9.1; Microsoft Entra "Use the sign-ins
// report to review MFA events" for the result texts and for the rule that a
// "single factor" row may rest on an earlier MFA claim.
func Judge(e *Event) Judgement {
	j := Judgement{
		Legacy:     IsLegacyClient(e.ClientAppUsed),
		AOBO:       texts.EqualFold(e.CrossTenantAccessType, "serviceProvider"),
		DeviceCode: texts.EqualFold(e.AuthenticationProtocol, "deviceCode") || texts.EqualFold(e.OriginalTransferMethod, "deviceCodeFlow"),
		ROPC:       texts.EqualFold(e.AuthenticationProtocol, "ropc"),
	}
	for i := range e.RequirementPolicies {
		if texts.EqualFold(e.RequirementPolicies[i].Provider, "enforcedForCspAdmins") {
			j.CSPAdmin = true
		}
	}
	switch {
	case e.workload():
		j.Verdict, j.Reason = NotUser, ReasonWorkload
	case !e.HasStatus:
		j.Verdict, j.Reason = Unknown, ReasonNoOutcome
	case e.ErrorCode != 0:
		j.Verdict, j.Reason = judgeFailure(e.ErrorCode)
	case e.Audit:
		j.Verdict, j.Reason = Unknown, ReasonAuditLog
	default:
		j.Verdict, j.Reason = judgeSuccess(e, &j)
	}
	return j
}

// workload tells service principals and managed identities from users. A row
// that names a user is a user's, whatever else it carries.
func (e *Event) workload() bool {
	if e.UserID != "" && e.UserID != entra.NilID || e.UserPrincipalName != "" {
		return false
	}
	if e.ServicePrincipalID != "" {
		return true
	}
	switch {
	case texts.HasPrefixFold(e.Category, "ServicePrincipal"), texts.HasPrefixFold(e.Category, "ManagedIdentity"),
		texts.HasPrefixFold(e.Category, "AADServicePrincipal"), texts.HasPrefixFold(e.Category, "AADManagedIdentity"):
		return true
	}
	for _, t := range e.EventTypes {
		if texts.EqualFold(t, "servicePrincipal") || texts.EqualFold(t, "managedIdentity") {
			return true
		}
	}
	return false
}

func judgeFailure(code int32) (Verdict, Reason) {
	switch bucketOf(code) {
	case mfaPrompt:
		return Interrupted, ReasonPrompt
	case enrolmentPrompt:
		return Interrupted, ReasonEnrolment
	case otherPrompt:
		return Interrupted, ReasonOtherInterrupt
	case mfaFailure:
		return Failed, ReasonMFAFailed
	case externalFailure:
		return Failed, ReasonExternalMFAFailed
	case policyBlock:
		return Failed, ReasonBlockedByPolicy
	case defaultsBlock:
		return Failed, ReasonBlockedByDefaults
	case credentialFailure:
		return Failed, ReasonWrongCredentials
	case tokenFailure:
		return Failed, ReasonTokenExpired
	case consentFailure:
		return Failed, ReasonConsentMissing
	}
	return Failed, ReasonOtherFailure
}

// judgeSuccess weighs the evidence of a successful user sign-in, strongest
// first: what the steps and the result text say outright, then what the
// requirement implies, then what the client makes impossible, and only then
// the absence of MFA.
func judgeSuccess(e *Event, j *Judgement) (Verdict, Reason) {
	steps := readSteps(e)
	text := readResult(e.AdditionalDetails)
	best := max(steps.result, text)
	multi := e.NeedsMFA()

	switch {
	// Said outright. A fresh completion outranks a claim: both may be listed
	// when a second step was asked for on top of an earlier one.
	case steps.freshMFA:
		return Challenged, ReasonMFAStep
	case best == resultCompleted:
		return Challenged, ReasonMFACompleted
	case best == resultExternal:
		return SatisfiedByProvider, ReasonExternalClaim
	case best == resultClaim:
		return SatisfiedByClaim, ReasonClaimInToken
	case steps.previousMFA:
		return SatisfiedByClaim, ReasonPreviousMFA
	case e.onPremisesMFA():
		return SatisfiedByProvider, ReasonOnPremisesMFA

	// Skips are named and are what the rule forbids (contracts.md 1.2), even
	// where the requirement still reads multifactor.
	case best == resultSkippedLocation:
		return NotChallenged, ReasonSkippedLocation
	case best == resultSkippedDevice:
		return NotChallenged, ReasonSkippedDevice
	case best == resultSkippedAppPassword:
		return NotChallenged, ReasonSkippedAppPassword
	case best == resultSkipped:
		return NotChallenged, ReasonSkippedOther

	case steps.appPassword:
		return NotChallenged, ReasonSkippedAppPassword

	// A legacy protocol or the password grant cannot carry MFA, unless a line
	// above already saw proof.
	case j.Legacy:
		return NotChallenged, ReasonLegacyClient
	case j.ROPC:
		return NotChallenged, ReasonROPC

	case e.MFAAuthMethod != "":
		return Challenged, ReasonMFADetail
	case multi && e.byToken():
		return SatisfiedByClaim, ReasonRequirementToken
	case multi:
		return Challenged, ReasonRequirementMet
	case steps.strongPrimary:
		return Challenged, ReasonStrongMethod
	case steps.listedMFA:
		return Unknown, ReasonRequirementNotShown
	case conditionalAccessMFA(e):
		return SatisfiedByClaim, ReasonConditionalAccess

	// No proof. Absence only counts where the row could have shown presence.
	case !e.HasMFAFields:
		return Unknown, ReasonNoMFAFields
	case e.federationService():
		return Unknown, ReasonFederatedPrimary
	case !e.NeedsOneFactor():
		return Unknown, ReasonRequirementMissing
	case steps.freshSingle && !steps.earlier:
		return NotChallenged, ReasonSingleFactor
	case steps.earlier:
		return Unknown, ReasonEarlierClaimUnseen
	case steps.federated:
		return Unknown, ReasonFederatedPrimary
	}
	return Unknown, ReasonSingleFactorAlone
}

// byToken reports that the user presented a token rather than credentials.
func (e *Event) byToken() bool {
	if e.Interactive == No || texts.HasPrefixFold(e.Category, "NonInteractive") || texts.HasPrefixFold(e.Category, "AADNonInteractive") {
		return true
	}
	switch strings.ToLower(e.IncomingTokenType) {
	case "", "none":
		return false
	}
	return true
}

func (e *Event) onPremisesMFA() bool {
	return texts.EqualFold(e.TokenIssuerType, "ADFederationServicesMFAAdapter") ||
		texts.EqualFold(e.TokenIssuerType, "NPSExtension")
}

// federationService reports a sign-in at AD FS itself: the requirement on its
// row is that of Microsoft Entra ID, which was not asked.
func (e *Event) federationService() bool {
	const issuer = "ADFederationServices"
	return texts.HasPrefixFold(e.Category, "ADFS") || len(e.TokenIssuerType) == len(issuer) && texts.EqualFold(e.TokenIssuerType, issuer)
}

// conditionalAccessMFA reports an enforced policy whose only grant control is
// MFA and that was satisfied. With a second control the operator may be OR and
// MFA may not have happened; custom controls never count.
func conditionalAccessMFA(e *Event) bool {
	for i := range e.Policies {
		p := &e.Policies[i]
		if texts.EqualFold(p.Result, "success") && len(p.GrantControls) == 1 &&
			(texts.EqualFold(p.GrantControls[0], "mfa") || texts.EqualFold(p.GrantControls[0], "RequireMfa")) {
			return true
		}
	}
	return false
}

// NeedsMFA reports that the requirement is MFA. It compares loosely: older rows
// write "MultifactorAuthentication".
func (e *Event) NeedsMFA() bool {
	return texts.EqualFold(e.AuthenticationRequirement, "multiFactorAuthentication") ||
		texts.EqualFold(e.AuthenticationRequirement, "multi-factor authentication")
}

// NeedsOneFactor reports that the requirement is a single factor, which is not
// the same as no requirement of MFA.
func (e *Event) NeedsOneFactor() bool {
	return texts.EqualFold(e.AuthenticationRequirement, "singleFactorAuthentication") ||
		texts.EqualFold(e.AuthenticationRequirement, "single-factor authentication")
}
