package use_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
)

const (
	tenant = "aaaaaaaa-0000-4000-8000-000000000001"
	ada    = "1111aaaa-0000-4000-8000-00000000000a"
	adaHex = "1111aaaa00004000800000000000000a"
	target = "2222bbbb-0000-4000-8000-00000000000b"
	global = "62e90394-69f5-4237-9190-012177145e10"
	guest  = "95e79109-95c0-4d8e-aee3-d01accf2d47b"
)

// known is a small catalog: Global Administrator, and Guest Inviter, who is limited.
type known struct{}

func (known) Role(id string) (role.Role, bool) {
	return role.Role{ID: id}, id == global || id == guest
}

func (known) ByName(name string) (role.Role, bool) {
	switch strings.ToLower(name) {
	case "global administrator", "company administrator":
		return role.Role{ID: global}, true
	case "guest inviter":
		return role.Role{ID: guest}, true
	}
	return role.Role{}, false
}

func (known) TargetOf(roles []string) role.Target {
	switch {
	case len(roles) == 0:
		return role.TargetOrdinary
	case slices.ContainsFunc(roles, func(r string) bool { return r != guest }):
		return role.TargetPrivileged
	}
	return role.TargetLimited
}

func fold() *use.Fold {
	return use.New(use.Options{Tenant: tenant, Roles: known{}, Apps: map[string]bool{"app-1": true}, People: map[string]string{"ada@partner.example": ada}})
}

func at(day int) time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, day) }

// row is a row of the audit log in Graph's form.
func row(day int, upn, act, more string) string {
	return fmt.Sprintf(`{"id":"%d-%s","activityDateTime":%q,"category":"UserManagement","activityDisplayName":%q,"result":"success",`+
		`"initiatedBy":{"user":{"userPrincipalName":%q}}%s}`, day, act, at(day).Format(time.RFC3339), act, upn, more)
}

func onUser(id string) string {
	return fmt.Sprintf(`,"targetResources":[{"id":%q,"type":"User"}]`, id)
}

func TestTechnician(t *testing.T) {
	t.Parallel()
	for upn, want := range map[string]string{
		"user_" + adaHex:                         ada,
		"USER_" + strings.ToUpper(adaHex) + "@x": ada,
		"user_" + adaHex + "@fabrikam.example":   ada,
		" user_" + ada + "@a@b":                  ada,
		"user_" + adaHex + "0":                   "",
		"user_" + adaHex[:31] + "g@x":            "",
		"user_" + adaHex[:31] + "@x":             "",
		"user_1111-aaaa00004000800000000000000a": "",
		"user":                                   "",
		"":                                       "",
		"Contoso Technician":                     "",
		"user_ada@fabrikam.example":              "",
		adaHex:                                   "",
		"xuser_" + adaHex:                        "",
		"user_" + strings.Repeat("a", 1<<20):     "",
	} {
		if id, ok := use.Technician(upn); id != want || ok != (want != "") {
			t.Errorf("%.60q: %q %v", upn, id, ok)
		}
	}
}

// TestShapes reads one act in every form an export gives it.
func TestShapes(t *testing.T) {
	t.Parallel()
	upn := "user_" + adaHex + "@fabrikam.example"
	for name, raw := range map[string]string{
		"graph": row(3, upn, "Delete user", onUser(target)),
		"no category, no result": `{"id":"a","activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"Delete user",
			"initiatedBy":{"user":{"userPrincipalName":"` + upn + `"},"app":null},"targetResources":[{"id":"` + target + `","type":"User"}]}`,
		"PascalCase": `{"Id":"a","ActivityDateTime":"2026-09-04T12:00:00Z","ActivityDisplayName":"Delete user","Result":"success",
			"InitiatedBy":{"User":{"UserPrincipalName":"` + upn + `"},"App":{"AppId":null}},"TargetResources":[{"Id":"` + target + `","Type":"User"}]}`,
		"one target alone": `{"id":"a","activityDateTime":"2026-09-04T14:00:00+02:00","activityDisplayName":"Delete user",
			"initiatedBy":[{"user":{"userPrincipalName":"` + upn + `"}}],"targetResources":{"id":"` + strings.ToUpper(target) + `","type":"user"}}`,
		"Log Analytics": `{"TimeGenerated":"2026-09-04T12:00:00Z","OperationName":"Delete user","Category":"UserManagement","Result":"success",
			"InitiatedBy":"{\"user\":{\"userPrincipalName\":\"` + upn + `\"}}","TargetResources":"[{\"id\":\"` + target + `\",\"type\":\"User\"}]"}`,
		"diagnostic": `{"time":"2026-09-04T12:00:00Z","operationName":"Delete user","category":"AuditLogs","properties":{"category":"UserManagement",
			"initiatedBy":{"user":{"userPrincipalName":"` + upn + `"}},"targetResources":[{"id":"` + target + `","type":"User"}]}}`,
		"the portal's download": `{"Date (UTC)":"2026-09-04T12:00:00Z","CorrelationId":"c","Category":"UserManagement","Activity":"Delete user","Result":"Success",
			"ActorUserPrincipalName":"` + upn + `","Target1Type":"User","Target1ObjectId":"` + target + `"}`,
		"a target without a type": row(3, upn, "Delete user", `,"targetResources":[{"id":"`+target+`","type":null}]`),
		"a version's mark":        row(3, upn, "Delete user (v2.0)", onUser(target)),
		"unknown result":          strings.Replace(row(3, upn, "Delete user", onUser(target)), `"success"`, `"unknownFutureValue"`, 1),
	} {
		f := fold()
		f.Held(use.Held{Whole: true})
		if err := f.Take(evidence.DirectoryAudit, []byte(raw), evidence.Source{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := f.Part(nil)
		if len(p.Acts) != 1 {
			t.Errorf("%s: %+v", name, p.Acts)
			continue
		}
		a := p.Acts[0]
		if a.Actor != ada || a.Act.Activity != "Delete user" || a.Failed || a.Act.Target != role.TargetOrdinary || !a.Last.Equal(at(3)) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestHostileRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw    string
		acts   int
		unread int64
	}{
		"another's":             {row(1, "ada@fabrikam.example", "Delete user", ""), 0, 0},
		"named like one":        {row(1, "x@fabrikam.example", "Delete user", `,"initiatedBy2":{"user":{"displayName":"Contoso Technician"}}`), 0, 0},
		"no time":               {`{"activityDisplayName":"x","initiatedBy":{"user":{"userPrincipalName":"user_` + adaHex + `"}}}`, 0, 1},
		"cut to a text":         {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":"@{user=; app=}"}`, 0, 1},
		"a user cut to a text":  {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":{"user":"@{id=1}"}}`, 0, 1},
		"nobody":                {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":null}`, 0, 0},
		"the service":           {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":{"user":null,"app":{"appId":null}}}`, 0, 0},
		"no act":                {`{"activityDateTime":"2026-09-04T12:00:00Z","initiatedBy":{"user":{"userPrincipalName":"user_` + adaHex + `"}}}`, 0, 1},
		"an app of ours":        {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":{"app":{"appId":"APP-1"}}}`, 1, 0},
		"an app of others":      {`{"activityDateTime":"2026-09-04T12:00:00Z","activityDisplayName":"x","initiatedBy":{"app":{"appId":"app-2"}}}`, 0, 0},
		"targets of no form":    {row(1, "user_"+adaHex, "Delete user", `,"targetResources":7`), 1, 0},
		"terminal sequences":    {strings.Replace(row(1, "user_"+adaHex, "red", ""), "red", `\u001b[31mred\u001b[0m`, 1), 1, 0},
		"no JSON":               {`{"activityDateTime":`, 0, 1},
		"no object":             {`[]`, 0, 1},
		"too long":              {row(1, "user_"+adaHex, "x", `,"y":"`+strings.Repeat("y", 1<<20)+`"`), 0, 1},
		"a time of another age": {`{"activityDateTime":"9999-99-99","activityDisplayName":"x","initiatedBy":{}}`, 0, 1},
	} {
		f := fold()
		_ = f.Take(evidence.DirectoryAudit, []byte(c.raw), evidence.Source{})
		p := f.Part([]evidence.Input{{Path: "x", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.DirectoryAudit: 1}}})
		if len(p.Acts) != c.acts || p.Unread != c.unread || p.Log(evidence.DirectoryAudit).Whole != (c.unread == 0) {
			t.Errorf("%s: %+v, %d unread, %+v", name, p.Acts, p.Unread, p.Log(evidence.DirectoryAudit))
		}
		for _, a := range p.Acts {
			if strings.ContainsRune(a.Act.Activity, 0x1b) {
				t.Errorf("%s: %q", name, a.Act.Activity)
			}
		}
	}
}

// TestTargets: the roles of whom an act was done to are those of then, not of now.
func TestTargets(t *testing.T) {
	t.Parallel()
	upn := "user_" + adaHex
	change := func(day int, act, name string) string {
		return fmt.Sprintf(`{"id":"c%d%s","activityDateTime":%q,"category":"RoleManagement","activityDisplayName":%q,"result":"success",`+
			`"initiatedBy":{"user":{"userPrincipalName":"x@y"}},"targetResources":[{"id":%q,"type":"User","modifiedProperties":[`+
			`{"displayName":"Role.DisplayName","newValue":"\"%s\""}]}]}`, day, act, at(day).Format(time.RFC3339), act, target, name)
	}
	now := func(roles ...use.HeldRole) map[string][]use.HeldRole { return map[string][]use.HeldRole{target: roles} }
	for name, c := range map[string]struct {
		held   map[string][]use.HeldRole
		open   bool
		rows   []string
		wanted role.Target
	}{
		"nobody":       {wanted: role.TargetOrdinary},
		"an admin now": {held: now(use.HeldRole{Role: global}), wanted: role.TargetPrivileged},
		"an admin since": {held: now(use.HeldRole{Role: global}), rows: []string{change(20, "Add member to role", "Global Administrator")},
			wanted: role.TargetOrdinary},
		"an admin then": {rows: []string{change(20, "Remove member from role", "Global Administrator")}, wanted: role.TargetPrivileged},
		"given and taken before": {rows: []string{change(2, "Add member to role", "Global Administrator"), change(5, "Remove member from role",
			"Global Administrator")}, wanted: role.TargetOrdinary},
		"given before, taken after": {rows: []string{change(2, "Add member to role", "Company Administrator"), change(25, "Remove member from role",
			"Global Administrator")}, wanted: role.TargetPrivileged},
		"a request is no role": {rows: []string{change(2, "Add member to role requested (PIM activation)", "Global Administrator")},
			wanted: role.TargetOrdinary},
		"an activation that ended": {rows: []string{change(9, "Add member to role completed (PIM activation)", "Global Administrator"), change(20,
			"Remove member from role (PIM activation expired)", "Global Administrator")}, wanted: role.TargetPrivileged},
		"eligible now": {held: now(use.HeldRole{Role: global, Eligible: true}), rows: []string{change(5,
			"Remove member from role (PIM activation expired)", "Global Administrator")}, wanted: role.TargetPrivileged},
		"made eligible since": {held: now(use.HeldRole{Role: global, Eligible: true}), rows: []string{change(20, "Add eligible member to role",
			"Global Administrator")}, wanted: role.TargetOrdinary},
		"perhaps":                 {held: now(use.HeldRole{Role: global, Perhaps: true}), wanted: role.TargetUnknown},
		"not read":                {open: true, wanted: role.TargetUnknown},
		"not read, and an admin":  {open: true, held: now(use.HeldRole{Role: global}), wanted: role.TargetPrivileged},
		"not read, and given":     {open: true, rows: []string{change(2, "Add member to role", "Global Administrator")}, wanted: role.TargetPrivileged},
		"limited":                 {held: now(use.HeldRole{Role: guest}), wanted: role.TargetLimited},
		"limited, not read":       {open: true, held: now(use.HeldRole{Role: guest}), wanted: role.TargetUnknown},
		"a role of nobody's name": {rows: []string{change(2, "Add member to role", "Herder")}, wanted: role.TargetPrivileged},
	} {
		f := fold()
		f.Held(use.Held{Roles: c.held, Whole: !c.open})
		for _, r := range append(c.rows, row(10, upn, "Reset user password", onUser(target))) {
			if err := f.Take(evidence.DirectoryAudit, []byte(r), evidence.Source{}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		p := f.Part(nil)
		if len(p.Acts) != 1 || p.Acts[0].Act.Target != c.wanted {
			t.Errorf("%s: %+v, want %s", name, p.Acts, c.wanted)
		}
	}
}

// TestComplete says which days of a window a log from a file is complete for.
func TestComplete(t *testing.T) {
	t.Parallel()
	read := []evidence.Input{{Path: "a", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.DirectoryAudit: 1}}}
	cut := []evidence.Input{{Path: "a", Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{evidence.DirectoryAudit: 1}}}
	ledger := append(slices.Clone(read), evidence.Input{Path: "gaps", Status: evidence.Read, Cuts: []evidence.Cut{{Kind: evidence.DirectoryAudit,
		Why: "lacks a day"}}})
	for name, c := range map[string]struct {
		inputs []evidence.Input
		days   []int // before the end, at which there is a row
		want   int
	}{
		"kept":                   {read, []int{120, 40, 0}, 90},
		"kept, silent a week":    {read, []int{84, 40, 0}, 90},
		"kept since":             {read, []int{60, 40, 0}, 60},
		"kept, and ended":        {read, []int{120, 40, 20}, 70},
		"thirty days":            {read, []int{30, 2}, 30},
		"thirty-one, as served":  {read, []int{31, 2}, 30},
		"a week":                 {read, []int{6, 2}, 6},
		"empty":                  {read, nil, 7},
		"a page is missing":      {cut, []int{120, 40, 0}, 0},
		"a gap beside it":        {ledger, []int{120, 40, 0}, 0},
		"not read":               {nil, nil, 0},
		"another cannot be read": {append(slices.Clone(read), evidence.Input{Path: "b", Status: evidence.Unreadable}), []int{120, 0}, 0},
		"read in part": {[]evidence.Input{{Path: "a", Status: evidence.Partial, Kinds: map[evidence.Kind]int{evidence.DirectoryAudit: 1}}},
			[]int{120, 0}, 0},
	} {
		f := fold()
		for _, d := range c.days {
			if err := f.Take(evidence.DirectoryAudit, []byte(row(200-d, "x@y", "Delete user", "")), evidence.Source{}); err != nil {
				t.Fatal(err)
			}
		}
		l := f.Part(c.inputs).Within(at(200), 90, time.Time{}).Log(evidence.DirectoryAudit)
		if l.Complete != c.want || l.Days != 90 || (l.Why == "") != (c.want == 90) || (l.Ask == "") != (c.want == 90) {
			t.Errorf("%s: %+v, want %d", name, l, c.want)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	f := fold()
	for _, d := range []int{10, 99, 100, 120, 190} {
		_ = f.Take(evidence.DirectoryAudit, []byte(row(d, "user_"+adaHex, "Add group", "")), evidence.Source{})
		_ = f.Take(evidence.DirectoryAudit, []byte(row(d, "user_"+adaHex, "Add group", "")), evidence.Source{}) // a copy
	}
	_ = f.Take(evidence.DirectoryAudit, []byte(row(50, "user_"+adaHex, "Delete group", "")), evidence.Source{})
	early := strings.Replace(row(100, "user_"+adaHex, "Delete device", ""), "T12:", "T11:", 1)
	_ = f.Take(evidence.DirectoryAudit, []byte(early), evidence.Source{}) // the window's first day, before it begins
	p := f.Part(nil).Within(at(190), 90, time.Time{})
	if len(p.Acts) != 1 || p.Acts[0].Count != 3 || !p.Acts[0].Last.Equal(at(190)) || p.Outside != 4 || p.Acts[0].First.Before(p.From) {
		t.Errorf("%+v", p)
	}
}

// TestMerge: rounds that follow each other know what one reading of all would know, whatever
// the days they overlap.
func TestMerge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		var rows []string
		var days []int
		for i := range 200 {
			d := rnd.IntN(120)
			days = append(days, d)
			rows = append(rows, strings.Replace(row(d, "user_"+adaHex, []string{"Add group", "Delete group", "Add user"}[rnd.IntN(3)], ""), `"id":"`,
				fmt.Sprintf(`"id":"%d-`, i), 1))
		}
		read := func(from, to int) *use.Part {
			f := fold()
			for i, r := range rows {
				if days[i] >= from && days[i] < to {
					_ = f.Take(evidence.DirectoryAudit, []byte(r), evidence.Source{})
				}
			}
			p := f.Part(nil)
			p.Covered(evidence.DirectoryAudit, []use.Span{{From: at(from).Add(-12 * time.Hour), To: at(to)}})
			return p
		}
		var kept *use.Part
		for end := 30; ; end = min(end+1+rnd.IntN(20), 120) {
			kept = use.Merge(kept, read(end-30, end), at(end-30).Add(-12*time.Hour))
			if end == 120 {
				break
			}
		}
		got, want := kept.Within(at(120), 90, time.Time{}), read(0, 120).Within(at(120), 90, time.Time{})
		for i := range got.Acts {
			got.Acts[i].First = want.Acts[i].First // to the day where it was cut
		}
		if !reflect.DeepEqual(got.Acts, want.Acts) || got.Log(evidence.DirectoryAudit).Complete != 90 {
			t.Fatalf("seed %d:\n%+v\n%+v\n%+v", seed, got.Acts, want.Acts, got.Logs)
		}
	}
}

func TestOtherLogs(t *testing.T) {
	t.Parallel()
	f := fold()
	for _, r := range []struct {
		kind evidence.Kind
		raw  string
	}{
		{evidence.SignIn,
			`{"id":"s1","createdDateTime":"2026-09-04T12:00:00Z","userPrincipalName":"user_` + adaHex + `@x","userId":"x","appDisplayName":"Azure Portal",
			"resourceDisplayName":"Microsoft Graph","appId":"a","crossTenantAccessType":"serviceProvider","status":{"errorCode":0},"isInteractive":false}`},
		{evidence.SignIn,
			`{"id":"s2","createdDateTime":"2026-09-04T12:00:00Z","userPrincipalName":"ada@partner.example","userId":"` + ada + `","appDisplayName":"Azure Portal",
			"resourceDisplayName":"Microsoft Graph","appId":"a","crossTenantAccessType":"serviceProvider","resourceTenantId":"` + tenant + `","status":{"errorCode":0}}`},
		{evidence.SignIn,
			`{"id":"s3","createdDateTime":"2026-09-04T12:00:00Z","userPrincipalName":"bob@x","userId":"x","appDisplayName":"A","appId":"a","status":{"errorCode":0}}`},
		{evidence.AzureActivity,
			`{"eventDataId":"e","eventTimestamp":"2026-09-04T12:00:00Z","caller":"user_` + adaHex + `@x","operationName":{"value":"Microsoft.Compute/virtualMachines/write"},
			"status":{"value":"Succeeded"},"resourceProviderName":{"value":"Microsoft.Compute"}}`},
		{evidence.PartnerAuditRecord,
			`{"id":"c1","customerId":"` + strings.ToUpper(tenant) + `","userPrincipalName":"Ada@partner.example","resourceType":"customer_user",
			"operationType":"create_customer_user","operationDate":"2026-09-04T12:00:00Z","operationStatus":"succeeded"}`},
		{evidence.PartnerAuditRecord,
			`{"id":"c2","customerId":"aaaaaaaa-0000-4000-8000-000000000002","userPrincipalName":"Ada@partner.example","resourceType":"customer_user",
			"operationType":"create_customer_user","operationDate":"2026-09-04T12:00:00Z","operationStatus":"succeeded"}`},
	} {
		if err := f.Take(r.kind, []byte(r.raw), evidence.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	p := f.Part(nil)
	got := map[string]int64{}
	for _, a := range p.Acts {
		if a.Actor != ada {
			t.Errorf("%+v", a)
		}
		got[a.Act.Log+" "+a.Act.Activity] += a.Count
	}
	want := map[string]int64{"signIn Azure Portal": 2, "azureActivity Microsoft.Compute/virtualMachines/write": 1, "partnerCenter create_customer_user": 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

// TestDays: what is written of days is read back, and what is none is refused.
func TestDays(t *testing.T) {
	t.Parallel()
	for _, d := range []use.Days{{}, {{20420, 1}}, {{-3, 2}, {0, 1}, {20420, 7}}} {
		var got use.Days
		raw, err := json.Marshal(d)
		if err != nil || json.Unmarshal(raw, &got) != nil || !slices.Equal(got, d) {
			t.Errorf("%s: %v %v", raw, got, err)
		}
	}
	for _, bad := range []string{"x", "1x", "1x0", "2,1", "1,1", ",", "1x-2", "99999999999999999999"} {
		if err := new(use.Days).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestOutcomes: what was refused is told from what was done.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for result, refused := range map[string]bool{"success": false, "Success": false, "": false, "unknownFutureValue": false, "failure": true,
		"timeout": true, "whatever": true} {
		f := fold()
		raw := strings.Replace(row(1, "user_"+adaHex, "Add group", ""), `"result":"success"`, `"result":"`+result+`"`, 1)
		if err := f.Take(evidence.DirectoryAudit, []byte(raw), evidence.Source{}); err != nil {
			t.Fatal(err)
		}
		if p := f.Part(nil); len(p.Acts) != 1 || p.Acts[0].Failed != refused {
			t.Errorf("%q: %+v", result, p.Acts)
		}
	}
	f := use.New(use.Options{Roles: known{}}) // whose tenant is not known
	_ = f.Take(evidence.SignIn, []byte(`{"id":"s","createdDateTime":"2026-09-04T12:00:00Z","userPrincipalName":"ada@x","userId":"`+ada+`","appId":"a",
		"appDisplayName":"A","crossTenantAccessType":"serviceProvider","status":{"errorCode":0}}`), evidence.Source{})
	if p := f.Part(nil); len(p.Acts) != 0 {
		t.Errorf("a sign-in of another partner's: %+v", p.Acts)
	}
}

func FuzzTake(f *testing.F) {
	f.Add(uint8(0), []byte(row(1, "user_"+adaHex, "Add member to role", onUser(target))))
	f.Add(uint8(1), []byte(`{"id":"s","createdDateTime":"2026-09-04T12:00:00Z","userPrincipalName":"user_x"}`))
	f.Add(uint8(2), []byte(`{"eventDataId":"e","eventTimestamp":"2026-09-04T12:00:00Z","caller":"x","operationName":{"value":"y"}}`))
	f.Add(uint8(3), []byte(`{"id":"c","customerId":"x","operationDate":"2026-09-04T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, n uint8, raw []byte) {
		x := fold()
		err := x.Take(use.Logs[int(n)%len(use.Logs)], raw, evidence.Source{})
		p := x.Part(nil)
		if (err != nil) != (p.Unread == 1) || len(p.Acts) > 1 {
			t.Fatalf("%v: %+v", err, p)
		}
		for _, a := range p.Within(at(3), 90, time.Time{}).Acts {
			if a.Count < 1 || a.First.After(a.Last) || len(a.Act.Activity) > 4*201 {
				t.Fatalf("%+v", a)
			}
		}
	})
}
