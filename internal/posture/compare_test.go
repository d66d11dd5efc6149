package posture_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/posture"
)

// edit is an act of ravi's on an object.
func edit(activity, object string, at time.Time) posture.AuditRow {
	return posture.AuditRow{ID: "a-" + object[:4] + at.Format("0102"), At: at, Activity: activity, Result: "success", By: "ravi@contoso.com",
		Targets: []posture.Target{{ID: object}}}
}

// told is what changes say, in short: turned requirements with the kinds of their
// causes, and whether these surely did it.
func told(c *posture.Changes) string {
	kinds := map[string]string{}
	for _, x := range c.Causes {
		kinds[x.ID] = string(x.Kind)
	}
	var out []string
	for _, t := range c.Turned {
		var because []string
		for _, id := range t.Because {
			because = append(because, kinds[id])
		}
		sure := "perhaps"
		if t.Sure {
			sure = "surely"
		}
		if t.Unexplained {
			sure = "unexplained"
		}
		out = append(out, fmt.Sprintf("%s %s>%s %s %s", t.ID, t.From, t.To, sure, strings.Join(because, "+")))
	}
	return strings.TrimSpace(strings.Join(out, "; "))
}

// TestWhy: each kind of change, alone, and what is said of it. It is long because it is
// a table.
func TestWhy(t *testing.T) {
	t.Parallel()
	unknown := func(st *posture.State) *posture.State {
		st.Requirements[0].Verdict = posture.Unknown
		return st
	}
	notMet := func(st *posture.State, subject string) *posture.State {
		st.Requirements[0].Verdict, st.Requirements[0].Affected, st.Requirements[0].Subjects = posture.NotMet, 1, []string{subject}
		return st
	}
	unasked := monday.AddDate(0, 0, 20)
	for name, c := range map[string]struct {
		from, to *posture.State
		change   func(from, to *posture.State)
		want     string
	}{
		"nothing":           {good(0), good(30), nil, ""},
		"a policy edit":     {good(0), excluded(30), nil, "mfa-every-user met>not_met surely policy_edited"},
		"mended by an edit": {excluded(0), good(30), nil, "mfa-every-user not_met>met surely policy_edited"},
		"a rename beside it": {good(0), excluded(30), func(_, to *posture.State) { to.Settings[0].Name = "Renamed" },
			"mfa-every-user met>not_met surely policy_edited"},
		"a rename is no reason": {good(0), notMet(good(30), "x"), func(_, to *posture.State) { to.Settings[0].Members["displayName"] = `"x"` },
			"mfa-every-user met>not_met unexplained"},
		"a new account": {good(0), notMet(good(30), "cy@contoso.com"), func(_, to *posture.State) {
			to.Accounts = append(to.Accounts, posture.Account{ID: "c", Name: "cy@contoso.com", Class: "guest", InScope: true, Enabled: true,
				Verdict: posture.NotMet, Cover: posture.NotCovered, DirectoryKnown: true})
		}, "mfa-every-user met>not_met surely account_added"},
		"a new account in a list that was cut": {good(0), notMet(good(30), "cy@contoso.com"), func(from, to *posture.State) {
			from.Lists[1].State = posture.ListCut
			to.Accounts = append(to.Accounts, posture.Account{ID: "c", Name: "cy@contoso.com", InScope: true, Verdict: posture.NotMet, DirectoryKnown: true})
		}, "mfa-every-user met>not_met perhaps known_now"},
		"a removed account": {notMet(excluded(0), "bo@contoso.com"), good(30), func(_, to *posture.State) {
			to.Settings = excluded(0).Settings
			to.Accounts = to.Accounts[:1]
		}, "mfa-every-user not_met>met surely account_removed"},
		"one that is missing in a cut list is not removed": {excluded(0), unknown(excluded(30)), func(_, to *posture.State) {
			to.Accounts, to.Lists[1].State = to.Accounts[:1], posture.ListCut
		}, "mfa-every-user not_met>unknown surely not_known_any_more"},
		"lost registration": {good(0), notMet(good(30), "bo@contoso.com"), func(_, to *posture.State) {
			to.Accounts[1].Factor, to.Accounts[1].Verdict = "none", posture.NotMet
		}, "mfa-every-user met>not_met surely registration_lost"},
		"a sign-in without MFA": {good(0), notMet(good(30), "bo@contoso.com"), func(_, to *posture.State) {
			to.Accounts[1].LastUnasked, to.Accounts[1].Verdict = &unasked, posture.NotMet
		}, "mfa-every-user met>not_met surely sign_in_without_mfa"},
		"a role given": {good(0), notMet(good(30), "bo@contoso.com"), func(_, to *posture.State) {
			to.Accounts[1].Roles = []string{"Global Administrator"}
			to.Accounts[1].Verdict = posture.NotMet
		}, "mfa-every-user met>not_met surely role_given"},
		"a list is refused": {good(0), unknown(good(30)), func(_, to *posture.State) {
			to.Settings, to.Lists[0].State = nil, posture.ListRefused
		}, "mfa-every-user met>unknown surely not_known_any_more"},
		"evidence got too old": {good(0), unknown(good(30)), func(_, to *posture.State) { to.Requirements[0].Stale = true },
			"mfa-every-user met>unknown surely evidence_too_old"},
		"a date was reached": {good(0), good(30), func(_, to *posture.State) {
			to.Requirements[1].Binding, to.Requirements[1].Verdict = "enforced", posture.NotMet
		}, "alerts-answered met>not_met surely rule_date"},
		"another rule book": {good(0), notMet(good(30), "x"), func(_, to *posture.State) { to.Book = "2027-01-01" },
			"mfa-every-user met>not_met perhaps rule_book"},
		"an attestation ended": {good(0), unknown(good(30)), func(from, to *posture.State) {
			v := posture.Statement{Kind: "attestation", Requirement: "mfa-every-user", Who: "Ada", Until: "2026-11-20", State: "in_force"}
			from.Requirements[0].Verdict = posture.Attested
			from.Statements = append(from.Statements, v)
			v.State = "expired"
			to.Statements = append(to.Statements, v)
		}, "mfa-every-user attested>unknown surely statement_ended"},
		"nobody explains it": {good(0), good(30), func(_, to *posture.State) { to.Requirements[1].Verdict = posture.NotMet },
			"alerts-answered met>not_met unexplained"},
		"an edit elsewhere does not explain it": {good(0), excluded(30), func(_, to *posture.State) {
			to.Requirements[0] = good(0).Requirements[0]
			to.Requirements[1].Verdict = posture.NotMet
		}, "alerts-answered met>not_met unexplained"},
	} {
		if c.change != nil {
			c.change(c.from, c.to)
		}
		got := posture.Compare(c.from, c.to, nil, true)
		if told(got) != c.want {
			b, _ := json.MarshalIndent(got, "", " ")
			t.Errorf("%s: %q, want %q\n%s", name, told(got), c.want, b)
		}
	}
}

// What is not seen any more is not mended: neither an account that a list which was cut
// does not have, nor what the log said against the settings.
func TestNotSeenIsNotGone(t *testing.T) {
	t.Parallel()
	from, to := good(0), good(30)
	from.Accounts = append(from.Accounts, posture.Account{ID: "c", Name: "cy@contoso.com", Class: "guest", InScope: true, Enabled: true,
		Verdict: posture.NotMet, Cover: posture.NotCovered, DirectoryKnown: true})
	from.Disagreements = []posture.Disagreement{{Account: "cy@contoso.com", Text: "the settings ask and the log says that nobody asked"}}
	seen := func() (standing string, settled int) {
		c := posture.Compare(from, to, nil, true)
		for i := range c.Accounts {
			if c.Accounts[i].ID == "c" {
				standing = c.Accounts[i].To
			}
		}
		for i := range c.Causes {
			if c.Causes[i].Kind == posture.DisagreementGone {
				settled++
			}
		}
		return standing, settled
	}
	kinds := map[string]int{}
	for _, st := range []*posture.State{from, to} {
		st.Lists = append(st.Lists, posture.List{Kind: "signIn", State: posture.ListWhole})
		for i := range st.Lists {
			kinds[st.Lists[i].Kind]++
		}
	}
	if kinds["user"] != 2 || kinds["conditionalAccessPolicy"] != 2 {
		t.Fatal(kinds)
	}
	if standing, settled := seen(); standing != "" || settled != 1 {
		t.Errorf("all whole: %q, %d", standing, settled)
	}
	for i := range to.Lists {
		to.Lists[i].State = posture.ListRefused
	}
	if standing, settled := seen(); standing != posture.Unknown || settled != 0 {
		t.Errorf("refused: %q, %d", standing, settled)
	}
}

// TestWho: the edit is named with its member, who made it and when; acts on others, of
// failure, of another time are not.
func TestWho(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	at := monday.AddDate(0, 0, 12)
	failed := edit("Update conditional access policy", policy, at.Add(time.Hour))
	failed.Result = "failure"
	r.whole = true
	r.rows = []posture.AuditRow{edit("Update conditional access policy", policy, at), failed, edit("Update conditional access policy", bo, at),
		edit("Update conditional access policy", policy, monday.AddDate(0, 0, -3)), edit("Update user", ada, at)}
	r.keep(good(0))
	r.keep(excluded(30))
	c, err := r.Changes(t.Context(), tenant, monday.AddDate(0, 0, 1))
	r.must(err)
	if len(c.Causes) != 1 || c.Short {
		t.Fatalf("%+v", c)
	}
	x := c.Causes[0]
	if x.Text != "the policy was edited: conditions.users.excludeUsers gained bo@contoso.com" || len(x.Edits) != 1 ||
		x.Who != "ravi@contoso.com on 2026-11-14 08:00 UTC (Update conditional access policy)" || x.Turned[0] != "mfa-every-user" {
		t.Errorf("%+v", x)
	}
	if len(c.Accounts) != 1 || c.Accounts[0].Name != "bo@contoso.com" || !c.Accounts[0].Sure || c.Accounts[0].WasBy[0] != "MFA for all" {
		t.Errorf("%+v", c.Accounts)
	}
	r.rows, r.whole = nil, true
	if c, err = r.Changes(t.Context(), tenant, monday); err != nil || !strings.HasPrefix(c.Causes[0].Who, "nobody is named") {
		t.Errorf("%+v %v", c, err)
	}
	r.whole = false
	if c, err = r.Changes(t.Context(), tenant, monday.AddDate(-1, 0, 0)); err != nil || !strings.HasPrefix(c.Causes[0].Who,
		"who did it is not known") || !c.Short {
		t.Errorf("%+v %v", c, err)
	}
}

// TestFlatten: what is empty and what is not sent are alike, lists are sets, and
// nothing hostile costs much.
func TestFlatten(t *testing.T) {
	t.Parallel()
	a := posture.Flatten([]byte(`{"a":{"b":["y","x"],"c":null,"d":[]},"e":"","f":1,"g":{"h":{}}}`))
	b := posture.Flatten([]byte(`{"a":{"b":["x","y"]},"f":1}`))
	if fmt.Sprint(a) != fmt.Sprint(b) || a["a.b"] != `["x","y"]` {
		t.Errorf("%v, %v", a, b)
	}
	for _, hostile := range []string{"", "[]", "null", `{"a":`, strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)} {
		if got := posture.Flatten([]byte(hostile)); len(got) > 1 {
			t.Errorf("%.20s: %d", hostile, len(got))
		}
	}
}

const auditRow = `{"id":"Directory_1","activityDateTime":"2026-11-14T08:00:00.1234567Z","activityDisplayName":"Update conditional access policy",
	"result":"success","initiatedBy":{"user":{"id":"u","userPrincipalName":"ravi@contoso.com","displayName":null},"app":null},
	"targetResources":[{"id":"p","displayName":"MFA","type":"Policy","modifiedProperties":[{"displayName":"ConditionalAccessPolicy","oldValue":"a","newValue":"b"}]}]}`

func TestParseAudit(t *testing.T) {
	t.Parallel()
	got, err := posture.ParseAudit([]byte(auditRow))
	if err != nil || got.By != "ravi@contoso.com" || got.App || got.Targets[0].ID != "p" || got.Targets[0].Changed[0] != "ConditionalAccessPolicy" {
		t.Errorf("%+v %v", got, err)
	}
	app, err := posture.ParseAudit([]byte(`{"id":"x","activityDateTime":"2026-11-14T08:00:00Z","initiatedBy":{"app":{"displayName":"Pipe\u001b[31m"}}}`))
	if err != nil || !app.App || strings.ContainsRune(app.By, 0x1b) {
		t.Errorf("%+v %v", app, err)
	}
	for name, bad := range map[string]string{"empty": "", "a list": "[]", "no id": `{"activityDateTime":"2026-11-14T08:00:00Z"}`, "no time": `{"id":"x"}`,
		"a wrong time": `{"id":"x","activityDateTime":"yesterday"}`, "large": `{"id":"` + strings.Repeat("x",
			1<<20) + `"}`, "targets are a text": `{"id":"x","targetResources":"y"}`} {
		if _, err := posture.ParseAudit([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzParseAudit: no row makes it fall over, and what is read is bounded and can be
// shown.
func FuzzParseAudit(f *testing.F) {
	f.Add(auditRow)
	f.Add(`{"id":"x","activityDateTime":"2026-11-14T08:00:00Z","targetResources":[{"id":null,"modifiedProperties":[{}]}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := posture.ParseAudit([]byte(s))
		if err != nil {
			return
		}
		if r.ID == "" || r.At.IsZero() || len(r.Targets) > 100 {
			t.Errorf("%+v", r)
		}
		for _, text := range []string{r.By, r.ByID, r.Activity, r.ID} {
			if strings.ContainsAny(text, "\x1b\n\r") || len(text) > 4000 {
				t.Errorf("%q", text)
			}
		}
	})
}
