package authority_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"

	"github.com/pquerna/otp/totp"
)

func TestSecureApplicationModel(t *testing.T) {
	l := newLab(t)
	r := l.sam()
	c := l.claims(r.Access)
	if !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) || c.TenantID != partnerID || c.AppID != samApp || c.AppIDACR != "1" || c.Audience != graphURI ||
		c.Version != "1.0" || c.UPN != "ada@contoso.com" || c.ACR != "1" {
		t.Fatalf("%+v", c)
	}
	if got := c.Scopes(); !slices.Contains(got, "Directory.Read.All") {
		t.Fatalf("scopes %v", got)
	}
	id := l.claims(r.ID)
	if id.Nonce != "n-1" || id.Audience != samApp || id.Issuer != l.srv.URL+"/"+partnerID+"/v2.0" || id.Preferred != "ada@contoso.com" {
		t.Fatalf("%+v", id)
	}
	if !strings.Contains(r.Scope, graphURI+"/.default") || !strings.Contains(r.Scope, "openid") {
		t.Fatalf("scope %q", r.Scope)
	}
	if r.Refresh == "" {
		t.Fatal("no refresh token")
	}
	// The log: interrupt, staying question, success, of one correlation.
	rows := l.rows(partnerID)
	if got := codes(rows); !slices.Equal(got, []int{50074, 50140, 0}) {
		t.Fatalf("rows %v", got)
	}
	last := rows[2]
	if last.CorrelationID != rows[0].CorrelationID || len(last.Steps) != 2 || last.Steps[0].Method != "Password" ||
		last.Steps[1].Method != "Software OATH token" || last.Requirement != "multiFactorAuthentication" {
		t.Fatalf("%+v", last)
	}

	t.Run("refresh rotates and keeps MFA", func(t *testing.T) {
		n := l.refresh(partnerID, r.Refresh, "scope", center+"/user_impersonation")
		if n.Access == "" || n.Refresh == "" || n.Refresh == r.Refresh {
			t.Fatalf("%+v", n)
		}
		if c := l.claims(n.Access); !c.HasMFA() || c.Audience != center || c.Scope != "user_impersonation" {
			t.Fatalf("%+v", c)
		}
		if again := l.refresh(partnerID, r.Refresh); again.Access == "" {
			t.Fatalf("the old one died: %+v", again)
		}
		rows := l.rows(partnerID)
		if x := rows[len(rows)-1]; x.IsInteractive || x.IncomingTokenType != "refreshToken" {
			t.Fatalf("%+v", x)
		}
	})
	t.Run("customer without consent", func(t *testing.T) {
		if n := l.refresh(customerID, r.Refresh); n.code() != 90099 {
			t.Fatalf("%+v", n)
		}
	})
	t.Run("customer with consent", func(t *testing.T) {
		l.consentCustomer()
		n := l.refresh(customerID, r.Refresh)
		if n.Access == "" {
			t.Fatalf("%+v", n)
		}
		c := l.claims(n.Access)
		if c.TenantID != customerID || c.HomeTenant != partnerID || c.Delegation != "dap" || c.ObjectID != adaID || !c.HasMFA() ||
			!slices.Contains(c.Wids, entra.RoleGlobalAdministrator) {
			t.Fatalf("%+v", c)
		}
		rows := l.rows(customerID)
		if x := rows[len(rows)-1]; x.CrossTenant != "serviceProvider" || x.Status.ErrorCode != 0 {
			t.Fatalf("%+v", x)
		}
		if n := l.refresh(customerID, r.Refresh, "scope", center+"/user_impersonation"); n.code() != 65001 || n.Sub != "consent_required" {
			t.Fatalf("%+v", n)
		}
	})
	t.Run("ninety days", func(t *testing.T) {
		l.jump(90*24*time.Hour - time.Second)
		if n := l.refresh(partnerID, r.Refresh); n.Access == "" {
			t.Fatalf("one second before: %+v", n)
		}
		l.jump(91 * 24 * time.Hour)
		n := l.refresh(partnerID, r.Refresh)
		if n.code() != 700082 || n.Error != "invalid_grant" || n.Status != 400 {
			t.Fatalf("%+v", n)
		}
	})
}

func TestWithoutMFA(t *testing.T) {
	l := newLab(t)
	l.consentCustomer()
	b := l.browser().get(l.authorizeURL("organizations")).signIn("ada@contoso.com")
	r := b.redeem("organizations")
	if c := l.claims(r.Access); c.HasMFA() || !slices.Equal(c.AMR, []string{"pwd"}) {
		t.Fatalf("%+v", c)
	}
	n := l.refresh(customerID, r.Refresh)
	if n.code() != 50076 || n.Error != "interaction_required" || n.Sub != "basic_action" {
		t.Fatalf("%+v", n)
	}
	// The interactive retry asks for the code, in the session that there is.
	b.get(l.authorizeURL(customerID)).wants("Enter code").send("do", "totp", "otc", l.codeOf("ada@contoso.com"))
	b.wants("Stay signed in?").send("do", "stay")
	r = b.redeem(customerID)
	if c := l.claims(r.Access); !c.HasMFA() || c.TenantID != customerID {
		t.Fatalf("%+v", c)
	}
	// And the session carries it from now on.
	b.get(l.authorizeURL(partnerID, "amr_values", "mfa", "prompt", "none"))
	if c := l.claims(b.redeem(partnerID).Access); !c.HasMFA() {
		t.Fatalf("%+v", c)
	}
}

func TestRegistrationOnTheWayIn(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa", "login_hint", "ben@contoso.com"))
	b.wants("Enter password").send("do", "password", "passwd", l.passwordOf("ben@contoso.com"))
	b.wants("More information required").send("do", "newtotp").wants("data:image/png;base64,")
	_, rest, _ := strings.Cut(b.page, `id="secret">`)
	secret, _, _ := strings.Cut(rest, "<")
	secret = strings.ReplaceAll(secret, " ", "")
	b.send("do", "newtotp", "otc", "000000").wants("did not work")
	b.send("do", "newtotp", "otc", l.codeFor(secret)).wants("Stay signed in?").send("do", "leave")
	c := l.claims(b.redeem(partnerID).Access)
	if !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa", "ngcmfa"}) {
		t.Fatalf("%v", c.AMR)
	}
	if got := codes(l.rows(partnerID)); !slices.Equal(got, []int{50072, 50140, 0}) {
		t.Fatalf("rows %v", got)
	}
	// The step is used up: the same code does not open another sign-in.
	b2 := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ben@contoso.com").
		send("do", "password", "passwd", l.passwordOf("ben@contoso.com"))
	b2.wants("Enter code").send("do", "totp", "otc", l.codeFor(secret)).wants("did not work")
	l.jump(30 * time.Second)
	b2.send("do", "totp", "otc", l.codeFor(secret)).wants("Stay signed in?")
}

func TestLockout(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ada@contoso.com")
	for range 10 {
		b.send("do", "password", "passwd", "wrong").wants("wrong")
	}
	b.send("do", "password", "passwd", l.passwordOf("ada@contoso.com")).wants("locked")
	l.jump(time.Minute)
	b.send("do", "password", "passwd", l.passwordOf("ada@contoso.com")).wants("Enter code")
	good := l.codeOf("ada@contoso.com")
	bad := "000000"
	if good == bad {
		bad = "000001"
	}
	for range 10 {
		b.send("do", "totp", "otc", bad)
	}
	b.send("do", "totp", "otc", good).wants("Too many wrong codes")
	l.jump(time.Minute)
	b.send("do", "totp", "otc", l.codeOf("ada@contoso.com")).wants("Stay signed in?")
	got := codes(l.rows(partnerID))
	if n := len(slices.DeleteFunc(slices.Clone(got), func(c int) bool { return c != 50126 })); n != 9 {
		t.Fatalf("50126 %d times in %v", n, got)
	}
	if !slices.Contains(got, 50053) || !slices.Contains(got, 500121) {
		t.Fatalf("%v", got)
	}
}

// A jump moves the cloud's clock, not the phone in somebody's hand: the codes of both
// are taken, each once.
func TestCodesAfterAJump(t *testing.T) {
	l := newLab(t)
	const ada = "ada@contoso.com"
	try := func(code string) bool {
		b := l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", ada).
			send("do", "password", "passwd", l.passwordOf(ada))
		return strings.Contains(b.send("do", "totp", "otc", code).page, "Stay signed in?")
	}
	phone := l.codeOf(ada)
	if !try(phone) || try(phone) {
		t.Fatal("before the jump a code is not taken once")
	}
	if _, err := l.w.Clock.Jump(31 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if try(phone) {
		t.Error("the jump lets a code be taken again")
	}
	var secret string
	l.w.Read(func(s *world.State) {
		u := s.Home(ada).UserByName(ada)
		secret = s.TOTPSecret(u, u.Method(world.MethodTOTP))
	})
	phone, err := totp.GenerateCode(secret, l.w.Clock.Real().Add(30*time.Second)) // the lab's machine stands still
	if err != nil {
		t.Fatal(err)
	}
	if script := l.codeOf(ada); !try(script) || try(script) {
		t.Error("a code of the cloud's clock is not taken once")
	}
	if !try(phone) || try(phone) {
		t.Error("a code of the machine's clock is not taken once")
	}
}
