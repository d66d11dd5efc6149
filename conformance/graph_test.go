package conformance

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	kiota "github.com/microsoft/kiota-authentication-azure-go"
	msgraph "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/auditlogs"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

const graphSDK = "msgraph-sdk-go"

// graphClient is Microsoft's generated client with a credential.
func graphClient(t *testing.T, cred azcore.TokenCredential) *msgraph.GraphServiceClient {
	t.Helper()
	auth, err := kiota.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(cred, []string{graphDefault}, []string{"localhost", "graph.microsoft.com"})
	if err != nil {
		t.Fatal(err)
	}
	adapter, err := msgraph.NewGraphRequestAdapter(auth)
	if err != nil {
		t.Fatal(err)
	}
	adapter.SetBaseUrl(cloud.Graph + "/v1.0")
	return msgraph.NewGraphServiceClient(adapter)
}

func ptr[T any](v T) *T { return &v }

// text is what a pointer of the SDK holds.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

type collection[T any] interface{ GetValue() []T }

// list gives a page, or fails.
func list[T any](t *testing.T, c collection[T], err error) []T {
	t.Helper()
	if err != nil {
		t.Fatal(explain(err))
	}
	if len(c.GetValue()) == 0 {
		t.Fatal("an empty page")
	}
	return c.GetValue()
}

// explain says what an OData error of the SDK holds; by itself it says little.
func explain(err error) error {
	if e, ok := errors.AsType[*odataerrors.ODataError](err); ok && e.GetErrorEscaped() != nil {
		return errors.New(text(e.GetErrorEscaped().GetCode()) + ": " + text(e.GetErrorEscaped().GetMessage()))
	}
	return err
}

// has fails unless every word is there.
func has(t *testing.T, what string, words ...*string) {
	t.Helper()
	for i, w := range words {
		if text(w) == "" {
			t.Errorf("%s: property %d is empty", what, i)
		}
	}
}

// A page of each resource, read by the generated models: what they could not
// hold, or would not find, fails.
func TestGraphPages(t *testing.T) {
	g, ctx := graphClient(t, collector(t)), context.Background()
	page := func(what string, f func(t *testing.T)) {
		t.Run(strings.ReplaceAll(what, " ", "-"), func(t *testing.T) {
			shows(t, graphSDK, strings.TrimPrefix("a page of "+what, "a page of … "))
			f(t)
		})
	}
	user := ""
	page("users", func(t *testing.T) {
		r, err := g.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
			Top: ptr(int32(5)), Select: []string{"id", "userPrincipalName", "displayName", "accountEnabled", "signInActivity"}}})
		us := list(t, r, err)
		if len(us) != 5 || us[0].GetAccountEnabled() == nil || r.GetOdataNextLink() == nil {
			t.Errorf("%d users, next %v", len(us), r.GetOdataNextLink())
		}
		for _, u := range us {
			has(t, "user", u.GetId(), u.GetUserPrincipalName(), u.GetDisplayName())
		}
		user = text(us[0].GetId())
	})
	page("users/delta", func(t *testing.T) {
		r, err := g.Users().Delta().GetAsDeltaGetResponse(ctx, nil)
		list(t, r, err)
		if r.GetOdataNextLink() == nil && r.GetOdataDeltaLink() == nil {
			t.Error("neither next nor delta link")
		}
	})
	page("users/{id}/authentication/methods", func(t *testing.T) {
		r, err := g.Users().ByUserId(someone(t, "mia.lindqvist").upn).Authentication().Methods().Get(ctx, nil)
		kinds := map[string]bool{}
		for _, m := range list(t, r, err) {
			kinds[text(m.GetOdataType())] = true
			if _, ok := m.(models.Fido2AuthenticationMethodable); ok {
				kinds["a key"] = true
			}
		}
		if !kinds["a key"] || !kinds["#microsoft.graph.passwordAuthenticationMethod"] {
			t.Errorf("kinds %v", kinds)
		}
	})
	page("users/{id}/memberOf", func(t *testing.T) {
		r, err := g.Users().ByUserId(someone(t, "mia.lindqvist").upn).MemberOf().Get(ctx, nil)
		list(t, r, err)
	})
	page("groups", func(t *testing.T) {
		r, err := g.Groups().Get(ctx, nil)
		for _, one := range list(t, r, err) {
			has(t, "group", one.GetId(), one.GetDisplayName())
		}
	})
	page("groups/delta", func(t *testing.T) {
		r, err := g.Groups().Delta().GetAsDeltaGetResponse(ctx, nil)
		list(t, r, err)
	})
	page("groups/{id}/members", func(t *testing.T) {
		r, err := g.Groups().Get(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{Filter: ptr("displayName eq 'AdminAgents'")}})
		id := text(list(t, r, err)[0].GetId())
		m, err := g.Groups().ByGroupId(id).Members().Get(ctx, nil)
		people, nested := 0, 0
		for _, one := range list(t, m, err) {
			switch one.(type) {
			case models.Userable:
				people++
			case models.Groupable:
				nested++
			}
		}
		if people == 0 || nested != 1 {
			t.Errorf("%d people, %d groups", people, nested)
		}
	})
	page("auditLogs/signIns", func(t *testing.T) {
		r, err := g.AuditLogs().SignIns().Get(ctx,
			&auditlogs.SignInsRequestBuilderGetRequestConfiguration{QueryParameters: &auditlogs.SignInsRequestBuilderGetQueryParameters{Top: ptr(int32(50))}})
		for _, s := range list(t, r, err) {
			has(t, "signIn", s.GetId(), s.GetUserPrincipalName(), s.GetAppDisplayName(), s.GetIpAddress())
			if s.GetCreatedDateTime() == nil || s.GetStatus() == nil || s.GetStatus().GetErrorCode() == nil || s.GetConditionalAccessStatus() == nil {
				t.Fatalf("signIn %s lacks its time, status or Conditional Access", text(s.GetId()))
			}
		}
	})
	page("reports/authenticationMethods/userRegistrationDetails", func(t *testing.T) {
		r, err := g.Reports().AuthenticationMethods().UserRegistrationDetails().Get(ctx, nil)
		u := list(t, r, err)[0]
		has(t, "userRegistrationDetails", u.GetId(), u.GetUserPrincipalName())
		if u.GetIsMfaCapable() == nil {
			t.Error("isMfaCapable is missing")
		}
	})
	page("identity/conditionalAccess/policies", func(t *testing.T) {
		r, err := g.Identity().ConditionalAccess().Policies().Get(ctx, nil)
		for _, p := range list(t, r, err) {
			has(t, "policy", p.GetId(), p.GetDisplayName())
			if p.GetState() == nil || p.GetConditions() == nil || p.GetConditions().GetUsers() == nil || p.GetGrantControls() == nil {
				t.Fatalf("%s is not whole", text(p.GetDisplayName()))
			}
		}
	})
	page("identity/conditionalAccess/namedLocations", func(t *testing.T) {
		r, err := g.Identity().ConditionalAccess().NamedLocations().Get(ctx, nil)
		networks := 0
		for _, n := range list(t, r, err) {
			if ip, ok := n.(models.IpNamedLocationable); ok && len(ip.GetIpRanges()) > 0 {
				networks++
			}
		}
		if networks == 0 {
			t.Error("no location with networks")
		}
	})
	page("policies/identitySecurityDefaultsEnforcementPolicy", func(t *testing.T) {
		p, err := g.Policies().IdentitySecurityDefaultsEnforcementPolicy().Get(ctx, nil)
		if err != nil || p.GetIsEnabled() == nil || *p.GetIsEnabled() {
			t.Errorf("%v", explain(err))
		}
	})
	page("policies/authenticationMethodsPolicy", func(t *testing.T) {
		p, err := g.Policies().AuthenticationMethodsPolicy().Get(ctx, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		external := 0
		for _, c := range p.GetAuthenticationMethodConfigurations() {
			if text(c.GetOdataType()) == "#microsoft.graph.externalAuthenticationMethodConfiguration" {
				external++
			}
		}
		// The scenario has one; who registered a provider before this has added another.
		if external == 0 || len(p.GetAuthenticationMethodConfigurations()) < 8 {
			t.Errorf("%d configurations, %d external", len(p.GetAuthenticationMethodConfigurations()), external)
		}
	})
	page("policies/authenticationStrengthPolicies", func(t *testing.T) {
		r, err := g.Policies().AuthenticationStrengthPolicies().Get(ctx, nil)
		if n := len(list(t, r, err)); n < 4 {
			t.Errorf("%d strengths", n)
		}
	})
	page("roleManagement/directory/roleDefinitions", func(t *testing.T) {
		r, err := g.RoleManagement().Directory().RoleDefinitions().Get(ctx, nil)
		d := list(t, r, err)[0]
		has(t, "roleDefinition", d.GetId(), d.GetDisplayName(), d.GetTemplateId())
	})
	page("roleManagement/directory/roleAssignments", func(t *testing.T) {
		r, err := g.RoleManagement().Directory().RoleAssignments().Get(ctx, nil)
		a := list(t, r, err)[0]
		has(t, "roleAssignment", a.GetId(), a.GetPrincipalId(), a.GetRoleDefinitionId(), a.GetDirectoryScopeId())
	})
	page("roleManagement/directory/roleAssignmentScheduleInstances", func(t *testing.T) {
		r, err := g.RoleManagement().Directory().RoleAssignmentScheduleInstances().Get(ctx, nil)
		has(t, "instance", list(t, r, err)[0].GetPrincipalId())
	})
	page("roleManagement/directory/roleEligibilitySchedules", func(t *testing.T) {
		r, err := g.RoleManagement().Directory().RoleEligibilitySchedules().Get(ctx, nil)
		has(t, "schedule", list(t, r, err)[0].GetPrincipalId())
	})
	page("roleManagement/directory/roleEligibilityScheduleInstances", func(t *testing.T) {
		r, err := g.RoleManagement().Directory().RoleEligibilityScheduleInstances().Get(ctx, nil)
		has(t, "instance", list(t, r, err)[0].GetPrincipalId())
	})
	page("directoryRoles and members", func(t *testing.T) {
		r, err := g.DirectoryRoles().Get(ctx, nil)
		d := list(t, r, err)[0]
		has(t, "directoryRole", d.GetId(), d.GetRoleTemplateId())
		m, err := g.DirectoryRoles().ByDirectoryRoleId(text(d.GetId())).Members().Get(ctx, nil)
		list(t, m, err)
	})
	page("applications", func(t *testing.T) {
		r, err := g.Applications().Get(ctx, nil)
		a := list(t, r, err)[0]
		has(t, "application", a.GetId(), a.GetAppId(), a.GetSignInAudience())
	})
	page("servicePrincipals", func(t *testing.T) {
		r, err := g.ServicePrincipals().Get(ctx, nil)
		a := list(t, r, err)[0]
		has(t, "servicePrincipal", a.GetId(), a.GetAppId(), a.GetServicePrincipalType())
	})
	page("servicePrincipals/{id}/appRoleAssignments", func(t *testing.T) {
		r, err := g.ServicePrincipalsWithAppId(ptr(program(t, "collector").id)).Get(ctx, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		as, err := g.ServicePrincipals().ByServicePrincipalId(text(r.GetId())).AppRoleAssignments().Get(ctx, nil)
		if a := list(t, as, err)[0]; a.GetAppRoleId() == nil || a.GetResourceId() == nil {
			t.Error("an assignment without role or resource")
		}
	})
	page("oauth2PermissionGrants", func(t *testing.T) {
		r, err := g.Oauth2PermissionGrants().Get(ctx, nil)
		o := list(t, r, err)[0]
		has(t, "grant", o.GetClientId(), o.GetResourceId(), o.GetConsentType(), o.GetScope())
	})
	page("subscribedSkus", func(t *testing.T) {
		r, err := g.SubscribedSkus().Get(ctx, nil)
		s := list(t, r, err)[0]
		has(t, "sku", s.GetSkuPartNumber())
		if s.GetSkuId() == nil || len(s.GetServicePlans()) == 0 || s.GetPrepaidUnits() == nil {
			t.Error("a SKU without id, plans or units")
		}
	})
	page("organization", func(t *testing.T) {
		r, err := g.Organization().Get(ctx, nil)
		if o := list(t, r, err)[0]; text(o.GetId()) != cloud.Tenant.ID {
			t.Errorf("organization %s", text(o.GetId()))
		}
	})
	page("domains", func(t *testing.T) {
		r, err := g.Domains().Get(ctx, nil)
		has(t, "domain", list(t, r, err)[0].GetId())
	})
	page("contracts", func(t *testing.T) {
		r, err := g.Contracts().Get(ctx, nil)
		if c := list(t, r, err)[0]; c.GetCustomerId() == nil || text(c.GetContractType()) == "" {
			t.Error("a contract without customer or type")
		}
	})
	// GDAP is for agents: an app alone needs a service principal that this tenant
	// has not.
	page("… delegatedAdminRelationships, refused app-only without its service principal", func(t *testing.T) {
		_, err := g.TenantRelationships().DelegatedAdminRelationships().Get(ctx, nil)
		e, ok := errors.AsType[*odataerrors.ODataError](err)
		if !ok || e.GetStatusCode() != http.StatusForbidden {
			t.Errorf("%v", explain(err))
		}
	})
	app, g := g, graphClient(t, fixed(adminToken(t)))
	relation := ""
	page("tenantRelationships/delegatedAdminRelationships", func(t *testing.T) {
		r, err := g.TenantRelationships().DelegatedAdminRelationships().Get(ctx, nil)
		for _, d := range list(t, r, err) {
			has(t, "relationship", d.GetId(), d.GetDisplayName())
			if d.GetStatus() == nil || d.GetDuration() == nil || d.GetAccessDetails() == nil {
				t.Errorf("%s is not whole", text(d.GetDisplayName()))
			}
			if d.GetStatus() != nil && *d.GetStatus() == models.ACTIVE_DELEGATEDADMINRELATIONSHIPSTATUS {
				relation = text(d.GetId())
			}
		}
	})
	page("… accessAssignments, requests, operations", func(t *testing.T) {
		r := g.TenantRelationships().DelegatedAdminRelationships().ByDelegatedAdminRelationshipId(relation)
		as, err := r.AccessAssignments().Get(ctx, nil)
		if a := list(t, as, err)[0]; a.GetAccessContainer() == nil || len(a.GetAccessDetails().GetUnifiedRoles()) == 0 {
			t.Error("an assignment without group or roles")
		}
		// The other two may be empty.
		if _, err := r.Requests().Get(ctx, nil); err != nil {
			t.Error(explain(err))
		}
		if _, err := r.Operations().Get(ctx, nil); err != nil {
			t.Error(explain(err))
		}
	})
	page("tenantRelationships/delegatedAdminCustomers", func(t *testing.T) {
		r, err := g.TenantRelationships().DelegatedAdminCustomers().Get(ctx, nil)
		c := list(t, r, err)[0]
		has(t, "customer", c.GetTenantId(), c.GetDisplayName())
	})
	page("identityProtection/riskyUsers, refused without the permission", func(t *testing.T) {
		_, err := app.IdentityProtection().RiskyUsers().Get(ctx, nil)
		e, ok := errors.AsType[*odataerrors.ODataError](err)
		if !ok || e.GetStatusCode() != http.StatusForbidden {
			t.Errorf("%v", explain(err))
		}
	})
	t.Run("iterator", func(t *testing.T) {
		shows(t, graphSDK, "all users through next links by its page iterator")
		first, err := g.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Top: ptr(int32(7)), Select: []string{"id"}}})
		list(t, first, err)
		seen := map[string]bool{}
		it, err := core.NewPageIterator[models.Userable](first, g.GetAdapter(), models.CreateUserCollectionResponseFromDiscriminatorValue)
		if err == nil {
			err = it.Iterate(ctx, func(u models.Userable) bool { seen[text(u.GetId())] = true; return true })
		}
		if err != nil || len(seen) < 40 || !seen[user] && user != "" {
			t.Errorf("%d users, %v", len(seen), explain(err))
		}
	})
	t.Run("error", func(t *testing.T) {
		shows(t, graphSDK, "ODataError with code Request_ResourceNotFound for who is not there")
		_, err := g.Users().ByUserId("nobody@contoso.com").Get(ctx, nil)
		e, ok := errors.AsType[*odataerrors.ODataError](err)
		if !ok || e.GetStatusCode() != http.StatusNotFound || text(e.GetErrorEscaped().GetCode()) != "Request_ResourceNotFound" {
			t.Errorf("%v", explain(err))
		}
	})
}
