package role_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/delegation/role"
)

// act is an act of the directory's audit log.
func act(category, activity string, target role.Target, properties ...string) role.Act {
	return role.Act{Log: role.DirectoryAudit, Category: category, Activity: activity, Target: target, Properties: properties}
}

// names gives the candidates' names, with what is said of each.
func names(c *role.Catalog, m role.Mapping) []string {
	var out []string
	for _, d := range m.Candidates {
		out = append(out, c.Name(d.Role))
	}
	return out
}

func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/builtin.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, n := role.Load(), 0
	for line := range strings.Lines(string(raw)) {
		id, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || id == "#" {
			continue
		}
		n++
		r, ok := c.Role(strings.ToUpper(id))
		if !ok || r.ID != id || r.Theft == "" || r.Weight <= 0 || len(r.Workloads) == 0 {
			t.Errorf("%s %s: %v %+v", id, name, ok, r)
		}
		if by, ok := c.ByName(strings.ToUpper(name)); !ok || by.ID != id {
			t.Errorf("by name %s: %v %s", name, ok, by.ID)
		}
	}
	if n != 126 {
		t.Errorf("%d roles read, want 126", n)
	}
	if all := c.All(); len(all) != 146 || !slices.IsSortedFunc(all, func(a, b role.Role) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d roles, or not sorted", len(all))
	}
}

func TestOffered(t *testing.T) {
	t.Parallel()
	c := role.Load()
	offered := map[string]bool{}
	for _, r := range c.Offerable() {
		offered[r.Name] = true
		if r.Never || r.NeverWhy != "" {
			t.Errorf("%s is offered", r.Name)
		}
	}
	for name, want := range map[string]bool{
		"Partner Tier1 Support": false, "Partner Tier2 Support": false, "Device Join": false, "Device Users": false, "Workplace Device Join": false,
		"Directory Synchronization Accounts": false, "User": false, "Guest User": false, "Microsoft 365 Support Engineer": false,
		"Global Administrator": true, "Directory Writers": true, "Exchange Administrator": true,
	} {
		if offered[name] != want {
			t.Errorf("%s offered: %v", name, offered[name])
		}
	}
	for _, name := range []string{
		"Global Administrator", "Privileged Role Administrator", "Privileged Authentication Administrator", "Partner Tier2 Support",
		"Application Administrator", "Cloud Application Administrator", "Hybrid Identity Administrator", "Domain Name Administrator",
		"External Identity Provider Administrator", "Security Administrator",
	} {
		if r, ok := c.ByName(name); !ok || !r.Road || r.RoadWhy == "" {
			t.Errorf("%s is no road: %+v", name, r)
		}
	}
	for _, name := range []string{"User Administrator", "Directory Readers", "Helpdesk Administrator", "Exchange Administrator", "Global Reader"} {
		if r, _ := c.ByName(name); r.Road {
			t.Errorf("%s is a road", name)
		}
	}
}

func TestOldNames(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for old, want := range map[string]string{
		"Power BI Administrator": "Fabric Administrator", "power bi service administrator": "Fabric Administrator",
		"Company Administrator": "Global Administrator", "User Admin": "User Administrator", "User Account Administrator": "User Administrator",
		"Azure AD Joined Device Local Administrator": "Microsoft Entra Joined Device Local Administrator",
		"Customer LockBox access approver":           "Customer Lockbox Access Approver",
		"CRM Service Administrator":                  "Dynamics 365 Administrator",
	} {
		if r, ok := c.ByName(old); !ok || r.Name != want {
			t.Errorf("%s is %q (%v), want %s", old, r.Name, ok, want)
		}
	}
	for _, none := range []string{"", "Administrator", "Owner", "Global", strings.Repeat("a", 1<<20)} {
		if r, ok := c.ByName(none); ok {
			t.Errorf("%.40q is %s", none, r.Name)
		}
	}
}

// TestShared: what a caller does with an answer changes nobody else's.
func TestShared(t *testing.T) {
	t.Parallel()
	c := role.Load()
	r, _ := c.Role(role.GlobalAdministrator)
	r.Workloads[0] = "mine"
	again, _ := c.Role(role.GlobalAdministrator)
	if again.Workloads[0] == "mine" {
		t.Error("a caller changed the catalog")
	}
	m := c.Map(act("UserManagement", "Add user", ""))
	m.Candidates[0].Role = "mine"
	if c.Map(act("UserManagement", "Add user", "")).Candidates[0].Role == "mine" {
		t.Error("a caller changed a mapping")
	}
}

func TestTargetOf(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, x := range []struct {
		roles string
		want  role.Target
	}{
		{"", role.TargetOrdinary},
		{"Directory Readers", role.TargetOrdinary},
		{"Guest Inviter,Password Administrator", role.TargetOrdinary},
		{"Helpdesk Administrator", role.TargetLimited},
		{"User Administrator,Directory Readers", role.TargetLimited},
		{"Reports Reader", role.TargetLimited},
		{"Exchange Administrator", role.TargetPrivileged},
		{"Authentication Administrator", role.TargetPrivileged},
		{"Helpdesk Administrator,Global Administrator", role.TargetPrivileged},
	} {
		var ids []string
		for name := range strings.SplitSeq(x.roles, ",") {
			if r, ok := c.ByName(name); ok {
				ids = append(ids, strings.ToUpper(r.ID))
			}
		}
		if got := c.TargetOf(ids); got != x.want {
			t.Errorf("%s: %s, want %s", x.roles, got, x.want)
		}
	}
	if got := c.TargetOf([]string{"11111111-2222-3333-4444-555555555555"}); got != role.TargetPrivileged {
		t.Errorf("a role of the customer's own: %s", got)
	}
}

func TestPartnerCenter(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, x := range []struct {
		op     string
		target role.Target
		want   []string
	}{
		{"update_customer_user_licenses", "", []string{"License Administrator", "User Administrator", "Directory Writers"}},
		{"AssignUserLicenses", "", []string{"License Administrator", "User Administrator", "Directory Writers"}},
		{"add_user_member", "", []string{"Privileged Role Administrator"}},
		{"delete_customer_user", "", []string{"User Administrator"}},
		{"reset_customer_user_password", role.TargetUnknown, []string{"User Administrator", "Privileged Authentication Administrator"}},
		{"reset_customer_user_password", role.TargetPrivileged, []string{"Privileged Authentication Administrator"}},
		{"create_order", "", nil},
		{"Update qualification", "", nil},
		{"Service requests", "", nil},
	} {
		m := c.Map(role.Act{Log: role.PartnerCenter, Activity: x.op, Target: x.target})
		if diff := cmp.Diff(x.want, names(c, m)); diff != "" || m.Known != (x.want != nil) {
			t.Errorf("%s %s: known %v\n%s", x.op, x.target, m.Known, diff)
		}
	}
	if c.Map(role.Act{Log: "azureActivity", Activity: "Add user"}).Known {
		t.Error("an act in Azure calls for a role of the directory")
	}
}
