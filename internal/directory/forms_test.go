package directory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
)

// TestActiveSchedules: PIM for groups shows members too. One that holds is in the
// group, one whose time cannot be read perhaps, and who is in it already stays so.
func TestActiveSchedules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schedule string
		members  string
		eligible bool
		surely   bool
		perhaps  bool
	}{
		"for good":             {`"accessId":"member"`, `[]`, false, true, false},
		"ends later":           {`"accessId":"member","endDateTime":"2030-01-01T00:00:00Z"`, `[]`, false, true, false},
		"ended":                {`"accessId":"member","endDateTime":"2020-01-01T00:00:00Z"`, `[]`, false, false, false},
		"a clock unread":       {`"accessId":"member","endDateTime":"soon"`, `[]`, false, false, true},
		"an owner":             {`"accessId":"Owner"`, `[]`, false, false, false},
		"eligible alone":       {`"accessId":"member"`, `[]`, true, false, false},
		"a member before":      {`"accessId":"member","endDateTime":"soon"`, `["` + strings.ToUpper(id2) + `"]`, false, true, false},
		"revoked":              {`"accessId":"member","status":"Revoked"`, `[]`, false, false, false},
		"of a group not there": {`"accessId":"member","groupId":"` + id1 + `"`, `[]`, false, false, false},
	} {
		d := directory.New()
		d.At = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		d.AddUser(directory.User{ID: id2})
		group(t, d, `{"id":"`+gid+`","displayName":"G","members":`+c.members+`}`)
		s := decode[directory.GroupSchedule](t, `{"principalId":"`+id2+`","groupId":"`+strings.ToUpper(gid)+`",`+c.schedule+`}`)
		if s.Eligible = c.eligible; !d.AddGroupSchedule(s) {
			t.Fatal(name)
		}
		r := d.Resolve(true)
		if got := slices.Contains(r.Groups[id2], gid); got != c.surely {
			t.Errorf("%s: surely in it: %v", name, got)
		}
		if got := slices.Contains(r.Perhaps[id2], gid); got != c.perhaps {
			t.Errorf("%s: perhaps in it: %v", name, got)
		}
		if got := slices.Contains(r.Activate[id2], gid); got != c.eligible {
			t.Errorf("%s: may join it: %v", name, got)
		}
	}
	d := directory.New()
	for _, s := range []directory.GroupSchedule{{PrincipalID: id1}, {GroupID: gid}} {
		if d.AddGroupSchedule(s) {
			t.Errorf("%+v says not who or not which group", s)
		}
	}
}

// TestDirectoryRoles: the legacy form of a role says who holds it, and whether
// that is all of them.
func TestDirectoryRoles(t *testing.T) {
	t.Parallel()
	const admin = entra.RoleGlobalAdministrator
	user := `{"@odata.type":"#microsoft.graph.user","id":"` + id1 + `","userPrincipalName":"ada@contoso.com"}`
	for name, c := range map[string]struct {
		members string
		holds   bool   // user 1
		open    string // in the reason why somebody else may hold it; "" nobody
	}{
		"a user":                 {`"members":[` + user + `]`, true, ""},
		"nobody":                 {`"members":[]`, false, ""},
		"a further page":         {`"members":[` + user + `],"members@odata.nextLink":"https://x"`, true, "further page"},
		"a count above it":       {`"members":[` + user + `],"members@odata.count":2`, true, "1 of its 2"},
		"one without an id":      {`"members":[` + user + `,{"displayName":"?"}]`, true, "no id"},
		"one in another form":    {`"members":[` + user + `,7]`, true, "not read"},
		"a service principal":    {`"members":[{"@odata.type":"#microsoft.graph.servicePrincipal","id":"` + id2 + `"}]`, false, ""},
		"a group not there":      {`"members":[{"@odata.type":"#microsoft.graph.group","id":"` + id2 + `","displayName":"H"}]`, false, "the group"},
		"a group that has users": {`"members":[{"@odata.type":"#microsoft.graph.group","id":"` + gid + `","displayName":"G"}]`, true, ""},
	} {
		d := directory.New()
		group(t, d, `{"id":"`+gid+`","displayName":"G","members":[`+user+`]}`)
		d.AddDirectoryRole(decode[directory.DirectoryRole](t, `{"id":"x","roleTemplateId":"`+admin+`","displayName":"Global Administrator",`+c.members+`}`))
		r := d.Resolve(true)
		held := r.Roles[id1]
		if got := len(held) == 1 && held[0].TemplateID == admin && held[0].Counts() == directory.Surely; got != c.holds {
			t.Errorf("%s: %+v", name, held)
		}
		if open := r.OpenRoles[admin]; (open == "") != (c.open == "") || !strings.Contains(open, c.open) {
			t.Errorf("%s: open because %q, want %q", name, open, c.open)
		}
		if name == "a user" && (d.Users[id1] == nil || d.Users[id1].UserPrincipalName != "ada@contoso.com" || !d.Users[id1].Derived) {
			t.Errorf("the member is no user: %+v", d.Users[id1])
		}
		if d.Users[id2] != nil {
			t.Errorf("%s: %s became a user", name, id2)
		}
	}
}

// TestPrivilegedRoles: an assignment of ScubaGear's form that names no role is of
// the role it stands under, and one that names another is of that.
func TestPrivilegedRoles(t *testing.T) {
	t.Parallel()
	d := directory.New()
	d.AddUser(directory.User{ID: id1})
	d.AddUser(directory.User{ID: id2})
	d.AddPrivilegedRole(decode[directory.PrivilegedRole](t, `{"roleTemplateId":"`+entra.RoleGlobalAdministrator+`","displayName":"Global Administrator",
		"assignments":[
		{"principalId":"`+id1+`","directoryScopeId":"/"},{"principalId":"`+id2+`","directoryScopeId":"/","roleDefinitionId":"`+exchange+`"}]}`))
	r := d.Resolve(true)
	for id, want := range map[string]string{id1: entra.RoleGlobalAdministrator, id2: exchange} {
		if held := r.Roles[id]; len(held) != 1 || held[0].TemplateID != want {
			t.Errorf("%s: %+v, want %s", id, held, want)
		}
	}
}

// TestRegistrationCopies: of two records for one user the newer is kept, in
// whatever order they come.
func TestRegistrationCopies(t *testing.T) {
	t.Parallel()
	older := decode[directory.Registration](t, `{"id":"`+strings.ToUpper(id1)+
		`","methodsRegistered":["mobilePhone"],"lastUpdatedDateTime":"2026-01-01T00:00:00Z"}`)
	newer := decode[directory.Registration](t, `{"id":"`+id1+`","methodsRegistered":["fido2"],"lastUpdatedDateTime":"2026-11-01T00:00:00Z"}`)
	for name, list := range map[string][]directory.Registration{"older first": {older, newer}, "newer first": {newer, older}} {
		d := directory.New()
		for _, r := range append(list, directory.Registration{}) { // one that is nobody's
			d.AddRegistration(r)
		}
		if got := d.Registrations[id1]; len(d.Registrations) != 1 || got == nil ||
			!slices.Equal(got.MethodsRegistered, []string{"fido2"}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestRoleCopies: copies of a role complete each other, and the first word stays.
func TestRoleCopies(t *testing.T) {
	t.Parallel()
	d := directory.New()
	for _, raw := range []string{`{"id":"R1","templateId":"t1"}`, `{"id":"r1","displayName":"Role","isPrivileged":true}`,
		`{"id":"r1","displayName":"Another","isPrivileged":false}`} {
		d.AddRoleDefinition(decode[directory.RoleDefinition](t, raw))
	}
	r := d.RoleDefinitions["r1"]
	if r == nil || r.DisplayName != "Role" || !r.IsPrivileged.True() || d.RoleDefinitions["t1"] == nil || d.RoleDefinitions[""] != nil {
		t.Errorf("%+v", r)
	}
}

func TestNamedLikeSync(t *testing.T) {
	t.Parallel()
	const long = "On-Premises Directory Synchronization Service Account"
	for _, c := range []struct {
		upn, name string
		want      bool
	}{
		{"Sync_SRV1_0123456789ab@contoso.onmicrosoft.com", long, true},
		{"sync_srv1@contoso.com", "", true},
		{"sync_srv1@contoso.com", strings.ToUpper(long), true},
		{"Sync_SRV1@contoso.com", "Ada", false},
		{"Sync_", "", false},
		{"ada.sync_@contoso.com", long, false},
		{"", long, false},
	} {
		if got := directory.NamedLikeSync(c.upn, c.name); got != c.want {
			t.Errorf("%q, %q: %v", c.upn, c.name, got)
		}
	}
}

func TestOldMailClient(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]bool{
		"MAPI Over HTTP": true, "Outlook Anywhere (RPC over HTTP)": true, "Exchange Web Services": true, "AutoDiscover": true, "Exchange ActiveSync": true,
		"Offline Address Book": true, "Authenticated SMTP": false, "IMAP4": false, "POP3": false, "Browser": false, "": false,
	} {
		if got := directory.OldMailClient(client); got != want {
			t.Errorf("%s: %v", client, got)
		}
	}
}
