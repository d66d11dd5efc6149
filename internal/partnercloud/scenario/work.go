package scenario

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// Work is what somebody did in a customer's tenant in the months before the world was
// made: rows of the directory's audit log, which show the partner's people as technicians
// (contracts-2026-11.md section 3.1) and the customer's own as themselves. The rows reach
// further back than Microsoft keeps them, as a log does that was collected all along.
type Work struct {
	Who    string `yaml:"who"` // of the partner's people or the customer's, by upn or the part before @
	Did    string `yaml:"did"` // see [acts]
	Times  int    `yaml:"times"`
	From   Moment `yaml:"from"` // "": 90 days back
	Until  Moment `yaml:"until"`
	Failed bool   `yaml:"failed"` // it was refused
}

const (
	workDays = 89 // how far work reaches back, where nothing else is said
	maxTimes = 10_000
)

// act is how the log writes one kind of work, and which roles can do it (Microsoft's
// "Least privileged roles by task", and the table of who may act on whom).
type act struct {
	activity, category, operation string
	service                       string // "": Core Directory
	target                        string // User, Admin, Group, Policy, Application, Role, Directory
	property, old, new            string // what it changes, as JSON texts
	roles                         []string
}

// passwordRoles may help users who hold no role.
func passwordRoles() []string {
	return []string{entra.RolePasswordAdministrator, entra.RoleHelpdeskAdministrator, entra.RoleAuthenticationAdministrator, entra.RoleUserAdministrator}
}

// acts are the words for work.
func acts() map[string]act {
	user, group, app := "UserManagement", "GroupManagement", "ApplicationManagement"
	people := []string{entra.RoleUserAdministrator}
	groups := []string{entra.RoleGroupsAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters}
	apps := []string{entra.RoleCloudApplicationAdministrator, entra.RoleApplicationAdministrator}
	reset := act{"Reset user password", user, "Update", "", "User", "ForceChangePassword", "[false]", "[true]", passwordRoles()}
	above := reset
	above.target, above.roles = "Admin", []string{entra.RolePrivilegedAuthenticationAdministrator}
	return map[string]act{
		"reset password":                    reset,
		"reset an administrator's password": above,
		"revoke sessions":                   {"Update StsRefreshTokenValidFrom Timestamp", user, "Update", "", "User", "", "", "", passwordRoles()},
		"register method": {"Admin registered security info", user, "Create", "Authentication Methods", "User", "", "", "",
			[]string{entra.RoleAuthenticationAdministrator, entra.RolePrivilegedAuthenticationAdministrator}},
		"create user":  {"Add user", user, "Add", "", "User", "AccountEnabled", "[]", "[true]", people},
		"update user":  {"Update user", user, "Update", "", "User", "JobTitle", `[""]`, `["Clerk"]`, append(groups[2:], people...)},
		"disable user": {"Disable account", user, "Update", "", "User", "AccountEnabled", "[true]", "[false]", people},
		"assign licence": {"Change user license", user, "Update", "", "User", "AssignedLicense", "[]", `["Business Premium"]`,
			[]string{entra.RoleLicenseAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters}},
		"create group": {"Add group", group, "Add", "", "Group", "DisplayName", "[]", `["Projects"]`, groups},
		"add member":   {"Add member to group", group, "Assign", "", "Group", "Group.DisplayName", "", `"Projects"`, groups},
		"change policy": {"Update conditional access policy", "Policy", "Update", "Conditional Access", "Policy", "", "", "",
			[]string{entra.RoleConditionalAccessAdministrator, entra.RoleSecurityAdministrator}},
		"change app": {"Update application", app, "Update", "", "Application", "DisplayName", `["Portal"]`, `["Portal 2"]`, apps},
		"change app secret": {"Update application – Certificates and secrets management", app, "Update", "", "Application", "KeyDescription", "[]", "[]",
			apps},
		"assign role": {"Add member to role", "RoleManagement", "Assign", "", "Role", "Role.DisplayName", "", `"Helpdesk Administrator"`,
			[]string{entra.RolePrivilegedRoleAdministrator}},
		"change company": {"Set Company Information", "DirectoryManagement", "Update", "", "Directory", "TechnicalNotificationMail", `[""]`,
			`["it@contoso.com"]`, []string{entra.RoleGlobalAdministrator}},
	}
}

// workOf checks what people are said to have done.
func (c *checker) workOf(path string, list []Work, ours, theirs []Person) {
	known, words := map[string]bool{}, acts()
	for _, p := range slices.Concat(ours, theirs) {
		upn := strings.ToLower(p.UPN)
		local, _, _ := strings.Cut(upn, "@")
		known[upn], known[local] = true, true
	}
	for i := range list {
		w, at := &list[i], fmt.Sprintf("%s[%d]", path, i)
		if !known[strings.ToLower(w.Who)] {
			c.fault(at+".who", "name a person of the partner or of this customer by upn", "nobody is called %q", w.Who)
		}
		if _, ok := words[w.Did]; !ok {
			c.fault(at+".did", "known are: "+strings.Join(sortedKeys(words), ", "), "no work is called %q", w.Did)
		}
		c.upTo(at+".times", w.Times, maxTimes)
		c.moment(at+".from", w.From)
		c.moment(at+".until", w.Until)
	}
}

// work writes the rows of what was done in a customer's tenant.
func (b *builder) work(t *world.Tenant, k *Customer) {
	p := b.state.Tenant(b.partnerID)
	if p == nil || len(k.Work) == 0 {
		return
	}
	plain, admins := b.workTargets(t)
	for i := range k.Work {
		w := &k.Work[i]
		by := b.initiator(p, t, w)
		if by == nil {
			continue
		}
		d := diceOf(b.seedOf(fmt.Sprintf("work/%s/%s/%s/%d", t.ID, strings.ToLower(w.Who), w.Did, i)), 0)
		from, until := w.From.or(b.created, b.created.AddDate(0, 0, -workDays)), w.Until.or(b.created, b.created.Add(-time.Hour))
		for range max(1, w.Times) {
			row := b.workRow(t, w, d, by, plain, admins)
			row.At = world.Stamp{Time: workday(d, from, until)}
			b.state.Audit(t, row)
		}
	}
	slices.SortStableFunc(t.Audits, func(x, y *world.DirectoryAudit) int {
		return cmp.Or(x.At.Compare(y.At.Time), strings.Compare(x.ID, y.ID))
	})
}

// workday is a moment of a working day between two.
func workday(d *rand.Rand, from, until time.Time) time.Time {
	at := from
	for range 20 { // a span without a working day takes what there is
		at = from.Add(time.Duration(d.Int64N(max(1, int64(until.Sub(from)))))).UTC()
		day := at.Truncate(24 * time.Hour)
		at = day.Add(7*time.Hour + time.Duration(d.Int64N(int64(10*time.Hour)))).Truncate(time.Millisecond)
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday && !at.Before(from) && at.Before(until) {
			return at
		}
	}
	if at.Before(from) || !at.Before(until) {
		return from
	}
	return at
}

// workTargets are the accounts of a tenant that work is done on: those without a
// directory role, and those with one.
func (b *builder) workTargets(t *world.Tenant) (plain, with []*world.User) {
	held := admins(t)
	for u := range t.Users.All() {
		switch {
		case held[u.ID]:
			with = append(with, u)
		case !u.Guest:
			plain = append(plain, u)
		}
	}
	return plain, with
}

// initiator is who did it, as the customer's log shows it; nil for nobody of either.
func (b *builder) initiator(partner, t *world.Tenant, w *Work) *world.AuditUser {
	seed := b.seedOf("workplace/" + strings.ToLower(w.Who))
	ip := fmt.Sprintf("192.0.2.%d", 2+seed%60)
	if u := partner.Users.Get(b.person(partner, w.Who)); u != nil {
		name := signon.TechnicianName(partner)
		return &world.AuditUser{ID: u.ID, UPN: signon.TechnicianUPN(u.ID, t), Name: &name, IP: &ip}
	}
	if u := t.Users.Get(b.person(t, w.Who)); u != nil {
		return &world.AuditUser{ID: u.ID, UPN: u.UPN, Name: &u.Name, IP: &ip}
	}
	return nil
}

func (b *builder) workRow(t *world.Tenant, w *Work, d *rand.Rand, by *world.AuditUser, plain, admins []*world.User) *world.DirectoryAudit {
	a, id := acts()[w.Did], d.Uint64()
	row := &world.DirectoryAudit{ID: "Directory_" + guidOf(id, 30), Activity: a.activity, Category: a.category, Operation: a.operation,
		Service: cmp.Or(a.service, "Core Directory"), Correlation: guidOf(id, 31), By: world.Initiator{User: by}, Details: []world.KeyValue{}}
	if w.Failed {
		row.Result, row.ResultReason = "failure", "Insufficient privileges to complete the operation."
	}
	tg := world.AuditTarget{Type: a.target, Modified: []world.Modified{}}
	name := func(s string) *string { return &s }
	list := plain
	switch a.target {
	case "Admin":
		tg.Type, list = "User", admins
		fallthrough
	case "User":
		if len(list) > 0 {
			u := list[d.IntN(len(list))]
			tg.ID, tg.Name, tg.UPN = u.ID, &u.Name, &u.UPN
		}
	case "Group":
		tg.ID, tg.Name = b.state.GUID("worked group/"+t.ID), name("Projects")
	case "Policy":
		for p := range t.Policies.All() {
			tg.ID = p.ID
			break
		}
	case "Application":
		tg.ID, tg.Name = b.state.GUID("worked app/"+t.ID), name("Portal")
	case "Role":
		tg.ID, tg.Name = entra.RoleHelpdeskAdministrator, name("Helpdesk Administrator")
	default:
		tg.ID = t.ID
	}
	if a.property != "" {
		tg.Modified = append(tg.Modified, world.Modified{Name: a.property, Old: a.old, New: a.new})
	}
	row.Targets = []world.AuditTarget{tg}
	return row
}
