package directory_test

import (
	"encoding/json"
	"slices"
	"testing"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	yes, no := lenient.Bool{Value: true, Set: true}, lenient.Bool{Set: true}
	global := []directory.HeldRole{{TemplateID: entra.RoleGlobalAdministrator, Name: "Global Administrator"}}
	sync := func(eligible bool) []directory.HeldRole {
		return []directory.HeldRole{{TemplateID: entra.RoleDirectorySync, Eligible: eligible}}
	}
	purpose := func(s lenient.String) lenient.List[directory.Mailbox] {
		return lenient.List[directory.Mailbox]{Set: true, Items: []directory.Mailbox{{UserPurpose: s}}}
	}
	for name, c := range map[string]struct {
		user  directory.User
		signs directory.Signs
		want  directory.Class
	}{
		"plain": {directory.User{UserPrincipalName: "ada@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"disabled outranks all": {directory.User{UserPrincipalName: "svc-x@x", AccountEnabled: no}, directory.Signs{Roles: global},
			directory.ClassDisabled},
		"sync by role": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes}, directory.Signs{Roles: sync(false)},
			directory.ClassDirectorySync},
		"sync by the newer role": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes},
			directory.Signs{Roles: []directory.HeldRole{{TemplateID: entra.RoleOnPremisesDirectorySync}}}, directory.ClassDirectorySync},
		"sync by both its roles": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes},
			directory.Signs{Roles: append(sync(false), directory.HeldRole{TemplateID: entra.RoleOnPremisesDirectorySync})}, directory.ClassDirectorySync},
		"eligible for sync is no sync": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes}, directory.Signs{Roles: sync(true)},
			directory.ClassMember},
		"sync, and perhaps more": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes},
			directory.Signs{Roles: sync(false), RolesPartly: true}, directory.ClassMember},
		"an administrator is no sync": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes},
			directory.Signs{Roles: append(sync(false), global...)}, directory.ClassMember},
		"nor one who may become one": {directory.User{UserPrincipalName: "x@x", AccountEnabled: yes},
			directory.Signs{Roles: append(sync(false), directory.HeldRole{TemplateID: entra.RoleGlobalAdministrator, Eligible: true})}, directory.ClassMember},
		"nobody escapes by a name": {directory.User{UserPrincipalName: "Sync_DC02_77@x",
			DisplayName: "On-Premises Directory Synchronization Service Account", AccountEnabled: yes}, directory.Signs{}, directory.ClassService},
		"guest by invitation": {directory.User{UserPrincipalName: "g@y", UserType: "Member", CreationType: directory.Optional{Value: "Invitation",
			Set: true}, AccountEnabled: yes}, directory.Signs{}, directory.ClassGuest},
		"guest who has yet to accept": {directory.User{UserPrincipalName: "g@y", ExternalUserState: "PendingAcceptance", AccountEnabled: yes},
			directory.Signs{}, directory.ClassGuest},
		"bg- with the role": {directory.User{UserPrincipalName: "bg-01@x", AccountEnabled: yes}, directory.Signs{Roles: global},
			directory.ClassBreakGlass},
		"bg- without it": {directory.User{UserPrincipalName: "bg-01@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"bg inside a word": {directory.User{UserPrincipalName: "bgates@x", AccountEnabled: yes}, directory.Signs{Roles: global},
			directory.ClassMember},
		"room by its mailbox": {directory.User{UserPrincipalName: "utrecht-2@x", AccountEnabled: yes, Mailbox: purpose("room")},
			directory.Signs{Excluded: true}, directory.ClassResource},
		"equipment by its mailbox": {directory.User{UserPrincipalName: "beamer@x", AccountEnabled: yes, Mailbox: purpose("Equipment")},
			directory.Signs{}, directory.ClassResource},
		"shared by its mailbox": {directory.User{UserPrincipalName: "rechnung@x", AccountEnabled: yes, Mailbox: purpose("shared")}, directory.Signs{},
			directory.ClassShared},
		"a user's mailbox": {directory.User{UserPrincipalName: "ada@x", AccountEnabled: yes, Mailbox: purpose("user")}, directory.Signs{},
			directory.ClassMember},
		"an administrator is no room": {directory.User{UserPrincipalName: "a7@x", AccountEnabled: yes, Mailbox: purpose("room")},
			directory.Signs{Roles: global, Excluded: true}, directory.ClassBreakGlass},
		"agent by its type": {directory.User{UserPrincipalName: "helper@x", Type: "#microsoft.graph.agentUser", AccountEnabled: yes},
			directory.Signs{}, directory.ClassAgent},
		"agent by its parent": {directory.User{UserPrincipalName: "helper@x", IdentityParentID: "a1", AccountEnabled: yes}, directory.Signs{},
			directory.ClassAgent},
		"guest by type": {directory.User{UserPrincipalName: "g@x", UserType: "Guest", AccountEnabled: yes}, directory.Signs{},
			directory.ClassGuest},
		"guest by name": {directory.User{UserPrincipalName: "g_x#ext#@y", AccountEnabled: yes}, directory.Signs{}, directory.ClassGuest},
		"break glass by name": {directory.User{UserPrincipalName: "break-glass-1@x", AccountEnabled: yes}, directory.Signs{},
			directory.ClassBreakGlass},
		"break glass by its exclusions": {directory.User{UserPrincipalName: "a7@x", AccountEnabled: yes}, directory.Signs{Roles: global, Excluded: true},
			directory.ClassBreakGlass},
		"surname Glass":             {directory.User{UserPrincipalName: "philip.glass@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassMember},
		"service":                   {directory.User{UserPrincipalName: "svc-billing@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassService},
		"service by password grant": {directory.User{UserPrincipalName: "ada@x", AccountEnabled: yes}, directory.Signs{ROPC: true}, directory.ClassService},
		"shared":                    {directory.User{UserPrincipalName: "front.desk@x", AccountEnabled: yes}, directory.Signs{}, directory.ClassShared},
		"office manager is a person": {directory.User{UserPrincipalName: "jane@x", DisplayName: "Jane Office", AccountEnabled: yes}, directory.Signs{},
			directory.ClassMember},
		"known from the log alone": {directory.User{UserPrincipalName: "ada@x"}, directory.Signs{}, directory.ClassUnknown},
	} {
		if got := directory.Classify(&c.user, c.signs); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for c, want := range map[directory.Class]bool{directory.ClassDisabled: false, directory.ClassDirectorySync: false, directory.ClassBreakGlass: true,
		directory.ClassGuest: true, directory.ClassService: true, directory.ClassUnknown: true, directory.ClassResource: true, directory.ClassAgent: true} {
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

// TestWhatUsersAreFor: what only one copy of a user says is kept, in any form it
// is written in, and never costs the user.
func TestWhatUsersAreFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ more, want string }{
		"object":        {`"mailboxSettings":{"userPurpose":"room"}`, "resource"},
		"text in a CSV": {`"mailboxSettings":"{\"userPurpose\":\"shared\"}"`, "shared"},
		"a type's name": {`"mailboxSettings":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphMailboxSettings"`, "member"},
		"null":          {`"mailboxSettings":null,"creationType":null,"externalUserState":null`, "member"},
		"a number":      {`"mailboxSettings":5`, "member"},
		"agent":         {`"@odata.type":"#microsoft.graph.agentUser"`, "agent"},
		"invited":       {`"creationType":"Invitation"`, "guest"},
	} {
		var u directory.User
		if err := json.Unmarshal([]byte(`{"id":"u1","userPrincipalName":"u1@x","accountEnabled":true,`+c.more+`}`), &u); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d := directory.New()
		d.AddUser(directory.User{ID: "u1", UserPrincipalName: "u1@x"})
		d.AddUser(u)
		if got := directory.Classify(d.Users["u1"], directory.Signs{}); string(got) != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestWaysOutFitTheAccount: nobody is told to ask a room, a mailbox or an agent
// for MFA.
func TestWaysOutFitTheAccount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		needs directory.Needs
		want  []string
	}{
		"room":           {directory.Needs{Class: directory.ClassResource, Unregistered: true, Device: true}, []string{"block_sign_in"}},
		"shared mailbox": {directory.Needs{Class: directory.ClassShared, Mailbox: true, Unregistered: true}, []string{"block_sign_in"}},
		"mailbox of a script": {directory.Needs{Class: directory.ClassShared, Mailbox: true, Password: true},
			[]string{"secure_application_model", "block_sign_in"}},
		"front desk": {directory.Needs{Class: directory.ClassShared, Unregistered: true}, []string{"totp_secured_desktop", "security_key",
			"require_mfa"}},
		"agent":  {directory.Needs{Class: directory.ClassAgent, Unregistered: true}, []string{"review_agent"}},
		"member": {directory.Needs{Class: directory.ClassMember}, []string{"require_mfa"}},
	} {
		var got []string
		for _, w := range directory.WaysOut(c.needs) {
			got = append(got, w.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
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
	d.AddAssignment(directory.RoleAssignment{PrincipalID: "A", RoleDefinitionID: entra.RoleGlobalAdministrator})
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
