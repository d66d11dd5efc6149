package app_test

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
)

// completed adds to a policy export the directory it does not hold: a plain
// member, a guest, a holder of a harmless role, and one account for every
// group, role and user the policies name. What was unknown for want of members
// then has an answer.
func completed(t *access.Tenant) *access.Tenant {
	t.KnownGroups, t.RolesKnown, t.Whole, t.Users = map[string]bool{}, true, true, nil
	t.OpenGroups, t.OpenActivation, t.OpenRoles, t.EligibleLack, t.PoliciesLack = nil, nil, nil, "", nil
	if t.Defaults == nil {
		t.Defaults = &access.SecurityDefaults{}
	}
	seen := map[string]bool{}
	add := func(s access.Subject) {
		if !seen[s.ID] {
			seen[s.ID] = true
			t.Users = append(t.Users, s)
		}
	}
	add(access.Subject{ID: "member"})
	add(access.Subject{ID: "guest", External: access.CollaborationGuest})
	add(access.Subject{ID: "reports-reader", Roles: []string{"4a5d8f65-41da-4de4-8968-e035b65339cf"}})
	for _, p := range t.Policies {
		u := &p.Conditions.Users
		for _, id := range slices.Concat(u.IncludeGroups, u.ExcludeGroups) {
			id = strings.ToLower(id)
			t.KnownGroups[id] = true
			add(access.Subject{ID: "in-" + id, Groups: []string{id}})
		}
		for _, id := range slices.Concat(u.IncludeRoles, u.ExcludeRoles) {
			id = strings.ToLower(id)
			add(access.Subject{ID: "role-" + id, Roles: []string{id}, Exempt: id == "d29b2b05-8046-44ba-8758-1e26182fcf32"})
		}
		for _, id := range slices.Concat(u.IncludeUsers, u.ExcludeUsers) {
			if id = strings.ToLower(id); id != "all" && id != "none" && id != "guestsorexternalusers" {
				add(access.Subject{ID: id})
			}
		}
	}
	return t
}

// policySets lists the published policy sets: folders that are one tenant, and
// single files where each is a tenant or a moment of its own.
func policySets(t *testing.T) (out []string) {
	t.Helper()
	root := shared(t, "conditional-access")
	out = append(out, "alexfilipin", "fortigi", "graph-docs-examples", "j0eyv-baseline")
	for _, dir := range []string{"caoptics-demodata", "denis-beuermann-tenant"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out = append(out, dir+"/"+filepath.Base(f))
		}
	}
	return out
}

// verdicts of the seven built-in questions in their order, as exported and
// with the directory completed: p proved, g gap, u unknown.
var policySetVerdicts = map[string]string{
	"alexfilipin":                                                    "uuuuugu ggggggg",
	"fortigi":                                                        "uuuuugu ggggggg",
	"graph-docs-examples":                                            "uuuuugu ggggggg",
	"j0eyv-baseline":                                                 "uuuuugu ggpgggp",
	"caoptics-demodata/example1-2.json":                              "uuuuugu ggggggp",
	"caoptics-demodata/extreme.json":                                 "uuuuugu ggugggu",
	"caoptics-demodata/extremelyNarrow.json":                         "guugugg ggugggg",
	"caoptics-demodata/extremelyNarrow2.json":                        "uuuuugu ggugggu",
	"caoptics-demodata/largePol.json":                                "uuuuugu guugggu",
	"caoptics-demodata/lotOfGroups.json":                             "uuuuugu ggpgggp",
	"caoptics-demodata/policies.json":                                "uuuuugu ggugggu",
	"caoptics-demodata/testMapping.json":                             "uuuuugp ggugggp",
	"caoptics-demodata/wLa.json":                                     "uuuuugu ggpgggu",
	"caoptics-demodata/withOnePerm.json":                             "uuuuugu ggggggg",
	"denis-beuermann-tenant/20210511-Policies.json":                  "uuuuugu ggggggg",
	"denis-beuermann-tenant/20210908-Policies.json":                  "uuuuugu ggggggg",
	"denis-beuermann-tenant/20220322-Policies.json":                  "uuuuugu ggggggg",
	"denis-beuermann-tenant/20221209-Policies.json":                  "uuuuugu ggggggg",
	"denis-beuermann-tenant/20230427-conditionalAccessPolicies.json": "uuuuugu ggggggg",
	"denis-beuermann-tenant/20231124-Policies.json":                  "uuuuugu ggggggg",
	"denis-beuermann-tenant/20241201-Policies.json":                  "uuuuugu ggggggu",
}

// TestPolicySets proves every question over every published set, as exported
// and completed: the same answer each time, each gap confirmed by the decision
// engine, nothing left unnamed that was not understood.
func TestPolicySets(t *testing.T) {
	t.Parallel()
	sets := policySets(t)
	if len(sets) != 4+11+7 {
		t.Errorf("%d sets", len(sets))
	}
	notUnderstood := map[string]string{}
	for _, set := range sets {
		f := read(t, append([]string{"conditional-access"}, strings.Split(set, "/")...)...)
		if len(f.Policies) == 0 {
			continue
		}
		letters := ""
		for _, tenant := range []*access.Tenant{f.Tenant(), completed(f.Tenant())} {
			for _, p := range tenant.Policies {
				for _, u := range p.Unsupported {
					notUnderstood[u] = set
				}
			}
			e, again := access.Compile(tenant), access.Compile(tenant)
			for _, q := range access.Questions() {
				p, err := e.Prove(q)
				if err != nil {
					t.Fatalf("%s %s: %v", set, q.Name, err)
				}
				letters += string(p.Verdict)[:1]
				checkProof(t, set+" "+q.Name, e, q, p)
				other, _ := again.Prove(q)
				a, _ := json.Marshal(p)
				b, _ := json.Marshal(other)
				if string(a) != string(b) {
					t.Errorf("%s %s: two runs, two answers", set, q.Name)
				}
			}
			letters += " "
		}
		if letters = strings.TrimSpace(letters); policySetVerdicts[set] != letters {
			t.Errorf("%q: %q, want %q", set, letters, policySetVerdicts[set])
		}
	}
	want := []string{"conditions.applications.globalsecureaccess", "conditions.applications.networkaccess",
		"conditions.devices.excludedevices", "conditions.devices.includedevices", // the old device state preview
		access.CopiesDiffer,
	}
	for _, u := range want {
		if notUnderstood[u] == "" {
			t.Errorf("%s is not named as not understood", u)
		}
		delete(notUnderstood, u)
	}
	for u, set := range notUnderstood {
		t.Errorf("%s in %s is not understood", u, set)
	}
}

// checkProof holds what every answer promises.
func checkProof(t *testing.T, where string, e *access.Engine, q access.Question, p *access.Proof) {
	t.Helper()
	subjects := e.Subjects()
	for _, g := range p.Gaps {
		if !g.Witness.Confirmed || len(g.Why) == 0 || g.Text == "" || g.Who.Count == 0 {
			t.Errorf("%s: a gap is not confirmed or has no words: %+v", where, g)
			continue
		}
		s := g.Witness.SignIn
		s.User = slices.IndexFunc(subjects, func(s access.Subject) bool {
			return s.Name == g.Witness.Account || s.Name == "" && s.ID == g.Witness.Account
		})
		a := e.Decide(s)
		if a.Outcome != g.Witness.Outcome || a.Outcome == access.Blocked || q.Require == access.RequireMFA && a.Outcome == access.MFARequired {
			t.Errorf("%s: Decide says %s (%s) of the witness of %q", where, a.Outcome, a.Reason, g.Text)
		}
	}
	if p.Verdict == access.UnknownProof && len(p.Missing) == 0 && p.Accounts > 0 {
		t.Errorf("%s: unknown, and nothing is named as missing: %s", where, p.Reason)
	}
}

// TestGapsByHand holds the five gaps that docs/prove.md walks through: the gap
// is found, Decide agrees at the witness, and one change of the sign-in, read
// off the policies by hand, closes it.
func TestGapsByHand(t *testing.T) {
	t.Parallel()
	const (
		baseline = "j0eyv-baseline"
		company  = "denis-beuermann-tenant/20241201-Policies.json"
	)
	engine := map[string]*access.Engine{}
	for _, set := range []string{baseline, company} {
		engine[set] = access.Compile(completed(read(t, append([]string{"conditional-access"}, strings.Split(set, "/")...)...).Tenant()))
	}
	device := map[string]bool{}
	signIn := func(client, platform, country string) access.SignIn {
		return access.SignIn{App: "any other app", Client: client, Platform: platform, IP: netip.MustParseAddr("198.51.100.9"), Country: country,
			SignInRisk: "none", Device: device}
	}
	register := signIn("browser", "windows", "NL")
	register.App = "urn:user:registersecurityinfo"
	joining := register
	joining.App = "urn:user:registerdevice"
	for _, c := range []struct {
		name, set, question, account string
		open                         access.SignIn
		closed                       access.SignIn
		closedFor                    string // another account, or "" for the same
		outcome                      access.Outcome
		by                           string
	}{
		{"1 left out of everything", baseline, "mfa-every-sign-in", "in-2802b872-ccfb-4b29-a9a9-459808dfb11b",
			signIn("browser", "windows", "NL"), signIn("browser", "windows", "NL"), "member", access.MFARequired, "CA000"},
		{"2 only the country is asked", baseline, "mfa-every-sign-in", "in-8e75af29-5176-4372-a718-724b8a4620dc",
			signIn("browser", "windows", "BE"), signIn("browser", "windows", "KE"), "", access.Blocked, "CA001"},
		{"3 registering is not targeted", baseline, "register-security-info-protected", "member",
			register, joining, "", access.MFARequired, "CA003"},
		{"4 MFA on phones alone", company, "mfa-every-user", "in-6424e446-c617-4f23-89f5-ec2d7fe08922",
			signIn("browser", "windows", "NL"), signIn("browser", "iOS", "NL"), "", access.MFARequired, "Mobile 4"},
		{"5 the second block is report-only", company, "legacy-blocked", "in-6424e446-c617-4f23-89f5-ec2d7fe08922",
			signIn("other", "windows", "NL"), signIn("other", "windows", "NL"), "member", access.Blocked, "Legacy 1"},
	} {
		e := engine[c.set]
		for _, d := range []string{access.AxisCompliant, access.AxisJoined, access.AxisApprovedApp, access.AxisProtectedApp} {
			device[d] = false
		}
		q, _ := access.FindQuestion(c.question)
		p, err := e.Prove(q)
		if err != nil {
			t.Fatal(err)
		}
		user, ok := e.Find(c.account)
		if !ok || p.GapOf(user) == nil {
			t.Errorf("%s: no gap of %s; %s", c.name, c.account, p.Reason)
			continue
		}
		decide := func(account string, s access.SignIn) access.Answer {
			s.User, _ = e.Find(account)
			// Devices outside every filter.
			s.Device = map[string]bool{}
			for axis := range p.GapOf(user).Witness.SignIn.Device {
				s.Device[axis] = false
			}
			return e.Decide(s)
		}
		if a := decide(c.account, c.open); a.Outcome != access.MFANotRequired {
			t.Errorf("%s: %s, %s", c.name, a.Outcome, a.Reason)
		}
		other := c.closedFor
		if other == "" {
			other = c.account
		}
		if a := decide(other, c.closed); a.Outcome != c.outcome || !strings.Contains(a.Reason, c.by) {
			t.Errorf("%s: %s, %s; want %s by %s", c.name, a.Outcome, a.Reason, c.outcome, c.by)
		}
	}
}
