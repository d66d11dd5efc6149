package oauth

import (
	"fmt"
	"net/http"
	"strings"
)

// Fault is a refusal with its AADSTS code (contracts.md sections 3.2, 4.2). Text
// is shown to clients and never holds a secret.
type Fault struct {
	Code   int    // AADSTS number
	Word   string // the error member
	Status int    // of a JSON answer
	Text   string // without the AADSTS prefix
	Sub    string // suberror
	Claims string // to be replayed to the authorization endpoint
}

func (f *Fault) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.Code, f.Text) }

// Refuse makes the fault of a code with its usual words. Arguments fill the
// text's verbs; a code that is not in the table is an invalid request.
func Refuse(code int, args ...any) *Fault {
	k, ok := kindOf(code)
	if !ok {
		k = kind{word: "invalid_request", text: "The request cannot be served."}
	}
	f := &Fault{Code: code, Word: k.word, Status: http.StatusBadRequest, Text: k.text, Sub: k.sub}
	if k.status != 0 {
		f.Status = k.status
	}
	if len(args) > 0 {
		f.Text = fmt.Sprintf(k.text, args...)
	}
	return f
}

type kind struct {
	word   string
	text   string
	sub    string
	status int
}

const (
	invalidRequest = "invalid_request"
	invalidGrant   = "invalid_grant"
	invalidClient  = "invalid_client"
	unauthorized   = "unauthorized_client"
	interaction    = "interaction_required"
	invalidScope   = "invalid_scope"
	invalidTarget  = "invalid_resource"
)

// kindOf is the table of the codes that the authority uses.
func kindOf(code int) (kind, bool) {
	k, ok := map[int]kind{
		// The request.
		90014:   {word: invalidRequest, text: "The required field '%s' is missing from the request. Ensure that you have all the necessary parameters for the login request."},
		900144:  {word: invalidRequest, text: "The request body must contain the following parameter: '%s'."},
		900561:  {word: invalidRequest, text: "The endpoint only accepts %s requests. Received a %s request."},
		9000411: {word: invalidRequest, text: "The request is not properly formatted. The parameter '%s' is duplicated."},
		9002313: {word: invalidRequest, text: "Invalid request. Request is malformed or invalid."},
		90023:   {word: invalidRequest, text: "The request is too large."},
		70003:   {word: "unsupported_grant_type", text: "The app requested an unsupported grant type '%s'."},
		700054:  {word: "unsupported_response_type", text: "response_type '%s' is not enabled for the application."},
		70007:   {word: "unsupported_response_mode", text: "The response mode '%s' is not supported for this request."},
		90002:   {word: invalidRequest, text: "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. This cloud is local and holds only its own tenants."},
		900023:  {word: invalidRequest, text: "Specified tenant identifier '%s' is neither a valid DNS name, nor a valid external domain."},
		9001023: {word: invalidRequest, text: "The grant type is not supported over the /common or /consumers endpoints. Use the /organizations or tenant-specific endpoint."},
		50059:   {word: invalidRequest, text: "No tenant-identifying information found in either the request or implied by any provided credentials."},
		9002331: {word: invalidRequest, text: "Application is configured for use by personal accounts only, and this cloud has none: use a tenant, /organizations or /common."},
		// The client.
		700016:  {word: unauthorized, text: "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."},
		50194:   {word: invalidRequest, text: "Application '%s' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps: use a tenant-specific endpoint or configure the application to be multi-tenant."},
		50011:   {word: invalidRequest, text: "The redirect URI specified in the request does not match the redirect URIs configured for the application '%s'."},
		7000215: {word: invalidClient, status: 401, text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'."},
		7000222: {word: invalidClient, status: 401, text: "The provided client secret keys or certificates for app '%s' are expired. Create new keys for your app."},
		7000218: {word: invalidClient, status: 401, text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
		700025:  {word: invalidClient, status: 401, text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."},
		700027:  {word: invalidClient, status: 401, text: "The certificate with identifier used to sign the client assertion is not registered on application, or its signature is wrong."},
		700021:  {word: invalidClient, status: 401, text: "Client assertion application identifier doesn't match 'client_id' parameter."},
		700023:  {word: invalidClient, status: 401, text: "Client assertion audience claim does not match the token endpoint that was asked."},
		700024:  {word: invalidClient, status: 401, text: "Client assertion is not within its valid time range."},
		50012:   {word: invalidClient, status: 401, text: "Client assertion contains an invalid signature, is malformed, or re-uses the identifier of another assertion."},
		700211:  {word: invalidClient, status: 401, text: "No matching federated identity record found for presented assertion issuer."},
		700212:  {word: invalidClient, status: 401, text: "No matching federated identity record found for presented assertion audience."},
		700213:  {word: invalidClient, status: 401, text: "No matching federated identity record found for presented assertion subject."},
		7000229: {word: unauthorized, text: "The client application '%s' is missing service principal in the tenant '%s'."},
		7000112: {word: unauthorized, text: "Application '%s' is disabled."},
		70002:   {word: invalidClient, status: 401, text: "The client may not use this grant: it is not marked as a public client, and no credential was presented."},
		9002326: {word: invalidRequest, text: "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."},
		9002327: {word: invalidRequest, text: "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."},
		50105:   {word: interaction, text: "The signed in user is not assigned to a role for the application '%s'."},
		// Scope and resource.
		70011:  {word: invalidScope, text: "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid: %s."},
		28000:  {word: invalidRequest, text: "Provided value for the input parameter scope is not valid because it contains more than one resource."},
		500011: {word: invalidTarget, text: "The resource principal named %s was not found in the tenant named %s."},
		650057: {word: invalidTarget, text: "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: %s. Resource value from request: %s."},
		65001:  {word: invalidGrant, sub: "consent_required", text: "The user or administrator has not consented to use the application with ID '%s'. Send an interactive authorization request for this user and resource."},
		65004:  {word: "access_denied", text: "User declined to consent to access the app."},
		90094:  {word: "access_denied", text: "An administrator must grant the permissions that the application '%s' asks for."},
		90099:  {word: invalidGrant, sub: "consent_required", text: "The application '%s' has not been authorized in the tenant '%s'. Applications must be authorized to access the customer tenant before partner delegated administrators can use them."},
		// Codes and grants.
		50147:   {word: invalidRequest, text: "The code challenge is missing, has the wrong size, or has a method other than S256. Proof Key for Code Exchange is required for this client."},
		50148:   {word: invalidGrant, text: "The code_verifier is missing, or was sent for a code that was asked for without a code_challenge."},
		501481:  {word: invalidGrant, text: "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
		70000:   {word: invalidGrant, text: "Provided grant is invalid or malformed."},
		70008:   {word: invalidGrant, text: "The provided authorization code or refresh token has expired. Send a new interactive authorization request for this user and resource."},
		54005:   {word: invalidGrant, text: "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
		700005:  {word: invalidGrant, text: "The provided grant was issued to another client or tenant."},
		500112:  {word: invalidClient, text: "The reply address does not match the reply address provided when requesting Authorization code."},
		700082:  {word: invalidGrant, sub: "token_expired", text: "The refresh token has expired due to inactivity. The token was issued on %s and was inactive for 90.00:00:00."},
		700084:  {word: invalidGrant, sub: "token_expired", text: "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired. The token was issued on %s."},
		70043:   {word: invalidGrant, sub: "token_expired", text: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on %s and the maximum allowed lifetime for this request is %d."},
		50173:   {word: invalidGrant, sub: "bad_token", text: "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '%s' and the TokensValidFrom date for this user is '%s'."},
		50013:   {word: invalidGrant, text: "Assertion failed signature validation, is malformed, or is not a token of this cloud."},
		500131:  {word: invalidGrant, text: "Assertion audience does not match the Client app presenting the assertion."},
		500133:  {word: invalidGrant, text: "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion."},
		7000114: {word: invalidGrant, text: "Application is not allowed to make application on-behalf-of calls: the assertion is not a user's token."},
		70016:   {word: "authorization_pending", text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
		70017:   {word: "slow_down", text: "OAuth 2.0 device flow error. Polling too fast: wait %d seconds between requests."},
		70018:   {word: "bad_verification_code", text: "Verification code is not valid or was used already."},
		70019:   {word: "expired_token", text: "Verification code expired."},
		70020:   {word: "authorization_declined", text: "The user declined the authorization request."},
		// The account and its sign-in.
		50034:   {word: invalidGrant, text: "The user account does not exist in the %s directory. To sign into this application, the account must be added to the directory."},
		50020:   {word: invalidGrant, text: "User account '%s' from identity provider '%s' does not exist in tenant '%s' and cannot access the application '%s' in that tenant. The account needs to be added as an external user in the tenant first."},
		50177:   {word: invalidGrant, text: "User account '%s' from identity provider '%s' cannot be passed through to tenant '%s': it is a guest there and holds no delegated administration rights."},
		50126:   {word: invalidGrant, text: "Error validating credentials due to invalid username or password."},
		50053:   {word: invalidGrant, text: "The account is locked because of too many attempts with an incorrect user ID, password or code. Try again later."},
		50055:   {word: invalidGrant, sub: "user_password_expired", text: "The password is expired."},
		50057:   {word: invalidGrant, text: "The user account is disabled."},
		50058:   {word: "login_required", text: "A silent sign-in request was sent but no user is signed in."},
		50072:   {word: interaction, sub: "basic_action", text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '%s'."},
		50074:   {word: interaction, sub: "basic_action", text: "Strong authentication is required."},
		50076:   {word: interaction, sub: "basic_action", text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '%s'."},
		50078:   {word: interaction, sub: "basic_action", text: "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '%s'."},
		50079:   {word: interaction, sub: "basic_action", text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '%s'."},
		50140:   {word: interaction, text: "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."},
		50158:   {word: interaction, sub: "basic_action", text: "External security challenge not satisfied. The user is redirected to another page or authentication provider to satisfy additional authentication challenges."},
		50161:   {word: invalidGrant, text: "Failed to validate authorization url of external claims provider, or a claim of its answer: %s."},
		500121:  {word: interaction, text: "Authentication failed during strong authentication request."},
		5001256: {word: invalidGrant, text: "Failed to complete authentication with external provider due to invalid id_token: %s."},
		900491:  {word: invalidGrant, text: "The service principal of the external MFA provider '%s' was not found in the tenant '%s'. An administrator must consent to it first."},
		53000:   {word: interaction, sub: "message_only", text: "Device is not in required device state: compliant."},
		53001:   {word: interaction, sub: "message_only", text: "Device is not in required device state: domain_joined."},
		53002:   {word: interaction, sub: "message_only", text: "The app used is not an approved app for Conditional Access."},
		53003:   {word: interaction, sub: "message_only", text: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
		53004:   {word: interaction, sub: "message_only", text: "The user needs to complete multi-factor authentication registration, and policy does not allow it here."},
		530035:  {word: "access_denied", sub: "message_only", text: "Access has been blocked by security defaults."},
		5000224: {word: invalidGrant, text: "The tenant is blocked."},
		90051:   {word: invalidRequest, text: "The sign-in page has expired, or belongs to another browser. Start again from the app."},
	}[code]
	return k, ok
}

// Meaning is a code's text without a request's particulars; "" when it is not known.
func Meaning(code int) string {
	k, ok := kindOf(code)
	if !ok {
		return ""
	}
	return strings.NewReplacer("'%s'", "…", "%s", "…", "%d", "…").Replace(k.text)
}
