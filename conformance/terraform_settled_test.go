//go:build terraform

package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// handMade are steps of every kind that Terraform is given, beside those of the
// product's own plans. The policies are not in force: the proof is of the others.
func handMade(t *testing.T, person string) []planStep {
	t.Helper()
	made := func(kind, key, after string) planStep {
		return planStep{Do: "create", Kind: kind, Key: key, Text: "make " + key, After: json.RawMessage(after), First: kind != policyKind,
			Staged: kind == policyKind, Undo: "remove"}
	}
	const strength, location = "authentication-strength", "named-location"
	list := []planStep{
		made("group", "left-out", `{"displayName":"Export: left out","mailNickname":"export-left-out","securityEnabled":true}`),
		made("group-member", "", `{"group":"{left-out}","member":"`+person+`"}`),
		made(location, "office", `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Export: office","ipRanges":[
			{"cidrAddress":"192.0.2.0/24"},{"cidrAddress":"2001:db8::/32"}],"isTrusted":true}`),
		made(location, "lands", `{"@odata.type":"#microsoft.graph.countryNamedLocation","countriesAndRegions":["AT","SE"],"countryLookupMethod":
			"authenticatorAppGps","displayName":"Export: lands","includeUnknownCountriesAndRegions":true}`),
		made(strength, "keys", `{"allowedCombinations":["fido2","password,softwareOath"],"description":"Keys","displayName":"Export: keys"}`),
		made(policyKind, "all-members", `{"conditions":{"applications":{"excludeApplications":["Office365"],"includeApplications":["All"]},"clientAppTypes":
			["browser","mobileAppsAndDesktopClients"],"devices":{"deviceFilter":{"mode":"exclude","rule":"device.displayName -eq \"${x}\""}},"locations":
			{"excludeLocations":["{lands}","{office}"],"includeLocations":["All"]},"platforms":{"excludePlatforms":["android"],"includePlatforms":["all"]},
			"users":{"excludeGroups":["{left-out}"],"excludeGuestsOrExternalUsers":{"externalTenants":
			{"membershipKind":"enumerated","members":["11111111-1111-1111-1111-111111111111"]},
			"guestOrExternalUserTypes":"internalGuest,serviceProvider"},"excludeUsers":["`+person+`"],"includeUsers":["All"]}},"displayName":
			"Export: it's \"${evil}\" %{ if true }","grantControls":{"authenticationStrength":{"id":"{keys}"},"operator":"OR"},"sessionControls":
			{"persistentBrowser":{"isEnabled":true,"mode":"never"},"signInFrequency":{"authenticationType":"primaryAndSecondaryAuthentication",
			"frequencyInterval":"timeBased","isEnabled":true,"type":"hours","value":4}},"state":"enabledForReportingButNotEnforced"}`),
		made(policyKind, "codes", `{"conditions":{"applications":{"includeApplications":["All"]},"authenticationFlows":{"transferMethods":
			"deviceCodeFlow,authenticationTransfer"},"clientAppTypes":["all"],"users":{"includeGuestsOrExternalUsers":{"externalTenants":
			{"membershipKind":"all"},"guestOrExternalUserTypes":"b2bCollaborationGuest"}}},
			"displayName":"Export: codes","grantControls":{"builtInControls":["block"],"operator":"OR"},"state":"disabled"}`),
		made(policyKind, "risk", `{"conditions":{"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"signInRiskLevels":["high","medium"],
			"users":{"includeUsers":["All"]}},"displayName":"Export: risk","grantControls":{"builtInControls":["mfa"],"operator":"OR"},"sessionControls":
			{"signInFrequency":{"authenticationType":"primaryAndSecondaryAuthentication","frequencyInterval":"everyTime","isEnabled":true}},
			"state":"disabled"}`),
		made(policyKind, "registering", `{"conditions":{"applications":{"includeUserActions":["urn:user:registersecurityinfo"]},"clientAppTypes":["all"],
			"users":{"includeRoles":["62e90394-69f5-4237-9190-012177145e10"]}},"displayName":"Export: registering","grantControls":
			{"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"},"builtInControls":["compliantDevice"],"operator":"AND"},
			"sessionControls":{"cloudAppSecurity":{"cloudAppSecurityType":"monitorOnly","isEnabled":true},"disableResilienceDefaults":true},
			"state":"disabled"}`),
	}
	return append(list, changes(t)...)
}

// changes are steps that change a named location and a strength that are there: Graph
// takes a strength's name and its combinations apart, and a plan does.
func changes(t *testing.T) (list []planStep) {
	t.Helper()
	for _, x := range []struct{ kind, name, before, after string }{
		{"named-location", "Headquarters Dublin", `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Headquarters Dublin","ipRanges":
			[{"cidrAddress":"203.0.113.0/24"}],"isTrusted":true}`, `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":
			"Headquarters Dublin","ipRanges":[{"cidrAddress":"203.0.113.0/25"}],"isTrusted":true}`},
		{"authentication-strength", "Security key only", `{"allowedCombinations":["fido2"],"description":"For administrators","displayName":
			"Security key only"}`, `{"allowedCombinations":["fido2"],"description":"For all administrators","displayName":"Security key only"}`},
		{"authentication-strength", "Security key only", `{"allowedCombinations":["fido2"],"description":"For all administrators","displayName":
			"Security key only"}`, `{"allowedCombinations":["fido2","windowsHelloForBusiness"],"description":"For all administrators","displayName":
			"Security key only"}`},
	} {
		id := listed(t, x.kind)[x.name]["id"]
		if id == nil {
			t.Fatalf("there is no %s %q", x.kind, x.name)
		}
		list = append(list, planStep{Do: "update", Kind: x.kind, ID: strings.ToLower(fmt.Sprint(id)), Text: "change " + x.name, First: true,
			Undo: "restore", Before: json.RawMessage(x.before), After: json.RawMessage(x.after)})
	}
	return list
}

const policyKind = "conditional-access-policy"

// collections are where the kinds stand in Graph: v1.0 says unknownFutureValue for the platform linux.
var collections = map[string]string{
	policyKind: "/beta/identity/conditionalAccess/policies", "named-location": "/v1.0/identity/conditionalAccess/namedLocations",
	"authentication-strength": "/v1.0/policies/authenticationStrengthPolicies",
	"group":                   "/v1.0/groups?$select=id,displayName,mailEnabled,mailNickname,securityEnabled,isAssignableToRole&$top=999",
}

// listed are the objects of a kind by name: of those here each is its own.
func listed(t *testing.T, kind string) map[string]map[string]any {
	t.Helper()
	var page struct{ Value []map[string]any }
	pace()
	asAdmin(t, "GET", collections[kind], nil, &page)
	out := map[string]map[string]any{}
	for _, o := range page.Value {
		out[fmt.Sprint(o["displayName"])] = o
		out[strings.ToLower(fmt.Sprint(o["id"]))] = o
	}
	return out
}

// settled reads back what a plan's steps wanted, and compares member by member.
func settled(t *testing.T, steps []planStep) {
	t.Helper()
	there, ids := map[string]map[string]map[string]any{}, []string{}
	for kind := range collections {
		there[kind] = listed(t, kind)
	}
	for i, s := range steps {
		if s.ID != "" && slices.ContainsFunc(steps[i+1:], func(x planStep) bool { return x.ID == s.ID }) {
			continue // a later step is what it comes to
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.NewReplacer(ids...).Replace(string(s.After))), &want); err != nil {
			t.Fatal(err)
		}
		if s.Kind == "group-member" {
			var page struct{ Value []struct{ ID string } }
			asAdmin(t, "GET", fmt.Sprintf("/v1.0/groups/%s/members?$select=id", want["group"]), nil, &page)
			if len(page.Value) != 1 || !strings.EqualFold(page.Value[0].ID, fmt.Sprint(want["member"])) {
				t.Errorf("step %d: the members are %v", s.N, page.Value)
			}
			continue
		}
		name := s.ID
		if s.Do == "create" {
			name = fmt.Sprint(want["displayName"])
		}
		got := there[s.Kind][name]
		if got == nil {
			t.Errorf("step %d: %s is not there", s.N, name)
			continue
		}
		if s.Key != "" {
			ids = append(ids, "{"+s.Key+"}", strings.ToLower(fmt.Sprint(got["id"])))
		}
		if odd := differs("", want, got); len(odd) > 0 {
			t.Errorf("step %d (%s): what is there is another than what is wanted: %v\n%s", s.N, s.Text, odd, s.After)
		}
	}
}

// servers are members that Microsoft's server sets, and what shows that nothing is asked.
var (
	servers = regexp.MustCompile(`^\.(id|createdDateTime|modifiedDateTime|deletedDateTime|templateId|policyType|requirementsSatisfied)$` +
		`|@odata\.context$|^\.combinationConfigurations`)
	guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	none = map[string]any{"countryLookupMethod": "clientIpAddress", "isTrusted": false, "includeUnknownCountriesAndRegions": false,
		"disableResilienceDefaults": false, "mailEnabled": false, "isEnabled": false}
)

// differs are the paths at which two objects of Graph ask for other things. Lists are
// sets there.
func differs(at string, want, got any) (odd []string) {
	if servers.MatchString(at) {
		return nil
	}
	a, isA := want.(map[string]any)
	b, isB := got.(map[string]any)
	if isA || isB {
		if (isA || empty(want)) && (isB || empty(got)) {
			names := maps.Clone(a)
			if names == nil {
				names = map[string]any{}
			}
			maps.Copy(names, b)
			for name := range names {
				x, y, nothing := a[name], b[name], none[name]
				if nothing != nil && (x == nil || x == nothing) && (y == nil || y == nothing) {
					continue
				}
				if strings.HasSuffix(at, ".authenticationStrength") && name != "id" || at != "" && strings.HasPrefix(name, "@odata.") { // Graph shows it whole
					continue
				}
				odd = append(odd, differs(at+"."+name, x, y)...)
			}
			slices.Sort(odd)
			return odd
		}
		return []string{fmt.Sprintf("%s: %v, wanted %v", at, got, want)}
	}
	if plain(want) != plain(got) {
		return []string{fmt.Sprintf("%s: %v, wanted %v", at, got, want)}
	}
	return nil
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	}
	return v == ""
}

// plain is a value to be compared: sets in order, flags too, GUIDs in lower case.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		var list []string
		for _, x := range v {
			list = append(list, plain(x))
		}
		slices.Sort(list)
		return strings.Join(list, "\n")
	case map[string]any: // of ranges
		v = maps.Clone(v)
		delete(v, "@odata.type")
		raw, _ := json.Marshal(v) // members in order
		return string(raw)
	case string:
		if guid.MatchString(v) {
			return strings.ToLower(v)
		}
		if !strings.ContainsRune(v, ' ') && strings.ContainsRune(v, ',') {
			words := strings.Split(v, ",")
			slices.Sort(words)
			return strings.Join(words, ",")
		}
		return v
	}
	return fmt.Sprint(v)
}
