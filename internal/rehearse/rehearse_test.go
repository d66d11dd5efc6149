package rehearse_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin"
)

var at = time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)

func policy(id, control string, change func(*access.Policy)) *access.Policy {
	p := &access.Policy{ID: id, DisplayName: id, State: access.Enabled, GrantControls: &access.GrantControls{Operator: "OR",
		BuiltInControls: []string{control}}}
	p.Conditions.Users.IncludeUsers = []string{"All"}
	p.Conditions.Applications.IncludeApplications = []string{"All"}
	if change != nil {
		change(p)
	}
	return p
}

func tenant(policies ...*access.Policy) *access.Tenant {
	t := &access.Tenant{Policies: policies, KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
	for _, id := range []string{"able", "unable", "svc", "printer", "unsure", "external"} {
		t.Users = append(t.Users, access.Subject{ID: id, Name: id + "@contoso.com"})
	}
	return t
}

var accounts = map[string]rehearse.Account{
	"able":     {Class: directory.ClassMember, Registered: rehearse.KnownYes},
	"unable":   {Class: directory.ClassMember, Registered: rehearse.KnownNo},
	"svc":      {Class: directory.ClassService, Registered: rehearse.KnownNo},
	"printer":  {Class: directory.ClassService, Registered: rehearse.KnownNo},
	"unsure":   {Class: directory.ClassMember},
	"external": {Class: directory.ClassMember, Registered: rehearse.KnownYes, Resistant: rehearse.KnownNo, OnlyExternal: true},
	"keyed":    {Class: directory.ClassMember, Registered: rehearse.KnownYes, Resistant: rehearse.KnownYes},
}

func seen(id, user string, change func(*signin.Sighting)) signin.Sighting {
	s := signin.Sighting{ID: id, UserID: user, UserPrincipalName: user + "@contoso.com", AppID: "app", AppDisplayName: "App", ClientAppUsed: "Browser",
		IPAddress: "203.0.113.7", Country: "NL", Platform: "Windows 10", Verdict: signin.NotChallenged, Reason: signin.ReasonSingleFactor, Success: true,
		At: at}
	if change != nil {
		change(&s)
	}
	return s
}

func run(t *testing.T, today, then *access.Tenant, rows ...signin.Sighting) *rehearse.Result {
	t.Helper()
	a, b := access.Compile(today), access.Compile(then)
	h := rehearse.NewHistory(a, b)
	v, w := h.Visitor(), h.Visitor()
	for i := range rows { // two visitors, as two workers would have
		if i%2 == 0 {
			v.See(&rows[i])
		} else {
			w.See(&rows[i])
		}
	}
	return rehearse.Rehearse(rehearse.Input{Proposal: "test", Today: a, Then: b, History: h, Accounts: accounts})
}

func TestEffects(t *testing.T) {
	t.Parallel()
	none, all := tenant(), tenant(policy("MFA", "mfa", nil))
	strength := func(controls ...string) *access.Tenant {
		return tenant(policy("S", "", func(p *access.Policy) {
			p.GrantControls.BuiltInControls = nil
			for _, c := range controls {
				p.GrantControls.BuiltInControls = append(p.GrantControls.BuiltInControls, c)
			}
			p.GrantControls.Strength = &access.Strength{ID: entra.StrengthMFA}
		}))
	}
	byProvider := func(s *signin.Sighting) { s.Verdict, s.Reason = signin.SatisfiedByProvider, signin.ReasonExternalClaim }
	block := func(p *access.Policy) { p.Conditions.ClientAppTypes = []string{"exchangeActiveSync", "other"} }
	for name, c := range map[string]struct {
		today, then *access.Tenant
		row         signin.Sighting
		want        rehearse.Effect
		way         string
	}{
		"nothing changes":                  {none, none, seen("1", "able", nil), rehearse.Unchanged, ""},
		"challenged and able":              {none, all, seen("1", "able", nil), rehearse.ChallengedAble, ""},
		"challenged, no method":            {none, all, seen("1", "unable", nil), rehearse.ChallengedUnable, "register"},
		"External MFA, require MFA":        {none, all, seen("1", "external", nil), rehearse.ChallengedAble, ""},
		"External MFA, a strength":         {none, strength(), seen("1", "external", nil), rehearse.ChallengedUnable, "register"},
		"External MFA proven, a strength":  {none, strength(), seen("1", "external", byProvider), rehearse.ChallengedUnable, "register"},
		"External MFA, a strength or MFA":  {none, strength("mfa"), seen("1", "external", nil), rehearse.ChallengedAble, ""},
		"External MFA, the strength is on": {strength(), strength(), seen("1", "external", byProvider), rehearse.Unchanged, ""},
		"a method of its own, a strength":  {none, strength(), seen("1", "able", nil), rehearse.ChallengedAble, ""},
		"challenged, nobody there":         {none, all, seen("1", "svc", nil), rehearse.ChallengedUnable, "secure_application_model"},
		"challenged, not known":            {none, all, seen("1", "unsure", nil), rehearse.ChallengedUnknown, ""},
		"carried MFA already":              {none, all, seen("1", "unable", func(s *signin.Sighting) { s.Verdict = signin.SatisfiedByClaim }), rehearse.Unchanged, ""},
		"legacy cannot carry MFA": {none, all, seen("1", "printer", func(s *signin.Sighting) { s.Legacy, s.ClientAppUsed = true, "Authenticated SMTP" }),
			rehearse.BlockedThen, "app_password"},
		"legacy blocked": {none, tenant(policy("B", "block", block)),
			seen("1", "able", func(s *signin.Sighting) { s.Legacy, s.ClientAppUsed = true, "IMAP4" }), rehearse.BlockedThen, "app_password"},
		"old Outlook": {none, tenant(policy("B", "block", block)),
			seen("1", "able", func(s *signin.Sighting) { s.Legacy, s.ClientAppUsed = true, "Exchange Web Services" }), rehearse.BlockedThen, "client_upgrade"},
		"password grant": {none, all, seen("1", "svc", func(s *signin.Sighting) { s.ROPC = true }), rehearse.BlockedThen, "secure_application_model"},
		"device code blocked": {none, tenant(policy("D", "block", func(p *access.Policy) {
			p.Conditions.Flows.Items = []access.FlowCondition{{TransferMethods: []string{"deviceCodeFlow"}}}
		})), seen("1", "able", func(s *signin.Sighting) { s.DeviceCode = true }), rehearse.BlockedThen, "interactive_sign_in"},
		"a regression": {all, none, seen("1", "able", func(s *signin.Sighting) { s.Verdict = signin.Challenged }), rehearse.Opened, "review_policy"},
		"only elsewhere": {none, tenant(policy("MFA", "mfa", func(p *access.Policy) { p.Conditions.Applications.IncludeApplications = []string{"other"} })),
			seen("1", "able", nil), rehearse.Unchanged, ""},
		"hangs on an unknown group": {none, tenant(policy("MFA", "mfa", func(p *access.Policy) {
			p.Conditions.Users.IncludeUsers = nil
			p.Conditions.Users.IncludeGroups = []string{"g"}
		})), seen("1", "able", nil), rehearse.UndecidedThen, ""},
		"a failed row is not replayed": {none, all, seen("1", "able", func(s *signin.Sighting) { s.Verdict, s.Success = signin.Failed, false }), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, c.today, c.then, c.row)
			var got rehearse.Effect
			for _, total := range r.Totals {
				if total.Rows > 0 {
					got = total.Effect
					if total.Rows != 1 || total.Accounts != 1 {
						t.Errorf("total %+v", total)
					}
				}
			}
			if got != c.want {
				t.Fatalf("%q, want %q: %+v", got, c.want, r.Groups)
			}
			if (got == rehearse.Unchanged || got == "") != (len(r.Groups) == 0) {
				t.Errorf("groups %+v", r.Groups)
			}
			if c.way != "" && (len(r.Groups) != 1 || !slices.ContainsFunc(r.Groups[0].WaysOut, func(w directory.WayOut) bool { return w.ID == c.way })) {
				t.Errorf("ways out lack %s: %+v", c.way, r.Groups)
			}
		})
	}
}

// TestRowsOfEqualSignatureAreOnePattern: rows that no engine can tell apart
// are decided once and counted; the order and the split do not matter.
func TestRowsOfEqualSignatureAreOnePattern(t *testing.T) {
	t.Parallel()
	var rows []signin.Sighting
	for i := range 100 {
		rows = append(rows, seen(fmt.Sprint(i), "able", func(s *signin.Sighting) {
			s.At = at.Add(time.Duration(i) * time.Minute)
			s.IPAddress = fmt.Sprintf("198.51.100.%d", i)
		}))
	}
	all := tenant(policy("MFA", "mfa", nil))
	r := run(t, tenant(), all, rows...)
	if r.Patterns != 1 || r.Rows != 100 || len(r.Groups) != 1 || r.Groups[0].Rows != 100 || r.Groups[0].RecordID != "99" {
		t.Errorf("%d patterns, %d rows, %+v", r.Patterns, r.Rows, r.Groups)
	}
	slices.Reverse(rows)
	x, _ := json.Marshal(r)
	y, _ := json.Marshal(run(t, tenant(), all, rows...))
	if string(x) != string(y) {
		t.Errorf("another order gave another result:\n%s\n%s", x, y)
	}
}

// TestBaselineIsProved: the preset proves MFA at every sign-in of any tenant,
// also beside policies that are full of holes, and what it exports is
// report-only and reads back.
func TestBaselineIsProved(t *testing.T) {
	t.Parallel()
	holes := policy("holes", "mfa", func(p *access.Policy) { p.Conditions.Users.ExcludeUsers = []string{"able"} })
	for _, today := range []*access.Tenant{tenant(), tenant(holes)} {
		then := *today
		then.Policies = append(slices.Clone(today.Policies), access.PartnerBaseline()...)
		e := access.Compile(&then)
		for _, name := range []string{"mfa-every-sign-in", "mfa-every-user", "legacy-blocked"} {
			q, _ := access.FindQuestion(name)
			if p, err := e.Prove(q); err != nil || p.Verdict != access.Proved {
				t.Errorf("%s: %+v %v", name, p, err)
			}
		}
	}
	raw, err := access.Export(access.PartnerBaseline())
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Value []*access.Policy }
	if err := json.Unmarshal(raw, &page); err != nil || len(page.Value) != 2 {
		t.Fatalf("%v: %s", err, raw)
	}
	for i, p := range page.Value {
		if !p.ReportOnly() || len(p.Unsupported) > 0 || p.ID != "" {
			t.Errorf("exported policy %+v", p)
		}
		p.State = access.Enabled
		page.Value[i] = p
	}
	q, _ := access.FindQuestion("mfa-every-sign-in")
	if p, _ := access.Compile(tenant(page.Value...)).Prove(q); p.Verdict != access.Proved {
		t.Errorf("read back and enabled: %s", p.Reason)
	}
}

func TestDisagreements(t *testing.T) {
	t.Parallel()
	e := access.Compile(tenant(policy("MFA", "mfa", nil)))
	h := rehearse.NewHistory(e)
	v := h.Visitor()
	for _, s := range []signin.Sighting{seen("1", "able", nil), seen("2", "unable", func(s *signin.Sighting) { s.Verdict = signin.Challenged })} {
		v.See(&s)
	}
	d := rehearse.Disagreements(h, e, true)
	if len(d) != 1 || d[0].RecordID != "1" || d[0].Account != "able@contoso.com" {
		t.Errorf("%+v", d)
	}
	if none := rehearse.Disagreements(func() *rehearse.History {
		e := access.Compile(tenant())
		h := rehearse.NewHistory(e)
		s := seen("1", "able", nil)
		h.Visitor().See(&s)
		return h
	}(), access.Compile(tenant()), true); len(none) != 0 {
		t.Errorf("no policy, no disagreement: %+v", none)
	}
}

// TestReverseDisagreements: MFA that was demanded, and that no setting asks
// for; MFA that was only done is nobody's disagreement, and neither is anything
// where the settings are not all known.
func TestReverseDisagreements(t *testing.T) {
	t.Parallel()
	e := access.Compile(tenant())
	h := rehearse.NewHistory(e)
	v := h.Visitor()
	for id, reason := range map[string]signin.Reason{"able": signin.ReasonMFAStep, "unable": signin.ReasonStrongMethod} {
		s := seen("row-"+id, id, func(s *signin.Sighting) { s.Verdict, s.Reason = signin.Challenged, reason })
		v.See(&s)
	}
	if d := rehearse.Disagreements(h, e, true); len(d) != 1 || d[0].RecordID != "row-able" {
		t.Errorf("%+v", d)
	}
	if d := rehearse.Disagreements(h, e, false); len(d) != 0 {
		t.Errorf("settings not known: %+v", d)
	}
}

// TestMoreThanMFA: who has a second factor is not able where a compliant device or
// a phishing-resistant method is asked for too.
func TestMoreThanMFA(t *testing.T) {
	t.Parallel()
	device := tenant(policy("P", "mfa", func(p *access.Policy) {
		p.GrantControls.Operator, p.GrantControls.BuiltInControls = "AND", []string{"mfa", "compliantDevice"}
	}))
	keys := tenant(policy("P", "", func(p *access.Policy) {
		p.GrantControls.BuiltInControls, p.GrantControls.Strength = nil, &access.Strength{ID: "00000000-0000-0000-0000-000000000004"}
	}))
	compliant := func(c signin.Tri) func(*signin.Sighting) { return func(s *signin.Sighting) { s.Compliant = c } }
	proven := func(s *signin.Sighting) { s.Verdict = signin.Challenged }
	for name, c := range map[string]struct {
		today, then *access.Tenant
		row         signin.Sighting
		want        rehearse.Effect
	}{
		"a device that is not compliant": {tenant(), device, seen("1", "able", compliant(signin.No)), rehearse.BlockedThen},
		"a device that is":               {tenant(), device, seen("1", "able", compliant(signin.Yes)), rehearse.ChallengedAble},
		"a device that nobody knows":     {tenant(), device, seen("1", "able", nil), rehearse.UndecidedThen},
		"as today":                       {device, device, seen("1", "able", proven), rehearse.Unchanged},
		"an app, and a key is asked for": {tenant(), keys, seen("1", "able", proven), rehearse.ChallengedUnknown},
		"nothing registered":             {tenant(), keys, seen("1", "unable", nil), rehearse.ChallengedUnable},
		"a key":                          {tenant(), keys, seen("1", "keyed", nil), rehearse.ChallengedAble},
	} {
		for _, w := range []*access.Tenant{c.today, c.then} {
			w.Users = append(w.Users, access.Subject{ID: "keyed", Name: "keyed@contoso.com"})
		}
		got := ""
		for _, total := range run(t, c.today, c.then, c.row).Totals {
			if total.Rows > 0 {
				got += string(total.Effect)
			}
		}
		if got != string(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
