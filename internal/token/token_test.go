package token_test

import (
	"regexp"
	"testing"

	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

func TestShapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func() string
		form string
	}{
		"text":  {func() string { return token.Text().Reveal() }, `^[A-Za-z0-9_-]{43}$`},
		"state": {func() string { return token.State().Reveal() }, `^[0-9a-f]{64}$`},
		"id":    {func() string { return token.ID("c") }, `^c-[a-z2-7]{16}$`},
		"guid":  {token.GUID, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
	} {
		seen := map[string]bool{}
		for range 100 {
			v := c.make()
			if !regexp.MustCompile(c.form).MatchString(v) || seen[v] {
				t.Fatalf("%s: %q is misshapen or came twice", name, v)
			}
			seen[v] = true
		}
	}
}

// The example of RFC 7636, appendix B.
func TestChallenge(t *testing.T) {
	t.Parallel()
	if got := token.Challenge(secret.New("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("challenge = %s", got)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	// The known SHA-256 of "abc", cut.
	if got := token.Fingerprint(secret.New("abc")); got != "ba7816bf8f01cfea414140de5dae2223" {
		t.Errorf("fingerprint = %s", got)
	}
}
