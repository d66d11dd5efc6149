package facts_test

import (
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// A record that does not say whom it is about leaves its list open, and so does
// a licence without its plans or a role by a name that nothing has.
func TestUnnamedRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind evidence.Kind
		raw  string
		why  string
	}{
		"user":  {evidence.User, `{"displayName":"Ghost","accountEnabled":true}`, "does not say whom"},
		"group": {evidence.Group, `{"displayName":"Ghosts","members":[]}`, "does not say whom"},
		"role, no holder": {evidence.RoleAssignment, `{"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`,
			"does not say whom"},
		"eligible, no who": {evidence.RoleEligibility, `{"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`,
			"does not say whom"},
		"membership": {evidence.GroupEligibility, `{"principalId":"u1","accessId":"member"}`, "does not say whom"},
		"role by a name": {evidence.RoleAssignment, `{"principalId":"u1","roleDefinitionId":"Helper of the moon","directoryScopeId":"/"}`,
			"Helper of the moon"},
		"licence": {evidence.SubscribedSku, `{"skuPartNumber":"SPE_E5","capabilityStatus":"Enabled"}`, "service plans of SPE_E5"},
	} {
		f := build(t, map[evidence.Kind][]string{c.kind: {c.raw}})
		if cuts := f.Cuts(c.kind); f.Whole(c.kind) || len(cuts) != 1 || !strings.Contains(cuts[0].Why, c.why) || cuts[0].Settle() == "" {
			t.Errorf("%s: whole %v, %+v", name, f.Whole(c.kind), cuts)
		}
	}
}

// Two copies of a place that differ: what one says of it never counts, whichever
// was read first.
func TestLocationCopies(t *testing.T) {
	t.Parallel()
	wide := `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l1","displayName":"HQ","isTrusted":true,"ipRanges":[{"cidrAddress":"203.0.113.0/24"}]}`
	narrow := strings.Replace(wide, "/24", "/25", 1)
	plain := strings.Replace(narrow, "true", "false", 1)
	for name, c := range map[string]struct {
		list    []string
		trusted bool
	}{"ranges": {[]string{wide, narrow}, true}, "the other way": {[]string{narrow, wide}, true}, "trust": {[]string{wide, plain}, false},
		"and back": {[]string{plain, wide}, false}} {
		l := build(t, map[evidence.Kind][]string{evidence.NamedLocation: c.list}).Locations["l1"]
		if l.Unclear == "" || len(l.Ranges.Items) > 0 || l.IsTrusted.Set != c.trusted {
			t.Errorf("%s: %+v", name, l)
		}
	}
	policy := func(id, where string) string {
		return `{"id":"` + id + `","displayName":"` + id +
			`","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},
			"locations":` + where + `},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	}
	f := build(t, map[evidence.Kind][]string{
		evidence.User:          {`{"id":"u1","userPrincipalName":"ada@x.example","accountEnabled":true,"userType":"Member"}`},
		evidence.NamedLocation: {wide, narrow, strings.Replace(wide, `"l1"`, `"l2"`, 1)},
		evidence.ConditionalAccessPolicy: {policy("outside", `{"includeLocations":["All"],"excludeLocations":["l2"]}`),
			policy("inside", `{"includeLocations":["l1"]}`)},
	})
	q := access.Questions()[0]
	if a, err := access.Compile(f.Tenant()).Prove(q); err != nil || a.Verdict == access.Proved {
		t.Errorf("%s by one of two copies of a place, %v", a.Verdict, err)
	}
}

// Who may activate membership of a group that holds a role may activate the
// role; PIM that was not exported leaves it open, and a list that speaks of PIM
// outweighs licences that do not.
func TestRoleByActivation(t *testing.T) {
	t.Parallel()
	const role = "62e90394-69f5-4237-9190-012177145e10"
	records := map[evidence.Kind][]string{
		evidence.User:           {`{"id":"u1","userPrincipalName":"ada@x.example","accountEnabled":true}`},
		evidence.Group:          {`{"id":"g1","displayName":"Admins","members":[]}`},
		evidence.RoleAssignment: {`{"principalId":"g1","roleDefinitionId":"` + role + `","directoryScopeId":"/"}`},
	}
	if open := build(t, records).Tenant().OpenEligible[role]; !strings.Contains(open, "activate membership of group Admins") || !strings.Contains(open, "g1") {
		t.Errorf("PIM for groups was not exported: %q", open)
	}
	records[evidence.SubscribedSku] = []string{`{"skuId":"s","capabilityStatus":"Enabled","servicePlans":[{"servicePlanName":"AAD_PREMIUM"}]}`}
	if open := build(t, records).Tenant().OpenEligible[role]; open != "" {
		t.Errorf("without P2 there is no PIM: %q", open)
	}
	records[evidence.RoleEligibility] = []string{`{"principalId":"u1","roleDefinitionId":"` + role + `","directoryScopeId":"/"}`}
	if open := build(t, records).Tenant().OpenEligible[role]; open == "" {
		t.Error("there is PIM, whatever the licences say")
	}
}
