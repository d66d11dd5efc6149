package access

import (
	"slices"
	"strings"
	"time"
)

// Tenant is everything the engine decides by. It is not changed. What is not
// known is marked as such: the engine asks what holds whatever it may be.
type Tenant struct {
	Policies  []*Policy
	Defaults  *SecurityDefaults // nil: not known
	Locations []*NamedLocation
	Strengths []*Strength

	Users []Subject

	// KnownGroups are the groups, by lower-case id, whose members are all in
	// Users. A policy that names another group may or may not reach somebody.
	KnownGroups map[string]bool
	// Whole says that Users and their roles are the whole directory. Otherwise an
	// unknown further member and guest are judged too.
	Whole bool
	// RolesKnown says that Users carry the directory roles they hold.
	RolesKnown bool
	// Names shows groups, roles and apps by name instead of by lower-case id.
	Names map[string]string

	// At is the moment of judgement, for what changed at Microsoft by date; zero
	// is not known.
	At time.Time
	// BaselineScopes is the tenant's setting of that name: enabled (also ""),
	// disabled or customised. No export shows it (contracts-2026-11 section 1.3).
	BaselineScopes string

	// OpenRoles are roles, by lower-case template id, that somebody who is not
	// shown may hold, with why and what settles it.
	OpenRoles map[string]string
	// CustomRoles are roles of the tenant's own, by lower-case id: in a policy they
	// have no effect.
	CustomRoles map[string]bool
	// OwnApps are apps, by lower-case app id, that are not Microsoft's.
	OwnApps map[string]bool
	// OpenActivation are groups, by lower-case id, of which it is not known who may
	// join them by an activation (PIM for groups), with what settles it.
	OpenActivation map[string]string
	// EligibleLack says what to export so that it is known who may activate a role;
	// "" that Users carry it.
	EligibleLack string
	// OpenEligible are roles, by lower-case template id, that somebody who is not
	// shown may activate, with what settles it.
	OpenEligible map[string]string
	// PoliciesLack says why there may be further policies; empty, there are none.
	PoliciesLack []string

	// LocationsLack says why there may be further named locations, with what
	// settles it; "" there are none.
	LocationsLack string

	// What to export, for words: by group, and for the list of users and of roles.
	OpenGroups map[string]string
	UsersLack  []string
	RolesLack  string
}

// External is how an account is related to the tenant. The zero value is a
// plain member.
type External string

// The external types of Conditional Access (contracts.md section 3.6).
const (
	Member              External = ""
	InternalGuest       External = "internalguest"
	CollaborationGuest  External = "b2bcollaborationguest"
	CollaborationMember External = "b2bcollaborationmember"
	DirectConnect       External = "b2bdirectconnectuser"
	OtherExternal       External = "otherexternaluser"
	ServiceProvider     External = "serviceprovider"
)

// Subject is one account as policies see it. Ids compare in lower case.
type Subject struct {
	ID         string
	Name       string   // shown: the user principal name
	Groups     []string // ids, nested membership resolved
	Roles      []string // role template ids held now over the whole directory
	Eligible   []string // role template ids that may be activated
	External   External
	HomeTenant string // for external types; "" not known

	// PerhapsGroups and PerhapsRoles are those that one copy of the export shows
	// and another does not, or that hang on something that was not exported.
	PerhapsGroups, PerhapsRoles []string
	// Activate are groups that may be joined by an activation (PIM for groups).
	Activate []string
	// Kinds are the external types it may be of when that is not known, External
	// among them; empty, External is what it is.
	Kinds []External
	// Admin says that it holds, or may activate, a directory role of any kind and
	// scope, also one that policies do not see.
	Admin bool
	// Unidentified says that its id is not known: a policy or group that names an
	// id nobody has may mean it.
	Unidentified bool

	PerUserMFA string   // disabled, enabled, enforced; "" not known
	Methods    []string // methodsRegistered; see MethodsKnown
	// MethodsKnown says that Methods was read; without it nothing is said about
	// what a user could answer.
	MethodsKnown bool

	BreakGlass bool // looks like or is declared as emergency access
	Exempt     bool // directory synchronisation: never asked
	// MayBeExempt says that it is not known whether it is exempt.
	MayBeExempt bool

	// Anyone marks a stand-in for accounts that are not in the export: its
	// groups and roles are unknown.
	Anyone bool
}

// tri is no, maybe or yes.
type tri uint8

const (
	no tri = iota
	maybe
	yes
)

func triOf(b bool) tri {
	if b {
		return yes
	}
	return no
}

// and is the weaker of two.
func (t tri) and(o tri) tri { return min(t, o) }

// or is the stronger of two.
func (t tri) or(o tri) tri { return max(t, o) }

// not turns yes and no around; maybe stays.
func (t tri) not() tri { return yes - t }

// takes says whether the user clauses of a policy reach s, and by which
// clause it is left out when they do not.
func (p *Policy) takes(s *Subject, e *Engine) (answer tri, clause string) {
	u, t := &p.Conditions.Users, e.tenant
	if p.lost(areaUsers) {
		return maybe, "its users are not understood: " + p.misread()
	}
	included := triOf(p.ID == perUserID && perUserMFA(s))
	for _, id := range u.IncludeUsers {
		switch strings.ToLower(id) {
		case "all":
			included = yes
		case "none", "":
		case "guestsorexternalusers":
			included = included.or(s.guest())
		default:
			included = included.or(e.means(s, id))
		}
	}
	included = included.or(anyOf(u.IncludeGroups, s.Groups, e.groupTri(s)))
	included = included.or(anyOf(e.effective(u.IncludeRoles), s.Roles, e.roleTri(s)))
	for i := range u.IncludeExternals.Items {
		included = included.or(u.IncludeExternals.Items[i].selects(s))
	}
	if included == no {
		return no, "does not include the account"
	}
	excluded, why := no, ""
	put := func(v tri, clause string) {
		if v > excluded {
			excluded, why = v, clause
		}
	}
	for _, id := range u.ExcludeUsers {
		switch strings.ToLower(id) {
		case "all":
			put(yes, "excludes all users")
		case "guestsorexternalusers":
			put(s.guest(), "excludes guests and external users")
		case "":
		default:
			v := e.means(s, id)
			clause := "excludes the account by name"
			if v == maybe {
				clause = "excludes the account " + id + ", which is not in the export"
			}
			put(v, clause)
		}
	}
	for _, g := range u.ExcludeGroups {
		put(anyOf([]string{g}, s.Groups, e.groupTri(s)), "excludes the group "+t.name(g))
	}
	for _, r := range u.ExcludeRoles {
		put(anyOf(e.effective([]string{r}), s.Roles, e.roleTri(s)), "excludes the role "+t.RoleName(r))
	}
	for i := range u.ExcludeExternals.Items {
		put(u.ExcludeExternals.Items[i].selects(s), "excludes guests or external users of its type")
	}
	if included == maybe && excluded == no {
		why = "includes only " + t.onlyWho(p)
	}
	return included.and(excluded.not()), why
}

// means says whether an account id of a policy means s.
func (e *Engine) means(s *Subject, id string) tri {
	switch {
	case strings.EqualFold(id, s.ID):
		return yes
	case (s.Anyone || s.Unidentified) && e.absent[strings.ToLower(id)]:
		return maybe
	}
	return no
}

// onlyWho names whom a policy includes by group or role.
func (t *Tenant) onlyWho(p *Policy) string {
	u := &p.Conditions.Users
	var names []string
	for _, g := range u.IncludeGroups {
		names = append(names, "the group "+t.name(g))
	}
	for _, r := range u.IncludeRoles {
		names = append(names, "the role "+t.RoleName(r))
	}
	if len(names) == 0 {
		if len(u.IncludeExternals.Items) > 0 {
			return "guests and external users of certain tenants"
		}
		return "accounts that it names"
	}
	return enumerate(names)
}

// name shows an id as a person knows it.
func (t *Tenant) name(id string) string {
	if n := t.Names[strings.ToLower(id)]; n != "" {
		return n
	}
	return id
}

// RoleName shows a role as a person knows it.
func (t *Tenant) RoleName(id string) string { return t.name(id) }

// guest is what the word GuestsOrExternalUsers means: guests of any kind and
// service provider users.
func (s *Subject) guest() tri { return s.overKinds(func(x External) tri { return triOf(x != Member) }) }

// overKinds asks of each type the account may be of.
func (s *Subject) overKinds(ask func(External) tri) tri {
	if len(s.Kinds) == 0 {
		return ask(s.External)
	}
	out := ask(s.Kinds[0])
	for _, k := range s.Kinds[1:] {
		if ask(k) != out {
			return maybe
		}
	}
	return out
}

// groupTri says of a group whose members do not show s whether s may be in it.
func (e *Engine) groupTri(s *Subject) func(string) tri {
	return func(id string) tri {
		if s.Anyone || !e.tenant.KnownGroups[id] || slices.Contains(s.PerhapsGroups, id) {
			return maybe
		}
		return no
	}
}

// roleTri says of a role that s is not known to hold whether s may hold it. What
// may be activated is not held: it is asked about apart.
func (e *Engine) roleTri(s *Subject) func(string) tri {
	t := e.tenant
	return func(id string) tri {
		switch {
		case t.CustomRoles[id]:
			return no
		case s.Anyone || !t.RolesKnown || slices.Contains(s.PerhapsRoles, id):
			return maybe
		case t.OpenRoles[id] != "":
			return maybe
		}
		return no
	}
}

// effective leaves out roles of the tenant's own.
func (e *Engine) effective(roles []string) []string {
	if len(e.tenant.CustomRoles) == 0 {
		return roles
	}
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return e.tenant.CustomRoles[strings.ToLower(r)] })
}

// anyOf is yes when s has one of the wanted ids, else what rest says of the
// others.
func anyOf(wanted, have []string, rest func(string) tri) tri {
	out := no
	for _, id := range wanted {
		id = strings.ToLower(id)
		switch {
		case id == "":
		case slices.Contains(have, id):
			return yes
		default:
			out = out.or(rest(id))
		}
	}
	return out
}

func (e *Externals) selects(s *Subject) tri {
	return s.overKinds(func(x External) tri { return e.selectsKind(x, s.HomeTenant) })
}

func (e *Externals) selectsKind(x External, home string) tri {
	if x == Member {
		return no
	}
	if !slices.ContainsFunc(e.Types, func(t string) bool { return strings.EqualFold(t, string(x)) }) {
		return no
	}
	if e.Tenants == nil || !strings.EqualFold(string(e.Tenants.Kind), "enumerated") {
		return yes
	}
	if home == "" || e.Tenants.MembersLost {
		return maybe
	}
	for _, id := range e.Tenants.Members {
		if strings.EqualFold(id, home) {
			return yes
		}
	}
	return no
}
