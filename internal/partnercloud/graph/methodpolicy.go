package graph

import (
	"encoding/json"
	"slices"

	"partnerguard/internal/partnercloud/world"
)

const (
	methodsPath = "policies/authenticationMethodsPolicy"
	configsPath = methodsPath + "/authenticationMethodConfigurations"
)

func newMethodsPolicyShape() *shape {
	return documentShape("authenticationMethodsPolicy", nil, words(`id displayName description lastModifiedDateTime policyVersion reconfirmationInDays
		policyMigrationState registrationEnforcement`)...)
}

func newConfigShape() *shape {
	return documentShape("authenticationMethodConfiguration", configKind, words(`id state displayName appId openIdConnectSetting excludeTargets
		isSelfServiceRegistrationAllowed isAttestationEnforced keyRestrictions isSoftwareOathEnabled featureSettings defaultLifetimeInMinutes defaultLength
		minimumLifetimeInMinutes maximumLifetimeInMinutes isUsableOnce allowExternalIdToUseEmailOtp isOfficePhoneAllowed`)...)
}

// includeTargets is a navigation property that is always given.
func (c *call) withTargets(d *document) *entity {
	e := c.entity(c.g.sh.config, d)
	v := d.all["includeTargets"]
	if len(v) == 0 {
		v = json.RawMessage("[]")
	}
	e.extra = object{{"includeTargets", v}}
	return e
}

func (c *call) configs(t *world.Tenant) []any {
	out := []any{}
	for d := range t.MethodConfigs.All() {
		if doc, ok := c.shownConfig(d); ok {
			out = append(out, c.withTargets(doc))
		}
	}
	return out
}

func getMethodsPolicy(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	m := decodeObject(t.MethodsPolicy.Raw)
	base := map[string]any{
		"id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy",
		"description":          "The tenant-wide policy that controls which authentication methods are allowed",
		"lastModifiedDateTime": world.Stamp{Time: later(t.MethodsPolicy.Changed, later(t.MethodsPolicy.Created, t.Created))},
		"policyVersion":        "1.5", "policyMigrationState": "migrationComplete",
		"registrationEnforcement": map[string]any{"authenticationMethodsRegistrationCampaign": map[string]any{
			"snoozeDurationInDays": 1, "state": "default", "excludeTargets": []any{},
			"includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}},
		}},
	}
	m = merge(base, m)
	delete(m, "authenticationMethodConfigurations")
	if campaign := inner(inner(m, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign"); !c.beta && campaign != nil {
		delete(campaign, "enforceRegistrationAfterAllowedSnoozes") // of beta alone
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	e := c.entity(c.g.sh.methods, newDocument("authenticationMethodsPolicy", raw))
	if c.selection() == nil || slices.Contains(c.selection(), "authenticationMethodConfigurations") {
		e.extra = object{{"authenticationMethodConfigurations", c.configs(t)}}
		c.q.Select = slices.DeleteFunc(slices.Clone(c.q.Select), func(n string) bool { return n == "authenticationMethodConfigurations" })
	}
	return c.one(t, methodsPath+"!", c.g.sh.methods, e)
}

func methodsPolicyFields() fields {
	return fields{
		"id": anything(), "displayName": readOnly(), "description": readOnly(), "lastModifiedDateTime": readOnly(), "policyVersion": readOnly(),
		"reconfirmationInDays": readOnly(),
		"policyMigrationState": enum("preMigration migrationInProgress migrationComplete"),
		"registrationEnforcement": obj(fields{"authenticationMethodsRegistrationCampaign": obj(fields{
			"snoozeDurationInDays": number(), "state": enum("default enabled disabled"),
			"includeTargets": list(obj(fields{"id": text().need(), "targetType": enum("user group").need(), "targetedAuthenticationMethod": text()})),
			"excludeTargets": targetsSpec(),
		})}),
	}
}

func changeMethodsPolicy(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := methodsPolicyFields().check("", c.in); err != nil {
		return nil, err
	}
	old := t.MethodsPolicy.Raw
	raw, err := json.Marshal(merge(decodeObject(old), c.in))
	if err != nil {
		return nil, err
	}
	t.MethodsPolicy.ID, t.MethodsPolicy.Raw, t.MethodsPolicy.Changed = "authenticationMethodsPolicy", raw, c.now
	s.Touch(t)
	c.auditMethods(s, t, "Update", target("Policy", "authenticationMethodsPolicy", ""), world.Modified{
		Name: "AuthenticationMethodsPolicy", Old: string(old), New: string(raw),
	})
	return noContent()
}

func (c *call) auditMethods(s *world.State, t *world.Tenant, operation string, of world.AuditTarget, props ...world.Modified) {
	c.audit(s, t, change{
		activity: "Authentication Methods Policy Update", category: "ApplicationManagement", operation: operation, service: "Authentication Methods",
		target: of, props: props,
	})
}
