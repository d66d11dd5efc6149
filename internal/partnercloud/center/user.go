package center

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

type namedRole struct {
	Name       string     `json:"name"`
	ID         string     `json:"id"`
	Attributes attributes `json:"attributes"`
}

func listRoles(*call) (reply, *fault) {
	rows := []namedRole{}
	for _, r := range world.Roles() {
		rows = append(rows, namedRole{r.Name, r.ID, object("DirectoryRole")})
	}
	return ok(list(rows)), nil
}

type member struct {
	ID          string     `json:"id"`
	DisplayName string     `json:"displayName"`
	UPN         string     `json:"userPrincipalName"`
	RoleID      string     `json:"roleId"`
	Attributes  attributes `json:"attributes"`
}

func memberOf(u *world.User, role string) member {
	return member{u.ID, u.Name, u.UPN, role, object("UserMember")}
}

// role reads the role of the path.
func (k *call) role() (string, *fault) {
	id := strings.ToLower(k.params["role"])
	if !world.IsGUID(id) {
		return "", notGUID("role id")
	}
	if _, found := world.RoleByID(id); !found {
		return "", refuse(http.StatusNotFound, 404, "There is no directory role %s.", id)
	}
	return id, nil
}

func listMembers(k *call, role string) (reply, *fault) {
	rows, seen := []member{}, map[string]bool{}
	for a := range k.tenant.Held.All() {
		if !strings.EqualFold(a.Role, role) || !a.In(k.now) {
			continue
		}
		if u := k.tenant.Users.Get(a.Principal); u != nil && !seen[u.ID] {
			seen[u.ID] = true
			rows = append(rows, memberOf(u, role))
		}
	}
	out, f := page(k, rows, func(m member) member { return m })
	return ok(out), f
}

func addMember(k *call, role string) (reply, *fault) {
	var in struct {
		sent
		ID     string `json:"id"`
		UPN    string `json:"userPrincipalName"`
		Name   string `json:"displayName"` // the SDK sends it; the id decides
		RoleID string `json:"roleId"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	u := k.tenant.Users.Get(in.ID)
	if u == nil && in.ID == "" {
		u = k.tenant.UserByName(in.UPN)
	}
	if u == nil {
		return reply{}, deny(entra.CenterUserUnknown)
	}
	if k.direct(u.ID, role) != nil {
		return reply{}, refuse(http.StatusConflict, 409, "The user is a member of the role already.")
	}
	k.tenant.Held.Put(&world.RoleAssignment{ID: world.NewGUID(), Principal: u.ID, Role: role, Scope: "/", Start: k.now, Created: k.now})
	k.s.Touch(k.tenant)
	k.auditDirectory("Add member to role", "RoleManagement", "Assign", u, world.Modified{Name: "Role.TemplateId", New: quote(role)})
	k.record("customer_directory_role", "add_user_member", nil, memberOf(u, role))
	return reply{status: http.StatusCreated, body: memberOf(u, role)}, nil
}

// direct is the role assignment that a user holds directly.
func (k *call) direct(user, role string) *world.RoleAssignment {
	for a := range k.tenant.Held.All() {
		if strings.EqualFold(a.Principal, user) && strings.EqualFold(a.Role, role) && a.In(k.now) {
			return a
		}
	}
	return nil
}

func removeMember(k *call, role string) (reply, *fault) {
	u, f := k.userOf()
	if f != nil {
		return reply{}, f
	}
	a := k.direct(u.ID, role)
	if a == nil {
		return reply{}, refuse(http.StatusNotFound, 404, "The user is not a member of the role.")
	}
	k.tenant.Held.Delete(a.ID)
	k.s.Touch(k.tenant)
	k.auditDirectory("Remove member from role", "RoleManagement", "Unassign", u, world.Modified{Name: "Role.TemplateId", Old: quote(role)})
	k.record("customer_directory_role", "remove_user_member", memberOf(u, role), nil)
	return reply{status: http.StatusNoContent}, nil
}

// userOf finds the user of the path, by id alone: never one of another tenant.
func (k *call) userOf() (*world.User, *fault) {
	id := k.params["user"]
	if !world.IsGUID(id) && !strings.Contains(id, "@") {
		return nil, notGUID("user id")
	}
	if u := k.tenant.UserByName(id); u != nil {
		return u, nil
	}
	return nil, deny(entra.CenterUserUnknown)
}

func rolesOfUser(k *call, u *world.User) (reply, *fault) {
	rows := []namedRole{}
	for _, id := range k.tenant.RolesOf(u.ID, k.now) {
		rows = append(rows, namedRole{world.RoleName(id), id, object("DirectoryRole")})
	}
	return ok(list(rows)), nil
}

type customerUser struct {
	Location    string     `json:"usageLocation"`
	ID          string     `json:"id"`
	UPN         string     `json:"userPrincipalName"`
	FirstName   string     `json:"firstName"`
	LastName    string     `json:"lastName"`
	Name        string     `json:"displayName"`
	ImmutableID *string    `json:"immutableId"`
	Phone       string     `json:"phoneNumber,omitempty"`
	LastSync    *string    `json:"lastDirectorySyncTime"`
	DomainType  string     `json:"userDomainType"`
	State       string     `json:"state"`
	Deleted     *string    `json:"softDeletionTime"`
	Links       links      `json:"links"`
	Attributes  attributes `json:"attributes"`
}

func (k *call) customerUserOf(u *world.User) customerUser {
	kind := "managed"
	if u.Synced {
		kind = "federated"
	}
	return customerUser{Location: u.Location, ID: u.ID, UPN: u.UPN, FirstName: u.Given, LastName: u.Surname, Name: u.Name, Phone: phoneOf(u),
		DomainType: kind, State: "active", Links: selfLink("/customers/" + k.params["customer"] + "/users/" + u.ID), Attributes: object("CustomerUser")}
}

// phones are where Graph keeps the phone number that Partner Center shows.
const phones = "businessPhones"

func phoneOf(u *world.User) string {
	var list []string
	if raw := u.More().Props[phones]; len(raw) == 0 || json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return ""
	}
	return list[0]
}

// deletedUserOf is a user who was deleted and can be restored.
func (k *call) deletedUserOf(d *world.Deleted) customerUser {
	v := k.customerUserOf(d.User)
	at := stamp(d.At)
	v.State, v.Deleted = "inactive", &at
	return v
}

// listUsers lists who is there, or by the filter on the state who was deleted in the
// last 30 days. Microsoft's page calls the field UserState, its samples have used
// UserStatus: both are taken.
func listUsers(k *call) (reply, *fault) {
	f, bad := parseFilter(k.query("filter"), "UserState", "UserStatus")
	if bad != nil {
		return reply{}, bad
	}
	if f == nil || f.Operator == "equals" && strings.EqualFold(f.Value, "Active") {
		out, bad := page(k, k.tenant.Users.List(), k.customerUserOf)
		return ok(out), bad
	}
	if f.Operator != "equals" || !strings.EqualFold(f.Value, "Inactive") {
		return reply{}, deny(entra.CenterMalformed, "the filter must be that the state equals Active or Inactive.")
	}
	var rows []*world.Deleted
	for _, d := range k.s.DeletedItems(k.tenant) {
		if d.User != nil {
			rows = append(rows, d)
		}
	}
	out, bad := page(k, rows, k.deletedUserOf)
	return ok(out), bad
}

func getUser(k *call, u *world.User) (reply, *fault) {
	return ok(k.customerUserOf(u)), nil
}

type userInput struct {
	Location  *string `json:"usageLocation"`
	UPN       *string `json:"userPrincipalName"`
	FirstName *string `json:"firstName"`
	LastName  *string `json:"lastName"`
	Name      *string `json:"displayName"`
	Password  *struct {
		Password string `json:"password"`
		Force    bool   `json:"forceChangePassword"`
	} `json:"passwordProfile"`
	State string  `json:"state"`
	Phone *string `json:"phoneNumber"`

	userEcho
}

// userEcho are what a client sends back as it was read.
type userEcho struct {
	ID          any `json:"id"`
	ImmutableID any `json:"immutableId"`
	LastSync    any `json:"lastDirectorySyncTime"`
	DomainType  any `json:"userDomainType"`
	Deleted     any `json:"softDeletionTime"`
	sent
}

// maxName bounds what a user may be called; maxPassword is Entra's bound.
const (
	maxName     = 256
	maxPassword = 256
)

// hashPassword hashes a chosen password ahead of the lock: it is slow on purpose.
func hashPassword(k *call) *fault {
	var in userInput
	if f := k.decode(&in); f != nil {
		return f
	}
	if in.Password == nil {
		return nil
	}
	if n := len(in.Password.Password); n < 8 || n > maxPassword {
		return refuse(http.StatusBadRequest, 400, "The password must have 8 to %d characters.", maxPassword)
	}
	k.password = world.NewPassword(in.Password.Password)
	return nil
}

func (in *userInput) check() *fault {
	for _, v := range []*string{in.Location, in.UPN, in.FirstName, in.LastName, in.Name, in.Phone} {
		if v != nil && len(*v) > maxName {
			return refuse(http.StatusBadRequest, 400, "A field is longer than %d characters.", maxName)
		}
	}
	return nil
}

func (in *userInput) into(u *world.User) {
	set := func(to *string, v *string) {
		if v != nil {
			*to = *v
		}
	}
	set(&u.Location, in.Location)
	set(&u.UPN, in.UPN)
	set(&u.Given, in.FirstName)
	set(&u.Surname, in.LastName)
	set(&u.Name, in.Name)
	if in.Phone != nil && *in.Phone != phoneOf(u) {
		u.Profile = u.Profile.With(func(p *world.Profile) {
			if p.Props == nil {
				p.Props = map[string]json.RawMessage{}
			}
			p.Props[phones] = json.RawMessage(text([]string{*in.Phone}))
		})
	}
}

// checkUPN asks for a verified domain of the customer and a free name.
func (k *call) checkUPN(upn, self string) *fault {
	local, domain, found := strings.Cut(upn, "@")
	if !found || local == "" || strings.ContainsAny(upn, " \t\r\n<>\"") || !contains(k.tenant.Domains, strings.ToLower(domain)) {
		return refuse(http.StatusBadRequest, 400, "userPrincipalName must be a name in a domain of the customer.")
	}
	if u := k.tenant.UserByName(upn); u != nil && u.ID != self {
		return refuse(http.StatusConflict, 409, "The name %s is taken.", upn)
	}
	return nil
}

func createUser(k *call) (reply, *fault) {
	var in userInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := in.check(); f != nil {
		return reply{}, f
	}
	if in.UPN == nil || in.Name == nil || in.Password == nil || in.Location == nil {
		return reply{}, refuse(http.StatusBadRequest, 400, "userPrincipalName, displayName, usageLocation and passwordProfile are needed.")
	}
	if f := k.checkUPN(*in.UPN, ""); f != nil {
		return reply{}, f
	}
	if f := unchanged(struct {
		userEcho
		State string `json:"state"`
	}{in.userEcho, in.State}, map[string]string{"state": "active"}); f != nil {
		return reply{}, f
	}
	u := &world.User{ID: world.NewGUID(), Enabled: true, Created: k.now, Password: k.password, PasswordChanged: k.now, PasswordExpired: in.Password.Force,
		Changed: k.s.Change()}
	in.into(u)
	k.tenant.Users.Put(u)
	k.s.Touch(k.tenant)
	k.auditDirectory("Add user", "UserManagement", "Add", u)
	k.record("customer_user", "create_customer_user", nil, k.customerUserOf(u))
	return reply{status: http.StatusCreated, body: k.customerUserOf(u), header: map[string]string{"Location": k.base + "/v1/customers/" + k.customer.TenantID +
		"/users/" + u.ID}}, nil
}

func changeUser(k *call, u *world.User) (reply, *fault) {
	var in userInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := in.check(); f != nil {
		return reply{}, f
	}
	if in.State != "" && !strings.EqualFold(in.State, "active") {
		return reply{}, deny(entra.CenterMalformed, "state can only be set to active, which restores a deleted user. DELETE deletes one.")
	}
	if f := k.mayChange(u, &in); f != nil {
		return reply{}, f
	}
	if f := unchanged(in.userEcho, k.customerUserOf(u)); f != nil {
		return reply{}, f
	}
	if in.UPN != nil && !strings.EqualFold(*in.UPN, u.UPN) {
		if f := k.checkUPN(*in.UPN, u.ID); f != nil {
			return reply{}, f
		}
	}
	before := k.customerUserOf(u)
	change := k.s.Change()
	k.tenant.Users.Change(u.ID, func(c *world.User) {
		in.into(c)
		c.Changed = change
		if in.Password != nil {
			c.Password, c.PasswordChanged, c.PasswordExpired = k.password, k.now, in.Password.Force
			// An administrator's reset ends what was issued before it (section 4.3).
			c.SessionsValidFrom, c.Revoked = k.now, "reset"
		}
	})
	k.s.Touch(k.tenant)
	after := k.customerUserOf(k.tenant.Users.Get(u.ID))
	operation, activity := "update_customer_user", "Update user"
	switch {
	case in.Password != nil:
		operation, activity = "reset_customer_user_password", "Reset user password"
	case before.UPN != after.UPN:
		operation = "update_customer_user_principal_name"
	}
	k.auditDirectory(activity, "UserManagement", "Update", u)
	k.record("customer_user", operation, before, after)
	return ok(after), nil
}

// mayChange keeps lesser roles from administrators: Helpdesk and User
// Administrators reset whom no privileged role protects (section 8.3).
func (k *call) mayChange(u *world.User, in *userInput) *fault {
	if contains(k.rights.Roles, entra.RoleGlobalAdministrator) {
		return nil
	}
	if contains(k.rights.Roles, entra.RolePrivilegedAuthenticationAdministrator) && in.Password != nil {
		return nil
	}
	held := k.tenant.RolesOf(u.ID, k.now)
	if in.Password != nil || in.UPN != nil {
		switch {
		case slices.ContainsFunc(held, entra.PrivilegedRole):
			return forbidden("The user holds a privileged role: this needs Privileged Authentication Administrator or Global Administrator.")
		case len(held) > 0 && !contains(k.rights.Roles, entra.RoleUserAdministrator):
			return forbidden("The user holds a directory role: this needs User Administrator or Global Administrator.")
		}
	}
	if in.Password == nil && !contains(k.rights.Roles, entra.RoleUserAdministrator) && !contains(k.rights.Roles, entra.RoleDirectoryWriters) {
		return forbidden("This needs User Administrator in the customer's tenant.")
	}
	return nil
}

func deleteUser(k *call, u *world.User) (reply, *fault) {
	if slices.ContainsFunc(k.tenant.RolesOf(u.ID, k.now), entra.PrivilegedRole) && !contains(k.rights.Roles, entra.RoleGlobalAdministrator) {
		return reply{}, forbidden("The user holds a privileged role: this needs Global Administrator.")
	}
	k.s.Delete(k.tenant, "user", u.ID)
	k.auditDirectory("Delete user", "UserManagement", "Delete", u)
	k.record("customer_user", "delete_customer_user", k.customerUserOf(u), nil)
	return reply{status: http.StatusNoContent}, nil
}

// auditDirectory writes the row of the customer's own audit log.
func (k *call) auditDirectory(activity, category, operation string, u *world.User, changed ...world.Modified) {
	row := &world.DirectoryAudit{Activity: activity, Category: category, Operation: operation, Correlation: k.correlation, By: k.initiator()}
	if u != nil {
		name, upn := u.Name, u.UPN
		if changed == nil {
			changed = []world.Modified{}
		}
		row.Targets = []world.AuditTarget{{ID: u.ID, Name: &name, UPN: &upn, Type: "User", Modified: changed}}
	}
	k.s.Audit(k.tenant, row)
}

func (k *call) initiator() world.Initiator {
	if k.user != nil { // the customer sees a technician of the partner
		ip, name := address(k.Request, k.who.IPAddr), signon.TechnicianName(k.partner)
		return world.Initiator{User: &world.AuditUser{ID: k.user.ID, Name: &name, UPN: signon.TechnicianUPN(k.user.ID, k.tenant), IP: &ip}}
	}
	name := ""
	if c, found := k.s.Client(k.who.Client()); found {
		name = c.Name
	}
	return world.Initiator{App: &world.AuditApp{AppID: k.who.Client(), Name: name}}
}
