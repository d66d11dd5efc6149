package role_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/delegation/role"
)

// TestMicrosoftsRoleIsFirst holds activities against Microsoft's page by hand: the role that it
// names as least for the task is in the set, and first.
func TestMicrosoftsRoleIsFirst(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, x := range []struct{ category, activity, want string }{
		{"UserManagement", "Add user", "User Administrator"},
		{"UserManagement", "Update user", "User Administrator"},
		{"UserManagement", "Delete user", "User Administrator"},
		{"UserManagement", "Set user manager", "User Administrator"},
		{"UserManagement", "Reset user password", "Password Administrator"},
		{"UserManagement", "Reset password (by admin)", "Password Administrator"},
		{"UserManagement", "Change user license", "License Administrator"},
		{"UserManagement", "Update StsRefreshTokenValidFrom Timestamp", "Helpdesk Administrator"},
		{"UserManagement", "Invite external user", "Guest Inviter"},
		{"UserManagement", "Enable Strong Authentication", "Authentication Administrator"},
		{"UserManagement", "Disable Strong Authentication", "Authentication Administrator"},
		{"UserManagement", "Delete application password for user", "Authentication Policy Administrator"},
		{"UserManagement", "Admin registered security info", "Authentication Administrator"},
		{"UserManagement", "Admin deleted security info", "Authentication Administrator"},
		{"Policy", "Authentication Methods Policy Update", "Authentication Policy Administrator"},
		{"GroupManagement", "Add group", "Groups Administrator"},
		{"GroupManagement", "Delete group", "Groups Administrator"},
		{"GroupManagement", "Add member to group", "User Administrator"},
		{"GroupManagement", "Set group license", "License Administrator"},
		{"RoleManagement", "Add member to role", "Privileged Role Administrator"},
		{"RoleManagement", "Add eligible member to role", "Privileged Role Administrator"},
		{"ApplicationManagement", "Add service principal", "Cloud Application Administrator"},
		{"ApplicationManagement", "Add delegated permission grant", "Cloud Application Administrator"},
		{"ApplicationManagement", "Consent to application", "Cloud Application Administrator"},
		{"Policy", "Add Conditional Access policy", "Conditional Access Administrator"},
		{"Policy", "Add named location", "Conditional Access Administrator"},
		{"Policy", "Update security defaults", "Conditional Access Administrator"},
		{"DirectoryManagement", "Verify domain", "Domain Name Administrator"},
		{"DirectoryManagement", "Set DirSyncEnabled flag", "Hybrid Identity Administrator"},
		{"DirectoryManagement", "Set Company Information", "Billing Administrator"},
		{"Device", "Delete device", "Cloud Device Administrator"},
		{"Device", "Update device", "Cloud Device Administrator"},
		{"KeyManagement", "Read BitLocker key", "Cloud Device Administrator"},
	} {
		m := c.Map(act(x.category, x.activity, role.TargetOrdinary))
		if got := names(c, m); !m.Known || m.Task == "" || len(got) == 0 || got[0] != x.want || m.Candidates[0].Task != 0 {
			t.Errorf("%s: %v, task %q, want %s first", x.activity, got, m.Task, x.want)
		}
	}
}

// TestEveryPlace: wherever a table row stands for an act, its first role that GDAP can carry is first.
func TestEveryPlace(t *testing.T) {
	t.Parallel()
	c := role.Load()
	tasks := map[string]map[string]string{}
	for _, row := range table(t, "tasks") {
		tasks[row["area"]+": "+row["task"]] = row
	}
	n := 0
	for _, row := range table(t, "places") {
		task := tasks[row["area"]+": "+row["task"]]
		ids := strings.Split(task["least_role_id"]+";"+task["additional_role_ids"], ";")
		ids = slices.DeleteFunc(ids, func(s string) bool { return s == "" })
		target := role.Target(row["target"])
		var properties []string
		if p := row["property"]; p != "" {
			properties = []string{p}
		}
		m := c.Map(act(categoryOf(t, row["activityDisplayName"]), row["activityDisplayName"], target, properties...))
		if !m.Known || !strings.Contains(m.Task, row["task"]) {
			t.Errorf("%v: %+v", row, m)
			continue
		}
		// An act with two rows has the first row's role first.
		if strings.HasPrefix(m.Task, row["area"]+": "+row["task"]) && m.Candidates[0].Role != ids[0] {
			t.Errorf("%s %s %s: %s is first, the table says %s", row["activityDisplayName"], target, row["property"],
				c.Name(m.Candidates[0].Role), c.Name(ids[0]))
		}
		n++
	}
	if n < 200 {
		t.Errorf("%d places read", n)
	}
}

// TestEveryAction: each action that a table names is one that some role holds.
func TestEveryAction(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("data/roles.json")
	if err != nil {
		t.Fatal(err)
	}
	var roles []struct{ Actions []string }
	if err := json.Unmarshal(raw, &roles); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range roles {
		for _, a := range r.Actions {
			known[a] = true
		}
	}
	if len(known) != 679 {
		t.Errorf("%d actions, want 679", len(known))
	}
	for _, name := range []string{"activities", "more", "properties"} {
		for _, row := range table(t, name) {
			for a := range strings.SplitSeq(row["acceptable_actions_any_of"], "|") {
				if a = strings.TrimSpace(a); a != "" && !known[a] {
					t.Errorf("%s: %s: no role holds %s", name, row["activityDisplayName"], a)
				}
			}
		}
	}
}

// TestEveryActivity: each activity of the tables calls for somebody, or is marked as not derivable.
func TestEveryActivity(t *testing.T) {
	t.Parallel()
	c, n := role.Load(), 0
	last := map[[2]string]string{}
	for _, name := range []string{"activities", "more"} {
		for _, row := range table(t, name) {
			last[[2]string{row["category"], row["activityDisplayName"]}] = row["sure"]
		}
	}
	for key, sure := range last {
		for _, target := range []role.Target{"", role.TargetOrdinary, role.TargetLimited, role.TargetPrivileged, role.TargetUnknown} {
			m := c.Map(act(key[0], key[1], target))
			if m.Known != (sure != "none") || m.Known && (m.Sure != sure || m.Source == "" || m.Date.IsZero()) {
				t.Errorf("%v %q: %+v, the table says %s", key, target, m, sure)
			}
			for _, d := range m.Candidates {
				if r, ok := c.Role(d.Role); !ok || r.Never || !c.Can(d.Role, act(key[0], key[1], target)) {
					t.Errorf("%v: candidate %s cannot, or is never offered", key, c.Name(d.Role))
				}
			}
		}
		n++
	}
	if n < 360 {
		t.Errorf("%d activities", n)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	c := role.Load()
	both := []string{"Privileged Authentication Administrator", "Global Administrator"}
	three := append([]string{"User Administrator"}, both...)
	for _, x := range []struct {
		activity string
		target   role.Target
		property string
		want     []string
	}{
		{"Reset user password", role.TargetPrivileged, "", both},
		{"Reset user password", role.TargetLimited, "", three},
		{"Disable account", role.TargetPrivileged, "", both},
		{"Delete user", role.TargetPrivileged, "", both},
		{"Delete user", role.TargetLimited, "", three},
		{"Update user", role.TargetPrivileged, "UserPrincipalName", both},
		{"Update user", role.TargetLimited, "Mobile", three},
		{"Admin deleted security info", role.TargetPrivileged, "", both},
		{"Admin deleted security info", role.TargetLimited, "", both},
		{"Update StsRefreshTokenValidFrom Timestamp", role.TargetPrivileged, "", both},
		{"Add member to group", role.TargetPrivileged, "", []string{"Privileged Role Administrator", "Global Administrator"}},
	} {
		var p []string
		if x.property != "" {
			p = []string{x.property}
		}
		if diff := cmp.Diff(x.want, names(c, c.Map(act("", x.activity, x.target, p...)))); diff != "" {
			t.Errorf("%s %s %s:\n%s", x.activity, x.target, x.property, diff)
		}
	}
	unknown := c.Map(act("UserManagement", "Reset user password", role.TargetUnknown))
	if got := names(c, unknown); got[0] != "Password Administrator" || unknown.Why == "" {
		t.Errorf("not read: %v, %q", got, unknown.Why)
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, x := range []struct {
		activity   string
		properties []string
		able, not  string
	}{
		{"Update user", nil, "User Administrator", "License Administrator"},
		{"Update user", []string{"UsageLocation", "Included Updated Properties", "TargetId.UserType"}, "License Administrator", "Password Administrator"},
		{"Update user", []string{"Department", "UsageLocation"}, "User Administrator", "License Administrator"},
		{"Update user", []string{"StrongAuthenticationMethod"}, "Authentication Administrator", "Directory Writers"},
		{"Update user", []string{"UserPrincipalName"}, "User Administrator", "Intune Administrator"},
		{"Update device", []string{"AccountEnabled"}, "Cloud Device Administrator", "Helpdesk Administrator"},
		{"Update application – Certificates and secrets management", nil, "Cloud Application Administrator", "Hybrid Identity Administrator"},
		{"Update application - Certificates and secrets management", nil, "Cloud Application Administrator", "Hybrid Identity Administrator"},
	} {
		got := names(c, c.Map(act("", x.activity, role.TargetOrdinary, x.properties...)))
		if !slices.Contains(got, x.able) || slices.Contains(got, x.not) {
			t.Errorf("%s %v: %v", x.activity, x.properties, got)
		}
	}
}

// TestKindOfGroup: the log does not say which kind of group it was; who can change one kind alone
// explains the row, and is not relied on.
func TestKindOfGroup(t *testing.T) {
	t.Parallel()
	c := role.Load()
	a := act("GroupManagement", "Add group", "")
	for _, name := range []string{"Exchange Administrator", "Intune Administrator", "Yammer Administrator"} {
		r, _ := c.ByName(name)
		if slices.Contains(names(c, c.Map(a)), name) || !c.Can(r.ID, a) {
			t.Errorf("%s: %v, can %v", name, names(c, c.Map(a)), c.Can(r.ID, a))
		}
	}
	if !c.Can(role.PartnerTier2, a) || slices.Contains(names(c, c.Map(a)), "Partner Tier2 Support") {
		t.Error("Partner Tier2 Support can, and is never called for")
	}
	r, _ := c.ByName("License Administrator")
	if c.Can(r.ID, a) || c.Can("", a) || c.Can(r.ID, act("GroupManagement", "no such activity", "")) {
		t.Error("somebody can do what nobody can")
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	c := role.Load()
	// Microsoft's reference has this one in another category than our table.
	if m := c.Map(act("ApplicationManagement", "Authentication Methods Policy Update", "")); !m.Known || m.Sure != "mid" || m.Why == "" {
		t.Errorf("another category: %+v", m)
	}
	if m := c.Map(act("GroupManagement", "Add member to role in PIM completed (timebound)", "")); m.Known {
		t.Errorf("PIM for groups calls for a role of the directory: %+v", m)
	}
	if m := c.Map(act("RoleManagement", "Add member to role in PIM completed (timebound)", "")); !m.Known {
		t.Error("PIM for roles is not known")
	}
}

// hostile are names that say nothing.
var hostile = []string{
	"", " ", "add", "Add user; drop table", "Add user\x00", "<script>Add user</script>", "*", "Add user\u202e", strings.Repeat("Add user ", 1000),
	"Adduser", "Add\u200buser", "GLOBAL ADMINISTRATOR", "microsoft.directory/users/create", "../activities.csv", "Add user\nDelete user", "Аdd user",
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, s := range hostile {
		for _, log := range []string{role.DirectoryAudit, role.PartnerCenter, "", s} {
			if m := c.Map(role.Act{Log: log, Category: s, Activity: s, Target: role.Target(s)}); m.Known || len(m.Candidates) > 0 {
				t.Errorf("%.40q in %.20q: %+v", s, log, m)
			}
			if c.Can(role.GlobalAdministrator, role.Act{Log: log, Activity: s}) {
				t.Errorf("%.40q: somebody can", s)
			}
		}
	}
}

func FuzzMap(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s, s, s)
	}
	f.Add(role.DirectoryAudit, "UserManagement", "Update user", "UserPrincipalName", "privileged")
	f.Add(role.PartnerCenter, "", "reset_customer_user_password", "", "unknown")
	c := role.Load()
	f.Fuzz(func(t *testing.T, log, category, activity, property, target string) {
		a := role.Act{Log: log, Category: category, Activity: activity, Properties: []string{property}, Target: role.Target(target)}
		m := c.Map(a)
		if m.Known != (len(m.Candidates) > 0) || m.Known == (m.Sure == "") {
			t.Fatalf("%+v: %+v", a, m)
		}
		for _, d := range m.Candidates {
			if r, ok := c.Role(d.Role); !ok || r.Never || !c.Can(d.Role, a) {
				t.Fatalf("%+v: %s", a, c.Name(d.Role))
			}
		}
	})
}

// table reads an embedded table from its file.
func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open("data/" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, c := range all[0] {
			row[c] = line[i]
		}
		out = append(out, row)
	}
	return out
}

// categoryOf finds a category that an activity stands in.
func categoryOf(t *testing.T, activity string) string {
	t.Helper()
	for _, name := range []string{"activities", "more"} {
		for _, row := range table(t, name) {
			if row["activityDisplayName"] == activity {
				return row["category"]
			}
		}
	}
	return ""
}
