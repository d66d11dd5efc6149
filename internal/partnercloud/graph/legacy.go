package graph

import (
	"partnerguard/internal/partnercloud/world"
)

// What is still registered by closures.

type router struct{ rows []*route }

func (p *router) add(method, pattern string, r route) {
	x := on(method, pattern, r.permit, r.do)
	x.takes = takes{true, 100, 999, true, false}
	x.only, x.service, x.cost, x.free, x.bare = r.only, r.service, max(r.cost, 1), r.free, r.bare
	p.rows = append(p.rows, x)
}

type listing struct {
	shape    *shape
	context  string
	since    since
	top, max int
	advanced bool
	noTop    bool
}

func (c *call) listed(s *world.State, t *world.Tenant, l *listing) (*reply, error) {
	c.takes = takes{true, l.top, l.max, l.advanced, l.noTop}
	return c.list(s, t, l.context, l.shape, l.since)
}
