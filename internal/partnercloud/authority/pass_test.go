package authority_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// pass gives a user a Temporary Access Pass and says its secret.
func (l *lab) pass(user string, minutes int, once bool) string {
	l.policyOfPasses(`{"id":"TemporaryAccessPass","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}]}`)
	p, secret := world.NewPass("pass-1", 8)
	p.Start, p.Minutes, p.Once = l.w.Clock.Now(), minutes, once
	l.change(user, func(u *world.User) {
		u.Methods = append(slices.Clone(u.Methods), world.Method{ID: "pass-1", Type: world.MethodPass, Pass: p})
	})
	return secret
}

func (l *lab) policyOfPasses(raw string) {
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.MethodConfigs.Put(&world.Document{ID: "TemporaryAccessPass", Raw: json.RawMessage(raw)})
		s.Touch(p)
	})
}

// signInByPass asks for MFA and goes as far as the pass leads.
func (l *lab) signInByPass(upn, secret string) *browser {
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa"))
	b.send("do", "account", "loginfmt", upn)
	b.wants("Enter Temporary Access Pass").send("do", "pass", "pass", secret)
	if strings.Contains(b.page, "Stay signed in?") {
		b.send("do", "leave")
	}
	return b
}

func TestATemporaryAccessPassIsTwoFactors(t *testing.T) {
	l := newLab(t)
	secret := l.pass(benID, 60, true)
	if b := l.signInByPass("ben@contoso.com", "wrong"); !strings.Contains(b.page, "That pass did not work") {
		t.Fatalf("a wrong pass: %.400s", b.page)
	}
	rows := l.rows(partnerID)
	if got := rows[len(rows)-1].Status.ErrorCode; got != entra.CodePassWrong {
		t.Errorf("the row says %d", got)
	}
	r := l.signInByPass("ben@contoso.com", secret).redeem(partnerID)
	if k := l.claims(r.Access); !k.HasMFA() {
		t.Errorf("amr %v", k.AMR)
	}
	row := l.rows(partnerID)
	steps := row[len(row)-1].Steps
	if len(steps) == 0 || steps[0].Method != "Temporary Access Pass" {
		t.Errorf("steps %+v", steps)
	}
	// It was for one use: Ben has a password again, and nothing else.
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ben@contoso.com")
	b.wants("Enter password").send("do", "password", "passwd", l.passwordOf("ben@contoso.com"))
	if strings.Contains(b.page, "Temporary Access Pass") || !strings.Contains(b.page, "More information required") {
		t.Errorf("a pass that is used up: %s", b.page[strings.Index(b.page, "<main"):])
	}
	l.w.Read(func(s *world.State) {
		raw, err := json.Marshal(s.PartnerTenant().Users.Get(benID))
		if err != nil || strings.Contains(string(raw), secret) {
			t.Error("the pass itself is kept")
		}
	})
}

func TestAPassIsTakenInItsTimeAndWherePolicyAllows(t *testing.T) {
	l := newLab(t)
	secret := l.pass(adaID, 60, false)
	for range 2 { // for several uses
		if r := l.signInByPass("ada@contoso.com", secret).redeem(partnerID); r.Access == "" {
			t.Fatalf("%+v", r)
		}
	}
	// Beside a password it is a second factor.
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ada@contoso.com")
	b.send("do", "word").wants("Enter password").send("do", "password", "passwd", l.passwordOf("ada@contoso.com"))
	b.send("do", "choose").wants("Temporary Access Pass").send("do", "pass").wants("Enter Temporary Access Pass").send("do", "pass", "pass", secret)
	b.wants("Stay signed in?").send("do", "leave")
	if k := l.claims(b.redeem(partnerID).Access); !slices.Contains(k.AMR, "pwd") || !k.HasMFA() {
		t.Errorf("amr %v", k.AMR)
	}
	asked := func() string {
		return l.browser().get(l.authorizeURL(partnerID)).send("do", "account", "loginfmt", "ada@contoso.com").page
	}
	for name, raw := range map[string]string{
		"off":          `{"state":"disabled"}`,
		"others":       `{"state":"enabled","includeTargets":[{"id":"90000000-0000-4000-8000-0000000000ff"}]}`,
		"not for them": `{"state":"enabled","includeTargets":[{"id":"all_users"}],"excludeTargets":[{"id":"90000000-0000-4000-8000-000000000001"}]}`,
	} {
		l.policyOfPasses(raw)
		if strings.Contains(asked(), "Temporary Access Pass") {
			t.Errorf("%s: a pass is asked for", name)
		}
	}
	l.policyOfPasses(`{"state":"enabled"}`)
	if !strings.Contains(asked(), "Temporary Access Pass") {
		t.Error("no pass is asked for")
	}
	l.jump(61 * time.Minute)
	if strings.Contains(asked(), "Temporary Access Pass") {
		t.Error("a pass is asked for that is over")
	}
}

func TestPassesCannotBeGuessed(t *testing.T) {
	l := newLab(t)
	secret := l.pass(benID, 60, false)
	for range 10 {
		l.signInByPass("ben@contoso.com", "wrong")
	}
	if b := l.signInByPass("ben@contoso.com", secret); !strings.Contains(b.page, "Too many wrong passes") {
		t.Errorf("%.600s", b.page)
	}
}
