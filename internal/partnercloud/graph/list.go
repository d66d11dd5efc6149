package graph

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/world"
)

// since yields rows with their places, those that come after the one named
// after; see world.Table.Since.
type since = func(after string, at int) iter.Seq2[int, any]

// rows pages through a world table.
func rows[T any, P interface {
	*T
	world.Row
}](tab *world.Table[T, P]) since {
	return rowsAs(tab, func(r P) any { return r })
}

// rowsAs pages through what show makes of a world table's rows; nil leaves one
// out.
func rowsAs[T any, P interface {
	*T
	world.Row
}](tab *world.Table[T, P], show func(P) any) since {
	return func(after string, at int) iter.Seq2[int, any] {
		return func(yield func(int, any) bool) {
			for i, r := range tab.Since(after, at) {
				if v := show(r); v != nil && !yield(i, v) {
					return
				}
			}
		}
	}
}

// rowsWhere pages through those of a world table's rows that pass.
func rowsWhere[T any, P interface {
	*T
	world.Row
}](tab *world.Table[T, P], pass func(P) bool) since {
	return rowsAs(tab, func(r P) any {
		if !pass(r) {
			return nil
		}
		return r
	})
}

// slice pages through rows that are at hand.
func slice[T any](rows []T, key func(any) string) since {
	return func(after string, at int) iter.Seq2[int, any] {
		return func(yield func(int, any) bool) {
			start := 0
			if after != "" {
				if at < len(rows) && at >= 0 && strings.EqualFold(key(rows[at]), after) {
					start = at + 1
				} else if start = slices.IndexFunc(rows, func(r T) bool { return strings.EqualFold(key(r), after) }) + 1; start == 0 {
					start = min(max(at, 0), len(rows))
				}
			}
			for i := start; i < len(rows); i++ {
				if !yield(i, rows[i]) {
					return
				}
			}
		}
	}
}

// pageSize reads $top.
func (c *call) pageSize() (int, error) {
	l := c.takes
	if l.noTop && (c.q.Has("$top") || c.q.Has("$skip")) {
		return 0, refuse(400, "BadRequest", "The query options $top and $skip are not supported here.")
	}
	if l.max == 0 {
		if c.q.Top >= 0 {
			return max(c.q.Top, 1), nil
		}
		return 1 << 30, nil
	}
	switch {
	case c.q.Top < 0:
		return l.top, nil
	case c.q.Top == 0 || c.q.Top > l.max:
		return 0, refuse(400, "Request_UnsupportedQuery", "Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", c.q.Top, l.max)
	}
	return c.q.Top, nil
}

// advancedQuery checks the rules of advanced directory queries.
func (c *call) advancedQuery() error {
	if !c.takes.advanced {
		return nil
	}
	if c.q.Has("$skip") {
		return refuse(400, "Request_UnsupportedQuery", "'$skip' is not supported by the service.")
	}
	if c.tally && !c.advance {
		return refuse(400, "Request_BadRequest", "$count is not currently supported without the header ConsistencyLevel: eventual.")
	}
	if (c.q.Count || len(c.q.Search) > 0) && !c.advance {
		return refuse(400, "Request_UnsupportedQuery",
			"Request with $count or $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'.")
	}
	asked := c.advance && (c.q.Count || c.tally || c.q.Has("$skiptoken"))
	if c.q.Filter != nil && len(c.q.OrderBy) > 0 && !asked {
		return refuse(400, "Request_UnsupportedQuery", "Sorting not supported for current query.")
	}
	if c.q.Filter != nil && !asked && c.q.Filter.Advanced() {
		return refuse(400, "Request_UnsupportedQuery", "Unsupported Query: the filter needs the header ConsistencyLevel: eventual and $count=true.")
	}
	return nil
}

// entity wraps a row for this call.
func (c *call) entity(sh *shape, row any) *entity {
	if e, ok := row.(*entity); ok {
		return e
	}
	return &entity{shape: sh, row: row, beta: c.beta, skus: c.skus}
}

// isCast reports that an object is of the type that the path casts to.
func (c *call) isCast(e *entity) bool {
	return c.cast == "" || e.typ == c.cast || e.kind != nil && e.kind(e.row) == c.cast
}

// list gives a page of a collection. It runs within the world's lock; the
// answer is encoded outside of it.
func (c *call) list(t *world.Tenant, context string, sh *shape, all since) (*reply, error) {
	names := sh
	if properties()[c.cast] != nil {
		names = &shape{typ: c.cast, navs: sh.navs}
	}
	if err := names.checkNames(c, c.q); err != nil {
		return nil, err
	}
	if err := c.advancedQuery(); err != nil {
		return nil, err
	}
	size, err := c.pageSize()
	if err != nil {
		return nil, err
	}
	from, err := c.resume()
	if err != nil {
		return nil, err
	}
	pass := func(e *entity) bool {
		return c.isCast(e) && (c.q.Filter == nil || c.q.Filter.Match(e)) && (len(c.q.Search) == 0 || odata.Found(e, c.q.Search))
	}
	if c.tally {
		n := 0
		for _, row := range all("", 0) {
			if pass(c.entity(sh, row)) {
				n++
			}
		}
		return &reply{status: http.StatusOK, body: strconv.AppendInt(nil, int64(n), 10), text: true}, nil
	}
	var page []*entity
	count, next := -1, (*position)(nil)
	if c.q.Count && !c.q.Has("$skiptoken") {
		count = 0
	}
	if len(c.q.OrderBy) > 0 {
		page, next, count = c.ordered(sh, all, pass, from, size, count)
	} else {
		skip := 0
		if from.After == "" {
			skip = c.q.Skip
		}
		last := position{}
		for i, row := range all(from.After, from.At) {
			e := c.entity(sh, row)
			if !pass(e) {
				continue
			}
			if count >= 0 {
				count++
			}
			if skip > 0 {
				skip--
				continue
			}
			if len(page) == size {
				if next == nil {
					p := last
					next = &p
				}
				if count < 0 {
					break
				}
				continue
			}
			page = append(page, e)
			last = position{After: e.key(e.row), At: i}
		}
	}
	for _, e := range page {
		c.fully(e).expand(c, t, c.q)
	}
	return c.page(context, page, next, count, nil), nil
}

// ordered sorts what passes and cuts the page out.
func (c *call) ordered(sh *shape, all since, pass func(*entity) bool, from position, size, count int) ([]*entity, *position, int) {
	type keyed struct {
		e    *entity
		keys []any
	}
	var list []keyed
	for _, row := range all("", 0) {
		e := c.entity(sh, row)
		if !pass(e) {
			continue
		}
		k := keyed{e: e}
		for _, o := range c.q.OrderBy {
			k.keys = append(k.keys, odata.Lookup(e, o.Path))
		}
		list = append(list, k)
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		for i, o := range c.q.OrderBy {
			x, y := a.keys[i], b.keys[i]
			if o.Desc {
				x, y = y, x
			}
			if odata.Less(x, y) {
				return -1
			}
			if odata.Less(y, x) {
				return 1
			}
		}
		return 0
	})
	if count >= 0 {
		count = len(list)
	}
	start := from.At
	if from.After == "" {
		start = c.q.Skip
	}
	start = min(max(start, 0), len(list))
	end := min(start+min(size, len(list)), len(list))
	var page []*entity
	for _, k := range list[start:end] {
		page = append(page, k.e)
	}
	if end < len(list) {
		return page, &position{After: "*", At: end}, count
	}
	return page, nil, count
}

// contextURL is @odata.context of an answer.
func (c *call) contextURL(what string, one bool) string {
	u := c.root() + "/$metadata#" + what
	if len(c.q.Select) > 0 {
		u += "(" + strings.Join(c.q.Select, ",") + ")"
	}
	if one {
		u += "/$entity"
	}
	return u
}

// page makes the answer of a collection. more are members besides, such as a
// delta link.
func (c *call) page(context string, page []*entity, next *position, count int, more object) *reply {
	head := object{{"@odata.context", c.contextURL(context, false)}}
	if c.refs {
		head[0].value = c.root() + "/$metadata#Collection($ref)"
	}
	if count >= 0 {
		head = append(head, member{"@odata.count", count})
	}
	if next != nil {
		head = append(head, member{"@odata.nextLink", c.nextLink(*next)})
	}
	head = append(head, more...)
	sel := c.selection()
	return &reply{status: http.StatusOK, make: func() ([]byte, error) {
		b := head.appendJSON(make([]byte, 0, 256+len(page)*512))
		b = append(b[:len(b)-1], `,"value":[`...)
		for i, e := range page {
			if i > 0 {
				b = append(b, ',')
			}
			if c.refs {
				b = object{{"@odata.id", c.root() + "/directoryObjects/" + e.key(e.row)}}.appendJSON(b)
				continue
			}
			b = e.append(b, sel)
		}
		return append(b, "]}"...), nil
	}}
}

// selection is $select without "*", which means everything.
func (c *call) selection() []string {
	if c.q == nil || len(c.q.Select) == 0 || slices.Contains(c.q.Select, "*") {
		return nil
	}
	return c.q.Select
}

// reference answers a read of one object's $ref: what names it.
func (c *call) reference(e *entity) (*reply, error) {
	id := e.key(e.row)
	return give(object{{"@odata.context", c.root() + "/$metadata#$ref"}, {"@odata.id", c.root() + "/directoryObjects/" + id},
		{"@odata.type", "#microsoft.graph." + e.typ}, {"id", id}})
}

// one gives a single object.
func (c *call) one(t *world.Tenant, context string, sh *shape, row any) (*reply, error) {
	if !c.isCast(c.entity(sh, row)) {
		return nil, notFound(c.path[len(c.path)-1])
	}
	if c.refs { // $select is of no matter then
		return c.reference(c.entity(sh, row))
	}
	if c.onlyProperty != "" {
		return c.onePropertyOf(context, c.entity(sh, row))
	}
	if err := sh.checkNames(c, c.q); err != nil {
		return nil, err
	}
	e := c.fully(c.entity(sh, row))
	e.expand(c, t, c.q)
	sel := c.selection()
	url := c.contextURL(context, true)
	if strings.HasSuffix(context, "!") { // a singleton has no /$entity
		url = c.contextURL(strings.TrimSuffix(context, "!"), false)
	}
	return &reply{status: http.StatusOK, make: func() ([]byte, error) {
		b := object{{"@odata.context", url}}.appendJSON(nil)
		rest := e.append(nil, sel)
		if len(rest) == 2 {
			return b, nil
		}
		b[len(b)-1] = ','
		return append(b, rest[1:]...), nil
	}}, nil
}

// show gives a page of a collection, or the one row that the path's last key names.
func (c *call) show(t *world.Tenant, context string, sh *shape, all since) (*reply, error) {
	if c.route.takes.many {
		return c.list(t, context, sh, all)
	}
	key := c.params[len(c.params)-1]
	for _, row := range all("", 0) {
		if strings.EqualFold(sh.key(row), key) {
			return c.one(t, context, sh, row)
		}
	}
	return nil, notFound(key)
}

// created is the answer to a POST that made something.
func (c *call) created(t *world.Tenant, context string, sh *shape, row any) (*reply, error) {
	c.q = &odata.Query{Top: -1}
	rep, err := c.one(t, context, sh, row)
	if err != nil {
		return nil, err
	}
	rep.status = http.StatusCreated
	e := c.entity(sh, row)
	rep.header = http.Header{"Location": {c.here() + "/" + e.key(e.row)}}
	return rep, nil
}

// give answers with these members alone.
func give(body object) (*reply, error) {
	return &reply{status: http.StatusOK, body: appendValue(nil, body)}, nil
}

func noContent() (*reply, error) { return &reply{status: http.StatusNoContent}, nil }
