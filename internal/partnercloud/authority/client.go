package authority

import (
	"crypto/sha1" //nolint:gosec // thumbprints are SHA-1
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// client is a client app and how it proved itself.
type client struct {
	world.Client
	acr        string // appidacr: 0 public, 1 secret, 2 certificate or federated
	credential string // clientCredentialType as logged
	keyID      string
	thumbprint string
	federated  string
}

func (c *client) proved() bool { return c.acr != "0" }

// findClient finds a client that a path's tenant may use.
func findClient(s *world.State, p pathTenant, id, named string) (*client, *oauth.Fault) {
	if id == "" {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "client_id")
	}
	if !world.IsGUID(id) {
		return nil, oauth.Refuse(entra.CodeAppNotFound, clip(id, 64), named)
	}
	c, ok := s.Client(id)
	if !ok {
		return nil, oauth.Refuse(entra.CodeAppNotFound, strings.ToLower(id), named)
	}
	out := &client{Client: c, acr: "0", credential: "none"}
	if c.App == nil || c.App.MultiTenant() {
		return out, nil
	}
	if p.any {
		return nil, oauth.Refuse(entra.CodeNotMultiTenant, c.AppID)
	}
	if p.tenant.ID != c.Owner {
		return nil, oauth.Refuse(entra.CodeAppNotFound, c.AppID, named)
	}
	return out, nil
}

// authenticate checks the credential that a client presents, if any. It leaves
// a client without one public: whether that will do is the grant's to say.
func (a *Authority) authenticate(s *world.State, q *request, p pathTenant, c *client, form url.Values) *oauth.Fault {
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	if id, pw, ok := q.BasicAuth(); ok && secret == "" {
		// RFC 6749 section 2.3.1: both parts are form-encoded.
		if v, err := url.QueryUnescape(id); err == nil && strings.EqualFold(v, c.AppID) {
			if v, err := url.QueryUnescape(pw); err == nil {
				secret = v
			}
		}
	}
	switch {
	case secret == "" && assertion == "":
		return nil
	case secret != "" && assertion != "":
		return oauth.Refuse(entra.CodeMalformed)
	case c.App == nil:
		return oauth.Refuse(entra.CodePublicClient)
	case secret != "":
		return checkSecret(s, q.now, p, c, secret)
	case form.Get("client_assertion_type") != oauth.AssertionType:
		return oauth.Refuse(entra.CodeMalformed)
	}
	return a.checkAssertion(s, q, p, c, assertion)
}

// passwords are an app's secrets: of the registration, and of its service
// principal in the tenant asked.
func passwords(p pathTenant, c *client) []world.PasswordCredential {
	out := slices.Clone(c.App.Passwords)
	if p.tenant != nil {
		if sp := p.tenant.SP(c.AppID); sp != nil {
			out = append(out, sp.Passwords...)
		}
	}
	return out
}

func checkSecret(s *world.State, now time.Time, p pathTenant, c *client, secret string) *oauth.Fault {
	list := passwords(p, c)
	if len(list) == 0 && !c.App.Confidential() {
		return oauth.Refuse(entra.CodePublicClient)
	}
	hash := world.HashSecret(secret)
	expired := false
	for _, k := range list {
		want := k.Hash
		if want == "" {
			want = world.HashSecret(s.SeededSecret(c.AppID))
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(hash)) != 1 {
			continue
		}
		if now.Before(k.Start) || !k.End.IsZero() && !now.Before(k.End) {
			expired = true
			continue
		}
		c.acr, c.credential, c.keyID = "1", "clientSecret", k.KeyID
		return nil
	}
	if expired {
		return oauth.Refuse(entra.CodeCredentialExpired, c.AppID)
	}
	return oauth.Refuse(entra.CodeSecretWrong, c.AppID)
}

// checkAssertion checks a client assertion: the app's own, signed with one of
// its certificates, or another issuer's that a federated credential trusts.
//
// The same assertion may come again while it lives, as clients of the platform
// send it; another one with the same jti may not (RFC 7523 section 3).
func (a *Authority) checkAssertion(s *world.State, q *request, p pathTenant, c *client, text string) *oauth.Fault {
	as, fault := oauth.ParseAssertion(text)
	if fault != nil {
		return fault
	}
	if strings.EqualFold(as.Issuer, c.AppID) {
		fault = a.checkCertificate(s, q, p, c, as)
	} else {
		fault = a.checkFederated(s, q, c, as, text)
	}
	if fault == nil && as.ID != "" {
		if kept, _ := a.used.claim(q.now, as.Expires.Add(10*time.Minute), c.AppID+"\x00"+as.Issuer+"\x00"+as.ID, as.Digest()); kept != as.Digest() {
			fault = oauth.Refuse(entra.CodeAssertionInvalid)
		}
	}
	if fault != nil { // the client is not who it says
		c.acr, c.credential, c.keyID, c.thumbprint, c.federated = "0", "none", "", "", ""
	}
	return fault
}

func (a *Authority) checkCertificate(s *world.State, q *request, p pathTenant, c *client, as *oauth.Assertion) *oauth.Fault {
	if !strings.EqualFold(as.Subject, c.AppID) {
		return oauth.Refuse(entra.CodeAssertionOfAnotherApp)
	}
	if !slices.ContainsFunc(as.Audience, func(v string) bool { return audience(s, q, v) }) {
		return oauth.Refuse(entra.CodeAssertionElsewhere)
	}
	if f := as.Timely(q.now); f != nil {
		return f
	}
	keys := slices.Clone(c.App.Keys)
	if p.tenant != nil {
		if sp := p.tenant.SP(c.AppID); sp != nil {
			keys = append(keys, sp.Keys...)
		}
	}
	for _, k := range keys {
		cert, err := x509.ParseCertificate(k.DER)
		if err != nil || !as.VerifyCert(cert) {
			continue
		}
		end := k.End
		if end.IsZero() || cert.NotAfter.Before(end) {
			end = cert.NotAfter
		}
		if !q.now.Before(end) || q.now.Before(k.Start) {
			return oauth.Refuse(entra.CodeCredentialExpired, c.AppID)
		}
		sum := sha1.Sum(cert.Raw) //nolint:gosec // thumbprints are SHA-1
		c.acr, c.credential, c.keyID, c.thumbprint = "2", "clientAssertion", k.KeyID, strings.ToUpper(hex.EncodeToString(sum[:]))
		return nil
	}
	return oauth.Refuse(entra.CodeCertificateUnknown)
}

// audience reports that an assertion's aud is this authority's token endpoint,
// or issuer, for the very tenant that was asked, by any of our names.
func audience(s *world.State, q *request, aud string) bool {
	u, err := url.Parse(aud)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || !(strings.EqualFold(u.Host, q.Host) || u.Scheme == "https" && production(u.Host)) {
		return false
	}
	segment, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	switch strings.ToLower(rest) {
	case "oauth2/v2.0/token", "oauth2/token", "v2.0":
	default:
		return false
	}
	if strings.EqualFold(segment, q.tenantName) {
		return true
	}
	x, y := s.Tenant(segment), s.Tenant(q.tenantName)
	return x != nil && y != nil && x.ID == y.ID
}

// checkFederated checks another issuer's token against the app's federated
// credentials: issuer, subject and audience exactly (contracts.md section 4.2).
func (a *Authority) checkFederated(s *world.State, q *request, c *client, as *oauth.Assertion, text string) *oauth.Fault {
	worst := oauth.Refuse(entra.CodeFederatedIssuer)
	for _, fc := range c.App.Federated {
		if fc.Issuer != as.Issuer {
			continue
		}
		if fc.Subject != as.Subject {
			if worst.Code == entra.CodeFederatedIssuer {
				worst = oauth.Refuse(entra.CodeFederatedSubject)
			}
			continue
		}
		if !slices.ContainsFunc(as.Audience, func(v string) bool { return slices.Contains(fc.Audiences, v) }) {
			worst = oauth.Refuse(entra.CodeFederatedAudience)
			continue
		}
		if f := as.Timely(q.now); f != nil {
			return f
		}
		if !a.federatedSignature(s, q, fc, as, text) {
			return oauth.Refuse(entra.CodeAssertionInvalid)
		}
		c.acr, c.credential, c.federated = "2", "federatedIdentityCredential", fc.ID
		return nil
	}
	return worst
}

// federatedSignature checks with the keys that the credential stores, or with
// our own where the issuer is a tenant of this cloud.
func (a *Authority) federatedSignature(s *world.State, q *request, fc world.FederatedCredential, as *oauth.Assertion, text string) bool {
	if len(fc.JWKS) > 0 {
		var set jose.JSONWebKeySet
		return json.Unmarshal(fc.JWKS, &set) == nil && as.VerifySet(&set)
	}
	claims, fault := a.keys.Parse(text)
	if fault != nil {
		return false
	}
	t := s.Tenant(claims.TenantID)
	return t != nil && (as.Issuer == bearer.IssuerV1(t.ID) || as.Issuer == bearer.IssuerV2(t.ID) || as.Issuer == q.issuerV2(t.ID))
}

// public says whether a client may use a grant without a credential because its
// registration says so.
func (c *client) public() bool { return c.App == nil || c.App.Fallback }

// platform is where a redirect URI is registered.
type platform int

const (
	nowhere platform = iota
	web
	spa
	native
)

// registered finds the platform of a redirect URI, or nowhere.
func (a *Authority) registered(c *client, uri string) platform {
	if c.App == nil {
		if c.AppID == entra.AppPartner || c.AppID == entra.AppM365Admin {
			if portalMay(uri, a.portals) || loopbackTLS(uri) {
				return native
			}
		}
		if oauth.MatchRedirect(uri, firstPartyRedirects()) || loopbackAny(uri) {
			return native
		}
		return nowhere
	}
	switch {
	case oauth.MatchRedirect(uri, c.App.SPA):
		return spa
	case oauth.MatchRedirect(uri, c.App.Web):
		return web
	case oauth.MatchRedirect(uri, c.App.Public):
		return native
	}
	return nowhere
}

// firstPartyRedirects are what Microsoft's own public clients use (K).
func firstPartyRedirects() []string {
	return []string{
		entra.Login + "/common/oauth2/nativeclient",
		"urn:ietf:wg:oauth:2.0:oob",
	}
}

// loopbackAny is the loopback redirect of a tool, on any port and path.
func loopbackAny(uri string) bool {
	u, ok := oauth.SafeRedirect(uri)
	return ok && oauth.Loopback(u)
}

// loopbackTLS is this cloud's own portal on loopback, where it has a certificate
// of the local CA.
func loopbackTLS(uri string) bool {
	u, ok := oauth.SafeRedirect(uri)
	if !ok || u.Scheme != "https" {
		return false
	}
	plain := *u
	plain.Scheme = "http"
	return oauth.Loopback(&plain)
}

// portalMay reports a redirect within one of the portal's bases.
func portalMay(uri string, bases []string) bool {
	u, ok := oauth.SafeRedirect(uri)
	if !ok {
		return false
	}
	for _, b := range append([]string{"https://" + entra.PartnerHost, "https://" + entra.M365AdminHost}, bases...) {
		v, err := url.Parse(b)
		if err != nil || v.Scheme != u.Scheme || !strings.EqualFold(v.Host, u.Host) || strings.Contains(u.Path, "..") {
			continue
		}
		root := strings.TrimSuffix(v.Path, "/")
		if u.Path == root || strings.HasPrefix(u.Path, root+"/") {
			return true
		}
	}
	return false
}
