package graph

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/world"
)

// shape says how rows of one Graph type are shown: which properties exist comes
// from the published metadata (known.go), what they say from the fields.
type shape struct {
	typ    string // user: microsoft.graph.user
	fields []field
	index  map[string]int
	// standard are the properties given without $select, in order; nil: all
	// fields that are not marked asked.
	standard []string
	key      func(row any) string
	kind     func(row any) string // of derived types: their name; nil: none
	etag     func(row any) string
	navs     map[string]nav
}

type field struct {
	name  string
	get   func(row any) any
	asked bool // only with $select
}

// nav expands a navigation of a row, within the world's lock.
type nav struct {
	many   bool
	levels bool // takes $levels
	of     func(c *call, t *world.Tenant, row any) []*entity
}

// f makes a field.
func f[T any](name string, get func(T) any) field {
	return field{name: name, get: func(row any) any { return get(row.(T)) }}
}

// asked marks a field that is given by $select alone.
func asked(x field) field { x.asked = true; return x }

func newShape(typ string, key func(any) string, fields ...field) *shape {
	sh := &shape{typ: typ, fields: fields, key: key, index: map[string]int{}, navs: map[string]nav{}}
	for i := range fields {
		sh.index[fields[i].name] = i
	}
	return sh
}

// entity is one row with the shape that shows it. It implements odata.Fielder.
type entity struct {
	*shape
	row   any
	beta  bool
	mark  bool // says its type: it stands among objects of other types
	keyed bool // gives its id whatever was selected: rows of delta queries
	// full is the base of ids where full control information is asked for.
	full string
	gone time.Time // of a deleted object: when
	// skus are a copy of the tenant's, where a user's plans are asked for.
	skus []world.SKU

	extra object // expanded navigations and annotations, ready
}

// Field gives a property: what the cloud knows, else null or an empty list for
// what the metadata knows.
func (e *entity) Field(name string) (any, bool) {
	if name == "deletedDateTime" && !e.gone.IsZero() {
		return e.gone, true
	}
	if u, is := e.row.(*world.User); is && name == assignedPlansName && e.skus != nil {
		return plansOf(u, e.skus), true
	}
	if i, ok := e.index[name]; ok {
		return e.fields[i].get(e.row), true
	}
	typ := e.typ
	if e.kind != nil {
		typ = e.kind(e.row)
	}
	known, list := knownProperty(typ, name, e.beta)
	if !known {
		return nil, false
	}
	if list {
		return []string{}, true
	}
	return nil, true
}

// append writes the object with the properties asked for.
func (e *entity) append(b []byte, sel []string) []byte {
	b = append(b, '{')
	n := len(b)
	put := func(name string, v any) {
		if len(b) > n {
			b = append(b, ',')
		}
		b = appendText(b, name)
		b = append(b, ':')
		b = appendValue(b, v)
	}
	if e.kind != nil {
		put("@odata.type", "#microsoft.graph."+e.kind(e.row))
	} else if e.mark || e.full != "" {
		put("@odata.type", "#microsoft.graph."+e.typ)
	}
	if e.full != "" {
		if id, edit := e.links(); id != "" {
			put("@odata.id", id)
			put("@odata.editLink", edit)
		}
		plain := put
		put = func(name string, v any) {
			switch v.(type) {
			case time.Time:
				plain(name+"@odata.type", "#DateTimeOffset")
			case []string:
				plain(name+"@odata.type", "#Collection(String)")
			}
			plain(name, v)
		}
	}
	if e.etag != nil {
		put("@odata.etag", e.etag(e.row))
	}
	typ := e.typ
	if e.kind != nil {
		typ = e.kind(e.row)
	}
	switch {
	case sel != nil:
		for _, name := range sel {
			if v, ok := e.Field(name); ok {
				put(name, v)
			}
		}
		if e.keyed && !slices.Contains(sel, "id") {
			put("id", e.key(e.row))
		}
	case e.standard != nil && !e.beta:
		for _, name := range e.standard {
			v, _ := e.Field(name)
			put(name, v)
		}
	default:
		for i := range e.fields {
			fd := &e.fields[i]
			if fd.asked {
				continue
			}
			if known, _ := knownProperty(typ, fd.name, e.beta); !known {
				continue
			}
			if v := fd.get(e.row); fd.name == "deletedDateTime" && !e.gone.IsZero() {
				put(fd.name, e.gone)
			} else {
				put(fd.name, v)
			}
		}
	}
	for _, m := range e.extra {
		put(m.name, m.value)
	}
	return append(b, '}')
}

func (e *entity) appendJSON(b []byte) []byte { return e.append(b, nil) }

// spell brings the names of a query, which count without case, to their spelling.
func (sh *shape) spell(q *odata.Query) {
	name := func(n string) string {
		head, rest, deep := strings.Cut(n, "/")
		if head = spelled(sh.typ, head); deep {
			return head + "/" + rest
		}
		if _, ok := properties()[sh.typ][head]; ok {
			return head
		}
		for nav := range sh.navs {
			if strings.EqualFold(nav, n) {
				return nav
			}
		}
		return head
	}
	var sel []string // a part of a property stands for the whole
	for _, n := range q.Select {
		if n = first(name(n)); !slices.Contains(sel, n) {
			sel = append(sel, n)
		}
	}
	q.Select = sel
	if q.Filter != nil {
		q.Filter.Rename(name)
	}
	for _, o := range q.OrderBy {
		o.Path[0] = name(o.Path[0])
	}
	for i := range q.Search {
		q.Search[i].Property = name(q.Search[i].Property)
	}
	for i := range q.Expand {
		q.Expand[i].Name = name(q.Expand[i].Name)
	}
}

// checkNames refuses properties that the type does not have, and options of an
// expansion that it does not take.
func (sh *shape) checkNames(c *call, q *odata.Query) error {
	miss := func(name string) error {
		return refuse(400, "BadRequest", "Could not find a property named '%s' on type 'microsoft.graph.%s'.", clip(name), sh.typ)
	}
	for _, n := range q.Select { // before a part is taken for the whole
		if path := strings.Split(n, "/"); len(path) > 1 {
			if path[0] = spelled(sh.typ, path[0]); unknownBelow(sh.typ, path, c.beta) != "" {
				return miss(n)
			}
		}
	}
	sh.spell(q)
	has := func(name string) bool {
		known, _ := knownProperty(sh.typ, name, c.beta)
		return known
	}
	for _, n := range q.Select {
		if n != "*" && !has(n) {
			if _, ok := sh.navs[n]; !ok {
				return miss(n)
			}
		}
	}
	if q.Filter != nil {
		for _, p := range q.Filter.Paths() {
			if !has(p[0]) {
				return miss(p[0])
			}
			if n := unknownBelow(sh.typ, p, c.beta); n != "" {
				return miss(strings.Join(p, "/"))
			}
		}
		if err := q.Filter.Check(kindBelow(sh.typ, c.beta)); err != nil {
			return err
		}
	}
	for _, o := range q.OrderBy {
		if !has(o.Path[0]) {
			return miss(o.Path[0])
		}
		if unknownBelow(sh.typ, o.Path, c.beta) != "" {
			return miss(strings.Join(o.Path, "/"))
		}
	}
	for _, x := range q.Search {
		if !has(x.Property) {
			return miss(x.Property)
		}
	}
	if len(q.Expand) > 1 {
		return refuse(400, "Request_UnsupportedQuery", "Only one navigation property can be expanded in a request.")
	}
	for _, x := range q.Expand {
		n, ok := sh.navs[x.Name]
		if !ok {
			return refuse(400, "BadRequest", "Could not find a navigation property named '%s' on type 'microsoft.graph.%s' that can be expanded.",
				clip(x.Name), sh.typ)
		}
		for _, s := range x.Select {
			if s != "*" && !knownAnywhere(first(s), c.beta) {
				return refuse(400, "BadRequest", "Could not find a property named '%s' in $expand of '%s'.", clip(s), x.Name)
			}
		}
		switch {
		case len(x.Others) > 0:
			return refuse(400, "Request_UnsupportedQuery", "The option '%s' is not supported in $expand here.", clip(x.Others[0]))
		case x.Levels != 0 && !n.levels:
			return refuse(400, "Request_UnsupportedQuery", "The option '$levels' is not supported in $expand of '%s'.", x.Name)
		}
	}
	return nil
}

func first(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return name
}

// expandMax is how many objects an expansion of a collection holds.
const expandMax = 20

// expand fills in the navigations asked for.
func (e *entity) expand(c *call, t *world.Tenant, q *odata.Query) {
	for _, x := range q.Expand {
		n := e.navs[x.Name]
		list := n.of(c, t, e.row)
		if !n.many {
			var v any
			if len(list) > 0 {
				v = &picked{list[0], x.Select}
				if x.Levels > 1 || x.Levels < 0 {
					list[0].deeper(c, t, x, maxLevels)
				}
			}
			e.extra = append(e.extra, member{x.Name, v})
			continue
		}
		out := make([]any, 0, min(len(list), expandMax))
		for _, o := range list[:min(len(list), expandMax)] {
			out = append(out, &picked{o, x.Select})
		}
		e.extra = append(e.extra, member{x.Name, out})
	}
}

// maxLevels bounds $levels=max: a chain of managers may be a ring.
const maxLevels = 20

// deeper expands the same navigation on, as $levels asks.
func (e *entity) deeper(c *call, t *world.Tenant, x odata.Expand, left int) {
	if x.Levels--; left == 0 || x.Levels == 0 || e.navs[x.Name].of == nil {
		return
	}
	list := e.navs[x.Name].of(c, t, e.row)
	if len(list) == 0 {
		return
	}
	list[0].deeper(c, t, x, left-1)
	e.extra = append(e.extra, member{x.Name, &picked{list[0], x.Select}})
}

// picked is an entity with a selection of its own.
type picked struct {
	*entity
	sel []string
}

func (p *picked) appendJSON(b []byte) []byte {
	for i, n := range p.sel {
		p.sel[i] = spelled(p.typ, n)
	}
	return p.append(b, p.sel)
}
