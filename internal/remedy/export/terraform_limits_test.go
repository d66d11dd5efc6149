package export_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/export"
	"partnerguard/internal/remedy/object"
)

// TestTerraformLimits: what azuread 3.9.0 refuses, leaves out in silence or would not
// take away is not exported, and told.
func TestTerraformLimits(t *testing.T) {
	const who, what = `"users":{"includeUsers":["All"]},"clientAppTypes":["all"]`, `"applications":{"includeApplications":["All"]}`
	const mfa = `"grantControls":{"operator":"OR","builtInControls":["mfa"]}`
	policy := func(conditions, controls string) string {
		return `{"displayName":"P","state":"disabled","conditions":{` + conditions + `},` + controls + `}`
	}
	plain := policy(who+","+what, mfa)
	for name, x := range map[string]struct {
		kind          remedy.Kind
		before, after string
		want          string // "" it is exported
	}{
		"plain": {remedy.Policy, "", plain, ""},
		"Linux": {remedy.Policy, "", policy(who+","+what+`,"platforms":{"includePlatforms":["all"],"excludePlatforms":["linux"]}`, mfa), ""},
		"risk remediated": {remedy.Policy, "", policy(who+","+what, `"grantControls":{"operator":"OR","builtInControls":["riskRemediation"]}`),
			"riskRemediation"},
		"no flow": {remedy.Policy, "", policy(who+","+what+`,"authenticationFlows":{"transferMethods":"none"}`, mfa), "transferMethods none"},
		"no application": {remedy.Policy, "", policy(who+`,"applications":{"applicationFilter":{"mode":"include","rule":"x -eq 1"}}`, mfa),
			"includeApplications and includeUserActions"},
		"nobody": {remedy.Policy, "", policy(`"clientAppTypes":["all"],"users":{"excludeUsers":["`+anyone+`"]},`+what, mfa), "include nobody"},
		"another factor": {remedy.Policy, "", policy(who+","+what, `"grantControls":{"operator":"OR","customAuthenticationFactors":["x"]}`),
			"grantControls of others"},
		"every time, and resilience": {remedy.Policy, "", policy(who+","+what, mfa+`,"sessionControls":{"disableResilienceDefaults":true,
			"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}`), "every time"},
		"insider risk taken away": {remedy.Policy, policy(who+","+what+`,"insiderRiskLevels":"minor"`, mfa), plain, "taking away conditions.insiderRiskLevels"},
		"frequency taken away": {remedy.Policy, policy(who+","+what, mfa+`,"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"},
			"signInFrequency":{"isEnabled":true,"type":"hours","value":4}}`), policy(who+","+what,
			mfa+`,"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"}}`), "taking away sessionControls.signInFrequency"},
		"session taken away": {remedy.Policy, policy(who+","+what, mfa+`,"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":4}}`),
			plain, ""},
		"a QR code": {remedy.Strength, "", `{"displayName":"S","allowedCombinations":["fido2","qrCodePin"]}`, "qrCodePin"},
	} {
		t.Run(name, func(t *testing.T) {
			p := samplePlan(t)
			s := remedy.Step{N: 1, Do: remedy.Create, Kind: x.kind, Text: "One"}
			var err error
			if s.After, err = object.Canonical(x.kind, json.RawMessage(x.after)); err != nil {
				t.Fatal(err)
			}
			if x.before != "" {
				s.Do, s.ID = remedy.Update, anyone
				if s.Before, err = object.Canonical(x.kind, json.RawMessage(x.before)); err != nil {
					t.Fatal(err)
				}
			}
			object.Complete(&s)
			p.Steps = []remedy.Step{s}
			out, err := export.Terraform(p, remedy.All)
			if err != nil {
				t.Fatal(err)
			}
			text, left := string(out.Files[0].Text), strings.Join(out.Left, "\n")
			if (x.want == "") != strings.Contains(text, "\nresource ") || (x.want == "") != (left == "") || !strings.Contains(left, x.want) {
				t.Errorf("left: %s\n%s", left, text)
			}
			if told := strings.Contains(text, "# linux:") || strings.Contains(text, "#    linux:"); told != (name == "Linux") {
				t.Errorf("what each later plan shows is told: %v\n%s", told, text)
			}
			if kept := strings.Contains(text, "prevent_destroy = true"); kept != (x.want == "" && x.before != "") {
				t.Errorf("what was there before is kept from destroy: %v\n%s", kept, text)
			}
		})
	}
}

// TestTerraformFolds: what two steps change is one resource, imported once.
func TestTerraformFolds(t *testing.T) {
	p := samplePlan(t)
	p.Steps = nil
	was := `{"allowedCombinations":["fido2"],"displayName":"Keys"}`
	for _, want := range []string{`{"allowedCombinations":["fido2"],"displayName":"Keys, renamed"}`,
		`{"allowedCombinations":["fido2","windowsHelloForBusiness"],"displayName":"Keys, renamed"}`} {
		s := remedy.Step{N: len(p.Steps) + 1, Do: remedy.Update, Kind: remedy.Strength, ID: anyone, Text: "Change it",
			Before: remedy.Object(was), After: remedy.Object(want)}
		object.Complete(&s)
		p.Steps, was = append(p.Steps, s), want
	}
	out, err := export.Terraform(p, remedy.All)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out.Files[0].Text)
	if strings.Count(text, "\nimport {") != 1 || strings.Count(text, "\nresource ") != 1 || !strings.Contains(text, "windowsHelloForBusiness") ||
		!strings.Contains(text, "renamed") || !strings.Contains(text, "and step 2: Change it") {
		t.Errorf("%s", text)
	}
}
