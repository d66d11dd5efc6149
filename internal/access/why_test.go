package access

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/lenient"
)

// TestGapNamesWhatOpensIt: the reason of a gap names the weak combination of
// controls, and only the clauses that open this gap.
func TestGapNamesWhatOpensIt(t *testing.T) {
	t.Parallel()
	const users = `"users":{"includeUsers":["All"]%s},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]%s`
	policy := func(name, excluded, more, grant string) string {
		cond := strings.Replace(strings.Replace(users, "%s", excluded, 1), "%s", more, 1)
		return `{"id":"` + name + `","displayName":"` + name + `","state":"enabled","conditions":{` + cond + `},"grantControls":` + grant + `}`
	}
	const mfa = `{"operator":"OR","builtInControls":["mfa"]}`
	const notHQ = `,"locations":{"includeLocations":["All"],"excludeLocations":["hq"]}`
	for name, c := range map[string]struct {
		policies []string
		want     []string // clauses of the first gap, "policy: clause"
		never    string
	}{
		"MFA or a device": {[]string{policy("weak", "", "", `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`)},
			[]string{"weak: asks for MFA or a compliant device, and lets a compliant device through"}, ""},
		"MFA or terms of use": {[]string{policy("weak", "", "", `{"operator":"OR","builtInControls":["mfa"],"termsOfUse":["t1"]}`)},
			[]string{"weak: asks for MFA or terms of use, which can be met without MFA"}, "no enforced policy"},
		"MFA or a change of password": {[]string{policy("weak", "", "", `{"operator":"OR","builtInControls":["mfa","passwordChange"]}`)},
			[]string{"weak: asks for MFA or a change of password, which can be met without MFA"}, "another control"},
		"a custom control": {[]string{policy("Duo", "", "", `{"operator":"OR","builtInControls":[],"customAuthenticationFactors":["RequireDuoMfa"]}`)},
			[]string{"Duo: asks for the custom control RequireDuoMfa; a custom control never yields an MFA claim, External MFA does"}, "no enforced policy"},
		"an account left out": {[]string{policy("MFA", `,"excludeUsers":["u0"]`, notHQ, mfa)},
			[]string{"MFA: excludes the account by name"}, "HQ"},
		"other clients": {[]string{strings.Replace(policy("legacy", "", notHQ, `{"operator":"OR","builtInControls":["block"]}`), `"clientAppTypes":["all"]`,
			`"clientAppTypes":["exchangeActiveSync","other"]`, 1)},
			[]string{"legacy: takes only Exchange ActiveSync or another legacy client"}, "HQ"},
		"a place left out": {[]string{policy("MFA", `,"excludeUsers":["gone"]`, notHQ, mfa)},
			[]string{"MFA: excludes the location HQ"}, "account"},
		"nothing asks": {nil, []string{": no enforced policy asks for it at all"}, ""},
	} {
		tenant := &Tenant{Whole: true, RolesKnown: true, Users: []Subject{{ID: "u0", Name: "u0@x"}},
			Locations: []*NamedLocation{{ID: "hq", DisplayName: "HQ", Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}}}}
		for _, raw := range c.policies {
			var p Policy
			if err := json.Unmarshal([]byte(raw), &p); err != nil {
				t.Fatal(err)
			}
			tenant.Policies = append(tenant.Policies, &p)
		}
		q, _ := FindQuestion("mfa-every-sign-in")
		proof, err := Compile(tenant).Prove(q)
		if err != nil || len(proof.Gaps) == 0 {
			t.Errorf("%s: %v, %v", name, proof, err)
			continue
		}
		var all []string
		for _, w := range proof.Gaps[0].Why {
			all = append(all, w.Policy+": "+w.Clause)
		}
		for i, want := range c.want {
			if i >= len(all) || all[i] != want {
				t.Errorf("%s: %q, want %q", name, all, want)
			}
		}
		if c.never != "" && strings.Contains(strings.Join(all, "\n"), c.never) {
			t.Errorf("%s says %q: %q", name, c.never, all)
		}
	}
}
