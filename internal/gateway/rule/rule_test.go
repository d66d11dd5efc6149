package rule

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partnerguard/internal/gateway"
)

const (
	partner  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customer = "9a8b7c6d-0000-4000-8000-000000000002"
	another  = "9a8b7c6d-0000-4000-8000-000000000003"
	tool     = "3d5e7a90-0000-4000-8000-00000000000c"
	client   = "3d5e7a90-0000-4000-8000-00000000000d"
	group    = "3d5e7a90-0000-4000-8000-00000000000e"
	ada      = "3d5e7a90-0000-4000-8000-0000000000aa"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// strict is a route that asks for all there is.
func strict() *gateway.Route {
	return &gateway.Route{
		Name: "strict", Path: "/", Tenants: []string{partner}, Audiences: []string{"api://tool"}, Bearer: true, Browser: true,
		MFA: true, Context: "c1", MaxAge: time.Hour, Leeway: 2 * time.Minute, Clients: []string{client}, Roles: []string{"Admin"}, Groups: []string{group},
		Phases: []gateway.Phase{{Mode: gateway.Enforce}},
	}
}

// good is somebody who satisfies it.
func good() *gateway.Identity {
	return &gateway.Identity{
		Way: gateway.ByBearer, Audience: "api://tool", Tenant: partner, ObjectID: ada, Account: "ada@contoso.example", App: client, Version: "1.0",
		Roles: []string{"Admin"}, Contexts: []string{"c1", "c2"}, AMR: []string{"pwd", "mfa"}, Proven: true, AuthTime: now.Add(-time.Minute).Unix(),
	}
}

func robot() *gateway.Identity {
	return &gateway.Identity{Way: gateway.ByBearer, Audience: "api://tool", Tenant: partner, ObjectID: another, App: tool, IsApp: true,
		Roles: []string{"Admin"}}
}

type change func(r *gateway.Route, id *gateway.Identity)

var cases = []struct {
	name   string
	change change
	want   gateway.Reason
}{
	{"all of it", func(*gateway.Route, *gateway.Identity) {}, gateway.Passed},
	{"foreign tenant", func(_ *gateway.Route, id *gateway.Identity) { id.Tenant = another }, gateway.ForeignTenant},
	{"no tenant", func(r *gateway.Route, id *gateway.Identity) { id.Tenant, r.Tenants = "", []string{""} }, gateway.ForeignTenant},
	{"a guest of the partner's", func(_ *gateway.Route, id *gateway.Identity) { id.Home = another }, gateway.Passed},
	{"AOBO, not allowed", func(_ *gateway.Route, id *gateway.Identity) { id.Tenant, id.Home = customer, partner }, gateway.CustomerNotAllowed},
	{"AOBO, allowed", func(r *gateway.Route, id *gateway.Identity) {
		id.Tenant, id.Home, r.Customers = customer, partner, []string{customer}
	}, gateway.Passed},
	{"AOBO, of another", func(r *gateway.Route, id *gateway.Identity) {
		id.Tenant, id.Home, r.Customers = another, partner, []string{customer}
	}, gateway.CustomerNotAllowed},
	{"AOBO, all", func(r *gateway.Route, id *gateway.Identity) {
		id.Tenant, id.Home, r.AllCustomers = another, partner, true
	}, gateway.Passed},
	{"the customer's own", func(r *gateway.Route, id *gateway.Identity) { id.Tenant, r.AllCustomers = customer, true }, gateway.ForeignTenant},
	{"from a third", func(r *gateway.Route, id *gateway.Identity) {
		id.Tenant, id.Home, r.AllCustomers = customer, another, true
	}, gateway.ForeignTenant},
	{"an app of a customer's", func(r *gateway.Route, id *gateway.Identity) {
		*id = *robot()
		id.Tenant, id.Home, r.AllCustomers = customer, partner, true
	}, gateway.ForeignTenant},
	{"wrong audience", func(_ *gateway.Route, id *gateway.Identity) { id.Audience = "api://other" }, gateway.WrongAudience},
	{"no audience", func(r *gateway.Route, id *gateway.Identity) { id.Audience, r.Audiences = "", nil }, gateway.WrongAudience},
	{"a session's audience is the sign-in's", func(_ *gateway.Route, id *gateway.Identity) { id.Audience, id.Way = client, gateway.BySession }, gateway.Passed},
	{"an app", func(_ *gateway.Route, id *gateway.Identity) { *id = *robot() }, gateway.AppNotAllowed},
	{"another app", func(r *gateway.Route, id *gateway.Identity) { *id = *robot(); r.Apps = []string{client} }, gateway.AppNotAllowed},
	{"an app without a name", func(r *gateway.Route, id *gateway.Identity) { *id = *robot(); id.App, r.Apps = "", []string{""} }, gateway.AppNotAllowed},
	{"that app", func(r *gateway.Route, id *gateway.Identity) { *id = *robot(); r.Apps = []string{tool} }, gateway.Passed},
	{"any app", func(r *gateway.Route, id *gateway.Identity) { *id = *robot(); r.AnyApp = true }, gateway.Passed},
	{"an app without the role", func(r *gateway.Route, id *gateway.Identity) { *id = *robot(); r.AnyApp, id.Roles = true, nil }, gateway.RoleMissing},
	{"single factor", func(_ *gateway.Route, id *gateway.Identity) { id.Proven, id.Lacks = false, gateway.SingleFactor }, gateway.SingleFactor},
	{"not proven, it is not said why", func(_ *gateway.Route, id *gateway.Identity) { id.Proven = false }, gateway.SingleFactor},
	{"third-party", func(_ *gateway.Route, id *gateway.Identity) { id.Proven, id.Lacks = false, gateway.ThirdPartyMFA }, gateway.ThirdPartyMFA},
	{"version 2", func(_ *gateway.Route, id *gateway.Identity) { id.Proven, id.Lacks = false, gateway.VersionHides }, gateway.VersionHides},
	{"version 2 by its context alone", func(r *gateway.Route, id *gateway.Identity) {
		id.Proven, id.Lacks, r.MFA = false, gateway.VersionHides, false
	}, gateway.Passed},
	{"no context", func(_ *gateway.Route, id *gateway.Identity) { id.Contexts = []string{"c10", "C1"} }, gateway.ContextMissing},
	{"too old", func(_ *gateway.Route, id *gateway.Identity) {
		id.AuthTime = now.Add(-62*time.Minute - time.Second).Unix()
	}, gateway.TooOld},
	{"just not too old", func(_ *gateway.Route, id *gateway.Identity) { id.AuthTime = now.Add(-62 * time.Minute).Unix() }, gateway.Passed},
	{"no age", func(_ *gateway.Route, id *gateway.Identity) { id.AuthTime = 0 }, gateway.AgeUnknown},
	{"before all time", func(_ *gateway.Route, id *gateway.Identity) { id.AuthTime = -1 << 62 }, gateway.AgeUnknown},
	{"in the future", func(_ *gateway.Route, id *gateway.Identity) {
		id.AuthTime = now.Add(2*time.Minute + time.Second).Unix()
	}, gateway.AgeUnknown},
	{"by a clock ahead", func(_ *gateway.Route, id *gateway.Identity) { id.AuthTime = now.Add(2 * time.Minute).Unix() }, gateway.Passed},
	{"no age is asked for", func(r *gateway.Route, id *gateway.Identity) { id.AuthTime, r.MaxAge = 0, 0 }, gateway.Passed},
	{"by another client", func(_ *gateway.Route, id *gateway.Identity) { id.App = tool }, gateway.ClientNotAllowed},
	{"by no client", func(r *gateway.Route, id *gateway.Identity) { id.App, r.Clients = "", []string{""} }, gateway.ClientNotAllowed},
	{"by any client", func(r *gateway.Route, id *gateway.Identity) { id.App, r.Clients = tool, nil }, gateway.Passed},
	{"no role", func(_ *gateway.Route, id *gateway.Identity) { id.Roles = []string{"admin"} }, gateway.RoleMissing},
	{"a directory role", func(r *gateway.Route, id *gateway.Identity) {
		id.Roles, id.Wids, r.Roles = nil, []string{tool}, []string{tool}
	}, gateway.Passed},
	{"a group", func(_ *gateway.Route, id *gateway.Identity) { id.Roles, id.Groups = nil, []string{another, group} }, gateway.Passed},
	{"groups elsewhere", func(_ *gateway.Route, id *gateway.Identity) { id.Roles, id.GroupsElsewhere = nil, true }, gateway.RolesElsewhere},
	{"groups elsewhere, and none asked for", func(r *gateway.Route, id *gateway.Identity) {
		id.Roles, id.GroupsElsewhere, r.Groups = nil, true, nil
	}, gateway.RoleMissing},
	{"a role is enough", func(_ *gateway.Route, id *gateway.Identity) { id.GroupsElsewhere = true }, gateway.Passed},
	{"none asked for", func(r *gateway.Route, id *gateway.Identity) { id.Roles, r.Roles, r.Groups = nil, nil, nil }, gateway.Passed},
}

func TestDecide(t *testing.T) {
	t.Parallel()
	seen := map[gateway.Reason]bool{}
	for _, c := range cases {
		r, id := strict(), good()
		c.change(r, id)
		if got := Decide(r, id, now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		seen[c.want] = true
	}
	for _, r := range []gateway.Reason{gateway.ForeignTenant, gateway.WrongAudience, gateway.AppNotAllowed, gateway.SingleFactor, gateway.ThirdPartyMFA,
		gateway.VersionHides, gateway.ContextMissing, gateway.TooOld, gateway.AgeUnknown, gateway.ClientNotAllowed, gateway.RoleMissing,
		gateway.RolesElsewhere, gateway.CustomerNotAllowed} {
		if !seen[r] {
			t.Errorf("%s is in no case", r)
		}
	}
}

// TestOrder mends one thing after the other: what is said is always the first.
func TestOrder(t *testing.T) {
	t.Parallel()
	r, id := strict(), &gateway.Identity{Way: gateway.ByBearer, Tenant: another, Audience: "api://other", IsApp: true, App: tool}
	for _, step := range []struct {
		want gateway.Reason
		mend func()
	}{
		{gateway.ForeignTenant, func() { id.Tenant = partner }}, {gateway.WrongAudience, func() { id.Audience = "api://tool" }},
		{gateway.AppNotAllowed, func() { id.IsApp = false }}, {gateway.SingleFactor, func() { id.Proven = true }},
		{gateway.ContextMissing, func() { id.Contexts = []string{"c1"} }}, {gateway.AgeUnknown, func() { id.AuthTime = now.Add(-24 * time.Hour).Unix() }},
		{gateway.TooOld, func() { id.AuthTime = now.Unix() }}, {gateway.ClientNotAllowed, func() { id.App = client }},
		{gateway.RoleMissing, func() { id.Roles = []string{"Admin"} }}, {gateway.Passed, func() {}},
	} {
		if got := Decide(r, id, now); got != step.want {
			t.Fatalf("%s, want %s", got, step.want)
		}
		step.mend()
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	lacking := func(change func(*gateway.Identity)) *gateway.Identity {
		id := good()
		id.Proven, id.Lacks = false, gateway.SingleFactor
		if change != nil {
			change(id)
		}
		return id
	}
	day := now.Add(time.Hour)
	for _, c := range []struct {
		name    string
		e       gateway.Exception
		id      *gateway.Identity
		want    gateway.Reason
		excused bool
	}{
		{"by id", gateway.Exception{Account: ada, Until: day}, lacking(nil), gateway.SingleFactor, true},
		{"by name", gateway.Exception{Account: "ada@contoso.example", Until: day}, lacking(nil), gateway.SingleFactor, true},
		{"a guest of that name", gateway.Exception{Account: "ada@contoso.example", Until: day}, lacking(func(id *gateway.Identity) { id.Home = another }),
			gateway.SingleFactor, false},
		{"somebody else", gateway.Exception{Account: "bob@contoso.example", Until: day}, lacking(nil), gateway.SingleFactor, false},
		{"nobody", gateway.Exception{Until: day}, lacking(func(id *gateway.Identity) { id.Account, id.ObjectID = "", "" }), gateway.SingleFactor, false},
		{"over", gateway.Exception{Account: ada, Until: now}, lacking(nil), gateway.SingleFactor, false},
		{"without an end", gateway.Exception{Account: ada}, lacking(nil), gateway.SingleFactor, false},
		{"another reason", gateway.Exception{Account: ada, Until: day, Reasons: []gateway.Reason{gateway.TooOld}}, lacking(nil), gateway.SingleFactor, false},
		{"that reason", gateway.Exception{Account: ada, Until: day, Reasons: []gateway.Reason{gateway.SingleFactor}}, lacking(nil), gateway.SingleFactor, true},
		{"two things, one excused", gateway.Exception{Account: ada, Until: day, Reasons: []gateway.Reason{gateway.SingleFactor}},
			lacking(func(id *gateway.Identity) { id.AuthTime = 1 }), gateway.TooOld, false},
		{"two things, both excused", gateway.Exception{Account: ada, Until: day}, lacking(func(id *gateway.Identity) { id.AuthTime = 1 }),
			gateway.SingleFactor, true},
		{"never a role", gateway.Exception{Account: ada, Until: day}, lacking(func(id *gateway.Identity) { id.Roles = nil }), gateway.RoleMissing, false},
		{"never a role, though it says so", gateway.Exception{Account: ada, Until: day, Reasons: []gateway.Reason{gateway.RoleMissing}},
			lacking(func(id *gateway.Identity) { id.Roles, id.Proven = nil, true }), gateway.RoleMissing, false},
		{"an app", gateway.Exception{App: tool, Until: day}, robot(), gateway.AppNotAllowed, true},
		{"an app by its object", gateway.Exception{Account: another, Until: day}, robot(), gateway.AppNotAllowed, false},
		{"a user of that app", gateway.Exception{App: client, Until: day}, lacking(nil), gateway.SingleFactor, false},
		{"nothing to excuse", gateway.Exception{Account: ada, Until: day}, good(), gateway.Passed, false},
	} {
		r := strict()
		r.Exceptions = []gateway.Exception{{Account: "somebody@contoso.example", Until: day}, c.e}
		got, e := Satisfies(r, c.id, now)
		if got != c.want || (e != nil) != c.excused || e != nil && e != &r.Exceptions[1] {
			t.Errorf("%s: %s %v, want %s, excused %v", c.name, got, e, c.want, c.excused)
		}
	}
}

func drawRoute(t *rapid.T) *gateway.Route {
	some := func(name string, of ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[string]).Draw(t, name)
	}
	return &gateway.Route{
		Tenants: some("tenants", partner, customer, another), Audiences: some("audiences", "api://tool", "api://other"),
		MFA: rapid.Bool().Draw(t, "mfa"), Context: rapid.SampledFrom([]string{"", "c1", "c2"}).Draw(t, "context"),
		MaxAge: rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "age"), Leeway: time.Minute,
		Apps: some("apps", tool, client), AnyApp: rapid.Bool().Draw(t, "any app"), Clients: some("clients", tool, client),
		Roles: some("roles", "Admin", "Reader"), Groups: some("groups", group, another), AllCustomers: rapid.Bool().Draw(t, "all customers"),
		Customers: some("customers", customer, another),
	}
}

func drawIdentity(t *rapid.T) *gateway.Identity {
	one := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	id := &gateway.Identity{
		Way: gateway.Way(rapid.IntRange(1, 2).Draw(t, "way")), Audience: one("aud", "api://tool", "api://other", ""),
		Tenant: one("tid", partner, customer, another), Home: one("home", "", "", partner, another), ObjectID: ada, App: one("app", tool, client, ""),
		IsApp: rapid.IntRange(0, 3).Draw(t, "is app") == 0, Proven: rapid.Bool().Draw(t, "proven"),
		Roles: []string{one("role", "Admin", "Reader", "None")}, Groups: []string{one("group", group, another, partner)},
		GroupsElsewhere: rapid.Bool().Draw(t, "elsewhere"), Contexts: []string{one("acrs", "c1", "c2", "c3")},
	}
	id.AuthTime = rapid.SampledFrom([]int64{0, now.Unix(), now.Unix() - 1800, now.Unix() - 7200, now.Unix() - 7*86400, now.Unix() + 3600}).Draw(t, "auth")
	if !id.Proven {
		id.Lacks = rapid.SampledFrom([]gateway.Reason{gateway.SingleFactor, gateway.ThirdPartyMFA, gateway.VersionHides}).Draw(t, "lacks")
	}
	return id
}

// less takes the last of a list away.
func less(list []string) []string { return slices.Clone(list[:max(len(list)-1, 0)]) }

// stricter are ways to ask for more. A list that is empty asks for nothing: taking its
// last value away would ask for less.
var stricter = map[string]func(*gateway.Route){
	"fewer tenants":   func(r *gateway.Route) { r.Tenants = less(r.Tenants) },
	"fewer audiences": func(r *gateway.Route) { r.Audiences = less(r.Audiences) },
	"the claim":       func(r *gateway.Route) { r.MFA = true },
	"a context": func(r *gateway.Route) {
		if r.Context == "" {
			r.Context = "c1"
		}
	},
	"an age": func(r *gateway.Route) {
		if r.MaxAge == 0 || r.MaxAge > time.Minute {
			r.MaxAge = time.Minute
		}
	},
	"not any app":  func(r *gateway.Route) { r.AnyApp = false },
	"fewer apps":   func(r *gateway.Route) { r.Apps = less(r.Apps) },
	"a client":     func(r *gateway.Route) { r.Clients = narrower(r.Clients, client) },
	"a role":       func(r *gateway.Route) { narrowWho(r) },
	"no leeway":    func(r *gateway.Route) { r.Leeway = 0 },
	"customers":    func(r *gateway.Route) { r.AllCustomers = false },
	"one customer": func(r *gateway.Route) { r.Customers = less(r.Customers) },
}

func narrower(list []string, one string) []string {
	switch len(list) {
	case 0:
		return []string{one}
	case 1:
		return list
	}
	return less(list)
}

func narrowWho(r *gateway.Route) {
	if len(r.Roles) == 0 && len(r.Groups) == 0 {
		r.Roles = []string{"Admin"}
	} else if len(r.Groups) > 1 || len(r.Roles) > 0 {
		r.Groups = less(r.Groups)
	}
}

// TestStricterNeverLetsMorePass holds for every rule and everybody.
func TestStricterNeverLetsMorePass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, id := drawRoute(t), drawIdentity(t)
		before := Decide(r, id, now)
		for name, change := range stricter {
			harder := *r
			change(&harder)
			if after := Decide(&harder, id, now); after == gateway.Passed && before != gateway.Passed {
				t.Fatalf("%s lets in whom %s kept out: %+v", name, before, id)
			}
		}
	})
}

// TestExceptionsOnlyExcuse: with exceptions the same comes through or more, and whoever
// does in spite of a reason does so by an exception that is theirs.
func TestExceptionsOnlyExcuse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, id := drawRoute(t), drawIdentity(t)
		plain, _ := Satisfies(r, id, now)
		e := gateway.Exception{Account: ada, Until: now.Add(time.Hour)}
		if rapid.Bool().Draw(t, "one reason") {
			e.Reasons = []gateway.Reason{rapid.SampledFrom(gateway.Reasons()).Draw(t, "reason")}
		}
		r.Exceptions = []gateway.Exception{e}
		reason, by := Satisfies(r, id, now)
		switch {
		case plain == gateway.Passed && (reason != gateway.Passed || by != nil):
			t.Fatalf("an exception keeps out: %s", reason)
		case by != nil && (reason < gateway.AppNotAllowed || reason > gateway.AgeUnknown || reason != plain):
			t.Fatalf("%s is excused, and was %s", reason, plain)
		case by != nil && id.IsApp:
			t.Fatal("an account's exception is an app's")
		case by == nil && plain != gateway.Passed && reason == gateway.Passed:
			t.Fatal("it passes by nothing")
		}
	})
}
