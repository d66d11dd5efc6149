package directory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
)

const (
	id1 = "11110000-0000-4000-8000-000000000001"
	id2 = "11110000-0000-4000-8000-000000000002"
	gid = "22220000-0000-4000-8000-000000000001"
)

func group(t testing.TB, d *directory.Directory, raw string) {
	t.Helper()
	var g directory.Group
	if err := json.Unmarshal([]byte(raw), &g); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	d.AddGroup(g)
}

// TestMembers: every form of a member list, who is in it for sure, and whether
// somebody else may be.
func TestMembers(t *testing.T) {
	t.Parallel()
	twenty := make([]string, 20)
	for i := range twenty {
		twenty[i] = fmt.Sprintf(`{"@odata.type":"#microsoft.graph.user","id":"33330000-0000-4000-8000-%012d"}`, i)
	}
	all := strings.Join(twenty, ",")
	for name, c := range map[string]struct {
		members string
		in      bool   // user 2 is surely in it
		open    string // in the reason why somebody else may be; "" nobody
	}{
		"objects":           {`"members":[{"@odata.type":"#microsoft.graph.user","id":"` + id2 + `"}]`, true, ""},
		"empty":             {`"members":[]`, false, ""},
		"not there":         {`"securityEnabled":true`, false, "not in the export"},
		"null":              {`"members":null`, false, "not in the export"},
		"plain ids":         {`"members":["` + id2 + `"]`, true, ""},
		"ids in one text":   {`"members":"` + id1 + `; ` + id2 + `"`, true, ""},
		"names in one text": {`"members":"Ada, Ben"`, false, "not read"},
		"references": {`"members":[{"@odata.id":"https://graph.microsoft.com/v2/x/directoryObjects/` + id2 +
			`/Microsoft.DirectoryServices.User"}]`, true, ""},
		"by name":                {`"members":[{"userPrincipalName":"U2@contoso.com"}]`, true, ""},
		"a page":                 {`"members":{"value":[{"id":"` + id2 + `"}]}`, true, ""},
		"a page of more":         {`"members":{"value":[{"id":"` + id2 + `"}],"@odata.nextLink":"https://x"}`, true, "further page"},
		"a next link beside":     {`"members":[{"id":"` + id2 + `"}],"members@odata.nextLink":"https://x"`, true, "further page"},
		"a count above it":       {`"members":[{"id":"` + id2 + `"}],"members@odata.count":3`, true, "1 of its 3"},
		"a count that agrees":    {`"members":[{"id":"` + id2 + `"}],"members@odata.count":1`, true, ""},
		"cut at 20":              {`"members":[` + all + `]`, false, "exactly 20"},
		"20 and counted":         {`"members":[` + all + `],"members@odata.count":20`, false, ""},
		"a member unread":        {`"members":[{"id":"` + id2 + `"},{"displayName":"?"}]`, true, "1 of its 2"},
		"a number":               {`"members":7`, false, "not read"},
		"a group not there":      {`"members":[{"@odata.type":"#microsoft.graph.group","id":"` + id1[:35] + `9"}]`, false, "nested"},
		"a device":               {`"members":[{"@odata.type":"#microsoft.graph.device","id":"` + id1[:35] + `9"}]`, false, ""},
		"a user whom nobody has": {`"members":[{"@odata.type":"#microsoft.graph.user","id":"` + id1[:35] + `9"}]`, false, ""},
		"somebody of no type":    {`"members":[{"id":"` + id1[:35] + `9"}]`, false, "may be a group"},
	} {
		d := directory.New()
		d.AddUser(directory.User{ID: id1, UserPrincipalName: "u1@contoso.com"})
		d.AddUser(directory.User{ID: id2, UserPrincipalName: "u2@contoso.com"})
		group(t, d, `{"id":"`+gid+`","displayName":"G",`+c.members+`}`)
		s := d.Resolve(false)
		if got := slices.Contains(s.Groups[id2], gid); got != c.in {
			t.Errorf("%s: in the group %v, want %v", name, got, c.in)
		}
		if open := s.OpenGroups[gid]; (open == "") != (c.open == "") || !strings.Contains(open, c.open) {
			t.Errorf("%s: open because %q, want %q", name, open, c.open)
		}
	}
}

// TestMemberCopies: who is in one whole copy of a list and not in the other may
// be in the group, in whatever order they were read.
func TestMemberCopies(t *testing.T) {
	t.Parallel()
	a, b := `{"id":"`+gid+`","members":["`+id1+`","`+id2+`"]}`, `{"id":"`+gid+`","members":["`+id1+`"]}`
	for _, order := range [][]string{{a, b}, {b, a}} {
		d := directory.New()
		d.AddUser(directory.User{ID: id1})
		d.AddUser(directory.User{ID: id2})
		for _, raw := range order {
			group(t, d, raw)
		}
		s := d.Resolve(true)
		if !slices.Contains(s.Groups[id1], gid) || slices.Contains(s.Groups[id2], gid) || !slices.Contains(s.Perhaps[id2], gid) || s.OpenGroups[gid] != "" {
			t.Errorf("surely %v, perhaps %v, open %v", s.Groups, s.Perhaps, s.OpenGroups)
		}
	}
}

// TestSchedules: what ended or has not begun is not held; what cannot be read
// is perhaps held.
func TestSchedules(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		more string
		want directory.Sure // 0 not held
	}{
		"for good":             {`"directoryScopeId":"/"`, directory.Surely},
		"ended":                {`"directoryScopeId":"/","endDateTime":"2020-01-01T00:00:00Z"`, 0},
		"ends later":           {`"directoryScopeId":"/","endDateTime":"2030-01-01T00:00:00Z"`, directory.Surely},
		"has not begun":        {`"directoryScopeId":"/","startDateTime":"2031-01-01T00:00:00Z"`, 0},
		"a clock unread":       {`"directoryScopeId":"/","endDateTime":"soon"`, directory.Perhaps},
		"schedule ended":       {`"directoryScopeId":"/","scheduleInfo":{"startDateTime":"2019-01-01T00:00:00Z","expiration":{"type":"afterDateTime","endDateTime":"2020-01-01T00:00:00Z"}}`, 0},
		"schedule by duration": {`"directoryScopeId":"/","scheduleInfo":{"startDateTime":"2019-01-01T00:00:00Z","expiration":{"type":"afterDuration","duration":"PT8H"}}`, directory.Perhaps},
		"revoked":              {`"directoryScopeId":"/","status":"Revoked"`, 0},
		"scope not exported":   {`"memberType":"Direct"`, directory.Perhaps},
	} {
		d := directory.New()
		d.At = at
		d.AddUser(directory.User{ID: id1})
		var a directory.RoleAssignment
		if err := json.Unmarshal([]byte(`{"principalId":"`+id1+`","roleDefinitionId":"`+entra.RoleGlobalAdministrator+`",`+c.more+`}`), &a); err != nil {
			t.Fatal(err)
		}
		d.AddAssignment(a)
		got := directory.Sure(0)
		for _, h := range d.Resolve(true).Roles[id1] {
			got = h.Counts()
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestRolesThatPoliciesDoNotSee: a role over a unit, of the tenant's own, or of
// a kind that nobody knows.
func TestRolesThatPoliciesDoNotSee(t *testing.T) {
	t.Parallel()
	d := directory.New()
	d.AddUser(directory.User{ID: id1})
	own, strange := "66660000-0000-4000-8000-000000000001", "66660000-0000-4000-8000-000000000002"
	var def directory.RoleDefinition
	if err := json.Unmarshal([]byte(`{"id":"`+own+`","displayName":"Desk","isBuiltIn":false}`), &def); err != nil {
		t.Fatal(err)
	}
	d.AddRoleDefinition(def)
	for _, role := range []string{own, strange, entra.RoleGlobalAdministrator} {
		d.AddAssignment(directory.RoleAssignment{PrincipalID: id1, RoleDefinitionID: role, DirectoryScopeID: directory.Optional{Value: "/", Set: true}})
	}
	d.AddAssignment(directory.RoleAssignment{PrincipalID: id1, RoleDefinitionID: "729827e3-9c14-49f7-bb1b-9608f156bbb8",
		DirectoryScopeID: directory.Optional{Value: "/administrativeUnits/x", Set: true}})
	want := map[string]directory.Sure{own: 0, strange: directory.Perhaps, entra.RoleGlobalAdministrator: directory.Surely,
		"729827e3-9c14-49f7-bb1b-9608f156bbb8": 0}
	for _, h := range d.Resolve(true).Roles[id1] {
		if h.Counts() != want[h.TemplateID] {
			t.Errorf("%s counts %d, want %d", h.Name, h.Counts(), want[h.TemplateID])
		}
	}
	if d.CustomRole(own) != directory.Surely || d.CustomRole(strange) != directory.Perhaps || d.CustomRole(entra.RoleGlobalAdministrator) != 0 {
		t.Error("which roles are custom is not told")
	}
}

// TestUserCopies: what two copies of a user say differently is not known.
func TestUserCopies(t *testing.T) {
	t.Parallel()
	read := func(raw string) (u directory.User) {
		if err := json.Unmarshal([]byte(raw), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	a, b := `{"id":"u","userPrincipalName":"u@x","userType":"Member","accountEnabled":false}`, `{"id":"U","userType":"Guest","accountEnabled":true}`
	for _, order := range [][]string{{a, b, a}, {b, a, b}} {
		d := directory.New()
		for _, raw := range order {
			d.AddUser(read(raw))
		}
		if u := d.Users["u"]; len(d.Users) != 1 || u.AccountEnabled.Set || u.UserType != "" {
			t.Errorf("%+v", u)
		}
	}
}

func FuzzMembers(f *testing.F) {
	for _, s := range []string{`[]`, `"a, b"`, `{"value":[{"id":"x"}]}`, `[{"@odata.id":"https://x/directoryObjects('` + id1 + `')"}]`, `"[\"` + id1 + `\"]"`,
		`[1,{"id":2}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m directory.Members
		if err := m.UnmarshalJSON(raw); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		for i := range m.Items {
			if m.Items[i].ID == "" && m.Items[i].UserPrincipalName == "" {
				t.Errorf("%q: a member without a name", raw)
			}
		}
	})
}

// TestActivations: who may join which group, by an eligible group too, and what
// nobody can tell of it.
func TestActivations(t *testing.T) {
	t.Parallel()
	const outer, inner = gid, "22220000-0000-4000-8000-000000000002"
	for name, c := range map[string]struct {
		schedule, group string
		may             []string // groups that user 1 may join
		open            string   // in the reason why others may join the outer group; "" none
	}{
		"a user":   {`{"principalId":"` + id1 + `","groupId":"` + outer + `","accessId":"member"}`, `"members":[]`, []string{outer}, ""},
		"an owner": {`{"principalId":"` + id1 + `","groupId":"` + outer + `","accessId":"owner"}`, `"members":[]`, nil, ""},
		"it ended": {`{"principalId":"` + id1 + `","groupId":"` + outer + `","accessId":"member","endDateTime":"2020-01-01T00:00:00Z"}`,
			`"members":[]`, nil, ""},
		"a clock unread": {`{"principalId":"` + id1 + `","groupId":"` + outer + `","accessId":"member","endDateTime":"soon"}`, `"members":[]`, nil,
			"cannot be read"},
		"through the inner group": {`{"principalId":"` + id1 + `","groupId":"` + inner + `","accessId":"member"}`, `"members":[]`, []string{outer, inner}, ""},
		"a group": {`{"principalId":"` + inner + `","groupId":"` + outer + `","accessId":"member"}`, `"members":["` + id1 + `"]`,
			[]string{outer}, ""},
		"a group of nobody knows": {`{"principalId":"` + inner + `","groupId":"` + outer + `","accessId":"member"}`, `"displayName":"I"`, nil,
			"not in the export"},
		"nobody knows who": {`{"principalId":"` + id1[:35] + `9","groupId":"` + outer + `","accessId":"member"}`, `"members":[]`, nil, "may be a group"},
	} {
		d := directory.New()
		d.At = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		d.AddUser(directory.User{ID: id1})
		group(t, d, `{"id":"`+outer+`","members":[`+map[bool]string{true: `{"@odata.type":"#microsoft.graph.group","id":"` + inner +
			`"}`}[strings.Contains(name, "inner")]+`]}`)
		group(t, d, `{"id":"`+inner+`",`+c.group+`}`)
		var s directory.GroupSchedule
		if err := json.Unmarshal([]byte(c.schedule), &s); err != nil {
			t.Fatal(err)
		}
		s.Eligible = true
		d.AddGroupSchedule(s)
		got := d.Resolve(false)
		if !slices.Equal(got.Activate[id1], c.may) {
			t.Errorf("%s: may join %v, want %v", name, got.Activate[id1], c.may)
		}
		if open := got.OpenGroups[outer]; (open == "") != (c.open == "") || !strings.Contains(open, c.open) {
			t.Errorf("%s: open because %q, want %q", name, open, c.open)
		}
	}
}
