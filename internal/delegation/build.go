package delegation

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// PartName is the partner's part of the snapshot.
const PartName = "delegation"

// maxText bounds a text of somebody else's.
const maxText = 200

func clean(s string) string { return print.Clean(s, maxText) }

// Build makes the inventory of a partner out of its own facts, as of a moment. What it
// gives shares no text with the facts that would keep them alive for long. It is pure, but
// resolves the facts' memberships where that was not done yet; it is not safe for
// concurrent use with the same facts.
func Build(f *facts.Facts, at time.Time) *Inventory {
	if !f.At.Equal(at) {
		f.SetTime(at)
	}
	b := &builder{f: f, at: at, standing: f.Standing(), texts: map[string]string{}, customers: map[string]*Customer{}, ends: map[string]bool{},
		inv: &Inventory{AsOf: at, Groups: map[string]*Group{}, People: map[string]*Person{}, Lists: map[string]ListRead{}}}
	for _, o := range f.Directory.Organizations {
		b.inv.Tenant = cmp.Or(b.inv.Tenant, strings.ToLower(clean(cmp.Or(o.ID, o.TenantID))))
	}
	b.lists()
	b.named()
	b.relationships()
	b.agents()
	b.groups()
	for _, id := range slices.Sorted(maps.Keys(b.customers)) {
		b.inv.Customers = append(b.inv.Customers, *b.customers[id])
	}
	b.inv.Customers = slices.Clip(b.inv.Customers)
	slices.SortStableFunc(b.inv.Customers, func(x, y Customer) int {
		return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
	})
	return b.inv
}

type builder struct {
	f         *facts.Facts
	at        time.Time
	standing  *directory.Standing
	texts     map[string]string // each text once: roles and groups recur thousandfold
	customers map[string]*Customer
	ends      map[string]bool // collections of relationships: read to their end
	inv       *Inventory
	schedules map[string][]*directory.GroupSchedule // eligible ones, by group
}

// text is s in lower case, kept once.
func (b *builder) text(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if known, ok := b.texts[s]; ok {
		return known
	}
	s = strings.Clone(clean(s))
	b.texts[s] = s
	return s
}

// read are the lists that the inventory is made of, by their Graph name.
var read = map[string]evidence.Kind{
	"delegatedAdminRelationships": evidence.Relationship, "delegatedAdminAccessAssignments": evidence.AccessAssignment,
	"delegatedAdminRelationshipRequests": evidence.RelationshipRequest, "delegatedAdminRelationshipOperations": evidence.RelationshipAction,
	"delegatedAdminCustomers": evidence.DelegatedCustomer, "contracts": evidence.Contract, "customers": evidence.Customer,
	"groups": evidence.Group, "groupEligibility": evidence.GroupEligibility, "groupAssignments": evidence.GroupAssignment,
	"users": evidence.User, "servicePrincipals": evidence.ServicePrincipal,
}

func (b *builder) lists() {
	ages := b.f.Ages()
	for name, kind := range read {
		l := ListRead{Whole: b.f.Whole(kind)}
		switch b.f.Extent(kind) {
		case evidence.Absent:
			l.Why = "it was not read"
		case evidence.Partly:
			l.Why = "it is not whole"
			if cuts := b.f.CutSentences(kind); len(cuts) > 0 {
				l.Why = clean(cuts[0])
			}
			l.At = ages.At(kind, b.at)
		default:
			l.At = ages.At(kind, b.at)
		}
		if !l.Whole {
			l.Ask = requestOf(kind)
		}
		b.inv.Lists[name] = l
	}
	for i := range b.f.Inputs {
		in := &b.f.Inputs[i]
		for set, whole := range in.Sets {
			b.ends[set] = b.ends[set] || whole && in.Status == evidence.Read
		}
	}
}

// requestOf is the one request that reads a list.
func requestOf(kind evidence.Kind) string {
	if ask := evidence.RequestFor(kind); ask != "" {
		return ask
	}
	for _, r := range evidence.Resources() {
		if r.Kind == kind {
			return r.String()
		}
	}
	return ""
}

// customer is the customer of a tenant, which a list names.
func (b *builder) customer(tenant, name, list string) *Customer {
	id := b.text(tenant)
	c := b.customers[id]
	if c == nil {
		c = &Customer{Tenant: id, DAP: Unknown, DAPWhy: "Partner Center's list does not have it", Relationships: []Relationship{}}
		b.customers[id] = c
	}
	if !slices.Contains(c.Listed, list) {
		c.Listed = append(c.Listed, list)
	}
	if c.Name == "" || c.Name == id {
		c.Name = print.First(id, name)
	}
	return c
}

// named takes the lists that name customers. Partner Center's comes first: it alone says DAP.
func (b *builder) named() {
	for _, key := range sorted(b.f.Customers) {
		p := b.f.Customers[key]
		id := cmp.Or(p.CompanyProfile.TenantID, p.ID)
		if id == "" {
			continue
		}
		c := b.customer(id, cmp.Or(p.CompanyProfile.CompanyName, p.CompanyProfile.Domain), "customers")
		c.Domain, c.Reseller = clean(p.CompanyProfile.Domain), clean(string(p.Relation))
		c.DAP, c.DAPWhy, c.DAPSource = dapOf(p)
	}
	for list, kind := range map[string]evidence.Kind{"delegatedAdminCustomers": evidence.DelegatedCustomer, "contracts": evidence.Contract} {
		for _, key := range sorted(b.f.Named[kind]) {
			n := b.f.Named[kind][key]
			if id := cmp.Or(n.CustomerID, n.TenantID); id != "" {
				c := b.customer(id, n.Name, list)
				c.Domain = cmp.Or(c.Domain, clean(string(n.Domain)))
			}
		}
	}
	for _, c := range b.customers {
		slices.Sort(c.Listed)
	}
}

// dapOf says whether DAP is in place. Only a customer's own record says it, and two that
// disagree say nothing.
func dapOf(c *partner.Customer) (a Answer, why, source string) {
	switch {
	case c.Disputed:
		return Unknown, "two copies of the customer say different things of allowDelegatedAccess", ""
	case !c.AllowDelegatedAccess.Set:
		return Unknown, "the list does not say it, and the customer alone was not read", ""
	case c.AllowDelegatedAccess.Value:
		return Yes, "", where(c.Source)
	}
	return No, "", where(c.Source)
}

// where is a source without the tenant whose archive it is.
func where(src evidence.Source) string {
	s := src.String()
	if rest, ok := strings.CutPrefix(s, "archive:"); ok {
		_, s, _ = strings.Cut(rest, "/")
	}
	return clean(s)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func day(t lenient.Time) time.Time {
	if !t.Set {
		return time.Time{}
	}
	return t.Time
}
