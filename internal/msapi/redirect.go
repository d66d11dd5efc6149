package msapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// TakesRedirect says whether an app has redirect among its redirect URIs, by asking
// the authorization endpoint for a sign-in that shows nothing (prompt=none): an
// answer is only ever sent to an address that is registered, everything else is told
// on a page (OpenID Connect Core 3.1.2.2; AADSTS50011). Nobody signs in by it.
//
// Kind problem.NotFound says that the tenant has no such app, problem.Unavailable that
// the answer is neither: nothing is known then.
func (c *Client) TakesRedirect(ctx context.Context, cloud Cloud, tenant, clientID, redirect string) (bool, error) {
	address, err := c.AuthorizeURL(AuthorizeRequest{Cloud: cloud, Tenant: tenant, ClientID: clientID, Redirect: redirect, Scope: "openid",
		State: token.State(), Challenge: token.Challenge(token.Verifier()), Mode: "query", Prompt: "none"})
	if err != nil {
		return false, err
	}
	req, err := runtime.NewRequest(ctx, http.MethodGet, address)
	if err != nil {
		return false, problem.Wrap(err, problem.BadInput, "the address of the sign-in cannot be")
	}
	req.Raw().Header.Set("Accept", "text/html")
	res, err := c.send(req, conduct{what: "redirect", tenant: tenant, kind: "meta", pace: paceLogin, again: true})
	unseen := func(why string) (bool, error) {
		return false, problem.Wrap(err, problem.Unavailable, "whether the app takes %s as its redirect address could not be seen: %s", redirect, why)
	}
	says := func(code int) bool { return strings.Contains(string(res.body), "AADSTS"+strconv.Itoa(code)) }
	switch {
	case err != nil:
		return unseen(onTheWay(err))
	case res.status >= 300 && res.status < 400 && strings.HasPrefix(res.header.Get("Location"), redirect+"?"):
		return true, nil
	case says(entra.CodeRedirectUnknown):
		return false, nil
	case says(entra.CodeAppNotFound):
		return false, problem.New(problem.NotFound, "the tenant %s has no app %s", tenant, clientID).WithHint("check the client id, and the app's own tenant")
	}
	return unseen("the sign-in page answered something else (HTTP " + strconv.Itoa(res.status) + ")")
}
