package graph

import (
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// appRoutes are owners and credentials of applications and service principals, and
// what of their neighbourhood is left out.
func appRoutes() (rows []*route) {
	rows = []*route{
		get("applications/{}/owners", mayReadApps, found(ownedApp, listOwners)).objects().units(2),
		get("applications/{}/owners/{}", mayReadApps, found(ownedApp, getOwner)),
		get("applications/{}/owners/{}/$ref", mayReadApps, found(ownedApp, getOwner)),
		post("applications/{}/owners/$ref", mayWriteApps, found(ownedApp, addOwner)),
		del("applications/{}/owners/{}/$ref", mayWriteApps, found(ownedApp, removeOwner)),
		get("servicePrincipals/{}/owners", mayReadApps, found(ownedSP, listOwners)).objects().units(2),
		get("servicePrincipals/{}/owners/{}", mayReadApps, found(ownedSP, getOwner)),
		get("servicePrincipals/{}/owners/{}/$ref", mayReadApps, found(ownedSP, getOwner)),
		post("servicePrincipals/{}/owners/$ref", mayWriteApps, found(ownedSP, addOwner)),
		del("servicePrincipals/{}/owners/{}/$ref", mayWriteApps, found(ownedSP, removeOwner)),
		get("servicePrincipals/{}/ownedObjects", mayReadApps, found(findSP, ownedBySP)).objects().units(2),
		post("servicePrincipals/{}/addPassword", mayWriteApps, found(spHolder, addPassword)).bodiless(),
		post("servicePrincipals/{}/removePassword", mayWriteApps, found(spHolder, removePassword)),
		post("servicePrincipals/{}/addKey", mayWriteApps, found(spHolder, addKey)),
		post("servicePrincipals/{}/removeKey", mayWriteApps, found(spHolder, removeKey)),
		get("users/{}/ownedObjects", mayReadMemberships, found((*call).findUser, ownedByUser)).objects().units(2),
	}
	for _, name := range words("appRoles keyCredentials passwordCredentials identifierUris requiredResourceAccess tags") {
		rows = append(rows, get("applications/{}/"+name, mayReadApps, found(findApp, appProperty)))
	}
	for _, name := range words("appRoles keyCredentials oauth2PermissionScopes passwordCredentials replyUrls servicePrincipalNames tags") {
		rows = append(rows, get("servicePrincipals/{}/"+name, mayReadApps, found(findSP, spProperty)))
	}
	rows = from(kit.Known, "Graph: application and servicePrincipal resources", rows...)
	rows = append(rows, leftOut("servicePrincipals/{}/delegatedPermissionClassifications", mayReadApps, "Delegated permission classifications")...)
	rows = append(rows, leftOut("servicePrincipals/{}/synchronization", mayReadApps, "Provisioning by synchronization jobs")...)
	rows = append(rows, leftOut("servicePrincipals/{}/addTokenSigningCertificate", mayWriteApps, "SAML token signing")...)
	rows = append(rows, leftOut("applications/{}/extensionProperties", mayReadApps, "Directory extensions")...)
	rows = append(rows, leftOut("applications/{}/logo", mayReadApps, "Logos of applications")...)
	rows = append(rows, leftOut("applications/{}/appManagementPolicies", mayReadApps, "Policies of single applications")...)
	rows = append(rows, leftOut("applicationTemplates/{}/instantiate", mayWriteApps, "Making applications from the gallery")...)
	return rows
}

// leftOut are the rows of a resource that Microsoft serves and this cloud does not:
// every method on it and on what lies in it answers by its name.
func leftOut(pattern string, who permit, name string) (rows []*route) {
	for _, p := range []string{pattern, pattern + "/{}"} {
		for _, r := range []*route{get(p, who, nil), post(p, who, nil).bodiless(), patch(p, who, nil), del(p, who, nil), on("PUT", p, who, nil)} {
			rows = append(rows, absent(r, name))
		}
	}
	return from(kit.Ours, "Left out", rows...)
}

// absent makes a row answer by the name of what is left out.
func absent(r *route, name string) *route {
	r.leftOut = name
	r.do = func(*call, *world.State, *world.Tenant) (*reply, error) { return nil, kit.LeftOut(name) }
	return r
}
