package graph

import (
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// defaultsID is the id of the security defaults policy (K).

const defaultsPath = "policies/identitySecurityDefaultsEnforcementPolicy"

func newDefaultsShape() *shape {
	return newShape("identitySecurityDefaultsEnforcementPolicy", func(any) string { return entra.SecurityDefaults },
		f("id", func(bool) any { return entra.SecurityDefaults }),
		f("deletedDateTime", func(bool) any { return nil }),
		f("displayName", func(bool) any { return "Security Defaults" }),
		f("description", func(bool) any {
			return "Basic identity security for everybody in the organization: registration for multifactor authentication, " +
				"multifactor authentication for administrators, and no legacy authentication."
		}),
		f("isEnabled", func(on bool) any { return on }),
	)
}

func getDefaults(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.one(t, defaultsPath+"!", c.g.sh.defaults, t.SecurityDefaults)
}

func changeDefaults(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := (fields{"isEnabled": flag().need(), "id": readOnly(), "displayName": readOnly(), "description": readOnly()}).check("", c.in); err != nil {
		return nil, err
	}
	on := truth(c.in, "isEnabled")
	if !given(c.in, "isEnabled") {
		return nil, badRequest("The body must hold isEnabled.")
	}
	if on {
		for d := range t.Policies.All() {
			if str(decodeObject(d.Raw), "state") == "enabled" {
				return nil, badRequest("Security defaults cannot be enabled: the Conditional Access policy '%s' is enabled.",
					clip(str(decodeObject(d.Raw), "displayName")))
			}
		}
	}
	ch := change{activity: "Update security defaults", category: "Policy", target: target("Policy", entra.SecurityDefaults, "Security Defaults")}
	ch.changed("IsEnabled", t.SecurityDefaults, on)
	t.SecurityDefaults = on
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}
