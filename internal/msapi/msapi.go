package msapi

import (
	"context"
	"net/url"
	"time"

	"partnerguard/internal/secret"
)

// Cloud says where a Microsoft cloud answers and what its resources are called
// (contracts.md sections 2.1, 3 and 4.1). Addresses have no trailing slash.
type Cloud struct {
	Name          string `json:"name"` // of partner.Clouds, or "partner-cloud"
	Authority     string `json:"authority"`
	Graph         string `json:"graph"`
	PartnerCenter string `json:"partnerCenter"`
	ARM           string `json:"arm"`
	// Resources name the audiences; for the local partner cloud they are the
	// production names while the addresses are its own.
	GraphResource         string `json:"graphResource"`
	PartnerCenterResource string `json:"partnerCenterResource"`
	ARMResource           string `json:"armResource"`
	// Issuers are the prefixes a token's issuer may have, e.g.
	// https://sts.windows.net/ and https://login.microsoftonline.com/.
	Issuers []string `json:"issuers"`
}

// CredentialKind says how an app proves itself to Entra ID.
type CredentialKind string

// The kinds, best first.
const (
	Certificate  CredentialKind = "certificate"
	Federated    CredentialKind = "federated"
	ClientSecret CredentialKind = "secret" // tolerated and flagged
	Public       CredentialKind = "none"   // a public client: token check --live only
)

// Credential adds an app's proof to a token request.
type Credential interface {
	Kind() CredentialKind
	// Expires is when it stops working; zero when it does not say.
	Expires() time.Time
	// Apply adds client_secret or client_assertion to form; endpoint is the
	// audience of an assertion, now its time.
	Apply(ctx context.Context, form url.Values, endpoint, clientID string, now time.Time) error
}

// App is a client registration with its credential.
type App struct {
	ClientID   string
	Credential Credential
}

// RefreshRequest asks for tokens with a refresh token.
type RefreshRequest struct {
	Cloud   Cloud
	App     App
	Tenant  string // in whose tenant: the partner's or a customer's, id or domain
	Refresh secret.Text
	Scope   string // v2 scopes, e.g. "https://graph.microsoft.com/.default offline_access"
	Claims  string // JSON of a claims request or challenge; optional
}

// Grant is a successful answer of a token endpoint.
type Grant struct {
	Access  secret.Text
	Refresh secret.Text // zero when none came
	ID      secret.Text // zero when none came
	Scope   []string
	Expires time.Time // of the access token, by our clock: asked + expires_in
	At      time.Time // when it was asked for
}

// Authority is what features need of Entra ID; [Client] meets it.
type Authority interface {
	Refresh(context.Context, RefreshRequest) (*Grant, error)
}
