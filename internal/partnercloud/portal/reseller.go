package portal

import (
	"net/http"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// The page on which an organisation becomes a partner's customer, or becomes it
// again: Partner Center's relationship request links to it. It gives the partner no
// access: delegated administration is asked for apart.

const resellerAt = "/AdminPortal/partners/invitation/reseller/"

// resellerOffer is what the page shows.
type resellerOffer struct {
	Partner, Domain, Organisation string
	Already                       bool
}

// offered finds the partner of the path and how the visitor's organisation stands to
// it; nil for an id that is no partner's. It is called under the world's lock.
func (v *adminVisit) offered(s *world.State) (*world.Tenant, *resellerOffer) {
	p := s.PartnerTenant()
	if p == nil || !strings.EqualFold(v.r.PathValue("partner"), p.ID) {
		return nil, nil
	}
	c := p.Customers.Get(v.session.tenant)
	return p, &resellerOffer{Partner: p.Name, Domain: p.Domain(), Organisation: v.name, Already: c != nil && c.Relationship == "reseller"}
}

func (v *adminVisit) noPartner(p *Portal) {
	v.message(p, http.StatusNotFound, "There is no such partner", "The link names no partner of this cloud.")
}

func (p *Portal) showReseller(v *adminVisit) {
	var x *resellerOffer
	p.world.Read(func(s *world.State) { _, x = v.offered(s) })
	if x == nil {
		v.noPartner(p)
		return
	}
	p.show(v.w, v.r, http.StatusOK, view{Title: "Relationship with " + x.Partner, Kind: "reseller", Admin: true, User: v.user.Name, CSRF: v.session.csrf,
		Reseller: x})
}

// acceptReseller makes the organisation a customer. Only a Global Administrator may.
func (p *Portal) acceptReseller(v *adminVisit) {
	if v.r.ParseForm() != nil || !same(v.r.PostForm.Get("csrf"), v.session.csrf) {
		v.message(p, http.StatusForbidden, "This form is not from here", "Open the partner's link again and answer there.")
		return
	}
	found, may, open := false, false, false
	p.world.Read(func(s *world.State) {
		partner, x := v.offered(s)
		if found = x != nil; !found {
			return
		}
		t := s.Tenant(v.session.tenant)
		if may = t.HasRole(v.session.user, v.now, entra.RoleGlobalAdministrator); !may || x.Already {
			return
		}
		open = true
		if !partner.Customers.Change(t.ID, func(c *world.Customer) { c.Relationship = "reseller"; c.ETag++ }) {
			partner.Customers.Put(&world.Customer{TenantID: t.ID, Domain: t.Domain(), Name: t.Name, Country: t.Country, Relationship: "reseller",
				Since: v.now, Currency: "USD", ETag: 1})
		}
		s.Touch(partner)
		s.Record(&world.AuditRecord{Customer: t.ID, CustomerName: t.Name, UPN: v.user.UPN, AppID: entra.AppM365Admin,
			ResourceType: "partner_customer_relationship", Operation: "create_partner_relationship"})
	})
	switch {
	case !found:
		v.noPartner(p)
	case !may:
		v.message(p, http.StatusForbidden, "You may not answer for your organisation", "A relationship with a partner is accepted by a Global Administrator.")
	case !open:
		v.message(p, http.StatusConflict, "There is nothing to accept", "Your organisation is this partner's customer already.")
	default:
		http.Redirect(v.w, v.r, v.r.URL.EscapedPath(), http.StatusSeeOther)
	}
}
