package render

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
)

func schemaOf(t *testing.T) *pagetest.Schema {
	t.Helper()
	return pagetest.LoadSchema(t, "../../../docs/practices.schema.json", practice.SchemaID)
}

// TestSchemaMatchesTypes: every member of the Go types is in the schema, and the other way
// round.
func TestSchemaMatchesTypes(t *testing.T) {
	t.Parallel()
	schemaOf(t).MatchesTypes(t, []string{"verdict"}, reflect.TypeFor[practice.Report]())
}

// TestReportKeepsTheSchema: what is judged of nothing and written has the form, and the
// checker objects when it should.
func TestReportKeepsTheSchema(t *testing.T) {
	t.Parallel()
	root, at := schemaOf(t), time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	f := facts.New()
	f.SetTime(at)
	f.Inputs = []evidence.Input{{Path: "users.json", Format: "JSON", Status: evidence.Read}}
	o := assess.Options{AsOf: at, Kind: partner.DirectBill, Cloud: partner.Public}
	r := practice.Judge(f, assess.Assess(f, o), practice.Options{AsOf: at, Kind: partner.DirectBill, Cloud: partner.Public, Assess: o})
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, fault := range root.Check(t, b.String(), "of nothing") {
		t.Error(fault)
	}
	for _, broken := range []string{`{}`, `{"schema":"partnerguard.practices/2"}`, `{"practices":null}`, `{"extra":1}`, `{"sum":{"met":-1}}`} {
		if len(root.Check(t, broken, "broken")) == 0 {
			t.Errorf("the checker accepts %s", broken)
		}
	}
}
