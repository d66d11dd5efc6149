package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// policyFields is the Conditional Access policy of contracts.md section 3.6. A
// body is refused whole when it says anything else.
func policyFields(beta bool) fields {
	ids := list(text().upTo(200)).need()
	external := obj(fields{
		"guestOrExternalUserTypes": flags("none internalGuest b2bCollaborationGuest b2bCollaborationMember b2bDirectConnectUser otherExternalUser " +
			"serviceProvider"),
		"externalTenants": obj(fields{"membershipKind": enum("all enumerated"), "members": list(text().upTo(40))}),
	})
	levels := list(enum("low medium high hidden none")).need()
	platforms := list(enum("android iOS windows windowsPhone macOS linux all")).need()
	filter := obj(fields{"mode": enum("include exclude"), "rule": text().upTo(3072)})
	conditions := fields{
		"users": obj(fields{
			"includeUsers": ids, "excludeUsers": ids, "includeGroups": ids, "excludeGroups": ids, "includeRoles": ids, "excludeRoles": ids,
			"includeGuestsOrExternalUsers": external, "excludeGuestsOrExternalUsers": external,
		}),
		"applications": obj(fields{
			"includeApplications": ids, "excludeApplications": ids, "includeUserActions": list(enum("urn:user:registersecurityinfo urn:user:registerdevice")).
						need(),
			"includeAuthenticationContextClassReferences": ids, "applicationFilter": filter,
		}),
		"clientAppTypes":             list(enum("all browser mobileAppsAndDesktopClients exchangeActiveSync easSupported other")).need(),
		"platforms":                  obj(fields{"includePlatforms": platforms, "excludePlatforms": platforms}),
		"locations":                  obj(fields{"includeLocations": ids, "excludeLocations": ids}),
		"devices":                    obj(fields{"deviceFilter": filter}),
		"signInRiskLevels":           levels,
		"userRiskLevels":             levels,
		"servicePrincipalRiskLevels": levels,
		"insiderRiskLevels":          flags("minor moderate elevated"),
		"authenticationFlows":        obj(fields{"transferMethods": flags("none deviceCodeFlow authenticationTransfer")}),
		"clientApplications":         obj(fields{"includeServicePrincipals": ids, "excludeServicePrincipals": ids, "servicePrincipalFilter": filter}),
	}
	session := fields{
		"signInFrequency": obj(fields{
			"isEnabled": flag(), "value": number(), "type": enum("days hours"),
			"authenticationType": enum("primaryAndSecondaryAuthentication secondaryAuthentication"), "frequencyInterval": enum("timeBased everyTime"),
		}),
		"persistentBrowser":               obj(fields{"isEnabled": flag(), "mode": enum("always never")}),
		"cloudAppSecurity":                obj(fields{"isEnabled": flag(), "cloudAppSecurityType": enum("mcasConfigured monitorOnly blockDownloads")}),
		"applicationEnforcedRestrictions": obj(fields{"isEnabled": flag()}),
		"disableResilienceDefaults":       flag(),
		"secureSignInSession":             obj(fields{"isEnabled": flag()}),
	}
	if beta {
		addAgents(conditions, ids, filter)
		session["globalSecureAccessFilteringProfile"] = obj(fields{"isEnabled": flag(), "profileId": text().upTo(100)})
		session["continuousAccessEvaluation"] = obj(fields{"mode": enum("strictEnforcement disabled strictLocation")})
	}
	return fields{
		"id": readOnly(), "createdDateTime": readOnly(), "modifiedDateTime": readOnly(), "templateId": readOnly(), "deletedDateTime": readOnly(),
		"displayName": text().need().upTo(256), "description": text().upTo(1500), "state": enum("enabled disabled enabledForReportingButNotEnforced").need(),
		"conditions": obj(conditions).need(), "partialEnablementStrategy": unused(),
		"grantControls": obj(fields{
			"operator": enum("AND OR"),
			"builtInControls": list(enum("block mfa compliantDevice domainJoinedDevice approvedApplication compliantApplication passwordChange " +
				"riskRemediation")).need(),
			// References that clients send back from what they read.
			"authenticationStrength": obj(fields{
				"id": text(), "displayName": text(), "description": text(), "policyType": text(), "requirementsSatisfied": text(), "createdDateTime": text(),
				"modifiedDateTime":    text(),
				"allowedCombinations": list(text()), "combinationConfigurations": list(anything()),
			}),
			"customAuthenticationFactors": list(text()).need(), "termsOfUse": list(text()).need(),
		}),
		"sessionControls": obj(session),
	}
}

// addAgents adds what beta alone has, of agents most (contracts-2026-11.md section
// 1.5); what is deprecated can only be null.
func addAgents(conditions fields, ids, filter *spec) {
	maps.Copy(conditions["clientApplications"].props, fields{
		"includeAgentIdServicePrincipals": ids, "excludeAgentIdServicePrincipals": ids, "agentIdServicePrincipalFilter": filter,
	})
	maps.Copy(conditions["applications"].props, fields{"globalSecureAccess": unused(), "networkAccess": unused()})
	maps.Copy(conditions["devices"].props, fields{
		"includeDevices": unused(), "excludeDevices": unused(), "includeDeviceStates": unused(), "excludeDeviceStates": unused(),
	})
	contexts := list(enum("agentUserSessionsInitiatedFromEndpoints")).need()
	maps.Copy(conditions, fields{
		"agentIdRiskLevels": flags("low medium high"), "deviceStates": unused(), "times": unused(),
		"agents":       obj(fields{"includeAgentUsers": ids, "excludeAgentUsers": ids, "agentFilter": filter}),
		"agentContext": obj(fields{"includeAgentContexts": contexts, "excludeAgentContexts": contexts}),
	})
}

// only drops what a version does not know of a settings object.
func only(fs fields, m map[string]any) map[string]any {
	for k, v := range m {
		s := fs[k]
		if s == nil && !strings.Contains(k, "@odata.") {
			delete(m, k)
		}
		if inside, ok := v.(map[string]any); ok && s != nil && s.kind == kObject {
			only(s.props, inside)
		}
	}
	return m
}

// unpublished are conditions that policies of today hold and the published schema
// does not: they are shown where they say something.
var unpublished = []string{"agents", "agentContext"}

// shownNever are members that may be sent as null, and are never shown.
var shownNever = []string{"partialEnablementStrategy"}

func policyNames() []string {
	return []string{
		"id", "templateId", "displayName", "description", "createdDateTime", "modifiedDateTime", "state", "deletedDateTime", "conditions",
		"grantControls", "sessionControls",
	}
}

// shownPolicy is a policy as Graph shows it: the strength in full, newer enum
// members hidden from who did not ask.
func (c *call) shownPolicy(t *world.Tenant, d *world.Document) *document {
	fs := policyFields(c.beta)
	m := fill(fs, only(fs, decodeObject(d.Raw)))
	for _, name := range shownNever {
		delete(m, name)
	}
	cond := inner(m, "conditions")
	for _, name := range unpublished {
		if cond != nil && cond[name] == nil {
			delete(cond, name)
		}
	}
	if !d.Deleted.IsZero() {
		m["deletedDateTime"] = d.Deleted
	}
	hideUnused(fs, m)
	if g := inner(m, "grantControls"); g != nil {
		if st := inner(g, "authenticationStrength"); st != nil {
			if full := t.Strengths.Get(str(st, "id")); full != nil {
				g["authenticationStrength"] = shownStrength(full)
			}
		}
		c.evolveWords(g, "builtInControls", "riskRemediation")
	}
	if p := inner(inner(m, "conditions"), "platforms"); p != nil {
		c.evolveWords(p, "includePlatforms", "linux")
		c.evolveWords(p, "excludePlatforms", "linux")
	}
	for _, side := range []string{"includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"} {
		if x := inner(inner(inner(inner(m, "conditions"), "users"), side), "externalTenants"); x != nil {
			if x["@odata.type"] == nil {
				x["@odata.type"] = "#microsoft.graph.conditionalAccessAllExternalTenants"
				if str(x, "membershipKind") == "enumerated" {
					x["@odata.type"] = "#microsoft.graph.conditionalAccessEnumeratedExternalTenants"
				}
			}
			if str(x, "membershipKind") != "enumerated" {
				delete(x, "members")
			}
		}
	}
	delete(m, "@odata.type")
	raw, err := json.Marshal(m)
	if err != nil {
		raw = d.Raw
	}
	return newDocument(d.ID, raw)
}

// hideUnused takes members off that are deprecated and have no value.
func hideUnused(fs fields, m map[string]any) {
	for k, s := range fs {
		switch inside, _ := m[k].(map[string]any); {
		case s.kind == kNull:
			delete(m, k)
		case s.kind == kObject && inside != nil:
			hideUnused(s.props, inside)
		}
	}
}

// evolveWords hides one newer member in a collection.
func (c *call) evolveWords(m map[string]any, key, member string) {
	l, _ := m[key].([]any)
	if c.unknown || len(l) == 0 {
		return
	}
	l = slices.Clone(l)
	for i, v := range l {
		if v == member {
			l[i] = futureValue
		}
	}
	m[key] = l
}
