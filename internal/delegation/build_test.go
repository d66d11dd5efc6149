package delegation_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

var now = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

const fabrikam = "995b216d-61ba-5134-8411-a1fd6487a5d3"

func id(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012d", n, n) }

// record is one as an export has it.
type record struct {
	kind evidence.Kind
	raw  string
}

func user(n int, name string, more string) record {
	return record{evidence.User, fmt.Sprintf(`{"id":%q,"userPrincipalName":"p%d@contoso.example","displayName":%q,"userType":"Member"%s}`,
		id(n), n, name, more)}
}

// group is one with members; a negative one is a group.
func group(n int, name, more string, members ...int) record {
	var list []string
	for _, m := range members {
		kind := "user"
		if m < 0 {
			m, kind = -m, "group"
		}
		list = append(list, fmt.Sprintf(`{"@odata.type":"#microsoft.graph.%s","id":%q}`, kind, id(m)))
	}
	return record{evidence.Group, fmt.Sprintf(`{"id":%q,"displayName":%q,"members":[%s]%s}`, id(n), name, strings.Join(list, ","), more)}
}

func eligible(who, of int, end string) record {
	return record{evidence.GroupEligibility, fmt.Sprintf(`{"id":"e%d-%d","principalId":%q,"groupId":%q,"accessId":"member",
		"startDateTime":"2026-01-01T00:00:00Z",
		"endDateTime":%s}`, who, of, id(who), id(of), end)}
}

// gives are a relationship's assignments: group and roles.
type gives struct {
	group int
	roles []string
}

func relationship(name, customer, more string, list ...gives) record {
	var all, each []string
	for i, g := range list {
		for _, r := range g.roles {
			all = append(all, fmt.Sprintf(`{"roleDefinitionId":%q}`, r))
		}
		each = append(each, fmt.Sprintf(`{"id":"%s-a%d","status":"active","accessContainer":{"accessContainerId":%q,"accessContainerType":"securityGroup"},
			"accessDetails":{"unifiedRoles":[%s]}}`, name, i, id(g.group), strings.Join(all[len(all)-len(g.roles):], ",")))
	}
	return record{evidence.Relationship, fmt.Sprintf(`{"id":"r-%s","displayName":%q,"status":"active","activatedDateTime":"2026-01-02T00:00:00Z",
		"endDateTime":"2028-01-02T00:00:00Z","customer":{"tenantId":%q,"displayName":"Fabrikam"},"accessDetails":{"unifiedRoles":[%s]},
		"accessAssignments":[%s]%s}`, name, name, customer, strings.Join(all, ","), strings.Join(each, ","), more)}
}

func customer(dap string) record {
	return record{evidence.Customer, fmt.Sprintf(`{"id":%q,"companyProfile":{"tenantId":%q,"domain":"fabrikam.example","companyName":"Fabrikam"},
		"relationshipToPartner":"reseller"%s}`, fabrikam, fabrikam, dap)}
}

// read takes records as whole lists of their kinds.
func read(t testing.TB, list ...record) *facts.Facts {
	t.Helper()
	f := facts.New()
	in := evidence.Input{Path: "export.json", Status: evidence.Read}
	for i, r := range list {
		if err := f.Take(r.kind, []byte(r.raw), evidence.Source{Path: "export.json", Index: i + 1}); err != nil {
			t.Fatalf("%s: %v", r.raw, err)
		}
		in.Count(r.kind, 1)
	}
	for _, k := range []evidence.Kind{evidence.User, evidence.Group, evidence.GroupEligibility, evidence.Customer, evidence.Relationship,
		evidence.ServicePrincipal} {
		in.Count(k, 0)
	}
	f.Inputs = []evidence.Input{in}
	return f
}

// world has all that a way may go by.
func world() []record {
	desk, tier2 := []string{entra.RoleHelpdeskAdministrator}, []string{entra.RolePrivilegedAuthenticationAdministrator, entra.RoleUserAdministrator}
	return []record{
		customer(`,"allowDelegatedAccess":true`),
		user(11, "Ada", `,"accountEnabled":true`), user(12, "Ben", `,"accountEnabled":true`), user(13, "Cleo", `,"accountEnabled":true`),
		user(14, "Dan", `,"accountEnabled":false`), user(15, "Eva", `,"userType":"Guest"`), user(16, "Fay", ""),
		{evidence.ServicePrincipal, fmt.Sprintf(`{"id":%q,"appId":%q,"displayName":"Robot","servicePrincipalType":"Application"}`, id(17), id(99))},
		group(1, "AdminAgents", `,"isAssignableToRole":false`, 11),
		group(2, "HelpdeskAgents", "", 15),
		group(3, "Tier 2", `,"isAssignableToRole":true`, -4, 14),
		group(4, "Night", `,"groupTypes":["DynamicMembership"]`, -3, 12), // a cycle
		{evidence.Group, fmt.Sprintf(`{"id":%q,"displayName":"Desk","members":[{"@odata.type":"#microsoft.graph.servicePrincipal","id":%q},
			{"@odata.type":"#microsoft.graph.device","id":%q},{"@odata.type":"#microsoft.graph.user","id":%q}]}`, id(5), id(17), id(98), id(16))},
		eligible(13, 4, "null"), eligible(11, 3, `"2026-02-01T00:00:00Z"`),
		relationship("one", fabrikam, "", gives{3, tier2}, gives{5, desk}),
	}
}

func of(t testing.TB, inv *delegation.Inventory, group int) map[string]delegation.Member {
	t.Helper()
	g := inv.Groups[id(group)]
	if g == nil {
		t.Fatalf("the group %d is not there", group)
	}
	out := map[string]delegation.Member{}
	for _, m := range g.Members {
		out[inv.People[m.Person].Name] = m
	}
	return out
}

func TestGroups(t *testing.T) {
	t.Parallel()
	inv := delegation.Build(read(t, world()...), now)
	got := of(t, inv, 3)
	if len(got) != 3 || len(got["Ben"].Via) != 1 || got["Ben"].Via[0] != id(4) || got["Ben"].Eligible || got["Dan"].Via != nil {
		t.Errorf("Tier 2 holds %+v", got)
	}
	if m := got["Cleo"]; !m.Eligible || m.Perhaps || len(m.Via) != 1 {
		t.Errorf("Cleo, eligible for the nested group, is %+v", m)
	}
	if _, in := got["Ada"]; in {
		t.Error("an eligibility that is over counts")
	}
	if g := inv.Groups[id(3)]; !g.Whole || g.Role != delegation.Yes || g.Pim != delegation.Yes || !slices.Contains(g.Nested, id(4)) {
		t.Errorf("Tier 2 is %+v", g)
	}
	if g := inv.Groups[id(4)]; g == nil || !g.Dynamic {
		t.Errorf("the nested group is %+v", g)
	}
	desk := of(t, inv, 5)
	if len(desk) != 2 || !inv.People[desk["Robot"].Person].App {
		t.Errorf("Desk holds %+v", desk)
	}
	if p := inv.People[id(14)]; p.Enabled != delegation.No || inv.People[id(16)].Enabled != delegation.Unknown || !inv.People[id(15)].Guest {
		t.Errorf("people are %+v", inv.People)
	}
}

// TestGroupsNotRead: a group that is in no list, one without members and one whose list is cut
// are never whole.
func TestGroupsNotRead(t *testing.T) {
	t.Parallel()
	roles := []string{entra.RoleHelpdeskAdministrator}
	inv := delegation.Build(read(t, user(11, "Ada", ""),
		record{evidence.Group, fmt.Sprintf(`{"id":%q,"displayName":"No members"}`, id(1))},
		group(2, "Cut", `,"members@odata.nextLink":"https://graph.microsoft.com/v1.0/x"`, 11),
		group(3, "Holds a stranger group", "", -77),
		relationship("one", fabrikam, "", gives{1, roles}, gives{2, roles}, gives{3, roles}, gives{4, roles})), now)
	for n := 1; n <= 4; n++ {
		if g := inv.Groups[id(n)]; g.Whole || g.Why == "" || g.Ask == "" {
			t.Errorf("group %d is %+v", n, g)
		}
	}
	if inv.Groups[id(4)].Known || inv.People[id(11)] == nil {
		t.Errorf("%+v", inv.Groups[id(4)])
	}
}

// TestStates: which states give access, and what is marked.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		more   string
		active bool
	}{
		{`"status":"active"`, true}, {`"status":"created"`, false}, {`"status":"approvalPending"`, false}, {`"status":"terminated"`, false},
		{`"status":"terminationRequested"`, false}, {`"status":"expiring"`, true}, {`"status":"somethingNew"`, true}, {`"status":null`, true},
		{`"status":"active","endDateTime":"2026-11-28T00:00:00Z"`, false},
	} {
		inv := delegation.Build(read(t, relationship("one", fabrikam, ","+c.more, gives{1, []string{entra.RoleGlobalReader}})), now)
		r := inv.Customers[0].Relationships[0]
		if r.Active != c.active || r.Assignments[0].Active != c.active {
			t.Errorf("%s: active %v and %v", c.more, r.Active, r.Assignments[0].Active)
		}
	}
	inv := delegation.Build(read(t, relationship("MLT_Fabrikam", fabrikam, ""), relationship("Tenant Governance", fabrikam, ""),
		record{evidence.Relationship, `{"id":"x","displayName":"Offer","status":"created","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` +
			entra.RoleGlobalReader + `"}]}}`}), now)
	rs := inv.Customers[0].Relationships
	if len(rs) != 2 || len(inv.Unclaimed) != 1 {
		t.Fatalf("%+v", inv)
	}
	for _, r := range rs {
		if r.Microsoft != strings.HasPrefix(r.Name, "MLT_") || r.Governance != strings.HasPrefix(r.Name, "Tenant") {
			t.Errorf("%+v", r)
		}
	}
}

// TestDAP: only a customer's own record says it, and two that disagree say nothing.
func TestDAP(t *testing.T) {
	t.Parallel()
	yes, no := customer(`,"allowDelegatedAccess":true`), customer(`,"allowDelegatedAccess":false`)
	for want, list := range map[delegation.Answer][][]record{
		delegation.Yes: {{yes}, {yes, customer("")}}, delegation.No: {{no}, {customer(""), no}},
		delegation.Unknown: {{customer("")}, {yes, no}, {no, yes}, {relationship("one", fabrikam, "")}},
	} {
		for i, l := range list {
			c := delegation.Build(read(t, l...), now).Customers[0]
			if c.DAP != want || (c.DAPWhy == "") != (want != delegation.Unknown) || (c.DAPSource == "") != (want == delegation.Unknown) {
				t.Errorf("%s %d: %+v", want, i, c)
			}
		}
	}
}

// TestLessIsNeverBetter: whatever records are taken away, nothing turns into no, no list that was
// not whole becomes whole, and who may have access is the same or unknown.
func TestLessIsNeverBetter(t *testing.T) {
	t.Parallel()
	all := world()
	full := delegation.Build(read(t, all...), now)
	for round := range 300 {
		var left []record
		gone := map[evidence.Kind]bool{}
		for _, r := range all {
			n, err := rand.Int(rand.Reader, big.NewInt(4))
			if err != nil {
				t.Fatal(err)
			}
			if n.Sign() == 0 {
				gone[r.kind] = true
				continue
			}
			left = append(left, r)
		}
		f := read(t, left...)
		for k := range gone { // that it is gone is seen: a page or a file is missing
			f.Inputs[0].Shorten(evidence.Cut{Kind: k, Why: "lacks a page"})
		}
		inv := delegation.Build(f, now)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
		weaker(t, full, inv, gone)
	}
}

func weaker(t *testing.T, full, less *delegation.Inventory, gone map[evidence.Kind]bool) {
	t.Helper()
	for i := range less.Customers {
		if c := &less.Customers[i]; c.DAP == delegation.No {
			t.Errorf("DAP turned into no: %+v", c)
		}
	}
	for id, g := range less.Groups {
		if g.Whole && full.Groups[id] != nil && len(g.Members) < len(full.Groups[id].Members) && !gone[evidence.GroupEligibility] {
			t.Errorf("the group %s is called whole with %d of %d members", g.Name, len(g.Members), len(full.Groups[id].Members))
		}
		if g.Pim == delegation.Yes && gone[evidence.GroupEligibility] {
			t.Errorf("the group %s: who may activate is called known", g.Name)
		}
	}
	for name, l := range less.Lists {
		if l.Whole && !full.Lists[name].Whole {
			t.Errorf("the list %s is called whole", name)
		}
	}
	// Whoever had a way has it still, or there is an open one.
	q := delegation.Question{Roads: true}
	known := map[string]bool{}
	open := len(less.Customers) == 0 || !less.Lists["delegatedAdminRelationships"].Whole || !less.Lists["customers"].Whole
	ways := delegation.Ask(less, q)
	open = open || len(ways.Open) > 0
	for _, p := range ways.Paths {
		known[p.Person+p.Role] = true
	}
	for _, p := range delegation.Paths(full, q) {
		if !known[p.Person+p.Role] && !open {
			b, _ := json.Marshal(ways)
			t.Errorf("%s is lost without a word: %s", p.Person, b)
		}
	}
}
