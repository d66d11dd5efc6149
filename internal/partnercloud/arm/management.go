package arm

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// managementRoutes are management groups, of which the cloud has the root group of
// each tenant alone, and Resource Graph.
func managementRoutes() []*route {
	const groups = "Microsoft.Management/managementGroups"
	return slices.Concat(
		from(kit.Read, "Azure Management Groups (SDK arm-managementgroups 2.0)",
			add("GET", atTenant, management, "managementGroups", groups+"/read", listManagement).takes("$top", "$skiptoken"),
			add("GET", atTenant, management, "managementGroups/{group}", groups+"/read", getManagement).takes("$expand", "$recurse", "$filter").
				only("$expand", "children", "path", "ancestors").only("$recurse", "true", "false").only("$filter", "children.childType eq Subscription"),
			add("GET", atTenant, management, "managementGroups/{group}/descendants", groups+"/descendants/read", listDescendants).takes("$top", "$skiptoken"),
			read(bare(add("POST", atTenant, management, "getEntities", "", getEntities))).
				takes("$top", "$skiptoken", "$view").only("$view", "FullHierarchy", "SubscriptionsOnly", "GroupsOnly"),
		),
		from(kit.Read, "Azure Resource Graph: Resources (SDK arm-resourcegraph 4.2); a subset of its language",
			read(add("POST", atTenant, resourceGraph, "resources", "Microsoft.ResourceGraph/resources/read", queryResources)),
		),
	)
}

const groupKind = "Microsoft.Management/managementGroups"

func (k *call) rootGroup() string { return "/providers/" + groupKind + "/" + k.tenant.ID }

// rootName is how the root group is called unless somebody named it.
const rootName = "Tenant Root Group"

func listManagement(k *call) (reply, *fault) {
	rows := []object{}
	if k.mayRoot(k.route.action) {
		rows = append(rows, object{"id": k.rootGroup(), "type": groupKind, "name": k.tenant.ID, "properties": object{"tenantId": k.tenant.ID,
			"displayName": rootName}})
	}
	return page(k, rows)
}

// management checks the group of the path: there is one, and it wants a role at the
// root.
func (k *call) managed() *fault {
	if !strings.EqualFold(k.params["group"], k.tenant.ID) || !k.mayRoot("Microsoft.Management/managementGroups/read") {
		return k.denied(k.route.action, "/providers/"+groupKind+"/"+clip(k.params["group"]))
	}
	return nil
}

// live are the subscriptions that are not deleted.
func (k *call) live() []*world.AzureSubscription {
	var out []*world.AzureSubscription
	for a := range k.tenant.Azure.All() {
		if a.State != "Deleted" {
			out = append(out, a)
		}
	}
	return out
}

func getManagement(k *call) (reply, *fault) {
	if f := k.managed(); f != nil {
		return reply{}, f
	}
	props := object{"tenantId": k.tenant.ID, "displayName": rootName, "details": object{"version": 1, "updatedTime": k.tenant.Created.UTC(),
		"updatedBy": k.tenant.ID, "parent": object{}}}
	if strings.Contains(strings.ToLower(k.param("$expand")), "children") {
		children := []object{}
		for _, a := range k.live() {
			children = append(children, object{"type": "/subscriptions", "id": "/subscriptions/" + a.ID, "name": a.ID, "displayName": a.Name})
		}
		props["children"] = children
	}
	return ok(object{"id": k.rootGroup(), "type": groupKind, "name": k.tenant.ID, "properties": props}), nil
}

func listDescendants(k *call) (reply, *fault) {
	if f := k.managed(); f != nil {
		return reply{}, f
	}
	rows := []object{}
	for _, a := range k.live() {
		rows = append(rows, object{"id": "/subscriptions/" + a.ID, "type": groupKind + "/subscriptions", "name": a.ID,
			"properties": object{"displayName": a.Name, "parent": object{"id": k.rootGroup()}}})
	}
	return page(k, rows)
}

// getEntities lists what the caller sees of the hierarchy.
func getEntities(k *call) (reply, *fault) {
	rows, view := []object{}, strings.ToLower(k.param("$view"))
	root := k.mayRoot("Microsoft.Management/managementGroups/read")
	seen := 0
	for _, a := range k.live() {
		if k.sees(a) {
			seen++
		}
	}
	if view != "subscriptionsonly" && (root || seen > 0) {
		permission := "noaccess"
		if root {
			permission = "view"
		}
		rows = append(rows, object{"id": k.rootGroup(), "type": groupKind, "name": k.tenant.ID, "properties": object{"tenantId": k.tenant.ID,
			"displayName": rootName, "parent": object{"id": nil}, "permissions": permission, "inheritedPermissions": permission,
			"numberOfDescendants": seen, "numberOfChildren": seen, "numberOfChildGroups": 0, "parentDisplayNameChain": []string{},
			"parentNameChain": []string{}}})
	}
	for _, a := range k.live() {
		if !k.sees(a) || view == "groupsonly" {
			continue
		}
		permission := "view"
		if k.may(a, "Microsoft.Resources/subscriptions/write", "/subscriptions/"+a.ID) {
			permission = "edit"
		}
		rows = append(rows, object{"id": "/subscriptions/" + a.ID, "type": "/subscriptions", "name": a.ID, "properties": object{"tenantId": k.tenant.ID,
			"displayName": a.Name, "parent": object{"id": k.rootGroup()}, "permissions": permission, "inheritedPermissions": "noaccess",
			"numberOfDescendants": 0, "numberOfChildren": 0, "numberOfChildGroups": 0, "parentDisplayNameChain": []string{rootName},
			"parentNameChain": []string{k.tenant.ID}}})
	}
	rep, f := page(k, rows)
	if f == nil {
		rep.body.(object)["count"] = len(rows)
	}
	return rep, f
}

// accessDenied is Resource Graph's.
var accessDenied = refuse(http.StatusForbidden, "AccessDenied", "The client does not have access to the subscriptions of the request.")
