package msapi

import (
	"context"
	"net/url"
)

// AppRequest asks for a token of an app itself, without a person (the client
// credentials grant, contracts.md section 4.2).
type AppRequest struct {
	Cloud  Cloud
	App    App
	Tenant string // in whose tenant, id or domain: the app must have the permission there
	Scope  string // RESOURCE/.default
}

// AppToken asks for a token of an app itself. Errors are as [Client.Refresh] has them.
// No refresh token comes with it.
func (c *Client) AppToken(ctx context.Context, r AppRequest) (*Grant, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {r.App.ClientID}, "scope": {r.Scope}}
	return c.grant(ctx, r.Cloud, r.App, r.Tenant, false, form, conduct{what: "app token", again: true})
}
