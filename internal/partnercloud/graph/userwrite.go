package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// checkUPN refuses sign-in names outside of the tenant's verified domains.
func checkUPN(t *world.Tenant, upn string) error {
	local, domain, ok := strings.Cut(upn, "@")
	if !ok || local == "" || strings.ContainsAny(upn, " \t\n\"<>,;") || strings.Contains(domain, "@") {
		return badRequest("Property userPrincipalName is invalid.")
	}
	if !slices.ContainsFunc(t.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return badRequest("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your " +
			"organization.")
	}
	return nil
}

// checkNewUPN refuses names that are taken, too.
func checkNewUPN(t *world.Tenant, upn string) error {
	if err := checkUPN(t, upn); err != nil {
		return err
	}
	if t.UserByName(upn) != nil {
		return badRequest("Another object with the same value for property userPrincipalName already exists.")
	}
	return nil
}

// checkPassword is the shape of a strong password, not a ban list.
func checkPassword(p string) error {
	if len(p) < 8 || kinds(p) < 3 {
		return badRequest("The specified password does not comply with password complexity requirements. Please provide a different password.")
	}
	return nil
}

func deleteUser(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	if err := c.maySensitive(s, t, c.standingOf(t, u)); err != nil {
		return nil, err
	}
	s.Delete(t, "user", u.ID)
	c.audit(s, t, change{activity: "Delete user", category: "UserManagement", operation: "Delete", target: userTarget(u)})
	return noContent()
}

// createUser hashes the password before it takes the lock.
func createUser(c *call) (*reply, error) {
	if err := userFields().check("", c.in); err != nil {
		return nil, err
	}
	if err := emptyText(c.in, "User"); err != nil {
		return nil, err
	}
	for _, must := range []string{"accountEnabled", "displayName", "userPrincipalName", "mailNickname", "passwordProfile"} {
		if c.in[must] == nil {
			return nil, badRequest("A value is required for property '%s' of resource 'User'.", must)
		}
	}
	plain := str(inner(c.in, "passwordProfile"), "password")
	if err := checkPassword(plain); err != nil {
		return nil, err
	}
	if n := str(c.in, "mailNickname"); n == "" || strings.ContainsAny(n, "@ ()\\[]\";:<>,") {
		return nil, badRequest("Property mailNickname is invalid.")
	}
	hash := world.NewPassword(plain)
	var rep *reply
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		upn := str(c.in, "userPrincipalName")
		if err := checkNewUPN(t, upn); err != nil {
			return err
		}
		u := &world.User{
			ID: world.NewGUID(), UPN: upn, Name: str(c.in, "displayName"), Given: str(c.in, "givenName"), Surname: str(c.in, "surname"),
			Mail: str(c.in, "mail"), Title: str(c.in, "jobTitle"), Department: str(c.in, "department"), Location: str(c.in, "usageLocation"),
			Guest: str(c.in, "userType") == "Guest", Enabled: truth(c.in, "accountEnabled"), Created: c.now, Password: hash, PasswordChanged: c.now,
			PasswordExpired: truth(inner(c.in, "passwordProfile"), "forceChangePasswordNextSignIn"), Changed: s.Change(),
		}
		c.keep(u, new(change))
		t.Users.Put(u)
		s.Touch(t)
		ch := change{activity: "Add user", category: "UserManagement", operation: "Add", target: userTarget(u)}
		ch.changed("AccountEnabled", nil, []bool{u.Enabled})
		ch.changed("DisplayName", nil, []string{u.Name})
		ch.changed("UserPrincipalName", nil, []string{u.UPN})
		c.audit(s, t, ch)
		var err error
		rep, err = c.created(t, "users", c.g.sh.user, u)
		return err
	})
	return rep, err
}

// changeUser checks and hashes first; rights are checked against the target
// inside the lock.
func changeUser(c *call) (*reply, error) {
	c.g.world.Read(func(s *world.State) {
		if t := s.Tenant(c.caller.Tenant); t != nil {
			if u, err := c.findUser(s, t); err == nil {
				c.dropUnchanged(s, u, nil)
			}
		}
	})
	if err := userFields().check("", c.in); err != nil {
		return nil, err
	}
	if err := emptyText(c.in, "User"); err != nil {
		return nil, err
	}
	var hash world.Password
	if plain := str(inner(c.in, "passwordProfile"), "password"); plain != "" {
		if err := checkPassword(plain); err != nil {
			return nil, err
		}
		hash = world.NewPassword(plain)
	}
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		u, err := c.findUser(s, t)
		if err != nil {
			return err
		}
		if err := c.mayChange(s, t, u); err != nil {
			return err
		}
		ch := change{activity: "Update user", category: "UserManagement", target: userTarget(u)}
		n, was := s.Change(), u.Enabled
		t.Users.Change(u.ID, func(u *world.User) {
			u.Changed = n
			c.applyUser(u, &ch, hash)
		})
		s.Touch(t)
		c.audit(s, t, ch)
		if now := t.Users.Get(u.ID).Enabled; now != was { // a row of its own, beside that of the update
			ch.activity = map[bool]string{true: "Enable account", false: "Disable account"}[now]
			c.audit(s, t, ch)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return noContent()
}

// mayChange checks the change that the body asks for against the caller's roles
// and the target's.
func (c *call) mayChange(s *world.State, t *world.Tenant, u *world.User) error {
	if slices.ContainsFunc(sensitive, func(k string) bool { return given(c.in, k) }) {
		if err := c.maySensitive(s, t, c.standingOf(t, u)); err != nil {
			return err
		}
	}
	if given(c.in, "passwordProfile") {
		if err := c.mayReset(t); err != nil {
			return err
		}
	}
	if !c.caller.AppOnly() && !c.hasRole(entra.RoleUserAdministrator, entra.RoleDirectoryWriters, entra.RolePrivilegedAuthenticationAdministrator) {
		for k := range c.in { // help-desk roles reset passwords, nothing else
			if k != "passwordProfile" && !strings.Contains(k, "@odata.") {
				return denied()
			}
		}
	}
	if upn := str(c.in, "userPrincipalName"); upn != "" && !strings.EqualFold(upn, u.UPN) {
		return checkNewUPN(t, upn)
	}
	return nil
}

// applyUser takes the body over into a user and notes what it changes.
func (c *call) applyUser(u *world.User, ch *change, hash world.Password) {
	set := func(name, audit string, to *string) {
		if given(c.in, name) {
			ch.changed(audit, []string{*to}, []string{str(c.in, name)})
			*to = str(c.in, name)
		}
	}
	set("displayName", "DisplayName", &u.Name)
	set("givenName", "GivenName", &u.Given)
	set("surname", "Surname", &u.Surname)
	set("jobTitle", "JobTitle", &u.Title)
	set("department", "Department", &u.Department)
	set("usageLocation", "UsageLocation", &u.Location)
	set("mail", "Mail", &u.Mail)
	if was := nickname(u); given(c.in, "userPrincipalName") && was != localPart(str(c.in, "userPrincipalName")) {
		u.Profile = u.Profile.With(func(p *world.Profile) { p.Nickname = was }) // the nickname stays
	}
	set("userPrincipalName", "UserPrincipalName", &u.UPN)
	c.keep(u, ch)
	if given(c.in, "userType") {
		u.Guest = str(c.in, "userType") == "Guest"
	}
	if given(c.in, "accountEnabled") {
		on := truth(c.in, "accountEnabled")
		ch.changed("AccountEnabled", []bool{u.Enabled}, []bool{on})
		if u.Enabled && !on { // a disabled account loses its sessions
			u.SessionsValidFrom = c.now
		}
		u.Enabled = on
	}
	if hash.Hash != "" {
		ch.activity = "Reset user password"
		u.Password, u.PasswordChanged, u.SessionsValidFrom, u.Revoked = hash, c.now, c.now, "reset"
		u.PasswordExpired = false
	}
	if profile := inner(c.in, "passwordProfile"); given(profile, "forceChangePasswordNextSignIn") {
		u.PasswordExpired = truth(profile, "forceChangePasswordNextSignIn")
	}
}
