package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// userID is the object id of an account.
func (b *builder) userID(t *world.Tenant, upn string) string {
	return b.state.GUID("user/" + t.ID + "/" + strings.ToLower(upn))
}

// person resolves a person by upn or the part before @, to an object id.
func (b *builder) person(t *world.Tenant, name string) string {
	if strings.Contains(name, "@") {
		return b.userID(t, name)
	}
	for _, d := range t.Domains {
		if id := b.userID(t, name+"@"+d); t.Users.Get(id) != nil {
			return id
		}
	}
	return ""
}

func (b *builder) groupID(t *world.Tenant, name string) string {
	return b.state.GUID("group/" + t.ID + "/" + strings.ToLower(name))
}

// people makes the named accounts of a tenant.
func (b *builder) people(t *world.Tenant, people []Person) {
	for i := range people {
		p := &people[i]
		created := p.Created.or(b.created, t.Created.AddDate(0, 0, 3+(i*11)%900))
		if created.After(b.created) {
			created = b.created
		}
		u := &world.User{
			ID: b.userID(t, p.UPN), UPN: p.UPN, Name: p.Name, Title: p.Title, Department: p.Department, Location: t.Country, Enabled: p.Enabled == nil ||
				*p.Enabled,
			Synced: p.Synced, Created: created.Truncate(time.Second), About: p.About, PerUserMFA: p.PerUserMFA, PasswordExpired: p.Expired,
			PasswordChanged: created.Truncate(time.Second), Risk: cmp.Or(p.Risk, "none"), RiskState: "none", RiskDetail: "none",
		}
		u.Given, u.Surname = split(p.Name)
		if u.Risk != "none" {
			u.RiskState, u.RiskAt = "atRisk", b.created.Add(-31*time.Hour)
		}
		if p.GuestOf != "" {
			u.Guest, u.HomeTenant, u.Mail = true, b.homeOf(p.GuestOf), guestHome(p.UPN, p.GuestOf)
			u.Password.None = true
		} else if p.Habit.Kind != "sync" {
			u.Mail = p.UPN
		}
		u.Password.None = u.Password.None || p.NoPassword
		b.methods(u, p.Methods)
		t.Users.Put(u)
		b.habits[u.ID] = &p.Habit
		for _, list := range []struct {
			roles []string
			into  *world.Table[world.RoleAssignment, *world.RoleAssignment]
			kind  string
		}{{p.Roles, &t.Held, "held"}, {p.Eligible, &t.Eligible, "eligible"}} {
			for _, r := range list.roles {
				b.assign(t, list.into, u.ID, r, list.kind, u.Created)
			}
		}
	}
	b.appPasswords(t, people)
}

func (b *builder) assign(t *world.Tenant, into *world.Table[world.RoleAssignment, *world.RoleAssignment], principal, role, kind string, at time.Time) {
	id, _ := roleID(role)
	into.Put(&world.RoleAssignment{ID: b.state.GUID(kind + "/" + t.ID + "/" + principal + "/" + id), Principal: principal, Role: id, Scope: "/", Start: at,
		Created: at})
}

func (b *builder) methods(u *world.User, words []string) {
	for _, w := range words {
		m := world.Method{Type: methodOf(w), Created: u.Created.Add(40 * time.Minute)}
		m.ID = b.state.GUID("method/" + u.ID + "/" + m.Type)
		switch m.Type {
		case world.MethodPhone:
			m.Phone = "+1 20255501" + fmt.Sprintf("%02d", m.ID[0]%100)
		case world.MethodFIDO2:
			m.Name = "Security key"
		case world.MethodPush:
			m.Name = "Authenticator"
		case world.MethodHello:
			m.Name = "PC-" + strings.ToUpper(m.ID[:5])
		case world.MethodExternal:
			if len(b.sc.Partner.External) > 0 {
				m.Name, m.Configuration = b.sc.Partner.External[0].Name, b.state.GUID("external/"+b.sc.Partner.External[0].Name)
			}
		}
		u.Methods = append(u.Methods, m)
	}
}

// homeOf is the tenant id of a guest's home: one of this world where the domain
// is, an invented one elsewhere.
func (b *builder) homeOf(domain string) string {
	for _, k := range b.customers {
		if strings.EqualFold(k.Domain, domain) {
			return b.customerID(k)
		}
	}
	for _, d := range b.sc.Partner.Domains {
		if strings.EqualFold(d, domain) {
			return b.partnerID
		}
	}
	return b.state.GUID("tenant/" + strings.ToLower(domain))
}

func split(name string) (given, surname string) {
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// groups makes the named groups; what people say of their groups counts too.
func (b *builder) groups(t *world.Tenant, groups []Group, people []Person) {
	if t.Kind == world.PartnerTenant {
		for _, name := range []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents} {
			if !slices.ContainsFunc(groups, func(g Group) bool { return strings.EqualFold(g.Name, name) }) {
				groups = append(groups, Group{Name: name, About: "Partner Center " + name})
			}
		}
	}
	named := map[string]bool{}
	for i := range groups {
		named[strings.ToLower(groups[i].Name)] = true
	}
	joined := map[string][]string{}
	for k := range people {
		for _, g := range people[k].Groups {
			g = strings.ToLower(g)
			joined[g] = append(joined[g], b.userID(t, people[k].UPN))
		}
	}
	for i := range groups {
		g := &groups[i]
		made := &world.Group{ID: b.groupID(t, g.Name), Name: g.Name, Description: g.About, RoleAssignable: g.RoleAssignable || len(g.Roles) > 0,
			Members: []string{}, Created: t.Created.AddDate(0, 1, 0)}
		in := map[string]bool{}
		add := func(id string) {
			if id != "" && !in[id] {
				in[id] = true
				made.Members = append(made.Members, id)
			}
		}
		for _, m := range g.Members {
			k, person := strings.ToLower(m), b.person(t, m)
			switch {
			case named[k]:
				add(b.groupID(t, m))
			case person != "" && t.Users.Get(person) != nil:
				add(person)
			default:
				if a := b.sc.app(m); a != nil {
					add(b.spID(t, b.appIDOf(a)))
				}
			}
		}
		for _, id := range joined[strings.ToLower(g.Name)] {
			add(id)
		}
		t.Groups.Put(made)
		for _, m := range g.Eligible {
			who := b.person(t, m)
			t.GroupEligible.Put(&world.RoleAssignment{ID: b.state.GUID("eligible/" + made.ID + "/" + who), Principal: who, Role: made.ID, Scope: "/",
				Start: made.Created, Created: made.Created})
		}
		for _, r := range g.Roles {
			b.assign(t, &t.Held, made.ID, r, "held", made.Created)
		}
	}
}
