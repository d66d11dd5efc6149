package claim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// TestAgeUnknown: an age is told only of a moment that is a number, there once,
// and not in the future; else it is longer than any limit. Both readers agree.
func TestAgeUnknown(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]time.Duration{
		"1789996400": time.Hour, "1790000000": 0, "1789999999": time.Second, "1.7899964e9": time.Hour, "1789996400.0": time.Hour, "0": 1790000000 * time.Second,
		"": claim.UnknownAge, "null": claim.UnknownAge, "1790000001": claim.UnknownAge, "1790000000.5": claim.UnknownAge, "1789996400000": claim.UnknownAge,
		"1789996400000000": claim.UnknownAge,
		`"1789996400"`:     claim.UnknownAge, `""`: claim.UnknownAge, `"2026-09-21T13:13:20Z"`: claim.UnknownAge, "-1": claim.UnknownAge,
		"-1789996400": claim.UnknownAge, "1e300": claim.UnknownAge, "-1e300": claim.UnknownAge,
		"1e999999999": claim.UnknownAge, "253402300800": claim.UnknownAge, "18446744073709551617": claim.UnknownAge, "true": claim.UnknownAge,
		"false": claim.UnknownAge, "[1789996400]": claim.UnknownAge, `{"t":1789996400}`: claim.UnknownAge, "[]": claim.UnknownAge,
	} {
		r := recipe{profile: "access", do: func(f *forged) {
			if at != "" {
				f.claims["auth_time"] = num(at)
			}
		}}
		tok := secret.New(r.forge(t))
		got, err := claim.Verify(tok, keys().set, profiles["access"].expect())
		if err != nil {
			t.Errorf("%q: %v", at, err)
		}
		for how, tok := range map[string]claim.Token{"verified": got, "inspected": claim.Inspect(tok)} {
			if v := tok.MFA(claim.Options{Now: now}); v.Age != want {
				t.Errorf("%q, %s: %s, want %s", at, how, v.Age, want)
			}
		}
	}
	twice := recipe{profile: "access", do: inBody(`{"acr"`, `{"auth_time":1789996400,"auth_time":1789999999,"acr"`)}
	if v := claim.Inspect(secret.New(twice.forge(t))).MFA(claim.Options{Now: now}); v.Age != claim.UnknownAge {
		t.Errorf("twice: %s", v.Age)
	}
	if v := (claim.Token{}).MFA(claim.Options{Now: now}); v.Age != claim.UnknownAge {
		t.Errorf("missing: %s", v.Age)
	}
	if claim.UnknownAge < 200*365*24*time.Hour {
		t.Error("an unknown age would pass a limit")
	}
}

// TestHintIdentity: a hint is held to the rules of identity claims too.
func TestHintIdentity(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"preferred_username": "ben\u202e@contoso.com", "name": "Ben\x1b[2J", "sub": strings.Repeat("x", 1025), "cnf": map[string]any{"kid": "x"},
		"ver": "1.0", "scp": []string{"a"}, "email": []string{"a"}, "amr": []string{"m\u202efa"}, "oid": "ben",
	} {
		_, err := claim.VerifyHint(secret.New(hint(t, "rsa", "RS256", func(c map[string]any) { c[name] = v })), hintKeys(), hintExpect())
		if !errors.Is(err, claim.BadClaim) {
			t.Errorf("%s %v: %v", name, v, err)
		}
	}
	if _, err := claim.VerifyHint(secret.New(hint(t, "rsa", "RS256", func(c map[string]any) { c["TID"] = hintUser })), hintKeys(),
		hintExpect()); !errors.Is(err, claim.Malformed) {
		t.Errorf("tid in two spellings: %v", err)
	}
}

// TestIssuerForm: where an issuer is one of Entra ID's, its tenant is the
// token's; the expectation alone does not say so.
func TestIssuerForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		iss, tid, ver string
		ok            bool
	}{
		{sts + tid + "/", tid, "1.0", true}, {sts + tid + "/", tid, "2.0", false}, {login + tid + "/v2.0", tid, "2.0", true}, {login + tid + "/v2.0", tid,
			"1.0", false}, {login + tid + "/v2.0", elsewhat, "2.0", false},
		{sts + tid + "/", elsewhat, "1.0", false}, {"http://127.0.0.1:8443/" + tid + "/v2.0", tid, "1.0", false}, {"http://127.0.0.1:8443/" + tid + "/v2.0",
			tid, "2.0", true}, {login + strings.ToUpper(tid) + "/v2.0", tid, "2.0", true},
		{"https://vstoken.dev.azure.com/" + tid, elsewhat, "7", true}, {"https://contoso.b2clogin.com/" + tid + "/v2.0/", elsewhat, "1.0", true},
		{"https://issuer.example/", tid, "7", true}, {"https://issuer.example/v2.0", tid, "1.0", true}, {login + "common/v2.0", tid, "1.0", true},
	} {
		r := recipe{profile: "work", do: all(put("iss", c.iss), put("tid", c.tid), put("ver", c.ver))}
		e := profiles["work"].expect()
		e.Issuer = c.iss
		if _, err := claim.Verify(secret.New(r.forge(t)), keys().set, e); (err == nil) != c.ok || err != nil && !errors.Is(err, claim.BadClaim) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// FuzzForged: whatever stands in a claim, the verifier neither panics nor gives
// a name that hides or reorders text.
func FuzzForged(f *testing.F) {
	for _, s := range spoilers {
		f.Add("upn", `"a`+s.char+`"`)
	}
	for _, s := range []string{`7`, `null`, `["a"]`, `{"a":1}`, `1e400`, `"\u202e"`, `"\ud800"`, `"a"`, `"` + strings.Repeat("x", 2000) + `"`} {
		for _, name := range []string{"sub", "name", "tid", "oid", "ver", "exp", "amr", "scp", "groups", "Sub", "cnf", "auth_time", "iss"} {
			f.Add(name, s)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		r := recipe{profile: "access", do: func(f *forged) {
			f.key, f.alg = "p256", "ES256" // quicker
			signedBy(f.key, f.alg)(f)
			delete(f.claims, name)
			f.bodyText = func(s string) string { return `{"` + name + `":` + value + "," + s[1:] }
		}}
		got, err := claim.Verify(secret.New(r.forge(t)), keys().set, profiles["access"].expect())
		if err != nil {
			if got.Subject+got.Account+got.Issuer != "" {
				t.Fatalf("refused, and gives %+v", got)
			}
			return
		}
		for _, s := range append([]string{got.Account, got.Subject, got.ObjectID, got.Tenant, got.App, got.Version, got.Issuer}, append(got.Scopes,
			got.AMR...)...) {
			if strings.ContainsAny(s, "\x00\x1b\n\r\t\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200d\u2028\ufeff") || len(s) > 16<<10 {
				t.Fatalf("taken: %q", s)
			}
		}
		if got.Tenant != tid || !strings.HasPrefix(got.Issuer, sts+tid) && got.Issuer != login+tid+"/v2.0" || got.NotAfter.Sub(now) > claim.MaxLifetime {
			t.Fatalf("taken: %+v", got)
		}
	})
}
