package gateway

// site is what one host serves.
type site struct {
	routes []*Route
}

// Find gives the route of a request, by its host (perhaps with a port) and its path as
// it was sent, without the query: or the reason, NoRoute or BadRequest. The most exact
// host decides, then its longest path by whole segments. It allocates nothing.
func (t *Table) Find(host, path string) (*Route, Reason) {
	return nil, NoRoute
}

// Serves says whether any route is of a host (perhaps with a port).
func (t *Table) Serves(host string) bool { return false }

// Site lists the routes of a host (perhaps with a port), for a page about them.
func (t *Table) Site(host string) []*Route { return nil }

// Reserved says whether a path is the gateway's own on every host it serves.
func Reserved(path string) bool { return false }
