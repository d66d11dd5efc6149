package watch

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/print"
)

// SchemaID names the form of Report as JSON.
const SchemaID = "partnerguard.delegation.watch/1"

// Report is what delegation expiring answers.
type Report struct {
	Schema   string            `json:"schema"`
	AsOf     time.Time         `json:"asOf"`
	Days     int               `json:"days"`   // how far ahead
	Active   int               `json:"active"` // relationships that give access
	Extends  int               `json:"extend"` // of them, those that extend themselves
	Findings []Finding         `json:"findings"`
	Names    map[string]string `json:"names"` // of the roles that findings name by id
	Sample   bool              `json:"sample"`
}

// Ends are the findings about the ends of relationships, and of what was not read of them.
func Ends(list []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(list), func(x Finding) bool {
		return x.Kind != Ending && x.Kind != Ended && (x.Kind != Unread || x.ID == "unread/customers")
	})
}

// Tell makes a report of findings.
func Tell(inv *delegation.Inventory, findings []Finding, asOf time.Time, days int) *Report {
	r := &Report{Schema: SchemaID, AsOf: asOf, Days: days, Findings: print.List(findings), Names: map[string]string{}}
	for i := range findings {
		for _, id := range findings[i].Roles {
			r.Names[id] = role.Load().Name(id)
		}
	}
	for i := range inv.Customers {
		for k := range inv.Customers[i].Relationships {
			if x := &inv.Customers[i].Relationships[k]; x.Active {
				r.Active++
				if Extends(x) == delegation.Yes {
					r.Extends++
				}
			}
		}
	}
	return r
}

// JSON writes all of it.
func JSON(w io.Writer, r *Report) error {
	c := *r
	c.AsOf = print.SettledTime(c.AsOf)
	return print.JSON(w, &c)
}

// CSV writes one row a finding.
func CSV(w io.Writer, r *Report) error {
	out := print.NewSheet(w, "kind", "severity", "sure", "ends", "days_left", "customer", "customer_tenant_id", "relationship", "relationship_id", "group_id",
		"person_id", "app_id", "roles", "what", "where", "since", "do", "settle", "id")
	for i := range r.Findings {
		x := &r.Findings[i]
		left := ""
		if x.Kind == Ending {
			left = strconv.Itoa(x.Days)
		}
		var names []string
		for _, id := range x.Roles {
			names = append(names, r.Names[id])
		}
		out.Row(string(x.Kind), string(x.Severity), strconv.FormatBool(x.Sure), date(x.At), left, x.CustomerName, x.Customer, x.RelationshipName, x.Relationship,
			x.Group, x.Person, x.App, strings.Join(names, " | "), x.What, x.Where, date(x.Since), x.Do, x.Ask, x.ID)
	}
	return out.Close()
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Text writes the report for a terminal: the answer first, then what ends soonest.
func Text(w io.Writer, r *Report, o print.Options) error {
	p := print.NewScreen(w, o)
	ending := 0
	for i := range r.Findings {
		if r.Findings[i].Kind == Ending {
			ending++
		}
	}
	p.Para("", headline(r, ending), print.Bold)
	p.Para("", fmt.Sprintf("As of %s · %s, of which %d extend themselves", print.When(print.SettledTime(r.AsOf)),
		map[bool]string{true: "1 active relationship", false: fmt.Sprintf("%d active relationships", r.Active)}[r.Active == 1], r.Extends), print.Plain)
	p.Sample(r.Sample)
	for i := range r.Findings {
		x := &r.Findings[i]
		p.Blank()
		lead := map[Severity]string{Urgent: "! ", Warning: "! ", Notice: "· "}[x.Severity]
		if !x.Sure || x.Kind == Unread {
			lead = "? "
		}
		text := x.What
		if x.Where != "" {
			text = x.Where + ": " + x.What
		}
		if x.Kind == Ending {
			text += ", " + inDays(x.Days)
		}
		p.Para(lead, text, print.Plain)
		p.Para("  ", print.Sentence(x.Do), print.Dim)
		if x.Ask != "" {
			p.Para("  ", "To settle it: "+x.Ask, print.Dim)
		}
	}
	return p.Flush()
}

func headline(r *Report, ending int) string {
	switch {
	case ending > 0:
		return fmt.Sprintf("%s within %d days", map[bool]string{true: "1 relationship ends", false: fmt.Sprintf("%d relationships end", ending)}[ending == 1], r.Days)
	case slices.ContainsFunc(r.Findings, func(x Finding) bool { return x.Kind == Unread }):
		return fmt.Sprintf("No relationship that was read ends within %d days; there may be more", r.Days)
	}
	return fmt.Sprintf("No relationship ends within %d days", r.Days)
}

// inDays says in how many days, begun ones counted.
func inDays(n int) string {
	switch n {
	case 0:
		return "now"
	case 1:
		return "within a day"
	}
	return fmt.Sprintf("in %d days", n)
}
