package intake

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

const tfConfig = `
terraform { required_version = "> 1" }
variable "state" {}
resource "azuread_named_location" "hq" {
  display_name = "HQ"
  ip {
    ip_ranges = ["192.0.2.0/24"]
    trusted   = true
  }
}
resource "azuread_conditional_access_policy" "mfa" {
  display_name = "Require MFA"
  state        = "enabled"
  conditions {
    client_app_types = ["all"]
    applications { included_applications = ["All"] }
    users {
      included_users  = ["All"]
      excluded_groups = [azuread_group.bg.object_id]
    }
    locations {
      included_locations = ["All"]
      excluded_locations = ["AllTrusted"]
    }
  }
  grant_controls {
    operator          = "OR"
    built_in_controls = ["mfa"]
  }
}
`

// policies decodes the policies among records.
func policies(t *testing.T, recs []rec) (out []access.Policy) {
	t.Helper()
	for _, r := range recs {
		if r.Kind == evidence.ConditionalAccessPolicy {
			var p access.Policy
			err := json.Unmarshal([]byte(r.Raw), &p)
			if wrong := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &wrong) { // a wrong type does not cost the rest
				t.Fatalf("%v: %s", err, r.Raw)
			}
			out = append(out, p)
		}
	}
	return out
}

func TestTerraformConfiguration(t *testing.T) {
	t.Parallel()
	in, recs := readBytes(t, Options{}, []byte(tfConfig))
	list := policies(t, recs)
	if len(recs) != 2 || len(list) != 1 || len(in.Cuts) != 2 {
		t.Fatalf("%v %v %v", recs, in.Notes, in.Cuts)
	}
	want := `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayname":"HQ","istrusted":true,"ipranges":[{"cidraddress":"192.0.2.0/24"}]}`
	if diff := cmp.Diff(plainly(t, want), plainly(t, recs[0].Raw)); diff != "" {
		t.Error(diff)
	}
	p := list[0]
	if p.DisplayName != "Require MFA" || !p.Enforced() || !p.Planned {
		t.Errorf("%+v", p)
	}
	if got := strings.Join(p.Proposed().Unsupported, "; "); got != "conditions.users.excludegroups (not a list of texts)" {
		t.Errorf("as a proposal: %q", got)
	}
	_, recs = readBytes(t, Options{}, []byte(strings.Replace(tfConfig, "azuread_group.bg.object_id", `"g"`, 1)))
	if p := policies(t, recs)[0]; len(p.Proposed().Unsupported) > 0 || len(p.Unsupported) != 1 || p.Conditions.Users.ExcludeGroups[0] != "g" {
		t.Errorf("literal: %q %+v", p.Unsupported, p.Conditions.Users)
	}
	for name, change := range map[string][2]string{
		"a variable as state":   {`state        = "enabled"`, `state = var.state`},
		"a dynamic block":       {`locations {`, `dynamic "locations" {`},
		"a count":               {`display_name = "Require MFA"`, "display_name = \"Require MFA\"\n  count = var.n"},
		"an unknown attribute":  {`client_app_types = ["all"]`, `client_app_types = ["all"]` + "\n    moon_phases = [\"full\"]"},
		"a computed strength":   {`built_in_controls = ["mfa"]`, `authentication_strength_policy_id = azuread_strength.x.id`},
		"two blocks of a kind":  {`users {`, "users { included_users = [\"None\"] }\n    users {"},
		"conditions by a local": {`client_app_types = ["all"]`, `client_app_types = local.types`},
	} {
		text := strings.Replace(strings.Replace(tfConfig, "azuread_group.bg.object_id", `"g"`, 1), change[0], change[1], 1)
		_, recs := readBytes(t, Options{}, []byte(text))
		p := policies(t, recs)[0].Proposed()
		if len(p.Unsupported) == 0 && p.Enforced() {
			t.Errorf("%s: understood: %s", name, recs[len(recs)-1].Raw)
		}
	}
	for _, text := range []string{"provider \"azuread\" {\n}\n", "resource \"aws_x\" \"y\" {\n  a = 1\n}\n", "variable \"x\" {\n"} {
		if in, recs := readBytes(t, Options{}, []byte(text)); len(recs) > 0 || in.Status != evidence.NotRecognised {
			t.Errorf("%q: %v %v", text, in.Status, recs)
		}
	}
	for _, text := range []string{tfConfig + "\nresource {{{", "resource \"azuread_conditional_access_policy\" \"x\" {\n a = " + strings.Repeat("[", 5000)} {
		if in, recs := readBytes(t, Options{}, []byte(text)); len(recs) > 0 || in.Status != evidence.Unreadable {
			t.Errorf("broken: %v %v", in.Status, recs)
		}
	}
}

func TestTerraformState(t *testing.T) {
	t.Parallel()
	const attributes = `{"id":"/identity/conditionalAccess/policies/3696c6e4-b03d-515f-817b-5807f87c8b78","display_name":"P","state":"enabled",
		"conditions":[{"applications":[{"included_applications":["All"],"filter":[]}],"client_app_types":["all"],"insider_risk_levels":"",
		"authentication_flow_transfer_methods":["deviceCodeFlow"],
		"devices":[{"filter":[{"mode":"exclude","rule":"device.isCompliant -eq True"}]}],
		"users":[{"included_users":["All"],"excluded_guests_or_external_users":[{"guest_or_external_user_types":["serviceProvider"],"external_tenants":[{"membership_kind":"enumerated","members":["t"]}]}]}]}],
		"grant_controls":[{"operator":"AND","built_in_controls":["compliantDevice"],"authentication_strength_policy_id":"/policies/authenticationStrengthPolicies/00000000-0000-0000-0000-000000000002"}],
		"session_controls":[{"sign_in_frequency":4,"sign_in_frequency_period":"hours","persistent_browser_mode":"never"}]}`
	for name, text := range map[string]string{
		"state":  `{"version":4,"terraform_version":"1.11.4","resources":[{"mode":"managed","type":"azuread_conditional_access_policy","name":"p","instances":[{"attributes":` + attributes + `}]},{"mode":"managed","type":"azuread_group","name":"g","instances":[]}]}`,
		"shown":  `{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{"child_modules":[{"resources":[{"mode":"managed","type":"azuread_conditional_access_policy","values":` + attributes + `}]}]}}}`,
		"a plan": `{"format_version":"1.0","terraform_version":"1.11.4","planned_values":{"root_module":{"resources":[{"mode":"managed","type":"azuread_conditional_access_policy","values":` + attributes + `}]}}}`,
	} {
		in, recs := readBytes(t, Options{}, []byte(text))
		list := policies(t, recs)
		if len(list) != 1 || len(in.Cuts) != 1 {
			t.Errorf("%s: %v %v", name, recs, in.Notes)
			continue
		}
		p := list[0]
		if p.Planned != (name == "a plan") || len(p.Proposed().Unsupported) > 0 {
			t.Errorf("%s: planned %v, %q", name, p.Planned, p.Unsupported)
		}
		c := p.Conditions
		e := c.Users.ExcludeExternals.Items
		if p.ID != "3696c6e4-b03d-515f-817b-5807f87c8b78" || len(e) != 1 || e[0].Tenants.MembersLost || len(c.Flows.Items) != 1 ||
			c.Devices.Items[0].Filter.Rule != "device.isCompliant -eq True" || p.GrantControls.Strength.ID != "00000000-0000-0000-0000-000000000002" ||
			p.SessionControls.SignInFrequency.Value.Value != 4 || !p.SessionControls.SignInFrequency.IsEnabled.True() {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if in, _ := readBytes(t, Options{}, []byte(`{"version":4,"terraform_version":"1.11.4","resources":[]}`)); in.Status != evidence.NotRecognised {
		t.Errorf("an empty state: %v %v", in.Status, in.Notes)
	}
}

const dscConfig = `# Generated with Microsoft365DSC version 1.25.910.1
param ([System.Management.Automation.PSCredential] $Credential)
Configuration M365TenantConfig
{
    $OrganizationName = $ConfigurationData.NonNodeData.OrganizationName
    Import-DscResource -ModuleName 'Microsoft365DSC' -ModuleVersion '1.25.910.1'
    Node localhost
    {
        AADConditionalAccessPolicy "AADConditionalAccessPolicy-Require ""MFA"""
        {
            ApplicationId          = $ConfigurationData.NonNodeData.ApplicationId;
            AuthenticationStrength = "Phishing-resistant MFA";
            BuiltInControls        = @();
            ClientAppTypes         = @("all");
            DisplayName            = "Require ""MFA"" for 5` + "`$" + `";
            Ensure                 = "Present";
            ExcludeUsers           = @("ben.osei@contoso.example"); # by name
            IncludeRoles           = @("Global Administrator",
                                       "Helpdesk Administrator");
            GrantControlOperator   = "OR";
            IncludeApplications    = @("All");
            PersistentBrowserIsEnabled = $False;
            State                  = "enabled"
        }
        AADNamedLocationPolicy "HQ"
        {
            DisplayName = "HQ"; Id = "x"; OdataType = "#microsoft.graph.ipNamedLocation"; IpRanges = @("192.0.2.0/24"); IsTrusted = $True;
        }
        AADUser "u" { UserPrincipalName = "ada@$OrganizationName"; Roles = @(MSFT_X{ A = "b" }) }
    }
}
`

func TestMicrosoft365DSC(t *testing.T) {
	t.Parallel()
	in, recs := readBytes(t, Options{}, []byte(dscConfig))
	list := policies(t, recs)
	if len(recs) != 2 || len(list) != 1 || in.Status != evidence.Read {
		t.Fatalf("%v %v %v", in.Status, recs, in.Notes)
	}
	p := list[0]
	if p.DisplayName != `Require "MFA" for 5$` || !p.Enforced() || len(p.Unsupported) > 0 || p.Planned ||
		p.GrantControls.Strength.ID != "00000000-0000-0000-0000-000000000004" || p.Conditions.Users.ExcludeUsers[0] != "ben.osei@contoso.example" ||
		strings.Join(p.Conditions.Users.IncludeRoles, " ") != roleIDs["global administrator"]+" "+roleIDs["helpdesk administrator"] {
		t.Errorf("%+v %q", p, p.Unsupported)
	}
	want := `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayname":"HQ","id":"HQ","istrusted":true,"ipranges":[{"cidraddress":"192.0.2.0/24"}]}`
	if diff := cmp.Diff(plainly(t, want), plainly(t, recs[1].Raw)); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string][2]string{
		"a role of their own":         {`"Helpdesk Administrator"`, `"Chief Wizard"`},
		"a text with something in it": {`"ben.osei@contoso.example"`, `"ben@$OrganizationName"`},
		"a variable":                  {`@("ben.osei@contoso.example")`, `$Excluded`},
		"a joined list":               {`@("ben.osei@contoso.example")`, `@("a") + $Excluded`},
		"a computed element":          {`"ben.osei@contoso.example"`, `(Get-Thing "x")`},
		"a property not known":        {`Ensure                 =`, `MoonPhase = "full"; Ensure =`},
		"a computed state":            {`"enabled"`, `$State`},
		"a computed text":             {`"enabled"`, `"enabled" + $State`},
		"an app by name":              {`@("All");`, `@("Payroll");`},
	} {
		_, recs := readBytes(t, Options{}, []byte(strings.Replace(dscConfig, change[0], change[1], 1)))
		list := policies(t, recs)
		if len(list) != 1 {
			t.Errorf("%s: %v", name, recs)
		}
		for _, p := range list {
			if len(p.Unsupported) == 0 && p.Enforced() {
				t.Errorf("%s: understood: %s", name, recs[0].Raw)
			}
		}
	}
	for _, text := range []string{dscConfig[:500], strings.Replace(dscConfig, `@("ben`, `@("ben`+"\x00", 1)[:700]} {
		if in, recs := readBytes(t, Options{}, []byte(text)); len(recs) > 0 || in.Status == evidence.Read {
			t.Errorf("broken: %v %v", in.Status, recs)
		}
	}
	in, recs = readBytes(t, Options{}, []byte(`[{"ResourceName":"AADConditionalAccessPolicy","DisplayName":"P","State":"enabled","IncludeUsers":["All"],"Ensure":"Present"},
		{"ResourceName":"AADConditionalAccessPolicy","DisplayName":"Q","State":"enabled","Ensure":"Absent"},{"ResourceName":"AADUser","DisplayName":"U","Ensure":"Present"}]`))
	if len(policies(t, recs)) != 1 || !strings.Contains(in.Notes[0].Message, "2 records that are not judged: Microsoft365DSC") {
		t.Errorf("report: %v %v", recs, in.Notes)
	}
}

func FuzzHCL(f *testing.F) {
	f.Add([]byte(tfConfig))
	f.Add([]byte("resource \"azuread_named_location\" \"x\" {\n country { countries_and_regions = [for c in var.x : c] }\n}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		readBytes(t, Options{}, append([]byte("resource \"azuread_conditional_access_policy\" \"x\" {\n"), text...))
		readBytes(t, Options{}, text)
	})
}

func FuzzMicrosoft365DSC(f *testing.F) {
	f.Add([]byte(dscConfig))
	f.Add([]byte("AADConditionalAccessPolicy 'x' { A = @(@(@($x, \"`\"$(1)\" ) + 1; B = <# #> MSFT_Y { } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		readBytes(t, Options{}, append([]byte("Configuration X\n{\n"), text...))
	})
}

// FuzzForms: no record of any tool's form panics, and what is handed on is JSON.
func FuzzForms(f *testing.F) {
	for _, s := range []string{
		`{"kind":"AZGroupMember","data":{"groupId":"g","members":[{"member":{"id":"u"}}]}}`, `{"kind":"AZRoleAssignment","data":{"roleAssignments":[{},1]}}`,
		`{"Id":"u","UserPrincipalName":"u@x","AdditionalProperties":{"a":{"AdditionalProperties":{"b":[{"Ticks":1}]}}},"StrongAuthenticationRequirements":[{"State":1}]}`,
		`{"terraform_version":"1","resources":[{"type":"azuread_conditional_access_policy","instances":[{"attributes":{"conditions":[{"users":[1]}]}}]}]}`,
		`{"ResourceName":"AADConditionalAccessPolicy","IncludeRoles":[1,{"a":2}],"AuthenticationStrength":5}`,
		`{"RelationshipId":"r","CustomerName":"c","Status":"a","Roles":";;,","Duration":"1.2:3:4","AccessDetails":"{}"}`,
		`{"State":"enabled","Conditions":{"Users":{"IncludeUsers":"All None"},"ClientAppTypes":"a b"},"GrantControls":"@{a=b}"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		readBytes(t, Options{}, text)
		readBytes(t, Options{}, append(append([]byte("["), text...), ']'))
	})
}

// TestHostileForms: what is built to be hard is refused or passed, in bounds.
func TestHostileForms(t *testing.T) {
	t.Parallel()
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	for name, text := range map[string]string{
		"nested bags": `[{"Id":"u","UserPrincipalName":"u@x","DisplayName":"U","AdditionalProperties":` + deep(`{"AdditionalProperties":`, `}`,
			400)[:400*24] + `{"a":1}` + strings.Repeat("}", 400) + `}]`,
		"nested lists":       `[{"Id":"u","UserPrincipalName":"u@x","DisplayName":"U","AdditionalProperties":{"a":` + deep("[", "]", 400) + `}}]`,
		"a span without end": `[{"Id":"r","Status":"active","Customer":{"TenantId":"c"},"Duration":{"Ticks":1e308,"Days":-9e99},"AccessDetails":{}}]`,
		"a span of text":     "RelationshipId,CustomerName,Status,Duration\nr,c,active,99999999999999999999.00:00:00\n",
		"a bag of many": `[{"Id":"u","UserPrincipalName":"u@x","DisplayName":"U","AdditionalProperties":{` + strings.Repeat(`"a":1,`, 50_000) +
			`"b":2}}]`,
		"nested modules": `{"terraform_version":"1","values":{"root_module":` + strings.Repeat(`{"child_modules":[`, 200) +
			strings.Repeat(`]}`, 200) + `}}`,
		"nested instances":       "Configuration X\n{\nAADConditionalAccessPolicy \"x\"\n{\n A = " + strings.Repeat("@(", 10_000),
		"nested expressions":     "resource \"azuread_conditional_access_policy\" \"x\" {\n a = " + strings.Repeat("!", 100_000),
		"nested conditions":      "resource \"azuread_conditional_access_policy\" \"x\" {\n a = " + strings.Repeat("a?", 100_000),
		"many resources":         "Configuration X\n{\n" + strings.Repeat("AADUser \"u\" { A = 1 }\n", 200_000),
		"a text without end":     "Configuration X\n{\nAADConditionalAccessPolicy \"x",
		"a configuration of 9 M": "terraform {\n" + strings.Repeat("# filler filler filler\n", 400_000),
		"many members":           `{"kind":"AZGroupMember","data":{"groupId":"g","members":[` + strings.Repeat(`{"member":{"id":"u"}},`, 20_000) + `{}]}}`,
	} {
		in, _ := readBytes(t, Options{}, []byte(text))
		if in.Status == "" {
			t.Errorf("%s: no account is given", name)
		}
	}
}
