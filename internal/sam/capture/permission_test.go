package capture_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
)

// Every permission has the id that the resource itself gives it, and the set is
// the least.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, r := range capture.Permissions(capture.Features()).Resources {
		res := world.FindResource(r.AppID)
		if res == nil {
			t.Fatalf("no resource %s", r.AppID)
		}
		for _, p := range r.Scopes {
			if sc, ok := res.ScopeByValue(p.Value); !ok || !strings.EqualFold(sc.ID, p.ID) || len(p.For) == 0 {
				t.Errorf("%s of %s: %+v, there %+v", p.Value, r.Name, p, sc)
			}
		}
	}
	values := func(f ...capture.Feature) map[string][]string {
		return capture.Permissions(f).Needed(msapi.Commercial())
	}
	base := []string{"User.Read", "offline_access", "openid", "profile"}
	graph, center, azure := "https://graph.microsoft.com", "https://api.partnercenter.microsoft.com", "https://management.azure.com"
	for name, c := range map[string]struct {
		features []capture.Feature
		want     map[string][]string
	}{
		"nothing more": {nil, map[string][]string{center: {"user_impersonation"}, graph: base}},
		"azure": {[]capture.Feature{capture.Azure}, map[string][]string{center: {"user_impersonation"}, graph: base,
			azure: {"user_impersonation"}}},
		"reading GDAP": {[]capture.Feature{capture.Delegation}, map[string][]string{center: {"user_impersonation"},
			graph: append([]string{"DelegatedAdminRelationship.Read.All"}, base...)}},
		"and changing it": {[]capture.Feature{capture.Delegation, capture.DelegationChange}, map[string][]string{center: {"user_impersonation"},
			graph: append([]string{"DelegatedAdminRelationship.ReadWrite.All"}, base...)}},
		"directory": {[]capture.Feature{capture.Accounts, capture.Licences}, map[string][]string{center: {"user_impersonation"},
			graph: {"Directory.Read.All", "offline_access", "openid", "profile"}}},
		"an unknown one": {[]capture.Feature{"nonsense"}, map[string][]string{center: {"user_impersonation"}, graph: base}},
		"alerts, answering": {[]capture.Feature{capture.Alerts, capture.AlertsAnswer}, map[string][]string{center: {"user_impersonation"},
			graph: append([]string{"PartnerSecurity.ReadWrite.All"}, base...)}},
	} {
		if d := cmp.Diff(c.want, values(c.features...)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	b, err := capture.Permissions([]capture.Feature{capture.Azure, capture.Policies}).JSON("http://localhost")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Audience string `json:"signInAudience"`
		Web      struct {
			URIs []string `json:"redirectUris"`
		} `json:"web"`
		Required []struct {
			App    string `json:"resourceAppId"`
			Access []struct{ ID, Type string }
		} `json:"requiredResourceAccess"`
	}
	if err := json.Unmarshal(b, &m); err != nil || m.Audience != "AzureADMultipleOrgs" || len(m.Required) != 3 ||
		!slices.Equal(m.Web.URIs, []string{"http://localhost"}) {
		t.Fatalf("%s %v", b, err)
	}
	if strings.Contains(string(b), `"Role"`) || !strings.Contains(string(b), "572fea84-0151-49b2-9301-11cb16974376") {
		t.Errorf("%s", b)
	}
	link := capture.AdminConsentURL(msapi.Commercial(), "contoso.com", panelApp, "http://localhost")
	if u, err := url.Parse(link); err != nil || u.Host != "login.microsoftonline.com" || u.Path != "/contoso.com/adminconsent" || u.Query().
		Get("client_id") != panelApp {
		t.Errorf("%s", link)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	g := func(v ...string) map[string][]string { return map[string][]string{"g": v} }
	for name, c := range map[string]struct {
		granted, needed map[string][]string
		want            capture.Difference
	}{
		"the same":        {g("A.Read.All"), g("A.Read.All"), capture.Difference{}},
		"in another case": {g("a.read.all"), g("A.Read.All"), capture.Difference{}},
		"missing":         {g("A.Read.All"), g("A.Read.All", "B.Read.All"), capture.Difference{Missing: g("B.Read.All")}},
		"more":            {g("A.Read.All", "B.Read.All"), g("A.Read.All"), capture.Difference{More: g("B.Read.All")}},
		"wider":           {g("A.ReadWrite.All"), g("A.Read.All"), capture.Difference{More: g("A.ReadWrite.All")}},
		"narrower":        {g("A.Read.All"), g("A.ReadWrite.All"), capture.Difference{Missing: g("A.ReadWrite.All")}},
		"included":        {g("Directory.Read.All", "Application.Read.All"), g("Directory.Read.All"), capture.Difference{}},
		"by the wider":    {g("Directory.Read.All"), g("Application.Read.All"), capture.Difference{More: g("Directory.Read.All")}},
		"sign-in alone":   {g("openid", "profile", "email", "User.Read"), g("openid", "offline_access"), capture.Difference{}},
		"nothing granted": {nil, g("A.Read.All"), capture.Difference{Missing: g("A.Read.All")}},
		"a prefix is not": {g("A.Read"), g("A.Read.All"), capture.Difference{Missing: g("A.Read.All"), More: g("A.Read")}},
	} {
		if d := cmp.Diff(c.want, capture.Diff(c.granted, c.needed)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// The page shows what it must, escapes what came from outside, and holds
// neither script nor address.
func TestPage(t *testing.T) {
	t.Parallel()
	done := capture.Done{
		Account: `<img src=x onerror=alert(1)>@contoso.com`, Tenant: "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21", Connection: sam.Connection{Name: "contoso"},
		Verdict: claim.Verdict{Answer: claim.Proven, By: []string{"pwd", "otp"}, Reason: "amr has the element mfa"},
		Difference: capture.Difference{Missing: map[string][]string{"https://graph.microsoft.com": {"Policy.Read.All"}},
			More: map[string][]string{"https://graph.microsoft.com": {"A.ReadWrite.All"}}},
		Notes: []string{"what was granted on x could not be read"},
	}
	for name, c := range map[string]struct {
		done  capture.Done
		err   error
		words []string
	}{
		"connected": {done, nil, []string{"<h1>Connected</h1>", `href="#v-met"`, "contoso", "graph.microsoft.com/Policy.Read.All",
			"graph.microsoft.com/A.ReadWrite.All", "&lt;img", "proven, with a password and a one-time code", "Not known yet"}},
		"refused": {capture.Done{}, &capture.Refusal{Cause: capture.NoMFA, Words: "the sign-in <b>of</b> a does not prove MFA", Fix: "sign in again"},
			[]string{"<h1>Not connected</h1>", `href="#v-not"`, "The sign-in &lt;b&gt;of&lt;/b&gt; a does not prove MFA.", "Sign in again.",
				"Nothing of this sign-in was kept"}},
		"forged":   {capture.Done{}, &capture.Refusal{Cause: capture.Forged, Words: "w", Fix: "f"}, []string{"<h1>Nothing happened</h1>"}},
		"trouble":  {capture.Done{}, &msapi.TokenError{Status: 503, Transient: true}, []string{"<h1>Not connected</h1>", "just now"}},
		"anything": {capture.Done{}, errors.New("mark-of-an-inner-error"), []string{"<h1>Not connected</h1>", "could not be completed"}},
	} {
		w := httptest.NewRecorder()
		capture.WritePage(w, 200, c.done, c.err)
		page := w.Body.String()
		for _, want := range c.words {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, page)
			}
		}
		if strings.Contains(page, "mark-of") || regexp.MustCompile(`(?i)<(script|img|link|iframe|form)|https?://|\son[a-z]+=`).
			MatchString(strings.ReplaceAll(page, "onerror=alert(1)&gt;", "")) {
			t.Errorf("%s holds what it must not:\n%s", name, page)
		}
		h := w.Header()
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
}

// TestEveryPermissionHasWords: what is asked for is said, with what for.
func TestEveryPermissionHasWords(t *testing.T) {
	t.Parallel()
	for _, r := range capture.Permissions(capture.Features()).Resources {
		for _, p := range r.Scopes {
			if capture.Allows(r.AppID, p.Value) == "" {
				t.Errorf("nothing says what %s of %s allows", p.Value, r.Name)
			}
		}
	}
	for _, f := range capture.Features() {
		if f.Why() == "" {
			t.Errorf("nothing says what %s is for", f)
		}
		for _, r := range capture.Permissions([]capture.Feature{f}).Resources { // also what a wider one includes
			for _, p := range r.Scopes {
				if capture.Allows(r.AppID, p.Value) == "" {
					t.Errorf("nothing says what %s of %s allows", p.Value, r.Name)
				}
			}
		}
	}
}
