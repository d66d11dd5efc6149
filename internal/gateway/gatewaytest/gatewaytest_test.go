package gatewaytest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/secret"
)

// TestGoodTokens: what tests take for good is good by the claim engine.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	a := gatewaytest.NewAuthority()
	rule := claim.TenantIssuer(gatewaytest.IssuerV1, gatewaytest.IssuerV2)
	expect := claim.Expect{Now: gatewaytest.Now, Audiences: []string{gatewaytest.Audience, gatewaytest.Client}, IssuerRule: rule}
	keys, err := a.Keys(t.Context(), gateway.Authority{}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		answer claim.Answer
		app    bool
	}{
		"version 1": {gatewaytest.V1(gatewaytest.Partner), claim.Proven, false},
		"version 2": {gatewaytest.V2(gatewaytest.Partner), claim.CannotTell, false},
		"app-only":  {gatewaytest.AppOnly(gatewaytest.Partner), claim.CannotTell, true},
		"AOBO":      {gatewaytest.AOBO(gatewaytest.Customer), claim.Proven, false},
	} {
		got, err := claim.Verify(secret.New(a.Mint(c.claims)), keys, expect)
		if err != nil || got.MFA(claim.Options{}).Answer != c.answer || got.IsApp != c.app {
			t.Errorf("%s: %v, %v", name, err, got.MFA(claim.Options{}))
		}
	}
	if _, err := claim.Verify(secret.New(a.Good(gatewaytest.ForgedBy(gatewaytest.Stranger()))), keys, expect); err == nil {
		t.Error("a stranger's signature is taken")
	}
	for _, k := range []*gatewaytest.Key{gatewaytest.NewCurveKey(), a.Roll()} {
		a.Publish(k)
		keys, _ := a.Keys(t.Context(), gateway.Authority{}, "")
		if _, err := claim.Verify(secret.New(a.Good()), keys, expect); (err == nil) != (k.Algorithm == "ES256") { // the other one is there twice
			t.Errorf("%s: %v", k.Algorithm, err)
		}
	}
}

func TestUpstreamTells(t *testing.T) {
	t.Parallel()
	u := gatewaytest.NewUpstream(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.URL+"/a%2fb?c", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Trace", "1")
	res, err := u.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var s gatewaytest.Seen
	err = json.NewDecoder(res.Body).Decode(&s)
	if err != nil || s.Target != "/a%2fb?c" || s.Method != "POST" || s.Header["X-Trace"][0] != "1" || len(u.Seen()) != 1 {
		t.Errorf("%+v %v", s, err)
	}
}
