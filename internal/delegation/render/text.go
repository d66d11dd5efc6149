package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
)

// JSON writes a value; what lists its parts are never null.
func JSON(w io.Writer, v any) error { return print.JSON(w, v) }

// tidy is a text for a terminal: nothing in it steers one.
func tidy(s string) string { return print.Clean(s, 4_000) }

// ListText writes customers, one a line, and what is not known of them.
func ListText(w io.Writer, inv *delegation.Inventory, o print.Options) error {
	p := print.NewScreen(w, o)
	rows := make([][]string, 0, len(inv.Customers))
	var dap, roads, unread int
	for i := range inv.Customers {
		s := delegation.Summarize(inv, &inv.Customers[i])
		if s.DAP == delegation.Yes {
			dap++
		}
		if len(s.Roads) > 0 {
			roads++
		}
		if len(s.Unread) > 0 {
			unread++
		}
		rows = append(rows, []string{clip(s.Name, 36), dapWord(s.DAP), gdapWord(&s), endWord(s.Ends), roadWord(&s)})
	}
	if len(rows) == 0 {
		p.Headline(print.Doubt, "No customer is in what was read.")
		tellLists(p, inv)
		return p.Flush()
	}
	say := fmt.Sprintf("%s: DAP, which is Global Administrator, at %d; a role of GDAP that is or leads there at %d",
		print.Plural(int64(len(rows)), "customers"),
		dap, roads)
	if unread > 0 {
		say += fmt.Sprintf("; something not known of %d", unread)
	}
	p.Headline(toneOf(dap+roads, unread), say+".")
	p.Blank()
	table(p, []string{"customer", "DAP", "GDAP", "ends", "to Global Administrator"}, rows)
	tellLists(p, inv)
	return p.Flush()
}

func toneOf(bad, unknown int) print.Tone {
	switch {
	case bad > 0:
		return print.Bad
	case unknown > 0:
		return print.Doubt
	}
	return print.Good
}

func dapWord(a delegation.Answer) string {
	switch a {
	case delegation.Yes:
		return "in place"
	case delegation.No:
		return "none"
	}
	return "not read"
}

func gdapWord(s *delegation.Summary) string {
	word := fmt.Sprintf("%d of %d active", s.Active, s.All)
	if s.Active == 0 && s.All == 0 {
		word = "none"
	}
	if s.Pending > 0 {
		word += fmt.Sprintf(", %d asked", s.Pending)
	}
	return word
}

func endWord(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

// roadWord names what leads to Global Administrator: DAP does, by itself.
func roadWord(s *delegation.Summary) string {
	roads := s.Roads
	if s.DAP == delegation.Yes {
		roads = append([]string{"DAP"}, roads...)
	}
	if len(roads) == 0 {
		return cmp.Or(map[bool]string{true: "not all was read"}[len(s.Unread) > 0 || s.DAP != delegation.No], "no")
	}
	return strings.Join(roads, ", ")
}

// table prints rows in columns as wide as they must be; the last is wrapped.
func table(p *print.Screen, head []string, rows [][]string) {
	sizes := make([]int, len(head))
	for _, r := range append([][]string{head}, rows...) {
		for i := range r {
			sizes[i] = max(sizes[i], print.Width(tidy(r[i])))
		}
	}
	used := 0
	for _, n := range sizes[:len(sizes)-1] {
		used += n + 2
	}
	if room := p.Width() - used; room < sizes[len(sizes)-1] {
		sizes[len(sizes)-1] = max(room, 20)
	}
	line := func(r []string, st print.Style) {
		cells := make([][]print.Line, len(r))
		for i := range r {
			cells[i] = print.Lines(tidy(r[i]), sizes[i], st)
		}
		p.Put(sizes, 2, cells...)
	}
	line(head, print.Dim)
	for _, r := range rows {
		line(r, print.Plain)
	}
}

// tellLists says which lists are not whole, each with the request that settles it.
func tellLists(p *print.Screen, inv *delegation.Inventory) {
	if n := len(inv.Unclaimed); n > 0 {
		p.Blank()
		p.Print(tidy(print.Plural(int64(n), "relationships")+" name no customer: nobody approved them yet, or the record lost whose they are."), print.Plain)
	}
	if n := len(inv.Lost); n > 0 {
		p.Blank()
		p.Print(print.Plural(int64(n), "access assignments")+" do not say of which relationship they are: no relationship's are known to be all.",
			print.Plain)
	}
	first := true
	for _, name := range []string{"customers", "delegatedAdminRelationships", "delegatedAdminAccessAssignments", "groups", "groupEligibility", "users"} {
		l := inv.Lists[name]
		if l.Whole || name == "delegatedAdminAccessAssignments" && allRead(inv) {
			continue
		}
		if first {
			p.Blank()
			p.Print("Not known", print.Plain.Strong())
			first = false
		}
		p.Para("  ", tidy(evidenceAsk(name+": "+l.Why, l.Ask)), print.Plain)
	}
}

// allRead reports that every relationship's access assignments are known, be it that they stood
// inside the relationships.
func allRead(inv *delegation.Inventory) bool {
	n := 0
	for i := range inv.Customers {
		for k := range inv.Customers[i].Relationships {
			if n++; inv.Customers[i].Relationships[k].Read != delegation.Yes {
				return false
			}
		}
	}
	return n > 0
}

func evidenceAsk(thing, ask string) string {
	if ask == "" {
		return thing
	}
	return thing + "; settled by " + ask
}

// CustomerText writes one customer in full.
func CustomerText(w io.Writer, inv *delegation.Inventory, c *delegation.Customer, o print.Options) error {
	p := print.NewScreen(w, o)
	s := delegation.Summarize(inv, c)
	bad := len(s.Roads)
	if s.DAP == delegation.Yes {
		bad++
	}
	p.Headline(toneOf(bad, len(s.Unread)), tidy(c.Name+": DAP "+dapWord(c.DAP)+", GDAP "+gdapWord(&s)+"."))
	p.Para("  ", tidy("tenant "+c.Tenant+", listed in "+strings.Join(c.Listed, ", ")), print.Dim)
	if c.DAPWhy != "" {
		p.Para("  ", tidy("DAP: "+c.DAPWhy+"; settled by GET /v1/customers/"+c.Tenant), print.Plain)
	}
	for i := range c.Relationships {
		p.Blank()
		relationship(p, inv, &c.Relationships[i])
	}
	for i := range c.Azure {
		a := &c.Azure[i]
		p.Para("  ", tidy(fmt.Sprintf("Azure: %s has %s on %s", inv.GroupName(a.Principal), a.Role, a.Scope)), print.Plain)
	}
	for i := range c.Consents {
		a := &c.Consents[i]
		p.Para("  ", tidy(fmt.Sprintf("App %s: %s", cmp.Or(a.Name, a.App), strings.Join(a.Permissions, " "))), print.Plain)
	}
	tellLists(p, inv)
	return p.Flush()
}

func relationship(p *print.Screen, inv *delegation.Inventory, r *delegation.Relationship) {
	words := []string{cmp.Or(r.Status, "no status")}
	if !r.End.IsZero() {
		words = append(words, "ends "+endWord(r.End))
	}
	switch {
	case r.Microsoft:
		words = append(words, "made by Microsoft's transition")
	case r.Governance:
		words = append(words, "of tenant governance: not ours to end")
	}
	p.Print(tidy(cmp.Or(r.Name, r.ID)), print.Plain.Strong())
	p.Para("  ", tidy(strings.Join(words, ", ")), print.Plain)
	p.Para("  ", tidy(r.ID), print.Dim)
	roles := cmp.Or(strings.Join(delegation.RoleNames(r.Roles), ", "), "not read")
	if r.RolesLost {
		roles += " (not all could be read)"
	}
	p.Para("  roles  ", tidy(roles), print.Plain)
	for k := range r.Assignments {
		a := &r.Assignments[k]
		word := ""
		if !a.Active {
			word = " (" + cmp.Or(a.Status, "no access") + ")"
		}
		p.Para("  group  ", tidy(inv.GroupName(a.Group)+word+": "+membersWord(inv, a.Group)+"; "+
			strings.Join(delegation.RoleNames(a.Roles), ", ")), print.Plain)
	}
	if r.Read != delegation.Yes {
		p.Para("  ?      ", tidy(evidenceAsk(r.Why, r.Ask)), print.Plain)
	}
}

func membersWord(inv *delegation.Inventory, id string) string {
	g := inv.Groups[id]
	if g == nil {
		return "members not read"
	}
	var names []string
	for i := range g.Members {
		m := &g.Members[i]
		name := inv.PersonName(m.Person)
		if m.Eligible {
			name += " (after an activation)"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if n := len(names) - 8; n > 0 {
		names = append(names[:8], fmt.Sprintf("and %d more", n))
	}
	switch word := strings.Join(names, ", "); {
	case g.Whole:
		return cmp.Or(word, "nobody")
	case word == "":
		return "not known who: " + g.Why
	default:
		return word + "; not all are known: " + g.Why
	}
}
