package graph

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

const (
	methodsPath = "policies/authenticationMethodsPolicy"
	configsPath = methodsPath + "/authenticationMethodConfigurations"
)

func newMethodsPolicyShape() *shape {
	return documentShape("authenticationMethodsPolicy", nil, words(`id displayName description lastModifiedDateTime policyVersion reconfirmationInDays
		policyMigrationState registrationEnforcement microsoftAuthenticatorPlatformSettings reportSuspiciousActivitySettings
		systemCredentialPreferences`)...)
}

func newConfigShape() *shape {
	return documentShape("authenticationMethodConfiguration", configKind, words(`id state displayName appId openIdConnectSetting excludeTargets
		isSelfServiceRegistrationAllowed isAttestationEnforced keyRestrictions isSoftwareOathEnabled featureSettings defaultLifetimeInMinutes defaultLength
		minimumLifetimeInMinutes maximumLifetimeInMinutes isUsableOnce allowExternalIdToUseEmailOtp isOfficePhoneAllowed callerIdNumber
		defaultPasskeyProfile authenticationModeConfiguration certificateAuthorityScopes certificateUserBindings crlValidationConfiguration
		issuerHintsConfiguration pinLength standardQRCodeLifetimeInDays`)...)
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

// shownMethodsPolicy is the policy as Graph shows it, with its defaults.
func (c *call) shownMethodsPolicy(t *world.Tenant) *document {
	everybody := []any{map[string]any{"id": "all_users", "targetType": "group"}}
	base := map[string]any{
		"id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy",
		"description":          "The tenant-wide policy that controls which authentication methods are allowed",
		"lastModifiedDateTime": world.Stamp{Time: later(t.MethodsPolicy.Changed, later(t.MethodsPolicy.Created, t.Created))},
		"policyVersion":        "1.5", "policyMigrationState": "migrationComplete",
		"registrationEnforcement": map[string]any{"authenticationMethodsRegistrationCampaign": map[string]any{
			"snoozeDurationInDays": 1, "state": "default", "excludeTargets": []any{}, "enforceRegistrationAfterAllowedSnoozes": true,
			"includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}},
		}},
		"reportSuspiciousActivitySettings": map[string]any{
			"state": "default", "voiceReportingCode": 0, "includeTarget": map[string]any{"id": "all_users", "targetType": "group"},
		},
		"systemCredentialPreferences":            map[string]any{"state": "default", "includeTargets": everybody, "excludeTargets": []any{}},
		"microsoftAuthenticatorPlatformSettings": nil,
	}
	m := merge(base, decodeObject(t.MethodsPolicy.Raw))
	delete(m, "authenticationMethodConfigurations")
	if campaign := inner(inner(m, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign"); !c.beta && campaign != nil {
		delete(campaign, "enforceRegistrationAfterAllowedSnoozes") // of beta alone
	}
	return newDocument("authenticationMethodsPolicy", json.RawMessage(jsonText(m)))
}

func getMethodsPolicy(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	doc := c.shownMethodsPolicy(t)
	e := c.entity(c.g.sh.methods, doc)
	if out := doc.all["optOutSettings"]; c.beta && len(out) > 0 && c.selection() == nil { // not in the published schema
		e.extra = object{{"optOutSettings", out}}
	}
	if c.selection() == nil || slices.Contains(c.selection(), "authenticationMethodConfigurations") {
		e.extra = append(e.extra, member{"authenticationMethodConfigurations", c.configs(t)})
		c.q.Select = slices.DeleteFunc(slices.Clone(c.q.Select), func(n string) bool { return n == "authenticationMethodConfigurations" })
	}
	return c.one(t, methodsPath+"!", c.g.sh.methods, e)
}

func methodsPolicyFields(beta bool) fields {
	state := func() *spec { return enum("default enabled disabled") }
	campaign := fields{
		"snoozeDurationInDays": number(), "state": state(),
		"includeTargets": list(obj(fields{
			"id": text().need(), "targetType": enum("user group").need(), "targetedAuthenticationMethod": enum("microsoftAuthenticator fido2"),
		})).upTo(10),
		"excludeTargets": targetsSpec(),
	}
	fs := fields{
		"id": readOnly(), "displayName": readOnly(), "description": readOnly(), "lastModifiedDateTime": readOnly(), "policyVersion": readOnly(),
		"reconfirmationInDays": readOnly(), "authenticationMethodConfigurations": readOnly(),
		"policyMigrationState":    enum("preMigration migrationInProgress migrationComplete"),
		"registrationEnforcement": obj(fields{"authenticationMethodsRegistrationCampaign": obj(campaign)}),
	}
	if beta {
		campaign["enforceRegistrationAfterAllowedSnoozes"] = flag()
		fs["systemCredentialPreferences"] = obj(fields{"state": state(), "includeTargets": targetsSpec(), "excludeTargets": targetsSpec()})
		fs["reportSuspiciousActivitySettings"] = obj(fields{
			"state": state(), "voiceReportingCode": number(), "includeTarget": obj(fields{"id": text().need(), "targetType": enum("user group").need()}),
		})
		fs["microsoftAuthenticatorPlatformSettings"] = obj(fields{
			"enforceAppPIN": obj(fields{"includeTargets": targetsSpec(), "excludeTargets": targetsSpec()}),
		})
		// The way out of passkeys by themselves (contracts-2026-11.md section 1.4).
		fs["optOutSettings"] = obj(fields{"passkeyDynamicMigration": flag()})
	}
	return fs
}

// judgeTargets refuses targets that lead nowhere, wherever they stand in a body.
func judgeTargets(t *world.Tenant, v any) error {
	switch x := v.(type) {
	case []any:
		for _, y := range x {
			if err := judgeTargets(t, y); err != nil {
				return err
			}
		}
	case map[string]any:
		id := str(x, "id")
		switch str(x, "targetType") {
		case "group":
			if id != "all_users" && t.Groups.Get(id) == nil {
				return badRequest("The group '%s' does not exist.", clip(id))
			}
		case "user":
			if t.Users.Get(id) == nil {
				return badRequest("The user '%s' does not exist.", clip(id))
			}
		default:
			for _, y := range x {
				if err := judgeTargets(t, y); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func changeMethodsPolicy(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	c.dropUnchanged(s, c.entity(c.g.sh.methods, c.shownMethodsPolicy(t)), nil)
	if err := methodsPolicyFields(c.beta).check("", c.in); err != nil {
		return nil, err
	}
	if err := judgeTargets(t, c.in); err != nil {
		return nil, err
	}
	campaign := inner(inner(c.in, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign")
	if n := whole(campaign, "snoozeDurationInDays", 1); n < 0 || n > 14 {
		return nil, badRequest("Invalid value specified for property 'snoozeDurationInDays': it must be between 0 and 14.")
	}
	old := decodeObject(t.MethodsPolicy.Raw)
	next := merge(old, c.in)
	for k := range next {
		if strings.Contains(k, "@odata.") {
			delete(next, k)
		}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return nil, err
	}
	t.MethodsPolicy.ID, t.MethodsPolicy.Raw, t.MethodsPolicy.Changed = "authenticationMethodsPolicy", raw, c.now
	s.Touch(t)
	c.auditMethods(s, t, "Update", target("Policy", "authenticationMethodsPolicy", ""), differing("AuthenticationMethodsPolicy", old, next))
	return noContent()
}

// differing is what changed in a settings object: since April 2026 rows of this kind
// hold the changed members alone (contracts-2026-11.md section 1.4).
func differing(name string, old, next map[string]any) world.Modified {
	was, is := map[string]any{}, map[string]any{}
	for k, v := range next {
		if jsonText(old[k]) != jsonText(v) {
			was[k], is[k] = old[k], v
		}
	}
	return world.Modified{Name: name, Old: jsonText(was), New: jsonText(is)}
}

func (c *call) auditMethods(s *world.State, t *world.Tenant, operation string, of world.AuditTarget, props ...world.Modified) {
	c.audit(s, t, change{
		activity: "Authentication Methods Policy Update", category: "ApplicationManagement", operation: operation, service: "Authentication Methods",
		target: of, props: props,
	})
}
