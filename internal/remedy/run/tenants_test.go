//go:build !judge

package run

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// tenant is one lab tenant: what is there before, and the plan.
type tenant struct {
	name string
	make func(r *rig) (steps []remedy.Step, stages []remedy.Stage)
}

var (
	three    = []remedy.Stage{remedy.ReportOnly, "25%", remedy.All}
	straight = []remedy.Stage{remedy.All}
)

// update is a step that changes an object that is there.
func (r *rig) update(kind remedy.Kind, id, text string, staged bool, change func(map[string]any)) remedy.Step {
	r.Helper()
	before := r.live(kind, id)
	return remedy.Step{Do: remedy.Update, Kind: kind, ID: id, Name: text, Text: text, Before: before, Staged: staged,
		After: canonical(r, kind, edited(r, before, change))}
}

// defaultsOff is a tenant with security defaults instead of policies.
func (r *rig) defaults(on bool) {
	r.Helper()
	if on {
		var page struct {
			Value []struct{ ID, State string }
		}
		r.get("/v1.0/identity/conditionalAccess/policies", &page)
		for _, p := range page.Value {
			if p.State == "enabled" {
				r.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+p.ID, `{"state":"disabled"}`)
			}
		}
	}
	r.do("PATCH", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", fmt.Sprintf(`{"isEnabled":%v}`, on))
}

// policyOf makes a policy of the tenant's own, and gives its id.
func (r *rig) policyOf(name string, change func(map[string]any)) string {
	r.Helper()
	var made struct{ ID string }
	raw := r.do("POST", "/v1.0/identity/conditionalAccess/policies", edited(r, remedy.Object(mfaPolicy(name)), change))
	decode(r, raw, &made)
	return made.ID
}

func (r *rig) locationOf(trusted bool) string {
	r.Helper()
	var made struct{ ID string }
	decode(r, r.do("POST", "/v1.0/identity/conditionalAccess/namedLocations", fmt.Sprintf(`{"@odata.type":"#microsoft.graph.ipNamedLocation",`+
		`"displayName":"an office","isTrusted":%v,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange",`+
		`"cidrAddress":"192.0.2.0/24"}]}`, trusted)), &made)
	return made.ID
}

func tenants() (out []tenant) {
	add := func(name string, f func(r *rig) ([]remedy.Step, []remedy.Stage)) {
		out = append(out, tenant{name: name, make: f})
	}
	for _, control := range []string{"mfa", "compliantDevice", "block"} {
		for _, clients := range []string{"all", "exchangeActiveSync", "browser"} {
			add("a new policy that wants "+control+" of "+clients, func(r *rig) ([]remedy.Step, []remedy.Stage) {
				s := r.newPolicy("new")
				s.After = canonical(r, remedy.Policy, (edited(r, s.After, func(m map[string]any) {
					in(m, "conditions")["clientAppTypes"] = []any{clients}
					in(m, "grantControls")["builtInControls"] = []any{control}
				})))
				return []remedy.Step{s}, three
			})
		}
	}
	for _, state := range []string{"enabled", "disabled", "enabledForReportingButNotEnforced"} {
		for _, what := range []string{"a place", "people", "apps"} {
			add("a policy that is "+state+" and leaves out "+what, func(r *rig) ([]remedy.Step, []remedy.Stage) {
				place := ""
				if what == "a place" {
					place = r.locationOf(true)
				}
				id := r.policyOf("theirs", func(m map[string]any) {
					m["state"] = state
					switch c := in(m, "conditions"); what {
					case "a place":
						c["locations"] = map[string]any{"includeLocations": []any{"All"}, "excludeLocations": []any{place}}
					case "people":
						in(c, "users")["excludeUsers"] = []any{r.users[3].ID, r.users[4].ID}
					case "apps":
						in(c, "applications")["excludeApplications"] = []any{"00000002-0000-0ff1-ce00-000000000000"}
					}
				})
				return []remedy.Step{r.update(remedy.Policy, id, "let it leave nothing out", true, func(m map[string]any) {
					m["state"] = "enabled"
					c := in(m, "conditions")
					delete(c, "locations")
					delete(in(c, "users"), "excludeUsers")
					delete(in(c, "applications"), "excludeApplications")
				})}, three
			})
		}
	}
	return append(out, moreTenants()...)
}

// TestTenants: on each of the lab tenants the plan is done in its stages, everything is as it
// is wanted and MFA of everybody is proved where the plan wants it; applied again nothing is
// asked for; taken back, all settings are as they were, and so is the proof.
func TestTenants(t *testing.T) {
	t.Parallel()
	list := tenants()
	if len(list) < 30 {
		t.Errorf("%d tenants", len(list))
	}
	for n := range 4 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sqlite(t))
			for i, x := range list {
				if i%4 != n || testing.Short() && i%12 > 3 {
					continue
				}
				r.oneTenant(i, &x)
				if t.Failed() {
					t.Fatal(x.name)
				}
			}
		})
	}
}

func (r *rig) oneTenant(i int, x *tenant) {
	r.Helper()
	r.defaults(false)
	steps, stages := x.make(r)
	was, proof := r.settings(), r.proof()
	raw := r.plan(func(p *remedy.Plan) { p.ID, p.Stages, p.Pilot = fmt.Sprintf("tenant%d", i), stages, nil }, steps...)
	run := r.approved(raw, "")
	s := r.drive(r.Runner, run.ID, 900)
	if s.State != Ended {
		r.Fatalf("%s: %s", x.name, s.tell())
	}
	for k := range steps {
		st, err := object.Resolved(&steps[k], s.Made)
		r.ok(err)
		if st.ID == "" {
			st.ID = s.Made[steps[k].Key]
		}
		if st.Do != remedy.Delete && st.Do != remedy.Ask && !object.Equal(st.Kind, r.live(st.Kind, st.ID), st.After) {
			r.Errorf("%s: step %d is not as it is wanted: %s", x.name, k+1, r.live(st.Kind, st.ID))
		}
	}
	if strings.Contains(x.name, "wants mfa of all") && r.proof() != "proved" {
		r.Errorf("%s: it is %s", x.name, r.proof())
	}
	again := r.plan(func(p *remedy.Plan) {
		p.ID, p.Stages, p.Pilot = fmt.Sprintf("again%d", i), []remedy.Stage{remedy.All}, nil
	}, r.second(&s, steps)...)
	if len(r.second(&s, steps)) > 0 {
		writes := len(r.wire.written())
		two := r.approved(again, "")
		if t := r.drive(r.Runner, two.ID, 100); t.State != Ended || len(r.wire.written()) != writes {
			r.Errorf("%s: a second plan asked for %q: %s", x.name, r.wire.written()[writes:], t.tell())
		}
	}
	_, err := r.Rollback(r.Context(), run.ID, "the test is over")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 900); s.State != Undone {
		r.Fatalf("%s: %s", x.name, s.tell())
	}
	r.same(was)
	if p := r.proof(); p != proof {
		r.Errorf("%s: the proof was %s and is %s", x.name, proof, p)
	}
	if r.Failed() {
		r.Log(s.tell())
	}
}

// second are the updates of a plan that would make again what it made.
func (r *rig) second(s *Status, steps []remedy.Step) (out []remedy.Step) {
	for i := range steps {
		x := steps[i]
		if x.Do == remedy.Delete || x.Do == remedy.Ask || x.Key != "" && x.Kind != remedy.Policy {
			continue
		}
		st, err := object.Resolved(&x, s.Made)
		r.ok(err)
		if x.Do == remedy.Create {
			st.ID = s.Made[x.Key]
		}
		st.Do, st.Key, st.Staged, st.Before = remedy.Update, "", false, r.live(st.Kind, st.ID)
		out = append(out, *st)
	}
	return out
}

// proof asks whether every sign-in needs MFA, of the policies as they are.
func (r *rig) proof() string {
	r.Helper()
	var page struct{ Value []jsonRaw }
	r.get("/beta/identity/conditionalAccess/policies", &page)
	t := &access.Tenant{Whole: true, RolesKnown: true, Users: r.users, At: r.lab.Now()}
	if len(page.Value) > 0 {
		list, err := access.ParsePolicies(joined(page.Value), len(page.Value))
		r.ok(err)
		t.Policies = list
	}
	q, _ := access.FindQuestion("mfa-every-sign-in")
	p, err := access.Compile(t).Prove(q)
	r.ok(err)
	if p.Verdict != access.Proved {
		r.Log(p.Verdict, p.Reason)
	}
	return string(p.Verdict)
}
