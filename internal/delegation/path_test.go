package delegation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// words are the ways in short: who, by what, which role.
func words(inv *delegation.Inventory, list []delegation.Path) (out []string) {
	for i := range list {
		p := &list[i]
		s := inv.PersonName(p.Person) + " "
		for _, g := range p.Via {
			s += inv.GroupName(g) + "<"
		}
		s += inv.GroupName(p.Group) + " " + string(p.Kind) + " " + p.RoleName
		if p.Eligible {
			s += " eligible"
		}
		if p.Perhaps {
			s += " perhaps"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func TestPaths(t *testing.T) {
	t.Parallel()
	inv := delegation.Build(read(t, world()...), now)
	global, err := delegation.Resolve(inv, delegation.Question{Customer: "FABRIKAM", Role: "global administrator"})
	if err != nil || !global.Roads || global.Customer != fabrikam {
		t.Fatalf("%+v, %v", global, err)
	}
	for name, c := range map[string]struct {
		q    delegation.Question
		want []string
	}{
		"who can become Global Administrator": {global, []string{
			"Ada AdminAgents dap Global Administrator",
			"Ben Night<Tier 2 gdap Privileged Authentication Administrator",
			"Cleo Night<Tier 2 gdap Privileged Authentication Administrator eligible",
			"Dan Tier 2 gdap Privileged Authentication Administrator perhaps",
		}},
		"a role": {delegation.Question{Role: entra.RoleHelpdeskAdministrator}, []string{
			"Eva HelpdeskAgents dap Helpdesk Administrator", "Fay Desk gdap Helpdesk Administrator", "Robot Desk gdap Helpdesk Administrator",
		}},
		"a person": {delegation.Question{Person: id(12)}, []string{
			"Ben Night<Tier 2 gdap Privileged Authentication Administrator", "Ben Night<Tier 2 gdap User Administrator",
		}},
		"nobody there": {delegation.Question{Customer: "another"}, nil},
	} {
		if got := words(inv, delegation.Paths(inv, c.q)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	ways := delegation.Ask(inv, global)
	if want := "3 people can become Global Administrator at Fabrikam: 1 now, 1 by one step more, 1 after an activation."; ways.Says[0] != want {
		t.Errorf("it says %q", ways.Says)
	}
	if len(ways.Open) != 0 || strings.Contains(strings.Join(ways.Says, " "), "not known") && !strings.Contains(ways.Says[1], "more may") {
		t.Errorf("all was read, and it says %q, open %+v", ways.Says, ways.Open)
	}
	for _, p := range ways.Paths {
		if p.Kind == delegation.ByGDAP && p.Step == "" || p.Global != (p.Kind == delegation.ByDAP) {
			t.Errorf("%+v", p)
		}
	}
}

// TestPathsUnknown: what was not read opens a way that may be, and says what settles it.
func TestPathsUnknown(t *testing.T) {
	t.Parallel()
	role := []string{entra.RoleGlobalAdministrator}
	for name, list := range map[string][]record{
		"DAP not read":         {customer(""), group(1, "AdminAgents", "", 11), user(11, "Ada", "")},
		"AdminAgents not read": {customer(`,"allowDelegatedAccess":true`)},
		"members not read":     {relationship("one", fabrikam, "", gives{3, role}), record{evidence.Group, fmt.Sprintf(`{"id":%q,"displayName":"x"}`, id(3))}},
		"group not read":       {relationship("one", fabrikam, "", gives{3, role})},
		"assignments not read": {relationship("one", fabrikam, `,"accessAssignments":null`, gives{3, role})},
		"roles not read":       {relationship("one", fabrikam, `,"accessDetails":{"unifiedRoles":"x"}`)},
	} {
		inv := delegation.Build(read(t, list...), now)
		ways := delegation.Ask(inv, delegation.Question{Customer: fabrikam, Role: entra.RoleGlobalAdministrator, Roads: true})
		perhaps := slices.DeleteFunc(slices.Clone(ways.Paths), func(p delegation.Path) bool { return !p.Perhaps })
		if len(perhaps) == 0 || perhaps[0].Why == "" || perhaps[0].Ask == "" || len(ways.Open) == 0 {
			t.Errorf("%s: %+v, open %+v", name, ways.Paths, ways.Open)
		}
		if name == "assignments not read" && !slices.ContainsFunc(perhaps, func(p delegation.Path) bool { return p.Kind == delegation.ByGDAP }) {
			t.Errorf("%s: no way by the relationship: %+v", name, ways.Paths)
		}
		if !strings.Contains(strings.Join(ways.Says, " "), "not known") {
			t.Errorf("%s: it says %q", name, ways.Says)
		}
	}
}

// TestDAPBesideGDAP: GDAP goes before DAP for who is in an assigned group.
func TestDAPBesideGDAP(t *testing.T) {
	t.Parallel()
	inv := delegation.Build(read(t, customer(`,"allowDelegatedAccess":true`), user(11, "Ada", ""), user(12, "Ben", ""), group(1, "AdminAgents", "", 11, 12),
		group(2, "HelpdeskAgents", ""), group(3, "Desk", "", 11), relationship("one", fabrikam, "", gives{3, []string{entra.RoleGlobalReader}})), now)
	got := words(inv, delegation.Paths(inv, delegation.Question{Roads: true}))
	if want := []string{"Ada AdminAgents dap Global Administrator perhaps", "Ben AdminAgents dap Global Administrator"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestOwn: rights in Azure and an app's own permissions open the same door.
func TestOwn(t *testing.T) {
	t.Parallel()
	const partner, subscription = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", "12345678-0000-4000-8000-000000000000"
	right := func(n, principal int, kind, scope string) record {
		return record{evidence.AzureRoleAssignment, fmt.Sprintf(`{"id":"/x/%d","type":"Microsoft.Authorization/roleAssignments","properties":{
			"roleDefinitionId":"/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/8E3AF657-a8ff-443c-a75c-2fe8c4bcb635",
			"principalId":%q,"principalType":%q,"scope":%q}}`, n, subscription, id(principal), kind, scope)}
	}
	own := delegation.BuildOwn(read(t, right(1, 1, "ForeignGroup", "/subscriptions/"+subscription), right(2, 55, "User", "/subscriptions/"+subscription),
		right(3, 1, "ForeignGroup", "/providers/Microsoft.Management/x"),
		record{evidence.ServicePrincipal, fmt.Sprintf(`{"id":%q,"appId":%q,"displayName":"Backup","appOwnerOrganizationId":%q,
			"servicePrincipalType":"Application"}`, id(60), id(61), partner)},
		record{evidence.ServicePrincipal, fmt.Sprintf(`{"id":%q,"appId":%q,"displayName":"Other","appOwnerOrganizationId":%q}`, id(62), id(63), fabrikam)},
		record{evidence.AppRoleAssignment, fmt.Sprintf(`{"id":"a","principalId":%q,"appRoleId":"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"}`, id(60))},
		record{evidence.AppRoleAssignment, fmt.Sprintf(`{"id":"b","principalId":%q,"appRoleId":"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"}`, id(62))},
		record{evidence.OAuth2PermissionGrant, fmt.Sprintf(`{"id":"g","clientId":%q,"scope":"User.Read Directory.Read.All"}`, id(60))}))
	base := delegation.Build(read(t, append(world(), record{evidence.Organization, fmt.Sprintf(`{"id":%q}`, partner)})...), now)
	inv := delegation.Join(base, map[string]*delegation.Own{fabrikam: &own})
	c := inv.Customers[0]
	if len(c.Azure) != 1 || c.Azure[0].Role != "Owner" || len(c.Consents) != 2 || len(base.Customers[0].Azure) != 0 {
		t.Fatalf("%+v", c)
	}
	got := words(inv, delegation.Paths(inv, delegation.Question{Role: "Owner"}))
	if !slices.Equal(got, []string{"Ada AdminAgents azure Owner in Azure"}) {
		t.Errorf("%q", got)
	}
	ways := delegation.Ask(inv, delegation.Question{Roads: true})
	if !slices.ContainsFunc(ways.Paths, func(p delegation.Path) bool {
		return p.Kind == delegation.ByConsent && p.App == id(61) && p.Step != "" && p.RoleName == "RoleManagement.ReadWrite.Directory"
	}) {
		t.Errorf("the app is no way: %+v", ways.Paths)
	}
	if !strings.Contains(strings.Join(ways.Says, " "), "1 app may by a permission") {
		t.Errorf("it says %q", ways.Says)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	inv := delegation.Build(read(t, append(world(), user(21, "Ben Two", ""), group(6, "HelpdeskAgents", "", 21))...), now)
	for _, c := range []struct {
		q    delegation.Question
		want string
		kind problem.Kind
	}{
		{delegation.Question{Person: "P12@contoso.example"}, id(12), ""},
		{delegation.Question{Person: "Ben"}, id(12), ""}, // the whole name goes before a part
		{delegation.Question{Person: "ben t"}, id(21), ""},
		{delegation.Question{Person: "e"}, "", problem.NotFound},
		{delegation.Question{Person: "be"}, "", problem.BadInput},
		{delegation.Question{Customer: "fabrikam.example"}, fabrikam, ""},
		{delegation.Question{Customer: "wingtip"}, "", problem.NotFound},
		{delegation.Question{Role: "User Admin"}, entra.RoleUserAdministrator, ""},
		{delegation.Question{Role: "wizard"}, "", problem.NotFound},
	} {
		got, err := delegation.Resolve(inv, c.q)
		if c.kind != "" {
			if !errors.Is(err, c.kind) {
				t.Errorf("%+v: %v, want %s", c.q, err, c.kind)
			}
			continue
		}
		if err != nil || got.Person+got.Customer+got.Role != c.want {
			t.Errorf("%+v: %+v, %v", c.q, got, err)
		}
	}
}

// TestHostileNames: what other tenants call their things is cleaned and bounded.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	bad := strings.Repeat("x", 5000) + "\u202e\x1b[31m\r\n<script>"
	said, err := json.Marshal(bad)
	if err != nil {
		t.Fatal(err)
	}
	inv := delegation.Build(read(t, record{evidence.Customer, fmt.Sprintf(`{"id":%q,"companyProfile":{"companyName":%s}}`, fabrikam, said)},
		record{evidence.Relationship, fmt.Sprintf(`{"id":"r","displayName":%s,"status":%s,"customer":{"tenantId":%s}}`, said, said, said)}), now)
	for i := range inv.Customers {
		c := &inv.Customers[i]
		all := c.Tenant + c.Name
		for _, r := range c.Relationships {
			all += r.Name + r.Status
		}
		if len(all) > 2000 || strings.ContainsAny(all, "\u202e\x1b\r\n") {
			t.Errorf("%d bytes: %.300q", len(all), all)
		}
	}
}
