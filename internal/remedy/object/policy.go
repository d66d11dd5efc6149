package object

import "strings"

// The Conditional Access policy (contracts.md section 3.6; of agents contracts-2026-11
// section 1.5).

func externals() *shape {
	return members(map[string]*shape{
		"guestOrExternalUserTypes": one(flags, "none", "internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser",
			"otherExternalUser", "serviceProvider"),
		"externalTenants": members(map[string]*shape{
			"membershipKind": one(enum, "all", "enumerated"), "members": one(idSet),
		}).typedBy(func(m map[string]any) string {
			if m["membershipKind"] == "enumerated" {
				return "#microsoft.graph.conditionalAccessEnumeratedExternalTenants"
			}
			return "#microsoft.graph.conditionalAccessAllExternalTenants"
		}),
	})
}

func filterShape() *shape {
	return members(map[string]*shape{"mode": one(enum, "include", "exclude"), "rule": one(text)})
}

func switched(m map[string]*shape) *shape {
	m["isEnabled"] = one(boolean)
	return members(m).whenOn()
}

func conditionsShape() *shape {
	people := func() *shape { return one(idSet, "All", "None", "GuestsOrExternalUsers") }
	apps := func() *shape {
		return one(idSet, "All", "None", "Office365", "MicrosoftAdminPortals", "AllAgentIdResources")
	}
	places := func() *shape { return one(idSet, "All", "AllTrusted") }
	platforms := func() *shape {
		return one(enumSet, "all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux")
	}
	risks := func() *shape { return one(enumSet, "low", "medium", "high", "none", "hidden") }
	services := func() *shape { return one(idSet, "ServicePrincipalsInMyTenant", "All", "None") }
	agents := func() *shape { return one(enumSet, "agentUserSessionsInitiatedFromEndpoints").inBeta() }
	return members(map[string]*shape{
		"users": members(map[string]*shape{
			"includeUsers": people(), "excludeUsers": people(), "includeGroups": one(idSet), "excludeGroups": one(idSet),
			"includeRoles": one(idSet), "excludeRoles": one(idSet),
			"includeGuestsOrExternalUsers": externals(), "excludeGuestsOrExternalUsers": externals(),
		}),
		"applications": members(map[string]*shape{
			"includeApplications": apps(), "excludeApplications": apps(),
			"includeUserActions":                          one(enumSet, "urn:user:registersecurityinfo", "urn:user:registerdevice"),
			"includeAuthenticationContextClassReferences": one(idSet).matching(context), "applicationFilter": filterShape(),
		}),
		"clientAppTypes":             one(enumSet, "all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"),
		"platforms":                  members(map[string]*shape{"includePlatforms": platforms(), "excludePlatforms": platforms()}),
		"locations":                  members(map[string]*shape{"includeLocations": places(), "excludeLocations": places()}),
		"devices":                    members(map[string]*shape{"deviceFilter": filterShape()}),
		"signInRiskLevels":           risks(),
		"userRiskLevels":             risks(),
		"servicePrincipalRiskLevels": risks(),
		"insiderRiskLevels":          one(flags, "minor", "moderate", "elevated"),
		"authenticationFlows":        members(map[string]*shape{"transferMethods": one(flags, "none", "deviceCodeFlow", "authenticationTransfer")}),
		"clientApplications": members(map[string]*shape{
			"includeServicePrincipals": services(), "excludeServicePrincipals": services(), "servicePrincipalFilter": filterShape(),
			"includeAgentIdServicePrincipals": services().inBeta(), "excludeAgentIdServicePrincipals": services().inBeta(),
			"agentIdServicePrincipalFilter": filterShape().inBeta(),
		}),
		"agentIdRiskLevels": one(flags, "low", "medium", "high").inBeta(),
		"agents": members(map[string]*shape{
			"includeAgentUsers": people(), "excludeAgentUsers": people(), "agentFilter": filterShape(),
		}).inBeta(),
		"agentContext": members(map[string]*shape{"includeAgentContexts": agents(), "excludeAgentContexts": agents()}).inBeta(),
	})
}

func grantShape() *shape {
	s := members(map[string]*shape{
		"operator": one(enum, "AND", "OR"),
		"builtInControls": one(enumSet, "block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication",
			"passwordChange", "riskRemediation"),
		"customAuthenticationFactors": one(idSet).matching(anyText), "termsOfUse": one(idSet),
		// Graph shows the strength whole; a policy says its id alone.
		"authenticationStrength": {form: node, members: map[string]*shape{"id": one(ident)}, other: true},
	})
	s.keep = true // null says that nothing is asked; what is empty is refused or kept otherwise (azuread#1150)
	return s
}

func sessionShape() *shape {
	frequency := switched(map[string]*shape{
		"value": one(number), "type": one(enum, "days", "hours"),
		"authenticationType": one(enum, "primaryAndSecondaryAuthentication", "secondaryAuthentication"),
		"frequencyInterval":  one(enum, "timeBased", "everyTime"),
	})
	frequency.fill = map[string]any{"authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}
	return members(map[string]*shape{
		"signInFrequency":                 frequency,
		"persistentBrowser":               switched(map[string]*shape{"mode": one(enum, "always", "never")}),
		"cloudAppSecurity":                switched(map[string]*shape{"cloudAppSecurityType": one(enum, "mcasConfigured", "monitorOnly", "blockDownloads")}),
		"applicationEnforcedRestrictions": switched(map[string]*shape{}),
		"disableResilienceDefaults":       one(boolean).none(false),
		"secureSignInSession":             switched(map[string]*shape{}),
		"globalSecureAccessFilteringProfile": switched(map[string]*shape{
			"profileId": one(ident).matching(anyText),
		}).inBeta(),
		"continuousAccessEvaluation": members(map[string]*shape{"mode": one(enum, "strictEnforcement", "disabled", "strictLocation")}).inBeta(),
	})
}

func policyShape() *shape {
	return members(map[string]*shape{
		"id": one(server), "createdDateTime": one(server), "modifiedDateTime": one(server), "templateId": one(server), "deletedDateTime": one(server),
		"displayName": one(text), "description": one(text), "state": one(enum, "enabled", "disabled", "enabledForReportingButNotEnforced"),
		"conditions": conditionsShape(), "grantControls": grantShape(), "sessionControls": sessionShape(),
	})
}

func locationShape() *shape {
	ranges := &shape{form: set, members: map[string]*shape{"cidrAddress": {form: text, lower: true}}}
	ranges.typed = func(m map[string]any) string {
		if at, _ := m["cidrAddress"].(string); strings.Contains(at, ":") {
			return "#microsoft.graph.iPv6CidrRange"
		}
		return "#microsoft.graph.iPv4CidrRange"
	}
	return members(map[string]*shape{
		"id": one(server), "createdDateTime": one(server), "modifiedDateTime": one(server), "deletedDateTime": one(server),
		"@odata.type": one(enum, "#microsoft.graph.ipNamedLocation", "#microsoft.graph.countryNamedLocation",
			"#microsoft.graph.compliantNetworkNamedLocation"),
		"displayName": one(text), "isTrusted": one(boolean).none(false), "ipRanges": ranges,
		"countriesAndRegions": {form: textSet, upper: true}, "includeUnknownCountriesAndRegions": one(boolean).none(false),
		"countryLookupMethod":  one(enum, "clientIpAddress", "authenticatorAppGps").none("clientIpAddress"),
		"compliantNetworkType": one(enum, "allTenantCompliantNetworks"),
	})
}

func strengthShape() *shape {
	return members(map[string]*shape{
		"id": one(server), "createdDateTime": one(server), "modifiedDateTime": one(server), "policyType": one(server),
		"requirementsSatisfied": one(server), "combinationConfigurations": one(server),
		"displayName": one(text), "description": one(text),
		"allowedCombinations": one(enumSet, combinations()...),
	})
}

// combinations are those that Graph names; each is written in this order of its parts.
func combinations() []string {
	out := strings.Fields(`windowsHelloForBusiness fido2 x509CertificateMultiFactor deviceBasedPush temporaryAccessPassOneTime
		temporaryAccessPassMultiUse federatedMultiFactor federatedSingleFactor x509CertificateSingleFactor password sms voice softwareOath hardwareOath
		microsoftAuthenticatorPush email qrCodePin`)
	for _, second := range []string{"microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "sms", "voice"} {
		out = append(out, "password,"+second, "federatedSingleFactor,"+second)
	}
	return append(out, "x509CertificateSingleFactor,fido2")
}
