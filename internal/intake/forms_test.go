package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
)

// plainly decodes a record with its names in lower case, without what is null.
func plainly(t *testing.T, raw string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for k, e := range v {
				if e != nil {
					out[strings.ToLower(k)] = walk(e)
				}
			}
			return out
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return v
	}
	return walk(v)
}

// TestForms: what other modules, portals and tools write arrives as Microsoft
// Graph would write it.
func TestForms(t *testing.T) {
	t.Parallel()
	const id, other = "1273dc8e-9dcc-5cab-96c0-4129da3a0428", "b48794d2-14e7-5535-85a7-2106506bb0ec"
	const ga, helpdesk = "62e90394-69f5-4237-9190-012177145e10", "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	for _, c := range []struct {
		name, text string
		kind       evidence.Kind
		want       string // of the first record
	}{
		{"members in a bag", `[{"Id":"g","DisplayName":"G","SecurityEnabled":true,"Members":[{"Id":"u","AdditionalProperties":{"@odata.type":"#microsoft.graph.user","userPrincipalName":"u@x"}}],"AdditionalProperties":{"members@odata.nextLink":"x"}}]`,
			evidence.Group, `{"id":"g","displayname":"G","securityenabled":true,"members":[{"id":"u","@odata.type":"#microsoft.graph.user","userprincipalname":"u@x"}],"members@odata.nextlink":"x"}`},
		{"a location in a bag", `[{"Id":"l","DisplayName":"HQ","AdditionalProperties":{"@odata.type":"#microsoft.graph.ipNamedLocation","isTrusted":true,"ipRanges":[{"cidrAddress":"192.0.2.0/24"}]}}]`,
			evidence.NamedLocation, `{"id":"l","displayname":"HQ","@odata.type":"#microsoft.graph.ipNamedLocation","istrusted":true,"ipranges":[{"cidraddress":"192.0.2.0/24"}]}`},
		{"placeholders", `[{"Id":"p","State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"],"ExcludeGuestsOrExternalUsers":{"ExternalTenants":{"MembershipKind":null},"GuestOrExternalUserTypes":null}},"Devices":{"DeviceFilter":{"Mode":null,"Rule":null}}},"GrantControls":{"BuiltInControls":["mfa"],"AuthenticationStrength":{"Id":null,"AllowedCombinations":null}}}]`,
			evidence.ConditionalAccessPolicy, `{"id":"p","state":"enabled","conditions":{"users":{"includeusers":["All"]}},"grantcontrols":{"builtincontrols":["mfa"]}}`},
		{"placeholders in camel case", `[{"id":"p","state":"enabled","conditions":{"users":{"includeUsers":[]},"applications":{},"locations":{"includeLocations":null}},"grantControls":null}]`,
			evidence.ConditionalAccessPolicy, `{"id":"p","state":"enabled","conditions":{"users":{"includeusers":[]},"applications":{}}}`},
		{"no grant controls", `[{"Id":"p","State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]}},"GrantControls":{"BuiltInControls":null,"Operator":null},"SessionControls":{"SignInFrequency":{"IsEnabled":false,"Value":null}}}]`,
			evidence.ConditionalAccessPolicy, `{"id":"p","state":"enabled","conditions":{"users":{"includeusers":["All"]}},"sessioncontrols":{"signinfrequency":{"isenabled":false}}}`},
		{"lists joined at the depth", `[{"Id":"p","State":"enabled","Conditions":{"ClientAppTypes":"browser mobileAppsAndDesktopClients","Users":{"IncludeUsers":"All","ExcludeUsers":"` + id + ` ` + other + `","ExcludeGroups":"Sales Team"}},"GrantControls":{"BuiltInControls":"mfa compliantDevice"}}]`,
			evidence.ConditionalAccessPolicy, `{"id":"p","state":"enabled","conditions":{"clientapptypes":["browser","mobileAppsAndDesktopClients"],"users":{"includeusers":"All","excludeusers":["` + id + `","` + other + `"],"excludegroups":"Sales Team"}},"grantcontrols":{"builtincontrols":["mfa","compliantDevice"]}}`},
		{"a span of time", `[{"Id":"r","Status":"active","Customer":{"TenantId":"c"},"Duration":{"Ticks":630720000000000,"Days":730},"AutoExtendDuration":{"Ticks":0,"Days":0},"AccessDetails":{"UnifiedRoles":[{"RoleDefinitionId":"` + ga + `"}]}}]`,
			evidence.Relationship, `{"id":"r","status":"active","customer":{"tenantid":"c"},"duration":"P730D","autoextendduration":"PT0S","accessdetails":{"unifiedroles":[{"roledefinitionid":"` + ga + `"}]}}`},
		{"a flat relationship", "Customer name,Customer tenant id,Relationship name,Relationship id,Status,Roles,End " +
			"date\nFabrikam,c,Old,r,active,Global Administrator; " + helpdesk + ",2028-02-01\n",
			evidence.Relationship, `{"customer name":"Fabrikam","customer tenant id":"c","displayname":"Old","id":"r","status":"active","roles":"Global Administrator; ` + helpdesk + `","enddatetime":"2028-02-01","customer":{"tenantid":"c","displayname":"Fabrikam"},"accessdetails":{"unifiedroles":[{"roledefinitionid":"` + ga + `"},{"roledefinitionid":"` + helpdesk + `"}]}}`},
		{"MSOnline user", `[{"ObjectId":"u","UserPrincipalName":"u@x","DisplayName":"U","BlockCredential":true,"UserType":1,"LastDirSyncTime":"/Date(1)/","StrongAuthenticationRequirements":[{"State":"Enforced","ExtensionData":{}}],"ExtensionData":{}}]`,
			evidence.User, `{"id":"u","userprincipalname":"u@x","displayname":"U","blockcredential":true,"usertype":"Guest","lastdirsynctime":"/Date(1)/","strongauthenticationrequirements":[{"state":"Enforced"}],"accountenabled":false,"onpremisessyncenabled":true,"perusermfastate":"enforced"}`},
		{"MSOnline user without per-user MFA", `[{"ObjectId":"u","UserPrincipalName":"u@x","DisplayName":"U","BlockCredential":false,"StrongAuthenticationRequirements":[]}]`,
			evidence.User, `{"id":"u","userprincipalname":"u@x","displayname":"U","blockcredential":false,"strongauthenticationrequirements":[],"accountenabled":true,"perusermfastate":"disabled"}`},
		{"MSOnline user, state lost", `[{"ObjectId":"u","UserPrincipalName":"u@x","DisplayName":"U","BlockCredential":"False","StrongAuthenticationRequirements":"Microsoft.Online.Administration.StrongAuthenticationRequirement"}]`,
			evidence.User, `{"id":"u","userprincipalname":"u@x","displayname":"U","blockcredential":"False","accountenabled":true}`},
		{"AzureAD group", `[{"ObjectId":"g","ObjectType":"Group","DisplayName":"G","SecurityEnabled":true,"MailEnabled":false}]`,
			evidence.Group, `{"id":"g","objecttype":"Group","displayname":"G","securityenabled":true,"mailenabled":false}`},
		{"AzureAD location", `[{"OdataType":"#microsoft.graph.countryNamedLocation","Id":"l","DisplayName":"NL","IpRanges":null,"CountriesAndRegions":["NL"]}]`,
			evidence.NamedLocation, `{"@odata.type":"#microsoft.graph.countryNamedLocation","id":"l","displayname":"NL","countriesandregions":["NL"]}`},
		{"admin centre", "Block credential,Display name,Object Id,User principal name,When created\nFalse,Ada,u,u@x,2024-02-01 08:00:00Z\n",
			evidence.User, `{"blockcredential":"False","displayname":"Ada","id":"u","userprincipalname":"u@x","createddatetime":"2024-02-01 08:00:00Z","accountenabled":true}`},
		{"admin centre in German", "Anmeldeinformationen blockieren;Anzeigename;Objekt-ID;Benutzerprinzipalname\nWAHR;Ada;u;u@x\n",
			evidence.User, `{"blockcredential":"WAHR","displayname":"Ada","id":"u","userprincipalname":"u@x","accountenabled":false}`},
		{"portal users", "userPrincipalName,displayName,id,userType,accountEnabled,directorySynced,invitationState\nu@x,Ada,u,Member,true,true,Accepted\n",
			evidence.User, `{"userprincipalname":"u@x","displayname":"Ada","id":"u","usertype":"Member","accountenabled":"true","onpremisessyncenabled":"true","externaluserstate":"Accepted"}`},
		{"types in cells", `"AccountEnabled","AssignedLicenses","DisplayName","Id","SignInActivity","UserPrincipalName"` + "\n" +
			`"True","Microsoft.Graph.PowerShell.Models.MicrosoftGraphAssignedLicense","Ada","u","Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInActivity","u@x"` + "\n",
			evidence.User, `{"accountenabled":"True","displayname":"Ada","id":"u","userprincipalname":"u@x"}`},
		{"per-user states", "UserPrincipalName;ObjectId;MFAStatus\nu@x;u;Enforced\n", evidence.PerUserMFA,
			`{"userprincipalname":"u@x","id":"u","perusermfastate":"enforced"}`},
		{"per-user state of Graph", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#users('u%40x')/authentication/requirements/$entity","perUserMfaState":"enabled"}`,
			evidence.PerUserMFA, `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#users('u%40x')/authentication/requirements/$entity","id":"u@x","perusermfastate":"enabled"}`},
		{"PIM for groups", `[{"Id":"s","GroupId":"g","PrincipalId":"u","AccessId":"member","MemberType":"direct","EligibilityScheduleId":"e"}]`,
			evidence.GroupEligibility, `{"id":"s","groupid":"g","principalid":"u","accessid":"member","membertype":"direct","eligibilityscheduleid":"e"}`},
		{"PIM for groups, active", `[{"id":"s","groupId":"g","principalId":"u","accessId":"owner","assignmentType":"activated","memberType":"direct"}]`,
			evidence.GroupAssignment, `{"id":"s","groupid":"g","principalid":"u","accessid":"owner","assignmenttype":"activated","membertype":"direct"}`},
		{"a list that PowerShell wrapped", `[{"id":"r","displayName":"G","securityEnabled":true,"members":{"value":[{"id":"u"}],"Count":1},"AdditionalProperties":{"x":1}}]`,
			evidence.Group, `{"id":"r","displayname":"G","securityenabled":true,"members":[{"id":"u"}],"x":1.0}`},
		{"AzureHound group members", `{"data":[{"kind":"AZGroupMember","data":{"groupId":"g","members":[{"groupId":"g","member":{"@odata.type":"#microsoft.graph.user","id":"u"}}]}}],"meta":{"type":"azure","version":5,"count":1}}`,
			evidence.Group, `{"id":"g","members":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}`},
		{"AzureHound group members, one lost", `{"data":[{"kind":"AZGroupMember","data":{"groupId":"g","members":[{"groupId":"g","member":null}]}}],"meta":{"type":"azure"}}`, evidence.Group, `{"id":"g"}`},
		{"AzureHound roles", `{"data":[{"kind":"AZRoleAssignment","data":{"roleDefinitionId":"` + ga +
			`","roleAssignments":[{"id":"a","principalId":"u","directoryScopeId":"/"}]}}]}`,
			evidence.RoleAssignment, `{"id":"a","principalid":"u","directoryscopeid":"/","roledefinitionid":"` + ga + `"}`},
		{"AzureHound user", `{"data":[{"kind":"AZUser","data":{"id":"u","userPrincipalName":"u@x","displayName":"U","accountEnabled":true}}]}`,
			evidence.User, `{"id":"u","userprincipalname":"u@x","displayname":"U","accountenabled":true}`},
	} {
		in, recs := readBytes(t, Options{}, []byte(c.text))
		if len(recs) == 0 || recs[0].Kind != c.kind {
			t.Errorf("%s: %v %v", c.name, recs, in.Notes)
			continue
		}
		if diff := cmp.Diff(plainly(t, c.want), plainly(t, recs[0].Raw)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestNamed: what is not read, or not whole, is named, and lists are known not
// to be whole.
func TestNamed(t *testing.T) {
	t.Parallel()
	users := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"Id":"u%d","UserPrincipalName":"u%d@x","DisplayName":"U","AccountEnabled":true}`, i, i)
		}
		return "[" + b.String()[1:] + "]"
	}
	const typ = "Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRole"
	for _, c := range []struct {
		name, text string
		status     evidence.Status
		cuts       string // kinds, joined by spaces
		says       string // in the notes, or in the cut
	}{
		{"one user", `{"id":"u","userPrincipalName":"u@x","displayName":"U"}`, evidence.Read, "user", "one user"},
		{"one user by its context", `[{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users/$entity","id":"u","userPrincipalName":"u@x"}]`,
			evidence.Read, "user", "single users"},
		{"a page of one user", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"id":"u","userPrincipalName":"u@x"}]}`,
			evidence.Read, "", ""},
		{"one role assignment", aRole, evidence.Read, "roleAssignment", "one role assignment"},
		{"one activated role", `{"id":"r","roleTemplateId":"62e90394-69f5-4237-9190-012177145e10","displayName":"Global Administrator","members":[]}`,
			evidence.Read, "directoryRole", "one role"},
		{"a page of one role assignment", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#roleManagement/directory/roleAssignments","value":[` + aRole + `]}`, evidence.Read, "", ""},
		{"two users one behind the other", `{"id":"u","userPrincipalName":"u@x","displayName":"U"}` + "\n" +
			`{"id":"v","userPrincipalName":"v@x","displayName":"V"}`, evidence.Read, "", ""},
		{"members of something", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects","value":[{"@odata.type":"#microsoft.graph.user","id":"u","userPrincipalName":"u@x"}]}`, evidence.Read, "user", "members or owners"},
		{"members of the SDK", `[{"Id":"u","DeletedDateTime":null,"AdditionalProperties":{"@odata.type":"#microsoft.graph.user","userPrincipalName":"u@x"}}]`,
			evidence.Read, "user", "members of something"},
		{"one policy", `{"id":"p","displayName":"P","state":"enabled","conditions":{}}`, evidence.Read, "", ""},
		{"one group", `{"id":"g","displayName":"G","securityEnabled":true}`, evidence.Read, "", ""},
		{"99 users", users(99), evidence.Read, "", ""},
		{"100 users", users(100), evidence.Read, "user", "exactly 100"},
		{"999 users", users(999), evidence.Read, "user", "exactly 999"},
		{"500 users", users(500), evidence.Read, "", ""},
		{"500 users of MSOnline", strings.ReplaceAll(users(500), `"AccountEnabled":true`, `"BlockCredential":false`), evidence.Read, "user", "exactly 500"},
		{"100 users of a page", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":` + users(100) + `}`, evidence.Read, "", ""},
		{"fewer than counted", `{"@odata.context":"x#users","@odata.count":3,"value":` + users(2) + `}`, evidence.Read, "user", "says that it has 3 records"},
		{"fewer than counted in a text", `{"@odata.context":"x#users","@odata.count":"3","value":` + users(2) + `}`, evidence.Read, "user",
			"says that it has 3 records"},
		{"as many as counted", `{"@odata.context":"x#users","@odata.count":2,"value":` + users(2) + `}`, evidence.Read, "", ""},
		{"policy cut off", `[{"Id":"p","State":"enabled","DisplayName":"P","Conditions":{"Users":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphConditionalAccessUsers"}}]`, evidence.Partial, "conditionalAccessPolicy", "-Depth 10"},
		{"policy in a table", "Conditions,DisplayName,GrantControls,Id,State\nMicrosoft.Graph.PowerShell.Models." +
			"MicrosoftGraphConditionalAccessConditionSet,P,Microsoft.Graph.PowerShell.Models.MicrosoftGraphConditionalAccessGrantControls,p," +
			"enabled\n", evidence.Partial, "conditionalAccessPolicy", "-Depth 10"},
		{"tenants lost", `[{"Id":"p","State":"enabled","DisplayName":"P","Conditions":{"Users":{"ExcludeGuestsOrExternalUsers":{"ExternalTenants":{"MembershipKind":"enumerated"},"GuestOrExternalUserTypes":"serviceProvider"}}}}]`, evidence.Read, "", "Invoke-MgGraphRequest"},
		{"roles lost", `[{"Id":"r","Status":"active","Customer":{"TenantId":"c"},"AccessDetails":{"UnifiedRoles":["` + typ + `"]}}]`, evidence.Partial,
			"delegatedAdminRelationship", "-Depth 10"},
		{"no roles", `[{"Id":"r","Status":"active","Customer":{"TenantId":"c"},"AccessDetails":null,"Duration":"P1D"}]`, evidence.Partial,
			"delegatedAdminRelationship", "without its roles"},
		{"a role by an unknown name", "RelationshipId,CustomerName,Status,Roles\nr,F,active,Global Administrator; Chief Wizard\n", evidence.Partial,
			"delegatedAdminRelationship", "not known"},
		{"members cut off", `[{"Id":"g","DisplayName":"G","SecurityEnabled":true,"Members":"System.Object[]"}]`, evidence.Partial, "group", "lost members"},
		{"objects that lost all", `"Id","DeletedDateTime","AdditionalProperties"` + "\n" + `"u","","System.Collections.Generic.Dictionary` +
			"`2[System.String,System.Object]\"\n", evidence.Unreadable, "", "only the name of their type"},
		{"clixml", `<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"/></Objs>`, evidence.Unreadable, "",
			"Import-Clixml"},
		{"members of a group", "id,userPrincipalName,displayName,objectType,userType,isUser,isGroup,isGuest\nu,u@x,U,User,Member,TRUE,FALSE,FALSE\n",
			evidence.NotRecognised, "group", "does not say of which"},
		{"a word", "id,userPrincipalName,displayName,accountEnabled\nu,u@x,U,vielleicht\n", evidence.Read, "", `"vielleicht" is neither yes nor no`},
		{"a clock", `[{"id":"u","userPrincipalName":"u@x","displayName":"U","createdDateTime":"lately"}]`, evidence.Read, "", `"lately" is no clock`},
		{"an ambiguous clock", `[{"id":"u","userPrincipalName":"u@x","displayName":"U","createdDateTime":"02/03/2026"}]`, evidence.Read, "",
			"order of day and month"},
		{"deleted users", `[{"ObjectId":"u","UserPrincipalName":"u@x","DisplayName":"U","SoftDeletionTimestamp":"2026-01-01T00:00:00Z"}]`,
			evidence.NotRecognised, "", "deleted users"},
		{"a script's methods", "UserPrincipalName,MFA Status,FIDO2 authentication\nu@x,Enabled,false\n", evidence.NotRecognised, "", "registered methods"},
		{"CIPP", "UPN,AccountEnabled,PerUser,CoveredByCA\nu@x,true,enforced,All\n", evidence.NotRecognised, "", "CIPP"},
		{"Prowler", "CHECK_ID;STATUS;FINDING_UID\nx;PASS;y\n", evidence.NotRecognised, "", "Prowler"},
		{"Maester", `{"Result":"Failed","PassedCount":1,"FailedCount":1,"Tests":[{"Id":"1","Title":"x","Result":"Passed","ResultDetail":{}}]}`,
			evidence.NotRecognised, "", "Maester"},
		{"activity log", "Date-Time,Affected customer,Action,Performed by\n2026-11-20 08:00:00,F,ended,a@x\n", evidence.NotRecognised, "", "activity log"},
		{"no licence", `{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"x"}}`, evidence.Unreadable, "", "P1 licence"},
		{"no P2", `{"error":{"code":"AadPremiumLicenseRequired","message":"The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."}}`, evidence.Unreadable, "", "P2"},
		{"no MFA claim", `{"code":900421,"description":"MFA required.","data":[],"source":"PartnerFD"}`, evidence.Unreadable, "", "no MFA claim"},
		{"no MFA claim, older", `{"code":"10001","description":"Authentication failed. MFA required."}`, evidence.Unreadable, "", "no MFA claim"},
		{"no token", `{"error":"invalid_grant","error_description":"AADSTS50076: x"}`, evidence.Unreadable, "", "(invalid_grant)"},
	} {
		in, _ := readBytes(t, Options{}, []byte(c.text))
		var kinds []string
		said := in.Refused
		for _, cut := range in.Cuts {
			kinds = append(kinds, string(cut.Kind))
			said += "\n" + cut.Why
		}
		for _, n := range in.Notes {
			said += "\n" + n.Message
		}
		if in.Status != c.status || strings.Join(slices.Compact(kinds), " ") != c.cuts || !strings.Contains(said, c.says) {
			t.Errorf("%s: %s, cuts %q, said %q", c.name, in.Status, kinds, said)
		}
		if refused := strings.Contains(said, errorAnswer); refused != (in.Refused != "") || refused &&
			!strings.Contains(in.Refused, strings.Trim(c.says, "()")) {
			t.Errorf("%s: refused %q", c.name, in.Refused)
		}
	}
}

// TestTableClocks: one day over 12 decides the order for the whole table,
// before and behind it, and no row is lost.
func TestTableClocks(t *testing.T) {
	t.Parallel()
	const head = "id,userPrincipalName,displayName,createdDateTime,other\n"
	for _, c := range []struct {
		name, text string
		want       string // the clocks, joined by spaces
		doubt      bool
	}{
		{"day first", head + "a,a@x,A,03/11/2026 07:22,x\nb,b@x,B,,y\nc,c@x,C,25/11/2026 08:00,\nd,d@x,D,12/11/2026,z\n",
			"2026-11-03T07:22:00  2026-11-25T08:00:00 2026-11-12T00:00:00", false},
		{"month first", head + "a,a@x,A,3/11/2026 7:22:00 AM,x\nc,c@x,C,11/25/2026 8:00:00 PM,\n", "2026-03-11T07:22:00 2026-11-25T20:00:00", false},
		{"undecided", head + "a,a@x,A,03/11/2026,x\nb,b@x,B,03/12/2026,x\n", "03/11/2026 03/12/2026", true},
		{"both", head + "a,a@x,A,13/11/2026,x\nb,b@x,B,11/13/2026,x\nc,c@x,C,03/12/2026,x\n", "2026-11-13T00:00:00 2026-11-13T00:00:00 03/12/2026", true},
		{"with zones", head + "a,a@x,A,25.11.2026 08:00 +01:00,x\n", "2026-11-25T07:00:00Z", false},
		{"exact", head + "a,a@x,A,2026-11-25T08:00:00Z,x\n", "2026-11-25T08:00:00Z", false},
		{"open quote at the end", head + "a,a@x,A,03/11/2026,x\nb,b@x,B,03/12/2026,\"x\n", "03/11/2026", true},
	} {
		in, recs := readBytes(t, Options{}, []byte(c.text))
		var got []string
		for _, r := range recs {
			m, _ := plainly(t, r.Raw).(map[string]any)
			got = append(got, fmt.Sprint(m["createddatetime"]))
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: %q, want %q", c.name, g, c.want)
		}
		if doubt := strings.Contains(fmt.Sprint(in.Notes), "stands first"); doubt != c.doubt {
			t.Errorf("%s: doubt %v: %v", c.name, doubt, in.Notes)
		}
	}
}

// TestPagesOfAFolder: pages of one collection may lie in several files.
func TestPagesOfAFolder(t *testing.T) {
	t.Parallel()
	page := func(next string, ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, `{"id":"`+id+`","userPrincipalName":"`+id+`@x"}`)
		}
		if next != "" {
			next = `"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?` + next + `",`
		}
		return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users",` + next + `"value":[` + strings.Join(list, ",") + `]}`
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		open  string // the files that end with an open link
	}{
		{"both here", map[string]string{"a.json": page("$skiptoken=1", "u", "v"), "b.json": page("", "w")}, ""},
		{"in the other order", map[string]string{"b.json": page("$skiptoken=1", "u", "v"), "a.json": page("", "w")}, ""},
		{"three", map[string]string{"a.json": page("$skiptoken=1", "u"), "b.json": page("$skiptoken=2", "v"), "c.json": page("", "w")}, ""},
		{"the end is missing", map[string]string{"a.json": page("$skiptoken=1", "u"), "b.json": page("$skiptoken=2", "v")}, "a.json b.json"},
		{"the rest is of another reading", map[string]string{"a.json": page("$skiptoken=1", "u", "v"), "b.json": page("", "u", "w")}, "a.json"},
		{"a page saved twice", map[string]string{"a.json": page("$skiptoken=1", "u"), "a2.json": page("$skiptoken=1", "u"), "b.json": page("", "w")}, ""},
		{"in another folder", map[string]string{"a/a.json": page("$skiptoken=1", "u"), "b/b.json": page("", "w")}, "a/a.json"},
		{"an array of pages", map[string]string{"a.json": "[" + page("", "w") + "," + page("$skiptoken=1", "u") + "]"}, ""},
		{"counted", map[string]string{"a.json": page("$skip=2", "u", "v"), "b.json": page("$skip=4", "w", "x"), "c.json": page("", "y")}, ""},
		{"counted, with a hole", map[string]string{"a.json": page("$skip=2", "u", "v"), "b.json": page("$skip=6", "w", "x"), "c.json": page("", "y")},
			"a.json b.json"},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ins, err := Read(context.Background(), Options{}, []string{dir}, &strictSink{t: t})
		if err != nil {
			t.Fatal(err)
		}
		var open []string
		for _, in := range ins {
			if in.NextLink {
				rel, _ := filepath.Rel(dir, in.Path)
				open = append(open, filepath.ToSlash(rel))
			}
		}
		if got := strings.Join(open, " "); got != c.open {
			t.Errorf("%s: open %q, want %q", c.name, got, c.open)
		}
	}
}
