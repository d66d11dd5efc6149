package access

import (
	"testing"

	"partnerguard/internal/entra"
)

func TestDemand(t *testing.T) {
	t.Parallel()
	phishing := &Strength{ID: entra.StrengthPhishing}
	for name, c := range map[string]struct {
		grant                    *GrantControls
		mfa, phishing, way, stop bool
	}{
		"nothing":                    {nil, false, false, false, false},
		"mfa":                        {&GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}, true, false, false, false},
		"phishing-resistant":         {&GrantControls{Operator: "OR", Strength: phishing}, true, true, false, false},
		"phishing-resistant or mfa":  {&GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}, Strength: phishing}, true, false, false, false},
		"phishing-resistant and mfa": {&GrantControls{Operator: "AND", BuiltInControls: []string{"mfa"}, Strength: phishing}, true, true, false, false},
		"mfa or compliant device":    {&GrantControls{Operator: "OR", BuiltInControls: []string{"mfa", "compliantDevice"}}, true, false, true, false},
		"mfa or a custom factor": {&GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}, CustomFactors: []string{"duo"}}, true, false, true,
			false},
		"mfa and a custom factor": {&GrantControls{Operator: "AND", BuiltInControls: []string{"mfa"}, CustomFactors: []string{"duo"}}, true, false,
			false, false},
		"block": {&GrantControls{Operator: "OR", BuiltInControls: []string{"block"}}, false, false, false, true},
		"a strength that is not known": {&GrantControls{Operator: "OR", Strength: &Strength{ID: "own", RequirementsSatisfied: "none"}}, false, false, true,
			false},
	} {
		d := demandOf(c.grant, nil)
		if d.mfa != c.mfa || d.phishingResistant != c.phishing || d.hasAlternative() != c.way || d.block != c.stop {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestCombinations: what is MFA by its parts, what is not, and what nobody knows.
func TestCombinations(t *testing.T) {
	t.Parallel()
	for c, want := range map[string]tri{
		"fido2": yes, "windowsHelloForBusiness": yes, "deviceBasedPush": yes, "federatedMultiFactor": yes, "temporaryAccessPassOneTime": yes,
		"password,microsoftAuthenticatorPush": yes, "password, softwareOath": yes, "federatedSingleFactor,sms": yes,
		"x509CertificateSingleFactor,hardwareOath": yes,
		"password": no, "sms": no, "qrCodePin": no, "email": no, "password,qrCodePin": no, "password,password": no, "sms,voice": no,
		"federatedSingleFactor": no,
		"telepathy":             maybe, "password,telepathy": maybe, "": maybe, ",": maybe, "password,": maybe,
	} {
		if got := multifactorCombination(c); got != want {
			t.Errorf("%q: %d, want %d", c, got, want)
		}
	}
}
