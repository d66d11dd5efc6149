package authority_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// TestHardwareToken: a code of a hardware OATH token satisfies a strength that names
// it, which neither an authenticator app nor an external provider does; the row says
// which it was.
func TestHardwareToken(t *testing.T) {
	l := newLab(t)
	const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	l.policy(policy(`{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s","allowedCombinations":["password,hardwareOath"]}}`, "null"))
	b := l.browser().get(l.authorizeURL(partnerID, "login_hint", "ada@contoso.com"))
	b.send("do", "password", "passwd", l.passwordOf("ada@contoso.com")).wants("Enter code")
	if b.send("do", "totp", "otc", l.codeOf("ada@contoso.com")); strings.Contains(b.page, "Stay signed in?") {
		t.Fatal("a code of an app satisfies a strength of hardware tokens")
	}

	l.change(adaID, func(u *world.User) {
		u.Methods = append(u.Methods, world.Method{ID: "99999999-0000-4000-8000-0000000000aa", Type: world.MethodHardware, Secret: seed, Interval: 30})
	})
	b = l.browser().get(l.authorizeURL(partnerID, "login_hint", "ada@contoso.com"))
	b.send("do", "password", "passwd", l.passwordOf("ada@contoso.com")).wants("Enter code")
	b.send("do", "totp", "otc", "000000").wants("did not work")
	b.send("do", "totp", "otc", l.codeFor(seed)).wants("Stay signed in?").send("do", "stay")
	if c := l.claims(b.redeem(partnerID).Access); !c.HasMFA() {
		t.Fatalf("%+v", c)
	}
	rows := l.rows(partnerID)
	last := rows[len(rows)-1]
	if n := len(last.Steps); last.Status.ErrorCode != 0 || n == 0 || last.Steps[n-1].Method != "OATH hardware token" {
		t.Errorf("%+v", last)
	}
	// No step is taken twice.
	b = l.browser().get(l.authorizeURL(partnerID, "prompt", "login", "login_hint", "ada@contoso.com"))
	b.send("do", "password", "passwd", l.passwordOf("ada@contoso.com")).send("do", "totp", "otc", l.codeFor(seed)).wants("did not work")
	l.jump(30 * time.Second)
	b.send("do", "totp", "otc", l.codeFor(seed)).wants("Stay signed in?")
}
