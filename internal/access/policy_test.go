package access_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
)

func TestPolicyReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		json                  string
		enforced, mfa, blocks bool
	}{
		"graph":               {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, true, true, false},
		"ScubaGear":           {`{"State":"enabled","Conditions":{"Locations":null,"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"Operator":"OR","BuiltInControls":["mfa"]}}`, true, true, false},
		"empty array as null": {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]},"locations":[]},"grantControls":null}`, true, false, false},
		"report-only":         {`{"state":"enabledForReportingButNotEnforced","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, false, true, false},
		"disabled":            {`{"state":"disabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`, false, false, true},
		"new state":           {`{"state":"paused"}`, false, false, false},
		"OR with device":      {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]}}`, true, false, false},
		"AND with device":     {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}}`, true, true, false},
		"mfa OR terms of use": {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"],"termsOfUse":["t"]}}`, true, false, false},
		"custom factor only":  {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","customAuthenticationFactors":["duo"]}}`, true, false, false},
		"strength by id":      {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000002"}}}`, true, true, false},
		"custom strength":     {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"7b1","requirementsSatisfied":"mfa"}}}`, true, true, false},
		"strength below MFA":  {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"7b1","requirementsSatisfied":"none"}}}`, true, false, false},
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

// What an export's depth cut off is named and never taken for nothing.
func TestPolicyCut(t *testing.T) {
	t.Parallel()
	const typ = `"Microsoft.Graph.PowerShell.Models.MicrosoftGraphConditionalAccessUsers"`
	for name, c := range map[string]struct {
		json string
		want []string
	}{
		"users": {`{"State":"enabled","Conditions":{"Users":` + typ +
			`,"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"BuiltInControls":"mfa"}}`, []string{"conditions.users"}},
		"conditions": {`{"State":"enabled","Conditions":` + typ + `,"GrantControls":` + typ + `}`, []string{"conditions", "grantControls"}},
		"hash":       {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":"@{IncludeUsers=System.Object[]; ExcludeUsers=}"},"grantControls":{"builtInControls":["mfa"]}}`, []string{"conditions.users"}},
		"list":       {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"],"excludeGroups":"System.Object[]"}},"grantControls":{"builtInControls":["mfa"]}}`, []string{"conditions.users.excludegroups"}},
		"in a list":  {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"],"excludeUsers":["System.Collections.Hashtable"]}},"grantControls":{"builtInControls":["mfa"]}}`, []string{"conditions.users.excludeusers"}},
		"blank": {`{"state":"enabled","conditions":{"users":"","applications":""},"grantControls":""}`,
			[]string{"conditions.applications", "conditions.users", "grantControls"}},
		"workload":    {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]},"clientApplications":` + typ + `},"grantControls":{"builtInControls":["mfa"]}}`, []string{"conditions.clientapplications"}},
		"strength":    {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]}},"grantControls":{"authenticationStrength":` + typ + `}}`, []string{"grantControls.authenticationstrength"}},
		"new unknown": {`{"state":"enabled","conditions":{"applications":{"includeApplications":["All"]},"users":{"includeUsers":["All"]},"moonPhases":"System.Object[]"},"grantControls":{"builtInControls":["mfa"]}}`, []string{"conditions.moonphases"}},
	} {
		var p access.Policy
		if err := json.Unmarshal([]byte(c.json), &p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, at := range c.want {
			c.want[i] = at + ": cut off by the export's depth; export with ConvertTo-Json -Depth 10"
		}
		if !slices.Equal(p.Unsupported, c.want) {
			t.Errorf("%s: %q, want %q", name, p.Unsupported, c.want)
		}
		if p.Conditions.Workload {
			t.Errorf("%s: taken for a policy for workloads", name)
		}
	}
}

// The AzureAD module's operator, agents' members and a lost list of tenants.
func TestPolicyForms(t *testing.T) {
	t.Parallel()
	var p access.Policy
	read := func(s string) {
		t.Helper()
		p = access.Policy{}
		if err := json.Unmarshal([]byte(s), &p); err != nil {
			t.Fatal(err)
		}
	}
	read(`{"State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"_Operator":"AND","BuiltInControls":["Mfa","CompliantDevice"]}}`)
	if len(p.Unsupported) > 0 || !p.RequiresMFA() {
		t.Errorf("_Operator: %q, %+v", p.Unsupported, p.GrantControls)
	}
	read(`{"State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"_Operator":"OR","BuiltInControls":["Mfa","CompliantDevice"]}}`)
	if len(p.Unsupported) > 0 || p.RequiresMFA() {
		t.Errorf("_Operator: %q, %+v", p.Unsupported, p.GrantControls)
	}
	read(`{"State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"_Operator":"XOR","BuiltInControls":["Mfa"]}}`)
	if len(p.Unsupported) != 1 {
		t.Errorf("_Operator: %q", p.Unsupported)
	}
	read(`{"state":"enabled","conditions":{"users":{"includeUsers":["None"]},"agents":{"includeAgentUsers":["All"]},
		"agentContext":{"includeAgentContexts":["x"]},"applications":{"includeApplications":["AllAgentIdResources"]}},"grantControls":{"builtInControls":["mfa"]}}`)
	if len(p.Unsupported) > 0 || !p.Conditions.Workload {
		t.Errorf("agents: %q, workload %v", p.Unsupported, p.Conditions.Workload)
	}
	for members, lost := range map[string]bool{``: true, `,"members":[]`: true, `,"Members":null`: true, `,"members":["t"]`: false} {
		read(`{"state":"enabled","conditions":{"users":{"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"enumerated"` + members + `}}}}}`)
		if got := p.Conditions.Users.ExcludeExternals.Items[0].Tenants.MembersLost; got != lost {
			t.Errorf("members %q: lost %v", members, got)
		}
	}
	read(`{"state":"enabled","conditions":{"users":{"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider","externalTenants":{"membershipKind":"all"}}}}}`)
	if p.Conditions.Users.ExcludeExternals.Items[0].Tenants.MembersLost {
		t.Error("all tenants: nothing is lost")
	}
}

// A list that is not there is not an empty one: whom the policy takes, which
// apps, what it asks for.
func TestPolicySilent(t *testing.T) {
	t.Parallel()
	const users, apps, grants = `"users":{"includeUsers":["All"]}`, `"applications":{"includeApplications":["All"]}`,
		`"grantControls":{"operator":"OR","builtInControls":["mfa"]}`
	for name, c := range map[string]struct{ conditions, grants, want string }{
		"whole":               {users + "," + apps, grants, ""},
		"nobody, said":        {`"users":{"includeUsers":[]},` + apps, grants, ""},
		"a group is enough":   {`"users":{"includeGroups":["g"]},` + apps, grants, ""},
		"an action is enough": {users + `,"applications":{"includeUserActions":["urn:user:registersecurityinfo"]}`, grants, ""},
		"no users":            {apps, grants, "conditions.users (whom it takes is not in the export)"},
		"no list of users":    {`"users":{"excludeUsers":[],"includeUsers":null},` + apps, grants, "conditions.users (whom it takes is not in the export)"},
		"no apps":             {users, grants, "conditions.applications (which apps it takes is not in the export)"},
		"no list of apps": {users + `,"applications":{"excludeApplications":[]}`, grants,
			"conditions.applications (which apps it takes is not in the export)"},
		"an operator and no more": {users + "," + apps, `"grantControls":{"operator":"OR"}`,
			"grantControls (no control is in the export, and every policy has one)"},
		"session controls alone": {users + "," + apps,
			`"grantControls":{"operator":"OR"},"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":4}}`, ""},
	} {
		var p access.Policy
		if err := json.Unmarshal([]byte(`{"id":"p","state":"enabled","conditions":{`+c.conditions+`},`+c.grants+`}`), &p); err != nil {
			t.Fatal(name, err)
		}
		if got := strings.Join(p.Unsupported, "; "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
