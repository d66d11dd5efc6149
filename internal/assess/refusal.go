package assess

import (
	"strings"

	"partnerguard/internal/evidence"
)

// errorAnswer begins the note of an input that is the refusal of a service; the
// service's code follows in parentheses.
const errorAnswer = "an error answer instead of data"

// refused reports an input that is a refusal and nothing else.
func refused(in *evidence.Input) bool {
	return in.Refused != "" && len(in.Kinds) == 0
}

// refusalOf gives the code of a refusal.
func refusalOf(in *evidence.Input) (code string, ok bool) {
	for i := range in.Notes {
		if _, rest, found := strings.Cut(in.Notes[i].Message, errorAnswer); found {
			code, _, _ = strings.Cut(strings.TrimPrefix(rest, " ("), ")")
			return code, true
		}
	}
	return "", false
}

// unlicensed says, in a clause, that a service refused the sign-in log for want
// of a licence; "" when none did. The code is given to tenants without Entra ID
// P1 that ask for the log or for reports on it (contracts.md section 10, 21).
func (a *assessor) unlicensed() (text string, src evidence.Source) {
	for i := range a.Inputs {
		in := &a.Inputs[i]
		if code, ok := refusalOf(in); ok && strings.EqualFold(code, "Authentication_RequestFromNonPremiumTenantOrB2CTenant") {
			return "the sign-in log could not be read because the tenant has no Entra ID P1 or P2", evidence.Source{Path: in.Path}
		}
	}
	return "", src
}
