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

// TestGapNamesWhatIsReportOnly: a policy that is only reported and would close a gap
// is named, for how many of its accounts, and one that asks for less is not.
func TestGapNamesWhatIsReportOnly(t *testing.T) {
	t.Parallel()
	policy := func(name, state, users, grant string) string {
		return `{"id":"` + name + `","displayName":"` + name + `","state":"` + state + `","conditions":{"users":` + users +
			`,"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":` + grant + `}`
	}
	const all, reported = `{"includeUsers":["All"]}`, "enabledForReportingButNotEnforced"
	const resistant = `{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`
	const mfa, block = `{"operator":"OR","builtInControls":["mfa"]}`, `{"operator":"OR","builtInControls":["block"]}`
	const admins = `{"includeRoles":["62e90394-69f5-4237-9190-012177145e10"]}`
	for name, c := range map[string]struct{ policy, want string }{
		"for some":      {policy("some", reported, admins, resistant), "some: would close it for 1 of the 2 accounts, but is report-only"},
		"for all":       {policy("all", reported, all, resistant), "all: would close it, but is report-only"},
		"a block":       {policy("block", reported, all, block), "block: would close it, but is report-only"},
		"less is asked": {policy("less", reported, all, mfa), ""},
		"off":           {policy("off", "disabled", all, resistant), ""},
	} {
		tenant := &Tenant{Whole: true, RolesKnown: true, Users: []Subject{{ID: "u0", Name: "ga@x", Roles: []string{"62e90394-69f5-4237-9190-012177145e10"}},
			{ID: "u1", Name: "reader@x", Roles: []string{"5d6b6bb7-de71-4623-b4af-96380a352509"}}}}
		var p Policy
		if err := json.Unmarshal([]byte(c.policy), &p); err != nil {
			t.Fatal(err)
		}
		tenant.Policies = []*Policy{&p}
		q, _ := FindQuestion("phishing-resistant-admins")
		proof, err := Compile(tenant).Prove(q)
		if err != nil || len(proof.Gaps) != 1 {
			t.Errorf("%s: %+v, %v", name, proof, err)
			continue
		}
		said := ""
		for _, w := range proof.Gaps[0].Why {
			if strings.Contains(w.Clause, "report-only") {
				said += w.Policy + ": " + w.Clause
			}
		}
		if said != c.want {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}
