package access

import (
	"slices"
	"strings"
)

// Besides is what policies that surely take a sign-in ask of it besides MFA.
type Besides struct {
	Resistant bool // a phishing-resistant method, and nothing else will do
	// Strength: an authentication strength, and neither plain MFA nor anything else will
	// do. External MFA never satisfies one (contracts.md section 6).
	Strength bool
	// Refused: a device or app that it surely has not got; MayBeRefused: of which
	// it is not known whether it has it.
	Refused, MayBeRefused bool
}

// Besides says what a sign-in at a point has to bring besides MFA. [Engine.Outcome]
// says MFARequired where both are asked for: either way nobody passes without it.
func (e *Engine) Besides(p Point) (out Besides) {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	sure.each(func(i int) {
		if !e.enforced.has(i) {
			return
		}
		d := &e.demands[i]
		if d.mfa && d.phishingResistant && !d.resistanceUnknown && !d.hasAlternative() {
			out.Resistant = true
		}
		if g := e.policies[i].GrantControls; d.mfa && d.strength != nil && !d.mfaUnknown && !d.hasAlternative() &&
			(g.all() || !slices.Contains(g.controls(), ControlMFA)) {
			out.Strength = true
		}
		if d.refuses {
			t := e.withoutAlternative(d, p)
			out.Refused, out.MayBeRefused = out.Refused || t == yes, out.MayBeRefused || t == maybe
		}
	})
	return out
}

// CanResist reports a registered method that is phishing-resistant. Certificates
// are not registered, and stand in no report.
func (s *Subject) CanResist() bool {
	return slices.ContainsFunc(s.Methods, func(m string) bool { return resistant[strings.ToLower(m)] })
}

// OnlyExternal reports that External MFA is the only method registered that can answer
// a challenge: enough for "require MFA", and for no authentication strength.
func (s *Subject) OnlyExternal() bool {
	able := s.able()
	return len(able) > 0 && !slices.ContainsFunc(able, func(m string) bool { return !strings.EqualFold(m, "externalAuthMethod") })
}

// resistant are the registered methods that are phishing-resistant.
var resistant = map[string]bool{
	"windowshelloforbusiness": true, "fido2securitykey": true, "fido2": true, "passkeydevicebound": true, "passkeydeviceboundauthenticator": true,
	"passkeysynced": true, "macossecureenclavekey": true, "x509certificatemultifactor": true,
}
