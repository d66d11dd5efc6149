package keyvault_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/keyvault"
)

// Whatever a caller sends, the answer is JSON in the service's shape and no
// failure of ours.
func FuzzRequest(f *testing.F) {
	s, err := partnercloud.Start(f.Context(), partnercloud.Options{Unthrottled: true, NoLag: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close(f.Context()) })
	tk, err := secretOf(f, s, allowed).GetToken(f.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	if err != nil {
		f.Fatal(err)
	}
	h := s.Handler(gate.Vault)
	f.Add("POST", "/keys/partnerguard/wrapkey", `{"alg":"RSA-OAEP-256","value":"eA"}`)
	f.Add("POST", "/keys/partnerguard/00000000000000000000000000000000/unwrapkey", `{"alg":"RSA-OAEP","value":"eA"}`)
	f.Add("GET", "/keys/partnerguard/versions", "")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if method != "GET" && method != "POST" && method != "PUT" {
			method = "POST"
		}
		u := url.URL{Scheme: "https", Host: keyvault.Host, Path: "/" + strings.TrimPrefix(path, "/"), RawQuery: "api-version=7.4"}
		r := httptest.NewRequest(method, u.String(), strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+tk.Token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}
