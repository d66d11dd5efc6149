package claim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

func TestVerifyCases(t *testing.T) {
	t.Parallel()
	seen := map[claim.Flaw]bool{}
	for _, c := range cases(t) {
		tok := c.build(t)
		got, err := claim.Verify(secret.New(tok), keys().set, expect())
		if (c.Result == "valid") != (err == nil) {
			t.Errorf("%d %s: %v, want %s", c.ID, c.Comment, err, c.Result)
			continue
		}
		if err == nil {
			if got.Issuer != "https://issuer.example/" || got.Audience[0] != "api://us" || got.NotAfter.IsZero() {
				t.Errorf("%d %s: %+v", c.ID, c.Comment, got)
			}
			continue
		}
		seen[c.Flaw] = true
		if !errors.Is(err, c.Flaw) || !errors.Is(err, problem.BadInput) {
			t.Errorf("%d %s: refused as %q, want %s", c.ID, c.Comment, err, c.Flaw)
		}
		if got.Subject != "" || got.Issuer != "" {
			t.Errorf("%d %s: a refused token gives claims", c.ID, c.Comment)
		}
		for _, part := range strings.Split(tok, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part) {
				t.Errorf("%d %s: the error shows the token", c.ID, c.Comment)
			}
		}
	}
	for _, f := range []claim.Flaw{claim.TooLong, claim.Malformed, claim.BadHeader, claim.BadAlgorithm, claim.NoKey, claim.BadSignature, claim.BadClaim,
		claim.BadIssuer, claim.BadAudience, claim.Expired, claim.NotYetValid, claim.BadNonce} {
		if !seen[f] {
			t.Errorf("no case shows the flaw %q", f)
		}
	}
}

// The last byte of what is signed matters as much as the first: whatever single
// character of a token is changed, it is refused.
func TestEveryCharacterCounts(t *testing.T) {
	t.Parallel()
	c := wycheproof{Key: "p256", Alg: "ES256"}
	good := c.build(t)
	for i := range len(good) {
		for _, by := range []byte{'A', 'B', '_', '=', '.', '\n', 0xff} {
			if good[i] == by {
				continue
			}
			bad := good[:i] + string([]byte{by}) + good[i+1:]
			if _, err := claim.Verify(secret.New(bad), keys().set, expect()); err == nil {
				t.Fatalf("character %d may be %q", i, by)
			}
		}
	}
}

func TestVerifyNeedsAnExpectation(t *testing.T) {
	t.Parallel()
	c := wycheproof{}
	good := secret.New(c.build(t))
	for name, change := range map[string]func(*claim.Expect){
		"no moment":            func(e *claim.Expect) { e.Now = time.Time{} },
		"no audience":          func(e *claim.Expect) { e.Audiences = nil },
		"an empty audience":    func(e *claim.Expect) { e.Audiences = []string{"api://us", ""} },
		"no issuer":            func(e *claim.Expect) { e.Issuer = "" },
		"two ways of issuer":   func(e *claim.Expect) { e.IssuerRule = func(claim.Token) bool { return true } },
		"a negative leeway":    func(e *claim.Expect) { e.Leeway = -1 },
		"a leeway of an hour":  func(e *claim.Expect) { e.Leeway = time.Hour },
		"the moment before it": func(e *claim.Expect) { e.Now = now.Add(-time.Hour) },
	} {
		e := expect()
		change(&e)
		if _, err := claim.Verify(good, keys().set, e); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	e := expect()
	e.Nonce = secret.Text{}
	if _, err := claim.Verify(good, keys().set, e); err != nil {
		t.Errorf("without a nonce of ours: %v", err)
	}
	if _, err := claim.Verify(good, jose.JSONWebKeySet{}, e); !errors.Is(err, claim.NoKey) {
		t.Errorf("without keys: %v", err)
	}
}

func TestTenantIssuer(t *testing.T) {
	t.Parallel()
	const tid = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	rule := claim.TenantIssuer("https://login.microsoftonline.com/{tenantid}/v2.0", "https://sts.windows.net/{tenantid}/", "https://no.template/")
	for iss, want := range map[string]bool{
		"https://login.microsoftonline.com/" + tid + "/v2.0":                          true,
		"https://sts.windows.net/" + tid + "/":                                        true,
		"https://sts.windows.net/" + tid:                                              false,
		"https://sts.windows.net/{tenantid}/":                                         false,
		"https://no.template/":                                                        false,
		"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": false,
	} {
		e := expect()
		e.Issuer, e.IssuerRule = "", rule
		c := wycheproof{Claims: map[string]any{"iss": iss, "tid": tid}}
		if _, err := claim.Verify(secret.New(c.build(t)), keys().set, e); (err == nil) != want {
			t.Errorf("%s: %v", iss, err)
		}
	}
	for _, bad := range []string{"", "common", "x/y"} {
		e := expect()
		e.Issuer, e.IssuerRule = "", rule
		c := wycheproof{Claims: map[string]any{"iss": "https://sts.windows.net/" + bad + "/", "tid": bad}}
		if _, err := claim.Verify(secret.New(c.build(t)), keys().set, e); err == nil {
			t.Errorf("tenant %q taken", bad)
		}
	}
}

// FuzzVerify: nothing but what was signed here is taken, byte for byte.
func FuzzVerify(f *testing.F) {
	good := map[string]bool{}
	for _, c := range cases(f) {
		tok := c.build(f)
		if c.Result == "valid" {
			good[tok] = true
		}
		if len(tok) < 4096 {
			f.Add(tok)
		}
	}
	f.Fuzz(func(t *testing.T, tok string) {
		got, err := claim.Verify(secret.New(tok), keys().set, expect())
		if err == nil && !good[tok] {
			t.Fatalf("taken: %q", tok)
		}
		if err != nil && (got.Issuer != "" || err.Error() == "") {
			t.Fatal("an error and claims")
		}
	})
}
