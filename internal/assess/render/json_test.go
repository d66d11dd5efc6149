package render

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/print"
)

func schemaOf(t *testing.T) *pagetest.Schema {
	t.Helper()
	return pagetest.LoadSchema(t, "../../../docs/report.schema.json", assess.SchemaID)
}

func TestReportsKeepTheSchema(t *testing.T) {
	t.Parallel()
	root := schemaOf(t)
	for kind, r := range reports() {
		if kind == "hostile" || kind == "bare" {
			continue // hostile words and no words are no report of ours
		}
		faults := root.Check(t, write(t, JSON, r), kind)
		for _, f := range faults[:min(len(faults), 10)] {
			t.Error(f)
		}
	}
	// The checker objects when it should.
	for _, broken := range []string{`{}`, `{"schema":"partnerguard.report/2"}`, `{"complete":1}`, `{"requirements":null}`, `{"accounts":[{"mfa":"fine"}]}`,
		`{"extra":1}`, `{"asOf":"yesterday"}`} {
		if len(root.Check(t, broken, "broken")) == 0 {
			t.Errorf("the checker accepts %s", broken)
		}
	}
}

// Every field of the Go types is in the schema, and the other way round.
func TestSchemaMatchesTypes(t *testing.T) {
	t.Parallel()
	schemaOf(t).MatchesTypes(t, []string{"verdict"}, reflect.TypeFor[assess.Report]())
}

func TestJSONForm(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		out := write(t, JSON, r)
		if !json.Valid([]byte(out)) || !strings.HasSuffix(out, "\n}\n") || !strings.HasPrefix(out, "{\n  \"schema\"") {
			t.Errorf("%s: not an indented object with a line break", kind)
		}
		if strings.Contains(out, ": null") || strings.Contains(out, `\u003c`) || strings.Contains(out, `\u0026`) {
			t.Errorf("%s: a null, or HTML escapes", kind)
		}
	}
	// It comes back as it was.
	r := rendertest.Typical()
	var back assess.Report
	if err := json.Unmarshal([]byte(write(t, JSON, r)), &back); err != nil {
		t.Fatal(err)
	}
	if write(t, JSON, &back) != write(t, JSON, r) || back.Requirements[0].Evidence[0].Subject != "frontdesk@contoso.com" {
		t.Error("reading and writing again changes the report")
	}
}

func TestEveryWordHasAMeaning(t *testing.T) {
	t.Parallel()
	root := schemaOf(t)
	for _, b := range root.Enum(t, "requirement", "binding") {
		if b != "advised" && print.Named(bindingWords, b) == b {
			t.Errorf("the binding %s has no words for people", b)
		}
	}
	for _, c := range root.Enum(t, "account", "class") {
		if strings.Contains(print.ClassWord(c), "_") {
			t.Errorf("the class %s has no words for people", c)
		}
	}
	if n := len(root.Enum(t, "account", "strongestFactor")); n != len(factors) {
		t.Errorf("%d factors in the schema, %d here", n, len(factors))
	}
}
