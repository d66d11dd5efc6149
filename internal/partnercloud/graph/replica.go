package graph

import (
	"net/http"

	"partnerguard/internal/partnercloud/world"
)

// seen lets readers find a settings object as it has come through to them; who writes has
// the newest.
func seen(find func(*call, *world.State, *world.Tenant) (*world.Document, error)) func(*call, *world.State, *world.Tenant) (*world.Document, error) {
	return func(c *call, s *world.State, t *world.Tenant) (*world.Document, error) {
		d, err := find(c, s, t)
		if err != nil || c.route.method != http.MethodGet {
			return d, err
		}
		if d = d.Seen(c.now); d == nil {
			return nil, notFound(c.params[0])
		}
		return d, nil
	}
}

// documents lists settings objects as they have come through.
func (c *call) documents(table *documents, show func(*world.Document) any) since {
	return rowsAs(table, func(d *world.Document) any {
		if d = d.Seen(c.now); d == nil {
			return nil
		}
		return show(d)
	})
}
