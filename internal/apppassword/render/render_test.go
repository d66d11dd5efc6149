package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/apppassword"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// spiteful is a report whose every text was chosen by somebody else.
func spiteful(bad string) *apppassword.Report {
	day, left := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), 33
	a := apppassword.Account{UPN: bad, ID: bad, Name: bad, PerUser: bad, Works: apppassword.Yes, Why: bad, Settle: bad, Until: &day, DaysLeft: &left,
		Breaks: []string{bad}, Holds: apppassword.Yes, HoldsWhy: bad, Depends: apppassword.Yes, DependsWhy: bad,
		Uses: []apppassword.Use{{Client: bad, Protocol: "smtp", Rows: 1, Last: day}}, Ways: []apppassword.Way{{Protocol: "smtp", Text: "w", Needs: "n"}},
		Paths: []apppassword.Path{{ID: "smtp", Name: "SMTP AUTH", Works: apppassword.Yes, Why: bad, Policies: []string{bad}}}}
	other := a
	other.Works = apppassword.No
	return &apppassword.Report{Schema: apppassword.SchemaID, AsOf: day, Partner: bad, Accounts: []apppassword.Account{a, other},
		Totals: apppassword.Totals{Accounts: 2, Yes: 1, No: 1}, Settings: []apppassword.Setting{{What: "x", Is: bad, Settle: bad}},
		Register: apppassword.Register{Since: &day, Entries: []apppassword.Entry{{At: day, Act: "created", Account: bad, By: bad, Result: bad}}},
		Ends:     []partner.Outlook{{Answer: partner.Hit, Text: bad, Names: []string{bad}}}, Lacks: []string{bad}}
}

// TestHostile: what others wrote steers no terminal and no spreadsheet.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := spiteful("=cmd|' /C calc'!A1\x1b[31m\u202e\r\nx")
	var b bytes.Buffer
	if err := Text(&b, r, print.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.ContainsAny(s, "\x1b\u202e\r") || !strings.Contains(s, "Yes: for 1 of 2 accounts") {
		t.Errorf("%q", s)
	}
	b.Reset()
	if err := CSV(&b, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v %v", rows, err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("column %s: %q", rows[0][i], cell)
			}
		}
	}
}

// TestJSON: lists are never null.
func TestJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JSON(&b, &apppassword.Report{Schema: apppassword.SchemaID}); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"settings", "accounts", "ends", "known", "incomplete", "inputs"} {
		if _, is := m[name].([]any); !is {
			t.Errorf("%s is %v", name, m[name])
		}
	}
}
