package access

import (
	"slices"
	"strings"
)

// Tenant is everything the engine decides by. It is not changed.
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
	// RolesKnown says that Users carry their directory roles.
	RolesKnown bool
	// Names shows groups, roles and apps by name instead of by lower-case id.
	Names map[string]string
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
	Roles      []string // role template ids held now
	Eligible   []string // role template ids that may be activated
	External   External
	HomeTenant string // for external types; "" not known

	PerUserMFA string   // disabled, enabled, enforced; "" not known
	Methods    []string // methodsRegistered; see MethodsKnown
	// MethodsKnown says that Methods was read; without it nothing is said about
	// what a user could answer.
	MethodsKnown bool

	BreakGlass bool // looks like or is declared as emergency access
	Exempt     bool // directory synchronisation: never asked

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
	included := triOf(p.ID == perUserID && perUserMFA(s))
	for _, id := range u.IncludeUsers {
		switch strings.ToLower(id) {
		case "all":
			included = yes
		case "none", "":
		case "guestsorexternalusers":
			included = included.or(triOf(s.guest()))
		default:
			included = included.or(triOf(strings.EqualFold(id, s.ID)))
			if s.Anyone && e.absent[strings.ToLower(id)] {
				included = included.or(maybe)
			}
		}
	}
	included = included.or(anyOf(u.IncludeGroups, s.Groups, t.groupKnown(s)))
	included = included.or(anyOf(u.IncludeRoles, s.Roles, t.roleKnown(s)))
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
			put(triOf(s.guest()), "excludes guests and external users")
		default:
			put(triOf(id != "" && strings.EqualFold(id, s.ID)), "excludes the account by name")
			if s.Anyone && e.absent[strings.ToLower(id)] {
				put(maybe, "excludes the account "+id+", which is not in the export")
			}
		}
	}
	for _, g := range u.ExcludeGroups {
		put(anyOf([]string{g}, s.Groups, t.groupKnown(s)), "excludes the group "+t.name(g))
	}
	for _, r := range u.ExcludeRoles {
		put(anyOf([]string{r}, s.Roles, t.roleKnown(s)), "excludes the role "+t.name(r))
	}
	for i := range u.ExcludeExternals.Items {
		put(u.ExcludeExternals.Items[i].selects(s), "excludes guests or external users of its type")
	}
	if included == maybe && excluded == no {
		why = "includes only " + t.onlyWho(p)
	}
	return included.and(excluded.not()), why
}

// onlyWho names whom a policy includes by group or role.
func (t *Tenant) onlyWho(p *Policy) string {
	u := &p.Conditions.Users
	var names []string
	for _, g := range u.IncludeGroups {
		names = append(names, "the group "+t.name(g))
	}
	for _, r := range u.IncludeRoles {
		names = append(names, "the role "+t.name(r))
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

// guest is what the word GuestsOrExternalUsers means: guests of any kind and
// service provider users.
func (s *Subject) guest() bool { return s.External != Member }

// groupKnown tells whether membership of s in a group is known.
func (t *Tenant) groupKnown(s *Subject) func(string) bool {
	if s.Anyone {
		return func(string) bool { return false }
	}
	return func(id string) bool { return t.KnownGroups[id] }
}

func (t *Tenant) roleKnown(s *Subject) func(string) bool {
	return func(string) bool { return !s.Anyone && t.RolesKnown }
}

// anyOf is yes when s has one of the wanted ids, maybe when one of them could
// not be looked up, else no.
func anyOf(wanted, have []string, isKnown func(string) bool) tri {
	out := no
	for _, id := range wanted {
		id = strings.ToLower(id)
		switch {
		case id == "":
		case slices.Contains(have, id):
			return yes
		case !isKnown(id):
			out = maybe
		}
	}
	return out
}

func (e *Externals) selects(s *Subject) tri {
	if s.External == Member {
		return no
	}
	hit := no
	for _, t := range e.Types {
		if strings.EqualFold(t, string(s.External)) {
			hit = yes
		}
	}
	if hit == no || e.Tenants == nil || !strings.EqualFold(string(e.Tenants.Kind), "enumerated") {
		return hit
	}
	if s.HomeTenant == "" {
		return maybe
	}
	for _, id := range e.Tenants.Members {
		if strings.EqualFold(id, s.HomeTenant) {
			return yes
		}
	}
	return no
}
