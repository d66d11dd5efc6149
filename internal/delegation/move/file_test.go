//go:build !judge

package move

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/problem"
)

// aPlan is a plan of two customers: one whose relationship is replaced, one whose is
// narrowed.
func aPlan(t testing.TB) (Plan, string) {
	t.Helper()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "MLT_x", true, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	f.seed(1, "Wide", false, []string{global, helpdesk, users}, []string{helpdesk, users}, []string{global})
	inv := f.inventory(2)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	raw, err := p.YAML()
	r.ok(err)
	return p, string(raw)
}

// What a plan's file says is taken at its word, and what could not be, is refused.
func TestHostilePlans(t *testing.T) {
	t.Parallel()
	_, good := aPlan(t)
	if _, err := Read("plan.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"an unknown member":       {"version: 1", "version: 1\nrelationshipToPartner: none", "unknown field"},
		"a member twice":          {"version: 1", "version: 1\nversion: 1", "not readable"},
		"another version":         {"version: 1", "version: 2", "version is 2"},
		"an anchor":               {"cloud: public", "cloud: &a public", "anchors"},
		"no tenant":               {"tenant: " + partner, "tenant: contoso.example", "not an id"},
		"the partner as customer": {"tenant: " + tenantOf(0), "tenant: " + partner, "no customer's tenant"},
		"a customer twice":        {"tenant: " + tenantOf(0), "tenant: " + tenantOf(1), "named twice"},
		"no stage":                {"  stage: 1", "  stage: 9", "no stage 9"},
		"stages that fall":        {"- 100", "- 4", "rise to 100"},
		"another change":          {"change: replace", "change: burn", "no change"},
		"DAP of another kind":     {"dap: remove", "dap: none", "becomes of DAP"},
		"Tier2 Support":           {"- " + helpdesk, "- e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", "not given to anybody"},
		"no role":                 {"- " + helpdesk, "- 00000000-0000-0000-0000-000000000000", "no role of the directory"},
		"a name that hides":       {"name: PG-c0-example", "name: \u202EPG-c0-example", "no name for a relationship"},
		"too long":                {"duration: P730D", "duration: P731D", "no duration"},
		"years":                   {"duration: P730D", "duration: P2Y", "no duration"},
		"another extension":       {"autoExtend: P180D", "autoExtend: P365D", "no extension"},
		"ends what gives access": {"dropGlobalAdministrator: true", "dropGlobalAdministrator: true\n  end:\n  - id: %WIDE%\n    name: x\n    why: x",
			"afterwards"},
		"ends what was not found": {"  end:\n  - id: ", "  end:\n  - id: z", "did not find"},
		"not UTF-8":               {"cloud: public", "cloud: \xff", "not UTF-8"},
		"deep":                    {"cloud: public", "cloud: " + strings.Repeat("[", 50), "nested deeper"},
		"two documents":           {"cloud: public", "cloud: public\n---\nversion: 1", "more than one document"},
	} {
		at := strings.Index(good, "name: Wide")
		id := good[strings.LastIndex(good[:at], "id: ")+4 : at]
		id, _, _ = strings.Cut(id, "\n")
		text := strings.Replace(good, c.old, strings.ReplaceAll(c.new, "%WIDE%", id), 1)
		if name == "stages that fall" {
			text = strings.Replace(good, "- 100", "- 4", 1)
		}
		if text == good {
			t.Errorf("%s: nothing was changed", name)
		}
		p, err := Read("plan.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%d customers)", name, err, len(p.Customers))
		}
		if err != nil && problem.HintOf(err) == "" && !strings.Contains(name, "UTF") && !strings.Contains(err.Error(), "nested") &&
			!strings.Contains(err.Error(), "anchors") && !strings.Contains(err.Error(), "document") {
			t.Errorf("%s: nobody is told what to do: %v", name, err)
		}
	}
	if _, err := Read("plan.yaml", make([]byte, maxPlan+1)); !errors.Is(err, problem.Limit) {
		t.Errorf("%v", err)
	}
}

// A new relationship with Global Administrator cannot extend itself.
func TestGlobalNeverExtends(t *testing.T) {
	t.Parallel()
	p, _ := aPlan(t)
	i := slices.IndexFunc(p.Customers, func(c Customer) bool { return c.Change == Replace })
	p.Customers[i].Relationship.Roles = append(p.Customers[i].Relationship.Roles, global)
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "cannot extend itself") {
		t.Errorf("%v", err)
	}
	p.Customers[i].Relationship.AutoExtend = ""
	if err := p.Check(); err != nil {
		t.Errorf("%v", err)
	}
	p.Customers[i].Groups[0].Roles = []string{helpdesk, license}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("a group gets what the relationship lacks: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	_, good := aPlan(f)
	f.Add([]byte(good))
	f.Add([]byte("version: 1\ncustomers: [{tenant: x}]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Read("plan.yaml", raw)
		if err != nil {
			if _, ok := errors.AsType[*problem.Error](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		back, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read("plan.yaml", back)
		if err != nil || again.ID() != p.ID() {
			t.Fatalf("%v\n%s", err, back)
		}
	})
}

// Answers of Graph that are none are errors, and none is taken for something else.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, `{}`, `[]`, `{"id":"x"}`, `{"id":"../../users","status":"active"}`, `{"id":7,"status":"active"}`,
		`{"id":"a","status":""}`} {
		if s, err := readSeen([]byte(raw), ""); err == nil {
			t.Errorf("%s: %+v", raw, s)
		}
		if a, err := readAssigned([]byte(raw)); err == nil {
			t.Errorf("%s: %+v", raw, a)
		}
	}
	s, err := readSeen([]byte(`{"id":"A-b","status":"active","customer":null,"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"ABC"}]}}`), "e")
	if err != nil || s.Customer != "" || s.Roles[0] != "abc" || s.ETag != "e" {
		t.Errorf("%+v %v", s, err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"id":"A-b","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"ABC"}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := readSeen(raw, ""); err == nil && (!double.MatchString(s.ID) || s.Status == "") {
			t.Fatalf("%+v", s)
		}
		if a, err := readAssigned(raw); err == nil && (!double.MatchString(a.ID) || a.Status == "") {
			t.Fatalf("%+v", a)
		}
	})
}

// Names that others chose say nothing in a mail but themselves.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	name := "Fab\r\nBcc: all@evil.example\u202e\x00\x1b[31m" + strings.Repeat("x", 5000) + "https://evil.example/"
	c := Customer{Tenant: tenantOf(0), Name: name, Relationship: &Relationship{Roles: []string{helpdesk}, Duration: "P730D", AutoExtend: "P180D"}}
	p := Progress{Relationship: "abc-def", Name: "PG-x", Offered: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), Reminded: 1}
	i := invitation("", &c, &p, name)
	if strings.ContainsAny(i.Subject, "\r\n\x00\x1b\u202e") || utf8.RuneCountInString(i.Subject) > 200 || !strings.HasPrefix(i.Subject, "Reminder: ") {
		t.Errorf("subject: %q", i.Subject)
	}
	if strings.ContainsAny(i.Text, "\r\x00\x1b\u202e") || strings.Contains(i.Text, "\nBcc") || len(i.Text) > 4000 {
		t.Errorf("text: %q", i.Text)
	}
	if i.Link != "https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/abc-def" {
		t.Errorf("link: %s", i.Link)
	}
	for _, w := range []string{"No Global Administrator is needed", "Helpdesk Administrator", "730 days", "2027-01-31",
		"Customer Delegated Admin Relationship Administrator"} {
		if !strings.Contains(i.Text, w) {
			t.Errorf("the invitation does not say %q:\n%s", w, i.Text)
		}
	}
}
