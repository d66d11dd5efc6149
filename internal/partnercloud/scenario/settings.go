package scenario

import (
	"cmp"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// settings makes policies and what they use.
func (b *builder) settings(t *world.Tenant, s *Settings) {
	for _, st := range builtinStrengths() {
		at := time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC)
		t.Strengths.Put(&world.Document{ID: st.id, Raw: b.strengthJSON(st.id, st.name, st.about, "builtIn", st.combinations, at), Created: at})
	}
	for i := range s.Strengths {
		st := &s.Strengths[i]
		id := b.state.GUID("strength/" + t.ID + "/" + strings.ToLower(st.Name))
		t.Strengths.Put(&world.Document{ID: id, Raw: b.strengthJSON(id, st.Name, st.About, "custom", st.Combinations, t.Created), Created: t.Created})
	}
	for i := range s.Locations {
		l := &s.Locations[i]
		id := b.state.GUID("location/" + t.ID + "/" + strings.ToLower(l.Name))
		v := map[string]any{"id": id, "displayName": l.Name, "createdDateTime": t.Created.Format(time.RFC3339),
			"modifiedDateTime": t.Created.Format(time.RFC3339)}
		if len(l.Countries) > 0 {
			v["@odata.type"], v["countriesAndRegions"], v["countryLookupMethod"],
				v["includeUnknownCountriesAndRegions"] = "#microsoft.graph.countryNamedLocation", l.Countries, "clientIpAddress", l.Unknown
		} else {
			ranges := []any{}
			for _, n := range l.Networks {
				kind := "#microsoft.graph.iPv4CidrRange"
				if strings.Contains(n, ":") {
					kind = "#microsoft.graph.iPv6CidrRange"
				}
				ranges = append(ranges, map[string]any{"@odata.type": kind, "cidrAddress": n})
			}
			v["@odata.type"], v["isTrusted"], v["ipRanges"] = "#microsoft.graph.ipNamedLocation", l.Trusted, ranges
		}
		t.Locations.Put(&world.Document{ID: id, Raw: mustJSON(v), Created: t.Created})
	}
	b.methodsPolicy(t, s)
	for i := range s.Policies {
		t.Policies.Put(b.policy(t, &s.Policies[i]))
	}
}

func (b *builder) methodsPolicy(t *world.Tenant, s *Settings) {
	t.MethodsPolicy = world.Document{ID: "authenticationMethodsPolicy", Created: t.Created, Raw: mustJSON(map[string]any{
		"id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy",
		"description": "The tenant-wide policy that controls which authentication methods are allowed in the tenant, authentication method " +
			"registration requirements, and self-service password reset settings",
		"lastModifiedDateTime": t.Created.Format(time.RFC3339), "policyVersion": "1.5", "policyMigrationState": "migrationComplete",
		"registrationEnforcement": map[string]any{"authenticationMethodsRegistrationCampaign": map[string]any{"snoozeDurationInDays": 1,
			"enforceRegistrationAfterAllowedSnoozes": true, "state": "default", "excludeTargets": []any{},
			"includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}}}},
	})}
	everybody := []any{map[string]any{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}}
	for _, m := range methodConfigs() {
		state := "disabled"
		if m.on {
			state = "enabled"
		}
		for k, v := range s.Methods {
			if strings.EqualFold(k, m.id) {
				state = v
			}
		}
		v := map[string]any{"@odata.type": "#microsoft.graph." + m.typ + "AuthenticationMethodConfiguration", "id": m.id, "state": state,
			"excludeTargets": []any{}, "includeTargets": everybody}
		for k, x := range m.more {
			v[k] = x
		}
		t.MethodConfigs.Put(&world.Document{ID: m.id, Raw: mustJSON(v), Created: t.Created})
	}
	for i := range s.External {
		e := &s.External[i]
		targets := everybody
		if len(e.Groups) > 0 {
			targets = nil
			for _, g := range e.Groups {
				targets = append(targets, map[string]any{"targetType": "group", "id": b.groupID(t, g), "isRegistrationRequired": false})
			}
		}
		appID := ""
		if a := b.sc.app(e.App); a != nil {
			appID = b.appIDOf(a)
		}
		id := b.state.GUID("external/" + e.Name)
		t.MethodConfigs.Put(&world.Document{ID: id, Created: t.Created, Raw: mustJSON(map[string]any{
			"@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration", "id": id, "displayName": e.Name, "state": cmp.Or(e.State, "enabled"),
			"appId":                appID,
			"openIdConnectSetting": map[string]any{"clientId": e.ClientID, "discoveryUrl": e.Discovery}, "includeTargets": targets, "excludeTargets": []any{},
		})})
	}
}
