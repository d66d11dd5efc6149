package verify_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// fast is a rig whose key signs quickly, so that what is made up can be signed.
func fast(t testing.TB, l verify.Limits) (*rig, jose.JSONWebKeySet) {
	t.Helper()
	r := newRig(t, l)
	r.Publish(gatewaytest.NewCurveKey())
	keys, err := r.Keys(t.Context(), gateway.Authority{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return r, keys
}

// seeds are the parts of all tokens of the corpus; KID stands for the key's id.
func seeds(part int) []string {
	var out []string
	a, all := corpus()
	own := strings.NewReplacer(a.Newest().ID, "KID", "RS256", "ES256")
	for _, c := range all {
		p := strings.Split(c.tok, ".")
		if len(p) != 3 || len(p[part]) > 8192 {
			continue
		}
		if b, err := base64.RawURLEncoding.DecodeString(p[part]); err == nil {
			out = append(out, own.Replace(string(b)))
		}
	}
	return out
}

// FuzzToken: nothing but what was signed here is taken, byte for byte.
func FuzzToken(f *testing.F) {
	a, all := corpus()
	r := rigOf(f, a, verify.Limits{Forgive: 1 << 30})
	good := map[string]bool{}
	for _, c := range all {
		if _, reason := r.Verify(c.tok, here, now); reason == gateway.Passed {
			good[c.tok] = true
		}
		if len(c.tok) < 8192 {
			f.Add(c.tok)
		}
	}
	f.Fuzz(func(t *testing.T, tok string) {
		id, reason := r.Verify(tok, here, now)
		if reason == gateway.Passed && !good[tok] {
			t.Fatalf("taken: %q", tok)
		}
		if id != nil && reason != gateway.Passed && reason != gateway.Expired && reason != gateway.NotYetValid {
			t.Fatalf("%s, and an identity", reason)
		}
	})
}

// FuzzClaims signs whatever claims there are: what is taken is what the claim engine
// takes, and says the same to it.
func FuzzClaims(f *testing.F) {
	r, keys := fast(f, verify.Limits{Forgive: 1 << 30, Tokens: 64, Bad: 64})
	for _, s := range seeds(1) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		tok := r.Good(func(k *gatewaytest.Token) { k.BodyText = func(string) string { return claims } })
		agree(t, r.Verifier, keys, "claims", tok)
	})
}

// FuzzHeader signs whatever header there is.
func FuzzHeader(f *testing.F) {
	r, keys := fast(f, verify.Limits{Forgive: 1 << 30, Tokens: 64, Bad: 64})
	for _, s := range seeds(0) {
		f.Add(s)
	}
	f.Add(`{"alg":"ES256","kid":"KID"}`)
	f.Fuzz(func(t *testing.T, head string) {
		tok := r.Good(func(k *gatewaytest.Token) {
			k.HeadText = func(string) string { return strings.ReplaceAll(head, "KID", r.Newest().ID) }
		})
		agree(t, r.Verifier, keys, "header", tok)
	})
}
