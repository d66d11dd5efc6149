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

func keys(list []world.KeyCredential) []object { return shownKeys(list, false) }

// certificates are keys with the certificates themselves.
func certificates(list []world.KeyCredential) []object { return shownKeys(list, true) }

func shownKeys(list []world.KeyCredential, whole bool) []object {
	out := make([]object, 0, len(list))
	for _, k := range list {
		sum := sha1.Sum(k.DER) //nolint:gosec // see above
		key := any(nil)
		if whole {
			key = base64.StdEncoding.EncodeToString(k.DER)
		}
		out = append(out, object{
			{"customKeyIdentifier", base64.StdEncoding.EncodeToString(sum[:])}, {"displayName", k.Name}, {"endDateTime", k.End}, {"key", key},
			{"keyId", k.KeyID},
			{"startDateTime", k.Start}, {"type", k.Type}, {"usage", k.Usage},
		})
	}
	return out
}

// orNull is a text as Graph shows it: null where nothing was said.
func orNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// wording is the rest of a permission; built-in ones have none.
func wording(s world.Scope) world.ScopeText {
	if s.Text == nil {
		return world.ScopeText{Description: named(s), Members: []string{"Application"}}
	}
	return *s.Text
}

func permissionScopes(list []world.Scope) []object {
	out := make([]object, 0, len(list))
	for _, s := range list {
		typ, text := "User", wording(s)
		if s.Admin {
			typ = "Admin"
		}
		out = append(out, object{
			{"adminConsentDescription", orNull(text.Description)}, {"adminConsentDisplayName", named(s)}, {"id", s.ID}, {"isEnabled", !text.Disabled},
			{"type", typ}, {"userConsentDescription", orNull(text.UserDescription)}, {"userConsentDisplayName", orNull(text.UserName)},
			{"value", s.Value},
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
		text := wording(s)
		members := text.Members
		if len(members) == 0 {
			members = []string{"Application"}
		}
		out = append(out, object{
			{"allowedMemberTypes", members}, {"description", orNull(text.Description)}, {"displayName", named(s)}, {"id", s.ID},
			{"isEnabled", !text.Disabled}, {"origin", "Application"}, {"value", orNull(s.Value)},
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

// appRow is an application in the form of a version.
type appRow struct {
	*world.Application
	beta bool
}

func appOf(x any) *appRow {
	if full, ok := x.(*appRow); ok {
		return full
	}
	return &appRow{Application: x.(*world.Application)}
}

func newAppShape() *shape {
	sh := newShape("application", func(x any) string { return appOf(x).ID })
	add := func(name string, get func(*appRow) any) {
		sh.index[name] = len(sh.fields)
		sh.fields = append(sh.fields, field{name: name, get: func(x any) any { return get(appOf(x)) }})
	}
	kept := func(names string) {
		for _, name := range words(names) {
			add(name, func(x *appRow) any { return shownKept(keptByApps(), x.More, name) })
		}
	}
	add("id", func(x *appRow) any { return x.ID })
	add("deletedDateTime", func(*appRow) any { return nil })
	add("appId", func(x *appRow) any { return x.AppID })
	add("applicationTemplateId", func(*appRow) any { return nil })
	add("createdDateTime", func(x *appRow) any { return x.Created })
	add("displayName", func(x *appRow) any { return x.Name })
	add("disabledByMicrosoftStatus", func(*appRow) any { return nil })
	add("identifierUris", func(x *appRow) any { return orEmpty(x.Identifiers) })
	add("isFallbackPublicClient", func(x *appRow) any { return x.Fallback })
	add("publisherDomain", func(*appRow) any { return nil })
	add("signInAudience", func(x *appRow) any {
		if x.Audience == "" {
			return "AzureADMyOrg"
		}
		return x.Audience
	})
	add("certification", func(*appRow) any { return nil })
	kept(`addIns defaultRedirectUri description groupMembershipClaims info isDeviceOnlyAuthSupported nativeAuthenticationApisEnabled notes
		optionalClaims parentalControlSettings requestSignatureVerification samlMetadataUrl serviceManagementReference
		servicePrincipalLockConfiguration tags tokenEncryptionKeyId uniqueName`)
	add("api", shownAPI)
	add("appRoles", func(x *appRow) any { return permissionRoles(x.Roles) })
	add("keyCredentials", func(x *appRow) any { return keys(x.Keys) })
	add("passwordCredentials", func(x *appRow) any { return passwords(x.Passwords) })
	add("publicClient", func(x *appRow) any { return object{{"redirectUris", orEmpty(x.Public)}} })
	add("requiredResourceAccess", func(x *appRow) any { return requiredAccess(x.Required) })
	add("spa", func(x *appRow) any { return object{{"redirectUris", orEmpty(x.SPA)}} })
	add("verifiedPublisher", func(*appRow) any {
		return object{{"displayName", nil}, {"verifiedPublisherId", nil}, {"addedDateTime", nil}}
	})
	add("web", shownWeb)
	return sh
}

func shownAPI(x *appRow) any {
	version := any(nil)
	if x.TokenV2 {
		version = 2
	}
	more := inner(x.More, "api")
	apps := []object{}
	for _, a := range objs(more, "preAuthorizedApplications") {
		name := "delegatedPermissionIds"
		if x.beta { // the older name
			name = "permissionIds"
		}
		apps = append(apps, object{{"appId", str(a, "appId")}, {name, strs(a, "delegatedPermissionIds")}})
	}
	return object{
		{"acceptMappedClaims", more["acceptMappedClaims"]}, {"knownClientApplications", strs(more, "knownClientApplications")},
		{"requestedAccessTokenVersion", version}, {"oauth2PermissionScopes", permissionScopes(x.Scopes)}, {"preAuthorizedApplications", apps},
	}
}

func shownWeb(x *appRow) any {
	more := inner(x.More, "web")
	implicit, places := inner(more, "implicitGrantSettings"), map[string]any{}
	for _, p := range objs(more, "redirectUriSettings") {
		places[str(p, "uri")] = p["index"]
	}
	settings := []object{}
	for _, u := range x.Web {
		settings = append(settings, object{{"uri", u}, {"index", places[u]}})
	}
	return object{
		{"homePageUrl", more["homePageUrl"]}, {"logoutUrl", more["logoutUrl"]}, {"redirectUris", orEmpty(x.Web)},
		{"implicitGrantSettings", object{
			{"enableAccessTokenIssuance", truth(implicit, "enableAccessTokenIssuance")}, {"enableIdTokenIssuance", truth(implicit, "enableIdTokenIssuance")},
		}},
		{"redirectUriSettings", settings},
	}
}
