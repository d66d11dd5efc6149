package arm

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

func definitionView(scope string, d *roleDefinition) object {
	without := d.without
	if without == nil {
		without = []string{}
	}
	return object{"id": scope + "/providers/Microsoft.Authorization/roleDefinitions/" + d.id, "name": d.id, "type": "Microsoft.Authorization/roleDefinitions",
		"properties": object{
			"roleName": d.name, "type": "BuiltInRole", "description": d.about, "assignableScopes": []string{"/"},
			"permissions": []object{{"actions": d.actions, "notActions": without, "dataActions": []string{}, "notDataActions": []string{}}},
		}}
}

var roleNameFilter = pattern.Later(`(?i)^roleName eq '([^']{1,100})'$`)

func listDefinitions(k *call) (reply, *fault) {
	want := ""
	if f := k.param("$filter"); f != "" && !strings.EqualFold(f, "type eq 'BuiltInRole'") && !strings.EqualFold(f, "atScopeAndBelow()") {
		m := roleNameFilter.FindStringSubmatch(strings.TrimSpace(f))
		if m == nil {
			return reply{}, bad("UnsupportedFilter", "The filter is not supported here: roleName eq '…'.")
		}
		want = m[1]
	}
	rows := []object{}
	for _, d := range definitions() {
		if want == "" || strings.EqualFold(want, d.name) {
			rows = append(rows, definitionView(k.at.scope, &d))
		}
	}
	return page(k, rows)
}

func getDefinition(k *call) (reply, *fault) {
	d := definition(k.params["name"])
	if d == nil || !strings.EqualFold(d.id, k.params["name"]) {
		return reply{}, refuse(http.StatusNotFound, "RoleDefinitionDoesNotExist", "The specified role definition does not exist.")
	}
	return ok(definitionView(k.at.scope, d)), nil
}

func (k *call) assignmentView(r *world.AzureRole) object {
	role := r.Role
	if d := definition(r.Role); d != nil {
		role = d.id
	}
	scope, above := "/", ""
	if k.sub != nil {
		above = "/subscriptions/" + k.sub.ID
		if r.Scope != "/" {
			scope = scopeOf(k.sub, r)
		}
	}
	changed := r.Updated
	if changed.IsZero() {
		changed = r.Created
	}
	return object{"id": strings.TrimSuffix(scope, "/") + "/providers/Microsoft.Authorization/roleAssignments/" + r.ID, "name": r.ID,
		"type": "Microsoft.Authorization/roleAssignments",
		"properties": object{
			"roleDefinitionId": above + "/providers/Microsoft.Authorization/roleDefinitions/" + role, "principalId": r.Principal,
			"principalType": r.PrincipalType, "scope": scope,
			"condition": orNull(r.Condition), "conditionVersion": orNull(r.ConditionVersion), "description": orNull(r.Description),
			"createdOn": r.Created.UTC().Format(time.RFC3339Nano), "updatedOn": changed.UTC().Format(time.RFC3339Nano), "createdBy": r.By, "updatedBy": r.By,
			"delegatedManagedIdentityResourceId": nil,
		}}
}

func orNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

var principalFilter = pattern.Later(`(?i)^principalId eq '([^']{1,64})'$|^assignedTo\('([^']{1,64})'\)$`)

// listAssignments gives those at, above and below the scope. atScope() leaves
// out those below; principalId names one principal; assignedTo() counts groups.
func listAssignments(k *call) (reply, *fault) {
	atScope := false
	var who map[string]bool
	for _, part := range conjunction.Split(k.param("$filter"), -1) {
		part = strings.TrimSpace(part)
		switch m := principalFilter.FindStringSubmatch(part); {
		case part == "":
		case strings.EqualFold(part, "atScope()"):
			atScope = true
		case m != nil && m[1] != "":
			who = map[string]bool{strings.ToLower(m[1]): true}
		case m != nil:
			who = map[string]bool{strings.ToLower(m[2]): true}
			for _, g := range k.tenant.GroupsOf(m[2]) {
				who[strings.ToLower(g)] = true
			}
		default:
			return reply{}, bad("UnsupportedQuery", "The filter is not supported here: atScope(), principalId eq '…', assignedTo('…').")
		}
	}
	rows := []object{}
	for _, r := range k.tenant.AzureRoot {
		if who == nil || who[strings.ToLower(r.Principal)] {
			rows = append(rows, k.assignmentView(&r))
		}
	}
	if k.sub == nil {
		return page(k, rows)
	}
	for i := range k.sub.Roles {
		r := &k.sub.Roles[i]
		at := scopeOf(k.sub, r)
		if covers(at, k.at.scope) || !atScope && covers(k.at.scope, at) {
			if who == nil || who[strings.ToLower(r.Principal)] {
				rows = append(rows, k.assignmentView(r))
			}
		}
	}
	return page(k, rows)
}

// assignment finds the assignment of the path: made at this very scope.
func (k *call) assignment() int {
	return slices.IndexFunc(k.sub.Roles, func(r world.AzureRole) bool {
		return strings.EqualFold(r.ID, k.params["name"]) && strings.EqualFold(scopeOf(k.sub, &r), k.at.scope)
	})
}

func getAssignment(k *call) (reply, *fault) {
	i := k.assignment()
	if i < 0 {
		return reply{}, refuse(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '"+clip(k.params["name"])+"' is not found.")
	}
	return ok(k.assignmentView(&k.sub.Roles[i])), nil
}

// maxAssignments is the published bound of a subscription.
const maxAssignments = 4_000

// sentAssignment is the body of a write.
type sentAssignment struct {
	named
	Properties struct {
		Scope     any    `json:"scope"`
		Role      string `json:"roleDefinitionId"`
		Principal string `json:"principalId"`
		Type      string `json:"principalType"`

		Description      string `json:"description"`
		Condition        string `json:"condition"`
		ConditionVersion string `json:"conditionVersion"`
		Identity         string `json:"delegatedManagedIdentityResourceId"`

		CreatedOn, UpdatedOn, CreatedBy, UpdatedBy any // as they were read
	} `json:"properties"`
}

// check says what is wrong with what was sent for an assignment of this name:
// its values, and what of the read-only members is not as it was read.
func (in *sentAssignment) check(k *call, name string) *fault {
	p := &in.Properties
	switch {
	case !world.IsGUID(name):
		return bad("InvalidRoleAssignmentId", "The role assignment ID must be a GUID.")
	case !world.IsGUID(p.Principal):
		return bad("InvalidPrincipalId", "The principal ID is not a GUID.")
	case definition(p.Role) == nil:
		return bad("RoleDefinitionDoesNotExist", "The specified role definition does not exist.")
	case p.Identity != "":
		return bad("BadRequestFormat", "delegatedManagedIdentityResourceId is not supported here.")
	case len(p.Description) > 1024 || len(p.Condition) > 8<<10:
		return bad("BadRequestFormat", "The description or the condition is too long.")
	case (p.Condition == "") != (p.ConditionVersion == "") || p.ConditionVersion != "" && p.ConditionVersion != "2.0":
		return bad("InvalidConditionVersion", "A condition needs conditionVersion 2.0, and the version a condition.")
	case len(k.sub.Roles) >= maxAssignments:
		return bad("RoleAssignmentLimitExceeded", "The role assignment limit for the subscription has been exceeded.")
	}
	var now object
	if i := k.assignment(); i >= 0 {
		now = k.assignmentView(&k.sub.Roles[i])["properties"].(object)
	}
	for member, sent := range map[string]any{"createdOn": p.CreatedOn, "updatedOn": p.UpdatedOn, "createdBy": p.CreatedBy, "updatedBy": p.UpdatedBy} {
		if f := unchanged(member, sent, now[member]); f != nil {
			return f
		}
	}
	return cmp.Or(in.judge(k.at.scope+"/providers/Microsoft.Authorization/roleAssignments/"+name, "Microsoft.Authorization/roleAssignments"),
		unchanged("scope", p.Scope, k.at.scope))
}

func putAssignment(k *call) (reply, *fault) {
	var in sentAssignment
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	name, p := strings.ToLower(k.params["name"]), &in.Properties
	if f := in.check(k, name); f != nil {
		return reply{}, f
	}
	d, kind := definition(p.Role), k.principalType(p.Principal)
	if kind == "" || p.Type != "" && !strings.EqualFold(p.Type, kind) {
		return reply{}, bad("PrincipalNotFound", "Principal "+strings.ToLower(p.Principal)+" does not exist in the directory "+k.tenant.ID+".")
	}
	if i := slices.IndexFunc(k.sub.Roles, func(r world.AzureRole) bool { return strings.EqualFold(r.ID, name) }); i >= 0 {
		old := &k.sub.Roles[i]
		if o := definition(old.Role); o == nil || o.id != d.id || !strings.EqualFold(old.Principal, p.Principal) ||
			!strings.EqualFold(scopeOf(k.sub, old), k.at.scope) {
			return reply{}, bad("RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		}
		if old.Description == p.Description && old.Condition == p.Condition {
			return ok(k.assignmentView(old)), nil
		}
		k.change(k.route.action, k.assignmentView(old)["id"].(string), "Succeeded", func(a *world.AzureSubscription) {
			a.Roles = slices.Clone(a.Roles)
			a.Roles[i].Description, a.Roles[i].Condition, a.Roles[i].ConditionVersion = p.Description, p.Condition, p.ConditionVersion
			a.Roles[i].Updated = k.now
		})
		return reply{status: http.StatusCreated, body: k.assignmentView(&k.sub.Roles[i])}, nil
	}
	if slices.ContainsFunc(k.sub.Roles, func(r world.AzureRole) bool {
		o := definition(r.Role)
		return o != nil && o.id == d.id && strings.EqualFold(r.Principal, p.Principal) && strings.EqualFold(scopeOf(k.sub, &r), k.at.scope)
	}) {
		return reply{}, refuse(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
	}
	r := world.AzureRole{ID: name, Role: d.name, Principal: strings.ToLower(p.Principal), PrincipalType: kind, Scope: k.at.scope, Created: k.now,
		Description: p.Description, Condition: p.Condition, ConditionVersion: p.ConditionVersion, By: k.who.ObjectID}
	k.change(k.route.action, k.at.scope+"/providers/Microsoft.Authorization/roleAssignments/"+name, "Succeeded",
		func(a *world.AzureSubscription) { a.Roles = append(slices.Clone(a.Roles), r) })
	return reply{status: http.StatusCreated, body: k.assignmentView(&r)}, nil
}

// principalType finds what an id is here, or in the partner tenant: a group of
// it is a foreign principal. "" when it is nothing.
func (k *call) principalType(id string) string {
	switch {
	case k.tenant.Users.Get(id) != nil:
		return "User"
	case k.tenant.Groups.Get(id) != nil:
		return "Group"
	case k.tenant.SPs.Get(id) != nil:
		return "ServicePrincipal"
	}
	if p := k.s.PartnerTenant(); p != nil && p.ID != k.tenant.ID && p.Customers.Get(k.tenant.ID) != nil && p.Groups.Get(id) != nil {
		return foreign
	}
	return ""
}

func deleteAssignment(k *call) (reply, *fault) {
	i := k.assignment()
	if i < 0 {
		return reply{status: http.StatusNoContent}, nil
	}
	v := k.assignmentView(&k.sub.Roles[i])
	k.change(k.route.action, v["id"].(string), "Succeeded", func(a *world.AzureSubscription) { a.Roles = slices.Delete(slices.Clone(a.Roles), i, i+1) })
	return ok(v), nil
}
