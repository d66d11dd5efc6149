package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/doctor"
	"partnerguard/internal/doctor/render"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/print"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func plan(t *testing.T, l evidence.Licence) *doctor.Plan {
	t.Helper()
	p, err := doctor.MakePlan(doctor.Options{AsOf: now, Licence: l})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hostile is a check of an export whose names would do harm on a terminal.
func hostile(t *testing.T) *doctor.Check {
	t.Helper()
	f := facts.New()
	evil := "\x1b]0;gone\x07\u202ename\n= 1"
	quoted, _ := json.Marshal(evil)
	for k, raw := range map[evidence.Kind]string{
		evidence.Group:                   fmt.Sprintf(`{"id":"11111111-1111-4111-8111-111111111111","displayName":%s}`, quoted),
		evidence.ConditionalAccessPolicy: `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeGroups":["11111111-1111-4111-8111-111111111111"]}}}`,
	} {
		if err := f.Take(k, []byte(raw), evidence.Source{Path: evil}); err != nil {
			t.Fatal(err)
		}
	}
	in := evidence.Input{Path: evil, Status: evidence.Partial}
	in.Shorten(evidence.Cut{Kind: evidence.User, Why: "is " + evil, Request: evil, Source: evidence.Source{Path: evil}})
	f.Inputs = append(f.Inputs, in)
	return doctor.MakeCheck(f, doctor.Options{AsOf: now})
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, width := range []int{40, 60, 100} {
		for _, colour := range []bool{false, true} {
			var b bytes.Buffer
			if err := render.CheckText(&b, hostile(t), render.Options{Width: width, Color: colour}); err != nil {
				t.Fatal(err)
			}
			out := b.String()
			if !colour && strings.ContainsAny(out, "\x1b") || strings.ContainsAny(out, "\x07\u202e") || strings.Contains(out, "gone\x07") {
				t.Errorf("%d %v: %q", width, colour, out)
			}
			for l := range strings.SplitSeq(out, "\n") {
				if !colour && print.Width(l) > width {
					t.Errorf("%d: %q", width, l)
				}
			}
			if first, _, _ := strings.Cut(out, "\n"); !strings.Contains(first, "files that the rules") {
				t.Errorf("the answer is not first: %q", first)
			}
		}
	}
}

// What is pasted stands on lines of its own, whole.
func TestPlanText(t *testing.T) {
	t.Parallel()
	p := plan(t, evidence.P2)
	var text, script bytes.Buffer
	if err := render.PlanText(&text, p, render.Options{Width: 60}); err != nil {
		t.Fatal(err)
	}
	if err := render.PlanScript(&script, p); err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Files {
		for l := range strings.SplitSeq(f.PowerShell, "\n") {
			if !strings.Contains(script.String(), "\n"+l+"\n") || !strings.Contains(text.String(), "\n  "+l+"\n") {
				t.Errorf("%s: the line is not whole: %s", f.File, l)
			}
		}
		if strings.Count(text.String(), "\n"+f.File+"\n") != 1 {
			t.Errorf("%s is not there once", f.File)
		}
	}
	if strings.Contains(script.String(), "\r") || !strings.HasPrefix(script.String(), "# ") {
		t.Error("the script")
	}
}

func TestJSONHasListsAndSchema(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{doctor.PlanSchema: plan(t, evidence.Free), doctor.CheckSchema: hostile(t)} {
		var b bytes.Buffer
		if err := render.JSON(&b, v); err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b.Bytes(), &m); err != nil || m["schema"] != name || strings.Contains(b.String(), ": null") {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
	}
}

// docs/exports.md is what go generate makes; docs/answers.md names every field.
func TestDocs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := render.Table(&b); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/exports.md")
	if err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Errorf("docs/exports.md is not up to date: run go generate ./internal/doctor/... (%v)", err)
	}
	answers, err := os.ReadFile("../../../docs/answers.md")
	if err != nil {
		t.Fatal(err)
	}
	var fields func(v any)
	fields = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if !strings.Contains(string(answers), "`"+k+"`") {
					t.Errorf("docs/answers.md does not name %s", k)
				}
				if k != "inputs" {
					fields(e)
				}
			}
		case []any:
			for _, e := range v {
				fields(e)
			}
		}
	}
	for _, v := range []any{plan(t, evidence.Free), hostile(t)} {
		raw, _ := json.Marshal(v)
		var m any
		_ = json.Unmarshal(raw, &m)
		fields(m)
	}
}
