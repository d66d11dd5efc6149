package graph

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// handler answers an operation, with the world locked.
type handler func(c *call, s *world.State, t *world.Tenant) (*reply, error)

// route is one row of the table: an operation, who may call it, what it counts
// for, what it takes of the query and who answers it.
type route struct {
	method  string
	pattern string // "{}" stands for a key
	parts   []string
	only    string // "v1.0", "beta" or "": both
	permit  permit
	service service
	cost    int // resource units of the directory service
	takes   takes
	do      handler
	// free is called without the world's lock instead of do, after the permission
	// check.
	free      func(c *call) (*reply, error)
	bare      bool   // takes no body although it is a POST
	condition bool   // takes If-Match
	upserts   bool   // makes what is missing, when the client prefers it
	leftOut   string // the name of what Graph has and the partner cloud has not
	selects   bool   // a write that takes $select
	source    kit.Source
}

// selecting lets a write take $select.
func (r *route) selecting() *route { r.selects = true; return r }

// conditional takes If-Match.
func (r *route) conditional() *route { r.condition = true; return r }

// createIfMissing takes the preference to make what is missing.
func (r *route) createIfMissing() *route { r.upserts = true; return r }

// from says where operations are described, and how sure we are.
func from(sure kit.Sure, text string, rows ...*route) []*route {
	for _, r := range rows {
		r.source = kit.Source{Text: text, Sure: sure}
	}
	return rows
}

// takes is what a read takes of OData's options (contracts.md section 3.0). A
// read of one object takes $select and $expand alone.
type takes struct {
	many     bool // a collection
	top, max int  // page size: default and largest; 0: no paging, everything at once
	// advanced marks directory objects: $count, $search, ne, not and endsWith need
	// ConsistencyLevel: eventual.
	advanced bool
	noTop    bool // refuses $top and $skip
	changes  bool // a delta query: $select, $filter and $top alone
}

func on(method, pattern string, who permit, do handler) *route {
	return &route{method: method, pattern: pattern, parts: strings.Split(pattern, "/"), permit: who, do: do, cost: 1}
}

func get(pattern string, who permit, do handler) *route {
	return on(http.MethodGet, pattern, who, do)
}
func post(pattern string, who permit, do handler) *route {
	return on(http.MethodPost, pattern, who, do)
}
func patch(pattern string, who permit, do handler) *route {
	return on(http.MethodPatch, pattern, who, do)
}
func del(pattern string, who permit, do handler) *route {
	return on(http.MethodDelete, pattern, who, do)
}

// pages marks a collection given in pages of a default and a largest size.
func (r *route) pages(top, max int) *route {
	r.takes.many, r.takes.top, r.takes.max = true, top, max
	return r
}

// objects marks a collection of directory objects.
func (r *route) objects() *route {
	r.takes.advanced = true
	return r.pages(100, 999)
}

// changes marks a delta query.
func (r *route) changes() *route {
	r.takes.many, r.takes.changes = true, true
	return r
}

// whole marks a collection given at once.
func (r *route) whole() *route { return r.pages(0, 0) }

// untopped refuses $top and $skip.
func (r *route) untopped() *route {
	r.takes.noTop = true
	return r.whole()
}

// units is what the operation costs of the directory service; 1 when not said.
func (r *route) units(n int) *route { r.cost = n; return r }

// of counts the operation against another service's limits.
func (r *route) of(s service) *route { r.service = s; return r }

// beta leaves the operation out of v1.0.
func (r *route) beta() *route { r.only = "beta"; return r }

// v1 leaves the operation out of beta.
func (r *route) v1() *route { r.only = "v1.0"; return r }

// bodiless lets the body be missing.
func (r *route) bodiless() *route { r.bare = true; return r }

// unlocked answers without the world's lock, after the permission check.
func (r *route) unlocked(do func(c *call) (*reply, error)) *route { r.free = do; return r }

// in reports that the operation is part of a version.
func (r *route) in(version string) bool { return r.only == "" || r.only == version }

// last is the last part of the pattern: what operations of one handler differ in.
func (r *route) last() string { return r.parts[len(r.parts)-1] }

// table holds the routes by lower-case first segment.
type table map[string][]*route

func newTable(rows []*route) table {
	out := table{}
	for _, r := range rows {
		head := strings.ToLower(r.parts[0])
		out[head] = append(out[head], r)
	}
	return out
}

const maxSegments = 16

// locate reads version and path. name('key') is the same as name/key.
func (c *call) locate() error {
	segs := strings.Split(strings.Trim(c.r.URL.EscapedPath(), "/"), "/")
	switch {
	case strings.EqualFold(segs[0], "v1.0"):
	case strings.EqualFold(segs[0], "beta"):
		c.beta = true
	default:
		return refuse(http.StatusBadRequest, "BadRequest", "Invalid version: %s", clip(segs[0]))
	}
	if len(segs) > maxSegments {
		return refuse(http.StatusBadRequest, "BadRequest", "The path has too many segments.")
	}
	for _, raw := range segs[1:] {
		seg, err := url.PathUnescape(raw)
		if err != nil {
			return refuse(http.StatusBadRequest, "BadRequest", "The path is not properly escaped.")
		}
		if seg == "" {
			continue
		}
		if i := strings.IndexByte(seg, '('); i > 0 && strings.HasSuffix(seg, ")") {
			arg := seg[i+1 : len(seg)-1]
			c.path = append(c.path, seg[:i])
			if arg != "" {
				c.path = append(c.path, unquote(arg))
			}
			continue
		}
		c.path = append(c.path, seg)
	}
	return nil
}

// unquote takes the quotes off a key; appId='x' becomes appId=x.
func unquote(arg string) string {
	name, val, named := strings.Cut(arg, "=")
	if !named || strings.HasPrefix(arg, "'") {
		name, val = "", arg
	}
	if len(val) >= 2 && val[0] == '\'' && val[len(val)-1] == '\'' {
		val = strings.ReplaceAll(val[1:len(val)-1], "''", "'")
	}
	if named && name != "" {
		return name + "=" + val
	}
	return val
}

// match finds the operation. Trailing $count, $ref and casts are taken off
// where the operation does not name them itself.
func (c *call) match() error {
	if len(c.path) == 0 {
		return refuse(http.StatusBadRequest, "BadRequest", "The service document is not part of the partner cloud.")
	}
	c.tenantPrefix()
	if strings.EqualFold(c.path[0], "me") {
		c.path = append([]string{"users", "me"}, c.path[1:]...)
	}
	for i, seg := range c.path {
		if rest, ok := cutNamespace(seg); ok && memberType(rest) == "" {
			c.path[i] = rest // a bound function or action with its namespace
		}
	}
	if c.try() {
		return nil
	}
	last := c.path[len(c.path)-1]
	switch {
	case last == "$count":
		c.tally = true
	case last == "$ref" && c.r.Method == http.MethodGet:
		c.refs = true
	case absentPart(c.path) == "" && c.propertyPath():
		return nil
	default:
		return c.unmatched()
	}
	c.path = c.path[:len(c.path)-1]
	if len(c.path) > 0 && c.try() && c.route.method == http.MethodGet && (c.route.takes.many || !c.tally) {
		return nil
	}
	return c.unmatched()
}

// cutNamespace takes Graph's namespace off a name, in any case.
func cutNamespace(name string) (rest string, ok bool) {
	const ns = "microsoft.graph."
	if len(name) <= len(ns) || !strings.EqualFold(name[:len(ns)], ns) {
		return name, false
	}
	return name[len(ns):], true
}

// memberType spells a type that directory objects may be cast to; "" for others.
func memberType(name string) string {
	for _, typ := range []string{"user", "group", "servicePrincipal", "directoryRole", "device", "application", "administrativeUnit"} {
		if strings.EqualFold(typ, name) {
			return typ
		}
	}
	return ""
}

func (c *call) try() bool {
	path := c.path
	c.cast = ""
	if rest, ok := cutNamespace(path[len(path)-1]); ok && memberType(rest) != "" {
		path = path[:len(path)-1]
		c.cast = memberType(rest)
		if len(path) == 0 || c.r.Method != http.MethodGet {
			return false
		}
	}
	for _, r := range c.g.plan[strings.ToLower(path[0])] {
		if r.method != c.r.Method || !r.in(c.version()) {
			continue
		}
		if params, ok := r.fits(path); ok {
			c.route, c.params, c.takes = r, params, r.takes
			return true
		}
	}
	return false
}

func (r *route) fits(path []string) (params []string, ok bool) {
	if len(path) != len(r.parts) {
		return nil, false
	}
	for i, p := range r.parts {
		if p == "{}" && !strings.HasPrefix(path[i], "$") {
			params = append(params, path[i])
		} else if !strings.EqualFold(p, path[i]) {
			return nil, false
		}
	}
	return params, true
}

// unmatched says what is wrong: the method, a workload that is left out, or the first
// segment nobody knows.
func (c *call) unmatched() error {
	if len(c.path) == 0 { // $count or $ref of nothing
		return refuse(http.StatusBadRequest, "BadRequest", "The segment is not valid at the root of the service.")
	}
	known := 0
	for _, r := range c.g.plan[strings.ToLower(c.path[0])] {
		if !r.in(c.version()) {
			continue
		}
		if _, ok := r.fits(c.path); ok {
			return refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
		}
		n := 0
		for n < len(r.parts) && n < len(c.path) && (r.parts[n] == "{}" || strings.EqualFold(r.parts[n], c.path[n])) {
			n++
		}
		known = max(known, n)
	}
	if name := absentPart(c.path); name != "" {
		return kit.LeftOut(name)
	}
	return noSegment(c.path[min(known, len(c.path)-1)])
}

// noProperty refuses the last segment of a path when the object has no such property.
func noProperty(name string) error {
	if part := absentParts[strings.ToLower(name)]; part != "" {
		return kit.LeftOut(part)
	}
	return noSegment(name)
}

func noSegment(name string) error {
	return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", clip(name))
}

// found answers an operation on one object: find looks for it by the path, and
// refuses when there is none.
func found[T any](find func(*call, *world.State, *world.Tenant) (T, error), do func(*call, *world.State, *world.Tenant, T) (*reply, error)) handler {
	return func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		x, err := find(c, s, t)
		if err != nil {
			return nil, err
		}
		if c.route.method == http.MethodPatch {
			c.dropUnchanged(s, x, nil)
		}
		return do(c, s, t, x)
	}
}

// row finds the row that the path's first key names.
func row[T any, P interface {
	*T
	world.Row
}](table func(*world.Tenant) *world.Table[T, P]) func(*call, *world.State, *world.Tenant) (P, error) {
	return func(c *call, _ *world.State, t *world.Tenant) (P, error) {
		if x := table(t).Get(c.params[0]); x != nil {
			return x, nil
		}
		return nil, notFound(c.params[0])
	}
}

// The rows of the tenant's tables that keys name.
type documents = world.Table[world.Document, *world.Document]

var (
	findPolicy   = seen(row(func(t *world.Tenant) *documents { return &t.Policies }))
	findLocation = seen(row(func(t *world.Tenant) *documents { return &t.Locations }))
	findStrength = seen(row(func(t *world.Tenant) *documents { return &t.Strengths }))
	findConfig   = row(func(t *world.Tenant) *documents { return &t.MethodConfigs })
	findGrant    = row(func(t *world.Tenant) *world.Table[world.Grant, *world.Grant] { return &t.Grants })
	findAlert    = row(func(t *world.Tenant) *world.Table[world.Alert, *world.Alert] { return &t.Alerts })
)
