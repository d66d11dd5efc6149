//go:build browser

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/world"
)

const (
	commandLine = "c2f0a6b4-1d3e-4f5a-9b8c-7e6d5c4b3a21"
	engineer    = "lena.fischer@contoso.com" // may use the device code flow
)

// stepUpPolicy protects the context c1 by MFA at every sign-in.
const stepUpPolicy = `{"id":"9f0c1f6e-0000-4000-8000-0000000000c1","displayName":"Step up","state":"enabled","conditions":{"users":{"includeUsers":["All"]},` +
	`"applications":{"includeApplications":[],"includeAuthenticationContextClassReferences":["c1"]},"clientAppTypes":["all"]},"grantControls":{` +
	`"operator":"OR","builtInControls":["mfa"]},"sessionControls":{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}}`

// apiOf has the partner's own API ask for what a gateway reads, and lets the command line
// call it.
func apiOf(lab *labtest.Lab) {
	lab.Edit(func(s *world.State, te *world.Tenant) {
		_, a := s.App(ordersAPI)
		next := *a
		next.More = map[string]any{
			"optionalClaims": map[string]any{"accessToken": []any{map[string]any{"name": "auth_time"}, map[string]any{"name": "xms_cc"}}},
			"api": map[string]any{"preAuthorizedApplications": []any{map[string]any{"appId": commandLine,
				"delegatedPermissionIds": []any{a.Scopes[0].ID}}}},
		}
		s.PutApp(te, &next)
		te.Policies = world.Table[world.Document, *world.Document]{}
		te.Policies.Put(&world.Document{ID: "9f0c1f6e-0000-4000-8000-0000000000c1", Raw: json.RawMessage(stepUpPolicy)})
	})
}

// device signs a person in on the page of the device code flow.
func device(t *testing.T, lab *labtest.Lab, code string) {
	b := lab.Browser()
	b.Open(lab.Info.Login+"/devicelogin").Press("otc", code).Press("do", "confirm")
	b.SignIn(lab.Person(engineer))
	if !strings.Contains(b.Page, "You are signed in") {
		t.Errorf("the device's sign-in ended at: %s", b.Page[max(0, strings.Index(b.Page, "<main")):])
	}
}

// azcore's own policy understands the gateway's challenge: it is refused, gets a better
// token by a new sign-in, and passes; when the sign-in is too old it does so again.
func TestGatewayChallengesAzcore(t *testing.T) {
	lab := labtest.Start(t)
	apiOf(lab)
	g := gatewayOf(t, lab, "    mfa: {context: c1, maxAge: 30m}\n    mode: enforce\n")
	var prompts atomic.Int32
	o := azcore.ClientOptions{Cloud: sdk.Configuration{ActiveDirectoryAuthorityHost: lab.Info.Login},
		Transport: &http.Client{Transport: lab.Server.Transport()}}
	cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{ClientOptions: o, ClientID: commandLine,
		TenantID: lab.Info.Tenant.ID, DisableInstanceDiscovery: true, UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			prompts.Add(1)
			device(t, lab, m.UserCode)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	answers := &recorder{next: http.DefaultTransport}
	pipe := runtime.NewPipeline("conformance", "v1", runtime.PipelineOptions{PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(cred,
		[]string{"api://" + ordersAPI + "/.default"}, &policy.BearerTokenOptions{InsecureAllowCredentialWithHTTP: true})}},
		&policy.ClientOptions{Transport: &http.Client{Transport: answers}})
	call := func() (int, string) {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		req, err := runtime.NewRequest(ctx, http.MethodGet, g.at+"/api/orders")
		if err != nil {
			t.Fatal(err)
		}
		res, err := pipe.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	for round := range 2 {
		answers.seen = nil
		was := prompts.Load()
		code, body := call()
		if code != http.StatusOK || !strings.Contains(body, "user="+engineer+" mfa=true") {
			t.Fatalf("round %d: %d %s, after %v", round, code, body, answers.seen)
		}
		if len(answers.seen) != 2 || !strings.Contains(answers.seen[0], `error="insufficient_claims"`) || prompts.Load() == was {
			t.Errorf("round %d: answers %q, %d prompts", round, answers.seen, prompts.Load()-was)
		}
		if code, _ := call(); code != http.StatusOK || len(answers.seen) != 3 {
			t.Errorf("round %d, once more: %d %q", round, code, answers.seen)
		}
		lab.Jump(40 * time.Minute)
	}
}

// recorder keeps the challenges of answers, "" where there was none.
type recorder struct {
	next http.RoundTripper
	seen []string
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(q)
	if err == nil {
		r.seen = append(r.seen, res.Header.Get("WWW-Authenticate"))
	}
	return res, err
}

// MSAL for Node, by the claims of the challenge that it is given: see the script.
func TestGatewayChallengesMSALNode(t *testing.T) {
	const dir = "../conformance/node"
	if _, err := os.Stat(dir + "/node_modules/@azure/msal-node"); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("NO MSAL: npm ci in %s: %v\n%s", dir, err, out)
			}
			t.Skipf("SKIPPED, NO MSAL: npm ci in %s: %v", dir, err)
		}
	}
	lab := labtest.Start(t)
	apiOf(lab)
	g := gatewayOf(t, lab, "    mfa: {context: c1, maxAge: 30m}\n    mode: enforce\n")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, lab.Server.CA.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, "node", "gateway.mjs")
	c.Dir = dir
	c.Env = append(os.Environ(), "WAY=endpoints", "LOGIN="+lab.Info.Login, "GRAPH="+lab.Info.Graph,
		"TENANT="+lab.Info.Tenant.ID, "PUBLIC_ID="+commandLine, "GATE="+g.at,
		"SCOPE=api://"+ordersAPI+"/.default", "NODE_EXTRA_CA_CERTS="+ca)
	var errs strings.Builder
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	last, prompts := "", 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		switch words := strings.Fields(last); {
		case len(words) == 3 && words[0] == "CODE":
			prompts++
			device(t, lab, words[2])
		case len(words) > 0 && words[0] == "JUMP":
			lab.Jump(40 * time.Minute)
			_, _ = io.WriteString(in, "\n")
		}
	}
	if err := c.Wait(); err != nil || last != "ok" || prompts != 3 {
		t.Fatalf("%v, %q, %d prompts\n%s", err, last, prompts, errs.String())
	}
}
