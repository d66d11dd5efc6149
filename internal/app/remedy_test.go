package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
)

func remedies(t *testing.T, from ...string) (*app.Remedies, error) {
	t.Helper()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	return app.Remedy(context.Background(), app.RemedyAsk{Reading: app.Reading{From: from, Now: now}, Question: app.Question{Now: now}, By: "test",
		Tenant: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"}, nil)
}

// TestRemedySample: the sample partner has a way for each requirement that is not met, and
// what settings decide is proved by its plan, which reads back as it was written.
func TestRemedySample(t *testing.T) {
	t.Parallel()
	r, err := remedies(t)
	if err != nil {
		t.Fatal(err)
	}
	if n := waysHold(t, "sample", r); n < 6 {
		t.Errorf("settings decide %d requirements", n)
	}
	p, gates, err := r.Plan(find.Goal{Preset: "partner-baseline"})
	if err != nil || len(gates) != 3 || !gates[0].Passed || gates[2].Passed {
		t.Fatalf("%v, %d gates", err, len(gates))
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	for _, goal := range []string{"spare-roles", "per-user-mfa", "eam", "no-dap", "nothing-at-all"} {
		if p, _, err := r.Plan(find.Goal{ID: goal}); err == nil {
			if err := p.Check(); err != nil {
				t.Errorf("%s: %v", goal, err)
			}
		} else {
			t.Logf("%s: %v", goal, err)
		}
	}
}

// waysHold asks of each requirement that is not met for a way, and of each way by settings
// whether its plan, applied to a copy at all, proves the requirement's question where that
// can be proved at all. It counts the requirements that settings decide.
func waysHold(t *testing.T, name string, r *app.Remedies) int {
	t.Helper()
	list := r.List()
	today := access.Compile(r.Settings())
	decided, proved := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		if c.Goal == "" {
			if c.Way == "" {
				t.Errorf("%s: %s has no way", name, c.Requirement)
			}
			continue
		}
		decided[c.Requirement] = true
		p, gates, err := r.Plan(find.Goal{ID: c.Goal, Variant: c.Changes})
		if err != nil {
			t.Errorf("%s: %s by %s: %v", name, c.Goal, c.Changes, err)
			continue
		}
		after := ""
		moves, err := gate.Expand(p, "", remedy.All, r.Settings())
		if err == nil {
			var then *access.Tenant
			if then, err = gate.Over(r.Settings(), moves, -1, nil); err == nil {
				q, asked := access.FindQuestion(c.Question)
				if !asked {
					proved[c.Requirement] = true // no question over all sign-ins decides it
				} else if proof, bad := access.Compile(then).Prove(q); bad == nil {
					after = string(proof.Verdict)
					// What was not read may decide it, and is named then.
					proved[c.Requirement] = proved[c.Requirement] || proof.Verdict == access.UnknownProof && len(proof.Missing) > 0
				}
			}
		}
		if err != nil || after != c.After {
			t.Errorf("%s: %s by %s is said to come to %s, and comes to %q (%v)", name, c.Goal, c.Changes, c.After, after, err)
		}
		if len(gates) != len(p.Stages) {
			t.Errorf("%s: %s has %d gates", name, c.Goal, len(gates))
		}
		proved[c.Requirement] = proved[c.Requirement] || after == "proved"
	}
	for id := range decided {
		q, asked := access.FindQuestion(gate.QuestionOf(id))
		if p, err := today.Prove(q); asked && err == nil && p.Verdict == access.GapFound && !proved[id] {
			t.Errorf("%s: %s has a gap, and no plan proves it", name, id)
		}
	}
	return len(decided)
}

// TestRemedyFields: whatever tools wrote the exports, their unmet requirements have ways,
// and plans come to what is said of them.
func TestRemedyFields(t *testing.T) {
	t.Parallel()
	var folders []string
	for _, kind := range []string{"field", "truth"} {
		found, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", kind, "*"))
		folders = append(folders, found...)
	}
	if len(folders) == 0 {
		t.Skip("no exports here")
	}
	read, decided := 0, 0
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			continue
		}
		r, err := remedies(t, folder)
		if err != nil {
			continue // it has no settings
		}
		read++
		decided += waysHold(t, filepath.Base(folder), r)
	}
	t.Logf("%d folders have settings; settings decide %d requirements there", read, decided)
	if read < 5 || decided == 0 {
		t.Errorf("%d folders were read, %d requirements decided", read, decided)
	}
}

// TestPlansActor: the account that a plan was made for stands in it, by its id; the same plan
// is not checked for another, and for itself where nobody is named.
func TestPlansActor(t *testing.T) {
	t.Parallel()
	ask := func(actor string) app.RemedyAsk {
		now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
		return app.RemedyAsk{Reading: app.Reading{Now: now}, Question: app.Question{Now: now}, By: "test", Actor: actor}
	}
	r, err := app.Remedy(t.Context(), ask("MIA.lindqvist@contoso.com"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := r.Plan(find.Goal{ID: "legacy-blocked"})
	if err != nil || !remedy.PerUserMFA.IsID(p.Actor) || p.Check() != nil {
		t.Fatalf("%q, %v", p.Actor, err)
	}
	for _, same := range []string{"", "mia.lindqvist@contoso.com", p.Actor} {
		gates, _, err := app.CheckPlan(t.Context(), ask(same), p)
		if err != nil {
			t.Fatal(err)
		}
		if way := gates[len(gates)-1].Actor; way == nil || way.Account != "mia.lindqvist@contoso.com" {
			t.Errorf("checked for %q: %+v", same, way)
		}
	}
	for _, other := range []string{"ravi.menon@contoso.com", "nobody@contoso.com"} {
		if _, _, err := app.CheckPlan(t.Context(), ask(other), p); !errors.Is(err, problem.Conflict) {
			t.Errorf("checked for %s: %v", other, err)
		}
	}
	sum := p.SHA256()
	if p.Actor = "somebody"; p.Check() == nil || p.SHA256() == sum {
		t.Error("the account is not checked, or not signed")
	}
}
