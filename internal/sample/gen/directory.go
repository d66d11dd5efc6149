package main

import (
	"slices"
	"time"
)

// lasts are an account's last sign-ins, taken from the log.
type lasts struct{ interactive, token, success time.Time }

func usersPage(seen map[string]lasts) o {
	var items []any
	for i := range people {
		p := &people[i]
		created := p.created
		if created.IsZero() {
			created = longAgo.AddDate(0, 0, 37*i)
		}
		kind, state := "Member", any(nil)
		if p.guest {
			kind, state = "Guest", "Accepted"
		}
		var synced any
		if p.synced {
			synced = true
		}
		licences := []any{}
		if !p.guest && !p.disabled && p.title != "" && p.title != "Device" {
			licences = append(licences, o{"disabledPlans", []string{}, "skuId", guid("sku/business")})
		}
		l := seen[p.id()]
		items = append(items, o{
			"id", p.id(), "userPrincipalName", p.upn, "displayName", p.name, "jobTitle", p.title, "userType", kind,
			"accountEnabled", !p.disabled, "createdDateTime", second(created), "onPremisesSyncEnabled", synced,
			"externalUserState", state, "assignedLicenses", licences,
			"signInActivity", o{"lastSignInDateTime", maybe(l.interactive), "lastNonInteractiveSignInDateTime", maybe(l.token), "lastSuccessfulSignInDateTime", maybe(l.success)},
		})
	}
	return page("v1.0/$metadata#users(id,userPrincipalName,displayName,jobTitle,userType,accountEnabled,createdDateTime,onPremisesSyncEnabled,externalUserState,assignedLicenses,signInActivity)", items)
}

// preferred is the method an account answers a challenge with.
func preferred(p *person) (method, detail, auth string) {
	switch {
	case slices.Contains(p.methods, "fido2SecurityKey"):
		return "FIDO2 security key", "Security key", "FIDO2 security key"
	case slices.Contains(p.methods, "windowsHelloForBusiness"):
		return "Windows Hello for Business", "", "Windows Hello for Business"
	case slices.Contains(p.methods, "microsoftAuthenticatorPush"):
		return "Authenticator App", "", "Mobile app notification"
	case slices.Contains(p.methods, "softwareOneTimePasscode"):
		return "Software OATH token", "", "OATH verification code"
	case slices.Contains(p.methods, "mobilePhone"):
		return "SMS", "+353 XXXXXXXX42", "Text message"
	}
	return "", "", ""
}

func registrations() o {
	second := map[string]string{"microsoftAuthenticatorPush": "push", "softwareOneTimePasscode": "oath", "mobilePhone": "sms"}
	var items []any
	for i := range people {
		p := &people[i]
		if p.disabled {
			continue // the report leaves disabled users out
		}
		methods := p.methods
		if methods == nil {
			methods = []string{}
		}
		preference := "none"
		for _, m := range methods {
			if s := second[m]; s != "" {
				preference = s
				break
			}
		}
		kind := "member"
		if p.guest {
			kind = "guest"
		}
		has := len(methods) > 0
		passwordless := slices.Contains(methods, "fido2SecurityKey") || slices.Contains(methods, "windowsHelloForBusiness")
		items = append(items, o{
			"id", p.id(), "userPrincipalName", p.upn, "userDisplayName", p.name, "userType", kind, "isAdmin", p.admin(),
			"isSsprRegistered", has, "isSsprEnabled", false, "isSsprCapable", false, "isMfaRegistered", has, "isMfaCapable", has,
			"isPasswordlessCapable", passwordless, "methodsRegistered", methods,
			"isSystemPreferredAuthenticationMethodEnabled", true, "systemPreferredAuthenticationMethods", []string{},
			"userPreferredMethodForSecondaryAuthentication", preference, "lastUpdatedDateTime", "2026-11-20T03:14:07.1189243Z",
		})
	}
	return page("v1.0/$metadata#reports/authenticationMethods/userRegistrationDetails", items)
}

func roleDefinitions() o {
	var items []any
	for _, r := range roles {
		items = append(items, o{"id", r.id, "templateId", r.id, "displayName", r.name, "isBuiltIn", true, "isEnabled", true, "isPrivileged", r.privileged, "rolePermissions", []any{}})
	}
	return page("beta/$metadata#roleManagement/directory/roleDefinitions", items)
}

func roleAssignments() o {
	var items []any
	for i := range people {
		p := &people[i]
		for _, r := range p.roles {
			items = append(items, o{"id", guid("assignment/" + p.upn + r), "principalId", p.id(), "directoryScopeId", "/", "roleDefinitionId", roleID(r),
				"principal", o{"@odata.type", "#microsoft.graph.user", "id", p.id(), "userPrincipalName", p.upn, "displayName", p.name}})
		}
	}
	items = append(items, o{"id", guid("assignment/tickets"), "principalId", guid("sp/" + tickets.id), "directoryScopeId", "/", "roleDefinitionId", roleID("Directory Readers"),
		"principal", o{"@odata.type", "#microsoft.graph.servicePrincipal", "id", guid("sp/" + tickets.id), "appId", tickets.id, "displayName", tickets.name}})
	return page("v1.0/$metadata#roleManagement/directory/roleAssignments(principal())", items)
}

func roleEligibility() o {
	var items []any
	for i := range people {
		p := &people[i]
		for _, r := range p.eligible {
			items = append(items, o{"id", guid("eligible/" + p.upn + r), "principalId", p.id(), "roleDefinitionId", roleID(r), "directoryScopeId", "/", "appScopeId", nil,
				"startDateTime", "2026-07-02T08:00:00Z", "endDateTime", nil, "memberType", "Direct", "roleEligibilityScheduleId", guid("schedule/" + p.upn + r)})
		}
	}
	return page("v1.0/$metadata#roleManagement/directory/roleEligibilityScheduleInstances", items)
}

func groupsPage() o {
	var items []any
	for _, g := range groups {
		members := []any{}
		for _, m := range g.members {
			p := who(m)
			members = append(members, o{"@odata.type", "#microsoft.graph.user", "id", p.id(), "userPrincipalName", p.upn, "displayName", p.name})
		}
		items = append(items, o{"id", guid("group/" + g.name), "displayName", g.name, "description", g.about, "createdDateTime", "2022-01-10T09:10:00Z", "groupTypes", []string{},
			"mailEnabled", false, "securityEnabled", true, "isAssignableToRole", nil, "members", members})
	}
	return page("v1.0/$metadata#groups(members())", items)
}

const (
	graphID  = "00000003-0000-0000-c000-000000000000"
	centerID = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
)

// secret is a credential of an app; its value is never in an export.
func secret(name string, from, to time.Time) o {
	return o{"customKeyIdentifier", nil, "displayName", name, "endDateTime", second(to), "hint", "q7~", "keyId", guid("key/" + name), "secretText", nil, "startDateTime", second(from)}
}

func applications() o {
	none := []any{}
	item := func(a app, audience string, secrets, keys []any, access ...any) o {
		return o{"id", guid("object/" + a.id), "appId", a.id, "displayName", a.name, "createdDateTime", "2022-05-04T12:00:00Z", "publisherDomain", domain, "signInAudience", audience,
			"isFallbackPublicClient", a.id == billing.id, "identifierUris", []string{}, "web", o{"redirectUris", []string{"https://panel." + domain + "/signin"}},
			"requiredResourceAccess", access, "passwordCredentials", secrets, "keyCredentials", keys}
	}
	scope := func(resource string, ids ...any) o {
		return o{"resourceAppId", resource, "resourceAccess", ids}
	}
	perm := func(id, kind string) o { return o{"id", id, "type", kind} }
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	certificate := o{"customKeyIdentifier", "9A1C5B0C7E2D4F60A1B2C3D4E5F60718293A4B5C", "displayName", "CN=ticket-bridge", "endDateTime", "2027-08-01T00:00:00Z", "key", nil,
		"keyId", guid("key/tickets"), "startDateTime", "2025-08-01T00:00:00Z", "type", "AsymmetricX509Cert", "usage", "Verify"}
	return page("v1.0/$metadata#applications", []any{
		item(billing, "AzureADMyOrg", none, none, scope(centerID, perm("1cebfa2a-fb4d-419e-b5f9-839b4383e05a", "Scope"))),
		item(panel, "AzureADMultipleOrgs", []any{secret("control panel 2024", day(2024, 12, 5), day(2026, 12, 5))}, none,
			scope(centerID, perm("1cebfa2a-fb4d-419e-b5f9-839b4383e05a", "Scope")), scope(graphID, perm("e1fe6dd8-ba31-4d61-89e7-88639da4683d", "Scope"))),
		item(tickets, "AzureADMyOrg", none, []any{certificate}, scope(graphID, perm("df021288-bdef-4463-88db-98f22de89214", "Role"))),
		item(monitor, "AzureADMyOrg", []any{secret("monitoring 2026", day(2026, 3, 1), day(2027, 3, 1)), secret("monitoring 2024", day(2024, 3, 1), day(2026, 3, 1))}, none,
			scope(graphID, perm("b0afded3-3588-46d8-8b3d-9842eff778da", "Role"))),
	})
}

func servicePrincipals() o {
	var items []any
	for _, a := range []app{billing, panel, tickets, monitor, {id: graphID, name: "Microsoft Graph"}, {id: centerID, name: "Microsoft Partner Center"}} {
		owner := tenantID
		if a.id == graphID || a.id == centerID {
			owner = "f8cdef31-a31e-4b4a-93e4-5f571e91255a" // Microsoft Services
		}
		items = append(items, o{"id", guid("sp/" + a.id), "appId", a.id, "displayName", a.name, "appOwnerOrganizationId", owner, "servicePrincipalType", "Application",
			"accountEnabled", true, "passwordCredentials", []any{}, "keyCredentials", []any{}})
	}
	return page("v1.0/$metadata#servicePrincipals", items)
}

func grants() o {
	return page("v1.0/$metadata#oauth2PermissionGrants", []any{
		o{"id", "grant-panel-center", "clientId", guid("sp/" + panel.id), "consentType", "AllPrincipals", "principalId", nil, "resourceId", guid("sp/" + centerID), "scope", "user_impersonation"},
		o{"id", "grant-panel-graph", "clientId", guid("sp/" + panel.id), "consentType", "AllPrincipals", "principalId", nil, "resourceId", guid("sp/" + graphID), "scope", "User.Read offline_access openid profile"},
		o{"id", "grant-billing-center", "clientId", guid("sp/" + billing.id), "consentType", "Principal", "principalId", who("svc-billing").id(), "resourceId", guid("sp/" + centerID), "scope", "user_impersonation"},
	})
}

func skus() o {
	plan := func(id, name, status string) o {
		return o{"servicePlanId", id, "servicePlanName", name, "provisioningStatus", status, "appliesTo", "User"}
	}
	p1 := plan("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "AAD_PREMIUM", "Success")
	units := func(enabled, suspended int) o {
		return o{"enabled", enabled, "suspended", suspended, "warning", 0, "lockedOut", 0}
	}
	return page("v1.0/$metadata#subscribedSkus", []any{
		o{"id", tenantID + "_" + guid("sku/business"), "skuId", guid("sku/business"), "skuPartNumber", "SPB", "capabilityStatus", "Enabled", "appliesTo", "User", "consumedUnits", 36,
			"prepaidUnits", units(40, 0), "servicePlans", []any{p1, plan("9aaf7827-d63c-4b61-89c3-182f06f82e5c", "EXCHANGE_S_STANDARD", "Success"), plan("c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "INTUNE_A", "Success")},
			"subscriptionIds", []string{guid("subscription/business")}},
		// The trial that ran out in August.
		o{"id", tenantID + "_84a661c4-e949-4bd2-a560-ed7766fcaf2b", "skuId", "84a661c4-e949-4bd2-a560-ed7766fcaf2b", "skuPartNumber", "AAD_PREMIUM_P2", "capabilityStatus", "Suspended", "appliesTo", "User", "consumedUnits", 0,
			"prepaidUnits", units(0, 25), "servicePlans", []any{plan("eec0eb4f-6444-4f95-aba0-50c24d67f998", "AAD_PREMIUM_P2", "Disabled")},
			"subscriptionIds", []string{guid("subscription/trial")}},
	})
}

func organization() o {
	return page("v1.0/$metadata#organization", []any{o{"id", tenantID, "displayName", tenantName, "countryLetterCode", "IE", "createdDateTime", "2018-06-12T09:41:00Z", "tenantType", "AAD",
		"verifiedDomains", []any{
			o{"capabilities", "Email, OfficeCommunicationsOnline", "isDefault", true, "isInitial", false, "name", domain, "type", "Managed"},
			o{"capabilities", "Email, OfficeCommunicationsOnline", "isDefault", false, "isInitial", true, "name", initial, "type", "Managed"},
		}}})
}
