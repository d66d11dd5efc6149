package apppassword

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/signin"
)

var asOf = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// export is one folder of a moment.
type export struct {
	t   *testing.T
	f   *facts.Facts
	in  evidence.Input
	log *Log
	now time.Time
	say string // of SMTP AUTH
}

const (
	scanner  = `{"id":"u1","userPrincipalName":"scanner@x.example","accountEnabled":true,"userType":"Member","creationType":null}`
	enforced = `{"id":"u1","userPrincipalName":"scanner@x.example","perUserMfaState":"enforced"}`
	noneOn   = `{"id":"00000000-0000-0000-0000-000000000005","displayName":"Security Defaults","isEnabled":false}`
)

func policy(id, state, rest string) string {
	return `{"id":"` + id + `","displayName":"` + id + `","state":"` + state + `","conditions":{"users":{"includeUsers":["All"]},
		"applications":{"includeApplications":["All"]},"clientAppTypes":["exchangeActiveSync","other"]` + rest + `},
		"grantControls":{"operator":"OR","builtInControls":["block"]}}`
}

// lists are those that decide, with nothing that stops an app password.
func lists() map[evidence.Kind][]string {
	return map[evidence.Kind][]string{evidence.User: {scanner}, evidence.PerUserMFA: {enforced}, evidence.SecurityDefaults: {noneOn},
		evidence.ConditionalAccessPolicy: {}, evidence.NamedLocation: {}, evidence.Group: {}, evidence.RoleAssignment: {}, evidence.RoleEligibility: {}}
}

// settled is an export of those, changed.
func settled(t *testing.T, change func(map[evidence.Kind][]string)) *export {
	e := &export{t: t, f: facts.New(), now: asOf, in: evidence.Input{Path: "x", Status: evidence.Read, Times: evidence.Times{Stated: &asOf}}}
	all := lists()
	if change != nil {
		change(all)
	}
	for kind, records := range all {
		e.add(kind, records...)
	}
	return e
}

func (e *export) add(kind evidence.Kind, records ...string) *export {
	e.in.Count(kind, len(records))
	for i, r := range records {
		if err := e.f.Take(kind, []byte(r), evidence.Source{Path: "x", Index: i + 1}); err != nil {
			e.t.Fatal(err)
		}
	}
	return e
}

// sees puts a row of a client into a log of 30 days.
func (e *export) sees(client string, last time.Time) *export {
	return e.row(client, last, signin.ReasonLegacyClient)
}

func (e *export) row(client string, last time.Time, reason signin.Reason) *export {
	if e.log == nil {
		e.log = NewLog()
		e.in.Count(evidence.SignIn, 1)
		e.f.Seen[evidence.SignIn]++
		e.f.SignIns = &signin.Summary{Rows: 1, First: asOf.AddDate(0, 0, -30), Last: asOf}
	}
	if client != "" {
		e.log.Visitor().See(&signin.Sighting{ID: "row", UserID: "U1", UserPrincipalName: "scanner@x.example", ClientAppUsed: client, At: last, Success: true,
			Legacy: signin.IsLegacyClient(client), Verdict: signin.NotChallenged, Reason: reason})
	}
	return e
}

func (e *export) decide() *Report {
	e.f.Inputs = []evidence.Input{e.in}
	e.f.SetTime(e.now)
	var ends []partner.Outlook
	for _, c := range partner.Changes() {
		ends = append(ends, partner.Outlook{Change: c, Standing: c.Standing(e.now), DaysLeft: c.DaysLeft(e.now)})
	}
	return Decide(Input{Facts: e.f, Engine: access.Compile(e.f.Tenant()), Log: e.log, AsOf: e.now, Ends: ends, SMTPAuth: e.say})
}

// TestTable is the decision table: what decides, and what is not known. Every
// unknown names what settles it.
func TestTable(t *testing.T) {
	t.Parallel()
	day := asOf.AddDate(0, 0, -1)
	const mail = "Authenticated SMTP"
	type all = map[evidence.Kind][]string
	user := func(old, new string) func(all) {
		return func(a all) { a[evidence.User][0] = strings.Replace(scanner, old, new, 1) }
	}
	state := func(is string) func(all) {
		return func(a all) { a[evidence.PerUserMFA][0] = strings.Replace(enforced, "enforced", is, 1) }
	}
	without := func(k evidence.Kind) func(all) { return func(a all) { delete(a, k) } }
	ca := func(p string) func(all) { return func(a all) { a[evidence.ConditionalAccessPolicy] = []string{p} } }
	asked := strings.NewReplacer(`["exchangeActiveSync","other"]`, `["all"]`, `"block"`, `"mfa"`)
	yesterday := func(e *export) { e.sees(mail, day) }
	defaults := func(a all) { a[evidence.SecurityDefaults][0] = strings.Replace(noneOn, "false", "true", 1) }
	for name, c := range map[string]struct {
		change func(all)
		log    func(*export)
		want   Answer
		why    string // in Why
		ask    string // in Settle
	}{
		"seen at work":           {nil, yesterday, Yes, "the log shows a sign-in by it on 2026-11-27", ""},
		"seen long ago":          {nil, func(e *export) { e.sees(mail, asOf.AddDate(0, 0, -31)) }, Unknown, "SMTP AUTH is switched on", "Get-TransportConfig"},
		"nothing seen":           {nil, nil, Unknown, "SMTP AUTH is switched on", "Get-CASMailbox scanner@x.example"},
		"the operator says on":   {nil, func(e *export) { e.say = "enabled" }, Yes, "as its operator says", ""},
		"the operator says off":  {nil, func(e *export) { e.say = "disabled" }, Unknown, "other old clients", "signIns"},
		"a client of no name":    {nil, func(e *export) { e.sees("Other clients", day) }, Yes, "other old clients", ""},
		"IMAP proves nothing":    {nil, func(e *export) { e.sees("IMAP4", day) }, Unknown, "SMTP AUTH is switched on", "Get-TransportConfig"},
		"per-user disabled":      {state("disabled"), nil, No, "per-user MFA is disabled", ""},
		"per-user enabled":       {state("enabled"), yesterday, Yes, "the log shows", ""},
		"per-user not read":      {without(evidence.PerUserMFA), nil, Unknown, "not in the export", "GET /beta/users/u1/authentication/requirements"},
		"a state nobody knows":   {state("perhaps"), nil, Unknown, `"perhaps"`, "authentication/requirements"},
		"disabled account":       {user("true", "false"), nil, No, "the account is disabled", ""},
		"enabled or not":         {user(`"accountEnabled":true,`, ""), nil, Unknown, "whether the account is enabled", "/users"},
		"defaults on":            {defaults, nil, No, "security defaults: ", ""},
		"defaults not read":      {without(evidence.SecurityDefaults), yesterday, Unknown, "whether the settings stop", "identitySec"},
		"policies not read":      {without(evidence.ConditionalAccessPolicy), yesterday, Unknown, "whether the settings", "policies"},
		"blocked":                {ca(policy("block-old", "enabled", "")), yesterday, No, "stop old clients: block-old", ""},
		"report-only":            {ca(policy("b", "enabledForReportingButNotEnforced", "")), yesterday, Yes, "no policy stops it", ""},
		"a policy not readable":  {ca(policy("odd", "enabled", `,"moon":{"phase":"full"}`)), yesterday, Unknown, "odd", "odd"},
		"MFA for every client":   {ca(asked.Replace(policy("mfa", "enabled", ""))), nil, No, "mfa", ""},
		"settings of last month": {nil, func(e *export) { e.now = asOf.AddDate(0, 0, 31); e.sees(mail, e.now) }, Unknown, "31 days old", "GET"},
	} {
		e := settled(t, c.change)
		if c.log != nil {
			c.log(e)
		}
		a := e.decide().Accounts[0]
		if a.Works != c.want || !strings.Contains(a.Why, c.why) || !strings.Contains(a.Settle, c.ask) {
			t.Errorf("%s: %s, %q, settle %q", name, a.Works, a.Why, a.Settle)
		}
		for _, p := range append(a.Paths, Path{Works: a.Works, Why: a.Why, Settle: a.Settle}) {
			if (p.Works == Unknown) != (p.Settle != "") || p.Why == "" || p.ID == "powershell" && p.Works != No {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}
