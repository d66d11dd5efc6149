package center

import (
	"cmp"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// address is a postal address with a person at it (Microsoft: Utility resources).
type addressView struct {
	Country string `json:"country"`
	Region  string `json:"region,omitempty"`
	City    string `json:"city"`
	State   string `json:"state"`
	Line1   string `json:"addressLine1"`
	Line2   string `json:"addressLine2"`
	Postal  string `json:"postalCode"`
	First   string `json:"firstName,omitempty"`
	Middle  string `json:"middleName,omitempty"`
	Last    string `json:"lastName,omitempty"`
	Phone   string `json:"phoneNumber,omitempty"`
}

type contactView struct {
	First string `json:"firstName"`
	Last  string `json:"lastName"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phoneNumber"`
}

func addressOf(a world.Address) addressView {
	return addressView{Country: a.Country, Region: a.Region, City: a.City, State: a.State, Line1: a.Line1, Line2: a.Line2, Postal: a.Postal, First: a.First,
		Middle: a.Middle, Last: a.Last, Phone: a.Phone}
}

// addressInput is an address as a client sends it.
type addressInput struct {
	postalAddress
	Country string `json:"country"`
}

// maxAddress bounds a part of an address.
const maxAddress = 256

// take reads an address by the rules of its country.
func (in *addressInput) take() (world.Address, *fault) {
	a := world.Address{Country: strings.ToUpper(in.Country), Region: in.Region, City: in.City, State: in.State, Line1: in.AddressLine1, Line2: in.AddressLine2,
		Postal: in.PostalCode, First: in.FirstName, Middle: in.MiddleName, Last: in.LastName, Phone: in.PhoneNumber}
	for _, v := range []string{a.Region, a.City, a.State, a.Line1, a.Line2, a.Postal, a.First, a.Middle, a.Last, a.Phone} {
		if len(v) > maxAddress {
			return a, deny(entra.CenterMalformed, "a part of the address is too long.")
		}
	}
	c, ok := market.FindCountry(a.Country)
	switch {
	case !ok:
		return a, deny(entra.CenterMalformed, "the address has no country that is sold to here.")
	case a.City == "" || a.Line1 == "":
		return a, deny(entra.CenterMalformed, "city and addressLine1 are needed.")
	case len(c.States) > 0 && !contains(c.States, a.State):
		return a, deny(entra.CenterMalformed, "state is none of the country's.")
	case c.PostalCode != "" && !c.Postal(a.Postal):
		return a, deny(entra.CenterMalformed, "postalCode has not the form that the country uses.")
	}
	return a, nil
}

// invented is the profile of somebody who wrote none: everything but the name is made
// up.
func invented(name, country, email string) world.BillingProfile {
	c, ok := market.FindCountry(country)
	if !ok {
		c = market.Country{Code: country, Culture: "en-US", Languages: []string{"en"}}
	}
	a := world.Address{Country: c.Code, City: "Exampleton", Line1: "1 Example Street", Postal: c.Sample, First: "Alex", Last: "Example", Phone: "5550100"}
	if len(c.States) > 0 {
		a.State = c.States[0]
	}
	return world.BillingProfile{First: "Alex", Last: "Example", Email: email, Culture: c.Culture, Language: c.Languages[0], Company: name, Address: a}
}

// own is one of the partner's profiles.
func (k *call) own(p *world.BillingProfile) world.BillingProfile {
	if p != nil {
		return *p
	}
	return invented(k.partner.Name, k.partner.Country, cmp.Or(k.partner.SecurityContact, "info@"+k.partner.Domain()))
}

func contactOf(p *world.BillingProfile) contactView {
	return contactView{p.First, p.Last, p.Email, cmp.Or(p.Phone, p.Address.Phone)}
}

// keepAccount changes what the partner said of itself.
func (k *call) keepAccount(f func(*world.Account)) {
	a := k.partner.Said()
	a.ETag = max(a.ETag, 1) + 1
	f(&a)
	k.partner.Account = &a
	k.s.Dirty()
}

// staleAccount refuses a profile that was changed since it was read.
func (k *call) staleAccount(sentTag string) *fault {
	if v := k.condition(sentTag); v != "" && v != "*" && v != etag(k.partner.Said().ETag) {
		return deny(entra.CenterETag)
	}
	return nil
}

func (k *call) accountAttributes(kind string) attributes {
	return attributes{ETag: etag(k.partner.Said().ETag), ObjectType: kind}
}

func getBillingProfile(k *call) (reply, *fault) {
	said := k.partner.Said()
	p := k.own(said.Billing)
	return ok(map[string]any{"companyName": p.Company, "address": addressOf(p.Address), "primaryContact": contactOf(&p), "purchaseOrderNumber": said.Order,
		"taxId": said.TaxID, "billingCurrency": k.billingCurrency(), "profileType": "BillingProfile", "links": selfLink("/profiles/billing"),
		"attributes": k.accountAttributes("BillingProfile")}), nil
}

// profileInput are the members that the partner's billing and legal profiles have.
type profileInput struct {
	Company string       `json:"companyName"`
	Address addressInput `json:"address"`
	Contact contactView  `json:"primaryContact"`
	sentBack
}

// take makes a profile of it.
func (in *profileInput) take() (p world.BillingProfile, f *fault) {
	for _, v := range []string{in.Company, in.Contact.First, in.Contact.Last, in.Contact.Email, in.Contact.Phone} {
		if in.Company == "" || len(v) > maxName {
			return p, deny(entra.CenterMalformed, "companyName is missing, or a member is too long.")
		}
	}
	p = world.BillingProfile{Company: in.Company, First: in.Contact.First, Last: in.Contact.Last, Email: in.Contact.Email, Phone: in.Contact.Phone}
	p.Address, f = in.Address.take()
	return p, f
}

// readAccount reads what a partner says of itself. Read-only members (echo, a part of
// in) must be as they are shown.
func (k *call) readAccount(in any, back *sentBack, echo any, show func(*call) (reply, *fault)) *fault {
	if f := k.decode(in); f != nil {
		return f
	}
	if f := k.staleAccount(back.Attributes.ETag); f != nil {
		return f
	}
	shown, f := show(k)
	if f != nil {
		return f
	}
	return unchanged(echo, shown.body)
}

func putBillingProfile(k *call) (reply, *fault) {
	var in struct {
		profileInput
		Order string `json:"purchaseOrderNumber"`
		TaxID string `json:"taxId"`
		billingEcho
	}
	if f := k.readAccount(&in, &in.sentBack, &in.billingEcho, getBillingProfile); f != nil {
		return reply{}, f
	}
	p, f := in.take()
	if f != nil {
		return reply{}, f
	}
	if len(in.Order) > maxName || len(in.TaxID) > maxName {
		return reply{}, deny(entra.CenterMalformed, "purchaseOrderNumber or taxId is too long.")
	}
	k.keepAccount(func(a *world.Account) { a.Billing, a.Order, a.TaxID = &p, in.Order, in.TaxID })
	return getBillingProfile(k)
}

type billingEcho struct {
	Currency    any `json:"billingCurrency"`
	BillingDay  any `json:"billingDay"`
	ProfileType any `json:"profileType"`
}

func getLegalProfile(k *call) (reply, *fault) {
	if v := k.query("vettingVersion"); v != "" && !strings.EqualFold(v, "Current") && !strings.EqualFold(v, "LastFinalized") {
		return reply{}, deny(entra.CenterEnum, "vettingVersion")
	}
	said := k.partner.Said()
	p := k.own(said.Legal)
	by := world.BillingProfile{Email: p.Email, Address: p.Address}
	if by.Address.First, by.Address.Last, by.Address.Phone = "", "", ""; said.Approver != nil {
		by = *said.Approver
	}
	return ok(map[string]any{"companyName": p.Company, "address": addressOf(p.Address), "primaryContact": contactOf(&p),
		"companyApproverAddress": addressOf(by.Address), "companyApproverEmail": by.Email,
		"vettingStatus": "authorized", "vettingSubStatus": "none", "profileType": "LegalBusinessProfile",
		"links": selfLink("/profiles/legalbusiness"), "attributes": k.accountAttributes("LegalBusinessProfile")}), nil
}

func putLegalProfile(k *call) (reply, *fault) {
	var in struct {
		profileInput
		ApproverAddress addressInput `json:"companyApproverAddress"`
		ApproverEmail   string       `json:"companyApproverEmail"`
		legalEcho
	}
	if f := k.readAccount(&in, &in.sentBack, &in.legalEcho, getLegalProfile); f != nil {
		return reply{}, f
	}
	p, f := in.take()
	if f != nil {
		return reply{}, f
	}
	var approver *world.BillingProfile
	if in.ApproverEmail != "" || in.ApproverAddress != (addressInput{}) {
		if len(in.ApproverEmail) > maxName {
			return reply{}, deny(entra.CenterMalformed, "companyApproverEmail is too long.")
		}
		approver = &world.BillingProfile{Email: in.ApproverEmail}
		if approver.Address, f = in.ApproverAddress.take(); f != nil {
			return reply{}, f
		}
	}
	if !strings.EqualFold(p.Address.Country, k.partner.Country) {
		return reply{}, deny(entra.CenterInvalidProperty, "the country of the legal business profile is read-only.")
	}
	k.keepAccount(func(a *world.Account) { a.Legal, a.Approver = &p, approver })
	return getLegalProfile(k)
}

type legalEcho struct {
	Vetting     any `json:"vettingStatus"`
	VettingSub  any `json:"vettingSubStatus"`
	ProfileType any `json:"profileType"`
}

func getOrganizationProfile(k *call) (reply, *fault) {
	p := k.own(k.partner.Said().Organization)
	return ok(map[string]any{"id": k.partner.ID, "companyName": p.Company, "defaultAddress": addressOf(p.Address), "tenantId": k.partner.ID,
		"domain": k.partner.Domain(), "email": p.Email, "language": p.Language, "culture": p.Culture, "profileType": "OrganizationProfile",
		"links": selfLink("/profiles/organization"), "attributes": k.accountAttributes("OrganizationProfile")}), nil
}

func putOrganizationProfile(k *call) (reply, *fault) {
	var in struct {
		Company  string       `json:"companyName"`
		Address  addressInput `json:"defaultAddress"`
		Email    string       `json:"email"`
		Language string       `json:"language"`
		Culture  string       `json:"culture"`
		organizationEcho
		sentBack
	}
	if f := k.readAccount(&in, &in.sentBack, &in.organizationEcho, getOrganizationProfile); f != nil {
		return reply{}, f
	}
	a, f := in.Address.take()
	if f != nil {
		return reply{}, f
	}
	for _, v := range []string{in.Company, in.Email, in.Language, in.Culture} {
		if v == "" || len(v) > maxName {
			return reply{}, deny(entra.CenterMalformed, "companyName, email, language and culture are needed.")
		}
	}
	k.keepAccount(func(x *world.Account) {
		x.Organization = &world.BillingProfile{Company: in.Company, Email: in.Email, Language: in.Language, Culture: in.Culture, Address: a, First: a.First,
			Last: a.Last}
	})
	return getOrganizationProfile(k)
}

type organizationEcho struct {
	ID          any `json:"id"`
	TenantID    any `json:"tenantId"`
	Domain      any `json:"domain"`
	ProfileType any `json:"profileType"`
}

func getSupportProfile(k *call) (reply, *fault) {
	s := world.Support{Email: "support@" + k.partner.Domain(), Phone: "5550100", Website: "www." + k.partner.Domain()}
	if said := k.partner.Said().Support; said != nil {
		s = *said
	}
	return ok(map[string]any{"email": s.Email, "telephone": s.Phone, "website": s.Website, "profileType": "SupportProfile",
		"links": selfLink("/profiles/support"), "attributes": k.accountAttributes("PartnerSupportProfile")}), nil
}

func putSupportProfile(k *call) (reply, *fault) {
	var in struct {
		Email   string `json:"email"`
		Phone   string `json:"telephone"`
		Website string `json:"website"`
		supportEcho
		sentBack
	}
	if f := k.readAccount(&in, &in.sentBack, &in.supportEcho, getSupportProfile); f != nil {
		return reply{}, f
	}
	for _, v := range []string{in.Email, in.Phone, in.Website} {
		if v == "" || len(v) > maxName {
			return reply{}, deny(entra.CenterMalformed, "email, telephone and website are needed.")
		}
	}
	k.keepAccount(func(a *world.Account) {
		a.Support = &world.Support{Email: in.Email, Phone: in.Phone, Website: in.Website}
	})
	return getSupportProfile(k)
}

type supportEcho struct {
	ProfileType any `json:"profileType"`
}

// getMPNProfile is the partner's own number, or whose a number is: known are its own
// and its resellers'.
func getMPNProfile(k *call) (reply, *fault) {
	own := mpnOf(k.partner)
	asked := cmp.Or(k.query("mpnId"), own)
	name := ""
	if asked == own {
		name = k.partner.Name
	}
	for _, r := range k.partner.Resellers {
		if r.MPN == asked {
			name = r.Name
		}
	}
	if name == "" {
		f := deny(entra.CenterInvalidProperty, "Partner Organization with partner_id "+clip(asked)+" could not be found")
		f.Status = 404
		return reply{}, f
	}
	return ok(map[string]any{"partnerName": name, "mpnId": asked, "profileType": "MpnProfile", "links": selfLink("/profiles/mpn"),
		"attributes": object("MpnProfile")}), nil
}
