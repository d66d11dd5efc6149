package access_test

import (
	"encoding/json"
	"testing"

	"partnerguard/internal/access"
)

func TestPolicyReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		json                  string
		enforced, mfa, blocks bool
	}{
		"graph":               {`{"state":"enabled","conditions":{"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, true, true, false},
		"ScubaGear":           {`{"State":"enabled","Conditions":{"Locations":null,"Users":{"IncludeUsers":["All"]}},"GrantControls":{"Operator":"OR","BuiltInControls":["mfa"]}}`, true, true, false},
		"empty array as null": {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]},"locations":[]},"grantControls":null}`, true, false, false},
		"report-only":         {`{"state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, false, true, false},
		"disabled":            {`{"state":"disabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`, false, false, true},
		"new state":           {`{"state":"paused"}`, false, false, false},
		"OR with device":      {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]}}`, true, false, false},
		"AND with device":     {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}}`, true, true, false},
		"mfa OR terms of use": {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"],"termsOfUse":["t"]}}`, true, false, false},
		"custom factor only":  {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","customAuthenticationFactors":["duo"]}}`, true, false, false},
		"strength by id":      {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000002"}}}`, true, true, false},
		"custom strength":     {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"7b1","requirementsSatisfied":"mfa"}}}`, true, true, false},
		"strength below MFA":  {`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"7b1","requirementsSatisfied":"none"}}}`, true, false, false},
	} {
		var p access.Policy
		if err := json.Unmarshal([]byte(c.json), &p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.Enforced() != c.enforced || p.RequiresMFA() != c.mfa || p.Blocks() != c.blocks {
			t.Errorf("%s: enforced %v, MFA %v, blocks %v", name, p.Enforced(), p.RequiresMFA(), p.Blocks())
		}
	}
}
