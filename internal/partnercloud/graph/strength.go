package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Authentication strengths.

const strengthsPath = "policies/authenticationStrengthPolicies"

func combinations() []string {
	return words(`password voice sms email hardwareOath softwareOath microsoftAuthenticatorPush deviceBasedPush fido2 windowsHelloForBusiness
		x509CertificateSingleFactor x509CertificateMultiFactor temporaryAccessPassOneTime temporaryAccessPassMultiUse federatedSingleFactor
		federatedMultiFactor qrCodePin`)
}

func shownStrength(d *world.Document) map[string]any {
	m := decodeObject(d.Raw)
	out := map[string]any{
		"id": d.ID, "displayName": str(m, "displayName"), "description": m["description"], "policyType": "custom", "requirementsSatisfied": "mfa",
		"allowedCombinations": strs(m, "allowedCombinations"),
		"createdDateTime":     world.Stamp{Time: later(d.Created, builtinSince)},
		"modifiedDateTime":    world.Stamp{Time: later(d.Changed, later(d.Created, builtinSince))},
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

func newStrengthShape() *shape {
	return documentShape("authenticationStrengthPolicy", nil,
		words("id createdDateTime modifiedDateTime displayName description policyType requirementsSatisfied allowedCombinations")...)
}

func strengthDocument(d *world.Document) *document {
	raw, err := json.Marshal(shownStrength(d))
	if err != nil {
		raw = d.Raw
	}
	return newDocument(d.ID, raw)
}

func strengthFields() fields {
	return fields{
		"id": readOnly(), "createdDateTime": readOnly(), "modifiedDateTime": readOnly(), "policyType": enum("custom"), "requirementsSatisfied": enum("mfa"),
		"displayName": text().need().upTo(30), "description": text().upTo(100),
		"allowedCombinations":       list(flags(strings.Join(combinations(), " "))).need().upTo(100),
		"combinationConfigurations": unused(),
	}
}

func listStrengths(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, strengthsPath, c.g.sh.strength, c.documents(&t.Strengths, func(d *world.Document) any { return strengthDocument(d) }))
}

func getStrength(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	return c.one(t, strengthsPath, c.g.sh.strength, strengthDocument(d))
}

func createStrength(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := strengthFields().check("", c.in); err != nil {
		return nil, err
	}
	d := &world.Document{ID: world.NewGUID(), Created: c.now, Changed: c.now}
	if err := c.saveStrength(s, t, d, merge(nil, c.in)); err != nil {
		return nil, err
	}
	c.auditDocument(s, t, strengthSettings, "Add", nil, d)
	return c.created(t, strengthsPath, c.g.sh.strength, strengthDocument(d))
}

func changeStrength(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	if strings.HasPrefix(old.ID, "00000000-0000-0000-0000-") {
		return nil, badRequest("A built-in authentication strength cannot be changed.")
	}
	if err := strengthFields().check("", c.in); err != nil {
		return nil, err
	}
	d := *old
	d.Changed = c.now
	if err := c.saveStrength(s, t, &d, merge(decodeObject(old.Raw), c.in)); err != nil {
		return nil, err
	}
	c.auditDocument(s, t, strengthSettings, "Update", old, &d)
	return noContent()
}

func changeCombinations(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if len(c.in) != 1 || c.in["allowedCombinations"] == nil {
		return nil, badRequest("The body must hold allowedCombinations and nothing else.")
	}
	before := []string{}
	if d := t.Strengths.Get(c.params[0]); d != nil {
		before = strs(decodeObject(d.Raw), "allowedCombinations")
	}
	if _, err := found(findStrength, changeStrength)(c, s, t); err != nil {
		return nil, err
	}
	body := object{
		{"@odata.context", c.root() + "/$metadata#microsoft.graph.updateAllowedCombinationsResult"}, {"previousCombinations", before},
		{"currentCombinations", strs(c.in, "allowedCombinations")}, {"additionalInformation", ""}, {"conditionalAccessReferences", []string{}},
	}
	return give(body)
}

func deleteStrength(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	if strings.HasPrefix(old.ID, "00000000-0000-0000-0000-") {
		return nil, badRequest("A built-in authentication strength cannot be deleted.")
	}
	for d := range t.Policies.All() {
		if st := inner(inner(decodeObject(d.Raw), "grantControls"), "authenticationStrength"); st != nil && strings.EqualFold(str(st, "id"), old.ID) {
			return nil, badRequest("The authentication strength is used by the policy '%s' and cannot be deleted.",
				clip(str(decodeObject(d.Raw), "displayName")))
		}
	}
	t.Strengths.Delete(old.ID)
	s.Touch(t)
	ch := strengthSettings.change("Delete")
	ch.target = target("Policy", old.ID, str(decodeObject(old.Raw), "displayName"))
	c.audit(s, t, ch)
	return noContent()
}

// A strength is MFA when each combination is two factors, or one that is both.
func judgeStrength(m map[string]any) error {
	list := strs(m, "allowedCombinations")
	if str(m, "displayName") == "" || len(list) == 0 {
		return badRequest("The strength needs displayName and allowedCombinations.")
	}
	both := words(`fido2 windowsHelloForBusiness x509CertificateMultiFactor deviceBasedPush temporaryAccessPassOneTime temporaryAccessPassMultiUse
		federatedMultiFactor`)
	for _, combo := range list {
		if !slices.Contains(both, combo) && !strings.Contains(combo, ",") {
			return badRequest("The combination '%s' is not multifactor authentication.", clip(combo))
		}
	}
	return nil
}

func (c *call) saveStrength(s *world.State, t *world.Tenant, d *world.Document, m map[string]any) error {
	if err := judgeStrength(m); err != nil {
		return err
	}
	if !t.Premium() {
		return refuse(http.StatusForbidden, "AccessDenied",
			"Your tenant is not licensed for this feature: authentication strengths need Microsoft Entra ID P1.")
	}
	m["id"], m["policyType"], m["requirementsSatisfied"] = d.ID, "custom", "mfa"
	return keepDocument(s, t, &t.Strengths, d, m)
}
