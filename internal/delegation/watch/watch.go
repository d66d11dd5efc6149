package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
)

// Kind is what a finding is about.
type Kind string

// The kinds of findings.
const (
	Ending     Kind = "ending"               // a relationship ends, and does not extend itself
	Ended      Kind = "ended"                // one ended a short time ago
	Global     Kind = "global-administrator" // one carries Global Administrator
	Transition Kind = "made-by-microsoft"    // MLT_: made by Microsoft's transition out of DAP
	Support    Kind = "partner-support"      // Partner Tier1 or Tier2 Support
	Road       Kind = "road"                 // other roles on the way to Global Administrator
	Unused     Kind = "unused-roles"         // nobody used them, by evidence
	DAP        Kind = "dap"                  // delegated admin privileges are in place
	Inactive   Kind = "inactive-dap"         // in place, and not used for 90 days
	Left       Kind = "left"                 // somebody disabled or deleted is still in a group
	Azure      Kind = "azure-owner"          // a new right of Owner on a subscription
	Grew       Kind = "consent-grew"         // an app may do more than before
	Unread     Kind = "unread"               // what was not read, so that there may be more
)

// Severity is how grave a finding is.
type Severity string

// The severities, as notifications have them.
const (
	Notice  Severity = "notice"
	Warning Severity = "warning"
	Urgent  Severity = "urgent"
)

// Stages are how many days before its end a relationship is told of.
var Stages = []int{60, 30, 14, 7, 1}

// inactiveAfter is how long DAP may rest: Microsoft removes what was not used for 90 days.
const inactiveAfter = 90

// endedFor is how long an end is told of: access is gone, and no relationship is revived.
const endedFor = 30 * 24 * time.Hour

// Input is what is looked at. A nil part was not made, and says nothing.
type Input struct {
	Inventory *delegation.Inventory
	Recommend *recommend.Result
	Use       map[string]*use.Part // by the customer's tenant, lower case
	Seen      map[string]*Seen     // by the customer's tenant, lower case
	AsOf      time.Time
	Days      int // how far ahead ends are told; 0 is the first of Stages
}

// Finding is one thing to look at.
type Finding struct {
	ID               string    `json:"id"` // the same as long as it is the same thing
	Kind             Kind      `json:"kind"`
	Severity         Severity  `json:"severity"`
	Sure             bool      `json:"sure"` // false: as far as was read, or it may have changed since
	Customer         string    `json:"customerTenantId,omitempty"`
	CustomerName     string    `json:"customer,omitempty"`
	Relationship     string    `json:"relationshipId,omitempty"`
	RelationshipName string    `json:"relationship,omitempty"`
	Group            string    `json:"groupId,omitempty"`
	Person           string    `json:"personId,omitempty"`
	App              string    `json:"appId,omitempty"`
	Roles            []string  `json:"roles,omitempty"` // template ids
	What             string    `json:"what"`
	Where            string    `json:"where,omitempty"`
	Since            time.Time `json:"since,omitzero"`
	At               time.Time `json:"at,omitzero"`       // when it ends, or ended
	Days             int       `json:"daysLeft,omitzero"` // until then, begun days counted
	Stage            int       `json:"stage,omitzero"`    // of Stages, the nearest one that is reached
	Do               string    `json:"do"`
	Ask              string    `json:"settle,omitempty"` // the one request that settles what is not known
}

// finder holds what the looks share.
type finder struct {
	Input
	roles *role.Catalog
	out   []Finding

	resting []string // customers whose DAP may rest
	restAsk string
}

// Find finds what is to be looked at, the gravest first.
func Find(in Input) []Finding {
	f := &finder{Input: in, roles: role.Load(), out: []Finding{}}
	if f.Days <= 0 {
		f.Days = Stages[0]
	}
	inv := in.Inventory
	if inv == nil {
		return f.out
	}
	for i := range inv.Customers {
		c := &inv.Customers[i]
		for k := range c.Relationships {
			f.relationship(c, &c.Relationships[k])
		}
		f.dap(c)
		f.seen(c)
	}
	f.restingUnknown()
	f.unused()
	f.left()
	f.unread()
	slices.SortStableFunc(f.out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), order(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	return f.out
}

func rank(s Severity) int { return slices.Index([]Severity{Urgent, Warning, Notice}, s) }

// order puts dates in order, and what has none last.
func order(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

func (f *finder) add(x Finding) { f.out = append(f.out, x) }

// of makes a finding about a relationship.
func of(kind Kind, c *delegation.Customer, r *delegation.Relationship) Finding {
	return Finding{ID: string(kind) + "/" + r.ID, Kind: kind, Sure: true, Customer: c.Tenant, CustomerName: c.Name, Relationship: r.ID,
		RelationshipName: r.Name, Where: r.Name + " at " + c.Name, Since: r.Activated}
}

// names lists roles for a sentence.
func (f *finder) names(ids []string) string {
	var out []string
	for _, id := range ids {
		out = append(out, f.roles.Name(id))
	}
	return listed(out)
}

// listed lists names for a sentence, and says how many more there are.
func listed(names []string) string {
	const most = 5
	if n := len(names) - most; n > 1 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// relationship looks at one relationship.
func (f *finder) relationship(c *delegation.Customer, r *delegation.Relationship) {
	f.ends(c, r)
	if !r.Active {
		return
	}
	replace := "replace it with a relationship of the roles that the work needs: partnerguard delegation plan"
	if r.Governance {
		replace = "it is of Microsoft Entra tenant governance: look at it there; it is not to be ended here"
	}
	var support, roads []string
	for _, id := range r.Roles {
		switch known, _ := f.roles.Role(id); {
		case id == role.GlobalAdministrator:
			x := of(Global, c, r)
			x.Severity, x.Roles, x.Do = Warning, []string{id}, replace
			x.What = "The relationship carries Global Administrator, and can never extend itself"
			f.add(x)
		case id == role.PartnerTier1 || id == role.PartnerTier2:
			support = append(support, id)
		case known.Road:
			roads = append(roads, id)
		}
	}
	if len(support) > 0 {
		x := of(Support, c, r)
		x.Severity, x.Roles, x.Do = Warning, support, replace
		x.What = "The relationship carries " + f.names(support) + ", which Microsoft says not to use"
		f.add(x)
	}
	if len(roads) > 0 {
		x := of(Road, c, r)
		x.Severity, x.Roles, x.Do = Notice, roads, replace
		x.What = "The relationship carries roads to Global Administrator: " + f.names(roads)
		f.add(x)
	}
	if r.Microsoft {
		x := of(Transition, c, r)
		x.Severity, x.Roles, x.Do = Notice, r.Roles, replace
		x.What = "The relationship was made by Microsoft's transition, with its set of roles"
		f.add(x)
	}
}
