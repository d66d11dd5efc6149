package portal

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// day is one day's requests.
type day struct {
	Date                           time.Time
	Portal, PortalMFA, API, APIMFA int
}

// traffic is the requests of the last seven days, app-only ones left out.
type traffic struct {
	days []day
	rows []*world.PartnerRequest // newest first
}

// days is how many the status covers (contracts.md section 1.4).
const days = 7

// traffic reads the requests of the last seven days, today included.
func (p *Portal) traffic() traffic {
	var t traffic
	p.world.Read(func(s *world.State) {
		today := s.Clock.Now().UTC().Truncate(24 * time.Hour)
		first := today.AddDate(0, 0, 1-days)
		for i := range days {
			t.days = append(t.days, day{Date: first.AddDate(0, 0, i)})
		}
		for r := range s.NewestRequests(s.PartnerTenant(), first) {
			i := int(r.At.UTC().Sub(first) / (24 * time.Hour))
			if r.AppOnly || i < 0 || i >= days {
				continue
			}
			t.rows = append(t.rows, r)
			d := &t.days[i]
			switch {
			case r.Portal:
				d.Portal++
				if r.MFA {
					d.PortalMFA++
				}
			default:
				d.API++
				if r.MFA {
					d.APIMFA++
				}
			}
		}
	})
	return t
}

func (t *traffic) sum() (d day) {
	for _, x := range t.days {
		d.Portal, d.PortalMFA, d.API, d.APIMFA = d.Portal+x.Portal, d.PortalMFA+x.PortalMFA, d.API+x.API, d.APIMFA+x.APIMFA
	}
	return d
}

// people is what settings ask of a tenant's enabled users at an ordinary
// sign-in, by the access engine.
type people struct {
	version, day        int64
	users, asked        int
	admins, adminsAsked int
	defaults            bool
	policies, perUser   int
}

// usersCache keeps answers by tenant until the tenant or the day changes.
type usersCache struct{ seen map[string]people }

// maxTenants bounds the cache.
const maxTenants = 5_000

// people asks the engine, outside of the world's lock. Security defaults count
// for everybody, although they ask most people only when necessary. The
// directory synchronisation account is never asked and not counted.
func (p *Portal) people(tenants []string) []people {
	type job struct {
		id      string
		engine  *access.Engine
		enabled map[string]bool
		admins  map[string]bool
		out     people
		done    bool
	}
	var out []people
	for len(tenants) > 0 {
		n := min(len(tenants), 20) // a few at a time: nobody waits long for the lock
		var jobs []*job
		p.world.Read(func(s *world.State) {
			now := s.Clock.Now()
			for _, id := range tenants[:n] {
				t := s.Tenant(id)
				if t == nil {
					continue
				}
				j := &job{id: t.ID, enabled: map[string]bool{}, admins: map[string]bool{}, out: people{version: t.Version(), day: now.Unix() / 86400,
					defaults: t.SecurityDefaults}}
				p.mu.Lock()
				old, found := p.users.seen[t.ID]
				p.mu.Unlock()
				if found && old.version == j.out.version && old.day == j.out.day {
					j.out, j.done = old, true
					jobs = append(jobs, j)
					continue
				}
				j.engine = s.Engine(t)
				for u := range t.Users.All() {
					j.enabled[strings.ToLower(u.ID)] = u.Enabled
					if u.Enabled && (u.PerUserMFA == "enabled" || u.PerUserMFA == "enforced") {
						j.out.perUser++
					}
				}
				jobs = append(jobs, j)
			}
		})
		for _, j := range jobs {
			if !j.done {
				judge(j.engine, j.enabled, &j.out)
				p.mu.Lock()
				if p.users.seen == nil || len(p.users.seen) > maxTenants {
					p.users.seen = map[string]people{}
				}
				p.users.seen[j.id] = j.out
				p.mu.Unlock()
			}
			out = append(out, j.out)
		}
		tenants = tenants[n:]
	}
	return out
}

func judge(e *access.Engine, enabled map[string]bool, out *people) {
	for _, x := range e.Tenant().Policies {
		if x.Enforced() && x.RequiresMFA() {
			out.policies++
		}
	}
	covers, err := e.Coverage(access.Question{Name: "status", Require: access.RequireMFA, Ordinary: true})
	for i := range e.Tenant().Users {
		u := &e.Tenant().Users[i]
		if !enabled[u.ID] || u.Exempt {
			continue
		}
		asked := out.defaults || err == nil && i < len(covers) && covers[i] == access.Covered
		admin := slices.ContainsFunc(u.Roles, func(r string) bool { return r != entra.RoleDirectorySync })
		out.users++
		if asked {
			out.asked++
		}
		if admin {
			out.admins++
			if asked {
				out.adminsAsked++
			}
		}
	}
}

// requirement is one line of the security requirements.
type requirement struct {
	Kind, Title, Duty, Detail string
	Met                       bool
	Score, Max                int
}

// summary is the download of API requests by app and day.
type summary struct {
	day, app, name string
	mfa, total     int
}

func (t *traffic) summary() []summary {
	m := map[[2]string]*summary{}
	for _, r := range t.rows {
		if r.Portal {
			continue
		}
		k := [2]string{r.At.UTC().Format(time.DateOnly), strings.ToLower(r.AppID)}
		if m[k] == nil {
			m[k] = &summary{day: k[0], app: k[1], name: r.AppName}
		}
		m[k].total++
		if r.MFA {
			m[k].mfa++
		}
	}
	out := make([]summary, 0, len(m))
	for _, s := range m {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b summary) int { return cmp.Or(cmp.Compare(b.day, a.day), cmp.Compare(a.app, b.app)) })
	return out
}
