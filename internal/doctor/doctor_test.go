package doctor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// What a rule needs can be asked for, or it is said why not.
func TestEveryNeedHasARequest(t *testing.T) {
	t.Parallel()
	for _, r := range partner.Book() {
		seen := map[evidence.Kind]bool{}
		for _, k := range r.Evidence() {
			if evidence.RequestFor(k) == "" && evidence.WhyNoRequest(k) == "" {
				t.Errorf("%s: nothing says how to get %s", r.ID, k)
			}
			if seen[k] {
				t.Errorf("%s names %s twice", r.ID, k)
			}
			seen[k] = true
		}
		for _, k := range r.Needs {
			if evidence.RequestFor(k) == "" {
				t.Errorf("%s needs %s, which no request gives", r.ID, k)
			}
		}
		for _, k := range r.May {
			if req := evidence.RequestsFor(k); len(req) != 1 || req[0].When == "" {
				t.Errorf("%s may need %s, and its request does not say when", r.ID, k)
			}
		}
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	for _, kind := range partner.Kinds() {
		for _, cloud := range []partner.Cloud{partner.Public, partner.USGov, partner.China} {
			for _, licence := range append(evidence.Licences(), "") {
				name := fmt.Sprintf("%s %s %s", kind, cloud, licence)
				p, err := doctor.MakePlan(doctor.Options{AsOf: now, Kind: kind, Cloud: cloud, Licence: licence})
				if err != nil {
					t.Fatal(name, err)
				}
				checkPlan(t, name, p, licence)
				all, _ := json.Marshal(p)
				for _, host := range map[partner.Cloud][]string{
					partner.Public: {"graph.microsoft.us", "chinacloudapi"}, partner.USGov: {"graph.microsoft.com", "chinacloudapi"},
					partner.China: {"graph.microsoft.com", "graph.microsoft.us", "/security/partner/"},
				}[cloud] {
					if strings.Contains(string(all), host) {
						t.Errorf("%s names %s", name, host)
					}
				}
			}
		}
	}
	if _, err := doctor.MakePlan(doctor.Options{AsOf: now, Cloud: partner.Germany}); !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" {
		t.Errorf("a cloud that is closed: %v", err)
	}
}

func checkPlan(t *testing.T, name string, p *doctor.Plan, licence evidence.Licence) {
	t.Helper()
	var files []evidence.Kind
	for _, f := range p.Files {
		files = append(files, f.Kind)
		if len(f.Requests) == 0 || f.PowerShell == "" || !strings.Contains(f.PowerShell, "Save-Json") || strings.Contains(f.PowerShell, "$expand=members") {
			t.Errorf("%s: %s: %v\n%s", name, f.File, f.Requests, f.PowerShell)
		}
		base := strings.TrimSuffix(f.File, ".json")
		if !strings.Contains(f.PowerShell, base) {
			t.Errorf("%s: the line of %s saves something else: %s", name, f.File, f.PowerShell)
		}
		if licence != "" && !licence.Covers(f.Licence) {
			t.Errorf("%s: %s needs %s", name, f.File, f.Licence)
		}
		for _, perm := range f.Permissions {
			if !slices.Contains(p.Permissions, perm) {
				t.Errorf("%s: %s is not asked for", name, perm)
			}
		}
		if f.Needed != (len(f.NeededBy)+len(f.MayNeededBy) > 0) {
			t.Errorf("%s: %s: %+v", name, f.File, f)
		}
	}
	for _, l := range p.Left {
		if slices.Contains(files, l.Kind) || l.Why == "" {
			t.Errorf("%s: left out: %+v", name, l)
		}
	}
	has := func(k evidence.Kind) bool { return slices.Contains(files, k) }
	if has(evidence.SignIn) == (licence == evidence.Free) || has(evidence.UnifiedAuditSignIn) != (licence == evidence.Free) ||
		has(evidence.RoleEligibility) != (licence == "" || licence == evidence.P2) {
		t.Errorf("%s: %v", name, files)
	}
	for _, pre := range p.Prepare {
		quoted := strings.Count(pre.PowerShell, "'")%2 == 0
		if pre.PowerShell == "" || !quoted || strings.Contains(pre.PowerShell, "%!") || strings.Count(pre.PowerShell, "{") != strings.Count(pre.PowerShell,
			"}") || strings.Count(pre.PowerShell, "(") != strings.Count(pre.PowerShell, ")") {
			t.Errorf("%s: %s", name, pre.PowerShell)
		}
	}
}

// The kinds of partner and the date change what is asked for.
func TestPlanFollowsTheBook(t *testing.T) {
	t.Parallel()
	needs := func(o doctor.Options, k evidence.Kind) []string {
		p, err := doctor.MakePlan(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.Files {
			if f.Kind == k {
				return f.NeededBy
			}
		}
		return nil
	}
	if got := needs(doctor.Options{AsOf: now, Kind: partner.IndirectReseller}, evidence.SecurityAlert); slices.Contains(got, "security-alerts-answered") {
		t.Errorf("an indirect reseller answers alerts: %v", got)
	}
	if got := needs(doctor.Options{AsOf: time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)}, evidence.SecurityRequirement); got != nil {
		t.Errorf("in 2022 the score is needed by %v", got)
	}
}

// read makes facts from records, each kind a whole list of its own file.
func read(t testing.TB, lists map[evidence.Kind][]string) *facts.Facts {
	t.Helper()
	f := facts.New()
	for k, records := range lists {
		in := evidence.Input{Path: string(k) + ".json", Status: evidence.Read}
		in.Count(k, 0)
		for i, r := range records {
			if err := f.Take(k, []byte(r), evidence.Source{Path: in.Path, Index: i + 1}); err != nil {
				t.Fatal(k, err)
			}
			in.Count(k, 1)
		}
		f.Inputs = append(f.Inputs, in)
	}
	return f
}

const (
	policyOfGroup = `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeGroups":["11111111-1111-4111-8111-111111111111"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	policyOfAll   = `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	policyOfPlace = `{"id":"q","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeRoles":["62e90394-69f5-4237-9190-012177145e10"]},"applications":{"includeApplications":["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"operator":"OR","authenticationStrength":{"id":"99999999-0000-4000-8000-000000000001"}}}`
	defaultsOff   = `{"id":"00000000-0000-0000-0000-000000000005","isEnabled":false}`
	ada           = `{"id":"22222222-2222-4222-8222-222222222222","userPrincipalName":"ada@contoso.com","userType":"Member","accountEnabled":true}`
	skuP1         = `{"id":"s","skuId":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM"}]}`
)

func members(n int) string {
	var b []string
	for i := range n {
		b = append(b, fmt.Sprintf(`{"@odata.type":"#microsoft.graph.user","id":"33333333-0000-4000-8000-%012d"}`, i))
	}
	return `{"id":"11111111-1111-4111-8111-111111111111","displayName":"Out","members":[` + strings.Join(b, ",") + `]}`
}

func file(c *doctor.Check, k evidence.Kind) *doctor.CheckFile {
	for i := range c.Files {
		if c.Files[i].Kind == k {
			return &c.Files[i]
		}
	}
	return &doctor.CheckFile{}
}

func rule(c *doctor.Check, id string) *doctor.CheckRule {
	for i := range c.Rules {
		if c.Rules[i].ID == id {
			return &c.Rules[i]
		}
	}
	return &doctor.CheckRule{}
}

func TestCheckLooksInside(t *testing.T) {
	t.Parallel()
	base := func(more map[evidence.Kind][]string) map[evidence.Kind][]string {
		out := map[evidence.Kind][]string{evidence.ConditionalAccessPolicy: {policyOfGroup}, evidence.SecurityDefaults: {defaultsOff}, evidence.User: {ada}}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	for name, c := range map[string]struct {
		lists map[evidence.Kind][]string
		kind  evidence.Kind
		need  string
		want  evidence.Extent
		why   string
	}{
		"a group that is named and absent": {base(nil), evidence.Group, "needed", evidence.Absent, ""},
		"its members not there":            {base(map[evidence.Kind][]string{evidence.Group: {`{"id":"11111111-1111-4111-8111-111111111111","displayName":"Out","securityEnabled":true}`}}), evidence.Group, "needed", evidence.Partly, "the members of group Out (its members are not in the export)"},
		"its members cut at 20": {base(map[evidence.Kind][]string{evidence.Group: {members(20)}}), evidence.Group, "needed", evidence.Partly,
			"exactly 20 members"},
		"its members whole": {base(map[evidence.Kind][]string{evidence.Group: {members(21)}}), evidence.Group, "needed", evidence.Entire, ""},
		"nobody in it":      {base(map[evidence.Kind][]string{evidence.Group: {members(0)}}), evidence.Group, "needed", evidence.Entire, ""},
		"a group in it without members": {base(map[evidence.Kind][]string{evidence.Group: {
			`{"id":"11111111-1111-4111-8111-111111111111","displayName":"Out","members":[{"@odata.type":"#microsoft.graph.group","id":"44444444-4444-4444-8444-444444444444"}]}`,
			`{"id":"44444444-4444-4444-8444-444444444444","displayName":"In"}`}}), evidence.Group, "needed", evidence.Partly, "the members of group Out ("},
		"a group that nobody names": {base(map[evidence.Kind][]string{evidence.ConditionalAccessPolicy: {policyOfAll}, evidence.Group: {members(20)}}),
			evidence.Group, "helps", evidence.Entire, ""},
		"places that nobody names": {base(nil), evidence.NamedLocation, "", evidence.Absent, ""},
		"places that are named": {base(map[evidence.Kind][]string{evidence.ConditionalAccessPolicy: {policyOfPlace}}), evidence.NamedLocation,
			"needed", evidence.Absent, ""},
		"a strength that is named": {base(map[evidence.Kind][]string{evidence.ConditionalAccessPolicy: {policyOfPlace}}),
			evidence.AuthenticationStrength, "needed", evidence.Absent, ""},
		"accounts without id": {base(map[evidence.Kind][]string{evidence.User: {`{"userPrincipalName":"ada@contoso.com","userType":"Member"}`}}),
			evidence.User, "needed", evidence.Partly, "says no id of 1 of its 1 accounts"},
		"a customers list": {base(map[evidence.Kind][]string{evidence.Customer: {`{"id":"c","companyProfile":{"tenantId":"c"}}`}}),
			evidence.Customer, "needed", evidence.Partly, "allowDelegatedAccess for 1 of 1"},
		"each customer":      {base(map[evidence.Kind][]string{evidence.Customer: {`{"id":"c","companyProfile":{"tenantId":"c"},"allowDelegatedAccess":false}`}}), evidence.Customer, "needed", evidence.Entire, ""},
		"no customer at all": {base(map[evidence.Kind][]string{evidence.Customer: {}}), evidence.Customer, "needed", evidence.Entire, ""},
		"fraud events instead of alerts": {base(map[evidence.Kind][]string{evidence.FraudEvent: {`{"eventId":"e","eventStatus":"Resolved"}`}}),
			evidence.SecurityAlert, "needed", evidence.Entire, ""},
		"who may activate a membership": {base(map[evidence.Kind][]string{evidence.Group: {members(0)}}), evidence.GroupEligibility, "needed",
			evidence.Absent, ""},
		"without P2 nobody may": {base(map[evidence.Kind][]string{evidence.Group: {members(0)}, evidence.SubscribedSku: {skuP1}}),
			evidence.GroupEligibility, "", evidence.Absent, ""},
		"eligibility that P1 cannot have": {base(map[evidence.Kind][]string{evidence.SubscribedSku: {skuP1}}), evidence.RoleEligibility, "", evidence.Absent,
			""},
		"eligibility, licence not known": {base(nil), evidence.RoleEligibility, "needed", evidence.Absent, ""},
	} {
		got := file(doctor.MakeCheck(read(t, c.lists), doctor.Options{AsOf: now}), c.kind)
		if got.Need != c.need || got.Extent != c.want {
			t.Errorf("%s: %q %s, want %q %s (%v)", name, got.Need, got.Extent, c.need, c.want, got.Why)
			continue
		}
		said := false
		for _, w := range got.Why {
			said = said || strings.Contains(w.Why, c.why)
		}
		if c.why != "" && !said || (got.Run == "") != (got.Need == "" || got.Extent == evidence.Entire || got.Need == "helps" &&
			got.Extent == evidence.Absent) {
			t.Errorf("%s: %v, run %q", name, got.Why, got.Run)
		}
	}
}

// Policies that are not whole name what nobody knows.
func TestCheckWithoutPolicies(t *testing.T) {
	t.Parallel()
	c := doctor.MakeCheck(read(t, map[evidence.Kind][]string{evidence.User: {ada}}), doctor.Options{AsOf: now})
	if f := file(c, evidence.NamedLocation); f.Need != "not_known" || f.Run == "" {
		t.Errorf("%+v", f)
	}
	r := rule(c, "mfa-every-user")
	if r.Ready || r.Run != evidence.RequestFor(evidence.ConditionalAccessPolicy) ||
		!slices.Equal(r.Absent, []evidence.Kind{evidence.ConditionalAccessPolicy, evidence.SecurityDefaults}) ||
		!slices.Equal(r.There, []evidence.Kind{evidence.User}) {
		t.Errorf("%+v", r)
	}
}

func TestCheckLog(t *testing.T) {
	t.Parallel()
	log := func(days int, both bool, blind int64) *facts.Facts {
		f := read(t, map[evidence.Kind][]string{evidence.SignIn: nil})
		f.Seen[evidence.SignIn] = 4
		last := now.AddDate(0, 0, -1)
		a := signin.Account{Key: "u", Interactive: signin.Counts{}}
		f.SignIns = &signin.Summary{Rows: 4, First: last.AddDate(0, 0, -days), Last: last, WithoutMFAFields: blind}
		a.Interactive[signin.NotChallenged] = 2
		if both {
			a.NonInteractive[signin.NotChallenged] = 2
		}
		f.SignIns.Accounts = []signin.Account{a}
		return f
	}
	for name, c := range map[string]struct {
		f   *facts.Facts
		why string
	}{
		"half a log":         {log(14, true, 0), "less than 30 days"},
		"interactive alone":  {log(30, false, 0), "no non-interactive"},
		"v1.0":               {log(30, true, 4), "lacks every field"},
		"a whole log":        {log(30, true, 0), ""},
		"some rows of v1.0":  {log(30, true, 3), ""},
		"nothing of a log":   {read(t, nil), ""},
		"an empty log, read": {read(t, map[evidence.Kind][]string{evidence.SignIn: {}}), ""},
	} {
		got := file(doctor.MakeCheck(c.f, doctor.Options{AsOf: now, Licence: evidence.P1}), evidence.SignIn)
		switch {
		case c.why != "" && (got.Extent != evidence.Partly || len(got.Why) != 1 || !strings.Contains(got.Why[0].Why, c.why)):
			t.Errorf("%s: %s %v", name, got.Extent, got.Why)
		case c.why == "" && got.Extent == evidence.Partly:
			t.Errorf("%s: %v", name, got.Why)
		}
	}
	c := doctor.MakeCheck(read(t, nil), doctor.Options{AsOf: now, Licence: evidence.Free})
	if r := rule(c, "sign-in-log-access"); r.Ready || !slices.Equal(r.Left, []evidence.Kind{evidence.SignIn}) || r.Run != "" {
		t.Errorf("without P1: %+v", r)
	}
	if len(c.Left) == 0 || !strings.Contains(c.Answer, "cannot be had") {
		t.Errorf("%v %s", c.Left, c.Answer)
	}
}

// Cutting any list of an export never makes a check better, and is named.
func TestCheckIsMonotone(t *testing.T) {
	t.Parallel()
	lists := map[evidence.Kind][]string{
		evidence.ConditionalAccessPolicy: {policyOfGroup, policyOfPlace}, evidence.SecurityDefaults: {defaultsOff}, evidence.User: {ada},
		evidence.Group: {members(0)}, evidence.GroupEligibility: {},
		evidence.NamedLocation: {}, evidence.AuthenticationStrength: {}, evidence.RoleAssignment: {}, evidence.RoleEligibility: {}, evidence.Relationship: {},
		evidence.SubscribedSku: {strings.Replace(skuP1, "AAD_PREMIUM", "AAD_PREMIUM_P2", 1)},
		evidence.SecurityAlert: {}, evidence.SecurityRequirement: {}, evidence.Customer: {}, evidence.MFAAdoption: {}, evidence.RegistrationDetails: {},
		evidence.AuthenticationMethods: {`{"id":"m"}`}, evidence.SignIn: {},
	}
	whole := doctor.MakeCheck(read(t, lists), doctor.Options{AsOf: now})
	if !whole.Complete || whole.Whole != whole.Needed || len(whole.Run) != 0 || len(whole.Left) != 0 {
		t.Fatalf("%s %v", whole.Answer, whole.Run)
	}
	for _, r := range whole.Rules {
		if !r.Ready {
			t.Errorf("%+v", r)
		}
	}
	for k := range lists {
		absent := map[evidence.Kind][]string{}
		for other, v := range lists {
			if other != k {
				absent[other] = v
			}
		}
		cut := read(t, lists)
		for i := range cut.Inputs {
			if _, here := cut.Inputs[i].Kinds[k]; here {
				cut.Inputs[i].NextLink = true
			}
		}
		short := read(t, lists)
		short.Inputs[0].Shorten(evidence.Cut{Kind: k, Why: "is one page", Request: "the one page more"})
		for how, f := range map[string]*facts.Facts{"absent": read(t, absent), "cut": cut, "short": short} {
			c := doctor.MakeCheck(f, doctor.Options{AsOf: now})
			if c.Complete || c.Whole >= c.Needed ||
				!slices.Contains(c.Run, map[bool]string{true: "the one page more", false: evidence.RequestFor(k)}[how == "short"]) {
				t.Errorf("%s %s: %s %v", k, how, c.Answer, c.Run)
			}
		}
	}
}

// A whole list may still leave open what the engine has to know: the check says
// so wherever a proof would be unknown.
func TestCheckAsksTheEngine(t *testing.T) {
	t.Parallel()
	lists := map[evidence.Kind][]string{
		evidence.ConditionalAccessPolicy: {strings.ReplaceAll(policyOfAll, `"applications"`,
			`"locations":{"includeLocations":["All"],"excludeLocations":["66666666-6666-4666-8666-666666666666"]},"applications"`)},
		evidence.SecurityDefaults: {defaultsOff}, evidence.User: {ada}, evidence.SubscribedSku: {skuP1},
		evidence.NamedLocation: {`{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"66666666-6666-4666-8666-666666666666","displayName":"HQ","isTrusted":false}`},
	}
	c := doctor.MakeCheck(read(t, lists), doctor.Options{AsOf: now})
	f, r := file(c, evidence.NamedLocation), rule(c, "mfa-every-sign-in")
	if f.Extent != evidence.Partly || !strings.Contains(f.Why[0].Why, "HQ") || r.Ready || r.Run != evidence.RequestFor(evidence.NamedLocation) {
		t.Errorf("%+v %+v", f, r)
	}
	lists[evidence.NamedLocation] = []string{`{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"66666666-6666-4666-8666-666666666666","displayName":"HQ","ipRanges":[{"cidrAddress":"203.0.113.0/24"}]}`}
	c = doctor.MakeCheck(read(t, lists), doctor.Options{AsOf: now})
	if f, r := file(c, evidence.NamedLocation), rule(c, "mfa-every-sign-in"); f.Extent != evidence.Entire || !r.Ready {
		t.Errorf("%+v %+v", f, r)
	}
}

// FuzzCheck: whatever was read, the check stands.
func FuzzCheck(f *testing.F) {
	f.Add(policyOfGroup, members(20), ada)
	f.Add(policyOfPlace, `{"id":"g","members":[{"id":"g"}]}`, `{}`)
	f.Fuzz(func(t *testing.T, policy, group, user string) {
		facts := facts.New()
		for k, raw := range map[evidence.Kind]string{evidence.ConditionalAccessPolicy: policy, evidence.Group: group, evidence.User: user} {
			_ = facts.Take(k, []byte(raw), evidence.Source{Path: "x"})
		}
		c := doctor.MakeCheck(facts, doctor.Options{AsOf: now})
		if c.Complete || c.Answer == "" || len(c.Rules) == 0 || c.Whole > c.Needed {
			t.Fatalf("%+v", c)
		}
	})
}

// Without Entra ID P2 nobody can be eligible, so that nothing is lost: but only
// the export's own licences say so, a flag does not.
func TestCheckWithoutEligibility(t *testing.T) {
	t.Parallel()
	lost := func(c *doctor.Check) bool {
		for i := range c.Rules {
			if c.Rules[i].ID == "privileged-identity-management" {
				return slices.Contains(c.Rules[i].Left, evidence.RoleEligibility)
			}
		}
		t.Fatal("the rule is not there")
		return false
	}
	if lost(doctor.MakeCheck(read(t, map[evidence.Kind][]string{evidence.SubscribedSku: {skuP1}}), doctor.Options{AsOf: now})) {
		t.Error("the export shows that nobody can be eligible, and the rule waits for the list")
	}
	if !lost(doctor.MakeCheck(read(t, nil), doctor.Options{AsOf: now, Licence: evidence.P1})) {
		t.Error("a flag alone makes a list empty")
	}
}
