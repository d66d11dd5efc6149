package directory

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// WhyNoIDs is why a group is open that names its members by id while the users
// have none: it is the list of users that settles it.
const WhyNoIDs = "it names its members by id, and the list of users carries no ids"

// Sure says how certain something about an account is.
type Sure uint8

// The certainties.
const (
	Perhaps Sure = iota + 1
	Surely
)

// Standing is who is in which group and holds which role, as far as the
// records tell. Keys are those of [Directory.Users] where the account is there,
// else lower-case ids.
type Standing struct {
	Groups  map[string][]string // account -> groups it is surely in, nested ones included, sorted
	Perhaps map[string][]string // account -> groups it is in by one copy and not by another
	// OpenGroups says of groups why somebody who is not shown may be in them.
	OpenGroups map[string]string
	// Activate are the groups that an account may join by an activation (PIM for
	// groups), nested ones included.
	Activate map[string][]string

	Roles map[string][]HeldRole
	// GroupRoles are the roles, by template id, that a group holds or may activate.
	GroupRoles map[string][]string
	// OpenRoles says of roles, by template id, why somebody who is not shown may
	// hold or activate them.
	OpenRoles map[string]string
	// Strangers are ids that a member list or a role names and no list of users,
	// groups, devices or service principals holds.
	Strangers []Stranger
}

// Stranger is somebody whom one list names and the list of users does not hold.
type Stranger struct {
	ID string
	Is string // "a member of the group X", "a holder of the role Y"
}

// HeldRole is one role of one account.
type HeldRole struct {
	TemplateID string
	Name       string
	Privileged bool
	Eligible   bool   // must be activated first
	Via        string // the group it comes through, or ""

	// Scoped: held over an administrative unit or an app only. Conditional Access
	// knows roles held over the whole directory alone.
	Scoped bool
	// ScopeOpen: the scope was not exported, and nothing else makes it uncertain.
	ScopeOpen bool
	Custom    bool // a role of the tenant's own, which a policy cannot name with effect
	// Sure is Perhaps where the scope, the time, the kind of role or a membership
	// on the way is not known.
	Sure Sure
}

// Counts says whether a policy that names the role takes the holder: 0 it does
// not.
func (h *HeldRole) Counts() Sure {
	if h.Scoped || h.Custom {
		return 0
	}
	return h.Sure
}

// member is a person in a group.
type member struct {
	key  string
	sure Sure
}

// resolver walks the directory once.
type resolver struct {
	d         *Directory
	out       *Standing
	open      map[string]string // group -> why its own list is not whole
	nameless  bool              // some users are known by name alone
	strangers map[string]string
	groupsAll bool // every group of the tenant is known by id
	// only, unless nil, are the groups whose members are asked for; roles alone need no others.
	only map[string]bool
}

// Resolve works out memberships and roles at [Directory.At]. groupsWhole says
// that every group of the tenant is in Groups.
func (d *Directory) Resolve(groupsWhole bool) *Standing { return d.resolve(groupsWhole, nil) }

func (d *Directory) resolve(groupsWhole bool, only map[string]bool) *Standing {
	r := &resolver{
		d: d, only: only, open: map[string]string{}, strangers: map[string]string{}, groupsAll: groupsWhole,
		out: &Standing{
			Groups: map[string][]string{}, Perhaps: map[string][]string{}, OpenGroups: map[string]string{}, Activate: map[string][]string{},
			Roles: map[string][]HeldRole{}, GroupRoles: map[string][]string{}, OpenRoles: map[string]string{},
		},
	}
	for _, u := range d.Users {
		r.nameless = r.nameless || u.ID == ""
	}
	for id, g := range d.Groups {
		if why := g.settle(); why != "" {
			r.open[id] = why
		}
	}
	r.addActiveSchedules()
	r.addTransitive()
	for id := range d.Groups {
		if only != nil && !only[id] {
			continue
		}
		why := ""
		r.members(id, Surely, map[string]Sure{}, &why, func(m member) {
			if m.sure == Surely {
				r.out.Groups[m.key] = append(r.out.Groups[m.key], id)
			} else {
				r.out.Perhaps[m.key] = append(r.out.Perhaps[m.key], id)
			}
		})
		if why != "" {
			r.out.OpenGroups[id] = why
		}
	}
	r.activations()
	r.roles()
	for role, why := range d.openRoles {
		r.out.OpenRoles[role] = why
	}
	for _, lists := range []map[string][]string{r.out.Groups, r.out.Perhaps, r.out.Activate} {
		for k, l := range lists {
			sort.Strings(l)
			lists[k] = slices.Compact(l)
		}
	}
	for id, is := range r.strangers {
		r.out.Strangers = append(r.out.Strangers, Stranger{id, is})
	}
	slices.SortFunc(r.out.Strangers, func(a, b Stranger) int { return strings.Compare(a.ID, b.ID) })
	return r.out
}

// MaxNested is how deep groups within groups are followed.
const MaxNested = 100

// WhyDeep is why a group is open in which others are nested deeper than [MaxNested].
const WhyDeep = "groups are nested in it deeper than is followed"

// members calls f for everybody in a group, through nested groups. Cycles are
// harmless. why becomes the reason for which there may be more.
func (r *resolver) members(id string, sure Sure, seen map[string]Sure, why *string, f func(member)) {
	r.within(id, 0, sure, seen, why, f)
}

func (r *resolver) within(id string, depth int, sure Sure, seen map[string]Sure, why *string, f func(member)) {
	if seen[id] >= sure {
		return
	}
	if depth > MaxNested {
		*why = WhyDeep
		return
	}
	seen[id] = sure
	g := r.d.Groups[id]
	if g == nil {
		*why = "a group nested in it is not in the export"
		return
	}
	if w := r.open[id]; w != "" {
		*why = w
	}
	for i := range g.Members.Items {
		m := &g.Members.Items[i]
		s := sure
		if m.unsure {
			s = Perhaps
		}
		key := strings.ToLower(m.ID)
		switch {
		case r.d.Groups[key] != nil:
			r.within(key, depth+1, s, seen, why, f)
		case m.Type == "group":
			*why = "a group nested in it is not in the export"
		case m.Type != "" && m.Type != "user" && m.Type != "agentuser":
			// devices, contacts and service principals do not sign in as users
		default:
			r.person(m, s, seen, why, "a member of the group "+g.DisplayName, f)
		}
	}
}

// person hands on a member who is no group. A member without a type whom nobody
// knows may be a nested group as well as a user.
func (r *resolver) person(m *Member, s Sure, seen map[string]Sure, why *string, is string, f func(member)) {
	key := r.d.FindUser(m.ID, m.UserPrincipalName)
	if key == "" {
		key = m.key()
		if r.d.ServicePrincipals[key] != nil {
			return
		}
		switch {
		case r.nameless && m.ID != "" && m.UserPrincipalName == "":
			*why = WhyNoIDs
		case r.d.Registrations[key] != nil || r.d.PrivilegedUsers[key] != nil:
		default:
			r.strangers[key] = is
			if m.Type == "" && !r.groupsAll {
				*why = "one of its members is in no exported list and may be a group"
			}
		}
	}
	if seen[key] < s {
		seen[key] = s
		f(member{key, s})
	}
}

// addActiveSchedules adds members that PIM for groups shows as active.
func (r *resolver) addActiveSchedules() {
	for _, s := range r.d.GroupSchedules {
		g := r.d.Groups[strings.ToLower(s.GroupID)]
		if s.Eligible || g == nil || strings.EqualFold(string(s.AccessID), "owner") {
			continue
		}
		holds := r.d.holds(s.StartDateTime.Time, s.EndDateTime.Time, s.StartDateTime.Raw, s.EndDateTime.Raw, s.Schedule, string(s.Status))
		has := slices.ContainsFunc(g.Members.Items, func(m Member) bool { return strings.EqualFold(m.ID, s.PrincipalID) })
		if holds > 0 && !has {
			g.Members.Items = append(g.Members.Items, Member{ID: s.PrincipalID, unsure: holds == Perhaps, added: true})
		}
	}
}

// addTransitive adds people whom only the list of transitive members shows. One
// that a whole list of members does not lead to is in dispute.
func (r *resolver) addTransitive() {
	for id, g := range r.d.Groups {
		if len(g.Transitive.Items) == 0 {
			continue
		}
		why, shown := "", map[string]bool{}
		r.members(id, Surely, map[string]Sure{}, &why, func(m member) { shown[m.key] = true })
		for _, m := range g.Transitive.Items {
			if key := cmp.Or(r.d.FindUser(m.ID, m.UserPrincipalName), m.key()); !shown[key] && r.d.Groups[key] == nil && m.Type != "group" {
				m.unsure, m.added = why == "", true
				g.Members.Items = append(g.Members.Items, m)
			}
		}
	}
}

// activations finds who may join which group under PIM for groups.
func (r *resolver) activations() {
	var list []*GroupSchedule
	for _, s := range r.d.GroupSchedules {
		if s.Eligible && !strings.EqualFold(string(s.AccessID), "owner") &&
			r.d.holds(s.StartDateTime.Time, s.EndDateTime.Time, s.StartDateTime.Raw, s.EndDateTime.Raw, s.Schedule, string(s.Status)) != 0 {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return
	}
	above := map[string][]string{} // group -> groups it is nested in
	for id, g := range r.d.Groups {
		for i := range g.Members.Items {
			if m := strings.ToLower(g.Members.Items[i].ID); r.d.Groups[m] != nil {
				above[m] = append(above[m], id)
			}
		}
	}
	// A group may be eligible for a group, and somebody for that group: as long as
	// one more step brings anybody anywhere.
	for more := true; more; {
		more = false
		for _, s := range list {
			more = r.activate(s, above) || more
		}
	}
}

// activate notes who may join which groups by one eligibility, and reports
// whether that was news.
func (r *resolver) activate(s *GroupSchedule, above map[string][]string) (news bool) {
	joined := []string{}
	queue := []string{strings.ToLower(s.GroupID)}
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		if !slices.Contains(joined, g) {
			joined = append(joined, g)
			queue = append(queue, above[g]...)
		}
	}
	add := func(m member) {
		for _, g := range joined {
			if !slices.Contains(r.out.Activate[m.key], g) {
				r.out.Activate[m.key], news = append(r.out.Activate[m.key], g), true
			}
		}
	}
	if r.d.holds(s.StartDateTime.Time, s.EndDateTime.Time, s.StartDateTime.Raw, s.EndDateTime.Raw, s.Schedule, string(s.Status)) == Perhaps {
		return r.openAll(joined, "until when its membership may be activated cannot be read")
	}
	principal, why := strings.ToLower(s.PrincipalID), ""
	if r.d.Groups[principal] == nil {
		r.person(&Member{ID: s.PrincipalID}, Surely, map[string]Sure{}, &why, "eligible for the group "+s.GroupID, add)
		if why != "" {
			news = r.openAll(joined, "somebody who may activate its membership is in no exported list and may be a group") || news
		}
		return news
	}
	r.members(principal, Surely, map[string]Sure{}, &why, add)
	for key, groups := range r.out.Activate {
		if slices.Contains(groups, principal) {
			add(member{key, Surely})
		}
	}
	if why = cmp.Or(why, r.out.OpenGroups[principal]); why != "" {
		news = r.openAll(joined, "a group may activate its membership, and of that group "+why) || news
	}
	return news
}

// openAll says of groups why there may be more in them; it reports whether that
// was news.
func (r *resolver) openAll(groups []string, why string) (news bool) {
	for _, g := range groups {
		if r.out.OpenGroups[g] == "" {
			r.out.OpenGroups[g], news = why, true
		}
	}
	return news
}
