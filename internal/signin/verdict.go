package signin

// Verdict says what a sign-in row proves about MFA. The order is the order of
// reports; the numeric values are not stored anywhere.
type Verdict uint8

// The verdicts. Only the three Satisfied/Challenged ones are proof of MFA.
const (
	// Unknown: the row does not carry what would decide it. Never counts as MFA
	// and never as its absence.
	Unknown Verdict = iota
	// Challenged: MFA was completed in this very sign-in.
	Challenged
	// SatisfiedByClaim: an earlier MFA, carried as a claim in the token,
	// satisfied the requirement.
	SatisfiedByClaim
	// SatisfiedByProvider: an external or federated provider did the MFA and
	// its claim was accepted.
	SatisfiedByProvider
	// NotChallenged: the sign-in succeeded and nothing asked for MFA.
	NotChallenged
	// Interrupted: the sign-in stopped at a prompt (MFA, enrolment, device). The
	// reason says whether a success with the same correlation id followed.
	Interrupted
	// Failed: the sign-in did not succeed.
	Failed
	// NotUser: a service principal or managed identity; MFA does not apply.
	NotUser

	verdictCount = iota
)

// Verdicts lists all of them in report order.
func Verdicts() []Verdict {
	all := make([]Verdict, verdictCount)
	for i := range all {
		all[i] = Verdict(i)
	}
	return all
}

var verdictNames = [verdictCount]string{
	"unknown", "challenged", "satisfied_by_claim", "satisfied_by_provider",
	"not_challenged", "interrupted", "failed", "not_user",
}

// String is the stable name used in JSON and CSV.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// MarshalText makes the name the JSON form, also as a map key.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// ParseVerdict is the inverse of String.
func ParseVerdict(s string) (Verdict, bool) {
	for i, n := range verdictNames {
		if n == s {
			return Verdict(i), true
		}
	}
	return Unknown, false
}

// Proven reports that MFA was part of this sign-in, fresh or by claim.
func (v Verdict) Proven() bool {
	return v == Challenged || v == SatisfiedByClaim || v == SatisfiedByProvider
}

// Success reports a user sign-in that succeeded and was judged either way.
func (v Verdict) Success() bool { return v.Proven() || v == NotChallenged || v == Unknown }

// Judgement is the answer for one event.
type Judgement struct {
	Verdict    Verdict
	Reason     Reason
	Legacy     bool // clientAppUsed is a legacy protocol (contracts.md 9.1)
	AOBO       bool // crossTenantAccessType is serviceProvider
	DeviceCode bool // device code flow, also by originalTransferMethod
	ROPC       bool // resource owner password grant
	CSPAdmin   bool // requirement provider enforcedForCspAdmins
}
