package intake

import (
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// dscPlaces says where a property of AADConditionalAccessPolicy stands in a
// policy of Microsoft Graph. Names are compared without case.
var dscPlaces = map[string]string{
	"displayname": "displayName", "id": "id", "state": "state",
	"includeapplications": "conditions.applications.includeApplications", "excludeapplications": "conditions.applications.excludeApplications",
	"includeuseractions":     "conditions.applications.includeUserActions",
	"authenticationcontexts": "conditions.applications.includeAuthenticationContextClassReferences",
	"applicationsfilter":     "conditions.applications.applicationFilter.rule", "applicationsfiltermode": "conditions.applications.applicationFilter.mode",
	"includeusers": "conditions.users.includeUsers", "excludeusers": "conditions.users.excludeUsers",
	"includegroups": "conditions.users.includeGroups", "excludegroups": "conditions.users.excludeGroups",
	"includeroles": "conditions.users.includeRoles", "excluderoles": "conditions.users.excludeRoles",
	"includeguestorexternalusertypes":      "conditions.users.includeGuestsOrExternalUsers.guestOrExternalUserTypes",
	"includeexternaltenantsmembershipkind": "conditions.users.includeGuestsOrExternalUsers.externalTenants.membershipKind",
	"includeexternaltenantsmembers":        "conditions.users.includeGuestsOrExternalUsers.externalTenants.members",
	"excludeguestorexternalusertypes":      "conditions.users.excludeGuestsOrExternalUsers.guestOrExternalUserTypes",
	"excludeexternaltenantsmembershipkind": "conditions.users.excludeGuestsOrExternalUsers.externalTenants.membershipKind",
	"excludeexternaltenantsmembers":        "conditions.users.excludeGuestsOrExternalUsers.externalTenants.members",
	"includeserviceprincipals":             "conditions.clientApplications.includeServicePrincipals",
	"excludeserviceprincipals":             "conditions.clientApplications.excludeServicePrincipals",
	"serviceprincipalfiltermode":           "conditions.clientApplications.servicePrincipalFilter.mode",
	"serviceprincipalfilterrule":           "conditions.clientApplications.servicePrincipalFilter.rule",
	"serviceprincipalrisklevels":           "conditions.servicePrincipalRiskLevels",
	"includeplatforms":                     "conditions.platforms.includePlatforms", "excludeplatforms": "conditions.platforms.excludePlatforms",
	"includelocations": "conditions.locations.includeLocations", "excludelocations": "conditions.locations.excludeLocations",
	"devicefiltermode": "conditions.devices.deviceFilter.mode", "devicefilterrule": "conditions.devices.deviceFilter.rule",
	"userrisklevels": "conditions.userRiskLevels", "signinrisklevels": "conditions.signInRiskLevels", "insiderrisklevels": "conditions.insiderRiskLevels",
	"clientapptypes": "conditions.clientAppTypes", "transfermethods": "conditions.authenticationFlows.transferMethods",
	"grantcontroloperator": "grantControls.operator", "builtincontrols": "grantControls.builtInControls",
	"termsofuse": "grantControls.termsOfUse", "customauthenticationfactors": "grantControls.customAuthenticationFactors",
	"authenticationstrength": "grantControls.authenticationStrength",
	"signinfrequencyvalue":   "sessionControls.signInFrequency.value", "signinfrequencytype": "sessionControls.signInFrequency.type",
	"signinfrequencyisenabled": "sessionControls.signInFrequency.isEnabled", "signinfrequencyinterval": "sessionControls.signInFrequency.frequencyInterval",
}

// dscPassed are properties that say nothing of what a policy does: how it is
// applied, and session controls that ask nothing at sign-in.
var dscPassed = nameSet(`ensure credential applicationid tenantid applicationsecret certificatethumbprint certificatepassword certificatepath
	managedidentity accesstokens resourcename resourceinstancename resourceid instancename dependson psdscrunascredential
	applicationenforcedrestrictionsisenabled cloudappsecurityisenabled cloudappsecuritytype persistentbrowserisenabled persistentbrowsermode
	disableresiliencedefaultsisenabled securesigninsessionisenabled continuousaccessevaluationmode modulename moduleversion isarray`)

// builtInStrengths are the ids of Microsoft's own strengths by their names.
var builtInStrengths = map[string]string{
	"multifactor authentication": entra.StrengthMFA,
	"passwordless mfa":           entra.StrengthPasswordless,
	"phishing-resistant mfa":     entra.StrengthPhishing,
}

// dscRecord reads one resource of a Microsoft365DSC report.
func (f *file) dscRecord(raw []byte, p place) (taken bool, reason string, err error) {
	var properties map[string]any
	if json.Unmarshal(raw, &properties) != nil {
		return false, dscResource, nil
	}
	name := ""
	for k, v := range properties {
		if strings.EqualFold(k, "ResourceName") {
			name, _ = v.(string)
		}
	}
	taken, err = f.dscResource(name, properties, p)
	return taken, dscResource, err
}

// dscResource hands a resource of Microsoft365DSC on as what it is in Microsoft
// Graph. Users and groups stay as they are named there, by user principal name
// and display name; roles and strengths get their ids back where the name is
// Microsoft's own, and are not understood where it is not.
func (f *file) dscResource(kind string, properties map[string]any, p place) (bool, error) {
	for k, v := range properties {
		if strings.EqualFold(k, "Ensure") && strings.EqualFold(fmt.Sprint(v), "Absent") {
			return false, nil
		}
	}
	var out map[string]any
	var as evidence.Kind
	switch strings.ToLower(kind) {
	case "aadconditionalaccesspolicy":
		out, as = dscPolicy(properties), evidence.ConditionalAccessPolicy
	case "aadnamedlocationpolicy":
		out, as = dscLocation(properties), evidence.NamedLocation
	default:
		return false, nil
	}
	f.format("microsoft365dsc report")
	raw, err := json.Marshal(out)
	if err != nil {
		return false, nil
	}
	return true, f.emit(as, raw, p)
}

func dscPolicy(properties map[string]any) map[string]any {
	out := map[string]any{"conditions": map[string]any{"users": map[string]any{}, "applications": map[string]any{}}, "grantControls": nil}
	for k, v := range properties {
		low := strings.ToLower(k)
		at := dscPlaces[low]
		switch {
		case dscPassed[low] || isEmptyValue(v):
			continue
		case at == "":
			at = "conditions." + k // not known here: the engine shall name it
		case low == "includeroles", low == "excluderoles":
			v = eachText(v, func(s string) any {
				if id := roleIDs[strings.ToLower(s)]; id != "" {
					return id
				}
				return idOr(s)
			})
		case low == "includeapplications", low == "excludeapplications":
			v = eachText(v, idOr)
		case low == "authenticationstrength":
			if s, ok := v.(string); ok {
				strength := map[string]any{"displayName": s}
				if id := builtInStrengths[strings.ToLower(s)]; id != "" {
					strength["id"] = id
				} else if guid.MatchString(s) {
					strength = map[string]any{"id": s}
				}
				v = strength
			} else {
				at = "grantControls.the strength" // computed: the engine shall name it
			}
		case low == "state":
			v = stateOf(v)
		}
		set(out, strings.Split(at, "."), v)
	}
	return out
}

// idOr keeps an id and Microsoft's own words; another name is of something that
// cannot be told.
func idOr(s string) any {
	if guid.MatchString(s) || policyWords[strings.ToLower(s)] {
		return s
	}
	return text.Computed("the name " + s)
}

// eachText maps the texts of a list, or of one text.
func eachText(v any, f func(string) any) any {
	switch v := v.(type) {
	case string:
		return []any{f(v)}
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if s, ok := e.(string); ok {
				e = f(s)
			}
			out = append(out, e)
		}
		return out
	}
	return v
}

// set puts a value at a path of objects.
func set(m map[string]any, at []string, v any) {
	for _, k := range at[:len(at)-1] {
		inner, ok := m[k].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[k] = inner
		}
		m = inner
	}
	m[at[len(at)-1]] = v
}

// dscLocation brings AADNamedLocationPolicy to Microsoft Graph's form. Policies
// of the same tool name places by their display name, so that is the id.
func dscLocation(properties map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range properties {
		switch strings.ToLower(k) {
		case "displayname":
			out["displayName"], out["id"] = v, v
		case "odatatype":
			out["@odata.type"] = v
		case "istrusted":
			out["isTrusted"] = v
		case "countriesandregions":
			out["countriesAndRegions"] = v
		case "countrylookupmethod":
			out["countryLookupMethod"] = v
		case "includeunknowncountriesandregions":
			out["includeUnknownCountriesAndRegions"] = v
		case "ipranges":
			out["ipRanges"] = eachText(v, func(s string) any { return map[string]any{"cidrAddress": s} })
		}
	}
	return out
}

// dscText reads the resources out of a Microsoft365DSC configuration.
func (f *file) dscText(source []byte) error {
	s := text.NewDSC(source)
	n, others := 0, 0
	for {
		kind, line, ok := s.Resource()
		if !ok {
			break
		}
		properties, err := s.Properties()
		if err != nil {
			if !strings.HasPrefix(strings.ToUpper(kind), "AADCONDITIONAL") && !strings.HasPrefix(strings.ToUpper(kind), "AADNAMEDLOC") {
				continue
			}
			f.fault(f.at(place{line: line}), 0, "a resource of Microsoft365DSC that is not read: "+err.Error()+
				" (use GET /identity/conditionalAccess/policies)")
			return nil
		}
		took, failed := f.dscResource(kind, properties, place{line: line, part: kind})
		switch {
		case failed != nil:
			return failed
		case took:
			n++
		default:
			others++
		}
		if n+others > maxResources {
			f.fault(f.at(place{line: line}), 0, "more resources than are read of one configuration")
			return nil
		}
	}
	if others > 0 || n == 0 {
		f.foreign(dscResource)
	}
	return nil
}

// maxResources bounds the resources read of one configuration.
const maxResources = 100_000
