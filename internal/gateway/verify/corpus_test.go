package verify_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/rule"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/secret"
)

// judged gives what becomes of a token at the case's route.
func (r *rig) judged(c gatewaytest.Case, tok string) (*gateway.Identity, gateway.Reason) {
	route := gatewaytest.Rule()
	if c.Rule != nil {
		c.Rule(route)
	}
	id, reason := r.Verify(tok, here, r.now())
	if reason == gateway.Passed {
		reason = rule.Decide(route, id, r.now())
	}
	return id, reason
}

// TestCorpus: each token of the corpus is refused for its reason, fresh and when it is
// known, and its good neighbours pass. TOKENS=1 prints all of them, by reason: make tokens.
func TestCorpus(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{Forgive: 10000})
	refused, names, toks := map[gateway.Reason][]string{}, map[string]bool{}, map[string]string{}
	for _, c := range gatewaytest.Refused() {
		tok := c.Make(r.Authority)
		if c.Rule == nil && toks[tok] != "" {
			t.Errorf("%s is the token of %s", c.Name, toks[tok])
		}
		toks[tok] = c.Name
		if names[c.Name] {
			t.Errorf("two tokens are called %q", c.Name)
		}
		names[c.Name] = true
		for range 2 {
			if _, got := r.judged(c, tok); got != c.Reason {
				t.Errorf("%s: %s, want %s", c.Name, got, c.Reason)
			}
		}
		refused[c.Reason] = append(refused[c.Reason], c.Name)
	}
	taken := gatewaytest.Taken()
	for _, c := range taken {
		tok := c.Make(r.Authority)
		for range 2 {
			if _, got := r.judged(c, tok); got != gateway.Passed {
				t.Errorf("%s: %s, and it is good", c.Name, got)
			}
		}
	}
	if len(names) < 150 || len(taken) < 20 {
		t.Errorf("only %d tokens to refuse and %d to take", len(names), len(taken))
	}
	if os.Getenv("TOKENS") == "" || t.Failed() {
		return
	}
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		fmt.Printf("\n%s: %s (%d)\n", reason, reason.Title(), len(refused[reason]))
		for _, n := range refused[reason] {
			fmt.Printf("  refused  %s\n", n)
		}
	}
	fmt.Printf("\n%d tokens, all refused, by %d reasons; %d good ones, all taken\n", len(names), len(refused), len(taken))
}

// TestOracles: what the claim engine or go-jose refuses of the corpus is refused here,
// and what is taken has the claim engine's verdict and claims.
func TestOracles(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{Forgive: 10000})
	keys, err := r.Keys(t.Context(), gateway.Authority{}, "")
	if err != nil {
		t.Fatal(err)
	}
	genuine := 0
	for _, c := range append(gatewaytest.Refused(), gatewaytest.Taken()...) {
		tok := c.Make(r.Authority)
		genuine += agree(t, r.Verifier, keys, c.Name, tok)
	}
	if genuine < 100 {
		t.Errorf("only %d genuine tokens were compared", genuine)
	}
}

// agree holds one answer to those of the oracles.
func agree(t *testing.T, v *verify.Verifier, keys jose.JSONWebKeySet, name, tok string) (genuine int) {
	t.Helper()
	id, reason := v.Verify(tok, here, now)
	if reason != gateway.Passed {
		return 0
	}
	e := claim.Expect{Now: now, Audiences: []string{id.Audience}, IssuerRule: claim.TenantIssuer(issuers()...)}
	want, err := claim.Verify(secret.New(tok), keys, e)
	if err != nil {
		t.Errorf("%s: taken, and the claim engine says: %v", name, err)
		return 1
	}
	sig, err := jose.ParseSignedCompact(tok, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256})
	if err == nil {
		_, err = sig.Verify(keys)
	}
	if err != nil {
		t.Errorf("%s: taken, and go-jose says: %v", name, err)
	}
	verdict := want.MFA(claim.Options{})
	lacks := map[claim.Cause]gateway.Reason{claim.WithoutMFA: gateway.SingleFactor, claim.NoClaim: gateway.SingleFactor, claim.Version2: gateway.VersionHides}
	got := id.Lacks
	if got == gateway.ThirdPartyMFA && strings.Contains(verdict.Reason, "multipleauthn") {
		got = gateway.SingleFactor // the engine says it in words
	}
	if id.Proven != (verdict.Answer == claim.Proven) || got != lacks[verdict.Cause] || id.IsApp != want.IsApp {
		t.Errorf("%s: proven %t, lacks %s, app %t; the claim engine says %v, app %t", name, id.Proven, id.Lacks, id.IsApp, verdict, want.IsApp)
	}
	said := []any{id.Issuer, id.Tenant, id.ObjectID, id.Subject, id.Account, id.App, id.AppAuth, id.NotAfter, id.Scopes, id.Roles, id.Wids, id.Contexts}
	means := []any{want.Issuer, strings.ToLower(want.Tenant), strings.ToLower(want.ObjectID), want.Subject, want.Account, strings.ToLower(want.App),
		want.AppAuth,
		want.NotAfter.Unix(), want.Scopes, want.Roles, want.Wids, want.ACRS}
	if a, b := fmt.Sprint(said), fmt.Sprint(means); a != b {
		t.Errorf("%s: it says\n%s, and to the claim engine\n%s", name, a, b)
	}
	if id.AuthTime != 0 && id.AuthTime != want.AuthTime.Unix() { // it is stricter about how a moment is written
		t.Errorf("%s: the sign-in was %d, and to the claim engine %d", name, id.AuthTime, want.AuthTime.Unix())
	}
	return 1
}
