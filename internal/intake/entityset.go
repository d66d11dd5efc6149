package intake

import (
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// types maps @odata.type, without "microsoft.graph.", to its kind.
var types = map[string]evidence.Kind{
	"signin": evidence.SignIn,
	"user":   evidence.User, "agentuser": evidence.User,
	"userregistrationdetails":                          evidence.RegistrationDetails,
	"credentialuserregistrationdetails":                evidence.CredentialRegistration,
	"identitysecuritydefaultsenforcementpolicy":        evidence.SecurityDefaults,
	"conditionalaccesspolicy":                          evidence.ConditionalAccessPolicy,
	"namedlocation":                                    evidence.NamedLocation,
	"ipnamedlocation":                                  evidence.NamedLocation,
	"countrynamedlocation":                             evidence.NamedLocation,
	"compliantnetworknamedlocation":                    evidence.NamedLocation,
	"authenticationstrengthpolicy":                     evidence.AuthenticationStrength,
	"authenticationmethodspolicy":                      evidence.AuthenticationMethods,
	"unifiedroledefinition":                            evidence.RoleDefinition,
	"unifiedroleassignment":                            evidence.RoleAssignment,
	"unifiedroleassignmentschedule":                    evidence.RoleAssignment,
	"unifiedroleassignmentscheduleinstance":            evidence.RoleAssignment,
	"unifiedroleeligibilityschedule":                   evidence.RoleEligibility,
	"unifiedroleeligibilityscheduleinstance":           evidence.RoleEligibility,
	"directoryrole":                                    evidence.DirectoryRole,
	"privilegedaccessgroupassignmentschedule":          evidence.GroupAssignment,
	"privilegedaccessgroupassignmentscheduleinstance":  evidence.GroupAssignment,
	"privilegedaccessgroupeligibilityschedule":         evidence.GroupEligibility,
	"privilegedaccessgroupeligibilityscheduleinstance": evidence.GroupEligibility,
	"group":                                                       evidence.Group,
	"application":                                                 evidence.Application,
	"agentidentityblueprint":                                      evidence.Application,
	"serviceprincipal":                                            evidence.ServicePrincipal,
	"agentidentity":                                               evidence.ServicePrincipal,
	"agentidentityblueprintprincipal":                             evidence.ServicePrincipal,
	"oauth2permissiongrant":                                       evidence.OAuth2PermissionGrant,
	"approleassignment":                                           evidence.AppRoleAssignment,
	"subscribedsku":                                               evidence.SubscribedSku,
	"organization":                                                evidence.Organization,
	"delegatedadminrelationship":                                  evidence.Relationship,
	"resellerdelegatedadminrelationship":                          evidence.Relationship,
	"delegatedadminaccessassignment":                              evidence.AccessAssignment,
	"partner.security.partnersecurityalert":                       evidence.SecurityAlert,
	"partner.security.partnersecurityscore":                       evidence.SecurityScore,
	"partner.security.securityrequirement":                        evidence.SecurityRequirement,
	"partner.security.adminsmfaenforcedsecurityrequirement":       evidence.SecurityRequirement,
	"partner.security.customersmfaenforcedsecurityrequirement":    evidence.SecurityRequirement,
	"partner.security.customersspendingbudgetsecurityrequirement": evidence.SecurityRequirement,
	"partner.security.responsetimesecurityrequirement":            evidence.SecurityRequirement,
	"partner.security.customerinsight":                            evidence.CustomerInsight,
}

// sets maps the end of an entity set's path in @odata.context, in lower case
// and without keys and selections, to its kind. The longest end that fits
// decides.
var sets = map[string]evidence.Kind{
	"auditlogs/signins":         evidence.SignIn,
	"auditlogs/directoryaudits": evidence.DirectoryAudit,
	"users":                     evidence.User,
	"reports/authenticationmethods/userregistrationdetails":     evidence.RegistrationDetails,
	"userregistrationdetails":                                   evidence.RegistrationDetails,
	"credentialuserregistrationdetails":                         evidence.CredentialRegistration,
	"identitysecuritydefaultsenforcementpolicy":                 evidence.SecurityDefaults,
	"conditionalaccess/policies":                                evidence.ConditionalAccessPolicy,
	"policies/conditionalaccesspolicies":                        evidence.ConditionalAccessPolicy,
	"conditionalaccess/namedlocations":                          evidence.NamedLocation,
	"authenticationstrengthpolicies":                            evidence.AuthenticationStrength,
	"authenticationstrength/policies":                           evidence.AuthenticationStrength,
	"authenticationmethodspolicy":                               evidence.AuthenticationMethods,
	"rolemanagement/directory/roledefinitions":                  evidence.RoleDefinition,
	"rolemanagement/directory/roleassignments":                  evidence.RoleAssignment,
	"rolemanagement/directory/roleassignmentschedules":          evidence.RoleAssignment,
	"rolemanagement/directory/roleassignmentscheduleinstances":  evidence.RoleAssignment,
	"rolemanagement/directory/roleeligibilityschedules":         evidence.RoleEligibility,
	"rolemanagement/directory/roleeligibilityscheduleinstances": evidence.RoleEligibility,
	"directoryroles":                                            evidence.DirectoryRole,
	"group/assignmentschedules":                                 evidence.GroupAssignment,
	"group/assignmentscheduleinstances":                         evidence.GroupAssignment,
	"group/eligibilityschedules":                                evidence.GroupEligibility,
	"group/eligibilityscheduleinstances":                        evidence.GroupEligibility,
	"users/authentication/requirements":                         evidence.PerUserMFA,
	"groups":                                                    evidence.Group,
	"applications":                                              evidence.Application,
	"serviceprincipals":                                         evidence.ServicePrincipal,
	"oauth2permissiongrants":                                    evidence.OAuth2PermissionGrant,
	"approleassignments":                                        evidence.AppRoleAssignment,
	"approleassignedto":                                         evidence.AppRoleAssignment,
	"subscribedskus":                                            evidence.SubscribedSku,
	"organization":                                              evidence.Organization,
	"delegatedadminrelationships":                               evidence.Relationship,
	"delegatedadminrelationships/accessassignments":             evidence.AccessAssignment,
	"accessassignments":                                         evidence.AccessAssignment,
	"partner/securityalerts":                                    evidence.SecurityAlert,
	"partner/securityscore":                                     evidence.SecurityScore,
	"partner/securityscore/requirements":                        evidence.SecurityRequirement,
	"partner/securityscore/customerinsights":                    evidence.CustomerInsight,
}

// otherSets are entity sets that resemble ours, with why they are not judged.
var otherSets = map[string]string{
	"auditlogs/provisioning":                                         "provisioning logs, not sign-ins",
	"identityprotection/riskyusers":                                  riskStates,
	"riskyusers":                                                     riskStates,
	"riskdetections":                                                 risks,
	"security/securescores":                                          otherScore,
	"group/assignmentschedulerequests":                               "requests to change memberships of PIM for groups, not the memberships",
	"group/eligibilityschedulerequests":                              "requests to change memberships of PIM for groups, not the memberships",
	"directoryroletemplates":                                         "directory role templates: nobody holds a template",
	"rolemanagement/cloudpc":                                         "Cloud PC roles, not directory roles",
	"rolemanagement/entitlementmanagement":                           "entitlement management roles, not directory roles",
	"rolemanagement/devicemanagement":                                "device management roles, not directory roles",
	"rolemanagement/exchange":                                        "Exchange roles, not directory roles",
	"rolemanagement/defender":                                        "Defender roles, not directory roles",
	"rolemanagement/enterpriseapps":                                  "application roles, not directory roles",
	"roleassignmentschedulerequests":                                 "requests to change roles, not the roles held",
	"roleeligibilityschedulerequests":                                "requests to change roles, not the roles held",
	"rolemanagementpolicyassignments":                                rolePolicies,
	"rolemanagementpolicies":                                         "role settings, which nothing here judges yet",
	"reports/serviceprincipalsigninactivities":                       appUses,
	"managedtenants":                                                 "multi-tenant management totals",
	"credentialuserregistrationssummaries":                           "multi-tenant management totals, not single users",
	"conditionalaccesspolicycoverages":                               "multi-tenant management totals, not policies",
	"users/licensedetails":                                           "licences of one user, not of the tenant",
	"authenticationmethodspolicy/authenticationmethodconfigurations": "single method configurations without their policy",
	"users/authentication/methods":                                   "a user's authentication methods, which nothing here judges yet",
	"partner/securityscore/history":                                  "past scores, not the present one",
	"delegatedadminrelationships/operations":                         operations,
	"delegatedadminrelationships/requests":                           requests,
	"delegatedadmincustomers":                                        customerNames,
	"contracts":                                                      contractNames,
	"policies/authorizationpolicy":                                   authorization,
	"policies/adminconsentrequestpolicy":                             consentAsking,
	"policies/crosstenantaccesspolicy":                               crossTenant,
	"policies/crosstenantaccesspolicy/default":                       crossTenant,
	"devices":             "devices, which nothing here judges",
	"domains":             "domains, which nothing here judges",
	"administrativeunits": "administrative units, which nothing here judges",
}

// rootOnly are sets whose names other services use further down, for something
// else (education/users, termStore/groups).
var rootOnly = map[string]bool{
	"users": true, "groups": true, "applications": true, "serviceprincipals": true, "organization": true,
	"directoryroles": true, "devices": true, "domains": true, "contracts": true,
}

// bySet reads the entity set out of an @odata.context.
func bySet(context string) (evidence.Kind, string) {
	_, set, ok := strings.Cut(context, "#")
	if !ok {
		return "", ""
	}
	set = strings.ToLower(set)
	if inner, ok := strings.CutPrefix(set, "collection("); ok {
		set = strings.TrimSuffix(inner, ")")
	}
	set = withoutParens(set)
	for _, end := range []string{"/$entity", "/$delta", "/"} {
		set = strings.TrimSuffix(set, end)
	}
	if i := strings.LastIndex(set, "microsoft.graph."); i >= 0 && !strings.Contains(set[i:], "/") {
		if k, ok := types[set[i+len("microsoft.graph."):]]; ok { // a cast or a bare type
			return k, ""
		}
		if i == 0 {
			return "", text.Clip(set) + ", which nothing here judges"
		}
		set = strings.TrimSuffix(set[:i], "/")
	}
	if strings.HasPrefix(set, "rolemanagement/") {
		if parts := strings.SplitN(set, "/", 3); len(parts) > 1 {
			if why, ok := otherSets["rolemanagement/"+parts[1]]; ok {
				return "", why
			}
		}
	}
	if strings.Contains(set, "managedtenants/") {
		return "", otherSets["managedtenants"]
	}
	for end := set; ; {
		if end == set || !rootOnly[end] {
			if why, ok := otherSets[end]; ok {
				return "", why
			}
			if k, ok := sets[end]; ok {
				return k, ""
			}
		}
		_, rest, more := strings.Cut(end, "/")
		if !more {
			return "", ""
		}
		end = rest
	}
}

// withoutParens drops keys and selections: users('1')/x(id,y) -> users/x.
func withoutParens(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
