package graph

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func groupBody(name, more string) string {
	return `{"displayName":"` + name + `","mailNickname":"` + name + `",` + more + `}`
}

const secure = `"mailEnabled":false,"securityEnabled":true`

func TestMicrosoft365Groups(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	make := func(more string) *answer { return l.do("POST", "/v1.0/groups", tok, groupBody("Team", more)) }
	g := make(`"groupTypes":["Unified"],"mailEnabled":true,"securityEnabled":false,"visibility":"Private","classification":"low","members@odata.bind":["` + plain +
		`"],"owners@odata.bind":["https://graph.microsoft.com/v1.0/users/` + ada + `"],"resourceBehaviorOptions":["WelcomeEmailDisabled"]`).want(201).body
	id := str(g, "id")
	if g["mail"] != "Team@contoso.com" || g["mailEnabled"] != true || g["securityEnabled"] != false || g["visibility"] != "Private" ||
		!slices.Equal(strs(g, "groupTypes"), []string{"Unified"}) || g["classification"] != "low" ||
		!slices.Equal(strs(g, "proxyAddresses"), []string{"SMTP:Team@contoso.com"}) {
		t.Errorf("%v", g)
	}
	if n := len(l.get("/v1.0/groups?$filter=groupTypes/any(c:c+eq+'Unified')", tok).rows()); n != 1 {
		t.Errorf("%d unified groups", n)
	}
	for name, more := range map[string]string{
		"the nickname is taken":       `"groupTypes":["Unified"],"mailEnabled":true,"securityEnabled":false`,
		"a distribution list":         `"mailEnabled":true,"securityEnabled":false`,
		"mail-enabled security":       `"mailEnabled":true,"securityEnabled":true`,
		"neither":                     `"mailEnabled":false,"securityEnabled":false`,
		"unified without mail":        `"groupTypes":["Unified"],"mailEnabled":false,"securityEnabled":false`,
		"an unknown type":             `"groupTypes":["Dynamic"],` + secure,
		"a rule of an assigned group": `"membershipRule":"user.city -eq \"x\"",` + secure,
		"hidden members":              `"visibility":"HiddenMembership",` + secure,
		"an unknown member":           `"frobnicate":1,` + secure,
		"a group as owner":            `"owners@odata.bind":["` + agents + `"],` + secure,
	} {
		if a := make(more); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	path := "/v1.0/groups/" + id
	l.do("POST", path+"/members/$ref", tok, `{"@odata.id":"`+agents+`"}`).refused(400, "Request_BadRequest")
	// One member by itself, as object and as reference.
	if m := l.get(path+"/members/"+plain+"/$ref?$select=id,url", tok).want(200).body; m["id"] != plain || str(m, "@odata.id") == "" {
		t.Errorf("%v", m)
	}
	l.get(path+"/members/"+rhea+"/$ref", tok).refused(404, "Request_ResourceNotFound")
	l.get(path+"/owners/"+ada, tok).want(200)
	if a := l.do("DELETE", path+"/owners/"+ada+"/$ref", tok, "").refused(400, "Request_BadRequest"); !strings.Contains(string(a.raw), "at least one owner") {
		t.Errorf("%s", a.raw)
	}
	l.do("PATCH", path, tok, `{"members@odata.bind":["https://graph.microsoft.com/v1.0/directoryObjects/`+rhea+`"],"visibility":"Public","theme":"Teal"}`).want(204)
	if a := l.do("PATCH", path, tok, `{"members@odata.bind":["`+rhea+`"]}`).refused(400, "Request_BadRequest"); !strings.Contains(string(a.raw),
		"One or more added object references already exist") {
		t.Errorf("%s", a.raw)
	}
	l.do("PATCH", path, tok, `{"owners@odata.bind":["`+rhea+`"]}`).want(204)
	l.do("PATCH", path, tok, `{"owners@odata.bind":["`+rhea+`"]}`).refused(400, "Request_BadRequest")
	if ids := l.get(path+"/owners", tok).ids(); !slices.Equal(ids, []string{ada, rhea}) {
		t.Errorf("%v", ids)
	}
	var many []string
	for range 21 {
		many = append(many, `"`+ursa+`"`)
	}
	l.do("PATCH", path, tok, `{"members@odata.bind":[`+strings.Join(many, ",")+`]}`).refused(400, "Request_BadRequest")
	g = l.get(path+"?$select=visibility,theme,allowExternalSenders,resourceBehaviorOptions", tok).want(200).body
	if g["visibility"] != "Public" || g["theme"] != "Teal" || g["allowExternalSenders"] != false || len(strs(g, "resourceBehaviorOptions")) != 1 {
		t.Errorf("%v", g)
	}
	l.do("PATCH", path, tok, `{"groupTypes":[]}`).refused(400, "Request_BadRequest")
	l.do("POST", path+"/renew/", tok, "").want(204)
	// It can be restored; a security group is gone.
	l.do("DELETE", path, tok, "").want(204)
	ids := l.get("/v1.0/directory/deletedItems/Microsoft.Graph.Group?$filter=groupTypes/any(c:c+eq+'Unified')", tok).ids()
	if !slices.Equal(ids, []string{id}) {
		t.Errorf("%v", ids)
	}
	l.do("POST", "/v1.0/directory/deletedItems/"+id+"/restore", tok, "").want(200)
	if ids := l.get(path+"/members", tok).ids(); len(ids) != 2 {
		t.Errorf("%v", ids)
	}
	sec := str(l.do("POST", "/v1.0/groups", tok, groupBody("S", secure)).want(201).body, "id")
	l.do("DELETE", "/v1.0/groups/"+sec, tok, "").want(204)
	l.get("/v1.0/directory/deletedItems/"+sec, tok).want(404)
	l.do("POST", "/v1.0/groups", tok, groupBody("U", `"uniqueName":"u-1",`+secure)).want(201)
	if g := l.get("/v1.0/groups(uniqueName='u-1')", tok).want(200).body; g["displayName"] != "U" {
		t.Errorf("%v", g)
	}
}

func TestDynamicGroups(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	rule := `"membershipRule":"(user.department -eq \"Sales\") -and (user.accountEnabled -eq true)","membershipRuleProcessingState":"On"`
	g := l.do("POST", "/v1.0/groups", tok, groupBody("Dyn", `"groupTypes":["DynamicMembership"],`+rule+`,`+secure)).want(201).body
	path := "/v1.0/groups/" + str(g, "id")
	if g["membershipRuleProcessingState"] != "On" || !slices.Equal(strs(g, "groupTypes"), []string{"DynamicMembership"}) {
		t.Errorf("%v", g)
	}
	members := func(want ...string) {
		t.Helper()
		if ids := l.get(path+"/members", tok).ids(); !slices.Equal(ids, want) {
			t.Errorf("%v, want %v", ids, want)
		}
	}
	members()
	l.do("PATCH", "/v1.0/users/"+plain, tok, `{"department":"sales"}`).want(204)
	members(plain)
	l.do("PATCH", "/v1.0/users/"+rhea, tok, `{"department":"Sales","accountEnabled":false}`).want(204)
	members(plain)
	l.do("POST", path+"/members/$ref", tok, `{"@odata.id":"`+ada+`"}`).refused(400, "Request_BadRequest")
	l.do("DELETE", path+"/members/"+plain+"/$ref", tok, "").refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"members@odata.bind":["`+ada+`"]}`).refused(400, "Request_BadRequest")
	l.do("POST", path+"/owners/$ref", tok, `{"@odata.id":"`+ada+`"}`).want(204)
	for _, bad := range []string{`user.nonsense -eq 1`, `device.displayName -eq \"x\"`, `user.department`, ``} {
		l.do("PATCH", path, tok, `{"membershipRule":"`+bad+`"}`).refused(400, "Request_BadRequest")
	}
	members(plain)
	l.do("PATCH", path, tok, `{"membershipRuleProcessingState":"Paused"}`).want(204)
	l.do("PATCH", "/v1.0/users/"+plain, tok, `{"department":"IT"}`).want(204)
	members(plain)
	l.do("PATCH", path, tok, `{"membershipRuleProcessingState":"On","membershipRule":"user.department -in [\"IT\",\"HR\"]"}`).want(204)
	members(plain)
	l.do("PATCH", path, tok, `{"groupTypes":[]}`).want(204)
	l.do("POST", path+"/members/$ref", tok, `{"@odata.id":"`+ada+`"}`).want(204)
	members(plain, ada)
	// Without a licence there is no rule.
	free := l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())
	l.do("POST", "/v1.0/groups", free, groupBody("Dyn", `"groupTypes":["DynamicMembership"],`+rule+`,`+secure)).want(403)
}

func TestDirectoryRolesAreActivatedAndGiven(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	const guestInviter = entra.RoleGuestInviter
	if n := len(l.get("/v1.0/directoryRoleTemplates", tok).rows()); n != len(world.Roles()) {
		t.Errorf("%d templates", n)
	}
	l.get("/v1.0/directoryRoleTemplates/"+guestInviter, tok).want(200)
	l.get("/v1.0/directoryRoles/roleTemplateId="+guestInviter, tok).refused(404, "Request_ResourceNotFound")
	r := l.do("POST", "/v1.0/directoryRoles", tok, `{"roleTemplateId":"`+guestInviter+`"}`).want(201).body
	a := l.do("POST", "/v1.0/directoryRoles", tok, `{"roleTemplateId":"`+guestInviter+`"}`).refused(400, "Request_BadRequest")
	if !strings.Contains(string(a.raw), "A conflicting object with one or more") {
		t.Errorf("%s", a.raw)
	}
	l.do("POST", "/v1.0/directoryRoles", tok, `{"roleTemplateId":"`+ada+`"}`).refused(400, "Request_BadRequest")
	for _, path := range []string{"/v1.0/directoryRoles/" + str(r, "id"), "/v1.0/directoryRoles(roleTemplateId='" + guestInviter + "')"} {
		ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + plain + `"}`
		l.do("POST", path+"/members/$ref", tok, ref).want(204)
		l.do("POST", path+"/members/$ref", tok, ref).refused(400, "Request_BadRequest")
		l.do("POST", "/v1.0/invitations", l.token(partnerID, plain, everything()),
			`{"invitedUserEmailAddress":"x@example.org","inviteRedirectUrl":"https://example.org"}`).want(201)
		if m := l.get(path+"/members/"+plain+"/$ref?$select=id,url", tok).want(200).body; m["id"] != plain {
			t.Errorf("%v", m)
		}
		l.do("DELETE", path+"/members/"+plain+"/$ref", tok, "").want(204)
		l.do("DELETE", path+"/members/"+plain+"/$ref", tok, "").refused(404, "Request_ResourceNotFound")
		l.get(path, tok).want(200) // it stays active
	}
	l.do("POST", "/v1.0/directoryRoles/"+str(r, "id")+"/members/$ref", l.token(partnerID, ursa, everything()), `{"@odata.id":"`+ursa+`"}`).want(403)
	if a := l.do("DELETE", "/v1.0/directoryRoles/roleTemplateId="+entra.RoleGlobalAdministrator+"/members/"+ada+"/$ref", tok, ""); a.code != 400 {
		t.Errorf("the last Global Administrator: %d", a.code)
	}
}

func TestCustomRoles(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	defs := "/v1.0/roleManagement/directory/roleDefinitions"
	body := `{"displayName":"Pontificator","description":"d","isEnabled":true,"version":"1.5","resourceScopes":["/"],` +
		`"rolePermissions":[{"allowedResourceActions":["microsoft.directory/groups/allProperties/read"]}]}`
	r := l.do("POST", defs, tok, body).want(201).body
	id := str(r, "id")
	if r["isBuiltIn"] != false || r["version"] != "1.5" || len(strs(objs(r, "rolePermissions")[0], "allowedResourceActions")) != 1 {
		t.Errorf("%v", r)
	}
	delete(r, "@odata.context")
	r["description"] = "for the tests"
	l.do("PATCH", defs+"/"+id, tok, jsonText(r)).want(204)
	if r := l.get(defs+"/"+id, tok).want(200).body; r["description"] != "for the tests" || r["displayName"] != "Pontificator" {
		t.Errorf("%v", r)
	}
	if n := len(l.get(defs+"?$filter=isBuiltIn eq false", tok).rows()); n != 1 {
		t.Errorf("%d custom roles", n)
	}
	a := l.do("POST", "/v1.0/roleManagement/directory/roleAssignments", tok, `{"principalId":"`+plain+`","roleDefinitionId":"`+id+
		`","directoryScopeId":"/"}`).want(201).body
	x := l.get("/v1.0/roleManagement/directory/roleAssignments/"+str(a, "id")+"?$expand=roleDefinition", tok).want(200).body
	if inner(x, "roleDefinition")["displayName"] != "Pontificator" {
		t.Errorf("%v", x)
	}
	l.do("DELETE", defs+"/"+id, tok, "").refused(400, "Request_BadRequest")
	for _, r := range l.get("/v1.0/directoryRoles", tok).rows() {
		if r["roleTemplateId"] == id {
			t.Error("a custom role is a directory role")
		}
	}
	l.do("DELETE", "/v1.0/roleManagement/directory/roleAssignments/"+str(a, "id"), tok, "").want(204)
	l.do("DELETE", defs+"/"+id, tok, "").want(204)
	l.get(defs+"/"+id, tok).want(404)
	l.do("PATCH", defs+"/"+entra.RoleGlobalReader, tok, `{"displayName":"x"}`).refused(400, "Request_BadRequest")
	l.do("DELETE", defs+"/"+entra.RoleGlobalReader, tok, "").refused(400, "Request_BadRequest")
	for _, bad := range []string{`{}`, strings.Replace(body, "microsoft.directory/groups/allProperties/read", "anything", 1),
		strings.Replace(body, `["/"]`, `["/x"]`, 1), strings.Replace(body, "version", "vrsion", 1)} {
		l.do("POST", defs, tok, bad).refused(400, "Request_BadRequest")
	}
	l.do("POST", defs, l.token(partnerID, ursa, everything()), body).want(403)
	l.do("POST", defs, l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything()), body).want(403)
}

func TestAdministrativeUnits(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	u := l.do("POST", "/v1.0/directory/administrativeUnits", tok, `{"displayName":"North","description":"d","visibility":"HiddenMembership"}`).want(201).body
	id := str(u, "id")
	if u["description"] != "d" || u["visibility"] != "HiddenMembership" {
		t.Errorf("%v", u)
	}
	path := "/v1.0/directory/administrativeUnits/" + id
	l.do("PATCH", path, tok, `{"id":"`+id+`","displayName":"South","description":null}`).want(204)
	l.do("PATCH", path, tok, `{"id":"`+ada+`"}`).refused(400, "Request_BadRequest")
	if u := l.get("/beta/administrativeUnits/"+id, tok).want(200).body; u["displayName"] != "South" || u["description"] != nil {
		t.Errorf("%v", u)
	}
	l.get("/v1.0/administrativeUnits", tok).want(400)
	if n := len(l.get("/v1.0/directory/administrativeUnits?$filter=displayName eq 'south'", tok).rows()); n != 1 {
		t.Errorf("%d units", n)
	}
	ref := func(id string) string { return `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + id + `"}` }
	l.do("POST", path+"/members/$ref", tok, ref(plain)).want(204)
	l.do("POST", path+"/members/$ref", tok, ref(plain)).refused(400, "Request_BadRequest")
	l.do("POST", path+"/members/$ref", tok, ref(nested)).want(204)
	if ids := l.get(path+"/members/microsoft.graph.user?$select=id", tok).ids(); !slices.Equal(ids, []string{plain}) {
		t.Errorf("%v", ids)
	}
	l.get(path+"/members/"+plain, tok).want(200)
	l.get(path+"/members/"+rhea+"/$ref", tok).refused(404, "Request_ResourceNotFound")
	if ids := l.get("/v1.0/users/"+plain+"/memberOf/microsoft.graph.administrativeUnit", tok).ids(); !slices.Equal(ids, []string{id}) {
		t.Errorf("%v", ids)
	}
	// A role over the unit reaches its members alone.
	who := l.token(partnerID, rhea, everything())
	change := func(user string, want int) {
		t.Helper()
		l.do("PATCH", "/v1.0/users/"+user, who, `{"jobTitle":"x`+user[30:]+`"}`).want(want)
	}
	change(plain, 403)
	var role string
	for _, r := range l.get("/v1.0/directoryRoles", tok).rows() {
		if r["roleTemplateId"] == entra.RoleUserAdministrator {
			role = str(r, "id")
		}
	}
	m := l.do("POST", path+"/scopedRoleMembers", tok, `{"roleId":"`+role+`","roleMemberInfo":{"id":"`+rhea+`"}}`).want(201).body
	if m["administrativeUnitId"] != id || inner(m, "roleMemberInfo")["displayName"] != "Rhea Reader" {
		t.Errorf("%v", m)
	}
	l.do("POST", path+"/scopedRoleMembers", tok, `{"roleId":"`+role+`","roleMemberInfo":{"id":"`+rhea+`"}}`).refused(400, "Request_BadRequest")
	change(plain, 204)
	change(guest, 403)
	if n := len(l.get(path+"/scopedRoleMembers", tok).rows()); n != 1 {
		t.Errorf("%d scoped members", n)
	}
	if n := len(l.get("/v1.0/directoryRoles/"+role+"/scopedMembers", tok).rows()); n != 1 {
		t.Errorf("%d scoped members of the role", n)
	}
	if n := len(l.get("/v1.0/roleManagement/directory/roleAssignments?$filter=directoryScopeId eq '/administrativeUnits/"+id+"'", tok).rows()); n != 1 {
		t.Errorf("%d scoped assignments", n)
	}
	l.get(path+"/scopedRoleMembers/"+str(m, "id"), tok).want(200)
	l.do("DELETE", path+"/scopedRoleMembers/"+str(m, "id"), tok, "").want(204)
	change(plain, 403)
	// The same as a role assignment; a role that is not for units is refused.
	as := func(role string) string {
		return `{"principalId":"` + rhea + `","roleDefinitionId":"` + role + `","directoryScopeId":"/administrativeUnits/` + id + `"}`
	}
	l.do("POST", "/v1.0/roleManagement/directory/roleAssignments", tok, as(entra.RoleGlobalAdministrator)).refused(400, "Request_BadRequest")
	a := l.do("POST", "/v1.0/roleManagement/directory/roleAssignments", tok, as(entra.RoleUserAdministrator)).want(201).body
	change(plain, 204)
	l.do("DELETE", "/v1.0/roleManagement/directory/roleAssignments/"+str(a, "id"), tok, "").want(204)
	change(plain, 403)
	l.do("DELETE", path+"/members/"+plain+"/$ref", tok, "").want(204)
	l.do("DELETE", path, tok, "").want(204)
	l.get(path, tok).want(404)
	for _, bad := range []string{`{}`, `{"displayName":"x","visibility":"Secret"}`, `{"displayName":"x","isMemberManagementRestricted":true}`,
		`{"displayName":"x","membershipType":"Dynamic"}`, `{"displayName":"x","colour":1}`} {
		l.do("POST", "/v1.0/directory/administrativeUnits", tok, bad).refused(400, "Request_BadRequest")
	}
}

func TestObjectsByID(t *testing.T) {
	l := newLab(t)
	a := l.do("POST", "/v1.0/directoryObjects/getByIds?$select=id", l.admin(), `{"ids":["`+ada+`","`+agents+`","`+toolObj+`","`+polID+`"]}`)
	if !slices.Equal(a.ids(), []string{ada, agents, toolObj}) || len(a.rows()[0]) != 2 {
		t.Errorf("%s", a.raw)
	}
	for _, typ := range []string{"user", "#microsoft.graph.user", "microsoft.graph.User"} {
		ids := l.do("POST", "/v1.0/directoryObjects/getByIds", l.admin(), `{"ids":["`+ada+`","`+agents+`"],"types":["`+typ+`"]}`).ids()
		if !slices.Equal(ids, []string{ada}) {
			t.Errorf("%s: %v", typ, ids)
		}
	}
}
