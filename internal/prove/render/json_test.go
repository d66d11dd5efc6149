package render

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/prove"
	"partnerguard/internal/prove/render/rendertest"
)

func schemaOf(t *testing.T) *pagetest.Schema {
	t.Helper()
	return pagetest.LoadSchema(t, "../../../docs/proof.schema.json", prove.SchemaID)
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
	for _, broken := range []string{`{}`, `{"schema":"partnerguard.proof/2"}`, `{"proofs":null}`, `{"question":"x","verdict":"fine"}`} {
		if len(root.Check(t, broken, "broken")) == 0 {
			t.Errorf("the checker accepts %s", broken)
		}
	}
}

// Every field of the Go types is in the schema, and the other way round.
func TestSchemaMatchesTypes(t *testing.T) {
	t.Parallel()
	schemaOf(t).MatchesTypes(t, []string{"verdict"}, reflect.TypeFor[single](), reflect.TypeFor[prove.Report]())
}

func TestJSONForm(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		out := write(t, JSON, r)
		if !json.Valid([]byte(out)) || !strings.HasSuffix(out, "\n}\n") || !strings.HasPrefix(out, "{\n  \"schema\"") {
			t.Errorf("%s: not an indented object with a line break", kind)
		}
		if strings.Contains(out, ": null") || strings.Contains(out, `\u003c`) {
			t.Errorf("%s: a null, or HTML escapes", kind)
		}
	}
	var one struct {
		Question, Verdict string
		Gaps              []struct {
			Who     struct{ Count int }
			Witness struct {
				Account   string
				Confirmed bool
			}
		}
	}
	if err := json.Unmarshal([]byte(write(t, JSON, rendertest.Single())), &one); err != nil {
		t.Fatal(err)
	}
	if one.Question != "mfa-every-sign-in" || one.Verdict != "gap" || len(one.Gaps) < 3 || !one.Gaps[0].Witness.Confirmed || one.Gaps[0].Who.Count == 0 {
		t.Errorf("%+v", one)
	}
}
