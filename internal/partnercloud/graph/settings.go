package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Policies of which a tenant has one: they are there from the start with their
// defaults, and are kept when they are changed.

// singleton is such a policy.
type singleton struct {
	name, typ string
	// fields are what may be written; nil: it can only be read.
	fields func() fields
	// base are its members when nothing was changed.
	base func(t *world.Tenant) map[string]any
	// whole replaces the policy by what is written (PUT).
	whole bool
	judge func(c *call, s *world.State, t *world.Tenant, m map[string]any) error
}

const policiesRoot = "policies/"

func singletons() []*singleton {
	return []*singleton{
		{name: "authorizationPolicy", typ: "authorizationPolicy", fields: authorizationFields, base: authorizationBase, judge: judgeAuthorization},
		{
			name: "adminConsentRequestPolicy", typ: "adminConsentRequestPolicy", fields: consentRequestFields, whole: true,
			base: func(*world.Tenant) map[string]any {
				return map[string]any{
					"isEnabled": false, "notifyReviewers": false, "remindersEnabled": false, "requestDurationInDays": 0, "version": 0, "reviewers": []any{},
				}
			},
			judge: judgeConsentRequests,
		},
		{
			name: "authenticationFlowsPolicy", typ: "authenticationFlowsPolicy",
			fields: func() fields {
				return fields{
					"id": readOnly(), "displayName": readOnly(), "description": readOnly(),
					"selfServiceSignUp": obj(fields{"isEnabled": flag().need()}),
				}
			},
			base: func(*world.Tenant) map[string]any {
				return map[string]any{
					"id": "authenticationFlowsPolicy", "displayName": "Authentication flows policy",
					"description": "Authentication flows policy allows modification of settings related to authentication flows in AAD tenant, such as " +
						"self-service sign up configuration.",
					"selfServiceSignUp": map[string]any{"isEnabled": false},
				}
			},
		},
		{
			name: "crossTenantAccessPolicy", typ: "crossTenantAccessPolicy",
			fields: func() fields {
				return fields{"id": readOnly(), "displayName": text().upTo(256), "allowedCloudEndpoints": list(text()).upTo(3)}
			},
			base: func(*world.Tenant) map[string]any {
				return map[string]any{"displayName": "CrossTenantAccessPolicy", "allowedCloudEndpoints": []any{}}
			},
			judge: func(_ *call, _ *world.State, _ *world.Tenant, m map[string]any) error {
				for _, v := range strs(m, "allowedCloudEndpoints") {
					if !slices.Contains(entra.CloudNames(), v) {
						return badRequest("Invalid value specified for property 'allowedCloudEndpoints': '%s'.", clip(v))
					}
				}
				return nil
			},
		},
		{
			name: "crossTenantAccessPolicy/default", typ: "crossTenantAccessPolicyConfigurationDefault", fields: crossTenantFields, base: crossTenantBase,
			judge: func(_ *call, s *world.State, t *world.Tenant, m map[string]any) error {
				trust := inner(m, "inboundTrust")
				if truth(trust, "isCompliantDeviceAccepted") || truth(trust, "isHybridAzureADJoinedDeviceAccepted") {
					return badRequest("Trust in devices of other tenants is not part of the partner cloud.")
				}
				t.AcceptsHomeMFA = truth(trust, "isMfaAccepted")
				return nil
			},
		},
		{name: "deviceRegistrationPolicy", typ: "deviceRegistrationPolicy", base: deviceRegistrationBase},
		{
			name: "defaultAppManagementPolicy", typ: "tenantAppManagementPolicy",
			base: func(*world.Tenant) map[string]any {
				none := map[string]any{"passwordCredentials": []any{}, "keyCredentials": []any{}}
				return map[string]any{
					"id": entra.NilID, "displayName": "Default app management tenant policy",
					"description": "Default tenant policy that enforces app management restrictions on applications and service principals. " +
						"To apply policy to targeted resources, create a new policy under appManagementPolicies collection.",
					"isEnabled": false, "applicationRestrictions": none, "servicePrincipalRestrictions": none,
				}
			},
		},
	}
}

// setting is such a policy of a tenant, with what was changed of it.
func (p *singleton) setting(t *world.Tenant) map[string]any {
	m := p.base(t)
	if m["id"] == nil {
		m["id"] = p.name[strings.LastIndexByte(p.name, '/')+1:]
	}
	if d := t.Settings.Get(p.name); d != nil {
		m = merge(m, decodeObject(d.Raw))
	}
	return m
}

func (p *singleton) get(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	m := p.setting(t)
	if p.typ == "authorizationPolicy" && c.beta { // a collection of one there
		sh := c.g.sh.settings[p.typ]
		olderAuthorization(m)
		doc := newDocument("authorizationPolicy", json.RawMessage(jsonText(m)))
		return c.show(t, policiesRoot+p.name, sh, slice([]*document{doc}, sh.key))
	}
	return c.one(t, policiesRoot+p.name+"!", c.g.sh.settings[p.typ], newDocument(str(m, "id"), json.RawMessage(jsonText(m))))
}

func (p *singleton) change(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if p.typ == "authorizationPolicy" && c.beta {
		newerAuthorization(c.in)
	}
	fs := p.fields()
	now := c.entity(c.g.sh.settings[p.typ], newDocument("", json.RawMessage(jsonText(p.setting(t)))))
	if p.whole {
		c.dropUnchanged(s, now, fs)
	} else {
		c.dropUnchanged(s, now, nil)
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	old := &world.Document{ID: p.name}
	if d := t.Settings.Get(p.name); d != nil {
		old = d
	}
	next := *old
	m := merge(decodeObject(old.Raw), c.in)
	if p.whole {
		m = merge(nil, c.in)
	}
	for k := range m {
		if strings.Contains(k, "@odata.") {
			delete(m, k)
		}
	}
	if p.judge != nil {
		if err := p.judge(c, s, t, merge(p.base(t), m)); err != nil {
			return nil, err
		}
	}
	next.Changed = c.now
	next.ETag++
	if err := keepDocument(s, t, &t.Settings, &next, m); err != nil {
		return nil, err
	}
	ch := change{activity: "Update " + spaced(p.typ), category: "Policy", target: target("Policy", str(p.setting(t), "id"), p.name)}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		ch.changed(strings.ToUpper(k[:1])+k[1:], decodeObject(old.Raw)[k], m[k])
	}
	c.audit(s, t, ch)
	return noContent()
}

// spaced is a type's name in words: authorization policy.
func spaced(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func authorizationBase(*world.Tenant) map[string]any {
	return map[string]any{
		"id": "authorizationPolicy", "displayName": "Authorization Policy", "description": "Used to manage authorization related settings across the company.",
		"allowInvitesFrom": "everyone", "allowedToSignUpEmailBasedSubscriptions": true, "allowedToUseSSPR": true,
		"allowEmailVerifiedUsersToJoinOrganization": false, "allowUserConsentForRiskyApps": nil, "blockMsolPowerShell": false,
		"guestUserRoleId": entra.RoleGuestUser,
		"defaultUserRolePermissions": map[string]any{
			"allowedToCreateApps": true, "allowedToCreateSecurityGroups": true, "allowedToCreateTenants": true,
			"allowedToReadBitlockerKeysForOwnedDevice": true, "allowedToReadOtherUsers": true,
			"permissionGrantPoliciesAssigned": []any{world.SelfConsent + "microsoft-user-default-legacy"},
		},
	}
}

func authorizationFields() fields {
	return fields{
		"id": readOnly(), "displayName": text().upTo(256), "description": text().upTo(1024), "deletedDateTime": unused(),
		"allowInvitesFrom":                       enum("none adminsAndGuestInviters adminsGuestInvitersAndAllMembers everyone"),
		"allowedToSignUpEmailBasedSubscriptions": flag(), "allowedToUseSSPR": flag(), "allowEmailVerifiedUsersToJoinOrganization": flag(),
		"allowUserConsentForRiskyApps": flag(), "blockMsolPowerShell": flag(),
		"guestUserRoleId": enum(strings.Join([]string{entra.RoleGuestUser, entra.RoleRestrictedGuestUser, entra.RoleUser}, " ")),
		"defaultUserRolePermissions": obj(fields{
			"allowedToCreateApps": flag(), "allowedToCreateSecurityGroups": flag(), "allowedToCreateTenants": flag(),
			"allowedToReadBitlockerKeysForOwnedDevice": flag(), "allowedToReadOtherUsers": flag(),
			"permissionGrantPoliciesAssigned": list(text()).need().upTo(20),
		}),
	}
}

// judgeAuthorization: policies of consent are named with what they are for.
func judgeAuthorization(_ *call, _ *world.State, t *world.Tenant, m map[string]any) error {
	for _, v := range strs(inner(m, "defaultUserRolePermissions"), "permissionGrantPoliciesAssigned") {
		kind, id, ok := strings.Cut(v, ".")
		if !ok || !slices.Contains(words("ManagePermissionGrantsForSelf ManagePermissionGrantsForOwnedResource"), kind) ||
			kind == "ManagePermissionGrantsForSelf" && grantPolicy(id) == nil {
			return badRequest("The permission grant policy '%s' does not exist.", clip(v))
		}
	}
	return nil
}

// olderAuthorization puts a policy in beta's form: consent policies stand beside the
// permissions there.
func olderAuthorization(m map[string]any) {
	d := inner(m, "defaultUserRolePermissions")
	m["permissionGrantPolicyIdsAssignedToDefaultUserRole"] = d["permissionGrantPoliciesAssigned"]
	m["enabledPreviewFeatures"] = []any{}
	d = merge(d, nil)
	delete(d, "permissionGrantPoliciesAssigned")
	m["defaultUserRolePermissions"] = d
}

// newerAuthorization takes a body in beta's form.
func newerAuthorization(m map[string]any) {
	if v, ok := m["permissionGrantPolicyIdsAssignedToDefaultUserRole"]; ok {
		delete(m, "permissionGrantPolicyIdsAssignedToDefaultUserRole")
		m["defaultUserRolePermissions"] = merge(inner(m, "defaultUserRolePermissions"), map[string]any{"permissionGrantPoliciesAssigned": v})
	}
}

func consentRequestFields() fields {
	return fields{
		"id": readOnly(), "isEnabled": flag().need(), "notifyReviewers": flag().need(), "remindersEnabled": flag().need(), "version": readOnly(),
		"requestDurationInDays": number().need(),
		"reviewers":             list(obj(fields{"query": text().need(), "queryType": text(), "queryRoot": text()})).need().upTo(100),
	}
}

func judgeConsentRequests(c *call, _ *world.State, _ *world.Tenant, m map[string]any) error {
	for _, k := range words("isEnabled notifyReviewers remindersEnabled requestDurationInDays reviewers") {
		if c.in[k] == nil {
			return badRequest("A value is required for property '%s' of resource 'AdminConsentRequestPolicy'.", k)
		}
	}
	if n, _ := m["requestDurationInDays"].(float64); n < 0 || n > 60 {
		return badRequest("Invalid value specified for property 'requestDurationInDays' of resource 'AdminConsentRequestPolicy'.")
	}
	if truth(m, "isEnabled") && len(objs(m, "reviewers")) == 0 {
		return badRequest("Reviewers must be named when requests for consent are enabled.")
	}
	return nil
}

func deviceRegistrationBase(*world.Tenant) map[string]any {
	everybody := map[string]any{
		"isAdminConfigurable": true, "allowedToJoin": map[string]any{"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
	}
	return map[string]any{
		"id": "deviceRegistrationPolicy", "displayName": "Device Registration Policy",
		"description": "Tenant-wide policy that manages initial provisioning controls using quota restrictions, additional authentication and " +
			"authorization checks",
		"userDeviceQuota": 50, "multiFactorAuthConfiguration": "notRequired", "azureADJoin": everybody,
		"azureADRegistration": map[string]any{"isAdminConfigurable": false, "allowedToRegister": everybody["allowedToJoin"]},
		"localAdminPassword":  map[string]any{"isEnabled": false},
	}
}

// crossTenantBase are the defaults for guests of any tenant; what they say of trust
// in MFA is the tenant's own.
func crossTenantBase(t *world.Tenant) map[string]any {
	targets := func(access string) map[string]any {
		one := func(target, kind string) map[string]any {
			return map[string]any{"accessType": access, "targets": []any{map[string]any{"target": target, "targetType": kind}}}
		}
		return map[string]any{"usersAndGroups": one("AllUsers", "user"), "applications": one("AllApplications", "application")}
	}
	return map[string]any{
		"id": "default", "isServiceDefault": t.Settings.Get("crossTenantAccessPolicy/default") == nil && !t.AcceptsHomeMFA,
		"b2bCollaborationInbound": targets("allowed"), "b2bCollaborationOutbound": targets("allowed"),
		"b2bDirectConnectInbound": targets("blocked"), "b2bDirectConnectOutbound": targets("blocked"),
		"inboundTrust": map[string]any{
			"isMfaAccepted": t.AcceptsHomeMFA, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false,
		},
		"automaticUserConsentSettings": map[string]any{"inboundAllowed": false, "outboundAllowed": false},
		"tenantRestrictions":           nil, "invitationRedemptionIdentityProviderConfiguration": nil,
	}
}

// crossTenantFields: MFA of guests' homes is what this cloud decides by. What else
// there is cannot be changed.
func crossTenantFields() fields {
	return fields{
		"id": readOnly(), "inboundTrust": obj(fields{
			"isMfaAccepted": flag(), "isCompliantDeviceAccepted": flag(), "isHybridAzureADJoinedDeviceAccepted": flag(),
		}).need(),
		"isServiceDefault": readOnly(), "b2bCollaborationInbound": unused(), "b2bCollaborationOutbound": unused(), "b2bDirectConnectInbound": unused(),
		"b2bDirectConnectOutbound": unused(), "automaticUserConsentSettings": unused(), "tenantRestrictions": unused(),
		"invitationRedemptionIdentityProviderConfiguration": unused(),
	}
}

// createsApps: every member may register applications while authorizationPolicy says
// so, application developers always.
func createsApps(c *call, s *world.State, t *world.Tenant) error {
	if c.caller.AppOnly() || c.hasRole(entra.RoleApplicationDeveloper) || c.hasRole(appAdmins...) {
		return nil
	}
	u, home := c.user(s, t)
	if u != nil && home == t && !u.Guest && t.MembersMay("allowedToCreateApps") {
		return nil
	}
	return denied()
}

// invites: who may invite guests is what the authorization policy says.
func invites(c *call, s *world.State, t *world.Tenant) error {
	if c.caller.AppOnly() {
		return nil
	}
	u, home := c.user(s, t)
	admin := c.hasRole(entra.RoleGuestInviter, entra.RoleUserAdministrator, entra.RoleDirectoryWriters)
	switch t.InvitesFrom() {
	case "everyone", "adminsGuestInvitersAndAllMembers":
		if admin || u != nil && home == t && !u.Guest {
			return nil
		}
	case "adminsAndGuestInviters":
		if admin {
			return nil
		}
	}
	return denied()
}
