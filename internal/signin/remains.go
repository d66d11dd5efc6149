package signin

// resultTexts are texts that readResult takes for each result.
var resultTexts = [...]string{
	resultSilent: "", resultSkipped: "MFA skipped", resultSkippedDevice: "MFA skipped, remembered device",
	resultSkippedLocation: "MFA skipped because of location", resultSkippedAppPassword: "MFA skipped, app password",
	resultClaim: "MFA requirement satisfied by claim in the token", resultExternal: "MFA requirement satisfied by claim provided by external provider",
	resultCompleted: "MFA completed in Azure AD",
}

// AwaitsSteps reports that steps of another file may decide the event: they
// change nothing about a sign-in that failed.
func (e *Event) AwaitsSteps() bool { return e.Joinable && e.HasStatus && e.ErrorCode == 0 }

// Remains is what of an event has to be kept beside its columns to judge it again
// once its steps are known: seven bits.
type Remains uint8

const (
	remainsByToken Remains = 1 << iota
	remainsOnPremises
	remainsMFAMethod
	remainsFederation

	remainsResult = 4 // where the result of additionalDetails begins
)

// Remains gives what is to be kept of e.
func (e *Event) Remains() Remains {
	r := Remains(readResult(e.AdditionalDetails)) << remainsResult
	for flag, on := range map[Remains]bool{
		remainsByToken: e.byToken(), remainsOnPremises: e.onPremisesMFA(), remainsMFAMethod: e.MFAAuthMethod != "", remainsFederation: e.federationService(),
	} {
		if on {
			r |= flag
		}
	}
	return r
}

// Restore makes e, which has the columns of the event that r remained of, an
// event that is judged like it.
func (r Remains) Restore(e *Event) {
	kept := result(r >> remainsResult)
	if text := resultTexts[kept]; text != "" && (e.AdditionalDetails == "" || readResult(e.AdditionalDetails) != kept) {
		e.AdditionalDetails = text
	}
	if r&remainsByToken != 0 {
		e.IncomingTokenType = "primaryRefreshToken"
	}
	if r&remainsOnPremises != 0 {
		e.TokenIssuerType = "NPSExtension"
	}
	if r&remainsFederation != 0 {
		e.Category = "ADFSSignInLogs"
	}
	if r&remainsMFAMethod != 0 && e.MFAAuthMethod == "" {
		e.MFAAuthMethod = "a method"
	}
}
