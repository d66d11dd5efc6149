package access

import "strings"

// Control is one thing that a policy's grant can ask for (contracts.md section
// 3.6), strengths apart.
type Control uint8

// The controls. ControlUnknown is a built-in control of a word that is not known.
const (
	NoControl Control = iota
	ControlBlock
	ControlMFA
	ControlPasswordChange
	ControlRiskRemediation
	ControlCompliantDevice
	ControlDomainJoined
	ControlApprovedApp
	ControlProtectedApp
	ControlCustomFactor
	ControlTermsOfUse
	ControlUnknown
)

var controlWords = map[string]Control{
	"block": ControlBlock, "mfa": ControlMFA, "passwordchange": ControlPasswordChange, "riskremediation": ControlRiskRemediation,
	"compliantdevice": ControlCompliantDevice, "domainjoineddevice": ControlDomainJoined,
	"approvedapplication": ControlApprovedApp, "compliantapplication": ControlProtectedApp,
}

// all reports that every control must be met; else one of them is enough.
func (g *GrantControls) all() bool { return strings.EqualFold(string(g.Operator), "AND") }

// controls lists what is asked for besides a strength, in the policy's order.
func (g *GrantControls) controls() []Control {
	out := make([]Control, 0, len(g.BuiltInControls)+len(g.CustomFactors)+len(g.TermsOfUse))
	for _, word := range g.BuiltInControls {
		c := controlWords[strings.ToLower(word)]
		if c == NoControl {
			c = ControlUnknown
		}
		out = append(out, c)
	}
	for range g.CustomFactors {
		out = append(out, ControlCustomFactor)
	}
	for range g.TermsOfUse {
		out = append(out, ControlTermsOfUse)
	}
	return out
}

// Demand is what a grant asks of one sign-in that the policy applies to, when it
// is known what the sign-in has besides its factors.
type Demand struct {
	Block bool
	// MFA and Strength are asked for, the strength as the policy refers to it;
	// nothing is asked where Open says that something else is enough.
	MFA      bool
	Strength *Strength
	Open     bool
	// PasswordChange is asked for; nobody may change a password without MFA.
	PasswordChange bool
	// Unmet is the first control that the sign-in does not have and that neither
	// MFA nor another control makes up for; NoControl when there is none.
	Unmet Control
}

// Demand reads a grant against what a sign-in has: a device, an app, an answer to
// terms. Nil controls ask for nothing. Whether the factors given are enough is
// not looked at. [Engine.Prove] asks more of a grant before it relies on it: a
// change of password protects nobody there.
func (g *GrantControls) Demand(has func(Control) bool) (d Demand) {
	if g == nil {
		return Demand{Open: true}
	}
	for _, c := range g.controls() {
		switch {
		case c == ControlBlock:
			d.Block = true
		case c == ControlMFA:
			d.MFA = true
		case c == ControlPasswordChange:
			d.PasswordChange, d.MFA = true, true
		case has(c):
			d.Open = d.Open || !g.all()
		case d.Unmet == NoControl:
			d.Unmet = c
		}
	}
	d.Strength = g.Strength
	if !g.all() && (d.Open || d.MFA || d.Strength != nil) {
		d.Unmet = NoControl
	}
	return d
}
