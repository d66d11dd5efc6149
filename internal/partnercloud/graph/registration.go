package graph

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// registered is one row of userRegistrationDetails.
type registered struct {
	user    *world.User
	admin   bool
	capable bool
	at      time.Time
}

const registrationPath = "reports/authenticationMethods/userRegistrationDetails"

// preferred is the method that the system would ask for.
func (x *registered) preferred() string {
	switch {
	case x.user.Method(world.MethodPush) != nil:
		return "push"
	case x.user.Method(world.MethodTOTP) != nil, x.user.Method(world.MethodHardware) != nil:
		return "oath"
	case x.user.Method(world.MethodPhone) != nil:
		return "sms"
	}
	return "none"
}

// second reports a method that is a second factor.
func (x *registered) second() bool { return len(signon.Possible(nil, x.user)) > 0 }

func newRegistrationShape() *shape {
	type r = *registered
	return newShape("userRegistrationDetails", func(x any) string { return x.(r).user.ID },
		f("id", func(x r) any { return x.user.ID }),
		f("userPrincipalName", func(x r) any { return x.user.UPN }),
		f("userDisplayName", func(x r) any { return x.user.Name }),
		f("userType", func(x r) any {
			if x.user.Guest {
				return "guest"
			}
			return "member"
		}),
		f("isAdmin", func(x r) any { return x.admin }),
		f("isSsprRegistered", func(x r) any { return x.second() }),
		f("isSsprEnabled", func(r) any { return false }),
		f("isSsprCapable", func(r) any { return false }),
		f("isMfaRegistered", func(x r) any { return x.second() }),
		f("isMfaCapable", func(x r) any { return x.capable }),
		f("isPasswordlessCapable", func(x r) any {
			return x.user.Method(world.MethodFIDO2) != nil || x.user.Method(world.MethodHello) != nil
		}),
		f("lastUpdatedDateTime", func(x r) any { return x.at }),
		f("methodsRegistered", func(x r) any {
			out := orEmpty(x.user.Registered())
			if len(x.user.AppPasswords) > 0 {
				out = append(slices.Clone(out), "appPassword")
			}
			return out
		}),
		f("isSystemPreferredAuthenticationMethodEnabled", func(r) any { return true }),
		f("systemPreferredAuthenticationMethods", func(x r) any {
			if v := x.preferred(); v != "none" {
				return []string{v}
			}
			return []string{}
		}),
		f("userPreferredMethodForSecondaryAuthentication", func(x r) any { return x.preferred() }),
	)
}

func (c *call) registered(t *world.Tenant, admins map[string]bool, u *world.User) *registered {
	return &registered{user: u, admin: admins[strings.ToLower(u.ID)], capable: len(c.usable(t, u)) > 0, at: c.now.Truncate(24 * time.Hour)}
}

func listRegistrations(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	admins := adminsOf(t, c.now)
	all := rowsAs(&t.Users, func(u *world.User) any {
		if !u.Enabled { // disabled accounts are not in the report (K)
			return nil
		}
		return c.registered(t, admins, u)
	})
	return c.list(t, registrationPath, c.g.sh.registration, all)
}

func getRegistration(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	u := t.Users.Get(c.params[0])
	if u == nil || !u.Enabled {
		return nil, notFound(c.params[0])
	}
	return c.one(t, registrationPath, c.g.sh.registration, c.registered(t, adminsOf(t, c.now), u))
}

// adminsOf lists, by lower id, who holds or may activate a directory role.
func adminsOf(t *world.Tenant, now time.Time) map[string]bool {
	out := map[string]bool{}
	var add func(id string)
	add = func(id string) {
		k := strings.ToLower(id)
		if out[k] {
			return
		}
		out[k] = true
		if g := t.Groups.Get(id); g != nil {
			for _, m := range g.Members {
				add(m)
			}
		}
	}
	for _, table := range []*world.Table[world.RoleAssignment, *world.RoleAssignment]{&t.Held, &t.Eligible} {
		for a := range table.All() {
			if a.In(now) {
				add(a.Principal)
			}
		}
	}
	return out
}

// usable lists the registered methods that the methods policy allows.
func (c *call) usable(t *world.Tenant, u *world.User) []string {
	var out []string
	for _, m := range u.Methods {
		id := configOf(m)
		conf := t.MethodConfigs.Get(id)
		if conf == nil {
			out = append(out, m.Type)
			continue
		}
		if targeted(t, decodeObject(conf.Raw), u) {
			out = append(out, m.Type)
		}
	}
	return out
}

// configOf is the id of the configuration that allows a method.
func configOf(m world.Method) string {
	switch m.Type {
	case world.MethodTOTP:
		return "SoftwareOath"
	case world.MethodHardware:
		return "HardwareOath"
	case world.MethodFIDO2:
		return "Fido2"
	case world.MethodPush:
		return "MicrosoftAuthenticator"
	case world.MethodPhone:
		return "Sms"
	case world.MethodAltPhone, world.MethodOffice:
		return "Voice"
	case world.MethodEmail:
		return "Email"
	case world.MethodPass:
		return "TemporaryAccessPass"
	case world.MethodExternal:
		return m.Configuration
	}
	return "-"
}
