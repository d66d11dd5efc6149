package object_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// merge is what Graph does with a PATCH, in both readings of it: deep says that objects
// are merged, else what is below a member is replaced.
func merge(old, change map[string]any, deep bool) map[string]any {
	out := maps.Clone(old)
	for k, v := range change {
		a, isOld := out[k].(map[string]any)
		b, isNew := v.(map[string]any)
		if deep && isOld && isNew {
			v = merge(a, b, deep)
		}
		out[k] = v
	}
	return out
}

// somePolicy draws a policy as Graph might say it: in any order, with nulls.
func somePolicy(t *rapid.T, label string) map[string]any {
	ids := []any{"All", "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222", "ABCDEF00-3333-3333-3333-333333333333"}
	some := func(name string, from ...any) any {
		switch rapid.IntRange(0, 3).Draw(t, label+name) {
		case 0:
			return nil
		case 1:
			return []any{}
		}
		return rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, label+name)
	}
	oneOf := func(name string, from ...any) any { return rapid.SampledFrom(from).Draw(t, label+name) }
	m := map[string]any{
		"displayName": oneOf("name", "A", "B"), "state": oneOf("state", "enabled", "disabled", "enabledForReportingButNotEnforced"),
		"id": "x", "modifiedDateTime": "2026-01-01T00:00:00Z", "templateId": nil,
		"conditions": map[string]any{
			"users": map[string]any{
				"includeUsers": some("iu", ids...), "excludeUsers": some("eu", ids[1:]...), "includeGroups": some("ig", ids[1:]...),
				"excludeGuestsOrExternalUsers": oneOf("guests", nil, map[string]any{"guestOrExternalUserTypes": "serviceProvider,internalGuest",
					"externalTenants": map[string]any{"@odata.type": "x", "membershipKind": "enumerated", "members": ids[1:2]}},
					map[string]any{"guestOrExternalUserTypes": "internalGuest"}),
			},
			"applications":   map[string]any{"includeApplications": []any{"All"}, "excludeApplications": some("ea", ids[1:]...)},
			"clientAppTypes": []any{"all"}, "platforms": oneOf("platforms", nil, map[string]any{"includePlatforms": []any{"all", "iOS"}}),
			"userRiskLevels": some("risk", "high", "medium"), "insiderRiskLevels": oneOf("insider", nil, "elevated,minor"),
			"agentIdRiskLevels": oneOf("agents", nil, nil, "high"),
		},
		"grantControls": oneOf("grant", map[string]any{"operator": "OR", "builtInControls": []any{"mfa", "compliantDevice"}, "termsOfUse": []any{}},
			map[string]any{"operator": "AND", "builtInControls": []any{"block"}},
			map[string]any{"operator": "OR", "authenticationStrength": map[string]any{"id": ids[1], "displayName": "whatever"}}),
		"sessionControls": oneOf("session", nil, map[string]any{"signInFrequency": map[string]any{"isEnabled": true, "value": 3, "type": "days"}},
			map[string]any{"persistentBrowser": map[string]any{"isEnabled": true, "mode": "never"}, "disableResilienceDefaults": true},
			map[string]any{"persistentBrowser": map[string]any{"isEnabled": false}}),
	}
	return m
}

func canonical(t interface{ Fatal(...any) }, v any) remedy.Object {
	o, err := object.Canonical(remedy.Policy, mustJSON(v))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRequestMakesAfter: a request applied to what was there, in either reading of
// PATCH, gives what is wanted, and its way back what was there.
func TestRequestMakesAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		server := somePolicy(t, "was")
		before, after := canonical(t, server), canonical(t, somePolicy(t, "want"))
		s := &remedy.Step{N: 1, Do: remedy.Update, Kind: remedy.Policy, ID: aPolicy, Before: before, After: after}
		r, err := object.ToRequest(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.None() != object.Equal(remedy.Policy, before, after) {
			t.Fatalf("nothing to do: %v", r.None())
		}
		if r.None() {
			return
		}
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		for _, deep := range []bool{true, false} {
			now := mustJSON(merge(server, body, deep))
			if !object.Equal(remedy.Policy, now, after) {
				t.Fatalf("deep %v: %v\n%s", deep, object.Diff(remedy.Policy, after, now, nil), r.Body)
			}
			back, err := object.Back(s, now)
			if err != nil {
				t.Fatal(err)
			}
			var undo map[string]any
			if err := json.Unmarshal(back.Body, &undo); err != nil {
				t.Fatal(err)
			}
			var current map[string]any
			_ = json.Unmarshal(now, &current)
			for _, deepBack := range []bool{true, false} {
				if then := mustJSON(merge(current, undo, deepBack)); !object.Equal(remedy.Policy, then, before) {
					t.Fatalf("taken back otherwise: %v\n%s", object.Diff(remedy.Policy, before, then, nil), back.Body)
				}
			}
		}
	})
}

// TestDiffIsTrue: there is a difference where two are not equal, and nowhere else; what
// is said to be new is new.
func TestDiffIsTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := canonical(t, somePolicy(t, "a")), canonical(t, somePolicy(t, "b"))
		changes := object.Diff(remedy.Policy, a, b, nil)
		if (len(changes) == 0) != object.Equal(remedy.Policy, a, b) {
			t.Fatalf("%v\n%s\n%s", changes, a, b)
		}
		for _, c := range changes {
			said := c.New == "" || bytes.Contains(b, []byte(c.New))
			was := c.Old == "" || bytes.Contains(a, []byte(c.Old))
			if c.Words == "" || c.Path == "" || c.Old == c.New || !said || !was {
				t.Fatalf("%+v\n%s\n%s", c, a, b)
			}
		}
	})
}

// TestNobodyElse: Back never writes over a value that is neither what was nor what the
// step wrote.
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after, live := canonical(t, somePolicy(t, "a")), canonical(t, somePolicy(t, "b")), canonical(t, somePolicy(t, "c"))
		s := &remedy.Step{N: 1, Do: remedy.Update, Kind: remedy.Policy, ID: aPolicy, Before: before, After: after}
		r, err := object.Back(s, live)
		if err != nil {
			if !errors.Is(err, problem.Conflict) {
				t.Fatal(err)
			}
			return
		}
		if r.None() {
			return
		}
		var now, body map[string]any
		if json.Unmarshal(live, &now) != nil || json.Unmarshal(r.Body, &body) != nil {
			t.Fatal("no JSON")
		}
		then := mustJSON(merge(now, body, true))
		ours := object.Diff(remedy.Policy, before, after, nil)
		for _, c := range object.Diff(remedy.Policy, live, then, nil) {
			near := func(o object.Change) bool {
				return strings.HasPrefix(o.Path+"/", c.Path+"/") || strings.HasPrefix(c.Path+"/", o.Path+"/")
			}
			if !slices.ContainsFunc(ours, near) {
				t.Fatalf("it changes %s, which the step did not", c.Path)
			}
		}
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add("conditional-access-policy", []byte(`{"state":"Enabled","conditions":{"users":{"includeUsers":["all","ALL"]}},"grantControls":{"x":[]}}`))
	f.Add("named-location", []byte(`{"@odata.type":"#microsoft.graph.ipNamedLocation","ipRanges":[{"cidrAddress":"192.0.2.0/24"},{"cidrAddress":3}]}`))
	f.Add("authentication-method", []byte(`{"includeTargets":[{"id":"all_users","isRegistrationRequired":false}],"state":"disabled"}`))
	f.Add("group-member", []byte(`{"group":"{x}","member":"y"}`))
	f.Fuzz(func(t *testing.T, kind string, raw []byte) {
		k := remedy.Kind(kind)
		a, err := object.Canonical(k, raw)
		if err != nil {
			if errors.Is(err, problem.Internal) {
				t.Fatal(err)
			}
			return
		}
		b, err := object.Canonical(k, a)
		if err != nil || !bytes.Equal(a, b) {
			t.Fatalf("not the same again: %v\n%s\n%s", err, a, b)
		}
		if !object.Equal(k, raw, a) || len(object.Diff(k, raw, a, nil)) > 0 && a != nil {
			t.Fatalf("not equal to itself: %s", a)
		}
		if !slices.Equal(object.Unknowns(k, raw), object.Unknowns(k, a)) {
			t.Fatalf("not known: %v, then %v", object.Unknowns(k, raw), object.Unknowns(k, a))
		}
		s := &remedy.Step{N: 1, Do: remedy.Create, Kind: k, After: a}
		if r, err := object.ToRequest(s, nil); err == nil && bytes.Contains(r.Body, []byte(`"unknownFutureValue"`)) {
			t.Fatalf("what was not read is written: %s", r.Body)
		}
		_ = object.Traps(s)
		_, _ = object.Back(s, a)
		_ = object.Check(&remedy.Plan{Steps: []remedy.Step{*s}})
	})
}
