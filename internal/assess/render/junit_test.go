package render

import (
	"encoding/xml"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page/pagetest"
)

func parse(t *testing.T, s string) suites {
	t.Helper()
	var doc suites
	if err := xml.Unmarshal([]byte(s), &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range s {
		// XML 1.0, production 2.
		if r != '\t' && r != '\n' && r != '\r' && (r < 0x20 || r == 0xfffe || r == 0xffff) {
			t.Fatalf("%U is not allowed in XML", r)
		}
	}
	return doc
}

func TestJUnitIsXML(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		doc := parse(t, write(t, JUnit, r))
		if doc.Tests != len(r.Requirements) || len(doc.Suites) != 2 || doc.Suites[0].Name != "mandatory" || doc.Suites[1].Name != "recommended" {
			t.Errorf("%s: %d tests in %d suites", kind, doc.Tests, len(doc.Suites))
		}
		sum := 0
		for _, s := range doc.Suites {
			sum += len(s.Cases)
			failures, errs, skipped := 0, 0, 0
			for _, c := range s.Cases {
				if c.Name == "" || !strings.HasPrefix(c.Class, "partnerguard."+s.Name) {
					t.Errorf("%s: case %q of %q", kind, c.Name, c.Class)
				}
				if c.Failure != nil {
					failures++
				}
				if c.Error != nil {
					errs++
				}
				if c.Skipped != nil {
					skipped++
				}
			}
			if len(s.Cases) != s.Tests || failures != s.Failures || errs != s.Errors || skipped != s.Skipped {
				t.Errorf("%s: suite %s does not add up", kind, s.Name)
			}
		}
		if sum != doc.Tests {
			t.Errorf("%s: %d cases, %d tests", kind, sum, doc.Tests)
		}
	}
}

func TestJUnitOutcomes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verdict assess.Verdict
		binding string
		want    string
	}{
		{assess.Met, "contract", "passed"}, {assess.Attested, "contract", "passed"}, {assess.NotMet, "contract", "failure"},
		{assess.NotMet, "enforced", "failure"},
		{assess.NotMet, "advised", "failure"}, {assess.Unknown, "contract", "error"}, {"odd", "contract", "error"},
		{assess.NotApplicable, "contract", "skipped"},
		{assess.NotMet, "announced", "skipped"}, {assess.NotMet, "not_yet", "skipped"}, {assess.Unknown, "ended", "skipped"},
	} {
		r := &assess.Report{Requirements: []assess.Requirement{{ID: "x", Title: "X", Level: "mandatory", Binding: tc.binding, Verdict: tc.verdict,
			Reason: "why"}}}
		c := parse(t, write(t, JUnit, r)).Suites[0].Cases[0]
		got := "passed"
		switch {
		case c.Failure != nil:
			got = "failure"
		case c.Error != nil:
			got = "error"
		case c.Skipped != nil:
			got = "skipped"
		}
		if got != tc.want {
			t.Errorf("%s, %s: %s, want %s", tc.verdict, tc.binding, got, tc.want)
		}
	}
	c := parse(t, write(t, JUnit, rendertest.Typical())).Suites[0].Cases[0]
	pagetest.Has(t, c.Failure.Message+" "+c.Failure.Text, "7 of 41 accounts:", "To do: Require", "frontdesk@contoso.com", "and 3 more")
}
