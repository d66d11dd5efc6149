package delegation

import (
	"slices"
	"time"

	"partnerguard/internal/delegation/role"
)

// Summary is a customer in one line.
type Summary struct {
	Tenant   string    `json:"customerTenantId"`
	Name     string    `json:"name"`
	Domain   string    `json:"domain,omitempty"`
	DAP      Answer    `json:"dap"`
	All      int       `json:"relationships"`
	Active   int       `json:"activeRelationships"`
	Global   bool      `json:"globalAdministrator"` // an active relationship carries it
	Roads    []string  `json:"roads"`               // names of the roles of active relationships that are Global Administrator or lead there
	Roles    int       `json:"roles"`               // of active relationships
	Groups   []string  `json:"groups"`              // names of the groups that use them
	People   int       `json:"people"`              // known to be in these
	More     bool      `json:"more"`                // there may be more people or groups
	Ends     time.Time `json:"ends,omitzero"`       // the soonest of those that are active
	EndsBy   string    `json:"endsRelationshipId,omitempty"`
	Pending  int       `json:"openRequests"`
	Unread   []string  `json:"notRead"` // what is not known of it, a clause each
	MLT      bool      `json:"madeByMicrosoft,omitempty"`
	Azure    int       `json:"azureRights"`
	Reseller string    `json:"relationshipToPartner,omitempty"`
}

// Summarize tells one customer of an inventory in one line. It is pure.
func Summarize(inv *Inventory, c *Customer) Summary {
	s := Summary{Tenant: c.Tenant, Name: c.Name, Domain: c.Domain, DAP: c.DAP, All: len(c.Relationships), Azure: len(c.Azure), Reseller: c.Reseller,
		Groups: []string{}, Unread: []string{}}
	if c.DAP == Unknown {
		s.Unread = append(s.Unread, "whether DAP is in place: "+c.DAPWhy)
	}
	var roads, roles, groups, people []string
	for i := range c.Relationships {
		r := &c.Relationships[i]
		for k := range r.Requests {
			s.Pending += b2i(r.Requests[k].Open)
		}
		if !r.Active {
			continue
		}
		s.Active++
		s.MLT = s.MLT || r.Microsoft
		if !r.End.IsZero() && (s.Ends.IsZero() || r.End.Before(s.Ends)) {
			s.Ends, s.EndsBy = r.End, r.ID
		}
		for _, id := range r.Roles {
			roles = append(roles, id)
			if _, leads := Road(id); leads {
				roads = append(roads, id)
			}
			s.Global = s.Global || id == role.GlobalAdministrator
		}
		if r.RolesLost {
			s.Unread = append(s.Unread, "all roles of "+r.Name)
		}
		if r.Read != Yes {
			s.More = true
			s.Unread = append(s.Unread, "all access assignments of "+r.Name+": "+r.Why)
		}
		for k := range r.Assignments {
			if a := &r.Assignments[k]; a.Active {
				groups = append(groups, a.Group)
			}
		}
	}
	if l := inv.Lists["delegatedAdminRelationships"]; !l.Whole {
		s.Unread = append(s.Unread, "all relationships: "+l.Why)
	}
	groups = once(groups)
	for _, id := range groups {
		g := inv.Groups[id]
		s.Groups = append(s.Groups, inv.GroupName(id))
		if g == nil || !g.Whole {
			s.More = true
			s.Unread = append(s.Unread, "all members of "+inv.GroupName(id))
		}
		if g != nil {
			for k := range g.Members {
				people = append(people, g.Members[k].Person)
			}
		}
	}
	s.Roads, s.Roles, s.People = RoleNames(once(roads)), len(once(roles)), len(once(people))
	return s
}

func once(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
