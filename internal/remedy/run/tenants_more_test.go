//go:build !judge

package run

import (
	"bytes"
	"encoding/json"
	"testing"

	"partnerguard/internal/remedy"
)

type jsonRaw = json.RawMessage

func joined(list []jsonRaw) []byte {
	all := make([][]byte, len(list))
	for i := range list {
		all[i] = list[i]
	}
	return []byte("[" + string(bytes.Join(all, []byte(","))) + "]")
}

func decode(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// in is a member of an object that is one, made where there is none.
func in(m map[string]any, name string) map[string]any {
	x, _ := m[name].(map[string]any)
	if x == nil {
		x = map[string]any{}
		m[name] = x
	}
	return x
}

func edited(t testing.TB, o remedy.Object, change func(map[string]any)) string {
	t.Helper()
	var m map[string]any
	decode(t, o, &m)
	if change != nil {
		change(m)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// moreTenants are those whose plans change other things than one policy.
func moreTenants() (out []tenant) {
	add := func(name string, f func(r *rig) ([]remedy.Step, []remedy.Stage)) {
		out = append(out, tenant{name: name, make: f})
	}
	add("security defaults, which policies replace", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		r.defaults(true)
		off := r.update(remedy.Defaults, "", "switch security defaults off", false, func(m map[string]any) { m["isEnabled"] = false })
		return []remedy.Step{r.newPolicy("instead of the defaults"), off}, three
	})
	for _, on := range []bool{true, false} {
		add("security defaults that are switched", func(r *rig) ([]remedy.Step, []remedy.Stage) {
			r.defaults(true)
			if on {
				r.defaults(false)
			}
			return []remedy.Step{r.update(remedy.Defaults, "", "switch security defaults", false, func(m map[string]any) { m["isEnabled"] = on })}, straight
		})
	}
	for _, state := range []string{"enabled", "enforced", "disabled"} {
		add("per-user MFA that is to be "+state, func(r *rig) ([]remedy.Step, []remedy.Stage) {
			id := r.users[2].ID
			was := "disabled"
			if state == "disabled" {
				was = "enforced"
			}
			r.do("PATCH", "/beta/users/"+id+"/authentication/requirements", `{"perUserMfaState":"`+was+`"}`)
			return []remedy.Step{r.update(remedy.PerUserMFA, id, "set per-user MFA", false, func(m map[string]any) { m["perUserMfaState"] = state })}, straight
		})
	}
	add("a new place and a policy that leaves it out", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		place := remedy.Step{Do: remedy.Create, Kind: remedy.Location, Key: "office", Name: "office", Text: "make the place", First: true,
			After: canonical(r, remedy.Location, `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"new office","isTrusted":false,`+
				`"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"198.51.100.0/24"}]}`)}
		p := r.newPolicy("but for the office")
		p.After = canonical(r, remedy.Policy, edited(r, p.After, func(m map[string]any) {
			in(m, "conditions")["locations"] = map[string]any{"includeLocations": []any{"All"}, "excludeLocations": []any{"{office}"}}
		}))
		return []remedy.Step{place, p}, three
	})
	add("a place that is no longer trusted", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		id := r.locationOf(true)
		return []remedy.Step{r.update(remedy.Location, id, "trust it no longer", false, func(m map[string]any) { delete(m, "isTrusted") })}, straight
	})
	add("a place that nobody uses and goes", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		id := r.locationOf(false)
		return []remedy.Step{{Do: remedy.Delete, Kind: remedy.Location, ID: id, Text: "take the place away", Before: r.live(remedy.Location, id)}}, straight
	})
	add("a policy that goes", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		id := r.policyOf("superfluous", func(m map[string]any) { m["state"] = "disabled" })
		return []remedy.Step{{Do: remedy.Delete, Kind: remedy.Policy, ID: id, Text: "take the policy away", Before: r.live(remedy.Policy, id)}}, straight
	})
	add("a strength of its own and a policy that wants it", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		s := remedy.Step{Do: remedy.Create, Kind: remedy.Strength, Key: "strong", Name: "strong", Text: "make the strength", First: true,
			After: canonical(r, remedy.Strength, `{"displayName":"ours","description":"","allowedCombinations":["fido2","windowsHelloForBusiness"]}`)}
		p := r.newPolicy("by the strength")
		p.After = canonical(r, remedy.Policy, edited(r, p.After, func(m map[string]any) {
			m["grantControls"] = map[string]any{"operator": "OR", "authenticationStrength": map[string]any{"id": "{strong}"}}
		}))
		return []remedy.Step{s, p}, three
	})
	add("the registration campaign", func(r *rig) ([]remedy.Step, []remedy.Stage) {
		return []remedy.Step{r.update(remedy.Methods, "", "let the campaign run", false, func(m map[string]any) {
			c := in(in(m, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign")
			c["snoozeDurationInDays"] = 3
			c["state"] = "enabled"
		})}, straight
	})
	for _, method := range []string{"sms", "voice", "fido2"} {
		add("the method "+method, func(r *rig) ([]remedy.Step, []remedy.Stage) {
			return []remedy.Step{r.update(remedy.Method, method, "switch "+method, false, func(m map[string]any) {
				if m["state"] == "enabled" {
					m["state"] = "disabled"
				} else {
					m["state"] = "enabled"
				}
			})}, straight
		})
	}
	return out
}
