package gatewaytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
)

// Case is one token, and what must become of it at a route of [Rule].
type Case struct {
	Name   string
	Reason gateway.Reason // Passed: it is taken
	Make   func(*Authority) string
	Rule   func(*gateway.Route) // changes the rule for this one; nil does not
}

// Rule is a route that takes people of the partner's tenant whose MFA is not older than an
// hour.
func Rule() *gateway.Route {
	return &gateway.Route{
		Name: "panel", Path: "/", Tenants: []string{Partner}, Audiences: []string{Audience, Client}, Bearer: true, MFA: true, MaxAge: time.Hour,
		Phases: []gateway.Phase{{Mode: gateway.Enforce}},
	}
}

// Refused lists the attack corpus: each is refused, for its reason.
func Refused() []Case {
	var all []Case
	for _, group := range []func() []Case{
		algorithmCases, hmacCases, headerCases, kidCases, partCases, encodingCases, headJSONCases, bodyJSONCases, doubleCases, signatureCases,
		issuerCases, versionCases, formCases, characterCases, timeCases, audienceCases, tenantCases, mfaCases, ruleCases,
	} {
		all = append(all, group()...)
	}
	return all
}

// good makes a user's token of version 1, changed.
func good(edits ...Edit) func(*Authority) string {
	return func(a *Authority) string { return a.Good(edits...) }
}

// each makes a case of every entry, in the order of the names.
func each(prefix string, reason gateway.Reason, list map[string]Edit) []Case {
	var out []Case
	for _, name := range slices.Sorted(maps.Keys(list)) {
		out = append(out, Case{Name: prefix + name, Reason: reason, Make: good(list[name])})
	}
	return out
}

func all(edits ...Edit) Edit {
	return func(t *Token) {
		for _, e := range edits {
			e(t)
		}
	}
}

// inHead changes the header's JSON in the first place where it fits.
func inHead(from, to string) Edit {
	return func(t *Token) { t.HeadText = func(s string) string { return swap(s, from, to) } }
}

// inBody changes the claims' JSON.
func inBody(from, to string) Edit {
	return func(t *Token) { t.BodyText = func(s string) string { return swap(s, from, to) } }
}

// swap panics where nothing would change: a case that spoils nothing is none.
func swap(s, from, to string) string {
	out := strings.Replace(s, from, to, 1)
	if out == s {
		panic(fmt.Sprintf("%q is not in %q", from, s))
	}
	return out
}

func whole(do func(string) string) Edit { return func(t *Token) { t.Whole = do } }

func signed(sig func(string) []byte) Edit { return func(t *Token) { t.Sign = sig } }

// part changes one of the three parts once the token is signed.
func part(i int, do func(string) string) Edit {
	return whole(func(s string) string {
		p := strings.Split(s, ".")
		p[i] = do(p[i])
		return strings.Join(p, ".")
	})
}

func num(digits string) json.RawMessage { return json.RawMessage(digits) }

// shown writes a value for the name of a case.
func shown(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%+q", s)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Taken lists tokens that are good, each in a way of its own.
func Taken() []Case {
	at := Now.Unix()
	v2 := func(edits ...Edit) func(*Authority) string {
		return func(a *Authority) string {
			return a.Mint(V2(Partner), append([]Edit{Set("amr", []string{"pwd", "mfa"}), Set("auth_time", at-60)}, edits...)...)
		}
	}
	var out []Case
	for _, c := range []struct {
		name string
		make func(*Authority) string
	}{
		{"version 1", good()}, {"version 2 with amr", v2()}, {"without nbf", good(Drop("nbf"))}, {"without iat", good(Drop("iat"))},
		{"mfa alone", good(Set("amr", []string{"mfa"}))}, {"mfa first", good(Set("amr", []string{"mfa", "rsa"}))},
		{"mfa twice", good(Set("amr", []string{"mfa", "mfa"}))}, {"mfa escaped", good(inBody(`"mfa"`, `"\u006dfa"`))},
		{"mfa and multipleauthn", good(Set("amr", []string{"http://schemas.microsoft.com/claims/multipleauthn", "mfa"}))},
		{"typ at+jwt", good(Head("typ", "at+jwt"))}, {"typ in full", good(Head("typ", "application/JWT"))},
		{"without typ", good(func(t *Token) { delete(t.Head, "typ") })}, {"without x5t", good(func(t *Token) { delete(t.Head, "x5t") })},
		{"a header of another's", good(Head("rh", map[string]any{"a": []int{1}}))},
		{"white space in its JSON", good(func(t *Token) {
			t.BodyText = func(s string) string { return " \n{" + strings.ReplaceAll(s[1:len(s)-1], `":`, "\" :\t") + "\r} " }
		})},
		{"a name in Persian with a joiner", good(Set("name", "می‌خواهم"))},
		{"a name with an emoji, escaped", good(inBody(`"Ada Lovelace"`, `"\ud83d\ude00"`))},
		{"aud in a list of one", good(Set("aud", []string{Audience}))}, {"oid in capitals", good(Set("oid", strings.ToUpper(Person)))},
		{"without upn", good(Drop("upn"))}, {"null where nothing must be", good(Set("email", nil), Set("nonce", nil), Set("acrs", nil))},
		{"auth_time just now", good(Set("auth_time", at))}, {"an hour old and a minute", good(Set("auth_time", at-3600+60))},
		{"of 28 hours (continuous access evaluation)", good(Set("exp", at+28*3600-300))},
		{"exp in a second", good(Set("exp", at+1))}, {"fifteen levels deep", good(Set("x", num(strings.Repeat("[", 15)+strings.Repeat("]", 15))))},
		{"200 groups", good(Set("groups", slices.Repeat([]string{Person}, 200)))}, {"xms_cc a text", good(Set("xms_cc", "cp1"))},
		{"idtyp user", good(Set("idtyp", "user"))}, {"a claim that nobody knows", good(Set("unheard_of", map[string]any{"a": []any{1, "b", nil, true}}))},
		{"signed by the newest of two keys", func(a *Authority) string { return a.Good() }},
	} {
		out = append(out, Case{Name: c.name, Make: c.make})
	}
	return append(out,
		Case{Name: "an app that may", Make: func(a *Authority) string { return a.Mint(AppOnly(Partner)) },
			Rule: func(r *gateway.Route) { r.Apps = []string{Daemon} }},
		Case{Name: "any app", Make: func(a *Authority) string { return a.Mint(AppOnly(Partner)) }, Rule: func(r *gateway.Route) { r.AnyApp = true }},
		Case{Name: "for a customer that is allowed", Make: func(a *Authority) string { return a.Mint(AOBO(Customer)) },
			Rule: func(r *gateway.Route) { r.Customers = []string{Customer} }},
		Case{Name: "with the context", Make: good(Set("acrs", []string{"c2", "c1"})), Rule: func(r *gateway.Route) { r.Context = "c1" }},
		Case{Name: "with a role", Make: good(), Rule: func(r *gateway.Route) { r.Roles = []string{"62e90394-69f5-4237-9190-012177145e10"} }},
		Case{Name: "with a group", Make: good(Set("groups", []string{Customer})), Rule: func(r *gateway.Route) { r.Groups = []string{Customer} }},
		Case{Name: "single factor where none is asked for", Make: good(Set("amr", []string{"pwd"})), Rule: func(r *gateway.Route) { r.MFA = false }},
	)
}
