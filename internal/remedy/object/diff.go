package object

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
)

// Names gives an id the name that people know it by; "" where it has none. nil is allowed.
type Names func(id string) string

// Change is one difference of two objects. Path is a JSON pointer; Old and New are JSON,
// "" where there is nothing. Words say it to a person, one clause without a full stop.
type Change struct {
	Path  string `json:"path"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	Words string `json:"words"`
}

// Diff says what is different, in the order of paths, and in words. nil is no object:
// what is made is all new.
func Diff(kind remedy.Kind, a, b json.RawMessage, names Names) []Change {
	x, _, err := tree(kind, a)
	y, _, bad := tree(kind, b)
	if err != nil || bad != nil {
		return []Change{{Words: "it cannot be read"}}
	}
	if x != nil && y == nil {
		return []Change{{Old: string(write(x)), Words: "it is taken away"}}
	}
	return diff(kinds[kind].shape, x, y, "", names)
}

func diff(s *shape, a, b map[string]any, at string, names Names) (out []Change) {
	for _, name := range union(a, b) {
		old, now := a[name], b[name]
		if same(old, now) {
			continue
		}
		path := at + "/" + name
		sub := s.members[name]
		x, xIs := old.(map[string]any)
		y, yIs := now.(map[string]any)
		if sub != nil && sub.form == node && (xIs || old == nil) && (yIs || now == nil) && !phrased(path, now) {
			if more := diff(sub, x, y, path, names); len(more) > 0 {
				out = append(out, more...)
				continue
			}
		}
		c := Change{Path: path, Words: say(path, old, now, names)}
		if old != nil {
			c.Old = string(write(old))
		}
		if now != nil {
			c.New = string(write(now))
		}
		out = append(out, c)
	}
	return out
}

// phrased reports an object that is said as a whole.
func phrased(path string, v any) bool {
	switch path {
	case "/sessionControls/signInFrequency", "/conditions/devices/deviceFilter", "/conditions/applications/applicationFilter":
		return true
	}
	return false
}

// labels are what people call a member: Microsoft's words of the admin centre.
var labels = map[string]string{
	"/displayName": "the name", "/state": "the state", "/description": "the description",
	"/conditions/users/includeUsers": "users it is for", "/conditions/users/excludeUsers": "users left out",
	"/conditions/users/includeGroups": "groups it is for", "/conditions/users/excludeGroups": "groups left out",
	"/conditions/users/includeRoles": "roles it is for", "/conditions/users/excludeRoles": "roles left out",
	"/conditions/users/includeGuestsOrExternalUsers/guestOrExternalUserTypes":       "kinds of guests it is for",
	"/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes":       "kinds of guests left out",
	"/conditions/users/includeGuestsOrExternalUsers/externalTenants/membershipKind": "tenants whose guests it is for",
	"/conditions/users/excludeGuestsOrExternalUsers/externalTenants/membershipKind": "tenants whose guests are left out",
	"/conditions/users/includeGuestsOrExternalUsers/externalTenants/members":        "tenants whose guests it is for",
	"/conditions/users/excludeGuestsOrExternalUsers/externalTenants/members":        "tenants whose guests are left out",
	"/conditions/applications/includeApplications":                                  "resources it is for",
	"/conditions/applications/excludeApplications":                                  "resources left out",
	"/conditions/applications/includeUserActions":                                   "user actions it is for",
	"/conditions/applications/includeAuthenticationContextClassReferences":          "authentication contexts it is for",
	"/conditions/applications/applicationFilter":                                    "the filter for apps",
	"/conditions/clientAppTypes":                                                    "client apps",
	"/conditions/platforms/includePlatforms":                                        "device platforms it is for",
	"/conditions/platforms/excludePlatforms":                                        "device platforms left out",
	"/conditions/locations/includeLocations":                                        "locations it is for",
	"/conditions/locations/excludeLocations":                                        "locations left out",
	"/conditions/devices/deviceFilter":                                              "the filter for devices",
	"/conditions/signInRiskLevels":                                                  "sign-in risk",
	"/conditions/userRiskLevels":                                                    "user risk",
	"/conditions/servicePrincipalRiskLevels":                                        "service principal risk",
	"/conditions/insiderRiskLevels":                                                 "insider risk",
	"/conditions/authenticationFlows/transferMethods":                               "authentication flows",
	"/grantControls/operator":                                                       "how many controls are asked for",
	"/grantControls/builtInControls":                                                "grant controls",
	"/grantControls/authenticationStrength/id":                                      "the authentication strength",
	"/grantControls/termsOfUse":                                                     "terms of use",
	"/grantControls/customAuthenticationFactors":                                    "custom controls",
	"/sessionControls/signInFrequency":                                              "the sign-in frequency",
	"/sessionControls/persistentBrowser/mode":                                       "the persistent browser session",
	"/sessionControls/disableResilienceDefaults":                                    "resilience defaults switched off",
	"/isEnabled": "switched on", "/isTrusted": "marked as trusted", "/ipRanges": "IP ranges", "/countriesAndRegions": "countries",
	"/includeUnknownCountriesAndRegions": "unknown countries too", "/allowedCombinations": "combinations of methods",
	"/perUserMfaState": "the state of per-user MFA", "/accountEnabled": "sign-in allowed", "/scope": "permissions",
	"/defaultUserRolePermissions/permissionGrantPoliciesAssigned": "what users may consent to",
	"/group": "the group", "/member": "the member", "/includeTargets": "whom it is for", "/excludeTargets": "who is left out",
	"/principalId": "who holds it", "/roleDefinitionId": "the role", "/directoryScopeId": "the scope",
}

// values are what people call a value.
var values = map[string]string{
	"enabled": "on", "disabled": "off", "enabledForReportingButNotEnforced": "report-only", "mfa": "multifactor authentication", "block": "block access",
	"compliantDevice": "compliant device", "domainJoinedDevice": "hybrid joined device", "passwordChange": "password change",
	"compliantApplication": "app protection policy", "approvedApplication": "approved client app", "riskRemediation": "risk remediation",
	"All": "all", "None": "nobody and nothing", "GuestsOrExternalUsers": "all guests", "AllTrusted": "all trusted", "all_users": "all users",
	"AND": "all of them", "OR": "one of them", "exchangeActiveSync": "Exchange ActiveSync", "other": "other (legacy) clients",
	"mobileAppsAndDesktopClients": "mobile apps and desktop clients", "true": "yes", "false": "no",
	"urn:user:registersecurityinfo": "registering security information", "urn:user:registerdevice": "registering or joining devices",
}

const mostNamed = 6

func say(path string, old, now any, names Names) string {
	label := labels[path]
	if label == "" {
		label = spelled(path)
	}
	x, xIs := texts(old, names)
	y, yIs := texts(now, names)
	if xIs && yIs && len(x) > 0 && len(y) > 0 {
		added := slices.DeleteFunc(slices.Clone(y), func(s string) bool { return slices.Contains(x, s) })
		gone := slices.DeleteFunc(slices.Clone(x), func(s string) bool { return slices.Contains(y, s) })
		var parts []string
		if len(added) > 0 {
			parts = append(parts, "with "+several(added))
		}
		if len(gone) > 0 {
			parts = append(parts, "without "+several(gone))
		}
		if len(parts) > 0 {
			return label + ": now " + strings.Join(parts, ", ")
		}
	}
	switch {
	case old == nil:
		return label + ": " + shown(now, names)
	case now == nil:
		return label + ": no longer " + shown(old, names)
	}
	return label + ": " + shown(old, names) + " becomes " + shown(now, names)
}

// texts is a list of texts as people read them.
func texts(v any, names Names) ([]string, bool) {
	l, is := v.([]any)
	if !is {
		return nil, false
	}
	out := make([]string, 0, len(l))
	for _, x := range l {
		out = append(out, shown(x, names))
	}
	return out, true
}

func several(l []string) string {
	if n := len(l); n > mostNamed {
		return strings.Join(l[:mostNamed-1], ", ") + fmt.Sprintf(" and %d more", n-mostNamed+1)
	}
	return strings.Join(l, ", ")
}

// shown is a value for people. What stands in an object was written by others: it is
// cleaned and cut.
func shown(v any, names Names) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		if w := values[v]; w != "" {
			return w
		}
		if names != nil {
			if n := names(v); n != "" {
				return print.Clean(n, 80)
			}
		}
		if r, known := entra.FindRole(v); known {
			return r.Name
		}
		if strings.Contains(v, ",") {
			return print.Clean(strings.ReplaceAll(v, ",", ", "), 300)
		}
		return print.Clean(v, 300)
	case bool:
		return values[fmt.Sprint(v)]
	case json.Number:
		return v.String()
	case []any:
		l, _ := texts(v, names)
		return several(l)
	case map[string]any:
		return composed(v, names)
	}
	return ""
}

func composed(m map[string]any, names Names) string {
	for _, name := range []string{"cidrAddress", "id", "query"} {
		if s, is := m[name].(string); is {
			return shown(s, names)
		}
	}
	if m["frequencyInterval"] == "everyTime" {
		return "every time"
	}
	if m["frequencyInterval"] != nil && m["value"] != nil {
		return fmt.Sprintf("every %v %v", m["value"], m["type"])
	}
	if rule, is := m["rule"].(string); is {
		return fmt.Sprintf("%v %s", m["mode"], print.Clean(rule, 300))
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+" "+shown(m[k], names))
	}
	return several(parts)
}

// spelled makes words of the last names of a path: what has no label.
func spelled(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 2 {
		parts = parts[len(parts)-2:]
	}
	for i, p := range parts {
		var b strings.Builder
		for j, r := range print.Clean(p, 80) {
			if j > 0 && r >= 'A' && r <= 'Z' {
				b.WriteByte(' ')
			}
			b.WriteString(strings.ToLower(string(r)))
		}
		parts[i] = b.String()
	}
	return strings.Join(parts, ", ")
}

// Words are the lines that say what a plan changes: what stands on top of its file.
func Words(p *remedy.Plan, names Names) []string {
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		out = append(out, fmt.Sprintf("%d. %s", s.N, print.Clean(s.Text, 300)))
		if s.Kind == remedy.Person {
			if s.Task != nil {
				for _, do := range s.Task.Do {
					out = append(out, "   - "+print.Clean(do, 300))
				}
			}
			continue
		}
		name := print.Clean(s.Name, 80)
		if name != "" {
			name = " " + fmt.Sprintf("%q", name)
		}
		out = append(out, fmt.Sprintf("   %s%s: %s", KindWords(s.Kind), name, map[remedy.Do]string{
			remedy.Create: "is made", remedy.Update: "is changed", remedy.Delete: "is taken away"}[s.Do]))
		if s.Do == remedy.Delete {
			continue
		}
		for _, c := range Diff(s.Kind, s.Before, s.After, names) {
			out = append(out, "   - "+c.Words)
		}
	}
	return out
}
