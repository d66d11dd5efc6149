package rendertest

import (
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/prove"
)

const (
	globalAdmin  = "62e90394-69f5-4237-9190-012177145e10"
	helpdesk     = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	exchangeID   = "00000002-0000-0ff1-ce00-000000000000"
	breakGlassID = "c9a1b2c3-0000-4000-8000-0000000000b6"
	kioskID      = "c9a1b2c3-0000-4000-8000-0000000000c7"
	lostID       = "c9a1b2c3-0000-4000-8000-0000000000dd"
	hqID         = "a1a1a1a1-0000-4000-8000-000000000001"
	nlID         = "a1a1a1a1-0000-4000-8000-000000000002"
)

// policies as Graph writes them.
const policies = `[
{"id":"11111111-0000-4000-8000-000000000001","displayName":"Require MFA for all users","state":"enabled",
 "conditions":{"users":{"includeUsers":["All"],"excludeGroups":["` + breakGlassID + `","` + kioskID +
	`"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["browser","mobileAppsAndDesktopClients"],
 "locations":{"includeLocations":["All"],"excludeLocations":["` + hqID + `"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}},
{"id":"11111111-0000-4000-8000-000000000002","displayName":"Require MFA for admins","state":"enabled",
 "conditions":{"users":{"includeRoles":["` + globalAdmin + `"],"excludeGroups":["` + breakGlassID +
	`"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
 "grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]}},
{"id":"11111111-0000-4000-8000-000000000003","displayName":"Block legacy authentication","state":"enabledForReportingButNotEnforced",
 "conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["exchangeActiveSync","other"]},
 "grantControls":{"operator":"OR","builtInControls":["block"]}},
{"id":"11111111-0000-4000-8000-000000000004","displayName":"Kiosks: MFA outside the Netherlands","state":"enabled",
 "conditions":{"users":{"includeGroups":["` + kioskID + `"]},"applications":{"includeApplications":["All"],"excludeApplications":["` + exchangeID +
	`"]},"clientAppTypes":["all"],
 "locations":{"includeLocations":["All"],"excludeLocations":["` + nlID + `"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}},
{"id":"11111111-0000-4000-8000-000000000005","displayName":"Pilot: phishing-resistant for admins","state":"disabled",
 "conditions":{"users":{"includeRoles":["` + globalAdmin + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
 "grantControls":{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}},
{"id":"11111111-0000-4000-8000-000000000006","displayName":"Workstation filter (vendor)","state":"enabled",
 "conditions":{"users":{"includeUsers":["5c0a1f00-0000-4000-8000-000000000001"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"newCondition":{"x":1}},
 "grantControls":{"operator":"OR","builtInControls":["mfa"]}}
]`

const unknownPolicies = `[
{"id":"22222222-0000-4000-8000-000000000001","displayName":"Require MFA for all users but one group","state":"enabled",
 "conditions":{"users":{"includeUsers":["All"],"excludeGroups":["` + lostID + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
 "grantControls":{"operator":"OR","builtInControls":["mfa"]}}
]`

func parse(text string) (out []*access.Policy) {
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		panic(err)
	}
	return out
}

// Tenant is a partner of n accounts with every kind of gap.
func Tenant(n int) *access.Tenant {
	t := &access.Tenant{Policies: parse(policies), Whole: true, RolesKnown: true,
		KnownGroups: map[string]bool{breakGlassID: true, kioskID: true},
		Names: map[string]string{globalAdmin: "Global Administrator", helpdesk: "Helpdesk Administrator", breakGlassID: "CA-BreakGlass",
			kioskID: "Kiosks"}}
	locations := `[{"id":"` + hqID + `","displayName":"Headquarters","isTrusted":true,"ipRanges":[{"cidrAddress":"203.0.113.0/24"}]},
		{"id":"` + nlID + `","displayName":"The Netherlands","countriesAndRegions":["NL"]}]`
	if err := json.Unmarshal([]byte(locations), &t.Locations); err != nil {
		panic(err)
	}
	names := []string{"frontdesk", "svc-billing", "h.brandt", "m.lindqvist", "scanner", "o.adeyemi", "r.tanaka", "a.moreau"}
	for i := range n {
		s := access.Subject{ID: fmt.Sprintf("5c0a1f00-0000-4000-8000-%012d", i), Name: names[i%len(names)] + "@contoso.com", MethodsKnown: true,
			Methods: []string{"microsoftAuthenticatorPush"}}
		if i >= len(names) {
			s.Name = fmt.Sprintf("%s.%03d@contoso.com", names[i%len(names)], i)
		}
		switch {
		case i == 0 || i == 4:
			s.Groups, s.Methods = []string{kioskID}, nil
		case i == 2 || i == 3:
			s.Roles = []string{globalAdmin}
		case i == 5:
			s.Eligible = []string{globalAdmin}
		}
		t.Users = append(t.Users, s)
	}
	t.Users = append(t.Users,
		access.Subject{ID: "5c0a1f00-0000-4000-8000-0000000bb001", Name: "bg1@contoso.onmicrosoft.com", Roles: []string{globalAdmin},
			Groups: []string{breakGlassID}, BreakGlass: true, MethodsKnown: true},
		access.Subject{ID: "5c0a1f00-0000-4000-8000-0000000bb002", Name: "bg2@contoso.onmicrosoft.com", Roles: []string{globalAdmin},
			Groups: []string{breakGlassID}, BreakGlass: true, MethodsKnown: true},
		access.Subject{ID: "5c0a1f00-0000-4000-8000-0000000ee001", Name: "pat_fabrikam.com#EXT#@contoso.onmicrosoft.com", External: access.CollaborationGuest,
			MethodsKnown: true})
	return t
}

// ask answers questions by the real engine.
func ask(t *access.Tenant, questions ...access.Question) *prove.Report {
	r := &prove.Report{Schema: prove.SchemaID, Partner: "Contoso Cloud Partners", Complete: true, Incomplete: []string{},
		Age: []string{"The newest evidence is 8 days old: what happened since is not seen"}, From: []string{"exports/"},
		Inputs: []evidence.Input{
			{Path: "exports/conditionalAccessPolicies.json", Bytes: 18_411, Format: "graph page", Encoding: "utf-8", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: len(t.Policies)}},
			{Path: "exports/users.json", Bytes: 71_020, Format: "graph page", Encoding: "utf-8", Status: evidence.Read,
				Kinds: map[evidence.Kind]int{evidence.User: len(t.Users)}},
		}}
	e := access.Compile(t)
	for _, q := range questions {
		p, err := e.Prove(q)
		if err != nil {
			panic(err)
		}
		r.Proofs = append(r.Proofs, p)
	}
	return r
}

// Typical is all questions over a partner with gaps.
func Typical() *prove.Report { return ask(Tenant(40), access.Questions()...) }

// Single is one question with gaps.
func Single() *prove.Report { return ask(Tenant(40), access.Questions()[0]) }

// Proved is a partner on the baseline: nothing is open.
func Proved() *prove.Report {
	t := Tenant(12)
	t.Policies = access.PartnerBaseline()
	return ask(t, access.Questions()[:4]...)
}

// Unknown hangs on a group that was not exported, of a directory that was
// exported in part.
func Unknown() *prove.Report {
	t := Tenant(12)
	t.Policies, t.Whole = parse(unknownPolicies), false
	r := ask(t, access.Questions()[:4]...)
	r.Complete, r.Incomplete = false, []string{"exports/groups.json: the last page points to a next page that is not among the inputs."}
	r.Inputs = append(r.Inputs, evidence.Input{Path: "exports/groups.json", Status: evidence.Partial, NextLink: true,
		Kinds: map[evidence.Kind]int{evidence.Group: 100}})
	return r
}

// Empty asked nothing.
func Empty() *prove.Report {
	return &prove.Report{Schema: prove.SchemaID, Proofs: []*access.Proof{}, Incomplete: []string{}, Inputs: []evidence.Input{}, Sample: true}
}

// Huge has more gaps than any format shows, over many accounts.
func Huge() *prove.Report {
	r := Typical()
	p := *r.Proofs[0]
	base := p.Gaps
	p.Gaps, p.More, p.Open, p.Accounts = nil, 1_200, 98_000, 100_000
	for i := range 50 {
		g := base[i%len(base)]
		g.Who.Count *= 1000
		for k := range 12 {
			g.What = append(g.What[:len(g.What):len(g.What)], access.Narrow{Dimension: fmt.Sprintf("dimension %d", k),
				Values: strings.Fields(strings.Repeat("value ", 40))})
		}
		p.Gaps = append(p.Gaps, g)
	}
	r.Proofs[0] = &p
	return r
}

// Decisions are sign-ins decided by the real engine, one of each outcome that
// the tenant has.
func Decisions() map[string]access.Answer {
	e := access.Compile(Tenant(40))
	out := map[string]access.Answer{}
	for name, s := range map[string]struct {
		user string
		s    access.SignIn
	}{
		"required": {"a.moreau@contoso.com", access.SignIn{App: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", Client: "browser", Country: "DE",
			Location: "any other location", Platform: "windows"}},
		"not":     {"frontdesk@contoso.com", access.SignIn{App: exchangeID, Client: "other", Platform: "windows", Location: "Headquarters"}},
		"perhaps": {"h.brandt@contoso.com", access.SignIn{Client: "native"}},
	} {
		i, ok := e.Find(s.user)
		if !ok {
			panic(s.user)
		}
		s.s.User = i
		out[name] = e.Decide(s.s)
	}
	return out
}

// Hostile has a mark in every text of a report.
func Hostile() *prove.Report {
	n := 0
	marks := pagetest.Marks
	next := func() string { n++; return marks[n%len(marks)] }
	r := &prove.Report{Schema: next(), Partner: marks[2], Incomplete: append([]string{}, marks...), From: []string{next(), "a b'c"}}
	verdicts := []access.ProofVerdict{access.GapFound, access.UnknownProof, access.Proved, "<b>odd</b>", ""}
	gap := func(i int) access.Gap {
		g := access.Gap{Who: access.Who{Count: i * 1e9, Names: []string{next(), next()}, BreakGlass: i%3 == 0}, Text: next(),
			Why: []access.Why{{ID: next(), Policy: next(), Clause: next()}, {Clause: next()}}}
		if i%2 == 0 {
			g.What = []access.Narrow{{Dimension: next(), Values: []string{next(), next()}}, {Dimension: "location", Values: []string{next()}}, {}}
		}
		g.Witness = access.Witness{Account: next(), Outcome: access.Outcome(i % 4), SignIn: access.SignIn{App: next(), Client: next(), Platform: next(),
			Country: next(), Location: next(),
			SignInRisk: next(), UserRisk: next(), InsiderRisk: next(), Device: map[string]bool{next(): true, next(): false}}}
		return g
	}
	for i := range marks {
		p := &access.Proof{Question: marks[i], Title: next(), Verdict: verdicts[i%len(verdicts)], Reason: next(), Accounts: i, Open: 1 << 40, More: 1 << 40,
			TooComplex: i%2 == 0,
			Missing:    []string{next()}, Facts: []string{next()},
			Policies: []access.PolicyUse{{ID: next(), Policy: next(), State: access.State(next()), Counts: i%2 == 0, Why: next()}}}
		for k := range 3 {
			p.Gaps, p.Possible = append(p.Gaps, gap(k)), append(p.Possible, gap(k+1))
		}
		r.Proofs = append(r.Proofs, p)
	}
	for range 4 {
		r.Inputs = append(r.Inputs, evidence.Input{Path: next(), Format: next(), Encoding: next(), Compression: next(), Status: evidence.Status(next()),
			Kinds: map[evidence.Kind]int{evidence.Kind(next()): 1},
			Notes: []evidence.Note{{Message: next(), Source: evidence.Source{Part: next(), Line: 1 << 40}}}})
	}
	return r
}
