package coverage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/coverage"
	"partnerguard/internal/lenient"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/snapshot"
)

// policy is one of all users at all apps.
func policy(id, control string, change func(*access.Policy)) *access.Policy {
	p := &access.Policy{ID: id, DisplayName: id, State: access.Enabled, GrantControls: &access.GrantControls{Operator: "OR",
		BuiltInControls: lenient.Strings{control}}}
	p.Conditions.Users.IncludeUsers = lenient.Strings{"All"}
	p.Conditions.Applications.IncludeApplications = lenient.Strings{"All"}
	if change != nil {
		change(p)
	}
	return p
}

// tenant is one with an office that the policy leaves out, an exclusion by name, and a
// report-only block of legacy clients.
func tenant(accounts int) *access.Tenant {
	t := &access.Tenant{KnownGroups: map[string]bool{"g": true}, RolesKnown: true, Whole: true, Names: map[string]string{"g": "Travellers"}}
	office := &access.NamedLocation{ID: "office", DisplayName: "Office"}
	office.Ranges.Items = []access.IPRange{{CIDR: "203.0.113.0/24"}}
	t.Locations = []*access.NamedLocation{office}
	t.Policies = []*access.Policy{
		policy("MFA for all", "mfa", func(p *access.Policy) {
			p.Conditions.Locations.Items = []access.LocationCondition{{IncludeLocations: lenient.Strings{"All"}, ExcludeLocations: lenient.Strings{"office"}}}
			p.Conditions.Users.ExcludeUsers, p.Conditions.Users.ExcludeGroups = lenient.Strings{"u0"}, lenient.Strings{"g"}
		}),
		policy("Block legacy", "block", func(p *access.Policy) {
			p.State = access.ReportOnly
			p.Conditions.ClientAppTypes = lenient.Strings{"exchangeActiveSync", "other"}
		}),
	}
	for i := range accounts {
		s := access.Subject{ID: fmt.Sprintf("u%d", i), Name: fmt.Sprintf("user%d@contoso.example", i)}
		if i == 1 {
			s.Groups = []string{"g"}
		}
		t.Users = append(t.Users, s)
	}
	return t
}

func input(t *access.Tenant) coverage.Input {
	e := access.Compile(t)
	in := coverage.Input{Engine: e, Settings: screentest.Now.Add(-11 * time.Minute)}
	for _, c := range t.Changes() {
		in.Changes = append(in.Changes, coverage.Proposal{Changes: []access.Change{c}, Title: c.Text, Detail: "one of them"})
	}
	return in
}

// stored is a part as a page gets it: through JSON, as the snapshot keeps it.
func stored(t testing.TB, in coverage.Input) *coverage.Part {
	t.Helper()
	raw, err := json.Marshal(coverage.Build(in))
	if err != nil {
		t.Fatal(err)
	}
	var p coverage.Part
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func house(t testing.TB, p *coverage.Part, e *access.Engine, rehearse func(context.Context, string, coverage.Propose) (*coverage.Rehearsal,
	error)) *screentest.House {
	t.Helper()
	if rehearse == nil {
		rehearse = func(context.Context, string, coverage.Propose) (*coverage.Rehearsal, error) {
			return &coverage.Rehearsal{}, nil
		}
	}
	f, err := coverage.New(coverage.Deps{
		Part: func(context.Context, string) (*coverage.Part, snapshot.Mark, error) {
			if p == nil {
				return nil, snapshot.Mark{}, problem.New(problem.NotFound, "nothing was judged")
			}
			return p, snapshot.Mark{At: screentest.Now, Version: "1"}, nil
		},
		Engine:   func(context.Context, string) (*access.Engine, time.Time, error) { return e, screentest.Now, nil },
		Rehearse: rehearse, Limit: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return screentest.Of(f.Screens()...)
}

// TestCells: the counts are those of the cells, each cell of the page is the one that
// Decide confirms, and what would close a cell closes its witness.
func TestCells(t *testing.T) {
	t.Parallel()
	in := input(tenant(6))
	p := stored(t, in)
	c := p.Counts
	if c.Open == 0 || c.Asked == 0 || c.Cells != c.Open+c.Unknown+c.Asked+c.Resistant+c.Blocked || c.Accounts != 6 || c.AccountsOpen != 6 {
		t.Fatalf("%+v", c)
	}
	if c.ReportOnly == 0 || len(p.Fixes) == 0 || len(p.Policy) != 2 {
		t.Fatalf("%d cells by report-only, %d fixes, %d policies", c.ReportOnly, len(p.Fixes), len(p.Policy))
	}
	n := 0
	for who := range p.Cells {
		for _, x := range p.Cells[who] {
			if x.State != access.CellOpen {
				continue
			}
			if x.Detail == 0 {
				t.Fatalf("%s has an open cell without its witness", p.Who[who].Name)
			}
			n++
			d := &p.Details[x.Detail-1]
			user, ok := coverage.FindSubject(in.Engine, d.Account.Name)
			if !ok {
				t.Fatalf("%q is nobody", d.Account.Name)
			}
			s := d.SignIn
			s.User = user
			if a := in.Engine.Decide(s); a.Outcome != access.MFANotRequired {
				t.Errorf("decide says %s of the witness of %s: %+v", a.Outcome, p.Who[who].Name, s)
			}
			if len(d.Why) == 0 || !d.Confirmed {
				t.Errorf("a witness without a reason: %+v", d)
			}
			for _, f := range d.Fixes {
				then := access.Compile(apply(t, in, p.Fixes[f].Changes))
				s.User, _ = coverage.FindSubject(then, d.Account.Name)
				if o := then.Decide(s).Outcome; o != access.MFARequired && o != access.Blocked {
					t.Errorf("%s does not close the witness it is said to: %s", p.Fixes[f].Title, o)
				}
			}
		}
	}
	if n < c.Open {
		t.Errorf("%d open cells were looked at, of %d", n, c.Open)
	}
	if stored(t, in).Counts != c {
		t.Error("equal input gives another part")
	}
}

func apply(t *testing.T, in coverage.Input, ids []string) *access.Tenant {
	t.Helper()
	var changes []access.Change
	for _, c := range in.Changes {
		for _, x := range c.Changes {
			for _, id := range ids {
				if x.ID == id {
					changes = append(changes, x)
				}
			}
		}
	}
	if len(changes) != len(ids) {
		t.Fatalf("the changes %v are not all there", ids)
	}
	return in.Engine.Tenant().Apply(changes...)
}

// TestUnreadIsNotNo: without policies the page says that it does not know, and with lists
// that are not whole no cell is green that may be open.
func TestUnreadIsNotNo(t *testing.T) {
	t.Parallel()
	p := stored(t, coverage.Input{Unread: "no policy was read"})
	html := house(t, p, nil, nil).HTML(t, "/coverage")
	if !strings.Contains(html, "No policy was read") || strings.Contains(html, `class="mx"`) {
		t.Error("a tenant without policies has a matrix")
	}
	part := tenant(3)
	part.Whole, part.RolesKnown, part.KnownGroups = false, false, nil
	part.PoliciesLack = []string{"further policies: GET /identity/conditionalAccess/policies"}
	p = stored(t, input(part))
	if p.Counts.Open != 0 || p.Counts.Unknown == 0 || len(p.Missing) == 0 {
		t.Errorf("of policies that were read in part: %+v, %v", p.Counts, p.Missing)
	}
	if html := house(t, p, nil, nil).HTML(t, "/coverage"); !strings.Contains(html, "What settles what is unknown") {
		t.Error("what would settle it is not said")
	}
	if html := house(t, nil, nil, nil).HTML(t, "/coverage"); !strings.Contains(html, "Nothing was judged yet") {
		t.Error("a tenant that was never judged has a page of something")
	}
}

// TestNamesAreForWhoSeesPeople: whoever may not see people sees no account's name, on the
// page, in an opened cell, in the exports.
func TestNamesAreForWhoSeesPeople(t *testing.T) {
	t.Parallel()
	in := input(tenant(4))
	in.Changed = func(string) (string, time.Time) { return "admin@contoso.example", screentest.Now.Add(-time.Hour) }
	p := stored(t, in)
	h := house(t, p, in.Engine, nil)
	with := h.HTML(t, "/coverage")
	h.Viewer = screentest.Viewer()
	h.Viewer.Rights = []screen.Right{screen.SeePosture}
	if !strings.Contains(with, "user0@contoso.example") {
		t.Fatal("the class of one account is not named to who may see it")
	}
	pages := []string{"/coverage"}
	for _, part := range strings.Split(h.HTML(t, "/coverage"), `href="`)[1:] {
		if link, _, _ := strings.Cut(part, `"`); strings.Contains(link, "cell=") {
			pages = append(pages, strings.ReplaceAll("/coverage"+link, "&amp;", "&"))
		}
	}
	if len(pages) < 5 {
		t.Fatal("there are no cells to open")
	}
	for _, address := range pages {
		html, err := h.Render(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(html, "/coverage/decide") || strings.Contains(html, "/coverage/rehearse") {
			t.Fatalf("%s leads to a page that this viewer may not see", address)
		}
		if i := strings.Index(html, "@contoso.example"); i >= 0 {
			t.Fatalf("%s names an account: …%s", address, html[max(0, i-120):i+20])
		}
	}
	_, l, err := h.Load(t.Context(), "/coverage")
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Rows.Items {
		row, err := json.Marshal(l.Rows.Items[i])
		if err != nil || strings.Contains(string(row), "@contoso.example") {
			t.Errorf("a row names an account: %s %v", row, err)
		}
	}
	raw, err := json.Marshal(l.View.Summary)
	if err != nil || strings.Contains(string(raw), "@contoso.example") {
		t.Errorf("the summary names accounts: %v", err)
	}
}

// TestManyFold: with more classes and places than a page shows, the worst are shown, the
// rest is counted, any of them can be opened, and the page stays small.
func TestManyFold(t *testing.T) {
	t.Parallel()
	many := tenant(0)
	for i := range 34 {
		g := fmt.Sprintf("group-%02d", i)
		many.KnownGroups[g], many.Names[g] = true, "Group "+g
		many.Users = append(many.Users, access.Subject{ID: fmt.Sprintf("m%d", i), Name: fmt.Sprintf("m%d@contoso.example", i), Groups: []string{g}})
		l := &access.NamedLocation{ID: fmt.Sprintf("site-%d", i), DisplayName: fmt.Sprintf("Site %d", i)}
		l.Ranges.Items = []access.IPRange{{CIDR: fmt.Sprintf("198.51.100.%d/32", i)}}
		many.Locations = append(many.Locations, l)
		many.Policies = append(many.Policies, policy(fmt.Sprintf("P%02d", i), "mfa", func(p *access.Policy) {
			p.Conditions.Users.IncludeUsers, p.Conditions.Users.IncludeGroups = nil, lenient.Strings{g}
			p.Conditions.Locations.Items = []access.LocationCondition{{IncludeLocations: lenient.Strings{"All"}, ExcludeLocations: lenient.Strings{l.ID}}}
		}))
	}
	began := time.Now()
	in := input(many)
	in.Changes = nil
	p := stored(t, in)
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("it took %s", took)
	}
	h := house(t, p, in.Engine, nil)
	html := h.HTML(t, "/coverage")
	for _, want := range []string{"more classes", "folded into one row"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	matrix := html[strings.Index(html, `<table class="mx"`):]
	matrix = matrix[:strings.Index(matrix, "</table>")]
	if n := strings.Count(matrix, `<a class="cell`); n > 26*30 || n == 0 {
		t.Errorf("%d cells are shown", n)
	}
	if len(html) > 500<<10 {
		t.Errorf("the page has %d bytes", len(html))
	}
	// A place that was folded is a page of its own.
	for i := range p.Places[:6] {
		if page := h.HTML(t, "/coverage?place="+p.Places[i].Key); !strings.Contains(page, p.Places[i].Name) {
			t.Fatalf("the place %s has no page", p.Places[i].Name)
		}
	}
}

// TestHostile: whatever a tenant calls things, pages have no tag of it, and links lead
// nowhere else.
func TestHostile(t *testing.T) {
	t.Parallel()
	bad := tenant(len(screentest.Hostile))
	for i, name := range screentest.Hostile {
		bad.Users[i].Name = name
		bad.Names["g"] = name
		bad.Locations[0].DisplayName = name
		bad.Policies = append(bad.Policies, policy(name, "mfa", func(p *access.Policy) {
			p.ID = fmt.Sprint("h", i)
			p.Conditions.Users.IncludeUsers = lenient.Strings{fmt.Sprintf("u%d", i)}
			p.Conditions.Platforms.Items = []access.PlatformCondition{{Include: lenient.Strings{name}}}
		}))
	}
	in := input(bad)
	h := house(t, stored(t, in), in.Engine, nil)
	pages := []string{"/coverage", "/coverage/decide", "/coverage/rehearse"}
	for _, part := range strings.Split(h.HTML(t, "/coverage"), `href="`)[1:] {
		if link, _, _ := strings.Cut(part, `"`); strings.Contains(link, "cell=") && len(pages) < 20 {
			pages = append(pages, strings.ReplaceAll("/coverage"+link, "&amp;", "&"))
		}
	}
	for i, name := range screentest.Hostile {
		if len(name) < 200 && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0xfffd || r == 0x202e || r == 0x2066 }) {
			pages = append(pages, "/coverage/decide?account="+url.QueryEscape(fmt.Sprintf("u%d", i))+"&where="+url.QueryEscape(name))
		}
	}
	for _, address := range pages {
		html, err := h.Render(t.Context(), address)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		for _, never := range []string{"<script>alert", "<img", "<h1>owned", "<svg/onload", "onerror=alert(1)>", `href="javascript`, `href="//evil`,
			`href="https://evil`, "\u202e"} {
			if strings.Contains(html, never) {
				t.Fatalf("%s has %q", address, never)
			}
		}
	}
}

// TestDecide: the page decides as the engine does, says what it does not understand, and
// its address is all that it needs.
func TestDecide(t *testing.T) {
	t.Parallel()
	in := input(tenant(3))
	h := house(t, stored(t, in), in.Engine, nil)
	for address, want := range map[string]string{
		"account=user2@contoso.example&where=203.0.113.9":               "MFA is not required.",
		"account=USER2@contoso.example&where=198.51.100.1":              "MFA is required.",
		"account=user0@contoso.example&where=198.51.100.1":              "MFA is not required.",
		"account=user2@contoso.example&where=Office":                    "MFA is not required.",
		"account=user2@contoso.example&where=198.51.100.1&client=other": "MFA is required.",
		"account=nobody@contoso.example":                                "Not decided.",
		"account=user2@contoso.example&where=Atlantis":                  "Not decided.",
		"": "Name an account",
	} {
		if html := h.HTML(t, "/coverage/decide?"+address); !strings.Contains(html, want) {
			t.Errorf("%s: no %q", address, want)
		}
	}
	for _, bad := range []string{"client=telnet", "signInRisk=terrible", "colour=red"} {
		if _, _, err := h.Load(t.Context(), "/coverage/decide?account=u1&"+bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	s, _, err := coverage.Ask(in.Engine, url.Values{"account": {"u1"}, "where": {"203.0.113.1"}, "device": {"compliant device, joined device"},
		"deviceNot": {"approved app"}})
	if err != nil || s.IP != netip.MustParseAddr("203.0.113.1") || !s.Device["compliant device"] || !s.Device["joined device"] ||
		s.Device["approved app"] || len(s.Device) != 3 {
		t.Errorf("%+v %v", s, err)
	}
}
