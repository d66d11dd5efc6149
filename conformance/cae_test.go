package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// A client that can be challenged holds a token for a day. An administrator
// ends the person's sessions: Graph refuses that token at once and says so, the
// client signs in anew by itself, and the call goes through.
func TestContinuousAccessEvaluation(t *testing.T) {
	shows(t, "azcore (Go)", "CAE: a token for a day; challenged after revokeSignInSessions; signs in anew and goes on")
	admin := adminToken(t)
	b, p := chromium(t), someone(t, "brian.walsh")
	desktopBrowser(t, b, p, 2)
	cred := interactive(t)
	first := getBy(t, b.wait, cred, policy.TokenRequestOptions{Scopes: []string{graphDefault}, EnableCAE: true})
	if life := time.Until(first.ExpiresOn); life < 23*time.Hour || life > 29*time.Hour {
		t.Errorf("a token under CAE lives %s", life)
	}
	o := options()
	pipe := runtime.NewPipeline("conformance", "v1",
		runtime.PipelineOptions{PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(cred, []string{graphDefault}, nil)}}, &o)
	me := func() *http.Response {
		t.Helper()
		req, err := runtime.NewRequest(b.wait, http.MethodGet, cloud.Graph+"/v1.0/me?$select=userPrincipalName")
		if err != nil {
			t.Fatal(err)
		}
		res, err := pipe.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := runtime.Payload(res)
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(string(body)), p.upn) {
			t.Fatalf("%s %v\n%s", res.Status, err, body)
		}
		return res
	}
	me()
	code, _, m := call(t, http.MethodPost, cloud.Graph+"/v1.0/users/"+p.upn+"/revokeSignInSessions", admin, "")
	if code != http.StatusOK {
		t.Fatalf("revokeSignInSessions: %d %v", code, m)
	}
	// The old token is refused with the claims challenge, ...
	code, head, _ := call(t, http.MethodGet, cloud.Graph+"/v1.0/me", first.Token, "")
	if auth := head.Get("WWW-Authenticate"); code != http.StatusUnauthorized || !strings.Contains(auth, "insufficient_claims") ||
		!strings.Contains(auth, `claims="`) {
		t.Fatalf("after revocation: %d, WWW-Authenticate %q", code, auth)
	}
	// ... and the client answers it.
	me()
	again := getBy(t, b.wait, cred, policy.TokenRequestOptions{Scopes: []string{graphDefault}, EnableCAE: true})
	if again.Token == first.Token {
		t.Error("the old token is still in use")
	}
}
