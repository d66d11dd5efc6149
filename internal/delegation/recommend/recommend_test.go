package recommend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

const (
	fabrikam = "aaaaaaaa-0000-4000-8000-000000000001"
	staff    = "bbbbbbbb-0000-4000-8000-000000000001"
	others   = "bbbbbbbb-0000-4000-8000-000000000002"
	agents   = "bbbbbbbb-0000-4000-8000-000000000003"
	ada      = "cccccccc-0000-4000-8000-000000000001"
	bob      = "cccccccc-0000-4000-8000-000000000002"

	global    = entra.RoleGlobalAdministrator
	roles     = entra.RolePrivilegedRoleAdministrator
	privAuth  = entra.RolePrivilegedAuthenticationAdministrator
	license   = entra.RoleLicenseAdministrator
	user      = entra.RoleUserAdministrator
	reader    = entra.RoleDirectoryReaders
	exchange  = entra.RoleExchangeAdministrator
	groupsAdm = entra.RoleGroupsAdministrator
)

var end = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// ground is one customer with one relationship whose roles Ada's group has.
type ground struct {
	inv  *delegation.Inventory
	part *use.Part
	in   recommend.Input
}

func newGround(granted ...string) *ground {
	g := &ground{part: &use.Part{Tenant: fabrikam, Logs: []use.Log{{Kind: evidence.DirectoryAudit, Read: true, Whole: true, First: end.AddDate(0, 0,
		-120), Last: end}}}}
	g.inv = &delegation.Inventory{AsOf: end, AdminAgents: []string{agents},
		Groups: map[string]*delegation.Group{
			staff:  {ID: staff, Name: "Staff", Known: true, Whole: true, Pim: delegation.Yes, Members: []delegation.Member{{Person: ada}}},
			others: {ID: others, Name: "Others", Known: true, Whole: true, Pim: delegation.Yes, Members: []delegation.Member{{Person: bob}}},
			agents: {ID: agents, Name: "AdminAgents", Known: true, Whole: true, Pim: delegation.Yes},
		},
		People: map[string]*delegation.Person{ada: {ID: ada, Name: "Ada"}},
		Customers: []delegation.Customer{{Tenant: fabrikam, Name: "Fabrikam", DAP: delegation.No, Relationships: []delegation.Relationship{{
			ID: "r1", Active: true, Activated: end.AddDate(0, 0, -200), Read: delegation.Yes, Roles: granted,
			Assignments: []delegation.Assignment{{ID: "a1", Group: staff, Active: true, Roles: granted}}}}}}}
	g.in = recommend.Input{Inventory: g.inv, Use: map[string]*use.Part{fabrikam: g.part}, To: end}
	return g
}

// did adds an act of some days before the end.
func (g *ground) did(who, category, act string, target role.Target, days int) {
	at := end.AddDate(0, 0, -days)
	g.part.Acts = append(g.part.Acts, use.Act{Actor: who, Count: 1, First: at, Last: at, Days: []use.Day{{at.Unix() / 86400, 1}},
		Act: role.Act{Log: string(evidence.DirectoryAudit), Category: category, Activity: act, Target: target}})
}

func (g *ground) rel() *delegation.Relationship { return &g.inv.Customers[0].Relationships[0] }

func (g *ground) also(group string, granted ...string) {
	r := g.rel()
	r.Assignments = append(r.Assignments, delegation.Assignment{ID: "a" + group, Group: group, Active: true, Roles: granted})
}

func set(ids ...string) []string { slices.Sort(ids); return ids }

// TestRules: each rule of who an act counts for and what is kept, by itself.
func TestRules(t *testing.T) {
	t.Parallel()
	licence := func(g *ground) { g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5) }
	reset := func(g *ground) { g.did(ada, "UserManagement", "Reset user password", role.TargetPrivileged, 5) }
	for name, c := range map[string]struct {
		granted []string
		make    func(*ground)
		want    []string
		more    func(*recommend.Result) string // what is wrong
	}{
		"a member's act": {[]string{user, reader}, licence, set(license), nil},
		"another's act": {[]string{user}, func(g *ground) { g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5) }, nil,
			func(r *recommend.Result) string { return need(len(r.Unexplained) == 1, "the act is not listed") }},
		"before the window": {[]string{user}, func(g *ground) { g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 95) }, nil, nil},
		"a group that is not whole": {[]string{user}, func(g *ground) {
			g.inv.Groups[staff].Whole = false
			g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		}, set(license), nil},
		"a group that was not read": {[]string{user}, func(g *ground) {
			delete(g.inv.Groups, staff)
			g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		}, set(license), nil},
		"who is eligible was not read": {[]string{user}, func(g *ground) {
			g.inv.Groups[staff].Pim = delegation.Unknown
			g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		}, set(license), nil},
		"who is eligible was not read, and it was a stranger": {[]string{user}, func(g *ground) {
			g.inv.Groups[staff].Pim = delegation.Unknown
			g.in.Stranger = func(id string) bool { return id == bob }
			g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		}, nil, nil},
		"a role that could not": {[]string{reader}, licence, nil,
			func(r *recommend.Result) string { return need(len(r.Unexplained) == 1, "the act is not listed") }},
		"by DAP": {[]string{reader}, func(g *ground) {
			licence(g)
			g.inv.Customers[0].DAP = delegation.Yes
			g.inv.Groups[agents].Members = []delegation.Member{{Person: ada}}
		}, set(license), func(r *recommend.Result) string {
			return need(len(r.Items[0].Added) == 1, "it is not said to be added")
		}},
		"perhaps by DAP": {[]string{reader}, func(g *ground) {
			licence(g)
			g.inv.Customers[0].DAP, g.inv.AdminAgents = delegation.Unknown, nil
		}, set(license), nil},
		"by DAP, and not in AdminAgents": {[]string{reader}, func(g *ground) { licence(g); g.inv.Customers[0].DAP = delegation.Yes }, nil, nil},
		"by DAP alone": {[]string{reader}, func(g *ground) {
			g.inv.Customers[0].DAP = delegation.Yes
			g.inv.Groups[agents].Members = []delegation.Member{{Person: bob}}
			g.did(bob, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		}, nil, func(r *recommend.Result) string {
			return need(len(r.DAP) == 1 && slices.Equal(r.DAP[0].Recommended, set(license)) && slices.Equal(r.DAP[0].People, []string{bob}),
				fmt.Sprint(r.DAP))
		}},
		"refused": {[]string{user}, func(g *ground) { licence(g); g.part.Acts[0].Failed = true }, nil,
			func(r *recommend.Result) string { return need(len(r.Items[0].Failed) == 1, "it is not listed") }},
		"nothing is known of it": {[]string{user}, func(g *ground) { g.did(ada, "X", "Frobnicate", "", 5) }, nil, func(r *recommend.Result) string {
			return need(slices.Equal(r.Items[0].Unmapped, []string{"Frobnicate"}) && r.Summary.Unmapped == 1, "it is not listed")
		}},
		"an administrator's password": {[]string{privAuth, user, global}, reset, set(privAuth), func(r *recommend.Result) string {
			return need(len(r.Items[0].Waits) == 1 && r.Items[0].Waits[0].Kept == privAuth, "it does not wait")
		}},
		"an administrator's password, by Global Administrator alone": {[]string{user, global}, reset, set(global), func(r *recommend.Result) string {
			return need(len(r.Items[0].Waits) == 1 && r.Items[0].Waits[0].Role == privAuth, "it does not say what it waits for")
		}},
		"an administrator's password, accepted": {[]string{user, global}, func(g *ground) { reset(g); g.in.Accepted = []string{privAuth} }, set(privAuth),
			func(r *recommend.Result) string { return need(len(r.Items[0].Waits) == 0, "it waits") }},
		"what waits makes nothing needless": {[]string{user, global}, func(g *ground) { reset(g); licence(g) }, set(license, global), nil},
		"what stays can do the rest, too":   {[]string{reader, global}, func(g *ground) { reset(g); licence(g) }, set(global), nil},
		"the smallest": {[]string{user, license, groupsAdm}, func(g *ground) {
			licence(g)
			g.did(ada, "UserManagement", "Add user", role.TargetOrdinary, 6)
		}, set(user), nil},
		"pinned": {[]string{user, exchange}, func(g *ground) {
			licence(g)
			g.in.Pins = []recommend.Pin{{Role: strings.ToUpper(exchange), Group: staff}, {Role: user, Customer: others}, {Role: user, Group: others},
				{Role: reader}}
		}, set(exchange, license), nil},
		"two groups, both able": {[]string{user}, func(g *ground) {
			g.also(others, user)
			g.inv.Groups[others].Members = append(g.inv.Groups[others].Members, delegation.Member{Person: ada, Eligible: true})
			licence(g)
		}, set(license), func(r *recommend.Result) string {
			return need(slices.Equal(r.Items[1].Recommended, set(license)), "it does not count for the other")
		}},
		"Azure": {[]string{user, reader}, func(g *ground) {
			licence(g)
			g.part.Acts[0].Act = role.Act{Log: string(evidence.AzureActivity), Activity: "Microsoft.Compute/virtualMachines/write"}
		}, set(reader), nil},
	} {
		g := newGround(c.granted...)
		c.make(g)
		r := recommend.Run(g.in)
		it := r.Items[0]
		if !slices.Equal(it.Recommended, c.want) || !it.Judged || r.Summary.Refused != 0 {
			t.Errorf("%s: recommended %v, want %v; judged %v %s; %d refused", name, it.Recommended, c.want, it.Judged, it.Why, r.Summary.Refused)
		}
		if c.more != nil {
			if wrong := c.more(r); wrong != "" {
				t.Errorf("%s: %s", name, wrong)
			}
		}
	}
}

func need(ok bool, wrong string) string {
	if ok {
		return ""
	}
	return wrong
}

// TestNotJudged: what cannot be judged stays as it is.
func TestNotJudged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ground){
		"young":                      func(g *ground) { g.rel().Activated = end.AddDate(0, 0, -89) },
		"a young assignment":         func(g *ground) { g.rel().Assignments[0].Created = end.AddDate(0, 0, -3) },
		"nobody knows since when":    func(g *ground) { g.rel().Activated = time.Time{} },
		"no log":                     func(g *ground) { delete(g.in.Use, fabrikam) },
		"not the audit log":          func(g *ground) { g.part.Logs[0].Read = false },
		"more than is kept apart":    func(g *ground) { g.part.Overflow = true },
		"roles were lost":            func(g *ground) { g.rel().Assignments[0].RolesLost = true },
		"made by tenant governance":  func(g *ground) { g.rel().Governance = true },
		"one that gives no access":   func(g *ground) { g.rel().Assignments[0].Active = false },
		"a relationship that is not": func(g *ground) { g.rel().Active = false },
	} {
		g := newGround(user, reader)
		change(g)
		r := recommend.Run(g.in)
		if len(r.Items) == 0 {
			if !strings.HasPrefix(name, "one that") && !strings.HasPrefix(name, "a relationship") {
				t.Errorf("%s: no item", name)
			}
			continue
		}
		if it := r.Items[0]; it.Judged || it.Why == "" || len(it.Dropped) > 0 || !slices.Equal(it.Recommended, set(user, reader)) {
			t.Errorf("%s: %+v", name, it)
		}
	}
}

// TestSure: a role goes by evidence only where the log of all that it is for is complete.
func TestSure(t *testing.T) {
	t.Parallel()
	sure := func(g *ground, id string) recommend.Sure {
		for _, d := range recommend.Run(g.in).Items[0].Dropped {
			if d.Role == id {
				return d.Sure
			}
		}
		return ""
	}
	for id, want := range map[string]recommend.Sure{user: recommend.ByEvidence, roles: recommend.ByEvidence, reader: recommend.NoEvidence,
		exchange: recommend.NoEvidence, global: recommend.NoEvidence, "00000000-0000-4000-8000-00000000ffff": recommend.NoEvidence} {
		if got := sure(newGround(id), id); got != want {
			t.Errorf("%s goes by %q", id, got)
		}
	}
	g := newGround(user)
	for days, want := range map[int]recommend.Sure{80: recommend.ByEvidence, 70: recommend.NoEvidence, 61: recommend.NoEvidence, 20: recommend.NoEvidence} {
		g.part.Logs[0].First = end.AddDate(0, 0, -days) // two quiet weeks at the beginning are believed
		if got := sure(g, user); got != want {
			t.Errorf("of a log of %d days it goes by %q", days, got)
		}
	}
	g = newGround(privAuth)
	g.did(ada, "UserManagement", "Reset user password", role.TargetUnknown, 4)
	if got := sure(g, privAuth); got != recommend.NoEvidence {
		t.Errorf("where the target's roles are unknown it goes by %q", got)
	}
}

// TestCautious: where roles without evidence stay, what they can do calls for no other one.
func TestCautious(t *testing.T) {
	t.Parallel()
	g := newGround(user, reader)
	g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
	g.part.Logs[0].First = end.AddDate(0, 0, -20) // so that nothing goes by evidence
	it := recommend.Run(g.in).Items[0]
	if !slices.Equal(it.Recommended, set(license)) || !slices.Equal(it.Cautious, set(user, reader)) {
		t.Errorf("recommended %v, cautious %v", it.Recommended, it.Cautious)
	}
	g.part.Logs[0].First = end.AddDate(0, 0, -120) // all is read: the role goes by evidence, the one for reading does not
	if it = recommend.Run(g.in).Items[0]; !slices.Equal(it.Cautious, set(license, reader)) {
		t.Errorf("with evidence cautious is %v", it.Cautious)
	}
	g = newGround(reader, exchange) // what stays cannot do it: it is asked for
	g.inv.Customers[0].DAP = delegation.Yes
	g.inv.Groups[agents].Members = []delegation.Member{{Person: ada}}
	g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
	if it = recommend.Run(g.in).Items[0]; !slices.Equal(it.Cautious, set(license, reader, exchange)) {
		t.Errorf("by DAP cautious is %v", it.Cautious)
	}
}

// TestTemplates: rare sets go into a common one that has all of theirs and no further
// privileged role.
func TestTemplates(t *testing.T) {
	t.Parallel()
	g := newGround(user, groupsAdm)
	base := g.inv.Customers[0]
	g.inv.Customers = nil
	g.in.Use = map[string]*use.Part{}
	for i := range 10 {
		c := base
		c.Tenant = fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i)
		g.inv.Customers = append(g.inv.Customers, c)
		g.part = &use.Part{Tenant: c.Tenant, Logs: g.part.Logs}
		g.in.Use[c.Tenant] = g.part
		switch {
		case i < 6: // two roles, neither privileged
			g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
			g.did(ada, "GroupManagement", "Add group", "", 5)
		case i < 8: // one of them
			g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
		default: // a privileged one
			g.did(ada, "UserManagement", "Add user", role.TargetOrdinary, 5)
		}
	}
	r := recommend.Run(g.in)
	if len(r.Templates) != 2 || r.Templates[0].Items != 8 || r.Templates[0].Exact != 6 || !slices.Equal(r.Templates[0].Roles, set(license, groupsAdm)) ||
		!reflect.DeepEqual(r.Templates[0].Extra, []recommend.Extra{{Role: groupsAdm, Items: 2}}) || r.Templates[1].Items != 2 {
		t.Fatalf("%+v", r.Templates)
	}
	if it := r.Items[6]; it.Template != r.Templates[0].ID || !slices.Equal(it.Recommended, set(license)) {
		t.Errorf("what is recommended became more by the template: %+v", it)
	}
	for _, line := range r.Templates[0].Theft {
		if !strings.Contains(line, ": ") {
			t.Errorf("%q", line)
		}
	}
	x := recommend.Replay(g.in, []string{license})
	if x.Acts != 16 || x.Count != 8 || len(x.Refused) != 8 {
		t.Errorf("%d of %d, %d", x.Count, x.Acts, len(x.Refused))
	}
	slices.Reverse(g.inv.Customers)
	if again := recommend.Run(g.in); !reflect.DeepEqual(again, r) {
		t.Error("another order of customers gives another answer")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	g := newGround(user, license)
	g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
	g.did(ada, "UserManagement", "Add user", role.TargetOrdinary, 9)
	g.in.Customers = map[string]bool{fabrikam: true}
	x, err := recommend.Explain(g.in, user)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Used) != 2 || x.Used[0].Activity != "Change user license" || x.Used[0].Goes || !slices.Equal(x.Used[0].Others, []string{license}) ||
		!x.Used[1].Goes || x.Used[1].Name != "Ada" || len(x.Items) != 1 || !x.Items[0].Stays {
		t.Errorf("%+v", x)
	}
	if _, err := recommend.Explain(g.in, exchange); err == nil {
		t.Error("a role that nobody holds was explained")
	}
}

// TestHostileNames: names of others end in one line, without what steers a terminal.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	g := newGround(user, reader)
	bad := "=cmd|'/c x'!A1\x1b]0;x\a\n\u202efdp.exe"
	g.inv.Groups[staff].Name, g.inv.Customers[0].Name, g.inv.People[ada].Name = bad, bad, bad
	g.did(ada, "UserManagement", "Change user license", role.TargetOrdinary, 5)
	g.in.Customers = map[string]bool{fabrikam: true}
	r := recommend.Run(g.in)
	x, err := recommend.Explain(g.in, user)
	if err != nil {
		t.Fatal(err)
	}
	list := recommend.UnusedOf(r, role.Load())
	var b bytes.Buffer
	for _, err := range []error{r.Text(&b, print.Options{}), r.CSV(&b), x.Text(&b, print.Options{}), recommend.UnusedText(&b, list, r, print.Options{}),
		recommend.UnusedCSV(&b, list, r), recommend.Replay(g.in, []string{reader}).Text(&b, print.Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if out := b.String(); strings.ContainsAny(out, "\x1b\a\u202e") || strings.Contains(out, "\n=cmd") || strings.Contains(out, ",=cmd") {
		t.Errorf("%q", out)
	}
}

// TestContract: the members that others read have the names and forms they were promised.
func TestContract(t *testing.T) {
	t.Parallel()
	g := newGround(user, reader)
	g.did(ada, "X", "Frobnicate", "", 5)
	raw, err := json.Marshal(recommend.Run(g.in))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Window struct{ From, To time.Time }
		Items  []map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &v); err != nil || !v.Window.To.Equal(end) || !v.Window.From.Equal(end.AddDate(0, 0, -90)) || len(v.Items) != 1 {
		t.Fatalf("%s %v", raw, err)
	}
	for name, want := range map[string]string{"customerTenantId": `"` + fabrikam + `"`, "relationshipId": `"r1"`, "groupId": `"` + staff + `"`,
		"granted": `["88d8e3e3-8f55-4a1e-953a-9b9898b8876b","fe930be7-5e62-47db-91af-98c3a49a38b1"]`, "recommended": `[]`, "unmapped": `["Frobnicate"]`} {
		if got := string(v.Items[0][name]); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
	var dropped []struct{ Role, Sure string }
	if err := json.Unmarshal(v.Items[0]["dropped"], &dropped); err != nil || len(dropped) != 2 || dropped[0].Sure != "no-evidence" ||
		dropped[1].Sure != "evidence" {
		t.Errorf("%s", v.Items[0]["dropped"])
	}
}

func FuzzPins(f *testing.F) {
	f.Add([]byte("pins:\n- role: Service Support Administrator\n  reason: tickets\n"))
	f.Add([]byte(`{"pins":[{"role":"x","group":"y","customer":"z","reason":"w"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		pins, err := recommend.ReadPins("x", raw)
		if err == nil && len(pins) == 0 {
			t.Fatal("no pins and no error")
		}
		for _, p := range pins {
			if p.Role == "" || p.Reason == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func TestPins(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"pins:\n- role: A\n  reason: b\n":                            true,
		"pins:\n- role: A\n  reason: b\n  group: g\n  customer: c\n": true,
		`{"pins":[{"role":"A","reason":"b"}]}`:                       true,
		"pins:\n- role: A\n":                                         false,
		"pins:\n- reason: b\n":                                       false,
		"pins: []\n":                                                 false,
		"":                                                           false,
		"pins:\n- role: A\n  reason: b\n  until: never\n": false,
		"pin:\n- role: A\n":                                       false,
		"pins: &a\n- role: A\n  reason: b\nmore: *a\n":            false,
		"pins: " + strings.Repeat("[", 1000):                      false,
		"pins:\n- role: A\n  reason: " + strings.Repeat("b", 501): false,
		"\xff": false,
	} {
		if _, err := recommend.ReadPins("x", []byte(raw)); (err == nil) != ok {
			t.Errorf("%.60q: %v", raw, err)
		}
	}
}

// TestGroupsOf: a job is a group by name or id, a word of names, or a set of roles; it says which.
func TestGroupsOf(t *testing.T) {
	t.Parallel()
	g := newGround(license, entra.RoleHelpdeskAdministrator, reader)
	g.also(others, global, roles)
	for job, want := range map[string]string{"Staff": staff, others: others, "oth": others, "tier-1": staff, "simple": staff} {
		got, said, err := recommend.GroupsOf(g.inv, job)
		if err != nil || len(got) != 1 || !got[want] || said == "" {
			t.Errorf("%s: %v %q %v", job, got, said, err)
		}
	}
	if _, _, err := recommend.GroupsOf(g.inv, "herders"); err == nil {
		t.Error("a job that no group fits")
	}
}
