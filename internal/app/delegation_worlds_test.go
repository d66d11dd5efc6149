package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation/role"
)

// A useWorld is a partner's export with planted use: of every assignment it is known which roles
// its people needed. It is made without the product's own mapping of acts to roles: the roles
// are those of Microsoft's task table, the acts stand for the tasks by hand.
type useWorld struct {
	rnd  *rand.Rand
	dir  string
	to   time.Time
	want map[string][]string   // by relationship and group
	done map[string][]role.Act // what was done for that
	free map[string]bool       // assignments that are not judged, by the same
	ids  int
}

type sown struct {
	task     string // in Microsoft's table
	category string
	acts     []string
	admin    bool   // done to somebody who holds a role
	family   string // of one family one alone is planted
	other    string // and none of this one
	on       string // type of the target
}

var sowable = []sown{
	{task: "Users|Assign license", category: "UserManagement", acts: []string{"Change user license"}, family: "licence", other: "user", on: "User"},
	{task: "Users|Create guest user", category: "UserManagement", acts: []string{"Invite external user"}, family: "guest", other: "user", on: "User"},
	{task: "Groups|Create group", category: "GroupManagement", acts: []string{"Add group"}, family: "group", other: "user", on: "Group"},
	{task: "Users|Create user", category: "UserManagement", acts: []string{"Add user", "Delete user"}, family: "user", on: "User"},
	{task: "Security - Conditional Access|Create policies", category: "Policy", acts: []string{"Add Conditional Access policy",
		"Delete Conditional Access policy"}, family: "ca", on: "Policy"},
	{task: "Enterprise applications|Create enterprise application", category: "ApplicationManagement", acts: []string{"Add service principal"},
		family: "app", on: "ServicePrincipal"},
	{task: "Custom domain names|Manage domains", category: "DirectoryManagement", acts: []string{"Add verified domain", "Verify domain"},
		family: "domain", on: "Other"},
	{task: "Security - Authentication methods|Enable or disable authentication methods", category: "Policy",
		acts: []string{"Authentication Methods Policy Update"}, family: "methods", on: "Policy"},
	{task: "Devices|Delete device", category: "Device", acts: []string{"Delete device"}, family: "device", on: "Device"},
	{task: "Users|Reset password of privileged admins", category: "UserManagement", acts: []string{"Reset user password"}, admin: true,
		family: "reset", other: "user", on: "User"},
	{task: "Users|Add user to directory role", category: "RoleManagement", acts: []string{"Add member to role"}, family: "roles", on: "User"},
	{task: "Users|Reset password of non-admins", category: "UserManagement", acts: []string{"Reset user password"}, family: "reset", other: "user",
		on: "User"},
}

// extras are granted beside what is needed.
var extras = []string{"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
	"88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "29232cdf-9323-42fd-ade2-1d097af3e4de", "fe930be7-5e62-47db-91af-98c3a49a38b1",
	"f2ef992c-3afb-46b9-b7cf-a126ee74c451", "729827e3-9c14-49f7-bb1b-9608f156bbb8", "9360feb5-f418-4baa-8175-e2a00bac4301"}

// leastOf reads Microsoft's least role for a task.
func leastOf(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("../delegation/role/data/tasks.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range rows {
		out[r[0]+"|"+r[1]] = r[3]
	}
	for _, p := range sowable {
		if len(out[p.task]) != 36 {
			t.Fatalf("Microsoft's table has no task %q", p.task)
		}
	}
	return out
}

func (w *useWorld) id() string {
	w.ids++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", w.rnd.Uint32(), w.ids)
}

type record = map[string]any

// write writes records in one of the forms that exports have.
func (w *useWorld) write(path, context string, list []record) {
	var body []byte
	page := func(part []record, next string) []byte {
		p := record{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#" + context, "value": part}
		if next != "" {
			p["@odata.nextLink"] = next
		}
		return mustJSON(json.Marshal(p))
	}
	name := filepath.Join(w.dir, path)
	if context == "auditLogs/directoryAudits" && w.rnd.IntN(4) == 0 { // what a diagnostic setting writes
		for _, o := range list {
			line := record{"time": o["activityDateTime"], "operationName": o["activityDisplayName"], "category": "AuditLogs", "properties": o}
			body = append(append(body, mustJSON(json.Marshal(line))...), '\n')
		}
		putFile(name+".json", body)
		return
	}
	switch n := w.rnd.IntN(5); {
	case n == 0 && len(list) > 1:
		half := len(list) / 2
		putFile(name+"-1.json", page(list[:half], "https://graph.microsoft.com/v1.0/next?$skiptoken=x"))
		putFile(name+"-2.json", page(list[half:], ""))
		return
	case n == 1 && len(list) > 1:
		for _, o := range list {
			body = append(append(body, mustJSON(json.Marshal(o))...), '\n')
		}
	case n == 2 && len(list) > 1:
		body = append([]byte("\xef\xbb\xbf"), mustJSON(json.Marshal(list))...)
	case n == 3:
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(page(list, ""))
		_ = z.Close()
		putFile(name+".json.gz", b.Bytes())
		return
	default:
		body = page(list, "")
	}
	putFile(name+".json", body)
}

func putFile(path string, b []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		panic(err)
	}
}

func mustJSON(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// team is a group of the partner with its people, by the way they are in it.
type jobTeam struct {
	id     string
	people []string
}

// newWorld makes a world of a seed.
func newWorld(t *testing.T, seed uint64) *useWorld {
	t.Helper()
	w := &useWorld{rnd: rand.New(rand.NewPCG(seed, 17)), dir: t.TempDir(), to: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC),
		want: map[string][]string{}, done: map[string][]role.Act{},
		free: map[string]bool{}}
	least := leastOf(t)
	teams := w.teams()
	shared := [][]sown{w.pick(), w.pick(), w.pick()}
	var customers, relationships, assignments []record
	for n := range 2 + w.rnd.IntN(5) {
		tenant := w.id()
		customers = append(customers, record{"id": tenant, "companyProfile": record{"tenantId": tenant, "companyName": fmt.Sprintf("Customer %d", n),
			"domain": fmt.Sprintf("c%d.example", n)}, "relationshipToPartner": "reseller", "allowDelegatedAccess": false})
		var rows []record
		admins := []record{}
		for i, g := range w.rnd.Perm(len(teams))[:1+w.rnd.IntN(2)] {
			set := shared[w.rnd.IntN(len(shared))]
			if w.rnd.IntN(3) == 0 {
				set = w.pick()
			}
			rel := w.id() + "-" + w.id()
			young := w.rnd.IntN(8) == 0
			key := rel + " " + teams[g].id
			var need, granted []string
			for _, p := range set {
				need = append(need, least[p.task])
				rows = append(rows, w.acts(p, teams[g], &admins)...)
				w.done[key] = append(w.done[key], p.done()...)
			}
			granted = slices.Clone(need)
			for range w.rnd.IntN(6) {
				granted = append(granted, extras[w.rnd.IntN(len(extras))])
			}
			slices.Sort(granted)
			granted = slices.Compact(granted)
			slices.Sort(need)
			w.want[key] = need
			activated := w.to.AddDate(0, 0, -200)
			if young {
				w.want[key], w.free[key], activated = granted, true, w.to.AddDate(0, 0, -20)
			}
			relationships = append(relationships, record{"id": rel, "displayName": fmt.Sprintf("R%d-%d", n, i), "status": "active", "duration": "P730D",
				"customer":        record{"tenantId": tenant, "displayName": fmt.Sprintf("Customer %d", n)},
				"accessDetails":   record{"unifiedRoles": unified(granted)},
				"createdDateTime": stampOf(activated.AddDate(0, 0, -1)), "activatedDateTime": stampOf(activated),
				"endDateTime":        stampOf(activated.AddDate(0, 0, 730)),
				"autoExtendDuration": "PT0S"})
			assignments = append(assignments, record{"id": w.id(), "status": "active", "delegatedAdminRelationshipId": rel,
				"accessContainer": record{"accessContainerId": teams[g].id, "accessContainerType": "securityGroup"},
				"accessDetails":   record{"unifiedRoles": unified(granted)}, "createdDateTime": stampOf(activated)})
		}
		rows = append(rows, w.noise(teams)...)
		slices.SortStableFunc(rows, func(a, b record) int { // the newest first, as Graph has them
			return strings.Compare(b["activityDateTime"].(string), a["activityDateTime"].(string)) //nolint:forcetypeassert // made above
		})
		folder := "customers/" + tenant + "/"
		w.write(folder+"directoryAudits", "auditLogs/directoryAudits", rows)
		w.write(folder+"roleAssignments", "roleManagement/directory/roleAssignments", admins)
	}
	w.write("customers-list", "customers", customers)
	w.write("relationships", "tenantRelationships/delegatedAdminRelationships", relationships)
	w.write("assignments", "tenantRelationships/delegatedAdminRelationships/accessAssignments", assignments)
	return w
}

func unified(ids []string) (out []record) {
	for _, id := range ids {
		out = append(out, record{"roleDefinitionId": id})
	}
	return out
}

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// teams writes the partner's people and groups: direct, nested and eligible members.
func (w *useWorld) teams() (teams []jobTeam) {
	var users, groups, eligible []record
	person := func() string {
		id := w.id()
		users = append(users, record{"id": id, "userPrincipalName": id[:8] + "@partner.example", "displayName": "P " + id[:8], "accountEnabled": true,
			"userType": "Member"})
		return id
	}
	group := func(name string, members ...record) string {
		id := w.id()
		groups = append(groups, record{"id": id, "displayName": name, "securityEnabled": true, "mailEnabled": false, "groupTypes": []string{},
			"members": members})
		return id
	}
	member := func(id string) record { return record{"@odata.type": "#microsoft.graph.user", "id": id} }
	for n := range 3 {
		t := jobTeam{people: []string{person(), person(), person()}}
		inner := group(fmt.Sprintf("Inner %d", n), member(t.people[1]))
		t.id = group(fmt.Sprintf("Team %d", n), member(t.people[0]), record{"@odata.type": "#microsoft.graph.group", "id": inner})
		eligible = append(eligible, record{"id": w.id(), "groupId": t.id, "principalId": t.people[2], "accessId": "member", "memberType": "direct",
			"eligibilityScheduleId": w.id()})
		teams = append(teams, t)
	}
	group("AdminAgents", member(person()))
	w.write("users", "users", users)
	w.write("groups", "groups(members())", groups)
	w.write("eligible", "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", eligible)
	return teams
}

// pick sowable one of each family at most, and none that another one's role would do for.
func (w *useWorld) pick() (out []sown) {
	taken := map[string]bool{}
	n := 1 + w.rnd.IntN(4)
	for _, i := range w.rnd.Perm(len(sowable)) {
		p := sowable[i]
		clash := taken[p.family] || p.other != "" && taken[p.other] || slices.ContainsFunc(out, func(o sown) bool { return o.other == p.family }) ||
			p.family == "reset" && !p.admin && (taken["licence"] || taken["guest"] || taken["group"]) ||
			(p.family == "licence" || p.family == "guest" || p.family == "group") && slices.ContainsFunc(out,
				func(o sown) bool { return o.family == "reset" && !o.admin })
		if clash || len(out) >= n {
			continue
		}
		out, taken[p.family] = append(out, p), true
	}
	return out
}

// row is a row of a customer's audit log.
func (w *useWorld) row(upn, category, act, result string, at time.Time, target record) record {
	return record{"id": w.id(), "category": category, "activityDisplayName": act, "activityDateTime": stampOf(at), "result": result,
		"loggedByService": "Core Directory", "initiatedBy": record{"user": record{"id": w.id(), "userPrincipalName": upn,
			"displayName": "Contoso Technician"}, "app": nil},
		"targetResources": []record{target}}
}

func technicianOf(id string) string {
	return "user_" + strings.ReplaceAll(id, "-", "") + "@customer.example"
}

// acts are a few acts that stand for a task, within the window.
func (w *useWorld) acts(p sown, t jobTeam, admins *[]record) (rows []record) {
	for range 1 + w.rnd.IntN(3) {
		at := w.to.Add(-time.Duration(1+w.rnd.IntN(88*24)) * time.Hour)
		target := record{"id": w.id(), "type": p.on, "displayName": "x", "modifiedProperties": []record{}}
		if p.on == "User" {
			target["userPrincipalName"] = "t@customer.example"
		}
		if p.admin {
			rows = append(rows, w.admin(target, at, admins)...)
		}
		rows = append(rows, w.row(technicianOf(t.people[w.rnd.IntN(len(t.people))]), p.category, p.acts[w.rnd.IntN(len(p.acts))], "success", at, target))
	}
	return rows
}

// done are the acts as the product names them.
func (p *sown) done() (out []role.Act) {
	for _, name := range p.acts {
		a := role.Act{Log: "directoryAudit", Category: p.category, Activity: name}
		if p.category == "UserManagement" {
			a.Target = role.TargetOrdinary
		}
		if p.admin {
			a.Target = role.TargetPrivileged
		}
		out = append(out, a)
	}
	return out
}

// admin makes a target hold a role at a time: it still does, or it was taken away since.
func (w *useWorld) admin(target record, at time.Time, admins *[]record) []record {
	const exchange = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	if w.rnd.IntN(2) == 0 {
		*admins = append(*admins, record{"id": w.id(), "principalId": target["id"], "roleDefinitionId": exchange, "directoryScopeId": "/"})
		return nil
	}
	gone := record{"id": target["id"], "type": "User", "userPrincipalName": "t@customer.example", "modifiedProperties": []record{
		{"displayName": "Role.TemplateId", "oldValue": `"` + exchange + `"`, "newValue": nil}}}
	return []record{w.row("local@customer.example", "RoleManagement", "Remove member from role", "success", at.Add(30*time.Minute), gone)}
}

// noise is what calls for nothing.
func (w *useWorld) noise(teams []jobTeam) (rows []record) {
	user := record{"id": w.id(), "type": "User", "userPrincipalName": "n@customer.example"}
	for d := range 120 { // locals, every day, and the log goes further back than the window
		p := sowable[w.rnd.IntN(len(sowable))]
		rows = append(rows, w.row("local@customer.example", p.category, p.acts[0], "success", w.to.Add(-time.Duration(d)*24*time.Hour), user))
	}
	who := func() string { t := teams[w.rnd.IntN(len(teams))]; return technicianOf(t.people[w.rnd.IntN(3)]) }
	for range 5 {
		at := w.to.Add(-time.Duration(1+w.rnd.IntN(80*24)) * time.Hour)
		p := sowable[w.rnd.IntN(len(sowable))]
		rows = append(rows,
			w.row(who(), p.category, p.acts[0], []string{"failure", "timeout"}[w.rnd.IntN(2)], at, user),
			w.row(who(), "Whatever", fmt.Sprintf("Frobnicate %d", w.rnd.IntN(3)), "success", at, user),
			w.row(who(), p.category, p.acts[0], "success", w.to.AddDate(0, 0, -95-w.rnd.IntN(20)), user), // before the window
			w.row(technicianOf(w.id()), p.category, p.acts[0], "success", at, user))                      // another partner's
	}
	return rows
}
