package watch

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
)

// dap looks at delegated admin privileges. Customers of which it is not known are one finding.
func (f *finder) dap(c *delegation.Customer) {
	if c.DAP != delegation.Yes {
		return
	}
	x := Finding{ID: "dap/" + c.Tenant, Kind: DAP, Severity: Warning, Sure: true, Customer: c.Tenant, CustomerName: c.Name, Where: c.Name,
		What: "Delegated admin privileges are in place: every admin agent is as good as Global Administrator there",
		Do:   "set up GDAP, then take DAP away by AllowDelegatedAccess=false: partnerguard delegation plan"}
	f.add(x)
	x.ID, x.Kind = "inactive-dap/"+c.Tenant, Inactive
	x.Do = "take DAP away by AllowDelegatedAccess=false"
	switch rests, ask := Rests(f.Use[c.Tenant], f.AsOf); {
	case rests == delegation.Yes:
		x.What = fmt.Sprintf("Delegated admin privileges were not used for %d days", inactiveAfter)
		x.Since = f.AsOf.Add(-inactiveAfter * day)
		f.add(x)
	case rests == delegation.Unknown:
		f.resting = append(f.resting, c.Name)
		f.restAsk = ask
	}
}

// restingUnknown is one finding of all customers of which it is not known whether DAP was used.
func (f *finder) restingUnknown() {
	if len(f.resting) == 0 {
		return
	}
	f.add(Finding{ID: "inactive-dap/unknown", Kind: Inactive, Severity: Notice, Where: listed(f.resting), Ask: f.restAsk,
		What: fmt.Sprintf("Whether delegated admin privileges were used in the last %d days is not known at %s", inactiveAfter,
			map[bool]string{true: "1 customer", false: fmt.Sprintf("%d customers", len(f.resting))}[len(f.resting) == 1]),
		Do: "read the logs of these customers, or take DAP away there"})
}

// Rests says whether nobody of the partner was seen at a customer in the 90 days before a moment,
// and the request that settles it. Both logs have to be there for every day: a person who only
// looks leaves a sign-in and no act. A nil part was not read.
func Rests(p *use.Part, asOf time.Time) (delegation.Answer, string) {
	if p == nil {
		return delegation.Unknown, "GET /auditLogs/directoryAudits and GET /auditLogs/signIns of the customer, for 90 days"
	}
	p = p.Within(asOf.Truncate(day), inactiveAfter, asOf) // today is not over
	if len(p.Acts) > 0 {
		return delegation.No, ""
	}
	for _, kind := range []evidence.Kind{evidence.DirectoryAudit, evidence.SignIn} {
		whole := false
		ask := evidence.RequestFor(kind)
		for _, l := range p.Logs {
			if l.Kind == kind {
				whole = l.Read && l.Days >= inactiveAfter && l.Complete >= l.Days
				if l.Ask != "" {
					ask = l.Ask
				}
			}
		}
		if !whole {
			return delegation.Unknown, ask
		}
	}
	if p.Overflow || p.Unread > 0 {
		return delegation.Unknown, evidence.RequestFor(evidence.DirectoryAudit)
	}
	return delegation.Yes, ""
}

// unused looks at granted roles that nobody used, by evidence. What left no trace is not unused.
func (f *finder) unused() {
	if f.Recommend == nil {
		return
	}
	for i := range f.Recommend.Items {
		it := &f.Recommend.Items[i]
		var ids []string
		for _, d := range it.Dropped {
			if d.Sure == recommend.ByEvidence {
				ids = append(ids, d.Role)
			}
		}
		if !it.Judged || len(ids) == 0 {
			continue
		}
		customer, group := f.Inventory.CustomerName(it.Customer), it.Group
		if g := f.Inventory.Groups[it.Group]; g != nil {
			group = g.Name
		}
		f.add(Finding{ID: "unused-roles/" + it.Relationship + "/" + it.Group, Kind: Unused, Severity: Notice, Sure: true, Customer: it.Customer,
			CustomerName: customer, Relationship: it.Relationship, Group: it.Group, Roles: ids, Where: "the group " + group + " at " + customer,
			Since: f.Recommend.Window.From,
			What:  fmt.Sprintf("Nobody used in %d days: %s", f.Recommend.Window.Days, f.names(ids)),
			Do:    "plan a smaller set: partnerguard delegation recommend --customer " + it.Customer})
	}
}

// left looks at people who were disabled or deleted, and are still in groups that hold roles.
func (f *finder) left() {
	inv := f.Inventory
	reach := map[string]map[string]bool{} // group -> customers
	for i := range inv.Customers {
		c := &inv.Customers[i]
		for k := range c.Relationships {
			for _, a := range c.Relationships[k].Assignments {
				if !a.Active {
					continue
				}
				if reach[a.Group] == nil {
					reach[a.Group] = map[string]bool{}
				}
				reach[a.Group][c.Tenant] = true
			}
		}
	}
	for _, id := range inv.AdminAgents {
		for i := range inv.Customers {
			if inv.Customers[i].DAP == delegation.Yes {
				if reach[id] == nil {
					reach[id] = map[string]bool{}
				}
				reach[id][inv.Customers[i].Tenant] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(inv.People)) {
		f.gone(inv.People[id], reach)
	}
}

// gone tells of one person who left.
func (f *finder) gone(p *delegation.Person, reach map[string]map[string]bool) {
	inv := f.Inventory
	how := ""
	switch {
	case p.App:
		return
	case p.Known && p.Enabled == delegation.No:
		how = "is disabled"
	case !p.Known && inv.Lists["users"].Whole:
		how = "is in no list of users: deleted, or of another tenant"
	default:
		return
	}
	var groups []string
	customers := map[string]bool{}
	sure := true
	for _, g := range slices.Sorted(maps.Keys(inv.Groups)) {
		if len(reach[g]) == 0 {
			continue
		}
		for _, m := range inv.Groups[g].Members {
			if m.Person == p.ID {
				groups = append(groups, inv.Groups[g].Name)
				maps.Copy(customers, reach[g])
				sure = sure && !m.Perhaps
				break
			}
		}
	}
	if len(groups) == 0 {
		return
	}
	f.add(Finding{ID: "left/" + p.ID, Kind: Left, Severity: Warning, Sure: sure, Person: p.ID, Where: listed(groups),
		What: fmt.Sprintf("%s %s, and is still in groups that reach %d customers", inv.PersonName(p.ID), how, len(customers)),
		Do:   "take the account out of the groups, also out of the groups within them"})
}
