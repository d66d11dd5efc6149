package recommend

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// How much a terminal is told; the rest is in the CSV and the JSON.
const (
	mostItems = 8
	mostLines = 12
)

// Text writes the recommendation for a terminal: the answer first, then the assignments by
// template, then what could not be said.
func (r *Result) Text(w io.Writer, o print.Options) error {
	p := print.NewScreen(w, o)
	p.Para("", "Which roles does the staff need at the customers?", print.Bold)
	p.Para("", r.Window.words(), print.Plain)
	if r.Job != "" {
		p.Para("", "Of one job: "+r.Job, print.Plain)
	}
	p.Sample(r.Sample)
	p.Blank()
	r.headline(p)
	for i := range r.Templates {
		r.template(p, &r.Templates[i])
	}
	r.group(p, "Nothing is needed", "no act of the window calls for a role here", func(it *Item) bool { return it.Judged && it.Template == "" })
	r.group(p, "Not judged", "what is granted stays", func(it *Item) bool { return !it.Judged })
	r.waits(p)
	r.dap(p)
	r.unexplained(p)
	return p.Flush()
}

// words say what was looked at.
func (w *Window) words() string {
	return fmt.Sprintf("From %s to %s, %s; of each customer's directory audit log that was read at least %d are complete", w.From.UTC().Format(time.DateOnly),
		w.To.UTC().Format(time.DateOnly), print.Plural(int64(w.Days), "days"), w.Complete)
}

func (r *Result) headline(p *print.Screen) {
	s := &r.Summary
	gone := s.ByEvidence + s.NoEvidence
	tone, say := print.Good, fmt.Sprintf("%d of %d granted roles can go, in %d of %s", gone, s.Granted, s.Less, print.Plural(int64(s.Items),
		"assignments"))
	switch {
	case s.Items == 0:
		tone, say = print.Doubt, "No access assignment of an active relationship is in what was read"
	case s.Judged == 0:
		tone, say = print.Doubt, "Nothing could be judged: "+print.Saying(r.Items[0].Why)
	case gone > 0:
		tone = print.Bad
		say += fmt.Sprintf(": %d by evidence, %d without", s.ByEvidence, s.NoEvidence)
	}
	p.Headline(tone, say+".")
	if s.Roads+s.RoadsKept > 0 {
		p.Para("  ", fmt.Sprintf("%d of %d ways to Global Administrator close.", s.Roads, s.Roads+s.RoadsKept), print.Bold)
	}
	if s.Acts > 0 {
		p.Para("  ", fmt.Sprintf("Replayed against what is recommended, %d of %s would have been refused.", s.Refused, print.Plural(s.Acts, "recorded acts")),
			print.Plain)
	}
	if s.NoEvidence > 0 {
		p.Para("  ! ", "Without evidence: what such a role is for leaves no trace in what was read, or days are missing. "+
			"It is not said to be unused.", print.Yellow)
	}
	for _, ask := range r.asks() {
		p.Para("    → ", ask, print.Cyan)
	}
}

// asks are the requests that would settle what is not complete. Where nothing could be judged
// they say what has to be read before anything can.
func (r *Result) asks() (out []string) {
	switch {
	case len(r.Items) == 0:
		return []string{"GET /tenantRelationships/delegatedAdminRelationships, every page, then {id}/accessAssignments of each " +
			"(DelegatedAdminRelationship.Read.All); a file for each relationship, named by its id"}
	case r.Summary.Judged == 0 && r.Items[0].Complete == 0:
		out = append(out, "GET /auditLogs/directoryAudits in the customer's tenant, every page (AuditLog.Read.All); in a folder of exports it lies in "+
			"customers/<tenant id>/")
	}
	for i := range r.Items {
		if ask := r.Items[i].LogAsk; ask != "" && r.Items[i].Complete < r.Window.Days {
			out = append(out, ask)
		}
	}
	return once(out)[:min(len(once(out)), 3)]
}

// name is a role, group or customer by its name, else its id.
func (r *Result) name(id string) string {
	return print.First(print.Clean(id, print.MaxName), r.Names[id])
}

func (r *Result) list(ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, r.name(id))
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (r *Result) template(p *print.Screen, t *Template) {
	p.Section(print.Plural(int64(len(t.Roles)), "roles")+" for "+print.Plural(int64(t.Items), "assignments"), t.ID)
	p.Para("  ", r.list(t.Roles), print.Bold)
	for _, line := range t.Theft {
		p.Para("    stolen: ", print.Saying(line), print.Dim)
	}
	for _, x := range t.Extra {
		p.Para("  + ", fmt.Sprintf("%s is more than %s need", r.name(x.Role), print.Plural(int64(x.Items), "assignments")), print.Yellow)
	}
	r.items(p, func(it *Item) bool { return it.Template == t.ID })
}

func (r *Result) group(p *print.Screen, title, aside string, of func(*Item) bool) {
	if slices.ContainsFunc(r.Items, func(it Item) bool { return of(&it) }) {
		p.Section(title, aside)
		r.items(p, of)
	}
}

func (r *Result) items(p *print.Screen, of func(*Item) bool) {
	n := 0
	for i := range r.Items {
		it := &r.Items[i]
		if !of(it) {
			continue
		}
		if n++; n <= mostItems {
			r.item(p, it)
		}
	}
	p.More("  ", max(n-mostItems, 0), " in the CSV and the JSON")
}

func (r *Result) item(p *print.Screen, it *Item) {
	p.Para("  ", r.name(it.Customer)+" · "+r.name(it.Group), print.Bold)
	if !it.Judged {
		p.Para("    ", print.Saying(it.Why)+": "+r.list(it.Granted), print.Plain)
		return
	}
	by := map[Sure]map[string][]string{ByEvidence: {}, NoEvidence: {}}
	for i := range it.Dropped {
		d := &it.Dropped[i]
		by[d.Sure][d.Why] = append(by[d.Sure][d.Why], d.Role)
	}
	for _, sure := range []Sure{ByEvidence, NoEvidence} {
		whys := make([]string, 0, len(by[sure]))
		for why := range by[sure] {
			whys = append(whys, why)
		}
		slices.Sort(whys)
		for _, why := range whys {
			p.Para("    − ", r.list(by[sure][why])+" ("+string(sure)+"): "+print.Saying(why), print.Plain)
		}
	}
	if len(it.Added) > 0 {
		p.Para("    + ", r.list(it.Added)+", in the place of more", print.Green)
	}
	if len(it.Pinned) > 0 {
		p.Para("    • ", r.list(it.Pinned)+": pinned", print.Plain)
	}
	if it.Gap != "" {
		p.Para("    ? ", "perhaps not the smallest choice: "+it.Gap, print.Yellow)
	}
	if len(it.Unmapped) > 0 {
		p.Para("    ? ", "of these acts nothing is known: "+shortened(it.Unmapped), print.Yellow)
	}
}

func shortened(list []string) string {
	s := strings.Join(list[:min(len(list), mostItems)], ", ")
	if n := len(list) - mostItems; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return print.Clean(s, print.MaxSaying)
}

func (r *Result) waits(p *print.Screen) {
	type line struct{ group, role, kept, acts string }
	where := map[line]int64{}
	for i := range r.Items {
		for _, w := range r.Items[i].Waits {
			where[line{r.name(r.Items[i].Group), r.name(w.Role), w.Kept, shortened(w.Activity)}]++
		}
	}
	if len(where) == 0 {
		return
	}
	p.Section("Waits for acceptance", "acts need a way to Global Administrator, and nobody accepted it")
	list := slices.SortedFunc(maps.Keys(where), func(a, b line) int {
		return cmp.Or(-cmp.Compare(where[a], where[b]), cmpAll(a.role, b.role, a.group, b.group, a.acts, b.acts))
	})
	var accept []string
	for _, l := range list[:min(len(list), mostLines)] {
		say := fmt.Sprintf("%s at %s: %s · %s", l.group, print.Plural(where[l], "customers"), l.role, l.acts)
		if l.kept != "" {
			say += "; " + r.name(l.kept) + " stays until then"
		}
		p.Para("  ", say, print.Plain)
		accept = append(accept, "--accept "+strconv.Quote(l.role))
	}
	p.More("  ", max(len(list)-mostLines, 0), " in the JSON")
	p.Para("    → ", strings.Join(once(accept), " "), print.Cyan)
}

func (r *Result) dap(p *print.Screen) {
	if len(r.DAP) == 0 {
		return
	}
	p.Section("By DAP alone", "what these people did, no assignment of theirs could have")
	for i := range r.DAP[:min(len(r.DAP), mostLines)] {
		d := &r.DAP[i]
		p.Para("  ", fmt.Sprintf("%s: %s of %s want %s", r.name(d.Customer), print.Plural(d.Acts, "acts"), amount(len(d.People), "person", "people"),
			r.list(d.Recommended)), print.Plain)
	}
	p.More("  ", max(len(r.DAP)-mostLines, 0), " in the JSON")
}

func (r *Result) unexplained(p *print.Screen) {
	if len(r.Unexplained) == 0 {
		return
	}
	p.Section("Not explained", fmt.Sprintf("%s that nothing that was read allows", amount(r.Summary.Unexplained, "kind of act", "kinds of acts")))
	for i := range r.Unexplained[:min(len(r.Unexplained), mostLines)] {
		u := &r.Unexplained[i]
		p.Para("  ", fmt.Sprintf("%s · %s · %s, last %s: %s", r.name(u.Customer), u.Activity, u.Actor, u.Last.UTC().Format(time.DateOnly), u.Why),
			print.Plain)
	}
	p.More("  ", max(r.Summary.Unexplained-mostLines, 0), " in the JSON")
}

// CSV writes a row for each assignment and role that is granted or recommended there.
func (r *Result) CSV(w io.Writer) error {
	out := print.NewSheet(w, "customer", "customer_tenant_id", "relationship_id", "group", "group_id", "role", "role_id", "granted", "recommended", "pinned",
		"sure", "why", "judged", "complete_days", "days", "template", "unmapped")
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	for i := range r.Items {
		it := &r.Items[i]
		roles := once(slices.Concat(it.Granted, it.Recommended))
		if len(roles) == 0 {
			roles = []string{""}
		}
		for _, id := range roles {
			sure, why := "", it.Why
			for k := range it.Dropped {
				if it.Dropped[k].Role == id {
					sure, why = string(it.Dropped[k].Sure), it.Dropped[k].Why
				}
			}
			out.Row(r.name(it.Customer), it.Customer, it.Relationship, r.name(it.Group), it.Group, cmp.Or(r.Names[id], id), id,
				yes(slices.Contains(it.Granted, id)),
				yes(slices.Contains(it.Recommended, id)), yes(slices.Contains(it.Pinned, id)), sure, why, yes(it.Judged), strconv.Itoa(it.Complete),
				strconv.Itoa(r.Window.Days), it.Template, strings.Join(it.Unmapped, " | "))
		}
	}
	return out.Close()
}
