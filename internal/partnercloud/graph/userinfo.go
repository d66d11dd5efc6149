package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// userInfo answers OpenID Connect's UserInfo at /oidc/userinfo, by GET and POST: the
// claims about the user of the token, as far as its scopes go (openid, profile,
// email). sub is the id token's.
//
// Source: Microsoft identity platform, "UserInfo endpoint"; OpenID Connect Core 5.3.
func (c *call) userInfo() (*reply, error) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodPost {
		return nil, refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	c.route = &route{method: c.r.Method}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if c.caller.AppOnly() || !slices.ContainsFunc(words("openid profile email"), c.caller.HasScope) {
		return nil, denied()
	}
	if err := c.readQuery(); err != nil {
		return nil, err
	}
	var out object
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		if t == nil {
			return unauthorized("the tenant of the token does not exist here")
		}
		u, _ := c.user(s, t)
		if u == nil {
			return refuse(http.StatusForbidden, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
		}
		// The id token's sub, not the access token's: clients compare.
		home, id := c.caller.Tenant, u.ID
		switch {
		case c.caller.AOBO:
			home = c.caller.HomeTenant
		case u.HomeTenant != "" && u.HomeUser != "":
			home, id = u.HomeTenant, u.HomeUser
		}
		out = object{{"sub", bearer.Pairwise(home, id, c.caller.Client())}}
		put := func(name, value string) {
			if value != "" {
				out = append(out, member{name, value})
			}
		}
		put("name", u.Name)
		put("family_name", u.Surname)
		put("given_name", u.Given)
		put("picture", c.base+"/v1.0/me/photo/$value")
		if c.caller.HasScope("email") {
			put("email", u.Mail)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rep, err := give(out)
	rep.call, rep.media = c, "application/json; charset=utf-8"
	return rep, err
}

// isUserInfo reports the path of the endpoint, which has no version.
func isUserInfo(r *http.Request) bool {
	return strings.EqualFold(strings.Trim(r.URL.Path, "/"), "oidc/userinfo")
}
