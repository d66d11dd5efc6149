package partnercloud

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

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
			person := Person{UPN: u.UPN, Name: u.Name, Role: roleOf(st, p, u), About: u.About}
			person.Password, _ = st.SeededPassword(u)
			if m := u.Method(world.MethodTOTP); m != nil {
				person.TOTP = st.TOTPSecret(u, m)
			}
			s.info.People = append(s.info.People, person)
		}
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
