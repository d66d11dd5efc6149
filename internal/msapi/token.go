package msapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// AuthorizeRequest is where a person's browser is sent to sign in.
type AuthorizeRequest struct {
	Cloud    Cloud
	ClientID string
	Tenant   string // id, domain, "organizations" or "common"
	Redirect string // one of the app's redirect URIs
	// Resource chooses the v1 endpoint: tokens for it, everything the app was
	// granted. Otherwise Scope is for the v2 endpoint.
	Resource  string
	Scope     string
	State     secret.Text
	Nonce     secret.Text
	Challenge string // PKCE, S256
	Mode      string // response_mode: "query" or "form_post"
	Prompt    string // "login", "select_account", "consent"; optional
	LoginHint string // optional
	AMR       string // amr_values: "mfa" forces it (contracts.md section 4.2); optional
	Claims    string // JSON of a claims request; optional
	// MaxAge, when not zero, bounds the age of the sign-in and makes Entra ID
	// tell auth_time (OpenID Connect Core 3.1.2.1).
	MaxAge time.Duration
}

// AuthorizeURL is the address to open. Kind problem.Usage for a tenant's name
// or cloud that cannot be.
func (c *Client) AuthorizeURL(r AuthorizeRequest) (string, error) {
	if err := r.Cloud.Check(); err != nil {
		return "", err
	}
	if err := checkTenant(r.Tenant); err != nil {
		return "", err
	}
	q := url.Values{
		"client_id": {r.ClientID}, "response_type": {"code"}, "redirect_uri": {r.Redirect}, "state": {r.State.Reveal()},
		"code_challenge": {r.Challenge}, "code_challenge_method": {"S256"},
	}
	for name, v := range map[string]string{
		"nonce": r.Nonce.Reveal(), "response_mode": r.Mode, "prompt": r.Prompt, "login_hint": r.LoginHint, "amr_values": r.AMR, "claims": r.Claims,
	} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if r.MaxAge > 0 {
		q.Set("max_age", strconv.Itoa(int(r.MaxAge.Seconds())))
	}
	path := "/oauth2/v2.0/authorize"
	if r.Resource != "" {
		path = "/oauth2/authorize"
		q.Set("resource", r.Resource)
	} else {
		q.Set("scope", r.Scope)
	}
	return r.Cloud.Authority + "/" + r.Tenant + path + "?" + q.Encode(), nil
}

// RedeemRequest trades an authorization code for tokens.
type RedeemRequest struct {
	Cloud    Cloud
	App      App
	Tenant   string
	Code     secret.Text
	Verifier secret.Text // PKCE
	Redirect string      // as it was given to authorize
	Resource string      // v1, as in AuthorizeRequest; otherwise Scope
	Scope    string
}

// Redeem trades an authorization code. It is sent once: a code works once, and
// one that was redeemed twice ends what it gave (RFC 6749 section 4.1.2).
func (c *Client) Redeem(ctx context.Context, r RedeemRequest) (*Grant, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {r.App.ClientID}, "code": {r.Code.Reveal()},
		"redirect_uri": {r.Redirect}, "code_verifier": {r.Verifier.Reveal()},
	}
	v1 := r.Resource != ""
	if v1 {
		form.Set("resource", r.Resource)
	} else if r.Scope != "" {
		form.Set("scope", r.Scope)
	}
	return c.grant(ctx, r.Cloud, r.App, r.Tenant, v1, form, conduct{what: "redeem"})
}

// Refresh asks for tokens with a refresh token (contracts.md section 4.3). The
// one it was asked with stays valid, so a lost reply loses nothing: it is sent
// again. The answer usually has a new one, to be kept instead.
//
// Errors: *TokenError from Entra ID or from the way there; problem.Usage for a
// request that cannot be.
func (c *Client) Refresh(ctx context.Context, r RefreshRequest) (*Grant, error) {
	if r.Refresh.IsZero() {
		return nil, problem.New(problem.Usage, "there is no refresh token to ask with")
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {r.App.ClientID}, "refresh_token": {r.Refresh.Reveal()}, "scope": {r.Scope}}
	if r.Claims != "" {
		form.Set("claims", r.Claims)
	}
	return c.grant(ctx, r.Cloud, r.App, r.Tenant, false, form, conduct{what: "refresh", again: true})
}

// TokenEndpoint is where a tenant's tokens are asked for; it is the audience of
// a client assertion.
func (c Cloud) TokenEndpoint(tenant string, v1 bool) string {
	if v1 {
		return c.Authority + "/" + tenant + "/oauth2/token"
	}
	return c.Authority + "/" + tenant + "/oauth2/v2.0/token"
}

// grant asks a token endpoint.
func (c *Client) grant(ctx context.Context, cloud Cloud, app App, tenant string, v1 bool, form url.Values, how conduct) (*Grant, error) {
	if err := cloud.Check(); err != nil {
		return nil, err
	}
	if err := checkTenant(tenant); err != nil {
		return nil, err
	}
	if app.Credential == nil {
		return nil, problem.New(problem.Usage, "the app has no credential")
	}
	endpoint, now := cloud.TokenEndpoint(tenant, v1), c.o.Now()
	if err := app.Credential.Apply(ctx, form, endpoint, app.ClientID, now); err != nil {
		return nil, err
	}
	req, err := runtime.NewRequest(ctx, http.MethodPost, endpoint)
	if err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the token endpoint's address cannot be")
	}
	if err := req.SetBody(streaming.NopCloser(strings.NewReader(form.Encode())), "application/x-www-form-urlencoded"); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the token request could not be written")
	}
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("client-request-id", token.GUID())
	how.tenant, how.kind, how.pace = tenant, "token", paceLogin
	res, err := c.send(req, how)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if p, ok := errors.AsType[*problem.Error](err); ok && errors.Is(p, problem.Usage) {
			return nil, p
		}
		return nil, newTokenError(&TokenError{Err: "no answer", Transient: true, way: onTheWay(err)})
	}
	if res.status != http.StatusOK {
		return nil, readTokenError(res)
	}
	g, ok := readGrant(res.body)
	if !ok {
		return nil, newTokenError(&TokenError{Status: res.status, Err: "unreadable answer", Transient: true,
			way: "what came is not the answer of a token endpoint"})
	}
	g.At = now
	g.Expires = now.Add(g.life)
	return &g.Grant, nil
}

// Bounds of what a token endpoint answers.
const (
	maxTokenText = 64 << 10
	maxScopes    = 1000
	maxLife      = 48 * time.Hour
)

type reply struct {
	Grant
	life time.Duration
}

// readGrant reads a successful answer of either version: v1 writes its numbers
// as text (contracts.md section 4.2).
func readGrant(body []byte) (*reply, bool) {
	var in struct {
		Type    string `json:"token_type"`
		Scope   string `json:"scope"`
		Expires number `json:"expires_in"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
	}
	if json.Unmarshal(body, &in) != nil || !strings.EqualFold(in.Type, "Bearer") || !isToken(in.Access) {
		return nil, false
	}
	if in.Refresh != "" && !isToken(in.Refresh) || in.ID != "" && !isToken(in.ID) {
		return nil, false
	}
	scopes := strings.Fields(in.Scope)
	if len(scopes) > maxScopes || in.Expires < 0 {
		return nil, false
	}
	out := &reply{life: min(time.Duration(min(int64(in.Expires), int64(maxLife/time.Second)))*time.Second, maxLife)}
	out.Access, out.Refresh, out.ID, out.Scope = secret.New(in.Access), secret.New(in.Refresh), secret.New(in.ID), slices.Clip(scopes)
	return out, true
}

// isToken holds a token to what may stand in a header and a form.
func isToken(s string) bool {
	return s != "" && len(s) <= maxTokenText && !strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r >= 0x7f })
}

// number is a whole number that may come as text.
type number int64

// UnmarshalJSON takes 3599, "3599" and 3599.0; null and "" are 0.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != v || v > 1<<53 || v < -(1<<53) {
		return errors.New("not a number")
	}
	*n = number(v)
	return nil
}
