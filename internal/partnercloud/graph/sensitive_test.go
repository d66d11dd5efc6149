package graph

import (
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// give gives a role of the partner's tenant.
func (l *lab) give(who, role string) {
	l.w.Read(func(s *world.State) {
		t := s.PartnerTenant()
		t.Held.Put(&world.RoleAssignment{ID: "given-" + who + role[:8], Principal: who, Role: role, Scope: "/", Start: start, Created: start})
		s.Touch(t)
	})
}

// plainly takes what Pat could become.
func (l *lab) plainly() *lab {
	l.w.Read(func(s *world.State) { s.PartnerTenant().Eligible.Delete("elig-1") })
	return l
}

func TestSensitiveActionsFollowTheTargetsRoles(t *testing.T) {
	t.Parallel()
	const enable, reset, phone = `{"accountEnabled":true}`, `{"passwordProfile":{"password":"Long&word-2026"}}`, `{"mobilePhone":"+49 5551234567"}`
	for _, c := range []struct {
		name, caller, target, body string
		want                       int
	}{
		{"a user administrator, no role", entra.RoleUserAdministrator, "", enable, 204},
		{"a user administrator, one like it", entra.RoleUserAdministrator, entra.RoleUserAdministrator, enable, 204},
		{"a user administrator, helpdesk", entra.RoleUserAdministrator, entra.RoleHelpdeskAdministrator, phone, 204},
		{"a user administrator, another administrator", entra.RoleUserAdministrator, entra.RoleExchangeAdministrator, phone, 403},
		{"a user administrator, authentication", entra.RoleUserAdministrator, entra.RoleAuthenticationAdministrator, reset, 403},
		{"a plain property of an administrator", entra.RoleUserAdministrator, entra.RoleExchangeAdministrator, `{"jobTitle":"x"}`, 204},
		{"helpdesk, helpdesk", entra.RoleHelpdeskAdministrator, entra.RoleHelpdeskAdministrator, reset, 204},
		{"helpdesk, user administrator", entra.RoleHelpdeskAdministrator, entra.RoleUserAdministrator, reset, 403},
		{"password administrator, helpdesk", entra.RolePasswordAdministrator, entra.RoleHelpdeskAdministrator, reset, 403},
		{"password administrator, guest inviter", entra.RolePasswordAdministrator, entra.RoleGuestInviter, reset, 204},
		{"password administrator, reports reader", entra.RolePasswordAdministrator, entra.RoleReportsReader, reset, 403},
		{"privileged authentication", entra.RolePrivilegedAuthenticationAdministrator, entra.RoleGlobalAdministrator, reset, 204},
	} {
		l := newLab(t).plainly()
		l.give(agent, c.caller)
		if c.target != "" {
			l.give(plain, c.target)
		}
		if a := l.do("PATCH", "/v1.0/users/"+plain, l.token(partnerID, agent, everything()), c.body); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", c.name, a.code, c.want, a.raw)
		}
	}
}

func TestAppsAreNoAdministrators(t *testing.T) {
	t.Parallel()
	l := newLab(t).plainly()
	app := l.app(partnerID, "User.ReadWrite.All", "Directory.ReadWrite.All", "Group.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")
	reset, off := `{"passwordProfile":{"password":"Long&word-2026"}}`, `{"accountEnabled":false}`
	for _, body := range []string{reset, off, `{"otherMails":["x@other.example"]}`} {
		l.do("PATCH", "/v1.0/users/"+ada, app, body).refused(403, "Authorization_RequestDenied")
	}
	l.do("DELETE", "/v1.0/users/"+ada, app, "").want(403)
	l.do("PATCH", "/v1.0/users/"+rhea, app, off).want(204)
	l.do("PATCH", "/v1.0/users/"+plain, app, off).want(204)
	l.do("PATCH", "/v1.0/users/"+plain, app, reset).want(403)
	l.do("PATCH", "/v1.0/users/"+plain, l.app(partnerID, "User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"), reset).want(204)
	l.give("sp", entra.RoleUserAdministrator)
	l.do("PATCH", "/v1.0/users/"+plain, app, reset).want(204)
	l.do("PATCH", "/v1.0/users/"+ada, app, off).want(403)
	l.give("sp", entra.RolePrivilegedAuthenticationAdministrator)
	l.do("PATCH", "/v1.0/users/"+ada, app, reset).want(204)
	l.do("POST", "/v1.0/users/"+plain+"/authentication/methods/"+entra.PasswordMethod+"/resetPassword", app, `{}`).want(403)
	l.do("POST", "/v1.0/users/"+ada+"/authentication/methods/"+entra.PasswordMethod+"/resetPassword", l.admin(), `{}`).want(400)
}

// Groups that can be given roles make administrators of their members and owners.
func TestAssignableGroupsProtect(t *testing.T) {
	t.Parallel()
	l := newLab(t).plainly()
	group := `{"displayName":"x","mailNickname":"x","mailEnabled":false,"securityEnabled":true,"isAssignableToRole":true,"members@odata.bind":["` +
		l.g.login + `/v1.0/users/` + plain + `"],"owners@odata.bind":["https://graph.microsoft.com/v1.0/users/` + agent + `"]}`
	l.do("POST", "/v1.0/groups", l.app(partnerID, "Group.ReadWrite.All", "Directory.ReadWrite.All"), group).want(403)
	l.do("POST", "/v1.0/groups", l.token(partnerID, ada, "Group.ReadWrite.All"), group).want(403)
	id := str(l.do("POST", "/v1.0/groups", l.app(partnerID, "Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"), group).want(201).body, "id")
	l.do("DELETE", "/v1.0/groups/"+id, l.token(partnerID, ada, "Group.ReadWrite.All"), "").want(403)
	for _, who := range []string{plain, agent} {
		l.do("PATCH", "/v1.0/users/"+who, l.token(partnerID, ursa, everything()), `{"accountEnabled":false}`).want(403)
	}
}

func TestAdministratorsAreRestoredByTheirBetters(t *testing.T) {
	t.Parallel()
	l := newLab(t).plainly()
	l.give(plain, entra.RoleGlobalAdministrator)
	user := l.token(partnerID, ursa, everything())
	l.do("DELETE", "/v1.0/users/"+plain, user, "").want(403)
	l.do("DELETE", "/v1.0/users/"+plain, l.admin(), "").want(204)
	path := "/v1.0/directory/deletedItems/" + plain
	l.do("POST", path+"/restore", user, `{}`).want(403)
	l.do("DELETE", path, user, "").want(403)
	l.do("POST", path+"/restore", l.admin(), `{}`).want(200)
	if n := len(l.get("/v1.0/users/"+plain+"/transitiveMemberOf/microsoft.graph.directoryRole", l.admin()).rows()); n != 1 {
		t.Errorf("%d roles after the restore", n)
	}
}

// A role for apps is not given to users by the other side of the assignment.
func TestRolesForAppsAreNotForUsers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var sp, own string
	l.w.Read(func(s *world.State) {
		sp, own = s.PartnerTenant().SP(entra.AppGraph).ID, s.PartnerTenant().SP(toolApp).ID
	})
	for resource, want := range map[string]int{sp: 400, own: 201} {
		role := "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30" // Application.Read.All
		if resource == own {
			role = "12121212-0000-4000-8000-000000000002"
		}
		a := l.do("POST", "/v1.0/servicePrincipals/"+resource+"/appRoleAssignedTo", l.admin(),
			`{"principalId":"`+plain+`","resourceId":"`+resource+`","appRoleId":"`+role+`"}`)
		if a.code != want {
			t.Errorf("%d, want %d: %.300s", a.code, want, a.raw)
		}
	}
	l.do("POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", l.admin(), `{"principalId":"`+own+`","resourceId":"`+sp+
		`","appRoleId":"9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"}`).want(201)
}

// A user's token sets passwords by a permission for that alone, whatever the role.
func TestUsersSetPasswordsByAPermission(t *testing.T) {
	l := newLab(t)
	reset, tok := `{"passwordProfile":{"password":"Winter-Garden-7"}}`, l.token(partnerID, ada, "User.ReadWrite.All Directory.ReadWrite.All")
	l.do("PATCH", "/v1.0/users/"+plain, tok, reset).refused(403, "Authorization_RequestDenied")
	for _, scope := range []string{"Directory.AccessAsUser.All", "User-PasswordProfile.ReadWrite.All"} {
		l.do("PATCH", "/v1.0/users/"+plain, l.token(partnerID, ada, "User.ReadWrite.All "+scope), reset).want(204)
	}
}
