package center

import (
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
)

// accountRoutes are who the partner and its customers are, and what they agreed to.
func accountRoutes() []*route {
	const mine = "/v1/customers/{customer}"
	rows := from(kit.Read, "Microsoft: Profile resources",
		op("GET", "/v1/profiles/billing", getBillingProfile, forUser),
		op("PUT", "/v1/profiles/billing", putBillingProfile, forUserWrite).matches(),
		op("GET", "/v1/profiles/legalbusiness", getLegalProfile, forBoth).takes("vettingVersion"),
		op("PUT", "/v1/profiles/legalbusiness", putLegalProfile, forUserWrite).matches(),
		op("GET", "/v1/profiles/organization", getOrganizationProfile, forBoth),
		op("PUT", "/v1/profiles/organization", putOrganizationProfile, forUserWrite).matches(),
		op("GET", "/v1/profiles/support", getSupportProfile, forUser),
		op("PUT", "/v1/profiles/support", putSupportProfile, forUserWrite).matches(),
		op("PUT", "/v1/profiles/supportprofile", putSupportProfile, forUserWrite).matches(),
		op("GET", "/v1/profiles/mpn", getMPNProfile, forBoth).takes("mpnId"),
		op("GET", mine+"/profiles/company", getCompanyProfile, forBoth),
		op("GET", mine+"/profiles/billing", getCustomerBilling, forBoth),
		op("PUT", mine+"/profiles/billing", putCustomerBilling, forBothWrite).matches(),
	)
	rows = append(rows, from(kit.Read, "Microsoft: Delete a customer account from the integration sandbox",
		op("DELETE", mine, deleteCustomer, forUserWrite),
	)...)
	rows = append(rows, from(kit.Read, "Microsoft: Agreement resources",
		op("GET", "/v1/agreements", listAgreementKinds, forBoth).takes("agreementType"),
		op("GET", "/v1/agreementtemplates/{template}/document", agreementDocument, forBoth).takes("language", "country"),
		op("GET", mine+"/agreements", listAgreements, forBoth).takes("agreementType"),
		op("POST", mine+"/agreements", createAgreement, forUserWrite),
		op("GET", mine+"/directSignedMicrosoftCustomerAgreementStatus", directSigned, forUser),
	)...)
	rows = append(rows, from(kit.Read, "Microsoft: Customer resources, qualifications",
		op("GET", mine+"/qualifications", listQualifications, forBoth),
		op("POST", mine+"/qualifications", createQualification, forUserWrite).takes("code"),
		op("GET", mine+"/organization", customerOrganization, inside(entra.RoleDirectoryReaders, entra.RoleGlobalReader, entra.RoleGlobalAdministrator,
			entra.RoleUserAdministrator, entra.RoleLicenseAdministrator)),
		op("GET", mine+"/managedservices", managedServices, forUser),
	)...)
	return append(rows, from(kit.Read, "Microsoft: Utilities",
		op("GET", "/v1/countryvalidationrules/{country}", countryRules, forBoth),
		op("GET", "/v1/domains/{domain}", domainTaken, forBoth),
	)...)
}
