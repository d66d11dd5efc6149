package graph

import (
	"maps"
	"net/http"
	"slices"

	"partnerguard/internal/partnercloud/kit"
)

// policyRoutes are Conditional Access policies at both their addresses, what was
// deleted of them, and the tenant's other policies.
func policyRoutes() (rows []*route) {
	for _, path := range policyPaths {
		rows = append(rows, from(kit.Read, "Graph: conditionalAccessPolicy resource",
			get(path, mayReadPolicies, listPolicies).pages(1000, 1000).of(identity),
			get(path+"/{}", mayReadPolicies, found(findPolicy, getPolicy)).of(identity),
			post(path, mayWritePolicies, createPolicy).of(identity),
			patch(path+"/{}", mayWritePolicies, found(findPolicy, changePolicy)).of(identity),
			del(path+"/{}", mayWritePolicies, found(findPolicy, deletePolicy)).of(identity))...)
	}
	for _, kind := range words("policies namedLocations") {
		path := deletedBase + kind
		rows = append(rows, from(kit.Read, "Graph: caPoliciesDeletableRoot resource",
			get(path, mayReadPolicies, binItems).pages(1000, 1000).of(identity),
			get(path+"/{}", mayReadPolicies, binItems).of(identity),
			post(path+"/{}/restore", mayWritePolicies, found(findInBin, restoreFromBin)).of(identity).bodiless(),
			del(path+"/{}", mayWritePolicies, found(findInBin, emptyBin)).of(identity))...)
	}
	rows = append(rows, singletonRoutes()...)
	for _, name := range slices.Sorted(maps.Keys(stsPolicies())) {
		path, assigned := policiesRoot+name, "servicePrincipals/{}/"+name
		rows = append(rows, from(kit.Known, "Graph: stsPolicy resource; kept and shown, tokens do not follow it",
			get(path, mayReadDefaults, listSTS).pages(100, 999),
			get(path+"/{}", mayReadDefaults, found(findSTS, getSTS)),
			post(path, mayWriteSTS, createSTS),
			patch(path+"/{}", mayWriteSTS, found(findSTS, changeSTS)),
			del(path+"/{}", mayWriteSTS, found(findSTS, deleteSTS)),
			get(assigned, mayReadApps, found(findSP, assignedSTS)).pages(100, 999),
			post(assigned+"/$ref", mayWriteApps, found(findSP, assignedSTS)),
			del(assigned+"/{}/$ref", mayWriteApps, found(findSP, assignedSTS)))...)
	}
	rows = append(rows, from(kit.Known, "Graph: permissionGrantPolicy resource; the built-in ones",
		get(policiesRoot+"permissionGrantPolicies", mayReadGrantPolicies, consentPolicies).pages(100, 999),
		get(policiesRoot+"permissionGrantPolicies/{}", mayReadGrantPolicies, consentPolicies))...)
	for _, x := range [][2]string{
		{"featureRolloutPolicies", "Staged rollout of features"}, {"appManagementPolicies", "Policies of single applications"},
	} {
		rows = append(rows, from(kit.Known, "Graph: "+x[0]+"; none can be made", get(policiesRoot+x[0], mayReadDefaults, noPolicies).pages(100, 999))...)
		for _, r := range leftOut(policiesRoot+x[0], mayReadDefaults, x[1]) {
			if r.method != http.MethodGet || r.last() == "{}" {
				rows = append(rows, r)
			}
		}
	}
	rows = append(rows, from(kit.Known, "Graph: applicationTemplate resource; the custom one",
		get("applicationTemplates", mayReadApps, appTemplates).pages(100, 999),
		get("applicationTemplates/{}", mayReadApps, appTemplates))...)
	for _, x := range [][2]string{
		{"crossTenantAccessPolicy/partners", "Cross-tenant access settings of single partners"},
		{"crossTenantAccessPolicy/templates", "Templates of cross-tenant access settings"},
		{"roleManagementPolicies", "Policies of role activation"}, {"roleManagementPolicyAssignments", "Policies of role activation"},
		{"mobileDeviceManagementPolicies", "Mobile device management policies"}, {"b2bManagementPolicies", "B2B management policies"},
	} {
		rows = append(rows, leftOut(policiesRoot+x[0], mayReadDefaults, x[1])...)
	}
	for _, x := range []string{"snapshots", "snapshots/{}/recoveryJobs", "snapshots/{}/recoveryPreviewJobs", "jobs"} {
		rows = append(rows, leftOut("directory/recovery/"+x, mayReadBackup, "Entra Backup and Recovery")...)
	}
	rows = append(rows, leftOut("admin/configurationManagement", mayReadDefaults, "Tenant configuration management")...)
	return rows
}

// singletonRoutes are the policies of which a tenant has one.
func singletonRoutes() (rows []*route) {
	for _, p := range singletons() {
		read, write := mayReadDefaults, mayWriteSetting(p.name)
		path := policiesRoot + p.name
		list := []*route{get(path, read, p.get)}
		if p.typ == "authorizationPolicy" { // beta has it as a collection of one
			list = []*route{
				get(path, read, p.get).v1(), get(path, read, p.get).pages(100, 999).beta(), get(path+"/{}", read, p.get).beta(),
				patch(path, write, p.change), patch(path+"/{}", write, p.change).beta(),
			}
		}
		switch {
		case p.fields == nil:
			list = append(list, absent(patch(path, read, nil), p.name), absent(on("PUT", path, read, nil), p.name))
		case p.whole:
			list = append(list, on("PUT", path, write, p.change))
		case p.typ != "authorizationPolicy":
			list = append(list, patch(path, write, p.change))
		}
		rows = append(rows, from(kit.Known, "Graph: "+p.typ+" resource", list...)...)
	}
	return rows
}
