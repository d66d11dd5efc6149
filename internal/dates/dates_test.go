package dates

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/signin"
)

var asOf = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// TestTable: every change has a teller, in order of date, with a source; and the
// table says what was collected.
func TestTable(t *testing.T) {
	t.Parallel()
	changes := partner.Changes()
	ids := map[string]bool{}
	for i, c := range changes {
		if ids[c.ID] || tellers[c.ID] == nil {
			t.Errorf("%s: twice, or without a teller", c.ID)
		}
		ids[c.ID] = true
		if c.What == "" || c.Who == "" || c.Tells == "" || c.Source == "" || c.Sure == "" {
			t.Errorf("%+v", c)
		}
		if i > 0 && !c.Date.IsZero() && c.Date.Before(changes[i-1].Date.Time) {
			t.Errorf("%s is out of order", c.ID)
		}
	}
	if len(tellers) != len(changes) {
		t.Errorf("%d tellers, %d changes", len(tellers), len(changes))
	}
	f, err := os.Open("../../../shared/facts/programme/microsoft-dates.csv")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("NOTE: the collected table is absent: ours was not compared with it")
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != len(changes)+1 {
		t.Fatal(err, len(rows), len(changes))
	}
	for i, c := range changes {
		row := rows[i+1]
		date, sure := row[0], strings.Fields(row[6])[0]
		if date == "unknown" {
			date = ""
		}
		if c.Date.String() != date || !strings.HasPrefix(row[1], string(c.Precision)) || strings.Trim(sure, ",") != string(c.Sure) {
			t.Errorf("%s: %s %s %s, collected as %v", c.ID, c.Date, c.Precision, c.Sure, row)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	want := map[string]string{"sms-voice-end": "1 February 2027", "smtp-auth-basic": "December 2026", "smtp-auth-removal": "the second half of 2027",
		"custom-controls-end": "the first half of 2027", "dap-end": "no date"}
	for _, c := range partner.Changes() {
		if w := want[c.ID]; w != "" && c.When() != w {
			t.Errorf("%s: %s", c.ID, c.When())
		}
		if c.ID == "sms-voice-end" && (c.DaysLeft(asOf.Add(23*time.Hour)) != 73 || c.Standing(asOf) != "ahead" || c.Standing(c.Date.Time) != "past") {
			t.Errorf("%d days, %s", c.DaysLeft(asOf), c.Standing(asOf))
		}
	}
}

// world builds facts of one input of a moment.
type world struct {
	t  *testing.T
	f  *facts.Facts
	in evidence.Input
	// cloud is the tenant's; "" is the public one.
	cloud partner.Cloud
}

func at(t *testing.T, moment time.Time) *world {
	return &world{t: t, f: facts.New(), in: evidence.Input{Path: "x", Status: evidence.Read, Times: evidence.Times{Stated: &moment}}}
}

func (w *world) add(kind evidence.Kind, records ...string) *world {
	w.t.Helper()
	w.in.Count(kind, len(records))
	for i, r := range records {
		if err := w.f.Take(kind, []byte(r), evidence.Source{Path: "x", Index: i + 1}); err != nil {
			w.t.Fatal(err)
		}
	}
	return w
}

// log is one of 30 days with sign-ins that nobody typed in.
func (w *world) log(days int) *world {
	w.in.Count(evidence.SignIn, 1)
	w.f.Seen[evidence.SignIn]++
	s := &signin.Summary{Rows: 1, First: asOf.AddDate(0, 0, -days), Last: asOf, Accounts: []signin.Account{{Key: "u"}}}
	s.Accounts[0].NonInteractive[signin.Challenged] = 1
	w.f.SignIns = s
	return w
}

func (w *world) look(fold *Fold, when time.Time) map[string]partner.Outlook {
	w.f.Inputs = []evidence.Input{w.in}
	out := map[string]partner.Outlook{}
	for _, o := range Look(w.f, fold, when, partner.DirectBill, w.cloud) {
		out[o.ID] = o
	}
	return out
}

// TestNothingReadIsNotNobody: what was not read is not "nobody", and each unknown
// says what settles it.
func TestNothingReadIsNotNobody(t *testing.T) {
	t.Parallel()
	for id, o := range at(t, asOf).look(nil, asOf) {
		if id == "partner-agreement" {
			if o.Answer != partner.Hit {
				t.Errorf("%+v", o)
			}
			continue
		}
		if o.Answer != partner.HitIsUnknown || o.Text == "" || o.Settle == "" || o.Count != 0 {
			t.Errorf("%s: %s: %s (%s)", id, o.Answer, o.Text, o.Settle)
		}
	}
}

func user(name string, methods ...string) string {
	return fmt.Sprintf(`{"id":"%s","userPrincipalName":"%s@contoso.example","isMfaRegistered":true,"isSsprEnabled":true,"isSsprRegistered":true,`+
		`"methodsRegistered":["%s"]}`, name, name, strings.Join(methods, `","`))
}

func TestOnlyPhone(t *testing.T) {
	t.Parallel()
	records := []string{user("a", "mobilePhone"), user("b", "mobilePhone", "email", "securityQuestion"), user("c", "mobilePhone", "softwareOneTimePasscode"),
		user("d", "officePhone", "somethingNew"), user("e", "fido2SecurityKey"), user("g", "voice"),
		user("x", "mobilePhone", "externalAuthMethod")}
	build := func() *world {
		w := at(t, asOf).add(evidence.RegistrationDetails, records...)
		return w.add(evidence.User, `{"id":"g","userPrincipalName":"g@contoso.example","accountEnabled":false}`)
	}
	o := build().look(nil, asOf)["sms-voice-end"]
	if o.Answer != partner.Hit || strings.Join(o.Names, " ") != "a@contoso.example b@contoso.example" || o.Text != "2 users lose their only second factor" ||
		o.DaysLeft != 73 {
		t.Errorf("%+v", o)
	}
	if q := build().look(nil, asOf)["sspr-security-questions"]; q.Text != "1 user answers security questions to reset a password" {
		t.Errorf("%+v", q)
	}
	elsewhere := build()
	elsewhere.cloud = partner.USGov
	if o := elsewhere.look(nil, asOf)["sms-voice-end"]; o.Answer != partner.Nobody || !strings.Contains(o.Text, "public cloud alone") {
		t.Errorf("another cloud: %+v", o)
	}
	old := build().look(nil, asOf.AddDate(0, 0, 31))["sms-voice-end"]
	if old.Answer != partner.HitIsUnknown || !strings.Contains(old.Text, "31 days old") || !strings.Contains(old.Text, "2 users lose") || old.Settle == "" {
		t.Errorf("%+v", old)
	}
	w := at(t, asOf).add(evidence.RegistrationDetails, user("e", "fido2SecurityKey"))
	if o := w.look(nil, asOf)["sms-voice-end"]; o.Answer != partner.Nobody {
		t.Errorf("%+v", o)
	}
	w.in.NextLink = true
	if o := w.look(nil, asOf)["sms-voice-end"]; o.Answer != partner.HitIsUnknown || !strings.Contains(o.Settle, "userRegistrationDetails") {
		t.Errorf("half a list: %+v", o)
	}
}

func sighting(user, app, client string, change func(*signin.Sighting)) *signin.Sighting {
	s := &signin.Sighting{UserID: user, UserPrincipalName: user + "@contoso.example", AppID: app, ClientAppUsed: client, Success: true,
		Legacy: signin.IsLegacyClient(client), Verdict: signin.NotChallenged, At: asOf}
	if change != nil {
		change(s)
	}
	return s
}

func TestLog(t *testing.T) {
	t.Parallel()
	rows := []*signin.Sighting{
		sighting("s1", "x", "Authenticated SMTP", nil), sighting("s2", "x", "Other clients; SMTP", nil), sighting("s1", "x", "Authenticated SMTP", nil),
		sighting("i1", "x", "IMAP4", nil), sighting("e1", "x", "Exchange Web Services", nil),
		sighting("p1", entra.AppExchangeREST, "Mobile Apps and Desktop clients", func(s *signin.Sighting) { s.ROPC = true }),
		sighting("z1", "04B07795-8ddb-461a-bbee-02f9e1bf7b46", "Mobile Apps and Desktop clients", nil),
		sighting("z2", "1950a258-227b-4e31-a9cf-717495945fc2", "Mobile Apps and Desktop clients", func(s *signin.Sighting) { s.Verdict = signin.Challenged }),
		sighting("f1", "x", "Authenticated SMTP", func(s *signin.Sighting) { s.Success = false }),
	}
	want := map[string]string{"smtp-auth-basic": "s1@contoso.example s2@contoso.example", "pop-imap-tls": "i1@contoso.example",
		"ews-blocked":              "e1@contoso.example",
		"exchange-powershell-ropc": "p1@contoso.example", "azure-mfa-phase-2": "z1@contoso.example", "admin-center-mfa": ""}
	// However the rows are shared out.
	for split := range 3 {
		fold := NewFold()
		visitors := []signin.Visitor{fold.Visitor(), fold.Visitor(), fold.Visitor()}
		for i, r := range rows {
			visitors[i%(split+1)].See(r)
		}
		got := at(t, asOf).log(30).look(fold, asOf)
		for id, names := range want {
			if o := got[id]; strings.Join(o.Names, " ") != names || (o.Answer == partner.Hit) != (names != "") {
				t.Errorf("%s: %+v", id, o)
			}
		}
		if o := got["admin-center-mfa"]; o.Answer != partner.Nobody {
			t.Errorf("%+v", o)
		}
	}
}

// TestNobodyNeedsTheLog: a short log, and rows that do not say, show no absence.
func TestNobodyNeedsTheLog(t *testing.T) {
	t.Parallel()
	if o := at(t, asOf).log(30).look(nil, asOf)["smtp-auth-basic"]; o.Answer != partner.Nobody {
		t.Errorf("%+v", o)
	}
	if o := at(t, asOf).log(7).look(nil, asOf)["smtp-auth-basic"]; o.Answer != partner.HitIsUnknown || !strings.Contains(o.Text, "8 days") {
		t.Errorf("%+v", o)
	}
	fold := NewFold()
	v := fold.Visitor()
	v.See(sighting("o", "x", "Other clients", nil))
	v.See(sighting("a", "00000006-0000-0ff1-ce00-000000000000", "Browser", func(s *signin.Sighting) { s.Verdict = signin.Unknown }))
	got := at(t, asOf).log(30).look(fold, asOf)
	for _, id := range []string{"smtp-auth-basic", "admin-center-mfa"} {
		if o := got[id]; o.Answer != partner.HitIsUnknown || o.Settle == "" {
			t.Errorf("%s: %+v", id, o)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w := at(t, asOf).add(evidence.ConditionalAccessPolicy,
		`{"id":"p","displayName":"Duo","state":"enabled","conditions":{"applications":{"includeApplications":["All"],"excludeApplications":["x"]}},`+
			`"grantControls":{"operator":"OR","customAuthenticationFactors":["DuoMfa"]}}`,
		`{"id":"q","displayName":"Off","state":"disabled","conditions":{},"grantControls":{"customAuthenticationFactors":["DuoMfa"]}}`).
		add(evidence.RoleAssignment, `{"id":"r","principalId":"u","roleDefinitionId":"4ba39ca4-527c-499a-b93d-d9b492c50246","directoryScopeId":"/"}`).
		add(evidence.AuthenticationMethods, `{"policyMigrationState":"migrationInProgress","authenticationMethodConfigurations":`+
			`[{"id":"Sms","state":"enabled"},{"id":"Voice","state":"disabled"}]}`).
		add(evidence.Customer, `{"id":"c","allowDelegatedAccess":true,"companyProfile":{"companyName":"Fabrikam"}}`)
	got := w.look(nil, asOf)
	for id, names := range map[string]string{"custom-controls-end": "Duo", "custom-controls-frozen": "Duo", "resource-exclusions": "Duo",
		"partner-tier-roles": "u", "legacy-mfa-policies": "policyMigrationState is migrationInProgress", "passkey-campaign": "Sms", "dap-end": "Fabrikam"} {
		if o := got[id]; o.Answer != partner.Hit || strings.Join(o.Names, " ") != names {
			t.Errorf("%s: %+v", id, o)
		}
	}
	if o := got["custom-controls-end"]; o.Text != "1 policy grants by custom controls, which end" || o.Standing != "ahead" {
		t.Errorf("%+v", o)
	}
}

// TestNamesakesAreTwo: what is counted are things, not names; and what one thing
// does in two lists is one.
func TestNamesakesAreTwo(t *testing.T) {
	t.Parallel()
	duo := `{"id":"%s","displayName":"Duo","state":"enabled","conditions":{},"grantControls":{"customAuthenticationFactors":["DuoMfa"]}}`
	customer := `{"id":"%s","allowDelegatedAccess":true,"companyProfile":{"companyName":"Fabrikam"}}`
	w := at(t, asOf).add(evidence.ConditionalAccessPolicy, fmt.Sprintf(duo, "p"), fmt.Sprintf(duo, "q")).
		add(evidence.Customer, fmt.Sprintf(customer, "c"), fmt.Sprintf(customer, "d")).
		add(evidence.RoleAssignment, `{"id":"r","principalId":"u","roleDefinitionId":"4ba39ca4-527c-499a-b93d-d9b492c50246","directoryScopeId":"/"}`,
			`{"id":"s","principalId":"U","roleDefinitionId":"e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8","directoryScopeId":"/"}`)
	got := w.look(nil, asOf)
	for id, want := range map[string]int{"custom-controls-end": 2, "dap-end": 2, "partner-tier-roles": 1} {
		if o := got[id]; o.Count != want {
			t.Errorf("%s: %d, want %d: %+v", id, o.Count, want, o)
		}
	}
}

// TestNotUnderstoodIsNotNobody: of a policy whose grant could not be understood it
// is not said that it uses no custom control.
func TestNotUnderstoodIsNotNobody(t *testing.T) {
	t.Parallel()
	w := at(t, asOf).add(evidence.ConditionalAccessPolicy,
		`{"id":"p","displayName":"Odd","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},`+
			`"grantControls":{"operator":"OR","builtInControls":["moonPhase"]}}`)
	got := w.look(nil, asOf)
	if o := got["custom-controls-end"]; o.Answer != partner.HitIsUnknown || !strings.Contains(o.Text, "Odd") {
		t.Errorf("%+v", o)
	}
	if o := got["resource-exclusions"]; o.Answer != partner.Nobody {
		t.Errorf("%+v", o)
	}
}
