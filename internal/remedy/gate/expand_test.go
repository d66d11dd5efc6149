package gate_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
)

func say(moves []gate.Move) string {
	var b strings.Builder
	for _, m := range moves {
		fmt.Fprintf(&b, "%d of %d %s %s %s%s %s\n", m.N, m.Of, m.Do, m.Kind, m.ID, m.Key, m.After)
	}
	return b.String()
}

func expand(t testing.TB, p *remedy.Plan, from, to remedy.Stage) []gate.Move {
	t.Helper()
	moves, err := gate.Expand(p, from, to, world())
	if err != nil {
		t.Fatal(err)
	}
	return moves
}

func stricter(t testing.TB) remedy.Step {
	was := policy(mfaAll, "MFA for all", "enabled", today, "", `"mfa"`)
	s := step(t, remedy.Update, remedy.Policy, mfaAll, was, strings.Replace(was, `"excludeUsers":["`+scanner+`"],`, "", 1))
	s.Staged = true
	return s
}

// TestStages: a new policy takes each stage's form; beside one in force stands a twin until
// all; what loosens comes last.
func TestStages(t *testing.T) {
	loosen := step(t, remedy.Update, remedy.PerUserMFA, ben, `{"perUserMfaState":"enforced"}`, `{"perUserMfaState":"disabled"}`)
	p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)), stricter(t), loosen)
	moves := expand(t, p, "", remedy.ReportOnly)
	if len(moves) != 2 || strings.Count(say(moves), `"state":"enabledForReportingButNotEnforced"`) != 2 || moves[1].Do != remedy.Create || moves[1].Key != "twin-2" {
		t.Errorf("report-only:\n%s", say(moves))
	}
	moves = expand(t, p, remedy.ReportOnly, remedy.Pilot)
	text := say(moves)
	if strings.Contains(text, "All\"],\"excludeGroups") || strings.Count(text, `"includeGroups":["{pilot}"]`) != 2 || strings.Count(text, "group-member") != 2 {
		t.Errorf("pilot:\n%s", text)
	}
	for _, who := range []string{bg1, bg2, sync} {
		if strings.Contains(text, `"member":"`+who) {
			t.Errorf("%s is in a group of a stage:\n%s", who, text)
		}
	}
	if moves[len(moves)-1].ID != "{twin-2}" || moves[len(moves)-1].Do != remedy.Update {
		t.Errorf("the twin is not changed:\n%s", text)
	}
	text = say(expand(t, p, remedy.Pilot, "10%"))
	if strings.Count(text, `"includeGroups":["{pilot}","{share-10}"]`)+strings.Count(text, `"includeGroups":["{share-10}","{pilot}"]`) != 2 || strings.Contains(text, "create group pilot\n") {
		t.Errorf("10%%:\n%s", text)
	}
	moves = expand(t, p, "10%", remedy.All)
	if n := len(moves); n != 4 || moves[1].ID != mfaAll || moves[2].Do != remedy.Delete || moves[2].ID != "{twin-2}" || moves[3].Kind != remedy.PerUserMFA {
		t.Errorf("all:\n%s", say(moves))
	}
	if string(moves[1].After) != string(p.Steps[1].After) {
		t.Errorf("the policy is not as it was wanted: %s", moves[1].After)
	}
	if moves = expand(t, p, "", remedy.All); len(moves) != 3 || strings.Contains(say(moves), "twin") {
		t.Errorf("all at once:\n%s", say(moves))
	}
}

// TestStageOfRole: a policy for a role has groups of its own, of those it is for.
func TestStageOfRole(t *testing.T) {
	p := plan(create(t, policy("", "New", "enabled", `"includeRoles":["`+ga+`"]`, "", `"mfa"`)))
	p.Pilot = []string{ada, ben}
	text := say(expand(t, p, "", remedy.Pilot))
	if !strings.Contains(text, "{pilot-1}") || !strings.Contains(text, `"member":"`+ada) || strings.Contains(text, `"member":"`+ben) {
		t.Errorf("the pilot is not of those whom the policy is for:\n%s", text)
	}
}

// TestStagesRefused: what is no stage, none of the plan's, or lies behind.
func TestStagesRefused(t *testing.T) {
	p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)))
	lonely := plan(p.Steps...)
	lonely.Pilot = nil
	for _, c := range []struct {
		p        *remedy.Plan
		from, to remedy.Stage
	}{{p, "", "20%"}, {p, "30%", remedy.All}, {p, remedy.All, remedy.Pilot}, {p, remedy.Pilot, remedy.Pilot}, {lonely, "", remedy.Pilot},
		{plan(func() remedy.Step {
			s := stricter(t)
			s.Kind = remedy.Location
			return s
		}()), "", remedy.All}} {
		if moves, err := gate.Expand(c.p, c.from, c.to, world()); err == nil {
			t.Errorf("from %q to %q:\n%s", c.from, c.to, say(moves))
		}
	}
}

// TestStagesReachTheWanted: by whatever stages, the policies end as they are wanted, and
// each move can be written.
func TestStagesReachTheWanted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)), stricter(t),
			create(t, policy("", "Admins", "enabled", `"includeRoles":["`+ga+`"]`, "", `"mfa"`)))
		at := remedy.Stage("")
		tenant := world()
		ids := map[string]string{}
		n := 0
		for i, stage := range p.Stages {
			if i < len(p.Stages)-1 && !rapid.Bool().Draw(r, string(stage)) {
				continue
			}
			moves, err := gate.Expand(p, at, stage, world())
			if err != nil {
				r.Fatal(err)
			}
			for k := range moves {
				if _, err := object.ToRequest(&moves[k].Step, ids); err != nil {
					r.Fatalf("%s\n%s", err, say(moves[k:k+1]))
				}
				if moves[k].Key != "" {
					n++
					ids[moves[k].Key] = guid('f', n)
				}
			}
			if tenant, err = gate.Over(tenant, moves, -1, ids); err != nil {
				r.Fatal(err)
			}
			at = stage
		}
		want, err := gate.Expand(p, "", remedy.All, world())
		if err != nil {
			r.Fatal(err)
		}
		direct, err := gate.Over(world(), want, -1, ids)
		if err != nil {
			r.Fatal(err)
		}
		if a, b := policies(tenant), policies(direct); !slices.Equal(a, b) {
			r.Fatalf("by stages\n%s\nat once\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	})
}

// policies are those of a tenant in a form that compares, without ids.
func policies(t *access.Tenant) (out []string) {
	for _, p := range t.Policies {
		c := *p
		c.ID = ""
		raw, _ := json.Marshal(c)
		out = append(out, string(raw))
	}
	slices.Sort(out)
	return out
}
