package signin

// Reason says in one code why a verdict was given. Codes are stable names in
// CSV and JSON; the numeric values are not stored anywhere.
type Reason uint8

// The reasons, grouped by the verdict they go with.
const (
	ReasonNone Reason = iota

	// Unknown.
	ReasonNoOutcome           // the row says neither success nor failure
	ReasonNoMFAFields         // v1.0 shape: no field that could show MFA
	ReasonRequirementMissing  // steps without a requirement, or the reverse
	ReasonSingleFactorAlone   // singleFactorAuthentication and nothing else
	ReasonEarlierClaimUnseen  // first factor by an earlier token whose MFA claim is not on the row
	ReasonFederatedPrimary    // a federated provider did the first factor; what else it did is not shown
	ReasonRequirementNotShown // multifactor step named, outcome not shown
	ReasonAuditLog            // unified audit log: who and where, nothing of MFA

	// Challenged.
	ReasonMFAStep        // a multifactor step succeeded
	ReasonMFACompleted   // the result says MFA was completed
	ReasonMFADetail      // mfaDetail names the method used
	ReasonRequirementMet // multifactor was required and the sign-in succeeded
	ReasonStrongMethod   // the primary method is itself multifactor (FIDO2, Windows Hello, passkey, phone sign-in)

	// SatisfiedByClaim.
	ReasonClaimInToken      // MFA requirement satisfied by claim in the token
	ReasonPreviousMFA       // a multifactor step was previously satisfied
	ReasonRequirementToken  // multifactor was required, a token was presented, success
	ReasonConditionalAccess // a Conditional Access policy that asks for MFA alone was satisfied

	// SatisfiedByProvider.
	ReasonExternalClaim // claim provided by external provider
	ReasonOnPremisesMFA // AD FS MFA adapter or NPS extension issued the result

	// NotChallenged.
	ReasonSingleFactor       // a fresh single factor and nothing more
	ReasonLegacyClient       // a legacy protocol cannot carry MFA
	ReasonROPC               // the password grant cannot carry MFA
	ReasonSkippedLocation    // MFA skipped because of the location
	ReasonSkippedDevice      // MFA skipped because of a remembered or registered device
	ReasonSkippedAppPassword // MFA skipped because of an app password
	ReasonSkippedOther       // MFA skipped for another named reason

	// Interrupted; the first of each pair is provisional until the fold has seen
	// the correlated rows.
	ReasonPrompt          // an MFA prompt
	ReasonPromptCompleted // ... and a success followed
	ReasonPromptAbandoned // ... and none did
	ReasonEnrolment       // a prompt to register for MFA
	ReasonEnrolmentCompleted
	ReasonEnrolmentAbandoned
	ReasonOtherInterrupt // device, "stay signed in", consent screens
	ReasonOtherInterruptCompleted
	ReasonOtherInterruptAbandoned

	// Failed.
	ReasonMFAFailed         // strong authentication failed or was denied
	ReasonExternalMFAFailed // the external provider's answer was refused
	ReasonBlockedByPolicy   // Conditional Access or risk
	ReasonBlockedByDefaults // security defaults
	ReasonWrongCredentials  // password wrong, expired, account locked or disabled
	ReasonTokenExpired      // refresh token expired or revoked
	ReasonConsentMissing    // consent or assignment missing
	ReasonOtherFailure

	// NotUser.
	ReasonWorkload

	reasonCount = iota
)

// reasonTable holds the stable code and the sentence of each reason.
var reasonTable = [reasonCount]struct{ code, text string }{
	ReasonNone: {"none", "no reason recorded"},

	ReasonNoOutcome:          {"no_outcome", "the row says neither success nor failure"},
	ReasonNoMFAFields:        {"no_mfa_fields", "this export has no field that shows MFA (v1.0 rows never do); export from /beta/auditLogs/signIns"},
	ReasonRequirementMissing: {"requirement_missing", "the row does not say what was required, and no step proves MFA"},
	ReasonSingleFactorAlone:  {"single_factor_alone", "only the requirement is recorded; without the authentication steps single-factor proves nothing"},
	ReasonEarlierClaimUnseen: {"earlier_claim_unseen", "the first factor came from an earlier sign-in, and whether that one carried MFA is not on this row"},
	ReasonFederatedPrimary: {"federated_primary",
		"a federated provider signed the user in and MFA was not asked for; what the provider checked is not shown"},
	ReasonRequirementNotShown: {"requirement_not_shown", "a multifactor step is listed without its outcome"},
	ReasonAuditLog: {"audit_log", "the unified audit log shows that the user signed in and nothing of MFA; " +
		"the sign-in log shows it (GET /beta/auditLogs/signIns, needs Entra ID P1)"},

	ReasonMFAStep:        {"mfa_step", "a multifactor step succeeded"},
	ReasonMFACompleted:   {"mfa_completed", "the result says that MFA was completed"},
	ReasonMFADetail:      {"mfa_detail", "the row names the MFA method that was used"},
	ReasonRequirementMet: {"requirement_met", "multifactor was required and the sign-in succeeded"},
	ReasonStrongMethod:   {"strong_method", "the method used is multifactor by itself"},

	ReasonClaimInToken:      {"claim_in_token", "MFA requirement satisfied by claim in the token"},
	ReasonPreviousMFA:       {"previous_mfa", "the multifactor step was satisfied earlier in the session"},
	ReasonRequirementToken:  {"requirement_met_by_token", "multifactor was required and the token presented satisfied it"},
	ReasonConditionalAccess: {"conditional_access_mfa", "a Conditional Access policy that asks for MFA alone was satisfied; how is not on this row"},

	ReasonExternalClaim: {"external_claim", "MFA requirement satisfied by claim provided by external provider"},
	ReasonOnPremisesMFA: {"on_premises_mfa", "an on-premises MFA adapter vouched for MFA"},

	ReasonSingleFactor:       {"single_factor", "one factor was checked afresh and nothing asked for a second"},
	ReasonLegacyClient:       {"legacy_client", "a legacy protocol, which cannot carry MFA"},
	ReasonROPC:               {"password_grant", "the password grant (ROPC), which cannot carry MFA"},
	ReasonSkippedLocation:    {"skipped_location", "MFA was skipped because of the location"},
	ReasonSkippedDevice:      {"skipped_device", "MFA was skipped because of a remembered or registered device"},
	ReasonSkippedAppPassword: {"skipped_app_password", "MFA was skipped because an app password was used"},
	ReasonSkippedOther:       {"skipped", "MFA was skipped"},

	ReasonPrompt:                  {"mfa_prompt", "stopped at the MFA prompt"},
	ReasonPromptCompleted:         {"mfa_prompt_completed", "the MFA prompt of a sign-in that then succeeded"},
	ReasonPromptAbandoned:         {"mfa_prompt_abandoned", "stopped at the MFA prompt; no success followed"},
	ReasonEnrolment:               {"enrolment", "stopped at the prompt to register for MFA"},
	ReasonEnrolmentCompleted:      {"enrolment_completed", "the registration prompt of a sign-in that then succeeded"},
	ReasonEnrolmentAbandoned:      {"enrolment_abandoned", "stopped at the prompt to register for MFA; no success followed"},
	ReasonOtherInterrupt:          {"interrupt", "stopped at a prompt"},
	ReasonOtherInterruptCompleted: {"interrupt_completed", "a prompt of a sign-in that then succeeded"},
	ReasonOtherInterruptAbandoned: {"interrupt_abandoned", "stopped at a prompt; no success followed"},

	ReasonMFAFailed:         {"mfa_failed", "strong authentication failed or was denied"},
	ReasonExternalMFAFailed: {"external_mfa_failed", "the external MFA provider's answer was refused"},
	ReasonBlockedByPolicy:   {"blocked_by_policy", "blocked by Conditional Access or risk policy"},
	ReasonBlockedByDefaults: {"blocked_by_defaults", "blocked by security defaults"},
	ReasonWrongCredentials:  {"wrong_credentials", "wrong or expired credentials, or a locked or disabled account"},
	ReasonTokenExpired:      {"token_expired", "the token presented had expired or was revoked"},
	ReasonConsentMissing:    {"consent_missing", "consent, assignment or membership is missing"},
	ReasonOtherFailure:      {"failed", "the sign-in failed"},

	ReasonWorkload: {"workload", "a service principal or managed identity, not a user"},
}

// String is the stable code, e.g. "claim_in_token".
func (r Reason) String() string {
	if int(r) < len(reasonTable) {
		return reasonTable[r].code
	}
	return reasonTable[ReasonNone].code
}

// Text is the reason as a sentence without a full stop.
func (r Reason) Text() string {
	if int(r) < len(reasonTable) {
		return reasonTable[r].text
	}
	return reasonTable[ReasonNone].text
}

// Demanded reports a reason of proof which says that MFA was required, and not
// only that it was done: a strong method may be the user's own choice.
func (r Reason) Demanded() bool {
	switch r {
	case ReasonMFAStep, ReasonMFACompleted, ReasonRequirementMet, ReasonClaimInToken, ReasonPreviousMFA, ReasonRequirementToken,
		ReasonConditionalAccess, ReasonExternalClaim:
		return true
	}
	return false
}

// MarshalText makes the code the JSON form, also as a map key.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Resolved turns a provisional interrupt reason into its final one, once it is
// known whether a success of the same user with the same correlation id
// followed. Other reasons come back unchanged.
func (r Reason) Resolved(completed bool) Reason {
	var yes, no Reason
	switch r {
	case ReasonPrompt:
		yes, no = ReasonPromptCompleted, ReasonPromptAbandoned
	case ReasonEnrolment:
		yes, no = ReasonEnrolmentCompleted, ReasonEnrolmentAbandoned
	case ReasonOtherInterrupt:
		yes, no = ReasonOtherInterruptCompleted, ReasonOtherInterruptAbandoned
	default:
		return r
	}
	if completed {
		return yes
	}
	return no
}
