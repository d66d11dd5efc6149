package graph

import (
	"crypto/sha1" //nolint:gosec // customKeyIdentifier is the SHA-1 thumbprint
	"encoding/base64"

	"partnerguard/internal/partnercloud/world"
)

func passwords(list []world.PasswordCredential) []object {
	out := make([]object, 0, len(list))
	for _, p := range list {
		out = append(out, passwordObject(p, nil))
	}
	return out
}

func passwordObject(p world.PasswordCredential, secret any) object {
	name := any(nil)
	if p.Name != "" {
		name = p.Name
	}
	return object{
		{"customKeyIdentifier", nil}, {"displayName", name}, {"endDateTime", p.End}, {"hint", p.Hint}, {"keyId", p.KeyID}, {"secretText", secret},
		{"startDateTime", p.Start},
	}
}

func keys(list []world.KeyCredential) []object {
	out := make([]object, 0, len(list))
	for _, k := range list {
		sum := sha1.Sum(k.DER) //nolint:gosec // see above
		out = append(out, object{
			{"customKeyIdentifier", base64.StdEncoding.EncodeToString(sum[:])}, {"displayName", k.Name}, {"endDateTime", k.End}, {"key", nil},
			{"keyId", k.KeyID},
			{"startDateTime", k.Start}, {"type", k.Type}, {"usage", k.Usage},
		})
	}
	return out
}

func permissionScopes(list []world.Scope) []object {
	out := make([]object, 0, len(list))
	for _, s := range list {
		typ := "User"
		if s.Admin {
			typ = "Admin"
		}
		out = append(out, object{
			{"adminConsentDescription", named(s)}, {"adminConsentDisplayName", named(s)}, {"id", s.ID}, {"isEnabled", true}, {"type", typ},
			{"userConsentDescription", nil}, {"userConsentDisplayName", nil}, {"value", s.Value},
		})
	}
	return out
}

func named(s world.Scope) string {
	if s.Name != "" {
		return s.Name
	}
	return s.Value
}

func permissionRoles(list []world.Scope) []object {
	out := make([]object, 0, len(list))
	for _, s := range list {
		out = append(out, object{
			{"allowedMemberTypes", []string{"Application"}}, {"description", named(s)}, {"displayName", named(s)}, {"id", s.ID}, {"isEnabled", true},
			{"origin", "Application"}, {"value", s.Value},
		})
	}
	return out
}

func requiredAccess(list []world.RequiredAccess) []object {
	out := make([]object, 0, len(list))
	for _, r := range list {
		access := []object{}
		for _, id := range r.Scopes {
			access = append(access, object{{"id", id}, {"type", "Scope"}})
		}
		for _, id := range r.Roles {
			access = append(access, object{{"id", id}, {"type", "Role"}})
		}
		out = append(out, object{{"resourceAppId", r.Resource}, {"resourceAccess", access}})
	}
	return out
}

func newAppShape() *shape {
	type a = *world.Application
	return newShape("application", func(r any) string { return r.(a).ID },
		f("id", func(x a) any { return x.ID }),
		f("deletedDateTime", func(a) any { return nil }),
		f("appId", func(x a) any { return x.AppID }),
		f("createdDateTime", func(x a) any { return x.Created }),
		f("displayName", func(x a) any { return x.Name }),
		f("description", func(a) any { return nil }),
		f("disabledByMicrosoftStatus", func(a) any { return nil }),
		f("identifierUris", func(x a) any { return orEmpty(x.Identifiers) }),
		f("isFallbackPublicClient", func(x a) any { return x.Fallback }),
		f("publisherDomain", func(a) any { return nil }),
		f("signInAudience", func(x a) any {
			if x.Audience == "" {
				return "AzureADMyOrg"
			}
			return x.Audience
		}),
		f("tags", func(a) any { return []string{} }),
		f("api", func(x a) any {
			version := any(nil)
			if x.TokenV2 {
				version = 2
			}
			return object{
				{"acceptMappedClaims", nil}, {"knownClientApplications", []string{}}, {"requestedAccessTokenVersion", version},
				{"oauth2PermissionScopes", permissionScopes(x.Scopes)}, {"preAuthorizedApplications", []object{}},
			}
		}),
		f("appRoles", func(x a) any { return permissionRoles(x.Roles) }),
		f("keyCredentials", func(x a) any { return keys(x.Keys) }),
		f("passwordCredentials", func(x a) any { return passwords(x.Passwords) }),
		f("publicClient", func(x a) any { return object{{"redirectUris", orEmpty(x.Public)}} }),
		f("requiredResourceAccess", func(x a) any { return requiredAccess(x.Required) }),
		f("spa", func(x a) any { return object{{"redirectUris", orEmpty(x.SPA)}} }),
		f("verifiedPublisher", func(a) any {
			return object{{"displayName", nil}, {"verifiedPublisherId", nil}, {"addedDateTime", nil}}
		}),
		f("web", func(x a) any {
			return object{
				{"homePageUrl", nil}, {"logoutUrl", nil}, {"redirectUris", orEmpty(x.Web)},
				{"implicitGrantSettings", object{{"enableAccessTokenIssuance", false}, {"enableIdTokenIssuance", false}}},
			}
		}),
	)
}

func appFields() fields {
	uris := obj(fields{"redirectUris": list(text().upTo(2048)).upTo(256)})
	scope := obj(fields{
		"id": text().need(), "value": text(), "type": enum("User Admin"), "isEnabled": flag(), "adminConsentDescription": text(),
		"adminConsentDisplayName": text(),
		"userConsentDescription":  text(), "userConsentDisplayName": text(), "origin": text(),
	})
	return fields{
		"displayName":    text().need().upTo(256),
		"signInAudience": enum("AzureADMyOrg AzureADMultipleOrgs AzureADandPersonalMicrosoftAccount PersonalMicrosoftAccount"),
		"identifierUris": list(text().upTo(255)).upTo(50), "isFallbackPublicClient": flag(),
		"web": obj(fields{
			"redirectUris": list(text().upTo(2048)).upTo(256), "homePageUrl": unused(), "logoutUrl": unused(), "implicitGrantSettings": anything(),
			"redirectUriSettings": anything(),
		}),
		"spa":          uris,
		"publicClient": uris,
		"api": obj(fields{
			"requestedAccessTokenVersion": number(), "oauth2PermissionScopes": list(scope).upTo(200), "acceptMappedClaims": unused(),
			"knownClientApplications": unused(), "preAuthorizedApplications": unused(),
		}),
		"appRoles": list(obj(fields{
			"id": text().need(), "value": text(), "displayName": text(), "description": text(), "isEnabled": flag(), "allowedMemberTypes": list(text()),
			"origin": text(),
		})).upTo(200),
		"requiredResourceAccess": list(obj(fields{
			"resourceAppId": text().need(), "resourceAccess": list(obj(fields{"id": text().need(), "type": enum("Scope Role").need()})).need(),
		})).upTo(50),
		"description": unused(), "tags": unused(), "notes": unused(),
		"id": readOnly(), "appId": readOnly(), "createdDateTime": readOnly(), "passwordCredentials": readOnly(),
		"keyCredentials": list(obj(keyFields())).upTo(20), "publisherDomain": readOnly(), "deletedDateTime": readOnly(), "verifiedPublisher": readOnly(),
	}
}
