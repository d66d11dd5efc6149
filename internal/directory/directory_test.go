package directory_test

import (
	"slices"
	"testing"

	"partnerguard/internal/directory"
	"partnerguard/internal/lenient"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	yes, no := lenient.Bool{Value: true, Set: true}, lenient.Bool{Set: true}
	global := []directory.HeldRole{{TemplateID: directory.GlobalAdministrator, Name: "Global Administrator"}}
	for name, c := range map[string]struct {
		user  directory.User
		signs directory.Signs
		want  directory.Class
	}{
		"plain":                         {directory.User{UserPrincipalName: "ada@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"disabled outranks all":         {directory.User{UserPrincipalName: "svc-x@x", AccountEnabled: no}, directory.Signs{Roles: global}, directory.ClassDisabled},
		"sync by role":                  {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes}, directory.Signs{Roles: []directory.HeldRole{{TemplateID: directory.DirectorySynchronizationAccounts}}}, directory.ClassDirectorySync},
		"nobody escapes by a name":      {directory.User{UserPrincipalName: "Sync_me@x", DisplayName: "Me", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"guest by type":                 {directory.User{UserPrincipalName: "g@x", UserType: "Guest", AccountEnabled: yes}, directory.Signs{}, directory.ClassGuest},
		"guest by name":                 {directory.User{UserPrincipalName: "g_x#ext#@y", AccountEnabled: yes}, directory.Signs{}, directory.ClassGuest},
		"break glass by name":           {directory.User{UserPrincipalName: "break-glass-1@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassBreakGlass},
		"break glass by its exclusions": {directory.User{UserPrincipalName: "a7@x", AccountEnabled: yes}, directory.Signs{Roles: global, Excluded: true}, directory.ClassBreakGlass},
		"surname Glass":                 {directory.User{UserPrincipalName: "philip.glass@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"service":                       {directory.User{UserPrincipalName: "svc-billing@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassService},
		"service by password grant":     {directory.User{UserPrincipalName: "ada@x", AccountEnabled: yes}, directory.Signs{ROPC: true}, directory.ClassService},
		"shared":                        {directory.User{UserPrincipalName: "front.desk@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassShared},
		"office manager is a person":    {directory.User{UserPrincipalName: "jane@x", DisplayName: "Jane Office", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"known from the log alone":      {directory.User{UserPrincipalName: "ada@x"}, directory.Signs{}, directory.ClassUnknown},
	} {
		if got := directory.Classify(&c.user, c.signs); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for c, want := range map[directory.Class]bool{directory.ClassDisabled: false, directory.ClassDirectorySync: false, directory.ClassBreakGlass: true, directory.ClassGuest: true, directory.ClassService: true, directory.ClassUnknown: true} {
		if c.InScope() != want {
			t.Errorf("%s in scope: %v", c, !want)
		}
	}
}

func TestMembersDoNotEraseUsers(t *testing.T) {
	t.Parallel()
	d := directory.New()
	d.AddUser(directory.User{ID: "U1", UserPrincipalName: "u1@x", AccountEnabled: lenient.Bool{Set: true}})
	d.AddUser(directory.User{ID: "u1", DisplayName: "One"})
	u := d.Users["u1"]
	if len(d.Users) != 1 || u.UserPrincipalName != "u1@x" || u.DisplayName != "One" || !u.AccountEnabled.False() {
		t.Errorf("%+v", u)
	}
	if d.KeyByUPN("U1@X") != "u1" {
		t.Error("a user is not found by UPN")
	}
}

func TestGroupCycleEnds(t *testing.T) {
	t.Parallel()
	d := directory.New()
	member := func(ids ...string) directory.Members {
		l := directory.Members{Set: true}
		for _, id := range ids {
			l.Items = append(l.Items, directory.Member{ID: id})
		}
		return l
	}
	d.AddGroup(directory.Group{ID: "a", Members: member("b", "u1")})
	d.AddGroup(directory.Group{ID: "b", Members: member("a", "u1", "u2")})
	d.AddAssignment(directory.RoleAssignment{PrincipalID: "A", RoleDefinitionID: directory.GlobalAdministrator})
	roles, closed := d.RolesByPrincipal()
	if len(closed) != 0 || len(roles["u1"]) != 1 || len(roles["u2"]) != 1 || !roles["u1"][0].Privileged {
		t.Errorf("roles %v, closed %v", roles, closed)
	}
	d.AddGroup(directory.Group{ID: "c"})
	d.AddAssignment(directory.RoleAssignment{PrincipalID: "c", RoleDefinitionID: "r"})
	if _, closed := d.RolesByPrincipal(); !slices.Equal(closed, []string{"c"}) {
		t.Errorf("closed groups %v", closed)
	}
}
