//go:build !judge

package budget

import (
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/problem"
)

func written(t testing.TB) string {
	t.Helper()
	p := plan(2)
	raw, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// What is written is read as it was.
func TestFile(t *testing.T) {
	t.Parallel()
	p, err := Read("budgets.yaml", []byte(written(t)))
	if want := plan(2); err != nil || p.ID() != want.ID() || !reflect.DeepEqual(p.Customers, want.Customers) {
		t.Errorf("%+v %v", p, err)
	}
}

// What a plan's file says is taken at its word, and what could not be, is refused.
func TestHostilePlans(t *testing.T) {
	t.Parallel()
	good := written(t)
	for name, c := range map[string]struct{ old, new, says string }{
		"an unknown member":       {"version: 1", "version: 1\nrelationshipToPartner: none", "unknown field"},
		"a member twice":          {"version: 1", "version: 1\nversion: 1", "not readable"},
		"another version":         {"version: 1", "version: 2", "version is 2"},
		"an anchor":               {"cloud: public", "cloud: &a public", "anchors"},
		"no cloud":                {"cloud: public", "cloud: ''", "no cloud"},
		"no tenant":               {"tenant: " + partnerID, "tenant: contoso.example", "not an id"},
		"the partner as customer": {"tenant: " + tenantOf(0), "tenant: " + partnerID, "no customer's tenant"},
		"upper case":              {"tenant: " + tenantOf(0), "tenant: " + strings.ToUpper(tenantOf(0)), "no customer's tenant"},
		"a customer twice":        {"tenant: " + tenantOf(0), "tenant: " + tenantOf(1), "named twice"},
		"a subscription twice":    {"subscription: " + subOf(0), "subscription: " + subOf(1), "twice"},
		"no subscription":         {"subscription: " + subOf(0), "subscription: ../../x", "no subscription"},
		"nothing":                 {"amount: 500.0\n    was", "amount: 0\n    was", "no amount"},
		"less than nothing":       {"amount: 500.0\n    was", "amount: -500\n    was", "no amount"},
		"no number":               {"amount: 500.0\n    was", "amount: .nan\n    was", "no amount"},
		"all the money":           {"amount: 500.0\n    was", "amount: 1e12\n    was", "no amount"},
		"parts of a cent":         {"amount: 500.0\n    was", "amount: 500.0001\n    was", "no amount of money"},
		"a word":                  {"amount: 500.0\n    was", "amount: much\n    was", ""},
		"another was":             {"was: none", "was: perhaps", "nothing that was there"},
		"tells nobody":            {"contactRoles:\n    - Owner\n    was", "was", "tells nobody"},
		"another role":            {"- Owner", "- Reader;Owner", "no role"},
		"another currency":        {"currency: EUR", "currency: eur", "no currency"},
		"two documents":           {"version: 1", "version: 1\n---\nversion: 1", ""},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Errorf("%s: the plan has no %q:\n%s", name, c.old, good)
			continue
		}
		if _, err := Read("budgets.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "budgets.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead: whatever is read as a plan can be written and is the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(written(f)))
	f.Add([]byte("version: 1\ncustomers: [{azure: [null]}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Read("x", raw)
		if err != nil {
			if problem.HintOf(err) == "" && err.Error() == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		b, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read("x", b)
		if err != nil || again.ID() != p.ID() {
			t.Errorf("%v: %s", err, b)
		}
	})
}
