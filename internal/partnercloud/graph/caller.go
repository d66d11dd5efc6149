package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// permit is what an operation asks of its caller (contracts.md sections 3.0, 8.3).
type permit struct {
	// scopes are the delegated permissions any of which suffices; apps the
	// application permissions, the same when nil. "-" alone forbids.
	scopes, apps []string
	// also must be held besides: one of each list.
	also [][]string
	// roles are directory roles any of which a delegated caller must have at this
	// moment; nil: none. Global Administrator always suffices.
	roles []string
	// own lets a user do it to the own account, whatever the roles, with these
	// scopes too.
	own []string
	// partner limits an operation to the partner tenant; gdap adds the rules of
	// delegated admin relationships.
	partner, gdap bool
	custom        func(c *call, s *world.State, t *world.Tenant) error
	licence       string // what the tenant needs; custom asks for it
}

func words(s string) []string { return strings.Fields(s) }

// with adds roles.
func (p permit) with(roles ...string) permit { p.roles = roles; return p }

// by adds roles that come together, and more.
func (p permit) by(list []string, more ...string) permit { return p.with(slices.Concat(list, more)...) }

// and adds permissions that must be held besides.
func (p permit) and(list string) permit {
	p.also = append(slices.Clone(p.also), words(list))
	return p
}

// orOwn lets users do it to themselves.
func (p permit) orOwn(scopes string) permit { p.own = words(scopes); return p }

// or adds permissions that suffice as well.
func (p permit) or(list string) permit {
	p.scopes = append(slices.Clone(p.scopes), words(list)...)
	return p
}

// byApps names other permissions for apps.
func (p permit) byApps(list string) permit { p.apps = words(list); return p }

// forPartner limits an operation to the partner tenant.
func (p permit) forPartner() permit { p.partner = true; return p }

// forGDAP adds the rules of delegated admin relationships.
func (p permit) forGDAP() permit { p.gdap = true; return p }

// when adds a rule of its own.
func (p permit) when(rule func(c *call, s *world.State, t *world.Tenant) error) permit {
	p.custom = rule
	return p
}

// licensed adds a licence that the tenant needs, and the rule that asks for it.
func (p permit) licensed(licence string, rule func(c *call, s *world.State, t *world.Tenant) error) permit {
	p.licence = licence
	return p.when(rule)
}

// allow is a permit by permissions, the same for users and apps.
func allow(list string) permit { return permit{scopes: words(list)} }

func (c *call) authenticate() error {
	r := c.r
	if c.part {
		r = c.r.Clone(c.r.Context())
		r.Header.Set("Authorization", c.auth)
	}
	caller, fault := c.g.api.Authenticate(r)
	if fault != nil {
		return c.fault(fault)
	}
	c.caller = caller
	return nil
}

// user finds the account behind a delegated token and the tenant it is in.
func (c *call) user(s *world.State, t *world.Tenant) (*world.User, *world.Tenant) {
	home := t
	if c.caller.AOBO {
		if home = s.Tenant(c.caller.HomeTenant); home == nil {
			return nil, nil
		}
	}
	return home.Users.Get(c.caller.ObjectID), home
}

// self reports that the path's user is the caller.
func (c *call) self(t *world.Tenant) bool {
	if c.caller.AppOnly() || c.caller.AOBO || len(c.params) == 0 || !strings.EqualFold(c.route.parts[0], "users") {
		return false
	}
	if strings.EqualFold(c.params[0], "me") {
		return true
	}
	u := t.UserByName(c.params[0])
	return u != nil && strings.EqualFold(u.ID, c.caller.ObjectID)
}

func (c *call) holds(list []string) bool {
	has := c.caller.HasScope
	if c.caller.AppOnly() {
		has = c.caller.HasRole
	}
	return slices.ContainsFunc(list, has)
}

// hasRole reports a role of this moment. Apps have none.
func (c *call) hasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.roles, r) }) || slices.Contains(c.roles, entra.RoleGlobalAdministrator)
}

// permit checks permissions of the token and rights of this moment.
func (c *call) permit(s *world.State, t *world.Tenant) error {
	p := &c.route.permit
	self := c.self(t)
	list := p.scopes
	if c.caller.AppOnly() && p.apps != nil {
		list = p.apps
	}
	ok := c.holds(list) || self && c.holds(p.own)
	for _, more := range p.also {
		ok = ok && c.holds(more)
	}
	if !ok {
		return denied()
	}
	if p.partner && t.Kind != world.PartnerTenant {
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The tenant is not a partner tenant.")
	}
	if c.caller.AppOnly() {
		if p.gdap {
			if sp := t.SP(entra.AppGDAP); sp == nil || !sp.Enabled {
				return refuse(http.StatusForbidden, "Authorization_RequestDenied",
					"The service principal of Partner Customer Delegated Administration is missing in the tenant.")
			}
		}
		if p.custom != nil {
			return p.custom(c, s, t)
		}
		return nil
	}
	u, _ := c.user(s, t)
	if u == nil {
		return refuse(http.StatusForbidden, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
	}
	if c.caller.AOBO {
		d, ok := s.Delegated(u, t)
		if !ok {
			return denied()
		}
		c.roles = d.Roles
	} else {
		c.roles = t.RolesOf(u.ID, c.now)
		c.roles = append(c.roles, c.scopedRoles(t, u.ID)...)
		if u.Guest && len(c.roles) == 0 && !self {
			return denied()
		}
	}
	if p.gdap {
		if err := c.adminAgent(t, u); err != nil {
			return err
		}
	}
	if p.roles != nil && !(self && p.own != nil) && !c.hasRole(p.roles...) {
		return denied()
	}
	if p.custom != nil {
		return p.custom(c, s, t)
	}
	return nil
}

// adminAgent are the rules of delegated admin relationships: an admin agent of
// the partner, signed in with MFA (contracts.md section 3.11).
func (c *call) adminAgent(t *world.Tenant, u *world.User) error {
	if c.caller.AOBO || !t.InGroup(u.ID, world.AdminAgents) {
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The principal lacks permissions: it is not an admin agent of the partner.")
	}
	if !c.caller.HasMFA() {
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The principal lacks permissions: its token carries no multifactor authentication.")
	}
	return nil
}
