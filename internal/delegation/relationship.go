package delegation

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// relationships takes every relationship in every state, with what belongs to it.
func (b *builder) relationships() {
	assigned, lost := b.assignments()
	b.inv.Lost = lost
	steps := map[evidence.Kind]map[string][]*partner.RelationshipStep{}
	for kind, all := range b.f.Steps {
		steps[kind] = map[string][]*partner.RelationshipStep{}
		for _, key := range sorted(all) {
			of := strings.ToLower(string(all[key].Relation))
			steps[kind][of] = append(steps[kind][of], all[key])
		}
	}
	at := b.at
	if l := b.inv.Lists["delegatedAdminRelationships"]; !l.At.IsZero() && l.At.Before(at) {
		at = l.At // what ends later may have been extended since
	}
	for _, key := range sorted(b.f.Relationships) {
		r := b.f.Relationships[key]
		x := b.relationship(r, at)
		b.join(&x, r, assigned[x.ID], len(lost) > 0)
		x.Requests, x.Operations = stepsOf(steps[evidence.RelationshipRequest][x.ID]), operationsOf(steps[evidence.RelationshipAction][x.ID])
		delete(assigned, x.ID)
		if r.Customer == nil || r.Customer.TenantID == "" {
			b.inv.Unclaimed = append(b.inv.Unclaimed, x)
			continue
		}
		c := b.customer(r.Customer.TenantID, r.Customer.DisplayName, "delegatedAdminRelationships")
		c.Relationships = append(c.Relationships, x)
	}
	for _, id := range sorted(assigned) { // of relationships that are in no list
		for _, a := range assigned[id] {
			b.inv.Lost = append(b.inv.Lost, Lost{b.assignment(a, true), where(a.Source)})
		}
	}
	for _, c := range b.customers {
		c.Relationships = slices.Clip(c.Relationships)
		slices.SortStableFunc(c.Relationships, func(x, y Relationship) int {
			return cmp.Or(-cmp.Compare(b2i(x.Active), b2i(y.Active)), x.End.Compare(y.End), strings.Compare(x.ID, y.ID))
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (b *builder) relationship(r *partner.Relationship, at time.Time) Relationship {
	x := Relationship{ID: b.text(r.ID), Name: clean(r.DisplayName), Status: clean(string(r.Status)), Active: r.Active(at),
		Created: day(r.Created), Modified: day(r.Modified), Activated: day(r.Activated), End: day(r.EndDateTime),
		Duration: clean(string(r.Duration)), AutoExtend: clean(string(r.AutoExtend)), RolesLost: r.RolesLost,
		Microsoft: strings.HasPrefix(r.DisplayName, "MLT_"), Provider: b.text(string(r.Provider)), Source: where(r.Source),
		Assignments: []Assignment{}, Read: Unknown}
	x.Roles = b.roles(r.AccessDetails)
	x.Governance = governs(r)
	return x
}

// governs reports a relationship of Microsoft Entra tenant governance, which writes delegated
// admin relationships of its own (contracts-2026-11, 3.3). Nothing in Graph's v1.0 marks them:
// they are known by their type, their name, or a role that only it has.
func governs(r *partner.Relationship) bool {
	if strings.Contains(strings.ToLower(string(r.Type)), "governance") || strings.Contains(strings.ToLower(r.DisplayName), "tenant governance") {
		return true
	}
	return slices.ContainsFunc(r.AccessDetails.Roles(), func(id string) bool {
		known, ok := entra.FindRole(id)
		return ok && strings.HasPrefix(known.Name, "Tenant Governance ")
	})
}

// roles are the template ids, each once.
func (b *builder) roles(d partner.AccessDetails) []string {
	out := make([]string, 0, len(d.UnifiedRoles.Items))
	for _, id := range d.Roles() {
		if id = b.text(id); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// join gives a relationship its access assignments, and says whether they are all.
func (b *builder) join(x *Relationship, r *partner.Relationship, apart []*partner.AccessAssignment, lost bool) {
	all := slices.Clone(apart)
	inside := r.Assignments.Set && r.Assignments.Dropped == 0 && r.More == ""
	for i := range r.Assignments.Items {
		a := &r.Assignments.Items[i]
		a.Source = r.Source
		all = append(all, a)
	}
	at := map[string]int{}
	for _, a := range all {
		next := b.assignment(a, x.Active)
		n, twice := at[next.ID]
		if !twice || next.ID == "" {
			at[next.ID] = len(x.Assignments)
			x.Assignments = append(x.Assignments, next)
			continue
		}
		x.Assignments[n] = merge(x.Assignments[n], next)
	}
	slices.SortFunc(x.Assignments, func(p, q Assignment) int {
		return cmp.Or(strings.Compare(p.Group, q.Group), strings.Compare(p.ID, q.ID))
	})
	whole, paged := b.ends[x.ID+"/accessassignments"]
	switch {
	case whole, inside && !paged:
		x.Read = Yes
	case paged:
		x.Why = "the list of its access assignments ends before its end"
	case r.Assignments.Set:
		x.Why = "not all of its access assignments could be read"
	case lost:
		x.Why = "there are access assignments that do not say of which relationship they are"
	case len(apart) > 0 && b.f.Whole(evidence.AccessAssignment):
		x.Read = Yes
	case len(apart) > 0:
		x.Why = "the list of access assignments is not whole"
	default:
		x.Why = "its access assignments were not read"
	}
	if x.Read != Yes {
		x.Ask = "GET /tenantRelationships/delegatedAdminRelationships/" + x.ID + "/accessAssignments"
	}
}

// merge brings two copies of an assignment together: where they differ, what reaches further
// counts.
func merge(a, b Assignment) Assignment {
	if b.Active && !a.Active {
		a.Status, a.Active = b.Status, true
	}
	for _, r := range b.Roles {
		if !slices.Contains(a.Roles, r) {
			a.Roles = append(slices.Clip(a.Roles), r)
		}
	}
	slices.Sort(a.Roles)
	a.RolesLost = a.RolesLost || b.RolesLost
	if a.Created.IsZero() {
		a.Created = b.Created
	}
	a.Group = cmp.Or(a.Group, b.Group)
	return a
}

func (b *builder) assignment(a *partner.AccessAssignment, active bool) Assignment {
	x := Assignment{ID: b.text(a.ID), Group: b.text(a.AccessContainer.ID), Status: b.text(string(a.Status)), Created: day(a.Created),
		Roles: b.roles(a.AccessDetails)}
	switch x.Status {
	case "pending", "deleting", "deleted", "error":
	default: // one that we do not know gives access: least privilege errs towards looking
		x.Active = active
	}
	roles := a.AccessDetails.UnifiedRoles
	x.RolesLost = len(roles.Items) == 0 || roles.Dropped > 0 || slices.Contains(a.AccessDetails.Roles(), "")
	if kind := string(a.AccessContainer.Type); kind != "" && !strings.EqualFold(kind, "securityGroup") {
		x.Other = clean(kind)
	}
	return x
}

// assignments sorts the assignments that were read apart by their relationship: by what the
// record or its page says, or by a folder or file named after the relationship.
func (b *builder) assignments() (of map[string][]*partner.AccessAssignment, lost []Lost) {
	of = map[string][]*partner.AccessAssignment{}
	inside := map[string]bool{}
	for _, r := range b.f.Relationships {
		for i := range r.Assignments.Items {
			inside[strings.ToLower(r.Assignments.Items[i].ID)] = true
		}
	}
	joined := map[string]bool{}
	var loose []*partner.AccessAssignment
	for _, key := range sorted(b.f.Assignments) {
		a := b.f.Assignments[key]
		id := cmp.Or(a.Of(), b.byPath(a.Source.Path))
		if id == "" {
			loose = append(loose, a)
			continue
		}
		joined[strings.ToLower(a.ID)] = true
		id = b.text(id)
		of[id] = append(of[id], a)
	}
	for _, a := range loose {
		if id := strings.ToLower(a.ID); id == "" || !joined[id] && !inside[id] {
			lost = append(lost, Lost{b.assignment(a, true), where(a.Source)})
		}
	}
	return of, lost
}

// twoIDs is the id of a relationship: two ids and a dash.
var twoIDs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// byPath is the relationship that a file or one of its folders is named after, with or without
// other words; "" none is.
func (b *builder) byPath(path string) string {
	path = strings.ToLower(path)
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' || r == '!' }) {
		for name := part; name != ""; {
			if b.f.Relationships[name] != nil {
				return name
			}
			dot := strings.LastIndexByte(name, '.')
			if dot < 0 {
				break
			}
			name = name[:dot]
		}
	}
	found := twoIDs.FindAllString(path, -1)
	for _, id := range slices.Backward(found) { // the nearest name says it
		if b.f.Relationships[id] != nil {
			return id
		}
	}
	return ""
}

func stepsOf(list []*partner.RelationshipStep) (out []Request) {
	for _, s := range list {
		out = append(out, Request{ID: clean(s.ID), Action: clean(string(s.Action)), Status: clean(string(s.Status)), At: day(s.Created),
			Open: open(string(s.Status))})
	}
	return out
}

func operationsOf(list []*partner.RelationshipStep) (out []Operation) {
	for _, s := range list {
		out = append(out, Operation{ID: clean(s.ID), Type: clean(string(s.Operation)), Status: clean(string(s.Status)), At: day(s.Created),
			Open: open(string(s.Status))})
	}
	return out
}

// open reports a status that is no end; one that we do not know is none.
func open(status string) bool {
	switch strings.ToLower(status) {
	case "succeeded", "failed":
		return false
	}
	return true
}
