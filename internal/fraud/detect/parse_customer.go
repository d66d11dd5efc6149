package detect

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/lenient"
)

// customerRow is a customer as lists of different makers have it.
type customerRow struct {
	ID         lenient.String `json:"id"`
	Tenant     lenient.String `json:"tenantId"`
	Customer   lenient.String `json:"customerId"`
	CustTenant lenient.String `json:"customerTenantId"`
	Name       lenient.String `json:"name"`
	Display    lenient.String `json:"displayName"`
	CustName   lenient.String `json:"customerName"`
	Company    lenient.String `json:"companyName"`
	Domain     lenient.String `json:"domain"`
	Default    lenient.String `json:"defaultDomain"`
	Country    lenient.String `json:"country"`
	Since      lenient.Time   `json:"since"`
	RelSince   lenient.Time   `json:"relationshipSince"`
	RelStart   lenient.Time   `json:"relationshipStart"`
	Created    lenient.Time   `json:"created"`
	CreatedAt  lenient.Time   `json:"createdDateTime"`
	Subs       loose          `json:"subscriptions"`
	SubIDs     loose          `json:"subscriptionIds"`
	Azure      loose          `json:"azureSubscriptions"`
	Profile    struct {
		Tenant lenient.String `json:"tenantId"`
		Name   lenient.String `json:"companyName"`
		Domain lenient.String `json:"domain"`
	} `json:"companyProfile"`
}

// maxListed is how many subscriptions of a customer are read.
const maxListed = 20_000

// ParseCustomer reads one customer of a list.
func ParseCustomer(raw []byte) (Customer, error) {
	if len(raw) > maxRecord {
		return Customer{}, errLong
	}
	var r customerRow
	if err := json.Unmarshal(raw, &r); err != nil && !json.Valid(raw) {
		return Customer{}, errObject
	}
	var c Customer
	for _, s := range []lenient.String{r.Profile.Tenant, r.CustTenant, r.Tenant, r.Customer, r.ID} {
		if c.Tenant == "" {
			c.Tenant = lowerID(string(s))
		}
	}
	if c.Tenant == "" {
		return c, errWhose
	}
	for _, s := range []lenient.String{r.Profile.Name, r.Company, r.CustName, r.Display, r.Name} {
		c.Name = first2(c.Name, string(s))
	}
	for _, s := range []lenient.String{r.Profile.Domain, r.Default, r.Domain} {
		c.Domain = first2(c.Domain, string(s))
	}
	c.Country = string(r.Country)
	for _, t := range []lenient.Time{r.RelSince, r.RelStart, r.Since, r.CreatedAt, r.Created} {
		if c.Since.IsZero() && t.Set && sane(t.Time) {
			c.Since = t.UTC()
		}
	}
	for _, l := range []loose{r.Subs, r.SubIDs, r.Azure} {
		c.Subscriptions = append(c.Subscriptions, subscriptionIDs(l)...)
	}
	return c, nil
}

// subscriptionIDs reads a list of ids, or of objects that have one.
func subscriptionIDs(l []byte) (out []string) {
	var page struct {
		Value []json.RawMessage `json:"value"`
		Items []json.RawMessage `json:"items"`
	}
	var list []json.RawMessage
	if json.Unmarshal(l, &list) != nil && json.Unmarshal(l, &page) == nil {
		list = append(page.Value, page.Items...)
	}
	for _, raw := range list[:min(len(list), maxListed)] {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			var o struct {
				Entitlement  lenient.String `json:"entitlementId"`
				Subscription lenient.String `json:"subscriptionId"`
				ID           lenient.String `json:"id"`
			}
			if json.Unmarshal(raw, &o) != nil {
				continue
			}
			s = first2(string(o.Entitlement), first2(string(o.Subscription), string(o.ID)))
		}
		if s = lowerID(strings.TrimSpace(s)); s != "" {
			out = append(out, s)
		}
	}
	return out
}
