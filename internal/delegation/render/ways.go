package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
)

// maxShown bounds the ways that a screen lists; JSON and CSV have all.
const maxShown = 60

// WaysText answers a question: in sentences first, then way by way.
func WaysText(w io.Writer, inv *delegation.Inventory, ways *delegation.Ways, o print.Options) error {
	p := print.NewScreen(w, o)
	bad := 0
	for i := range ways.Paths {
		if ways.Paths[i].Leads() && !ways.Paths[i].Perhaps {
			bad++
		}
	}
	for i, s := range ways.Says {
		if i == 0 {
			p.Headline(toneOf(bad, len(ways.Open)), tidy(s))
			continue
		}
		p.Para("  ", tidy(s), print.Plain)
	}
	list := slices.Clone(ways.Paths)
	slices.SortStableFunc(list, func(a, b delegation.Path) int { return urgency(&a) - urgency(&b) })
	rows := make([][]string, 0, min(len(list), maxShown))
	for i := range list {
		if i == maxShown {
			break
		}
		x := &list[i]
		row := []string{clip(PersonWord(inv, x), 26), clip(HowWord(inv, x), 34), clip(inv.CustomerName(x.Customer), 22), RoleWord(x)}
		if ways.Question.Customer != "" {
			row = slices.Delete(row, 2, 3)
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		head := []string{"who", "by", "customer", "role"}
		if ways.Question.Customer != "" {
			head = slices.Delete(head, 2, 3)
		}
		p.Blank()
		table(p, head, rows)
		p.More("", len(list)-len(rows), ": --output json has all")
	}
	if len(ways.Open) > 0 {
		p.Blank()
		p.Print("Not known", print.Plain.Strong())
		for i, x := range ways.Open {
			if i == maxShown {
				p.More("  ", len(ways.Open)-i, ": --output json has all")
				break
			}
			p.Para("  ", tidy(evidenceAsk(x.What, x.Ask)), print.Plain)
		}
	}
	return p.Flush()
}

// urgency puts what is Global Administrator before what leads there, what is sure before what
// is not.
func urgency(p *delegation.Path) int {
	n := 4
	switch {
	case p.Global:
		n = 0
	case p.Step != "":
		n = 2
	}
	if p.Perhaps {
		n += 5
	} else if p.Eligible {
		n++
	}
	return n
}

// PersonWord is who goes a way.
func PersonWord(inv *delegation.Inventory, p *delegation.Path) string {
	if p.Kind == delegation.ByConsent {
		return "the app " + p.App
	}
	return inv.PersonName(p.Person)
}

// HowWord is by what a way goes, from the group outwards.
func HowWord(inv *delegation.Inventory, p *delegation.Path) string {
	var by []string
	for i := len(p.Via) - 1; i >= 0; i-- {
		by = append(by, inv.GroupName(p.Via[i]))
	}
	if p.Group != "" {
		by = append(by, inv.GroupName(p.Group))
	}
	switch p.Kind {
	case delegation.ByDAP:
		by = append(by, "DAP")
	case delegation.ByAzure:
		by = append(by, "Azure "+p.Subscription)
	case delegation.ByConsent:
		by = append(by, "consent")
	default:
		if p.Group == "" {
			by = append(by, "a group that was not read")
		}
	}
	return strings.Join(by, " > ")
}

// RoleWord is what a way opens, and how.
func RoleWord(p *delegation.Path) string {
	s := p.RoleName
	if p.Step != "" {
		s += ": " + p.Step
	}
	if p.Eligible {
		s += " (after an activation)"
	}
	if p.Perhaps {
		s += " (perhaps: " + p.Why + ")"
	}
	return s
}

// WaysCSV writes one row a way.
func WaysCSV(w io.Writer, inv *delegation.Inventory, ways *delegation.Ways) error {
	out := print.NewSheet(w, "kind", "person", "person_id", "user_principal_name", "app_id", "nested", "group", "group_id", "relationship_id", "customer",
		"customer_tenant_id", "subscription_id", "role", "role_id", "global_administrator", "step", "eligible", "perhaps", "why", "settle")
	for i := range ways.Paths {
		p := &ways.Paths[i]
		upn, group := "", ""
		if who := inv.People[p.Person]; who != nil {
			upn = who.UPN
		}
		if p.Group != "" {
			group = inv.GroupName(p.Group)
		}
		var via []string
		for _, g := range p.Via {
			via = append(via, inv.GroupName(g))
		}
		out.Row(string(p.Kind), PersonWord(inv, p), p.Person, upn, p.App, strings.Join(via, " | "), group, p.Group, p.Relationship,
			inv.CustomerName(p.Customer), p.Customer, p.Subscription, p.RoleName, p.Role, strconv.FormatBool(p.Global), p.Step,
			strconv.FormatBool(p.Eligible), strconv.FormatBool(p.Perhaps), p.Why, p.Ask)
	}
	return out.Close()
}

// ListCSV writes one row for each relationship and group that uses it; a customer or a
// relationship without one has a row of its own.
func ListCSV(w io.Writer, inv *delegation.Inventory) error {
	out := print.NewSheet(w, "customer", "customer_tenant_id", "domain", "dap", "dap_why", "relation", "relationship", "relationship_id", "status",
		"active", "activated", "ends", "extends", "made_by", "relationship_roles", "assignments_read", "group", "group_id", "group_whole", "members",
		"assignment_status", "roles", "role_ids")
	for i := range inv.Customers {
		c := &inv.Customers[i]
		head := []string{c.Name, c.Tenant, c.Domain, string(c.DAP), c.DAPWhy, c.Reseller}
		if len(c.Relationships) == 0 {
			out.Row(slices.Concat(head, make([]string, 17))...)
		}
		for k := range c.Relationships {
			r := &c.Relationships[k]
			by := map[bool]string{true: "Microsoft"}[r.Microsoft] + map[bool]string{true: "tenant governance"}[r.Governance]
			row := slices.Concat(head, []string{r.Name, r.ID, r.Status, strconv.FormatBool(r.Active), stamp(r.Activated), stamp(r.End), r.AutoExtend, by,
				strings.Join(delegation.RoleNames(r.Roles), " | "), cmp.Or(string(r.Read), "unknown")})
			if len(r.Assignments) == 0 {
				out.Row(slices.Concat(row, make([]string, 7))...)
			}
			for n := range r.Assignments {
				a := &r.Assignments[n]
				whole, members := "", ""
				if g := inv.Groups[a.Group]; g != nil {
					whole, members = strconv.FormatBool(g.Whole), fmt.Sprint(len(g.Members))
				}
				out.Row(slices.Concat(row, []string{inv.GroupName(a.Group), a.Group, whole, members, a.Status,
					strings.Join(delegation.RoleNames(a.Roles), " | "), strings.Join(a.Roles, " | ")})...)
			}
		}
	}
	return out.Close()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return print.Stamp(&t)
}
