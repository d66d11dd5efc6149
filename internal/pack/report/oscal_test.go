package report

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"partnerguard/internal/assess/render/rendertest"
)

// ecma brings the few classes of ECMA-262's regular expressions that OSCAL uses to Go's.
type ecma struct{ *regexp.Regexp }

func (e ecma) MatchString(s string) bool { return e.Regexp.MatchString(s) }

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		re, err := regexp.Compile(s)
		return ecma{re}, err
	})
	if err := c.AddResource("file:///schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOSCAL holds the assessment results to OSCAL's own schema, for every reader, and for
// reports with nothing and with everything that could be wrong in them.
func TestOSCAL(t *testing.T) {
	t.Parallel()
	schema := compile(t, shared(t, "oscal", "oscal_assessment-results_schema.json"))
	valid := func(name string, in Input) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, in)["oscal/assessment-results.json"]))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range Readers() {
		valid(string(r), input(r))
	}
	for name, change := range map[string]func(*Input){
		"hostile": func(in *Input) { in.Report = rendertest.Hostile() }, "bare": func(in *Input) { in.Report = rendertest.Bare() },
		"no checkpoint": func(in *Input) { in.Checkpoint, in.Where = Checkpoint{}, nil },
	} {
		in := input(Auditor)
		change(&in)
		valid(name, in)
	}
	// The validator is one: a document with a word that OSCAL does not know is refused.
	text := strings.Replace(string(written(t, input(Auditor))["oscal/assessment-results.json"]), `"not-satisfied"`, `"unknown"`, 1)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = schema.Validate(doc)
	}
	if err == nil {
		t.Error("a state that OSCAL does not know was taken")
	}
}

// TestOSCALSays: each requirement that applies is a finding; what is not known is not
// satisfied, and what somebody vouches for says so.
func TestOSCALSays(t *testing.T) {
	t.Parallel()
	in := input(Auditor)
	var d struct {
		AR oscalDocument `json:"assessment-results"`
	}
	if err := json.Unmarshal(written(t, in)["oscal/assessment-results.json"], &d); err != nil {
		t.Fatal(err)
	}
	r := d.AR.Results[0]
	byID := map[string]oscalFinding{}
	for _, f := range r.Findings {
		byID[f.Target.ID] = f
	}
	seen := map[string]bool{}
	for i := range in.Report.Requirements {
		q := &in.Report.Requirements[i]
		f, has := byID[q.ID]
		if has == (q.Verdict == "not_applicable") {
			t.Errorf("%s (%s) has a finding: %v", q.ID, q.Verdict, has)
			continue
		}
		want := map[string]string{"met": "satisfied pass", "not_met": "not-satisfied fail", "unknown": "not-satisfied unknown",
			"attested": "satisfied attested"}
		if got := f.Target.Status.State + " " + f.Target.Status.Reason; has && got != want[string(q.Verdict)] {
			t.Errorf("%s (%s): %s", q.ID, q.Verdict, got)
		}
		if has && len(f.Related) != len(q.Evidence) {
			t.Errorf("%s: %d observations of %d", q.ID, len(f.Related), len(q.Evidence))
		}
		seen[string(q.Verdict)] = true
	}
	if len(seen) < 4 {
		t.Errorf("only the verdicts %v were looked at", seen)
	}
	hrefs := map[string]int{}
	for _, o := range r.Observations {
		for _, e := range o.Evidence {
			hrefs[e.Href]++
		}
	}
	if hrefs["../evidence/s1/4.page"] != 1 || hrefs["../evidence/index.jsonl"] != 1 {
		t.Errorf("references: %v", hrefs)
	}
	if d.AR.ImportAP.Href != "#"+d.AR.BackMatter.Resources[0].UUID {
		t.Errorf("the plan %s is not in the document", d.AR.ImportAP.Href)
	}
}
