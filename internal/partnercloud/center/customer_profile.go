package center

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

func clip(v string) string { return kit.Clip(v) }

// billingOf is who is billed for a customer.
func billingOf(c *world.Customer) world.BillingProfile {
	if p := c.Trade().Profile; p != nil {
		return *p
	}
	return invented(c.Name, c.Country, c.Email)
}

func getCompanyProfile(k *call) (reply, *fault) {
	c := k.customer
	p := billingOf(c)
	v := map[string]any{"tenantId": c.TenantID, "domain": c.Domain, "companyName": c.Name,
		"links": selfLink("/customers/" + c.TenantID + "/profiles/company"), "attributes": object("CustomerCompanyProfile")}
	if c.DAP || k.hasGDAP(c.TenantID) { // what only the directory knows
		v["address"], v["email"] = addressOf(p.Address), c.Email
	}
	return ok(v), nil
}

func getCustomerBilling(k *call) (reply, *fault) {
	c := k.customer
	p := billingOf(c)
	return ok(map[string]any{"id": c.TenantID, "firstName": p.First, "lastName": p.Last, "email": p.Email, "culture": p.Culture, "language": p.Language,
		"companyName": p.Company, "defaultAddress": addressOf(p.Address), "links": selfLink("/customers/" + c.TenantID + "/profiles/billing"),
		"attributes": attributes{ETag: etag(c.ETag), ObjectType: "CustomerBillingProfile"}}), nil
}

func putCustomerBilling(k *call) (reply, *fault) {
	var in struct {
		First    string       `json:"firstName"`
		Last     string       `json:"lastName"`
		Email    string       `json:"email"`
		Culture  string       `json:"culture"`
		Language string       `json:"language"`
		Company  string       `json:"companyName"`
		Address  addressInput `json:"defaultAddress"`
		customerBillingEcho
		sentBack
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := unchanged(in.customerBillingEcho, map[string]string{"id": k.customer.TenantID, "profileType": "CustomerBillingProfile"}); f != nil {
		return reply{}, f
	}
	if v := k.condition(in.Attributes.ETag); v != "*" && v != etag(k.customer.ETag) {
		return reply{}, deny(entra.CenterETag)
	}
	a, f := in.Address.take()
	switch {
	case f != nil:
		return reply{}, f
	case !strings.EqualFold(a.Country, k.customer.Country):
		return reply{}, deny(entra.CenterInvalidProperty, "the country of a customer is read-only.")
	case in.Company == "" || len(in.Company) > maxName || len(in.Email) > 320 || len(in.First)+len(in.Last)+len(in.Culture)+len(in.Language) > maxName:
		return reply{}, deny(entra.CenterMalformed, "companyName is missing, or a member is too long.")
	}
	before := billingOf(k.customer)
	p := world.BillingProfile{First: in.First, Last: in.Last, Email: in.Email, Culture: in.Culture, Language: in.Language, Company: in.Company, Address: a}
	k.trade(func(t *world.Commerce) { t.Profile = &p })
	k.record("customer", "update_customer_billing_profile", before, p)
	return getCustomerBilling(k)
}

// customerBillingEcho are what a client sends back; SDKs add the type.
type customerBillingEcho struct {
	ID   any `json:"id"`
	Type any `json:"profileType"`
}

// trade changes the customer's commerce.
func (k *call) trade(f func(*world.Commerce)) {
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) { c.SetTrade(f); c.ETag++ })
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.s.Dirty()
}

// Qualifications that can be asked for; the first needs nobody to look at it.
var qualifications = []string{"None", "Education", "GovernmentCommunityCloud", "StateOwnedEntity", "NonProfit"}

func qualificationView(q world.Qualification) map[string]any {
	v := map[string]any{"qualification": q.Name}
	if q.Status != "" {
		v["vettingStatus"], v["vettingCreatedDate"] = q.Status, stamp(q.Created)
	}
	return v
}

// listQualifications answers a bare array, as Microsoft's page shows it.
func listQualifications(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, q := range k.customer.Trade().Qualifications {
		rows = append(rows, qualificationView(q))
	}
	return ok(rows), nil
}

// createQualification asks for one. Nobody vets here: it stays in review.
func createQualification(k *call) (reply, *fault) {
	var in struct {
		Name      string `json:"qualification"`
		Education string `json:"educationSegment"`
		Website   string `json:"website"`
		Code      string `json:"validationCode"`
		sent
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	i := slices.IndexFunc(qualifications, func(v string) bool { return strings.EqualFold(v, in.Name) })
	switch {
	case i < 0:
		return reply{}, deny(entra.CenterEnum, "qualification")
	case in.Code != "" || k.query("code") != "":
		return reply{}, deny(entra.CenterMalformed, "validation codes are not part of the partner cloud.")
	case slices.ContainsFunc(k.customer.Trade().Qualifications, func(q world.Qualification) bool { return q.Name == qualifications[i] }):
		return reply{}, refuse(http.StatusConflict, 409, "The customer has the qualification, or asked for it.")
	}
	q := world.Qualification{Name: qualifications[i], Status: "InReview", Created: k.now}
	if q.Name == "StateOwnedEntity" || q.Name == "None" {
		q.Status = ""
	}
	k.trade(func(t *world.Commerce) { t.Qualifications = append(slices.Clone(t.Qualifications), q) })
	return reply{status: http.StatusCreated, body: qualificationView(q)}, nil
}

// customerOrganization answers a bare array, as Microsoft's page shows it.
func customerOrganization(k *call) (reply, *fault) {
	p := billingOf(k.customer)
	return ok([]map[string]any{{"street": p.Address.Line1, "countryLetterCode": p.Address.Country, "postalCode": p.Address.Postal, "city": p.Address.City,
		"state": p.Address.State, "displayName": k.customer.Name, "technicalNotificationMails": []string{k.customer.Email}}}), nil
}

// managedServices are the services that a partner manages for the customer.
func managedServices(k *call) (reply, *fault) {
	rows := []map[string]any{}
	add := func(id, name, group string) {
		to := func(what string) *link {
			return get("https://portal.office.com/Partner/BeginClientSession.aspx?CTID=" + k.customer.TenantID + "&CSDEST=" + what)
		}
		rows = append(rows, map[string]any{"id": id, "name": name, "groupName": group, "links": map[string]*link{"adminService": to(id),
			"serviceHealth": to("ServiceStatus"), "serviceTicket": to("Support")}, "attributes": object("ManagedService")})
	}
	has := map[string]bool{}
	for _, s := range k.tenant.SKUs {
		for _, p := range s.Plans {
			has[strings.SplitN(p.Name, "_", 2)[0]] = has[strings.SplitN(p.Name, "_", 2)[0]] || s.Enabled > 0
		}
	}
	if has["EXCHANGE"] {
		add("Exchange", "Exchange", "Office")
	}
	if has["AAD"] {
		add("WindowsAzureActiveDirectory", "Microsoft Entra ID", "Azure")
	}
	if has["INTUNE"] {
		add("Intune", "Microsoft Intune", "Office")
	}
	if hasAzure(k.customer) {
		add("Azure", "Microsoft Azure", "Azure")
	}
	return ok(list(rows)), nil
}

// countryRules are the rules of a country for addresses.
func countryRules(k *call) (reply, *fault) {
	c, known := market.FindCountry(k.params["country"])
	if !known {
		return reply{}, deny(entra.CenterNotFound)
	}
	values := func(list []string) map[string]any { return map[string]any{"value": orEmpty(list)} }
	return ok(map[string]any{"iso2Code": c.Code, "defaultCulture": c.Culture, "isStateRequired": len(c.States) > 0, "states": values(c.States),
		"supportedLanguages": values(c.Languages), "supportedCultures": values([]string{c.Culture}), "isPostalCodeRequired": c.PostalCode != "",
		"postalCodeRegex": c.PostalCode, "isCityRequired": true, "isVatIdSupported": c.VAT, "taxIdFormat": "", "taxIdSample": "", "vatIdRegex": "",
		"phoneNumberRegex": `^[0-9+() ./-]{5,20}$`, "isRegistrationNumberSupported": false, "isTaxIdSupported": !c.VAT, "isTaxIdOptional": true,
		"countryCallingCodes": values(c.Calling), "geographicRegion": c.Region, "resellerAgreementRegion": c.Region,
		"attributes": object("CountryInformation")}), nil
}

// domainTaken says by its status alone whether a domain belongs to a tenant of this
// world.
func domainTaken(k *call) (reply, *fault) {
	if !strings.Contains(k.params["domain"], ".") || k.s.Tenant(k.params["domain"]) == nil {
		f := deny(entra.CenterNotFound)
		f.Form = kit.Bare
		return reply{}, f
	}
	return reply{status: http.StatusOK}, nil
}
