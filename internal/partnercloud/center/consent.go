package center

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

type consentRequest struct {
	sent
	ApplicationID string         `json:"applicationId"`
	DisplayName   string         `json:"displayName"`
	Grants        []consentGrant `json:"applicationGrants"`
}

type consentGrant struct {
	Resource string `json:"enterpriseApplicationId"`
	Scope    string `json:"scope"`
}

// maxGrants bounds one consent.
const maxGrants = 100

// mayConsent asks for the app of the token itself and a role that may consent
// in the customer's tenant, by GDAP or DAP (contracts.md section 2.5).
func (k *call) mayConsent(application string) *fault {
	if !strings.EqualFold(application, k.who.Client()) {
		return forbidden("applicationId is another application than the one that the access token was issued to.")
	}
	for _, r := range []string{entra.RoleGlobalAdministrator, entra.RoleApplicationAdministrator, entra.RoleCloudApplicationAdministrator} {
		if contains(k.rights.Roles, r) {
			return nil
		}
	}
	return forbidden("Insufficient privileges in the customer's tenant: consent needs AdminAgents and a security group that holds Global Administrator, " +
		"Application Administrator or Cloud Application Administrator by GDAP.")
}

// consent grants delegated permissions to the calling app in the customer's
// tenant: all of what is asked, or nothing. It never adds to a grant that is there.
func consent(k *call) (reply, *fault) {
	var in consentRequest
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if !world.IsGUID(in.ApplicationID) {
		return reply{}, notGUID("applicationId")
	}
	if f := k.mayConsent(in.ApplicationID); f != nil {
		return reply{}, f
	}
	if len(in.Grants) == 0 || len(in.Grants) > maxGrants || len(in.DisplayName) > maxName {
		return reply{}, refuse(http.StatusBadRequest, 400, "applicationGrants must hold between 1 and %d grants.", maxGrants)
	}
	client, found := k.s.Client(in.ApplicationID)
	if !found {
		return reply{}, refuse(http.StatusNotFound, 404, "There is no application %s.", in.ApplicationID)
	}
	type wanted struct {
		resource *world.Resource
		scopes   []string
	}
	var want []wanted
	for _, g := range in.Grants {
		if !world.IsGUID(g.Resource) {
			return reply{}, notGUID("enterpriseApplicationId")
		}
		r := k.s.Resource(strings.ToLower(g.Resource))
		if r == nil || k.resourceSP(r.AppID) == nil {
			return reply{}, refuse(http.StatusBadRequest, 400,
				"The tenant %s does not have the service principal of the resource %s: the customer never used that service.", k.customer.TenantID,
				strings.ToLower(g.Resource))
		}
		if slices.ContainsFunc(want, func(w wanted) bool { return w.resource.AppID == r.AppID }) {
			return reply{}, refuse(http.StatusBadRequest, 400, "The resource %s is named twice.", r.AppID)
		}
		scopes, f := scopesOf(r, g.Scope)
		if f != nil {
			return reply{}, f
		}
		want = append(want, wanted{r, scopes})
	}
	if sp := k.tenant.SP(in.ApplicationID); sp != nil {
		for _, w := range want {
			if k.granted(sp, k.tenant.SP(w.resource.AppID)) {
				return reply{}, refuse(http.StatusConflict, 409, "Permission entry already exists.")
			}
		}
	}
	fresh := k.tenant.SP(in.ApplicationID) == nil
	sp := k.s.EnsureSP(k.tenant, in.ApplicationID)
	if sp == nil {
		return reply{}, refuse(http.StatusNotFound, 404, "There is no application %s.", in.ApplicationID)
	}
	if fresh {
		k.auditSP("Add service principal", "Add", sp)
	}
	for _, w := range want {
		rsp := k.resourceSP(w.resource.AppID)
		k.tenant.Grants.Put(&world.Grant{ID: world.NewSecret()[:43], Client: sp.ID, Resource: rsp.ID, Scopes: w.scopes})
		k.auditSP("Add delegated permission grant", "Assign", rsp,
			world.Modified{Name: "DelegatedPermissionGrant.Scope", New: quote(strings.Join(w.scopes, " "))}, world.Modified{Name: "ServicePrincipal.ObjectID",
				New: quote(sp.ID)},
			world.Modified{Name: "DelegatedPermissionGrant.ConsentType", New: quote("AllPrincipals")})
	}
	k.auditSP("Consent to application", "Assign", sp)
	k.s.Touch(k.tenant)
	if in.DisplayName == "" {
		in.DisplayName = client.Name
	}
	k.record("application", "register_application", nil, in)
	return reply{status: http.StatusCreated, body: in}, nil
}

// scopesOf reads the comma-joined delegated permissions of one grant. A space
// after the comma is tolerated.
func scopesOf(r *world.Resource, text string) (out []string, f *fault) {
	if len(text) > 8<<10 {
		return nil, refuse(http.StatusBadRequest, 400, "scope is too long.")
	}
	for _, v := range strings.Split(text, ",") {
		v = strings.TrimSpace(v)
		if v == "" {
			continue
		}
		s, found := r.ScopeByValue(v)
		if !found {
			if slices.ContainsFunc(r.Roles, func(a world.Scope) bool { return strings.EqualFold(a.Value, v) }) {
				return nil, refuse(http.StatusBadRequest, 400,
					"%s is an application permission: consent through Partner Center grants delegated permissions only.", v)
			}
			return nil, refuse(http.StatusBadRequest, 400, "The resource %s has no delegated permission %q.", r.AppID, v)
		}
		if !contains(out, s.Value) {
			out = append(out, s.Value)
		}
	}
	if len(out) == 0 {
		return nil, refuse(http.StatusBadRequest, 400, "scope is empty: name delegated permissions, joined by commas.")
	}
	return out, nil
}

// resourceSP finds the resource in the customer's tenant. Microsoft Graph and
// the directory are in every tenant, Azure management in every one with Azure;
// others come when the customer first uses them.
func (k *call) resourceSP(appID string) *world.ServicePrincipal {
	if sp := k.tenant.SP(appID); sp != nil {
		return sp
	}
	if appID == entra.AppGraph || appID == entra.AppAADGraph || appID == entra.AppARM && k.tenant.Azure.Len() > 0 {
		return k.s.EnsureSP(k.tenant, appID)
	}
	return nil
}

func (k *call) granted(client, resource *world.ServicePrincipal) bool {
	if resource == nil {
		return false
	}
	for g := range k.tenant.Grants.All() {
		if g.Principal == "" && strings.EqualFold(g.Client, client.ID) && strings.EqualFold(g.Resource, resource.ID) {
			return true
		}
	}
	return false
}

// consentView lists what an app was granted for everybody.
func (k *call) consentView(sp *world.ServicePrincipal) consentRequest {
	v := consentRequest{ApplicationID: sp.AppID, DisplayName: sp.Name, Grants: []consentGrant{}}
	for g := range k.tenant.Grants.All() {
		if g.Principal != "" || !strings.EqualFold(g.Client, sp.ID) {
			continue
		}
		if r := k.tenant.SPs.Get(g.Resource); r != nil {
			v.Grants = append(v.Grants, consentGrant{r.AppID, strings.Join(g.Scopes, ",")})
		}
	}
	return v
}

// listConsents shows the consent of the calling app alone.
func listConsents(k *call) (reply, *fault) {
	rows := []consentRequest{}
	if sp := k.tenant.SP(k.who.Client()); sp != nil {
		if v := k.consentView(sp); len(v.Grants) > 0 {
			rows = append(rows, v)
		}
	}
	return ok(list(rows)), nil
}

// withdrawConsent removes the app with all its grants from the customer's tenant.
func withdrawConsent(k *call) (reply, *fault) {
	if f := k.mayConsent(k.params["application"]); f != nil {
		return reply{}, f
	}
	sp := k.tenant.SP(k.params["application"])
	if sp == nil {
		return reply{}, refuse(http.StatusNotFound, 404, "The application has no consent in the customer's tenant.")
	}
	before := k.consentView(sp)
	for _, g := range k.tenant.Grants.List() {
		if strings.EqualFold(g.Client, sp.ID) {
			k.tenant.Grants.Delete(g.ID)
		}
	}
	for _, a := range k.tenant.AppRoles.List() {
		if strings.EqualFold(a.Principal, sp.ID) {
			k.tenant.AppRoles.Delete(a.ID)
		}
	}
	k.tenant.SPs.Delete(sp.ID)
	k.s.Touch(k.tenant)
	k.auditSP("Remove service principal", "Delete", sp)
	k.record("application", "unregister_application", before, nil)
	return reply{status: http.StatusOK}, nil
}

func (k *call) auditSP(activity, operation string, sp *world.ServicePrincipal, changed ...world.Modified) {
	if changed == nil {
		changed = []world.Modified{}
	}
	name := sp.Name
	k.s.Audit(k.tenant, &world.DirectoryAudit{
		Activity: activity, Category: "ApplicationManagement", Operation: operation, Correlation: k.correlation, By: k.initiator(),
		Targets: []world.AuditTarget{{ID: sp.ID, Name: &name, Type: "ServicePrincipal", Modified: changed}},
	})
}
