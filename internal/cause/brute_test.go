package cause_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/cause"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin"
)

func userID(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-0000000000%02d", i) }

const people = 8

// tangle is a random export: exclusions of every kind, policies that are off or
// for some, an emergency account, guests, a group whose members are not shown.
func tangle(r *rand.Rand) map[evidence.Kind][]string {
	coin := func(n int) bool { return r.IntN(n) == 0 }
	out := map[evidence.Kind][]string{evidence.SecurityDefaults: {off}, evidence.NamedLocation: {here}}
	for i := range people {
		name, kind := fmt.Sprintf("u%d", i), "Member"
		switch {
		case i == 0:
			name = "breakglass"
		case i == 1:
			kind = "Guest"
		}
		out[evidence.User] = append(out[evidence.User], fmt.Sprintf(
			`{"id":"%s","userPrincipalName":"%s@contoso.example","accountEnabled":true,"userType":"%s"}`,
			userID(i), name, kind))
		methods := `"microsoftAuthenticatorPush"`
		if coin(3) {
			methods = ""
		}
		if !coin(4) {
			out[evidence.RegistrationDetails] = append(out[evidence.RegistrationDetails],
				fmt.Sprintf(`{"id":"%s","userPrincipalName":"%s@contoso.example","methodsRegistered":[%s]}`, userID(i), name, methods))
		}
	}
	out[evidence.RoleAssignment] = []string{strings.ReplaceAll(role, "00000000-0000-0000-0000-00000000000b", userID(2))}
	if coin(2) { // somebody may activate a role that policies leave out
		out[evidence.RoleEligibility] = []string{fmt.Sprintf(`{"id":"e","principalId":"%s","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",`+
			`"directoryScopeId":"/","status":"Provisioned"}`, userID(3))}
	}
	if coin(3) {
		out[evidence.PerUserMFA] = []string{fmt.Sprintf(`{"id":"%s","perUserMfaState":"enforced"}`, userID(4))}
	}
	list := func(n int, of func(int) string) string {
		var ids []string
		for i := range n {
			if coin(3) {
				ids = append(ids, of(i))
			}
		}
		if len(ids) == 0 {
			return ""
		}
		return `"` + strings.Join(ids, `","`) + `"`
	}
	for i := range 1 + r.IntN(3) {
		users := []string{`"includeUsers":["All"]`, `"includeUsers":["All"]`, `"includeUsers":["GuestsOrExternalUsers"]`, `"includeGroups":["lost"]`,
			`"includeRoles":["88d8e3e3-8f55-4a1e-953a-9b9898b8876b"]`}[r.IntN(5)]
		if coin(2) {
			users += `,"excludeUsers":[` + list(people, userID) + `]`
		}
		if coin(5) {
			users += `,"excludeGroups":["lost"]`
		}
		if coin(4) {
			users += `,"excludeRoles":["62e90394-69f5-4237-9190-012177145e10"]`
		}
		conditions := `"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]`
		if coin(3) {
			conditions = `"applications":{"includeApplications":["All"],"excludeApplications":["aaaaaaaa-0000-0000-0000-000000000001"]},` +
				`"clientAppTypes":["browser"]`
		}
		if coin(3) {
			conditions += `,"locations":{"includeLocations":["All"],"excludeLocations":["` + []string{"hq", "AllTrusted"}[r.IntN(2)] + `"]}`
		}
		if coin(5) {
			conditions += `,"platforms":{"includePlatforms":["windows"]}`
		}
		if coin(5) {
			conditions += `,"devices":{"deviceFilter":{"mode":"exclude","rule":"device.isCompliant -eq True"}}`
		}
		state := []string{"enabled", "enabled", "enabledForReportingButNotEnforced", "disabled"}[r.IntN(4)]
		grant := []string{`"mfa"`, `"mfa"`, `"mfa","compliantDevice"`, `"block"`}[r.IntN(4)]
		operator := []string{"OR", "AND"}[r.IntN(2)]
		if grant == `"block"` {
			conditions = strings.NewReplacer(`["all"]`, `["other","exchangeActiveSync"]`, `["browser"]`, `["other"]`).Replace(conditions)
		}
		id := fmt.Sprintf(`"id":"p%d",`, i)
		if coin(4) {
			id = ""
		}
		out[evidence.ConditionalAccessPolicy] = append(out[evidence.ConditionalAccessPolicy], fmt.Sprintf(
			`{%s"displayName":"P%d","state":"%s","conditions":{"users":{%s},%s},"grantControls":{"operator":"%s","builtInControls":[%s]}}`,
			id, r.IntN(2), state, users, conditions, operator, grant))
	}
	return out
}

// rows is a log of the accounts and of a stranger.
func rows(r *rand.Rand) (out []*signin.Sighting) {
	for i := range 60 {
		k := r.IntN(people + 2)
		name := fmt.Sprintf("u%d", k)
		if k == 0 {
			name = "breakglass"
		}
		s := &signin.Sighting{ID: fmt.Sprint(i), UserID: userID(k), UserPrincipalName: name + "@contoso.example", At: asOf.AddDate(0, 0, -1), Success: true,
			AppID:         fmt.Sprintf("aaaaaaaa-0000-0000-0000-00000000000%d", 1+r.IntN(2)),
			ClientAppUsed: []string{"Browser", "Mobile Apps and Desktop clients", "IMAP4"}[r.IntN(3)],
			IPAddress:     []string{"203.0.113.7", "198.51.100.1", "2001:db8::1", ""}[r.IntN(4)], Platform: []string{"Windows 10", "Ios 17", ""}[r.IntN(3)],
			Verdict: []signin.Verdict{signin.NotChallenged, signin.NotChallenged, signin.Challenged}[r.IntN(3)], Compliant: signin.Tri(r.IntN(3))}
		s.Legacy = signin.IsLegacyClient(s.ClientAppUsed)
		out = append(out, s)
	}
	return out
}

// asked counts the recorded sign-ins that were not asked for MFA and that an
// engine surely asks or refuses, decided one by one.
func asked(e *access.Engine, all []*signin.Sighting) map[string]bool {
	out := map[string]bool{}
	for _, s := range all {
		h := rehearse.NewHistory(e)
		h.Visitor().See(s)
		for _, p := range h.Patterns() {
			point := p.Points[0]
			point.User = e.Stranger()
			if i, ok := e.Find(strings.ToLower(s.UserID)); ok {
				point.User = i
			}
			if o := e.Outcome(point); s.Verdict == signin.NotChallenged && (o == access.MFARequired || o == access.Blocked) {
				out[s.ID] = true
			} else if s.Verdict == signin.NotChallenged && o == access.MFANotRequired {
				out["open "+s.ID] = true
			}
		}
	}
	return out
}

// TestCausesEqualBruteForce: the accounts and sign-ins that a cause says it closes
// are those that a fresh look at the changed settings says, account by account and
// row by row.
func TestCausesEqualBruteForce(t *testing.T) {
	t.Parallel()
	tried, fell := 0, 0
	seeds := 200
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		f, all := world(t, tangle(r)), rows(r)
		tenant := f.Tenant()
		h := rehearse.NewHistory(access.Compile(tenant))
		v := h.Visitor()
		for _, s := range all {
			v.See(s)
		}
		report := assess.Assess(f, assess.Options{AsOf: asOf})
		found := cause.Find(cause.Input{Facts: f, Report: report, History: h, Today: access.Compile(tenant), Settled: true, Accounts: accounts(f)})
		for _, q := range report.Requirements {
			if q.Level == "mandatory" && (q.Verdict == assess.NotMet || q.Verdict == assess.Unknown) &&
				!slices.ContainsFunc(found, func(c assess.Cause) bool { return slices.Contains(c.Requirements, q.ID) }) {
				t.Errorf("seed %d: nothing serves %s, which is %s: %s", seed, q.ID, q.Verdict, q.Reason)
			}
		}
		var done []access.Change
		for i := range found {
			c := &found[i]
			if c.Kind != assess.CauseSettings {
				continue
			}
			tried++
			if bad := againstBruteForce(f, tenant, done, c, all); bad != "" {
				if fell++; fell < 6 {
					t.Errorf("seed %d: %d. %s (%s): %s\n%s", seed, c.Rank, c.Title, c.Detail, bad,
						strings.Join(tangle(rand.New(rand.NewPCG(uint64(seed), 21)))[evidence.ConditionalAccessPolicy], "\n"))
				}
			}
			for _, ch := range c.Changes {
				if got, _ := cause.Change(tenant, []string{ch.ID}); len(got) != 1 || got[0] != ch {
					t.Errorf("seed %d: --change %s is %q and not %q", seed, ch.ID, got[0].Text, ch.Text)
				}
			}
			done = append(done, c.Changes...)
		}
	}
	t.Logf("%d causes, %d wrong", tried, fell)
	if tried < 100 {
		t.Errorf("only %d causes were tried", tried)
	}
}

func accounts(f *facts.Facts) map[string]rehearse.Account {
	out := map[string]rehearse.Account{}
	for _, s := range f.Tenant().Users {
		a := rehearse.Account{Class: "person"}
		if s.MethodsKnown {
			a.Registered = rehearse.KnownNo
			if s.CanAnswer() {
				a.Registered = rehearse.KnownYes
			}
		}
		out[s.ID] = a
	}
	return out
}

func againstBruteForce(f *facts.Facts, tenant *access.Tenant, done []access.Change, c *assess.Cause, all []*signin.Sighting) string {
	q, _ := access.FindQuestion(c.Proof.Question)
	now, then := access.Compile(tenant.Apply(done...)), access.Compile(tenant.Apply(slices.Concat(done, c.Changes)...))
	was, err := now.Coverage(q)
	if err != nil {
		return err.Error()
	}
	is, err := then.Coverage(q)
	if err != nil {
		return err.Error()
	}
	closed, emergency := 0, 0
	for i := range was {
		if was[i] == access.Open && is[i] == access.Covered {
			if tenant.Users[i].BreakGlass {
				emergency++
			} else {
				closed++
			}
		}
	}
	if c.BreakGlass {
		closed = emergency
	}
	if closed != c.Accounts {
		return fmt.Sprintf("%d accounts, brute force %d", c.Accounts, closed)
	}
	first, before, after := asked(access.Compile(tenant), all), asked(now, all), asked(then, all)
	n, apart := 0, 0
	for id := range after {
		if !first["open "+id] || before[id] {
			continue
		}
		i := slices.IndexFunc(all, func(s *signin.Sighting) bool { return s.ID == id })
		if k, known := now.Find(all[i].UserID); known && k < len(tenant.Users) && tenant.Users[k].BreakGlass {
			apart++
			continue
		}
		n++
	}
	if c.BreakGlass {
		n += apart
	}
	if int64(n) != c.SignIns {
		return fmt.Sprintf("%d sign-ins, brute force %d and %d of emergency accounts", c.SignIns, n, apart)
	}
	if c.Accounts == 0 && c.SignIns == 0 {
		return "it closes nothing"
	}
	return ""
}
