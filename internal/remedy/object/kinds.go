package object

import (
	"strings"

	"partnerguard/internal/remedy"
)

// kind is what there is to know of a kind of object. Permissions and roles are those of
// contracts-2026-11 section 5 and contracts.md section 3.0; source says of which row.
type kind struct {
	shape *shape
	words string // what people call it
	base  string // of its collection, or of the one object that a tenant has
	one   bool   // a tenant has one of it
	beta  bool   // beta alone has it
	// names are the selection of a read.
	names string
	do    map[remedy.Do]remedy.Undo
	// permissions and role are the least ones to change it.
	permissions []string
	role        string
	source      string
	// whole says that it is written whole, by PUT.
	whole bool
	// fixed are members that cannot be changed once it is there.
	fixed []string
}

const (
	directoryRead = "Directory.Read.All"
	policyRead    = "Policy.Read.All"
	caWrite       = "Policy.ReadWrite.ConditionalAccess"
	methodWrite   = "Policy.ReadWrite.AuthenticationMethod"
	caAdmin       = "Conditional Access Administrator"
	methodAdmin   = "Authentication Policy Administrator"
	appAdmin      = "Cloud Application Administrator"
	roleAdmin     = "Privileged Role Administrator"
)

// kinds are all that a plan may change; nothing else is written.
var kinds = map[remedy.Kind]*kind{
	remedy.Policy: {
		shape: policyShape(), words: "Conditional Access policy", base: "/identity/conditionalAccess/policies",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Update: remedy.Restores, remedy.Delete: remedy.SoftDeleted},
		permissions: []string{policyRead, caWrite, "Application.Read.All"}, role: caAdmin, source: "CA policy create/update/state",
	},
	remedy.Location: {
		shape: locationShape(), words: "named location", base: "/identity/conditionalAccess/namedLocations",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Update: remedy.Restores, remedy.Delete: remedy.SoftDeleted},
		permissions: []string{policyRead, caWrite}, role: caAdmin, source: "named locations",
	},
	remedy.Strength: {
		shape: strengthShape(), words: "authentication strength", base: "/policies/authenticationStrengthPolicies",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Update: remedy.Restores, remedy.Delete: remedy.Recreates},
		permissions: []string{policyRead, caWrite}, role: caAdmin, source: "CA policy create/update/state",
	},
	remedy.Defaults: {
		shape: narrow(map[string]*shape{"isEnabled": one(boolean)}), words: "security defaults",
		base: "/policies/identitySecurityDefaultsEnforcementPolicy", one: true, names: "isEnabled",
		do:          map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{policyRead, "Policy.ReadWrite.SecurityDefaults"}, role: caAdmin, source: "security defaults",
	},
	remedy.Methods: {
		shape: methodsShape(), words: "authentication methods policy", base: "/policies/authenticationMethodsPolicy", one: true,
		do:          map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{methodWrite}, role: methodAdmin, source: "auth methods policy",
	},
	remedy.Method: {
		shape: methodShape(), words: "authentication method", base: "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Update: remedy.Restores, remedy.Delete: remedy.Recreates},
		permissions: []string{methodWrite}, role: methodAdmin, source: "auth methods policy", fixed: []string{"@odata.type", "displayName"},
	},
	remedy.PerUserMFA: {
		shape: narrow(map[string]*shape{"perUserMfaState": one(enum, "disabled", "enabled", "enforced")}), words: "per-user MFA",
		base: "/users", beta: true, do: map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{methodWrite, policyRead}, role: "Authentication Administrator", source: "per-user MFA",
	},
	remedy.Group: {
		shape: narrow(map[string]*shape{
			"displayName": one(text), "description": one(text), "mailEnabled": one(boolean).none(false), "mailNickname": one(text),
			"securityEnabled": one(boolean), "isAssignableToRole": one(boolean).none(false), "groupTypes": one(enumSet, "Unified", "DynamicMembership"),
		}), words: "group", base: "/groups",
		names:       "id,displayName,description,mailEnabled,mailNickname,securityEnabled,isAssignableToRole,groupTypes",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Update: remedy.Restores, remedy.Delete: remedy.Recreates},
		permissions: []string{"Group.ReadWrite.All"}, role: "Groups Administrator", source: "group member",
		fixed: []string{"isAssignableToRole"},
	},
	remedy.Member: {
		shape: narrow(map[string]*shape{"group": one(ident), "member": one(ident)}), words: "group membership", base: "/groups",
		do:          map[remedy.Do]remedy.Undo{remedy.Create: remedy.Removes, remedy.Delete: remedy.Recreates},
		permissions: []string{"GroupMember.ReadWrite.All"}, role: "Groups Administrator", source: "group member",
	},
	remedy.Role: {
		shape: narrow(map[string]*shape{
			"principalId": one(ident), "roleDefinitionId": one(ident), "directoryScopeId": one(text), "appScopeId": one(text),
		}), words: "role assignment", base: "/roleManagement/directory/roleAssignments",
		do:          map[remedy.Do]remedy.Undo{remedy.Delete: remedy.Recreates},
		permissions: []string{"RoleManagement.ReadWrite.Directory"}, role: roleAdmin, source: "role, PIM",
	},
	remedy.Credential: {
		shape: narrow(map[string]*shape{
			"keyId": one(ident), "type": one(enum, "password", "key"), "displayName": one(text), "startDateTime": one(text), "endDateTime": one(text),
		}), words: "credential of an app", base: "",
		do:          map[remedy.Do]remedy.Undo{remedy.Delete: remedy.Irreversible},
		permissions: []string{"Application.ReadWrite.All"}, role: appAdmin, source: "app credential",
	},
	remedy.Principal: {
		shape: narrow(map[string]*shape{"accountEnabled": one(boolean)}), words: "service principal", base: "/servicePrincipals",
		names: "id,accountEnabled", do: map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{"Application.ReadWrite.All"}, role: appAdmin, source: "disable SP",
	},
	remedy.Grant: {
		shape: narrow(map[string]*shape{
			"clientId": one(ident), "consentType": one(enum, "AllPrincipals", "Principal"), "principalId": one(ident), "resourceId": one(ident),
			"scope": one(text),
		}), words: "delegated consent", base: "/oauth2PermissionGrants",
		do:          map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores, remedy.Delete: remedy.Recreates},
		permissions: []string{"DelegatedPermissionGrant.ReadWrite.All", directoryRead}, role: appAdmin, source: "consent",
		fixed: []string{"clientId", "consentType", "principalId", "resourceId"},
	},
	remedy.AppRole: {
		shape: narrow(map[string]*shape{"principalId": one(ident), "resourceId": one(ident), "appRoleId": one(ident)}),
		words: "application permission", base: "/servicePrincipals",
		do:          map[remedy.Do]remedy.Undo{remedy.Delete: remedy.Recreates},
		permissions: []string{"AppRoleAssignment.ReadWrite.All", "Application.Read.All"}, role: roleAdmin, source: "consent",
	},
	remedy.Authorization: {
		shape: authorizationShape(), words: "authorization policy", base: "/policies/authorizationPolicy", one: true,
		do:          map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{"Policy.ReadWrite.Authorization"}, role: roleAdmin, source: "consent",
	},
	remedy.ConsentRequests: {
		shape: consentShape(), words: "admin consent workflow", base: "/policies/adminConsentRequestPolicy", one: true, whole: true,
		do:          map[remedy.Do]remedy.Undo{remedy.Update: remedy.Restores},
		permissions: []string{"Policy.ReadWrite.ConsentRequest"}, role: "Global Administrator", source: "consent",
	},
	remedy.Person: {words: "a person's task", do: map[remedy.Do]remedy.Undo{remedy.Ask: remedy.ByPerson}},
}

// KindWords is what people call a kind of object; the kind itself when there is none.
func KindWords(k remedy.Kind) string {
	if x := kinds[k]; x != nil {
		return x.words
	}
	return string(k)
}

// Needs are Graph's least permissions for a deed, and the least role of the account.
func Needs(k remedy.Kind, do remedy.Do) (permissions []string, role string) {
	x := kinds[k]
	if x == nil || x.do[do] == "" {
		return nil, ""
	}
	return append([]string(nil), x.permissions...), x.role
}

// UndoOf says how a deed is taken back; "" for a deed that the kind does not have.
func UndoOf(k remedy.Kind, do remedy.Do) remedy.Undo {
	if x := kinds[k]; x != nil {
		return x.do[do]
	}
	return ""
}

// Complete fills in what a step says by its kind alone: permissions, role, way back, traps.
func Complete(step *remedy.Step) {
	step.Permissions, step.Role = Needs(step.Kind, step.Do)
	step.Undo = UndoOf(step.Kind, step.Do)
	step.Traps = Traps(step)
}

// version is /v1.0 or /beta.
func (k *kind) version() string {
	if k.beta {
		return "/beta"
	}
	return "/v1.0"
}

// at is the path of an object, without its version.
func (k *kind) at(id string) string {
	switch {
	case k.one:
		return k.base
	case k == kinds[remedy.PerUserMFA]:
		return k.base + "/" + id + "/authentication/requirements"
	case k == kinds[remedy.Member]:
		group, member, _ := strings.Cut(id, "/")
		return k.base + "/" + group + "/members/" + member + "/$ref"
	case k == kinds[remedy.AppRole]:
		principal, link, _ := strings.Cut(id, "/")
		return k.base + "/" + principal + "/appRoleAssignments/" + link
	case k == kinds[remedy.Credential]:
		return "/" + id[:strings.LastIndexByte(id, '/')]
	}
	return k.base + "/" + id
}
