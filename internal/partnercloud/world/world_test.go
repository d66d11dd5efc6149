package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/entra"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func lab(t *testing.T) (*World, *time.Time) {
	t.Helper()
	now := start
	w := New(7, NewClock(func() time.Time { return now }))
	w.Read(func(s *State) {
		p := &Tenant{ID: "aaaaaaaa-0000-4000-8000-000000000001", Name: "Contoso", Domains: []string{"Contoso.com"}, Kind: PartnerTenant}
		for _, n := range []string{"agent", "desk", "both", "nobody"} {
			p.Users.Put(&User{ID: "u-" + n, UPN: n + "@contoso.com", Enabled: true, Created: start})
		}
		p.Groups.Put(&Group{ID: "g-admin", Name: AdminAgents, Members: []string{"u-agent", "u-both"}})
		p.Groups.Put(&Group{ID: "g-desk", Name: HelpdeskAgents, Members: []string{"g-inner"}})
		p.Groups.Put(&Group{ID: "g-inner", Name: "Inner", Members: []string{"U-DESK", "g-desk"}}) // a cycle, and another case
		p.Groups.Put(&Group{ID: "g-gdap", Name: "GDAP", Members: []string{"u-both"}})
		p.Customers.Put(&Customer{TenantID: "c-1", DAP: true})
		p.Customers.Put(&Customer{TenantID: "c-2"})
		s.Partner = p.ID
		s.Put(p)
		s.Announce("c-1", "one.example")
		s.Announce("c-2", "two.example")
		s.Make = func(_ *State, id string) *Tenant {
			return &Tenant{ID: id, Name: id, Domains: []string{map[string]string{"c-1": "one.example", "c-2": "two.example"}[id]}, Kind: CustomerTenant}
		}
	})
	return w, &now
}

func TestDelegated(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	relate := func(s *State, status string, ends time.Time, roles []string, assigned string) {
		s.PartnerTenant().Relationships.Put(&Relationship{
			ID: "r", Customer: "c-1", Roles: roles, Status: status, AutoExtend: "P180D", Ends: ends,
			Assignments: []AccessAssignment{{ID: "a", Group: "g-gdap", Roles: roles, Status: assigned}},
		})
	}
	reader := []string{"f2ef992c-3afb-46b9-b7cf-a126ee74c451"}
	cases := []struct {
		name, user, customer string
		change               func(*State)
		roles                []string
		gdap, ok             bool
	}{
		{"DAP makes an admin agent Global Administrator", "u-agent", "one.example", nil, []string{entra.RoleGlobalAdministrator}, false, true},
		{"DAP makes a nested helpdesk agent Helpdesk Administrator", "u-desk", "c-1", nil, []string{entra.RoleHelpdeskAdministrator}, false, true},
		{"no agent, no right", "u-nobody", "c-1", nil, nil, false, false},
		{"without DAP there is nothing", "u-agent", "c-2", nil, nil, false, false},
		{"a user of nobody", "stranger", "c-1", nil, nil, false, false},
		{"GDAP outranks DAP for those in its group", "u-both", "c-1", func(s *State) { relate(s, "active", start.Add(time.Hour), reader, "active") }, reader,
			true, true},
		{"others keep DAP", "u-agent", "c-1", func(s *State) { relate(s, "active", start.Add(time.Hour), reader, "active") },
			[]string{entra.RoleGlobalAdministrator}, false, true},
		{"a pending assignment that came due counts", "u-both", "c-1", func(s *State) { relate(s, "active", start.Add(time.Hour), reader, "pending") },
			reader, true, true},
		{"a deleting assignment gives nothing: DAP is left", "u-both", "c-1",
			func(s *State) { relate(s, "active", start.Add(time.Hour), reader, "deleting") }, []string{entra.RoleGlobalAdministrator}, false, true},
		{"an ended one that may extend itself goes on", "u-both", "c-1", func(s *State) { relate(s, "active", start.Add(-time.Hour), reader, "active") },
			reader, true, true},
		{"one with Global Administrator never extends itself", "u-both", "c-1", func(s *State) {
			relate(s, "active", start.Add(-time.Hour), []string{entra.RoleGlobalAdministrator}, "active")
		}, []string{entra.RoleGlobalAdministrator}, false, true},
		{"not yet accepted", "u-both", "c-1", func(s *State) { relate(s, "approvalPending", start.Add(time.Hour), reader, "active") },
			[]string{entra.RoleGlobalAdministrator}, false, true},
	}
	for _, c := range cases {
		w.Read(func(s *State) {
			s.PartnerTenant().Relationships = Table[Relationship, *Relationship]{}
			if c.change != nil {
				c.change(s)
			}
			u := s.PartnerTenant().Users.Get(c.user)
			if u == nil {
				u = &User{ID: c.user}
			}
			d, ok := s.Delegated(u, s.Tenant(c.customer))
			if ok != c.ok || d.GDAP != c.gdap || !cmp.Equal(d.Roles, c.roles) {
				t.Errorf("%s: %+v %v", c.name, d, ok)
			}
		})
	}
}

func TestRelationshipPassesByItself(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	cases := []struct {
		name string
		r    Relationship
		at   time.Time
		want string
	}{
		{"an offer waits", Relationship{Status: "approvalPending", Offered: start}, start.Add(89 * day), "approvalPending"},
		{"an offer lapses after 90 days", Relationship{Status: "approvalPending", Offered: start}, start.Add(90 * day), "expired"},
		{"approved becomes active", Relationship{Status: "approved", Due: start.Add(time.Minute)}, start.Add(time.Minute), "active"},
		{"activating still", Relationship{Status: "activating", Due: start.Add(time.Minute)}, start, "activating"},
		{"terminating ends", Relationship{Status: "terminationRequested", Due: start}, start, "terminated"},
		{"active to its end", Relationship{Status: "active", Ends: start.Add(day)}, start.Add(day - 1), "active"},
		{"expired at its end", Relationship{Status: "active", Ends: start.Add(day)}, start.Add(day), "expired"},
		{"extended again and again", Relationship{Status: "active", Ends: start, AutoExtend: "P180D"}, start.Add(400 * day), "active"},
	}
	for _, c := range cases {
		if got := c.r.StatusAt(c.at); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	r := Relationship{Status: "active", Ends: start, AutoExtend: "P180D"}
	if got := r.EndAt(start.Add(200 * day)); !got.Equal(start.Add(360 * day)) {
		t.Errorf("end after two extensions: %s", got)
	}
}

func TestEnforcementAsHistoryHadIt(t *testing.T) {
	t.Parallel()
	h := History()
	at := func(s string) time.Time { v, _ := time.Parse("2006-01-02", s); return v }
	for _, c := range []struct {
		a     Activation
		at    string
		stage string
	}{
		{h.AOBO, "2019-05-01", StageNone}, {h.AOBO, "2019-07-01", StageAnnounced}, {h.AOBO, "2019-10-01", StageReported}, {h.AOBO, "2019-11-18", StageEnforced},
		{h.Portal, "2021-01-01", StageRamping}, {h.Portal, "2025-09-08", StageEnforced},
		{h.API, "2025-09-29", StageAnnounced}, {h.API, "2026-06-07", StageReported}, {h.API, "2026-06-08", StageRamping}, {h.API, "2026-12-08", StageEnforced},
	} {
		if got := c.a.Stage(at(c.at)); got != c.stage {
			t.Errorf("%s: %s, want %s", c.at, got, c.stage)
		}
	}
	if a, b := h.API.Share(at("2026-07-01")), h.API.Share(at("2026-11-01")); !(a > .1 && a < b && b < 1) {
		t.Errorf("the share must rise: %v then %v", a, b)
	}
}

func TestRefusesExactlyTheShare(t *testing.T) {
	t.Parallel()
	w, now := lab(t)
	ramp := Activation{Ramp: start.Add(-time.Hour), FirstShare: .2}
	refused := 0
	w.Read(func(s *State) {
		for range 100 {
			if s.Refuses(ramp, s.PartnerTenant(), false) {
				refused++
			}
		}
	})
	if refused != 20 {
		t.Errorf("refused %d of 100 at a share of 20 %%", refused)
	}
	full := Activation{Enforced: time.Date(2019, 11, 18, 0, 0, 0, 0, time.UTC)}
	for _, c := range []struct {
		name  string
		at    time.Time
		cloud string
		aobo  bool
		want  bool
	}{
		{"an exception in its time", time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), "", false, false},
		{"it never covers AOBO", time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), "", true, true},
		{"it ended on 1 March 2022", ExceptionsEnd, "", false, true},
		{"sovereign clouds are exempt", ExceptionsEnd, "us-government", true, false},
		{"the public cloud is not", ExceptionsEnd, "public", true, true},
	} {
		*now = c.at
		w.Read(func(s *State) {
			p := s.PartnerTenant()
			s.Enforcement.Exceptions = []Exception{{Tenant: p.ID, From: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}}
			p.Cloud = ""
			if c.cloud != "" {
				if err := json.Unmarshal([]byte(`"`+c.cloud+`"`), &p.Cloud); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.Refuses(full, p, c.aobo); got != c.want {
				t.Errorf("%s: refuses %v", c.name, got)
			}
		})
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	real := start
	c := NewClock(func() time.Time { return real })
	jumped := 0
	c.OnJump(func() { jumped++; c.Now() }) // a hook may read the clock
	if got, err := c.Jump(95 * 24 * time.Hour); err != nil || !got.Equal(start.AddDate(0, 0, 95)) || jumped != 1 {
		t.Errorf("jump: %s %v, hooks %d", got, err, jumped)
	}
	if _, err := c.Jump(-time.Second); err == nil {
		t.Error("a jump backwards was taken")
	}
	frozen := c.Freeze()
	real = real.Add(time.Hour)
	if !c.Now().Equal(frozen) || !c.Frozen() {
		t.Error("a frozen clock ran")
	}
	if _, err := c.Jump(time.Minute); err != nil || !c.Now().Equal(frozen.Add(time.Minute)) {
		t.Error("a frozen clock can still jump")
	}
	if got := c.Thaw(); !got.Equal(frozen.Add(time.Minute)) {
		t.Errorf("it goes on from where it stood: %s", got)
	}
	real = real.Add(time.Minute)
	if !c.Now().Equal(frozen.Add(2 * time.Minute)) {
		t.Error("a thawed clock stands")
	}
	if err := c.Set(start); err == nil {
		t.Error("set into the past")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var tab Table[User, *User]
	for i := range 5 {
		tab.Put(&User{ID: fmt.Sprintf("U%d", i)})
	}
	before := tab.Get("u3")
	if !tab.Change("U3", func(u *User) { u.UPN = "new" }) || before.UPN != "" || tab.Get("u3").UPN != "new" {
		t.Error("a change must make a copy")
	}
	page, more := tab.Page("", 2)
	if len(page) != 2 || !more {
		t.Errorf("first page: %d, more %v", len(page), more)
	}
	tab.Delete("u1")
	page, more = tab.Page("U2", 9)
	if len(page) != 2 || more || page[0].ID != "U3" {
		t.Errorf("last page: %v more %v", page, more)
	}
	raw, err := json.Marshal(tab)
	if err != nil {
		t.Fatal(err)
	}
	var again Table[User, *User]
	if err := json.Unmarshal(raw, &again); err != nil ||
		!cmp.Equal(again.List(), tab.List(), cmp.Comparer(func(a, b *User) bool { return a.ID == b.ID && a.UPN == b.UPN })) {
		t.Errorf("after writing and reading: %v %v", again.List(), err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	w.Read(func(s *State) {
		u := s.PartnerTenant().Users.Get("u-agent")
		s.LogSignIn(s.PartnerTenant(), &SignIn{UserID: u.ID, Applied: []AppliedPolicy{}})
		s.Audit(s.Tenant("c-1"), &DirectoryAudit{Activity: "Add user"})
		s.Refresh.Put(&RefreshToken{Hash: HashSecret("x"), User: u.ID, Issued: start})
		s.Record(&AuditRecord{Operation: "add_customer"})
	})
	if _, err := w.Clock.Jump(48 * time.Hour); err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/state.json"
	if !w.Changed() {
		t.Error("the change was not noticed")
	}
	if err := w.SaveFile(path, json.RawMessage(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	var first bytes.Buffer
	if err := w.Save(&first, json.RawMessage(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	again, spec, err := Load(bytes.NewReader(first.Bytes()), NewClock(func() time.Time { return start }))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := again.Save(&second, spec); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.String(), second.String()); d != "" {
		t.Errorf("what was saved, loaded and saved differs:\n%s", d)
	}
	if !again.Clock.Now().Equal(w.Clock.Now()) {
		t.Errorf("the clock: %s, was %s", again.Clock.Now(), w.Clock.Now())
	}
	for name, text := range map[string]string{
		"empty": "", "half": first.String()[:first.Len()/2], "other version": strings.Replace(first.String(), `"version":1`, `"version":9`, 1),
		"null tenant": `{"version":1,"state":{},"tenants":[null]}`, "no partner": `{"version":1,"state":{"partner":"x"},"tenants":[]}`,
	} {
		if _, _, err := Load(strings.NewReader(text), nil); err == nil {
			t.Errorf("%s: loaded without a word", name)
		}
	}
}

func TestLazyTenants(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	w.Read(func(s *State) {
		count := func() (n int) {
			for range s.Made() {
				n++
			}
			return n
		}
		if count() != 1 {
			t.Errorf("%d tenants exist before anybody asked", count())
		}
		a, b := s.Tenant("ONE.example"), s.Tenant("C-1")
		if a == nil || a != b || count() != 2 {
			t.Errorf("made %p and %p, %d tenants", a, b, count())
		}
		if s.Tenant("three.example") != nil || s.Home("x@two.example") == nil || s.Home("x") != nil {
			t.Error("unknown names")
		}
	})
}

func TestSeededSecrets(t *testing.T) {
	t.Parallel()
	w, _ := lab(t)
	other := New(8, nil)
	w.Read(func(s *State) {
		u := s.PartnerTenant().Users.Get("u-agent")
		plain, ok := s.SeededPassword(u)
		if !ok || !CheckPassword(u.Password, plain, plain) || CheckPassword(u.Password, plain, plain+"x") || CheckPassword(u.Password, plain, "") {
			t.Error("the seeded password")
		}
		other.Read(func(o *State) {
			if p, _ := o.SeededPassword(u); p == plain {
				t.Error("another seed gave the same password")
			}
		})
		chosen := NewPassword("correct horse")
		if !CheckPassword(chosen, plain, "correct horse") || CheckPassword(chosen, plain, plain) || strings.Contains(fmt.Sprint(chosen), "horse") {
			t.Error("a chosen password")
		}
		if CheckPassword(Password{None: true}, plain, plain) {
			t.Error("an account without password took one")
		}
		if g := s.GUID("x"); !IsGUID(g) || g != s.GUID("x") || g == s.GUID("y") {
			t.Errorf("guid %s", g)
		}
	})
}
