package object_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

const base = `"displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},
	"clientAppTypes":["all"]}`

const aPolicy = "33333333-3333-3333-3333-333333333333"

func policy(more string) remedy.Object { return remedy.Object("{" + base + more + "}") }

func create(o remedy.Object) *remedy.Step {
	return &remedy.Step{N: 1, Do: remedy.Create, Kind: remedy.Policy, After: o}
}

func change(from, to remedy.Object) *remedy.Step {
	return &remedy.Step{N: 1, Do: remedy.Update, Kind: remedy.Policy, ID: aPolicy, Before: from, After: to}
}

func refused(t *testing.T, what string, s *remedy.Step, says string) {
	t.Helper()
	r, err := object.ToRequest(s, nil)
	if err == nil || !r.None() || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v %s", what, err, r.Body)
	}
}

// TestEmptyGrant: azuread#1150, a change for ever of grant controls without a control.
func TestEmptyGrant(t *testing.T) {
	t.Parallel()
	none, empty := policy(`,"grantControls":null,"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"}}`),
		policy(`,"grantControls":{"operator":"AND","builtInControls":[]},"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"}}`)
	if object.Equal(remedy.Policy, none, empty) {
		t.Error("null and empty grant controls are not the same to Graph")
	}
	refused(t, "it is written", create(empty), "grant controls")
	if _, err := object.ToRequest(create(none), nil); err != nil {
		t.Error(err)
	}
	// One that is there already does not stand in the way of another change.
	off := remedy.Object(strings.Replace(string(empty), `"enabled"`, `"disabled"`, 1))
	if r, err := object.ToRequest(change(empty, off), nil); err != nil || string(r.Body) != `{"state":"disabled"}` {
		t.Errorf("%v %s", err, r.Body)
	}
}

// TestSessionDefaults: azuread#1347 and #1235, session controls that the server completes.
func TestSessionDefaults(t *testing.T) {
	t.Parallel()
	for name, x := range map[string][2]string{
		"one control, the others said to be none": {`{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"mcasConfigured"}}`,
			`{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"mcasConfigured"},"signInFrequency":null,"persistentBrowser":null,
			"applicationEnforcedRestrictions":null,"disableResilienceDefaults":null,"secureSignInSession":null}`},
		"a frequency that is off": {`{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"mcasConfigured"}}`,
			`{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"mcasConfigured"},
			"signInFrequency":{"isEnabled":false,"authenticationType":"primaryAndSecondaryAuthentication","frequencyInterval":"timeBased"}}`},
		"what the server adds": {`{"signInFrequency":{"isEnabled":true,"value":4,"type":"hours"}}`,
			`{"signInFrequency":{"isEnabled":true,"value":4.0,"type":"Hours","authenticationType":"primaryAndSecondaryAuthentication",
			"frequencyInterval":"timeBased"},"disableResilienceDefaults":false}`},
	} {
		a, b := policy(`,"sessionControls":`+x[0]), policy(`,"sessionControls":`+x[1])
		if !object.Equal(remedy.Policy, a, b) {
			t.Errorf("%s: %v", name, object.Diff(remedy.Policy, a, b, nil))
		}
	}
	a, b := policy(`,"sessionControls":{"signInFrequency":{"isEnabled":true,"value":4,"type":"hours"}}`),
		policy(`,"sessionControls":{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}`)
	if object.Equal(remedy.Policy, a, b) {
		t.Error("every four hours is not every time")
	}
}

// TestIgnoredFrequency: azuread#587, a frequency that Graph takes and does not follow.
func TestIgnoredFrequency(t *testing.T) {
	t.Parallel()
	refused(t, "a frequency that is not on", create(policy(`,"sessionControls":{"signInFrequency":{"value":1,"type":"hours"}}`)), "isEnabled")
	refused(t, "a frequency of no time", create(policy(`,"sessionControls":{"signInFrequency":{"isEnabled":true}}`)), "no value")
}

// TestFutureValue: azuread#730. The partner cloud, asked without the header for newer
// members, hides one; what is read so is told, and never sent back.
func TestFutureValue(t *testing.T) {
	k := newCloud(t)
	want, err := object.Canonical(remedy.Policy, policy(`,"grantControls":{"operator":"OR","builtInControls":["riskRemediation"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want = remedy.Object(strings.Replace(string(want), `"state":"enabled"`, `"state":"disabled"`, 1))
	s := create(want)
	s.ID = k.do(s, nil)
	live := k.live(remedy.Policy, s.ID)
	if odd := object.Unknowns(remedy.Policy, live); !slices.Equal(odd, []string{"/grantControls/builtInControls"}) {
		t.Fatalf("not known: %v in %s", odd, live)
	}
	got, err := object.Canonical(remedy.Policy, live)
	if err != nil || !strings.Contains(string(got), `"unknownFutureValue"`) {
		t.Fatalf("it was not carried along: %v %s", err, got)
	}
	renamed := remedy.Object(strings.Replace(string(got), `"displayName":"P"`, `"displayName":"Q"`, 1))
	up := &remedy.Step{N: 1, Do: remedy.Update, Kind: remedy.Policy, ID: s.ID, Before: got, After: renamed}
	if r, err := object.ToRequest(up, nil); err != nil || string(r.Body) != `{"displayName":"Q"}` {
		t.Errorf("another member cannot be changed: %v %s", err, r.Body)
	}
	refused(t, "it is sent back", create(got), "not known")
	both := remedy.Object(strings.Replace(string(got), `"unknownFutureValue"`, `"mfa","unknownFutureValue"`, 1))
	refused(t, "it is sent beside another", change(got, both), "not known")
	dropped := remedy.Object(strings.Replace(string(got), `"unknownFutureValue"`, `"mfa"`, 1))
	refused(t, "it is written over", change(got, dropped), "not known")
}

// TestUnknownMembers: what Microsoft adds tomorrow is carried along, and stands in the way
// of whatever would write over it.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	grant := `,"grantControls":{"operator":"OR","builtInControls":["mfa"]}`
	odd := policy(grant + `,"newer":{"a":1}`)
	odd = remedy.Object(strings.Replace(string(odd), `"clientAppTypes"`, `"moonPhase":["full"],"clientAppTypes"`, 1))
	if got := object.Unknowns(remedy.Policy, odd); !slices.Equal(got, []string{"/conditions/moonPhase", "/newer"}) {
		t.Errorf("%v", got)
	}
	c, err := object.Canonical(remedy.Policy, odd)
	if err != nil || !strings.Contains(string(c), `"moonPhase":["full"]`) || !strings.Contains(string(c), `"newer":{"a":1}`) {
		t.Fatalf("%v %s", err, c)
	}
	off := remedy.Object(strings.Replace(string(c), `"state":"enabled"`, `"state":"disabled"`, 1))
	if r, err := object.ToRequest(change(c, off), nil); err != nil || string(r.Body) != `{"state":"disabled"}` {
		t.Errorf("%v %s", err, r.Body)
	}
	wide := remedy.Object(strings.Replace(string(c), `"includeUsers":["All"]`, `"includeUsers":["All"],"excludeUsers":["`+aPolicy+`"]`, 1))
	refused(t, "conditions that hold it", change(c, wide), "/conditions/moonPhase")
}

// TestLeast: a request says what changes, conditions whole, and what shall go by name.
func TestLeast(t *testing.T) {
	t.Parallel()
	from := policy(`,"grantControls":{"operator":"OR","builtInControls":["mfa"]},"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"}}`)
	from = remedy.Object(strings.Replace(string(from), `"includeUsers":["All"]`,
		`"includeUsers":["All"],"excludeGroups":["`+aPolicy+`"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"serviceProvider",
		"externalTenants":{"membershipKind":"all"}}`, 1))
	to := policy(`,"grantControls":{"operator":"OR","builtInControls":["mfa"]}`)
	r, err := object.ToRequest(change(from, to), nil)
	const want = `{"conditions":{"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"users":{"excludeGroups":[],` +
		`"excludeGuestsOrExternalUsers":null,"includeUsers":["All"]}},"sessionControls":null}`
	if err != nil || r.Method != "PATCH" || r.Path != "/v1.0/identity/conditionalAccess/policies/"+aPolicy || string(r.Body) != want {
		t.Errorf("%v\n%s %s\n%s\n%s", err, r.Method, r.Path, r.Body, want)
	}
	r, err = object.ToRequest(change(to, from), nil)
	if err != nil || !strings.Contains(string(r.Body), `"@odata.type":"#microsoft.graph.conditionalAccessAllExternalTenants"`) {
		t.Errorf("tenants without their type: %v %s", err, r.Body)
	}
	agents := remedy.Object(strings.Replace(string(to), `"clientAppTypes"`, `"agentIdRiskLevels":"high","clientAppTypes"`, 1))
	if r, err = object.ToRequest(change(to, agents), nil); err != nil || !strings.HasPrefix(r.Path, "/beta/") {
		t.Errorf("of beta alone: %v %s", err, r.Path)
	}
	if r, err = object.ToRequest(change(agents, to), nil); err != nil || !strings.HasPrefix(r.Path, "/beta/") {
		t.Errorf("taken out of what beta alone has: %v %s", err, r.Path)
	}
	keyed := remedy.Object(strings.Replace(string(to), `"includeUsers":["All"]`, `"includeGroups":["{pilot}"]`, 1))
	refused(t, "a key that nothing was made for", create(keyed), "{pilot}")
	r, err = object.ToRequest(create(keyed), map[string]string{"pilot": aPolicy})
	if err != nil || !strings.Contains(string(r.Body), `"includeGroups":["`+aPolicy+`"]`) {
		t.Errorf("%v %s", err, r.Body)
	}
}

// TestBackKeepsOthers: what somebody else changed beside stays, what they changed of ours
// is a conflict that says what.
func TestBackKeepsOthers(t *testing.T) {
	t.Parallel()
	grant := `,"grantControls":{"operator":"OR","builtInControls":["mfa"]}`
	from := policy(grant)
	to := remedy.Object(strings.Replace(string(from), `"includeUsers":["All"]`, `"includeUsers":["All"],"excludeUsers":["`+aPolicy+`"]`, 1))
	s := change(from, to)
	theirs := remedy.Object(strings.NewReplacer(`"clientAppTypes":["all"]`, `"clientAppTypes":["all"],"userRiskLevels":["high"]`, `"P"`, `"Q"`).
		Replace(string(to)))
	r, err := object.Back(s, theirs)
	const want = `{"conditions":{"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"userRiskLevels":["high"],` +
		`"users":{"excludeUsers":[],"includeUsers":["All"]}}}`
	if err != nil || string(r.Body) != want {
		t.Errorf("%v\n%s\n%s", err, r.Body, want)
	}
	if r, err := object.Back(s, from); err != nil || !r.None() {
		t.Errorf("taken back already: %v %s", err, r.Body)
	}
	ours := remedy.Object(strings.Replace(string(to), aPolicy, "44444444-4444-4444-4444-444444444444", 1))
	r, err = object.Back(s, ours)
	if !errors.Is(err, problem.Conflict) || !r.None() || !strings.Contains(err.Error(), "users left out") {
		t.Errorf("written over somebody else: %v %s", err, r.Body)
	}
	if _, err := object.Back(s, nil); !errors.Is(err, problem.Conflict) {
		t.Errorf("gone: %v", err)
	}
	made := create(to)
	made.ID = aPolicy
	if r, err := object.Back(made, theirs); !errors.Is(err, problem.Conflict) || !r.None() {
		t.Errorf("somebody else's is deleted: %v", err)
	}
	if r, err := object.Back(made, to); err != nil || r.Method != "DELETE" {
		t.Errorf("%v %v", err, r)
	}
}
