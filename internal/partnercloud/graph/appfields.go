package graph

import (
	"maps"
	"sync"
)

// The members of applications and service principals: those that decide something
// have fields of their own in the world, the others are kept as they were written.

// urls are the members of informationalUrl.
func urls() *spec {
	return obj(fields{
		"logoUrl": text().upTo(2048), "marketingUrl": text().upTo(2048), "privacyStatementUrl": text().upTo(2048), "supportUrl": text().upTo(2048),
		"termsOfServiceUrl": text().upTo(2048),
	})
}

// addInFields are extensions for other products.
func addInFields() *spec {
	return list(obj(fields{
		"id": text(), "type": text().need(), "properties": list(obj(fields{"key": text().need(), "value": text()})).need(),
	})).need().upTo(20)
}

// appKept are the members of an application that are kept as they were written.
func appKept() fields {
	claims := list(obj(fields{
		"name": text().need().upTo(256), "source": text(), "essential": flag(), "additionalProperties": list(text()).need(),
	})).need().upTo(100)
	return fields{
		"addIns": addInFields(), "defaultRedirectUri": text().upTo(2048), "description": text().upTo(1024),
		"groupMembershipClaims": flags("None SecurityGroup DirectoryRole ApplicationGroup All"), "info": urls(), "isDeviceOnlyAuthSupported": flag(),
		"nativeAuthenticationApisEnabled": enum("none all"), "notes": text().upTo(1024),
		"optionalClaims": obj(fields{"accessToken": claims, "idToken": claims, "saml2Token": claims}),
		"parentalControlSettings": obj(fields{
			"countriesBlockedForMinors": list(text().upTo(2)).need(),
			"legalAgeGroupRule":         enum("Allow RequireConsentForPrivacyServices RequireConsentForMinors RequireConsentForKids BlockMinors"),
		}),
		"requestSignatureVerification": obj(fields{"isSignedRequestRequired": flag(), "allowedWeakAlgorithms": enum("rsaSha1")}),
		"samlMetadataUrl":              text().upTo(2048), "serviceManagementReference": text().upTo(256),
		"servicePrincipalLockConfiguration": obj(fields{
			"isEnabled": flag(), "allProperties": flag(), "credentialsWithUsageVerify": flag(), "credentialsWithUsageSign": flag(),
			"tokenEncryptionKeyId": flag(),
		}),
		"tags": list(text().upTo(256)).need().upTo(200), "tokenEncryptionKeyId": text().upTo(36), "uniqueName": text().upTo(128),
		"web": obj(fields{
			"homePageUrl": text().upTo(2048), "logoutUrl": text().upTo(255),
			"implicitGrantSettings": obj(fields{"enableAccessTokenIssuance": flag(), "enableIdTokenIssuance": flag()}),
			"redirectUriSettings":   list(obj(fields{"uri": text().need().upTo(2048), "index": number()})).need().upTo(256),
		}),
		"api": obj(fields{
			"acceptMappedClaims": flag(), "knownClientApplications": list(text().upTo(36)).need().upTo(1000),
			"preAuthorizedApplications": list(obj(fields{
				"appId": text().need().upTo(36), "delegatedPermissionIds": list(text().upTo(36)), "permissionIds": list(text().upTo(36)),
			})).need().upTo(100),
		}),
	}
}

// The kept members, made once for what only reads them.
var (
	keptByApps = sync.OnceValue(appKept)
	keptBySPs  = sync.OnceValue(spKept)
)

func redirects() *spec { return list(text().upTo(2048)).upTo(256) }

// appFields are the members of POST and PATCH /applications.
func appFields() fields {
	fs := appKept()
	web, api := fs["web"].props, fs["api"].props
	web["redirectUris"] = redirects()
	api["requestedAccessTokenVersion"] = number()
	api["oauth2PermissionScopes"] = list(obj(fields{
		"id": text().need(), "value": text().upTo(120), "type": enum("User Admin"), "isEnabled": flag(), "adminConsentDescription": text(),
		"adminConsentDisplayName": text(),
		"userConsentDescription":  text(), "userConsentDisplayName": text(), "origin": enum("Application"),
	})).upTo(200)
	maps.Copy(fs, fields{
		"displayName":    text().need().upTo(256),
		"signInAudience": enum("AzureADMyOrg AzureADMultipleOrgs AzureADandPersonalMicrosoftAccount PersonalMicrosoftAccount"),
		"identifierUris": list(text().upTo(255)).upTo(50), "isFallbackPublicClient": flag(),
		"spa": obj(fields{"redirectUris": redirects()}), "publicClient": obj(fields{"redirectUris": redirects()}),
		"appRoles": list(obj(fields{
			"id": text().need(), "value": text().upTo(120), "displayName": text(), "description": text(), "isEnabled": flag(),
			"allowedMemberTypes": list(enum("User Application")).need(), "origin": enum("Application"),
		})).upTo(200),
		"requiredResourceAccess": list(obj(fields{
			"resourceAppId": text().need(), "resourceAccess": list(obj(fields{"id": text().need(), "type": enum("Scope Role").need()})).need(),
		})).upTo(50),
		"keyCredentials": list(obj(keyFields())).upTo(20), "authenticationBehaviors": unused(), "isDisabled": unused(),
		"oauth2RequirePostResponse": unused(), "onPremisesPublishing": unused(), "signInAudienceRestrictions": unused(), "windows": unused(),
		"id": readOnly(), "appId": readOnly(), "applicationTemplateId": readOnly(), "certification": readOnly(), "createdByAppId": readOnly(),
		"createdDateTime": readOnly(), "deletedDateTime": readOnly(), "disabledByMicrosoftStatus": readOnly(), "logo": readOnly(),
		"managerApplications": readOnly(), "passwordCredentials": readOnly(), "publisherDomain": readOnly(), "verifiedPublisher": readOnly(),
	})
	return fs
}

// spKept are the members of a service principal that are kept as they were written.
func spKept() fields {
	return fields{
		"addIns": addInFields(), "alternativeNames": list(text().upTo(250)).need().upTo(50), "description": text().upTo(1024), "info": urls(),
		"loginUrl": text().upTo(2048), "logoutUrl": text().upTo(2048), "homepage": text().upTo(2048), "notes": text().upTo(1024),
		"notificationEmailAddresses": list(text().upTo(256)).need().upTo(5),
		"preferredSingleSignOnMode":  enum("password saml notSupported oidc external"), "preferredTokenSigningKeyThumbprint": text().upTo(64),
		"replyUrls": list(text().upTo(2048)).need().upTo(256), "samlSingleSignOnSettings": obj(fields{"relayState": text().upTo(2048)}),
		"samlMetadataUrl": text().upTo(2048), "tokenEncryptionKeyId": text().upTo(36),
	}
}

// spFields are the members of POST and PATCH /servicePrincipals.
func spFields() fields {
	fs := spKept()
	maps.Copy(fs, fields{
		"accountEnabled": flag(), "appRoleAssignmentRequired": flag(), "displayName": text().upTo(256), "tags": list(text().upTo(256)).upTo(200),
		"keyCredentials": list(obj(keyFields())).upTo(20), "passwordSingleSignOnSettings": unused(), "servicePrincipalNames": list(text()).upTo(100),
		"appRoles": readOnly(), "oauth2PermissionScopes": readOnly(), "publishedPermissionScopes": readOnly(), "passwordCredentials": readOnly(),
		"appId": readOnly(), "appDisplayName": readOnly(), "appDescription": readOnly(), "appOwnerOrganizationId": readOnly(), "id": readOnly(),
		"applicationTemplateId": readOnly(), "createdByAppId": readOnly(), "deletedDateTime": readOnly(), "disabledByMicrosoftStatus": readOnly(),
		"isDisabled": readOnly(), "errorUrl": readOnly(), "publisherName": readOnly(), "preferredTokenSigningKeyEndDateTime": readOnly(),
		"resourceSpecificApplicationPermissions": readOnly(), "servicePrincipalType": readOnly(), "signInAudience": readOnly(),
		"verifiedPublisher": readOnly(),
	})
	return fs
}

// keptOf takes what is kept as written out of a body.
func keptOf(fs fields, body map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range body {
		s := fs[k]
		switch m, isObject := v.(map[string]any); {
		case s == nil:
		case s.kind == kObject && isObject:
			if part := keptOf(s.props, m); len(part) > 0 || len(m) == 0 {
				out[k] = part
			}
		default:
			out[k] = v
		}
	}
	return out
}

// keep lays what a body says over what is kept. Nothing is left of members that
// are null again.
func keep(fs fields, old, body map[string]any) map[string]any {
	out := merge(old, keptOf(fs, body))
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	if len(out) == 0 {
		return nil
	}
	return out
}

// shownKept is a kept member as Graph shows it: objects whole, collections never
// null.
func shownKept(fs fields, more map[string]any, name string) any {
	s := fs[name]
	v, said := more[name]
	switch {
	case s.kind == kObject && (said || filled(name)):
		m, _ := v.(map[string]any)
		return fill(s.props, m)
	case s.kind == kList && !said:
		return []any{}
	}
	return v
}

// filled are the objects that are there, with empty members, when nothing was said.
func filled(name string) bool { return name == "info" || name == "parentalControlSettings" }
