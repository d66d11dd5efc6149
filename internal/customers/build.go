package customers

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// PartName is the partner's part of the snapshot.
const PartName = "customers"

// Part is what the partner's own facts say of its customers.
type Part struct {
	AsOf      time.Time  `json:"asOf"`
	Customers []Customer `json:"customers"` // by name
	// Loose counts relationships that name no customer: nobody approved them yet.
	Loose         int  `json:"loose,omitempty"`
	Whole         bool `json:"whole"`         // all customers were read
	Relationships List `json:"relationships"` // how the list of them was read
	List          List `json:"list"`          // how the list of customers was read
}

// List is how a list was read.
type List struct {
	At    time.Time `json:"at,omitzero"` // of when it is; zero: it was not read, or nothing dates it
	Whole bool      `json:"whole"`
	Read  bool      `json:"read"`
	Why   string    `json:"why,omitempty"` // it is not whole
}

// Answer is what is known of a question with two answers.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Customer is one of them.
type Customer struct {
	Tenant    string         `json:"tenant"` // id, in lower case
	Name      string         `json:"name"`
	Domain    string         `json:"domain,omitempty"`
	Relation  string         `json:"relation,omitempty"`  // relationshipToPartner
	Listed    bool           `json:"listed"`              // Partner Center lists it
	DAP       Answer         `json:"dap"`                 // delegated admin privileges
	DAPWhy    string         `json:"dapWhy,omitempty"`    // why it is unknown
	DAPSource string         `json:"dapSource,omitempty"` // where it was read
	GDAP      []Relationship `json:"gdap,omitempty"`      // those that are active first, the soonest end first
}

// Relationship is one delegated admin relationship.
type Relationship struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Status      string    `json:"status"`
	Active      bool      `json:"active"` // gives access as of the part's moment
	Begun       time.Time `json:"begun,omitzero"`
	End         time.Time `json:"end,omitzero"`     // zero: not read
	Extends     Answer    `json:"extends"`          // by itself
	By          string    `json:"by,omitempty"`     // the duration it extends by, ISO 8601
	Roles       []Role    `json:"roles,omitempty"`  // the most powerful first
	Global      bool      `json:"global,omitempty"` // Global Administrator is among them
	Road        bool      `json:"road,omitempty"`   // a role that leads to Global Administrator is
	Lost        bool      `json:"lost,omitempty"`   // not all roles could be read
	Assignments int       `json:"assignments"`      // groups that have roles of it; -1: not read
	Transition  bool      `json:"transition,omitempty"`
	Source      string    `json:"source,omitempty"`
}

// Role is a role of a relationship.
type Role struct {
	ID         string `json:"id"`
	Name       string `json:"name"` // the id where nobody knows it
	Privileged bool   `json:"privileged,omitempty"`
}

// Input is what a part is made of.
type Input struct {
	Facts *facts.Facts
	AsOf  time.Time
}

// Build makes the part. It is pure.
func Build(in Input) Part {
	f := in.Facts
	p := Part{AsOf: in.AsOf, Customers: []Customer{}, List: listOf(f, evidence.Customer, in.AsOf), Relationships: listOf(f, evidence.Relationship, in.AsOf)}
	p.Whole = p.List.Whole
	at := in.AsOf
	if !p.Relationships.At.IsZero() && p.Relationships.At.Before(at) {
		at = p.Relationships.At // what ends later may have been extended
	}
	all := map[string]*Customer{}
	for _, k := range slices.Sorted(maps.Keys(f.Customers)) {
		c := f.Customers[k]
		id := strings.ToLower(cmp.Or(c.CompanyProfile.TenantID, c.ID))
		if id == "" {
			continue
		}
		x := Customer{Tenant: clean(id), Name: print.First(clean(id), c.CompanyProfile.CompanyName, c.CompanyProfile.Domain),
			Domain:   clean(c.CompanyProfile.Domain),
			Relation: clean(strings.ToLower(string(c.Relation))), Listed: true}
		x.DAP, x.DAPWhy = dapOf(c)
		if x.DAP != Unknown {
			x.DAPSource = where(c.Source)
		}
		all[x.Tenant] = &x
	}
	for _, k := range slices.Sorted(maps.Keys(f.Relationships)) {
		r := f.Relationships[k]
		if r.Customer == nil || r.Customer.TenantID == "" {
			p.Loose++
			continue
		}
		id := clean(strings.ToLower(r.Customer.TenantID))
		if all[id] == nil {
			all[id] = &Customer{Tenant: id, Name: print.First(id, r.Customer.DisplayName), DAP: Unknown, DAPWhy: "Partner Center's list does not have it"}
		}
		all[id].GDAP = append(all[id].GDAP, relationshipOf(r, at))
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		c := all[id]
		slices.SortStableFunc(c.GDAP, func(a, b Relationship) int {
			if a.Active != b.Active {
				if a.Active {
					return -1
				}
				return 1
			}
			return cmp.Or(a.End.Compare(b.End), strings.Compare(a.ID, b.ID))
		})
		p.Customers = append(p.Customers, *c)
	}
	slices.SortStableFunc(p.Customers, func(a, b Customer) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return p
}

// maxText bounds a text of somebody else's.
const maxText = 200

func clean(s string) string { return print.Clean(s, maxText) }

// where is a source without the tenant whose archive it is: that is the partner's own, and
// who is limited to some customers is not told of it.
func where(src evidence.Source) string {
	s := src.String()
	if rest, ok := strings.CutPrefix(s, "archive:"); ok {
		_, s, _ = strings.Cut(rest, "/")
	}
	return clean(s)
}

func listOf(f *facts.Facts, k evidence.Kind, asOf time.Time) List {
	l := List{Read: f.Extent(k) != evidence.Absent, Whole: f.Whole(k)}
	if l.Read {
		l.At = f.Ages().At(k, asOf)
	}
	if cuts := f.CutSentences(k); l.Read && !l.Whole && len(cuts) > 0 {
		l.Why = clean(cuts[0])
	}
	return l
}

func dapOf(c *partner.Customer) (Answer, string) {
	switch {
	case c.Disputed:
		return Unknown, "two copies say different things"
	case !c.AllowDelegatedAccess.Set:
		return Unknown, "the list does not say it, and the customer alone was not read"
	case c.AllowDelegatedAccess.Value:
		return Yes, ""
	}
	return No, ""
}

// roads are the roles that are Global Administrator or lead there.
var roads = map[string]bool{entra.RoleGlobalAdministrator: true, entra.RolePrivilegedRoleAdministrator: true,
	entra.RolePrivilegedAuthenticationAdministrator: true}

func relationshipOf(r *partner.Relationship, at time.Time) Relationship {
	x := Relationship{ID: clean(r.ID), Name: clean(r.DisplayName), Status: clean(string(r.Status)), Active: r.Active(at), Begun: r.Activated.Time,
		End: r.EndDateTime.Time, Lost: r.RolesLost, Assignments: -1, By: clean(string(r.AutoExtend)), Source: where(r.Source),
		Transition: strings.HasPrefix(r.DisplayName, "MLT_")}
	x.Extends = extends(x.By)
	for _, id := range r.AccessDetails.Roles() {
		if id == "" || slices.ContainsFunc(x.Roles, func(o Role) bool { return o.ID == id }) {
			continue
		}
		role := Role{ID: clean(id), Name: clean(id), Privileged: entra.PrivilegedRole(id)}
		if known, ok := entra.FindRole(id); ok {
			role.Name = known.Name
		}
		x.Roles = append(x.Roles, role)
		x.Global = x.Global || id == entra.RoleGlobalAdministrator
		x.Road = x.Road || roads[id]
	}
	slices.SortStableFunc(x.Roles, func(a, b Role) int {
		return cmp.Or(rank(b)-rank(a), strings.Compare(a.Name, b.Name))
	})
	if x.Global && x.Extends != Unknown {
		x.Extends = No // Microsoft never extends one with this role
	}
	if r.Assignments.Set {
		x.Assignments = len(r.Assignments.Items)
	}
	return x
}

func rank(r Role) int {
	switch {
	case r.ID == entra.RoleGlobalAdministrator:
		return 3
	case roads[r.ID]:
		return 2
	case r.Privileged:
		return 1
	}
	return 0
}

// extends reads autoExtendDuration: PT0S is never, P180D is by half a year.
func extends(by string) Answer {
	switch s := strings.ToUpper(by); {
	case s == "":
		return Unknown
	case s == "PT0S" || s == "P0D" || s == "00:00:00":
		return No
	case strings.HasPrefix(s, "P"):
		return Yes
	}
	return Unknown
}
