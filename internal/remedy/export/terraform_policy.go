package export

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// tf says how a member stands in the provider: an attribute, a list of the words of one
// text, or a block of members.
type tf struct {
	name  string
	words bool // flags in Graph, a list here
	block map[string]tf
	only  string // the one member of an object that is an attribute here
}

func attr(name string) tf { return tf{name: name} }

var tfGuests = map[string]tf{
	"guestOrExternalUserTypes": {name: "guest_or_external_user_types", words: true},
	"externalTenants":          {name: "external_tenants", block: map[string]tf{"membershipKind": attr("membership_kind"), "members": attr("members")}},
}

var tfFilter = map[string]tf{"mode": attr("mode"), "rule": attr("rule")}

var tfConditions = map[string]tf{
	"users": {name: "users", block: map[string]tf{
		"includeUsers": attr("included_users"), "excludeUsers": attr("excluded_users"), "includeGroups": attr("included_groups"),
		"excludeGroups": attr("excluded_groups"), "includeRoles": attr("included_roles"), "excludeRoles": attr("excluded_roles"),
		"includeGuestsOrExternalUsers": {name: "included_guests_or_external_users", block: tfGuests},
		"excludeGuestsOrExternalUsers": {name: "excluded_guests_or_external_users", block: tfGuests},
	}},
	"applications": {name: "applications", block: map[string]tf{
		"includeApplications": attr("included_applications"), "excludeApplications": attr("excluded_applications"),
		"includeUserActions": attr("included_user_actions"), "applicationFilter": {name: "filter", block: tfFilter},
	}},
	"clientAppTypes": attr("client_app_types"),
	"platforms": {name: "platforms", block: map[string]tf{
		"includePlatforms": attr("included_platforms"), "excludePlatforms": attr("excluded_platforms")}},
	"locations": {name: "locations", block: map[string]tf{
		"includeLocations": attr("included_locations"), "excludeLocations": attr("excluded_locations")}},
	"devices":                    {name: "devices", block: map[string]tf{"deviceFilter": {name: "filter", block: tfFilter}}},
	"authenticationFlows":        {name: "authentication_flow_transfer_methods", only: "transferMethods", words: true}, // since 3.8
	"insiderRiskLevels":          {name: "insider_risk_levels", only: oneWord},
	"signInRiskLevels":           attr("sign_in_risk_levels"),
	"userRiskLevels":             attr("user_risk_levels"),
	"servicePrincipalRiskLevels": attr("service_principal_risk_levels"),
	"clientApplications": {name: "client_applications", block: map[string]tf{
		"includeServicePrincipals": attr("included_service_principals"), "excludeServicePrincipals": attr("excluded_service_principals"),
		"servicePrincipalFilter": {name: "filter", block: tfFilter}}},
}

var tfGrant = map[string]tf{
	"operator": attr("operator"), "builtInControls": attr("built_in_controls"), "customAuthenticationFactors": attr("custom_authentication_factors"),
	"termsOfUse": attr("terms_of_use"),
}

// oneWord marks flags of which the provider takes one.
const oneWord = ","

// block writes members as the provider has them.
func (w *writer) block(b *hclwrite.Body, m map[string]any, names map[string]tf, at string) {
	for _, k := range sorted(m) {
		n, has := names[k]
		inner, isObject := m[k].(map[string]any)
		if n.only == oneWord {
			s, _ := m[k].(string)
			has = !strings.Contains(s, oneWord)
		} else if isObject && n.only != "" && len(inner) == 1 && inner[n.only] != nil {
			w.block(b, map[string]any{n.only: inner[n.only]}, map[string]tf{n.only: {name: n.name, words: n.words}}, at+"."+k)
			continue
		}
		switch {
		case !has || (n.block != nil) != isObject:
			w.odd = append(w.odd, at+"."+k)
		case isObject:
			w.block(b.AppendNewBlock(n.name, nil).Body(), inner, n.block, at+"."+k)
		case n.words:
			var words []any
			s, _ := m[k].(string)
			for p := range strings.SplitSeq(s, ",") {
				words = append(words, p)
			}
			b.SetAttributeRaw(n.name, w.value(words))
		default:
			b.SetAttributeRaw(n.name, w.value(m[k]))
		}
	}
}

func (w *writer) policy(b *hclwrite.Body, m map[string]any) {
	for _, k := range sorted(m) {
		inner, _ := m[k].(map[string]any)
		switch k {
		case "displayName":
			b.SetAttributeRaw("display_name", w.value(m[k]))
		case "state":
			b.SetAttributeRaw("state", w.value(m[k]))
		case "conditions":
			w.block(b.AppendNewBlock("conditions", nil).Body(), inner, tfConditions, k)
		case "grantControls":
			g := b.AppendNewBlock("grant_controls", nil).Body()
			rest := map[string]any{}
			for name, v := range inner {
				if name != "authenticationStrength" {
					rest[name] = v
				}
			}
			w.block(g, rest, tfGrant, k)
			if s, is := inner["authenticationStrength"].(map[string]any); is {
				w.strength(g, s)
			}
		case "sessionControls":
			w.session(b.AppendNewBlock("session_controls", nil).Body(), inner)
		default:
			w.odd = append(w.odd, k)
		}
	}
}

// strength names a strength by its address, as the provider does.
func (w *writer) strength(b *hclwrite.Body, s map[string]any) {
	id, _ := s["id"].(string)
	if ref, is := w.keys[id]; is {
		b.SetAttributeRaw("authentication_strength_policy_id", hclwrite.TokensForTraversal(ref))
		return
	}
	b.SetAttributeValue("authentication_strength_policy_id", cty.StringVal("/policies/authenticationStrengthPolicies/"+id))
}

// session writes session controls: each is on by being there.
func (w *writer) session(b *hclwrite.Body, m map[string]any) {
	for _, k := range sorted(m) {
		c, _ := m[k].(map[string]any)
		var names map[string]string
		switch k {
		case "applicationEnforcedRestrictions":
			b.SetAttributeValue("application_enforced_restrictions_enabled", cty.True)
			names = map[string]string{}
		case "disableResilienceDefaults":
			b.SetAttributeRaw("disable_resilience_defaults", w.value(m[k]))
			continue
		case "cloudAppSecurity":
			names = map[string]string{"cloudAppSecurityType": "cloud_app_security_policy"}
		case "persistentBrowser":
			names = map[string]string{"mode": "persistent_browser_mode"}
		case "signInFrequency":
			names = map[string]string{"value": "sign_in_frequency", "type": "sign_in_frequency_period",
				"authenticationType": "sign_in_frequency_authentication_type", "frequencyInterval": "sign_in_frequency_interval"}
		default:
			w.odd = append(w.odd, "sessionControls."+k)
			continue
		}
		rest := map[string]any{}
		for name, v := range c {
			if name != "isEnabled" || v != true {
				rest[name] = v
			}
		}
		w.fields(b, rest, names)
	}
}

func (w *writer) location(b *hclwrite.Body, m map[string]any) {
	b.SetAttributeRaw("display_name", w.value(m["displayName"]))
	country := m["@odata.type"] == "#microsoft.graph.countryNamedLocation"
	if !country && m["@odata.type"] != "#microsoft.graph.ipNamedLocation" {
		w.odd = append(w.odd, "@odata.type")
		return
	}
	rest := map[string]any{}
	for k, v := range m {
		if k != "displayName" && k != "@odata.type" {
			rest[k] = v
		}
	}
	if country {
		w.fields(b.AppendNewBlock("country", nil).Body(), rest, map[string]string{"countriesAndRegions": "countries_and_regions",
			"includeUnknownCountriesAndRegions": "include_unknown_countries_and_regions", "countryLookupMethod": "country_lookup_method"})
		return
	}
	ip := b.AppendNewBlock("ip", nil).Body()
	var ranges []any
	l, _ := rest["ipRanges"].([]any)
	for _, x := range l {
		r, _ := x.(map[string]any)
		ranges = append(ranges, r["cidrAddress"])
	}
	delete(rest, "ipRanges")
	ip.SetAttributeRaw("ip_ranges", w.value(ranges))
	w.fields(ip, rest, map[string]string{"isTrusted": "trusted"})
}
