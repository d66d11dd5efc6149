package directory

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Directory collects records by id. Methods that add are not safe for
// concurrent use; reading is, once adding is done. Ids compare without case.
type Directory struct {
	Users             map[string]*User         // by lower-case id, else lower-case UPN
	Registrations     map[string]*Registration // by lower-case user id, else UPN
	RoleDefinitions   map[string]*RoleDefinition
	Assignments       map[string]*RoleAssignment // by what it says, so that copies fold
	Groups            map[string]*Group
	Applications      map[string]*Application
	ServicePrincipals map[string]*ServicePrincipal
	Grants            map[string]*PermissionGrant
	SKUs              map[string]*SKU
	PrivilegedUsers   map[string]*PrivilegedUser
	GroupSchedules    map[string]*GroupSchedule // PIM for groups, by what it says
	Organizations     []Organization
	AppPasswordActs   map[string]AppPasswordAct // by id of the audit row
	deletions         map[string]deletion       // by lower-case id; see [Directory.Deleted]
	AuditFirst        time.Time                 // of the oldest audit row; zero: none was read

	// At is the moment that schedules are looked at; zero takes every one as
	// holding perhaps.
	At time.Time

	byUPN     map[string]string // lower-case UPN -> key in Users
	byMail    map[string]string // lower-case mail -> key in Users; "" when two share it
	openRoles map[string]string // role template -> why some of its holders may not be known
	conflicts map[string]bool   // user key and member in which two copies differ
	perUser   map[string]string // per-user MFA state by lower-case id and UPN; "" where two lists disagree
}

// New returns an empty Directory.
func New() *Directory {
	return &Directory{
		Users: map[string]*User{}, Registrations: map[string]*Registration{}, RoleDefinitions: map[string]*RoleDefinition{},
		Assignments: map[string]*RoleAssignment{}, Groups: map[string]*Group{}, Applications: map[string]*Application{},
		ServicePrincipals: map[string]*ServicePrincipal{}, Grants: map[string]*PermissionGrant{}, SKUs: map[string]*SKU{},
		PrivilegedUsers: map[string]*PrivilegedUser{}, GroupSchedules: map[string]*GroupSchedule{},
		AppPasswordActs: map[string]AppPasswordAct{}, deletions: map[string]deletion{},
		byUPN: map[string]string{}, byMail: map[string]string{}, conflicts: map[string]bool{}, openRoles: map[string]string{},
	}
}

// Key is how ids and UPNs are compared: lower case, the id where there is one.
func Key(id, upn string) string {
	if id != "" {
		return strings.ToLower(id)
	}
	return strings.ToLower(upn)
}

// AddUser keeps u, or fills the gaps of the user of the same id: a members list
// says less than /users and must not erase it. A table without ids and a list
// with them show one account by its name. Where two copies differ in what
// decides, it is unknown, whatever the order they were read in. It reports false
// for a record that names nobody.
func (d *Directory) AddUser(u User) bool {
	key := Key(u.ID, u.UserPrincipalName)
	if key == "" {
		return false
	}
	name := strings.ToLower(u.UserPrincipalName)
	if by := d.byUPN[name]; u.ID == "" && by != "" {
		key = by
	} else if was := d.Users[name]; u.ID != "" && was != nil && was.ID == "" {
		d.adopt(was, name, u.ID)
	}
	old := d.Users[key]
	if old == nil {
		d.Users[key] = &u
		d.nameUser(key, &u)
		return true
	}
	old.Derived = old.Derived && u.Derived
	if old.UserPrincipalName == "" {
		old.UserPrincipalName = u.UserPrincipalName
	}
	if old.DisplayName == "" {
		old.DisplayName = u.DisplayName
	}
	if old.Mail == "" {
		old.Mail = u.Mail
	}
	if !old.AccountEnabled.Set && u.AccountEnabled.Set {
		old.Source = u.Source
	}
	mergeFact(d, key+"|userType", &old.UserType, u.UserType, old.UserType != "", u.UserType != "", strings.EqualFold(string(old.UserType), string(u.UserType)))
	mergeFact(d, key+"|accountEnabled", &old.AccountEnabled, u.AccountEnabled, old.AccountEnabled.Set, u.AccountEnabled.Set,
		old.AccountEnabled == u.AccountEnabled)
	mergeFact(d, key+"|creationType", &old.CreationType, u.CreationType, old.CreationType.Set, u.CreationType.Set,
		strings.EqualFold(old.CreationType.Value, u.CreationType.Value))
	mergeFact(d, key+"|perUserMfaState", &old.PerUserMFAState, u.PerUserMFAState, old.PerUserMFAState != "", u.PerUserMFAState != "",
		strings.EqualFold(string(old.PerUserMFAState), string(u.PerUserMFAState)))
	if old.ExternalUserState == "" {
		old.ExternalUserState = u.ExternalUserState
	}
	if !old.OnPremisesSyncEnabled.Set && u.OnPremisesSyncEnabled.Said {
		old.OnPremisesSyncEnabled = u.OnPremisesSyncEnabled
	}
	if !old.CreatedDateTime.Set {
		old.CreatedDateTime = u.CreatedDateTime
	}
	if old.IdentityParentID == "" {
		old.IdentityParentID = u.IdentityParentID
	}
	if old.Purpose() == "" {
		old.Mailbox = u.Mailbox
	}
	if !old.Agent() && u.Agent() { // a members list may name the type where the users do not
		old.Type = u.Type
	}
	if u.OnPremisesSyncEnabled.True() { // the graver of two copies
		old.OnPremisesSyncEnabled = u.OnPremisesSyncEnabled
	}
	if old.SignInActivity.Last().Before(u.SignInActivity.Last()) || old.SignInActivity == nil {
		old.SignInActivity = u.SignInActivity
	}
	if !old.AssignedPlans.Set || u.AssignedPlans.Set && len(u.AssignedPlans.Items) > len(old.AssignedPlans.Items) {
		old.AssignedPlans = u.AssignedPlans // the fuller copy: a plan that one of them shows is there
	}
	d.nameUser(key, old)
	return true
}

// adopt gives an account that was known by its name alone the id that another
// list shows.
func (d *Directory) adopt(u *User, name, id string) {
	key := strings.ToLower(id)
	delete(d.Users, name)
	u.ID = id
	if d.Users[key] == nil {
		d.Users[key] = u
	} else {
		d.AddUser(*u)
	}
	one := d.Users[key]
	for what, forget := range map[string]func(){ // what copies disputed stays disputed
		"userType": func() { one.UserType = "" }, "accountEnabled": func() { one.AccountEnabled = lenient.Bool{} },
		"creationType": func() { one.CreationType = Optional{} }, "perUserMfaState": func() { one.PerUserMFAState = "" },
	} {
		if d.conflicts[name+"|"+what] {
			d.conflicts[key+"|"+what] = true
			forget()
		}
	}
	if m := strings.ToLower(string(u.Mail)); m != "" && d.byMail[m] == name {
		d.byMail[m] = key
	}
	d.nameUser(key, one)
}

// mergeFact fills what is not known, and forgets for good what two copies say
// differently.
func mergeFact[T any](d *Directory, at string, old *T, add T, oldSet, addSet, same bool) {
	switch {
	case !addSet || d.conflicts[at]:
	case !oldSet:
		*old = add
	case !same:
		var unknown T
		*old = unknown
		d.conflicts[at] = true
	}
}

// nameUser makes a user findable by name and mail.
func (d *Directory) nameUser(key string, u *User) {
	if u.UserPrincipalName != "" {
		d.byUPN[strings.ToLower(u.UserPrincipalName)] = key
	}
	if m := strings.ToLower(string(u.Mail)); m != "" {
		if had, ok := d.byMail[m]; ok && had != key {
			key = "" // two accounts share it: it names neither
		}
		d.byMail[m] = key
	}
}

// FindUser finds the key of a user by id, user principal name or mail, or "".
func (d *Directory) FindUser(id, name string) string {
	if id != "" {
		if k := strings.ToLower(id); d.Users[k] != nil {
			return k
		}
	}
	if name = strings.ToLower(name); name == "" {
		return ""
	}
	if k := d.byUPN[name]; k != "" {
		return k
	}
	return d.byMail[name]
}

// KeyByUPN finds the key of the user with this UPN, or "".
func (d *Directory) KeyByUPN(upn string) string { return d.byUPN[strings.ToLower(upn)] }

// AddRegistration keeps the newer of two records for one user.
func (d *Directory) AddRegistration(r Registration) {
	key := Key(r.ID, r.UserPrincipalName)
	if old := d.Registrations[key]; key != "" && (old == nil || r.LastUpdated.After(old.LastUpdated.Time)) {
		d.Registrations[key] = &r
	}
}

// AddAssignment keeps one copy of what an assignment says; who holds it and
// which role may stand in the expanded objects alone. It reports false for a
// record that does not say both.
func (d *Directory) AddAssignment(a RoleAssignment) bool {
	if a.Principal != nil && a.PrincipalID == "" {
		a.PrincipalID = cmp.Or(a.Principal.ID, a.Principal.UserPrincipalName)
	}
	if a.RoleDefinition != nil {
		a.RoleDefinition.Source = a.Source
		a.RoleDefinitionID = cmp.Or(a.RoleDefinitionID, a.RoleDefinition.ID, string(a.RoleDefinition.TemplateID), a.RoleDefinition.DisplayName)
		d.AddRoleDefinition(*a.RoleDefinition)
	}
	if a.PrincipalID == "" || a.RoleDefinitionID == "" {
		return false
	}
	if p := a.Principal; p != nil && strings.EqualFold(p.ID, a.PrincipalID) {
		d.addPrincipal(p, a.Source)
	}
	key := strings.ToLower(a.PrincipalID + "|" + a.RoleDefinitionID + "|" + a.DirectoryScopeID.Value + "|" + string(a.AppScopeID))
	if a.Eligible {
		key += "|eligible"
	}
	key += "|" + a.StartDateTime.Raw + "|" + a.EndDateTime.Raw // one role may be held at several times
	d.Assignments[key] = &a
	return true
}

// AddGroupSchedule keeps one copy of what a schedule of PIM for groups says. It
// reports false for a record that does not say who and which group.
func (d *Directory) AddGroupSchedule(g GroupSchedule) bool {
	if g.PrincipalID == "" || g.GroupID == "" {
		return false
	}
	d.GroupSchedules[strings.ToLower(fmt.Sprint(g.PrincipalID, "|", g.GroupID, "|", g.AccessID, "|", g.Eligible, "|", g.StartDateTime.Raw, "|",
		g.EndDateTime.Raw))] = &g
	return true
}

// addPrincipal learns who an expanded principal is.
func (d *Directory) addPrincipal(p *Principal, src evidence.Source) {
	switch kind := strings.ToLower(p.Type); {
	case strings.HasSuffix(kind, ".user"):
		d.AddUser(User{ID: p.ID, UserPrincipalName: p.UserPrincipalName, DisplayName: p.DisplayName, Derived: true, Source: src})
	case strings.HasSuffix(kind, ".group"):
		d.AddGroup(Group{ID: p.ID, DisplayName: p.DisplayName, Source: src})
	case strings.HasSuffix(kind, ".serviceprincipal"):
		if id := strings.ToLower(p.ID); d.ServicePrincipals[id] == nil {
			d.ServicePrincipals[id] = &ServicePrincipal{ID: p.ID, AppID: p.AppID, DisplayName: p.DisplayName, Source: src}
		}
	}
}

// AddDirectoryRole turns the legacy form into a definition and assignments.
func (d *Directory) AddDirectoryRole(r DirectoryRole) {
	d.RoleDefinitions[strings.ToLower(r.RoleTemplateID)] = mergeRole(d.RoleDefinitions[strings.ToLower(r.RoleTemplateID)],
		RoleDefinition{ID: r.RoleTemplateID, DisplayName: r.DisplayName, Source: r.Source})
	for _, m := range r.Members.Items {
		if t := shortType(string(m.Type)); t != "" && t != "user" && t != "agentuser" {
			d.addPrincipal(&Principal{Type: string(m.Type), ID: m.ID, DisplayName: m.DisplayName}, r.Source)
		} else if m.ID != "" {
			m.Source, m.Derived = r.Source, true
			d.AddUser(m)
		}
		d.AddAssignment(RoleAssignment{
			ID: r.ID, PrincipalID: m.ID, RoleDefinitionID: r.RoleTemplateID, DirectoryScopeID: Optional{"/", true}, Source: r.Source,
		})
	}
	if why := r.lack(); why != "" {
		d.openRoles[strings.ToLower(r.RoleTemplateID)] = why
	}
}

// lack says why the members of an activated role are not all; "" they are.
func (r *DirectoryRole) lack() string {
	g := Group{MembersNext: r.MembersNext, MembersCount: r.MembersCount}
	g.Members.Set = r.Members.Set
	g.Members.Items = make([]Member, len(r.Members.Items))
	if r.Members.Dropped > 0 {
		g.Members.Why = "some of its members are written in a form that is not read"
	}
	for i := range r.Members.Items {
		if r.Members.Items[i].ID == "" {
			g.Members.Why = "some of its members have no id"
		}
	}
	return g.lack()
}

// AddPrivilegedRole takes ScubaGear's form.
func (d *Directory) AddPrivilegedRole(r PrivilegedRole) {
	d.AddRoleDefinition(RoleDefinition{ID: r.RoleTemplateID, DisplayName: r.DisplayName, Source: r.Source})
	for _, a := range r.Assignments.Items {
		a.Source = r.Source
		if a.RoleDefinitionID == "" {
			a.RoleDefinitionID = r.RoleTemplateID
		}
		d.AddAssignment(a)
	}
}

// AddRoleDefinition keeps a role under its id and under its template id.
func (d *Directory) AddRoleDefinition(r RoleDefinition) {
	for _, key := range []string{strings.ToLower(r.ID), strings.ToLower(string(r.TemplateID))} {
		if key != "" {
			d.RoleDefinitions[key] = mergeRole(d.RoleDefinitions[key], r)
		}
	}
}

func mergeRole(old *RoleDefinition, r RoleDefinition) *RoleDefinition {
	if old == nil {
		return &r
	}
	if old.DisplayName == "" {
		old.DisplayName = r.DisplayName
	}
	if !old.IsPrivileged.Set {
		old.IsPrivileged = r.IsPrivileged
	}
	return old
}

// AddGroup keeps a group, joining members of copies. It reports false for a
// record without an id.
func (d *Directory) AddGroup(g Group) bool {
	key := strings.ToLower(g.ID)
	if key == "" {
		return false
	}
	ids := make(map[string]bool, len(g.Members.Items))
	for i := range g.Members.Items {
		ids[g.Members.Items[i].key()] = true
	}
	copied := memberCopy{ids, g.lack()}
	old := d.Groups[key]
	if old == nil {
		if g.Members.Set {
			g.copies = []memberCopy{copied}
		}
		d.Groups[key] = &g
		return true
	}
	old.Transitive.Items = append(old.Transitive.Items, g.Transitive.Items...)
	if old.DisplayName == "" {
		old.DisplayName = g.DisplayName
	}
	if !old.OnPremisesSyncEnabled.Set {
		old.OnPremisesSyncEnabled = g.OnPremisesSyncEnabled
	}
	if len(old.GroupTypes) == 0 {
		old.GroupTypes = g.GroupTypes
	}
	if g.Members.Set {
		old.Members.Set = true
		old.Members.Items = append(old.Members.Items, g.Members.Items...)
		old.copies = append(old.copies, copied)
	}
	return true
}

// planNames are the plans that anything is judged by, for exports that keep only
// their ids (Microsoft's licensing service plan reference).
var planNames = map[string]string{
	entra.PlanP1:         "AAD_PREMIUM",
	entra.PlanP2:         "AAD_PREMIUM_P2",
	entra.PlanGovernance: "Entra_Identity_Governance",
}

// Lack says why it is not known which plans the licence carries; "" it is.
func (s *SKU) Lack() string {
	if len(s.ServicePlans.Items) == 0 || s.ServicePlans.Dropped > 0 {
		return "the service plans of " + cmp.Or(s.SKUPartNumber, s.SKUID, "a licence") + " were not exported"
	}
	for _, p := range s.ServicePlans.Items {
		if p.Name == "" && !isGUID(p.ID) {
			return "the service plans of " + cmp.Or(s.SKUPartNumber, s.SKUID, "a licence") + " are not named"
		}
	}
	return ""
}

// HasServicePlan reports whether a licence in force carries one of the plans,
// by plan name (contracts.md section 3.9).
func (d *Directory) HasServicePlan(names ...string) bool {
	for _, s := range d.SKUs {
		switch strings.ToLower(string(s.CapabilityStatus)) {
		case "suspended", "deleted", "lockedout":
			continue
		}
		if s.PrepaidUnits.Enabled.Set && s.PrepaidUnits.Enabled.Value <= 0 && s.PrepaidUnits.Warning.Value <= 0 {
			continue
		}
		for _, p := range s.ServicePlans.Items {
			for _, n := range names {
				if strings.EqualFold(cmp.Or(p.Name, planNames[strings.ToLower(p.ID)]), n) && !strings.EqualFold(string(p.Status), "Disabled") {
					return true
				}
			}
		}
	}
	return false
}
