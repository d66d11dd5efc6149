package partnercloud

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/keyvault"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// samplePeople is how many people are printed: those the scenario has something
// to say about.
const samplePeople = 20

// describe fills in who and what is in the world.
func (s *Server) describe() {
	s.World.Read(func(st *world.State) {
		p := st.PartnerTenant()
		if p == nil {
			return
		}
		s.info.Name, s.info.Banner = st.Name, Banner
		s.info.Tenant = Tenant{ID: p.ID, Domain: p.Domain(), Name: p.Name}
		for u := range p.Users.All() {
			if u.About == "" || !u.Enabled || len(s.info.People) == samplePeople {
				continue
			}
			s.info.People = append(s.info.People, personOf(st, p, u))
		}
		s.info.Admins = s.answerers(st)
		for t := range st.Made() {
			for a := range t.Apps.All() {
				if a.About == "" {
					continue
				}
				app := App{Name: a.Name, ClientID: a.AppID, Tenant: t.Domain(), About: a.About}
				for _, c := range a.Passwords {
					if c.Hash == "" {
						app.ClientSecret = st.SeededSecret(a.AppID)
					}
				}
				if list := slices.Concat(a.Web, a.SPA, a.Public); len(list) > 0 {
					app.Redirect = list[0]
				}
				s.info.Apps = append(s.info.Apps, app)
			}
		}
		if v := st.KeyVault; v != nil && len(v.Keys) > 0 {
			s.info.KeyVaultKey = "https://" + keyvault.Host + "/keys/" + v.Keys[0].Name
		}
		for c := range p.Customers.All() {
			if len(s.info.Customers) == 8 {
				break
			}
			s.info.Customers = append(s.info.Customers, Customer{ID: c.TenantID, Domain: c.Domain, Name: c.Name})
		}
	})
}

// personOf is a person with what is needed to sign in.
func personOf(st *world.State, t *world.Tenant, u *world.User) Person {
	out := Person{UPN: u.UPN, Name: u.Name, Role: roleOf(st, t, u), About: u.About}
	out.Password, _ = st.SeededPassword(u)
	if m := u.Method(world.MethodTOTP); m != nil {
		out.TOTP = st.TOTPSecret(u, m)
	}
	return out
}

// answerers are the customers' own administrators of whom the scenario has something to say
// and who may answer offers. Their tenants are made for it, which few are.
func (s *Server) answerers(st *world.State) (out []Person) {
	if s.scenario == nil {
		return nil
	}
	for i := range s.scenario.Customers {
		for _, k := range s.scenario.Customers[i].People {
			if k.About == "" || len(k.Roles) == 0 || len(out) == samplePeople {
				continue
			}
			t := st.Tenant(s.scenario.Customers[i].Domain)
			if t == nil {
				continue
			}
			if u := t.UserByName(k.UPN); u != nil && u.Enabled && t.HasRole(u.ID, st.Clock.Now(), entra.RoleGlobalAdministrator,
				entra.RoleCustomerRelationshipAdministrator) {
				out = append(out, personOf(st, t, u))
			}
		}
	}
	return out
}

// roleOf names what makes a person interesting: directory roles, then partner
// groups.
func roleOf(st *world.State, p *world.Tenant, u *world.User) string {
	var out []string
	for _, id := range p.RolesOf(u.ID, st.Clock.Now()) {
		out = append(out, world.RoleName(id))
	}
	for _, g := range []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents} {
		if p.InGroup(u.ID, g) {
			out = append(out, g)
		}
	}
	return strings.Join(out, ", ")
}

// signInLog lets the control API follow the sign-in log.
type signInLog struct{ w *world.World }

func (l signInLog) SignIns(_ context.Context, after int64, limit int) (out []json.RawMessage, next int64, err error) {
	var rows []*world.SignIn
	l.w.Read(func(s *world.State) { rows, next = s.Follow(after, limit) })
	for _, r := range rows {
		raw, err := json.Marshal(r)
		if err != nil {
			return nil, after, err
		}
		out = append(out, raw)
	}
	return out, next, nil
}

func (l signInLog) Wait(ctx context.Context, after int64) error {
	for {
		grown := l.w.Grown()
		more := false
		l.w.Read(func(s *world.State) { rows, _ := s.Follow(after, 1); more = len(rows) > 0 })
		if more {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = problem.New(problem.Limit, "it is over %d bytes", limit)
	}
	return b, err
}
