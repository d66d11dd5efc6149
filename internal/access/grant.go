package access

import (
	"slices"
	"strings"

	"partnerguard/internal/lenient"
)

// alternative is something that satisfies an OR grant without MFA.
type alternative uint8

const (
	altCompliantDevice alternative = iota
	altDomainJoined
	altApprovedApp
	altCompliantApp
	altAnything // custom factor, terms of use, password change: open to anybody
	altCount
)

// demand is what a policy's grant controls come down to.
type demand struct {
	block             bool
	mfa               bool // can only be met with MFA, unless an alternative holds
	phishingResistant bool // ... and only with a phishing-resistant method
	// resistanceUnknown and mfaUnknown say that a strength is not in the export:
	// the flags above are then what it may be at best.
	mfaUnknown, resistanceUnknown bool
	or                            [altCount]bool
	strength                      *Strength
	other                         bool // demands something besides, by AND or alone
}

// demandOf reads grant controls. strengths resolves references by id.
func demandOf(g *GrantControls, strengths map[string]*Strength) (d demand) {
	if g == nil {
		return d
	}
	and := strings.EqualFold(string(g.Operator), "AND")
	alt := func(a alternative) {
		if and {
			d.other = true
		} else {
			d.or[a] = true
		}
	}
	controls := 0
	for _, c := range g.BuiltInControls {
		controls++
		switch strings.ToLower(c) {
		case "block":
			d.block = true
		case "mfa":
			d.mfa = true
		case "compliantdevice":
			alt(altCompliantDevice)
		case "domainjoineddevice":
			alt(altDomainJoined)
		case "approvedapplication":
			alt(altApprovedApp)
		case "compliantapplication":
			alt(altCompliantApp)
		default:
			alt(altAnything)
		}
	}
	for range len(g.CustomFactors) + len(g.TermsOfUse) {
		controls++
		alt(altAnything)
	}
	if s := g.Strength; s != nil && (s.ID != "" || s.DisplayName != "" || s.RequirementsSatisfied != "" || len(s.AllowedCombinations.Items) > 0) {
		controls++
		if full := strengths[strings.ToLower(s.ID)]; full != nil && len(s.AllowedCombinations.Items) == 0 {
			s = full
		}
		d.strength = s
		switch {
		case s.satisfiesMFA():
			// A strength that says no more than that it is MFA may be resistant or not.
			d.resistanceUnknown = len(s.AllowedCombinations.Items) == 0 && !s.builtIn()
			d.phishingResistant = s.phishingResistant() || d.resistanceUnknown
			d.mfa = true
		case len(s.AllowedCombinations.Items) == 0 && s.RequirementsSatisfied == "":
			d.mfaUnknown, d.resistanceUnknown = !d.mfa || !and, true
			d.mfa, d.phishingResistant = true, true
		default:
			alt(altAnything)
		}
	}
	if !d.mfa && !d.block && controls > 0 {
		d.other = true // every alternative is without MFA
	}
	// With OR, plain mfa beside a stronger strength lets the weaker one through.
	if d.phishingResistant && !and && slices.ContainsFunc(g.BuiltInControls, func(c string) bool { return strings.EqualFold(c, "mfa") }) {
		d.phishingResistant, d.resistanceUnknown = false, false
	}
	return d
}

// hasAlternative reports a way around MFA within the grant itself.
func (d *demand) hasAlternative() bool { return slices.Contains(d.or[:], true) }

// Built-in authentication strengths (contracts.md section 3.6).
const (
	strengthMFA          = "00000000-0000-0000-0000-000000000002"
	strengthPasswordless = "00000000-0000-0000-0000-000000000003"
	strengthPhishing     = "00000000-0000-0000-0000-000000000004"
)

// strongAlone are combination members that are multifactor by themselves.
var strongAlone = []string{"fido2", "windowshelloforbusiness", "x509certificatemultifactor", "devicebasedpush", "temporaryaccesspassonetime", "temporaryaccesspassmultiuse", "federatedmultifactor"}

var phishingProof = []string{"fido2", "windowshelloforbusiness", "x509certificatemultifactor"}

// satisfiesMFA reports that every combination the strength allows is MFA. The
// combinations outrank what the record says of itself.
func (s *Strength) satisfiesMFA() bool {
	if len(s.AllowedCombinations.Items) > 0 {
		return !slices.ContainsFunc(s.AllowedCombinations.Items, func(c lenient.String) bool { return !multifactorCombination(string(c)) })
	}
	return strings.EqualFold(string(s.RequirementsSatisfied), "mfa") || s.builtIn()
}

func multifactorCombination(c string) bool {
	return strings.Contains(c, ",") || slices.Contains(strongAlone, strings.ToLower(strings.TrimSpace(c)))
}

func (s *Strength) builtIn() bool {
	return s.ID == strengthMFA || s.ID == strengthPasswordless || s.ID == strengthPhishing
}

func (s *Strength) phishingResistant() bool {
	if len(s.AllowedCombinations.Items) > 0 {
		return !slices.ContainsFunc(s.AllowedCombinations.Items, func(c lenient.String) bool {
			return !slices.Contains(phishingProof, strings.ToLower(strings.TrimSpace(string(c))))
		})
	}
	return s.ID == strengthPhishing
}

// RequiresMFA reports that the grant controls can only be met with MFA: mfa or
// a strength that is MFA, alone or joined by AND. Custom factors never yield
// an MFA claim, and OR with anything else is a way around.
func (p *Policy) RequiresMFA() bool {
	d := demandOf(p.GrantControls, nil)
	return d.mfa && !d.mfaUnknown && !d.hasAlternative() && len(p.Unsupported) == 0
}

// Blocks reports a policy that refuses what it selects.
func (p *Policy) Blocks() bool { return demandOf(p.GrantControls, nil).block }
