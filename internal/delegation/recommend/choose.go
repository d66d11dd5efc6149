package recommend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation/cover"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// guarded are roles that are never asked for unless an act needs one and a person accepted it.
var guarded = []string{entra.RoleGlobalAdministrator, entra.RolePrivilegedRoleAdministrator, entra.RolePrivilegedAuthenticationAdministrator}

// choice is an answer of the solver, in roles.
type choice struct {
	roles []string
	exact bool
	gap   string
}

// Guarded says that a role, by its id in lower case, is never asked for unless an act needs
// it and a person accepted it. Such a role goes without evidence, too: each leads to Global
// Administrator.
func Guarded(id string) bool { return slices.Contains(guarded, id) }

// choose fills in an item's recommendation.
func (d *deriver) choose(w *work) {
	it := &w.item
	it.Pinned = d.pinned(it)
	for _, n := range w.needs {
		it.Acts += n.count
	}
	if !it.Judged {
		it.Recommended, it.Cautious, it.Exact = slices.Clone(it.Granted), slices.Clone(it.Granted), true
		return
	}
	keep := slices.Clone(it.Pinned)
	var open []*known
	waits := false // Global Administrator stays until another role is accepted
	for _, n := range w.needs {
		kept, wants := d.reserved(n.known, it.Granted)
		if wants != "" {
			it.wait(wants, kept, n.known.act.Activity)
		}
		switch {
		case kept == globalAdministrator && wants != "" && !slices.Contains(it.Pinned, kept):
			waits = true
		case kept != "":
			keep = append(keep, kept)
		case wants == "":
			open = append(open, n.known)
		}
	}
	if waits { // it makes no role needless that did the work beside it
		open = slices.DeleteFunc(open, func(k *known) bool { return !d.beside(it.Granted, k) })
	}
	c := d.solve(open, once(keep))
	it.Recommended, it.Exact, it.Gap = slices.Clone(c.roles), c.exact, c.gap
	if waits {
		it.Recommended = once(append(it.Recommended, globalAdministrator))
	}
	if w.azure && len(c.roles) == 0 && len(it.Granted) > 0 { // Azure asks for one role of GDAP, whichever (contracts.md 8.3)
		it.Recommended = []string{entra.RoleDirectoryReaders}
	}
	for _, r := range it.Granted {
		if !slices.Contains(it.Recommended, r) {
			it.Dropped = append(it.Dropped, d.dropped(w, r))
		}
	}
	for _, r := range it.Recommended {
		if !slices.Contains(it.Granted, r) {
			it.Added = append(it.Added, r)
		}
	}
	it.Cautious = d.cautious(it, open, keep)
}

// cautious is what is needed where roles that go without evidence stay: what these can do
// calls for no further role. What a role was taken in the place of stays as well then, and the
// two together would be more than there was.
func (d *deriver) cautious(it *Item, open []*known, keep []string) []string {
	for _, x := range it.Dropped {
		if r, ok := d.role(x.Role); x.Sure == NoEvidence && (!ok || !r.Never) && !Guarded(x.Role) {
			keep = append(keep, x.Role)
		}
	}
	if len(keep) == 0 {
		return slices.Clone(it.Recommended)
	}
	out := slices.Clone(d.solve(open, once(keep)).roles)
	for _, r := range it.Recommended { // what is there and needed stays, also where another that stays does the same
		if slices.Contains(it.Granted, r) {
			out = append(out, r)
		}
	}
	return once(out)
}

// beside says that a granted role could have done an act that is not guarded.
func (d *deriver) beside(granted []string, k *known) bool {
	return slices.ContainsFunc(granted, func(id string) bool { return !slices.Contains(guarded, id) && d.could(id, k) })
}

// pinned are the granted roles that a pin keeps.
func (d *deriver) pinned(it *Item) (out []string) {
	for _, p := range d.in.Pins {
		r := strings.ToLower(p.Role)
		if (p.Group == "" || strings.EqualFold(p.Group, it.Group)) && (p.Customer == "" || strings.EqualFold(p.Customer, it.Customer)) &&
			slices.Contains(it.Granted, r) {
			out = append(out, r)
		}
	}
	return once(out)
}

// wait notes an act that needs a role nobody accepted.
func (it *Item) wait(wants, kept, activity string) {
	for i := range it.Waits {
		if w := &it.Waits[i]; w.Role == wants && w.Kept == kept {
			w.Activity = once(append(w.Activity, activity))
			return
		}
	}
	it.Waits = append(it.Waits, Waiting{wants, kept, []string{activity}})
}

// reserved says of an act that no role may be chosen for freely which role is there for it:
// the guarded one that was accepted, else the least granted role that could have done it.
// Where acceptance alone is missing, wants says of what. Both are "" for every other act.
func (d *deriver) reserved(k *known, granted []string) (kept, wants string) {
	var closed []string
	for _, c := range k.mapping.Candidates {
		switch r, ok := d.role(c.Role); {
		case c.Beside, !ok, r.Never:
		case slices.Contains(guarded, c.Role):
			closed = append(closed, c.Role)
		default:
			return "", ""
		}
	}
	for _, r := range closed {
		if d.accept[r] {
			return r, ""
		}
	}
	if len(closed) > 0 {
		wants = closed[0]
	}
	return d.leastGranted(k, granted), wants
}

// open brings what is known of an act to the roles that may be chosen for it, and those that
// are there anyway.
func (d *deriver) open(k *known, keep []string) role.Mapping {
	m := k.mapping
	m.Candidates = slices.DeleteFunc(slices.Clone(m.Candidates), func(c role.Candidate) bool {
		r, ok := d.role(c.Role)
		return !slices.Contains(keep, c.Role) && (!ok || r.Never || slices.Contains(guarded, c.Role))
	})
	return m
}

// leastGranted is the granted role that could have done an act and that is least: by the order
// of the candidates, then by weight; Global Administrator comes last.
func (d *deriver) leastGranted(k *known, granted []string) string {
	best, rank := "", 0
	for _, id := range granted {
		if !d.could(id, k) {
			continue
		}
		at := slices.IndexFunc(k.mapping.Candidates, func(c role.Candidate) bool { return c.Role == id })
		if at < 0 {
			at = 1 << 20
			if r, ok := d.role(id); ok {
				at += r.Weight
			}
		}
		if id == globalAdministrator {
			at = 1 << 30
		}
		if best == "" || at < rank {
			best, rank = id, at
		}
	}
	return best
}

// solve chooses roles for acts, and remembers what it chose for the same question.
func (d *deriver) solve(acts []*known, keep []string) *choice {
	var needs []role.Mapping
	if !slices.Contains(keep, globalAdministrator) { // who is there anyway and can do everything
		for _, k := range acts {
			needs = append(needs, d.open(k, keep))
		}
	}
	var key strings.Builder
	key.WriteString(strings.Join(keep, ","))
	lines := make([]string, 0, len(needs))
	for i := range needs {
		var b strings.Builder
		for _, c := range needs[i].Candidates {
			fmt.Fprintf(&b, "%s/%d/%t ", c.Role, c.Task, c.Beside)
		}
		lines = append(lines, b.String())
	}
	slices.Sort(lines)
	key.WriteString("|" + strings.Join(slices.Compact(lines), "|"))
	if c := d.chosen[key.String()]; c != nil {
		return c
	}
	p := d.roles.Choose(needs, keep)
	problem := cover.Problem{Needs: p.Needs, Costs: make([]cover.Cost, len(p.Roles))}
	for i, id := range p.Roles {
		problem.Costs[i] = cover.Cost{Weight: p.Weight[i], Count: 1}
		if p.Privileged[i] {
			problem.Costs[i].Privileged = 1
		}
		if slices.Contains(keep, id) {
			problem.Pinned = append(problem.Pinned, i)
		}
	}
	s := cover.Solve(problem)
	c := &choice{roles: slices.Clone(keep), exact: s.Exact}
	for _, i := range s.Chosen {
		c.roles = append(c.roles, p.Roles[i])
	}
	c.roles = once(c.roles)
	if !s.Exact {
		c.gap = fmt.Sprintf("at least %d of %d privileged roles and weight %d of %d are needed", s.Bound.Privileged, s.Cost.Privileged,
			s.Bound.Weight, s.Cost.Weight)
	}
	d.chosen[key.String()] = c
	return c
}

// dropped says of a granted role that goes by what evidence it goes.
func (d *deriver) dropped(w *work, id string) Dropped {
	out := Dropped{Role: id, Sure: ByEvidence}
	unknown := false
	for _, n := range w.needs {
		if !d.could(id, n.known) {
			continue
		}
		if n.last.After(out.Last) {
			out.Last = n.last
		}
		for _, r := range w.item.Recommended {
			if d.could(r, n.known) {
				out.By = append(out.By, r)
			}
		}
		unknown = unknown || n.known.act.Target == role.TargetUnknown && d.could2(id, n.known.act, role.TargetPrivileged)
	}
	out.By = once(out.By)
	no := func(format string, args ...any) {
		if out.Sure == ByEvidence {
			out.Sure, out.Why = NoEvidence, fmt.Sprintf(format, args...)
		}
	}
	r, ok := d.role(id)
	if !ok {
		no("nothing is known of this role")
	}
	for _, l := range forLogs(r.Workloads) {
		if l.kind == "" {
			no("it is for %s, and no log that was read shows that", l.what)
			continue
		}
		if log := w.part.Log(l.kind); log.Complete < log.Days || log.Days == 0 {
			no("it is for %s: of that log %d of %d days are complete", l.what, log.Complete, cmp.Or(log.Days, d.in.Days))
		}
	}
	if unknown {
		no("acts were done to users whose roles of then were not read: done to an administrator, they wanted it")
	}
	out.Why = cmp.Or(out.Why, d.evidenceWords(w, &out))
	return out
}

func (d *deriver) evidenceWords(w *work, x *Dropped) string {
	s := fmt.Sprintf("in %d days nobody did what it alone is for", d.in.Days)
	if len(x.By) > 0 {
		s = fmt.Sprintf("all that it could have been used for in %d days, last on %s, the recommended roles do", d.in.Days,
			x.Last.UTC().Format(time.DateOnly))
	}
	if n := len(w.item.Unmapped); n > 0 {
		s += fmt.Sprintf("; unmapped acts, of which nothing is known: %d", n)
	}
	return s
}

// workLog is what a role is for, and the log that shows it; "" is none that is read.
type workLog struct {
	what string
	kind evidence.Kind
}

// forLogs are the logs that must be complete before a role may be called unused. Reads are in
// none: they count where a role is for nothing else.
func forLogs(list []role.Workload) (out []workLog) {
	for _, l := range list {
		switch l {
		case role.DirectoryWrites:
			out = append(out, workLog{"changes of the directory", evidence.DirectoryAudit})
		case role.Azure:
			out = append(out, workLog{"Azure", evidence.AzureActivity})
		case role.Reads:
		default:
			out = append(out, workLog{workWords[l], ""})
		}
	}
	switch {
	case len(list) == 0:
		return []workLog{{"something that is not known", ""}}
	case len(out) == 0:
		return []workLog{{"reading", ""}}
	}
	return out
}

var workWords = map[role.Workload]string{role.Exchange: "Exchange", role.SharePoint: "SharePoint", role.Teams: "Teams", role.Intune: "Intune",
	role.Security: "Defender and Purview", role.Support: "support", role.Dynamics: "Dynamics 365, Power Platform and Fabric", role.Other: "other services"}

// delegated derives what the acts need that people did by DAP alone.
func (d *deriver) delegated(w *work, people []string) {
	it := &w.item
	var open []*known
	var keep []string
	for _, n := range w.needs {
		it.Acts += n.count
		kept, wants := d.reserved(n.known, nil)
		if wants != "" {
			it.wait(wants, "", n.known.act.Activity)
		} else if kept != "" {
			keep = append(keep, kept)
		} else {
			open = append(open, n.known)
		}
	}
	d.out.DAP = append(d.out.DAP, DAP{Customer: it.Customer, People: people, Recommended: d.solve(open, once(keep)).roles, Waits: it.Waits,
		Unmapped: it.Unmapped, Acts: it.Acts})
}
