package partner

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPracticesAreThoseOfTheTable: the practices are those of the shared table, word by
// word.
func TestPracticesAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	const path = "../../../shared/facts/programme/csp-security-practices.csv"
	f, err := os.Open(path)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the shared folder is absent: the table was not compared")
		}
		t.Skip("NOTE: the shared folder is absent: the table was NOT compared")
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := Practices()
	if len(rows) != len(all)+1 {
		t.Fatalf("%d practices, and the table has %d", len(all), len(rows)-1)
	}
	for i, p := range all {
		got := []string{p.ID, p.Area, strings.TrimSuffix(p.Text, "."), p.Decides, p.Interface, string(p.Mode)}
		if !slices.Equal(got, rows[i+1]) {
			t.Errorf("%s:\n%q\n%q", p.ID, got, rows[i+1])
		}
	}
}

// TestPracticesAreRules: each has what a rule has, binds nobody, and stands on no day before
// its text.
func TestPracticesAreRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range Practices() {
		if seen[p.ID] || p.Title == "" || p.Unit == "" || p.MaxAge.Hours <= 0 || !strings.HasPrefix(p.Source, "https://learn.microsoft.com/") ||
			p.Level != Recommended || p.Mode == ByData && len(p.Needs) == 0 {
			t.Errorf("%+v", p)
		}
		seen[p.ID] = true
		if _, isRule := Find(p.ID); isRule {
			t.Errorf("%s is a rule too", p.ID)
		}
		for _, id := range p.Rules {
			if _, ok := Find(id); !ok {
				t.Errorf("%s takes over %s, which is no rule", p.ID, id)
			}
		}
		if s, _ := p.On(practiceDay.AddDate(0, 0, 1), DirectBill, Public); s != Advised {
			t.Errorf("%s stands as %s", p.ID, s)
		}
		if s, _ := p.On(customerDay.AddDate(0, 0, -1), DirectBill, Public); s != NotYet {
			t.Errorf("%s stood as %s before its text", p.ID, s)
		}
	}
}
