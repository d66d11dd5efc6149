package access

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
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
	// refuses: without MFA in it, the grant turns away whoever has none of the
	// alternatives, as a device that is not compliant.
	refuses  bool
	unread   bool // what it asks for is not understood
	or       [altCount]bool
	strength *Strength
	other    bool // demands something besides, by AND or alone
}

// demandsOf reads what a policy's grant comes down to: one demand, and for a
// grant that asks for several things at once (AND) one more for each that turns
// devices or apps away.
func demandsOf(p *Policy, strengths map[string]*Strength) []demand {
	d := demandOf(p.GrantControls, strengths)
	if len(p.Unsupported) > 0 && p.lost(areaGrants) {
		d = demand{mfa: true, mfaUnknown: true, phishingResistant: true, resistanceUnknown: true, unread: true}
	}
	all := []demand{d}
	if g := p.GrantControls; g != nil && g.all() && !d.block && !d.unread {
		for _, c := range g.controls() {
			if alt := alternativeOf(c); alt < altAnything {
				turnAway := demand{refuses: true, other: true}
				turnAway.or[alt] = true
				all = append(all, turnAway)
			}
		}
	}
	return all
}

// alternativeOf is what a control is beside MFA: the device or app it looks at, or
// a thing open to anybody.
func alternativeOf(c Control) alternative {
	switch c {
	case ControlCompliantDevice:
		return altCompliantDevice
	case ControlDomainJoined:
		return altDomainJoined
	case ControlApprovedApp:
		return altApprovedApp
	case ControlProtectedApp:
		return altCompliantApp
	}
	return altAnything
}

// demandOf reads grant controls. strengths resolves references by id.
func demandOf(g *GrantControls, strengths map[string]*Strength) (d demand) {
	if g == nil {
		return d
	}
	and := g.all()
	alt := func(a alternative) {
		if and {
			d.other = true
		} else {
			d.or[a] = true
		}
	}
	asked := g.controls()
	for _, c := range asked {
		switch c {
		case ControlBlock:
			d.block = true
		case ControlMFA:
			d.mfa = true
		default:
			alt(alternativeOf(c))
		}
	}
	controls := len(asked)
	if s := g.Strength; s != nil && (s.ID != "" || s.DisplayName != "" || s.RequirementsSatisfied != "" || len(s.AllowedCombinations.Items) > 0) {
		controls++
		unclear := false // two copies that differ in what decides
		if full := strengths[strings.ToLower(s.ID)]; full != nil {
			if len(s.AllowedCombinations.Items) == 0 {
				s = full
			}
			unclear = full.Unclear != "" || len(full.AllowedCombinations.Items) > 0 &&
				(full.mfa() != s.mfa() || full.phishingResistant() != s.phishingResistant())
		}
		d.strength = s
		switch mfa := s.mfa(); {
		case unclear || mfa == maybe && len(s.AllowedCombinations.Items) > 0:
			d.mfaUnknown, d.resistanceUnknown = !d.mfa || !and, true
			d.mfa, d.phishingResistant = true, true
		case mfa == yes:
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
		d.refuses = !and && !d.or[altAnything]
	}
	// With OR, plain mfa beside a stronger strength lets the weaker one through.
	if d.phishingResistant && !and && slices.Contains(asked, ControlMFA) {
		d.phishingResistant, d.resistanceUnknown = false, false
	}
	return d
}

// hasAlternative reports a way around MFA within the grant itself.
func (d *demand) hasAlternative() bool { return slices.Contains(d.or[:], true) }

// The authenticationMethodModes of Microsoft Graph: those that are multifactor by
// themselves, first factors, and what is a second factor beside them
// (contracts.md section 3.6). A word that is in none is not known.
var (
	strongAlone = []string{"fido2", "windowshelloforbusiness", "x509certificatemultifactor", "devicebasedpush", "temporaryaccesspassonetime",
		"temporaryaccesspassmultiuse", "federatedmultifactor"}
	firstFactor = []string{"password", "federatedsinglefactor", "x509certificatesinglefactor", "qrcodepin"}
	possession  = []string{"microsoftauthenticatorpush", "softwareoath", "hardwareoath", "sms", "voice", "x509certificatesinglefactor"}
	weakAlone   = append([]string{"email", "sms", "voice", "softwareoath", "hardwareoath", "microsoftauthenticatorpush"}, firstFactor...)
)

var phishingProof = []string{"fido2", "windowshelloforbusiness", "x509certificatemultifactor"}

// mfa says whether every combination the strength allows is MFA. The
// combinations outrank what the record says of itself; one that is not known may
// be MFA or not.
func (s *Strength) mfa() tri {
	if len(s.AllowedCombinations.Items) > 0 {
		out := yes
		for _, c := range s.AllowedCombinations.Items {
			out = out.and(multifactorCombination(string(c)))
		}
		if s.AllowedCombinations.Dropped > 0 {
			out = out.and(maybe)
		}
		return out
	}
	switch {
	case strings.EqualFold(string(s.RequirementsSatisfied), "mfa") || s.builtIn():
		return yes
	case s.RequirementsSatisfied == "" || s.AllowedCombinations.Dropped > 0:
		return maybe
	}
	return no
}

func multifactorCombination(c string) tri {
	parts := strings.Split(strings.ToLower(c), ",")
	var first, second, strong, known int
	for i, p := range parts {
		p = strings.TrimSpace(p)
		parts[i] = p
		is := func(list []string) int {
			if slices.Contains(list, p) {
				return 1
			}
			return 0
		}
		strong += is(strongAlone)
		first += is(firstFactor)
		second += is(possession)
		known += max(is(strongAlone), is(weakAlone))
	}
	switch {
	case strong > 0: // all parts have to be given
		return yes
	case known < len(parts):
		return maybe
	case len(parts) == 2 && first > 0 && second > 0 && parts[0] != parts[1]:
		return yes
	}
	return no
}

func (s *Strength) builtIn() bool {
	return s.ID == entra.StrengthMFA || s.ID == entra.StrengthPasswordless || s.ID == entra.StrengthPhishing
}

func (s *Strength) phishingResistant() bool {
	if len(s.AllowedCombinations.Items) > 0 {
		return !slices.ContainsFunc(s.AllowedCombinations.Items, func(c lenient.String) bool {
			return !slices.Contains(phishingProof, strings.ToLower(strings.TrimSpace(string(c))))
		})
	}
	return s.ID == entra.StrengthPhishing
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
