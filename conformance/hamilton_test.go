package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/manicminer/hamilton/auth"
	"github.com/manicminer/hamilton/environments"
	"github.com/manicminer/hamilton/msgraph"
	"github.com/manicminer/hamilton/odata"
)

// Hamilton is the Graph client of Terraform's azuread provider, unmodified. Its
// tests against a real tenant do what is done here: make, read, list, change, take
// away, restore.
const hamilton = "hamilton 0.44 (Go)"

type hamiltonRig struct {
	*testing.T
	ctx  context.Context
	auth auth.Authorizer
}

func newHamilton(t *testing.T, what string) *hamiltonRig {
	t.Helper()
	shows(t, hamilton, what)
	w, env := writer(t), environments.Global
	env.AzureADEndpoint = environments.AzureADEndpoint(cloud.Login)
	env.MsGraph.Endpoint = environments.ApiEndpoint(cloud.Graph)
	ctx := context.Background()
	c := &auth.Config{Environment: env, TenantID: cloud.Tenant.ID, ClientID: w.id, ClientSecret: w.secret, EnableClientSecretAuth: true}
	a, err := c.NewAuthorizer(ctx, environments.MsGraphGlobal)
	if err != nil {
		t.Fatal(err)
	}
	return &hamiltonRig{t, ctx, a}
}

// use prepares a client.
func (h *hamiltonRig) use(c *msgraph.Client) {
	c.Authorizer, c.Endpoint = h.auth, environments.ApiEndpoint(cloud.Graph)
	c.DisableRetries = true
}

// ok ends the test when a call was not taken.
func (h *hamiltonRig) ok(what string, status int, err error) {
	h.Helper()
	if err != nil || status < 200 || status > 299 {
		h.Fatalf("%s: %d %v", what, status, err)
	}
}

// gone asks that something is not found any more.
func (h *hamiltonRig) gone(what string, status int, err error) {
	h.Helper()
	if err == nil || status != 404 {
		h.Fatalf("%s is still there: %d %v", what, status, err)
	}
}

func mark(h *hamiltonRig, name string) string { return fmt.Sprintf("hamilton-%s-%s", name, cloud.way) }

func (h *hamiltonRig) user(name string) (*msgraph.UsersClient, *msgraph.User) {
	h.Helper()
	users := msgraph.NewUsersClient(cloud.Tenant.ID)
	h.use(&users.BaseClient)
	u, status, err := users.Create(h.ctx, msgraph.User{
		AccountEnabled: ptr(true), DisplayName: ptr(name), MailNickname: ptr(mark(h, name)), UserPrincipalName: ptr(mark(h, name) + "@" + cloud.Tenant.Domain),
		PasswordProfile: &msgraph.UserPasswordProfile{Password: ptr("IrPa55w0rd!" + name)},
		City:            msgraph.NullableString("Delft"), EmployeeId: msgraph.NullableString("0042"), StreetAddress: msgraph.NullableString("Oude Delft 1"),
		OtherMails: &[]string{name + "@elsewhere.example"}, BusinessPhones: &[]string{"+31 15 000 0000"}, FaxNumber: msgraph.NullableString("+31 15 000 0001"),
	})
	h.ok("create the user "+name, status, err)
	return users, u
}

func (h *hamiltonRig) group(name string, g msgraph.Group) (*msgraph.GroupsClient, *msgraph.Group) {
	h.Helper()
	groups := msgraph.NewGroupsClient(cloud.Tenant.ID)
	h.use(&groups.BaseClient)
	g.DisplayName, g.MailNickname = ptr(mark(h, name)), ptr(mark(h, name))
	if g.MailEnabled == nil {
		g.MailEnabled, g.SecurityEnabled = ptr(false), ptr(true)
	}
	made, status, err := groups.Create(h.ctx, g)
	h.ok("create the group "+name, status, err)
	return groups, made
}

func TestHamiltonUsers(t *testing.T) {
	h := newHamilton(t, "users: created, read with their addresses, changed, given a manager, deleted, restored, purged")
	users, anna := h.user("anna")
	_, boss := h.user("boss")
	got, status, err := users.Get(h.ctx, *anna.ID, odata.Query{Select: []string{"id", "city", "employeeId", "otherMails", "streetAddress"}})
	h.ok("get", status, err)
	if got.City == nil || *got.City != "Delft" || got.OtherMails == nil || len(*got.OtherMails) != 1 {
		t.Errorf("what was written is not read: %+v", got)
	}
	_, status, err = users.List(h.ctx, odata.Query{Filter: fmt.Sprintf("startswith(userPrincipalName,'%s')", mark(h, "anna"))})
	h.ok("list", status, err)
	anna.DisplayName, anna.State = ptr("Anna the second"), msgraph.NullableString("ZH")
	status, err = users.Update(h.ctx, *anna)
	h.ok("update with what was read", status, err)
	status, err = users.AssignManager(h.ctx, *anna.ID, msgraph.User{DirectoryObject: msgraph.DirectoryObject{
		ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *boss.ID)), ID: boss.ID}})
	h.ok("assign the manager", status, err)
	m, status, err := users.GetManager(h.ctx, *anna.ID)
	h.ok("get the manager", status, err)
	if m.ID == nil || *m.ID != *boss.ID {
		t.Errorf("another manager: %+v", m)
	}
	status, err = users.DeleteManager(h.ctx, *anna.ID)
	h.ok("delete the manager", status, err)
	_, status, err = users.ListGroupMemberships(h.ctx, *anna.ID, odata.Query{})
	h.ok("memberships", status, err)
	status, err = users.Delete(h.ctx, *anna.ID)
	h.ok("delete", status, err)
	_, status, err = users.Get(h.ctx, *anna.ID, odata.Query{})
	h.gone("the user", status, err)
	_, status, err = users.GetDeleted(h.ctx, *anna.ID, odata.Query{})
	h.ok("get deleted", status, err)
	list, status, err := users.ListDeleted(h.ctx, odata.Query{})
	h.ok("list deleted", status, err)
	if list == nil || len(*list) == 0 {
		t.Error("nothing deleted is listed")
	}
	_, status, err = users.RestoreDeleted(h.ctx, *anna.ID)
	h.ok("restore", status, err)
	for _, u := range []*msgraph.User{anna, boss} {
		status, err = users.Delete(h.ctx, *u.ID)
		h.ok("delete again", status, err)
		status, err = users.DeletePermanently(h.ctx, *u.ID)
		h.ok("purge", status, err)
		_, status, err = users.GetDeleted(h.ctx, *u.ID, odata.Query{})
		h.gone("the purged user", status, err)
	}
}

func TestHamiltonGroups(t *testing.T) {
	h := newHamilton(t, "groups and members: security, Microsoft 365 and dynamic; members and owners added, read singly, removed; restored")
	users, member := h.user("member")
	_, owner := h.user("owner")
	ref := func(u *msgraph.User) msgraph.DirectoryObject {
		return msgraph.DirectoryObject{ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *u.ID)), ID: u.ID}
	}
	groups, g := h.group("security", msgraph.Group{})
	g.Members, g.Owners = &msgraph.Members{ref(member)}, &msgraph.Owners{ref(owner), ref(member)}
	status, err := groups.AddMembers(h.ctx, g)
	h.ok("add members", status, err)
	if _, err = groups.AddMembers(h.ctx, g); err != nil { // it takes the refusal for done
		t.Fatal(err)
	}
	status, err = groups.AddOwners(h.ctx, g)
	h.ok("add owners", status, err)
	ids, status, err := groups.ListMembers(h.ctx, *g.ID)
	h.ok("list members", status, err)
	if ids == nil || len(*ids) != 1 || (*ids)[0] != *member.ID {
		t.Errorf("members: %v", ids)
	}
	one, status, err := groups.GetMember(h.ctx, *g.ID, *member.ID)
	h.ok("get a member", status, err)
	if one == nil || *one != *member.ID {
		t.Errorf("member: %v", one)
	}
	_, status, err = groups.GetMember(h.ctx, *g.ID, *owner.ID)
	h.gone("a member that is none", status, err)
	_, status, err = groups.GetOwner(h.ctx, *g.ID, *owner.ID)
	h.ok("get an owner", status, err)
	status, err = groups.RemoveMembers(h.ctx, *g.ID, &[]string{*member.ID})
	h.ok("remove the member", status, err)
	status, err = groups.RemoveOwners(h.ctx, *g.ID, &[]string{*owner.ID})
	h.ok("remove an owner", status, err)
	g.Members, g.Owners = nil, nil
	g.Description = msgraph.NullableString("changed")
	status, err = groups.Update(h.ctx, *g)
	h.ok("update with what was read", status, err)

	_, unified := h.group("unified", msgraph.Group{GroupTypes: []msgraph.GroupType{msgraph.GroupTypeUnified}, MailEnabled: ptr(true), SecurityEnabled: ptr(false)})
	status, err = groups.Delete(h.ctx, *unified.ID)
	h.ok("delete the Microsoft 365 group", status, err)
	_, status, err = groups.GetDeleted(h.ctx, *unified.ID, odata.Query{})
	h.ok("get it deleted", status, err)
	_, status, err = groups.RestoreDeleted(h.ctx, *unified.ID)
	h.ok("restore it", status, err)

	_, dynamic := h.group("dynamic", msgraph.Group{
		GroupTypes:     []msgraph.GroupType{msgraph.GroupTypeDynamicMembership},
		MembershipRule: msgraph.NullableString(`user.city -eq "Delft" and user.employeeId -startsWith "00"`), MembershipRuleProcessingState: ptr(msgraph.GroupMembershipRuleProcessingStateOn),
	})
	ids, status, err = groups.ListMembers(h.ctx, *dynamic.ID)
	h.ok("members by rule", status, err)
	if ids == nil || !strings.Contains(strings.Join(*ids, " "), *member.ID) {
		t.Errorf("the rule does not find %s: %v", *member.ID, ids)
	}
	for _, x := range []*msgraph.Group{g, unified, dynamic} {
		status, err = groups.Delete(h.ctx, *x.ID)
		h.ok("delete", status, err)
	}
	for _, u := range []*msgraph.User{member, owner} {
		status, err = users.Delete(h.ctx, *u.ID)
		h.ok("delete the user", status, err)
	}
}

func TestHamiltonApplications(t *testing.T) {
	h := newHamilton(t, "applications: optional claims, group claims, roles, scopes, web; passwords, owners, federated credentials; deleted, restored")
	users, owner := h.user("app-owner")
	apps := msgraph.NewApplicationsClient(cloud.Tenant.ID)
	h.use(&apps.BaseClient)
	a, status, err := apps.Create(h.ctx, msgraph.Application{
		DisplayName:           ptr(mark(h, "app")),
		OptionalClaims:        &msgraph.OptionalClaims{IdToken: &[]msgraph.OptionalClaim{{Name: ptr("email")}}},
		GroupMembershipClaims: &[]msgraph.GroupMembershipClaim{msgraph.GroupMembershipClaimSecurityGroup},
		Web: &msgraph.ApplicationWeb{HomePageUrl: msgraph.NullableString("https://app.example"), LogoutUrl: msgraph.NullableString("https://app.example/logout"),
			RedirectUris:          &[]string{"https://app.example/signin"},
			ImplicitGrantSettings: &msgraph.ImplicitGrantSettings{EnableIdTokenIssuance: ptr(true)}},
		AppRoles: &[]msgraph.AppRole{{ID: ptr("5a6c1f6e-0000-4000-8000-000000000001"), DisplayName: ptr("Readers"), Description: ptr("Readers"),
			Value: ptr("readers"), IsEnabled: ptr(true), AllowedMemberTypes: &[]msgraph.AppRoleAllowedMemberType{msgraph.AppRoleAllowedMemberTypeUser}}},
		Tags: &[]string{"conformance"}, SignInAudience: ptr(msgraph.SignInAudienceAzureADMyOrg),
	})
	h.ok("create", status, err)
	got, status, err := apps.Get(h.ctx, *a.ID, odata.Query{})
	h.ok("get", status, err)
	if got.OptionalClaims == nil || got.OptionalClaims.IdToken == nil || got.Web == nil || got.Web.LogoutUrl == nil || got.Tags == nil || len(*got.Tags) != 1 {
		t.Errorf("what was written is not read: %+v", got)
	}
	got.DisplayName = ptr(mark(h, "app-2"))
	status, err = apps.Update(h.ctx, *got)
	h.ok("update with what was read", status, err)
	pwd, status, err := apps.AddPassword(h.ctx, *a.ID, msgraph.PasswordCredential{DisplayName: ptr("test")})
	h.ok("add a password", status, err)
	status, err = apps.RemovePassword(h.ctx, *a.ID, *pwd.KeyId)
	h.ok("remove it", status, err)
	a.Owners = &msgraph.Owners{{ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *owner.ID)), ID: owner.ID}}
	status, err = apps.AddOwners(h.ctx, a)
	h.ok("add an owner", status, err)
	_, status, err = apps.GetOwner(h.ctx, *a.ID, *owner.ID)
	h.ok("get the owner", status, err)
	ids, status, err := apps.ListOwners(h.ctx, *a.ID)
	h.ok("list the owners", status, err)
	if _, err = apps.RemoveOwners(h.ctx, *a.ID, ids); err != nil { // gives no status
		t.Fatal(err)
	}
	cred, status, err := apps.CreateFederatedIdentityCredential(h.ctx, *a.ID, msgraph.FederatedIdentityCredential{
		Audiences: &[]string{"api://AzureADTokenExchange"}, Issuer: ptr("https://issuer.example"), Name: ptr("test"), Subject: ptr("repo:x")})
	h.ok("federated credential", status, err)
	status, err = apps.DeleteFederatedIdentityCredential(h.ctx, *a.ID, *cred.ID)
	h.ok("delete the federated credential", status, err)
	_, status, err = apps.List(h.ctx, odata.Query{Filter: fmt.Sprintf("displayName eq '%s'", mark(h, "app-2"))})
	h.ok("list", status, err)
	status, err = apps.Delete(h.ctx, *a.ID)
	h.ok("delete", status, err)
	_, status, err = apps.GetDeleted(h.ctx, *a.ID, odata.Query{})
	h.ok("get deleted", status, err)
	_, status, err = apps.RestoreDeleted(h.ctx, *a.ID)
	h.ok("restore", status, err)
	status, err = apps.Delete(h.ctx, *a.ID)
	h.ok("delete again", status, err)
	status, err = apps.DeletePermanently(h.ctx, *a.ID)
	h.ok("purge", status, err)
	status, err = users.Delete(h.ctx, *owner.ID)
	h.ok("delete the user", status, err)
}

func TestHamiltonServicePrincipals(t *testing.T) {
	h := newHamilton(t, "service principals: made, changed, passwords, owners, owned objects, app role assignments, memberships")
	apps, sps := msgraph.NewApplicationsClient(cloud.Tenant.ID), msgraph.NewServicePrincipalsClient(cloud.Tenant.ID)
	h.use(&apps.BaseClient)
	h.use(&sps.BaseClient)
	users, owner := h.user("sp-owner")
	a, status, err := apps.Create(h.ctx, msgraph.Application{DisplayName: ptr(mark(h, "sp"))})
	h.ok("create the app", status, err)
	sp, status, err := sps.Create(h.ctx, msgraph.ServicePrincipal{AccountEnabled: ptr(true), AppId: a.AppId, DisplayName: a.DisplayName})
	h.ok("create", status, err)
	got, status, err := sps.Get(h.ctx, *sp.ID, odata.Query{})
	h.ok("get", status, err)
	got.Tags = &[]string{"conformance", "WindowsAzureActiveDirectoryIntegratedApp"}
	got.AppRoleAssignmentRequired = ptr(true)
	status, err = sps.Update(h.ctx, msgraph.ServicePrincipal{DirectoryObject: got.DirectoryObject, Tags: got.Tags, AppRoleAssignmentRequired: ptr(true)})
	h.ok("update", status, err)
	pwd, status, err := sps.AddPassword(h.ctx, *sp.ID, msgraph.PasswordCredential{})
	h.ok("add a password", status, err)
	status, err = sps.RemovePassword(h.ctx, *sp.ID, *pwd.KeyId)
	h.ok("remove it", status, err)
	sp.Owners = &msgraph.Owners{{ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *owner.ID)), ID: owner.ID}}
	status, err = sps.AddOwners(h.ctx, sp)
	h.ok("add an owner", status, err)
	ids, status, err := sps.ListOwners(h.ctx, *sp.ID)
	h.ok("list the owners", status, err)
	if _, err = sps.RemoveOwners(h.ctx, *sp.ID, ids); err != nil {
		t.Fatal(err)
	}
	_, status, err = sps.ListOwnedObjects(h.ctx, *sp.ID)
	h.ok("owned objects", status, err)
	_, status, err = sps.ListGroupMemberships(h.ctx, *sp.ID, odata.Query{})
	h.ok("memberships", status, err)
	var graph struct {
		ID       string
		AppRoles []struct{ ID, Value string }
	}
	asAdmin(t, "GET", "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles", nil, &graph)
	made, status, err := sps.AssignAppRoleForResource(h.ctx, *sp.ID, graph.ID, graph.AppRoles[0].ID)
	h.ok("assign an app role", status, err)
	_, status, err = sps.ListAppRoleAssignments(h.ctx, graph.ID, odata.Query{})
	h.ok("list app role assignments", status, err)
	status, err = sps.RemoveAppRoleAssignment(h.ctx, graph.ID, *made.Id)
	h.ok("remove it", status, err)
	status, err = sps.Delete(h.ctx, *sp.ID)
	h.ok("delete", status, err)
	status, err = apps.Delete(h.ctx, *a.ID)
	h.ok("delete the app", status, err)
	status, err = users.Delete(h.ctx, *owner.ID)
	h.ok("delete the user", status, err)
}

func TestHamiltonPolicies(t *testing.T) {
	h := newHamilton(t, "Conditional Access policies and named locations: made, changed, deleted")
	places, policies := msgraph.NewNamedLocationsClient(cloud.Tenant.ID), msgraph.NewConditionalAccessPoliciesClient(cloud.Tenant.ID)
	h.use(&places.BaseClient)
	h.use(&policies.BaseClient)
	users, who := h.user("break-glass")
	ip, status, err := places.CreateIP(h.ctx, msgraph.IPNamedLocation{BaseNamedLocation: &msgraph.BaseNamedLocation{DisplayName: ptr(mark(h, "ip"))},
		IPRanges: &[]msgraph.IPNamedLocationIPRange{{CIDRAddress: ptr("198.51.100.0/24")}}, IsTrusted: ptr(true)})
	h.ok("create the IP location", status, err)
	pace()
	land, status, err := places.CreateCountry(h.ctx, msgraph.CountryNamedLocation{BaseNamedLocation: &msgraph.BaseNamedLocation{DisplayName: ptr(mark(h, "land"))},
		CountriesAndRegions: &[]string{"NL", "BE"}, IncludeUnknownCountriesAndRegions: ptr(false)})
	h.ok("create the country location", status, err)
	pace()
	ip.IsTrusted = ptr(false)
	status, err = places.UpdateIP(h.ctx, *ip)
	h.ok("update with what was read", status, err)
	_, status, err = places.GetCountry(h.ctx, *land.ID, odata.Query{})
	h.ok("get", status, err)
	_, status, err = places.List(h.ctx, odata.Query{})
	h.ok("list", status, err)
	pace()
	p, status, err := policies.Create(h.ctx, msgraph.ConditionalAccessPolicy{
		DisplayName: ptr(mark(h, "policy")), State: ptr(msgraph.ConditionalAccessPolicyStateEnabledForReportingButNotEnforced),
		Conditions: &msgraph.ConditionalAccessConditionSet{
			ClientAppTypes: &[]msgraph.ConditionalAccessClientAppType{msgraph.ConditionalAccessClientAppTypeAll},
			Applications:   &msgraph.ConditionalAccessApplications{IncludeApplications: &[]string{"All"}},
			Users:          &msgraph.ConditionalAccessUsers{IncludeUsers: &[]string{"All"}, ExcludeUsers: &[]string{*who.ID}},
			Locations:      &msgraph.ConditionalAccessLocations{IncludeLocations: &[]string{"All"}, ExcludeLocations: &[]string{*ip.ID}},
		},
		GrantControls: &msgraph.ConditionalAccessGrantControls{Operator: ptr("OR"),
			BuiltInControls: &[]msgraph.ConditionalAccessGrantControl{msgraph.ConditionalAccessGrantControlMfa}},
	})
	h.ok("create the policy", status, err)
	pace()
	status, err = policies.Update(h.ctx, msgraph.ConditionalAccessPolicy{ID: p.ID, DisplayName: ptr(mark(h, "policy-2"))})
	h.ok("update", status, err)
	got, status, err := policies.Get(h.ctx, *p.ID, odata.Query{})
	h.ok("get", status, err)
	if *got.DisplayName != mark(h, "policy-2") {
		t.Errorf("the change is not there: %+v", got)
	}
	_, status, err = policies.List(h.ctx, odata.Query{})
	h.ok("list", status, err)
	pace()
	status, err = policies.Delete(h.ctx, *p.ID)
	h.ok("delete", status, err)
	for _, id := range []*string{ip.ID, land.ID} {
		pace()
		status, err = places.Delete(h.ctx, *id)
		h.ok("delete the location", status, err)
	}
	status, err = users.Delete(h.ctx, *who.ID)
	h.ok("delete the user", status, err)
}

func TestHamiltonRoles(t *testing.T) {
	h := newHamilton(t, "directory roles: templates, activation, members singly; role definitions of one's own, assignments; administrative units")
	users, who := h.user("role-holder")
	templates, roles := msgraph.NewDirectoryRoleTemplatesClient(cloud.Tenant.ID), msgraph.NewDirectoryRolesClient(cloud.Tenant.ID)
	h.use(&templates.BaseClient)
	h.use(&roles.BaseClient)
	list, status, err := templates.List(h.ctx)
	h.ok("list templates", status, err)
	var template msgraph.DirectoryRoleTemplate
	for _, x := range *list {
		if *x.DisplayName == "Message Center Reader" {
			template = x
		}
	}
	_, status, err = templates.Get(h.ctx, *template.ID)
	h.ok("get the template", status, err)
	role, status, err := roles.Activate(h.ctx, *template.ID)
	h.ok("activate", status, err)
	role.Members = &msgraph.Members{{ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *who.ID)), ID: who.ID}}
	status, err = roles.AddMembers(h.ctx, role)
	h.ok("add a member", status, err)
	_, status, err = roles.GetMember(h.ctx, *role.ID, *who.ID)
	h.ok("get the member", status, err)
	_, status, err = roles.ListMembers(h.ctx, *role.ID)
	h.ok("list members", status, err)
	_, status, err = roles.GetByTemplateId(h.ctx, *template.ID)
	h.ok("by template", status, err)
	status, err = roles.RemoveMembers(h.ctx, *role.ID, &[]string{*who.ID})
	h.ok("remove the member", status, err)

	defs, assignments := msgraph.NewRoleDefinitionsClient(cloud.Tenant.ID), msgraph.NewRoleAssignmentsClient(cloud.Tenant.ID)
	h.use(&defs.BaseClient)
	h.use(&assignments.BaseClient)
	def, status, err := defs.Create(h.ctx, msgraph.UnifiedRoleDefinition{DisplayName: ptr(mark(h, "role")), IsEnabled: ptr(true), Version: ptr("1.0"),
		RolePermissions: &[]msgraph.UnifiedRolePermission{{AllowedResourceActions: &[]string{"microsoft.directory/groups/allProperties/read"}}}})
	h.ok("create a role", status, err)
	made, status, err := assignments.Create(h.ctx, msgraph.UnifiedRoleAssignment{DirectoryScopeId: ptr("/"), PrincipalId: who.ID, RoleDefinitionId: def.ID})
	h.ok("assign it", status, err)
	_, status, err = assignments.List(h.ctx, odata.Query{Filter: fmt.Sprintf("principalId eq '%s'", *who.ID)})
	h.ok("list assignments", status, err)
	status, err = assignments.Delete(h.ctx, *made.ID)
	h.ok("take it away", status, err)
	status, err = defs.Delete(h.ctx, *def.ID)
	h.ok("delete the role", status, err)

	units := msgraph.NewAdministrativeUnitsClient(cloud.Tenant.ID)
	h.use(&units.BaseClient)
	unit, status, err := units.Create(h.ctx, msgraph.AdministrativeUnit{DisplayName: ptr(mark(h, "unit"))})
	h.ok("create the unit", status, err)
	members := msgraph.Members{{ODataId: ptr(odata.Id(cloud.Graph + "/v1.0/" + cloud.Tenant.ID + "/directoryObjects/" + *who.ID)), ID: who.ID}}
	status, err = units.AddMembers(h.ctx, *unit.ID, &members)
	h.ok("add a member", status, err)
	_, status, err = units.GetMember(h.ctx, *unit.ID, *who.ID)
	h.ok("get the member", status, err)
	status, err = units.RemoveMembers(h.ctx, *unit.ID, &[]string{*who.ID})
	h.ok("remove the member", status, err)
	status, err = units.Delete(h.ctx, *unit.ID)
	h.ok("delete the unit", status, err)
	status, err = users.Delete(h.ctx, *who.ID)
	h.ok("delete the user", status, err)
}
