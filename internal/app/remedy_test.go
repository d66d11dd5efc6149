package app_test

import (
	"context"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/remedy/find"
)

// TestRemedySample: the sample partner has a way for each requirement that is not met, and
// what settings decide is proved by its plan.
func TestRemedySample(t *testing.T) {
	r, err := app.Remedy(context.Background(), app.RemedyAsk{Question: app.Question{Now: time.Now()}, By: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.List() {
		t.Logf("%+v", c)
		if c.Goal == "" {
			continue
		}
		p, gates, err := r.Plan(find.Goal{ID: c.Goal, Variant: c.Changes})
		if err != nil {
			t.Errorf("%s: %v", c.Goal, err)
			continue
		}
		for _, s := range p.Steps {
			t.Logf("  step %d %s %s %s %v\n%s\n%s", s.N, s.Do, s.Kind, s.Text, s.Traps, s.Before, s.After)
		}
		for _, g := range gates {
			t.Logf("  gate %s %v %v", g.Stage, g.Passed, g.Answers)
			for _, f := range g.Findings {
				t.Logf("     %s %s %s", f.ID, f.Kind, f.Text)
			}
			for _, w := range g.Ways {
				t.Logf("     way %v", w)
			}
		}
	}
}
