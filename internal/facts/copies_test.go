package facts_test

import (
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// TestTheNewerPolicyCounts: of two exports of a policy the one modified last
// counts, whichever was read first.
func TestTheNewerPolicyCounts(t *testing.T) {
	t.Parallel()
	policy := func(state, modified string) string {
		return `{"id":"p","displayName":"MFA","state":"` + state + `","modifiedDateTime":` + modified +
			`,"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	}
	older, newer := policy("enabled", `"2026-01-01T00:00:00Z"`), policy("disabled", `"2026-11-01T00:00:00Z"`)
	for name, order := range map[string][]string{"older first": {older, newer}, "newer first": {newer, older}, "twice": {newer, older, newer, older}} {
		f := facts.New()
		for i, raw := range order {
			if err := f.Take(evidence.ConditionalAccessPolicy, []byte(raw), evidence.Source{Path: "export", Index: i}); err != nil {
				t.Fatal(err)
			}
		}
		if p := f.Tenant().Policies; len(p) != 1 || p[0].State != access.Disabled {
			t.Errorf("%s: %d policies, the first %s", name, len(p), p[0].State)
		}
	}
}
