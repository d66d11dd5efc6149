package signon

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func TestBaselineScopes(t *testing.T) {
	for _, c := range []struct {
		scopes []string
		want   bool
	}{
		{nil, true}, {[]string{"openid", "profile"}, true}, {[]string{"user.read", "People.Read.All"}, true},
		{[]string{"User.Read", "Directory.Read.All"}, false},
		{[]string{"Mail.Read"}, false},
	} {
		if got := BaselineScopes(c.scopes); got != c.want {
			t.Errorf("%v: %v", c.scopes, got)
		}
	}
}

// A policy for all resources with an exclusion reaches who asks for baseline scopes
// alone since June 2026, unless the tenant holds to the old rule.
func TestBaselineScopesMeetPoliciesWithExclusions(t *testing.T) {
	const excluded = "5a000000-0000-4000-8000-0000000000ee"
	build := func(at time.Time, apps string) (*world.State, *Attempt) {
		clock := world.NewClock(func() time.Time { return at })
		w := world.New(1, clock)
		var s *world.State
		w.Read(func(x *world.State) { s = x })
		p := &world.Tenant{
			ID: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", Name: "Contoso", Domains: []string{"contoso.com"},
			SKUs: []world.SKU{{Status: "Enabled", Enabled: 5, Plans: []world.Plan{{Name: world.PlanP1}}}},
		}
		u := &world.User{ID: "00000000-0000-4000-8000-00000000000a", UPN: "ada@contoso.com", Enabled: true}
		p.Users.Put(u)
		p.Policies.Put(&world.Document{ID: "ca", Raw: json.RawMessage(`{"id":"ca","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},
			"applications":` + apps + `,"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)})
		s.Put(p)
		return s, &Attempt{Tenant: p, Home: p, User: u, AppID: excluded, Resource: entra.AppGraph, Client: Browser, Interactive: true, AuthTime: at}
	}
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	with := `{"includeApplications":["All"],"excludeApplications":["` + excluded + `"]}`
	graph := `{"includeApplications":["All"],"excludeApplications":["` + entra.AppGraph + `"]}`
	for name, c := range map[string]struct {
		at    time.Time
		apps  string
		f     func(a *Attempt)
		asked bool
	}{
		"more than baseline scopes":             {now, with, func(*Attempt) {}, true},
		"baseline scopes":                       {now, with, func(a *Attempt) { a.Baseline = true }, true},
		"baseline scopes of an excluded Graph":  {now, graph, func(a *Attempt) { a.Baseline = true }, true},
		"more, of an excluded Graph":            {now, graph, func(*Attempt) {}, false},
		"the old rule by setting":               {now, with, func(a *Attempt) { a.Baseline, a.Tenant.BaselineScopes = true, world.BaselineOff }, false},
		"the old rule by date":                  {now.AddDate(0, -7, 0), with, func(a *Attempt) { a.Baseline = true }, false},
		"an excluded client that only signs in": {now, with, func(a *Attempt) { a.Baseline, a.SignInOnly = true, true }, false},
		"another client that only signs in":     {now, with, func(a *Attempt) { a.Baseline, a.SignInOnly, a.AppID = true, true, "x" }, true},
		"no exclusion": {now, `{"includeApplications":["All"]}`,
			func(a *Attempt) { a.Baseline, a.Tenant.BaselineScopes = true, world.BaselineOff }, true},
	} {
		s, a := build(c.at, c.apps)
		c.f(a)
		r := Judge(s, a)
		if asked := r.Outcome != Allow; asked != c.asked {
			t.Errorf("%s: %s", name, r.Outcome)
		}
		row := Row(s, a, &r, -1)
		if a.Baseline != slices.Equal(row.Audiences, []string{entra.AppAADGraph}) && name[:3] != "the" && name != "no exclusion" {
			t.Errorf("%s: audiences %v", name, row.Audiences)
		}
	}
}
