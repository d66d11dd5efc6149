package watch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

const tenant = "995b216d-61ba-5134-8411-a1fd6487a5d3"

// inventory has one customer with these relationships, and lists that are whole.
func inventory(list ...delegation.Relationship) *delegation.Inventory {
	whole := delegation.ListRead{At: now, Whole: true}
	for i := range list {
		if list[i].ID == "" {
			list[i].ID = fmt.Sprintf("r%d", i+1)
		}
	}
	return &delegation.Inventory{
		AsOf: now, Customers: []delegation.Customer{{Tenant: tenant, Name: "Fabrikam", DAP: delegation.No, Relationships: list}},
		Groups: map[string]*delegation.Group{}, People: map[string]*delegation.Person{},
		Lists: map[string]delegation.ListRead{"delegatedAdminRelationships": whole, "customers": whole, "users": whole},
	}
}

func kinds(list []watch.Finding) (out []string) {
	for i := range list {
		s := string(list[i].Kind)
		if !list[i].Sure {
			s += "?"
		}
		out = append(out, s)
	}
	return out
}

func find(inv *delegation.Inventory) []watch.Finding {
	return watch.Find(watch.Input{Inventory: inv, AsOf: now})
}

func TestEnds(t *testing.T) {
	t.Parallel()
	reader, global := entra.RoleDirectoryReaders, role.GlobalAdministrator
	for _, x := range []struct {
		name  string
		in    time.Duration
		auto  string
		roles []string
		lost  bool
		want  string // kind, stage, severity
	}{
		{"61 days", 61 * 24 * time.Hour, "", []string{reader}, false, ""},
		{"60 days", 60 * 24 * time.Hour, "", []string{reader}, false, "ending 60 60 notice"},
		{"31 days", 31 * 24 * time.Hour, "PT0S", []string{reader}, false, "ending 31 60 notice"},
		{"30 days", 30 * 24 * time.Hour, "", []string{reader}, false, "ending 30 30 notice"},
		{"29 days and an hour", 29*24*time.Hour + time.Hour, "", []string{reader}, false, "ending 30 30 notice"},
		{"14 days", 14 * 24 * time.Hour, "", []string{reader}, false, "ending 14 14 warning"},
		{"8 days", 8 * 24 * time.Hour, "", []string{reader}, false, "ending 8 14 warning"},
		{"7 days", 7 * 24 * time.Hour, "", []string{reader}, false, "ending 7 7 urgent"},
		{"an hour", time.Hour, "", []string{reader}, false, "ending 1 1 urgent"},
		{"extends itself", 20 * 24 * time.Hour, "P180D", []string{reader}, false, ""},
		{"not with Global Administrator", 20 * 24 * time.Hour, "P180D", []string{reader, global}, false, "ending 20 30 notice"},
		{"roles lost", 20 * 24 * time.Hour, "P180D", []string{reader}, true, "ending? 20 30 notice"},
	} {
		r := delegation.Relationship{Name: "Desk", Status: "active", Active: true, End: now.Add(x.in), AutoExtend: x.auto, Roles: x.roles, RolesLost: x.lost}
		got := ""
		for _, f := range watch.Ends(find(inventory(r))) {
			got += fmt.Sprintf("%s %d %d %s", kinds([]watch.Finding{f})[0], f.Days, f.Stage, f.Severity)
			if !f.Sure && !strings.Contains(f.Ask, "r1") {
				t.Errorf("%s: it does not say what settles it: %+v", x.name, f)
			}
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	at := func(days int, status string) delegation.Relationship {
		return delegation.Relationship{Name: "Old", Status: status, End: now.AddDate(0, 0, -days), Roles: []string{entra.RoleDirectoryReaders}}
	}
	for _, x := range []struct {
		name string
		r    []delegation.Relationship
		want []string
	}{
		{"expired yesterday", []delegation.Relationship{at(1, "expired")}, []string{"ended"}},
		{"long ago", []delegation.Relationship{at(31, "expired")}, nil},
		{"somebody ended it", []delegation.Relationship{at(1, "terminated")}, nil},
		{"it may have been extended", []delegation.Relationship{at(1, "active")}, []string{"ended?"}},
	} {
		if diff := cmp.Diff(x.want, kinds(watch.Ends(find(inventory(x.r...))))); diff != "" {
			t.Errorf("%s:\n%s", x.name, diff)
		}
	}
	stale := at(2, "active") // as of when it was read it was in force
	stale.Active = true
	if diff := cmp.Diff([]string{"ended?"}, kinds(watch.Ends(find(inventory(stale))))); diff != "" {
		t.Errorf("read before its end:\n%s", diff)
	}
	stale.AutoExtend = "P180D"
	if f := find(inventory(stale)); len(f) != 0 {
		t.Errorf("it extended itself: %+v", f)
	}
	another := delegation.Relationship{Name: "New", Status: "active", Active: true, End: now.AddDate(2, 0, 0), Roles: []string{entra.RoleDirectoryReaders}}
	if f := find(inventory(at(1, "expired"), another)); len(f) != 1 || f[0].Severity != watch.Notice || !strings.Contains(f[0].What, "another one") {
		t.Errorf("with another one: %+v", f)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	far := now.AddDate(2, 0, 0)
	rel := func(roles ...string) delegation.Relationship {
		return delegation.Relationship{Name: "MLT_x", Status: "active", Active: true, End: far, Roles: roles}
	}
	mlt := rel(entra.RoleDirectoryReaders)
	mlt.Microsoft = true
	governed := rel(role.GlobalAdministrator)
	governed.Governance = true
	over := rel(role.GlobalAdministrator)
	over.Active, over.Status = false, "approvalPending"
	for _, x := range []struct {
		name string
		r    delegation.Relationship
		want []string
	}{
		{"readers", rel(entra.RoleDirectoryReaders, entra.RoleUserAdministrator), nil},
		{"global", rel(role.GlobalAdministrator), []string{"global-administrator"}},
		{"roads", rel(role.PrivilegedRole, entra.RoleApplicationAdministrator), []string{"road"}},
		{"tiers", rel(role.PartnerTier1, role.PartnerTier2), []string{"partner-support"}},
		{"Microsoft's", mlt, []string{"made-by-microsoft"}},
		{"not in force", over, nil},
	} {
		if diff := cmp.Diff(x.want, kinds(find(inventory(x.r)))); diff != "" {
			t.Errorf("%s:\n%s", x.name, diff)
		}
	}
	if f := find(inventory(governed)); len(f) != 1 || strings.Contains(f[0].Do, "replace") {
		t.Errorf("tenant governance is offered for ending: %+v", f)
	}
}

// part is what was seen at the customer: logs complete for so many days, and acts of so long ago.
func part(audit, signIn int, acts ...int) *use.Part {
	log := func(kind evidence.Kind, days int) use.Log {
		return use.Log{Kind: kind, Read: true, Whole: true, Live: true, Spans: []use.Span{{From: now.AddDate(0, 0, -days), To: now}}}
	}
	p := &use.Part{Tenant: tenant, Logs: []use.Log{log(evidence.DirectoryAudit, audit), log(evidence.SignIn, signIn)}}
	for _, ago := range acts {
		at := now.AddDate(0, 0, -ago)
		p.Acts = append(p.Acts, use.Act{Actor: "p", Act: role.Act{Log: role.DirectoryAudit, Activity: "Add user"}, Count: 1, First: at, Last: at,
			Days: []use.Day{{at.Unix() / 86400, 1}}})
	}
	return p
}

func TestInactiveDAP(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		dap  delegation.Answer
		part *use.Part
		want []string
	}{
		{"no DAP", delegation.No, nil, nil},
		{"not known", delegation.Unknown, nil, nil},
		{"not read", delegation.Yes, nil, []string{"dap", "inactive-dap?"}},
		{"used", delegation.Yes, part(95, 95, 3), []string{"dap"}},
		{"used long ago", delegation.Yes, part(95, 95, 92), []string{"dap", "inactive-dap"}},
		{"not used", delegation.Yes, part(95, 95), []string{"dap", "inactive-dap"}},
		{"the sign-ins have a hole", delegation.Yes, part(95, 60), []string{"dap", "inactive-dap?"}},
		{"the audit log has a hole", delegation.Yes, part(89, 95), []string{"dap", "inactive-dap?"}},
	} {
		inv := inventory()
		inv.Customers[0].DAP = x.dap
		f := watch.Find(watch.Input{Inventory: inv, AsOf: now, Use: map[string]*use.Part{tenant: x.part}})
		slices.SortFunc(f, func(a, b watch.Finding) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
		if diff := cmp.Diff(x.want, kinds(f)); diff != "" {
			t.Errorf("%s:\n%s", x.name, diff)
		}
		for i := range f {
			if !f[i].Sure && f[i].Ask == "" {
				t.Errorf("%s: it does not say what settles it: %+v", x.name, f[i])
			}
		}
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	inv := inventory(delegation.Relationship{Name: "Desk", Status: "active", Active: true, End: now.AddDate(2, 0, 0), Roles: []string{entra.RoleDirectoryReaders},
		Assignments: []delegation.Assignment{{ID: "a", Group: "g1", Active: true}, {ID: "b", Group: "g2"}}})
	inv.People = map[string]*delegation.Person{
		"here": {ID: "here", Name: "Here", Known: true, Enabled: delegation.Yes}, "off": {ID: "off", Name: "Off", Known: true, Enabled: delegation.No},
		"gone": {ID: "gone"}, "app": {ID: "app", App: true}, "other": {ID: "other", Known: true, Enabled: delegation.No},
		"unsaid": {ID: "unsaid", Known: true, Enabled: delegation.Unknown},
	}
	inv.Groups["g1"] = &delegation.Group{ID: "g1", Name: "Tier 1", Members: []delegation.Member{
		{Person: "here"}, {Person: "off", Eligible: true}, {Person: "gone"}, {Person: "app"}, {Person: "unsaid"}}}
	inv.Groups["g2"] = &delegation.Group{ID: "g2", Name: "Holds nothing", Members: []delegation.Member{{Person: "other"}}}
	ids := func() (out []string) {
		for _, f := range find(inv) {
			if f.Kind == watch.Left {
				out = append(out, f.Person)
			}
		}
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff([]string{"gone", "off"}, ids()); diff != "" {
		t.Error(diff)
	}
	// A list of users that is not whole proves nobody deleted.
	inv.Lists["users"] = delegation.ListRead{At: now}
	if diff := cmp.Diff([]string{"off"}, ids()); diff != "" {
		t.Error(diff)
	}
}

func TestUnused(t *testing.T) {
	t.Parallel()
	inv := inventory()
	inv.Groups["g"] = &delegation.Group{ID: "g", Name: "Tier 1"}
	drop := func(judged bool, sure recommend.Sure) *recommend.Result {
		return &recommend.Result{Window: recommend.Window{Days: 90}, Items: []recommend.Item{{Customer: tenant, Relationship: "r", Group: "g", Judged: judged,
			Dropped: []recommend.Dropped{{Role: entra.RoleUserAdministrator, Sure: sure}}}}}
	}
	for _, x := range []struct {
		name string
		in   *recommend.Result
		want int
	}{
		{"by evidence", drop(true, recommend.ByEvidence), 1}, {"no evidence is not unused", drop(true, recommend.NoEvidence), 0},
		{"not judged", drop(false, recommend.ByEvidence), 0}, {"not made", nil, 0},
	} {
		if f := watch.Find(watch.Input{Inventory: inv, AsOf: now, Recommend: x.in}); len(f) != x.want {
			t.Errorf("%s: %+v", x.name, f)
		}
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	owner := delegation.AzureRight{Subscription: "s", Scope: "/subscriptions/s", Role: "Owner", Principal: "p1", Type: "ForeignGroup"}
	later := owner
	later.Principal = "p2"
	reader := owner
	reader.Principal, reader.Role = "p3", "Reader"
	app := delegation.Consent{App: "a", Name: "CPV", Permissions: []string{"User.Read"}}
	more := delegation.Consent{App: "a", Name: "CPV", Permissions: []string{"User.Read", "Mail.Read"}}
	first := watch.Next(nil, []delegation.AzureRight{owner}, true, []delegation.Consent{app}, true, now.AddDate(0, 0, -2))
	second := watch.Next(first, []delegation.AzureRight{owner, later, reader}, true, []delegation.Consent{more}, true, now.AddDate(0, 0, -1))
	inv := inventory()
	inv.Customers[0].Azure, inv.Customers[0].Consents = []delegation.AzureRight{owner, later, reader}, []delegation.Consent{more}
	look := func(s *watch.Seen) []string {
		f := watch.Find(watch.Input{Inventory: inv, AsOf: now, Seen: map[string]*watch.Seen{tenant: s}})
		slices.SortFunc(f, func(a, b watch.Finding) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
		return kinds(f)
	}
	if diff := cmp.Diff([]string{"azure-owner", "consent-grew"}, look(second)); diff != "" {
		t.Error(diff)
	}
	if got := look(watch.Next(nil, inv.Customers[0].Azure, true, inv.Customers[0].Consents, true, now)); len(got) != 0 {
		t.Errorf("what was there when watching began is new: %v", got)
	}
	// A reading that was cut forgets nothing, and does not make new what it had not seen before.
	cut := watch.Next(first, nil, false, nil, false, now)
	again := watch.Next(cut, []delegation.AzureRight{owner}, true, []delegation.Consent{app}, true, now)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if s := watch.Next(nil, nil, false, nil, false, now); !s.AzureFrom.IsZero() || !s.ConsentsFrom.IsZero() {
		t.Errorf("watching began with what was not read: %+v", s)
	}
}

func TestUnread(t *testing.T) {
	t.Parallel()
	inv := inventory(delegation.Relationship{Name: "Desk", Status: "active", Active: true, Roles: []string{entra.RoleDirectoryReaders}})
	inv.Lists["delegatedAdminRelationships"] = delegation.ListRead{Why: "a page is missing", Ask: "GET /x"}
	delete(inv.Lists, "customers")
	f := find(inv)
	if diff := cmp.Diff([]string{"unread", "unread", "unread"}, kinds(f)); diff != "" {
		t.Errorf("%s\n%+v", diff, f)
	}
	if len(watch.Ends(f)) != 2 {
		t.Errorf("ends: %+v", watch.Ends(f))
	}
	if got := watch.Find(watch.Input{AsOf: now}); len(got) != 0 {
		t.Errorf("nothing to look at: %+v", got)
	}
}
