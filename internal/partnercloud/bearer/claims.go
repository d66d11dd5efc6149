package bearer

import (
	"encoding/json"
	"slices"
	"strings"
)

// MarkClaim is in every token, so that none can be mistaken for one of production.
const MarkClaim = "xpc"

// Mark is its value.
const Mark = "partner cloud: local, not Microsoft"

// Claims are the claims of an access or ID token (contracts.md section 4.4).
// Empty ones are left out. Times are seconds since 1970.
type Claims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Version   string `json:"ver"` // "1.0" or "2.0"
	TenantID  string `json:"tid"`
	ObjectID  string `json:"oid,omitempty"`
	Subject   string `json:"sub"`

	ACR  string   `json:"acr,omitempty"`  // v1: "0" or "1"
	AMR  []string `json:"amr,omitempty"`  // v1 access tokens; optional in v2
	ACRs []string `json:"acrs,omitempty"` // authentication contexts

	AppID      string   `json:"appid,omitempty"`    // v1
	AppIDACR   string   `json:"appidacr,omitempty"` // v1: 0 public, 1 secret, 2 certificate
	AZP        string   `json:"azp,omitempty"`      // v2
	AZPACR     string   `json:"azpacr,omitempty"`   // v2
	AppName    string   `json:"app_displayname,omitempty"`
	Scope      string   `json:"scp,omitempty"` // delegated, space-joined
	Roles      []string `json:"roles,omitempty"`
	Wids       []string `json:"wids,omitempty"`  // role template ids
	IDType     string   `json:"idtyp,omitempty"` // "app" or "user"
	IDP        string   `json:"idp,omitempty"`
	SID        string   `json:"sid,omitempty"`
	UTI        string   `json:"uti,omitempty"`
	UPN        string   `json:"upn,omitempty"`
	UniqueName string   `json:"unique_name,omitempty"`
	Preferred  string   `json:"preferred_username,omitempty"`
	Name       string   `json:"name,omitempty"`
	Given      string   `json:"given_name,omitempty"`
	Family     string   `json:"family_name,omitempty"`
	Email      string   `json:"email,omitempty"`
	IPAddr     string   `json:"ipaddr,omitempty"`
	Nonce      string   `json:"nonce,omitempty"`
	AuthTime   int64    `json:"auth_time,omitempty"`
	Region     string   `json:"tenant_region_scope,omitempty"`
	CC         []string `json:"xms_cc,omitempty"` // client capabilities: cp1
	SSM        string   `json:"xms_ssm,omitempty"`
	CHash      string   `json:"c_hash,omitempty"`
	ATHash     string   `json:"at_hash,omitempty"`
	LoginHint  string   `json:"login_hint,omitempty"`

	// By the registration's wish (optionalClaims, groupMembershipClaims).
	Groups  []string          `json:"groups,omitempty"` // object ids
	Account *int              `json:"acct,omitempty"`   // 0 member, 1 guest
	Verify  []string          `json:"verified_primary_email,omitempty"`
	Country string            `json:"ctry,omitempty"`
	Where   map[string]string `json:"_claim_names,omitempty"` // what is too long for a token, and where it lies
	Places  map[string]Place  `json:"_claim_sources,omitempty"`

	// ForClient is in tokens for Graph: who the user is to the client, so that the
	// userinfo endpoint says the sub of the client's ID tokens.
	ForClient *ForClient `json:"xms_st,omitempty"`

	// HomeTenant is the home of a delegated administrator in a customer's tenant.
	// The claim is ours.
	HomeTenant string `json:"xpc_home,omitempty"`
	// Delegation is how a delegated administrator came to rights: "gdap" or "dap".
	// The claim is ours.
	Delegation string `json:"xpc_delegation,omitempty"`
	// Issued is the moment of issue in nanoseconds: iat has whole seconds, and a
	// revocation may fall into one. The claim is ours.
	Issued   int64  `json:"xpc_iat,omitempty"`
	MarkText string `json:"xpc"`
}

// Place is where a claim lies that is too long for a token.
type Place struct {
	Endpoint string `json:"endpoint"`
}

// ForClient is the claim xms_st.
type ForClient struct {
	Subject string `json:"sub"`
}

// Client is the app the token was issued to, whatever the version.
func (c *Claims) Client() string {
	if c.AppID != "" {
		return c.AppID
	}
	return c.AZP
}

// AppOnly reports a token without a user.
func (c *Claims) AppOnly() bool { return c.Scope == "" && c.UPN == "" && c.IDType != "user" }

// HasMFA reports the MFA claim: a whole element of amr.
func (c *Claims) HasMFA() bool { return slices.Contains(c.AMR, "mfa") }

// Scopes lists the delegated scopes.
func (c *Claims) Scopes() []string { return strings.Fields(c.Scope) }

// HasScope reports a delegated scope, without case.
func (c *Claims) HasScope(v string) bool {
	return slices.ContainsFunc(c.Scopes(), func(s string) bool { return strings.EqualFold(s, v) })
}

// HasRole reports an application permission, without case.
func (c *Claims) HasRole(v string) bool {
	return slices.ContainsFunc(c.Roles, func(s string) bool { return strings.EqualFold(s, v) })
}

// CAE reports a client that said it can answer claims challenges.
func (c *Claims) CAE() bool { return slices.Contains(c.CC, "cp1") || slices.Contains(c.CC, "CP1") }

func (c *Claims) encode() ([]byte, error) {
	c.MarkText = Mark
	return json.Marshal(c)
}
