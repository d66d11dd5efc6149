package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/screen"
)

// Role is a set of rights with a name.
type Role struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	About  string         `json:"about"`
	Rights []screen.Right `json:"rights"`
	// Limits says that a grant of it may be limited to customers.
	Limits bool `json:"mayBeLimitedToCustomers"`
	// Directory are the directory roles (template ids) that bring it without a grant.
	Directory []string `json:"directoryRoles,omitempty"`
}

// The roles.
const (
	RoleOperator      = "operator" // of the machine, by a link; it is given to nobody
	RoleAdministrator = "administrator"
	RoleSecurity      = "security-administrator"
	RoleEngineer      = "engineer"
	RoleOnCall        = "on-call"
	RoleHelpDesk      = "help-desk"
	RoleAuditor       = "auditor"
	RoleReader        = "reader"
)

// sees are the rights to see that no role of ours is without.
func sees(more ...screen.Right) []screen.Right {
	return append([]screen.Right{screen.SeePosture, screen.SeePeople, screen.SeeCustomers, screen.SeeAlerts}, more...)
}

// Roles are all roles, the highest first. Who sees the requirement status follows
// Partner Center (contracts.md section 1.5): Global Administrator, Security Administrator
// and Security Reader; nobody else comes in without a [Grant].
func Roles() []Role {
	return []Role{
		{ID: RoleOperator, Title: "Operator of the machine", About: "whoever can make a link on the machine itself", Rights: screen.Rights()},
		{ID: RoleAdministrator, Title: "Administrator", About: "everything, roles and tokens too", Rights: screen.Rights(),
			Directory: []string{entra.RoleGlobalAdministrator}},
		{ID: RoleSecurity, Title: "Security Administrator", About: "sees all, asks for and approves exceptions, answers alerts",
			Rights:    sees(screen.SeeOperation, screen.SeeTrail, screen.AskException, screen.Approve, screen.DoAlerts),
			Directory: []string{entra.RoleSecurityAdministrator}},
		{ID: RoleEngineer, Title: "Engineer", About: "runs customers: connections, collection, jobs, alerts; asks for exceptions", Limits: true,
			Rights: sees(screen.SeeOperation, screen.AskException, screen.Operate, screen.DoAlerts)},
		{ID: RoleOnCall, Title: "On call", About: "sees, and answers alerts", Limits: true, Rights: sees(screen.SeeOperation, screen.DoAlerts)},
		// The idea is Microsoft's Authentication Administrator: who helps people with their factors
		// needs nothing else, and nothing else brings it.
		{ID: RoleHelpDesk, Title: "Help desk", About: "helps people with their factors: invites, unlocks, and in pairs resets and gives passes",
			Rights: sees(screen.HelpDesk)},
		{ID: RoleAuditor, Title: "Auditor", About: "sees all, the trail too, and changes nothing", Limits: true,
			Rights: sees(screen.SeeOperation, screen.SeeTrail)},
		{ID: RoleReader, Title: "Reader", About: "sees, and changes nothing", Limits: true, Rights: sees(screen.SeeOperation),
			Directory: []string{entra.RoleSecurityReader}},
	}
}

// FindRole finds a role by its id.
func FindRole(id string) (Role, bool) {
	i := slices.IndexFunc(Roles(), func(r Role) bool { return r.ID == id })
	if i < 0 {
		return Role{}, false
	}
	return Roles()[i], true
}

// Given are the ids of the roles that a grant may give.
func Given() (ids []string) {
	for _, r := range Roles() {
		if r.ID != RoleOperator {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// The kinds of a grant's subject.
const (
	KindUser  = "user"
	KindGroup = "group"
)

// Grant gives a role to a person or a group of the tenant.
type Grant struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant"`
	Kind    string `json:"kind"`    // user, group
	Subject string `json:"subject"` // object id
	Name    string `json:"name"`    // what people call them
	Role    string `json:"role"`
	// Customers are the tenants it is limited to; nil is all, and the partner's own.
	Customers []string  `json:"customers"`
	Made      time.Time `json:"made"`
	By        string    `json:"by"`
	// Refused says why the row does not count: it is not as it was written.
	Refused string `json:"refused,omitempty"`

	mark []byte
}

// standing is what somebody is by the grants and directory roles of a moment.
type standing struct {
	Role      Role
	Customers []string // nil is all
	Because   string   // what gave it, for people
}

// stand decides what a person is. The grant of the person alone decides where there is
// one, so that it may also give less than a group or a directory role does. Otherwise the
// highest role of the grants of their groups and their directory roles counts, one that
// is not limited before one that is; grants of the same role join their customers. No two
// roles are added up: nobody can do at one customer what they may at another.
func stand(grants []Grant, tenant, subject string, h held) (standing, bool) {
	var own, other []Grant
	for _, g := range grants {
		switch {
		case g.Refused != "" || !strings.EqualFold(g.Tenant, tenant):
		case g.Kind == KindUser && strings.EqualFold(g.Subject, subject):
			own = append(own, g)
		case g.Kind == KindGroup && slices.ContainsFunc(h.Groups, func(id string) bool { return strings.EqualFold(id, g.Subject) }):
			other = append(other, g)
		}
	}
	if len(own) > 0 {
		return highest(own, nil)
	}
	return highest(other, h.Roles)
}

func highest(grants []Grant, directory []string) (standing, bool) {
	for _, r := range Roles() {
		if r.ID == RoleOperator {
			continue
		}
		for _, id := range r.Directory {
			if slices.ContainsFunc(directory, func(w string) bool { return strings.EqualFold(w, id) }) {
				return standing{Role: r, Because: "the directory role " + directoryRole(id)}, true
			}
		}
		var limited []string
		found := ""
		for _, g := range grants {
			if g.Role != r.ID {
				continue
			}
			if found = "the role given to the " + g.Kind + " " + cmp.Or(g.Name, g.Subject); g.Customers == nil {
				return standing{Role: r, Because: found}, true
			}
			limited = append(limited, g.Customers...)
		}
		if found != "" {
			slices.Sort(limited)
			return standing{Role: r, Customers: append([]string{}, slices.Compact(limited)...), Because: found}, true
		}
	}
	return standing{}, false
}

// meet is what two lists of customers have in common; nil is all.
func meet(a, b []string) []string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	out := []string{}
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// common are the rights that two lists share.
func common(a, b []screen.Right) (out []screen.Right) {
	for _, r := range a {
		if slices.Contains(b, r) {
			out = append(out, r)
		}
	}
	return out
}

// directoryRole is the name of a directory role.
func directoryRole(id string) string {
	if r, ok := entra.FindRole(id); ok {
		return r.Name
	}
	return id
}

// ByItself are the names of the directory roles that bring a role without a grant.
func (r *Role) ByItself() string {
	var names []string
	for _, id := range r.Directory {
		names = append(names, directoryRole(id))
	}
	if r.ID == RoleOperator {
		return "a link"
	}
	return strings.Join(names, ", ")
}

// RolesTable is the table of roles and rights of the documentation, in Markdown.
func RolesTable() string {
	var b strings.Builder
	b.WriteString("| role | comes by itself with | sees | does | per customer |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range Roles() {
		var sees, does []string
		for _, x := range r.Rights {
			if x.Acts() {
				does = append(does, "`"+string(x)+"`")
			} else {
				sees = append(sees, "`"+string(x)+"`")
			}
		}
		limits := "no"
		if r.Limits {
			limits = "yes"
		}
		b.WriteString("| `" + r.ID + "` | " + cmp.Or(r.ByItself(), "-") + " | " + strings.Join(sees, " ") + " | " + cmp.Or(strings.Join(does, " "), "-") +
			" | " + limits + " |\n")
	}
	return b.String()
}
