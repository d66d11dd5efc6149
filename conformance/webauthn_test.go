package conformance

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Somebody new registers a security key on the way in and signs in with it
// afterwards, in a real browser with a virtual key.
func TestWebAuthn(t *testing.T) {
	b, p, a, back := chromium(t), someone(t, "lucia.moreau"), program(t, "command line"), listen(t)
	b.addKey()
	arrived := func(s sight) bool { return strings.HasPrefix(s.URL, back) }
	signIn := func(t *testing.T, more url.Values) (methods []any) {
		t.Helper()
		s, err := b.signIn(authorizeURL(cloud.Tenant.ID, a.id, back, userRead+" openid", more), p, arrived)
		if err != nil {
			t.Fatal(err)
		}
		got := redeem(t, cloud.Tenant.ID, s.URL, back, userRead+" openid", app{id: a.id})
		token, _ := got["access_token"].(string)
		if token == "" {
			t.Fatalf("%v", got["error_description"])
		}
		m := claims(t, token)
		if !withMFA(m, p) {
			t.Errorf("claims %v", m)
		}
		methods, _ = m["amr"].([]any)
		return methods
	}
	t.Run("register", func(t *testing.T) {
		shows(t, "Chromium", "a security key registered on the way in (virtual authenticator); the token carries MFA")
		if amr := signIn(t, url.Values{"amr_values": {"mfa"}}); !slices.Contains(amr, any("fido")) {
			t.Errorf("amr %v", amr)
		}
	})
	t.Run("use", func(t *testing.T) {
		shows(t, "Chromium", "signed in with that security key; amr has fido and mfa")
		if amr := signIn(t, url.Values{"amr_values": {"mfa"}, "prompt": {"login"}}); !slices.Contains(amr, any("fido")) {
			t.Errorf("amr %v", amr)
		}
	})
}
