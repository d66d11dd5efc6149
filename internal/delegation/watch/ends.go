package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
)

const day = 24 * time.Hour

// Extends says whether a relationship extends itself at its end: it does where a duration is
// set for that, but never with Global Administrator. It is unknown where its roles were lost.
func Extends(r *delegation.Relationship) delegation.Answer {
	switch set := strings.ToUpper(strings.TrimSpace(r.AutoExtend)); {
	case set == "" || set == "PT0S" || set == "P0D":
		return delegation.No
	case slices.Contains(r.Roles, role.GlobalAdministrator):
		return delegation.No
	case r.RolesLost || len(r.Roles) == 0:
		return delegation.Unknown
	}
	return delegation.Yes
}

// stage is the nearest of Stages that is reached with so many days left; 0 none is.
func stage(days int) int {
	at := 0
	for _, s := range Stages {
		if days <= s {
			at = s
		}
	}
	return at
}

// daysLeft counts the days until a moment; a begun day counts.
func daysLeft(asOf, end time.Time) int {
	d := end.Sub(asOf)
	return int((d + day - 1) / day)
}

// request asks for one relationship.
func request(id string) string { return "GET /tenantRelationships/delegatedAdminRelationships/" + id }

// ends looks at when a relationship ends.
func (f *finder) ends(c *delegation.Customer, r *delegation.Relationship) {
	if r.End.IsZero() {
		return // told of with what was not read
	}
	extends := Extends(r)
	if !r.Active || !r.End.After(f.AsOf) {
		if !r.Active || extends != delegation.Yes {
			f.ended(c, r)
		}
		return
	}
	days := daysLeft(f.AsOf, r.End)
	if days > f.Days || extends == delegation.Yes {
		return
	}
	x := of(Ending, c, r)
	x.At, x.Days, x.Stage, x.Severity = r.End, days, stage(days), Notice
	switch {
	case days <= 7:
		x.Severity = Urgent
	case days <= 14:
		x.Severity = Warning
	}
	x.What = "The relationship ends on " + r.End.UTC().Format("2 Jan 2006")
	x.Do = "have the customer approve a new one before that day: partnerguard delegation plan; after its end it cannot be revived"
	switch {
	case r.Governance:
		x.Do = "it is of Microsoft Entra tenant governance: renew it there"
	case extends == delegation.Unknown:
		x.Sure, x.Ask = false, request(r.ID)
		x.What += ", unless it extends itself: whether it carries Global Administrator was lost"
	case slices.Contains(r.Roles, role.GlobalAdministrator) && r.AutoExtend != "" && !strings.EqualFold(r.AutoExtend, "PT0S"):
		x.What += ": with Global Administrator it does not extend itself, though that is set"
	case !slices.Contains(r.Roles, role.GlobalAdministrator):
		x.Do = "turn on its automatic extension in Partner Center, or " + x.Do
	}
	f.add(x)
}

// ended tells of one that ended a short time ago.
func (f *finder) ended(c *delegation.Customer, r *delegation.Relationship) {
	ago := f.AsOf.Sub(r.End)
	if ago < 0 || ago > endedFor || strings.HasPrefix(strings.ToLower(r.Status), "terminat") {
		return
	}
	x := of(Ended, c, r)
	x.At, x.Severity = r.End, Warning
	x.What = "The relationship ended on " + r.End.UTC().Format("2 Jan 2006")
	x.Do = "ask the customer for a new one if work is to go on: an ended one cannot be revived"
	if slices.ContainsFunc(c.Relationships, func(o delegation.Relationship) bool { return o.Active && o.End.After(f.AsOf) }) {
		x.Severity, x.What = Notice, x.What+"; another one with this customer is active"
	}
	if strings.EqualFold(r.Status, "active") {
		x.Sure, x.Ask = false, request(r.ID)
		x.What = "The relationship's end has come, on " + r.End.UTC().Format("2 Jan 2006") + ", unless it was extended since it was read"
	}
	f.add(x)
}

// unread says of which lists more may be hidden.
func (f *finder) unread() {
	inv := f.Inventory
	for _, list := range []struct{ name, what string }{
		{"delegatedAdminRelationships", "relationships that end, or that carry too much"},
		{"customers", "customers with delegated admin privileges"},
	} {
		l, read := inv.Lists[list.name]
		if l.Whole {
			continue
		}
		why := l.Why
		if !read || why == "" {
			why = "it was not read"
		}
		f.add(Finding{ID: "unread/" + list.name, Kind: Unread, Severity: Notice, Sure: true, Where: list.name, Ask: l.Ask, Do: "read the list whole",
			What: "There may be more " + list.what + " than is known: " + why})
	}
	var undated []string
	ask := ""
	for i := range inv.Customers {
		for k := range inv.Customers[i].Relationships {
			if r := &inv.Customers[i].Relationships[k]; r.Active && r.End.IsZero() {
				undated = append(undated, r.Name+" at "+inv.Customers[i].Name)
				ask = request(r.ID)
			}
		}
	}
	if n := len(undated); n > 0 {
		f.add(Finding{ID: "unread/ends", Kind: Unread, Severity: Notice, Where: listed(undated), Ask: ask, Do: "read the relationships again", Sure: true,
			What: fmt.Sprintf("When %d active relationships end is not known", n)})
	}
}
