package object

import "partnerguard/internal/entra"

// The other objects (contracts.md sections 3.3 to 3.5, 3.8, 3.10).

func serverOnly(m map[string]*shape, names ...string) map[string]*shape {
	for _, n := range names {
		m[n] = one(server)
	}
	return m
}

// narrow is an object of which some members alone are a plan's business.
func narrow(m map[string]*shape) *shape { return &shape{form: node, members: m, other: true} }

func targets(more map[string]*shape) *shape {
	m := map[string]*shape{
		"id": one(ident, "all_users"), "targetType": one(enum, "group", "user"), "isRegistrationRequired": one(boolean).none(false),
		"authenticationMode": one(enum, "any", "push", "deviceBasedPush").none("any"), "isUsableForSignIn": one(boolean).none(true),
		"allowedPasskeyProfiles": one(idSet),
	}
	for k, s := range more {
		m[k] = s
	}
	return &shape{form: set, members: m}
}

func target() *shape {
	return members(map[string]*shape{"id": one(ident, "all_users"), "targetType": one(enum, "group", "user")})
}

func mood() *shape { return one(enum, "default", "enabled", "disabled").none("default") }

func methodsShape() *shape {
	snooze := one(boolean).inBeta()
	snooze.absent = true
	m := serverOnly(map[string]*shape{
		"policyMigrationState": one(enum, "preMigration", "migrationInProgress", "migrationComplete"),
		"registrationEnforcement": members(map[string]*shape{"authenticationMethodsRegistrationCampaign": members(map[string]*shape{
			"snoozeDurationInDays": one(number), "state": mood(),
			"includeTargets": targets(map[string]*shape{"targetedAuthenticationMethod": one(enum, "microsoftAuthenticator", "fido2")}),
			"excludeTargets": targets(nil), "enforceRegistrationAfterAllowedSnoozes": snooze,
		})}),
		"systemCredentialPreferences": members(map[string]*shape{
			"state": mood(), "includeTargets": targets(nil), "excludeTargets": targets(nil),
		}).inBeta(),
		"reportSuspiciousActivitySettings": members(map[string]*shape{
			"state": mood(), "voiceReportingCode": one(number), "includeTarget": target(),
		}).inBeta(),
		"microsoftAuthenticatorPlatformSettings": members(map[string]*shape{"enforceAppPIN": members(map[string]*shape{
			"includeTargets": targets(nil), "excludeTargets": targets(nil),
		})}).inBeta(),
		"optOutSettings": members(map[string]*shape{"passkeyDynamicMigration": one(boolean).none(false)}).inBeta(),
	}, "id", "displayName", "description", "lastModifiedDateTime", "policyVersion", "reconfirmationInDays", "authenticationMethodConfigurations")
	return members(m)
}

func methodShape() *shape {
	var types []string
	for _, n := range []string{"fido2", "microsoftAuthenticator", "sms", "temporaryAccessPass", "softwareOath", "hardwareOath", "email", "voice",
		"x509Certificate", "qrCodePin", "external", "verifiableCredentials"} {
		types = append(types, "#microsoft.graph."+n+"AuthenticationMethodConfiguration")
	}
	feature := func() *shape {
		return members(map[string]*shape{"state": mood(), "includeTarget": target(), "excludeTarget": target()})
	}
	return members(serverOnly(map[string]*shape{
		"@odata.type": one(enum, types...), "state": one(enum, "enabled", "disabled").none("disabled"),
		"includeTargets": targets(nil), "excludeTargets": targets(nil),
		// External MFA
		"displayName": one(text), "appId": one(ident),
		"openIdConnectSetting": members(map[string]*shape{"clientId": one(text), "discoveryUrl": one(text)}),
		// Passkeys
		"isSelfServiceRegistrationAllowed": one(boolean), "isAttestationEnforced": one(boolean), "defaultPasskeyProfile": one(ident),
		"keyRestrictions": members(map[string]*shape{
			"isEnforced": one(boolean), "enforcementType": one(enum, "allow", "block"), "aaGuids": one(idSet),
		}),
		"passkeyProfiles": one(verbatim),
		// Microsoft Authenticator
		"isSoftwareOathEnabled": one(boolean),
		"featureSettings": members(map[string]*shape{
			"displayAppInformationRequiredState": feature(), "displayLocationInformationRequiredState": feature(),
			"companionAppAllowedState": feature(), "numberMatchingRequiredState": feature(),
		}),
		// Temporary Access Pass
		"defaultLifetimeInMinutes": one(number), "defaultLength": one(number), "minimumLifetimeInMinutes": one(number),
		"maximumLifetimeInMinutes": one(number), "isUsableOnce": one(boolean),
		// e-mail, voice
		"allowExternalIdToUseEmailOtp": one(enum, "default", "enabled", "disabled"), "isOfficePhoneAllowed": one(boolean), "callerIdNumber": one(text),
		// certificates, QR codes
		"authenticationModeConfiguration": one(verbatim), "certificateAuthorityScopes": one(verbatim), "certificateUserBindings": one(verbatim),
		"crlValidationConfiguration": one(verbatim), "issuerHintsConfiguration": one(verbatim), "pinLength": one(number),
		"standardQRCodeLifetimeInDays": one(number),
	}, "id"))
}

func authorizationShape() *shape {
	return members(serverOnly(map[string]*shape{
		"allowInvitesFrom":                       one(enum, "none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"),
		"allowedToSignUpEmailBasedSubscriptions": one(boolean), "allowedToUseSSPR": one(boolean),
		"allowEmailVerifiedUsersToJoinOrganization": one(boolean), "allowUserConsentForRiskyApps": one(boolean).none(false),
		"blockMsolPowerShell": one(boolean), "guestUserRoleId": one(ident, entra.RoleGuestUser, entra.RoleRestrictedGuestUser, entra.RoleUser),
		"defaultUserRolePermissions": members(map[string]*shape{
			"allowedToCreateApps": one(boolean), "allowedToCreateSecurityGroups": one(boolean), "allowedToCreateTenants": one(boolean),
			"allowedToReadBitlockerKeysForOwnedDevice": one(boolean), "allowedToReadOtherUsers": one(boolean),
			"permissionGrantPoliciesAssigned": one(textSet),
		}),
	}, "id", "displayName", "description", "deletedDateTime", "enabledPreviewFeatures"))
}

func consentShape() *shape {
	return members(serverOnly(map[string]*shape{
		"isEnabled": one(boolean), "notifyReviewers": one(boolean), "remindersEnabled": one(boolean), "requestDurationInDays": one(number),
		"reviewers": {form: set, members: map[string]*shape{"query": one(text), "queryType": one(text), "queryRoot": one(text)}},
	}, "id", "version"))
}
