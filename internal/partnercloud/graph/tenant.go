package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// organization, domains and licences (contracts.md sections 3.9, 3.10).

func isInitial(domain string) bool { return strings.HasSuffix(domain, ".onmicrosoft.com") }

func newOrganizationShape() *shape {
	type org = *world.Tenant
	return newShape("organization", func(x any) string { return x.(org).ID },
		f("id", func(x org) any { return x.ID }),
		f("deletedDateTime", func(org) any { return nil }),
		f("businessPhones", written("businessPhones", []string{})),
		f("city", written("city", nil)),
		f("country", written("country", nil)),
		f("countryLetterCode", func(x org) any { return x.Country }),
		f("createdDateTime", func(x org) any { return x.Created }),
		f("defaultUsageLocation", func(x org) any { return x.Country }),
		f("displayName", func(x org) any { return x.Name }),
		f("marketingNotificationEmails", written("marketingNotificationEmails", []string{})),
		f("mobileDeviceManagementAuthority", func(org) any { return "unknown" }),
		f("onPremisesSyncEnabled", func(org) any { return nil }),
		f("onPremisesLastSyncDateTime", func(org) any { return nil }),
		f("partnerTenantType", func(x org) any {
			if x.Kind == world.PartnerTenant {
				return "syndicatePartner"
			}
			return nil
		}),
		f("preferredLanguage", written("preferredLanguage", "en")),
		f("postalCode", written("postalCode", nil)),
		f("privacyProfile", written("privacyProfile", nil)),
		f("securityComplianceNotificationMails", func(x org) any {
			if v, ok := x.Org["securityComplianceNotificationMails"]; ok {
				return v
			}
			if x.SecurityContact == "" {
				return []string{}
			}
			return []string{x.SecurityContact}
		}),
		f("securityComplianceNotificationPhones", written("securityComplianceNotificationPhones", []string{})),
		f("state", written("state", nil)),
		f("street", written("street", nil)),
		f("technicalNotificationMails", written("technicalNotificationMails", []string{})),
		f("tenantType", func(org) any { return "AAD" }),
		f("assignedPlans", func(x org) any { return assignedPlans(x) }),
		f("provisionedPlans", func(org) any { return []object{} }),
		f("verifiedDomains", func(x org) any { return verifiedDomains(x) }),
	)
}

func assignedPlans(t *world.Tenant) []object {
	out := []object{}
	for _, k := range t.SKUs {
		for _, pl := range k.Plans {
			out = append(out, object{
				{"assignedDateTime", t.Created}, {"capabilityStatus", k.Status}, {"service", "AADPremiumService"}, {"servicePlanId", pl.ID},
			})
		}
	}
	return out
}

func verifiedDomains(t *world.Tenant) []object {
	out := []object{}
	for i, d := range t.Domains {
		out = append(out, object{
			{"capabilities", "Email, OfficeCommunicationsOnline"}, {"isDefault", i == 0}, {"isInitial", isInitial(d)}, {"name", d}, {"type", "Managed"},
		})
	}
	return out
}

// organizationOf copies what is shown: a tenant is no immutable row, and answers
// are encoded outside of the lock.
func organizationOf(t *world.Tenant) *world.Tenant {
	return &world.Tenant{
		ID: t.ID, Name: t.Name, Domains: slices.Clone(t.Domains), Kind: t.Kind, Created: t.Created, Country: t.Country, SKUs: slices.Clone(t.SKUs),
		SecurityContact: t.SecurityContact, Org: t.Org,
	}
}

func organizations(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.organization
	return c.show(t, "organization", sh, slice([]*world.Tenant{organizationOf(t)}, sh.key))
}

type domain struct {
	name    string
	isFirst bool
}

func newDomainShape() *shape {
	return newShape("domain", func(x any) string { return x.(domain).name },
		f("authenticationType", func(domain) any { return "Managed" }),
		f("availabilityStatus", func(domain) any { return nil }),
		f("id", func(x domain) any { return x.name }),
		f("isAdminManaged", func(domain) any { return true }),
		f("isDefault", func(x domain) any { return x.isFirst }),
		f("isInitial", func(x domain) any { return isInitial(x.name) }),
		f("isRoot", func(domain) any { return true }),
		f("isVerified", func(domain) any { return true }),
		f("supportedServices", func(domain) any { return []string{"Email", "OfficeCommunicationsOnline"} }),
		f("passwordValidityPeriodInDays", func(domain) any { return 2147483647 }),
		f("passwordNotificationWindowInDays", func(domain) any { return 14 }),
		f("state", func(domain) any { return nil }),
		f("manufacturer", func(domain) any { return nil }),
		f("model", func(domain) any { return nil }),
	)
}

func domainsOf(t *world.Tenant) []domain {
	out := []domain{}
	for i, d := range t.Domains {
		out = append(out, domain{d, i == 0})
	}
	return out
}

func domains(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, "domains", c.g.sh.domain, slice(domainsOf(t), c.g.sh.domain.key))
}

type sku struct {
	world.SKU
	tenant string
}

func newSKUShape() *shape {
	return newShape("subscribedSku", func(x any) string { k := x.(sku); return k.tenant + "_" + k.ID },
		f("accountId", func(x sku) any { return x.tenant }),
		f("accountName", func(sku) any { return nil }),
		f("appliesTo", func(sku) any { return "User" }),
		f("capabilityStatus", func(x sku) any { return x.Status }),
		f("consumedUnits", func(x sku) any { return x.Consumed }),
		f("id", func(x sku) any { return x.tenant + "_" + x.ID }),
		f("skuId", func(x sku) any { return x.ID }),
		f("skuPartNumber", func(x sku) any { return x.Part }),
		f("subscriptionIds", func(sku) any { return []string{} }),
		f("prepaidUnits", func(x sku) any {
			units := object{{"enabled", x.Enabled}, {"suspended", x.Suspended}, {"warning", 0}, {"lockedOut", 0}}
			switch x.Status {
			case "Warning":
				units[0].value, units[2].value = x.Enabled, x.Enabled
			case "Suspended":
				units[0].value, units[1].value = 0, x.Enabled+x.Suspended
			case "LockedOut":
				units[0].value, units[3].value = 0, x.Enabled
			}
			return units
		}),
		f("servicePlans", func(x sku) any {
			status := "Success"
			if x.Status != "Enabled" && x.Status != "Warning" {
				status = "Disabled"
			}
			out := []object{}
			for _, pl := range x.Plans {
				out = append(out, object{{"servicePlanId", pl.ID}, {"servicePlanName", pl.Name}, {"provisioningStatus", status}, {"appliesTo", "User"}})
			}
			return out
		}),
	)
}

func skusOf(t *world.Tenant) []sku {
	out := []sku{}
	for _, k := range t.SKUs {
		out = append(out, sku{k, t.ID})
	}
	return out
}

func skus(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, "subscribedSkus", c.g.sh.sku, slice(skusOf(t), c.g.sh.sku.key))
}
