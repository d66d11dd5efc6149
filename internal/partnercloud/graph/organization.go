package graph

import (
	"encoding/json"
	"maps"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

var mayChangeOrganization = allow("Organization.ReadWrite.All Directory.ReadWrite.All").with(entra.RoleBillingAdministrator)

// organizationFields are the members of PATCH organization (Microsoft Graph, "Update
// organization").
func organizationFields() fields {
	mails := func() *spec { return list(text().upTo(256)).need().upTo(50) }
	fs := fields{
		"displayName": text().need().upTo(256), "marketingNotificationEmails": mails(), "technicalNotificationMails": mails(),
		"securityComplianceNotificationMails": mails(), "securityComplianceNotificationPhones": mails(),
		"privacyProfile": obj(fields{"contactEmail": text().upTo(256), "statementUrl": text().upTo(2048)}),
	}
	for _, n := range words("id createdDateTime deletedDateTime verifiedDomains assignedPlans provisionedPlans countryLetterCode tenantType " +
		"defaultUsageLocation onPremisesSyncEnabled onPremisesLastSyncDateTime partnerTenantType businessPhones city country postalCode " +
		"preferredLanguage state street mobileDeviceManagementAuthority") {
		fs[n] = readOnly()
	}
	return fs
}

// written shows a property as it was written, or what it is while nothing was.
func written(name string, none any) func(*world.Tenant) any {
	return func(t *world.Tenant) any {
		if v, ok := t.Org[name]; ok {
			return v
		}
		return none
	}
}

func changeOrganization(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if !strings.EqualFold(c.params[0], t.ID) {
		return nil, notFound(c.params[0])
	}
	c.dropUnchanged(s, organizationOf(t), nil)
	if err := organizationFields().check("", c.in); err != nil {
		return nil, err
	}
	ch := change{activity: "Set Company Information", category: "DirectoryManagement", target: target("Directory", t.ID, t.Name)}
	org := maps.Clone(t.Org)
	if org == nil {
		org = map[string]json.RawMessage{}
	}
	for n, v := range c.in {
		if strings.Contains(n, "@odata.") {
			continue
		}
		if n == "displayName" {
			ch.changed("DisplayName", []string{t.Name}, []string{str(c.in, n)})
			t.Name = str(c.in, n)
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			continue
		}
		ch.changed(strings.ToUpper(n[:1])+n[1:], was(org[n]), was(raw))
		org[n] = raw
	}
	t.Org = org
	if given(c.in, "securityComplianceNotificationMails") {
		t.SecurityContact = ""
		if mails := strs(c.in, "securityComplianceNotificationMails"); len(mails) > 0 {
			t.SecurityContact = mails[0]
		}
	}
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}
