package arm

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// authorizationRoutes are what is asked about rights, and the way to the root.
func authorizationRoutes() []*route {
	anywhere := atSubscription | atGroup | atResource
	search := []string{"$top", "$skiptoken", "$filter", "tenantId"}
	return slices.Concat(
		from(kit.Read, "Azure Authorization: Permissions, Deny Assignments (SDK arm-authorization 9.0)",
			add("GET", anywhere, authorization, "permissions", "Microsoft.Authorization/permissions/read", listPermissions).takes("$top", "$skiptoken"),
			add("GET", anywhere, authorization, "denyAssignments", "Microsoft.Authorization/denyAssignments/read", listDenied).takes(search...),
			add("GET", anywhere, authorization, "denyAssignments/{name}", "Microsoft.Authorization/denyAssignments/read", getDenied),
		),
		from(kit.Known, "Azure Authorization: Global Administrator, elevateAccess; role assignments at /",
			bare(add("POST", atTenant, authorization, "elevateAccess", "", elevate)),
			add("GET", atTenant, authorization, "roleAssignments", "Microsoft.Authorization/roleAssignments/read", listRoot).takes(search...),
			add("DELETE", atTenant, authorization, "roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/delete", deleteRoot).takes("tenantId"),
		),
	)
}

// listPermissions says what the caller may do at the scope.
func listPermissions(k *call) (reply, *fault) {
	rows := []object{}
	seen := map[string]bool{}
	for _, r := range k.roles(k.sub) {
		d := definition(r.Role)
		if d == nil || seen[d.id] || !k.mine(&r) || !covers(scopeOf(k.sub, &r), k.at.scope) {
			continue
		}
		seen[d.id] = true
		without := d.without
		if without == nil {
			without = []string{}
		}
		rows = append(rows, object{"actions": d.actions, "notActions": without, "dataActions": []string{}, "notDataActions": []string{}})
	}
	return page(k, rows)
}

// listDenied is empty: deny assignments are made by Azure alone, for things that the
// cloud has not.
func listDenied(k *call) (reply, *fault) {
	if f := strings.TrimSpace(k.param("$filter")); f != "" && !strings.EqualFold(f, "atScope()") && !strings.EqualFold(f, "gdprExportPrincipalId eq ''") &&
		!principalFilter.MatchString(f) {
		return reply{}, bad("UnsupportedQuery", "The filter is not supported here: atScope(), principalId eq '…', assignedTo('…').")
	}
	return page(k, []object{})
}

func getDenied(k *call) (reply, *fault) {
	return reply{}, refuse(http.StatusNotFound, "DenyAssignmentNotFound", "The deny assignment with ID '"+clip(k.params["name"])+"' is not found.")
}

// elevate makes a Global Administrator of this very tenant a User Access
// Administrator at the root.
func elevate(k *call) (reply, *fault) {
	if k.who.AppOnly() || k.who.AOBO || !slices.Contains(k.tenant.RolesOf(k.who.ObjectID, k.now), entra.RoleGlobalAdministrator) {
		return reply{}, k.denied("Microsoft.Authorization/elevateAccess/action", "/")
	}
	const role = "User Access Administrator"
	if !slices.ContainsFunc(k.tenant.AzureRoot, func(r world.AzureRole) bool {
		return r.Role == role && strings.EqualFold(r.Principal, k.who.ObjectID)
	}) {
		k.tenant.AzureRoot = append(slices.Clone(k.tenant.AzureRoot), world.AzureRole{ID: world.NewGUID(), Role: role,
			Principal:     strings.ToLower(k.who.ObjectID),
			PrincipalType: "User", Scope: "/", Created: k.now, By: k.who.ObjectID})
		k.tenantEvent("Microsoft.Authorization/elevateAccess/action")
		k.elevated()
	}
	return reply{status: http.StatusOK}, nil
}

// elevated is told in the directory audit log too (K: since 2024).
func (k *call) elevated() {
	by := &world.AuditUser{ID: k.who.ObjectID, UPN: k.who.UPN}
	if ip := k.who.IPAddr; ip != "" {
		by.IP = &ip
	}
	name := k.who.UPN
	k.s.Audit(k.tenant, &world.DirectoryAudit{Activity: "User has elevated their access to User Access Administrator for their Azure Resources",
		Category: "AzureRBACRoleManagementElevateAccess", Operation: "Assign", Service: "Azure RBAC (Elevated Access)", By: world.Initiator{User: by},
		Targets: []world.AuditTarget{{ID: k.who.ObjectID, Name: &name, Type: "User", UPN: &name, Modified: []world.Modified{}}}})
}

// denied is the refusal of an action.
func (k *call) denied(action, scope string) *fault {
	who := k.who.UPN
	if who == "" {
		who = k.who.Client()
	}
	return refuse(http.StatusForbidden, "AuthorizationFailed", "The client '"+who+"' with object id '"+k.who.ObjectID+
		"' does not have authorization to perform action '"+action+"' over scope '"+scope+
		"' or the scope is invalid. If access was recently granted, please refresh your credentials.")
}

func listRoot(k *call) (reply, *fault) {
	if !k.mayRoot(k.route.action) {
		return reply{}, k.denied(k.route.action, "/")
	}
	return listAssignments(k)
}

func deleteRoot(k *call) (reply, *fault) {
	if !k.mayRoot(k.route.action) {
		return reply{}, k.denied(k.route.action, "/")
	}
	for i, r := range k.tenant.AzureRoot {
		if strings.EqualFold(r.ID, k.params["name"]) {
			k.tenant.AzureRoot = slices.Delete(slices.Clone(k.tenant.AzureRoot), i, i+1)
			k.s.Dirty()
			return ok(k.assignmentView(&r)), nil
		}
	}
	return reply{status: http.StatusNoContent}, nil
}
