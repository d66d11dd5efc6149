package customers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/customers"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/signin"
)

var asOf = screentest.Now.Add(-2 * time.Hour)

const (
	fabrikam  = "22222222-2222-4222-8222-222222222222"
	northwind = "33333333-3333-4333-8333-333333333333"
)

// read makes facts of records, whole lists of them unless cut says otherwise.
func read(t *testing.T, records map[evidence.Kind][]string) *facts.Facts {
	t.Helper()
	f := facts.New()
	for _, k := range slices.Sorted(maps.Keys(records)) {
		for i, raw := range records[k] {
			if err := f.Take(k, []byte(raw), evidence.Source{Path: string(k) + ".json", Line: i + 1}); err != nil {
				t.Fatal(err)
			}
		}
		f.Inputs = append(f.Inputs, evidence.Input{Path: string(k) + ".json", Status: evidence.Read, Kinds: map[evidence.Kind]int{k: len(records[k])}})
	}
	return f
}

func customer(id, name, dap string) string {
	return fmt.Sprintf(`{"id":%q%s,"relationshipToPartner":"reseller","companyProfile":{"tenantId":%q,"domain":%q,"companyName":%q}}`, id, dap, id,
		strings.ToLower(strings.Fields(name)[0])+".example", name)
}

func gdap(id, tenant, status, end, extends string, roles ...string) string {
	var list []string
	for _, r := range roles {
		list = append(list, fmt.Sprintf(`{"roleDefinitionId":%q}`, r))
	}
	return fmt.Sprintf(`{"id":%q,"displayName":"Rel %s","status":%q,"endDateTime":%q,"autoExtendDuration":%q,"customer":{"tenantId":%q,"displayName":"Named %s"},
		"accessDetails":{"unifiedRoles":[%s]}}`, id, id, status, end, extends, tenant, tenant[:4], strings.Join(list, ","))
}

// pages are the pages over one part.
func pages(p *customers.Part, own map[string]*customers.OwnPart, read map[string]*customers.Reading) *customers.Pages {
	return &customers.Pages{
		Part: func(context.Context) (*customers.Part, error) {
			if p == nil {
				return nil, problem.New(problem.NotFound, "none")
			}
			return p, nil
		},
		Own:      func(context.Context) (map[string]*customers.OwnPart, error) { return own, nil },
		Readings: func(context.Context) (map[string]*customers.Reading, error) { return read, nil },
		Customer: func(_ context.Context, t string) (*customers.OwnPart, *customers.Reading, error) {
			return own[t], read[t], nil
		},
	}
}

func rows(t *testing.T, h *screentest.House, address string) []customers.Row {
	t.Helper()
	_, l, err := h.Load(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	var out []customers.Row
	l.Rows.All(func(_ func() []string, row any) bool { out = append(out, *row.(*customers.Row)); return true })
	return out
}

const reader = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b" // Directory Readers

func TestBuildSaysWhatWasReadAndNoMore(t *testing.T) {
	t.Parallel()
	soon, far := screentest.Now.AddDate(0, 0, 20).Format(time.RFC3339), screentest.Now.AddDate(1, 0, 0).Format(time.RFC3339)
	f := read(t, map[evidence.Kind][]string{
		evidence.Customer: {customer(fabrikam, "Fabrikam", `,"allowDelegatedAccess":true`), customer(northwind, "Northwind", ``),
			customer("44444444-4444-4444-8444-444444444444", "Adatum", `,"allowDelegatedAccess":false`)},
		evidence.Relationship: {
			gdap("r1", "44444444-4444-4444-8444-444444444444", "active", far, "P180D", reader),
			gdap("r2", northwind, "active", soon, "PT0S", reader),
			gdap("r3", fabrikam, "active", far, "P180D", entra.RoleGlobalAdministrator, reader),
			gdap("r4", fabrikam, "terminated", far, "PT0S", reader),
			gdap("r5", "55555555-5555-4555-8555-555555555555", "active", far, "", reader),
			`{"id":"r6","status":"created","displayName":"nobody's"}`,
		},
	})
	p := customers.Build(customers.Input{Facts: f, AsOf: asOf})
	if p.Loose != 1 || len(p.Customers) != 4 {
		t.Fatalf("%d loose, %d customers", p.Loose, len(p.Customers))
	}
	own := map[string]*customers.OwnPart{"44444444-4444-4444-8444-444444444444": {SignIns: 9, WithMFA: 9}}
	h := screentest.Of(pages(&p, own, nil).Screens()...)
	got := map[string]customers.Row{}
	for _, r := range rows(t, h, "/customers") {
		got[r.Name] = r
	}
	for name, want := range map[string]struct {
		state  customers.State
		dap    customers.Answer
		active int
		why    string
	}{
		"Fabrikam":   {customers.Work, customers.Yes, 1, "DAP is in place"},
		"Northwind":  {customers.Work, customers.Unknown, 1, "GDAP ends and does not extend itself"},
		"Adatum":     {customers.Well, customers.No, 1, ""},
		"Named 5555": {customers.Unsure, customers.Unknown, 1, "whether DAP is in place was not read"},
	} {
		r := got[name]
		if r.State != want.state || r.DAP != want.dap || r.Active != want.active || r.Why != want.why {
			t.Errorf("%s: %s %q, DAP %s, %d active", name, r.State, r.Why, r.DAP, r.Active)
		}
	}
	if g := got["Fabrikam"].GDAP; !g[0].Global || g[0].Extends != customers.No || len(g) != 2 {
		t.Errorf("a relationship with Global Administrator never extends itself: %+v", g)
	}
	if got["Named 5555"].Listed {
		t.Error("it is in no list")
	}
}

// What was not read is unknown: taking a record's member or a whole list away never makes
// a customer better.
func TestLessIsNeverBetter(t *testing.T) {
	t.Parallel()
	far := screentest.Now.AddDate(1, 0, 0).Format(time.RFC3339)
	whole := map[evidence.Kind][]string{
		evidence.Customer:     {customer(fabrikam, "Fabrikam", `,"allowDelegatedAccess":false`)},
		evidence.Relationship: {gdap("r1", fabrikam, "active", far, "P180D", reader)},
	}
	state := func(records map[evidence.Kind][]string, own *customers.OwnPart) customers.State {
		p := customers.Build(customers.Input{Facts: read(t, records), AsOf: asOf})
		return rows(t, screentest.Of(pages(&p, map[string]*customers.OwnPart{fabrikam: own}, nil).Screens()...), "/customers")[0].State
	}
	some := &customers.OwnPart{SignIns: 3, WithMFA: 3}
	if s := state(whole, some); s != customers.Well {
		t.Fatalf("all was read, and is %s", s)
	}
	for name, c := range map[string]struct {
		records map[evidence.Kind][]string
		own     *customers.OwnPart
	}{
		"no sign-ins":      {whole, nil},
		"no relationships": {map[evidence.Kind][]string{evidence.Customer: whole[evidence.Customer]}, some},
		"DAP not said": {map[evidence.Kind][]string{evidence.Customer: {customer(fabrikam, "Fabrikam", "")},
			evidence.Relationship: whole[evidence.Relationship]}, some},
		"roles lost": {map[evidence.Kind][]string{evidence.Customer: whole[evidence.Customer], evidence.Relationship: {gdap("r1", fabrikam, "active",
			far, "P180D")}}, some},
		"end not read": {map[evidence.Kind][]string{evidence.Customer: whole[evidence.Customer], evidence.Relationship: {gdap("r1", fabrikam, "active",
			"", "P180D", reader)}}, some},
		"no customers read": {map[evidence.Kind][]string{evidence.Relationship: whole[evidence.Relationship]}, some},
	} {
		if s := state(c.records, c.own); s != customers.Unsure {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// hostile are names as a tenant may have them.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "a\u202eb", `=cmd|' /C calc'!A0`, "{{.}}", strings.Repeat("W", 5000)}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := customers.Part{AsOf: asOf, List: customers.List{Read: true, Whole: true, At: asOf}, Relationships: customers.List{Read: true, At: asOf,
		Why: hostile[1]}}
	for i, name := range hostile {
		p.Customers = append(p.Customers, customers.Customer{Tenant: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), Name: name, Domain: name,
			DAP: customers.Unknown, DAPWhy: name,
			GDAP: []customers.Relationship{{ID: name, Name: name, Status: name, Active: true, By: name, Roles: []customers.Role{{ID: name, Name: name}}}}})
	}
	tenants := []screen.Tenant{{ID: p.Customers[1].Tenant, Name: hostile[1]}}
	h := &screentest.House{Screens: pages(&p, nil, nil).Screens(), Tenants: tenants}
	for _, address := range []string{"/customers", "/customers?q=alert", "/customers/one?tenant=" + p.Customers[1].Tenant} {
		html := h.HTML(t, address)
		for _, bad := range []string{"<script>alert", "<img", "\u202e", "onerror=alert(1)>"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s holds %q", address, bad)
			}
		}
	}
}

// Who is limited to a customer learns of no other: not by rows, counts, chips, charts, the
// search, the palette or the API's numbers.
func TestLimited(t *testing.T) {
	t.Parallel()
	p := many(60)
	p.Customers[3].Tenant, p.Customers[3].Name = fabrikam, "Fabrikam"
	ps := pages(p, nil, nil)
	h := &screentest.House{Screens: ps.Screens(), Viewer: screentest.Viewer()}
	h.Viewer.Customers = []string{fabrikam}
	if got := rows(t, h, "/customers"); len(got) != 1 || got[0].Tenant != fabrikam {
		t.Fatalf("%d rows", len(got))
	}
	_, l, err := h.Load(t.Context(), "/customers")
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := json.Marshal(l.View.Summary)
	if l.Rows.Total != 1 || !strings.Contains(string(sum), `"customers":1,`) {
		t.Errorf("total %d, summary %s", l.Rows.Total, sum)
	}
	for _, c := range l.Rows.Chips {
		for _, x := range c.List {
			if x.Count > 1 {
				t.Errorf("the chip %s counts %d", x.Word, x.Count)
			}
		}
	}
	html := h.HTML(t, "/customers")
	for _, c := range p.Customers {
		if c.Tenant != fabrikam && (strings.Contains(html, c.Name) || strings.Contains(html, c.Tenant)) {
			t.Fatalf("the page names %s", c.Name)
		}
	}
	find := ps.Screens()[0].Find
	if hits := find(t.Context(), h.Viewer, "customer", 10); len(hits) != 0 {
		t.Errorf("the palette: %v", hits)
	}
	if hits := find(t.Context(), h.Viewer, "fabrikam", 10); len(hits) != 1 {
		t.Errorf("the palette does not find its own: %v", hits)
	}
	if n := ps.Screens()[0].Needs(t.Context(), h.Viewer); n > 1 {
		t.Errorf("the rail counts %d", n)
	}
	if _, _, err := h.Load(t.Context(), "/customers/one?tenant="+northwind); err == nil {
		t.Error("another's page was answered")
	}
	h.Viewer.Customers = []string{}
	if got := rows(t, h, "/customers"); len(got) != 0 {
		t.Errorf("who has no customer sees %d", len(got))
	}
}

// many are n customers of all kinds.
func many(n int) *customers.Part {
	p := &customers.Part{AsOf: asOf, Whole: true, List: customers.List{Read: true, Whole: true, At: asOf}, Relationships: customers.List{Read: true,
		Whole: true, At: asOf}}
	words := []string{"Beacon", "Stonebridge", "Northgate", "Castle", "Foxglove", "Heron", "Kestrel", "Lakeside", "Riverbank", "Amber", "Harbour", "Marlow"}
	kinds := []string{"Foods", "Dental", "Freight", "Engineering", "Schools", "Legal", "Print", "Veterinary"}
	for i := range n {
		c := customers.Customer{Tenant: fmt.Sprintf("%08x-0000-4000-8000-000000000000", i*7919+1), Listed: true, Relation: "reseller", DAP: customers.No,
			Name: fmt.Sprintf("%s %s customer %d", words[i%len(words)], kinds[i/len(words)%len(kinds)], i), Domain: fmt.Sprintf("c%d.example", i)}
		switch {
		case i%29 == 0:
			c.DAP = customers.Yes
		case i%31 == 0:
			c.DAP = customers.Unknown
		}
		g := customers.Relationship{ID: fmt.Sprintf("rel-%d", i), Name: fmt.Sprintf("GDAP %d", i), Status: "active", Active: true, Extends: customers.Yes,
			By:  "P180D",
			End: screentest.Now.AddDate(0, 0, 5+i*37%600), Roles: []customers.Role{{ID: reader, Name: "Directory Readers"}}, Assignments: -1}
		if i%13 == 0 {
			g.Global, g.Road, g.Extends = true, true, customers.No
			g.Roles = append([]customers.Role{{ID: entra.RoleGlobalAdministrator, Name: "Global Administrator", Privileged: true}}, g.Roles...)
		}
		if i%7 == 0 {
			g.Extends = customers.No
		}
		if i%17 != 0 {
			c.GDAP = append(c.GDAP, g)
		}
		p.Customers = append(p.Customers, c)
	}
	return p
}

func owns(p *customers.Part) (map[string]*customers.OwnPart, map[string]*customers.Reading) {
	own, read := map[string]*customers.OwnPart{}, map[string]*customers.Reading{}
	for i, c := range p.Customers {
		if i%11 != 0 {
			own[c.Tenant] = &customers.OwnPart{SignIns: int64(100 + i), WithMFA: int64(100 + i)}
		}
		if i%19 == 0 && own[c.Tenant] != nil {
			own[c.Tenant].Without, own[c.Tenant].WithMFA, own[c.Tenant].LastWithout = 3, int64(97+i), screentest.Now.Add(-time.Duration(i)*time.Hour)
		}
		read[c.Tenant] = &customers.Reading{Oldest: screentest.Now.Add(-time.Duration(i%30) * time.Hour), Gaps: i % 3, Read: 12, Lists: 14}
	}
	return own, read
}

// 2,000 customers are one page that is small as it is sent.
func TestTwoThousand(t *testing.T) {
	t.Parallel()
	p := many(2000)
	own, read := owns(p)
	h := screentest.Of(pages(p, own, read).Screens()...)
	began := time.Now()
	html := h.HTML(t, "/customers")
	took := time.Since(began)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(html))
	_ = w.Close()
	t.Logf("%d bytes, %d compressed, in %s", len(html), z.Len(), took)
	if z.Len() > 150_000 || len(html) > 400_000 {
		t.Errorf("%d bytes, %d as it is sent", len(html), z.Len())
	}
	if n := len(regexp.MustCompile(`M[0-9.]+ [0-9.]+[ah]`).FindAllString(html, -1)); n < 4000 {
		t.Errorf("%d marks for 2,000 customers, wide and narrow", n)
	}
	if n := strings.Count(html, "Foods customer"); n == 0 || n > 400 {
		t.Errorf("%d rows of these", n)
	}
}

func TestOwn(t *testing.T) {
	t.Parallel()
	var o customers.Own
	for i, s := range []signin.Sighting{
		{UserID: "a", Verdict: signin.Challenged, Success: true, At: asOf.Add(-3 * time.Hour)},
		{UserID: "a", Verdict: signin.NotChallenged, Success: true, At: asOf.Add(-2 * time.Hour)},
		{UserID: "b", Verdict: signin.NotChallenged, Success: true, At: asOf.Add(-time.Hour)},
		{UserID: "b", Verdict: signin.NotChallenged, Success: true, At: asOf.Add(-9 * time.Hour)},
		{UserID: "c", Verdict: signin.Unknown, Success: true},
		{UserID: "c", Verdict: signin.Failed, At: asOf},
	} {
		if i < 2 {
			v := o.Visitor()
			v.See(&s)
			continue
		}
		o.Visitor().See(&s)
	}
	p := o.Part(asOf)
	if p.SignIns != 5 || p.WithMFA != 1 || p.Without != 3 || p.Accounts != 2 || !p.LastWithout.Equal(asOf.Add(-time.Hour)) ||
		!p.First.Equal(asOf.Add(-9*time.Hour)) {
		t.Errorf("%+v", p)
	}
}

func TestNothingYet(t *testing.T) {
	t.Parallel()
	h := screentest.Of(pages(nil, nil, nil).Screens()...)
	if html := h.HTML(t, "/customers"); !strings.Contains(html, "No customer was read yet") {
		t.Error(html)
	}
}

// TestShots takes pictures, where SHOTS names a folder.
func TestShots(t *testing.T) {
	t.Parallel()
	p := many(300)
	p.Customers[1].Tenant = fabrikam
	own, read := owns(p)
	h := screentest.Of(pages(p, own, read).Screens()...)
	h.Needs = map[string]int{"customers": 4}
	h.Shoot(t, "customers", "/customers")
	h.Shoot(t, "customer", "/customers/one?tenant="+fabrikam+"&row=rel-1")
}
