package people_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/people"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

var now = screentest.Now

const (
	adaID   = "22222222-0000-4000-8000-000000000001"
	boID    = "22222222-0000-4000-8000-000000000002"
	groupID = "33333333-0000-4000-8000-000000000001"
)

// tenant is a tenant whose policy asks everybody for MFA but a group that bo is in, or
// whose members nobody read.
type tenant struct {
	users, registrations, roles, log bool // read
	members                          string
	gap                              bool // in the log
}

func (x tenant) facts(t testing.TB) *facts.Facts {
	t.Helper()
	f := facts.New()
	take := func(kind evidence.Kind, path, raw string) {
		src := evidence.Source{Path: path, Index: 1}
		if err := f.Take(kind, []byte(raw), src); err != nil {
			t.Fatal(err)
		}
		for i := range f.Inputs {
			if f.Inputs[i].Path == path {
				f.Inputs[i].Kinds[kind]++
				return
			}
		}
		at := now.Add(-10 * time.Minute)
		f.Inputs = append(f.Inputs, evidence.Input{Path: path, Status: evidence.Read, Kinds: map[evidence.Kind]int{kind: 1},
			Times: evidence.Times{At: &at}})
	}
	if x.users {
		for id, name := range map[string]string{adaID: "ada", boID: "bo"} {
			take(evidence.User, "users.json", `{"id":"`+id+`","userPrincipalName":"`+name+`@contoso.example","displayName":"`+strings.ToUpper(name)+
				`","accountEnabled":true,"userType":"Member","creationType":null,"externalUserState":null}`)
		}
	}
	if x.registrations {
		take(evidence.RegistrationDetails, "registration.json", `{"id":"`+adaID+`","userPrincipalName":"ada@contoso.example","isMfaRegistered":true,`+
			`"isMfaCapable":true,"methodsRegistered":["microsoftAuthenticatorPush"],"lastUpdatedDateTime":"2026-11-20T00:00:00Z"}`)
		take(evidence.RegistrationDetails, "registration.json", `{"id":"`+boID+`","userPrincipalName":"bo@contoso.example","isMfaRegistered":false,`+
			`"isMfaCapable":false,"methodsRegistered":[],"lastUpdatedDateTime":"2026-11-20T00:00:00Z"}`)
	}
	if x.roles {
		take(evidence.RoleAssignment, "roles.json", `{"id":"r1","principalId":"`+adaID+`","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",`+
			`"directoryScopeId":"/"}`)
	}
	take(evidence.ConditionalAccessPolicy, "policies.json", `{"id":"11111111-0000-4000-8000-000000000001","displayName":"CA001 - MFA","state":"enabled",`+
		`"conditions":{"users":{"includeUsers":["All"],"excludeGroups":["`+groupID+`"]},"applications":{"includeApplications":["All"]},`+
		`"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)
	if x.members != "" {
		take(evidence.Group, "groups.json", `{"id":"`+groupID+`","displayName":"Left out","groupTypes":["DynamicMembership"],"members":`+x.members+`}`)
	}
	if x.log {
		f.SignIns = &signin.Summary{Rows: 3, First: now.AddDate(0, 0, -9), Last: now.Add(-time.Hour), Accounts: []signin.Account{
			{Key: boID, UserID: boID, UserPrincipalName: "bo@contoso.example", Verdicts: counts(signin.NotChallenged, 2), LastSignIn: now.Add(-time.Hour),
				LastNotChallenged: now.Add(-time.Hour), NotChallengedApps: map[string]int64{"Outlook": 2}}}}
		f.Inputs = append(f.Inputs, evidence.Input{Path: "signins.json", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.SignIn: 3}})
		if x.gap {
			f.Inputs[len(f.Inputs)-1].Shorten(evidence.Cut{Kind: evidence.SignIn, Why: "has a gap"})
		}
		f.Seen[evidence.SignIn] = 3
	}
	return f
}

func counts(v signin.Verdict, n int64) (c signin.Counts) {
	c[v] = n
	return c
}

func (x tenant) build(t testing.TB) people.Part {
	t.Helper()
	f := x.facts(t)
	in := people.Input{Tenant: screentest.Tenants[0].ID, At: now, Facts: f, Engine: access.Compile(f.Tenant())}
	for _, a := range []struct{ id, name, factor string }{{adaID, "ada", "app"}, {boID, "bo", "none"}} {
		in.Accounts = append(in.Accounts, people.Account{ID: a.id, UPN: a.name + "@contoso.example", Name: strings.ToUpper(a.name), Class: "member",
			InScope: true, Factor: a.factor, Verdict: "not_met", Reason: "it is so"})
	}
	if x.log {
		in.Log = &people.Log{}
		v := in.Log.Visitor()
		v.See(&signin.Sighting{UserID: boID, At: now.Add(-time.Hour), Verdict: signin.NotChallenged})
		v.See(&signin.Sighting{UserID: boID, At: now.Add(-49 * time.Hour), Verdict: signin.NotChallenged})
		v.See(&signin.Sighting{UserID: adaID, At: now.Add(-49 * time.Hour), Verdict: signin.Challenged})
	}
	return people.Build(in)
}

func row(t testing.TB, p *people.Part, name string) *people.Row {
	t.Helper()
	for i := range p.Rows {
		if strings.HasPrefix(p.Rows[i].UPN, name) {
			return &p.Rows[i]
		}
	}
	t.Fatalf("no row of %s", name)
	return nil
}

// TestBuild: what was read is said with its source, cell for cell.
func TestBuild(t *testing.T) {
	t.Parallel()
	p := tenant{true, true, true, true, `[{"id":"` + boID + `"}]`, false}.build(t)
	ada, bo := row(t, &p, "ada"), row(t, &p, "bo")
	if p.Rows[0].UPN != bo.UPN {
		t.Error("the worst is not first")
	}
	if ada.Proof != people.Asked || ada.Registered != people.Yes || ada.Factor != "app" || ada.Enabled != people.Yes || len(ada.Methods) != 1 {
		t.Errorf("%+v", ada)
	}
	if bo.Proof != people.Open || bo.Gap == 0 || !strings.Contains(strings.Join(p.Gaps[bo.Gap-1].Why, ""), "Left out") || bo.Registered != people.No ||
		bo.Factor != "none" || bo.Log != people.SeenUnasked || bo.Unasked != 2 {
		t.Errorf("%+v %+v", bo, p.Gaps)
	}
	if g := p.Gaps[bo.Gap-1]; g.Witness == "" || g.Client == "" {
		t.Errorf("no sign-in to try: %+v", g)
	}
	if u := p.Sets[bo.Set-1]; u[0].Policy != "CA001 - MFA" || u[0].Applies != "no" || !strings.Contains(u[0].Clause, "excludes the group") {
		t.Errorf("%+v", u)
	}
	if u := p.Sets[ada.Set-1]; u[0].Applies != "yes" || u[0].Demands != "MFA" {
		t.Errorf("%+v", u)
	}
	if n := bo.Daily; len(n) != people.Span || n[people.Span-1] != 1 || n[people.Span-3] != 1 || n[people.Span-2] != 0 {
		t.Errorf("%v", n)
	}
	var unread, read int
	for _, d := range p.Days {
		if d.Read {
			read++
		} else {
			unread++
		}
	}
	if unread == 0 || read < 3 {
		t.Errorf("%d days read, %d not: what is before the log was not read", read, unread)
	}
	if len(bo.Sources) < 2 {
		t.Errorf("%+v", bo.Sources)
	}
}

// TestWhatWasNotReadIsUnknown: taking a list away makes cells unknown, each with what
// settles it, and never none, no or zero.
func TestWhatWasNotReadIsUnknown(t *testing.T) {
	t.Parallel()
	whole := tenant{true, true, true, true, `[{"id":"` + boID + `"}]`, false}
	less := whole
	less.registrations = false
	p := less.build(t)
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Factor != people.Unknown || r.Registered != people.Unknown {
			t.Errorf("registration was not read, and is %q, %q", r.Factor, r.Registered)
		}
	}
	less = whole
	less.log = false
	p = less.build(t)
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Log != people.SeenUnknown {
			t.Errorf("the log was not read, and %s is %q", r.UPN, r.Log)
		}
	}
	for _, d := range p.Days {
		if d.Read {
			t.Errorf("%s was read", d.Date)
		}
	}
	less = whole
	less.gap = true
	p = less.build(t)
	if r := row(t, &p, "ada"); r.Log != people.SeenUnknown {
		t.Errorf("the log has a gap, and ada is %q", r.Log)
	}
	if r := row(t, &p, "bo"); r.Log != people.SeenUnasked || r.Daily[people.Span-2] != -1 || r.Daily[people.Span-1] != 1 {
		t.Errorf("%q %v: a day without rows of a log with a gap is no zero", r.Log, r.Daily)
	}
	less = whole
	less.users = false
	p = less.build(t)
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Enabled != people.Unknown {
			t.Errorf("users were not read, and %s is enabled: %q", r.UPN, r.Enabled)
		}
	}
	if p.Whole || p.Lacks == "" {
		t.Error("the list of users counts as whole")
	}
	less = whole
	less.roles = false
	p = less.build(t)
	if r := row(t, &p, "ada"); r.RolesRead == people.Yes {
		t.Error("roles count as read")
	}
	less = whole
	less.members = ""
	p = less.build(t)
	for _, name := range []string{"ada", "bo"} {
		if r := row(t, &p, name); r.Proof != people.Unknown || !strings.Contains(r.Settle, "/groups/") {
			t.Errorf("the members of the group were not read, and %s is %q, settled by %q", name, r.Proof, r.Settle)
		}
	}
	f := whole.facts(t)
	p = people.Build(people.Input{Tenant: "x", At: now, Facts: f, Accounts: []people.Account{{ID: adaID, UPN: "ada@contoso.example", InScope: true}}})
	if r := &p.Rows[0]; r.Proof != people.Unknown || r.Settle == "" {
		t.Errorf("without settings it is %q, settled by %q", r.Proof, r.Settle)
	}
	p = people.Build(people.Input{Tenant: "x", At: now, Facts: f, Engine: access.Compile(f.Tenant()), Stale: "settings of today",
		Accounts: []people.Account{{ID: boID, UPN: "bo@contoso.example", InScope: true}}})
	if r := &p.Rows[0]; r.Proof != people.Unknown || !strings.Contains(r.Settle, "settings of today") {
		t.Errorf("with settings too old it is %q, settled by %q", r.Proof, r.Settle)
	}
}

// rig is the page over parts that are kept.
func rig(t testing.TB, parts map[string]people.Part) (*screentest.House, *people.Feature) {
	t.Helper()
	s, err := snapshot.New(snapshot.Deps{DB: dbtest.SQLite(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for id, p := range parts {
		if err := s.Put(t.Context(), id, now, "s1", map[string]any{people.PartName: p}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := people.New(people.Deps{Snapshot: s})
	if err != nil {
		t.Fatal(err)
	}
	return screentest.Of(f.Screens()...), f
}

// TestPage: the cells that are unknown say so, and the row opens with what settles them.
func TestPage(t *testing.T) {
	t.Parallel()
	p := tenant{true, false, false, false, "", false}.build(t)
	h, _ := rig(t, map[string]people.Part{p.Tenant: p})
	html := h.HTML(t, "/people?row="+url.QueryEscape(p.Tenant+"/"+boID))
	for _, want := range []string{"not read", "log not read", "Settled by", "/groups/", "roles not read", "userRegistrationDetails"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{">never seen<", ">never<", "nothing is registered"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page says %q of what was not read", bad)
		}
	}
	for address, n := range map[string]int{"/people": 2,
		"/people?proof=unknown": 2, "/people?proof=open": 0, "/people?factor=unknown": 2, "/people?log=unknown": 2,
		"/people?q=bo%40contoso": 1, "/people?q=" + boID: 1, "/people?tenant=" + screentest.Tenants[0].ID: 2} {
		_, l, err := h.Load(t.Context(), address)
		if err != nil || l.Rows.Matched != n {
			t.Errorf("%s: %v, %v", address, l, err)
		}
	}
	if _, l, err := h.Load(t.Context(), "/people?tenant="+screentest.Tenants[1].ID); err != nil || !l.View.Missing {
		t.Errorf("a tenant of which nothing was read: %v %v", l, err)
	}
}

// TestWhoSees: staff limited to a customer see no other accounts, in no number either.
func TestWhoSees(t *testing.T) {
	t.Parallel()
	whole := tenant{true, true, true, true, `[{"id":"` + boID + `"}]`, false}
	p := whole.build(t)
	other := whole.build(t)
	other.Tenant = screentest.Tenants[1].ID
	for i := range other.Rows {
		other.Rows[i].Tenant = other.Tenant
	}
	h, f := rig(t, map[string]people.Part{p.Tenant: p, other.Tenant: other})
	if _, l, err := h.Load(t.Context(), "/people"); err != nil || l.Rows.Total != 4 {
		t.Fatalf("%v %v", l, err)
	}
	v := screentest.Viewer()
	v.Customers = []string{other.Tenant}
	h.Viewer = v
	_, l, err := h.Load(t.Context(), "/people")
	if err != nil || l.Rows.Total != 2 {
		t.Fatalf("%+v %v", l, err)
	}
	if b, _ := json.Marshal(l.View.Summary); !strings.Contains(string(b), `"accounts":2`) {
		t.Errorf("%s", b)
	}
	if html := h.HTML(t, "/people"); strings.Contains(html, p.Tenant) {
		t.Error("another tenant's id is on the page")
	}
	find := f.Screens()[0].Find
	if hits := find(t.Context(), v, "bo", 10); len(hits) != 1 || !strings.Contains(hits[0].Path, other.Tenant) {
		t.Errorf("%+v", hits)
	}
	if hits := find(t.Context(), v, "nobody", 10); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
}

// TestHostileNames: whatever a tenant calls things stays text, in the page and in the
// exports.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := people.Part{Tenant: screentest.Tenants[0].ID, At: now, Whole: true}
	for i, s := range screentest.Hostile {
		r := people.Row{Tenant: p.Tenant, ID: fmt.Sprintf("id-%d", i), UPN: s, Name: s, Class: "member", Enabled: people.Yes, InScope: true, Roles: []string{s},
			Factor: "app", Methods: []string{s}, Proof: people.Open, Settle: s, Log: people.SeenUnasked, Unasked: 1, SignIns: 1, Apps: []string{s},
			Legacy: []string{s}, Reason: s, Verdict: "not_met", Exception: s, Ways: []people.Way{{ID: "register", Word: "register", Text: s}}, Set: 1, Gap: 1,
			Sources: []people.Source{{What: "account", Where: s}}, Seen: &people.Seen{App: s, Client: s, From: s, Source: s}}
		p.Rows = append(p.Rows, r)
		p.Sets = [][]people.Use{{{ID: s, Policy: s, Applies: "no", Clause: s, Demands: s}}}
		p.Gaps = []people.Opening{{Where: s, Text: s, Witness: s, Why: []string{s}, App: s, Client: s, Place: s}}
	}
	h, f := rig(t, map[string]people.Part{p.Tenant: p})
	for i := range p.Rows {
		html := h.HTML(t, "/people?row="+url.QueryEscape(p.Tenant+"/"+p.Rows[i].ID))
		for _, bad := range []string{"<script>alert", "<img src=x", "<svg/onload", "href=\"javascript:", "href=\"//evil", "href=\"https://evil",
			"\x1b", "\u202e", "<h1>owned"} {
			if strings.Contains(html, bad) {
				t.Fatalf("%q is in the page of %q", bad, screentest.Hostile[i])
			}
		}
	}
	for _, hit := range f.Screens()[0].Find(t.Context(), screentest.Viewer(), "id-", 50) {
		if screen.Path(hit.Path) != hit.Path {
			t.Errorf("%q is no path of ours", hit.Path)
		}
	}
}

// crowd are n accounts over m tenants.
func crowd(n, m int) map[string]people.Part {
	out := map[string]people.Part{}
	for k := range m {
		id := fmt.Sprintf("%08d-1111-4111-8111-111111111111", k)
		p := people.Part{Tenant: id, Name: fmt.Sprint("Customer ", k), At: now, Whole: true, Days: make([]people.Day, people.Span)}
		for i := range n / m {
			r := people.Row{Tenant: id, ID: fmt.Sprintf("%08d-2222-4222-8222-%012d", k, i), UPN: fmt.Sprintf("user%d@customer%d.example", i, k),
				Name: fmt.Sprintf("Person %d of %d", i, k), Class: []string{"member", "admin", "guest", "service"}[i%4], Enabled: people.Yes, InScope: true,
				Factor: []string{"app", "none", "phone", "unknown"}[i%4], Proof: []string{people.Open, people.Asked, people.Unknown}[i%3],
				Log: people.SeenAsked, Verdict: "met", Weight: (i * 7919) % 4400, LastUnasked: now.Add(-time.Duration(i) * time.Minute), RolesRead: people.Yes}
			p.Rows = append(p.Rows, r)
		}
		out[id] = p
	}
	return out
}

// TestPageIsSmall: a page of accounts stays below 150 kB, however many there are.
func TestPageIsSmall(t *testing.T) {
	t.Parallel()
	parts := crowd(2_000, 4)
	for id, p := range parts {
		for i := range p.Days {
			p.Days[i].Read = true
		}
		for i := range p.Rows {
			r := &p.Rows[i]
			r.Daily, r.Unasked, r.SignIns, r.Log = make([]int32, people.Span), 9, 30, people.SeenUnasked
			for d := range r.Daily {
				r.Daily[d] = int32(d % 4)
			}
			r.Ways = []people.Way{{ID: "register", Word: "register a method"}, {ID: "require_mfa", Word: "require MFA by policy"}}
			r.Roles, r.Gap = []string{"Cloud Application Administrator (eligible)"}, 1
		}
		p.Gaps = []people.Opening{{Where: "at Headquarters Dublin, unless it looks risky"}}
		parts[id] = p
	}
	h, _ := rig(t, parts)
	if n := len(h.HTML(t, "/people")); n > 150_000 {
		t.Errorf("the page has %d bytes", n)
	}
}

func BenchmarkPeople(b *testing.B) {
	h, _ := rig(b, crowd(50_000, 500))
	h.Tenants = []screen.Tenant{screentest.Tenants[0]}
	for name, address := range map[string]string{"all": "/people", "filtered": "/people?proof=open&class=admin", "searched": "/people?q=customer77",
		"sorted": "/people?sort=account", "last": "/people?page=800"} {
		h.HTML(b, address)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.HTML(b, address)
			}
		})
	}
}
