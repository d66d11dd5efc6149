package signin

import (
	"strings"

	"partnerguard/internal/signin/texts"
)

// result is what a result text says about the MFA requirement. Higher values
// outrank lower ones when several steps speak.
type result uint8

const (
	resultSilent result = iota
	resultSkipped
	resultSkippedDevice
	resultSkippedLocation
	resultSkippedAppPassword
	resultClaim
	resultExternal
	resultCompleted
)

// readResult reads status.additionalDetails or authenticationStepResultDetail.
// The texts are Microsoft's (Entra "review MFA events"); "First factor
// requirement satisfied by claim in the token" speaks of the password, not of
// MFA, and must not count.
func readResult(s string) result {
	switch s { // nearly every row, spared the folding below
	case "", "Correct password", "MFA required in Azure AD", "First factor requirement satisfied by claim in the token":
		return resultSilent
	case "MFA requirement satisfied by claim in the token":
		return resultClaim
	case "MFA requirement satisfied by claim provided by external provider":
		return resultExternal
	case "MFA completed in Azure AD":
		return resultCompleted
	}
	switch {
	case texts.ContainsFold(s, "first factor"):
		return resultSilent
	case texts.ContainsFold(s, "claim provided by external"), texts.ContainsFold(s, "satisfied by external"):
		return resultExternal
	case texts.ContainsFold(s, "satisfied by claim"), texts.ContainsFold(s, "satisfied by token"):
		return resultClaim
	case texts.ContainsFold(s, "mfa completed"), texts.ContainsFold(s, "mfa successfully completed"),
		texts.ContainsFold(s, "satisfied by strong authentication"), texts.ContainsFold(s, "completed in the cloud"):
		return resultCompleted
	case texts.ContainsFold(s, "skipped"):
		switch {
		case texts.ContainsFold(s, "app password"):
			return resultSkippedAppPassword
		case texts.ContainsFold(s, "location"):
			return resultSkippedLocation
		case texts.ContainsFold(s, "remembered device"), texts.ContainsFold(s, "registered device"):
			return resultSkippedDevice
		}
		return resultSkipped
	}
	return resultSilent
}

// stepFacts is what authenticationDetails says when read as a whole.
type stepFacts struct {
	freshMFA      bool // a multifactor step succeeded here and now
	previousMFA   bool // a multifactor step succeeded by an earlier one
	listedMFA     bool // a multifactor step is listed, outcome not shown
	strongPrimary bool // the primary method is multifactor by itself
	freshSingle   bool // a single factor was checked here and now
	earlier       bool // the first factor came from an earlier token
	federated     bool // a federated provider did the first factor
	appPassword   bool // the first factor was an app password
	result        result
}

func readSteps(e *Event) (f stepFacts) {
	for i := range e.Steps {
		s := &e.Steps[i]
		if s.Succeeded == No {
			continue
		}
		r := readResult(s.ResultDetail)
		f.result = max(f.result, r)
		earlier := previouslySatisfied(s.Method)
		if multifactorStep(s.Requirement) {
			switch {
			case r == resultClaim || r == resultExternal || r >= resultSkipped && r < resultClaim:
				// the text above is more exact than the flag
			case s.Succeeded == Unset:
				f.listedMFA = true
			case earlier:
				f.previousMFA = true
			default:
				f.freshMFA = true
			}
			continue
		}
		if s.Succeeded != Yes {
			continue
		}
		switch {
		case earlier:
			f.earlier = true
		case texts.ContainsFold(s.Method, "app password"):
			f.appPassword = true
		case strongMethod(s.Method, s.MethodDetail):
			f.strongPrimary = true
		case texts.ContainsFold(s.Method, "federated") || strings.EqualFold(s.MethodDetail, "federated"):
			f.federated = true
		case s.Method != "":
			f.freshSingle = true
		}
	}
	return f
}

// multifactorStep compares loosely: "Multifactor authentication" and, in older
// rows, "Multi-factor authentication" (contracts.md section 3.1).
func multifactorStep(requirement string) bool {
	switch requirement {
	case "Primary authentication", "":
		return false
	case "Multifactor authentication", "Multi-factor authentication":
		return true
	}
	return texts.HasPrefixFold(requirement, "multi")
}

func previouslySatisfied(method string) bool {
	switch method {
	case "Password":
		return false
	case "Previously satisfied", "Satisfied by token":
		return true
	}
	return strings.EqualFold(method, "Previously satisfied") || strings.EqualFold(method, "Satisfied by token")
}

// strongMethod names primary methods that are multifactor by themselves and
// yield an MFA claim. The display names are general knowledge (K); a name not
// listed here is taken for a single factor.
func strongMethod(method, detail string) bool {
	switch method {
	case "", "Password", "Password Hash Sync", "Pass-through Authentication":
		return false
	}
	switch {
	case texts.ContainsFold(method, "windows hello"), texts.ContainsFold(method, "fido2"), texts.ContainsFold(method, "passkey"),
		texts.ContainsFold(method, "phone sign-in"), texts.ContainsFold(method, "passwordless"),
		texts.ContainsFold(method, "platform credential"), texts.ContainsFold(method, "secure enclave"):
		return true
	case texts.ContainsFold(method, "x.509"), texts.ContainsFold(method, "certificate"):
		return texts.ContainsFold(detail, "multifactor") || texts.ContainsFold(detail, "multi-factor")
	}
	return false
}

// MFAColumns gives the three MFA columns of the CSV report: the method, its
// detail, and the result in Microsoft's words. The step that decided comes
// first; mfaDetail fills in for older rows.
func (e *Event) MFAColumns() (method, detail, resultText string) {
	resultText = e.AdditionalDetails
	for i := range e.Steps {
		s := &e.Steps[i]
		if !multifactorStep(s.Requirement) && readResult(s.ResultDetail) == resultSilent {
			continue
		}
		method, detail = s.Method, s.MethodDetail
		if s.ResultDetail != "" {
			resultText = s.ResultDetail
		}
		if s.Succeeded == Yes {
			break
		}
	}
	if method == "" {
		method = e.MFAAuthMethod
	}
	if detail == "" {
		detail = e.MFAAuthDetail
	}
	return method, detail, resultText
}
