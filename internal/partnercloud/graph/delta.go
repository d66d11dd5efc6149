package graph

import (
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/world"
)

// deltaLife is how long a delta link is good (K).
const deltaLife = 30 * 24 * time.Hour

// deltaPage is how many rows a page of a delta query holds.
const deltaPage = 100

// maxDeltaPage is the most that may be asked for.
const maxDeltaPage = 999

// delta answers a delta query (contracts.md section 3.0): without a token every
// row, then what changed since, deletions last, then a delta link.
func (c *call) delta(s *world.State, t *world.Tenant, sh *shape, context string, all since, changed func(any) int64) (*reply, error) {
	if err := sh.checkNames(c, c.q); err != nil {
		return nil, err
	}
	if len(c.q.OrderBy) > 0 || c.q.Count || len(c.q.Expand) > 0 || len(c.q.Search) > 0 {
		return nil, refuse(http.StatusBadRequest, "Request_UnsupportedQuery", "The query is not supported with delta.")
	}
	pos := position{Upto: s.ChangeNo}
	initial := true
	switch {
	case c.q.Has("$skiptoken"):
		p, ok := c.open("page", c.q.SkipToken)
		if !ok {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The skip token is not valid for this request.")
		}
		pos, initial = p, p.Delta < 0
	case strings.EqualFold(c.q.DeltaToken, "latest"):
		return c.deltaEnd(context, nil, position{Upto: s.ChangeNo}), nil
	case c.q.Has("$deltatoken"):
		p, ok := c.open("delta", c.q.DeltaToken)
		if !ok || c.now.Sub(time.Unix(p.Made, 0)) > deltaLife {
			return nil, refuse(http.StatusGone, "syncStateNotFound", "The delta token is unknown or too old. Start the synchronisation over.").
				With("Location", c.here())
		}
		pos, initial = position{Delta: p.Delta, Upto: s.ChangeNo}, false
	default:
		pos.Delta = -1
	}
	size := deltaPage
	if c.takes.top > 0 {
		size = c.takes.top
	}
	if c.q.Top > 0 {
		size = min(c.q.Top, maxDeltaPage)
	}
	var page []*entity
	if pos.Phase == 0 {
		for i, row := range all(pos.After, pos.At) {
			n := changed(row)
			e := c.entity(sh, row)
			e.keyed = true
			if !initial && n <= pos.Delta || c.q.Filter != nil && !c.q.Filter.Match(e) {
				continue
			}
			if len(page) == size {
				return c.page(context, page, &pos, -1, nil), nil
			}
			if sh.typ == "group" {
				e.extra = append(e.extra, groupDelta(t, row.(*world.Group))...)
			}
			page = append(page, e)
			pos.After, pos.At = e.key(row), i
		}
		pos.Phase, pos.After, pos.At = 1, "", 0
	}
	if !initial {
		last := map[string]int{} // what was deleted, restored and deleted is told of once
		for i, d := range t.Deletions {
			last[d.ID] = i
		}
		for i := pos.At; i < len(t.Deletions); i++ {
			d := t.Deletions[i]
			if d.Kind != sh.typ || d.Changed <= pos.Delta || last[d.ID] != i || t.Users.Get(d.ID) != nil || t.Groups.Get(d.ID) != nil {
				continue
			}
			if len(page) == size {
				pos.At = i
				return c.page(context, page, &pos, -1, nil), nil
			}
			page = append(page, c.removed(sh, d))
		}
	}
	return c.deltaEnd(context, page, pos), nil
}

// deltaEnd gives the last page with the delta link.
func (c *call) deltaEnd(context string, page []*entity, pos position) *reply {
	link := c.here() + "?"
	for part := range strings.SplitSeq(c.r.URL.RawQuery, "&") {
		k, _, _ := strings.Cut(part, "=")
		switch odata.Option(strings.ReplaceAll(k, "%24", "$"), c.beta) {
		case "$select", "$filter", "$top":
			link += part + "&"
		}
	}
	link += "$deltatoken=" + c.seal("delta", position{Delta: pos.Upto, Made: c.now.Unix()})
	return c.page(context, page, nil, -1, object{{"@odata.deltaLink", link}})
}

// removed is the row of a deleted object.
func (c *call) removed(sh *shape, d world.Deletion) *entity {
	gone := newShape(sh.typ, func(any) string { return d.ID }, f("id", func(d world.Deletion) any { return d.ID }))
	e := &entity{shape: gone, row: d, beta: true, keyed: true}
	reason := "changed"
	if d.Gone {
		reason = "deleted"
	}
	e.extra = object{{"@removed", object{{"reason", reason}}}}
	return e
}

// groupDelta lists a group's members in a delta row.
func groupDelta(t *world.Tenant, g *world.Group) object {
	out := []object{}
	for _, m := range g.Members {
		kind := "user"
		switch {
		case t.Groups.Get(m) != nil:
			kind = "group"
		case t.SPs.Get(m) != nil:
			kind = "servicePrincipal"
		}
		out = append(out, object{{"@odata.type", "#microsoft.graph." + kind}, {"id", m}})
	}
	return object{{"members@delta", out}}
}
