package apppassword

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
)

// TestTakenAway: lists that are taken away, one or two of them, never give an answer that
// the whole does not give: it stays, or is not known any more.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	day := asOf.AddDate(0, 0, -1)
	type all = map[evidence.Kind][]string
	of := func(users, rest string) string {
		return strings.Replace(policy("p", "enabled", rest), `"includeUsers":["All"]`, users, 1)
	}
	group := `{"id":"g1","displayName":"Old devices","members":[{"id":"u1","@odata.type":"#microsoft.graph.user"}]}`
	place := `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l1","displayName":"Office","isTrusted":true,
		"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"192.0.2.0/24"}]}`
	for name, change := range map[string]func(all){
		"open":    func(all) {},
		"blocked": func(a all) { a[evidence.ConditionalAccessPolicy] = []string{policy("p", "enabled", "")} },
		"but for a group": func(a all) {
			a[evidence.ConditionalAccessPolicy] = []string{of(`"includeUsers":["All"],"excludeGroups":["g1"]`, "")}
			a[evidence.Group] = []string{group}
		},
		"for a group": func(a all) {
			a[evidence.ConditionalAccessPolicy] = []string{of(`"includeUsers":[],"includeGroups":["g1"]`, "")}
			a[evidence.Group] = []string{group}
		},
		"but at the office": func(a all) {
			a[evidence.ConditionalAccessPolicy] = []string{policy("p", "enabled",
				`,"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`)}
			a[evidence.NamedLocation] = []string{place}
		},
		"but for a role": func(a all) {
			a[evidence.ConditionalAccessPolicy] = []string{of(`"includeUsers":["All"],"excludeRoles":["62e90394-69f5-4237-9190-012177145e10"]`, "")}
			a[evidence.RoleAssignment] = []string{`{"id":"r1","principalId":"u1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",
				"directoryScopeId":"/"}`}
		},
		"defaults":     func(a all) { a[evidence.SecurityDefaults][0] = strings.Replace(noneOn, "false", "true", 1) },
		"per-user off": func(a all) { a[evidence.PerUserMFA][0] = strings.Replace(enforced, "enforced", "disabled", 1) },
		"switched off": func(a all) { a[evidence.User][0] = strings.Replace(scanner, "true", "false", 1) },
	} {
		whole := settled(t, change).sees(smtpClient, day).decide().Accounts[0]
		if want := map[bool]Answer{true: Yes, false: No}[name == "open" || strings.HasPrefix(name, "but ")]; whole.Works != want {
			t.Errorf("%s: the whole says %s (%s)", name, whole.Works, whole.Why)
		}
		kinds := slices.Sorted(maps.Keys(lists()))
		for i, one := range kinds {
			for _, two := range kinds[i:] {
				e := settled(t, func(a all) { change(a); delete(a, one); delete(a, two) }).sees(smtpClient, day)
				for _, a := range e.decide().Accounts {
					if a.Works != whole.Works && a.Works != Unknown || a.Depends != whole.Depends && a.Depends != Unknown {
						t.Errorf("%s without %s and %s: works %s (%s), depends %s, and was %s (%s), %s", name, one, two, a.Works, a.Why, a.Depends, whole.Works,
							whole.Why, whole.Depends)
					}
					for k := range a.Paths {
						if p, was := a.Paths[k].Works, whole.Paths[k].Works; p != was && p != Unknown {
							t.Errorf("%s without %s and %s: %s %s, and was %s", name, one, two, a.Paths[k].ID, p, was)
						}
					}
				}
			}
		}
		// Without the log.
		if a := settled(t, change).decide().Accounts[0]; a.Works != whole.Works && a.Works != Unknown || a.Depends != Unknown {
			t.Errorf("%s without the log: works %s, depends %s", name, a.Works, a.Depends)
		}
	}
}
