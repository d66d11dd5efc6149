package apppassword

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

const smtpClient = "Authenticated SMTP"

// TestUntil: the day of the next end of SMTP AUTH, and a sign-in before it proves
// nothing after it.
func TestUntil(t *testing.T) {
	t.Parallel()
	a := settled(t, nil).sees(smtpClient, asOf.AddDate(0, 0, -1)).decide().Accounts[0]
	if a.Until == nil || a.Until.Format(time.DateOnly) != "2026-12-31" || *a.DaysLeft != 33 || !strings.Contains(strings.Join(a.Breaks, " "), "December 2026") {
		t.Errorf("%v %v %q", a.Until, a.DaysLeft, a.Breaks)
	}
	later := asOf.AddDate(0, 0, 40)
	e := settled(t, nil)
	e.now, e.in.Times.Stated = later, &later
	if a := e.sees(smtpClient, later.AddDate(0, 0, -20)).decide().Accounts[0]; a.Works != Unknown || a.Until == nil || a.Until.Year() != 2027 {
		t.Errorf("a sign-in of December proves January: %s %q, until %v", a.Works, a.Why, a.Until)
	}
	e = settled(t, nil)
	e.now, e.in.Times.Stated = later, &later
	if a := e.sees(smtpClient, later.AddDate(0, 0, -2)).decide().Accounts[0]; a.Works != Yes {
		t.Errorf("one of January proves it was switched on again: %s %q", a.Works, a.Why)
	}
}

// TestDepends: who signs in by one.
func TestDepends(t *testing.T) {
	t.Parallel()
	day := asOf.AddDate(0, 0, -1)
	state := func(is string) func(map[evidence.Kind][]string) {
		return func(a map[evidence.Kind][]string) {
			a[evidence.PerUserMFA][0] = strings.Replace(enforced, "enforced", is, 1)
		}
	}
	for name, c := range map[string]struct {
		e    *export
		want Answer
		why  string
	}{
		"enforced":       {settled(t, nil).sees(smtpClient, day), Yes, "its own password opens none"},
		"enabled":        {settled(t, state("enabled")).sees(smtpClient, day), Unknown, "or by its own"},
		"disabled":       {settled(t, state("disabled")).sees(smtpClient, day), No, "by its own password"},
		"not read":       {settled(t, func(a map[evidence.Kind][]string) { delete(a, evidence.PerUserMFA) }).sees(smtpClient, day), Unknown, "may be"},
		"named":          {settled(t, state("enabled")).row("Browser", day, signin.ReasonSkippedAppPassword), Yes, "name an app password"},
		"nothing":        {settled(t, nil).sees("", day), No, "30 days"},
		"no log":         {settled(t, nil), Unknown, "no sign-in log"},
		"a modern row":   {settled(t, nil).sees("Browser", day), No, "30 days"},
		"a short log":    {short(settled(t, nil).sees("", day)), Unknown, "30 days are needed"},
		"half of a log":  {cut(settled(t, nil).sees("", day)), Unknown, "not read whole"},
		"log of October": {aged(settled(t, nil).sees("", day)), Unknown, "old"},
	} {
		a := c.e.decide().Accounts[0]
		if a.Depends != c.want || !strings.Contains(a.DependsWhy, c.why) {
			t.Errorf("%s: %s %q", name, a.Depends, a.DependsWhy)
		}
	}
}

func short(e *export) *export { e.f.SignIns.First = asOf.AddDate(0, 0, -7); return e }
func cut(e *export) *export {
	e.in.Cuts = append(e.in.Cuts, evidence.Cut{Kind: evidence.SignIn, Why: "ends early"})
	return e
}
func aged(e *export) *export {
	e.f.SignIns.First, e.f.SignIns.Last = asOf.AddDate(0, 0, -70), asOf.AddDate(0, 0, -40)
	return e
}

func audit(id, activity, result string, at time.Time) string {
	return fmt.Sprintf(`{"id":%q,"activityDateTime":%q,"activityDisplayName":%q,"result":%q,
		"initiatedBy":{"user":{"id":"u1","userPrincipalName":"scanner@x.example"}},"targetResources":[{"id":"u1","type":"User","userPrincipalName":"scanner@x.example"}]}`, id, at.Format(time.RFC3339), activity, result)
}

// TestRegister: what audit rows say, and what they cannot.
func TestRegister(t *testing.T) {
	t.Parallel()
	day := asOf.AddDate(0, 0, -10)
	const create, remove = "Create application password for user", "Delete application password for user"
	e := settled(t, nil).add(evidence.DirectoryAudit, audit("a1", create, "success", day), audit("a2", create, "failure", day),
		audit("a3", create, "success", day.AddDate(0, 0, 1)), audit("a4", remove, "success", day.AddDate(0, 0, 2)),
		audit("a1", create, "success", day), audit("b", "Update user", "success", day.AddDate(0, 0, -5)))
	r := e.decide()
	if len(r.Register.Entries) != 4 || r.Register.Entries[0].Act != "deleted" || r.Register.Entries[0].By != "scanner@x.example" || !r.Register.Whole ||
		r.Register.Since == nil || !r.Register.Since.Equal(day.AddDate(0, 0, -5)) {
		t.Errorf("%+v", r.Register)
	}
	if a := r.Accounts[0]; a.Holds != Yes || !strings.Contains(a.HoldsWhy, "2 made and 1 deleted") {
		t.Errorf("%s %q", a.Holds, a.HoldsWhy)
	}
	r = settled(t, nil).add(evidence.DirectoryAudit, audit("a", create, "success", day), audit("b", remove, "success", day)).decide()
	if a := r.Accounts[0]; a.Holds != Unknown || !strings.Contains(a.HoldsWhy, "before it begins is not known") {
		t.Errorf("made and deleted is no proof of none: %s %q", a.Holds, a.HoldsWhy)
	}
	r = settled(t, nil).decide()
	if a := r.Accounts[0]; a.Holds != Unknown || r.Register.Since != nil || r.Register.Whole || r.Register.Settle == "" {
		t.Errorf("nothing read: %s %q, %+v", a.Holds, a.HoldsWhy, r.Register)
	}
	r = settled(t, nil).add(evidence.DirectoryAudit, `{"activityDisplayName":"`+create+`","initiatedBy":"odd"}`).decide()
	if r.Register.Whole || len(r.Register.Entries) > 0 {
		t.Errorf("a row that cannot be told leaves the list whole: %+v", r.Register)
	}
	registration := `{"id":"u1","userPrincipalName":"scanner@x.example","isMfaRegistered":true,"methodsRegistered":["mobilePhone","appPassword"]}`
	if a := settled(t, nil).add(evidence.RegistrationDetails, registration).decide().Accounts[0]; a.Holds != Yes {
		t.Errorf("%s %q", a.Holds, a.HoldsWhy)
	}
}

// TestWays: each use has its way, the nearest first, and says what it needs.
func TestWays(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		for which, ways := range nearest[p.id] {
			if len(ways) == 0 {
				t.Errorf("%s has no way out for %d", p.id, which)
			}
			for _, w := range ways {
				if w.ID == "" || w.Text == "" || w.Needs == "" {
					t.Errorf("%s: %+v", p.id, w)
				}
			}
		}
	}
	day := asOf.AddDate(0, 0, -1)
	a := settled(t, nil).sees(smtpClient, day).sees("Other clients; SMTP", day).sees("POP3", day).decide().Accounts[0]
	if a.Class != directory.ClassService || len(a.Uses) != 3 || a.Ways[0].ID != "mail_bridge" || a.Ways[len(a.Ways)-1].Protocol == smtp {
		t.Errorf("%s %+v", a.Class, a.Ways)
	}
}

func TestProtocolOf(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]string{"Authenticated SMTP": smtp, "Other clients; SMTP": smtp, "IMAP4": "imap", "POP": "pop", "POP3": "pop",
		"Exchange ActiveSync (unsupported)": "activesync", "Exchange Web Services": "ews", "Exchange Online PowerShell": "powershell",
		"MAPI Over HTTP": "outlook", "Outlook Anywhere (RPC over HTTP)": "outlook", "AutoDiscover": "outlook", "Other clients": other, "": other} {
		if got := protocolOf(client); got != want {
			t.Errorf("%q is %s", client, got)
		}
	}
}

// TestLogOrder: however the rows are shared out, the answer is the same.
func TestLogOrder(t *testing.T) {
	t.Parallel()
	rows := make([]signin.Sighting, 0, 40)
	for i := range 40 {
		rows = append(rows, signin.Sighting{ID: fmt.Sprint("r", i), UserID: fmt.Sprint("u", i%3), UserPrincipalName: fmt.Sprint("n", i%5), Legacy: true,
			ClientAppUsed: []string{"IMAP4", smtpClient}[i%2], At: asOf.Add(time.Duration(i%7) * time.Hour), Success: true, Verdict: signin.NotChallenged})
	}
	one, many := NewLog(), NewLog()
	v := one.Visitor()
	for i := range rows {
		v.See(&rows[i])
	}
	for i := range rows {
		many.Visitor().See(&rows[len(rows)-1-i])
	}
	a, _ := one.all()
	b, _ := many.all()
	if !reflect.DeepEqual(a, b) || len(a) != 3 {
		t.Errorf("%+v\n%+v", a, b)
	}
}
