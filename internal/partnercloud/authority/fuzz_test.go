package authority_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzTokenForm throws forms at the token endpoint: it always answers with JSON,
// never with a server error, and never with a token for somebody who proved
// nothing.
func FuzzTokenForm(f *testing.F) {
	l := newLab(f)
	f.Add("common", "grant_type=refresh_token&client_id="+samApp+"&refresh_token=x&scope=openid")
	f.Add(partnerID, "grant_type=client_credentials&client_id="+samApp+"&client_secret=x&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default")
	f.Add("contoso.com", "grant_type=password&client_id="+toolApp+"&username=ada%40contoso.com&password=x&scope=User.Read")
	f.Add("x", "grant_type=authorization_code&code=1&claims=%7B%7D&client_id="+cli)
	f.Add("organizations", "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&requested_token_use=on_behalf_of&assertion=a.b.c&client_id="+apiApp)
	f.Fuzz(func(t *testing.T, tenant, form string) {
		if len(tenant) > 100 || strings.ContainsAny(tenant, "/?#% \\") || tenant == "" || tenant == "." || tenant == ".." {
			t.Skip()
		}
		for _, path := range []string{"/oauth2/v2.0/token", "/oauth2/token", "/oauth2/v2.0/devicecode"} {
			req, err := http.NewRequest(http.MethodPost, "http://localhost/"+tenant+path, strings.NewReader(form))
			if err != nil {
				t.Skip()
			}
			req.RemoteAddr = "127.0.0.1:1"
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			l.a.ServeHTTP(w, req)
			var r reply
			if w.Code >= 500 || json.Unmarshal(w.Body.Bytes(), &r) != nil {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if r.Access != "" && !strings.Contains(form, "secret") && !strings.Contains(form, "Pc") {
				t.Fatalf("a token for %q", form)
			}
		}
	})
}
