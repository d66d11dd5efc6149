package directory_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
)

const (
	global   = entra.RoleGlobalAdministrator
	exchange = "29232cdf-9323-42fd-ade2-1d097af3e4de"
)

func decode[T any](t *testing.T, raw string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(raw, err)
	}
	return v
}

// One account in a list with ids and in a table without them is one account,
// whichever is read first.
func TestUserByName(t *testing.T) {
	t.Parallel()
	withID := decode[directory.User](t, `{"id":"U1","userPrincipalName":"ada@x.example","accountEnabled":true}`)
	without := decode[directory.User](t, `{"userPrincipalName":"Ada@X.example","userType":"Guest","mail":"a@x.example"}`)
	disabled := decode[directory.User](t, `{"userPrincipalName":"ada@x.example","accountEnabled":false}`)
	enabled := decode[directory.User](t, `{"userPrincipalName":"ada@x.example","accountEnabled":true}`)
	for _, order := range [][]directory.User{{withID, without}, {without, withID}} {
		d := directory.New()
		for _, u := range order {
			d.AddUser(u)
		}
		u := d.Users["u1"]
		if len(d.Users) != 1 || u == nil || u.UserType != "Guest" || !u.AccountEnabled.True() || d.FindUser("", "a@x.example") != "u1" ||
			d.KeyByUPN("ADA@x.example") != "u1" {
			t.Errorf("%d users, %+v", len(d.Users), u)
		}
	}
	for _, order := range [][]directory.User{{withID, disabled, without}, {disabled, without, withID}, {without, withID, disabled},
		{disabled, withID, withID}, {disabled, enabled, withID}, {{ID: "u1", AccountEnabled: withID.AccountEnabled}, disabled, enabled, withID}} {
		d := directory.New()
		for _, u := range order {
			d.AddUser(u)
		}
		if u := d.Users["u1"]; len(d.Users) != 1 || u == nil || u.AccountEnabled.Set {
			t.Errorf("two copies disagree on whether it is enabled: %+v", u)
		}
	}
	if directory.New().AddUser(directory.User{DisplayName: "Ghost"}) {
		t.Error("a record that names nobody was kept")
	}
}

// What an assignment says by its expanded objects, or by the name of the role,
// is read.
func TestAssignmentForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw  string
		kept bool
	}{
		"ids": {`{"principalId":"u1","roleDefinitionId":"` + exchange + `","directoryScopeId":"/"}`, true},
		"expanded principal": {`{"roleDefinitionId":"` + exchange + `","directoryScopeId":"/","principal":{"@odata.type":"#microsoft.graph.user","id":"u1"}}`,
			true},
		"expanded role": {`{"principalId":"u1","directoryScopeId":"/","roleDefinition":{"id":"` + exchange +
			`","displayName":"Exchange Administrator"}}`, true},
		"role by name": {`{"principalId":"u1","roleDefinitionId":"Exchange Administrator","directoryScopeId":"/"}`, true},
		"no holder":    {`{"roleDefinitionId":"` + exchange + `","directoryScopeId":"/"}`, false},
		"no role":      {`{"principalId":"u1","directoryScopeId":"/"}`, false},
	} {
		d := directory.New()
		d.AddUser(directory.User{ID: "u1", UserPrincipalName: "ada@x.example"})
		if kept := d.AddAssignment(decode[directory.RoleAssignment](t, c.raw)); kept != c.kept {
			t.Errorf("%s: kept %v", name, kept)
		}
		held := d.Resolve(true).Roles["u1"]
		if has := len(held) == 1 && held[0].TemplateID == exchange && held[0].Counts() == directory.Surely; has != c.kept {
			t.Errorf("%s: %+v", name, held)
		}
	}
	d := directory.New()
	d.AddAssignment(directory.RoleAssignment{PrincipalID: "u1", RoleDefinitionID: "Helper of the moon"})
	if name, _ := d.NamelessRole(); name != "Helper of the moon" {
		t.Errorf("a role by a name that nothing has: %q", name)
	}
}

// A membership under PIM for groups brings what the group has, also through a
// group that is eligible itself.
func TestActivationBrings(t *testing.T) {
	t.Parallel()
	d := directory.New()
	d.At = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for _, id := range []string{"u1", "u2"} {
		d.AddUser(directory.User{ID: id, UserPrincipalName: id + "@x.example"})
	}
	for _, id := range []string{"g1", "g2"} {
		d.AddGroup(decode[directory.Group](t, `{"id":"`+id+`","displayName":"`+id+`","members":[]}`))
	}
	d.AddAssignment(decode[directory.RoleAssignment](t, `{"principalId":"g1","roleDefinitionId":"`+global+`","directoryScopeId":"/"}`))
	for _, raw := range []string{`{"principalId":"u1","groupId":"g1","accessId":"member"}`, `{"principalId":"g2","groupId":"g1","accessId":"member"}`,
		`{"principalId":"u2","groupId":"g2","accessId":"member"}`} {
		s := decode[directory.GroupSchedule](t, raw)
		s.Eligible = true
		d.AddGroupSchedule(s)
	}
	st := d.Resolve(true)
	for _, id := range []string{"u1", "u2"} {
		if held := st.Roles[id]; !slices.Contains(st.Activate[id], "g1") || len(held) != 1 || !held[0].Eligible || held[0].TemplateID != global {
			t.Errorf("%s: groups %q, roles %+v", id, st.Activate[id], held)
		}
	}
	s := decode[directory.GroupSchedule](t, `{"principalId":"who","groupId":"g2","accessId":"member"}`)
	s.Eligible = true
	d.AddGroupSchedule(s)
	if st = d.Resolve(false); st.OpenGroups["g1"] == "" || st.OpenRoles[global] == "" {
		t.Errorf("somebody unknown may activate the way to the role: %q, %q", st.OpenGroups, st.OpenRoles)
	}
}

// Members shown by transitiveMembers alone are members; a page of members with
// more behind it is not whole, however the link is spelled.
func TestMemberLists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw          string
		sure, unsure bool // u1 is a member, perhaps one
		open         bool
	}{
		"members":               {`"members":[{"id":"u1"}]`, true, false, false},
		"transitive beside":     {`"members":[],"transitiveMembers":[{"@odata.type":"#microsoft.graph.user","id":"u1"}]`, false, true, false},
		"transitive alone":      {`"transitiveMembers":[{"@odata.type":"#microsoft.graph.user","id":"u1"}]`, true, false, true},
		"page":                  {`"members":{"value":[{"id":"u1"}]}`, true, false, false},
		"page with more":        {`"members":{"value":[{"id":"u1"}],"@odata.nextLink":"x"}`, true, false, true},
		"page of the SDK":       {`"members":{"Value":[{"Id":"u1"}],"OdataNextLink":"x"}`, true, false, true},
		"page that counts more": {`"members":{"value":[{"id":"u1"}],"@odata.count":3}`, true, false, true},
		"page that counts all":  {`"members":{"value":[{"id":"u1"}],"@odata.count":1}`, true, false, false},
	} {
		d := directory.New()
		d.AddUser(directory.User{ID: "u1", UserPrincipalName: "ada@x.example"})
		d.AddGroup(decode[directory.Group](t, `{"id":"g1","displayName":"G",`+c.raw+`}`))
		st := d.Resolve(true)
		if len(st.Groups["u1"]) > 0 != c.sure || len(st.Perhaps["u1"]) > 0 != c.unsure || (st.OpenGroups["g1"] != "") != c.open {
			t.Errorf("%s: in %q, perhaps in %q, open %q", name, st.Groups["u1"], st.Perhaps["u1"], st.OpenGroups)
		}
	}
}

// A licence whose plans were not exported may carry any of them.
func TestLicences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw         string
		known, have bool
	}{
		"named":        {`{"capabilityStatus":"Enabled","servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`, true, true},
		"by id":        {`{"capabilityStatus":"Enabled","servicePlans":[{"servicePlanId":"EEC0EB4F-6444-4f95-aba0-50c24d67f998"}]}`, true, true},
		"other words":  {`{"capabilityStatus":"Aktiviert","servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`, true, true},
		"suspended":    {`{"capabilityStatus":"Suspended","servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`, true, false},
		"none":         {`{"capabilityStatus":"Enabled","servicePlans":null}`, false, false},
		"cut by depth": {`{"capabilityStatus":"Enabled","servicePlans":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphServicePlanInfo"]}`, false, false},
		"nameless":     {`{"capabilityStatus":"Enabled","servicePlans":[{"provisioningStatus":"Success"}]}`, false, false},
	} {
		s := decode[directory.SKU](t, c.raw)
		d := directory.New()
		d.SKUs["s"] = &s
		if (s.Lack() == "") != c.known || d.HasServicePlan("AAD_PREMIUM_P2") != c.have {
			t.Errorf("%s: lacks %q, has P2 %v", name, s.Lack(), d.HasServicePlan("AAD_PREMIUM_P2"))
		}
	}
}
