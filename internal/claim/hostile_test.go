package claim_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// The parties of the good tokens that are spoilt.
const (
	us       = "https://api.partnercenter.microsoft.com"
	client   = "5f1c6a0e-3c3b-4b5a-9d0a-2f0f5b7f6a11"
	person   = "c1d9f2a4-5b7e-4c0d-8e4e-6d3b1a2f9c77"
	elsewhat = "9188040d-6c67-4c5b-b112-36a304b66dad" // another tenant
	sts      = "https://sts.windows.net/"
	login    = "https://login.microsoftonline.com/"
	actions  = "https://token.actions.githubusercontent.com"
)

// forged is a token in the making. What is done to it comes in the order of its
// fields; the signature is true of all before it.
type forged struct {
	t            testing.TB
	key, alg     string
	head, claims map[string]any
	headText     func(string) string // of the JSON
	bodyText     func(string) string
	headPart     func(string) string // of the base64
	bodyPart     func(string) string
	sign         func(f *forged, input string) []byte
	sigPart      func(string) string
	whole        func(string) string
}

// profile is a kind of good token, with what is expected of it.
type profile struct {
	claims func() map[string]any
	expect func() claim.Expect
}

var profiles = map[string]profile{
	// What Partner Center's resource gets from Entra ID: version 1.
	"access": {
		func() map[string]any {
			return map[string]any{
				"aud":                 us,
				"iss":                 sts + tid + "/",
				"iat":                 1789999700,
				"nbf":                 1789999700,
				"exp":                 1790003900,
				"acr":                 "1",
				"aio":                 "AXQAi/8TAAAA",
				"amr":                 []string{"pwd", "mfa"},
				"appid":               client,
				"appidacr":            "1",
				"family_name":         "Lovelace",
				"given_name":          "Ada",
				"ipaddr":              "203.0.113.7",
				"name":                "Ada Lovelace",
				"oid":                 person,
				"puid":                "10032000A1B2C3D4",
				"rh":                  "0.AXEA.",
				"scp":                 "user_impersonation",
				"sid":                 "00a1b2c3-0000-4000-8000-a1b2c3d4e5f6",
				"sub":                 "pairwise",
				"tenant_region_scope": "EU",
				"tid":                 tid,
				"unique_name":         "ada@contoso.com", "upn": "ada@contoso.com", "uti": "x", "ver": "1.0",
				"wids": []string{"62e90394-69f5-4237-9190-012177145e10"},
			}
		},
		func() claim.Expect {
			return claim.Expect{Now: now, Audiences: []string{us}, IssuerRule: claim.TenantIssuer(sts+"{tenantid}/", login+"{tenantid}/v2.0")}
		},
	},
	// What tells us who signed in: version 2.
	"id": {
		func() map[string]any {
			return map[string]any{
				"aud":                client,
				"iss":                login + tid + "/v2.0",
				"iat":                1789999700,
				"nbf":                1789999700,
				"exp":                1790003600,
				"name":               "Ada Lovelace",
				"nonce":              "n-1",
				"oid":                person,
				"preferred_username": "ada@contoso.com", "rh": "0.AXEA.", "sub": "pairwise", "tid": tid, "uti": "x", "ver": "2.0", "auth_time": 1789999000,
			}
		},
		func() claim.Expect {
			return claim.Expect{Now: now, Audiences: []string{client}, IssuerRule: claim.TenantIssuer(login + "{tenantid}/v2.0"), Nonce: secret.New("n-1")}
		},
	},
	// A workload's, of GitHub Actions.
	"work": {
		func() map[string]any {
			return map[string]any{
				"jti": "0d4e9c59-2f28-4cd6-a5dd-8c0a1a5e3f0c", "sub": "repo:contoso/infra:ref:refs/heads/main", "aud": "partnerguard", "ref": "refs/heads/main",
				"repository":       "contoso/infra",
				"repository_owner": "contoso",
				"run_id":           "4077",
				"iss":              actions,
				"nbf":              1789999400,
				"exp":              1790000300,
				"iat":              1790000000,
			}
		},
		func() claim.Expect {
			return claim.Expect{Now: now, Audiences: []string{"partnerguard"}, Issuer: actions}
		},
	},
}

// recipe spoils one thing of a good token.
type recipe struct {
	name    string
	profile string
	do      func(*forged)
}

func (r recipe) forge(t testing.TB) string {
	t.Helper()
	f := &forged{t: t, key: "rsa", alg: "RS256", head: map[string]any{"typ": "JWT", "alg": "RS256", "kid": "rsa"}, claims: profiles[r.profile].claims()}
	if r.do != nil {
		r.do(f)
	}
	return f.build()
}

func (f *forged) build() string {
	t := f.t
	t.Helper()
	apply := func(change func(string) string, s string) string {
		if change == nil {
			return s
		}
		return change(s)
	}
	h, err := json.Marshal(f.head)
	b, berr := json.Marshal(f.claims)
	if err != nil || berr != nil {
		t.Fatal(err, berr)
	}
	head, body := apply(f.headPart, b64([]byte(apply(f.headText, string(h))))), apply(f.bodyPart, b64([]byte(apply(f.bodyText, string(b)))))
	input := head + "." + body
	var sig []byte
	if f.sign != nil {
		sig = f.sign(f, input)
	} else {
		sig = sign(t, f.key, f.alg, input)
	}
	return apply(f.whole, input+"."+apply(f.sigPart, b64(sig)))
}

// hostile lists all recipes.
func hostile() []recipe {
	var all []recipe
	for _, group := range []func() []recipe{
		algorithmRecipes, headerRecipes, keyRecipes, encodingRecipes, jsonRecipes, rsaRecipes, pssRecipes, curveRecipes,
		issuerRecipes, audienceRecipes, timeRecipes, identityRecipes, characterRecipes, bearerRecipes,
	} {
		all = append(all, group()...)
	}
	return all
}

// TestHostileTokens: each recipe's token is refused, in these words and for no
// other reason. The words are in testdata/hostile.golden, one line a recipe.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	names, tokens := map[string]bool{}, map[string]string{}
	for _, r := range hostile() {
		tok := r.forge(t)
		name := r.profile + ": " + r.name
		if names[name] {
			t.Errorf("two recipes are called %q", name)
		}
		names[name] = true
		if other, twice := tokens[tok]; twice {
			t.Errorf("%q is the token of %q", name, other)
		}
		tokens[tok] = name
		got, err := claim.Verify(secret.New(tok), keys().set, profiles[r.profile].expect())
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		var flaw claim.Flaw
		if !errors.As(err, &flaw) || !errors.Is(err, problem.BadInput) || got.Subject+got.Issuer != "" {
			t.Errorf("%s: %v gives %+v", name, err, got)
		}
		for _, part := range strings.Split(tok, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error shows the token", name)
			}
		}
		fmt.Fprintf(&out, "%s\t%s\t%s\n", name, flaw, strings.TrimPrefix(err.Error(), "the token is refused: "))
	}
	if len(tokens) < 250 {
		t.Errorf("only %d hostile tokens", len(tokens))
	}
	const golden = "testdata/hostile.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	is, was := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(is), len(was)) {
		if i >= len(is) || i >= len(was) || is[i] != was[i] {
			t.Fatalf("line %d of %s differs (-update writes it anew; read every line):\n%s\nit is now\n%s", i+1, golden, at(was, i), at(is, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// TestUnspoilt: the tokens that the recipes spoil are good before.
func TestUnspoilt(t *testing.T) {
	t.Parallel()
	for name, p := range profiles {
		for _, alg := range []struct{ key, alg string }{{"rsa", "RS256"}, {"rsa", "PS256"}, {"p256", "ES256"}, {"p384", "ES384"}, {"p521", "ES512"}} {
			r := recipe{profile: name, do: signedBy(alg.key, alg.alg)}
			got, err := claim.Verify(secret.New(r.forge(t)), keys().set, p.expect())
			if err != nil || got.Subject != p.claims()["sub"] {
				t.Errorf("%s, %s: %v", name, alg.alg, err)
			}
		}
		r := recipe{profile: name, do: goodPSS}
		if _, err := claim.Verify(secret.New(r.forge(t)), keys().set, p.expect()); err != nil {
			t.Errorf("%s, PS256 by hand: %v", name, err)
		}
	}
}

// What recipes do.

func signedBy(key, alg string) func(*forged) {
	return func(f *forged) { f.key, f.alg, f.head["alg"], f.head["kid"] = key, alg, alg, key }
}

func put(name string, v any) func(*forged) {
	return func(f *forged) { f.claims[name] = v }
}

func drop(name string) func(*forged) {
	return func(f *forged) { delete(f.claims, name) }
}

func headed(name string, v any) func(*forged) {
	return func(f *forged) { f.head[name] = v }
}

func all(do ...func(*forged)) func(*forged) {
	return func(f *forged) {
		for _, d := range do {
			d(f)
		}
	}
}

// inBody changes the JSON of the claims, in the first place where it fits.
func inBody(from, to string) func(*forged) {
	return func(f *forged) { f.bodyText = func(s string) string { return swap(s, from, to) } }
}

func inHead(from, to string) func(*forged) {
	return func(f *forged) { f.headText = func(s string) string { return swap(s, from, to) } }
}

// swap panics where nothing would change: a recipe that spoils nothing is none.
func swap(s, from, to string) string {
	out := strings.Replace(s, from, to, 1)
	if out == s {
		panic(fmt.Sprintf("%q is not in %q", from, s))
	}
	return out
}

func num(digits string) json.RawMessage { return json.RawMessage(digits) }

// each makes a recipe of every entry, in the order of the names.
func each(profile, prefix string, list map[string]func(*forged)) []recipe {
	var out []recipe
	for _, name := range slices.Sorted(maps.Keys(list)) {
		out = append(out, recipe{prefix + name, profile, list[name]})
	}
	return out
}
