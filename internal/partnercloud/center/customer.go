package center

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

type companyProfile struct {
	TenantID    string     `json:"tenantId"`
	Domain      string     `json:"domain"`
	CompanyName string     `json:"companyName"`
	Email       string     `json:"email,omitempty"`
	Links       links      `json:"links"`
	Attributes  attributes `json:"attributes"`
}

type billingProfile struct {
	ID             string       `json:"id"`
	First          string       `json:"firstName,omitempty"`
	Last           string       `json:"lastName,omitempty"`
	Email          string       `json:"email,omitempty"`
	Culture        string       `json:"culture,omitempty"`
	Language       string       `json:"language,omitempty"`
	CompanyName    string       `json:"companyName"`
	DefaultAddress *addressView `json:"defaultAddress,omitempty"`
	Links          links        `json:"links"`
	Attributes     attributes   `json:"attributes"`
}

type customer struct {
	ID           string          `json:"id"`
	CommerceID   string          `json:"commerceId"`
	Company      companyProfile  `json:"companyProfile"`
	Billing      *billingProfile `json:"billingProfile,omitempty"`
	Relationship string          `json:"relationshipToPartner"`
	Delegated    *bool           `json:"allowDelegatedAccess,omitempty"`
	Domains      []string        `json:"customDomains,omitempty"`
	Associated   string          `json:"associatedPartnerId,omitempty"`
	Credentials  *credentials    `json:"userCredentials,omitempty"`
	Links        links           `json:"links"`
	Attributes   attributes      `json:"attributes"`
}

// credentials are the first administrator's of a tenant that was just made.
type credentials struct {
	UserName string `json:"userName"`
	Password string `json:"password"`
}

func customerRow(c *world.Customer) customer {
	return customer{
		ID: c.TenantID, CommerceID: c.TenantID, Relationship: c.Relationship, Attributes: object("Customer"),
		Links: selfLink("/customers/" + c.TenantID), Company: companyProfile{TenantID: c.TenantID, Domain: c.Domain, CompanyName: c.Name,
			Links: selfLink("/customers/" + c.TenantID + "/profiles/company"), Attributes: object("CustomerCompanyProfile")},
	}
}

func listCustomers(k *call) (reply, *fault) {
	f, bad := parseFilter(k.query("filter"), "CompanyName", "Domain", "IndirectReseller")
	if bad != nil {
		return reply{}, bad
	}
	var rows []*world.Customer
	for c := range k.partner.Customers.All() {
		if c.Relationship == "none" {
			continue
		}
		if f != nil {
			v := c.Name
			switch f.Field {
			case "Domain":
				v = c.Domain
			case "IndirectReseller": // by tenant id (Microsoft: Get customers of an indirect reseller)
				if v = c.Reseller; v == "" {
					continue
				}
			}
			if !f.matches(v) {
				continue
			}
		}
		rows = append(rows, c)
	}
	out, bad := page(k, rows, customerRow)
	return ok(out), bad
}

// customerView is one customer. Without DAP and GDAP what only the directory
// knows is left out (contracts.md section 2.3).
func (k *call) customerView(c *world.Customer) customer {
	v := customerRow(c)
	dap := c.DAP
	v.Delegated = &dap
	v.Associated = c.Reseller
	p := billingOf(c)
	v.Billing = &billingProfile{ID: c.TenantID, CompanyName: p.Company, Culture: p.Culture, Language: p.Language,
		Links:      selfLink("/customers/" + c.TenantID + "/profiles/billing"),
		Attributes: attributes{ETag: etag(c.ETag), ObjectType: "CustomerBillingProfile"}}
	if c.DAP || k.hasGDAP(c.TenantID) {
		at := addressOf(p.Address)
		v.Company.Email, v.Billing.Email, v.Billing.First, v.Billing.Last, v.Billing.DefaultAddress = c.Email, p.Email, p.First, p.Last, &at
		if k.tenant != nil {
			for _, d := range k.tenant.Domains {
				if !strings.HasSuffix(d, ".onmicrosoft.com") {
					v.Domains = append(v.Domains, d)
				}
			}
		}
	}
	return v
}

func (k *call) hasGDAP(tenant string) bool {
	for r := range k.partner.Relationships.All() {
		if strings.EqualFold(r.Customer, tenant) && r.StatusAt(k.now) == "active" {
			return true
		}
	}
	return false
}

func getCustomer(k *call) (reply, *fault) { return ok(k.customerView(k.customer)), nil }

// changeCustomer removes DAP alone, or ends the reseller relationship. Both are
// one way: an API call brings neither back.
func changeCustomer(k *call) (reply, *fault) {
	var in struct {
		customerEcho
		AllowDelegatedAccess  *bool   `json:"allowDelegatedAccess"`
		RelationshipToPartner *string `json:"relationshipToPartner"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if v := k.condition(""); v != "" && v != "*" && v != etag(k.customer.ETag) {
		return reply{}, deny(entra.CenterETag)
	}
	if f := unchanged(in.customerEcho, k.customerView(k.customer)); f != nil {
		return reply{}, f
	}
	ends := in.RelationshipToPartner != nil && !strings.EqualFold(*in.RelationshipToPartner, k.customer.Relationship)
	switch {
	case ends && !strings.EqualFold(*in.RelationshipToPartner, "none"):
		return reply{}, refuse(http.StatusBadRequest, 400, "relationshipToPartner can only be set to none.")
	case in.AllowDelegatedAccess != nil && *in.AllowDelegatedAccess && !k.customer.DAP:
		return reply{}, refuse(http.StatusBadRequest, 400, "Delegated access cannot be given by the partner: the customer must accept a new invitation.")
	case !ends && (in.AllowDelegatedAccess == nil || *in.AllowDelegatedAccess):
		return reply{}, refuse(http.StatusBadRequest, 400, "The body changes neither allowDelegatedAccess nor relationshipToPartner.")
	}
	if ends {
		for i := range k.customer.Subscriptions {
			if s := &k.customer.Subscriptions[i]; s.Status == "active" && isReservation(s) {
				return reply{}, refuse(http.StatusBadRequest, 400, "The relationship cannot be ended: reservation %s must be cancelled first.", s.ID)
			}
		}
	}
	if in.AllowDelegatedAccess != nil && !*in.AllowDelegatedAccess && k.customer.DAP {
		k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) { c.DAP = false; c.ETag++ })
		k.s.Touch(k.partner)
		k.record("partner_customer_dap", "dap_admin_relationship_terminated", map[string]any{"allowDelegatedAccess": true},
			map[string]any{"allowDelegatedAccess": false})
	}
	if ends {
		for i := range k.customer.Subscriptions {
			if x := k.settled(i); x.Subscription.Status == "active" {
				k.setStatus(&x, "suspended")
				k.keep(i, &x)
			}
		}
		k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) { c.Relationship = "none"; c.ETag++ })
		k.s.Dirty()
		k.record("partner_customer_relationship", "remove_partner_customer_relationship", map[string]any{"relationshipToPartner": k.customer.Relationship},
			map[string]any{"relationshipToPartner": "none"})
	}
	return ok(k.customerView(k.partner.Customers.Get(k.customer.TenantID))), nil
}

// customerEcho are members of a customer that a request may send back and that steer
// nothing in it.
type customerEcho struct {
	sent
	ID           any `json:"id"`
	CommerceID   any `json:"commerceId"`
	Domains      any `json:"customDomains"`
	Credentials  any `json:"userCredentials"`
	Company      any `json:"companyProfile"`
	Billing      any `json:"billingProfile"`
	Relationship any `json:"relationshipToPartner"`
	Delegated    any `json:"allowDelegatedAccess"`
	Associated   any `json:"associatedPartnerId"`
}

// postalAddress is a postal address but for the country.
type postalAddress struct {
	AddressLine1 string `json:"addressLine1"`
	AddressLine2 string `json:"addressLine2"`
	City         string `json:"city"`
	State        string `json:"state"`
	PostalCode   string `json:"postalCode"`
	Region       string `json:"region"`
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	MiddleName   string `json:"middleName"`
	PhoneNumber  string `json:"phoneNumber"`
}

// isReservation knows a reservation by its name: the world has no kind of its own.
func isReservation(s *world.Subscription) bool {
	return strings.Contains(strings.ToLower(s.Name+" "+s.Offer), "reserv")
}

// The days from which a new customer has no DAP but, by default, GDAP
// (contracts.md section 1.1).
var gdapByDefault = time.Date(2023, 11, 1, 0, 0, 0, 0, time.UTC)

var initialDomain = regexp.MustCompile(`^[a-z0-9]{1,27}\.onmicrosoft\.com$`)

// newBilling is who is billed for a new customer, as far as it is said.
type newBilling struct {
	sent
	ID             any    `json:"id"`
	ProfileType    any    `json:"profileType"`
	Culture        string `json:"culture"`
	Language       string `json:"language"`
	FirstName      string `json:"firstName"`
	LastName       string `json:"lastName"`
	Email          string `json:"email"`
	CompanyName    string `json:"companyName"`
	DefaultAddress struct {
		postalAddress
		Country string `json:"country"`
	} `json:"defaultAddress"`
}

// take makes a profile of it; what is not said is made up.
func (given *newBilling) take(name, country string) (world.BillingProfile, *fault) {
	a := given.DefaultAddress
	profile := invented(name, country, given.Email)
	for to, v := range map[*string]string{&profile.First: given.FirstName, &profile.Last: given.LastName, &profile.Culture: given.Culture,
		&profile.Language: given.Language, &profile.Address.City: a.City, &profile.Address.State: a.State, &profile.Address.Line1: a.AddressLine1,
		&profile.Address.Line2: a.AddressLine2, &profile.Address.Postal: a.PostalCode, &profile.Address.First: a.FirstName,
		&profile.Address.Middle: a.MiddleName, &profile.Address.Last: a.LastName, &profile.Address.Phone: a.PhoneNumber, &profile.Address.Region: a.Region} {
		if len(v) > maxAddress {
			return profile, deny(entra.CenterMalformed, "a part of the billing profile is too long.")
		}
		if v != "" {
			*to = v
		}
	}
	return profile, nil
}

// createCustomer makes a tenant with a first administrator.
func createCustomer(k *call) (reply, *fault) {
	in := struct {
		EnableGDAPByDefault *bool `json:"enableGDAPByDefault"`
		CompanyProfile      struct {
			sent
			TenantID     any    `json:"tenantId"`
			CompanyName  string `json:"companyName"`
			Email        any    `json:"email"`
			Domain       string `json:"domain"`
			Registration string `json:"organizationRegistrationNumber"`
		} `json:"companyProfile"`
		customerEcho
		AssociatedPartnerID string     `json:"associatedPartnerId"`
		BillingProfile      newBilling `json:"billingProfile"`
	}{}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	domain := strings.ToLower(strings.TrimSpace(in.CompanyProfile.Domain))
	name := strings.TrimSpace(in.BillingProfile.CompanyName)
	country := strings.ToUpper(in.BillingProfile.DefaultAddress.Country)
	switch {
	case !initialDomain.MatchString(domain):
		return reply{}, refuse(http.StatusBadRequest, 400, "companyProfile.domain must be a name under onmicrosoft.com: letters and digits, 27 at most.")
	case name == "" || len(name) > 256:
		return reply{}, refuse(http.StatusBadRequest, 400, "billingProfile.companyName is missing or too long.")
	case len(country) != 2:
		return reply{}, refuse(http.StatusBadRequest, 400, "billingProfile.defaultAddress.country must be a code of two letters.")
	case len(in.BillingProfile.Email) > 320:
		return reply{}, refuse(http.StatusBadRequest, 400, "billingProfile.email is too long.")
	case in.CompanyProfile.Registration != "": // of countries that are not sold to here
		return reply{}, deny(entra.CenterNoRegistration)
	case k.s.Tenant(domain) != nil:
		return reply{}, refuse(http.StatusConflict, 409, "The domain %s is taken.", domain)
	}
	if in.AssociatedPartnerID != "" {
		known := false
		for _, r := range k.partner.Resellers {
			known = known || strings.EqualFold(r.TenantID, in.AssociatedPartnerID) || r.MPN == in.AssociatedPartnerID
		}
		if !known {
			return reply{}, refuse(http.StatusBadRequest, 400, "associatedPartnerId is no indirect reseller of this partner.")
		}
	}
	profile, f := in.BillingProfile.take(name, country)
	if f != nil {
		return reply{}, f
	}
	t := &world.Tenant{ID: world.NewGUID(), Name: name, Domains: []string{domain}, Kind: world.CustomerTenant, Cloud: k.partner.Cloud, Created: k.now,
		Country: country, SecurityDefaults: true}
	admin := &world.User{ID: world.NewGUID(), UPN: "admin@" + domain, Name: "Admin", Enabled: true, Created: k.now, PasswordChanged: k.now, Location: country,
		Changed: k.s.Change()}
	t.Users.Put(admin)
	t.Held.Put(&world.RoleAssignment{ID: world.NewGUID(), Principal: admin.ID, Role: entra.RoleGlobalAdministrator, Scope: "/", Start: k.now, Created: k.now})
	k.s.Put(t)
	k.s.EnsureSP(t, entra.AppGraph)
	c := &world.Customer{
		TenantID: t.ID, Domain: domain, Name: name, Country: country, Relationship: "reseller", DAP: k.now.Before(gdapByDefault), Since: k.now,
		Reseller: in.AssociatedPartnerID, Email: in.BillingProfile.Email, Currency: "USD", ETag: 1,
	}
	if at, sold := market.FindCountry(country); sold {
		c.Currency = at.Currency
	}
	c.SetTrade(func(t *world.Commerce) { t.Profile = &profile })
	k.partner.Customers.Put(c)
	if !c.DAP && (in.EnableGDAPByDefault == nil || *in.EnableGDAPByDefault) {
		k.defaultGDAP(t)
	}
	k.s.Touch(k.partner)
	k.customer, k.tenant = c, t
	k.record("customer", "add_customer", nil, customerRow(c))
	v := k.customerView(c)
	password, _ := k.s.SeededPassword(admin)
	v.Credentials = &credentials{UserName: admin.UPN, Password: password}
	return reply{status: http.StatusCreated, body: v, header: map[string]string{"Location": k.base + "/v1/customers/" + t.ID}}, nil
}

// defaultRoles is the default GDAP of a new customer (contracts.md section 8.2).
func defaultRoles() []string {
	return []string{
		entra.RoleDirectoryReaders, entra.RoleDirectoryWriters, entra.RoleLicenseAdministrator, entra.RoleServiceSupportAdministrator,
		entra.RoleUserAdministrator, entra.RolePrivilegedRoleAdministrator,
		entra.RoleHelpdeskAdministrator, entra.RolePrivilegedAuthenticationAdministrator,
		entra.RoleCloudApplicationAdministrator, entra.RoleApplicationAdministrator, entra.RoleGlobalReader,
	}
}

// defaultGDAP gives the AdminAgents group the default roles for two years.
func (k *call) defaultGDAP(t *world.Tenant) {
	roles := defaultRoles()
	r := &world.Relationship{
		ID: world.NewGUID() + "-" + world.NewGUID(), Name: "Default_" + k.partner.Name, Duration: "P730D", AutoExtend: "P180D", Customer: t.ID,
		CustomerName: t.Name, Roles: roles,
		Status: "active", Created: k.now, Changed: k.now, Activated: k.now, Ends: k.now.AddDate(0, 0, 730), ETag: 1,
	}
	if g := k.partner.GroupByName(world.AdminAgents); g != nil {
		r.Assignments = []world.AccessAssignment{{ID: world.NewGUID(), Group: g.ID, Roles: roles, Status: "active", Created: k.now, Changed: k.now, ETag: 1}}
	}
	k.partner.Relationships.Put(r)
	c := k.partner.Customers.Get(t.ID)
	k.s.Record(&world.AuditRecord{Customer: c.TenantID, CustomerName: c.Name, UPN: k.who.UPN, AppID: k.who.Client(), Correlation: k.correlation,
		ResourceType: "granular_admin_relationship", Operation: "granular_admin_relationship_activated", New: text(map[string]string{"id": r.ID})})
}

type relationship struct {
	ID         string     `json:"id"`
	Location   string     `json:"location"`
	PartnerID  string     `json:"partnerId"`
	MPN        string     `json:"mpnId"`
	Name       string     `json:"name"`
	Type       string     `json:"relationshipType"`
	State      string     `json:"state"`
	Attributes attributes `json:"attributes"`
}

const providerOf, resellerOf = "IsIndirectCloudSolutionProviderOf", "IsIndirectResellerOf"

func relation(r world.Reseller, kind string) relationship {
	return relationship{ID: r.TenantID, Location: r.Country, PartnerID: r.TenantID, MPN: r.MPN, Name: r.Name, Type: strings.ToLower(kind[:1]) + kind[1:],
		State: "active", Attributes: object("PartnerRelationship")}
}

func listRelationships(k *call) (reply, *fault) {
	switch kind := k.query("relationship_type"); {
	case strings.EqualFold(kind, providerOf):
		rows := []relationship{}
		for _, r := range k.partner.Resellers {
			rows = append(rows, relation(r, providerOf))
		}
		return ok(list(rows)), nil
	case strings.EqualFold(kind, resellerOf):
		return ok(list([]relationship{})), nil // this partner is nobody's reseller
	}
	return reply{}, refuse(http.StatusBadRequest, 400, "relationship_type must be %s or %s.", providerOf, resellerOf)
}

func customerRelationships(k *call) (reply, *fault) {
	rows := []relationship{}
	switch kind := k.query("relationship_type"); {
	case strings.EqualFold(kind, providerOf):
		return ok(list(rows)), nil // the customer's partners provide for nobody
	case kind != "" && !strings.EqualFold(kind, resellerOf):
		return reply{}, refuse(http.StatusBadRequest, 400, "relationship_type must be %s or %s.", providerOf, resellerOf)
	}
	for _, r := range k.partner.Resellers {
		if k.customer.Reseller != "" && (strings.EqualFold(r.TenantID, k.customer.Reseller) || r.MPN == k.customer.Reseller) {
			rows = append(rows, relation(r, resellerOf))
		}
	}
	return ok(list(rows)), nil
}

// invitationWithoutDAP is when invitations ceased to carry DAP (section 1.1).
var invitationWithoutDAP = time.Date(2023, 10, 9, 0, 0, 0, 0, time.UTC)

func relationshipRequest(k *call) (reply, *fault) {
	dap := "false"
	if k.now.Before(invitationWithoutDAP) {
		dap = "true"
	}
	return ok(struct {
		URL        string     `json:"url"`
		Attributes attributes `json:"attributes"`
	}{"https://" + entra.M365AdminHost + "/Adminportal/Home?invType=ResellerRelationship&partnerId=" + k.partner.ID + "&DAP=" + dap +
		"#/BillingAccounts/partner-invitation", object("CustomerRelationshipRequest")}), nil
}

// validationStatus says whether the customer's account may transact.
func validationStatus(k *call) (reply, *fault) {
	if !strings.EqualFold(k.query("type"), "account") {
		return reply{}, refuse(http.StatusBadRequest, 400, "type must be account.")
	}
	status := "Allowed"
	if k.customer.Locked {
		status = "NotAllowed"
	}
	return ok(map[string]any{"type": "Account", "status": status, "lastUpdateDateTime": k.customer.Since.UTC().Format(time.RFC3339)}), nil
}

func validateAddress(k *call) (reply, *fault) {
	var in struct {
		sent
		postalAddress
		Country string `json:"country"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if in.AddressLine1 == "" || in.City == "" || len(in.Country) != 2 {
		return reply{}, refuse(http.StatusBadRequest, 400, "addressLine1, city and a country of two letters are needed.")
	}
	// There is no address book on this machine: what has the right form is "not
	// validated", never "verified".
	status, message := "NotValidated", "The partner cloud has no address book: the form was checked, the place was not."
	if c, known := market.FindCountry(in.Country); known && !c.Postal(in.PostalCode) {
		status, message = "None", "The postal code has not the form that the country uses."
	}
	return ok(map[string]any{"originalAddress": json.RawMessage(k.body), "suggestedAddresses": []any{}, "status": status, "validationMessage": message}), nil
}

// mpnOf makes a partner number of seven digits that stays the same.
func mpnOf(t *world.Tenant) string {
	n := 0
	for _, c := range t.ID {
		n = (n*31 + int(c)) % 9_000_000
	}
	digits := []byte("0000000")
	n += 1_000_000
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits)
}
