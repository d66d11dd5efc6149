package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// covering is a policy that asks everybody for MFA everywhere.
func covering(change func(*Policy)) *Policy {
	p := &Policy{ID: "all", DisplayName: "All", State: Enabled, GrantControls: &GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}}
	p.Conditions.Users.IncludeUsers = []string{"All"}
	p.Conditions.Applications.IncludeApplications = []string{"All"}
	if change != nil {
		change(p)
	}
	return p
}

func whole(policies ...*Policy) *Tenant {
	return &Tenant{Policies: policies, Users: []Subject{{ID: "u1", Name: "u1@x"}, {ID: "u2", Name: "u2@x"}}, KnownGroups: map[string]bool{}, RolesKnown: true,
		Whole: true}
}

func decode(t testing.TB, text string) *Policy {
	t.Helper()
	var p Policy
	// A value of another type is an error, and the rest is read all the same.
	if err := json.Unmarshal([]byte(text), &p); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
		t.Fatal(err)
	}
	return &p
}

func mustProve(t testing.TB, tenant *Tenant, question string) *Proof {
	t.Helper()
	q, ok := FindQuestion(question)
	if !ok {
		t.Fatalf("no question %s", question)
	}
	p, err := Compile(tenant).Prove(q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOddPolicies: every oddity has a clear answer, and none passes silently.
func TestOddPolicies(t *testing.T) {
	t.Parallel()
	location := func(l *NamedLocation, exclude bool) *Tenant {
		p := covering(nil)
		c := LocationCondition{IncludeLocations: []string{"All"}, ExcludeLocations: []string{l.ID}}
		if !exclude {
			c = LocationCondition{IncludeLocations: []string{l.ID}}
		}
		p.Conditions.Locations.Items = []LocationCondition{c}
		tenant := whole(p)
		tenant.Locations = []*NamedLocation{l}
		return tenant
	}
	ranges := func(cidrs ...string) *NamedLocation {
		l := &NamedLocation{ID: "l", DisplayName: "L"}
		for _, c := range cidrs {
			l.Ranges.Items = append(l.Ranges.Items, IPRange{c})
		}
		return l
	}
	countries := func(c ...string) *NamedLocation {
		return &NamedLocation{ID: "l", DisplayName: "L", Countries: c, UnknownCountry: lenient.Bool{Value: true, Set: true}}
	}
	filter := func(mode, rule string) *Policy {
		return decode(t, fmt.Sprintf(`{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"devices":{"deviceFilter":{"mode":%q,"rule":%q}}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, mode, rule))
	}
	for name, c := range map[string]struct {
		tenant *Tenant
		want   ProofVerdict
		says   string // somewhere in the answer
	}{
		"no conditions": {whole(&Policy{ID: "p", State: Enabled, GrantControls: covering(nil).GrantControls}), GapFound, ""},
		"include none":  {whole(covering(func(p *Policy) { p.Conditions.Users.IncludeUsers = []string{"None"} })), GapFound, "does not include"},
		"exclude all":   {whole(covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"All"} })), GapFound, "excludes all users"},
		"include none, exclude all": {whole(covering(func(p *Policy) {
			p.Conditions.Users = Users{IncludeUsers: []string{"none"}, ExcludeUsers: []string{"all"}}
		})), GapFound, ""},
		"exclude all apps":        {whole(covering(func(p *Policy) { p.Conditions.Applications.ExcludeApplications = []string{"All"} })), GapFound, "excludes"},
		"a deleted user excluded": {whole(covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"gone"} })), Proved, ""},
		"a user excluded who is not in the export": {&Tenant{
			Policies:    []*Policy{covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"somebody"} })},
			KnownGroups: map[string]bool{}, RolesKnown: true,
		}, UnknownProof, "somebody"},
		"an internal guest type excluded, guests not exported": {&Tenant{Policies: []*Policy{covering(func(p *Policy) {
			p.Conditions.Users.ExcludeExternals.Items = []Externals{{Types: []string{"internalGuest"}}}
		})}, KnownGroups: map[string]bool{}, RolesKnown: true}, GapFound, "internal guest"},
		"the same id twice, one off": {whole(covering(nil), covering(func(p *Policy) { p.State = Disabled })), Proved, "more than once"},
		"ids of two tenants": {whole(covering(func(p *Policy) { p.Conditions.Users.IncludeUsers = []string{"other-tenant-1", "other-tenant-2"} })),
			GapFound, ""},
		"defaults and policies at once": {func() *Tenant {
			t := whole(covering(nil))
			t.Defaults = &SecurityDefaults{IsEnabled: lenient.Bool{Value: true, Set: true}}
			return t
		}(), Proved, "security defaults"},

		"0.0.0.0/0 excluded":              {location(ranges("0.0.0.0/0"), true), GapFound, "excludes the location L"},
		"::/0 excluded":                   {location(ranges("::/0"), true), GapFound, "excludes the location L"},
		"all addresses included":          {location(ranges("0.0.0.0/0", "::/0"), false), Proved, ""},
		"all addresses in halves":         {location(ranges("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"), false), Proved, ""},
		"only IPv4 included":              {location(ranges("0.0.0.0/0"), false), GapFound, "does not include the location"},
		"overlapping ranges":              {location(ranges("10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/9", "10.128.0.0/9"), true), GapFound, ""},
		"a malformed range":               {location(ranges("10.0.0.0/33"), true), UnknownProof, "10.0.0.0/33"},
		"a malformed range beside a good": {location(ranges("10.0.0.0/8", "banana"), true), GapFound, "excludes the location L"},
		"an empty location":               {location(&NamedLocation{ID: "l", DisplayName: "L"}, true), UnknownProof, "without ranges"},
		"an empty location included":      {location(&NamedLocation{ID: "l", DisplayName: "L"}, false), UnknownProof, "without ranges"},
		"countries in odd case":           {location(countries("nl", " De "), true), GapFound, "excludes the location L"},
		"a location that is not in the export": {func() *Tenant { t := location(ranges("10.0.0.0/8"), true); t.Locations = nil; return t }(), UnknownProof,
			"named location l"},

		"a long device filter": {whole(filter("exclude", strings.Repeat(`device.displayName -startsWith "PAW" -or `, 75)+`device.isCompliant -eq True`)),
			GapFound, "device"},
		"a filter without a mode":  {whole(filter("", "device.isCompliant -eq True")), UnknownProof, "not counted"},
		"a compliance filter":      {whole(filter("exclude", "device.isCompliant -eq True")), GapFound, "a compliant device"},
		"its own opposite as well": {whole(filter("exclude", "device.isCompliant -eq True"), filter("include", "device.isCompliant -eq True")), Proved, ""},
		"a strength not exported": {whole(covering(func(p *Policy) {
			p.GrantControls = &GrantControls{Operator: "OR", Strength: &Strength{ID: "custom", DisplayName: "Ours"}}
		})), UnknownProof, "strength Ours"},
		"our own policy called baseline": {whole(&Policy{ID: "b", DisplayName: "Baseline policy: Block legacy authentication", State: Enabled,
			Conditions: Conditions{Users: Users{IncludeUsers: []string{"u1"}}}}), GapFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustProve(t, c.tenant, "mfa-every-sign-in")
			if p.Verdict != c.want {
				t.Fatalf("%s because %s, want %s; gaps %v", p.Verdict, p.Reason, c.want, p.Gaps)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.ToLower(string(raw)), strings.ToLower(c.says)) {
				t.Errorf("the answer does not say %q: %s", c.says, raw)
			}
			for _, g := range p.Gaps {
				if !g.Witness.Confirmed {
					t.Errorf("a witness is not confirmed: %s", g.Text)
				}
			}
		})
	}
}

// TestLostClauses: what the lenient reader would drop, and with it an
// exclusion, keeps a policy from counting.
func TestLostClauses(t *testing.T) {
	t.Parallel()
	const frame = `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]%s},"applications":{"includeApplications":["All"]%s}%s},"grantControls":{"operator":"OR","builtInControls":["mfa"]%s}%s}`
	for name, c := range map[string]struct {
		user, app, condition, grant, top string
		counts                           bool
	}{
		"nothing odd": {counts: true},
		"white space in empty lists": {user: ",\"excludeUsers\":[\n \n],\"excludeGroups\":[ ]", condition: ",\"devices\":{\"includeDevices\": [\r\n]}",
			counts: true},
		"all members empty":               {condition: `,"deviceStates":{"includeStates":[],"excludeStates":null},"times":null`, counts: true},
		"expanded groups":                 {user: `,"excludeGroups":[{"id":"g1","displayName":"Break glass"}]`},
		"an object for a list":            {user: `,"excludeUsers":{"id":"u1"}`},
		"a list of lists":                 {user: `,"excludeRoles":[["r1"]]`},
		"a number for a list":             {user: `,"excludeGroups":5`},
		"a list of blanks":                {condition: `,"signInRiskLevels":[""]`},
		"an unknown condition":            {condition: `,"moonPhase":{"include":["full"]}`},
		"an app filter":                   {app: `,"applicationFilter":{"mode":"exclude","rule":"x"}`},
		"conditions given twice":          {top: `,"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}}`},
		"users given twice in other case": {condition: `,"Users":{"excludeUsers":["u1"]}`},
		"two locations":                   {condition: `,"locations":[{"includeLocations":["All"]},{"excludeLocations":["x"]}]`},
		"platforms as a text":             {condition: `,"platforms":"windows"`},
		"another way around":              {grant: `,"termsOfUse":{"id":"t"}`},
		"a strength as a list":            {grant: `,"authenticationStrength":[{"id":"x"}]`},
		"an unknown control":              {grant: `,"biometrics":["any"]`},
		"session controls are no matter":  {top: `,"sessionControls":{"moon":[1]},"sessionControls":{"moon":[2]}`, counts: true},
	} {
		p := decode(t, fmt.Sprintf(frame, c.user, c.app, c.condition, c.grant, c.top))
		if counts := len(p.Unsupported) == 0; counts != c.counts {
			t.Errorf("%s: counted %v, want %v: %v", name, counts, c.counts, p.Unsupported)
		}
		if proof := mustProve(t, whole(p), "mfa-every-sign-in"); (proof.Verdict == Proved) != c.counts {
			t.Errorf("%s: %s because %s", name, proof.Verdict, proof.Reason)
		}
	}
}

// TestNonsenseQuestions: a question that asks nothing is refused or unknown,
// never proved.
func TestNonsenseQuestions(t *testing.T) {
	t.Parallel()
	tenant := whole(covering(nil))
	tenant.Users[0].Roles = []string{"r1"}
	e := Compile(tenant)
	for _, text := range []string{
		``, `null`, `[]`, `7`, `"x"`, `{}`, `{"name":""}`, `{"name":"x","colour":"red"}`, `{"name":"x"}{"name":"y"}`,
		`{"name":"x","require":"magic"}`, `{"name":"x","clients":["fax"]}`, `{"name":"x","clients":[""]}`, `{"name":"x","platforms":["amiga"]}`,
		`{"name":"x","external":["none"]}`, `{"name":"x","external":["martian"]}`, `{"name":"x","users":[" "]}`, `{"name":"x","apps":["none"]}`,
		`{"name":"x","apps":["urn:user:registersecurtyinfo"]}`, `{"name":"x","signInRisk":["extreme"]}`,
	} {
		if _, err := ParseQuestion([]byte(text)); err == nil {
			t.Errorf("%s was taken for a question", text)
		} else if len(err.Error()) < 10 {
			t.Errorf("%s: %v says nothing", text, err)
		}
	}
	for text, want := range map[string]ProofVerdict{
		`{"name":"nobody","users":["nobody@x"]}`:                             UnknownProof,
		`{"name":"half","users":["u1@x","nobody@x"]}`:                        UnknownProof,
		`{"name":"both","users":["u1@x","U2"]}`:                              Proved,
		`{"name":"no role","roles":["no-such-role"]}`:                        UnknownProof,
		`{"name":"admins","roles":["Admins"]}`:                               Proved,
		`{"name":"no guests","external":["guest"]}`:                          UnknownProof,
		`{"name":"eas elsewhere","clients":["eas"],"apps":["app1"]}`:         UnknownProof,
		`{"name":"eas","clients":["eas"]}`:                                   Proved,
		`{"name":"suite","apps":["Office365"]}`:                              Proved,
		`{"name":"every app","apps":["All"]}`:                                Proved,
		`{"name":"blocked","require":"block"}`:                               GapFound,
		`{"name":"action","apps":["urn:user:registersecurityinfo"]}`:         GapFound,
		`{"name":"nowhere","locations":["untrusted"],"userRisk":["medium"]}`: Proved,
	} {
		q, err := ParseQuestion([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		p, err := e.Prove(q)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if p.Verdict != want {
			t.Errorf("%s: %s because %s, want %s", text, p.Verdict, p.Reason, want)
		}
	}
	if _, err := e.Prove(Question{Name: "x", Locations: []string{"nowhere"}}); err == nil {
		t.Error("a location that no policy uses was asked about")
	}
	if p, err := e.Prove(Question{}); err != nil || p.Verdict != Proved {
		t.Errorf("a zero question asks for MFA everywhere: %v %v", p, err)
	}
	// A suite is all of its apps, also those that a policy names.
	only := covering(func(p *Policy) { p.Conditions.Applications.ExcludeApplications = []string{entra.AppExchange} })
	if p, err := Compile(whole(only)).Prove(Question{Name: "suite", Apps: []string{"Office365"}}); err != nil || p.Verdict != GapFound {
		t.Errorf("Exchange is left out, and Office 365 is %v %v", p, err)
	}
}
