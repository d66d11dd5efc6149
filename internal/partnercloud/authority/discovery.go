package authority

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// writeJSON answers with a JSON document that any page may read.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// readOnly answers for the methods of a public document.
func readOnly(w http.ResponseWriter, q *request) bool {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

// metadata serves OpenID Connect discovery (contracts.md section 4.6). It leaves
// out what Entra ID's leaves out, code_challenge_methods_supported among it: a
// client that looks for it must do without there too. As in every token, a member
// of ours says that this is no production authority.
func (a *Authority) metadata(w http.ResponseWriter, q *request, v2 bool) {
	if !readOnly(w, q) {
		return
	}
	var p pathTenant
	var fault *oauth.Fault
	a.w.Read(func(s *world.State) { p, fault = findTenant(s, q.tenantName) })
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	segment, issuerTenant := strings.ToLower(q.tenantName), "{tenantid}"
	var region any
	if p.tenant != nil {
		segment, issuerTenant, region = p.tenant.ID, p.tenant.ID, regionOf(p.tenant)
	}
	if q.URL.Query().Has("p") { // a policy of Azure AD B2C, which this authority is not
		a.showMissing(w, q)
		return
	}
	base := q.base() + "/" + segment
	doc := map[string]any{
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"request_uri_parameter_supported":       false,
		"http_logout_supported":                 true,
		"frontchannel_logout_supported":         true,
		"tenant_region_scope":                   region,
		"cloud_instance_name":                   entra.InstanceName,
		"cloud_graph_host_name":                 entra.AADGraphHost,
		"msgraph_host":                          entra.GraphHost,
		"x_partner_cloud":                       bearer.Mark,
		"userinfo_endpoint":                     entra.Graph + "/oidc/userinfo",
	}
	if v2 {
		doc["response_types_supported"] = []string{"code", "id_token", "code id_token", "id_token token"}
		doc["scopes_supported"] = []string{"openid", "profile", "email", "offline_access"}
		doc["claims_supported"] = []string{"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
			"exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"}
		doc["issuer"] = q.issuerV2(issuerTenant)
		doc["authorization_endpoint"] = base + "/oauth2/v2.0/authorize"
		doc["token_endpoint"] = base + "/oauth2/v2.0/token"
		doc["device_authorization_endpoint"] = base + "/oauth2/v2.0/devicecode"
		doc["end_session_endpoint"] = base + "/oauth2/v2.0/logout"
		doc["jwks_uri"] = base + "/discovery/v2.0/keys"
	} else {
		doc["response_types_supported"] = []string{"code", "id_token", "code id_token", "token id_token", "token"}
		doc["scopes_supported"] = []string{"openid"}
		doc["claims_supported"] = []string{"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
			"exp", "iat", "auth_time", "acr", "amr", "nonce", "email", "given_name", "family_name", "nickname"}
		doc["microsoft_multi_refresh_token"] = true
		doc["issuer"] = bearer.IssuerV1(issuerTenant)
		doc["authorization_endpoint"] = base + "/oauth2/authorize"
		doc["token_endpoint"] = base + "/oauth2/token"
		doc["device_authorization_endpoint"] = base + "/oauth2/devicecode"
		doc["end_session_endpoint"] = base + "/oauth2/logout"
		doc["jwks_uri"] = base + "/discovery/keys"
	}
	writeJSON(w, http.StatusOK, doc)
}

// regionOf is tenant_region_scope (K: the set of values).
func regionOf(t *world.Tenant) string {
	switch t.Country {
	case "US", "CA", "MX":
		return "NA"
	case "JP", "SG", "IN", "KR", "HK":
		return "AS"
	case "AU", "NZ":
		return "OC"
	case "":
		return "WW"
	}
	return "EU"
}

// publishedKey is a key as Entra ID publishes it: kid and x5t are equal, alg is
// left out, and the v2 document says whose tokens the key signs.
type publishedKey struct {
	Type   string   `json:"kty"`
	Use    string   `json:"use"`
	ID     string   `json:"kid"`
	Thumb  string   `json:"x5t"`
	N      string   `json:"n"`
	E      string   `json:"e"`
	Chain  []string `json:"x5c"`
	Issuer string   `json:"issuer,omitempty"`
}

func (a *Authority) jwks(w http.ResponseWriter, q *request, v2 bool) {
	if !readOnly(w, q) {
		return
	}
	var p pathTenant
	var fault *oauth.Fault
	a.w.Read(func(s *world.State) { p, fault = findTenant(s, q.tenantName) })
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	issuer := ""
	switch {
	case v2 && p.tenant != nil:
		issuer = q.issuerV2(p.tenant.ID)
	case v2:
		issuer = q.issuerV2("{tenantid}")
	}
	list := []publishedKey{}
	for _, k := range a.keys.JWKS().Keys {
		b, err := k.MarshalJSON()
		var one publishedKey
		if err != nil || json.Unmarshal(b, &one) != nil {
			a.log.Error("key", "err", err)
			continue
		}
		one.Issuer = issuer
		list = append(list, one)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": list})
}

// instance serves MSAL's instance discovery: which names an authority has.
func (a *Authority) instance(w http.ResponseWriter, q *request) {
	if !readOnly(w, q) {
		return
	}
	asked := q.URL.Query().Get("authorization_endpoint")
	u, err := url.Parse(asked)
	if asked == "" || err != nil || u.Scheme != "https" && u.Scheme != "http" || !(production(u.Hostname()) || strings.EqualFold(u.Host, q.Host) ||
		loopbackName(u.Hostname())) {
		writeJSON(w, http.StatusBadRequest, map[string]any{
			"error": "invalid_instance", "error_description": fmt.Sprintf("AADSTS%d: Unknown or invalid instance: the authorization_endpoint is not one "+
				"of this cloud.", entra.CodeInstanceUnknown),
			"error_codes": []int{entra.CodeInstanceUnknown}, "timestamp": stamp(q.now), "trace_id": q.trace, "correlation_id": q.correlation,
		})
		return
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if segment == "" {
		segment = "common"
	}
	groups := []map[string]any{{"preferred_network": entra.LoginHost, "preferred_cache": entra.LoginWindowsHost, "aliases": entra.LoginHosts()}}
	if !production(u.Hostname()) {
		groups = append(groups, map[string]any{"preferred_network": u.Host, "preferred_cache": u.Host, "aliases": []string{u.Host}})
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": u.Scheme + "://" + u.Host + "/" + url.PathEscape(segment) + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  groups,
	})
}

func loopbackName(h string) bool {
	return h == "localhost" || h == "127.0.0.1" || h == "::1" || strings.HasSuffix(h, ".localhost")
}

// userRealm tells MSAL's password grant who checks a name's password. Nothing
// here is federated.
func (a *Authority) userRealm(w http.ResponseWriter, q *request, user string) {
	if !readOnly(w, q) {
		return
	}
	_, domain, _ := strings.Cut(user, "@")
	doc := map[string]any{"ver": "1.0", "account_type": "Unknown", "cloud_instance_name": entra.InstanceName,
		"cloud_audience_urn": "urn:federation:MicrosoftOnline"}
	a.w.Read(func(s *world.State) {
		if domain != "" && s.Tenant(domain) != nil {
			doc["account_type"], doc["domain_name"] = "Managed", domain
		}
	})
	writeJSON(w, http.StatusOK, doc)
}
