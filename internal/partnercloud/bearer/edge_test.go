package bearer

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// A revocation falls into a second: what was issued before it is dead, what was
// issued after it lives.
func TestRevocationWithinASecond(t *testing.T) {
	t.Parallel()
	w, k, api, c := lab(t)
	c.CC = []string{"cp1"}
	at := start.Add(300 * time.Millisecond)
	w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change("u", func(u *world.User) { u.SessionsValidFrom = at })
	})
	for _, x := range []struct {
		name   string
		issued int64
		dead   bool
	}{
		{"before", at.Add(-time.Millisecond).UnixNano(), true}, {"at the very moment", at.UnixNano(), true}, {"after", at.Add(time.Millisecond).
			UnixNano(), false}, {"in whole seconds", 0, true},
	} {
		one := c
		one.Issued = x.issued
		token, err := k.Sign(&one)
		if err != nil {
			t.Fatal(err)
		}
		if _, f := ask(api, "Bearer "+token); (f != nil && f.Code == "Revoked") != x.dead {
			t.Errorf("%s: %v", x.name, f)
		}
	}
}

func TestForeignMarksAndSizes(t *testing.T) {
	t.Parallel()
	_, k, api, c := lab(t)
	// Our own key, and not a token of this cloud.
	for _, payload := range []string{`{"aud":"https://graph.microsoft.com","tid":"t","oid":"u","exp":99999999999}`,
		`{"aud":"https://graph.microsoft.com","tid":"t","oid":"u","exp":99999999999,"xpc":"x"}`} {
		token, err := k.SignRaw([]byte(payload), "JWT")
		if err != nil {
			t.Fatal(err)
		}
		if _, f := k.Parse(token); f == nil || f.Code != "Malformed" {
			t.Errorf("without our mark: %v", f)
		}
	}
	c.Name = strings.Repeat("n", maxToken)
	token, err := k.Sign(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, f := ask(api, "Bearer "+token); f == nil || f.Code != "Malformed" {
		t.Errorf("a token too long: %v", f)
	}
	c.Name = ""
	for home, aobo := range map[string]bool{"": false, "t": false, "elsewhere": true} {
		c.HomeTenant = home
		token, err := k.Sign(&c)
		if err != nil {
			t.Fatal(err)
		}
		if caller, f := ask(api, "Bearer "+token); f != nil || caller.AOBO != aobo {
			t.Errorf("home %q: %v %v", home, caller, f)
		}
	}
	for _, x := range []struct {
		c    Claims
		want bool
	}{{Claims{IDType: "app"}, true}, {Claims{}, true}, {Claims{UPN: "u@contoso.com"}, false}, {Claims{IDType: "user"}, false},
		{Claims{Scope: "User.Read"}, false}} {
		if x.c.AppOnly() != x.want {
			t.Errorf("%+v: app-only %v", x.c, !x.want)
		}
	}
}

// Rolling over again and again publishes three keys, and the oldest's tokens die.
func TestRolloverKeepsThree(t *testing.T) {
	t.Parallel()
	_, k, _, c := lab(t)
	first, err := k.Sign(&c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range keep {
		if _, f := k.Parse(first); f != nil {
			t.Errorf("after %d rollovers: %v", i, f)
		}
		if err := k.Rollover(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(k.JWKS().Keys); n != keep {
		t.Errorf("%d keys are published", n)
	}
	if _, f := k.Parse(first); f == nil {
		t.Error("the token of a key that is gone lives")
	}
}
