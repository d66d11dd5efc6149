package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// defaultsID is the id of the security defaults policy (K).
const defaultsID = entra.SecurityDefaults

func (p *router) defaults() {
	const path = "policies/identitySecurityDefaultsEnforcementPolicy"
	shape := newShape("identitySecurityDefaultsEnforcementPolicy", func(any) string { return defaultsID },
		f("id", func(bool) any { return defaultsID }),
		f("deletedDateTime", func(bool) any { return nil }),
		f("displayName", func(bool) any { return "Security Defaults" }),
		f("description", func(bool) any {
			return "Basic identity security for everybody in the organization: registration for multifactor authentication, multifactor authentication for administrators, and no legacy authentication."
		}),
		f("isEnabled", func(on bool) any { return on }),
	)
	p.add("GET", path, route{permit: allow("Policy.Read.All"), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.one(s, t, path+"!", shape, t.SecurityDefaults)
	}})
	write := allow("Policy.ReadWrite.SecurityDefaults").and("Policy.Read.All").with(conditionalAdmin, securityAdmin)
	p.add("PATCH", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
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
					return nil, badRequest("Security defaults cannot be enabled: the Conditional Access policy '%s' is enabled.", clip(str(decodeObject(d.Raw), "displayName")))
				}
			}
		}
		ch := change{activity: "Update security defaults", category: "Policy", target: target("Policy", defaultsID, "Security Defaults")}
		ch.changed("IsEnabled", t.SecurityDefaults, on)
		t.SecurityDefaults = on
		s.Touch(t)
		c.audit(s, t, ch)
		return noContent()
	}})
}

// Authentication strengths.

func combinations() []string {
	return words("password voice sms email hardwareOath softwareOath microsoftAuthenticatorPush deviceBasedPush fido2 windowsHelloForBusiness x509CertificateSingleFactor x509CertificateMultiFactor temporaryAccessPassOneTime temporaryAccessPassMultiUse federatedSingleFactor federatedMultiFactor qrCodePin")
}

func shownStrength(d *world.Document) map[string]any {
	m := decodeObject(d.Raw)
	out := map[string]any{
		"id": d.ID, "displayName": str(m, "displayName"), "description": m["description"], "policyType": "custom", "requirementsSatisfied": "mfa",
		"allowedCombinations": strs(m, "allowedCombinations"),
		"createdDateTime":     world.Stamp{Time: later(d.Created, builtinSince)}, "modifiedDateTime": world.Stamp{Time: later(d.Changed, later(d.Created, builtinSince))},
	}
	if v := str(m, "policyType"); v != "" {
		out["policyType"] = v
	} else if strings.HasPrefix(d.ID, "00000000-0000-0000-0000-") {
		out["policyType"] = "builtIn"
	}
	if v := str(m, "requirementsSatisfied"); v != "" {
		out["requirementsSatisfied"] = v
	}
	return out
}

func (p *router) strengths() {
	const path = "policies/authenticationStrengthPolicies"
	shape := documentShape("authenticationStrengthPolicy", nil, "id", "createdDateTime", "modifiedDateTime", "displayName", "description", "policyType", "requirementsSatisfied", "allowedCombinations")
	show := func(d *world.Document) *document {
		raw, err := json.Marshal(shownStrength(d))
		if err != nil {
			raw = d.Raw
		}
		return newDocument(d.ID, raw)
	}
	read := allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").with(securityReader, globalReader, securityAdmin, conditionalAdmin, authPolicyAdmin)
	write := allow("Policy.ReadWrite.AuthenticationMethod").with(conditionalAdmin, securityAdmin, authPolicyAdmin)
	p.add("GET", path, route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		all := []*document{}
		for d := range t.Strengths.All() {
			all = append(all, show(d))
		}
		return c.list(s, t, &listing{shape: shape, context: path, since: slice(all, shape.key), top: 1000, max: 1000})
	}})
	p.add("GET", path+"/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		d := t.Strengths.Get(c.params[0])
		if d == nil {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, path, shape, show(d))
	}})
	fs := fields{
		"id": readOnly(), "createdDateTime": readOnly(), "modifiedDateTime": readOnly(), "policyType": enum("custom"), "requirementsSatisfied": enum("mfa"),
		"displayName": text().need().upTo(30), "description": text().upTo(100), "allowedCombinations": list(flags(strings.Join(combinations(), " "))).need().upTo(100),
		"combinationConfigurations": unused(),
	}
	// A strength is MFA when each combination is two factors, or one that is both.
	judge := func(m map[string]any) error {
		list := strs(m, "allowedCombinations")
		if str(m, "displayName") == "" || len(list) == 0 {
			return badRequest("The strength needs displayName and allowedCombinations.")
		}
		for _, combo := range list {
			both := slices.Contains([]string{"fido2", "windowsHelloForBusiness", "x509CertificateMultiFactor", "deviceBasedPush", "temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "federatedMultiFactor"}, combo)
			if !both && !strings.Contains(combo, ",") {
				return badRequest("The combination '%s' is not multifactor authentication.", clip(combo))
			}
		}
		return nil
	}
	save := func(c *call, s *world.State, t *world.Tenant, d *world.Document, m map[string]any) error {
		if err := judge(m); err != nil {
			return err
		}
		if !t.Premium() {
			return refuse(http.StatusForbidden, "AccessDenied", "Your tenant is not licensed for this feature: authentication strengths need Microsoft Entra ID P1.")
		}
		m["id"], m["policyType"], m["requirementsSatisfied"] = d.ID, "custom", "mfa"
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		d.Raw = raw
		t.Strengths.Put(d)
		s.Touch(t)
		return nil
	}
	p.add("POST", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		d := &world.Document{ID: world.NewGUID(), Created: c.now, Changed: c.now}
		if err := save(c, s, t, d, merge(nil, c.in)); err != nil {
			return nil, err
		}
		ch := change{activity: "Add authentication strength policy", category: "Policy", operation: "Add", service: "Authentication Methods", target: target("Policy", d.ID, str(c.in, "displayName"))}
		ch.props = []world.Modified{{Name: "AuthenticationStrength", Old: "", New: string(d.Raw)}}
		c.audit(s, t, ch)
		return c.created(s, t, path, shape, show(d))
	}})
	change1 := func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Strengths.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		if strings.HasPrefix(old.ID, "00000000-0000-0000-0000-") {
			return nil, badRequest("A built-in authentication strength cannot be changed.")
		}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		d := *old
		d.Changed = c.now
		if err := save(c, s, t, &d, merge(decodeObject(old.Raw), c.in)); err != nil {
			return nil, err
		}
		ch := change{activity: "Update authentication strength policy", category: "Policy", service: "Authentication Methods", target: target("Policy", d.ID, str(decodeObject(d.Raw), "displayName"))}
		ch.props = []world.Modified{{Name: "AuthenticationStrength", Old: string(old.Raw), New: string(d.Raw)}}
		c.audit(s, t, ch)
		return nil, nil
	}
	p.add("PATCH", path+"/{}", route{permit: write, do: change1})
	p.add("POST", path+"/{}/updateAllowedCombinations", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if len(c.in) != 1 || c.in["allowedCombinations"] == nil {
			return nil, badRequest("The body must hold allowedCombinations and nothing else.")
		}
		before := []string{}
		if d := t.Strengths.Get(c.params[0]); d != nil {
			before = strs(decodeObject(d.Raw), "allowedCombinations")
		}
		if _, err := change1(c, s, t); err != nil {
			return nil, err
		}
		body := object{
			{"@odata.context", c.root() + "/$metadata#microsoft.graph.updateAllowedCombinationsResult"}, {"previousCombinations", before},
			{"currentCombinations", strs(c.in, "allowedCombinations")}, {"additionalInformation", ""}, {"conditionalAccessReferences", []string{}},
		}
		return &reply{status: http.StatusOK, body: appendValue(nil, body)}, nil
	}})
	p.add("DELETE", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Strengths.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		if strings.HasPrefix(old.ID, "00000000-0000-0000-0000-") {
			return nil, badRequest("A built-in authentication strength cannot be deleted.")
		}
		for d := range t.Policies.All() {
			if st := inner(inner(decodeObject(d.Raw), "grantControls"), "authenticationStrength"); st != nil && strings.EqualFold(str(st, "id"), old.ID) {
				return nil, badRequest("The authentication strength is used by the policy '%s' and cannot be deleted.", clip(str(decodeObject(d.Raw), "displayName")))
			}
		}
		t.Strengths.Delete(old.ID)
		s.Touch(t)
		c.audit(s, t, change{activity: "Delete authentication strength policy", category: "Policy", operation: "Delete", service: "Authentication Methods", target: target("Policy", old.ID, str(decodeObject(old.Raw), "displayName"))})
		return noContent()
	}})
}
