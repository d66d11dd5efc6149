package verify

import (
	"bytes"
	"net/url"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// issuer is one that an authority's tokens may have.
type issuer struct {
	before, after []byte
	template      bool   // a tenant is between them; otherwise before is all
	tenant        string // of Entra ID's form without a tenant to fill in: whose it is
	version       string // of Entra ID's form: "1.0", "2.0"
}

// readIssuer takes one apart as a file names it.
func readIssuer(s string) (issuer, error) {
	bad := problem.New(problem.Usage, "the issuer %q is not an address such as https://login.microsoftonline.com/{tenantid}/v2.0", s)
	u, err := url.Parse(strings.ReplaceAll(s, gateway.TenantID, "tenant"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(s) > maxText {
		return issuer{}, bad
	}
	before, after, template := strings.Cut(s, gateway.TenantID)
	is := issuer{before: []byte(before), after: []byte(after), template: template}
	if template && (strings.Contains(after, gateway.TenantID) || !strings.HasSuffix(before, "/") || after != "" && after[0] != '/') {
		return issuer{}, bad.WithHint("write {tenantid} once, between two slashes")
	}
	tenant, last, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if template && tenant != "tenant" || !template && !isGUID(tenant) {
		return is, nil // of another form, which says nothing of versions
	}
	if !template {
		is.tenant = tenant
	}
	switch {
	case last == "v2.0":
		is.version = "2.0"
	case last == "" && strings.HasSuffix(s, "/"):
		is.version = "1.0"
	default:
		is.tenant = ""
	}
	return is, nil
}

// is says whether an issuer's text is this one, for a token of that tenant.
func (is *issuer) is(iss, tenant []byte) bool {
	if !is.template {
		return bytes.Equal(iss, is.before) && (is.tenant == "" || strings.EqualFold(is.tenant, string(tenant)))
	}
	return len(iss) == len(is.before)+len(tenant)+len(is.after) && bytes.HasPrefix(iss, is.before) && bytes.HasSuffix(iss, is.after) &&
		bytes.Equal(iss[len(is.before):len(is.before)+len(tenant)], tenant)
}
